//! PostgreSQL as a warehouse, on a real one: the laws of loading, every type there and back, and what goes wrong.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may fail, and says what it saw")]

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Date32Array;
use arrow_array::Decimal128Array;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::stage::Format;
use etalon_core::testing::merge;
use etalon_core::testing::merge::Loads;
use etalon_core::testing::stage;
use etalon_core::types::Type;
use etalon_core::value::show::show;
use etalon_core::warehouse::Layout;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::WriteMode;
use etalon_driver::connection::Connection;
use etalon_golden::postgres::Server;
use etalon_golden::postgres::main as tests;
use etalon_postgres::Postgres;
use etalon_sqlite::Sqlite;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const DAY: i64 = 86_400_000_000;

fn main() -> ExitCode {
    tests(&[
        ("any_order_of_arrival_gives_the_same_table", any_order_of_arrival_gives_the_same_table),
        ("loading_twice_is_loading_once", loading_twice_is_loading_once),
        ("what_is_replaced_leaves_nothing", what_is_replaced_leaves_nothing),
        ("any_batch_is_there_as_it_was", any_batch_is_there_as_it_was),
        (
            "what_postgresql_cannot_hold_is_refused_with_its_place",
            what_postgresql_cannot_hold_is_refused_with_its_place,
        ),
        ("a_load_that_stops_in_the_middle_leaves_nothing", a_load_that_stops_in_the_middle_leaves_nothing),
        ("loads_at_the_same_time_wait_for_each_other", loads_at_the_same_time_wait_for_each_other),
        ("schemas_are_made_and_foreign_tables_left_alone", schemas_are_made_and_foreign_tables_left_alone),
        ("several_rows_with_one_key_are_counted", several_rows_with_one_key_are_counted),
        ("a_query_only_reads_and_answers_as_sqlite_does", a_query_only_reads_and_answers_as_sqlite_does),
        ("expressions_over_decimals_are_those_of_sqlite", expressions_over_decimals_are_those_of_sqlite),
        ("whoever_is_not_let_in_is_told_why", whoever_is_not_let_in_is_told_why),
        ("a_silent_server_is_not_waited_for", a_silent_server_is_not_waited_for),
    ])
}

