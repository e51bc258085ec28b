//! `abs`, `sign`, `mod`, `power`, `sqrt`: arithmetic with a name.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::types::Type;
use crate::value::Decimal;

pub(super) const FUNCTIONS: &[Function] = &[ABS, SIGN, MOD, POWER, SQRT];

const ABS: Function = Function {
    name: "abs",
    aliases: &[],
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
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| {
                Ok(Some(Decimal { unscaled: value.unscaled.signum(), scale: 0 }))
            })
        }),
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| {
                Ok(Some(if value > 0.0 { 1.0 } else if value < 0.0 { -1.0 } else { 0.0 }))
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
        }),
        Signature::new(&[Kind::Integer, Kind::Integer], Type::Integer, |call| {
            call.map::<(call::Integer, call::Integer), call::Integer>(|(left, right)| match right {
                0 => Err(decimal::by_zero()),
                _ => Ok(Some(left.wrapping_rem(right))),
            })
        }),
        Signature::new(&[Kind::Bigint, Kind::Bigint], Type::Bigint, |call| {
            call.map::<(call::Bigint, call::Bigint), call::Bigint>(|(left, right)| match right {
                0 => Err(decimal::by_zero()),
                _ => Ok(Some(left.wrapping_rem(right))),
            })
        }),
        Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(left, right)| {
                decimal::remainder(left, right).map(Some)
            })
        }),
    ],
    examples: &[("mod(-9, 4)", "-1"), ("mod(9.5, 4)", "1.5"), ("mod(1, 0)", "R305")],
};

const POWER: Function = Function {
    name: "power",
    aliases: &["pow"],
    doc: "A number raised to a power, in floating point; also `a ^ b`",
    signatures: &[
        Signature::new(&[Kind::Double, Kind::Double], Type::Double, |call| {
            call.map::<(call::Double, call::Double), call::Double>(|(base, exponent)| power(base, exponent).map(Some))
        }),
        Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, super::nothing)
            .returns(|_| Err("a power of decimals is not supported; cast to double precision".to_owned())),
    ],
    examples: &[("power(9, 3)", "729"), ("2 ^ 10", "1024"), ("-2 ^ 2", "4"), ("power(0, -1)", "R318")],
};

const SQRT: Function = Function {
    name: "sqrt",
    aliases: &[],
    doc: "The square root, in floating point",
    signatures: &[
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| match value < 0.0 {
                true => Err(Fault::new(Code::BadPower, "cannot take square root of a negative number")),
                false => Ok(Some(value.sqrt())),
            })
        }),
        Signature::new(&[Kind::Numeric], Type::Numeric, super::nothing)
            .returns(|_| Err("a square root of a decimal is not supported; cast to double precision".to_owned())),
    ],
    examples: &[("sqrt(2)", "1.4142135623730951"), ("sqrt(-1)", "R318")],
};

fn power(base: f64, exponent: f64) -> Result<f64, Fault> {
    if base == 0.0 && exponent < 0.0 {
        return Err(Fault::new(Code::BadPower, "zero raised to a negative power is undefined"));
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        let fact = "a negative number raised to a non-integer power yields a complex result";
        return Err(Fault::new(Code::BadPower, fact));
    }
    let value = base.powf(exponent);
    if base.is_finite() && exponent.is_finite() {
        if value.is_infinite() {
            return Err(Fault::new(Code::OutOfRange, "value out of range: overflow"));
        }
        if value == 0.0 && base != 0.0 {
            return Err(Fault::new(Code::OutOfRange, "value out of range: underflow"));
        }
    }
    Ok(value)
}

fn out_of_range<T>(value: Option<T>, name: &str) -> Result<Option<T>, Fault> {
    value.map(Some).ok_or_else(|| Fault::new(Code::OutOfRange, format!("{name} out of range")))
}
