//! Check: what must be true of the world when it has come to rest, counted from the records that the objects really had.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use etalon_core::protocol::{Member, Source, Unit, UnitState, name};
use etalon_core::receipt::Counts;
use etalon_core::reject::Reject;
use etalon_core::warehouse::LoadBatch;
use etalon_driver::ports::Objects;
use etalon_driver::store::{document, names};
use etalon_driver::store::{plan, receipt};
use pollster::block_on;

use crate::case::{Is, Record};
use crate::world::World;

macro_rules! must {
    ($holds:expr, $($message:tt)*) => {
        if !$holds {
            return Err(format!($($message)*));
        }
    };
}

pub fn check(world: &World<'_>) -> Result<(), String> {
    let units = units(world)?;
    for unit in &units {
        unit_is_accounted_for(world, unit)?;
    }
    nothing_is_forgotten(world, &units)?;
    the_ledger_agrees(world, &units)?;
    the_table_is_right(world)?;
    loads_were_told(world, &units)?;
    nobody_wakes_the_warehouse(world)
}

fn get<T>(result: Result<T, etalon_core::error::Error>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn table(world: &World<'_>) -> String {
    name::table(world.case.deployed[0].pipeline.table())
}

fn units(world: &World<'_>) -> Result<Vec<Unit>, String> {
    let mut units = Vec::new();
    for place in get(block_on(names(world.store, &name::units(&table(world), None))))? {
        let (unit, _) = get(block_on(document::<Unit>(world.store, &place)))?.ok_or("a unit is gone")?;
        units.push(unit);
    }
    Ok(units)
}

fn records<'a>(world: &'a World<'_>, source: &str, version: &str) -> Result<&'a [Record], String> {
    let key = (source.to_owned(), version.to_owned());
    Ok(world.case.versions.get(&key).ok_or_else(|| format!("{source} was never {version}"))?)
}

/// `read = staged + filtered + quarantined`, of the records that there really are; each reject is in quarantine once.
fn unit_is_accounted_for(world: &World<'_>, unit: &Unit) -> Result<(), String> {
    let counts = unit.counts;
    must!(counts.balance(), "{}: {counts:?}", unit.name);
    let staged: u64 = unit.batches().map(|batch| batch.staged).sum();
    let in_parts: u64 = unit.batches().flat_map(|batch| &batch.parts).map(|part| part.rows).sum();
    must!(counts.staged == staged && staged == in_parts, "{}: {staged} staged, {in_parts} in parts", unit.name);
    let mut sum = Counts::default();
    for member in &unit.members {
        sum.add(member_is_accounted_for(world, member)?);
    }
    must!(sum == counts, "{}: {counts:?} and not {sum:?}", unit.name);
    Ok(())
}

fn member_is_accounted_for(world: &World<'_>, member: &Member) -> Result<Counts, String> {
    let plan = get(block_on(plan(world.store, &member.input, member.generation)))?;
    must!(plan.fingerprint == member.fingerprint, "{}: planned with another file than it was made with", member.source);
    must!(plan.batch_time == member.batch_time, "{}: planned at another time than it was made at", member.source);
    let mut counts = Counts::default();
    let mut quarantined = Vec::new();
    for batch in &member.batches {
        let receipt = get(block_on(receipt(world.store, &batch.batch)))?.ok_or("a receipt is gone")?;
        must!(receipt.fingerprint == member.fingerprint, "{}: made with another file", member.source);
        counts.add(receipt.counts);
        if receipt.counts.quarantined == 0 {
            continue;
        }
        for piece in get(block_on(names(world.store, &name::quarantine(&batch.batch, ""))))? {
            let lines =
                String::from_utf8(get(block_on(world.store.get(&piece)))?).map_err(|error| error.to_string())?;
            for line in lines.lines() {
                let reject: Reject = serde_json::from_str(line).map_err(|error| error.to_string())?;
                quarantined.push(i64::try_from(reject.place.offset).unwrap_or(-1));
            }
        }
    }
    if is_unread(world, member) {
        return Ok(counts);
    }
    let records = records(world, &member.source, &member.source_version)?;
    let rejected: Vec<i64> =
        records.iter().filter(|record| matches!(record.is, Is::Rejected)).map(|record| record.offset).collect();
    quarantined.sort_unstable();
    must!(quarantined == rejected, "{}: quarantine has {quarantined:?} and not {rejected:?}", member.source);
    must!(counts.quarantined == rejected.len() as u64, "{}: {counts:?}", member.source);
    must!(counts.read == records.len() as u64, "{}: {} records, {counts:?}", member.source, records.len());
    Ok(counts)
}

/// Whether some of an input could not be read any more when its turn came.
fn is_unread(world: &World<'_>, member: &Member) -> bool {
    let mut receipts = member.batches.iter().map(|batch| block_on(receipt(world.store, &batch.batch)));
    receipts.any(|found| matches!(found, Ok(Some(found)) if found.incomplete.is_some()))
}

/// Every object, as it is now, is planned, judged, and loaded or discarded by somebody's decision.
fn nothing_is_forgotten(world: &World<'_>, units: &[Unit]) -> Result<(), String> {
    for object in get(block_on(world.source.objects("", None, 1000)))? {
        // Of a version that has come back, its last meeting counts.
        let record = get(block_on(document::<Source>(
            world.store,
            &name::source(world.case.deployed[0].pipeline.name(), &object.name),
        )))?;
        let current = record.and_then(|(record, _)| record.versions.last().map(|last| last.input.clone()));
        let is_it = |member: &Member| {
            let is_current = current.as_ref().is_none_or(|current| *current == member.input);
            member.source == object.name && member.source_version == object.version && is_current
        };
        let its: Vec<(&Unit, &Member)> = units
            .iter()
            .flat_map(|unit| unit.members.iter().map(move |member| (unit, member)))
            .filter(|(_, member)| is_it(member))
            .collect();
        let settled = its.iter().find(|(unit, _)| matches!(unit.state, UnitState::Loaded { .. }));
        let settled = settled.or_else(|| its.iter().find(|(unit, _)| is_discarded(unit)));
        let (unit, member) = settled.ok_or_else(|| {
            let states: Vec<_> = its.iter().map(|(unit, _)| (&unit.name, &unit.state)).collect();
            format!("{} is forgotten: {current:?} is {states:?}", object.name)
        })?;
        // Somebody who discards a version that could not be read has decided about that version, also where it comes back.
        must!(
            is_discarded(unit) || !is_unread(world, member),
            "{} is there to be read, and was not: {} {:?} of {:?}",
            object.name,
            unit.name,
            unit.state,
            its.iter().map(|(unit, _)| (&unit.name, &unit.state)).collect::<Vec<_>>()
        );
        if is_discarded(unit) {
            must!(can_be_held(world, unit)?, "{} was held for no reason: {:?}", object.name, unit.state);
        }
    }
    for unit in units {
        let is_settled =
            matches!(unit.state, UnitState::Loaded { .. } | UnitState::Discarded { .. } | UnitState::Replaced { .. });
        must!(is_settled, "{} is {:?} at rest", unit.name, unit.state);
        let discarded = world.discarded.lock().map_err(|error| error.to_string())?.contains(&unit.name);
        must!(discarded || !is_discarded(unit), "{} was discarded by nobody", unit.name);
    }
    Ok(())
}

/// Whether there is a reason to hold a unit.
fn can_be_held(world: &World<'_>, unit: &Unit) -> Result<bool, String> {
    let is_mixed = unit.members.iter().any(|member| member.fingerprint != unit.fingerprint);
    // A run that comes after a later one has missed its time.
    let is_late = world.case.whole_runs
        && world.warehouse.all_loaded().iter().any(|(batch, _)| batch.batch_time > unit.batch_time());
    let mut can = is_mixed || is_late || unit.counts.quarantined >= 2;
    for member in &unit.members {
        let overwritten = world.case.on_overwrite == "fail"
            && get(block_on(plan(world.store, &member.input, member.generation)))?.overwrites;
        // All that an object has was rejected, also where others of its run have more.
        let records = records(world, &member.source, &member.source_version)?;
        can |= !records.is_empty() && records.iter().all(|record| matches!(record.is, Is::Rejected));
        can |= overwritten || is_unread(world, member) || world.case.refused.as_ref() == Some(&member.source);
    }
    Ok(can)
}

/// `staged = loaded + discarded`, unit by unit, and the ledger says the same.
fn the_ledger_agrees(world: &World<'_>, units: &[Unit]) -> Result<(), String> {
    let ledger = world.warehouse.all_loaded();
    let mut seen = BTreeSet::new();
    for (batch, counts) in &ledger {
        must!(seen.insert(batch.batch.clone()), "batch {} is in the ledger twice", batch.batch);
        must!(counts.balance() && counts.staged == batch.staged, "{}: {counts:?}", batch.source);
    }
    for unit in units {
        let loaded = unit.batches().filter(|batch| seen.contains(&batch.batch)).count();
        if let UnitState::Loaded { counts } = unit.state {
            let all = unit.batches().count();
            must!(loaded == all, "{}: {loaded} of {all} batches are in the ledger", unit.name);
            must!(counts.balance() && counts.staged == unit.counts.staged, "{}: {counts:?}", unit.name);
        } else {
            must!(loaded == 0, "{} was discarded, and is in the ledger", unit.name);
        }
    }
    let mut known = BTreeSet::new();
    let mut inputs = BTreeSet::new();
    for unit in units {
        known.extend(unit.batches().map(|batch| batch.batch.clone()));
        for member in &unit.members {
            must!(inputs.insert((member.input.clone(), member.generation)), "{} is in two units", member.source);
        }
    }
    must!(seen.is_subset(&known), "the ledger has a batch that is of no unit");
    Ok(())
}

/// A row with its rank: what it is ordered by, then its lineage.
type Ranked = (Vec<Option<String>>, (i64, i64, String, i64));

/// The table holds what the loaded inputs' records make, and nothing else.
fn the_table_is_right(world: &World<'_>) -> Result<(), String> {
    let ledger = world.warehouse.all_loaded();
    // Where runs take the place of all rows, the last one counts.
    let last = ledger.last().map(|(batch, _)| batch.generation);
    let counts = |batch: &LoadBatch| !world.case.whole_runs || Some(batch.generation) == last;
    let inputs: BTreeMap<&str, &LoadBatch> = ledger
        .iter()
        .map(|(batch, _)| (batch.input.as_str(), batch))
        .filter(|(_, batch)| counts(batch))
        .fold(BTreeMap::new(), |mut newest, (input, batch)| {
            // Of an input that was backfilled, its greatest generation counts.
            let there = newest.entry(input).or_insert(batch);
            if there.generation < batch.generation {
                *there = batch;
            }
            newest
        });
    let later = &world.case.deployed[1].pipeline.fingerprint();
    let is_replaced = |old: &LoadBatch| {
        let order = |batch: &LoadBatch| (batch.batch_time, batch.source_version.clone());
        ledger.iter().map(|(new, _)| new).filter(|new| counts(new)).any(|new| {
            new.replaces_source && new.source == old.source && new.input != old.input && order(old) < order(new)
        })
    };
    let mut wanted: Vec<Ranked> = Vec::new();
    for input in inputs.values().filter(|input| !is_replaced(input)) {
        for record in records(world, &input.source, &input.source_version)? {
            if let Is::Good { id, n, name } = &record.is {
                let name = if input.fingerprint == *later { name.to_uppercase() } else { name.clone() };
                let cells = vec![Some(id.to_string()), Some(n.to_string()), Some(name)];
                wanted.push((cells, (*n, input.batch_time, input.source.clone(), record.offset)));
            }
        }
    }
    if world.case.merges {
        let mut best: BTreeMap<Option<String>, _> = BTreeMap::new();
        wanted.sort_by(|(_, left), (_, right)| left.cmp(right));
        for row in wanted {
            best.insert(row.0[0].clone(), row);
        }
        wanted = best.into_values().collect();
    }
    let mut wanted: Vec<(Vec<Option<String>>, String, i64)> =
        wanted.into_iter().map(|(cells, (_, _, source, offset))| (cells, source, offset)).collect();
    let source_of =
        |name: &String| ledger.iter().find(|(batch, _)| batch.batch == *name).map(|(batch, _)| batch.source.clone());
    let mut found: Vec<(Vec<Option<String>>, String, i64)> = world
        .warehouse
        .rows()
        .into_iter()
        .map(|row| (row.cells, source_of(&row.batch).unwrap_or_default(), row.offset))
        .collect();
    wanted.sort();
    found.sort();
    must!(found == wanted, "the table has {found:?} and not {wanted:?}");
    Ok(())
}

/// Every loaded unit is in an event.
fn loads_were_told(world: &World<'_>, units: &[Unit]) -> Result<(), String> {
    let told: BTreeSet<String> =
        world.told.0.lock().map_err(|error| error.to_string())?.iter().flat_map(|event| event.units.clone()).collect();
    for unit in units.iter().filter(|unit| matches!(unit.state, UnitState::Loaded { .. })) {
        must!(told.contains(&unit.name), "nobody was told of {}", unit.name);
    }
    Ok(())
}

/// At rest, looking costs the warehouse nothing.
fn nobody_wakes_the_warehouse(world: &World<'_>) -> Result<(), String> {
    let before = world.warehouse.calls();
    world.look();
    must!(world.warehouse.calls() == before, "the warehouse was called for nothing");
    Ok(())
}

fn is_discarded(unit: &Unit) -> bool {
    matches!(unit.state, UnitState::Discarded { .. })
}
