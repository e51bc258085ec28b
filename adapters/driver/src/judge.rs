//! Judge: when all receipts of a unit are there, decides whether it is loaded or held, and writes the unit's document.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::pipeline::{Input, Pipeline, Resolved};
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{LastRun, Leg, LoadMessage, Member, Source, Unit, UnitState, name, print};
use etalon_core::receipt::Counts;

use crate::deployed::Deployed;
use crate::ports::{Entry, Fact, Objects, Order, Put, Queue, Witness};
use crate::store::{document, names, plan, put, put_once, receipt, send, units};

/// Judges a run, if it has met all its inputs and all their receipts are there.
pub(crate) async fn complete_run(
    deployed: &Deployed,
    store: &impl Objects,
    loads: &impl Queue,
    witness: &impl Witness,
    run: &str,
) -> Result<(), Error> {
    let plans = plans_of(deployed.pipeline.name(), run, store).await?.unwrap_or_default();
    let Some(first) = plans.first() else { return Ok(()) };
    let pipeline = deployed.pipeline(store, &first.fingerprint).await?;
    complete_unit(&pipeline, store, (loads, witness), name::run_unit(pipeline.name(), run), plans).await
}

/// Judges a unit, if the receipts of all its plans are there.
pub(crate) async fn complete_unit(
    pipeline: &Resolved,
    store: &impl Objects,
    told: (&impl Queue, &impl Witness),
    unit_name: String,
    plans: Vec<InputPlan>,
) -> Result<(), Error> {
    let table = name::table(pipeline.table());
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
        inputs.push(Input::new(plan, receipts));
    }
    let mut loaded_as = None;
    for input in &mut inputs {
        let loaded = overwrites(pipeline, store, &table, &unit_name, input).await?;
        // Its bytes are those that are in the table: somebody was about to load them when the object was met.
        let is_one = pipeline.on_overwrite() == OnOverwrite::Fail;
        let version = &input.plan.source_version;
        let has_same = |unit: &Unit| is_one && unit.members.iter().all(|member| member.source_version == *version);
        loaded_as = loaded.filter(has_same).map(|unit| unit.name);
    }
    let mut unit = pipeline.unit(unit_name, &inputs);
    if unit.is_held() {
        let by = match loaded_as {
            None => replaced_by(pipeline, store, &inputs).await?,
            loaded => loaded,
        };
        if let Some(by) = by {
            unit.state = UnitState::Replaced { by };
        }
    }
    judged(store, told, &table, unit).await
}

/// Judges a held unit again: what the pipeline says of limits and of new versions may have changed since, without a change of
/// what rows are. What the warehouse has refused waits for somebody, and so does a copy that was brought back. `now` tells it apart
/// from a judgement minutes before, whose announcement the queue remembers.
pub(crate) async fn judge_again(
    pipeline: &Resolved,
    store: &impl Objects,
    loads: &impl Queue,
    now: i64,
    unit: &Unit,
    version: &str,
) -> Result<(), Error> {
    let UnitState::Held { reasons, .. } = &unit.state else { return Ok(()) };
    // Once the pipeline writes again as it did when the unit was read, that is no reason any more.
    let is_of_now = unit.is_of_whole_run() == pipeline.whole_runs();
    let is_refused = |reason: &String| reason.starts_with(REFUSED) && !(is_of_now && reason.contains(OTHERWISE));
    let waits = |reason: &String| is_refused(reason) || reason.starts_with(ONCE_MORE);
    if unit.fingerprint != pipeline.fingerprint() || reasons.iter().any(waits) {
        return Ok(());
    }
    let table = name::table(pipeline.table());
    let mut inputs = Vec::new();
    for member in &unit.members {
        let plan = plan(store, &member.input, member.generation).await?;
        let mut receipts = Vec::new();
        for task in plan.tasks() {
            match receipt(store, &task.batch).await? {
                Some(receipt) => receipts.push(receipt),
                None => return Ok(()),
            }
        }
        let mut input = Input::new(plan, receipts);
        overwrites(pipeline, store, &table, &unit.name, &mut input).await?;
        inputs.push(input);
    }
    let judged = pipeline.unit(unit.name.clone(), &inputs);
    if judged.is_held() {
        return Ok(());
    }
    put(store, &name::unit_document(&table, &unit.name), &judged, Put::IfVersion(version)).await?;
    // Its mark among the held stays until it is loaded: who has held it may still be at work, and take away the other mark.
    announce(store, loads, &table, &judged, &now.to_string()).await
}

