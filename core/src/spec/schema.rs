//! The JSON Schema of the pipeline file, for editors; generated from the rows that read it.

use serde_json::{Map, Value, json};

use super::form::Hint;
use super::outline::{FormOutline, KeyOutline, MappingOutline, NamedOutline, Need, Outline};

/// The JSON Schema (draft 2020-12) of a file, for editors.
///
/// An editor reads `1.10` and `true` as YAML usually does, so a text may be a number or a boolean there.
pub(crate) fn json_schema(title: &str, root: &MappingOutline) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
    });
    if let (Some(schema), Value::Object(file)) = (schema.as_object_mut(), mapping(root)) {
        schema.extend(file);
    }
    schema
}

fn mapping(mapping: &MappingOutline) -> Value {
    let properties: Map<String, Value> = mapping.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        mapping.keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": mapping.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if let Some(schema) = schema.as_object_mut() {
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        if !mapping.one_of.is_empty() {
            let choices: Vec<Value> = mapping.one_of.iter().map(|key| json!({ "required": [key] })).collect();
            schema.insert("oneOf".to_owned(), json!(choices));
        }
    }
    schema
}

fn property(key: &KeyOutline) -> Value {
    let mut schema = value(&key.value);
    if let Some(schema) = schema.as_object_mut() {
        let doc = match key.need {
            Need::Default(usual) => format!("{} If not said: {usual}.", key.doc),
            Need::Required | Need::Optional => key.doc.clone(),
        };
        schema.insert("description".to_owned(), json!(doc));
    }
    schema
}

fn value(outline: &Outline) -> Value {
    let schema = match outline {
        Outline::One(form) => text(form),
        Outline::List(form) => json!({ "type": "array", "items": text(form) }),
        Outline::OneOrMany(form) => {
            json!({ "anyOf": [text(form), { "type": "array", "items": text(form), "minItems": 1, "uniqueItems": true }] })
        }
        Outline::Mapping(inner) => mapping(inner),
        Outline::Either(form, inner) => json!({ "anyOf": [text(form), mapping(inner)] }),
        Outline::Named(named) => names(named),
        Outline::Any(_) => json!({ "type": "object" }),
    };
    if outline.may_be_empty() { json!({ "anyOf": [{ "type": "null" }, schema] }) } else { schema }
}

fn names(named: &NamedOutline) -> Value {
    let mut schema = json!({
        "type": "object",
        "minProperties": 1,
        "additionalProperties": value(&named.value),
    });
    if let (Some(schema), Hint::Pattern(pattern)) = (schema.as_object_mut(), &named.name.hint) {
        schema.insert("propertyNames".to_owned(), json!({ "pattern": pattern }));
    }
    schema
}

fn text(form: &FormOutline) -> Value {
    let described = |&(word, doc): &(&str, &str)| json!({ "const": word, "description": doc });
    match &form.hint {
        Hint::Number(number) => json!({ "const": number }),
        Hint::Boolean => json!({ "type": "boolean" }),
        Hint::Whole => json!({ "type": "integer", "minimum": 0 }),
        Hint::Words(words) => json!({ "oneOf": words.iter().map(described).collect::<Vec<_>>() }),
        Hint::WordsOrText(words) => {
            let any = json!({ "type": ["string", "number", "boolean"] });
            json!({ "anyOf": words.iter().map(described).chain([any]).collect::<Vec<_>>() })
        }
        Hint::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
        Hint::Short(most) => json!({ "type": ["string", "integer"], "minLength": 1, "maxLength": most }),
        Hint::Text => json!({ "type": "string" }),
        Hint::Scalar => json!({ "type": ["string", "number", "boolean"] }),
    }
}
