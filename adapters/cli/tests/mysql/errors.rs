//! Errors: what a user sees where a source cannot be read.

use etalon_golden::mariadb::Server;

use crate::source::told;

const PIPELINE: &str = "\
etalon: 1
pipeline: p
source:
  mysql: { url: '{URL}', table: t, incremental: { cursor: at } }
  fields: { id: bigint, at: timestamptz }
columns: { id: required, at: required }
target: { table: t, write: merge, key: id, order_by: at }
";

pub(crate) fn what_a_user_sees_when_a_source_fails(server: &Server) {
    let url = server.database("errors");
    let made = "set sql_mode = ''; create table t (id bigint, at timestamp null); create table words (id bigint, at text); \
                create table empty_cursor (id bigint, at timestamp null); \
                insert into empty_cursor values (1, null), (2, '0000-00-00 00:00:00'); \
                create table many (id bigint, at timestamp null, n bigint); \
                insert into many select seq, now() - interval 1 hour, seq from seq_1_to_1000; \
                create user reader identified by 'right'; create user nobody identified by 'right'; \
                grant select on errors.* to reader; grant usage on *.* to nobody; grant select on errors.words to nobody";
    assert!(server.sql("errors", made).0);
    let here = PIPELINE.replace("{URL}", &url);
    let there = |who: &str, more: &str| {
        PIPELINE.replace("{URL}", &format!("mysql://{who}@127.0.0.1:{}/errors{more}", server.port()))
    };
    for (what, pipeline, expected) in [
        (
            "a wrong password",
            there("reader:wrong", ""),
            "Access denied for user 'reader'@'localhost' (using password: YES) (1045)",
        ),
        ("no password", there("reader", ""), "(using password: NO) (1045); give a password in the variable MYSQL_PWD"),
        (
            "no TLS",
            there("reader:right", "?ssl-mode=required"),
            "ssl-mode=required asks for an encrypted connection, and the server at",
        ),
        (
            "no rights",
            there("nobody:right", ""),
            "SELECT command denied to user 'nobody'@'localhost' for table `errors`.`t` (1142); `grant select` on what is read",
        ),
        (
            "nobody answers",
            PIPELINE.replace("{URL}", "mysql://u@127.0.0.1:1/d"),
            "no MySQL answers at 127.0.0.1, port 1",
        ),
        ("no such database", here.replace("/errors?", "/missing?"), "Unknown database 'missing' (1049)"),
        (
            "no such table",
            here.replace("table: t,", "table: errors.missing,"),
            "Table 'errors.missing' doesn't exist (1146)",
        ),
        (
            "no such column",
            here.replace("id: bigint", "ident: bigint")
                .replace("id: required", "ident: required")
                .replace("key: id", "key: ident"),
            "Unknown column 'q.ident' in",
        ),
        (
            "a cursor of another type",
            here.replace("table: t,", "table: words,"),
            "the cursor `at` is of type text; a cursor is a timestamp",
        ),
        (
            "rows without a cursor",
            here.replace("table: t,", "table: empty_cursor,"),
            "2 rows have no `at` (it is NULL or zero), and would never be read",
        ),
        (
            "a window of numbers",
            here.replace("cursor: at", "cursor: at, window: 5"),
            "`window` is a number; write a time: `window: 1 day`",
        ),
        (
            "transactions that are not shown",
            there("reader:right", ""),
            "`grant process on *.* to` this user, or say `open_transactions: ignore`",
        ),
        (
            "an error in the middle of rows",
            here.replacen(
                "table: t,",
                "query: \"select id, at, if(n = 900, (select 1 union select 2), n) as n from many\",",
                1,
            )
            .replace("at: timestamptz }", "at: timestamptz, n: bigint }")
            .replace("at: required }", "at: required, n: }"),
            "Subquery returns more than 1 row (1242)",
        ),
    ] {
        let told = told(&pipeline);
        println!("{what}: {told}");
        assert!(told.contains(expected), "{what}: {told}");
        assert!(!told.contains("wrong@") && !told.contains("right@"), "a password is told: {told}");
    }
}

/// A `datetime` has no zone: it is taken as UTC, which rows of a zone behind UTC are not.
pub(crate) fn a_server_of_another_time_zone_is_told(server: &Server) {
    let url = server.database("zones");
    let made = "create table t (id bigint, at datetime(6)); insert into t values (1, '2026-01-01 00:00:00')";
    assert!(server.sql("zones", made).0);
    assert!(server.sql("", "set global time_zone = 'SYSTEM'").0);
    let pipeline = PIPELINE.replace("{URL}", &url).replace("timestamptz", "timestamp");
    let told = told(&pipeline);
    assert!(server.sql("", "set global time_zone = '+00:00'").0);
    let expected =
        "the cursor `at` is a datetime(6), which is taken as UTC, and the server's time zone for this user is E";
    assert!(told.contains(expected) && told.contains("up to 5 hours behind"), "{told}");
    assert!(told.contains("`set global time_zone = '+00:00'`; otherwise say `lag: 6 hours`"), "{told}");
}
