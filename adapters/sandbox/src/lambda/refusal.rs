//! Refusal: what a function says when it cannot begin, for the tests of the functions.

use std::path::PathBuf;

use etalon_core::deploy::PIPELINE_FILE;
use etalon_core::error::{Error, ErrorKind};

use super::{Failure, FailureKind, Function, Invoked, Settings, Trace};

/// What a function logs as the error that it cannot begin with, when it is deployed with a pipeline file and settings;
/// empty if it begins. Paths are told from the folder that the file lies in.
pub fn refusal(program: impl Into<PathBuf>, pipeline: &str, settings: &[(&str, &str)]) -> Result<String, Error> {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let function = Function::new(Settings {
        files: [(PIPELINE_FILE.to_owned(), pipeline.as_bytes().to_vec())].into(),
        environment: settings.iter().map(text).collect(),
        ..Settings::new("refusal", program)
    })?;
    let unavailable = |error: std::io::Error| Error::new(ErrorKind::Unavailable, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unavailable)?;
    let outcome = runtime.block_on(function.invoke("{}", &Trace::default()));
    if !matches!(outcome, Ok(Invoked { result: Err(Failure { kind: FailureKind::Exit, .. }), .. })) {
        return Ok(String::new());
    }
    let lines = function.log();
    let events = lines.iter().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let error = events.filter_map(|event| Some(event.get("error")?.as_str()?.to_owned())).next();
    Ok(error.unwrap_or_default().replace(&format!("{}/", function.task_root.path().display()), ""))
}
