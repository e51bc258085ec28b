//! The load loop: one load in flight for each table, from pending units to ledger rows.
//!
//! A message only says "look at this table". The loader reads the documents, asks [`etalon_core::protocol::next`], does that
//! one step, and reads again. It never waits: the next message or the next sweep continues with a statement that still runs. If
//! no unit is pending, the warehouse is not called at all, because a call may wake it.

use std::collections::BTreeMap;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Resolved;
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::plan::identity;
use etalon_core::protocol::{
    Begun, Blame, Holds, InLedger, Load, LoadEvent, LoadLimits, LoadMessage, Member, Next, Seen, Source, Unit,
    UnitState, choose, name, next, parse,
};
use etalon_core::receipt::Part;
use etalon_core::warehouse::{Appended, Contents, Double, LoadBatch, LoadCounts, Table, WriteMode};

use crate::by_hand;
use crate::deployed::Deployed;
use crate::held::{is_of, title};
use crate::judge::{DOUBLED, GROWN, OTHERWISE, REFUSED};
use crate::ports::{
    Clock, DataWarehouse, Events, Fact, LoadOrder, Message, Objects, OrderPart, Put, StatementState, Witness,
};
use crate::store::{Handled, document, is_unreadable, names, put, put_once, readable, side_by_side};

/// A minute, in microseconds.
const MINUTE: i64 = 60_000_000;
/// Marks of pending units that one look takes in.
const MARKS_MAX: usize = 1000;
/// Steps of one call; what is left is done by the next.
const STEPS_MAX: usize = 100;

/// The ports of load.
#[derive(Debug)]
pub struct Loader<'a, T, W, E, C, O> {
    /// The pipeline that is deployed.
    pub deployed: &'a Deployed,
    /// Where units, marks and the load in flight are kept.
    pub store: &'a T,
    /// Where rows go.
    pub warehouse: &'a W,
    /// Receives the events of loads.
    pub events: &'a E,
    /// What time it is.
    pub clock: &'a C,
    /// Who sees what happens.
    pub witness: &'a O,
    /// How much one load brings.
    pub limits: LoadLimits,
    /// Whether rows are appended that the table has already, by the ledger.
    pub accepts_doubles: bool,
    /// When to stop beginning new steps, in microseconds since 1970.
    pub deadline: i64,
}

/// What a step leaves to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Something,
    Nothing,
}

