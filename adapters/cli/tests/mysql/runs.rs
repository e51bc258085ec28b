//! Runs: what is new in a source arrives, once, whatever was loaded before.

use std::fs;

use etalon_golden::mariadb::Server;

use crate::source::{etalon, folder_with, query, run};

const ORDERS: &str = "\
create table orders (id bigint primary key, customer text, amount decimal(10,2), updated_at timestamp(6) not null default now(6));
insert into orders values (1, 'Ada', 10.50, '2026-01-01 08:00'), (2, 'Grace \"the\\nfirst\"', null, '2026-01-02 08:00'),
  (3, '', 0.1, '2026-01-03 08:00:00.000001');
";

fn orders(url: &str, incremental: &str, write: &str) -> String {
    format!(
        "etalon: 1
pipeline: orders
source:
  mysql:
    url: {url}
    table: orders
{incremental}
  fields: {{ id: bigint, customer: , amount: 'decimal(10,2)', changed: {{ name: updated_at, type: timestamptz }} }}
columns:
  id: required
  customer: varchar(50)
  amount:
  changed: required
target: {{ table: orders, {write} }}
"
    )
}

const BY_CHANGE: &str = "    incremental: { cursor: updated_at, lag: 0 seconds }";
const MERGE: &str = "write: merge, key: id, order_by: changed";

pub(crate) fn what_is_new_is_loaded_and_nothing_twice(server: &Server) {
    let url = server.database("orders");
    assert!(server.sql("orders", ORDERS).0);
    let folder = folder_with(&orders(&url, BY_CHANGE, MERGE));
    let folder = folder.path();
    assert!(etalon(folder, &["check", "p.yaml"]).status.success());
    let preview = etalon(folder, &["preview", "p.yaml", "--rows", "2", "--output", "csv"]);
    assert_eq!(String::from_utf8_lossy(&preview.stdout).lines().count(), 4, "{preview:?}");

    let report = run(folder, "p.yaml");
    assert_eq!(report["landed"]["rows"], 3, "{report}");
    assert_eq!(report["state"]["state"], "loaded");
    let rows = "select id, customer, amount, changed from orders order by id";
    let first = "id,customer,amount,changed\n1,Ada,10.50,2026-01-01T08:00:00.000000Z\n2,\"Grace \"\"the\nfirst\"\"\",,2026-01-02T08:00:00.000000Z\n\
                 3,\"\",0.10,2026-01-03T08:00:00.000001Z\n";
    assert_eq!(query(folder, rows), first);

    let report = run(folder, "p.yaml");
    assert_eq!((report["landed"]["rows"].as_u64(), report["state"]["state"].as_str()), (Some(0), Some("nothing_new")));

    let change = "update orders set amount = 11, updated_at = now(6) where id = 1; insert into orders values (4, 'Alan', 7, now(6))";
    assert!(server.sql("orders", change).0);
    let report = run(folder, "p.yaml");
    assert_eq!(report["landed"]["rows"], 2);
    assert_eq!((&report["load"]["inserted"], &report["load"]["updated"]), (&1.into(), &1.into()));
    let expected = "id,amount\n1,11.00\n2,\n3,0.10\n4,7.00\n";
    assert_eq!(query(folder, "select id, amount from orders order by id"), expected);

    // A transaction that is open holds the window back; what it writes is not missed.
    let open = "begin; insert into orders values (5, 'late', 1, now(6)); do sleep(3); commit;";
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| server.sql("orders", open));
        std::thread::sleep(std::time::Duration::from_millis(1_200));
        assert!(server.sql("orders", "insert into orders values (6, 'early', 1, now(6))").0);
        let report = run(folder, "p.yaml");
        assert_eq!(report["landed"]["rows"], 0, "{report}");
        let waits = report["landed"]["waits_for"].as_str().unwrap();
        assert!(waits.starts_with("a transaction is open since 20") && waits.contains("connection "), "{waits}");
        assert!(writer.join().unwrap().0);
    });
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 2);
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n6\n");

    // A part is read once more, and the cursor stays.
    assert!(server.sql("orders", "update orders set customer = 'Bea' where id in (2, 3)").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 0);
    let part = ["backfill", "p.yaml", "--from", "2026-01-02", "--until", "2026-01-03 08:00+00", "--output", "json"];
    let output = etalon(folder, &part);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["landed"]["rows"], &report["load"]["updated"]), (&1.into(), &1.into()), "{report}");
    assert_eq!(query(folder, "select id from orders where customer = 'Bea'"), "id\n2\n");
    for (from, fact) in [
        ("2026-01-02 08:00+02", "`2026-01-02 08:00+02` is not a timestamp in UTC such as `2026-01-31 12:00:00`"),
        ("2026-02-31", "is none of the cursor's type"),
    ] {
        let output = etalon(folder, &["backfill", "p.yaml", "--from", from, "--until", "2026-03-03"]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(fact), "{told}");
    }
    let state = etalon(folder, &["state", "show", "p.yaml", "--output", "json"]);
    let state: serde_json::Value = serde_json::from_slice(&state.stdout).unwrap();
    assert_eq!(state["source"], "orders by updated_at", "{state}");
    assert!(etalon(folder, &["state", "reset", "p.yaml"]).status.success());
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 6);
    assert_eq!(query(folder, "select count(*) as n from orders where customer = 'Bea'"), "n\n2\n");

    // What is loaded is loaded again from what has landed: the source is not asked.
    assert!(server.sql("orders", "rename table orders to gone").0);
    let reload = etalon(folder, &["reload", "p.yaml", "--output", "json"]);
    assert!(reload.status.success(), "{}", String::from_utf8_lossy(&reload.stderr));
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n6\n");
}

