//! Tests of what the crate shows to others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test may fail")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests read files, which core does not")]

mod architecture;
mod borders;
mod bounds;
mod chapter;
mod connector;
mod constant;
mod deploy;
mod expression;
mod fingerprint;
mod hostile;
mod json;
mod language;
mod pipeline;
mod pollution;
mod read;
mod spec;
mod sql;
mod stage;
mod value;
mod warehouse;
