//! Stream: what a connector can read under one name, put together from the components of its manifest.

use std::collections::BTreeSet;

use serde_json::Value;

use super::component::{Component, Missing};
use super::decode::Decoder;
use super::extract::Extractor;
use super::job::Job;
use super::migrate::Migration;
use super::page::Paginator;
use super::partition::{Router, Shape};
use super::property::Properties;
use super::python;
use super::request::Requester;
use super::select::Selector;
use super::template::{Scope, Slice};
use super::transform::Transformation;
use super::url::plain_host;
use super::window::Cursor;

/// Most streams inside each other, as children and parents.
const DEPTH_MAX: usize = 8;

/// A stream.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    pub(super) name: String,
    /// What the server has to make before there are records.
    pub(super) job: Option<Box<Job>>,
    /// How the records are asked for.
    pub(super) requester: Requester,
    /// What the server is asked for by name.
    pub(super) properties: Option<Properties>,
    pub(super) paginator: Paginator,
    pub(super) decoder: Decoder,
    pub(super) selector: Selector,
    pub(super) transformations: Vec<Transformation>,
    pub(super) cursor: Option<Cursor>,
    /// How its states of before become those of today.
    pub(super) migration: Option<Migration>,
    /// What divides the stream into partitions.
    pub(super) routers: Vec<Router>,
    /// How the partitions of several go together.
    pub(super) shape: Shape,
    /// Whether only the first page of a partition is asked for with what the partition injects.
    pub(super) is_bare_after_first: bool,
}

impl Stream {
    /// Reads a stream; `depth`: how many streams it is the parent of. What it asks for that we do not have is on the list.
    pub(super) fn read(component: &Component<'_>, depth: usize, missing: &mut Missing) -> Option<Self> {
        if component.ty != "DeclarativeStream" {
            component.is_missing(missing);
            return None;
        }
        if depth > DEPTH_MAX {
            missing.add(format!("more than {DEPTH_MAX} streams inside each other"));
            return None;
        }
        component.knows(missing);
        component.lacks("file_uploader", missing);
        let migration = Migration::read(component, missing);
        let schema = schema(component, missing);
        let cursor = match component.child("incremental_sync", missing) {
            Some(cursor) => Some(Cursor::read(&cursor, missing)?),
            None => None,
        };
        let retriever = component.child("retriever", missing)?;
        let is_job = retriever.ty == "AsyncRetriever";
        if !is_job && retriever.ty != "SimpleRetriever" {
            retriever.is_missing(missing);
            return None;
        }
        retriever.knows(missing);
        let job = if is_job { Some(Box::new(Job::read(&retriever, missing)?)) } else { None };
        let name = |field: &'static str, of_job: &'static str| if is_job { of_job } else { field };
        let transformations = component.children("transformations", missing);
        let transformations = transformations.iter().filter_map(|one| Transformation::read(one, missing)).collect();
        let routing = Shape::read(&retriever, depth, missing);
        let paginator = match retriever.child(name("paginator", "download_paginator"), missing) {
            Some(paginator) => Paginator::read(&paginator, missing),
            None => Some(Paginator::single()),
        };
        let requester = retriever.child(name("requester", "download_requester"), missing)?;
        let properties = if is_job { None } else { Properties::read(&requester, missing)? };
        let requester = match properties {
            Some(_) => Requester::read_with_properties(&requester, missing),
            None => Requester::read(&requester, missing),
        };
        let requester = requester.map(|requester| requester.downloading(is_job));
        let is_client_side = cursor.as_ref().is_some_and(|cursor| cursor.is_client_side);
        let mut decoder = Decoder::read(retriever.child(name("decoder", "download_decoder"), missing), missing);
        let selector = retriever.child("record_selector", missing);
        let selector = match (selector, is_job) {
            (Some(selector), false) => Selector::read(&selector, schema.as_ref(), is_client_side, missing),
            (Some(selector), true) => {
                let extractor = match retriever.child("download_extractor", missing) {
                    None => Some(Extractor::whole()),
                    // It reads a file whatever the decoder is.
                    Some(file) if file.ty == "ResponseToFileExtractor" => {
                        file.knows(missing);
                        decoder = Decoder::file(file.flag("preserve_na_values"));
                        Some(Extractor::whole())
                    }
                    Some(extractor) => Extractor::read(&extractor, missing),
                };
                let read =
                    |extractor| Selector::read_by(&selector, extractor, schema.as_ref(), is_client_side, missing);
                extractor.and_then(read)
            }
            (None, _) => None,
        };
        let (shape, routers) = routing?;
        if let (Some(paginator), Some(selector)) = (&paginator, &selector)
            && paginator.is_counting()
            && selector.is_union()
        {
            missing.add("an `OffsetIncrement` over a `CombinedExtractor` of several lists");
        }
        if !routers.is_empty() && cursor.as_ref().is_some_and(Cursor::is_count) {
            missing.add("an `IncrementingCountCursor` with partitions");
        }
        Some(Self {
            name: component.get("name").map(python::text).unwrap_or_default(),
            job,
            requester: requester?,
            properties,
            paginator: paginator?,
            decoder,
            selector: selector?,
            transformations,
            cursor,
            migration,
            shape,
            routers,
            is_bare_after_first: retriever.flag("ignore_stream_slicer_parameters_on_paginated_requests"),
        })
    }

    /// The hosts that the stream and its parents may ask: those of the addresses that the manifest and the configuration
    /// give, also by the values of a list, but never those that a response names.
    pub(super) fn hosts(&self, scope: &Scope<'_>, hosts: &mut BTreeSet<String>) -> Result<(), String> {
        let requesters = self.job.iter().flat_map(|job| job.requesters()).chain(Some(&self.requester));
        let mut addresses = Vec::new();
        let mut paths = Vec::new();
        for requester in requesters {
            addresses.extend(requester.authenticator.addresses());
            addresses.extend(requester.base());
            paths.push(requester);
        }
        if let Some(asked) = self.properties.as_ref().and_then(Properties::asked) {
            asked.hosts(scope, hosts)?;
        }
        let mut slices = vec![Slice::default()];
        for router in &self.routers {
            match router {
                Router::List(list) => slices.extend(list.slices(scope)?),
                Router::Parents(parents) => parents.iter().try_for_each(|parent| parent.stream.hosts(scope, hosts))?,
            }
        }
        for requester in paths {
            hosts.extend(slices.iter().filter_map(|slice| requester.host_of_path(&scope.clone().sliced(slice))));
        }
        for address in addresses {
            let needed = if address.is_constant() { 1 } else { slices.len() };
            for slice in &slices[..needed] {
                hosts.extend(address.text(&scope.clone().sliced(slice)).ok().and_then(|text| plain_host(&text)));
            }
        }
        Ok(())
    }
}

/// The schema that the stream says of its records.
fn schema(component: &Component<'_>, missing: &mut Missing) -> Option<Value> {
    let loaders = component.children("schema_loader", missing);
    let mut schema = None;
    for loader in &loaders {
        match loader.ty {
            "InlineSchemaLoader" => schema = loader.get("schema").cloned().or(schema),
            // Without normalisation nobody asks for the schema, and it may stand in a file beside the manifest.
            "JsonFileSchemaLoader" | "DynamicSchemaLoader" => {
                let selector = component.get("retriever").and_then(|retriever| retriever.get("record_selector"));
                let word = selector.and_then(|selector| selector.get("schema_normalization")).and_then(Value::as_str);
                if word.is_some_and(|word| word != "None") {
                    loader.is_missing(missing);
                }
            }
            _ => loader.is_missing(missing),
        }
    }
    schema
}
