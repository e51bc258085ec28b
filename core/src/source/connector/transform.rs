//! Transform: what a manifest does to each record before it comes out.

use serde_json::{Map, Value};

use super::component::{Component, Missing};
use super::path;
use super::python;
use super::template::{Datum, Scope, Template, Types};

/// Most values of a record that is made flat.
const VALUES_MAX: usize = 100_000;

/// One transformation.
#[derive(Debug, Clone)]
pub(super) enum Transformation {
    /// Writes fields, each a path, a value and the type that is taken.
    Add(Vec<(Vec<String>, Template, Types)>, Option<Template>),
    /// Removes fields by their paths; or, with a condition, every value without parts for which it holds.
    Remove(Vec<Vec<String>>, Option<Template>),
    /// The record's own keys in small letters.
    Lower,
    /// Every key in words with `_` between them.
    Snake,
    /// One text for another in every key.
    Replace(Template, Template),
    /// Whether lists are made flat, too.
    Flatten { lists: bool },
    /// The entries of a mapping become the record's.
    Lift { path: Vec<Template>, is_moved: bool, is_all: bool, prefix: Option<Template>, suffix: Option<Template> },
}

/// A path, or the one key that it is.
pub(super) fn pointer(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(python::text).collect(),
        other => vec![python::text(other)],
    }
}

impl Transformation {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let condition = |missing: &mut Missing| {
            component.template("condition", missing).filter(|condition| !condition.source().is_empty())
        };
        match component.ty {
            "AddFields" => {
                component.knows(missing);
                let fields = component.children("fields", missing);
                let fields = fields.iter().filter_map(|field| added(field, missing)).collect();
                Some(Self::Add(fields, condition(missing)))
            }
            "RemoveFields" => {
                component.knows(missing);
                let pointers = component.get("field_pointers").and_then(Value::as_array);
                let pointers = pointers.map(|pointers| pointers.iter().map(pointer).collect()).unwrap_or_default();
                Some(Self::Remove(pointers, condition(missing)))
            }
            "KeysToLower" => Some(Self::Lower),
            "KeysToSnakeCase" => Some(Self::Snake),
            "KeysReplace" => {
                component.knows(missing);
                Some(Self::Replace(component.needed("old", missing)?, component.needed("new", missing)?))
            }
            "FlattenFields" => {
                component.knows(missing);
                Some(Self::Flatten { lists: component.get("flatten_lists").is_none_or(python::is_true) })
            }
            "DpathFlattenFields" => {
                component.knows(missing);
                let keys = component.child("key_transformation", missing);
                let mut of = |field: &str| keys.as_ref().and_then(|keys| keys.template(field, missing));
                let (prefix, suffix) = (of("prefix"), of("suffix"));
                Some(Self::Lift {
                    path: component.templates("field_path", missing),
                    is_moved: component.flag("delete_origin_value"),
                    is_all: component.flag("replace_record"),
                    prefix,
                    suffix,
                })
            }
            _ => {
                component.is_missing(missing);
                None
            }
        }
    }

    /// Applies it to a record.
    pub(super) fn apply(&self, record: &mut Value, scope: &Scope<'_>) -> Result<(), String> {
        match self {
            Self::Add(fields, condition) => {
                for (path, template, types) in fields {
                    let value = template.literal(&scope.clone().with("record", Datum::from(&*record)), *types)?.value;
                    if let Some(condition) = condition {
                        let at = Value::from(path.clone());
                        let scope = scope
                            .clone()
                            .with("record", Datum::from(&*record))
                            .with("value", Datum::from(&value))
                            .with("path", Datum::from(&at));
                        if !condition.holds(&scope)? {
                            continue;
                        }
                    }
                    path::set(record, path, value)?;
                }
            }
            Self::Remove(pointers, condition) => {
                let Some(condition) = condition else {
                    pointers.iter().for_each(|pointer| path::remove(record, pointer, &mut |_| true));
                    return Ok(());
                };
                let mut wrong = None;
                let mut is_removed = |value: &Value| {
                    let scope = Scope::new(scope.now, scope.chance, scope.config);
                    condition.holds(&scope.with("property", Datum::from(value))).unwrap_or_else(|error| {
                        wrong = Some(error);
                        false
                    })
                };
                // With a condition the reference looks at everything, wherever the pointers lead, and once for each of them.
                pointers.iter().for_each(|_| path::remove_leaves(record, &mut is_removed));
                return wrong.map_or(Ok(()), Err);
            }
            Self::Lower => rekey(record, false, &|key| key.to_lowercase()),
            Self::Snake => rekey(record, true, &snake),
            Self::Replace(old, new) => {
                let scope = scope.clone().with("record", Datum::from(&*record));
                let (old, new) = (old.text(&scope)?, new.text(&scope)?);
                drop(scope);
                rekey(record, true, &|key| key.replace(&old, &new));
            }
            Self::Flatten { lists } => *record = Value::Object(flat(record, *lists)?),
            Self::Lift { path, is_moved, is_all, prefix, suffix } => {
                let scope = &Scope::new(scope.now, scope.chance, scope.config);
                let path = path.iter().map(|part| part.text(scope)).collect::<Result<Vec<_>, _>>()?;
                let Some(Value::Object(found)) = path::values(record, &path).into_iter().next().cloned() else {
                    return Ok(());
                };
                let text =
                    |template: &Option<Template>| template.as_ref().map_or(Ok(String::new()), |of| of.text(scope));
                let (prefix, suffix) = (text(prefix)?, text(suffix)?);
                let found: Map<_, _> =
                    found.into_iter().map(|(key, value)| (format!("{prefix}{key}{suffix}"), value)).collect();
                let Value::Object(own) = record else { return Ok(()) };
                if *is_all && !found.is_empty() {
                    *own = found;
                } else if !found.keys().any(|key| own.contains_key(key)) {
                    if *is_moved {
                        path::remove(record, &path, &mut |_| true);
                    }
                    if let Value::Object(own) = record {
                        own.extend(found);
                    }
                }
            }
        }
        Ok(())
    }
}

