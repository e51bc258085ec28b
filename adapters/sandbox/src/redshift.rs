//! Redshift: its Data API over a PostgreSQL, for tests and demonstrations on one machine.
//!
//! A client sees what AWS shows: the wire format, the statuses, the limits, the tokens, the batches. Behind it a PostgreSQL
//! runs a small common core of SQL, after the linter of `etalon_core` has checked that Redshift would accept it. This crate
//! carries out COPY, from S3. `docs/design.md` says what is exact and what is not.
//!
//! ```text
//! wire -> operations -> statements (ids, tokens, limits) -> run (a thread and a connection each) -> session
//!      session: lint -> parameters -> translate -> PostgreSQL, or copy
//! ```

mod config;
mod wire;
mod refusal;
mod request;
mod operations;
mod answer;
mod results;
mod statements;
mod behaviour;
mod throttle;
mod clock;
mod world;
mod run;
mod session;
mod locks;
mod failure;
mod words;
mod reader;
mod parameters;
mod translate;
mod copy;
mod shims;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use tokio::sync::oneshot;

use crate::postgres::connect;
pub use behaviour::Behaviour;
pub use config::{Config, Events, Log};
use world::World;

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
