//! Failure: what the text of a warehouse's error means to a load.
//!
//! Redshift has no list of errors that are worth another try; this one is made of what its documents and others' reports
//! name. What is not known is permanent: a load that is tried again for ever hides its fault.

use crate::error::ErrorKind;

/// What a failure asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A guard divided by zero; which one, the step tells.
    Guard,
    /// A key would stand twice.
    DuplicateKey,
    /// Another transaction was in the way; the same load may succeed later.
    Conflict,
    /// The world did not answer, or not in time; the same load may succeed later.
    Unavailable,
    /// COPY refused the rows; [`load_errors`](super::load_errors) says which.
    LoadError,
    /// It will fail again.
    Permanent,
}

/// Words of error texts, in lower case, and what they mean; the first that is found decides.
const WORDS: &[(&str, Failure)] = &[
    ("divide by zero", Failure::Guard),
    ("division by zero", Failure::Guard),
    // COPY's own words first: they may name anything in the rows that they quote.
    ("stl_load_errors", Failure::LoadError),
    ("sys_load_error_detail", Failure::LoadError),
    ("spectrum scan error", Failure::LoadError),
    // A refusal of S3 stands in the same sentence as its word for a slow answer.
    ("access denied", Failure::Permanent),
    ("accessdenied", Failure::Permanent),
    ("must be addressed using the specified endpoint", Failure::Permanent),
    ("serializable isolation violation", Failure::Conflict),
    ("conflict with concurrent transaction", Failure::Conflict),
    ("could not serialize access", Failure::Conflict),
    ("deadlock detected", Failure::Conflict),
    ("could not obtain lock", Failure::Conflict),
    ("canceling statement due to lock timeout", Failure::Conflict),
    ("tuple concurrently updated", Failure::Conflict),
    // Two sessions that create the same table at once.
    ("pg_type_typname_nsp_index", Failure::Conflict),
    ("pg_class_relname_nsp_index", Failure::Conflict),
    ("duplicate key value", Failure::DuplicateKey),
    ("could not create unique index", Failure::DuplicateKey),
    ("slowdown", Failure::Unavailable),
    ("slow down", Failure::Unavailable),
    ("status 503", Failure::Unavailable),
    ("status 500", Failure::Unavailable),
    ("serviceunavailable", Failure::Unavailable),
    ("throttling", Failure::Unavailable),
    ("activestatementsexceeded", Failure::Unavailable),
    ("activesessionsexceeded", Failure::Unavailable),
    ("disk full", Failure::Unavailable),
    ("timed out", Failure::Unavailable),
    ("timeout", Failure::Unavailable),
    ("connection refused", Failure::Unavailable),
    ("connection reset", Failure::Unavailable),
    ("connection closed", Failure::Unavailable),
    ("terminating connection", Failure::Unavailable),
    ("too many connections", Failure::Unavailable),
    ("the database system is", Failure::Unavailable),
];

impl Failure {
    /// What an error text of Redshift or PostgreSQL means.
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        // The number of a violation of serializability stands alone in Redshift's shorter texts.
        let is_1023 = text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .find(|word| !word.is_empty() && *word != "error");
        let is_1023 = is_1023 == Some("1023");
        let known = WORDS.iter().find(|(words, _)| text.contains(words)).map(|&(_, failure)| failure);
        match known {
            None if is_1023 => Self::Conflict,
            known => known.unwrap_or(Self::Permanent),
        }
    }

    /// Whether the same load may succeed later.
    pub fn is_retryable(self) -> bool {
        self.error_kind() == ErrorKind::Unavailable
    }

    /// The kind of the error that a caller sees.
    pub fn error_kind(self) -> ErrorKind {
        match self {
            Self::Conflict | Self::Unavailable => ErrorKind::Unavailable,
            Self::Guard | Self::DuplicateKey | Self::LoadError | Self::Permanent => ErrorKind::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_warehouses_are_known() {
        for (text, failure) in [
            ("ERROR: Divide by zero", Failure::Guard),
            ("ERROR:  division by zero", Failure::Guard),
            ("ERROR: 1023 Detail: Serializable isolation violation on table - 104, transactions", Failure::Conflict),
            ("ERROR: 1023", Failure::Conflict),
            ("ERROR: 10231 of something else", Failure::Permanent),
            ("ERROR: could not complete because of conflict with concurrent transaction", Failure::Conflict),
            ("ERROR:  deadlock detected", Failure::Conflict),
            ("ERROR: Load into table 'stage' failed. Check 'stl_load_errors' for details.", Failure::LoadError),
            ("Spectrum Scan Error. code: 15007 has an incompatible Parquet schema", Failure::LoadError),
            ("S3ServiceException:Access Denied,Status 403,Error AccessDenied", Failure::Permanent),
            ("S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown", Failure::Unavailable),
            ("ERROR:  duplicate key value violates unique constraint \"k\"", Failure::DuplicateKey),
            ("ERROR: Numeric data overflow (result precision)", Failure::Permanent),
            ("ERROR: Cannot insert a NULL value into column id", Failure::Permanent),
        ] {
            assert_eq!(Failure::of(text), failure, "{text}");
        }
        assert!(Failure::Conflict.is_retryable() && !Failure::Guard.is_retryable());
    }
}
