//! Moment: what `.datetime()` makes of a string: a day, a time of day or a timestamp, with an offset or without.

use std::cmp::Ordering;
use std::fmt::Write;

use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::days_of_month;
use crate::value::datetime::write_date;
use crate::value::datetime::write_time;

/// A day or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Days since 1970.
    Date(i32),
    /// Microseconds of the day, and the offset in seconds to the east of UTC if there is one.
    Time(i64, Option<i32>),
    /// Microseconds since 1970, in UTC if there is an offset.
    Timestamp(i64, Option<i32>),
}

/// How two moments compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Order(Ordering),
    /// A day and a time of day.
    Never,
    /// One has an offset and the other has none: only the functions that know a zone compare them.
    WithZone(Ordering),
}

const SECOND: i64 = 1_000_000;

impl Moment {
    /// Reads one of the forms of ISO 8601 that PostgreSQL tries: `2026-01-31`, `12:30:00`, `12:30:00.5+01`,
    /// `2026-01-31 12:30:00`, `2026-01-31T12:30:00-03:30`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text.as_bytes() };
        if text.as_bytes().get(1..3).is_some_and(|bytes| bytes.contains(&b':')) {
            let (micros, offset) = reader.time()?;
            return reader.rest.is_empty().then_some(Self::Time(micros, offset));
        }
        let day = reader.date()?;
        if reader.rest.is_empty() {
            return Some(Self::Date(day));
        }
        if !reader.eat(b'T') && !reader.eat(b' ') {
            return None;
        }
        let (micros, offset) = reader.time()?;
        let local = i64::from(day) * DAY_MICROS + micros;
        let utc = local - i64::from(offset.unwrap_or(0)) * SECOND;
        reader.rest.is_empty().then_some(Self::Timestamp(utc, offset))
    }

    /// What `.type()` calls it.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Date(_) => "date",
            Self::Time(_, None) => "time without time zone",
            Self::Time(_, Some(_)) => "time with time zone",
            Self::Timestamp(_, None) => "timestamp without time zone",
            Self::Timestamp(_, Some(_)) => "timestamp with time zone",
        }
    }

    /// As JSON has it: ISO 8601 with a `T`, at its own offset.
    pub(super) fn print(self) -> String {
        let mut out = String::new();
        let offset = match self {
            Self::Date(day) => {
                write_date(day, &mut out);
                None
            }
            Self::Time(micros, offset) => {
                write_time(micros, &mut out);
                offset
            }
            Self::Timestamp(utc, offset) => {
                let local = utc + i64::from(offset.unwrap_or(0)) * SECOND;
                let day = i32::try_from(local.div_euclid(DAY_MICROS)).unwrap_or(i32::MAX);
                write_date(day, &mut out);
                out.push('T');
                write_time(local.rem_euclid(DAY_MICROS), &mut out);
                offset
            }
        };
        if let Some(offset) = offset {
            let seconds = offset.unsigned_abs();
            let sign = if offset < 0 { '-' } else { '+' };
            // Writing to a String cannot fail.
            let _ = write!(out, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
        }
        out
    }

    /// The order of two moments. What has no offset is taken to be in UTC.
    pub(super) fn compare(self, other: Self) -> Compared {
        let micros = |moment: Self| match moment {
            Self::Date(day) => i64::from(day) * DAY_MICROS,
            Self::Time(micros, offset) => micros - i64::from(offset.unwrap_or(0)) * SECOND,
            Self::Timestamp(micros, _) => micros,
        };
        let has_offset = |moment: Self| matches!(moment, Self::Time(_, Some(_)) | Self::Timestamp(_, Some(_)));
        let is_time = |moment: Self| matches!(moment, Self::Time(..));
        if is_time(self) != is_time(other) {
            return Compared::Never;
        }
        let order = micros(self).cmp(&micros(other));
        let order = match (self, other) {
            // Times at one instant differ by their offsets: the one farther to the east is less.
            (Self::Time(_, Some(one)), Self::Time(_, Some(two))) => order.then(two.cmp(&one)),
            _ => order,
        };
        match has_offset(self) == has_offset(other) {
            true => Compared::Order(order),
            false => Compared::WithZone(order),
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// A number of at least one digit and at most so many.
    fn digits(&mut self, most: usize) -> Option<u32> {
        let count = self.rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn date(&mut self) -> Option<i32> {
        let year = i32::try_from(self.digits(4)?).ok()?;
        let month = self.eat(b'-').then(|| self.digits(2))??;
        let day = self.eat(b'-').then(|| self.digits(2))??;
        let is_day = (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
        if is_day && year > 0 { days_from_civil(year, month, day) } else { None }
    }

    /// A time of day, and an offset in seconds.
    fn time(&mut self) -> Option<(i64, Option<i32>)> {
        let hours = self.digits(2)?;
        let minutes = self.eat(b':').then(|| self.digits(2))??;
        let seconds = self.eat(b':').then(|| self.digits(2))??;
        if hours > 23 || minutes > 59 || seconds > 59 {
            return None;
        }
        let mut micros = 0;
        if self.eat(b'.') {
            let length = self.rest.len();
            micros = i64::from(self.digits(6)?);
            let places = length - self.rest.len();
            micros *= 10_i64.pow(u32::try_from(6 - places).ok()?);
        }
        let seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
        let sign = match self.rest.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Some((seconds * SECOND + micros, None)),
        };
        self.rest = self.rest.get(1..)?;
        let hours = i32::try_from(self.digits(2)?).ok()?;
        let minutes = if self.eat(b':') { i32::try_from(self.digits(2)?).ok()? } else { 0 };
        Some((seconds * SECOND + micros, Some(sign * (hours * 3600 + minutes * 60))))
    }
}
