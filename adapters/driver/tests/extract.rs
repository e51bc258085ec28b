//! The extract loop over a store in which something cannot be read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says why")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;
use etalon_core::protocol::{Start, Unit, UnitState, Work, name, parse, print};
use etalon_core::source::Names;
use etalon_core::warehouse::LoadCounts;
use etalon_driver::deployed::Deployed;
use etalon_driver::extract::Extract;
use etalon_driver::memory::{FixedClock, Kind, Memory, MemoryQueue};
use etalon_driver::ports::{Look, Objects, Put, Queue, Quiet};
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

/// Objects that a listing tells by the number of their last put, and that a look tells by their bytes where it is asked to.
#[derive(Default)]
struct Numbered {
    inner: Memory,
    puts: Mutex<BTreeMap<String, u32>>,
    looks: AtomicUsize,
    tells_bytes: AtomicBool,
}

impl Numbered {
    fn numbered(&self, object: Object) -> Object {
        let version = self.puts.lock().unwrap()[&object.name].to_string();
        Object { version, ..object }
    }

    fn write(&self, name: &str, text: &str) {
        block_on(self.put(name, text.as_bytes(), Put::Always)).unwrap();
    }

    /// How often an object was looked at since this was asked.
    fn looks(&self) -> usize {
        self.looks.swap(0, Ordering::Relaxed)
    }
}

impl Objects for Numbered {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        Ok(self.numbered(self.inner.head(name).await?))
    }
    async fn look(&self, name: &str) -> Result<Look, Error> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let (object, listed) = (self.inner.head(name).await?, self.head(name).await?);
        let object = if self.tells_bytes.load(Ordering::Relaxed) { object } else { listed.clone() };
        Ok(Look { object, listed: listed.version })
    }
    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        if !self.look(&object.name).await?.is_of(&object.version) {
            return Err(Error::new(ErrorKind::Changed, "another version is there"));
        }
        let now = self.inner.head(&object.name).await?;
        self.inner.read(&now, range).await
    }
    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.inner.fetch(name).await
    }
    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        *self.puts.lock().unwrap().entry(name.to_owned()).or_default() += 1;
        self.inner.put(name, bytes, condition).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.inner.list(prefix, after, most).await
    }
    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.inner.delete(name).await
    }
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        self.inner.delete_version(name, version).await
    }
    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        let objects = self.inner.objects(prefix, after, most).await?;
        Ok(objects.into_iter().map(|object| self.numbered(object)).collect())
    }
}

/// A pipeline with what it needs, all of it in memory.
struct World {
    deployed: Deployed,
    source: Numbered,
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
        let source = Numbered::default();
        for name in names {
            source.write(name, &format!("a\n{name}\n"));
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
        block_on(extract.start(&Start {
            pipeline,
            run,
            batch_time,
            work,
            backfill: false,
            after: None,
            hop: 0,
            landings: 0,
        }))
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

/// Who holds a unit takes its mark among the pending away last; until then somebody else may have judged it again.
#[test]
fn a_unit_that_was_held_is_found_although_its_mark_is_taken_away() {
    let world = World::new(&["a.csv"]);
    world.run("first").unwrap();
    assert_eq!(world.transform(), []);
    let pending = world.there(&name::pending("things", ""));
    let [mark] = pending.as_slice() else { panic!("{pending:?}") };
    let held = mark.replace(&name::pending("things", ""), &name::held("things", ""));
    block_on(world.store.put(&held, b"", Put::Always)).unwrap();
    block_on(world.store.delete(mark)).unwrap();
    world.run("second").unwrap();
    assert_eq!(world.there(&name::pending("things", "")), pending);
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

#[test]
fn the_same_bytes_put_again_are_nothing_new() {
    let world = World::new(&["a.csv", "b.csv"]);
    world.source.tells_bytes.store(true, Ordering::Relaxed);
    world.run("first").unwrap();
    assert_eq!(world.source.looks(), 2);
    // A task reads on what is put again before it begins.
    world.source.write("a.csv", "a\na.csv\n");
    assert_eq!(world.transform(), []);
    assert_eq!((world.pending(), world.there("held/").len()), (2, 0));
    world.source.looks();
    world.run("second").unwrap();
    assert!(world.tasks.is_empty());
    assert_eq!(world.source.looks(), 1, "the object that has changed");
    // From now on, a listing knows it.
    world.run("third").unwrap();
    assert_eq!(world.source.looks(), 0);
    assert_eq!(world.there("met/").len(), 2);
    // Other bytes are another version.
    world.source.write("a.csv", "a\nother\n");
    world.run("fourth").unwrap();
    assert!(!world.tasks.is_empty());
}

#[test]
fn what_an_older_etalon_has_met_by_its_listed_version_is_not_met_again() {
    let world = World::new(&["a.csv"]);
    world.run("older").unwrap();
    world.source.tells_bytes.store(true, Ordering::Relaxed);
    // Its tasks are read by the version that was planned.
    assert_eq!(world.transform(), []);
    assert_eq!((world.pending(), world.there("held/").len()), (1, 0));
    world.source.looks();
    world.run("newer").unwrap();
    assert_eq!(world.source.looks(), 0, "its mark is good");
    // An event that comes late finds nothing new either.
    let prefix = name::met(world.deployed.pipeline.name(), None);
    for mark in world.there(&prefix) {
        block_on(world.store.delete(&mark)).unwrap();
    }
    world.run("late").unwrap();
    assert!(world.tasks.is_empty());
    assert_eq!(world.there("plans/").len(), 1);
}
