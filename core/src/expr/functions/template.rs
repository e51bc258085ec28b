//! `to_char`, `to_date`, `to_timestamp`: times by patterns such as `YYYY-MM-DD`.

use std::cell::RefCell;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;

use super::Argument;
use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::datetime::template::Template;

pub(super) const FUNCTIONS: &[Function] = &[TO_CHAR, TO_DATE, TO_TIMESTAMP];

const TO_CHAR: Function = Function {
    name: "to_char",
    aliases: &[],
    doc: "The text of a time by a pattern: `YYYY-MM-DD HH24:MI:SS`, `FMMonth DDth`",
    signatures: &[
        Signature::new(&[Kind::Timestamp, Kind::Text], Type::Text, write_local),
        Signature::new(&[Kind::Timestamptz, Kind::Text], Type::Text, write_utc),
    ],
    examples: &[
        ("to_char(timestamp '2026-01-31 15:04:05.678', 'YYYY-MM-DD HH12:MI:SS.MS PM')", "2026-01-31 03:04:05.678 PM"),
        ("to_char(date '2026-01-02', 'FMDay, FMDDth Mon')", "Friday, 2nd Jan"),
    ],
};

const TO_DATE: Function = Function {
    name: "to_date",
    aliases: &[],
    doc: "The day that a text says by a pattern: `to_date(text, 'DD Mon YYYY')`",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Date, read_date).returns(readable_date)],
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
        Signature::new(&[Kind::Text, Kind::Text], Type::Timestamptz, read).returns(readable_timestamp),
        Signature::new(&[Kind::Double], Type::Timestamptz, since_1970).returns(finite),
    ],
    examples: &[
        ("to_timestamp('31.01.2026 15:04', 'DD.MM.YYYY HH24:MI')", "2026-01-31 15:04:00+00"),
        ("to_timestamp(1284352323.5)", "2010-09-13 04:32:03.5+00"),
    ],
};

/// The pattern that was read last, which is mostly the next one too.
struct Templates(RefCell<Option<(String, Template)>>);

impl Templates {
    fn new() -> Self {
        Self(RefCell::new(None))
    }

    fn with<T>(&self, pattern: &str, f: impl FnOnce(&Template) -> T) -> T {
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((known, template)) if known == pattern => f(template),
            _ => f(&last.insert((pattern.to_owned(), Template::new(pattern))).1),
        }
    }
}

fn readable(arguments: &[Argument<'_>], ty: Type) -> Result<Type, String> {
    let pattern = arguments.get(1).and_then(|pattern| pattern.constant);
    let pattern = pattern.filter(|pattern| pattern.is_valid(0)).map(|pattern| pattern.as_string_view());
    match pattern.is_some_and(|pattern| Template::new(pattern.value(0)).has_zone()) {
        true => Err("the patterns `TZ`, `TZH`, `TZM` and `OF` are only written, not read".to_owned()),
        false => Ok(ty),
    }
}

fn readable_date(arguments: &[Argument<'_>]) -> Result<Type, String> {
    readable(arguments, Type::Date)
}

fn readable_timestamp(arguments: &[Argument<'_>]) -> Result<Type, String> {
    readable(arguments, Type::Timestamptz)
}

/// An infinite constant is known to have no timestamp here.
fn finite(arguments: &[Argument<'_>]) -> Result<Type, String> {
    let constant = arguments.first().and_then(|seconds| seconds.constant);
    let values = constant.and_then(|seconds| seconds.as_primitive_opt::<Float64Type>());
    match values.is_some_and(|seconds| seconds.is_valid(0) && seconds.value(0).is_infinite()) {
        true => Err("a timestamp cannot be infinite here".to_owned()),
        false => Ok(Type::Timestamptz),
    }
}

fn written(call: &Call<'_>, in_utc: bool) -> Column {
    let templates = Templates::new();
    call.write::<(call::Timestamp, call::Text)>(|(micros, pattern), out| {
        templates.with(pattern, |template| template.write(micros, in_utc, out));
        Ok(true)
    })
}

fn write_local(call: &Call<'_>) -> Column {
    written(call, false)
}

fn write_utc(call: &Call<'_>) -> Column {
    written(call, true)
}

fn read_date(call: &Call<'_>) -> Column {
    let templates = Templates::new();
    call.map::<(call::Text, call::Text), call::Date>(|(text, pattern)| {
        templates.with(pattern, |template| template.read_date(text)).map(Some)
    })
}

fn read(call: &Call<'_>) -> Column {
    let templates = Templates::new();
    call.map::<(call::Text, call::Text), call::Timestamp>(|(text, pattern)| {
        templates.with(pattern, |template| template.read(text)).map(Some)
    })
}

fn since_1970(call: &Call<'_>) -> Column {
    call.map::<(call::Double,), call::Timestamp>(|(seconds,)| {
        if seconds.is_nan() {
            return Err(Fault::new(Code::DatetimeOutOfRange, "timestamp cannot be NaN"));
        }
        if seconds.is_infinite() {
            return Err(Fault::new(Code::Infinite, "a timestamp cannot be infinite here"));
        }
        // PostgreSQL counts from 2000, and floating-point numbers are rounded there.
        let micros = ((seconds - 946_684_800.0) * 1e6).round_ties_even();
        #[expect(clippy::cast_possible_truncation, reason = "beyond the range it ends at its ends, and is refused")]
        let micros = (micros as i64).checked_add(946_684_800_000_000);
        let micros = micros.filter(|&micros| micros >= crate::value::datetime::MICROS_MIN);
        micros.map(Some).ok_or_else(|| Fault::new(Code::DatetimeOutOfRange, "timestamp out of range"))
    })
}
