//! The SQLite warehouse through its front door.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Date32Array;
use arrow_array::Decimal128Array;
use arrow_array::Float64Array;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::types::Type;
use etalon_core::warehouse::Layout;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Statement;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::WriteMode;
use etalon_driver::connection::Answer;
use etalon_driver::connection::Connection;
use etalon_sqlite::Sqlite;

const DAY: i64 = 86_400_000_000;
/// Counts the rows that others have beaten.
const BEATEN: &str = "select count(*) from \"_etalon_beaten_analytics.orders\"";

/// `analytics.orders` with one column of most types.
fn orders(write: WriteMode) -> Table {
    let column = |(name, ty, required): (&str, Type, bool)| TableColumn { name: name.to_owned(), ty, required };
    Table {
        schema: Some("analytics".to_owned()),
        name: "orders".to_owned(),
        columns: [
            ("id", Type::Bigint, true),
            ("customer", Type::Varchar(20), false),
            ("amount", Type::Decimal { precision: 12, scale: 2 }, false),
            ("paid", Type::Boolean, false),
            ("weight", Type::Double, false),
            ("ordered_on", Type::Date, false),
            ("ordered_at", Type::Timestamp, true),
        ]
        .map(column)
        .to_vec(),
        write,
        lineage: true,
        deletes: false,
        keeps_beaten: false,
        dedupe: None,
        layout: Layout::default(),
    }
}

fn merge() -> WriteMode {
    WriteMode::Merge { key: vec![0], order_by: vec![6] }
}

fn batch(name: &str, staged: u64) -> LoadBatch {
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
        staged,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
    }
}

/// An order: id, customer, amount in cents, microseconds since 1970.
type Order<'a> = (i64, Option<&'a str>, i128, i64);

fn rows(batch: &str, orders: &[Order<'_>]) -> RecordBatch {
    let count = orders.len();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(orders.iter().map(|order| order.0).collect::<Int64Array>()),
        Arc::new(orders.iter().map(|order| order.1).collect::<StringViewArray>()),
        Arc::new(
            Decimal128Array::from_iter_values(orders.iter().map(|order| order.2))
                .with_precision_and_scale(12, 2)
                .unwrap(),
        ),
        Arc::new(orders.iter().map(|order| Some(order.2 > 0)).collect::<BooleanArray>()),
        Arc::new(orders.iter().map(|order| if order.0 == 13 { f64::NAN } else { 0.5 }).collect::<Float64Array>()),
        Arc::new(Date32Array::from_iter_values(
            orders.iter().map(|order| i32::try_from(order.3.div_euclid(DAY)).unwrap()),
        )),
        Arc::new(TimestampMicrosecondArray::from_iter_values(orders.iter().map(|order| order.3))),
        Arc::new(StringArray::from(vec![batch; count])),
        Arc::new((0..).take(count).collect::<Int64Array>()),
        Arc::new(TimestampMicrosecondArray::from(vec![DAY; count]).with_timezone("UTC")),
    ];
    let names = ["id", "customer", "amount", "paid", "weight", "ordered_on", "ordered_at", "b", "o", "t"];
    RecordBatch::try_from_iter_with_nullable(names.into_iter().zip(columns).map(|(name, array)| (name, array, true)))
        .unwrap()
}

