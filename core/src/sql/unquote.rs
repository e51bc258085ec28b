//! Unquote: what a quoted token means.
//!
//! The escapes, from section 4.1.2 of PostgreSQL 15's manual:
//!
//! ```text
//! '…' "…"     '' and "" stand for the quote
//! E'…'        \b \f \n \r \t      a control character
//!             \o \oo \ooo         a byte, in octal
//!             \xh \xhh            a byte, in hexadecimal
//!             \uhhhh \Uhhhhhhhh   a character, or half of a surrogate pair
//!             \ and another       that other
//! U&'…' U&"…" \hhhh \+hhhhhh      a character, or half of a surrogate pair; UESCAPE names another letter than \
//!             \\                  a backslash
//! $tag$…$tag$ nothing
//! ```
//!
//! The resulting bytes must be UTF-8 without a zero.

use std::fmt;

use super::scan::Kind;
use super::scan::Quotes;
use super::scan::Token;
use super::scan::continuation_bytes;
use super::scan::segment_bytes;

/// What is wrong inside of quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// A name of no letters.
    EmptyName,
    /// Fewer hexadecimal digits behind an escape than it wants.
    EscapeDigits,
    /// Half of a surrogate pair without the other half.
    HalfPair,
    /// A number that no character has.
    NoCharacter(u32),
    /// Bytes that are not UTF-8, or a zero.
    NotUtf8,
    /// An escape character that may be none.
    EscapeCharacter,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => f.write_str("a name has one letter at least"),
            Self::EscapeDigits => f.write_str("invalid Unicode escape"),
            Self::HalfPair => f.write_str("invalid Unicode surrogate pair"),
            Self::NoCharacter(code) => write!(f, "invalid Unicode code point: {code:04X}"),
            Self::NotUtf8 => f.write_str("its escapes give bytes that are not UTF-8"),
            Self::EscapeCharacter => {
                f.write_str("the escape character is one that is no hexadecimal digit, quote, plus or blank")
            }
        }
    }
}

/// What a text or a name between quotes says. A name is as written, whatever its letter case.
///
/// `escape` is the letter that `UESCAPE` names behind `U&'…'`, otherwise the backslash; see `escape_letter`.
pub fn unquote(token: &Token<'_>, escape: char) -> Result<String, Problem> {
    let (Kind::Text(quotes) | Kind::Name(quotes)) = token.kind else { return Ok(token.text.to_owned()) };
    let text = match quotes {
        Quotes::Plain => inside(token.text, 0, false),
        Quotes::National => inside(token.text, 1, false),
        Quotes::Escapes => {
            let mut text = String::new();
            for part in segments(token.text, 1, true) {
                escapes(&part, &mut text)?;
            }
            text
        }
        Quotes::Unicode => {
            let mut text = String::new();
            unicode_escapes(&inside(token.text, 2, false), escape, false, &mut text)?;
            text
        }
        Quotes::Dollars => {
            let delimiter = token.text.get(1..).and_then(|rest| rest.find('$')).map_or(0, |at| at + 2);
            token.text.get(delimiter..token.text.len().saturating_sub(delimiter)).unwrap_or_default().to_owned()
        }
    };
    match token.kind {
        Kind::Name(_) if text.is_empty() => Err(Problem::EmptyName),
        _ => Ok(text),
    }
}

/// The letter that a text behind `UESCAPE` names.
pub(crate) fn escape_letter(text: &str) -> Result<char, Problem> {
    let mut letters = text.chars();
    let may_escape = |letter: &char| !letter.is_ascii_hexdigit() && !" \t\n\r\x0c+'\"".contains(*letter);
    let letter = letters.next().filter(may_escape).filter(|_| letters.next().is_none());
    letter.ok_or(Problem::EscapeCharacter)
}

/// What stands between the quotes, from its first part to its last, doubled quotes as one.
fn inside(text: &str, prefix: usize, escapes: bool) -> String {
    segments(text, prefix, escapes).concat()
}

