//! Dynamic: streams that are not in the manifest one by one. There is a template, and for each stream values that are filled into it:
//! the manifest has them, or the configuration, or the server says them.
//!
//! What a server says is no program: a text of its answer that looks like a template stands for itself, and no host is asked because
//! an answer names it.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::component::{Component, Missing};
use super::manifest;
use super::path;
use super::python;
use super::stream::Stream;
use super::template::{Datum, Scope, Slice, Template, Types};
use super::transform::types;
use super::yaml;

/// Most streams that the manifest or the configuration gives.
const STREAMS_MAX: usize = 10_000;
/// How deep what is filled in may be.
const DEPTH_MAX: usize = 64;

/// Streams of one template.
#[derive(Debug, Clone)]
pub(super) struct Dynamic {
    /// What they are called together.
    pub(super) name: String,
    template: Value,
    /// Whether the parameters of a component win over those of the components in it.
    is_outer_first: bool,
    values: Values,
    filled: Vec<Filled>,
}

/// Where the values come from that are filled in.
#[derive(Debug, Clone)]
enum Values {
    /// As they stand in the manifest.
    Written(Vec<Value>),
    /// Each with each of what stands at these places of the configuration, and of what stands there always.
    Config(Vec<(Vec<Template>, Vec<Value>)>),
    /// Records of the server.
    Server(Arc<Stream>),
}

/// One place of the template.
#[derive(Debug, Clone)]
struct Filled {
    path: Vec<Template>,
    value: Template,
    types: Types,
    /// Whether it is made where it is not there.
    is_made: bool,
    condition: Option<Template>,
}

impl Dynamic {
    pub(super) fn read(component: &Component<'_>, number: usize, missing: &mut Missing) -> Option<Self> {
        if component.ty != "DynamicDeclarativeStream" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let resolver = component.child("components_resolver", missing)?;
        let (values, may_make) = match resolver.ty {
            "HttpComponentsResolver" => {
                resolver.knows(missing);
                (Values::Server(Arc::new(asked(&resolver, missing)?)), false)
            }
            "ConfigComponentsResolver" => {
                resolver.knows(missing);
                let places = resolver.children("stream_config", missing);
                let place = |place: &Component<'_>| {
                    place.knows(missing);
                    let always = place.get("default_values").and_then(Value::as_array).cloned();
                    (place.templates("configs_pointer", missing), always.unwrap_or_default())
                };
                (Values::Config(places.iter().map(place).collect()), true)
            }
            "ParametrizedComponentsResolver" => {
                resolver.knows(missing);
                let parameters = resolver.get("stream_parameters");
                let parameters = parameters.and_then(|all| Component::named(all, "StreamParametersDefinition"));
                let all = parameters.and_then(|parameters| parameters.get("list_of_parameters_for_stream"));
                (Values::Written(all.and_then(Value::as_array).cloned().unwrap_or_default()), true)
            }
            _ => {
                resolver.is_missing(missing);
                return None;
            }
        };
        let is_config = matches!(values, Values::Config(_));
        let mappings = resolver.children("components_mapping", missing);
        let filled = mappings.iter().map(|mapping| {
            mapping.knows(missing);
            let condition = mapping.template("condition", missing).filter(|condition| !condition.source().is_empty());
            Some(Filled {
                path: mapping.templates("field_path", missing),
                value: mapping.needed("value", missing)?,
                types: types(mapping, missing)?,
                is_made: may_make && mapping.flag("create_or_update"),
                // The reference looks at it for what the configuration gives only.
                condition: condition.filter(|_| is_config),
            })
        });
        let filled = filled.collect::<Option<Vec<_>>>()?;
        Some(Self {
            name: component.get("name").map_or_else(|| format!("dynamic_stream_{number}"), python::text),
            template: component.get("stream_template").cloned().unwrap_or_default(),
            is_outer_first: component.get("use_parent_parameters").is_none_or(python::is_true),
            values,
            filled,
        })
    }

    /// What the server is asked for, if it is the one who says which streams there are.
    pub(super) fn asked(&self) -> Option<&Arc<Stream>> {
        if let Values::Server(stream) = &self.values { Some(stream) } else { None }
    }

    /// The template, as the component that it is before anything is filled in.
    pub(super) fn template(&self) -> &Value {
        &self.template
    }

    /// The streams that the manifest and this configuration give, each a component of the manifest; `None`: the server says them.
    pub(super) fn streams(&self, scope: &Scope<'_>) -> Result<Option<Vec<Value>>, String> {
        let all = match &self.values {
            Values::Server(_) => return Ok(None),
            Values::Written(all) => all.clone(),
            Values::Config(places) => configured(places, scope)?,
        };
        if all.len() > STREAMS_MAX {
            return Err(format!("the template `{}` gives more than {STREAMS_MAX} streams", self.name));
        }
        let slice = Slice::default();
        all.iter().map(|values| self.fill(values, &slice, scope)).collect::<Result<_, _>>().map(Some)
    }

    /// The streams, if the manifest says all of them: nothing of the configuration is asked for.
    pub(super) fn written(&self, scope: &Scope<'_>) -> Option<Vec<Value>> {
        match &self.values {
            Values::Written(_) => self.streams(scope).ok().flatten(),
            Values::Config(_) | Values::Server(_) => None,
        }
    }

    /// The stream of these values, a component of the manifest.
    pub(super) fn fill(&self, values: &Value, slice: &Slice, scope: &Scope<'_>) -> Result<Value, String> {
        let mut stream = self.template.clone();
        let scope = Scope::new(scope.now, scope.chance, scope.config)
            .sliced(slice)
            .with("components_values", Datum::from(values))
            .with("stream_template_config", Datum::from(&self.template));
        for filled in &self.filled {
            if let Some(condition) = &filled.condition
                && !condition.holds(&scope)?
            {
                continue;
            }
            let value = filled.value.literal(&scope, filled.types)?.value;
            let value = match (&self.values, value) {
                (Values::Server(_), value) => inert(value, 0)?,
                // A text is what YAML makes of it, where it is not to be a text.
                (Values::Config(_), Value::String(text)) if filled.types == Types::Text => Value::String(text),
                (_, Value::String(text)) => yaml::read(&text).unwrap_or(Value::String(text)),
                (_, value) => value,
            };
            let at = filled.path.iter().map(|part| part.text(&scope)).collect::<Result<Vec<_>, _>>()?;
            let changed = path::replace(&mut stream, &at, &value);
            if changed == 0 && filled.is_made && python::is_true(&value) {
                path::set(&mut stream, &at, value)?;
            }
        }
        let Value::Object(stream) = stream else { return Err(format!("the template `{}` is no stream", self.name)) };
        Ok(manifest::complete_stream(stream, self.is_outer_first))
    }
}

