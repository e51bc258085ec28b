//! Interval: months, days and microseconds, which do not become one another by themselves.
//!
//! What is read and printed, and how it is computed with, is PostgreSQL's. A type of expressions only.

use std::cmp::Ordering;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::days_of_month;
use crate::value::datetime::grammar;
use crate::value::datetime::grammar::Look;
use crate::value::text::quote;

/// A span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interval {
    /// Whole months, years among them.
    pub months: i32,
    /// Whole days.
    pub days: i32,
    /// Microseconds, hours among them.
    pub micros: i64,
}

/// The fields that `interval day to minute` and others name, a bit each.
pub mod fields {
    /// `year`
    pub const YEAR: i32 = 1;
    /// `month`
    pub const MONTH: i32 = 1 << 1;
    /// `day`
    pub const DAY: i32 = 1 << 2;
    /// `hour`
    pub const HOUR: i32 = 1 << 3;
    /// `minute`
    pub const MINUTE: i32 = 1 << 4;
    /// `second`
    pub const SECOND: i32 = 1 << 5;
    /// No restriction.
    pub const ALL: i32 = (1 << 6) - 1;
}

const SECOND_MICROS: i64 = 1_000_000;
const MINUTE_MICROS: i64 = 60 * SECOND_MICROS;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const MONTH_DAYS: i32 = 30;

/// The fault of an interval that is too long.
pub fn out_of_range() -> Fault {
    Fault::new(Code::DatetimeOutOfRange, "interval out of range")
}

fn timestamp_out_of_range() -> Fault {
    Fault::new(Code::DatetimeOutOfRange, "timestamp out of range")
}

impl Interval {
    /// An interval of microseconds.
    pub fn of_micros(micros: i64) -> Self {
        Self { micros, ..Self::default() }
    }

    /// Reads an interval: `1 year 2 days 03:04:05`, `@ 3 hours ago`, `1-2`, `P1DT2H`. A number without a unit is of the
    /// last of the [`fields`].
    pub fn parse(text: &[u8], range: i32) -> Result<Self, Fault> {
        let read = read(text, range).or_else(|wrong| match wrong {
            Wrong::Form => iso(text),
            Wrong::Range => Err(wrong),
        });
        read.map_err(|wrong| {
            let text = quote(text);
            match wrong {
                Wrong::Form => Fault::new(Code::NotADatetime, format!("{text} is not an interval")),
                Wrong::Range => Fault::new(Code::DatetimeOutOfRange, format!("{text} is out of range for an interval")),
            }
        })
    }

    /// Cut to the [`fields`] that are named, with so many digits after the point.
    pub fn within(self, range: i32, digits: u32) -> Self {
        use fields::{DAY, HOUR, MINUTE, MONTH, SECOND, YEAR};
        let cut = |unit: i64| self.micros / unit * unit;
        let cut = match range {
            YEAR => Self { months: self.months / 12 * 12, days: 0, micros: 0 },
            _ if range & !(YEAR | MONTH) == 0 => Self { days: 0, micros: 0, ..self },
            DAY => Self { micros: 0, ..self },
            _ if range & SECOND != 0 => self,
            _ if range & MINUTE != 0 => Self { micros: cut(MINUTE_MICROS), ..self },
            _ if range & HOUR != 0 => Self { micros: cut(HOUR_MICROS), ..self },
            _ => self,
        };
        Self { micros: round_to(cut.micros, digits), ..cut }
    }

    /// Its length where a month has thirty days and a day 24 hours: what intervals are compared by.
    pub fn span(self) -> i128 {
        (i128::from(self.months) * i128::from(MONTH_DAYS) + i128::from(self.days)) * i128::from(DAY_MICROS)
            + i128::from(self.micros)
    }

    /// The order of intervals; a month is thirty days.
    pub fn order(self, other: Self) -> Ordering {
        self.span().cmp(&other.span())
    }

    /// The sum, each part by itself.
    pub fn add(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }

