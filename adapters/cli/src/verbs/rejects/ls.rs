//! `etalon rejects ls`: how many rejects there are, by input and by reason.

use std::collections::BTreeMap;

use clap::Args;
use etalon_core::error::Error;
use etalon_core::pipeline::Resolved;
use etalon_driver::ports::{Objects, Warehouse};
use etalon_driver::rejects::{self, State};
use serde::Serialize;

use super::{reasons, unlisted};
use crate::arguments::{Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View, unknown_rejects};

/// Count the rejects of each input, by reason and by state
#[derive(Debug, Args)]
pub(super) struct Ls {
    #[command(flatten)]
    file: PipelineFile,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

/// The inputs that have rejects.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Listed {
    inputs: Vec<Input>,
    /// What is to be said of rejects that are not listed.
    #[serde(skip)]
    unlisted: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Input {
    source: String,
    version: String,
    #[serde(flatten)]
    counts: Counts,
    /// A record with two reasons counts for both.
    reasons: BTreeMap<String, Counts>,
}

/// How many rejects there are, and what has become of them.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counts {
    quarantined: u64,
    open: u64,
    redriven: u64,
    discarded: u64,
}

impl Counts {
    fn add(&mut self, state: State) {
        self.quarantined += 1;
        match state {
            State::Open => self.open += 1,
            State::Redriven => self.redriven += 1,
            State::Discarded => self.discarded += 1,
        }
    }
}

impl Verb for Ls {
    const NAME: &'static str = "ls";
    type Found = Listed;

    fn carry_out(&self, output: Output) -> Result<Listed, Failure> {
        if let Some((remote, _)) = self.destination.remote(&self.file, output)? {
            return Ok(remote.block(Listed::read(remote.pipeline(), remote.store()))?);
        }
        let loaded = self.file.load(output)?;
        let store = loaded.store(&self.destination)?;
        let mut listed = pollster::block_on(Listed::read(&loaded.pipeline, &store))?;
        // The rejects that are here are told also where the warehouse does not answer.
        if let Ok(Some(mut warehouse)) = self.destination.open_there(&loaded.state())
            && let Ok(rows) = pollster::block_on(Warehouse::ledger(&mut warehouse, loaded.pipeline.table()))
        {
            let unknown = pollster::block_on(rejects::kept_elsewhere(&store, &loaded.pipeline, &rows))?;
            listed.unlisted.extend(unknown_rejects(unknown));
        }
        Ok(listed)
    }
}

impl Listed {
    async fn read(pipeline: &Resolved, store: &impl Objects) -> Result<Self, Error> {
        let mut listed = Vec::new();
        let inputs = rejects::read(store, pipeline).await?;
        for input in inputs.iter().filter(|input| !input.rejects.is_empty()) {
            let mut counts = Counts::default();
            let mut by_reason: BTreeMap<String, Counts> = BTreeMap::new();
            for kept in &input.rejects {
                counts.add(kept.state);
                reasons(&kept.reject).for_each(|reason| by_reason.entry(reason).or_default().add(kept.state));
            }
            listed.push(Input {
                source: input.plan.source.clone(),
                version: input.plan.source_version.clone(),
                counts,
                reasons: by_reason,
            });
        }
        Ok(Self { inputs: listed, unlisted: unlisted(pipeline, store, &inputs).await? })
    }
}

impl View for Listed {
    fn table(&self) -> Table {
        let texts = ["source", "reason"].map(|name| Column::new(name, Kind::Text));
        let counts = ["quarantined", "open", "redriven", "discarded"].map(|name| Column::new(name, Kind::Count));
        let mut table = Table::new(texts.into_iter().chain(counts).collect());
        for input in &self.inputs {
            let mut push = |reason: &str, counts: &Counts| {
                let numbers = [counts.quarantined, counts.open, counts.redriven, counts.discarded];
                let texts = [input.source.clone(), reason.to_owned()];
                table.push(texts.into_iter().chain(numbers.map(|number| number.to_string())).map(Some).collect());
            };
            push("(records)", &input.counts);
            input.reasons.iter().for_each(|(reason, counts)| push(reason, counts));
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let empty = (self.inputs.is_empty() && self.unlisted.is_empty()).then(|| "the quarantine is empty".to_owned());
        empty.into_iter().chain(self.unlisted.clone()).collect()
    }
}
