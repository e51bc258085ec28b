//! Path: what Terraform has made of a pipeline runs, with the rights that it has and no others.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use etalon_core::protocol::Step;
use etalon_sandbox::cloud::{Cloud, Counterparts, Deployed, Programs, Settings};
use etalon_sandbox::iam::Policy;
use serde_json::json;

use crate::installation::Installation;

/// The longest that a cloud may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(240);
/// The module of the pipeline.
pub(crate) const MODULE: &str = "module.etalon.module.pipeline[\"orders\"]";

/// What is allowed and not needed by what is done here, and what needs it: who, the action, how the resource ends. That a step
/// needs each of its rights in the store, the simulation of the loops holds.
const NOT_NEEDED_HERE: &[(&str, &str, &str, &str)] = &[
    ("extract", "s3:GetObject", "/runs/*", "whole runs are loaded"),
    ("extract", "s3:PutObject", "/runs/*", "whole runs are loaded"),
    ("extract", "s3:GetObject", "/pipelines/*", "a run was planned before a deployment"),
    ("extract", "s3:GetObject", "/marks/*", "an input that was loaded is sent through again"),
    ("extract", "s3:PutObject", "/marks/*", "an input that was loaded is sent through again"),
    ("extract", "sqs:SendMessage", "-extract", "a listing takes longer than a call"),
    ("transform", "s3:GetObject", "/runs/*", "whole runs are loaded"),
    ("transform", "s3:GetObject", "/pipelines/*", "a task was planned before a deployment"),
    ("transform", "s3:GetObject", "/marks/*", "an input that was loaded is sent through again"),
    ("transform", "s3:ListBucket", "acme-landing", "an object is gone when it is read"),
    ("load", "s3:GetObject", "/sources/*", "rows of an earlier version are replaced"),
    ("load", "s3:GetObject", "/pipelines/*", "a unit was staged before a deployment"),
    ("load", "s3:PutObject", "/pending/*", "a unit has lost its mark"),
    ("load", "s3:PutObject", "/held/*", "the warehouse refuses the rows of a unit"),
    ("load", "redshift-data:ExecuteStatement", "workgroup/*", "a column becomes wider"),
];

/// Orders of a day; some of them are broken, if that is wanted.
pub(crate) fn orders(day: u32, broken: u32) -> Vec<u8> {
    let mut text = "id,customer,ordered_at,amount\n".to_owned();
    for order in 0..200 {
        let amount = if order < broken { "much".to_owned() } else { format!("{order}.50") };
        let id = day * 200 + order;
        writeln!(text, "{id},customer {},2026-04-{:02}T10:00:00Z,{amount}", order % 7, day + 1).unwrap();
    }
    text.into_bytes()
}

/// What the functions have said, where something has gone wrong.
fn tell(cloud: &Cloud) {
    for stage in cloud.stages() {
        for line in stage.function.log() {
            eprintln!("{}: {line}", stage.step.name());
        }
    }
}

async fn settle(cloud: &Cloud) {
    if let Err(error) = cloud.settle(PATIENCE).await {
        tell(cloud);
        panic!("{error}");
    }
    assert_eq!(cloud.unknown_metrics(), []);
}

pub(crate) async fn event(cloud: &Cloud, event: serde_json::Value) {
    let outcome = cloud.event(&event).await.unwrap();
    if let Err(failure) = outcome.result {
        tell(cloud);
        panic!("{failure:?}");
    }
    settle(cloud).await;
}

