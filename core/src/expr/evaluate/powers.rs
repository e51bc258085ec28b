//! Powers: roots, exponentials, logarithms and powers of decimals, with the digits that PostgreSQL's `numeric` gives them.
//!
//! A result has at least sixteen significant digits, and at least as many after the point as an operand. The number of digits
//! is estimated as PostgreSQL estimates it, since the estimate is visible in the result.

use std::cmp::Ordering;

use arrow_buffer::i256;

use super::decimal;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::value::Decimal;
use crate::value::wide::Fixed;
use crate::value::wide::Wide;

/// The logarithm of e to base 10, to the digits that PostgreSQL takes.
#[expect(clippy::approx_constant, reason = "a digit more would decide otherwise near powers of ten")]
const LOG10_E: f64 = 0.434_294_481_903_252;
/// Least significant digits of a result.
const DIGITS_MIN: i32 = 16;
/// Most digits after the point that PostgreSQL chooses.
const SCALE_MAX: i32 = 1000;
/// Exponents beyond which PostgreSQL gives up.
const EXPONENT_MAX: f64 = 6000.0;
/// Bits of an exact power; what needs more is computed through its logarithm.
const EXACT_BITS: u32 = 480;

/// The power of ten below which a result has no digits left, with all that PostgreSQL gives it.
const VANISHING: f64 = -1001.0;
/// Such a result.
const NOTHING: Decimal = Decimal { unscaled: 0, scale: DECIMAL_PRECISION_MAX };

/// The square root, rounded.
pub(in crate::expr) fn sqrt(value: Decimal) -> Result<Decimal, Fault> {
    if value.unscaled < 0 {
        return Err(Fault::new(Code::BadPower, "cannot take square root of a negative number"));
    }
    if value.special().is_some() {
        return Ok(value);
    }
    let (weight, _) = decimal::leading_group(value);
    let scale = scale(DIGITS_MIN - ((weight + 1) * 2 - 1), &[value])?;
    // The root of `unscaled / 10^s` is that of `unscaled * 10^(2 scale - s)`, without `scale` digits.
    let tens = decimal::ten(scale).unsigned_abs();
    let radicand = Wide::new(value.unscaled.unsigned_abs()).times(Wide::new(tens));
    let radicand = radicand.times(Wide::new(tens / unit(value)));
    decimal::bounded(radicand.root().to_u128().and_then(|root| i128::try_from(root).ok()), scale)
}

/// `e` to a power.
pub(in crate::expr) fn exp(value: Decimal) -> Result<Decimal, Fault> {
    let exponent = decimal::to_double(value);
    if let Some(special) = value.special() {
        return Ok(Decimal::of_special(special.exp()));
    }
    if exponent >= EXPONENT_MAX {
        return Err(overflow());
    }
    let digits = exponent * LOG10_E;
    if digits < VANISHING {
        return Ok(NOTHING);
    }
    let scale = scale(DIGITS_MIN - whole(digits), &[value])?;
    raised(Fixed::ratio(value.unscaled, unit(value)), exponent, scale)
}

/// The natural logarithm.
pub(in crate::expr) fn ln(value: Decimal) -> Result<Decimal, Fault> {
    let magnitude = positive(value)?;
    if value.special().is_some() {
        return Ok(value);
    }
    let scale = scale(DIGITS_MIN - logarithm_weight(value), &[value])?;
    let logarithm = Fixed::logarithm(magnitude, unit(value));
    decimal::bounded(logarithm.rounded(decimal::ten(scale).unsigned_abs()), scale)
}

