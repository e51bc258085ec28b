//! `etalon discard`: drops what a run held, so that it is never loaded.

use clap::Args;
use etalon_core::protocol::Work;

use super::Verb;
use super::decision::Decision;
use super::run::Ran;
use crate::failure::Failure;
use crate::output::Output;

/// Drop what a run held, so that it is never loaded
#[derive(Debug, Args)]
pub(super) struct Discard {
    #[command(flatten)]
    decision: Decision,
}

impl Verb for Discard {
    const NAME: &'static str = "discard";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        self.decision.carry_out(Work::Discard, output)
    }
}