pub(crate) fn a_snapshot_takes_the_place_of_the_last(server: &Server) {
    let url = server.database("snapshot");
    assert!(server.sql("snapshot", ORDERS).0);
    let folder = folder_with(&orders(&url, "", "write: replace"));
    let folder = folder.path();
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 3);
    assert_eq!(run(folder, "p.yaml")["state"]["state"], "nothing_new");
    assert!(server.sql("snapshot", "delete from orders where id < 3").0);
    run(folder, "p.yaml");
    assert_eq!(query(folder, "select id from orders"), "id\n3\n");
}

pub(crate) fn a_query_and_a_number_that_grows(server: &Server) {
    let url = server.database("numbers");
    assert!(server.sql("numbers", ORDERS).0);
    // A quote, a backslash and a comment, as MySQL has them.
    let pipeline = format!(
        "etalon: 1
pipeline: orders
source:
  mysql:
    url: {url}
    query: |
      # What the shop has.
      select o.id, concat(o.customer, ' it\\'s \"', id, '\"') as customer, amount * 2 as amount, updated_at from `orders` as o -- all
    incremental: {{ cursor: id, window: 2 }}
  fields: {{ id: bigint, customer: , amount: 'decimal(12,2)' }}
columns: {{ id: required, customer: varchar(50), amount: }}
target: {{ table: orders, write: append }}
"
    );
    let folder = folder_with(&pipeline);
    let folder = folder.path();
    let report = run(folder, "p.yaml");
    assert_eq!(
        (report["landed"]["rows"].as_u64(), report["landed"]["windows"].as_array().map(Vec::len)),
        (Some(3), Some(2)),
        "{report}"
    );
    assert_eq!(
        query(folder, "select customer, amount from orders where id = 1"),
        "customer,amount\n\"Ada it's \"\"1\"\"\",21.00\n"
    );
    assert!(server.sql("numbers", "insert into orders values (9, 'Alan', 7, now(6))").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 1);
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n4\n");
}

pub(crate) fn days_are_read_when_they_are_over(server: &Server) {
    let url = server.database("days");
    let made = "create table t (id bigint, day date); insert into t values (1, '2026-01-01'), (2, '2026-01-01'), (3, '2026-01-03'), \
                (4, date(utc_timestamp()))";
    assert!(server.sql("days", made).0);
    let pipeline = format!(
        "{{ etalon: 1, pipeline: days, source: {{ mysql: {{ url: '{url}', table: t, incremental: {{ cursor: day, window: 1 day }} }}, \
         fields: {{ id: bigint, day: date }} }}, columns: {{ id: required, day: required }}, \
         target: {{ table: days, write: merge, key: id, order_by: day }} }}"
    );
    let folder = folder_with(&pipeline);
    let report = run(folder.path(), "p.yaml");
    assert_eq!(
        (report["landed"]["rows"].as_u64(), report["landed"]["windows"].as_array().map(Vec::len)),
        (Some(3), Some(2)),
        "{report}"
    );
}

pub(crate) fn a_table_has_a_pipeline_to_begin_with(server: &Server) {
    let url = server.database("begun");
    let made = "create table orders (id bigint unsigned primary key, customer varchar(50) not null, is_paid tinyint(1), \
                amount decimal(10,2), wide decimal(65,30), picture blob, updated_at datetime(6) not null); \
                insert into orders values (1, 'Ada', 1, 10.5, 1, x'00', '2026-01-01 08:00')";
    assert!(server.sql("begun", made).0);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let output = etalon(folder, &["init", "--from", &url, "--table", "orders"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = fs::read_to_string(folder.join("pipeline.yaml")).unwrap();
    for line in [
        "  mysql:",
        "    incremental: { cursor: \"updated_at\" }",
        "    id: \"decimal(20,0)\"",
        "    is_paid: \"boolean\" # is it 0 or 1? otherwise a smallint",
        "    wide: \"text\" # it has more digits than a decimal",
        "    updated_at: \"timestamp\"",
        "target: { table: orders, write: merge, key: [id], order_by: updated_at }",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert_eq!(run(folder, "pipeline.yaml")["landed"]["rows"], 1);
    let row = "select id, is_paid, amount, picture, updated_at from orders";
    let expected = "id,is_paid,amount,picture,updated_at\n1,true,10.50,\\x00,2026-01-01 08:00:00.000000\n";
    assert_eq!(query(folder, row), expected);
    let output = etalon(folder, &["init", "--from", &url, "--table", "missing", "--to", "q.yaml"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no table or view `missing`"));
    let output = etalon(folder, &["init", "--from", "oracle://h/d", "--table", "t", "--to", "q.yaml"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("--from does not begin with postgres:// or mysql://"));
}

/// A server may cut every answer after so many rows, and show tables as they were.
pub(crate) fn settings_of_a_server_hide_no_rows(server: &Server) {
    let url = server.database("hidden");
    assert!(server.sql("hidden", ORDERS).0);
    assert!(server.sql("hidden", "alter table orders add system versioning").0);
    let hide = "set global sql_select_limit = 1, global system_versioning_asof = '2020-01-01 00:00:00'";
    assert!(server.sql("", hide).0);
    let folder = folder_with(&orders(&url, BY_CHANGE, MERGE));
    let report = run(folder.path(), "p.yaml");
    assert!(server.sql("", "set global sql_select_limit = DEFAULT, global system_versioning_asof = DEFAULT").0);
    assert_eq!(report["landed"]["rows"], 3, "{report}");
}
