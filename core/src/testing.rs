//! Testing: strategies and laws. A law is a plain function that panics if it does not hold; property tests and fuzz targets
//! call the same laws.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a law that does not hold panics")]

pub mod merge;
pub mod expression;
pub mod language;
pub mod lint;
pub mod pipeline;
pub mod read;
pub mod spec;
pub mod sql;
pub mod stage;
pub mod value;
