//! Compare: two columns of one type, row by row. The result is bits only; the caller handles NULLs.

use std::cmp::Ordering;

use arrow_array::ArrowPrimitiveType;
use arrow_array::StringViewArray;
use arrow_array::builder::make_view;
use arrow_array::cast::AsArray;
use arrow_array::types;
use arrow_buffer::BooleanBuffer;

use super::decimal;
use super::vector::Vector;
use crate::expr::functions::call;
use crate::expr::functions::call::Read;
use crate::expr::tree::Binary;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::json::Tree;

/// A text of at most so many bytes stands in its view.
const VIEW_BYTES: usize = 12;

/// Whether the comparison holds in each row. A row in which either is NULL has any bit.
pub(in crate::expr) fn compare(
    operator: Binary,
    left: &Vector,
    right: &Vector,
    ty: Type,
    rows: usize,
) -> BooleanBuffer {
    match ty {
        Type::Boolean => {
            let (a, b) = (left.values.as_boolean(), right.values.as_boolean());
            ordered(operator, rows, |row| a.value(row & left.mask()).cmp(&b.value(row & right.mask())))
        }
        Type::Smallint => primitive::<types::Int16Type>(operator, left, right, rows),
        Type::Integer => primitive::<types::Int32Type>(operator, left, right, rows),
        Type::Bigint => primitive::<types::Int64Type>(operator, left, right, rows),
        Type::Date => primitive::<types::Date32Type>(operator, left, right, rows),
        Type::Interval => {
            let (a, b) = (call::Interval::reader(left), call::Interval::reader(right));
            ordered(operator, rows, |row| call::Interval::read(&a, row).order(call::Interval::read(&b, row)))
        }
        Type::Time => primitive::<types::Time64MicrosecondType>(operator, left, right, rows),
        Type::Timetz => primitive::<types::DurationMicrosecondType>(operator, left, right, rows),
        Type::Timestamp | Type::Timestamptz => {
            primitive::<types::TimestampMicrosecondType>(operator, left, right, rows)
        }
        Type::Real => {
            let (a, b) = (values::<types::Float32Type>(left), values::<types::Float32Type>(right));
            ordered(operator, rows, |row| float_order(a[row & left.mask()].into(), b[row & right.mask()].into()))
        }
        Type::Double => {
            let (a, b) = (values::<types::Float64Type>(left), values::<types::Float64Type>(right));
            ordered(operator, rows, |row| float_order(a[row & left.mask()], b[row & right.mask()]))
        }
        Type::Decimal { .. } | Type::Numeric => decimals(operator, left, right, rows),
        Type::Text | Type::Varchar(_) | Type::Bytea => text(operator, left, right, rows),
        // Trailing blanks of a char do not count.
        Type::Char(_) => {
            let (a, b): (&StringViewArray, &StringViewArray) =
                (left.values.as_string_view(), right.values.as_string_view());
            fn trimmed(texts: &StringViewArray, row: usize) -> &str {
                texts.value(row).trim_end_matches(' ')
            }
            ordered(operator, rows, |row| trimmed(a, row & left.mask()).cmp(trimmed(b, row & right.mask())))
        }
        Type::Super | Type::Jsonb => {
            let (a, b) = (left.values.as_string_view(), right.values.as_string_view());
            ordered(operator, rows, |row| json(a.value(row & left.mask()), b.value(row & right.mask())))
        }
    }
}

/// The order of two JSON values by what they mean; that of their texts where one can be no `jsonb`.
fn json(left: &str, right: &str) -> Ordering {
    match (Tree::parse(left), Tree::parse(right)) {
        (Ok(left), Ok(right)) => left.order(&right),
        _ => left.cmp(right),
    }
}

/// Whether the text of each row is one of a sorted list. A row that is NULL has any bit.
pub(in crate::expr) fn one_of(operand: &Vector, list: &[Box<str>], rows: usize) -> BooleanBuffer {
    let (short, long): (Vec<&str>, Vec<&str>) =
        list.iter().map(|item| &**item).partition(|item| item.len() <= VIEW_BYTES);
    let mut short: Vec<u128> = short.into_iter().map(|item| make_view(item.as_bytes(), 0, 0)).collect();
    short.sort_unstable();
    let texts = operand.values.as_string_view();
    let mask = operand.mask();
    BooleanBuffer::collect_bool(rows, |row| {
        let view = texts.views()[row & mask];
        match view as u32 as usize <= VIEW_BYTES {
            true => short.binary_search(&view).is_ok(),
            false => long.binary_search(&texts.value(row & mask)).is_ok(),
        }
    })
}

/// PostgreSQL's order of floating-point numbers: NaN equals itself and is greater than all others; zeros are equal.
pub(in crate::expr) fn float_order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn values<T: ArrowPrimitiveType>(vector: &Vector) -> &[T::Native] {
    vector.values.as_primitive::<T>().values()
}

