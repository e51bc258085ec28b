//! Number: the patterns of `to_char` and `to_number` for numbers, such as `FM999G990D00`.
//!
//! They mean what they mean to PostgreSQL in its `C` locale, also where that is odd: the digits are walked over with the
//! places of the pattern, and a sign is written where the first digit is.

mod read;
mod write;

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
pub(crate) struct NumberPattern {
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

impl NumberPattern {
    /// Reads a pattern; `Err` is why it is none.
    pub(crate) fn parse(pattern: &str) -> Result<Self, String> {
        const WORDS: [&str; 20] = [
            ",", ".", "0", "9", "B", "C", "D", "EEEE", "FM", "G", "L", "MI", "PL", "PR", "RN", "SG", "SP", "S", "TH",
            "V",
        ];
        let mut parsed = Self {
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
                    parsed.add(word, is_small)?;
                }
                None if first == '"' => {
                    let mut chars = rest.chars();
                    chars.next();
                    while let Some(char) = chars.next() {
                        match char {
                            '"' => break,
                            '\\' => parsed.items.push(Item::Other(chars.next().unwrap_or('\\'))),
                            _ => parsed.items.push(Item::Other(char)),
                        }
                    }
                    rest = chars.as_str();
                }
                None => {
                    let first = if rest.starts_with("\\\"") { '"' } else { first };
                    rest =
                        rest.strip_prefix("\\\"").unwrap_or_else(|| rest.get(first.len_utf8()..).unwrap_or_default());
                    parsed.items.push(Item::Other(first));
                }
            }
        }
        match parsed.pre + parsed.post + parsed.shift > PLACES_MAX {
            true => Err(format!("the pattern has more than {PLACES_MAX} places")),
            false => Ok(parsed),
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
    pub(crate) fn can_read(&self) -> bool {
        !self.has_roman && !self.has_exponent
    }
}
