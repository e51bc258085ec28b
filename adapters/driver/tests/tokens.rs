//! Tokens that a server renews, and two workers who need them at once, are killed, stopped, and read a store that loses questions and
//! answers: the token that gets the next one is never lost. `ETALON_SEEDS` says how many histories are made.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod unsure;

use std::cell::RefCell;
use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::source::connector::{Config, Connector, Request, Response, Signing, Walk};
use etalon_core::source::{Api, WalkFrom};
use etalon_core::spec::Filled;
use etalon_driver::land::{Asking, Asks, Came, Land};
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Server};
use pollster::block_on;
use serde_json::json;

use unsure::{Chance, Lossy, Quick};

const SECOND: i64 = 1_000_000;
const BEGIN: i64 = 1_767_225_600 * SECOND;
/// So long an access token lives.
const LIFE: i64 = 60 * SECOND;
/// The refresh token that the secret has.
const FIRST: &str = "refresh-000000-first";

const MANIFEST: &str = "
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [things] }
streams:
  - type: DeclarativeStream
    name: things
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: https://api.example.com/things
        error_handler: { type: DefaultErrorHandler, max_retries: 20, backoff_strategies: [ { type: ConstantBackoffStrategy, backoff_time_in_seconds: 1 } ] }
        authenticator:
          type: OAuthAuthenticator
          token_refresh_endpoint: https://login.example.com/token
          client_id: us
          client_secret: \"{{ config['client_secret'] }}\"
          refresh_token: \"{{ config['refresh_token'] }}\"
          refresh_token_updater: { refresh_token_config_path: [refresh_token] }
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement, page_size: 1, start_from_page: 1, inject_on_first_request: true }
";

const CONNECTOR: &str = "connector: { manifest: m.yaml, stream: things, config: { refresh_token: '${secret:r}', client_secret: '${secret:c}' } }";
const HTTP: &str = "http:
    url: https://api.example.com/things
    auth: { oauth2: { token_url: 'https://login.example.com/token', client_id: us, client_secret: '${secret:c}', refresh_token: '${secret:r}' } }
    paging: { page: { param: page, size: 1 } }";

/// When a refresh token is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// When it was used.
    AtOnce,
    /// When what was got for it is used.
    WhenNextIsUsed,
}

/// A refresh token with the access token that came with it.
struct Token {
    parent: Option<usize>,
    since: i64,
    is_used: bool,
    is_dead: bool,
    /// What was got beside it, for the same token, was used first.
    is_revoked: bool,
}

/// Where tokens are got, and what is read with them.
struct World<'a> {
    clock: &'a ManualClock,
    ends: Ends,
    tokens: Vec<Token>,
    chance: Chance,
    /// Requests with a token that is no longer good.
    lost: usize,
    late: usize,
    renewed: usize,
    unanswered: usize,
    pages: usize,
}

impl<'a> World<'a> {
    fn new(clock: &'a ManualClock, ends: Ends, seed: u64) -> Self {
        let first = Token { parent: None, since: 0, is_used: true, is_dead: false, is_revoked: false };
        let chance = Chance(seed * 104_729 + 7);
        Self { clock, ends, tokens: vec![first], chance, lost: 0, late: 0, renewed: 0, unanswered: 0, pages: 0 }
    }

    /// What was got last is used for the first time.
    fn uses(&mut self, at: usize) {
        if self.tokens[at].is_used {
            return;
        }
        self.tokens[at].is_used = true;
        let parent = self.tokens[at].parent.unwrap();
        self.tokens[parent].is_dead = true;
        for (other, token) in self.tokens.iter_mut().enumerate() {
            if token.parent == Some(parent) && other != at {
                (token.is_dead, token.is_revoked) = (true, true);
            }
        }
    }

