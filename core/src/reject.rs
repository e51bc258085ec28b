//! Reject: a rejected record with all its reasons, its place and its raw text. It is one line of the quarantine.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Code;

/// Raw text longer than this is left out; the place remains.
pub(crate) const RAW_BYTES_MAX: usize = 64 * 1024;

/// What people see in place of a sensitive value.
pub const MASKED: &str = "(masked)";

/// Where a record lies in the decoded stream of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The offset of its first byte.
    pub offset: u64,
    /// Its bytes, with its line end.
    pub length: u64,
}

/// One thing that is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What kind of fault.
    pub code: Code,
    /// What it is about.
    #[serde(flatten)]
    pub subject: Subject,
    /// The fact, in one line without a full stop.
    pub message: String,
}

/// What a reason is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "subject", content = "name")]
pub enum Subject {
    /// The record as a whole.
    Record,
    /// The pipeline's `where`.
    Where,
    /// A column, by name.
    Column(String),
    /// A check, by name.
    Check(String),
    /// The target's `delete_when`.
    DeleteWhen,
}

/// A record in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The name of its object: a key, or a path relative to the pipeline file.
    pub source: String,
    /// The version of the object.
    pub version: String,
    /// Where it lies in the decoded stream.
    #[serde(flatten)]
    pub place: Place,
    /// Everything that is wrong with it.
    pub reasons: Vec<Reason>,
    /// The declared fields that the reader found, by name; a sensitive one is masked, and NULL is null.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Option<String>>,
    /// The record as it is in the object, if it is UTF-8, short enough and has no sensitive field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// The same in base 64, if it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_base64: Option<String>,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record => f.write_str("record"),
            Self::Where => f.write_str("where"),
            Self::Column(name) => write!(f, "column {name}"),
            Self::Check(name) => write!(f, "check {name}"),
            Self::DeleteWhen => f.write_str("delete_when"),
        }
    }
}
