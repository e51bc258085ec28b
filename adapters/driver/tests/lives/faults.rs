//! Faults: ports of one machine that fail where they are told to. Whoever is killed does nothing more: each later call of his
//! fails too.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Range;
use std::sync::Mutex;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::Object;
use etalon_core::warehouse::{LedgerRow, LoadBatch, LoadCounts, Table};
use etalon_driver::ports::{Objects, Put, Rows, Warehouse};

use crate::life::Fault;

/// The fault that is to come, and those that have come.
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// At which call, counted down.
    next: Option<(u64, Fault)>,
    is_dead: bool,
    /// Whether a fault has come since the last call that came to its end.
    has_come: bool,
    injected: BTreeMap<String, u64>,
}

impl Faults {
    /// A call begins that will be disturbed.
    pub fn begin(&self, at: u64, fault: Fault) {
        let state = &mut *self.0.lock().unwrap();
        state.next = Some((at, fault));
        state.is_dead = false;
    }

    /// A call begins that will not be disturbed; whether one was before it.
    pub fn end(&self) -> bool {
        let state = &mut *self.0.lock().unwrap();
        state.next = None;
        state.is_dead = false;
        std::mem::take(&mut state.has_come)
    }

    /// How often each fault has come.
    pub fn injected(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().injected.clone()
    }

    /// Counts faults that have come elsewhere.
    pub fn add(&self, more: &BTreeMap<&'static str, u64>) {
        let state = &mut *self.0.lock().unwrap();
        for (fault, count) in more {
            *state.injected.entry((*fault).to_owned()).or_default() += count;
        }
    }

    /// The fault of the call that is made now.
    fn come(&self) -> Result<Option<Fault>, Error> {
        let state = &mut *self.0.lock().unwrap();
        if state.is_dead {
            return Err(Error::new(ErrorKind::Refused, "who was killed does nothing more"));
        }
        match &mut state.next {
            Some((0, fault)) => {
                let fault = *fault;
                state.next = None;
                state.has_come = true;
                state.is_dead = matches!(fault, Fault::KilledBefore | Fault::KilledAfter);
                *state.injected.entry(format!("{fault:?}")).or_default() += 1;
                Ok(Some(fault))
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    async fn call<T>(&self, effect: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let fault = self.come()?;
        if !matches!(fault, Some(Fault::KilledBefore | Fault::RequestLost)) {
            let answer = effect.await;
            if fault.is_none() {
                return answer;
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "no answer"))
    }
}

/// Objects with faults.
#[derive(Debug)]
pub struct Faulty<'a, P> {
    inner: &'a P,
    faults: &'a Faults,
}

impl<'a, P> Faulty<'a, P> {
    pub fn new(inner: &'a P, faults: &'a Faults) -> Self {
        Self { inner, faults }
    }
}

impl<P: Objects> Objects for Faulty<'_, P> {
    async fn head(&self, name: &str) -> Result<Object, Error> {
        self.faults.call(self.inner.head(name)).await
    }
    async fn read(&self, object: &Object, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.faults.call(self.inner.read(object, range)).await
    }
    async fn fetch(&self, name: &str) -> Result<(Vec<u8>, String), Error> {
        self.faults.call(self.inner.fetch(name)).await
    }
    async fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> Result<String, Error> {
        self.faults.call(self.inner.put(name, bytes, condition)).await
    }
    async fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<String>, Error> {
        self.faults.call(self.inner.list(prefix, after, most)).await
    }
    async fn delete(&self, name: &str) -> Result<(), Error> {
        self.faults.call(self.inner.delete(name)).await
    }
    async fn delete_version(&self, name: &str, version: &str) -> Result<(), Error> {
        self.faults.call(self.inner.delete_version(name, version)).await
    }
    async fn objects(&self, prefix: &str, after: Option<&str>, most: usize) -> Result<Vec<Object>, Error> {
        self.faults.call(self.inner.objects(prefix, after, most)).await
    }
}

/// A warehouse with faults.
pub struct FaultyWarehouse<'a, W> {
    pub inner: &'a mut W,
    pub faults: &'a Faults,
}

impl<W: Warehouse> Warehouse for FaultyWarehouse<'_, W> {
    async fn ledger(&mut self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        self.faults.call(self.inner.ledger(table)).await
    }
    async fn has_rows(&mut self, table: &Table) -> Result<Option<bool>, Error> {
        self.faults.call(self.inner.has_rows(table)).await
    }
    async fn changes(&mut self, table: &Table) -> Result<Vec<String>, Error> {
        self.inner.changes(table).await
    }
    async fn brought(&mut self, table: &Table, batches: &[String]) -> Result<BTreeSet<String>, Error> {
        self.inner.brought(table, batches).await
    }

    async fn by_batch(&mut self, table: &Table) -> Result<BTreeMap<String, u64>, Error> {
        self.inner.by_batch(table).await
    }

    async fn forget(&mut self, table: &Table) -> Result<(), Error> {
        self.faults.call(self.inner.forget(table)).await
    }
    async fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: Rows<'_>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        self.faults.call(self.inner.load(table, batches, rows, loaded_at)).await
    }
}
