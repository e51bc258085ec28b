//! Picture: the patterns of `to_char` and `to_number` for numbers, such as `FM999G990D00`.
//!
//! They mean what they mean to PostgreSQL in its `C` locale, also where that is odd: the digits are walked over with the
//! places of the pattern, and a sign is written where the first digit is.

use std::fmt::Write;

use super::Decimal;
use super::text::quote;
use crate::column::Fault;
use crate::diagnostic::Code;

/// What fills the places of a number that has more digits than its pattern.
const OVERFLOW: char = '#';
/// The width of a Roman number.
const ROMAN_WIDTH: usize = 15;
/// The longest pattern whose places are counted.
const PLACES_MAX: usize = 10_000;

/// A piece of a pattern that is written or read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// `9`, and `0` for which it is true.
    Place(bool),
    /// `.` and `D`.
    Point,
    /// `,` and `G`.
    Group,
    /// `L`.
    Currency,
    /// `RN`, or `rn` in small letters.
    Roman(bool),
    /// `TH`, or `th` in small letters.
    Ordinal(bool),
    /// `MI`.
    Minus,
    /// `PL`.
    Plus,
    /// `SG`.
    Sign,
    /// Anything that is no pattern.
    Other(char),
}

/// Where `S` stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    None,
    Before,
    Behind,
}

/// A pattern that was read.
#[derive(Debug, Clone)]
pub struct Picture {
    items: Vec<Item>,
    /// Places before and behind the point.
    pre: usize,
    post: usize,
    /// The first `0` before the point, counted from 1, and the last place that is a `0`.
    zero_start: usize,
    zero_end: usize,
    /// Places behind `V`.
    shift: usize,
    anchor: Anchor,
    /// Places before `S`.
    before_anchor: usize,
    is_empty: bool,
    /// Whether `B` stands before all places.
    is_blank: bool,
    has_zero: bool,
    has_point: bool,
    has_fill: bool,
    has_shift: bool,
    has_brackets: bool,
    has_minus: bool,
    has_plus: bool,
    has_roman: bool,
    has_exponent: bool,
}

/// The digits of a number and its sign, as a pattern takes them.
struct Number {
    text: String,
    sign: char,
}

