//! Tests of what the crate shows to others.

mod corpora_reading;
mod expression;
mod read;
mod spec;
