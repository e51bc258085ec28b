//! Read: texts that are days and times by their pattern.

use super::DAYS;
use super::DatePattern;
use super::Field;
use super::MONTHS;
use super::Ordinal;
use super::Piece;
use super::Place;
use super::ROMAN;
use super::is_separator;
use super::is_space;
use super::iso_year_start;
use super::julian_day;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::DAYS_MAX;
use crate::value::datetime::DAYS_MIN;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_of_month;
use crate::value::interval::round_to;
use crate::value::text::quote;

/// Julian day 0 is so many days before 1970-01-01.
const JULIAN_EPOCH: i32 = 2_440_588;
/// Microseconds from 1970 to 2000, from where PostgreSQL counts and rounds.
const SINCE_2000: i64 = 946_684_800_000_000;

impl DatePattern {
    /// Reads a timestamp, in UTC unless the text says another offset.
    pub(crate) fn read(&self, text: &str) -> Result<i64, Fault> {
        let read = self.read_parts(text)?;
        let whole = i64::from(read.days).checked_mul(DAY_MICROS).and_then(|midnight| midnight.checked_add(read.micros));
        let whole = whole.and_then(|local| local.checked_sub(read.offset * 1_000_000));
        let whole = whole.filter(|&micros| micros >= MICROS_MIN).ok_or_else(|| out_of_range(text))?;
        if read.digits == 0 {
            return Ok(whole);
        }
        let rounded = whole.checked_sub(SINCE_2000).map(|since| round_to(since, read.digits.into()));
        rounded.and_then(|since| since.checked_add(SINCE_2000)).ok_or_else(|| out_of_range(text))
    }

    /// Reads a day.
    pub(crate) fn read_date(&self, text: &str) -> Result<i32, Fault> {
        self.read_parts(text).map(|read| read.days)
    }

