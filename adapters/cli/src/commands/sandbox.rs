//! `etalon sandbox`: the whole path on this machine. It is a program of its own beside this one, because it brings the
//! cloud's libraries along, which nobody else here needs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;

use crate::failure::Failure;

/// The program.
const PROGRAM: &str = "etalon-sandbox";

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// What the sandbox is to do: `run PIPELINE`, or --help for all of it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let here = std::env::current_exe().unwrap_or_default();
    let program = beside(&here);
    let ended = Command::new(&program).args(&arguments.arguments).status().map_err(|error| {
        Failure::World(format!(
            "{}: {error}; `cargo build` makes it, and the functions that it runs",
            program.display()
        ))
    })?;
    // Whoever is ended by a signal has no code.
    Ok(ended.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn beside(here: &Path) -> PathBuf {
    here.with_file_name(PROGRAM)
}
