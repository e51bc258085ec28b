//! Laptop: a life on one machine: runs over memory and SQLite, as the command does them.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::sha256;
use etalon_core::protocol::{Unit, UnitState, Work, name, prefix};
use etalon_core::source::Names;
use etalon_core::warehouse::{Cause, Statement};
use etalon_driver::connection::Connection;
use etalon_driver::extract::objects;
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Put, Quiet};
use etalon_driver::rejects::{self, State};
use etalon_driver::report::{RunReport, RunState};
use etalon_driver::run::{RunOptions, World, run};
use etalon_driver::{held, store};
use etalon_sqlite::Sqlite;
use pollster::block_on;

use crate::faults::{Faults, Faulty, FaultyWarehouse};
use crate::life::{self, Call, Deployed, Event, Happening, Life, PREFIX};
use crate::model::Model;

const HOUR: i64 = 3_600_000_000;

/// One machine, and what must be on it.
pub struct Laptop<'a> {
    life: &'a Life,
    model: Model<'a>,
    pipeline: Resolved,
    text: String,
    source: Memory,
    store: Memory,
    warehouse: Box<dyn Connection>,
    clock: ManualClock,
    /// The batch time of a call, however often it is begun.
    batch_time: i64,
    faults: &'a Faults,
}

/// Lives a life; the error says on which day what is not as it must be.
pub fn live(life: &Life, faults: &Faults) -> Result<(), String> {
    let (pipeline, text) = life.pipeline(Deployed::default());
    let mut laptop = Laptop {
        life,
        model: Model::new(life),
        pipeline,
        text,
        source: Memory::default(),
        store: Memory::default(),
        warehouse: Box::new(Sqlite::open_in_memory().map_err(|error| error.to_string())?),
        clock: ManualClock::new(HOUR),
        batch_time: 0,
        faults,
    };
    let rest = Happening { event: Event::Call(Call::Run), faults: Vec::new() };
    for (day, happenings) in life.days.iter().enumerate() {
        let on = |wrong: String| format!("day {}: {wrong}", day + 1);
        for happening in happenings.iter().chain([&rest]) {
            laptop.happen(happening).map_err(|wrong| on(format!("{happening}: {wrong}")))?;
        }
        laptop.check().map_err(on)?;
    }
    Ok(())
}

macro_rules! must_be {
    ($what:expr, $found:expr, $wanted:expr) => {
        let (found, wanted) = ($found, $wanted);
        if found != wanted {
            return Err(format!("{}: there is {found:?}\n    and must be {wanted:?}", $what));
        }
    };
}

