//! Laws and strategies, shared by the property tests and the fuzz targets.
//!
//! A law is a plain function that panics where it does not hold.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a law that does not hold panics")]

pub mod read;
