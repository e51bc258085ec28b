//! Config: what a pipeline file gives to a manifest, in the types that the manifest's specification says. In a pipeline file
//! each value is a text; the specification, a JSON schema, tells which of them are numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Number, Value};

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::error::{Error, ErrorKind};
use crate::spec::{Filled, Text, Tree, is_asking};

/// A configuration in its types, and what of it nobody may see.
#[derive(Clone)]
pub struct Config {
    /// As the manifest reads it.
    value: Value,
    /// The texts that are secret.
    secrets: Vec<String>,
}

/// Parts of names whose values are secret, whatever the specification says of them.
const SECRET_NAMES: [&str; 7] = ["token", "secret", "password", "passwd", "api_key", "apikey", "private_key"];
/// A shorter piece of base64 is in everything.
const BASE64_BYTES_MIN: usize = 8;
/// A shorter text is in everything.
pub(super) const SECRET_BYTES_MIN: usize = 4;
/// What stands for a secret.
pub(super) const MASK: &str = "***";

impl Config {
    /// The configuration in the types of a specification. The error names a key, and no value.
    pub(crate) fn read(tree: &Tree<Filled>, specification: &Value) -> Result<Self, Error> {
        let (mut secrets, mut wrong) = (Vec::new(), None);
        let mut leaf = |name: &str, schema: &Value, text: &Filled| {
            let is_secret = text.holds_secret() || is_secret(name, schema);
            if is_secret && text.reveal().len() >= SECRET_BYTES_MIN {
                secrets.push(text.reveal().to_owned());
            }
            typed(text.reveal(), schema).unwrap_or_else(|noun| {
                wrong.get_or_insert_with(|| format!("`{name}` of `config` is {noun}, and its value is none"));
                Value::Null
            })
        };
        let value = build("config", tree, specification, &mut leaf);
        if let Some(message) = wrong {
            return Err(Error::new(ErrorKind::Refused, message));
        }
        longest_first(&mut secrets);
        Ok(Self { value, secrets })
    }

    /// The first value that the specification calls a secret, and that holds none.
    pub(crate) fn in_clear(tree: &Tree<Filled>, specification: &Value) -> Option<String> {
        let mut found = None;
        let mut leaf = |name: &str, schema: &Value, text: &Filled| {
            let is_secret = schema.get("airbyte_secret").is_some_and(super::python::is_true);
            if is_secret && !text.holds_secret() && !text.reveal().is_empty() {
                found.get_or_insert_with(|| name.to_owned());
            }
            Value::Null
        };
        build("config", tree, specification, &mut leaf);
        found
    }

    /// The configuration as JSON.
    pub(crate) fn value(&self) -> Value {
        self.value.clone()
    }

    /// The texts that are secret.
    pub(super) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// A text without the secrets.
    pub fn masked(&self, text: &str) -> String {
        masked(&self.secrets, text)
    }

    /// An error without the secrets.
    pub fn mask(&self, error: &Error) -> Error {
        Error::new(error.kind(), self.masked(&error.to_string()))
    }

    /// Whether a secret stands in a text.
    pub fn is_told_by(&self, text: &str) -> bool {
        is_told(&self.secrets, text)
    }
}

/// A text without secrets.
pub(super) fn masked(secrets: &[String], text: &str) -> String {
    let mut masked = text.to_owned();
    for written in secrets.iter().flat_map(|secret| written(secret)) {
        masked = masked.replace(&written, MASK);
    }
    masked
}

/// A value none of whose texts holds a secret; its keys stay as they are.
pub(super) fn masked_value(secrets: &[String], value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| masked_value(secrets, item)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (key.clone(), masked_value(secrets, value))).collect())
        }
        Value::String(text) => masked(secrets, text).into(),
        Value::Number(number) if secrets.contains(&number.to_string()) => MASK.into(),
        value => value.clone(),
    }
}

/// The longest first, so that none is cut by one that is a part of it.
pub(super) fn longest_first(secrets: &mut Vec<String>) {
    secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    secrets.dedup();
}