fn load(warehouse: &mut Sqlite, table: &Table, name: &str, orders: &[Order<'_>]) -> Result<LoadCounts, Error> {
    let batches = [batch(name, orders.len() as u64)];
    warehouse.load(table, &batches, &mut [Ok(rows(name, orders))].into_iter(), 2 * DAY)
}

fn ids(warehouse: &mut Sqlite) -> Vec<String> {
    let answer = warehouse.query("select id || ' ' || customer from analytics.orders order by id, customer").unwrap();
    answer.rows.into_iter().map(|mut row| row.remove(0).unwrap()).collect()
}

fn first_row(answer: &Answer) -> Vec<&str> {
    answer.rows[0].iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect()
}

/// What one file has brought is beaten by another, whose row goes.
#[test]
fn a_row_that_comes_back_has_the_columns_that_the_pipeline_has_no_more() {
    let wide = Table { keeps_beaten: true, ..orders(merge()) };
    let narrow = Table {
        columns: wide.columns.iter().filter(|column| column.name != "weight").cloned().collect(),
        write: WriteMode::Merge { key: vec![0], order_by: vec![5] },
        ..wide.clone()
    };
    let narrowed = |rows: RecordBatch| rows.project(&[0, 1, 2, 3, 5, 6, 7, 8, 9]).unwrap();
    // As an earlier Etalon left it, the table of beaten rows has the columns of the pipeline alone.
    for was_kept_without in [false, true] {
        let mut warehouse = Sqlite::open_in_memory().unwrap();
        load(&mut warehouse, &wide, "a", &[(1, Some("of a"), 5, 1)]).unwrap();
        if was_kept_without {
            let drop = Statement {
                sql: "alter table \"_etalon_beaten_analytics.orders\" drop column weight".to_owned(),
                parameters: Vec::new(),
                what: "an earlier Etalon",
            };
            warehouse.run(&drop).unwrap();
        }
        let winning = [batch("b", 1)];
        let rows_of_b = narrowed(rows("b", &[(1, Some("of b"), 6, 2)]));
        warehouse.load(&narrow, &winning, &mut [Ok(rows_of_b)].into_iter(), 2 * DAY).unwrap();
        let show = "select customer, weight from analytics.orders";
        assert_eq!(first_row(&warehouse.query(show).unwrap()), ["of b", "NULL"]);
        let gone = LoadBatch {
            input: "another input of b".to_owned(),
            batch: "b2".to_owned(),
            source_version: "2".to_owned(),
            batch_time: 2 * DAY,
            staged: 0,
            replaces_source: true,
            ..batch("b", 0)
        };
        warehouse.load(&narrow, &[gone], &mut std::iter::empty(), 3 * DAY).unwrap();
        assert_eq!(first_row(&warehouse.query(show).unwrap()), ["of a", "0.5"]);
        assert_eq!(first_row(&warehouse.query(BEATEN).unwrap()), ["0"], "what has come back is not beaten any more");
    }
}

/// A load that keeps nothing of what it beats does not look at what was kept before.
#[test]
fn a_beaten_row_that_was_replaced_since_does_not_come_back() {
    let keeps = Table { keeps_beaten: true, ..orders(merge()) };
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let next = |of: &str, days: i64| LoadBatch {
        input: format!("another input of {of}"),
        batch: format!("{of}2"),
        source_version: "2".to_owned(),
        batch_time: days * DAY,
        replaces_source: true,
        ..batch(of, 0)
    };
    load(&mut warehouse, &keeps, "a", &[(1, Some("of a"), 5, 1)]).unwrap();
    load(&mut warehouse, &keeps, "b", &[(1, Some("of b"), 6, 2)]).unwrap();
    assert_eq!(first_row(&warehouse.query(BEATEN).unwrap()), ["1"]);
    warehouse.load(&orders(merge()), &[next("a", 2)], &mut std::iter::empty(), 3 * DAY).unwrap();
    assert_eq!(ids(&mut warehouse), ["1 of b"]);
    assert_eq!(first_row(&warehouse.query(BEATEN).unwrap()), ["1"]);
    warehouse.load(&keeps, &[next("b", 3)], &mut std::iter::empty(), 4 * DAY).unwrap();
    assert_eq!(ids(&mut warehouse), [""; 0]);
}

#[test]
fn values_are_stored_exactly_and_shown_with_their_types() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let counts = load(&mut warehouse, &orders(WriteMode::Append), "a", &[(13, None, -5, -1)]).unwrap();
    assert_eq!(counts, LoadCounts { staged: 1, inserted: 1, ..LoadCounts::default() });
    let answer = warehouse.query("select *, id + 1 as next from analytics.orders").unwrap();
    let columns: Vec<_> = answer.columns.iter().map(|column| (column.name.as_str(), column.ty)).collect();
    assert_eq!(columns[2], ("amount", Some(Type::Decimal { precision: 12, scale: 2 })));
    assert_eq!(columns[3], ("paid", Some(Type::Boolean)));
    assert_eq!(columns[9], ("_etalon_time", Some(Type::Timestamptz)));
    assert_eq!(columns[10], ("next", None));
    assert_eq!(
        first_row(&answer),
        [
            "13",
            "NULL",
            "-0.05",
            "false",
            "NaN",
            "1969-12-31",
            "1969-12-31 23:59:59.999999",
            "a",
            "0",
            "1970-01-02T00:00:00.000000Z",
            "14"
        ]
    );
}

