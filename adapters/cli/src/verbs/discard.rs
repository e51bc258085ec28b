//! `etalon discard`: somebody has looked at what a run held, and does not want it loaded.

use std::time::Instant;

use clap::Args;
use etalon_core::protocol::Work;
use etalon_driver::local::LocalDisk;
use etalon_driver::run::RunOptions;

use super::Verb;
use super::run::{self, Ran};
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::output::Output;

/// Never load what a run held
#[derive(Debug, Args)]
pub(super) struct Discard {
    #[command(flatten)]
    file: PipelineFile,
    /// The files, as summaries name them; all, if not given
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

impl Verb for Discard {
    const NAME: &'static str = "discard";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let begun = Instant::now();
        let loaded = self.file.load(output)?;
        let found = (LocalDisk::new(&loaded.folder), Vec::new());
        let work = Work::Discard(self.files.clone());
        run::carry_out(work, begun, &loaded, found, &self.destination, &RunOptions::default(), output)
    }
}
