//! `etalon connector`: what a public connector manifest offers, and the records of its streams.

use super::{Entry, verb};

mod ls;
mod read;

/// The verbs of connectors.
pub(super) const GROUP: Entry =
    Entry::Group { name: "connector", about: "Look at a connector manifest, and read its streams", verbs: VERBS };

const VERBS: &[Entry] = &[verb::<ls::Ls>(), verb::<read::Read>()];
