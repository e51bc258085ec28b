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

use std::process::ExitCode;
use std::sync::Arc;

use etalon_core::protocol::Step;
use etalon_sandbox::cloud::{Counterparts, Deployed, Programs};
use etalon_sandbox::counterpart;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use installation::Installation;

/// What no second plan of moto's world is without: resources with the attributes that it does not give back, or gives back
/// otherwise.
const NEVER_THE_SAME: &[(&str, &[&str])] = &[
    ("aws_lambda_function", &["dead_letter_config", "kms_key_arn", "logging_config"]),
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
    let deployed = Deployed::read(&installation.state(), module).unwrap();
    assert_eq!(deployed.reports_failures, [true; 3]);
    shared.runtime.block_on(path::runs_with_the_rights_that_it_has(&counterparts, &shared.programs, &installation));
    // A mapping that does not let the function say which messages have failed is seen in what is there.
    installation.change("modules/pipeline/functions.tf", "[\"ReportBatchItemFailures\"]", "[]");
    installation.apply();
    let deployed = Deployed::read(&installation.state(), module).unwrap();
    assert_eq!(deployed.reports_failures, [false; 3]);
    println!("minimal: {created} resources, {} known differences, {} s", changed.len(), installation.seconds());
    // Its bucket has versions of objects now, which moto cannot delete in one request; the other example is destroyed.
}

fn the_complete_example_is_applied_and_destroyed() {
    let counterparts = counterparts();
    // There is no Redshift that an emulator could create.
    let installation = Installation::new("complete", counterparts.moto.url()).with("warehouse=existing");
    let created = installation.apply();
    let changed = installation.changes();
    assert_eq!(unknown(&changed), [] as [&String; 0]);
    let state = installation.state();
    for (pipeline, transforms) in [("orders", 20), ("events", 10), ("customers", 10), ("tickets", 10)] {
        let module = format!("module.etalon.module.pipeline[\"{pipeline}\"]");
        let Deployed { deployment, event_bus, rule, .. } = Deployed::read(&state, &module).unwrap();
        // New objects start one of them: those of its source, and no others.
        let takes = |bucket: &str, key: &str| {
            let detail = json!({ "bucket": { "name": bucket }, "object": { "key": key } });
            let event = json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": detail });
            rule.as_ref().is_some_and(|rule| rule.takes(&event))
        };
        assert_eq!(takes("acme-landing-production", "orders/1.csv"), pipeline == "orders");
        assert!(!takes("acme-landing-production", "notes/1.csv") && !takes("acme-landing", "orders/1.csv"));
        for function in &deployment.functions {
            let (size, queue, mapping) = (function.size, &function.queue, &function.mapping);
            assert!(queue.visibility_seconds >= 6 * size.timeout_seconds && queue.receives_max >= 5);
            assert!(function.concurrency > mapping.concurrency_max);
            if function.step == Step::Transform {
                assert_eq!(mapping.concurrency_max, transforms);
            }
        }
        assert_eq!(event_bus.as_deref(), Some("etalon"));
    }
    // Every alarm that may be is there, and names a page of the guide.
    let state: Value = serde_json::from_str(&state).unwrap();
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
    println!("complete: {created} resources, {} known differences, {} s", changed.len(), installation.seconds());
    let url = counterparts.moto.url();
    let (there, kinds) = left::of_installation(url);
    assert_eq!(there.len(), kinds, "only these are there: {there:?}");
    installation.destroy();
    let (there, _) = left::of_installation(url);
    assert_eq!(there, [""; 0]);
    println!("complete: destroyed, of {kinds} kinds nothing is left, {} s", installation.seconds());
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
