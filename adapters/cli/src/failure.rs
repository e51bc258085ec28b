//! Failure: why a command did not do what was asked, and the exit code that says so.

use std::path::Path;

use etalon_core::diagnostic::Diagnostic;
use etalon_core::error::Error;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was done, and the result is not as wanted; everything has been said.
    Unwanted,
    /// The pipeline is wrong: its diagnostics, rendered.
    Pipeline(String),
    /// The world is wrong.
    World(String),
}

impl Failure {
    /// The failure of a pipeline file.
    pub(crate) fn pipeline(path: &Path, source: &str, diagnostics: &[Diagnostic]) -> Self {
        let file = path.display().to_string();
        let shown: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.render(&file, source)).collect();
        Self::Pipeline(shown.join("\n"))
    }

    /// The failure of a file.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::World(format!("{}: {error}", path.display()))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Unwanted => 1,
            Self::Pipeline(_) => 2,
            Self::World(_) => 3,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::World(error.to_string())
    }
}