/// Everything that a pipeline's operator does is done, and nothing is refused; what was allowed and not needed is known.
pub(crate) async fn runs_with_the_rights_that_it_has(
    counterparts: &Arc<Counterparts>,
    programs: &Programs,
    installation: &Installation,
) {
    let state = installation.state();
    let deployed = Deployed::read(&state, MODULE).unwrap();
    let policies = deployed.policies.clone();
    let names = deployed.deployment.functions.each_ref().map(|function| function.name.clone());
    let settings = Settings::new("minimal", &installation.text("pipelines/orders.yaml"), programs.clone());
    let cloud = Cloud::run(Arc::clone(counterparts), settings, deployed).await.unwrap();
    for day in 0..3 {
        // Of the second day, more are broken than may be.
        cloud.upload(&format!("{day}.csv"), orders(day, [1, 150, 0][day as usize])).await.unwrap();
    }
    event(&cloud, json!({ "run": "first" })).await;
    assert_eq!(cloud.ledger().unwrap().len(), 2);
    // A new object, one that is none of the pipeline's, and a version that was held before it is replaced.
    let key = cloud.upload("3.csv", orders(3, 0)).await.unwrap();
    cloud.object_created(&key).await.unwrap();
    settle(&cloud).await;
    event(&cloud, json!({ "discard": ["orders/1.csv"] })).await;
    event(&cloud, json!({ "undiscard": ["orders/1.csv"] })).await;
    event(&cloud, json!({ "release": ["orders/1.csv"] })).await;
    event(&cloud, json!({ "redrive": [] })).await;
    event(&cloud, json!({ "reload": ["orders/0.csv"] })).await;
    let key = cloud.upload("0.csv", orders(9, 0)).await.unwrap();
    cloud.object_created(&key).await.unwrap();
    for stage in cloud.stages() {
        cloud.send(stage, "no JSON").await.unwrap();
    }
    settle(&cloud).await;
    cloud.sweep().fire(std::time::SystemTime::now()).await.unwrap();
    assert_eq!(
        cloud.ledger().unwrap().iter().map(|row| &row.batch.input).collect::<std::collections::BTreeSet<_>>().len(),
        4
    );
    let letters = cloud.dead_letters().await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.step).collect::<Vec<_>>(), Step::ALL);

    let mut unused = Vec::new();
    for name in &names {
        let policy = &policies[name];
        assert_eq!(policy.refused(), [], "{name} lacks a permission");
        let step = name.rsplit('-').next().unwrap();
        let requests = cloud.requests_of(Step::ALL.into_iter().find(|one| one.name() == step).unwrap());
        println!(
            "{name}: {} calls of {} operations; {} statements with {} grants, {} of them not needed here",
            requests.values().sum::<u64>(),
            requests.len(),
            policy.statements(),
            policy.len(),
            policy.unused().len()
        );
        unused.extend(policy.unused().into_iter().map(|(action, on)| (step.to_owned(), action, on)));
    }
    let is_of = |(by, what, end, _): &(&str, &str, &str, &str), (step, action, on): &(String, String, String)| {
        by == step && what == action && on.ends_with(end)
    };
    let unknown = unused.iter().filter(|grant| !NOT_NEEDED_HERE.iter().any(|known| is_of(known, grant)));
    assert_eq!(unknown.collect::<Vec<_>>(), [] as [&(String, String, String); 0]);
    // What was needed after all is no exception any more.
    let stale = NOT_NEEDED_HERE.iter().filter(|known| !unused.iter().any(|grant| is_of(known, grant)));
    assert_eq!(stale.collect::<Vec<_>>(), [] as [&(&str, &str, &str, &str); 0]);
    drop(cloud);
    one_permission_less(counterparts, programs, installation, &state).await;
}

/// Without one permission that is needed, work does not come to its end, and it is known why.
async fn one_permission_less(
    counterparts: &Arc<Counterparts>,
    programs: &Programs,
    installation: &Installation,
    state: &str,
) {
    let lesser = state.replace("s3:PutObject", "s3:PutObjectTagging");
    let deployed = Deployed::read(&lesser, MODULE).unwrap();
    let policies: BTreeMap<String, Arc<Policy>> = deployed.policies.clone();
    let settings = Settings::new("lesser", &installation.text("pipelines/orders.yaml"), programs.clone());
    let cloud = Cloud::run(Arc::clone(counterparts), settings, deployed).await.unwrap();
    cloud.upload("8.csv", orders(8, 0)).await.unwrap();
    let outcome = cloud.event(&json!({ "run": "lesser" })).await.unwrap();
    assert!(outcome.result.is_err());
    let refused = policies["etalon-orders-extract"].refused();
    assert!(refused.iter().any(|(action, _)| action == "s3:PutObject"), "{refused:?}");
}