    fn renew(&mut self, body: &str) -> Response {
        let refresh = body.split('&').find_map(|pair| pair.strip_prefix("refresh_token=")).unwrap();
        assert!(body.contains("client_secret=hush-hush") && body.contains("client_id=us"), "{body}");
        let at: usize = refresh.split('-').nth(1).unwrap().parse().unwrap();
        if self.tokens[at].is_dead {
            self.lost += 1;
            return Response::new(400, Vec::new(), format!("{{\"error\": \"{refresh} is over\"}}").into_bytes());
        }
        self.uses(at);
        self.tokens[at].is_dead = self.ends == Ends::AtOnce;
        let next = self.tokens.len();
        let since = self.clock.now();
        self.tokens.push(Token { parent: Some(at), since, is_used: false, is_dead: false, is_revoked: false });
        self.renewed += 1;
        let body = json!({
            "access_token": format!("access-{next:06}-hush"), "refresh_token": format!("refresh-{next:06}-hush"),
            "expires_in": LIFE / SECOND,
        });
        Response::new(200, Vec::new(), body.to_string().into_bytes())
    }
}

impl Server for World<'_> {
    fn send(&mut self, request: &Request) -> Result<Response, Error> {
        self.clock.advance(SECOND);
        let unanswered = Error::new(ErrorKind::Unavailable, "cut");
        if request.url == "https://login.example.com/token" {
            let response = self.renew(request.body.as_deref().unwrap());
            // An answer on its way may be lost, and then the token with it, if the old one is good no more.
            if self.ends == Ends::WhenNextIsUsed && self.chance.below(6) == 0 {
                self.unanswered += 1;
                return Err(unanswered);
            }
            return Ok(response);
        }
        let (_, said) = request.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        let at: usize = said.strip_prefix("Bearer access-").unwrap().split('-').next().unwrap().parse().unwrap();
        let token = &self.tokens[at];
        // Whoever was stopped with a token in his hand may find it over: he is told so, and the next one gets a new one.
        if self.clock.now() > token.since + LIFE + 2 * SECOND {
            assert!(self.ends == Ends::WhenNextIsUsed, "an access token is used that is over");
            self.late += 1;
            return Ok(Response::new(401, Vec::new(), Vec::new()));
        }
        if token.is_revoked {
            self.lost += 1;
            return Ok(Response::new(401, Vec::new(), Vec::new()));
        }
        self.uses(at);
        self.pages += 1;
        let page: u64 = request.url.rsplit('=').next().unwrap().parse().unwrap();
        let body = if page < 100 { json!([{ "id": page }]) } else { json!([]) };
        Ok(Response::new(200, Vec::new(), body.to_string().into_bytes()))
    }

    fn sign(&self, _signing: &Signing) -> Result<Vec<u8>, Error> {
        Err(Error::new(ErrorKind::Refused, "nothing is signed here"))
    }
}

/// A source whose tokens are renewed.
struct Source {
    pipeline: Pipeline,
    api: Api<Filled>,
    connector: Connector,
    config: Config,
}

impl Source {
    fn new(source: &str) -> Self {
        let text = format!(
            "etalon: 1\npipeline: p\nsource:\n  {source}\n  fields: {{ id: bigint }}\ncolumns: {{ id: bigint required }}\n\
             target: {{ table: t, write: replace }}\n"
        );
        let pipeline = Pipeline::compile(&text).unwrap().0;
        let secret = |name: &etalon_core::spec::Placeholder<'_>| {
            Ok::<_, Error>(if name.to_string().contains(":r") { FIRST } else { "hush-hush" }.to_owned())
        };
        let location = pipeline.location().resolve(|name| secret(&name)).unwrap();
        let api = location.api().unwrap().clone();
        let connector = api.connector(|_| Ok(MANIFEST.to_owned())).unwrap();
        let config = api.config(&connector).unwrap();
        Self { pipeline, api, connector, config }
    }

    fn walk(&self, now: i64, chance: u128) -> Walk {
        self.api.walk(&self.connector, &self.config, WalkFrom::State(None), now, chance).unwrap()
    }
}