#[test]
fn a_merge_accounts_for_every_row() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let table = orders(merge());
    let first =
        load(&mut warehouse, &table, "a", &[(1, Some("old"), 1, 10), (2, Some("x"), 1, 10), (1, Some("new"), 1, 11)]);
    assert_eq!(first.unwrap(), LoadCounts { staged: 3, inserted: 2, deduplicated: 1, ..LoadCounts::default() });
    let second = load(
        &mut warehouse,
        &table,
        "b",
        &[(1, Some("late"), 1, 9), (2, Some("x"), 1, 10), (3, Some("y"), 1, 1), (4, Some("z"), 1, 1)],
    );
    let expected = LoadCounts { staged: 4, inserted: 2, unchanged: 1, superseded: 1, ..LoadCounts::default() };
    assert_eq!(second.unwrap(), expected);
    assert_eq!(ids(&mut warehouse), ["1 new", "2 x", "3 y", "4 z"]);
    let ledger = warehouse.ledger(&table).unwrap();
    assert_eq!((ledger[1].batch.clone(), ledger[1].counts, ledger[1].loaded_at), (batch("b", 4), expected, 2 * DAY));
}

#[test]
fn an_input_loads_once() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let table = orders(WriteMode::Append);
    load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1)]).unwrap();
    let again = load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1)]).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    assert_eq!(
        again.to_string(),
        "memory: `a.csv` is loaded into `analytics.orders` already (input input of a, generation 0)"
    );
    assert_eq!(ids(&mut warehouse), ["1 x"]);
}

#[test]
fn a_load_that_stops_in_the_middle_leaves_nothing() {
    for write in [WriteMode::Append, merge()] {
        let mut warehouse = Sqlite::open_in_memory().unwrap();
        let table = orders(write);
        load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1)]).unwrap();
        let before = warehouse.ledger(&table).unwrap();
        let stop = Error::new(ErrorKind::Unavailable, "the part did not come");
        let mut parts = [Ok(rows("b", &[(2, Some("y"), 1, 1)])), Err(stop.clone())].into_iter();
        assert_eq!(warehouse.load(&table, &[batch("b", 2)], &mut parts, 0).unwrap_err(), stop);
        let short = warehouse.load(&table, &[batch("b", 2)], &mut [Ok(rows("b", &[(2, None, 1, 1)]))].into_iter(), 0);
        assert_eq!(short.unwrap_err().to_string(), "memory: batch b of `b.csv` says 2 staged rows, and 1 came");
        let foreign = warehouse.load(&table, &[batch("b", 1)], &mut [Ok(rows("c", &[(2, None, 1, 1)]))].into_iter(), 0);
        assert_eq!(
            foreign.unwrap_err().to_string(),
            "memory: a row comes with batch `c`, which this load does not bring"
        );
        assert_eq!((ids(&mut warehouse), warehouse.ledger(&table).unwrap()), (vec!["1 x".to_owned()], before));
        load(&mut warehouse, &table, "b", &[(2, Some("y"), 1, 1)]).unwrap();
        assert_eq!(ids(&mut warehouse), ["1 x", "2 y"]);
    }
}

