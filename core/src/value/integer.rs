//! Whole numbers: blanks, a sign, decimal digits; nothing else.

use crate::column::Fault;

/// Reads a whole number of at least `min` and at most `max`; `type_name` is named in the fault.
pub fn parse(text: &[u8], min: i64, max: i64, type_name: &str) -> Result<i64, Fault> {
    todo!()
}
