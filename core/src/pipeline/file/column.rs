//! A column: a named value of a row in the target.

use crate::diagnostic::{Code, Span};
use crate::spec::{
    AnyText, Boolean, Entry, Expression, Form, Mapping, Mismatch, OneOrMany, Placed, Regex, Spanned, Text,
};
use crate::types::Type;

use super::field::{any_type, canonical_type};

/// A column that leaves. Long form `{ from, type, required, one_of, matches, min, max }`; short form
/// `timestamptz required`: the field of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// `from`: its expression over the fields. `None`: the field of its name.
    pub from: Option<Text>,
    /// `type`; the expression's if not said.
    pub ty: Option<Spanned<Type>>,
    /// `required`.
    pub required: bool,
    /// `one_of`: the values that it may have, as text.
    pub one_of: Vec<Text>,
    /// `matches`: a regular expression, unanchored.
    pub matches: Option<Text>,
    /// `min`: the least value, as text.
    pub min: Option<Text>,
    /// `max`: the greatest value, as text.
    pub max: Option<Text>,
}

const TYPE: &str = "type";
const REQUIRED: &str = "required";

pub(super) const COLUMN: Mapping<ColumnSpec> = Mapping {
    title: "a column",
    doc: "A column of the target. In short: its type, `required`, both, or nothing; its value is then the field of its name.",
    may_be_empty: true,
    keys: |keys| ColumnSpec {
        from: keys.optional("from", Expression, "Its value: SQL over the fields. If not said, the field of its name."),
        ty: keys.optional(TYPE, Placed(ColumnType), "Its type. If not said, the type of its value."),
        required: keys.or(REQUIRED, Boolean, "false", "Whether a row without a value is rejected."),
        one_of: keys.optional("one_of", OneOrMany(AnyText), "The values that it may have.").unwrap_or_default(),
        matches: keys.optional("matches", Regex, "A regular expression that its value must match somewhere."),
        min: keys.optional("min", AnyText, "The least value that it may have."),
        max: keys.optional("max", AnyText, "The greatest value that it may have."),
    },
};

/// A type that a column can have.
struct ColumnType;

impl Form for ColumnType {
    type Value = Type;

    fn noun(&self) -> &'static str {
        "a type"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Type, Mismatch> {
        column_type(&text.text)
    }

    fn canonical(&self, text: &str) -> String {
        canonical_type(text)
    }
}

fn column_type(text: &str) -> Result<Type, Mismatch> {
    match any_type(text)? {
        Type::Text => Err(Mismatch::new(Code::UnknownType, "a column cannot be a `text` without a length")
            .with_help("write `varchar(n)`, n being the most bytes")),
        Type::Time => Err(Mismatch::new(Code::UnknownType, "a column cannot be a `time`")
            .with_help("write `varchar(15)`, or a timestamp")),
        ty => Ok(ty),
    }
}

/// A column in short: `type [ "required" ] | "required"`.
pub(super) struct Short;

impl Form for Short {
    type Value = Vec<Entry>;

    fn noun(&self) -> &'static str {
        "a type, `required` or both"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Vec<Entry>, Mismatch> {
        let (ty, required) = split(&text.text);
        let mut entries = Vec::new();
        if ty.start < ty.end || required.is_none() {
            let written = text.text.get(ty.start..ty.end).unwrap_or_default();
            column_type(written).map_err(|mismatch| explain(mismatch, written).within(ty))?;
            entries.push(Entry::of(TYPE, text.part(ty)));
        }
        entries.extend(required.map(|word| Entry::of(REQUIRED, Text::meaning("true", text.span_of(word)))));
        Ok(entries)
    }
}

/// Where the type stands, and where `required` does.
fn split(text: &str) -> (Span, Option<Span>) {
    let start = text.len() - text.trim_start().len();
    let end = text.trim_end().len().max(start);
    let trimmed = text.get(start..end).unwrap_or_default();
    match trimmed.strip_suffix(REQUIRED) {
        Some(before) if before.is_empty() || before.ends_with([' ', '\t', '\n', ')']) => {
            let ty = Span::new(start, start + before.trim_end().len());
            (ty, Some(Span::new(end - REQUIRED.len(), end)))
        }
        _ => (Span::new(start, end), None),
    }
}

/// The mismatch of a text that is no type of a column; an expression or a field's name is what likely stands there by mistake.
fn explain(mismatch: Mismatch, written: &str) -> Mismatch {
    if let Some(ty) = written.strip_prefix(REQUIRED).map(str::trim)
        && column_type(ty).is_ok()
    {
        return Mismatch::new(Code::UnknownType, format!("`{REQUIRED}` stands before the type"))
            .with_help(format!("the type comes first: `{ty} {REQUIRED}`"));
    }
    let name = written.split('(').next().unwrap_or_default();
    let is_type = Type::parse(name).is_ok() || Type::parse(&format!("{name}(1)")).is_ok();
    if is_type || mismatch.is_near() {
        return mismatch;
    }
    let from = format!("if it is the column's value, write `{{ from: {written} }}`");
    let is_word = written.chars().all(|c| c.is_alphanumeric() || c == '_');
    let help = match mismatch.help() {
        Some(types) if is_word => format!("{types}; {from}"),
        _ => format!("in short a column is a type, `required` or both; {from}"),
    };
    Mismatch::new(Code::UnknownType, format!("`{written}` is not a type")).with_help(help)
}
