//! Pipeline: the entry point of the crate, and the only module that knows all the others. It compiles a file into a checked
//! pipeline. A pipeline plans objects, runs tasks, judges units and names the table that it loads.
//!
//! `compile` -> `plan` -> `task` (driven by `step` and `push`) -> `judge` -> `table`
//!
//! ```
//! use etalon_core::pipeline::{Pipeline, Run, Step, TaskOutput, Verdict};
//! use etalon_core::plan::Object;
//!
//! let file = "
//! etalon: 1
//! pipeline: people
//! source: { files: people.csv, format: csv, fields: { id: integer, name: } }
//! columns: { id: required, name: varchar(20) }
//! target: { table: people, write: append }
//! ";
//! let bytes = b"id,name\n1,Ada\ntwo,Grace\n";
//! let (pipeline, _) = Pipeline::compile(file).map_err(|mistakes| format!("{mistakes:?}"))?;
//! let object = Object { name: "people.csv".to_owned(), version: "1".to_owned(), size: bytes.len() as u64 };
//! let tasks = pipeline.plan(&object, 1_767_225_600_000_000).tasks();
//!
//! let mut run = pipeline.task(&tasks[0]);
//! let receipt = loop {
//!     match run.step().map_err(|error| error.to_string())? {
//!         Step::NeedsData(range) => run.push(&bytes[range.start as usize..range.end as usize]),
//!         Step::Has(TaskOutput::Finished(receipt)) => break receipt,
//!         Step::Has(_) => {} // a part or a piece of the quarantine, to be kept under its name
//!     }
//! };
//! assert_eq!((receipt.counts.read, receipt.counts.staged, receipt.counts.quarantined), (2, 1, 1));
//! assert_eq!(pipeline.judge(&[receipt]), Verdict::Load);
//! # Ok::<(), String>(())
//! ```

use crate::diagnostic::{Code, Diagnostic};
use crate::format::{Compression, Contract, Decoded, Encoding, Expansion, Format, ReadOptions};
use crate::plan::{self, Again, InputPlan, Object, Task};
use crate::receipt::Receipt;
use crate::reject::{MASKED, Reject};
use crate::source::Location;
use crate::source::connector::Connector;
use crate::stage::{self, Lineage};
use crate::transform::Transform;
use crate::types::Type;
use crate::warehouse::{BATCH_COLUMN, DELETED_COLUMN, OFFSET_COLUMN, TIME_COLUMN, Table, WriteMode};

mod bounds;
mod compile;
pub mod file;
mod judge;
mod meeting;
mod resolved;
mod run;

use file::{Limits, OnOverwrite, Schedule};

pub use crate::spec::Placeholder;
pub use crate::transform::Transformed;
pub use bounds::Bounds;
pub use judge::{Input, Verdict};
pub use meeting::{Effect, KeptUnit, Meeting, once_more};
pub use resolved::Resolved;
pub use run::{RowOutput, RowRun, Run, Step, TaskOutput, TaskRun};

/// Bytes to ask for at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// Most bytes of a record.
const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A pipeline file that was checked: everything that can fail because of the file has failed already. Only `compile` makes one,
/// and it never changes. The name of its table may still contain `${…}`; that of a [`Resolved`] does not.
#[derive(Debug, Clone)]
pub struct Pipeline {
    name: String,
    description: Option<String>,
    location: Location,
    on_overwrite: OnOverwrite,
    allow_empty: bool,
    limits: Limits,
    table: Table,
    whole_runs: bool,
    stage: stage::Format,
    schedule: Option<Schedule>,
    load_every: Option<u64>,
    fingerprint: String,
    bounds: Bounds,
    format: Format,
    compression: Option<Compression>,
    expansion: Expansion,
    encoding: Option<Encoding>,
    contract: Contract,
    source_names: Vec<String>,
    optional: Vec<bool>,
    transform: Transform,
}

fn replaces_what_is_new(stream: &str) -> String {
    format!("`write: replace` takes the place of all rows, and of the stream `{stream}` only what is new is read")
}

