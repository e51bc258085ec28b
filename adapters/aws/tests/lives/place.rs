//! Place: where a life is lived: in one process over memory, or by the loops of the three functions over S3.

use std::collections::BTreeMap;
use std::fmt::Debug;

use etalon_aws::client::Clients;
use etalon_aws::objects::S3Objects;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Resolved};
use etalon_core::protocol::{LoadLimits, Start, Work, name, print};
use etalon_core::source::Names;
use etalon_core::warehouse::Statement;
use etalon_driver::connection::Connection;
use etalon_driver::deployed::Deployed;
use etalon_driver::embedded::Embedded;
use etalon_driver::extract::{Extract, objects};
use etalon_driver::held;
use etalon_driver::load::Loader;
use etalon_driver::memory::{Kind, ManualClock, Memory, MemoryQueue};
use etalon_driver::ports::{Clock, Entry, Events, Message, Objects, Put, Queue, Quiet};
use etalon_driver::report::RunState;
use etalon_driver::run::{self, RunOptions};
use etalon_driver::store::Handled;
use etalon_driver::transform::Transform;
use etalon_postgres::Postgres;
use etalon_sandbox::postgres::Server;
use etalon_sqlite::Sqlite;

const MINUTE: i64 = 60_000_000;
/// Turns of the functions' loops after which they do not come to rest.
const TURNS_MAX: usize = 2_000;

/// Where a life is lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In one process, into SQLite.
    Sqlite,
    /// In one process, into PostgreSQL.
    Postgres,
    /// By the functions over S3, into PostgreSQL.
    S3,
}

impl Place {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::S3 => "s3",
        }
    }
}

/// What is there.
pub(crate) struct World {
    place: Place,
    /// The bucket, where the place is S3.
    bucket: String,
    files: BTreeMap<String, Vec<u8>>,
    /// What Etalon keeps, for each folder of pipeline files.
    stores: BTreeMap<String, Memory>,
    warehouse: Box<dyn Connection>,
    clock: ManualClock,
}

/// Nobody is told of loads.
struct Nobody;

impl Events for Nobody {
    async fn loaded(&self, _: &etalon_core::protocol::LoadEvent) -> Result<(), Error> {
        Ok(())
    }
}

impl World {
    pub(crate) async fn new(place: Place, title: &str, server: &Server) -> Self {
        let warehouse: Box<dyn Connection> = match place {
            Place::Sqlite => Box::new(Sqlite::open_in_memory().unwrap()),
            Place::Postgres | Place::S3 => Box::new(Postgres::open(&server.database(title).unwrap()).unwrap()),
        };
        if place == Place::S3 {
            Clients::from_env().await.s3().create_bucket().bucket(title).send().await.unwrap();
        }
        let (bucket, clock) = (title.to_owned(), ManualClock::new(60 * MINUTE));
        Self { place, bucket, files: BTreeMap::new(), stores: BTreeMap::new(), warehouse, clock }
    }

    /// What lies in a folder of the bucket.
    async fn below(&self, prefix: String) -> S3Objects {
        S3Objects::new(Clients::from_env().await.s3(), &*self.bucket, prefix)
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) async fn put(&mut self, name: &str, bytes: &[u8]) {
        if self.place == Place::S3 {
            self.below("source/".to_owned()).await.put(name, bytes, Put::Always).await.unwrap();
        }
        self.files.insert(name.to_owned(), bytes.to_vec());
    }

    pub(crate) async fn remove(&mut self, name: &str) {
        if self.place == Place::S3 {
            self.below("source/".to_owned()).await.delete(name).await.unwrap();
        }
        self.files.remove(name);
    }

    /// The bytes of a file.
    pub(crate) fn file(&self, name: &str) -> Vec<u8> {
        self.files[name].clone()
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        self.files.keys().cloned().collect()
    }

    pub(crate) fn sql(&mut self, sql: &str) -> Result<(), String> {
        let statement = Statement { sql: sql.to_owned(), parameters: Vec::new(), what: "by hand" };
        self.warehouse.run(&statement).map(drop).map_err(|failure| failure.error("by hand").to_string())
    }

    pub(crate) fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, String> {
        self.warehouse.query(sql).map(|answer| answer.rows).map_err(|error| error.to_string())
    }

