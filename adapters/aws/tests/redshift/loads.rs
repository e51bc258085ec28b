//! Loads: the laws of loading, held by what core writes for Redshift, and every way of writing held against what core writes
//! for PostgreSQL.
//!
//! PostgreSQL stands behind both, where trailing blanks count; on Redshift they do not, so that these rows have none.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use etalon_core::error::ErrorKind;
use etalon_core::protocol::Blame;
use etalon_core::stage::Format;
use etalon_core::testing::merge::{self, Case, Cell, Loads};
use etalon_core::testing::stage;
use etalon_core::types::Type;
use etalon_core::value::show::show;
use etalon_core::warehouse::{Layout, LoadBatch, PipelineLoads, Table, TableColumn, WriteMode};
use etalon_driver::connection::Connection;
use etalon_driver::ports::{DataWarehouse, StatementState};
use etalon_postgres::Postgres;
use etalon_postgres::client::{Address, Client};
use etalon_sandbox::counterpart;
use etalon_sandbox::postgres::Server;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::port::{Kinds, Port};
use super::{ID, batch, table};

pub(crate) const TESTS: &[counterpart::Test<Server>] = &[
    ("any_order_of_arrival_gives_the_same_table", any_order_of_arrival_gives_the_same_table),
    ("loading_twice_is_loading_once", loading_twice_is_loading_once),
    ("what_is_replaced_leaves_nothing", what_is_replaced_leaves_nothing),
    ("every_statement_does_what_it_does_on_postgresql", every_statement_does_what_it_does_on_postgresql),
    ("every_type_comes_through_copy", every_type_comes_through_copy),
    ("rows_that_do_not_fit_are_named", rows_that_do_not_fit_are_named),
    (
        "what_pipelines_have_loaded_is_told_as_their_rows_tell_it",
        what_pipelines_have_loaded_is_told_as_their_rows_tell_it,
    ),
];

/// All that core has Redshift do for loads, in the words that it labels statements with.
const KINDS: [&str; 46] = [
    "add a column",
    "add a column to the ledger",
    "ask for the columns of beaten rows",
    "ask for the columns of deleted keys",
    "ask for the declared types",
    "ask for the ledger's columns",
    "ask for the target's columns",
    "ask whether there are loads",
    "bring back the rows that they have beaten",
    "bring the load's batches",
    "bring the staged rows",
    "check that all rows came",
    "check that no input is loaded",
    "check that no later run is loaded",
    "check that no other pipeline has loaded the table",
    "check that the counts balance",
    "check that the table has the rows",
    "count the keys that are in no row any more",
    "count the rows that are removed",
    "count the rows that have come back",
    "count the rows that the table has",
    "count what became of the rows",
    "create Etalon's own tables",
    "create the target",
    "declare a column's new type",
    "declare the columns",
    "delete the rows of earlier runs",
    "delete the rows of replaced batches",
    "drop the work tables",
    "enter the batches into the ledger",
    "find the batches that a later version replaces",
    "forget deletes of which the loads are replaced",
    "forget the types of an earlier table",
    "give a column more room",
    "insert the rows",
    "list what was loaded of some inputs",
    "make room for replaced batches",
    "make room for the load's batches",
    "make room for the staged rows",
    "make room for winners",
    "note the keys of the rows that are removed",
    "put the winners into the table",
    "rank the rows of each key",
    "set the intervals of versions",
    "tell the counts",
    "wait for other loads of the table",
];

