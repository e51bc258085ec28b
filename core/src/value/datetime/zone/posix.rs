//! Posix: zones that are written out, as the POSIX variable `TZ` has them and PostgreSQL takes them (the manual's appendix
//! B.5).
//!
//! ```text
//! zone    name? offset (name offset? (',' change ',' change)?)?
//! name    '<' … '>' | anything but digits, ',', '-' and '+'
//! offset  ['+' | '-'] hours [':' minutes [':' seconds]]       behind UTC, unless there is a minus; hours to 167
//! change  day ['/' offset]                                    by the clocks before it; without an offset at 02:00
//! day     'J' 1..365 | 0..365 | 'M' month '.' week '.' weekday
//! ```
//!
//! A name of summer time without an offset is an hour ahead; without changes they are those of the United States.

use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::days_of_month;

const DAY_SECONDS: i64 = 86_400;
const SUMMER_IN_THE_UNITED_STATES: &str = ",m3.2.0,m11.1.0";

/// A zone that was written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Posix {
    /// Seconds ahead of UTC in winter.
    standard: i32,
    summer: Option<Summer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summer {
    /// Seconds ahead of UTC.
    offset: i32,
    start: Change,
    end: Change,
}

/// When clocks are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    day: Day,
    /// Seconds after the day's midnight; it may lie on another day.
    seconds: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// From 1 to 365: 29 February is not counted.
    CommonYear(u32),
    /// From 0 to 365.
    Year(u32),
    /// That weekday, 0 being Sunday, of that month for the so-manieth time; the fifth is the last.
    Month { month: u32, week: u32, weekday: u32 },
}

impl Posix {
    /// Reads a zone in lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = after_name(text)?;
        let standard = -offset(&mut rest)?;
        if rest.is_empty() {
            return Some(Self { standard, summer: None });
        }
        let behind = after_name(rest)?;
        if behind.len() == rest.len() {
            return None;
        }
        rest = behind;
        let ahead = match rest.chars().next() {
            None | Some(',' | ';') => standard.checked_add(3600)?,
            _ => -offset(&mut rest)?,
        };
        if rest.is_empty() {
            rest = SUMMER_IN_THE_UNITED_STATES;
        }
        rest = rest.strip_prefix([',', ';'])?;
        let start = change(&mut rest)?;
        rest = rest.strip_prefix(',')?;
        let end = change(&mut rest)?;
        rest.is_empty().then_some(Self { standard, summer: Some(Summer { offset: ahead, start, end }) })
    }

    /// Whether clocks are changed.
    pub(super) fn has_summer(&self) -> bool {
        self.summer.is_some()
    }

    /// Seconds ahead of UTC at an instant, in seconds since 1970.
    pub(super) fn offset_at(&self, seconds: i64) -> i32 {
        let Some(summer) = self.summer else { return self.standard };
        let day = i32::try_from((seconds + i64::from(self.standard)).div_euclid(DAY_SECONDS)).unwrap_or_default();
        let (year, _, _) = civil_from_days(day);
        // Summers that begin or end about the turn of the year are those of a neighbour.
        let mut changes: Vec<(i64, i32)> =
            (year - 1..=year + 1).filter_map(|year| self.changes(summer, year)).flatten().collect();
        changes.sort_unstable();
        match changes.iter().rev().find(|(at, _)| *at <= seconds) {
            Some((_, offset)) => *offset,
            // It is always summer.
            None if changes.is_empty() => summer.offset,
            None => self.standard,
        }
    }

    /// The two changes of a year, in seconds since 1970, each with the offset after it; none if summer fills the year.
    fn changes(&self, summer: Summer, year: i32) -> Option<[(i64, i32); 2]> {
        let start = summer.start.of_year(year)? - i64::from(self.standard);
        let end = summer.end.of_year(year)? - i64::from(summer.offset);
        let length = if days_of_month(year, 2) == 29 { 366 } else { 365 } * DAY_SECONDS;
        let has_both = end < start || (start < end && end - start < length + i64::from(summer.offset - self.standard));
        has_both.then_some([(start, summer.offset), (end, self.standard)])
    }
}

impl Change {
    /// Local seconds since 1970.
    fn of_year(self, year: i32) -> Option<i64> {
        let first = i64::from(days_from_civil(year, 1, 1)?);
        let is_leap = days_of_month(year, 2) == 29;
        let day = match self.day {
            Day::CommonYear(day) => first + i64::from(day) - 1 + i64::from(is_leap && day >= 60),
            Day::Year(day) => first + i64::from(day),
            Day::Month { month, week, weekday } => {
                let first = i64::from(days_from_civil(year, month, 1)?);
                // 1970-01-01 was a Thursday.
                let ahead = (i64::from(weekday) - (first + 4)).rem_euclid(7);
                let weeks = (0..i64::from(week)).rev();
                let days = i64::from(days_of_month(year, month));
                first + weeks.map(|week| ahead + 7 * week).find(|day| *day < days).unwrap_or(ahead)
            }
        };
        Some(day * DAY_SECONDS + i64::from(self.seconds))
    }
}

/// What stands behind a name, which may be empty.
fn after_name(text: &str) -> Option<&str> {
    match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>').map(|(_, rest)| rest),
        None => {
            let end = text.find(|letter: char| letter.is_ascii_digit() || matches!(letter, ',' | '-' | '+'));
            text.get(end.unwrap_or(text.len())..)
        }
    }
}

/// Takes a number that is at most so large.
fn number(rest: &mut &str, least: u32, most: u32) -> Option<u32> {
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = rest.get(..length)?.parse().ok().filter(|number| (least..=most).contains(number))?;
    *rest = rest.get(length..)?;
    Some(number)
}

/// Takes an offset, in seconds.
fn offset(rest: &mut &str) -> Option<i32> {
    let sign = match rest.strip_prefix('-') {
        Some(unsigned) => {
            *rest = unsigned;
            -1
        }
        None => {
            *rest = rest.strip_prefix('+').unwrap_or(rest);
            1
        }
    };
    let mut seconds = number(rest, 0, 167)? * 3600;
    for (unit, most) in [(60, 59), (1, 60)] {
        let Some(after) = rest.strip_prefix(':') else { break };
        *rest = after;
        seconds += number(rest, 0, most)? * unit;
    }
    Some(sign * seconds.cast_signed())
}

fn change(rest: &mut &str) -> Option<Change> {
    let day = if let Some(after) = rest.strip_prefix('j') {
        *rest = after;
        Day::CommonYear(number(rest, 1, 365)?)
    } else if let Some(after) = rest.strip_prefix('m') {
        *rest = after;
        let month = number(rest, 1, 12)?;
        *rest = rest.strip_prefix('.')?;
        let week = number(rest, 1, 5)?;
        *rest = rest.strip_prefix('.')?;
        Day::Month { month, week, weekday: number(rest, 0, 6)? }
    } else {
        Day::Year(number(rest, 0, 365)?)
    };
    let seconds = match rest.strip_prefix('/') {
        Some(after) => {
            *rest = after;
            offset(rest)?
        }
        None => 7200,
    };
    Some(Change { day, seconds })
}
