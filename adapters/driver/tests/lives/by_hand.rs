//! By hand: the functions see what somebody has changed in the warehouse, and what is there already, as the command does.

use etalon_core::error::Error;
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Load, Start, Unit, UnitState, Work, name};
use etalon_core::source::Names;
use etalon_core::warehouse::Statement;
use etalon_driver::connection::Connection;
use etalon_driver::deployed::Deployed;
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Put};
use etalon_driver::{held, store};
use etalon_sqlite::Sqlite;
use pollster::block_on;

use crate::faults::Faults;
use crate::functions::Cloud;
use crate::life::packed;

const HOUR: i64 = 3_600_000_000;

/// A bucket, a warehouse, and the functions of whichever pipeline is called.
struct World {
    source: Memory,
    store: Memory,
    warehouse: Box<dyn Connection>,
    clock: ManualClock,
}

/// A pipeline of a name, with a way of writing.
fn pipeline(name: &str, write: &str) -> Deployed {
    let text = format!(
        "etalon: 1\npipeline: {name}\nsource: {{ s3: s3://bucket/in/, format: csv, fields: {{ id: integer }} }}\n\
         columns: {{ id: {{ required: true }} }}\ntarget: {{ table: things, write: {write} }}\n"
    );
    let (pipeline, _) = Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}\n{text}"));
    let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
    Deployed { pipeline, text, inputs: Names::beginning("in/".to_owned()) }
}

impl World {
    fn new() -> Self {
        let warehouse = Box::new(Sqlite::open_in_memory().unwrap());
        Self { source: Memory::default(), store: Memory::default(), warehouse, clock: ManualClock::new(HOUR) }
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        block_on(self.source.put(name, bytes, Put::Always)).unwrap();
    }

    /// Calls a pipeline, and lets its functions work until they rest. The words are why they do not.
    fn call(&mut self, deployed: &Deployed, work: Work) -> Result<(), String> {
        self.clock.advance(HOUR);
        let start = Start {
            pipeline: deployed.pipeline.name().to_owned(),
            run: format!("at {}", self.clock.now()),
            batch_time: self.clock.now(),
            work,
            backfill: false,
            after: None,
            hop: 0,
            landings: 0,
        };
        let cloud = Cloud {
            deployed,
            source: &self.source,
            store: &self.store,
            clock: &self.clock,
            seed: 1,
            faults: 0,
            accepts_doubles: false,
            turns_max: 3_000,
        };
        let ended = cloud.call(&mut self.warehouse, &start, &Faults::default());
        let current = name::current(&name::table(deployed.pipeline.table()));
        let load = block_on(store::document::<Load>(&self.store, &current)).unwrap();
        match (ended, load) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some((load, _))) => Err(load.words),
            (Err(error), None) => Err(error.to_string()),
        }
    }

    fn run(&mut self, deployed: &Deployed) -> Result<(), String> {
        self.call(deployed, Work::Prefix(String::new()))
    }

    /// Somebody changes the warehouse.
    fn sql(&mut self, sql: &str) {
        let statement = Statement { sql: sql.to_owned(), parameters: Vec::new(), what: "by hand" };
        self.warehouse.run(&statement).map_err(|failure| failure.error("by hand")).unwrap();
    }

    fn ids(&mut self) -> Vec<String> {
        let answer = self.warehouse.query("select id from things order by id").unwrap();
        answer.rows.into_iter().flatten().flatten().collect()
    }

    /// Why something is held.
    fn held(&self) -> String {
        let held = block_on(held::held(&self.store, "things")).unwrap();
        let reasons = |unit: Unit| match unit.state {
            UnitState::Held { reasons, .. } => reasons,
            _ => Vec::new(),
        };
        held.into_iter().flat_map(reasons).collect::<Vec<_>>().join("\n")
    }
}

fn says(said: &str, words: &str) {
    assert!(said.contains(words), "{said:?} does not say {words:?}");
}

