//! Connector: the streams of a public declarative manifest, which says in data how an API is asked. It runs unchanged, or a
//! stream of it is refused by name before anything is sent.
//!
//! ```text
//! yaml          the manifest as it is written
//! manifest      references, types and parameters: the components complete
//! python time   what texts and times mean to whom manifests were written for
//! template      `{{ … }}`, computed
//! component     a part of the manifest while it is read, and what it asks for that we do not have
//! request       what is sent; `authenticate` proves who asks, `url` writes the address
//! response      what comes back; `failure`: what if it is no good; `page`: how the next one is asked for
//! decode        its elements, of JSON, `xml` or CSV, also in a `zip`
//! select        the records among them, found by a `path`, and `transform`ed
//! config        what a pipeline file gives it, and `rewrite` what the manifest makes of it
//! budget        how often the server may be asked
//! window        which part of time is read; `partition`: which part of the stream; `position`: how far
//! job           what the server has to make before there are records
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
mod component;
mod path;
mod url;
mod request;
mod response;
mod failure;
mod authenticate;
mod page;
mod transform;
mod xml;
mod zip;
mod decode;
mod select;
mod budget;
mod config;
mod rewrite;
mod window;
mod partition;
mod position;
mod job;
mod stream;
mod walk;

use std::sync::Arc;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use budget::Budget;
use component::{Component, Missing};
use rewrite::Rewriting;
use stream::Stream;
use walk::{Setting, Start};

pub use authenticate::{Algorithm, Signing};
pub use config::Config;
pub(crate) use config::check as check_config;
pub use request::Request;
pub use response::{RESPONSE_BYTES_MAX, Response};
pub use url::is_private;
pub use walk::{Bounds, Page, Step, Walk};

/// A connector.
#[derive(Debug, Clone)]
pub struct Connector {
    streams: Vec<Entry>,
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
    schema: Option<Value>,
    primary_key: Option<Value>,
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
    /// What it asks for that we do not have, each a few words; it is refused if there is any.
    pub missing: &'a [String],
    /// What it says that means nothing in the format, and is passed over.
    pub ignored: &'a [String],
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
        let fields = [
            "check",
            "streams",
            "dynamic_streams",
            "version",
            "schemas",
            "definitions",
            "spec",
            "concurrency_level",
            "api_budget",
            "max_concurrent_async_job_count",
            "metadata",
            "stream_groups",
        ];
        component.knows(&fields, &mut missing);
        let budget = component.child("api_budget", &mut missing).and_then(|budget| Budget::read(&budget, &mut missing));
        let rules = component.child("spec", &mut missing).and_then(|spec| spec.get("config_normalization_rules"));
        let rules = rules.and_then(|rules| Component::named(rules, "ConfigNormalizationRules"));
        let rewritings = rules.map(|rules| rewrite::read(&rules, &mut missing)).unwrap_or_default();
        let all = missing;
        let streams = component.get("streams").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let streams = streams.iter().map(|value| {
            let mut missing = Missing::default();
            let mut read =
                |value| Component::of(value, &mut missing).and_then(|stream| Stream::read(&stream, 0, &mut missing));
            let (later, first) = by_state(value);
            let (stream, first) = (read(later), first.map(&mut read));
            let is_whole = first.as_ref().is_none_or(Option::is_some);
            if value.get("api_retention_period").is_some_and(python::is_true) {
                missing.add("the field `api_retention_period` of `StateDelegatingStream`");
            }
            missing.lacked.extend(all.lacked.iter().cloned());
            missing.ignored.extend(all.ignored.iter().cloned());
            if (stream.is_none() || !is_whole) && missing.lacked.is_empty() {
                missing.add("a component that cannot be read");
            }
            Entry {
                name: value.get("name").map(python::text).unwrap_or_default(),
                stream: stream.filter(|_| missing.lacked.is_empty()).map(Arc::new),
                first: first.flatten().map(Arc::new),
                missing: missing.lacked.into_iter().collect(),
                ignored: missing.ignored.into_iter().collect(),
                schema: schema(later).cloned(),
                primary_key: later.get("primary_key").cloned(),
            }
        });
        let dynamic = component.get("dynamic_streams").and_then(Value::as_array).into_iter().flatten();
        let dynamic = dynamic.map(|value| Entry {
            name: value.get("name").map(python::text).unwrap_or_else(|| "(dynamic)".to_owned()),
            stream: None,
            first: None,
            missing: vec!["the component `DynamicDeclarativeStream`".to_owned()],
            ignored: Vec::new(),
            schema: None,
            primary_key: None,
        });
        let specification = root.pointer("/spec/connection_specification").cloned().unwrap_or_default();
        let identity = crate::plan::identity("manifest", &[manifest]);
        let uses = manifest.replace([' ', '"', '\''], "");
        Ok(Self { streams: streams.chain(dynamic).collect(), budget, rewritings, specification, identity, uses })
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
                missing: &entry.missing,
                ignored: &entry.ignored,
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
        self.begin(stream, Start::After(state), Setting { config, bounds, now, chance })
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
        self.begin(stream, Start::Within(kept), Setting { config, bounds, now, chance })
    }

    fn begin(&self, stream: &str, start: Start<'_>, setting: Setting) -> Result<Walk, Error> {
        let Some(entry) = self.entry(stream) else {
            return Err(Error::new(ErrorKind::NotFound, format!("the manifest has no stream `{stream}`")));
        };
        let Some(found) = &entry.stream else {
            let missing = entry.missing.join("; ");
            let message = format!("the stream `{stream}` asks for what Etalon does not have: {missing}");
            return Err(Error::new(ErrorKind::Refused, message));
        };
        let calls = self.budget.as_ref().map(Budget::calls);
        let mut setting = setting;
        for rewriting in &self.rewritings {
            let rewritten = rewriting.apply(&mut setting.config, setting.now, setting.chance);
            rewritten.map_err(|message| Error::new(ErrorKind::Refused, message))?;
        }
        let is_first = match start {
            Start::After(state) => !state.is_some_and(python::is_true),
            Start::Within(kept) => kept.get(walk::FIRST).is_some_and(python::is_true),
        };
        let first = entry.first.as_ref().filter(|_| is_first);
        Walk::new(Arc::clone(first.unwrap_or(found)), first.is_some(), start, setting, calls)
    }

    fn entry(&self, stream: &str) -> Option<&Entry> {
        self.streams.iter().find(|entry| entry.name == stream)
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

/// The stream that a part of the manifest is; and the one that is read as long as there is no state, where they are two.
fn by_state(stream: &Value) -> (&Value, Option<&Value>) {
    let of = |field| stream.get(field).filter(|_| stream.get("type").is_some_and(|ty| ty == "StateDelegatingStream"));
    match (of("incremental_stream"), of("full_refresh_stream")) {
        (Some(later), Some(first)) => (later, Some(first)),
        _ => (stream, None),
    }
}

/// The schema that stands in the manifest of a stream's records.
fn schema(stream: &Value) -> Option<&Value> {
    let loaders = stream.get("schema_loader")?;
    let all = loaders.as_array().map_or_else(|| std::slice::from_ref(loaders), Vec::as_slice);
    all.iter().find_map(|loader| loader.get("schema"))
}
