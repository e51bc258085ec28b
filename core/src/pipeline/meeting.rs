//! Meeting: decides what to do when a worker looks at an object. One table maps everything that is stored about the object's
//! current version to steps, in order.
//!
//! A worker may be killed between any two steps, and another may look at the object at any time. Each look decides again from
//! what is stored then, and all lead to the same result.

use std::collections::BTreeSet;

use super::Pipeline;
use super::file::OnOverwrite;
use crate::error::{Error, ErrorKind};
use crate::plan::InputPlan;
use crate::protocol::{Unit, UnitState, name};

/// A unit, and the version of its document.
pub type KeptUnit = (Unit, String);

/// What is known when the current version of an object is met.
#[derive(Debug, Clone)]
pub struct Meeting<'a> {
    /// The plan of the version if it was never planned before.
    pub plan: InputPlan,
    /// The run that reloads everything that is loaded, if it does.
    pub reload: Option<&'a str>,
    /// Whether an older Etalon has sent the version's tasks.
    pub was_sent: bool,
    /// Whether an input that was planned with another pipeline file and has not been judged is planned again.
    pub replans: bool,
    /// All plans of the version's input.
    pub plans: &'a [InputPlan],
    /// All units of the version's input.
    pub units: &'a [Unit],
    /// The runs that took the place of some of them, to replace all rows, and were given up themselves.
    pub given_up: &'a BTreeSet<String>,
    /// The units of the object, of any version, that wait for a decision, or that were replaced and are not cleaned up yet.
    pub waiting: Vec<&'a KeptUnit>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<'a> {
    /// Store a plan, unless another worker has stored one in its place: then the steps are decided again.
    Keep(InputPlan),
    /// Make sure that a plan is never judged: this unit has taken its place.
    End(&'a InputPlan, String),
    /// Replace a held unit by this one.
    Replace(&'a KeptUnit, String),
    /// Judge a held unit again: the pipeline's limits may have changed.
    JudgeAgain(&'a KeptUnit),
    /// Send the tasks of a plan.
    Send(InputPlan),
    /// Mark the version as met.
    Mark,
    /// Remove the mark of a unit that was replaced.
    Unlist(&'a Unit),
}

/// What replaces a held unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gives {
    /// Nothing: it waits.
    Nothing,
    /// The planned input.
    ToPlan,
    /// The same version, with the deployed pipeline.
    ToPipeline,
}

impl Pipeline {
    /// Decides what to do about a version that is met.
    pub fn meet<'a>(&self, met: &Meeting<'a>) -> Result<Vec<Effect<'a>>, Error> {
        // What was read for a run that takes the place of all rows is loaded by it or never.
        let is_whole = |plan: &&InputPlan| plan.redrives.is_none() && plan.run.is_none();
        let loaded = met.units.iter().filter(|unit| matches!(unit.state, UnitState::Loaded { .. }));
        let loaded = loaded.flat_map(|unit| &unit.members);
        let of_whole = loaded.clone().filter(|member| member.redrives.is_none());
        let of_whole = of_whole.map(|member| member.generation).max();
        let loaded = loaded.map(|member| member.generation).max();
        let mut plan = match (met.reload, loaded, met.unended_reload()) {
            (Some(run), Some(_), _) => {
                // Where a version takes the place of those before, that of none of them is left.
                let overwrites = met.plan.overwrites && self.on_overwrite == OnOverwrite::Replace;
                let again = InputPlan { overwrites, backfills: true, ..met.plan.clone() };
                met.once_more(again, format!("reload {run}"))?
            }
            _ if met.was_sent => return Ok(vec![Effect::Mark]),
            (_, Some(_), Some(reload)) => self.live(met, reload)?,
            // It is in the table, whether or not its plan is kept.
            (_, Some(generation), None) => InputPlan { generation, ..met.plan.clone() },
            // What was loaded first may have gone with its table, and what was to take its place is held.
            (_, None, _) => match met.plans.iter().filter(is_whole).min_by_key(|kept| kept.generation) {
                Some(kept) => self.live(met, kept)?,
                None => met.plan.clone(),
            },
        };
        let look = |plan: &InputPlan| -> Vec<(&KeptUnit, Gives)> {
            met.waiting.iter().map(|&waits| (waits, self.gives_way(&waits.0, plan, of_whole))).collect()
        };
        let mut gives = look(&plan);
        // The last of those that give way to the pipeline is replaced last: as long as it is held, it is the same cause.
        if let Some(((unit, _), _)) = gives.iter().rfind(|(_, gives)| *gives == Gives::ToPipeline) {
            let backfills = loaded.is_some() || unit.members.iter().any(|member| member.replaces_generations);
            let overwrites = plan.overwrites && !backfills;
            let batch_time = plan.batch_time;
            let anew = InputPlan { batch_time, backfills, overwrites, run: None, ..met.plan.clone() };
            plan = met.once_more(anew, self.instead_of(&unit.name))?;
            // What is brought again as a whole brings also what was to be sent again.
            gives = look(&plan);
        }
        let by = name::unit(&plan.input, plan.generation);
        let judged = met.units.iter().find(|unit| unit.name == by);
        let is_judged = judged.is_some();
        let is_in_table = judged.is_some_and(|unit| matches!(unit.state, UnitState::Loaded { .. }));
        let mut effects = Vec::new();
        if !is_in_table && !met.plans.iter().any(|kept| kept.generation == plan.generation) {
            effects.push(Effect::Keep(plan.clone()));
        }
        if met.replans && !is_judged {
            effects.extend(met.unjudged(&plan).map(|ended| Effect::End(ended, by.clone())));
        }
        effects.extend(gives.iter().map(|&(waits, gives)| match gives {
            Gives::Nothing => Effect::JudgeAgain(waits),
            Gives::ToPlan | Gives::ToPipeline => Effect::Replace(waits, by.clone()),
        }));
        // What was judged is in its document, and its tasks are done.
        if !is_judged {
            effects.push(Effect::Send(plan));
        }
        effects.push(Effect::Mark);
        let replaced = gives.iter().filter(|(_, gives)| *gives != Gives::Nothing);
        effects.extend(replaced.map(|((unit, _), _)| Effect::Unlist(unit)));
        Ok(effects)
    }

    /// The cause for planning an input again if a unit of it cannot be loaded as it is.
    pub fn instead_of(&self, unit: &str) -> String {
        format!("instead of {unit} by {}", self.fingerprint)
    }

    /// The plan that counts of an input that was planned before: where another has taken the place of its unit, that one. Of
    /// what was not judged the deployed pipeline's plan may take the place.
    fn live(&self, met: &Meeting<'_>, planned: &InputPlan) -> Result<InputPlan, Error> {
        let mut kept = planned;
        loop {
            let unit = name::unit(&kept.input, kept.generation);
            match met.units.iter().find(|other| other.name == unit).map(|unit| &unit.state) {
                _ if kept.run.is_some() => return Ok(kept.clone()),
                Some(UnitState::Replaced { by }) => {
                    let next = by.strip_prefix(&format!("{}-", kept.input)).and_then(|next| next.parse().ok());
                    let Some(next) = next.filter(|&next: &u32| next > kept.generation) else {
                        if self.whole_runs || !met.given_up.contains(by) {
                            return Ok(kept.clone());
                        }
                        // Nothing else brings it any more.
                        let (batch_time, backfills) = (kept.batch_time, kept.backfills);
                        let anew = InputPlan { batch_time, backfills, ..met.plan.clone() };
                        let anew = met.once_more(anew, format!("since {by} was given up"))?;
                        match met.plans.iter().find(|plan| plan.generation == anew.generation) {
                            Some(planned) => kept = planned,
                            None => return Ok(anew),
                        }
                        continue;
                    };
                    let gone = || {
                        let place = name::plan(&kept.input, next);
                        Error::new(ErrorKind::NotFound, format!("{place}: there is no such plan"))
                    };
                    kept = met.plans.iter().find(|plan| plan.generation == next).ok_or_else(gone)?;
                }
                None if met.replans && kept.fingerprint != self.fingerprint => {
                    let (batch_time, backfills) = (kept.batch_time, kept.backfills);
                    let anew = InputPlan { batch_time, backfills, ..met.plan.clone() };
                    return met.once_more(anew, self.instead_of(&unit));
                }
                _ => return Ok(kept.clone()),
            }
        }
    }

    /// To what a unit gives way that waits for a decision, when its object is met as a plan has it. The last is the generation
    /// in which all records of the version were loaded, if they were.
    fn gives_way(&self, unit: &Unit, plan: &InputPlan, loaded: Option<u32>) -> Gives {
        let redrives = unit.members.iter().any(|member| member.redrives.is_some());
        let is_of_version = unit.members.iter().all(|member| member.input == plan.input);
        let is_own = unit.name == name::unit(&plan.input, plan.generation);
        let is_mended = unit.fingerprint != self.fingerprint;
        // Whether the other records of a redrive have gone with their table, or all were loaded again since.
        let generation = unit.members.iter().map(|member| member.generation).max();
        let is_outdated = redrives && loaded.is_none_or(|loaded| generation < Some(loaded));
        match (&unit.state, self.on_overwrite) {
            (UnitState::Replaced { .. }, _) if is_of_version => Gives::ToPlan,
            // What is brought again as a whole brings all records; the message may come twice.
            (UnitState::Held { .. }, _) if is_of_version && plan.backfills && !is_own => Gives::ToPlan,
            // The records of a redrive are sent again by a redrive, as long as the others are in the table.
            (UnitState::Held { .. }, _) if is_of_version && is_outdated => Gives::ToPlan,
            (UnitState::Held { .. }, _) if is_of_version && redrives => Gives::Nothing,
            // An object that was gone for a while, or another, is there again.
            (UnitState::Held { unread, .. }, _) if is_of_version && (is_mended || *unread) => Gives::ToPipeline,
            _ if is_of_version => Gives::Nothing,
            // Every version brings rows of its own.
            (_, OnOverwrite::Add) => Gives::Nothing,
            // The version that the records are of stays in the table.
            (_, OnOverwrite::Fail) if redrives => Gives::Nothing,
            (UnitState::Held { .. } | UnitState::Replaced { .. }, _) => Gives::ToPlan,
            _ => Gives::Nothing,
        }
    }
}

impl<'a> Meeting<'a> {
    /// The last plan of the input, if it is that of a reload whose tasks were not all done.
    fn unended_reload(&self) -> Option<&'a InputPlan> {
        let last = self.plans.iter().max_by_key(|plan| plan.generation)?;
        let is_reload = last.backfills && last.redrives.is_none();
        (is_reload && !self.is_judged(last)).then_some(last)
    }

    /// The plans that were never judged and that another one takes the place of.
    fn unjudged(&self, plan: &InputPlan) -> impl Iterator<Item = &'a InputPlan> {
        let is_older = |other: &&InputPlan| other.generation < plan.generation;
        self.plans
            .iter()
            .filter(is_older)
            .filter(|other| other.run.is_none() && other.redrives.is_none() && !self.is_judged(other))
    }

    fn is_judged(&self, plan: &InputPlan) -> bool {
        let unit = name::unit(&plan.input, plan.generation);
        self.units.iter().any(|other| other.name == unit)
    }

    fn once_more(&self, plan: InputPlan, cause: String) -> Result<InputPlan, Error> {
        once_more(self.plans, self.units, plan, cause)
    }
}

/// Plans an input in the next generation, once for each cause: the plan that is kept of that cause, or a new one.
pub fn once_more(plans: &[InputPlan], units: &[Unit], plan: InputPlan, cause: String) -> Result<InputPlan, Error> {
    if let Some(kept) = plans.iter().find(|kept| kept.cause.as_ref() == Some(&cause)) {
        return Ok(kept.clone());
    }
    let planned = plans.iter().map(|plan| plan.generation);
    let members = units.iter().flat_map(|unit| &unit.members).filter(|member| member.input == plan.input);
    let full = || Error::new(ErrorKind::Refused, format!("{} was planned too often", plan.source));
    let generation = match planned.chain(members.map(|member| member.generation)).max() {
        None => 0,
        Some(greatest) => greatest.checked_add(1).ok_or_else(full)?,
    };
    Ok(InputPlan { generation, cause: Some(cause), ..plan })
}

#[cfg(test)]
mod tests;
