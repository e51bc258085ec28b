//! Terraform: the examples are applied and planned again without a change, against stand-ins of AWS; one of them is run, the
//! other destroyed.
//!
//! It needs `terraform`, moto and PostgreSQL, and in `$TF_PLUGIN_DIR` the folder with the provider of AWS that
//! `terraform init -plugin-dir` takes; `terraform providers mirror` makes one. Without it, nothing here runs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail, and says why"
)]

mod conditions;
mod guide;
mod installation;
mod landing;
mod left;
mod package;
mod path;
mod same;

use std::process::ExitCode;
use std::sync::Arc;

use etalon_core::protocol::Step;
use etalon_sandbox::cloud::{Counterparts, Deployed, Programs};
use etalon_sandbox::counterpart;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use installation::Installation;
use same::Facts;

/// What no second plan of moto's world is without: resources with the attributes that it does not give back, or gives back
/// otherwise.
const NEVER_THE_SAME: &[(&str, &[&str])] = &[
    ("aws_lambda_function", &["dead_letter_config", "kms_key_arn", "logging_config"]),
    ("aws_s3_bucket_notification", &["eventbridge"]),
    // Only its spaces differ.
    ("aws_sqs_queue", &["redrive_policy"]),
];

/// What the tests share.
struct Shared {
    programs: Programs,
    runtime: Runtime,
}

