//! Floating-point numbers: PostgreSQL's input, and its shortest text that reads back the same.

use std::fmt::LowerExp;
use std::fmt::Write as _;
use std::str::FromStr;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;
use crate::value::trim;
use crate::value::write_digits;

/// Reads a `double precision`.
pub fn parse_double(text: &[u8]) -> Result<f64, Fault> {
    parse(text, f64::is_finite, |value| value == 0.0, |value| value, "double precision")
}

/// Reads a `real`.
pub fn parse_real(text: &[u8]) -> Result<f32, Fault> {
    #[expect(clippy::cast_possible_truncation, reason = "the nearest real is meant")]
    parse(text, f32::is_finite, |value| value == 0.0, |value| value as f32, "real")
}

/// Appends a `double precision` as PostgreSQL prints it: `1`, `1.5`, `1e+30`, `NaN`, `Infinity`.
pub(crate) fn write_double(value: f64, out: &mut String) {
    if value.is_finite() {
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 52 & 0x7ff) as i32, bits & ((1 << 52) - 1));
        let binary = Binary::new(exponent, fraction, 52, 1075);
        write_shortest(value, binary, 15, out);
    } else {
        write_special(value.is_nan(), value > 0.0, out);
    }
}

/// Appends a `real`.
pub(crate) fn write_real(value: f32, out: &mut String) {
    if value.is_finite() {
        let bits = value.to_bits();
        let (exponent, fraction) = ((bits >> 23 & 0xff) as i32, bits & ((1 << 23) - 1));
        let binary = Binary::new(exponent, u64::from(fraction), 23, 150);
        write_shortest(value, binary, 6, out);
    } else {
        write_special(value.is_nan(), value > 0.0, out);
    }
}

/// Prints a `double precision` as PostgreSQL does: `1`, `1.5`, `1e+30`, `NaN`, `Infinity`.
pub fn print_double(value: f64) -> String {
    let mut text = String::new();
    write_double(value, &mut text);
    text
}

/// Prints a `real`.
pub fn print_real(value: f32) -> String {
    let mut text = String::new();
    write_real(value, &mut text);
    text
}

fn parse<F: FromStr + Copy>(
    text: &[u8],
    is_finite: impl Fn(F) -> bool,
    is_zero: impl Fn(F) -> bool,
    nearest: impl Fn(f64) -> F,
    type_name: &str,
) -> Result<F, Fault> {
    let number = trim(text);
    // Rust reads the texts that PostgreSQL does, hexadecimal ones apart, and rounds as C does; but it takes a number that
    // is too large for infinity and one that is too small for zero, where PostgreSQL reports a fault.
    let read = str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    let Some(value) = read.or_else(|| hexadecimal(number).map(nearest)) else {
        return Err(Fault::new(Code::NotAValue, format!("{} is not a number", quote(text))));
    };
    let mut mantissa = number.iter().take_while(|byte| !byte.eq_ignore_ascii_case(&b'e'));
    let overflow = !is_finite(value) && number.iter().any(u8::is_ascii_digit);
    if overflow || is_zero(value) && mantissa.any(|byte| (b'1'..=b'9').contains(byte)) {
        return Err(Fault::new(Code::OutOfRange, format!("{} is out of range for {type_name}", quote(text))));
    }
    Ok(value)
}

/// A hexadecimal number as C has it: `0x1f`, `-0x.8p3`.
#[cold]
fn hexadecimal(number: &[u8]) -> Option<f64> {
    let (negative, number) = match number {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let [b'0', b'x' | b'X', number @ ..] = number else { return None };
    let end = number.iter().position(|byte| byte.eq_ignore_ascii_case(&b'p')).unwrap_or(number.len());
    let (mantissa, power) = number.split_at(end);
    let mut halves = mantissa.split(|&byte| byte == b'.');
    let (whole, places) = (halves.next()?, halves.next().unwrap_or_default());
    // Sixteen digits fit; a longer number is not worth reading.
    if halves.next().is_some() || !(1..=16).contains(&(whole.len() + places.len())) {
        return None;
    }
    let mut value = 0_u64;
    for &byte in whole.iter().chain(places) {
        value = value << 4 | u64::from(char::from(byte).to_digit(16)?);
    }
    let power = match power {
        [] => 0,
        [_, power @ ..] => str::from_utf8(power).ok()?.parse::<i16>().ok()?,
    };
    let exponent = i32::from(power) - 4 * i32::try_from(places.len()).ok()?;
    if !(-1000..=1000).contains(&exponent) {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "the nearest number is meant")]
    let magnitude = value as f64 * 2_f64.powi(exponent);
    Some(if negative { -magnitude } else { magnitude })
}

fn write_special(nan: bool, positive: bool, out: &mut String) {
    out.push_str(match (nan, positive) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    });
}

/// The magnitude of a finite number: `mantissa * 2^exponent`.
struct Binary {
    mantissa: u64,
    exponent: i32,
    /// Whether the number below is only half as far away as the number above.
    narrow_below: bool,
}

impl Binary {
    fn new(exponent: i32, fraction: u64, fraction_bits: u32, bias: i32) -> Self {
        let hidden = u64::from(exponent != 0) << fraction_bits;
        Self {
            mantissa: fraction | hidden,
            exponent: exponent.max(1) - bias,
            narrow_below: fraction == 0 && exponent > 1,
        }
    }