/// What is asked for the values, as a stream of its own.
fn asked(resolver: &Component<'_>, missing: &mut Missing) -> Option<Stream> {
    let stream = json!({
        "type": "DeclarativeStream",
        "name": "components",
        "retriever": resolver.get("retriever").cloned().unwrap_or_default(),
    });
    let mut stream = Stream::read(&Component::of(&stream, missing)?, 0, missing)?;
    stream.requester.is_cached = true;
    Some(stream)
}

/// What stands at places of the configuration, each with each.
fn configured(places: &[(Vec<Template>, Vec<Value>)], scope: &Scope<'_>) -> Result<Vec<Value>, String> {
    let mut all = vec![Map::new()];
    for (number, (place, always)) in places.iter().enumerate() {
        let at = place.iter().map(|part| part.text(scope)).collect::<Result<Vec<_>, _>>()?;
        let mut items = match path::get(scope.config, &at) {
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        items.extend(always.iter().cloned());
        if all.len().saturating_mul(items.len()) > STREAMS_MAX {
            return Err(format!("the configuration gives more than {STREAMS_MAX} streams"));
        }
        let join = |whole: &Map<String, Value>, (index, item): (usize, &Value)| {
            let mut whole = whole.clone();
            match item {
                Value::Object(map) => whole.extend(map.clone()),
                other => {
                    whole.entry(format!("source_config_{number}")).or_insert_with(|| json!([index, other]));
                }
            }
            whole
        };
        all = all.iter().flat_map(|whole| items.iter().enumerate().map(move |item| join(whole, item))).collect();
    }
    Ok(all.into_iter().map(Value::Object).collect())
}

/// What a server says, with texts that stand for themselves.
fn inert(value: Value, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("what the server says of a stream is too deep".to_owned());
    }
    Ok(match value {
        Value::String(text) if text.contains("{{") || text.contains("{%") || text.contains("{#") => {
            Value::String(format!("{{{{ {} }}}}", Value::from(text)))
        }
        Value::Array(items) => {
            items.into_iter().map(|item| inert(item, depth + 1)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(map) => {
            let entries = map.into_iter().map(|(key, value)| Ok((key, inert(value, depth + 1)?)));
            Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
        }
        other => other,
    })
}

/// The name that a stream of the manifest has.
pub(super) fn name(stream: &Value) -> Option<&str> {
    stream.get("name").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_no_template() {
        let value = inert(json!({"a": ["{{ config['key'] }}", "plain"]}), 0).unwrap();
        assert_eq!(value, json!({"a": ["{{ \"{{ config['key'] }}\" }}", "plain"]}));
    }
}
