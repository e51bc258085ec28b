//! Laptop: a life on one machine: runs over memory and SQLite, as the command does them.

use std::collections::BTreeSet;

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::sha256;
use etalon_core::protocol::{Work, name, prefix};
use etalon_core::source::Names;
use etalon_driver::connection::Connection;
use etalon_driver::extract::objects;
use etalon_driver::memory::{ManualClock, Memory};
use etalon_driver::ports::{Objects, Put, Quiet};
use etalon_driver::rejects::{self, State};
use etalon_driver::report::{RunReport, RunState};
use etalon_driver::run::{RunOptions, World, run};
use etalon_driver::{held, store};
use etalon_sqlite::Sqlite;
use pollster::block_on;

use crate::life::{self, Event, Life, Mapping, PREFIX};
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
}

/// Lives a life; the error says on which day what is not as it must be.
pub fn live(life: &Life) -> Result<(), String> {
    let mapping = Mapping { mends: false };
    let (pipeline, text) = life.pipeline(mapping);
    let mut laptop = Laptop {
        life,
        model: Model::new(life, mapping),
        pipeline,
        text,
        source: Memory::default(),
        store: Memory::default(),
        warehouse: Box::new(Sqlite::open_in_memory().map_err(|error| error.to_string())?),
        clock: ManualClock::new(HOUR),
    };
    for (day, events) in life.days.iter().enumerate() {
        let on = |wrong: String| format!("day {}: {wrong}", day + 1);
        for event in events.iter().chain([&Event::Run]) {
            laptop.happen(*event).map_err(|error| on(format!("{event}: {error}")))?;
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
    fn happen(&mut self, event: Event) -> Result<(), Error> {
        self.clock.advance(HOUR);
        self.model.happen(event);
        match event {
            Event::Write { object, content } => {
                let bytes = self.life.contents[content].bytes();
                block_on(self.source.put(&life::name(object), &bytes, Put::Always))?;
            }
            Event::Remove { object } => block_on(self.source.delete(&life::name(object)))?,
            Event::Run => drop(self.run(Work::Prefix(String::new()))?),
        }
        Ok(())
    }

    fn run(&mut self, work: Work) -> Result<RunReport, Error> {
        let found = block_on(objects(&self.source, &Names::beginning(PREFIX.to_owned())))?;
        let world = World {
            source: &self.source,
            store: &self.store,
            warehouse: &mut self.warehouse,
            clock: &self.clock,
            progress: &Quiet,
        };
        let options = RunOptions { batch_time: None, workers: std::num::NonZero::new(1) };
        block_on(run(&self.pipeline, &self.text, work, &found, world, &options))
    }

    /// The content of which an object's version is.
    fn content(&self, version: &str) -> usize {
        let is_it = |content: &life::Content| sha256(&content.bytes()) == version;
        self.life.contents.iter().position(is_it).unwrap_or(usize::MAX)
    }

    /// Holds what is there against the model, after a run that found nothing new.
    fn check(&mut self) -> Result<(), String> {
        self.clock.advance(HOUR);
        let again = self.run(Work::Prefix(String::new())).map_err(|error| error.to_string())?;
        self.model.happen(Event::Run);
        must_be!("rows that a second run loads", again.load.map(|load| load.staged), None);
        let wanted: Vec<_> = self.model.held();
        must_be!("the state of a second run", matches!(again.state, RunState::NothingNew), wanted.is_empty());
        self.check_table()?;
        let ledger =
            Connection::ledger(&mut *self.warehouse, self.pipeline.table()).map_err(|error| error.to_string())?;
        let balance = ledger.iter().all(|row| row.counts.balance());
        must_be!("whether the ledger balances", balance, true);
        let mut rows: Vec<_> = ledger
            .iter()
            .map(|row| (row.batch.source.clone(), self.content(&row.batch.source_version), row.batch.staged))
            .collect();
        rows.sort();
        must_be!("the ledger", rows, self.model.ledger());
        let loaded = ledger.into_iter().map(|row| row.batch.batch).collect();
        block_on(self.check_store(&loaded)).map_err(|error| error.to_string())?
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
                let (name, object, content) = (&row.name, life::name(object), row.version.0);
                format!("{} {n} {name} of {object} content {content} at {offset}", row.id)
            })
            .collect();
        found.sort();
        wanted.sort();
        must_be!("the table", found, wanted);
        Ok(())
    }

    /// What is kept beside the warehouse.
    async fn check_store(&self, loaded: &BTreeSet<String>) -> Result<Result<(), String>, Error> {
        Ok(self.check_kept(
            held::held(&self.store, &name::table(self.pipeline.table())).await?,
            rejects::read(&self.store, &self.pipeline).await?,
            store::names(&self.store, "").await?,
            loaded,
        ))
    }

    fn check_kept(
        &self,
        units: Vec<etalon_core::protocol::Unit>,
        rejects: Vec<rejects::InputRejects>,
        names: Vec<String>,
        loaded: &BTreeSet<String>,
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
        // Nothing waits, nothing flies, and no part lies about that is in the table.
        let is_residue = |name: &&String| {
            let is_below = |prefix: &prefix::Prefix| name.starts_with(prefix.text);
            let of_loaded = |part: &&String| loaded.contains(part.split('/').nth(1).unwrap_or_default());
            is_below(&prefix::PENDING) || is_below(&prefix::LOADS) || (is_below(&prefix::STAGED) && of_loaded(name))
        };
        let left: Vec<_> = names.iter().filter(is_residue).collect();
        must_be!("what is left over", left, Vec::<&String>::new());
        Ok(())
    }
}
