//! Number: a number of JSON as it is written, with the value that PostgreSQL's `numeric` gives it.
//!
//! A short text may mean a number of many digits (`1e100000`), so that it is compared as it stands and written out only
//! where it is printed.

use std::cmp::Ordering;

use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

/// Most digits of a number before and after the point: those of PostgreSQL's `numeric`.
const DIGITS_MAX: (i64, i64) = (131_072, 16_383);

/// An exponent of so much is beyond PostgreSQL's, whatever it moves.
const EXPONENT_LIMIT: i64 = 1_073_741_823;

/// A number taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    /// How far the exponent moves the point to the right.
    exponent: i64,
}

impl<'a> Number<'a> {
    /// Takes a number apart; one outside PostgreSQL's range is a fault.
    pub(super) fn read(text: &'a str) -> Result<Self, Fault> {
        let number = Self::of(text);
        let (point, scale) = number.extent();
        // A zero has no digits before the point, however far it is moved; but those after it are its scale.
        let is_long = (!number.is_zero() && point > DIGITS_MAX.0) || scale > DIGITS_MAX.1;
        if is_long || number.exponent.abs() >= EXPONENT_LIMIT {
            let fact = format!("the number {} in the JSON is out of range", quote(text.as_bytes()));
            return Err(Fault::new(Code::OutOfRange, fact));
        }
        Ok(number)
    }

    /// Takes a number apart that was read before.
    pub(super) fn of(text: &'a str) -> Self {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        // An exponent that is no number of 64 bits leads out of every range.
        let beyond = if exponent.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
        let exponent = exponent.parse::<i64>().map_or(beyond, |exponent| exponent.clamp(i64::MIN / 4, i64::MAX / 4));
        Self { negative, whole, fraction, exponent }
    }

    /// The digits from the first that is not zero, without a point.
    fn digits(self) -> impl Iterator<Item = u8> + 'a {
        self.whole.bytes().chain(self.fraction.bytes()).skip_while(|&digit| digit == b'0')
    }

    fn is_zero(self) -> bool {
        self.digits().next().is_none()
    }

    /// Where the point stands behind the first digit that is not zero; and how many digits stand behind the point.
    fn extent(self) -> (i64, i64) {
        let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX / 4);
        let zeros = self.whole.bytes().chain(self.fraction.bytes()).take_while(|&digit| digit == b'0').count();
        let zeros = i64::try_from(zeros).unwrap_or(i64::MAX / 4);
        (length(self.whole) + self.exponent - zeros, (length(self.fraction) - self.exponent).max(0))
    }

    /// Appends the number without an exponent, with all digits of its scale.
    pub(super) fn write(self, out: &mut String) {
        let is_zero = self.is_zero();
        let (point, scale) = self.extent();
        if self.negative && !is_zero {
            out.push('-');
        }
        let mut digits = self.digits().map(char::from);
        if is_zero || point <= 0 {
            out.push('0');
        }
        let mut next = || digits.next().unwrap_or('0');
        if !is_zero {
            (0..point).for_each(|_| out.push(next()));
        }
        if scale > 0 {
            out.push('.');
            // Zeros between the point and the first digit.
            let zeros = if is_zero { scale } else { (-point).clamp(0, scale) };
            (0..zeros).for_each(|_| out.push('0'));
            (zeros..scale).for_each(|_| out.push(next()));
        }
    }

    /// The order by value.
    pub(super) fn order(self, other: Self) -> Ordering {
        let sign = |number: Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let (one, two) = (sign(self), sign(other));
        if one != two || one == 0 {
            return one.cmp(&two);
        }
        let magnitude = self.extent().0.cmp(&other.extent().0).then_with(|| {
            let (mut ones, mut twos) = (self.digits(), other.digits());
            loop {
                // Zeros at the end count for nothing.
                match (ones.next(), twos.next()) {
                    (None, None) => return Ordering::Equal,
                    (one, two) => match one.unwrap_or(b'0').cmp(&two.unwrap_or(b'0')) {
                        Ordering::Equal => {}
                        order => return order,
                    },
                }
            }
        });
        if self.negative { magnitude.reverse() } else { magnitude }
    }

    /// How many bytes PostgreSQL stores the number in: groups of four digits, without those that are zero at either end.
    pub(super) fn stored_bytes(self) -> usize {
        const HEADER: usize = 4;
        if self.is_zero() {
            return HEADER + 2;
        }
        let (point, scale) = self.extent();
        // The group of the first digit, counted from the point, and that of the last which is not zero.
        let first = (point - 1).div_euclid(4);
        let last_digit = self.digits().enumerate().filter(|(_, digit)| *digit != b'0').last().map_or(0, |(at, _)| at);
        let last = (point - 1 - i64::try_from(last_digit).unwrap_or(0)).div_euclid(4);
        let is_short = scale <= 0x3f && (-64..=63).contains(&first);
        let groups = usize::try_from(first - last + 1).unwrap_or(0);
        HEADER + if is_short { 2 } else { 4 } + 2 * groups
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_numeric_prints_them() {
        for (text, wanted) in [
            ("1e3", "1000"),
            ("1.5E-3", "0.0015"),
            ("10.20e1", "102.0"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("0e5", "0"),
            ("0.0e-2", "0.000"),
            ("12e-1", "1.2"),
            ("-1E+0", "-1"),
            ("0.050", "0.050"),
            ("0.00123e4", "12.3"),
            ("0.00123e2", "0.123"),
            ("120e-1", "12.0"),
        ] {
            let mut out = String::new();
            Number::read(text).unwrap().write(&mut out);
            assert_eq!(out, wanted, "{text}");
        }
        for text in ["1e131073", "1e-16384", "-1e99999999999999999999", "0e-16384"] {
            assert_eq!(Number::read(text).map(|_| ()).map_err(|fault| fault.code), Err(Code::OutOfRange), "{text}");
        }
        assert!(Number::read("0e99999999").is_ok() && Number::read("1e131071").is_ok());
        assert!(Number::read("0e9999999999").is_err());
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let ascending = ["-1e3", "-999.5", "-0.01", "0", "1e-5", "0.01", "0.010000001", "9", "10", "1e1000"];
        for (at, one) in ascending.iter().enumerate() {
            for (place, two) in ascending.iter().enumerate() {
                assert_eq!(Number::of(one).order(Number::of(two)), at.cmp(&place), "{one} {two}");
            }
        }
        for (one, two) in [("1.0", "1"), ("100e-2", "1"), ("-0.0", "0e9"), ("0.12e2", "12.00")] {
            assert_eq!(Number::of(one).order(Number::of(two)), Ordering::Equal, "{one} {two}");
        }
    }
}
