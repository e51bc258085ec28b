//! `etalon rejects discard`: discards open rejects that will never be right.

use clap::Args;
use etalon_core::pipeline::Resolved;
use etalon_driver::ports::Objects;
use etalon_driver::rejects;
use serde::Serialize;

use crate::arguments::{Chosen, Destination, PipelineFile, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View, thousands};

/// Discard open rejects, so that they are never sent through again
#[derive(Debug, Args)]
pub(super) struct Discard {
    #[command(flatten)]
    file: PipelineFile,
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

/// How many rejects were discarded.
#[derive(Debug, Serialize)]
pub(super) struct Discarded {
    discarded: u64,
}

impl Verb for Discard {
    const NAME: &'static str = "discard";
    type Found = Discarded;

    fn carry_out(&self, output: Output) -> Result<Discarded, Failure> {
        if let Some((remote, _)) = self.destination.remote(&self.file, output)? {
            return remote.block(self.discarded(remote.pipeline(), remote.store()));
        }
        let loaded = self.file.load(output)?;
        let store = loaded.store(&self.destination)?;
        let alone = store.lock_run(|| output.note("a run is at work; this waits until it has ended"))?;
        let discarded = pollster::block_on(self.discarded(&loaded.pipeline, alone.disk()));
        alone.end()?;
        discarded
    }
}

impl Discard {
    async fn discarded(&self, pipeline: &Resolved, store: &impl Objects) -> Result<Discarded, Failure> {
        self.chosen.must_be_of(&rejects::read(store, pipeline).await?)?;
        Ok(Discarded { discarded: rejects::discard(pipeline, store, |reject| self.chosen.has(reject)).await? })
    }
}

impl View for Discarded {
    fn table(&self) -> Table {
        let mut table = Table::new(vec![Column::new("discarded", Kind::Count)]);
        table.push(vec![Some(self.discarded.to_string())]);
        table
    }

    fn page(&self) -> String {
        format!("discarded {}\n", thousands(self.discarded))
    }
}
