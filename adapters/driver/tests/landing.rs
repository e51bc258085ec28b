//! A start of a pipeline whose source is no store: what has landed is planned, and the rest is handed on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says why")]

use std::cell::Cell;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Cursor, Document, HOPS_MAX, Start, TaskMessage, Window, Work, name, parse};
use etalon_core::source::Names;
use etalon_driver::deployed::Deployed;
use etalon_driver::extract::Extract;
use etalon_driver::land::{LandReport, Landed};
use etalon_driver::memory::{FixedClock, Kind, Memory, MemoryQueue};
use etalon_driver::ports::{Put, Queue, Quiet};
use etalon_driver::store::{document, put};
use pollster::block_on;

fn pipeline(write: &str) -> String {
    format!(
        "{{ etalon: 1, pipeline: p, source: {{ postgres: {{ url: 'postgres:///d', table: t, incremental: {{ cursor: id }} }}, \
         fields: {{ id: bigint }} }}, columns: {{ id: required }}, target: {{ table: t, write: {write} }} }}"
    )
}

struct World {
    deployed: Deployed,
    store: Memory,
    starts: MemoryQueue<FixedClock>,
    tasks: MemoryQueue<FixedClock>,
    landings: Cell<u32>,
}

impl World {
    fn new(text: String) -> Self {
        let (pipeline, _) = Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        Self {
            deployed: Deployed { pipeline, text, inputs: Names::beginning("") },
            store: Memory::default(),
            starts: MemoryQueue::new(Kind::Standard(1), FixedClock(0), 5),
            tasks: MemoryQueue::new(Kind::Standard(2), FixedClock(0), 5),
            landings: Cell::new(0),
        }
    }

    fn begin(&self, start: &Start, land: impl AsyncFnOnce() -> Result<LandReport, Error>) -> Result<(), Error> {
        let extract = Extract {
            deployed: &self.deployed,
            source: &Landed::of(&self.store, &self.deployed.pipeline),
            store: &self.store,
            tasks: &self.tasks,
            starts: &self.starts,
            loads: &MemoryQueue::new(Kind::Fifo, FixedClock(0), 5),
            clock: &FixedClock(0),
            witness: &Quiet,
            deadline: i64::MAX,
            replans: false,
        };
        block_on(extract.land_and_start(start, async || {
            self.landings.set(self.landings.get() + 1);
            land().await
        }))
    }

    /// Lands a window, and says whether there is more.
    async fn land(&self, is_cut_short: bool) -> Result<LandReport, Error> {
        let place = name::cursor("p");
        let found = document::<Cursor>(&self.store, &place).await?;
        let (mut cursor, version) =
            found.map_or_else(|| (Cursor::new("t"), None), |(cursor, version)| (cursor, Some(version)));
        let window = Window { name: format!("{:08}", cursor.next()), ..Window::default() };
        cursor.land(window.clone(), None);
        put(&self.store, &place, &cursor, version.as_deref().map_or(Put::IfAbsent, Put::IfVersion)).await?;
        Ok(LandReport { windows: vec![window], is_cut_short, ..LandReport::default() })
    }

    /// The starts that were sent on.
    fn handed_on(&self) -> Vec<Start> {
        received(&self.starts)
    }

    fn tasks(&self) -> usize {
        received::<TaskMessage>(&self.tasks).len()
    }
}

/// All messages of a queue, which may give some of them at a time.
fn received<D: Document>(queue: &MemoryQueue<FixedClock>) -> Vec<D> {
    let mut all = Vec::new();
    while !queue.is_empty() {
        for message in block_on(queue.receive(10, 0)).unwrap() {
            all.push(parse(message.body.as_bytes()).unwrap());
            block_on(queue.delete(&message)).unwrap();
        }
    }
    all
}

fn start(work: Work) -> Start {
    Start {
        pipeline: "p".to_owned(),
        run: "r".to_owned(),
        batch_time: 0,
        work,
        backfill: false,
        after: None,
        hop: 0,
        landings: 0,
    }
}

fn all() -> Start {
    start(Work::Prefix(String::new()))
}

#[test]
fn what_has_landed_is_planned_and_the_rest_is_handed_on() {
    let world = World::new(pipeline("append"));
    world.begin(&all(), async || world.land(true).await).unwrap();
    assert_eq!((world.handed_on(), world.tasks()), (vec![Start { landings: 1, ..all() }], 1));
    // What is left of a listing, and work with what has landed, asks nobody.
    for start in
        [Start { hop: 1, ..all() }, Start { after: Some("0".to_owned()), ..all() }, start(Work::Reload(Vec::new()))]
    {
        world.begin(&start, async || unreachable!("nothing lands")).unwrap();
    }
    assert_eq!(world.landings.get(), 1);
}

#[test]
fn a_whole_run_is_met_when_all_of_it_is_there() {
    let text = pipeline("replace").replace(", incremental: { cursor: id }", "");
    let world = World::new(text);
    world.begin(&all(), async || Ok(LandReport { is_cut_short: true, ..LandReport::default() })).unwrap();
    assert_eq!((world.handed_on().len(), world.tasks()), (1, 0));
    let failed = world.begin(&all(), async || Err(Error::new(ErrorKind::Unavailable, "no answer")));
    assert_eq!(failed.unwrap_err().to_string(), "no answer");
    world.begin(&Start { landings: 1, ..all() }, async || world.land(false).await).unwrap();
    // Such a run is listed to its end, leg by leg, before anything is planned; a leg asks nobody.
    let mut legs = world.handed_on();
    while let Some(leg) = legs.pop() {
        world.begin(&leg, async || unreachable!("nothing lands")).unwrap();
        legs.extend(world.handed_on());
    }
    assert_eq!(world.tasks(), 1);
}

#[test]
fn a_source_that_fails_keeps_nothing_back_that_has_landed() {
    let world = World::new(pipeline("append"));
    block_on(world.land(false)).unwrap();
    let failed = world.begin(&all(), async || Err(Error::new(ErrorKind::Refused, "no such token")));
    assert_eq!((failed.unwrap_err().to_string(), world.tasks()), ("no such token".to_owned(), 1));
}

#[test]
fn of_two_who_land_at_once_one_leaves_it_to_the_other() {
    let world = World::new(pipeline("append"));
    block_on(world.land(false)).unwrap();
    for kind in [ErrorKind::Changed, ErrorKind::AlreadyExists] {
        world.begin(&all(), async || Err(Error::new(kind, "another version is there"))).unwrap();
    }
    assert_eq!((world.handed_on(), world.tasks()), (Vec::new(), 1));
}

#[test]
fn a_landing_without_end_stops_where_somebody_looks() {
    let world = World::new(pipeline("append"));
    let start = Start { landings: HOPS_MAX, ..all() };
    assert!(world.begin(&start, async || world.land(true).await).is_err());
    assert_eq!(world.handed_on(), []);
}
