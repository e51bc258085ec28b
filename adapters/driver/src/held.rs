//! Held units: carries out the decisions about them. A decision is first stored, with the units that it is about, and then
//! carried out; any worker may continue it. So it is made once, and carried out completely.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::pipeline::{Pipeline, Resolved};
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{Cursor, Decision, Member, Source, Start, Unit, UnitState, Work, name};
use etalon_core::warehouse::WriteMode;

use crate::judge::{DOUBLED, ONCE_MORE, announce, loaded_run};
use crate::ports::{Objects, Put, Queue};
use crate::store::{document, names, put, put_once, readable, side_by_side};

const RELEASE: &str = "release";
const DISCARD: &str = "discard";

/// The units that are marked as held in a table.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    /// The units that wait for a decision, or for what follows from one, with their versions.
    pub(crate) units: Vec<(Unit, String)>,
    /// Documents that cannot be read: of units, and of plans whose tasks were met.
    pub(crate) unreadable: Vec<Error>,
    /// Whether a plan is among them.
    pub(crate) lacks_plans: bool,
}

/// Looks at what is marked as held.
pub(crate) async fn marked(store: &impl Objects, table: &str) -> Result<Marked, Error> {
    let prefix = name::held(table, "");
    let mut marked = Marked::default();
    let marks = names(store, &prefix).await?;
    let of = |mark: &String| mark.strip_prefix(&prefix).unwrap_or(mark).to_owned();
    let documents = side_by_side(&marks, async |mark| {
        readable(document::<Unit>(store, &name::unit_document(table, &of(mark))).await)
    });
    for (mark, unit) in marks.iter().zip(documents.await?) {
        match unit {
            Err(error) => marked.unreadable.push(error),
            // Of one that was replaced, what has taken its place may not have begun; one that is to be loaded may have lost
            // its other mark.
            Ok(Some((unit, version)))
                if matches!(unit.state, UnitState::Held { .. } | UnitState::Pending | UnitState::Replaced { .. }) =>
            {
                marked.units.push((unit, version));
            }
            Ok(unit) => match unreadable_plan(store, &of(mark)).await? {
                Some(error) if unit.is_none() => {
                    marked.unreadable.push(error);
                    marked.lacks_plans = true;
                }
                // The mark came late: everything has been decided.
                _ => store.delete(mark).await?,
            },
        }
    }
    Ok(marked)
}

/// Why the plan of a unit cannot be read, if it is there and cannot.
async fn unreadable_plan(store: &impl Objects, unit: &str) -> Result<Option<Error>, Error> {
    let Some((input, generation)) = unit.rsplit_once('-') else { return Ok(None) };
    let Ok(generation) = generation.parse() else { return Ok(None) };
    readable(document::<InputPlan>(store, &name::plan(input, generation)).await).map(Result::err)
}

/// The units of a table that wait for a decision, or for what follows from one, with their versions.
pub async fn waiting(store: &impl Objects, table: &str) -> Result<Vec<(Unit, String)>, Error> {
    marked(store, table).await.map(|marked| marked.units)
}

/// The units of a table that wait for a decision.
pub async fn held(store: &impl Objects, table: &str) -> Result<Vec<Unit>, Error> {
    let waiting = waiting(store, table).await?.into_iter().map(|(unit, _)| unit);
    Ok(waiting.filter(Unit::is_held).collect())
}

/// Whether a unit is one of a pipeline.
pub fn is_of(pipeline: &Pipeline, unit: &Unit) -> bool {
    let is_own = |member: &Member| {
        let (name, version) = (member.source.clone(), member.source_version.clone());
        member.input == pipeline.input(&Object { name, version, size: member.size }, 1)
    };
    // An older Etalon did not say whose a unit is.
    unit.pipeline == pipeline.name() || (unit.pipeline.is_empty() && unit.members.iter().any(is_own))
}

