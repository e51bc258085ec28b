//! Sum: an exact sum of any number of decimals, and their average, digit for digit as PostgreSQL's `numeric` gives them.
//!
//! A sum is not bound to 38 digits: 512 bits hold more of them than rows can be counted.

use crate::value::Decimal;
use crate::value::wide::Wide;

/// Digits that are taken off a wide number at a time.
const CHUNK_DIGITS: usize = 19;
const CHUNK: u64 = 10_u64.pow(CHUNK_DIGITS as u32);

/// A sum that grows, and shrinks again where a window moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalSum {
    /// What was added above zero, and what below, without its sign: two sums that only grow need no sign of their own.
    above: Wide,
    below: Wide,
    /// The greatest scale that was added.
    scale: u8,
}

impl Default for DecimalSum {
    fn default() -> Self {
        Self { above: Wide::ZERO, below: Wide::ZERO, scale: 0 }
    }
}

impl DecimalSum {
    /// Adds a number.
    pub fn add(&mut self, number: Decimal) {
        if number.scale > self.scale {
            let unit = ten(number.scale - self.scale);
            (self.above, self.below) = (self.above.times(unit), self.below.times(unit));
            self.scale = number.scale;
        }
        let magnitude = Wide::new(number.unscaled.unsigned_abs());
        let magnitude =
            if number.scale == self.scale { magnitude } else { magnitude.times(ten(self.scale - number.scale)) };
        let side = if number.unscaled < 0 { &mut self.below } else { &mut self.above };
        *side = side.plus(magnitude);
    }

    /// Takes back a number that was added.
    pub fn subtract(&mut self, number: Decimal) {
        self.add(Decimal { unscaled: number.unscaled.saturating_neg(), ..number });
    }

    /// The sum, with the greatest scale of its numbers.
    pub fn sum(&self) -> String {
        let (negative, magnitude) = self.signed();
        print(negative, magnitude, self.scale.into())
    }

    /// The sum as a double.
    pub fn to_double(&self) -> f64 {
        self.sum().parse().unwrap_or(f64::NAN)
    }

    /// The sum over a number of rows, which is not zero, at the scale that PostgreSQL gives a quotient: at least 16
    /// significant digits, counted in groups of four, and at least the scale of the sum.
    pub fn average(&self, rows: u64) -> String {
        let (negative, magnitude) = self.signed();
        let (weight, first) = leading_group(&digits(magnitude), self.scale.into());
        let (rows_weight, rows_first) = leading_group(&rows.to_string(), 0);
        let weight = weight - rows_weight - i32::from(first <= rows_first);
        let scale = usize::try_from(16 - weight * 4).unwrap_or(0).max(self.scale.into());
        let mut dividend = magnitude;
        for _ in usize::from(self.scale)..scale {
            dividend = dividend.times(Wide::new(10));
        }
        print(negative, dividend.rounded_over(Wide::new(rows.into())), scale)
    }

    fn signed(&self) -> (bool, Wide) {
        let negative = self.above.order(self.below).is_lt();
        let magnitude = if negative { self.below.minus(self.above) } else { self.above.minus(self.below) };
        (negative, magnitude)
    }
}

/// A power of ten of at most 38 digits.
fn ten(power: u8) -> Wide {
    Wide::new(10_u128.pow(power.min(38).into()))
}

/// All digits of a number; of zero, `0`.
fn digits(magnitude: Wide) -> String {
    let mut chunks = Vec::new();
    let mut rest = magnitude;
    while rest != Wide::ZERO {
        let quotient = rest.over_small(CHUNK);
        chunks.push(rest.minus(quotient.times(Wide::new(CHUNK.into()))).to_u128().unwrap_or_default());
        rest = quotient;
    }
    let mut text = chunks.pop().unwrap_or_default().to_string();
    for chunk in chunks.iter().rev() {
        text.push_str(&format!("{chunk:0CHUNK_DIGITS$}"));
    }
    text
}

/// A number with all digits of its scale.
fn print(negative: bool, magnitude: Wide, scale: usize) -> String {
    let mut text = digits(magnitude);
    if text.len() <= scale {
        text.insert_str(0, &"0".repeat(scale + 1 - text.len()));
    }
    if scale > 0 {
        text.insert(text.len() - scale, '.');
    }
    if negative && magnitude != Wide::ZERO {
        text.insert(0, '-');
    }
    text
}

