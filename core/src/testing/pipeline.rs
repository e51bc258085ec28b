//! The laws of a whole task: every record that is read is counted, whatever the bytes; and the same input gives the same bytes,
//! however it is split into chunks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use crate::error::Error;
use crate::pipeline::{Pipeline, Run, Step, TaskOutput, TaskRun};
use crate::plan::{Again, InputPlan, Object};
use crate::receipt::{Counts, Coverage, Receipt};
use crate::reject::Reject;
use crate::stage::parquet;
use crate::types::Type;

/// Everything that a task gave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The receipt.
    pub receipt: Receipt,
    /// The parts, in order.
    pub parts: Vec<Vec<u8>>,
    /// The quarantine.
    pub quarantine: String,
}

/// A pipeline of many types and rules over four fields, for laws.
pub const PIPELINE: &str = "\
etalon: 1
pipeline: laws
source:
  files: input.csv
  format: { csv: { header: false, newlines_in_values: NEWLINES } }
  fields: { id: integer, amount: \"decimal(6,2)\", day: date, name: }
where: name is distinct from 'skip'
columns:
  id: { required: true, min: 0 }
  amount:
  day:
  name: varchar(8)
  half: { from: \"round(amount / nullif(id, 7), 2)\", type: \"decimal(9,2)\" }
checks:
  small: amount < 1000
  known: { check: name <> 'x', on_fail: warn }
target: { table: laws, write: append }
";

/// The pipeline of the laws, with quoted fields that may or may not hold line ends.
pub fn pipeline(newlines_in_values: bool) -> Pipeline {
    let text = PIPELINE.replace("NEWLINES", if newlines_in_values { "true" } else { "false" });
    Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}")).0
}

/// Runs the tasks of an object cut into `ranges`, pushing as many bytes at a time as `pushes` says, over and over.
pub fn run(pipeline: &Pipeline, bytes: &[u8], ranges: &[Range<u64>], pushes: &[usize]) -> Vec<Staged> {
    let object = Object { name: "input.csv".to_owned(), version: "1".to_owned(), size: bytes.len() as u64 };
    let plan = InputPlan { ranges: ranges.to_vec(), ..pipeline.plan(&object, 0) };
    let mut sizes = pushes.iter().copied().cycle();
    plan.tasks().iter().map(|task| drive(pipeline.task(task), bytes, &mut sizes)).collect()
}

/// The next output of a run over bytes, of which so many are pushed at a time as `sizes` says.
pub fn output<R: Run>(run: &mut R, bytes: &[u8], sizes: &mut impl Iterator<Item = usize>) -> Result<R::Output, Error> {
    loop {
        match run.step()? {
            Step::NeedsData(range) => {
                let (start, end) = (range.start as usize, (range.end as usize).min(bytes.len()));
                let size = sizes.next().unwrap_or(usize::MAX).max(1);
                run.push(&bytes[start..end.min(start.saturating_add(size))]);
            }
            Step::Has(output) => return Ok(output),
        }
    }
}

/// Runs a task, pushing as many bytes at a time as `sizes` says.
fn drive(mut run: TaskRun<'_>, bytes: &[u8], sizes: &mut impl Iterator<Item = usize>) -> Staged {
    let (mut parts, mut quarantine) = (Vec::new(), String::new());
    loop {
        match output(&mut run, bytes, sizes).unwrap() {
            TaskOutput::Part(_, part) => parts.push(part),
            TaskOutput::Quarantine(_, lines) => quarantine.push_str(std::str::from_utf8(&lines).unwrap()),
            TaskOutput::Finished(receipt) => return Staged { receipt, parts, quarantine },
        }
    }
}

/// Runs the one task of an object that is not cut.
fn run_whole(pipeline: &Pipeline, bytes: &[u8], pushes: &[usize]) -> Vec<Staged> {
    run(pipeline, bytes, &[Range { start: 0, end: bytes.len() as u64 }], pushes)
}

/// The rows of staged parts, as text without the name of the batch.
fn rows(staged: &[Staged], columns: usize) -> Vec<Vec<Option<String>>> {
    let show = crate::value::show::show;
    batches(staged)
        .iter()
        .flat_map(|batch| {
            // After the pipeline's columns come batch, offset and time; offsets tell records apart.
            let wanted: Vec<usize> = (0..columns).chain([columns + 1]).collect();
            (0..batch.num_rows())
                .map(|row| wanted.iter().map(|&column| show(batch.column(column), row)).collect())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn batches(staged: &[Staged]) -> Vec<RecordBatch> {
    let parts = staged.iter().flat_map(|staged| &staged.parts);
    parts.flat_map(|part| parquet::read(part.clone()).unwrap()).map(Result::unwrap).collect()
}

/// Whether an object is compressed, by its first bytes: its ranges and places are those of what it decodes to.
fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// Whether the object was held before its first record, since its first bytes are not those of the format: nothing is staged
/// of such an object, and its receipt says why.
fn is_held_unread(staged: &Staged) -> bool {
    let receipt = &staged.receipt;
    let is_held = receipt.incomplete.is_some() && receipt.coverage == Coverage::default();
    assert!(!is_held || receipt.counts == Counts::default() && staged.parts.is_empty() && staged.quarantine.is_empty());
    is_held
}

/// Every record is staged, filtered or in quarantine, once; the records and what lies between tile the bytes. Or the object is
/// held as a whole.
pub fn every_record_and_every_byte_is_accounted_for(bytes: &[u8], newlines_in_values: bool) {
    if is_compressed(bytes) {
        return;
    }
    let pipeline = pipeline(newlines_in_values);
    let staged = run_whole(&pipeline, bytes, &[usize::MAX]);
    let receipt = &staged[0].receipt;
    assert!(receipt.counts.balance() && receipt.coverage.balance());
    assert_eq!(receipt.coverage.total, if is_held_unread(&staged[0]) { 0 } else { bytes.len() as u64 });
    assert_eq!(rows(&staged, pipeline.columns().len()).len() as u64, receipt.counts.staged);
    let rejects: Vec<Reject> = staged[0].quarantine.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects.len() as u64, receipt.counts.quarantined);
    assert!(rejects.iter().all(|reject| !reject.reasons.is_empty()));
    assert!(rejects.windows(2).all(|pair| pair[0].place.offset + pair[0].place.length <= pair[1].place.offset));
    let reasons: usize = rejects.iter().map(|reject| reject.reasons.len()).sum();
    assert_eq!(reasons as u64, receipt.reasons.values().sum::<u64>());
}

/// What `where` leaves out is counted by why: it is false, or it is NULL.
pub fn what_is_left_out_is_counted_by_why(ids: &[Option<i32>]) {
    let text = PIPELINE.replace("NEWLINES", "true").replace("name is distinct from 'skip'", "id > 3");
    let pipeline = Pipeline::compile(&text).unwrap_or_else(|wrong| panic!("{wrong:#?}")).0;
    let line = |id: &Option<i32>| format!("{},1.00,2026-01-31,name\n", id.map(|id| id.to_string()).unwrap_or_default());
    let bytes: String = ids.iter().map(line).collect();
    let counts = run_whole(&pipeline, bytes.as_bytes(), &[usize::MAX])[0].receipt.counts;
    let count = |is: fn(Option<i32>) -> bool| ids.iter().filter(|id| is(**id)).count() as u64;
    assert_eq!(counts.filtered_null, count(|id| id.is_none()));
    assert_eq!(counts.filtered_false, count(|id| id.is_some_and(|id| id <= 3)));
    assert_eq!(counts.staged + counts.quarantined, count(|id| id.is_some_and(|id| id > 3)));
}

/// The same input gives the same parts, quarantine and receipt, however the bytes come.
pub fn any_chunking_stages_the_same_bytes(bytes: &[u8], pushes: &[usize]) {
    let pipeline = pipeline(true);
    assert_eq!(run_whole(&pipeline, bytes, &[usize::MAX]), run_whole(&pipeline, bytes, pushes));
}

/// Any cut stages the same rows and rejects the same records; what is held as a whole is held by the range of its first bytes.
pub fn any_cut_stages_the_same_rows(bytes: &[u8], cuts: &[u64]) {
    if is_compressed(bytes) {
        return;
    }
    let pipeline = pipeline(false);
    let size = bytes.len() as u64;
    let mut bounds: Vec<u64> = cuts.iter().map(|cut| cut % (size + 1)).chain([0, size]).collect();
    bounds.sort_unstable();
    let ranges: Vec<Range<u64>> = bounds.windows(2).map(|pair| pair[0]..pair[1]).collect();
    let whole = run_whole(&pipeline, bytes, &[usize::MAX]);
    let cut = run(&pipeline, bytes, &ranges, &[usize::MAX]);
    if is_held_unread(&whole[0]) {
        assert!(cut.iter().any(|staged| staged.receipt.incomplete == whole[0].receipt.incomplete));
        return;
    }
    let columns = pipeline.columns().len();
    assert_eq!(rows(&whole, columns), rows(&cut, columns));
    let quarantine: String = cut.iter().map(|staged| staged.quarantine.as_str()).collect();
    assert_eq!(whole[0].quarantine, quarantine);
    let (mut counts, mut coverage) = Default::default();
    let add = |counts: &mut Counts, coverage: &mut Coverage, staged: &Staged| {
        counts.add(staged.receipt.counts);
        coverage.add(staged.receipt.coverage);
    };
    cut.iter().for_each(|staged| add(&mut counts, &mut coverage, staged));
    assert_eq!((counts, coverage), (whole[0].receipt.counts, whole[0].receipt.coverage));
}

/// Records that are read again by their places are the ones that were read, and become what they became.
pub fn records_read_again_become_what_they_became(bytes: &[u8], mask: u64) {
    let pipeline = pipeline(true);
    let staged = run_whole(&pipeline, bytes, &[usize::MAX]);
    let columns = pipeline.columns().len();
    let rejects: Vec<Reject> = staged[0].quarantine.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let all = rows(&staged, columns);
    let offset = |row: &Vec<Option<String>>| row[columns].as_ref().unwrap().parse::<u64>().unwrap();
    let places = rejects.iter().map(|reject| reject.place.offset).chain(all.iter().map(offset));
    let wanted: BTreeSet<u64> =
        places.enumerate().filter(|(at, _)| mask >> (at % 64) & 1 == 1).map(|(_, at)| at).collect();

    let object = Object { name: "input.csv".to_owned(), version: "1".to_owned(), size: bytes.len() as u64 };
    let first = pipeline.plan(&object, 0);
    let task = InputPlan { generation: 1, ..pipeline.plan_again(&first, 1) }.tasks().remove(0);
    assert_ne!(task.batch, first.tasks()[0].batch);
    let lengths: BTreeMap<u64, u64> = rejects.iter().map(|reject| (reject.place.offset, reject.place.length)).collect();
    let records = wanted.iter().map(|offset| (*offset, lengths.get(offset).copied())).collect();
    let records = Again { records, total: Some(staged[0].receipt.coverage.total) };
    let again = [drive(pipeline.task_again(&task, records), bytes, &mut std::iter::repeat(usize::MAX))];
    let counts = again[0].receipt.counts;
    assert!(counts.balance() && again[0].receipt.coverage.balance());
    assert_eq!(counts.read, wanted.len() as u64);
    let found: Vec<Reject> = again[0].quarantine.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_wanted = |reject: &&Reject| wanted.contains(&reject.place.offset);
    assert_eq!(found, rejects.iter().filter(is_wanted).cloned().collect::<Vec<_>>());
    let staged_again: Vec<_> = all.into_iter().filter(|row| wanted.contains(&offset(row))).collect();
    assert_eq!(rows(&again, columns), staged_again);
}

/// No delivered value lies outside its column's type, and no required one is NULL.
pub fn what_is_delivered_fits(bytes: &[u8]) {
    let pipeline = pipeline(true);
    let staged = run_whole(&pipeline, bytes, &[usize::MAX]);
    for batch in batches(&staged) {
        for (position, (name, ty, required)) in pipeline.columns().into_iter().enumerate() {
            let values = batch.column(position);
            assert!(!required || values.null_count() == 0, "{name} is required");
            match ty {
                Type::Decimal { precision, scale } => {
                    assert_eq!(values.data_type(), &DataType::Decimal128(precision, scale.cast_signed()));
                    let bound = 10_i128.pow(precision.into());
                    let numbers = values.as_primitive::<Decimal128Type>();
                    assert!(numbers.iter().flatten().all(|number| number.abs() < bound), "{name}");
                }
                Type::Varchar(bytes) => {
                    let shown = (0..values.len()).filter_map(|row| crate::value::show::show(values, row));
                    assert!(shown.into_iter().all(|text| text.len() <= bytes as usize), "{name}");
                }
                _ => {}
            }
        }
    }
}
