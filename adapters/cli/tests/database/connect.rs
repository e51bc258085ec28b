//! Connect: what a PostgreSQL says of how it will be read, and how far a replica is read.

use std::fs;
use std::time::{Duration, Instant};

use etalon_golden::postgres::Server;

use crate::source::{folder_with, merging, query, run, says};

fn pipeline(url: &str, source: &str) -> String {
    merging("postgres", url, source)
}

pub(crate) fn a_database_says_how_it_will_be_read(server: &Server) {
    let url = server.database("says");
    let made = "create table t (id bigint primary key, at timestamptz, amount numeric(10,2)); create index on t (at); \
                insert into t values (1, now() - interval '1 hour', 1), (2, now() - interval '1 minute', 2); \
                create table bare (id bigint, at timestamptz, also date); insert into bare values (1, now(), null), (2, null, null); \
                create view seen as select * from t";
    assert!(server.psql_in("says", made).0);
    let folder = folder_with(&pipeline(&url, "table: t, incremental: { cursor: at }"));
    let folder = folder.path();
    let said = says(folder);
    for line in [
        "connected: PostgreSQL 1",
        "the server's clock and this one agree",
        "field `id`: bigint",
        "cursor `at`: timestamp with time zone",
        "an index begins with `at`",
        "every row has a `at`",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    // Nothing has landed, and no position is kept.
    assert!(!folder.join(".etalon").exists());

    for (source, lines) in [
        (
            "table: bare, incremental: { cursor: at }",
            &[
                "no index begins with `at`: each window looks at all rows",
                "a run would be refused: 1 rows have no `at` (it is NULL or infinite)",
            ][..],
        ),
        (
            "table: bare, incremental: { cursor: at, without_cursor: leave_out }",
            &["1 rows have no `at` (it is NULL or infinite), and are left out"],
        ),
        ("table: seen, incremental: { cursor: at }", &["every row has a `at`"]),
        ("query: 'select id, at from t'", &["field `at`: timestamp with time zone"]),
        ("table: missing, incremental: { cursor: at }", &["a run would be refused: ", "does not exist"]),
    ] {
        fs::write(folder.join("p.yaml"), pipeline(&url, source)).unwrap();
        let said = says(folder);
        for line in lines {
            assert!(said.contains(line), "{source}: {line}: {said}");
        }
        assert!(!source.contains("seen") || !said.contains("index"), "of a view nobody knows it: {said}");
    }

    // A transaction is open for longer than the lag.
    let open = "begin; select now();\n\\! sleep 3\ncommit;";
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| server.psql_in("says", open));
        std::thread::sleep(Duration::from_millis(1_500));
        for (word, line) in [
            ("", "): what may be its rows is read when it has ended"),
            (", open_transactions: ignore", "for longer than `lag`: its rows are missed, since the file says"),
        ] {
            let source = format!("table: t, incremental: {{ cursor: at, lag: 1 second{word} }}");
            fs::write(folder.join("p.yaml"), pipeline(&url, &source)).unwrap();
            let said = says(folder);
            assert!(said.contains("a transaction is open since ") && said.contains(line), "{said}");
        }
        assert!(writer.join().unwrap().0);
    });
}

pub(crate) fn a_replica_is_read_as_far_as_it_has_replayed(server: &Server) {
    server.database("replayed");
    let made = "create table t (id bigint primary key, at timestamptz default now()); insert into t values (1)";
    assert!(server.psql_in("replayed", made).0);
    let replica = server.replica();
    let until = |script: &str, expected: &str| {
        let since = Instant::now();
        while replica.psql_in("replayed", script).1 != [expected] {
            assert!(since.elapsed() < Duration::from_secs(30), "{script}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    let url = replica.url("replayed");
    let folder = folder_with(&pipeline(&url, "table: t, incremental: { cursor: at }"));
    let folder = folder.path();
    // Nobody sees there what is open on the primary.
    assert!(says(folder).contains("a run would be refused: this is a replica, where"));

    let ignores = "table: t, incremental: { cursor: at, lag: 0 seconds, open_transactions: ignore }";
    fs::write(folder.join("p.yaml"), pipeline(&url, ignores)).unwrap();
    let report = run(folder, "p.yaml");
    let told = report["landed"]["waits_for"].as_str().unwrap();
    // It may have replayed what the primary did by itself while the copy was made.
    match report["landed"]["rows"].as_u64() {
        Some(0) => assert!(told.starts_with("this replica has replayed no transaction since it was started"), "{told}"),
        _ => assert!(told.starts_with("this replica has replayed its primary until 2"), "{report}"),
    }

    // What is committed while the replica does not replay is not there, and no window goes beyond it.
    assert!(server.psql_in("replayed", "insert into t values (2)").0);
    until("select count(*) from t", "2");
    assert!(replica.psql_in("replayed", "select pg_wal_replay_pause()").0);
    until("select pg_get_wal_replay_pause_state()", "paused");
    assert!(server.psql_in("replayed", "insert into t values (3)").0);
    std::thread::sleep(Duration::from_millis(1_200));
    let report = run(folder, "p.yaml");
    let told = report["landed"]["waits_for"].as_str().unwrap_or_default();
    assert!(told.starts_with("this replica has replayed its primary until 2"), "{report}");
    assert!(says(folder).contains("this replica has replayed its primary until 2"));
    assert!(server.psql_in("replayed", "insert into t values (4)").0);
    assert!(replica.psql_in("replayed", "select pg_wal_replay_resume()").0);
    until("select count(*) from t", "4");
    // One more moves the clock of the replica on.
    assert!(server.psql_in("replayed", "insert into t values (5)").0);
    until("select count(*) from t", "5");
    run(folder, "p.yaml");
    assert_eq!(query(folder, "select id from t where id < 5 order by id"), "id\n1\n2\n3\n4\n");
}
