//! Rejects: the records in quarantine, their state, and sending them through the pipeline again after a fix.
//!
//! A redrive is a batch of its own, in the next generation of its input: the records are read again from the source, at the
//! places that quarantine names, in the version that was read before. Records that fail again are in that batch's quarantine.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::pipeline::{Pipeline, Resolved, RowOutput};
use etalon_core::plan::{Again, InputPlan, Object, Task};
use etalon_core::protocol::{LastRun, Marks, Source, Unit, UnitState, name, prefix};
use etalon_core::reject::{Place, Reject};
use etalon_core::warehouse::{LedgerRow, standing};
use serde::Serialize;

use crate::ports::{Objects, Put, Quiet};
use crate::store::{document, names, put, receipt};
use crate::transform::{output, same};

/// What has become of a record in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing yet.
    Open,
    /// It was sent through again; if it failed again, that is another reject.
    Redriven,
    /// Somebody decided to leave it.
    Discarded,
}

/// A record in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What has become of it.
    pub state: State,
    /// The batch that rejected it.
    pub batch: String,
    /// The record, and everything that is wrong with it.
    #[serde(flatten)]
    pub reject: Reject,
}

/// The rejects of one input.
#[derive(Debug, Clone)]
pub struct InputRejects {
    /// How the input was planned.
    pub plan: InputPlan,
    /// Whether it is in the table.
    pub is_loaded: bool,
    /// The decisions about its rejects, in order.
    pub marks: Vec<Marks>,
    /// The rejects, of all its batches.
    pub rejects: Vec<Kept>,
    /// The pipelines that made its batches.
    fingerprints: BTreeMap<String, String>,
    /// How many bytes the object had when it was decoded, if all of its receipts are there.
    total: Option<u64>,
    /// Records that were rejected, as the receipts say, and that quarantine has not.
    pub lost: u64,
}

impl InputRejects {
    /// The offsets of the rejects that are open, by batch.
    fn open(&self) -> BTreeMap<String, BTreeSet<u64>> {
        let mut open: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for kept in self.rejects.iter().filter(|kept| kept.state == State::Open) {
            open.entry(kept.batch.clone()).or_default().insert(kept.reject.place.offset);
        }
        open
    }

    /// The open rejects that another pipeline than this one has made: this one would only reject them again.
    pub(crate) fn redrivable(&self, fingerprint: &str) -> BTreeMap<String, BTreeSet<u64>> {
        let mut open = self.open();
        open.retain(|batch, _| self.fingerprints.get(batch).is_none_or(|made| made != fingerprint));
        open
    }

    /// A decision about records, by their offsets.
    pub(crate) fn marks_of(&self, records: BTreeMap<String, BTreeSet<u64>>) -> Marks {
        let place = |kept: &Kept| (kept.reject.place.offset, kept.reject.place.length);
        let is_one = |kept: &&Kept| records.get(&kept.batch).is_some_and(|of| of.contains(&kept.reject.place.offset));
        let lengths = self.rejects.iter().filter(is_one).map(place).collect();
        Marks { redrive: None, records, lengths, total: self.total }
    }