/// Generated cases, as many as said.
fn law<S: Strategy>(cases: u32, strategy: S, law: impl Fn(S::Value)) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(&strategy, |case| {
        law(case);
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}

/// A warehouse in an empty database.
struct Empty {
    postgres: Postgres,
}

impl Empty {
    fn new(server: &Server, database: &'static str) -> Self {
        assert!(server.psql_in(database, "drop schema public cascade; create schema public").0);
        Self { postgres: Postgres::open(&server.url(database)).unwrap() }
    }
}

impl Loads for Empty {
    fn load(&mut self, table: &Table, batches: &[LoadBatch], rows: RecordBatch) -> Result<LoadCounts, Error> {
        let counts = self.postgres.load(table, batches, &mut [Ok(rows)].into_iter(), 0)?;
        // Every ledger row balances by itself, and those of this load add up to what it gave.
        let mut sum = LoadCounts::default();
        for row in self.postgres.ledger(table)?.iter().filter(|row| batches.contains(&row.batch)) {
            assert!(row.counts.balance(), "{row:?}");
            sum.add(row.counts);
        }
        assert_eq!(sum, counts);
        Ok(counts)
    }

    fn rows(&mut self, table: &Table) -> Vec<Vec<Option<String>>> {
        self.postgres.query(&format!("select * from {}", table.name)).unwrap().rows
    }
}

fn any_order_of_arrival_gives_the_same_table(server: &Server) {
    server.database("order");
    law(24, merge::cases(), |case| {
        merge::any_order_of_arrival_gives_the_same_table(&case, || Empty::new(server, "order"));
    });
}

fn loading_twice_is_loading_once(server: &Server) {
    server.database("twice");
    law(24, merge::cases(), |case| merge::loading_twice_is_loading_once(&case, Empty::new(server, "twice")));
}

fn what_is_replaced_leaves_nothing(server: &Server) {
    server.database("replaced");
    law(24, merge::cases(), |case| {
        merge::what_is_replaced_leaves_nothing(&case, || Empty::new(server, "replaced"));
    });
}

/// A table with these columns, none of them required.
fn table(columns: &[(&str, Type)]) -> Table {
    let column = |&(name, ty): &(&str, Type)| TableColumn { name: name.to_owned(), ty, required: false };
    Table {
        schema: Some("analytics".to_owned()),
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

fn batch(name: &str, staged: usize) -> LoadBatch {
    LoadBatch {
        input: format!("input of {name}"),
        batch: name.to_owned(),
        generation: 0,
        source: format!("{name}.csv"),
        source_version: "1".to_owned(),
        content: "1".to_owned(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: DAY,
        staged: staged as u64,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
    }
}

/// Columns with the lineage beside them.
fn rows(batch: &str, mut columns: Vec<ArrayRef>) -> RecordBatch {
    let count = columns[0].len();
    columns.push(Arc::new(StringArray::from(vec![batch; count])));
    columns.push(Arc::new((0..).step_by(100).take(count).collect::<Int64Array>()));
    columns.push(Arc::new(TimestampMicrosecondArray::from(vec![DAY; count]).with_timezone("UTC")));
    let named = columns.into_iter().enumerate().map(|(at, array)| (format!("c{at}"), array, true));
    RecordBatch::try_from_iter_with_nullable(named).unwrap()
}

fn load(warehouse: &mut Postgres, table: &Table, name: &str, rows: RecordBatch) -> Result<LoadCounts, Error> {
    warehouse.load(table, &[batch(name, rows.num_rows())], &mut [Ok(rows)].into_iter(), 2 * DAY)
}

fn any_batch_is_there_as_it_was(server: &Server) {
    let url = server.database("types");
    let types = stage::columns();
    let columns: Vec<(&str, Type)> = types.iter().map(|(name, ty, _)| (name.as_str(), *ty)).collect();
    let table = table(&columns);
    law(40, stage::rows(), |cells| {
        let arrays = stage::arrays(&cells);
        server.psql_in("types", "drop schema if exists analytics cascade");
        let mut postgres = Postgres::open(&url).unwrap();
        let counts = load(&mut postgres, &table, "b", rows("b", arrays.clone())).unwrap();
        assert_eq!(counts.inserted, cells.len() as u64);
        // As PostgreSQL itself writes it.
        let texts: Vec<String> = columns.iter().map(|(name, _)| format!("{name}::text")).collect();
        let sql = format!("select {} from analytics.orders order by _etalon_offset", texts.join(", "));
        let answer = postgres.query(&sql).unwrap();
        for (row, found) in answer.rows.iter().enumerate() {
            for ((array, (_, ty)), found) in arrays.iter().zip(&columns).zip(found) {
                let expected = show(&**array, row).map(|text| match (*ty, text.as_str()) {
                    (Type::Boolean, "t") => "true".to_owned(),
                    (Type::Boolean, _) => "false".to_owned(),
                    (Type::Char(_), text) => text.trim_end_matches(' ').to_owned(),
                    _ => text,
                });
                assert_eq!(found, &expected, "{ty}");
            }
        }
        // As a query shows it, in both warehouses.
        let mut sqlite = Sqlite::open_in_memory().unwrap();
        let same = rows("b", arrays);
        sqlite.load(&table, &[batch("b", same.num_rows())], &mut [Ok(same)].into_iter(), 2 * DAY).unwrap();
        let sql = "select * from analytics.orders order by _etalon_offset";
        let (mut ours, theirs) = (postgres.query(sql).unwrap(), sqlite.query(sql).unwrap());
        for (row, (ours, theirs)) in ours.rows.iter_mut().zip(&theirs.rows).enumerate() {
            // PostgreSQL fills a char with blanks, which do not count.
            let filled = theirs[10].as_ref().map(|text| format!("{text:<5}"));
            assert_eq!(ours[10], filled, "row {row}");
            ours[10] = theirs[10].clone();
        }
        assert_eq!(ours, theirs);
        // As COPY reads the same rows from a part of separated values.
        let part = std::env::temp_dir().join(format!("etalon-part-{}.csv", std::process::id()));
        std::fs::write(&part, stage::part(Format::Csv, &cells, &[7])).unwrap();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let script = format!(
            "create table analytics.copied (like analytics.orders);\n\
             \\copy analytics.copied from '{}' with (format csv, null '\\N')\n\
             select count(*) from (select {names}, _etalon_offset / 100 from analytics.orders except all \
             select {names}, _etalon_offset from analytics.copied) d",
            part.display()
        );
        let (copied, lines) = server.psql_in("types", &script);
        std::fs::remove_file(part).unwrap();
        assert!(copied);
        assert_eq!(lines, ["0"], "COPY reads other values");
    });
    println!("40 batches of {} columns, to 40 rows each, came back as they were", columns.len());
}

fn what_postgresql_cannot_hold_is_refused_with_its_place(server: &Server) {
    let mut postgres = Postgres::open(&server.database("unfit")).unwrap();
    let mut wrong = |ty: Type, array: ArrayRef| {
        let error = load(&mut postgres, &table(&[("x", ty)]), "b", rows("b", vec![array])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Held);
        let message = error.to_string();
        message.split_once("port=").unwrap().1.split_once(": ").unwrap().1.to_owned()
    };
    assert_eq!(
        wrong(Type::Varchar(9), Arc::new(StringArray::from(vec!["a", "b\0c"]))),
        "column `x` of the record at byte 100 is a text with a NUL character, which PostgreSQL does not hold"
    );
    for days in [-2_440_589, 2_145_042_906, i32::MIN, i32::MAX] {
        assert_eq!(
            wrong(Type::Date, Arc::new(Date32Array::from(vec![0, days]))),
            "column `x` of the record at byte 100 is a date beyond 4714-11-24 BC to 5874897-12-31, \
             which PostgreSQL does not hold"
        );
    }
    for micros in [-210_866_803_200_000_001, i64::MIN] {
        assert!(
            wrong(Type::Timestamp, Arc::new(TimestampMicrosecondArray::from(vec![micros])))
                .contains("byte 0 is a timestamp beyond")
        );
    }
    // The last that it holds.
    let days: ArrayRef = Arc::new(Date32Array::from(vec![-2_440_588, 2_145_042_905]));
    load(&mut postgres, &table(&[("x", Type::Date)]), "last", rows("last", vec![days])).unwrap();
    let days = postgres.query("select x::text from analytics.orders order by x").unwrap().rows;
    assert_eq!(days, [["4714-11-24 BC"], ["5874897-12-31"]].map(|row| row.map(|day| Some(day.to_owned()))));
    let long = "l".repeat(64);
    let named = load(
        &mut postgres,
        &table(&[(&long, Type::Bigint)]),
        "b",
        rows("b", vec![Arc::new(Int64Array::from(vec![1]))]),
    );
    assert!(named.unwrap_err().to_string().contains("64 bytes"), "a name that PostgreSQL would cut");
}

fn one(number: i64) -> RecordBatch {
    rows("b", vec![Arc::new(Int64Array::from(vec![number]))])
}

fn a_load_that_stops_in_the_middle_leaves_nothing(server: &Server) {
    let mut postgres = Postgres::open(&server.database("stops")).unwrap();
    let table = table(&[("x", Type::Bigint)]);
    load(&mut postgres, &table, "a", rows("a", vec![Arc::new(Int64Array::from(vec![1]))])).unwrap();
    let before = postgres.ledger(&table).unwrap();
    let stop = Error::new(ErrorKind::Unavailable, "the part did not come");
    let mut parts = [Ok(one(2)), Err(stop.clone())].into_iter();
    assert_eq!(postgres.load(&table, &[batch("b", 2)], &mut parts, 0).unwrap_err(), stop);
    let short = postgres.load(&table, &[batch("b", 2)], &mut [Ok(one(2))].into_iter(), 0).unwrap_err();
    assert!(short.to_string().ends_with("batch b of `b.csv` says 2 staged rows, and 1 came"), "{short}");
    let again = postgres.load(&table, &[batch("a", 1)], &mut [Ok(one(2))].into_iter(), 0).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    assert_eq!(postgres.ledger(&table).unwrap(), before);
    load(&mut postgres, &table, "b", one(2)).unwrap();
    let sum = postgres.query("select count(*), sum(x) from analytics.orders").unwrap();
    assert_eq!(sum.rows, [[Some("2".to_owned()), Some("3".to_owned())]]);
    // The server goes away.
    let gone = server.psql_in("stops", "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'etalon' and datname = 'stops'");
    assert!(gone.0);
    let error = load(&mut postgres, &table, "c", one(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

fn loads_at_the_same_time_wait_for_each_other(server: &Server) {
    let url = server.database("busy");
    let mut table = table(&[("x", Type::Bigint), ("v", Type::Bigint)]);
    for column in &mut table.columns {
        column.required = true;
    }
    table.write = WriteMode::Merge { key: vec![0], order_by: vec![1] };
    let load = |name: String, value: i64| {
        let mut postgres = Postgres::open(&url).unwrap();
        let column = |numbers: Vec<i64>| -> ArrayRef { Arc::new(Int64Array::from(numbers)) };
        let rows = rows(&name, vec![column((0..500).collect()), column(vec![value; 500])]);
        postgres.load(&table, &[batch(&name, 500)], &mut [Ok(rows)].into_iter(), 0)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        // Each input is sent twice.
        let handles: Vec<_> = (0..8_i64).map(|n| scope.spawn(move || load(format!("b{}", n / 2), n / 2))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 4, "{results:?}");
    for error in results.into_iter().filter_map(Result::err) {
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    }
    let mut postgres = Postgres::open(&url).unwrap();
    let sum = postgres.query("select count(*), min(v), max(v) from analytics.orders").unwrap();
    assert_eq!(sum.rows, [["500", "3", "3"].map(|text| Some(text.to_owned()))]);
}

fn schemas_are_made_and_foreign_tables_left_alone(server: &Server) {
    let mut postgres = Postgres::open(&server.database("schemas")).unwrap();
    let table = table(&[("x", Type::Bigint)]);
    assert_eq!(postgres.ledger(&table).unwrap(), []);
    server.psql_in("schemas", "create schema analytics; create table analytics.orders (x bigint)");
    let error = load(&mut postgres, &table, "b", one(1)).unwrap_err().to_string();
    assert!(error.contains("table `analytics.orders` exists, and Etalon has not created it; "), "{error}");
    server.psql_in("schemas", "drop table analytics.orders");
    load(&mut postgres, &table, "b", one(1)).unwrap();
    let mut other = self::table(&[("x", Type::Date)]);
    let dates = rows("c", vec![Arc::new(Date32Array::from(vec![1]))]);
    let error = load(&mut postgres, &other, "c", dates).unwrap_err().to_string();
    assert!(error.contains("column `x` is bigint there and date here"), "{error}");
    // What the message says helps, where the warehouse can do it.
    let mut wide = self::table(&[("x", Type::Decimal { precision: 12, scale: 2 })]);
    let decimals = |name| {
        let decimals = Decimal128Array::from(vec![150]).with_precision_and_scale(12, 2).unwrap();
        rows(name, vec![Arc::new(decimals)])
    };
    let error = load(&mut postgres, &wide, "w", decimals("w")).unwrap_err().to_string();
    let (_, told) = error.split_once("or change this one: `").unwrap();
    assert!(server.psql_in("schemas", told.strip_suffix('`').unwrap()).0, "{told}");
    load(&mut postgres, &wide, "w", decimals("w")).unwrap();
    assert_eq!(postgres.query("select sum(x) from analytics.orders").unwrap().rows, [[Some("2.50".to_owned())]]);
    wide.columns[0].ty = Type::Bigint;
    let error = load(&mut postgres, &wide, "v", rows("v", vec![Arc::new(Int64Array::from(vec![1]))])).unwrap_err();
    let error = error.to_string();
    let (_, told) = error.split_once("or change this one: `").unwrap();
    assert!(server.psql_in("schemas", told.strip_suffix('`').unwrap()).0, "{told}");
    other.schema = Some("new".to_owned());
    load(&mut postgres, &other, "d", rows("d", vec![Arc::new(Date32Array::from(vec![1]))])).unwrap();
    assert_eq!(postgres.query("select x from new.orders").unwrap().rows, [[Some("1970-01-02".to_owned())]]);
    // Who may not create anything, and has no need to, is let through; who has a need is told.
    server.psql_in(
        "schemas",
        "create role guest login; grant usage on schema analytics to guest;
         grant all on all tables in schema analytics to guest",
    );
    let mut guest = Postgres::open(&server.url("schemas").replace("etalon@", "guest@")).unwrap();
    load(&mut guest, &table, "e", rows("e", vec![Arc::new(Int64Array::from(vec![5]))])).unwrap();
    other.schema = Some("newer".to_owned());
    let denied = load(&mut guest, &other, "f", rows("f", vec![Arc::new(Date32Array::from(vec![1]))])).unwrap_err();
    assert!(denied.to_string().contains("permission denied for database schemas"), "{denied}");
}

fn several_rows_with_one_key_are_counted(server: &Server) {
    let mut postgres = Postgres::open(&server.database("repeated")).unwrap();
    let mut table = table(&[("x", Type::Bigint), ("v", Type::Bigint)]);
    for column in &mut table.columns {
        column.required = true;
    }
    let columns = |numbers: [i64; 5]| -> Vec<ArrayRef> {
        vec![Arc::new(Int64Array::from(numbers.to_vec())), Arc::new(Int64Array::from(vec![1; 5]))]
    };
    load(&mut postgres, &table, "a", rows("a", columns([1, 1, 1, 2, 2]))).unwrap();
    table.write = WriteMode::Merge { key: vec![0], order_by: vec![1] };
    let error = load(&mut postgres, &table, "b", rows("b", columns([1, 2, 3, 4, 5]))).unwrap_err();
    let told = "table `analytics.orders` holds several rows with one key (x): 2 keys in 5 rows; remove all but one row of each \
                that `select x, count(*) from analytics.orders group by x having count(*) > 1` lists";
    assert!(error.to_string().ends_with(told), "{error}");
}

fn a_query_only_reads_and_answers_as_sqlite_does(server: &Server) {
    let mut postgres = Postgres::open(&server.database("queries")).unwrap();
    let table = table(&[("x", Type::Bigint), ("amount", Type::Decimal { precision: 12, scale: 2 })]);
    let amounts = Decimal128Array::from(vec![Some(900), Some(1000), None]).with_precision_and_scale(12, 2).unwrap();
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1, 2, 3])), Arc::new(amounts)];
    load(&mut postgres, &table, "b", rows("b", columns.clone())).unwrap();
    let mut sqlite = Sqlite::open_in_memory().unwrap();
    let same = rows("b", columns);
    sqlite.load(&table, &[batch("b", 3)], &mut [Ok(same)].into_iter(), 2 * DAY).unwrap();
    for sql in [
        "select sum(amount), avg(amount), min(amount), max(amount) from analytics.orders",
        "select amount from analytics.orders where amount > 9 order by amount",
        "select sum(x), count(*) from analytics.orders",
        "select * from analytics.orders order by x",
    ] {
        let (ours, theirs) = (postgres.query(sql).unwrap(), sqlite.query(sql).unwrap());
        assert_eq!(ours.rows, theirs.rows, "{sql}");
    }
    let types: Vec<_> = postgres.query("select * from analytics.orders").unwrap().columns;
    assert_eq!(types[1].ty, Some(Type::Decimal { precision: 12, scale: 2 }));
    let mut wrong = |sql: &str| postgres.query(sql).unwrap_err().to_string();
    assert_eq!(wrong("delete from analytics.orders"), "a query only reads");
    assert_eq!(
        wrong("select amout from analytics.orders"),
        "column \"amout\" does not exist; Perhaps you meant to reference the column \"orders.amount\""
    );
    assert_eq!(
        wrong("select 1; delete from analytics.orders"),
        "cannot insert multiple commands into a prepared statement"
    );
    assert_eq!(postgres.query("select count(*) from analytics.orders").unwrap().rows, [[Some("3".to_owned())]]);
}

/// Decimals as PostgreSQL and SQLite both write them: `d` are exact decimals, `b` are conditions, both of the columns `amount`,
/// `fee` and `x`.
fn decimal_expression() -> impl Strategy<Value = String> + Clone {
    let leaf = prop::sample::select(vec!["amount", "fee", "amount", "(fee)"]).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let number = prop::sample::select(vec!["0", "1000", "9", "-3", "12.5", "x"]);
        let either = prop_oneof![3 => inner.clone(), 1 => number.prop_map(str::to_owned)];
        prop_oneof![
            inner.clone().prop_map(|a| format!("- ({a})")),
            (condition(inner.clone()), inner.clone(), either.clone())
                .prop_map(|(b, a, c)| format!("case when {b} then {a} else {c} end")),
            (inner.clone(), either.clone(), inner.clone(), either.clone())
                .prop_map(|(a, b, c, d)| format!("case {a} when {b} then {c} else {d} end")),
            (inner.clone(), either.clone()).prop_map(|(a, c)| format!("coalesce({a}, {c})")),
            (inner.clone(), either.clone()).prop_map(|(a, c)| format!("nullif({a}, {c})")),
            inner.clone().prop_map(|a| format!("(select {a})")),
            prop::sample::select(vec!["min", "max", "sum"])
                .prop_flat_map(move |f| (Just(f), inner.clone()))
                .prop_map(|(f, a)| format!("(select {f}(v) from (select {a} as v from analytics.orders) t)")),
            Just("(select max(i.amount) from analytics.orders i where i.x < o.x)".to_owned()),
        ]
    })
}

fn condition(decimal: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let number = prop::sample::select(vec!["0", "1000", "9", "-3", "12.5", "x", "x + 1"]).prop_map(str::to_owned);
    let either = prop_oneof![decimal.clone(), number];
    let sign = prop::sample::select(vec!["<", "<=", "=", "<>", ">", ">=", "is distinct from"]);
    prop_oneof![
        (decimal.clone(), sign.clone(), either.clone()).prop_map(|(a, sign, c)| format!("{a} {sign} {c}")),
        (either.clone(), sign, decimal.clone()).prop_map(|(a, sign, c)| format!("{a} {sign} {c}")),
        (decimal.clone(), either.clone(), either.clone()).prop_map(|(a, b, c)| format!("{a} between {b} and {c}")),
        (decimal.clone(), either.clone(), either.clone()).prop_map(|(a, b, c)| format!("{a} not in ({b}, {c})")),
        (decimal.clone(), decimal).prop_map(|(a, c)| format!("{a} in (select {c} from analytics.orders i)")),
        Just("paid".to_owned()),
    ]
}

fn expressions_over_decimals_are_those_of_sqlite(server: &Server) {
    let mut postgres = Postgres::open(&server.database("expressions")).unwrap();
    let decimal = Type::Decimal { precision: 20, scale: 2 };
    let table = table(&[("x", Type::Bigint), ("amount", decimal), ("fee", decimal), ("paid", Type::Boolean)]);
    let decimals = |cents: Vec<Option<i128>>| {
        Arc::new(Decimal128Array::from(cents).with_precision_and_scale(20, 2).unwrap()) as ArrayRef
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), Some(9), Some(10), None, Some(1000), Some(-3), Some(7)])),
        decimals(vec![
            Some(900),
            Some(100_000),
            Some(1250),
            Some(-300),
            None,
            Some(99_999),
            Some(123_456_789_012_345_678),
        ]),
        decimals(vec![Some(1000), Some(-1250), Some(0), Some(900), Some(100_001), None, Some(-5)]),
        Arc::new(BooleanArray::from(vec![
            Some(true),
            Some(false),
            None,
            Some(true),
            Some(false),
            Some(true),
            Some(false),
        ])),
    ];
    load(&mut postgres, &table, "b", rows("b", columns.clone())).unwrap();
    let mut sqlite = Sqlite::open_in_memory().unwrap();
    sqlite.load(&table, &[batch("b", 7)], &mut [Ok(rows("b", columns))].into_iter(), 2 * DAY).unwrap();
    // A number is the same with more zeros: which has how many is PostgreSQL's own.
    let plain = |rows: Vec<Vec<Option<String>>>| -> Vec<Vec<Option<String>>> {
        let cut = |cell: String| match cell.contains('.') {
            true => cell.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => cell,
        };
        let cut = |cell: String| Some(cut(cell)).map(|cell| if cell == "-0" { "0".to_owned() } else { cell });
        rows.into_iter().map(|row| row.into_iter().map(|cell| cell.and_then(cut)).collect()).collect()
    };
    let mut compare = |sql: &str| {
        let (theirs, ours) = (postgres.query(sql).unwrap(), sqlite.query(sql));
        let ours = ours.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(plain(ours.rows), plain(theirs.rows), "{sql}");
    };
    for sql in [
        "select x from analytics.orders where case when paid then amount else 0 end > 1000 order by x",
        "select x from analytics.orders o where (select amount) > 1000 order by x",
        "select x from analytics.orders o where (select max(i.amount) from analytics.orders i where i.paid = o.paid) > 1000 order by 1",
        "select x from analytics.orders order by case when paid then amount else fee end nulls first, x nulls first",
        "select sum(case when amount < 0 then -amount else amount end) from analytics.orders",
        "select amount from analytics.orders union all select x from analytics.orders order by 1 nulls first",
        "with t(v) as (select amount from analytics.orders) select count(*) from t where coalesce(v, 0) > 1000",
        "select count(distinct case when paid then amount else 9 end) from analytics.orders",
    ] {
        compare(sql);
    }
    let compare = std::cell::RefCell::new(compare);
    let expression = decimal_expression();
    law(300, (expression.clone(), condition(expression.clone()), expression), |(shown, held, order)| {
        let sql = format!(
            "select x, {shown} as shown from analytics.orders o where {held} order by {order} nulls first, x nulls first"
        );
        (compare.borrow_mut())(&sql);
    });
}