    fn read_parts(&self, text: &str) -> Result<Read, Fault> {
        let mut said = Said::default();
        let mut source = Source { text, at: 0 };
        // How many characters were passed over that the pattern does not have.
        let (mut fixed, mut skipped) = (false, 0_i32);
        for (at, piece) in self.0.iter().enumerate() {
            if source.rest().is_empty() {
                break;
            }
            let is_field = matches!(piece, Piece::Field(_));
            let is_fixed = matches!(piece, Piece::Field(Place { field: Field::Fixed, .. }));
            if !fixed && !is_fixed && (is_field || at == 0) {
                skipped = skipped.saturating_add(source.skip_blanks());
            }
            match piece {
                Piece::Space(_) | Piece::Separator(_) if fixed => source.skip(1),
                Piece::Space(_) | Piece::Separator(_) => {
                    skipped -= 1;
                    if source.next().is_some_and(|char| is_space(char) || is_separator(char)) {
                        source.skip(1);
                        skipped += 1;
                    }
                }
                Piece::Char(_) if !fixed && skipped > 0 => skipped -= 1,
                Piece::Char(_) => source.skip(1),
                Piece::Field(place) => {
                    if place.field == Field::Fixed {
                        fixed = true;
                    } else {
                        let open = place.fill || place.ordinal != Ordinal::No || self.ends_number(at);
                        said.read(place, &mut source, open, skipped > 0)?;
                        if place.ordinal != Ordinal::No && place.field.is_number() {
                            source.skip(2);
                        }
                    }
                    if !fixed {
                        skipped = source.skip_blanks();
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
            Some(Piece::Field(place)) => !place.field.is_digits(),
            Some(Piece::Char(char)) => !char.is_ascii_digit(),
            Some(Piece::Space(_) | Piece::Separator(_)) => true,
        }
    }
}

/// What was read.
struct Read {
    days: i32,
    /// Microseconds of the day.
    micros: i64,
    /// Seconds ahead of UTC.
    offset: i64,
    /// To how many digits after the second's point it is rounded; 0 for all.
    digits: u8,
}

/// A text and a place in it.
struct Source<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Source<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character before.
    fn before(&self) -> Option<char> {
        self.text.get(..self.at)?.chars().next_back()
    }

    fn skip(&mut self, count: usize) {
        self.at += self.rest().chars().take(count).map(char::len_utf8).sum::<usize>();
    }

    /// Passes over blanks, and counts them.
    fn skip_blanks(&mut self) -> i32 {
        let blanks = self.rest().len() - self.rest().trim_start_matches(is_space).len();
        self.at += blanks;
        i32::try_from(blanks).unwrap_or(i32::MAX)
    }

    /// A number, and how many bytes it takes with the blanks before it. One that is not open has exactly so many characters.
    fn number(&mut self, name: &str, length: usize, open: bool) -> Result<(i32, usize), Fault> {
        let start = self.at;
        self.skip_blanks();
        let rest = self.rest();
        let within = if open { rest } else { rest.get(..length).ok_or_else(|| wrong(rest, name))? };
        let unsigned = within.trim_start_matches(is_space);
        let unsigned = unsigned.strip_prefix(['-', '+']).unwrap_or(unsigned);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        let used = within.len() - unsigned.len() + digits;
        if digits == 0 || (!open && used < length) {
            return Err(wrong(within, name));
        }
        let number = rest.get(..used).unwrap_or_default().trim_start_matches(is_space);
        let value = number.parse().map_err(|_| out_of_range(rest))?;
        self.at += used;
        Ok((value, self.at - start))
    }

    /// Which of some words stands here, by so many of their letters.
    fn word(&mut self, words: &[&str], letters: usize, name: &str) -> Result<i32, Fault> {
        let rest = self.rest();
        for (at, word) in (0..).zip(words) {
            let word = word.get(..letters.min(word.len())).unwrap_or_default();
            if rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) {
                self.at += word.len();
                return Ok(at);
            }
        }
        Err(wrong(rest, name))
    }
}

fn wrong(text: &str, what: &str) -> Fault {
    Fault::new(Code::NotADatetime, format!("{} is not a {what}", quote(text.as_bytes())))
}

fn out_of_range(text: &str) -> Fault {
    let fact = format!("{} is out of range for a timestamp", quote(text.as_bytes()));
    Fault::new(Code::DatetimeOutOfRange, fact)
}

/// Whether a field counts by ISO weeks, or by months; `None` if that does not matter to it.
pub(super) fn is_iso(field: Field) -> Option<bool> {
    match field {
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
    /// 1 in the afternoon.
    afternoon: i32,
    year: i32,
    year_digits: u8,
    century: i32,
    /// 1 before Christ.
    before_christ: i32,
    month: i32,
    day: i32,
    day_of_week: i32,
    day_of_year: i32,
    week: i32,
    week_of_month: i32,
    julian: i32,
    /// 1 ahead of UTC, -1 behind it, 0 where no offset is said.
    zone_sign: i32,
    zone_hour: i32,
    zone_minute: i32,
    /// How many digits the last `FF` names.
    fraction_digits: u8,
    /// Whether by ISO weeks, once a field has decided it.
    iso: Option<bool>,
}

impl Said {
    /// Reads a field. An open number ends where its digits end. `skipped`: whether more was passed over than the pattern has.
    fn read(&mut self, place: &Place, source: &mut Source<'_>, open: bool, skipped: bool) -> Result<(), Fault> {
        let Place { field, name, .. } = *place;
        let is_iso = is_iso(field);
        if is_iso.is_some() {
            if self.iso.is_some() && self.iso != is_iso {
                return Err(mixed_weeks());
            }
            self.iso = is_iso;
        }

        // What is said twice must be the same as it is written, before it counts as something else.
        let (slot, value, counts) = match field {
            Field::Hour24 => same(&mut self.hour, source.number(name, 2, open)?.0),
            Field::Hour12 => {
                self.half_day = true;
                same(&mut self.hour, source.number(name, 2, open)?.0)
            }
            Field::Minute => same(&mut self.minute, source.number(name, 2, open)?.0),
            Field::Second => same(&mut self.second, source.number(name, 2, open)?.0),
            Field::SecondOfDay(length) => same(&mut self.second_of_day, source.number(name, length.into(), open)?.0),
            Field::Milliseconds => {
                let (value, scaled) = scaled(source, name, 3, 3, open)?;
                (&mut self.millis, value, scaled)
            }
            Field::Microseconds => {
                let (value, scaled) = scaled(source, name, 6, 6, open)?;
                (&mut self.micros, value, scaled)
            }
            Field::Fraction(digits) => {
                self.fraction_digits = digits;
                let (value, scaled) = scaled(source, name, digits.into(), 6, open)?;
                (&mut self.micros, value, scaled)
            }
            Field::Month => same(&mut self.month, source.number(name, 2, open)?.0),
            Field::Day => same(&mut self.day, source.number(name, 2, open)?.0),
            Field::DayOfYear | Field::IsoDayOfYear => same(&mut self.day_of_year, source.number(name, 3, open)?.0),
            Field::DayOfWeek => same(&mut self.day_of_week, source.number(name, 1, open)?.0),
            Field::IsoDayOfWeek => {
                let day = source.number(name, 1, open)?.0;
                (&mut self.day_of_week, day, if day >= 7 { 1 } else { day + 1 })
            }
            Field::WeekOfYear | Field::IsoWeek => same(&mut self.week, source.number(name, 2, open)?.0),
            Field::WeekOfMonth => same(&mut self.week_of_month, source.number(name, 1, open)?.0),
            Field::Quarter => return source.number(name, 1, open).map(|_| ()),
            Field::Century => same(&mut self.century, source.number(name, 2, open)?.0),
            Field::Julian => same(&mut self.julian, source.number(name, 1, open)?.0),
            Field::Year(digits) | Field::IsoYear(digits) => {
                let (year, used) = source.number(name, digits.into(), open)?;
                self.year_digits = digits;
                (&mut self.year, year, if digits < 4 && used < 4 { near_2020(year) } else { year })
            }
            Field::YearWithComma => {
                let rest = source.rest();
                let thousands = source.number(name, 1, true)?.0;
                let ones = source.rest().strip_prefix(',').ok_or_else(|| wrong(rest, name))?;
                let length = ones.bytes().take(3).take_while(u8::is_ascii_digit).count();
                let ones: i32 =
                    ones.get(..length).and_then(|ones| ones.parse().ok()).ok_or_else(|| wrong(rest, name))?;
                source.skip(1 + length);
                self.year_digits = 4;
                let year = thousands.checked_mul(1000).and_then(|year| year.checked_add(ones));
                same(&mut self.year, year.ok_or_else(|| out_of_range(rest))?)
            }
            Field::MonthName => same(&mut self.month, source.word(&MONTHS, usize::MAX, name)? + 1),
            Field::MonthAbbreviation => same(&mut self.month, source.word(&MONTHS, 3, name)? + 1),
            Field::DayName | Field::DayAbbreviation => {
                let letters = if field == Field::DayName { usize::MAX } else { 3 };
                let day = source.word(&DAYS, letters, name)?;
                (&mut self.day_of_week, day, day + 1)
            }
            Field::Roman => {
                // The longer numerals first.
                let mut numerals = ROMAN;
                numerals.reverse();
                same(&mut self.month, 12 - source.word(&numerals, usize::MAX, name)?)
            }
            Field::Era => {
                let words = if name.contains('.') { ["A.D.", "B.C."] } else { ["AD", "BC"] };
                let is_before = source.word(&words, usize::MAX, name)?;
                same(&mut self.before_christ, is_before)
            }
            Field::Meridiem => {
                let words = if name.contains('.') { ["A.M.", "P.M."] } else { ["AM", "PM"] };
                self.half_day = true;
                let is_afternoon = source.word(&words, usize::MAX, name)?;
                same(&mut self.afternoon, is_afternoon)
            }
            Field::ZoneHour => {
                self.zone_sign = match source.next() {
                    Some(sign @ ('+' | '-' | ' ')) => {
                        source.skip(1);
                        if sign == '-' { -1 } else { 1 }
                    }
                    // The minus may have been taken for a separator.
                    _ if skipped && source.before() == Some('-') => -1,
                    _ => 1,
                };
                same(&mut self.zone_hour, source.number(name, 2, open)?.0)
            }
            Field::ZoneMinute => {
                if self.zone_sign == 0 {
                    self.zone_sign = 1;
                }
                same(&mut self.zone_minute, source.number(name, 2, open)?.0)
            }
            Field::Fixed => return Ok(()),
            Field::Offset | Field::Zone => return Err(only_written(name)),
        };
        if *slot != 0 && *slot != value {
            let fact = format!("`{name}` contradicts what stands before it");
            return Err(Fault::new(Code::NotADatetime, fact));
        }
        *slot = counts;
        Ok(())
    }

    fn finish(mut self, text: &str) -> Result<Read, Fault> {
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
            hour = hour % 12 + if self.afternoon == 1 { 12 } else { 0 };
        }
        let (mut year, mut month, mut day) = (0, 1, 1);
        let (mut has_year, mut has_month, mut has_day) = (false, false, false);
        let is_before_christ = self.before_christ == 1;
        let century = if is_before_christ { -self.century } else { self.century };
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
                year = if is_before_christ { self.year.saturating_neg() } else { self.year };
                year += i32::from(year < 0);
            }
        } else if century != 0 {
            has_year = true;
            year = if century >= 0 { century - 1 } else { century }.saturating_mul(100).saturating_add(1);
        }
        let mut whole = None;
        if self.julian != 0 {
            let days = i64::from(self.julian) - i64::from(JULIAN_EPOCH);
            // An ISO week is one of that day's year.
            year = i32::try_from(days).map_or(year, |days| civil_from_days(days).0);
            whole = Some(days);
        }
        let is_iso = self.iso == Some(true);
        if self.week != 0 {
            if is_iso {
                let before = i64::from(iso_year_start(year)) - i64::from(JULIAN_EPOCH) - 1;
                let day_of_week = match self.day_of_week {
                    0 | 2 => 1,
                    1 => 7,
                    day => day - 1,
                };
                whole = Some(before + (i64::from(self.week) - 1) * 7 + i64::from(day_of_week));
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
            if year == 0 && !is_before_christ {
                return Err(Fault::new(Code::NotADatetime, "a day of the year needs a year"));
            }
            if is_iso {
                let days = iso_year_start(year).checked_sub(JULIAN_EPOCH);
                let days = days.and_then(|days| days.checked_add(self.day_of_year - 1)).ok_or_else(range)?;
                let (y, m, d) = civil_from_days(days);
                (year, month, day) = (y, m.cast_signed(), d.cast_signed());
            } else {
                // What a year has no room for is in a thirteenth month, which counts where no month is said.
                let (mut of_year, mut rest) = (1, self.day_of_year);
                while of_year <= 12 && rest > days_of_month(year, of_year).cast_signed() {
                    rest -= days_of_month(year, of_year).cast_signed();
                    of_year += 1;
                }
                month = if month <= 1 { of_year.cast_signed() } else { month };
                day = if day <= 1 { rest } else { day };
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
        // Without a year, a day may lie beyond its month.
        let days = julian_day(year, month, day).wrapping_sub(JULIAN_EPOCH);
        if !(-4713..=294_276).contains(&year) || !(DAYS_MIN..=DAYS_MAX).contains(&days) {
            return Err(range());
        }
        if self.zone_sign != 0 && !((0..=15).contains(&self.zone_hour) && (0..60).contains(&self.zone_minute)) {
            let fact = format!("{} has an offset from UTC that is out of range", quote(text.as_bytes()));
            return Err(Fault::new(Code::BadOffset, fact));
        }
        Ok(Read {
            days,
            micros: (i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)) * 1_000_000 + micros,
            offset: i64::from(self.zone_sign * (self.zone_hour * 60 + self.zone_minute)) * 60,
            digits: self.fraction_digits,
        })
    }
}

/// A year of fewer than four digits is the one nearest to 2020.
fn near_2020(year: i32) -> i32 {
    match year {
        ..70 => year + 2000,
        70..100 => year + 1900,
        100..520 => year + 2000,
        520..1000 => year + 1000,
        _ => year,
    }
}

/// A value that counts as it is.
fn same(slot: &mut i32, value: i32) -> (&mut i32, i32, i32) {
    (slot, value, value)
}

/// The digits after a point, as they are written and as a number of so many digits.
fn scaled(source: &mut Source<'_>, name: &str, length: usize, digits: u32, open: bool) -> Result<(i32, i32), Fault> {
    let rest = source.rest();
    let (value, used) = source.number(name, length, open)?;
    let missing = digits.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
    let scaled = value.checked_mul(10_i32.pow(missing)).ok_or_else(|| out_of_range(rest))?;
    Ok((value, scaled))
}

/// The fault of a field that is only written.
pub(super) fn only_written(name: &str) -> Fault {
    Fault::new(Code::NotForValues, format!("the pattern `{name}` is only written, not read"))
}

/// The fault of a pattern that counts days in two ways.
pub(super) fn mixed_weeks() -> Fault {
    Fault::new(Code::NotADatetime, "a pattern cannot mix ISO weeks with months")
}
