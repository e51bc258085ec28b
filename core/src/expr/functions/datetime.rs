//! `date_trunc`, `extract`, `date_part`, `age`, `date_bin`, `overlaps`, `isfinite`: fields of times, and times compared.

use std::cell::RefCell;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::call;
use super::zone::ZONE;
use super::zone::Zones;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::Interval;
use crate::value::datetime;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;
use crate::value::text::quote;
use crate::value::zoned::ZonedTime;

pub(super) const FUNCTIONS: &[Function] = &[DATE_TRUNC, EXTRACT, DATE_PART, AGE, DATE_BIN, OVERLAPS, ISFINITE];

const DATE_TRUNC: Function = Function {
    name: "date_trunc",
    aliases: &[],
    doc: "The time cut to a unit: microseconds, milliseconds, second, minute, hour, day, week, month, quarter, year, …; \
          by the clocks of a zone, if one is named",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Timestamp, date_trunc).constants(&[(0, TIME_UNIT)]),
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Timestamptz, date_trunc).constants(&[(0, TIME_UNIT)]),
        Signature::new(&[Kind::Text, Kind::Timestamptz, Kind::Text], Type::Timestamptz, date_trunc_in_zone)
            .constants(&[(0, TIME_UNIT), (2, ZONE)]),
        Signature::new(&[Kind::Text, Kind::Interval], Type::Interval, interval_trunc).constants(&[(0, SPAN_UNIT)]),
    ],
    examples: &[
        ("date_trunc('hour', timestamp '2001-02-16 20:38:40')", "2001-02-16 20:00:00"),
        ("date_trunc('week', timestamp '2026-11-22 10:00:00')", "2026-11-16 00:00:00"),
        ("date_trunc('quarter', timestamptz '2026-11-22 10:00:00+00')", "2026-10-01 00:00:00+00"),
        ("date_trunc('day', timestamptz '2001-02-16 20:38:40+00', 'Australia/Sydney')", "2001-02-16 13:00:00+00"),
        ("date_trunc('hour', interval '3 days 02:47:33')", "3 days 02:00:00"),
    ],
};

const EXTRACT: Function = Function {
    name: "extract",
    aliases: &[],
    doc: "A field of a day, a time or an interval, as an exact number: `extract(year from …)`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Date], Type::Numeric, extract_date).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Numeric, extract_timestamp).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Numeric, extract_timestamptz).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Time], Type::Numeric, extract_time).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Timetz], Type::Numeric, extract_timetz).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Interval], Type::Numeric, extract_interval).returns(extracted),
    ],
    examples: &[
        ("extract(year from date '2026-01-31')", "2026"),
        ("extract(second from timestamp '2001-02-16 20:38:40.12')", "40.120000"),
        ("extract(week from date '2026-01-01')", "1"),
        ("extract(epoch from timestamptz '2026-01-01 00:00:00+00')", "1767225600.000000"),
        ("extract(epoch from interval '1 month')", "2592000.000000"),
        ("extract(hour from time '13:30:25')", "13"),
        ("extract(timezone_minute from timetz '13:30:25-04:30')", "-30"),
    ],
};

const DATE_PART: Function = Function {
    name: "date_part",
    aliases: &["datepart", "pgdate_part"],
    doc: "A field of a day, a time or an interval, in floating point: `date_part('year', …)`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Date], Type::Double, part_of_date).returns(part),
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Double, part_of_timestamp).returns(part),
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Double, part_of_timestamptz).returns(part),
        Signature::new(&[Kind::Text, Kind::Time], Type::Double, part_of_time).returns(part),
        Signature::new(&[Kind::Text, Kind::Timetz], Type::Double, part_of_timetz).returns(part),
        Signature::new(&[Kind::Text, Kind::Interval], Type::Double, part_of_interval).returns(part),
    ],
    examples: &[
        ("date_part('month', date '2026-01-31')", "1"),
        ("date_part('dow', date '2026-01-31')", "6"),
        ("date_part(hour, timestamp '2026-01-31 10:00')", "10"),
        ("date_part('second', interval '1 minute 2.5 seconds')", "2.5"),
    ],
};

const AGE: Function = Function {
    name: "age",
    aliases: &[],
    doc: "The years, months, days and time from the second time to the first",
    signatures: &[
        Signature::new(&[Kind::Timestamp, Kind::Timestamp], Type::Interval, age),
        Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Interval, age),
    ],
    examples: &[("age(timestamp '2001-04-10', timestamp '1957-06-13')", "43 years 9 mons 27 days")],
};

