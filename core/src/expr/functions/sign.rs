//! `abs`, `sign`, `mod`: arithmetic that is written as a function.

use super::Argument;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Decimal;

pub(super) const FUNCTIONS: &[Function] = &[ABS, SIGN, MOD];

const ABS: Function = Function {
    name: "abs",
    aliases: &["@"],
    doc: "The number without its sign",
    signatures: &[
        Signature::new(&[Kind::Smallint], Type::Smallint, |call| {
            call.map::<(call::Smallint,), call::Smallint>(|(value,)| out_of_range(value.checked_abs(), "smallint"))
        }),
        Signature::new(&[Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Integer,), call::Integer>(|(value,)| out_of_range(value.checked_abs(), "integer"))
        }),
        Signature::new(&[Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Bigint,), call::Bigint>(|(value,)| out_of_range(value.checked_abs(), "bigint"))
        }),
        Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| {
                Ok(Some(Decimal { unscaled: value.unscaled.abs(), ..value }))
            })
        })
        .returns(|arguments| Ok(arguments.first().map_or(Type::Numeric, |argument| argument.ty))),
        Signature::new(&[Kind::Real], Type::Real, |call| {
            call.map::<(call::Real,), call::Real>(|(value,)| Ok(Some(value.abs())))
        }),
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| Ok(Some(value.abs())))
        }),
    ],
    examples: &[("abs(-17.40)", "17.40"), ("abs(-5)", "5"), ("abs((-32768)::smallint)", "R302")],
};

const SIGN: Function = Function {
    name: "sign",
    aliases: &[],
    doc: "-1, 0 or 1: the sign of a number",
    signatures: &[
        Signature::new(&[Kind::Numeric], Type::Decimal { precision: 1, scale: 0 }, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| match value {
                Decimal::NAN if call.ty == Type::Numeric => Ok(Some(value)),
                Decimal::NAN => Err(decimal::not_finite(value)),
                value => Ok(Some(Decimal { unscaled: value.unscaled.signum(), scale: 0 })),
            })
        })
        .returns(|arguments| match arguments.first().is_some_and(Argument::is_special) {
            true => Ok(Type::Numeric),
            false => Ok(Type::Decimal { precision: 1, scale: 0 }),
        }),
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| {
                Ok(Some(if value > 0.0 {
                    1.0
                } else if value < 0.0 {
                    -1.0
                } else {
                    0.0
                }))
            })
        }),
    ],
    examples: &[("sign(-8.4)", "-1"), ("sign(0)", "0")],
};

const MOD: Function = Function {
    name: "mod",
    aliases: &[],
    doc: "The remainder of a division, with the sign of the dividend",
    signatures: &[
        Signature::new(&[Kind::Smallint, Kind::Smallint], Type::Smallint, |call| {
            call.map::<(call::Smallint, call::Smallint), call::Smallint>(|(left, right)| match right {
                0 => Err(decimal::by_zero()),
                _ => Ok(Some(left.wrapping_rem(right))),
            })
        })
        .constants(&[(1, Constant::Smallint(|divisor| not_zero(divisor == 0)))]),
        Signature::new(&[Kind::Integer, Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Integer, call::Integer), call::Integer>(|(left, right)| match right {
                0 => Err(decimal::by_zero()),
                _ => Ok(Some(left.wrapping_rem(right))),
            })
        })
        .constants(&[(1, Constant::Integer(|divisor| not_zero(divisor == 0)))]),
        Signature::new(&[Kind::Bigint, Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Bigint, call::Bigint), call::Bigint>(|(left, right)| match right {
                0 => Err(decimal::by_zero()),
                _ => Ok(Some(left.wrapping_rem(right))),
            })
        })
        .constants(&[(1, Constant::Bigint(|divisor| not_zero(divisor == 0)))]),
        Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(left, right)| {
                decimal::remainder(left, right).map(Some)
            })
        })
        .constants(&[(1, Constant::Numeric(|divisor| not_zero(divisor.unscaled == 0)))]),
    ],
    examples: &[("mod(-9, 4)", "-1"), ("mod(9.5, 4)", "1.5"), ("mod(1, 0)", "R305")],
};

/// A divisor that is not zero.
fn not_zero(is_zero: bool) -> Result<(), Fault> {
    if is_zero { Err(decimal::by_zero()) } else { Ok(()) }
}

fn out_of_range<T>(value: Option<T>, name: &str) -> Result<Option<T>, Fault> {
    value.map(Some).ok_or_else(|| Fault::new(Code::OutOfRange, format!("{name} out of range")))
}
