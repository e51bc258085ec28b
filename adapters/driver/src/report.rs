//! The report of a run: what became of every record and every byte, in numbers that balance.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::protocol::{Decision, Unit, UnitState, name};
use etalon_core::receipt::{Counts, Coverage, Receipt};
use etalon_core::warehouse::{LedgerRow, LoadCounts, Table, WriteMode, standing};
use serde::Serialize;

use crate::ports::Objects;
use crate::store::receipt;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The table.
    pub table: String,
    /// How it ended.
    pub state: RunState,
    /// The inputs, by name.
    pub inputs: Vec<InputReport>,
    /// What became of the records that were read.
    pub counts: Counts,
    /// What the bytes turned out to be.
    pub coverage: Coverage,
    /// Reasons of rejects, and how many records had each.
    pub reasons: BTreeMap<String, u64>,
    /// Checks that only warn, and for how many rows they failed.
    pub warnings: BTreeMap<String, u64>,
    /// Records with fields that the pipeline does not declare.
    pub undeclared_records: u64,
    /// What became of the staged rows; none if nothing was loaded.
    pub load: Option<LoadCounts>,
    /// Where the rejected records are, relative to the state folder.
    pub quarantine: Vec<String>,
    /// What waits for a decision, whenever it was staged.
    pub held: Vec<HeldReport>,
    /// Inputs that were loaded with another pipeline file, and not loaded again.
    pub out_of_date: u64,
    /// Objects that are loaded and that a reload of everything has not found: their rows stay.
    pub gone: BTreeSet<String>,
    /// Objects of which earlier versions are loaded too, which a reload has left as they are.
    pub earlier_versions: BTreeSet<String>,
    /// Objects that had rows in a table that was lost and loaded again, and that the source does not have any more in the same
    /// version.
    pub lost: BTreeSet<String>,
    /// Objects that the store knows only from the ledger, so that their rejects are not in it.
    pub unknown_rejects: u64,
    /// The other pipelines that have loaded rows into the table, as far as the ledger says.
    pub other_pipelines: BTreeSet<String>,
    /// What the load has changed in the table apart from its rows, one line each.
    pub changes: Vec<String>,
    /// Objects that were loaded, and whose contents are loaded under another name too.
    pub equal_contents: Vec<EqualContents>,
    /// What is to be looked at where rows of earlier versions were removed.
    pub replaced: Option<Replaced>,
    /// Objects that were discarded as copies of others, which are gone, or whose rows are not in the table any more.
    pub only_copies: Vec<OnlyCopy>,
    /// Objects that were held as copies, and are loaded, since the table does not have the rows of the original any more.
    pub copies_loaded: BTreeSet<String>,
    /// Rows that records of an earlier file have taken the place of, because they were loaded last and the table has no `order_by`:
    /// at most so many.
    pub set_back: u64,
    /// Rows that were staged and are not loaded.
    pub not_loaded: u64,
    /// What somebody's decision was about, if the run was one.
    pub decision: Option<Decision>,
    /// Objects whose rejects wait until they are loaded.
    pub waiting: Vec<String>,
}

/// What waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeldReport {
    /// The unit.
    pub unit: String,
    /// What it is called for people.
    pub title: String,
    /// What a decision about it alone names, where several versions of its object are held.
    pub named: String,
    /// Its objects.
    pub sources: Vec<String>,
    /// Their stored bytes.
    pub bytes: u64,
    /// What became of their records.
    pub counts: Counts,
    /// Why it is held.
    pub reasons: Vec<String>,
    /// Whether some of it was not read, so that it cannot be released.
    pub incomplete: bool,
    /// Whether this run has found it.
    pub is_new: bool,
}

/// An object whose contents were appended under another name before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EqualContents {
    /// The object.
    pub source: String,
    /// The other name.
    pub loaded_as: String,
    /// The version of both, as the ledger has it.
    pub version: String,
    /// Whether the object of the other name is among the source's still.
    pub is_there: bool,
}

