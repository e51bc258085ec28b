//! `etalon query`: SQL put to the embedded warehouse, read-only.

use std::path::{Path, PathBuf};

use clap::Args;
use etalon_core::error::ErrorKind;
use etalon_driver::cases::csv_line;
use etalon_warehouse::{Answer, Sqlite};

use crate::failure::Failure;
use crate::output::{Form, Output, table};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The warehouse: a SQLite file, or a pipeline file whose runs filled one
    warehouse: PathBuf,
    /// The query; tables are written as in the pipeline file: analytics.orders
    sql: String,
    /// How to write the rows
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let path = file(&arguments.warehouse);
    if !path.is_file() {
        return Err(Failure::World(format!("{}: there is no warehouse; `etalon run` makes it", path.display())));
    }
    let answer = Sqlite::open(&path)?.query(&arguments.sql).map_err(|error| match error.kind() {
        ErrorKind::Refused => Failure::World(format!("the query is refused: {error}")),
        _ => error.into(),
    })?;
    output.data(&written(&answer, arguments.output)?)
}

/// A pipeline file stands for the warehouse that its runs fill.
fn file(given: &Path) -> PathBuf {
    let is_pipeline = given.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    if !is_pipeline {
        return given.to_owned();
    }
    let folder = given.parent().unwrap_or_else(|| Path::new(""));
    folder.join(super::STATE_FOLDER).join(super::WAREHOUSE_FILE)
}

fn written(answer: &Answer, form: Form) -> Result<String, Failure> {
    let header: Vec<String> = answer.columns.iter().map(|column| column.name.clone()).collect();
    Ok(match form {
        Form::Table => {
            // Numbers line up on the right; a column without a declared type is one if all its values are.
            let numeric: Vec<bool> = answer
                .columns
                .iter()
                .enumerate()
                .map(|(position, column)| match column.ty {
                    Some(ty) => ty.is_number(),
                    None => answer.rows.iter().filter_map(|row| row[position].as_ref()).all(|text| is_number(text)),
                })
                .collect();
            table(&header, &numeric, &answer.rows)
        }
        Form::Csv => {
            let header: Vec<Option<String>> = header.into_iter().map(Some).collect();
            std::iter::once(&header).chain(&answer.rows).map(|row| csv_line(row)).collect()
        }
        Form::Json => {
            let rows: Vec<serde_json::Map<String, serde_json::Value>> = answer
                .rows
                .iter()
                .map(|row| header.iter().cloned().zip(row.iter().cloned().map(Into::into)).collect())
                .collect();
            let mut text = serde_json::to_string_pretty(&rows).map_err(|error| Failure::World(error.to_string()))?;
            text.push('\n');
            text
        }
    })
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}
