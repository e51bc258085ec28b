//! Route: where the partitions of a stream come from while it is walked: from the values of lists, and from the records of its parents,
//! which are walked themselves.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Event, Level, Shared};
use crate::source::connector::partition::{Parent, Router, Shape};
use crate::source::connector::position::WHOLE;
use crate::source::connector::stream::Stream;
use crate::source::connector::template::{Slice, sorted};

/// Most partitions of a product of routers.
const PRODUCT_MAX: usize = 1_000_000;
/// The partition of the parent stands beside the key under this name.
const PARENT: &str = "parent_slice";

/// Where partitions come from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Partitioning {
    /// There is one, of the whole stream, which was taken or not.
    Whole(bool),
    /// One router, partition by partition.
    One(Box<Routing>),
    /// Several: each is read to its end, and then each partition goes with each.
    Product { at_work: Vec<Routing>, found: Vec<Vec<Slice>>, ready: Option<VecDeque<Slice>> },
    /// Several, one after the other; each value counts once.
    Union { at_work: Vec<Routing>, done: Vec<Routing>, seen: BTreeSet<String> },
    /// One, of whose partitions so many are taken together.
    Groups { routing: Box<Routing>, batch: Vec<Slice>, seen: BTreeSet<String>, is_done: bool },
}

/// A router at work.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Routing {
    router: usize,
    /// The parent that is at work.
    parent: usize,
    level: Option<Box<Level>>,
    /// How far the parents before it were read.
    positions: Map<String, Value>,
    slices: VecDeque<Slice>,
    is_begun: bool,
}

/// What a step comes to.
pub(super) enum Part {
    Slice(Box<Slice>),
    Event(Event),
}

impl Partitioning {
    pub(super) fn new(stream: &Stream, state: Option<&Value>, shared: &Shared) -> Result<Self, String> {
        let mut positions =
            state.and_then(|state| state.get("parent_state")).and_then(Value::as_object).cloned().unwrap_or_default();
        for parent in stream.routers.iter().flat_map(|router| router.parents()).filter(|parent| parent.is_kept) {
            if let (false, Some(state)) = (positions.contains_key(&parent.stream.name), state) {
                let begins = begins(parent, state, shared)?;
                positions.extend(begins.map(|begins| (parent.stream.name.clone(), begins)));
            }
        }
        let routing = |router| Routing {
            router,
            parent: 0,
            level: None,
            positions: positions.clone(),
            slices: VecDeque::new(),
            is_begun: false,
        };
        let count = stream.routers.len();
        Ok(match (&stream.shape, count) {
            (_, 0) => Self::Whole(false),
            (Shape::Groups { .. }, _) => {
                let routing = Box::new(routing(0));
                Self::Groups { routing, batch: Vec::new(), seen: BTreeSet::new(), is_done: false }
            }
            (Shape::Union(_), _) => Self::Union {
                at_work: (0..count).rev().map(routing).collect(),
                done: Vec::new(),
                seen: BTreeSet::new(),
            },
            (Shape::One, _) => Self::One(Box::new(routing(0))),
            (Shape::Product, _) => {
                Self::Product { at_work: (0..count).rev().map(routing).collect(), found: Vec::new(), ready: None }
            }
        })
    }

