//! Cast: conversions between types, as PostgreSQL's explicit casts do them.

use std::fmt::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;

use super::decimal;
use super::vector::Vector;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::functions::Call;
use crate::expr::functions::call;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::Interval;
use crate::value::boolean;
use crate::value::bytes;
use crate::value::datetime;
use crate::value::datetime::DAY_MICROS;
use crate::value::datetime::Fraction;
use crate::value::float;
use crate::value::integer;
use crate::value::interval::fields;
use crate::value::json::Json;
use crate::value::text;
use crate::value::zoned::ZonedTime;

/// Whether there is a cast between two types.
pub(in crate::expr) fn exists(from: Type, to: Type) -> bool {
    if from.is_text() || to.is_text() {
        return true;
    }
    match (from, to) {
        (Type::Boolean, Type::Boolean | Type::Integer) | (Type::Integer, Type::Boolean) => true,
        (Type::Date | Type::Timestamp | Type::Timestamptz, Type::Date | Type::Timestamp | Type::Timestamptz) => true,
        (Type::Time | Type::Timestamp | Type::Timestamptz | Type::Interval, Type::Time) => true,
        (Type::Time | Type::Interval, Type::Interval) => true,
        (Type::Time | Type::Timetz | Type::Timestamptz, Type::Timetz) | (Type::Timetz, Type::Time) => true,
        (Type::Bytea, Type::Bytea) => true,
        (Type::Super | Type::Jsonb, Type::Boolean | Type::Super | Type::Jsonb) => true,
        (Type::Super | Type::Jsonb, _) => to.is_number(),
        _ => from.is_number() && to.is_number(),
    }
}

/// Converts the only argument to the type of the call.
pub(in crate::expr) fn cast(call: &Call<'_>, from: Type) -> Column {
    match call.ty {
        to if to.is_text() => to_text(call, from),
        Type::Bytea => call.write::<(call::Text,)>(|(text,), out| {
            bytes::write(bytes::parse(text)?, out);
            Ok(true)
        }),
        Type::Jsonb => call.write::<(call::Text,)>(|(text,), out| Json::new(text).write_normal(out).map(|()| true)),
        Type::Super if from == Type::Jsonb => Column::new(call.arguments[0].values.clone()),
        // A text that is JSON is kept as it is written.
        Type::Super => call.slice::<(call::Text,)>(|(text,)| Json::parse(text).map(|_| Some(text))),
        to if from.is_json() => from_json(call, to),
        Type::Boolean => match from {
            Type::Integer => call.map::<(call::Integer,), call::Boolean>(|(value,)| Ok(Some(value != 0))),
            _ => call.map::<(call::Text,), call::Boolean>(|(text,)| boolean::parse(text.as_bytes()).map(Some)),
        },
        Type::Smallint => to_integer::<call::Smallint>(call, from, "smallint"),
        Type::Integer => to_integer::<call::Integer>(call, from, "integer"),
        Type::Bigint => to_integer::<call::Bigint>(call, from, "bigint"),
        Type::Decimal { .. } | Type::Numeric => to_decimal(call, from),
        Type::Real => to_real(call, from),
        Type::Double => to_double(call, from),
        _ => to_time(call, from),
    }
}

/// A whole number type: its range, and how it is made.
trait Whole: call::Output {
    const MIN: i64;
    const MAX: i64;
    fn narrow(value: i64) -> Option<Self::Value>;
}

macro_rules! whole {
    ($($kind:ident $native:ty),+) => {$(
        impl Whole for call::$kind {
            const MIN: i64 = <$native>::MIN as i64;
            const MAX: i64 = <$native>::MAX as i64;

            fn narrow(value: i64) -> Option<$native> {
                <$native>::try_from(value).ok()
            }
        }
    )+};
}

whole!(Smallint i16, Integer i32, Bigint i64);

