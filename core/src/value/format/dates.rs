//! Dates: days and times as a pattern describes them, `DD.MM.YYYY HH24:MI:SS`.
//!
//! `docs/reference/values.md` has a row for each word of patterns. A pattern takes what it describes and nothing else, but for
//! blanks around a text.

use super::out_of_range;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::iso_date;
use crate::value::text::quote;
use crate::value::trim;

/// How a day, or a day and a time, is written: `DD.MM.YYYY HH24:MI:SS`, in the letters of PostgreSQL's and Redshift's
/// `to_timestamp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Exactly these bytes.
    Literal(Vec<u8>),
    /// A number of digits.
    Digits { part: DateField, least: usize, most: usize },
    /// A fraction of a second: digits, of which those after the sixth are zeros. Where it has a mark, `.` or `,`, both may be missing.
    Fraction { mark: Option<u8> },
    /// A month's English name: its first three letters, or all of them.
    MonthName { is_short: bool },
    /// A weekday's English name, likewise. It is that of the day.
    Weekday { is_short: bool },
    /// `AM` or `PM`.
    Half,
    /// An offset from UTC as ISO 8601 writes it: `Z`, `+01`, `+0100`, `+01:00`.
    Offset,
    /// The hours of an offset, with their sign.
    OffsetHours,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DateField {
    Year,
    YearOfCentury,
    Month,
    Day,
    Hour,
    HourOfHalf,
    Minute,
    Second,
    Fraction,
    OffsetMinutes,
}

/// The words of patterns; of two that begin alike the longer stands first. `docs/reference/values.md` says what each takes.
const WORDS: [(&str, Item); 21] = {
    const fn digits(part: DateField, least: usize, most: usize) -> Item {
        Item::Digits { part, least, most }
    }
    [
        ("YYYY", digits(DateField::Year, 4, 4)),
        ("YY", digits(DateField::YearOfCentury, 2, 2)),
        ("MONTH", Item::MonthName { is_short: false }),
        ("MON", Item::MonthName { is_short: true }),
        ("MM", digits(DateField::Month, 2, 2)),
        ("DAY", Item::Weekday { is_short: false }),
        ("DY", Item::Weekday { is_short: true }),
        ("DD", digits(DateField::Day, 2, 2)),
        ("HH24", digits(DateField::Hour, 2, 2)),
        ("HH12", digits(DateField::HourOfHalf, 2, 2)),
        ("HH", digits(DateField::HourOfHalf, 2, 2)),
        ("AM", Item::Half),
        ("PM", Item::Half),
        ("MI", digits(DateField::Minute, 2, 2)),
        ("SS", digits(DateField::Second, 2, 2)),
        ("MS", digits(DateField::Fraction, 3, 3)),
        ("US", digits(DateField::Fraction, 6, 6)),
        ("FF", Item::Fraction { mark: None }),
        ("OF", Item::Offset),
        ("TZH", Item::OffsetHours),
        ("TZM", digits(DateField::OffsetMinutes, 2, 2)),
    ]
};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// From the day on that 1970 began with.
const WEEKDAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

