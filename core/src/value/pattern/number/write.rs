//! Write: numbers by their pattern.

use std::fmt::Write;

use super::Anchor;
use super::Item;
use super::NumberPattern;
use super::OVERFLOW;
use super::ROMAN_WIDTH;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::Decimal;
use crate::value::float;

/// Digits of a floating-point number of 64 bits, and of one of 32 bits, that are certain.
const DOUBLE_DIGITS: usize = 15;
const REAL_DIGITS: usize = 6;

/// The digits of a number and its sign, as a pattern takes them.
struct Number {
    text: String,
    sign: char,
}

impl NumberPattern {
    /// Appends an exact number.
    pub(crate) fn write_decimal(&self, value: Decimal, out: &mut String) -> Result<(), Fault> {
        let beyond = || Fault::new(Code::OutOfRange, "the number is out of range for its pattern");
        if self.has_roman {
            let whole = value.rescale(0).and_then(|whole| i32::try_from(whole.unscaled).ok());
            self.write_roman(whole.ok_or_else(|| Fault::new(Code::OutOfRange, "integer out of range"))?, out);
            return Ok(());
        }
        if self.has_exponent {
            scientific(value, self.post, out);
            return Ok(());
        }
        let shift = u8::try_from(self.shift).map_err(|_| beyond())?;
        let value = match shift > value.scale {
            true => {
                let factor = 10_i128.checked_pow(u32::from(shift - value.scale));
                let unscaled = factor.and_then(|factor| value.unscaled.checked_mul(factor)).ok_or_else(beyond)?;
                Decimal { unscaled, scale: 0 }
            }
            false => Decimal { scale: value.scale - shift, ..value },
        };
        let post = u8::try_from(self.post).unwrap_or(u8::MAX);
        let rounded = if post < value.scale { value.rescale(post).ok_or_else(beyond)? } else { value };
        let mut text = rounded.print();
        if self.post > 0 {
            text.push_str(if rounded.scale == 0 { "." } else { "" });
            text.extend(std::iter::repeat_n('0', self.post - usize::from(rounded.scale)));
        }
        self.write(&text, self.post, out)
    }

    /// Appends a whole number of 32 bits.
    pub(crate) fn write_integer(&self, value: i32, out: &mut String) -> Result<(), Fault> {
        if self.has_roman {
            self.write_roman(value, out);
            return Ok(());
        }
        if self.has_exponent {
            exponential(value.into(), self.post, out);
            return Ok(());
        }
        // The factor ends at the ends of its type, and the product runs over.
        let factor = 10_i32.checked_pow(u32::try_from(self.shift).unwrap_or(u32::MAX)).unwrap_or(i32::MIN);
        self.write_whole(value.wrapping_mul(factor).into(), out)
    }

    /// Appends a whole number of 64 bits.
    pub(crate) fn write_bigint(&self, value: i64, out: &mut String) -> Result<(), Fault> {
        if self.has_roman || self.has_exponent {
            return self.write_decimal(Decimal { unscaled: value.into(), scale: 0 }, out);
        }
        let factor = 10_i64.checked_pow(u32::try_from(self.shift).unwrap_or(u32::MAX));
        let value = factor.and_then(|factor| value.checked_mul(factor));
        self.write_whole(value.ok_or_else(|| Fault::new(Code::OutOfRange, "bigint out of range"))?, out)
    }

    fn write_whole(&self, value: i64, out: &mut String) -> Result<(), Fault> {
        let mut text = value.to_string();
        if self.post > 0 {
            text.push('.');
            text.extend(std::iter::repeat_n('0', self.post));
        }
        self.write(&text, self.post, out)
    }

    /// Appends `NaN` or an infinity that is an exact number.
    pub(crate) fn write_special(&self, value: f64, out: &mut String) -> Result<(), Fault> {
        if self.has_roman {
            let fact = format!("cannot convert {} to integer", if value.is_nan() { "NaN" } else { "infinity" });
            return Err(Fault::new(Code::NotForValues, fact));
        }
        self.write_double(value, out)
    }

