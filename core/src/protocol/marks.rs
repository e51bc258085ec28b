//! Marks: a decision about records in quarantine. Receipts and quarantine never change, so decisions about a reject are written
//! beside them: open = quarantined - redriven - discarded.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;

use crate::plan::{Again, InputPlan};
use crate::protocol::Document;

/// One decision about rejects of one input. Decisions are numbered from 1 and never change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// For a redrive, the plan by which the records are read again, with the decision's number as its generation; without
    /// one, the records are discarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive: Option<InputPlan>,
    /// The records: their offsets, by the batch that has them in quarantine.
    pub records: BTreeMap<String, BTreeSet<u64>>,
    /// For a redrive, how many bytes each record has, by its offset: it is read again only if it ends where it ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lengths: BTreeMap<u64, u64>,
    /// For a redrive, how many bytes the object had when it was decoded, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
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

    /// All its records, to be read again.
    pub fn again(&self) -> Again {
        let offsets = self.records.values().flatten();
        let records = offsets.map(|offset| (*offset, self.lengths.get(offset).copied())).collect();
        Again { records, total: self.total }
    }
}
