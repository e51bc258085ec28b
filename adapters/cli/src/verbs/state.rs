//! `etalon state`: how far a source that is asked for rows was read.

use etalon_core::source::database::Reads;

use super::{Entry, verb};
use crate::failure::Failure;
use crate::loaded::Loaded;

mod reset;
mod show;

/// The verbs of the state of a source.
pub(super) const GROUP: Entry = Entry::Group {
    name: "state",
    about: "Look at how far a database was read, and have it read from its beginning",
    verbs: &[verb::<show::Show>(), verb::<reset::Reset>()],
};

/// What is read of a database; other sources have no state.
pub(super) fn reads(loaded: &Loaded) -> Result<&Reads, Failure> {
    let location = loaded.pipeline.location();
    location.lands().ok_or_else(|| {
        let message =
            format!("the source is `{}`, which has no cursor: each of its objects is known by itself", location.kind());
        Failure::environment(message).with_help("`etalon reload` loads again what is loaded")
    })
}