/// Where the first group of four digits that is not zero stands, counted from the point, and the group: how PostgreSQL
/// stores numbers, in base 10,000. Zero has weight 0 and group 0.
fn leading_group(digits: &str, scale: i32) -> (i32, u32) {
    if digits == "0" {
        return (0, 0);
    }
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The decimal exponent of the leading digit, and how many digits its group has.
    let leading = count - 1 - scale;
    let length = usize::try_from(leading.rem_euclid(4) + 1).unwrap_or(1);
    let group = format!("{:0<length$}", digits.get(..length).unwrap_or(digits));
    (leading.div_euclid(4), group.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use num_bigint::BigInt;
    use proptest::prelude::*;
    use rust_decimal::Decimal as Other;

    use super::*;

    fn decimals() -> impl Strategy<Value = Vec<Decimal>> {
        let limit = 10_i128.pow(38) - 1;
        let unscaled = prop_oneof![-limit..=limit, -1_000_000..1_000_000_i128, Just(0), Just(limit), Just(-limit)];
        prop::collection::vec((unscaled, 0..=38_u8).prop_map(|(unscaled, scale)| Decimal { unscaled, scale }), 1..20)
    }

    fn sum_of(numbers: &[Decimal]) -> DecimalSum {
        let mut sum = DecimalSum::default();
        numbers.iter().for_each(|&number| sum.add(number));
        sum
    }

    #[test]
    fn averages_have_the_digits_of_postgresql() {
        for (numbers, average) in [
            (vec!["1.00", "2.00"], "1.5000000000000000"),
            (vec!["10.00", "0.00", "0.00"], "3.3333333333333333"),
            (vec!["0.00"], "0.00000000000000000000"),
            (vec!["-0.05", "-0.05", "-0.05"], "-0.05000000000000000000"),
            (vec!["99999999999999999999999999999999999999", "1"], "50000000000000000000000000000000000000"),
            (vec!["0.01", "0.02", "0.02"], "0.01666666666666666667"),
            (vec!["123456.78", "1", "1"], "41152.926666666667"),
        ] {
            let numbers: Vec<Decimal> = numbers.iter().map(|text| Decimal::parse(text.as_bytes()).unwrap()).collect();
            assert_eq!(sum_of(&numbers).average(numbers.len() as u64), average);
        }
    }

    proptest! {
        #[test]
        fn a_sum_is_that_of_big_integers(numbers in decimals(), taken in 0..20_usize) {
            let scale = numbers.iter().map(|number| number.scale).max().unwrap();
            let wide = |number: &Decimal| {
                BigInt::from(number.unscaled) * BigInt::from(10).pow(u32::from(scale - number.scale))
            };
            let mut sum = sum_of(&numbers);
            let taken = taken.min(numbers.len());
            numbers[..taken].iter().for_each(|&number| sum.subtract(number));
            let expected: BigInt = numbers[taken..].iter().map(wide).sum();
            let found = sum.sum();
            let places = found.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            prop_assert_eq!(places, usize::from(scale));
            prop_assert_eq!(found.replace('.', "").parse::<BigInt>().unwrap(), expected);
        }

        #[test]
        fn a_sum_and_an_average_are_those_of_another_decimal(
            numbers in prop::collection::vec((-1_000_000_000_i64..1_000_000_000, 0..6_u32), 1..50),
        ) {
            let ours: Vec<Decimal> = numbers
                .iter()
                .map(|&(unscaled, scale)| Decimal { unscaled: unscaled.into(), scale: u8::try_from(scale).unwrap() })
                .collect();
            let theirs: Other = numbers.iter().map(|&(unscaled, scale)| Other::new(unscaled, scale)).sum();
            let sum = sum_of(&ours);
            prop_assert_eq!(sum.sum().parse::<Other>().unwrap(), theirs);
            let average: Other = sum.average(numbers.len() as u64).parse().unwrap();
            let places = average.scale().min(12);
            let other = theirs / Other::from(numbers.len());
            prop_assert!((average - other).abs() <= Other::new(1, places), "{average} {other}");
        }
    }
}
