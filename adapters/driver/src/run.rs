//! A run on one machine: plan the inputs that are new, run their tasks on the machine's cores, judge the whole run as one
//! unit, load it in one transaction.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::pipeline::{Pipeline, Verdict};
use etalon_core::plan::{InputPlan, Object, Task};
use etalon_core::protocol::{name, prefix};
use etalon_core::receipt::{Counts, Coverage, Receipt};
use etalon_core::warehouse::LoadBatch;

use crate::ports::{Clock, Loaded, Objects, Progress, Put, Warehouse};
use crate::report::{InputReport, RunReport, RunState};
use crate::store::{json, names, put_once, receipt};
use crate::transform;

/// How a run is to be done.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// `batch_time()` in microseconds since 1970; the time at which an input is first planned, if not said.
    pub batch_time: Option<i64>,
    /// Tasks at a time; the machine's cores, if not said.
    pub workers: Option<NonZero<usize>>,
    /// Load also what would be held: somebody has looked at it and decided.
    pub release: bool,
}

/// The world of a run.
#[derive(Debug)]
pub struct World<'a, S, T, W, C, P> {
    /// Where the objects are.
    pub source: &'a S,
    /// Where plans, parts, quarantine and receipts are kept.
    pub store: &'a T,
    /// Where rows go.
    pub warehouse: &'a mut W,
    /// What time it is.
    pub clock: &'a C,
    /// Who wants to know how far the run is.
    pub progress: &'a P,
}

/// Runs a pipeline over objects. `text` is the pipeline file, which is kept under its fingerprint.
pub async fn run<S: Objects, T: Objects, W: Warehouse, C: Clock, P: Progress>(
    pipeline: &Pipeline,
    text: &str,
    objects: &[Object],
    world: World<'_, S, T, W, C, P>,
    options: &RunOptions,
) -> Result<RunReport, Error> {
    let World { source, store, warehouse, clock, progress } = world;
    let loaded = warehouse.loaded(&pipeline.table).await?;
    remove_loaded_parts(store, &loaded).await?;
    let Unit { mut report, plans, tasks, receipts } =
        unit(pipeline, text, objects, &loaded, (source, store, clock, progress), options).await?;
    if report.state != RunState::Staged {
        return Ok(report);
    }
    let replaces = |task: &Task| {
        pipeline.on_overwrite == OnOverwrite::Replace
            && plans.iter().any(|(plan, overwritten)| *overwritten && plan.input == task.plan.input)
    };
    let batches: Vec<LoadBatch> =
        tasks.iter().zip(&receipts).map(|(task, receipt)| pipeline.load_batch(task, receipt, replaces(task))).collect();
    let mut rows = receipts.iter().flat_map(|receipt| {
        receipt.parts.iter().flat_map(move |part| staged(pipeline, store, &name::part(&receipt.batch, &part.name)))
    });
    report.load = Some(warehouse.load(&pipeline.table, &batches, &mut rows, clock.now()).await?);
    report.state = RunState::Loaded;
    // The rows are in the table and the ledger says so; their parts have done their work.
    for receipt in &receipts {
        for part in &receipt.parts {
            store.delete(&name::part(&receipt.batch, &part.name)).await?;
        }
    }
    Ok(report)
}

/// Stages objects and loads nothing: parts, quarantine and receipts stay in the store.
pub async fn stage<S: Objects, T: Objects, C: Clock, P: Progress>(
    pipeline: &Pipeline,
    text: &str,
    objects: &[Object],
    (source, store, clock, progress): (&S, &T, &C, &P),
    options: &RunOptions,
) -> Result<RunReport, Error> {
    Ok(unit(pipeline, text, objects, &[], (source, store, clock, progress), options).await?.report)
}

/// A run, staged and judged.
struct Unit {
    report: RunReport,
    /// The plans of new inputs, and whether each is a new version of an object that was loaded before.
    plans: Vec<(InputPlan, bool)>,
    tasks: Vec<Task>,
    receipts: Vec<Receipt>,
}