impl Pattern {
    /// Reads a pattern; if it is none, why.
    ///
    /// `FM` before a word takes numbers without leading zeros; letters that are no word stand between double quotes.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut items: Vec<Item> = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if first == '"' {
                let Some((quoted, after)) = rest.get(1..).and_then(|rest| rest.split_once('"')) else {
                    return Err("the pattern has an open quote".to_owned());
                };
                push_literal(&mut items, quoted);
                rest = after;
                continue;
            }
            let (word, short) = match strip_word(rest, "FM") {
                Some(after) => (after, true),
                None => (rest, false),
            };
            let known = WORDS.iter().find_map(|(name, item)| Some((item.clone(), strip_word(word, name)?)));
            match (known, first) {
                (Some((item, after)), _) => {
                    push_word(&mut items, item, short);
                    rest = after;
                }
                (None, letter) if letter.is_alphanumeric() => {
                    return Err(format!("the pattern has `{letter}`, which begins no word of patterns"));
                }
                (None, _) => {
                    let (literal, after) = rest.split_at(first.len_utf8());
                    push_literal(&mut items, literal);
                    rest = after;
                }
            }
        }
        let pattern = Self { text: text.to_owned(), items };
        pattern.check()?;
        Ok(pattern)
    }

    /// The words of patterns, as a list in a sentence.
    pub(crate) fn words() -> String {
        let words: Vec<&str> = WORDS.iter().map(|(name, _)| *name).collect();
        format!("{} and FM", words.join(" "))
    }

    /// Whether all parts are there that a time needs, and none twice.
    fn check(&self) -> Result<(), String> {
        let count = |is: &dyn Fn(&Item) -> bool| self.items.iter().filter(|item| is(item)).count();
        let digits = |parts: &[DateField]| count(&|item| item.part().is_some_and(|part| parts.contains(&part)));
        let names = count(&|item| matches!(item, Item::MonthName { .. }));
        let (hours, half_hours) = (digits(&[DateField::Hour]), digits(&[DateField::HourOfHalf]));
        let halves = count(&|item| *item == Item::Half);
        let wanted = [
            ("year", digits(&[DateField::Year, DateField::YearOfCentury])),
            ("month", digits(&[DateField::Month]) + names),
            ("day", digits(&[DateField::Day])),
        ];
        for (name, found) in wanted {
            match found {
                0 => return Err(format!("the pattern has no {name}")),
                1 => {}
                _ => return Err(format!("the pattern has two parts for the {name}")),
            }
        }
        let of_time = [
            hours + half_hours,
            digits(&[DateField::Minute]),
            digits(&[DateField::Second]),
            digits(&[DateField::Fraction]),
        ];
        if of_time.iter().any(|&found| found > 1) || halves > 1 {
            return Err("the pattern has a part of the time twice".to_owned());
        }
        if of_time.windows(2).any(|pair| pair[0] < pair[1]) {
            return Err("the pattern has a part of the time without the larger one before it".to_owned());
        }
        if half_hours != halves {
            return Err("`HH12` and `AM` do not go without each other; a day has `HH24`".to_owned());
        }
        if count(&|item| matches!(item, Item::Weekday { .. })) > 1 {
            return Err("the pattern has two parts for the weekday".to_owned());
        }
        let offset_hours = self.items.iter().position(|item| *item == Item::OffsetHours);
        let offset_minutes = self.items.iter().position(|item| item.part() == Some(DateField::OffsetMinutes));
        let offsets = count(&|item| matches!(item, Item::Offset | Item::OffsetHours));
        if offsets > 1 || digits(&[DateField::OffsetMinutes]) > 1 {
            return Err("the pattern has two parts for the offset".to_owned());
        }
        if offset_minutes.is_some_and(|minutes| offset_hours.is_none_or(|hours| minutes < hours)) {
            return Err("the pattern has `TZM` without `TZH` before it".to_owned());
        }
        if offsets > 0 && of_time[0] == 0 {
            return Err("the pattern has an offset and no time of day".to_owned());
        }
        let runs_on = |pair: &[Item]| !pair[0].has_fixed_length() && pair[1].begins_with_digit();
        if self.items.windows(2).any(runs_on) {
            return Err("a number of no fixed length is followed by another number at once".to_owned());
        }
        Ok(())
    }

    /// Whether it has a time of day.
    pub(crate) fn has_time(&self) -> bool {
        self.items.iter().any(|item| matches!(item.part(), Some(DateField::Hour | DateField::HourOfHalf)))
    }

    /// Whether it has an offset from UTC.
    pub(crate) fn has_offset(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Offset | Item::OffsetHours))
    }

    /// Reads a day as days since 1970.
    pub(crate) fn parse_date(&self, text: &[u8]) -> Result<i32, Fault> {
        // The pattern that most dates have, and all that follow ISO 8601.
        if self.text == "YYYY-MM-DD"
            && let Some((days, [])) = iso_date(text)
        {
            return Ok(days);
        }
        self.moment(text).map(|moment| moment.days)
    }

    /// Reads a day and its time as microseconds since 1970: those of the instant where the pattern has an offset.
    pub(crate) fn parse_timestamp(&self, text: &[u8]) -> Result<i64, Fault> {
        let moment = self.moment(text)?;
        let micros = i64::from(moment.days).checked_mul(DAY_MICROS).and_then(|day| day.checked_add(moment.micros));
        micros.ok_or_else(|| out_of_range(&quote(text)))
    }

    /// Reads a text; blanks around it are no part of it, unless the pattern says so.
    fn moment(&self, text: &[u8]) -> Result<Moment, Fault> {
        let parts = self.parts(text).or_else(|| self.parts(trim(text))).ok_or_else(|| self.not_written_so(text))?;
        if parts.has_excess {
            let message = format!("{} has more than six digits of a second's fraction", quote(text));
            return Err(Fault::new(Code::ExcessFraction, message));
        }
        let no_such = |what: &str| Fault::new(Code::DatetimeOutOfRange, format!("{} {what}", quote(text)));
        let moment = parts.moment().ok_or_else(|| no_such("is not a day of the calendar with a time of the day"))?;
        match parts.weekday {
            Some(weekday) if usize::try_from(moment.weekday_of_text) != Ok(weekday) => {
                Err(no_such(&format!("is not a {}", WEEKDAYS.get(weekday).unwrap_or(&""))))
            }
            _ => Ok(moment),
        }
    }

    /// The numbers of a text that is written so.
    fn parts(&self, text: &[u8]) -> Option<Parts> {
        let mut parts = Parts::default();
        let mut rest = text;
        for item in &self.items {
            rest = match item {
                Item::Literal(literal) => rest.strip_prefix(literal.as_slice())?,
                Item::MonthName { is_short } => {
                    let (month, after) = name(rest, &MONTHS, *is_short)?;
                    parts.month = u32::try_from(month).ok()? + 1;
                    after
                }
                Item::Weekday { is_short } => {
                    let (weekday, after) = name(rest, &WEEKDAYS, *is_short)?;
                    parts.weekday = Some(weekday);
                    after
                }
                Item::Half => {
                    let (half, after) = rest.split_at_checked(2)?;
                    parts.is_afternoon = half.eq_ignore_ascii_case(b"pm");
                    (parts.is_afternoon || half.eq_ignore_ascii_case(b"am")).then_some(after)?
                }
                Item::Digits { part, least, most } => {
                    let (number, length, after) = digits(rest, *least, *most)?;
                    parts.set(*part, number, length);
                    after
                }
                Item::Fraction { mark } => parts.fraction(rest, *mark)?,
                Item::Offset => parts.offset(rest)?,
                Item::OffsetHours => parts.offset_hours(rest)?,
            };
        }
        rest.is_empty().then_some(parts)
    }

    #[cold]
    fn not_written_so(&self, text: &[u8]) -> Fault {
        Fault::new(Code::NotADatetime, format!("{} is not written as {}", quote(text), self.text))
    }
}

