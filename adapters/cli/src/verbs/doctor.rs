//! `etalon doctor`: checks a deployed pipeline.

use clap::Args;
use etalon_driver::status::Finding;
use serde::Serialize;

use super::Verb;
use crate::arguments::{PipelineFile, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::remote;
use crate::view::{Column, Kind, Table, View, how_many};

/// Check a pipeline on AWS: permissions (by trying them), clock, table, queues, bucket
#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    file: PipelineFile,
    /// Where the pipeline is deployed: s3://bucket/prefix/ of its store, or `aws`, which takes it from the variable
    /// ETALON_STAGING
    #[arg(long, value_name = "PLACE", default_value = "aws")]
    on: String,
    #[command(flatten)]
    written: Written,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Examined(Vec<Finding>);

impl Verb for Doctor {
    const NAME: &'static str = "doctor";
    type Found = Examined;

    fn carry_out(&self, output: Output) -> Result<Examined, Failure> {
        let (remote, _) = remote(&self.on, &self.file, output)?;
        Ok(Examined(remote.examine()))
    }
}

impl View for Examined {
    fn table(&self) -> Table {
        let mut table = Table::new(["", "what", "found"].map(|name| Column::new(name, Kind::Text)).to_vec());
        for Finding { what, is_well, found } in &self.0 {
            let mark = if *is_well { "well" } else { "NOT" };
            table.push([mark, what, found].map(|text| Some(text.to_owned())).to_vec());
        }
        table
    }

    /// Findings are sentences, and are not cut.
    fn page(&self) -> String {
        let width = self.0.iter().map(|finding| finding.what.len()).max().unwrap_or_default();
        let line = |Finding { what, is_well, found }: &Finding| {
            let mark = if *is_well { "well" } else { "NOT " };
            format!("{mark}  {what:<width$}  {found}\n")
        };
        self.0.iter().map(line).collect()
    }

    fn end(&self) -> Result<(), Failure> {
        match self.0.iter().filter(|finding| !finding.is_well).count() as u64 {
            0 => Ok(()),
            wrong => Err(Failure::environment(format!("{} not as it should be", how_many(wrong, "thing")))),
        }
    }
}
