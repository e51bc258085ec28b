//! Machine: a life that is lived: what happens is done over memory and SQLite, by one process or by the functions, and what is
//! there is held against the model.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::sha256;
use etalon_core::protocol::{Start, Unit, UnitState, Work, name, prefix};
use etalon_core::source::Names;
use etalon_core::warehouse::{Cause, LedgerRow, Statement};
use etalon_driver::connection::Connection;
use etalon_driver::deployed;
use etalon_driver::extract::objects;
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Clock, Objects, Put, Quiet};
use etalon_driver::rejects::{self, State};
use etalon_driver::report::RunState;
use etalon_driver::run::{RunOptions, World, run};
use etalon_driver::{held, store};
use etalon_sqlite::Sqlite;
use pollster::block_on;

use crate::faults::{Faults, Faulty, FaultyWarehouse};
use crate::functions;
use crate::life::{self, Call, Deployed, Event, Fault, Happening, Life, PREFIX, Place, Write};
use crate::model::{Model, Source};
use crate::mutant::{Mutant, Mutation};

const HOUR: i64 = 3_600_000_000;

/// One machine, or one cloud, and what must be there.
struct Machine<'a> {
    life: &'a Life,
    model: Model<'a>,
    deployed: Deployed,
    pipeline: Resolved,
    text: String,
    source: Memory,
    store: Memory,
    warehouse: Box<dyn Connection>,
    clock: ManualClock,
    /// The batch time of a call, however often it is begun.
    batch_time: i64,
    faults: &'a Faults,
    /// What is wrong with the store of one machine.
    mutation: Mutation,
}

/// What a call comes to.
struct Told {
    has_loaded: bool,
    has_held: bool,
}

/// Lives a life; the error says on which day what is not as it must be.
pub fn live(life: &Life, faults: &Faults, mutation: Mutation) -> Result<(), String> {
    let (pipeline, text) = life.pipeline(Deployed::default());
    let mut machine = Machine {
        life,
        model: Model::new(life),
        deployed: Deployed::default(),
        pipeline,
        text,
        source: Memory::default(),
        store: Memory::default(),
        warehouse: Box::new(Sqlite::open_in_memory().map_err(|error| error.to_string())?),
        clock: ManualClock::new(HOUR),
        batch_time: 0,
        faults,
        mutation,
    };
    let rest = Happening { event: Event::Call(Call::Run), faults: Vec::new() };
    for (day, happenings) in life.days.iter().enumerate() {
        let on = |wrong: String| format!("day {}: {wrong}", day + 1);
        for happening in happenings.iter().chain([&rest]) {
            machine.happen(happening).map_err(|wrong| on(format!("{happening}: {wrong}")))?;
        }
        machine.check().map_err(on)?;
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

/// A clock of which no two looks are at the same time, as on a machine.
struct Ticking<'a>(&'a ManualClock);

impl Clock for Ticking<'_> {
    fn now(&self) -> i64 {
        self.0.advance(1);
        self.0.now()
    }
}

