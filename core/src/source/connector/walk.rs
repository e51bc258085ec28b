//! Walk: a stream, read request by request. `step` says what is to be done, a request to send, a time to wait for, a page of
//! records to take, or that it is the end; `push` brings the response. There is no socket and no clock in it.
//!
//! A stream whose partitions are the records of another walks that one first, level by level, so a step goes down to the
//! level that is at work. What all levels share, tokens and remembered responses, is in one place beside them.
//!
//! What the levels know is a document, so that whoever has no more time keeps it, and another goes on with the next request.
//! Tokens and responses are not in it: the next one logs in again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::authenticate::{Authenticator, Tokens};
use super::budget::Calls;
use super::failure::Action;
use super::page::Last;
use super::partition::{Parent, Router};
use super::position::Position;
use super::request::Request;
use super::response::{RESPONSE_BYTES_MAX, Response};
use super::stream::Stream;
use super::template::{Datum, Scope, Slice};
use super::url::{self, is_loopback, is_private, plain_host};
use crate::error::{Error, ErrorKind};

/// Most bytes of responses that are remembered, so that a request of a parent is not sent twice.
const REMEMBERED_BYTES_MAX: usize = 64 << 20;
/// So often the next page may be the same as this one.
const SAME_PAGES_MAX: usize = 100;
/// So many answers are told that have nothing where records stand.
const NOTES_MAX: usize = 3;
/// Most partitions of a product of routers.
const PRODUCT_MAX: usize = 1_000_000;

/// What a walk may do; a manifest comes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most pages of one slice.
    pub pages_max: usize,
    /// Most records of the walk, those of parents among them.
    pub records_max: usize,
    /// Whether addresses of this machine and of private networks may be asked.
    pub is_private_allowed: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { pages_max: 100_000, records_max: 1_000_000_000, is_private_allowed: false }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this, and push the response.
    Request(Request),
    /// Wait until this time, in microseconds since 1970, and step again.
    Wait(i64),
    /// Take these records.
    Page(Page),
    /// The stream was read to its end.
    Done,
}

/// The records of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The part of the stream that they are of: partition and window.
    pub slice: Value,
    /// The records.
    pub records: Vec<Value>,
    /// What was asked for: the method, and the address without what may be secret in it.
    pub asked: String,
    /// The status of the response.
    pub status: u16,
}

/// A stream that is being read.
#[derive(Debug)]
pub struct Walk {
    shared: Shared,
    stream: Arc<Stream>,
    level: Level,
}

/// What all levels share.
#[derive(Debug)]
struct Shared {
    now: i64,
    chance: u128,
    config: Arc<Value>,
    bounds: Bounds,
    hosts: BTreeSet<String>,
    tokens: Tokens,
    calls: Option<Calls>,
    remembered: BTreeMap<String, Response>,
    remembered_bytes: usize,
    records: usize,
    /// Answers without records that may be none, the first of them by name.
    notes: Vec<String>,
}

/// What a level says.
enum Event {
    Request(Request),
    Wait(i64),
    Page(Box<Page>, Box<Slice>),
    Done,
}

impl Walk {
    /// A walk of a stream that begins where the last one ended, or goes on where one was kept.
    pub(super) fn new(
        stream: Arc<Stream>,
        start: Start<'_>,
        setting: Setting,
        calls: Option<Calls>,
    ) -> Result<Self, Error> {
        let Setting { config, bounds, now, chance } = setting;
        let config = Arc::new(config);
        let mut hosts = BTreeSet::new();
        stream.hosts(&Scope::new(now, chance, &config), &mut hosts).map_err(refused)?;
        let shared = Shared {
            now,
            chance,
            config,
            bounds,
            hosts,
            tokens: Tokens::default(),
            calls,
            remembered: BTreeMap::new(),
            remembered_bytes: 0,
            records: 0,
            notes: Vec::new(),
        };
        let level = match start {
            Start::After(state) => Level::new(&stream, state, &shared).map_err(refused)?,
            Start::Within(kept) => Level::deserialize(kept)
                .map_err(|_| refused("what was kept of the walk is none of this stream".to_owned()))?,
        };
        Ok(Self { shared, stream, level })
    }

