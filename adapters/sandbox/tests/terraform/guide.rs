//! Guide: docs/guide/deployment.md is followed, step by step, as a stranger would: what it tells to write is written, what it tells to
//! type is typed or, where it is about a service that no stand-in has, passed over with a reason.

use std::fs;
use std::path::Path;

use etalon_sandbox::cloud::{Cloud, Deployed, Settings};
use serde_json::Value;

use crate::installation::Installation;
use crate::{Shared, path};

/// What cannot be typed here, and why.
const PASSED_OVER: &[(&str, &str)] = &[
    ("pip install", "the packages take a release build; a test of their own tries what the script refuses"),
    ("etalon check", "documents.rs of the command types it"),
    ("CREATE SCHEMA", "the stand-in of Redshift has one user"),
    ("aws redshift-serverless", "moto has no Redshift Serverless"),
    ("aws s3api", "only for pipelines that new objects start"),
    ("terraform destroy", "moto does not delete a bucket with versions in it; the complete example is destroyed"),
];

/// From nothing to the first loaded row.
pub(crate) fn is_followed(shared: &Shared) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/deployment.md");
    let page = fs::read_to_string(page).unwrap();
    let mut blocks = page.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap());
    let mut files = Vec::new();
    let mut steps = Vec::new();
    for (info, text) in blocks.by_ref() {
        match info.split(' ').collect::<Vec<_>>()[..] {
            ["hcl"] => files.push(("main.tf", text)),
            ["yaml", name] => files.push((name, text)),
            ["sh" | "sql", ..] => steps.push(text),
            _ => assert_eq!(info, "mermaid", "a step of which the test knows nothing: {text}"),
        }
    }
    assert_eq!(files.len(), 2, "{files:?}");
    let counterparts = crate::counterparts();
    let installation = Installation::guided(&files, counterparts.moto.url());
    let mut cloud = None;
    let mut typed = 0;
    for step in steps {
        if PASSED_OVER.iter().any(|(begin, _)| step.starts_with(begin)) {
            continue;
        }
        typed += 1;
        if step == "terraform init\nterraform apply" {
            installation.apply();
        } else if step.starts_with("aws lambda invoke --function-name etalon-orders-extract ") {
            let payload = step.split_once("--payload '").unwrap().1.split('\'').next().unwrap();
            let payload: Value = serde_json::from_str(payload).unwrap();
            let deployed = Deployed::read(&installation.state(), path::MODULE).unwrap();
            let settings = Settings::new("guided", files[1].1, shared.programs.clone());
            cloud = Some(shared.runtime.block_on(async {
                let cloud = Cloud::run(counterparts.clone(), settings, deployed).await.unwrap();
                cloud.upload("1.csv", path::orders(0, 0)).await.unwrap();
                path::event(&cloud, payload).await;
                cloud
            }));
        } else {
            panic!("a step of which the test knows nothing: {step}");
        }
    }
    let rows: u64 = cloud.unwrap().ledger().unwrap().iter().map(|row| row.counts.inserted).sum();
    assert_eq!(rows, 200);
    println!(
        "the guide: {typed} steps typed, {} passed over, {rows} rows after {} s",
        PASSED_OVER.len(),
        installation.seconds()
    );
}
