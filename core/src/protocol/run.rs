//! Run: what belongs to a run, for pipelines that load whole runs (`write: replace`). Each leg of a run is written once, before
//! anything is planned, so that every delivery of the leg's message means the same inputs.
//!
//! Such a run loads every object that it meets, also those that an earlier run has loaded, in a generation of its own.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::plan::InputPlan;
use crate::plan::identity;
use crate::protocol::Document;

/// What one leg of a run met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The plans of its inputs.
    pub plans: Vec<InputPlan>,
    /// The last name that it looked at.
    pub after: Option<String>,
    /// Whether the run ends with it.
    pub is_last: bool,
}

/// What the last run has met. A run is new if it meets something else, so also where an object has gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The run.
    pub run: String,
    /// Its batch time.
    pub batch_time: i64,
    /// The inputs that it met.
    pub inputs: BTreeSet<String>,
}

impl Document for LastRun {
    const KIND: &'static str = "a record of the last run";
    const VERSION: u32 = 1;
}

impl Document for Leg {
    const KIND: &'static str = "a leg of a run";
    const VERSION: u32 = 1;
}

impl Leg {
    /// The generation of everything that a run brings: the same for every delivery of it, another for another run, never 0.
    pub fn generation(run: &str) -> u32 {
        let name = identity("generation", &[run]);
        u32::from_str_radix(name.get(..8).unwrap_or_default(), 16).unwrap_or_default().max(1)
    }
}
