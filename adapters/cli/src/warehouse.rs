//! Warehouse: where rows go, by a path or a URL. The one place that knows which warehouses the command reaches.

use std::path::Path;

use etalon_core::error::{Error, ErrorKind};
use etalon_driver::connection::Connection;
use etalon_postgres::Postgres;
use etalon_sqlite::Sqlite;

/// Any warehouse.
pub(crate) type AnyConnection = Box<dyn Connection>;

/// A kind of warehouse that is named by a URL.
struct Kind {
    /// What stands before `://`.
    schemes: &'static [&'static str],
    open: fn(&str) -> Result<AnyConnection, Error>,
}

const KINDS: [Kind; 1] =
    [Kind { schemes: &["postgres", "postgresql"], open: |url| Ok(Box::new(Postgres::open(url)?)) }];

/// The scheme of a URL; `None` for the path of a file.
fn scheme(place: &str) -> Option<&str> {
    let (scheme, _) = place.split_once("://")?;
    let is_scheme = |letter: char| letter.is_ascii_alphanumeric() || "+-.".contains(letter);
    (scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.chars().all(is_scheme)).then_some(scheme)
}

/// Whether a text is a URL, and not the path of a file.
pub(crate) fn is_url(place: &str) -> bool {
    scheme(place).is_some()
}

/// Opens the warehouse of a URL, or of a path, which is created if it is not there.
pub(crate) fn open(place: &str) -> Result<AnyConnection, Error> {
    let Some(scheme) = scheme(place) else {
        // Two slashes were left out, or a variable is empty.
        let is_meant = |word: &&str| place.strip_prefix(*word).is_some_and(|rest| rest.starts_with(':'));
        if let Some(word) = KINDS.iter().flat_map(|kind| kind.schemes).copied().find(is_meant) {
            let message =
                format!("`{word}:` is no warehouse: give `{word}://user@host/database`, or the path of a file");
            return Err(Error::new(ErrorKind::Refused, message));
        }
        return open_file(Path::new(place));
    };
    match KINDS.iter().find(|kind| kind.schemes.contains(&scheme)) {
        Some(kind) => (kind.open)(place),
        None => {
            let reached = "a SQLite file, by its path, or PostgreSQL, by postgres://user@host/database";
            let more = match scheme {
                "redshift" => "; Redshift is loaded by the deployed functions",
                _ => "",
            };
            // The rest of the URL may hold a password.
            let message = format!("`{scheme}://` is no warehouse that this command reaches: give {reached}{more}");
            Err(Error::new(ErrorKind::Refused, message))
        }
    }
}

/// Opens the warehouse of a URL, or of a path where there is one.
pub(crate) fn open_there(place: &str) -> Result<AnyConnection, Error> {
    if !is_url(place) && !Path::new(place).is_file() {
        let message = format!("{place}: there is no warehouse; `etalon run` creates it");
        return Err(Error::new(ErrorKind::NotFound, message));
    }
    open(place)
}

/// Opens a SQLite file, or creates it.
pub(crate) fn open_file(path: &Path) -> Result<AnyConnection, Error> {
    Ok(Box::new(Sqlite::open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_warehouse_is_refused_by_its_name_and_without_its_password() {
        for url in ["redshift://u:secret@h/d", "mysql://u:secret@h/d", "duckdb://secret"] {
            let message = open(url).unwrap_err().to_string();
            let scheme = url.split(':').next().unwrap();
            assert!(
                message.starts_with(&format!("`{scheme}://` is no warehouse that this command reaches")),
                "{message}"
            );
            assert!(message.contains("postgres://user@host/database") && !message.contains("secret"), "{message}");
        }
        for place in ["", " ", ":memory:", "postgres:", "postgresql:/h/d"] {
            assert_eq!(open(place).unwrap_err().kind(), ErrorKind::Refused, "{place}");
        }
        assert!(!is_url("warehouse.db") && !is_url("a b://c") && is_url("postgres://h"));
    }
}
