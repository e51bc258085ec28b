//! Conform: putting a value into a column. Stricter than a cast in three written cases: digits after the point that the
//! column does not have, blanks beyond its length, fractions of a microsecond. Each is a fault of its own, never a change.

use std::sync::Arc;

use arrow_array::builder::{PrimitiveBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, UInt8Type,
};
use arrow_array::{Array, ArrayRef, StringViewArray};

use crate::column::{Column, Fault, Faults};
use crate::diagnostic::Code;
use crate::types::{SUPER_BYTES_MAX, SUPER_STRING_BYTES_MAX, Type};
use crate::value::Decimal;
use crate::value::datetime::{is_finite, is_finite_day, midnight, print_date};
use crate::value::json::Json;
use crate::value::show::show;
use crate::value::text::{fit, quote};

/// Why an expression of one type can never be put into a column of another: the fact, and the advice.
pub(crate) fn refusal(from: Type, to: Type) -> Option<(String, String)> {
    let same =
        |help: String| Some((format!("an expression of type {from} cannot be put into a column of type {to}"), help));
    match (from, to) {
        _ if from == to => None,
        (Type::Decimal { scale, .. }, Type::Decimal { scale: wanted, .. }) if scale > wanted => Some((
            format!("the expression has {scale} digits after the point, its column {wanted}"),
            format!("write round(…, {wanted})"),
        )),
        (Type::Decimal { scale, .. }, _) if scale > 0 && to.is_integer() => Some((
            format!("the expression has {scale} digits after the point, its column none"),
            format!("write round(…)::{to}"),
        )),
        _ if to.is_text() || (from.is_json() && to == Type::Super) => None,
        _ if from.is_number() && !from.is_float() && to.is_number() => None,
        (Type::Real, Type::Double) | (Type::Date, Type::Timestamp | Type::Timestamptz) => None,
        // A cast would guess which number is the month.
        (_, Type::Date) if from.is_text() => same(
            "say how it is written: `type: date, format: DD.MM.YYYY` of its field, or to_date(…, 'DD.MM.YYYY')"
                .to_owned(),
        ),
        (_, Type::Timestamp | Type::Timestamptz) if from.is_text() => {
            let cast = if to == Type::Timestamp { "::timestamp" } else { "" };
            same(format!(
                "say how it is written: `type: {to}, format: DD.MM.YYYY HH24:MI` of its field, or \
                 to_timestamp(…, 'DD.MM.YYYY HH24:MI'){cast}"
            ))
        }
        _ => same(format!("write a cast: (…)::{to}")),
    }
}

/// Puts a column of expression values into a column of type `to`; [`refusal`] has let the pair pass.
pub(crate) fn put(column: Column, from: Type, to: Type) -> Column {
    match to {
        Type::Super | Type::Jsonb => supers(column),
        Type::Date => finite::<Date32Type>(column, to, is_finite_day),
        Type::Timestamp | Type::Timestamptz if from == to => finite::<TimestampMicrosecondType>(column, to, is_finite),
        _ if from == to && !to.is_text() => column,
        Type::Text => texts(column, from, usize::MAX, false),
        Type::Varchar(bytes) => texts(column, from, bytes as usize, false),
        Type::Char(bytes) => texts(column, from, bytes as usize, true),
        Type::Smallint => integers::<Int16Type>(column, to),
        Type::Integer => integers::<Int32Type>(column, to),
        Type::Bigint => integers::<Int64Type>(column, to),
        Type::Decimal { precision, scale } => match from {
            Type::Decimal { precision: have, scale: same }
                if same == scale && (have <= precision || all_fit(&column, precision)) =>
            {
                let array = column.values.as_primitive::<Decimal128Type>().clone();
                match array.with_precision_and_scale(precision, scale.cast_signed()) {
                    Ok(array) => Column { values: Arc::new(array), faults: column.faults },
                    Err(error) => unreachable!("the type was checked: {error}"),
                }
            }
            _ => mapped::<Decimal128Type>(column, to, |value| {
                put_decimal(value, precision, scale)
                    .map_err(|code| decimal_fault(code, &value.print(), precision, scale))
            }),
        },
        #[expect(clippy::cast_possible_truncation, reason = "the nearest real is meant")]
        Type::Real => mapped::<Float32Type>(column, to, |value| Ok(nearest_double(value) as f32)),
        Type::Double => match from {
            Type::Real => {
                let values: arrow_array::Float64Array =
                    column.values.as_primitive::<Float32Type>().iter().map(|value| value.map(f64::from)).collect();
                Column { values: Arc::new(values), faults: column.faults }
            }
            _ => mapped::<Float64Type>(column, to, |value| Ok(nearest_double(value))),
        },
        Type::Timestamp | Type::Timestamptz => {
            let days = finite::<Date32Type>(column, Type::Date, is_finite_day);
            let array = days.values.as_primitive::<Date32Type>();
            let mut values = PrimitiveBuilder::with_capacity(array.len()).with_data_type(to.arrow());
            let mut faults = Faults::default();
            for (row, day) in array.iter().enumerate() {
                let micros = day.and_then(midnight);
                values.append_option(micros);
                if let Some(day) = day.filter(|_| micros.is_none()) {
                    let fact = format!("{} is out of range for {to}", print_date(day));
                    faults.push(row, Fault::new(Code::DatetimeOutOfRange, fact));
                }
            }
            let values: ArrayRef = Arc::new(PrimitiveBuilder::<TimestampMicrosecondType>::finish(&mut values));
            Column { values, faults: days.faults.merge(faults) }
        }
        Type::Boolean | Type::Numeric | Type::Time | Type::Timetz | Type::Interval | Type::Bytea => column,
    }
}

