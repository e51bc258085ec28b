//! Redshift's functions of days and times: `dateadd`, `datediff`, `add_months`, `months_between`, `last_day`, `next_day`,
//! `date_part_year`, and those that compare.

use std::cmp::Ordering;

use super::Argument;
use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::call;
use super::datetime::finite_time;
use super::operators::midnight;
use super::unit::Unit;
use super::unit::constant_unit;
use super::unit::unit_of;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::Interval;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::DAYS_MAX;
use crate::value::datetime::MICROS_MAX;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::civil_from_days;
use crate::value::datetime::day_of;
use crate::value::datetime::days_from_civil;
use crate::value::datetime::days_of_month;
use crate::value::datetime::is_finite;
use crate::value::datetime::is_finite_day;
use crate::value::interval;

pub(super) const FUNCTIONS: &[Function] = &[
    DATEADD,
    DATEDIFF,
    ADD_MONTHS,
    MONTHS_BETWEEN,
    LAST_DAY,
    NEXT_DAY,
    DATE_PART_YEAR,
    DATE_CMP,
    DATE_CMP_TIMESTAMP,
    DATE_CMP_TIMESTAMPTZ,
    TIMESTAMP_CMP,
    TIMESTAMP_CMP_DATE,
    TIMESTAMP_CMP_TIMESTAMPTZ,
    TIMESTAMPTZ_CMP,
    TIMESTAMPTZ_CMP_DATE,
    TIMESTAMPTZ_CMP_TIMESTAMP,
];

const DATEADD: Function = Function {
    name: "dateadd",
    aliases: &["date_add"],
    doc: "The time so many units later: `dateadd(month, 18, day)`. A day becomes a timestamp",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Bigint, Kind::Date], Type::Timestamp, add_to_date).returns(adds_timestamp),
        Signature::new(&[Kind::Text, Kind::Bigint, Kind::Timestamp], Type::Timestamp, add).returns(adds_timestamp),
        Signature::new(&[Kind::Text, Kind::Bigint, Kind::Timestamptz], Type::Timestamptz, add)
            .returns(|arguments| addable(arguments, Type::Timestamptz)),
    ],
    examples: &[
        ("dateadd(month, 18, date '2008-02-28')", "2009-08-28 00:00:00"),
        ("dateadd(day, -1, timestamp '2026-03-01 10:00')", "2026-02-28 10:00:00"),
        ("dateadd('quarter', 1, timestamptz '2026-11-30 00:00+00')", "2027-02-28 00:00:00+00"),
    ],
};

const DATEDIFF: Function = Function {
    name: "datediff",
    aliases: &["date_diff"],
    doc: "How many boundaries of a unit lie between two times: `datediff(week, start, end)`. Weeks begin on Sunday",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Date, Kind::Date], Type::Bigint, days_apart).returns(countable),
        Signature::new(&[Kind::Text, Kind::Timestamp, Kind::Timestamp], Type::Bigint, apart).returns(countable),
        Signature::new(&[Kind::Text, Kind::Timestamptz, Kind::Timestamptz], Type::Bigint, apart).returns(countable),
    ],
    examples: &[
        ("datediff(week, date '2009-01-01', date '2009-12-31')", "52"),
        ("datediff(year, date '2008-12-31', date '2009-01-01')", "1"),
        ("datediff('hour', timestamp '2026-01-01 10:59', timestamp '2026-01-01 12:01')", "2"),
    ],
};

const ADD_MONTHS: Function = Function {
    name: "add_months",
    aliases: &[],
    doc: "The time so many months later; from a month's last day to the last day of the other month",
    signatures: &[
        Signature::new(&[Kind::Date, Kind::Integer], Type::Timestamp, add_months_to_date),
        Signature::new(&[Kind::Timestamp, Kind::Integer], Type::Timestamp, add_months),
    ],
    examples: &[
        ("add_months(date '2008-03-31', -1)", "2008-02-29 00:00:00"),
        ("add_months(date '2008-04-30', 1)", "2008-05-31 00:00:00"),
    ],
};

const MONTHS_BETWEEN: Function = Function {
    name: "months_between",
    aliases: &[],
    doc: "The months from the second day to the first, with a 31st of a month for each day of the rest",
    signatures: &[
        Signature::new(&[Kind::Date, Kind::Date], Type::Double, months_between_days),
        Signature::new(&[Kind::Timestamp, Kind::Timestamp], Type::Double, months_between),
    ],
    examples: &[
        ("months_between(date '1969-03-18', date '1969-01-18')", "2"),
        ("months_between(date '2026-02-28', date '2026-01-31')", "1"),
    ],
};

