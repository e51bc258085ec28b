//! Datum: a value while a template is computed. What a template takes from a response is borrowed from it, however deep.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Wrong;
use crate::source::connector::python;
use crate::source::connector::response::Headers;
use crate::source::connector::time::{Moment, Span};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::source::connector) enum Datum<'a> {
    /// Nothing: a name or a key that is not there.
    Undefined,
    Json(Cow<'a, Value>),
    Moment(Moment),
    /// A moment of which only the day counts.
    Day(Moment),
    Span(Span),
    Slice(&'a Slice),
    Headers(&'a Headers),
    /// A method that is not called: `response.items`, where Python finds its own before a field of that name.
    Method(&'static str),
}

/// What Python's mappings have of their own.
const OF_MAPPINGS: &[&str] =
    &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];
/// What a slice has of its own.
const OF_SLICES: &[&str] = &["get", "items", "keys", "values"];
/// What Python's lists have of their own.
const OF_LISTS: &[&str] =
    &["append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"];
/// What Python's texts have of their own, as far as it looks like a field.
const OF_TEXTS: &[&str] = &[
    "capitalize",
    "center",
    "count",
    "encode",
    "endswith",
    "find",
    "format",
    "index",
    "isalnum",
    "isalpha",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

fn method_of<'a>(names: &[&'static str], name: &str) -> Option<Datum<'a>> {
    names.iter().find(|known| **known == name).map(|known| Datum::Method(known))
}

/// The part of a stream that a request asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(in crate::source::connector) struct Slice {
    /// What the partition routers say.
    pub(in crate::source::connector) partition: Map<String, Value>,
    /// The window of the cursor.
    pub(in crate::source::connector) window: Map<String, Value>,
    /// What a parent record gives beside its key.
    pub(in crate::source::connector) extra: Map<String, Value>,
}

impl Slice {
    /// An entry of the partition or of the window.
    pub(in crate::source::connector) fn get(&self, key: &str) -> Option<&Value> {
        self.window.get(key).or_else(|| self.partition.get(key))
    }

    fn merged(&self) -> Value {
        let entries = self.partition.iter().chain(&self.window);
        Value::Object(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

impl<'a> From<&'a Value> for Datum<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Json(Cow::Borrowed(value))
    }
}

impl From<Value> for Datum<'_> {
    fn from(value: Value) -> Self {
        Self::Json(Cow::Owned(value))
    }
}

impl<'a> Datum<'a> {
    /// A text.
    pub(super) fn text_of(text: impl Into<String>) -> Self {
        Value::String(text.into()).into()
    }

