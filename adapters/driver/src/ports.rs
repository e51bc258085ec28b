//! Ports: what the loops need of the world.

use std::future::Future;
use std::ops::Range;

use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::plan::Object;
use etalon_core::warehouse::{LoadBatch, LoadCounts, Table};

/// Whether a write may take the place of what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It may.
    Always,
    /// It must be the first: `ErrorKind::AlreadyExists` otherwise.
    IfAbsent,
}

/// Bytes with names: a bucket, a folder, memory. A write is seen whole or not at all.
pub trait Objects: Sync {
    /// The object of that name as it is now; `ErrorKind::NotFound` if there is none.
    fn head(&self, name: &str) -> impl Future<Output = Result<Object, Error>>;

    /// Some bytes of an object; fewer only where it ends. `ErrorKind::Changed` if it is no longer the same.
    fn read(&self, object: &Object, range: Range<u64>) -> impl Future<Output = Result<Vec<u8>, Error>>;

    /// All bytes of the object of that name; `ErrorKind::NotFound` if there is none.
    fn get(&self, name: &str) -> impl Future<Output = Result<Vec<u8>, Error>>;

    /// Writes an object.
    fn put(&self, name: &str, bytes: &[u8], condition: Put) -> impl Future<Output = Result<(), Error>>;

    /// The names that begin with `prefix`, in order.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, Error>>;

    /// Removes the object of that name, if there is one.
    fn delete(&self, name: &str) -> impl Future<Output = Result<(), Error>>;
}

/// An input that a table has already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What may be loaded once.
    pub input: String,
    /// Raised by backfill and redrive, and where a run that replaces all rows brings it again.
    pub generation: u32,
    /// The object's name.
    pub source: String,
}

/// Staged rows, a batch at a time.
pub type Rows<'a> = &'a mut dyn Iterator<Item = Result<RecordBatch, Error>>;

/// A warehouse that rows can be loaded into.
pub trait Warehouse {
    /// The inputs that the table has.
    fn loaded(&mut self, table: &Table) -> impl Future<Output = Result<Vec<Loaded>, Error>>;

    /// Brings staged rows into the table, and their batches into its ledger, in one transaction.
    fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: Rows<'_>,
        loaded_at: i64,
    ) -> impl Future<Output = Result<LoadCounts, Error>>;
}

/// What time it is.
pub trait Clock: Sync {
    /// Microseconds since 1970, UTC.
    fn now(&self) -> i64;
}

/// Who wants to know how far a run is.
pub trait Progress: Sync {
    /// The run will read this many stored bytes.
    fn total(&self, bytes: u64);
    /// So many stored bytes were read.
    fn advance(&self, bytes: u64);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}
