//! String: strings of JSON and the texts that they mean.

use std::borrow::Cow;
use std::fmt::Write;

use crate::column::Fault;
use crate::diagnostic::Code;

/// Appends a text as a string of JSON, escaped where it must be.
pub fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            _ => out.push(char),
        }
    }
    out.push('"');
}

/// The text that a string in its quotes means.
pub(super) fn text_of(quoted: &str) -> Result<Cow<'_, str>, Fault> {
    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    unescape(quoted, &mut out)?;
    Ok(Cow::Owned(out))
}

/// Appends a string in quotes without them and with its escapes resolved.
pub(super) fn unescape(quoted: &str, out: &mut String) -> Result<(), Fault> {
    let mut rest = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let (char, after) = escape(escaped)?;
        out.push(char);
        rest = after;
    }
    out.push_str(rest);
    Ok(())
}

/// Whether every escape in a JSON text is a character, as where PostgreSQL takes a value out of a `json`.
pub(super) fn check_escapes(json: &str) -> Result<(), Fault> {
    // Only strings have backslashes.
    let mut rest = json;
    while let Some((_, escaped)) = rest.split_once('\\') {
        rest = escape(escaped)?.1;
    }
    Ok(())
}

/// The character of the escape behind a backslash, and the text after it.
fn escape(text: &str) -> Result<(char, &str), Fault> {
    let mut chars = text.chars();
    let char = match chars.next() {
        Some('b') => '\x08',
        Some('f') => '\x0c',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('u') => {
            let (first, after) = unit(chars.as_str());
            let second = after.strip_prefix("\\u").map(unit).filter(|(second, _)| matches!(second, 0xdc00..=0xdfff));
            let (code, after) = match (first, second) {
                (0xd800..=0xdbff, Some((second, after))) => {
                    (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), after)
                }
                _ => (first, after),
            };
            return match char::from_u32(code) {
                Some('\0') => Err(Fault::new(Code::NoCharacter, "\\u0000 in the JSON is no character of a text")),
                Some(char) => Ok((char, after)),
                None => Err(Fault::new(Code::NotJson, format!("\\u{first:04x} in the JSON is half a character"))),
            };
        }
        Some(other) => other,
        None => return Ok(('\\', "")),
    };
    Ok((char, chars.as_str()))
}

/// The number of four hexadecimal digits, and the text after them.
fn unit(text: &str) -> (u32, &str) {
    let (digits, after) = text.split_at_checked(4).unwrap_or((text, ""));
    (u32::from_str_radix(digits, 16).unwrap_or(0), after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_its_character() {
        let escapes = r#""\"\\\/\b\f\n\r\tÀ\ud83d\ude00\u005cn""#;
        assert_eq!(text_of(escapes).as_deref(), Ok("\"\\/\u{8}\u{c}\n\r\tÀ😀\\n"));
        for (wrong, code) in [
            (r#""\u0000""#, Code::NoCharacter),
            (r#""\ud83d""#, Code::NotJson),
            (r#""\ud83d\ud83d""#, Code::NotJson),
            (r#""\ud83dx""#, Code::NotJson),
            (r#""\ude04\ud83d""#, Code::NotJson),
        ] {
            assert_eq!(text_of(wrong).map_err(|fault| fault.code), Err(code), "{wrong}");
            assert_eq!(check_escapes(wrong).map_err(|fault| fault.code), Err(code), "{wrong}");
        }
        assert_eq!(check_escapes(escapes), Ok(()));
    }

    #[test]
    fn a_written_string_means_its_text() {
        let text: String = ('\u{1}'..='\u{200}').chain("\u{2028}😀".chars()).collect();
        let mut written = String::new();
        write_string(&text, &mut written);
        assert_eq!(text_of(&written).as_deref(), Ok(text.as_str()));
    }
}
