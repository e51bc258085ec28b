//! Alike: the same rows under the name of another pipeline. Most likely it was renamed, and its rows would be in the table twice:
//! the run is refused.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::Object;
use etalon_core::protocol::{Source, name};
use etalon_core::warehouse::{LedgerRow, WriteMode, standing};

use crate::ports::Objects;
use crate::store::document;

/// What is to be said where a pipeline would append what another one has appended: most likely it is that one, under another name. With
/// the same mapping that is told by an object with the same contents; where it has other contents since, by this store, which was that
/// pipeline's, too.
pub(crate) async fn loaded_by_another(
    pipeline: &Resolved,
    store: &impl Objects,
    rows: &[LedgerRow],
    objects: &[Object],
) -> Result<Option<String>, Error> {
    let of_pipeline = |row: &LedgerRow| row.batch.pipeline.is_empty() || row.batch.pipeline == *pipeline.name();
    // One that has loaded beside the other knows what it does.
    if pipeline.table().write != WriteMode::Append || rows.iter().any(of_pipeline) {
        return Ok(None);
    }
    let same = || rows.iter().filter(|row| row.batch.fingerprint == pipeline.fingerprint() && row.counts.inserted > 0);
    let mut loaded = BTreeMap::new();
    for row in same() {
        loaded.insert((row.batch.source.as_str(), row.batch.source_version.as_str()), row.batch.pipeline.as_str());
    }
    let mut found = objects.iter().find_map(|object| {
        let other = loaded.get(&(object.name.as_str(), object.version.as_str()))?;
        Some((object.name.as_str(), *other))
    });
    if found.is_none() {
        let there: BTreeMap<&str, &str> =
            objects.iter().map(|object| (object.name.as_str(), object.version.as_str())).collect();
        // What is as it was is held by itself, whatever the mapping.
        let is_changed = |row: &&LedgerRow| {
            let now = there.get(row.batch.source.as_str());
            row.counts.inserted > 0 && now.is_some_and(|now| *now != row.batch.source_version)
        };
        let by = standing(rows).into_iter().filter(is_changed);
        let by: BTreeSet<(&str, &str)> =
            by.map(|row| (row.batch.source.as_str(), row.batch.pipeline.as_str())).collect();
        for (source, other) in by {
            if document::<Source>(store, &name::source(other, source)).await?.is_some() {
                found = Some((source, other));
                break;
            }
        }
    }
    // What has landed has other bounds under each name of a pipeline.
    let landed = || match pipeline.location().lands() && !objects.is_empty() {
        true => same().next().map(|row| (row.batch.source.as_str(), row.batch.pipeline.as_str())),
        false => None,
    };
    let Some((source, other)) = found.or_else(landed) else { return Ok(None) };
    let (name, table) = (pipeline.name(), pipeline.table_name());
    Ok(Some(format!(
        "pipeline `{other}` has loaded {source} into table `{table}`, and `{name}` would load the rows once more; if it was renamed, give it its old name back; if its rows are to be there twice: `etalon run --again`"
    )))
}