#[test]
fn a_later_version_of_a_source_replaces_the_earlier_in_either_order() {
    let version = |name: &str, version: &str, time: i64| LoadBatch {
        source: "orders.csv".to_owned(),
        source_version: version.to_owned(),
        content: version.to_owned(),
        batch_time: time,
        replaces_source: true,
        replaces_generations: false,
        versions: Vec::new(),
        ..batch(name, 1)
    };
    let old = (version("old", "v1", 1), rows("old", &[(1, Some("old"), 1, 1)]));
    let new = (version("new", "v2", 2), rows("new", &[(2, Some("new"), 1, 1)]));
    for write in [WriteMode::Append, merge()] {
        for order in [[&old, &new], [&new, &old]] {
            let mut warehouse = Sqlite::open_in_memory().unwrap();
            let table = orders(write.clone());
            load(&mut warehouse, &table, "other", &[(7, Some("kept"), 1, 1)]).unwrap();
            for (batch, rows) in order {
                warehouse.load(&table, std::slice::from_ref(batch), &mut [Ok(rows.clone())].into_iter(), 0).unwrap();
            }
            assert_eq!(ids(&mut warehouse), ["2 new", "7 kept"]);
        }
        let mut warehouse = Sqlite::open_in_memory().unwrap();
        let both = [old.0.clone(), new.0.clone()];
        let mut parts = [Ok(old.1.clone()), Ok(new.1.clone())].into_iter();
        let counts = warehouse.load(&orders(write.clone()), &both, &mut parts, 0).unwrap();
        assert_eq!(counts, LoadCounts { staged: 2, inserted: 1, superseded: 1, ..LoadCounts::default() });
        assert_eq!(ids(&mut warehouse), ["2 new"]);
    }
}

#[test]
fn rows_of_before_pipelines_had_names_in_the_ledger_are_whose_input_it_is() {
    let version = |name: &str, time: i64, versions: &[&str]| LoadBatch {
        source: "orders.csv".to_owned(),
        source_version: name.to_owned(),
        content: name.to_owned(),
        batch_time: time,
        replaces_source: !versions.is_empty(),
        versions: versions.iter().map(|&version| version.to_owned()).collect(),
        ..batch(name, 1)
    };
    for write in [WriteMode::Append, merge()] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("w.db");
        let mut warehouse = Sqlite::open(&place).unwrap();
        let table = orders(write);
        let mut load = |batch: LoadBatch, id: i64| {
            let rows = rows(&batch.batch, &[(id, Some("x"), 1, id)]);
            warehouse.load(&table, &[batch], &mut [Ok(rows)].into_iter(), 0).unwrap()
        };
        load(version("mine", 1, &[]), 1);
        load(version("another's", 2, &[]), 2);
        let beside = rusqlite::Connection::open(&place).unwrap();
        beside.execute("UPDATE _etalon_ledger SET pipeline = NULL, removed = NULL", []).unwrap();
        let counts = load(version("new", 3, &["input of mine", "input of nothing"]), 3);
        assert_eq!((counts.inserted, counts.removed), (1, 1));
        assert_eq!(ids(&mut warehouse), ["2 x", "3 x"]);
        let ledger = warehouse.ledger(&table).unwrap();
        let of: Vec<_> = ledger.iter().map(|row| (row.batch.pipeline.as_str(), row.counts_removed)).collect();
        assert_eq!(of, [("", false), ("", false), ("p", true)]);
    }
}

