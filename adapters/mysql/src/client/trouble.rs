//! Trouble: what can go wrong between a client and its server.

use std::fmt;
use std::io;

use mysql_common::proto::codec::error::PacketCodecError;

/// What went wrong.
#[derive(Debug)]
pub enum Trouble {
    /// The server is not reached, or is gone.
    Io(io::Error),
    /// The server says no.
    Server(ServerError),
    /// What is asked for cannot be.
    Refused(String),
}

/// An error of the server, in its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The number by which the server knows it.
    pub code: u16,
    /// What is wrong.
    pub message: String,
}

impl ServerError {
    /// Reads the packet of an error: 0xFF, the number, `#` and five characters of the SQL standard where the client has said who
    /// asks, and the words.
    pub(super) fn read(packet: &[u8]) -> Self {
        let code = packet.get(1..3).and_then(|code| code.try_into().ok()).map(u16::from_le_bytes).unwrap_or_default();
        let words = packet.get(3..).unwrap_or_default();
        let words = if words.first() == Some(&b'#') { words.get(6..).unwrap_or_default() } else { words };
        Self { code, message: String::from_utf8_lossy(words).into_owned() }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message.replace('\n', ", "), self.code)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<PacketCodecError> for Trouble {
    fn from(error: PacketCodecError) -> Self {
        let fact = match error {
            PacketCodecError::Io(error) => return Self::Io(error),
            PacketCodecError::PacketTooLarge => {
                "the server begins a packet that is larger than a row may be; if no row is that large, what comes is garbled on the way"
            }
            PacketCodecError::PacketsOutOfSync | PacketCodecError::BadCompressedPacketHeader => {
                "what comes is not in the order of the protocol; is it a MySQL that listens there?"
            }
        };
        Self::Io(io::Error::new(io::ErrorKind::InvalidData, fact))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_with_and_without_its_state() {
        let read = |packet: &[u8]| ServerError::read(packet).to_string();
        assert_eq!(read(b"\xff\x7a\x04#42S02Table 'a.b' doesn't exist"), "Table 'a.b' doesn't exist (1146)");
        assert_eq!(read(b"\xff\x6a\x04Host 'h' is not allowed"), "Host 'h' is not allowed (1130)");
        assert_eq!(read(b"\xff"), " (0)");
    }
}
