//! Decisions about what runs have held: `release`, `discard` and `undiscard` take the same arguments, and read no source file.

use std::time::Instant;

use clap::Args;
use etalon_core::protocol::Work;
use etalon_driver::local::LocalDisk;
use etalon_driver::run::RunOptions;

use super::elsewhere;
use super::run::{self, Ran};
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::input::Found;
use crate::output::Output;

#[derive(Debug, Args)]
pub(super) struct Decision {
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

impl Decision {
    /// Does the work of the decision for its files.
    pub(super) fn carry_out(&self, work: fn(Vec<String>) -> Work, output: Output) -> Result<Ran, Failure> {
        let begun = Instant::now();
        if let Some((remote, _)) = self.destination.remote(&self.file, output)? {
            return Ok(Ran::elsewhere(
                elsewhere::carry_out(&remote, work(self.files.clone()), None, output)?,
                &remote,
                begun,
            ));
        }
        let loaded = self.file.load(output)?;
        let found = match loaded.pipeline.location().lands() {
            true => Found::Lands(None),
            false => Found::Files(LocalDisk::new(&loaded.folder), Vec::new()),
        };
        run::carry_out(
            work(loaded.named(&self.files)),
            begun,
            &loaded,
            found,
            &self.destination,
            &RunOptions::default(),
            output,
        )
    }
}
