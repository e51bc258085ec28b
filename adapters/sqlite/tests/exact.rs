//! Queries over decimals: exact, and by number. The rest of SQLite's arithmetic stays as it is.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::Decimal128Array;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use arrow_array::TimestampMicrosecondArray;
use etalon_core::types::Type;
use etalon_core::warehouse::Layout;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::WriteMode;
use etalon_driver::connection::Connection;
use etalon_sqlite::Sqlite;
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Amounts in cents, with a customer, a number and a weight each.
type Order = (Option<i64>, u8, Option<i64>, Option<f64>);

/// A warehouse with `shop.orders` in it.
fn orders(rows: &[Order]) -> Sqlite {
    let column = |(name, ty): (&str, Type)| TableColumn { name: name.to_owned(), ty, required: false };
    let table = Table {
        schema: Some("shop".to_owned()),
        name: "orders".to_owned(),
        columns: [
            ("amount", Type::Decimal { precision: 38, scale: 2 }),
            ("customer", Type::Varchar(8)),
            ("n", Type::Bigint),
            ("weight", Type::Double),
        ]
        .map(column)
        .to_vec(),
        write: WriteMode::Append,
        lineage: false,
        deletes: false,
        keeps_beaten: false,
        dedupe: None,
        layout: Layout::default(),
    };
    let amounts: Decimal128Array = rows.iter().map(|row| row.0.map(i128::from)).collect();
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(amounts.with_precision_and_scale(38, 2).unwrap()),
        Arc::new(rows.iter().map(|row| Some(format!("c{}", row.1))).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>()),
        Arc::new(StringArray::from(vec!["b"; rows.len()])),
        Arc::new((0..).take(rows.len()).collect::<Int64Array>()),
        Arc::new(TimestampMicrosecondArray::from(vec![0; rows.len()]).with_timezone("UTC")),
    ];
    let names = ["amount", "customer", "n", "weight", "b", "o", "t"];
    let rows = RecordBatch::try_from_iter_with_nullable(names.into_iter().zip(arrays).map(|(n, a)| (n, a, true)));
    let rows = rows.unwrap();
    let batch = LoadBatch {
        input: "i".to_owned(),
        batch: "b".to_owned(),
        generation: 0,
        source: "s".to_owned(),
        source_version: "v".to_owned(),
        content: "v".to_owned(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: 0,
        staged: rows.num_rows() as u64,
        replaces_source: false,
        replaces_generations: false,
        versions: Vec::new(),
    };
    let mut warehouse = Sqlite::open_in_memory().unwrap();
    warehouse.load(&table, &[batch], &mut [Ok(rows)].into_iter(), 0).unwrap();
    warehouse
}

/// The answer, a line for each row.
fn answer(warehouse: &mut Sqlite, sql: &str) -> Vec<String> {
    let rows = warehouse.query(sql).unwrap().rows;
    let line = |row: Vec<Option<String>>| {
        row.into_iter().map(|cell| cell.unwrap_or_else(|| "NULL".to_owned())).collect::<Vec<_>>().join(" ")
    };
    rows.into_iter().map(line).collect()
}

fn some() -> Sqlite {
    orders(&[
        (Some(900), 1, Some(1), Some(0.5)),
        (Some(1000), 2, Some(2), Some(f64::NAN)),
        (Some(-5), 1, Some(3), None),
        (Some(12_345), 3, None, Some(1e300)),
        (None, 3, Some(5), Some(2.5)),
    ])
}

#[test]
fn sums_and_averages_are_exact_and_have_their_scale() {
    let mut warehouse = some();
    let mut check = |sql: &str, expected: &str| assert_eq!(answer(&mut warehouse, sql), [expected], "{sql}");
    check("select sum(amount), total(amount), avg(amount) from shop.orders", "142.40 142.40 35.6000000000000000");
    check("select sum(amount) from shop.orders where n > 9", "NULL");
    check("select total(amount) from shop.orders where n > 9", "0");
    check("select max(amount), min(amount) from shop.orders", "123.45 -0.05");
    check("select sum(n), avg(n), total(n), max(n) from shop.orders", "11 2.75 11 5");
    check("select sum(weight) from shop.orders where n <> 2", "3");
    check("select sum(weight) from shop.orders", "NaN");
    check("select min(customer), max(customer) from shop.orders", "c1 c3");
    check("select sum(coalesce(amount, 1)) from shop.orders", "143.40");
    check("select sum(distinct amount) from shop.orders", "142.40");
    check("select max(amount * 2) from shop.orders", "246.9");
    assert!(warehouse.query("select sum(customer) from shop.orders").unwrap_err().to_string().contains("c1"));
}

