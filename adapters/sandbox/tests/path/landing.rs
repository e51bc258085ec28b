//! Landing: sources that are no store, asked by the real extract function in its short time: a database that others write to, and
//! APIs of which one request in ten fails, while functions are killed. What the source has in the end is in the table, once.
//!
//! `ETALON_KILLS=50 ETALON_WINDOWS=400 ETALON_PAGES=1000 cargo test --test path landing` tries more.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use etalon_core::protocol::{Cursor, UnitState, name, parse, prefix};
use etalon_golden::mariadb;
use etalon_postgres::client::{Address, Client};
use etalon_sandbox::cloud::{Cloud, Settings};
use etalon_sandbox::lambda::Mishap;
use serde_json::{Value, json};

use super::faults::Chance;
use super::laptop::{cells, rows};
use super::{Shared, orders, settle};

/// What nobody may find anywhere but in Secrets Manager.
const SECRET: &str = "hush/hush+1";
/// The time of a call of extract, in seconds: it stops two seconds before.
const SECONDS: u32 = 10;

/// A database that is read by a user who has a password.
fn database(shared: &Shared, name: &str) -> (String, String) {
    let server = &shared.counterparts.postgres;
    let owner = server.database(name).unwrap();
    let mut client = connect(&owner);
    run(&mut client, "CREATE TABLE t (id bigint PRIMARY KEY, v integer NOT NULL, at timestamptz NOT NULL)");
    let user = name.replace('-', "_");
    run(&mut client, &format!("CREATE ROLE {user} LOGIN PASSWORD '{SECRET}' IN ROLE pg_read_all_stats"));
    run(&mut client, &format!("GRANT SELECT ON t TO {user}"));
    let url = format!("postgres://{user}:${{secret:database}}@127.0.0.1:{}/{name}?sslmode=disable", server.port());
    (owner, url)
}

fn connect(url: &str) -> Client {
    Client::open(&Address::parse(url, |_| None).unwrap()).unwrap()
}

fn run(client: &mut Client, sql: &str) {
    client.run(sql, &[]).unwrap();
}

/// Transactions of one writer, until they are to end; each writer has keys of its own.
fn write(url: &str, writer: u64, ends: &AtomicBool) -> u64 {
    let mut client = connect(url);
    let mut chance = Chance(writer + 77);
    let (mut next, mut transactions) = (0, 0);
    while !ends.load(Ordering::Relaxed) {
        run(&mut client, "BEGIN");
        for _ in 0..1 + chance.below(4) {
            if next == 0 || chance.below(2) == 0 {
                run(&mut client, &format!("INSERT INTO t VALUES ({}, 0, now())", 1_000_000 * writer + next));
                next += 1;
            } else {
                let id = 1_000_000 * writer + chance.below(next);
                run(&mut client, &format!("UPDATE t SET v = v + 1, at = now() WHERE id = {id}"));
            }
            std::thread::sleep(Duration::from_millis(chance.below(40)));
        }
        if chance.below(6) == 0 {
            run(&mut client, "ROLLBACK");
            // A number of a row that is not there is taken again.
            next = rows_of(&mut client, writer);
        } else {
            run(&mut client, "COMMIT");
        }
        transactions += 1;
    }
    transactions
}

/// How many rows a writer has.
fn rows_of(client: &mut Client, writer: u64) -> u64 {
    let (from, to) = (1_000_000 * writer, 1_000_000 * (writer + 1));
    let found = client.run(&format!("SELECT count(*) FROM t WHERE id >= {from} AND id < {to}"), &[]).unwrap();
    String::from_utf8(found.rows[0][0].clone().unwrap()).unwrap().parse().unwrap()
}

