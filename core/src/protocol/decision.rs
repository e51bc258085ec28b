//! Decision: what somebody has decided about held units. It is kept, so that a message that comes twice decides once.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::Document;
use crate::protocol::Unit;

/// What a decision was about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What was asked for: `release`, `discard` or `undiscard`.
    pub decision: String,
    /// The units that it was about.
    pub units: Vec<String>,
    /// The objects of these units.
    pub sources: Vec<String>,
    /// What was left as it is, and why.
    pub left: Vec<String>,
}

impl Document for Decision {
    const KIND: &'static str = "a decision about held units";
    const VERSION: u32 = 1;
}

impl Decision {
    /// Adds a unit that it was about.
    pub fn add(&mut self, unit: &Unit) {
        self.units.push(unit.name.clone());
        self.sources.extend(unit.members.iter().map(|member| member.source.clone()));
    }
}
