//! Reconcile: compares the store with the ledger; where they differ, the ledger counts.
//!
//! The ledger is written with the rows, so it cannot be wrong about them. An input that the store calls loaded and the ledger
//! does not have is forgotten, and met again. An input that the ledger has and the store does not know (because the store was
//! lost, or is from an older Etalon) gets its records, so that it is not loaded twice.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Resolved};
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{LastRun, Marks, Member, Source, SourceVersion, Unit, UnitBatch, UnitState, name, prefix};
use etalon_core::receipt::Counts;
use etalon_core::warehouse::{LedgerRow, LoadCounts, WRITTEN_WHOLE, since_all_were_replaced};

use crate::by_hand::{doubled, may_double};
use crate::held::{self, is_of, title};
use crate::judge::give_way;
use crate::ports::{Objects, Put, Warehouse};
use crate::store::{document, names, put, put_once, receipt, units};

/// The number of a decision about rejects that is not kept any more; decisions are counted from 1.
const UNKNOWN_DECISION: u32 = 0;
/// So often an input is taken for one that has come back.
const MEETINGS_MAX: u32 = 64;

/// What the store has not known as the ledger has it.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// What the store called loaded and the ledger does not have.
    pub(crate) forgotten: Vec<Member>,
    /// The objects of which the ledger lacks records that were sent again.
    pub(crate) undone: BTreeSet<String>,
    /// Whether the ledger has what the store did not know.
    pub(crate) has_learnt: bool,
}

/// Makes the store agree with the ledger rows of a pipeline's table; those that are gone a run has replaced with all rows.
pub(crate) async fn reconcile(
    pipeline: &Resolved,
    store: &impl Objects,
    warehouse: &mut impl Warehouse,
    (rows, gone): (&[LedgerRow], &[LedgerRow]),
) -> Result<Reconciled, Error> {
    let mut forgotten = Vec::new();
    let mut absent = Vec::new();
    let table = name::table(pipeline.table());
    let mut batches: BTreeMap<(&str, u32), Vec<&LedgerRow>> = BTreeMap::new();
    for row in rows {
        batches.entry((row.batch.input.as_str(), row.batch.generation)).or_default().push(row);
    }
    let known: BTreeSet<String> = names(store, &name::units(&table, None)).await?.into_iter().collect();
    for place in known.difference(&in_ledger(&table, rows)) {
        let Some((unit, _)) = document::<Unit>(store, place).await? else { continue };
        let has = |member: &Member| batches.contains_key(&(member.input.as_str(), member.generation));
        let is_loaded = matches!(unit.state, UnitState::Loaded { .. });
        // A unit without inputs has nothing to be found.
        if is_loaded && is_of(pipeline, &unit) && !unit.members.is_empty() && !unit.members.iter().any(has) {
            absent.push(unit.clone());
        }
        // Who judged it may have been killed before it was marked.
        match unit.state {
            UnitState::Pending => put_once(store, &name::pending(&table, &unit.name), b"").await?,
            UnitState::Held { .. } => put_once(store, &name::held(&table, &unit.name), b"").await?,
            _ => {}
        }
    }
    let units: Vec<&Unit> = absent.iter().collect();
    must_lack(pipeline, warehouse, &units).await?;
    // What is read again as a whole has no rejects that were sent again.
    let members = || absent.iter().flat_map(|unit| &unit.members);
    let whole: BTreeSet<&str> =
        members().filter(|member| member.redrives.is_none()).map(|member| member.input.as_str()).collect();
    let undone = members().filter(|member| !whole.contains(member.input.as_str()));
    let undone = undone.map(|member| member.source.clone()).collect();
    for unit in absent {
        forget(pipeline, store, &table, &unit).await?;
        let with_rows = unit.members.iter().filter(|member| member.batches.iter().any(|batch| batch.staged > 0));
        forgotten.extend(with_rows.cloned());
    }
    let has_learnt = if pipeline.whole_runs() {
        last_run(pipeline, store, rows).await?
    } else {
        remember_run(pipeline, store, &table, rows, gone).await?;
        remember(pipeline, store, &table, &known, &batches).await?
    };
    discarded_before(pipeline, store, &table).await?;
    settle_loaded(store, &table, &batches).await?;
    read_again(store, &table).await?;
    meet_again(pipeline, store, &table).await?;
    remove_parts(store, &table, rows).await?;
    Ok(Reconciled { forgotten, undone, has_learnt })
}

