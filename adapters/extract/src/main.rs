//! The extract function.
fn main() {}