const DATE_BIN: Function = Function {
    name: "date_bin",
    aliases: &[],
    doc: "The start of the interval, of those one after the other from an origin, in which the time lies",
    signatures: &[
        Signature::new(&[Kind::Interval, Kind::Timestamp, Kind::Timestamp], Type::Timestamp, date_bin)
            .constants(&[(0, STRIDE)]),
        Signature::new(&[Kind::Interval, Kind::Timestamptz, Kind::Timestamptz], Type::Timestamptz, date_bin)
            .constants(&[(0, STRIDE)]),
    ],
    examples: &[(
        "date_bin('15 minutes', timestamp '2020-02-11 15:44:17', timestamp '2001-01-01')",
        "2020-02-11 15:30:00",
    )],
};

const OVERLAPS: Function = Function {
    name: "overlaps",
    aliases: &[],
    doc: "Whether two spans of time have a moment in common: `(start, end or interval) OVERLAPS (start, end or interval)`",
    signatures: &[
        overlapping(&[Kind::Timestamp, Kind::Timestamp, Kind::Timestamp, Kind::Timestamp]),
        overlapping(&[Kind::Timestamp, Kind::Interval, Kind::Timestamp, Kind::Interval]),
        overlapping(&[Kind::Timestamp, Kind::Timestamp, Kind::Timestamp, Kind::Interval]),
        overlapping(&[Kind::Timestamp, Kind::Interval, Kind::Timestamp, Kind::Timestamp]),
        overlapping(&[Kind::Timestamptz, Kind::Timestamptz, Kind::Timestamptz, Kind::Timestamptz]),
        overlapping(&[Kind::Timestamptz, Kind::Interval, Kind::Timestamptz, Kind::Interval]),
        overlapping(&[Kind::Timestamptz, Kind::Timestamptz, Kind::Timestamptz, Kind::Interval]),
        overlapping(&[Kind::Timestamptz, Kind::Interval, Kind::Timestamptz, Kind::Timestamptz]),
        overlapping(&[Kind::Time, Kind::Time, Kind::Time, Kind::Time]),
        overlapping(&[Kind::Time, Kind::Interval, Kind::Time, Kind::Interval]),
        overlapping(&[Kind::Time, Kind::Time, Kind::Time, Kind::Interval]),
        overlapping(&[Kind::Time, Kind::Interval, Kind::Time, Kind::Time]),
    ],
    examples: &[("(date '2026-01-01', date '2026-02-01') overlaps (date '2026-01-31', date '2026-03-01')", "true")],
};

