//! The loops that carry out what core asks.
//!
//! Core says which bytes it needs and what is to be kept; the driver fetches and keeps, through ports to the world. The
//! same loops run over local disk, over memory, and over a cloud.

pub mod cases;
pub mod deployed;
pub mod extract;
pub mod held;
pub mod judge;
pub mod load;
pub mod local;
pub mod memory;
pub mod placeholder;
pub mod ports;
pub mod rejects;
pub mod report;
pub mod run;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transform;
