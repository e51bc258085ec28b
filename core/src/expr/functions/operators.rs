//! What `+ - * /` mean for days, times and intervals; and the forms of types that have no name as functions:
//! `timestamp(3)`, `interval … day to hour`.

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Interval;
use crate::value::datetime;
use crate::value::datetime::DAY_MICROS;
use crate::value::interval;
use crate::value::zoned::ZonedTime;

/// Microseconds from 1970 to 2000, from where PostgreSQL counts.
const SINCE_2000: i64 = 946_684_800_000_000;

pub(super) const OPERATORS: &[Function] =
    &[ADD, SUBTRACT, MULTIPLY, DIVIDE, NEGATE, PRECISION, FIELDS, super::code::CHAR];

const ADD: Function = Function {
    name: "+",
    aliases: &[],
    doc: "A time moved by an interval, or the sum of two intervals",
    signatures: &[
        Signature::new(&[Kind::Date, Kind::Interval], Type::Timestamp, day_later),
        Signature::new(&[Kind::Interval, Kind::Date], Type::Timestamp, later_day),
        Signature::new(&[Kind::Timestamp, Kind::Interval], Type::Timestamp, later),
        Signature::new(&[Kind::Interval, Kind::Timestamp], Type::Timestamp, later_reversed),
        Signature::new(&[Kind::Timestamptz, Kind::Interval], Type::Timestamptz, later),
        Signature::new(&[Kind::Interval, Kind::Timestamptz], Type::Timestamptz, later_reversed),
        Signature::new(&[Kind::Time, Kind::Interval], Type::Time, time_later),
        Signature::new(&[Kind::Interval, Kind::Time], Type::Time, later_time),
        Signature::new(&[Kind::Timetz, Kind::Interval], Type::Timetz, zoned_later),
        Signature::new(&[Kind::Interval, Kind::Timetz], Type::Timetz, later_zoned),
        Signature::new(&[Kind::Interval, Kind::Interval], Type::Interval, sum),
        Signature::new(&[Kind::Date, Kind::Time], Type::Timestamp, day_and_time),
        Signature::new(&[Kind::Time, Kind::Date], Type::Timestamp, time_and_day),
        Signature::new(&[Kind::Date, Kind::Timetz], Type::Timestamptz, day_and_zoned),
        Signature::new(&[Kind::Timetz, Kind::Date], Type::Timestamptz, zoned_and_day),
    ],
    examples: &[
        ("date '2026-01-31' + interval '1 month'", "2026-02-28 00:00:00"),
        ("timestamp '2026-01-31 22:00' + '1 day 3 hours'", "2026-02-02 01:00:00"),
        ("time '23:00' + interval '2 hours'", "01:00:00"),
        ("interval '1 day' + interval '-1 hour'", "1 day -01:00:00"),
        ("date '2026-01-31' + time '10:00'", "2026-01-31 10:00:00"),
        ("timetz '23:00+01' + interval '2 hours'", "01:00:00+01"),
        ("date '2026-01-31' + timetz '10:00-08'", "2026-01-31 18:00:00+00"),
    ],
};

const SUBTRACT: Function = Function {
    name: "-",
    aliases: &[],
    doc: "A time moved back by an interval, or the interval between two times",
    signatures: &[
        Signature::new(&[Kind::Date, Kind::Interval], Type::Timestamp, day_earlier),
        Signature::new(&[Kind::Timestamp, Kind::Interval], Type::Timestamp, earlier),
        Signature::new(&[Kind::Timestamptz, Kind::Interval], Type::Timestamptz, earlier),
        Signature::new(&[Kind::Time, Kind::Interval], Type::Time, time_earlier),
        Signature::new(&[Kind::Timetz, Kind::Interval], Type::Timetz, zoned_earlier),
        Signature::new(&[Kind::Interval, Kind::Interval], Type::Interval, difference),
        Signature::new(&[Kind::Timestamp, Kind::Timestamp], Type::Interval, between),
        Signature::new(&[Kind::Timestamptz, Kind::Timestamptz], Type::Interval, between),
        Signature::new(&[Kind::Time, Kind::Time], Type::Interval, between_times),
    ],
    examples: &[
        ("timestamp '2026-02-01' - timestamp '2026-01-30 12:00'", "1 day 12:00:00"),
        ("timestamp '2026-03-31' - interval '1 month'", "2026-02-28 00:00:00"),
        ("time '01:00' - interval '2 hours'", "23:00:00"),
    ],
};

const MULTIPLY: Function = Function {
    name: "*",
    aliases: &[],
    doc: "An interval so many times",
    signatures: &[
        Signature::new(&[Kind::Interval, Kind::Double], Type::Interval, product),
        Signature::new(&[Kind::Double, Kind::Interval], Type::Interval, product_reversed),
    ],
    examples: &[("interval '1 month 1 day' * 1.5", "1 mon 16 days 12:00:00")],
};