/// Carries out the decision that a start asks for, about the units of a pipeline.
pub async fn decide(
    pipeline: &Resolved,
    store: &impl Objects,
    loads: &impl Queue,
    start: &Start,
) -> Result<Decision, Error> {
    let table = name::table(pipeline.table());
    let place = name::decision(&table, &start.run);
    let (decision, version) = match document::<Decision>(store, &place).await? {
        Some(kept) => kept,
        None => match decided(pipeline, store, &table, start, &place).await {
            Ok(kept) => kept,
            // Somebody with the same message may have decided meanwhile, and done it.
            Err(error) => document::<Decision>(store, &place).await?.ok_or(error)?,
        },
    };
    if decision.is_open {
        carry_out(&decision, store, loads, &table, &start.run).await?;
        let done = Decision { is_open: false, ..decision.clone() };
        match put(store, &place, &done, Put::IfVersion(&version)).await {
            Err(error) if error.kind() == ErrorKind::Changed => {}
            done => done.map(drop)?,
        }
    }
    Ok(decision)
}

/// Decides, and keeps the decision; the second is its version.
async fn decided(
    pipeline: &Resolved,
    store: &impl Objects,
    table: &str,
    start: &Start,
    place: &str,
) -> Result<(Decision, String), Error> {
    let decision = match &start.work {
        Work::Release(names) => release(pipeline, store, table, names).await?,
        Work::Discard(names) => discard(pipeline, store, table, names).await?,
        Work::Undiscard(names) => undiscard(pipeline, store, table, names).await?,
        _ => return Err(Error::new(ErrorKind::Refused, "a start that decides nothing")),
    };
    let version = put(store, place, &decision, Put::IfAbsent).await?;
    Ok((decision, version))
}

/// Carries out the part of a decision that is not done yet. The marks by which units are found are removed last, so that a
/// worker that is killed finds the units again; of what is released, by the load.
async fn carry_out(
    decision: &Decision,
    store: &impl Objects,
    loads: &impl Queue,
    table: &str,
    cause: &str,
) -> Result<(), Error> {
    for (unit_name, decided) in decision.units.iter().zip(&decision.versions) {
        let place = name::unit_document(table, unit_name);
        let Some((unit, version)) = document::<Unit>(store, &place).await? else { continue };
        let is_as_decided = version == *decided;
        let (held, discarded) = (name::held(table, unit_name), name::discarded(table, unit_name));
        match decision.decision.as_str() {
            RELEASE => {
                let unit =
                    if is_as_decided { settle(store, table, unit, &version, UnitState::Pending).await? } else { unit };
                // Its mark among the held stays until it is loaded: who has held it may still be at work, and take away the
                // other mark.
                if unit.is_pending() {
                    announce(store, loads, table, &unit, cause).await?;
                }
            }
            DISCARD => {
                if is_as_decided {
                    put_once(store, &discarded, b"").await?;
                    let reasons = match &unit.state {
                        UnitState::Held { reasons, .. } | UnitState::Discarded { reasons } => reasons.clone(),
                        _ => Vec::new(),
                    };
                    settle(store, table, unit, &version, UnitState::Discarded { reasons }).await?;
                    store.delete(&held).await?;
                } else if matches!(unit.state, UnitState::Discarded { .. }) {
                    store.delete(&held).await?;
                }
            }
            _ if is_as_decided => {
                let incomplete = is_incomplete(store, &unit).await?;
                let reasons = match &unit.state {
                    UnitState::Discarded { reasons } if !reasons.is_empty() => {
                        reasons.iter().map(|reason| once_more(reason)).collect()
                    }
                    // An older Etalon did not keep why.
                    _ => vec![format!("{}: it was discarded, and is looked at again", title(&unit))],
                };
                let state = UnitState::Held { reasons, incomplete, unread: false };
                put_once(store, &held, b"").await?;
                settle(store, table, unit, &version, state).await?;
                store.delete(&discarded).await?;
            }
            _ if unit.is_held() => store.delete(&discarded).await?,
            _ => {}
        }
    }
    Ok(())
}

