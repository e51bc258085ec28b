//! Pipeline: the front door. A file is compiled into a checked pipeline; a pipeline plans, runs tasks, judges a unit and
//! names the table that it loads. The only module that knows all the others.
//!
//! `compile` -> `plan` -> `task` (driven by `step` and `push`) -> `judge` -> `table`

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::format::{Compression, Contract, Format, ReadOptions};
use crate::plan::{self, InputPlan, Object, Task};
use crate::protocol::{Member, Unit, UnitBatch, UnitState};
use crate::receipt::{Counts, Receipt};
use crate::source::Location;
use crate::stage::{self, Lineage};
use crate::transform::Transform;
use crate::types::Type;
use crate::warehouse::{BATCH_COLUMN, DELETED_COLUMN, LoadBatch, OFFSET_COLUMN, TIME_COLUMN, Table, WriteMode};

mod compile;
pub mod file;
mod run;

use file::{Limits, OnOverwrite, Schedule};

pub use run::{RowOutput, RowRun, Run, Step, TaskOutput, TaskRun};

/// Most records of a batch.
const BATCH_ROWS_MAX: usize = 8 * 1024;
/// Bytes to ask for at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// Most bytes of a record.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A pipeline file that was checked: everything that can fail because of the file has failed already.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where records come from.
    pub location: Location,
    /// What happens to a new version of a known object.
    pub on_overwrite: OnOverwrite,
    /// How many rejects are too many.
    pub limits: Option<Limits>,
    /// The table that it loads.
    pub table: Table,
    /// Whether a run is judged and loaded as a whole, and not each of its objects: so it is where rows are replaced.
    pub whole_runs: bool,
    /// How staged parts are written.
    pub stage: stage::Format,
    /// When it runs.
    pub schedule: Option<Schedule>,
    /// What can change output bytes, as one name.
    pub fingerprint: String,
    /// Objects that can be cut are cut into ranges of about so many bytes.
    pub range_bytes: u64,
    pub(crate) format: Format,
    pub(crate) compression: Option<Compression>,
    pub(crate) contract: Contract,
    pub(crate) source_names: Vec<String>,
    pub(crate) transform: Transform,
}

/// Whether a unit may be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Load,
    /// It is staged, not loaded, and waits for a decision: the reasons.
    Held(Vec<String>),
}

impl Pipeline {
    /// Checks a pipeline file. Returns the pipeline with its warnings, or every mistake of the file, by place.
    pub fn compile(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        compile::compile(text)
    }

