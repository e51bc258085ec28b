//! Tests of what the crate shows to others.

mod architecture;
mod corpora_reading;
mod expression;
mod read;
mod spec;
mod value;
