//! The load loop while the world fails for long, and while many units do: how often the warehouse is asked, and what is held.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail, and says why")]

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;
use etalon_core::protocol::{
    LoadEvent, LoadLimits, Member, Start, Unit, UnitBatch, UnitState, Work, name, parse, print,
};
use etalon_core::receipt::Counts;
use etalon_core::source::Names;
use etalon_core::warehouse::LoadCounts;
use etalon_driver::deployed::Deployed;
use etalon_driver::held::decide;
use etalon_driver::load::Loader;
use etalon_driver::memory::{FixedClock, Kind, ManualClock, Memory, MemoryQueue};
use etalon_driver::ports::{Clock, DataWarehouse, Events, Fact, Objects, Put, Quiet, Witness};
use etalon_driver::store::names;
use etalon_driver::testing::warehouse::{End, Fate, Flaws, MemoryWarehouse};
use pollster::block_on;

const PIPELINE: &str = "
etalon: 1
pipeline: things
source: { s3: s3://bucket/in/, format: csv, fields: { id: integer } }
columns: { id: { required: true } }
target: { table: things, write: append }
";
const TABLE: &str = "things";
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// Nobody listens.
struct Unheard;

impl Events for Unheard {
    async fn loaded(&self, _: &LoadEvent) -> Result<(), Error> {
        Ok(())
    }
}

/// Who keeps what cannot be read.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Witness for Told {
    fn saw(&self, fact: &Fact<'_>) {
        if let Fact::Unreadable(words) = fact {
            self.0.lock().unwrap().push((*words).to_owned());
        }
    }
}

/// A store in which somebody else writes an object just before it is written.
struct Raced<'a> {
    store: &'a Memory,
    rival: Mutex<Option<(String, Vec<u8>)>>,
}

impl Objects for Raced<'_> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.store.head(name).await
    }
    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.store.read(object, range).await
    }
    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.store.fetch(name).await
    }
    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        let rival = self.rival.lock().unwrap().take_if(|(of, _)| of == name);
        if let Some((_, rival)) = rival {
            self.store.put(name, &rival, Put::Always).await?;
        }
        self.store.put(name, bytes, condition).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.store.list(prefix, after, most).await
    }
    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.store.delete(name).await
    }
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        self.store.delete_version(name, version).await
    }
    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.store.objects(prefix, after, most).await
    }
}

fn deployed() -> Deployed {
    deployed_as(PIPELINE)
}

fn deployed_as(text: &str) -> Deployed {
    let (pipeline, _) = Pipeline::compile(text).unwrap_or_else(|wrong| panic!("{wrong:#?}"));
    let pipeline = pipeline.resolve::<Error>(|asked| unreachable!("nothing asks for {asked}")).unwrap();
    Deployed { pipeline, text: text.to_owned(), inputs: Names::default() }
}

/// Units that wait for their load, each of an object without rows.
fn pending(store: &Memory, deployed: &Deployed, numbers: Range<usize>) -> Vec<String> {
    let unit = |number: usize| {
        let (input, source) = (format!("input{number:03}"), format!("{number:03}.csv"));
        let fingerprint = deployed.pipeline.fingerprint().to_owned();
        let batch = UnitBatch { batch: format!("{input}-batch"), staged: 0, parts: Vec::new() };
        let member = Member {
            input: input.clone(),
            generation: 0,
            source,
            source_version: "1".to_owned(),
            content: None,
            size: 0,
            fingerprint: fingerprint.clone(),
            batch_time: 0,
            replaces_source: false,
            replaces_generations: false,
            redrives: None,
            batches: vec![batch],
        };
        Unit {
            name: name::unit(&input, 0),
            pipeline: deployed.pipeline.name().to_owned(),
            fingerprint,
            counts: Counts::default(),
            members: vec![member],
            state: UnitState::Pending,
            released: false,
        }
    };
    let put = |unit: Unit| {
        let (document, mark) = (name::unit_document(TABLE, &unit.name), name::pending(TABLE, &unit.name));
        block_on(store.put(&document, print(&unit).as_bytes(), Put::Always)).unwrap();
        block_on(store.put(&mark, b"", Put::Always)).unwrap();
        unit.name
    };
    numbers.map(unit).map(put).collect()
}