/// Rows with the mark of a delete: those without a customer delete their key.
fn changes(batch: &str, orders: &[Order<'_>]) -> RecordBatch {
    let rows = rows(batch, orders);
    let marks: BooleanArray = orders.iter().map(|order| Some(order.1.is_none())).collect();
    let columns = rows.columns().iter().enumerate().flat_map(|(place, array)| {
        let mark: Option<ArrayRef> = (place == 7).then(|| Arc::new(marks.clone()) as ArrayRef);
        mark.into_iter().chain([array.clone()])
    });
    RecordBatch::try_from_iter_with_nullable(columns.enumerate().map(|(place, array)| (place.to_string(), array, true)))
        .unwrap()
}

#[test]
fn a_replaced_source_takes_its_versions_and_deletes_with_it() {
    let table = Table { deletes: true, ..orders(WriteMode::Scd2 { key: vec![0], order_by: 6 }) };
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let mut load = |name: &str, version: &str, time: i64, orders: &[Order<'_>]| {
        let batch = LoadBatch {
            source: if version.is_empty() { name.to_owned() } else { "orders.csv".to_owned() },
            source_version: version.to_owned(),
            content: version.to_owned(),
            batch_time: time,
            replaces_source: !version.is_empty(),
            replaces_generations: false,
            versions: Vec::new(),
            ..batch(name, orders.len() as u64)
        };
        warehouse.load(&table, &[batch], &mut [Ok(changes(name, orders))].into_iter(), 0).unwrap();
        let sql = "select customer || ' ' || substr(valid_from, 21) || ' ' || coalesce(substr(valid_to, 21), '') from analytics.orders order by id, valid_from";
        warehouse.query(sql).unwrap().rows.into_iter().map(|mut row| row.remove(0).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(load("other", "", 1, &[(1, Some("a"), 1, 1)]), ["a 000001 "]);
    assert_eq!(
        load("first", "v1", 2, &[(1, Some("b"), 1, 3), (1, None, 1, 5), (2, Some("x"), 1, 1)]),
        ["a 000001 000003", "b 000003 000005", "x 000001 "]
    );
    // The version and the delete of key 1 go with the source that brought them.
    assert_eq!(load("second", "v2", 3, &[(2, Some("y"), 1, 2)]), ["a 000001 ", "y 000002 "]);
}

#[test]
fn a_delete_is_counted_and_an_older_version_stays_away() {
    let table = Table { deletes: true, ..orders(merge()) };
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let mut load = |name: &str, orders: &[Order<'_>]| {
        let batch = batch(name, orders.len() as u64);
        warehouse.load(&table, &[batch], &mut [Ok(changes(name, orders))].into_iter(), 0).unwrap()
    };
    let counts = load("a", &[(1, Some("x"), 1, 1), (2, None, 1, 5), (3, None, 1, 1), (3, Some("y"), 1, 2)]);
    let expected = LoadCounts { staged: 4, inserted: 2, deduplicated: 1, deleted: 1, ..LoadCounts::default() };
    assert_eq!(counts, expected);
    let counts = load("b", &[(1, None, 1, 2), (2, Some("late"), 1, 4), (3, None, 1, 1)]);
    assert_eq!(counts, LoadCounts { staged: 3, deleted: 1, superseded: 2, ..LoadCounts::default() });
    assert_eq!(load("c", &[(2, Some("new"), 1, 6)]), LoadCounts { staged: 1, inserted: 1, ..LoadCounts::default() });
    assert_eq!(ids(&mut warehouse), ["2 new", "3 y"]);
}

#[test]
fn a_table_that_is_not_what_the_pipeline_needs_is_refused() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let mut table = orders(WriteMode::Append);
    load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1), (1, Some("y"), 1, 1)]).unwrap();
    table.columns[1].ty = Type::Date;
    table.columns[6].name = "changed_at".to_owned();
    let error = load(&mut warehouse, &table, "b", &[(1, Some("x"), 1, 1)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "memory: table `analytics.orders` is not what the pipeline needs: \
         column `customer` is varchar(20) there and date here, \
         column `changed_at` timestamp is missing, and it is required, \
         column `ordered_at` is required there and missing here; \
         load into a new table, or let the pipeline say what is there"
    );
    let error = load(&mut warehouse, &orders(merge()), "b", &[(1, Some("x"), 1, 1)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "memory: table `analytics.orders` holds several rows with one key (id): 1 key in 2 rows; remove all but one row of \
         each that `select id, count(*) from analytics.orders group by id having count(*) > 1` lists"
    );
    assert_eq!(error.kind(), ErrorKind::Refused);
    let lists = "select id, count(*) from analytics.orders group by id having count(*) > 1";
    assert_eq!(first_row(&warehouse.query(lists).unwrap()), ["1", "2"]);
}

#[test]
fn a_table_grows_with_its_pipeline() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let mut table = orders(WriteMode::Append);
    load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1)]).unwrap();
    table.columns[1].ty = Type::Varchar(30);
    table.columns[3].name = "settled".to_owned();
    for name in ["b", "c"] {
        load(&mut warehouse, &table, name, &[(2, Some("y"), 1, 1)]).unwrap();
    }
    let answer = warehouse.query("select paid, settled from analytics.orders").unwrap();
    let types: Vec<_> = answer.columns.iter().map(|column| column.ty).collect();
    assert_eq!(types, [Some(Type::Boolean); 2]);
    let truth = Some("true".to_owned());
    assert_eq!(answer.rows, [[truth.clone(), None], [None, truth.clone()], [None, truth]]);
}