pub(crate) async fn a_database_is_read_while_others_write_and_functions_are_killed(shared: &Shared) {
    let (owner, url) = database(shared, "landing-origin");
    let windows = orders::number("ETALON_WINDOWS", 60);
    // What has gathered before anybody reads: a window of each second.
    let backlog = format!(
        "INSERT INTO t SELECT n, 0, now() - interval '1 hour' + (n / 20) * interval '1 second' FROM generate_series(0, {}) AS n",
        windows * 20 - 1
    );
    run(&mut connect(&owner), &backlog);
    let pipeline = format!(
        "
etalon: 1
pipeline: origin
source:
  postgres:
    url: '{url}'
    table: t
    incremental: {{ cursor: at, lag: 0 seconds, window: 1 second }}
  fields: {{ id: bigint, v: integer, at: timestamptz }}
columns: {{ id: required, v: required, at: required }}
target: {{ table: analytics.origin, write: merge, key: id, order_by: at }}
"
    );
    let mut settings = Settings::new("landing", &pipeline, shared.programs.clone());
    settings.secrets.insert("database".to_owned(), SECRET.to_owned());
    settings.sizes.extract.timeout_seconds = SECONDS;
    let cloud = shared.cloud_of(settings, 0).await;
    cloud.set_latency(Duration::from_millis(150));
    let ends = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (1..=3)
        .map(|writer| {
            let (owner, ends) = (owner.clone(), Arc::clone(&ends));
            std::thread::spawn(move || write(&owner, writer, &ends))
        })
        .collect();
    let mut chance = Chance(5);
    let kills = orders::number("ETALON_KILLS", 4);
    for kill in 0..kills {
        // Most of them while something lands.
        let stage = [0, 0, 1, 2][chance.below(4) as usize];
        cloud.stages()[stage].function.inject(Mishap::Kill(Duration::from_millis(20 + chance.below(6000))));
        cloud.send(cloud.extract(), &json!({ "run": format!("run {kill}") }).to_string()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200 + chance.below(4000))).await;
    }
    ends.store(true, Ordering::Relaxed);
    let transactions: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    for stage in cloud.stages() {
        stage.function.clear_mishaps();
    }
    cloud.set_latency(Duration::ZERO);
    come_to_rest(&cloud, 3).await;

    let (source, table) = (cells(&owner, "t", "id, v"), cells(cloud.database_url(), "analytics.origin", "id, v"));
    hold_against(&source, &table);
    let (windows, residue) = residue(&cloud).await;
    assert_eq!(residue, 0);
    nothing_tells_the_secret(&cloud).await;
    let handed_on = handed_on(&cloud);
    assert!(handed_on > 0, "it landed in one call");
    let killed: u64 = cloud.stages().iter().map(|stage| stage.function.totals().errors).sum();
    println!(
        "{} rows of {transactions} transactions in {windows} windows, landings handed on {handed_on} times, {killed} calls killed: \
         missed 0, doubled 0, residue 0",
        source.len()
    );
}

pub(crate) async fn a_mysql_is_read_by_a_user_with_a_password(shared: &Shared) {
    let server = mariadb::Server::start(&[]).unwrap();
    server.database("shop");
    let made = format!(
        "create table t (id bigint unsigned primary key, v integer, at timestamp(6) not null, picture blob); \
         insert into t select seq, 0, now(6) - interval 1 hour + interval (seq div 500) second, unhex('00ff') from seq_1_to_5000; \
         create user landing identified by '{SECRET}'; grant select on shop.* to landing; grant process on *.* to landing"
    );
    assert!(server.sql("shop", &made).0);
    let pipeline = format!(
        "
etalon: 1
pipeline: shop
source:
  mysql:
    url: 'mysql://landing:${{secret:database}}@127.0.0.1:{}/shop?ssl-mode=disabled'
    table: t
    incremental: {{ cursor: at, lag: 0 seconds, window: 1 second }}
  fields: {{ id: 'decimal(20,0)', v: integer, at: timestamptz, picture: }}
columns: {{ id: required, v: required, at: required, picture: varchar(9) }}
target: {{ table: analytics.shop, write: merge, key: id, order_by: at }}
",
        server.port()
    );
    let mut settings = Settings::new("mysql", &pipeline, shared.programs.clone());
    settings.secrets.insert("database".to_owned(), SECRET.to_owned());
    let cloud = shared.cloud_of(settings, 0).await;
    come_to_rest(&cloud, 1).await;
    assert!(
        server
            .sql("shop", "update t set v = 1, at = now(6) where id <= 700; insert into t values (6000, 2, now(6), '')")
            .0
    );
    come_to_rest(&cloud, 2).await;
    let found = cells(
        cloud.database_url(),
        "analytics.shop GROUP BY v, picture",
        "v, picture, count(*)::text, min(id)::text || '-' || max(id)::text",
    );
    let mut found: Vec<String> =
        found.iter().map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join(" ")).collect();
    found.sort();
    assert_eq!(found, ["0 \\x00ff 4300 701-5000", "1 \\x00ff 700 1-700", "2 \\x 1 6000-6000"]);
    let (windows, residue) = residue(&cloud).await;
    assert!(windows >= 11 && residue == 0, "{windows} windows, {residue} pieces of none");
    nothing_tells_the_secret(&cloud).await;
}

