//! A stand-in for AWS on one machine, for tests and for trying a deployed pipeline without an account.
//!
//! ```text
//! schedule, object events -> extract -> tasks queue -> transform -> load queue -> load -> PostgreSQL as Redshift
//! ```
//!
//! The three functions are the real binaries, run as Lambda runs them; S3, SQS, EventBridge and Secrets Manager are moto's,
//! the Redshift Data API and the pollers are this crate's. Everything listens on this machine alone and ends with the
//! process that started it. `docs/design.md` says what the sandbox is exact about and what it is not.

pub mod aws;
pub mod cloud;
pub mod counterpart;
pub mod gateway;
mod http;
pub mod iam;
pub mod lambda;
pub mod moto;
pub mod poller;
pub mod postgres;
pub mod redshift;
pub mod scheduler;
