//! ISO 8601: the dates and times that a field without a `format` accepts, so that nothing is guessed and nothing is dropped.
//!
//! A day is written as `2024-03-05` or `20240305`. PostgreSQL reads much more: `01.03.2024` is the third of January for it,
//! and `240305` has a century. An expression's cast reads as PostgreSQL does; a field says how such texts are written. What
//! stands behind the day (a time, an offset, `BC`) is read as PostgreSQL reads it. An offset has a sign and numbers, or is `Z`
//! or `UTC`: `IST` is an offset of India, of Israel or of Ireland, and `UTC+2` is two hours behind UTC for PostgreSQL.

use super::grammar::{self, Kind};
use super::{Fraction, iso_date, iso_time, iso_timestamp, parse_date, parse_time, parse_timestamp, parse_timestamptz};
use super::{is_finite, zone::LocalZone};
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

/// Reads a date; its time must be midnight, since a date keeps none.
pub fn date(text: &[u8]) -> Result<i32, Fault> {
    if let Some((days, [])) = iso_date(text) {
        return Ok(days);
    }
    let days = ordered(parse_date(text), text, "date")?;
    match grammar::read(text, Kind::Timestamp, Fraction::Exact) {
        Ok(read) if read.days == Some(days) && (read.micros != 0 || read.offset.is_some()) => {
            Err(dropped(text, "a time of day", "date"))
        }
        _ => Ok(days),
    }
}

/// Reads a time of day. A text with a day or an offset is none, since a time keeps neither.
pub fn time(text: &[u8]) -> Result<i64, Fault> {
    if let Some((micros, [])) = iso_time(text) {
        return Ok(micros);
    }
    let micros = parse_time(text, Fraction::Exact)?;
    let trimmed = text.trim_ascii().to_ascii_lowercase();
    let plain = trimmed.strip_prefix(b"t").unwrap_or(&trimmed);
    let plain = [&b"am"[..], b"pm"].iter().find_map(|half| plain.strip_suffix(*half)).unwrap_or(plain);
    if plain.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b' ')) {
        Ok(micros)
    } else {
        Err(dropped(text, "a day or an offset", "time"))
    }
}

/// Reads a timestamp. A text with an offset is none, since a timestamp does not keep it.
pub fn timestamp(text: &[u8]) -> Result<i64, Fault> {
    if let Some((micros, None)) = iso_timestamp(text) {
        return Ok(micros);
    }
    let micros = ordered(parse_timestamp(text, Fraction::Exact), text, "timestamp")?;
    match grammar::read(text, Kind::Timestamp, Fraction::Exact) {
        Ok(read) if read.offset.is_some() => Err(dropped(text, "an offset", "timestamp")),
        _ => Ok(micros),
    }
}

/// Reads a timestamp with time zone. A text without an offset is local time of `zone`, or, where there is none, a fault.
pub fn timestamptz(text: &[u8], zone: Option<&LocalZone>) -> Result<i64, Fault> {
    let what = "timestamp with time zone";
    let Some(zone) = zone else {
        let read = parse_timestamptz(text, Fraction::Exact, true);
        return if iso_timestamp(text).is_some() { read } else { ordered(numbered(read, text, what), text, what) };
    };
    if let Some((local, None)) = iso_timestamp(text) {
        return zone.instant(local, text);
    }
    let read = ordered(numbered(parse_timestamptz(text, Fraction::Exact, false), text, what), text, what)?;
    match grammar::read(text, Kind::Timestamp, Fraction::Exact) {
        Ok(said) if said.offset.is_none() && is_finite(read) => {
            zone.instant(parse_timestamp(text, Fraction::Exact)?, text)
        }
        _ => Ok(read),
    }
}

#[cold]
fn dropped(text: &[u8], part: &str, what: &str) -> Fault {
    let message = format!("{} has {part}, which a {what} does not keep", quote(text));
    Fault::new(Code::NotADatetime, message)
}

