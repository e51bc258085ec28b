//! `etalon stage`: does the work of `run` without the warehouse, for people who load the parts themselves.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use etalon_driver::land::Asked;
use etalon_driver::local::{LocalDisk, SystemClock};
use etalon_driver::run::{self, RunOptions};

use super::Verb;
use super::run::{Ran, quarantine};
use crate::arguments::{Source, Work, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Bar;

/// Read, check and stage, and load nothing: parts, rejects and receipts in a folder
#[derive(Debug, Args)]
pub(super) struct Stage {
    #[command(flatten)]
    source: Source,
    /// The folder that gets `staged`, `quarantine`, `receipts` and `plans`
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    #[command(flatten)]
    work: Work,
    #[command(flatten)]
    written: Written,
}

impl Verb for Stage {
    const NAME: &'static str = "stage";
    type Found = Ran;

    fn carry_out(&self, output: Output) -> Result<Ran, Failure> {
        let begun = Instant::now();
        let loaded = self.source.file.load(output)?;
        let found = self.source.find(&loaded, Some(Asked::New), output)?;
        if self.to.is_file() {
            return Err(Failure::arguments(format!(
                "--to {}: this is a file, and a folder is needed",
                self.to.display()
            )));
        }
        let store = LocalDisk::new(&self.to);
        let alone = store.lock_run(|| output.note("another run is at work; this one waits until it has ended"))?;
        let taken = found.take(&loaded, &store)?;
        let bar = Bar::new(output);
        let (batch_time, workers) = (self.work.batch_time, self.work.threads);
        let options = RunOptions { batch_time, workers, ..RunOptions::default() };
        let world = (&taken.input, alone.disk(), &SystemClock, &bar);
        let ended = pollster::block_on(run::stage(&loaded.pipeline, &loaded.text, &taken.objects, world, &options));
        bar.clear();
        alone.end()?;
        Ok(Ran::staged(ended?, &loaded.pipeline, begun, quarantine(&store)).after(taken.failed))
    }
}
