//! `make_interval`, `justify_hours`, `justify_days`, `justify_interval`, `interval_cmp`: intervals.

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::types::Type;
use crate::value::Interval;
use crate::value::interval::out_of_range;

pub(super) const FUNCTIONS: &[Function] = &[MAKE_INTERVAL, JUSTIFY_HOURS, JUSTIFY_DAYS, JUSTIFY_INTERVAL, INTERVAL_CMP];

const MAKE_INTERVAL: Function = Function {
    name: "make_interval",
    aliases: &[],
    doc: "An interval of years, months, weeks, days, hours, minutes and seconds, in that order or by name: `days => 10`",
    signatures: &[
        Signature::new(&[], Type::Interval, make),
        Signature::new(&[Kind::Integer], Type::Interval, make),
        Signature::new(&[Kind::Integer, Kind::Integer], Type::Interval, make),
        Signature::new(&[Kind::Integer, Kind::Integer, Kind::Integer], Type::Interval, make),
        Signature::new(&[Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer], Type::Interval, make),
        Signature::new(
            &[Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer],
            Type::Interval,
            make,
        ),
        Signature::new(
            &[Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer],
            Type::Interval,
            make,
        ),
        Signature::new(
            &[Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Double],
            Type::Interval,
            make,
        ),
    ],
    examples: &[
        ("make_interval(1, 2, 0, 10)", "1 year 2 mons 10 days"),
        ("make_interval(days => 10, secs => 1.5)", "10 days 00:00:01.5"),
    ],
};

const JUSTIFY_HOURS: Function = Function {
    name: "justify_hours",
    aliases: &[],
    doc: "The interval with each 24 hours as a day",
    signatures: &[Signature::new(&[Kind::Interval], Type::Interval, justify_hours)],
    examples: &[("justify_hours(interval '27 hours')", "1 day 03:00:00")],
};

const JUSTIFY_DAYS: Function = Function {
    name: "justify_days",
    aliases: &[],
    doc: "The interval with each 30 days as a month",
    signatures: &[Signature::new(&[Kind::Interval], Type::Interval, justify_days)],
    examples: &[("justify_days(interval '35 days')", "1 mon 5 days")],
};

const JUSTIFY_INTERVAL: Function = Function {
    name: "justify_interval",
    aliases: &[],
    doc: "The interval with each 24 hours as a day and each 30 days as a month, all of one sign",
    signatures: &[Signature::new(&[Kind::Interval], Type::Interval, justify)],
    examples: &[("justify_interval(interval '1 mon -1 hour')", "29 days 23:00:00")],
};

const INTERVAL_CMP: Function = Function {
    name: "interval_cmp",
    aliases: &[],
    doc: "-1, 0 or 1: whether the first interval is shorter than, as long as or longer than the second; a month has 30 days",
    signatures: &[Signature::new(&[Kind::Interval, Kind::Interval], Type::Integer, compare)],
    examples: &[("interval_cmp(interval '1 month', interval '29 days')", "1")],
};

fn make(call: &Call<'_>) -> Column {
    use super::call::Read;
    let whole: Vec<_> = call.arguments.iter().take(6).map(call::Integer::reader).collect();
    let seconds = call.arguments.get(6).map(call::Double::reader);
    let of_row = |row: usize| -> Result<Interval, Fault> {
        let part = |at: usize| whole.get(at).map_or(0, |reader| call::Integer::read(reader, row));
        let months = part(0).checked_mul(12).and_then(|months| months.checked_add(part(1)));
        let days = part(2).checked_mul(7).and_then(|days| days.checked_add(part(3)));
        let minutes = i64::from(part(4)) * 60 + i64::from(part(5));
        let seconds = seconds.as_ref().map_or(0.0, |reader| call::Double::read(reader, row));
        let more = (seconds * 1e6).round_ties_even();
        if !(-9.2e18..=9.2e18).contains(&more) {
            return Err(out_of_range());
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was just compared with the ends of the range")]
        let micros = minutes.checked_mul(60_000_000).and_then(|micros| micros.checked_add(more as i64));
        match (months, days, micros) {
            (Some(months), Some(days), Some(micros)) => Ok(Interval { months, days, micros }),
            _ => Err(out_of_range()),
        }
    };
    call.map_rows::<call::Interval>(|row| of_row(row).map(Some))
}

fn justified(call: &Call<'_>, f: fn(Interval) -> Option<Interval>) -> Column {
    call.map::<(call::Interval,), call::Interval>(|(interval,)| f(interval).map(Some).ok_or_else(out_of_range))
}

fn justify_hours(call: &Call<'_>) -> Column {
    justified(call, Interval::justify_hours)
}

fn justify_days(call: &Call<'_>) -> Column {
    justified(call, Interval::justify_days)
}

fn justify(call: &Call<'_>) -> Column {
    justified(call, Interval::justify)
}

fn compare(call: &Call<'_>) -> Column {
    call.map::<(call::Interval, call::Interval), call::Integer>(|(left, right)| Ok(Some(left.order(right) as i32)))
}
