//! Mutants: ports that break one rule of the protocol each, to see that the simulation notices.

use std::ops::Range;
use std::sync::Mutex;

use etalon_core::error::Error;
use etalon_core::plan::{Object, sha256};
use etalon_core::protocol::{Load, parse};
use etalon_core::warehouse::{LoadBatch, LoadCounts, Table};
use etalon_driver::ports::{DataWarehouse, LoadOrder, Objects, Put, StatementState};

/// The rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// None.
    None,
    /// The warehouse writes no ledger rows.
    NoLedgerRow,
    /// Several loads are in flight, and the warehouse locks nobody out.
    NoFence,
    /// The receipt is written before the parts.
    ReceiptBeforeParts,
    /// The message is removed before its work is done.
    DeletedBeforeWork,
    /// An attempt's token does not tell it from the one before.
    TokenWithoutAttempt,
    /// A unit's mark goes when its load is submitted, not when its ledger row has been seen.
    UnmarkedEarly,
    /// A later delivery writes its own plan over the first.
    PlanOverwritten,
}

pub const MUTATIONS: [Mutation; 7] = [
    Mutation::NoLedgerRow,
    Mutation::NoFence,
    Mutation::ReceiptBeforeParts,
    Mutation::DeletedBeforeWork,
    Mutation::TokenWithoutAttempt,
    Mutation::UnmarkedEarly,
    Mutation::PlanOverwritten,
];

/// A port with a mutation.
#[derive(Debug)]
pub struct Mutant<P> {
    inner: P,
    mutation: Mutation,
    /// Writes that wait for the receipt.
    put_off: Mutex<Vec<(String, Vec<u8>)>>,
}

impl<P> Mutant<P> {
    pub fn new(inner: P, mutation: Mutation) -> Self {
        Self { inner, mutation, put_off: Mutex::default() }
    }

    fn is_unlocked(&self, name: &str) -> bool {
        self.mutation == Mutation::NoFence && name.starts_with("loads/")
    }
}

impl<P: Objects> Objects for Mutant<P> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.inner.head(name).await
    }
    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.inner.read(object, range).await
    }
    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.inner.fetch(name).await
    }
    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        match self.mutation {
            Mutation::NoFence if self.is_unlocked(name) => self.inner.put(name, bytes, Put::Always).await,
            Mutation::PlanOverwritten if name.starts_with("plans/") => self.inner.put(name, bytes, Put::Always).await,
            Mutation::ReceiptBeforeParts if name.starts_with("staged/") => {
                self.put_off.lock().unwrap().push((name.to_owned(), bytes.to_vec()));
                Ok(sha256(bytes))
            }
            Mutation::ReceiptBeforeParts if name.starts_with("receipts/") => {
                let done = self.inner.put(name, bytes, condition).await;
                let put_off = std::mem::take(&mut *self.put_off.lock().unwrap());
                for (part, bytes) in put_off {
                    self.inner.put(&part, &bytes, Put::Always).await?;
                }
                done
            }
            Mutation::UnmarkedEarly if name.starts_with("loads/") => {
                let done = self.inner.put(name, bytes, condition).await?;
                let load: Load = parse(bytes)?;
                if load.statement.is_some() {
                    let table = name.trim_start_matches("loads/").trim_end_matches("/current");
                    for unit in &load.units {
                        self.inner.delete(&format!("pending/{table}/{unit}")).await?;
                    }
                }
                Ok(done)
            }
            _ => self.inner.put(name, bytes, condition).await,
        }
    }
    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.inner.list(prefix, after, most).await
    }
    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.inner.delete(name).await
    }
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        if self.is_unlocked(name) {
            return self.inner.delete(name).await;
        }
        self.inner.delete_version(name, version).await
    }
    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.inner.objects(prefix, after, most).await
    }
}

impl<P: DataWarehouse> DataWarehouse for Mutant<P> {
    async fn submit(&self, order: &LoadOrder, token: &str) -> Result<String, Error> {
        let token = if self.mutation == Mutation::TokenWithoutAttempt { &order.load } else { token };
        self.inner.submit(order, token).await
    }
    async fn status(&self, statement: &str) -> Result<StatementState, Error> {
        self.inner.status(statement).await
    }
    async fn ledger(&self, table: &Table, inputs: &[(String, u32)]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        self.inner.ledger(table, inputs).await
    }
}