/// Generated cases, as many as said, that Redshift has names and PostgreSQL has texts for.
fn law(cases: u32, law: impl Fn(Case)) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(&merge::cases(), |mut case| {
        for column in case.table.columns.iter_mut().filter(|column| column.name == "oid") {
            column.name = "at".to_owned();
        }
        let rows = case.batches.iter_mut().flat_map(|(_, rows)| rows);
        for cell in rows.flat_map(|row| &mut row.cells) {
            if let Cell::Text(text) = cell {
                text.truncate(text.trim_end().len());
            }
        }
        law(case);
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}

fn any_order_of_arrival_gives_the_same_table(server: &Server) {
    let port = Port::new(server, "order", Format::Parquet, Kinds::default());
    law(12, |case| merge::any_order_of_arrival_gives_the_same_table(&case, || port.emptied()));
}

fn loading_twice_is_loading_once(server: &Server) {
    let port = Port::new(server, "twice", Format::Csv, Kinds::default());
    law(8, |case| merge::loading_twice_is_loading_once(&case, port.emptied()));
}

fn what_is_replaced_leaves_nothing(server: &Server) {
    let port = Port::new(server, "replaced", Format::Parquet, Kinds::default());
    law(12, |case| merge::what_is_replaced_leaves_nothing(&case, || port.emptied()));
}

fn every_statement_does_what_it_does_on_postgresql(server: &Server) {
    let kinds = Kinds::default();
    let port = Port::new(server, "every", Format::Parquet, Arc::clone(&kinds));
    let url = server.database("same").unwrap();
    let loads = std::cell::Cell::new((0, 0, 0));
    law(24, |mut case| {
        let mut plain = Client::open(&Address::parse(&url, |_| None).unwrap()).unwrap();
        plain.run("DROP SCHEMA public CASCADE", &[]).unwrap();
        plain.run("CREATE SCHEMA public", &[]).unwrap();
        let mut postgres = Postgres::open(&url).unwrap();
        let mut redshift = port.emptied();
        let (done, failed, cases) = loads.get();
        loads.set((done, failed, cases + 1));
        // Chance may leave a way of writing out.
        match cases % 4 {
            0 => {
                let write = WriteMode::Replace { allow_empty: true };
                case.table = Table { write, deletes: false, ..case.table };
            }
            1 => {
                let write = WriteMode::Scd2 { key: vec![0], order_by: 2 };
                case.table = Table { write, lineage: true, dedupe: None, ..case.table };
            }
            2 => {
                let write = WriteMode::Merge { key: vec![0], order_by: vec![2] };
                case.table =
                    Table { write, lineage: true, deletes: true, keeps_beaten: true, dedupe: None, ..case.table };
            }
            _ => {}
        }
        for (number, (batch, _)) in case.batches.iter_mut().enumerate() {
            batch.replaces_generations = batch.generation > 0 && case.table.lineage;
            batch.replaces_source = number % 2 == 1 && case.table.lineage;
        }
        for load in case.batches.chunks(2) {
            let batches: Vec<LoadBatch> = load.iter().map(|(batch, _)| batch.clone()).collect();
            let rows = || merge::record_batch(&case.table, load);
            let ours = redshift.load(&case.table, &batches, rows());
            let theirs = postgres.load(&case.table, &batches, &mut [Ok(rows())].into_iter(), 0);
            let (done, failed, cases) = loads.get();
            loads.set((done + usize::from(ours.is_ok()), failed + usize::from(ours.is_err()), cases));
            match (ours, theirs) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
                // Behind the Data API a statement that fails because of the data is one kind; what is known before, another.
                (Err(ours), Err(theirs)) if theirs.kind() == ErrorKind::Held => {
                    assert!(matches!(ours.kind(), ErrorKind::Refused | ErrorKind::Held), "{ours} {theirs}");
                }
                (Err(ours), Err(theirs)) => assert_eq!(ours.kind(), theirs.kind(), "{ours} {theirs}"),
                (ours, theirs) => panic!("{ours:?} in place of {theirs:?}"),
            }
            let sorted = |mut rows: Vec<Vec<Option<String>>>| {
                rows.sort();
                rows
            };
            let found = postgres.query(&format!("SELECT * FROM {}", case.table.name)).map(|answer| answer.rows);
            assert_eq!(sorted(redshift.rows(&case.table)), sorted(found.unwrap_or_default()));
        }
    });
    // A table that changes.
    let mut changed = port.emptied();
    let name = |bytes| ("name", Type::Varchar(bytes), false);
    let empty = |table: &Table| merge::record_batch(table, &[]);
    for (load, columns) in [&[ID, name(9)][..], &[ID, name(20), ("note", Type::Double, false)]].iter().enumerate() {
        let table = table(columns);
        changed.load(&table, &[batch(&format!("input{load}"), 0)], empty(&table)).unwrap();
    }
    // A ledger of an older Etalon.
    changed.sql("ALTER TABLE _etalon_ledger DROP COLUMN pipeline, DROP COLUMN removed");
    changed.load(&table(&[ID]), &[batch("input2", 0)], empty(&table(&[ID]))).unwrap();
    let pipelines = changed.query("SELECT coalesce(pipeline, '-') FROM _etalon_ledger ORDER BY input").unwrap();
    assert_eq!(pipelines.concat(), ["-", "-", "p"].map(|name| Some(name.to_owned())));
    // A table that is gone with its loads, and whose types are still declared.
    changed.sql("DROP TABLE orders");
    changed.sql("DELETE FROM _etalon_ledger");
    changed.load(&table(&[ID]), &[batch("input3", 0)], empty(&table(&[ID]))).unwrap();
    let kinds = kinds.lock().unwrap().clone();
    let told: Vec<&str> = kinds.keys().map(String::as_str).collect();
    assert_eq!(told, KINDS);
    let (done, failed, cases) = loads.get();
    println!("{cases} tables, {done} loads done and {failed} refused, {} statements:", kinds.values().sum::<u64>());
    for (kind, count) in kinds {
        println!("  {count:5}  {kind}");
    }
}