const ISFINITE: Function = Function {
    name: "isfinite",
    aliases: &[],
    doc: "Whether the time is not infinite; no interval is",
    signatures: &[
        Signature::new(&[Kind::Date], Type::Boolean, |call| {
            call.map::<(call::Date,), call::Boolean>(|(day,)| Ok(Some(datetime::is_finite_day(day))))
        }),
        Signature::new(&[Kind::Timestamp], Type::Boolean, finite),
        Signature::new(&[Kind::Timestamptz], Type::Boolean, finite),
        Signature::new(&[Kind::Interval], Type::Boolean, |call| call.map_rows::<call::Boolean>(|_| Ok(Some(true)))),
    ],
    examples: &[("isfinite(date '2026-01-31')", "true"), ("isfinite(timestamp '-infinity')", "false")],
};

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
    fn is_of_day(self) -> bool {
        matches!(self, Self::Microseconds | Self::Milliseconds | Self::Second | Self::Minute | Self::Hour)
    }

    /// Whether it is a field of every day that no span of time has.
    fn is_of_calendar(self) -> bool {
        matches!(
            self,
            Self::DayOfWeek | Self::IsoDayOfWeek | Self::DayOfYear | Self::IsoYear | Self::Julian | Self::Week
        ) || self.is_of_zone()
    }

    fn is_of_zone(self) -> bool {
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
fn named(text: &str) -> Result<Unit, Fault> {
    let unit = Unit::parse(text);
    unit.ok_or_else(|| Fault::new(Code::BadArgument, format!("{} is no unit of time", quote(text.as_bytes()))))
}

/// The unit to which a time can be cut.
fn time_unit(text: &str) -> Result<Unit, Fault> {
    match named(text)? {
        Unit::Week => Ok(Unit::Week),
        unit if unit.is_of_zone() => Err(not_for("a time cannot be cut to that unit")),
        unit if unit == Unit::Epoch || unit.is_of_calendar() => {
            Err(Fault::new(Code::BadArgument, "a time cannot be cut to that unit"))
        }
        unit => Ok(unit),
    }
}

/// The unit to which a span of time can be cut.
fn span_unit(text: &str) -> Result<Unit, Fault> {
    match named(text)? {
        Unit::Week => Err(not_for("months have no whole number of weeks")),
        _ => time_unit(text),
    }
}

fn not_for(fact: &'static str) -> Fault {
    Fault::new(Code::NotForValues, fact)
}

const TIME_UNIT: Constant = Constant::Text(|text| time_unit(text).map(|_| ()));
const SPAN_UNIT: Constant = Constant::Text(|text| span_unit(text).map(|_| ()));

/// The field of that name, if a value of the type has it. An exact field of a day is none of its time.
fn field_of(text: &str, ty: Type, exact: bool) -> Result<Unit, Fault> {
    let unit = named(text)?;
    let has = match ty {
        Type::Date => !(unit.is_of_zone() || (exact && unit.is_of_day())),
        Type::Timestamp => !unit.is_of_zone(),
        Type::Time => unit.is_of_day() || unit == Unit::Epoch,
        Type::Timetz => unit.is_of_day() || unit.is_of_zone() || unit == Unit::Epoch,
        Type::Interval => !unit.is_of_calendar(),
        _ => true,
    };
    if has { Ok(unit) } else { Err(Fault::new(Code::NotForValues, format!("a value of type {ty} has no such field"))) }
}

/// The units of a call's rows: that of the row before is mostly the next one too.
struct Units<F> {
    read: F,
    last: RefCell<Option<(String, Unit)>>,
}

impl<F: Fn(&str) -> Result<Unit, Fault>> Units<F> {
    fn new(read: F) -> Self {
        Self { read, last: RefCell::new(None) }
    }

    fn of(&self, text: &str) -> Result<Unit, Fault> {
        let mut last = self.last.borrow_mut();
        match &*last {
            Some((known, unit)) if known == text => Ok(*unit),
            _ => Ok(last.insert((text.to_owned(), (self.read)(text)?)).1),
        }
    }
}

/// The field of a constant name, if the second argument has it.
fn constant_field(arguments: &[Argument<'_>], exact: bool) -> Result<Option<Unit>, Refusal> {
    let name = arguments.first().and_then(|name| name.constant).map(|name| name.as_string_view());
    let (Some(name), Some(value)) = (name.filter(|name| name.is_valid(0)), arguments.get(1)) else { return Ok(None) };
    let field = field_of(name.value(0), value.ty, exact);
    field.map(Some).map_err(|fault| Refusal { at: Some(0), ..fault.into() })
}

fn part(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    constant_field(arguments, false).map(|_| Type::Double)
}

/// The type of an extracted field: seconds have six digits after the point, milliseconds three.
fn extracted(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    let is_date = arguments.get(1).is_some_and(|argument| argument.ty == Type::Date);
    Ok(match constant_field(arguments, true)? {
        None => Type::Numeric,
        Some(unit) if grows(unit) && arguments.get(1).is_some_and(Argument::is_special) => Type::Numeric,
        Some(Unit::Julian) if !is_date => Type::Numeric,
        Some(unit) => Type::Decimal { precision: 21, scale: if is_date { 0 } else { scale_of(unit) } },
    })
}

fn scale_of(unit: Unit) -> u8 {
    match unit {
        Unit::Second | Unit::Epoch => 6,
        Unit::Milliseconds => 3,
        _ => 0,
    }
}

fn date_trunc(call: &Call<'_>) -> Column {
    let units = Units::new(time_unit);
    call.map::<(call::Text, call::Timestamp), call::Timestamp>(|(unit, micros)| {
        truncated(micros, units.of(unit)?).map(Some)
    })
}

fn date_trunc_in_zone(call: &Call<'_>) -> Column {
    let (units, zones) = (Units::new(time_unit), Zones::new());
    call.map::<(call::Text, call::Timestamp, call::Text), call::Timestamp>(|(unit, instant, zone)| {
        let unit = units.of(unit)?;
        if !datetime::is_finite(instant) {
            return Ok(Some(instant));
        }
        let local = zones.local(zone, instant)?;
        let cut = truncated(local, unit)?;
        if unit.is_of_day() {
            // Clocks that were turned back show an hour twice; a part of it stays in it.
            return Ok(Some(instant - (local - cut)));
        }
        zones.instant(zone, cut).map(Some)
    })
}

fn interval_trunc(call: &Call<'_>) -> Column {
    let units = Units::new(span_unit);
    call.map::<(call::Text, call::Interval), call::Interval>(|(unit, interval)| {
        let unit = units.of(unit)?;
        let Interval { months, days, micros } = interval;
        let time = |unit: i64| Interval { micros: micros / unit * unit, ..interval };
        let whole = |unit: i32| Interval { months: months / unit * unit, ..Interval::default() };
        Ok(Some(match unit {
            Unit::Milliseconds => time(1000),
            Unit::Second => time(1_000_000),
            Unit::Minute => time(60_000_000),
            Unit::Hour => time(3_600_000_000),
            Unit::Day => Interval { months, days, micros: 0 },
            Unit::Month => whole(1),
            Unit::Quarter => whole(3),
            Unit::Year => whole(12),
            Unit::Decade => whole(120),
            Unit::Century => whole(1200),
            Unit::Millennium => whole(12_000),
            _ => interval,
        }))
    })
}

fn age(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Timestamp), call::Interval>(|(end, start)| {
        finite_time(end)?;
        finite_time(start)?;
        Ok(Some(Interval::age(end, start)))
    })
}

const STRIDE: Constant = Constant::Interval(|stride| stride_micros(stride).map(|_| ()));

fn beyond(what: &str) -> Fault {
    Fault::new(Code::DatetimeOutOfRange, format!("{what} out of range"))
}

/// The length of a bin.
fn stride_micros(stride: Interval) -> Result<i64, Fault> {
    if stride.months != 0 {
        return Err(not_for("times cannot be binned by months or years"));
    }
    let days = i64::from(stride.days).checked_mul(DAY_MICROS);
    match days.and_then(|days| days.checked_add(stride.micros)).ok_or_else(|| beyond("interval"))? {
        ..=0 => Err(Fault::new(Code::DatetimeOutOfRange, "stride must be greater than zero")),
        size => Ok(size),
    }
}

fn date_bin(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Timestamp, call::Timestamp), call::Timestamp>(|(stride, micros, origin)| {
        let size = stride_micros(stride)?;
        if !datetime::is_finite(micros) {
            return Ok(Some(micros));
        }
        if !datetime::is_finite(origin) {
            return Err(beyond("origin"));
        }
        let since = micros.checked_sub(origin).ok_or_else(|| beyond("interval"))?;
        let bin = since.checked_sub(since.rem_euclid(size)).and_then(|start| start.checked_add(origin));
        let bin = bin.filter(|&bin| bin >= datetime::MICROS_MIN);
        bin.map(Some).ok_or_else(|| beyond("timestamp"))
    })
}

