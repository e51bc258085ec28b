//! Testing: what every implementation of a port is held to, and a warehouse in memory that works on its own.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a promise that is not kept panics")]

pub mod conformance;
pub mod warehouse;