fn every_type_comes_through_copy(server: &Server) {
    let columns = stage::columns();
    let column =
        |(name, ty, required): &(String, Type, bool)| TableColumn { name: name.clone(), ty: *ty, required: *required };
    let orders = Table {
        schema: Some("shop".to_owned()),
        layout: Layout { sort_key: vec![3, 1], dist_key: Some(3) },
        ..Table { columns: columns.iter().map(column).collect(), ..table(&[ID]) }
    };
    let shown: Vec<String> = columns.iter().map(|(name, ..)| format!("{name}::text")).collect();
    let sql = format!("SELECT {} FROM shop.orders ORDER BY _etalon_offset", shown.join(", "));
    for (name, format) in [("types-parquet", Format::Parquet), ("types-csv", Format::Csv)] {
        let port = Port::new(server, name, format, Kinds::default());
        let config = ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() };
        let checked = TestRunner::new(config).run(&stage::rows(), |cells| {
            port.sql("DROP SCHEMA IF EXISTS shop CASCADE");
            port.sql("CREATE SCHEMA shop");
            let arrays = stage::arrays(&cells);
            let rows = with_lineage("b", arrays.clone());
            let came = batch("b", cells.len() as u64);
            let came = LoadBatch { batch: "b".to_owned(), ..came };
            let counts = (&port).load(&orders, &[came], rows).unwrap();
            assert_eq!(counts.inserted, cells.len() as u64);
            for (row, found) in port.query(&sql).unwrap().iter().enumerate() {
                for ((array, (_, ty, _)), found) in arrays.iter().zip(&columns).zip(found) {
                    let expected = show(&**array, row).map(|text| match (*ty, text.as_str()) {
                        (Type::Boolean, "t") => "true".to_owned(),
                        (Type::Boolean, _) => "false".to_owned(),
                        (Type::Char(_), text) => text.trim_end_matches(' ').to_owned(),
                        _ => text,
                    });
                    assert_eq!(found, &expected, "{ty}");
                }
            }
            Ok(())
        });
        if let Err(error) = checked {
            panic!("{error}");
        }
    }
}