/// The logarithm to a base.
pub(in crate::expr) fn log(base: Decimal, value: Decimal) -> Result<Decimal, Fault> {
    if base == Decimal::NAN || value == Decimal::NAN {
        return Ok(Decimal::NAN);
    }
    let (base_magnitude, magnitude) = (positive(base)?, positive(value)?);
    match (base.special(), value.special()) {
        (Some(_), Some(_)) => return Ok(Decimal::NAN),
        (Some(_), None) => return Ok(Decimal::of_special(0.0)),
        (None, Some(_)) => return Ok(value),
        (None, None) => {}
    }
    let scale = scale(DIGITS_MIN - (logarithm_weight(value) - logarithm_weight(base)), &[base, value])?;
    let top = Fixed::logarithm(magnitude, unit(value));
    let bottom = Fixed::logarithm(base_magnitude, unit(base));
    if bottom.magnitude == Wide::ZERO {
        return Err(decimal::by_zero());
    }
    let quotient = top.magnitude.times(Wide::new(decimal::ten(scale).unsigned_abs())).rounded_over(bottom.magnitude);
    let quotient = quotient.to_u128().and_then(|quotient| i128::try_from(quotient).ok());
    let signed = quotient.map(|quotient| if top.negative == bottom.negative { quotient } else { -quotient });
    decimal::bounded(signed, scale)
}

/// A number to a power.
pub(in crate::expr) fn power(base: Decimal, exponent: Decimal) -> Result<Decimal, Fault> {
    if base.special().is_some() || exponent.special().is_some() {
        return special_power(base, exponent);
    }
    let whole_exponent = exponent.rescale_exact(0).map(|whole| whole.unscaled);
    if base.unscaled == 0 && exponent.unscaled < 0 {
        return Err(Fault::new(Code::BadPower, "zero raised to a negative power is undefined"));
    }
    if base.unscaled < 0 && whole_exponent.is_none() {
        let fact = "a negative number raised to a non-integer power yields a complex result";
        return Err(Fault::new(Code::BadPower, fact));
    }
    if let Some(Ok(exponent)) = whole_exponent.map(i32::try_from) {
        return whole_power(base, exponent);
    }
    if base.unscaled == 0 {
        return Ok(Decimal { unscaled: 0, scale: 16 });
    }
    let size = Decimal { unscaled: base.unscaled.abs(), ..base };
    let logarithm = Fixed::logarithm(size.unscaled.unsigned_abs(), unit(size));
    let estimate = estimated_exponent(size, &logarithm, exponent);
    if estimate > EXPONENT_MAX * 1.003_333 {
        return Err(overflow());
    }
    if estimate * LOG10_E < VANISHING {
        return Ok(NOTHING);
    }
    let scale = scale(DIGITS_MIN - whole(estimate * LOG10_E), &[base, exponent])?;
    let result = raised(logarithm.scaled(exponent.unscaled, unit(exponent)), estimate, scale)?;
    let is_odd = whole_exponent.is_some_and(|exponent| exponent % 2 != 0);
    Ok(if base.unscaled < 0 && is_odd { decimal::negate(result) } else { result })
}

/// A power where the base or the exponent is `NaN` or infinite: that of numbers on the same side of 0 and 1, which is known in
/// floating point.
fn special_power(base: Decimal, exponent: Decimal) -> Result<Decimal, Fault> {
    let one = Decimal { unscaled: 1, scale: 0 };
    let size = decimal::compare(if base.unscaled < 0 { decimal::negate(base) } else { base }, one);
    let sign = if base.unscaled < 0 { -1.0 } else { 1.0 };
    let base = base.special().unwrap_or(match size {
        _ if base.unscaled == 0 => 0.0,
        Ordering::Less => sign * 0.5,
        Ordering::Equal => sign,
        Ordering::Greater => sign * 2.0,
    });
    let sign = if exponent.unscaled < 0 { -1.0 } else { 1.0 };
    let exponent = exponent.special().unwrap_or_else(|| match exponent.rescale_exact(0) {
        None => sign * 0.5,
        Some(Decimal { unscaled: 0, .. }) => 0.0,
        Some(whole) if whole.unscaled % 2 == 0 => sign * 2.0,
        Some(_) => sign,
    });
    if base == 0.0 && exponent < 0.0 {
        return Err(Fault::new(Code::BadPower, "zero raised to a negative power is undefined"));
    }
    if base < 0.0 && exponent.is_finite() && exponent.fract() != 0.0 {
        let fact = "a negative number raised to a non-integer power yields a complex result";
        return Err(Fault::new(Code::BadPower, fact));
    }
    Ok(Decimal::of_special(base.powf(exponent)))
}