/// What stands between the quotes of each part, doubled quotes as one.
fn segments(text: &str, prefix: usize, escapes: bool) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.get(prefix..).unwrap_or_default();
    let close = match rest.chars().next() {
        Some('[') => "]",
        Some('`') => "`",
        Some('"') => "\"",
        _ => "'",
    };
    if close == "]" || close == "`" {
        return vec![text.get(1..text.len().saturating_sub(1)).unwrap_or_default().to_owned()];
    }
    while let Some(length) = segment_bytes(rest, escapes) {
        let part = rest.get(1..length - 1).unwrap_or_default();
        // Behind a backslash, too, a doubled quote cannot stand: there the first belongs to the backslash.
        parts.push(if escapes { part.to_owned() } else { part.replace(&close.repeat(2), close) });
        rest = rest.get(length..).unwrap_or_default();
        rest = rest.get(continuation_bytes(rest).unwrap_or(rest.len())..).unwrap_or_default();
    }
    parts
}

/// Appends what a part of `E'…'` says.
fn escapes(part: &str, out: &mut String) -> Result<(), Problem> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut high: Option<u32> = None;
    let mut rest = part;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let escaped = if letter == '\\' { rest.chars().next() } else { None };
        let number = |from: usize, least: usize, most: usize, radix: u32| {
            let digits = rest.chars().skip(from).take(most).take_while(|digit| digit.is_digit(radix)).count();
            let value = rest.get(from..from + digits).and_then(|digits| u32::from_str_radix(digits, radix).ok());
            value.filter(|_| digits >= least).map(|value| (value, from + digits))
        };
        let (found, length) = match escaped {
            // A quote stands here twice.
            None if letter == '\'' => (Piece::Char('\''), 1),
            None => (Piece::Char(letter), 0),
            Some('b') => (Piece::Char('\x08'), 1),
            Some('f') => (Piece::Char('\x0c'), 1),
            Some('n') => (Piece::Char('\n'), 1),
            Some('r') => (Piece::Char('\r'), 1),
            Some('t') => (Piece::Char('\t'), 1),
            Some('0'..='7') => {
                number(0, 1, 3, 8).map(|(value, length)| (Piece::Byte(value as u8), length)).ok_or(Problem::NotUtf8)?
            }
            Some('x') => match number(1, 1, 2, 16) {
                Some((value, length)) => (Piece::Byte(value as u8), length),
                None => (Piece::Char('x'), 1),
            },
            Some(size @ ('u' | 'U')) => {
                let digits = if size == 'u' { 4 } else { 8 };
                let (value, length) = number(1, digits, digits, 16).ok_or(Problem::EscapeDigits)?;
                (Piece::Unit(value), length)
            }
            Some(other) => (Piece::Char(other), other.len_utf8()),
        };
        rest = rest.get(length..).unwrap_or_default();
        let found = match found {
            Piece::Unit(unit) => match pair(&mut high, unit)? {
                Some(letter) => Piece::Char(letter),
                None => continue,
            },
            found => found,
        };
        match found {
            _ if high.is_some() => return Err(Problem::HalfPair),
            Piece::Byte(byte) => bytes.push(byte),
            Piece::Char(letter) => bytes.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Unit(_) => {}
        }
    }
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    match (text, high) {
        (_, Some(_)) => Err(Problem::HalfPair),
        (None, _) => Err(Problem::NotUtf8),
        (Some(text), None) => {
            out.push_str(&text);
            Ok(())
        }
    }
}

/// What stands at a place in `E'…'`.
enum Piece {
    Char(char),
    Byte(u8),
    /// A character's number, or half of a surrogate pair.
    Unit(u32),
}

/// The character that a number gives, together with the half of a surrogate pair before it; `None` after a first half.
fn pair(high: &mut Option<u32>, unit: u32) -> Result<Option<char>, Problem> {
    match (unit, high.take()) {
        (0xd800..=0xdbff, None) => {
            *high = Some(unit);
            Ok(None)
        }
        (0xdc00..=0xdfff, Some(first)) => Ok(char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (unit - 0xdc00))),
        (0xd800..=0xdfff, _) | (_, Some(_)) => Err(Problem::HalfPair),
        (unit, None) => match char::from_u32(unit).filter(|&letter| letter != '\0') {
            None => Err(Problem::NoCharacter(unit)),
            found => Ok(found),
        },
    }
}

