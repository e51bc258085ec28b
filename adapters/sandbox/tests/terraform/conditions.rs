//! Conditions: what Terraform's modules refuse. Each condition is tried, by a run of terraform/tests or by a plan of a changed module.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::installation::Installation;

/// What no variable changes: a file, what is replaced in it, and the words of the refusal.
pub(crate) const REFUSED: &[(&str, &str, &str, &str)] = &[
    (
        "modules/pipeline/deployment.json",
        "\"visibility_timeouts\": 6",
        "\"visibility_timeouts\": 3",
        "six times the timeout of its function",
    ),
    ("modules/pipeline/deployment.json", "\"receives_max\": 5", "\"receives_max\": 2", "must be at least 5"),
    (
        "modules/pipeline/deployment.json",
        "\"dead_kept_seconds\": 1209600",
        "\"dead_kept_seconds\": 86400",
        "message_days must be less",
    ),
    ("modules/pipeline/deployment.json", "\"concurrency\": 3", "\"concurrency\": 1", "become dead letters"),
    (
        "modules/pipeline/deployment.json",
        "\"concurrency_max\": 2",
        "\"concurrency_max\": 1",
        "concurrency of a queue must be between 2 and 1000",
    ),
    ("modules/pipeline/deployment.json", "\"ETALON_STAGING\",", "\"ETALON_STAGING\", \"ETALON_NEW\",", "Invalid index"),
    ("modules/pipeline/deployment.json", "\"store/sources/\"", "\"shop/sources/\"", "Invalid index"),
    (
        "examples/minimal/main.tf",
        "existing = { workgroup = \"analytics\" }",
        "",
        "one of existing, serverless and provisioned",
    ),
    ("examples/minimal/pipelines/orders.yaml", "s3: s3://acme-landing/orders/", "files: orders.csv", "source_uri"),
];

/// A condition: the file's folder, what has it (`var.name`, `aws_sqs_queue.this`, `output.bucket`), and its message.
#[derive(Debug)]
struct Condition {
    module: String,
    owner: String,
    message: String,
}

/// Runs Terraform's own tests; then no condition is left that nothing has tried.
pub(crate) fn each_is_tried() {
    let passed = Installation::new("minimal", "http://127.0.0.1:1").test();
    let terraform = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../terraform");
    let mut expected: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut count = 0;
    for file in files(&terraform.join("tests"), ".tftest.hcl") {
        for run in fs::read_to_string(file).unwrap().split("\nrun \"").skip(1) {
            let (name, text) = run.split_once('"').unwrap();
            assert!(passed.iter().any(|passed| passed == name), "{name} has not passed");
            count += 1;
            let module = quoted(text, "source = ").map_or(".", |source| source.trim_start_matches("./")).to_owned();
            if let Some((_, failures)) = text.split_once("expect_failures = [") {
                let owner = failures.split(']').next().unwrap().to_owned();
                *expected.entry((module, owner)).or_default() += 1;
            }
        }
    }
    assert_eq!(count, passed.len());
    let mut conditions = 0;
    let mut untried = Vec::new();
    for Condition { module, owner, message } in conditions_of(&terraform) {
        conditions += 1;
        if REFUSED.iter().any(|(.., words)| message.contains(words)) {
            continue;
        }
        match expected.get_mut(&(module.clone(), owner.clone())).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => untried.push(format!("{module}: {owner}: {message}")),
        }
    }
    assert!(untried.is_empty(), "{untried:#?}");
    println!("{conditions} conditions, {count} runs of Terraform's tests");
}

fn conditions_of(terraform: &Path) -> Vec<Condition> {
    let mut found = Vec::new();
    for file in files(terraform, ".tf") {
        let folder = file.parent().unwrap().strip_prefix(terraform).unwrap().to_str().unwrap();
        let module = if folder.is_empty() { "." } else { folder };
        let mut owner = String::new();
        for line in fs::read_to_string(&file).unwrap().lines() {
            if let Some(message) = quoted(line, "error_message = ") {
                found.push(Condition { module: module.to_owned(), owner: owner.clone(), message: message.to_owned() });
            } else if !line.starts_with(' ') {
                let names: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
                owner = match (line.split(' ').next(), names.as_slice()) {
                    (Some("variable"), [name]) => format!("var.{name}"),
                    (Some("output"), [name]) => format!("output.{name}"),
                    (Some("resource"), [kind, name]) => format!("{kind}.{name}"),
                    _ => owner,
                };
            }
        }
    }
    found
}

/// What stands in quotes behind some words.
fn quoted<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(words)?;
    rest.strip_prefix('"')?.split('"').next()
}

/// The files below a folder whose names end so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_str().unwrap().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}