/// The exponent of e that a power is, as PostgreSQL estimates it to decide how many digits there are: from a logarithm of some
/// eight digits, rounded, and a product rounded to the same place.
fn estimated_exponent(base: Decimal, logarithm: &Fixed, exponent: Decimal) -> f64 {
    let digits = u8::try_from((8 - logarithm_weight(base)).clamp(0, 30)).unwrap_or(0);
    let rounded = logarithm.rounded(decimal::ten(digits).unsigned_abs()).unwrap_or(0);
    // The product in 256 bits, without the digits of the exponent.
    let product = i256::from_i128(rounded).wrapping_mul(i256::from_i128(exponent.unscaled));
    let step = i256::from_i128(decimal::ten(exponent.scale));
    let (whole, rest) = (product.wrapping_div(step), product.wrapping_rem(step));
    let away = rest.wrapping_abs().wrapping_mul(i256::from_i128(2)) >= step;
    let sign = if product.is_negative() { i256::MINUS_ONE } else { i256::ONE };
    let product = if away { whole.wrapping_add(sign) } else { whole };
    product.to_string().parse::<f64>().unwrap_or(0.0) / 10_f64.powi(digits.into())
}

/// The fault of a base that no logarithm has.
pub(in crate::expr) fn check_base(base: Decimal) -> Result<(), Fault> {
    positive(base).map(|_| ())
}

/// A number to a whole power: at least sixteen digits after the point, whatever stands before it.
fn whole_power(base: Decimal, exponent: i32) -> Result<Decimal, Fault> {
    let scale = scale(DIGITS_MIN, &[base])?;
    let tens = |power: u32| (0..power).fold(Wide::new(1), |tens, _| tens.times(Wide::new(10)));
    // Zeros at the end would only make the power longer.
    let (mut unscaled, mut places) = (base.unscaled, i64::from(base.scale));
    while unscaled != 0 && unscaled % 10 == 0 {
        (unscaled, places) = (unscaled / 10, places - 1);
    }
    if base.unscaled == 0 {
        let one = decimal::ten(scale);
        return Ok(Decimal { unscaled: if exponent == 0 { one } else { 0 }, scale });
    }
    let times = exponent.unsigned_abs();
    let negative = base.unscaled < 0 && times % 2 == 1;
    let size = Decimal { unscaled: base.unscaled.abs(), ..base };
    let estimate = approximate_logarithm(size) * f64::from(exponent);
    let estimated_digits = estimate * LOG10_E;
    if estimated_digits > 40.0 {
        return Err(if estimated_digits > 131_072.0 { overflow() } else { decimal::too_large() });
    }
    if estimated_digits + 2.0 < -f64::from(scale) {
        return Ok(Decimal { unscaled: 0, scale });
    }
    let magnitude = Wide::new(unscaled.unsigned_abs());
    // The digits that the power is moved by: of those of the result, and those that it has itself.
    let moved = places * i64::from(exponent);
    let shift = i64::from(scale) - moved;
    let bits =
        u64::from(magnitude.bits()).saturating_mul(times.into()).saturating_add(shift.unsigned_abs().saturating_mul(4));
    let sign = |unscaled: i128| if negative { -unscaled } else { unscaled };
    if bits < EXACT_BITS.into() {
        let mut product = Wide::new(1);
        for _ in 0..times {
            product = product.times(magnitude);
        }
        let moved = tens(u32::try_from(shift.unsigned_abs()).unwrap_or(0));
        let one = Wide::new(1);
        let (top, bottom) = match (exponent < 0, shift < 0) {
            (false, false) => (product.times(moved), one),
            (false, true) => (product, moved),
            (true, false) => (moved, product),
            (true, true) => (one, product.times(moved)),
        };
        let result = top.rounded_over(bottom).to_u128().and_then(|result| i128::try_from(result).ok());
        return decimal::bounded(result.map(sign), scale);
    }
    let logarithm = Fixed::logarithm(size.unscaled.unsigned_abs(), unit(size)).scaled(exponent.into(), 1);
    let result = raised(logarithm, estimate, scale)?;
    Ok(if negative { decimal::negate(result) } else { result })
}

