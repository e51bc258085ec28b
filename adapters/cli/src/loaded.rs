//! Loaded: a pipeline file that was read and checked, with the files beside it.

use std::fs;
use std::path::{Component, Path, PathBuf};

use etalon_core::diagnostic::{Code, Diagnostic, Severity};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::{Pipeline, Placeholder, Resolved};
use etalon_core::plan::{Object, identity};
use etalon_core::source::Location;
use etalon_core::source::connector::Connector;
use etalon_core::spec::Text;
use etalon_driver::home;
use etalon_driver::local::LocalDisk;

use crate::arguments::{Destination, PipelineFile, Source};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Bar;
use crate::warehouse::{self, AnyConnection};

/// The folder, beside a pipeline file, in which runs keep plans, receipts, quarantine and the embedded warehouse.
pub(crate) const STATE_FOLDER: &str = ".etalon";
/// The embedded warehouse in it.
const WAREHOUSE_FILE: &str = "warehouse.db";

/// A pipeline file that was read and checked.
pub(crate) struct Loaded {
    /// What it says.
    pub(crate) text: String,
    /// What it means.
    pub(crate) pipeline: Resolved,
    /// The folder that its relative paths start from.
    pub(crate) folder: PathBuf,
    /// The connector of its source, if that is an API.
    pub(crate) connector: Option<Connector>,
}

impl PipelineFile {
    /// The text of the file.
    pub(crate) fn read(&self) -> Result<String, Failure> {
        let path = &self.pipeline;
        let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
        String::from_utf8(bytes).map_err(|error| Failure::no_text(path, error.utf8_error().valid_up_to()))
    }

    /// Checks the file, and with it the manifest that it names. Returns the pipeline, the connector of its source, and warnings;
    /// or every mistake.
    pub(crate) fn compile(
        &self,
        text: &str,
    ) -> Result<(Pipeline, Option<Connector>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let (pipeline, mut warnings) = Pipeline::compile(text)?;
        let Some(api) = pipeline.location().api() else { return Ok((pipeline, None, warnings)) };
        let folder = folder_of(&self.pipeline);
        let read = |path: &str| {
            let read = fs::read_to_string(folder.join(path));
            read.map_err(|error| Error::new(ErrorKind::NotFound, format!("{path}: {error}")))
        };
        let connector = api.connector(read).map_err(|error| {
            let span = api.file().map(|file| file.span).unwrap_or_default();
            vec![Diagnostic::error(Code::WrongValue, span, error.to_string())]
        })?;
        warnings.extend(pipeline.check_manifest(&connector));
        match warnings.iter().any(|one| one.severity == Severity::Error) {
            true => Err(warnings),
            false => Ok((pipeline, Some(connector), warnings)),
        }
    }

    /// Reads and checks the file; that there are warnings is told, mistakes are the failure.
    pub(crate) fn checked(&self, output: Output) -> Result<(String, Pipeline, Option<Connector>), Failure> {
        let (path, text) = (&self.pipeline, self.read()?);
        let (pipeline, connector, warnings) =
            self.compile(&text).map_err(|diagnostics| Failure::pipeline(path, &text, &diagnostics))?;
        match warnings.len() {
            0 => {}
            1 => output.note(&format!("{}: 1 warning, which `etalon check` shows", path.display())),
            n => output.note(&format!("{}: {n} warnings, which `etalon check` shows", path.display())),
        }
        Ok((text, pipeline, connector))
    }

    /// The same, with the values of its placeholders from the environment.
    pub(crate) fn load(&self, output: Output) -> Result<Loaded, Failure> {
        let (text, pipeline, connector) = self.checked(output)?;
        Ok(Loaded { text, pipeline: pipeline.resolve(value)?, folder: folder_of(&self.pipeline), connector })
    }
}

impl Source {
    /// The objects to read: those of `--from`, relative to where the command was called, or the pipeline's.
    pub(crate) fn objects(&self, loaded: &Loaded, output: Output) -> Result<(LocalDisk, Vec<Object>), Failure> {
        let (patterns, start): (Vec<String>, &Path) = match loaded.pipeline.location() {
            _ if !self.from.is_empty() => (self.from.clone(), Path::new(".")),
            Location::Files(files) => {
                let pattern = |file: &Text| Ok::<_, Failure>(file.fill(value)?.reveal().to_owned());
                (files.iter().map(pattern).collect::<Result<_, _>>()?, &loaded.folder)
            }
            elsewhere => {
                let message = format!("the source is in `{}`, which this command does not reach", elsewhere.kind());
                return Err(Failure::environment(message).with_help("name files with --from"));
            }
        };
        // A file is named from the pipeline file's folder, however it is spelt.
        let disk = LocalDisk::new(&loaded.folder);
        let bar = Bar::drawn(output);
        let objects = disk.find(start, &patterns, &bar);
        bar.clear();
        let objects = objects?;
        let pipeline = disk.name_of(&self.file.pipeline)?;
        for Object { name, .. } in &objects {
            let file = disk.file_of(name)?.unwrap_or_else(|| name.clone());
            let what = match file {
                file if file == pipeline => "the pipeline file itself",
                file if file.split('/').any(|part| part == STATE_FOLDER) => "what Etalon keeps for its runs",
                _ => continue,
            };
            let message = format!("{}: this is {what}, which is never a source", disk.path(name).display());
            return Err(Failure::environment(message).with_help("name the files more closely, by `*.csv`, say"));
        }
        if objects.is_empty() {
            return Err(Failure::environment(format!("no file matches {}", patterns.join(", "))));
        }
        Ok((disk, objects))
    }
}

