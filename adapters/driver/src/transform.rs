//! The transform loop: a task, from bytes to staged parts, quarantine and receipt; and, when it was the last of its unit,
//! the unit's judgement.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, TaskStep};
use etalon_core::plan::{InputPlan, Object, Task};
use etalon_core::protocol::{Leg, LoadMessage, TaskMessage, Unit, UnitState, name, parse, print};
use etalon_core::receipt::Receipt;

use crate::deployed::Deployed;
use crate::ports::{Entry, Fact, Message, Objects, Order, Progress, Put, Queue, Quiet, Witness};
use crate::store::{Handled, document, put, put_once, send};

/// The world of transform.
#[derive(Debug)]
pub struct Transform<'a, S, T, L, W> {
    /// The pipeline that is deployed.
    pub deployed: &'a Deployed,
    /// Where the objects are.
    pub source: &'a S,
    /// Where plans, parts, quarantine, receipts and units are kept.
    pub store: &'a T,
    /// Where loaders are told to look.
    pub loads: &'a L,
    /// Who sees what happens.
    pub witness: &'a W,
}

impl<S: Objects, T: Objects, L: Queue, W: Witness> Transform<'_, S, T, L, W> {
    /// Handles a task message.
    pub async fn handle(&self, message: &Message) -> Handled {
        self.work(message).await.into()
    }

    async fn work(&self, message: &Message) -> Result<(), Error> {
        let TaskMessage { input, generation, range } = parse(message.body.as_bytes())?;
        let plan = plan(self.store, &input, generation).await?;
        let tasks = plan.tasks();
        let Some(task) = tasks.get(range) else {
            let ranges = tasks.len();
            return Err(Error::new(ErrorKind::Refused, format!("range {range} of input {input}, which has {ranges}")));
        };
        let pipeline = self.deployed.pipeline(self.store, &plan.fingerprint).await?;
        if receipt(self.store, &task.batch).await?.is_none() {
            let receipt = match transform(&pipeline, task, self.source, self.store, &Quiet).await {
                // The version that was planned cannot be read any more. That is told, and the unit waits for a decision.
                Err(error) if matches!(error.kind(), ErrorKind::Changed | ErrorKind::NotFound) => {
                    keep(self.store, pipeline.unread(task, error.to_string())).await?
                }
                done => done?,
            };
            self.witness.saw(&Fact::Transformed(&receipt));
        }
        match &plan.run {
            None => {
                let unit_name = name::unit(&plan.input, plan.generation);
                complete_unit(&pipeline, self.store, (self.loads, self.witness), unit_name, vec![plan]).await
            }
            Some(run) => complete_run(self.deployed, self.store, self.loads, self.witness, run).await,
        }
    }
}

/// Judges a run, if it has met all its inputs and all their receipts are there.
pub(crate) async fn complete_run(
    deployed: &Deployed,
    store: &impl Objects,
    loads: &impl Queue,
    witness: &impl Witness,
    run: &str,
) -> Result<(), Error> {
    let plans = plans_of(&deployed.pipeline.name, run, store).await?.unwrap_or_default();
    let Some(first) = plans.first() else { return Ok(()) };
    let pipeline = deployed.pipeline(store, &first.fingerprint).await?;
    complete_unit(&pipeline, store, (loads, witness), name::run_unit(&pipeline.name, run), plans).await
}

/// Judges a unit, if the receipts of all its plans are there.
async fn complete_unit(
    pipeline: &Pipeline,
    store: &impl Objects,
    told: (&impl Queue, &impl Witness),
    unit_name: String,
    plans: Vec<InputPlan>,
) -> Result<(), Error> {
    let mut inputs = Vec::new();
    for plan in plans {
        // Later ranges are likely to be missing, and one that is missing is enough.
        let mut receipts = Vec::new();
        for task in plan.tasks().iter().rev() {
            match receipt(store, &task.batch).await? {
                Some(receipt) => receipts.push(receipt),
                None => return Ok(()),
            }
        }
        receipts.reverse();
        inputs.push((plan, receipts));
    }
    judged(store, told, &name::table(&pipeline.table), pipeline.unit(unit_name, &inputs)).await
}