const fn overlapping(arguments: &'static [Kind]) -> Signature {
    let signature = Signature::new(arguments, Type::Boolean, overlap).nullable();
    Signature { strict: false, ..signature }
}

/// Whether two spans overlap, if that is known; a start belongs to its span, an end does not, unless it is the start.
fn spans_overlap(first: (Option<i64>, Option<i64>), second: (Option<i64>, Option<i64>)) -> Option<bool> {
    let ordered = |span: (Option<i64>, Option<i64>)| match span {
        (Some(start), Some(end)) => Some((start.min(end), Some(start.max(end)))),
        (Some(start), None) | (None, Some(start)) => Some((start, None)),
        (None, None) => None,
    };
    let (first, second) = (ordered(first)?, ordered(second)?);
    if first.0 == second.0 {
        return (first.1.is_some() && second.1.is_some()).then_some(true);
    }
    let (earlier, later) = if first.0 < second.0 { (first, second) } else { (second, first) };
    match earlier.1? {
        end if later.0 < end => Some(true),
        _ => later.1.map(|_| false),
    }
}

fn overlap(call: &Call<'_>) -> Column {
    use super::call::Read;
    let is_time = call.arguments.first().is_some_and(|start| start.values.data_type() == &Type::Time.arrow());
    let starts: Vec<_> = call.arguments.iter().map(|argument| (argument, argument.mask())).collect();
    let micros = |at: usize, row: usize| {
        let (vector, mask) = starts.get(at)?;
        if vector.values.is_null(row & mask) {
            return None;
        }
        Some(match is_time {
            true => call::Time::read(&call::Time::reader(vector), row),
            false => call::Timestamp::read(&call::Timestamp::reader(vector), row),
        })
    };
    let end = |at: usize, row: usize| -> Result<Option<i64>, Fault> {
        let Some((vector, mask)) = starts.get(at) else { return Ok(None) };
        if vector.values.data_type() != &Type::Interval.arrow() {
            return Ok(micros(at, row));
        }
        let Some(start) = micros(at - 1, row).filter(|_| vector.values.is_valid(row & mask)) else { return Ok(None) };
        let length = call::Interval::read(&call::Interval::reader(vector), row);
        match is_time {
            true => Ok(Some((start + length.micros % DAY_MICROS).rem_euclid(DAY_MICROS))),
            false => length.after(start).map(Some),
        }
    };
    call.map_all_rows::<call::Boolean>(|row| {
        Ok(spans_overlap((micros(0, row), end(1, row)?), (micros(2, row), end(3, row)?)))
    })
}

