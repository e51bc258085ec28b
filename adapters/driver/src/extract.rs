//! The extract loop: a start, from a listing to plans and task messages.
//!
//! An event or a listing only says *look*: the record of the object's versions is read, then the object as it is now, and what
//! is current and was met last is nothing new. A version that is new is planned once; whoever meets it later obeys that plan.
//! Its tasks are sent, and then it is marked, so that the next listing costs one name and nothing else. Killed anywhere, the
//! same message does the rest.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::file::OnOverwrite;
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{
    HOPS_MAX, LastRun, Leg, Marks, Met, Source, Start, TaskMessage, Unit, UnitState, Work, name, parse, print,
};
use etalon_core::source::{ListStep, Listing, Names};

use crate::deployed::Deployed;
use crate::held;
use crate::judge::{complete_run, give_way, judge_again};
use crate::ports::{Clock, Entry, Fact, Message, Objects, Put, Queue, Witness};
use crate::rejects;
use crate::store::{self, Handled, document, names, put, put_once, send, units};
use crate::transform::same;

/// The world of extract.
#[derive(Debug)]
pub struct Extract<'a, S, T, Q, R, L, C, W> {
    /// The pipeline that is deployed.
    pub deployed: &'a Deployed,
    /// Where the objects are.
    pub source: &'a S,
    /// Where plans are kept.
    pub store: &'a T,
    /// Where tasks go.
    pub tasks: &'a Q,
    /// Where the rest of a run's work goes.
    pub starts: &'a R,
    /// Where loaders are told to look.
    pub loads: &'a L,
    /// What time it is.
    pub clock: &'a C,
    /// Who sees what happens.
    pub witness: &'a W,
    /// When to stop beginning new work, in microseconds since 1970: some time before the function's own end.
    pub deadline: i64,
    /// Whether what was planned with another pipeline file and has not been judged is planned anew: so it is where nobody
    /// else works, and whoever mends the file and runs it again has decided.
    pub replans: bool,
}

/// What a start must know before it looks at objects.
struct Known {
    /// The version of each object that was met last, by what the names of its marks begin with: its place, and the input that
    /// it is at its first meeting.
    met: BTreeMap<String, (usize, String)>,
    /// Inputs whose tasks an older Etalon has sent.
    sent: BTreeSet<String>,
    /// The pipeline's units that wait for a decision, with their versions.
    waiting: Vec<(Unit, String)>,
}

impl Known {
    /// The units of an object that wait for a decision.
    fn waiting_of<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a (Unit, String)> {
        self.waiting.iter().filter(move |(unit, _)| {
            // What was replaced before it was judged has no members.
            unit.members.iter().any(|member| member.source == source)
        })
    }
}

