//! Connector: the streams of a public declarative manifest, which says in data how an API is asked. It runs unchanged, or a
//! stream of it is refused by name before anything is sent.
//!
//! ```text
//! yaml          the manifest as it is written
//! manifest      references, types and parameters: the components complete
//! python time   what texts and times mean to whom manifests were written for
//! template      `{{ … }}`, computed
//! schema        the components of the format, and what becomes of each
//! component     a part of the manifest while it is read, and what it asks for that we do not have
//! request       what is sent; `authenticate` proves who asks, `url` writes the address
//! response      what comes back; `failure`: what if it is no good; `page`: how the next one is asked for; `cookie`: what is told again;
//!               `raw`: what is kept of it
//! decode        its elements, of JSON, `xml` or CSV, also in a `zip`
//! extract       the records among them, found by a `path`; `select`: those that are kept, `transform`ed
//! property      the fields that are asked for by name
//! config        what a pipeline file gives it, and `rewrite` what the manifest makes of it
//! budget        how often the server may be asked, and the `share` that a walk has of that; `calls`: what is kept of it
//! clamp window  which part of time is read; `partition`: which part of the stream; `position`: how far
//! migrate       a state of before, as one of today
//! job           what the server has to make before there are records
//! dynamic       streams that are a template and what is filled into it
//! stream walk   all of it together, step by step
//! ```
//!
//! A manifest is not trusted: only hosts that it and the configuration name are asked, private addresses only if that is
//! allowed, credentials are not sent in the clear, and whatever may grow is bounded.

mod yaml;
mod manifest;
mod python;
mod time;
mod template;
mod schema;
mod component;
mod path;
mod url;
mod request;
mod response;
mod cookie;
mod raw;
mod failure;
mod calls;
mod authenticate;
mod page;
mod transform;
mod xml;
mod zip;
mod decode;
mod extract;
mod select;
mod budget;
mod share;
mod config;
mod rewrite;
mod clamp;
mod window;
mod property;
mod partition;
mod position;
mod migrate;
mod job;
mod stream;
mod dynamic;
mod walk;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use budget::Budget;
use component::{Component, Missing};
use dynamic::Dynamic;
use rewrite::Rewriting;
use share::Calls;
use stream::Stream;
use template::{Scope, Template};
use walk::{Finding, Setting, Start};

pub use authenticate::{Algorithm, Keeping, Kept, KeptToken, Signing};
pub(crate) use budget::CALLS_MAX;
pub use calls::KeptCalls;
pub use config::Config;
pub(crate) use config::check as check_config;
pub(crate) use failure::{FULL_JITTER, RETRY_AFTER};
pub use raw::{RAW_BYTES_MAX, Raw};
pub use request::Request;
pub use response::{RESPONSE_BYTES_MAX, Response};
pub use schema::{COMPONENTS, Described, Standing, page};
pub use url::is_private;
pub use walk::{Bounds, Page, Step, Walk};

/// A connector.
#[derive(Debug, Clone)]
pub struct Connector {
    streams: Vec<Entry>,
    /// The templates of streams.
    dynamic: Vec<Arc<Dynamic>>,
    /// What every stream asks for.
    missing: Missing,
    budget: Option<Budget>,
    /// What is made of the configuration before it is used.
    rewritings: Vec<Rewriting>,
    specification: Value,
    identity: String,
    /// The text of the manifest without its blanks and quotes, in which uses of the configuration are looked for.
    uses: String,
}

/// A stream of the manifest.
#[derive(Debug, Clone)]
struct Entry {
    name: String,
    stream: Option<Arc<Stream>>,
    /// What is read in its place as long as there is no state, if the manifest says so.
    first: Option<Arc<Stream>>,
    /// There is a stream if there is nothing in it.
    missing: Vec<String>,
    ignored: Vec<String>,
    /// The keys of the configuration that it takes.
    config: Vec<String>,
    schema: Option<Value>,
    primary_key: Option<Value>,
    /// When the stream is there, if that is said.
    condition: Option<Template>,
    /// How old a state may be with which the server can be asked, as a span of ISO 8601, where it forgets.
    retention: Option<Template>,
    /// Who says which streams the template gives, where this is one.
    named_by: Option<NamedBy>,
}

