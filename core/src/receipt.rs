//! Receipt: what one task did, in numbers that must balance. It is written last and is the task's commit point.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What became of the records of a task: `read = staged + filtered + quarantined`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records read, also those that could not be split into fields.
    pub read: u64,
    /// Rows that go to the target.
    pub staged: u64,
    /// Rows for which `where` was false.
    pub filtered_false: u64,
    /// Rows for which `where` was NULL.
    pub filtered_null: u64,
    /// Records in quarantine.
    pub quarantined: u64,
}

impl Counts {
    /// Whether the counts add up: every record that was read is staged, filtered or quarantined.
    pub fn balance(&self) -> bool {
        self.read == self.staged + self.filtered_false + self.filtered_null + self.quarantined
    }

    /// Adds the counts of another task.
    pub fn add(&mut self, other: Self) {
        self.read += other.read;
        self.staged += other.staged;
        self.filtered_false += other.filtered_false;
        self.filtered_null += other.filtered_null;
        self.quarantined += other.quarantined;
    }
}

/// How many decoded bytes of an object's range are header, records and so on; the numbers add up to the range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Bytes in all.
    pub total: u64,
    /// A byte order mark and the header.
    pub header: u64,
    /// Records that were read.
    pub records: u64,
    /// Blank lines, and line ends that belong to no record.
    pub blank: u64,
    /// Comment lines.
    pub comments: u64,
    /// Leading lines that the pipeline skips.
    pub skipped: u64,
}

impl Coverage {
    /// Whether the numbers add up to the total.
    pub fn balance(&self) -> bool {
        self.total == self.header + self.records + self.blank + self.comments + self.skipped
    }

    /// Adds the coverage of another range.
    pub fn add(&mut self, other: Self) {
        self.total += other.total;
        self.header += other.header;
        self.records += other.records;
        self.blank += other.blank;
        self.comments += other.comments;
        self.skipped += other.skipped;
    }
}

/// A staged file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name below the batch's folder.
    pub name: String,
    /// Rows in it.
    pub rows: u64,
    /// Bytes of it.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What one task did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The pipeline's name.
    pub pipeline: String,
    /// What may be loaded once.
    pub input: String,
    /// The result that this receipt is for.
    pub batch: String,
    /// The name of the object.
    pub source: String,
    /// The version of the object.
    pub source_version: String,
    /// The version that the object would have on a disk, not compressed; where one task has read all of it, and its version is
    /// another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The range of the object's (stored) bytes.
    pub range: (u64, u64),
    /// The fingerprint of the pipeline file.
    pub fingerprint: String,
    /// `batch_time()`, RFC 3339 in UTC.
    pub batch_time: String,
    /// What became of the records.
    pub counts: Counts,
    /// What the bytes turned out to be.
    pub coverage: Coverage,
    /// Reasons of rejects: `code subject` and how many records had it. A record with two reasons counts for both.
    pub reasons: BTreeMap<String, u64>,
    /// Checks with `on_fail: warn` that failed, and for how many rows.
    pub warnings: BTreeMap<String, u64>,
    /// Checks with `on_fail: fail` that failed, and for how many rows: the unit is held.
    pub failed_checks: BTreeMap<String, u64>,
    /// Bytes of the records in quarantine; an older Etalon did not count them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quarantined_bytes: u64,
    /// Records that had fields which the pipeline does not declare.
    pub undeclared_records: u64,
    /// Records that had none of the declared fields; an older Etalon did not count them.
    #[serde(default)]
    pub strange_records: u64,
    /// Why the object is incomplete or not as declared, if it is: its unit is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
    /// Whether the reason is that the object was gone or had changed before its task ran: nothing of it was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unread: bool,
    /// The staged files, in order.
    pub parts: Vec<Part>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
