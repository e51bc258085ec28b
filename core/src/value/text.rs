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

/// Appends a text with its escapes as characters: behind the escape character four hexadecimal digits, `+` and six, or the
/// escape character itself; with `letters`, as the function `unistr` has them, also `u` and four or `U` and eight.
pub fn unicode_escapes(text: &str, escape: char, letters: bool, out: &mut String) -> Result<(), Fault> {
    let wrong = |fact: &'static str| Fault::new(Code::BadForm, fact);
    let mut first: Option<u32> = None;
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        rest = rest.get(char.len_utf8()..).unwrap_or_default();
        let (unit, length) = match rest.chars().next() {
            _ if char != escape => (None, 0),
            Some(next) if next == escape => (None, next.len_utf8()),
            Some('+') => (digits(rest, 1, 6), 7),
            Some('u') if letters => (digits(rest, 1, 4), 5),
            Some('U') if letters => (digits(rest, 1, 8), 9),
            _ => (digits(rest, 0, 4), 4),
        };
        rest = rest.get(length..).ok_or_else(|| wrong("invalid Unicode escape"))?;
        let found = match (unit, length) {
            (None, 0) => Some(char),
            (None, 1..4) => Some(escape),
            (None, _) => return Err(wrong("invalid Unicode escape")),
            (Some(low @ 0xdc00..=0xdfff), _) => match first.take() {
                Some(high) => char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)),
                None => return Err(wrong("invalid Unicode surrogate pair")),
            },
            (Some(high @ 0xd800..=0xdbff), _) if first.is_none() => {
                first = Some(high);
                continue;
            }
            (Some(code), _) => match char::from_u32(code).filter(|&char| char != '\0') {
                None => return Err(Fault::new(Code::BadArgument, format!("invalid Unicode code point: {code:04X}"))),
                found => found,
            },
        };
        match (found, first) {
            (Some(char), None) => out.push(char),
            _ => return Err(wrong("invalid Unicode surrogate pair")),
        }
    }
    match first {
        None => Ok(()),
        Some(_) => Err(wrong("invalid Unicode surrogate pair")),
    }
}

/// So many hexadecimal digits from a place on.
fn digits(text: &str, from: usize, count: usize) -> Option<u32> {
    let digits = text.get(from..from + count).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
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
