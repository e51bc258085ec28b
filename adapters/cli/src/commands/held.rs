//! `etalon release` and `etalon discard`: somebody has looked at what a run held, and decides.

use std::path::PathBuf;

use clap::Args;
use etalon_driver::local::LocalDisk;
use etalon_driver::run;

use crate::failure::Failure;
use crate::output::{Form, Output};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The pipeline file
    pipeline: PathBuf,
    /// Files to decide about in place of the pipeline's source: paths or globs
    #[arg(long)]
    from: Vec<String>,
    /// The warehouse: a SQLite file, or postgres://user@host/database with the password in PGPASSWORD; warehouse.db in the
    /// folder .etalon beside the pipeline file, if not given
    #[arg(long)]
    to: Option<String>,
    /// How to write what was done
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

pub(crate) fn release(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let Arguments { pipeline, from, to, output: form } = arguments;
    super::run::carry_out(&super::run::Arguments::of(pipeline.clone(), from.clone(), to.clone(), *form), true, output)
}

pub(crate) fn discard(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let loaded = super::load(&arguments.pipeline, output)?;
    let (_, objects) = loaded.objects(&arguments.from)?;
    let store = LocalDisk::new(loaded.state());
    let mut warehouse = super::open_warehouse(arguments.to.as_deref(), &loaded.state())?;
    let discarded = pollster::block_on(run::discard(&loaded.pipeline, &objects, &store, &mut warehouse))?;
    if arguments.output == Form::Json {
        return output.json(&discarded);
    }
    output.data(&discarded.iter().map(|name| format!("{name}: discarded\n")).collect::<String>())?;
    if discarded.is_empty() {
        output.note("no file was read and not loaded");
    }
    Ok(())
}
