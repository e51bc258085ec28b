//! Dates and times: days since 1970-01-01, microseconds since 1970-01-01T00:00:00(Z), microseconds of the day.
//!
//! Ranges are Redshift's: 4713 BC (the first day of Julian dates, which is 24 November 4714 BC in this calendar, as for
//! PostgreSQL) to 294276 AD. The calendar is the proleptic Gregorian one, as PostgreSQL's. ISO 8601 forms are read here;
//! everything else that PostgreSQL reads is read by `grammar`.

mod abbreviations;
pub(super) mod grammar;
pub mod iso;
pub mod zone;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::digits;
use crate::value::text::quote;
use crate::value::write_digits;

pub use crate::value::Fraction;

/// The months in English.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Microseconds of a day.
pub(crate) const DAY_MICROS: i64 = 86_400_000_000;

/// The first day: Julian day 0.
pub(crate) const DAYS_MIN: i32 = -2_440_588;
/// The last day: 294276-12-31.
pub(crate) const DAYS_MAX: i32 = 106_762_939;
/// The first microsecond of a timestamp.
pub(crate) const MICROS_MIN: i64 = DAYS_MIN as i64 * DAY_MICROS;
/// The last microsecond of a timestamp, 294247-01-10 04:00:54.775806: microseconds since 1970 end thirty years before the
/// days do.
pub(crate) const MICROS_MAX: i64 = i64::MAX - 1;

/// The day that is later than all days, as a value of expressions; no field and no column has it.
pub(crate) const DAY_INFINITY: i32 = i32::MAX;
/// The day that is earlier than all days.
pub(crate) const DAY_MINUS_INFINITY: i32 = i32::MIN;
/// The time that is later than all times.
pub(crate) const MICROS_INFINITY: i64 = i64::MAX;
/// The time that is earlier than all times.
pub(crate) const MICROS_MINUS_INFINITY: i64 = i64::MIN;

/// Whether a day is one of the calendar's.
pub(crate) fn is_finite_day(day: i32) -> bool {
    !matches!(day, DAY_INFINITY | DAY_MINUS_INFINITY)
}

/// Whether a time is one of the calendar's.
pub fn is_finite(micros: i64) -> bool {
    !matches!(micros, MICROS_INFINITY | MICROS_MINUS_INFINITY)
}

/// The midnight with which a day begins; `None` where it is out of range.
pub(crate) fn midnight(day: i32) -> Option<i64> {
    match day {
        DAY_INFINITY => Some(MICROS_INFINITY),
        DAY_MINUS_INFINITY => Some(MICROS_MINUS_INFINITY),
        day => i64::from(day).checked_mul(DAY_MICROS).filter(|micros| (MICROS_MIN..=MICROS_MAX).contains(micros)),
    }
}

/// The day in which a time lies.
pub(crate) fn day_of(micros: i64) -> i32 {
    match micros {
        MICROS_INFINITY => DAY_INFINITY,
        MICROS_MINUS_INFINITY => DAY_MINUS_INFINITY,
        // An i64 of microseconds has fewer than 2^28 days.
        micros => i32::try_from(micros.div_euclid(DAY_MICROS)).unwrap_or_default(),
    }
}

/// The first microsecond that is too late for PostgreSQL too: the year 294277.
const LATER_END: i128 = (DAYS_MAX as i128 + 1) * DAY_MICROS as i128;

/// Days since 1970-01-01 of a civil date; astronomical years (0 is 1 BC). `None` if there is no such day or it is out of range.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    const YEAR_MIN: i32 = -4713;
    const YEAR_MAX: i32 = 294_276;
    if !(YEAR_MIN..=YEAR_MAX).contains(&year) || day == 0 || day > days_of_month(year, month) {
        return None;
    }
    // Years begin in March, so that the leap day is the last of its year, and are counted from one before all of them, so
    // that nothing is negative.
    const BEFORE: i32 = 4_800;
    let march_year = (year + BEFORE - i32::from(month <= 2)).cast_unsigned();
    let month_of_year = if month <= 2 { month + 9 } else { month - 3 };
    let days_before = march_year * 1461 / 4 - march_year / 100 + march_year / 400 + (153 * month_of_year + 2) / 5;
    let days = (days_before + day - 1).cast_signed() - (719_468 + BEFORE / 400 * 146_097);
    (days >= DAYS_MIN).then_some(days)
}

