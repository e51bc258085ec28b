//! `to_char`, `to_date`, `to_timestamp`, `to_number`: times by patterns such as `YYYY-MM-DD`, numbers by such as `990D00`.

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
use super::call::Arguments;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::datetime::MICROS_INFINITY;
use crate::value::datetime::MICROS_MAX;
use crate::value::datetime::MICROS_MIN;
use crate::value::datetime::MICROS_MINUS_INFINITY;
use crate::value::datetime::is_finite;
use crate::value::pattern::date::DatePattern;
use crate::value::pattern::number::NumberPattern;

pub(super) const FUNCTIONS: &[Function] = &[TO_CHAR, TO_DATE, TO_TIMESTAMP, TO_NUMBER];

const TO_CHAR: Function = Function {
    name: "to_char",
    aliases: &[],
    doc: "The text of a time, an interval or a number by a pattern: `YYYY-MM-DD HH24:MI:SS`, `FMMonth DDth`; `FM999G990D00`, `S000`, `RN`",
    signatures: &[
        Signature::new(&[Kind::Timestamp, Kind::Text], Type::Text, write_local),
        Signature::new(&[Kind::Timestamptz, Kind::Text], Type::Text, write_utc),
        Signature::new(&[Kind::Interval, Kind::Text], Type::Text, write_interval).constants(&[(1, OF_SPANS)]),
        Signature::new(&[Kind::Integer, Kind::Text], Type::Text, |call| {
            numbers::<call::Integer>(call, |pattern, value, out| pattern.write_integer(value, out))
        })
        .returns(numeric_text),
        Signature::new(&[Kind::Bigint, Kind::Text], Type::Text, |call| {
            numbers::<call::Bigint>(call, |pattern, value, out| pattern.write_bigint(value, out))
        })
        .returns(numeric_text),
        Signature::new(&[Kind::Numeric, Kind::Text], Type::Text, |call| {
            numbers::<call::Numeric>(call, |pattern, value, out| match value.special() {
                Some(special) => pattern.write_special(special, out),
                None => pattern.write_decimal(value, out),
            })
        })
        .returns(numeric_text),
        Signature::new(&[Kind::Real, Kind::Text], Type::Text, |call| {
            numbers::<call::Real>(call, |pattern, value, out| pattern.write_real(value, out))
        })
        .returns(numeric_text),
        Signature::new(&[Kind::Double, Kind::Text], Type::Text, |call| {
            numbers::<call::Double>(call, |pattern, value, out| pattern.write_double(value, out))
        })
        .returns(numeric_text),
    ],
    examples: &[
        ("to_char(timestamp '2026-01-31 15:04:05.678', 'YYYY-MM-DD HH12:MI:SS.MS PM')", "2026-01-31 03:04:05.678 PM"),
        ("to_char(date '2026-01-02', 'FMDay, FMDDth Mon')", "Friday, 2nd Jan"),
        ("to_char(interval '1 day 30:15', 'DD HH24:MI')", "01 30:15"),
        ("to_char(timestamp '2026-01-31 15:04', '')", "NULL"),
        ("to_char(1234.5, 'FM9,990.00')", "1,234.50"),
        ("to_char(-7, '000S')", "007-"),
        ("to_char(125, '999D9')", " 125.0"),
        ("to_char(2026, 'FMRN')", "MMXXVI"),
        ("to_char(12.3456::double precision, '9.99EEEE')", " 1.23e+01"),
    ],
};

const TO_DATE: Function = Function {
    name: "to_date",
    aliases: &[],
    doc: "The day that a text says by a pattern: `to_date(text, 'DD Mon YYYY')`",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Date, read_date).constants(&[(1, READABLE)])],
    examples: &[
        ("to_date('31 Jan 2026', 'DD Mon YYYY')", "2026-01-31"),
        ("to_date('20260131', 'YYYYMMDD')", "2026-01-31"),
        ("to_date('2026-02-30', 'YYYY-MM-DD')", "R303"),
    ],
};

const TO_TIMESTAMP: Function = Function {
    name: "to_timestamp",
    aliases: &[],
    doc: "The instant that a text says by a pattern, in UTC; or so many seconds after 1970",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Timestamptz, read).constants(&[(1, READABLE)]),
        Signature::new(&[Kind::Double], Type::Timestamptz, since_1970),
    ],
    examples: &[
        ("to_timestamp('31.01.2026 15:04', 'DD.MM.YYYY HH24:MI')", "2026-01-31 15:04:00+00"),
        ("to_timestamp('2026-01-31 15:04 -03:30', 'YYYY-MM-DD HH24:MI TZH:TZM')", "2026-01-31 18:34:00+00"),
        ("to_timestamp(1284352323.5)", "2010-09-13 04:32:03.5+00"),
    ],
};

const TO_NUMBER: Function = Function {
    name: "to_number",
    aliases: &[],
    doc: "The number that a text is by a pattern: `to_number('1.234-', '9G999S')`",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Numeric, read_number)
        .returns(readable_number)
        .nullable()],
    examples: &[
        ("to_number('-34,338,492.65', '99G999G999D99')", "-34338492.65"),
        ("to_number('<5.1>', '9D9PR')", "-5.1"),
        ("to_number('$12', 'L99')", "12"),
        ("to_number('123', '99')", "12"),
        ("to_number('x', '9')", "R301"),
    ],
};

/// The pattern that was read last, which is mostly the next one too.
struct Patterns<P>(RefCell<Option<(String, P)>>);

impl<P> Patterns<P> {
    fn new() -> Self {
        Self(RefCell::new(None))
    }

