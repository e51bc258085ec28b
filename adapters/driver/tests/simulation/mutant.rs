//! Mutants: ports that break one rule of the protocol each, to see that the simulation notices.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;

use etalon_core::error::Error;
use etalon_core::plan::{Object, sha256};
use etalon_core::protocol::{LastRun, Leg, Load, parse, print};
use etalon_core::warehouse::{LedgerRow, LoadBatch, LoadCounts, PipelineLoads, Presence, Table};
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
    /// Every piece of quarantine has one name.
    OneQuarantineName,
    /// The third part of a task is written over the first.
    ThirdPartOverFirst,
    /// What is beyond the limits of a load waits for no other.
    BeyondTheLimits,
    /// A run that has met less than the last one has met nothing new.
    GoneNotSeen,
}

/// Those that worlds catch.
pub const MUTATIONS: [Mutation; 10] = [
    Mutation::NoLedgerRow,
    Mutation::NoFence,
    Mutation::ReceiptBeforeParts,
    Mutation::DeletedBeforeWork,
    Mutation::TokenWithoutAttempt,
    Mutation::UnmarkedEarly,
    Mutation::PlanOverwritten,
    Mutation::OneQuarantineName,
    Mutation::ThirdPartOverFirst,
    Mutation::BeyondTheLimits,
];

/// Those that lives catch.
pub const MUTATIONS_OF_LIVES: [Mutation; 3] =
    [Mutation::OneQuarantineName, Mutation::ThirdPartOverFirst, Mutation::GoneNotSeen];

/// A port with a mutation.
#[derive(Debug)]
pub struct Mutant<P> {
    inner: P,
    mutation: Mutation,
    /// Writes that wait for the receipt.
    put_off: Mutex<Vec<(String, Vec<u8>)>>,
    /// The inputs that a run has met.
    met: Mutex<BTreeSet<String>>,
}

impl<P> Mutant<P> {
    pub fn new(inner: P, mutation: Mutation) -> Self {
        Self { inner, mutation, put_off: Mutex::default(), met: Mutex::default() }
    }

    /// The name that is used in place of another.
    fn name(&self, name: &str) -> String {
        match (self.mutation, name.rsplit_once('/')) {
            (Mutation::OneQuarantineName, Some((batch, _))) if name.starts_with("quarantine/") => {
                format!("{batch}/rejects-00000.jsonl")
            }
            (Mutation::ThirdPartOverFirst, _) if name.starts_with("staged/") => {
                name.replace("part-00002", "part-00000")
            }
            _ => name.to_owned(),
        }
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
        let (bytes, version) = self.inner.fetch(&self.name(name)).await?;
        if self.mutation == Mutation::GoneNotSeen
            && let Ok(last) = parse::<LastRun>(&bytes)
        {
            let met = self.met.lock().unwrap().clone();
            let inputs = if !met.is_empty() && met.is_subset(&last.inputs) { met } else { last.inputs };
            return Ok((print(&LastRun { inputs, ..last }).into_bytes(), version));
        }
        Ok((bytes, version))
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
            Mutation::BeyondTheLimits if name.starts_with("loads/") && name.ends_with("/current") => {
                let done = self.inner.put(name, bytes, condition).await?;
                let load: Load = parse(bytes)?;
                let pending = name.replacen("loads/", "pending/", 1).replace("/current", "/");
                for mark in self.inner.list(&pending, None, 1000).await? {
                    if !load.units.iter().any(|unit| mark.ends_with(unit)) {
                        self.inner.delete(&mark).await?;
                    }
                }
                Ok(done)
            }
            Mutation::GoneNotSeen if let Ok(leg) = parse::<Leg>(bytes) => {
                self.met.lock().unwrap().extend(leg.plans.into_iter().map(|plan| plan.input));
                self.inner.put(name, bytes, condition).await
            }
            _ => self.inner.put(&self.name(name), bytes, condition).await,
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
    async fn ledger(&self, table: &Table, inputs: &[String]) -> Result<Vec<(LoadBatch, LoadCounts)>, Error> {
        self.inner.ledger(table, inputs).await
    }
    async fn akin(&self, table: &Table, batches: &[LoadBatch]) -> Result<Vec<LedgerRow>, Error> {
        self.inner.akin(table, batches).await
    }
    async fn pipelines(&self, table: &Table, own: &str) -> Result<Vec<PipelineLoads>, Error> {
        self.inner.pipelines(table, own).await
    }
    async fn presence(&self, table: &Table) -> Result<Presence, Error> {
        self.inner.presence(table).await
    }
    async fn brought(&self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        self.inner.brought(table, batches).await
    }
}
