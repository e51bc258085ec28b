//! HTTP as a source: a client that sends the requests of a walk.
//!
//! What is asked, how often, and what an answer means is decided in core ([`etalon_core::source::connector`]). Here are the
//! socket and the limits that only a socket can hold: no redirect to another server, no address of a private network
//! behind a public name, no answer without end.

mod client;
mod resolve;
mod sign;

pub use client::Client;
