//! A data warehouse in memory. Its statements take time, fail and are aborted; its table is simple enough to be correct: rows
//! in a list, merged by plain code.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::Blame;
use etalon_core::stage::parquet;
use etalon_core::value::show::show;
use etalon_core::warehouse::{LedgerRow, LoadBatch, LoadCounts, PipelineLoads, Presence, Table, WriteMode};

use crate::ports::{Clock, DataWarehouse, LoadOrder, Objects, OrderPart, StatementState};

/// How a statement goes, if its load can be done at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Microseconds until it ends.
    pub takes: i64,
    /// How it ends.
    pub end: End,
}

/// Says how each new statement goes.
type Fates = Box<dyn FnMut(&LoadOrder) -> Fate + Send>;

/// How a statement ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is done.
    Finishes,
    /// The warehouse cannot do it now.
    Fails,
    /// Somebody ends it before its commit.
    IsAborted,
    /// Somebody ends it after its commit.
    IsAbortedAfterCommit,
}

/// What a broken warehouse lacks, to see that tests notice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flaws {
    /// The ledger is asked when a statement begins, not after everybody else is locked out.
    pub no_fence: bool,
    /// No ledger rows are written.
    pub no_ledger: bool,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The pipeline's columns, as text.
    pub cells: Vec<Option<String>>,
    /// Its batch.
    pub batch: String,
    /// Its offset in its object.
    pub offset: i64,
}

/// A data warehouse in memory, which reads staged files from a store.
pub struct MemoryWarehouse<'a, S, C> {
    store: &'a S,
    clock: &'a C,
    flaws: Flaws,
    fate: Mutex<Fates>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    statements: Vec<Running>,
    by_token: BTreeMap<String, usize>,
    rows: Vec<Row>,
    ledger: Vec<(LoadBatch, LoadCounts)>,
    /// Sources whose rows the warehouse never takes.
    refused: Vec<String>,
    calls: u64,
}

#[derive(Debug)]
struct Running {
    order: LoadOrder,
    ends_at: i64,
    end: End,
    /// Whether the ledger had one of the inputs when the statement began.
    was_loaded: bool,
    ended: Option<StatementState>,
}

impl<S, C> fmt::Debug for MemoryWarehouse<'_, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWarehouse").field("flaws", &self.flaws).finish_non_exhaustive()
    }
}

impl<'a, S: Objects, C: Clock> MemoryWarehouse<'a, S, C> {
    /// An empty warehouse; `fate` says how each new statement goes.
    pub fn new(
        store: &'a S,
        clock: &'a C,
        flaws: Flaws,
        fate: impl FnMut(&LoadOrder) -> Fate + Send + 'static,
    ) -> Self {
        Self { store, clock, flaws, fate: Mutex::new(Box::new(fate)), state: Mutex::default() }
    }

    /// Never takes rows of a source.
    pub fn refuse(&self, source: &str) {
        self.locked().refused.push(source.to_owned());
    }

    /// The rows of the table, in no particular order.
    pub fn rows(&self) -> Vec<Row> {
        self.settled().rows.clone()
    }

    /// All ledger rows.
    pub fn all_loaded(&self) -> Vec<(LoadBatch, LoadCounts)> {
        self.settled().ledger.clone()
    }

    /// When the next statement ends, if one runs.
    pub fn next_end(&self) -> Option<i64> {
        self.settled().statements.iter().filter(|one| one.ended.is_none()).map(|one| one.ends_at).min()
    }

    /// How many statements there have been.
    pub fn statements(&self) -> usize {
        self.locked().statements.len()
    }

