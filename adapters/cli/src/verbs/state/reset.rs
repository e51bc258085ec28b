//! `etalon state reset`: the source is read from its beginning by the next run.

use clap::Args;
use serde::Serialize;

use super::Of;
use crate::failure::Failure;
use crate::input::lander;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View};

/// Forget how far the source was read: the next run reads it from its beginning
#[derive(Debug, Args)]
pub(super) struct Reset {
    #[command(flatten)]
    of: Of,
}

/// What was forgotten.
#[derive(Debug, Serialize)]
pub(super) struct Forgotten {
    /// What is read.
    source: String,
    /// How far it was read before.
    before: Option<String>,
}

impl Verb for Reset {
    const NAME: &'static str = "reset";
    type Found = Forgotten;

    fn carry_out(&self, output: Output) -> Result<Forgotten, Failure> {
        let (loaded, source, store) = self.of.load(output)?;
        let _alone = store.lock_run(|| output.note("a run is at work; this waits until it has ended"))?;
        let before = pollster::block_on(lander(&loaded, &store).reset())?;
        Ok(Forgotten { source, before })
    }
}

impl View for Forgotten {
    fn table(&self) -> Table {
        let mut table = Table::new(["source", "before"].map(|name| Column::new(name, Kind::Text)).into());
        table.push(vec![Some(self.source.clone()), self.before.clone()]);
        table
    }

    fn notes(&self) -> Vec<String> {
        vec![
            "the next run reads the source from its beginning; what is loaded stays, and rows with a key are merged"
                .to_owned(),
        ]
    }
}
