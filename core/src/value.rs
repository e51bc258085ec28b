//! Value: conversions between the text of one value and the value, as PostgreSQL does them.
//!
//! They are pure functions of one value, shared by decoding, casts and printing. A text that is not a value gives a
//! [`Fault`](crate::column::Fault). Blanks around a number, a boolean or a date are ignored, as in PostgreSQL. Reading a valid
//! text allocates nothing; printing appends to a text of the caller.

pub(crate) mod array;
pub mod boolean;
pub(crate) mod bytes;
pub mod datetime;
pub(crate) mod decimal;
mod digits;
pub mod float;
pub(crate) mod format;
pub mod integer;
pub(crate) mod interval;
pub mod json;
pub(crate) mod pattern;
pub mod show;
mod sum;
pub mod text;
pub(crate) mod unit;
mod values;
pub(crate) mod wide;
pub(crate) mod zoned;

pub use decimal::Decimal;
pub use interval::Interval;
pub use sum::DecimalSum;
pub use values::Value;
pub use values::Values;

/// What happens to digits after the point, other than zeros, for which the type has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// They round, as in PostgreSQL's casts.
    Round,
    /// They are a fault, as where a value is put into a field or a column.
    Exact,
}

/// The text without the blanks around it; a blank is what C calls a space.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t'..=b'\r', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'..=b'\r'] = text {
        text = rest;
    }
    text
}

/// Appends a number with zeros before it, so that it has so many digits at least; at most twenty.
fn write_digits(mut number: u64, least: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
        start = at;
        if number == 0 {
            break;
        }
    }
    let start = start.min(digits.len() - least.min(digits.len()));
    digits.iter().skip(start).for_each(|&digit| out.push(char::from(digit)));
}
