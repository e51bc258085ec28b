//! An API that is landed by many calls, each of which has little time, a server that fails, and a store that loses questions and
//! answers: no record is missed, and none of a snapshot is there twice. `ETALON_SEEDS` says how many histories are made.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;
use etalon_core::protocol::{Cursor, Piece, Window, name};
use etalon_core::source::connector::{Connector, Request, Response, Signing};
use etalon_driver::land::{Asks, Land, LandReport, Landed};
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Put, Server};
use etalon_driver::store::document;
use pollster::block_on;
use serde_json::{Value, json};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 2026-01-01.
const BEGIN: i64 = 1_767_225_600 * SECOND;

const MANIFEST: &str = "
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [things] }
definitions:
  requester:
    type: HttpRequester
    url_base: https://api.example.com
    authenticator: { type: BearerAuthenticator, api_token: \"{{ config['token'] }}\" }
    error_handler:
      type: DefaultErrorHandler
      max_retries: 20
      backoff_strategies: [ { type: ConstantBackoffStrategy, backoff_time_in_seconds: 1 } ]
  selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [data] } }
  pages:
    type: DefaultPaginator
    page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
    pagination_strategy: { type: PageIncrement, page_size: 3, start_from_page: 1, inject_on_first_request: true }
streams:
  - type: DeclarativeStream
    name: things
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: /things }
      record_selector: { $ref: '#/definitions/selector' }
      paginator: { $ref: '#/definitions/pages' }
  - type: DeclarativeStream
    name: events
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: /events }
      record_selector: { $ref: '#/definitions/selector' }
      paginator: { $ref: '#/definitions/pages' }
    incremental_sync: &time
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: '%Y-%m-%dT%H:%M:%SZ'
      start_datetime: '2026-01-01T00:00:00Z'
      step: P2D
      cursor_granularity: PT1S
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: since }
      end_time_option: { type: RequestOption, inject_into: request_parameter, field_name: until }
  - type: DeclarativeStream
    name: parts
    retriever:
      type: SimpleRetriever
      requester: { $ref: '#/definitions/requester', path: '/things/{{ stream_partition.thing }}/events' }
      record_selector: { $ref: '#/definitions/selector' }
      paginator: { $ref: '#/definitions/pages' }
      partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - { type: ParentStreamConfig, stream: '#/streams/0', parent_key: id, partition_field: thing }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: '%Y-%m-%dT%H:%M:%SZ'
      start_datetime: '2026-01-01T00:00:00Z'
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: since }
      end_time_option: { type: RequestOption, inject_into: request_parameter, field_name: until }
";

/// Numbers by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// An API: things, and events of them, each at a time.
struct Api<'a> {
    clock: &'a ManualClock,
    chance: RefCell<Chance>,
    things: u64,
    /// By number: the thing, and the second since the beginning.
    events: Vec<(u64, i64)>,
    requests: usize,
    failed: usize,
}

impl Api<'_> {
    /// Something happens until now.
    fn happen(&mut self) {
        let count = self.chance.borrow_mut().below(6);
        let now = self.clock.now();
        for _ in 0..count {
            let mut chance = self.chance.borrow_mut();
            let thing = chance.below(self.things);
            // What happens is written down at once, so that it is there when its second is over.
            self.events.push((thing, (now - BEGIN) / SECOND));
        }
    }

    fn records(&self, path: &str, query: &BTreeMap<String, String>) -> Vec<Value> {
        let page: usize = query["page"].parse().unwrap();
        let all: Vec<Value> = if path == "/things" {
            (0..self.things).map(|id| json!({"id": id})).collect()
        } else {
            let thing =
                path.strip_prefix("/things/").map(|rest| rest.trim_end_matches("/events").parse::<u64>().unwrap());
            let (since, until) = (&query["since"], &query["until"]);
            let events = self.events.iter().enumerate().filter(|(_, event)| thing.is_none_or(|thing| thing == event.0));
            let records = events.map(|(id, (thing, at))| json!({"id": id, "thing": thing, "at": written(*at)}));
            records
                .filter(|record| (since.as_str()..=until.as_str()).contains(&record["at"].as_str().unwrap()))
                .collect()
        };
        all.into_iter().skip((page - 1) * 3).take(3).collect()
    }
}

fn written(seconds: i64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!("2026-01-{:02}T{:02}:{:02}:{:02}Z", days + 1, rest / 3600, rest / 60 % 60, rest % 60)
}

