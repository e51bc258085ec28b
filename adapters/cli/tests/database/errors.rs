//! Errors: what a user sees where a source cannot be read.

use etalon_golden::postgres::Server;

use crate::source::told;

const PIPELINE: &str = "\
etalon: 1
pipeline: p
source:
  postgres: { url: '{URL}', table: t, incremental: { cursor: at } }
  fields: { id: bigint, at: timestamptz }
columns: { id: required, at: required }
target: { table: t, write: merge, key: id, order_by: at }
";

pub(crate) fn what_a_user_sees_when_a_source_fails(server: &Server) {
    let url = server.database("errors");
    let made = "create table t (id bigint, at timestamptz); create role reader login password 'right'; \
                create table kept (id bigint, at timestamptz); create table words (id bigint, at text); \
                create table empty_cursor (id bigint, at timestamptz); insert into empty_cursor values (1, null), (2, 'infinity')";
    assert!(server.psql_in("errors", made).0);
    let here = PIPELINE.replace("{URL}", &url);
    let there = |who: &str, more: &str| {
        PIPELINE.replace("{URL}", &format!("postgres://{who}@127.0.0.1:{}/errors{more}", server.port()))
    };
    for (what, pipeline, expected) in [
        ("a wrong password", there("reader:wrong", ""), "password authentication failed for user \"reader\""),
        (
            "no TLS",
            there("reader:right", "?sslmode=require"),
            "sslmode=require asks for an encrypted connection, and the server at",
        ),
        (
            "no rights",
            there("reader:right", ""),
            "permission denied for table t (42501); `grant select` on what is read",
        ),
        (
            "nobody answers",
            PIPELINE.replace("{URL}", "postgres://u@127.0.0.1:1/d"),
            "no PostgreSQL answers at 127.0.0.1, port 1",
        ),
        (
            "no such table",
            here.replace("table: t,", "table: public.missing,"),
            "relation \"public.missing\" does not exist",
        ),
        (
            "no such column",
            here.replace("id: bigint", "ident: bigint")
                .replace("id: required", "ident: required")
                .replace("key: id", "key: ident"),
            "column q.ident does not exist",
        ),
        (
            "a cursor of another type",
            here.replace("table: t,", "table: words,"),
            "the cursor `at` is of type text; a cursor is a timestamp",
        ),
        (
            "rows without a cursor",
            here.replace("table: t,", "table: empty_cursor,"),
            "2 rows have no `at` (it is NULL or infinite), and would never be read",
        ),
        (
            "a window of numbers",
            here.replace("cursor: at", "cursor: at, window: 5"),
            "`window` is a number; write a time: `window: 1 day`",
        ),
    ] {
        let told = told(&pipeline);
        println!("{what}: {told}");
        assert!(told.contains(expected), "{what}: {told}");
        assert!(!told.contains("wrong@") && !told.contains("right@"), "a password is told: {told}");
    }
    // Sessions that hide when their transactions began.
    let granted = "grant select on t to reader";
    assert!(server.psql_in("errors", granted).0);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| server.psql_in("errors", "\\! sleep 3"));
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let told = told(&there("reader:right", ""));
        assert!(
            told.contains("1 session does not show when a transaction of theirs began")
                && told.contains("pg_read_all_stats"),
            "{told}"
        );
        other.join().unwrap();
    });
}
