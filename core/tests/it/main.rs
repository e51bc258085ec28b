//! Tests of what the crate shows to others.

mod corpora_reading;
mod expression;
mod pipeline;
mod read;
mod spec;