    /// Does the work of a pipeline file: how it ended, as the command's exit code says it, and what is wrong or held.
    pub(crate) async fn call(&mut self, file: &str, work: Work) -> (i32, String) {
        self.clock.advance(60 * MINUTE);
        let text = &String::from_utf8(self.file(file)).unwrap();
        let folder = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let pipeline = match Pipeline::compile(text) {
            Ok((pipeline, _)) => pipeline,
            Err(wrong) => return (2, format!("{wrong:?}")),
        };
        let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        let inputs = pipeline.location().resolve::<Error>(|asked| unreachable!("{asked}")).unwrap().names().unwrap();
        let ended = if self.place == Place::S3 {
            let source = self.below(format!("source/{folder}")).await;
            let store = self.below(format!("store/{folder}")).await;
            let deployed = Deployed { pipeline, text: text.to_owned(), inputs };
            by_functions(&deployed, work, (&source, &store), &mut self.warehouse, &self.clock).await
        } else {
            let source = Memory::default();
            let below = self.files.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(&folder)?, bytes)));
            for (name, bytes) in below {
                source.put(name, bytes, Put::Always).await.unwrap();
            }
            let store = &*self.stores.entry(folder).or_default();
            let (source, warehouse, clock) = (&source, &mut self.warehouse, &self.clock);
            let world = run::World { source, store, warehouse, clock, progress: &Quiet };
            in_one_process(&pipeline, text, work, &inputs, world).await
        };
        match ended {
            Ok(held) if held.is_empty() => (0, String::new()),
            Ok(held) => (1, held.join("; ")),
            Err(error) => (3, error.to_string()),
        }
    }
}

/// What is held after a run on one machine.
async fn in_one_process(
    pipeline: &Resolved,
    text: &str,
    work: Work,
    inputs: &Names,
    world: run::World<'_, Memory, Memory, Box<dyn Connection>, ManualClock, Quiet>,
) -> Result<Vec<String>, Error> {
    let found = match work {
        Work::Prefix(_) | Work::Reload(_) => objects(world.source, inputs).await?,
        _ => Vec::new(),
    };
    if found.is_empty() && matches!(work, Work::Prefix(_) | Work::Reload(_)) {
        return Err(Error::new(ErrorKind::NotFound, "no file matches"));
    }
    let report = run::run(pipeline, text, work, &found, world, &RunOptions::default()).await?;
    let held: Vec<String> = report.held.into_iter().flat_map(|held| held.reasons).collect();
    assert!(!matches!(report.state, RunState::Held(_)) || !held.is_empty());
    Ok(held)
}

/// What is held when the functions have come to rest; the error is why a message is among the dead letters.
async fn by_functions<S: Objects + Debug, T: Objects + Debug>(
    deployed: &Deployed,
    work: Work,
    (source, store): (&S, &T),
    warehouse: &mut Box<dyn Connection>,
    clock: &ManualClock,
) -> Result<Vec<String>, Error> {
    let starts = MemoryQueue::new(Kind::Standard(1), clock, 5);
    let tasks = MemoryQueue::new(Kind::Standard(2), clock, 5);
    let loads = MemoryQueue::new(Kind::Fifo, clock, 5);
    let embedded = Embedded::new(deployed, store, warehouse, clock);
    let deadline = i64::MAX;
    let extract = Extract {
        deployed,
        source,
        store,
        tasks: &tasks,
        starts: &starts,
        loads: &loads,
        clock,
        witness: &Quiet,
        deadline,
        replans: false,
    };
    let transform = Transform { deployed, source, store, loads: &loads, witness: &Quiet, progress: &Quiet };
    let limits = LoadLimits::default();
    let (events, witness) = (&Nobody, &Quiet);
    let loader = Loader {
        deployed,
        store,
        warehouse: &embedded,
        events,
        clock,
        witness,
        limits,
        accepts_doubles: false,
        deadline,
    };
    let now = clock.now();
    let start = Start {
        pipeline: deployed.pipeline.name().to_owned(),
        run: format!("at {now}"),
        batch_time: now,
        work,
        backfill: false,
        after: None,
        hop: 0,
        landings: 0,
    };
    starts.send(&[Entry { body: print(&start), order: None }]).await?;
    let queues = [&starts, &tasks, &loads];
    for _ in 0..TURNS_MAX {
        if queues.iter().all(|queue| queue.is_empty()) {
            // As the schedule does, somebody looks at what waits.
            loader.sweep().await?;
            let dead = queues.iter().find_map(|queue| queue.dead().into_iter().next());
            if let Some((body, reason)) = dead {
                let reason = reason.unwrap_or_else(|| format!("{body} came too often"));
                return Err(Error::new(ErrorKind::Refused, reason));
            }
            let table = name::table(deployed.pipeline.table());
            let pending = store.list(&name::pending(&table, ""), None, 1).await?;
            if !pending.is_empty() {
                return Err(Error::new(ErrorKind::Refused, "what was staged waits for its load"));
            }
            let held = held::held(store, &table).await?;
            let own = held.iter().filter(|unit| held::is_of(&deployed.pipeline, unit));
            return Ok(own.map(held::title).collect());
        }
        serve(&starts, async |message| extract.handle(message).await).await?;
        serve(&tasks, async |message| transform.handle(message).await).await?;
        serve(&loads, async |message| loader.handle(message).await).await?;
        clock.advance(MINUTE);
    }
    Err(Error::new(ErrorKind::Refused, "the functions do not come to rest"))
}

async fn serve<Q: Queue>(queue: &Q, handle: impl AsyncFn(&Message) -> Handled) -> Result<(), Error> {
    for message in queue.receive(10, MINUTE).await? {
        handle(&message).await.settle(queue, &message).await?;
    }
    Ok(())
}
