//! Exact decimals of up to 38 digits: an unscaled `i128` and a scale. Rounding is half away from zero, as PostgreSQL's.

use std::fmt::Write as _;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::Fraction;
use crate::value::digits;
use crate::value::float;
use crate::value::text::quote;
use crate::value::trim;
use crate::value::write_digits;

/// Most digits of a decimal.
const DIGITS_MAX: u8 = 38;
/// The number after the greatest of 38 digits.
const LIMIT: u128 = 10_u128.pow(38);
/// The powers of ten.
static TENS: [u128; DIGITS_MAX as usize + 1] = {
    let mut tens = [1; DIGITS_MAX as usize + 1];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};
/// Those that are an `i64`.
static SMALL_TENS: [i64; 19] = {
    let mut tens = [1; 19];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

/// An exact number: `unscaled / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The digits, as a whole number of at most 38 digits.
    pub unscaled: i128,
    /// Digits after the point, at most 38.
    pub scale: u8,
}

impl Decimal {
    /// The scale of what is no number of digits: it is a value of expressions only, and no field and no column has it.
    const SPECIAL: u8 = u8::MAX;
    /// Not a number. Among the values without digits the order is that of `unscaled`.
    pub(crate) const NAN: Self = Self { unscaled: 2, scale: Self::SPECIAL };
    /// More than every number.
    pub(crate) const INFINITY: Self = Self { unscaled: 1, scale: Self::SPECIAL };
    /// Less than every number.
    pub(crate) const MINUS_INFINITY: Self = Self { unscaled: -1, scale: Self::SPECIAL };

    /// `NaN` or an infinity, if it is one.
    #[inline]
    pub(crate) fn special(self) -> Option<f64> {
        match self {
            Self { scale: 0..=DIGITS_MAX, .. } => None,
            Self::INFINITY => Some(f64::INFINITY),
            Self::MINUS_INFINITY => Some(f64::NEG_INFINITY),
            _ => Some(f64::NAN),
        }
    }

    /// What `NaN`, an infinity, or a whole number of one digit is.
    pub(crate) fn of_special(value: f64) -> Self {
        match value {
            f64::INFINITY => Self::INFINITY,
            f64::NEG_INFINITY => Self::MINUS_INFINITY,
            value if value.is_nan() => Self::NAN,
            #[expect(clippy::cast_possible_truncation, reason = "it is small and whole")]
            value => Self { unscaled: i128::from(value as i64), scale: 0 },
        }
    }

    /// Reads a number as a cast does: `NaN` and the infinities are ones, too.
    pub(crate) fn cast(text: &[u8]) -> Result<Self, Fault> {
        Self::parse(text).or_else(|fault| match Written::read(text) {
            Err(Wrong::Special) => {
                let word = trim(text);
                let is_nan = word.eq_ignore_ascii_case(b"nan");
                Ok(if is_nan {
                    Self::NAN
                } else if word.starts_with(b"-") {
                    Self::MINUS_INFINITY
                } else {
                    Self::INFINITY
                })
            }
            _ => Err(fault),
        })
    }

