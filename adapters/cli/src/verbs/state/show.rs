//! `etalon state show`: shows how far the source was read, and the windows that are kept.

use clap::Args;
use etalon_core::protocol::{Cursor, Window, name};
use etalon_driver::store::document;
use serde::Serialize;

use super::Of;
use crate::failure::Failure;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View, how_many};

/// Show how far the source was read, and list the windows that are kept
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    of: Of,
}

/// How far a source was read.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    /// What is read.
    source: String,
    /// Where the next window begins.
    position: Option<String>,
    /// How many windows have landed.
    landed: u64,
    /// Those that are kept.
    windows: Vec<Window>,
}

impl Verb for Show {
    const NAME: &'static str = "show";
    type Found = Shown;

    fn carry_out(&self, output: Output) -> Result<Shown, Failure> {
        let (loaded, source, store) = self.of.load(output)?;
        let found = pollster::block_on(document::<Cursor>(&store, &name::cursor(loaded.pipeline.name())))?;
        let Cursor { position, landed, windows, .. } = found.map(|(cursor, _)| cursor).unwrap_or_default();
        Ok(Shown { source, position, landed, windows })
    }
}

impl View for Shown {
    fn table(&self) -> Table {
        let columns = [("window", Kind::Name), ("rows", Kind::Number), ("bytes", Kind::Number)];
        let mut table = Table::new(columns.map(|(name, kind)| Column::new(name, kind)).into());
        for window in &self.windows {
            let (rows, bytes) = (window.rows.to_string(), window.object().size.to_string());
            table.push([window.name.clone(), rows, bytes].map(Some).into());
        }
        table
    }

    fn notes(&self) -> Vec<String> {
        let windows = how_many(self.landed, "window");
        let position = self.position.as_deref().unwrap_or("the beginning");
        vec![format!("{}: read up to {position}, in {windows}", self.source)]
    }
}
