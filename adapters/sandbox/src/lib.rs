//! A cloud on one machine.

pub mod postgres;
pub mod redshift;
