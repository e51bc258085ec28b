//! `etalon stage`: the main job without the warehouse, for people who load the parts themselves.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use etalon_driver::local::{LocalDisk, SystemClock};
use etalon_driver::run::{self, RunOptions};

use crate::failure::Failure;
use crate::output::{Form, Output};
use crate::progress::Bar;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pipeline file
    pipeline: PathBuf,
    /// Files to read in place of the pipeline's source: paths or globs
    #[arg(long)]
    from: Vec<String>,
    /// The folder that gets `staged`, `quarantine`, `receipts` and `plans`
    #[arg(long)]
    to: PathBuf,
    /// What batch_time() is: a timestamp with its offset; the time of the first run over an input, if not given
    #[arg(long)]
    batch_time: Option<String>,
    /// Threads to work with; the machine's cores, if not given
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// How to write the summary
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let begun = Instant::now();
    let loaded = super::load(&arguments.pipeline, output)?;
    let (source, objects) = loaded.objects(&arguments.from)?;
    let batch_time = arguments.batch_time.as_deref().map(super::run::batch_time).transpose()?;
    let store = LocalDisk::new(&arguments.to);
    let bar = Bar::new();
    let options = RunOptions { batch_time, workers: arguments.threads, release: false };
    let world = (&source, &store, &SystemClock, &bar);
    let ended = pollster::block_on(run::stage(&loaded.pipeline, &loaded.text, &objects, world, &options));
    bar.clear();
    super::run::tell(&ended?, begun, &arguments.to, arguments.output, output)
}
