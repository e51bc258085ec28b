//! Extract: the records among the elements of a response. They stand at a path, or at the first of several, and each may hold a list
//! whose items are the records.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::component::{Component, Missing};
use super::path;
use super::python;
use super::template::{Scope, Template};

/// Most extractors inside each other.
const DEPTH_MAX: usize = 8;
/// What makes a segment of a path a glob.
const GLOBS: [char; 3] = ['*', '?', '['];

/// How records are found in elements.
#[derive(Debug, Clone)]
pub(super) enum Extractor {
    /// At a path, and expanded there.
    At(Vec<Template>, Option<Box<Expander>>),
    /// By several extractors: those of all, or those of the first one that finds any.
    Several { extractors: Vec<Self>, is_first: bool, skips_empty: bool },
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Extracted {
    pub(super) records: Vec<Value>,
    /// So many that are empty were left out; the server counts them.
    pub(super) skipped: usize,
    /// The path, if nothing stands there in any element, where an answer without records would have an empty list.
    pub(super) lacks: Option<String>,
    /// The path of the mark, if the server says that a list of a record is not the whole one.
    pub(super) cut: Option<String>,
}

/// A list in each record, whose items are the records.
#[derive(Debug, Clone)]
pub(super) struct Expander {
    path: Vec<Template>,
    keeps_original: bool,
    is_merged: bool,
    /// Whether a record without items stays.
    keeps_childless: bool,
    /// What of the record goes to each item, and where to.
    copied: Vec<(Vec<Template>, Vec<Template>)>,
    /// Where the record says that its list is not the whole one.
    mark: Vec<Template>,
}

impl Extractor {
    /// What stands in the elements as it is.
    pub(super) fn whole() -> Self {
        Self::At(Vec::new(), None)
    }

    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        Self::read_within(component, 0, missing)
    }

    fn read_within(component: &Component<'_>, depth: usize, missing: &mut Missing) -> Option<Self> {
        match component.ty {
            "DpathExtractor" => {
                component.knows(missing);
                let expander = match component.child("record_expander", missing) {
                    Some(expander) => Some(Box::new(Expander::read(&expander, missing)?)),
                    None => None,
                };
                Some(Self::At(component.templates("field_path", missing), expander))
            }
            "CombinedExtractor" if depth < DEPTH_MAX => {
                component.knows(missing);
                let is_first = match component.text("mode") {
                    None | Some("union") => false,
                    Some("first_match") => true,
                    Some(other) => {
                        missing.add(format!("the mode `{other}` of a `CombinedExtractor`"));
                        return None;
                    }
                };
                let found = component.children("extractors", missing);
                if found.is_empty() {
                    missing.add("a `CombinedExtractor` without extractors");
                }
                let read = found.iter().map(|one| Self::read_within(one, depth + 1, missing)).collect::<Vec<_>>();
                Some(Self::Several {
                    extractors: read.into_iter().collect::<Option<_>>()?,
                    is_first,
                    skips_empty: component.flag("skip_empty_records"),
                })
            }
            _ => {
                component.is_missing(missing);
                None
            }
        }
    }

    /// Whether it puts together what several find, so that its count is not the server's.
    pub(super) fn is_union(&self) -> bool {
        match self {
            Self::At(..) => false,
            Self::Several { extractors, is_first, .. } => !is_first || extractors.iter().any(Self::is_union),
        }
    }

    /// The records of the elements, as they stand in them: copied out of elements that somebody else looks at, too.
    pub(super) fn extract(&self, elements: Cow<'_, [Value]>, scope: &Scope<'_>) -> Result<Extracted, String> {
        let scope = Scope::new(scope.now, scope.chance, scope.config);
        match self {
            Self::At(path, expander) => {
                let (found, lacks) = at(path, elements, &scope)?;
                let mut extracted = Extracted { lacks, ..Extracted::default() };
                match expander {
                    None => extracted.records = found,
                    Some(expander) => expander.expand(found, &mut extracted, &scope)?,
                }
                Ok(extracted)
            }
            Self::Several { extractors, is_first, skips_empty } => {
                let mut all = Extracted::default();
                let mut lacks = Vec::new();
                for extractor in extractors {
                    let mut found = extractor.extract(Cow::Borrowed(&elements), &scope)?;
                    if *skips_empty {
                        let count = found.records.len();
                        found.records.retain(python::is_true);
                        found.skipped += count - found.records.len();
                    }
                    all.cut = all.cut.take().or_else(|| found.cut.take());
                    lacks.push(found.lacks.take());
                    // One that finds nothing but empty records is not the first that finds any.
                    if *is_first && found.records.is_empty() {
                        continue;
                    }
                    all.skipped += found.skipped;
                    all.records.append(&mut found.records);
                    if *is_first {
                        return Ok(all);
                    }
                }
                all.lacks = lacks.into_iter().collect::<Option<Vec<_>>>().map(|paths| paths.join("` and `"));
                Ok(all)
            }
        }
    }
}