/// An object that was discarded as a copy, and is all that is left of those contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnlyCopy {
    /// The object.
    pub source: String,
    /// Why its contents are in no other object that is loaded.
    #[serde(flatten)]
    pub why: Alone,
    /// What tells its contents from others.
    #[serde(skip)]
    pub digests: Vec<String>,
}

/// Why the contents of a copy are in no other object that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "because", content = "of")]
pub enum Alone {
    /// The table has the rows still, and the object that has brought them is gone.
    OriginalIsGone(String),
    /// The object that had brought the rows has others now, perhaps these among them.
    OriginalHasChanged(String),
    /// The table does not have them any more.
    RowsAreGone,
}

impl OnlyCopy {
    /// What is to be said of it.
    pub fn words(&self) -> String {
        let source = &self.source;
        match &self.why {
            Alone::OriginalIsGone(of) => format!(
                "{source} was discarded as a copy of {of}, which is no longer among the source's files: `etalon undiscard` with \
                 {source} brings it back, and says how its rows take the place of those of {of}"
            ),
            Alone::OriginalHasChanged(of) => format!(
                "{source} was discarded as a copy of {of}, which has other contents now: if its rows are not among these, `etalon \
                 undiscard` with {source} brings it back"
            ),
            Alone::RowsAreGone => format!(
                "{source} was discarded as a copy, and the rows that it was a copy of are not in the table any more: `etalon \
                 undiscard` with {source} brings it back"
            ),
        }
    }
}

/// What is to be looked at where rows of earlier versions were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Replaced {
    /// Rows that they had brought, as the ledger says.
    pub expected: u64,
    /// Those of them that the table did not have.
    pub missing: u64,
    /// Keys, at most, that other objects have too, and that are in no row any more.
    pub keys: u64,
    /// Rows of other objects, at most, of which the removed rows had taken the place when the table was written otherwise: with another
    /// key, say. They do not come back.
    pub otherwise: u64,
}

