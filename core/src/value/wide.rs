//! Wide: whole numbers of 512 bits and fixed-point numbers on top of them, for the functions of exact decimals that have no
//! exact result: logarithms, exponentials, roots.
//!
//! A result has at most 38 digits; what lies between has 224 bits after the point, some 67 digits, so that rounding at the
//! end is right. Nothing is allocated.

use std::cmp::Ordering;

/// Words of a number, the lowest first.
const WORDS: usize = 8;

/// Bits after the point of a fixed-point number.
pub(crate) const POINT: u32 = 224;

/// The logarithm of 2 in fixed point.
const LN_2: Wide = Wide([0x7298_b62d_8a0d_175b, 0x03f2_f6af_40f3_4326, 0xd1cf_79ab_c9e3_b398, 0xb172_17f7, 0, 0, 0, 0]);

/// A whole number of 512 bits without a sign. Arithmetic wraps; its users stay far below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wide([u64; WORDS]);

impl Wide {
    /// Nothing.
    pub(crate) const ZERO: Self = Self([0; WORDS]);
    /// One in fixed point.
    pub(crate) const ONE: Self = Self([0, 0, 0, 1 << 32, 0, 0, 0, 0]);

    /// A number of 128 bits.
    #[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
    pub(crate) const fn new(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0, 0, 0, 0, 0])
    }

    /// The number, if it has at most 128 bits.
    pub(crate) fn to_u128(self) -> Option<u128> {
        let [low, high, rest @ ..] = self.0;
        rest.iter().all(|&word| word == 0).then_some(u128::from(high) << 64 | u128::from(low))
    }

    /// Bits up to the highest that is set.
    pub(crate) fn bits(self) -> u32 {
        let mut bits = WORDS as u32 * 64;
        for word in self.0.iter().rev() {
            if *word != 0 {
                return bits - word.leading_zeros();
            }
            bits -= 64;
        }
        0
    }

    /// The sum.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        let mut sum = Self::ZERO;
        let mut carry = false;
        for ((sum, left), right) in sum.0.iter_mut().zip(self.0).zip(other.0) {
            (*sum, carry) = left.carrying_add(right, carry);
        }
        sum
    }

    /// The difference, which is not below zero.
    #[must_use]
    pub(crate) fn minus(self, other: Self) -> Self {
        let mut difference = Self::ZERO;
        let mut borrow = false;
        for ((difference, left), right) in difference.0.iter_mut().zip(self.0).zip(other.0) {
            (*difference, borrow) = left.borrowing_sub(right, borrow);
        }
        difference
    }

    /// The product, in its lowest 512 bits.
    #[must_use]
    pub(crate) fn times(self, other: Self) -> Self {
        let mut product = [0_u64; WORDS];
        for (at, &left) in self.0.iter().enumerate().filter(|(_, left)| **left != 0) {
            let mut carry = 0;
            for (sum, &right) in product.iter_mut().skip(at).zip(&other.0) {
                (*sum, carry) = left.carrying_mul_add(right, *sum, carry);
            }
        }
        Self(product)
    }

    /// Twice the number, so many times.
    #[must_use]
    pub(crate) fn up(self, bits: u32) -> Self {
        let (words, bits) = ((bits / 64) as usize, bits % 64);
        let at = |index: usize| index.checked_sub(words).and_then(|index| self.0.get(index)).copied().unwrap_or(0);
        Self(std::array::from_fn(|index| {
            let low = if bits == 0 || index == 0 { 0 } else { at(index - 1) >> (64 - bits) };
            at(index) << bits | low
        }))
    }

    /// Half the number, so many times, without what falls off.
    #[must_use]
    pub(crate) fn down(self, bits: u32) -> Self {
        let (words, bits) = ((bits / 64) as usize, bits % 64);
        let at = |index: usize| self.0.get(index + words).copied().unwrap_or(0);
        Self(std::array::from_fn(|index| {
            let high = if bits == 0 { 0 } else { at(index + 1) << (64 - bits) };
            at(index) >> bits | high
        }))
    }

    /// The quotient, without its remainder. Nothing is divided by zero.
    #[must_use]
    pub(crate) fn over(self, divisor: Self) -> Self {
        let (mut quotient, mut rest) = (Self::ZERO, self);
        let Some(mut shift) = self.bits().checked_sub(divisor.bits()).filter(|_| divisor != Self::ZERO) else {
            return quotient;
        };
        let mut part = divisor.up(shift);
        loop {
            quotient = quotient.up(1);
            if rest.order(part).is_ge() {
                rest = rest.minus(part);
                quotient.0[0] |= 1;
            }
            if shift == 0 {
                return quotient;
            }
            shift -= 1;
            part = part.down(1);
        }
    }

    /// The quotient by a small number, which is not zero.
    #[must_use]
    pub(crate) fn over_small(self, divisor: u64) -> Self {
        let mut quotient = Self::ZERO;
        let mut rest = 0_u128;
        for (quotient, word) in quotient.0.iter_mut().zip(self.0).rev() {
            let value = rest << 64 | u128::from(word);
            #[expect(clippy::cast_possible_truncation, reason = "the rest is below the divisor")]
            let digit = (value / u128::from(divisor)) as u64;
            *quotient = digit;
            rest = value % u128::from(divisor);
        }
        quotient
    }

    /// The order of two numbers.
    pub(crate) fn order(self, other: Self) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }

    /// The quotient, rounded half up.
    #[must_use]
    pub(crate) fn rounded_over(self, divisor: Self) -> Self {
        self.up(1).plus(divisor).over(divisor.up(1))
    }

    /// The square root, rounded to the nearest whole number.
    #[must_use]
    pub(crate) fn root(self) -> Self {
        let (mut root, mut rest) = (Self::ZERO, self);
        let mut bit = self.bits().saturating_sub(1) & !1;
        loop {
            let part = root.plus(Self::new(1).up(bit));
            root = root.down(1);
            if rest.order(part).is_ge() {
                rest = rest.minus(part);
                root = root.plus(Self::new(1).up(bit));
            }
            if bit == 0 {
                break;
            }
            bit -= 2;
        }
        // With the rest above the root, the number lies above the square of the root and a half.
        if rest.order(root).is_gt() { root.plus(Self::new(1)) } else { root }
    }
}