/// The plans of a run, if the run has met all its inputs and planned them.
async fn plans_of(pipeline: &str, run: &str, store: &impl Objects) -> Result<Option<Vec<InputPlan>>, Error> {
    let mut plans = Vec::new();
    for hop in 0.. {
        let Some((leg, _)) = document::<Leg>(store, &name::leg(pipeline, run, Some(hop))).await? else {
            return Ok(None);
        };
        for met in &leg.plans {
            match plan(store, &met.input, met.generation).await {
                Ok(plan) => plans.push(plan),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        if leg.is_last {
            break;
        }
    }
    Ok(Some(plans))
}

/// Keeps a unit whose receipts are all there, unless it is kept already, and sees that somebody looks at it.
async fn judged(
    store: &impl Objects,
    (loads, witness): (&impl Queue, &impl Witness),
    table: &str,
    unit: Unit,
) -> Result<(), Error> {
    let place = name::unit_document(table, &unit.name);
    let unit = match put(store, &place, &unit, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match document::<Unit>(store, &place).await? {
            Some((unit, _)) => unit,
            None => return Err(Error::new(ErrorKind::Changed, format!("{place} has gone"))),
        },
        done => done.map(|_| unit)?,
    };
    witness.saw(&Fact::Judged(&unit));
    announce(store, loads, table, &unit, "").await
}

/// Marks a unit as its state says, and sends a loader to look if it is pending. `cause` tells announcements of the same unit
/// apart that come within minutes.
pub async fn announce(
    store: &impl Objects,
    loads: &impl Queue,
    table: &str,
    unit: &Unit,
    cause: &str,
) -> Result<(), Error> {
    let unit_name = &unit.name;
    match unit.state {
        UnitState::Loaded { .. } | UnitState::Discarded => Ok(()),
        UnitState::Held { .. } => put_once(store, &name::held(table, unit_name), b"").await,
        UnitState::Pending => {
            put_once(store, &name::pending(table, unit_name), b"").await?;
            let body = print(&LoadMessage { table: table.to_owned() });
            let order = Order { group: name::group(table), deduplication: format!("{unit_name}{cause}") };
            send(loads, vec![Entry { body, order: Some(order) }]).await
        }
    }
}

/// The plan of an input; without it nothing can be done, now or later.
pub async fn plan(store: &impl Objects, input: &str, generation: u32) -> Result<InputPlan, Error> {
    let place = name::plan(input, generation);
    let bytes = store.get(&place).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::new(ErrorKind::Refused, format!("{place} is not a plan: {error}")))
}

/// The receipt of a batch, if the batch is done.
pub async fn receipt(store: &impl Objects, batch: &str) -> Result<Option<Receipt>, Error> {
    let place = name::receipt(batch);
    match store.get(&place).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(receipt) => Ok(Some(receipt)),
            Err(error) => Err(Error::new(ErrorKind::Refused, format!("{place} is not a receipt: {error}"))),
        },
    }
}

/// Runs a task, unless its receipt is there already.
pub async fn run(
    pipeline: &Pipeline,
    task: &Task,
    source: &impl Objects,
    store: &impl Objects,
    progress: &impl Progress,
) -> Result<Receipt, Error> {
    if let Some(receipt) = receipt(store, &task.batch).await? {
        progress.advance(task.range.end - task.range.start);
        return Ok(receipt);
    }
    transform(pipeline, task, source, store, progress).await
}

/// Runs a task. The receipt is written last: without it the parts do not exist.
async fn transform(
    pipeline: &Pipeline,
    task: &Task,
    source: &impl Objects,
    store: &impl Objects,
    progress: &impl Progress,
) -> Result<Receipt, Error> {
    let object =
        Object { name: task.plan.source.clone(), version: task.plan.source_version.clone(), size: task.plan.size };
    let mut run = pipeline.task(task);
    loop {
        match run.step()? {
            TaskStep::NeedsData(range) => {
                let bytes = source.read(&object, range).await?;
                run.push(&bytes);
                progress.advance(bytes.len() as u64);
            }
            TaskStep::Finished(receipt) => return keep(store, receipt).await,
            step => stage(store, &task.batch, step).await?,
        }
    }
}

/// Keeps what a task hands out before its receipt.
pub(crate) async fn stage(store: &impl Objects, batch: &str, step: TaskStep) -> Result<(), Error> {
    let (place, bytes) = match step {
        TaskStep::Part(part, bytes) => (name::part(batch, &part.name), bytes),
        TaskStep::Quarantine(piece, bytes) => (name::quarantine(batch, &piece), bytes),
        TaskStep::NeedsData(_) | TaskStep::Finished(_) => return Ok(()),
    };
    store.put(&place, &bytes, Put::Always).await.map(drop)
}

/// Keeps a receipt. Where somebody else has done the same task, theirs counts.
pub(crate) async fn keep(store: &impl Objects, made: Receipt) -> Result<Receipt, Error> {
    match store.put(&name::receipt(&made.batch), &json(&made)?, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok(receipt(store, &made.batch).await?.unwrap_or(made))
        }
        done => done.map(|_| made),
    }
}

/// A value as indented JSON with a line end.
pub fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Refused, format!("a record of the run cannot be written: {error}")))?;
    text.push(b'\n');
    Ok(text)
}