fn to_integer<O: Whole>(call: &Call<'_>, from: Type, name: &'static str) -> Column {
    let narrow = |value: Option<i64>| {
        let fits = value.and_then(O::narrow).map(Some);
        fits.ok_or_else(|| Fault::new(Code::OutOfRange, format!("{name} out of range")))
    };
    let from_double = |value: f64| {
        let whole = value.round_ties_even();
        // The upper bound is 2^63 itself, which is the first double that does not fit.
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        let whole =
            (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole).then_some(whole as i64);
        narrow(whole)
    };
    match from {
        Type::Boolean => call.map::<(call::Boolean,), O>(|(value,)| narrow(Some(value.into()))),
        Type::Smallint => call.map::<(call::Smallint,), O>(|(value,)| narrow(Some(value.into()))),
        Type::Integer => call.map::<(call::Integer,), O>(|(value,)| narrow(Some(value.into()))),
        Type::Bigint => call.map::<(call::Bigint,), O>(|(value,)| narrow(Some(value))),
        Type::Real => call.map::<(call::Real,), O>(|(value,)| from_double(value.into())),
        Type::Double => call.map::<(call::Double,), O>(|(value,)| from_double(value)),
        Type::Decimal { .. } | Type::Numeric => call.map::<(call::Numeric,), O>(|(value,)| {
            if value.special().is_some() {
                let shown = if value == Decimal::NAN { "NaN" } else { "infinity" };
                return Err(Fault::new(Code::NotForValues, format!("cannot convert {shown} to {name}")));
            }
            let whole = decimal::rounded_quotient(value.unscaled, decimal::ten(value.scale));
            narrow(i64::try_from(whole).ok())
        }),
        _ => call.map::<(call::Text,), O>(|(text,)| {
            integer::parse(text.as_bytes(), O::MIN, O::MAX, name).and_then(|value| narrow(Some(value)))
        }),
    }
}

fn to_decimal(call: &Call<'_>, from: Type) -> Column {
    let digits = match call.ty {
        Type::Decimal { precision, scale } => Some((precision, scale)),
        _ => None,
    };
    let fit = |value: Decimal| match digits {
        None => Ok(Some(value)),
        Some(_) if value == Decimal::NAN => Err(decimal::not_finite(value)),
        Some(_) if value.special().is_some() => Err(Fault::new(Code::OutOfRange, "numeric field overflow")),
        Some((precision, scale)) => value
            .rescale(scale)
            .filter(|value| value.unscaled.unsigned_abs() < decimal::ten(precision).unsigned_abs())
            .map(Some)
            .ok_or_else(|| Fault::new(Code::OutOfRange, "numeric field overflow")),
    };
    let whole = |value: i64| fit(Decimal { unscaled: value.into(), scale: 0 });
    // PostgreSQL goes through the 15, or 6, digits that are certain.
    let double = |value: f64, certain: usize| {
        if !value.is_finite() {
            return fit(Decimal::of_special(value));
        }
        let mut text = format!("{value:.*e}", certain - 1);
        // `%g` drops the zeros at the end; the exponent decides the scale.
        if let Some((mantissa, exponent)) = text.split_once('e') {
            let mantissa =
                if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
            text = format!("{mantissa}e{exponent}");
        }
        match digits {
            None => Decimal::parse(text.as_bytes()).map(Some),
            Some((precision, scale)) => {
                let unscaled = Decimal::parse_as(text.as_bytes(), precision, scale, Fraction::Round)?;
                Ok(Some(Decimal { unscaled, scale }))
            }
        }
    };
    match from {
        Type::Smallint => call.map::<(call::Smallint,), call::Numeric>(|(value,)| whole(value.into())),
        Type::Integer => call.map::<(call::Integer,), call::Numeric>(|(value,)| whole(value.into())),
        Type::Bigint => call.map::<(call::Bigint,), call::Numeric>(|(value,)| whole(value)),
        Type::Real => call.map::<(call::Real,), call::Numeric>(|(value,)| double(value.into(), 6)),
        Type::Double => call.map::<(call::Double,), call::Numeric>(|(value,)| double(value, 15)),
        Type::Decimal { precision, scale } => match call.ty {
            // More room at the same scale: the same numbers.
            Type::Decimal { precision: wider, scale: same } if same == scale && wider >= precision => {
                let values = call.arguments[0].values.as_primitive::<Decimal128Type>().clone();
                Column::new(std::sync::Arc::new(values.with_data_type(call.ty.arrow())))
            }
            _ => call.map::<(call::Numeric,), call::Numeric>(|(value,)| fit(value)),
        },
        Type::Numeric => call.map::<(call::Numeric,), call::Numeric>(|(value,)| fit(value)),
        // A text may have more digits than there is room for, if rounding leaves few enough.
        _ => call.map::<(call::Text,), call::Numeric>(|(text,)| match digits {
            None => Decimal::cast(text.as_bytes()).map(Some),
            Some((precision, scale)) => {
                let unscaled = Decimal::parse_as(text.as_bytes(), precision, scale, Fraction::Round)?;
                Ok(Some(Decimal { unscaled, scale }))
            }
        }),
    }
}

