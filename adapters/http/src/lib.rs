//! HTTP as a source: a client that sends the requests of a walk.
//!
//! Core decides what is requested, how often, and what a response means ([`etalon_core::source::connector`]). This crate has
//! the socket, and the limits that only a client can enforce: no redirect to another server, no address of a private network
//! behind a public name, no endless response.

mod client;
mod resolve;
mod sign;

pub use client::Client;