impl Picture {
    /// Reads a pattern; `Err` is why it is none.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        const WORDS: [&str; 20] = [
            ",", ".", "0", "9", "B", "C", "D", "EEEE", "FM", "G", "L", "MI", "PL", "PR", "RN", "SG", "SP", "S", "TH",
            "V",
        ];
        let mut picture = Self {
            items: Vec::new(),
            pre: 0,
            post: 0,
            zero_start: 0,
            zero_end: 0,
            shift: 0,
            anchor: Anchor::None,
            before_anchor: 0,
            is_empty: pattern.is_empty(),
            is_blank: false,
            has_zero: false,
            has_point: false,
            has_fill: false,
            has_shift: false,
            has_brackets: false,
            has_minus: false,
            has_plus: false,
            has_roman: false,
            has_exponent: false,
        };
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let is_small = first.is_ascii_lowercase();
            let is_word = |word: &&str| match is_small {
                true => rest.starts_with(&word.to_ascii_lowercase()),
                false => rest.starts_with(*word),
            };
            match WORDS.into_iter().find(|word| is_word(word)) {
                Some(word) => {
                    rest = rest.get(word.len()..).unwrap_or_default();
                    picture.add(word, is_small)?;
                }
                None if first == '"' => {
                    let mut chars = rest.chars();
                    chars.next();
                    while let Some(char) = chars.next() {
                        match char {
                            '"' => break,
                            '\\' => picture.items.push(Item::Other(chars.next().unwrap_or('\\'))),
                            _ => picture.items.push(Item::Other(char)),
                        }
                    }
                    rest = chars.as_str();
                }
                None => {
                    let first = if rest.starts_with("\\\"") { '"' } else { first };
                    rest =
                        rest.strip_prefix("\\\"").unwrap_or_else(|| rest.get(first.len_utf8()..).unwrap_or_default());
                    picture.items.push(Item::Other(first));
                }
            }
        }
        match picture.pre + picture.post + picture.shift > PLACES_MAX {
            true => Err(format!("the pattern has more than {PLACES_MAX} places")),
            false => Ok(picture),
        }
    }

    fn add(&mut self, word: &str, is_small: bool) -> Result<(), String> {
        let wrong = |fact: &str| Err(format!("a pattern of a number: {fact}"));
        let has_sign = self.has_plus || self.has_minus;
        if self.has_exponent && word != "EEEE" {
            return wrong("`EEEE` must be the last");
        }
        match word {
            "9" | "0" if self.has_brackets => return wrong("`PR` stands behind the digits"),
            "9" if self.has_shift => self.shift += 1,
            "9" if self.has_point => self.post += 1,
            "9" => self.pre += 1,
            "0" => {
                if !self.has_zero && !self.has_point {
                    self.has_zero = true;
                    self.zero_start = self.pre + 1;
                }
                if self.has_point {
                    self.post += 1;
                } else {
                    self.pre += 1;
                }
                self.zero_end = self.pre + self.post;
            }
            "." | "D" if self.has_point => return wrong("there is more than one point"),
            "." | "D" if self.has_shift => return wrong("`V` and a point do not go together"),
            "." | "D" => self.has_point = true,
            "B" => self.is_blank |= self.pre + self.post == 0 && !self.has_zero,
            "FM" => self.has_fill = true,
            "S" if self.anchor != Anchor::None => return wrong("there is more than one `S`"),
            "S" if has_sign || self.has_brackets => {
                return wrong("`S` and `PL`, `MI`, `SG` or `PR` do not go together");
            }
            "S" => {
                self.anchor = if self.has_point { Anchor::Behind } else { Anchor::Before };
                self.before_anchor = self.pre;
            }
            "MI" | "PL" | "SG" if self.anchor != Anchor::None => {
                return wrong("`S` and `PL`, `MI` or `SG` do not go together");
            }
            "MI" => self.has_minus = true,
            "PL" => self.has_plus = true,
            "SG" => (self.has_minus, self.has_plus) = (true, true),
            "PR" if self.anchor != Anchor::None || has_sign => {
                return wrong("`PR` and `S`, `PL`, `MI` or `SG` do not go together");
            }
            "PR" => self.has_brackets = true,
            "RN" => self.has_roman = true,
            "V" if self.has_point => return wrong("`V` and a point do not go together"),
            "V" => self.has_shift = true,
            "EEEE" if self.has_exponent => return wrong("there is more than one `EEEE`"),
            "EEEE" => {
                let is_plain = !self.has_fill && self.anchor == Anchor::None && !self.has_brackets && !has_sign;
                if !is_plain || self.is_blank || self.has_roman || self.has_shift {
                    return wrong("`EEEE` goes with digits and a point only");
                }
                self.has_exponent = true;
            }
            _ => {}
        }
        self.items.extend(match word {
            "9" | "0" => Some(Item::Place(word == "0")),
            "." | "D" => Some(Item::Point),
            "," | "G" => Some(Item::Group),
            "L" => Some(Item::Currency),
            "RN" => Some(Item::Roman(is_small)),
            "TH" => Some(Item::Ordinal(is_small)),
            "MI" => Some(Item::Minus),
            "PL" => Some(Item::Plus),
            "SG" => Some(Item::Sign),
            _ => None,
        });
        Ok(())
    }

    /// Whether numbers can be read by it.
    pub fn can_read(&self) -> bool {
        !self.has_roman && !self.has_exponent
    }

    /// Appends an exact number.
    pub fn write_decimal(&self, value: Decimal, out: &mut String) -> Result<(), Fault> {
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
    pub fn write_integer(&self, value: i32, out: &mut String) -> Result<(), Fault> {
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
    pub fn write_bigint(&self, value: i64, out: &mut String) -> Result<(), Fault> {
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

    /// Appends a floating-point number that has so many certain digits.
    pub fn write_double(&self, value: f64, digits: usize, out: &mut String) -> Result<(), Fault> {
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
        let value = value * 10_f64.powi(i32::try_from(self.shift).unwrap_or(i32::MAX));
        let print = |value: f64, post: usize| match value.is_finite() {
            true => format!("{value:.post$}"),
            false => super::float::print_double(value),
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

    /// The number that a text is by this pattern; `None` for an empty pattern.
    pub fn read(&self, text: &str) -> Result<Option<Decimal>, Fault> {
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
        let shifted = shifted.filter(|value| value.scale <= crate::types::DECIMAL_PRECISION_MAX);
        shifted.map(Some).ok_or_else(|| Fault::new(Code::OutOfRange, "numeric field overflow"))
    }
}

/// A number on its way into a text.
struct Walk<'a> {
    picture: &'a Picture,
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
    fn new(picture: &'a Picture, number: Number, pre: usize, post: usize, blanks: usize) -> Self {
        let digits: Vec<char> = number.text.chars().collect();
        let has_sign = picture.has_plus || picture.has_minus;
        let (mut anchor, mut has_brackets) = (picture.anchor, picture.has_brackets);
        let is_signed = if has_sign {
            picture.has_minus
        } else {
            has_brackets &= number.sign == '-' || !picture.has_fill;
            if anchor == Anchor::Before && pre == picture.before_anchor {
                anchor = Anchor::Behind;
            }
            number.sign == '+' && picture.has_fill && anchor == Anchor::None
        };
        let mut last = None;
        if picture.has_fill && picture.has_point {
            last = digits.iter().position(|&digit| digit == '.');
            if let Some(point) = last {
                let behind = digits.iter().rposition(|&digit| digit != '0').filter(|&at| at > point).unwrap_or(point);
                let zero = match picture.zero_end > blanks {
                    true => (digits.len() - 1).min(picture.zero_end - blanks),
                    false => 0,
                };
                last = Some(behind.max(zero));
            }
        }
        let count = (post + pre + usize::from(!is_signed && blanks == 0)).saturating_sub(1);
        Self {
            picture,
            number,
            digits,
            at: 0,
            place: 0,
            blanks,
            count,
            post,
            zero_start: picture.zero_start.saturating_sub(1),
            anchor,
            has_brackets,
            is_signed,
            last,
            is_in: false,
        }
    }

    fn run(mut self, out: &mut String) -> Result<(), Fault> {
        let has_fill = self.picture.has_fill;
        for item in &self.picture.items {
            match item {
                Item::Place(is_zero) => self.place(*is_zero, out),
                Item::Point => self.place(false, out),
                Item::Group if self.is_in => out.push(','),
                Item::Group if has_fill => {}
                Item::Group | Item::Currency => out.push(' '),
                Item::Ordinal(is_small) => {
                    let is_whole = self.digits.first() != Some(&OVERFLOW) && self.number.sign != '-';
                    if is_whole && !self.picture.has_point {
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
        !self.picture.has_zero && self.at == 0 && self.digit(0) == '0' && self.post != 0
    }

    /// A digit, a point, or a blank or a zero before the number.
    fn place(&mut self, is_zero: bool, out: &mut String) {
        let has_fill = self.picture.has_fill;
        self.is_in = false;
        let ends_in_point = self.last.is_some_and(|last| self.digit(last) == '.');
        let starts = self.place >= self.blanks || (self.picture.has_zero && self.zero_start == self.place);
        if !self.is_signed && starts && (!self.is_bare() || ends_in_point) {
            self.sign(out);
        }
        if self.place < self.blanks && (self.zero_start > self.place || !self.picture.has_zero) {
            out.extend((!has_fill).then_some(' '));
        } else if self.picture.has_zero && self.place < self.blanks && self.zero_start <= self.place {
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
        let mut end = self.count + usize::from(self.blanks > 0) + usize::from(self.picture.has_point);
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
            Anchor::None => out.extend((!self.picture.has_fill).then_some(' ')),
        }
        self.is_signed = true;
    }
}

/// A text on its way into a number.
struct Reading<'a> {
    picture: &'a Picture,
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
    fn new(picture: &'a Picture, text: &'a [u8]) -> Self {
        Self { picture, text, at: 0, sign: ' ', digits: Vec::new(), pre: 0, post: 0, has_point: false }
    }

    fn run(mut self) -> Self {
        for item in &self.picture.items {
            if self.at >= self.text.len() {
                break;
            }
            match item {
                Item::Place(_) | Item::Point => {
                    self.place(*item == Item::Point);
                    self.at += 1;
                }
                // A comma before the first digit is passed over, unless `FM` is said.
                Item::Group if self.picture.has_fill => {}
                Item::Group => self.at += usize::from(self.next() == Some(b',')),
                Item::Currency => self.skip(1),
                Item::Ordinal(_) if self.picture.has_point || self.sign == '-' => {}
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
        let picture = self.picture;
        if self.sign == ' ' && self.pre + self.post == 0 && !is_point {
            let is_bracket = picture.has_brackets && self.next() == Some(b'<');
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
                if self.has_point && self.post == picture.post {
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
            Some(b'.') if picture.has_point && !self.has_point => {
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
        let is_anchored = picture.anchor != Anchor::None;
        match (behind, self.next()) {
            (Some(sign @ (b'-' | b'+')), _) if is_anchored && is_read => {
                self.at += 1;
                self.sign = sign.into();
            }
            (_, Some(sign @ (b'-' | b'+'))) if !is_read && (picture.has_minus || picture.has_plus) => {
                self.sign = sign.into()
            }
            _ => {}
        }
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