    /// The name of the kind of source, as identity uses it.
    pub fn source_kind(&self) -> &'static str {
        self.location.kind()
    }

    /// The plan of an object that is met for the first time.
    pub fn plan(&self, object: &Object, batch_time: i64) -> InputPlan {
        let can_cut = self.format.is_cuttable(self.compression_of(&object.name));
        InputPlan {
            version: plan::PLAN_VERSION,
            input: plan::input(&self.name, self.source_kind(), object),
            generation: 0,
            source: object.name.clone(),
            source_version: object.version.clone(),
            size: object.size,
            fingerprint: self.fingerprint.clone(),
            batch_time,
            overwrites: false,
            backfills: false,
            run: None,
            ranges: plan::cut(object.size, can_cut, self.range_bytes),
        }
    }

    /// Begins a task; drive it with `step` and `push`.
    pub fn task(&self, task: &Task) -> TaskRun<'_> {
        TaskRun::new(self, task, None)
    }

    /// Begins to read and transform a range of an object without staging it, for people who want to look.
    pub fn rows(&self, task: &Task) -> RowRun<'_> {
        RowRun::new(self, task, None)
    }

    /// The plan by which some records of a planned input are read again: a batch of its own in another generation, at the
    /// same batch time.
    pub fn plan_again(&self, first: &InputPlan, generation: u32) -> InputPlan {
        let ranges = plan::cut(first.size, false, self.range_bytes);
        let (fingerprint, overwrites, backfills) = (self.fingerprint.clone(), false, false);
        InputPlan { generation, fingerprint, overwrites, backfills, ranges, ..first.clone() }
    }

    /// As [`Pipeline::task`], of only the records that begin at these offsets of the decoded stream. In the receipt, the
    /// others' bytes are skipped ones.
    pub fn task_again(&self, task: &Task, offsets: BTreeSet<u64>) -> TaskRun<'_> {
        TaskRun::new(self, task, Some(offsets))
    }

    /// As [`Pipeline::rows`], of only the records that begin at these offsets of the decoded stream.
    pub fn rows_again(&self, task: &Task, offsets: BTreeSet<u64>) -> RowRun<'_> {
        RowRun::new(self, task, Some(offsets))
    }

    /// The names and types of the columns that a task stages, and whether each refuses NULL; the mark of a delete is the
    /// last of them where there is one.
    pub fn columns(&self) -> Vec<(String, Type, bool)> {
        let columns = self.table.columns.iter().map(|column| (column.name.clone(), column.ty, column.required));
        columns.chain(self.table.deletes.then(|| (DELETED_COLUMN.to_owned(), Type::Boolean, true))).collect()
    }

    /// Reads the rows of a part that a task staged.
    ///
    /// An error means that the bytes are not those of a part.
    pub fn read_part(&self, bytes: Vec<u8>) -> Result<stage::Batches, String> {
        stage::read(self.stage, &self.columns(), bytes)
    }

    /// The names and types of the declared fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Type)> {
        self.transform.fields.iter().map(|field| (field.name.as_str(), field.ty))
    }

    /// Judges a unit by the receipts of all its tasks.
    pub fn judge(&self, receipts: &[Receipt]) -> Verdict {
        let read: u64 = receipts.iter().map(|receipt| receipt.counts.read).sum();
        let rejected: u64 = receipts.iter().map(|receipt| receipt.counts.quarantined).sum();
        let mut held = Vec::new();
        for receipt in receipts {
            if let Some(incomplete) = &receipt.incomplete {
                held.push(format!("{}: {incomplete}", receipt.source));
            }
            for (check, rows) in &receipt.failed_checks {
                held.push(format!("{}: {check} failed for {rows} rows, and must not", receipt.source));
            }
        }
        if let Some(limits) = &self.limits {
            let over = u128::from(rejected) * 1_000_000 > u128::from(read) * u128::from(limits.rejects_ppm);
            if over && rejected >= limits.at_least {
                #[expect(clippy::cast_precision_loss, reason = "a share for people")]
                let share = rejected as f64 * 100.0 / read.max(1) as f64;
                let limit = f64::from(limits.rejects_ppm) / 10_000.0;
                held.push(format!("{rejected} of {read} records were rejected ({share:.2}%); the limit is {limit}%"));
            }
        }
        let is_empty = receipts.iter().all(|receipt| receipt.counts.staged == 0);
        if self.table.write == (WriteMode::Replace { allow_empty: false }) && is_empty {
            held.push("a run without rows would leave the table empty; say `allow_empty: true` if it may".to_owned());
        }
        if held.is_empty() { Verdict::Load } else { Verdict::Held(held) }
    }

    /// The unit that inputs make when the receipts of all their tasks are there, in their order, with what becomes of it:
    /// one input, or those of a run.
    pub fn unit(&self, name: String, inputs: &[(InputPlan, Vec<Receipt>)]) -> Unit {
        let receipts: Vec<Receipt> = inputs.iter().flat_map(|(_, receipts)| receipts.clone()).collect();
        let mut reasons = match self.judge(&receipts) {
            Verdict::Load => Vec::new(),
            Verdict::Held(reasons) => reasons,
        };
        // A whole run takes the place of all rows, also of those that an earlier version of an object brought.
        let overwrites =
            |plan: &InputPlan, on_overwrite| plan.overwrites && !self.whole_runs && self.on_overwrite == on_overwrite;
        for (plan, _) in inputs.iter().filter(|(plan, _)| overwrites(plan, OnOverwrite::Fail) && !plan.backfills) {
            reasons.push(format!(
                "{} was met before, and its bytes are others now; say `on_overwrite: replace` or `add`",
                plan.source
            ));
        }
        if inputs.iter().any(|(plan, _)| plan.fingerprint != self.fingerprint) {
            reasons.push("its inputs were planned with different pipeline files".to_owned());
        }
        let mut counts = Counts::default();
        receipts.iter().for_each(|receipt| counts.add(receipt.counts));
        let batch = |receipt: &Receipt| UnitBatch {
            batch: receipt.batch.clone(),
            staged: receipt.counts.staged,
            parts: receipt.parts.clone(),
        };
        Unit {
            name,
            fingerprint: self.fingerprint.clone(),
            counts,
            members: inputs
                .iter()
                .map(|(plan, receipts)| Member {
                    input: plan.input.clone(),
                    generation: plan.generation,
                    source: plan.source.clone(),
                    source_version: plan.source_version.clone(),
                    fingerprint: plan.fingerprint.clone(),
                    batch_time: plan.batch_time,
                    replaces_source: overwrites(plan, OnOverwrite::Replace),
                    replaces_generations: plan.backfills && !self.whole_runs,
                    batches: receipts.iter().map(batch).collect(),
                })
                .collect(),
            state: if reasons.is_empty() { UnitState::Pending } else { UnitState::Held { reasons } },
        }
    }

    /// The receipt of a task whose object is gone or is no longer what was planned: nothing was read, and the unit is held.
    pub fn unread(&self, task: &Task, why: String) -> Receipt {
        TaskRun::new(self, task, None).unread(why)
    }

    /// The ledger row of a batch that is loaded.
    pub fn load_batch(&self, task: &Task, receipt: &Receipt, replaces_source: bool) -> LoadBatch {
        LoadBatch {
            input: task.plan.input.clone(),
            batch: task.batch.clone(),
            generation: task.plan.generation,
            source: task.plan.source.clone(),
            source_version: task.plan.source_version.clone(),
            fingerprint: task.plan.fingerprint.clone(),
            batch_time: task.plan.batch_time,
            staged: receipt.counts.staged,
            replaces_source,
            replaces_generations: false,
        }
    }

    fn compression_of(&self, name: &str) -> Compression {
        self.compression.unwrap_or_else(|| Compression::of_name(name))
    }

    fn read_options(&self, name: &str) -> ReadOptions {
        ReadOptions {
            format: self.format.clone(),
            compression: self.compression_of(name),
            fields: self.source_names.clone(),
            contract: self.contract,
            batch_rows_max: BATCH_ROWS_MAX,
            record_bytes_max: RECORD_BYTES_MAX,
            chunk_bytes: CHUNK_BYTES,
        }
    }
}

fn lineage(task: &Task) -> Lineage {
    Lineage { names: [BATCH_COLUMN, OFFSET_COLUMN, TIME_COLUMN], batch: task.batch.clone(), time: task.plan.batch_time }
}