impl Pipeline {
    /// Checks a pipeline file. Returns the pipeline with its warnings, or every mistake of the file, by place.
    pub fn compile(text: &str) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        compile::compile(text)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, for people.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Where records come from, as the file says it; [`Location::resolve`] knows where that is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Why `write: replace` is refused for a stream that is read incrementally; `None` if it is not refused.
    pub fn refuses_part(&self, is_part: bool) -> Option<String> {
        let stream = self.location.api().map(|api| &api.stream.text).filter(|_| is_part && self.whole_runs)?;
        Some(replaces_what_is_new(stream))
    }

    /// The errors and warnings about the source that only its manifest shows.
    pub fn check_manifest(&self, connector: &Connector) -> Vec<Diagnostic> {
        let Some(api) = self.location.api() else { return Vec::new() };
        let stream = &api.stream;
        let mut diagnostics = api.check(connector, stream.span);
        let listed = connector.streams().find(|listed| listed.name == stream.text);
        if listed.is_some_and(|listed| listed.is_incremental) && self.whole_runs {
            let message = replaces_what_is_new(&stream.text);
            let diagnostic = Diagnostic::error(Code::Conflict, stream.span, message);
            diagnostics.push(diagnostic.with_help("write `merge` with the key of the records"));
        }
        diagnostics
    }

    /// The name of each declared field in the source, in order.
    pub fn source_names(&self) -> impl Iterator<Item = &str> {
        self.source_names.iter().map(String::as_str)
    }

    /// What happens to a new version of a known object.
    pub fn on_overwrite(&self) -> OnOverwrite {
        self.on_overwrite
    }

    /// How many rejects are too many.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether a run is judged and loaded as a whole, and not object by object: with `write: replace`.
    pub fn whole_runs(&self) -> bool {
        self.whole_runs
    }

    /// Whether rows are appended to those in the table, so that a row that comes again is in the table twice.
    pub fn appends(&self) -> bool {
        self.table.write == WriteMode::Append
    }

    /// How staged parts are written.
    pub fn stage(&self) -> stage::Format {
        self.stage
    }

    /// When it runs.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// The least number of minutes between two loads of the functions, if the file sets it.
    pub fn load_every(&self) -> Option<u64> {
        self.load_every
    }

