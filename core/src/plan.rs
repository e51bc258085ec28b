//! Plan: the inputs, which are loaded at most once; how an input is split into tasks; and the names of their results.
//!
//! Identity is by content: an input is a name and a version of bytes, a batch is what one pipeline makes of one range of an
//! input.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a range of an object that can be cut: small enough for a task to end well within Lambda's 15 minutes.
pub(crate) const RANGE_BYTES: u64 = 64 * 1024 * 1024;

/// A file or an object as the source has it now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its key, or its path relative to the pipeline file.
    pub name: String,
    /// Distinguishes its bytes from other bytes of that name: a digest, or an object's version.
    pub version: String,
    /// Its stored bytes.
    pub size: u64,
}

/// How an input is loaded, decided once when it is first met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputPlan {
    /// The pipeline's name; empty in plans of an older Etalon.
    #[serde(default)]
    pub pipeline: String,
    /// What may be loaded once.
    pub input: String,
    /// Counts the plans of the input: it is raised when the input is planned again, or when it or some of its records are
    /// loaded again.
    pub generation: u32,
    /// The object's name.
    pub source: String,
    /// The object's version.
    pub source_version: String,
    /// For which time this version has become the object's current one, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub meeting: u32,
    /// Its stored bytes.
    pub size: u64,
    /// The fingerprint of the pipeline file.
    pub fingerprint: String,
    /// `batch_time()` in microseconds since 1970, UTC.
    pub batch_time: i64,
    /// Whether another version of the object was met before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrites: bool,
    /// Whether it replaces the rows that it brought before (a backfill).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backfills: bool,
    /// The run that it is loaded with, if whole runs are loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Why the input was planned again: the same cause gives the same plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The number of the decision about rejects, if only the records of that decision are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrives: Option<u32>,
    /// The ranges into which the stored bytes are split, without gaps.
    pub ranges: Vec<Range<u64>>,
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_first(meeting: &u32) -> bool {
    *meeting == 1
}

/// The records of an input that are read again, where they were before: by their offsets in the decoded stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Again {
    /// How many bytes each had, where that is known.
    pub records: BTreeMap<u64, Option<u64>>,
    /// How many bytes the object had when it was decoded, where that is known.
    pub total: Option<u64>,
}

/// One range of one input: the unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The name of the result.
    pub batch: String,
    /// The plan that it belongs to.
    pub plan: InputPlan,
    /// The range of stored bytes.
    pub range: Range<u64>,
}

impl InputPlan {
    /// The tasks of the plan, a range each.
    pub fn tasks(&self) -> Vec<Task> {
        self.ranges
            .iter()
            .map(|range| Task { batch: self.batch(range), plan: self.clone(), range: range.clone() })
            .collect()
    }

    fn batch(&self, range: &Range<u64>) -> String {
        let range = format!("{}-{}", range.start, range.end);
        identity("batch", &[&self.input, &range, &self.fingerprint, &self.generation.to_string()])
    }
}

/// The input of an object for a pipeline. The meeting counts how often this version has become the object's current one:
/// content that comes back is a new input like any other.
pub fn input(pipeline: &str, source_kind: &str, object: &Object, meeting: u32) -> String {
    let meeting = meeting.to_string();
    let parts = [pipeline, source_kind, &object.name, &object.version, &meeting];
    // The first meeting is not among the parts, as it was not when there was no other.
    identity("input", if meeting == "1" { &parts[..4] } else { &parts })
}

/// Splits `size` bytes into ranges of about `range_bytes`; one range if the object cannot be split.
pub fn cut(size: u64, can_cut: bool, range_bytes: u64) -> Vec<Range<u64>> {
    let pieces = if can_cut { size.div_ceil(range_bytes.max(1)).max(1) } else { 1 };
    (0..pieces).map(|piece| piece * size / pieces..(piece + 1) * size / pieces).collect()
}

/// A name of 128 bits in hexadecimal for a list of texts; lists that differ have names that differ.
pub fn identity(kind: &str, parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in std::iter::once(&kind).chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hexadecimal(&hash.finalize()[..16])
}

/// The SHA-256 of some bytes, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_tile_the_object() {
        assert_eq!(cut(10, false, 3), [Range { start: 0, end: 10 }]);
        assert_eq!(cut(0, true, 3), [Range { start: 0, end: 0 }]);
        let ranges = cut(1_000_003, true, 1000);
        assert_eq!(ranges.first().map(|range| range.start), Some(0));
        assert_eq!(ranges.last().map(|range| range.end), Some(1_000_003));
        assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(ranges.iter().all(|range| range.end - range.start <= 1000));
    }

    #[test]
    fn an_input_is_told_by_its_name_its_version_and_its_meeting() {
        let object = Object { name: "in/a.csv".to_owned(), version: "00ff".to_owned(), size: 7 };
        let first = input("orders", "files", &object, 1);
        // As ledgers and stores have it.
        assert_eq!(first, identity("input", &["orders", "files", "in/a.csv", "00ff"]));
        let others = [
            input("orders", "files", &object, 2),
            input("orders", "files", &object, 3),
            input("order", "files", &object, 1),
            input("orders", "files", &Object { version: "00fe".to_owned(), ..object.clone() }, 1),
            input("orders", "files", &Object { name: "in/b.csv".to_owned(), ..object.clone() }, 1),
        ];
        for (at, other) in others.iter().enumerate() {
            assert!(*other != first && !others[..at].contains(other), "{other}");
        }
        assert_eq!(input("orders", "files", &Object { size: 8, ..object }, 1), first);
    }

    #[test]
    fn texts_that_run_together_are_told_apart() {
        assert_ne!(identity("input", &["ab", "c"]), identity("input", &["a", "bc"]));
        assert_ne!(identity("input", &["ab"]), identity("batch", &["ab"]));
        assert_eq!(identity("input", &["ab"]).len(), 32);
    }
}
