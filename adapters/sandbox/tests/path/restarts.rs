//! Restarts: the warehouse, and then S3 and the queues, go away in the middle of a run and come back. Nothing is lost, doubled
//! or held.

use std::sync::Arc;
use std::time::Duration;

use etalon_core::protocol::{UnitState, name, prefix};
use etalon_sandbox::cloud::{Cloud, Counterparts, Settings};
use etalon_sandbox::redshift::Behaviour;
use serde_json::json;

use super::laptop::{Laptop, cells};
use super::{BATCH_TIME, PATIENCE, Shared, cloud_over, orders, settle};

/// Days of orders that come before the warehouse goes away, and before the services do.
const DAYS: [u32; 2] = [2, 2];
/// How long the warehouse is away.
const AWAY: Duration = Duration::from_secs(2);
/// How long S3 and the queues say nothing: longer than the functions wait for an answer.
const SILENT: Duration = Duration::from_secs(12);

/// Waits until something is so.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waited = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waited).await.is_ok(), "it never comes to that: {what}");
}

/// Asks for a run, which goes on by itself.
async fn start(cloud: &Cloud, run: &str) {
    let start = json!({ "run": run, "batch_time": BATCH_TIME });
    cloud.send(cloud.extract(), &start.to_string()).await.unwrap();
}

pub(crate) async fn restarts_in_the_middle_lose_nothing(shared: &Shared) {
    // Others need their own programs at work.
    let counterparts = Arc::new(Counterparts::start().unwrap());
    let mut settings = Settings::new("restarts", orders::PIPELINE, shared.programs.clone());
    let sizes = &mut settings.sizes;
    for size in [&mut sizes.extract, &mut sizes.transform, &mut sizes.load] {
        size.timeout_seconds = 20;
    }
    let cloud = cloud_over(&counterparts, settings, DAYS[0]).await;

    // The warehouse is stopped while a load is under way.
    cloud.redshift().script(Behaviour::on("COPY").times(1).delay(Duration::from_secs(3))).unwrap();
    start(&cloud, "first").await;
    let current = name::current(&name::table(cloud.pipeline().table()));
    until("a load is under way", async || !cloud.names(&current, 1).await.unwrap().is_empty()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    counterparts.postgres.stop().unwrap();
    tokio::time::sleep(AWAY).await;
    counterparts.postgres.start_again().unwrap();
    settle(&cloud).await;
    assert_eq!(cloud.ledger().unwrap().len(), DAYS[0] as usize);
    let told = cloud.load().function.log().iter().any(|line| line.to_string().contains("PostgreSQL is gone"));
    assert!(told, "the load was not interrupted");

    // S3 and the queues stand still while objects are read. What was asked for then is done late, and asked for twice.
    for day in DAYS[0]..DAYS[0] + DAYS[1] {
        cloud.upload(&orders::name(day), orders::day(day)).await.unwrap();
    }
    let receipts = cloud.names(prefix::RECEIPTS.text, 100).await.unwrap().len();
    start(&cloud, "second").await;
    let is_read = async || cloud.names(prefix::RECEIPTS.text, 100).await.unwrap().len() > receipts;
    until("an object is read", is_read).await;
    counterparts.moto.freeze().unwrap();
    tokio::time::sleep(SILENT).await;
    counterparts.moto.thaw().unwrap();
    settle(&cloud).await;

    let days: u32 = DAYS.iter().sum();
    assert_eq!(cloud.ledger().unwrap().len(), days as usize);
    let laptop = Laptop::new(&cloud, shared, BATCH_TIME).await;
    // In which load an order came is another matter: here are two, and there is one.
    assert_eq!(
        cells(cloud.database_url(), orders::TABLE, orders::COLUMNS),
        cells(laptop.database_url(), orders::TABLE, orders::COLUMNS)
    );
    let units = cloud.units().await.unwrap();
    assert!(units.iter().all(|unit| matches!(unit.state, UnitState::Loaded { .. })), "{units:?}");
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
    for stage in cloud.stages() {
        let totals = stage.function.totals();
        println!("{}: {} calls, {} of them failed", stage.step.name(), totals.invocations, totals.errors);
    }
}

pub(crate) async fn a_call_that_gets_no_answer_ends_in_its_time(shared: &Shared) {
    let mut settings = Settings::new("no-answer", orders::PIPELINE, shared.programs.clone());
    settings.sizes.extract.timeout_seconds = 5;
    let cloud = cloud_over(&shared.counterparts, settings, 1).await;
    // The function is there before nothing answers any more.
    start(&cloud, "first").await;
    settle(&cloud).await;
    let before = cloud.extract().function.totals();
    cloud.set_latency(Duration::from_secs(30));
    start(&cloud, "second").await;
    until("the call ends", async || cloud.extract().function.totals().invocations > before.invocations).await;
    cloud.set_latency(Duration::ZERO);
    // Where Lambda ends a call it fails, and nobody says why.
    assert_eq!(cloud.extract().function.totals().errors, before.errors);
    let log = cloud.extract().function.log();
    assert!(log.iter().any(|line| line.to_string().contains("the call ran out of time")));
    settle(&cloud).await;
    assert_eq!(cloud.ledger().unwrap().len(), 1);
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
}
