//! `etalon query`: SQL put to a warehouse, read-only.

use std::path::Path;

use clap::Args;
use etalon_core::error::ErrorKind;
use etalon_driver::cases::csv_line;
use etalon_warehouse::{Answer, Connected};

use crate::failure::Failure;
use crate::output::{Form, Output, table};

#[derive(Debug, Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Arguments {
    /// The warehouse: a SQLite file, a URL as of --to, or a pipeline file whose runs filled a SQLite file
    #[arg(required_unless_present = "to")]
    warehouse: Option<String>,
    /// The query; tables are written as in the pipeline file: analytics.orders
    sql: String,
    /// The warehouse, as `etalon run` takes it: a SQLite file, or postgres://user@host/database
    #[arg(long)]
    to: Option<String>,
    /// How to write the rows
    #[arg(long, value_enum, default_value = "table")]
    output: Form,
}

pub(crate) fn run(arguments: &Arguments, output: &mut Output) -> Result<(), Failure> {
    let given = arguments.to.as_ref().or(arguments.warehouse.as_ref()).map(String::as_str).unwrap_or_default();
    let place = if Connected::is_url(given) { given.to_owned() } else { file(Path::new(given))? };
    let answer = Connected::open(&place)?.query(&arguments.sql).map_err(|error| match error.kind() {
        ErrorKind::Refused => Failure::World(format!("the query is refused: {error}")),
        _ => error.into(),
    })?;
    output.data(&written(&answer, arguments.output)?)
}

/// The file of the warehouse. A pipeline file stands for the one that its runs fill.
fn file(given: &Path) -> Result<String, Failure> {
    let is_pipeline = given.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let path = if is_pipeline {
        let folder = given.parent().unwrap_or_else(|| Path::new(""));
        folder.join(super::STATE_FOLDER).join(super::WAREHOUSE_FILE)
    } else {
        given.to_owned()
    };
    if !path.is_file() {
        return Err(Failure::World(format!("{}: there is no warehouse; `etalon run` makes it", path.display())));
    }
    Ok(path.display().to_string())
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
