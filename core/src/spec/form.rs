//! Form: what a text of the file must look like in its place, and the value that it stands for.
//!
//! This file has the forms that several keys share; a form of only one key is beside that key.

use super::Spanned;
use super::text::Text;
use crate::diagnostic::{Code, Diagnostic, Span, nearest};

/// What a text must look like.
pub(crate) trait Form {
    /// What a text of this form stands for.
    type Value;

    /// What people call a text of this form: `a whole number`.
    fn noun(&self) -> &'static str;

    /// The value that a text stands for, or why it has not this form. `key` is what the text is the value of.
    fn read(&self, key: &str, text: &Text) -> Result<Self::Value, Mismatch>;

    /// What an editor can check.
    fn hint(&self) -> Hint {
        Hint::Text
    }

    /// One text for all texts that mean the same, for identity.
    fn canonical(&self, text: &str) -> String {
        text.to_owned()
    }

    /// Whether `${…}` may stand in it.
    fn takes_placeholders(&self) -> bool {
        false
    }

    /// Whether it is code in a language of its own, which may begin with `{` or `[` and hold a ` #`.
    fn is_code(&self) -> bool {
        false
    }

    /// Whether a text is likely cut by the comment of so many bytes that follows it.
    fn is_cut(&self, _text: &str, _comment_bytes: usize) -> bool {
        false
    }
}

/// What an editor can check of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hint {
    /// It is this number.
    Number(u32),
    /// It is `true` or `false`.
    Boolean,
    /// It is a whole number.
    Whole,
    /// It is one of these words; each with its documentation.
    Words(Vec<(&'static str, &'static str)>),
    /// It is any text; these words mean something of their own.
    WordsOrText(Vec<(&'static str, &'static str)>),
    /// It matches this regular expression.
    Pattern(&'static str),
    /// It has at most so many characters, and at least one.
    Short(usize),
    /// It is a text that YAML takes for one.
    Text,
    /// It is any text, also one that YAML takes for a number or a boolean.
    Scalar,
}

/// Why a text has not the form of its place.
#[derive(Debug)]
pub(crate) struct Mismatch {
    code: Code,
    message: String,
    /// The bytes of the text that are wrong, where that is not all of it.
    within: Option<Span>,
    help: Option<String>,
}

impl Mismatch {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), within: None, help: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn within(mut self, within: Span) -> Self {
        self.within = Some(within);
        self
    }

    /// The advice.
    pub(crate) fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Whether the advice is a word that is likely meant.
    pub(crate) fn is_near(&self) -> bool {
        self.help().is_some_and(|help| help.starts_with("did you mean"))
    }

    /// The mismatch as a diagnostic about a text of the file.
    pub(super) fn of(self, text: &Text) -> Diagnostic {
        let span = self.within.map_or(text.span, |within| text.span_of(within));
        let mut diagnostic = Diagnostic::error(self.code, span, self.message);
        diagnostic.help = self.help;
        diagnostic
    }
}

/// Any text.
pub(crate) struct AnyText;

impl Form for AnyText {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a text"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Text, Mismatch> {
        Ok(text.clone())
    }

    fn hint(&self) -> Hint {
        Hint::Scalar
    }
}

/// A SQL expression; only a later stage can read it.
pub(crate) struct Expression;

impl Form for Expression {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a SQL expression"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        not_blank(key, text, self.noun())
    }

    fn hint(&self) -> Hint {
        Hint::Scalar
    }

    fn is_code(&self) -> bool {
        true
    }

    fn is_cut(&self, text: &str, _comment_bytes: usize) -> bool {
        super::yaml::open_parentheses(text) > 0 || text.matches('\'').count() % 2 == 1
    }
}

/// A regular expression; only a later stage can read it.
pub(crate) struct Regex;

impl Form for Regex {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a regular expression"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        not_blank(key, text, self.noun())
    }

    fn hint(&self) -> Hint {
        Hint::Scalar
    }

    fn is_code(&self) -> bool {
        true
    }

    fn is_cut(&self, text: &str, comment_bytes: usize) -> bool {
        text.matches(['(', '[']).count() > text.matches([')', ']']).count() || comment_bytes > 1
    }
}

fn not_blank(key: &str, text: &Text, noun: &str) -> Result<Text, Mismatch> {
    if text.text.trim().is_empty() {
        return Err(Mismatch::new(Code::WrongValue, format!("`{key}` is an empty text; it expects {noun}")));
    }
    Ok(text.clone())
}

/// `true` or `false`.
pub(crate) struct Boolean;

impl Form for Boolean {
    type Value = bool;

