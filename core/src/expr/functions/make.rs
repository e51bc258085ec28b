//! `make_date`, `make_time`, `make_timestamp`, `make_timestamptz`, `timestamptz`: times from their parts.

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use super::zone::Zones;
use super::zone::zone_or_offset;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::Interval;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::days_from_civil;

pub(super) const FUNCTIONS: &[Function] =
    &[MAKE_DATE, MAKE_TIME, MAKE_TIMESTAMP, MAKE_TIMESTAMPTZ, TIMESTAMP, TIMESTAMPTZ];

const PARTS: [Kind; 6] = [Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Double];

const MAKE_DATE: Function = Function {
    name: "make_date",
    aliases: &[],
    doc: "The day of a year, a month and a day; a year below zero is BC",
    signatures: &[
        Signature::new(&[Kind::Integer, Kind::Integer, Kind::Integer], Type::Date, make_date).constants(DAY_PARTS)
    ],
    examples: &[("make_date(2013, 7, 15)", "2013-07-15"), ("make_date(2013, 2, 30)", "R303")],
};

const MAKE_TIME: Function =
    Function {
        name: "make_time",
        aliases: &[],
        doc: "The time of an hour, a minute and seconds",
        signatures: &[Signature::new(&[Kind::Integer, Kind::Integer, Kind::Double], Type::Time, make_time)
            .constants(&[(0, HOUR), (1, MINUTE), (2, SECONDS)])],
        examples: &[("make_time(8, 15, 23.5)", "08:15:23.5")],
    };

const MAKE_TIMESTAMP: Function = Function {
    name: "make_timestamp",
    aliases: &[],
    doc: "The time of a year, a month, a day, an hour, a minute and seconds",
    signatures: &[Signature::new(&PARTS, Type::Timestamp, make_timestamp).constants(MOMENT_PARTS)],
    examples: &[("make_timestamp(2013, 7, 15, 8, 15, 23.5)", "2013-07-15 08:15:23.5")],
};

const MAKE_TIMESTAMPTZ: Function = Function {
    name: "make_timestamptz",
    aliases: &[],
    doc: "The instant of a year, a month, a day, an hour, a minute and seconds, by the clocks of a zone or in UTC",
    signatures: &[
        Signature::new(&PARTS, Type::Timestamptz, make_timestamp).constants(MOMENT_PARTS),
        Signature::new(
            &[Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Double, Kind::Text],
            Type::Timestamptz,
            make_timestamptz,
        )
        .constants(&[(0, YEAR), (1, MONTH), (2, DAY), (3, HOUR), (4, MINUTE), (5, SECONDS), (6, ZONE)]),
    ],
    examples: &[
        ("make_timestamptz(2013, 7, 15, 8, 15, 23.5)", "2013-07-15 08:15:23.5+00"),
        ("make_timestamptz(2013, 7, 15, 8, 15, 0, 'Europe/Berlin')", "2013-07-15 06:15:00+00"),
        ("make_timestamptz(2013, 7, 15, 8, 15, 0, '+02')", "2013-07-15 06:15:00+00"),
    ],
};

const TIMESTAMP: Function = Function {
    name: "timestamp",
    aliases: &[],
    doc: "The time of a day: `\"timestamp\"(day, time)`",
    signatures: &[Signature::new(&[Kind::Date, Kind::Time], Type::Timestamp, at_time)],
    examples: &[("\"timestamp\"(date '1994-01-01', time '11:00')", "1994-01-01 11:00:00")],
};

const TIMESTAMPTZ: Function = Function {
    name: "timestamptz",
    aliases: &[],
    doc: "The instant of a day and a time in UTC",
    signatures: &[
        Signature::new(&[Kind::Date, Kind::Time], Type::Timestamptz, at_time),
        Signature::new(&[Kind::Date, Kind::Timetz], Type::Timestamptz, at_zoned_time),
        Signature::new(&[Kind::Date], Type::Timestamptz, midnight),
        Signature::new(&[Kind::Timestamp], Type::Timestamptz, same),
    ],
    examples: &[("timestamptz(date '1994-01-01', time '11:00')", "1994-01-01 11:00:00+00")],
};

