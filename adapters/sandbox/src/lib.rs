//! A cloud on one machine.

pub mod counterpart;
pub mod moto;
pub mod postgres;
pub mod redshift;
