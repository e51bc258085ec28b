//! The calls of an account, and several workers who make them at once, are killed and stopped, and keep them in a store that loses
//! questions and answers: the rate is not exceeded. `ETALON_SEEDS` says how many histories are made.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod unsure;

use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::source::connector::{Config, Connector, Request, Response, Signing, Walk};
use etalon_core::source::{Api, WalkFrom};
use etalon_core::spec::Filled;
use etalon_driver::land::{Asking, Asks, Came, Land, release};
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Server};
use pollster::block_on;
use serde_json::{Value, json};

use unsure::{Chance, Lossy, Quick};

const SECOND: i64 = 1_000_000;
const BEGIN: i64 = 1_767_225_600 * SECOND;
/// How many records there are, one a page.
const RECORDS: u64 = 60;

/// A server that notes when it was asked, and sometimes says that it has no calls left.
struct World<'a> {
    clock: &'a ManualClock,
    asked: Vec<i64>,
    /// Until when nobody may ask, as it has said.
    closed: i64,
    early: usize,
    says: u64,
}

impl Server for World<'_> {
    fn send(&mut self, request: &Request) -> Result<Response, Error> {
        let now = self.clock.now();
        self.early += usize::from(now < self.closed);
        self.asked.push(now);
        let (_, query) = request.url.split_once('?').unwrap();
        let page: u64 = query.split('&').find_map(|pair| pair.strip_prefix("page=")).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        if self.says > 0 && (self.asked.len() as u64).is_multiple_of(self.says) {
            let reset = now / SECOND + 7;
            self.closed = reset * SECOND;
            headers.push(("ratelimit-remaining".to_owned(), "0".to_owned()));
            headers.push(("ratelimit-reset".to_owned(), reset.to_string()));
        }
        let records: Vec<Value> = (page..=page.min(RECORDS)).map(|id| json!({"id": id})).collect();
        Ok(Response::new(200, headers, Value::from(records).to_string().into_bytes()))
    }

    fn sign(&self, _signing: &Signing) -> Result<Vec<u8>, Error> {
        Err(Error::new(ErrorKind::Refused, "nothing is signed here"))
    }
}

/// An API with a rate, and the proof of one account.
struct Source {
    pipeline: Pipeline,
    api: Api<Filled>,
    connector: Connector,
    config: Config,
}

impl Source {
    fn new(rate: &str, token: &str) -> Self {
        let text = format!(
            "etalon: 1\npipeline: p\nsource:\n  http:\n    url: https://api.example.com/things\n    auth: {{ bearer: '${{secret:t}}' }}\n    \
             paging: {{ page: {{ param: page, size: 1 }} }}\n    rate: {rate}\n  fields: {{ id: bigint }}\n\
             columns: {{ id: bigint required }}\ntarget: {{ table: t, write: replace }}\n"
        );
        let pipeline = Pipeline::compile(&text).unwrap().0;
        let location = pipeline.location().resolve(|_| Ok::<_, Error>(token.to_owned())).unwrap();
        let api = location.api().unwrap().clone();
        let connector = api.connector(|_| unreachable!()).unwrap();
        let config = api.config(&connector).unwrap();
        Self { pipeline, api, connector, config }
    }

    fn walk(&self, now: i64, chance: u128) -> Walk {
        self.api.walk(&self.connector, &self.config, WalkFrom::State(None), now, chance).unwrap()
    }
}

/// How often a server was asked most, in so many microseconds.
fn most(asked: &[i64], span: i64) -> usize {
    let within = |(at, begin): (usize, &i64)| asked[at..].iter().take_while(|other| **other < begin + span).count();
    asked.iter().enumerate().map(within).max().unwrap_or_default()
}