fn rows_that_do_not_fit_are_named(server: &Server) {
    let port = Port::new(server, "unfit", Format::Parquet, Kinds::default());
    let [narrow, wide] = [4, 20].map(|bytes| table(&[ID, ("name", Type::Varchar(bytes), false)]));
    let numbers = table(&[ID, ("name", Type::Bigint, false)]);
    let ids = || -> ArrayRef { Arc::new(Int64Array::from(vec![1, 2, 3])) };
    let names = |names: [&str; 3]| with_lineage("b", vec![ids(), Arc::new(StringViewArray::from(names.to_vec()))]);
    let came = [LoadBatch { batch: "b".to_owned(), ..batch("input", 3) }];
    let failed = |parts| {
        let ended = port.submit(&narrow, &came, parts).unwrap();
        let StatementState::Failed(words, Blame::Data) = ended else { panic!("{ended:?}") };
        assert!(words.starts_with("bring the staged rows: ERROR: "), "{words}");
        words
    };
    // Four letters, of six bytes.
    let words = failed(port.stage(&wide, &names(["a", "aééa", "c"])));
    let told =
        "s3://unfit/etalon/load1/0.parquet, line 2, column `name` varchar: String length exceeds DDL length (1204)";
    assert!(words.contains("Load into table") && words.ends_with(told), "{words}");
    let words = failed(port.stage(&numbers, &with_lineage("b", vec![ids(), ids()])));
    let told = "File 's3://unfit/etalon/load2/0.parquet' has an incompatible Parquet schema for column 'name'. \
                Column type: VARCHAR(4), Parquet schema: OPTIONAL INT64 name;";
    assert!(words.ends_with(told), "{words}");
    // The order says what the store does not hold.
    let mut shorter = port.stage(&narrow, &names(["a", "b", "c"]));
    shorter[0].bytes -= 1;
    assert!(failed(shorter).contains("the content_length of the manifest is"));
    let mut gone = port.stage(&narrow, &names(["a", "b", "c"]));
    gone[0].name.push_str(".gone");
    assert!(failed(gone).contains("load4/0.parquet.gone,Status 404,Error NoSuchKey"));
    // And nothing of it is left in the way.
    let good = port.stage(&narrow, &names(["a", "éé", "c"]));
    assert_eq!(port.submit(&narrow, &came, good).unwrap(), StatementState::Finished);
    let found = port.query("SELECT name FROM orders ORDER BY id").unwrap();
    assert_eq!(found, ["a", "éé", "c"].map(|name| [Some(name.to_owned())]));
}

/// Redshift is asked which pipelines have loaded a table; elsewhere the rows of its ledger tell it.
fn what_pipelines_have_loaded_is_told_as_their_rows_tell_it(server: &Server) {
    let port = Port::new(server, "pipelines", Format::Parquet, Kinds::default());
    let orders = table(&[ID]);
    let load = (0..2_usize, 0..2_usize, 0..2_usize, any::<bool>(), 0..4_u64);
    let (shared, not_shared) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let config = ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(&proptest::collection::vec(load, 5..9), |loads| {
        port.emptied();
        let mut batches = Vec::new();
        for (time, (pipeline, source, content, replaces_source, staged)) in (0..).zip(loads) {
            let came = LoadBatch {
                batch: format!("b{time}"),
                pipeline: ["p", "q"][pipeline].to_owned(),
                source: ["a", "b"][source].to_owned(),
                // A store may call a version by a digest of its own.
                source_version: if staged % 2 == 0 { content.to_string() } else { format!("version {content}") },
                content: content.to_string(),
                batch_time: time,
                replaces_source,
                ..batch(&format!("input{time}"), staged)
            };
            let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..staged.cast_signed()));
            (&port).load(&orders, std::slice::from_ref(&came), with_lineage(&came.batch, vec![ids])).unwrap();
            batches.push(came);
        }
        let ledger = port.runtime.block_on(port.redshift.akin(&orders, &batches)).unwrap();
        for own in ["p", "q", "r"] {
            let in_order = |mut loads: Vec<PipelineLoads>| {
                loads.sort_by(|one, other| one.pipeline.cmp(&other.pipeline));
                loads
            };
            let told = in_order(port.runtime.block_on(port.redshift.pipelines(&orders, own)).unwrap());
            assert_eq!(told, in_order(PipelineLoads::of(&ledger, own)), "{own}: {ledger:#?}");
            let counted = if told.iter().any(|loads| loads.shares) { &shared } else { &not_shared };
            counted.set(counted.get() + 1);
        }
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
    assert!(shared.get() > 0 && not_shared.get() > 0, "{shared:?} {not_shared:?}");
}

/// Columns with the lineage beside them, as a batch that is staged.
fn with_lineage(batch: &str, mut columns: Vec<ArrayRef>) -> RecordBatch {
    let count = columns[0].len();
    columns.push(Arc::new(StringViewArray::from(vec![batch; count])));
    columns.push(Arc::new((0..).take(count).collect::<Int64Array>()));
    columns.push(Arc::new(TimestampMicrosecondArray::from(vec![1_767_225_600_123_456; count]).with_timezone("UTC")));
    let named = columns.into_iter().enumerate().map(|(at, array)| (format!("c{at}"), array, true));
    RecordBatch::try_from_iter_with_nullable(named).unwrap()
}
