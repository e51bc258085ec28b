//! MySQL as a source: the command reads a real MariaDB and loads what it gives.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod connect;
mod errors;
mod runs;
mod types;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Output};

use etalon_golden::mariadb;
use serde_json::Value;

fn main() -> ExitCode {
    mariadb::main(&[
        ("what_is_new_is_loaded_and_nothing_twice", runs::what_is_new_is_loaded_and_nothing_twice),
        ("a_snapshot_takes_the_place_of_the_last", runs::a_snapshot_takes_the_place_of_the_last),
        ("a_query_and_a_number_that_grows", runs::a_query_and_a_number_that_grows),
        ("days_are_read_when_they_are_over", runs::days_are_read_when_they_are_over),
        ("a_table_has_a_pipeline_to_begin_with", runs::a_table_has_a_pipeline_to_begin_with),
        ("a_database_says_how_it_will_be_read", connect::a_database_says_how_it_will_be_read),
        ("a_replica_is_read_as_far_as_it_is", connect::a_replica_is_read_as_far_as_it_is),
        ("every_type_arrives_or_is_told", types::every_type_arrives_or_is_told),
        ("what_a_user_sees_when_a_source_fails", errors::what_a_user_sees_when_a_source_fails),
        ("a_server_of_another_time_zone_is_told", errors::a_server_of_another_time_zone_is_told),
    ])
}

fn etalon(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_etalon")).current_dir(folder).args(arguments).output().unwrap()
}

/// The report of a run that succeeds.
#[track_caller]
fn run(folder: &Path, pipeline: &str) -> Value {
    let output = etalon(folder, &["run", pipeline, "--output", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a run tells that fails.
#[track_caller]
fn told(pipeline: &str) -> String {
    let folder = folder_with(pipeline);
    let output = etalon(folder.path(), &["run", "p.yaml"]);
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.code() != Some(70), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

/// What a query of the embedded warehouse gives, as CSV.
#[track_caller]
fn query(folder: &Path, sql: &str) -> String {
    let output = etalon(folder, &["query", "--to", ".etalon/warehouse.db", sql, "--output", "csv"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with a pipeline file.
fn folder_with(pipeline: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.yaml"), pipeline).unwrap();
    folder
}