/// The schedule calls so often, after which nothing more comes.
async fn come_to_rest(cloud: &Cloud, calls: u32) {
    for _ in 0..calls {
        cloud.schedule().fire(SystemTime::now()).await.unwrap();
        settle(cloud).await;
    }
    let units = cloud.units().await.unwrap();
    let open = units.iter().filter(|unit| !matches!(unit.state, UnitState::Loaded { .. } | UnitState::Replaced { .. }));
    assert_eq!(open.count(), 0, "units wait");
    let mut letters = cloud.dead_letters().await.unwrap();
    // A call by the clock that was killed is made again by the next one.
    letters.retain(|letter| !letter.attributes.contains_key("ErrorCode"));
    assert_eq!(letters, []);
}

/// What is missed, and what is there twice.
fn hold_against(source: &[Vec<Option<String>>], table: &[Vec<Option<String>>]) {
    let ids = |rows: &[Vec<Option<String>>]| rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let (wanted, found): (BTreeSet<_>, BTreeSet<_>) =
        (ids(source).into_iter().collect(), ids(table).into_iter().collect());
    let missed: Vec<_> = wanted.difference(&found).collect();
    let doubled = table.len() - found.len();
    let stale = source.iter().filter(|row| !table.contains(row)).count();
    assert_eq!((missed.len(), doubled, stale), (0, 0, 0), "missed {missed:?}");
    assert_eq!(source.len(), table.len());
}

/// How many windows have landed, and how many pieces lie there that no window has.
async fn residue(cloud: &Cloud) -> (u64, usize) {
    let pipeline = cloud.pipeline().name();
    let cursor: Cursor = parse(&cloud.staged(&name::cursor(pipeline)).await.unwrap()).unwrap();
    let pieces = cloud.names(prefix::LANDED.text, usize::MAX).await.unwrap();
    let is_residue = |piece: &&String| name::landed_window(piece).is_none_or(|window| cursor.is_residue(piece, window));
    (cursor.landed, pieces.iter().filter(is_residue).count())
}

/// How often a landing was handed on.
fn handed_on(cloud: &Cloud) -> usize {
    let log = cloud.extract().function.log();
    let landings = |line: &Value| line["message"] == "handed on" && line["landings"].as_u64().unwrap_or_default() > 0;
    log.iter().filter(|line| landings(&serde_json::from_str(&line.to_string()).unwrap_or_default())).count()
}

/// Neither the logs nor what is kept has the secret.
async fn nothing_tells_the_secret(cloud: &Cloud) {
    for stage in cloud.stages() {
        for line in stage.function.log() {
            assert!(!line.to_string().contains(SECRET), "{line}");
        }
    }
    for kept in cloud.names("", usize::MAX).await.unwrap() {
        let bytes = cloud.staged(&kept).await.unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "{kept} tells the secret");
    }
}

/// A server of changes, a page each so many milliseconds; one request in ten fails.
struct Server {
    address: String,
    changes: Arc<Mutex<Vec<Value>>>,
    logins: Arc<Mutex<Logins>>,
}

/// The tokens that a server has given, each for the refresh token of the one before it.
#[derive(Default)]
struct Logins {
    /// Whether an access token was used. The refresh token that it was got for is over then.
    used: Vec<bool>,
    /// By access token: the one before it.
    parents: Vec<usize>,
    /// Requests with a token that is over.
    lost: usize,
}

impl Logins {
    /// Whether a later token than this one, got for it, has been used.
    fn is_over(&self, at: usize) -> bool {
        let later = self.parents.iter().zip(&self.used).skip(1);
        later.clone().any(|(parent, used)| *parent == at && *used)
    }

