//! `etalon rejects`: shows the records in quarantine, and sends them through the pipeline again after a fix.

use std::collections::BTreeSet;

use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_core::protocol::name;
use etalon_core::reject::Reject;
use etalon_driver::held;
use etalon_driver::ports::Objects;
use etalon_driver::rejects::InputRejects;

use super::{Entry, verb};
use crate::arguments::Chosen;
use crate::failure::Failure;

mod ls;
mod show;
mod redrive;
mod discard;

/// The verbs of rejects.
pub(super) const GROUP: Entry = Entry::Group {
    name: "rejects",
    about: "Look at rejected records, and send them through again when their cause is fixed",
    verbs: &[verb::<ls::Ls>(), verb::<show::Show>(), verb::<redrive::Redrive>(), verb::<discard::Discard>()],
};

/// What is to be said of rejects that are not among those of `inputs`: of files that were discarded, and where records are gone from
/// quarantine.
async fn unlisted(pipeline: &Resolved, store: &impl Objects, inputs: &[InputRejects]) -> Result<Vec<String>, Error> {
    let units = held::discarded_now(pipeline, store, &name::table(pipeline.table())).await?;
    let with_rejects = units.iter().filter(|unit| unit.counts.quarantined > 0);
    let files: Vec<String> = with_rejects.map(held::title).collect();
    let (verb, them) = if files.len() == 1 { ("was", "it") } else { ("were", "them") };
    let note =
        format!("{} {verb} discarded, with the rejects; `etalon undiscard` brings {them} back", files.join(", "));
    let lost = inputs.iter().filter(|input| input.lost > 0).map(|input| {
        let source = &input.plan.source;
        let count = input.lost;
        let (records, are) = if count == 1 { ("reject", "is") } else { ("rejects", "are") };
        format!("{source}: {count} {records} {are} gone from quarantine; `etalon reload` reads the file again")
    });
    Ok((!files.is_empty()).then_some(note).into_iter().chain(lost).collect())
}

impl Chosen {
    /// Whether a reject is chosen.
    fn has(&self, reject: &Reject) -> bool {
        let of = self.source.as_ref().is_none_or(|source| reject.source == *source);
        of && self.reason.as_ref().is_none_or(|reason| reasons(reject).any(|one| one.starts_with(reason)))
    }

    /// Refuses an input or a reason that no reject has: nothing would be chosen, whatever its state.
    fn must_be_of(&self, inputs: &[InputRejects]) -> Result<(), Failure> {
        let rejects = || inputs.iter().flat_map(|input| &input.rejects).map(|kept| &kept.reject);
        let known: BTreeSet<String> = rejects().map(|reject| reject.source.clone()).collect();
        if let Some(source) = self.source.as_ref().filter(|source| !known.contains(*source)) {
            return Err(unknown("--source", source, "input with rejects", &known));
        }
        let known: BTreeSet<String> = rejects().flat_map(reasons).collect();
        let is_known = |reason: &&String| known.iter().any(|one| one.starts_with(reason.as_str()));
        match self.reason.as_ref().filter(|reason| !is_known(reason)) {
            Some(reason) => Err(unknown("--reason", reason, "reason", &known)),
            None => Ok(()),
        }
    }
}

fn unknown(option: &str, given: &str, noun: &str, known: &BTreeSet<String>) -> Failure {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match known.as_slice() {
        [] => "the quarantine is empty".to_owned(),
        known => format!("there is: {}", known.join(", ")),
    };
    Failure::arguments(format!("{option} {given}: there is no such {noun}")).with_help(&help)
}

/// The reasons of a reject: a code and what it happened to.
fn reasons(reject: &Reject) -> impl Iterator<Item = String> + '_ {
    reject.reasons.iter().map(|reason| format!("{} {}", reason.code, reason.subject))
}