#[test]
fn together_they_do_not_exceed_the_rate() {
    let seeds: u64 = std::env::var("ETALON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200);
    let rates = [("3 per second", 3, SECOND), ("20 per second", 20, SECOND), ("7 per minute", 7, 60 * SECOND)];
    let rates = rates.into_iter().chain([("200 per minute", 200, 60 * SECOND), ("40 per hour", 40, 3600 * SECOND)]);
    let (mut asked, mut killed, mut ended, mut written) = (0, 0, 0, 0);
    for (rate, limit, span) in rates {
        let source = Source::new(rate, "hush-hush-1");
        let (mut peak, mut alone) = (0, 0);
        for seed in 0..seeds {
            let clock = ManualClock::new(BEGIN);
            let store = Memory::default();
            let lossy = Lossy { store: &store, chance: Mutex::new(Chance(seed * 7919 + 13)), one_in: 10 + seed % 50 };
            let mut world = World { clock: &clock, asked: Vec::new(), closed: 0, early: 0, says: 0 };
            let mut chance = Chance(seed * 15_485_863 + 11);
            let quick = Quick(&clock);
            #[expect(clippy::type_complexity, reason = "three of them, at one place")]
            let mut workers: [Option<(Walk, Asking<'_, Lossy<'_>, Quick<'_>>, i64)>; 3] = [None, None, None];
            for _ in 0..600 {
                let at = usize::try_from(chance.below(3)).unwrap();
                let number = u128::from(chance.below(u64::MAX));
                let worker = workers[at]
                    .get_or_insert_with(|| (source.walk(clock.now(), number), Asking::new(&quick, &lossy), 0));
                clock.advance(i64::try_from(chance.below(40_000)).unwrap());
                if worker.2 > clock.now() {
                    clock.advance(span / 200);
                    continue;
                }
                match block_on(worker.1.step(&mut worker.0, &mut world)) {
                    Ok(Came::Wait(until)) => worker.2 = until,
                    Ok(Came::Answer | Came::Page(_)) => {}
                    Ok(Came::End) => {
                        ended += 1;
                        block_on(release(&mut worker.0, &lossy, &quick));
                        workers[at] = None;
                    }
                    Err(error) => panic!("{error}"),
                }
                if chance.below(60) == 0 {
                    killed += usize::from(workers[at].is_some());
                    workers[at] = None;
                }
            }
            let together = most(&world.asked, span);
            assert!(together <= limit, "seed {seed}: {together} calls, where there are {rate}");
            (peak, alone) = (peak.max(together), alone.max(world.asked.len()));
            asked += world.asked.len();
            written += block_on(store.list("budgets/", None, usize::MAX)).unwrap().len();
        }
        assert!(peak * 2 >= limit || alone < limit, "{rate}: {peak} at most, of {limit}");
    }
    println!(
        "{seeds} histories of 3 workers at 5 rates: {asked} calls, none above its rate; {ended} walks to their end, {killed} killed, \
         {written} documents"
    );
}

#[test]
fn what_a_server_says_of_its_own_count_holds_for_all() {
    let source = Source::new("1000 per minute", "hush-hush-1");
    let clock = ManualClock::new(BEGIN);
    let (store, quick) = (Memory::default(), Quick(&clock));
    let mut world = World { clock: &clock, asked: Vec::new(), closed: 0, early: 0, says: 10 };
    let mut workers = [1, 2].map(|number| (source.walk(clock.now(), number), Asking::new(&quick, &store), 0));
    let mut said = 0;
    while workers.iter().any(|worker| worker.2 < i64::MAX) {
        clock.advance(SECOND / 50);
        for worker in &mut workers {
            if worker.2 <= clock.now() {
                match block_on(worker.1.step(&mut worker.0, &mut world)).unwrap() {
                    Came::Wait(until) => (worker.2, said) = (until, said + 1),
                    Came::Answer | Came::Page(_) => {}
                    Came::End => worker.2 = i64::MAX,
                }
            }
        }
    }
    // The other one learns it with its next lease, which is of 50 calls: before that it asks too early.
    assert!(said > 0 && world.early < 60, "{} too early of {}", world.early, world.asked.len());
    assert_eq!(world.asked.len() as u64, 2 * (RECORDS + 1));
}

#[test]
fn a_later_call_has_what_is_left_of_the_rate_and_another_account_has_its_own() {
    let clock = ManualClock::new(BEGIN);
    let (store, quick) = (Memory::default(), Quick(&clock));
    let mut world = World { clock: &clock, asked: Vec::new(), closed: 0, early: 0, says: 0 };
    let mut land = |token: &str, chance: u128| {
        let source = Source::new("5 per minute", token);
        let asks =
            Asks { api: &source.api, connector: &source.connector, config: &source.config, chance, tokens: &store };
        let own = Memory::default();
        let (pipeline, deadline) = (&source.pipeline, clock.now() + 10 * SECOND);
        let land = Land { pipeline, store: &own, clock: &quick, deadline, piece_bytes: None, rows_max: None };
        let report = block_on(land.walk(&mut world, &asks)).unwrap();
        assert!(report.is_cut_short && report.windows.is_empty());
        std::mem::take(&mut world.asked).len()
    };
    assert_eq!(land("hush-hush-1", 1), 5);
    // The next function of the account finds nothing left; one of another account is not held up.
    assert_eq!(land("hush-hush-1", 2), 0);
    assert_eq!(land("hush-hush-2", 3), 5);
    clock.advance(60 * SECOND);
    assert_eq!(land("hush-hush-1", 4), 5);
    for name in block_on(store.list("", None, usize::MAX)).unwrap() {
        let text = String::from_utf8(block_on(store.get(&name)).unwrap()).unwrap();
        assert!(name.starts_with("budgets/") && !text.contains("hush"), "{name}: {text}");
    }
}