/// Plans what has not been loaded, runs the tasks, judges them as one unit.
async fn unit<S: Objects, T: Objects, C: Clock, P: Progress>(
    pipeline: &Pipeline,
    text: &str,
    objects: &[Object],
    loaded: &[Loaded],
    (source, store, clock, progress): (&S, &T, &C, &P),
    options: &RunOptions,
) -> Result<Unit, Error> {
    put_once(store, &name::pipeline(&pipeline.fingerprint), text.as_bytes()).await?;

    let mut unit = Unit {
        report: RunReport {
            pipeline: pipeline.name.clone(),
            table: table_name(pipeline),
            state: RunState::NothingNew,
            inputs: Vec::new(),
            counts: Counts::default(),
            coverage: Coverage::default(),
            reasons: Default::default(),
            warnings: Default::default(),
            undeclared_records: 0,
            load: None,
            quarantine: Vec::new(),
        },
        plans: Vec::new(),
        tasks: Vec::new(),
        receipts: Vec::new(),
    };
    let discarded = names(store, DISCARDED).await?;
    let mut held = Vec::new();
    let replaces_all = pipeline.whole_runs;
    let planned = objects.iter().map(|object| {
        let plan = pipeline.plan(object, options.batch_time.unwrap_or_else(|| clock.now()));
        let generation = loaded.iter().filter(|row| row.input == plan.input).map(|row| row.generation).max();
        (object, plan, generation)
    });
    let planned: Vec<(&Object, InputPlan, Option<u32>)> = planned.collect();
    // A run that takes the place of all rows has all objects in it, also those that were loaded before.
    let is_new = |(_, plan, generation): &(&Object, InputPlan, Option<u32>)| {
        generation.is_none() && !discarded.contains(&discarded_name(&plan.input))
    };
    let brings_all = replaces_all && planned.iter().any(is_new);
    for (object, mut plan, generation) in planned {
        let loaded_before = generation.is_some() && !brings_all;
        plan.generation = generation.filter(|_| brings_all).map_or(0, |generation| generation + 1);
        unit.report.inputs.push(InputReport {
            source: object.name.clone(),
            version: object.version.clone(),
            bytes: object.size,
            loaded_before,
            discarded: discarded.contains(&discarded_name(&plan.input)),
        });
        if unit.report.inputs.last().is_some_and(|input| input.loaded_before || input.discarded) {
            continue;
        }
        let overwritten = is_known(loaded, &object.name) && !replaces_all;
        if overwritten && pipeline.on_overwrite == OnOverwrite::Fail {
            held.push(format!(
                "{} was loaded before, and its bytes are others now; say `on_overwrite: replace` or `add`",
                object.name
            ));
        }
        unit.plans.push((settle(store, plan, options).await?, overwritten));
    }
    if unit.plans.is_empty() {
        return Ok(unit);
    }

    unit.tasks = unit.plans.iter().flat_map(|(plan, _)| plan.tasks()).collect();
    for task in &unit.tasks {
        forget_without_parts(store, task).await?;
    }
    progress.total(unit.tasks.iter().map(|task| task.range.end - task.range.start).sum());
    unit.receipts = run_tasks(pipeline, &unit.tasks, source, store, progress, options.workers)?;
    for (task, receipt) in unit.tasks.iter().zip(&unit.receipts) {
        unit.report.add(receipt);
        if receipt.counts.quarantined > 0 {
            unit.report.quarantine.push(name::quarantine(&task.batch, ""));
        }
    }
    if let Verdict::Held(reasons) = pipeline.judge(&unit.receipts) {
        held.extend(reasons);
    }
    unit.report.state = if held.is_empty() || options.release { RunState::Staged } else { RunState::Held(held) };
    Ok(unit)
}

/// Removes staged parts that are in the table: a run that was killed after its load has left them.
async fn remove_loaded_parts(store: &impl Objects, loaded: &[Loaded]) -> Result<(), Error> {
    for part in names(store, prefix::STAGED.text).await? {
        let batch = part.split('/').nth(1).unwrap_or_default();
        if loaded.iter().any(|row| row.batch == batch) {
            store.delete(&part).await?;
        }
    }
    Ok(())
}

/// Decides that what is planned and not loaded of these objects is not loaded, now or later; gives what that is.
pub async fn discard<T: Objects, W: Warehouse>(
    pipeline: &Pipeline,
    objects: &[Object],
    store: &T,
    warehouse: &mut W,
) -> Result<Vec<String>, Error> {
    let loaded = warehouse.loaded(&pipeline.table).await?;
    let mut discarded = Vec::new();
    for object in objects {
        let input = pipeline.plan(object, 0).input;
        let is_planned = !store.list(&name::plan(&input, 0), None, 1).await?.is_empty();
        if is_planned && !loaded.iter().any(|row| row.input == input) {
            put_once(store, &discarded_name(&input), b"").await?;
            discarded.push(object.name.clone());
        }
    }
    Ok(discarded)
}

