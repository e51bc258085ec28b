//! What core does, seen from outside.

mod spec;
