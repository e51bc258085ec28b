//! Redrive: sends open rejects through the pipeline again, in a generation of their own.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::InputPlan;
use etalon_core::protocol::{Marks, Unit, UnitState, name};

use super::Extract;
use crate::ports::{Clock, Fact, Objects, Put, Queue, Witness};
use crate::rejects;
use crate::store::{document, put, units};

impl<S: Objects, T: Objects, Q: Queue, R: Queue, L: Queue, C: Clock, W: Witness> Extract<'_, S, T, Q, R, L, C, W> {
    /// Sends open rejects through the pipeline once more: those of the objects that are wanted, or all.
    pub(super) async fn redrive(&self, wanted: &[String]) -> Result<(), Error> {
        let pipeline = &self.deployed.pipeline;
        rejects::may_be_redriven(pipeline)?;
        for input in rejects::read(self.store, pipeline).await? {
            if !wanted.is_empty() && !wanted.contains(&input.plan.source) {
                continue;
            }
            // Records are read again from the version that has them; where another is there, or none, they stay open.
            let is_there = rejects::still_there(self.source, &input.plan).await?.is_some();
            let is_finished = self.finish_redrives(&input, is_there).await?;
            let records = input.redrivable(pipeline.fingerprint());
            if !is_finished || records.is_empty() {
                continue;
            }
            if !input.is_loaded || !is_there {
                self.witness.saw(&Fact::Waits(&input.plan));
                continue;
            }
            if self.has_unknown_rows(&input.plan).await? {
                let message = format!(
                    "{}: the table has rows of it of which this folder of the runs knows nothing, as if it were an older copy; its \
                     rejects may be among them: load the file again, with `etalon reload`",
                    input.plan.source
                );
                return Err(Error::new(ErrorKind::Refused, message));
            }
            let number = input.next();
            let plan = pipeline.plan_again(&input.plan, number);
            let plan = self.plan_once_more(plan, format!("redrive {number}")).await?;
            let marks = Marks { redrive: Some(plan.clone()), ..input.marks_of(records) };
            put(self.store, &name::marks(&plan.input, Some(number)), &marks, Put::IfAbsent).await?;
            self.send(&plan).await?;
        }
        Ok(())
    }

    /// Whether the ledger has a later generation of an input that was never planned here: the records of a redrive, perhaps.
    async fn has_unknown_rows(&self, plan: &InputPlan) -> Result<bool, Error> {
        for (unit, _) in units(self.store, &self.table(), &plan.input).await? {
            let is_loaded = matches!(unit.state, UnitState::Loaded { .. });
            for member in unit.members.iter().filter(|member| is_loaded && member.generation > plan.generation) {
                let place = name::plan(&member.input, member.generation);
                if document::<InputPlan>(self.store, &place).await?.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
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
                Some(_) => {
                    let again = pipeline.plan_again(plan, number);
                    self.plan_once_more(again, pipeline.instead_of(&unit_name)).await?
                }
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
}
