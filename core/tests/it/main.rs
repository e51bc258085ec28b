//! Tests of what the crate shows to others.

mod corpora_reading;
mod read;
