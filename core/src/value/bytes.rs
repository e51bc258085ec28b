//! Bytes, PostgreSQL's `bytea`: values of expressions only. They are kept as the text that is printed for them, `\x` and two
//! hexadecimal digits for each byte, so that the order of the texts is the order of the bytes.

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

/// What stands before the digits.
const PREFIX: &str = "\\x";

/// Reads bytes as a cast does: hexadecimal digits behind `\x`, or a text in which `\000` is a byte and `\\` a backslash.
pub(crate) fn parse(text: &str) -> Result<Vec<u8>, Fault> {
    match text.strip_prefix(PREFIX) {
        Some(digits) => parse_digits(digits),
        None => parse_escapes(text),
    }
}

/// Two hexadecimal digits a byte, with blanks between the bytes.
pub(crate) fn parse_digits(digits: &str) -> Result<Vec<u8>, Fault> {
    let mut digits = digits.chars();
    let mut bytes = Vec::new();
    let value = |digit: char| {
        let value = digit.to_digit(16).and_then(|value| u8::try_from(value).ok());
        value.ok_or_else(|| wrong(format!("{} is no hexadecimal digit", quote(digit.to_string().as_bytes()))))
    };
    while let Some(high) = digits.by_ref().find(|char| !matches!(char, ' ' | '\t' | '\n' | '\r')) {
        let high = value(high)?;
        let low = digits.next().ok_or_else(|| wrong("the number of hexadecimal digits is odd".to_owned()))?;
        bytes.push(high << 4 | value(low)?);
    }
    Ok(bytes)
}

/// A text in which `\000` is a byte by its octal digits and `\\` a backslash.
pub(crate) fn parse_escapes(text: &str) -> Result<Vec<u8>, Fault> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, after @ ..] = rest {
        (bytes, rest) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (pushed(bytes, b'\\'), after),
            (b'\\', [high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', after @ ..]) => {
                (pushed(bytes, (high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0')), after)
            }
            (b'\\', _) => {
                return Err(Fault::new(
                    Code::NotAValue,
                    format!("{} has an escape that is no byte", quote(text.as_bytes())),
                ));
            }
            (byte, after) => (pushed(bytes, *byte), after),
        };
    }
    Ok(bytes)
}

fn pushed(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

/// The bytes of a value.
pub(crate) fn read(value: &str) -> Vec<u8> {
    let digit = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte.wrapping_sub(b'a' - 10) };
    let digits = value.strip_prefix(PREFIX).unwrap_or_default().as_bytes();
    digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// How many bytes a value has.
pub(crate) fn count(value: &str) -> usize {
    value.len().saturating_sub(PREFIX.len()) / 2
}

/// Appends a value of these bytes.
pub(crate) fn write(bytes: impl IntoIterator<Item = u8>, out: &mut String) {
    out.push_str(PREFIX);
    write_digits(&bytes.into_iter().collect::<Vec<u8>>(), out);
}

/// Appends two hexadecimal digits a byte, those of a digest at a time.
pub(crate) fn write_digits(bytes: &[u8], out: &mut String) {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' - 10 + half };
    for bytes in bytes.chunks(64) {
        let mut digits = [0; 128];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        let digits = digits.get(..2 * bytes.len()).unwrap_or_default();
        out.push_str(str::from_utf8(digits).unwrap_or_default());
    }
}

/// The value as a text with a character for each byte, so that what is known of the places of characters is known of those of
/// bytes.
pub(crate) fn characters(value: &str) -> String {
    read(value).into_iter().map(char::from).collect()
}

/// Appends the value that such a text is.
pub(crate) fn write_characters(text: &str, out: &mut String) {
    write(text.chars().filter_map(|char| u8::try_from(u32::from(char)).ok()), out);
}

fn wrong(fact: String) -> Fault {
    Fault::new(Code::BadArgument, fact)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_are_written_and_keep_their_order() {
        let value = |bytes: &[u8]| {
            let mut text = String::new();
            write(bytes.iter().copied(), &mut text);
            text
        };
        let all: Vec<u8> = (0..=255).collect();
        let some: Vec<&[u8]> = (0..=256).step_by(7).flat_map(|from| [&all[from..], &all[..from]]).collect();
        for one in &some {
            let text = value(one);
            assert_eq!(parse(&text).unwrap(), *one);
            assert_eq!(read(&text), *one);
            assert_eq!(count(&text), one.len());
            let mut again = String::new();
            write_characters(&characters(&text), &mut again);
            assert_eq!(again, text);
            for other in &some {
                assert_eq!(text.cmp(&value(other)), one.cmp(other));
            }
        }
    }

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(parse(r"a\\\000\377ß").unwrap(), [b'a', b'\\', 0, 255, 0xc3, 0x9f]);
        assert_eq!(parse(r"\x 61 6\n").map_err(|fault| fault.code), Err(Code::BadArgument));
        for wrong in [r"\", r"\12", r"\400", r"\a"] {
            assert_eq!(parse(wrong).map_err(|fault| fault.code), Err(Code::NotAValue), "{wrong}");
        }
    }
}