impl Destination {
    /// Opens the warehouse that was asked for, or the embedded one of the state folder.
    pub(crate) fn open(&self, state: &Path) -> Result<AnyConnection, Failure> {
        if let Some(place) = &self.to {
            return Ok(warehouse::open(place)?);
        }
        fs::create_dir_all(state).map_err(|error| Failure::file(state, &error))?;
        Ok(warehouse::open_file(&state.join(WAREHOUSE_FILE))?)
    }

    /// Opens the warehouse where there is one: to look creates nothing.
    pub(crate) fn open_there(&self, state: &Path) -> Result<Option<AnyConnection>, Error> {
        let place = self.place(state);
        let is_there = warehouse::is_url(&place) || Path::new(&place).is_file();
        is_there.then(|| warehouse::open(&place)).transpose()
    }

    /// Where the warehouse is, or would be.
    pub(crate) fn place(&self, state: &Path) -> String {
        self.to.clone().unwrap_or_else(|| state.join(WAREHOUSE_FILE).to_string_lossy().into_owned())
    }
}

impl Loaded {
    /// The state folder of the pipeline.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join(STATE_FOLDER)
    }

    /// What files are called in summaries, however they are spelt: by the way from the pipeline file's folder.
    pub(crate) fn named(&self, files: &[String]) -> Vec<String> {
        let disk = LocalDisk::new(&self.folder);
        let named = |file: &String| match Path::new(file) {
            path if path.is_absolute() => disk.name_of(path).unwrap_or_else(|_| file.clone()),
            path => plain(path),
        };
        files.iter().map(named).collect()
    }

    /// What runs of the pipeline keep: a folder for each warehouse, so that no two share what is loaded. That of the embedded
    /// one is the state folder itself.
    fn disk(&self, destination: &Destination) -> LocalDisk {
        let state = self.state();
        let embedded = address(&state.join(WAREHOUSE_FILE).to_string_lossy());
        let other = destination.to.as_ref().map(|place| address(place)).filter(|place| *place != embedded);
        LocalDisk::new(match other {
            Some(place) => state.join("to").join(identity("warehouse", &[&place])),
            None => state,
        })
    }

    /// The part of it that is about the pipeline's table, to be looked at.
    pub(crate) fn store(&self, destination: &Destination) -> Result<LocalDisk, Error> {
        pollster::block_on(home::store_of(self.disk(destination), &self.pipeline))
    }

    /// The same for a run.
    pub(crate) fn store_for_run(&self, destination: &Destination) -> Result<LocalDisk, Error> {
        pollster::block_on(home::store_for_run(self.disk(destination), &self.pipeline))
    }
}

/// A relative path without detours.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain.to_string_lossy().into_owned()
}

/// A warehouse's place, however it is spelt, and without a password.
fn address(place: &str) -> String {
    if let Some((scheme, rest)) = place.split_once("://") {
        let (server, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = server.rsplit_once('@').unwrap_or(("", server));
        let user = user.split(':').next().unwrap_or_default();
        return format!("{scheme}://{user}@{host}/{}", database.split('?').next().unwrap_or_default());
    }
    let path = Path::new(place);
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or_else(|| Path::new("."));
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    folder.join(path.file_name().unwrap_or_default()).to_string_lossy().into_owned()
}

/// The embedded warehouse that runs of a pipeline file fill.
pub(crate) fn embedded_warehouse(pipeline: &Path) -> PathBuf {
    folder_of(pipeline).join(STATE_FOLDER).join(WAREHOUSE_FILE)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The value of a `${NAME}` of the pipeline file, from the environment.
pub(crate) fn value(asked: Placeholder<'_>) -> Result<String, Failure> {
    match asked {
        Placeholder::Secret(_) => Err(Failure::environment(format!("{asked}: this command has no secrets to resolve"))),
        Placeholder::Variable(name) => std::env::var(name)
            .map_err(|_| Failure::environment(format!("{asked}: the environment has no variable {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_warehouse_has_one_store_however_it_is_spelt() {
        let loaded = |to: &str| address(to);
        assert_eq!(loaded("postgres://u:secret@h:1/d?sslmode=disable"), loaded("postgres://u@h:1/d"));
        assert_ne!(loaded("postgres://u@h:1/d"), loaded("postgres://u@h:1/e"));
        assert_eq!(loaded("./w.db"), loaded("w.db"));
        assert_ne!(loaded("v.db"), loaded("w.db"));
    }

    #[test]
    fn a_file_is_named_as_it_is_however_it_is_spelt() {
        let named = |file: &str| plain(Path::new(file));
        assert_eq!([named("./p.csv"), named("in//p.csv"), named("in/../p.csv")], ["p.csv", "in/p.csv", "p.csv"]);
        assert_eq!([named("../in/./p.csv"), named("../../p.csv")], ["../in/p.csv", "../../p.csv"]);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("p.csv"), "").unwrap();
        let absolute = folder.path().join("p.csv");
        assert_eq!(LocalDisk::new(folder.path()).name_of(&absolute).unwrap(), "p.csv");
    }

    #[test]
    fn placeholders_are_resolved_from_the_environment() {
        assert_eq!(value(Placeholder::Variable("PATH")).unwrap(), std::env::var("PATH").unwrap());
        assert!(value(Placeholder::Variable("ETALON_NO_SUCH_VARIABLE")).is_err());
        assert!(value(Placeholder::Secret("key")).is_err());
    }
}