    /// The difference, each part by itself.
    pub fn subtract(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_sub(other.months)?,
            days: self.days.checked_sub(other.days)?,
            micros: self.micros.checked_sub(other.micros)?,
        })
    }

    /// As long the other way.
    pub fn negate(self) -> Option<Self> {
        Self::default().subtract(self)
    }

    /// So many times the interval; fractions of months become days, those of days become time.
    pub fn multiply(self, factor: f64) -> Option<Self> {
        self.scale(|part| part * factor)
    }

    /// The interval divided by a number, which is not zero.
    pub fn divide(self, divisor: f64) -> Option<Self> {
        self.scale(|part| part / divisor)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "floating point, step by step as PostgreSQL computes it; ranges are checked before"
    )]
    fn scale(self, f: impl Fn(f64) -> f64) -> Option<Self> {
        const DAY_SECONDS: f64 = 86_400.0;
        let whole = |value: f64| {
            let fits = value >= f64::from(i32::MIN) && value <= f64::from(i32::MAX);
            fits.then_some(value as i32)
        };
        let rounded = |value: f64| (value * 1e6).round_ties_even() / 1e6;
        let months = whole(f(self.months.into()))?;
        let mut days = whole(f(self.days.into()))?;
        let more_days = rounded((f(self.months.into()) - f64::from(months)) * f64::from(MONTH_DAYS));
        let mut seconds =
            rounded((f(self.days.into()) - f64::from(days) + more_days - f64::from(more_days as i32)) * DAY_SECONDS);
        if seconds.abs() >= DAY_SECONDS {
            let carried = (seconds / DAY_SECONDS) as i32;
            days = days.checked_add(carried)?;
            seconds -= f64::from(carried) * DAY_SECONDS;
        }
        let days = days.checked_add(more_days as i32)?;
        let micros = (f(self.micros as f64) + seconds * 1e6).round_ties_even();
        let fits = micros >= -9_223_372_036_854_775_808.0 && micros < 9_223_372_036_854_775_808.0;
        fits.then_some(Self { months, days, micros: micros as i64 })
    }

    /// Time of 24 hours becomes days.
    pub fn justify_hours(self) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "an i64 of microseconds has fewer than 2^28 days")]
        let days = self.days.checked_add((self.micros / DAY_MICROS) as i32)?;
        Some(Self { days, micros: self.micros % DAY_MICROS, ..self }.with_day_of_one_sign())
    }

    /// Thirty days become a month.
    pub fn justify_days(self) -> Option<Self> {
        let months = self.months.checked_add(self.days / MONTH_DAYS)?;
        let mut justified = Self { months, days: self.days % MONTH_DAYS, ..self };
        if justified.months > 0 && justified.days < 0 {
            justified.days += MONTH_DAYS;
            justified.months -= 1;
        } else if justified.months < 0 && justified.days > 0 {
            justified.days -= MONTH_DAYS;
            justified.months += 1;
        }
        Some(justified)
    }

    /// Both, with one sign for all parts.
    pub fn justify(self) -> Option<Self> {
        let mut part = self;
        if (part.days > 0 && part.micros > 0) || (part.days < 0 && part.micros < 0) {
            part.months = part.months.checked_add(part.days / MONTH_DAYS)?;
            part.days %= MONTH_DAYS;
        }
        #[expect(clippy::cast_possible_truncation, reason = "an i64 of microseconds has fewer than 2^28 days")]
        let carried = (part.micros / DAY_MICROS) as i32;
        part.days = part.days.checked_add(carried)?;
        part.micros %= DAY_MICROS;
        part.months = part.months.checked_add(part.days / MONTH_DAYS)?;
        part.days %= MONTH_DAYS;
        let below = |days: i32, micros: i64| days < 0 || (days == 0 && micros < 0);
        let above = |days: i32, micros: i64| days > 0 || (days == 0 && micros > 0);
        if part.months > 0 && below(part.days, part.micros) {
            part.days += MONTH_DAYS;
            part.months -= 1;
        } else if part.months < 0 && above(part.days, part.micros) {
            part.days -= MONTH_DAYS;
            part.months += 1;
        }
        Some(part.with_day_of_one_sign())
    }

    fn with_day_of_one_sign(self) -> Self {
        let Self { months, mut days, mut micros } = self;
        if days > 0 && micros < 0 {
            micros += DAY_MICROS;
            days -= 1;
        } else if days < 0 && micros > 0 {
            micros -= DAY_MICROS;
            days += 1;
        }
        Self { months, days, micros }
    }

    /// A timestamp so much later: months first, at the last day of a shorter month, then days, then time.
    pub fn after(self, micros: i64) -> Result<i64, Fault> {
        self.shifted(micros).filter(|&moved| moved >= MICROS_MIN).ok_or_else(timestamp_out_of_range)
    }

    fn shifted(self, micros: i64) -> Option<i64> {
        let mut micros = micros;
        if self.months != 0 {
            let day = i32::try_from(micros.div_euclid(DAY_MICROS)).ok()?;
            let moved = add_months(day, self.months.into())?;
            micros = i64::from(moved).checked_mul(DAY_MICROS)?.checked_add(micros.rem_euclid(DAY_MICROS))?;
        }
        if self.days != 0 {
            micros = i64::from(self.days).checked_mul(DAY_MICROS)?.checked_add(micros)?;
            if micros < MICROS_MIN {
                return None;
            }
        }
        micros.checked_add(self.micros)
    }

    /// The time from `start` to `end`: days and time, of one sign.
    pub fn between(start: i64, end: i64) -> Option<Self> {
        Self::of_micros(end.checked_sub(start)?).justify_hours()
    }

    /// The years, months, days and time by which one timestamp is older than the other.
    pub fn age(end: i64, start: i64) -> Self {
        let negative = end < start;
        let parts = |micros: i64| {
            let day = i32::try_from(micros.div_euclid(DAY_MICROS)).unwrap_or_default();
            let (year, month, day) = civil_from_days(day);
            (year, month.cast_signed(), day.cast_signed(), micros.rem_euclid(DAY_MICROS))
        };
        let ((y1, m1, d1, t1), (y2, m2, d2, t2)) = (parts(end), parts(start));
        let sign = if negative { -1 } else { 1 };
        let (mut months, mut days) = (((y1 - y2) * 12 + m1 - m2) * sign, (d1 - d2) * sign);
        let mut micros = (t1 - t2) * i64::from(sign);
        if micros < 0 {
            micros += DAY_MICROS;
            days -= 1;
        }
        // Days are borrowed from the month of the earlier one.
        let (year, month) = if negative { (y1, m1) } else { (y2, m2) };
        while days < 0 {
            days += days_of_month(year, month.cast_unsigned()).cast_signed();
            months -= 1;
        }
        Self { months: months * sign, days: days * sign, micros: micros * i64::from(sign) }
    }

    /// Appends the interval as PostgreSQL prints it: `1 year 2 mons -3 days +04:05:06.7`.
    pub fn write(self, out: &mut String) {
        use std::fmt::Write;
        let (mut first, mut negative) = (true, false);
        for (value, unit) in [(self.months / 12, "year"), (self.months % 12, "mon"), (self.days, "day")] {
            if value != 0 {
                let (blank, plus) = (if first { "" } else { " " }, if negative && value > 0 { "+" } else { "" });
                let plural = if value == 1 { "" } else { "s" };
                // Writing to a String cannot fail.
                let _ = write!(out, "{blank}{plus}{value} {unit}{plural}");
                (first, negative) = (false, value < 0);
            }
        }
        if first || self.micros != 0 {
            out.push_str(if first { "" } else { " " });
            out.push_str(if self.micros < 0 {
                "-"
            } else if negative {
                "+"
            } else {
                ""
            });
            let micros = self.micros.unsigned_abs();
            let (hours, rest) = (micros / HOUR_MICROS.unsigned_abs(), micros % HOUR_MICROS.unsigned_abs());
            let _ = write!(out, "{hours:02}:");
            let mut time = String::new();
            super::datetime::write_time(rest.cast_signed(), &mut time);
            out.push_str(time.get(3..).unwrap_or_default());
        }
    }

    /// Prints the interval.
    pub fn print(self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}

