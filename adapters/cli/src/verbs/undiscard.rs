//! `etalon undiscard`: what was discarded is decided about once more.

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

/// Hold once more what was discarded
#[derive(Debug, Args)]
pub(super) struct Undiscard {
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

impl Verb for Undiscard {
    const NAME: &'static str = "undiscard";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let begun = Instant::now();
        let loaded = self.file.load(output)?;
        let found = (LocalDisk::new(&loaded.folder), Vec::new());
        let work = Work::Undiscard(self.files.clone());
        run::carry_out(work, begun, &loaded, found, &self.destination, &RunOptions::default(), output)
    }
}
