//! `etalon connector read`: one stream of a manifest, from its server into a file of JSON Lines that a pipeline then loads.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::source::connector::{Bounds, Connector};
use etalon_driver::land;
use etalon_driver::local::{LocalDisk, SystemClock, chance};
use etalon_driver::ports::Clock;
use etalon_http::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::arguments::Written;
use crate::failure::Failure;
use crate::loaded::STATE_FOLDER;
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
    /// The file to write, one record a line; it must not exist yet
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
    /// What somebody should look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// How far a stream was read, and whose state that is: it means nothing of another stream, server or account.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    stream: String,
    /// The hosts that are asked.
    hosts: Vec<String>,
    /// The configuration without its secrets, as a digest.
    config: String,
    state: Value,
}

impl Verb for Read {
    const NAME: &'static str = "read";
    type Found = Stream;

    fn carry_out(&self, _: Output) -> Result<Stream, Failure> {
        self.names_four_files()?;
        let text = fs::read_to_string(&self.manifest).map_err(|error| Failure::file(&self.manifest, &error))?;
        let connector = Connector::read(&text)
            .map_err(|error| Failure::environment(format!("{}: {error}", self.manifest.display())))?;
        let config = match &self.config {
            Some(path) => document(path)?,
            None => Value::Object(serde_json::Map::new()),
        };
        let lacking: Vec<String> = connector.lacking(&config).iter().map(|name| format!("`{name}`")).collect();
        if !lacking.is_empty() {
            let message =
                format!("the configuration lacks {}, which the manifest's specification requires", lacking.join(", "));
            return Err(Failure::environment(message).with_help("give a file of JSON that has it with --config"));
        }
        let mut notes = Vec::new();
        let kept = match self.state.as_deref().filter(|path| path.exists()) {
            Some(path) => Some((path, document(path)?)),
            None => None,
        };
        let (state, whose) = match &kept {
            None => (None, None),
            Some((path, document)) => match State::deserialize(document) {
                Ok(kept) => (Some(kept.state.clone()), Some((*path, kept))),
                Err(_) => {
                    let path = path.display();
                    notes.push(format!("{path}: the state does not say whose it is, and was taken for this stream's"));
                    (Some(document.clone()), None)
                }
            },
        };
        let config_identity = connector.config_identity(&config);
        if self.to.exists() {
            let failure = Failure::environment(format!("{}: there is such a file", self.to.display()));
            return Err(failure.with_help(
                "each reading gets a file of its own, so that no records are lost; give --to another name",
            ));
        }
        let bounds = Bounds { is_private_allowed: self.allow_private, ..Bounds::default() };
        let clock = SystemClock;
        let mut walk = connector.walk(&self.stream, config, state.as_ref(), bounds, clock.now(), chance())?;
        let hosts: Vec<String> = walk.hosts().map(ToOwned::to_owned).collect();
        if let Some((path, kept)) = whose {
            kept.must_be_of(path, &self.stream, &hosts, &config_identity)?;
        }
        // Where a run in this folder keeps them, too.
        let tokens = LocalDisk::new(STATE_FOLDER);
        let mut records = Records::create(&self.to)?;
        let (mut pages, mut count) = (0, 0);
        let mut client = Client::new(self.allow_private);
        let walked = land::walk(&mut walk, &mut client, &tokens, &clock, |page| {
            pages += 1;
            for record in &page.records {
                count += 1;
                records.push(record)?;
            }
            Ok(())
        });
        pollster::block_on(walked).map_err(|error| {
            let error = walk.mask(&error);
            let is_private = error.to_string().contains("of a private network");
            match Failure::from(error) {
                failure if is_private => failure.with_help("--allow-private lets the manifest ask such addresses"),
                failure => failure,
            }
        })?;
        // The records are there before it is said that they are.
        records.finish()?;
        if let Some(path) = &self.state {
            let mut file = Records::create(path)?;
            let (stream, state) = (self.stream.clone(), walk.state());
            file.push(&json!(State { stream, hosts, config: config_identity, state }))?;
            file.finish()?;
        }
        notes.extend(walk.notes().iter().cloned());
        Ok(Stream { stream: self.stream.clone(), file: self.to.clone(), pages, records: count, notes })
    }
}

impl Read {
    /// What is read is not written over, nor one file that is written over the other.
    fn names_four_files(&self) -> Result<(), Failure> {
        let config = self.config.iter().map(|path| ("--config", path));
        let state = self.state.iter().map(|path| ("--state", path));
        let all = [("the manifest", &self.manifest), ("--to", &self.to)].into_iter().chain(config).chain(state);
        let mut seen: Vec<(&str, PathBuf)> = Vec::new();
        for (what, path) in all {
            let path = resolved(path);
            if let Some((other, _)) = seen.iter().find(|(_, seen)| *seen == path) {
                let message = format!("{other} and {what} are one file, {}; each is a file of its own", path.display());
                return Err(Failure::arguments(message));
            }
            seen.push((what, path));
        }
        Ok(())
    }
}

impl State {
    /// Refuses the state of something else, behind whose end this stream may have records that were never read.
    fn must_be_of(&self, path: &Path, stream: &str, hosts: &[String], config: &str) -> Result<(), Failure> {
        let what = if self.stream != stream {
            format!("of the stream `{}`", self.stream)
        } else if self.hosts != hosts {
            format!("of another server, {}", self.hosts.join(", "))
        } else if self.config != config {
            "of another configuration".to_owned()
        } else {
            return Ok(());
        };
        Err(Failure::environment(format!("{}: the state is {what}", path.display())).with_help(
            "give --state another name, and the stream is read from its beginning; where it is the same data, what stands in the \
             file below `state` may stand there alone",
        ))
    }
}

/// The file that a path leads to, whether it is there or not.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    path.file_name().map_or_else(|| path.to_owned(), |name| folder.join(name))
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
    /// The line that is written, for the next one to use its room.
    line: Vec<u8>,
}

impl Records {
    fn create(path: &Path) -> Result<Self, Error> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let beside = path.with_file_name(name);
        let file = fs::File::create(&beside).map_err(|error| failed(&beside, &error))?;
        Ok(Self { path: path.to_owned(), beside, file: std::io::BufWriter::new(file), line: Vec::new() })
    }

    fn push(&mut self, record: &Value) -> Result<(), Error> {
        self.line.clear();
        land::push_line(&mut self.line, record);
        self.file.write_all(&self.line).map_err(|error| failed(&self.beside, &error))
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

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
