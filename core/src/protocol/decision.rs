//! Decision: what a person has decided about held units. It is stored before it is carried out, with the units that it is
//! about, so that a message that is delivered twice decides once.

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
    /// The versions that their documents had then: a unit whose document has changed since is left as it is. Empty in documents
    /// of an older Etalon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// Whether a part of it may not be carried out yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
    /// The objects of these units.
    pub sources: Vec<String>,
    /// What was left as it is, and why.
    pub left: Vec<String>,
}

impl Document for Decision {
    const KIND: &'static str = "a decision about held units";
    const VERSION: u32 = 2;
}

impl Decision {
    /// Adds a unit that it is about, of a version of its document: there is something to do then.
    pub fn add(&mut self, unit: &Unit, version: &str) {
        self.is_open = true;
        self.units.push(unit.name.clone());
        self.versions.push(version.to_owned());
        self.sources.extend(unit.members.iter().map(|member| member.source.clone()));
    }
}