/// Year (astronomical), month and day of days since 1970-01-01.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a day of an i32 lies in a year of an i32")]
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_year = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_of_year + 2) / 5 + 1;
    let month = if month_of_year < 10 { month_of_year + 3 } else { month_of_year - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

/// The days of a month of an astronomical year; none where there is no such month.
pub fn days_of_month(year: i32, month: u32) -> u32 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + u32::from(is_leap),
        // They alternate, and once more from August on.
        1..=12 => 30 + ((month + month / 8) & 1),
        _ => 0,
    }
}

/// Reads a date as a cast does: an infinity is one, too.
pub(crate) fn cast_date(text: &[u8]) -> Result<i32, Fault> {
    if let Some((days, [])) = iso_date(text) {
        return Ok(days);
    }
    match read_date(text) {
        Err(Wrong::Infinity { negative }) => Ok(if negative { DAY_MINUS_INFINITY } else { DAY_INFINITY }),
        read => read.map_err(|wrong| wrong.fault(text, "date")),
    }
}

/// Reads a timestamp as a cast does: an infinity is one, too.
pub(crate) fn cast_timestamp(text: &[u8]) -> Result<i64, Fault> {
    let read = || grammar::read(text, grammar::Kind::Timestamp, Fraction::Round)?.timestamp(false);
    match iso_timestamp(text) {
        Some((micros, _)) => Ok(micros),
        None => finite_or_not(read(), text, "timestamp"),
    }
}

/// Reads a timestamp with time zone as a cast does: an infinity is one, too, and a text without an offset is in UTC.
pub(crate) fn cast_timestamptz(text: &[u8]) -> Result<i64, Fault> {
    let read = || grammar::read(text, grammar::Kind::Timestamp, Fraction::Round)?.timestamp(true);
    match iso_timestamp(text).map(|(micros, offset)| micros - offset.unwrap_or(0)) {
        Some(instant) if instant >= MICROS_MIN => Ok(instant),
        _ => finite_or_not(read(), text, "timestamp with time zone"),
    }
}

fn finite_or_not(read: Result<i64, Wrong>, text: &[u8], what: &str) -> Result<i64, Fault> {
    match read {
        Err(Wrong::Infinity { negative }) => Ok(if negative { MICROS_MINUS_INFINITY } else { MICROS_INFINITY }),
        read => read.map_err(|wrong| wrong.fault(text, what)),
    }
}

fn read_date(text: &[u8]) -> Result<i32, Wrong> {
    grammar::read(text, grammar::Kind::Date, Fraction::Round)?.days.ok_or(Wrong::Form)
}

/// Reads a date as PostgreSQL does; a time in the text is ignored.
pub fn parse_date(text: &[u8]) -> Result<i32, Fault> {
    if let Some((days, [])) = iso_date(text) {
        return Ok(days);
    }
    read_date(text).map_err(|wrong| wrong.fault(text, "date"))
}

/// Reads a time of day; midnight at its end, `24:00:00`, is one.
pub fn parse_time(text: &[u8], fraction: Fraction) -> Result<i64, Fault> {
    if let Some((micros, [])) = iso_time(text) {
        return Ok(micros);
    }
    match grammar::read(text, grammar::Kind::Time, fraction) {
        Ok(read) => Ok(read.micros),
        Err(wrong) => Err(wrong.fault(text, "time")),
    }
}

/// Reads a time of day with the seconds that it is ahead of UTC, if the text has an offset.
pub(crate) fn parse_zoned_time(text: &[u8], fraction: Fraction) -> Result<(i64, Option<i32>), Fault> {
    match grammar::read(text, grammar::Kind::Time, fraction) {
        Ok(read) => Ok((read.micros, read.offset)),
        Err(wrong) => Err(wrong.fault(text, "time with time zone")),
    }
}

/// Reads a timestamp; an offset in the text is ignored, as PostgreSQL does.
pub fn parse_timestamp(text: &[u8], fraction: Fraction) -> Result<i64, Fault> {
    if let Some((micros, _)) = iso_timestamp(text) {
        return Ok(micros);
    }
    let read = || grammar::read(text, grammar::Kind::Timestamp, fraction)?.timestamp(false);
    read().map_err(|wrong| wrong.fault(text, "timestamp"))
}