fn whoever_is_not_let_in_is_told_why(server: &Server) {
    let made = server.psql(
        "set password_encryption = 'scram-sha-256'; create role scram login password 'se:cret@1';
         set password_encryption = 'md5'; create role old login password 'se:cret@2'",
    );
    assert!(made.0);
    let port = server.port();
    for (user, password) in [("scram", "se%3Acret%401"), ("old", "se%3Acret%402")] {
        let open =
            |password: &str| Postgres::open(&format!("postgresql://{user}:{password}@127.0.0.1:{port}/postgres"));
        open(password).unwrap().query("select 1").unwrap();
        let error = open("wrong-secret").unwrap_err();
        let expected = format!(
            "postgres://{user}@127.0.0.1:{port}/postgres: password authentication failed for user \"{user}\" (28P01)"
        );
        assert_eq!((error.kind(), error.to_string()), (ErrorKind::Refused, expected));
    }
    let wrong = |url: String| Postgres::open(&url).unwrap_err().to_string();
    let error = wrong(format!("postgres://scram@127.0.0.1:{port}/postgres"));
    assert!(error.ends_with("the server asks for a password; give it in the variable PGPASSWORD"), "{error}");
    assert!(wrong(server.url("nowhere")).contains("database \"nowhere\" does not exist"));
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).unwrap();
    let error = Postgres::open(&format!("postgres://u:secret@{closed}/d")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("no PostgreSQL answers at 127.0.0.1") && !error.to_string().contains("secret"));
}

/// It takes calls, answers as much of them as is said, and then nothing.
fn a_silent_server_is_not_waited_for(_: &Server) {
    for (answer, sslmode) in [("", "disable"), ("", "prefer"), ("S", "require"), ("N", "prefer")] {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let place = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                socket.write_all(answer.as_bytes()).unwrap();
                held.push(socket);
            }
        });
        let begun = Instant::now();
        let error = Postgres::open(&format!("postgres://u@{place}/d?connect_timeout=1&sslmode={sslmode}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{answer} {sslmode}");
        assert!(error.to_string().contains("within 1 s (connect_timeout)"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{answer} {sslmode}: {:?}", begun.elapsed());
    }
}
