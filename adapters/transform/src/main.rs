//! The transform function.
fn main() {}
