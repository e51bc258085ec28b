//! What tests of databases as sources share: the command in a folder with a pipeline file, and what it says.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn etalon(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_etalon")).current_dir(folder).args(arguments).output().unwrap()
}

/// The report of a run that succeeds.
#[track_caller]
pub(crate) fn run(folder: &Path, pipeline: &str) -> Value {
    let output = etalon(folder, &["run", pipeline, "--output", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a run tells that fails.
#[track_caller]
pub(crate) fn told(pipeline: &str) -> String {
    let folder = folder_with(pipeline);
    let output = etalon(folder.path(), &["run", "p.yaml"]);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.code() != Some(70), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

/// What a query of the embedded warehouse gives, as CSV.
#[track_caller]
pub(crate) fn query(folder: &Path, sql: &str) -> String {
    let output = etalon(folder, &["query", "--to", ".etalon/warehouse.db", sql, "--output", "csv"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with a pipeline file.
pub(crate) fn folder_with(pipeline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), pipeline).unwrap();
    folder
}

/// What `check --connect` says.
#[track_caller]
pub(crate) fn says(folder: &Path) -> String {
    let output = etalon(folder, &["check", "p.yaml", "--connect"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    println!("{said}");
    said
}

/// A pipeline that merges numbered rows with a time from a kind of database.
pub(crate) fn merging(kind: &str, url: &str, source: &str) -> String {
    format!(
        "etalon: 1
pipeline: p
source:
  {kind}: {{ url: '{url}', {source} }}
  fields: {{ id: bigint, at: timestamptz }}
columns: {{ id: required, at: required }}
target: {{ table: t, write: merge, key: id, order_by: at }}
"
    )
}