#[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
fn to_double(call: &Call<'_>, from: Type) -> Column {
    match from {
        Type::Smallint => call.map::<(call::Smallint,), call::Double>(|(value,)| Ok(Some(value.into()))),
        Type::Integer => call.map::<(call::Integer,), call::Double>(|(value,)| Ok(Some(value.into()))),
        Type::Bigint => call.map::<(call::Bigint,), call::Double>(|(value,)| Ok(Some(value as f64))),
        Type::Real => call.map::<(call::Real,), call::Double>(|(value,)| Ok(Some(value.into()))),
        Type::Double => call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(value))),
        Type::Decimal { .. } | Type::Numeric => {
            call.map::<(call::Numeric,), call::Double>(|(value,)| Ok(Some(decimal::to_double(value))))
        }
        _ => call.map::<(call::Text,), call::Double>(|(text,)| float::parse_double(text.as_bytes()).map(Some)),
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the nearest number is meant")]
fn to_real(call: &Call<'_>, from: Type) -> Column {
    match from {
        Type::Smallint => call.map::<(call::Smallint,), call::Real>(|(value,)| Ok(Some(value.into()))),
        Type::Integer => call.map::<(call::Integer,), call::Real>(|(value,)| Ok(Some(value as f32))),
        Type::Bigint => call.map::<(call::Bigint,), call::Real>(|(value,)| Ok(Some(value as f32))),
        Type::Real => call.map::<(call::Real,), call::Real>(|(value,)| Ok(Some(value))),
        Type::Double => call.map::<(call::Double,), call::Real>(|(value,)| {
            let real = value as f32;
            match (real.is_infinite() && !value.is_infinite(), real == 0.0 && value != 0.0) {
                (true, _) => Err(Fault::new(Code::OutOfRange, "value out of range: overflow")),
                (_, true) => Err(Fault::new(Code::OutOfRange, "value out of range: underflow")),
                _ => Ok(Some(real)),
            }
        }),
        Type::Decimal { .. } | Type::Numeric => {
            call.map::<(call::Numeric,), call::Real>(|(value,)| float::parse_real(value.print().as_bytes()).map(Some))
        }
        _ => call.map::<(call::Text,), call::Real>(|(text,)| float::parse_real(text.as_bytes()).map(Some)),
    }
}

