//! Arguments: arguments that several verbs have, declared once.

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use etalon_core::value::datetime::{Fraction, parse_timestamptz};

use crate::form::Form;

#[derive(Debug, Args)]
pub(crate) struct PipelineFile {
    /// The pipeline file
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Source {
    #[command(flatten)]
    pub(crate) file: PipelineFile,
    /// Files to read in place of the pipeline's source: paths or globs
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Destination {
    /// The warehouse: a SQLite file, or postgres://user@host/database with the password in PGPASSWORD; warehouse.db in the
    /// folder .etalon beside the pipeline file, if not given
    #[arg(long, value_name = "WAREHOUSE")]
    pub(crate) to: Option<String>,
    /// Where the pipeline is deployed, if it does not run here: s3://bucket/prefix/ of its store, or `aws`, which takes it from
    /// the variable ETALON_STAGING
    #[arg(long, value_name = "PLACE", conflicts_with = "to")]
    pub(crate) on: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Work {
    /// The value of batch_time(): a timestamp with its offset; by default the time of the first run over an input
    #[arg(long, value_name = "TIMESTAMP", value_parser = batch_time)]
    pub(crate) batch_time: Option<i64>,
    /// The number of threads; by default the machine's cores
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) threads: Option<NonZero<usize>>,
}

#[derive(Debug, Args)]
pub(crate) struct Written {
    /// How to write the result
    #[arg(long, value_enum, default_value = "table", value_name = "FORM")]
    pub(crate) output: Form,
}

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Only rejects of this input
    #[arg(long, value_name = "INPUT")]
    pub(crate) source: Option<String>,
    /// Only rejects whose reason starts with this text: R301, or "R301 column price"
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

/// A number from 1.
pub(crate) fn at_least_one(text: &str) -> Result<NonZero<usize>, String> {
    let number: usize = text.parse().map_err(|_| "it is not a whole number".to_owned())?;
    NonZero::new(number).ok_or_else(|| "it must be at least 1".to_owned())
}

/// Microseconds since 1970.
fn batch_time(text: &str) -> Result<i64, String> {
    parse_timestamptz(text.as_bytes(), Fraction::Exact, true).map_err(|fault| fault.message.into_string())
}
