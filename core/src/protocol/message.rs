//! Messages: the messages between the three steps.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::Document;
use crate::warehouse::LoadCounts;

/// The most hops of one start: a listing that needs more is probably a mistake, and stops with an error.
pub const HOPS_MAX: u32 = 1000;

/// Begins or continues the extraction of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The pipeline's name.
    pub pipeline: String,
    /// The run: the same for every delivery and every continuation of one start.
    pub run: String,
    /// `batch_time()` of the inputs that are planned first by this run: scheduled or event time, in microseconds since 1970.
    pub batch_time: i64,
    /// What to look at.
    pub work: Work,
    /// Whether what was loaded before is loaded again with the deployed pipeline: in a generation of its own, which replaces
    /// the earlier rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backfill: bool,
    /// The last name that an earlier leg of the run has dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How many legs the run has had.
    #[serde(default)]
    pub hop: u32,
    /// How often the landing of a database or an API was handed on to another call; listings of objects are counted by `hop`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub landings: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Start {
    /// Whether it begins with a landing, if the source is a database or an API: the start asks for what is new, and no leg has
    /// listed yet.
    pub fn lands(&self) -> bool {
        matches!(self.work, Work::Prefix(_)) && self.hop == 0 && self.after.is_none()
    }
}

/// What an extraction looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// Every object whose name begins so.
    Prefix(String),
    /// One object, as it is now.
    Object(String),
    /// Held units are loaded as they are: those of the objects of these names, or all.
    Release(Vec<String>),
    /// Held units are not loaded: those of the objects of these names, or all.
    Discard(Vec<String>),
    /// What was discarded is held again: units of the objects of these names, or all.
    Undiscard(Vec<String>),
    /// Open rejects are sent through the pipeline again: those of the objects of these names, or all.
    Redrive(Vec<String>),
    /// What is loaded is loaded again, with the pipeline that is deployed: the objects of these names, or all.
    Reload(Vec<String>),
}

impl Document for Start {
    const KIND: &'static str = "a start message";
    const VERSION: u32 = 1;
}

/// One range of a planned input is to be transformed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskMessage {
    /// The input.
    pub input: String,
    /// Its generation.
    pub generation: u32,
    /// Which of the plan's ranges.
    pub range: usize,
}

impl Document for TaskMessage {
    const KIND: &'static str = "a task message";
    const VERSION: u32 = 1;
}

/// Look at this table: something may be there to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadMessage {
    /// The table, as names have it.
    pub table: String,
}

impl Document for LoadMessage {
    const KIND: &'static str = "a load message";
    const VERSION: u32 = 1;
}

/// A load is in the table: `etalon.load`, for others who wait for it. It may come twice; the load's id tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadEvent {
    /// The table, as names have it.
    pub table: String,
    /// The load.
    pub load: String,
    /// Its units.
    pub units: Vec<String>,
    /// What became of the rows.
    pub counts: LoadCounts,
    /// The greatest batch time among the units.
    pub batch_time: i64,
}

impl LoadEvent {
    /// The name of the event, its detail type.
    pub const NAME: &str = "etalon.load";
}

impl Document for LoadEvent {
    const KIND: &'static str = "a load event";
    const VERSION: u32 = 1;
}