/// Refuses units that would be appended though the table has their rows: somebody has changed the ledger.
pub(crate) async fn must_lack(
    pipeline: &Resolved,
    warehouse: &mut impl Warehouse,
    units: &[&Unit],
) -> Result<(), Error> {
    if !may_double(pipeline) || units.is_empty() {
        return Ok(());
    }
    let batches: Vec<String> = units.iter().flat_map(|unit| unit.batches()).map(|batch| batch.batch.clone()).collect();
    let there = warehouse.brought(pipeline.table(), &batches).await?;
    doubled(pipeline, units, &there).map_or(Ok(()), Err)
}

/// Sees that what is held is read again whose receipts or parts are gone: nobody can say any more what a release would load.
async fn read_again(store: &impl Objects, table: &str) -> Result<(), Error> {
    for unit in held::held(store, table).await? {
        let mut is_whole = true;
        for batch in unit.batches() {
            let there = names(store, &name::part(&batch.batch, "")).await?;
            is_whole &= batch.parts.iter().all(|part| there.contains(&name::part(&batch.batch, &part.name)));
            is_whole = is_whole && receipt(store, &batch.batch).await?.is_some();
        }
        let place = name::unit_document(table, &unit.name);
        let (false, Some((unit, version))) = (is_whole, document::<Unit>(store, &place).await?) else { continue };
        let UnitState::Held { mut reasons, incomplete: false, .. } = unit.state.clone() else { continue };
        reasons.push(format!(
            "{}: what was staged of it is gone from the store, and the next run reads it again",
            title(&unit)
        ));
        let held = Unit { state: UnitState::Held { reasons, incomplete: true, unread: true }, ..unit };
        put(store, &place, &held, Put::IfVersion(&version)).await?;
    }
    Ok(())
}

/// Settles units that the store calls held or discarded and the ledger has: the store is an older copy of itself.
async fn settle_loaded(
    store: &impl Objects,
    table: &str,
    batches: &BTreeMap<(&str, u32), Vec<&LedgerRow>>,
) -> Result<(), Error> {
    for prefix in [name::held(table, ""), name::discarded(table, "")] {
        for mark in names(store, &prefix).await? {
            let place = name::unit_document(table, mark.strip_prefix(&prefix).unwrap_or(&mark));
            let Some((unit, version)) = document::<Unit>(store, &place).await? else { continue };
            let mut counts = LoadCounts::default();
            let of_members = unit.members.iter().map(|member| batches.get(&(member.input.as_str(), member.generation)));
            let Some(rows) = of_members.collect::<Option<Vec<_>>>().filter(|rows| !rows.is_empty()) else { continue };
            rows.into_iter().flatten().for_each(|row| counts.add(row.counts));
            if matches!(unit.state, UnitState::Held { .. } | UnitState::Discarded { .. }) {
                let settled = Unit { state: UnitState::Loaded { counts }, ..unit };
                put(store, &place, &settled, Put::IfVersion(&version)).await?;
            }
            store.delete(&mark).await?;
        }
    }
    Ok(())
}

/// Sees that an object is met again whose tasks were not all done when the last run was killed.
async fn meet_again(pipeline: &Pipeline, store: &impl Objects, table: &str) -> Result<(), Error> {
    let judged: BTreeSet<String> = names(store, &name::units(table, None)).await?.into_iter().collect();
    for place in names(store, prefix::PLANS.text).await? {
        let plan = place.trim_start_matches(prefix::PLANS.text).trim_end_matches(".json");
        let unit = if plan.contains('-') { plan.to_owned() } else { name::unit(plan, 0) };
        if judged.contains(&name::unit_document(table, &unit)) {
            continue;
        }
        let Some((plan, _)) = document::<InputPlan>(store, &place).await? else { continue };
        if !pipeline.has_planned(&plan) {
            continue;
        }
        if let Some(run) = &plan.run {
            // A run that ended before it was judged is begun anew, as another.
            if !judged.contains(&name::unit_document(table, &name::run_unit(pipeline.name(), run))) {
                for batch in plan.tasks().into_iter().map(|task| task.batch) {
                    for part in names(store, &name::part(&batch, "")).await? {
                        store.delete(&part).await?;
                    }
                }
                store.delete(&place).await?;
            }
            continue;
        }
        let units = units(store, table, &plan.input).await?;
        let later =
            units.iter().flat_map(|(unit, _)| &unit.members).filter(|member| member.generation > plan.generation);
        match later.map(|member| member.generation).max() {
            // A reload that was interrupted has been asked for again, and that one is done.
            Some(later) if plan.backfills => {
                give_way(store, table, &plan, &name::unit(&plan.input, later)).await?;
            }
            _ => {
                forget_receipts(store, &plan).await?;
                for mark in names(store, &name::met(pipeline.name(), Some(&plan.source))).await? {
                    store.delete(&mark).await?;
                }
            }
        }
    }
    Ok(())
}

