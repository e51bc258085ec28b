//! Failure: what an error of SQLite means for a load, and when a file is opened.

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::warehouse::Cause;
use etalon_core::warehouse::Failure;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// What the failure of a statement means to a load.
pub(crate) fn failure(error: &rusqlite::Error) -> Failure {
    let words = match error {
        // Without the statement, which core has written.
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let extended = error.sqlite_error().map(|error| error.extended_code);
    let cause = match (error.sqlite_error_code(), extended) {
        (Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked), _) => Cause::Unavailable,
        (_, Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY)) => Cause::DuplicateKey,
        (
            _,
            Some(
                ffi::SQLITE_CONSTRAINT_NOTNULL
                | ffi::SQLITE_CONSTRAINT_CHECK
                | ffi::SQLITE_CONSTRAINT_FOREIGNKEY
                | ffi::SQLITE_CONSTRAINT_TRIGGER
                | ffi::SQLITE_TOOBIG,
            ),
        ) => Cause::Unfit,
        _ if words.starts_with("no such table") => Cause::Missing,
        _ => Cause::Permanent,
    };
    Failure { cause, words }
}

/// What the world's error means to the caller.
pub(crate) fn world(place: &str, error: &rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => Error::new(kind, format!("{place}: the file is not a SQLite database")),
        _ => Error::new(kind, format!("{place}: {error}")),
    }
}
