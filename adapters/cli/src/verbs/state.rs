//! `etalon state`: how far a source that is asked for rows was read.

use clap::Args;
use etalon_core::source::database::Reads;
use etalon_driver::local::LocalDisk;

use super::{Entry, verb};
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::loaded::Loaded;
use crate::output::Output;

mod reset;
mod show;

/// The verbs of the state of a source.
pub(super) const GROUP: Entry = Entry::Group {
    name: "state",
    about: "Look at how far a database was read, and have it read from its beginning",
    verbs: &[verb::<show::Show>(), verb::<reset::Reset>()],
};

/// Whose state it is.
#[derive(Debug, Args)]
struct Of {
    #[command(flatten)]
    file: PipelineFile,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

impl Of {
    /// The pipeline, what is read of its database, for people, and the store that knows how far.
    fn load(&self, output: Output) -> Result<(Loaded, String, LocalDisk), Failure> {
        let loaded = self.file.load(output)?;
        let (source, store) = (reads(&loaded)?.shown(), loaded.store(&self.destination));
        Ok((loaded, source, store))
    }
}

/// What is read of a database; other sources have no state.
pub(super) fn reads(loaded: &Loaded) -> Result<&Reads, Failure> {
    let location = loaded.pipeline.location();
    location.lands().ok_or_else(|| {
        let message =
            format!("the source is `{}`, which has no cursor: each of its objects is known by itself", location.kind());
        Failure::environment(message).with_help("`etalon reload` loads again what is loaded")
    })
}