    /// What is to be done next, at this time. Until a response is pushed, it is the same request.
    ///
    /// The error says what the manifest, the configuration or the server does that cannot be gone on with; it holds no value
    /// of the configuration and nothing of an address after its path.
    pub fn step(&mut self, now: i64) -> Result<Step, Error> {
        self.shared.now = self.shared.now.max(now);
        let event = self.level.step(&self.stream, "", &mut self.shared).map_err(refused)?;
        Ok(match event {
            Event::Request(request) => Step::Request(request),
            Event::Wait(until) => Step::Wait(until),
            Event::Page(page, _) => Step::Page(*page),
            Event::Done => Step::Done,
        })
    }

    /// The response to the request that the last step said; `None`: none came.
    pub fn push(&mut self, response: Option<Response>) {
        self.level.push(response);
    }

    /// How far the stream has been read: what the next walk begins with.
    pub fn state(&self) -> Value {
        self.level.position.state()
    }

    /// What came that was taken for an answer without records, and may be something else; the first few.
    pub fn notes(&self) -> &[String] {
        &self.shared.notes
    }

    /// The hosts that may be asked.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.shared.hosts.iter().map(String::as_str)
    }

    /// Whether the stream has a cursor: each walk reads what came since, and not all of it.
    pub fn is_incremental(&self) -> bool {
        self.stream.cursor.is_some()
    }

    /// What another walk goes on with: what was taken is not read again, and a request without a response is sent once more.
    pub fn keep(&self) -> Value {
        json!(self.level)
    }
}

/// Where a walk begins.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start<'a> {
    /// Where the last one ended; `None`: at the beginning.
    After(Option<&'a Value>),
    /// In the middle of one that was kept.
    Within(&'a Value),
}

/// What a walk needs to know beside the stream.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// What the manifest's specification asks for.
    pub(super) config: Value,
    /// What the walk may do.
    pub(super) bounds: Bounds,
    /// Microseconds since 1970.
    pub(super) now: i64,
    /// Bits for names that nobody may guess.
    pub(super) chance: u128,
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}

impl Shared {
    fn scope(&self) -> Scope<'_> {
        Scope::new(self.now, self.chance, &self.config)
    }

    /// Counts a request against the budget; or says until when it waits.
    fn count(&mut self, request: &Request) -> Result<Option<i64>, String> {
        let scope = Scope::new(self.now, self.chance, &self.config);
        self.calls.as_mut().map_or(Ok(None), |calls| calls.count(request, &scope))
    }

    /// Refuses a request to where the manifest names no address, and credentials where others can read them.
    fn check(&self, request: &Request, has_proof: bool) -> Result<(), String> {
        let place = request.url.split(['?', '#']).next().unwrap_or_default();
        let host = plain_host(&request.url).ok_or_else(|| format!("`{place}` names no plain host"))?;
        if !self.hosts.contains(&host) {
            return Err(format!("`{place}` is not of a host that the manifest names"));
        }
        if is_private(&host) && !self.bounds.is_private_allowed {
            return Err(format!("`{place}` is an address of this machine or of a private network"));
        }
        if has_proof && url::Parts::of(&request.url).scheme != "https" && !is_loopback(&host) {
            return Err(format!("`{place}` would get credentials without encryption"));
        }
        Ok(())
    }
}

/// One stream of a walk.
#[derive(Debug, Serialize, Deserialize)]
struct Level {
    position: Position,
    partitions: Partitioning,
    /// The slices of the partition that is at work.
    slices: VecDeque<Slice>,
    reading: Option<Reading>,
    begun: i64,
    is_done: bool,
}

