//! Dates and times: days since 1970-01-01, microseconds since 1970-01-01T00:00:00(Z), microseconds of the day.
//!
//! Ranges are Redshift's (4713 BC to 294276 AD); the calendar is the proleptic Gregorian one, as PostgreSQL's.

use crate::column::Fault;

/// Microseconds of a day.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// Whether more than six fractional digits, other than zeros, round (an explicit cast) or fault (putting into a field).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// Round to microseconds, as PostgreSQL's casts do.
    Round,
    /// Fault with `ExcessFraction`.
    Exact,
}

/// Days since 1970-01-01 of a civil date; astronomical years (0 is 1 BC). `None` if there is no such day or it is out of range.
pub fn days_from_civil(year: i32, month: u32, day: u32) -> Option<i32> {
    todo!()
}

/// Year (astronomical), month and day of days since 1970-01-01.
pub fn civil_from_days(days: i32) -> (i32, u32, u32) {
    todo!()
}

/// Reads a date as PostgreSQL does.
pub fn parse_date(text: &[u8]) -> Result<i32, Fault> {
    todo!()
}

/// Reads a time of day.
pub fn parse_time(text: &[u8], fraction: Fraction) -> Result<i64, Fault> {
    todo!()
}

/// Reads a timestamp; an offset in the text is ignored, as PostgreSQL does.
pub fn parse_timestamp(text: &[u8], fraction: Fraction) -> Result<i64, Fault> {
    todo!()
}

/// Reads a timestamp with time zone. A text without an offset is UTC, or, with `offset_required`, a fault.
pub fn parse_timestamptz(text: &[u8], fraction: Fraction, offset_required: bool) -> Result<i64, Fault> {
    todo!()
}

/// Reads an RFC 3339 date-time (section 5.6) strictly.
pub fn parse_rfc3339(text: &[u8], fraction: Fraction) -> Result<i64, Fault> {
    todo!()
}

/// Prints a date: `2026-01-31`, `0044-03-15 BC`.
pub fn print_date(days: i32) -> String {
    todo!()
}

/// Prints a time of day: `23:59:59.5`.
pub fn print_time(micros: i64) -> String {
    todo!()
}

/// Prints a timestamp as PostgreSQL does: `2026-01-31 23:59:59.5`.
pub fn print_timestamp(micros: i64) -> String {
    todo!()
}

/// Prints an instant in UTC as PostgreSQL does: `2026-01-31 23:59:59.5+00`.
pub fn print_timestamptz(micros: i64) -> String {
    todo!()
}
