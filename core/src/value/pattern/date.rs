//! Date: the patterns of `to_char`, `to_date` and `to_timestamp`, such as `YYYY-MM-DD HH24:MI:SS`.
//!
//! Patterns mean what they mean to PostgreSQL: outside of `FX`, separators match any separator or none, and a number may be
//! shorter than its pattern where no digit can follow it.

mod read;
mod write;

use crate::column::Fault;
use crate::value::datetime::MONTHS;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const ROMAN: [&str; 12] = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

/// A field of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Era,
    Meridiem,
    Century,
    DayName,
    DayAbbreviation,
    DayOfYear,
    Day,
    DayOfWeek,
    Fraction(u8),
    Fixed,
    Hour24,
    Hour12,
    IsoDayOfYear,
    IsoDayOfWeek,
    IsoWeek,
    IsoYear(u8),
    Julian,
    Minute,
    Month,
    MonthName,
    MonthAbbreviation,
    Milliseconds,
    Offset,
    Quarter,
    Roman,
    SecondOfDay(u8),
    Second,
    Zone,
    ZoneHour,
    ZoneMinute,
    Microseconds,
    WeekOfYear,
    WeekOfMonth,
    YearWithComma,
    Year(u8),
}

/// Every pattern in upper case; a longer one stands before those that it begins with.
const FIELDS: &[(&str, Field)] = &[
    ("A.D.", Field::Era),
    ("A.M.", Field::Meridiem),
    ("AD", Field::Era),
    ("AM", Field::Meridiem),
    ("B.C.", Field::Era),
    ("BC", Field::Era),
    ("CC", Field::Century),
    ("DAY", Field::DayName),
    ("DDD", Field::DayOfYear),
    ("DD", Field::Day),
    ("DY", Field::DayAbbreviation),
    ("D", Field::DayOfWeek),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("FX", Field::Fixed),
    ("HH24", Field::Hour24),
    ("HH12", Field::Hour12),
    ("HH", Field::Hour12),
    ("IDDD", Field::IsoDayOfYear),
    ("ID", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek),
    ("IYYY", Field::IsoYear(4)),
    ("IYY", Field::IsoYear(3)),
    ("IY", Field::IsoYear(2)),
    ("I", Field::IsoYear(1)),
    ("J", Field::Julian),
    ("MI", Field::Minute),
    ("MM", Field::Month),
    ("MONTH", Field::MonthName),
    ("MON", Field::MonthAbbreviation),
    ("MS", Field::Milliseconds),
    ("OF", Field::Offset),
    ("P.M.", Field::Meridiem),
    ("PM", Field::Meridiem),
    ("Q", Field::Quarter),
    ("RM", Field::Roman),
    ("SSSSS", Field::SecondOfDay(5)),
    ("SSSS", Field::SecondOfDay(4)),
    ("SS", Field::Second),
    ("TZH", Field::ZoneHour),
    ("TZM", Field::ZoneMinute),
    ("TZ", Field::Zone),
    ("US", Field::Microseconds),
    ("WW", Field::WeekOfYear),
    ("W", Field::WeekOfMonth),
    ("Y,YYY", Field::YearWithComma),
    ("YYYY", Field::Year(4)),
    ("YYY", Field::Year(3)),
    ("YY", Field::Year(2)),
    ("Y", Field::Year(1)),
];

impl Field {
    /// Whether a text of it begins with a digit, so that the number before it must end by its length.
    fn is_digits(self) -> bool {
        !matches!(
            self,
            Self::Era
                | Self::Meridiem
                | Self::DayName
                | Self::DayAbbreviation
                | Self::Fixed
                | Self::MonthName
                | Self::MonthAbbreviation
                | Self::Offset
                | Self::Roman
                | Self::Zone
                | Self::ZoneHour
        )
    }

    /// Whether it is a number, which may have the ending of an ordinal one.
    fn is_number(self) -> bool {
        self.is_digits() && self != Self::ZoneMinute
    }
}

/// The letter case of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Upper,
    Lower,
    Initial,
}

/// The ending of an ordinal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ordinal {
    No,
    Upper,
    Lower,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Field(Place),
    Space(char),
    Separator(char),
    Char(char),
}

/// A field in its place in a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    field: Field,
    /// Its name in upper case.
    name: &'static str,
    case: Case,
    /// `FM`: neither blanks nor zeros fill it up.
    fill: bool,
    /// `TM`: a name in the session's language, which is English and not filled up.
    localized: bool,
    ordinal: Ordinal,
}

/// A pattern.
#[derive(Debug, Clone)]
pub(crate) struct DatePattern(Vec<Piece>);