    /// How often the warehouse was called, and so woken.
    pub fn calls(&self) -> u64 {
        self.locked().calls
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state after everything that has ended by now, in the order in which it ended.
    fn settled(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.locked();
        loop {
            let due = (0..state.statements.len())
                .filter(|&at| state.statements[at].ended.is_none() && state.statements[at].ends_at <= now)
                .min_by_key(|&at| state.statements[at].ends_at);
            let Some(at) = due else { return state };
            self.end(&mut state, at);
        }
    }

    fn end(&self, state: &mut State, at: usize) {
        let Running { order, end, was_loaded, .. } = &state.statements[at];
        let (order, end, was_loaded) = (order.clone(), *end, *was_loaded);
        let is_loaded = if self.flaws.no_fence { was_loaded } else { state.is_loaded(&order) };
        let ended = if matches!(end, End::Fails) {
            StatementState::Failed("the disk is full".to_owned(), Blame::Environment)
        } else if end == End::IsAborted {
            StatementState::Aborted
        } else if is_loaded {
            StatementState::Failed("division by zero".to_owned(), Blame::Data)
        } else {
            match self.apply(state, &order) {
                Err(words) => StatementState::Failed(words, Blame::Data),
                Ok(()) if end == End::IsAbortedAfterCommit => StatementState::Aborted,
                Ok(()) => StatementState::Finished,
            }
        };
        state.statements[at].ended = Some(ended);
    }

    /// Does a load, or nothing of it.
    fn apply(&self, state: &mut State, order: &LoadOrder) -> Result<(), String> {
        if let Some(batch) = order.batches.iter().find(|batch| state.refused.contains(&batch.source)) {
            return Err(format!("a value of {} does not fit", batch.source));
        }
        let width = order.table.columns.len();
        let mut staged = Vec::new();
        for OrderPart { name, rows: count, .. } in &order.parts {
            let bytes = pollster::block_on(self.store.get(name)).map_err(|error| error.to_string())?;
            let before = staged.len();
            for batch in parquet::read(bytes)? {
                let batch = batch?;
                let text = |column: usize, row: usize| show(batch.column(column), row);
                staged.extend((0..batch.num_rows()).map(|row| Row {
                    cells: (0..width).map(|column| text(column, row)).collect(),
                    batch: text(width, row).unwrap_or_default(),
                    offset: text(width + 1, row).and_then(|text| text.parse().ok()).unwrap_or_default(),
                }));
            }
            if (staged.len() - before) as u64 != *count {
                return Err(format!("{name} has not {count} rows"));
            }
        }
        for batch in &order.batches {
            let rows = staged.iter().filter(|row| row.batch == batch.batch).count() as u64;
            if rows != batch.staged {
                return Err(format!("batch {} has {rows} rows and not {}", batch.batch, batch.staged));
            }
        }
        let mut ledger = state.ledger.clone();
        ledger.extend(order.batches.iter().map(|batch| (batch.clone(), LoadCounts::default())));
        // Rows of replaced batches go, or do not come, before others are compared with them. A load of batches that take the place
        // of nothing does not look for them.
        let looks = order.batches.iter().any(LoadBatch::replaces);
        let replaced: Vec<String> = ledger
            .iter()
            .filter(|(old, _)| looks && ledger.iter().any(|(new, _)| replaces(new, old)))
            .map(|(old, _)| old.batch.clone())
            .collect();
        let mut counts: BTreeMap<String, LoadCounts> = BTreeMap::new();
        let mut rows = state.rows.clone();
        if matches!(order.table.write, WriteMode::Replace { .. }) {
            let time = |batch: &LoadBatch| batch.batch_time;
            let latest = order.batches.iter().map(time).max();
            if state.ledger.iter().any(|(there, _)| Some(there.batch_time) > latest) {
                return Err("a later run is there".to_owned());
            }
            rows.clear();
        }
        rows.retain(|row| !replaced.contains(&row.batch));
        for row in staged {
            let counts = counts.entry(row.batch.clone()).or_default();
            counts.staged += 1;
            if replaced.contains(&row.batch) {
                counts.superseded += 1;
            } else {
                merge(&order.table, &ledger, &mut rows, row, counts);
            }
        }
        for (batch, ledger_counts) in &mut ledger {
            if let Some(counts) = counts.get(&batch.batch) {
                *ledger_counts = *counts;
            }
        }
        state.rows = rows;
        if !self.flaws.no_ledger {
            state.ledger = ledger;
        }
        Ok(())
    }
}

impl State {
    fn is_loaded(&self, order: &LoadOrder) -> bool {
        let has = |batch: &LoadBatch| {
            self.ledger.iter().any(|(there, _)| there.input == batch.input && there.generation == batch.generation)
        };
        order.batches.iter().any(has)
    }
}

/// Whether a batch, once it is loaded, takes the place of another.
fn replaces(new: &LoadBatch, old: &LoadBatch) -> bool {
    let order = |batch: &LoadBatch| (batch.batch_time, batch.source_version.clone());
    let another = new.replaces_source && new.source == old.source && new.input != old.input && order(old) < order(new);
    let again = new.replaces_generations && new.input == old.input && old.generation < new.generation;
    another || again
}

fn merge(table: &Table, ledger: &[(LoadBatch, LoadCounts)], rows: &mut Vec<Row>, row: Row, counts: &mut LoadCounts) {
    let WriteMode::Merge { key, order_by } = &table.write else {
        counts.inserted += 1;
        rows.push(row);
        return;
    };
    let key_of = |row: &Row| key.iter().map(|&at| row.cells[at].clone()).collect::<Vec<_>>();
    let rank = |row: &Row| {
        let batch = ledger.iter().map(|(batch, _)| batch).find(|batch| batch.batch == row.batch);
        let lineage = batch.map(|batch| (batch.batch_time, batch.source.clone()));
        (lineage, row.offset, batch.map(|batch| batch.generation))
    };
    let compare = |left: &Row, right: &Row| {
        let columns = order_by.iter().map(|&at| number(&left.cells[at]).cmp(&number(&right.cells[at])));
        columns.fold(Ordering::Equal, Ordering::then).then_with(|| rank(left).cmp(&rank(right)))
    };
    match rows.iter_mut().find(|there| key_of(there) == key_of(&row)) {
        None => {
            counts.inserted += 1;
            rows.push(row);
        }
        Some(there) if compare(&row, there) == Ordering::Greater => {
            counts.updated += 1;
            *there = row;
        }
        Some(_) => counts.superseded += 1,
    }
}

fn number(cell: &Option<String>) -> Option<i64> {
    cell.as_ref().and_then(|text| text.parse().ok())
}

impl<S: Objects, C: Clock> DataWarehouse for MemoryWarehouse<'_, S, C> {
    async fn submit(&self, order: &LoadOrder, token: &str) -> Result<String, Error> {
        let fate = {
            let mut fate = self.fate.lock().unwrap_or_else(PoisonError::into_inner);
            fate(order)
        };
        let mut state = self.settled();
        state.calls += 1;
        if let Some(at) = state.by_token.get(token) {
            return Ok(at.to_string());
        }
        let at = state.statements.len();
        let was_loaded = state.is_loaded(order);
        let ends_at = self.clock.now() + fate.takes;
        state.statements.push(Running { order: order.clone(), ends_at, end: fate.end, was_loaded, ended: None });
        state.by_token.insert(token.to_owned(), at);
        Ok(at.to_string())
    }