/// Reads a timestamp with time zone. A text without an offset is UTC, or, with `offset_required`, a fault.
pub fn parse_timestamptz(text: &[u8], fraction: Fraction, offset_required: bool) -> Result<i64, Fault> {
    if let Some((micros, offset)) = iso_timestamp(text)
        && (offset.is_some() || !offset_required)
    {
        let instant = micros - offset.unwrap_or(0);
        if instant >= MICROS_MIN {
            return Ok(instant);
        }
    }
    let read = || {
        let read = grammar::read(text, grammar::Kind::Timestamp, fraction)?;
        let instant = read.timestamp(true)?;
        if read.offset.is_none() && offset_required { Err(Wrong::NoOffset) } else { Ok(instant) }
    };
    read().map_err(|wrong| wrong.fault(text, "timestamp with time zone"))
}

/// Reads an RFC 3339 date-time (section 5.6) strictly.
///
/// A leap second is the instant after it, and must be one that can be: the last second of June or December in UTC.
pub fn parse_rfc3339(text: &[u8], fraction: Fraction) -> Result<i64, Fault> {
    rfc3339(text, fraction).map_err(|wrong| wrong.fault(text, "RFC 3339 date-time"))
}

/// Appends a date: `2026-01-31`, `0044-03-15 BC`.
pub fn write_date(days: i32, out: &mut String) {
    if !is_finite_day(days) {
        return out.push_str(infinity(days < 0));
    }
    let bc = write_day(days, out);
    out.push_str(bc);
}

/// Appends a time of day: `23:59:59.5`.
pub(crate) fn write_time(micros: i64, out: &mut String) {
    let seconds = micros / 1_000_000;
    for (before, part) in [("", seconds / 3600), (":", seconds / 60 % 60), (":", seconds % 60)] {
        out.push_str(before);
        write_digits(part.unsigned_abs(), 2, out);
    }
    let mut fraction = (micros % 1_000_000).unsigned_abs();
    if fraction != 0 {
        let mut digits = 6;
        while fraction.is_multiple_of(10) {
            fraction /= 10;
            digits -= 1;
        }
        out.push('.');
        write_digits(fraction, digits, out);
    }
}

/// Appends a timestamp as PostgreSQL prints it: `2026-01-31 23:59:59.5`.
pub fn write_timestamp(micros: i64, out: &mut String) {
    if !is_finite(micros) {
        return out.push_str(infinity(micros < 0));
    }
    let bc = write_local(micros, out);
    out.push_str(bc);
}

/// Appends an instant in UTC as PostgreSQL prints it: `2026-01-31 23:59:59.5+00`.
pub fn write_timestamptz(micros: i64, out: &mut String) {
    if !is_finite(micros) {
        return out.push_str(infinity(micros < 0));
    }
    let bc = write_local(micros, out);
    out.push_str("+00");
    out.push_str(bc);
}

/// Prints a date: `2026-01-31`, `0044-03-15 BC`.
pub fn print_date(days: i32) -> String {
    printed(|out| write_date(days, out))
}

/// Prints a time of day: `23:59:59.5`.
pub fn print_time(micros: i64) -> String {
    printed(|out| write_time(micros, out))
}

/// Prints a timestamp as PostgreSQL does: `2026-01-31 23:59:59.5`.
pub fn print_timestamp(micros: i64) -> String {
    printed(|out| write_timestamp(micros, out))
}

/// Prints an instant in UTC as PostgreSQL does: `2026-01-31 23:59:59.5+00`.
pub fn print_timestamptz(micros: i64) -> String {
    printed(|out| write_timestamptz(micros, out))
}

fn printed(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::with_capacity(32);
    write(&mut text);
    text
}

fn infinity(negative: bool) -> &'static str {
    if negative { "-infinity" } else { "infinity" }
}

/// Appends day and time, and gives the word that ends the text.
fn write_local(micros: i64, out: &mut String) -> &'static str {
    #[expect(clippy::cast_possible_truncation, reason = "an i64 of microseconds has fewer than 2^28 days")]
    let days = micros.div_euclid(DAY_MICROS) as i32;
    let bc = write_day(days, out);
    out.push(' ');
    write_time(micros.rem_euclid(DAY_MICROS), out);
    bc
}

