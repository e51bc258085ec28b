//! `etalon state`: how far a database or an API was read.

use clap::Args;
use etalon_driver::local::LocalDisk;

use super::{Entry, verb};
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::loaded::Loaded;
use crate::output::Output;

mod adopt;
mod reset;
mod show;

/// The verbs of the state of a source.
pub(super) const GROUP: Entry = Entry::Group {
    name: "state",
    about: "Show how far a database or an API was read, and have it read from its beginning",
    verbs: &[verb::<show::Show>(), verb::<reset::Reset>(), verb::<adopt::Adopt>()],
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
    /// The pipeline, what is read, for people, and the store that knows how far.
    fn load(&self, output: Output) -> Result<(Loaded, String, LocalDisk), Failure> {
        self.destination.must_be_here()?;
        let loaded = self.file.load(output)?;
        let (source, store) = (shown(&loaded)?, loaded.store(&self.destination)?);
        Ok((loaded, source, store))
    }
}

/// What is read, for people, of a source that is asked; others have no state.
pub(super) fn shown(loaded: &Loaded) -> Result<String, Failure> {
    let location = loaded.pipeline.location();
    if location.lands() {
        return Ok(location.shown());
    }
    let message =
        format!("the source is `{}`, which has no cursor: each of its objects is known by itself", location.kind());
    Err(Failure::environment(message).with_help("`etalon reload` loads again what is loaded"))
}