fn finite(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp,), call::Boolean>(|(micros,)| Ok(Some(datetime::is_finite(micros))))
}

/// Whether a field of an infinite time is infinite, too; others are NULL.
fn grows(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium | Unit::IsoYear | Unit::Epoch | Unit::Julian
    )
}

/// The fault of an infinite time, of which there is no such thing.
pub(super) fn finite_time(micros: i64) -> Result<(), Fault> {
    match datetime::is_finite(micros) {
        true => Ok(()),
        false => Err(Fault::new(Code::DatetimeOutOfRange, "timestamp out of range: it is infinite")),
    }
}

/// A field of an infinite time, exactly.
fn endless(unit: Unit, negative: bool, ty: Type) -> Result<Option<Decimal>, Fault> {
    let field = if negative { Decimal::MINUS_INFINITY } else { Decimal::INFINITY };
    match grows(unit) {
        true if ty == Type::Numeric => Ok(Some(field)),
        true => Err(decimal::not_finite(field)),
        false => Ok(None),
    }
}

/// A field of an infinite time in floating point.
fn endless_part(unit: Unit, negative: bool) -> Option<f64> {
    grows(unit).then_some(if negative { f64::NEG_INFINITY } else { f64::INFINITY })
}

fn truncated(micros: i64, unit: Unit) -> Result<i64, Fault> {
    let within = |unit: i64| Ok(micros - micros.rem_euclid(unit));
    if !datetime::is_finite(micros) {
        return Ok(micros);
    }
    let days = micros.div_euclid(DAY_MICROS);
    let first_of = |year: i32, month: u32| {
        let day = days_from_civil(year, month, 1).and_then(|day| i64::from(day).checked_mul(DAY_MICROS));
        day.ok_or_else(|| Fault::new(Code::DatetimeOutOfRange, "timestamp out of range"))
    };
    let (year, month, _) = civil_from_days(narrow(days));
    match unit {
        Unit::Microseconds => Ok(micros),
        Unit::Milliseconds => within(1_000),
        Unit::Second => within(1_000_000),
        Unit::Minute => within(60_000_000),
        Unit::Hour => within(3_600_000_000),
        Unit::Week => Ok((days - (iso_day_of_week(days) - 1)) * DAY_MICROS),
        Unit::Month => first_of(year, month),
        Unit::Quarter => first_of(year, (month - 1) / 3 * 3 + 1),
        Unit::Year => first_of(year, 1),
        Unit::Decade => first_of(year.div_euclid(10) * 10, 1),
        Unit::Century => first_of((year - 1).div_euclid(100) * 100 + 1, 1),
        Unit::Millennium => first_of((year - 1).div_euclid(1000) * 1000 + 1, 1),
        _ => within(DAY_MICROS),
    }
}

/// An exact field of a time.
fn exact(micros: i64, unit: Unit, ty: Type) -> Result<Option<Decimal>, Fault> {
    if !datetime::is_finite(micros) {
        return endless(unit, micros < 0, ty);
    }
    if unit == Unit::Julian {
        let whole = Decimal { unscaled: field(micros, unit), scale: 0 };
        let of_day = Decimal { unscaled: micros.rem_euclid(DAY_MICROS).into(), scale: 0 };
        let share = decimal::divide(of_day, Decimal { unscaled: DAY_MICROS.into(), scale: 0 })?;
        return decimal::add(whole, share).map(Some);
    }
    Ok(Some(Decimal { unscaled: field(micros, unit), scale: scale_of(unit) }))
}