impl Machine<'_> {
    fn happen(&mut self, Happening { event, faults }: &Happening) -> Result<(), String> {
        if !self.life.takes(*event) {
            return Ok(());
        }
        self.clock.advance(HOUR);
        self.batch_time = self.clock.now();
        // What the functions have loaded first is known afterwards.
        let is_told_later = matches!(event, Event::Call(_)) && self.life.has_own_order();
        let mut is_refused = !is_told_later && self.model.happen(*event);
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
                self.deployed = self.life.deployed(self.deployed, deployed);
                (self.pipeline, self.text) = self.life.pipeline(self.deployed);
                Ok(())
            }
            Event::Drop => self.by_hand("drop table things"),
            Event::Empty => self.by_hand("delete from things"),
            Event::LoseLedger => self.by_hand("drop table _etalon_ledger"),
            Event::LoseStore => {
                self.store = Memory::default();
                Ok(())
            }
            Event::Call(call) if self.life.shape.place == Place::Functions => {
                let ended = self.call_functions(call, faults);
                if is_told_later {
                    is_refused = self.model.happen(*event);
                }
                match ended {
                    Ok(_) if is_refused => Err("it is to be refused, and was not".to_owned()),
                    Err(error) if !is_refused && faults.is_empty() => Err(error.to_string()),
                    _ => Ok(()),
                }
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
                let ended = ended.unwrap_or_else(|| self.call(call));
                // Who releases a second time, after an error, has released also what the first release has found to be there already.
                if was_disturbed && matches!(call, Call::Release(_)) && self.holds_less()? {
                    self.model.happen(*event);
                }
                match ended {
                    Ok(_) if is_refused => Err("it is to be refused, and was not".to_owned()),
                    // What was done already cannot be done again, and its refusal says so.
                    Err(error) if !is_refused && !was_disturbed => Err(error.to_string()),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Whether less is held than must be.
    fn holds_less(&self) -> Result<bool, String> {
        let held = block_on(held::held(&self.store, "things")).map_err(|error| error.to_string())?;
        let objects = held.iter().map(|unit| unit.members.len()).sum::<usize>();
        Ok(self.life.shape.write != Write::Replace && objects < self.model.held().len())
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

    fn call(&mut self, call: Call) -> Result<Told, Error> {
        if self.life.shape.place == Place::Functions {
            return self.call_functions(call, &[]);
        }
        let found = block_on(objects(&self.source, &Names::beginning(PREFIX.to_owned())))?;
        let source = Faulty::new(&self.source, self.faults);
        let store = Mutant::new(Faulty::new(&self.store, self.faults), self.mutation);
        let mut warehouse = FaultyWarehouse { inner: &mut self.warehouse, faults: self.faults };
        let world = World {
            source: &source,
            store: &store,
            warehouse: &mut warehouse,
            clock: &Ticking(&self.clock),
            progress: &Quiet,
        };
        let options = RunOptions {
            batch_time: Some(self.batch_time),
            workers: std::num::NonZero::new(1),
            again: self.life.shape.accepts_doubles,
            ..RunOptions::default()
        };
        let ended = block_on(run(&self.pipeline, &self.text, work(call), &found, world, &options));
        self.trace(call, &ended);
        let told = ended?;
        Ok(Told { has_loaded: told.load.is_some(), has_held: matches!(told.state, RunState::Held(_)) })
    }

    /// The same by the functions; how often they are disturbed, the number of faults says.
    fn call_functions(&mut self, call: Call, faults: &[(u64, Fault)]) -> Result<Told, Error> {
        let before = self.ledger()?;
        let inputs = Names::beginning(PREFIX.to_owned());
        let deployed = deployed::Deployed { pipeline: self.pipeline.clone(), text: self.text.clone(), inputs };
        let start = Start {
            pipeline: self.pipeline.name().to_owned(),
            run: format!("at {}", self.batch_time),
            batch_time: self.batch_time,
            work: work(call),
            backfill: false,
            after: None,
            hop: 0,
            landings: 0,
        };
        let seed = faults.iter().fold(self.life.number, |seed, (at, _)| seed.wrapping_mul(1_000_003) ^ at);
        let cloud = functions::Cloud {
            deployed: &deployed,
            source: &self.source,
            store: &self.store,
            clock: &self.clock,
            seed,
            faults: 15 * faults.len() as u64,
            accepts_doubles: self.life.shape.accepts_doubles,
            turns_max: 200_000,
        };
        let ended = cloud.call(&mut self.warehouse, &start, self.faults);
        self.trace(call, &ended);
        let loaded = self.loaded_since(&before)?;
        let has_loaded = !loaded.is_empty();
        if self.life.has_own_order() {
            self.model.loads_in_turn(loaded);
        }
        ended?;
        let has_held = block_on(held::held(&self.store, &name::table(self.pipeline.table())))?
            .iter()
            .any(|unit| held::is_of(&self.pipeline, unit));
        Ok(Told { has_loaded, has_held })
    }

    /// What was loaded together since the ledger had these rows: objects and contents, first what was loaded first.
    fn loaded_since(&mut self, before: &[LedgerRow]) -> Result<Vec<BTreeSet<(Source, usize)>>, Error> {
        let mut loaded: BTreeMap<i64, BTreeSet<(Source, usize)>> = BTreeMap::new();
        for row in self.ledger()?.iter().filter(|row| !before.contains(row)) {
            let object = (0..).find(|&object| life::name(object) == row.batch.source).unwrap();
            let source = (row.batch.pipeline == "others", object);
            loaded.entry(row.loaded_at).or_default().insert((source, self.content(&row.batch.source_version)));
        }
        Ok(loaded.into_values().collect())
    }

    fn ledger(&mut self) -> Result<Vec<LedgerRow>, Error> {
        Connection::ledger(&mut *self.warehouse, self.pipeline.table())
    }

    /// Prints what became of units, for whoever looks into a life.
    fn trace<T>(&self, call: Call, ended: &Result<T, Error>) {
        if std::env::var("ETALON_TRACE").is_err() {
            return;
        }
        println!("  {}: {:?}", Event::Call(call), ended.as_ref().err());
        for place in block_on(store::names(&self.store, "units/")).unwrap() {
            let unit = block_on(store::document::<Unit>(&self.store, &place)).unwrap();
            println!("    {place} {:?}", unit.map(|(unit, _)| unit.state));
        }
        for place in block_on(store::names(&self.store, "decisions/")).unwrap() {
            println!("    {place} {}", String::from_utf8_lossy(&block_on(self.store.get(&place)).unwrap()));
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
        let run = Event::Call(Call::Run);
        let is_told_later = self.life.has_own_order();
        let mut is_refused = !is_told_later && self.model.happen(run);
        let again = self.call(Call::Run);
        if is_told_later {
            is_refused = self.model.happen(run);
        }
        // What was held since rows were there which a later load of the same call has removed is looked at again.
        let may_load = is_told_later && self.model.has_loaded();
        must_be!("whether a second run is refused", again.is_err(), is_refused);
        if let Ok(again) = again {
            must_be!("whether a second run loads something", again.has_loaded, may_load);
            must_be!("whether a second run says that something is held", again.has_held, self.model.has_held());
        }
        self.check_table()?;
        let ledger = self.ledger().map_err(|error| error.to_string())?;
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
        if self.model.is_foreign() {
            return Ok(());
        }
        let extends = self.warehouse.query("select more from things limit 0").is_ok();
        let more = if extends { "t.more" } else { "null" };
        let until = if self.life.shape.write == Write::Scd2 {
            "case when t.is_current then ' is current' else ' until ' || t.valid_to end"
        } else {
            "''"
        };
        let sql = format!(
            "select t.id, t.n, t.name, {more}, l.pipeline, l.source, l.source_version, t._etalon_offset, {until} \
             from things t left join _etalon_ledger l on l.batch = t._etalon_batch"
        );
        let found = match self.warehouse.query(&sql) {
            Ok(answer) => answer.rows,
            Err(_) if self.model.rows().is_empty() => Vec::new(),
            Err(error) => return Err(error.to_string()),
        };
        let line = |row: &Vec<Option<String>>| {
            let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
            let [id, n, name, more, whose, source, version, offset, until] = cells.as_slice() else { unreachable!() };
            let content = self.content(version);
            format!("{id} {n} {name} {more} of {whose} {source} content {content} at {offset}{until}")
        };
        let mut found: Vec<String> = found.iter().map(line).collect();
        found.sort();
        must_be!("the table", found, self.model.rows());
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
            // What the functions have staged goes with its time.
            let stays = is_below(&prefix::STAGED) && self.life.shape.place == Place::Functions;
            let flies = is_below(&prefix::LOADS) && name.ends_with("/current");
            is_below(&prefix::PENDING) || flies || (is_below(&prefix::STAGED) && is_of_none(name) && !stays)
        };
        let left: Vec<_> = names.iter().filter(is_residue).collect();
        must_be!("what is left over", left, Vec::<&String>::new());
        Ok(())
    }
}

fn work(call: Call) -> Work {
    let names = |whom: Option<u64>| whom.into_iter().map(life::name).collect();
    match call {
        Call::Run => Work::Prefix(String::new()),
        Call::Release(whom) => Work::Release(names(whom)),
        Call::Discard(whom) => Work::Discard(names(whom)),
        Call::Undiscard(whom) => Work::Undiscard(names(whom)),
        Call::Redrive(whom) => Work::Redrive(names(whom)),
        Call::Reload(whom) => Work::Reload(names(whom)),
    }
}
