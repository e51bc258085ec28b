//! Offsets from UTC as PostgreSQL reads them in a date or time: `+02`, `-0530`, `+5:30:15`.

use super::Wrong;
use super::fields::digits;
use super::number;

/// The offset at the end of a field, with its sign.
pub(super) fn trailing_offset(text: &[u8]) -> Result<i32, Wrong> {
    match text {
        [b'+', rest @ ..] => zone_offset(false, rest),
        [b'-', rest @ ..] => zone_offset(true, rest),
        _ => Err(Wrong::Form),
    }
}

/// `8`, `08`, `0830`, `08:30`, `08:30:15`: seconds ahead of UTC, or behind it.
pub(super) fn zone_offset(negative: bool, text: &[u8]) -> Result<i32, Wrong> {
    let (whole, rest) = digits(text);
    let number = |digits| number(digits).map_err(|_| Wrong::Offset);
    let (mut hours, mut minutes, mut seconds) = (number(whole)?, 0, 0);
    let mut rest = rest;
    if let [b':', after @ ..] = rest {
        let (part, after) = digits(after);
        minutes = number(part)?;
        rest = after;
        if let [b':', after @ ..] = rest {
            let (part, after) = digits(after);
            seconds = number(part)?;
            rest = after;
        }
    } else if rest.is_empty() && text.len() > 2 {
        (hours, minutes) = (hours / 100, hours % 100);
    }
    if hours > 15 || minutes > 59 || seconds > 59 {
        return Err(Wrong::Offset);
    }
    if !rest.is_empty() {
        return Err(Wrong::Form);
    }
    let offset = (hours * 60 + minutes) * 60 + seconds;
    Ok(if negative { -offset } else { offset })
}
