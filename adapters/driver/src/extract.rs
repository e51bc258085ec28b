//! The extract loop: a start, from a listing to plans and task messages.
//!
//! An input is planned once; whoever meets it later obeys that plan. Its tasks are sent, and then it is marked, so that the
//! next listing costs one name and nothing else. Killed anywhere, the same message does the rest.

use std::collections::BTreeSet;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{HOPS_MAX, Leg, Met, Source, Start, TaskMessage, Work, name, parse, print};
use etalon_core::source::{ListStep, Listing, Names};

use crate::deployed::Deployed;
use crate::judge::complete_run;
use crate::ports::{Clock, Entry, Fact, Message, Objects, Put, Queue, Witness};
use crate::store::{self, Handled, document, json, names, put, put_once, send};

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
        let here = &self.deployed.pipeline.name;
        if start.pipeline != *here {
            let refused = format!("a start of pipeline {}, and {here} is deployed", start.pipeline);
            return Err(Error::new(ErrorKind::Refused, refused));
        }
        self.deployed.keep(self.store).await?;
        if self.deployed.pipeline.whole_runs {
            return self.leg(start).await;
        }
        match &start.work {
            Work::Prefix(prefix) => self.list(start, self.below(prefix)?).await,
            Work::Object(object) if !self.deployed.inputs.include(object) => Ok(()),
            Work::Object(object) => match self.source.head(object).await {
                // It was removed since; there is nothing to read.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
                Ok(object) => self.meet(self.deployed.pipeline.plan(&object, start.batch_time)).await,
            },
        }
    }

    /// Meets every object that begins so, until the deadline; hands on the rest.
    async fn list(&self, start: &Start, prefix: &str) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        let sent = self.sent().await?;
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
                    let plan = pipeline.plan(&object, start.batch_time);
                    if start.backfill {
                        let generation = Leg::backfill_generation(start.batch_time);
                        self.meet(InputPlan { generation, backfills: true, ..plan }).await?;
                    } else if !sent.contains(&name::sent(&pipeline.name, &plan.input)) {
                        self.meet(plan).await?;
                    }
                }
                ListStep::Finished => return Ok(()),
            }
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
        let place = |hop| name::leg(&pipeline.name, &start.run, Some(hop));
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
        if legs.iter().all(|leg| leg.new == 0) {
            return Ok(());
        }
        for plan in legs.into_iter().flat_map(|leg| leg.plans) {
            self.begin(plan).await?;
        }
        // Tasks that ended before the last plan was there have not found the run complete.
        complete_run(self.deployed, self.store, self.loads, self.witness, &start.run).await
    }

    /// What a leg meets now.
    async fn look(&self, start: &Start) -> Result<Leg, Error> {
        let pipeline = &self.deployed.pipeline;
        let prefix = match &start.work {
            Work::Prefix(prefix) => self.below(prefix)?,
            Work::Object(_) => {
                let message =
                    "this pipeline loads whole runs (`write: replace`); an event for one object cannot start one";
                return Err(Error::new(ErrorKind::Refused, message));
            }
        };
        let (run, generation) = (Some(start.run.clone()), Leg::generation(&start.run));
        let sent = self.sent().await?;
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
        let is_new = |plan: &&InputPlan| start.backfill || !sent.contains(&name::sent(&pipeline.name, &plan.input));
        let new = plans.iter().filter(is_new).count();
        Ok(Leg { plans, new, after: listing.after().map(str::to_owned), is_last })
    }

    /// The marks of the inputs whose tasks have been sent.
    async fn sent(&self) -> Result<BTreeSet<String>, Error> {
        let prefix = name::sent(&self.deployed.pipeline.name, "");
        Ok(names(self.store, &prefix).await?.into_iter().collect())
    }

    /// Meets a version of an object, and begins with it.
    async fn meet(&self, mut plan: InputPlan) -> Result<(), Error> {
        let met = self.record(&plan).await?;
        plan.batch_time = met.batch_time;
        plan.overwrites = met.overwrites;
        if met.is_new && plan.backfills {
            // There is nothing that it would take the place of.
            (plan.backfills, plan.generation) = (false, 0);
        }
        self.begin(plan).await
    }

    /// Plans an input, once, and sends its tasks.
    async fn begin(&self, plan: InputPlan) -> Result<(), Error> {
        let place = name::plan(&plan.input, plan.generation);
        let plan = match self.store.put(&place, &json(&plan)?, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                store::plan(self.store, &plan.input, plan.generation).await?
            }
            done => done.map(|_| plan)?,
        };
        send(self.tasks, tasks(&plan)).await?;
        self.witness.saw(&Fact::Planned(&plan));
        put_once(self.store, &name::sent(&self.deployed.pipeline.name, &plan.input), b"").await
    }

    /// Writes the version into the record of the object's versions. Who comes second reads what the first wrote.
    async fn record(&self, plan: &InputPlan) -> Result<Met, Error> {
        let place = name::source(&self.deployed.pipeline.name, &plan.source);
        let (mut record, version) = match document::<Source>(self.store, &place).await? {
            Some((record, version)) => (record, Some(version)),
            None => (Source { source: plan.source.clone(), versions: Vec::new() }, None),
        };
        let met = record.meet(&plan.input, plan.batch_time);
        if met.is_new {
            put(self.store, &place, &record, version.as_deref().map_or(Put::IfAbsent, Put::IfVersion)).await?;
        }
        Ok(met)
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

/// The task messages of a plan.
fn tasks(plan: &InputPlan) -> Vec<Entry> {
    let message = |range| TaskMessage { input: plan.input.clone(), generation: plan.generation, range };
    (0..plan.ranges.len()).map(|range| Entry { body: print(&message(range)), order: None }).collect()
}
