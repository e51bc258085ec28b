//! Connect: what a MariaDB says of how it will be read, and how far a replica is read.

use std::fs;
use std::time::{Duration, Instant};

use etalon_golden::mariadb::Server;

use crate::source::{folder_with, merging, query, run, says};

fn pipeline(url: &str, source: &str) -> String {
    merging("mysql", url, source)
}

const TABLE: &str = "create table t (id bigint primary key, at timestamp(6) not null default now(6), key (at))";

pub(crate) fn a_database_says_how_it_will_be_read(server: &Server) {
    let url = server.database("says");
    let made = format!(
        "{TABLE}; insert into t values (1, '2026-01-01'), (2, '2026-01-02'); \
         create table bare (id bigint, at datetime null); insert into bare values (1, '2026-01-01'), (2, null); \
         create view seen as select * from t; create user looks@localhost identified by 'right'; grant select on says.* to looks@localhost"
    );
    assert!(server.sql("says", &made).0);
    let folder = folder_with(&pipeline(&url, "table: t, incremental: { cursor: at }"));
    let folder = folder.path();
    let few = format!("mysql://looks:right@127.0.0.1:{}/says", server.port());
    for (url, source, lines) in [
        (
            &url,
            "table: t, incremental: { cursor: at }",
            &[
                "connected: MariaDB 1",
                "the server's clock and this one agree",
                "field `id`: bigint",
                "cursor `at`: timestamp(6)",
                "an index begins with `at`",
                "every row has a `at`",
            ][..],
        ),
        (
            &url,
            "table: bare, incremental: { cursor: at }",
            &[
                "no index begins with `at`: each window looks at all rows",
                "a run would be refused: 1 rows have no `at` (it is NULL or zero)",
            ],
        ),
        (
            &url,
            "table: bare, incremental: { cursor: at, without_cursor: leave_out }",
            &["1 rows have no `at` (it is NULL or zero), and are left out"],
        ),
        (&url, "table: seen, incremental: { cursor: at }", &["every row has a `at`"]),
        (&url, "query: 'select id, at from t'", &["field `at`: timestamp(6)"]),
        (
            &few,
            "table: t, incremental: { cursor: at }",
            &["a run would be refused: ", "`grant process on *.* to` this user"],
        ),
        (
            &few,
            "table: t, incremental: { cursor: at, open_transactions: ignore }",
            &["every row has a `at`", "open transactions are not shown to this user"],
        ),
    ] {
        fs::write(folder.join("p.yaml"), pipeline(url, source)).unwrap();
        let said = says(folder);
        for line in lines {
            assert!(said.contains(line), "{source}: {line}: {said}");
        }
        assert!(!source.contains("seen") || !said.contains("index"), "of a view nobody knows it: {said}");
    }
    // Nothing has landed, and no position is kept.
    assert!(!folder.join(".etalon").exists());
}

pub(crate) fn a_replica_is_read_as_far_as_it_is(_: &Server) {
    let [primary, replica] = ["--server-id=1", "--server-id=2"]
        .map(|number| Server::start(&[number, "--log-bin=log"].map(str::to_owned)).unwrap());
    assert!(
        primary.sql("", "create user copies@'%' identified by 'c'; grant replication slave on *.* to copies@'%'").0
    );
    let change = format!(
        "change master to master_host = '127.0.0.1', master_port = {}, master_user = 'copies', master_password = 'c', \
         master_use_gtid = slave_pos; start slave",
        primary.port()
    );
    assert!(replica.sql("", &change).0);
    primary.database("d");
    assert!(primary.sql("d", &format!("{TABLE}; insert into t values (1, now(6) - interval 1 minute)")).0);
    let until = |script: &str, expected: &str| {
        let since = Instant::now();
        while replica.sql("d", script).1 != [expected] {
            assert!(since.elapsed() < Duration::from_secs(30), "{script}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    until("select count(*) from t", "1");
    let url = replica.url("d");
    let folder = folder_with(&pipeline(&url, "table: t, incremental: { cursor: at }"));
    let folder = folder.path();
    assert!(says(folder).contains("a run would be refused: this is a replica, where"));

    let ignores = "table: t, incremental: { cursor: at, lag: 0 seconds, open_transactions: ignore }";
    fs::write(folder.join("p.yaml"), pipeline(&url, ignores)).unwrap();
    // A row that the replica has not applied yet is behind the end of every window.
    assert!(replica.sql("", "stop slave; change master to master_delay = 4; start slave").0);
    assert!(primary.sql("d", "insert into t (id) values (2)").0);
    std::thread::sleep(Duration::from_millis(2_500));
    let report = run(folder, "p.yaml");
    assert_eq!(report["landed"]["rows"], 1, "{report}");
    let told = report["landed"]["waits_for"].as_str().unwrap_or_default();
    assert!(told.starts_with("this replica is ") && told.contains(" seconds behind its primary"), "{report}");
    until("select count(*) from t", "2");
    std::thread::sleep(Duration::from_millis(2_500));
    run(folder, "p.yaml");
    assert_eq!(query(folder, "select id from t order by id"), "id\n1\n2\n");

    // Where it does not replicate, nobody knows what it lacks.
    assert!(replica.sql("", "stop slave").0);
    let report = run(folder, "p.yaml");
    let told = report["landed"]["waits_for"].as_str().unwrap_or_default();
    assert!(told.starts_with("this replica does not replicate now"), "{report}");

    // Who may not see it is told so, and the lag counts alone.
    let made = "create user looks@localhost identified by 'right'; grant select on d.* to looks@localhost; set global read_only = on";
    assert!(replica.sql("", made).0);
    let few = format!("mysql://looks:right@127.0.0.1:{}/d", replica.port());
    let other = folder_with(&pipeline(&few, ignores));
    let report = run(other.path(), "p.yaml");
    assert_eq!(report["landed"]["rows"], 2, "{report}");
    assert!(
        report["landed"].to_string().contains("how far it is behind its primary is not shown to this user"),
        "{report}"
    );
}