    pub(super) fn step(&mut self, stream: &Stream, owner: &str, shared: &mut Shared) -> Result<Part, String> {
        match self {
            Self::Whole(true) => Ok(Part::Event(Event::Done)),
            Self::Whole(is_taken) => {
                *is_taken = true;
                Ok(Part::Slice(Box::default()))
            }
            Self::One(routing) => routing.step(stream, owner, shared),
            Self::Product { at_work, found, ready } => {
                while let Some(routing) = at_work.last_mut() {
                    if found.len() <= routing.router {
                        found.push(Vec::new());
                    }
                    match routing.step(stream, owner, shared)? {
                        Part::Slice(slice) => {
                            if found[routing.router].len() >= PRODUCT_MAX {
                                return Err(format!("a router gives more than {PRODUCT_MAX} partitions"));
                            }
                            found[routing.router].push(*slice);
                        }
                        Part::Event(Event::Done) => _ = at_work.pop(),
                        event => return Ok(event),
                    }
                }
                if ready.is_none() {
                    *ready = Some(product(found)?.into());
                }
                let next = ready.as_mut().and_then(VecDeque::pop_front);
                Ok(next.map_or(Part::Event(Event::Done), |slice| Part::Slice(Box::new(slice))))
            }
            Self::Union { at_work, done, seen } => {
                let Shape::Union(field) = &stream.shape else { return Ok(Part::Event(Event::Done)) };
                while let Some(routing) = at_work.last_mut() {
                    match routing.step(stream, owner, shared)? {
                        Part::Slice(slice) => {
                            let slice = alone(*slice, field)?;
                            if seen.insert(slice.partition.get(field).map(Value::to_string).unwrap_or_default()) {
                                return Ok(Part::Slice(Box::new(slice)));
                            }
                        }
                        Part::Event(Event::Done) => done.extend(at_work.pop()),
                        event => return Ok(event),
                    }
                }
                Ok(Part::Event(Event::Done))
            }
            Self::Groups { routing, batch, seen, is_done } => {
                let Shape::Groups { size, is_unique } = &stream.shape else { return Ok(Part::Event(Event::Done)) };
                while !*is_done && batch.len() < *size {
                    match routing.step(stream, owner, shared)? {
                        Part::Slice(slice) => {
                            let value = only(&slice)?;
                            if !*is_unique || seen.insert(value) {
                                batch.push(*slice);
                            }
                        }
                        Part::Event(Event::Done) => *is_done = true,
                        event => return Ok(event),
                    }
                }
                let group = std::mem::take(batch);
                Ok(if group.is_empty() { Part::Event(Event::Done) } else { Part::Slice(Box::new(together(&group))) })
            }
        }
    }

    /// The parent that is at work.
    pub(super) fn level(&mut self) -> Option<&mut Level> {
        match self {
            Self::Whole(_) => None,
            Self::One(routing) => routing.level.as_deref_mut(),
            Self::Groups { routing, .. } => routing.level.as_deref_mut(),
            Self::Product { at_work, .. } | Self::Union { at_work, .. } => {
                at_work.last_mut().and_then(|routing| routing.level.as_deref_mut())
            }
        }
    }

    /// How far the parents were read whose position is kept.
    pub(super) fn positions(&self, stream: &Stream) -> Option<Value> {
        match (self, stream.routers.as_slice()) {
            (Self::One(routing) | Self::Groups { routing, .. }, [Router::Parents(_)]) => {
                Some(Value::Object(routing.positions.clone()))
            }
            (Self::Union { at_work, done, .. }, _) => {
                let all = done.iter().chain(at_work).flat_map(|routing| routing.positions.clone());
                Some(Value::Object(all.collect()))
            }
            _ => None,
        }
    }
}

/// Where a parent begins whose position is not kept with the child's: where the child stands.
fn begins(parent: &Parent, state: &Value, shared: &Shared) -> Result<Option<Value>, String> {
    if let Some(global) = state.get("state").filter(|global| global.is_object()) {
        return Ok(Some(global.clone()));
    }
    let Some(cursor) = &parent.stream.cursor else { return Ok(None) };
    // That a stream without a cursor was read whole says nothing of a parent.
    let mut said = state.as_object().into_iter().flatten().filter(|(key, _)| *key != WHOLE);
    let (Some((_, value)), None) = (said.next(), said.next()) else { return Ok(None) };
    if !value.is_string() && !value.is_number() {
        return Ok(None);
    }
    Ok(Some(Value::Object(Map::from_iter([(cursor.field(&shared.scope())?, value.clone())]))))
}

/// A partition of which only one key is left; what else it has stands beside it.
fn alone(slice: Slice, field: &str) -> Result<Slice, String> {
    let Slice { mut partition, window, mut extra } = slice;
    let Some(value) = partition.shift_remove(field) else {
        return Err(format!("a router of a union gives no `{field}`"));
    };
    extra.extend(partition);
    Ok(Slice { partition: Map::from_iter([(field.to_owned(), value)]), window, extra })
}