impl Item {
    fn part(&self) -> Option<DateField> {
        match self {
            Self::Digits { part, .. } => Some(*part),
            Self::Fraction { .. } => Some(DateField::Fraction),
            _ => None,
        }
    }

    fn has_fixed_length(&self) -> bool {
        match self {
            Self::Digits { least, most, .. } => least == most,
            Self::Fraction { .. } | Self::Offset => false,
            _ => true,
        }
    }

    fn begins_with_digit(&self) -> bool {
        matches!(self, Self::Digits { .. } | Self::Fraction { mark: None })
    }
}

/// The numbers of a text.
#[derive(Debug, Default)]
struct Parts {
    year: u32,
    month: u32,
    day: u32,
    /// From Thursday on.
    weekday: Option<usize>,
    hour: u32,
    is_afternoon: bool,
    minute: u32,
    second: u32,
    micros: i64,
    /// Whether the fraction has more than six digits that are no zeros.
    has_excess: bool,
    is_behind_utc: bool,
    offset_hours: u32,
    offset_minutes: u32,
}

/// A day and a time, by UTC where an offset was read.
#[derive(Debug)]
struct Moment {
    /// Days from 1970 on.
    days: i32,
    /// Microseconds from that day's beginning on; less than none, or more than a day's, where an offset leads there.
    micros: i64,
    /// From Thursday on.
    weekday_of_text: i32,
}

