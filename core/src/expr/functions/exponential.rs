//! `power`, `exp`, `ln`, `log`, `sqrt`, `cbrt`: exact numbers with PostgreSQL's digits, others in floating point.

use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::powers;
use crate::types::Type;
use crate::value::Decimal;

pub(super) const FUNCTIONS: &[Function] = &[POWER, EXP, LN, LOG, SQRT, ROOT, CBRT];

/// A signature for one floating-point number.
macro_rules! double {
    ($function:expr) => {
        Signature::new(&[Kind::Double], Type::Double, |call| {
            call.map::<(call::Double,), call::Double>(|(value,)| $function(value).map(Some))
        })
    };
}

/// A signature for one exact number.
macro_rules! numeric {
    ($function:expr) => {
        Signature::new(&[Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric,), call::Numeric>(|(value,)| $function(value).map(Some))
        })
    };
}

const POWER: Function = Function {
    name: "power",
    aliases: &["pow"],
    doc: "A number raised to a power; also `a ^ b`",
    signatures: &[
        Signature::new(&[Kind::Double, Kind::Double], Type::Double, |call| {
            call.map::<(call::Double, call::Double), call::Double>(|(base, exponent)| power(base, exponent).map(Some))
        }),
        Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(base, exponent)| {
                powers::power(base, exponent).map(Some)
            })
        }),
    ],
    examples: &[
        ("power(9, 3)", "729"),
        ("2 ^ 10", "1024"),
        ("-2 ^ 2", "4"),
        ("power(2.5, 4)", "39.0625000000000000"),
        ("power(2.5, 4.2)", "46.918923202399658"),
        ("2.0 ^ -5", "0.0312500000000000"),
        ("power(0, -1)", "R318"),
        ("power(-8.0, 0.5)", "R318"),
    ],
};

const EXP: Function = Function {
    name: "exp",
    aliases: &["dexp"],
    doc: "e raised to a power",
    signatures: &[double!(exp), numeric!(powers::exp)],
    examples: &[("exp(1)", "2.718281828459045"), ("exp(1.0)", "2.7182818284590452"), ("exp(1000)", "R302")],
};

const LN: Function = Function {
    name: "ln",
    aliases: &["dlog1"],
    doc: "The natural logarithm",
    signatures: &[double!(|value| logarithm(value, f64::ln)), numeric!(powers::ln)],
    examples: &[("ln(2.0)", "0.6931471805599453"), ("ln(2)", "0.6931471805599453"), ("ln(0)", "R321")],
};

const LOG: Function = Function {
    name: "log",
    aliases: &["log10", "dlog10"],
    doc: "The logarithm to base 10, or to the base that comes first",
    signatures: &[
        double!(|value| logarithm(value, f64::log10)),
        numeric!(|value| powers::log(Decimal { unscaled: 10, scale: 0 }, value)),
        Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, |call| {
            call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(base, value)| {
                powers::log(base, value).map(Some)
            })
        })
        .constants(&[(0, Constant::Numeric(powers::check_base))]),
    ],
    examples: &[
        ("log(100)", "2"),
        ("log(100.0)", "2.0000000000000000"),
        ("log(2, 64.0)", "6.0000000000000000"),
        ("log(-1)", "R321"),
    ],
};

const SQRT: Function = Function {
    name: "sqrt",
    aliases: &[],
    doc: "The square root",
    signatures: &[double!(sqrt), numeric!(powers::sqrt)],
    examples: &[("sqrt(2)", "1.4142135623730951"), ("sqrt(2.0)", "1.414213562373095"), ("sqrt(-1)", "R318")],
};

const ROOT: Function = Function {
    name: "|/",
    aliases: &["dsqrt"],
    doc: "The square root in floating point",
    signatures: &[double!(sqrt)],
    examples: &[("|/ 25.0", "5")],
};

const CBRT: Function = Function {
    name: "cbrt",
    aliases: &["||/", "dcbrt"],
    doc: "The cube root in floating point",
    signatures: &[double!(|value: f64| Ok(value.cbrt()))],
    examples: &[("cbrt(27)", "3"), ("||/ 64", "4")],
};

fn sqrt(value: f64) -> Result<f64, Fault> {
    match value < 0.0 {
        true => Err(Fault::new(Code::BadPower, "cannot take square root of a negative number")),
        false => Ok(value.sqrt()),
    }
}

fn exp(value: f64) -> Result<f64, Fault> {
    let result = value.exp();
    match value.is_finite() && (result.is_infinite() || result == 0.0) {
        true => Err(out_of_range(result)),
        false => Ok(result),
    }
}

fn logarithm(value: f64, function: fn(f64) -> f64) -> Result<f64, Fault> {
    if value == 0.0 {
        return Err(Fault::new(Code::BadLogarithm, "cannot take logarithm of zero"));
    }
    if value < 0.0 {
        return Err(Fault::new(Code::BadLogarithm, "cannot take logarithm of a negative number"));
    }
    Ok(function(value))
}

fn power(base: f64, exponent: f64) -> Result<f64, Fault> {
    if base == 0.0 && exponent < 0.0 {
        return Err(Fault::new(Code::BadPower, "zero raised to a negative power is undefined"));
    }
    if base < 0.0 && exponent.floor() != exponent && !exponent.is_nan() {
        let fact = "a negative number raised to a non-integer power yields a complex result";
        return Err(Fault::new(Code::BadPower, fact));
    }
    let value = base.powf(exponent);
    if base.is_finite() && exponent.is_finite() && (value.is_infinite() || value == 0.0 && base != 0.0) {
        return Err(out_of_range(value));
    }
    Ok(value)
}

fn out_of_range(value: f64) -> Fault {
    let end = if value == 0.0 { "underflow" } else { "overflow" };
    Fault::new(Code::OutOfRange, format!("value out of range: {end}"))
}
