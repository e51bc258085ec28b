//! Whole numbers: blanks, a sign, decimal digits; nothing else.

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::digits;
use crate::value::text::quote;
use crate::value::trim;

/// Digits that an `i64` always has room for.
const SAFE_DIGITS: usize = 18;

/// Reads a whole number of at least `min` and at most `max`; `type_name` is named in the fault.
#[inline]
pub fn parse(text: &[u8], min: i64, max: i64, type_name: &str) -> Result<i64, Fault> {
    // What nearly all cells are.
    if let Some(value) = digits::whole(text).map(i64::from)
        && (min..=max).contains(&value)
    {
        return Ok(value);
    }
    written(text, min, max, type_name)
}

/// A number of any length, with its sign and blanks around it.
fn written(text: &[u8], min: i64, max: i64, type_name: &str) -> Result<i64, Fault> {
    let number = trim(text);
    let (negative, digits) = match number {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(count);
    if digits.is_empty() {
        return Err(not_a_number(text, type_name));
    }
    let value = if digits.len() <= SAFE_DIGITS {
        let magnitude = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        Some(if negative { -magnitude } else { magnitude })
    } else {
        // Downwards, since there is one more negative number than there are positive ones.
        digits
            .iter()
            .try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_sub(i64::from(digit - b'0')))
            .and_then(|value| if negative { Some(value) } else { value.checked_neg() })
    };
    match value {
        // Too many digits are out of range, whatever follows them.
        Some(value) if (min..=max).contains(&value) => {
            if rest.is_empty() {
                Ok(value)
            } else {
                Err(not_a_number(text, type_name))
            }
        }
        _ => Err(out_of_range(text, type_name)),
    }
}

#[cold]
fn not_a_number(text: &[u8], type_name: &str) -> Fault {
    Fault::new(Code::NotAValue, format!("{} is not a whole number for {type_name}", quote(text)))
}

#[cold]
fn out_of_range(text: &[u8], type_name: &str) -> Fault {
    Fault::new(Code::OutOfRange, format!("{} is out of range for {type_name}", quote(text)))
}
