//! Testing: the tests that every implementation of a port must pass, and an asynchronous warehouse in memory.

#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used, reason = "a promise that is not kept panics")]

pub mod conformance;
pub mod landing;
pub mod warehouse;

/// The files of a store that a machine which stops now may leave without their bytes, or not at all.
pub fn unwritten(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    crate::local::alone::unwritten(folder).unwrap()
}