/// What was read of a text, if that begins with the day in the order of ISO 8601. A text that is no date in any order stays so.
#[cold]
fn ordered<T>(read: Result<T, Fault>, text: &[u8], what: &str) -> Result<T, Fault> {
    let is_none = read.as_ref().is_err_and(|fault| fault.code == Code::NotADatetime);
    if is_none || begins_with_day(text.trim_ascii()) {
        return read;
    }
    let text = quote(text);
    let message = format!("{text} is not a {what} written as YYYY-MM-DD, and no `format` says how it is written");
    Err(Fault::new(Code::NotADatetime, message))
}

/// What was read of a text, if no word of it stands for an offset but `Z` and `UTC`.
#[cold]
fn numbered<T>(read: Result<T, Fault>, text: &[u8], what: &str) -> Result<T, Fault> {
    if read.is_err() || !names_a_zone(text) {
        return read;
    }
    let text = quote(text);
    let message = format!("{text} is not a {what} whose offset is a number, as in +01:00, or Z, or UTC");
    Err(Fault::new(Code::NotADatetime, message))
}

/// Whether a text has a word that names a zone, or a number behind `Z` or `UTC`.
fn names_a_zone(mut text: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] = [b"t", b"am", b"pm", b"ad", b"bc", b"infinity"];
    while let Some(start) = text.iter().position(u8::is_ascii_alphabetic) {
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        let is = |known: &[u8]| word.eq_ignore_ascii_case(known);
        let is_utc = (is(b"z") || is(b"utc")) && !matches!(after, [b'+' | b'-' | b'0'..=b'9' | b'/', ..]);
        if !is_utc && !WORDS.into_iter().any(is) {
            return true;
        }
        text = after;
    }
    false
}

