//! Formats that a pipeline declares for its fields: days and times by a pattern, instants by a count since 1970, numbers
//! with other separators, booleans with other words. Each is strict: what it does not describe is a fault.

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::Decimal;
use crate::value::Fraction;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::iso_date;
use crate::value::text::quote;
use crate::value::trim;

/// A count of time since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Epoch {
    /// Seconds, with at most six digits after the point.
    Seconds,
    /// Milliseconds, with at most three.
    Millis,
}

impl Epoch {
    /// Reads a count as microseconds since 1970.
    pub(crate) fn parse(self, text: &[u8]) -> Result<i64, Fault> {
        let (scale, what) = match self {
            Self::Seconds => (6, "seconds"),
            Self::Millis => (3, "milliseconds"),
        };
        // At that scale the unscaled number counts microseconds.
        let micros = Decimal::parse_as(text, 38, scale, Fraction::Exact).map_err(|fault| {
            let text = quote(text);
            match fault.code {
                Code::ExcessScale => {
                    let message = format!("{text} has more than {scale} digits after the point");
                    Fault::new(Code::ExcessFraction, message)
                }
                Code::OutOfRange => out_of_range(&text),
                _ => Fault::new(Code::NotADatetime, format!("{text} is not a number of {what} since 1970")),
            }
        })?;
        i64::try_from(micros).ok().filter(|&micros| micros >= MICROS_MIN).ok_or_else(|| out_of_range(&quote(text)))
    }
}

#[cold]
fn out_of_range(quoted: &str) -> Fault {
    Fault::new(Code::DatetimeOutOfRange, format!("{quoted} is out of range for a timestamp"))
}

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
    /// The first three letters of a month's English name.
    MonthName,
    /// `AM` or `PM`.
    Half,
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
}

/// The words of patterns; of two that begin alike the longer stands first.
const WORDS: [(&str, Item); 15] = {
    const fn digits(part: DateField, least: usize, most: usize) -> Item {
        Item::Digits { part, least, most }
    }
    [
        ("YYYY", digits(DateField::Year, 4, 4)),
        ("YY", digits(DateField::YearOfCentury, 2, 2)),
        ("MON", Item::MonthName),
        ("MM", digits(DateField::Month, 2, 2)),
        ("MI", digits(DateField::Minute, 2, 2)),
        ("MS", digits(DateField::Fraction, 3, 3)),
        ("DD", digits(DateField::Day, 2, 2)),
        ("HH24", digits(DateField::Hour, 2, 2)),
        ("HH12", digits(DateField::HourOfHalf, 2, 2)),
        ("HH", digits(DateField::HourOfHalf, 2, 2)),
        ("AM", Item::Half),
        ("PM", Item::Half),
        ("SS", digits(DateField::Second, 2, 2)),
        ("US", digits(DateField::Fraction, 6, 6)),
        ("FF", digits(DateField::Fraction, 1, 6)),
    ]
};