/// The day so many months later, or the last one of a month that is shorter.
pub fn add_months(day: i32, months: i64) -> Option<i32> {
    let (year, month, day) = civil_from_days(day);
    let moved = i64::from(year) * 12 + i64::from(month) - 1 + months;
    let year = i32::try_from(moved.div_euclid(12)).ok()?;
    let month = u32::try_from(moved.rem_euclid(12)).ok()? + 1;
    days_from_civil(year, month, day.min(days_of_month(year, month)))
}

/// Microseconds with so many digits after the second's point, ties away from zero.
pub fn round_to(micros: i64, digits: u32) -> i64 {
    let unit = 10_i64.pow(6 - digits.min(6));
    let rounded = micros.unsigned_abs().saturating_add(unit.unsigned_abs() / 2) / unit.unsigned_abs();
    let rounded = i64::try_from(rounded).unwrap_or(i64::MAX).saturating_mul(unit);
    if micros < 0 { -rounded } else { rounded }
}

/// Why a text is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Form,
    Range,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Micros,
    Millis,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
    Decade,
    Century,
    Millennium,
    /// `quarter` and others, of which there are no intervals.
    Other,
}

fn unit(word: &[u8]) -> Option<Unit> {
    Some(match word {
        b"us" | b"usec" | b"usecs" | b"usecond" | b"useconds" | b"microsecon" => Unit::Micros,
        b"ms" | b"msec" | b"msecs" | b"msecond" | b"mseconds" | b"millisecon" => Unit::Millis,
        b"s" | b"sec" | b"secs" | b"second" | b"seconds" => Unit::Second,
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => Unit::Minute,
        b"h" | b"hr" | b"hrs" | b"hour" | b"hours" => Unit::Hour,
        b"d" | b"day" | b"days" => Unit::Day,
        b"w" | b"week" | b"weeks" => Unit::Week,
        b"mon" | b"mons" | b"month" | b"months" => Unit::Month,
        b"y" | b"yr" | b"yrs" | b"year" | b"years" => Unit::Year,
        b"dec" | b"decs" | b"decade" | b"decades" => Unit::Decade,
        b"c" | b"cent" | b"century" | b"centuries" => Unit::Century,
        b"mil" | b"mils" | b"millennia" | b"millennium" => Unit::Millennium,
        b"qtr" | b"quarter" | b"timezone" | b"timezone_h" | b"timezone_m" => Unit::Other,
        _ => return None,
    })
}

