//! Fields: splits a text into fields by the form of its characters.

use super::Kind;
use super::words::Word;
use super::words::word;
use crate::value::datetime::Wrong;

/// Most fields of a text.
pub(in crate::value) const FIELDS_MAX: usize = 25;

/// How a field looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::value) enum Look {
    /// Digits, with a point perhaps.
    Number,
    /// Digits and colons.
    Time,
    /// Parts with a separator between them.
    Date,
    /// A sign and digits.
    Zone,
    /// Letters.
    Word,
    /// A sign and letters.
    SignedWord,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::value) struct Field<'a> {
    pub(in crate::value) look: Look,
    /// Of a zone or a signed word: whether it has a minus.
    pub(in crate::value) negative: bool,
    /// The field without its sign.
    pub(in crate::value) text: &'a [u8],
}

/// The fields of an interval, and how many there are.
pub(in crate::value) fn interval_fields(text: &[u8]) -> Option<([Field<'_>; FIELDS_MAX], usize)> {
    let mut fields = [Field { look: Look::Word, negative: false, text: &[] }; FIELDS_MAX];
    let count = split(text, Kind::Interval, &mut fields).ok()?;
    Some((fields, count))
}

/// The digits at the start, and the rest.
pub(super) fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// Cuts a text into fields; blanks and other punctuation lie between them.
pub(super) fn split<'a>(text: &'a [u8], kind: Kind, fields: &mut [Field<'a>; FIELDS_MAX]) -> Result<usize, Wrong> {
    // PostgreSQL copies fields, each with an end mark, into room of this size.
    let mut room: usize = match kind {
        Kind::Timestamp => 153,
        Kind::Interval => 256,
        Kind::Date | Kind::Time => 129,
    };
    let mut count = 0;
    let mut rest = text;
    loop {
        let (field, after) = match *rest {
            [] => return Ok(count),
            [b' ' | b'\t'..=b'\r', ref after @ ..] => {
                rest = after;
                continue;
            }
            [b'0'..=b'9' | b'.', ..] => numeric(rest),
            [first, ..] if first.is_ascii_alphabetic() => alphabetic(rest),
            [sign @ (b'+' | b'-'), ref after @ ..] => signed(sign == b'-', after)?,
            [first, ref after @ ..] if first.is_ascii_punctuation() => {
                rest = after;
                continue;
            }
            _ => return Err(Wrong::Form),
        };
        let sign = usize::from(matches!(field.look, Look::Zone | Look::SignedWord));
        room = room.checked_sub(sign + field.text.len() + 1).ok_or(Wrong::Form)?;
        *fields.get_mut(count).ok_or(Wrong::Form)? = field;
        count += 1;
        rest = after;
    }
}

fn field(look: Look, text: &[u8], length: usize) -> (Field<'_>, &[u8]) {
    let (text, after) = text.split_at(length.min(text.len()));
    (Field { look, negative: false, text }, after)
}

/// The length of what a predicate holds for, from a place on.
pub(super) fn run(text: &[u8], from: usize, holds: impl Fn(u8) -> bool) -> usize {
    from + text.iter().skip(from).take_while(|&&byte| holds(byte)).count()
}

/// A field that begins with a digit or a point.
fn numeric(text: &[u8]) -> (Field<'_>, &[u8]) {
    let is_digit = |byte: u8| byte.is_ascii_digit();
    if text.first() == Some(&b'.') {
        return field(Look::Number, text, run(text, 1, is_digit));
    }
    let end = run(text, 0, is_digit);
    match text.get(end) {
        Some(b':') => field(Look::Time, text, run(text, end, |byte| is_digit(byte) || matches!(byte, b':' | b'.'))),
        Some(&separator @ (b'-' | b'/' | b'.')) => {
            let second = run(text, end + 1, is_digit);
            if second == end + 1 {
                // No digit follows, so that a month by name may.
                let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == separator;
                return field(Look::Date, text, run(text, end + 1, is_part));
            }
            if text.get(second) == Some(&separator) {
                return field(Look::Date, text, run(text, second, |byte| is_digit(byte) || byte == separator));
            }
            field(if separator == b'.' { Look::Number } else { Look::Date }, text, second)
        }
        _ => field(Look::Number, text, end),
    }
}

/// A field that begins with a letter.
fn alphabetic(text: &[u8]) -> (Field<'_>, &[u8]) {
    let end = run(text, 0, |byte| byte.is_ascii_alphabetic());
    let is_date = match text.get(end) {
        Some(b'-' | b'/' | b'.') => true,
        // `T12` and `jan8` are words with a number behind them; `utc+3` is a zone. Zones are no words here.
        Some(b'+' | b'0'..=b'9') => matches!(word(text.get(..end).unwrap_or_default()), None | Some(Word::Utc)),
        _ => false,
    };
    if !is_date {
        return field(Look::Word, text, end);
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'/' | b'_' | b'.' | b':');
    field(Look::Date, text, run(text, end + 1, is_part))
}

/// A field that begins with a sign, which blanks may follow.
fn signed(negative: bool, after: &[u8]) -> Result<(Field<'_>, &[u8]), Wrong> {
    let text = after.trim_ascii_start();
    let (look, end) = match text.first() {
        Some(b'0'..=b'9') => {
            (Look::Zone, run(text, 0, |byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-')))
        }
        Some(first) if first.is_ascii_alphabetic() => {
            (Look::SignedWord, run(text, 0, |byte| byte.is_ascii_alphabetic()))
        }
        _ => return Err(Wrong::Form),
    };
    let (field, after) = field(look, text, end);
    Ok((Field { negative, ..field }, after))
}
