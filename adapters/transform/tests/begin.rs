//! What the function says when it is deployed wrongly: all of it, when it begins, and not when the first message comes.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use etalon_core::deploy::setting;
use etalon_sandbox::lambda::refusal;

const FUNCTION: &str = env!("CARGO_BIN_EXE_etalon-transform");
const WRONG: &str = include_str!("../../../golden/cases/wrong/pipeline.yaml");
const DIAGNOSTICS: &str = include_str!("../../../golden/cases/wrong/expected/diagnostics.txt");
const SETTINGS: &[(&str, &str)] = &[
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    (setting::STAGING.name, "s3://staging/"),
    (setting::SOURCE.name, "s3://source/"),
    (setting::TASKS_QUEUE.name, "http://127.0.0.1:1/tasks"),
    (setting::DEAD_QUEUE.name, "http://127.0.0.1:1/dead"),
    (setting::LOADS_QUEUE.name, "http://127.0.0.1:1/loads"),
];

#[test]
fn a_wrong_pipeline_is_told_as_check_tells_it() {
    assert_eq!(refusal(FUNCTION, WRONG, SETTINGS).unwrap().trim_end(), DIAGNOSTICS.trim_end());
}

#[test]
fn settings_that_are_missing_are_named() {
    let error = refusal(FUNCTION, WRONG, &[]).unwrap();
    assert_eq!(error, "the environment lacks ETALON_TASKS_QUEUE_URL, ETALON_DEAD_QUEUE_URL, ETALON_LOADS_QUEUE_URL");
}