impl Replaced {
    /// What is to be said of the rows that a load has removed, by the ledger before and after it.
    pub(crate) fn by(table: &Table, load: LoadCounts, before: &[LedgerRow], after: &[LedgerRow]) -> Option<Self> {
        let stands: BTreeSet<&str> = standing(after).iter().map(|row| row.batch.batch.as_str()).collect();
        let (left, gone): (Vec<_>, Vec<_>) =
            standing(before).into_iter().partition(|row| stands.contains(row.batch.batch.as_str()));
        let sum = |rows: &[&LedgerRow], of: fn(&LoadCounts) -> u64| rows.iter().map(|row| of(&row.counts)).sum::<u64>();
        // What was removed may have beaten other rows in a load that was written otherwise: nobody looks for these now.
        let is_otherwise = |row: &&&LedgerRow| !row.written.is_empty() && row.written != table.written();
        let [left_otherwise, gone_otherwise] =
            [&left, &gone].map(|rows| rows.iter().filter(is_otherwise).copied().collect::<Vec<_>>());
        let won = sum(&gone_otherwise, |counts| counts.updated + counts.unchanged + counts.deleted);
        let lost = if gone_otherwise.is_empty() {
            0
        } else {
            sum(&left_otherwise, |counts| counts.superseded + counts.deduplicated)
        };
        let otherwise = if left.is_empty() { 0 } else { won + lost };
        let replaced = match table.write {
            // What is appended stays as it is, unless somebody else has changed it.
            WriteMode::Append => {
                let expected = sum(&gone, |counts| counts.inserted);
                Self { missing: expected.saturating_sub(load.removed), expected, keys: 0, otherwise }
            }
            // A row that was beaten, or beat another, has a key that another object has, too. Whether the beaten row was kept, and
            // has come back, is told by the load in which it was beaten: that of the winner, or its own if it came later.
            WriteMode::Merge { .. } | WriteMode::Scd2 { .. } => {
                let known: BTreeSet<&str> = before.iter().map(|row| row.batch.batch.as_str()).collect();
                let new = after.iter().filter(|row| !known.contains(row.batch.batch.as_str()));
                let bared = new.map(|row| row.bared).sum::<u64>();
                let has_others = !left.is_empty();
                let [left, gone] = [left, gone].map(|mut rows| {
                    rows.retain(|row| !row.keeps_beaten);
                    rows
                });
                let won = sum(&gone, |counts| counts.updated + counts.unchanged + counts.deleted);
                let beaten = sum(&left, |counts| counts.superseded + counts.deduplicated);
                let of_others = if has_others { won + beaten } else { 0 };
                Self { missing: 0, expected: 0, keys: bared.min(of_others), otherwise }
            }
            WriteMode::Replace { .. } => return None,
        };
        Some(replaced).filter(|replaced| replaced.missing + replaced.keys + replaced.otherwise > 0)
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reasons")]
pub enum RunState {
    /// The rows are in the table.
    Loaded,
    /// The rows are staged and may be loaded.
    Staged,
    /// Every input was in the table before.
    NothingNew,
    /// The rows are staged, not loaded: the reasons.
    Held(Vec<String>),
}

/// One input of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputReport {
    /// The object's name.
    pub source: String,
    /// The object's version.
    pub version: String,
    /// Its stored bytes.
    pub bytes: u64,
    /// Whether the table had it before this run.
    pub loaded_before: bool,
    /// Whether this run has loaded it again and replaced its rows.
    pub reloaded: bool,
    /// Whether it was read, by an earlier run or to be reloaded, and waits for a decision.
    pub held_before: bool,
    /// Whether a person has discarded it.
    pub discarded: bool,
    /// Whether this run, which was asked for others, has not looked at it.
    pub not_looked_at: bool,
}

impl RunReport {
    /// That of a run of a pipeline that has done nothing yet.
    pub(crate) fn new(pipeline: &Resolved) -> Self {
        Self {
            pipeline: pipeline.name().to_owned(),
            table: pipeline.table_name(),
            state: RunState::NothingNew,
            inputs: Vec::new(),
            counts: Counts::default(),
            coverage: Coverage::default(),
            reasons: BTreeMap::new(),
            warnings: BTreeMap::new(),
            undeclared_records: 0,
            load: None,
            quarantine: Vec::new(),
            held: Vec::new(),
            out_of_date: 0,
            gone: BTreeSet::new(),
            earlier_versions: BTreeSet::new(),
            lost: BTreeSet::new(),
            unknown_rejects: 0,
            other_pipelines: BTreeSet::new(),
            changes: Vec::new(),
            equal_contents: Vec::new(),
            replaced: None,
            only_copies: Vec::new(),
            copies_loaded: BTreeSet::new(),
            set_back: 0,
            not_loaded: 0,
            decision: None,
            waiting: Vec::new(),
        }
    }

    /// Whether all sums add up, from the source to the table.
    pub fn balance(&self) -> bool {
        let load = self.load.unwrap_or_default();
        let loaded = load.balance() && load.staged + self.not_loaded == self.counts.staged;
        self.counts.balance() && self.coverage.balance() && loaded
    }

    /// Adds what was done for a unit, by its receipts: those that are at hand, and those of the store.
    pub(crate) async fn add_unit(
        &mut self,
        store: &impl Objects,
        unit: &Unit,
        at_hand: &BTreeMap<String, Receipt>,
    ) -> Result<(), Error> {
        if !matches!(unit.state, UnitState::Loaded { .. }) {
            self.not_loaded += unit.counts.staged;
        }
        for batch in unit.batches() {
            let receipt = match at_hand.get(&batch.batch) {
                Some(receipt) => Some(receipt.clone()),
                None => receipt(store, &batch.batch).await?,
            };
            let Some(receipt) = receipt else { continue };
            self.add(&receipt);
            if receipt.counts.quarantined > 0 {
                self.quarantine.push(name::quarantine(&batch.batch, ""));
            }
        }
        Ok(())
    }

    /// Adds what a task did.
    fn add(&mut self, receipt: &Receipt) {
        self.counts.add(receipt.counts);
        self.coverage.add(receipt.coverage);
        self.undeclared_records += receipt.undeclared_records;
        for (totals, new) in [(&mut self.reasons, &receipt.reasons), (&mut self.warnings, &receipt.warnings)] {
            for (name, count) in new {
                *totals.entry(name.clone()).or_default() += count;
            }
        }
    }
}
