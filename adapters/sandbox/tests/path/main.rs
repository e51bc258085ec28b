//! The whole path, by the real functions: what lies in S3 comes to the warehouse as it does on a laptop, once, whatever
//! happens on the way.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail, and says why"
)]

mod faults;
mod landing;
mod laptop;
mod limits;
mod orders;
mod restarts;

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use etalon_core::deploy::Sizes;
use etalon_core::protocol::{Step, UnitState, prefix};
use etalon_core::receipt::Counts;
use etalon_golden::mariadb;
use etalon_sandbox::cloud::{Cloud, Counterparts, DeadLetter, Programs, Settings};
use etalon_sandbox::counterpart;
use etalon_sandbox::lambda::Mishap;
use etalon_sandbox::redshift::Behaviour;
use serde_json::json;
use tokio::runtime::Runtime;

use laptop::{Laptop, rows};

/// The longest that a cloud may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(240);
/// `batch_time()` where a test says it.
const BATCH_TIME: &str = "2026-05-01T00:00:00Z";

/// What the tests share.
struct Shared {
    counterparts: Arc<Counterparts>,
    programs: Programs,
    runtime: Runtime,
}

type Test = counterpart::Test<Shared>;

fn main() -> ExitCode {
    let start = || {
        let counterparts = Arc::new(Counterparts::start()?);
        let programs = Programs::find().map_err(std::io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Shared { counterparts, programs, runtime })
    };
    let tests: &[Test] = &[
        ("the_table_is_that_of_a_laptop", |shared| shared.run(the_table_is_that_of_a_laptop(shared))),
        ("twice_is_once", |shared| shared.run(twice_is_once(shared))),
        ("an_object_that_arrives_is_loaded", |shared| shared.run(an_object_that_arrives_is_loaded(shared))),
        ("poison_lies_among_the_dead_letters", |shared| shared.run(poison_lies_among_the_dead_letters(shared))),
        ("an_object_that_changes_is_held", |shared| shared.run(an_object_that_changes_is_held(shared))),
        ("a_backfill_takes_the_place_of_what_was_loaded", |shared| {
            shared.run(a_backfill_takes_the_place_of_what_was_loaded(shared));
        }),
        ("what_extract_cannot_finish_it_hands_to_itself", |shared| {
            shared.run(what_extract_cannot_finish_it_hands_to_itself(shared));
        }),
        ("a_load_goes_on_while_nobody_waits", |shared| shared.run(a_load_goes_on_while_nobody_waits(shared))),
        ("a_pipeline_loads_no_oftener_than_its_file_says", |shared| {
            shared.run(a_pipeline_loads_no_oftener_than_its_file_says(shared));
        }),
        ("a_lost_right_holds_nothing", |shared| shared.run(a_lost_right_holds_nothing(shared))),
        ("everything_that_goes_wrong_loses_nothing", |shared| {
            shared.run(faults::everything_that_goes_wrong_loses_nothing(shared));
        }),
        ("a_database_is_read_while_others_write_and_functions_are_killed", |shared| {
            shared.run(landing::a_database_is_read_while_others_write_and_functions_are_killed(shared));
        }),
        ("a_mysql_is_read_by_a_user_with_a_password", |shared| {
            shared.run(landing::a_mysql_is_read_by_a_user_with_a_password(shared));
        }),
        ("a_connector_goes_on_where_it_was", |shared| shared.run(landing::a_connector_goes_on_where_it_was(shared))),
        ("tokens_that_a_server_renews_outlive_the_functions", |shared| {
            shared.run(landing::tokens_that_a_server_renews_outlive_the_functions(shared));
        }),
        ("an_api_is_read_as_a_whole", |shared| shared.run(landing::an_api_is_read_as_a_whole(shared))),
        ("a_small_object_takes_few_requests", |shared| shared.run(limits::a_small_object_takes_few_requests(shared))),
        ("a_burst_of_events_loses_nothing", |shared| shared.run(limits::a_burst_of_events_loses_nothing(shared))),
        ("a_record_has_at_most_16_mib", |shared| shared.run(limits::a_record_has_at_most_16_mib(shared))),
        ("a_table_has_500_and_1600_columns", |shared| shared.run(limits::a_table_has_500_and_1600_columns(shared))),
        ("restarts_in_the_middle_lose_nothing", |shared| {
            shared.run(restarts::restarts_in_the_middle_lose_nothing(shared));
        }),
        ("a_call_that_gets_no_answer_ends_in_its_time", |shared| {
            shared.run(restarts::a_call_that_gets_no_answer_ends_in_its_time(shared));
        }),
        ("the_command_tells_what_came_of_everything", |_| the_command_tells_what_came_of_everything()),
        ("what_goes_wrong_on_the_way_loses_nothing", |shared| {
            shared.run(what_goes_wrong_on_the_way_loses_nothing(shared));
        }),
    ];
    // What needs a MariaDB is left out where there is none, as the tests are told where the others are missing.
    let is_there = |(name, _): &&Test| !name.contains("mysql") || mariadb::is_there();
    counterpart::main(start, &tests.iter().filter(is_there).copied().collect::<Vec<_>>())
}

