//! Failure: what an error of SQLite asks of the caller.

use etalon_core::error::{Error, ErrorKind};
use rusqlite::ErrorCode;

/// What the world's error means to the caller.
pub(crate) fn world(place: &str, error: &rusqlite::Error) -> Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    };
    Error::new(kind, format!("{place}: {error}"))
}