/// A constant divisor.
const NOT_ZERO: Constant = Constant::Double(|divisor| if divisor == 0.0 { Err(decimal::by_zero()) } else { Ok(()) });

const DIVIDE: Function = Function {
    name: "/",
    aliases: &[],
    doc: "A part of an interval",
    signatures: &[Signature::new(&[Kind::Interval, Kind::Double], Type::Interval, quotient).constants(&[(1, NOT_ZERO)])],
    examples: &[("interval '1 month' / 4", "7 days 12:00:00"), ("interval '1 day' / 0", "R305")],
};

const NEGATE: Function = Function {
    name: "(negate)",
    aliases: &[],
    doc: "An interval the other way",
    signatures: &[Signature::new(&[Kind::Interval], Type::Interval, negate)],
    examples: &[("- interval '1 day -01:00'", "-1 days +01:00:00")],
};

const PRECISION: Function = Function {
    name: "(precision)",
    aliases: &[],
    doc: "A time with so many digits after the second's point, as `timestamp(3)` casts",
    signatures: &[
        Signature::new(&[Kind::Timestamp, Kind::Integer], Type::Timestamp, timestamp_digits),
        Signature::new(&[Kind::Timestamptz, Kind::Integer], Type::Timestamptz, timestamp_digits),
        Signature::new(&[Kind::Time, Kind::Integer], Type::Time, time_digits),
        Signature::new(&[Kind::Timetz, Kind::Integer], Type::Timetz, zoned_digits),
    ],
    examples: &[
        ("'2026-01-31 10:00:00.1235'::timestamp(3)", "2026-01-31 10:00:00.124"),
        ("time(0) '23:59:59.5'", "24:00:00"),
    ],
};

const FIELDS: Function = Function {
    name: "(interval)",
    aliases: &[],
    doc: "An interval with some fields only, as `interval '…' day to hour`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Integer, Kind::Integer], Type::Interval, read_fields),
        Signature::new(&[Kind::Interval, Kind::Integer, Kind::Integer], Type::Interval, keep_fields),
    ],
    examples: &[
        ("interval '1' month", "1 mon"),
        ("interval '1 2:03:04' day to hour", "1 day 02:00:00"),
        ("interval '1:02.345' minute to second(2)", "00:01:02.35"),
    ],
};

/// Microseconds of a day's midnight.
pub(super) fn midnight(day: i32) -> Result<i64, Fault> {
    datetime::midnight(day).ok_or_else(|| Fault::new(Code::DatetimeOutOfRange, "date out of range for timestamp"))
}

fn back(micros: i64, interval: Interval) -> Result<Option<i64>, Fault> {
    interval.negate().ok_or_else(interval::out_of_range)?.after(micros).map(Some)
}

fn some(value: Option<Interval>) -> Result<Option<Interval>, Fault> {
    value.map(Some).ok_or_else(interval::out_of_range)
}

fn later(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Interval), call::Timestamp>(|(micros, interval)| {
        interval.after(micros).map(Some)
    })
}

fn later_reversed(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Timestamp), call::Timestamp>(|(interval, micros)| {
        interval.after(micros).map(Some)
    })
}

fn earlier(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Interval), call::Timestamp>(|(micros, interval)| back(micros, interval))
}

fn day_later(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Interval), call::Timestamp>(|(day, interval)| {
        interval.after(midnight(day)?).map(Some)
    })
}

fn later_day(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Date), call::Timestamp>(|(interval, day)| {
        interval.after(midnight(day)?).map(Some)
    })
}

fn day_earlier(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Interval), call::Timestamp>(|(day, interval)| back(midnight(day)?, interval))
}

fn moved_time(time: i64, micros: i64) -> i64 {
    (time + micros % DAY_MICROS).rem_euclid(DAY_MICROS)
}

fn time_later(call: &Call<'_>) -> Column {
    call.map::<(call::Time, call::Interval), call::Time>(|(time, interval)| Ok(Some(moved_time(time, interval.micros))))
}

fn later_time(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Time), call::Time>(|(interval, time)| Ok(Some(moved_time(time, interval.micros))))
}

fn time_earlier(call: &Call<'_>) -> Column {
    call.map::<(call::Time, call::Interval), call::Time>(|(time, interval)| {
        Ok(Some(moved_time(time, -(interval.micros % DAY_MICROS))))
    })
}

/// A time of day at another place of the day, with its offset.
fn moved_zoned(time: i64, micros: i64) -> i64 {
    let time = ZonedTime::unpacked(time);
    ZonedTime { micros: moved_time(time.micros, micros), ..time }.packed()
}

