//! A running task: it asks for bytes, and gives parts, quarantine and at the end the receipt.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::Pipeline;
use crate::error::{Error, ErrorKind};
use crate::expr::Context;
use crate::format::{ReadStep, Reader};
use crate::plan::{self, Again, Task};
use crate::receipt::{Counts, Coverage, Part, Receipt};
use crate::records::Records;
use crate::reject::{MASKED, Place, RAW_BYTES_MAX, Reason, Reject};
use crate::stage::{PartWriter, StagedPart};
use crate::transform::Transformed;
use crate::value::datetime::print_timestamptz;
use crate::value::text::base64;

/// Something that goes through an object's bytes, and says which of them it needs.
pub trait Run {
    /// What comes out.
    type Output;

    /// Says what comes next.
    fn step(&mut self) -> Result<Step<Self::Output>, Error>;

    /// Gives the bytes that were asked for, or the first of them; none only where the object ends early.
    fn push(&mut self, bytes: &[u8]);
}

/// What a run needs, or has.
#[derive(Debug)]
pub enum Step<T> {
    /// Push these (stored) bytes of the object, or the first of them.
    NeedsData(Range<u64>),
    /// Something has come out.
    Has(T),
}

/// What comes out of a row run.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an output is made once a batch and moved once")]
pub enum RowOutput {
    /// Some records, and what became of them.
    Rows(Records, Transformed),
    /// All records of the range are out; the second is why the object is incomplete, if it is.
    Finished(Coverage, Option<String>),
}

/// Reads and transforms the records of a range.
#[derive(Debug)]
pub struct RowRun<'a> {
    pipeline: &'a Pipeline,
    reader: Reader,
    source: String,
    batch_time: i64,
    /// The only records that are transformed; all of them, if not said.
    only: Option<Again>,
    /// Those of them that were found.
    found: u64,
    /// Bytes of the records that were left out.
    left_out: u64,
}

