//! The laws of loading, held by SQLite.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::testing::merge;
use etalon_core::testing::merge::Loads;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Table;
use etalon_driver::connection::Connection;
use etalon_sqlite::Sqlite;
use proptest::prelude::*;

struct Memory(Sqlite);

impl Memory {
    fn new() -> Self {
        Self(Sqlite::open_in_memory().unwrap())
    }
}

impl Loads for Memory {
    fn load(&mut self, table: &Table, batches: &[LoadBatch], rows: RecordBatch) -> Result<LoadCounts, Error> {
        let counts = self.0.load(table, batches, &mut [Ok(rows)].into_iter(), 0)?;
        // Every ledger row balances by itself, and those of this load add up to what it gave.
        let mut sum = LoadCounts::default();
        for row in self.0.ledger(table)?.iter().filter(|row| batches.contains(&row.batch)) {
            assert!(row.counts.balance(), "{row:?}");
            sum.add(row.counts);
        }
        assert_eq!(sum, counts);
        Ok(counts)
    }

    fn rows(&mut self, table: &Table) -> Vec<Vec<Option<String>>> {
        self.0.query(&format!("select * from {}", table.name)).unwrap().rows
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_gives_the_same_table(case in merge::cases()) {
        merge::any_order_of_arrival_gives_the_same_table(&case, Memory::new);
    }

    #[test]
    fn what_is_replaced_leaves_nothing(case in merge::cases()) {
        merge::what_is_replaced_leaves_nothing(&case, Memory::new);
    }

    #[test]
    fn loading_twice_is_loading_once(case in merge::cases()) {
        merge::loading_twice_is_loading_once(&case, Memory::new());
    }
}
