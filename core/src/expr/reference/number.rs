//! Numbers of the reference: exact decimals on big integers, and arithmetic that checks the range only of its result.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_bigint::Sign;

use super::Answer;
use super::Stop;
use super::Value;
use crate::diagnostic::Code;
use crate::expr::tree::Binary;
use crate::types::Type;
use crate::value::Decimal;
use crate::value::float;

/// A decimal of any size: `unscaled / 10^scale`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exact {
    unscaled: BigInt,
    scale: u32,
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        Self { unscaled: value.unscaled.into(), scale: value.scale.into() }
    }
}

fn ten(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

impl Exact {
    pub(super) fn whole(value: i128) -> Self {
        Self { unscaled: value.into(), scale: 0 }
    }

    pub(super) fn sign(&self) -> i128 {
        match self.unscaled.sign() {
            Sign::Minus => -1,
            Sign::NoSign => 0,
            Sign::Plus => 1,
        }
    }

    pub(super) fn abs(&self) -> Self {
        Self { unscaled: self.unscaled.magnitude().clone().into(), scale: self.scale }
    }

    /// The number at a scale that is not smaller.
    fn widened(&self, scale: u32) -> BigInt {
        &self.unscaled * ten(scale - self.scale)
    }

    pub(super) fn order(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.widened(scale).cmp(&other.widened(scale))
    }

    /// The number with all digits of its scale.
    pub(super) fn print(&self) -> String {
        let digits = format!("{:0>width$}", self.unscaled.magnitude().to_string(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let point = if fraction.is_empty() { "" } else { "." };
        let sign = if self.unscaled.sign() == Sign::Minus { "-" } else { "" };
        format!("{sign}{whole}{point}{fraction}")
    }

    /// The number as a value, if a decimal has room for it.
    pub(super) fn bounded(self) -> Answer {
        match self.unscaled.magnitude().to_string().len() <= 38 && self.scale <= 38 {
            true => Ok(Value::Exact(self)),
            false => Err(Stop::Fault(Code::OutOfRange)),
        }
    }

    /// At so many digits after the point, or before it where `digits` is negative.
    pub(super) fn rounded(&self, digits: i64, how: Rounding) -> Self {
        let drop = i64::from(self.scale) - digits;
        let Ok(scale) = u32::try_from(digits.max(0)) else { panic!("{digits} digits") };
        if drop <= 0 {
            return Self { unscaled: self.widened(scale), scale };
        }
        // Beyond a hundred digits nothing is left anyway.
        let unit = ten(u32::try_from(drop.min(100)).unwrap_or(100));
        let (mut kept, rest) = (&self.unscaled / &unit, &self.unscaled % &unit);
        let away = match how {
            Rounding::HalfAway => BigInt::from(rest.magnitude().clone()) * 2 >= unit,
            Rounding::Cut => false,
            Rounding::Up => rest.sign() == Sign::Plus,
            Rounding::Down => rest.sign() == Sign::Minus,
        };
        if away {
            kept += self.sign();
        }
        let zeros = u32::try_from((-digits).clamp(0, 100)).unwrap_or(0);
        Self { unscaled: kept * ten(zeros), scale }
    }

    fn to_whole(&self) -> Option<i128> {
        i128::try_from(self.rounded(0, Rounding::HalfAway).unscaled).ok()
    }

    /// PostgreSQL stores numbers in groups of four digits: where the first that is not zero stands, and the group.
    fn leading_group(&self) -> (i64, i64) {
        if self.sign() == 0 {
            return (0, 0);
        }
        let printed = self.abs().print();
        let (whole, fraction) = printed.split_once('.').unwrap_or((&printed, ""));
        let whole = format!("{:0>width$}", whole, width = whole.len().div_ceil(4) * 4);
        let fraction = format!("{:0<width$}", fraction, width = fraction.len().div_ceil(4) * 4);
        let top = i64::try_from(whole.len() / 4).unwrap_or(0) - 1;
        let groups = format!("{whole}{fraction}").into_bytes();
        let groups = groups.chunks(4).map(|group| str::from_utf8(group).unwrap_or("").parse::<i64>().unwrap_or(0));
        let mut groups = (0..).map(|at| top - at).zip(groups);
        groups.find(|(_, group)| *group != 0).unwrap_or((0, 0))
    }

    /// The scale of a quotient.
    fn quotient_scale(&self, divisor: &Self) -> u32 {
        let ((left, left_group), (right, right_group)) = (self.leading_group(), divisor.leading_group());
        let weight = left - right - i64::from(left_group <= right_group);
        let wanted = u32::try_from((16 - weight * 4).max(0)).unwrap_or(0);
        wanted.max(self.scale).max(divisor.scale)
    }
}

/// What becomes of the digits that go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rounding {
    HalfAway,
    Cut,
    Up,
    Down,
}

fn out_of_range<T>() -> Result<T, Stop> {
    Err(Stop::Fault(Code::OutOfRange))
}

/// A whole number, if the type has room for it.
pub(super) fn fit(value: i128, ty: Type) -> Answer {
    let bits = match ty {
        Type::Smallint => 15,
        Type::Integer => 31,
        _ => 63,
    };
    let limit = 1_i128 << bits;
    if (-limit..limit).contains(&value) { Ok(Value::Whole(value)) } else { out_of_range() }
}

/// An operator between two values that are not NULL.
pub(super) fn arithmetic(operator: Binary, left: &Value, right: &Value, ty: Type) -> Answer {
    let by_zero = Err(Stop::Fault(Code::DivisionByZero));
    match (left, right) {
        // A sign before a decimal is a subtraction from zero.
        (Value::Whole(_), Value::Exact(b)) => arithmetic(operator, &Value::Exact(exact_zero(b)), right, ty),
        (Value::Moment(day), Value::Whole(days)) => {
            let day = match operator {
                Binary::Add => i128::from(*day) + days,
                _ => i128::from(*day) - days,
            };
            // 4713 BC to 294276 AD.
            let known = i64::try_from(day).ok().filter(|day| (-2_440_588..=106_751_982).contains(day));
            known.map(Value::Moment).ok_or(Stop::Fault(Code::DatetimeOutOfRange))
        }
        (Value::Moment(left), Value::Moment(right)) if ty == Type::Integer => Ok(Value::Whole((left - right).into())),
        (Value::Whole(a), Value::Whole(b)) => {
            let value = match operator {
                Binary::Add => a + b,
                Binary::Subtract => a - b,
                Binary::Multiply => a * b,
                Binary::Divide | Binary::Modulo if *b == 0 => return by_zero,
                Binary::Divide => a / b,
                Binary::Modulo => a % b,
                _ => return super::unknown(operator.text()),
            };
            fit(value, ty)
        }
        (Value::Exact(a), Value::Exact(b)) => {
            let scale = a.scale.max(b.scale);
            let (wide_a, wide_b) = (a.widened(scale), b.widened(scale));
            let value = match operator {
                Binary::Add => Exact { unscaled: wide_a + wide_b, scale },
                Binary::Subtract => Exact { unscaled: wide_a - wide_b, scale },
                Binary::Multiply => Exact { unscaled: &a.unscaled * &b.unscaled, scale: a.scale + b.scale },
                Binary::Divide | Binary::Modulo if b.sign() == 0 => return by_zero,
                Binary::Modulo => Exact { unscaled: wide_a % wide_b, scale },
                Binary::Divide => {
                    let scale = a.quotient_scale(b);
                    if scale > 38 {
                        return out_of_range();
                    }
                    // Twice the quotient, cut, tells on which side of the half it lies.
                    let twice: BigInt =
                        a.unscaled.clone() * ten(scale + b.scale) * 2 / (b.unscaled.clone() * ten(a.scale));
                    let sign = if twice.sign() == Sign::Minus { -1 } else { 1 };
                    Exact { unscaled: (twice + sign) / 2, scale }
                }
                _ => return super::unknown(operator.text()),
            };
            value.bounded()
        }
        (Value::Real(a), Value::Real(b)) => {
            // A double has room for every sum and product of reals, and rounds its quotients as one of them does.
            let value = float_arithmetic(operator, f64::from(*a), f64::from(*b))?;
            narrow(value, a.is_infinite() || b.is_infinite() || value.is_nan(), value == 0.0)
        }
        (Value::Double(a), Value::Double(b)) => float_arithmetic(operator, *a, *b).map(Value::Double),
        _ => super::unknown(&format!("{left:?} {} {right:?}", operator.text())),
    }
}

fn exact_zero(like: &Exact) -> Exact {
    Exact { unscaled: 0.into(), scale: like.scale }
}

fn float_arithmetic(operator: Binary, a: f64, b: f64) -> Result<f64, Stop> {
    let value = match operator {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide if b == 0.0 && !a.is_nan() => return Err(Stop::Fault(Code::DivisionByZero)),
        Binary::Divide => a / b,
        _ => return Err(Stop::Unknown(operator.text().to_owned())),
    };
    let overflow = value.is_infinite() && a.is_finite() && b.is_finite();
    let underflow = value == 0.0
        && match operator {
            Binary::Multiply => a != 0.0 && b != 0.0,
            Binary::Divide => a != 0.0 && b.is_finite(),
            _ => false,
        };
    if overflow || underflow { out_of_range() } else { Ok(value) }
}

/// A double as a real; it may become infinite or zero only if it was.
#[expect(clippy::cast_possible_truncation, reason = "the nearest real is meant")]
fn narrow(value: f64, may_be_infinite: bool, may_be_zero: bool) -> Answer {
    let real = value as f32;
    let lost = real.is_infinite() && !may_be_infinite || real == 0.0 && !may_be_zero;
    if lost { out_of_range() } else { Ok(Value::Real(real)) }
}

/// A number as a number of another type.
#[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
pub(super) fn cast(value: &Value, to: Type) -> Answer {
    match (value, to) {
        (Value::Whole(value), to) if to.is_integer() => fit(*value, to),
        (Value::Whole(value), Type::Double) => Ok(Value::Double(*value as f64)),
        (Value::Whole(value), Type::Real) => Ok(Value::Real(*value as f32)),
        (Value::Whole(value), to) => put(&Exact::whole(*value), to),
        (Value::Exact(value), to) if to.is_integer() => {
            value.to_whole().map_or_else(out_of_range, |value| fit(value, to))
        }
        (Value::Exact(value), Type::Double) => {
            value.print().parse().map(Value::Double).map_err(|_| Stop::Unknown("a decimal as a double".to_owned()))
        }
        (Value::Exact(value), Type::Real) => {
            let real = float::parse_real(value.print().as_bytes());
            real.map(Value::Real).map_err(|fault| Stop::Fault(fault.code))
        }
        (Value::Exact(value), to) => put(value, to),
        (Value::Real(value), to) if to.is_integer() => whole(f64::from(*value), to),
        (Value::Double(value), to) if to.is_integer() => whole(*value, to),
        (Value::Real(value), Type::Real) => Ok(Value::Real(*value)),
        (Value::Real(value), Type::Double) => Ok(Value::Double((*value).into())),
        (Value::Double(value), Type::Double) => Ok(Value::Double(*value)),
        (Value::Double(value), Type::Real) => narrow(*value, value.is_infinite() || value.is_nan(), *value == 0.0),
        (Value::Real(value), to) => digits(f64::from(*value), &format!("{value:.5e}"), to),
        (Value::Double(value), to) => digits(*value, &format!("{value:.14e}"), to),
        _ => super::unknown("a cast of a number"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "what does not fit is out of range for every type")]
fn whole(value: f64, to: Type) -> Answer {
    if value.is_nan() { out_of_range() } else { fit(value.round_ties_even() as i128, to) }
}

/// A floating-point number by the digits that are certain: `d.ddde±x`.
fn digits(value: f64, text: &str, to: Type) -> Answer {
    if !value.is_finite() {
        return super::unknown("an exact number without digits");
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let unscaled: BigInt = format!("{whole}{fraction}").parse().unwrap_or_default();
    let scale = i64::try_from(fraction.len()).unwrap_or(0) - exponent.parse::<i64>().unwrap_or(0);
    let value = match u32::try_from(scale) {
        Ok(scale) => Exact { unscaled, scale },
        Err(_) => Exact { unscaled: unscaled * ten(u32::try_from(-scale).unwrap_or(0)), scale: 0 },
    };
    match to {
        Type::Decimal { .. } => put(&value, to),
        _ => value.bounded(),
    }
}

/// A decimal as one of a type.
fn put(value: &Exact, to: Type) -> Answer {
    match to {
        Type::Decimal { precision, scale } => {
            let value = value.rounded(scale.into(), Rounding::HalfAway);
            let fits = value.unscaled.magnitude().to_string().len() <= usize::from(precision) || value.sign() == 0;
            if fits { Ok(Value::Exact(value)) } else { out_of_range() }
        }
        _ => Ok(Value::Exact(value.clone())),
    }
}
