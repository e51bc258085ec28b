//! The ports over Amazon Web Services, and what the functions share: settings, logs and metrics. It is the only crate that uses
//! the SDK.

pub mod client;
pub mod events;
mod failure;
pub mod function;
pub mod objects;
pub mod operator;
mod panic;
pub mod queue;
pub mod redshift;
pub mod secrets;
pub mod settings;
pub mod telemetry;
