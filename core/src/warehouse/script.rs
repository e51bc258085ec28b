//! Script: a whole load as statements in order, for a driver that runs them in one transaction and decides nothing.
//!
//! On Redshift the steps are one `BatchExecuteStatement`; elsewhere the driver begins a transaction, runs each step, brings
//! the rows where a step asks for them, and commits. Nothing between the steps is decided outside the warehouse: a guard
//! divides by zero where the load must not be, and counts are computed and kept by SQL.

use crate::error::Error;
use crate::warehouse::LoadBatch;
use crate::warehouse::TableColumn;
use crate::warehouse::copy::CopySource;
use crate::warehouse::ddl::Target;

/// Most statements of a script: what Redshift's Data API takes at once.
pub const STATEMENTS_MAX: usize = 40;

/// A value beside a statement. All values are text: the statement casts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in the whole script: `:name` on Redshift. One name has one value in all statements of a script.
    pub name: String,
    /// Its value, never empty.
    pub value: String,
}

/// A statement and its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text.
    pub sql: String,
    /// The parameters that it uses, each once: the first is `$1` on PostgreSQL and `?1` on SQLite.
    pub parameters: Vec<Parameter>,
    /// What it does, for people.
    pub what: &'static str,
}

/// Something to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run this.
    Run(Statement),
    /// Run this; it selects 1. Where the load must not be, it divides by zero, and fails there or (SQLite) selects NULL, which
    /// the driver takes for the same failure. Either way `Guard::error` has the words.
    Guard(Guard, Statement),
    /// Bring the staged rows here.
    Stage(Stage),
    /// Run this; it selects the counts of the load: batch, then staged, inserted, updated, unchanged, deduplicated,
    /// superseded and deleted, a row for each batch, in the order of the batches' names.
    Counts(Statement),
}

/// Where staged rows are brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// What brings them: Redshift's `COPY … FROM 's3://…'`, which needs nothing more; PostgreSQL's
    /// `COPY … FROM STDIN (FORMAT binary)`; SQLite's `INSERT` of one row of parameters.
    pub sql: String,
    /// The columns that are brought, in order: those of a staged part, or the first of them.
    pub columns: Vec<TableColumn>,
    /// The table, for people.
    pub table: String,
}

/// Why a load must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// An input of the load is in the ledger already.
    NotLoaded,
    /// The rows that came are not those that the batches say.
    AllRows,
    /// A run with a later batch time has been loaded (`write: replace`).
    NoLaterRun,
    /// The counts do not balance: a bug of Etalon.
    Balance,
}

/// A load: what is brought, and when.
#[derive(Debug, Clone, Copy)]
pub struct Load<'a> {
    /// The batches, each with the number of its rows.
    pub batches: &'a [LoadBatch],
    /// Now, in microseconds since 1970, UTC.
    pub loaded_at: i64,
    /// Where Redshift finds the rows; elsewhere the driver brings them.
    pub copy: Option<&'a CopySource>,
}

/// A load as statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadScript {
    /// What to do, in order, in one transaction.
    pub steps: Vec<Step>,
}

impl LoadScript {
    /// The script of a load into a target, in the words of the target's dialect.
    pub fn new(target: &Target, load: &Load<'_>) -> Result<Self, Error> {
        let _ = (target, load);
        todo!()
    }
}

/// What is found before a load: the driver asks with the statements of [`SetUp`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The names of the columns that the target has; none where there is no target.
    pub present: Vec<String>,
    /// The columns that Etalon has declared.
    pub declared: Vec<TableColumn>,
    /// How many ledger rows the target has.
    pub loads: u64,
}

/// What must be there before a load. None of it is part of the load's transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUp {
    /// Creates the ledger, the declared types and the other tables of Etalon's own, unless they are there.
    pub create: Vec<Statement>,
    /// Selects the names of the columns that the target has: one column of text.
    pub present: Statement,
    /// Selects the declared columns: name, type, whether it is required (boolean).
    pub declared: Statement,
    /// Selects how many ledger rows the target has.
    pub loads: Statement,
}

impl SetUp {
    /// The statements for a target.
    pub fn new(target: &Target) -> Self {
        let _ = target;
        todo!()
    }
}

/// Selects the ledger rows of a target in the order of loading. All values are text but for whole numbers and booleans:
/// input, batch, generation, source, `source_version`, fingerprint, `batch_time`, `replaces_source`, `loaded_at`, then staged and the
/// six outcomes in the order of [`LoadCounts`](super::LoadCounts). Both times are microseconds since 1970.
pub fn ledger(target: &Target) -> Statement {
    let _ = target;
    todo!()
}

/// What is to be changed before a load, from what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Migration {
    /// What changes, a line each, for people; empty where nothing does.
    pub changes: Vec<String>,
    /// Statements, in order, in one transaction.
    pub statements: Vec<Statement>,
    /// Statements that Redshift takes outside a transaction only, each alone, before the others.
    pub outside: Vec<Statement>,
}

impl Migration {
    /// Creates the target, changes it, or refuses.
    pub fn new(target: &Target, found: &Found) -> Result<Self, Error> {
        let _ = (target, found);
        todo!()
    }
}

impl Guard {
    /// The error of a load that failed at this guard. `target` is the table's name.
    pub fn error(self, target: &str, batches: &[LoadBatch]) -> Error {
        let _ = (target, batches);
        todo!()
    }
}