    /// Appends a floating-point number of 64 bits.
    pub(crate) fn write_double(&self, value: f64, out: &mut String) -> Result<(), Fault> {
        self.write_float(value, value * 10_f64.powi(self.shift_exponent()), DOUBLE_DIGITS, out)
    }

    /// Appends a floating-point number of 32 bits, which also has the product with the pattern's power of ten.
    pub(crate) fn write_real(&self, value: f32, out: &mut String) -> Result<(), Fault> {
        let shifted = value * 10_f32.powi(self.shift_exponent());
        self.write_float(value.into(), shifted.into(), REAL_DIGITS, out)
    }

    fn shift_exponent(&self) -> i32 {
        i32::try_from(self.shift).unwrap_or(i32::MAX)
    }

    /// Appends a number that has so many certain digits; `shifted` is it times the pattern's power of ten.
    fn write_float(&self, value: f64, shifted: f64, digits: usize, out: &mut String) -> Result<(), Fault> {
        if self.has_roman {
            #[expect(clippy::cast_possible_truncation, reason = "what is out of range has no Roman number")]
            self.write_roman(value.round_ties_even() as i32, out);
            return Ok(());
        }
        if self.has_exponent {
            match value.is_finite() {
                true => exponential(value, self.post, out),
                false => out.extend((0..self.pre + self.post + 6).map(|at| match at {
                    0 => ' ',
                    _ if at == self.pre + 1 => '.',
                    _ => OVERFLOW,
                })),
            }
            return Ok(());
        }
        let value = shifted;
        let print = |value: f64, post: usize| match value.is_finite() {
            true => format!("{value:.post$}"),
            false => float::print_double(value),
        };
        let length = print(value.abs(), 0).len();
        let post = if length >= digits { 0 } else { self.post.min(digits - length) };
        self.write(&print(value, post), post, out)
    }

    /// A Roman number has no sign, and nothing is written from where one would be.
    fn write_roman(&self, value: i32, out: &mut String) {
        let number = roman(value);
        for item in &self.items {
            match item {
                Item::Roman(is_small) => {
                    let text = if *is_small { number.to_ascii_lowercase() } else { number.clone() };
                    let width = if self.has_fill { 0 } else { ROMAN_WIDTH };
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{text:>width$}");
                }
                Item::Group if !self.has_fill => out.push(' '),
                Item::Currency => out.push(' '),
                Item::Minus | Item::Plus if !self.has_fill => out.push(' '),
                Item::Other(char) => out.push(*char),
                Item::Sign => return,
                _ => {}
            }
        }
    }

    /// Walks over the digits with the places.
    fn write(&self, printed: &str, post: usize, out: &mut String) -> Result<(), Fault> {
        let pre = self.pre + self.shift;
        let (sign, unsigned) = printed.strip_prefix('-').map_or(('+', printed), |unsigned| ('-', unsigned));
        let before = unsigned.find('.').unwrap_or(unsigned.len());
        let mut text = unsigned.to_owned();
        if before > pre {
            text = std::iter::repeat_n(OVERFLOW, pre).chain(['.']).chain(std::iter::repeat_n(OVERFLOW, post)).collect();
        }
        let walk = Walk::new(self, Number { text, sign }, pre, post, pre.saturating_sub(before));
        let start = out.len();
        walk.run(out)?;
        // What stands behind the end of the number is never seen.
        if let Some(end) = out.get(start..).and_then(|written| written.find('\0')) {
            out.truncate(start + end);
        }
        Ok(())
    }
}

/// A number on its way into a text.
struct Walk<'a> {
    pattern: &'a NumberPattern,
    number: Number,
    /// The number's characters, and the place of the next.
    digits: Vec<char>,
    at: usize,
    /// Places that were passed, and those that stay blank before the number.
    place: usize,
    blanks: usize,
    count: usize,
    post: usize,
    zero_start: usize,
    anchor: Anchor,
    has_brackets: bool,
    /// Whether the sign is written, or needs not to be.
    is_signed: bool,
    /// The last character that `FM` keeps behind the point.
    last: Option<usize>,
    /// Whether a digit was written at the last place.
    is_in: bool,
}