fn state(store: &Memory, unit: &str) -> UnitState {
    parse::<Unit>(&block_on(store.get(&name::unit_document(TABLE, unit))).unwrap()).unwrap().state
}

/// A loader with time enough, whose loads nobody hears of.
fn loader<'a, T: Objects, W: DataWarehouse, H: Witness>(
    deployed: &'a Deployed,
    store: &'a T,
    warehouse: &'a W,
    (clock, witness): (&'a ManualClock, &'a H),
    limits: LoadLimits,
) -> Loader<'a, T, W, Unheard, ManualClock, H> {
    Loader {
        deployed,
        store,
        warehouse,
        events: &Unheard,
        clock,
        witness,
        limits,
        accepts_doubles: false,
        deadline: i64::MAX,
    }
}

fn is_held(state: &UnitState) -> bool {
    matches!(state, UnitState::Held { .. })
}

#[test]
fn a_right_that_is_lost_for_a_while_holds_nothing_and_asks_seldom() {
    let (store, clock, deployed) = (Memory::default(), ManualClock::new(0), deployed());
    let units = pending(&store, &deployed, 0..500);
    let is_lost = Arc::new(AtomicBool::new(true));
    let lost = Arc::clone(&is_lost);
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), move |_| {
        let end = if lost.load(Ordering::Relaxed) { End::Fails } else { End::Finishes };
        Fate { takes: 0, end }
    });
    let sweep = || {
        let loader = loader(&deployed, &store, &warehouse, (&clock, &Quiet), LoadLimits::default());
        block_on(loader.sweep())
    };
    // A message for each unit arrives, and each that fails comes again: somebody looks every second.
    let mut failed = 0;
    for _ in 0..10 * 60 {
        failed += usize::from(sweep().is_err_and(|error| error.kind() == ErrorKind::Unavailable));
        clock.advance(SECOND);
    }
    let asked = warehouse.statements();
    assert!((4..=7).contains(&asked) && failed == asked, "{asked} statements, {failed} told");
    assert!(units.iter().all(|unit| state(&store, unit) == UnitState::Pending));
    is_lost.store(false, Ordering::Relaxed);
    let back = clock.now();
    while !block_on(names(&store, &name::pending(TABLE, ""))).unwrap().is_empty() {
        sweep().unwrap();
        clock.advance(SECOND);
        assert!(clock.now() - back < 11 * MINUTE, "it waits for longer than the world has failed");
    }
    assert!(units.iter().all(|unit| matches!(state(&store, unit), UnitState::Loaded { .. })));
    assert_eq!(warehouse.statements(), asked + 1);
    println!("500 units, ten minutes: {asked} statements failed, 0 held, one loaded all");
}

#[test]
fn loads_do_not_come_more_often_than_the_pipeline_says() {
    let (store, clock, deployed) = (Memory::default(), ManualClock::new(0), deployed());
    let finishes = |_: &etalon_driver::ports::LoadOrder| Fate { takes: 0, end: End::Finishes };
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), finishes);
    // A load takes twenty units, so that the first forty need two of them.
    let limits = LoadLimits { minutes_between: 15, units_max: 20, ..LoadLimits::default() };
    let loader = loader(&deployed, &store, &warehouse, (&clock, &Quiet), limits);
    pending(&store, &deployed, 0..40);
    block_on(loader.sweep()).unwrap();
    assert_eq!(warehouse.statements(), 2, "what is too much for one load is loaded at once");
    let mut times = Vec::new();
    for minute in 1..=60 {
        let unit = pending(&store, &deployed, 39 + minute..40 + minute).pop().unwrap();
        let before = warehouse.statements();
        clock.advance(MINUTE);
        block_on(loader.sweep()).unwrap();
        if warehouse.statements() > before {
            times.push(minute);
            assert!(matches!(state(&store, &unit), UnitState::Loaded { .. }));
        }
    }
    assert_eq!(times, [15, 30, 45, 60]);
}