#[test]
fn names_of_columns_are_as_written() {
    let answer = some().query("select sum(amount), amount, max(amount) as most from shop.orders").unwrap();
    let names: Vec<_> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["sum(amount)", "amount", "most"]);
    assert_eq!(answer.columns[1].ty, Some(Type::Decimal { precision: 38, scale: 2 }));
}

#[test]
fn decimals_compare_as_numbers() {
    let mut warehouse = some();
    let mut check = |sql: &str, expected: &[&str]| assert_eq!(answer(&mut warehouse, sql), expected, "{sql}");
    check("select amount from shop.orders order by amount", &["NULL", "-0.05", "9.00", "10.00", "123.45"]);
    check("select amount from shop.orders where amount > 9 order by 1 desc", &["123.45", "10.00"]);
    check("select amount from Shop.Orders where amount between -1 and 9.000", &["9.00", "-0.05"]);
    check("select amount from shop.orders where amount in (10, '9.0') order by amount", &["9.00", "10.00"]);
    check("select count(*) from shop.orders where amount < 1e3", &["4"]);
    check(
        "select customer, sum(amount) from shop.orders group by customer order by sum(amount) desc",
        &["c3 123.45", "c2 10.00", "c1 8.95"],
    );
    check(
        "select customer, sum(amount) as total from shop.orders group by 1 having total < 100 order by total",
        &["c1 8.95", "c2 10.00"],
    );
    check("select customer from shop.orders group by 1 having max(amount) > 9.5 order by 1", &["c2", "c3"]);
    check(
        "with t as (select customer, sum(amount) as s from shop.orders group by 1) select max(s), min(s) from t",
        &["123.45 8.95"],
    );
    check("select a.amount from shop.orders a join shop.orders b on a.amount = b.amount where b.n = 1", &["9.00"]);
    check(
        "select sum(amount) over (order by n rows between 1 preceding and current row) from shop.orders order by n",
        &["123.45", "132.45", "19.00", "9.95", "-0.05"],
    );
    check("select avg(amount) filter (where n < 3) from shop.orders", &["9.5000000000000000"]);
    check("select coalesce(max(amount), 0) from shop.orders where n > 100", &["0"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_sum_of_decimals_is_that_of_another_decimal(amounts in prop::collection::vec(any::<Option<i64>>(), 1..20)) {
        let rows: Vec<Order> = amounts.iter().map(|&amount| (amount, 1, None, None)).collect();
        let known: Vec<Decimal> = amounts.iter().flatten().map(|&amount| Decimal::new(amount, 2)).collect();
        let text = |number: Option<Decimal>| number.map_or_else(|| "NULL".to_owned(), |number| number.to_string());
        let sum = (!known.is_empty()).then(|| known.iter().copied().sum());
        let expected = [text(sum), text(known.iter().copied().min()), text(known.iter().copied().max())].join(" ");
        let mut warehouse = orders(&rows);
        prop_assert_eq!(
            answer(&mut warehouse, "select sum(amount), min(amount), max(amount) from shop.orders"),
            [expected]
        );
        let mut sorted = known;
        sorted.sort();
        let sorted: Vec<String> = sorted.into_iter().map(|number| number.to_string()).collect();
        let ordered = "select amount from shop.orders where amount is not null order by amount";
        prop_assert_eq!(answer(&mut warehouse, ordered), sorted);
    }

    #[test]
    fn whole_numbers_and_doubles_are_summed_as_sqlite_does(
        numbers in prop::collection::vec((any::<Option<i32>>(), prop::option::of(-1e15..1e15)), 1..20),
        wide in prop::option::of(any::<i64>()),
    ) {
        let mut rows: Vec<Order> = numbers.iter().map(|&(n, weight)| (None, 1, n.map(i64::from), weight)).collect();
        rows[0].2 = wide;
        let plain = rusqlite::Connection::open_in_memory().unwrap();
        plain.execute("create table orders (n integer, weight real)", []).unwrap();
        for row in &rows {
            plain.execute("insert into orders values (?1, ?2)", (row.2, row.3)).unwrap();
        }
        let mut warehouse = orders(&rows);
        for function in ["sum", "total", "avg", "min", "max"] {
            for column in ["n", "weight"] {
                // Printed by SQLite alike: what a sum is worth shows in 15 digits.
                let sql = |table: &str| format!("select quote(t), typeof(t) from (select {function}({column}) t from {table})");
                let theirs: rusqlite::Result<(String, String)> =
                    plain.query_row(&sql("orders"), [], |row| Ok((row.get(0)?, row.get(1)?)));
                let ours = warehouse.query(&sql("shop.orders"));
                match theirs {
                    Ok((value, ty)) => prop_assert_eq!(
                        ours.unwrap().rows,
                        [vec![Some(value), Some(ty)]],
                        "{}", sql("orders")
                    ),
                    Err(_) => prop_assert!(ours.is_err()),
                }
            }
        }
    }
}
