//! `etalon cost`: what a pipeline costs on AWS in a month, from dated prices and what was measured.

use clap::Args;
use etalon_core::deploy::cost::{Estimate, Line, Usage};
use etalon_core::pipeline::Pipeline;
use serde::{Serialize, Serializer};

use super::Verb;
use crate::arguments::{PipelineFile, Written};
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View};

/// Estimate the price of a pipeline on AWS for a month: Lambda, S3, SQS, Redshift Serverless, CloudWatch, network
#[derive(Debug, Args)]
pub(super) struct Cost {
    #[command(flatten)]
    file: PipelineFile,
    /// Mebibytes that arrive in a day
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(..=1 << 30))]
    mib_per_day: u64,
    /// Objects that arrive in a day
    #[arg(long, value_name = "N", default_value_t = 96, value_parser = clap::value_parser!(u64).range(..=1 << 30))]
    objects_per_day: u64,
    /// Loads in a day; those of one minute count once
    #[arg(long, value_name = "N", default_value_t = 96, value_parser = clap::value_parser!(u64).range(..=86_400))]
    loads_per_day: u64,
    /// How long a load takes, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(..=86_400))]
    load_seconds: u64,
    /// Base capacity of Redshift Serverless; 0 for a warehouse that is paid for already
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(..=1024))]
    rpu: u64,
    /// Nodes of a cluster (ra3.large), in place of Redshift Serverless
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "rpu", value_parser = clap::value_parser!(u64).range(..=1000))]
    nodes: u64,
    /// Interface endpoints, times their zones
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1000))]
    endpoint_zones: u64,
    /// There is a NAT gateway
    #[arg(long)]
    nat: bool,
    /// Objects are encrypted with your own KMS key
    #[arg(long)]
    key: bool,
    /// The bucket has no key of its own: S3 asks KMS for the key of each object
    #[arg(long, requires = "key")]
    no_bucket_key: bool,
    #[command(flatten)]
    written: Written,
}

/// What it costs. As JSON it has the amounts as texts, with all their digits that matter.
#[derive(Debug)]
pub(super) struct Priced(Estimate);

impl Verb for Cost {
    const NAME: &'static str = "cost";
    type Found = Priced;

    fn carry_out(&self, _: Output) -> Result<Priced, Failure> {
        let text = self.file.read()?;
        let compiled = Pipeline::compile(&text);
        let (pipeline, _) =
            compiled.map_err(|diagnostics| Failure::pipeline(&self.file.pipeline, &text, &diagnostics))?;
        let usage = Usage {
            bytes_per_day: self.mib_per_day << 20,
            objects_per_day: self.objects_per_day,
            loads_per_day: self.loads_per_day,
            load_seconds: self.load_seconds,
            // A cluster takes the place of the default.
            rpu: if self.nodes > 0 { 0 } else { self.rpu },
            nodes: self.nodes,
            endpoint_zones: self.endpoint_zones,
            has_nat: self.nat,
            has_key: self.key,
            has_bucket_key: self.key && !self.no_bucket_key,
        };
        Ok(Priced(Estimate::new(&pipeline, &usage)))
    }
}

#[derive(Serialize)]
struct Document<'a> {
    lines: Table,
    usd: String,
    assumptions: &'a [String],
    advice: &'a [String],
    beside: &'a [String],
}

impl Serialize for Priced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Estimate { total, assumptions, advice, beside, .. } = &self.0;
        Document { lines: self.table(), usd: total.to_string(), assumptions, advice, beside }.serialize(serializer)
    }
}

impl View for Priced {
    fn table(&self) -> Table {
        let columns = [("service", Kind::Text), ("what", Kind::Text), ("quantity", Kind::Count), ("usd", Kind::Number)];
        let mut table = Table::new(columns.map(|(name, kind)| Column::new(name, kind)).into());
        for Line { service, what, quantity, usd } in &self.0.lines {
            let cells = [(*service).to_owned(), (*what).to_owned(), quantity.to_string(), usd.to_string()];
            table.push(cells.map(Some).into());
        }
        table
    }

    fn page(&self) -> String {
        let Estimate { total, assumptions, advice, beside, .. } = &self.0;
        let mut page = format!("{}\n{total} USD a month\n", self.table().text());
        for (title, sentences) in [
            ("Assumed", assumptions),
            ("What makes it expensive", advice),
            ("Reading, checking and staging, here and elsewhere", beside),
        ] {
            if !sentences.is_empty() {
                page += &format!("\n{title}:\n");
                page.extend(sentences.iter().map(|sentence| format!("- {sentence}\n")));
            }
        }
        page
    }
}