fn to_time(call: &Call<'_>, from: Type) -> Column {
    match (from, call.ty) {
        (Type::Timestamp | Type::Timestamptz, Type::Date) => {
            call.map::<(call::Timestamp,), call::Date>(|(micros,)| Ok(Some(datetime::day_of(micros))))
        }
        (Type::Date, Type::Timestamp | Type::Timestamptz) => call.map::<(call::Date,), call::Timestamp>(|(day,)| {
            let micros = datetime::midnight(day);
            micros.map(Some).ok_or_else(|| Fault::new(Code::DatetimeOutOfRange, "date out of range for timestamp"))
        }),
        // The session's zone is UTC, so that both count the same microseconds.
        (Type::Timestamp | Type::Timestamptz, Type::Timestamp | Type::Timestamptz) => {
            call.map::<(call::Timestamp,), call::Timestamp>(|(micros,)| Ok(Some(micros)))
        }
        (Type::Timestamp | Type::Timestamptz, Type::Time) => call.map::<(call::Timestamp,), call::Time>(|(micros,)| {
            Ok(datetime::is_finite(micros).then(|| micros.rem_euclid(DAY_MICROS)))
        }),
        (Type::Timetz, Type::Time) => {
            call.map::<(call::Timetz,), call::Time>(|(time,)| Ok(Some(ZonedTime::unpacked(time).micros)))
        }
        (Type::Time, Type::Timetz) => call.map::<(call::Time,), call::Timetz>(|(micros,)| Ok(Some(in_utc(micros)))),
        (Type::Timestamptz, Type::Timetz) => call.map::<(call::Timestamp,), call::Timetz>(|(micros,)| {
            Ok(datetime::is_finite(micros).then(|| in_utc(micros.rem_euclid(DAY_MICROS))))
        }),
        (_, Type::Timetz) => call.map::<(call::Text,), call::Timetz>(|(text,)| {
            ZonedTime::parse(text.as_bytes()).map(|time| Some(time.packed()))
        }),
        (Type::Interval, Type::Time) => {
            call.map::<(call::Interval,), call::Time>(|(value,)| Ok(Some(value.micros.rem_euclid(DAY_MICROS))))
        }
        (Type::Time, Type::Interval) => {
            call.map::<(call::Time,), call::Interval>(|(micros,)| Ok(Some(Interval::of_micros(micros))))
        }
        (_, Type::Interval) => {
            call.map::<(call::Text,), call::Interval>(|(text,)| Interval::parse(text.as_bytes(), fields::ALL).map(Some))
        }
        (_, Type::Date) => {
            call.map::<(call::Text,), call::Date>(|(text,)| datetime::cast_date(text.as_bytes()).map(Some))
        }
        (_, Type::Time) => call.map::<(call::Text,), call::Time>(|(text,)| {
            datetime::parse_time(text.as_bytes(), Fraction::Round).map(Some)
        }),
        (_, Type::Timestamp) => {
            call.map::<(call::Text,), call::Timestamp>(|(text,)| datetime::cast_timestamp(text.as_bytes()).map(Some))
        }
        _ => {
            call.map::<(call::Text,), call::Timestamp>(|(text,)| datetime::cast_timestamptz(text.as_bytes()).map(Some))
        }
    }
}

/// A time of day in UTC, packed.
fn in_utc(micros: i64) -> i64 {
    ZonedTime { micros, offset: 0 }.packed()
}

/// The number or boolean that a JSON value is, as PostgreSQL's `jsonb` becomes one: a number by way of an exact one.
fn from_json(call: &Call<'_>, to: Type) -> Column {
    let refused =
        |json: Json<'_>| Fault::new(Code::BadArgument, format!("cannot cast jsonb {} to type {to}", json.kind()));
    if to == Type::Boolean {
        return call.map::<(call::Text,), call::Boolean>(|(text,)| match Json::new(text) {
            json if json.kind() == "boolean" => Ok(Some(json.text() == "true")),
            json => Err(refused(json)),
        });
    }
    let number = |text| match Json::new(text) {
        json if json.kind() == "number" => Ok(json.text().as_bytes()),
        json => Err(refused(json)),
    };
    match to {
        Type::Real => {
            return call.map::<(call::Text,), call::Real>(|(text,)| float::parse_real(number(text)?).map(Some));
        }
        Type::Double => {
            return call.map::<(call::Text,), call::Double>(|(text,)| float::parse_double(number(text)?).map(Some));
        }
        _ => {}
    }
    let exact = Call { ty: Type::Numeric, ..*call };
    let numbers = exact.map::<(call::Text,), call::Numeric>(|(text,)| Decimal::parse(number(text)?).map(Some));
    if to == Type::Numeric {
        return numbers;
    }
    let arguments = [Vector::rows(numbers)];
    let column = cast(&Call { arguments: &arguments, ..*call }, Type::Numeric);
    let [Vector { faults, .. }] = arguments;
    Column { values: column.values, faults: faults.merge(column.faults) }
}