    /// Reads a number as PostgreSQL's `numeric` does: sign, digits, point, exponent. The scale is that of the text.
    ///
    /// What PostgreSQL has room for and 38 digits have not is out of range, infinities and `NaN` among it.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        if let Some((unscaled, scale)) = plain(text) {
            return Ok(Self { unscaled: i128::from(unscaled), scale });
        }
        let written = Written::read(text).map_err(|wrong| wrong.fault(text, "a decimal of 38 digits"))?;
        let scale = u8::try_from(written.scale.max(0)).ok().filter(|&scale| scale <= DIGITS_MAX);
        scale
            .and_then(|scale| Some(Self { unscaled: written.at(scale, Fraction::Exact).ok()?, scale }))
            .ok_or_else(|| Wrong::Digits.fault(text, "a decimal of 38 digits"))
    }

    /// Reads a number of at most `precision` digits, `scale` of them after the point, and gives it unscaled.
    ///
    /// It takes numbers of any length, also where `parse` knows no room for their digits.
    pub fn parse_as(text: &[u8], precision: u8, scale: u8, fraction: Fraction) -> Result<i128, Fault> {
        if let Some((unscaled, places)) = plain(text)
            && let Some(unit) = scale.checked_sub(places).and_then(small_power_of_ten)
            && let unscaled = i128::from(unscaled) * i128::from(unit)
            && (Self { unscaled, scale }).fits(precision)
        {
            return Ok(unscaled);
        }
        let read = || {
            let unscaled = Written::read(text)?.at(scale, fraction)?;
            if (Self { unscaled, scale }).fits(precision) { Ok(unscaled) } else { Err(Wrong::Large) }
        };
        read().map_err(|wrong| wrong.fault(text, &format!("decimal({precision},{scale})")))
    }

    /// Appends the number with all digits of its scale.
    pub fn write(self, out: &mut String) {
        if let Some(special) = self.special() {
            return float::write_double(special, out);
        }
        if self.unscaled < 0 {
            out.push('-');
        }
        let magnitude = self.unscaled.unsigned_abs();
        let places = usize::from(self.scale);
        let unit = power_of_ten(self.scale).unwrap_or(u128::MAX);
        // Nearly all numbers are short, and short division is much faster.
        if let (Ok(magnitude), Ok(unit)) = (u64::try_from(magnitude), u64::try_from(unit)) {
            write_digits(magnitude / unit, 1, out);
            if places > 0 {
                out.push('.');
                write_digits(magnitude % unit, places, out);
            }
            return;
        }
        // Writing to a String cannot fail.
        let _ = match places {
            0 => write!(out, "{magnitude}"),
            _ => write!(out, "{}.{:0places$}", magnitude / unit, magnitude % unit),
        };
    }

    /// Prints the number with all digits of its scale.
    pub fn print(self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// The same number at another scale, rounded half away from zero; `None` when it has more than 38 digits.
    #[must_use]
    pub fn rescale(self, scale: u8) -> Option<Self> {
        let magnitude = if scale >= self.scale {
            self.unscaled.unsigned_abs().checked_mul(power_of_ten(scale - self.scale)?)?
        } else {
            match power_of_ten(self.scale - scale) {
                Some(unit) => {
                    let (whole, rest) = (self.unscaled.unsigned_abs() / unit, self.unscaled.unsigned_abs() % unit);
                    whole + u128::from(rest >= unit / 2)
                }
                None => 0,
            }
        };
        Some(Self { unscaled: signed(magnitude, self.unscaled < 0)?, scale })
    }

    /// The number at `scale`, if it has no digits other than zeros beyond it and fits 38 digits.
    #[must_use]
    pub(crate) fn rescale_exact(self, scale: u8) -> Option<Self> {
        let beyond = self.scale.saturating_sub(scale);
        let exact =
            power_of_ten(beyond).map_or(self.unscaled == 0, |unit| self.unscaled.unsigned_abs().is_multiple_of(unit));
        if exact { self.rescale(scale) } else { None }
    }

    /// Whether the number has at most `precision` digits in all.
    #[inline]
    pub fn fits(self, precision: u8) -> bool {
        power_of_ten(precision).is_none_or(|limit| self.unscaled.unsigned_abs() < limit)
    }
}

/// A number of at most 16 characters besides its sign, with a point or without, and the digits after it: what nearly all
/// cells are.
#[inline]
fn plain(text: &[u8]) -> Option<(i64, u8)> {
    let (negative, number) = match text {
        [b'-', number @ ..] => (true, number),
        number => (false, number),
    };
    let (head, tail) = number.split_at(number.len().saturating_sub(8));
    let (low, count, places) = digits::fraction(tail)?;
    let mut value = i64::from(low);
    if !head.is_empty() {
        value += i64::from(digits::whole(head)?) * small_power_of_ten(count)?;
    }
    Some((if negative { -value } else { value }, places))
}

/// A number as it is written: digits with or without a point, and where the point belongs.
struct Written<'a> {
    negative: bool,
    /// Digits, and perhaps a point among them, without leading zeros.
    digits: &'a [u8],
    /// How many of `digits` are digits.
    count: i64,
    /// Digits after the point once the exponent has moved it; less than zero where zeros are to be added.
    scale: i64,
}

/// Why a text gives no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Form,
    Special,
    /// Too large for any `numeric`, or for the decimal that is asked for.
    Large,
    /// More digits than 38.
    Digits,
    Fraction,
}