impl Shared {
    fn run(&self, test: impl Future<Output = ()>) {
        self.runtime.block_on(test);
    }

    /// A cloud with the pipeline of orders, and some days of them in its source.
    async fn cloud(&self, name: &str, days: u32) -> Cloud {
        self.cloud_of(Settings::new(name, orders::PIPELINE, self.programs.clone()), days).await
    }

    async fn cloud_of(&self, settings: Settings, days: u32) -> Cloud {
        cloud_over(&self.counterparts, settings, days).await
    }
}

/// A cloud over these programs, in which what went wrong comes again well within the patience of a test.
async fn cloud_over(counterparts: &Arc<Counterparts>, mut settings: Settings, days: u32) -> Cloud {
    let Sizes { extract, transform, load, .. } = &mut settings.sizes;
    for size in [extract, transform, load] {
        size.timeout_seconds = size.timeout_seconds.min(40);
    }
    let cloud = Cloud::start(Arc::clone(counterparts), settings).await.unwrap();
    for day in 0..days {
        cloud.upload(&orders::name(day), orders::day(day)).await.unwrap();
    }
    cloud
}

/// Starts a run by hand, and waits until everything is done.
async fn run(cloud: &Cloud) {
    let outcome = cloud.event(&json!({ "run": "by-hand", "batch_time": BATCH_TIME })).await.unwrap();
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    settle(cloud).await;
}

async fn settle(cloud: &Cloud) {
    settle_within(cloud, PATIENCE).await;
}

/// Waits until everything is done, for so long.
async fn settle_within(cloud: &Cloud, patience: Duration) {
    if let Err(error) = cloud.settle(patience).await {
        for stage in cloud.stages() {
            for line in stage.function.log() {
                eprintln!("{}: {line}", stage.step.name());
            }
        }
        panic!("{error}");
    }
    assert_eq!(cloud.unknown_metrics(), []);
}

async fn the_table_is_that_of_a_laptop(shared: &Shared) {
    let days = orders::number("ETALON_DAYS", 3);
    let cloud = shared.cloud("laptop", days).await;
    run(&cloud).await;
    let laptop = Laptop::new(&cloud, shared, BATCH_TIME).await;
    assert_eq!(rows(cloud.database_url(), orders::TABLE), laptop.rows());
    assert_eq!(cloud.ledger().unwrap().len(), days as usize);

    let mut counts = Counts::default();
    for receipt in cloud.receipts().await.unwrap() {
        assert!(receipt.counts.balance() && receipt.coverage.balance());
        counts.add(receipt.counts);
    }
    assert_eq!(counts, laptop.counts());
    assert!(counts.quarantined > 0 && counts.filtered_false > 0 && counts.staged > 0);

    let parts = cloud.parts().await.unwrap();
    assert_eq!(parts, laptop.parts().await);
    assert!(parts.len() >= days as usize);
    let loaded = cloud.loaded().await.unwrap();
    let staged = |event: &serde_json::Value| event["detail"]["counts"]["staged"].as_u64().unwrap_or_default();
    assert_eq!(loaded.iter().map(staged).sum::<u64>(), counts.staged, "{loaded:?}");
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
    println!("{} rows read, {} parts and the table equal", counts.read, parts.len());
}

async fn twice_is_once(shared: &Shared) {
    let cloud = shared.cloud("twice", 2).await;
    run(&cloud).await;
    let first = rows(cloud.database_url(), orders::TABLE);
    let ledger = cloud.ledger().unwrap();
    // Another run over the same objects, by the schedule this time.
    cloud.schedule().fire(SystemTime::now()).await.unwrap();
    settle(&cloud).await;
    assert_eq!(rows(cloud.database_url(), orders::TABLE), first);
    assert_eq!(cloud.ledger().unwrap(), ledger);
    assert!(!first.is_empty());
}

