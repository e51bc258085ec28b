//! Arithmetic: `+ - * / %` over columns of one type.
//!
//! The common case is a loop without branches that only notes whether any row overflowed; if one did, a second loop finds the
//! rows. NULL rows are computed like others: their content does not matter.

use std::sync::Arc;

use arrow_array::Decimal128Array;
use arrow_array::PrimitiveArray;
use arrow_array::types;
use arrow_schema::DataType;

use super::decimal;
use super::vector::Vector;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::functions::Call;
use crate::expr::functions::call;
use crate::expr::tree::Binary;
use crate::types::Type;
use crate::value::datetime::is_finite_day;

/// The first and the last day: 4713 BC and 294276 AD.
pub(in crate::expr) const DAYS: std::ops::RangeInclusive<i64> = -2_440_588..=106_751_982;

/// Two operands, an operator between them; the types are as `check` leaves them.
pub(in crate::expr) fn arithmetic(operator: Binary, call: &Call<'_>, left: Type, right: Type) -> Column {
    match (left, right) {
        (Type::Smallint, Type::Smallint) => smallint(operator, call),
        (Type::Integer, Type::Integer) => integer(operator, call),
        (Type::Bigint, Type::Bigint) => bigint(operator, call),
        (Type::Real, Type::Real) => real(operator, call),
        (Type::Double, Type::Double) => double(operator, call),
        (Type::Date, Type::Integer) => call.map::<(call::Date, call::Integer), call::Date>(|(day, days)| {
            if !is_finite_day(day) {
                return Ok(Some(day));
            }
            let sum = match operator {
                Binary::Add => i64::from(day) + i64::from(days),
                _ => i64::from(day) - i64::from(days),
            };
            match i32::try_from(sum) {
                Ok(day) if DAYS.contains(&sum) => Ok(Some(day)),
                _ => Err(Fault::new(Code::DatetimeOutOfRange, "date out of range")),
            }
        }),
        (Type::Date, Type::Date) => call.map::<(call::Date, call::Date), call::Integer>(|(left, right)| {
            match is_finite_day(left) && is_finite_day(right) {
                true => Ok(Some(left.wrapping_sub(right))),
                false => Err(Fault::new(Code::DatetimeOutOfRange, "cannot subtract infinite dates")),
            }
        }),
        _ => decimals(operator, call, left, right),
    }
}

/// Applies `f` to each pair; a constant has the same value in each.
fn zip<T: Copy, R>(left: (&[T], bool), right: (&[T], bool), mut f: impl FnMut(T, T) -> R) -> Vec<R> {
    match (left, right) {
        ((&[a], true), (right, _)) => right.iter().map(|&b| f(a, b)).collect(),
        ((left, _), (&[b], true)) => left.iter().map(|&a| f(a, b)).collect(),
        ((left, _), (right, _)) => left.iter().zip(right).map(|(&a, &b)| f(a, b)).collect(),
    }
}

/// The slice of a primitive column and whether it is constant.
macro_rules! slices {
    ($call:expr, $arrow:ident) => {{
        use arrow_array::cast::AsArray;
        let [left, right] = $call.arguments else { unreachable!("an operator has two operands") };
        (
            (&left.values.as_primitive::<types::$arrow>().values()[..], left.constant),
            (&right.values.as_primitive::<types::$arrow>().values()[..], right.constant),
        )
    }};
}

macro_rules! whole {
    ($name:ident, $arrow:ident, $kind:ident, $text:literal) => {
        fn $name(operator: Binary, call: &Call<'_>) -> Column {
            type Native = <types::$arrow as arrow_array::ArrowPrimitiveType>::Native;
            let too_large = || Fault::new(Code::OutOfRange, concat!($text, " out of range"));
            let overflowing = match operator {
                Binary::Add => Native::overflowing_add,
                Binary::Subtract => Native::overflowing_sub,
                Binary::Multiply => Native::overflowing_mul,
                Binary::Divide => {
                    return call.map::<(call::$kind, call::$kind), call::$kind>(|(left, right)| match right {
                        0 => Err(decimal::by_zero()),
                        _ => left.checked_div(right).map(Some).ok_or_else(too_large),
                    });
                }
                _ => {
                    return call.map::<(call::$kind, call::$kind), call::$kind>(|(left, right)| match right {
                        0 => Err(decimal::by_zero()),
                        _ => Ok(Some(left.wrapping_rem(right))),
                    });
                }
            };
            let (left, right) = slices!(call, $arrow);
            let mut any = false;
            // One loop for each operator: a call through a pointer would keep the compiler from vectors.
            let values = match operator {
                Binary::Add => zip(left, right, |a, b| {
                    let (sum, over) = a.overflowing_add(b);
                    any |= over;
                    sum
                }),
                Binary::Subtract => zip(left, right, |a, b| {
                    let (difference, over) = a.overflowing_sub(b);
                    any |= over;
                    difference
                }),
                _ => zip(left, right, |a, b| {
                    let (product, over) = a.overflowing_mul(b);
                    any |= over;
                    product
                }),
            };
            if any {
                return call.map::<(call::$kind, call::$kind), call::$kind>(|(left, right)| {
                    match overflowing(left, right) {
                        (value, false) => Ok(Some(value)),
                        (_, true) => Err(too_large()),
                    }
                });
            }
            let nulls = Vector::nulls_of(call.arguments, call.rows);
            Column::new(Arc::new(PrimitiveArray::<types::$arrow>::new(values.into(), nulls)))
        }
    };
}

whole!(smallint, Int16Type, Smallint, "smallint");
whole!(integer, Int32Type, Integer, "integer");
whole!(bigint, Int64Type, Bigint, "bigint");