/// Where partitions come from.
#[derive(Debug, Serialize, Deserialize)]
enum Partitioning {
    /// There is one, of the whole stream, which was taken or not.
    Whole(bool),
    /// One router, partition by partition.
    One(Box<Routing>),
    /// Several: each is read to its end, and then each partition goes with each.
    Product { at_work: Vec<Routing>, found: Vec<Vec<Slice>>, ready: Option<VecDeque<Slice>> },
}

/// A router at work.
#[derive(Debug, Serialize, Deserialize)]
struct Routing {
    router: usize,
    /// The parent that is at work.
    parent: usize,
    level: Option<Box<Level>>,
    /// How far the parents before it were read.
    positions: Map<String, Value>,
    slices: VecDeque<Slice>,
    is_begun: bool,
}

enum Part {
    Slice(Box<Slice>),
    Event(Event),
}

impl Level {
    fn new(stream: &Stream, state: Option<&Value>, shared: &Shared) -> Result<Self, String> {
        let calendar = match &stream.cursor {
            Some(cursor) => Some(cursor.calendar(&shared.scope())?),
            None => None,
        };
        let is_global = stream.cursor.as_ref().is_some_and(|cursor| cursor.is_global);
        let position = Position::new(calendar, !stream.routers.is_empty(), is_global, state)?;
        let routing = |router| Routing {
            router,
            parent: 0,
            level: None,
            positions: state
                .and_then(|state| state.get("parent_state"))
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            slices: VecDeque::new(),
            is_begun: false,
        };
        let partitions = match stream.routers.len() {
            0 => Partitioning::Whole(false),
            1 => Partitioning::One(Box::new(routing(0))),
            count => Partitioning::Product {
                at_work: (0..count).rev().map(routing).collect(),
                found: Vec::new(),
                ready: None,
            },
        };
        let begun = shared.now;
        Ok(Self { position, partitions, slices: VecDeque::new(), reading: None, begun, is_done: false })
    }

    /// `owner`: what its tokens are kept under.
    fn step(&mut self, stream: &Stream, owner: &str, shared: &mut Shared) -> Result<Event, String> {
        loop {
            if self.is_done {
                return Ok(Event::Done);
            }
            if let Some(reading) = &mut self.reading {
                match reading.step(stream, owner, &mut self.position, shared)? {
                    Event::Done => {
                        let slice = std::mem::take(&mut reading.slice);
                        self.position.close(&slice, self.slices.is_empty());
                        self.reading = None;
                    }
                    event => return Ok(event),
                }
                continue;
            }
            if let Some(slice) = self.slices.pop_front() {
                let token = stream.paginator.first_token();
                self.reading = Some(Reading::new(slice, token));
                continue;
            }
            match self.partitions.step(stream, owner, shared)? {
                Part::Slice(partition) => self.slices = self.position.slices(*partition)?.into(),
                Part::Event(Event::Done) => {
                    self.position.finish(shared.now - self.begun, self.partitions.positions(stream));
                    self.is_done = true;
                }
                Part::Event(event) => return Ok(event),
            }
        }
    }

    fn push(&mut self, response: Option<Response>) {
        match &mut self.reading {
            Some(reading) => reading.push(response),
            None => {
                if let Some(level) = self.partitions.level() {
                    level.push(response);
                }
            }
        }
    }
}