/// Times that are in the calendar; an infinite one is a fault.
fn finite<T: ArrowPrimitiveType>(column: Column, to: Type, is_finite: fn(T::Native) -> bool) -> Column {
    let array = column.values.as_primitive::<T>();
    // The usual case.
    if array.values().iter().all(|value| is_finite(*value)) {
        return column;
    }
    let mut values = PrimitiveBuilder::<T>::with_capacity(array.len()).with_data_type(array.data_type().clone());
    let mut faults = Faults::default();
    for (row, value) in array.iter().enumerate() {
        let infinite = value.is_some_and(|value| !is_finite(value));
        values.append_option(value.filter(|_| !infinite));
        if infinite {
            let shown = show(&*column.values, row).unwrap_or_default();
            faults.push(row, Fault::new(Code::Infinite, format!("{shown} cannot be put into a column of type {to}")));
        }
    }
    Column { values: Arc::new(values.finish()), faults: column.faults.merge(faults) }
}

/// Whether all decimals have at most `precision` digits.
fn all_fit(column: &Column, precision: u8) -> bool {
    let limit = 10_i128.checked_pow(precision.into()).unwrap_or(i128::MAX);
    // Without a branch, and also what stands in the place of a NULL.
    let beyond = |any, value: &i128| any | (*value >= limit) | (*value <= -limit);
    !column.values.as_primitive::<Decimal128Type>().values().iter().fold(false, beyond)
}

/// The unscaled value of a number at a column's scale, or the code of why it does not fit.
pub(crate) fn put_decimal(value: Decimal, precision: u8, scale: u8) -> Result<i128, Code> {
    let exact = if value.scale == scale { Some(value) } else { value.rescale_exact(scale) };
    match exact {
        Some(exact) if exact.fits(precision) => Ok(exact.unscaled),
        Some(_) => Err(Code::OutOfRange),
        // Too many digits before the point outweigh those after it.
        None => match value.rescale(scale) {
            Some(rounded) if rounded.fits(precision) => Err(Code::ExcessScale),
            _ => Err(Code::OutOfRange),
        },
    }
}

/// The fault for a code of [`put_decimal`]; `shown` is the number as its author wrote it.
pub(crate) fn decimal_fault(code: Code, shown: &str, precision: u8, scale: u8) -> Fault {
    if code == Code::ExcessScale {
        Fault::new(code, format!("{shown} has more than {scale} digits after the point"))
    } else {
        Fault::new(code, format!("{shown} is out of range for decimal({precision},{scale})"))
    }
}

fn nearest_double(value: Decimal) -> f64 {
    // The standard library reads a decimal text to the nearest double; dividing would round twice.
    value.print().parse().unwrap_or(f64::NAN)
}

/// The number of a row of an exact numeric array.
fn number(values: &dyn Array, row: usize) -> Option<Decimal> {
    use arrow_schema::DataType;
    if values.is_null(row) {
        return None;
    }
    let whole = |unscaled: i128| Decimal { unscaled, scale: 0 };
    match values.data_type() {
        DataType::Int16 => Some(whole(values.as_primitive::<Int16Type>().value(row).into())),
        DataType::Int32 => Some(whole(values.as_primitive::<Int32Type>().value(row).into())),
        DataType::Int64 => Some(whole(values.as_primitive::<Int64Type>().value(row).into())),
        DataType::Decimal128(_, scale) => {
            Some(Decimal { unscaled: values.as_primitive::<Decimal128Type>().value(row), scale: scale.unsigned_abs() })
        }
        DataType::Struct(_) => {
            let numeric = values.as_struct();
            Some(Decimal {
                unscaled: numeric.column(0).as_primitive::<Decimal128Type>().value(row),
                scale: numeric.column(1).as_primitive::<UInt8Type>().value(row),
            })
        }
        _ => None,
    }
}