async fn an_object_that_arrives_is_loaded(shared: &Shared) {
    let cloud = shared.cloud("arrives", 1).await;
    run(&cloud).await;
    let key = cloud.upload(&orders::name(1), orders::day(1)).await.unwrap();
    // EventBridge may tell it twice.
    cloud.object_created(&key).await.unwrap();
    cloud.object_created(&key).await.unwrap();
    // An object that is not the pipeline's is nobody's business.
    let other = cloud.upload("elsewhere/notes.txt", b"no orders".to_vec()).await.unwrap();
    cloud.object_created(&other).await.unwrap();
    settle(&cloud).await;
    let both = shared.cloud("both", 2).await;
    run(&both).await;
    let orders = |cloud: &Cloud| laptop::cells(cloud.database_url(), orders::TABLE, orders::COLUMNS);
    assert_eq!(orders(&cloud), orders(&both));
    assert_eq!(cloud.ledger().unwrap().len(), 2);
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
}

async fn poison_lies_among_the_dead_letters(shared: &Shared) {
    let cloud = shared.cloud("poison", 1).await;
    cloud.send(cloud.extract(), "no JSON").await.unwrap();
    cloud.send(cloud.transform(), r#"{"version":1}"#).await.unwrap();
    cloud.send(cloud.load(), r#"{"version":1,"table":"other.table"}"#).await.unwrap();
    run(&cloud).await;
    let letters = cloud.dead_letters().await.unwrap();
    let steps: Vec<Step> = letters.iter().map(|letter| letter.step).collect();
    assert_eq!(steps, Step::ALL);
    let reasons: Vec<&str> = letters.iter().map(DeadLetter::reason).collect();
    let wanted = [
        "a start message: not JSON: expected ident at line 1 column 2",
        "not a task message: missing field `input` at line 1 column 13",
        "the message is for table other.table, but this function loads analytics.orders",
    ];
    assert_eq!(reasons, wanted);
    // Everything else is loaded.
    assert_eq!(cloud.ledger().unwrap().len(), 1);
}

async fn what_goes_wrong_on_the_way_loses_nothing(shared: &Shared) {
    let mut settings = Settings::new("wrong", orders::PIPELINE, shared.programs.clone());
    let sizes = &mut settings.sizes;
    for size in [&mut sizes.extract, &mut sizes.transform, &mut sizes.load] {
        // So long is a message away that nobody has dealt with.
        size.timeout_seconds = 5;
    }
    let cloud = shared.cloud_of(settings, 3).await;
    for stage in cloud.stages() {
        stage.function.inject(Mishap::Kill(Duration::from_millis(40)));
        stage.function.inject(Mishap::LoseResponse);
        stage.function.inject(Mishap::Duplicate);
        stage.function.inject(Mishap::Kill(Duration::from_millis(120)));
    }
    // A message comes five times, which is more than what goes wrong with it.
    let start = json!({ "run": "by-hand", "batch_time": BATCH_TIME });
    cloud.send(cloud.extract(), &start.to_string()).await.unwrap();
    settle(&cloud).await;
    let laptop = Laptop::new(&cloud, shared, BATCH_TIME).await;
    assert_eq!(rows(cloud.database_url(), orders::TABLE), laptop.rows());
    assert_eq!(cloud.ledger().unwrap().len(), 3);
    let killed: u64 = cloud.stages().iter().map(|stage| stage.function.totals().errors).sum();
    assert!(killed > 0);
}

async fn an_object_that_changes_is_held(shared: &Shared) {
    let cloud = shared.cloud("changes", 1).await;
    run(&cloud).await;
    let before = rows(cloud.database_url(), orders::TABLE);
    let key = cloud.upload(&orders::name(0), orders::day(7)).await.unwrap();
    cloud.object_created(&key).await.unwrap();
    settle(&cloud).await;
    let states: Vec<UnitState> = cloud.units().await.unwrap().into_iter().map(|unit| unit.state).collect();
    let held: Vec<&Vec<String>> = states
        .iter()
        .filter_map(|state| if let UnitState::Held { reasons, .. } = state { Some(reasons) } else { None })
        .collect();
    assert_eq!((states.len(), held.len()), (2, 1), "{states:?}");
    assert!(held[0][0].contains("on_overwrite"), "{held:?}");
    assert_eq!(rows(cloud.database_url(), orders::TABLE), before);
}

async fn a_backfill_takes_the_place_of_what_was_loaded(shared: &Shared) {
    let cloud = shared.cloud("backfill", 2).await;
    run(&cloud).await;
    let orders = || laptop::cells(cloud.database_url(), orders::TABLE, orders::COLUMNS);
    let before = orders();
    let again = json!({ "backfill": true, "run": "again", "batch_time": "2026-06-01T00:00:00Z" });
    // A person may ask twice.
    for _ in 0..2 {
        assert!(cloud.event(&again).await.unwrap().result.is_ok());
        settle(&cloud).await;
    }
    assert_eq!(orders(), before);
    let mut generations: Vec<u32> = cloud.ledger().unwrap().iter().map(|row| row.batch.generation).collect();
    generations.sort_unstable();
    // A backfill opens the next generation, once.
    assert_eq!(generations, [0, 0, 1, 1]);
    // No row of the first generation is left.
    let batches = laptop::cells(cloud.database_url(), orders::TABLE, "DISTINCT _etalon_batch");
    let mut again: Vec<String> = cloud.ledger().unwrap().into_iter().skip(2).map(|row| row.batch.batch).collect();
    again.sort();
    assert_eq!(batches.concat().into_iter().flatten().collect::<Vec<_>>(), again);
}

/// The load function obeys `load_every`: what arrives meanwhile waits, whoever looks, and is loaded together.
async fn a_pipeline_loads_no_oftener_than_its_file_says(shared: &Shared) {
    let pipeline = format!("{}load_every: 1 minute\n", orders::PIPELINE);
    let cloud = shared.cloud_of(Settings::new("every", &pipeline, shared.programs.clone()), 1).await;
    run(&cloud).await;
    let statements = || lines(&cloud, Step::Load, "submitted");
    let (first, begun) = (statements(), Instant::now());
    assert!(first > 0);
    for day in 1..3 {
        let key = cloud.upload(&orders::name(day), orders::day(day)).await.unwrap();
        cloud.object_created(&key).await.unwrap();
    }
    while cloud.names(prefix::PENDING.text, 2).await.unwrap().len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(30), "two units are not staged in half a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for _ in 0..3 {
        assert!(cloud.sweep().fire(SystemTime::now()).await.unwrap().result.is_ok());
    }
    assert_eq!((cloud.ledger().unwrap().len(), statements()), (1, first), "it has loaded within the minute");
    settle(&cloud).await;
    assert_eq!((cloud.ledger().unwrap().len(), lines(&cloud, Step::Load, "loaded")), (3, 2));
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
}

/// How often a function has logged something.
fn lines(cloud: &Cloud, step: Step, message: &str) -> usize {
    let said = format!("\"message\":\"{message}\"");
    cloud.stage(step).function.log().iter().filter(|line| line.contains(&said)).count()
}

async fn what_extract_cannot_finish_it_hands_to_itself(shared: &Shared) {
    // Several rounds of what is asked for side by side, which do not end in one call even where only the latency counts.
    const OBJECTS: usize = 160;
    let mut settings = Settings::new("continues", orders::PIPELINE, shared.programs.clone());
    // It stops two seconds before its end, and where another round would not end by then. A round is some seconds of work for the
    // stand-in of S3, and may take twice as long on a busy machine.
    settings.sizes.extract.timeout_seconds = 12;
    let cloud = shared.cloud_of(settings, 0).await;
    for number in 0..OBJECTS {
        let day = orders::day(1);
        let mut lines = day.split_inclusive(|byte| *byte == b'\n');
        let mut bytes = lines.next().unwrap().to_vec();
        bytes.extend_from_slice(lines.nth(1 + number).unwrap());
        cloud.upload(&format!("days/{number:03}.csv"), bytes).await.unwrap();
    }
    // An object takes five requests and more, one after the other.
    cloud.set_latency(Duration::from_millis(450));
    // On a busy machine a round may take longer; what starts a function starts it again then, and it goes on where it was.
    let start = json!({ "run": "by-hand", "batch_time": BATCH_TIME });
    let mut ended = 0;
    while cloud.event(&start).await.unwrap().result.is_err() {
        ended += 1;
        assert!(ended < 10, "it was ended ten times");
    }
    let handed_on = async {
        while cloud.extract().polled().done == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // What calls have done that were ended is not left for another.
    let is_handed_on = ended > 0 || tokio::time::timeout(PATIENCE, handed_on).await.is_ok();
    assert!(is_handed_on, "it was done in one call");
    cloud.set_latency(Duration::ZERO);
    settle(&cloud).await;
    let receipts = cloud.receipts().await.unwrap();
    assert_eq!(receipts.len(), OBJECTS);
    // Where the one row is broken, there are too many rejects.
    let rejected = receipts.iter().filter(|receipt| receipt.counts.quarantined > 0).count();
    assert_eq!(cloud.ledger().unwrap().len() + rejected, OBJECTS);
}

async fn a_load_goes_on_while_nobody_waits(shared: &Shared) {
    let mut settings = Settings::new("waits", orders::PIPELINE, shared.programs.clone());
    settings.sizes.load.timeout_seconds = 5;
    let cloud = shared.cloud_of(settings, 1).await;
    // Longer than any call of the loader.
    cloud.redshift().script(Behaviour::on("COPY").delay(Duration::from_secs(8))).unwrap();
    run(&cloud).await;
    assert_eq!(cloud.ledger().unwrap().len(), 1);
    assert!(cloud.load().function.totals().invocations > 1);
    let copied = cloud.redshift().counters().rows_copied;
    assert_eq!(copied, cloud.receipts().await.unwrap().iter().map(|receipt| receipt.counts.staged).sum::<u64>());
}

async fn a_lost_right_holds_nothing(shared: &Shared) {
    let settings = Settings::new("lost-right", orders::PIPELINE, shared.programs.clone());
    let cloud = shared.cloud_of(settings, 4).await;
    let lost = "ERROR: User arn:aws:redshift:eu-central-1:123456789012:dbuser:etalon/u is not authorized to assume IAM \
                Role arn:aws:iam::123456789012:role/etalon-copy DETAIL: error: Not authorized to get credentials of role";
    cloud.redshift().script(Behaviour::on("COPY").times(2).fail(lost)).unwrap();
    run(&cloud).await;
    assert_eq!(cloud.ledger().unwrap().len(), 4);
    let units = cloud.units().await.unwrap();
    assert!(units.iter().all(|unit| matches!(unit.state, UnitState::Loaded { .. })));
    assert_eq!(cloud.dead_letters().await.unwrap(), []);
    // Its words are there to be read.
    let log = cloud.load().function.log();
    assert!(log.iter().any(|line| line.to_string().contains("not authorized to assume IAM Role")));
    let again = log.iter().filter(|line| line.to_string().contains("the message comes again")).count();
    // Four messages, and three attempts at the load that they ask for.
    assert!((1..=4 * 3).contains(&again), "{again}");
}

fn the_command_tells_what_came_of_everything() {
    let folder = tempfile::tempdir().unwrap();
    let days = folder.path().join("days");
    std::fs::create_dir(&days).unwrap();
    std::fs::write(folder.path().join("orders.yaml"), orders::PIPELINE).unwrap();
    for day in 0..2 {
        std::fs::write(folder.path().join(orders::name(day)), orders::day(day)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let ran = Command::new(env!("CARGO_BIN_EXE_etalon-sandbox"))
            .current_dir(folder.path())
            .args(["run", "orders.yaml"])
            .args(arguments)
            .output()
            .unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr).unwrap())
    };
    let (code, told, notes) = run(&[]);
    assert_eq!(code, Some(0), "{told} {notes}");
    assert!(told.contains("read 4000 = 3714 staged + 130 filtered + 156 quarantined\n"), "{told}");
    assert!(told.contains("staged 3714 = 3267 inserted + "), "{told}");
    assert!(told.contains("; 2 ledger rows\n"), "{told}");
    for line in ["extract", "transform", "load", "  redshift-data BatchExecuteStatement: ", "  s3 PutObject: "] {
        assert!(told.contains(&format!("\n{line}")), "{told}");
    }

    std::fs::write(days.join("03.csv"), "id,amount\n1,2.00\n").unwrap();
    let (code, told, _) = run(&["--from", "days/03.csv"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("\nheld: "), "{told}");

    std::fs::write(folder.path().join("orders.yaml"), "etalon: 1\n").unwrap();
    let (code, told, notes) = run(&[]);
    assert_eq!((code, told.as_str()), (Some(2), ""));
    assert!(notes.contains("error[E"), "{notes}");
}