/// What the reason begins with for which a unit is held that the warehouse has refused.
pub const REFUSED: &str = "the warehouse refuses it: ";

/// What the reason says for which a unit is held that was read when the pipeline wrote its rows otherwise.
pub(crate) const OTHERWISE: &str = "it was read when the pipeline";

/// What the reason begins with for which a unit is held that was discarded as a copy.
pub(crate) const ONCE_MORE: &str = "it was discarded, and is looked at again";
/// What the reason says for which a unit is held whose rows the table has.
pub(crate) const DOUBLED: &str = "its rows would be in table";
/// What the reason says for which a unit is held whose object was a copy before, and has other contents now.
pub(crate) const GROWN: &str = "twice if it has only grown";

/// Finds out whether an earlier version of an object is loaded, or waits for its load, and gives the unit of the last one. Where one
/// version is all that may be there, those that have not come so far give way: they are not judged any more.
async fn overwrites(
    pipeline: &Pipeline,
    store: &impl Objects,
    table: &str,
    unit_name: &str,
    input: &mut Input,
) -> Result<Option<Unit>, Error> {
    let plan = &input.plan;
    let is_new = plan.overwrites && !plan.backfills && plan.redrives.is_none() && !pipeline.whole_runs();
    let is_empty = input.receipts.iter().all(|receipt| receipt.counts.read == 0);
    let keeps_one = match pipeline.on_overwrite() {
        OnOverwrite::Fail => true,
        // Whether what it replaces has rows matters where it has none, and whether what it is added to has the same.
        OnOverwrite::Replace if is_empty => false,
        OnOverwrite::Replace => return Ok(None),
        OnOverwrite::Add => false,
    };
    let place = name::source(pipeline.name(), &plan.source);
    if !is_new {
        return Ok(None);
    }
    let record = document::<Source>(store, &place).await?.map(|(record, _)| record).unwrap_or_default();
    let run = loaded_run(pipeline, store, table).await?;
    let mut loaded: Option<Unit> = None;
    let mut earlier: Vec<&str> = record.before(&plan.input).collect();
    earlier.reverse();
    for before in earlier {
        if keeps_one {
            for place in names(store, &name::plans(before)).await? {
                let Some((earlier, _)) = document::<InputPlan>(store, &place).await? else { continue };
                give_way(store, table, &earlier, unit_name).await?;
            }
        }
        // The last of them counts.
        if loaded.is_some() {
            continue;
        }
        // What was loaded before a run that has replaced all rows is gone.
        let is_gone = |unit: &Unit| run.as_ref().is_some_and(|run| unit.batch_time() < run.batch_time());
        let is_there = |unit: &Unit| {
            matches!(unit.state, UnitState::Loaded { .. } | UnitState::Pending)
                && (unit.is_of_whole_run() || !is_gone(unit))
        };
        let generation = |unit: &Unit| unit.members.iter().map(|member| member.generation).max();
        let mut there: Vec<Unit> = units(store, table, before).await?.into_iter().map(|(unit, _)| unit).collect();
        there.retain(is_there);
        there.sort_by_key(generation);
        let is_whole = |unit: &Unit| unit.members.iter().all(|member| member.redrives.is_none());
        // What came before it was loaded again has gone.
        let whole = there.iter().rposition(is_whole).unwrap_or_default();
        if let Some(unit) = there.get(whole) {
            input.overwrites_rows = there.iter().skip(whole).any(|unit| unit.counts.staged > 0);
            // Whichever has read it knows its bytes.
            input.overwrites_same =
                there.iter().flat_map(|unit| &unit.members).any(|member| input.has_bytes_of(member));
            loaded = Some(unit.clone());
        }
    }
    if loaded.is_none() {
        // When rows were replaced as a whole, nobody kept a record of versions.
        let brings = |member: &Member| member.source == input.plan.source && member.input != input.plan.input;
        loaded = run.filter(|run| run.members.iter().any(brings));
        input.overwrites_rows |= loaded.as_ref().is_some_and(|unit| unit.counts.staged > 0);
    }
    input.overwrites_loaded = loaded.is_some();
    let mut members = loaded.iter().flat_map(|unit| &unit.members);
    input.overwrites_same |= members.any(|member| member.source == input.plan.source && input.has_bytes_of(member));
    Ok(loaded)
}

