//! Interval: months, days and microseconds, which do not become one another by themselves.
//!
//! What is read and printed, and how it is computed with, is PostgreSQL's. A type of expressions only.

mod read;

use std::cmp::Ordering;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::MICROS_MAX;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::days_of_month;
use crate::value::datetime::is_finite;
use crate::value::text::quote;
use read::Wrong;

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
pub(crate) mod fields {
    /// `year`
    pub(crate) const YEAR: i32 = 1;
    /// `month`
    pub(crate) const MONTH: i32 = 1 << 1;
    /// `day`
    pub(crate) const DAY: i32 = 1 << 2;
    /// `hour`
    pub(crate) const HOUR: i32 = 1 << 3;
    /// `minute`
    pub(crate) const MINUTE: i32 = 1 << 4;
    /// `second`
    pub(crate) const SECOND: i32 = 1 << 5;
    /// No restriction.
    pub(crate) const ALL: i32 = (1 << 6) - 1;
}

const SECOND_MICROS: i64 = 1_000_000;
const MINUTE_MICROS: i64 = 60 * SECOND_MICROS;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const MONTH_DAYS: i32 = 30;

/// The fault of an interval that is too long.
pub(crate) fn out_of_range() -> Fault {
    Fault::new(Code::DatetimeOutOfRange, "interval out of range")
}

fn timestamp_out_of_range() -> Fault {
    Fault::new(Code::DatetimeOutOfRange, "timestamp out of range")
}

impl Interval {
    /// An interval of microseconds.
    pub(crate) fn of_micros(micros: i64) -> Self {
        Self { micros, ..Self::default() }
    }

    /// Reads an interval: `1 year 2 days 03:04:05`, `@ 3 hours ago`, `1-2`, `P1DT2H`. A number without a unit is of the
    /// last of the `fields`.
    pub fn parse(text: &[u8], range: i32) -> Result<Self, Fault> {
        let read = read::read(text, range).or_else(|wrong| match wrong {
            Wrong::Form => read::iso(text),
            Wrong::Range | Wrong::Whole => Err(wrong),
        });
        read.map_err(|wrong| {
            let text = quote(text);
            match wrong {
                Wrong::Form => Fault::new(Code::NotADatetime, format!("{text} is not an interval")),
                Wrong::Whole => out_of_range(),
                Wrong::Range => Fault::new(Code::IntervalField, format!("{text} is out of range for an interval")),
            }
        })
    }

    /// Cut to the `fields` that are named, with so many digits after the point.
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
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_add(other.months)?,
            days: self.days.checked_add(other.days)?,
            micros: self.micros.checked_add(other.micros)?,
        })
    }

    /// The difference, each part by itself.
    pub(crate) fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            months: self.months.checked_sub(other.months)?,
            days: self.days.checked_sub(other.days)?,
            micros: self.micros.checked_sub(other.micros)?,
        })
    }

    /// As long the other way.
    pub(crate) fn negate(self) -> Option<Self> {
        Self::default().minus(self)
    }

    /// So many times the interval; fractions of months become days, those of days become time.
    pub(crate) fn multiply(self, factor: f64) -> Option<Self> {
        self.scale(|part| part * factor)
    }

    /// The interval divided by a number, which is not zero.
    pub(crate) fn divide(self, divisor: f64) -> Option<Self> {
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
        let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&micros);
        fits.then_some(Self { months, days, micros: micros as i64 })
    }

    /// Time of 24 hours becomes days.
    pub(crate) fn justify_hours(self) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "an i64 of microseconds has fewer than 2^28 days")]
        let days = self.days.checked_add((self.micros / DAY_MICROS) as i32)?;
        Some(Self { days, micros: self.micros % DAY_MICROS, ..self }.with_day_of_one_sign())
    }

    /// Thirty days become a month.
    pub(crate) fn justify_days(self) -> Option<Self> {
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
    pub(crate) fn justify(self) -> Option<Self> {
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
        if !is_finite(micros) {
            return Ok(micros);
        }
        let moved = self.shifted(micros).filter(|moved| (MICROS_MIN..=MICROS_MAX).contains(moved));
        moved.ok_or_else(timestamp_out_of_range)
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
pub(crate) fn add_months(day: i32, months: i64) -> Option<i32> {
    let (year, month, day) = civil_from_days(day);
    let moved = i64::from(year) * 12 + i64::from(month) - 1 + months;
    let year = i32::try_from(moved.div_euclid(12)).ok()?;
    let month = u32::try_from(moved.rem_euclid(12)).ok()? + 1;
    days_from_civil(year, month, day.min(days_of_month(year, month)))
}

/// Microseconds with so many digits after the second's point, ties away from zero.
pub(crate) fn round_to(micros: i64, digits: u32) -> i64 {
    let unit = 10_i64.pow(6 - digits.min(6));
    let rounded = micros.unsigned_abs().saturating_add(unit.unsigned_abs() / 2) / unit.unsigned_abs();
    let rounded = i64::try_from(rounded).unwrap_or(i64::MAX).saturating_mul(unit);
    if micros < 0 { -rounded } else { rounded }
}