fn to_text(call: &Call<'_>, from: Type) -> Column {
    let blanks = |text: &str, bytes: u32| (bytes as usize).saturating_sub(text.len());
    match (from, call.ty) {
        (Type::Text | Type::Varchar(_) | Type::Char(_), Type::Char(0)) => Column::new(call.arguments[0].values.clone()),
        // Trailing blanks of a char do not count, and are gone when it becomes text.
        (Type::Char(_), Type::Text) => call.slice::<(call::Text,)>(|(text,)| Ok(Some(text.trim_end_matches(' ')))),
        (Type::Char(_), Type::Varchar(bytes)) => {
            call.slice::<(call::Text,)>(|(text,)| Ok(Some(text::cut(text.trim_end_matches(' '), bytes as usize))))
        }
        (Type::Varchar(had), Type::Varchar(bytes)) if had <= bytes => Column::new(call.arguments[0].values.clone()),
        (Type::Text | Type::Varchar(_), Type::Text) => Column::new(call.arguments[0].values.clone()),
        (Type::Text | Type::Varchar(_), Type::Varchar(bytes)) => {
            call.slice::<(call::Text,)>(|(text,)| Ok(Some(text::cut(text, bytes as usize))))
        }
        (Type::Text | Type::Varchar(_) | Type::Char(_), Type::Char(bytes)) => {
            call.write::<(call::Text,)>(|(text,), out| {
                let text = text::cut(text, bytes as usize);
                out.push_str(text);
                out.extend(std::iter::repeat_n(' ', blanks(text, bytes)));
                Ok(true)
            })
        }
        _ => {
            let print = |from: Type| Printer::new(&call.arguments[0], from);
            let printer = print(from);
            let nulls = Call { ty: Type::Text, ..*call };
            nulls.try_write_rows(|row, out| {
                printer.print(row, out);
                match call.ty {
                    Type::Varchar(bytes) => out.truncate(text::cut(out, bytes as usize).len()),
                    Type::Char(bytes) if bytes > 0 => {
                        out.truncate(text::cut(out, bytes as usize).len());
                        let blanks = blanks(out, bytes);
                        out.extend(std::iter::repeat_n(' ', blanks));
                    }
                    _ => {}
                }
                Ok(true)
            })
        }
    }
}

/// Prints the values of a column, as PostgreSQL does.
pub(in crate::expr) struct Printer<'a> {
    vector: &'a Vector,
    ty: Type,
}

impl<'a> Printer<'a> {
    pub(in crate::expr) fn new(vector: &'a Vector, ty: Type) -> Self {
        Self { vector, ty }
    }

    /// Appends the text of a row, which is not NULL.
    pub(in crate::expr) fn print(&self, row: usize, out: &mut String) {
        use arrow_array::types;
        let row = row & self.vector.mask();
        let values = &self.vector.values;
        macro_rules! at {
            ($arrow:ident) => {
                values.as_primitive::<types::$arrow>().value(row)
            };
        }
        // Writing to a String cannot fail.
        let _ = match self.ty {
            Type::Boolean => write!(out, "{}", values.as_boolean().value(row)),
            Type::Smallint => write!(out, "{}", at!(Int16Type)),
            Type::Integer => write!(out, "{}", at!(Int32Type)),
            Type::Bigint => write!(out, "{}", at!(Int64Type)),
            Type::Decimal { .. } | Type::Numeric => {
                // The row is masked already, and a constant's only row is the first.
                out.write_str(&decimal::Reader::new(self.vector).value(row).print())
            }
            Type::Real => out.write_str(&float::print_real(at!(Float32Type))),
            Type::Double => out.write_str(&float::print_double(at!(Float64Type))),
            Type::Date => out.write_str(&datetime::print_date(at!(Date32Type))),
            Type::Time => out.write_str(&datetime::print_time(at!(Time64MicrosecondType))),
            Type::Timetz => {
                ZonedTime::unpacked(at!(DurationMicrosecondType)).write(out);
                Ok(())
            }
            Type::Interval => {
                use crate::expr::functions::call::Read;
                call::Interval::read(&call::Interval::reader(self.vector), row).write(out);
                Ok(())
            }
            Type::Timestamp => out.write_str(&datetime::print_timestamp(at!(TimestampMicrosecondType))),
            Type::Timestamptz => out.write_str(&datetime::print_timestamptz(at!(TimestampMicrosecondType))),
            Type::Text | Type::Varchar(_) | Type::Super | Type::Jsonb | Type::Bytea => {
                out.write_str(values.as_string_view().value(row))
            }
            Type::Char(_) => out.write_str(values.as_string_view().value(row).trim_end_matches(' ')),
        };
    }
}

/// The decimal that holds every value of a whole number type.
pub(in crate::expr) fn as_decimal(ty: Type) -> Type {
    let precision = match ty {
        Type::Smallint => 5,
        Type::Integer => 10,
        Type::Bigint => 19,
        _ => DECIMAL_PRECISION_MAX,
    };
    Type::Decimal { precision, scale: 0 }
}
