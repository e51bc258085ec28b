//! Read: texts that are days and times by their pattern.

use super::DAYS;
use super::DatePattern;
use super::Field;
use super::MONTHS;
use super::Ordinal;
use super::Part;
use super::ROMAN;
use super::before_iso_year;
use super::is_separator;
use super::is_space;
use super::out_of_range;
use super::wrong;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::days_of_month;

impl DatePattern {
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
