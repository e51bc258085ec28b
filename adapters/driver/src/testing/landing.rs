//! Landing: what tests of landing from a real database share: chance, a clock, a connection that is disturbed, and what has
//! landed in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use etalon_core::error::Error;
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Cursor, name};
use etalon_core::source::Answer;
use pollster::block_on;

use crate::land::{Asked, Land, Landed};
use crate::memory::Memory;
use crate::ports::{Brought, Clock, Database, Objects};
use crate::store::document;

/// Chance that is the same for the same seed.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// A number below an end.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// Whether one of so many cases has come.
    pub fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }
}

/// A clock that goes on by one with each look.
#[derive(Debug, Default)]
pub struct Ticks(AtomicI64);

impl Clock for Ticks {
    fn now(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A connection with something that happens at one of its calls.
#[derive(Debug)]
pub struct Disturbed<D, F> {
    /// The connection.
    pub inner: D,
    /// How many calls come before it happens.
    pub calls_left: u64,
    /// What happens, once.
    pub happens: Option<F>,
}

impl<D, F: FnOnce() -> Result<(), Error>> Disturbed<D, F> {
    fn call(&mut self) -> Result<(), Error> {
        match self.calls_left.checked_sub(1) {
            Some(left) => {
                self.calls_left = left;
                Ok(())
            }
            None => self.happens.take().map_or(Ok(()), |happens| happens()),
        }
    }
}

impl<D: Database, F: FnOnce() -> Result<(), Error>> Database for Disturbed<D, F> {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn ask(&mut self, statement: &str) -> Result<Answer, Error> {
        self.call()?;
        self.inner.ask(statement)
    }

    fn types(&mut self, statement: &str) -> Result<Answer, Error> {
        self.call()?;
        self.inner.types(statement)
    }

    fn named(&mut self, statement: &str) -> Result<Answer, Error> {
        self.call()?;
        self.inner.named(statement)
    }

    fn another(&self) -> Result<Option<Box<dyn Database + Send>>, Error> {
        self.inner.another()
    }

    fn begin(&mut self, statement: &str) -> Result<(), Error> {
        self.call()?;
        self.inner.begin(statement)
    }

    fn bring(&mut self, rows: &mut Brought) -> Result<bool, Error> {
        self.call()?;
        self.inner.bring(rows)
    }
}

/// All records that have landed, in their order.
pub fn landed(store: &Memory) -> Vec<Vec<String>> {
    let landed = Landed::new(store, "p", ["id", "v", "at"].map(str::to_owned).to_vec(), false);
    let mut records = Vec::new();
    for object in block_on(landed.objects("", None, usize::MAX)).unwrap() {
        let (bytes, version) = block_on(landed.fetch(&object.name)).unwrap();
        assert_eq!((bytes.len() as u64, version), (object.size, object.version));
        for record in String::from_utf8(bytes).unwrap().lines() {
            records.push(record.split(',').map(|value| value.trim_matches('"').to_owned()).collect());
        }
    }
    records
}

/// What a merge makes of records: the greatest version of each key.
pub fn merged(records: &[Vec<String>]) -> BTreeMap<u64, (String, String)> {
    let mut table: BTreeMap<u64, (String, String)> = BTreeMap::new();
    for record in records {
        let [id, v, at] = record.as_slice() else { panic!("{record:?}") };
        let version = (at.clone(), v.clone());
        let stored = table.entry(id.parse().unwrap()).or_insert_with(|| version.clone());
        if *stored < version {
            *stored = version;
        }
    }
    table
}

/// How many records have landed more than once.
pub fn doubled(records: &[Vec<String>]) -> usize {
    records.len() - records.iter().collect::<BTreeSet<_>>().len()
}

/// Lands what is new until everything has landed.
pub fn land_all<D: Database>(pipeline: &Pipeline, store: &Memory, open: impl Fn() -> D) {
    loop {
        let clock = Ticks::default();
        let land = Land { pipeline, store, clock: &clock, deadline: i64::MAX, piece_bytes: Some(64), rows_max: None };
        let report = block_on(land.land(&mut open(), Asked::New)).unwrap();
        if !report.is_cut_short {
            return;
        }
    }
}

/// A pipeline that reads all rows of a table each time, in parts.
pub fn whole(kind: &str, url: &str, split: &str) -> Pipeline {
    let text = format!(
        "{{ etalon: 1, pipeline: p, source: {{ {kind}: {{ url: '{url}', table: t, split: {{ by: {split} }} }}, \
         fields: {{ id: bigint, v: integer, at: timestamptz }} }}, columns: {{ id: required, v: , at: required }}, \
         target: {{ table: t, write: replace }} }}"
    );
    Pipeline::compile(&text).unwrap().0
}

/// Parts are of one snapshot: 400 rows with 100 each, of which the numbers go by seven, have 40,000 together in each landing, while a
/// writer moves ones from row to row.
pub fn parts_are_of_one_snapshot<D: Database>(
    pipelines: &[Pipeline],
    open: impl Fn() -> D,
    mut write: impl FnMut(&str) + Send,
) {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut chance = Chance(3);
            while !ended.load(Ordering::Relaxed) {
                let (from, to) = (chance.below(200) * 7 + 7, chance.below(200) * 7 + 1407);
                write("begin");
                write(&format!("update t set v = v - 1 where id = {from}"));
                write(&format!("update t set v = v + 1 where id = {to}"));
                write("commit");
            }
        });
        for pipeline in pipelines {
            let store = Memory::default();
            land_all(pipeline, &store, &open);
            let records = landed(&store);
            let sum: i64 = records.iter().map(|record| record[1].parse::<i64>().unwrap()).sum();
            assert_eq!((records.len(), sum), (400, 40_000), "{pipeline:?}");
            let ids: BTreeSet<&String> = records.iter().map(|record| &record[0]).collect();
            assert_eq!(ids.len(), 400, "{pipeline:?}");
        }
        ended.store(true, Ordering::Relaxed);
        writer.join().unwrap();
    });
}

/// Numbers that are not evenly there, or not there at all, lose no row; what has not changed does not land again; and what is no
/// number is refused.
pub fn parts_have_all_rows<D: Database>(
    pipeline: &Pipeline,
    by_time: &Pipeline,
    open: impl Fn() -> D,
    there: &[Vec<String>],
) {
    let store = Memory::default();
    land_all(pipeline, &store, &open);
    assert_eq!(merged(&landed(&store)), merged(there));
    land_all(pipeline, &store, &open);
    let (cursor, _) = block_on(document::<Cursor>(&store, &name::cursor("p"))).unwrap().unwrap();
    assert_eq!(cursor.landed, 1);
    let clock = Ticks::default();
    let land =
        Land { pipeline: by_time, store: &store, clock: &clock, deadline: i64::MAX, piece_bytes: None, rows_max: None };
    let told = block_on(land.land(&mut open(), Asked::New)).unwrap_err().to_string();
    assert!(
        told.contains("`split` is by `at`, which is of type timestamp") && told.contains("a whole number"),
        "{told}"
    );
}