impl<T: Objects, W: DataWarehouse, E: Events, C: Clock, O: Witness> Loader<'_, T, W, E, C, O> {
    /// Handles a load message.
    pub async fn handle(&self, message: &Message) -> Handled {
        self.work(message).await.into()
    }

    async fn work(&self, message: &Message) -> Result<(), Error> {
        self.is_own(message)?;
        self.sweep().await.map(drop)
    }

    /// Whether a message is about the table that is loaded here: if not, the error says why.
    pub fn is_own(&self, message: &Message) -> Result<(), Error> {
        let LoadMessage { table } = parse(message.body.as_bytes())?;
        let here = self.table();
        if table != here {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("the message is for table {table}, but this function loads {here}"),
            ));
        }
        Ok(())
    }

    /// Brings the table as far as it can be brought without waiting. Whether it stopped before that: another sweep goes on.
    pub async fn sweep(&self) -> Result<bool, Error> {
        for _ in 0..STEPS_MAX {
            let left = match document::<Load>(self.store, &name::current(&self.table())).await {
                Ok(Some((load, version))) => self.go_on(&load, &version).await?,
                Ok(None) => self.begin().await?,
                Err(error) if is_unreadable(&error) => self.forget_current(&error).await?,
                Err(error) => return Err(error),
            };
            if left == Left::Nothing {
                return Ok(false);
            }
            if self.clock.now() >= self.deadline {
                break;
            }
        }
        Ok(true)
    }

    /// Ends a load in flight that cannot be read. Should its statement still run, its guards and those of the next load see to
    /// it that one of them alone loads a unit.
    async fn forget_current(&self, error: &Error) -> Result<Left, Error> {
        self.witness.saw(&Fact::Unreadable(&error.to_string()));
        let current = name::current(&self.table());
        let (_, version) = self.store.fetch(&current).await?;
        unless_raced(self.store.delete_version(&current, &version).await)?;
        Ok(Left::Something)
    }

    /// The document of a unit, or why it cannot be read, which is told.
    async fn unit(&self, unit: &str) -> Result<Result<Option<(Unit, String)>, Error>, Error> {
        self.unit_at(&name::unit_document(&self.table(), unit)).await
    }

    async fn unit_at(&self, place: &str) -> Result<Result<Option<(Unit, String)>, Error>, Error> {
        let unit = readable(document::<Unit>(self.store, place).await)?;
        Ok(unit.inspect_err(|error| self.witness.saw(&Fact::Unreadable(&error.to_string()))))
    }

    /// Makes the pipeline's pending units the load in flight. Whoever writes it first has decided what is in it.
    async fn begin(&self) -> Result<Left, Error> {
        let table = self.table();
        let prefix = name::pending(&table, "");
        let mut pending = Vec::new();
        let most = MARKS_MAX.max(self.limits.units_max);
        let mut after = None;
        // What another pipeline brings into the table is for its own loader, which knows whether it can be loaded.
        while pending.len() < self.limits.units_max {
            let marks = self.store.list(&prefix, after.as_deref(), most).await?;
            let units = side_by_side(&marks, |mark| self.unit(mark.strip_prefix(&prefix).unwrap_or(mark))).await?;
            for (mark, unit) in marks.iter().zip(units) {
                match unit {
                    Ok(Some((unit, _))) if unit.is_pending() => {
                        pending.extend(is_of(&self.deployed.pipeline, &unit).then_some(unit));
                    }
                    Err(_) => {}
                    // The mark came late, or its remover was killed.
                    Ok(_) => self.store.delete(mark).await?,
                }
            }
            if marks.len() < most {
                break;
            }
            after = marks.last().cloned();
        }
        // A run that takes the place of all rows is a load of its own.
        let units_max = if self.deployed.pipeline.whole_runs() { 1 } else { self.limits.units_max };
        let waiting = pending.len();
        let units = choose(pending, LoadLimits { units_max, ..self.limits });
        let Some(first) = units.first() else {
            self.forget_holds().await?;
            return self.mark_again().await;
        };
        if !self.may_begin(units.len() == waiting).await? {
            return Ok(Left::Nothing);
        }
        let fingerprint = first.fingerprint.clone();
        let names: Vec<String> = units.iter().map(|unit| unit.name.clone()).collect();
        let now = self.clock.now();
        let time = now.to_string();
        let parts: Vec<&str> =
            [table.as_str(), time.as_str()].into_iter().chain(names.iter().map(String::as_str)).collect();
        let load = Load::new(identity("load", &parts), fingerprint, names.clone(), now);
        put_unless_raced(put(self.store, &name::current(&table), &load, Put::IfAbsent).await)?;
        Ok(Left::Something)
    }

    /// Marks units as pending whose mark was taken away by a worker that was about to hold them, and was killed: they are marked as
    /// held, and their documents say that they are to be loaded.
    async fn mark_again(&self) -> Result<Left, Error> {
        let (table, mut left) = (self.table(), Left::Nothing);
        let prefix = name::held(&table, "");
        let marks = self.store.list(&prefix, None, MARKS_MAX).await?;
        let units = side_by_side(&marks, |mark| self.unit(mark.strip_prefix(&prefix).unwrap_or(mark))).await?;
        for (unit, _) in units.into_iter().flatten().flatten() {
            if unit.is_pending() && is_of(&self.deployed.pipeline, &unit) {
                put_once(self.store, &name::pending(&table, &unit.name), b"").await?;
                left = Left::Something;
            }
        }
        Ok(left)
    }

    /// Whether a load may begin: not too soon after the last one. One that leaves units waiting is followed at once.
    async fn may_begin(&self, takes_all: bool) -> Result<bool, Error> {
        let between = i64::try_from(self.limits.minutes_between).unwrap_or(i64::MAX).saturating_mul(MINUTE);
        if between == 0 {
            return Ok(true);
        }
        let (now, place) = (self.clock.now(), name::begun(&self.table(), self.deployed.pipeline.name()));
        let last = document::<Begun>(self.store, &place).await?;
        if last.is_some_and(|(Begun { at }, _)| now < at.saturating_add(between)) {
            return Ok(false);
        }
        if takes_all {
            put(self.store, &place, &Begun { at: now }, Put::Always).await?;
        }
        Ok(true)
    }

    /// Does the one thing that comes next for the load in flight.
    async fn go_on(&self, load: &Load, version: &str) -> Result<Left, Error> {
        let current = name::current(&self.table());
        // The world has failed, and is given time: a later message or sweep goes on.
        if !load.is_due(self.clock.now()) {
            return Ok(Left::Nothing);
        }
        let seen = self.look(load).await?;
        if seen == Seen::Running {
            return Ok(Left::Nothing);
        }
        let pipeline = self.deployed.pipeline(self.store, &load.fingerprint).await?;
        let units = side_by_side(&load.units, |unit| self.unit(unit)).await?;
        let units: Vec<(Unit, String)> = units.into_iter().flatten().flatten().collect();
        if units.len() < load.units.len() {
            return self.go_on_without(load, version, &units).await;
        }
        let rows = self.rows(pipeline.table(), &units).await?;
        let loaded = counts(&rows, &units);
        let in_ledger = match loaded.iter().flatten().count() {
            0 => InLedger::None,
            count if count == units.len() => InLedger::All,
            _ => InLedger::Some,
        };
        if let Seen::Failed(words, _) = &seen {
            self.witness.saw(&Fact::Failed(load, words));
        }
        let mut then = next(load, &seen, in_ledger);
        if then == Next::Submit {
            let submitted = match self.look_for_changes(&pipeline, &units).await {
                Ok(()) => {
                    let rest = self.hold_doubled(&pipeline, &units).await?;
                    if rest.len() < units.len() {
                        return self.go_on_without(load, version, &rest).await;
                    }
                    let order = self.order(load, &pipeline, &units, &rows).await?;
                    self.warehouse.submit(&order, &load.token()).await
                }
                changed => changed.map(|()| String::new()),
            };
            match submitted {
                Ok(statement) => {
                    let submitted = Load { statement: Some(statement), ..load.clone() };
                    self.witness.saw(&Fact::Submitted(&submitted));
                    put_unless_raced(put(self.store, &current, &submitted, Put::IfVersion(version)).await)?;
                    return Ok(Left::Something);
                }
                // What it brings must not be loaded, which is seen before it is tried.
                Err(error) if error.kind() == ErrorKind::Held => {
                    then = next(load, &Seen::Failed(error.to_string(), Blame::Data), in_ledger);
                }
                Err(error) => {
                    let later = load.put_off(self.clock.now()).said(error.to_string());
                    put_unless_raced(put(self.store, &current, &later, Put::IfVersion(version)).await)?;
                    return Err(error);
                }
            }
        }
        match then {
            Next::Wait | Next::Submit => return Ok(Left::Nothing),
            Next::Settle | Next::Abandon => {
                let settled = units.iter().zip(&loaded).filter_map(|(unit, counts)| Some((unit, (*counts)?)));
                side_by_side(settled, |((unit, version), counts)| self.settle(unit, version, counts)).await?;
                match in_ledger {
                    InLedger::All => self.tell(load, &units, &loaded).await?,
                    // Somebody else has loaded some of them, who tells of it; here they are seen.
                    InLedger::Some => self.witness.saw(&Fact::Loaded(&self.event(load, &units, &loaded))),
                    InLedger::None => {}
                }
                unless_raced(self.store.delete_version(&current, version).await)?;
            }
            Next::Retry(blame) => {
                let again = load.again(blame, self.clock.now()).said(match &seen {
                    Seen::Failed(words, _) => words.clone(),
                    _ => String::new(),
                });
                put_unless_raced(put(self.store, &current, &again, Put::IfVersion(version)).await)?;
                if let Seen::Failed(words, Blame::Environment) = seen {
                    // The attempt is noted; what is wrong in the world may take a while.
                    return Err(Error::new(ErrorKind::Unavailable, words));
                }
            }
            Next::Halve => {
                let half: Vec<String> = load.units.iter().take(load.units.len() / 2).cloned().collect();
                let id = identity("half", &[&load.load]);
                let half = Load::new(id, load.fingerprint.clone(), half, self.clock.now());
                put_unless_raced(put(self.store, &current, &half, Put::IfVersion(version)).await)?;
            }
            Next::Hold(words) => {
                self.brake(load, version, &words).await?;
                for (unit, version) in &units {
                    self.hold(unit, version, format!("{REFUSED}{}: {words}", title(unit))).await?;
                }
                unless_raced(self.store.delete_version(&current, version).await)?;
            }
            Next::Stop(words) => return Err(Error::new(ErrorKind::Refused, words)),
        }
        Ok(Left::Something)
    }

    /// Refuses a load where somebody has changed the table or its ledger, so that rows would be there twice, or lost unseen.
    async fn look_for_changes(&self, pipeline: &Resolved, units: &[(Unit, String)]) -> Result<(), Error> {
        let presence = match self.warehouse.presence(pipeline.table()).await {
            // A table that Etalon has not made is refused by whoever would change it.
            Err(error) if error.kind() == ErrorKind::Refused => return Ok(()),
            presence => presence?,
        };
        // Another pipeline's first load may have been committed between the two questions, what the ledger knows and whether there are
        // rows: then the ledger knows of it by now.
        let presence = if presence.is_unknown() { self.warehouse.presence(pipeline.table()).await? } else { presence };
        if presence.is_unknown() {
            return Err(by_hand::unknown(pipeline));
        }
        if let Some(other) = another_key(&self.deployed.pipeline, pipeline)
            .or_else(|| another_scope(&self.deployed.pipeline, units.iter().map(|(unit, _)| unit)))
        {
            return Err(other);
        }
        let way_out = "delete the table's rows from the ledger, then `etalon reload`";
        if let Some(lost) = by_hand::lost(pipeline, &presence, way_out) {
            return Err(lost);
        }
        if !by_hand::may_double(pipeline) {
            return Ok(());
        }
        let mut earlier = Vec::new();
        for member in units.iter().flat_map(|(unit, _)| &unit.members) {
            if member.replaces_generations {
                earlier.extend(self.loaded_before(&member.input, Some(member.generation)).await?);
            }
            if member.replaces_source {
                let place = name::source(pipeline.name(), &member.source);
                let record = document::<Source>(self.store, &place).await?;
                for input in record.iter().flat_map(|(record, _)| record.before(&member.input)) {
                    earlier.extend(self.loaded_before(input, None).await?);
                }
            }
        }
        let counts = counts(&self.rows(pipeline.table(), &earlier).await?, &earlier);
        let lacking = earlier.iter().zip(counts).filter(|(_, counts)| counts.is_none());
        let lacking: Vec<&Unit> = lacking.map(|((unit, _), _)| unit).collect();
        let batches: Vec<String> =
            lacking.iter().flat_map(|unit| unit.batches()).map(|batch| batch.batch.clone()).collect();
        if batches.is_empty() {
            return Ok(());
        }
        let there = self.warehouse.brought(pipeline.table(), &batches).await?;
        by_hand::doubled(pipeline, &lacking, &there).map_or(Ok(()), Err)
    }

    /// The units of an input that the store calls loaded, of generations before one, if there is one. Those of a run that replaced
    /// the whole table have any number.
    async fn loaded_before(&self, input: &str, before: Option<u32>) -> Result<Vec<(Unit, String)>, Error> {
        let is_earlier =
            |member: &Member| member.input == input && before.is_none_or(|before| member.generation < before);
        let places = names(self.store, &name::units(&self.table(), Some(input))).await?;
        let units = side_by_side(&places, async |place| self.unit_at(place).await).await?;
        let is_meant = |(unit, _): &(Unit, String)| {
            matches!(unit.state, UnitState::Loaded { .. }) && unit.members.iter().any(is_earlier)
        };
        Ok(units.into_iter().flatten().flatten().filter(is_meant).collect())
    }

    /// Holds the units that would be appended though the table has their rows, by what the ledger tells of equal contents, unless
    /// somebody has released them. Gives those that are to be loaded.
    async fn hold_doubled(&self, pipeline: &Resolved, units: &[(Unit, String)]) -> Result<Vec<(Unit, String)>, Error> {
        let deployed = &self.deployed.pipeline;
        let may_double = self.accepts_doubles
            || deployed.on_overwrite() == OnOverwrite::Add
            || pipeline.table().write != WriteMode::Append
            // Rows of a database may be as they were before.
            || deployed.location().lands();
        if may_double {
            return Ok(units.to_vec());
        }
        let was = side_by_side(units, async |(unit, _)| self.never_loaded(unit).await).await?;
        let was: BTreeMap<&str, Vec<LoadBatch>> = units.iter().map(|(unit, _)| unit.name.as_str()).zip(was).collect();
        let batches: Vec<LoadBatch> =
            units.iter().flat_map(|(unit, _)| unit.load_batches()).chain(was.values().flatten().cloned()).collect();
        let akin = self.warehouse.akin(pipeline.table(), &batches).await?;
        let pipelines = match Contents::has_of_others(&akin, pipeline.name(), &batches) {
            true => self.warehouse.pipelines(pipeline.table(), pipeline.name()).await?,
            false => Vec::new(),
        };
        let contents = Contents::new(&akin, pipelines);
        let mut in_order: Vec<&(Unit, String)> = units.iter().collect();
        // What takes the place of rows comes first: they are not there any more when the others come.
        let adds = |unit: &Unit| !unit.load_batches().any(|batch| batch.replaces());
        in_order.sort_by_key(|(unit, _)| (adds(unit), unit.batch_time(), title(unit)));
        let appended = |(unit, _): &&(Unit, String)| Appended {
            batches: unit.load_batches().collect(),
            was: was.get(unit.name.as_str()).cloned().unwrap_or_default(),
            // A redrive brings some records of an object that is loaded.
            is_asked: !unit.released && unit.members.iter().all(|member| member.redrives.is_none()),
        };
        let load: Vec<Appended> = in_order.iter().map(appended).collect();
        let mut rest = Vec::new();
        for ((unit, version), doubled) in in_order.into_iter().zip(contents.doubled(pipeline.name(), &load)) {
            match doubled {
                Some(double) => self.hold(unit, version, would_double(pipeline, unit, double)).await?,
                None => rest.push((unit.clone(), version.clone())),
            }
        }
        Ok(rest)
    }

    /// What earlier versions of a unit's object would have brought, if none of them was ever loaded: they were held, and another
    /// version has come, or somebody has discarded them.
    async fn never_loaded(&self, unit: &Unit) -> Result<Vec<LoadBatch>, Error> {
        let mut batches = Vec::new();
        let is_new = |member: &&Member| member.redrives.is_none() && !member.replaces_generations;
        for member in unit.members.iter().filter(is_new).filter(|_| !unit.released && !unit.is_of_whole_run()) {
            let place = name::source(&unit.pipeline, &member.source);
            let Some((record, _)) = document::<Source>(self.store, &place).await? else { continue };
            let mut never = Vec::new();
            for input in record.before(&member.input) {
                let places = names(self.store, &name::units(&self.table(), Some(input))).await?;
                let earlier = side_by_side(&places, async |place| self.unit_at(place).await).await?;
                let earlier: Vec<Unit> = earlier.into_iter().flatten().flatten().map(|(unit, _)| unit).collect();
                let is_loaded = |unit: &Unit| matches!(unit.state, UnitState::Loaded { .. } | UnitState::Pending);
                if earlier.iter().any(is_loaded) {
                    never.clear();
                    break;
                }
                never.extend(earlier.iter().flat_map(Unit::load_batches));
            }
            batches.extend(never);
        }
        Ok(batches)
    }

    /// Begins a load of those units alone whose documents are there and can be read.
    async fn go_on_without(&self, load: &Load, version: &str, units: &[(Unit, String)]) -> Result<Left, Error> {
        let current = name::current(&self.table());
        let names: Vec<String> = units.iter().map(|(unit, _)| unit.name.clone()).collect();
        if names.is_empty() {
            unless_raced(self.store.delete_version(&current, version).await)?;
            return Ok(Left::Something);
        }
        let parts: Vec<&str> = [load.load.as_str()].into_iter().chain(names.iter().map(String::as_str)).collect();
        let rest = Load::new(identity("rest", &parts), load.fingerprint.clone(), names.clone(), self.clock.now());
        put_unless_raced(put(self.store, &current, &rest, Put::IfVersion(version)).await)?;
        Ok(Left::Something)
    }

    async fn look(&self, load: &Load) -> Result<Seen, Error> {
        let Some(statement) = &load.statement else { return Ok(Seen::Nothing) };
        Ok(match self.warehouse.status(statement).await {
            Ok(StatementState::Running) => Seen::Running,
            Ok(StatementState::Finished) => Seen::Finished,
            Ok(StatementState::Failed(words, fault)) => Seen::Failed(words, fault),
            Ok(StatementState::Aborted) => Seen::Aborted,
            Err(error) if error.kind() == ErrorKind::NotFound => Seen::Unknown,
            Err(error) => return Err(error),
        })
    }

    /// The ledger rows of the inputs of some units, in all their generations.
    async fn rows(&self, table: &Table, units: &[(Unit, String)]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        let members = units.iter().flat_map(|(unit, _)| &unit.members);
        let inputs: Vec<String> = members.map(|member| member.input.clone()).collect();
        self.warehouse.ledger(table, &inputs).await
    }

    /// Says of a unit that its ledger rows were seen; only then its mark goes.
    async fn settle(&self, unit: &Unit, version: &str, counts: LoadCounts) -> Result<(), Error> {
        let (table, unit_name) = (self.table(), unit.name.clone());
        let state = UnitState::Loaded { counts };
        if unit.state != state {
            let place = name::unit_document(&table, &unit_name);
            put(self.store, &place, &Unit { state, ..unit.clone() }, Put::IfVersion(version)).await?;
        }
        self.store.delete(&name::pending(&table, &unit_name)).await?;
        self.store.delete(&name::held(&table, &unit_name)).await
    }

    /// Holds a unit. Its marks are changed first: once its document says that it is held, it may be judged again and marked as
    /// pending. Of one that is killed in between, the mark among the held tells the next run.
    async fn hold(&self, unit: &Unit, version: &str, reason: String) -> Result<(), Error> {
        let (table, unit_name) = (self.table(), unit.name.clone());
        // An earlier call may have held it and been killed; somebody may have discarded it since.
        if !matches!(unit.state, UnitState::Discarded { .. }) {
            put_once(self.store, &name::held(&table, &unit_name), b"").await?;
        }
        self.store.delete(&name::pending(&table, &unit_name)).await?;
        if unit.is_pending() {
            let state = UnitState::Held { reasons: vec![reason], incomplete: false, unread: false };
            let place = name::unit_document(&table, &unit_name);
            let held = Unit { state, ..unit.clone() };
            put(self.store, &place, &held, Put::IfVersion(version)).await?;
            self.witness.saw(&Fact::Held(&held));
        }
        Ok(())
    }

    /// Notes that a unit is about to be held. Where too many were within the hour the load waits instead, and that is told.
    async fn brake(&self, load: &Load, version: &str, words: &str) -> Result<(), Error> {
        let (most, now, place) = (self.limits.holds_max, self.clock.now(), name::holds(&self.table()));
        if most == usize::MAX {
            return Ok(());
        }
        let mut holds = self.holds(&place).await?.unwrap_or_default().lately(now);
        if let Some(until) = holds.until(most) {
            self.witness.saw(&Fact::Braked(load, words));
            let later = Load { not_before: until, ..load.clone() };
            put_unless_raced(put(self.store, &name::current(&self.table()), &later, Put::IfVersion(version)).await)?;
            let count = holds.times.len();
            let words = format!(
                "load {} fails alone, and is not held, since {count} units of the table were held within an hour and \
                 something else may be wrong: {words}",
                load.load
            );
            return Err(Error::new(ErrorKind::Unavailable, words));
        }
        holds.times.push(now);
        put(self.store, &place, &holds, Put::Always).await.map(drop)
    }

    /// When units were held; nothing where that cannot be read.
    async fn holds(&self, place: &str) -> Result<Option<Holds>, Error> {
        match document::<Holds>(self.store, place).await {
            Err(error) if error.kind() == ErrorKind::Refused => Ok(Some(Holds::default())),
            found => Ok(found?.map(|(holds, _)| holds)),
        }
    }

    /// Removes the note of holds that count no more.
    async fn forget_holds(&self) -> Result<(), Error> {
        let (now, place) = (self.clock.now(), name::holds(&self.table()));
        if self.limits.holds_max < usize::MAX
            && let Some(holds) = self.holds(&place).await?
            && holds.lately(now).times.is_empty()
        {
            self.store.delete(&place).await?;
        }
        Ok(())
    }

    async fn tell(&self, load: &Load, units: &[(Unit, String)], loaded: &[Option<LoadCounts>]) -> Result<(), Error> {
        let event = self.event(load, units, loaded);
        self.witness.saw(&Fact::Loaded(&event));
        self.events.loaded(&event).await
    }

    /// The units of a load that are in the table, and what became of their rows.
    fn event(&self, load: &Load, units: &[(Unit, String)], loaded: &[Option<LoadCounts>]) -> LoadEvent {
        let there = || units.iter().zip(loaded).filter_map(|((unit, _), counts)| Some((unit, (*counts)?)));
        let mut counts = LoadCounts::default();
        there().for_each(|(_, unit)| counts.add(unit));
        LoadEvent {
            table: self.table(),
            load: load.load.clone(),
            units: there().map(|(unit, _)| unit.name.clone()).collect(),
            counts,
            batch_time: there().map(|(unit, _)| unit.batch_time()).max().unwrap_or_default(),
        }
    }

    /// What the warehouse is to do. `rows` are those that the ledger has of the units' inputs.
    async fn order(
        &self,
        load: &Load,
        pipeline: &Resolved,
        units: &[(Unit, String)],
        rows: &[(LoadBatch, LoadCounts)],
    ) -> Result<LoadOrder, Error> {
        let mut batches: Vec<LoadBatch> = units.iter().flat_map(|(unit, _)| unit.load_batches()).collect();
        let deployed = &self.deployed.pipeline;
        let keeps_last = deployed.on_overwrite() == OnOverwrite::Replace && !deployed.whole_runs();
        let records = side_by_side(&batches, async |batch| {
            if !batch.replaces_source && !keeps_last {
                return Ok(None);
            }
            document::<Source>(self.store, &name::source(pipeline.name(), &batch.source)).await
        });
        let records = records.await?;
        for (batch, record) in batches.iter_mut().zip(&records) {
            // An older Etalon did not say whose a unit is.
            if batch.pipeline.is_empty() {
                pipeline.name().clone_into(&mut batch.pipeline);
            }
            if let Some((record, _)) = record {
                // A later version may have been loaded before this one was ready: then its rows are not to stay.
                batch.replaces_source |= keeps_last && !record.is_current(&batch.input);
                // Not those that come later: they may be met while this attempt is submitted again.
                if batch.replaces_source {
                    batch.versions = record.before(&batch.input).map(str::to_owned).collect();
                }
            }
            // The same of a backfill. A run takes the place of all rows, whatever its generation.
            let is_later = |later: &LoadBatch| {
                later.replaces_generations && later.input == batch.input && later.generation > batch.generation
            };
            batch.replaces_generations |= !deployed.whole_runs() && rows.iter().any(|(later, _)| is_later(later));
        }
        let staged = units.iter().flat_map(|(unit, _)| unit.batches());
        Ok(LoadOrder {
            load: load.load.clone(),
            table: pipeline.table().clone(),
            loaded_at: if load.loaded_at == 0 { self.clock.now() } else { load.loaded_at },
            batches,
            parts: staged.flat_map(|batch| batch.parts.iter().map(|part| order_part(&batch.batch, part))).collect(),
        })
    }

    fn table(&self) -> String {
        name::table(self.deployed.pipeline.table())
    }
}

