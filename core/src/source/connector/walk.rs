//! Walk: a stream, read request by request. `step` says what is to be done, a request to send, a time to wait for, a page of
//! records to take, or that it is the end; `push` brings the response. There is no socket and no clock in it.
//!
//! A stream whose partitions are the records of another walks that one first, level by level, so a step goes down to the
//! level that is at work. What all levels share, tokens and remembered responses, is in one place beside them.
//!
//! What the levels know is a document, so that whoever has no more time keeps it, and another goes on with the next request.
//! Tokens and responses are not in it: the next one logs in again.

mod exchange;
mod find;
mod reading;
mod route;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::authenticate::{Keeping, Kept, Signing, Tokens};
use super::config::{self, Config};
use super::cookie::Jar;
use super::partition::Shape;
use super::position::Position;
use super::property::Properties;
use super::raw::{Hider, Raw};
use super::request::Request;
use super::response::Response;
use super::share::{Calls, Counted};
use super::stream::Stream;
use super::template::{Scope, Slice};
use super::url::{self, is_loopback, is_private, plain_host};
use crate::error::{Error, ErrorKind};
use crate::plan::identity;
use exchange::Pushed;
pub(super) use find::Finding;
use reading::Reading;
use route::{Part, Partitioning};
use work::{Work, Worked};

/// Most bytes of responses that are remembered, so that a request of a parent is not sent twice.
const REMEMBERED_BYTES_MAX: usize = 64 << 20;
/// What was kept of a walk says under this key that there was no state.
pub(super) const FIRST: &str = "is_first";
/// Headers that are no credentials.
const PLAIN_HEADERS: [&str; 3] = ["accept", "content-type", "user-agent"];

/// What a walk may do; a manifest comes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most pages of one slice.
    pub pages_max: usize,
    /// Most records of the walk, those of parents among them.
    pub records_max: usize,
    /// Whether addresses of this machine and of private networks may be asked.
    pub is_private_allowed: bool,
    /// Whether pages have the responses that their records are of.
    pub keeps_responses: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { pages_max: 100_000, records_max: 1_000_000_000, is_private_allowed: false, keeps_responses: false }
    }
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send this, and push the response.
    Request(Request),
    /// Sign this, and give the signature to [`Walk::signed`].
    Sign(Signing),
    /// Read or write what is kept of tokens, and give what came of it to [`Walk::kept`].
    Keep(Keeping),
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
    /// The responses that the records are of, as they came, if the walk keeps them: one, or one for each part of a page.
    pub responses: Vec<Raw>,
}

/// A stream that is being read.
#[derive(Debug)]
pub struct Walk {
    shared: Shared,
    stream: Arc<Stream>,
    /// Whether it is the stream that is read as long as there is no state.
    is_first: bool,
    level: Level,
    /// Whether an answer has come that was not looked at.
    has_answer: bool,
    /// The stream that is looked for: `stream` is what the server is asked for until it is found.
    finding: Option<Finding>,
}

/// What all levels share.
#[derive(Debug)]
struct Shared {
    now: i64,
    chance: u128,
    config: Arc<Value>,
    bounds: Bounds,
    hosts: BTreeSet<String>,
    /// The texts of the configuration that are secret.
    secrets: Vec<String>,
    tokens: Tokens,
    jar: Jar,
    hider: Hider,
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
    Sign(Signing),
    Keep(Keeping),
    Wait(i64),
    Page(Box<Page>, Box<Slice>),
    Done,
}

impl Walk {
    /// A walk of a stream that begins where the last one ended, or goes on where one was kept.
    pub(super) fn new(
        stream: Arc<Stream>,
        is_first: bool,
        start: Start<'_>,
        setting: Setting,
        calls: Option<Calls>,
    ) -> Result<Self, Error> {
        let mut shared = Shared::new(setting, calls);
        shared.may_ask(&stream).map_err(refused)?;
        let level = Level::begin(&stream, start, &shared).map_err(refused)?;
        Ok(Self { shared, stream, is_first, level, has_answer: false, finding: None })
    }

