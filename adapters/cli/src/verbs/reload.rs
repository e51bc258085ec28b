//! `etalon reload`: loads files again with the present pipeline, and replaces their earlier rows.

use std::time::Instant;

use clap::Args;
use etalon_core::protocol::Work;
use etalon_driver::run::RunOptions;

use super::Verb;
use super::elsewhere;
use super::run::{self, Ran};
use crate::arguments::{Destination, Source, Written};
use crate::failure::Failure;
use crate::output::Output;

/// Load files again with the present pipeline, and replace their rows
#[derive(Debug, Args)]
pub(super) struct Reload {
    #[command(flatten)]
    source: Source,
    /// The files, as summaries name them; all, if not given
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

impl Verb for Reload {
    const NAME: &'static str = "reload";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let begun = Instant::now();
        if let Some((remote, _)) = self.destination.remote(&self.source.file, output)? {
            self.destination.excludes("--from", !self.source.from.is_empty())?;
            let work = Work::Reload(self.files.clone());
            return Ok(Ran::elsewhere(elsewhere::carry_out(&remote, work, None, output)?, &remote, begun));
        }
        let loaded = self.source.file.load(output)?;
        let found = self.source.find(&loaded, None, output)?;
        let work = Work::Reload(loaded.named(&self.files));
        let options = RunOptions { is_part: !self.source.from.is_empty(), ..RunOptions::default() };
        run::carry_out(work, begun, &loaded, found, &self.destination, &options, output)
    }
}
