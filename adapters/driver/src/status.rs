//! Status: the state of a pipeline between two runs: what is loaded and since when, what waits, what is held and why, which
//! rejects are open. It changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{Load, Source, Unit, name, prefix};
use etalon_core::value::datetime::print_timestamptz;
use etalon_core::warehouse::{LedgerRow, LoadCounts, Unlike, since_whole_run, unlike};
use serde::Serialize;

use crate::gone::only_copies;
use crate::held::{self, is_of, title};
use crate::ports::{Objects, Warehouse};
use crate::rejects::{self, State};
use crate::report::{HeldReport, OnlyCopy};
use crate::run::{held_report, is_of_now};
use crate::store::{document, names};

/// How many of the last loads are reported.
const LOADS_TOLD: usize = 5;

/// A load that has failed, and is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailingLoad {
    /// How often it has failed.
    pub failures: u32,
    /// When the next attempt may begin.
    pub next: String,
    /// The message of its last failure.
    pub words: String,
}

/// The state of a pipeline between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The pipeline's name.
    pub pipeline: String,
    /// The table.
    pub table: String,
    /// Whether it exists, and has rows.
    pub table_state: TableState,
    /// Files of which rows are loaded.
    pub files: u64,
    /// Of them, those that were loaded with another pipeline file than this one.
    pub out_of_date: u64,
    /// Seconds since the last load; none before the first.
    pub seconds_since_load: Option<u64>,
    /// The last loads, the latest first.
    pub loads: Vec<LoadReport>,
    /// The load that is under way and has failed, if there is one.
    pub failing: Option<FailingLoad>,
    /// What waits for a decision.
    pub held: Vec<HeldReport>,
    /// What was planned, and is not staged yet.
    pub planned: Vec<String>,
    /// What is staged and waits for the next run.
    pub waiting: Vec<String>,
    /// What a person has discarded.
    pub discarded: Vec<String>,
    /// Of it, copies of rows that the table does not have any more.
    pub only_copies: Vec<OnlyCopy>,
    /// How many rejects are open, by file.
    pub open_rejects: BTreeMap<String, u64>,
    /// Files that are loaded and whose rejects are not in this store.
    pub unknown_rejects: u64,
    /// Objects of which the table has not the rows that the ledger says: somebody has changed it, or it was brought back from an
    /// older copy.
    pub unlike: Vec<Unlike>,
}

/// What is there of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableState {
    /// There is no table.
    Absent,
    /// It has no row.
    Empty,
    /// It has rows.
    HasRows,
}

/// One load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// When it was.
    pub loaded_at: String,
    /// Its files.
    pub files: u64,
    /// What became of the staged rows.
    #[serde(flatten)]
    pub counts: LoadCounts,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked.
    pub what: String,
    /// Whether it is as it should be.
    pub is_well: bool,
    /// What was found.
    pub found: String,
}

/// What a warehouse says of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InWarehouse {
    /// What was loaded.
    pub rows: Vec<LedgerRow>,
    /// What is there.
    pub state: TableState,
    /// How many rows each batch has there, where rows tell their batch.
    pub there: Option<BTreeMap<String, u64>>,
}

impl InWarehouse {
    /// If there is no warehouse yet.
    pub const NOTHING: Self = Self { rows: Vec::new(), state: TableState::Absent, there: None };

    /// What a warehouse says of a pipeline's table.
    pub async fn of(pipeline: &Resolved, warehouse: &mut impl Warehouse) -> Result<Self, Error> {
        let rows = warehouse.ledger(pipeline.table()).await?;
        let state = warehouse.has_rows(pipeline.table()).await?.into();
        let there = match rows.is_empty() || !pipeline.table().lineage {
            true => None,
            false => Some(warehouse.by_batch(pipeline.table()).await?),
        };
        Ok(Self { rows, state, there })
    }
}

impl From<Option<bool>> for TableState {
    /// Whether a table has rows, if there is one.
    fn from(has_rows: Option<bool>) -> Self {
        match has_rows {
            None => Self::Absent,
            Some(false) => Self::Empty,
            Some(true) => Self::HasRows,
        }
    }
}

