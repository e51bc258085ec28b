//! Property: the fields that a server is asked for by name, where it gives no others. Where they are many, a page is asked for once for
//! each part of them, and what comes back under the same key is one record.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::component::{Component, Missing};
use super::path;
use super::python;
use super::request::{Options, Place};
use super::stream::Stream;
use super::template::{Scope, Slice, Template};

/// Most properties of a stream.
const PROPERTIES_MAX: usize = 100_000;
/// What stands between the names of two properties, in characters as they are sent.
const BETWEEN: usize = 3;
/// The name under which templates find the properties of a request.
const NAME: &str = "query_properties";

/// The properties that a stream asks for.
#[derive(Debug, Clone)]
pub(super) struct Properties {
    listed: Vec<String>,
    /// Who is asked for them, and where each of its records has the name.
    asked: Option<(Box<Stream>, Vec<Template>)>,
    always: Vec<String>,
    parts: Option<Parts>,
    /// The query parameter that has them.
    key: Option<String>,
}

/// How properties are asked for in parts.
#[derive(Debug, Clone)]
struct Parts {
    /// Most properties of a part, or most characters.
    limit: Option<usize>,
    is_in_characters: bool,
    /// The fields by which records of several parts are one.
    keys: Vec<String>,
}

impl Properties {
    /// Reads what the requester of a stream says of its properties.
    pub(super) fn read(requester: &Component<'_>, missing: &mut Missing) -> Option<Option<Self>> {
        let is_one = |value: &&Value| value.get("type").is_some_and(|ty| ty == "QueryProperties");
        let parameters = requester.get("request_parameters").and_then(Value::as_object);
        let mut within = parameters.into_iter().flatten().filter(|(_, value)| is_one(value));
        if let Some((key, value)) = within.next() {
            if within.next().is_some() || requester.get("fetch_properties_from_endpoint").is_some() {
                missing.add("several `QueryProperties`");
            }
            let mut read = Self::of(&Component::of(value, missing)?, missing)?;
            read.key = Some(key.clone());
            return Some(Some(read));
        }
        if let Some(endpoint) = requester.child("fetch_properties_from_endpoint", missing) {
            let asked = Some(asked(&endpoint, missing)?);
            return Some(Some(Self { listed: Vec::new(), asked, always: Vec::new(), parts: None, key: None }));
        }
        match requester.child("query_properties", missing) {
            Some(properties) => Self::of(&properties, missing).map(Some),
            None => Some(None),
        }
    }

    fn of(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "QueryProperties" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let texts = |value: Option<&Value>| -> Vec<String> {
            value.and_then(Value::as_array).into_iter().flatten().map(python::text).collect()
        };
        let asked = match component.get("property_list") {
            Some(Value::Array(_)) => None,
            _ => Some(asked(&component.child("property_list", missing)?, missing)?),
        };
        let parts = match component.child("property_chunking", missing) {
            None => None,
            Some(chunking) => {
                chunking.knows(missing);
                let is_in_characters = match chunking.text("property_limit_type") {
                    Some("characters") => true,
                    Some("property_count") => false,
                    _ => {
                        missing.add("a `property_limit_type` that is neither `characters` nor `property_count`");
                        return None;
                    }
                };
                let keys = match chunking.child("record_merge_strategy", missing) {
                    None => vec!["id".to_owned()],
                    Some(strategy) if strategy.ty == "GroupByKeyMergeStrategy" => {
                        strategy.knows(missing);
                        match strategy.get("key") {
                            Some(Value::String(key)) => vec![key.clone()],
                            keys => texts(keys),
                        }
                    }
                    Some(strategy) => {
                        strategy.is_missing(missing);
                        return None;
                    }
                };
                let limit = chunking.get("property_limit").and_then(Value::as_u64).filter(|limit| *limit > 0);
                Some(Parts { limit: limit.and_then(|limit| usize::try_from(limit).ok()), is_in_characters, keys })
            }
        };
        let listed = texts(component.get("property_list"));
        Some(Self { listed, asked, always: texts(component.get("always_include_properties")), parts, key: None })
    }

    /// Who is asked for the properties, if the manifest does not list them.
    pub(super) fn asked(&self) -> Option<&Stream> {
        self.asked.as_ref().map(|(stream, _)| stream.as_ref())
    }

