//! Follow: skips a record that is too long to be kept.

use super::batch::Wrong;
use crate::diagnostic::Code;

/// Follows a record that is too long to be kept, byte by byte, to its end. It knows of a record only whether a quote is
/// open, which is all that its end depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follower {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    state: State,
    escaped: Escaped,
    /// How far it is.
    at: Way,
    /// How far it was where the last quoted field opens.
    open: Way,
}

/// A way through a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) bytes: u64,
    pub(super) line_ends: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    /// Behind a quote in a quoted field: it closes the field, or is the first of two.
    Quote,
}

/// What the bytes before have done to the one that comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escaped {
    Nothing,
    /// It is text.
    Byte,
    /// It is text if it is LF: it stands behind an escaped CR.
    LineFeed,
}

impl Follower {
    /// Of a format in which a line end always ends a record.
    pub(super) fn of_lines() -> Self {
        Self::of_fields(b'\n', None, None)
    }

    /// Of a format in which a line end does not end a record while a quote is open, or behind an escape; a quote opens a field
    /// as its first byte.
    pub(super) fn of_fields(delimiter: u8, quote: Option<u8>, escape: Option<u8>) -> Self {
        Self {
            delimiter,
            quote,
            escape,
            state: State::FieldStart,
            escaped: Escaped::Nothing,
            at: Way::default(),
            open: Way::default(),
        }
    }

    /// Goes on through `bytes`; the place after the record's line end, if it is among them.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, &byte) in bytes.iter().enumerate() {
            let is_quote = Some(byte) == self.quote;
            let escaped = std::mem::replace(&mut self.escaped, Escaped::Nothing);
            let is_text = escaped == Escaped::Byte || (escaped == Escaped::LineFeed && byte == b'\n');
            self.state = match self.state {
                state if is_text => {
                    if escaped == Escaped::Byte && byte == b'\r' {
                        self.escaped = Escaped::LineFeed;
                    }
                    state
                }
                // Behind a closing quote an escape is text too, as all the rest of the field.
                state if Some(byte) == self.escape => {
                    self.escaped = Escaped::Byte;
                    if state == State::Quoted { State::Quoted } else { State::Bare }
                }
                State::Quoted if is_quote => State::Quote,
                State::Quoted => State::Quoted,
                State::Quote if is_quote => State::Quoted,
                State::FieldStart if is_quote => {
                    self.open = self.at;
                    State::Quoted
                }
                _ if byte == b'\n' => return Some(at + 1),
                _ if byte == self.delimiter => State::FieldStart,
                _ => State::Bare,
            };
            self.at.bytes += 1;
            self.at.line_ends += u64::from(byte == b'\n');
        }
        None
    }

    /// The way to the quote that is open, if one is.
    pub(super) fn open(&self) -> Option<Way> {
        (self.state == State::Quoted).then_some(self.open)
    }
}

/// The reject of the rest of an object in which a quote is never closed.
pub(super) fn unclosed_rest() -> Wrong {
    (Code::Unclosed, "a quote is not closed before the object ends".to_owned())
}
