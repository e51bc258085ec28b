//! Write: moments and spans of time by their pattern.

use std::fmt::Write;

use super::Case;
use super::DAYS;
use super::DatePattern;
use super::Field;
use super::MONTHS;
use super::Ordinal;
use super::Piece;
use super::Place;
use super::ROMAN;
use super::iso_date;
use super::julian_day;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::Interval;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;

impl DatePattern {
    /// Appends a timestamp, which is an instant in UTC or has no zone.
    pub(crate) fn write(&self, micros: i64, in_utc: bool, out: &mut String) {
        let days = i32::try_from(micros.div_euclid(DAY_MICROS)).unwrap_or_default();
        let (year, month, day) = civil_from_days(days);
        let time = micros.rem_euclid(DAY_MICROS);
        // The first year begins 327 days before the first day that there is.
        let first = days_from_civil(year, 1, 1).unwrap_or(-2_440_588 - 327);
        let moment = Moment {
            year,
            month: month.cast_signed(),
            day: day.cast_signed(),
            day_of_year: days - first + 1,
            hour: time / 3_600_000_000,
            minute: time / 60_000_000 % 60,
            second: time / 1_000_000 % 60,
            micros: time % 1_000_000,
            kind: Kind::Moment { weekday: (days + 4).rem_euclid(7), in_utc },
        };
        for piece in &self.0 {
            // A moment has every field.
            let _ = moment.piece(piece, out);
        }
    }

    /// Appends a span of time. Fields of the calendar are the fault of a pattern.
    pub(crate) fn write_interval(&self, interval: Interval, out: &mut String) -> Result<(), Fault> {
        let Interval { months, days, micros: time } = interval;
        let moment = Moment {
            year: months / 12,
            month: months % 12,
            day: days,
            day_of_year: months.wrapping_mul(30).wrapping_add(days),
            hour: time / 3_600_000_000,
            minute: time / 60_000_000 % 60,
            second: time / 1_000_000 % 60,
            micros: time % 1_000_000,
            kind: Kind::Span,
        };
        self.0.iter().try_for_each(|piece| moment.piece(piece, out))
    }

    /// Whether it has a field that no span of time has.
    pub(crate) fn is_of_calendar(&self) -> bool {
        self.fields().any(|place| is_of_calendar(place.field))
    }
}

fn is_of_calendar(field: Field) -> bool {
    matches!(
        field,
        Field::Era
            | Field::DayName
            | Field::DayAbbreviation
            | Field::DayOfWeek
            | Field::IsoDayOfWeek
            | Field::MonthName
            | Field::MonthAbbreviation
            | Field::Zone
            | Field::ZoneHour
            | Field::ZoneMinute
            | Field::Offset
    )
}

/// A time in the fields that are written. The fields of a span may have a minus.
struct Moment {
    /// Astronomical, of a moment.
    year: i32,
    month: i32,
    day: i32,
    day_of_year: i32,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Sunday is 0.
    Moment {
        weekday: i32,
        in_utc: bool,
    },
    Span,
}

impl Moment {
    fn piece(&self, piece: &Piece, out: &mut String) -> Result<(), Fault> {
        match piece {
            Piece::Field(place) if self.kind == Kind::Span && is_of_calendar(place.field) => {
                Err(Fault::new(Code::NotADatetime, "an interval has no field of the calendar"))
            }
            Piece::Field(place) => {
                let start = out.len();
                self.field(place, out);
                if place.ordinal != Ordinal::No && place.field.is_number() && out.len() > start {
                    let ending = ending(out.get(start..).unwrap_or_default());
                    match place.ordinal {
                        Ordinal::Upper => out.push_str(&ending.to_ascii_uppercase()),
                        _ => out.push_str(ending),
                    }
                }
                Ok(())
            }
            Piece::Space(char) | Piece::Separator(char) | Piece::Char(char) => {
                out.push(*char);
                Ok(())
            }
        }
    }

