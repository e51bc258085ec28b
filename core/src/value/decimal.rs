//! Exact decimals of up to 38 digits: an unscaled `i128` and a scale. Rounding is half away from zero, as PostgreSQL's.

use crate::column::Fault;

/// An exact number: `unscaled / 10^scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The digits, as a whole number of at most 38 digits.
    pub unscaled: i128,
    /// Digits after the point, at most 38.
    pub scale: u8,
}

impl Decimal {
    /// Reads a number as PostgreSQL's `numeric` does: sign, digits, point, exponent. The scale is that of the text.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        todo!()
    }

    /// Prints the number with all digits of its scale.
    pub fn print(self) -> String {
        todo!()
    }

    /// The same number at another scale, rounded half away from zero; `None` when it has more than 38 digits.
    #[must_use]
    pub fn rescale(self, scale: u8) -> Option<Self> {
        todo!()
    }

    /// The number at `scale`, if it has no digits other than zeros beyond it and fits 38 digits.
    #[must_use]
    pub fn rescale_exact(self, scale: u8) -> Option<Self> {
        todo!()
    }

    /// Whether the number has at most `precision` digits in all.
    pub fn fits(self, precision: u8) -> bool {
        todo!()
    }
}
