//! Trouble: what can go wrong between a client and its server.

use std::fmt;
use std::io;

use fallible_iterator::FallibleIterator;
use postgres_protocol::message::backend::ErrorFields;

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// The server is not reached, or is gone.
    Io(io::Error),
    /// The server says no.
    Server(Box<ServerError>),
    /// What is asked for cannot be.
    Refused(String),
}

/// An error of the server, in its words.
#[derive(Debug, Default)]
pub struct ServerError {
    /// Five characters of the SQL standard.
    pub state: String,
    /// What is wrong.
    pub message: String,
    /// More of it.
    pub detail: Option<String>,
    /// What may help.
    pub hint: Option<String>,
    /// In which statement, line and column it happened.
    pub context: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for more in [&self.detail, &self.context, &self.hint].into_iter().flatten() {
            write!(f, "; {}", more.replace('\n', ", ").trim_end_matches('.'))?;
        }
        Ok(())
    }
}

impl From<etalon_wire::Trouble> for Trouble {
    fn from(trouble: etalon_wire::Trouble) -> Self {
        match trouble {
            etalon_wire::Trouble::Io(error) => Self::Io(error),
            etalon_wire::Trouble::Refused(fact) => Self::Refused(fact),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads the fields of an error.
pub(super) fn server_error(mut fields: ErrorFields<'_>) -> io::Result<ServerError> {
    let mut error = ServerError::default();
    while let Some(field) = fields.next()? {
        let text = String::from_utf8_lossy(field.value_bytes()).into_owned();
        match field.type_() {
            b'C' => error.state = text,
            b'M' => error.message = text,
            b'D' => error.detail = Some(text),
            b'H' => error.hint = Some(text),
            b'W' => error.context = Some(text),
            _ => {}
        }
    }
    Ok(error)
}
