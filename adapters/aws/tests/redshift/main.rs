//! Redshift by its Data API, against a stand-in over PostgreSQL, with S3 by another one.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

mod loads;
mod port;

use std::io;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use etalon_aws::client::Clients;
use etalon_aws::objects::S3Objects;
use etalon_aws::redshift::{Redshift, Settings};
use etalon_core::deploy::WarehouseId;
use etalon_core::error::ErrorKind;
use etalon_core::plan::sha256;
use etalon_core::protocol::Blame;
use etalon_core::types::Type;
use etalon_core::warehouse::{Layout, LoadBatch, Table, TableColumn, WriteMode};
use etalon_driver::ports::{DataWarehouse, LoadOrder, StatementState};
use etalon_driver::testing::conformance;
use etalon_sandbox::counterpart;
use etalon_sandbox::moto::Moto;
use etalon_sandbox::postgres::Server;
use etalon_sandbox::redshift::{Behaviour, Config, DataApi};
use futures_util::future::join_all;

/// Set for the process that runs the tests, with the environment by which the ports find the stand-in of S3.
const INNER: &str = "ETALON_TEST_INNER";

fn main() -> ExitCode {
    let tests: &[counterpart::Test<Server>] = &[
        ("a_data_warehouse", |server| block_on(a_data_warehouse(server))),
        ("a_table_is_created_changed_and_refused", |server| block_on(a_table_is_created_changed_and_refused(server))),
        ("a_failure_is_the_worlds_or_the_datas", |server| block_on(a_failure_is_the_worlds_or_the_datas(server))),
        ("pipelines_of_one_schema_are_not_in_each_others_way", |server| {
            block_on(pipelines_of_one_schema_are_not_in_each_others_way(server, 4));
        }),
        ("eight_pipelines_of_one_schema_are_not_in_each_others_way", |server| {
            block_on(pipelines_of_one_schema_are_not_in_each_others_way(server, 8));
        }),
        ("what_does_not_end_is_given_up", |server| block_on(what_does_not_end_is_given_up(server))),
        ("many_pages_of_the_ledger", |server| block_on(many_pages_of_the_ledger(server))),
    ];
    if std::env::var_os(INNER).is_some() {
        return counterpart::main(Server::start, &[tests, loads::TESTS].concat());
    }
    // A process's own environment is not to be changed, so that the tests run in another one.
    let run = || -> io::Result<ExitCode> {
        let moto = Moto::start()?;
        let mut inner = Command::new(std::env::current_exe()?);
        let status = inner.args(std::env::args_os().skip(1)).envs(moto.environment()).env(INNER, "1").status()?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    };
    run().unwrap_or_else(|error| counterpart::main(|| Err(error), tests))
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn wait(microseconds: i64) {
    tokio::time::sleep(Duration::from_micros(microseconds.unsigned_abs())).await;
}

/// A warehouse in an empty database of a name.
async fn warehouse(server: &Server, database: &str, page_rows: usize) -> (DataApi, Redshift) {
    let clients = Clients::from_env().await;
    let s3 = std::env::var("AWS_ENDPOINT_URL").unwrap();
    let config = Config { page_rows, ..Config::new(server.database(database).unwrap(), Some(s3)) };
    let api = DataApi::start(config).unwrap();
    clients.s3().create_bucket().bucket(database).send().await.unwrap();
    let config = clients.redshift_data().config().to_builder().endpoint_url(api.endpoint()).build();
    let store = S3Objects::new(clients.s3(), database, "etalon/");
    let redshift = Redshift::new(aws_sdk_redshiftdata::Client::from_conf(config), store, settings());
    (api, redshift)
}

fn settings() -> Settings {
    Settings {
        database: "dev".to_owned(),
        id: WarehouseId::Workgroup("etalon".to_owned()),
        secret: None,
        iam_role: "arn:aws:iam::123456789012:role/etalon-copy".to_owned(),
        poll: Duration::from_secs(1),
        patience: Duration::from_secs(30),
    }
}

fn table(columns: &[(&str, Type, bool)]) -> Table {
    let column = |&(name, ty, required): &(&str, Type, bool)| TableColumn { name: name.to_owned(), ty, required };
    Table {
        schema: None,
        name: "orders".to_owned(),
        columns: columns.iter().map(column).collect(),
        write: WriteMode::Append,
        lineage: true,
        deletes: false,
        keeps_beaten: false,
        dedupe: None,
        layout: Layout::default(),
    }
}

fn batch(input: &str, staged: u64) -> LoadBatch {
    LoadBatch {
        input: input.to_owned(),
        batch: format!("{input}-batch"),
        generation: 0,
        source: "it's/a.csv".to_owned(),
        source_version: "1".to_owned(),
        content: "1".to_owned(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: 1_767_225_600_123_456,
        staged,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
    }
}

fn order(table: &Table, load: &str, batches: Vec<LoadBatch>) -> LoadOrder {
    LoadOrder { load: load.to_owned(), table: table.clone(), loaded_at: 0, batches, parts: Vec::new() }
}

async fn ended(redshift: &Redshift, statement: &str) -> StatementState {
    loop {
        match redshift.status(statement).await.unwrap() {
            StatementState::Running => {}
            ended => return ended,
        }
    }
}

const ID: (&str, Type, bool) = ("id", Type::Bigint, true);

async fn a_data_warehouse(server: &Server) {
    let (_api, redshift) = warehouse(server, "suite", 1000).await;
    conformance::data_warehouse(&redshift, &table(&[ID]), "here", wait).await;
}

async fn a_table_is_created_changed_and_refused(server: &Server) {
    let (_api, redshift) = warehouse(server, "changed", 1000).await;
    let submit = async |table: &Table, load: &str| {
        redshift.submit(&order(table, load, vec![batch(load, 0)]), &sha256(load.as_bytes())).await
    };
    let narrow = table(&[ID, ("name", Type::Varchar(20), false)]);
    let first = submit(&narrow, "first").await.unwrap();
    assert_eq!(ended(&redshift, &first).await, StatementState::Finished);
    let wide = table(&[ID, ("name", Type::Varchar(40), false), ("at", Type::Timestamptz, false)]);
    let second = submit(&wide, "second").await.unwrap();
    assert_eq!(ended(&redshift, &second).await, StatementState::Finished);
    let other = table(&[("id", Type::Date, true)]);
    let error = submit(&other, "third").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("column `id` is bigint there and date here"), "{error}");

    let wanted = ["first", "second", "third"].map(str::to_owned);
    let mut ledger = redshift.ledger(&wide, &wanted).await.unwrap();
    ledger.sort_by(|(left, _), (right, _)| left.input.cmp(&right.input));
    let batches: Vec<_> = ledger.iter().map(|(batch, _)| batch.clone()).collect();
    assert_eq!(batches, [batch("first", 0), batch("second", 0)]);
    assert!(ledger.iter().all(|(_, counts)| counts.balance()));
    assert_eq!(redshift.ledger(&wide, &["fourth".to_owned()]).await.unwrap(), []);
    assert_eq!(redshift.ledger(&wide, &[]).await.unwrap(), []);
}

async fn a_failure_is_the_worlds_or_the_datas(server: &Server) {
    let (api, redshift) = warehouse(server, "failing", 1000).await;
    let orders = table(&[ID]);
    let mut number = 0;
    let mut failed = async |behaviour: Option<Behaviour>, staged| {
        number += 1;
        let load = format!("load{number}");
        if let Some(behaviour) = behaviour {
            api.script(behaviour).unwrap();
        }
        let order = LoadOrder { ..order(&orders, &load, vec![batch(&load, staged)]) };
        let submitted = redshift.submit(&order, &sha256(load.as_bytes())).await?;
        let ended = ended(&redshift, &submitted).await;
        api.forget_script();
        Ok::<_, etalon_core::error::Error>(ended)
    };
    // The table is there, so that what fails is the load.
    assert_eq!(failed(None, 0).await.unwrap(), StatementState::Finished);
    let conflict = "ERROR: 1023 Detail: Serializable isolation violation on table";
    let ended = failed(Some(Behaviour::on("LOCK TABLE").fail(conflict)), 0).await.unwrap();
    let StatementState::Failed(words, Blame::Environment) = ended else { panic!("{ended:?}") };
    assert!(words.contains("1023"), "{words}");
    let ended = failed(Some(Behaviour::on("_etalon_load").fail("ERROR: Numeric data overflow")), 0).await.unwrap();
    assert!(matches!(ended, StatementState::Failed(_, Blame::Data)), "{ended:?}");
    assert_eq!(failed(Some(Behaviour::on("LOCK TABLE").abort()), 0).await.unwrap(), StatementState::Aborted);
    // Rows that nothing brings.
    let error = failed(None, 3).await.unwrap_err();
    assert_eq!(error.to_string(), "table `orders` is loaded from a manifest, and there is none");
    // A guard says what it looks for.
    let twice = |token: &str| {
        let order = order(&orders, "again", vec![batch("again", 0)]);
        let token = sha256(token.as_bytes());
        let redshift = &redshift;
        async move { redshift.submit(&order, &token).await.unwrap() }
    };
    let first = twice("1").await;
    assert_eq!(self::ended(&redshift, &first).await, StatementState::Finished);
    let second = twice("2").await;
    let ended = self::ended(&redshift, &second).await;
    let StatementState::Failed(words, Blame::Data) = ended else { panic!("{ended:?}") };
    assert!(words.starts_with("check that no input is loaded: "), "{words}");
}

async fn pipelines_of_one_schema_are_not_in_each_others_way(server: &Server, pipelines: usize) {
    const LOADS: usize = 6;
    let (api, redshift) = warehouse(server, &format!("schema{pipelines}"), 1000).await;
    // A load takes its time, so that loads overlap between what they do to the ledger.
    api.script(Behaviour::on("count what became of the rows").delay(Duration::from_millis(250))).unwrap();
    let pipeline = async |number: usize, round: &str| {
        let orders = Table { name: format!("orders{number}"), write: merge(), ..table(&[ID]) };
        for load in 0..LOADS {
            let load = format!("{round}{number}-{load}");
            let again = LoadBatch { replaces_generations: true, ..batch(&load, 0) };
            let submitted =
                redshift.submit(&order(&orders, &load, vec![again]), &sha256(load.as_bytes())).await.unwrap();
            assert_eq!(ended(&redshift, &submitted).await, StatementState::Finished);
        }
    };
    let began = Instant::now();
    for number in 0..pipelines {
        pipeline(number, "alone").await;
    }
    let alone = began.elapsed();
    let began = Instant::now();
    join_all((0..pipelines).map(|number| pipeline(number, "beside"))).await;
    let beside = began.elapsed();
    println!(
        "{pipelines} pipelines, {LOADS} loads each: {alone:?} one after the other, {beside:?} at once, 0 deadlocks"
    );
    assert!(beside < alone, "{beside:?} at once and {alone:?} one after the other");
}

fn merge() -> WriteMode {
    WriteMode::Merge { key: vec![0], order_by: Vec::new() }
}

async fn what_does_not_end_is_given_up(server: &Server) {
    let (api, redshift) = warehouse(server, "slow", 1000).await;
    let redshift = redshift.within(Duration::from_secs(1));
    api.script(Behaviour::on("svv_columns").delay(Duration::from_secs(3600))).unwrap();
    let orders = table(&[ID]);
    let error = redshift.submit(&order(&orders, "l", vec![batch("a", 0)]), "token").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("does not end within 1 seconds"), "{error}");
}

async fn many_pages_of_the_ledger(server: &Server) {
    let (_api, redshift) = warehouse(server, "pages", 7).await;
    let orders = table(&[ID]);
    let inputs: Vec<String> = (0..40).map(|number| format!("input{number:02}")).collect();
    let batches = inputs.iter().map(|input| batch(input, 0)).collect();
    let submitted = redshift.submit(&order(&orders, "l", batches), "token").await.unwrap();
    assert_eq!(ended(&redshift, &submitted).await, StatementState::Finished);
    let mut found: Vec<String> =
        redshift.ledger(&orders, &inputs).await.unwrap().into_iter().map(|(batch, _)| batch.input).collect();
    found.sort();
    assert_eq!(found, inputs);
}
