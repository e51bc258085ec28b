//! Failure: what an error of the server, or of the connection to it, means for a load.

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::warehouse::Cause;
use etalon_core::warehouse::Failure;

use crate::client::Address;
use crate::client::Client;
use crate::client::ServerError;
use crate::client::Trouble;

/// A connection to a server.
pub(crate) fn opened(address: &Address) -> Result<Client, Error> {
    Client::open(address).map_err(|trouble| match trouble {
        Trouble::Io(error) => {
            let fact = format!("{address}: no PostgreSQL answers at {}: {error}", address.server());
            Error::new(ErrorKind::Unavailable, fact)
        }
        other => world(address, other),
    })
}

/// What trouble with a statement means to a load.
pub(crate) fn failure(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Server(error) => {
            let (cause, state) = (cause(&error), error.state.clone());
            Failure { cause, words: format!("{} ({state})", without_values(*error, cause)) }
        }
        Trouble::Io(error) => Failure { cause: Cause::Unavailable, words: error.to_string() },
        Trouble::Refused(words) => Failure { cause: Cause::Permanent, words },
    }
}

/// An error without what may show values of rows, which may be sensitive: the server quotes a row that breaks a constraint.
fn without_values(error: ServerError, cause: Cause) -> ServerError {
    match cause {
        Cause::Unfit | Cause::DuplicateKey | Cause::DivisionByZero => {
            ServerError { detail: None, context: None, ..error }
        }
        _ => error,
    }
}

/// An answer that no PostgreSQL gives.
pub(crate) fn strange(fact: &str) -> Failure {
    Failure { cause: Cause::Permanent, words: format!("the server's answer is not understood: {fact}") }
}

/// What an error of the server means to a load, by its SQLSTATE.
pub(crate) fn cause(error: &ServerError) -> Cause {
    match error.state.as_str() {
        "22012" => Cause::DivisionByZero,
        "23505" => Cause::DuplicateKey,
        "42P01" | "3F000" => Cause::Missing,
        "42P06" | "42P07" | "42710" => Cause::AlreadyThere,
        "42501" => Cause::Denied,
        // Binary rows that are not what the column is: no value of the data's.
        "22P03" | "22P04" => Cause::Permanent,
        // Deadlock, serialization, a lock that is not to be had.
        "40001" | "40P01" | "55P03" => Cause::Conflict,
        // Connections, resources, and a server that starts or stops.
        state if ["08", "53", "57P", "58"].iter().any(|class| state.starts_with(class)) => Cause::Unavailable,
        // A value that does not fit; a constraint, also of a view.
        state if ["22", "23", "44"].iter().any(|class| state.starts_with(class)) => Cause::Unfit,
        _ => Cause::Permanent,
    }
}

/// What trouble means to the caller, with its place.
pub(crate) fn world(address: &Address, trouble: Trouble) -> Error {
    let failure = failure(trouble);
    Error::new(failure.cause.error_kind(), format!("{address}: {failure}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_breaks_a_constraint_is_not_quoted() {
        let error = |state: &str| ServerError {
            state: state.to_owned(),
            message: "a constraint is broken".to_owned(),
            detail: Some("Key (pin)=(1234) already exists.".to_owned()),
            hint: Some("look".to_owned()),
            context: Some("COPY t, line 1, column pin: \"1234\"".to_owned()),
        };
        for state in ["23505", "23514", "22003", "22012", "44000"] {
            let failure = failure(Trouble::Server(Box::new(error(state))));
            assert_eq!(failure.words, format!("a constraint is broken; look ({state})"));
        }
        let failure = failure(Trouble::Server(Box::new(error("42501"))));
        assert!(failure.words.contains("already exists"));
    }
}
