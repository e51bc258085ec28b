//! Ports: what the loops need of the world. Each says exactly what it promises, and no more than the clouds keep;
//! `testing::conformance` holds every implementation to it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Range;

use arrow_array::RecordBatch;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::{InputPlan, Object};
use etalon_core::protocol::{Blame, Decision, Load, LoadEvent, Start, Unit, Window};
use etalon_core::receipt::Receipt;
use etalon_core::source::Answer;
use etalon_core::source::connector::{Request, Response, Signing};
use etalon_core::warehouse::{LedgerRow, LoadBatch, LoadCounts, PipelineLoads, Presence, Table};

/// Whether a write may overwrite an existing object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put<'a> {
    /// It may.
    Always,
    /// It must be the first: `ErrorKind::AlreadyExists` otherwise.
    IfAbsent,
    /// It may overwrite only this version: `ErrorKind::Changed` otherwise, also if there is no object.
    IfVersion(&'a str),
}

/// An object as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The object, with the version that distinguishes its bytes from others.
    pub object: Object,
    /// The version of it in a listing. It may differ although the bytes are the same.
    pub listed: String,
}

impl Look {
    /// The object, with the version of a listing.
    pub fn as_listed(&self) -> Object {
        Object { version: self.listed.clone(), ..self.object.clone() }
    }

    /// Whether the object is of a version, by either name of it.
    pub fn is_of(&self, version: &str) -> bool {
        self.object.version == version || self.listed == version
    }
}

/// Bytes with names: a bucket, a folder, memory. A write is atomic, and visible to all readers at once.
///
/// A version distinguishes bytes from other bytes of the same name. The same bytes written again may have the same version.
pub trait Objects: Sync {
    /// The object of that name as it is now; `ErrorKind::NotFound` if there is none.
    fn head(&self, name: &str) -> impl Future<Output = Result<Object, Error>>;

    /// The same, with the version that identifies the bytes best, if a listing does not contain it. Reads may be made with
    /// either version.
    fn look(&self, name: &str) -> impl Future<Output = Result<Look, Error>> {
        async move {
            let object = self.head(name).await?;
            Ok(Look { listed: object.version.clone(), object })
        }
    }

    /// Some bytes of an object; fewer only at its end. `ErrorKind::Changed` if it is no longer the same.
    fn read(&self, object: &Object, range: Range<u64>) -> impl Future<Output = Result<Vec<u8>, Error>>;

    /// All bytes of the object of that name, and their version; `ErrorKind::NotFound` if there is none.
    fn fetch(&self, name: &str) -> impl Future<Output = Result<(Vec<u8>, String), Error>>;

    /// Writes an object, and gives its version.
    fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> impl Future<Output = Result<String, Error>>;

    /// The same with bytes that the caller needs no longer: where bytes are sent, no copy of them is needed.
    fn give(&self, name: &str, bytes: Vec<u8>, condition: Put<'_>) -> impl Future<Output = Result<String, Error>> {
        async move { self.put(name, &bytes, condition).await }
    }

    /// The names that begin with `prefix` and come after `after`, in order, at most `most`; fewer only where they end.
    fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> impl Future<Output = Result<Vec<String>, Error>>;

    /// Removes the object of that name, if there is one.
    fn delete(&self, name: &str) -> impl Future<Output = Result<(), Error>>;

    /// Removes the object of that name if it is of this version: `ErrorKind::Changed` otherwise, also if nothing is there.
    fn delete_version(&self, name: &str, version: &str) -> impl Future<Output = Result<(), Error>>;

    /// All bytes of the object of that name; `ErrorKind::NotFound` if there is none.
    fn get(&self, name: &str) -> impl Future<Output = Result<Vec<u8>, Error>> {
        async move { self.fetch(name).await.map(|(bytes, _)| bytes) }
    }

    /// Makes all writes durable, also if the machine stops now. If every write is durable by itself, there is nothing to do.
    fn flush(&self) -> impl Future<Output = Result<(), Error>> {
        async { Ok(()) }
    }

    /// As [`Objects::list`], with versions and sizes; objects that are gone when they are looked at are left out.
    fn objects(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Object>, Error>>;
}

impl<T: Objects> Objects for &T {
    fn head(&self, name: &str) -> impl Future<Output = Result<Object, Error>> {
        T::head(self, name)
    }