const MONTHS: [&[u8]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

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
                (Some((mut item, after)), _) => {
                    if let (Item::Digits { least, .. }, true) = (&mut item, short) {
                        *least = 1;
                    }
                    items.push(item);
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

    /// Whether all parts are there that a time needs, and none twice.
    fn check(&self) -> Result<(), String> {
        let count = |parts: &[DateField]| self.parts().filter(|part| parts.contains(part)).count();
        let names = self.items.iter().filter(|item| **item == Item::MonthName).count();
        let halves = self.items.iter().filter(|item| **item == Item::Half).count();
        let fixed = |item: &Item| matches!(item, Item::Digits { least, most, .. } if least != most);
        let runs_on = |pair: &[Item]| fixed(&pair[0]) && matches!(pair[1], Item::Digits { .. });
        let (hours, half_hours) = (count(&[DateField::Hour]), count(&[DateField::HourOfHalf]));
        let (minutes, seconds) = (count(&[DateField::Minute]), count(&[DateField::Second]));
        let wanted = [
            ("year", count(&[DateField::Year, DateField::YearOfCentury])),
            ("month", count(&[DateField::Month]) + names),
            ("day", count(&[DateField::Day])),
        ];
        for (name, found) in wanted {
            match found {
                0 => return Err(format!("the pattern has no {name}")),
                1 => {}
                _ => return Err(format!("the pattern has two parts for the {name}")),
            }
        }
        let of_time = [hours + half_hours, minutes, seconds, count(&[DateField::Fraction])];
        if of_time.iter().any(|&found| found > 1) || halves > 1 {
            return Err("the pattern has a part of the time twice".to_owned());
        }
        if of_time.windows(2).any(|pair| pair[0] < pair[1]) {
            return Err("the pattern has a part of the time without the larger one before it".to_owned());
        }
        if half_hours != halves {
            return Err("`HH12` and `AM` do not go without each other; a day has `HH24`".to_owned());
        }
        if self.items.windows(2).any(runs_on) {
            return Err("a number of no fixed length is followed by another number at once".to_owned());
        }
        Ok(())
    }

    fn parts(&self) -> impl Iterator<Item = DateField> {
        self.items.iter().filter_map(|item| match item {
            Item::Digits { part, .. } => Some(*part),
            _ => None,
        })
    }

    /// Whether it has a time of day.
    pub(crate) fn has_time(&self) -> bool {
        self.parts().any(|part| matches!(part, DateField::Hour | DateField::HourOfHalf))
    }

    /// Reads a day as days since 1970.
    pub(crate) fn parse_date(&self, text: &[u8]) -> Result<i32, Fault> {
        // The pattern that most dates have, and all that follow ISO 8601.
        if self.text == "YYYY-MM-DD"
            && let Some((days, [])) = iso_date(text)
        {
            return Ok(days);
        }
        self.read(text).map(|(days, _)| days)
    }

    /// Reads a day and its time as microseconds since 1970.
    pub(crate) fn parse_timestamp(&self, text: &[u8]) -> Result<i64, Fault> {
        let (days, micros) = self.read(text)?;
        let micros = i64::from(days).checked_mul(DAY_MICROS).and_then(|day| day.checked_add(micros));
        micros.ok_or_else(|| out_of_range(&quote(text)))
    }

    /// Days since 1970 and microseconds of the day.
    fn read(&self, text: &[u8]) -> Result<(i32, i64), Fault> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second, mut micros) = (0, 0, 0, 0);
        let mut afternoon = None;
        let mut rest = text;
        for item in &self.items {
            let after = match item {
                Item::Literal(literal) => rest.strip_prefix(literal.as_slice()),
                Item::MonthName => rest.split_at_checked(3).and_then(|(name, after)| {
                    let at = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(month))?;
                    month = u32::try_from(at).ok()? + 1;
                    Some(after)
                }),
                Item::Half => rest.split_at_checked(2).and_then(|(name, after)| {
                    afternoon = Some(name.eq_ignore_ascii_case(b"pm"));
                    (afternoon == Some(true) || name.eq_ignore_ascii_case(b"am")).then_some(after)
                }),
                Item::Digits { part, least, most } => digits(rest, *least, *most).map(|(number, length, after)| {
                    match part {
                        DateField::Year => year = number,
                        // As PostgreSQL: the year nearest to 2020.
                        DateField::YearOfCentury => year = number + if number < 70 { 2000 } else { 1900 },
                        DateField::Month => month = number,
                        DateField::Day => day = number,
                        DateField::Hour => hour = number,
                        // No such hour becomes one that no day has.
                        DateField::HourOfHalf => hour = if (1..=12).contains(&number) { number % 12 } else { 24 },
                        DateField::Minute => minute = number,
                        DateField::Second => second = number,
                        DateField::Fraction => micros = i64::from(number) * 10_i64.pow(6_u32.saturating_sub(length)),
                    }
                    after
                }),
            };
            match after {
                Some(after) => rest = after,
                None => return Err(self.not_written_so(text)),
            }
        }
        if !rest.is_empty() {
            return Err(self.not_written_so(text));
        }
        if hour < 12 && afternoon == Some(true) {
            hour += 12;
        }
        let days = year.try_into().ok().filter(|year| *year > 0).and_then(|year| days_from_civil(year, month, day));
        match days {
            Some(days) if hour < 24 && minute < 60 && second < 60 => {
                let seconds = i64::from((hour * 60 + minute) * 60 + second);
                Ok((days, seconds * 1_000_000 + micros))
            }
            _ => {
                let message = format!("{} is not a day of the calendar with a time of the day", quote(text));
                Err(Fault::new(Code::DatetimeOutOfRange, message))
            }
        }
    }

    #[cold]
    fn not_written_so(&self, text: &[u8]) -> Fault {
        Fault::new(Code::NotADatetime, format!("{} is not written as {}", quote(text), self.text))
    }
}

/// The text after a word, in any letter case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(literal)) => literal.extend(text.bytes()),
        _ => items.push(Item::Literal(text.into())),
    }
}

/// A number at the start of a text, how many digits it has, and what follows.
fn digits(text: &[u8], least: usize, most: usize) -> Option<(u32, u32, &[u8])> {
    let length = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length).filter(|_| length >= least)?;
    let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number, u32::try_from(length).ok()?, rest))
}

/// What stands in a number beside its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Separators {
    /// Before the fraction.
    pub(crate) decimal: u8,
    /// Between groups of three digits, if there is anything. A number has it between all its groups, or nowhere.
    pub(crate) thousands: Option<u8>,
}

