//! Run: what belongs to a run, where whole runs are loaded. Each of its legs is written once, before its inputs are planned,
//! so that every delivery of the leg's message means the same inputs.

use serde::Deserialize;
use serde::Serialize;

use crate::plan::InputPlan;
use crate::protocol::Document;

/// What one leg of a run met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// The plans of its inputs as this run would have them. An input that another run has planned first is that run's.
    pub plans: Vec<InputPlan>,
    /// The last name that it looked at.
    pub after: Option<String>,
    /// Whether the run ends with it.
    pub is_last: bool,
}

impl Document for Leg {
    const KIND: &'static str = "a leg of a run";
    const VERSION: u32 = 1;
}
