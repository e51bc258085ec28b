//! Rival: another state folder whose pipeline has the same name and loads the same table. Each would take the rows of the other away
//! in turn, so that a run which would do so is refused.
//!
//! It shows where the table has another version of an object than the one that lies here, which this folder has never seen though it has
//! met the object before.

use std::collections::BTreeMap;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Resolved;
use etalon_core::plan::Object;
use etalon_core::protocol::{Source, name};
use etalon_core::warehouse::{LedgerRow, standing};

use crate::ports::Objects;
use crate::store::document;

/// Refuses a run that would take away rows which another state folder has loaded instead of those of this one.
pub(crate) async fn refuse(
    pipeline: &Resolved,
    store: &impl Objects,
    rows: &[LedgerRow],
    objects: &[Object],
) -> Result<(), Error> {
    // What was read as a whole run is in the table as the last run has it, whoever that was.
    if pipeline.whole_runs() {
        return Ok(());
    }
    let rows: Vec<LedgerRow> = rows.iter().filter(|row| row.batch.pipeline == *pipeline.name()).cloned().collect();
    let Some(source) = replaced_object(pipeline, store, &rows, objects).await? else { return Ok(()) };
    let (name, table) = (pipeline.name(), pipeline.table_name());
    let message = format!(
        "table `{table}` has rows of {source} that another state folder has loaded in place of those of this one, for a pipeline of the \
         same name, and they would be removed: give one of the two another name than `{name}`; if this folder is an older copy of \
         itself, and the file is to count as it is here: `etalon reload {source}`"
    );
    Err(Error::new(ErrorKind::Refused, message))
}

/// An object that this folder has met, and of which the table has only versions that it has never seen.
async fn replaced_object(
    pipeline: &Resolved,
    store: &impl Objects,
    rows: &[LedgerRow],
    objects: &[Object],
) -> Result<Option<String>, Error> {
    let mut there: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
    for row in standing(rows) {
        there.entry(&row.batch.source).or_default().push(row);
    }
    for object in objects {
        let Some(stand) = there.get(object.name.as_str()) else { continue };
        let has_replaced = |row: &&LedgerRow| row.batch.replaces_source && row.batch.source_version != object.version;
        if !stand.iter().all(has_replaced) {
            continue;
        }
        let place = name::source(pipeline.name(), &object.name);
        let Some((record, _)) = document::<Source>(store, &place).await? else { continue };
        let is_known = |row: &&LedgerRow| record.versions.iter().any(|version| version.input == row.batch.input);
        if !stand.iter().any(is_known) {
            return Ok(Some(object.name.clone()));
        }
    }
    Ok(None)
}
