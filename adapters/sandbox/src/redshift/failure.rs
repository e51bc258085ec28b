//! Failure: why a statement gives nothing, in Redshift's words as far as they are known.

use etalon_postgres::client::ServerError;
use etalon_postgres::client::Trouble;

use super::translate;

/// What the server says of a statement that was interrupted.
const INTERRUPTED: &str = "57014";

/// Why a statement gives nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Cancelled,
    /// With the words that DescribeStatement repeats.
    Error(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Server(error) if error.state == INTERRUPTED => Self::Cancelled,
            Trouble::Server(error) => Self::Error(words(&error)),
            Trouble::Io(error) => Self::Error(format!("FATAL: the sandbox's PostgreSQL is gone: {error}")),
            Trouble::Refused(fact) => Self::Error(format!("FATAL: {fact}")),
        }
    }
}

/// The words of Redshift for an error of PostgreSQL, as far as they are known to differ. Details may hold values of rows,
/// and are left out.
fn words(error: &ServerError) -> String {
    let message = &error.message;
    let quoted = message.split('"').nth(1).unwrap_or_default();
    let message = match error.state.as_str() {
        "21000" if message.starts_with("MERGE") => "Found multiple matches to update the same tuple.".to_owned(),
        "23502" => format!("Cannot insert a NULL value into column {quoted}"),
        "23514" => {
            let name = message.split('"').nth(3).unwrap_or_default();
            translate::broken_limit(name).unwrap_or_else(|| message.clone())
        }
        "40001" => "could not complete because of conflict with concurrent transaction".to_owned(),
        _ => message.clone(),
    };
    format!("ERROR: {message}")
}