/// Where the marks of inputs lie that are not to be loaded.
const DISCARDED: &str = "discarded/";

fn discarded_name(input: &str) -> String {
    format!("{DISCARDED}{input}")
}

/// `schema.table` or `table`.
fn table_name(pipeline: &Pipeline) -> String {
    match &pipeline.table.schema {
        Some(schema) => format!("{schema}.{}", pipeline.table.name),
        None => pipeline.table.name.clone(),
    }
}

fn is_known(loaded: &[Loaded], source: &str) -> bool {
    loaded.iter().any(|row| row.source == source)
}

/// The plan that an input is run by: the first one that was written, so that its batch time stays.
///
/// On one machine the person who changed the pipeline file and runs it again has decided that the new one is to be used:
/// an input that was planned with another file and not loaded is planned anew, at the batch time of its first plan.
async fn settle(store: &impl Objects, plan: InputPlan, options: &RunOptions) -> Result<InputPlan, Error> {
    let name = name::plan(&plan.input, plan.generation);
    match store.put(&name, &json(&plan)?, Put::IfAbsent).await {
        Ok(_) => return Ok(plan),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let stored = store.get(&name).await?;
    let first: InputPlan = serde_json::from_slice(&stored)
        .map_err(|error| Error::new(ErrorKind::Refused, format!("{name} is not a plan: {error}")))?;
    let batch_time = options.batch_time.unwrap_or(first.batch_time);
    if first.fingerprint == plan.fingerprint && first.batch_time == batch_time {
        return Ok(first);
    }
    let replanned = InputPlan { batch_time, ..plan };
    // A batch's name does not tell its batch time: what was made at the other one is made again.
    for task in replanned.tasks() {
        store.delete(&name::receipt(&task.batch)).await?;
    }
    store.put(&name, &json(&replanned)?, Put::Always).await?;
    Ok(replanned)
}

/// Forgets a receipt whose parts are gone: they were loaded into another warehouse, and are made again for this one.
async fn forget_without_parts(store: &impl Objects, task: &Task) -> Result<(), Error> {
    let Some(receipt) = receipt(store, &task.batch).await? else { return Ok(()) };
    let there = names(store, &name::part(&task.batch, "")).await?;
    if receipt.parts.iter().all(|part| there.contains(&name::part(&task.batch, &part.name))) {
        return Ok(());
    }
    store.delete(&name::receipt(&task.batch)).await
}

/// Runs tasks on several threads; receipts come in the order of the tasks. The first error ends the run.
fn run_tasks(
    pipeline: &Pipeline,
    tasks: &[Task],
    source: &impl Objects,
    store: &impl Objects,
    progress: &impl Progress,
    workers: Option<NonZero<usize>>,
) -> Result<Vec<Receipt>, Error> {
    let cores = workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Result<Receipt, Error>>>> = Mutex::new(tasks.iter().map(|_| None).collect());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(index) else { return };
            let result = pollster::block_on(transform::run(pipeline, task, source, store, progress));
            if result.is_err() {
                next.store(tasks.len(), Ordering::Relaxed);
            }
            if let Ok(mut results) = results.lock() {
                results[index] = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..cores.min(tasks.len()) {
            scope.spawn(work);
        }
        work();
    });
    let results = results.into_inner().unwrap_or_default();
    // Tasks that were not begun because another failed have no result; that other's error is the answer.
    results.into_iter().flatten().collect()
}

/// The rows of a staged part.
pub(crate) fn staged(
    pipeline: &Pipeline,
    store: &impl Objects,
    name: &str,
) -> Box<dyn Iterator<Item = Result<arrow_array::RecordBatch, Error>>> {
    let refused = |name: &str, why: &str| Error::new(ErrorKind::Refused, format!("{name} is not a staged part: {why}"));
    let bytes = match pollster::block_on(store.get(name)) {
        Ok(bytes) => bytes,
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    match pipeline.read_part(bytes) {
        Ok(batches) => {
            let name = name.to_owned();
            Box::new(batches.map(move |batch| batch.map_err(|why| refused(&name, &why))))
        }
        Err(why) => Box::new(std::iter::once(Err(refused(name, &why)))),
    }
}