    fn look(&self, name: &str) -> impl Future<Output = Result<Look, Error>> {
        T::look(self, name)
    }

    fn read(&self, object: &Object, range: Range<u64>) -> impl Future<Output = Result<Vec<u8>, Error>> {
        T::read(self, object, range)
    }

    fn fetch(&self, name: &str) -> impl Future<Output = Result<(Vec<u8>, String), Error>> {
        T::fetch(self, name)
    }

    fn put(&self, name: &str, bytes: &[u8], condition: Put<'_>) -> impl Future<Output = Result<String, Error>> {
        T::put(self, name, bytes, condition)
    }

    fn give(&self, name: &str, bytes: Vec<u8>, condition: Put<'_>) -> impl Future<Output = Result<String, Error>> {
        T::give(self, name, bytes, condition)
    }

    fn list(&self, prefix: &str, after: Option<&str>, most: usize) -> impl Future<Output = Result<Vec<String>, Error>> {
        T::list(self, prefix, after, most)
    }

    fn delete(&self, name: &str) -> impl Future<Output = Result<(), Error>> {
        T::delete(self, name)
    }

    fn delete_version(&self, name: &str, version: &str) -> impl Future<Output = Result<(), Error>> {
        T::delete_version(self, name, version)
    }

    fn flush(&self) -> impl Future<Output = Result<(), Error>> {
        T::flush(self)
    }

    fn objects(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Object>, Error>> {
        T::objects(self, prefix, after, most)
    }
}

/// The most messages of one `send` or `receive`.
pub const MESSAGES_MAX: usize = 10;

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub body: String,
    /// Its order in a FIFO queue; none in a standard queue.
    pub order: Option<Order>,
}

/// The order of a message in a FIFO queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Messages of a group come in the order in which they were sent, and one at a time: while one of them is in flight, the
    /// others of its group wait.
    pub group: String,
    /// A message with an id that was already sent within five minutes is accepted and dropped.
    pub deduplication: String,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The handle of this delivery.
    pub handle: String,
    /// What it says.
    pub body: String,
    /// How often it was received, from 1.
    pub received: u32,
    /// Why it is a dead letter, if it is one and has a reason.
    pub reason: Option<String>,
}

/// Messages between steps, delivered at least once: by a standard queue in any order, some of them twice; by a FIFO queue as
/// [`Order`] says. A message that was received too often goes to the dead letters.
pub trait Queue: Sync {
    /// Sends at most [`MESSAGES_MAX`] messages, and returns those that were not accepted: their positions, and why.
    fn send(&self, entries: &[Entry]) -> impl Future<Output = Result<Vec<(usize, Error)>, Error>>;

    /// Receives at most `most` messages (at most [`MESSAGES_MAX`]). Others do not receive them for `visibility`
    /// microseconds, or until they are deleted.
    fn receive(&self, most: usize, visibility: i64) -> impl Future<Output = Result<Vec<Message>, Error>>;

    /// Removes a message that was processed. A handle whose visibility has run out may remove it or do nothing.
    fn delete(&self, message: &Message) -> impl Future<Output = Result<(), Error>>;

    /// Lets others receive a message in `visibility` microseconds from now; 0 is at once.
    fn change_visibility(&self, message: &Message, visibility: i64) -> impl Future<Output = Result<(), Error>>;

    /// Puts a message among the dead letters, as it is, with the reason; then removes it.
    fn bury(&self, message: &Message, reason: &str) -> impl Future<Output = Result<(), Error>>;
}

/// A database that is read: one connection, one statement at a time. Statements come from core, and so does their order.
pub trait Database {
    /// Which one it is, of which server.
    fn place(&self) -> String;

    /// Runs a statement, and gives its rows.
    fn ask(&mut self, statement: &str) -> Result<Answer, Error>;

    /// One row: the types of what a statement selects, as the database calls them. With most databases the statement itself
    /// gives that row.
    fn types(&mut self, statement: &str) -> Result<Answer, Error> {
        self.ask(statement)
    }