    /// Gives the next tokens for the refresh token of a form.
    fn renew(&mut self, form: &str) -> (u16, Value) {
        let asked = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let at = asked("refresh_token").and_then(|token| token.strip_prefix("refresh-")?.parse::<usize>().ok());
        let Some(at) = at.filter(|at| *at <= self.used.len() && !self.is_over(*at)) else {
            self.lost += 1;
            return (400, json!({ "error": "invalid_grant" }));
        };
        if self.used.is_empty() {
            (self.used, self.parents) = (vec![true], vec![0]);
        }
        let next = self.used.len();
        self.used.push(false);
        self.parents.push(at);
        (
            200,
            json!({ "access_token": format!("access-{next}"), "refresh_token": format!("refresh-{next}"), "expires_in": 5 }),
        )
    }

    /// Whether an access token is good; it is used.
    fn takes(&mut self, token: &str) -> bool {
        let at = token.strip_prefix("access-").and_then(|at| at.parse::<usize>().ok());
        at.and_then(|at| self.used.get_mut(at)).map(|used| *used = true).is_some()
    }
}

/// Changes of a page.
const PAGE: usize = 20;

impl Server {
    fn start(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let changes = Arc::new(Mutex::new(Vec::new()));
        let logins = Arc::new(Mutex::new(Logins::default()));
        let (known, tokens, asked) = (Arc::clone(&changes), Arc::clone(&logins), AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let count = asked.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(pause);
                // Whoever asks may have been killed meanwhile.
                let (known, mut tokens) = (known.lock().unwrap(), tokens.lock().unwrap());
                let _ = stream.and_then(|mut stream| answer(&mut stream, &known, &mut tokens, count));
            }
        });
        Self { address, changes, logins }
    }

    /// Some more changes.
    fn changes(&self, from: usize, to: usize, day: u32) {
        let one = |id| json!({ "id": id, "v": id % 7, "at": format!("2026-03-{day:02}T{:02}:00:00Z", id % 24) });
        let mut all = self.changes.lock().unwrap();
        all.extend((from..to).map(one));
        all.sort_by_key(|change| change["at"].as_str().unwrap_or_default().to_owned());
    }

    /// What the table should have.
    fn cells(&self) -> Vec<Vec<Option<String>>> {
        let cells = |change: &Value| vec![Some(change["id"].to_string()), Some(change["v"].to_string())];
        let mut cells: Vec<_> = self.changes.lock().unwrap().iter().map(cells).collect();
        cells.sort();
        cells
    }
}

/// Answers one request, and closes.
fn answer(stream: &mut TcpStream, changes: &[Value], logins: &mut Logins, count: usize) -> std::io::Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !is_whole(&String::from_utf8_lossy(&request)) {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let query = request.split(' ').nth(1).and_then(|target| target.split_once('?')).map_or("", |(_, query)| query);
    let asked = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let proof = request
        .lines()
        .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("authorization")));
    let proof = proof.and_then(|(_, proof)| proof.strip_prefix("Bearer ")).unwrap_or_default();
    let is_known = proof == SECRET || logins.takes(proof);
    let (status, body) = match () {
        () if request.starts_with("POST /token ") => logins.renew(request.rsplit("\r\n").next().unwrap_or_default()),
        () if !is_known => (403, json!({ "error": "no such token" })),
        () if count % 10 == 9 => (500, json!({ "error": "one in ten" })),
        () => {
            let page: usize = asked("page").and_then(|page| page.parse().ok()).unwrap_or(1);
            let since = asked("since").unwrap_or_default().replace("%3A", ":");
            let new = changes.iter().filter(|change| change["at"].as_str().unwrap_or_default() >= since.as_str());
            let data: Vec<&Value> = new.skip((page - 1) * PAGE).take(PAGE).collect();
            (200, json!({ "data": data }))
        }
    };
    let body = body.to_string();
    let length = body.len();
    // Nobody has to wait long for a server that is only busy.
    let wait = if status == 500 { "retry-after: 0\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{wait}connection: close\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes())
}

/// Whether a request has come with its body.
fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    length.is_none_or(|(_, length)| length.trim().parse::<usize>().is_ok_and(|length| body.len() >= length))
}