/// How a pipeline stands. `now` is in microseconds since 1970.
pub async fn status(
    pipeline: &Resolved,
    store: &impl Objects,
    InWarehouse { mut rows, state: table_state, there }: InWarehouse,
    now: i64,
) -> Result<Status, Error> {
    // The last load of a table may be another pipeline's.
    let unlike = there.map_or_else(Vec::new, |there| unlike(&rows, pipeline.table(), &there));
    rows.retain(|row| row.batch.pipeline.is_empty() || row.batch.pipeline == *pipeline.name());
    let table = name::table(pipeline.table());
    let held = held::held(store, &table).await?;
    let pending = name::pending(&table, "");
    let mut waiting = BTreeSet::new();
    for mark in names(store, &pending).await? {
        let unit = name::unit_document(&table, mark.strip_prefix(&pending).unwrap_or(&mark));
        let unit = document::<Unit>(store, &unit).await?.map(|(unit, _)| unit);
        waiting.extend(unit.filter(|unit| unit.is_pending() && is_of(pipeline, unit)).map(|unit| title(&unit)));
    }
    let discarded = held::discarded_now(pipeline, store, &table).await?;
    let only_copies = match discarded.is_empty() || pipeline.whole_runs() {
        true => Vec::new(),
        false => only_copies(pipeline, store, &since_whole_run(&rows).cloned().collect::<Vec<_>>(), None).await?,
    };
    let mut open_rejects = BTreeMap::new();
    for input in rejects::read(store, pipeline).await? {
        let open = input.rejects.iter().filter(|kept| kept.state == State::Open).count() as u64;
        if open > 0 {
            *open_rejects.entry(input.plan.source).or_default() += open;
        }
    }
    // Of an object the version that came last counts.
    let mut last: BTreeMap<&str, &LedgerRow> = BTreeMap::new();
    for row in since_whole_run(&rows) {
        let order = |row: &LedgerRow| (row.batch.batch_time, row.batch.generation);
        let known = last.entry(&row.batch.source).or_insert(row);
        if order(row) >= order(known) {
            *known = row;
        }
    }
    let unknown_rejects = rejects::kept_elsewhere(store, pipeline, &rows).await?;
    let loads = loads(&rows);
    let since = rows.iter().map(|row| row.loaded_at).max().map(|last| now.saturating_sub(last).max(0) / 1_000_000);
    Ok(Status {
        pipeline: pipeline.name().to_owned(),
        table: pipeline.table_name(),
        table_state,
        files: last.len() as u64,
        out_of_date: last.values().filter(|row| !is_of_now(row, pipeline)).count() as u64,
        seconds_since_load: since.and_then(|seconds| u64::try_from(seconds).ok()),
        loads,
        failing: failing(pipeline, store, &table).await?,
        planned: planned(pipeline, store, &table).await?,
        held: held.iter().filter(|unit| is_of(pipeline, unit)).map(|unit| held_report(unit, false)).collect(),
        waiting: waiting.into_iter().collect(),
        discarded: discarded.iter().map(title).collect(),
        only_copies,
        open_rejects,
        unknown_rejects,
        unlike,
    })
}

/// The objects that were planned, and of which no unit has come. Where rows are replaced, a run is one unit.
async fn planned(pipeline: &Resolved, store: &impl Objects, table: &str) -> Result<Vec<String>, Error> {
    if pipeline.whole_runs() {
        return Ok(Vec::new());
    }
    let units: BTreeSet<String> = names(store, &name::units(table, None)).await?.into_iter().collect();
    // Of an input the plan of the last generation counts.
    let mut last: BTreeMap<String, (String, u32)> = BTreeMap::new();
    for place in names(store, prefix::PLANS.text).await? {
        let Some((plan, _)) = document::<InputPlan>(store, &place).await? else { continue };
        let is_later = last.get(&plan.input).is_none_or(|(_, generation)| *generation <= plan.generation);
        if is_later && plan.redrives.is_none() && plan.run.is_none() && pipeline.has_planned(&plan) {
            last.insert(plan.input, (plan.source, plan.generation));
        }
    }
    let mut without = BTreeSet::new();
    for (input, (source, generation)) in last {
        if units.contains(&name::unit_document(table, &name::unit(&input, generation))) {
            continue;
        }
        // Contents that the object has no more are read by nobody.
        let record = document::<Source>(store, &name::source(pipeline.name(), &source)).await?;
        if record.is_none_or(|(record, _)| record.is_current(&input)) {
            without.insert(source);
        }
    }
    Ok(without.into_iter().collect())
}

async fn failing(pipeline: &Resolved, store: &impl Objects, table: &str) -> Result<Option<FailingLoad>, Error> {
    let Some((load, _)) = document::<Load>(store, &name::current(table)).await? else { return Ok(None) };
    // Other pipelines may load the table, too.
    let first = load.units.first().map(|unit| name::unit_document(table, unit));
    let unit = match &first {
        Some(place) => document::<Unit>(store, place).await?,
        None => None,
    };
    let load = Some(load).filter(|_| unit.is_none_or(|(unit, _)| is_of(pipeline, &unit)));
    Ok(load.filter(|load| load.failures + load.data_failures > 0).map(|load| FailingLoad {
        failures: load.failures + load.data_failures,
        next: print_timestamptz(load.not_before.max(load.loaded_at)),
        words: load.words,
    }))
}

fn loads(rows: &[LedgerRow]) -> Vec<LoadReport> {
    let mut loads: BTreeMap<i64, (BTreeSet<&str>, LoadCounts)> = BTreeMap::new();
    for row in rows {
        let (files, counts) = loads.entry(row.loaded_at).or_default();
        files.insert(&row.batch.source);
        counts.add(row.counts);
    }
    let told = loads.into_iter().rev().take(LOADS_TOLD);
    told.map(|(at, (files, counts))| LoadReport { loaded_at: print_timestamptz(at), files: files.len() as u64, counts })
        .collect()
}
