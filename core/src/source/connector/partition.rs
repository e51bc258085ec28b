//! Partition: what divides a stream into parts that are asked for one by one: the values of a list, or the records of
//! another stream, its parent.

use serde_json::{Map, Value};

use super::component::{Component, Missing};
use super::path;
use super::python;
use super::request::{Injection, Options};
use super::stream::Stream;
use super::template::{Scope, Slice, Template};

/// Most values of a list.
const VALUES_MAX: usize = 100_000;

/// What divides a stream.
#[derive(Debug, Clone)]
pub(super) enum Router {
    List(Box<List>),
    Parents(Vec<Parent>),
}

/// How the partitions of several routers make those of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// There is one router, or none.
    One,
    /// Each with each; how far parents were read is not kept.
    Product,
    /// One after the other, each value of this name once.
    Union(String),
    /// So many of the one router's together; whether each value counts once.
    Groups { size: usize, is_unique: bool },
}

impl Shape {
    /// Reads the routers of a stream, and how they go together.
    pub(super) fn read(retriever: &Component<'_>, depth: usize, missing: &mut Missing) -> Option<(Self, Vec<Router>)> {
        let found = retriever.children("partition_router", missing);
        let is_list = retriever.get("partition_router").is_some_and(Value::is_array);
        let simple = |routers: &[Component<'_>], missing: &mut Missing| -> Option<Vec<Router>> {
            let read: Vec<_> = routers.iter().map(|router| Router::read(router, depth, missing)).collect();
            read.into_iter().collect()
        };
        match found.as_slice() {
            [one] if one.ty == "GroupingPartitionRouter" && !is_list => {
                one.knows(missing);
                let size = one.get("group_size").and_then(Value::as_u64).filter(|size| *size > 0);
                if size.is_none() {
                    missing.add("a `GroupingPartitionRouter` without a `group_size`");
                }
                let is_unique = one.get("deduplicate").is_none_or(python::is_true);
                let inner = one.children("underlying_partition_router", missing);
                let routers = simple(&inner, missing)?;
                if routers.len() != 1 {
                    missing.add("a `GroupingPartitionRouter` of other than one router");
                }
                Some((Self::Groups { size: usize::try_from(size?).unwrap_or(usize::MAX), is_unique }, routers))
            }
            [one] if one.ty == "UnionPartitionRouter" && !is_list => {
                one.knows(missing);
                let Some(field) = one.text("partition_field") else {
                    missing.add("a `UnionPartitionRouter` without a `partition_field`");
                    return None;
                };
                let inner = one.children("partition_routers", missing);
                Some((Self::Union(field.to_owned()), simple(&inner, missing)?))
            }
            routers if is_list => Some((Self::Product, simple(routers, missing)?)),
            routers => Some((Self::One, simple(routers, missing)?)),
        }
    }
}

/// The values of a list.
#[derive(Debug, Clone)]
pub(super) struct List {
    values: Values,
    name: Template,
    place: Option<Injection>,
}

#[derive(Debug, Clone)]
enum Values {
    /// As they stand in the manifest.
    Written(Vec<Value>),
    /// A template that gives a list.
    Computed(Template),
}

/// A stream each of whose records gives a partition.
#[derive(Debug, Clone)]
pub(super) struct Parent {
    pub(super) stream: Box<Stream>,
    key: Template,
    name: Template,
    place: Option<Injection>,
    extra: Vec<Vec<Template>>,
    /// Whether the position of the parent is kept with the child's.
    pub(super) is_kept: bool,
}

impl Router {
    pub(super) fn read(component: &Component<'_>, depth: usize, missing: &mut Missing) -> Option<Self> {
        match component.ty {
            "ListPartitionRouter" => List::read(component, missing).map(|list| Self::List(Box::new(list))),
            "SubstreamPartitionRouter" => {
                component.knows(missing);
                let parents = component.children("parent_stream_configs", missing);
                if parents.is_empty() {
                    missing.add("a `SubstreamPartitionRouter` without a parent");
                }
                let parents = parents.iter().map(|parent| Parent::read(parent, depth, missing)).collect::<Vec<_>>();
                parents.into_iter().collect::<Option<_>>().map(Self::Parents)
            }
            _ => {
                component.is_missing(missing);
                None
            }
        }
    }

    /// The streams that it takes its partitions from.
    pub(super) fn parents(&self) -> &[Parent] {
        match self {
            Self::List(_) => &[],
            Self::Parents(parents) => parents,
        }
    }

