//! `round`, `trunc`, `ceil`, `floor`: numbers with fewer digits.
//!
//! Decimals round half away from zero, floating-point numbers half to even, as PostgreSQL's. Whole numbers are rounded as
//! floating-point numbers, since that is what PostgreSQL's overloads make of them.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::Decimal128Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;

use super::Argument;
use super::Call;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::expr::evaluate::decimal;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::datetime::day_of;

pub(super) const FUNCTIONS: &[Function] = &[ROUND, TRUNC, CEIL, FLOOR];

const ROUND: Function = Function {
    name: "round",
    aliases: &[],
    doc: "The number rounded to whole numbers, or to so many digits after the point",
    signatures: &[
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(value.round_ties_even())))
        }),
        Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| rounded(value, 0, false, call.ty))
        })
        .returns(whole),
        Signature::new(&[Kind::Numeric, Kind::Integer], Type::Numeric, |call| digits(call, false)).returns(at_digits),
    ],
    examples: &[
        ("round(42.4382, 2)", "42.44"),
        ("round(2.5)", "3"),
        ("round(-2.5)", "-3"),
        ("round(2.5::double precision)", "2"),
        ("round(1234.56, -2)", "1200"),
        ("round(1.5, 3)", "1.500"),
        ("round(7, 2)", "7.00"),
    ],
};

const TRUNC: Function = Function {
    name: "trunc",
    aliases: &[],
    doc: "The number cut to whole numbers, or to so many digits after the point",
    signatures: &[
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(value.trunc())))
        }),
        Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| rounded(value, 0, true, call.ty))
        })
        .returns(whole),
        Signature::new(&[Kind::Numeric, Kind::Integer], Type::Numeric, |call| digits(call, true)).returns(at_digits),
        Signature::new(&[Kind::Timestamp], Type::Date, |call| {
            call.map::<(call::Timestamp,), call::Date>(|(micros,)| Ok(Some(day_of(micros))))
        }),
    ],
    examples: &[
        ("trunc(-42.8)", "-42"),
        ("trunc(42.4382, 2)", "42.43"),
        ("trunc(155, -1)", "150"),
        ("trunc(timestamp '2026-01-31 15:04')", "2026-01-31"),
    ],
};

const CEIL: Function = Function {
    name: "ceil",
    aliases: &["ceiling"],
    doc: "The nearest whole number that is not smaller",
    signatures: &[
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(value.ceil())))
        }),
        Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| {
                if value.special().is_some() {
                    return special(value, call.ty);
                }
                let step = decimal::ten(value.scale);
                let up = i128::from(value.unscaled.rem_euclid(step) != 0);
                Ok(Some(Decimal { unscaled: value.unscaled.div_euclid(step) + up, scale: 0 }))
            })
        })
        .returns(whole),
    ],
    examples: &[("ceil(-42.8)", "-42"), ("ceiling(42.1)", "43")],
};

const FLOOR: Function = Function {
    name: "floor",
    aliases: &[],
    doc: "The nearest whole number that is not larger",
    signatures: &[
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(value.floor())))
        }),
        Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| {
                if value.special().is_some() {
                    return special(value, call.ty);
                }
                Ok(Some(Decimal { unscaled: value.unscaled.div_euclid(decimal::ten(value.scale)), scale: 0 }))
            })
        })
        .returns(whole),
    ],
    examples: &[("floor(-42.8)", "-43"), ("floor(42.8)", "42")],
};

fn digits(call: &Call<'_>, cut: bool) -> Column {
    all_digits(call, cut).unwrap_or_else(|| each_digits(call, cut))
}

/// The usual case: every number has the same scale, and loses the same digits after the point, so that none becomes too large.
fn all_digits(call: &Call<'_>, cut: bool) -> Option<Column> {
    let [values, digits] = call.arguments else { unreachable!("a number and its digits") };
    let decimal::Reader::Fixed { unscaled, scale, .. } = decimal::Reader::new(values) else { return None };
    // A type with a scale is that of constant digits.
    let Type::Decimal { scale: left, .. } = call.ty else { return None };
    let digits = digits.values.as_primitive::<Int32Type>().values().first();
    if values.constant || digits != Some(&left.into()) {
        return None;
    }
    let step = decimal::ten(scale.checked_sub(left).filter(|&drop| drop > 0)?);
    let kept = |&value: &i128| if cut { value / step } else { decimal::rounded_quotient(value, step) };
    let kept: Vec<i128> = unscaled.iter().map(kept).collect();
    let kept = Decimal128Array::new(kept.into(), values.values.nulls().cloned()).with_data_type(call.ty.arrow());
    Some(Column::new(Arc::new(kept)))
}

fn each_digits(call: &Call<'_>, cut: bool) -> Column {
    call.map::<(call::Numeric, call::Integer), call::Numeric>(|(value, digits)| rounded(value, digits, cut, call.ty))
}

/// The number with fewer digits.
fn rounded(value: Decimal, digits: i32, cut: bool, ty: Type) -> Result<Option<Decimal>, Fault> {
    match value.special() {
        Some(_) => special(value, ty),
        None => decimal::round(value, digits, cut).map(Some),
    }
}

/// `NaN` or an infinity, which stays what it is where the type has room for it.
fn special(value: Decimal, ty: Type) -> Result<Option<Decimal>, Fault> {
    if ty == Type::Numeric { Ok(Some(value)) } else { Err(decimal::not_finite(value)) }
}

/// The type of a number without its digits after the point.
fn whole(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    Ok(rounded_type(arguments.first(), 0))
}

/// The type of a number with a constant number of digits after the point, or one that differs by row.
fn at_digits(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    let digits = arguments.get(1).and_then(|argument| argument.constant).filter(|array| array.is_valid(0));
    let Some(digits) = digits.map(|array| array.as_primitive::<Int32Type>().value(0)) else {
        return Ok(Type::Numeric);
    };
    match u8::try_from(digits.max(0)) {
        Ok(scale) if scale <= DECIMAL_PRECISION_MAX => Ok(rounded_type(arguments.first(), scale)),
        _ => Err(format!("{digits} digits after the point are more than 38").into()),
    }
}

fn rounded_type(number: Option<&Argument<'_>>, scale: u8) -> Type {
    if number.is_some_and(Argument::is_special) {
        return Type::Numeric;
    }
    let before = match number.map(|argument| argument.ty) {
        Some(Type::Decimal { precision, scale }) => precision - scale,
        _ => DECIMAL_PRECISION_MAX,
    };
    // Rounding up may add a digit.
    Type::Decimal { precision: (before + 1).saturating_add(scale).min(DECIMAL_PRECISION_MAX), scale }
}