impl Server for Api<'_> {
    fn send(&mut self, request: &Request) -> Result<Response, Error> {
        self.requests += 1;
        self.clock.advance(SECOND);
        assert!(request.headers.iter().any(|(_, value)| value == "Bearer hush-hush"));
        match self.chance.borrow_mut().below(20) {
            0 => {
                self.failed += 1;
                return Ok(Response::new(500, Vec::new(), b"no".to_vec()));
            }
            1 => {
                self.failed += 1;
                return Err(Error::new(ErrorKind::Unavailable, "cut"));
            }
            _ => {}
        }
        let rest = request.url.strip_prefix("https://api.example.com").unwrap();
        let (path, query) = rest.split_once('?').unwrap();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(key, value)| (key.to_owned(), value.replace("%3A", ":"))).collect();
        // A server may say what it was told.
        let body = json!({"data": self.records(path, &query), "echo": "Bearer hush-hush"});
        Ok(Response::new(200, Vec::new(), body.to_string().into_bytes()))
    }

    fn sign(&self, _signing: &Signing) -> Result<Vec<u8>, Error> {
        Err(Error::new(ErrorKind::Refused, "nothing is signed here"))
    }
}

/// A clock that does not wait.
struct Quick<'a>(&'a ManualClock);

impl Clock for Quick<'_> {
    fn now(&self) -> i64 {
        self.0.now()
    }

    fn wait(&self, microseconds: i64) {
        self.0.advance(microseconds);
    }
}

/// A store that loses one in so many questions, or answers.
struct Lossy<'a> {
    store: &'a Memory,
    chance: Mutex<Chance>,
    one_in: u64,
}

impl Lossy<'_> {
    fn lost(&self) -> Result<(), Error> {
        match self.chance.lock().unwrap().below(self.one_in) {
            0 => Err(Error::new(ErrorKind::Unavailable, "lost")),
            _ => Ok(()),
        }
    }
}

impl Objects for Lossy<'_> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.lost()?;
        self.store.head(name).await
    }

    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.lost()?;
        self.store.read(object, range).await
    }

    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.lost()?;
        self.store.fetch(name).await
    }

    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        self.lost()?;
        let version = self.store.put(name, bytes, condition).await?;
        self.lost()?;
        Ok(version)
    }

    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.store.list(prefix, after, most).await
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.lost()?;
        self.store.delete(name).await
    }

    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        self.store.delete_version(name, version).await
    }

    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.store.objects(prefix, after, most).await
    }
}

fn pipeline(stream: &str) -> Pipeline {
    let write = if stream == "things" { "replace" } else { "merge, key: id" };
    let text = format!(
        "etalon: 1\npipeline: p\nsource:\n  connector: {{ manifest: m.yaml, stream: {stream}, config: {{ token: '${{secret:t}}' }} }}\n  \
         fields: {{ id: bigint }}\ncolumns: {{ id: bigint required }}\ntarget: {{ table: t, write: {write} }}\n"
    );
    Pipeline::compile(&text).unwrap().0
}

fn land<S: Objects>(stream: &str, store: &S, api: &mut Api<'_>, deadline: i64) -> Result<LandReport, Error> {
    let pipeline = pipeline(stream);
    let connector = Connector::read(MANIFEST).unwrap();
    let location = pipeline.location().resolve(|_| Ok::<_, Error>("hush-hush".to_owned())).unwrap();
    let source = location.api().unwrap();
    let config = source.config(&connector).unwrap();
    let clock = Quick(api.clock);
    let land = Land { pipeline: &pipeline, store, clock: &clock, deadline, piece_bytes: Some(100), rows_max: None };
    block_on(land.walk(api, &Asks { api: source, connector: &connector, config: &config, chance: 7, tokens: store }))
}

/// The records of the windows that have landed, in order.
fn landed(store: &Memory) -> Vec<Vec<Value>> {
    let landed = Landed::new(store, "p", Vec::new(), false);
    let objects = block_on(landed.objects("", None, usize::MAX)).unwrap();
    let lines = |object: &Object| {
        let bytes = block_on(landed.read(object, 0..object.size)).unwrap();
        let lines = bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    };
    objects.iter().map(lines).collect()
}

fn cursor(store: &Memory) -> Cursor {
    block_on(document::<Cursor>(store, &name::cursor("p"))).unwrap().unwrap().0
}