/// A fixed-point number with a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// Whether it is below zero.
    pub(crate) negative: bool,
    /// The number without its sign, times two to the power of [`POINT`].
    pub(crate) magnitude: Wide,
}

impl Fixed {
    /// `unscaled / unit`, for a unit of at most 10^38.
    pub(crate) fn ratio(unscaled: i128, unit: u128) -> Self {
        let magnitude = Wide::new(unscaled.unsigned_abs()).up(POINT).over(Wide::new(unit));
        Self { negative: unscaled < 0, magnitude }
    }

    /// The natural logarithm of `unscaled / unit`, both above zero.
    pub(crate) fn logarithm(unscaled: u128, unit: u128) -> Self {
        let (top, bottom) = (Wide::new(unscaled), Wide::new(unit));
        // The number is `m * 2^power` with `m` in 1..4, nearer to 1 for numbers near 1, where digits matter most.
        let power = i64::from(top.bits()) - i64::from(bottom.bits());
        let (top, bottom) = match power {
            -1 => (top, bottom),
            _ if power >= 0 => (top, bottom.up(power.unsigned_abs() as u32)),
            _ => (top.up(power.unsigned_abs() as u32), bottom),
        };
        let power = if power == -1 { 0 } else { power };
        // ln m = 2 artanh((m - 1) / (m + 1)).
        let negative = top.order(bottom).is_lt();
        let distance = if negative { bottom.minus(top) } else { top.minus(bottom) };
        let z = distance.up(POINT).over(top.plus(bottom));
        let square = z.times(z).down(POINT);
        let (mut sum, mut term, mut odd) = (z, z, 1);
        while term != Wide::ZERO {
            term = term.times(square).down(POINT);
            odd += 2;
            sum = sum.plus(term.over_small(odd));
        }
        let small = Self { negative, magnitude: sum.up(1) };
        let magnitude = LN_2.times(Wide::new(power.unsigned_abs().into()));
        small.plus(Self { negative: power < 0, magnitude })
    }

    /// The sum.
    #[must_use]
    pub(crate) fn plus(self, other: Self) -> Self {
        if self.negative == other.negative {
            return Self { magnitude: self.magnitude.plus(other.magnitude), ..self };
        }
        match self.magnitude.order(other.magnitude) {
            Ordering::Less => Self { magnitude: other.magnitude.minus(self.magnitude), ..other },
            _ => Self { magnitude: self.magnitude.minus(other.magnitude), ..self },
        }
    }