    /// What a partition injects into its requests.
    pub(super) fn options(&self, slice: &Slice, scope: &Scope<'_>) -> Result<Options, String> {
        let scope = &Scope::new(scope.now, scope.chance, scope.config);
        let mut options = Options::default();
        let mut inject = |place: &Option<Injection>, name: &Template| -> Result<(), String> {
            let Some(place) = place else { return Ok(()) };
            let value = slice.partition.get(&name.text(scope)?).filter(|value| python::is_true(value));
            let mut own = Options::default();
            if let Some(value) = value {
                place.inject(&mut own, value.clone(), scope)?;
            }
            options.overlay(own);
            Ok(())
        };
        match self {
            Self::List(list) => inject(&list.place, &list.name)?,
            Self::Parents(parents) => parents.iter().try_for_each(|parent| inject(&parent.place, &parent.name))?,
        }
        Ok(options)
    }
}

impl List {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        component.knows(missing);
        let values = match component.get("values") {
            Some(Value::Array(values)) => Values::Written(values.clone()),
            Some(Value::String(template)) => Values::Computed(component.parse(template, missing)?),
            _ => {
                missing.add("a `ListPartitionRouter` without values");
                return None;
            }
        };
        let place = component.child("request_option", missing).and_then(|option| Injection::read(&option, missing));
        Some(Self { values, name: component.needed("cursor_field", missing)?, place })
    }

    /// The partitions, in the order of the list.
    pub(super) fn slices(&self, scope: &Scope<'_>) -> Result<Vec<Slice>, String> {
        let name = self.name.text(scope)?;
        let values = match &self.values {
            // A written value is a text for the reference, whatever YAML makes of it.
            Values::Written(values) => values.iter().map(|value| Value::String(python::text(value))).collect(),
            Values::Computed(template) => match template.value(scope)? {
                Value::Array(values) => values,
                Value::String(text) => text.chars().map(|c| Value::String(c.to_string())).collect(),
                Value::Object(map) => map.keys().cloned().map(Value::String).collect(),
                _ => return Err(format!("what `{}` gives is no list", template.source())),
            },
        };
        if values.len() > VALUES_MAX {
            return Err(format!("the list of partitions has more than {VALUES_MAX} values"));
        }
        let slice = |value: Value| Slice { partition: Map::from_iter([(name.clone(), value)]), ..Slice::default() };
        Ok(values.into_iter().map(slice).collect())
    }
}

impl Parent {
    fn read(component: &Component<'_>, depth: usize, missing: &mut Missing) -> Option<Self> {
        if component.ty != "ParentStreamConfig" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        component.lacks("lazy_read_pointer", missing);
        let mut stream = component.child("stream", missing)?;
        // The parent has no state of its own unless it is kept with the child's.
        if stream.ty == "StateDelegatingStream" && !component.flag("incremental_dependency") {
            stream = stream.child("full_refresh_stream", missing)?;
        }
        let requester = stream.child("retriever", missing).and_then(|retriever| retriever.child("requester", missing));
        let mut stream = Stream::read(&stream, depth + 1, missing)?;
        // The same request of a parent is sent once only, however many ask for it, unless the manifest says otherwise.
        let said = requester.and_then(|requester| requester.get("use_cache"));
        stream.requester.is_cached = said != Some(&Value::Bool(false));
        let extra = component.get("extra_fields").and_then(Value::as_array);
        let mut pointer = |pointer: &Value| -> Vec<Template> {
            let parts = pointer.as_array().map(Vec::as_slice).unwrap_or_else(|| std::slice::from_ref(pointer));
            parts.iter().filter_map(|part| component.parse(&python::text(part), missing)).collect()
        };
        let extra = extra.map(|extra| extra.iter().map(&mut pointer).collect()).unwrap_or_default();
        let place = component.child("request_option", missing).and_then(|option| Injection::read(&option, missing));
        Some(Self {
            stream: Box::new(stream),
            key: component.needed("parent_key", missing)?,
            name: component.needed("partition_field", missing)?,
            place,
            extra,
            is_kept: component.flag("incremental_dependency"),
        })
    }

    /// The partition that a record of the parent gives; `None`: it has no key.
    pub(super) fn slice(&self, record: &Value, of: &Slice, scope: &Scope<'_>) -> Result<Option<Slice>, String> {
        let key = path::segments(&self.key.text(scope)?);
        let Some(value) = path::find(record, &key)?.filter(|value| !value.is_null()) else { return Ok(None) };
        let mut extra = Map::new();
        for pointer in &self.extra {
            let pointer = pointer.iter().map(|part| part.text(scope)).collect::<Result<Vec<_>, _>>()?;
            extra.insert(pointer.join("."), path::find(record, &pointer)?.cloned().unwrap_or(Value::Null));
        }
        let parent = Value::Object(of.partition.clone());
        let partition = Map::from_iter([(self.name.text(scope)?, value.clone()), ("parent_slice".to_owned(), parent)]);
        Ok(Some(Slice { partition, window: Map::new(), extra }))
    }
}
