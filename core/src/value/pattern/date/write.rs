//! Write: moments by their pattern.

use std::fmt::Write;

use super::Case;
use super::DAYS;
use super::DatePattern;
use super::Field;
use super::MONTHS;
use super::Ordinal;
use super::Part;
use super::ROMAN;
use super::before_iso_year;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;

impl DatePattern {
    /// Appends a timestamp, which is an instant in UTC or has no zone.
    pub fn write(&self, micros: i64, in_utc: bool, out: &mut String) {
        let moment = Moment::new(micros, in_utc);
        for part in &self.0 {
            match part {
                Part::Field { field, case, dots, fill, ordinal, .. } => {
                    let start = out.len();
                    moment.write(*field, *case, *dots, *fill, out);
                    if *ordinal != Ordinal::No && field.is_digits() {
                        let digits = out.get(start..).unwrap_or_default().as_bytes();
                        let ending = match digits {
                            [.., b'1', _] => "th",
                            [.., b'1'] => "st",
                            [.., b'2'] => "nd",
                            [.., b'3'] => "rd",
                            _ => "th",
                        };
                        if *ordinal == Ordinal::Upper {
                            out.push_str(&ending.to_ascii_uppercase());
                        } else {
                            out.push_str(ending);
                        }
                    }
                }
                Part::Space => out.push(' '),
                Part::Separator(char) | Part::Char(char) => out.push(*char),
            }
        }
    }
}

/// A time in the parts that are written.
struct Moment {
    year: i32,
    month: i32,
    day: i32,
    days: i32,
    of_day: i64,
    in_utc: bool,
}

impl Moment {
    fn new(micros: i64, in_utc: bool) -> Self {
        let days = i32::try_from(micros.div_euclid(DAY_MICROS)).unwrap_or_default();
        let (year, month, day) = civil_from_days(days);
        let of_day = micros.rem_euclid(DAY_MICROS);
        Self { year, month: month.cast_signed(), day: day.cast_signed(), days, of_day, in_utc }
    }

    /// The year and the day of the year by ISO weeks.
    fn iso(&self) -> (i32, i32) {
        let thursday = self.days - (self.days + 3).rem_euclid(7) + 3;
        let (year, _, _) = civil_from_days(thursday);
        (year, before_iso_year(year).map_or(1, |before| self.days - before))
    }

