//! `etalon sandbox`: runs a deployed pipeline on this machine. It starts a program of its own, because that program needs the
//! cloud's libraries, which no other verb needs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::failure::Failure;
use crate::output::Output;
use crate::view::{Table, View};

/// The program.
const PROGRAM: &str = "etalon-sandbox";

/// Run a deployed pipeline on this machine: the real functions, with stand-ins for S3, SQS and Redshift
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Sandbox {
    /// The command of the sandbox: `run PIPELINE`, or --help for all options
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    arguments: Vec<OsString>,
}

/// The program has ended, and has written what there is to see.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    exit_code: u8,
}

impl Verb for Sandbox {
    const NAME: &'static str = "sandbox";
    type Found = Ended;

    fn carry_out(&self, _: Output) -> Result<Ended, Failure> {
        let program = beside(&std::env::current_exe().unwrap_or_default());
        let ended = Command::new(&program).args(&self.arguments).status().map_err(|error| {
            let failure = Failure::file(&program, &error);
            failure.with_help("`cargo build` makes this program, and the functions that it runs")
        })?;
        // Whoever is ended by a signal has no code.
        Ok(Ended { exit_code: ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1) })
    }
}

fn beside(here: &Path) -> PathBuf {
    here.with_file_name(PROGRAM)
}

impl View for Ended {
    fn table(&self) -> Table {
        Table::default()
    }

    fn page(&self) -> String {
        String::new()
    }

    fn end(&self) -> Result<(), Failure> {
        if self.exit_code == 0 { Ok(()) } else { Err(Failure::program(self.exit_code)) }
    }
}
