//! Decimal: arithmetic on exact numbers, digit for digit as PostgreSQL's `numeric` does it.
//!
//! A column of [`Type::Decimal`] has one scale; one of [`Type::Numeric`] has a scale in each row. A result that needs more than
//! 38 digits is a fault; intermediate results have 256 bits, so that only the digits of the result matter.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Decimal128Array;
use arrow_array::StructArray;
use arrow_array::UInt8Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::types::UInt8Type;
use arrow_buffer::NullBuffer;
use arrow_buffer::i256;
use arrow_schema::DataType;

use super::vector::Vector;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::types::Type;
use crate::value::Decimal;

/// Powers of ten, up to 10^38.
pub(in crate::expr) const TENS: [i128; 39] = {
    let mut tens = [1; 39];
    let mut at = 1;
    while at < 39 {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

/// The largest number of 38 digits.
pub(in crate::expr) const MAX: i128 = TENS[38] - 1;

/// 10 to the power of at most 38; more is as much as 38.
pub(in crate::expr) fn ten(power: u8) -> i128 {
    TENS[usize::from(power).min(38)]
}

/// Reads the rows of a column of decimals.
pub(in crate::expr) enum Reader<'a> {
    /// One scale for all rows.
    Fixed { unscaled: &'a [i128], scale: u8, mask: usize },
    /// A scale in each row.
    Varying { unscaled: &'a [i128], scales: &'a [u8], mask: usize },
}

impl<'a> Reader<'a> {
    pub(in crate::expr) fn new(vector: &'a Vector) -> Self {
        let mask = vector.mask();
        match vector.values.data_type() {
            DataType::Decimal128(_, scale) => {
                let unscaled = vector.values.as_primitive::<Decimal128Type>().values();
                Self::Fixed { unscaled, scale: scale.unsigned_abs(), mask }
            }
            _ => {
                let fields = vector.values.as_struct();
                let unscaled = fields.column(0).as_primitive::<Decimal128Type>().values();
                Self::Varying { unscaled, scales: fields.column(1).as_primitive::<UInt8Type>().values(), mask }
            }
        }
    }

    #[inline]
    pub(in crate::expr) fn value(&self, row: usize) -> Decimal {
        match *self {
            Self::Fixed { unscaled, scale, mask } => Decimal { unscaled: unscaled[row & mask], scale },
            Self::Varying { unscaled, scales, mask } => {
                Decimal { unscaled: unscaled[row & mask], scale: scales[row & mask] }
            }
        }
    }
}

/// A column of decimals. For a type with a scale every value has that scale.
pub(in crate::expr) fn array(values: &[Decimal], nulls: Option<NullBuffer>, ty: Type) -> ArrayRef {
    let unscaled = values.iter().map(|value| value.unscaled).collect::<Vec<_>>();
    match ty.arrow() {
        DataType::Struct(fields) => {
            let unscaled = Decimal128Array::new(unscaled.into(), nulls.clone())
                .with_data_type(DataType::Decimal128(DECIMAL_PRECISION_MAX, 0));
            let scales = values.iter().map(|value| value.scale).collect::<Vec<_>>();
            let scales = UInt8Array::new(scales.into(), nulls.clone());
            Arc::new(StructArray::new(fields, vec![Arc::new(unscaled), Arc::new(scales)], nulls))
        }
        ty => Arc::new(Decimal128Array::new(unscaled.into(), nulls).with_data_type(ty)),
    }
}

/// The fault of a number with too many digits.
pub(in crate::expr) fn too_large() -> Fault {
    Fault::new(Code::OutOfRange, "the number has more than 38 digits")
}

/// The fault of a division by zero.
pub(in crate::expr) fn by_zero() -> Fault {
    Fault::new(Code::DivisionByZero, "division by zero")
}

/// The number, if it has at most 38 digits.
pub(in crate::expr) fn bounded(unscaled: Option<i128>, scale: u8) -> Result<Decimal, Fault> {
    match unscaled {
        Some(unscaled) if (-MAX..=MAX).contains(&unscaled) => Ok(Decimal { unscaled, scale }),
        _ => Err(too_large()),
    }
}

/// What an operation gives where an operand is `NaN` or infinite: what it gives in floating point, where only the sign of a
/// number matters.
fn special(left: Decimal, right: Decimal, operation: impl Fn(f64, f64) -> f64) -> Option<Decimal> {
    if left.special().is_none() && right.special().is_none() {
        return None;
    }
    Some(Decimal::of_special(operation(stand_in(left), stand_in(right))))
}

/// `NaN`, an infinity, or for a number the 1 or 0 of its sign.
fn stand_in(value: Decimal) -> f64 {
    value.special().unwrap_or(match value.unscaled {
        0 => 0.0,
        1.. => 1.0,
        _ => -1.0,
    })
}

/// The fault of what has no digits where digits are wanted.
pub(in crate::expr) fn not_finite(value: Decimal) -> Fault {
    Fault::new(Code::BeyondDecimal, format!("{} is no number that a decimal can hold", value.print()))
}

/// Both unscaled values at the larger scale, in 256 bits: 38 digits and up to 38 zeros always fit.
fn aligned(left: Decimal, right: Decimal) -> (i256, i256, u8) {
    let scale = left.scale.max(right.scale);
    let widen =
        |value: Decimal| i256::from_i128(value.unscaled).wrapping_mul(i256::from_i128(ten(scale - value.scale)));
    (widen(left), widen(right), scale)
}

pub(in crate::expr) fn compare(left: Decimal, right: Decimal) -> Ordering {
    if left.scale == right.scale {
        return left.unscaled.cmp(&right.unscaled);
    }
    match (left.special(), right.special()) {
        (Some(left), _) if left < 0.0 => return Ordering::Less,
        (Some(_), _) => return Ordering::Greater,
        (_, Some(right)) if right < 0.0 => return Ordering::Greater,
        (_, Some(_)) => return Ordering::Less,
        (None, None) => {}
    }
    let scale = left.scale.max(right.scale);
    let widen = |value: Decimal| value.unscaled.checked_mul(ten(scale - value.scale));
    match (widen(left), widen(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => {
            let (left, right, _) = aligned(left, right);
            left.cmp(&right)
        }
    }
}

pub(in crate::expr) fn add(left: Decimal, right: Decimal) -> Result<Decimal, Fault> {
    if let Some(sum) = special(left, right, |left, right| left + right) {
        return Ok(sum);
    }
    let (left, right, scale) = aligned(left, right);
    bounded(left.wrapping_add(right).to_i128(), scale)
}

pub(in crate::expr) fn negate(value: Decimal) -> Decimal {
    if value == Decimal::NAN { value } else { Decimal { unscaled: -value.unscaled, ..value } }
}

pub(in crate::expr) fn multiply(left: Decimal, right: Decimal) -> Result<Decimal, Fault> {
    if let Some(product) = special(left, right, |left, right| left * right) {
        return Ok(product);
    }
    let scale = left.scale + right.scale;
    if scale > DECIMAL_PRECISION_MAX {
        return Err(too_large());
    }
    bounded(left.unscaled.checked_mul(right.unscaled), scale)
}

/// The remainder of truncated division: the sign is that of `left`.
pub(in crate::expr) fn remainder(left: Decimal, right: Decimal) -> Result<Decimal, Fault> {
    if left == Decimal::NAN || right == Decimal::NAN {
        return Ok(Decimal::NAN);
    }
    if right.unscaled == 0 {
        return Err(by_zero());
    }
    match (left.special(), right.special()) {
        (Some(_), _) => return Ok(Decimal::NAN),
        (None, Some(_)) => return Ok(left),
        (None, None) => {}
    }
    if left.scale == right.scale {
        return Ok(Decimal { unscaled: left.unscaled % right.unscaled, scale: left.scale });
    }
    let (left, right, scale) = aligned(left, right);
    bounded(left.checked_rem(right).and_then(i256::to_i128), scale)
}

/// The quotient, at the scale that PostgreSQL's `select_div_scale` gives it: at least 16 significant digits, counted in
/// groups of four, and at least the scale of either operand.
pub(in crate::expr) fn divide(left: Decimal, right: Decimal) -> Result<Decimal, Fault> {
    if let Some(quotient) = special_quotient(left, right) {
        return quotient;
    }
    if right.unscaled == 0 {
        return Err(by_zero());
    }
    let (left_weight, left_first) = leading_group(left);
    let (right_weight, right_first) = leading_group(right);
    let mut weight = left_weight - right_weight;
    if left_first <= right_first {
        weight -= 1;
    }
    let scale = (16 - weight * 4).max(i32::from(left.scale)).max(i32::from(right.scale)).max(0);
    let Ok(scale) = u8::try_from(scale) else { return Err(too_large()) };
    if scale > DECIMAL_PRECISION_MAX {
        return Err(too_large());
    }
    quotient(left, right, scale)
}

/// A quotient of which an operand is `NaN` or infinite.
fn special_quotient(left: Decimal, right: Decimal) -> Option<Result<Decimal, Fault>> {
    let quotient = special(left, right, |left, right| left / right)?;
    Some(if right.unscaled == 0 && left != Decimal::NAN { Err(by_zero()) } else { Ok(quotient) })
}

/// `left / right` at `scale`, rounded half away from zero; `right` is not zero.
fn quotient(left: Decimal, right: Decimal, scale: u8) -> Result<Decimal, Fault> {
    let power = i32::from(scale) - i32::from(left.scale) + i32::from(right.scale);
    let grow = u8::try_from(power.unsigned_abs()).unwrap_or(u8::MAX);
    if power >= 0
        && grow <= 38
        && let Some(dividend) = left.unscaled.checked_mul(ten(grow))
    {
        return bounded(Some(rounded_quotient(dividend, right.unscaled)), scale);
    }
    let (mut dividend, mut divisor) = (i256::from_i128(left.unscaled), i256::from_i128(right.unscaled));
    let scaled = if power >= 0 { &mut dividend } else { &mut divisor };
    for part in [grow.min(38), grow.saturating_sub(38)] {
        *scaled = scaled.checked_mul(i256::from_i128(ten(part))).ok_or_else(too_large)?;
    }
    let (Some(whole), Some(rest)) = (dividend.checked_div(divisor), dividend.checked_rem(divisor)) else {
        return Err(too_large());
    };
    let twice = rest.wrapping_abs().checked_mul(i256::from_i128(2));
    let away = twice.is_none_or(|twice| twice >= divisor.wrapping_abs());
    let negative = (left.unscaled < 0) != (right.unscaled < 0);
    let step = match (away, negative) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => -1,
    };
    bounded(whole.wrapping_add(i256::from_i128(step)).to_i128(), scale)
}

/// The quotient without its digits after the point.
pub(in crate::expr) fn whole_quotient(left: Decimal, right: Decimal) -> Result<Decimal, Fault> {
    if let Some(quotient) = special_quotient(left, right) {
        return quotient;
    }
    if right.unscaled == 0 {
        return Err(by_zero());
    }
    let (left, right, _) = aligned(left, right);
    bounded(left.checked_div(right).and_then(i256::to_i128), 0)
}

/// Division of whole numbers, rounded half away from zero. The divisor is not zero.
pub(in crate::expr) fn rounded_quotient(dividend: i128, divisor: i128) -> i128 {
    let (whole, rest) = match (i64::try_from(dividend), i64::try_from(divisor)) {
        (Ok(dividend), Ok(divisor)) if divisor != -1 => {
            (i128::from(dividend / divisor), i128::from(dividend % divisor))
        }
        _ => (dividend.wrapping_div(divisor), dividend.wrapping_rem(divisor)),
    };
    let (rest, half) = (rest.unsigned_abs(), divisor.unsigned_abs());
    if rest >= half - rest { whole + if (dividend < 0) == (divisor < 0) { 1 } else { -1 } } else { whole }
}

/// Where the first group of four digits that is not zero stands, counted from the point, and the group: how PostgreSQL
/// stores numbers, in base 10,000. Zero has weight 0 and group 0.
pub(in crate::expr) fn leading_group(value: Decimal) -> (i32, i128) {
    if value.unscaled == 0 {
        return (0, 0);
    }
    let magnitude = value.unscaled.unsigned_abs();
    #[expect(clippy::cast_possible_wrap, reason = "an i128 has at most 39 digits")]
    let digits = magnitude.ilog10() as i32 + 1;
    // The decimal exponent of the leading digit, and of the lowest digit of its group.
    let leading = digits - 1 - i32::from(value.scale);
    let weight = leading.div_euclid(4);
    let lowest = weight * 4 + i32::from(value.scale);
    let group = match u8::try_from(lowest) {
        Ok(drop) => magnitude / ten(drop).unsigned_abs(),
        Err(_) => magnitude * ten(u8::try_from(-lowest).unwrap_or(0)).unsigned_abs(),
    };
    (weight, i128::try_from(group).unwrap_or(i128::MAX))
}

/// The number at `digits` after the point, which may be negative; cut, or rounded half away from zero. The scale of the
/// result is `digits`, or 0 where that is negative.
pub(in crate::expr) fn round(value: Decimal, digits: i32, cut: bool) -> Result<Decimal, Fault> {
    if value.special().is_some() {
        return Ok(value);
    }
    let scale = u8::try_from(digits.max(0)).map_err(|_| too_large())?;
    if scale > DECIMAL_PRECISION_MAX {
        return Err(too_large());
    }
    let drop = i64::from(value.scale) - i64::from(digits);
    if drop <= 0 {
        return bounded(value.unscaled.checked_mul(ten(scale - value.scale)), scale);
    }
    let Some(step) = u8::try_from(drop).ok().filter(|drop| *drop <= 38).map(ten) else {
        return Ok(Decimal { unscaled: 0, scale });
    };
    let kept = if cut { value.unscaled / step } else { rounded_quotient(value.unscaled, step) };
    let unscaled = match digits < 0 {
        true => kept.checked_mul(ten(u8::try_from(digits.unsigned_abs()).unwrap_or(u8::MAX))),
        false => Some(kept),
    };
    bounded(unscaled, scale)
}

/// The nearest double.
pub(in crate::expr) fn to_double(value: Decimal) -> f64 {
    if let Some(special) = value.special() {
        return special;
    }
    // Both operands are exact, so that the one rounding is the right one.
    if value.unscaled.unsigned_abs() < 1 << 53 && value.scale <= 22 {
        #[expect(clippy::cast_precision_loss, reason = "checked to be exact")]
        let (unscaled, ten) = (value.unscaled as f64, ten(value.scale) as f64);
        return unscaled / ten;
    }
    value.print().parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let unscaled = format!("{whole}{fraction}").parse().unwrap();
        Decimal { unscaled, scale: u8::try_from(fraction.len()).unwrap() }
    }

    #[test]
    fn quotients_have_the_scale_of_postgresql() {
        for (left, right, wanted) in [
            ("1.0", "3", "0.33333333333333333333"),
            ("2", "3", "0.66666666666666666667"),
            ("10", "3", "3.3333333333333333"),
            ("-10", "4", "-2.5000000000000000"),
            ("100000", "3", "33333.333333333333"),
            ("1", "10000", "0.000100000000000000000000"),
            ("0", "7.50", "0.00000000000000000000"),
            ("12345678901234567890", "7.0", "1763668414462081127.1"),
        ] {
            assert_eq!(divide(number(left), number(right)), Ok(number(wanted)), "{left} / {right}");
        }
        assert_eq!(divide(number("1"), number("0.0")), Err(by_zero()));
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (value, digits, wanted) in [
            ("2.5", 0, "3"),
            ("-2.5", 0, "-3"),
            ("1.005", 2, "1.01"),
            ("1.5", 3, "1.500"),
            ("155", -1, "160"),
            ("44", -2, "0"),
            ("44", i32::MIN, "0"),
        ] {
            assert_eq!(round(number(value), digits, false), Ok(number(wanted)), "{value} {digits}");
        }
        assert_eq!(round(number("-2.59"), 1, true), Ok(number("-2.5")));
    }

    #[test]
    fn comparing_needs_no_common_scale() {
        let large = Decimal { unscaled: MAX, scale: 0 };
        let small = Decimal { unscaled: MAX, scale: 38 };
        assert_eq!(compare(large, small), Ordering::Greater);
        assert_eq!(compare(negate(large), small), Ordering::Less);
        assert_eq!(compare(number("1.50"), number("1.5")), Ordering::Equal);
        assert_eq!(multiply(large, number("10")), Err(too_large()));
    }

    #[test]
    fn nan_and_infinities_are_computed_as_postgresql_does() {
        let (nan, infinity, minus) = (Decimal::NAN, Decimal::INFINITY, Decimal::MINUS_INFINITY);
        let (zero, two) = (number("0"), number("2.0"));
        assert_eq!([add(infinity, two), add(infinity, minus)], [Ok(infinity), Ok(nan)]);
        assert_eq!([multiply(minus, two), multiply(infinity, zero)], [Ok(minus), Ok(nan)]);
        assert_eq!([divide(two, minus), divide(infinity, minus)], [Ok(zero), Ok(nan)]);
        assert_eq!([divide(infinity, zero), divide(nan, zero)], [Err(by_zero()), Ok(nan)]);
        assert_eq!([remainder(two, infinity), remainder(infinity, two)], [Ok(two), Ok(nan)]);
        assert_eq!([negate(infinity), negate(nan)], [minus, nan]);
        let ascending = [minus, number("-1"), zero, two, infinity, nan];
        for (at, left) in ascending.into_iter().enumerate() {
            for (place, right) in ascending.into_iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&place), "{left:?} {right:?}");
            }
        }
    }
}
