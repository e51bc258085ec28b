//! `etalon check`: everything that is wrong with a pipeline file, before a byte is read.

mod database;
mod page;

use std::path::PathBuf;

use clap::Args;
use etalon_core::diagnostic::Diagnostic;
use etalon_core::types::Type;
use serde::{Serialize, Serializer};

use super::Verb;
use crate::arguments::{PipelineFile, Written};
use crate::failure::{Failure, Problem};
use crate::form::Form;
use crate::loaded::value;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View};
use crate::warehouse;

/// Check a pipeline file and say everything that is wrong with it
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    file: PipelineFile,
    /// Say too what a load would change in the table of this warehouse: a SQLite file, or postgres://user@host/database
    #[arg(long, value_name = "WAREHOUSE")]
    to: Option<String>,
    /// Ask the source: an API for its first page, and which fields its records have; a database for the types of its columns,
    /// and for what makes reading it slow or lets it miss rows
    #[arg(long)]
    connect: bool,
    #[command(flatten)]
    written: Written,
}

/// A pipeline file that was checked. As JSON it is the list of its diagnostics.
#[derive(Debug)]
pub(super) struct Checked {
    file: PathBuf,
    text: String,
    /// Mistakes, or only warnings.
    diagnostics: Vec<Diagnostic>,
    /// The columns of the table, if the file is valid: name, type, whether NULL is refused.
    columns: Option<Vec<(String, Type, bool)>>,
    /// What a load would change in the table.
    changes: Vec<String>,
    /// What the source says of itself.
    connected: Vec<String>,
}

impl Verb for Check {
    const NAME: &'static str = "check";
    type Found = Checked;

    fn carry_out(&self, output: Output) -> Result<Checked, Failure> {
        let text = self.file.read()?;
        let (diagnostics, columns, changes) = match self.file.compile(&text) {
            Ok((pipeline, _, warnings)) => {
                let changes = match &self.to {
                    Some(place) => warehouse::open_there(place)?.changes(pipeline.clone().resolve(value)?.table())?,
                    None => Vec::new(),
                };
                (warnings, Some(pipeline.columns()), changes)
            }
            Err(diagnostics) => (diagnostics, None, Vec::new()),
        };
        let connected = match (self.connect, &columns) {
            (true, Some(_)) => {
                let loaded = self.file.load(output)?;
                match loaded.source_database()? {
                    Some(database) => database::examine(&loaded, database)?,
                    None => page::first(&loaded)?,
                }
            }
            _ => Vec::new(),
        };
        Ok(Checked { file: self.file.pipeline.clone(), text, diagnostics, columns, changes, connected })
    }
}

impl Serialize for Checked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.diagnostics.iter().map(|one| Problem::of(one, &self.file, &self.text)))
    }
}

impl View for Checked {
    fn table(&self) -> Table {
        let kinds = [("column", Kind::Text), ("type", Kind::Text), ("required", Kind::Boolean)];
        let mut table = Table::new(kinds.map(|(name, kind)| Column::new(name, kind)).to_vec());
        for (name, ty, required) in self.columns.iter().flatten() {
            table.push(vec![Some(name.clone()), Some(ty.to_string()), Some(required.to_string())]);
        }
        table
    }

    fn page(&self) -> String {
        if self.columns.is_some() { self.table().text() } else { String::new() }
    }

    fn notes(&self) -> Vec<String> {
        if self.columns.is_none() {
            return Vec::new();
        }
        let warnings = self.diagnostics.iter().map(|one| Problem::of(one, &self.file, &self.text).told(Form::Table));
        let changes = self.changes.iter().map(|change| format!("a load would change the warehouse: {change}"));
        let valid = [format!("{}: valid", self.file.display())];
        warnings.chain(valid).chain(self.connected.iter().cloned()).chain(changes).collect()
    }

    fn end(&self) -> Result<(), Failure> {
        match self.columns {
            Some(_) => Ok(()),
            None => Err(Failure::pipeline(&self.file, &self.text, &self.diagnostics)),
        }
    }
}