#[test]
fn not_more_than_some_units_are_held_in_an_hour() {
    const BAD: usize = 25;
    let (store, clock, deployed) = (Memory::default(), ManualClock::new(0), deployed());
    let units = pending(&store, &deployed, 0..60);
    let finishes = |_: &etalon_driver::ports::LoadOrder| Fate { takes: 0, end: End::Finishes };
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), finishes);
    for number in 0..BAD {
        warehouse.refuse(&format!("{:03}.csv", number * 2));
    }
    let limits = LoadLimits::default();
    let loader = loader(&deployed, &store, &warehouse, (&clock, &Quiet), limits);
    let held = || units.iter().filter(|unit| is_held(&state(&store, unit))).count();
    let mut told = 0;
    for hour in 1..=3 {
        for _ in 0..60 {
            match block_on(loader.sweep()) {
                Ok(_) => {}
                Err(error) => {
                    assert!(error.to_string().contains("is not held, since 10 units"), "{error}");
                    told += 1;
                }
            }
            clock.advance(MINUTE);
        }
        assert_eq!(held(), (hour * limits.holds_max).min(BAD));
    }
    // As the hour of each ends, one more is held, or told.
    assert!((2..=BAD).contains(&told), "{told}");
    let loaded = units.iter().filter(|unit| matches!(state(&store, unit), UnitState::Loaded { .. })).count();
    assert_eq!(loaded, units.len() - BAD);
    clock.advance(60 * MINUTE);
    block_on(loader.sweep()).unwrap();
    assert_eq!(block_on(names(&store, "loads/")).unwrap(), [""; 0]);
}

#[test]
fn a_document_that_cannot_be_read_keeps_no_other_unit_out() {
    let (store, clock, deployed, told) = (Memory::default(), ManualClock::new(0), deployed(), Told::default());
    let units = pending(&store, &deployed, 0..5);
    let finishes = |_: &etalon_driver::ports::LoadOrder| Fate { takes: 0, end: End::Finishes };
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), finishes);
    let sweep = || {
        let loader = loader(&deployed, &store, &warehouse, (&clock, &told), LoadLimits::default());
        block_on(loader.sweep()).unwrap();
        clock.advance(SECOND);
    };
    let put = |place: &str, text: &str| block_on(store.put(place, text.as_bytes(), Put::Always)).unwrap();
    let document = |unit: &str| name::unit_document(TABLE, unit);
    let kept = block_on(store.get(&document(&units[1]))).unwrap();
    put(&document(&units[1]), "no JSON");
    // So is the load in flight, and one whose units are not all there.
    put(&name::current(TABLE), r#"{"version":9}"#);
    sweep();
    sweep();
    let words = told.take();
    assert!(
        words.iter().any(|one| one.starts_with("loads/things/current is a load in flight of version 9")),
        "{words:?}"
    );
    assert!(words.iter().any(|one| one.starts_with("units/things/input001-0")), "{words:?}");
    for unit in [&units[0], &units[2], &units[3], &units[4]] {
        assert!(matches!(state(&store, unit), UnitState::Loaded { .. }), "{unit}");
    }
    assert_eq!(block_on(names(&store, &name::pending(TABLE, ""))).unwrap(), [name::pending(TABLE, &units[1])]);
    // What is put back is loaded.
    block_on(store.put(&document(&units[1]), &kept, Put::Always)).unwrap();
    sweep();
    sweep();
    assert!(matches!(state(&store, &units[1]), UnitState::Loaded { .. }));
    assert_eq!(block_on(names(&store, "loads/")).unwrap(), [""; 0]);
}

#[test]
fn a_load_in_flight_goes_on_without_a_unit_that_cannot_be_read() {
    let (store, clock, deployed, told) = (Memory::default(), ManualClock::new(0), deployed(), Told::default());
    let units = pending(&store, &deployed, 0..3);
    let finishes = |_: &etalon_driver::ports::LoadOrder| Fate { takes: SECOND, end: End::Finishes };
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), finishes);
    let sweep = || {
        let loader = loader(&deployed, &store, &warehouse, (&clock, &told), LoadLimits::default());
        block_on(loader.sweep()).unwrap();
    };
    // Its statement runs.
    sweep();
    block_on(store.put(&name::unit_document(TABLE, &units[0]), b"{}", Put::Always)).unwrap();
    for _ in 0..5 {
        clock.advance(2 * SECOND);
        sweep();
    }
    assert!(!told.take().is_empty());
    assert!(units[1..].iter().all(|unit| matches!(state(&store, unit), UnitState::Loaded { .. })));
    // What the first statement has committed was not brought again.
    assert_eq!(warehouse.statements(), 1);
}

