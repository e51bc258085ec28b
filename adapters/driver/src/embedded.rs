//! Embedded: adapts a synchronous warehouse to the port of an asynchronous one. The result of a load is known as long as the
//! process lives; after that the ledger has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::Blame;
use etalon_core::warehouse::{LedgerRow, LoadBatch, LoadCounts, PipelineLoads, Presence, Table};

use crate::deployed::Deployed;
use crate::ports::{Clock, DataWarehouse, LoadOrder, Objects, StatementState, Warehouse};

/// A warehouse, and what became of the loads that it was asked for.
#[derive(Debug)]
pub struct Embedded<'a, T, W, C> {
    deployed: &'a Deployed,
    store: &'a T,
    clock: &'a C,
    warehouse: Mutex<&'a mut W>,
    outcomes: Mutex<BTreeMap<String, StatementState>>,
}

impl<'a, T: Objects, W: Warehouse + Send, C: Clock> Embedded<'a, T, W, C> {
    /// A warehouse that reads staged files from a store.
    pub fn new(deployed: &'a Deployed, store: &'a T, warehouse: &'a mut W, clock: &'a C) -> Self {
        Self { deployed, store, clock, warehouse: Mutex::new(warehouse), outcomes: Mutex::default() }
    }

    #[expect(
        clippy::await_holding_lock,
        reason = "one thread drives the engine, and the lock is nobody else's meanwhile"
    )]
    async fn load(&self, order: &LoadOrder) -> Result<LoadCounts, Error> {
        let fingerprint = order.batches.first().map_or("", |batch| batch.fingerprint.as_str());
        let pipeline = self.deployed.pipeline(self.store, fingerprint).await?;
        // What the ledger will speak of must be there tomorrow.
        self.store.flush().await?;
        let mut rows = order.parts.iter().flat_map(|part| staged(&pipeline, self.store, &part.name));
        let mut warehouse = self.warehouse.lock().unwrap_or_else(PoisonError::into_inner);
        warehouse.load(&order.table, &order.batches, &mut rows, self.clock.now()).await
    }
}

impl<T: Objects, W: Warehouse + Send, C: Clock> DataWarehouse for Embedded<'_, T, W, C> {
    async fn submit(&self, order: &LoadOrder, token: &str) -> Result<String, Error> {
        let known = |outcomes: &Mutex<BTreeMap<String, StatementState>>| {
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).contains_key(token)
        };
        if !known(&self.outcomes) {
            let outcome = match self.load(order).await {
                Ok(_) => StatementState::Finished,
                // Only what data may cause is tried with fewer of them.
                Err(error) if error.kind() == ErrorKind::Held => StatementState::Failed(error.to_string(), Blame::Data),
                Err(error) => StatementState::Failed(error.to_string(), Blame::Environment),
            };
            self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), outcome);
        }
        Ok(token.to_owned())
    }

    async fn status(&self, statement: &str) -> Result<StatementState, Error> {
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let unknown = || Error::new(ErrorKind::NotFound, format!("{statement}: there is no such statement"));
        outcomes.get(statement).cloned().ok_or_else(unknown)
    }

    #[expect(
        clippy::await_holding_lock,
        reason = "one thread drives the engine, and the lock is nobody else's meanwhile"
    )]
    async fn ledger(&self, table: &Table, inputs: &[String]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        let mut warehouse = self.warehouse.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = warehouse.ledger(table).await?;
        let wanted: BTreeSet<&String> = inputs.iter().collect();
        Ok(rows
            .into_iter()
            .filter(|row| wanted.contains(&row.batch.input))
            .map(|row| (row.batch, row.counts))
            .collect())
    }

    #[expect(
        clippy::await_holding_lock,
        reason = "one thread drives the engine, and the lock is nobody else's meanwhile"
    )]
    async fn akin(&self, table: &Table, _batches: &[LoadBatch]) -> Result<Vec<LedgerRow>, Error> {
        let mut warehouse = self.warehouse.lock().unwrap_or_else(PoisonError::into_inner);
        warehouse.ledger(table).await
    }

    async fn pipelines(&self, table: &Table, own: &str) -> Result<Vec<PipelineLoads>, Error> {
        Ok(PipelineLoads::of(&self.akin(table, &[]).await?, own))
    }

    #[expect(
        clippy::await_holding_lock,
        reason = "one thread drives the engine, and the lock is nobody else's meanwhile"
    )]
    async fn presence(&self, table: &Table) -> Result<Presence, Error> {
        let mut warehouse = self.warehouse.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = warehouse.ledger(table).await?;
        Ok(Presence::of(&rows, warehouse.has_rows(table).await?))
    }

    #[expect(
        clippy::await_holding_lock,
        reason = "one thread drives the engine, and the lock is nobody else's meanwhile"
    )]
    async fn brought(&self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        let mut warehouse = self.warehouse.lock().unwrap_or_else(PoisonError::into_inner);
        warehouse.brought(table, batches).await
    }
}

/// The rows of a staged part.
fn staged(
    pipeline: &Pipeline,
    store: &impl Objects,
    name: &str,
) -> Box<dyn Iterator<Item = Result<RecordBatch, Error>>> {
    let refused = |name: &str, why: &str| Error::new(ErrorKind::Refused, format!("{name} is not a staged part: {why}"));
    let bytes = match pollster::block_on(store.get(name)) {
        Ok(bytes) => bytes,
        Err(error) => return Box::new(std::iter::once(Err(error))),
    };
    match pipeline.read_part(bytes) {
        Ok(batches) => {
            let name = name.to_owned();
            Box::new(batches.map(move |batch| batch.map_err(|why| refused(&name, &why))))
        }
        Err(why) => Box::new(std::iter::once(Err(refused(name, &why)))),
    }
}