const MANIFEST: &str = r#"
version: 6.0.0
type: DeclarativeSource
check: { type: CheckStream, stream_names: [changes] }
streams:
  - type: DeclarativeStream
    name: changes
    primary_key: [id]
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['url'] }}"
        path: "changes/{{ config['token'] }}"
        request_parameters: { key: "{{ config['token'] }}" }
        authenticator: { type: BearerAuthenticator, api_token: "{{ config['token'] }}" }
        error_handler:
          type: DefaultErrorHandler
          backoff_strategies: [ { type: ConstantBackoffStrategy, backoff_time_in_seconds: 0.01 } ]
      record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [data] } }
      paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        page_size_option: { type: RequestOption, inject_into: request_parameter, field_name: size }
        pagination_strategy: { type: PageIncrement, page_size: 20, start_from_page: 1, inject_on_first_request: true }
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: '%Y-%m-%dT%H:%M:%SZ'
      start_datetime: "2026-01-01T00:00:00Z"
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: since }
spec:
  type: Spec
  connection_specification:
    type: object
    required: [url, token]
    properties:
      url: { type: string }
      token: { type: string, airbyte_secret: true }
"#;

/// A server with some pages of changes, and how many there are.
fn server_of_pages() -> (Server, usize) {
    let server = Server::start(Duration::from_millis(90));
    let pages = orders::number("ETALON_PAGES", 120) as usize;
    server.changes(0, pages * PAGE, 1);
    (server, pages)
}

/// In the middle of a page.
const KILLED: Mishap = Mishap::Kill(Duration::from_millis(2500));

/// Lets extract walk a server from its beginning, with some mishaps, and holds the table against the server. Gives how often a call
/// handed on what it could not finish.
async fn walked(cloud: &Cloud, server: &Server, table: &str, rests: u32, mishaps: &[Mishap]) -> usize {
    mishaps.iter().for_each(|mishap| cloud.extract().function.inject(*mishap));
    cloud.send(cloud.extract(), &json!({ "run": "first" }).to_string()).await.unwrap();
    settle(cloud).await;
    come_to_rest(cloud, rests).await;
    hold_against(&server.cells(), &cells(cloud.database_url(), table, "id, v"));
    let handed_on = handed_on(cloud);
    assert!(handed_on > 0, "it was walked in one call");
    handed_on
}

pub(crate) async fn a_connector_goes_on_where_it_was(shared: &Shared) {
    let (server, pages) = server_of_pages();
    let pipeline = "
etalon: 1
pipeline: changes
source:
  connector:
    manifest: shop.yaml
    stream: changes
    config: { url: '${URL}', token: '${secret:token}' }
    private_addresses: allow
  fields: { id: bigint, v: integer, at: timestamptz }
columns: { id: required, v: required, at: required }
target: { table: analytics.changes, write: merge, key: id, order_by: at }
";
    let cloud = api(shared, "connector", pipeline, &server, Some(MANIFEST)).await;
    // Killed in the middle of a page, and called twice at once.
    let first = walked(&cloud, &server, "analytics.changes", 3, &[KILLED, Mishap::Duplicate]).await;
    // What is new since, by the schedule.
    server.changes(pages * PAGE, pages * PAGE + 30, 2);
    come_to_rest(&cloud, 3).await;
    hold_against(&server.cells(), &cells(cloud.database_url(), "analytics.changes", "id, v"));
    let (windows, residue) = residue(&cloud).await;
    assert_eq!(residue, 0);
    nothing_tells_the_secret(&cloud).await;
    // What has landed is read again, and nobody is asked.
    let before = rows(cloud.database_url(), "analytics.changes").len();
    server.changes.lock().unwrap().clear();
    assert!(cloud.event(&json!({ "reload": [] })).await.unwrap().result.is_ok());
    settle(&cloud).await;
    assert_eq!(rows(cloud.database_url(), "analytics.changes").len(), before);
    println!("{pages} pages in {windows} windows, handed on {first} times: missed 0, doubled 0, residue 0");
}