fn zoned_later(call: &Call<'_>) -> Column {
    call.map::<(call::Timetz, call::Interval), call::Timetz>(|(time, interval)| {
        Ok(Some(moved_zoned(time, interval.micros)))
    })
}

fn later_zoned(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Timetz), call::Timetz>(|(interval, time)| {
        Ok(Some(moved_zoned(time, interval.micros)))
    })
}

fn zoned_earlier(call: &Call<'_>) -> Column {
    call.map::<(call::Timetz, call::Interval), call::Timetz>(|(time, interval)| {
        Ok(Some(moved_zoned(time, -(interval.micros % DAY_MICROS))))
    })
}

pub(super) fn at_zoned(day: i32, time: i64) -> Result<Option<i64>, Fault> {
    at_time(day, ZonedTime::unpacked(time).utc())
}

fn day_and_zoned(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Timetz), call::Timestamp>(|(day, time)| at_zoned(day, time))
}

fn zoned_and_day(call: &Call<'_>) -> Column {
    call.map::<(call::Timetz, call::Date), call::Timestamp>(|(time, day)| at_zoned(day, time))
}

fn at_time(day: i32, time: i64) -> Result<Option<i64>, Fault> {
    Interval::of_micros(time).after(midnight(day)?).map(Some)
}

fn day_and_time(call: &Call<'_>) -> Column {
    call.map::<(call::Date, call::Time), call::Timestamp>(|(day, time)| at_time(day, time))
}

fn time_and_day(call: &Call<'_>) -> Column {
    call.map::<(call::Time, call::Date), call::Timestamp>(|(time, day)| at_time(day, time))
}

fn sum(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Interval), call::Interval>(|(left, right)| some(left.plus(right)))
}

fn difference(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Interval), call::Interval>(|(left, right)| some(left.minus(right)))
}

fn between(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Timestamp), call::Interval>(|(end, start)| {
        if !datetime::is_finite(end) || !datetime::is_finite(start) {
            return Err(Fault::new(Code::DatetimeOutOfRange, "cannot subtract infinite timestamps"));
        }
        some(Interval::between(start, end))
    })
}

fn between_times(call: &Call<'_>) -> Column {
    call.map::<(call::Time, call::Time), call::Interval>(|(end, start)| Ok(Some(Interval::of_micros(end - start))))
}

fn product(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Double), call::Interval>(|(interval, factor)| some(interval.multiply(factor)))
}

fn product_reversed(call: &Call<'_>) -> Column {
    call.map::<(call::Double, call::Interval), call::Interval>(|(factor, interval)| some(interval.multiply(factor)))
}

fn quotient(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Double), call::Interval>(|(interval, divisor)| match divisor {
        0.0 => Err(decimal::by_zero()),
        _ => some(interval.divide(divisor)),
    })
}

fn negate(call: &Call<'_>) -> Column {
    call.map::<(call::Interval,), call::Interval>(|(interval,)| some(interval.negate()))
}

fn timestamp_digits(call: &Call<'_>) -> Column {
    call.map::<(call::Timestamp, call::Integer), call::Timestamp>(|(micros, digits)| {
        if !datetime::is_finite(micros) {
            return Ok(Some(micros));
        }
        // Ties go away from the year 2000, from where PostgreSQL counts.
        let rounded = micros.checked_sub(SINCE_2000).map(|since| interval::round_to(since, digits.unsigned_abs()));
        let rounded = rounded.and_then(|since| since.checked_add(SINCE_2000));
        rounded.map(Some).ok_or_else(|| Fault::new(Code::DatetimeOutOfRange, "timestamp out of range"))
    })
}

fn time_digits(call: &Call<'_>) -> Column {
    call.map::<(call::Time, call::Integer), call::Time>(|(micros, digits)| {
        Ok(Some(interval::round_to(micros, digits.unsigned_abs())))
    })
}

fn zoned_digits(call: &Call<'_>) -> Column {
    call.map::<(call::Timetz, call::Integer), call::Timetz>(|(time, digits)| {
        let time = ZonedTime::unpacked(time);
        Ok(Some(ZonedTime { micros: interval::round_to(time.micros, digits.unsigned_abs()), ..time }.packed()))
    })
}

fn read_fields(call: &Call<'_>) -> Column {
    call.map::<(call::Text, call::Integer, call::Integer), call::Interval>(|(text, range, digits)| {
        let read = Interval::parse(text.as_bytes(), range)?;
        Ok(Some(read.within(range, digits.unsigned_abs())))
    })
}

fn keep_fields(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Integer, call::Integer), call::Interval>(|(interval, range, digits)| {
        Ok(Some(interval.within(range, digits.unsigned_abs())))
    })
}