/// Sees that tasks are done again whose parts are gone: they were loaded into another table, of which the pipeline was then.
async fn forget_receipts(store: &impl Objects, plan: &InputPlan) -> Result<(), Error> {
    for task in plan.tasks() {
        let Some(receipt) = receipt(store, &task.batch).await? else { continue };
        let there = names(store, &name::part(&task.batch, "")).await?;
        if receipt.parts.iter().any(|part| !there.contains(&name::part(&task.batch, &part.name))) {
            store.delete(&name::receipt(&task.batch)).await?;
        }
    }
    Ok(())
}

/// The documents of the units of inputs that the ledger has.
fn in_ledger(table: &str, rows: &[LedgerRow]) -> BTreeSet<String> {
    rows.iter().map(|row| name::unit_document(table, &name::unit(&row.batch.input, row.batch.generation))).collect()
}

/// Removes staged parts that nobody loads any more: they are in the table, or another unit has taken the place of theirs.
pub(crate) async fn remove_parts(store: &impl Objects, table: &str, rows: &[LedgerRow]) -> Result<(), Error> {
    let staged = names(store, prefix::STAGED.text).await?;
    if staged.is_empty() {
        return Ok(());
    }
    let mut done: BTreeSet<String> = rows.iter().map(|row| row.batch.batch.clone()).collect();
    let in_ledger = in_ledger(table, rows);
    for place in names(store, &name::units(table, None)).await? {
        if !in_ledger.contains(&place)
            && let Some((unit, _)) = document::<Unit>(store, &place).await?
            && matches!(unit.state, UnitState::Replaced { .. } | UnitState::Loaded { .. })
        {
            done.extend(batches_of(store, &unit).await?);
        }
    }
    for part in staged {
        if done.contains(part.split('/').nth(1).unwrap_or_default()) {
            store.delete(&part).await?;
        }
    }
    Ok(())
}

/// The batches of a unit, also of one that was replaced before it was judged.
async fn batches_of(store: &impl Objects, unit: &Unit) -> Result<Vec<String>, Error> {
    if !unit.members.is_empty() {
        return Ok(unit.batches().map(|batch| batch.batch.clone()).collect());
    }
    let plan = match unit.name.rsplit_once('-').map(|(input, generation)| (input, generation.parse())) {
        Some((input, Ok(generation))) => document::<InputPlan>(store, &name::plan(input, generation)).await?,
        _ => None,
    };
    Ok(plan.iter().flat_map(|(plan, _)| plan.tasks()).map(|task| task.batch).collect())
}

/// Forgets a unit that is not in the table, so that its objects are met as new ones.
async fn forget(pipeline: &Pipeline, store: &impl Objects, table: &str, unit: &Unit) -> Result<(), Error> {
    for batch in unit.batches() {
        store.delete(&name::receipt(&batch.batch)).await?;
    }
    let last = name::last_run(pipeline.name());
    if let Some((record, _)) = document::<LastRun>(store, &last).await?
        && name::run_unit(pipeline.name(), &record.run) == unit.name
    {
        store.delete(&last).await?;
    }
    for member in &unit.members {
        // What it has taken the place of would lead to it.
        for (replaced, _) in units(store, table, &member.input).await? {
            if !matches!(replaced.state, UnitState::Replaced { .. }) {
                continue;
            }
            for batch in batches_of(store, &replaced).await? {
                store.delete(&name::receipt(&batch)).await?;
                for part in names(store, &name::part(&batch, "")).await? {
                    store.delete(&part).await?;
                }
            }
            if let Some(Ok(generation)) = replaced.name.rsplit_once('-').map(|(_, generation)| generation.parse()) {
                store.delete(&name::plan(&member.input, generation)).await?;
            }
            store.delete(&name::unit_document(table, &replaced.name)).await?;
        }
        for mark in names(store, &name::met(pipeline.name(), Some(&member.source))).await? {
            store.delete(&mark).await?;
        }
        store.delete(&name::sent(pipeline.name(), &member.input)).await?;
        match member.redrives {
            None => forget_redrives(store, table, &member.input).await?,
            Some(UNKNOWN_DECISION) => {}
            // Its records are open again. Decisions are numbered, so that the document stays.
            Some(number) => {
                let place = name::marks(&member.input, Some(number));
                put(store, &place, &Marks::default(), Put::Always).await?;
            }
        }
        store.delete(&name::plan(&member.input, member.generation)).await?;
    }
    store.delete(&name::unit_document(table, &unit.name)).await
}