const LAST_DAY: Function = Function {
    name: "last_day",
    aliases: &[],
    doc: "The last day of the month",
    signatures: &[
        Signature::new(&[Kind::Date], Type::Date, last_day),
        Signature::new(&[Kind::Timestamp], Type::Date, last_day_of_timestamp),
    ],
    examples: &[("last_day(date '2008-02-01')", "2008-02-29")],
};

const NEXT_DAY: Function = Function {
    name: "next_day",
    aliases: &[],
    doc: "The first day after this one that is that day of the week, by its name or its first letters",
    signatures: &[
        Signature::new(&[Kind::Date, Kind::Text], Type::Date, next_day).constants(&[(1, WEEKDAY)]),
        Signature::new(&[Kind::Timestamp, Kind::Text], Type::Date, next_day_of_timestamp).constants(&[(1, WEEKDAY)]),
    ],
    examples: &[("next_day(date '2014-08-20', 'Tuesday')", "2014-08-26"), ("next_day(date '2014-08-20', 'x')", "R311")],
};

const DATE_PART_YEAR: Function = Function {
    name: "date_part_year",
    aliases: &[],
    doc: "The year of a day",
    signatures: &[Signature::new(&[Kind::Date], Type::Integer, year)],
    examples: &[("date_part_year(date '2026-01-31')", "2026")],
};

/// A function that compares two times, each of one type.
const fn comparison(
    name: &'static str,
    signatures: &'static [Signature],
    examples: &'static [(&'static str, &'static str)],
) -> Function {
    let doc = "-1, 0 or 1: whether the first is earlier than, the same as or later than the second";
    Function { name, aliases: &[], doc, signatures, examples }
}

const DATE_CMP: Function = comparison(
    "date_cmp",
    &[Signature::new(&[Kind::Date, Kind::Date], Type::Integer, compare_days)],
    &[("date_cmp(date '2026-01-31', date '2026-02-01')", "-1")],
);

const DATE_CMP_TIMESTAMP: Function = comparison(
    "date_cmp_timestamp",
    &[Signature::new(&[Kind::Timestamp, Kind::Timestamp], Type::Integer, compare)],
    &[("date_cmp_timestamp(date '2026-01-31', timestamp '2026-01-31 00:00')", "0")],
);

const DATE_CMP_TIMESTAMPTZ: Function = comparison(
    "date_cmp_timestamptz",
    &[Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Integer, compare)],
    &[("date_cmp_timestamptz(date '2026-01-31', timestamptz '2026-01-30 00:00+00')", "1")],
);

const TIMESTAMP_CMP: Function = comparison(
    "timestamp_cmp",
    &[Signature::new(&[Kind::Timestamp, Kind::Timestamp], Type::Integer, compare)],
    &[("timestamp_cmp(timestamp '2026-01-31 10:00', timestamp '2026-01-31 11:00')", "-1")],
);

const TIMESTAMP_CMP_DATE: Function = comparison(
    "timestamp_cmp_date",
    &[Signature::new(&[Kind::Timestamp, Kind::Timestamp], Type::Integer, compare)],
    &[("timestamp_cmp_date(timestamp '2026-01-31 10:00', date '2026-01-31')", "1")],
);

const TIMESTAMP_CMP_TIMESTAMPTZ: Function = comparison(
    "timestamp_cmp_timestamptz",
    &[Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Integer, compare)],
    &[("timestamp_cmp_timestamptz(timestamp '2026-01-31 10:00', timestamptz '2026-01-31 10:00+00')", "0")],
);

const TIMESTAMPTZ_CMP: Function = comparison(
    "timestamptz_cmp",
    &[Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Integer, compare)],
    &[("timestamptz_cmp(timestamptz '2026-01-31 10:00+00', timestamptz '2026-01-31 10:00+01')", "1")],
);

const TIMESTAMPTZ_CMP_DATE: Function = comparison(
    "timestamptz_cmp_date",
    &[Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Integer, compare)],
    &[("timestamptz_cmp_date(timestamptz '2026-01-31 10:00+00', date '2026-02-01')", "-1")],
);

const TIMESTAMPTZ_CMP_TIMESTAMP: Function = comparison(
    "timestamptz_cmp_timestamp",
    &[Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Integer, compare)],
    &[("timestamptz_cmp_timestamp(timestamptz '2026-01-31 10:00+00', timestamp '2026-01-31 10:00')", "0")],
);

fn out_of_range() -> Fault {
    Fault::new(Code::DatetimeOutOfRange, "timestamp out of range")
}

fn adds_timestamp(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    addable(arguments, Type::Timestamp)
}