    fn noun(&self) -> &'static str {
        "`true` or `false`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<bool, Mismatch> {
        match text.text.as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            text => {
                let mismatch = Mismatch::new(Code::WrongValue, format!("`{key}` is `true` or `false`, not `{text}`"));
                Err(match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" | "on" | "y" | "1" => mismatch.with_help("write `true`"),
                    "false" | "no" | "off" | "n" | "0" => mismatch.with_help("write `false`"),
                    _ => mismatch,
                })
            }
        }
    }

    fn hint(&self) -> Hint {
        Hint::Boolean
    }
}

/// A whole number, 0 or more, in decimal digits.
pub(crate) struct Whole;

impl Form for Whole {
    type Value = u64;

    fn noun(&self) -> &'static str {
        "a whole number"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u64, Mismatch> {
        let text = text.text.as_str();
        let is_digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_digits => Ok(number),
            _ if is_digits => Err(Mismatch::new(Code::WrongValue, format!("`{key}` is too large a number"))),
            _ => Err(Mismatch::new(Code::WrongValue, format!("`{key}` is a whole number, 0 or more, not `{text}`"))),
        }
    }

    fn hint(&self) -> Hint {
        Hint::Whole
    }

    fn canonical(&self, text: &str) -> String {
        let digits = text.trim_start_matches('0');
        if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
    }
}

/// One ASCII character that can stand between values.
pub(crate) struct Character;

impl Form for Character {
    type Value = u8;

    fn noun(&self) -> &'static str {
        "one ASCII character"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u8, Mismatch> {
        let text = text.text.as_str();
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
            _ => {
                let mismatch = Mismatch::new(Code::WrongValue, format!("`{key}` is one ASCII character, not `{text}`"));
                Err(match text {
                    "\\t" | "tab" => mismatch.with_help("between double quotes, \"\\t\" is a tab"),
                    _ => mismatch,
                })
            }
        }
    }

    fn hint(&self) -> Hint {
        Hint::Short(1)
    }
}

/// One ASCII character, or `none`.
pub(crate) struct CharacterOrNone;

impl CharacterOrNone {
    const NONE: &'static str = "none";
}

impl Form for CharacterOrNone {
    type Value = Option<u8>;

    fn noun(&self) -> &'static str {
        "one ASCII character or `none`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Option<u8>, Mismatch> {
        if text.text == Self::NONE { Ok(None) } else { Character.read(key, text).map(Some) }
    }

    fn hint(&self) -> Hint {
        Hint::Short(Self::NONE.len())
    }
}

/// One of a few words: each with its documentation and the value that it stands for.
pub(crate) struct Choice<T: 'static>(pub(crate) &'static [(&'static str, &'static str, T)]);

impl<T: Clone> Form for Choice<T> {
    type Value = T;

    fn noun(&self) -> &'static str {
        "a word"
    }

    fn read(&self, key: &str, text: &Text) -> Result<T, Mismatch> {
        match self.0.iter().find(|(word, _, _)| *word == text.text) {
            Some((_, _, value)) => Ok(value.clone()),
            None => Err(unknown_word(key, &text.text, self.0.iter().map(|&(word, _, _)| word))),
        }
    }

    fn hint(&self) -> Hint {
        Hint::Words(self.0.iter().map(|&(word, doc, _)| (word, doc)).collect())
    }
}

/// The mismatch of a word that is not among those of a key.
pub(super) fn unknown_word(key: &str, text: &str, words: impl Iterator<Item = &'static str>) -> Mismatch {
    let words: Vec<&str> = words.collect();
    let mismatch = Mismatch::new(Code::WrongValue, format!("`{text}` is not a value of `{key}`"));
    match (nearest(text, words.iter().copied()), words.as_slice()) {
        (Some(near), _) => mismatch.with_help(format!("did you mean `{near}`?")),
        (None, [only]) => mismatch.with_help(format!("the only value is `{only}`")),
        (None, _) => mismatch.with_help(format!("the values are {}", list(words.iter().copied()))),
    }
}

/// A text of another form, with its place.
pub(crate) struct Placed<F>(pub(crate) F);

impl<F: Form> Form for Placed<F> {
    type Value = Spanned<F::Value>;

    fn noun(&self) -> &'static str {
        self.0.noun()
    }

    fn read(&self, key: &str, text: &Text) -> Result<Self::Value, Mismatch> {
        Ok(Spanned { value: self.0.read(key, text)?, span: text.span })
    }

    fn hint(&self) -> Hint {
        self.0.hint()
    }

    fn canonical(&self, text: &str) -> String {
        self.0.canonical(text)
    }

    fn takes_placeholders(&self) -> bool {
        self.0.takes_placeholders()
    }

    fn is_code(&self) -> bool {
        self.0.is_code()
    }

    fn is_cut(&self, text: &str, comment_bytes: usize) -> bool {
        self.0.is_cut(text, comment_bytes)
    }
}

/// Names between back quotes, with commas.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
