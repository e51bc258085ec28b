//! Template: the patterns of `to_char`, `to_date` and `to_timestamp`, such as `YYYY-MM-DD HH24:MI:SS`.
//!
//! Patterns mean what they mean to PostgreSQL: outside of `FX`, separators match any separator or none, and a number may be
//! shorter than its pattern where no digit can follow it.

use std::fmt::Write;

use super::DAY_MICROS;
use super::civil_from_days;
use super::days_from_civil;
use super::days_of_month;
use crate::column::Fault;
use crate::diagnostic::Code;
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
pub struct Template(Vec<Part>);

fn is_separator(char: char) -> bool {
    char.is_ascii_punctuation()
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

fn wrong(text: &str, what: &str) -> Fault {
    Fault::new(Code::NotADatetime, format!("{} is not a {what}", quote(text.as_bytes())))
}

impl Template {
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

    /// Reads a timestamp.
    pub fn read(&self, text: &str) -> Result<i64, Fault> {
        let (days, micros) = self.read_parts(text)?;
        let whole = i64::from(days).checked_mul(DAY_MICROS).and_then(|midnight| midnight.checked_add(micros));
        whole.ok_or_else(|| out_of_range(text))
    }

    /// Reads a day.
    pub fn read_date(&self, text: &str) -> Result<i32, Fault> {
        self.read_parts(text).map(|(days, _)| days)
    }

    fn read_parts(&self, text: &str) -> Result<(i32, i64), Fault> {
        let mut said = Said::default();
        let mut rest = text;
        let (mut fixed, mut skipped) = (false, 0_i32);
        for (at, part) in self.0.iter().enumerate() {
            if rest.is_empty() {
                break;
            }
            if !fixed && (at == 0 || matches!(part, Part::Field { .. })) {
                let trimmed = rest.trim_start_matches(is_space);
                skipped = skipped.saturating_add(i32::try_from(rest.len() - trimmed.len()).unwrap_or(i32::MAX));
                rest = trimmed;
            }
            let first = rest.chars().next();
            let next = || first.map_or(rest, |char| rest.get(char.len_utf8()..).unwrap_or_default());
            match part {
                Part::Space | Part::Separator(_) => {
                    if fixed {
                        rest = next();
                    } else {
                        skipped -= 1;
                        if first.is_some_and(|char| is_space(char) || is_separator(char)) {
                            rest = next();
                            skipped += 1;
                        }
                    }
                }
                Part::Char(_) if !fixed && skipped > 0 => skipped -= 1,
                Part::Char(_) => rest = next(),
                Part::Field { field: Field::Fixed, .. } => fixed = true,
                Part::Field { field, text: name, fill, ordinal, .. } => {
                    let open = *fill || *ordinal != Ordinal::No || self.ends_number(at);
                    rest = said.read(*field, name, rest, open)?;
                    if *ordinal != Ordinal::No {
                        rest = rest.get(rest.len().min(2)..).unwrap_or_default();
                    }
                    if !fixed {
                        let trimmed = rest.trim_start_matches(is_space);
                        skipped = i32::try_from(rest.len() - trimmed.len()).unwrap_or(i32::MAX);
                        rest = trimmed;
                    }
                }
            }
        }
        said.finish(text)
    }

    /// Whether no digit can follow the number of a field.
    fn ends_number(&self, at: usize) -> bool {
        match self.0.get(at + 1) {
            None => true,
            Some(Part::Field { field, .. }) => !field.is_digits(),
            Some(Part::Char(char)) => !char.is_ascii_digit(),
            Some(Part::Space | Part::Separator(_)) => true,
        }
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

/// What a text has said. Zero is the same as nothing, as it is for PostgreSQL.
#[derive(Debug, Default)]
struct Said {
    hour: i32,
    minute: i32,
    second: i32,
    second_of_day: i32,
    micros: i32,
    millis: i32,
    half_day: bool,
    pm: bool,
    year: i32,
    year_digits: u8,
    century: i32,
    bc: bool,
    month: i32,
    day: i32,
    day_of_week: i32,
    day_of_year: i32,
    week: i32,
    week_of_month: i32,
    julian: i32,
    /// Whether by ISO weeks, once a field has decided it.
    iso: Option<bool>,
}

impl Said {
    /// Reads a field, and gives the rest. An open number ends where its digits end.
    fn read<'a>(&mut self, field: Field, pattern: &str, text: &'a str, open: bool) -> Result<&'a str, Fault> {
        let is_iso = match field {
            Field::IsoYear(_) | Field::IsoWeek | Field::IsoDayOfWeek | Field::IsoDayOfYear => Some(true),
            Field::Year(_)
            | Field::YearWithComma
            | Field::Month
            | Field::MonthName
            | Field::MonthAbbreviation
            | Field::Roman
            | Field::Day
            | Field::DayOfWeek
            | Field::DayOfYear
            | Field::WeekOfYear
            | Field::WeekOfMonth => Some(false),
            _ => None,
        };
        if is_iso.is_some() {
            if self.iso.is_some() && self.iso != is_iso {
                return Err(Fault::new(Code::NotADatetime, "a pattern cannot mix ISO weeks with months"));
            }
            self.iso = is_iso;
        }
        let number = |length: usize| number(pattern, text, length, open);
        let (slot, (value, rest)) = match field {
            Field::Hour24 => (&mut self.hour, number(2)?),
            Field::Hour12 => {
                self.half_day = true;
                (&mut self.hour, number(2)?)
            }
            Field::Minute => (&mut self.minute, number(2)?),
            Field::Second => (&mut self.second, number(2)?),
            Field::SecondOfDay(length) => (&mut self.second_of_day, number(length.into())?),
            Field::Milliseconds | Field::Microseconds | Field::Fraction(_) => {
                let places = match field {
                    Field::Milliseconds => 3,
                    Field::Fraction(places) => usize::from(places),
                    _ => 6,
                };
                let (value, rest) = number(places)?;
                let used = u32::try_from(text.len() - rest.len()).unwrap_or(u32::MAX);
                let (slot, unit) = match field {
                    Field::Milliseconds => (&mut self.millis, 3_u32),
                    _ => (&mut self.micros, 6),
                };
                let scaled = value.checked_mul(10_i32.pow(unit.saturating_sub(used)));
                (slot, (scaled.ok_or_else(|| out_of_range(text))?, rest))
            }
            Field::Month => (&mut self.month, number(2)?),
            Field::Day => (&mut self.day, number(2)?),
            Field::DayOfYear | Field::IsoDayOfYear => (&mut self.day_of_year, number(3)?),
            Field::DayOfWeek => (&mut self.day_of_week, number(1)?),
            Field::IsoDayOfWeek => {
                let (value, rest) = number(1)?;
                (&mut self.day_of_week, (if value >= 7 { 1 } else { value + 1 }, rest))
            }
            Field::WeekOfYear | Field::IsoWeek => (&mut self.week, number(2)?),
            Field::WeekOfMonth => (&mut self.week_of_month, number(1)?),
            Field::Quarter => return number(1).map(|(_, rest)| rest),
            Field::Century => (&mut self.century, number(2)?),
            Field::Julian => (&mut self.julian, number(1)?),
            Field::Year(digits) | Field::IsoYear(digits) => {
                let (value, rest) = number(digits.into())?;
                self.year_digits = digits;
                let short = digits < 4 && text.len() - rest.len() < 4;
                (&mut self.year, (if short { near_2020(value) } else { value }, rest))
            }
            Field::YearWithComma => {
                let (thousands, rest) = text.split_once(',').ok_or_else(|| wrong(text, pattern))?;
                let (ones, after) = rest.split_at_checked(3).unwrap_or((rest, ""));
                let (thousands, ones) = (thousands.trim().parse::<i32>(), ones.parse::<i32>());
                let (Ok(thousands), Ok(ones)) = (thousands, ones) else { return Err(wrong(text, pattern)) };
                self.year_digits = 4;
                let year = thousands.checked_mul(1000).and_then(|year| year.checked_add(ones));
                (&mut self.year, (year.ok_or_else(|| out_of_range(text))?, after))
            }
            Field::MonthName => {
                let (at, rest) = among(&MONTHS, usize::MAX, text, pattern)?;
                (&mut self.month, (at + 1, rest))
            }
            Field::MonthAbbreviation => {
                let (at, rest) = among(&MONTHS, 3, text, pattern)?;
                (&mut self.month, (at + 1, rest))
            }
            Field::DayName => {
                let (at, rest) = among(&DAYS, usize::MAX, text, pattern)?;
                (&mut self.day_of_week, (at + 1, rest))
            }
            Field::DayAbbreviation => {
                let (at, rest) = among(&DAYS, 3, text, pattern)?;
                (&mut self.day_of_week, (at + 1, rest))
            }
            Field::Roman => {
                let mut found = None;
                for (at, numeral) in (1..).zip(ROMAN) {
                    let matches = text.get(..numeral.len()).is_some_and(|start| start.eq_ignore_ascii_case(numeral));
                    if matches && found.is_none_or(|(_, length)| length < numeral.len()) {
                        found = Some((at, numeral.len()));
                    }
                }
                let (month, length) = found.ok_or_else(|| wrong(text, pattern))?;
                (&mut self.month, (month, text.get(length..).unwrap_or_default()))
            }
            Field::Era => {
                let words = if pattern.contains('.') { ["A.D.", "B.C."] } else { ["AD", "BC"] };
                let (at, rest) = among(&words, usize::MAX, text, pattern)?;
                self.bc = at == 1;
                return Ok(rest);
            }
            Field::Meridiem => {
                let words = if pattern.contains('.') { ["A.M.", "P.M."] } else { ["AM", "PM"] };
                let (at, rest) = among(&words, usize::MAX, text, pattern)?;
                (self.pm, self.half_day) = (at == 1, true);
                return Ok(rest);
            }
            Field::Fixed | Field::Offset | Field::Zone | Field::ZoneHour | Field::ZoneMinute => {
                let fact = format!("the pattern `{pattern}` is only written, not read");
                return Err(Fault::new(Code::NotForValues, fact));
            }
        };
        if *slot != 0 && *slot != value {
            let fact = format!("`{pattern}` contradicts what stands before it");
            return Err(Fault::new(Code::NotADatetime, fact));
        }
        *slot = value;
        Ok(rest)
    }

    fn finish(mut self, text: &str) -> Result<(i32, i64), Fault> {
        let range = || out_of_range(text);
        let (mut hour, mut minute, mut second) = (0, 0, 0);
        if self.second_of_day != 0 {
            let seconds = self.second_of_day;
            (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        }
        hour = if self.hour == 0 { hour } else { self.hour };
        minute = if self.minute == 0 { minute } else { self.minute };
        second = if self.second == 0 { second } else { self.second };
        if self.half_day {
            if !(1..=12).contains(&hour) {
                let fact = format!("hour {hour} is not on the 12-hour clock");
                return Err(Fault::new(Code::NotADatetime, fact));
            }
            hour = hour % 12 + if self.pm { 12 } else { 0 };
        }
        let (mut year, mut month, mut day) = (0, 1, 1);
        let (mut has_year, mut has_month, mut has_day) = (false, false, false);
        let century = if self.bc { -self.century } else { self.century };
        if self.year != 0 {
            has_year = true;
            if century != 0 && self.year_digits <= 2 {
                let in_century = self.year % 100;
                year = match (in_century, century) {
                    (0, 0..) => century.saturating_mul(100),
                    (0, _) => century.saturating_mul(100).saturating_add(1),
                    (_, 0..) => (century - 1).saturating_mul(100).saturating_add(in_century),
                    _ => (century + 1).saturating_mul(100).saturating_sub(in_century).saturating_add(1),
                };
            } else {
                year = if self.bc { self.year.saturating_neg() } else { self.year };
                year += i32::from(year < 0);
            }
        } else if century != 0 {
            has_year = true;
            year = if century >= 0 { century - 1 } else { century }.saturating_mul(100).saturating_add(1);
        }
        let mut whole = None;
        if self.julian != 0 {
            whole = Some(i64::from(self.julian) - 2_440_588);
        }
        let is_iso = self.iso == Some(true);
        if self.week != 0 {
            if is_iso {
                let before = before_iso_year(year).ok_or_else(range)?;
                let day_of_week = match self.day_of_week {
                    0 | 2 => 1,
                    1 => 7,
                    day => day - 1,
                };
                whole = Some(i64::from(before) + (i64::from(self.week) - 1) * 7 + i64::from(day_of_week));
            } else {
                self.day_of_year = (self.week.saturating_sub(1)).saturating_mul(7).saturating_add(1);
            }
        }
        if self.week_of_month != 0 {
            self.day = (self.week_of_month.saturating_sub(1)).saturating_mul(7).saturating_add(1);
        }
        if let Some(days) = whole {
            let days = i32::try_from(days).map_err(|_| range())?;
            let (y, m, d) = civil_from_days(days);
            (year, month, day) = (y, m.cast_signed(), d.cast_signed());
            (has_year, has_month, has_day) = (true, true, true);
        }
        if self.day != 0 {
            (day, has_day) = (self.day, true);
        }
        if self.month != 0 {
            (month, has_month) = (self.month, true);
        }
        if self.day_of_year != 0 && (month <= 1 || day <= 1) {
            if year == 0 && !self.bc {
                return Err(Fault::new(Code::NotADatetime, "a day of the year needs a year"));
            }
            let first = match is_iso {
                true => before_iso_year(year).and_then(|before| before.checked_add(1)),
                false => days_from_civil(year, 1, 1),
            };
            let days = first.ok_or_else(range)?.checked_add(self.day_of_year - 1).ok_or_else(range)?;
            let (y, m, d) = civil_from_days(days);
            if !is_iso && y != year {
                return Err(range());
            }
            if is_iso {
                (year, month, day) = (y, m.cast_signed(), d.cast_signed());
            } else {
                (month, day) =
                    (if month <= 1 { m.cast_signed() } else { month }, if day <= 1 { d.cast_signed() } else { day });
            }
            (has_month, has_day) = (true, true);
        }
        let length = days_of_month(year, month.cast_unsigned()).cast_signed();
        let exists = (!has_month || (1..=12).contains(&month))
            && (!has_day || (1..=31).contains(&day))
            && (!(has_year && has_month && has_day) || day <= length);
        let in_day = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        let micros = i64::from(self.millis) * 1000 + i64::from(self.micros);
        if !exists || !in_day || !(0..1_000_000).contains(&micros) {
            return Err(range());
        }
        let first = days_from_civil(year, month.cast_unsigned(), 1).ok_or_else(range)?;
        let days = first.checked_add(day - 1).ok_or_else(range)?;
        Ok((days, (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000 + micros))
    }
}

/// A year of fewer than four digits is the one nearest to 2020.
fn near_2020(year: i32) -> i32 {
    match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

/// A number and the rest. One that is not open has exactly so many characters.
fn number<'a>(pattern: &str, text: &'a str, length: usize, open: bool) -> Result<(i32, &'a str), Fault> {
    let text = text.trim_start_matches(is_space);
    let within = if open { text } else { text.get(..length).ok_or_else(|| wrong(text, pattern))? };
    let unsigned = within.trim_start_matches(is_space);
    let unsigned = unsigned.strip_prefix(['-', '+']).unwrap_or(unsigned);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let used = within.len() - unsigned.len() + digits;
    if digits == 0 || (!open && used < length) {
        return Err(wrong(within, pattern));
    }
    let (number, rest) = text.split_at(used);
    let value = number.trim_start_matches(is_space).parse().map_err(|_| out_of_range(text))?;
    Ok((value, rest))
}

/// Which of some words a text begins with, by so many of their letters, and the rest.
fn among<'a>(words: &[&str], letters: usize, text: &'a str, pattern: &str) -> Result<(i32, &'a str), Fault> {
    for (at, word) in (0..).zip(words) {
        let word = word.get(..letters.min(word.len())).unwrap_or_default();
        if text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
            return Ok((at, text.get(word.len()..).unwrap_or_default()));
        }
    }
    Err(wrong(text, pattern))
}
