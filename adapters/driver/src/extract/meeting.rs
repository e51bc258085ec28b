//! Meeting: looks at an object, and carries out the steps that [`Pipeline::meet`] decides on.
//!
//! [`Pipeline::meet`]: etalon_core::pipeline::Pipeline::meet

use std::collections::BTreeSet;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::pipeline::{Effect, Meeting, once_more};
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{LastRun, Member, Met, Source, Start, Unit, UnitState, name, parse};

use super::Extract;
use super::listing::Known;
use crate::judge::{give_way, judge_again};
use crate::ports::{Clock, Look, Objects, Put, Queue, Witness};
use crate::store::{document, names, put, put_once, readable, units};

/// So often an object is looked at while others write its record.
const LOOKS_MAX: u32 = 5;

impl<S: Objects, T: Objects, Q: Queue, R: Queue, L: Queue, C: Clock, W: Witness> Extract<'_, S, T, Q, R, L, C, W> {
    /// Looks at an object as it is now, and does about it what is not done.
    pub(super) async fn meet(&self, source: &str, start: &Start, known: &Known) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        let Some((Look { object, listed }, met)) = self.record(source, start.batch_time, known).await? else {
            return Ok(());
        };
        // The next listing tells this version by its own name of it.
        let first = pipeline.input(&Object { version: listed, ..object.clone() }, 1);
        let is_first = met.is_new && met.position == 0;
        let mark = name::met_version(pipeline.name(), source, met.position, &first);
        let plan = InputPlan {
            input: met.input,
            meeting: met.meeting,
            // What a run has loaded of an earlier version is looked for in the ledger.
            overwrites: met.position > 0 || known.had_whole_runs,
            ..pipeline.plan(&object, met.batch_time)
        };
        let was_sent = met.meeting == 1 && known.sent.contains(&name::sent(pipeline.name(), &plan.input));
        let (plans, mut units) = self.kept(&plan.input).await?;
        units.extend(self.whole_run(&plans).await?);
        let given_up = self.given_up(&units).await?;
        let meeting = Meeting {
            plan,
            given_up: &given_up,
            reload: start.backfill.then_some(start.run.as_str()),
            was_sent,
            replans: self.replans,
            plans: &plans,
            units: &units,
            waiting: known.waiting_of(source).collect(),
        };
        for effect in pipeline.meet(&meeting)? {
            match effect {
                Effect::Keep(plan) => self.plan(&plan).await?,
                Effect::End(plan, by) => give_way(self.store, &self.table(), plan, &by).await?,
                Effect::Replace((unit, version), by) => self.replace(unit, version, &by).await?,
                Effect::JudgeAgain((unit, version)) => {
                    judge_again(pipeline, self.store, self.loads, self.clock.now(), unit, version).await?;
                }
                Effect::Send(plan) => self.send(&plan).await?,
                Effect::Mark => self.mark(source, &mark, is_first).await?,
                Effect::Unlist(unit) => self.store.delete(&name::held(&self.table(), &unit.name)).await?,
            }
        }
        Ok(())
    }

    /// What is kept of an input: all its plans that can be read, and all its units.
    async fn kept(&self, input: &str) -> Result<(Vec<InputPlan>, Vec<Unit>), Error> {
        // A unit that is replaced names a plan that was kept before, by somebody who may be at work now.
        let units = units(self.store, &self.table(), input).await?;
        let mut plans = Vec::new();
        for place in names(self.store, &name::plans(input)).await? {
            let plan = readable(document::<InputPlan>(self.store, &place).await)?;
            plans.extend(plan.ok().flatten().map(|(plan, _)| plan));
        }
        Ok((plans, units.into_iter().map(|(unit, _)| unit).collect()))
    }

    /// The run by which an input is in the table, of those that replaced all rows before the pipeline was changed: the last of them
    /// that was loaded, unless a later one without the input was.
    async fn whole_run(&self, plans: &[InputPlan]) -> Result<Option<Unit>, Error> {
        let (table, pipeline) = (self.table(), self.deployed.pipeline.name());
        let runs: BTreeSet<&str> = plans.iter().filter_map(|plan| plan.run.as_deref()).collect();
        let loaded = async |run: &str| -> Result<Option<Unit>, Error> {
            let place = name::unit_document(&table, &name::run_unit(pipeline, run));
            let unit = readable(document::<Unit>(self.store, &place).await)?.ok().flatten().map(|(unit, _)| unit);
            Ok(unit.filter(|unit| matches!(unit.state, UnitState::Loaded { .. })))
        };
        let mut last: Option<Unit> = None;
        for run in &runs {
            let unit = loaded(run).await?;
            last = last.into_iter().chain(unit).max_by_key(Unit::batch_time);
        }
        let Some(unit) = last else { return Ok(None) };
        let is_gone = match document::<LastRun>(self.store, &name::last_run(pipeline)).await? {
            Some((record, _)) if !runs.contains(record.run.as_str()) => {
                record.batch_time > unit.batch_time() && loaded(&record.run).await?.is_some()
            }
            _ => false,
        };
        Ok(Some(unit).filter(|_| !is_gone))
    }

    /// The runs that took the place of units, to replace all rows, and were not loaded: they were held, or ended before they were
    /// judged. Those that somebody has discarded are not among them.
    async fn given_up(&self, units: &[Unit]) -> Result<BTreeSet<String>, Error> {
        let mut given_up = BTreeSet::new();
        for unit in units {
            let UnitState::Replaced { by } = &unit.state else { continue };
            // The units of inputs have a generation in their names.
            if self.deployed.pipeline.whole_runs() || by.contains('-') {
                continue;
            }
            let run = document::<Unit>(self.store, &name::unit_document(&self.table(), by)).await?;
            let is_given_up =
                |(run, _): &(Unit, String)| matches!(run.state, UnitState::Held { .. } | UnitState::Replaced { .. });
            if run.as_ref().is_none_or(is_given_up) {
                given_up.insert(by.clone());
            }
        }
        Ok(given_up)
    }

    /// Plans an input in the next generation, once for each cause.
    pub(super) async fn plan_once_more(&self, plan: InputPlan, cause: String) -> Result<InputPlan, Error> {
        let (plans, units) = self.kept(&plan.input).await?;
        let plan = once_more(&plans, &units, plan, cause)?;
        if !plans.contains(&plan) {
            self.plan(&plan).await?;
        }
        Ok(plan)
    }

    /// Keeps a plan. Where somebody else has kept another in its place, the message comes again; where nobody can read that one,
    /// this one takes its place.
    async fn plan(&self, plan: &InputPlan) -> Result<(), Error> {
        let place = name::plan(&plan.input, plan.generation);
        match put(self.store, &place, plan, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let (bytes, version) = self.store.fetch(&place).await?;
                match parse::<InputPlan>(&bytes) {
                    Ok(_) => Err(error),
                    Err(_) => put(self.store, &place, plan, Put::IfVersion(&version)).await.map(drop),
                }
            }
            done => done.map(drop),
        }
    }

    /// Looks at an object after its record was read, and writes what is new into the record. Who comes second looks again.
    async fn record(&self, source: &str, batch_time: i64, known: &Known) -> Result<Option<(Look, Met)>, Error> {
        let mut looks = 1;
        loop {
            match self.look_and_record(source, batch_time, known).await {
                Err(error)
                    if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::Changed) && looks < LOOKS_MAX =>
                {
                    looks += 1;
                }
                done => return done,
            }
        }
    }

    async fn look_and_record(
        &self,
        source: &str,
        batch_time: i64,
        known: &Known,
    ) -> Result<Option<(Look, Met)>, Error> {
        let pipeline = &self.deployed.pipeline;
        let place = name::source(pipeline.name(), source);
        let (mut record, version) = match document::<Source>(self.store, &place).await? {
            Some((record, version)) => (record, Some(version)),
            None => (Source { source: source.to_owned(), versions: Vec::new() }, None),
        };
        let mut look = match self.source.look(source).await {
            // It was removed since; there is nothing to read.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            look => look?,
        };
        // An older Etalon has met it under the version that a listing tells.
        let as_listed = look.as_listed();
        if record.is_last(|meeting| pipeline.input(&as_listed, meeting)) {
            look.object = as_listed;
        }
        let input_of = |meeting| pipeline.input(&look.object, meeting);
        let before = record.clone();
        let mut met = record.meet(input_of, batch_time);
        if let Some(run) = &known.last_run
            && !met.is_new
            && self.is_gone_with(run, &before, &look.object).await?
        {
            // Later than the run: what is older than it is gone.
            met = record.meet_again(input_of, batch_time.max(run.batch_time().saturating_add(1)));
        } else if let Some(loaded) = self.come_back_to(&before, (1..met.meeting).map(input_of).collect()).await? {
            record = before;
            record.come_back(&loaded, batch_time);
            met = Met { is_new: true, ..record.meet(input_of, batch_time) };
        }
        if met.is_new {
            // Until this version is marked, no mark of an earlier one says that there is nothing new: that one may come back
            // before anybody can mark this.
            if met.position > 0 {
                put_once(self.store, &name::met_begun(pipeline.name(), source, met.position), b"").await?;
            }
            put(self.store, &place, &record, version.as_deref().map_or(Put::IfAbsent, Put::IfVersion)).await?;
        }
        Ok(Some((look, met)))
    }

    /// Whether the version of an object that was met last was loaded before a run has replaced all rows without it.
    async fn is_gone_with(&self, run: &Unit, record: &Source, object: &Object) -> Result<bool, Error> {
        let brings = |member: &Member| member.source == object.name && member.source_version == object.version;
        let Some(last) = record.versions.last() else { return Ok(false) };
        if last.batch_time >= run.batch_time() || run.members.iter().any(brings) {
            return Ok(false);
        }
        let (plans, units) = self.kept(&last.input).await?;
        let is_loaded = |unit: &Unit| matches!(unit.state, UnitState::Loaded { .. } | UnitState::Replaced { .. });
        // On one machine, what the ledger has lost was forgotten.
        Ok(units.iter().all(is_loaded) && (plans.is_empty() || !units.is_empty()))
    }

    /// The version of an object that is loaded, or waits for its load, if it is one of these inputs, which have the bytes that are
    /// there now, and is not the one that was met last. Where every version brings rows of its own, or replaces those of the
    /// version before, content that comes back is loaded like any other.
    async fn come_back_to(&self, record: &Source, inputs: Vec<String>) -> Result<Option<String>, Error> {
        let pipeline = &self.deployed.pipeline;
        if inputs.is_empty() || pipeline.whole_runs() || pipeline.on_overwrite() != OnOverwrite::Fail {
            return Ok(None);
        }
        for version in record.versions.iter().rev() {
            let units = units(self.store, &self.table(), &version.input).await?;
            if units.iter().any(|(unit, _)| matches!(unit.state, UnitState::Loaded { .. } | UnitState::Pending)) {
                let comes_back = inputs.contains(&version.input) && !record.is_current(&version.input);
                return Ok(comes_back.then(|| version.input.clone()));
            }
        }
        Ok(None)
    }

    /// Marks the version of an object that was met last; the marks of earlier ones go, and those by which a listing has told
    /// this one before. Before the first one there is none.
    async fn mark(&self, source: &str, own: &str, is_first: bool) -> Result<(), Error> {
        put_once(self.store, own, b"").await?;
        if is_first {
            return Ok(());
        }
        let position = |mark: &str| name::read_met(mark).map(|(_, position, _)| position);
        for mark in names(self.store, &name::met(self.deployed.pipeline.name(), Some(source))).await? {
            if mark != own && position(&mark) <= position(own) {
                self.store.delete(&mark).await?;
            }
        }
        Ok(())
    }
}
