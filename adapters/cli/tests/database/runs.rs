//! Runs: what is new in a source arrives, once, whatever was loaded before.

use std::fs;

use etalon_golden::postgres::Server;

use crate::source::{etalon, folder_with, query, run};

const ORDERS: &str = "\
create table orders (id bigint primary key, customer text, amount numeric(10,2), updated_at timestamptz not null default now());
insert into orders values (1, 'Ada', 10.50, '2026-01-01 08:00+00'), (2, E'Grace \"the\\nfirst\"', null, '2026-01-02 08:00+00'),
  (3, '', 0.1, '2026-01-03 08:00:00.000001+00');
";

fn orders(url: &str, incremental: &str, write: &str) -> String {
    format!(
        "etalon: 1
pipeline: orders
source:
  postgres:
    url: {url}
    table: public.orders
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
    assert!(server.psql_in("orders", ORDERS).0);
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

    let change = "update orders set amount = 11, updated_at = now() where id = 1; insert into orders values (4, 'Alan', 7, now())";
    assert!(server.psql_in("orders", change).0);
    let report = run(folder, "p.yaml");
    assert_eq!(report["landed"]["rows"], 2);
    assert_eq!((&report["load"]["inserted"], &report["load"]["updated"]), (&1.into(), &1.into()));
    let expected = "id,amount\n1,11.00\n2,\n3,0.10\n4,7.00\n";
    assert_eq!(query(folder, "select id, amount from orders order by id"), expected);

    // A transaction that is open holds the window back; what it writes is not missed.
    let table = query(folder, "select count(*) as n from orders");
    assert_eq!(table, "n\n4\n");
    let open = "begin; insert into orders values (5, 'late', 1, now());\n\\! sleep 2\ncommit;";
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| server.psql_in("orders", open));
        std::thread::sleep(std::time::Duration::from_millis(800));
        assert!(server.psql_in("orders", "insert into orders values (6, 'early', 1, now())").0);
        let report = run(folder, "p.yaml");
        assert_eq!(report["landed"]["rows"], 0, "{report}");
        let waits = report["landed"]["waits_for"].as_str().unwrap();
        assert!(waits.starts_with("a transaction is open since ") && waits.contains("(etalon, process "), "{waits}");
        assert!(writer.join().unwrap().0);
    });
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 2);
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n6\n");

    // A part is read once more, and the cursor stays.
    assert!(server.psql_in("orders", "update orders set customer = 'Bea' where id in (2, 3)").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 0);
    let part = ["backfill", "p.yaml", "--from", "2026-01-02", "--until", "2026-01-03 08:00+00", "--output", "json"];
    let output = etalon(folder, &part);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["landed"]["rows"], &report["load"]["updated"]), (&1.into(), &1.into()), "{report}");
    assert_eq!(query(folder, "select id from orders where customer = 'Bea'"), "id\n2\n");
    let state = etalon(folder, &["state", "show", "p.yaml", "--output", "json"]);
    let state: serde_json::Value = serde_json::from_slice(&state.stdout).unwrap();
    assert_eq!(state["source"], "public.orders by updated_at", "{state}");
    assert!(etalon(folder, &["state", "reset", "p.yaml"]).status.success());
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 6);
    assert_eq!(query(folder, "select count(*) as n from orders where customer = 'Bea'"), "n\n2\n");

    // What is loaded is loaded again from what has landed: the source is not asked.
    assert!(server.psql_in("orders", "alter table orders rename to gone").0);
    let reload = etalon(folder, &["reload", "p.yaml", "--output", "json"]);
    assert!(reload.status.success(), "{}", String::from_utf8_lossy(&reload.stderr));
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n6\n");
}

pub(crate) fn a_snapshot_takes_the_place_of_the_last(server: &Server) {
    let url = server.database("snapshot");
    assert!(server.psql_in("snapshot", ORDERS).0);
    let folder = folder_with(&orders(&url, "", "write: replace"));
    let folder = folder.path();
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 3);
    assert_eq!(run(folder, "p.yaml")["state"]["state"], "nothing_new");
    assert!(server.psql_in("snapshot", "delete from orders where id < 3").0);
    run(folder, "p.yaml");
    assert_eq!(query(folder, "select id from orders"), "id\n3\n");
    // An empty source does not empty the table unless the file says so.
    assert!(server.psql_in("snapshot", "delete from orders").0);
    assert!(!etalon(folder, &["run", "p.yaml"]).status.success());
    assert_eq!(query(folder, "select id from orders"), "id\n3\n");
}

