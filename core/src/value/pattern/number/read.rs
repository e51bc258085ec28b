//! Read: texts that are numbers by their pattern.

use super::Anchor;
use super::Item;
use super::NumberPattern;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::DECIMAL_PRECISION_MAX;
use crate::value::Decimal;
use crate::value::text::quote;

impl NumberPattern {
    /// The number that a text is by this pattern; `None` for an empty pattern.
    pub(crate) fn read(&self, text: &str) -> Result<Option<Decimal>, Fault> {
        if self.is_empty {
            return Ok(None);
        }
        let read = Reading::new(self, text.as_bytes()).run();
        let scale = read.post;
        let number: String =
            [read.sign].into_iter().chain(read.digits.iter().map(|&digit| char::from(digit))).collect();
        let number = number.strip_suffix('.').unwrap_or(&number);
        let value = Decimal::parse(number.as_bytes()).map_err(|fault| match fault.code {
            Code::NotAValue => {
                Fault::new(fault.code, format!("{} is not a number by its pattern", quote(text.as_bytes())))
            }
            _ => fault,
        })?;
        let whole =
            i128::try_from(self.pre + self.shift).ok().and_then(|pre| 10_i128.checked_pow(u32::try_from(pre).ok()?));
        let limit = whole.and_then(|whole| whole.checked_mul(10_i128.checked_pow(u32::try_from(scale).ok()?)?));
        let value = u8::try_from(scale).ok().and_then(|scale| value.rescale(scale));
        let value = value.filter(|value| limit.is_none_or(|limit| value.unscaled.abs() < limit));
        let value = value.ok_or_else(|| Fault::new(Code::OutOfRange, "numeric field overflow"))?;
        if !self.has_shift {
            return Ok(Some(value));
        }
        // The power has sixteen digits, as PostgreSQL's has.
        let shift = u8::try_from(self.shift).unwrap_or(u8::MAX);
        let power = shift.max(16);
        let shifted =
            10_i128.checked_pow(u32::from(power - shift)).and_then(|factor| value.unscaled.checked_mul(factor));
        let shifted = shifted.map(|unscaled| Decimal { unscaled, scale: value.scale.saturating_add(power) });
        let shifted = shifted.filter(|value| value.scale <= DECIMAL_PRECISION_MAX);
        shifted.map(Some).ok_or_else(|| Fault::new(Code::OutOfRange, "numeric field overflow"))
    }
}

/// A text on its way into a number.
struct Reading<'a> {
    pattern: &'a NumberPattern,
    text: &'a [u8],
    at: usize,
    sign: char,
    digits: Vec<u8>,
    /// Digits read before and behind the point.
    pre: usize,
    post: usize,
    has_point: bool,
}

impl<'a> Reading<'a> {
    fn new(pattern: &'a NumberPattern, text: &'a [u8]) -> Self {
        Self { pattern, text, at: 0, sign: ' ', digits: Vec::new(), pre: 0, post: 0, has_point: false }
    }

    fn run(mut self) -> Self {
        for item in &self.pattern.items {
            if self.at >= self.text.len() {
                break;
            }
            match item {
                Item::Place(_) | Item::Point => {
                    self.place(*item == Item::Point);
                    self.at += 1;
                }
                // A comma before the first digit is passed over, unless `FM` is said.
                Item::Group if self.pattern.has_fill => {}
                Item::Group => self.at += usize::from(self.next() == Some(b',')),
                Item::Currency => self.skip(1),
                Item::Ordinal(_) if self.pattern.has_point || self.sign == '-' => {}
                Item::Ordinal(_) => self.skip(2),
                Item::Minus => self.sign(b"-"),
                Item::Plus => self.sign(b"+"),
                Item::Sign => self.sign(b"-+"),
                Item::Other(_) => self.at += self.width(),
                Item::Roman(_) => {}
            }
        }
        self
    }

    fn next(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The bytes of the character ahead.
    fn width(&self) -> usize {
        let is_inside = |byte: &&u8| **byte & 0xc0 == 0x80;
        1 + self.text.get(self.at + 1..).map_or(0, |rest| rest.iter().take_while(is_inside).count())
    }

    /// Passes over characters that belong to no number.
    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            match self.next() {
                Some(byte) if !b"0123456789.,+-".contains(&byte) => self.at += self.width(),
                _ => break,
            }
        }
    }

    fn sign(&mut self, signs: &[u8]) {
        match self.next() {
            Some(byte) if signs.contains(&byte) => {
                self.sign = byte.into();
                self.at += 1;
            }
            _ => self.skip(1),
        }
    }

    fn place(&mut self, is_point: bool) {
        self.at += usize::from(self.next() == Some(b' '));
        let pattern = self.pattern;
        if self.sign == ' ' && self.pre + self.post == 0 && !is_point {
            let is_bracket = pattern.has_brackets && self.next() == Some(b'<');
            match self.next() {
                Some(b'-') => self.sign = '-',
                Some(b'+') => self.sign = '+',
                _ if is_bracket => self.sign = '-',
                _ => self.at = self.at.wrapping_sub(1),
            }
            self.at = self.at.wrapping_add(1);
        }
        let mut is_read = false;
        match self.next() {
            None => return,
            Some(byte) if byte.is_ascii_digit() => {
                if self.has_point && self.post == pattern.post {
                    return;
                }
                self.digits.push(byte);
                if self.has_point {
                    self.post += 1;
                } else {
                    self.pre += 1;
                }
                is_read = true;
            }
            Some(b'.') if pattern.has_point && !self.has_point => {
                self.digits.push(b'.');
                self.has_point = true;
                is_read = true;
            }
            _ => {}
        }
        if self.sign != ' ' || self.pre + self.post == 0 {
            return;
        }
        let behind = self.text.get(self.at + 1).copied();
        let is_anchored = pattern.anchor != Anchor::None;
        match (behind, self.next()) {
            (Some(sign @ (b'-' | b'+')), _) if is_anchored && is_read => {
                self.at += 1;
                self.sign = sign.into();
            }
            (_, Some(sign @ (b'-' | b'+'))) if !is_read && (pattern.has_minus || pattern.has_plus) => {
                self.sign = sign.into()
            }
            _ => {}
        }
    }
}
