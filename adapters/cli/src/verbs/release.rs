//! `etalon release`: somebody has looked at what a run held, and wants it loaded.

use clap::Args;
use etalon_driver::run::RunOptions;

use super::Verb;
use super::run::{self, Ran};
use crate::arguments::{Destination, Source, Written};
use crate::failure::Failure;
use crate::output::Output;

/// Load what a run held, as it is
#[derive(Debug, Args)]
pub(super) struct Release {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

impl Verb for Release {
    const NAME: &'static str = "release";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let options = RunOptions { batch_time: None, workers: None, release: true };
        run::carry_out(&self.source, &self.destination, &options, output)
    }
}