/// Why a unit was held that is looked at again: what was so of the table then, and what was advised, may not be so any more.
fn once_more(reason: &str) -> String {
    if reason.starts_with(ONCE_MORE) || !reason.contains(DOUBLED) {
        return reason.to_owned();
    }
    let fact = reason.split("; release it").next().unwrap_or(reason);
    // How its rows take the place of those of the other one is so still.
    let instead = reason.find("remove the rows of").and_then(|at| reason.get(at..));
    let instead = instead.map_or_else(String::new, |instead| format!(", or {instead}"));
    format!(
        "{ONCE_MORE}; it was held then: {fact}; look whether the table has its rows now: release it if not; if it has them, discard \
         it{instead}"
    )
}

/// Chooses held units that are to be loaded as they are.
async fn release(pipeline: &Resolved, store: &impl Objects, table: &str, wanted: &[String]) -> Result<Decision, Error> {
    let mut decision = Decision { decision: RELEASE.to_owned(), ..Decision::default() };
    let mut waiting = waiting(store, table).await?;
    waiting.retain(|(unit, _)| is_of(pipeline, unit) && !matches!(unit.state, UnitState::Replaced { .. }));
    for (unit, version) in choose(waiting, wanted, "held")? {
        let left = match &unit.state {
            UnitState::Held { reasons, incomplete: true, .. } => format!(
                "{} is not whole and cannot be released as if it were ({}): fix the pipeline or bring a new version, or \
                 discard it",
                title(&unit),
                reasons.join("; ")
            ),
            _ if would_empty(pipeline, &unit) => format!(
                "{} has no rows and would leave the table empty: say `allow_empty: true` if it may, or discard it",
                title(&unit)
            ),
            _ if is_in_run(pipeline, store, table, &unit).await? => loaded_by_run(&unit),
            // The store is an older copy of itself; else a newer version has taken the unit's place.
            _ if brings_object(&unit) && is_overtaken(pipeline, store, &unit).await? => format!(
                "{}: a newer version of it has been loaded since, by runs that this state folder does not know (it is an older \
                 copy), and the old rows would stand beside the new ones: discard it",
                title(&unit)
            ),
            _ if is_older_reading(pipeline, store, &unit).await? => format!(
                "{} has all rows of the source as they were before, and a later reading has landed since, whose rows would give way \
                 to older ones: discard it",
                title(&unit)
            ),
            _ => {
                decision.add(&unit, &version);
                continue;
            }
        };
        if !wanted.is_empty() {
            return Err(Error::new(ErrorKind::Refused, left));
        }
        decision.left.push(left);
    }
    Ok(decision)
}

/// Whether a run that has replaced all rows has loaded what a unit has read of its objects.
async fn is_in_run(pipeline: &Pipeline, store: &impl Objects, table: &str, unit: &Unit) -> Result<bool, Error> {
    if unit.is_of_whole_run() {
        return Ok(false);
    }
    let run = loaded_run(pipeline, store, table).await?;
    let has = |member: &Member| {
        let same = |other: &Member| other.source == member.source && other.source_version == member.source_version;
        run.as_ref().is_some_and(|run| run.batch_time() > member.batch_time && run.members.iter().any(same))
    };
    Ok(unit.members.iter().any(has))
}

fn loaded_by_run(unit: &Unit) -> String {
    format!("{}: a run that has replaced all rows has loaded it since: its rows would be there twice", title(unit))
}

/// Whether a unit brings an object as it was read, and neither a whole run nor records of a version that stays in the table.
fn brings_object(unit: &Unit) -> bool {
    !unit.is_of_whole_run() && unit.members.iter().all(|member| member.redrives.is_none())
}

/// Whether a unit has all rows of a source, and there is a later reading with all rows.
async fn is_older_reading(pipeline: &Resolved, store: &impl Objects, unit: &Unit) -> Result<bool, Error> {
    if !pipeline.location().lands() || pipeline.appends() {
        return Ok(false);
    }
    let cursor = document::<Cursor>(store, &name::cursor(pipeline.name())).await?;
    Ok(cursor.is_some_and(|(cursor, _)| unit.members.iter().any(|member| cursor.is_overtaken(&member.source))))
}