    /// A walk of a stream that the server names.
    pub(super) fn finding(mut finding: Finding, setting: Setting, calls: Option<Calls>) -> Result<Self, Error> {
        let mut shared = Shared::new(setting, calls);
        let (stream, level) = finding
            .next(&mut shared)
            .and_then(|next| next.ok_or_else(|| "there is nobody to ask for streams".to_owned()))
            .map_err(refused)?;
        Ok(Self { shared, stream, is_first: false, level, has_answer: false, finding: Some(finding) })
    }

    /// What is to be done next, at this time. Until a response is pushed, it is the same request.
    ///
    /// The error says what the manifest, the configuration or the server does that cannot be gone on with; it holds no value
    /// of the configuration and nothing of an address after its path.
    pub fn step(&mut self, now: i64) -> Result<Step, Error> {
        self.shared.now = self.shared.now.max(now);
        self.has_answer = false;
        let stepped = self.advance();
        let event = stepped.map_err(|what| refused(self.shared.masked(&what)))?;
        Ok(match event {
            Event::Request(request) => Step::Request(request),
            Event::Sign(signing) => Step::Sign(signing),
            Event::Keep(keeping) => Step::Keep(keeping),
            Event::Wait(until) => Step::Wait(until),
            Event::Page(page, _) => Step::Page(*page),
            Event::Done => Step::Done,
        })
    }

    /// The next event that is somebody else's: what only tells which stream it is, is taken here.
    fn advance(&mut self) -> Result<Event, String> {
        loop {
            let event = self.level.step(&self.stream, "", &mut self.shared)?;
            let Some(finding) = &mut self.finding else { return Ok(event) };
            match event {
                Event::Page(page, slice) => finding.take(&page.records, &slice, &self.shared)?,
                Event::Done => {
                    if let Some((stream, level)) = finding.next(&mut self.shared)? {
                        (self.stream, self.level) = (stream, level);
                        continue;
                    }
                    (self.stream, self.is_first, self.level) = finding.found(&self.shared)?;
                    self.finding = None;
                }
                event => return Ok(event),
            }
        }
    }

    /// The response to the request that the last step said; `None`: none came.
    pub fn push(&mut self, response: Option<Response>) {
        self.has_answer = true;
        self.level.push(Pushed::Response(response));
    }

    /// The signature of what the last step said.
    pub fn signed(&mut self, signature: Vec<u8>) {
        self.level.push(Pushed::Signature(signature));
    }

    /// What came of what the last step said to be kept.
    pub fn kept(&mut self, kept: Kept) {
        self.level.push(Pushed::Kept(kept));
    }

    /// What is to be done with what is kept for others, before the walk is left: to be asked again until there is nothing any more, at
    /// the end or wherever it is left off. `now`: microseconds since 1970.
    pub fn release(&mut self, now: i64) -> Option<Keeping> {
        self.shared.now = self.shared.now.max(now);
        let scope = Scope::new(self.shared.now, self.shared.chance, &self.shared.config);
        self.shared.calls.as_mut()?.release(&scope)
    }

    /// What came of what is to be done before the walk is left.
    pub fn released(&mut self, kept: Kept) {
        let now = self.shared.now;
        // Who cannot give back what he has, lets it end.
        let _ = self.shared.calls.as_mut().map_or(Ok(()), |calls| calls.take(kept, now));
    }

    /// Whether a server has given tokens that are not in the store yet: whoever ends the walk now loses them.
    pub fn holds_token(&self) -> bool {
        self.shared.tokens.holds_token(self.has_answer)
    }

    /// Whether a secret of the configuration, or a token that a server gave, stands in a text.
    pub fn is_told_by(&self, text: &str) -> bool {
        self.shared.hidden().any(|hidden| config::is_told(hidden, text))
    }

    /// A value without the secrets of the configuration and the tokens that a server gave.
    pub fn masked(&self, value: &Value) -> Value {
        self.shared.hidden().fold(value.clone(), |value, hidden| config::masked_value(hidden, &value))
    }

