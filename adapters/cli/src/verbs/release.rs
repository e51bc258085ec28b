//! `etalon release`: loads what a run held, as it is.

use clap::Args;
use etalon_core::protocol::Work;

use super::Verb;
use super::decision::Decision;
use super::run::Ran;
use crate::failure::Failure;
use crate::output::Output;

/// Load what a run held, as it is
#[derive(Debug, Args)]
pub(super) struct Release {
    #[command(flatten)]
    decision: Decision,
}

impl Verb for Release {
    const NAME: &'static str = "release";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        self.decision.carry_out(Work::Release, output)
    }
}