    /// The rows of a statement, and before them one with the names of its columns; nothing, where the user may not run it. Only what
    /// some databases can be asked only so is asked so.
    fn named(&mut self, statement: &str) -> Result<Answer, Error> {
        let message = format!("{}: no statement is asked for its names here: {statement}", self.place());
        Err(Error::new(ErrorKind::Refused, message))
    }

    /// Another connection to the same database, as the same user; nothing where there can be none.
    fn another(&self) -> Result<Option<Box<dyn Database + Send>>, Error> {
        Ok(None)
    }

    /// Begins to bring the rows of a statement.
    fn begin(&mut self, statement: &str) -> Result<(), Error>;

    /// Appends the next rows, and returns whether there may be more. A caller that does not take all rows cannot run another
    /// statement.
    fn bring(&mut self, rows: &mut Brought) -> Result<bool, Error>;
}

/// HTTP servers.
pub trait Server {
    /// Sends a request. An error of the kind [`ErrorKind::Unavailable`] says that
    /// no response came; any other kind says that sending the request again is of no use.
    fn send(&mut self, request: &Request) -> Result<Response, Error>;

    /// Signs the content of a token. The error says why the key cannot be used, without the key.
    fn sign(&self, signing: &Signing) -> Result<Vec<u8>, Error>;
}

/// Rows as a database brings them: records of CSV, each with its line end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// The records, one after the other.
    pub bytes: Vec<u8>,
    /// Where each ends.
    pub ends: Vec<usize>,
}

impl Brought {
    /// Appends a record.
    pub fn push(&mut self, record: &[u8]) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len());
    }

    /// Forgets all records.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Staged rows, a batch at a time.
pub type Rows<'a> = &'a mut dyn Iterator<Item = Result<RecordBatch, Error>>;

/// A warehouse that takes the rows of a load in one call.
pub trait Warehouse {
    /// What has been loaded into a table, in the order of loading.
    fn ledger(&mut self, table: &Table) -> impl Future<Output = Result<Vec<LedgerRow>, Error>>;

    /// Whether a table has rows; `None` if there is no table.
    fn has_rows(&mut self, table: &Table) -> impl Future<Output = Result<Option<bool>, Error>>;

    /// Which of some batches have rows in a table; none if there is no table.
    fn brought(&mut self, table: &Table, batches: &[String]) -> impl Future<Output = Result<BTreeSet<String>, Error>>;

    /// How many rows of each batch a table has; none if there is no table.
    fn by_batch(&mut self, table: &Table) -> impl Future<Output = Result<BTreeMap<String, u64>, Error>>;

    /// Forgets all loads of a table, so that everything is loaded again.
    fn forget(&mut self, table: &Table) -> impl Future<Output = Result<(), Error>>;

    /// What a load would change in a table, apart from its rows: one line for each change, for people.
    fn changes(&mut self, table: &Table) -> impl Future<Output = Result<Vec<String>, Error>>;

    /// Brings staged rows into the table, and their batches into its ledger, in one transaction.
    fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: Rows<'_>,
        loaded_at: i64,
    ) -> impl Future<Output = Result<LoadCounts, Error>>;
}

/// Everything that a warehouse must know to do a load by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOrder {
    /// The load.
    pub load: String,
    /// The table.
    pub table: Table,
    /// When it is loaded, in microseconds since 1970: the same whenever this attempt is submitted again.
    pub loaded_at: i64,
    /// The ledger rows.
    pub batches: Vec<LoadBatch>,
    /// The staged files.
    pub parts: Vec<OrderPart>,
}

/// A staged file of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPart {
    /// Its name in the store.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// What has become of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementState {
    /// It waits or runs.
    Running,
    /// It is done, and committed.
    Finished,
    /// It failed, and changed nothing: the warehouse's message, and the probable cause.
    Failed(String, Blame),
    /// Somebody ended it. It may have committed before.
    Aborted,
}

/// A warehouse that reads the staged files itself, and works asynchronously.
///
/// One load is one transaction: it locks the table's fence before anything that takes a snapshot, fails if its ledger has
/// any of the inputs in their generation, counts the staged rows, and writes rows and ledger.
pub trait DataWarehouse: Sync {
    /// Asks for a load, and returns the warehouse's id of it. The same token gives the same statement, also a failed one.
    fn submit(&self, order: &LoadOrder, token: &str) -> impl Future<Output = Result<String, Error>>;