/// Puts each number into `to` by `convert`.
fn mapped<T: ArrowPrimitiveType>(
    column: Column,
    to: Type,
    convert: impl Fn(Decimal) -> Result<T::Native, Fault>,
) -> Column {
    let rows = column.values.len();
    let mut values = PrimitiveBuilder::<T>::with_capacity(rows).with_data_type(to.arrow());
    let mut faults = Faults::default();
    for row in 0..rows {
        let convert = |value: Decimal| match value.special() {
            Some(_) => Err(Fault::new(
                Code::BeyondDecimal,
                format!("{} cannot be put into a column of type {to}", value.print()),
            )),
            None => convert(value),
        };
        match number(&*column.values, row).map(convert) {
            Some(Ok(value)) => values.append_value(value),
            Some(Err(fault)) => {
                values.append_null();
                faults.push(row, fault);
            }
            None => values.append_null(),
        }
    }
    Column { values: Arc::new(values.finish()), faults: column.faults.merge(faults) }
}

fn integers<T: ArrowPrimitiveType>(column: Column, to: Type) -> Column
where
    T::Native: TryFrom<i128>,
{
    mapped::<T>(column, to, |value| {
        let Some(whole) = value.rescale_exact(0) else {
            return Err(Fault::new(Code::ExcessScale, format!("{} has digits after the point", value.print())));
        };
        T::Native::try_from(whole.unscaled)
            .map_err(|_| Fault::new(Code::OutOfRange, format!("{} is out of range for {to}", value.print())))
    })
}

/// JSON that a `super` of Redshift can hold.
fn supers(column: Column) -> Column {
    let values = column.values.as_string_view();
    // The usual case: a short text has no long string.
    if values.iter().flatten().all(|value| value.len() <= SUPER_STRING_BYTES_MAX) {
        return column;
    }
    let judge = |value: &str| match value.len() {
        0..=SUPER_STRING_BYTES_MAX => None,
        bytes if bytes > SUPER_BYTES_MAX => Some(format!("the JSON has {bytes} bytes, more than {SUPER_BYTES_MAX}")),
        _ => Json::new(value)
            .has_string_over(SUPER_STRING_BYTES_MAX)
            .then(|| format!("a string in the JSON has more than {SUPER_STRING_BYTES_MAX} bytes")),
    };
    let mut kept = StringViewBuilder::with_capacity(values.len());
    let mut faults = Faults::default();
    for (row, value) in values.iter().enumerate() {
        let fact = value.and_then(judge);
        kept.append_option(value.filter(|_| fact.is_none()));
        if let Some(fact) = fact {
            faults.push(row, Fault::new(Code::TooLong, fact));
        }
    }
    Column { values: Arc::new(kept.finish()), faults: column.faults.merge(faults) }
}

/// Puts each value, printed, into text of at most so many bytes; `single_byte` is what `char` can hold.
fn texts(column: Column, from: Type, bytes_max: usize, single_byte: bool) -> Column {
    let trims = single_byte || matches!(from, Type::Char(_));
    let put = |value: &str| -> Result<usize, Fault> {
        // Trailing blanks of a char are padding, which nobody can tell from the value's own.
        let value = if trims { value.trim_end_matches(' ') } else { value };
        if let Some(wide) = value.chars().find(|c| single_byte && !c.is_ascii()) {
            return Err(Fault::new(
                Code::Character,
                format!("`{wide}` in {} is not a single-byte character", quote(value.as_bytes())),
            ));
        }
        if let Some(bad) = value.find('\0') {
            return Err(Fault::new(Code::Character, format!("a NUL character at byte {bad} cannot be stored")));
        }
        fit(value, bytes_max).map(str::len)
    };
    // The usual case: every value fits as it is, and the views are kept.
    if from.is_text() && fit_as_they_are(column.values.as_string_view(), bytes_max, trims) {
        return column;
    }
    let rows = column.values.len();
    let mut faults = Faults::default();
    let mut values = StringViewBuilder::with_capacity(rows);
    for row in 0..rows {
        let shown;
        let value = if column.values.is_null(row) {
            None
        } else if from.is_text() {
            Some(column.values.as_string_view().value(row))
        } else {
            shown = show(&*column.values, row);
            shown.as_deref()
        };
        match value.map(|value| put(value).map(|length| &value[..length])) {
            Some(Ok(fitting)) => values.append_value(fitting),
            Some(Err(fault)) => {
                values.append_null();
                faults.push(row, fault);
            }
            None => values.append_null(),
        }
    }
    let values: ArrayRef = Arc::new(values.finish());
    Column { values, faults: column.faults.merge(faults) }
}