    /// The properties that records of whoever is asked are.
    pub(super) fn named(&self, records: &[Value], scope: &Scope<'_>) -> Result<Vec<String>, String> {
        let Some((_, at)) = &self.asked else { return Ok(Vec::new()) };
        let at = at.iter().map(|part| part.text(scope)).collect::<Result<Vec<_>, _>>()?;
        let name = |record: &Value| path::get(record, &at).map_or_else(|| "[]".to_owned(), python::text);
        if records.len() > PROPERTIES_MAX {
            return Err(format!("the stream has more than {PROPERTIES_MAX} properties"));
        }
        Ok(records.iter().map(name).collect())
    }

    /// The properties that the manifest lists.
    pub(super) fn listed(&self) -> Vec<String> {
        self.listed.clone()
    }

    /// The parts that a page of these properties is asked for in.
    pub(super) fn parts(&self, listed: &[String]) -> Vec<Vec<String>> {
        let always = || self.always.clone();
        let together = |first: &[String], then: &[String]| vec![first.iter().chain(then).cloned().collect::<Vec<_>>()];
        let Some(parts) = &self.parts else { return together(&self.always, listed) };
        let Some(limit) = parts.limit else { return together(listed, &self.always) };
        let (mut all, mut part, mut size) = (Vec::new(), always(), 0);
        for property in listed {
            let own = if parts.is_in_characters { property.chars().count() + BETWEEN } else { 1 };
            if size + own > limit {
                all.push(std::mem::replace(&mut part, always()));
                size = 0;
            }
            part.push(property.clone());
            size += own;
        }
        all.push(part);
        all
    }

    /// Writes the properties of a part into a request, if the manifest says where.
    pub(super) fn inject(&self, slice: &Slice, options: &mut Options) -> Result<(), String> {
        let part = slice.extra.get(NAME).and_then(Value::as_array);
        let (Some(key), Some(part)) = (&self.key, part) else { return Ok(()) };
        let joined = part.iter().map(python::text).collect::<Vec<_>>().join(",");
        options.add(Place::Query, Map::from_iter([(key.clone(), joined.into())]))
    }

    /// Puts the records of a part to those of the parts before it: what has the same key is one, the later value wins, and what has no
    /// key stays for itself.
    pub(super) fn merge(&self, whole: &mut Merged, records: Vec<Value>) {
        for record in records {
            let Some(key) = self.parts.as_ref().and_then(|parts| key(&record, &parts.keys)) else {
                whole.alone.push(record);
                continue;
            };
            match whole.places.get(&key) {
                Some(place) => deepen(&mut whole.keyed[*place], record),
                None => {
                    whole.places.insert(key, whole.keyed.len());
                    whole.keyed.push(record);
                }
            }
        }
    }
}

/// The records of a page whose properties come in parts.
#[derive(Debug, Default)]
pub(super) struct Merged {
    alone: Vec<Value>,
    keyed: Vec<Value>,
    places: BTreeMap<String, usize>,
}

impl Merged {
    /// All of them: first those that have no key.
    pub(super) fn into_records(self) -> Vec<Value> {
        self.alone.into_iter().chain(self.keyed).collect()
    }
}

/// The key of a record; `None`: it has not all of it.
fn key(record: &Value, keys: &[String]) -> Option<String> {
    let parts = keys.iter().map(|key| record.get(key).filter(|value| python::is_true(value)).map(python::text));
    Some(parts.collect::<Option<Vec<_>>>()?.join(","))
}

/// Writes the fields of one record over those of another, mappings into mappings.
fn deepen(target: &mut Value, source: Value) {
    match (target, source) {
        (Value::Object(target), Value::Object(source)) => {
            for (name, value) in source {
                match target.get_mut(&name) {
                    Some(known) if known.is_object() && value.is_object() => deepen(known, value),
                    _ => _ = target.insert(name, value),
                }
            }
        }
        (target, source) => *target = source,
    }
}

/// Who is asked for properties, as a stream of its own, and where its records have their names.
fn asked(endpoint: &Component<'_>, missing: &mut Missing) -> Option<(Box<Stream>, Vec<Template>)> {
    if endpoint.ty != "PropertiesFromEndpoint" {
        endpoint.is_missing(missing);
        return None;
    }
    endpoint.knows(missing);
    let retriever = endpoint.get("retriever").cloned().unwrap_or_default();
    let stream = json!({"type": "DeclarativeStream", "name": "properties", "retriever": retriever});
    let stream = Stream::read(&Component::of(&stream, missing)?, 1, missing)?;
    Some((Box::new(stream), endpoint.templates("property_field_path", missing)))
}

/// What a template finds of the properties of a request.
pub(super) fn extra(part: &[String]) -> Map<String, Value> {
    Map::from_iter([(NAME.to_owned(), part.to_vec().into())])
}