    /// An error without them.
    pub fn mask(&self, error: &Error) -> Error {
        Error::new(error.kind(), self.shared.masked(&error.to_string()))
    }

    /// The walk, of which also these secrets are not told, nor sent where others can read them.
    #[must_use]
    pub(crate) fn hiding(mut self, config: &Config) -> Self {
        self.shared.secrets.extend(config.secrets().iter().cloned());
        config::longest_first(&mut self.shared.secrets);
        self
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
        self.finding.is_none() && self.stream.cursor.is_some()
    }

    /// What another walk goes on with: what was taken is not read again, and a request without a response is sent once more.
    pub fn keep(&self) -> Value {
        if let Some(finding) = &self.finding {
            return finding.keep();
        }
        let mut kept = json!(self.level);
        if self.is_first {
            kept[FIRST] = true.into();
        }
        kept
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
    /// What of that is secret.
    pub(super) secrets: Vec<String>,
    /// What the walk may do.
    pub(super) bounds: Bounds,
    /// Microseconds since 1970.
    pub(super) now: i64,
    /// Bits for names that nobody may guess.
    pub(super) chance: u128,
}

/// Whether a header is no credential.
fn is_plain_header(name: &str) -> bool {
    PLAIN_HEADERS.iter().any(|plain| plain.eq_ignore_ascii_case(name))
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}

impl Shared {
    fn new(setting: Setting, calls: Option<Calls>) -> Self {
        let Setting { config, secrets, bounds, now, chance } = setting;
        Self {
            now,
            chance,
            config: Arc::new(config),
            bounds,
            hosts: BTreeSet::new(),
            secrets,
            tokens: Tokens::default(),
            jar: Jar::default(),
            hider: Hider::default(),
            calls,
            remembered: BTreeMap::new(),
            remembered_bytes: 0,
            records: 0,
            notes: Vec::new(),
        }
    }

    /// The hosts of a stream may be asked.
    fn may_ask(&mut self, stream: &Stream) -> Result<(), String> {
        let mut hosts = std::mem::take(&mut self.hosts);
        let all = stream.hosts(&self.scope(), &mut hosts);
        self.hosts = hosts;
        all
    }

    /// A text without what is secret.
    fn masked(&self, text: &str) -> String {
        self.hidden().fold(text.to_owned(), |text, hidden| config::masked(hidden, &text))
    }

    /// What nobody may see: secrets of the configuration, and tokens and cookies that a server gave.
    fn hidden(&self) -> impl Iterator<Item = &[String]> {
        [self.secrets.as_slice(), self.tokens.hidden(), self.jar.hidden()].into_iter()
    }

    /// A response as it is kept.
    fn raw(&mut self, request: &Request, response: &Response) -> Raw {
        let mut secrets: Vec<String> = self.hidden().flatten().cloned().chain(exchange::proofs(request)).collect();
        secrets.sort_unstable();
        secrets.dedup();
        self.hider.raw(secrets, request, response)
    }

    /// Takes note of what somebody should look at, once.
    fn note(&mut self, note: &str) {
        let note = self.masked(note);
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Whether a secret is sent with a request.
    fn tells(&self, request: &Request) -> bool {
        let headers = request.headers.iter().map(|(_, value)| value.as_str());
        let mut sent = [request.url.as_str()].into_iter().chain(headers).chain(request.body.as_deref());
        sent.any(|text| self.hidden().any(|hidden| config::is_told(hidden, text)))
    }

    fn scope(&self) -> Scope<'_> {
        Scope::new(self.now, self.chance, &self.config)
    }

    /// Counts a request against the budget, or says what comes before.
    fn count(&mut self, request: &Request) -> Result<Counted, String> {
        let Some(calls) = &mut self.calls else { return Ok(Counted::Go) };
        let (hosts, secrets) = (&self.hosts, &self.secrets);
        // Those who are one for the server: it sees what proves who asks, and not which stream is read.
        let account = |budget: &str| {
            let secrets: BTreeSet<&str> = secrets.iter().map(String::as_str).collect();
            let hosts = hosts.iter().map(String::as_str);
            identity("budget", &[budget].into_iter().chain(hosts).chain(secrets).collect::<Vec<_>>())
        };
        calls.count(request, account, &Scope::new(self.now, self.chance, &self.config))
    }