/// Whether one of some secrets stands in a text.
pub(super) fn is_told(secrets: &[String], text: &str) -> bool {
    secrets.iter().flat_map(|secret| written(secret)).any(|written| text.contains(&written))
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Config")
    }
}

/// The ways in which a secret may be written.
pub(super) fn written(secret: &str) -> Vec<String> {
    let json = Value::from(secret).to_string();
    let mut all = vec![
        secret.to_owned(),
        super::url::quoted(secret),
        super::url::requoted(secret),
        super::template::quote(secret, "", true),
        json.trim_matches('"').to_owned(),
    ];
    all.extend((0..3).filter_map(|before| base64(secret, before)).flat_map(|text| {
        let of_addresses = text.replace('+', "-").replace('/', "_");
        [text, of_addresses]
    }));
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|text| seen.insert(text.clone()));
    all
}

/// What of the base64 of a longer text tells the secret in it, behind so many bytes in the first group of three.
fn base64(secret: &str, before: usize) -> Option<String> {
    let mut bytes = vec![0; before];
    bytes.extend(secret.as_bytes());
    let text = STANDARD_NO_PAD.encode(&bytes);
    // A character of base64 holds six bits; one that holds bits of what is beside the secret may be another.
    let own = text.get((before * 8).div_ceil(6)..bytes.len() * 8 / 6)?;
    (own.len() >= BASE64_BYTES_MIN).then(|| own.to_owned())
}

/// The texts of a configuration that are secret, by their names or by the specification.
pub(super) fn secrets(config: &Value, specification: &Value) -> Vec<String> {
    fn collect(value: &Value, schemas: &[&Value], is_hidden: bool, secrets: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    let of = |schema: &&Value| schema.get("properties")?.get(name).cloned();
                    let found: Vec<Value> = schemas.iter().filter_map(of).collect();
                    let options = found.iter().flat_map(|schema| ["oneOf", "anyOf"].map(|key| schema.get(key)));
                    let options = options.flatten().filter_map(Value::as_array).flatten();
                    let schemas: Vec<&Value> = found.iter().chain(options).collect();
                    let is_secret =
                        schemas.iter().any(|schema| is_secret(name, schema)) || is_secret(name, &Value::Null);
                    collect(value, &schemas, is_hidden || is_secret, secrets);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, schemas, is_hidden, secrets)),
            Value::String(text) if is_hidden => secrets.push(text.clone()),
            Value::Number(number) if is_hidden => secrets.push(number.to_string()),
            _ => {}
        }
    }
    let mut secrets = Vec::new();
    collect(config, &[specification], false, &mut secrets);
    secrets.retain(|secret| secret.len() >= SECRET_BYTES_MIN);
    longest_first(&mut secrets);
    secrets
}

/// The values of a configuration that are no secret, each behind its path, in order.
pub(super) fn without_secrets(config: &Value, specification: &Value) -> Vec<String> {
    fn collect(path: &str, value: &Value, schema: &Value, plain: &mut Vec<String>) {
        let Value::Object(map) = value else {
            plain.push(format!("{path}={value}"));
            return;
        };
        let options = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        let schemas: Vec<&Value> = std::iter::once(schema).chain(options).collect();
        for (name, value) in map {
            let of = |schema: &&Value| Some(schema.get("properties")?.get(name)?.clone());
            let schema = schemas.iter().find_map(of).unwrap_or_default();
            if !is_secret(name, &schema) {
                collect(&format!("{path}.{name}"), value, &schema, plain);
            }
        }
    }
    let mut all = Vec::new();
    collect("", config, specification, &mut all);
    all.sort();
    all
}

