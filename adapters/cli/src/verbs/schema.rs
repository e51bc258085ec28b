//! `etalon schema`: the JSON Schema of the pipeline file, for editors.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::Verb;
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Table, View};

/// Print the JSON Schema of the pipeline file
#[derive(Debug, Args)]
pub(super) struct Schema {}

/// The schema, which has one form.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Printed(Value);

impl Verb for Schema {
    const NAME: &'static str = "schema";
    type Found = Printed;

    fn carry_out(&self, _: Output) -> Result<Printed, Failure> {
        Ok(Printed(etalon_core::pipeline::file::json_schema()))
    }
}

impl View for Printed {
    fn table(&self) -> Table {
        Table::default()
    }

    fn page(&self) -> String {
        format!("{:#}\n", self.0)
    }
}