/// What is being read; the parts that intervals have, and years.
#[derive(Debug, Default)]
struct Parts {
    years: i32,
    months: i32,
    days: i32,
    micros: i64,
}

impl Parts {
    fn interval(&self) -> Result<Interval, Wrong> {
        let months = i64::from(self.years) * 12 + i64::from(self.months);
        let months = i32::try_from(months).map_err(|_| Wrong::Range)?;
        Ok(Interval { months, days: self.days, micros: self.micros })
    }

    /// Adds a number of units, given as its whole part and its fraction.
    fn add(&mut self, unit: Unit, whole: i64, fraction: f64) -> Result<(), Wrong> {
        let narrow = |value: i64| i32::try_from(value).map_err(|_| Wrong::Range);
        match unit {
            Unit::Micros => self.add_micros(whole, fraction, 1),
            Unit::Millis => self.add_micros(whole, fraction, 1000),
            Unit::Second => self.add_micros(whole, fraction, SECOND_MICROS),
            Unit::Minute => self.add_micros(whole, fraction, MINUTE_MICROS),
            Unit::Hour => self.add_micros(whole, fraction, HOUR_MICROS),
            Unit::Day => {
                self.days = self.days.checked_add(narrow(whole)?).ok_or(Wrong::Range)?;
                self.add_fraction(fraction, DAY_MICROS)
            }
            Unit::Week => {
                let days = narrow(whole)?.checked_mul(7).ok_or(Wrong::Range)?;
                self.days = self.days.checked_add(days).ok_or(Wrong::Range)?;
                self.add_days_of(fraction, 7)
            }
            Unit::Month => {
                self.months = self.months.checked_add(narrow(whole)?).ok_or(Wrong::Range)?;
                self.add_days_of(fraction, MONTH_DAYS)
            }
            Unit::Year => self.add_years(whole, fraction, 1),
            Unit::Decade => self.add_years(whole, fraction, 10),
            Unit::Century => self.add_years(whole, fraction, 100),
            Unit::Millennium => self.add_years(whole, fraction, 1000),
            Unit::Other => Err(Wrong::Form),
        }
    }