const DAY_PARTS: &[(usize, Constant)] = &[(0, YEAR), (1, MONTH), (2, DAY)];
const MOMENT_PARTS: &[(usize, Constant)] = &[(0, YEAR), (1, MONTH), (2, DAY), (3, HOUR), (4, MINUTE), (5, SECONDS)];
// There is no year 0, and no other year in which no other part fits.
const YEAR: Constant = Constant::Integer(|year| day(year, 1, 1).map(|_| ()));
const MONTH: Constant = Constant::Integer(|month| day(2000, month, 1).map(|_| ()));
const DAY: Constant = Constant::Integer(|of_month| day(2000, 1, of_month).map(|_| ()));
const HOUR: Constant = Constant::Integer(|hour| time(hour, 0, 0.0).map(|_| ()));
const MINUTE: Constant = Constant::Integer(|minute| time(0, minute, 0.0).map(|_| ()));
const SECONDS: Constant = Constant::Double(|seconds| time(0, 0, seconds).map(|_| ()));
const ZONE: Constant = Constant::Text(|zone| zone_or_offset(zone).map(|_| ()));

fn out_of_range(what: &str) -> Fault {
    Fault::new(Code::DatetimeOutOfRange, format!("{what} field value out of range"))
}

fn day(year: i32, month: i32, day: i32) -> Result<i32, Fault> {
    // There is no year 0: 1 BC is the astronomical year 0.
    let astronomical = match year {
        0 => return Err(out_of_range("date")),
        1.. => year,
        _ => year.saturating_add(1),
    };
    let part = |value: i32| u32::try_from(value).unwrap_or(0);
    days_from_civil(astronomical, part(month), part(day)).ok_or_else(|| out_of_range("date"))
}

/// Microseconds of the day; 60 seconds are the next minute, and 24:00 is the day's end.
fn time(hour: i32, minute: i32, seconds: f64) -> Result<i64, Fault> {
    let in_range = (0..=24).contains(&hour) && (0..=59).contains(&minute) && (0.0..=60.0).contains(&seconds);
    let whole_seconds = i64::from(hour.clamp(0, 24)) * 3600 + i64::from(minute.clamp(0, 59)) * 60;
    #[expect(clippy::cast_possible_truncation, reason = "at most sixty seconds")]
    let micros = whole_seconds * 1_000_000 + (seconds.clamp(0.0, 60.0) * 1e6).round_ties_even() as i64;
    if in_range && micros <= DAY_MICROS { Ok(micros) } else { Err(out_of_range("time")) }
}

fn moment(day: i32, micros: i64) -> Result<i64, Fault> {
    Interval::of_micros(micros).after(super::operators::midnight(day)?).map_err(|_| out_of_range("timestamp"))
}

fn make_date(call: &Call<'_>) -> Column {
    call.map::<(call::Integer, call::Integer, call::Integer), call::Date>(|(y, m, d)| day(y, m, d).map(Some))
}

fn make_time(call: &Call<'_>) -> Column {
    call.map::<(call::Integer, call::Integer, call::Double), call::Time>(|(hour, minute, seconds)| {
        time(hour, minute, seconds).map(Some)
    })
}

fn make_timestamp(call: &Call<'_>) -> Column {
    call.map::<(call::Integer, call::Integer, call::Integer, call::Integer, call::Integer, call::Double), call::Timestamp>(
        |(y, m, d, hour, minute, seconds)| moment(day(y, m, d)?, time(hour, minute, seconds)?).map(Some),
    )
}

fn make_timestamptz(call: &Call<'_>) -> Column {
    type Parts = (call::Integer, call::Integer, call::Integer, call::Integer, call::Integer, call::Double, call::Text);
    let zones = Zones::with_offsets();
    call.map::<Parts, call::Timestamp>(|(y, m, d, hour, minute, seconds, zone)| {
        zones.instant(zone, moment(day(y, m, d)?, time(hour, minute, seconds)?)?).map(Some)
    })
}

fn at_time(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Time), call::Timestamp>(|(day, time)| moment(day, time).map(Some))
}

fn at_zoned_time(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Timetz), call::Timestamp>(|(day, time)| super::operators::at_zoned(day, time))
}

fn midnight(call: &Call<'_>) -> Column {
    call.map::<(call::Date,), call::Timestamp>(|(day,)| moment(day, 0).map(Some))
}

fn same(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp,), call::Timestamp>(|(micros,)| Ok(Some(micros)))
}