    /// What has become of a statement; `ErrorKind::NotFound` if it is not known (any more).
    fn status(&self, statement: &str) -> impl Future<Output = Result<StatementState, Error>>;

    /// The ledger rows of these inputs, in all their generations.
    fn ledger(
        &self,
        table: &Table,
        inputs: &[String],
    ) -> impl Future<Output = Result<Vec<(LoadBatch, LoadCounts)>, Error>>;

    /// The ledger rows of all inputs that have, or had, the contents of one of these batches; more rows do no harm.
    fn akin(&self, table: &Table, batches: &[LoadBatch]) -> impl Future<Output = Result<Vec<LedgerRow>, Error>>;

    /// What each pipeline except one has loaded into a table.
    fn pipelines(&self, table: &Table, own: &str) -> impl Future<Output = Result<Vec<PipelineLoads>, Error>>;

    /// A few numbers of the table and its ledger, which show whether somebody has changed them.
    fn presence(&self, table: &Table) -> impl Future<Output = Result<Presence, Error>>;

    /// Which of some batches have rows in the table.
    fn brought(&self, table: &Table, batches: &[String]) -> impl Future<Output = Result<BTreeSet<String>, Error>>;
}

/// Receives the events of loads.
pub trait Events: Sync {
    /// Sends the event of a load, at least once.
    fn loaded(&self, event: &LoadEvent) -> impl Future<Output = Result<(), Error>>;
}

/// What has happened, for logs and metrics: references and numbers, never a row.
#[derive(Debug, Clone)]
pub enum Fact<'a> {
    /// Windows of a database or an API have landed; with notes that a person should see.
    Landed(&'a [Window], &'a [String]),
    /// An input is planned, and its tasks are sent.
    Planned(&'a InputPlan),
    /// A listing or a landing stopped before its deadline, and the rest of it was handed on.
    HandedOn(&'a Start),
    /// A task is done.
    Transformed(&'a Receipt),
    /// A unit is judged.
    Judged(&'a Unit),
    /// A statement was submitted for a load.
    Submitted(&'a Load),
    /// A statement failed: the warehouse's message.
    Failed(&'a Load, &'a str),
    /// A load of a single unit fails, and the unit is not held since too many were: the warehouse's message.
    Braked(&'a Load, &'a str),
    /// A load is in the table.
    Loaded(&'a LoadEvent),
    /// A unit waits for a decision.
    Held(&'a Unit),
    /// A held unit was replaced by another.
    Replaced(&'a Unit),
    /// A person has decided about held units.
    Decided(&'a Decision),
    /// Rejects of an input wait until it is loaded.
    Waits(&'a InputPlan),
    /// A document cannot be read, and all other work continues: its name, and why.
    Unreadable(&'a str),
}

/// Receives the facts about what happens.
pub trait Witness: Sync {
    /// Something has happened; the same fact may come twice.
    fn saw(&self, fact: &Fact<'_>);
}

/// The clock.
pub trait Clock: Sync {
    /// Microseconds since 1970, UTC.
    fn now(&self) -> i64;

    /// Waits for so many microseconds.
    fn wait(&self, microseconds: i64) {
        std::thread::sleep(std::time::Duration::from_micros(microseconds.unsigned_abs()));
    }
}

/// Receives the progress of a run.
pub trait Progress: Sync {
    /// The run will read this many stored bytes.
    fn total(&self, bytes: u64);
    /// So many stored bytes were read.
    fn advance(&self, bytes: u64);
    /// The run is at this stage, and so many files of it are done.
    fn at(&self, stage: Stage, files: u64);
    /// A note for the user, before the change that it describes.
    fn tell(&self, what: &str);
}

/// The stages of a run, apart from reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Files are looked for, and their contents' digests are made.
    Listing,
    /// What is new is planned.
    Planning,
    /// What is staged is loaded, in one transaction.
    Loading,
}

/// Ignores all progress.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Witness for Quiet {
    fn saw(&self, _fact: &Fact<'_>) {}
}

impl Progress for Quiet {
    fn total(&self, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn at(&self, _stage: Stage, _files: u64) {}
    fn tell(&self, _what: &str) {}
}