fn addable(arguments: &[Argument<'_>], ty: Type) -> Result<Type, Refusal> {
    match constant_unit(arguments)? {
        unit if scale_of(unit).is_some() => Ok(ty),
        _ => Err(Refusal { at: Some(0), ..Fault::new(Code::BadArgument, "that unit cannot be added").into() }),
    }
}

fn countable(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    match constant_unit(arguments)? {
        unit if scale_of(unit).is_some() => Ok(Type::Bigint),
        _ => Err(Refusal { at: Some(0), ..Fault::new(Code::BadArgument, "that unit cannot be counted").into() }),
    }
}

/// A unit in months or in microseconds.
enum Scale {
    Months(i64),
    Micros(i64),
}

fn scale_of(unit: Unit) -> Option<Scale> {
    Some(match unit {
        Unit::Microseconds => Scale::Micros(1),
        Unit::Milliseconds => Scale::Micros(1000),
        Unit::Second | Unit::Epoch => Scale::Micros(1_000_000),
        Unit::Minute => Scale::Micros(60_000_000),
        Unit::Hour => Scale::Micros(3_600_000_000),
        Unit::Day | Unit::DayOfYear | Unit::DayOfWeek => Scale::Micros(DAY_MICROS),
        Unit::Week => Scale::Micros(7 * DAY_MICROS),
        Unit::Month => Scale::Months(1),
        Unit::Quarter => Scale::Months(3),
        Unit::Year => Scale::Months(12),
        Unit::Decade => Scale::Months(120),
        Unit::Century => Scale::Months(1200),
        Unit::Millennium => Scale::Months(12_000),
        _ => return None,
    })
}

fn added(unit: Unit, count: i64, micros: i64) -> Result<i64, Fault> {
    if !is_finite(micros) {
        return Ok(micros);
    }
    let moved = match scale_of(unit) {
        Some(Scale::Months(months)) => {
            let months = count.checked_mul(months).and_then(|months| i32::try_from(months).ok());
            let months = months.ok_or_else(out_of_range)?;
            return Interval { months, ..Interval::default() }.after(micros);
        }
        Some(Scale::Micros(size)) => count.checked_mul(size).and_then(|moved| moved.checked_add(micros)),
        None => None,
    };
    moved.filter(|moved| (MICROS_MIN..=MICROS_MAX).contains(moved)).ok_or_else(out_of_range)
}

fn add(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    call.map::<(call::Text, call::Bigint, call::Timestamp), call::Timestamp>(|(_, count, micros)| {
        added(unit, count, micros).map(Some)
    })
}

fn add_to_date(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    call.map::<(call::Text, call::Bigint, call::Date), call::Timestamp>(|(_, count, day)| {
        added(unit, count, midnight(day)?).map(Some)
    })
}

/// The number of the unit in which a time lies, so that a difference counts the boundaries between two.
fn ordinal(unit: Unit, micros: i64) -> i64 {
    match scale_of(unit) {
        Some(Scale::Months(size)) => {
            let (year, month, _) = civil_from_days(day_of(micros));
            let month = i64::from(year) * 12 + i64::from(month) - 1;
            // The first year of a century and of a millennium is its 1.
            let shift = if size > 120 { 12 } else { 0 };
            (month - shift).div_euclid(size)
        }
        // 1970-01-01 was a Thursday, four days after a Sunday.
        Some(Scale::Micros(size)) if unit == Unit::Week => {
            (micros.div_euclid(DAY_MICROS) + 4).div_euclid(size / DAY_MICROS)
        }
        Some(Scale::Micros(size)) => micros.div_euclid(size),
        None => 0,
    }
}

fn counted(unit: Unit, start: i64, end: i64) -> Result<Option<i64>, Fault> {
    finite_time(start)?;
    finite_time(end)?;
    let count = ordinal(unit, end).checked_sub(ordinal(unit, start));
    count.map(Some).ok_or_else(|| Fault::new(Code::OutOfRange, "bigint out of range"))
}

fn apart(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    call.map::<(call::Text, call::Timestamp, call::Timestamp), call::Bigint>(|(_, start, end)| {
        counted(unit, start, end)
    })
}

fn days_apart(call: &Call<'_>) -> Column {
    let unit = unit_of(call);
    call.map::<(call::Text, call::Date, call::Date), call::Bigint>(|(_, start, end)| {
        counted(unit, midnight(start)?, midnight(end)?)
    })
}

fn is_last_day(day: i32) -> bool {
    let (year, month, day) = civil_from_days(day);
    day == days_of_month(year, month)
}

fn month_end(day: i32) -> Result<i32, Fault> {
    if !is_finite_day(day) {
        return Ok(day);
    }
    let (year, month, _) = civil_from_days(day);
    days_from_civil(year, month, days_of_month(year, month)).ok_or_else(out_of_range)
}

fn months_added(micros: i64, months: i32) -> Result<Option<i64>, Fault> {
    if !is_finite(micros) {
        return Ok(Some(micros));
    }
    let day = day_of(micros);
    let moved = interval::add_months(day, months.into()).ok_or_else(out_of_range)?;
    let moved = if is_last_day(day) { month_end(moved)? } else { moved };
    Interval::of_micros(micros.rem_euclid(DAY_MICROS)).after(midnight(moved)?).map(Some)
}

fn add_months(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Integer), call::Timestamp>(|(micros, months)| months_added(micros, months))
}

