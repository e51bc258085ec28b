//! Warehouses behind the driver's port.

use etalon_core::error::Error;
use etalon_core::warehouse::LedgerRow;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Table;
use etalon_driver::ports::Rows;
use etalon_driver::ports::Warehouse;

use crate::Connected;

impl Warehouse for Connected {
    async fn ledger(&mut self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        Self::ledger(self, table)
    }

    async fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: Rows<'_>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        Self::load(self, table, batches, rows, loaded_at)
    }
}
