//! Listing: meets every object that a start names, until the deadline; then it sends the rest of the work as a new start.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{HOPS_MAX, LastRun, Start, Unit, name, print};
use etalon_core::source::{ListStep, Listing};

use super::Extract;
use crate::held::Marked;
use crate::judge::loaded_run;
use crate::ports::{Clock, Entry, Fact, Objects, Queue, Witness};
use crate::store::{TOGETHER, document, names, readable, send, side_by_side};

/// What a start must know before it looks at objects.
pub(super) struct Known {
    /// The version of each object that was met last, by what the names of its marks begin with: its place, and the input that
    /// it is at its first meeting.
    pub(super) met: BTreeMap<String, (usize, String)>,
    /// Inputs whose tasks an older Etalon has sent.
    pub(super) sent: BTreeSet<String>,
    /// The pipeline's units that wait for a decision, with their versions.
    pub(super) waiting: Vec<(Unit, String)>,
    /// Whether plans of objects that have their marks cannot be read.
    pub(super) lacks_plans: bool,
    /// Whether the pipeline had runs that replaced all rows: their objects have no record of their versions.
    pub(super) had_whole_runs: bool,
    /// The last of these runs, if it is loaded and rows are added to it now.
    pub(super) last_run: Option<Unit>,
}

impl Known {
    /// The units of an object that wait for a decision.
    pub(super) fn waiting_of<'a>(&'a self, source: &'a str) -> impl Iterator<Item = &'a (Unit, String)> {
        self.waiting.iter().filter(move |(unit, _)| {
            // What was replaced before it was judged has no members.
            unit.members.iter().any(|member| member.source == source)
        })
    }
}

impl<S: Objects, T: Objects, Q: Queue, R: Queue, L: Queue, C: Clock, W: Witness> Extract<'_, S, T, Q, R, L, C, W> {
    /// Meets every object that begins so, or those of them that are wanted, until the deadline; hands on the rest. An object
    /// of which something that is kept cannot be read keeps no other back, and is told at the end.
    pub(super) async fn list(&self, start: &Start, prefix: &str, wanted: &[String]) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        let known = self.known().await?;
        let mut missing: BTreeSet<&String> = wanted.iter().collect();
        let mut together = Vec::new();
        let mut unreadable = None;
        // How long the longest of the rounds took in which objects were met side by side.
        let mut longest = 0;
        let mut listing = Listing::new(&self.deployed.inputs, prefix, start.after.clone());
        loop {
            let step = listing.step();
            let now = self.clock.now();
            // The next round may take as long: one that does not end in time would be cut off with the call.
            let is_late = step != ListStep::Finished && now.saturating_add(longest) >= self.deadline;
            if is_late || together.len() >= TOGETHER || !matches!(step, ListStep::Object(_)) {
                let met = side_by_side(together.drain(..), |name| self.met(name, start, &known)).await?;
                longest = longest.max(self.clock.now() - now);
                unreadable = unreadable.or_else(|| met.into_iter().flatten().next());
            }
            if is_late {
                self.hand_on(start, listing.after()).await?;
                return unreadable.map_or(Ok(()), Err);
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
                    let is_new = start.backfill || !is_known || known.lacks_plans;
                    if is_new || known.waiting_of(&object.name).next().is_some() {
                        together.push(object.name);
                    }
                }
                ListStep::Finished => break,
            }
        }
        if let Some(error) = unreadable {
            return Err(error);
        }
        match missing.first() {
            // A part of a listing need not have them all.
            Some(name) if start.after.is_none() => {
                Err(Error::new(ErrorKind::NotFound, format!("{name}: the pipeline's source has no such object")))
            }
            _ => Ok(()),
        }
    }

    /// Meets one of several objects: what cannot be read of it is told.
    async fn met(&self, object: String, start: &Start, known: &Known) -> Result<Option<Error>, Error> {
        let met = readable(self.meet(&object, start, known).await)?.err();
        if let Some(error) = &met {
            self.witness.saw(&Fact::Unreadable(&error.to_string()));
        }
        Ok(met)
    }

    /// A prefix that lies within the pipeline's own; without one, its own.
    pub(super) fn below<'p>(&'p self, prefix: &'p str) -> Result<&'p str, Error> {
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

    pub(super) async fn hand_on(&self, start: &Start, after: Option<&str>) -> Result<(), Error> {
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
        let Marked { units, lacks_plans, .. } = self.marked().await?;
        let had_whole_runs = self.had_whole_runs().await?;
        let last_run = self.loaded_run(had_whole_runs).await?;
        Ok(Known { met, sent, waiting: units, lacks_plans, had_whole_runs, last_run })
    }

    /// The last run that replaced all rows, if it is loaded and rows are added to it now.
    pub(super) async fn loaded_run(&self, had_whole_runs: bool) -> Result<Option<Unit>, Error> {
        match had_whole_runs && !self.deployed.pipeline.whole_runs() {
            true => loaded_run(&self.deployed.pipeline, self.store, &self.table()).await,
            false => Ok(None),
        }
    }

    /// Whether the pipeline had runs that replaced all rows.
    pub(super) async fn had_whole_runs(&self) -> Result<bool, Error> {
        let last = document::<LastRun>(self.store, &name::last_run(self.deployed.pipeline.name())).await;
        // One that cannot be read was one, too.
        Ok(readable(last)?.map_or(true, |last| last.is_some()))
    }
}