    fn write(&self, field: Field, case: Case, dots: bool, fill: bool, out: &mut String) {
        let shown = |year: i32| i64::from(if year > 0 { year } else { 1 - year });
        let day_of_year = || days_from_civil(self.year, 1, 1).map_or(1, |first| self.days - first + 1);
        let hour = self.of_day / 3_600_000_000;
        let seconds = self.of_day / 1_000_000;
        let fraction = self.of_day % 1_000_000;
        let mut number = |value: i64, width: usize| {
            let width = if fill { 0 } else { width };
            // Writing to a String cannot fail.
            let _ = write!(out, "{value:0width$}");
        };
        let digits_of_year = |year: i32, digits: u8| match digits {
            4 => (shown(year), 4),
            3 => (shown(year) % 1000, 3),
            2 => (shown(year) % 100, 2),
            _ => (shown(year) % 10, 1),
        };
        match field {
            Field::Century => match self.year {
                1.. => number(i64::from((self.year - 1) / 100 + 1), 2),
                year => number(i64::from(year / 100 - 1), 3),
            },
            Field::DayOfYear => number(day_of_year().into(), 3),
            Field::Day => number(self.day.into(), 2),
            Field::DayOfWeek => number(i64::from((self.days + 4).rem_euclid(7) + 1), 0),
            Field::Fraction(digits) => {
                let width = usize::from(digits);
                let value = fraction / 10_i64.pow(6 - u32::from(digits));
                let _ = write!(out, "{value:0width$}");
            }
            Field::Hour24 => number(hour, 2),
            Field::Hour12 => number(if hour % 12 == 0 { 12 } else { hour % 12 }, 2),
            Field::IsoDayOfYear => number(self.iso().1.into(), 3),
            Field::IsoDayOfWeek => number(i64::from((self.days + 3).rem_euclid(7) + 1), 0),
            Field::IsoWeek => number(i64::from((self.iso().1 - 1) / 7 + 1), 2),
            Field::IsoYear(digits) => {
                let (value, width) = digits_of_year(self.iso().0, digits);
                number(value, width);
            }
            Field::Julian => number(i64::from(self.days) + 2_440_588, 0),
            Field::Minute => number(seconds / 60 % 60, 2),
            Field::Month => number(self.month.into(), 2),
            Field::Milliseconds => {
                let _ = write!(out, "{:03}", fraction / 1000);
            }
            Field::Microseconds => {
                let _ = write!(out, "{fraction:06}");
            }
            Field::Quarter => number(i64::from((self.month - 1) / 3 + 1), 0),
            Field::SecondOfDay(_) => number(seconds, 0),
            Field::Second => number(seconds % 60, 2),
            Field::WeekOfYear => number(i64::from((day_of_year() - 1) / 7 + 1), 2),
            Field::WeekOfMonth => number(i64::from((self.day - 1) / 7 + 1), 0),
            Field::YearWithComma => {
                let year = shown(self.year);
                let _ = write!(out, "{},{:03}", year / 1000, year % 1000);
            }
            Field::Year(digits) => {
                let (value, width) = digits_of_year(self.year, digits);
                number(value, width);
            }
            Field::Era => {
                let word = match (self.year > 0, dots) {
                    (true, false) => "AD",
                    (false, false) => "BC",
                    (true, true) => "A.D.",
                    (false, true) => "B.C.",
                };
                name(word, case, 0, out);
            }
            Field::Meridiem => {
                let word = match (hour < 12, dots) {
                    (true, false) => "AM",
                    (false, false) => "PM",
                    (true, true) => "A.M.",
                    (false, true) => "P.M.",
                };
                name(word, case, 0, out);
            }
            Field::DayName | Field::DayAbbreviation => {
                let at = usize::try_from((self.days + 4).rem_euclid(7)).unwrap_or_default();
                let word = DAYS.get(at).copied().unwrap_or_default();
                match field {
                    Field::DayName => name(word, case, if fill { 0 } else { 9 }, out),
                    _ => name(word.get(..3).unwrap_or_default(), case, 0, out),
                }
            }
            Field::MonthName | Field::MonthAbbreviation | Field::Roman => {
                let at = usize::try_from(self.month - 1).unwrap_or_default();
                let word = MONTHS.get(at).copied().unwrap_or_default();
                match field {
                    Field::MonthName => name(word, case, if fill { 0 } else { 9 }, out),
                    Field::MonthAbbreviation => name(word.get(..3).unwrap_or_default(), case, 0, out),
                    _ => name(ROMAN.get(at).copied().unwrap_or_default(), case, if fill { 0 } else { 4 }, out),
                }
            }
            Field::Zone if self.in_utc => name("UTC", case, 0, out),
            Field::Zone | Field::Fixed => {}
            Field::Offset | Field::ZoneHour => out.push_str("+00"),
            Field::ZoneMinute => out.push_str("00"),
        }
    }
}

/// Appends a name in a letter case, with blanks up to a width.
fn name(word: &str, case: Case, width: usize, out: &mut String) {
    let start = out.len();
    match case {
        Case::Upper => out.extend(word.chars().map(|char| char.to_ascii_uppercase())),
        Case::Lower => out.extend(word.chars().map(|char| char.to_ascii_lowercase())),
        Case::Initial => out.push_str(word),
    }
    let blanks = width.saturating_sub(out.len() - start);
    out.extend(std::iter::repeat_n(' ', blanks));
}