/// What stands at a path in elements; and the path, if nothing stands there in any of them.
fn at(
    path: &[Template],
    elements: Cow<'_, [Value]>,
    scope: &Scope<'_>,
) -> Result<(Vec<Value>, Option<String>), String> {
    let path = texts(path, scope)?;
    if path.iter().any(|part| part == "*") {
        let found = elements.iter().flat_map(|element| path::values(element, &path));
        return Ok((found.cloned().collect(), None));
    }
    if path::has_globs(&path) {
        let (mut records, mut lacks) = (Vec::new(), !elements.is_empty());
        for element in elements.iter() {
            let found = path::find(element, &path)?;
            lacks &= found.is_none_or(Value::is_null);
            match found {
                Some(Value::Array(items)) => records.extend(items.iter().cloned()),
                Some(one) if python::is_true(one) => records.push(one.clone()),
                _ => {}
            }
        }
        return Ok((records, lacks.then(|| path.join("."))));
    }
    let mut records = Vec::new();
    let mut lacks = !path.is_empty() && !elements.is_empty();
    let mut take = |found: Option<Value>| {
        let found = found.unwrap_or(Value::Null);
        lacks &= found.is_null();
        match found {
            Value::Array(items) if records.is_empty() => records = items,
            Value::Array(items) => records.extend(items),
            one if python::is_true(&one) => records.push(one),
            _ => {}
        }
    };
    match elements {
        Cow::Owned(elements) => elements.into_iter().for_each(|element| take(path::take(element, &path))),
        Cow::Borrowed(elements) => elements.iter().for_each(|element| take(path::get(element, &path).cloned())),
    }
    Ok((records, lacks.then(|| path.join("."))))
}

fn texts(path: &[Template], scope: &Scope<'_>) -> Result<Vec<String>, String> {
    path.iter().map(|part| part.text(scope)).collect()
}

impl Expander {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "RecordExpander" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let fields = component.children("parent_fields", missing);
        let copied = fields.iter().map(|field| {
            if field.ty != "ParentFieldPath" {
                field.is_missing(missing);
                return None;
            }
            field.knows(missing);
            let mut path = |name: &str| {
                let path = field.templates(name, missing);
                if path.is_empty() || path.iter().any(|part| part.is_constant() && part.source().contains(GLOBS)) {
                    missing.add(format!("a `ParentFieldPath` whose `{name}` names no single field"));
                }
                path
            };
            Some((path("parent_path"), path("record_path")))
        });
        let copied = copied.collect::<Option<Vec<_>>>()?;
        let keeps_childless = match component.text("on_no_records") {
            None | Some("skip") => false,
            Some("emit_parent") => true,
            Some(other) => {
                missing.add(format!("`on_no_records: {other}` of a `RecordExpander`"));
                return None;
            }
        };
        Some(Self {
            path: component.templates("expand_records_from_field", missing),
            keeps_original: component.flag("remain_original_record"),
            is_merged: component.flag("merge_parent"),
            keeps_childless,
            copied,
            mark: component.templates("truncation_indicator_path", missing),
        })
    }

    fn expand(&self, found: Vec<Value>, extracted: &mut Extracted, scope: &Scope<'_>) -> Result<(), String> {
        let (path, mark) = (texts(&self.path, scope)?, texts(&self.mark, scope)?);
        let copied = self.copied.iter().map(|(from, to)| Ok((texts(from, scope)?, texts(to, scope)?)));
        let copied = copied.collect::<Result<Vec<_>, String>>()?;
        let has_context = self.keeps_original || self.is_merged || !copied.is_empty();
        for record in found {
            if !record.is_object() || path.is_empty() {
                extracted.records.push(record);
                continue;
            }
            if !mark.is_empty() && path::get(&record, &mark).is_some_and(python::is_true) {
                extracted.cut = Some(mark.join("."));
            }
            let base = self.is_merged.then(|| without_lists(&record, &path));
            let lists = path::values(&record, &path).into_iter().filter_map(Value::as_array);
            let mut count = 0;
            for item in lists.flatten() {
                count += 1;
                let item = match item {
                    Value::Object(item) => item.clone(),
                    other if has_context => Map::from_iter([("value".to_owned(), other.clone())]),
                    other => {
                        extracted.records.push(other.clone());
                        continue;
                    }
                };
                let mut child = Value::Object(base.clone().unwrap_or_default());
                if let Value::Object(fields) = &mut child {
                    fields.extend(item);
                }
                for (from, to) in &copied {
                    path::set(&mut child, to, path::get(&record, from).cloned().unwrap_or(Value::Null))?;
                }
                if let Value::Object(fields) = &mut child
                    && self.keeps_original
                {
                    fields.insert("original_record".to_owned(), record.clone());
                }
                extracted.records.push(child);
            }
            if count == 0 && self.keeps_childless {
                extracted.records.push(record);
            }
        }
        Ok(())
    }
}