fn write_day(days: i32, out: &mut String) -> &'static str {
    let (year, month, day) = civil_from_days(days);
    let (shown, bc) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    write_digits(u64::from(shown.unsigned_abs()), 4, out);
    out.push('-');
    write_digits(u64::from(month), 2, out);
    out.push('-');
    write_digits(u64::from(day), 2, out);
    bc
}

/// Why a text gives no date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// It is not written as one.
    Form,
    /// A field, or the whole, is out of range.
    Range,
    /// More than six digits after the point.
    Fraction,
    /// No offset where one is wanted.
    NoOffset,
    /// An offset that no zone has.
    Offset,
    /// A zone that is not known.
    Zone,
    /// A word that means another time on another day.
    Clock,
    /// An infinity.
    Infinity { negative: bool },
    /// After the last value that there is here, and before PostgreSQL's.
    Beyond,
}

impl Wrong {
    #[cold]
    fn fault(self, text: &[u8], what: &str) -> Fault {
        let text = quote(text);
        let (code, message) = match self {
            Self::Form => (Code::NotADatetime, format!("{text} is not a {what}")),
            Self::Range => (Code::DatetimeOutOfRange, format!("{text} is out of range for a {what}")),
            Self::Fraction => (Code::ExcessFraction, format!("{text} has more than six digits after the point")),
            Self::NoOffset => (Code::NoOffset, format!("{text} has no offset from UTC")),
            Self::Offset => (Code::BadOffset, format!("{text} is not a {what}: its offset from UTC is out of range")),
            Self::Zone => (Code::BadArgument, format!("{text} is not a {what}: it names an unknown time zone")),
            Self::Clock => (Code::NotADatetime, format!("{text} is not a {what}: what it means depends on the clock")),
            Self::Infinity { .. } => (Code::Infinite, format!("{text} is infinite, which a {what} cannot be")),
            Self::Beyond => (Code::Unrepresentable, format!("{text} is later than the last {what} that there is here")),
        };
        Fault::new(code, message)
    }
}

/// What a text says.
struct Read {
    /// The day; a time of day has none.
    days: Option<i32>,
    /// Microseconds after the day's midnight; a day or more where PostgreSQL takes hours beyond it.
    micros: i64,
    /// Seconds that local time is ahead of UTC.
    offset: Option<i32>,
}

impl Read {
    fn timestamp(&self, in_utc: bool) -> Result<i64, Wrong> {
        let days = self.days.ok_or(Wrong::Form)?;
        let offset = if in_utc { self.offset.unwrap_or(0) } else { 0 };
        let micros =
            i128::from(days) * i128::from(DAY_MICROS) + i128::from(self.micros) - i128::from(offset) * 1_000_000;
        match i64::try_from(micros) {
            Ok(micros @ MICROS_MIN..=MICROS_MAX) => Ok(micros),
            _ if micros > 0 && micros < LATER_END => Err(Wrong::Beyond),
            _ => Err(Wrong::Range),
        }
    }
}

/// Two digits as a number.
fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
}

/// `YYYY-MM-DD` at the start of a text, and the rest. `None`: the grammar shall look at it.
pub(super) fn iso_date(text: &[u8]) -> Option<(i32, &[u8])> {
    let (&[y1, y2, y3, y4, dash, m1, m2, hyphen, d1, d2], rest) = text.split_first_chunk()?;
    let pairs = digits::pairs(u64::from_le_bytes([y1, y2, y3, y4, m1, m2, d1, d2]))?;
    let [century, year_of_century, month, day] = [0, 16, 32, 48].map(|at| (pairs >> at) as u8);
    let year = i32::from(century) * 100 + i32::from(year_of_century);
    // There is no year zero outside of RFC 3339, and the grammar says so.
    if (dash, hyphen) != (b'-', b'-') || year == 0 {
        return None;
    }
    Some((days_from_civil(year, month.into(), day.into())?, rest))
}