#[test]
fn a_table_changes_from_merge_to_append_and_to_another_key() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    load(&mut warehouse, &orders(merge()), "a", &[(1, Some("x"), 1, 1)]).unwrap();
    let other_key = WriteMode::Merge { key: vec![0, 1], order_by: vec![6] };
    load(&mut warehouse, &orders(other_key), "b", &[(1, Some("y"), 1, 1)]).unwrap();
    load(&mut warehouse, &orders(WriteMode::Append), "c", &[(1, Some("y"), 1, 1)]).unwrap();
    assert_eq!(ids(&mut warehouse), ["1 x", "1 y", "1 y"]);
}

#[test]
fn a_table_that_went_away_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.db");
    let table = orders(WriteMode::Append);
    load(&mut Sqlite::open(&path).unwrap(), &table, "a", &[(1, Some("x"), 1, 1)]).unwrap();
    let other_tool = rusqlite::Connection::open(&path).unwrap();
    other_tool.execute("drop table \"analytics.orders\"", []).unwrap();
    let error = load(&mut Sqlite::open(&path).unwrap(), &table, "b", &[(1, Some("x"), 1, 1)]).unwrap_err();
    let again = "delete from \"_etalon_ledger\" where \"target\" = 'analytics.orders'";
    let expected = format!(
        "{}: table `analytics.orders` is missing, and the ledger holds loads of it; restore it, or let everything be loaded \
         again: `{again}`",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    other_tool.execute("create table \"analytics.orders\" (id integer)", []).unwrap();
    other_tool.execute("delete from _etalon_columns", []).unwrap();
    let error = load(&mut Sqlite::open(&path).unwrap(), &table, "b", &[(1, Some("x"), 1, 1)]).unwrap_err();
    let expected = format!(
        "{}: table `analytics.orders` exists, and Etalon has not created it; load into another table, or rename this one",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    // The statement that the first message tells does what it says.
    other_tool.execute("drop table \"analytics.orders\"", []).unwrap();
    assert_eq!(other_tool.execute(again, []).unwrap(), 1);
    let mut warehouse = Sqlite::open(&path).unwrap();
    load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1)]).unwrap();
    assert_eq!(ids(&mut warehouse), ["1 x"]);
}

