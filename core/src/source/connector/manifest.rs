//! Manifest: the components of a connector with everything that the format lets their authors leave out. References are
//! replaced by what they name, types that the place tells are written down, and parameters flow to the components below.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::yaml;

/// Where a mapping refers to another, whose entries it takes over.
const REFERENCE: &str = "$ref";
/// What a component gives to all below it.
pub(super) const PARAMETERS: &str = "$parameters";
/// Most references inside each other.
const DEPTH_MAX: usize = 64;
/// Most values after references have been replaced.
const VALUES_MAX: usize = 2_000_000;

/// Reads a manifest: its tree, complete. The error is a sentence.
pub(super) fn read(source: &str) -> Result<Value, String> {
    let tree = yaml::read(source)?;
    let Value::Object(mut root) = tree else {
        return Err("the manifest is no mapping".to_owned());
    };
    let definitions = Value::Object(root.clone());
    // Definitions are there to be referred to: what nobody refers to is not the connector.
    root.shift_remove("definitions");
    root.shift_remove("schemas");
    let mut resolver = Resolver { root: &definitions, values: 0 };
    let resolved = resolver.resolve(&Value::Object(root), &mut Vec::new())?;
    let Value::Object(mut resolved) = resolved else { return Err("the manifest is no mapping".to_owned()) };
    resolved.entry("type").or_insert_with(|| "DeclarativeSource".into());
    Ok(complete("", resolved, &Map::new(), false))
}

/// A stream that was made of a template; `is_outer_first`: whether parameters win over those of the components below.
pub(super) fn complete_stream(mut stream: Map<String, Value>, is_outer_first: bool) -> Value {
    stream.entry("type").or_insert_with(|| "DeclarativeStream".into());
    complete("", stream, &Map::new(), is_outer_first)
}

struct Resolver<'a> {
    root: &'a Value,
    values: usize,
}

impl Resolver<'_> {
    /// `path`: the references that led here.
    fn resolve(&mut self, node: &Value, path: &mut Vec<String>) -> Result<Value, String> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(format!("references grow the manifest to more than {VALUES_MAX} values"));
        }
        match node {
            Value::Object(map) => {
                let mut own = Map::new();
                for (key, value) in map.iter().filter(|(key, _)| *key != REFERENCE) {
                    let value = if key == "config_overrides" { value.clone() } else { self.resolve(value, path)? };
                    own.insert(key.clone(), value);
                }
                let Some(reference) = map.get(REFERENCE) else { return Ok(Value::Object(own)) };
                match self.resolve(reference, path)? {
                    Value::Object(mut referred) => {
                        referred.extend(own);
                        Ok(Value::Object(referred))
                    }
                    other => Ok(other),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.resolve(item, path)).collect(),
            Value::String(text) if text.starts_with("#/") => {
                if path.contains(text) {
                    return Err(format!("the reference `{text}` leads back to itself"));
                }
                if path.len() >= DEPTH_MAX {
                    return Err(format!("more than {DEPTH_MAX} references are inside each other at `{text}`"));
                }
                let target =
                    look_up(self.root, &text[2..]).ok_or_else(|| format!("the reference `{text}` names nothing"))?;
                path.push(text.clone());
                let resolved = self.resolve(target, path)?;
                path.pop();
                Ok(resolved)
            }
            scalar => Ok(scalar.clone()),
        }
    }
}

/// What a path names: at each level its whole rest as one key, else its first segment.
fn look_up<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    let (mut node, mut path) = (root, path);
    while !path.is_empty() {
        if let Some(found) = node.as_object().and_then(|map| map.get(path)) {
            return Some(found);
        }
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        node = match node {
            Value::Array(items) => items.get(head.parse::<usize>().ok()?)?,
            Value::Object(map) => map.get(head)?,
            _ => return None,
        };
        path = rest;
    }
    Some(node)
}

/// The type that a component has where its author wrote none, by the type of its parent and its field.
const TYPES: &[(&str, &str, &str)] = &[
    ("CompositeErrorHandler", "error_handlers", "DefaultErrorHandler"),
    ("CursorPagination", "decoder", "JsonDecoder"),
    ("DatetimeBasedCursor", "end_datetime", "MinMaxDatetime"),
    ("DatetimeBasedCursor", "end_time_option", "RequestOption"),
    ("DatetimeBasedCursor", "start_datetime", "MinMaxDatetime"),
    ("DatetimeBasedCursor", "start_time_option", "RequestOption"),
    ("DeclarativeSource", "check", "CheckStream"),
    ("DeclarativeSource", "spec", "Spec"),
    ("DeclarativeSource", "streams", "DeclarativeStream"),
    ("DeclarativeStream", "retriever", "SimpleRetriever"),
    ("DeclarativeStream", "schema_loader", "JsonFileSchemaLoader"),
    ("DefaultErrorHandler", "response_filters", "HttpResponseFilter"),
    ("DefaultPaginator", "decoder", "JsonDecoder"),
    ("DefaultPaginator", "page_size_option", "RequestOption"),
    ("DpathExtractor", "decoder", "JsonDecoder"),
    ("DpathExtractor", "record_expander", "RecordExpander"),
    ("DynamicDeclarativeStream", "stream_template", "DeclarativeStream"),
    ("HttpComponentsResolver", "components_mapping", "ComponentMappingDefinition"),
    ("HttpComponentsResolver", "retriever", "SimpleRetriever"),
    ("ConfigComponentsResolver", "components_mapping", "ComponentMappingDefinition"),
    ("ConfigComponentsResolver", "stream_config", "StreamConfig"),
    ("ParametrizedComponentsResolver", "components_mapping", "ComponentMappingDefinition"),
    ("RecordExpander", "parent_fields", "ParentFieldPath"),
    ("HttpRequester", "error_handler", "DefaultErrorHandler"),
    ("ListPartitionRouter", "request_option", "RequestOption"),
    ("ParentStreamConfig", "request_option", "RequestOption"),
    ("ParentStreamConfig", "stream", "DeclarativeStream"),
    ("RecordSelector", "extractor", "DpathExtractor"),
    ("RecordSelector", "record_filter", "RecordFilter"),
    ("SimpleRetriever", "paginator", "NoPagination"),
    ("SimpleRetriever", "record_selector", "RecordSelector"),
    ("SimpleRetriever", "requester", "HttpRequester"),
    ("SubstreamPartitionRouter", "parent_stream_configs", "ParentStreamConfig"),
    ("AddFields", "fields", "AddedFieldDefinition"),
];

