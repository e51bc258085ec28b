//! Links: a link to a file is a source with the link's name. If it was loaded before under the name of its file, as older
//! versions of Etalon did, it keeps that name as long as it leads to that file, so that its rows are not loaded twice.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;
use etalon_core::protocol::{Source, name};
use etalon_core::warehouse::LedgerRow;

use crate::ports::{Objects, Progress};
use crate::store::document;

/// Objects, each by the name under which it was loaded or met; `links` has those that are links to files, with the names of
/// these. It is told where a link leads elsewhere than one that was loaded under the name of its file.
pub(crate) async fn as_loaded(
    pipeline: &Pipeline,
    store: &impl Objects,
    rows: &[LedgerRow],
    (objects, links): (&[Object], &BTreeMap<String, String>),
    progress: &impl Progress,
) -> Result<Vec<Object>, Error> {
    let mut objects = objects.to_vec();
    if links.is_empty() {
        return Ok(objects);
    }
    let own = rows.iter().filter(|row| row.batch.pipeline.is_empty() || row.batch.pipeline == *pipeline.name());
    let loaded: BTreeSet<&str> = own.map(|row| row.batch.source.as_str()).collect();
    // What is held is met, and not loaded.
    let is_met = async |source: &str| {
        let record = document::<Source>(store, &name::source(pipeline.name(), source)).await?;
        Ok::<_, Error>(loaded.contains(source) || record.is_some())
    };
    let mut new = None;
    for object in &mut objects {
        let Some(file) = links.get(&object.name) else { continue };
        if is_met(&object.name).await? {
            continue;
        }
        if is_met(file).await? {
            file.clone_into(&mut object.name);
        } else {
            new = new.or_else(|| Some(object.name.clone()));
        }
    }
    objects.sort_by(|left, right| left.name.cmp(&right.name));
    objects.dedup_by(|left, right| left.name == right.name);
    if let Some(link) = new {
        let is_there = |source: &str| objects.binary_search_by(|object| object.name.as_str().cmp(source)).is_ok();
        if let Some(gone) = loaded.into_iter().find(|source| !is_there(source)) {
            progress.tell(&format!(
                "{link} is a link that was not loaded before under its name, and {gone}, which was loaded, is not among the \
                 files any more: if the link has led there, the rows of {gone} are out of date and stay; delete those whose \
                 _etalon_batch is a batch of {gone} in _etalon_ledger"
            ));
        }
    }
    Ok(objects)
}
