//! Read: the texts that are intervals, in PostgreSQL's, SQL's and ISO 8601's forms.

use super::HOUR_MICROS;
use super::Interval;
use super::MINUTE_MICROS;
use super::MONTH_DAYS;
use super::SECOND_MICROS;
use super::fields;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::grammar;
use crate::value::datetime::grammar::fields::Look;
use crate::value::datetime::grammar::fields::interval_fields;
use crate::value::unit::Unit;

/// Why a text is no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Form,
    /// A number that its unit has no room for.
    Range,
    /// More months than there is room for, once the years are months.
    Whole,
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
        let months = i32::try_from(months).map_err(|_| Wrong::Whole)?;
        Ok(Interval { months, days: self.days, micros: self.micros })
    }

    /// Adds a number of units, given as its whole part and its fraction.
    fn add(&mut self, unit: Unit, whole: i64, fraction: f64) -> Result<(), Wrong> {
        let narrow = |value: i64| i32::try_from(value).map_err(|_| Wrong::Range);
        match unit {
            Unit::Microseconds => self.add_micros(whole, fraction, 1),
            Unit::Milliseconds => self.add_micros(whole, fraction, 1000),
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
            // There are no intervals of quarters and others.
            _ => Err(Wrong::Form),
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
pub(super) fn read(text: &[u8], range: i32) -> Result<Interval, Wrong> {
    let time =
        bit(Unit::Hour) | bit(Unit::Minute) | bit(Unit::Second) | bit(Unit::Milliseconds) | bit(Unit::Microseconds);
    let (fields, count) = interval_fields(text).ok_or(Wrong::Form)?;
    let fields = fields.get(..count).unwrap_or_default();
    let mut parts = Parts::default();
    // A number before `ago` needs a unit.
    let (mut said, mut current, mut ago, mut is_before_ago) = (0, None, false, false);
    for field in fields.iter().rev() {
        let mut new = 0;
        match field.look {
            Look::Time => {
                parts.micros = time_of(field.text, range)?;
                (new, current, is_before_ago) = (time, Some(Unit::Day), false);
            }
            Look::Zone if field.text.contains(&b':') && time_of(field.text, range).is_ok() => {
                let micros = time_of(field.text, range)?;
                parts.micros = if field.negative { -micros } else { micros };
                (new, current, is_before_ago) = (time, Some(Unit::Day), false);
            }
            Look::Zone | Look::Date | Look::Number => {
                let mut unit = current.unwrap_or_else(|| last_unit(range));
                let (whole, fraction, is_months) = number(field.text, field.negative)?;
                if is_months {
                    unit = Unit::Month;
                } else if is_before_ago {
                    return Err(Wrong::Form);
                }
                is_before_ago = false;
                parts.add(unit, whole, fraction)?;
                new = match unit {
                    Unit::Second if fraction != 0.0 => {
                        bit(Unit::Second) | bit(Unit::Milliseconds) | bit(Unit::Microseconds)
                    }
                    _ => bit(unit),
                };
                // A number before hours is of days.
                current = Some(if unit == Unit::Hour { Unit::Day } else { unit });
            }
            Look::Word | Look::SignedWord => {
                if field.look == Look::SignedWord {
                    return Err(Wrong::Form);
                }
                is_before_ago = false;
                match Unit::parse(field.text).filter(|unit| unit.is_of_interval()) {
                    Some(found) => current = Some(found),
                    None if field.text.eq_ignore_ascii_case(b"ago") => (ago, is_before_ago) = (true, true),
                    None if [&b"at"[..], b"on"].iter().any(|word| field.text.eq_ignore_ascii_case(word)) => {}
                    None => return Err(Wrong::Form),
                }
            }
        }
        if said & new != 0 {
            return Err(Wrong::Form);
        }
        said |= new;
    }
    if said == 0 {
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
pub(super) fn iso(text: &[u8]) -> Result<Interval, Wrong> {
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
            // PostgreSQL 15 takes the fraction behind a time in one run for one of a microsecond.
            let (last, micros) = if in_date { (fraction, 0.0) } else { (0.0, fraction) };
            let split = [(whole / 10_000, 0.0), (whole / 100 % 100, 0.0), (whole % 100, last)];
            for (unit, (whole, fraction)) in units.into_iter().zip(split) {
                parts.add(unit, whole, fraction)?;
            }
            parts.add(Unit::Microseconds, 0, micros)?;
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
#[expect(clippy::cast_possible_truncation, reason = "at most 1e15")]
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