/// Whether a parameter of this name is a credential.
pub(super) fn is_secret_name(name: &str) -> bool {
    is_secret(name, &Value::Null)
        || ["key", "auth", "sig", "signature"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a value is secret, by its name or its schema.
fn is_secret(name: &str, schema: &Value) -> bool {
    schema.get("airbyte_secret").is_some_and(super::python::is_true)
        || SECRET_NAMES.iter().any(|part| name.to_lowercase().contains(part))
}

/// What is wrong with a configuration, as far as it can be seen without the values of its `${…}`. `owner`: the place of the
/// source; `is_used`: whether the manifest uses a key of which its specification says nothing.
pub(crate) fn check(
    tree: &Tree,
    specification: &Value,
    owner: Span,
    is_used: &dyn Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut leaf = |name: &str, schema: &Value, text: &Text| {
        if !is_asking(text)
            && let Err(noun) = typed(&text.text, schema)
        {
            let message = format!("`{name}` is {noun}, as the manifest says");
            diagnostics.push(Diagnostic::error(Code::WrongValue, text.span, message));
        }
        Value::Null
    };
    build("config", tree, specification, &mut leaf);
    names(tree, specification, owner, is_used, &mut diagnostics);
    diagnostics
}

/// The keys that nobody asks for, and those that are missing.
fn names(tree: &Tree, schema: &Value, owner: Span, is_used: &dyn Fn(&str) -> bool, diagnostics: &mut Vec<Diagnostic>) {
    let schema = option(schema, tree);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let entries = if let Tree::Mapping(entries) = tree { entries.as_slice() } else { &[] };
    for (key, value) in entries {
        match properties.get(&key.text) {
            Some(schema) => names(value, schema, key.span, is_used, diagnostics),
            None if is_used(&key.text) => {}
            None => {
                let message = format!("the manifest asks for no `{}`", key.text);
                let known = properties.keys().map(String::as_str);
                diagnostics.push(Diagnostic::error(Code::UnknownKey, key.span, message).with_nearest(&key.text, known));
            }
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        let is_there = entries.iter().any(|(key, _)| key.text == name);
        let has_default = properties.get(name).is_some_and(|schema| schema.get("default").is_some());
        if !is_there && !has_default {
            let message = format!("the manifest asks for `{name}`, which `config` does not give");
            let said = properties.get(name).and_then(|schema| schema.get("description")).and_then(Value::as_str);
            let line = said.and_then(|said| said.lines().next()).map(plain);
            let mut diagnostic = Diagnostic::error(Code::MissingKey, owner, message);
            diagnostic.help = line.filter(|line| !line.is_empty());
            diagnostics.push(diagnostic);
        }
    }
}

/// A description as one line without a stop.
fn plain(line: &str) -> String {
    let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    line.trim().trim_end_matches('.').to_owned()
}

/// The value of a tree, whose texts `leaf` reads: it is told the name, the schema, and the text.
fn build<T: AsText>(
    name: &str,
    tree: &Tree<T>,
    schema: &Value,
    leaf: &mut dyn FnMut(&str, &Value, &T) -> Value,
) -> Value {
    let schema = option(schema, tree);
    match tree {
        Tree::Empty => Value::Null,
        Tree::Text(text) => leaf(name, schema, text),
        Tree::List(items) => {
            let of = schema.get("items").unwrap_or(&Value::Null);
            items.iter().map(|item| build(name, item, of, leaf)).collect()
        }
        Tree::Mapping(entries) => {
            let properties = schema.get("properties").and_then(Value::as_object);
            let of = |name: &str| properties.and_then(|all| all.get(name)).unwrap_or(&Value::Null);
            let mut map: Map<String, Value> = entries
                .iter()
                .map(|(key, value)| (key.text.clone(), build(&key.text, value, of(&key.text), leaf)))
                .collect();
            // As the forms do in which such configurations are filled in elsewhere.
            for (name, schema) in properties.into_iter().flatten() {
                if let Some(usual) = schema.get("default").filter(|_| !map.contains_key(name)) {
                    map.insert(name.clone(), usual.clone());
                }
            }
            Value::Object(map)
        }
    }
}

/// What has a text.
trait AsText {
    fn as_text(&self) -> &str;
}

impl AsText for Text {
    fn as_text(&self) -> &str {
        &self.text
    }
}

impl AsText for Filled {
    fn as_text(&self) -> &str {
        self.reveal()
    }
}

/// Of a schema that is one of several, the one whose constants a mapping has; the schema itself, if it is one, or if none fits.
fn option<'a, T: AsText>(schema: &'a Value, tree: &Tree<T>) -> &'a Value {
    let options = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)).and_then(Value::as_array);
    let (Some(options), Tree::Mapping(entries)) = (options, tree) else { return schema };
    let said = |name: &str| {
        let (_, value) = entries.iter().find(|(key, _)| key.text == name)?;
        if let Tree::Text(value) = value { Some(value.as_text()) } else { None }
    };
    let fits = |option: &&Value| {
        let properties = option.get("properties").and_then(Value::as_object).into_iter().flatten();
        let mut constants = properties.filter_map(|(name, schema)| Some((name, schema.get("const")?.as_str()?)));
        constants.all(|(name, constant)| said(name) == Some(constant))
    };
    options.iter().find(fits).unwrap_or(schema)
}

