//! One pipeline, two warehouses: the same input loaded by the command into SQLite and into a real PostgreSQL, held against
//! each other, also when the command is killed on the way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use etalon_golden::postgres::{self, Server};
use serde_json::Value;

fn main() -> ExitCode {
    postgres::main(&[
        ("the_sample_is_the_same_in_both_warehouses", the_sample_is_the_same_in_both_warehouses),
        ("golden_cases_are_the_same_in_both_warehouses", golden_cases_are_the_same_in_both_warehouses),
        ("columns_have_the_types_that_were_declared", columns_have_the_types_that_were_declared),
        ("a_kill_in_the_middle_of_a_load_leaves_nothing", a_kill_in_the_middle_of_a_load_leaves_nothing),
    ])
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etalon"));
    command.current_dir(folder).args(arguments);
    command
}

fn etalon(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

/// What the command prints where it succeeds.
#[track_caller]
fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = etalon(folder, arguments);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out.into_owned()
}

/// Runs a pipeline into each of two warehouses, and wants the same report.
#[track_caller]
fn run_both(folder: &Path, pipeline: &str, url: &str) -> Value {
    let reports = ["warehouse.db", url].map(|to| {
        let arguments = ["run", pipeline, "--to", to, "--batch-time", "2026-01-01T00:00:00Z", "--output", "json"];
        let output = etalon(folder, &arguments);
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{to}: {}", String::from_utf8_lossy(&output.stderr)));
        (output.status.code(), report)
    });
    assert_eq!(reports[0], reports[1]);
    reports[0].1.clone()
}

/// Asks both warehouses, and wants the same answer.
#[track_caller]
fn query_both(folder: &Path, url: &str, sql: &str) -> String {
    let answers = ["warehouse.db", url].map(|to| done(folder, &["query", "--to", to, sql, "--output", "csv"]));
    assert_eq!(answers[0], answers[1], "{sql}");
    answers[0].clone()
}

fn the_sample_is_the_same_in_both_warehouses(server: &Server) {
    let folder = tempfile::tempdir().unwrap();
    let (folder, url) = (folder.path(), server.database("sample"));
    done(folder, &["sample", ".", "--rows", "20000"]);
    let report = run_both(folder, "orders.yaml", &url);
    let planted: Value = serde_json::from_slice(&fs::read(folder.join("planted.json")).unwrap()).unwrap();
    assert_eq!(report["reasons"], planted["reasons"]);
    println!("counts {}, load {}", report["counts"], report["load"]);
    println!("reasons of rejects {}", report["reasons"]);
    query_both(folder, &url, "select * from analytics.orders order by order_id");
    for sql in [
        "select count(*) as n, sum(amount) as sum, avg(amount) as avg, min(amount) as min, max(amount) as max from analytics.orders",
        "select currency, count(*) as n, sum(amount) as sum from analytics.orders group by currency order by sum(amount) desc",
        "select min(ordered_at) as first, max(ordered_at) as last, count(distinct customer) as n from analytics.orders",
    ] {
        println!("{sql}\n{}", query_both(folder, &url, sql));
    }
    // Again, and nothing changes.
    let again = run_both(folder, "orders.yaml", &url);
    assert_eq!(again["state"]["state"], "nothing_new");
}