/// Appends a text with its escapes as characters: behind the escape letter four hexadecimal digits, `+` and six, or the
/// escape letter itself; with `letters`, as the function `unistr` has them, also `u` and four or `U` and eight.
pub(crate) fn unicode_escapes(text: &str, escape: char, letters: bool, out: &mut String) -> Result<(), Problem> {
    let mut high: Option<u32> = None;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let hexadecimal = |from: usize, count: usize| {
            let digits =
                rest.get(from..from + count).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
            value.map(|value| (value, from + count)).ok_or(Problem::EscapeDigits)
        };
        let (unit, length) = match rest.chars().next() {
            plain if letter != escape || plain == Some(escape) => {
                if high.is_some() {
                    return Err(Problem::HalfPair);
                }
                out.push(letter);
                rest = rest.get(if letter == escape { escape.len_utf8() } else { 0 }..).unwrap_or_default();
                continue;
            }
            Some('+') => hexadecimal(1, 6)?,
            Some('u') if letters => hexadecimal(1, 4)?,
            Some('U') if letters => hexadecimal(1, 8)?,
            _ => hexadecimal(0, 4)?,
        };
        rest = rest.get(length..).unwrap_or_default();
        out.extend(pair(&mut high, unit)?);
    }
    if high.is_some() { Err(Problem::HalfPair) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::sql::scan::Lexis;
    use crate::sql::scan::scan;

    /// What the only token of a text says.
    fn says(text: &str) -> Result<String, Problem> {
        let tokens = scan(text, Lexis::Postgres);
        assert_eq!(tokens.len(), 1, "{text}: {tokens:?}");
        unquote(&tokens[0], '\\')
    }

    #[test]
    fn quotes_and_escapes_say_what_postgresql_says() {
        for (text, said) in [
            ("'it''s'", "it's"),
            (r"'a\'", r"a\"),
            ("'a' \n -- more\n 'b'", "ab"),
            (r"E'\b\f\n\r\t\\\'\q''\8'", "\x08\x0c\n\r\t\\'q'8"),
            (r"E'\101\x41\x4z\xz\60'", "AA\x04zxz0"),
            (r"E'\303\274\xc3\xbc'", "üü"),
            (r"e'\u00fc\U0001F600\uD83D\uDE00'", "ü😀😀"),
            ("E'\\x4'\n'1'", "\x041"),
            (r"U&'d\0061t\+000061 \\'", r"data \"),
            (r"u&'\D83D\DE00\d83d\+00de00'", "😀😀"),
            ("N'a ''b'", "a 'b"),
            ("$$it's \\n$$", "it's \\n"),
            ("$a$ $$ $b$ $a$", " $$ $b$ "),
            ("\"a\"\"b\"", "a\"b"),
            (r#"U&"\00fc""#, "ü"),
        ] {
            assert_eq!(says(text).as_deref(), Ok(said), "{text}");
        }
        let token = scan("U&'d!0061t!!\\'", Lexis::Postgres)[0];
        assert_eq!(unquote(&token, '!').unwrap(), "dat!\\");
        for (text, said) in [("`a``", "a"), ("[a\"b]", "a\"b"), ("\"a\"\"b\"", "a\"b")] {
            assert_eq!(unquote(&scan(text, Lexis::Sqlite)[0], '\\').unwrap(), said);
        }
    }

    #[test]
    fn what_says_nothing_is_told() {
        for (text, problem) in [
            ("\"\"", Problem::EmptyName),
            ("U&\"\"", Problem::EmptyName),
            (r"E'\u12'", Problem::EscapeDigits),
            (r"E'\U1234567'", Problem::EscapeDigits),
            (r"U&'\12'", Problem::EscapeDigits),
            (r"U&'\+12345'", Problem::EscapeDigits),
            (r"E'\uD83D'", Problem::HalfPair),
            (r"E'\uD83Da'", Problem::HalfPair),
            ("E'\\uD83D'\n'\\uDE00'", Problem::HalfPair),
            (r"E'\uDE00'", Problem::HalfPair),
            (r"U&'\D83D\D83D'", Problem::HalfPair),
            (r"E'\U00110000'", Problem::NoCharacter(0x11_0000)),
            (r"U&'\0000'", Problem::NoCharacter(0)),
            (r"E'\xff'", Problem::NotUtf8),
            (r"E'a\0'", Problem::NotUtf8),
            (r"E'\400'", Problem::NotUtf8),
        ] {
            assert_eq!(says(text), Err(problem), "{text}");
        }
        for letter in ["", "!!", "+", "a", "F", "9", "'", "\"", " "] {
            assert_eq!(escape_letter(letter), Err(Problem::EscapeCharacter), "{letter}");
        }
        assert_eq!(escape_letter("g"), Ok('g'));
    }
}
