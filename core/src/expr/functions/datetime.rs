//! `date_trunc`, `age`, `date_bin`, `overlaps`, `isfinite`: times are truncated and compared.

use arrow_array::Array;

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use super::field::iso_day_of_week;
use super::field::narrow;
use super::unit::Unit;
use super::unit::Units;
use super::unit::named;
use super::unit::not_for;
use super::zone::ZONE;
use super::zone::Zones;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::Interval;
use crate::value::datetime;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::days_from_civil;

pub(super) const FUNCTIONS: &[Function] = &[DATE_TRUNC, AGE, DATE_BIN, OVERLAPS, ISFINITE];

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
        overlapping(&[Kind::Timetz, Kind::Timetz, Kind::Timetz, Kind::Timetz]),
    ],
    examples: &[
        ("(date '2026-01-01', date '2026-02-01') overlaps (date '2026-01-31', date '2026-03-01')", "true"),
        ("(timetz '10:00+02', timetz '11:00+02') overlaps (timetz '08:30Z', timetz '09:30Z')", "true"),
    ],
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

const TIME_UNIT: Constant = Constant::Text(|text| time_unit(text).map(|_| ()));

const SPAN_UNIT: Constant = Constant::Text(|text| span_unit(text).map(|_| ()));

fn date_trunc(call: &Call<'_>) -> Column {
    let units = Units::new(time_unit);
    call.map::<(call::Text, call::Timestamp), call::Timestamp>(|(unit, micros)| {
        // PostgreSQL does not look at the unit for an infinite time, nor at the interval and the zone below.
        if !datetime::is_finite(micros) {
            return Ok(Some(micros));
        }
        truncated(micros, units.of(unit)?).map(Some)
    })
}

fn date_trunc_in_zone(call: &Call<'_>) -> Column {
    let (units, zones) = (Units::new(time_unit), Zones::new());
    call.map::<(call::Text, call::Timestamp, call::Text), call::Timestamp>(|(unit, instant, zone)| {
        if !datetime::is_finite(instant) {
            return Ok(Some(instant));
        }
        let unit = units.of(unit)?;
        let local = zones.local(zone, instant)?;
        let cut = truncated(local, unit)?;
        if unit.is_of_day() {
            // Clocks that were turned back show an hour twice; a part of it stays in it.
            let start = instant - (local - cut);
            return if start < datetime::MICROS_MIN { Err(beyond("timestamp")) } else { Ok(Some(start)) };
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
        if !datetime::is_finite(micros) {
            return Ok(Some(micros));
        }
        if !datetime::is_finite(origin) {
            return Err(beyond("origin"));
        }
        let size = stride_micros(stride)?;
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
    let starts_as = |ty: Type| call.arguments.first().is_some_and(|start| start.values.data_type() == &ty.arrow());
    // The number that stands for a time with a zone is ordered as the times are.
    let (is_time, is_zoned) = (starts_as(Type::Time), starts_as(Type::Timetz));
    let starts: Vec<_> = call.arguments.iter().map(|argument| (argument, argument.mask())).collect();
    let micros = |at: usize, row: usize| {
        let (vector, mask) = starts.get(at)?;
        if vector.values.is_null(row & mask) {
            return None;
        }
        Some(match () {
            () if is_time => call::Time::read(&call::Time::reader(vector), row),
            () if is_zoned => call::Timetz::read(&call::Timetz::reader(vector), row),
            () => call::Timestamp::read(&call::Timestamp::reader(vector), row),
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

/// The fault of an infinite time, of which there is no such thing.
pub(super) fn finite_time(micros: i64) -> Result<(), Fault> {
    match datetime::is_finite(micros) {
        true => Ok(()),
        false => Err(Fault::new(Code::DatetimeOutOfRange, "timestamp out of range: it is infinite")),
    }
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