/// A field that is added: its path, its value, and the type that is taken.
pub(super) fn added(field: &Component<'_>, missing: &mut Missing) -> Option<(Vec<String>, Template, Types)> {
    field.knows(missing);
    let types = types(field, missing)?;
    let path = field.get("path").map(pointer).filter(|path| !path.is_empty());
    if path.is_none() {
        missing.add("an added field without a path");
    }
    Some((path?, field.needed("value", missing)?, types))
}

/// The type that a component takes of its value.
pub(super) fn types(component: &Component<'_>, missing: &mut Missing) -> Option<Types> {
    Some(match component.text("value_type") {
        None => Types::Any,
        Some("string") => Types::Text,
        Some("number") => Types::Number,
        Some("integer") => Types::Integer,
        Some("boolean") => Types::Boolean,
        Some("array") => Types::List,
        Some("object") => Types::Object,
        Some(other) => {
            missing.add(format!("the `value_type` `{other}`"));
            return None;
        }
    })
}

/// The record with other keys, those of mappings in it too if `is_deep`.
fn rekey(record: &mut Value, is_deep: bool, key: &dyn Fn(&str) -> String) {
    let Value::Object(map) = record else { return };
    let mut renamed = Map::new();
    for (name, mut value) in std::mem::take(map) {
        if is_deep {
            rekey(&mut value, is_deep, key);
        }
        renamed.insert(key(&name), value);
    }
    *map = renamed;
}

/// A key in words: `aB2c-d` is `a_b_2_c_d`.
fn snake(key: &str) -> String {
    let kind = |c: char| match c {
        'A'..='Z' => 0,
        'a'..='z' => 1,
        '0'..='9' => 2,
        _ => 3,
    };
    let mut tokens: Vec<String> = Vec::new();
    let mut last = None;
    for c in key.chars() {
        let kind = kind(c);
        let goes_on = last == Some(kind) || (last == Some(0) && kind == 1);
        if !goes_on {
            tokens.push(String::new());
        }
        if kind != 3 {
            tokens.last_mut().into_iter().for_each(|token| token.push(c.to_ascii_lowercase()));
        }
        last = Some(if last == Some(0) && kind == 1 { 1 } else { kind });
    }
    let count = tokens.len();
    let mut kept: Vec<String> = tokens
        .into_iter()
        .enumerate()
        .filter(|(at, token)| count < 3 || *at == 0 || at + 1 == count || !token.is_empty())
        .map(|(_, token)| token)
        .collect();
    if kept.first().is_some_and(|first| !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit())) {
        kept.insert(0, String::new());
    }
    kept.join("_")
}

/// The record with nothing in it that has parts; a key that is there already, or comes from a list, names its way.
fn flat(record: &Value, lists: bool) -> Result<Map<String, Value>, String> {
    let mut out = Map::new();
    let mut stack = vec![(record, "_".to_owned())];
    let (mut is_long, mut count) = (false, 0_usize);
    while let Some((value, way)) = stack.pop() {
        count += 1;
        if count > VALUES_MAX {
            return Err(format!("a record has more than {VALUES_MAX} values"));
        }
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let key = if out.contains_key(key) || is_long { format!("{way}.{key}") } else { key.clone() };
                    stack.push((value, key));
                }
            }
            Value::Array(items) if lists => {
                for (at, item) in items.iter().enumerate() {
                    is_long = true;
                    stack.push((item, format!("{way}.{at}")));
                }
            }
            value => _ = out.insert(way, value.clone()),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_become_words() {
        for (key, words) in
            [("aB2c", "a_b_2_c"), ("HTTPServer", "httpserver"), ("a-b", "a_b"), ("2nd", "_2_nd"), ("a ", "a_")]
        {
            assert_eq!(snake(key), words);
        }
    }

    #[test]
    fn a_condition_removes_wherever_it_holds() {
        let check = |condition: &str, record: Value, expected: Value| {
            let component = json!({"type": "RemoveFields", "field_pointers": [["a"]], "condition": condition});
            let mut missing = Missing::default();
            let component = Component::of(&component, &mut missing).unwrap();
            let transformation = Transformation::read(&component, &mut missing).unwrap();
            let (mut record, config) = (record, json!({}));
            transformation.apply(&mut record, &Scope::new(0, 0, &config)).unwrap();
            assert_eq!(record, expected, "{condition}");
        };
        let record = json!({"a": {"x": "", "y": [1, "", {"z": ""}, ""]}, "b": "", "c": [], "d": null});
        check("{{ property|string == '' }}", record.clone(), json!({"a": {"y": [1, null, {}]}, "c": [], "d": null}));
        check(
            "{{ property is none }}",
            record.clone(),
            json!({"a": {"x": "", "y": [1, "", {"z": ""}, ""]}, "b": "", "c": []}),
        );
        check("", json!({"a": 1, "b": 2}), json!({"b": 2}));
    }

    #[test]
    fn a_record_is_made_flat() {
        assert_eq!(
            flat(&json!({"a": {"b": 1}, "c": [1, {"d": 2}]}), true).unwrap(),
            *json!({"c.1.d": 2, "c.0": 1, "a.b": 1}).as_object().unwrap()
        );
        assert_eq!(flat(&json!({"a": {"b": 1}}), true).unwrap(), *json!({"b": 1}).as_object().unwrap());
    }
}
