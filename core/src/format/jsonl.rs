//! JSON Lines: a JSON object a line.
//!
//! A line end is LF; the CR before it is a blank to JSON. A line of blanks is no record. Numbers are kept as they are
//! written, so that no digit is lost before a type is known.
//!
//! A declared field that stands twice in an object rejects its record: parsers differ on which of the two counts. Keys that
//! are not declared are not read, so there it makes no difference.

pub(super) mod scanner;
mod json;
