//! `etalon undiscard`: holds again what was discarded, so that it can be decided about again.

use clap::Args;
use etalon_core::protocol::Work;

use super::Verb;
use super::decision::Decision;
use super::run::Ran;
use crate::failure::Failure;
use crate::output::Output;

/// Undo a discard: the file is held again
#[derive(Debug, Args)]
pub(super) struct Undiscard {
    #[command(flatten)]
    decision: Decision,
}

impl Verb for Undiscard {
    const NAME: &'static str = "undiscard";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        self.decision.carry_out(Work::Undiscard, output)
    }
}
