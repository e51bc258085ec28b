//! `etalon connector read`: one stream of a manifest, from its server into a file of JSON Lines that a pipeline then loads.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::source::connector::{Bounds, Connector};
use etalon_driver::land;
use etalon_driver::local::SystemClock;
use etalon_driver::ports::Clock;
use etalon_http::Client;
use serde::Serialize;
use serde_json::Value;

use crate::arguments::Written;
use crate::failure::Failure;
use crate::input::chance;
use crate::output::Output;
use crate::verbs::Verb;
use crate::view::{Column, Kind, Table, View};

/// Read a stream of a connector from its server into a file of JSON Lines
#[derive(Debug, Args)]
pub(super) struct Read {
    /// The manifest: a declarative connector in YAML
    #[arg(value_name = "MANIFEST")]
    manifest: PathBuf,
    /// The stream, as `etalon connector ls` names it
    #[arg(value_name = "STREAM")]
    stream: String,
    /// A file of JSON with what the manifest's specification asks for
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The file to write, a record a line; it must not be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// A file of JSON with how far the stream was read: read first if it is there, and written when the records are
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Let the manifest ask this machine and private networks
    #[arg(long)]
    allow_private: bool,
    #[command(flatten)]
    written: Written,
}

/// What was read.
#[derive(Debug, Serialize)]
pub(super) struct Stream {
    stream: String,
    file: PathBuf,
    pages: u64,
    records: u64,
}

impl Verb for Read {
    const NAME: &'static str = "read";
    type Found = Stream;

    fn carry_out(&self, _: Output) -> Result<Stream, Failure> {
        let text = fs::read_to_string(&self.manifest).map_err(|error| Failure::file(&self.manifest, &error))?;
        let connector = Connector::read(&text)
            .map_err(|error| Failure::environment(format!("{}: {error}", self.manifest.display())))?;
        let config = match &self.config {
            Some(path) => document(path)?,
            None => Value::Object(serde_json::Map::new()),
        };
        let state = self.state.as_deref().filter(|path| path.exists()).map(document).transpose()?;
        if self.to.exists() {
            let failure = Failure::environment(format!("{}: there is such a file", self.to.display()));
            return Err(failure.with_help(
                "each reading gets a file of its own, so that no records are lost; give --to another name",
            ));
        }
        let bounds = Bounds { is_private_allowed: self.allow_private, ..Bounds::default() };
        let clock = SystemClock;
        let mut walk = connector.walk(&self.stream, config, state.as_ref(), bounds, clock.now(), chance())?;
        let mut records = Records::create(&self.to)?;
        let (mut pages, mut count) = (0, 0);
        land::walk(&mut walk, &mut Client::new(self.allow_private), &clock, |page| {
            pages += 1;
            for record in &page.records {
                count += 1;
                records.push(record)?;
            }
            Ok(())
        })?;
        // The records are there before it is said that they are.
        records.finish()?;
        if let Some(path) = &self.state {
            let mut file = Records::create(path)?;
            file.push(&walk.state())?;
            file.finish()?;
        }
        Ok(Stream { stream: self.stream.clone(), file: self.to.clone(), pages, records: count })
    }
}

fn document(path: &Path) -> Result<Value, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    // The text is not quoted: it may hold secrets.
    serde_json::from_str(&text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::environment(format!("{}: no JSON at {place}", path.display()))
    })
}

/// A file of JSON Lines. It is written beside its name, and takes the name when it is whole.
struct Records {
    path: PathBuf,
    beside: PathBuf,
    file: std::io::BufWriter<fs::File>,
}

impl Records {
    fn create(path: &Path) -> Result<Self, Error> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let beside = path.with_file_name(name);
        let file = fs::File::create(&beside).map_err(|error| failed(&beside, &error))?;
        Ok(Self { path: path.to_owned(), beside, file: std::io::BufWriter::new(file) })
    }

    fn push(&mut self, record: &Value) -> Result<(), Error> {
        writeln!(self.file, "{record}").map_err(|error| failed(&self.beside, &error))
    }

    fn finish(self) -> Result<(), Error> {
        let file = self.file.into_inner().map_err(|error| failed(&self.beside, error.error()))?;
        file.sync_all().map_err(|error| failed(&self.beside, &error))?;
        fs::rename(&self.beside, &self.path).map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{}: {error}", path.display()))
}

impl View for Stream {
    fn table(&self) -> Table {
        let kinds = [("stream", Kind::Text), ("file", Kind::Text), ("pages", Kind::Count), ("records", Kind::Count)];
        let mut table = Table::new(kinds.map(|(name, kind)| Column::new(name, kind)).into());
        let texts =
            [self.stream.clone(), self.file.display().to_string(), self.pages.to_string(), self.records.to_string()];
        table.push(texts.map(Some).into());
        table
    }
}