    /// The number of the next decision.
    pub(crate) fn next(&self) -> u32 {
        u32::try_from(self.marks.len()).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// The rejects of a pipeline's inputs, by source. Those of a version that was replaced, and those of what was loaded again
/// since, are not among them.
pub async fn read(store: &impl Objects, pipeline: &Resolved) -> Result<Vec<InputRejects>, Error> {
    let mut by_input: BTreeMap<String, Vec<InputPlan>> = BTreeMap::new();
    for place in names(store, prefix::PLANS.text).await? {
        let Some((plan, _)) = document::<InputPlan>(store, &place).await? else { continue };
        // Other pipelines may keep their plans in the same folder.
        if pipeline.has_planned(&plan) && plan.redrives.is_none() {
            by_input.entry(plan.input.clone()).or_default().push(plan);
        }
    }
    let last_run = document::<LastRun>(store, &name::last_run(pipeline.name())).await?.map(|(last, _)| last.run);
    let table = name::table(pipeline.table());
    let mut inputs = Vec::new();
    for mut plans in by_input.into_values() {
        plans.sort_by_key(|plan| plan.generation);
        let mut live: Option<(InputPlan, bool)> = None;
        for plan in plans {
            let unit = match &plan.run {
                Some(run) if pipeline.whole_runs() && last_run.as_ref() != Some(run) => continue,
                Some(run) => name::run_unit(pipeline.name(), run),
                None => name::unit(&plan.input, plan.generation),
            };
            let unit = document::<Unit>(store, &name::unit_document(&table, &unit)).await?;
            match unit.map(|(unit, _)| unit.state) {
                Some(UnitState::Replaced { .. } | UnitState::Discarded { .. }) => {}
                Some(UnitState::Loaded { .. }) => live = Some((plan, true)),
                // What is not loaded does not take the place of what is.
                _ if live.as_ref().is_some_and(|(_, is_loaded)| *is_loaded) => {}
                _ => live = Some((plan, false)),
            }
        }
        if let Some((plan, is_loaded)) = live
            && !is_replaced(store, pipeline, &plan).await?
        {
            inputs.push(read_input(store, &table, plan, is_loaded).await?);
        }
    }
    inputs.sort_by(|left, right| {
        let key = |input: &InputRejects| (input.plan.source.clone(), input.plan.batch_time);
        key(left).cmp(&key(right))
    });
    Ok(inputs)
}

/// Whether a later version of an object has taken the place of one.
async fn is_replaced(store: &impl Objects, pipeline: &Resolved, plan: &InputPlan) -> Result<bool, Error> {
    if pipeline.whole_runs() || pipeline.on_overwrite() != OnOverwrite::Replace {
        return Ok(false);
    }
    let record = document::<Source>(store, &name::source(pipeline.name(), &plan.source)).await?;
    let table = name::table(pipeline.table());
    let later =
        record.iter().flat_map(|(record, _)| &record.versions).skip_while(|version| version.input != plan.input);
    for version in later.skip(1) {
        let units = crate::store::units(store, &table, &version.input).await?;
        if units.iter().any(|(unit, _)| matches!(unit.state, UnitState::Loaded { .. } | UnitState::Pending)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many of a pipeline's objects are in the table, by its ledger rows, whose rejects are not in this store: it was lost, or
/// another one was used. Of an object the version counts that came last.
pub async fn kept_elsewhere(store: &impl Objects, pipeline: &Resolved, rows: &[LedgerRow]) -> Result<u64, Error> {
    let receipts: BTreeSet<String> = names(store, prefix::RECEIPTS.text).await?.into_iter().collect();
    let own = |row: &&LedgerRow| row.batch.pipeline == *pipeline.name();
    let last_load = rows.iter().filter(own).map(|row| row.loaded_at).max();
    let mut last: BTreeMap<&str, (i64, bool)> = BTreeMap::new();
    let is_there = |row: &&LedgerRow| own(row) && (!pipeline.whole_runs() || Some(row.loaded_at) == last_load);
    for row in standing(rows).into_iter().filter(is_there) {
        let is_unknown = !receipts.contains(&name::receipt(&row.batch.batch));
        let (time, has_unknown) = last.entry(&row.batch.source).or_insert((row.batch.batch_time, false));
        match row.batch.batch_time.cmp(time) {
            Ordering::Greater => (*time, *has_unknown) = (row.batch.batch_time, is_unknown),
            Ordering::Equal => *has_unknown |= is_unknown,
            Ordering::Less => {}
        }
    }
    Ok(last.values().filter(|(_, has_unknown)| *has_unknown).count() as u64)
}

async fn read_input(
    store: &impl Objects,
    table: &str,
    plan: InputPlan,
    is_loaded: bool,
) -> Result<InputRejects, Error> {
    let mut marks = Vec::new();
    for place in names(store, &name::marks(&plan.input, None)).await? {
        if let Some((decision, _)) = document::<Marks>(store, &place).await? {
            marks.push(decision);
        }
    }
    // What was sent again before all of it was loaded again is out of date.
    let mut plans = vec![&plan];
    let redriven = marks.iter().filter_map(|marks| marks.redrive.as_ref());
    for again in redriven.filter(|again| again.generation > plan.generation) {
        let unit = name::unit_document(table, &name::unit(&again.input, again.generation));
        let unit = document::<Unit>(store, &unit).await?;
        if !unit.is_some_and(|(unit, _)| matches!(unit.state, UnitState::Discarded { .. })) {
            plans.push(again);
        }
    }
    let mut rejects = Vec::new();
    let mut fingerprints = BTreeMap::new();
    let (mut total, mut lost) = (Some(0), 0);
    for task in plans.into_iter().flat_map(InputPlan::tasks) {
        // Without a receipt a quarantine does not exist.
        let receipt = receipt(store, &task.batch).await?;
        if task.plan.generation == plan.generation {
            total = total.zip(receipt.as_ref()).map(|(total, receipt)| total + receipt.coverage.total);
        }
        let Some(quarantined) = receipt.map(|receipt| receipt.counts.quarantined).filter(|count| *count > 0) else {
            continue;
        };
        let known = rejects.len() as u64;
        fingerprints.insert(task.batch.clone(), task.plan.fingerprint.clone());
        for piece in names(store, &name::quarantine(&task.batch, "")).await? {
            let bytes = store.get(&piece).await?;
            for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                let reject: Reject = serde_json::from_slice(line)
                    .map_err(|error| Error::new(ErrorKind::Refused, format!("{piece} is no quarantine: {error}")))?;
                let decision = marks.iter().find(|marks| marks.has(&task.batch, reject.place.offset));
                let state = match decision {
                    None => State::Open,
                    Some(Marks { redrive: Some(_), .. }) => State::Redriven,
                    Some(_) => State::Discarded,
                };
                rejects.push(Kept { state, batch: task.batch.clone(), reject });
            }
        }
        lost += quarantined.saturating_sub(rejects.len() as u64 - known);
    }
    Ok(InputRejects { plan, is_loaded, marks, rejects, fingerprints, total, lost })
}

/// How many of the open rejects would pass, by the reason that they were rejected for; one with two counts for both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Open rejects.
    pub open: u64,
    /// Those that would be staged.
    pub pass: u64,
    /// Those that `where` would leave out.
    pub filtered: u64,
    /// Those that would be rejected again.
    pub fail: u64,
    /// Objects that are not loaded: a redrive leaves their rejects, and a run reads them again as a whole.
    pub not_loaded: BTreeSet<String>,
    /// Objects that are not there any more as they were read: a redrive leaves their rejects open.
    pub not_there: BTreeSet<String>,
    /// By the reason in quarantine: how many are open, and how many of them would pass.
    pub reasons: BTreeMap<String, (u64, u64)>,
}

/// Refuses a redrive where single records cannot be added to what is loaded.
pub fn may_be_redriven(pipeline: &Resolved) -> Result<(), Error> {
    let message = if pipeline.whole_runs() {
        "a load takes the place of all rows of the table, so that records cannot be added; run the pipeline again"
    } else if pipeline.table().dedupe.is_some() {
        "`dedupe` compares the rows of a file with each other, so that records cannot be added; load the file again, with `etalon \
         reload`"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Refused, message))
}

/// Sends the open rejects of inputs through a pipeline, and keeps nothing.
pub async fn forecast(pipeline: &Pipeline, inputs: &[InputRejects], source: &impl Objects) -> Result<Forecast, Error> {
    let mut forecast = Forecast::default();
    for input in inputs {
        let records = input.marks_of(input.open()).again();
        if records.records.is_empty() {
            continue;
        }
        if !input.is_loaded {
            forecast.not_loaded.insert(input.plan.source.clone());
            continue;
        }
        let Some(object) = still_there(source, &input.plan).await? else {
            forecast.not_there.insert(input.plan.source.clone());
            continue;
        };
        let task = only_task(pipeline.plan_again(&input.plan, input.next()))?;
        forecast.open += records.records.len() as u64;
        let (pass, fail) = passing(pipeline, &task, records, (source, &object)).await?;
        forecast.pass += pass.len() as u64;
        forecast.fail += fail;
        for kept in input.rejects.iter().filter(|kept| kept.state == State::Open) {
            for reason in &kept.reject.reasons {
                let counts = forecast.reasons.entry(format!("{} {}", reason.code, reason.subject)).or_default();
                counts.0 += 1;
                counts.1 += u64::from(pass.contains(&kept.reject.place.offset));
            }
        }
    }
    forecast.filtered = forecast.open - forecast.pass - forecast.fail;
    Ok(forecast)
}

/// The object that an input was read from, if it is still there in that version.
pub(crate) async fn still_there(source: &impl Objects, plan: &InputPlan) -> Result<Option<Object>, Error> {
    match same(source, plan).await {
        Err(error) if matches!(error.kind(), ErrorKind::Changed | ErrorKind::NotFound) => Ok(None),
        found => found.map(Some),
    }
}

/// The records that would be staged, and how many would be rejected.
async fn passing(
    pipeline: &Pipeline,
    task: &Task,
    records: Again,
    (source, object): (&impl Objects, &Object),
) -> Result<(BTreeSet<u64>, u64), Error> {
    let mut rows = pipeline.rows_again(task, records);
    let (mut pass, mut fail) = (BTreeSet::new(), 0);
    loop {
        match output(&mut rows, object, source, &Quiet).await? {
            RowOutput::Rows(records, outcome) => {
                let offset = |&row: &usize| records.places.get(row).map(|place: &Place| place.offset);
                pass.extend(outcome.accepted_rows.iter().filter_map(offset));
                fail += (outcome.rejected.len() + records.rejects.len()) as u64;
            }
            RowOutput::Finished(..) => return Ok((pass, fail)),
        }
    }
}

/// Discards the open rejects that `chosen` picks; gives how many they were.
pub async fn discard(
    pipeline: &Resolved,
    store: &impl Objects,
    chosen: impl Fn(&Reject) -> bool,
) -> Result<u64, Error> {
    let mut count = 0;
    for input in read(store, pipeline).await? {
        let mut records: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for kept in input.rejects.iter().filter(|kept| kept.state == State::Open && chosen(&kept.reject)) {
            count += u64::from(records.entry(kept.batch.clone()).or_default().insert(kept.reject.place.offset));
        }
        if !records.is_empty() {
            let marks = input.marks_of(records);
            put(store, &name::marks(&input.plan.input, Some(input.next())), &marks, Put::IfAbsent).await?;
        }
    }
    Ok(count)
}

/// The task of a plan that is not cut.
fn only_task(plan: InputPlan) -> Result<Task, Error> {
    let refused = || Error::new(ErrorKind::Refused, format!("the plan of {} has no range", plan.source));
    plan.tasks().into_iter().next().ok_or_else(refused)
}