/// `YYYY-MM-DD` or `YYYYMMDD`, and then no digit; years may have more than four digits. Infinity has no order.
fn begins_with_day(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let year = digits(text);
    match text.get(year..) {
        _ if [&b"infinity"[..], b"+infinity", b"-infinity"].iter().any(|word| text.eq_ignore_ascii_case(word)) => true,
        Some(rest) if year == 8 => !matches!(rest, [b'.' | b'-' | b'/', ..]),
        Some([b'-', m1, m2, b'-', d1, d2, rest @ ..]) if year >= 4 => {
            [m1, m2, d1, d2].iter().all(|byte| byte.is_ascii_digit()) && digits(rest) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::value::datetime::zone::{Ambiguous, Zone};
    use crate::value::datetime::{DAY_MICROS, days_from_civil};

    fn zone(name: &str, ambiguous: Ambiguous) -> Option<LocalZone> {
        Some(LocalZone { name: name.to_owned(), zone: Zone::of_place(name).unwrap(), ambiguous })
    }

    #[test]
    fn a_day_is_read_in_the_order_of_iso_8601_alone() {
        let day = days_from_civil(2024, 3, 5).unwrap();
        let same =
            ["2024-03-05", "20240305", " 2024-03-05 ", "2024-03-05 00:00", "2024-03-05T00:00:00", "20240305 000000"];
        for text in same {
            assert_eq!(date(text.as_bytes()), Ok(day), "{text}");
            assert_eq!(timestamp(text.as_bytes()), Ok(i64::from(day) * DAY_MICROS), "{text}");
        }
        assert_eq!(date(b"0044-03-15 BC"), Ok(days_from_civil(-43, 3, 15).unwrap()));
        assert_eq!(date(b"12024-03-05"), Ok(days_from_civil(12_024, 3, 5).unwrap()));
        let guesses = [
            "01.03.2024",
            "03/01/24",
            "01/02/03",
            "2024-125",
            "240305",
            "2024/03/05",
            "2024-3-5",
            "5 Mar 2024",
            "Mar 5, 2024",
            "05-Mar-24",
            "24-03-05",
            "epoch",
            "J2451187",
            "2024.125",
            "1.2.3",
        ];
        for text in guesses {
            for fault in [
                date(text.as_bytes()).unwrap_err(),
                timestamp(text.as_bytes()).unwrap_err(),
                timestamptz(text.as_bytes(), zone("UTC", Ambiguous::Reject).as_ref()).unwrap_err(),
            ] {
                assert_eq!(fault.code, Code::NotADatetime, "{text}: {}", fault.message);
            }
        }
    }

    #[test]
    fn a_text_without_an_offset_is_local_time_of_the_zone() {
        let berlin = zone("Europe/Berlin", Ambiguous::Reject);
        for (text, same) in [
            ("2024-03-05 12:00", "2024-03-05T11:00:00Z"),
            ("2024-07-05T12:00:00", "2024-07-05T10:00:00Z"),
            ("20240705 120000.5", "2024-07-05T10:00:00.5Z"),
            ("2024-07-05", "2024-07-04T22:00:00Z"),
            ("2024-07-05 12:00:00+05", "2024-07-05T07:00:00Z"),
            ("2024-07-05 12:00 UTC", "2024-07-05T12:00:00Z"),
            ("2024-03-31 01:59:59.999999", "2024-03-31T00:59:59.999999Z"),
            ("2024-03-31 03:00", "2024-03-31T01:00:00Z"),
            ("2024-10-27 01:59:59.999999", "2024-10-26T23:59:59.999999Z"),
            ("2024-10-27 03:00", "2024-10-27T02:00:00Z"),
            ("infinity", "infinity"),
        ] {
            assert_eq!(timestamptz(text.as_bytes(), berlin.as_ref()), timestamptz(same.as_bytes(), None), "{text}");
        }
        assert_eq!(timestamptz(b"2024-03-05 12:00", None).unwrap_err().code, Code::NoOffset);
    }

    #[test]
    fn an_hour_that_clocks_skip_or_repeat_is_what_the_field_says() {
        for (text, how, earlier, later) in [
            ("2024-03-31 02:30", "never", "2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z"),
            ("2024-10-27 02:30", "twice", "2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z"),
        ] {
            for (ambiguous, same) in [(Ambiguous::Earlier, earlier), (Ambiguous::Later, later)] {
                let berlin = zone("Europe/Berlin", ambiguous);
                assert_eq!(timestamptz(text.as_bytes(), berlin.as_ref()), timestamptz(same.as_bytes(), None), "{text}");
            }
            let fault = timestamptz(text.as_bytes(), zone("Europe/Berlin", Ambiguous::Reject).as_ref()).unwrap_err();
            let message = format!("the clocks of Europe/Berlin show \"{text}\" {how}");
            assert_eq!((fault.code, fault.message.into_string()), (Code::NoOffset, message));
        }
    }

    #[test]
    fn an_offset_is_a_number() {
        let berlin = zone("Europe/Berlin", Ambiguous::Reject);
        for (text, is_taken) in [
            ("2024-03-05 12:00:00.5z", true),
            ("0044-03-05 12:00+00 BC", true),
            ("2024-03-05 12:00 IST", false),
            ("2024-03-05 12:00 CET", false),
            ("2024-03-05 12:00 UTC+2", false),
            ("2024-03-05 12:00 GMT-3", false),
            ("2024-03-05 12:00 Europe/Berlin", false),
            ("2024-03-05 12:00 EST5EDT", false),
        ] {
            for zone in [None, berlin.as_ref()] {
                assert_eq!(timestamptz(text.as_bytes(), zone).is_ok(), is_taken, "{text}");
            }
            assert!(parse_timestamptz(text.as_bytes(), Fraction::Exact, false).is_ok(), "a cast reads {text}");
        }
    }

    #[test]
    fn what_would_be_dropped_is_a_fault() {
        let message = |fault: Fault| fault.message.into_string();
        assert_eq!(
            message(date(b"2024-03-05 14:30").unwrap_err()),
            "\"2024-03-05 14:30\" has a time of day, which a date does not keep"
        );
        assert!(date(b"2024-03-05T00:00:00Z").is_err() && date(b"2024-03-05 14:30:00+01").is_err());
        for text in ["2024-03-05T12:00:00Z", "2024-03-05 12:00+01", "2024-03-05 12:00 UTC", "20240305T120000Z"] {
            let fault = timestamp(text.as_bytes()).unwrap_err();
            assert_eq!(message(fault), format!("\"{text}\" has an offset, which a timestamp does not keep"));
            assert!(timestamptz(text.as_bytes(), None).is_ok(), "{text}");
        }
        assert_eq!(time(b"12:30"), Ok(45_000_000_000));
        assert!(time(b"12:30+01").is_err() && time(b"2024-03-05 12:30").is_err());
    }
}
