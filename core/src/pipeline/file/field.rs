//! A field: a named value of a record of the source.

use crate::diagnostic::{Code, Span};
use crate::spec::{Boolean, Choice, Form, Mapping, Mismatch, Placed, Spanned, Text, TextOrMapping};
use crate::types::Type;
use crate::value::datetime::zone::{Ambiguous, Zone};

use super::field_format::{DETAIL, FormatSpec, FormatText};
use super::name;

/// A field that arrives: `id: bigint`, `customer:`, `email: { type: text, sensitive: true, name: "E-Mail" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its type.
    pub ty: Type,
    /// How the object calls it, where that is not how expressions call it.
    pub source_name: Option<Spanned<String>>,
    /// How its text is written, where that is not the type's usual way.
    pub format: Option<Spanned<FormatSpec>>,
    /// Where it is said that a header may lack it.
    pub optional: Option<Span>,
    /// The zone of its texts without an offset.
    pub zone: Option<Spanned<ZoneSpec>>,
    /// Whether it is masked wherever people can see it.
    pub sensitive: bool,
}

/// The key that a field in short is the value of.
pub(super) const TYPE: &str = "type";

const FORMAT: &str = "format";
const OPTIONAL: &str = "optional";

const TIMEZONE: &str = "timezone";

pub(super) const FIELD: Mapping<FieldSpec> = Mapping {
    title: "a field",
    doc: "A field of a record. In short: its type, or nothing for a text.",
    may_be_empty: true,
    keys: |keys| FieldSpec {
        ty: keys.or(TYPE, FieldType, "text", "Its type."),
        source_name: keys.optional("name", Placed(name::Field), "Its name in the object, if that is not the key."),
        format: {
            let format = keys.optional(
                FORMAT,
                TextOrMapping(FormatText, DETAIL),
                "How its text is written, where that is not the type's usual way: a word, or a pattern such as \
                 `DD.MM.YYYY HH24:MI:SS`, of the words that [values.md](values.md#patterns) tells.",
            );
            format.zip(keys.place(FORMAT)).map(|(value, span)| Spanned { value, span })
        },
        optional: {
            let is_optional = keys.or(
                OPTIONAL,
                Boolean,
                "false",
                "Whether a header may lack it, as in older files; then its values are NULL.",
            );
            keys.place(OPTIONAL).filter(|_| is_optional)
        },
        zone: {
            let zone = keys.optional(
                TIMEZONE,
                TextOrMapping(ZoneName, ZONE),
                "The zone of texts without an offset, for a `timestamptz`: `UTC`, or a place such as `Europe/Berlin`.",
            );
            zone.zip(keys.place(TIMEZONE)).map(|(value, span)| Spanned { value, span })
        },
        sensitive: keys.or(
            "sensitive",
            Boolean,
            "false",
            "Whether its values are masked wherever people can see them.",
        ),
    },
};

/// The zone of texts without an offset, and what an hour becomes that its clocks skip or repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneSpec {
    /// The name of a place in the IANA database.
    pub name: String,
    /// What such an hour becomes.
    pub ambiguous: Ambiguous,
}

impl From<String> for ZoneSpec {
    fn from(name: String) -> Self {
        Self { name, ambiguous: Ambiguous::Reject }
    }
}

const ZONE: Mapping<ZoneSpec> = Mapping {
    title: "a field's time zone",
    doc: "The zone of texts without an offset. In short: its name.",
    may_be_empty: false,
    keys: |keys| ZoneSpec {
        name: keys
            .required("name", ZoneName, "Its name: `UTC`, or a place of the IANA database such as `Europe/Berlin`.")
            .unwrap_or_default(),
        ambiguous: keys.or(
            "ambiguous",
            Choice(&[
                ("reject", "its record is rejected", Ambiguous::Reject),
                ("earlier", "the earlier of the two instants that it may mean", Ambiguous::Earlier),
                ("later", "the later one", Ambiguous::Later),
            ]),
            "reject",
            "How a local time is read that occurs twice or never when the clocks change.",
        ),
    },
};

/// The name of a time zone.
struct ZoneName;

impl Form for ZoneName {
    type Value = String;

    fn noun(&self) -> &'static str {
        "a time zone"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<String, Mismatch> {
        match Zone::of_place(&text.text) {
            Some(_) => Ok(text.text.clone()),
            None => Err(Mismatch::new(Code::WrongValue, format!("there is no time zone {:?}", text.text))
                .with_help("a zone is `UTC`, or a place as the IANA database names it: `Europe/Berlin`")),
        }
    }
}

/// A type that a field can have.
pub(super) struct FieldType;

impl Form for FieldType {
    type Value = Type;

    fn noun(&self) -> &'static str {
        "a type"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Type, Mismatch> {
        match any_type(&text.text)? {
            Type::Time => {
                Err(Mismatch::new(Code::UnknownType, "a field cannot be a `time`, which Redshift's tables seldom hold")
                    .with_help("declare it as text, and cast it in an expression: `name::time`"))
            }
            ty => Ok(ty),
        }
    }

    fn canonical(&self, text: &str) -> String {
        canonical_type(text)
    }
}

/// Any type that a file can name.
pub(super) fn any_type(text: &str) -> Result<Type, Mismatch> {
    if text.trim().is_empty() {
        return Err(Mismatch::new(Code::UnknownType, "the type is an empty text"));
    }
    Type::parse(text).map_err(|error| {
        let mismatch = Mismatch::new(Code::UnknownType, error.message);
        match error.help {
            Some(help) => mismatch.with_help(help),
            None => mismatch,
        }
    })
}

/// One name for all names of a type.
pub(super) fn canonical_type(text: &str) -> String {
    Type::parse(text).map_or_else(|_| text.to_owned(), |ty| ty.to_string())
}