impl Parts {
    fn set(&mut self, part: DateField, number: u32, length: u32) {
        match part {
            DateField::Year => self.year = number,
            // As PostgreSQL: the year nearest to 2020.
            DateField::YearOfCentury => self.year = number + if number < 70 { 2000 } else { 1900 },
            DateField::Month => self.month = number,
            DateField::Day => self.day = number,
            DateField::Hour => self.hour = number,
            // No such hour becomes one that no day has.
            DateField::HourOfHalf => self.hour = if (1..=12).contains(&number) { number % 12 } else { 24 },
            DateField::Minute => self.minute = number,
            DateField::Second => self.second = number,
            DateField::Fraction => self.micros = i64::from(number) * 10_i64.pow(6_u32.saturating_sub(length)),
            DateField::OffsetMinutes => self.offset_minutes = number,
        }
    }

    fn fraction<'a>(&mut self, text: &'a [u8], mark: Option<u8>) -> Option<&'a [u8]> {
        let text = match (mark, text) {
            (None, text) => text,
            (Some(mark), [first, rest @ ..]) if *first == mark => rest,
            (Some(_), text) => return Some(text),
        };
        let (number, length, rest) = digits(text, 1, 6)?;
        self.set(DateField::Fraction, number, length);
        let more = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (more, rest) = rest.split_at(more);
        self.has_excess = more.iter().any(|digit| *digit != b'0');
        Some(rest)
    }

    /// `Z`, `+01`, `+0100` or `+01:00`.
    fn offset<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if let [b'Z' | b'z', rest @ ..] = text {
            return Some(rest);
        }
        let rest = self.offset_hours(text)?;
        let minutes = rest.strip_prefix(b":").unwrap_or(rest);
        match digits(minutes, 2, 2) {
            Some((number, _, after)) => {
                self.offset_minutes = number;
                Some(after)
            }
            None => Some(rest),
        }
    }

    fn offset_hours<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        let (sign, rest) = text.split_first()?;
        self.is_behind_utc = *sign == b'-';
        let (number, _, rest) = digits(rest, 2, 2).filter(|_| matches!(sign, b'+' | b'-'))?;
        self.offset_hours = number;
        Some(rest)
    }

    /// The moment, if there is one.
    fn moment(&self) -> Option<Moment> {
        let year = i32::try_from(self.year).ok().filter(|year| *year > 0)?;
        let days = days_from_civil(year, self.month, self.day)?;
        let hour = if self.is_afternoon && self.hour < 12 { self.hour + 12 } else { self.hour };
        // As PostgreSQL: no place is sixteen hours away.
        let is_time =
            hour < 24 && self.minute < 60 && self.second < 60 && self.offset_hours < 16 && self.offset_minutes < 60;
        let minutes = |hours: u32, minutes: u32| i64::from(hours * 60 + minutes);
        let offset = minutes(self.offset_hours, self.offset_minutes) * if self.is_behind_utc { -1 } else { 1 };
        let seconds = (minutes(hour, self.minute) - offset) * 60 + i64::from(self.second);
        let moment = Moment { days, micros: seconds * 1_000_000 + self.micros, weekday_of_text: days.rem_euclid(7) };
        is_time.then_some(moment)
    }
}

