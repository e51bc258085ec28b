//! Begun: work that the command has started and that the functions finish; its state so far, from the documents that the
//! functions keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{Decision, Unit, UnitState, name};

use crate::held::{self, is_of};
use crate::ports::{Fact, Objects, Witness};
use crate::report::{InputReport, RunReport, RunState};
use crate::run::held_report;
use crate::store::document;

/// What a call of extract has begun.
#[derive(Debug, Default)]
pub struct Begun(Mutex<Facts>);

#[derive(Debug, Default)]
struct Facts {
    planned: Vec<InputPlan>,
    decision: Option<Decision>,
    waiting: Vec<String>,
    unreadable: Vec<String>,
}

impl Witness for Begun {
    fn saw(&self, fact: &Fact<'_>) {
        let mut facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fact {
            Fact::Planned(plan) => facts.planned.push((*plan).clone()),
            Fact::Decided(decision) => facts.decision = Some((*decision).clone()),
            Fact::Waits(plan) => facts.waiting.push(plan.source.clone()),
            Fact::Unreadable(why) => facts.unreadable.push((*why).to_owned()),
            _ => {}
        }
    }
}

/// How far it is.
#[derive(Debug)]
pub struct Progress {
    /// What was done, in numbers that balance.
    pub report: RunReport,
    /// The objects that functions are still at work with, and those that wait for their load.
    pub at_work: BTreeSet<String>,
    /// What is kept and cannot be read.
    pub unreadable: Vec<String>,
}

impl Begun {
    /// What has become of it.
    pub async fn progress(&self, pipeline: &Resolved, store: &impl Objects) -> Result<Progress, Error> {
        let (planned, decision, waiting, unreadable) = {
            let facts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (facts.planned.clone(), facts.decision.clone(), facts.waiting.clone(), facts.unreadable.clone())
        };
        let table = name::table(pipeline.table());
        // By unit, the objects that it brings.
        let mut units: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for plan in &planned {
            let unit = match &plan.run {
                Some(run) if pipeline.whole_runs() => name::run_unit(pipeline.name(), run),
                _ => name::unit(&plan.input, plan.generation),
            };
            units.entry(unit).or_default().insert(plan.source.clone());
        }
        let released = decision.iter().filter(|decision| decision.decision == "release");
        for unit in released.flat_map(|decision| &decision.units) {
            units.entry(unit.clone()).or_default();
        }
        let mut progress = Progress { report: RunReport::new(pipeline), at_work: BTreeSet::new(), unreadable };
        let report = &mut progress.report;
        let receipts = BTreeMap::new();
        let mut was_loaded = false;
        for (unit, sources) in units {
            let Some((unit, _)) = document::<Unit>(store, &name::unit_document(&table, &unit)).await? else {
                progress.at_work.extend(sources);
                continue;
            };
            match &unit.state {
                UnitState::Pending => progress.at_work.extend(unit.members.iter().map(|member| member.source.clone())),
                UnitState::Loaded { counts } => {
                    was_loaded = true;
                    report.load.get_or_insert_default().add(*counts);
                }
                _ => {}
            }
            report.add_unit(store, &unit, &receipts).await?;
        }
        for unit in held::held(store, &table).await?.iter().filter(|unit| is_of(pipeline, unit)) {
            report.held.push(held_report(
                unit,
                planned.iter().any(|plan| name::unit(&plan.input, plan.generation) == unit.name),
            ));
        }
        report.inputs = planned.iter().filter(|plan| plan.redrives.is_none()).map(input).collect();
        report.state = match &report.held {
            _ if was_loaded => RunState::Loaded,
            held if held.is_empty() && progress.at_work.is_empty() => RunState::NothingNew,
            held if held.is_empty() => RunState::Staged,
            held => RunState::Held(held.iter().flat_map(|held| held.reasons.clone()).collect()),
        };
        report.decision = decision;
        report.waiting = waiting;
        Ok(progress)
    }
}

fn input(plan: &InputPlan) -> InputReport {
    InputReport {
        source: plan.source.clone(),
        version: plan.source_version.clone(),
        bytes: plan.size,
        loaded_before: false,
        reloaded: plan.backfills,
        held_before: false,
        discarded: false,
        not_looked_at: false,
    }
}