impl Laptop<'_> {
    fn happen(&mut self, Happening { event, faults }: &Happening) -> Result<(), String> {
        self.clock.advance(HOUR);
        self.batch_time = self.clock.now();
        let is_refused = self.model.happen(*event);
        let world = |result: Result<(), Error>| result.map_err(|error| error.to_string());
        match *event {
            Event::Write { object, content } => {
                let bytes = self.life.contents[content].bytes();
                world(block_on(self.source.put(&life::name(object), &bytes, Put::Always)).map(drop))
            }
            Event::Remove { object } => world(block_on(self.source.delete(&life::name(object)))),
            Event::Rename { from, to } => {
                if let Ok(bytes) = block_on(self.source.get(&life::name(from))) {
                    world(block_on(self.source.delete(&life::name(from))))?;
                    world(block_on(self.source.put(&life::name(to), &bytes, Put::Always)).map(drop))?;
                }
                Ok(())
            }
            Event::Deploy(deployed) => {
                (self.pipeline, self.text) = self.life.pipeline(deployed);
                Ok(())
            }
            Event::Drop => self.by_hand("drop table things"),
            Event::Empty => self.by_hand("delete from things"),
            Event::LoseStore => {
                self.store = Memory::default();
                Ok(())
            }
            Event::Call(call) => {
                let mut was_disturbed = false;
                let mut ended = None;
                for (at, fault) in faults {
                    self.faults.begin(*at, *fault);
                    ended = Some(self.call(call));
                    if !self.faults.end() {
                        break;
                    }
                    was_disturbed = true;
                    ended = None;
                    self.clock.advance(1);
                }
                match ended.unwrap_or_else(|| self.call(call)) {
                    Ok(_) if is_refused => Err("it is to be refused, and was not".to_owned()),
                    // What was done already cannot be done again, and its refusal says so.
                    Err(error) if !is_refused && !was_disturbed => Err(error.to_string()),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Somebody changes the warehouse without Etalon.
    fn by_hand(&mut self, sql: &'static str) -> Result<(), String> {
        let statement = Statement { sql: sql.to_owned(), parameters: Vec::new(), what: "by hand" };
        match self.warehouse.run(&statement) {
            Ok(_) => Ok(()),
            Err(failure) if failure.cause == Cause::Missing => Ok(()),
            Err(failure) => Err(failure.error("by hand").to_string()),
        }
    }

    fn call(&mut self, call: Call) -> Result<RunReport, Error> {
        let names = |whom: Option<u64>| whom.into_iter().map(life::name).collect();
        let work = match call {
            Call::Run => Work::Prefix(String::new()),
            Call::Release(whom) => Work::Release(names(whom)),
            Call::Discard(whom) => Work::Discard(names(whom)),
            Call::Undiscard(whom) => Work::Undiscard(names(whom)),
            Call::Redrive(whom) => Work::Redrive(names(whom)),
            Call::Reload(whom) => Work::Reload(names(whom)),
        };
        let found = block_on(objects(&self.source, &Names::beginning(PREFIX.to_owned())))?;
        let (source, store) = (Faulty::new(&self.source, self.faults), Faulty::new(&self.store, self.faults));
        let mut warehouse = FaultyWarehouse { inner: &mut self.warehouse, faults: self.faults };
        let world =
            World { source: &source, store: &store, warehouse: &mut warehouse, clock: &self.clock, progress: &Quiet };
        let options = RunOptions { batch_time: Some(self.batch_time), workers: std::num::NonZero::new(1) };
        let ended = block_on(run(&self.pipeline, &self.text, work, &found, world, &options));
        if std::env::var("ETALON_TRACE").is_ok() {
            self.trace(call, &ended);
        }
        ended
    }

    /// Prints what became of units, for whoever looks into a life.
    fn trace(&self, call: Call, ended: &Result<RunReport, Error>) {
        println!("  {}: {:?}", Event::Call(call), ended.as_ref().map(|report| &report.state));
        for place in block_on(store::names(&self.store, "units/")).unwrap() {
            let unit = block_on(store::document::<Unit>(&self.store, &place)).unwrap();
            println!("    {place} {:?}", unit.map(|(unit, _)| unit.state));
        }
    }

    /// The content of which an object's version is.
    fn content(&self, version: &str) -> usize {
        let is_it = |content: &life::Content| sha256(&content.bytes()) == version;
        self.life.contents.iter().position(is_it).unwrap_or(usize::MAX)
    }

    /// Holds what is there against the model, after a run that found nothing new.
    fn check(&mut self) -> Result<(), String> {
        self.clock.advance(HOUR);
        self.batch_time = self.clock.now();
        let is_refused = self.model.happen(Event::Call(Call::Run));
        let again = self.call(Call::Run);
        must_be!("whether a second run is refused", again.is_err(), is_refused);
        if let Ok(again) = again {
            must_be!("rows that a second run loads", again.load.map(|load| load.staged), None);
            let is_held = matches!(again.state, RunState::Held(_));
            must_be!("whether a second run says that something is held", is_held, !self.model.held().is_empty());
        }
        self.check_table()?;
        let ledger =
            Connection::ledger(&mut *self.warehouse, self.pipeline.table()).map_err(|error| error.to_string())?;
        let balance = ledger.iter().all(|row| row.counts.balance());
        must_be!("whether the ledger balances", balance, true);
        let mut units: BTreeMap<(&str, u32), (String, usize, u64)> = BTreeMap::new();
        for row in &ledger {
            let new = || (row.batch.source.clone(), self.content(&row.batch.source_version), 0);
            units.entry((&row.batch.input, row.batch.generation)).or_insert_with(new).2 += row.batch.staged;
        }
        let units: BTreeSet<_> = units.into_values().collect();
        must_be!("the ledger", units, self.model.ledger());
        block_on(self.check_store()).map_err(|error| error.to_string())?
    }

    fn check_table(&mut self) -> Result<(), String> {
        let sql = "select t.id, t.n, t.name, l.source, l.source_version, t._etalon_offset from things t \
                   left join _etalon_ledger l on l.batch = t._etalon_batch";
        let found = match self.warehouse.query(sql) {
            Ok(answer) => answer.rows,
            Err(_) if self.model.table.is_empty() => Vec::new(),
            Err(error) => return Err(error.to_string()),
        };
        let text = |cell: &Option<String>| cell.clone().unwrap_or_default();
        let mut found: Vec<_> = found
            .iter()
            .map(|row| {
                let cells: Vec<String> = row.iter().map(text).collect();
                let content = self.content(&cells[4]);
                format!("{} {} {} of {} content {content} at {}", cells[0], cells[1], cells[2], cells[3], cells[5])
            })
            .collect();
        let mut wanted: Vec<_> = self
            .model
            .table
            .iter()
            .map(|row| {
                let (n, _, object, offset) = row.order;
                let (name, object, content) = (&row.name, life::name(object), row.content);
                format!("{} {n} {name} of {object} content {content} at {offset}", row.id)
            })
            .collect();
        found.sort();
        wanted.sort();
        must_be!("the table", found, wanted);
        Ok(())
    }

    /// What is kept beside the warehouse.
    async fn check_store(&self) -> Result<Result<(), String>, Error> {
        let table = name::table(self.pipeline.table());
        let mut waiting = BTreeSet::new();
        for place in store::names(&self.store, &name::units(&table, None)).await? {
            let (unit, _) = store::document::<Unit>(&self.store, &place).await?.unwrap();
            if unit.is_held() || matches!(unit.state, UnitState::Discarded { .. }) {
                waiting.extend(unit.batches().map(|batch| batch.batch.clone()));
            }
        }
        Ok(self.check_kept(
            held::held(&self.store, &table).await?,
            rejects::read(&self.store, &self.pipeline).await?,
            store::names(&self.store, "").await?,
            &waiting,
        ))
    }

    fn check_kept(
        &self,
        units: Vec<Unit>,
        rejects: Vec<rejects::InputRejects>,
        names: Vec<String>,
        waiting: &BTreeSet<String>,
    ) -> Result<(), String> {
        let mut held: Vec<_> = units
            .iter()
            .flat_map(|unit| &unit.members)
            .map(|member| (member.source.clone(), self.content(&member.source_version)))
            .collect();
        held.sort();
        must_be!("what is held", held, self.model.held());
        let mut open: Vec<_> = rejects
            .iter()
            .flat_map(|input| input.rejects.iter().filter(|kept| kept.state == State::Open))
            .map(|kept| (kept.reject.source.clone(), self.content(&kept.reject.version), kept.reject.place.offset))
            .collect();
        open.sort();
        must_be!("what is open of the rejects", open, self.model.open());
        // Nothing waits, nothing flies, and no part lies about that nobody can load any more.
        let is_residue = |name: &&String| {
            let is_below = |prefix: &prefix::Prefix| name.starts_with(prefix.text);
            let is_of_none = |part: &&String| !waiting.contains(part.split('/').nth(1).unwrap_or_default());
            is_below(&prefix::PENDING) || is_below(&prefix::LOADS) || (is_below(&prefix::STAGED) && is_of_none(name))
        };
        let left: Vec<_> = names.iter().filter(is_residue).collect();
        must_be!("what is left over", left, Vec::<&String>::new());
        Ok(())
    }
}
