//! Decimal: decimals as the texts that SQLite keeps, and how two of them compare.
//!
//! A decimal has all digits of its scale: `12.50`, `-0.05`. As texts, decimals would sort by their letters. So the statements
//! of a load and the queries of users compare them under a collation, which the client registers when it connects. No table or
//! index depends on the collation, so any tool can open the file.

use std::cmp::Ordering;

/// The name of the collation that is [`compare_decimals`].
pub const DECIMAL_COLLATION: &str = "etalon_decimal";

/// Appends a decimal with all digits of its scale.
pub fn write_decimal(out: &mut String, unscaled: i128, scale: u8) {
    let mut digits = [b'0'; 40];
    let mut start = digits.len();
    let mut rest = unscaled.unsigned_abs();
    let scale = usize::from(scale);
    // At least one digit stands before the point.
    while rest > 0 || digits.len() - start <= scale {
        let Some(digit) = start.checked_sub(1).and_then(|at| digits.get_mut(at)) else { break };
        // Most decimals are short, and division of 64 bits is far quicker.
        if let Ok(short) = u64::try_from(rest) {
            *digit = b'0' + (short % 10) as u8;
            rest = u128::from(short / 10);
        } else {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        start -= 1;
    }
    if unscaled < 0 {
        out.push('-');
    }
    let point = digits.len().saturating_sub(scale);
    for (at, &digit) in digits.iter().enumerate().skip(start) {
        if at == point {
            out.push('.');
        }
        out.push(char::from(digit));
    }
}

/// Compares two decimals as numbers, with or without an exponent. Any other text stands after all numbers, by its bytes.
pub fn compare_decimals(left: &str, right: &str) -> Ordering {
    match (Digits::of(left), Digits::of(right)) {
        (Some(left), Some(right)) => match (left.negative, right.negative) {
            (false, false) => left.compare_magnitude(&right),
            (true, true) => right.compare_magnitude(&left),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        },
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => left.cmp(right),
    }
}

/// The digits that count of a decimal's text: `0.<whole><fraction>` times ten to a power, without zeros before or after.
struct Digits<'a> {
    /// Whether it is below zero.
    negative: bool,
    /// Zero has the least power and no digits.
    power: i64,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Digits<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (negative, number) = match text.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, text),
        };
        let (number, exponent) = match number.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (number, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let mut whole = whole.trim_start_matches('0');
        let mut fraction = fraction.trim_end_matches('0');
        let mut power = i64::try_from(whole.len()).ok()?;
        if whole.is_empty() {
            let digits = fraction.trim_start_matches('0');
            power = -i64::try_from(fraction.len() - digits.len()).ok()?;
            fraction = digits;
        }
        if fraction.is_empty() {
            whole = whole.trim_end_matches('0');
        }
        if whole.is_empty() && fraction.is_empty() {
            return Some(Self { negative: false, power: i64::MIN, whole, fraction });
        }
        Some(Self { negative, power: power + i64::from(exponent), whole, fraction })
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.power.cmp(&other.power).then_with(|| {
            let digits = self.whole.bytes().chain(self.fraction.bytes());
            digits.cmp(other.whole.bytes().chain(other.fraction.bytes()))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn decimals_have_all_digits_of_their_scale() {
        let decimal = |unscaled, scale| text(|out| write_decimal(out, unscaled, scale));
        assert_eq!(decimal(1250, 2), "12.50");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(0, 0), "0");
        assert_eq!(decimal(0, 3), "0.000");
        assert_eq!(decimal(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
        assert_eq!(decimal(-7, 38), format!("-0.{}7", "0".repeat(37)));
    }

    proptest! {
        #[test]
        fn decimals_order_as_numbers(left: i64, right: i64, left_scale in 0..20_u8, right_scale in 0..20_u8) {
            let number = |unscaled: i64, scale: u8| i128::from(unscaled) * 10_i128.pow(u32::from(19 - scale));
            let decimal = |unscaled: i64, scale| text(|out| write_decimal(out, i128::from(unscaled), scale));
            prop_assert_eq!(
                compare_decimals(&decimal(left, left_scale), &decimal(right, right_scale)),
                number(left, left_scale).cmp(&number(right, right_scale))
            );
        }

        #[test]
        fn an_exponent_moves_the_point(unscaled: i64, scale in 0..20_u8, exponent in -30..30_i32) {
            let number = format!("{unscaled}e{exponent}");
            let decimal = text(|out| write_decimal(out, i128::from(unscaled), scale));
            prop_assert_eq!(compare_decimals(&decimal, &format!("{unscaled}E-{scale}")), Ordering::Equal);
            let expected = exponent.cmp(&-i32::from(scale));
            let expected = if unscaled < 0 { expected.reverse() } else { expected };
            let expected = if unscaled == 0 { Ordering::Equal } else { expected };
            prop_assert_eq!(compare_decimals(&number, &decimal), expected);
        }

        /// SQLite asks for a total order on every text.
        #[test]
        fn comparing_decimals_is_a_total_order(
            texts in prop::collection::vec("-?[0-9]{0,3}\\.?[0-9]{0,3}(e[+-]?[0-9])?|.{0,3}", 3),
        ) {
            let mut sorted = texts.clone();
            sorted.sort_by(|left, right| compare_decimals(left, right));
            let [first, second, third] = &sorted[..] else { return Ok(()) };
            for (left, right) in [(first, second), (second, third), (first, third)] {
                prop_assert_ne!(compare_decimals(left, right), Ordering::Greater);
                prop_assert_eq!(compare_decimals(left, right), compare_decimals(right, left).reverse());
            }
        }
    }
}
