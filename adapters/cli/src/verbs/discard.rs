//! `etalon discard`: somebody has looked at what a run held, and does not want it loaded.

use clap::Args;
use etalon_driver::run;
use serde::Serialize;

use super::Verb;
use crate::arguments::{Destination, Source, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View};

/// Never load what a run held
#[derive(Debug, Args)]
pub(super) struct Discard {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    #[command(flatten)]
    written: Written,
}

/// The files that are not loaded, now or later.
#[derive(Debug, Serialize)]
pub(super) struct Discarded(Vec<String>);

impl Verb for Discard {
    const NAME: &'static str = "discard";
    type Found = Discarded;

    fn carry_out(&self, output: Output) -> Result<Discarded, Failure> {
        let loaded = self.source.file.load(output)?;
        let (_, objects) = self.source.objects(&loaded)?;
        let mut warehouse = self.destination.open(&loaded.state())?;
        let store = loaded.store();
        let discard = run::discard(&loaded.pipeline, &objects, &store, &mut warehouse);
        Ok(Discarded(pollster::block_on(discard)?))
    }
}

impl View for Discarded {
    fn table(&self) -> Table {
        let mut table = Table::new(vec![Column::new("discarded", Kind::Text)]);
        self.0.iter().for_each(|name| table.push(vec![Some(name.clone())]));
        table
    }

    fn page(&self) -> String {
        self.0.iter().map(|name| format!("{name}: discarded\n")).collect()
    }

    fn notes(&self) -> Vec<String> {
        let nothing = "nothing to discard: every file that was read has been loaded";
        if self.0.is_empty() { vec![nothing.to_owned()] } else { Vec::new() }
    }
}