impl<'a> Walk<'a> {
    fn new(pattern: &'a NumberPattern, number: Number, pre: usize, post: usize, blanks: usize) -> Self {
        let digits: Vec<char> = number.text.chars().collect();
        let has_sign = pattern.has_plus || pattern.has_minus;
        let (mut anchor, mut has_brackets) = (pattern.anchor, pattern.has_brackets);
        let is_signed = if has_sign {
            pattern.has_minus
        } else {
            has_brackets &= number.sign == '-' || !pattern.has_fill;
            if anchor == Anchor::Before && pre == pattern.before_anchor {
                anchor = Anchor::Behind;
            }
            number.sign == '+' && pattern.has_fill && anchor == Anchor::None
        };
        let mut last = None;
        if pattern.has_fill && pattern.has_point {
            last = digits.iter().position(|&digit| digit == '.');
            if let Some(point) = last {
                let behind = digits.iter().rposition(|&digit| digit != '0').filter(|&at| at > point).unwrap_or(point);
                let zero = match pattern.zero_end > blanks {
                    true => (digits.len() - 1).min(pattern.zero_end - blanks),
                    false => 0,
                };
                last = Some(behind.max(zero));
            }
        }
        let count = (post + pre + usize::from(!is_signed && blanks == 0)).saturating_sub(1);
        Self {
            pattern,
            number,
            digits,
            at: 0,
            place: 0,
            blanks,
            count,
            post,
            zero_start: pattern.zero_start.saturating_sub(1),
            anchor,
            has_brackets,
            is_signed,
            last,
            is_in: false,
        }
    }

    fn run(mut self, out: &mut String) -> Result<(), Fault> {
        let has_fill = self.pattern.has_fill;
        for item in &self.pattern.items {
            match item {
                Item::Place(is_zero) => self.place(*is_zero, out),
                Item::Point => self.place(false, out),
                Item::Group if self.is_in => out.push(','),
                Item::Group if has_fill => {}
                Item::Group | Item::Currency => out.push(' '),
                Item::Ordinal(is_small) => {
                    let is_whole = self.digits.first() != Some(&OVERFLOW) && self.number.sign != '-';
                    if is_whole && !self.pattern.has_point {
                        let ending = ordinal(&self.number.text)?;
                        out.push_str(&if *is_small { ending.to_owned() } else { ending.to_ascii_uppercase() });
                    }
                }
                Item::Minus if self.number.sign == '-' => out.push('-'),
                Item::Plus if self.number.sign == '+' => out.push('+'),
                Item::Minus | Item::Plus if has_fill => {}
                Item::Minus | Item::Plus => out.push(' '),
                Item::Sign => out.push(self.number.sign),
                Item::Other(char) => out.push(*char),
                Item::Roman(_) => {}
            }
        }
        Ok(())
    }

    fn digit(&self, at: usize) -> char {
        self.digits.get(at).copied().unwrap_or('\0')
    }

    /// Whether the number begins with a zero that is not written before its point.
    fn is_bare(&self) -> bool {
        !self.pattern.has_zero && self.at == 0 && self.digit(0) == '0' && self.post != 0
    }