/// A field in floating point.
#[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
fn floating(micros: i64, unit: Unit) -> Option<f64> {
    if !datetime::is_finite(micros) {
        return endless_part(unit, micros < 0);
    }
    let unscaled = field(micros, unit);
    match unit {
        Unit::Julian => Some(unscaled as f64 + micros.rem_euclid(DAY_MICROS) as f64 / DAY_MICROS as f64),
        _ => Some(unscaled as f64 / 10_f64.powi(scale_of(unit).into())),
    }
}

fn extract_date(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Date, true));
    call.map::<(call::Text, call::Date), call::Numeric>(|(unit, day)| {
        let unit = units.of(unit)?;
        if !datetime::is_finite_day(day) {
            return endless(unit, day < 0, call.ty);
        }
        let unscaled = match unit {
            Unit::Epoch => i128::from(day) * i128::from(DAY_MICROS / 1_000_000),
            _ => field(i64::from(day).saturating_mul(DAY_MICROS), unit),
        };
        Ok(Some(Decimal { unscaled, scale: 0 }))
    })
}

fn extract_timestamp(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Timestamp, true));
    call.map::<(call::Text, call::Timestamp), call::Numeric>(|(unit, micros)| exact(micros, units.of(unit)?, call.ty))
}

fn extract_timestamptz(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Timestamptz, true));
    call.map::<(call::Text, call::Timestamp), call::Numeric>(|(unit, micros)| exact(micros, units.of(unit)?, call.ty))
}

fn extract_time(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Time, true));
    call.map::<(call::Text, call::Time), call::Numeric>(|(unit, micros)| {
        let unit = units.of(unit)?;
        Ok(Some(Decimal { unscaled: time_field(micros, unit), scale: scale_of(unit) }))
    })
}

fn extract_timetz(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Timetz, true));
    call.map::<(call::Text, call::Timetz), call::Numeric>(|(unit, time)| {
        let unit = units.of(unit)?;
        Ok(Some(Decimal { unscaled: zoned_field(ZonedTime::unpacked(time), unit), scale: scale_of(unit) }))
    })
}

fn extract_interval(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Interval, true));
    call.map::<(call::Text, call::Interval), call::Numeric>(|(unit, interval)| {
        let unit = units.of(unit)?;
        Ok(Some(Decimal { unscaled: interval_field(interval, unit), scale: scale_of(unit) }))
    })
}

fn part_of_date(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Date, false));
    call.map::<(call::Text, call::Date), call::Double>(|(unit, day)| {
        Ok(floating(super::operators::midnight(day)?, units.of(unit)?))
    })
}

fn part_of_timestamp(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Timestamp, false));
    call.map::<(call::Text, call::Timestamp), call::Double>(|(unit, micros)| Ok(floating(micros, units.of(unit)?)))
}

fn part_of_timestamptz(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Timestamptz, false));
    call.map::<(call::Text, call::Timestamp), call::Double>(|(unit, micros)| Ok(floating(micros, units.of(unit)?)))
}

fn part_of_time(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Time, false));
    call.map::<(call::Text, call::Time), call::Double>(|(unit, micros)| {
        let unit = units.of(unit)?;
        Ok(Some(unscaled_part(time_field(micros, unit), unit)))
    })
}

fn part_of_timetz(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Timetz, false));
    call.map::<(call::Text, call::Timetz), call::Double>(|(unit, time)| {
        let unit = units.of(unit)?;
        Ok(Some(unscaled_part(zoned_field(ZonedTime::unpacked(time), unit), unit)))
    })
}

fn part_of_interval(call: &Call<'_>) -> Column {
    let units = Units::new(|text| field_of(text, Type::Interval, false));
    call.map::<(call::Text, call::Interval), call::Double>(|(unit, interval)| {
        let unit = units.of(unit)?;
        Ok(Some(unscaled_part(interval_field(interval, unit), unit)))
    })
}

#[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
fn unscaled_part(unscaled: i128, unit: Unit) -> f64 {
    unscaled as f64 / 10_f64.powi(scale_of(unit).into())
}

