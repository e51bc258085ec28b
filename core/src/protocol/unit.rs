//! Unit: what is judged and loaded as a whole (an input with all its ranges, or a run with all its inputs), and its state.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::Document;
use crate::receipt::Counts;
use crate::receipt::Part;
use crate::warehouse::LoadBatch;
use crate::warehouse::LoadCounts;

/// A unit whose receipts are all there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// The name of its pipeline; empty where an older Etalon made it.
    #[serde(default)]
    pub pipeline: String,
    /// The pipeline that made it.
    pub fingerprint: String,
    /// What became of its records.
    pub counts: Counts,
    /// Its inputs: one, or those of a run.
    pub members: Vec<Member>,
    /// What has become of it.
    pub state: UnitState,
    /// Whether a person has decided that it is loaded though the table has its rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub released: bool,
}

/// One input of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// What may be loaded once.
    pub input: String,
    /// Raised by backfill and redrive only.
    pub generation: u32,
    /// The object's name.
    pub source: String,
    /// The object's version.
    pub source_version: String,
    /// Distinguishes its contents from others if the version does not, because the object is compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its stored bytes.
    #[serde(default)]
    pub size: u64,
    /// The pipeline that it was planned with.
    pub fingerprint: String,
    /// Microseconds since 1970, UTC.
    pub batch_time: i64,
    /// Whether the rows of the object's earlier versions are deleted with its load.
    pub replaces_source: bool,
    /// Whether the rows of the input's earlier generations are deleted with its load.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces_generations: bool,
    /// The number of the decision about rejects, if it brings only the records of that decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrives: Option<u32>,
    /// Its batches, a range each.
    pub batches: Vec<UnitBatch>,
}

/// One batch of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitBatch {
    /// Its id.
    pub batch: String,
    /// Staged rows.
    pub staged: u64,
    /// Staged files, in order.
    pub parts: Vec<Part>,
}

/// What has become of a unit: every staged row is in one of these states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum UnitState {
    /// It waits for its load.
    Pending,
    /// It waits for a decision.
    Held {
        /// Why.
        reasons: Vec<String>,
        /// Whether some of it was not read, so that it cannot be loaded as it is.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        incomplete: bool,
        /// Whether that is because an object was gone, or another, when its turn came.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unread: bool,
    },
    /// It is in the table, and in its ledger.
    Loaded {
        /// What became of its rows.
        counts: LoadCounts,
    },
    /// A person decided that it is not loaded.
    Discarded {
        /// Why it was held.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<String>,
    },
    /// It was never loaded, and another unit has taken its place: a newer version of its object, or the same version with a
    /// changed pipeline.
    Replaced {
        /// The unit that has.
        by: String,
    },
}

impl Document for Unit {
    const KIND: &'static str = "a unit";
    const VERSION: u32 = 2;
}

impl Unit {
    /// Whether it is a run that takes the place of all rows, and not an input of its own.
    pub fn is_of_whole_run(&self) -> bool {
        // That of an input has its generation behind a dash.
        !self.name.contains('-')
    }

    /// Whether it waits for its load.
    pub fn is_pending(&self) -> bool {
        self.state == UnitState::Pending
    }

    /// Whether it waits for a decision.
    pub fn is_held(&self) -> bool {
        matches!(self.state, UnitState::Held { .. })
    }

    /// Its batches, of all its inputs.
    pub fn batches(&self) -> impl Iterator<Item = &UnitBatch> {
        self.members.iter().flat_map(|member| &member.batches)
    }

    /// The greatest batch time of its inputs.
    pub fn batch_time(&self) -> i64 {
        self.members.iter().map(|member| member.batch_time).max().unwrap_or_default()
    }

    /// The rows that it brings to the ledger.
    pub fn load_batches(&self) -> impl Iterator<Item = LoadBatch> {
        self.members.iter().flat_map(|member| member.load_batches(&self.pipeline))
    }

    /// Whether it is held, or was discarded, for a reason with these words.
    pub fn says(&self, words: &str) -> bool {
        match &self.state {
            UnitState::Held { reasons, .. } | UnitState::Discarded { reasons } => {
                reasons.iter().any(|reason| reason.contains(words))
            }
            _ => false,
        }
    }
}

impl Member {
    fn load_batches(&self, pipeline: &str) -> impl Iterator<Item = LoadBatch> {
        self.batches.iter().map(move |batch| LoadBatch {
            pipeline: pipeline.to_owned(),
            input: self.input.clone(),
            batch: batch.batch.clone(),
            generation: self.generation,
            source: self.source.clone(),
            source_version: self.source_version.clone(),
            content: self.content.as_ref().unwrap_or(&self.source_version).clone(),
            fingerprint: self.fingerprint.clone(),
            batch_time: self.batch_time,
            staged: batch.staged,
            replaces_source: self.replaces_source,
            replaces_generations: self.replaces_generations,
            versions: Vec::new(),
        })
    }
}