macro_rules! floating {
    ($name:ident, $arrow:ident, $kind:ident, $native:ty) => {
        fn $name(operator: Binary, call: &Call<'_>) -> Column {
            let one = |left: $native, right: $native| -> Result<$native, Fault> {
                let value = match operator {
                    Binary::Add => left + right,
                    Binary::Subtract => left - right,
                    Binary::Multiply => left * right,
                    _ if right == 0.0 && !left.is_nan() => return Err(decimal::by_zero()),
                    _ => left / right,
                };
                if value.is_infinite() && !left.is_infinite() && !right.is_infinite() {
                    return Err(Fault::new(Code::OutOfRange, "value out of range: overflow"));
                }
                let vanished = value == 0.0
                    && match operator {
                        Binary::Multiply => left != 0.0 && right != 0.0,
                        Binary::Divide => left != 0.0 && !right.is_infinite(),
                        _ => false,
                    };
                match vanished {
                    true => Err(Fault::new(Code::OutOfRange, "value out of range: underflow")),
                    false => Ok(value),
                }
            };
            if matches!(operator, Binary::Add | Binary::Subtract) {
                let (left, right) = slices!(call, $arrow);
                let mut any = false;
                let values = match operator {
                    Binary::Add => zip(left, right, |a, b| {
                        let sum = a + b;
                        any |= !sum.is_finite();
                        sum
                    }),
                    _ => zip(left, right, |a, b| {
                        let difference = a - b;
                        any |= !difference.is_finite();
                        difference
                    }),
                };
                if !any {
                    let nulls = Vector::nulls_of(call.arguments, call.rows);
                    return Column::new(Arc::new(PrimitiveArray::<types::$arrow>::new(values.into(), nulls)));
                }
            }
            call.map::<(call::$kind, call::$kind), call::$kind>(|(left, right)| one(left, right).map(Some))
        }
    };
}

floating!(real, Float32Type, Real, f32);
floating!(double, Float64Type, Double, f64);

fn decimals(operator: Binary, call: &Call<'_>, left: Type, right: Type) -> Column {
    if let (Type::Decimal { .. }, Type::Decimal { .. }, Type::Decimal { .. }) = (left, right, call.ty)
        && let Some(column) = bounded_decimals(operator, call, left, right)
    {
        return column;
    }
    let fixed = match call.ty {
        Type::Decimal { scale, .. } => Some(scale),
        _ => None,
    };
    call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(left, right)| {
        let value = match operator {
            Binary::Add => decimal::add(left, right),
            Binary::Subtract => decimal::add(left, decimal::negate(right)),
            Binary::Multiply => decimal::multiply(left, right),
            Binary::Divide => decimal::divide(left, right),
            _ => decimal::remainder(left, right),
        }?;
        debug_assert!(fixed.is_none_or(|scale| scale == value.scale), "check knows the scale");
        Ok(Some(value))
    })
}

/// Sums, differences and products whose digits cannot be too many: no row needs a look.
fn bounded_decimals(operator: Binary, call: &Call<'_>, left: Type, right: Type) -> Option<Column> {
    let (Type::Decimal { precision: p1, scale: s1 }, Type::Decimal { precision: p2, scale: s2 }) = (left, right) else {
        return None;
    };
    let scale = s1.max(s2);
    let (a, b) = slices!(call, Decimal128Type);
    let values = match operator {
        Binary::Multiply if p1 + p2 <= 38 => zip(a, b, i128::wrapping_mul),
        Binary::Add | Binary::Subtract if (p1 - s1).max(p2 - s2) + scale < 38 => {
            let (m1, m2) = (decimal::ten(scale - s1), decimal::ten(scale - s2));
            match operator {
                Binary::Add if m1 == m2 => zip(a, b, i128::wrapping_add),
                Binary::Subtract if m1 == m2 => zip(a, b, i128::wrapping_sub),
                Binary::Add => zip(a, b, |a, b| a.wrapping_mul(m1).wrapping_add(b.wrapping_mul(m2))),
                _ => zip(a, b, |a, b| a.wrapping_mul(m1).wrapping_sub(b.wrapping_mul(m2))),
            }
        }
        _ => return None,
    };
    let nulls = Vector::nulls_of(call.arguments, call.rows);
    let DataType::Decimal128(..) = call.ty.arrow() else { return None };
    Some(Column::new(Arc::new(Decimal128Array::new(values.into(), nulls).with_data_type(call.ty.arrow()))))
}

/// `-x`.
pub(in crate::expr) fn negate(call: &Call<'_>) -> Column {
    let too_large = |name: &str| Fault::new(Code::OutOfRange, format!("{name} out of range"));
    match call.ty {
        Type::Smallint => call.map::<(call::Smallint,), call::Smallint>(|(value,)| {
            value.checked_neg().map(Some).ok_or_else(|| too_large("smallint"))
        }),
        Type::Integer => call.map::<(call::Integer,), call::Integer>(|(value,)| {
            value.checked_neg().map(Some).ok_or_else(|| too_large("integer"))
        }),
        Type::Bigint => call.map::<(call::Bigint,), call::Bigint>(|(value,)| {
            value.checked_neg().map(Some).ok_or_else(|| too_large("bigint"))
        }),
        Type::Real => call.map::<(call::Real,), call::Real>(|(value,)| Ok(Some(-value))),
        Type::Double => call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(-value))),
        _ => call.map::<(call::Numeric,), call::Numeric>(|(value,)| Ok(Some(decimal::negate(value)))),
    }
}
