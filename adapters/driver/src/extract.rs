//! The extract loop: a start, from a listing to plans and task messages.
//!
//! An event or a listing only says *look*. Extract reads the record of the object's versions, then the object. If the object's
//! version is the last one in the record, there is nothing new. A new version is planned once, and later deliveries use that
//! plan. Extract sends the tasks, and then marks the version, so that the next listing only has to read its name. If extract is
//! killed at any point, the same message does the rest.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{Start, TaskMessage, Unit, UnitState, Work, name, parse, print};
use etalon_core::source::{ListStep, Listing, Names};

use crate::deployed::Deployed;
use crate::held::{self, Marked};
use crate::judge::announce;
use crate::ports::{Clock, Entry, Fact, Message, Objects, Put, Queue, Witness};
use crate::store::{self, Handled, names, put, send};

mod listing;
mod meeting;
mod runs;
mod landing;
mod redrive;

use listing::Known;

/// The ports of extract.
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
    /// The queue of messages to the loader.
    pub loads: &'a L,
    /// What time it is.
    pub clock: &'a C,
    /// Who sees what happens.
    pub witness: &'a W,
    /// When to stop beginning new work, in microseconds since 1970: some time before the function's own end.
    pub deadline: i64,
    /// Whether inputs that were planned with another pipeline file and have not been judged are planned again: so on one
    /// machine, where no other worker runs and a person who changes the file and runs it again has decided.
    pub replans: bool,
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
            _ => {
                let waiting = self.give_up_runs(&start.run).await?;
                self.meet_objects(start, waiting).await
            }
        }
    }

    /// Meets the objects that are asked for; these units wait for a decision.
    async fn meet_objects(&self, start: &Start, waiting: Vec<(Unit, String)>) -> Result<(), Error> {
        match &start.work {
            Work::Prefix(prefix) => self.list(start, self.below(prefix)?, &[]).await,
            Work::Reload(wanted) => {
                let start = Start { backfill: true, ..start.clone() };
                self.list(&start, self.deployed.inputs.prefix(), wanted).await
            }
            Work::Object(object) if self.deployed.inputs.include(object) => {
                let had_whole_runs = self.had_whole_runs().await?;
                let known = Known {
                    met: BTreeMap::new(),
                    sent: BTreeSet::new(),
                    waiting,
                    lacks_plans: false,
                    had_whole_runs,
                    last_run: self.loaded_run(had_whole_runs).await?,
                };
                self.meet(object, start, &known).await
            }
            _ => Ok(()),
        }
    }

    /// What is marked as held of the pipeline; what cannot be read is told. What is not held any more waits for its load, and
    /// may have lost the mark by which a loader finds it: it gets it again.
    async fn marked(&self) -> Result<Marked, Error> {
        let mut marked = held::marked(self.store, &self.table()).await?;
        marked.units.retain(|(unit, _)| held::is_of(&self.deployed.pipeline, unit));
        for error in &marked.unreadable {
            self.witness.saw(&Fact::Unreadable(&error.to_string()));
        }
        for (unit, _) in marked.units.iter().filter(|(unit, _)| unit.is_pending()) {
            announce(self.store, self.loads, &self.table(), unit, &self.clock.now().to_string()).await?;
        }
        Ok(marked)
    }

    /// The pipeline's units that wait for a decision, with their versions.
    async fn waiting(&self) -> Result<Vec<(Unit, String)>, Error> {
        self.marked().await.map(|marked| marked.units)
    }

    /// Gives up what is held of runs that replaced all rows, before the pipeline was changed: its files are met again. What else
    /// waits for a decision.
    async fn give_up_runs(&self, run: &str) -> Result<Vec<(Unit, String)>, Error> {
        let (runs, files): (Vec<_>, Vec<_>) =
            self.waiting().await?.into_iter().partition(|(unit, _)| unit.is_of_whole_run());
        for (unit, version) in runs {
            // One that was discarded meanwhile has left its files marked as met.
            for member in &unit.members {
                for mark in names(self.store, &name::met(self.deployed.pipeline.name(), Some(&member.source))).await? {
                    self.store.delete(&mark).await?;
                }
            }
            self.replace(&unit, &version, &name::run_unit(self.deployed.pipeline.name(), run)).await?;
            self.store.delete(&name::held(&self.table(), &unit.name)).await?;
        }
        Ok(files)
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
        match put(self.store, &place, &plan, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                store::plan(self.store, &plan.input, plan.generation).await
            }
            done => done.map(|_| plan),
        }
    }

    /// Sends the tasks of a plan.
    async fn send(&self, plan: &InputPlan) -> Result<(), Error> {
        let message = |range| TaskMessage { input: plan.input.clone(), generation: plan.generation, range };
        let tasks = (0..plan.ranges.len()).map(|range| Entry { body: print(&message(range)), order: None });
        send(self.tasks, tasks.collect()).await?;
        self.witness.saw(&Fact::Planned(plan));
        Ok(())
    }

    fn table(&self) -> String {
        name::table(self.deployed.pipeline.table())
    }
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
