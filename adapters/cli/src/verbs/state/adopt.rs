//! `etalon state adopt`: makes the next run continue where the last one ended, on another server or database that has the same
//! data.

use clap::Args;
use serde::Serialize;

use super::Of;
use crate::failure::Failure;
use crate::input::lander;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View};

/// Continue on another server or database that has the same data: after a fail-over or a move
#[derive(Debug, Args)]
pub(super) struct Adopt {
    #[command(flatten)]
    of: Of,
}

/// Where the next run goes on.
#[derive(Debug, Serialize)]
pub(super) struct Adopted {
    /// What is read.
    source: String,
    /// How far it was read.
    position: Option<String>,
}

impl Verb for Adopt {
    const NAME: &'static str = "adopt";
    type Found = Adopted;

    fn carry_out(&self, output: Output) -> Result<Adopted, Failure> {
        let (loaded, source, store) = self.of.load(output)?;
        let _alone = store.lock_run(|| output.note("a run is at work; this waits until it has ended"))?;
        let position = pollster::block_on(lander(&loaded, &store).adopt())?;
        Ok(Adopted { source, position })
    }
}

impl View for Adopted {
    fn table(&self) -> Table {
        let mut table = Table::new(["source", "position"].map(|name| Column::new(name, Kind::Text)).into());
        table.push(vec![Some(self.source.clone()), self.position.clone()]);
        table
    }

    fn notes(&self) -> Vec<String> {
        let from = self.position.as_deref().unwrap_or("the beginning");
        vec![format!("the next run reads on from {from}, whichever server and database the pipeline names then")]
    }
}