impl Separators {
    /// The number with a point and without separators, in `out`.
    pub(crate) fn plain<'a>(self, text: &[u8], out: &'a mut Vec<u8>) -> Result<&'a [u8], Fault> {
        out.clear();
        match self.write_plain(trim(text), out) {
            Some(()) => Ok(out),
            None => Err(self.not_written_so(text)),
        }
    }

    fn write_plain(self, text: &[u8], out: &mut Vec<u8>) -> Option<()> {
        let digits = match text {
            [sign @ (b'-' | b'+'), digits @ ..] => {
                out.push(*sign);
                digits
            }
            digits => digits,
        };
        let (whole, fraction) = match digits.iter().position(|byte| *byte == self.decimal) {
            Some(at) => (digits.get(..at)?, digits.get(at + 1..)?),
            None => (digits, &[][..]),
        };
        let grouped = self.thousands.filter(|separator| whole.contains(separator));
        // Nobody writes a group that is zero before another: `0.673` is a fraction in another notation.
        if grouped.is_some() && whole.first() == Some(&b'0') {
            return None;
        }
        for (at, byte) in whole.iter().enumerate() {
            // Counted from the right, every fourth byte of a grouped number is a separator, and no other.
            let from_right = whole.len() - 1 - at;
            match grouped {
                Some(separator) if from_right % 4 == 3 => (*byte == separator && at > 0).then_some(())?,
                _ if byte.is_ascii_digit() => out.push(*byte),
                _ => return None,
            }
        }
        let has_digits = !whole.is_empty() || !fraction.is_empty();
        if !has_digits || !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        if !fraction.is_empty() {
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        Some(())
    }

    #[cold]
    fn not_written_so(self, text: &[u8]) -> Fault {
        let groups = match self.thousands {
            Some(thousands) => format!(" and `{}` between groups of three digits", char::from(thousands)),
            None => String::new(),
        };
        let decimal = char::from(self.decimal);
        Fault::new(
            Code::NotAValue,
            format!("{} is not a number with `{decimal}` before its fraction{groups}", quote(text)),
        )
    }
}

/// The words for true and false.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// Those for true.
    pub(crate) yes: Vec<String>,
    /// Those for false.
    pub(crate) no: Vec<String>,
}

impl Words {
    /// Reads a word, exactly as it was declared.
    pub(crate) fn parse(&self, text: &[u8]) -> Result<bool, Fault> {
        let is_one = |words: &[String]| words.iter().any(|word| word.as_bytes() == text);
        if is_one(&self.yes) {
            return Ok(true);
        }
        if is_one(&self.no) {
            return Ok(false);
        }
        let words: Vec<&str> = self.yes.iter().chain(&self.no).map(String::as_str).collect();
        Err(Fault::new(Code::NotAValue, format!("{} is none of {}", quote(text), words.join(", "))))
    }
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
            ("DD.MM.YYYY HH24:MI:SS", "31.01.2026 23:59:58 ", "R304"),
            ("DD.MM.YYYY HH24:MI:SS", "1.01.2026 23:59:58", "R304"),
            ("FMDD.FMMM.YYYY", "1.2.2026", "2026-02-01 00:00:00"),
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
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap_err(), why, "{pattern}");
        }
    }

    #[test]
    fn counts_since_1970_are_exact() {
        let read = |epoch: Epoch, text: &str| match epoch.parse(text.as_bytes()) {
            Ok(micros) => micros.to_string(),
            Err(fault) => fault.code.to_string(),
        };
        for (text, wanted) in [
            ("1767225600", "1767225600000000"),
            ("-1.5", "-1500000"),
            ("0.0000010", "1"),
            ("0.0000001", "R309"),
            ("1e30", "R303"),
            ("99999999999999", "R303"),
            ("today", "R304"),
            ("NaN", "R304"),
        ] {
            assert_eq!(read(Epoch::Seconds, text), wanted, "{text}");
        }
        assert_eq!(read(Epoch::Millis, "1767225600001.25"), "1767225600001250");
    }

    #[test]
    fn groups_of_digits_are_three() {
        let german = Separators { decimal: b',', thousands: Some(b'.') };
        let plain = |separators: Separators, text: &str| {
            let mut out = Vec::new();
            separators.plain(text.as_bytes(), &mut out).ok().map(|text| String::from_utf8(text.to_vec()).unwrap())
        };
        for (text, wanted) in [
            ("1.234.567,89", Some("1234567.89")),
            ("-1.234", Some("-1234")),
            ("1234,5", Some("1234.5")),
            (" 12 ", Some("12")),
            (",5", Some(".5")),
            ("1.23,4", None),
            ("12345.678", None),
            ("1234.567", None),
            (".234", None),
            ("1,2.345", None),
            ("1,2,3", None),
            ("", None),
            (",", None),
            ("-", None),
            ("1e5", None),
        ] {
            assert_eq!(plain(german, text).as_deref(), wanted, "{text}");
        }
        assert_eq!(plain(Separators { decimal: b',', thousands: None }, "1.5"), None);
    }
}
