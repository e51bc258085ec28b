//! Text that must fit a number of bytes, text for messages, and base 64.

use std::fmt::Write as _;

use crate::column::Fault;
use crate::diagnostic::Code;

/// Most characters of a value that a message shows.
const QUOTE_CHARS_MAX: usize = 60;

/// The text cut to at most `bytes` bytes at the end of a character, as an explicit cast to `varchar(n)` does.
pub fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The text itself if it fits `bytes` bytes; a fault that says whether only blanks are too many if it does not.
pub fn fit(text: &str, bytes: usize) -> Result<&str, Fault> {
    if text.len() <= bytes { Ok(text) } else { Err(too_long(text, bytes)) }
}

#[cold]
fn too_long(text: &str, bytes: usize) -> Fault {
    let (code, what) = match text.trim_end_matches(' ').len() <= bytes {
        true => (Code::ExcessBlanks, " with its trailing blanks"),
        false => (Code::TooLong, ""),
    };
    let message = format!("{} has {} bytes{what}, {bytes} at most are allowed", quote(text.as_bytes()), text.len());
    Fault::new(code, message)
}

/// A value quoted for a message: control characters escaped, cut to some sixty characters.
pub fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    let mut room = QUOTE_CHARS_MAX;
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if room == 0 {
                quoted.push_str("…\"");
                return quoted;
            }
            room -= 1;
            match character {
                // Only what would break the line or the quotes is escaped; an apostrophe is not.
                '\'' => quoted.push(character),
                _ => quoted.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            if room == 0 {
                quoted.push_str("…\"");
                return quoted;
            }
            room -= 1;
            // Writing to a String cannot fail.
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    quoted
}

/// Bytes in base 64 (RFC 4648, section 4), with padding.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | usize::from(group.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            // A group of n bytes has n + 1 digits; the rest is padding.
            let digit = ALPHABET[(bits >> (18 - 6 * i)) & 63];
            encoded.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    encoded
}