/// Forgets that rejects of an input were sent again: the input is read again as a whole, and its rejects are open then.
async fn forget_redrives(store: &impl Objects, table: &str, input: &str) -> Result<(), Error> {
    for place in names(store, &name::marks(input, None)).await? {
        let Some((Marks { redrive: Some(plan), .. }, _)) = document::<Marks>(store, &place).await? else { continue };
        let unit = name::unit_document(table, &name::unit(input, plan.generation));
        if document::<Unit>(store, &unit)
            .await?
            .is_some_and(|(unit, _)| !matches!(unit.state, UnitState::Loaded { .. }))
        {
            continue;
        }
        // Decisions are numbered, so that the document stays.
        put(store, &place, &Marks::default(), Put::Always).await?;
        store.delete(&name::plan(input, plan.generation)).await?;
    }
    Ok(())
}

/// Gives inputs that are in the ledger, and that the store does not know, their records. Whether there were any.
async fn remember(
    pipeline: &Pipeline,
    store: &impl Objects,
    table: &str,
    known: &BTreeSet<String>,
    batches: &BTreeMap<(&str, u32), Vec<&LedgerRow>>,
) -> Result<bool, Error> {
    let mut by_source: BTreeMap<&str, Vec<&LedgerRow>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for ((input, generation), rows) in batches {
        let place = name::unit_document(table, &name::unit(input, *generation));
        let Some(first) = rows.first().filter(|first| is_own(pipeline, first)) else { continue };
        if known.contains(&place) {
            continue;
        }
        // What came later of the same input, and takes the place of nothing, is what a redrive has brought.
        let is_redrive =
            !first.batch.replaces_generations && batches.range((*input, 0)..(*input, *generation)).next().is_some();
        unknown.push((place, loaded(pipeline, rows, is_redrive.then_some(UNKNOWN_DECISION))));
        by_source.entry(&first.batch.source).or_default().push(first);
    }
    for (source, rows) in by_source {
        let own =
            rows.iter().map(|row| SourceVersion { input: row.batch.input.clone(), batch_time: row.batch.batch_time });
        // Earlier meetings of a version that were never loaded were there too: meetings are counted.
        let earlier = rows.iter().flat_map(|row| {
            let met = meeting(pipeline, row).unwrap_or(1);
            (1..met).map(move |earlier| SourceVersion {
                input: pipeline.input(&object(row), earlier),
                batch_time: row.batch.batch_time.saturating_sub(i64::from(met - earlier)),
            })
        });
        let versions: Vec<SourceVersion> = own.chain(earlier).collect();
        let first = |input: &str| {
            let row = rows.iter().find(|row| row.batch.input == input);
            row.map(|row| pipeline.input(&object(row), 1))
        };
        record(pipeline, store, source, versions, first).await?;
    }
    // A unit that is there is taken for known, so that it comes last.
    for (place, unit) in &unknown {
        put_once_unit(store, place, unit).await?;
    }
    Ok(!unknown.is_empty())
}

