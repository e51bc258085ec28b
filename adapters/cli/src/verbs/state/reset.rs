//! `etalon state reset`: makes the next run read the source from its beginning.

use clap::Args;
use etalon_core::warehouse::WriteMode;
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
    /// Do it even if `write: append` will add the rows again
    #[arg(long)]
    again: bool,
}

/// What was forgotten.
#[derive(Debug, Serialize)]
pub(super) struct Forgotten {
    /// What is read.
    source: String,
    /// How far it was read before.
    before: Option<String>,
    /// Whether the rows are added once more.
    #[serde(skip)]
    is_append: bool,
}

impl Verb for Reset {
    const NAME: &'static str = "reset";
    type Found = Forgotten;

    fn carry_out(&self, output: Output) -> Result<Forgotten, Failure> {
        let (loaded, source, store) = self.of.load(output)?;
        let is_append = loaded.pipeline.table().write == WriteMode::Append;
        if is_append && !self.again {
            let message = "`write: append` would add the rows once more beside those that are there";
            return Err(Failure::environment(message.to_owned()).with_help(
                "write `merge`, with the key of the rows; if the table is emptied first, or another one is read now: \
                 `etalon state reset --again`",
            ));
        }
        let _alone = store.lock_run(|| output.note("a run is at work; this waits until it has ended"))?;
        let before = pollster::block_on(lander(&loaded, &store).reset())?;
        Ok(Forgotten { source, before, is_append })
    }
}

impl View for Forgotten {
    fn table(&self) -> Table {
        let mut table = Table::new(["source", "before"].map(|name| Column::new(name, Kind::Text)).into());
        table.push(vec![Some(self.source.clone()), self.before.clone()]);
        table
    }

    fn notes(&self) -> Vec<String> {
        let after = match self.is_append {
            true => "what is loaded stays, and `write: append` adds the rows beside it",
            false => "what is loaded stays, and rows with a key are merged",
        };
        vec![format!("the next run reads the source from its beginning; {after}")]
    }
}
