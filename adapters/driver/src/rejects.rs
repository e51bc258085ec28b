//! Rejects: what lies in quarantine, what has become of it, and the decision to leave it.

mod redrive;

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::{self, InputPlan};
use etalon_core::protocol::{Marks, name, prefix};
use etalon_core::reject::Reject;
use serde::Serialize;

use crate::ports::{Objects, Put};
use crate::store::{document, names, put, receipt};
use crate::transform::object;

pub use redrive::{Forecast, Redriven, forecast, redrive};

/// What has become of a record in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing yet.
    Open,
    /// It was sent through again; if it failed again, that is another reject.
    Redriven,
    /// Somebody decided to leave it.
    Discarded,
}

/// A record in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// What has become of it.
    pub state: State,
    /// The batch that rejected it.
    pub batch: String,
    /// The record, and everything that is wrong with it.
    #[serde(flatten)]
    pub reject: Reject,
}

/// The rejects of one input.
#[derive(Debug, Clone)]
pub struct InputRejects {
    /// How the input was first planned.
    pub plan: InputPlan,
    /// The decisions about its rejects, in order.
    pub marks: Vec<Marks>,
    /// The rejects, of all its batches.
    pub rejects: Vec<Kept>,
}

impl InputRejects {
    /// The offsets of the rejects that are open, by batch.
    fn open(&self) -> BTreeMap<String, BTreeSet<u64>> {
        let mut open: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for kept in self.rejects.iter().filter(|kept| kept.state == State::Open) {
            open.entry(kept.batch.clone()).or_default().insert(kept.reject.place.offset);
        }
        open
    }

    /// The number of the next decision.
    fn next(&self) -> u32 {
        u32::try_from(self.marks.len()).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// The rejects of a pipeline's inputs, by source.
pub async fn read(store: &impl Objects, pipeline: &Pipeline) -> Result<Vec<InputRejects>, Error> {
    let mut inputs = Vec::new();
    for place in names(store, prefix::PLANS.text).await? {
        let bytes = store.get(&place).await?;
        let plan: InputPlan = serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(ErrorKind::Refused, format!("{place} is not a plan: {error}")))?;
        let object = object(&plan);
        // Other pipelines may keep their plans in the same folder.
        if plan.generation == 0 && plan.input == plan::input(&pipeline.name, pipeline.source_kind(), &object) {
            inputs.push(read_input(store, plan).await?);
        }
    }
    inputs.sort_by(|left, right| left.plan.source.cmp(&right.plan.source));
    Ok(inputs)
}

async fn read_input(store: &impl Objects, plan: InputPlan) -> Result<InputRejects, Error> {
    let mut marks = Vec::new();
    for place in names(store, &name::marks(&plan.input, None)).await? {
        if let Some((decision, _)) = document::<Marks>(store, &place).await? {
            marks.push(decision);
        }
    }
    let plans = std::iter::once(&plan).chain(marks.iter().filter_map(|marks| marks.redrive.as_ref()));
    let mut rejects = Vec::new();
    for task in plans.flat_map(InputPlan::tasks) {
        // Without a receipt a quarantine does not exist.
        if receipt(store, &task.batch).await?.is_none_or(|receipt| receipt.counts.quarantined == 0) {
            continue;
        }
        for piece in names(store, &name::quarantine(&task.batch, "")).await? {
            let bytes = store.get(&piece).await?;
            for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                let reject: Reject = serde_json::from_slice(line)
                    .map_err(|error| Error::new(ErrorKind::Refused, format!("{piece} is no quarantine: {error}")))?;
                let decision = marks.iter().find(|marks| marks.has(&task.batch, reject.place.offset));
                let state = match decision {
                    None => State::Open,
                    Some(Marks { redrive: Some(_), .. }) => State::Redriven,
                    Some(_) => State::Discarded,
                };
                rejects.push(Kept { state, batch: task.batch.clone(), reject });
            }
        }
    }
    Ok(InputRejects { plan, marks, rejects })
}

/// Discards the open rejects that `chosen` picks; gives how many they were.
pub async fn discard(
    pipeline: &Pipeline,
    store: &impl Objects,
    chosen: impl Fn(&Reject) -> bool,
) -> Result<u64, Error> {
    let mut count = 0;
    for input in read(store, pipeline).await? {
        let mut records: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for kept in input.rejects.iter().filter(|kept| kept.state == State::Open && chosen(&kept.reject)) {
            count += u64::from(records.entry(kept.batch.clone()).or_default().insert(kept.reject.place.offset));
        }
        if !records.is_empty() {
            let marks = Marks { redrive: None, records };
            put(store, &name::marks(&input.plan.input, Some(input.next())), &marks, Put::IfAbsent).await?;
        }
    }
    Ok(count)
}
