//! Marks: a decision about records in quarantine. Receipts and quarantine never change, so what becomes of a reject later is
//! written beside them: open = quarantined - redriven - discarded.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::plan::InputPlan;
use crate::protocol::Document;

/// One decision about rejects of one input. Decisions are numbered from 1 and never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// For a redrive, the plan by which the records are read again, with the decision's number as its generation; without
    /// one, the records are discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<InputPlan>,
    /// The records: their offsets, by the batch that has them in quarantine.
    pub records: BTreeMap<String, BTreeSet<u64>>,
}

impl Document for Marks {
    const KIND: &'static str = "a decision about rejects";
    const VERSION: u32 = 1;
}

impl Marks {
    /// Whether it speaks of a record.
    pub fn has(&self, batch: &str, offset: u64) -> bool {
        self.records.get(batch).is_some_and(|offsets| offsets.contains(&offset))
    }

    /// The offsets of all its records.
    pub fn offsets(&self) -> BTreeSet<u64> {
        self.records.values().flatten().copied().collect()
    }
}
