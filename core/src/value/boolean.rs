//! Booleans: PostgreSQL's input (`t`, `true`, `y`, `yes`, `on`, `1` and their opposites, unique prefixes, any letter case).

use crate::column::Fault;

/// Reads a boolean.
pub fn parse(text: &[u8]) -> Result<bool, Fault> {
    todo!()
}
