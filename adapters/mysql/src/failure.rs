//! Failure: what an error of the server, or of the way to it, means to whoever reads.

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;

use crate::client::Address;
use crate::client::Client;
use crate::client::Trouble;

/// A connection to a server.
pub(crate) fn opened(address: &Address) -> Result<Client, Error> {
    Client::open(address).map_err(|trouble| match trouble {
        Trouble::Io(error) => {
            let fact = format!("{address}: no MySQL answers at {}: {error}", address.server());
            Error::new(ErrorKind::Unavailable, fact)
        }
        other => world(address, other),
    })
}

/// What trouble means to the caller, with its place.
pub(crate) fn world(address: &Address, trouble: Trouble) -> Error {
    match trouble {
        Trouble::Io(error) => Error::new(ErrorKind::Unavailable, format!("{address}: {error}")),
        Trouble::Refused(fact) => Error::new(ErrorKind::Refused, format!("{address}: {fact}")),
        Trouble::Server(error) => {
            let kind = if may_pass(error.code) { ErrorKind::Unavailable } else { ErrorKind::Refused };
            let help = help(error.code, address.password.is_some());
            Error::new(kind, format!("{address}: {error}{help}"))
        }
    }
}

/// Whether the same may succeed later: too many connections, a server that stops, a lock that is not to be had, a deadlock, a
/// statement or a connection that somebody has ended.
fn may_pass(code: u16) -> bool {
    matches!(code, 1040 | 1053 | 1077..=1079 | 1158..=1161 | 1203 | 1205 | 1213 | 1226 | 1317 | 1927 | 3168 | 4031)
}

/// What may help.
fn help(code: u16, has_password: bool) -> &'static str {
    match code {
        1045 | 1698 if !has_password => "; give a password in the variable MYSQL_PWD",
        1044 | 1142 | 1143 => "; `grant select` on what is read to this user",
        1227 => {
            "; `grant process on *.* to` this user, or say `open_transactions: ignore` and a `lag` that is longer than any transaction"
        }
        1969 | 3024 => "; it ran for an hour: is there an index over the cursor?",
        3159 => "; say ssl-mode=required, or verify_identity",
        _ => "",
    }
}