/// What histories came to, all together.
#[derive(Default)]
struct Sum {
    renewed: usize,
    unanswered: usize,
    pages: usize,
    killed: usize,
    killed_with_token: usize,
    stopped: usize,
    late: usize,
    failed: usize,
}

fn seeds() -> u64 {
    std::env::var("ETALON_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

/// One history of two workers.
fn history(source: &Source, ends: Ends, seed: u64, sum: &mut Sum) {
    let clock = ManualClock::new(BEGIN);
    let store = Memory::default();
    let lossy = Lossy { store: &store, chance: Mutex::new(Chance(seed * 7919 + 13)), one_in: 8 + seed % 30 };
    let mut world = World::new(&clock, ends, seed);
    let mut chance = Chance(seed * 15_485_863 + 11);
    let quick = Quick(&clock);
    // Of each: its walk, what it asks with, and until when it is stopped.
    #[expect(clippy::type_complexity, reason = "two of them, at one place")]
    let mut workers: [Option<(Walk, Asking<'_, Lossy<'_>, Quick<'_>>, i64)>; 2] = [None, None];
    for _ in 0..600 {
        let at = usize::from(chance.below(2) == 0);
        let number = u128::from(chance.below(u64::MAX));
        let worker =
            workers[at].get_or_insert_with(|| (source.walk(clock.now(), number), Asking::new(&quick, &lossy), 0));
        if worker.2 > clock.now() {
            clock.advance(SECOND / 4);
            continue;
        }
        match block_on(worker.1.step(&mut worker.0, &mut world)) {
            Ok(Came::Wait(until)) => worker.2 = until,
            Ok(Came::Answer | Came::Page(_)) => {}
            Ok(Came::End) => workers[at] = None,
            Err(error) => {
                assert!(!error.to_string().contains("hush") && !error.to_string().contains("first"), "{error}");
                sum.failed += 1;
                workers[at] = None;
            }
        }
        let holds = |worker: &Option<(Walk, _, _)>| worker.as_ref().is_some_and(|(walk, ..)| walk.holds_token());
        let (is_held, is_any_held) = (holds(&workers[at]), workers.iter().any(holds));
        // Where a token is over when it was used, nothing saves it from a worker who dies with the next one in his hand.
        if chance.below(14) == 0 && (ends == Ends::WhenNextIsUsed || !is_held) {
            sum.killed += usize::from(workers[at].is_some());
            sum.killed_with_token += usize::from(is_held);
            workers[at] = None;
        }
        if chance.below(40) == 0 && (ends == Ends::WhenNextIsUsed || !is_any_held) {
            sum.stopped += 1;
            clock.advance(250 * SECOND);
        }
    }
    assert_eq!(world.lost, 0, "seed {seed}, {ends:?}");
    // Who is about to write a token is let do that, where nothing else would save it.
    for (walk, asking, _) in workers.iter_mut().flatten().filter(|_| ends == Ends::AtOnce) {
        while walk.holds_token() {
            if let Came::Wait(until) = block_on(asking.step(walk, &mut world)).unwrap() {
                clock.advance((until - clock.now()).max(0));
            }
        }
    }
    // Nobody is at work any more, and the store answers: the next one reads everything.
    drop(workers);
    clock.advance(300 * SECOND);
    let mut walk = source.walk(clock.now(), 1);
    let mut records = 0;
    let take = |page: etalon_core::source::connector::Page| {
        records += page.records.len();
        Ok(())
    };
    block_on(etalon_driver::land::walk(&mut walk, &mut world, &store, &quick, take)).unwrap();
    assert_eq!((records, world.lost), (99, 0), "seed {seed}, {ends:?}");
    sum.renewed += world.renewed;
    sum.unanswered += world.unanswered;
    sum.pages += world.pages;
    sum.late += world.late;
}

#[test]
fn two_workers_and_kills_lose_no_token() {
    let mut sum = Sum::default();
    for source in [Source::new(CONNECTOR), Source::new(HTTP)] {
        for seed in 0..seeds() {
            for ends in [Ends::AtOnce, Ends::WhenNextIsUsed] {
                history(&source, ends, seed, &mut sum);
            }
        }
    }
    println!(
        "{} histories of 2 sources and 2 kinds of server: {} tokens renewed, {} answers lost, {} pages; {} workers killed, {} of them \
         with a token that nobody else had; {} times all stopped, {} access tokens over by that, {} walks failed; tokens lost 0",
        seeds() * 4,
        sum.renewed,
        sum.unanswered,
        sum.pages,
        sum.killed,
        sum.killed_with_token,
        sum.stopped,
        sum.late,
        sum.failed
    );
    assert!(sum.killed_with_token > 0 && sum.unanswered > 0, "what is feared has happened");
}

/// The function has little time: a landing goes on where the last one ended, with the tokens that it had.
#[test]
fn landings_that_are_cut_short_lose_no_token_and_tell_none() {
    for (source, text) in [(Source::new(CONNECTOR), CONNECTOR), (Source::new(HTTP), HTTP)] {
        for seed in 0..seeds().min(50) {
            let clock = ManualClock::new(BEGIN);
            let store = Memory::default();
            let lossy = Lossy { store: &store, chance: Mutex::new(Chance(seed * 7919 + 13)), one_in: 8 + seed % 30 };
            let mut world = World::new(&clock, Ends::AtOnce, seed);
            let chance = RefCell::new(Chance(seed * 104_729 + 7));
            let quick = Quick(&clock);
            let mut landed = 0;
            for call in 0..80 {
                let deadline = clock.now() + (1 + chance.borrow_mut().below(40) as i64) * SECOND;
                let land = Land {
                    pipeline: &source.pipeline,
                    store: &lossy,
                    clock: &quick,
                    deadline,
                    piece_bytes: Some(100),
                    rows_max: None,
                };
                let asks = Asks {
                    api: &source.api,
                    connector: &source.connector,
                    config: &source.config,
                    chance: call,
                    tokens: &lossy,
                };
                match block_on(land.walk(&mut world, &asks)) {
                    Ok(report) => landed += report.windows.len(),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
                }
            }
            assert_eq!(world.lost, 0, "seed {seed}: {text}");
            assert!(landed > 0 && world.renewed > 1, "seed {seed}: {landed} landed, {} renewed", world.renewed);
            for name in block_on(store.list("", None, usize::MAX)).unwrap() {
                let bytes = block_on(store.get(&name)).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                let is_told = ["hush-hush", "-hush", FIRST].iter().any(|secret| text.contains(secret));
                assert_eq!(is_told, name.starts_with("tokens/"), "{name}: {text}");
                assert!(!name.contains("hush") && !name.contains("first"), "{name}");
            }
        }
    }
}

/// A token that is over is told as what it is, and who comes next is not kept waiting.
#[test]
fn a_token_that_is_over_is_told_at_once_and_not_in_clear() {
    let source = Source::new(HTTP);
    let clock = ManualClock::new(BEGIN);
    let store = Memory::default();
    let mut world = World::new(&clock, Ends::AtOnce, 1);
    let quick = Quick(&clock);
    let read = |world: &mut World<'_>| {
        let mut walk = source.walk(clock.now(), u128::from(clock.now().unsigned_abs()));
        block_on(etalon_driver::land::walk(&mut walk, world, &store, &quick, |_| Ok(())))
            .map_err(|error| error.to_string())
    };
    read(&mut world).unwrap();
    clock.advance(LIFE * 3);
    world.tokens.iter_mut().for_each(|token| token.is_dead = true);
    let begun = clock.now();
    for _ in 0..2 {
        let error = read(&mut world).unwrap_err();
        let expected = "`https://login.example.com/token` gave no token: HTTP 400; what was asked with is the refresh token that the \
                        server gave last: if it is no longer good, have a new one granted and put it into the secret";
        assert_eq!(error, expected);
    }
    assert!(clock.now() - begun < 10 * SECOND, "nobody waits for a lease");
}