    /// Times `unscaled / unit`, for a unit of at most 10^38.
    #[must_use]
    pub(crate) fn scaled(self, unscaled: i128, unit: u128) -> Self {
        let magnitude = self.magnitude.times(Wide::new(unscaled.unsigned_abs())).over(Wide::new(unit));
        Self { negative: self.negative != (unscaled < 0), magnitude }
    }

    /// The number times `unit`, rounded half away from zero, if it has at most 127 bits.
    pub(crate) fn rounded(self, unit: u128) -> Option<i128> {
        let half = Wide::ONE.down(1);
        let whole = self.magnitude.times(Wide::new(unit)).plus(half).down(POINT).to_u128()?;
        let whole = i128::try_from(whole).ok()?;
        Some(if self.negative { -whole } else { whole })
    }

    /// `e` to this power, times `unit`, rounded; `None` where it has more than 127 bits.
    pub(crate) fn exponential(self, unit: u128) -> Option<i128> {
        /// Halvings of the argument before the series, and squarings after it.
        const HALVINGS: u32 = 8;
        // The number is `power * ln 2 + rest` with the rest in 0..ln 2.
        let whole = self.magnitude.over(LN_2);
        let rest = self.magnitude.minus(whole.times(LN_2));
        let whole = i64::try_from(whole.to_u128()?).ok().filter(|whole| *whole < 1 << 20)?;
        let (power, rest) = match (self.negative, rest == Wide::ZERO) {
            (false, _) => (whole, rest),
            (true, true) => (-whole, rest),
            (true, false) => (-whole - 1, LN_2.minus(rest)),
        };
        let small = rest.down(HALVINGS);
        let (mut sum, mut term, mut count) = (Wide::ONE, Wide::ONE, 0);
        while term != Wide::ZERO {
            count += 1;
            term = term.times(small).down(POINT).over_small(count);
            sum = sum.plus(term);
        }
        for _ in 0..HALVINGS {
            sum = sum.times(sum).down(POINT);
        }
        // `sum * unit` has at most 353 bits, and only results of less than 128 bits matter.
        let product = sum.times(Wide::new(unit));
        let drop = i64::from(POINT) - power;
        let rounded = match u32::try_from(drop) {
            Ok(0) => product,
            Ok(drop) if drop <= 511 => product.down(drop - 1).plus(Wide::new(1)).down(1),
            Ok(_) => Wide::ZERO,
            Err(_) => return None,
        };
        i128::try_from(rounded.to_u128()?).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_two_is_its_series() {
        let third = Wide::ONE.over_small(3);
        let (mut sum, mut term, mut odd) = (third, third, 1);
        while term != Wide::ZERO {
            term = term.over_small(9);
            odd += 2;
            sum = sum.plus(term.over_small(odd));
        }
        let (series, known) = (sum.up(1), LN_2);
        let distance = if series.order(known).is_lt() { known.minus(series) } else { series.minus(known) };
        assert!(distance.bits() < 10, "{distance:?}");
    }

    #[test]
    fn roots_logarithms_and_exponentials_have_their_digits() {
        let ten = 10_u128.pow(30);
        assert_eq!(
            Wide::new(2).times(Wide::new(ten)).times(Wide::new(ten)).root().to_u128(),
            Some(1414213562373095048801688724210)
        );
        assert_eq!(Fixed::logarithm(10, 1).rounded(ten), Some(2302585092994045684017991454684));
        assert_eq!(Fixed::logarithm(1, 10).rounded(ten), Some(-2302585092994045684017991454684));
        assert_eq!(Fixed::logarithm(1, 1).rounded(ten), Some(0));
        assert_eq!(Fixed::ratio(1, 1).exponential(ten), Some(2718281828459045235360287471353));
        assert_eq!(Fixed::ratio(-5, 2).exponential(ten), Some(82084998623898795169528674467));
        assert_eq!(Fixed::ratio(1000, 1).exponential(1), None);
    }

    #[test]
    fn division_undoes_multiplication() {
        for (left, right) in [(u128::MAX, 3), (7, u128::MAX), (1 << 100, 1), (0, 5)] {
            let (a, b) = (Wide::new(left), Wide::new(right));
            assert_eq!(a.times(b).over(b), a);
            assert_eq!(a.times(b).plus(b.down(1)).over(b), a);
        }
    }
}
