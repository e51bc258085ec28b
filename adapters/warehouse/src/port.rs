//! Warehouses behind the driver's port.

use etalon_core::error::Error;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Table;
use etalon_driver::ports::Loaded;
use etalon_driver::ports::Rows;
use etalon_driver::ports::Warehouse;

use crate::Connected;

impl Warehouse for Connected {
    async fn loaded(&mut self, table: &Table) -> Result<Vec<Loaded>, Error> {
        let rows = self.ledger(table)?.into_iter().map(|row| row.batch);
        let loaded = |batch: LoadBatch| Loaded {
            input: batch.input,
            generation: batch.generation,
            batch: batch.batch,
            source: batch.source,
        };
        Ok(rows.map(loaded).collect())
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
