//! Everything in Etalon that decides.

#![allow(dead_code, unused_variables, clippy::todo)]

pub mod column;
pub mod diagnostic;
pub mod error;
pub mod expr;
pub mod pipeline;
pub mod plan;
pub mod read;
pub mod receipt;
pub mod records;
pub mod reject;
pub mod spec;
pub mod stage;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transform;
pub mod types;
pub mod value;
pub mod warehouse;
