//! Status: how things stand between two runs: what is loaded and since when, what waits, what is held and why, which rejects are
//! open. Nothing is changed by looking.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::protocol::{Unit, name};
use etalon_core::value::datetime::print_timestamptz;
use etalon_core::warehouse::{LedgerRow, LoadCounts};
use serde::Serialize;

use crate::held::{self, is_of, title};
use crate::ports::{Objects, Warehouse};
use crate::rejects::{self, State};
use crate::report::HeldReport;
use crate::run::held_report;
use crate::store::{document, names};

/// So many of the last loads are told.
const LOADS_TOLD: usize = 5;

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The pipeline's name.
    pub pipeline: String,
    /// The table.
    pub table: String,
    /// What is there of it.
    pub table_state: TableState,
    /// Files of which rows are loaded.
    pub files: u64,
    /// Of them, those that were loaded with another pipeline file than this one.
    pub out_of_date: u64,
    /// Seconds since the last load; none before the first.
    pub seconds_since_load: Option<u64>,
    /// The last loads, the latest first.
    pub loads: Vec<LoadReport>,
    /// What waits for a decision.
    pub held: Vec<HeldReport>,
    /// What is staged and waits for the next run.
    pub waiting: Vec<String>,
    /// What somebody has discarded.
    pub discarded: Vec<String>,
    /// How many rejects are open, by file.
    pub open_rejects: BTreeMap<String, u64>,
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

/// How a pipeline stands; `warehouse` is none where there is none yet. `now` is in microseconds since 1970.
pub async fn status<W: Warehouse>(
    pipeline: &Resolved,
    store: &impl Objects,
    warehouse: Option<&mut W>,
    now: i64,
) -> Result<Status, Error> {
    let (mut rows, mut table_state) = (Vec::new(), TableState::Absent);
    if let Some(warehouse) = warehouse {
        rows = warehouse.ledger(pipeline.table()).await?;
        table_state = match warehouse.has_rows(pipeline.table()).await? {
            None => TableState::Absent,
            Some(false) => TableState::Empty,
            Some(true) => TableState::HasRows,
        };
    }
    rows.retain(|row| row.batch.pipeline.is_empty() || row.batch.pipeline == *pipeline.name());
    let table = name::table(pipeline.table());
    let held = held::held(store, &table).await?;
    let pending = name::pending(&table, "");
    let mut waiting = Vec::new();
    for mark in names(store, &pending).await? {
        let unit = name::unit_document(&table, mark.strip_prefix(&pending).unwrap_or(&mark));
        let unit = document::<Unit>(store, &unit).await?.map(|(unit, _)| unit);
        waiting.extend(unit.filter(|unit| unit.is_pending() && is_of(pipeline, unit)).map(|unit| title(&unit)));
    }
    let discarded = held::discarded(pipeline, store, &table).await?;
    let mut open_rejects = BTreeMap::new();
    for input in rejects::read(store, pipeline).await? {
        let open = input.rejects.iter().filter(|kept| kept.state == State::Open).count() as u64;
        if open > 0 {
            *open_rejects.entry(input.plan.source).or_default() += open;
        }
    }
    // Of an object the version that came last counts.
    let mut last: BTreeMap<&str, &LedgerRow> = BTreeMap::new();
    for row in &rows {
        let order = |row: &LedgerRow| (row.batch.batch_time, row.batch.generation);
        let known = last.entry(&row.batch.source).or_insert(row);
        if order(row) >= order(known) {
            *known = row;
        }
    }
    let loads = loads(&rows);
    let since = rows.iter().map(|row| row.loaded_at).max().map(|last| now.saturating_sub(last).max(0) / 1_000_000);
    Ok(Status {
        pipeline: pipeline.name().to_owned(),
        table: pipeline.table_name(),
        table_state,
        files: last.len() as u64,
        out_of_date: last.values().filter(|row| row.batch.fingerprint != pipeline.fingerprint()).count() as u64,
        seconds_since_load: since.and_then(|seconds| u64::try_from(seconds).ok()),
        loads,
        held: held.iter().filter(|unit| is_of(pipeline, unit)).map(|unit| held_report(unit, false)).collect(),
        waiting,
        discarded: discarded.iter().map(|(unit, _)| title(unit)).collect(),
        open_rejects,
    })
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