impl Partitioning {
    fn step(&mut self, stream: &Stream, owner: &str, shared: &mut Shared) -> Result<Part, String> {
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
        }
    }

    /// The parent that is at work.
    fn level(&mut self) -> Option<&mut Level> {
        match self {
            Self::Whole(_) => None,
            Self::One(routing) => routing.level.as_deref_mut(),
            Self::Product { at_work, .. } => at_work.last_mut().and_then(|routing| routing.level.as_deref_mut()),
        }
    }

    /// How far the parents were read whose position is kept.
    fn positions(&self, stream: &Stream) -> Option<Value> {
        match (self, stream.routers.as_slice()) {
            (Self::One(routing), [Router::Parents(_)]) => Some(Value::Object(routing.positions.clone())),
            _ => None,
        }
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

/// A slice that is being read, page by page.
#[derive(Debug, Serialize, Deserialize)]
struct Reading {
    slice: Slice,
    token: Option<Value>,
    stage: Stage,
    pages: usize,
    /// So many pages in a row had the same token.
    same_pages: usize,
    attempts: u32,
    /// Microseconds that were waited for the page.
    waited: i64,
    /// The page that was read is the last.
    is_last: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Option<i64>", into = "Option<i64>")]
enum Stage {
    Begin,
    /// A token was asked for.
    Login(Request, Option<Option<Response>>),
    Sent(Request, Option<Option<Response>>),
    /// Until this time.
    Waiting(i64),
}

/// A stage, kept: until when it waits, if it does.
impl From<Option<i64>> for Stage {
    fn from(until: Option<i64>) -> Self {
        until.map_or(Self::Begin, Self::Waiting)
    }
}

impl From<Stage> for Option<i64> {
    fn from(stage: Stage) -> Self {
        if let Stage::Waiting(until) = stage { Some(until) } else { None }
    }
}

impl Reading {
    fn new(slice: Slice, token: Option<Value>) -> Self {
        Self { slice, token, stage: Stage::Begin, pages: 0, same_pages: 0, attempts: 0, waited: 0, is_last: false }
    }

    fn push(&mut self, response: Option<Response>) {
        if let Stage::Login(_, waiting) | Stage::Sent(_, waiting) = &mut self.stage {
            *waiting = Some(response);
        }
    }

    fn step(
        &mut self,
        stream: &Stream,
        owner: &str,
        position: &mut Position,
        shared: &mut Shared,
    ) -> Result<Event, String> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Begin) {
                Stage::Begin if self.is_last => return Ok(Event::Done),
                Stage::Begin => {
                    let authenticator = &stream.requester.authenticator;
                    if let Some(request) = authenticator.ask(owner, &shared.tokens, &shared.scope())? {
                        shared.check(&request, true)?;
                        self.stage = Stage::Login(request, None);
                        continue;
                    }
                    let request = self.request(stream, owner, shared)?;
                    shared.check(&request, !matches!(authenticator, Authenticator::Nobody))?;
                    let known = stream.requester.is_cached.then(|| shared.remembered.get(&memory(&request)).cloned());
                    let known = known.flatten();
                    if known.is_none()
                        && let Some(until) = shared.count(&request)?
                    {
                        self.stage = Stage::Waiting(until);
                        continue;
                    }
                    authenticator.forget(owner, &mut shared.tokens, &shared.config);
                    self.stage = Stage::Sent(request, known.map(Some));
                }
                Stage::Waiting(until) if shared.now < until => {
                    self.stage = Stage::Waiting(until);
                    return Ok(Event::Wait(until));
                }
                Stage::Waiting(_) => {}
                Stage::Login(request, None) => {
                    self.stage = Stage::Login(request.clone(), None);
                    return Ok(Event::Request(request));
                }
                Stage::Sent(request, None) => {
                    self.stage = Stage::Sent(request.clone(), None);
                    return Ok(Event::Request(request));
                }
                Stage::Login(request, Some(response)) => self.logged_in(stream, owner, &request, response, shared)?,
                Stage::Sent(request, Some(response)) => {
                    let response = received(&request, response)?;
                    let status = response.as_ref().map_or(0, |response| response.status);
                    if let Some(records) = self.take(stream, &request, response, position, shared)? {
                        let slice = self.slice.partition.iter().chain(&self.slice.window);
                        let slice = slice.map(|(key, value)| (key.clone(), value.clone())).collect();
                        let place = request.url.split(['?', '#']).next().unwrap_or_default();
                        let asked = format!("{} {place}", request.method);
                        let page = Page { slice: Value::Object(slice), records, asked, status };
                        return Ok(Event::Page(Box::new(page), Box::new(self.slice.clone())));
                    }
                }
            }
        }
    }

    fn request(&self, stream: &Stream, owner: &str, shared: &Shared) -> Result<Request, String> {
        let scope = shared.scope();
        let proof = stream.requester.authenticator.proof(owner, &shared.tokens, &scope)?;
        let mut options = stream.paginator.options(self.token.as_ref(), &scope)?;
        if self.token.is_none() || !stream.is_bare_after_first {
            let mut sliced = super::request::Options::default();
            // Of routers that inject under the same name, the first one's is taken.
            for router in stream.routers.iter().rev() {
                sliced.overlay(router.options(&self.slice, &scope)?);
            }
            if let Some(cursor) = &stream.cursor {
                sliced.overlay(cursor.options(&self.slice, &scope)?);
            }
            options.join(sliced)?;
        }
        let token = self.token.as_ref().map_or(Value::Null, |token| {
            Value::Object(Map::from_iter([("next_page_token".to_owned(), token.clone())]))
        });
        let scope = scope.sliced(&self.slice).with("next_page_token", Datum::from(&token));
        let path = stream.paginator.path(self.token.as_ref());
        stream.requester.request(&scope, path.as_deref(), proof, options)
    }

    fn logged_in(
        &mut self,
        stream: &Stream,
        owner: &str,
        request: &Request,
        response: Option<Response>,
        shared: &mut Shared,
    ) -> Result<(), String> {
        let response = received(request, response)?;
        let place = request.url.split(['?', '#']).next().unwrap_or_default();
        let status = response.as_ref().map_or(0, |response| response.status);
        if let Some(response) = response.filter(Response::is_ok) {
            let body = response.json().ok_or_else(|| format!("`{place}` gave no JSON for a token"))?;
            let (mut tokens, scope) = (std::mem::take(&mut shared.tokens), shared.scope());
            let taken = stream.requester.authenticator.take(owner, &mut tokens, &body, &scope);
            shared.tokens = tokens;
            self.attempts = 0;
            return taken;
        }
        if status != 0 && status != 429 && status < 500 {
            return Err(format!("`{place}` gave no token: HTTP {status}"));
        }
        let wait = stream.requester.rules.wait(None, self.attempts + 1, &shared.scope())?;
        self.retry(wait, stream, shared, || format!("`{place}` gave no token: {}", answered(status)))
    }

    /// Waits before the next attempt, if there may be one.
    fn retry(
        &mut self,
        wait: i64,
        stream: &Stream,
        shared: &Shared,
        message: impl FnOnce() -> String,
    ) -> Result<(), String> {
        self.attempts += 1;
        self.waited = self.waited.saturating_add(wait);
        if self.attempts > stream.requester.rules.retries_max(&shared.scope()) {
            return Err(message());
        }
        self.stage = Stage::Waiting(shared.now.saturating_add(wait));
        Ok(())
    }

    /// The records of a response; `None`: there are none to take, or it is asked for again.
    fn take(
        &mut self,
        stream: &Stream,
        request: &Request,
        response: Option<Response>,
        position: &mut Position,
        shared: &mut Shared,
    ) -> Result<Option<Vec<Value>>, String> {
        if let (Some(calls), Some(response)) = (&mut shared.calls, &response) {
            calls.heed(request, response);
        }
        let rules = &stream.requester.rules;
        let place = request.url.split(['?', '#']).next().unwrap_or_default();
        let status = response.as_ref().map_or(0, |response| response.status);
        let verdict = rules.verdict(response.as_ref(), &shared.scope())?;
        let failed = || {
            let said = verdict.message.as_deref().filter(|message| !message.is_empty());
            let said = said.map(|message| format!(": {message}")).unwrap_or_default();
            format!("{} `{place}`: {}{said}", request.method, answered(status))
        };
        match verdict.action {
            Action::Fail => return Err(failed()),
            Action::Retry | Action::RateLimited => {
                let wait = rules.wait(response.as_ref(), self.attempts + 1, &shared.scope())?;
                self.retry(wait, stream, shared, failed)?;
                return Ok(None);
            }
            Action::Success | Action::Ignore => {}
        }
        self.attempts = 0;
        // What is passed over has no records, and no page after it.
        let Some(response) = response.filter(Response::is_ok) else {
            self.is_last = true;
            return Ok(None);
        };
        if stream.requester.is_cached {
            shared.remember(request, &response);
        }
        self.pages += 1;
        if self.pages > shared.bounds.pages_max {
            return Err(format!("`{place}` has more than {} pages", shared.bounds.pages_max));
        }
        let elements = stream.decoder.elements(&response).map_err(|what| format!("`{place}`: {what}"))?;
        let first = elements.first().cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let (extracted, lacks) = stream.selector.extract(elements, &shared.scope())?;
        if let Some(path) = lacks.filter(|_| shared.notes.len() < NOTES_MAX) {
            shared.notes.push(format!(
                "page {} of {} `{place}` has nothing at `{path}`; it was taken for a page without records: look whether it is an \
                 error that the server answers with {}",
                self.pages,
                request.method,
                answered(status)
            ));
        }
        let count = extracted.len();
        shared.records += count;
        if shared.records > shared.bounds.records_max {
            return Err(format!("the stream has more than {} records", shared.bounds.records_max));
        }
        let cursor = stream.cursor.as_ref();
        let is_filtered = cursor.is_some_and(|cursor| cursor.is_client_side && !cursor.is_feed);
        let is_feed = cursor.is_some_and(|cursor| cursor.is_feed);
        let slice = &self.slice;
        let is_kept = |record: &Value| !is_filtered || position.is_synced(slice, record);
        let scope = shared.scope().sliced(slice);
        let mut records = stream.selector.refine(extracted, &stream.transformations, is_kept, &scope)?;
        let is_past = is_feed && records.last().is_some_and(|record| !position.is_synced(slice, record));
        let last = Last {
            response: &response,
            first: &first,
            extracted: count,
            kept: records.len(),
            record: records.last(),
            token: self.token.as_ref(),
            slice,
        };
        let next = if is_past { None } else { stream.paginator.next(&last, &shared.scope())? };
        if is_feed {
            records.retain(|record| position.is_synced(slice, record));
        }
        records.iter().for_each(|record| position.observe(slice, record));
        self.same_pages = if next.is_some() && next == self.token { self.same_pages + 1 } else { 0 };
        if self.same_pages > SAME_PAGES_MAX {
            return Err(format!("`{place}` names the same page as the next one, again and again"));
        }
        self.is_last = next.is_none();
        self.token = next;
        Ok(Some(records))
    }
}