/// What a unit has become meanwhile is not written over: it is looked at again.
#[test]
fn a_unit_is_settled_as_it_was_read() {
    let (store, clock, deployed) = (Memory::default(), ManualClock::new(0), deployed());
    let unit = pending(&store, &deployed, 0..1).pop().unwrap();
    let finishes = |_: &etalon_driver::ports::LoadOrder| Fate { takes: 0, end: End::Finishes };
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), finishes);
    let place = name::unit_document(TABLE, &unit);
    let read: Unit = parse(&block_on(store.get(&place)).unwrap()).unwrap();
    let held = UnitState::Held { reasons: vec!["somebody wants it so".to_owned()], incomplete: false, unread: false };
    let rival = print(&Unit { state: held.clone(), ..read }).into_bytes();
    let raced = Raced { store: &store, rival: Mutex::new(Some((place, rival))) };
    let loader = loader(&deployed, &raced, &warehouse, (&clock, &Quiet), LoadLimits::default());
    let error = block_on(loader.sweep()).unwrap_err();
    assert_eq!((error.kind(), state(&store, &unit)), (ErrorKind::Changed, held));
    // The ledger has it, whatever somebody wants.
    block_on(loader.sweep()).unwrap();
    assert!(matches!(state(&store, &unit), UnitState::Loaded { .. }));
    assert_eq!(warehouse.statements(), 1);
}

/// Somebody decides about a unit while it becomes something else: that is not written over, and the decision is carried out as
/// far as it still can be.
#[test]
fn a_decision_does_not_write_over_what_a_unit_has_become() {
    let held = UnitState::Held { reasons: vec!["many rejects".to_owned()], incomplete: false, unread: false };
    let loaded = UnitState::Loaded { counts: LoadCounts::default() };
    let discarded = UnitState::Discarded { reasons: Vec::new() };
    let all = Vec::new;
    for (is, decides, becomes) in [
        (&held, Work::Discard(all()), &loaded),
        (&held, Work::Release(all()), &discarded),
        (&discarded, Work::Undiscard(all()), &loaded),
    ] {
        let (store, deployed) = (Memory::default(), deployed());
        let unit = pending(&store, &deployed, 0..1).pop().unwrap();
        let place = name::unit_document(TABLE, &unit);
        let read: Unit = parse(&block_on(store.get(&place)).unwrap()).unwrap();
        let of = |state: &UnitState| print(&Unit { state: state.clone(), ..read.clone() }).into_bytes();
        let put = |name: &str, bytes: &[u8]| block_on(store.put(name, bytes, Put::Always)).unwrap();
        put(&place, &of(is));
        block_on(store.delete(&name::pending(TABLE, &unit))).unwrap();
        put(&if is == &held { name::held(TABLE, &unit) } else { name::discarded(TABLE, &unit) }, b"");

        let raced = Raced { store: &store, rival: Mutex::new(Some((place, of(becomes)))) };
        let start = Start {
            pipeline: deployed.pipeline.name().to_owned(),
            run: "decides".to_owned(),
            batch_time: 0,
            work: decides,
            backfill: false,
            after: None,
            hop: 0,
            landings: 0,
        };
        let loads = MemoryQueue::new(Kind::Fifo, FixedClock(0), 5);
        let error = block_on(decide(&deployed.pipeline, &raced, &loads, &start)).unwrap_err();
        assert_eq!((error.kind(), &state(&store, &unit)), (ErrorKind::Changed, becomes), "{:?}", start.work);
        // Its message comes again.
        block_on(decide(&deployed.pipeline, &raced, &loads, &start)).unwrap();
        assert_eq!(&state(&store, &unit), becomes, "{:?}", start.work);
        assert!(loads.is_empty(), "{:?}", start.work);
    }
}

