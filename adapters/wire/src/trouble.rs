//! Trouble: the errors of a connection to a server.

use std::io;

/// What went wrong on the way to a server.
#[derive(Debug)]
pub enum Trouble {
    /// The server is not reached, or is gone.
    Io(io::Error),
    /// What is asked for cannot be.
    Refused(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
