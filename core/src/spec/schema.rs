//! The JSON Schema of the pipeline file, for editors; made from the table of shapes.

use serde_json::{Map, Value, json};

use super::FORMAT_VERSION;
use super::form::Form;
use super::shape::{FILE, Key, Mapping, Named, Need, Shape};

/// The JSON Schema (draft 2020-12) of the pipeline file, for editors.
///
/// An editor reads `1.10` and `true` as YAML usually does, so a text may be a number or a boolean there.
pub fn json_schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An Etalon pipeline",
    });
    if let (Some(schema), Value::Object(file)) = (schema.as_object_mut(), mapping(&FILE)) {
        schema.extend(file);
    }
    schema
}

fn mapping(mapping: &Mapping) -> Value {
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

fn property(key: &Key) -> Value {
    let mut schema = or_empty(shape(&key.shape), key.may_be_empty);
    if let Some(schema) = schema.as_object_mut() {
        let doc = match key.need {
            Need::Default(usual) => format!("{} If not said: {usual}.", key.doc),
            Need::Required | Need::Optional => key.doc.to_owned(),
        };
        schema.insert("description".to_owned(), json!(doc));
    }
    schema
}

fn or_empty(schema: Value, may_be_empty: bool) -> Value {
    if may_be_empty { json!({ "anyOf": [{ "type": "null" }, schema] }) } else { schema }
}

fn shape(shape: &Shape) -> Value {
    match shape {
        Shape::One(form) => text(*form),
        Shape::List(form) => json!({ "type": "array", "items": text(*form) }),
        Shape::OneOrMany(form) => {
            json!({ "anyOf": [text(*form), { "type": "array", "items": text(*form), "minItems": 1, "uniqueItems": true }] })
        }
        Shape::Mapping(inner) => mapping(inner),
        Shape::Either(form, inner) => json!({ "anyOf": [text(*form), mapping(inner)] }),
        Shape::Named(named) => names(named),
    }
}

fn names(named: &Named) -> Value {
    let mut schema = json!({
        "type": "object",
        "minProperties": 1,
        "additionalProperties": or_empty(shape(&named.value), named.may_be_empty),
    });
    if let (Some(schema), Some(pattern)) = (schema.as_object_mut(), named.name.pattern()) {
        schema.insert("propertyNames".to_owned(), json!({ "pattern": pattern }));
    }
    schema
}

fn text(form: Form) -> Value {
    match form {
        Form::Version => json!({ "const": FORMAT_VERSION }),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Whole => json!({ "type": "integer", "minimum": 0 }),
        Form::Choice(words) => json!({
            "oneOf": words.iter().map(|(word, doc)| json!({ "const": word, "description": doc })).collect::<Vec<_>>(),
        }),
        Form::CheckName | Form::ColumnName | Form::PipelineName | Form::S3 | Form::Schedule | Form::Share => {
            json!({ "type": "string", "pattern": form.pattern() })
        }
        Form::Character => json!({ "type": ["string", "integer"], "minLength": 1, "maxLength": 1 }),
        Form::CharacterOrNone => json!({ "type": ["string", "integer"], "minLength": 1, "maxLength": 4 }),
        Form::Table | Form::Type | Form::ColumnType | Form::ColumnShort | Form::Path => json!({ "type": "string" }),
        Form::Text | Form::Expression | Form::Regex | Form::FieldName => {
            json!({ "type": ["string", "number", "boolean"] })
        }
    }
}
