//! Units of time and fields of times, by their names.

use std::cell::RefCell;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Refusal;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

/// A unit of time, or a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Microseconds,
    Milliseconds,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    IsoYear,
    Epoch,
    Julian,
    Timezone,
    TimezoneHour,
    TimezoneMinute,
}

impl Unit {
    /// By any of PostgreSQL's words, of which ten letters count.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let lower = lower.get(..10).unwrap_or(&lower);
        Some(match lower {
            "us" | "usec" | "usecs" | "usecond" | "useconds" | "microsecon" => Self::Microseconds,
            "ms" | "msec" | "msecs" | "msecond" | "mseconds" | "millisecon" => Self::Milliseconds,
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second,
            "minute" | "minutes" | "min" | "mins" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "week" | "weeks" | "w" => Self::Week,
            "month" | "months" | "mon" | "mons" => Self::Month,
            "quarter" | "qtr" => Self::Quarter,
            "year" | "years" | "yr" | "yrs" | "y" => Self::Year,
            "decade" | "decades" | "dec" | "decs" => Self::Decade,
            "century" | "centuries" | "cent" | "c" => Self::Century,
            "millennium" | "millennia" | "mil" | "mils" => Self::Millennium,
            "dow" => Self::DayOfWeek,
            "isodow" => Self::IsoDayOfWeek,
            "doy" => Self::DayOfYear,
            "isoyear" => Self::IsoYear,
            "epoch" => Self::Epoch,
            "j" | "jd" | "julian" => Self::Julian,
            "timezone" => Self::Timezone,
            "timezone_h" => Self::TimezoneHour,
            "timezone_m" => Self::TimezoneMinute,
            _ => return None,
        })
    }

    /// Whether it is a part of the day.
    pub(super) fn is_of_day(self) -> bool {
        matches!(self, Self::Microseconds | Self::Milliseconds | Self::Second | Self::Minute | Self::Hour)
    }

    /// Whether it is a field of every day that no span of time has.
    pub(super) fn is_of_calendar(self) -> bool {
        matches!(
            self,
            Self::DayOfWeek | Self::IsoDayOfWeek | Self::DayOfYear | Self::IsoYear | Self::Julian | Self::Week
        ) || self.is_of_zone()
    }

    pub(super) fn is_of_zone(self) -> bool {
        matches!(self, Self::Timezone | Self::TimezoneHour | Self::TimezoneMinute)
    }
}

/// The unit that a call names, which must be the same in every row.
pub(super) fn constant_unit(arguments: &[Argument<'_>]) -> Result<Unit, Refusal> {
    let array = arguments.first().and_then(|argument| argument.constant);
    let array = array.ok_or("the unit must be a constant text")?.as_string_view();
    if array.is_null(0) {
        return Ok(Unit::Day);
    }
    named(array.value(0)).map_err(|fault| Refusal { at: Some(0), ..fault.into() })
}

pub(super) fn unit_of(call: &Call<'_>) -> Unit {
    let text = call.arguments.first().map(|unit| unit.values.as_string_view());
    text.filter(|text| text.is_valid(0)).and_then(|text| Unit::parse(text.value(0))).unwrap_or(Unit::Microseconds)
}

/// The unit of that name.
pub(super) fn named(text: &str) -> Result<Unit, Fault> {
    let unit = Unit::parse(text);
    unit.ok_or_else(|| Fault::new(Code::BadArgument, format!("{} is no unit of time", quote(text.as_bytes()))))
}

pub(super) fn not_for(fact: &'static str) -> Fault {
    Fault::new(Code::NotForValues, fact)
}

/// The units of a call's rows: that of the row before is mostly the next one too.
pub(super) struct Units<F> {
    read: F,
    last: RefCell<Option<(String, Unit)>>,
}

impl<F: Fn(&str) -> Result<Unit, Fault>> Units<F> {
    pub(super) fn new(read: F) -> Self {
        Self { read, last: RefCell::new(None) }
    }

    pub(super) fn of(&self, text: &str) -> Result<Unit, Fault> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some((known, unit)) if known == text => Ok(*unit),
            _ => Ok(last.insert((text.to_owned(), (self.read)(text)?)).1),
        }
    }
}