    async fn status(&self, statement: &str) -> Result<StatementState, Error> {
        let mut state = self.settled();
        state.calls += 1;
        let at: Option<usize> = statement.parse().ok();
        match at.and_then(|at| state.statements.get(at)) {
            None => Err(Error::new(ErrorKind::NotFound, format!("{statement}: there is no such statement"))),
            Some(running) => Ok(running.ended.clone().unwrap_or(StatementState::Running)),
        }
    }

    async fn ledger(&self, _table: &Table, inputs: &[String]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        let mut state = self.settled();
        state.calls += 1;
        Ok(state.ledger.iter().filter(|(batch, _)| inputs.contains(&batch.input)).cloned().collect())
    }

    async fn akin(&self, _table: &Table, _batches: &[LoadBatch]) -> Result<Vec<LedgerRow>, Error> {
        let mut state = self.settled();
        state.calls += 1;
        let row = |(batch, counts): &(LoadBatch, LoadCounts)| LedgerRow {
            batch: batch.clone(),
            counts: *counts,
            counts_removed: true,
            keeps_beaten: false,
            bared: 0,
            written: String::new(),
            loaded_at: 0,
        };
        Ok(state.ledger.iter().map(row).collect())
    }

    async fn pipelines(&self, table: &Table, own: &str) -> Result<Vec<PipelineLoads>, Error> {
        Ok(PipelineLoads::of(&self.akin(table, &[]).await?, own))
    }

    /// Nobody changes it by hand.
    async fn presence(&self, _table: &Table) -> Result<Presence, Error> {
        Ok(Presence::default())
    }

    async fn brought(&self, _table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        let state = self.settled();
        Ok(state.rows.iter().map(|row| row.batch.clone()).filter(|batch| batches.contains(batch)).collect())
    }
}
