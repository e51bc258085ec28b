//! JSON Lines: one JSON object a line.
//!
//! A line end is LF; the CR before it is a blank to JSON. A line of blanks is no record. Numbers are kept as they are
//! written, so that no digit is lost before a type is known.
//!
//! If a declared field occurs twice in an object, the record is rejected: parsers differ on which of the two counts. Keys that
//! are not declared are not read, so with them it makes no difference.

mod scanner;
mod json;

use super::Format;
use super::FormatKind;
use super::ReadOptions;
use super::scan::Scanner;
use crate::spec::Kind;
use crate::spec::Mapping;
use scanner::JsonlScanner;

/// How JSON Lines are written: there is one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonlFormat;

pub(super) const KIND: Kind<Format> = Kind {
    word: "jsonl",
    doc: "JSON Lines: an object on each line",
    mapping: Mapping {
        title: "jsonl",
        doc: "How JSON Lines are written: there are no options.",
        may_be_empty: true,
        keys: |_| Format::Jsonl(JsonlFormat),
    },
};

impl FormatKind for JsonlFormat {
    fn lines_are_records(&self) -> bool {
        true
    }

    fn values_are_json(&self) -> bool {
        true
    }

    fn scanner(&self, options: &ReadOptions) -> Box<dyn Scanner> {
        Box::new(JsonlScanner::new(&options.fields, options.contract, options.record_bytes_max))
    }
}