/// Who says which streams a template gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// The configuration.
    Config,
    /// The server.
    Server,
}

/// A stream of a connector, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its name.
    pub name: &'a str,
    /// Whether the next walk reads only what came since.
    pub is_incremental: bool,
    /// The streams that it takes its partitions from.
    pub parents: Vec<&'a str>,
    /// The keys of the configuration that it and its parents take, in order.
    pub config: &'a [String],
    /// What it asks for that we do not have, each a few words; it is refused if there is any.
    pub missing: &'a [String],
    /// What it says that means nothing in the format, and is passed over.
    pub ignored: &'a [String],
    /// Who says which streams there are, where this is the name of a template for streams.
    pub named_by: Option<NamedBy>,
}

impl Connector {
    /// Reads a manifest. The error is a sentence about the manifest as a whole; a stream that asks for what we do not have is
    /// no error, it is listed so.
    pub fn read(manifest: &str) -> Result<Self, Error> {
        let refused = |message: String| Error::new(ErrorKind::Refused, message);
        let root = manifest::read(manifest).map_err(refused)?;
        let mut missing = Missing::default();
        let component = Component::of(&root, &mut missing)
            .filter(|root| root.ty == "DeclarativeSource")
            .ok_or_else(|| refused("the manifest is no `DeclarativeSource`".to_owned()))?;
        component.knows(&mut missing);
        let budget = component.child("api_budget", &mut missing).and_then(|budget| Budget::read(&budget, &mut missing));
        let spec = component.child("spec", &mut missing);
        let rules = spec.as_ref().and_then(|spec| spec.get("config_normalization_rules"));
        let rules = rules.and_then(|rules| Component::named(rules, "ConfigNormalizationRules"));
        let rewritings = rules.map(|rules| rewrite::read(&rules, &mut missing)).unwrap_or_default();
        let all = missing;
        let mut entries = Vec::new();
        let streams = component.get("streams").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for value in streams {
            if value.get("type").is_some_and(|ty| ty == "ConditionalStreams") {
                let mut missing = all.clone();
                let group = Component::of(value, &mut missing);
                let condition = group.as_ref().and_then(|group| {
                    group.knows(&mut missing);
                    group.needed("condition", &mut missing)
                });
                let nested = group.as_ref().and_then(|group| group.get("streams")).and_then(Value::as_array);
                let nested = nested.into_iter().flatten();
                entries
                    .extend(nested.map(|value| Entry { condition: condition.clone(), ..Entry::read(value, &missing) }));
            } else {
                entries.push(Entry::read(value, &all));
            }
        }
        let mut dynamic = Vec::new();
        let templates = component.get("dynamic_streams").and_then(Value::as_array).into_iter().flatten();
        for (number, value) in templates.enumerate() {
            let mut missing = all.clone();
            let component = Component::of(value, &mut missing);
            let read = component.and_then(|component| Dynamic::read(&component, number, &mut missing));
            let name = value.get("name").map_or_else(|| format!("dynamic_stream_{number}"), python::text);
            let Some(read) = read.filter(|_| missing.lacked.is_empty()) else {
                entries.push(Entry::refused(name, missing));
                continue;
            };
            // What stands in the manifest is known now.
            let nothing = Value::Object(serde_json::Map::new());
            let streams = if read.asked().is_some() { None } else { read.written(&Scope::new(0, 0, &nothing)) };
            match streams {
                Some(streams) => entries.extend(streams.iter().map(|stream| Entry::read(stream, &missing))),
                None => {
                    let by = if read.asked().is_some() { NamedBy::Server } else { NamedBy::Config };
                    entries.push(Entry { named_by: Some(by), ..Entry::refused(name, Missing::default()) });
                    dynamic.push(Arc::new(read));
                }
            }
        }
        let specification = spec.and_then(|spec| spec.get("connection_specification"));
        let specification = specification.cloned().unwrap_or_default();
        let identity = crate::plan::identity("manifest", &[manifest]);
        let uses = manifest.replace([' ', '"', '\''], "");
        Ok(Self { streams: entries, dynamic, missing: all, budget, rewritings, specification, identity, uses })
    }