    /// A digit, a point, or a blank or a zero before the number.
    fn place(&mut self, is_zero: bool, out: &mut String) {
        let has_fill = self.pattern.has_fill;
        self.is_in = false;
        let ends_in_point = self.last.is_some_and(|last| self.digit(last) == '.');
        let starts = self.place >= self.blanks || (self.pattern.has_zero && self.zero_start == self.place);
        if !self.is_signed && starts && (!self.is_bare() || ends_in_point) {
            self.sign(out);
        }
        if self.place < self.blanks && (self.zero_start > self.place || !self.pattern.has_zero) {
            out.extend((!has_fill).then_some(' '));
        } else if self.pattern.has_zero && self.place < self.blanks && self.zero_start <= self.place {
            out.push('0');
            self.is_in = true;
        } else {
            if self.digit(self.at) == '.' {
                if !ends_in_point || has_fill {
                    out.push('.');
                }
            } else if self.last.is_some_and(|last| self.at > last) && !is_zero {
            } else if self.is_bare() {
                if !has_fill {
                    out.push(' ');
                } else if ends_in_point {
                    out.push('0');
                }
            } else {
                out.push(self.digit(self.at));
                self.is_in = true;
            }
            self.at = (self.at + 1).min(self.digits.len());
        }
        let mut end = self.count + usize::from(self.blanks > 0) + usize::from(self.pattern.has_point);
        if self.last == Some(self.at) {
            end = self.place;
        }
        if self.place + 1 == end {
            if self.is_signed && self.has_brackets {
                out.push(if self.number.sign == '+' { ' ' } else { '>' });
            } else if self.anchor == Anchor::Behind {
                out.push(self.number.sign);
            }
        }
        self.place += 1;
    }

    fn sign(&mut self, out: &mut String) {
        let sign = self.number.sign;
        match self.anchor {
            Anchor::Behind => return,
            Anchor::Before => out.push(sign),
            Anchor::None if self.has_brackets => out.push(if sign == '+' { ' ' } else { '<' }),
            Anchor::None if sign == '-' => out.push('-'),
            Anchor::None => out.extend((!self.pattern.has_fill).then_some(' ')),
        }
        self.is_signed = true;
    }
}

/// A Roman number, or what stands for one that there is not.
fn roman(number: i32) -> String {
    const LETTERS: [(i32, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    if !(1..=3999).contains(&number) {
        return std::iter::repeat_n(OVERFLOW, ROMAN_WIDTH).collect();
    }
    let mut rest = number;
    let mut text = String::new();
    for (value, letters) in LETTERS {
        while rest >= value {
            text.push_str(letters);
            rest -= value;
        }
    }
    text
}

/// The ending of an ordinal number.
fn ordinal(number: &str) -> Result<&'static str, Fault> {
    let bytes = number.as_bytes();
    let is_teen = bytes.len() > 1 && bytes.get(bytes.len() - 2) == Some(&b'1');
    match bytes.last() {
        Some(b'1') if !is_teen => Ok("st"),
        Some(b'2') if !is_teen => Ok("nd"),
        Some(b'3') if !is_teen => Ok("rd"),
        Some(b'0'..=b'9') => Ok("th"),
        _ => Err(Fault::new(Code::NotAValue, "a number without a place has no ordinal")),
    }
}

/// Appends a floating-point number with an exponent, behind its sign or a blank.
fn exponential(value: f64, post: usize, out: &mut String) {
    let text = format!("{value:.post$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse::<i32>().unwrap_or(0);
    // Writing to a String cannot fail, here and below.
    let _ = write!(out, "{}{mantissa}e{exponent:+03}", if mantissa.starts_with('-') { "" } else { " " });
}

/// Appends an exact number with an exponent. One that is rounded up to ten keeps its exponent, as PostgreSQL's does.
fn scientific(value: Decimal, post: usize, out: &mut String) {
    let digits = value.unscaled.unsigned_abs().to_string();
    let exponent = match value.unscaled {
        0 => 0,
        _ => i64::try_from(digits.len()).unwrap_or(0) - 1 - i64::from(value.scale),
    };
    let scale = u8::try_from(digits.len() - 1).unwrap_or(0);
    let significand = Decimal { unscaled: value.unscaled, scale: if value.unscaled == 0 { 0 } else { scale } };
    let kept = u8::try_from(post).unwrap_or(u8::MAX);
    let rounded = if kept < significand.scale { significand.rescale(kept) } else { Some(significand) };
    let rounded = rounded.unwrap_or(significand);
    let mut text = rounded.print();
    if post > usize::from(rounded.scale) {
        text.push_str(if rounded.scale == 0 { "." } else { "" });
        text.extend(std::iter::repeat_n('0', post - usize::from(rounded.scale)));
    }
    let _ = write!(out, "{}{text}e{exponent:+03}", if text.starts_with('-') { "" } else { " " });
}