/// The text after a word, in any letter case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn push_word(items: &mut Vec<Item>, mut item: Item, is_short: bool) {
    // A year of four digits has them all: `26` would be one of antiquity, which is hardly meant.
    match &mut item {
        Item::Digits { part, least, .. } if is_short && *part != DateField::Year => *least = 1,
        _ => {}
    }
    // A fraction that is missing has no mark before it.
    if let (Item::Fraction { mark }, Some(Item::Literal(literal))) = (&mut item, items.last_mut()) {
        *mark = literal.pop_if(|last| matches!(last, b'.' | b','));
    }
    items.push(item);
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(literal)) => literal.extend(text.bytes()),
        _ => items.push(Item::Literal(text.into())),
    }
}

/// Which of some names a text begins with, in any letter case, and what follows; of a short name the first three letters.
fn name<'a>(text: &'a [u8], names: &[&str], is_short: bool) -> Option<(usize, &'a [u8])> {
    names.iter().enumerate().find_map(|(at, name)| {
        let (start, rest) = text.split_at_checked(if is_short { 3 } else { name.len() })?;
        name.as_bytes().get(..start.len())?.eq_ignore_ascii_case(start).then_some((at, rest))
    })
}

/// A number at the start of a text, how many digits it has, and what follows.
fn digits(text: &[u8], least: usize, most: usize) -> Option<(u32, u32, &[u8])> {
    let length = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length).filter(|_| length >= least)?;
    let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number, u32::try_from(length).ok()?, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::value::datetime::print_timestamp;

    fn read(pattern: &str, text: &str) -> String {
        match Pattern::parse(pattern).unwrap().parse_timestamp(text.as_bytes()) {
            Ok(micros) => print_timestamp(micros),
            Err(fault) => fault.code.to_string(),
        }
    }

    #[test]
    fn a_pattern_reads_what_it_describes_and_nothing_else() {
        for (pattern, text, wanted) in [
            ("DD.MM.YYYY HH24:MI:SS", "31.01.2026 23:59:58", "2026-01-31 23:59:58"),
            (" DD.MM.YYYY", " 31.01.2026", "2026-01-31 00:00:00"),
            ("DD.MM.YYYY HH24:MI:SS", " 31.01.2026 23:59:58  ", "2026-01-31 23:59:58"),
            ("DD.MM.YYYY HH24:MI:SS", "31.01.2026  23:59:58", "R304"),
            ("DD.MM.YYYY HH24:MI:SS", "1.01.2026 23:59:58", "R304"),
            ("FMDD.FMMM.YYYY", "1.2.2026", "2026-02-01 00:00:00"),
            ("FMDD.FMMM.FMYYYY", "1.2.2026", "2026-02-01 00:00:00"),
            ("FMDD.FMMM.FMYYYY", "1.2.26", "R304"),
            ("YYYYMMDD", "20240229", "2024-02-29 00:00:00"),
            ("YYYYMMDD", "20230229", "R303"),
            ("yyyy-mm-dd\"T\"hh24", "2026-01-31T24", "R303"),
            ("DD-MON-YY", "03-Feb-69", "2069-02-03 00:00:00"),
            ("DD-MON-YY", "03-FEB-70", "1970-02-03 00:00:00"),
            ("MM/DD/YYYY HH12:MI AM", "12/31/2025 12:05 am", "2025-12-31 00:05:00"),
            ("MM/DD/YYYY HH12:MI AM", "12/31/2025 12:05 PM", "2025-12-31 12:05:00"),
            ("MM/DD/YYYY HH12:MI AM", "12/31/2025 13:05 PM", "R303"),
            ("YYYY-MM-DD HH24:MI:SS.FF", "2026-01-31 00:00:00.5", "2026-01-31 00:00:00.5"),
            ("YYYY-MM-DD HH24:MI:SS.US", "2026-01-31 00:00:00.5", "R304"),
            ("YYYY-MM-DD HH24:MI:SS.MS", "2026-01-31 00:00:00.005", "2026-01-31 00:00:00.005"),
            ("YYYY-MM-DD", "0000-01-01", "R303"),
            ("YYYY-MM-DD HH24:MI:SS.FF", "2026-01-31 00:00:00", "2026-01-31 00:00:00"),
            ("YYYY-MM-DD HH24:MI:SS.FF", "2026-01-31 00:00:00.", "R304"),
            ("YYYY-MM-DD HH24:MI:SS.FF", "2026-01-31 00:00:00.123456000", "2026-01-31 00:00:00.123456"),
            ("YYYY-MM-DD HH24:MI:SS.FF", "2026-01-31 00:00:00.123456001", "R309"),
            ("YYYYMMDDHH24MISSFF", "20260131000000123", "2026-01-31 00:00:00.123"),
            ("YYYY-MM-DD HH24:MI:SS,FF OF", "2026-01-31 00:00:00 Z", "2026-01-31 00:00:00"),
            ("DD/MON/YYYY:HH24:MI:SS TZHTZM", "05/Mar/2026:14:30:00 +0100", "2026-03-05 13:30:00"),
            ("DD/MON/YYYY:HH24:MI:SS TZHTZM", "05/Mar/2026:14:30:00 -0030", "2026-03-05 15:00:00"),
            ("DD/MON/YYYY:HH24:MI:SS TZHTZM", "05/Mar/2026:14:30:00 0100", "R304"),
            ("DD.MM.YYYY HH24:MI OF", "01.01.2026 00:30 +01:00", "2025-12-31 23:30:00"),
            ("DD.MM.YYYY HH24:MI OF", "01.01.2026 00:30 +01", "2025-12-31 23:30:00"),
            ("DD.MM.YYYY HH24:MIOF", "01.01.2026 00:30-1245", "2026-01-01 13:15:00"),
            ("DD.MM.YYYY HH24:MI OF", "01.01.2026 00:30 +16:00", "R303"),
            ("DD.MM.YYYY HH24:MI OF", "01.01.2026 00:30", "R304"),
            ("DD.MM.YYYY HH24:MI OF", "01.01.2026 00:30 CET", "R304"),
            ("DY, DD MON YYYY HH24:MI:SS \"GMT\"", "Thu, 05 Mar 2026 14:30:00 GMT", "2026-03-05 14:30:00"),
            ("DY, DD MON YYYY HH24:MI:SS \"GMT\"", "Fri, 05 Mar 2026 14:30:00 GMT", "R303"),
            ("DAY, MONTH FMDD, YYYY", "thursday, March 5, 2026", "2026-03-05 00:00:00"),
            ("DAY, MONTH FMDD, YYYY", "Thu, Mar 5, 2026", "R304"),
            ("DAY DD.MM.YYYY HH24:MI OF", "Thursday 01.01.1970 00:30 +01:00", "1969-12-31 23:30:00"),
        ] {
            assert_eq!(read(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_wrong_pattern_says_why() {
        for (pattern, why) in [
            ("DD.MM", "the pattern has no year"),
            ("DD.MM.YYYY YY", "the pattern has two parts for the year"),
            ("DD.MM.YYYY MI", "the pattern has a part of the time without the larger one before it"),
            ("DD.MM.YYYY HH12", "`HH12` and `AM` do not go without each other; a day has `HH24`"),
            ("DD.MM.YYYYTHH24", "the pattern has `T`, which begins no word of patterns"),
            ("DD.MM.YYYY \"um", "the pattern has an open quote"),
            ("FMDDMMYYYY", "a number of no fixed length is followed by another number at once"),
            ("DD.MM.YYYY HH24:MI:SS.FFTZM", "the pattern has `TZM` without `TZH` before it"),
            ("DD.MM.YYYY TZH", "the pattern has an offset and no time of day"),
            ("DD.MM.YYYY HH24 OF TZH", "the pattern has two parts for the offset"),
            ("DD.MM.YYYY DY DAY", "the pattern has two parts for the weekday"),
            ("DD.MM.YYYY CC", "the pattern has `C`, which begins no word of patterns"),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), why, "{pattern}");
        }
    }
}