    /// The streams, in the order of the manifest.
    pub fn streams(&self) -> impl Iterator<Item = Listed<'_>> {
        self.streams.iter().map(|entry| {
            let routers = entry.stream.iter().flat_map(|stream| &stream.routers);
            Listed {
                name: &entry.name,
                is_incremental: entry.stream.as_ref().is_some_and(|stream| stream.cursor.is_some()),
                parents: routers
                    .flat_map(|router| router.parents())
                    .map(|parent| parent.stream.name.as_str())
                    .collect(),
                config: &entry.config,
                missing: &entry.missing,
                ignored: &entry.ignored,
                named_by: entry.named_by,
            }
        })
    }

    /// Begins to read a stream. `config`: what the manifest's specification asks for; `state`: where the last walk ended;
    /// `now`: microseconds since 1970; `chance`: bits for names that nobody may guess.
    ///
    /// The error names the stream and what is missing.
    pub fn walk(
        &self,
        stream: &str,
        config: Value,
        state: Option<&Value>,
        bounds: Bounds,
        now: i64,
        chance: u128,
    ) -> Result<Walk, Error> {
        self.begin(stream, Start::After(state), Setting { config, secrets: Vec::new(), bounds, now, chance })
    }

    /// Goes on with a walk in the middle of which [`Walk::keep`] was called; the rest as for [`Connector::walk`].
    pub fn resume(
        &self,
        stream: &str,
        config: Value,
        kept: &Value,
        bounds: Bounds,
        now: i64,
        chance: u128,
    ) -> Result<Walk, Error> {
        self.begin(stream, Start::Within(kept), Setting { config, secrets: Vec::new(), bounds, now, chance })
    }

    fn begin(&self, stream: &str, start: Start<'_>, setting: Setting) -> Result<Walk, Error> {
        let secrets = config::secrets(&setting.config, &self.specification);
        let begun = self.begin_with(stream, start, Setting { secrets: secrets.clone(), ..setting });
        begun.map_err(|error| Error::new(error.kind(), config::masked(&secrets, &error.to_string())))
    }

    fn begin_with(&self, stream: &str, start: Start<'_>, setting: Setting) -> Result<Walk, Error> {
        let mut setting = setting;
        for rewriting in &self.rewritings {
            let rewritten = rewriting.apply(&mut setting.config, setting.now, setting.chance);
            rewritten.map_err(|message| Error::new(ErrorKind::Refused, message))?;
        }
        let calls = self.budget.clone().map(Calls::new);
        if let Some(entry) = self.entry(stream) {
            let scope = Scope::new(setting.now, setting.chance, &setting.config);
            let chosen = entry.chosen(stream, &start, &scope).map_err(refused)?;
            return Walk::new(chosen.0, chosen.1, chosen.2, setting, calls);
        }
        for dynamic in &self.dynamic {
            let scope = Scope::new(setting.now, setting.chance, &setting.config);
            let streams = dynamic.streams(&scope).map_err(refused)?.unwrap_or_default();
            if let Some(found) = streams.iter().find(|found| dynamic::name(found) == Some(stream)) {
                let chosen = Entry::read(found, &self.missing).chosen(stream, &start, &scope).map_err(refused)?;
                return Walk::new(chosen.0, chosen.1, chosen.2, setting, calls);
            }
        }
        let asked: Vec<Arc<Dynamic>> = self.dynamic.iter().filter(|one| one.asked().is_some()).cloned().collect();
        if asked.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("the manifest has no stream `{stream}`")));
        }
        Walk::finding(Finding::new(stream, asked, &start, self.missing.clone()), setting, calls)
    }

    fn entry(&self, stream: &str) -> Option<&Entry> {
        self.streams.iter().find(|entry| entry.name == stream && entry.named_by.is_none())
    }

    /// Who says whether there is a stream of that name, if the manifest alone does not.
    pub fn named_by(&self, stream: &str) -> Option<NamedBy> {
        let is_there = self.entry(stream).is_some();
        let all = || self.streams.iter().filter_map(|entry| entry.named_by);
        all().find(|by| *by == NamedBy::Server).or_else(|| all().next()).filter(|_| !is_there)
    }

    /// The schema that the manifest has of a stream's records: a JSON schema.
    pub fn schema(&self, stream: &str) -> Option<&Value> {
        self.entry(stream)?.schema.as_ref()
    }

    /// The fields by which the manifest tells the records of a stream apart.
    pub fn primary_key(&self, stream: &str) -> Vec<String> {
        let key = self.entry(stream).and_then(|entry| entry.primary_key.as_ref());
        match key {
            Some(Value::String(name)) => vec![name.clone()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
            _ => Vec::new(),
        }
    }

    /// The field of a stream's records that grows with every change, if the manifest names it as it is.
    pub fn cursor_field(&self, stream: &str) -> Option<String> {
        let cursor = self.entry(stream)?.stream.as_ref()?.cursor.as_ref()?;
        cursor.plain_field().map(ToOwned::to_owned)
    }

    /// What the manifest asks of its configuration: a JSON schema, or null.
    pub fn specification(&self) -> &Value {
        &self.specification
    }

    /// What the manifest's specification requires, has no default for, and a configuration lacks.
    pub fn lacking(&self, config: &Value) -> Vec<&str> {
        let required = self.specification.get("required").and_then(Value::as_array).into_iter().flatten();
        let has_default = |name: &str| {
            let property = self.specification.get("properties").and_then(|properties| properties.get(name));
            property.is_some_and(|property| property.get("default").is_some())
        };
        required.filter_map(Value::as_str).filter(|name| config.get(name).is_none() && !has_default(name)).collect()
    }

    /// Whether the manifest takes a key of its configuration.
    pub(crate) fn uses_config(&self, key: &str) -> bool {
        [format!("config[{key}]"), format!("config.{key}"), format!("config.get({key}")]
            .iter()
            .any(|used| self.uses.contains(used.as_str()))
    }

    /// A configuration as one name, without its secrets, which change where the source stays the same.
    pub fn config_identity(&self, config: &Value) -> String {
        let plain = config::without_secrets(config, &self.specification);
        crate::plan::identity("config", &plain.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The manifest as one name: a walk that was kept means something only to the manifest that it was of.
    pub fn identity(&self) -> &str {
        &self.identity
    }
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}

impl Entry {
    /// What a part of the manifest is. `all`: what every stream asks for.
    fn read(value: &Value, all: &Missing) -> Self {
        let mut missing = Missing::default();
        let mut read =
            |value| Component::of(value, &mut missing).and_then(|stream| Stream::read(&stream, 0, &mut missing));
        let (later, first) = by_state(value);
        let (stream, first) = (read(later), first.map(&mut read));
        let is_whole = first.as_ref().is_none_or(Option::is_some);
        let retention = value.get("api_retention_period").filter(|_| first.is_some());
        let retention =
            retention.and_then(|_| Component::of(value, &mut missing)?.template("api_retention_period", &mut missing));
        missing.lacked.extend(all.lacked.iter().cloned());
        missing.ignored.extend(all.ignored.iter().cloned());
        if (stream.is_none() || !is_whole) && missing.lacked.is_empty() {
            missing.add("a component that cannot be read");
        }
        Self {
            stream: stream.filter(|_| missing.lacked.is_empty()).map(Arc::new),
            first: first.flatten().map(Arc::new),
            schema: schema(later).cloned(),
            primary_key: Component::named(later, "DeclarativeStream")
                .and_then(|stream| stream.get("primary_key"))
                .cloned(),
            retention,
            config: taken(value),
            ..Self::refused(value.get("name").map(python::text).unwrap_or_default(), missing)
        }
    }

    /// A stream that is not there.
    fn refused(name: String, missing: Missing) -> Self {
        Self {
            name,
            stream: None,
            first: None,
            missing: missing.lacked.into_iter().collect(),
            ignored: missing.ignored.into_iter().collect(),
            config: Vec::new(),
            schema: None,
            primary_key: None,
            condition: None,
            retention: None,
            named_by: None,
        }
    }

    /// The stream that is read, whether it is the one that is read as long as there is no state, and where it begins.
    fn chosen<'a>(
        &self,
        name: &str,
        start: &Start<'a>,
        scope: &Scope<'_>,
    ) -> Result<(Arc<Stream>, bool, Start<'a>), String> {
        let Some(found) = &self.stream else {
            let missing = self.missing.join("; ");
            return Err(format!("the stream `{name}` asks for what Etalon does not have: {missing}"));
        };
        if let Some(condition) = &self.condition
            && !condition.holds(scope)?
        {
            return Err(format!("the manifest has the stream `{name}` for another configuration only"));
        }
        let Some(first) = &self.first else { return Ok((Arc::clone(found), false, *start)) };
        let is_first = match start {
            Start::After(state) => match state.filter(|state| python::is_true(state)) {
                None => true,
                Some(state) => self.is_too_old(state, first, found, scope)?,
            },
            Start::Within(kept) => kept.get(walk::FIRST).is_some_and(python::is_true),
        };
        match (is_first, start) {
            // A state that the server has forgotten is none.
            (true, Start::After(_)) => Ok((Arc::clone(first), true, Start::After(None))),
            (true, Start::Within(_)) => Ok((Arc::clone(first), true, *start)),
            (false, _) => Ok((Arc::clone(found), false, *start)),
        }
    }

    /// Whether the server has forgotten what came since a state.
    fn is_too_old(&self, state: &Value, first: &Stream, later: &Stream, scope: &Scope<'_>) -> Result<bool, String> {
        let Some(retention) = &self.retention else { return Ok(false) };
        let text = retention.text(scope)?;
        if text.is_empty() {
            return Ok(false);
        }
        let span = time::Span::parse(&text).ok_or_else(|| format!("`{text}` is no duration of ISO 8601"))?;
        let cutoff =
            time::Moment::utc(scope.now).plus(span.negated()).ok_or("the retention period is too long")?.micros;
        let at = |stream: &Stream| -> Result<Option<i64>, String> {
            let Some(cursor) = &stream.cursor else { return Ok(None) };
            cursor.reached(state, !stream.routers.is_empty(), scope)
        };
        // A stream without a cursor that has been read to its end was read now.
        let is_read = first.cursor.is_none() && state.get(position::WHOLE).is_some_and(python::is_true);
        let reached = if is_read { Some(scope.now) } else { at(first)? };
        let reached = match reached {
            None => at(later)?,
            reached => reached,
        };
        Ok(reached.is_none_or(|reached| reached < cutoff))
    }
}

/// The stream that a part of the manifest is; and the one that is read as long as there is no state, where they are two.
fn by_state(stream: &Value) -> (&Value, Option<&Value>) {
    let is_one = stream.get("type").is_some_and(|ty| ty == "StateDelegatingStream");
    let delegating = Component::named(stream, "StateDelegatingStream").filter(|_| is_one);
    let of = |field| delegating.as_ref().and_then(|delegating| delegating.get(field));
    match (of("incremental_stream"), of("full_refresh_stream")) {
        (Some(later), Some(first)) => (later, Some(first)),
        _ => (stream, None),
    }
}

/// The keys of the configuration that the templates of a part of the manifest name.
fn taken(part: &Value) -> Vec<String> {
    let text = part.to_string().replace("\\\"", "'");
    let mut keys = BTreeSet::new();
    for after in text.split("config").skip(1) {
        let after = after.trim_start();
        let quoted =
            ["['", ".get('", "[ '", ".get( '"].iter().find_map(|start| after.strip_prefix(start)?.split_once('\''));
        let end = |text: &str| text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let plain = after.strip_prefix('.').map(|name| name.split_at(end(name)));
        match (quoted, plain) {
            (Some((key, _)), _) => _ = keys.insert(key.to_owned()),
            (None, Some((key, after))) if !key.is_empty() && !after.starts_with('(') => _ = keys.insert(key.to_owned()),
            _ => {}
        }
    }
    keys.into_iter().collect()
}

/// The schema that stands in the manifest of a stream's records.
fn schema(stream: &Value) -> Option<&Value> {
    let loaders = stream.get("schema_loader")?;
    let all = loaders.as_array().map_or_else(|| std::slice::from_ref(loaders), Vec::as_slice);
    all.iter().find_map(|loader| loader.get("schema"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_keys_that_templates_name_are_found() {
        let part = json!({"a": "{{ config['one'] }} {{ config.get(\"two\", 1) }}", "b": ["{{ config.three.deep }}"], "config": 1});
        assert_eq!(taken(&part), ["one", "three", "two"]);
    }
}