fn main() -> ExitCode {
    let start = || {
        let programs = Programs::find().map_err(std::io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        installation::find()?;
        Ok(Shared { programs, runtime })
    };
    let tests: &[counterpart::Test<Shared>] = &[
        ("the_minimal_example_runs", the_minimal_example_runs),
        ("a_stranger_follows_the_guide", guide::is_followed),
        ("the_complete_example_is_applied_and_destroyed", |_| the_complete_example_is_applied_and_destroyed()),
        ("a_database_is_read_with_the_rights_that_are_given", |shared| {
            shared.runtime.block_on(landing::runs_with_the_rights_that_it_has(&counterparts(), &shared.programs));
        }),
        ("what_people_get_wrong_is_refused", |_| what_people_get_wrong_is_refused()),
        ("each_condition_of_the_modules_is_tried", |_| conditions::each_is_tried()),
        ("packages_that_lambda_would_refuse_are_refused", package::wrong_ones_are_refused),
    ];
    if std::env::var_os("TF_PLUGIN_DIR").is_none() {
        // Nobody has a provider by accident, so that this is not required of anybody either.
        return counterpart::absent("TF_PLUGIN_DIR", tests);
    }
    counterpart::main(start, tests)
}

fn counterparts() -> Arc<Counterparts> {
    Arc::new(Counterparts::start().unwrap())
}

fn the_minimal_example_runs(shared: &Shared) {
    let counterparts = counterparts();
    let installation = Installation::new("minimal", counterparts.moto.url());
    let created = installation.apply();
    let changed = installation.changes();
    assert_eq!(unknown(&changed), [] as [&String; 0]);
    let module = "module.etalon.module.pipeline[\"orders\"]";
    let text = installation.state();
    let deployed = Deployed::read(&text, module).unwrap();
    assert_eq!(deployed.reports_failures, [true; 3]);
    let state: Value = serde_json::from_str(&text).unwrap();
    let facts = Facts::new(&deployed, "orders", "acme-landing/orders/");
    let rights = same::holds(&state, &deployed, &installation.text("pipelines/orders.yaml"), &facts);
    shared.runtime.block_on(path::runs_with_the_rights_that_it_has(&counterparts, &shared.programs, &installation));
    // A mapping that does not let the function say which messages have failed is seen in what is there.
    installation.change("modules/pipeline/functions.tf", "[\"ReportBatchItemFailures\"]", "[]");
    installation.apply();
    let deployed = Deployed::read(&installation.state(), module).unwrap();
    assert_eq!(deployed.reports_failures, [false; 3]);
    println!(
        "minimal: {created} resources, {rights} rights, {} known differences, {} s",
        changed.len(),
        installation.seconds()
    );
    // Its bucket has versions of objects now, which moto cannot delete in one request; the other example is destroyed.
}

fn the_complete_example_is_applied_and_destroyed() {
    let counterparts = counterparts();
    // There is no Redshift that an emulator could create.
    let installation = Installation::new("complete", counterparts.moto.url()).with("warehouse=existing");
    let created = installation.apply();
    let changed = installation.changes();
    assert_eq!(unknown(&changed), [] as [&String; 0]);
    let text = installation.state();
    let state: Value = serde_json::from_str(&text).unwrap();
    let mut rights = 0;
    for pipeline in ["orders", "events", "customers", "tickets"] {
        let module = format!("module.etalon.module.pipeline[\"{pipeline}\"]");
        let made = Deployed::read(&text, &module).unwrap();
        let facts = facts_of_the_complete_example(&state, &made, pipeline);
        rights += same::holds(&state, &made, &installation.text(&format!("pipelines/{pipeline}.yaml")), &facts);
        assert_eq!(made.event_bus.as_deref(), Some("etalon"));
        let rule = &made.rule;
        // New objects start one of them: those of its source, and no others.
        let takes = |bucket: &str, key: &str| {
            let detail = json!({ "bucket": { "name": bucket }, "object": { "key": key } });
            let event = json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": detail });
            rule.as_ref().is_some_and(|rule| rule.takes(&event))
        };
        assert_eq!(takes("acme-landing-production", "orders/1.csv"), pipeline == "orders");
        assert!(!takes("acme-landing-production", "notes/1.csv") && !takes("acme-landing", "orders/1.csv"));
    }
    // Every alarm that may be is there, and names a page of the guide.
    let alarms = installation::values(&state, "aws_cloudwatch_metric_alarm");
    assert!(alarms.len() > 40, "{}", alarms.len());
    for alarm in alarms {
        let description = alarm["alarm_description"].as_str().unwrap();
        let link = "See https://git.example.com/etalon/main/docs/guide/troubleshooting.md#";
        assert!(description.contains(link), "{description}");
        assert_eq!(alarm["alarm_actions"].as_array().unwrap().len(), 1);
    }
    // What is said once for all pipelines comes to each of them.
    for function in installation::values(&state, "aws_lambda_function") {
        assert_eq!(function["environment"][0]["variables"]["ETALON_NAMESPACE"], "Acme/Etalon");
    }
    for queue in installation::values(&state, "aws_sqs_queue") {
        let days = if queue["name"].as_str().unwrap().contains("-dead") { 14 } else { 10 };
        assert_eq!(queue["message_retention_seconds"], days * 24 * 60 * 60);
    }
    let dashboards = installation::values(&state, "aws_cloudwatch_dashboard");
    assert_eq!(dashboards.len(), 4);
    for dashboard in dashboards {
        let text = dashboard["dashboard_body"].as_str().unwrap();
        let is_about =
            ["Acme/Etalon", "analytics", "us-east-1"].iter().all(|name| text.contains(&format!("\"{name}\"")));
        assert!(is_about && !text.contains("\"Etalon\"") && !text.contains("{name"), "{text}");
    }
    println!(
        "complete: {created} resources, {rights} rights, {} known differences, {} s",
        changed.len(),
        installation.seconds()
    );
    let url = counterparts.moto.url();
    let (there, kinds) = left::of_installation(url);
    assert_eq!(there.len(), kinds, "only these are there: {there:?}");
    installation.destroy();
    let (there, _) = left::of_installation(url);
    assert_eq!(there, [""; 0]);
    println!("complete: destroyed, of {kinds} kinds nothing is left, {} s", installation.seconds());
}

/// What the complete example says of its pipelines.
fn facts_of_the_complete_example<'a>(state: &Value, made: &Deployed, pipeline: &str) -> Facts<'a> {
    let source = if pipeline == "orders" { "acme-landing-production/orders/" } else { "acme-landing/events/" };
    let mut facts = Facts::new(made, pipeline, source);
    facts.kept_seconds = Some(10 * 24 * 60 * 60);
    let arn = |kind: &str, name: &str| {
        let named = |one: &&Value| name.is_empty() || one["name"] == name;
        installation::values(state, kind).into_iter().find(named).unwrap()["arn"].as_str().unwrap().to_owned()
    };
    facts.resources.insert("store_key", vec![arn("aws_kms_key", "")]);
    let token = ("token".to_owned(), arn("aws_secretsmanager_secret", "etalon/webshop-token"));
    match pipeline {
        "orders" => {
            facts.account.variables.insert("STAGE".to_owned(), "production".to_owned());
            facts.sizes.transforms_max = 20;
            facts.sizes.transform.memory_mb = 1769;
        }
        "events" => {
            facts.account.source = Some(format!("s3://{source}"));
            facts.account.secrets.extend([token]);
            facts.in_network = &Step::ALL;
        }
        "customers" => {
            facts.account.variables.insert("SHOP_HOST".to_owned(), "shop.example.com".to_owned());
            let shop = arn("aws_secretsmanager_secret", "etalon/shop-database");
            facts.account.secrets.insert("shop".to_owned(), format!("{shop}#password"));
            // Of a source that lands, the other functions need not reach it.
            facts.in_network = &[Step::Extract];
        }
        _ => {
            facts.account.manifest = made.deployment.functions[0].environment.get("ETALON_MANIFEST").cloned();
            facts.account.secrets.extend([token]);
        }
    }
    facts
}

/// Changes that are not among those that moto always has.
fn unknown(changes: &[(String, String)]) -> Vec<&String> {
    let is_known = |kind: &str, attribute: &str| {
        NEVER_THE_SAME.iter().any(|(known, attributes)| *known == kind && attributes.contains(&attribute))
    };
    changes
        .iter()
        .filter(|(kind, attribute)| !is_known(kind, attribute))
        .map(|(kind, attribute)| {
            eprintln!("{kind}.{attribute} differs in the second plan");
            attribute
        })
        .collect()
}

/// Each of these ends a plan with the words that say why: what is in the modules themselves, and no variable changes.
fn what_people_get_wrong_is_refused() {
    let counterparts = counterparts();
    let installation = Installation::new("minimal", counterparts.moto.url());
    installation.init();
    for (file, from, to, words) in conditions::REFUSED {
        let told = installation.refused(file, from, to);
        let told = told.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(told.contains(words), "{file}: {to}: {told}");
    }
}
