//! Run: what belongs to a run, where whole runs are loaded. Each of its legs is written once, before anything is planned, so
//! that every delivery of the leg's message means the same inputs.
//!
//! Such a run brings every object that it meets, also those that an earlier run has brought: in a generation of its own.

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
    /// How many of them no earlier run has brought. A run in which nothing is new brings nothing.
    pub new: usize,
    /// The last name that it looked at.
    pub after: Option<String>,
    /// Whether the run ends with it.
    pub is_last: bool,
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

    /// The generation of what a backfill of this batch time brings: its second since 1970, so that the later of two
    /// backfills has the greater one. Redrives count on from it.
    pub fn backfill_generation(batch_time: i64) -> u32 {
        u32::try_from(batch_time / 1_000_000).unwrap_or(if batch_time < 0 { 0 } else { u32::MAX - 1 }).max(1)
    }
}
