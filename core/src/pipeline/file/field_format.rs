//! The format of a field, as the file says it: a name, a pattern, or the signs of a number and the words of a boolean.

use crate::spec::{AnyText, Character, Form, Hint, Mapping, Mismatch, OneOrMany, Text};
use crate::transform::decode::FieldFormat;
use crate::types::Type;
use crate::value::format::Epoch;

/// How a field's text is written, where that is not the type's usual way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatSpec {
    /// In a way that has a name: `rfc3339`.
    Named(&'static NamedFormat),
    /// As a pattern describes it: `DD.MM.YYYY`.
    Pattern(String),
    /// With signs or words of its own.
    Detail(Detail),
}

/// A way to write values that has a name.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedFormat {
    /// Its name.
    pub name: &'static str,
    /// What it is, as the end of a sentence.
    pub doc: &'static str,
    /// The types whose values can be written so.
    pub types: &'static [Type],
    /// What reads it.
    pub(crate) format: FieldFormat,
}

const NAMED_FORMATS: &[NamedFormat] = &[
    NamedFormat {
        name: "rfc3339",
        doc: "RFC 3339, strictly, for a `timestamptz`",
        types: &[Type::Timestamptz],
        format: FieldFormat::Rfc3339,
    },
    NamedFormat {
        name: "epoch_seconds",
        doc: "seconds since 1970, in UTC",
        types: &[Type::Timestamp, Type::Timestamptz],
        format: FieldFormat::Epoch(Epoch::Seconds),
    },
    NamedFormat {
        name: "epoch_millis",
        doc: "milliseconds since 1970, in UTC",
        types: &[Type::Timestamp, Type::Timestamptz],
        format: FieldFormat::Epoch(Epoch::Millis),
    },
    NamedFormat {
        name: "epoch_micros",
        doc: "microseconds since 1970, in UTC",
        types: &[Type::Timestamp, Type::Timestamptz],
        format: FieldFormat::Epoch(Epoch::Micros),
    },
    NamedFormat {
        name: "epoch_nanos",
        doc: "nanoseconds since 1970, in UTC, without a part of a microsecond",
        types: &[Type::Timestamp, Type::Timestamptz],
        format: FieldFormat::Epoch(Epoch::Nanos),
    },
];

impl NamedFormat {
    /// Their names, as a list in a sentence.
    pub(crate) fn names() -> String {
        let names: Vec<String> = NAMED_FORMATS.iter().map(|format| format!("`{}`", format.name)).collect();
        names.join(", ")
    }
}

/// The name of a way to write values, or a pattern; whether that is one, the type tells.
pub(super) struct FormatText;

impl Form for FormatText {
    type Value = FormatSpec;

    fn noun(&self) -> &'static str {
        "a text"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<FormatSpec, Mismatch> {
        Ok(match NAMED_FORMATS.iter().find(|format| format.name == text.text) {
            Some(format) => FormatSpec::Named(format),
            None => FormatSpec::Pattern(text.text.clone()),
        })
    }

    fn hint(&self) -> Hint {
        Hint::WordsOrText(NAMED_FORMATS.iter().map(|format| (format.name, format.doc)).collect())
    }
}

/// The signs of a number, or the words of a boolean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What stands before a number's fraction; ASCII, like the next.
    pub decimal: u8,
    /// Whether that is said.
    pub says_decimal: bool,
    /// What may stand between a number's groups of three digits.
    pub thousands: Option<u8>,
    /// The words for true.
    pub yes: Vec<String>,
    /// The words for false.
    pub no: Vec<String>,
}

impl From<Detail> for FormatSpec {
    fn from(detail: Detail) -> Self {
        Self::Detail(detail)
    }
}

const DECIMAL: &str = "decimal";

pub(super) const DETAIL: Mapping<FormatSpec> = Mapping {
    title: "a field's format",
    doc: "How a number or a boolean is written, if that is not the usual way.",
    may_be_empty: false,
    keys: |keys| {
        let texts = |texts: Option<Vec<Text>>| texts.unwrap_or_default().into_iter().map(|text| text.text).collect();
        FormatSpec::Detail(Detail {
            decimal: keys.or(DECIMAL, Character, "'.'", "The character before a number's fraction."),
            says_decimal: keys.place(DECIMAL).is_some(),
            thousands: keys.optional(
                "thousands",
                Character,
                "The character between a number's groups of three digits.",
            ),
            yes: texts(keys.optional("true", OneOrMany(AnyText), "The words for true; `false` must be there too.")),
            no: texts(keys.optional("false", OneOrMany(AnyText), "The words for false; `true` must be there too.")),
        })
    },
};
