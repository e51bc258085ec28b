//! Cases that were written for other readers and other evaluators. They are not part of the project: they are looked for in
//! the folder that `ETALON_CORPORA` names, or in `shared/corpora` beside the repository.
//!
//! Where they are missing, each test says `absent` and is not counted as passed; if `ETALON_CORPORA` names them, it fails.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "these tests read files, may fail, and tell their scores"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

mod connectors;
mod expressions;
mod reading;

/// A test over the folder of the corpora.
type Test = fn(&Path);

const TESTS: [(&str, Test); 6] = [
    ("csv_spectrum", reading::csv_spectrum),
    ("python_csv", reading::python_csv),
    ("papaparse", reading::papaparse),
    ("json_test_suite", reading::json_test_suite),
    ("connectors_ask_and_say_what_the_reference_does", connectors::connectors_ask_and_say_what_the_reference_does),
    ("expressions_mean_what_postgresql_means", expressions::expressions_mean_what_postgresql_means),
];

fn main() -> ExitCode {
    let named = std::env::var_os("ETALON_CORPORA").map(PathBuf::from);
    let is_required = named.is_some();
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"));
    let trials = TESTS.map(|(name, test)| {
        if folder.is_dir() {
            let folder = folder.clone();
            return Trial::test(name, move || {
                test(&folder);
                Ok(())
            });
        }
        let absent = Trial::test(name, || Err("absent: the corpora".into()));
        if is_required { absent } else { absent.with_kind("absent: the corpora").with_ignored_flag(true) }
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}