/// Whether all texts are known, without a look at each, to fit as they are: by their views, which hold the lengths and short
/// texts, and by the blocks that hold the long ones.
fn fit_as_they_are(texts: &StringViewArray, bytes_max: usize, single_byte: bool) -> bool {
    const SHORT: u32 = 12;
    let fits = |view: &u128| {
        let length = *view as u32;
        // Behind its end a short text is zeros, so that its first zero shows where it ends, or stands within it.
        let zeros = zero_bytes(view >> 32).trailing_zeros() / 8;
        length as usize <= bytes_max && (length > SHORT || zeros >= length)
    };
    let is_plain = |value: &str| !value.ends_with(' ') && value.is_ascii();
    texts.views().iter().all(fits)
        && texts.data_buffers().iter().all(|block| memchr::memchr(0, block).is_none())
        && (!single_byte || texts.iter().flatten().all(is_plain))
}

/// The highest bit of the lowest byte that is zero; there may be more bits above it.
fn zero_bytes(bytes: u128) -> u128 {
    const ONES: u128 = u128::MAX / 0xff;
    bytes.wrapping_sub(ONES) & !bytes & (ONES << 7)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    /// The values that a column of decimals delivers, and the codes of those that it does not.
    fn delivered(unscaled: &[i128], from: (u8, u8), to: (u8, u8)) -> Vec<Result<i128, Code>> {
        let ty = |(precision, scale)| Type::Decimal { precision, scale };
        let array: arrow_array::Decimal128Array = unscaled.iter().copied().map(Some).collect();
        let column = Column::new(Arc::new(array.with_data_type(ty(from).arrow())));
        let put = put(column, ty(from), ty(to));
        let values = put.values.as_primitive::<Decimal128Type>();
        (0..unscaled.len())
            .map(|row| put.faults.of(row).map_or_else(|| Ok(values.value(row)), |fault| Err(fault.code)))
            .collect()
    }

    #[test]
    fn a_decimal_ends_before_the_power_of_ten_of_its_digits() {
        for precision in 1..=37_u8 {
            let limit = 10_i128.pow(precision.into());
            for scale in 0..=precision {
                let values = [limit - 1, limit, limit + 1, 1 - limit, -limit];
                let fits =
                    [Ok(limit - 1), Err(Code::OutOfRange), Err(Code::OutOfRange), Ok(1 - limit), Err(Code::OutOfRange)];
                // At the same scale all are looked at together; at another each by itself.
                assert_eq!(delivered(&values, (38, scale), (precision, scale)), fits, "({precision}, {scale})");
                // One that does not fit makes each be looked at by itself; so each is put alone, too.
                for (value, fit) in values.iter().zip(&fits) {
                    assert_eq!(delivered(&[*value], (38, scale), (precision, scale)), [*fit], "{value}");
                }
                if scale < 37 {
                    let tens = values.map(|value| value.checked_mul(10));
                    let known: Vec<_> = tens.iter().flatten().copied().collect();
                    let wanted: Vec<_> =
                        tens.iter().zip(fits).filter(|(ten, _)| ten.is_some()).map(|(_, fit)| fit).collect();
                    assert_eq!(
                        delivered(&known, (38, scale + 1), (precision, scale)),
                        wanted,
                        "({precision}, {scale})"
                    );
                }
            }
        }
        assert_eq!(delivered(&[995], (4, 2), (3, 1)), [Err(Code::ExcessScale)]);
        assert_eq!(delivered(&[9995], (4, 2), (3, 1)), [Err(Code::OutOfRange)]);
    }

    #[test]
    fn an_infinite_time_is_in_no_column() {
        let days: arrow_array::Date32Array = [Some(i32::MAX), Some(0), None, Some(i32::MIN)].into_iter().collect();
        for to in [Type::Date, Type::Timestamp, Type::Timestamptz] {
            let put = put(Column::new(Arc::new(days.clone())), Type::Date, to);
            let faulted: Vec<_> = put.faults.iter().map(|(row, fault)| (row, fault.code)).collect();
            assert_eq!(faulted, [(0, Code::Infinite), (3, Code::Infinite)], "{to}");
            assert_eq!((0..4).map(|row| put.values.is_null(row)).collect::<Vec<_>>(), [true, false, true, true]);
        }
    }
}