pub(crate) fn a_query_and_a_number_that_grows(server: &Server) {
    let url = server.database("events");
    let made =
        "create schema log; create table log.events (\"No\" bigserial primary key, \"what happened\" text, ok boolean);
        insert into log.events (\"what happened\", ok) select 'e' || n, n % 2 = 0 from generate_series(1, 25) n";
    assert!(server.psql_in("events", made).0);
    let folder = folder_with(&format!(
        "etalon: 1
pipeline: events
source:
  postgres:
    url: {url}
    query: |
      select * from log.events where ok -- those that went well
    incremental: {{ cursor: \"No\", window: 10 }}
  fields: {{ number: {{ name: \"No\", type: bigint }}, what: {{ name: what happened }}, ok: boolean }}
columns: {{ number: , what: varchar(20), ok: }}
target: {{ table: events, write: append }}
"
    ));
    let folder = folder.path();
    let report = run(folder, "p.yaml");
    assert_eq!(report["landed"]["windows"].as_array().unwrap().len(), 3, "{report}");
    assert_eq!(report["landed"]["rows"], 12);
    assert!(server.psql_in("events", "insert into log.events (\"what happened\", ok) values ('last', true)").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 1);
    assert_eq!(
        query(folder, "select count(*) as n, count(distinct number) as m, max(what) as w from events"),
        "n,m,w\n13,13,last\n"
    );
}

pub(crate) fn what_landed_is_read_by_its_columns(server: &Server) {
    let url = server.database("swapped");
    let table = "create table orders (id bigint primary key, v text, w text, updated_at timestamptz not null);
                 insert into orders values (1, 'of v', 'of w', '2026-01-01 08:00+00')";
    assert!(server.psql_in("swapped", table).0);
    let file = |fields: &str| {
        format!(
            "etalon: 1\npipeline: swapped\nsource: {{ postgres: {{ url: '{url}', table: orders, incremental: {{ cursor: updated_at, lag: 0 seconds }} }}, \
             fields: {{ id: bigint, {fields}, changed: {{ name: updated_at, type: timestamptz }} }} }}\n\
             columns: {{ id: required, v: varchar(9), w: varchar(9), changed: required }}\n\
             target: {{ table: orders, write: merge, key: id, order_by: changed }}\n"
        )
    };
    let folder = folder_with(&file("v: text, w: text"));
    let folder = folder.path();
    run(folder, "p.yaml");
    let right = "v,w\nof v,of w\n";
    assert_eq!(query(folder, "select v, w from orders"), right);

    fs::write(folder.join("p.yaml"), file("w: text, v: text")).unwrap();
    let reload = etalon(folder, &["reload", "p.yaml"]);
    assert_eq!(reload.status.code(), Some(1), "{reload:?}");
    let told = String::from_utf8(reload.stderr).unwrap();
    assert!(
        told.contains(
            "it was read with the columns id, v, w, updated_at, and the pipeline reads id, w, v, updated_at now"
        ),
        "{told}"
    );
    assert_eq!(query(folder, "select v, w from orders"), right);
    assert!(etalon(folder, &["state", "reset", "p.yaml"]).status.success());
    etalon(folder, &["run", "p.yaml"]);
    assert_eq!(query(folder, "select v, w from orders"), right);
}

/// The words of a command that is refused.
#[track_caller]
fn refused(folder: &std::path::Path, arguments: &[&str]) -> String {
    let output = etalon(folder, arguments);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A reset, another name and a store that is lost or older are refused, and done when it is said again.
pub(crate) fn an_append_adds_nothing_twice_unsaid(server: &Server) {
    let url = server.database("appended");
    assert!(server.psql_in("appended", ORDERS).0);
    let pipeline = orders(&url, BY_CHANGE, "write: append");
    let folder = folder_with(&pipeline);
    let folder = folder.path();
    let count = || query(folder, "select count(*) as n from orders");
    run(folder, "p.yaml");
    assert!(refused(folder, &["state", "reset", "p.yaml"]).contains("would add the rows once more"));
    assert_eq!(run(folder, "p.yaml")["state"]["state"], "nothing_new");

    fs::write(folder.join("q.yaml"), pipeline.replace("pipeline: orders", "pipeline: renamed")).unwrap();
    let told = refused(folder, &["run", "q.yaml"]);
    assert!(told.contains("pipeline `orders` has loaded 00000001_beginning_"), "{told}");
    assert_eq!(count(), "n\n3\n");

    // An older store, and none.
    let cursor = folder.join(".etalon/cursors");
    let older: Vec<_> = fs::read_dir(&cursor).unwrap().map(|entry| entry.unwrap().path()).collect();
    let older: Vec<_> = older.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    assert!(server.psql_in("appended", "insert into orders values (4, 'Alan', 7, now())").0);
    run(folder, "p.yaml");
    older.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
    for _ in 0..2 {
        let told = refused(folder, &["run", "p.yaml"]);
        assert!(told.contains("the store does not know that window"), "{told}");
        assert_eq!(count(), "n\n4\n");
    }
    fs::remove_dir_all(cursor).unwrap();
    refused(folder, &["run", "p.yaml"]);
    assert_eq!(count(), "n\n4\n");
    assert!(etalon(folder, &["run", "p.yaml", "--again"]).status.success());
    assert_eq!(count(), "n\n8\n");
    assert_eq!(run(folder, "p.yaml")["state"]["state"], "nothing_new");
    assert!(etalon(folder, &["state", "reset", "p.yaml", "--again"]).status.success());
    run(folder, "p.yaml");
    assert_eq!(count(), "n\n12\n");
}

/// A whole reading that is held gives way to a later one; only the last ones are kept.
pub(crate) fn an_older_snapshot_is_not_released(server: &Server) {
    let url = server.database("older");
    let made =
        "create table orders (id bigint, customer text, amount numeric(10,2), updated_at timestamptz default now());
                insert into orders (id, customer) values (1, 'a')";
    assert!(server.psql_in("older", made).0);
    let pipeline = orders(&url, "", "write: merge, key: id").replace("varchar(50)", "varchar(3)");
    let folder = folder_with(&pipeline);
    let folder = folder.path();
    run(folder, "p.yaml");
    assert!(
        server
            .psql_in("older", "insert into orders (id, customer) select n, 'too long' from generate_series(2, 300) n")
            .0
    );
    let told = etalon(folder, &["run", "p.yaml"]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let mended = "delete from orders where id > 1; update orders set customer = 'b'";
    assert!(server.psql_in("older", mended).0);
    etalon(folder, &["run", "p.yaml"]);
    let customers = || query(folder, "select customer from orders");
    assert_eq!(customers(), "customer\nb\n");
    let told = etalon(folder, &["release", "p.yaml"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        told.contains("a later reading has landed since, whose rows would give way to older ones: discard it"),
        "{told}"
    );
    assert_eq!(customers(), "customer\nb\n");
    assert!(etalon(folder, &["discard", "p.yaml"]).status.success());
    let pieces = || fs::read_dir(folder.join(".etalon/landed/orders")).unwrap().count();
    for customer in ["c", "d", "e"] {
        assert!(server.psql_in("older", &format!("update orders set customer = '{customer}'")).0);
        run(folder, "p.yaml");
    }
    assert_eq!(customers(), "customer\ne\n");
    // What is not kept any more goes with the next landing, which leaves the rows that it has compared.
    run(folder, "p.yaml");
    assert_eq!(pieces(), 3);
}

/// What has landed and was held is loaded as soon as it can be, also where the source does not answer.
pub(crate) fn what_has_landed_is_loaded_though_the_source_is_gone(server: &Server) {
    let url = server.database("gone");
    assert!(server.psql_in("gone", ORDERS).0);
    let pipeline = orders(&url, BY_CHANGE, MERGE);
    let folder =
        folder_with(&pipeline.replace("customer: varchar(50)", "customer: { type: varchar(50), one_of: [nobody] }"));
    let folder = folder.path();
    assert_eq!(etalon(folder, &["run", "p.yaml"]).status.code(), Some(1));
    let port = format!("port={}", server.port());
    assert!(pipeline.contains(&port), "{pipeline}");
    fs::write(folder.join("p.yaml"), pipeline.replace(&port, "port=1")).unwrap();
    let told = refused(folder, &["run", "p.yaml"]);
    assert!(
        told.contains("no PostgreSQL answers") && told.contains("what has landed before was read all the same"),
        "{told}"
    );
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n3\n");
    fs::write(folder.join("p.yaml"), &pipeline).unwrap();
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 0);

    // A part that is none, and pieces that are gone.
    let part = ["backfill", "p.yaml", "--from", "2030-01-01", "--until", "2020-01-01"];
    let told = refused(folder, &part);
    assert!(told.contains("until 2020-01-01 00:00:00+00 is empty: it must end after it begins"), "{told}");
    let shown = etalon(folder, &["state", "show", "p.yaml"]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("00000001_beginning_20") && !shown.contains('…'), "{shown}");
    fs::remove_dir_all(folder.join(".etalon/landed")).unwrap();
    let told = etalon(folder, &["reload", "p.yaml"]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("its rows have landed, and are not in the store any more"), "{told}");
}

/// A cursor without a time zone, in a database whose clocks show an earlier time than UTC.
pub(crate) fn a_clock_behind_utc_is_refused(server: &Server) {
    let url = server.database("behind");
    let made = ORDERS.replace("timestamptz", "timestamp") + "alter database behind set timezone = 'America/New_York';";
    assert!(server.psql_in("behind", &made).0);
    let pipeline = orders(&url, BY_CHANGE, MERGE).replace("timestamptz", "timestamp");
    let folder = folder_with(&pipeline);
    let folder = folder.path();
    let told = refused(folder, &["run", "p.yaml"]);
    assert!(told.contains("is America/New_York, up to 5 hours behind"), "{told}");
    let late = pipeline.replace("lag: 0 seconds", "lag: 6 hours");
    fs::write(folder.join("p.yaml"), late).unwrap();
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 3);
    assert!(server.psql_in("behind", "insert into orders values (4, 'Alan', 7, now())").0);
    run(folder, "p.yaml");
    fs::write(folder.join("p.yaml"), pipeline).unwrap();
    assert!(server.psql_in("behind", "alter database behind set timezone = 'UTC'").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 1);
    assert!(server.psql_in("behind", "alter database behind set timezone = 'Europe/Berlin'").0);
    run(folder, "p.yaml");
}

/// A position in the table of one database means nothing in that of another, unless somebody says so.
pub(crate) fn another_database_is_refused(server: &Server) {
    let (one, other) = (server.database("one"), server.database("other"));
    assert!(server.psql_in("one", ORDERS).0 && server.psql_in("other", ORDERS).0);
    let folder = folder_with(&orders(&one, BY_CHANGE, MERGE));
    let folder = folder.path();
    run(folder, "p.yaml");
    fs::write(folder.join("p.yaml"), orders(&other, BY_CHANGE, MERGE)).unwrap();
    let told = refused(folder, &["run", "p.yaml"]);
    assert!(told.contains("/one, and now it is ") && told.contains("/other, whose earlier rows would never"), "{told}");
    assert!(etalon(folder, &["state", "adopt", "p.yaml"]).status.success());
    assert!(server.psql_in("other", "insert into orders values (4, 'Alan', 7, now())").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 1);
    fs::write(folder.join("p.yaml"), orders(&one, BY_CHANGE, MERGE)).unwrap();
    refused(folder, &["run", "p.yaml"]);
    assert!(etalon(folder, &["state", "reset", "p.yaml"]).status.success());
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 3);
}

/// Rows that come later with the number that was read last are read by a merge, and told where rows are appended.
pub(crate) fn numbers_that_repeat_lose_nothing(server: &Server) {
    let url = server.database("repeated");
    let made = "create table orders (id bigint, customer text, amount numeric(10,2), updated_at timestamptz default now(), batch int);
                insert into orders (id, batch) values (1, 1), (2, 2)";
    assert!(server.psql_in("repeated", made).0);
    let by_batch = |write: &str| orders(&url, "    incremental: { cursor: batch }", write);
    let ids = |folder| query(folder, "select id from orders order by id");
    let folder = folder_with(&by_batch(MERGE));
    let folder = folder.path();
    let appended = folder_with(&by_batch("write: append"));
    let appended = appended.path();
    run(folder, "p.yaml");
    run(appended, "p.yaml");
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 0);
    assert!(server.psql_in("repeated", "insert into orders (id, batch) values (3, 2), (4, 3)").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 3);
    assert_eq!(ids(folder), "id\n1\n2\n3\n4\n");
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 0);
    assert!(server.psql_in("repeated", "insert into orders (id, batch) values (5, 3)").0);
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 2);
    for _ in 0..2 {
        let told = refused(appended, &["run", "p.yaml"]);
        assert!(told.contains("1 rows came with `batch` 2 after that number was read"), "{told}");
    }
    assert_eq!(ids(appended), "id\n1\n2\n");
}

pub(crate) fn numbers_that_begin_anew_are_told(server: &Server) {
    let url = server.database("anew");
    assert!(server.psql_in("anew", ORDERS).0);
    let folder = folder_with(&orders(&url, "    incremental: { cursor: id }", MERGE));
    let folder = folder.path();
    run(folder, "p.yaml");
    assert_eq!(run(folder, "p.yaml")["state"]["state"], "nothing_new");
    assert!(server.psql_in("anew", "truncate orders; insert into orders values (1, 'new', 1, now())").0);
    let told = refused(folder, &["run", "p.yaml"]);
    assert!(told.contains("the greatest `id` is 1, and the source was read up to 3"), "{told}");
    assert!(etalon(folder, &["state", "reset", "p.yaml"]).status.success());
    assert_eq!(run(folder, "p.yaml")["landed"]["rows"], 1);
}

pub(crate) fn rejects_are_redriven_from_what_has_landed(server: &Server) {
    let url = server.database("redriven");
    assert!(server.psql_in("redriven", ORDERS).0);
    let pipeline = orders(&url, BY_CHANGE, MERGE);
    let folder = folder_with(&pipeline.replace("varchar(50)", "varchar(10)"));
    let folder = folder.path();
    let report = run(folder, "p.yaml");
    assert_eq!(report["counts"]["quarantined"], 1, "{report}");
    assert!(server.psql_in("redriven", "drop table orders").0);
    fs::write(folder.join("p.yaml"), pipeline).unwrap();
    let output = etalon(folder, &["rejects", "redrive", "p.yaml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(query(folder, "select count(*) as n from orders"), "n\n3\n");
}

/// `init` writes a pipeline of a table that is valid and runs.
pub(crate) fn a_table_has_a_pipeline_to_begin_with(server: &Server) {
    let url = server.database("begun");
    let script = "create table sales (id bigint primary key, amount numeric(12,2) not null, rate numeric, note text, info jsonb, \
         updated_at timestamptz not null default '2026-01-01'); insert into sales values (1, 1.10, 0.5, 'a', '{\"x\":1}')";
    assert!(server.psql_in("begun", script).0);
    let folder = tempfile::tempdir().unwrap();
    let made = etalon(folder.path(), &["init", "--from", &url, "--table", "public.sales", "--to", "p.yaml"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let text = fs::read_to_string(folder.path().join("p.yaml")).unwrap();
    for line in
        ["    amount: \"decimal(12,2)\"", "    rate: \"decimal(38,9)\" # how many digits?", "  amount: required"]
    {
        assert!(text.contains(&format!("{line}\n")), "{text}");
    }
    assert!(text.contains("key: [id], order_by: updated_at"), "{text}");
    run(folder.path(), "p.yaml");
    assert_eq!(
        query(folder.path(), "select id, amount, rate, note from public_sales"),
        "id,amount,rate,note\n1,1.10,0.500000000,a\n"
    );
    let absent = etalon(folder.path(), &["init", "--from", &url, "--table", "nothing", "--to", "q.yaml"]);
    assert_eq!(absent.status.code(), Some(3));
}
