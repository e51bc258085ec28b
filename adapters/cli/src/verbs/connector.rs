//! `etalon connector`: what a public connector manifest offers.

use super::{Entry, verb};

mod ls;

/// The verbs of connectors.
pub(super) const GROUP: Entry =
    Entry::Group { name: "connector", about: "Look at a connector's manifest", verbs: &[verb::<ls::Ls>()] };
