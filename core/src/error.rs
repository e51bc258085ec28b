//! Error: what stopped a task, and whether trying again may help. It is a failure of the environment, not a mistake of the
//! author and not a bad row.

use std::fmt;

/// What stopped a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The choices that a caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object does not exist (any more).
    NotFound,
    /// The object is not what was planned: another version, another size.
    Changed,
    /// Another process wrote it first.
    AlreadyExists,
    /// The object cannot be loaded as it is, and waits for a decision.
    Held,
    /// The environment did not answer, or not in time; trying again may help.
    Unavailable,
    /// The environment refused; trying again does not help.
    Refused,
}

impl Error {
    /// An error of a kind, with a sentence that names the thing and its place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The choice that the caller has.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.kind == ErrorKind::Unavailable
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