    fn with<T>(&self, pattern: &str, read: impl FnOnce(&str) -> P, f: impl FnOnce(&P) -> T) -> T {
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((known, read)) if known == pattern => f(read),
            _ => f(&last.insert((pattern.to_owned(), read(pattern))).1),
        }
    }
}

/// The constant pattern of a number, if it is one.
fn number_pattern(arguments: &[Argument<'_>]) -> Result<Option<NumberPattern>, Refusal> {
    let pattern = arguments.get(1).and_then(|pattern| pattern.constant).filter(|pattern| pattern.is_valid(0));
    let pattern = pattern.map(|pattern| NumberPattern::parse(pattern.as_string_view().value(0))).transpose();
    pattern.map_err(|fact| Refusal { at: Some(1), ..Fault::new(Code::BadForm, fact).into() })
}

fn numeric_text(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    number_pattern(arguments).map(|_| Type::Text)
}

fn readable_number(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    match number_pattern(arguments)?.is_none_or(|pattern| pattern.can_read()) {
        true => Ok(Type::Numeric),
        false => Err(Refusal { at: Some(1), ..only_written().into() }),
    }
}

/// Writes numbers, each by its pattern.
fn numbers<'a, A: call::Read<'a>>(
    call: &'a Call<'_>,
    write: impl Fn(&NumberPattern, A::Value, &mut String) -> Result<(), Fault>,
) -> Column
where
    (A, call::Text): Arguments<'a, Values = (A::Value, &'a str)>,
{
    let patterns = Patterns::new();
    call.write::<(A, call::Text)>(|(value, pattern), out| {
        patterns.with(pattern, NumberPattern::parse, |pattern| match pattern {
            Ok(pattern) => write(pattern, value, out).map(|()| true),
            Err(fact) => Err(Fault::new(Code::BadForm, fact.clone())),
        })
    })
}

fn only_written() -> Fault {
    Fault::new(Code::NotForValues, "the patterns `RN` and `EEEE` are only written, not read")
}

fn read_number(call: &Call<'_>) -> Column {
    let patterns = Patterns::new();
    call.map::<(call::Text, call::Text), call::Numeric>(|(text, pattern)| {
        patterns.with(pattern, NumberPattern::parse, |pattern| match pattern {
            Ok(pattern) if pattern.can_read() => pattern.read(text),
            Ok(_) => Err(only_written()),
            Err(fact) => Err(Fault::new(Code::BadForm, fact.clone())),
        })
    })
}

/// A constant pattern by which a day or a time is read.
const READABLE: Constant = Constant::Text(|pattern| DatePattern::new(pattern).check_readable());

/// A constant pattern by which an interval is written.
const OF_SPANS: Constant = Constant::Text(|pattern| match DatePattern::new(pattern).is_of_calendar() {
    true => Err(Fault::new(Code::NotADatetime, "an interval has no field of the calendar")),
    false => Ok(()),
});

/// Writes times. That of an empty pattern or of an infinite time is NULL, which is not told before: it is nobody's column.
fn written(call: &Call<'_>, in_utc: bool) -> Column {
    let patterns = Patterns::new();
    call.write::<(call::Timestamp, call::Text)>(|(micros, text), out| {
        patterns.with(text, DatePattern::new, |pattern| {
            if text.is_empty() || !is_finite(micros) {
                return Ok(false);
            }
            pattern.write(micros, in_utc, out);
            Ok(true)
        })
    })
}

fn write_interval(call: &Call<'_>) -> Column {
    let patterns = Patterns::new();
    call.write::<(call::Interval, call::Text)>(|(interval, text), out| {
        patterns
            .with(text, DatePattern::new, |pattern| pattern.write_interval(interval, out).map(|()| !text.is_empty()))
    })
}

fn write_local(call: &Call<'_>) -> Column {
    written(call, false)
}

fn write_utc(call: &Call<'_>) -> Column {
    written(call, true)
}

fn read_date(call: &Call<'_>) -> Column {
    let patterns = Patterns::new();
    call.map::<(call::Text, call::Text), call::Date>(|(text, pattern)| {
        patterns.with(pattern, DatePattern::new, |pattern| pattern.read_date(text)).map(Some)
    })
}

fn read(call: &Call<'_>) -> Column {
    let patterns = Patterns::new();
    call.map::<(call::Text, call::Text), call::Timestamp>(|(text, pattern)| {
        patterns.with(pattern, DatePattern::new, |pattern| pattern.read(text)).map(Some)
    })
}

fn since_1970(call: &Call<'_>) -> Column {
    call.map::<(call::Double,), call::Timestamp>(|(seconds,)| {
        if seconds.is_nan() {
            return Err(Fault::new(Code::DatetimeOutOfRange, "timestamp cannot be NaN"));
        }
        if seconds.is_infinite() {
            return Ok(Some(if seconds > 0.0 { MICROS_INFINITY } else { MICROS_MINUS_INFINITY }));
        }
        // PostgreSQL counts from 2000, and floating-point numbers are rounded there.
        let micros = ((seconds - 946_684_800.0) * 1e6).round_ties_even();
        #[expect(clippy::cast_possible_truncation, reason = "beyond the range it ends at its ends, and is refused")]
        let micros = (micros as i64).checked_add(946_684_800_000_000);
        let micros = micros.filter(|micros| (MICROS_MIN..=MICROS_MAX).contains(micros));
        micros.map(Some).ok_or_else(|| Fault::new(Code::DatetimeOutOfRange, "timestamp out of range"))
    })
}