/// The unit of the last run that has replaced all rows, if it is loaded.
pub(crate) async fn loaded_run(pipeline: &Pipeline, store: &impl Objects, table: &str) -> Result<Option<Unit>, Error> {
    let Some((last, _)) = document::<LastRun>(store, &name::last_run(pipeline.name())).await? else { return Ok(None) };
    let place = name::unit_document(table, &name::run_unit(pipeline.name(), &last.run));
    let unit = document::<Unit>(store, &place).await?.map(|(unit, _)| unit);
    Ok(unit.filter(|unit| matches!(unit.state, UnitState::Loaded { .. })))
}

/// Sees that the unit of a plan, if it has not been judged, never will be.
pub(crate) async fn give_way(store: &impl Objects, table: &str, plan: &InputPlan, by: &str) -> Result<(), Error> {
    let unit_name = name::unit(&plan.input, plan.generation);
    let unit = Unit {
        name: unit_name.clone(),
        pipeline: plan.pipeline.clone(),
        fingerprint: plan.fingerprint.clone(),
        counts: Counts::default(),
        members: Vec::new(),
        state: UnitState::Replaced { by: by.to_owned() },
        released: false,
    };
    match put(store, &name::unit_document(table, &unit_name), &unit, Put::IfAbsent).await {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        done => done.map(drop),
    }
}

/// What has taken the place of a unit that is held before anybody has seen it.
async fn replaced_by(pipeline: &Pipeline, store: &impl Objects, inputs: &[Input]) -> Result<Option<String>, Error> {
    let Some(first) = inputs.first().map(|input| &input.plan) else { return Ok(None) };
    if let Some(run) = &first.run {
        let last = document::<LastRun>(store, &name::last_run(pipeline.name())).await?.map(|(last, _)| last.run);
        return Ok(last.filter(|last| last != run).map(|last| name::run_unit(pipeline.name(), &last)));
    }
    let keeps_versions = pipeline.on_overwrite() == OnOverwrite::Add;
    if keeps_versions || (first.redrives.is_some() && pipeline.on_overwrite() != OnOverwrite::Replace) {
        return Ok(None);
    }
    let record = document::<Source>(store, &name::source(pipeline.name(), &first.source)).await?;
    let current = record.and_then(|(record, _)| record.versions.last().map(|last| last.input.clone()));
    Ok(current.filter(|current| *current != first.input).map(|current| name::unit(&current, 0)))
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
        UnitState::Loaded { .. } | UnitState::Discarded { .. } | UnitState::Replaced { .. } => Ok(()),
        UnitState::Held { .. } => put_once(store, &name::held(table, unit_name), b"").await,
        UnitState::Pending => {
            put_once(store, &name::pending(table, unit_name), b"").await?;
            let body = print(&LoadMessage { table: table.to_owned() });
            let order = Order { group: name::group(table), deduplication: format!("{unit_name}{cause}") };
            send(loads, vec![Entry { body, order: Some(order) }]).await
        }
    }
}
