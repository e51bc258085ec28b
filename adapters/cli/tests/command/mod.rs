//! The command as tests call it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn etalon(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_etalon")).current_dir(folder).args(arguments).output().unwrap()
}

/// Runs the command and wants an exit code; gives standard output.
#[track_caller]
pub(crate) fn done(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = etalon(folder, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{out}\n{err}");
    out.into_owned()
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