fn golden_cases_are_the_same_in_both_warehouses(server: &Server) {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/cases");
    let mut compared = 0;
    for case in fs::read_dir(cases).unwrap().map(|case| case.unwrap().path()) {
        // Wrong pipelines do not run.
        if !case.join("input").is_dir() {
            continue;
        }
        let name = case.file_name().unwrap().to_str().unwrap();
        let url = server.database(name);
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        assert!(Command::new("cp").arg("-R").arg(case.join("input")).arg(folder).status().unwrap().success());
        fs::copy(case.join("pipeline.yaml"), folder.join("pipeline.yaml")).unwrap();
        let report = run_both(folder, "pipeline.yaml", &url);
        let state = report["state"]["state"].as_str().unwrap();
        println!("{name}: {state}, counts {}, load {}", report["counts"], report["load"]);
        println!("  reasons {}", report["reasons"]);
        if state == "loaded" {
            let table = report["table"].as_str().unwrap();
            let sql = format!("select * from {table} order by _etalon_batch, _etalon_offset");
            let [ours, theirs] = ["warehouse.db", &url].map(|to| {
                let rows = done(folder, &["query", "--to", to, &sql, "--output", "json"]);
                let rows: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&rows).unwrap();
                rows.into_iter()
                    .map(|row| row.into_iter().map(|(_, cell)| document(cell)).collect::<Vec<_>>())
                    .collect::<Vec<_>>()
            });
            assert_eq!(ours, theirs, "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 3, "only {compared} cases were compared");
}

/// A cell that is a document, by its meaning: PostgreSQL orders the keys of an object, and writes numbers in its own way.
fn document(cell: Value) -> Value {
    fn by_meaning(value: Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().into(),
            Value::Array(items) => items.into_iter().map(by_meaning).collect(),
            Value::Object(entries) => entries.into_iter().map(|(name, value)| (name, by_meaning(value))).collect(),
            other => other,
        }
    }
    match cell.as_str().filter(|text| text.starts_with(['{', '['])) {
        Some(text) => serde_json::from_str(text).map(by_meaning).unwrap_or(cell),
        None => by_meaning(cell),
    }
}

const TYPES: &str = "\
etalon: 1
pipeline: types
source:
  files: types.csv
  format: csv
  fields: { id: integer }
columns:
  flag: { from: id > 1, type: boolean }
  small: { from: id, type: smallint }
  whole: { from: id, type: integer }
  big: { from: id, type: bigint }
  exact:
    from: id / 3.0
    type: \"decimal(38,19)\"
  single: { from: id, type: real }
  double: { from: id, type: double precision }
  day: { from: date '2026-01-01' + id, type: date }
  local: { from: timestamp '2026-01-01 00:00:00.000001', type: timestamp }
  instant: { from: timestamptz '2026-01-01 00:00:00+02', type: timestamptz }
  word: { from: \"'äö'\", type: varchar(4) }
  code: { from: \"'ab'\", type: char(3) }
  document: { from: \"'[1, null]'::jsonb\", type: super }
target: { table: analytics.types, write: append }
";

fn columns_have_the_types_that_were_declared(server: &Server) {
    let folder = tempfile::tempdir().unwrap();
    let (folder, url) = (folder.path(), server.database("types"));
    fs::write(folder.join("types.yaml"), TYPES.replace("id / 3.0", "round(id / 3.0, 19)")).unwrap();
    fs::write(folder.join("types.csv"), "id\n1\n2\n").unwrap();
    run_both(folder, "types.yaml", &url);
    let catalog = "select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute \
                   where attrelid = 'analytics.types'::regclass and attnum > 0 order by attnum";
    let (_, columns) = server.psql_in("types", catalog);
    assert_eq!(
        columns[..13],
        [
            "flag boolean",
            "small smallint",
            "whole integer",
            "big bigint",
            "exact numeric(38,19)",
            "single real",
            "double double precision",
            "day date",
            "local timestamp without time zone",
            "instant timestamp with time zone",
            "word character varying(4)",
            "code character(3)",
            "document jsonb",
        ]
    );
    let (_, row) = server.psql_in("types", "select * from analytics.types where whole = 2");
    let expected = "t|2|2|2|0.6666666666666666667|2|2|2026-01-03|2026-01-01 00:00:00.000001|2025-12-31 22:00:00+00|äö|ab |[1, null]|";
    assert!(row[0].starts_with(expected), "{}", row[0]);
    query_both(
        folder,
        &url,
        "select flag, exact, single, double, day, local, instant, word from analytics.types order by small",
    );
}

/// Ends a process as nothing else does.
fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn a_kill_in_the_middle_of_a_load_leaves_nothing(server: &Server) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    done(folder, &["sample", ".", "--rows", "20000"]);
    // Some of them are no UTF-8.
    let whole = fs::read(folder.join("orders.csv")).unwrap();
    let first: Vec<u8> = whole.split_inclusive(|&byte| byte == b'\n').take(5_001).flatten().copied().collect();
    fs::write(folder.join("first.csv"), first).unwrap();
    let (straight, killed) = (server.database("straight"), server.database("killed"));
    let run = |url: &str, from: &str| {
        let arguments = ["run", "orders.yaml", "--from", from, "--to", url, "--batch-time", "2026-01-01T00:00:00Z"];
        command(folder, &arguments)
    };
    let done = |url: &str, from: &str| {
        let output = run(url, from).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let state = |database: &str| {
        let rows =
            "select md5(string_agg(o::text, ',' order by order_id)), count(*), sum(amount) from analytics.orders o";
        let (_, mut lines) = server.psql_in(database, rows);
        let ledger = "select source, batch, staged, inserted, updated, unchanged, deduplicated, superseded \
                      from analytics._etalon_ledger order by 1";
        lines.extend(server.psql_in(database, ledger).1);
        lines
    };
    for url in [&straight, &killed] {
        done(url, "first.csv");
    }
    let before = state("killed");
    assert_eq!(before, state("straight"));

    // Somebody holds the ledger, so that a load stops between its rows and its ledger row; there it is killed.
    let mut holder = Command::new("psql")
        .args(["-X", "-q", "-c", "begin; lock table analytics._etalon_ledger in exclusive mode; select pg_sleep(60)"])
        .arg(&killed)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waits = |what: &str| {
        let since = Instant::now();
        let sql = format!(
            "select count(*) from pg_stat_activity where datname = 'killed' and application_name = '{what}' \
             and (wait_event_type = 'Lock' or wait_event = 'PgSleep')"
        );
        while server.psql(&sql).1 != ["1"] {
            assert!(since.elapsed() < Duration::from_secs(60), "{what} does not wait");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    waits("psql");
    let mut load = run(&killed, "orders.csv").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    waits("etalon");
    kill(&mut load);
    kill(&mut holder);
    server.psql(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'psql' and datname = 'killed'",
    );
    settle(server);
    assert_eq!(state("killed"), before, "nothing is left");

    // At any other moment, too.
    let mut kills = 1;
    for delay in [5, 20, 60, 120, 200, 300, 450] {
        let mut load = run(&killed, "orders.csv").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        kills += u32::from(load.try_wait().unwrap().is_none());
        kill(&mut load);
        settle(server);
    }
    for url in [&straight, &killed] {
        done(url, "orders.csv");
    }
    assert_eq!(state("killed"), state("straight"));
    println!("killed {kills} times; then {:?}", state("killed"));
}

/// Waits until the server has noticed that the command is gone.
fn settle(server: &Server) {
    let since = Instant::now();
    while server.psql("select count(*) from pg_stat_activity where application_name = 'etalon'").1 != ["0"] {
        assert!(since.elapsed() < Duration::from_secs(60), "the server keeps a dead load");
        std::thread::sleep(Duration::from_millis(20));
    }
}