/// The one value of a partition, beside that of its parent.
fn only(slice: &Slice) -> Result<String, String> {
    let mut own = slice.partition.iter().filter(|(key, _)| *key != PARENT);
    match (own.next(), own.next()) {
        (Some((_, value)), None) => Ok(sorted(value).to_string()),
        _ => Err("partitions are taken together that have more than one key".to_owned()),
    }
}

/// Partitions as one, each of whose values is the list of theirs.
fn together(group: &[Slice]) -> Slice {
    let listed = |of: &dyn Fn(&Slice) -> Map<String, Value>, names: BTreeSet<String>| -> Map<String, Value> {
        let values = |name: &String| {
            group.iter().map(|slice| of(slice).get(name).cloned().unwrap_or_default()).collect::<Vec<Value>>()
        };
        names.iter().map(|name| (name.clone(), values(name).into())).collect()
    };
    let first = group.first().map(|slice| slice.partition.clone()).unwrap_or_default();
    let extra = group.iter().flat_map(|slice| slice.extra.keys().cloned()).collect();
    Slice {
        partition: listed(&|slice| slice.partition.clone(), first.keys().cloned().collect()),
        window: Map::new(),
        extra: listed(&|slice| slice.extra.clone(), extra),
    }
}

/// Each partition of the one with each of the others; of equal names the first router's is taken.
fn product(found: &[Vec<Slice>]) -> Result<Vec<Slice>, String> {
    let mut all = vec![Slice::default()];
    for slices in found {
        if all.len().saturating_mul(slices.len()) > PRODUCT_MAX {
            return Err(format!("the routers give more than {PRODUCT_MAX} partitions together"));
        }
        let join = |left: &Slice, right: &Slice| {
            let mut joined = right.clone();
            joined.partition.extend(left.partition.clone());
            joined.extra.extend(left.extra.clone());
            joined
        };
        all = all.iter().flat_map(|left| slices.iter().map(move |right| join(left, right))).collect();
    }
    Ok(all)
}

impl Routing {
    fn step(&mut self, stream: &Stream, owner: &str, shared: &mut Shared) -> Result<Part, String> {
        loop {
            if let Some(slice) = self.slices.pop_front() {
                return Ok(Part::Slice(Box::new(slice)));
            }
            let parents = match &stream.routers[self.router] {
                Router::List(_) if self.is_begun => return Ok(Part::Event(Event::Done)),
                Router::List(list) => {
                    self.is_begun = true;
                    self.slices = list.slices(&shared.scope())?.into();
                    continue;
                }
                Router::Parents(parents) => parents,
            };
            let Some(parent) = parents.get(self.parent) else { return Ok(Part::Event(Event::Done)) };
            let level = match &mut self.level {
                Some(level) => level,
                None => {
                    if !self.is_begun {
                        self.positions.retain(|name, _| {
                            parents.iter().any(|parent| parent.is_kept && parent.stream.name == *name)
                        });
                        self.is_begun = true;
                    }
                    let state = self.positions.get(&parent.stream.name).filter(|_| parent.is_kept).cloned();
                    let level = Level::new(&parent.stream, state.as_ref(), shared)?;
                    self.level.insert(Box::new(level))
                }
            };
            let owner = format!("{owner}/{}.{}", self.router, self.parent);
            match level.step(&parent.stream, &owner, shared)? {
                Event::Page(page, of) => self.slices = children(parent, &of, &page.records, shared)?,
                Event::Done => {
                    if parent.is_kept {
                        self.positions.insert(parent.stream.name.clone(), level.position.state());
                    }
                    self.level = None;
                    self.parent += 1;
                }
                event => return Ok(Part::Event(event)),
            }
        }
    }
}

/// The partitions that a page of a parent gives.
fn children(parent: &Parent, of: &Slice, records: &[Value], shared: &Shared) -> Result<VecDeque<Slice>, String> {
    let mut slices = VecDeque::new();
    for record in records {
        slices.extend(parent.slice(record, of, &shared.scope())?);
    }
    Ok(slices)
}