/// `HH:MM:SS[.f]` with six digits after the point at most, and the rest, which begins with no digit.
fn iso_time(text: &[u8]) -> Option<(i64, &[u8])> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2, ref rest @ ..] = text else { return None };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut micros = i64::from(hour * 3600 + minute * 60 + second) * 1_000_000;
    let [b'.', after @ ..] = rest else { return Some((micros, rest)) };
    let mut unit = 1_000_000;
    let mut rest = after;
    while let [digit @ b'0'..=b'9', after @ ..] = rest {
        unit /= 10;
        micros += i64::from(digit - b'0') * unit;
        rest = after;
    }
    // The seventh digit has no unit left, so that the grammar must round it.
    (unit > 0 && unit < 1_000_000).then_some((micros, rest))
}

/// `YYYY-MM-DD`, or `YYYY-MM-DD[T ]HH:MM:SS[.f][Z|±HH[[:]MM]]` as a whole: local microseconds, and how many of them local
/// time is ahead of UTC.
fn iso_timestamp(text: &[u8]) -> Option<(i64, Option<i64>)> {
    let (days, rest) = iso_date(text)?;
    let midnight = i64::from(days) * DAY_MICROS;
    let [b' ' | b'T', rest @ ..] = rest else { return rest.is_empty().then_some((midnight, None)) };
    let (micros, rest) = iso_time(rest)?;
    let offset = match *rest {
        [] => None,
        [b'Z'] => Some(0),
        [sign, h1, h2] => Some(offset(sign, two(h1, h2)?, 0)?),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => Some(offset(sign, two(h1, h2)?, two(m1, m2)?)?),
        _ => return None,
    };
    Some((midnight + micros, offset))
}

/// Microseconds of an offset within PostgreSQL's bound.
fn offset(sign: u8, hours: u32, minutes: u32) -> Option<i64> {
    if hours > 15 || minutes > 59 {
        return None;
    }
    let micros = i64::from(hours * 60 + minutes) * 60_000_000;
    match sign {
        b'+' => Some(micros),
        b'-' => Some(-micros),
        _ => None,
    }
}

/// ```text
/// date-time      = full-date "T" partial-time time-offset
/// full-date      = 4DIGIT "-" 2DIGIT "-" 2DIGIT
/// partial-time   = 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*DIGIT]
/// time-offset    = "Z" / ("+" / "-") 2DIGIT ":" 2DIGIT
/// ```
fn rfc3339(text: &[u8], fraction: Fraction) -> Result<i64, Wrong> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't', h1, h2, b':', n1, n2, b':', s1, s2, ref rest @ ..] =
        text
    else {
        return Err(Wrong::Form);
    };
    let pair = |tens, ones| two(tens, ones).ok_or(Wrong::Form);
    let year = pair(y1, y2)? * 100 + pair(y3, y4)?;
    let (month, day) = (pair(m1, m2)?, pair(d1, d2)?);
    let (hour, minute, second) = (pair(h1, h2)?, pair(n1, n2)?, pair(s1, s2)?);
    let (micros, rest) = match rest {
        [b'.', rest @ ..] => {
            let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (digits, rest) = rest.split_at(length);
            if digits.is_empty() {
                return Err(Wrong::Form);
            }
            (grammar::fraction_micros(digits, fraction)?, rest)
        }
        rest => (0, rest),
    };
    let offset = match *rest {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (pair(h1, h2)?, pair(m1, m2)?);
            if hours > 23 || minutes > 59 {
                return Err(Wrong::Range);
            }
            let micros = i64::from(hours * 60 + minutes) * 60_000_000;
            if sign == b'-' { -micros } else { micros }
        }
        _ => return Err(Wrong::Form),
    };
    let days = days_from_civil(year.cast_signed(), month, day).ok_or(Wrong::Range)?;
    if hour > 23 || minute > 59 || second > 60 {
        return Err(Wrong::Range);
    }
    let time = i64::from(hour * 3600 + minute * 60 + second) * 1_000_000;
    let second_start = i64::from(days) * DAY_MICROS + time - offset;
    if second == 60 {
        #[expect(clippy::cast_possible_truncation, reason = "a day of a four-digit year")]
        let (_, month, day) = civil_from_days(second_start.div_euclid(DAY_MICROS) as i32);
        if second_start.rem_euclid(DAY_MICROS) != 0 || day != 1 || !matches!(month, 1 | 7) {
            return Err(Wrong::Range);
        }
    }
    Ok(second_start + micros)
}