fn answered(status: u16) -> String {
    if status == 0 { "no response".to_owned() } else { format!("HTTP {status}") }
}

/// The response with the address that was asked; an error if it is too large.
fn received(request: &Request, response: Option<Response>) -> Result<Option<Response>, String> {
    let Some(response) = response else { return Ok(None) };
    if response.body.len() > RESPONSE_BYTES_MAX {
        let place = request.url.split(['?', '#']).next().unwrap_or_default();
        return Err(format!("the response of `{place}` has more than {RESPONSE_BYTES_MAX} bytes"));
    }
    Ok(Some(Response { url: request.url.clone(), ..response }))
}

/// What a request is remembered by.
fn memory(request: &Request) -> String {
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let body = request.body.as_deref().unwrap_or_default();
    format!("{} {}\n{}\n\n{body}", request.method, request.url, headers.join("\n"))
}

impl Shared {
    /// Remembers what a server answered to a question that changes nothing.
    fn remember(&mut self, request: &Request, response: &Response) {
        let is_question = matches!(request.method.as_str(), "GET" | "HEAD");
        if !is_question || response.status != 200 {
            return;
        }
        let bytes = self.remembered_bytes + response.body.len();
        if bytes <= REMEMBERED_BYTES_MAX && self.remembered.insert(memory(request), response.clone()).is_none() {
            self.remembered_bytes = bytes;
        }
    }
}
