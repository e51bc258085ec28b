//! The transform loop: turns the bytes of a task into staged parts, quarantine and a receipt. After the last task of a unit,
//! the unit is judged.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Run, Step, TaskOutput, TaskRun};
use etalon_core::plan::{Again, InputPlan, Object, Task};
use etalon_core::protocol::{Marks, TaskMessage, name, parse};
use etalon_core::receipt::Receipt;

use crate::deployed::Deployed;
use crate::judge::{complete_run, complete_unit};
use crate::ports::{Fact, Message, Objects, Progress, Put, Queue, Witness};
use crate::store::{Handled, document, is_unreadable, plan, put, put_once, receipt};

/// The ports of transform.
#[derive(Debug)]
pub struct Transform<'a, S, T, L, W, P> {
    /// The pipeline that is deployed.
    pub deployed: &'a Deployed,
    /// Where the objects are.
    pub source: &'a S,
    /// Where plans, parts, quarantine, receipts and units are kept.
    pub store: &'a T,
    /// The queue of messages to the loader.
    pub loads: &'a L,
    /// Who sees what happens.
    pub witness: &'a W,
    /// Who wants to know how far it is.
    pub progress: &'a P,
}

impl<S: Objects, T: Objects, L: Queue, W: Witness, P: Progress> Transform<'_, S, T, L, W, P> {
    /// Handles a task message.
    pub async fn handle(&self, message: &Message) -> Handled {
        self.work(message).await.into()
    }

    async fn work(&self, message: &Message) -> Result<(), Error> {
        let TaskMessage { input, generation, range } = parse(message.body.as_bytes())?;
        let plan = match plan(self.store, &input, generation).await {
            Err(error) if is_unreadable(&error) => {
                // By this mark the next run finds it, and plans the input anew.
                let table = name::table(self.deployed.pipeline.table());
                put_once(self.store, &name::held(&table, &name::unit(&input, generation)), b"").await?;
                return Err(error);
            }
            plan => plan?,
        };
        let tasks = plan.tasks();
        let Some(task) = tasks.get(range) else {
            let ranges = tasks.len();
            return Err(Error::new(
                ErrorKind::Refused,
                format!("the task is range {range} of input {input}, which has {ranges} ranges"),
            ));
        };
        let pipeline = self.deployed.pipeline(self.store, &plan.fingerprint).await?;
        if receipt(self.store, &task.batch).await?.is_none() {
            let receipt = match self.transform(&pipeline, task).await {
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

    async fn transform(&self, pipeline: &Pipeline, task: &Task) -> Result<Receipt, Error> {
        let run = match task.plan.redrives {
            None => pipeline.task(task),
            Some(number) => {
                // The records were rejected some time ago: their places are those of the version that was read then.
                same(self.source, &task.plan).await?;
                pipeline.task_again(task, self.again(&task.plan, number).await?)
            }
        };
        let receipt = stage(run, task, self.source, self.store, self.progress).await?;
        keep(self.store, receipt).await
    }

    /// The records that a decision about rejects is about.
    async fn again(&self, plan: &InputPlan, number: u32) -> Result<Again, Error> {
        let place = name::marks(&plan.input, Some(number));
        match document::<Marks>(self.store, &place).await? {
            Some((marks, _)) => Ok(marks.again()),
            None => Err(Error::new(ErrorKind::Refused, format!("{place} is gone, and {} needs it", plan.source))),
        }
    }
}

/// The object of a plan, if it is still what was planned.
pub(crate) async fn same(source: &impl Objects, plan: &InputPlan) -> Result<Object, Error> {
    let planned = object(plan);
    if !source.look(&planned.name).await?.is_of(&planned.version) {
        let message = format!("{}: its contents are not those that were read", planned.name);
        return Err(Error::new(ErrorKind::Changed, message));
    }
    Ok(planned)
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
    let receipt = stage(pipeline.task(task), task, source, store, progress).await?;
    keep(store, receipt).await
}

/// Runs a task to its end and keeps what it hands out before its receipt, which it gives. The receipt is to be kept last:
/// without it the parts do not exist.
pub(crate) async fn stage(
    mut run: TaskRun<'_>,
    task: &Task,
    source: &impl Objects,
    store: &impl Objects,
    progress: &impl Progress,
) -> Result<Receipt, Error> {
    let object = object(&task.plan);
    loop {
        let (place, bytes) = match output(&mut run, &object, source, progress).await? {
            TaskOutput::Part(part, bytes) => (name::part(&task.batch, &part.name), bytes),
            TaskOutput::Quarantine(piece, bytes) => (name::quarantine(&task.batch, &piece), bytes),
            TaskOutput::Finished(receipt) => return Ok(receipt),
        };
        store.give(&place, bytes, Put::Always).await?;
    }
}

/// The next output of a run over an object: every run is given its bytes here, and nowhere else.
pub async fn output<R: Run>(
    run: &mut R,
    object: &Object,
    source: &impl Objects,
    progress: &impl Progress,
) -> Result<R::Output, Error> {
    loop {
        match run.step()? {
            Step::NeedsData(range) => {
                let bytes = source.read(object, range).await?;
                run.push(&bytes);
                progress.advance(bytes.len() as u64);
            }
            Step::Has(output) => return Ok(output),
        }
    }
}

/// The object of a plan, as it was planned.
pub(crate) fn object(plan: &InputPlan) -> Object {
    Object { name: plan.source.clone(), version: plan.source_version.clone(), size: plan.size }
}

/// Stores a receipt. If another worker has done the same task, the other receipt counts.
pub(crate) async fn keep(store: &impl Objects, made: Receipt) -> Result<Receipt, Error> {
    match put(store, &name::receipt(&made.batch), &made, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Ok(receipt(store, &made.batch).await?.unwrap_or(made))
        }
        done => done.map(|_| made),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;

    /// Of two workers that do one task, both go on with the receipt that is kept.
    #[test]
    fn the_receipt_that_is_kept_counts() {
        let text = "{ etalon: 1, pipeline: p, source: { files: '*.csv', format: csv, fields: { a: } }, columns: { a: varchar(9) }, \
                    target: { table: t, write: append } }";
        let (pipeline, _) = Pipeline::compile(text).unwrap();
        let plan = pipeline.plan(&Object { name: "a.csv".to_owned(), version: "1".to_owned(), size: 2 }, 0);
        let task = plan.tasks().remove(0);
        let [first, second] = ["the first", "the second"].map(|why| pipeline.unread(&task, why.to_owned()));
        assert_ne!(first, second);
        pollster::block_on(async {
            let store = Memory::default();
            assert_eq!(keep(&store, first.clone()).await.unwrap(), first);
            assert_eq!(keep(&store, second).await.unwrap(), first);
            assert_eq!(receipt(&store, &task.batch).await.unwrap(), Some(first));
        });
    }
}