    /// Whether `digits * 10^power` lies exactly halfway between the number and one of its neighbours.
    fn is_halfway(&self, digits: u64, power: i32) -> bool {
        let above = (2 * self.mantissa + 1, self.exponent - 1);
        let below = match self.narrow_below {
            true => (4 * self.mantissa - 1, self.exponent - 2),
            false => (2 * self.mantissa.saturating_sub(1) + 1, self.exponent - 1),
        };
        same(above, digits, power) || same(below, digits, power)
    }
}

/// Whether `mantissa * 2^exponent` is `digits * 10^power`; neither is zero.
fn same((mantissa, exponent): (u64, i32), digits: u64, power: i32) -> bool {
    let (odd, exponent) = (mantissa >> mantissa.trailing_zeros(), exponent + mantissa.trailing_zeros().cast_signed());
    let twos = digits.trailing_zeros();
    let odd_digits = digits >> twos;
    // The powers of two must be alike, which they seldom are.
    if exponent != power + twos.cast_signed() {
        return false;
    }
    // So must what is left: one side has the powers of five.
    let scaled = |value: u64| 5_u128.checked_pow(power.unsigned_abs())?.checked_mul(u128::from(value));
    match power >= 0 {
        true => scaled(odd_digits) == Some(u128::from(odd)),
        false => scaled(odd) == Some(u128::from(odd_digits)),
    }
}

/// A number as `d.ddde±x`, kept on the stack.
struct Scientific {
    bytes: [u8; 32],
    length: usize,
}

impl std::fmt::Write for Scientific {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Scientific {
    /// The shortest text that reads back as the number, or one with so many digits after the point.
    fn new<F: LowerExp>(value: F, digits: Option<usize>) -> Self {
        let mut text = Self { bytes: [0; 32], length: 0 };
        // The longest text is `-d.`, sixteen digits and `e-324`, so that it always fits.
        let _ = match digits {
            Some(digits) => write!(text, "{value:.digits$e}"),
            None => write!(text, "{value:e}"),
        };
        text
    }

    fn text(&self) -> &str {
        str::from_utf8(self.bytes.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }

    /// The sign, the digits without their point, how many they are, and the power of ten of the first.
    fn parts(&self) -> (bool, u64, i32, i32) {
        let (mantissa, power) = self.text().split_once('e').unwrap_or(("0", "0"));
        let mut digits = 0;
        let mut count = 0;
        for byte in mantissa.bytes().filter(u8::is_ascii_digit) {
            digits = digits * 10 + u64::from(byte - b'0');
            count += 1;
        }
        (mantissa.starts_with('-'), digits, count, power.parse().unwrap_or(0))
    }
}

/// Appends the shortest text that lies nearer to the number than to any other; from `10^plain_digits` on and below
/// `10^-4` with an exponent.
///
/// PostgreSQL does not count on a reader that breaks ties to even: a text halfway to the next number will not do for it
/// (`1e23` is printed `9.999999999999999e+22`), while it will for Rust.
fn write_shortest<F: LowerExp + FromStr + PartialEq + Copy>(
    value: F,
    binary: Binary,
    plain_digits: i32,
    out: &mut String,
) {
    let reads_back = |text: &Scientific| text.text().parse().is_ok_and(|read: F| read == value);
    let mut text = Scientific::new(value, None);
    let (_, digits, mut count, power) = text.parts();
    if digits != 0 && binary.is_halfway(digits, power - (count - 1)) {
        while count < 17 {
            text = Scientific::new(value, usize::try_from(count).ok());
            let (_, digits, longer, power) = text.parts();
            count = longer;
            if reads_back(&text) && !binary.is_halfway(digits, power - (count - 1)) {
                break;
            }
        }
    }
    let (negative, mut digits, count, power) = text.parts();
    // Of two shortest texts that lie equally near, PostgreSQL takes the one that ends even.
    if digits % 2 == 1 {
        let unit = power - (count - 1);
        for even in [digits - 1, digits + 1] {
            if same((2 * binary.mantissa, binary.exponent), digits + even, unit) {
                let sign = if negative { "-" } else { "" };
                let mut other = Scientific { bytes: [0; 32], length: 0 };
                let _ = write!(other, "{sign}{even}e{unit}");
                if reads_back(&other) && !binary.is_halfway(even, unit) {
                    digits = even;
                    break;
                }
            }
        }
    }
    if negative {
        out.push('-');
    }
    let has_exponent = !(-4..plain_digits).contains(&power);
    let places = if has_exponent { count - 1 } else { count - 1 - power };
    match 10_u64.checked_pow(places.max(0).unsigned_abs()) {
        Some(unit) => {
            write_digits(digits / unit, 1, out);
            if places > 0 {
                out.push('.');
                write_digits(digits % unit, places.unsigned_abs() as usize, out);
            }
        }
        // Twenty places are the most there are: three zeros and seventeen digits.
        None => {
            out.push_str("0.");
            write_digits(digits, places.unsigned_abs() as usize, out);
        }
    }
    (places..0).for_each(|_| out.push('0'));
    if has_exponent {
        out.push_str(if power < 0 { "e-" } else { "e+" });
        write_digits(u64::from(power.unsigned_abs()), 2, out);
    }
}
