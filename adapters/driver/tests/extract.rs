//! The extract loop over a store in which something cannot be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says why")]

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Start, Unit, UnitState, Work, name, parse, print};
use etalon_core::source::Names;
use etalon_core::warehouse::LoadCounts;
use etalon_driver::deployed::Deployed;
use etalon_driver::extract::Extract;
use etalon_driver::memory::{FixedClock, Kind, Memory, MemoryQueue};
use etalon_driver::ports::{Objects, Put, Queue, Quiet};
use etalon_driver::store::{Handled, names};
use etalon_driver::transform::Transform;
use pollster::block_on;

const PIPELINE: &str = "
etalon: 1
pipeline: things
source: { files: '*.csv', format: csv, fields: { a: } }
columns: { a: varchar(9) }
target: { table: things, write: append }
";

/// A pipeline with what it needs, all of it in memory.
struct World {
    deployed: Deployed,
    source: Memory,
    store: Memory,
    starts: MemoryQueue<FixedClock>,
    tasks: MemoryQueue<FixedClock>,
    loads: MemoryQueue<FixedClock>,
}

impl World {
    fn new(names: &[&str]) -> Self {
        let (pipeline, _) = Pipeline::compile(PIPELINE).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
        let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
        let queue = |kind| MemoryQueue::new(kind, FixedClock(0), 5);
        let source = Memory::default();
        for name in names {
            block_on(source.put(name, format!("a\n{name}\n").as_bytes(), Put::Always)).unwrap();
        }
        Self {
            deployed: Deployed { pipeline, text: PIPELINE.to_owned(), inputs: Names::beginning(String::new()) },
            source,
            store: Memory::default(),
            starts: queue(Kind::Standard(1)),
            tasks: queue(Kind::Standard(2)),
            loads: queue(Kind::Fifo),
        }
    }

    /// A run that lists everything.
    fn run(&self, run: &str) -> Result<(), Error> {
        let extract = Extract {
            deployed: &self.deployed,
            source: &self.source,
            store: &self.store,
            tasks: &self.tasks,
            starts: &self.starts,
            loads: &self.loads,
            clock: &FixedClock(0),
            witness: &Quiet,
            deadline: i64::MAX,
            replans: false,
        };
        let (pipeline, work) = (self.deployed.pipeline.name().to_owned(), Work::Prefix(String::new()));
        let (run, batch_time) = (run.to_owned(), 0);
        block_on(extract.start(&Start { pipeline, run, batch_time, work, backfill: false, after: None, hop: 0 }))
    }

    /// All tasks that wait, and what became of those that could not be done.
    fn transform(&self) -> Vec<Error> {
        let transform = Transform {
            deployed: &self.deployed,
            source: &self.source,
            store: &self.store,
            loads: &self.loads,
            witness: &Quiet,
            progress: &Quiet,
        };
        let mut wrong = Vec::new();
        while !self.tasks.is_empty() {
            for message in block_on(self.tasks.receive(10, 0)).unwrap() {
                match block_on(transform.handle(&message)) {
                    Handled::Done => {}
                    Handled::Again(error) | Handled::Dead(error) => wrong.push(error),
                }
                block_on(self.tasks.delete(&message)).unwrap();
            }
        }
        wrong
    }

    fn there(&self, prefix: &str) -> Vec<String> {
        block_on(names(&self.store, prefix)).unwrap()
    }

    /// All units are loaded.
    fn load(&self) {
        for place in self.there("units/") {
            let unit: Unit = parse(&block_on(self.store.get(&place)).unwrap()).unwrap();
            let unit = Unit { state: UnitState::Loaded { counts: LoadCounts::default() }, ..unit };
            block_on(self.store.put(&place, print(&unit).as_bytes(), Put::Always)).unwrap();
        }
    }

    /// How many units wait for their load.
    fn pending(&self) -> usize {
        let units = self.there("units/").into_iter().map(|place| block_on(self.store.get(&place)).unwrap());
        units.filter(|unit| parse::<Unit>(unit).unwrap().is_pending()).count()
    }
}

#[test]
fn a_plan_that_cannot_be_read_is_made_anew_by_the_next_run() {
    let world = World::new(&["a.csv", "b.csv"]);
    world.run("first").unwrap();
    let plan = world.there("plans/").into_iter().next().unwrap();
    block_on(world.store.put(&plan, b"no JSON", Put::Always)).unwrap();
    let wrong = world.transform();
    assert!(!wrong.is_empty() && wrong.iter().all(|error| error.to_string().starts_with(&plan)), "{wrong:?}");
    assert_eq!(world.pending(), 1);
    // Its object has its mark; that it has no plan is seen all the same.
    world.run("second").unwrap();
    assert_eq!(world.transform(), []);
    assert_eq!(world.pending(), 2);
    world.run("third").unwrap();
    assert!(world.tasks.is_empty());
    // The mark by which it was seen goes when everything is decided.
    world.load();
    world.run("fourth").unwrap();
    assert_eq!(world.there(&name::held("things", "")), [""; 0]);
    assert!(world.tasks.is_empty());
}

#[test]
fn a_record_that_cannot_be_read_keeps_no_other_object_back() {
    let world = World::new(&["a.csv", "b.csv", "c.csv"]);
    let record = name::source(world.deployed.pipeline.name(), "b.csv");
    block_on(world.store.put(&record, b"no JSON", Put::Always)).unwrap();
    let error = world.run("first").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().starts_with(&record), "{error}");
    assert_eq!(world.transform(), []);
    assert_eq!(world.pending(), 2);
}
