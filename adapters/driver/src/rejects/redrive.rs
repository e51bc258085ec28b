//! Redrive: sending records in quarantine through a mended pipeline once more.
//!
//! A redrive is a batch of its own, in the next generation of its input: the records are read again from the source, at the
//! places that quarantine names, of the version that was read then. What fails again is in that batch's quarantine.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, RowOutput};
use etalon_core::plan::{InputPlan, Object, Task};
use etalon_core::protocol::{Marks, name};
use etalon_core::receipt::{Counts, Receipt};
use etalon_core::reject::Place;
use etalon_core::warehouse::LoadCounts;
use serde::Serialize;

use super::{InputRejects, State, read};
use crate::ports::{Clock, Objects, Put, Quiet, Warehouse};
use crate::run::staged;
use crate::store::{put, put_once, receipt};
use crate::transform::{self, keep, object, output};

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
    /// By the reason in quarantine: how many are open, and how many of them would pass.
    pub reasons: BTreeMap<String, (u64, u64)>,
}

/// Sends the open rejects of inputs through a pipeline, and keeps nothing.
pub async fn forecast(pipeline: &Pipeline, inputs: &[InputRejects], source: &impl Objects) -> Result<Forecast, Error> {
    let mut forecast = Forecast::default();
    for input in inputs {
        let offsets: BTreeSet<u64> = input.open().into_values().flatten().collect();
        if offsets.is_empty() {
            continue;
        }
        let task = only_task(pipeline.plan_again(&input.plan, input.next()))?;
        let (pass, fail) = passing(pipeline, &task, &offsets, source).await?;
        forecast.open += offsets.len() as u64;
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

/// The records that would be staged, and how many would be rejected.
async fn passing(
    pipeline: &Pipeline,
    task: &Task,
    offsets: &BTreeSet<u64>,
    source: &impl Objects,
) -> Result<(BTreeSet<u64>, u64), Error> {
    let object = same(source, &task.plan).await?;
    let mut rows = pipeline.rows_again(task, offsets.clone());
    let (mut pass, mut fail) = (BTreeSet::new(), 0);
    loop {
        match output(&mut rows, &object, source, &Quiet).await? {
            RowOutput::Rows(records, outcome) => {
                let offset = |&row: &usize| records.places.get(row).map(|place: &Place| place.offset);
                pass.extend(outcome.accepted_rows.iter().filter_map(offset));
                fail += (outcome.rejected.len() + records.rejects.len()) as u64;
            }
            RowOutput::Finished(..) => return Ok((pass, fail)),
        }
    }
}

/// What a redrive did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// What became of the records that were open: `read` is how many they were.
    pub counts: Counts,
    /// What became of the staged rows; none if nothing was loaded.
    pub load: Option<LoadCounts>,
    /// Inputs that are not in the table, so that their rejects have to wait for them.
    pub waiting: Vec<String>,
    /// Why nothing was loaded, if that is so.
    pub held: Vec<String>,
}

/// Sends the open rejects through a pipeline, and loads what passes. An input of which nothing would pass is left alone. What
/// an interrupted redrive has left undone is done first.
pub async fn redrive<W: Warehouse>(
    pipeline: &Pipeline,
    text: &str,
    source: &impl Objects,
    store: &impl Objects,
    warehouse: &mut W,
    clock: &impl Clock,
) -> Result<Redriven, Error> {
    if pipeline.whole_runs {
        let message =
            "a load takes the place of all rows of the table, so that records cannot be added; run the pipeline again";
        return Err(Error::new(ErrorKind::Refused, message));
    }
    put_once(store, &name::pipeline(&pipeline.fingerprint), text.as_bytes()).await?;
    let loaded = warehouse.loaded(&pipeline.table).await?;
    let is_loaded =
        |plan: &InputPlan| loaded.iter().any(|row| row.input == plan.input && row.generation == plan.generation);
    let mut redriven = Redriven::default();
    let mut done: Vec<(Task, Receipt)> = Vec::new();
    for input in read(store, pipeline).await? {
        let open = input.open();
        if !is_loaded(&input.plan) {
            if !open.is_empty() {
                redriven.waiting.push(input.plan.source.clone());
            }
            continue;
        }
        let mut unfinished = false;
        for (number, marks) in (1..).zip(&input.marks) {
            if let Some(plan) = marks.redrive.as_ref().filter(|plan| !is_loaded(plan)) {
                done.push(again(pipeline, number, plan, marks, source, store).await?);
                unfinished = true;
            }
        }
        // What fails again there is not known yet to be open or not.
        if unfinished {
            continue;
        }
        let plan = pipeline.plan_again(&input.plan, input.next());
        let marks = Marks { redrive: Some(plan.clone()), records: open };
        let offsets = marks.offsets();
        if offsets.is_empty() {
            continue;
        }
        let (pass, fail) = passing(pipeline, &only_task(plan.clone())?, &offsets, source).await?;
        if pass.is_empty() && fail == offsets.len() as u64 {
            continue;
        }
        put(store, &name::marks(&input.plan.input, Some(input.next())), &marks, Put::IfAbsent).await?;
        done.push(again(pipeline, input.next(), &plan, &marks, source, store).await?);
    }
    for (_, receipt) in &done {
        redriven.counts.add(receipt.counts);
        redriven.held.extend(receipt.incomplete.iter().map(|why| format!("{}: {why}", receipt.source)));
        let failed = receipt.failed_checks.iter();
        redriven.held.extend(
            failed.map(|(check, rows)| format!("{}: {check} failed for {rows} rows, and must not", receipt.source)),
        );
    }
    if done.is_empty() || !redriven.held.is_empty() {
        return Ok(redriven);
    }
    let batches: Vec<_> = done.iter().map(|(task, receipt)| pipeline.load_batch(task, receipt, false)).collect();
    let parts =
        || done.iter().flat_map(|(_, receipt)| receipt.parts.iter().map(|part| name::part(&receipt.batch, &part.name)));
    let mut rows = parts().flat_map(|part| staged(pipeline, store, &part));
    redriven.load = Some(warehouse.load(&pipeline.table, &batches, &mut rows, clock.now()).await?);
    for part in parts() {
        store.delete(&part).await?;
    }
    Ok(redriven)
}

/// Runs a redrive's task, unless it is done. One that was begun with another pipeline file and not loaded is begun anew:
/// whoever mended the file and asks again has decided.
async fn again(
    pipeline: &Pipeline,
    number: u32,
    plan: &InputPlan,
    marks: &Marks,
    source: &impl Objects,
    store: &impl Objects,
) -> Result<(Task, Receipt), Error> {
    let mut plan = plan.clone();
    if plan.fingerprint != pipeline.fingerprint {
        plan = pipeline.plan_again(&plan, plan.generation);
        let renewed = Marks { redrive: Some(plan.clone()), ..marks.clone() };
        put(store, &name::marks(&plan.input, Some(number)), &renewed, Put::Always).await?;
    }
    let task = only_task(plan)?;
    if let Some(receipt) = receipt(store, &task.batch).await? {
        return Ok((task, receipt));
    }
    let object = same(source, &task.plan).await?;
    let receipt = transform::stage(pipeline.task_again(&task, marks.offsets()), &task, source, store, &Quiet).await?;
    let (read, marked) = (receipt.counts.read, marks.offsets().len() as u64);
    if read != marked {
        let message = format!("{}: {read} of {marked} records were found at their places", object.name);
        return Err(Error::new(ErrorKind::Changed, message));
    }
    Ok((task, keep(store, receipt).await?))
}

/// The object of a plan, if it is still what was planned.
async fn same(source: &impl Objects, plan: &InputPlan) -> Result<Object, Error> {
    let planned = object(plan);
    let now = source.head(&planned.name).await?;
    if now.version != planned.version {
        let message = format!("{}: its bytes are others than those that were read", planned.name);
        return Err(Error::new(ErrorKind::Changed, message));
    }
    Ok(planned)
}

/// The task of a plan that is not cut.
fn only_task(plan: InputPlan) -> Result<Task, Error> {
    let refused = || Error::new(ErrorKind::Refused, format!("the plan of {} has no range", plan.source));
    plan.tasks().into_iter().next().ok_or_else(refused)
}
