//! `date_trunc`, `extract`, `date_part`: the fields of days and times. All of it is in UTC.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;

pub(super) const FUNCTIONS: &[Function] = &[DATE_TRUNC, EXTRACT, DATE_PART];

const DATE_TRUNC: Function = Function {
    name: "date_trunc",
    aliases: &[],
    doc: "The time cut to a unit: microseconds, milliseconds, second, minute, hour, day, week, month, quarter, year, …",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Timestamp, date_trunc)
            .returns(|arguments| constant_unit(arguments).and_then(|unit| truncates(unit).map(|()| Type::Timestamp))),
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Timestamptz, date_trunc)
            .returns(|arguments| constant_unit(arguments).and_then(|unit| truncates(unit).map(|()| Type::Timestamptz))),
    ],
    examples: &[
        ("date_trunc('hour', timestamp '2001-02-16 20:38:40')", "2001-02-16 20:00:00"),
        ("date_trunc('week', timestamp '2026-11-22 10:00:00')", "2026-11-16 00:00:00"),
        ("date_trunc('quarter', timestamptz '2026-11-22 10:00:00+00')", "2026-10-01 00:00:00+00"),
    ],
};

const EXTRACT: Function = Function {
    name: "extract",
    aliases: &[],
    doc: "A field of a day or a time, as an exact number: `extract(year from …)`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Date], Type::Numeric, extract).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Numeric, extract).returns(extracted),
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Numeric, extract).returns(extracted),
    ],
    examples: &[
        ("extract(year from date '2026-01-31')", "2026"),
        ("extract(second from timestamp '2001-02-16 20:38:40.12')", "40.120000"),
        ("extract(week from date '2026-01-01')", "1"),
        ("extract(epoch from timestamptz '2026-01-01 00:00:00+00')", "1767225600.000000"),
    ],
};

const DATE_PART: Function = Function {
    name: "date_part",
    aliases: &[],
    doc: "A field of a day or a time, in floating point: `date_part('year', …)`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Date], Type::Double, date_part).returns(part),
        Signature::new(&[Kind::Text, Kind::Timestamp], Type::Double, date_part).returns(part),
        Signature::new(&[Kind::Text, Kind::Timestamptz], Type::Double, date_part).returns(part),
    ],
    examples: &[("date_part('month', date '2026-01-31')", "1"), ("date_part('dow', date '2026-01-31')", "6")],
};

/// A unit of time, or a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
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
}

impl Unit {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.trim().to_ascii_lowercase().as_str() {
            "microseconds" | "microsecond" | "us" | "usec" | "usecs" => Self::Microseconds,
            "milliseconds" | "millisecond" | "ms" | "msec" | "msecs" => Self::Milliseconds,
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
            "julian" => Self::Julian,
            _ => return None,
        })
    }

    /// Whether it is a part of the day.
    fn is_of_day(self) -> bool {
        matches!(self, Self::Microseconds | Self::Milliseconds | Self::Second | Self::Minute | Self::Hour)
    }
}

/// The unit that a call names, which must be the same in every row.
fn constant_unit(arguments: &[Argument<'_>]) -> Result<Unit, String> {
    let array = arguments.first().and_then(|argument| argument.constant);
    let array = array.ok_or("the unit must be a constant text")?.as_string_view();
    if array.is_null(0) {
        return Err("the unit must not be NULL".to_owned());
    }
    Unit::parse(array.value(0)).ok_or_else(|| format!("`{}` is no unit of time", array.value(0)))
}

fn unit_of(call: &Call<'_>) -> Unit {
    let text = call.arguments.first().map(|unit| unit.values.as_string_view());
    text.filter(|text| text.is_valid(0)).and_then(|text| Unit::parse(text.value(0))).unwrap_or(Unit::Microseconds)
}

fn truncates(unit: Unit) -> Result<(), String> {
    match unit {
        Unit::DayOfWeek | Unit::IsoDayOfWeek | Unit::DayOfYear | Unit::IsoYear | Unit::Epoch | Unit::Julian => {
            Err("a time cannot be cut to that unit".to_owned())
        }
        _ => Ok(()),
    }
}

fn check_field(arguments: &[Argument<'_>]) -> Result<Unit, String> {
    let unit = constant_unit(arguments)?;
    let is_date = arguments.get(1).is_some_and(|argument| argument.ty == Type::Date);
    match unit {
        _ if is_date && unit.is_of_day() => Err("a date has no time of day".to_owned()),
        Unit::Julian if !is_date => Err("the Julian day of a time is not supported; cast it to a date".to_owned()),
        _ => Ok(unit),
    }
}

fn part(arguments: &[Argument<'_>]) -> Result<Type, String> {
    check_field(arguments).map(|_| Type::Double)
}

/// The type of an extracted field: seconds have six digits after the point, milliseconds three.
fn extracted(arguments: &[Argument<'_>]) -> Result<Type, String> {
    let unit = check_field(arguments)?;
    let is_date = arguments.get(1).is_some_and(|argument| argument.ty == Type::Date);
    Ok(Type::Decimal { precision: 20, scale: if is_date { 0 } else { scale_of(unit) } })
}

fn scale_of(unit: Unit) -> u8 {
    match unit {
        Unit::Second | Unit::Epoch => 6,
        Unit::Milliseconds => 3,
        _ => 0,
    }
}

fn date_trunc(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    call.map::<(call::Text, call::Timestamp), call::Timestamp>(|(_, micros)| truncated(micros, unit).map(Some))
}

fn truncated(micros: i64, unit: Unit) -> Result<i64, Fault> {
    let within = |unit: i64| Ok(micros - micros.rem_euclid(unit));
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

fn extract(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    let is_date = is_date(call);
    let scale = if is_date { 0 } else { scale_of(unit) };
    let value = |micros: i64| {
        let mut unscaled = i128::from(field(micros, unit));
        if is_date && unit == Unit::Epoch {
            unscaled /= 1_000_000;
        }
        Ok(Some(Decimal { unscaled, scale }))
    };
    match is_date {
        true => call.map::<(call::Text, call::Date), call::Numeric>(|(_, day)| value(i64::from(day) * DAY_MICROS)),
        false => call.map::<(call::Text, call::Timestamp), call::Numeric>(|(_, micros)| value(micros)),
    }
}

fn date_part(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    let scale = scale_of(unit);
    let value = |micros: i64| {
        let unscaled = i128::from(field(micros, unit));
        Ok(Some(decimal::to_double(Decimal { unscaled, scale })))
    };
    match is_date(call) {
        true => call.map::<(call::Text, call::Date), call::Double>(|(_, day)| value(i64::from(day) * DAY_MICROS)),
        false => call.map::<(call::Text, call::Timestamp), call::Double>(|(_, micros)| value(micros)),
    }
}

fn is_date(call: &Call<'_>) -> bool {
    call.arguments.get(1).is_some_and(|value| value.values.data_type() == &Type::Date.arrow())
}

/// A field of a time, unscaled as [`scale_of`] says.
fn field(micros: i64, unit: Unit) -> i64 {
    let days = micros.div_euclid(DAY_MICROS);
    let of_day = micros.rem_euclid(DAY_MICROS);
    let (year, month, day) = civil_from_days(narrow(days));
    // There is no year 0: what counts as year 0 is 1 BC.
    let shown = |year: i32| i64::from(if year > 0 { year } else { year - 1 });
    let since =
        |size: i32| i64::from(if year > 0 { (year + size - 1) / size } else { -((size - 1 - (year - 1)) / size) });
    match unit {
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
    }
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
