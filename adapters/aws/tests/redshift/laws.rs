//! The laws of loading, held by what Redshift is told: every load is staged as Parquet, named in a manifest, brought by COPY
//! and settled by the statements, each of which the linter has to let through.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use arrow_array::RecordBatch;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::sha256;
use etalon_core::testing::merge::{self, Cell, Loads};
use etalon_core::warehouse::{LoadBatch, LoadCounts, Statement as Text, Table};
use etalon_driver::ports::{DataWarehouse, LoadOrder, Objects, OrderPart, Put, Statement};
use etalon_sandbox::postgres::Server;
use etalon_sandbox::redshift::DataApi;
use etalon_warehouse::Connected;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

use super::{Warehouse, ended, warehouse};

/// Generated cases of a law; a load takes some thirty requests.
const CASES: u32 = 8;

/// What statements were for, and how many there were.
type Purposes = Arc<Mutex<(BTreeSet<String>, u64)>>;

/// A warehouse in an empty database.
struct Empty {
    runtime: Runtime,
    _api: DataApi,
    warehouse: Warehouse,
    connected: Connected,
    loads: u32,
}

impl Empty {
    fn new(server: &Server, purposes: &Purposes) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let database = format!("law{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = Arc::clone(purposes);
        let (api, warehouse) = runtime.block_on(warehouse(server, &database, 1000, move |line| note(&told, line)));
        Self { runtime, _api: api, warehouse, connected: Connected::open(&server.url(&database)).unwrap(), loads: 0 }
    }
}

/// Notes what the statements of a request are for.
fn note(purposes: &Purposes, line: &str) {
    let Some((_, body)) = line.split_once(' ') else { return };
    let Ok(body) = serde_json::from_str::<serde_json::Value>(body) else { return };
    let sqls = body["Sqls"].as_array().into_iter().flatten().chain(body.get("Sql"));
    let mut noted = purposes.lock().unwrap();
    for purpose in sqls.filter_map(|sql| Text::purpose(sql.as_str()?)) {
        noted.0.insert(purpose.to_owned());
        noted.1 += 1;
    }
}

impl Loads for Empty {
    fn load(&mut self, table: &Table, batches: &[LoadBatch], rows: RecordBatch) -> Result<LoadCounts, Error> {
        self.loads += 1;
        let load = format!("load{}", self.loads);
        let Warehouse { store, redshift } = &self.warehouse;
        self.runtime.block_on(async {
            let mut parts = Vec::new();
            if rows.num_rows() > 0 {
                let name = format!("staged/{load}/0.parquet");
                let mut bytes = Vec::new();
                let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), None).unwrap();
                writer.write(&rows).unwrap();
                writer.close().unwrap();
                store.put(&name, &bytes, Put::Always).await?;
                parts.push(OrderPart { name, rows: rows.num_rows() as u64, bytes: bytes.len() as u64 });
            }
            let order = LoadOrder { load: load.clone(), table: table.clone(), batches: batches.to_vec(), parts };
            let statement = redshift.submit(&order, &sha256(load.as_bytes())).await?;
            match ended(redshift, &statement).await {
                Statement::Finished => {}
                Statement::Failed(words, _) if words.starts_with("check that no input is loaded: ") => {
                    return Err(Error::new(ErrorKind::AlreadyExists, words));
                }
                // Everything else that a law expects to fail fails by a guard, which says what it looks for.
                Statement::Failed(words, _) if words.starts_with("check that ") => {
                    return Err(Error::new(ErrorKind::Refused, words));
                }
                other => panic!("{other:?}"),
            }
            let inputs: Vec<(String, u32)> =
                batches.iter().map(|batch| (batch.input.clone(), batch.generation)).collect();
            let mut sum = LoadCounts::default();
            let found = redshift.ledger(table, &inputs).await?;
            assert_eq!(found.len(), batches.len());
            for (batch, counts) in found {
                assert!(batches.contains(&batch) && counts.balance(), "{batch:?} {counts:?}");
                sum.add(counts);
            }
            Ok(sum)
        })
    }

    fn rows(&mut self, table: &Table) -> Vec<Vec<Option<String>>> {
        self.connected.query(&format!("select * from {}", table.name)).unwrap().rows
    }
}

/// All laws, and that what was run is all there is to run.
pub(super) fn the_laws_of_loading_hold(server: &Server) {
    let purposes = Purposes::default();
    let new = || Empty::new(server, &purposes);
    law(|case| merge::any_order_of_arrival_gives_the_same_table(case, new));
    law(|case| merge::loading_twice_is_loading_once(case, new()));
    law(|case| merge::what_is_replaced_leaves_nothing(case, new));
    let (kinds, statements) = &*purposes.lock().unwrap();
    println!(
        "{statements} statements of {} kinds: {}",
        kinds.len(),
        kinds.iter().cloned().collect::<Vec<_>>().join("; ")
    );
}

fn law(law: impl Fn(&merge::Case)) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let checked = TestRunner::new(config).run(&merge::cases(), |mut case| {
        // A name that Redshift keeps for itself, and others do not.
        for column in case.table.columns.iter_mut().filter(|column| column.name == "oid") {
            column.name = "moment".to_owned();
        }
        // Redshift does not count blanks at the end where it compares, and what stands for it does.
        for row in case.batches.iter_mut().flat_map(|(_, rows)| rows) {
            for cell in &mut row.cells {
                if let Cell::Text(text) = cell {
                    text.truncate(text.trim_end().len());
                }
            }
        }
        law(&case);
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
}