    /// A digest of everything in the file that can change output bytes.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The name of the kind of source, as identity uses it.
    pub(crate) fn source_kind(&self) -> &'static str {
        self.location.kind()
    }

    /// The input of an object. `meeting` says for which time its version has become the current one, from 1.
    pub fn input(&self, object: &Object, meeting: u32) -> String {
        plan::input(&self.name, self.source_kind(), object, meeting)
    }

    /// Whether a plan was made by this pipeline.
    pub fn has_planned(&self, plan: &InputPlan) -> bool {
        let object = Object { name: plan.source.clone(), version: plan.source_version.clone(), size: plan.size };
        // An older Etalon did not say whose a plan is.
        plan.pipeline == self.name || (plan.pipeline.is_empty() && plan.input == self.input(&object, 1))
    }

    /// The plan of an object that is met for the first time.
    pub fn plan(&self, object: &Object, batch_time: i64) -> InputPlan {
        let can_cut = self.format.is_cuttable(self.compression_of(&object.name), self.encoding);
        InputPlan {
            pipeline: self.name.clone(),
            input: self.input(object, 1),
            generation: 0,
            source: object.name.clone(),
            source_version: object.version.clone(),
            meeting: 1,
            size: object.size,
            fingerprint: self.fingerprint.clone(),
            batch_time,
            overwrites: false,
            backfills: false,
            run: None,
            cause: None,
            redrives: None,
            ranges: plan::cut(object.size, can_cut, self.bounds.range_bytes),
        }
    }

    /// Begins a task; drive it with `step` and `push`.
    pub fn task(&self, task: &Task) -> TaskRun<'_> {
        TaskRun::new(self, task, None)
    }

    /// Begins to read and transform a range of an object without staging it, for a preview.
    pub fn rows(&self, task: &Task) -> RowRun<'_> {
        RowRun::new(self, task, None)
    }

    /// The plan by which some records of a planned input are read again, for the decision of that number.
    pub fn plan_again(&self, first: &InputPlan, redrives: u32) -> InputPlan {
        InputPlan {
            pipeline: self.name.clone(),
            fingerprint: self.fingerprint.clone(),
            overwrites: false,
            backfills: false,
            cause: None,
            // What was read for a run that replaced the table is added to it now.
            run: None,
            redrives: Some(redrives),
            ranges: plan::cut(first.size, false, self.bounds.range_bytes),
            ..first.clone()
        }
    }

    /// As [`Pipeline::task`], but only for these records. The receipt counts the bytes of the others as skipped.
    ///
    /// If a record is not found as it was, a step ends with an error of the kind
    /// [`ErrorKind::Changed`](crate::error::ErrorKind).
    pub fn task_again(&self, task: &Task, records: Again) -> TaskRun<'_> {
        TaskRun::new(self, task, Some(records))
    }

    /// As [`Pipeline::rows`], but only for these records, and with the same error.
    pub fn rows_again(&self, task: &Task, records: Again) -> RowRun<'_> {
        RowRun::new(self, task, Some(records))
    }

    /// The names and types of the columns that a task stages, and whether each refuses NULL; the mark of a delete is the
    /// last of them where there is one.
    pub fn columns(&self) -> Vec<(String, Type, bool)> {
        let columns = self.table.columns.iter().map(|column| (column.name.clone(), column.ty, column.required));
        columns.chain(self.table.deletes.then(|| (DELETED_COLUMN.to_owned(), Type::Boolean, true))).collect()
    }

    /// For each column, whether it is computed from a sensitive field, so that people must not see its values.
    pub fn sensitive_columns(&self) -> Vec<bool> {
        let columns = self.transform.columns.iter().map(|mapping| mapping.sensitive);
        columns.chain(self.table.deletes.then_some(false)).collect()
    }

    /// Reads the rows of a part that a task staged.
    ///
    /// An error means that the bytes are not those of a part.
    pub fn read_part(&self, bytes: Vec<u8>) -> Result<stage::Batches, String> {
        stage::read(self.stage, &self.columns(), bytes)
    }

    /// Masks in a reject what the pipeline calls sensitive, also if it did not when the record was rejected.
    pub fn mask(&self, reject: &mut Reject) {
        for field in self.transform.fields.iter().filter(|field| field.sensitive) {
            reject.raw = None;
            reject.raw_base64 = None;
            let Some(Some(value)) = reject.fields.get_mut(&field.name) else { continue };
            let value = std::mem::replace(value, MASKED.to_owned());
            if !value.is_empty() && value != MASKED {
                reject.reasons.iter_mut().for_each(|reason| reason.message = reason.message.replace(&value, MASKED));
            }
        }
    }

    /// The names and types of the declared fields.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Type)> {
        self.transform.fields.iter().map(|field| (field.name.as_str(), field.ty))
    }

    /// The receipt of a task whose object is gone or is no longer what was planned: nothing was read, and the unit is held.
    pub fn unread(&self, task: &Task, why: String) -> Receipt {
        TaskRun::new(self, task, None).unread(why)
    }

    fn compression_of(&self, name: &str) -> Compression {
        self.compression.unwrap_or_else(|| Compression::of_name(name))
    }

    /// The decoded bytes of an object, as places count them; `size` is the number of its stored bytes.
    pub fn decoded(&self, name: &str, size: u64) -> Decoded {
        Decoded::new(self.read_options(name), size)
    }

    fn read_options(&self, name: &str) -> ReadOptions {
        ReadOptions {
            format: self.format.clone(),
            compression: self.compression,
            compression_by_name: Compression::of_name(name),
            expansion: self.expansion,
            encoding: self.encoding,
            fields: self.source_names.clone(),
            optional: self.optional.clone(),
            contract: self.contract,
            batch_rows_max: self.bounds.batch_rows,
            record_bytes_max: RECORD_BYTES_MAX,
            chunk_bytes: CHUNK_BYTES,
        }
    }
}

fn lineage(task: &Task) -> Lineage {
    Lineage { names: [BATCH_COLUMN, OFFSET_COLUMN, TIME_COLUMN], batch: task.batch.clone(), time: task.plan.batch_time }
}