impl Again {
    /// Refuses a record that does not end where it ended.
    fn check(&self, place: Place) -> Result<(), Error> {
        match self.records.get(&place.offset) {
            Some(Some(length)) if *length != place.length => Err(read_otherwise(&format!(
                "the record at byte {} has {} bytes now, and had {length}",
                place.offset, place.length
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses an object of another length, and one of which a record was not found.
    fn check_end(&self, found: u64, total: u64) -> Result<(), Error> {
        let wanted = self.records.len() as u64;
        match self.total {
            Some(before) if before != total => {
                Err(read_otherwise(&format!("the object has {total} bytes when it is decoded, and had {before}")))
            }
            _ if found != wanted => Err(read_otherwise(&format!("{found} of {wanted} records are where they were"))),
            _ => Ok(()),
        }
    }
}

/// The pipeline finds other records in an object than it found before: with another encoding, other quotes or comments.
fn read_otherwise(what: &str) -> Error {
    let message = format!("the pipeline reads other records than those that were rejected: {what}");
    Error::new(ErrorKind::Changed, message)
}

impl<'a> RowRun<'a> {
    pub(super) fn new(pipeline: &'a Pipeline, task: &Task, only: Option<Again>) -> Self {
        Self {
            only,
            found: 0,
            left_out: 0,
            pipeline,
            reader: Reader::new(pipeline.read_options(&task.plan.source), task.plan.size, task.range.clone()),
            source: task.plan.source.clone(),
            batch_time: task.plan.batch_time,
        }
    }
}

impl Run for RowRun<'_> {
    type Output = RowOutput;

    /// An error means that the object as a whole is not what the pipeline declares.
    fn step(&mut self) -> Result<Step<RowOutput>, Error> {
        Ok(match self.reader.step()? {
            ReadStep::NeedsData(range) => Step::NeedsData(range),
            ReadStep::Records(mut records) => {
                if let Some(only) = &self.only {
                    self.left_out += records.keep(|place| only.records.contains_key(&place.offset));
                    let rejects = records.rejects.iter().map(|reject| &reject.place);
                    let places: Vec<Place> = records.places.iter().chain(rejects).copied().collect();
                    places.iter().try_for_each(|place| only.check(*place))?;
                    self.found += places.len() as u64;
                }
                let offsets: Vec<u64> = records.places.iter().map(|place| place.offset).collect();
                let context =
                    Context { batch_time: self.batch_time, source_name: &self.source, record_offsets: &offsets };
                let transformed = self.pipeline.transform.apply(&records, &context);
                Step::Has(RowOutput::Rows(records, transformed))
            }
            ReadStep::Finished { mut coverage, incomplete } => {
                if let Some(only) = &self.only {
                    only.check_end(self.found, coverage.total)?;
                }
                coverage.records -= self.left_out;
                coverage.skipped += self.left_out;
                Step::Has(RowOutput::Finished(coverage, incomplete))
            }
        })
    }

    fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }
}

/// What comes out of a task.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "an output is made once a batch and moved once")]
pub enum TaskOutput {
    /// Keep this staged part under the batch's folder.
    Part(Part, Vec<u8>),
    /// Keep these rejects (JSON Lines) under the batch's folder, by this name.
    Quarantine(String, Vec<u8>),
    /// Everything is out. Keep the receipt last: it is the commit point.
    Finished(Receipt),
}

/// Runs a task: reads, transforms, stages, accounts.
#[derive(Debug)]
pub struct TaskRun<'a> {
    rows: RowRun<'a>,
    writer: PartWriter,
    ready: VecDeque<TaskOutput>,
    quarantine: Vec<u8>,
    quarantine_pieces: usize,
    receipt: Receipt,
}

impl<'a> TaskRun<'a> {
    pub(super) fn new(pipeline: &'a Pipeline, task: &Task, only: Option<Again>) -> Self {
        let receipt = Receipt {
            pipeline: pipeline.name.clone(),
            input: task.plan.input.clone(),
            batch: task.batch.clone(),
            source: task.plan.source.clone(),
            source_version: task.plan.source_version.clone(),
            content: None,
            range: (task.range.start, task.range.end),
            fingerprint: task.plan.fingerprint.clone(),
            batch_time: print_timestamptz(task.plan.batch_time),
            counts: Counts::default(),
            coverage: Coverage::default(),
            reasons: BTreeMap::new(),
            warnings: BTreeMap::new(),
            failed_checks: BTreeMap::new(),
            quarantined_bytes: 0,
            undeclared_records: 0,
            strange_records: 0,
            incomplete: None,
            unread: false,
            parts: Vec::new(),
        };
        Self {
            rows: RowRun::new(pipeline, task, only),
            writer: PartWriter::new(pipeline.stage, &pipeline.columns(), super::lineage(task))
                .bounded(pipeline.bounds.part_bytes, pipeline.bounds.batch_rows),
            ready: VecDeque::new(),
            quarantine: Vec::new(),
            quarantine_pieces: 0,
            receipt,
        }
    }

    /// The receipt of a task that could not begin.
    pub(super) fn unread(mut self, why: String) -> Receipt {
        self.receipt.incomplete = Some(why);
        self.receipt.unread = true;
        self.receipt
    }
}

impl Run for TaskRun<'_> {
    type Output = TaskOutput;

    /// After `Finished` there is nothing more. An object that as a whole is not what the pipeline declares ends in a receipt
    /// that says so, and is held.
    fn step(&mut self) -> Result<Step<TaskOutput>, Error> {
        loop {
            if let Some(output) = self.ready.pop_front() {
                return Ok(Step::Has(output));
            }
            let step = match self.rows.step() {
                Err(error) if error.kind() == ErrorKind::Held => {
                    self.receipt.incomplete = Some(error.to_string());
                    self.finish();
                    continue;
                }
                step => step?,
            };
            match step {
                Step::NeedsData(range) => return Ok(Step::NeedsData(range)),
                Step::Has(RowOutput::Rows(records, transformed)) => self.take(&records, transformed),
                Step::Has(RowOutput::Finished(coverage, incomplete)) => {
                    assert!(coverage.balance(), "what was read tiles the bytes");
                    self.receipt.coverage = coverage;
                    // A disk calls a version by this very digest.
                    self.receipt.content =
                        self.rows.reader.content().filter(|content| *content != self.receipt.source_version);
                    self.receipt.incomplete = incomplete;
                    self.finish();
                }
            }
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.rows.push(bytes);
    }
}

impl TaskRun<'_> {
    /// The counts so far.
    pub fn counts(&self) -> Counts {
        self.receipt.counts
    }

    fn take(&mut self, records: &Records, transformed: Transformed) {
        let counts = &mut self.receipt.counts;
        counts.read += (records.len() + records.rejects.len()) as u64;
        counts.staged += transformed.accepted_rows.len() as u64;
        counts.filtered_false += transformed.filtered_false;
        counts.filtered_null += transformed.filtered_null;
        counts.quarantined += (transformed.rejected.len() + records.rejects.len()) as u64;
        self.receipt.undeclared_records += records.undeclared_records;
        self.receipt.strange_records += records.strange();
        for (totals, new) in
            [(&mut self.receipt.warnings, &transformed.warned), (&mut self.receipt.failed_checks, &transformed.failed)]
        {
            for (rule, rows) in new {
                *totals.entry(rule.clone()).or_default() += rows;
            }
        }
        // Both lists are in the order of the records; quarantine keeps that order.
        let mut unread = records.rejects.iter().peekable();
        for (row, reasons) in transformed.rejected {
            while let Some(reject) = unread.next_if(|reject| reject.place < records.places[row]) {
                self.reject_unread(reject);
            }
            self.reject(records, row, reasons);
        }
        unread.for_each(|reject| self.reject_unread(reject));

        let offsets: Vec<u64> = transformed.accepted_rows.iter().map(|&row| records.places[row].offset).collect();
        for part in self.writer.write(transformed.accepted, &offsets) {
            self.stage(part);
        }
        if self.quarantine.len() >= self.rows.pipeline.bounds.quarantine_bytes {
            self.hand_out_quarantine();
        }
    }

    fn reject_unread(&mut self, unread: &crate::records::UnreadRecord) {
        let masked = self.rows.pipeline.transform.fields.iter().any(|field| field.sensitive);
        let (raw, raw_base64) = raw_text(&unread.raw, masked);
        self.quarantine(Reject {
            source: self.receipt.source.clone(),
            version: self.receipt.source_version.clone(),
            place: unread.place,
            reasons: vec![unread.reason.clone()],
            fields: BTreeMap::new(),
            raw,
            raw_base64,
        });
    }

    fn reject(&mut self, records: &Records, row: usize, reasons: Vec<Reason>) {
        let declared = &self.rows.pipeline.transform.fields;
        let masked = declared.iter().any(|field| field.sensitive);
        let (raw, raw_base64) = raw_text(records.raw(row), masked);
        let fields = declared
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let text = field
                    .text(records, records.cell(row, index))
                    .map(|text| if field.sensitive { MASKED.to_owned() } else { short(text) });
                (field.name.clone(), text)
            })
            .collect();
        self.quarantine(Reject {
            source: self.receipt.source.clone(),
            version: self.receipt.source_version.clone(),
            place: records.places[row],
            reasons,
            fields,
            raw,
            raw_base64,
        });
    }

    fn quarantine(&mut self, reject: Reject) {
        self.receipt.quarantined_bytes += reject.place.length;
        for reason in &reject.reasons {
            *self.receipt.reasons.entry(format!("{} {}", reason.code, reason.subject)).or_default() += 1;
        }
        if serde_json::to_writer(&mut self.quarantine, &reject).is_err() {
            unreachable!("a reject is plain data, and memory takes every byte");
        }
        self.quarantine.push(b'\n');
    }

    fn hand_out_quarantine(&mut self) {
        if self.quarantine.is_empty() {
            return;
        }
        let name = format!("rejects-{:05}.jsonl", self.quarantine_pieces);
        self.quarantine_pieces += 1;
        self.ready.push_back(TaskOutput::Quarantine(name, std::mem::take(&mut self.quarantine)));
    }

    /// Hands out what is left, and the receipt last.
    fn finish(&mut self) {
        if let Some(part) = self.writer.finish() {
            self.stage(part);
        }
        self.hand_out_quarantine();
        assert!(self.receipt.counts.balance(), "what was read is staged, filtered or in quarantine");
        self.ready.push_back(TaskOutput::Finished(self.receipt.clone()));
    }

    fn stage(&mut self, staged: StagedPart) {
        let part = Part {
            name: format!("part-{:05}.{}", self.receipt.parts.len(), self.rows.pipeline.stage.ending()),
            rows: staged.rows,
            bytes: staged.bytes.len() as u64,
            sha256: plan::sha256(&staged.bytes),
        };
        self.receipt.parts.push(part.clone());
        self.ready.push_back(TaskOutput::Part(part, staged.bytes));
    }
}

/// The record as it stands in the object, as text or, where it is not UTF-8, in base 64. A long record has its place
/// only, and so has one with a sensitive field.
fn raw_text(raw: &[u8], masked: bool) -> (Option<String>, Option<String>) {
    if masked || raw.len() > RAW_BYTES_MAX {
        return (None, None);
    }
    match std::str::from_utf8(raw) {
        Ok(text) => (Some(text.trim_end_matches(['\r', '\n']).to_owned()), None),
        Err(_) => (None, Some(base64(raw))),
    }
}

fn short(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(RAW_BYTES_MAX)]).into_owned()
}
