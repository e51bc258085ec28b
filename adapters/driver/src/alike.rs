//! Alike: the same rows under another name. A pipeline, a file or a copy may have got a new name, and its rows would be in the table
//! twice, or not at all; Etalon refuses what is sure, and tells of what is likely.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{Source, Unit, UnitState, name};
use etalon_core::warehouse::{LedgerRow, LoadBatch, WriteMode, standing};

use crate::held::{self, title};
use crate::judge::DOUBLED;
use crate::ports::Objects;
use crate::report::Renamed;
use crate::store::{document, units};

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

/// The objects with a new version of which an earlier one was held: as a copy of another object that is gone now, or as what another
/// pipeline has loaded.
pub(crate) async fn renamed(
    pipeline: &Resolved,
    store: &impl Objects,
    (objects, planned): (&[Object], &[InputPlan]),
    rows: &[LedgerRow],
) -> Result<Vec<Renamed>, Error> {
    let is_new = |plan: &&InputPlan| plan.overwrites && !plan.backfills && plan.redrives.is_none();
    if !planned.iter().any(|plan| is_new(&plan)) {
        return Ok(Vec::new());
    }
    let table = name::table(pipeline.table());
    let loaded: BTreeSet<&str> = rows.iter().map(|row| row.batch.input.as_str()).collect();
    let there: BTreeSet<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    let mut gone: BTreeMap<&str, &str> = BTreeMap::new();
    let own = |row: &&LedgerRow| row.batch.pipeline == *pipeline.name() && row.counts.inserted > 0;
    for row in standing(rows).into_iter().filter(own).filter(|row| !there.contains(row.batch.source.as_str())) {
        gone.extend(row.batch.digests().map(|digest| (digest, row.batch.source.as_str())));
    }
    let mut of_others: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let other = |row: &&LedgerRow| row.batch.pipeline != *pipeline.name() && row.counts.inserted > 0;
    for row in standing(rows).into_iter().filter(other) {
        let batch = &row.batch;
        of_others.extend(batch.digests().map(|digest| ((batch.source.as_str(), digest), batch.pipeline.as_str())));
    }
    let mut found = Vec::new();
    if gone.is_empty() && of_others.is_empty() {
        return Ok(Vec::new());
    }
    for plan in planned.iter().filter(is_new).filter(|plan| loaded.contains(plan.input.as_str())) {
        let place = name::source(pipeline.name(), &plan.source);
        let Some((record, _)) = document::<Source>(store, &place).await? else { continue };
        for before in record.before(&plan.input) {
            for (unit, _) in units(store, &table, before).await? {
                let was_held = matches!(unit.state, UnitState::Replaced { .. });
                let batches: Vec<_> = unit.load_batches().collect();
                let was = batches.iter().flat_map(LoadBatch::digests).find_map(|digest| gone.get(digest));
                let mut digests = batches.iter().flat_map(LoadBatch::digests);
                let by = digests.find_map(|digest| of_others.get(&(plan.source.as_str(), digest)));
                let was = was.filter(|was| **was != plan.source).map(|was| (*was).to_owned());
                let was = was.or_else(|| by.map(|by| format!("{} of pipeline `{by}`", plan.source)));
                found.extend(was.filter(|_| was_held).map(|was| Renamed { source: plan.source.clone(), was }));
            }
        }
    }
    found.dedup();
    Ok(found)
}

/// The objects that were discarded because the table had their rows as those of another one, and has them no more.
pub(crate) async fn only_copies(
    pipeline: &Resolved,
    store: &impl Objects,
    rows: &[LedgerRow],
) -> Result<Vec<String>, Error> {
    let there: BTreeSet<&str> = standing(rows).into_iter().flat_map(|row| row.batch.digests()).collect();
    let is_copy = |unit: &Unit| match &unit.state {
        UnitState::Discarded { reasons } => reasons.iter().any(|reason| reason.contains(DOUBLED)),
        _ => false,
    };
    let is_there = |unit: &Unit| unit.load_batches().any(|batch| batch.digests().any(|digest| there.contains(digest)));
    let discarded = held::discarded_now(pipeline, store, &name::table(pipeline.table())).await?;
    Ok(discarded.iter().filter(|unit| is_copy(unit) && !is_there(unit)).map(title).collect())
}