#[test]
fn nothing_is_missed_and_nothing_doubled() {
    let seeds: u64 = std::env::var("ETALON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(20);
    let (mut calls, mut cut, mut errors, mut requests, mut failed, mut met, mut again) = (0, 0, 0, 0, 0, 0, 0);
    for seed in 0..seeds {
        for stream in ["things", "events", "parts"] {
            let clock = ManualClock::new(BEGIN + DAY);
            let store = Memory::default();
            let lossy = Lossy { store: &store, chance: Mutex::new(Chance(seed * 7919 + 13)), one_in: 12 + seed % 40 };
            let chance = RefCell::new(Chance(seed * 104_729 + 7));
            let mut api = Api { clock: &clock, chance, things: 7, events: Vec::new(), requests: 0, failed: 0 };
            for _ in 0..30 {
                api.happen();
                clock.advance(SECOND * 3600);
                let time = 2 + api.chance.borrow_mut().below(9) as i64;
                calls += 1;
                match land(stream, &lossy, &mut api, clock.now() + time * SECOND) {
                    Ok(report) => cut += usize::from(report.is_cut_short),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                        errors += 1;
                    }
                }
            }
            // One with time, on a store that loses nothing.
            clock.advance(SECOND);
            land(stream, &store, &mut api, i64::MAX).unwrap();
            assert_eq!(cursor(&store).open, None);
            let windows = landed(&store);
            let key = |record: &Value| record["id"].as_u64().unwrap();
            if stream == "things" {
                let all: Vec<u64> = (0..api.things).collect();
                for window in &windows {
                    assert_eq!(window.iter().map(key).collect::<Vec<_>>(), all, "seed {seed}");
                }
                assert!(!windows.is_empty());
            } else {
                let mut found: BTreeMap<u64, usize> = BTreeMap::new();
                windows.iter().flatten().for_each(|record| *found.entry(key(record)).or_default() += 1);
                let all: Vec<u64> = (0..api.events.len() as u64).collect();
                assert_eq!(found.keys().copied().collect::<Vec<_>>(), all, "seed {seed}: {stream}");
                met += found.len();
                again += found.values().map(|count| count - 1).sum::<usize>();
            }
            (requests, failed) = (requests + api.requests, failed + api.failed);
            residue_is_removed_and_no_secret_is_kept(stream, &store, &mut api);
        }
    }
    println!(
        "{seeds} histories of 3 streams: {calls} calls, {cut} cut short, {errors} interrupted; {requests} requests, {failed} failed; \
         {met} events, missed 0, met again {again}"
    );
}

/// Another landing leaves nothing that no window names; and no secret is anywhere.
fn residue_is_removed_and_no_secret_is_kept(stream: &str, store: &Memory, api: &mut Api<'_>) {
    land(stream, store, api, i64::MAX).unwrap();
    let cursor = cursor(store);
    let named: Vec<&str> = cursor
        .windows
        .iter()
        .flat_map(|window| window.pieces.iter().chain(&window.pages).chain(&window.bodies))
        .map(|piece| piece.name.as_str())
        .collect();
    for object in block_on(store.list("", None, usize::MAX)).unwrap() {
        // What others left of the window that was landed last is removed by the next landing, and so is the snapshot that the last one
        // has let go.
        let let_go = if stream == "things" { 2 } else { 0 };
        let is_next = name::landed_window(&object).is_some_and(|window| window + let_go >= cursor.landed);
        assert!(!object.starts_with("landed/") || is_next || named.contains(&object.as_str()), "{object}");
        let bytes = plain(&object, block_on(store.get(&object)).unwrap());
        assert!(!String::from_utf8_lossy(&bytes).contains("hush-hush"), "{object}");
    }
    cursor.windows.iter().for_each(|window| responses_have_the_records(stream, store, window));
}

/// What a piece says.
fn plain(name: &str, bytes: Vec<u8>) -> Vec<u8> {
    if !name.ends_with(".gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

/// The lines of some pieces.
fn lines(store: &Memory, pieces: &[Piece]) -> Vec<Value> {
    let whole: Vec<u8> =
        pieces.iter().flat_map(|piece| plain(&piece.name, block_on(store.get(&piece.name)).unwrap())).collect();
    let lines = whole.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// Each page names the responses that it came as, in which its records stand, and nobody has to ask for them again.
fn responses_have_the_records(stream: &str, store: &Memory, window: &Window) {
    let (records, responses) = (lines(store, &window.pieces), lines(store, &window.bodies));
    let (mut found, mut named) = (Vec::new(), Vec::new());
    for page in lines(store, &window.pages) {
        let numbers: Vec<u64> = serde_json::from_value(page["responses"].clone()).unwrap();
        for number in numbers {
            let response = &responses[usize::try_from(number).unwrap()];
            assert_eq!((&response["response"], &response["status"]), (&json!(number), &json!(200)));
            assert!(response["asked"].as_str().unwrap().starts_with("GET https://api.example.com/"), "{response}");
            let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
            assert_eq!(body["echo"], json!("***"));
            found.extend(body["data"].as_array().unwrap().iter().cloned());
            named.push(number);
        }
    }
    assert_eq!(named, (0..responses.len() as u64).collect::<Vec<_>>());
    // A record that a window had before may be asked for again, and lands again.
    assert_eq!(found, records, "{stream}");
}