/// A table's key is changed while a unit waits: by its old key, its rows would displace rows of other keys.
#[test]
fn a_unit_is_loaded_by_the_key_that_its_table_has_now() {
    let text = |columns: &str, key: &str| {
        format!(
            "{{ etalon: 1, pipeline: things, source: {{ s3: 's3://bucket/in/', format: csv, fields: {{ id: integer, n: integer }} }}, \
             columns: {{ {columns} }}, target: {{ table: things, write: merge, key: [{key}] }} }}"
        )
    };
    let (id, n) = ("id: { required: true }", "n: { required: true }");
    let (one, both) = (id.to_owned(), format!("{n}, {id}"));
    let finishes = |_: &etalon_driver::ports::LoadOrder| Fate { takes: 0, end: End::Finishes };
    for (columns, reason) in [
        (&both, None),
        (
            &one,
            Some(
                "the warehouse refuses it: 000.csv: its rows were mapped for the key `id` and cannot be told apart by `id, n`, which \
                 is the key of `things` now; `etalon reload` reads them again",
            ),
        ),
    ] {
        let (store, clock) = (Memory::default(), ManualClock::new(0));
        let (before, now) = (deployed_as(&text(columns, "id")), deployed_as(&text(&both, "id, n")));
        block_on(before.keep(&store)).unwrap();
        let unit = pending(&store, &before, 0..1).pop().unwrap();
        let kept = block_on(now.pipeline(&store, before.pipeline.fingerprint())).unwrap();
        assert_eq!(kept.table().key(), if reason.is_none() { vec!["id", "n"] } else { vec!["id"] });

        let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), finishes);
        let loader = loader(&now, &store, &warehouse, (&clock, &Quiet), LoadLimits::default());
        for _ in 0..3 {
            block_on(loader.sweep()).unwrap();
            clock.advance(MINUTE);
        }
        match (state(&store, &unit), reason) {
            (UnitState::Loaded { .. }, None) => {}
            (UnitState::Held { reasons, .. }, Some(reason)) => assert_eq!(reasons, [reason]),
            (state, _) => panic!("{columns}: {state:?}"),
        }
    }
}

/// Of a run the event tells the greatest time, and so does what decides which of two loads is the later.
#[test]
fn the_time_of_a_unit_is_its_greatest() {
    let (store, deployed) = (Memory::default(), deployed());
    let unit = pending(&store, &deployed, 0..1).pop().unwrap();
    let unit: Unit = parse(&block_on(store.get(&name::unit_document(TABLE, &unit))).unwrap()).unwrap();
    let at = |batch_time| Member { batch_time, ..unit.members[0].clone() };
    let unit = Unit { members: vec![at(1), at(3), at(2)], ..unit };
    assert_eq!(unit.batch_time(), 3);
}

/// Who keeps the times of loads.
#[derive(Default)]
struct Times(Mutex<Vec<i64>>);

impl Witness for Times {
    fn saw(&self, fact: &Fact<'_>) {
        if let Fact::Loaded(event) = fact {
            self.0.lock().unwrap().push(event.batch_time);
        }
    }
}

#[test]
fn a_load_tells_how_new_its_newest_rows_are() {
    let (store, clock, deployed) = (Memory::default(), ManualClock::new(10), deployed());
    for (unit, batch_time) in pending(&store, &deployed, 0..3).iter().zip([5, 9, 7]) {
        let place = name::unit_document(TABLE, unit);
        let mut unit: Unit = parse(&block_on(store.get(&place)).unwrap()).unwrap();
        unit.members[0].batch_time = batch_time;
        block_on(store.put(&place, print(&unit).as_bytes(), Put::Always)).unwrap();
    }
    let warehouse = MemoryWarehouse::new(&store, &clock, Flaws::default(), |_| Fate { takes: 0, end: End::Finishes });
    let times = Times::default();
    let loader = loader(&deployed, &store, &warehouse, (&clock, &times), LoadLimits::default());
    block_on(loader.sweep()).unwrap();
    assert_eq!(*times.0.lock().unwrap(), [9]);
}
