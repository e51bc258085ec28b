//! `etalon init`: writes a pipeline file to start from, made of what a source says about itself.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use etalon_core::source::connector::Connector;
use etalon_core::source::sketch;
use serde::Serialize;

use super::Verb;
use crate::arguments::Written;
use crate::failure::Failure;
use crate::input::database;
use crate::output::Output;
use crate::view::{Column, Kind, Table, View};

/// Write a pipeline file to start from: typed fields, key and target, from a connector manifest or a table of PostgreSQL, MySQL
/// or MariaDB
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The manifest of a connector
    #[arg(long, value_name = "MANIFEST", requires = "stream", conflicts_with = "from")]
    connector: Option<PathBuf>,
    /// The stream of the manifest, as `etalon connector ls` names it
    #[arg(long, value_name = "NAME")]
    stream: Option<String>,
    /// The database: postgres://user@host/database, with the password in PGPASSWORD, or mysql://user@host/database, in MYSQL_PWD
    #[arg(long, value_name = "URL", requires = "table", required_unless_present = "connector")]
    from: Option<String>,
    /// The table or view: schema.table or table
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// The file to write; it must not exist yet
    #[arg(long, value_name = "FILE", default_value = "pipeline.yaml")]
    to: PathBuf,
    #[command(flatten)]
    written: Written,
}

/// What was written.
#[derive(Debug, Serialize)]
pub(super) struct Begun {
    file: PathBuf,
}

impl Verb for Init {
    const NAME: &'static str = "init";
    type Found = Begun;

    fn carry_out(&self, _: Output) -> Result<Begun, Failure> {
        let text = match (&self.connector, &self.stream, &self.from, &self.table) {
            (Some(manifest), Some(stream), ..) => self.of_stream(manifest, stream)?,
            (_, _, Some(url), Some(table)) => of_table(url, table)?,
            _ => {
                return Err(Failure::arguments(
                    "--connector and --stream, or --from and --table, say what is read".to_owned(),
                ));
            }
        };
        let created = fs::OpenOptions::new().write(true).create_new(true).open(&self.to);
        created
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| Failure::file(&self.to, &error))?;
        Ok(Begun { file: self.to.clone() })
    }
}

impl Init {
    fn of_stream(&self, manifest: &Path, stream: &str) -> Result<String, Failure> {
        let text = fs::read_to_string(manifest).map_err(|error| Failure::file(manifest, &error))?;
        let connector =
            Connector::read(&text).map_err(|error| Failure::environment(format!("{}: {error}", manifest.display())))?;
        // Both are named from the pipeline file's folder.
        let is_beside = self.to.parent().is_none_or(|folder| folder == Path::new(""));
        let path = match is_beside {
            true => manifest.to_owned(),
            false => fs::canonicalize(manifest).map_err(|error| Failure::file(manifest, &error))?,
        };
        Ok(sketch::of_stream(&connector, &path.to_string_lossy(), stream)?)
    }
}

fn of_table(url: &str, table: &str) -> Result<String, Failure> {
    let (kind, mut source) = database(url)?;
    let (fields, key) = kind.fields(table, |statement| source.ask(statement))?;
    // A password is not written down.
    let shown = match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (user, place))) => {
            let (user, password) = user.split_once(':').map_or((user, ""), |(user, _)| (user, ":${PASSWORD}"));
            format!("{scheme}://{user}{password}@{place}")
        }
        None => url.to_owned(),
    };
    Ok(kind.of_table(&shown, table, fields, key))
}

impl View for Begun {
    fn table(&self) -> Table {
        let mut table = Table::new(vec![Column::new("file", Kind::Text)]);
        table.push(vec![Some(self.file.display().to_string())]);
        table
    }

    fn notes(&self) -> Vec<String> {
        vec![format!("look at it, then `etalon check {}`", self.file.display())]
    }
}
