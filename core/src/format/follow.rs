//! Follow: the way through a record that is too long to be kept.

use super::batch::Wrong;
use crate::diagnostic::Code;

/// Follows a record that is too long to be kept, byte by byte, to its end. It knows of a record only whether a quote is
/// open, which is all that its end depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follower {
    delimiter: u8,
    quote: Option<u8>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    /// Behind a quote in a quoted field: it closes the field, or is the first of two.
    Quote,
}

impl Follower {
    /// Of a format in which a line end always ends a record.
    pub(super) fn of_lines() -> Self {
        Self { delimiter: b'\n', quote: None, state: State::FieldStart }
    }

    /// Of a format in which a line end does not end a record while a quote is open; a quote opens a field as its first byte.
    pub(super) fn of_fields(delimiter: u8, quote: u8) -> Self {
        Self { delimiter, quote: Some(quote), state: State::FieldStart }
    }

    /// Goes on through `bytes`; the place after the record's line end, if it is among them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            let is_quote = Some(byte) == self.quote;
            self.state = match self.state {
                State::Quoted if is_quote => State::Quote,
                State::Quoted => State::Quoted,
                State::Quote | State::FieldStart if is_quote => State::Quoted,
                _ if byte == b'\n' => return Some(at + 1),
                _ if byte == self.delimiter => State::FieldStart,
                _ => State::Bare,
            };
        }
        None
    }

    /// Whether a quote is open.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }
}

/// The reject of the rest of an object in which a quote is never closed.
pub(super) fn unclosed_rest() -> Wrong {
    (Code::Unclosed, "a quote is not closed before the object ends".to_owned())
}
