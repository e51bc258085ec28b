//! Floating-point numbers: PostgreSQL's input, and its shortest text that reads back the same.

use crate::column::Fault;

/// Reads a `double precision`.
pub fn parse_double(text: &[u8]) -> Result<f64, Fault> {
    todo!()
}

/// Reads a `real`.
pub fn parse_real(text: &[u8]) -> Result<f32, Fault> {
    todo!()
}

/// Prints a `double precision` as PostgreSQL does: `1`, `1.5`, `1e+30`, `NaN`, `Infinity`.
pub fn print_double(value: f64) -> String {
    todo!()
}

/// Prints a `real`.
pub fn print_real(value: f32) -> String {
    todo!()
}