#[test]
fn the_functions_hold_what_is_in_the_table_already() {
    let world = &mut World::new();
    let things = pipeline("things", "append");
    world.put("in/a.csv", b"id\n1\n");
    world.run(&things).unwrap();
    world.put("in/b.csv", b"id\n1\n");
    world.run(&things).unwrap();
    says(&world.held(), "in/b.csv has the contents of in/a.csv, which is loaded");
    assert_eq!(world.ids(), ["1"]);
    world.call(&things, Work::Discard(Vec::new())).unwrap();
    // The store tells a version by a digest of the stored bytes; what was read of the first tells that this is a copy of it.
    world.put("in/b.csv", &packed(b"id\n1\n"));
    world.run(&things).unwrap();
    says(&world.held(), "in/b.csv has the contents of in/a.csv, which is loaded");
    assert_eq!(world.ids(), ["1"]);
    world.call(&things, Work::Discard(Vec::new())).unwrap();

    // Another name is another pipeline, and most likely it is this one, which was renamed.
    let renamed = pipeline("renamed", "append");
    block_on(world.source.delete("in/b.csv")).unwrap();
    world.run(&renamed).unwrap();
    says(&world.held(), "pipeline `things` has loaded in/a.csv as it is");
    assert_eq!(world.ids(), ["1"]);
    world.call(&renamed, Work::Release(Vec::new())).unwrap();
    assert_eq!(world.ids(), ["1", "1"]);
    // Somebody wants the rows of both.
    world.put("in/c.csv", b"id\n2\n");
    world.run(&things).unwrap();
    world.run(&renamed).unwrap();
    assert_eq!((world.held(), world.ids()), (String::new(), ["1", "1", "2", "2"].map(str::to_owned).to_vec()));
}

#[test]
fn the_functions_bring_nothing_again_of_which_the_ledger_does_not_tell() {
    let world = &mut World::new();
    let things = pipeline("things", "append");
    world.put("in/a.csv", b"id\n1\n");
    world.put("in/b.csv", b"id\n2\n");
    world.run(&things).unwrap();
    world.sql("delete from _etalon_ledger where source = 'in/a.csv'");
    let said = world.call(&things, Work::Reload(Vec::new())).unwrap_err();
    says(&said, "table `things` has rows of in/a.csv, and the ledger knows no load of them");
    assert_eq!(world.ids(), ["1", "2"]);
    world.sql("delete from things where id = 1");
    world.run(&things).unwrap();
    assert_eq!(world.ids(), ["1", "2"]);
}

#[test]
fn the_functions_see_a_table_that_was_emptied_or_dropped() {
    for (gone, state) in [("delete from things", "empty"), ("drop table things", "gone")] {
        let world = &mut World::new();
        let things = pipeline("things", "append");
        world.put("in/a.csv", b"id\n1\n");
        world.run(&things).unwrap();
        world.sql(gone);
        world.put("in/b.csv", b"id\n2\n");
        let said = world.run(&things).unwrap_err();
        says(&said, &format!("table `things` is {state}, and the ledger has rows of it"));
        world.sql("delete from _etalon_ledger where target = 'things'");
        world.call(&things, Work::Reload(Vec::new())).unwrap();
        assert_eq!(world.ids(), ["1", "2"]);
    }
}

#[test]
fn the_functions_do_not_add_to_rows_of_which_no_ledger_tells() {
    let world = &mut World::new();
    let things = pipeline("things", "append");
    world.put("in/a.csv", b"id\n1\n");
    world.run(&things).unwrap();
    world.sql("delete from _etalon_ledger");
    world.put("in/b.csv", b"id\n2\n");
    says(&world.run(&things).unwrap_err(), "table `things` has rows, and the ledger knows no load of it");
    assert_eq!(world.ids(), ["1"]);
}

#[test]
fn a_first_run_of_the_functions_takes_the_place_of_what_was_appended() {
    let world = &mut World::new();
    let (appends, replaces) = (pipeline("things", "append"), pipeline("things", "replace"));
    world.put("in/a.csv", b"id\n1\n");
    world.run(&appends).unwrap();
    world.put("in/b.csv", b"id\n2\n");
    world.run(&appends).unwrap();
    block_on(world.source.delete("in/a.csv")).unwrap();
    world.run(&replaces).unwrap();
    assert_eq!(world.ids(), ["2"]);
    world.run(&replaces).unwrap();
    assert_eq!(world.ids(), ["2"]);
}
