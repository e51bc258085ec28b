//! The ports over Amazon Web Services, and what the functions share: settings, logs and metrics. The only crate that
//! knows the SDK.

pub mod client;
pub mod events;
mod failure;
pub mod objects;
pub mod queue;
pub mod redshift;
pub mod secrets;
