//! Date: the patterns of `to_char`, `to_date` and `to_timestamp`, such as `YYYY-MM-DD HH24:MI:SS`.
//!
//! Patterns mean what they mean to PostgreSQL: outside of `FX`, separators match any separator or none, and a number may be
//! shorter than its pattern where no digit can follow it.

mod read;
mod write;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::datetime::days_from_civil;
use crate::value::text::quote;

const MONTHS: [&str; 12] = [
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
    /// Whether its text begins with a digit.
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
enum Part {
    Field { field: Field, case: Case, dots: bool, text: &'static str, fill: bool, ordinal: Ordinal },
    Space,
    Separator(char),
    Char(char),
}

/// A pattern.
#[derive(Debug, Clone)]
pub struct DatePattern(Vec<Part>);

fn is_separator(char: char) -> bool {
    char.is_ascii_punctuation()
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

fn wrong(text: &str, what: &str) -> Fault {
    Fault::new(Code::NotADatetime, format!("{} is not a {what}", quote(text.as_bytes())))
}

impl DatePattern {
    /// Reads a pattern; every text is one.
    pub fn new(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let mut after = rest;
            let mut fill = false;
            while let Some(next) = ["FM", "fm", "TM", "tm"].iter().find_map(|prefix| after.strip_prefix(prefix)) {
                (after, fill) = (next, true);
            }
            if let Some((field, text, case, end)) = field_at(after) {
                let (ordinal, end) = match end.get(..2) {
                    Some("TH") => (Ordinal::Upper, &end[2..]),
                    Some("th") => (Ordinal::Lower, &end[2..]),
                    _ => (Ordinal::No, end),
                };
                parts.push(Part::Field { field, case, dots: text.contains('.'), text, fill, ordinal });
                rest = end;
                continue;
            }
            if fill {
                // A prefix of nothing is passed over.
                rest = after;
                continue;
            }
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
                            '\\' => parts.extend(chars.next().map(|(_, char)| Part::Char(char))),
                            char => parts.push(Part::Char(char)),
                        }
                    }
                    rest = rest.get(end..).unwrap_or_default();
                }
                '\\' if rest.starts_with('"') => {
                    parts.push(Part::Char('"'));
                    rest = &rest[1..];
                }
                char if is_space(char) => parts.push(Part::Space),
                char if is_separator(char) => parts.push(Part::Separator(char)),
                char => parts.push(Part::Char(char)),
            }
        }
        Self(parts)
    }

    /// Whether it has a field that can be written and not read here.
    pub fn has_zone(&self) -> bool {
        let is_zone = |part: &Part| {
            matches!(part, Part::Field { field: Field::Zone | Field::Offset | Field::ZoneHour | Field::ZoneMinute, .. })
        };
        self.0.iter().any(is_zone)
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

fn out_of_range(text: &str) -> Fault {
    let fact = format!("{} is out of range for a timestamp", quote(text.as_bytes()));
    Fault::new(Code::DatetimeOutOfRange, fact)
}

/// The day before the first day of the ISO year's first week.
fn before_iso_year(year: i32) -> Option<i32> {
    let fourth = days_from_civil(year, 1, 4)?;
    Some(fourth - (fourth + 3).rem_euclid(7) - 1)
}
