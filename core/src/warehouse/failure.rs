//! Failure: what the text of a warehouse's error means to a load.

/// What a failure asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A guard divided by zero; which one, the step tells.
    Guard,
    /// Another transaction was in the way; the same load may succeed later.
    Conflict,
    /// The world did not answer, or not in time; the same load may succeed later.
    Unavailable,
    /// COPY refused the rows; the warehouse's load errors say which.
    LoadError,
    /// It will fail again.
    Permanent,
}

/// What an error text of Redshift or PostgreSQL means.
pub fn failure(text: &str) -> Failure {
    let _ = text;
    todo!()
}
