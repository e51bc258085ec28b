//! Runs: with `write: replace`, a run is listed to its end, page by page, before anything of it is planned. If it has met the
//! same objects as the run before, there is nothing new.

use std::collections::BTreeSet;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{LastRun, Leg, Start, Unit, UnitState, Work, name};
use etalon_core::source::{ListStep, Listing};

use super::Extract;
use crate::judge::{complete_run, judge_again};
use crate::ports::{Clock, Objects, Put, Queue, Witness};
use crate::store::{document, names, put};

/// What a run is, where whole runs are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunIs {
    /// It has met what the last run has met.
    NothingNew,
    /// It was planned, and another has come since.
    Planned,
    /// It is the last one.
    Last,
}

impl<S: Objects, T: Objects, Q: Queue, R: Queue, L: Queue, C: Clock, W: Witness> Extract<'_, S, T, Q, R, L, C, W> {
    /// One leg of a run that is loaded as a whole: a page of the listing. When the last page is there and anything is new in
    /// the run, all of it is planned.
    pub(super) async fn leg(&self, start: &Start) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        let place = |hop| name::leg(pipeline.name(), &start.run, Some(hop));
        let leg = match document::<Leg>(self.store, &place(start.hop)).await? {
            Some((leg, _)) => leg,
            None => {
                let leg = self.look(start).await?;
                // If somebody else has written it meanwhile, the message comes again, and theirs counts.
                put(self.store, &place(start.hop), &leg, Put::IfAbsent).await.map(|_| leg)?
            }
        };
        if !leg.is_last {
            return self.hand_on(start, leg.after.as_deref()).await;
        }
        let mut legs = vec![leg];
        for hop in 0..start.hop {
            let gone = || Error::new(ErrorKind::Refused, format!("{} is gone", place(hop)));
            legs.push(document::<Leg>(self.store, &place(hop)).await?.ok_or_else(gone)?.0);
        }
        let plans: Vec<InputPlan> = legs.into_iter().flat_map(|leg| leg.plans).collect();
        // When rows are added again, each object is looked at: it may have gone with what this run replaces.
        for mark in names(self.store, &name::met(pipeline.name(), None)).await? {
            self.store.delete(&mark).await?;
        }
        let run_is = self.look_at_run(start, &plans).await?;
        for (unit, _) in self.waiting().await? {
            if matches!(unit.state, UnitState::Replaced { .. }) {
                self.store.delete(&name::held(&self.table(), &unit.name)).await?;
            }
        }
        if run_is == RunIs::NothingNew {
            for (unit, version) in self.waiting().await? {
                judge_again(pipeline, self.store, self.loads, self.clock.now(), &unit, &version).await?;
            }
            return Ok(());
        }
        for plan in plans {
            let plan = self.planned(plan).await?;
            self.send(&plan).await?;
        }
        // What an earlier run has left to be decided about is out of date.
        let by = name::run_unit(pipeline.name(), &start.run);
        for (unit, version) in self.waiting().await? {
            if run_is == RunIs::Last && unit.name != by && unit.is_held() {
                self.replace(&unit, &version, &by).await?;
                self.store.delete(&name::held(&self.table(), &unit.name)).await?;
            }
        }
        // Tasks that ended before the last plan was there have not found the run complete.
        complete_run(self.deployed, self.store, self.loads, self.witness, &start.run).await
    }

    /// Whether a run has met something else than the run before, so also where an object has gone, or is to bring everything
    /// again. If it is, it is from now on the last run.
    async fn look_at_run(&self, start: &Start, plans: &[InputPlan]) -> Result<RunIs, Error> {
        let pipeline = &self.deployed.pipeline;
        let place = name::last_run(pipeline.name());
        let inputs: BTreeSet<String> = plans.iter().map(|plan| plan.input.clone()).collect();
        let (last, version) = match document::<LastRun>(self.store, &place).await? {
            Some((last, version)) => (Some(last), Some(version)),
            None => (None, None),
        };
        if inputs.is_empty() {
            return match last {
                // A listing that is no later than that run has seen less than it.
                Some(last) if !last.inputs.is_empty() && start.batch_time > last.batch_time => {
                    let table = &pipeline.table().name;
                    let message = format!(
                        "no object is there any more, and table `{table}` keeps the rows of the last run: nothing was loaded"
                    );
                    Err(Error::new(ErrorKind::Refused, message))
                }
                _ => Ok(RunIs::NothingNew),
            };
        }
        if let Some(last) = &last {
            if last.run == start.run {
                return Ok(RunIs::Last);
            }
            if let Some(first) = plans.first()
                && document::<InputPlan>(self.store, &name::plan(&first.input, first.generation)).await?.is_some()
            {
                return Ok(RunIs::Planned);
            }
            let is_again = start.backfill || matches!(start.work, Work::Reload(_));
            if !is_again && last.inputs == inputs && !self.is_out_of_date(&last.run).await? {
                return Ok(RunIs::NothingNew);
            }
        }
        let record = LastRun { run: start.run.clone(), batch_time: start.batch_time, inputs };
        put(self.store, &place, &record, version.as_deref().map_or(Put::IfAbsent, Put::IfVersion)).await?;
        Ok(RunIs::Last)
    }

    /// Whether a run was never judged or has given way, or is held and was made with another pipeline file.
    async fn is_out_of_date(&self, run: &str) -> Result<bool, Error> {
        let unit = name::run_unit(self.deployed.pipeline.name(), run);
        let unit = document::<Unit>(self.store, &name::unit_document(&self.table(), &unit)).await?;
        let is_mended = |unit: &Unit| unit.fingerprint != self.deployed.pipeline.fingerprint();
        Ok(unit.is_none_or(|(unit, _)| match unit.state {
            UnitState::Replaced { .. } => true,
            UnitState::Held { unread, .. } => unread || is_mended(&unit),
            _ => false,
        }))
    }

    /// What a leg meets now.
    async fn look(&self, start: &Start) -> Result<Leg, Error> {
        let pipeline = &self.deployed.pipeline;
        let prefix = match &start.work {
            Work::Prefix(prefix) => self.below(prefix)?,
            Work::Reload(_) => self.deployed.inputs.prefix(),
            _ => {
                let message =
                    "this pipeline loads whole runs (`write: replace`); an event for one object cannot start one";
                return Err(Error::new(ErrorKind::Refused, message));
            }
        };
        let (run, generation) = (Some(start.run.clone()), Leg::generation(&start.run));
        let mut listing = Listing::new(&self.deployed.inputs, prefix, start.after.clone());
        let mut plans = Vec::new();
        let mut has_page = false;
        let is_last = loop {
            match listing.step() {
                ListStep::NeedsPage { .. } if has_page => break false,
                ListStep::NeedsPage { prefix, after, most } => {
                    listing.push(self.source.objects(&prefix, after.as_deref(), most).await?);
                    has_page = true;
                }
                ListStep::Object(object) => {
                    let plan = pipeline.plan(&object, start.batch_time);
                    plans.push(InputPlan { run: run.clone(), generation, ..plan });
                }
                ListStep::Finished => break true,
            }
        };
        Ok(Leg { plans, after: listing.after().map(str::to_owned), is_last })
    }
}