/// What became of each unit's rows, where the ledger has it.
fn counts(rows: &[(LoadBatch, LoadCounts)], units: &[(Unit, String)]) -> Vec<Option<LoadCounts>> {
    let rows: BTreeMap<&str, LoadCounts> = rows.iter().map(|(batch, counts)| (batch.batch.as_str(), *counts)).collect();
    // A load is one transaction, so that a unit is there with all its batches or with none.
    let of = |unit: &Unit| {
        let mut sum = LoadCounts::default();
        for batch in unit.batches() {
            sum.add(*rows.get(batch.batch.as_str())?);
        }
        Some(sum)
    };
    units.iter().map(|(unit, _)| of(unit)).collect()
}

/// Why a unit is held of which the table has the rows, by what has brought them.
fn would_double(pipeline: &Resolved, unit: &Unit, Double { by: batch, was }: Double<'_>) -> String {
    let (source, other, table) = (title(unit), &batch.source, pipeline.table_name());
    let is_own = batch.pipeline.is_empty() || batch.pipeline == *pipeline.name();
    let fact = match is_own {
        true if *other == source => format!("the ledger has {source} as it is, as an input of another name"),
        true if was => format!("{source} had the contents of {other}, whose rows are there, before it was changed"),
        true => format!("{source} has the contents of {other}, which is loaded"),
        false => {
            let is = if was { "was" } else { "is" };
            let by = &batch.pipeline;
            format!(
                "pipeline `{by}` has loaded {source} as it {is}; if that one was renamed, give it its old name back"
            )
        }
    };
    let unload = by_hand::unload(pipeline, &batch.input).filter(|_| is_own && *other != source);
    let renamed = match unload {
        Some(unload) if was => {
            format!("; if {other} was renamed to it, remove the rows of {other} and release it: {unload}")
        }
        Some(unload) => {
            format!(
                "; if {other} was renamed to it, discard it, or remove the rows of {other} and release it: {unload}"
            )
        }
        None => String::new(),
    };
    if was && is_own {
        return format!(
            "{source}: {DOUBLED} `{table}` {GROWN}: {fact}; release it if it has other rows, or discard it{renamed}"
        );
    }
    format!("{source}: {DOUBLED} `{table}` twice: {fact}; release it if they are to be{renamed}")
}

