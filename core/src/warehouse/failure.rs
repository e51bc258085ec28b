//! Failure: a statement that has failed, and what that means for a load.
//!
//! A client recognises the cause of a failure by the warehouse's error number, or by the message if there is no number.
//! Redshift has no list of its errors; the list here was collected from its documentation and from reports of users.
//!
//! A failure counts as one of the environment, and the load is tried again, unless the message says that the data is wrong. A
//! missing permission or a warehouse that is too small fails every load alike: if it counted as wrong data, all units would be
//! held.

use std::fmt;

use crate::error::Error;
use crate::error::ErrorKind;

/// A statement that has failed. It prints as the warehouse's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub cause: Cause,
    /// The message of the warehouse, on one line.
    pub words: String,
}

/// What the failure of a statement means for a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It divided by zero, as a guard does; the step says which guard.
    DivisionByZero,
    /// A key would be in the table twice.
    DuplicateKey,
    /// It conflicts with another transaction; the same load may succeed later.
    Conflict,
    /// The environment did not answer, or not in time; the same load may succeed later.
    Unavailable,
    /// A table or a schema does not exist.
    Missing,
    /// What is to be created exists already.
    AlreadyThere,
    /// A permission is missing.
    Denied,
    /// COPY refused the rows; [`load_errors`](super::dialect::redshift::copy::load_errors) says which.
    LoadError,
    /// The warehouse cannot hold a value of the data.
    Unfit,
    /// It will fail again, and not because of the data.
    Permanent,
}

