//! `etalon query`: runs a SQL query in a warehouse; the query may only read.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use etalon_core::error::ErrorKind;
use etalon_driver::connection::Answer;
use serde::Serialize;

use super::Verb;
use crate::arguments::Written;
use crate::failure::Failure;
use crate::form::Form;
use crate::loaded::embedded_warehouse;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View, is_number};

/// Run a SQL query, which may only read
#[derive(Debug, Args)]
pub(super) struct Query {
    /// The warehouse, as for --to, or a pipeline file, which stands for the warehouse of its runs; leave it out with --to
    warehouse: String,
    /// The query; tables are named as in the pipeline file: analytics.orders
    sql: Option<String>,
    /// The warehouse: a SQLite file, or postgres://user@host/database with the password in PGPASSWORD
    #[arg(long, value_name = "WAREHOUSE")]
    to: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// What a query gives.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Rows(Table);

impl Verb for Query {
    const NAME: &'static str = "query";
    type Found = Rows;

    fn carry_out(&self, output: Output) -> Result<Rows, Failure> {
        // With --to, the one argument is the query.
        let (warehouse, sql) = match (&self.warehouse, &self.sql, &self.to) {
            (sql, None, Some(to)) => (to, sql),
            (warehouse, Some(sql), None) => (warehouse, sql),
            (_, None, None) => return Err(Failure::arguments("the warehouse or the query is missing".to_owned())),
            (..) => {
                return Err(Failure::arguments(
                    "the warehouse is named twice, by --to and before the query".to_owned(),
                ));
            }
        };
        let place = if crate::warehouse::is_url(warehouse) { warehouse.clone() } else { file(Path::new(warehouse))? };
        let answer = crate::warehouse::open(&place)?.query(sql).map_err(|error| match error.kind() {
            ErrorKind::Refused => Failure::environment(format!("the warehouse refuses the query: {error}")),
            _ => error.into(),
        })?;
        if output.form() == Form::Json
            && let Some(name) = repeated(&answer)
        {
            let failure = Failure::arguments(format!("two columns of the answer are named `{name}`"));
            return Err(failure.with_help("an object of JSON has each name once; give the columns names with `as`"));
        }
        Ok(Rows(table(answer)))
    }
}

/// The file of the warehouse. A pipeline file stands for the one that its runs fill.
fn file(given: &Path) -> Result<String, Failure> {
    let is_pipeline = given.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let path = if is_pipeline { embedded_warehouse(given) } else { given.to_owned() };
    if is_pipeline && !given.is_file() {
        return Err(Failure::environment(format!("{}: there is no such file", given.display())));
    }
    if !path.is_file() {
        let failure = Failure::environment(format!("{}: there is no warehouse", path.display()));
        return Err(failure.with_help("`etalon run` creates it"));
    }
    Ok(path.display().to_string())
}

/// The first name that two columns have.
fn repeated(answer: &Answer) -> Option<&str> {
    let mut seen = BTreeSet::new();
    answer.columns.iter().map(|column| column.name.as_str()).find(|name| !seen.insert(*name))
}

/// The answer with its columns' kinds. An expression has no declared type; it gives numbers if all its values are.
fn table(answer: Answer) -> Table {
    let kind = |at: usize| {
        let mut values = answer.rows.iter().filter_map(|row| row[at].as_deref()).peekable();
        if values.peek().is_some() && values.all(is_number) { Kind::Number } else { Kind::Text }
    };
    let columns = answer.columns.iter().enumerate();
    let columns =
        columns.map(|(at, column)| Column::new(column.name.as_str(), column.ty.map_or_else(|| kind(at), Kind::from)));
    let mut table = Table::new(columns.collect());
    answer.rows.into_iter().for_each(|row| table.push(row));
    table
}

impl View for Rows {
    fn table(&self) -> Table {
        self.0.clone()
    }
}