/// Gives a store that knows no run the last one that has replaced all rows, and the versions that have gone with them: if one comes
/// back, it is another.
async fn remember_run(
    pipeline: &Pipeline,
    store: &impl Objects,
    table: &str,
    rows: &[LedgerRow],
    gone: &[LedgerRow],
) -> Result<(), Error> {
    let place = name::last_run(pipeline.name());
    let of_run: Vec<&LedgerRow> =
        rows.iter().filter(|row| row.written == WRITTEN_WHOLE && is_own(pipeline, row)).collect();
    if of_run.is_empty() || document::<LastRun>(store, &place).await?.is_some() {
        return Ok(());
    }
    let mut by_source: BTreeMap<&str, Vec<SourceVersion>> = BTreeMap::new();
    for row in gone.iter().filter(|row| row.written != WRITTEN_WHOLE && is_own(pipeline, row)) {
        let version = SourceVersion { input: row.batch.input.clone(), batch_time: row.batch.batch_time };
        by_source.entry(&row.batch.source).or_default().push(version);
    }
    for (source, versions) in by_source {
        record(pipeline, store, source, versions, |_| None).await?;
    }
    let last = of_run.iter().map(|row| row.loaded_at).max().unwrap_or_default();
    let batch_time = of_run.iter().map(|row| row.batch.batch_time).max().unwrap_or_default();
    let inputs = of_run.iter().map(|row| row.batch.input.clone()).collect();
    let run = format!("loaded at {last}");
    let mut unit = Unit { name: name::run_unit(pipeline.name(), &run), ..loaded(pipeline, &of_run, None) };
    unit.members = of_run.iter().flat_map(|row| loaded(pipeline, &[*row], None).members).collect();
    put_once_unit(store, &name::unit_document(table, &unit.name), &unit).await?;
    put(store, &place, &LastRun { run, batch_time, inputs }, Put::Always).await.map(drop)
}

/// Adds versions to the record of an object, in the order of their times, and marks the current one.
async fn record(
    pipeline: &Pipeline,
    store: &impl Objects,
    source: &str,
    versions: Vec<SourceVersion>,
    first: impl Fn(&str) -> Option<String>,
) -> Result<(), Error> {
    let place = name::source(pipeline.name(), source);
    let found = document::<Source>(store, &place).await?;
    let mut record = found.map_or_else(Source::default, |(record, _)| record);
    source.clone_into(&mut record.source);
    let before = record.versions.len();
    for version in versions {
        if !record.versions.iter().any(|known| known.input == version.input) {
            record.versions.push(version);
        }
    }
    if record.versions.len() == before {
        return Ok(());
    }
    record.versions.sort_by_key(|version| version.batch_time);
    // A mark that is there is of an earlier version: it goes first.
    for mark in names(store, &name::met(pipeline.name(), Some(source))).await? {
        store.delete(&mark).await?;
    }
    put(store, &place, &record, Put::Always).await?;
    let last = record.versions.last().and_then(|last| first(&last.input));
    match last {
        Some(first) => {
            let position = record.versions.len() - 1;
            put_once(store, &name::met_version(pipeline.name(), source, position, &first), b"").await
        }
        // Its current version is looked at.
        None => Ok(()),
    }
}

async fn put_once_unit(store: &impl Objects, place: &str, unit: &Unit) -> Result<(), Error> {
    match put(store, place, unit, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        done => done.map(drop),
    }
}

fn object(row: &LedgerRow) -> Object {
    Object { name: row.batch.source.clone(), version: row.batch.source_version.clone(), size: 0 }
}

/// Whether a ledger row is of a pipeline: its input tells.
fn is_own(pipeline: &Pipeline, row: &LedgerRow) -> bool {
    meeting(pipeline, row).is_some()
}

/// The how manieth time a version of one of a pipeline's objects was met, by its input.
fn meeting(pipeline: &Pipeline, row: &LedgerRow) -> Option<u32> {
    (1..=MEETINGS_MAX).find(|&meeting| pipeline.input(&object(row), meeting) == row.batch.input)
}

/// The unit of an input, as the ledger has it.
fn loaded(pipeline: &Pipeline, rows: &[&LedgerRow], redrives: Option<u32>) -> Unit {
    let mut counts = LoadCounts::default();
    rows.iter().for_each(|row| counts.add(row.counts));
    let member = rows.first().map(|first| Member {
        input: first.batch.input.clone(),
        generation: first.batch.generation,
        source: first.batch.source.clone(),
        source_version: first.batch.source_version.clone(),
        content: Some(first.batch.content.clone()).filter(|content| *content != first.batch.source_version),
        size: 0,
        fingerprint: first.batch.fingerprint.clone(),
        batch_time: first.batch.batch_time,
        replaces_source: first.batch.replaces_source,
        replaces_generations: first.batch.replaces_generations,
        redrives,
        batches: rows
            .iter()
            .map(|row| UnitBatch { batch: row.batch.batch.clone(), staged: row.batch.staged, parts: Vec::new() })
            .collect(),
    });
    Unit {
        name: rows.first().map(|row| name::unit(&row.batch.input, row.batch.generation)).unwrap_or_default(),
        pipeline: pipeline.name().to_owned(),
        fingerprint: rows.first().map(|row| row.batch.fingerprint.clone()).unwrap_or_default(),
        counts: Counts { read: counts.staged, staged: counts.staged, ..Counts::default() },
        members: member.into_iter().collect(),
        state: UnitState::Loaded { counts },
        released: false,
    }
}