impl Wrong {
    #[cold]
    fn fault(self, text: &[u8], what: &str) -> Fault {
        let text = quote(text);
        match self {
            Self::Form => Fault::new(Code::NotAValue, format!("{text} is not a number")),
            Self::Special => Fault::new(Code::BeyondDecimal, format!("{text} is no number that a decimal can hold")),
            Self::Large => Fault::new(Code::OutOfRange, format!("{text} is out of range for {what}")),
            Self::Digits => Fault::new(Code::BeyondDecimal, format!("{text} is out of range for {what}")),
            Self::Fraction => {
                Fault::new(Code::ExcessScale, format!("{text} has more digits after the point than {what}"))
            }
        }
    }
}

impl<'a> Written<'a> {
    /// `[sign] digits [. digits] [e [blanks] [sign] digits]`, with a digit before the point or after it.
    fn read(text: &'a [u8]) -> Result<Self, Wrong> {
        let text = trim(text);
        let (negative, number) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let special = [&b"inf"[..], b"infinity"].iter().any(|word| number.eq_ignore_ascii_case(word));
        if special || text.eq_ignore_ascii_case(b"nan") {
            return Err(Wrong::Special);
        }
        let length = number.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let (digits, rest) = number.split_at(length);
        let mut halves = digits.split(|&byte| byte == b'.');
        let whole = halves.next().unwrap_or_default();
        let places = halves.next().unwrap_or_default();
        if halves.next().is_some() || whole.is_empty() && places.is_empty() {
            return Err(Wrong::Form);
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', rest @ ..] => read_exponent(rest)?,
            _ => return Err(Wrong::Form),
        };
        let zeros = digits.iter().take_while(|byte| matches!(byte, b'0' | b'.')).count();
        let significant = digits.get(zeros..).unwrap_or_default();
        let count = significant.iter().filter(|byte| byte.is_ascii_digit()).count();
        Ok(Self { negative, digits: significant, count: long(count), scale: long(places.len()) - exponent })
    }

    /// The number at a scale.
    fn at(&self, scale: u8, fraction: Fraction) -> Result<i128, Wrong> {
        // Digits that stay, of those that are written; the first one that goes decides how the last one rounds.
        let kept = (self.count - (self.scale - i64::from(scale))).min(self.count);
        let mut digits = self.digits.iter().filter(|byte| byte.is_ascii_digit()).map(|byte| byte - b'0');
        let mut magnitude = 0_u128;
        for digit in digits.by_ref().take(usize::try_from(kept).unwrap_or(0)) {
            magnitude =
                magnitude.checked_mul(10).and_then(|value| value.checked_add(u128::from(digit))).ok_or(Wrong::Large)?;
        }
        // Where even the first digit stands further behind, the digit that decides is a zero before it.
        let decides = if kept >= 0 { digits.clone().next().unwrap_or(0) } else { 0 };
        if fraction == Fraction::Exact && digits.any(|digit| digit != 0) {
            return Err(Wrong::Fraction);
        }
        magnitude += u128::from(decides >= 5);
        let zeros = u8::try_from((i64::from(scale) - self.scale).max(0)).ok();
        let magnitude = match magnitude {
            0 => Some(0),
            _ => zeros.and_then(power_of_ten).and_then(|unit| magnitude.checked_mul(unit)),
        };
        magnitude.and_then(|magnitude| signed(magnitude, self.negative)).ok_or(Wrong::Large)
    }
}

/// The digits of an exponent, as C's `strtol` takes them.
fn read_exponent(text: &[u8]) -> Result<i64, Wrong> {
    /// Far beyond every number that has a value, and far from an overflow.
    const EXPONENT_MAX: i64 = 1_000_000;
    let text = trim(text);
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Wrong::Form);
    }
    let magnitude = digits.iter().fold(0, |value: i64, digit| (value * 10 + i64::from(digit - b'0')).min(EXPONENT_MAX));
    // PostgreSQL has room for 16,383 digits after the point and eight times as many before it.
    if magnitude == EXPONENT_MAX {
        return Err(Wrong::Large);
    }
    Ok(if negative { -magnitude } else { magnitude })
}

fn long(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 2)
}

#[inline]
fn power_of_ten(exponent: u8) -> Option<u128> {
    TENS.get(usize::from(exponent)).copied()
}

/// A power of ten that is an `i64`.
#[inline]
fn small_power_of_ten(exponent: u8) -> Option<i64> {
    SMALL_TENS.get(usize::from(exponent)).copied()
}

/// The number with its sign, if it has at most 38 digits.
fn signed(magnitude: u128, negative: bool) -> Option<i128> {
    if magnitude >= LIMIT {
        return None;
    }
    let value = magnitude.cast_signed();
    Some(if negative { -value } else { value })
}