    /// As JSON; what JSON has no word for is written as text.
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Json(value) => value.into_owned(),
            Self::Slice(slice) => slice.merged(),
            Self::Headers(headers) => headers.merged(),
            other => Value::String(other.to_text()),
        }
    }

    /// The JSON that it is.
    pub(super) fn json(&self) -> Option<Cow<'_, Value>> {
        match self {
            Self::Json(value) => Some(Cow::Borrowed(value.as_ref())),
            Self::Slice(slice) => Some(Cow::Owned(slice.merged())),
            Self::Headers(headers) => Some(Cow::Owned(headers.merged())),
            _ => None,
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Json(value) => value.as_str(),
            _ => None,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        matches!(self, Self::Json(value) if value.is_null())
    }

    /// An integer, or a truth value as one.
    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Json(value) => value.as_i64().or_else(|| value.as_bool().map(i64::from)),
            _ => None,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Self::Json(value) => value.as_f64().or_else(|| value.as_bool().map(|yes| f64::from(u8::from(yes)))),
            _ => None,
        }
    }

    /// As `str` writes it.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Undefined => String::new(),
            Self::Json(value) => python::text(value),
            Self::Moment(moment) => moment.iso(' '),
            Self::Day(moment) => moment.format("%Y-%m-%d"),
            Self::Span(span) => span.text(),
            Self::Slice(slice) => python::text(&slice.merged()),
            Self::Headers(headers) => python::text(&headers.merged()),
            Self::Method(name) => format!("<built-in method {name}>"),
        }
    }

    /// Whether `if` takes it.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Undefined => false,
            Self::Json(value) => python::is_true(value),
            Self::Moment(_) | Self::Day(_) | Self::Method(_) => true,
            Self::Span(span) => *span != Span::default(),
            Self::Slice(slice) => !(slice.partition.is_empty() && slice.window.is_empty() && slice.extra.is_empty()),
            Self::Headers(headers) => python::is_true(&headers.merged()),
        }
    }

    /// What stands under a key; undefined, if nothing does.
    pub(super) fn entry(&self, key: &str) -> Self {
        match self {
            Self::Slice(slice) => slice.get(key).map_or(Self::Undefined, Self::from),
            Self::Headers(headers) => headers.get(key).map_or(Self::Undefined, Self::from),
            Self::Json(Cow::Borrowed(value)) => value.get(key).map_or(Self::Undefined, Self::from),
            Self::Json(Cow::Owned(value)) => value.get(key).map_or(Self::Undefined, |value| value.clone().into()),
            _ => Self::Undefined,
        }
    }

    /// What a value has of its own, beside its entries.
    fn own(&self, name: &str) -> Option<Self> {
        match self {
            Self::Moment(moment) | Self::Day(moment) => moment.field(name).map(|field| Value::from(field).into()),
            Self::Span(span) => match name {
                "days" => Some(Value::from(span.micros.div_euclid(86_400_000_000)).into()),
                "seconds" => Some(Value::from(span.micros.rem_euclid(86_400_000_000) / 1_000_000).into()),
                _ => None,
            },
            Self::Slice(slice) => match name {
                "extra_fields" => Some(Value::Object(slice.extra.clone()).into()),
                "partition" => Some(Value::Object(slice.partition.clone()).into()),
                "cursor_slice" => Some(Value::Object(slice.window.clone()).into()),
                name => method_of(OF_SLICES, name),
            },
            Self::Headers(_) => method_of(OF_MAPPINGS, name),
            Self::Json(value) => match value.as_ref() {
                Value::Object(_) => method_of(OF_MAPPINGS, name),
                Value::Array(_) => method_of(OF_LISTS, name),
                Value::String(_) => method_of(OF_TEXTS, name),
                _ => None,
            },
            Self::Undefined | Self::Method(_) => None,
        }
    }

    /// `self.name`: what the value has of its own, then its entry of that name.
    pub(super) fn attribute(&self, name: &str) -> Result<Self, Wrong> {
        match self {
            Self::Undefined => Err(Wrong::Undefined(format!("`{name}` of what is undefined"))),
            known => Ok(known.own(name).unwrap_or_else(|| known.entry(name))),
        }
    }

    /// `self[key]`: the entry, then what the value has of its own.
    pub(super) fn item(&self, key: &Datum<'_>) -> Result<Self, Wrong> {
        if let Some(key) = key.as_str() {
            return match (self, self.entry(key)) {
                (Self::Undefined, _) => Err(Wrong::Undefined(format!("`{key}` of what is undefined"))),
                (known, Self::Undefined) => Ok(known.own(key).unwrap_or(Self::Undefined)),
                (_, found) => Ok(found),
            };
        }
        if *self == Self::Undefined {
            return Err(Wrong::Undefined("an item of what is undefined".to_owned()));
        }
        let (Self::Json(value), Some(index)) = (self, key.as_integer()) else { return Ok(Self::Undefined) };
        let place = |length: usize| {
            let index = if index < 0 { index + i64::try_from(length).unwrap_or(i64::MAX) } else { index };
            usize::try_from(index).ok()
        };
        Ok(match value {
            Cow::Borrowed(Value::Array(items)) => {
                place(items.len()).and_then(|at| items.get(at)).map_or(Self::Undefined, Self::from)
            }
            Cow::Owned(Value::Array(items)) => {
                place(items.len()).and_then(|at| items.get(at)).map_or(Self::Undefined, |item| item.clone().into())
            }
            text if text.is_string() => {
                let characters: Vec<char> = text.as_str().unwrap_or_default().chars().collect();
                let found = place(characters.len()).and_then(|at| characters.get(at));
                found.map_or(Self::Undefined, |c| Self::text_of(c.to_string()))
            }
            _ => Self::Undefined,
        })
    }

    /// What `for` would give, one by one: items, keys, or characters.
    pub(super) fn items(&self) -> Result<Vec<Self>, Wrong> {
        match self {
            Self::Undefined => Ok(Vec::new()),
            Self::Json(Cow::Borrowed(Value::Array(items))) => Ok(items.iter().map(Self::from).collect()),
            Self::Json(value) => match value.as_ref() {
                Value::Array(items) => Ok(items.iter().map(|item| item.clone().into()).collect()),
                Value::Object(map) => Ok(map.keys().map(Self::text_of).collect()),
                Value::String(text) => Ok(text.chars().map(|c| Self::text_of(c.to_string())).collect()),
                _ => Err(Wrong::Type),
            },
            Self::Headers(headers) => Datum::from(headers.merged()).items(),
            Self::Slice(slice) => Ok(slice.partition.keys().chain(slice.window.keys()).map(Self::text_of).collect()),
            _ => Err(Wrong::Type),
        }
    }
}