/// `e` to a power at a scale, given the power's estimate too.
fn raised(power: Fixed, estimate: f64, scale: u8) -> Result<Decimal, Fault> {
    // Far below any digit of the result.
    if estimate < -100.0 {
        return Ok(Decimal { unscaled: 0, scale });
    }
    decimal::bounded(power.exponential(decimal::ten(scale).unsigned_abs()), scale)
}

/// The scale of a result: the one that is wanted, but at least that of each operand.
fn scale(wanted: i32, operands: &[Decimal]) -> Result<u8, Fault> {
    let least = operands.iter().map(|operand| i32::from(operand.scale)).max().unwrap_or(0);
    let scale = wanted.max(least).clamp(0, SCALE_MAX);
    u8::try_from(scale).ok().filter(|scale| *scale <= DECIMAL_PRECISION_MAX).ok_or_else(decimal::too_large)
}

/// The power of ten of the first digit of the natural logarithm, as PostgreSQL estimates it.
fn logarithm_weight(value: Decimal) -> i32 {
    let unit = decimal::ten(value.scale);
    let distance = value.unscaled - unit;
    if distance.unsigned_abs() <= unit.unsigned_abs() / 10 && value.scale > 0 {
        // Near 1 the logarithm is nearly the distance from 1.
        let digits = distance.unsigned_abs().checked_ilog10().unwrap_or(0).cast_signed();
        return if distance == 0 { 0 } else { digits - i32::from(value.scale) };
    }
    if value.unscaled == unit {
        return 0;
    }
    // From the first two groups of four digits.
    let (weight, group) = decimal::leading_group(value);
    let lowest = weight * 4 - 4 + i32::from(value.scale);
    let (digits, weight) = match u8::try_from(lowest) {
        Ok(drop) => (value.unscaled / decimal::ten(drop), weight * 4 - 4),
        Err(_) if lowest > -4 => (value.unscaled * decimal::ten(u8::try_from(-lowest).unwrap_or(0)), weight * 4 - 4),
        Err(_) => (group, weight * 4),
    };
    #[expect(clippy::cast_precision_loss, reason = "eight digits")]
    let logarithm = (digits as f64).ln() + f64::from(weight) * std::f64::consts::LN_10;
    whole(logarithm.abs().log10())
}

/// The natural logarithm of a number above zero in floating point.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn approximate_logarithm(value: Decimal) -> f64 {
    let unit = decimal::ten(value.scale);
    let distance = value.unscaled - unit;
    match distance.unsigned_abs() < unit.unsigned_abs() / 8 {
        true => (distance as f64 / unit as f64).ln_1p(),
        false => (value.unscaled as f64).ln() - f64::from(value.scale) * std::f64::consts::LN_10,
    }
}

/// Without the digits after the point.
#[expect(clippy::cast_possible_truncation, reason = "estimates are small")]
fn whole(estimate: f64) -> i32 {
    estimate as i32
}

fn unit(value: Decimal) -> u128 {
    decimal::ten(value.scale).unsigned_abs()
}

fn positive(value: Decimal) -> Result<u128, Fault> {
    match value.unscaled {
        0 => Err(Fault::new(Code::BadLogarithm, "cannot take logarithm of zero")),
        ..0 => Err(Fault::new(Code::BadLogarithm, "cannot take logarithm of a negative number")),
        _ => Ok(value.unscaled.unsigned_abs()),
    }
}

fn overflow() -> Fault {
    Fault::new(Code::OutOfRange, "value overflows numeric format")
}