/// A field of a time of day, which may be its end, `24:00`.
fn time_field(micros: i64, unit: Unit) -> i128 {
    match unit {
        Unit::Epoch => micros.into(),
        Unit::Hour => (micros / 3_600_000_000).into(),
        _ => field(micros, unit),
    }
}

/// A field of a time of day with its offset.
fn zoned_field(time: ZonedTime, unit: Unit) -> i128 {
    match unit {
        Unit::Epoch => time.utc().into(),
        Unit::Timezone => time.offset.into(),
        Unit::TimezoneHour => (time.offset / 3600).into(),
        Unit::TimezoneMinute => (time.offset / 60 % 60).into(),
        _ => time_field(time.micros, unit),
    }
}

/// A field of an interval, unscaled as [`scale_of`] says. Parts keep their signs.
fn interval_field(interval: Interval, unit: Unit) -> i128 {
    let Interval { months, days, micros } = interval;
    let (months, days) = (i64::from(months), i64::from(days));
    match unit {
        // A year has 365.25 days here, so that days are counted in quarters.
        Unit::Epoch => {
            let quarters = 1461 * (months / 12) + 120 * (months % 12) + 4 * days;
            i128::from(quarters) * i128::from(DAY_MICROS / 4) + i128::from(micros)
        }
        Unit::Microseconds | Unit::Milliseconds | Unit::Second => (micros % 60_000_000).into(),
        Unit::Minute => (micros / 60_000_000 % 60).into(),
        Unit::Hour => (micros / 3_600_000_000).into(),
        Unit::Day => days.into(),
        Unit::Month => (months % 12).into(),
        Unit::Quarter => (months % 12 / 3 + 1).into(),
        Unit::Year => (months / 12).into(),
        Unit::Decade => (months / 120).into(),
        Unit::Century => (months / 1200).into(),
        _ => (months / 12_000).into(),
    }
}

/// A field of a time, unscaled as [`scale_of`] says.
fn field(micros: i64, unit: Unit) -> i128 {
    let days = micros.div_euclid(DAY_MICROS);
    let of_day = micros.rem_euclid(DAY_MICROS);
    let (year, month, day) = civil_from_days(narrow(days));
    // There is no year 0: what counts as year 0 is 1 BC.
    let shown = |year: i32| i64::from(if year > 0 { year } else { year - 1 });
    let since =
        |size: i32| i64::from(if year > 0 { (year + size - 1) / size } else { -((size - 1 - (year - 1)) / size) });
    i128::from(match unit {
        Unit::Microseconds | Unit::Second => of_day % 60_000_000,
        // Milliseconds at scale 3 are microseconds.
        Unit::Milliseconds => of_day % 60_000_000,
        Unit::Minute => of_day / 60_000_000 % 60,
        Unit::Hour => of_day / 3_600_000_000,
        Unit::Day => day.into(),
        Unit::Week => iso_week(days).1,
        Unit::Month => month.into(),
        Unit::Quarter => i64::from((month - 1) / 3 + 1),
        Unit::Year => shown(year),
        Unit::Decade => i64::from(year.div_euclid(10)),
        Unit::Century => since(100),
        Unit::Millennium => since(1000),
        Unit::DayOfWeek => iso_day_of_week(days) % 7,
        Unit::IsoDayOfWeek => iso_day_of_week(days),
        Unit::DayOfYear => days - first_day(year) + 1,
        Unit::IsoYear => shown(iso_week(days).0),
        Unit::Epoch => micros,
        Unit::Julian => days + 2_440_588,
        // The session's zone is UTC.
        Unit::Timezone | Unit::TimezoneHour | Unit::TimezoneMinute => 0,
    })
}

/// Monday is 1; 1970-01-01 was a Thursday.
fn iso_day_of_week(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// The year and the number of the week: that of its Thursday.
fn iso_week(days: i64) -> (i32, i64) {
    let thursday = days - iso_day_of_week(days) + 4;
    let (year, _, _) = civil_from_days(narrow(thursday));
    (year, (thursday - first_day(year)) / 7 + 1)
}

/// The first of January.
fn first_day(year: i32) -> i64 {
    // The first year begins 327 days before the first day that there is.
    days_from_civil(year, 1, 1).map_or(-2_440_588 - 327, i64::from)
}

/// A day of a timestamp always fits.
fn narrow(days: i64) -> i32 {
    i32::try_from(days).unwrap_or_default()
}