/// Words of error messages, in lower case, and what they mean. The first row counts whose words are all in the message; if
/// there is none, the cause is [`Cause::Permanent`].
const WORDS: &[(&[&str], Cause)] = &[
    (&["divide by zero"], Cause::DivisionByZero),
    (&["division by zero"], Cause::DivisionByZero),
    // The data's. These are whole phrases, since what follows them may name columns and files after anything.
    (&["stl_load_errors"], Cause::LoadError),
    (&["sys_load_error_detail"], Cause::LoadError),
    (&["cannot insert a null value into column"], Cause::Unfit),
    (&["violates not-null constraint"], Cause::Unfit),
    (&["missing data for not-null field"], Cause::Unfit),
    (&["numeric data overflow"], Cause::Unfit),
    (&["numeric field overflow"], Cause::Unfit),
    (&["out of range"], Cause::Unfit),
    (&["overflow", "integer"], Cause::Unfit),
    (&["value too long for"], Cause::Unfit),
    (&["string length exceeds ddl length"], Cause::Unfit),
    (&["multibyte character not supported for char"], Cause::Unfit),
    (&["invalid input syntax"], Cause::Unfit),
    (&["invalid digit"], Cause::Unfit),
    (&["invalid byte sequence"], Cause::Unfit),
    (&["json parsing error"], Cause::Unfit),
    (&["invalid json"], Cause::Unfit),
    (&["found multiple matches to update the same tuple"], Cause::Unfit),
    (&["incompatible parquet schema"], Cause::LoadError),
    (&["invalid type length"], Cause::LoadError),
    // A staged file is gone, or is another than the manifest says: no later attempt finds it.
    (&["status 404", "nosuchkey"], Cause::LoadError),
    (&["content_length of the manifest"], Cause::LoadError),
    // Other transactions.
    (&["serializable isolation violation"], Cause::Conflict),
    (&["conflict with concurrent transaction"], Cause::Conflict),
    (&["could not serialize access"], Cause::Conflict),
    (&["deadlock detected"], Cause::Conflict),
    (&["could not obtain lock"], Cause::Conflict),
    (&["canceling statement due to lock timeout"], Cause::Conflict),
    (&["tuple concurrently updated"], Cause::Conflict),
    // Two sessions that create the same table at once.
    (&["pg_type_typname_nsp_index"], Cause::Conflict),
    (&["pg_class_relname_nsp_index"], Cause::Conflict),
    (&["duplicate key value"], Cause::DuplicateKey),
    (&["could not create unique index"], Cause::DuplicateKey),
    // Rights. A refusal of S3 stands in the same sentence as its word for a slow answer.
    (&["access denied"], Cause::Denied),
    (&["accessdenied"], Cause::Denied),
    (&["not authorized to"], Cause::Denied),
    (&["permission denied"], Cause::Denied),
    (&["must be owner of"], Cause::Denied),
    (&["status 403"], Cause::Denied),
    (&["http response error code: 403"], Cause::Denied),
    // A warehouse, or a service that it asks, which has no room or no time.
    (&["slowdown"], Cause::Unavailable),
    (&["slow down"], Cause::Unavailable),
    (&["status 503"], Cause::Unavailable),
    (&["status 500"], Cause::Unavailable),
    (&["http response error code: 5"], Cause::Unavailable),
    (&["serviceunavailable"], Cause::Unavailable),
    (&["throttling"], Cause::Unavailable),
    (&["activestatementsexceeded"], Cause::Unavailable),
    (&["activesessionsexceeded"], Cause::Unavailable),
    (&["disk full"], Cause::Unavailable),
    (&["cancelled on user's request"], Cause::Unavailable),
    (&["cancelled by wlm"], Cause::Unavailable),
    (&["statement timeout"], Cause::Unavailable),
    (&["query reached usage limit"], Cause::Unavailable),
    (&["read-only transaction"], Cause::Unavailable),
    (&["timed out"], Cause::Unavailable),
    (&["timeout"], Cause::Unavailable),
    (&["connection refused"], Cause::Unavailable),
    (&["connection reset"], Cause::Unavailable),
    (&["connection closed"], Cause::Unavailable),
    (&["terminating connection"], Cause::Unavailable),
    (&["too many connections"], Cause::Unavailable),
    (&["the database system is"], Cause::Unavailable),
    // Both codes stand for a file that does not fit a column, and for one that could not be read.
    (&["spectrum scan error", "15001", "column"], Cause::LoadError),
    (&["spectrum scan error", "15007", "column"], Cause::LoadError),
    (&["does not exist"], Cause::Missing),
    (&["already exists"], Cause::AlreadyThere),
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
    /// What an error message of Redshift or PostgreSQL means.
    pub fn of(text: &str) -> Self {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let known = WORDS.iter().find(|(words, _)| words.iter().all(|word| text.contains(word)));
        // The number of a violation of serializability stands alone in Redshift's shorter texts.
        let first = text
            .split(|letter: char| !letter.is_ascii_alphanumeric())
            .find(|word| !word.is_empty() && *word != "error");
        match known {
            Some(&(_, cause)) => cause,
            None if first == Some("1023") => Self::Conflict,
            None => Self::Permanent,
        }
    }

    /// Whether the data may be wrong, so that the same rows always fail. Everything else is a failure of the environment.
    pub fn is_of_data(self) -> bool {
        match self {
            // A guard, which has looked at what the load brings.
            Self::DivisionByZero | Self::DuplicateKey | Self::LoadError | Self::Unfit => true,
            Self::Conflict
            | Self::Unavailable
            | Self::Missing
            | Self::AlreadyThere
            | Self::Denied
            | Self::Permanent => false,
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
            | Self::Unfit
            | Self::Permanent => ErrorKind::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Messages of Redshift about wrong data.
    const OF_DATA: &[(&str, Cause)] = &[
        ("ERROR: Divide by zero", Cause::DivisionByZero),
        ("ERROR:  division by zero", Cause::DivisionByZero),
        ("ERROR: Load into table 'stage' failed. Check 'stl_load_errors' for details.", Cause::LoadError),
        ("ERROR: Load into table 'timeout' failed. Check 'sys_load_error_detail' for details.", Cause::LoadError),
        ("Spectrum Scan Error. code: 15007 context: File has an incompatible Parquet schema", Cause::LoadError),
        (
            "ERROR: Spectrum Scan Error DETAIL: error: Spectrum Scan Error code: 15001 context: Error while reading file: \
             column 'num' has an invalid type length. Expecting: 8 len in file: 13",
            Cause::LoadError,
        ),
        ("Spectrum Scan Error code: 15001 context: column 'num' cannot be read", Cause::LoadError),
        ("ERROR:  duplicate key value violates unique constraint \"k\"", Cause::DuplicateKey),
        ("ERROR: Numeric data overflow (result precision)", Cause::Unfit),
        ("ERROR: Cannot insert a NULL value into column timeout", Cause::Unfit),
        ("ERROR: Integer out of range", Cause::Unfit),
        ("ERROR: value too long for type character varying(4)", Cause::Unfit),
        ("ERROR: JSON parsing error, object not terminated", Cause::Unfit),
        ("S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey", Cause::LoadError),
    ];

    /// Messages of Redshift about failures of the environment.
    const OF_THE_WORLD: &[(&str, Cause)] = &[
        ("ERROR: 1023 Detail: Serializable isolation violation on table - 104, transactions", Cause::Conflict),
        ("ERROR: 1023", Cause::Conflict),
        ("ERROR: could not complete because of conflict with concurrent transaction", Cause::Conflict),
        ("ERROR:  deadlock detected", Cause::Conflict),
        ("ERROR: 10231 of something else", Cause::Permanent),
        ("S3ServiceException:Access Denied,Status 403,Error AccessDenied,Rid X,ExtRid Y,CanRetry 1", Cause::Denied),
        (
            "ERROR: User arn:aws:redshift:eu-central-1:1:dbuser:c/u is not authorized to assume IAM Role \
             arn:aws:iam::1:role/copy",
            Cause::Denied,
        ),
        ("ERROR: permission denied for relation orders", Cause::Denied),
        ("ERROR: permission denied for schema analytics", Cause::Denied),
        ("ERROR: must be owner of relation orders", Cause::Denied),
        (
            "ERROR: Spectrum Scan Error DETAIL: error: Spectrum Scan Error code: 15001 context: Error while reading the \
             column chunk of file: HTTP response error code: 503 Message: SlowDown",
            Cause::Unavailable,
        ),
        ("ERROR: S3 Query Exception (Fetch) DETAIL: Task failed due to an internal error. Status 403", Cause::Denied),
        ("S3ServiceException:Please reduce your request rate.,Status 503,Error SlowDown", Cause::Unavailable),
        ("ERROR: Query (4711) cancelled on user's request", Cause::Unavailable),
        ("ERROR: Query cancelled by WLM abort action of Query Monitoring Rule \"long\".", Cause::Unavailable),
        ("ERROR: Query reached usage limit", Cause::Unavailable),
        ("ERROR: cannot execute INSERT in a read-only transaction", Cause::Unavailable),
        ("ERROR: 1018 DETAIL: Relation does not exist", Cause::Missing),
        ("ERROR: relation \"analytics.orders\" does not exist", Cause::Missing),
        ("ERROR: Disk Full", Cause::Unavailable),
        (
            "ERROR: The S3 bucket addressed by the query is in a different region: use the specified endpoint",
            Cause::Permanent,
        ),
        ("ERROR: Assert code: 1000 context: nobody knows", Cause::Permanent),
    ];

    #[test]
    fn texts_of_warehouses_are_known() {
        for (texts, is_of_data) in [(OF_DATA, true), (OF_THE_WORLD, false)] {
            for &(text, cause) in texts {
                assert_eq!(Cause::of(text), cause, "{text}");
                assert_eq!(cause.is_of_data(), is_of_data, "{text}");
            }
        }
        assert!(Cause::Conflict.is_retryable() && !Cause::DivisionByZero.is_retryable());
    }

    proptest! {
        #[test]
        fn a_text_that_nobody_knows_is_the_worlds(text in "[a-z0-9 .,:'()_-]{0,200}") {
            let is_known = WORDS.iter().any(|(words, cause)| {
                cause.is_of_data() && words.iter().all(|word| text.contains(word))
            });
            prop_assert_eq!(Cause::of(&text).is_of_data(), is_known);
        }

        #[test]
        fn letter_case_line_ends_and_what_stands_around_do_not_matter(
            at in 0..OF_DATA.len() + OF_THE_WORLD.len(),
            is_upper in any::<bool>(),
            breaks in any::<bool>(),
            // Nothing that is a word of the table, or a number.
            after in "( [qxz]{1,9}){0,9}",
        ) {
            let (text, cause) = *OF_DATA.iter().chain(OF_THE_WORLD).nth(at).unwrap();
            let text = if is_upper { text.to_uppercase() } else { text.to_lowercase() };
            let text = if breaks { text.replace(' ', "\n  ") } else { text };
            prop_assert_eq!(Cause::of(&format!("{text}{after}")), cause);
        }
    }
}