#[test]
fn a_column_gets_more_room_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.db");
    let mut table = orders(WriteMode::Append);
    table.columns[0].ty = Type::Integer;
    let narrow = |batch: RecordBatch| {
        let mut columns = batch.columns().to_vec();
        columns[0] = Arc::new(Int32Array::from(vec![7; batch.num_rows()]));
        let named = columns.into_iter().enumerate().map(|(at, array)| (format!("c{at}"), array, true));
        RecordBatch::try_from_iter_with_nullable(named).unwrap()
    };
    let mut warehouse = Sqlite::open(&path).unwrap();
    let first = narrow(rows("a", &[(7, Some("x"), 1, 1)]));
    warehouse.load(&table, &[batch("a", 1)], &mut [Ok(first)].into_iter(), 0).unwrap();
    table.columns[0].ty = Type::Bigint;
    load(&mut warehouse, &table, "b", &[(i64::MAX, Some("y"), 1, 1)]).unwrap();
    assert_eq!(ids(&mut warehouse), ["7 x", "9223372036854775807 y"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/warehouse.db");
    let error = Sqlite::open(&path).unwrap_err();
    let expected = format!("{}: there is no folder {}", path.display(), folder.path().join("no").display());
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::NotFound, expected));
}

#[test]
fn what_is_no_warehouse_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(
        &path,
        "this is a text, and a long one, so that nobody takes it for the header of a database file".repeat(9),
    )
    .unwrap();
    let error = Sqlite::open(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(error.to_string(), format!("{}: the file is not a SQLite database", path.display()));
}

#[test]
fn a_query_only_reads() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    load(&mut warehouse, &orders(WriteMode::Append), "a", &[(1, Some("x"), 1, 1)]).unwrap();
    let mut wrong = |sql: &str| warehouse.query(sql).unwrap_err().to_string();
    assert_eq!(wrong("delete from analytics.orders"), "a query only reads");
    assert_eq!(wrong("select custmer from analytics.orders"), "no such column: custmer");
    assert!(wrong("select \"custmer\" from analytics.orders").starts_with("no such column: \"custmer\""));
    assert!(wrong("select 1; delete from \"analytics.orders\"").contains("Multiple statements"));
    assert_eq!(ids(&mut warehouse), ["1 x"]);
}

#[test]
fn columns_in_another_form_are_refused() {
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    let mut table = orders(WriteMode::Append);
    table.columns[2].ty = Type::Decimal { precision: 12, scale: 3 };
    let error = load(&mut warehouse, &table, "a", &[(1, Some("x"), 1, 1)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "memory: column `amount` of a batch is Decimal128(12, 2) in place of Decimal128(12, 3)"
    );
}

/// A load looks at the ledger and then writes: whoever begins one waits until the other has ended, and sees what it has done.
#[test]
fn of_two_loads_at_once_one_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.db");
    let statement = |sql: &str| Statement { sql: sql.to_owned(), parameters: Vec::new(), what: "test" };
    let mut first = Sqlite::open(&path).unwrap();
    first.run(&statement("create table ledger (input text)")).unwrap();
    first.run(&first.dialect().begin()).unwrap();
    let second = std::thread::spawn(move || {
        let mut second = Sqlite::open(&path).unwrap();
        second.run(&second.dialect().begin()).unwrap();
        let count = second.run(&statement("select count(*) as n from ledger")).unwrap();
        second.run(&statement("insert into ledger values ('b')")).unwrap();
        second.run(&second.dialect().commit()).unwrap();
        count.rows().next().unwrap().number::<u64>("n").unwrap()
    });
    // It has begun by then, if nothing keeps it.
    std::thread::sleep(std::time::Duration::from_millis(300));
    first.run(&statement("insert into ledger values ('a')")).unwrap();
    first.run(&first.dialect().commit()).unwrap();
    assert_eq!(second.join().unwrap(), 1);
}

#[test]
fn a_load_that_has_begun_keeps_others_out_before_it_has_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("w.db");
    let mut one = Sqlite::open(&file).unwrap();
    let other = rusqlite::Connection::open(&file).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    one.run(&one.dialect().begin()).unwrap();
    let refused = other.execute_batch("begin immediate").unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy));
    one.run(&one.dialect().commit()).unwrap();
    other.execute_batch("begin immediate").unwrap();
}
