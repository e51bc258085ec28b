//! The transform loop: one task, from bytes to staged parts, quarantine and receipt.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, TaskStep};
use etalon_core::plan::{Object, Task};
use etalon_core::receipt::Receipt;

use crate::ports::{Objects, Progress, Put};

/// The name of a batch's receipt.
pub fn receipt_name(batch: &str) -> String {
    format!("receipts/{batch}.json")
}

/// The name of a staged part.
pub fn part_name(batch: &str, part: &str) -> String {
    format!("staged/{batch}/{part}")
}

/// The name of a piece of a batch's quarantine.
pub fn quarantine_name(batch: &str, piece: &str) -> String {
    format!("quarantine/{batch}/{piece}")
}

/// The receipt of a batch, if the batch is done.
pub async fn receipt(store: &impl Objects, batch: &str) -> Result<Option<Receipt>, Error> {
    let name = receipt_name(batch);
    match store.get(&name).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(receipt) => Ok(Some(receipt)),
            Err(error) => Err(Error::new(ErrorKind::Refused, format!("{name} is not a receipt: {error}"))),
        },
    }
}

/// Runs a task, unless its receipt is there already. The receipt is written last: without it the parts do not exist.
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
            TaskStep::Part(part, bytes) => {
                store.put(&part_name(&task.batch, &part.name), &bytes, Put::Always).await?;
            }
            TaskStep::Quarantine(piece, bytes) => {
                store.put(&quarantine_name(&task.batch, &piece), &bytes, Put::Always).await?;
            }
            TaskStep::Finished(receipt) => {
                let text = json(&receipt)?;
                return match store.put(&receipt_name(&task.batch), &text, Put::IfAbsent).await {
                    // Somebody else did the same task: the same bytes under the same names.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(receipt),
                    Err(error) => Err(error),
                    Ok(()) => Ok(receipt),
                };
            }
        }
    }
}

/// A value as indented JSON with a line end.
pub fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Refused, format!("a record of the run cannot be written: {error}")))?;
    text.push(b'\n');
    Ok(text)
}