    fn add_micros(&mut self, whole: i64, fraction: f64, scale: i64) -> Result<(), Wrong> {
        let micros = whole.checked_mul(scale).and_then(|micros| self.micros.checked_add(micros));
        self.micros = micros.ok_or(Wrong::Range)?;
        self.add_fraction(fraction, scale)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a fraction of a day at most")]
    fn add_fraction(&mut self, fraction: f64, scale: i64) -> Result<(), Wrong> {
        if fraction == 0.0 {
            return Ok(());
        }
        let exact = fraction * scale as f64;
        let mut micros = exact as i64;
        let rest = exact - micros as f64;
        if rest > 0.5 {
            micros += 1;
        } else if rest < -0.5 {
            micros -= 1;
        }
        self.micros = self.micros.checked_add(micros).ok_or(Wrong::Range)?;
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a month")]
    fn add_days_of(&mut self, fraction: f64, scale: i32) -> Result<(), Wrong> {
        if fraction == 0.0 {
            return Ok(());
        }
        let exact = fraction * f64::from(scale);
        let days = exact as i32;
        self.days = self.days.checked_add(days).ok_or(Wrong::Range)?;
        self.add_fraction(exact - f64::from(days), DAY_MICROS)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a thousand years at most")]
    fn add_years(&mut self, whole: i64, fraction: f64, scale: i32) -> Result<(), Wrong> {
        let years = i32::try_from(whole).ok().and_then(|years| years.checked_mul(scale));
        self.years = years.and_then(|years| self.years.checked_add(years)).ok_or(Wrong::Range)?;
        let months = (fraction * f64::from(scale) * 12.0).round_ties_even() as i32;
        self.months = self.months.checked_add(months).ok_or(Wrong::Range)?;
        Ok(())
    }

    fn negate(&mut self) -> Result<(), Wrong> {
        let negated = |value: i32| value.checked_neg().ok_or(Wrong::Range);
        (self.years, self.months, self.days) = (negated(self.years)?, negated(self.months)?, negated(self.days)?);
        self.micros = self.micros.checked_neg().ok_or(Wrong::Range)?;
        Ok(())
    }
}

/// The unit of a number that has none, by the last of the fields.
fn last_unit(range: i32) -> Unit {
    match range.checked_ilog2() {
        Some(0) => Unit::Year,
        Some(1) => Unit::Month,
        Some(2) => Unit::Day,
        Some(3) => Unit::Hour,
        Some(4) => Unit::Minute,
        _ => Unit::Second,
    }
}

/// What a text has said, a bit for each unit; none may be said twice.
fn bit(unit: Unit) -> u32 {
    1 << unit as u32
}

/// PostgreSQL's and SQL's own forms, from the end to the start, so that a unit comes before its number.
fn read(text: &[u8], range: i32) -> Result<Interval, Wrong> {
    let time = bit(Unit::Hour) | bit(Unit::Minute) | bit(Unit::Second) | bit(Unit::Millis) | bit(Unit::Micros);
    let (fields, count) = grammar::interval_fields(text).ok_or(Wrong::Form)?;
    let fields = fields.get(..count).unwrap_or_default();
    let mut parts = Parts::default();
    let (mut said, mut current, mut open, mut ago) = (0, None, false, false);
    for field in fields.iter().rev() {
        let mut new = 0;
        match field.look {
            Look::Time => {
                parts.micros = time_of(field.text, range)?;
                (new, current, open) = (time, Some(Unit::Day), false);
            }
            Look::Zone if field.text.contains(&b':') && time_of(field.text, range).is_ok() => {
                let micros = time_of(field.text, range)?;
                parts.micros = if field.negative { -micros } else { micros };
                (new, current, open) = (time, Some(Unit::Day), false);
            }
            Look::Zone | Look::Date | Look::Number => {
                let mut unit = current.unwrap_or_else(|| last_unit(range));
                let (whole, fraction, is_months) = number(field.text, field.negative)?;
                if is_months {
                    unit = Unit::Month;
                }
                parts.add(unit, whole, fraction)?;
                new = match unit {
                    Unit::Second if fraction != 0.0 => bit(Unit::Second) | bit(Unit::Millis) | bit(Unit::Micros),
                    _ => bit(unit),
                };
                open = false;
                // A number before hours is of days.
                current = Some(if unit == Unit::Hour { Unit::Day } else { unit });
            }
            Look::Word | Look::SignedWord => {
                if open || field.look == Look::SignedWord {
                    return Err(Wrong::Form);
                }
                let mut lower = [0; 10];
                let length = field.text.len().min(lower.len());
                let (word, _) = lower.split_at_mut(length);
                word.copy_from_slice(field.text.get(..length).unwrap_or_default());
                word.make_ascii_lowercase();
                match unit(word) {
                    Some(found) => (current, open) = (Some(found), true),
                    None if word == b"ago" => ago = true,
                    None if matches!(&*word, b"at" | b"on") => {}
                    None => return Err(Wrong::Form),
                }
            }
        }
        if said & new != 0 {
            return Err(Wrong::Form);
        }
        said |= new;
    }
    if said == 0 || open {
        return Err(Wrong::Form);
    }
    if ago {
        parts.negate()?;
    }
    parts.interval()
}

/// A number with a fraction, or `years-months` as months.
fn number(text: &[u8], negative: bool) -> Result<(i64, f64, bool), Wrong> {
    let (whole, rest) = digits(text);
    let mut value = 0_i64;
    for digit in whole {
        let digit = i64::from(digit - b'0');
        let next = value
            .checked_mul(10)
            .and_then(|value| if negative { value.checked_sub(digit) } else { value.checked_add(digit) });
        value = next.ok_or(Wrong::Range)?;
    }
    match rest {
        [] => Ok((value, 0.0, false)),
        [b'-', months @ ..] => {
            let (months, rest) = digits(months);
            let count = months.iter().try_fold(0_i64, |count, digit| {
                count.checked_mul(10)?.checked_add(i64::from(digit - b'0')).filter(|&count| count < 12)
            });
            let count = count.ok_or(Wrong::Range)?;
            if !rest.is_empty() {
                return Err(Wrong::Form);
            }
            let count = if negative { -count } else { count };
            let months = value.checked_mul(12).and_then(|months| months.checked_add(count)).ok_or(Wrong::Range)?;
            Ok((months, 0.0, true))
        }
        [b'.', fraction @ ..] => {
            let fraction = share(fraction)?;
            Ok((value, if negative { -fraction } else { fraction }, false))
        }
        _ => Err(Wrong::Form),
    }
}

/// The digits after a point as a floating-point number.
fn share(after_point: &[u8]) -> Result<f64, Wrong> {
    if !after_point.iter().all(u8::is_ascii_digit) {
        return Err(Wrong::Form);
    }
    Ok(grammar::share(after_point))
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// `04:05`, `04:05:06.7`, `05:06.7`, with any number of hours.
fn time_of(text: &[u8], range: i32) -> Result<i64, Wrong> {
    let part = |text: &[u8]| {
        text.iter().try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
    };
    let (hours, rest) = digits(text);
    let mut hours = part(hours).ok_or(Wrong::Range)?;
    let [b':', rest @ ..] = rest else { return Err(Wrong::Form) };
    let (minutes, rest) = digits(rest);
    let mut minutes = part(minutes).ok_or(Wrong::Range)?;
    let (mut seconds, mut micros) = (0, 0);
    #[expect(clippy::cast_possible_truncation, reason = "at most a million")]
    let rounded = |after: &[u8]| share(after).map(|share| (share * 1e6).round_ties_even() as i64);
    match rest {
        [] if range == fields::MINUTE | fields::SECOND => (hours, minutes, seconds) = (0, hours, minutes),
        [] => {}
        [b'.', after @ ..] => {
            micros = rounded(after)?;
            (hours, minutes, seconds) = (0, hours, minutes);
        }
        [b':', after @ ..] => {
            let (whole, rest) = digits(after);
            seconds = part(whole).ok_or(Wrong::Range)?;
            match rest {
                [] => {}
                [b'.', after @ ..] => micros = rounded(after)?,
                _ => return Err(Wrong::Form),
            }
        }
        _ => return Err(Wrong::Form),
    }
    if minutes > 59 || seconds > 60 {
        return Err(Wrong::Range);
    }
    let micros = hours
        .checked_mul(HOUR_MICROS)
        .and_then(|hours| hours.checked_add(minutes * MINUTE_MICROS + seconds * SECOND_MICROS + micros));
    micros.ok_or(Wrong::Range)
}

/// ISO 8601: `P1Y2M3DT4H5M6S`, `P0001-02-03T04:05:06`, `P00010203T040506`.
fn iso(text: &[u8]) -> Result<Interval, Wrong> {
    let [b'P', rest @ ..] = text else { return Err(Wrong::Form) };
    if rest.is_empty() {
        return Err(Wrong::Form);
    }
    let mut parts = Parts::default();
    let (mut rest, mut in_date, mut designated) = (rest, true, false);
    while !rest.is_empty() {
        if let [b'T', after @ ..] = rest {
            (rest, in_date, designated) = (after, false, false);
            continue;
        }
        let (whole, fraction, width, after) = iso_number(rest)?;
        let (unit, after) = match after {
            [unit, after @ ..] => (*unit, after),
            [] => (0, after),
        };
        let designator = match (in_date, unit) {
            (true, b'Y') => Some(Unit::Year),
            (true, b'M') => Some(Unit::Month),
            (true, b'W') => Some(Unit::Week),
            (true, b'D') => Some(Unit::Day),
            (false, b'H') => Some(Unit::Hour),
            (false, b'M') => Some(Unit::Minute),
            (false, b'S') => Some(Unit::Second),
            _ => None,
        };
        if let Some(designator) = designator {
            parts.add(designator, whole, fraction)?;
            (rest, designated) = (after, true);
            continue;
        }
        // The forms without designators, in which a part cannot follow one that has its own.
        if designated {
            return Err(Wrong::Form);
        }
        let (units, packed, separator) = match in_date {
            true => ([Unit::Year, Unit::Month, Unit::Day], 8, b'-'),
            false => ([Unit::Hour, Unit::Minute, Unit::Second], 6, b':'),
        };
        if width == packed && (unit == 0 || (in_date && unit == b'T')) {
            let split = [(whole / 10_000, 0.0), (whole / 100 % 100, 0.0), (whole % 100, fraction)];
            for (unit, (whole, fraction)) in units.into_iter().zip(split) {
                parts.add(unit, whole, fraction)?;
            }
            (rest, in_date) = (after, false);
            continue;
        }
        if !(unit == 0 || unit == separator || (in_date && unit == b'T')) {
            return Err(Wrong::Form);
        }
        let [first, second, third] = units;
        parts.add(first, whole, fraction)?;
        rest = rest.get(rest.len() - after.len() - usize::from(unit != 0)..).unwrap_or_default();
        for (place, next) in [second, third].into_iter().enumerate() {
            match rest {
                [] => break,
                [b'T', ..] if in_date => break,
                [found, after @ ..] if *found == separator => {
                    let (whole, fraction, _, after) = iso_number(after)?;
                    parts.add(next, whole, fraction)?;
                    rest = after;
                }
                _ => return Err(Wrong::Form),
            }
            let ends = matches!(rest, [] | [b'T', ..]);
            if place == 1 && !(ends && (in_date || rest.is_empty())) {
                return Err(Wrong::Form);
            }
        }
    }
    parts.interval()
}

/// A number at the start: its whole part, its fraction, how many digits it begins with, and the rest.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "at most 1e15")]
fn iso_number(text: &[u8]) -> Result<(i64, f64, usize, &[u8]), Wrong> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let unsigned = text.get(sign..).unwrap_or_default();
    let (whole, mut after) = digits(unsigned);
    let mut has_digits = !whole.is_empty();
    if let [b'.', fraction @ ..] = after {
        let (fraction, rest) = digits(fraction);
        has_digits |= !fraction.is_empty();
        after = rest;
    }
    if !has_digits {
        return Err(Wrong::Form);
    }
    let exponent = match after {
        [b'e' | b'E', b'+' | b'-', digit, ..] if digit.is_ascii_digit() => 2,
        [b'e' | b'E', digit, ..] if digit.is_ascii_digit() => 1,
        _ => 0,
    };
    if exponent > 0 {
        (_, after) = digits(after.get(exponent..).unwrap_or_default());
    }
    let number = text.get(..text.len() - after.len()).unwrap_or_default();
    let value: f64 = str::from_utf8(number).ok().and_then(|number| number.parse().ok()).ok_or(Wrong::Form)?;
    if !(-1e15..=1e15).contains(&value) {
        return Err(Wrong::Range);
    }
    let truncated = value.trunc();
    Ok((truncated as i64, value - truncated, whole.len(), after))
}
