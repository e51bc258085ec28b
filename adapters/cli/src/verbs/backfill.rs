//! `etalon backfill`: reads and loads a part of a database again; the cursor does not move.

use std::time::Instant;

use clap::Args;
use etalon_core::protocol as asked;
use etalon_core::warehouse::WriteMode;
use etalon_driver::land::Asked;
use etalon_driver::run::RunOptions;

use super::Verb;
use super::run::{self, Ran};
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::input::Found;
use crate::output::Output;

/// Read a part of a database again, and load it
#[derive(Debug, Args)]
pub(super) struct Backfill {
    #[command(flatten)]
    file: PipelineFile,
    /// The first value of the cursor that is read
    #[arg(long, value_name = "VALUE")]
    from: String,
    /// The value of the cursor before which the part ends
    #[arg(long, value_name = "VALUE")]
    until: String,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

impl Verb for Backfill {
    const NAME: &'static str = "backfill";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let begun = Instant::now();
        self.destination.must_be_here()?;
        let loaded = self.file.load(output)?;
        super::state::shown(&loaded)?;
        if loaded.pipeline.table().write == WriteMode::Append {
            let message = "`write: append` would add the rows once more beside those that are there";
            return Err(Failure::environment(message.to_owned()).with_help("write `merge`, with the key of the rows"));
        }
        let found = Found::Lands(Some(Asked::Again(self.from.clone(), self.until.clone())));
        let (work, options) = (asked::Work::Prefix(String::new()), RunOptions::default());
        run::carry_out(work, begun, &loaded, found, &self.destination, &options, output)
    }
}