/// A text in the type of a schema; the error is what its value must be.
fn typed(text: &str, schema: &Value) -> Result<Value, &'static str> {
    let types = match schema.get("type") {
        Some(Value::String(ty)) => vec![ty.as_str()],
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let ty = types.iter().find(|ty| **ty != "null").copied().unwrap_or("string");
    match ty {
        "integer" => text.parse::<i64>().map(Value::from).map_err(|_| "a whole number"),
        "number" => text.parse::<Number>().map(Value::Number).map_err(|_| "a number"),
        "boolean" => text.parse::<bool>().map(Value::Bool).map_err(|_| "`true` or `false`"),
        "array" => Err("a list"),
        "object" => Err("a mapping"),
        _ => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(specification: &Value) -> Config {
        let text = |text: &str| Tree::Text(Text::meaning(text, Span::default()));
        let entry = |name: &str, value: Tree| (Text::meaning(name, Span::default()), value);
        let tree = Tree::Mapping(vec![
            entry("page", text("10")),
            entry("api_token", text("hush hush")),
            entry("credentials", Tree::Mapping(vec![entry("kind", text("b")), entry("n", text("1"))])),
        ]);
        let filled = tree.fill(&mut |text| text.fill(|_| Ok::<_, Error>(String::new()))).unwrap();
        Config::read(&filled, specification).unwrap()
    }

    #[test]
    fn the_specification_tells_the_types() {
        let of = |ty: &str| json!({"properties": {"kind": {"const": ty}, "n": {"type": if ty == "b" { "integer" } else { "string" }}}});
        let specification = json!({"properties": {
            "page": {"type": ["null", "integer"]}, "since": {"default": "2020-01-01"},
            "credentials": {"oneOf": [of("a"), of("b")]},
        }});
        let expected =
            json!({"page": 10, "api_token": "hush hush", "credentials": {"kind": "b", "n": 1}, "since": "2020-01-01"});
        assert_eq!(config(&specification).value, expected);
        assert_eq!(config(&Value::Null).value["page"], "10");
    }

    #[test]
    fn secrets_are_masked_however_they_are_written() {
        let config = config(&Value::Null);
        assert_eq!(config.masked("a hush hush, hush%20hush"), "a ***, ***");
        assert!(config.is_told_by("?k=hush%20hush") && !config.is_told_by("hush"));
        assert_eq!(config.masked("k=hush+hush"), "k=***");
        // `user:hush hush`, and `hush hush:` as others write it.
        for encoded in ["dXNlcjpodXNoIGh1c2g=", "aHVzaCBodXNoOg=="] {
            assert!(config.is_told_by(encoded) && config.masked(encoded).contains("***"), "{encoded}");
        }
        assert_eq!(format!("{config:?}"), "Config");
    }

    #[test]
    fn secrets_are_found_by_name_and_by_specification() {
        let specification =
            json!({"properties": {"a": {"oneOf": [{"properties": {"pin": {"airbyte_secret": true}}}]}}});
        let config = json!({"a": {"pin": 12_345, "name": "plain"}, "tokens": ["first", "one"], "api_key": "longest"});
        assert_eq!(secrets(&config, &specification), ["longest", "12345", "first"]);
        let told = json!({"pin": 12_345, "at": "/first/1", "first": null});
        let masked = masked_value(&secrets(&config, &specification), &told);
        assert_eq!(masked, json!({"pin": "***", "at": "/***/1", "first": null}));
    }
}
