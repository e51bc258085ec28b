//! The verbs, a file each, and what several of them do alike.

use std::fs;
use std::path::{Path, PathBuf};

use etalon_core::pipeline::Pipeline;
use etalon_core::plan::Object;
use etalon_core::spec::Location;
use etalon_driver::local::LocalDisk;
use etalon_driver::placeholder;
use etalon_warehouse::{Connected, Sqlite};

use crate::failure::Failure;
use crate::output::Output;

pub(crate) mod check;
pub(crate) mod preview;
pub(crate) mod held;
pub(crate) mod query;
pub(crate) mod rejects;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod schema;
pub(crate) mod stage;
pub(crate) mod test;

/// The folder, beside a pipeline file, in which runs keep plans, receipts, quarantine and the embedded warehouse.
const STATE_FOLDER: &str = ".etalon";
/// The embedded warehouse in it.
const WAREHOUSE_FILE: &str = "warehouse.db";

/// A pipeline file that was read and checked.
struct Loaded {
    text: String,
    pipeline: Pipeline,
    /// The folder that its relative paths start from.
    folder: PathBuf,
}

/// Reads and checks a pipeline file; warnings are told, mistakes are the failure.
fn load(path: &Path, output: &mut Output) -> Result<Loaded, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Pipeline(format!("error: {}: not UTF-8 at byte {at}", path.display()))
    })?;
    match Pipeline::compile(&text) {
        Ok((mut pipeline, warnings)) => {
            let table = &mut pipeline.table;
            for name in table.schema.iter_mut().chain([&mut table.name]) {
                *name = resolve(name)?;
            }
            for warning in &warnings {
                output.note(&warning.render(&path.display().to_string(), &text));
            }
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder.to_owned(),
                _ => PathBuf::from("."),
            };
            Ok(Loaded { text, pipeline, folder })
        }
        Err(diagnostics) => Err(Failure::pipeline(path, &text, &diagnostics)),
    }
}

impl Loaded {
    /// The objects to read: those of `from` (paths or globs relative to where the command was called), or the pipeline's.
    fn objects(&self, from: &[String]) -> Result<(LocalDisk, Vec<Object>), Failure> {
        let (disk, patterns) = match &self.pipeline.location {
            _ if !from.is_empty() => (LocalDisk::new("."), from.to_vec()),
            Location::Files(files) => {
                let patterns = files.iter().map(|file| resolve(&file.text)).collect::<Result<_, _>>()?;
                (LocalDisk::new(&self.folder), patterns)
            }
            Location::S3(prefix) => {
                return Err(Failure::World(format!(
                    "the source is {}, which this command does not reach; give files with --from",
                    prefix.text
                )));
            }
        };
        let objects = disk.find(&patterns)?;
        if objects.is_empty() {
            return Err(Failure::World(format!("no file matches {}", patterns.join(", "))));
        }
        Ok((disk, objects))
    }

    /// The state folder of the pipeline.
    fn state(&self) -> PathBuf {
        self.folder.join(STATE_FOLDER)
    }
}

/// A text of the pipeline file with its `${NAME}` taken from the environment.
fn resolve(text: &str) -> Result<String, Failure> {
    placeholder::resolve(text, |name| match name.strip_prefix("secret:") {
        Some(_) => Err(Failure::World(format!("${{{name}}}: this command has no secrets to resolve"))),
        None => std::env::var(name)
            .map_err(|_| Failure::World(format!("${{{name}}}: the environment has no variable {name}"))),
    })
}

/// Opens the warehouse that was asked for, or the embedded one of the state folder.
fn open_warehouse(to: Option<&str>, state: &Path) -> Result<Connected, Failure> {
    if let Some(place) = to {
        return Ok(Connected::open(place)?);
    }
    fs::create_dir_all(state).map_err(|error| Failure::file(state, &error))?;
    Ok(Connected::Sqlite(Sqlite::open(&state.join(WAREHOUSE_FILE))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_resolved_from_the_environment() {
        let path = std::env::var("PATH").unwrap();
        assert_eq!(resolve("x/${PATH}/y").unwrap(), format!("x/{path}/y"));
        assert!(resolve("${ETALON_NO_SUCH_VARIABLE}").is_err());
        assert!(resolve("${secret:key}").is_err());
    }
}
