//! Redshift: its Data API over a PostgreSQL, for tests and demonstrations on one machine.
//!
//! What a client sees is AWS's: the wire, the statuses, the limits, the tokens, what a batch is. What stands behind it is a
//! PostgreSQL that runs a small common core of SQL, after the linter of `etalon_core` has said that Redshift would take it;
//! COPY is carried out here, from S3. What is exact and what is not stands in `docs/design.md`.
//!
//! ```text
//! wire -> operations -> statements (ids, tokens, limits) -> run (a thread and a connection each) -> session
//!      session: lint -> parameters -> translate -> PostgreSQL, or copy
//! ```

mod answer;
mod behaviour;
mod clock;
mod copy;
mod operations;
mod parameters;
mod reader;
mod refusal;
mod request;
mod results;
mod run;
mod session;
mod shims;
mod statements;
mod throttle;
mod translate;
mod wire;
mod words;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use serde_json::Value;
use tokio::sync::oneshot;

use crate::postgres::connect;
pub use behaviour::Behaviour;
use world::World;

/// Takes the event that a statement has ended.
pub type Events = Arc<dyn Fn(Value) + Send + Sync>;
/// Takes a line of the log of requests.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What a sandbox's Redshift is made of.
#[derive(Clone)]
pub struct Config {
    /// The URL of the PostgreSQL database behind it.
    pub postgres: String,
    /// Where S3 is, `http://127.0.0.1:…`; without it COPY fails.
    pub s3: Option<String>,
    /// The name of the database, as requests say it.
    pub database: String,
    /// The region and the account that events name.
    pub region: String,
    /// See `region`.
    pub account: String,
    /// Statements that run at a time; more of them wait.
    pub connections: usize,
    /// Rows of a page of a result.
    pub page_rows: usize,
    /// Whether so many requests a second are refused as AWS refuses them.
    pub throttles: bool,
    /// Who hears of statements that end and were submitted with `WithEvent`.
    pub events: Option<Events>,
    /// Who gets a line for each request: its id, its operation, its status.
    pub log: Option<Log>,
    /// Whether the log has the bodies of requests too: their SQL, and the values in it.
    pub logs_sql: bool,
}

impl Config {
    /// A Redshift over a PostgreSQL database, with S3 at an endpoint.
    pub fn new(postgres: impl Into<String>, s3: Option<String>) -> Self {
        Self {
            postgres: postgres.into(),
            s3,
            database: "dev".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            connections: 8,
            page_rows: 1000,
            throttles: false,
            events: None,
            log: None,
            logs_sql: false,
        }
    }

    fn log(&self, line: &str) {
        if let Some(log) = &self.log {
            log(line.trim_end());
        }
    }

    fn log_sql(&self, operation: &str, body: &[u8]) {
        if self.logs_sql {
            self.log(&format!("{operation} {}", String::from_utf8_lossy(body)));
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Config").field("s3", &self.s3).field("database", &self.database).finish_non_exhaustive()
    }
}

/// What has happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests, by operation.
    pub requests: BTreeMap<String, u64>,
    /// Rows that COPY has brought, also those of transactions that were rolled back.
    pub rows_copied: u64,
}

/// A Redshift Data API on a port of this machine; it ends with its value.
#[derive(Debug)]
pub struct DataApi {
    address: SocketAddr,
    world: Arc<World>,
    end: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl DataApi {
    /// Prepares the database and begins to listen.
    pub fn start(config: Config) -> Result<Self, Error> {
        let unavailable = |fact: String| Error::new(ErrorKind::Unavailable, fact);
        shims::create(&mut connect(&config.postgres)?)
            .map_err(|trouble| unavailable(format!("the database is not prepared: {trouble:?}")))?;
        let world = Arc::new(World::new(config));
        let (end, ended) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
        let started = listener.and_then(|listener| {
            let address = listener.local_addr()?;
            listener.set_nonblocking(true)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let served = Arc::clone(&world);
            let server = std::thread::Builder::new().name("redshift-data".to_owned()).spawn(move || {
                runtime.block_on(async {
                    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                    tokio::select! {
                        _ = wire::serve(listener, served) => {}
                        _ = ended => {}
                    }
                });
            })?;
            Ok::<_, io::Error>((address, server))
        });
        let (address, server) = started.map_err(|error| unavailable(format!("nothing listens: {error}")))?;
        Ok(Self { address, world, end: Some(end), server: Some(server) })
    }

    /// The endpoint, `http://127.0.0.1:…`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Wants something to happen to certain statements. The first behaviour that finds a request counts.
    pub fn script(&self, behaviour: Behaviour) -> Result<(), Error> {
        let added = self.world.state().behaviours.add(behaviour);
        added.map_err(|error| Error::new(ErrorKind::Refused, error.to_string()))
    }

    /// Takes all behaviours away.
    pub fn forget_script(&self) {
        self.world.state().behaviours.clear();
    }

    /// Moves the clock of tokens, retention, delays and throttling forward.
    pub fn advance(&self, by: Duration) {
        self.world.clock.advance(by);
        self.world.tell();
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        let requests = self.world.state().requests.clone();
        Counters { requests, rows_copied: self.world.rows_copied.load(Ordering::SeqCst) }
    }
}

impl Drop for DataApi {
    fn drop(&mut self) {
        let running: Vec<i64> = {
            let mut state = self.world.state();
            state.is_closing = true;
            state.statements.active().map(|statement| statement.process).filter(|process| *process != 0).collect()
        };
        self.world.tell();
        for process in running {
            run::interrupt(&self.world, process);
        }
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}