/// The fields of a record without the lists at a path.
fn without_lists(record: &Value, path: &[String]) -> Map<String, Value> {
    let mut record = record.clone();
    path::remove(&mut record, path, &mut |value| value.is_array());
    match record {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What an extractor of a manifest finds in one element: records, and how many were left out.
    fn check(extractor: &Value, element: Value, records: &Value, skipped: usize) {
        let mut missing = Missing::default();
        let extractor = Extractor::read(&Component::of(extractor, &mut missing).unwrap(), &mut missing).unwrap();
        assert_eq!(missing, Missing::default());
        let config = json!({"list": "lines"});
        let found = extractor.extract(vec![element].into(), &Scope::new(0, 0, &config)).unwrap();
        assert_eq!((Value::from(found.records), found.skipped), (records.clone(), skipped));
    }

    fn at(path: &[&str]) -> Value {
        json!({"type": "DpathExtractor", "field_path": path})
    }

    #[test]
    fn several_extractors_give_all_or_those_of_the_first_that_finds_any() {
        let of = |mode: &str, skips: bool| json!({"type": "CombinedExtractor", "mode": mode, "skip_empty_records": skips, "extractors": [at(&["a"]), at(&["b"])]});
        let both = json!({"a": [1], "b": [2, 3]});
        check(&of("union", false), both.clone(), &json!([1, 2, 3]), 0);
        check(&of("first_match", false), both, &json!([1]), 0);
        check(&of("first_match", false), json!({"a": [], "b": [2]}), &json!([2]), 0);
        let with_nulls = json!({"a": [null, {}], "b": [null, {"x": 1}]});
        check(&of("union", true), with_nulls.clone(), &json!([{"x": 1}]), 3);
        check(&of("first_match", true), with_nulls.clone(), &json!([{"x": 1}]), 1);
        check(&of("first_match", false), with_nulls, &json!([null, {}]), 0);
    }

    #[test]
    fn the_items_of_a_list_are_records_that_know_where_they_come_from() {
        let of = |more: Value| {
            let mut expander =
                json!({"type": "RecordExpander", "expand_records_from_field": ["{{ config['list'] }}", "data"]});
            expander.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            json!({"type": "DpathExtractor", "field_path": ["all"], "record_expander": expander})
        };
        let element = json!({"all": [
            {"id": 1, "lines": {"data": [{"id": 10}, 11], "more": true}, "to": {"x": 5}},
            {"id": 2, "lines": {"data": []}},
        ]});
        check(&of(json!({})), element.clone(), &json!([{"id": 10}, 11]), 0);
        let parent = element["all"][0].clone();
        check(
            &of(json!({"remain_original_record": true, "on_no_records": "emit_parent"})),
            element.clone(),
            &json!([
                {"id": 10, "original_record": parent}, {"value": 11, "original_record": parent}, element["all"][1].clone()
            ]),
            0,
        );
        let rest = json!({"more": true});
        check(
            &of(json!({"merge_parent": true})),
            element.clone(),
            &json!([{"id": 10, "lines": rest, "to": {"x": 5}}, {"id": 1, "lines": rest, "to": {"x": 5}, "value": 11}]),
            0,
        );
        let fields = json!([
            {"type": "ParentFieldPath", "parent_path": ["to", "x"], "record_path": ["of", "x"]},
            {"type": "ParentFieldPath", "parent_path": ["gone"], "record_path": ["gone"]},
        ]);
        check(
            &of(json!({"parent_fields": fields})),
            element,
            &json!([{"id": 10, "of": {"x": 5}, "gone": null}, {"value": 11, "of": {"x": 5}, "gone": null}]),
            0,
        );
    }
}
