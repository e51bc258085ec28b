//! Guide: docs/guide/deployment.md is followed, step by step, as a stranger would: what it tells to write is written, what it tells to
//! type is typed or, where it is about a service that no stand-in has, passed over with a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use etalon_postgres::client::{Address, Client};
use etalon_sandbox::cloud::{Cloud, Deployed, Settings};
use serde_json::Value;

use crate::installation::{Installation, values};
use crate::{Shared, left, path};

/// What cannot be typed here, and why.
const PASSED_OVER: &[(&str, &str)] = &[
    ("pip install", "the packages take a release build; a test of their own tries what the script refuses"),
    ("etalon check", "documents.rs of the command types it"),
    ("aws redshift-serverless", "moto has no Redshift Serverless"),
];

/// From nothing to the first loaded row, and to nothing again.
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
    let url = counterparts.moto.url();
    let installation = Installation::guided(&files, url);
    let mut cloud: Option<Cloud> = None;
    let (mut state, mut grants) = (String::new(), String::new());
    let (mut typed, mut passed_over) = (0, BTreeSet::new());
    for step in steps {
        if let Some((begin, _)) = PASSED_OVER.iter().find(|(begin, _)| step.starts_with(begin)) {
            passed_over.insert(*begin);
            continue;
        }
        typed += 1;
        if step == "terraform init\nterraform apply" {
            installation.apply();
            state = installation.state();
            let deployed = Deployed::read(&state, path::MODULE).unwrap();
            let settings = Settings::new("guided", files[1].1, shared.programs.clone());
            cloud = Some(shared.runtime.block_on(Cloud::run(counterparts.clone(), settings, deployed)).unwrap());
        } else if step == "terraform output -json etalon | jq -r .grants" {
            grants = installation.output("etalon")["grants"].as_str().unwrap().to_owned();
        } else if step.starts_with("CREATE SCHEMA") {
            assert_eq!(step, grants);
            let cloud = cloud.as_ref().unwrap();
            may_load(step, cloud.database_url(), &serde_json::from_str(&state).unwrap());
        } else if step.starts_with("aws lambda invoke --function-name etalon-orders-extract ") {
            let payload = quoted(step, "--payload ");
            let payload: Value = serde_json::from_str(payload).unwrap();
            let cloud = cloud.as_ref().unwrap();
            shared.runtime.block_on(async {
                cloud.upload("1.csv", path::orders(0, 0)).await.unwrap();
                path::event(cloud, payload).await;
            });
        } else if step.starts_with("aws s3api put-bucket-notification-configuration --bucket acme-landing ") {
            // The command sends it as XML; moto takes it, and does not give it back.
            assert_eq!(quoted(step, "--notification-configuration "), r#"{"EventBridgeConfiguration": {}}"#);
            let put = "<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>";
            left::ask(url, "s3", "PUT /acme-landing?notification", "", put);
        } else if step == "terraform destroy" {
            // Of a bucket with versions of objects, moto forgets nothing: what nobody has used yet is destroyed.
            let counterparts = crate::counterparts();
            let installation = Installation::guided(&files, counterparts.moto.url());
            installation.apply();
            let (there, _) = left::of_installation(counterparts.moto.url());
            installation.destroy();
            assert!(there.len() > 8, "{there:?}");
            assert_eq!(left::of_installation(counterparts.moto.url()).0, [""; 0]);
        } else {
            panic!("a step of which the test knows nothing: {step}");
        }
    }
    assert_eq!(passed_over.len(), PASSED_OVER.len(), "of these the page says nothing any more: {passed_over:?}");
    let rows: u64 = cloud.unwrap().ledger().unwrap().iter().map(|row| row.counts.inserted).sum();
    assert_eq!(rows, 200);
    println!(
        "the guide: {typed} steps typed, {} passed over, {rows} rows after {} s",
        PASSED_OVER.len(),
        installation.seconds()
    );
}

/// The text in single quotes behind an option.
fn quoted<'a>(step: &'a str, option: &str) -> &'a str {
    step.split_once(option).unwrap().1.trim_start_matches('\'').split('\'').next().unwrap()
}

/// What an administrator runs lets the load function's role do what a load does in the schema.
fn may_load(statements: &str, database: &str, state: &Value) {
    let mut client = Client::open(&Address::parse(database, |_| None).unwrap()).unwrap();
    for statement in statements.split_inclusive(';') {
        // PostgreSQL has other words for a user without a password.
        drop(client.run(&statement.replace("PASSWORD DISABLE", "PASSWORD NULL"), &[]).unwrap());
    }
    let roles = values(state, "aws_iam_role");
    let role = roles.iter().filter_map(|role| role["name"].as_str()).find(|name| name.ends_with("-load")).unwrap();
    // Redshift names the user of a role so.
    let user = format!("IAMR:{role}");
    for statement in [
        format!("SET ROLE \"{user}\""),
        "CREATE TABLE analytics.of_load (id integer)".to_owned(),
        "DROP TABLE analytics.of_load".to_owned(),
    ] {
        drop(client.run(&statement, &[]).unwrap());
    }
}