fn order_part(batch: &str, part: &Part) -> OrderPart {
    OrderPart { name: name::part(batch, &part.name), rows: part.rows, bytes: part.bytes }
}

/// Another loader was first: the next step looks at what it has left.
fn unless_raced(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Changed) => Ok(()),
        done => done,
    }
}

fn put_unless_raced(result: Result<String, Error>) -> Result<(), Error> {
    unless_raced(result.map(drop))
}

/// That the rows of a load were mapped when the table had another key, and lack columns of the one that it has now, or may have
/// NULL in them: with the old key they would displace rows of other keys.
fn another_key(now: &Resolved, mapped: &Resolved) -> Option<Error> {
    let (key, before) = (now.table().key(), mapped.table().key());
    if key == before || key.is_empty() || before.is_empty() {
        return None;
    }
    let fact = format!(
        "its rows were mapped for the key `{}` and cannot be told apart by `{}`, which is the key of `{}` now; `etalon reload` reads \
         them again",
        before.join(", "),
        key.join(", "),
        now.table_name()
    );
    Some(Error::new(ErrorKind::Held, fact))
}

/// That units were read to take the place of all rows of the table and would be added to it now, or the reverse.
fn another_scope<'a>(now: &Resolved, mut units: impl Iterator<Item = &'a Unit>) -> Option<Error> {
    let is_other = |unit: &&Unit| unit.is_of_whole_run() != now.whole_runs();
    let unit = units.find(is_other)?;
    let (was, is) = match unit.is_of_whole_run() {
        true => ("replaced all rows", "adds the rows of each file"),
        false => ("added the rows of each file", "replaces all rows"),
    };
    let fact = format!(
        "{OTHERWISE} {was} of `{}`, and now it {is}: the next run gives it up, and reads again what is not loaded",
        now.table_name()
    );
    Some(Error::new(ErrorKind::Held, fact))
}
