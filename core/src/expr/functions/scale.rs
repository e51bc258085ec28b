//! `scale`, `min_scale`, `trim_scale`: the digits after the point of an exact number.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;
use crate::value::Decimal;

pub(super) const FUNCTIONS: &[Function] = &[SCALE, MIN_SCALE, TRIM_SCALE];

const SCALE: Function = Function {
    name: "scale",
    aliases: &[],
    doc: "How many digits a number has after the point",
    signatures: &[Signature::new(&[Kind::Numeric], Type::Integer, |call| {
        call.map::<(call::Numeric,), call::Integer>(|(value,)| Ok(digits(value, value)))
    })
    .nullable()],
    examples: &[("scale(8.4100)", "4"), ("scale('NaN'::numeric)", "NULL")],
};

const MIN_SCALE: Function = Function {
    name: "min_scale",
    aliases: &[],
    doc: "How many digits after the point a number needs",
    signatures: &[Signature::new(&[Kind::Numeric], Type::Integer, |call| {
        call.map::<(call::Numeric,), call::Integer>(|(value,)| Ok(digits(value, trimmed(value))))
    })
    .nullable()],
    examples: &[("min_scale(8.4100)", "2"), ("min_scale(100)", "0")],
};

const TRIM_SCALE: Function = Function {
    name: "trim_scale",
    aliases: &[],
    doc: "The number without the zeros at the end of its digits after the point",
    signatures: &[Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
        call.map::<(call::Numeric,), call::Numeric>(|(value,)| Ok(Some(trimmed(value))))
    })],
    examples: &[("trim_scale(8.4100)", "8.41"), ("trim_scale(0.00)", "0")],
};

/// The scale of a number made from a value; what is no number has none.
fn digits(value: Decimal, number: Decimal) -> Option<i32> {
    value.special().is_none().then(|| number.scale.into())
}

fn trimmed(value: Decimal) -> Decimal {
    if value.special().is_some() {
        return value;
    }
    let Decimal { mut unscaled, mut scale } = value;
    while scale > 0 && unscaled % 10 == 0 {
        (unscaled, scale) = (unscaled / 10, scale - 1);
    }
    Decimal { unscaled, scale }
}
