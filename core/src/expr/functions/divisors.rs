//! `gcd`, `lcm`, `div`, `factorial`: divisors, multiples, quotients and factorials.

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

pub(super) const FUNCTIONS: &[Function] = &[GCD, LCM, DIV, FACTORIAL];

/// A constant divisor.
const NOT_ZERO: Constant =
    Constant::Numeric(|divisor| if divisor.unscaled == 0 { Err(decimal::by_zero()) } else { Ok(()) });

/// Signatures for two whole numbers or two decimals.
macro_rules! pairs {
    ($function:expr, $decimals:expr) => {
        &[
            Signature::new(&[Kind::Integer, Kind::Integer], Type::Integer, |call| {
                call.map::<(call::Integer, call::Integer), call::Integer>(|(left, right)| {
                    let found = $function(left.into(), right.into()).and_then(|found| i32::try_from(found).ok());
                    found.map(Some).ok_or_else(|| out_of_range("integer"))
                })
            }),
            Signature::new(&[Kind::Bigint, Kind::Bigint], Type::Bigint, |call| {
                call.map::<(call::Bigint, call::Bigint), call::Bigint>(|(left, right)| {
                    let found = $function(left.into(), right.into()).and_then(|found| i64::try_from(found).ok());
                    found.map(Some).ok_or_else(|| out_of_range("bigint"))
                })
            }),
            Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, |call| {
                call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(left, right)| {
                    $decimals(left, right).map(Some)
                })
            }),
        ]
    };
}

const GCD: Function = Function {
    name: "gcd",
    aliases: &[],
    doc: "The greatest number that divides both",
    signatures: pairs!(greatest_divisor, |left, right| common(left, right, greatest_divisor)),
    examples: &[
        ("gcd(1071, 462)", "21"),
        ("gcd(0, 0)", "0"),
        ("gcd(330.3, 462)", "0.3"),
        ("gcd((-2147483648)::integer, 0)", "R302"),
    ],
};

const LCM: Function = Function {
    name: "lcm",
    aliases: &[],
    doc: "The smallest number above zero that both divide; 0 where one of them is 0",
    signatures: pairs!(least_multiple, |left, right| common(left, right, least_multiple)),
    examples: &[
        ("lcm(1071, 462)", "23562"),
        ("lcm(0, 5)", "0"),
        ("lcm(330.3, 462)", "508662.0"),
        ("lcm(2147483647, 2147483646)", "R302"),
    ],
};

const DIV: Function = Function {
    name: "div",
    aliases: &[],
    doc: "The quotient without the digits after the point",
    signatures: &[Signature::new(&[Kind::Numeric, Kind::Numeric], Type::Numeric, |call| {
        call.map::<(call::Numeric, call::Numeric), call::Numeric>(|(left, right)| {
            decimal::whole_quotient(left, right).map(Some)
        })
    })
    .constants(&[(1, NOT_ZERO)])],
    examples: &[("div(9, 4)", "2"), ("div(-7.5, 2)", "-3"), ("div(1, 0.0)", "R305")],
};

const FACTORIAL: Function = Function {
    name: "factorial",
    aliases: &[],
    doc: "The product of the whole numbers up to this one",
    signatures: &[Signature::new(&[Kind::Bigint], Type::Decimal { precision: 38, scale: 0 }, |call| {
        call.map::<(call::Bigint,), call::Numeric>(|(number,)| {
            if number < 0 {
                return Err(Fault::new(Code::OutOfRange, "factorial of a negative number is undefined"));
            }
            let product = (1..=number.min(40)).try_fold(1_i128, |product, factor| product.checked_mul(factor.into()));
            decimal::bounded(product, 0).map(Some)
        })
    })],
    examples: &[("factorial(5)", "120"), ("factorial(0)", "1"), ("factorial(-4)", "R302"), ("factorial(40)", "R302")],
};

fn greatest_divisor(left: i128, right: i128) -> Option<i128> {
    let (mut left, mut right) = (left.unsigned_abs(), right.unsigned_abs());
    while right != 0 {
        (left, right) = (right, left % right);
    }
    i128::try_from(left).ok()
}

fn least_multiple(left: i128, right: i128) -> Option<i128> {
    if left == 0 || right == 0 {
        return Some(0);
    }
    (left / greatest_divisor(left, right)?).checked_abs()?.checked_mul(right.checked_abs()?)
}

/// A whole-number function of two decimals at one scale.
fn common(left: Decimal, right: Decimal, function: fn(i128, i128) -> Option<i128>) -> Result<Decimal, Fault> {
    if left.special().is_some() || right.special().is_some() {
        return Ok(Decimal::NAN);
    }
    let scale = left.scale.max(right.scale);
    let widen = |value: Decimal| value.unscaled.checked_mul(decimal::ten(scale - value.scale));
    let found = widen(left).zip(widen(right)).and_then(|(left, right)| function(left, right));
    decimal::bounded(found, scale)
}

fn out_of_range(name: &str) -> Fault {
    Fault::new(Code::OutOfRange, format!("{name} out of range"))
}