/// What the last run has met, where the store does not know it: what was loaded last. Another store may have loaded the table
/// since this one's last run. Whether the store did not know it.
async fn last_run(pipeline: &Resolved, store: &impl Objects, rows: &[LedgerRow]) -> Result<bool, Error> {
    let place = name::last_run(pipeline.name());
    let own: Vec<&LedgerRow> = rows.iter().filter(|row| is_own(pipeline, row)).collect();
    let Some(last) = own.iter().map(|row| row.loaded_at).max() else { return Ok(false) };
    let of_last: Vec<&LedgerRow> = own.iter().copied().filter(|row| row.loaded_at == last).collect();
    if let Some((record, _)) = document::<LastRun>(store, &place).await? {
        let unit = name::unit_document(&name::table(pipeline.table()), &name::run_unit(pipeline.name(), &record.run));
        let Some((unit, _)) = document::<Unit>(store, &unit).await? else { return Ok(false) };
        let batches: BTreeSet<&str> = unit.batches().map(|batch| batch.batch.as_str()).collect();
        let of_run = own.iter().filter(|row| batches.contains(row.batch.batch.as_str()));
        let is_later = of_run.map(|row| row.loaded_at).max().is_some_and(|loaded| last > loaded);
        // What is loaded later of the same inputs is a redrive.
        if !is_later || of_last.iter().all(|row| record.inputs.contains(&row.batch.input)) {
            return Ok(false);
        }
    }
    let run = format!("loaded at {last}");
    let batch_time = of_last.iter().map(|row| row.batch.batch_time).max().unwrap_or_default();
    // What was appended in several loads stands there, too.
    let inputs = since_all_were_replaced(&own).iter().map(|row| row.batch.input.clone()).collect();
    let unit = Unit { name: name::run_unit(pipeline.name(), &run), ..loaded(pipeline, &of_last, None) };
    put_once_unit(store, &name::unit_document(&name::table(pipeline.table()), &unit.name), &unit).await?;
    put(store, &place, &LastRun { run, batch_time, inputs }, Put::Always).await?;
    Ok(true)
}

/// What an older Etalon was told not to load, by a mark for each input.
async fn discarded_before(pipeline: &Pipeline, store: &impl Objects, table: &str) -> Result<(), Error> {
    for mark in names(store, prefix::DISCARDED.text).await? {
        let Some(input) = mark.strip_prefix(prefix::DISCARDED.text).filter(|rest| !rest.contains('/')) else {
            continue;
        };
        let Some((plan, _)) = document::<InputPlan>(store, &name::plan(input, 0)).await? else { continue };
        if !pipeline.has_planned(&plan) {
            continue;
        }
        let mut batches = Vec::new();
        let mut counts = Counts::default();
        for task in plan.tasks() {
            if let Some(receipt) = receipt(store, &task.batch).await? {
                counts.add(receipt.counts);
                let (staged, parts) = (receipt.counts.staged, receipt.parts);
                batches.push(UnitBatch { batch: task.batch, staged, parts });
            }
        }
        let unit_name = name::unit(input, plan.generation);
        let unit = Unit {
            name: unit_name.clone(),
            pipeline: pipeline.name().to_owned(),
            fingerprint: plan.fingerprint.clone(),
            counts,
            members: vec![Member {
                input: plan.input.clone(),
                generation: plan.generation,
                source: plan.source.clone(),
                source_version: plan.source_version.clone(),
                content: None,
                size: plan.size,
                fingerprint: plan.fingerprint.clone(),
                batch_time: plan.batch_time,
                replaces_source: false,
                replaces_generations: false,
                redrives: None,
                batches,
            }],
            state: UnitState::Discarded { reasons: Vec::new() },
            released: false,
        };
        put_once_unit(store, &name::unit_document(table, &unit_name), &unit).await?;
        put_once(store, &name::discarded(table, &unit_name), b"").await?;
        let version = SourceVersion { input: plan.input.clone(), batch_time: plan.batch_time };
        record(pipeline, store, &plan.source, vec![version], |input| Some(input.to_owned())).await?;
        store.delete(&mark).await?;
    }
    Ok(())
}