    /// The days of a span may be as few as there are: what is one less is then the most, as in PostgreSQL.
    fn field(&self, place: &Place, out: &mut String) {
        let year = self.shown(self.year);
        let dots = place.name.contains('.');
        // A minus comes on top of the width. Writing to a String cannot fail, here and below.
        let mut number = |value: i64, width: usize| {
            let width = if place.fill { 0 } else { width + usize::from(value < 0) };
            let _ = write!(out, "{value:0width$}");
        };
        let of_year = |year: i64, digits: u8| match digits {
            4 => (year, 4),
            3 => (year % 1000, 3),
            2 => (year % 100, 2),
            _ => (year % 10, 0),
        };
        match place.field {
            Field::Century => {
                let century = match (self.kind, self.year) {
                    (Kind::Span, year) => year / 100,
                    (_, year @ 1..) => (year - 1) / 100 + 1,
                    (_, year) => year / 100 - 1,
                };
                number(century.into(), if (-99..=99).contains(&century) { 2 } else { 0 });
            }
            Field::DayOfYear => padded(self.day_of_year.into(), 3, place, out),
            Field::IsoDayOfYear => padded(self.iso().1.into(), 3, place, out),
            Field::Day => padded(self.day.into(), 2, place, out),
            Field::WeekOfYear => padded(i64::from(self.day_of_year.wrapping_sub(1) / 7 + 1), 2, place, out),
            Field::IsoWeek => padded(i64::from((self.iso().1 - 1) / 7 + 1), 2, place, out),
            Field::DayOfWeek => number(i64::from(self.weekday() + 1), 0),
            Field::IsoDayOfWeek => number(i64::from((self.weekday() + 6) % 7 + 1), 0),
            Field::WeekOfMonth => number(i64::from(self.day.wrapping_sub(1) / 7 + 1), 0),
            Field::Quarter if self.month == 0 => {}
            Field::Quarter => number(i64::from((self.month - 1) / 3 + 1), 0),
            Field::Month => number(self.month.into(), 2),
            Field::Julian => number(julian_day(self.year, self.month, self.day).into(), 0),
            Field::Hour24 => number(self.hour, 2),
            Field::Hour12 => {
                let hour = if self.hour % 12 == 0 { 12 } else { self.hour % 12 };
                // The width is that of the hour by the other clock.
                let width = if place.fill { 0 } else { 2 + usize::from(self.hour < 0) };
                let _ = write!(out, "{hour:0width$}");
            }
            Field::Minute => number(self.minute, 2),
            Field::Second => number(self.second, 2),
            Field::SecondOfDay(_) => number(self.hour * 3600 + self.minute * 60 + self.second, 0),
            Field::Milliseconds => fraction(self.micros, 3, out),
            Field::Microseconds => fraction(self.micros, 6, out),
            Field::Fraction(digits) => fraction(self.micros, digits, out),
            Field::YearWithComma => {
                let _ = write!(out, "{},{:03}", year / 1000, year % 1000);
            }
            Field::Year(digits) => {
                let (value, width) = of_year(year, digits);
                padded(value, width + usize::from(width > 0 && year < 0), place, out);
            }
            Field::IsoYear(digits) => {
                // Its width goes by the sign of the other year.
                let (value, width) = of_year(self.shown(self.iso().0), digits);
                padded(value, width + usize::from(width > 0 && year < 0), place, out);
            }
            Field::Era => {
                let word = match (self.year > 0, dots) {
                    (true, false) => "AD",
                    (false, false) => "BC",
                    (true, true) => "A.D.",
                    (false, true) => "B.C.",
                };
                name(word, place.case, 0, out);
            }
            Field::Meridiem => {
                let word = match (self.hour % 24 < 12, dots) {
                    (true, false) => "AM",
                    (false, false) => "PM",
                    (true, true) => "A.M.",
                    (false, true) => "P.M.",
                };
                name(word, place.case, 0, out);
            }
            Field::DayName | Field::DayAbbreviation => {
                let word =
                    usize::try_from(self.weekday()).ok().and_then(|at| DAYS.get(at)).copied().unwrap_or_default();
                match place.field {
                    Field::DayName => name(word, place.case, place.width(9), out),
                    _ => name(word.get(..3).unwrap_or_default(), place.case, 0, out),
                }
            }
            Field::MonthName | Field::MonthAbbreviation => {
                let at = usize::try_from(self.month - 1).ok();
                let word = at.and_then(|at| MONTHS.get(at)).copied().unwrap_or_default();
                match place.field {
                    Field::MonthName => name(word, place.case, place.width(9), out),
                    _ => name(word.get(..3).unwrap_or_default(), place.case, 0, out),
                }
            }
            Field::Roman => {
                // Of whole years it is the last month, or the first of those that go backwards.
                let month = match self.month {
                    0 if self.year == 0 => return,
                    0 if self.year > 0 => 12,
                    0 => 1,
                    month @ 1.. => month,
                    month => 13 + month,
                };
                let at = usize::try_from(month - 1).ok();
                let numeral = at.and_then(|at| ROMAN.get(at)).copied().unwrap_or_default();
                name(numeral, place.case, if place.fill { 0 } else { 4 }, out);
            }
            Field::Zone if matches!(self.kind, Kind::Moment { in_utc: true, .. }) => name("UTC", place.case, 0, out),
            Field::Zone | Field::Fixed => {}
            Field::Offset => out.push_str(if place.fill { "+0" } else { "+00" }),
            Field::ZoneHour => out.push_str("+00"),
            Field::ZoneMinute => out.push_str("00"),
        }
    }

    /// The year as it is written: the year before 1 AD is 1 BC.
    fn shown(&self, year: i32) -> i64 {
        match self.kind {
            Kind::Moment { .. } if year <= 0 => 1 - i64::from(year),
            _ => year.into(),
        }
    }

    fn weekday(&self) -> i32 {
        match self.kind {
            Kind::Moment { weekday, .. } => weekday,
            Kind::Span => 0,
        }
    }

    /// The ISO year, and the day's number in it.
    fn iso(&self) -> (i32, i32) {
        iso_date(self.year, julian_day(self.year, self.month, self.day))
    }
}

impl Place {
    /// The width of a name.
    fn width(&self, width: usize) -> usize {
        if self.fill || self.localized { 0 } else { width }
    }
}

/// A number with zeros up to a width in which its minus counts.
fn padded(value: i64, width: usize, place: &Place, out: &mut String) {
    let width = if place.fill { 0 } else { width };
    let _ = write!(out, "{value:0width$}");
}

/// So many digits after the second's point.
fn fraction(micros: i64, digits: u8, out: &mut String) {
    let width = usize::from(digits);
    let value = micros / 10_i64.pow(6 - u32::from(digits.min(6)));
    let _ = write!(out, "{value:0width$}");
}

/// The ending of an ordinal number.
fn ending(number: &str) -> &'static str {
    match number.as_bytes() {
        [.., b'1', _] => "th",
        [.., b'1'] => "st",
        [.., b'2'] => "nd",
        [.., b'3'] => "rd",
        _ => "th",
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