    /// Refuses a request to where the manifest names no address, and credentials where others can read them. What a job has made may
    /// lie elsewhere (`is_download`), and is asked for without anything that may be a credential.
    fn check(&self, request: &Request, has_proof: bool, is_download: bool) -> Result<(), String> {
        let place = request.place();
        let host = plain_host(&request.url).ok_or_else(|| format!("`{place}` names no plain host"))?;
        let is_plain = |(name, _): &(String, String)| is_plain_header(name);
        let is_safe =
            || is_download && !has_proof && request.url.starts_with("https://") && request.headers.iter().all(is_plain);
        if !self.hosts.contains(&host) && !is_safe() {
            return Err(format!("`{place}` is not of a host that the manifest names"));
        }
        if is_private(&host) && !self.bounds.is_private_allowed {
            return Err(format!("`{place}` is an address of this machine or of a private network"));
        }
        let is_open = url::Parts::of(&request.url).scheme != "https" && !is_loopback(&host);
        if is_open && (has_proof || self.tells(request)) {
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
    /// The job of the first slice, if the stream's server has to do one before there are records; or the end of one.
    #[serde(skip)]
    work: Option<Work>,
    /// What of a job is to be downloaded after what is read now.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    targets: VecDeque<Slice>,
    reading: Option<Reading>,
    /// The properties that a server says the stream has, and who asks it for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    named: Option<Vec<String>>,
    #[serde(skip)]
    asking: Option<Asking>,
    begun: i64,
    is_done: bool,
}

impl Level {
    fn begin(stream: &Stream, start: Start<'_>, shared: &Shared) -> Result<Self, String> {
        match start {
            Start::After(state) => Self::new(stream, state, shared),
            Start::Within(kept) => {
                Self::deserialize(kept).map_err(|_| "what was kept of the walk is none of this stream".to_owned())
            }
        }
    }

    fn new(stream: &Stream, state: Option<&Value>, shared: &Shared) -> Result<Self, String> {
        let calendar = match &stream.cursor {
            Some(cursor) => Some(cursor.calendar(&shared.scope())?),
            None => None,
        };
        // Which partitions stand in a group may differ the next time.
        let is_group = matches!(stream.shape, Shape::Groups { .. });
        let is_global = is_group || stream.cursor.as_ref().is_some_and(|cursor| cursor.is_global);
        let migrated = match (&stream.migration, state) {
            (Some(migration), Some(state)) => migration.migrated(state, &shared.scope())?,
            _ => None,
        };
        let state = migrated.as_ref().or(state);
        let position = Position::new(calendar, !stream.routers.is_empty(), is_global, state)?;
        let partitions = Partitioning::new(stream, state, shared)?;
        let begun = shared.now;
        Ok(Self {
            position,
            partitions,
            slices: VecDeque::new(),
            work: None,
            targets: VecDeque::new(),
            reading: None,
            named: None,
            asking: None,
            begun,
            is_done: false,
        })
    }

    /// `owner`: what its tokens are kept under.
    fn step(&mut self, stream: &Stream, owner: &str, shared: &mut Shared) -> Result<Event, String> {
        loop {
            if self.is_done {
                return Ok(Event::Done);
            }
            if let (Some(work), Some(job)) = (&mut self.work, &stream.job) {
                match work.step(job, owner, shared)? {
                    Worked::Event(event) => return Ok(event),
                    Worked::Ready(targets) => {
                        let slice = self.slices.pop_front();
                        let is_skipped = targets.is_none();
                        self.targets = targets.unwrap_or_default().into();
                        self.work = None;
                        match (self.targets.pop_front(), slice) {
                            (Some(target), _) => {
                                self.reading = Some(Reading::new(target, stream.paginator.first_token()))
                            }
                            (None, Some(slice)) if !is_skipped => self.position.close(&slice, self.slices.is_empty()),
                            _ => {}
                        }
                    }
                    Worked::Deleted => {
                        self.work = None;
                        self.close();
                    }
                }
                continue;
            }
            if let (Some(properties), Some(_), None) = (&stream.properties, &self.reading, &self.named) {
                let asking = match &mut self.asking {
                    Some(asking) => asking,
                    None => self.asking.insert(Asking::new(properties, shared)?),
                };
                match asking.step(properties, owner, shared)? {
                    Event::Done => self.named = self.asking.take().map(|asking| asking.found),
                    event => return Ok(event),
                }
                continue;
            }
            if let Some(reading) = &mut self.reading {
                match reading.step(stream, owner, self.named.as_deref(), &mut self.position, shared)? {
                    Event::Done => match (self.targets.pop_front(), &stream.job) {
                        (Some(target), _) => *reading = Reading::new(target, stream.paginator.first_token()),
                        (None, Some(job)) if job.delete.is_some() => {
                            self.work = Some(Work::deleting(reading.slice.clone(), shared.now));
                        }
                        _ => self.close(),
                    },
                    event => return Ok(event),
                }
                continue;
            }
            if let (Some(slice), Some(_)) = (self.slices.front(), &stream.job) {
                self.work = Some(Work::new(slice.clone(), shared.now));
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

    /// Takes note that the slice that was read has come to its end.
    fn close(&mut self) {
        if let Some(reading) = self.reading.take() {
            self.position.close(&reading.slice, self.slices.is_empty());
        }
    }

    fn push(&mut self, pushed: Pushed) {
        match (&mut self.work, &mut self.asking, &mut self.reading) {
            (Some(work), ..) => work.push(pushed),
            (None, Some(asking), _) => asking.push(pushed),
            (None, None, Some(reading)) => reading.push(pushed),
            (None, None, None) => {
                if let Some(level) = self.partitions.level() {
                    level.push(pushed);
                }
            }
        }
    }
}

/// Who asks a server for the properties of a stream, and what it has said so far.
#[derive(Debug)]
struct Asking {
    level: Option<Box<Level>>,
    found: Vec<String>,
}

impl Asking {
    fn new(properties: &Properties, shared: &Shared) -> Result<Self, String> {
        let level = properties.asked().map(|asked| Level::new(asked, None, shared)).transpose()?;
        Ok(Self { level: level.map(Box::new), found: properties.listed() })
    }

    fn push(&mut self, pushed: Pushed) {
        if let Some(level) = &mut self.level {
            level.push(pushed);
        }
    }

    fn step(&mut self, properties: &Properties, owner: &str, shared: &mut Shared) -> Result<Event, String> {
        let (Some(level), Some(asked)) = (&mut self.level, properties.asked()) else { return Ok(Event::Done) };
        loop {
            match level.step(asked, &format!("{owner}?"), shared)? {
                Event::Page(page, _) => self.found.extend(properties.named(&page.records, &shared.scope())?),
                event => return Ok(event),
            }
        }
    }
}

/// What a request is remembered by.
fn memory(request: &Request) -> String {
    let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let body = request.body.as_deref().unwrap_or_default();
    format!("{} {}\n{}\n\n{body}", request.method, request.url, headers.join("\n"))
}

impl Shared {
    /// The request as it is sent: with the cookies of its server, unless the manifest says its own.
    fn with_cookies(&self, owner: &str, request: &Request) -> Request {
        let mut request = request.clone();
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie"))
            && let Some(told) = self.jar.header(owner, &request.url, self.now)
        {
            request.headers.push(("Cookie".to_owned(), told));
        }
        request
    }

    /// What a server answered to this question before; the cookies of then are kept already.
    fn recall(&self, request: &Request) -> Option<Response> {
        let mut known = self.remembered.get(&memory(request)).cloned()?;
        known.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("set-cookie"));
        Some(known)
    }

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
