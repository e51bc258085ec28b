//! Failure: a statement that has failed, and what that means to a load.
//!
//! A client knows the cause of a failure by the number that its warehouse gives, or by the words, where there is nothing else:
//! Redshift has no list of errors that are worth another try; this one is made of what its documents and others' reports
//! name. What is not known is permanent: a load that is tried again for ever hides what is wrong with it.

use std::fmt;

use crate::error::Error;
use crate::error::ErrorKind;

/// A statement that has failed. It prints as the warehouse's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub cause: Cause,
    /// The words of the warehouse, on one line.
    pub words: String,
}

/// What the failure of a statement means to a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It divided by zero, as a guard does; which one, the step tells.
    DivisionByZero,
    /// A key would stand twice.
    DuplicateKey,
    /// Another transaction was in the way; the same load may succeed later.
    Conflict,
    /// The environment did not answer, or not in time; the same load may succeed later.
    Unavailable,
    /// A table or a schema is not there.
    Missing,
    /// What is to be created is there already.
    AlreadyThere,
    /// A right is lacking.
    Denied,
    /// COPY refused the rows; [`load_errors`](super::dialect::redshift::copy::load_errors) says which.
    LoadError,
    /// It will fail again.
    Permanent,
}

/// Words of error texts, in lower case, and what they mean; the first that is found decides.
const WORDS: &[(&str, Cause)] = &[
    ("divide by zero", Cause::DivisionByZero),
    ("division by zero", Cause::DivisionByZero),
    // COPY's own words first: they may name anything in the rows that they quote.
    ("stl_load_errors", Cause::LoadError),
    ("sys_load_error_detail", Cause::LoadError),
    ("spectrum scan error", Cause::LoadError),
    // A refusal of S3 stands in the same sentence as its word for a slow answer.
    ("access denied", Cause::Permanent),
    ("accessdenied", Cause::Permanent),
    ("must be addressed using the specified endpoint", Cause::Permanent),
    ("serializable isolation violation", Cause::Conflict),
    ("conflict with concurrent transaction", Cause::Conflict),
    ("could not serialize access", Cause::Conflict),
    ("deadlock detected", Cause::Conflict),
    ("could not obtain lock", Cause::Conflict),
    ("canceling statement due to lock timeout", Cause::Conflict),
    ("tuple concurrently updated", Cause::Conflict),
    // Two sessions that create the same table at once.
    ("pg_type_typname_nsp_index", Cause::Conflict),
    ("pg_class_relname_nsp_index", Cause::Conflict),
    ("duplicate key value", Cause::DuplicateKey),
    ("could not create unique index", Cause::DuplicateKey),
    ("slowdown", Cause::Unavailable),
    ("slow down", Cause::Unavailable),
    ("status 503", Cause::Unavailable),
    ("status 500", Cause::Unavailable),
    ("serviceunavailable", Cause::Unavailable),
    ("throttling", Cause::Unavailable),
    ("activestatementsexceeded", Cause::Unavailable),
    ("activesessionsexceeded", Cause::Unavailable),
    ("disk full", Cause::Unavailable),
    ("timed out", Cause::Unavailable),
    ("timeout", Cause::Unavailable),
    ("connection refused", Cause::Unavailable),
    ("connection reset", Cause::Unavailable),
    ("connection closed", Cause::Unavailable),
    ("terminating connection", Cause::Unavailable),
    ("too many connections", Cause::Unavailable),
    ("the database system is", Cause::Unavailable),
];

impl Failure {
    /// The error of a statement that was to do something, as [`Statement::what`](super::Statement::what) says.
    pub fn error(&self, what: &str) -> Error {
        Error::new(self.cause.error_kind(), format!("could not {what}: {self}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Cause {
    /// What an error text of Redshift or PostgreSQL means.
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase();
        // The number of a violation of serializability stands alone in Redshift's shorter texts.
        let is_1023 = text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .find(|word| !word.is_empty() && *word != "error");
        let is_1023 = is_1023 == Some("1023");
        let known = WORDS.iter().find(|(words, _)| text.contains(words)).map(|&(_, cause)| cause);
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
            Self::DivisionByZero
            | Self::DuplicateKey
            | Self::Missing
            | Self::AlreadyThere
            | Self::Denied
            | Self::LoadError
            | Self::Permanent => ErrorKind::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_warehouses_are_known() {
        for (text, cause) in [
            ("ERROR: Divide by zero", Cause::DivisionByZero),
            ("ERROR:  division by zero", Cause::DivisionByZero),
            ("ERROR: 1023 Detail: Serializable isolation violation on table - 104, transactions", Cause::Conflict),
            ("ERROR: 1023", Cause::Conflict),
            ("ERROR: 10231 of something else", Cause::Permanent),
            ("ERROR: could not complete because of conflict with concurrent transaction", Cause::Conflict),
            ("ERROR:  deadlock detected", Cause::Conflict),
            ("ERROR: Load into table 'stage' failed. Check 'stl_load_errors' for details.", Cause::LoadError),
            ("Spectrum Scan Error. code: 15007 has an incompatible Parquet schema", Cause::LoadError),
            ("S3ServiceException:Access Denied,Status 403,Error AccessDenied", Cause::Permanent),
            ("S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown", Cause::Unavailable),
            ("ERROR:  duplicate key value violates unique constraint \"k\"", Cause::DuplicateKey),
            ("ERROR: Numeric data overflow (result precision)", Cause::Permanent),
            ("ERROR: Cannot insert a NULL value into column id", Cause::Permanent),
        ] {
            assert_eq!(Cause::of(text), cause, "{text}");
        }
        assert!(Cause::Conflict.is_retryable() && !Cause::DivisionByZero.is_retryable());
    }
}
