//! `extract` and `date_part`: fields of times.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::call;
use super::unit::Unit;
use super::unit::Units;
use super::unit::named;
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
use crate::value::zoned::ZonedTime;

pub(super) const FUNCTIONS: &[Function] = &[EXTRACT, DATE_PART];

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

/// Whether a field of an infinite time is infinite, too; others are NULL.
fn grows(unit: Unit) -> bool {
    matches!(
        unit,
        Unit::Year | Unit::Decade | Unit::Century | Unit::Millennium | Unit::IsoYear | Unit::Epoch | Unit::Julian
    )
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
        Ok(Some(match units.of(unit)? {
            Unit::Epoch => interval_seconds(interval),
            unit => unscaled_part(interval_field(interval, unit), unit),
        }))
    })
}

/// The seconds of an interval, added in PostgreSQL's order, since each addition rounds.
fn interval_seconds(interval: Interval) -> f64 {
    let Interval { months, days, micros } = interval;
    let time = unscaled_part(micros.into(), Unit::Second);
    let years = f64::from(months / 12) * (365.25 * 86_400.0);
    let months = f64::from(months % 12) * (30.0 * 86_400.0);
    time + years + months + f64::from(days) * 86_400.0
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
pub(super) fn iso_day_of_week(days: i64) -> i64 {
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
pub(super) fn narrow(days: i64) -> i32 {
    i32::try_from(days).unwrap_or_default()
}