/// A server gives new tokens every five seconds, and the old ones are over once the new ones are used: functions that are killed, that run
/// twice at once and that go on for each other share what is kept of them.
pub(crate) async fn tokens_that_a_server_renews_outlive_the_functions(shared: &Shared) {
    let (server, pages) = server_of_pages();
    let pipeline = "
etalon: 1
pipeline: renewed
source:
  connector:
    manifest: shop.yaml
    stream: changes
    config: { url: '${URL}', token: '${secret:token}', refresh_token: '${secret:refresh}' }
    private_addresses: allow
  fields: { id: bigint, v: integer, at: timestamptz }
columns: { id: required, v: required, at: required }
target: { table: analytics.renewed, write: merge, key: id, order_by: at }
";
    let bearer = "{ type: BearerAuthenticator, api_token: \"{{ config['token'] }}\" }";
    let renewed = "{ type: OAuthAuthenticator, token_refresh_endpoint: \"{{ config['url'] }}/token\", client_id: us, client_secret: \"{{ config['token'] }}\", refresh_token: \"{{ config['refresh_token'] }}\", refresh_token_updater: { refresh_token_config_path: [refresh_token] } }";
    assert!(MANIFEST.contains(bearer));
    let manifest = MANIFEST.replace(bearer, renewed).replace("required: [url, token]", "required: [url, token, refresh_token]").replace(
        "      token: { type: string, airbyte_secret: true }",
        "      token: { type: string, airbyte_secret: true }\n      refresh_token: { type: string, airbyte_secret: true }",
    );
    let mut settings = Settings::new("renewed", pipeline, shared.programs.clone());
    settings.variables.insert("URL".to_owned(), server.address.clone());
    settings.secrets.insert("token".to_owned(), SECRET.to_owned());
    settings.secrets.insert("refresh".to_owned(), "refresh-0".to_owned());
    settings.manifest = Some(manifest);
    settings.sizes.extract.timeout_seconds = SECONDS;
    let cloud = shared.cloud_of(settings, 0).await;
    let handed_on = walked(&cloud, &server, "analytics.renewed", 2, &[KILLED, Mishap::Duplicate]).await;
    let (renewals, lost) = {
        let logins = server.logins.lock().unwrap();
        (logins.used.len().saturating_sub(1), logins.lost)
    };
    assert!(renewals > 1 && lost == 0, "{renewals} renewals, {lost} lost");
    nothing_tells_the_secret(&cloud).await;
    println!(
        "{pages} pages, handed on {handed_on} times, tokens renewed {renewals} times: lost 0, missed 0, doubled 0"
    );
}

pub(crate) async fn an_api_is_read_as_a_whole(shared: &Shared) {
    let (server, pages) = server_of_pages();
    let pipeline = "
etalon: 1
pipeline: whole
schedule: rate(1 hour)
source:
  http:
    url: ${URL}/changes
    auth: { bearer: '${secret:token}' }
    records: data
    paging: { page: { param: page, size: 20, size_param: size } }
  fields: { id: bigint, v: integer, at: timestamptz }
columns: { id: required, v: required, at: required }
target: { table: analytics.whole, write: replace }
";
    let cloud = api(shared, "whole", pipeline, &server, None).await;
    let handed_on = walked(&cloud, &server, "analytics.whole", 1, &[KILLED]).await;
    // One has gone, and some have come.
    server.changes.lock().unwrap().remove(3);
    server.changes(pages * PAGE, pages * PAGE + 30, 2);
    come_to_rest(&cloud, 1).await;
    hold_against(&server.cells(), &cells(cloud.database_url(), "analytics.whole", "id, v"));
    nothing_tells_the_secret(&cloud).await;
    println!("{pages} pages, handed on {handed_on} times: missed 0, doubled 0");
}

/// A cloud whose source is an API.
async fn api(shared: &Shared, name: &str, pipeline: &str, server: &Server, manifest: Option<&str>) -> Cloud {
    let mut settings = Settings::new(name, pipeline, shared.programs.clone());
    settings.variables.insert("URL".to_owned(), server.address.clone());
    settings.secrets.insert("token".to_owned(), SECRET.to_owned());
    settings.manifest = manifest.map(str::to_owned);
    settings.sizes.extract.timeout_seconds = SECONDS;
    shared.cloud_of(settings, 0).await
}