/// Whether the load of a unit would always be refused, since it would leave the table empty.
fn would_empty(pipeline: &Resolved, unit: &Unit) -> bool {
    pipeline.table().write == WriteMode::Replace { allow_empty: false } && unit.counts.staged == 0
}

/// Chooses held units that are to be discarded.
async fn discard(pipeline: &Pipeline, store: &impl Objects, table: &str, wanted: &[String]) -> Result<Decision, Error> {
    let mut decision = Decision { decision: DISCARD.to_owned(), ..Decision::default() };
    let mut waiting = waiting(store, table).await?;
    waiting.retain(|(unit, _)| unit.is_held() && is_of(pipeline, unit));
    for (unit, version) in choose(waiting, wanted, "held")? {
        decision.add(&unit, &version);
    }
    Ok(decision)
}

/// The units of a pipeline that a person has discarded, with their versions.
pub async fn discarded(pipeline: &Pipeline, store: &impl Objects, table: &str) -> Result<Vec<(Unit, String)>, Error> {
    let mut discarded = Vec::new();
    let prefix = name::discarded(table, "");
    for mark in names(store, &prefix).await? {
        let unit = mark.strip_prefix(&prefix).unwrap_or(&mark);
        let found = document::<Unit>(store, &name::unit_document(table, unit)).await?;
        // The mark is there before the decision, and goes after it.
        let is_it = |unit: &Unit| matches!(unit.state, UnitState::Discarded { .. }) && is_of(pipeline, unit);
        discarded.extend(found.filter(|(unit, _)| is_it(unit)));
    }
    Ok(discarded)
}

/// Of them, those that can be brought back: a version that has given way to a newer one cannot, nor one whose contents came again.
pub async fn discarded_now(pipeline: &Pipeline, store: &impl Objects, table: &str) -> Result<Vec<Unit>, Error> {
    let mut now = Vec::new();
    for (unit, _) in discarded(pipeline, store, table).await? {
        let is_past = has_come_again(pipeline, store, &unit).await?
            || is_overtaken(pipeline, store, &unit).await?
            || is_in_run(pipeline, store, table, &unit).await?;
        if !is_past {
            now.push(unit);
        }
    }
    Ok(now)
}

/// Chooses discarded units that are to be held again.
async fn undiscard(
    pipeline: &Pipeline,
    store: &impl Objects,
    table: &str,
    wanted: &[String],
) -> Result<Decision, Error> {
    let mut decision = Decision { decision: "undiscard".to_owned(), ..Decision::default() };
    for (unit, version) in choose(discarded(pipeline, store, table).await?, wanted, "discarded")? {
        let left = if is_in_run(pipeline, store, table, &unit).await? {
            loaded_by_run(&unit)
        } else if has_come_again(pipeline, store, &unit).await? {
            format!(
                "{}: the same contents have come again since, and what was said of them then counts; it stays discarded",
                title(&unit)
            )
        } else if is_overtaken(pipeline, store, &unit).await? {
            format!(
                "{}: another version of it has been met since, which its old rows would stand beside; it stays discarded",
                title(&unit)
            )
        } else {
            decision.add(&unit, &version);
            continue;
        };
        if !wanted.is_empty() {
            return Err(Error::new(ErrorKind::Refused, left));
        }
        decision.left.push(left);
    }
    Ok(decision)
}

