//! Select: the records of a response. What is extracted from its elements is filtered, transformed, and brought to the types of the
//! stream's schema if the manifest asks for that.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::component::{Component, Missing};
use super::extract::{Extracted, Extractor};
use super::python;
use super::template::{Datum, Scope, Template};
use super::transform::Transformation;

/// Most lists inside each other that a normalised record is followed into.
const DEPTH_MAX: usize = 32;

/// How the records of a response are found.
#[derive(Debug, Clone)]
pub(super) struct Selector {
    extractor: Extractor,
    filter: Option<Template>,
    /// Whether records are transformed before they are filtered.
    is_transformed_first: bool,
    schema: Option<Value>,
}

impl Selector {
    /// `schema`: what the stream says of its records; `by_cursor`: whether records are filtered by the cursor, too.
    pub(super) fn read(
        component: &Component<'_>,
        schema: Option<&Value>,
        by_cursor: bool,
        missing: &mut Missing,
    ) -> Option<Self> {
        let extractor = Extractor::read(&component.child("extractor", missing)?, missing)?;
        Self::read_by(component, extractor, schema, by_cursor, missing)
    }

    /// The same, of records that another extractor finds.
    pub(super) fn read_by(
        component: &Component<'_>,
        extractor: Extractor,
        schema: Option<&Value>,
        by_cursor: bool,
        missing: &mut Missing,
    ) -> Option<Self> {
        if component.ty != "RecordSelector" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let filter = component.child("record_filter", missing).and_then(|filter| {
            if filter.ty != "RecordFilter" {
                filter.is_missing(missing);
                return None;
            }
            filter.knows(missing);
            // Without a condition no record is kept: nothing does not hold.
            filter.template("condition", missing).or_else(|| filter.parse("", missing))
        });
        let schema = match component.get("schema_normalization") {
            Some(Value::String(word)) if word == "Default" => schema.cloned(),
            Some(Value::String(word)) if word == "None" => None,
            None => None,
            Some(_) => {
                missing.add("a `schema_normalization` of one's own");
                None
            }
        };
        Some(Self {
            extractor,
            filter,
            is_transformed_first: match component.get("transform_before_filtering") {
                Some(said) => python::is_true(said),
                None => by_cursor,
            },
            schema,
        })
    }

    /// The records of the elements, as they stand in them.
    pub(super) fn extract(&self, elements: Cow<'_, [Value]>, scope: &Scope<'_>) -> Result<Extracted, String> {
        self.extractor.extract(elements, scope)
    }

    /// Whether what it extracts is put together from several places.
    pub(super) fn is_union(&self) -> bool {
        self.extractor.is_union()
    }

    /// The records that the filter and the cursor keep, transformed.
    pub(super) fn refine(
        &self,
        records: Vec<Value>,
        transformations: &[Transformation],
        is_synced: impl Fn(&Value) -> bool,
        scope: &Scope<'_>,
    ) -> Result<Vec<Value>, String> {
        let is_kept = |record: &Value| -> Result<bool, String> {
            if !is_synced(record) {
                return Ok(false);
            }
            let none = Value::Null;
            let of = || scope.clone().with("record", Datum::from(record)).with("next_page_token", Datum::from(&none));
            self.filter.as_ref().map_or(Ok(true), |filter| filter.holds(&of()))
        };
        let mut refined = Vec::with_capacity(records.len());
        for mut record in records {
            if self.is_transformed_first {
                transformations.iter().try_for_each(|transformation| transformation.apply(&mut record, scope))?;
            }
            if !is_kept(&record)? {
                continue;
            }
            if !self.is_transformed_first {
                transformations.iter().try_for_each(|transformation| transformation.apply(&mut record, scope))?;
            }
            if let Some(schema) = &self.schema {
                normalise(&mut record, schema, 0);
            }
            match &record {
                // As in the reference, a record of which nothing is left is none.
                Value::Object(fields) if fields.is_empty() => {}
                Value::Object(_) => refined.push(record),
                other => return Err(format!("a record is {}, and not a mapping", noun(other))),
            }
        }
        Ok(refined)
    }
}

/// What a value that is no mapping is called.
fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Brings a value to the types of a schema, where that can be done.
fn normalise(value: &mut Value, schema: &Value, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::Object(map) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                if let Some(value) = map.get_mut(name) {
                    convert(value, schema);
                    normalise(value, schema, depth + 1);
                }
            }
        }
        Value::Array(items) => {
            let Some(schema) = schema.get("items").filter(|schema| schema.is_object()) else { return };
            for item in items {
                convert(item, schema);
                normalise(item, schema, depth + 1);
            }
        }
        _ => {}
    }
}

fn convert(value: &mut Value, schema: &Value) {
    let types: Vec<&str> = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(ty)) => vec![ty],
        _ => return,
    };
    if value.is_null() && types.contains(&"null") {
        return;
    }
    let mut named = types.iter().filter(|ty| **ty != "null" || schema["type"].is_string());
    let (Some(ty), None) = (named.next(), named.next()) else { return };
    let converted = match *ty {
        "string" if !value.is_string() => Some(Value::String(python::text(value))),
        "number" => number(value).and_then(Number::from_f64).map(Value::Number),
        "integer" => integer(value),
        "boolean" => match value.as_str().map(|text| text.trim().to_lowercase()) {
            Some(text) if ["y", "yes", "t", "true", "on", "1"].contains(&text.as_str()) => Some(Value::Bool(true)),
            Some(text) if ["n", "no", "f", "false", "off", "0"].contains(&text.as_str()) => Some(Value::Bool(false)),
            Some(_) => None,
            None => Some(Value::Bool(python::is_true(value))),
        },
        "array" if !value.is_array() && !value.is_object() => {
            // The reference takes the letters of a type that is one word for types, and wraps nothing then.
            let is_simple =
                |ty: &Value| ["string", "number", "integer", "boolean", "null"].iter().any(|name| ty == name);
            match schema.get("items").and_then(|items| items.get("type")) {
                None => Some(Value::Array(vec![value.clone()])),
                Some(Value::Array(types)) if types.iter().all(is_simple) => Some(Value::Array(vec![value.clone()])),
                Some(_) => None,
            }
        }
        _ => None,
    };
    if let Some(converted) = converted {
        *value = converted;
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(yes) => Some(f64::from(u8::from(*yes))),
        Value::String(text) => python::number(text),
        value => value.as_f64(),
    }
}

fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(yes) => Some(i64::from(*yes).into()),
        Value::String(text) => python::integer(text, 10).map(Value::from),
        Value::Number(number) if number.is_f64() => {
            let cut = number.as_f64()?.trunc();
            #[expect(clippy::cast_possible_truncation, reason = "its size is looked at")]
            (cut.abs() < 9e18).then(|| Value::from(cut as i64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_brought_to_the_types_of_the_schema() {
        let schema = json!({"properties": {
            "text": {"type": ["null", "string"]}, "number": {"type": "number"}, "yes": {"type": "boolean"},
            "whole": {"type": ["integer", "null"]}, "list": {"type": "array", "items": {"type": ["string"]}},
            "deep": {"type": "object", "properties": {"x": {"type": "string"}}}, "any": {"type": ["string", "integer"]},
        }});
        let mut record =
            json!({"text": 5, "number": "1.5", "yes": "no", "whole": "x", "list": "a", "deep": {"x": true}, "any": 1});
        normalise(&mut record, &schema, 0);
        let expected = json!({"text": "5", "number": 1.5, "yes": false, "whole": "x", "list": ["a"], "deep": {"x": "True"}, "any": 1});
        assert_eq!(record, expected);
    }
}
