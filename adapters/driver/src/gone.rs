//! Gone: what a run of a pipeline does not find any more, and what that means for the rows: objects whose rows stay, objects whose
//! rows are lost, and discarded copies that are all that is left of their contents.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::plan::Object;
use etalon_core::protocol::{Member, Unit, UnitState, name};
use etalon_core::warehouse::{LedgerRow, LoadBatch, standing};

use crate::held::{self, title};
use crate::judge::{DOUBLED, GROWN};
use crate::ports::Objects;
use crate::report::{Alone, OnlyCopy, RunReport};
use crate::store::units;

/// What a run has found, and the ledger before and after it.
#[derive(Debug)]
pub(crate) struct Sight<'a> {
    /// The objects that are there.
    pub(crate) objects: &'a [Object],
    /// The objects that were to be loaded again, if it was that; all where none is named.
    pub(crate) reloaded: Option<&'a [String]>,
    /// Whether only some of the source's objects were looked at.
    pub(crate) is_part: bool,
    /// What was held before since the table had its rows.
    pub(crate) copies: Vec<Unit>,
    /// What the store called loaded and the ledger did not have.
    pub(crate) forgotten: Vec<Member>,
    /// The ledger rows before.
    pub(crate) before: &'a [LedgerRow],
    /// The ledger rows after.
    pub(crate) after: &'a [LedgerRow],
}

impl Sight<'_> {
    /// Adds to a report what is gone.
    pub(crate) async fn tell(
        self,
        pipeline: &Resolved,
        store: &impl Objects,
        report: &mut RunReport,
    ) -> Result<(), Error> {
        let Self { objects, reloaded, is_part, copies, forgotten, before, after } = self;
        let there: BTreeMap<&str, &str> =
            objects.iter().map(|object| (object.name.as_str(), object.version.as_str())).collect();
        let is_own = |row: &&LedgerRow| row.batch.pipeline == *pipeline.name() && row.counts.staged > 0;
        let sees_all = reloaded.is_some_and(<[String]>::is_empty) && !is_part;
        let was_removed = report.load.is_some_and(|load| load.removed > 0);
        if sees_all || was_removed || !forgotten.is_empty() {
            report.only_copies = only_copies(pipeline, store, after, Some(&there)).await?;
            report.only_copies.retain(|copy| sees_all || !matches!(copy.why, Alone::OriginalIsGone(_)));
        }
        for unit in &copies {
            for member in &unit.members {
                let now = units(store, &name::table(pipeline.table()), &member.input).await?;
                if now.iter().any(|(unit, _)| matches!(unit.state, UnitState::Loaded { .. })) {
                    report.copies_loaded.insert(member.source.clone());
                }
            }
        }
        let standing: Vec<&LedgerRow> = standing(after).into_iter().filter(is_own).collect();
        // What has another name by now is not lost; what was there under both names before is.
        let was_loaded: BTreeSet<&str> = forgotten.iter().map(|member| member.source.as_str()).collect();
        let new = standing.iter().filter(|row| !was_loaded.contains(row.batch.source.as_str()));
        let only = report.only_copies.iter().flat_map(|copy| &copy.digests).map(String::as_str);
        let contents: BTreeSet<&str> = new.flat_map(|row| row.batch.digests()).chain(only).collect();
        let adds = pipeline.on_overwrite() == OnOverwrite::Add;
        let is_gone = |member: &Member| match there.get(member.source.as_str()) {
            None => true,
            Some(now) => adds && *now != member.source_version,
        };
        let is_somewhere = |member: &Member| {
            let digests = [Some(&member.source_version), member.content.as_ref()];
            digests.into_iter().flatten().any(|digest| contents.contains(digest.as_str()))
        };
        let lost = forgotten.iter().filter(|member| is_gone(member)).filter(|member| !is_somewhere(member));
        report.lost = lost.map(|member| member.source.clone()).collect();
        if let Some(wanted) = reloaded {
            let is_earlier = |row: &&&LedgerRow| {
                let now = there.get(row.batch.source.as_str());
                let is_wanted = wanted.is_empty() || wanted.contains(&row.batch.source);
                now.is_some_and(|now| *now != row.batch.source_version) && is_wanted
            };
            report.earlier_versions = standing.iter().filter(is_earlier).map(|row| row.batch.source.clone()).collect();
        }
        if sees_all {
            let is_gone = |row: &&LedgerRow| !there.contains_key(row.batch.source.as_str());
            report.gone = before.iter().filter(is_own).filter(is_gone).map(|row| row.batch.source.clone()).collect();
        }
        Ok(())
    }
}

/// The objects that were discarded because the table had their rows as those of another one, which has them no more; where a run sees
/// all that is there, also those whose original is gone. Of equal ones the first by name: one of them is enough.
pub(crate) async fn only_copies(
    pipeline: &Resolved,
    store: &impl Objects,
    rows: &[LedgerRow],
    there: Option<&BTreeMap<&str, &str>>,
) -> Result<Vec<OnlyCopy>, Error> {
    let is_own = |row: &&LedgerRow| row.batch.pipeline == *pipeline.name() && row.counts.staged > 0;
    let by_digest = |rows: &[&'_ LedgerRow]| -> BTreeMap<String, String> {
        let digests = rows.iter().flat_map(|row| row.batch.digests().map(|digest| (digest, &row.batch.source)));
        digests.map(|(digest, source)| (digest.to_owned(), source.clone())).collect()
    };
    let standing: Vec<&LedgerRow> = standing(rows).into_iter().filter(is_own).collect();
    let (loaded, ever) = (by_digest(&standing), by_digest(&rows.iter().filter(is_own).collect::<Vec<_>>()));
    let has_rows = |source: &String| standing.iter().any(|row| row.batch.source == *source);
    let mut found = BTreeMap::new();
    for unit in held::discarded_now(pipeline, store, &name::table(pipeline.table())).await? {
        let batches: Vec<LoadBatch> = unit.load_batches().collect();
        let digests: Vec<String> = batches.iter().flat_map(LoadBatch::digests).map(str::to_owned).collect();
        let of = |known: &BTreeMap<String, String>| digests.iter().find_map(|digest| known.get(digest)).cloned();
        let is_gone = |of: &String| there.is_some_and(|there| !there.contains_key(of.as_str()));
        let why = match (of(&loaded), of(&ever)) {
            (Some(of), _) if is_gone(&of) => Alone::OriginalIsGone(of),
            (Some(_), _) => continue,
            (None, Some(of)) if has_rows(&of) => Alone::OriginalHasChanged(of),
            (None, _) => Alone::RowsAreGone,
        };
        // One that has grown had other contents than its original.
        if unit.says(DOUBLED) && !unit.says(GROWN) {
            let key = digests.first().cloned();
            let copy = OnlyCopy { source: title(&unit), why, digests };
            let first = found.entry(key).or_insert_with(|| copy.clone());
            if copy.source < first.source {
                *first = copy;
            }
        }
    }
    let is_there = |copy: &OnlyCopy| there.is_none_or(|there| there.contains_key(copy.source.as_str()));
    Ok(found.into_values().filter(is_there).collect())
}

/// The units that are held since the table has their rows.
pub(crate) async fn copies_held(pipeline: &Resolved, store: &impl Objects) -> Result<Vec<Unit>, Error> {
    let mut held = held::held(store, &name::table(pipeline.table())).await?;
    held.retain(|unit| held::is_of(pipeline, unit) && unit.says(DOUBLED));
    Ok(held)
}
