//! MySQL and MariaDB as a source, reached by URL, and the client for it. It runs the statements of `etalon_core::source`, and
//! decides nothing.
//!
//! Rows come as texts, as the server writes them, one after the other: nothing but the row that is being read is held in memory.

pub mod client;
mod types;
mod record;
mod failure;
mod source;

pub use source::Source;