fn add_months_to_date(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Integer), call::Timestamp>(|(day, months)| months_added(midnight(day)?, months))
}

/// Whole months where both are the same day, or last days, of their months; else a day is a 31st.
#[expect(clippy::cast_precision_loss, reason = "a fraction of a month")]
fn months_apart(end: i64, start: i64) -> Result<Option<f64>, Fault> {
    finite_time(end)?;
    finite_time(start)?;
    let (end_day, start_day) = (day_of(end), day_of(start));
    let ((y1, m1, d1), (y2, m2, d2)) = (civil_from_days(end_day), civil_from_days(start_day));
    let months = f64::from((y1 - y2) * 12 + m1.cast_signed() - m2.cast_signed());
    if d1 == d2 || (is_last_day(end_day) && is_last_day(start_day)) {
        return Ok(Some(months));
    }
    let time = (end.rem_euclid(DAY_MICROS) - start.rem_euclid(DAY_MICROS)) as f64 / DAY_MICROS as f64;
    Ok(Some(months + (f64::from(d1.cast_signed() - d2.cast_signed()) + time) / 31.0))
}

fn months_between(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Timestamp), call::Double>(|(end, start)| months_apart(end, start))
}

fn months_between_days(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Date), call::Double>(|(end, start)| months_apart(midnight(end)?, midnight(start)?))
}

fn last_day(call: &Call<'_>) -> Column {
    call.map::<(call::Date,), call::Date>(|(day,)| month_end(day).map(Some))
}

fn last_day_of_timestamp(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp,), call::Date>(|(micros,)| month_end(day_of(micros)).map(Some))
}

const WEEKDAY: Constant = Constant::Text(|name| weekday(name).map(|_| ()));

/// The day of the week of a name or its first letters: 0 is that of 1970-01-01.
fn weekday(name: &str) -> Result<i32, Fault> {
    const NAMES: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
    let lower = name.trim().to_ascii_lowercase();
    let least = match lower.as_bytes().first() {
        Some(b't' | b's') => 2,
        _ => 1,
    };
    let wanted = NAMES.iter().position(|known| lower.len() >= least && known.starts_with(&lower));
    let Some(wanted) = wanted else {
        let name = crate::value::text::quote(name.as_bytes());
        return Err(Fault::new(Code::BadArgument, format!("{name} is no day of the week")));
    };
    Ok(i32::try_from(wanted).unwrap_or_default())
}

fn day_after(day: i32, name: &str) -> Result<Option<i32>, Fault> {
    let weekday = weekday(name)?;
    if !is_finite_day(day) {
        return Ok(Some(day));
    }
    let ahead = weekday.wrapping_sub(day.rem_euclid(7)).rem_euclid(7);
    let next = day.saturating_add(if ahead == 0 { 7 } else { ahead });
    if next <= DAYS_MAX { Ok(Some(next)) } else { Err(out_of_range()) }
}

fn next_day(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Text), call::Date>(|(day, name)| day_after(day, name))
}

fn next_day_of_timestamp(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Text), call::Date>(|(micros, name)| day_after(day_of(micros), name))
}

fn year(call: &Call<'_>) -> Column {
    call.map::<(call::Date,), call::Integer>(|(day,)| {
        if !is_finite_day(day) {
            return Err(Fault::new(Code::DatetimeOutOfRange, "date out of range: it is infinite"));
        }
        let (year, _, _) = civil_from_days(day);
        Ok(Some(if year > 0 { year } else { year - 1 }))
    })
}

fn order(ordering: Ordering) -> Result<Option<i32>, Fault> {
    Ok(Some(ordering as i32))
}

fn compare_days(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Date), call::Integer>(|(left, right)| order(left.cmp(&right)))
}

fn compare(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Timestamp), call::Integer>(|(left, right)| order(left.cmp(&right)))
}