/// Whether an object of a unit has got the same contents once more since: they were judged anew.
async fn has_come_again(pipeline: &Pipeline, store: &impl Objects, unit: &Unit) -> Result<bool, Error> {
    for member in &unit.members {
        let record = document::<Source>(store, &name::source(pipeline.name(), &member.source)).await?;
        let versions = record.map_or_else(Vec::new, |(record, _)| record.versions);
        let Some(place) = versions.iter().position(|version| version.input == member.input) else { continue };
        let later = versions.get(place + 1..).unwrap_or_default();
        let (name, version) = (member.source.clone(), member.source_version.clone());
        let object = Object { name, version, size: member.size };
        let meetings = u32::try_from(versions.len()).unwrap_or(u32::MAX);
        let mut inputs = (1..=meetings).map(|meeting| pipeline.input(&object, meeting));
        if inputs.any(|input| later.iter().any(|version| version.input == input)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an object of a unit has become another one since, where only one version of an object may be in the table.
async fn is_overtaken(pipeline: &Pipeline, store: &impl Objects, unit: &Unit) -> Result<bool, Error> {
    if pipeline.whole_runs() || pipeline.on_overwrite() == OnOverwrite::Add {
        return Ok(false);
    }
    for member in &unit.members {
        let record = document::<Source>(store, &name::source(pipeline.name(), &member.source)).await?;
        if record.is_some_and(|(record, _)| !record.is_current(&member.input)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Selects the units of the objects of these names, or all of them. Each name must have a unit. A name with a version after an
/// `@` selects one of several units of its object.
fn choose(units: Vec<(Unit, String)>, wanted: &[String], state: &str) -> Result<Vec<(Unit, String)>, Error> {
    let is_it = |unit: &Unit, name: &String| {
        let is_version = |member: &Member| {
            let version = name.strip_prefix(&member.source).and_then(|rest| rest.strip_prefix('@'));
            version.is_some_and(|version| !version.is_empty() && member.source_version.starts_with(version))
        };
        unit.name == *name || unit.members.iter().any(|member| member.source == *name || is_version(member))
    };
    if let Some(missing) = wanted.iter().find(|name| !units.iter().any(|(unit, _)| is_it(unit, name))) {
        let titles: Vec<String> = units.iter().map(|(unit, _)| title(unit)).collect();
        let is_alone = |title: &String| titles.iter().filter(|other| *other == title).count() == 1;
        let there = units.iter().zip(&titles);
        let there: Vec<String> =
            there.map(|((unit, _), title)| if is_alone(title) { title.clone() } else { versioned(unit) }).collect();
        let there = match there.as_slice() {
            [] => format!("nothing is {state}"),
            there => format!("{state} are: {}", there.join(", ")),
        };
        return Err(Error::new(ErrorKind::Refused, format!("{missing} is not {state}; {there}")));
    }
    let is_wanted = |unit: &Unit| wanted.is_empty() || wanted.iter().any(|name| is_it(unit, name));
    Ok(units.into_iter().filter(|(unit, _)| is_wanted(unit)).collect())
}

/// The name of a unit for people: its object, or its run.
pub fn title(unit: &Unit) -> String {
    match unit.members.as_slice() {
        [member] => member.source.clone(),
        members => format!("the run of {} objects ({})", members.len(), unit.name),
    }
}

/// The name of a unit if several versions of its object are held: it contains the first digits of the version.
pub fn versioned(unit: &Unit) -> String {
    const DIGITS: usize = 8;
    match unit.members.as_slice() {
        [member] => {
            let version = &member.source_version;
            let end = version.char_indices().nth(DIGITS).map_or(version.len(), |(at, _)| at);
            format!("{}@{}", member.source, version.get(..end).unwrap_or(version))
        }
        _ => title(unit),
    }
}

async fn settle(store: &impl Objects, table: &str, unit: Unit, version: &str, state: UnitState) -> Result<Unit, Error> {
    if unit.state == state {
        return Ok(unit);
    }
    // Who was not told that the table has its rows has not said that they may be there twice. A release that was interrupted, and
    // put back, was told.
    let released = state == UnitState::Pending && (unit.released || unit.says(DOUBLED));
    let unit = Unit { state, released, ..unit };
    put(store, &name::unit_document(table, &unit.name), &unit, Put::IfVersion(version)).await?;
    Ok(unit)
}

async fn is_incomplete(store: &impl Objects, unit: &Unit) -> Result<bool, Error> {
    for batch in unit.batches() {
        if crate::store::receipt(store, &batch.batch).await?.is_none_or(|receipt| receipt.incomplete.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}