impl<S: Objects, T: Objects, Q: Queue, R: Queue, L: Queue, C: Clock, W: Witness> Extract<'_, S, T, Q, R, L, C, W> {
    /// Handles a start message.
    pub async fn handle(&self, message: &Message) -> Handled {
        let work = async {
            let start: Start = parse(message.body.as_bytes())?;
            self.start(&start).await
        };
        work.await.into()
    }

    /// Does what a start asks for.
    pub async fn start(&self, start: &Start) -> Result<(), Error> {
        let here = self.deployed.pipeline.name();
        if start.pipeline != *here {
            let refused = format!("the start is for pipeline {}, but {here} is deployed here", start.pipeline);
            return Err(Error::new(ErrorKind::Refused, refused));
        }
        self.deployed.keep(self.store).await?;
        let pipeline = &self.deployed.pipeline;
        match &start.work {
            Work::Release(_) | Work::Discard(_) | Work::Undiscard(_) => {
                let decision = held::decide(pipeline, self.store, self.loads, start).await?;
                self.witness.saw(&Fact::Decided(&decision));
                Ok(())
            }
            Work::Redrive(wanted) => self.redrive(wanted).await,
            _ if pipeline.whole_runs() => self.leg(start).await,
            Work::Prefix(prefix) => self.list(start, self.below(prefix)?, &[]).await,
            Work::Reload(wanted) => {
                let start = Start { backfill: true, ..start.clone() };
                self.list(&start, self.deployed.inputs.prefix(), wanted).await
            }
            Work::Object(object) if !self.deployed.inputs.include(object) => Ok(()),
            Work::Object(object) => {
                let known = Known { met: BTreeMap::new(), sent: BTreeSet::new(), waiting: self.waiting().await? };
                self.meet(object, start, &known).await
            }
        }
    }

    /// Meets every object that begins so, or those of them that are wanted, until the deadline; hands on the rest.
    async fn list(&self, start: &Start, prefix: &str, wanted: &[String]) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        let known = self.known().await?;
        let mut missing: BTreeSet<&String> = wanted.iter().collect();
        let mut listing = Listing::new(&self.deployed.inputs, prefix, start.after.clone());
        loop {
            let step = listing.step();
            if step != ListStep::Finished && self.clock.now() >= self.deadline {
                return self.hand_on(start, listing.after()).await;
            }
            match step {
                ListStep::NeedsPage { prefix, after, most } => {
                    listing.push(self.source.objects(&prefix, after.as_deref(), most).await?);
                }
                ListStep::Object(object) => {
                    missing.remove(&object.name);
                    if !wanted.is_empty() && !wanted.contains(&object.name) {
                        continue;
                    }
                    let current = known.met.get(&name::met(pipeline.name(), Some(&object.name)));
                    let is_known = current.is_some_and(|(_, first)| *first == pipeline.input(&object, 1));
                    if start.backfill || !is_known || known.waiting_of(&object.name).next().is_some() {
                        self.meet(&object.name, start, &known).await?;
                    }
                }
                ListStep::Finished => break,
            }
        }
        match missing.first() {
            // A part of a listing need not have them all.
            Some(name) if start.after.is_none() => {
                Err(Error::new(ErrorKind::NotFound, format!("{name}: the pipeline's source has no such object")))
            }
            _ => Ok(()),
        }
    }

    /// A prefix that lies within the pipeline's own; without one, its own.
    fn below<'p>(&'p self, prefix: &'p str) -> Result<&'p str, Error> {
        let own = self.deployed.inputs.prefix();
        if own.starts_with(prefix) {
            return Ok(own);
        }
        if !prefix.starts_with(own) {
            let refused = format!("a listing of `{prefix}`, and the input of the pipeline begins with `{own}`");
            return Err(Error::new(ErrorKind::Refused, refused));
        }
        Ok(prefix)
    }

    async fn hand_on(&self, start: &Start, after: Option<&str>) -> Result<(), Error> {
        let hop = start.hop + 1;
        if hop > HOPS_MAX {
            let refused = format!("run {} has had {HOPS_MAX} legs and is not at its end", start.run);
            return Err(Error::new(ErrorKind::Refused, refused));
        }
        let rest = Start { after: after.map(str::to_owned), hop, ..start.clone() };
        send(self.starts, vec![Entry { body: print(&rest), order: None }]).await?;
        self.witness.saw(&Fact::HandedOn(&rest));
        Ok(())
    }

    /// One leg of a run that is loaded as a whole: a page of the listing. When the last page is there and anything is new in
    /// the run, all of it is planned.
    async fn leg(&self, start: &Start) -> Result<(), Error> {
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
        let run_is = self.look_at_run(start, &plans).await?;
        for (unit, _) in self.waiting().await? {
            if matches!(unit.state, UnitState::Replaced { .. }) {
                self.store.delete(&name::held(&self.table(), &unit.name)).await?;
            }
        }
        if run_is == RunIs::NothingNew {
            for (unit, version) in self.waiting().await? {
                judge_again(pipeline, self.store, (self.loads, self.witness), &unit, &version).await?;
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

    /// What is known of the pipeline's objects, without a look at them.
    async fn known(&self) -> Result<Known, Error> {
        let pipeline = self.deployed.pipeline.name();
        let mut met = BTreeMap::new();
        for mark in names(self.store, &name::met(pipeline, None)).await? {
            // Marks come in the order of their places: the last one counts.
            if let Some((object, position, first)) = name::read_met(&mark) {
                met.insert(object, (position, first));
            }
        }
        let sent = names(self.store, &name::sent(pipeline, "")).await?.into_iter().collect();
        Ok(Known { met, sent, waiting: self.waiting().await? })
    }

    /// The pipeline's units that wait for a decision, with their versions.
    async fn waiting(&self) -> Result<Vec<(Unit, String)>, Error> {
        let mut waiting = held::waiting(self.store, &self.table()).await?;
        waiting.retain(|(unit, _)| held::is_of(&self.deployed.pipeline, unit));
        Ok(waiting)
    }

    /// Looks at an object as it is now, and begins with it unless that was done.
    async fn meet(&self, source: &str, start: &Start, known: &Known) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        let Some((object, met)) = self.record(source, start.batch_time).await? else { return Ok(()) };
        let met_mark = (met.position, pipeline.input(&object, 1));
        let plan = InputPlan {
            input: met.input,
            meeting: met.meeting,
            overwrites: met.position > 0,
            ..pipeline.plan(&object, met.batch_time)
        };
        let of_input = units(self.store, &self.table(), &plan.input).await?;
        let in_table = of_input.iter().filter(|(unit, _)| matches!(unit.state, UnitState::Loaded { .. }));
        let loaded = in_table.flat_map(|(unit, _)| &unit.members).map(|member| member.generation).max();
        let mut plan = if start.backfill && loaded.is_some() {
            let cause = format!("reload {}", start.run);
            self.plan_once_more(InputPlan { overwrites: false, backfills: true, ..plan }, cause).await?
        } else if met.meeting == 1 && known.sent.contains(&name::sent(pipeline.name(), &plan.input)) {
            return self.mark(source, &met_mark).await;
        } else if let Some(generation) = loaded {
            match self.unended_reload(&plan.input).await? {
                Some(reload) => self.live(reload, plan).await?,
                // Its plan may be lost; it is in the table.
                None => InputPlan { generation, ..plan },
            }
        } else {
            self.planned(plan).await?
        };
        let mut replaced = Vec::new();
        for (unit, version) in known.waiting_of(source) {
            match self.gives_way(unit, &plan) {
                Gives::Nothing => judge_again(pipeline, self.store, (self.loads, self.witness), unit, version).await?,
                Gives::ToPlan => {
                    self.replace(unit, version, &name::unit(&plan.input, plan.generation)).await?;
                    replaced.push(unit);
                }
                Gives::ToPipeline => {
                    let backfills = unit.members.iter().any(|member| member.replaces_generations);
                    let now = pipeline.plan(&object, plan.batch_time);
                    let anew = InputPlan {
                        backfills,
                        overwrites: plan.overwrites && !backfills,
                        fingerprint: now.fingerprint,
                        ranges: now.ranges,
                        run: None,
                        ..plan.clone()
                    };
                    plan = self.plan_instead(&unit.name, anew).await?;
                    self.replace(unit, version, &name::unit(&plan.input, plan.generation)).await?;
                    replaced.push(unit);
                }
            }
        }
        // What was judged is in its document, and its tasks are done.
        let place = name::unit_document(&self.table(), &name::unit(&plan.input, plan.generation));
        if document::<Unit>(self.store, &place).await?.is_none() {
            self.send(&plan).await?;
        }
        self.mark(source, &met_mark).await?;
        for unit in replaced {
            self.store.delete(&name::held(&self.table(), &unit.name)).await?;
        }
        Ok(())
    }

    /// The last plan of an input, if it is that of a reload whose tasks were not all done.
    async fn unended_reload(&self, input: &str) -> Result<Option<InputPlan>, Error> {
        let mut last: Option<InputPlan> = None;
        for place in names(self.store, &name::plans(input)).await? {
            let plan = document::<InputPlan>(self.store, &place).await?.map(|(plan, _)| plan);
            last = plan.into_iter().chain(last).max_by_key(|plan| plan.generation);
        }
        let Some(plan) = last.filter(|plan| plan.backfills && plan.redrives.is_none()) else { return Ok(None) };
        let unit = name::unit_document(&self.table(), &name::unit(input, plan.generation));
        Ok(document::<Unit>(self.store, &unit).await?.is_none().then_some(plan))
    }

    /// To what a unit gives way that waits for a decision, when its object is met as a plan has it.
    fn gives_way(&self, unit: &Unit, plan: &InputPlan) -> Gives {
        let pipeline = &self.deployed.pipeline;
        let is_undecided = unit.is_held() || matches!(unit.state, UnitState::Replaced { .. });
        let redrives = unit.members.iter().any(|member| member.redrives.is_some());
        if !is_undecided {
            return Gives::Nothing;
        }
        if unit.members.iter().all(|member| member.input == plan.input) {
            let is_reload = unit.members.iter().any(|member| member.replaces_generations);
            let is_mended = unit.fingerprint != pipeline.fingerprint();
            let is_own = unit.name == name::unit(&plan.input, plan.generation);
            return match unit.state {
                UnitState::Replaced { .. } => Gives::ToPlan,
                // The message of a reload may come twice: its unit does not give way to itself.
                // What is brought again as a whole brings also the records that were sent again.
                _ if (is_reload || redrives) && plan.backfills && !is_own => Gives::ToPlan,
                // An object that was gone for a while, or another, is there again.
                UnitState::Held { unread, .. } if (is_mended || unread) && !redrives => Gives::ToPipeline,
                _ => Gives::Nothing,
            };
        }
        match pipeline.on_overwrite() {
            // Every version brings rows of its own.
            OnOverwrite::Add => Gives::Nothing,
            // The version that the records are of stays in the table.
            OnOverwrite::Fail if redrives => Gives::Nothing,
            OnOverwrite::Fail | OnOverwrite::Replace => Gives::ToPlan,
        }
    }

    /// Says that another unit has taken the place of one that was held.
    async fn replace(&self, unit: &Unit, version: &str, by: &str) -> Result<(), Error> {
        if !unit.is_held() {
            return Ok(());
        }
        let place = name::unit_document(&self.table(), &unit.name);
        let replaced = Unit { state: UnitState::Replaced { by: by.to_owned() }, ..unit.clone() };
        put(self.store, &place, &replaced, Put::IfVersion(version)).await?;
        self.witness.saw(&Fact::Replaced(&replaced));
        Ok(())
    }

    /// The plan of an input: this one, unless it was planned before.
    async fn planned(&self, plan: InputPlan) -> Result<InputPlan, Error> {
        let place = name::plan(&plan.input, plan.generation);
        let kept = match put(self.store, &place, &plan, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                store::plan(self.store, &plan.input, plan.generation).await?
            }
            done => return done.map(|_| plan),
        };
        if kept.run.is_some() { Ok(kept) } else { self.live(kept, plan).await }
    }

    /// The plan that counts of an input that was planned before: where another has taken the place of its unit, that one. Of
    /// what was not judged the wanted plan may take the place.
    async fn live(&self, mut kept: InputPlan, wanted: InputPlan) -> Result<InputPlan, Error> {
        loop {
            let unit = name::unit(&kept.input, kept.generation);
            match document::<Unit>(self.store, &name::unit_document(&self.table(), &unit)).await? {
                Some((Unit { state: UnitState::Replaced { by }, .. }, _)) => {
                    let next = by.strip_prefix(&format!("{}-", kept.input)).and_then(|next| next.parse().ok());
                    let Some(next) = next.filter(|&next| next > kept.generation) else { return Ok(kept) };
                    kept = store::plan(self.store, &kept.input, next).await?;
                }
                None if self.replans && kept.fingerprint != wanted.fingerprint => {
                    // The new plan is there before the old one ends, and its tasks are sent after that.
                    let anew = InputPlan { batch_time: kept.batch_time, backfills: kept.backfills, ..wanted };
                    let anew = self.plan_instead(&unit, anew).await?;
                    let by = name::unit(&anew.input, anew.generation);
                    give_way(self.store, &self.table(), &kept, &by).await?;
                    return Ok(anew);
                }
                _ => return Ok(kept),
            }
        }
    }

    /// The plan that takes the place of a unit.
    async fn plan_instead(&self, unit: &str, plan: InputPlan) -> Result<InputPlan, Error> {
        let fingerprint = self.deployed.pipeline.fingerprint();
        self.plan_once_more(plan, format!("instead of {unit} by {fingerprint}")).await
    }

    /// Plans an input in the next generation, once for each cause.
    async fn plan_once_more(&self, plan: InputPlan, cause: String) -> Result<InputPlan, Error> {
        let mut greatest = None;
        for place in names(self.store, &name::plans(&plan.input)).await? {
            let Some((kept, _)) = document::<InputPlan>(self.store, &place).await? else { continue };
            if kept.cause.as_ref() == Some(&cause) {
                return Ok(kept);
            }
            greatest = greatest.max(Some(kept.generation));
        }
        for (unit, _) in units(self.store, &self.table(), &plan.input).await? {
            let members = unit.members.iter().filter(|member| member.input == plan.input);
            greatest = greatest.max(members.map(|member| member.generation).max());
        }
        let full = || Error::new(ErrorKind::Refused, format!("{} was planned too often", plan.source));
        let generation = greatest.map_or(Some(0), |greatest| greatest.checked_add(1)).ok_or_else(full)?;
        let plan = InputPlan { generation, cause: Some(cause), ..plan };
        // Somebody else may have taken the generation: then the message comes again.
        put(self.store, &name::plan(&plan.input, generation), &plan, Put::IfAbsent).await.map(|_| plan)
    }

    /// Sends the tasks of a plan.
    async fn send(&self, plan: &InputPlan) -> Result<(), Error> {
        let message = |range| TaskMessage { input: plan.input.clone(), generation: plan.generation, range };
        let tasks = (0..plan.ranges.len()).map(|range| Entry { body: print(&message(range)), order: None });
        send(self.tasks, tasks.collect()).await?;
        self.witness.saw(&Fact::Planned(plan));
        Ok(())
    }

    /// Marks the version of an object that was met last; the marks of earlier ones go.
    async fn mark(&self, source: &str, (position, first): &(usize, String)) -> Result<(), Error> {
        let pipeline = self.deployed.pipeline.name();
        let own = name::met_version(pipeline, source, *position, first);
        put_once(self.store, &own, b"").await?;
        for mark in names(self.store, &name::met(pipeline, Some(source))).await? {
            if mark < own {
                self.store.delete(&mark).await?;
            }
        }
        Ok(())
    }

    /// Looks at an object after its record was read, and writes what is new into the record. Who comes second begins anew.
    async fn record(&self, source: &str, batch_time: i64) -> Result<Option<(Object, Met)>, Error> {
        let pipeline = &self.deployed.pipeline;
        let place = name::source(pipeline.name(), source);
        let (mut record, version) = match document::<Source>(self.store, &place).await? {
            Some((record, version)) => (record, Some(version)),
            None => (Source { source: source.to_owned(), versions: Vec::new() }, None),
        };
        let object = match self.source.head(source).await {
            // It was removed since; there is nothing to read.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            object => object?,
        };
        let met = record.meet(|meeting| pipeline.input(&object, meeting), batch_time);
        if met.is_new {
            // Until this version is marked, no mark of an earlier one says that there is nothing new: that one may come back
            // before anybody can mark this.
            if met.position > 0 {
                put_once(self.store, &name::met_begun(pipeline.name(), source, met.position), b"").await?;
            }
            put(self.store, &place, &record, version.as_deref().map_or(Put::IfAbsent, Put::IfVersion)).await?;
        }
        Ok(Some((object, met)))
    }

    /// Sends open rejects through the pipeline once more: those of the objects that are wanted, or all.
    async fn redrive(&self, wanted: &[String]) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        if pipeline.whole_runs() {
            let message = "a load takes the place of all rows of the table, so that records cannot be added; run the \
                           pipeline again";
            return Err(Error::new(ErrorKind::Refused, message));
        }
        for input in rejects::read(self.store, pipeline).await? {
            if !wanted.is_empty() && !wanted.contains(&input.plan.source) {
                continue;
            }
            // Records are read again from the version that has them; where another is there, or none, they stay open.
            let is_there = match same(self.source, &input.plan).await {
                Err(error) if matches!(error.kind(), ErrorKind::Changed | ErrorKind::NotFound) => false,
                found => found.map(|_| true)?,
            };
            let is_finished = self.finish_redrives(&input, is_there).await?;
            let records = input.redrivable(pipeline.fingerprint());
            if !is_finished || records.is_empty() {
                continue;
            }
            if !input.is_loaded || !is_there {
                self.witness.saw(&Fact::Waits(&input.plan));
                continue;
            }
            let number = input.next();
            let plan = pipeline.plan_again(&input.plan, number);
            let plan = self.plan_once_more(plan, format!("redrive {number}")).await?;
            let marks = Marks { redrive: Some(plan.clone()), records };
            put(self.store, &name::marks(&plan.input, Some(number)), &marks, Put::IfAbsent).await?;
            self.send(&plan).await?;
        }
        Ok(())
    }

    /// Does what interrupted redrives have left undone. Whether nothing was left.
    async fn finish_redrives(&self, input: &rejects::InputRejects, is_there: bool) -> Result<bool, Error> {
        let pipeline = &self.deployed.pipeline;
        let mut is_finished = true;
        for (number, marks) in (1..).zip(&input.marks) {
            let Some(plan) = &marks.redrive else { continue };
            let unit_name = name::unit(&plan.input, plan.generation);
            let unit = document::<Unit>(self.store, &name::unit_document(&self.table(), &unit_name)).await?;
            let is_mended = plan.fingerprint != pipeline.fingerprint();
            let plan = match &unit {
                Some((Unit { state: UnitState::Held { unread, .. }, .. }, _)) if !is_mended && !unread => continue,
                Some((unit, _)) if !unit.is_held() || !is_there => continue,
                // One that was begun with another pipeline file or could not be read, and is not loaded, is begun anew.
                Some(_) => self.plan_instead(&unit_name, pipeline.plan_again(plan, number)).await?,
                // An older Etalon has kept the plan with the decision alone.
                None => self.planned(InputPlan { redrives: Some(number), ..plan.clone() }).await?,
            };
            is_finished = false;
            let renewed = Marks { redrive: Some(plan.clone()), ..marks.clone() };
            put(self.store, &name::marks(&plan.input, Some(number)), &renewed, Put::Always).await?;
            if let Some((unit, version)) = &unit {
                self.replace(unit, version, &name::unit(&plan.input, plan.generation)).await?;
                self.store.delete(&name::held(&self.table(), &unit_name)).await?;
            }
            self.send(&plan).await?;
        }
        Ok(is_finished)
    }

    fn table(&self) -> String {
        name::table(self.deployed.pipeline.table())
    }
}

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

/// To what a unit gives way that was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// To nothing: it waits.
    Nothing,
    /// To what is planned.
    ToPlan,
    /// To the same version, with the pipeline that is deployed.
    ToPipeline,
}

/// All objects of a source that names mean, in the order of their names.
pub async fn objects(source: &impl Objects, names: &Names) -> Result<Vec<Object>, Error> {
    let mut listing = Listing::all(names);
    let mut objects = Vec::new();
    loop {
        match listing.step() {
            ListStep::NeedsPage { prefix, after, most } => {
                listing.push(source.objects(&prefix, after.as_deref(), most).await?);
            }
            ListStep::Object(object) => objects.push(object),
            ListStep::Finished => return Ok(objects),
        }
    }
}