fn is_separator(char: char) -> bool {
    char.is_ascii_punctuation()
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

impl DatePattern {
    /// Reads a pattern; every text is one.
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            // One prefix; what it stands before may be no field.
            let prefix = ["FM", "fm", "TM", "tm"].iter().find(|prefix| rest.starts_with(**prefix));
            rest = rest.get(prefix.map_or(0, |prefix| prefix.len())..).unwrap_or_default();
            if let Some((field, name, case, end)) = field_at(rest) {
                let (ordinal, end) = match end.get(..2) {
                    Some("TH") => (Ordinal::Upper, &end[2..]),
                    Some("th") => (Ordinal::Lower, &end[2..]),
                    // PostgreSQL knows that it is to be spelt, and does not spell it.
                    Some("SP") => (Ordinal::No, &end[2..]),
                    _ => (Ordinal::No, end),
                };
                let fill = prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("FM"));
                let localized = prefix.is_some() && !fill;
                pieces.push(Piece::Field(Place { field, name, case, fill, localized, ordinal }));
                rest = end;
                continue;
            }
            let Some(first) = rest.chars().next() else { break };
            rest = &rest[first.len_utf8()..];
            match first {
                '"' => {
                    let mut chars = rest.char_indices();
                    let mut end = rest.len();
                    while let Some((at, char)) = chars.next() {
                        match char {
                            '"' => {
                                end = at + 1;
                                break;
                            }
                            '\\' => pieces.push(Piece::Char(chars.next().map_or('\\', |(_, char)| char))),
                            char => pieces.push(Piece::Char(char)),
                        }
                    }
                    rest = rest.get(end..).unwrap_or_default();
                }
                '\\' if rest.starts_with('"') => {
                    pieces.push(Piece::Char('"'));
                    rest = &rest[1..];
                }
                char if is_space(char) => pieces.push(Piece::Space(char)),
                char if is_separator(char) => pieces.push(Piece::Separator(char)),
                char => pieces.push(Piece::Char(char)),
            }
        }
        Self(pieces)
    }

    /// Why nothing can be read by it, if it has a field that is only written or counts days in two ways.
    pub(crate) fn check_readable(&self) -> Result<(), Fault> {
        let counts = |by_weeks| self.fields().any(|place| read::is_iso(place.field) == Some(by_weeks));
        match self.fields().find(|place| matches!(place.field, Field::Zone | Field::Offset)) {
            Some(place) => Err(read::only_written(place.name)),
            None if counts(true) && counts(false) => Err(read::mixed_weeks()),
            None => Ok(()),
        }
    }

    fn fields(&self) -> impl Iterator<Item = Place> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Field(place) => Some(*place),
            _ => None,
        })
    }
}

/// The field at the start of a pattern, its name, its letter case, and the rest.
fn field_at(text: &str) -> Option<(Field, &'static str, Case, &str)> {
    for &(name, field) in FIELDS {
        let Some(written) = text.get(..name.len()) else { continue };
        let rest = text.get(name.len()..).unwrap_or_default();
        if written == name {
            return Some((field, name, Case::Upper, rest));
        }
        if written.eq_ignore_ascii_case(name) {
            if !written.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Some((field, name, Case::Lower, rest));
            }
            let is_name =
                matches!(field, Field::DayName | Field::DayAbbreviation | Field::MonthName | Field::MonthAbbreviation);
            let lower_tail = written.bytes().skip(1).all(|byte| byte.is_ascii_lowercase());
            if is_name && lower_tail {
                return Some((field, name, Case::Initial, rest));
            }
        }
    }
    None
}

/// The number of a day in the Julian period, as PostgreSQL counts it also where there is no such month or day.
fn julian_day(year: i32, month: i32, day: i32) -> i32 {
    // Years begin in March, so that the leap day is their last.
    let (month, year) =
        if month > 2 { (month + 1, year.wrapping_add(4800)) } else { (month + 13, year.wrapping_add(4799)) };
    let century = year / 100;
    let of_years = year.wrapping_mul(365).wrapping_sub(32_167).wrapping_add(year / 4 - century + century / 4);
    of_years.wrapping_add(7834 * month / 256).wrapping_add(day)
}

/// The Julian day of the Monday of a year's first ISO week.
fn iso_year_start(year: i32) -> i32 {
    let fourth = julian_day(year, 1, 4);
    fourth.wrapping_sub(fourth.rem_euclid(7))
}

/// The ISO year of a day, given the year in which it lies, and the day's number in it, counted from 1.
fn iso_date(year: i32, day: i32) -> (i32, i32) {
    let candidates = [year.wrapping_add(1), year];
    let found =
        candidates.into_iter().find(|&year| iso_year_start(year) <= day).unwrap_or_else(|| year.wrapping_sub(1));
    (found, day.wrapping_sub(iso_year_start(found)).wrapping_add(1))
}