/// The component with its type and what its parents give it, and so everything below it. `is_outer_first`: whether what the parents
/// give wins over what it gives itself.
fn complete(
    place: &str,
    mut component: Map<String, Value>,
    inherited: &Map<String, Value>,
    is_outer_first: bool,
) -> Value {
    if !component.contains_key("type") && !component.contains_key("class_name") {
        let (parent, field) = place.split_once('.').unwrap_or_default();
        if let Some((.., ty)) = TYPES.iter().find(|(of, name, _)| *of == parent && *name == field) {
            component.insert("type".to_owned(), (*ty).into());
        }
    }
    let mut parameters = inherited.clone();
    if let Some(Value::Object(own)) = component.shift_remove(PARAMETERS) {
        if is_outer_first {
            own.into_iter().for_each(|(name, value)| _ = parameters.entry(name).or_insert(value));
        } else {
            parameters.extend(own);
        }
    }
    let ty = match component.get("type") {
        // A JSON schema is no component, and nothing flows into it.
        Some(Value::Array(_) | Value::Object(_)) => return Value::Object(component),
        Some(Value::String(ty)) if ty == "object" => return Value::Object(component),
        Some(Value::String(ty)) => ty.clone(),
        _ => {
            let has_type = |value: &Value| value.get("type").is_some_and(|ty| !is_empty(ty));
            for value in component.values_mut().filter(|value| value.is_object() && has_type(value)) {
                if let Value::Object(nested) = value.take() {
                    *value = complete(place, nested, &parameters, is_outer_first);
                }
            }
            return Value::Object(component);
        }
    };
    let own: BTreeSet<String> =
        component.iter().filter(|(_, value)| !is_empty(value)).map(|(key, _)| key.clone()).collect();
    for (name, value) in parameters.iter().filter(|(name, _)| !own.contains(*name)) {
        component.insert(name.clone(), value.clone());
    }
    for (field, value) in &mut component {
        let place = format!("{ty}.{field}");
        let nest = |value: &mut Value, below: &Map<String, Value>| {
            if let Value::Object(nested) = value.take() {
                *value = complete(&place, nested, below, is_outer_first);
            }
        };
        // A parameter does not flow into the field of its own name: it would hold itself.
        let below = || {
            let mut below = parameters.clone();
            below.shift_remove(field);
            below
        };
        match value {
            Value::Object(_) => nest(value, &below()),
            Value::Array(items) => {
                let below = below();
                items.iter_mut().filter(|item| item.is_object()).for_each(|item| nest(item, &below));
            }
            _ => {}
        }
    }
    if !parameters.is_empty() {
        component.insert(PARAMETERS.to_owned(), Value::Object(parameters));
    }
    Value::Object(component)
}

/// Whether a parameter of the same name takes its place.
fn is_empty(value: &Value) -> bool {
    !super::python::is_true(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_mapping_says_itself_wins_over_what_it_refers_to() {
        let file = "definitions: {base: {a: 1, b: 2}, deep/er: 7}\nx: {$ref: '#/definitions/base', b: 3}\ny: '#/definitions/deep/er'\n";
        let tree = read(file).unwrap();
        assert_eq!((&tree["x"], &tree["y"]), (&json!({"a": 1, "b": 3}), &json!(7)));
    }

    #[test]
    fn a_circle_and_a_name_that_is_not_there_are_wrong() {
        assert!(read("definitions: {a: '#/definitions/b', b: '#/definitions/a'}\nx: '#/definitions/a'\n").is_err());
        assert!(read("x: '#/definitions/a'\n").is_err());
    }

    #[test]
    fn parameters_flow_into_components_that_do_not_say_otherwise() {
        let file = "
streams:
  - $parameters: {name: people, path: /people}
    retriever:
      requester: {url_base: x, path: ''}
      record_selector: {extractor: {field_path: []}}
    schema_loader: {type: InlineSchemaLoader, schema: {type: object}}
";
        let tree = read(file).unwrap();
        let stream = &tree["streams"][0];
        assert_eq!(stream["name"], "people");
        assert_eq!(stream["retriever"]["requester"]["path"], "/people");
        assert_eq!(stream["retriever"]["record_selector"]["extractor"]["type"], "DpathExtractor");
        assert_eq!(stream["schema_loader"]["schema"], json!({"type": "object"}));
    }
}