fn primitive<T: ArrowPrimitiveType>(operator: Binary, left: &Vector, right: &Vector, rows: usize) -> BooleanBuffer
where
    T::Native: PartialOrd,
{
    with_layout(operator, (values::<T>(left), left.constant), (values::<T>(right), right.constant), rows)
}

/// Decimals: at one scale, where they have the same, or where one is a constant that can be put to the other's.
fn decimals(operator: Binary, left: &Vector, right: &Vector, rows: usize) -> BooleanBuffer {
    let (a, b) = (decimal::Reader::new(left), decimal::Reader::new(right));
    if let decimal::Reader::Fixed { unscaled: left_values, scale: left_scale, .. } = a
        && let decimal::Reader::Fixed { unscaled: right_values, scale: right_scale, .. } = b
    {
        let put = |values: &[i128], scale: u8, to: u8| {
            let put = Decimal { unscaled: *values.first()?, scale }.rescale_exact(to)?;
            Some([put.unscaled])
        };
        if left_scale == right_scale {
            return with_layout(operator, (left_values, left.constant), (right_values, right.constant), rows);
        }
        if right.constant
            && let Some(constant) = put(right_values, right_scale, left_scale)
        {
            return with_layout(operator, (left_values, left.constant), (&constant, true), rows);
        }
        if left.constant
            && let Some(constant) = put(left_values, left_scale, right_scale)
        {
            return with_layout(operator, (&constant, true), (right_values, right.constant), rows);
        }
    }
    ordered(operator, rows, |row| decimal::compare(a.value(row), b.value(row)))
}

/// One loop for each operator and each of two columns, column and constant, and constant and column.
fn with_layout<T: Copy + PartialOrd>(
    operator: Binary,
    left: (&[T], bool),
    right: (&[T], bool),
    rows: usize,
) -> BooleanBuffer {
    match operator {
        Binary::Equal => laid_out(left, right, rows, |a, b| a == b),
        Binary::NotEqual => laid_out(left, right, rows, |a, b| a != b),
        Binary::Less => laid_out(left, right, rows, |a, b| a < b),
        Binary::LessOrEqual => laid_out(left, right, rows, |a, b| a <= b),
        Binary::Greater => laid_out(left, right, rows, |a, b| a > b),
        _ => laid_out(left, right, rows, |a, b| a >= b),
    }
}

fn laid_out<T: Copy>(
    (left, left_constant): (&[T], bool),
    (right, right_constant): (&[T], bool),
    rows: usize,
    holds: impl Fn(T, T) -> bool,
) -> BooleanBuffer {
    match (left, right) {
        (&[a, ..], &[b, ..]) if left_constant && right_constant => {
            if holds(a, b) {
                BooleanBuffer::new_set(rows)
            } else {
                BooleanBuffer::new_unset(rows)
            }
        }
        (&[a, ..], right) if left_constant => BooleanBuffer::collect_bool(rows, |row| holds(a, right[row])),
        (left, &[b, ..]) if right_constant => BooleanBuffer::collect_bool(rows, |row| holds(left[row], b)),
        (left, right) => BooleanBuffer::collect_bool(rows, |row| holds(left[row], right[row])),
    }
}

fn ordered(operator: Binary, rows: usize, order: impl Fn(usize) -> Ordering) -> BooleanBuffer {
    match operator {
        Binary::Equal => BooleanBuffer::collect_bool(rows, |row| order(row).is_eq()),
        Binary::NotEqual => BooleanBuffer::collect_bool(rows, |row| order(row).is_ne()),
        Binary::Less => BooleanBuffer::collect_bool(rows, |row| order(row).is_lt()),
        Binary::LessOrEqual => BooleanBuffer::collect_bool(rows, |row| order(row).is_le()),
        Binary::Greater => BooleanBuffer::collect_bool(rows, |row| order(row).is_gt()),
        _ => BooleanBuffer::collect_bool(rows, |row| order(row).is_ge()),
    }
}

/// Texts, by their bytes. A view holds the length and the first four bytes in its lower half, and texts of up to twelve
/// bytes whole, so that most texts differ, or are equal, without a look at their bytes.
fn text(operator: Binary, left: &Vector, right: &Vector, rows: usize) -> BooleanBuffer {
    let (a, b): (&StringViewArray, &StringViewArray) = (left.values.as_string_view(), right.values.as_string_view());
    let (a_mask, b_mask) = (left.mask(), right.mask());
    let same = |row: usize| {
        let (a_at, b_at) = (row & a_mask, row & b_mask);
        let (a_view, b_view) = (a.views()[a_at], b.views()[b_at]);
        if a_view as u64 != b_view as u64 {
            return false;
        }
        match a_view as u32 as usize <= VIEW_BYTES {
            true => a_view == b_view,
            false => a.value(a_at) == b.value(b_at),
        }
    };
    match operator {
        Binary::Equal => BooleanBuffer::collect_bool(rows, same),
        Binary::NotEqual => BooleanBuffer::collect_bool(rows, |row| !same(row)),
        _ => ordered(operator, rows, |row| a.value(row & a_mask).cmp(b.value(row & b_mask))),
    }
}
