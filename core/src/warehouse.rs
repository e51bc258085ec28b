//! Warehouse: the statements that bring staged rows into a target table. Text only; whoever drives it runs them.
//!
//! Every byte that becomes SQL passes `quote`.

mod ddl;
mod ledger;
mod merge;
pub mod query;
pub mod quote;
mod sql;
pub mod sqlite;

use crate::types::Type;

pub use ddl::COLUMNS_TABLE;
pub use ddl::ColumnsStatements;
pub use ddl::KEY_INDEX_PREFIX;
pub use ddl::OWN_PREFIX;
pub use ddl::Target;
pub use ledger::LEDGER_TABLE;
pub use ledger::LedgerRow;
pub use ledger::LedgerStatements;
pub use merge::LoadStatements;
pub use sql::Dialect;

/// The lineage column that names the batch a row came with.
pub const BATCH_COLUMN: &str = "_etalon_batch";
/// The lineage column that holds the offset of the row's record in the decoded stream.
pub const OFFSET_COLUMN: &str = "_etalon_offset";
/// The lineage column that holds the batch time.
pub const TIME_COLUMN: &str = "_etalon_time";

/// A target table, as a checked pipeline means it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `schema.table` or `table`; parts as they are, without quotes.
    pub schema: Option<String>,
    /// The table's name.
    pub name: String,
    /// The pipeline's columns, in order, without the lineage columns.
    pub columns: Vec<TableColumn>,
    /// How rows are written.
    pub write: WriteMode,
    /// Whether the lineage columns are there.
    pub lineage: bool,
}

/// A column of a target table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether NULL is refused.
    pub required: bool,
}

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteMode {
    /// Every row is added.
    Append,
    /// A row takes the place of the one with its key, unless that is newer.
    Merge {
        /// The columns that tell rows apart (positions in `columns`); never NULL.
        key: Vec<usize>,
        /// The columns that order versions (positions in `columns`); never NULL; may be empty: the last load wins.
        order_by: Vec<usize>,
    },
}

/// One batch that a load brings: a row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBatch {
    /// What may be loaded once.
    pub input: String,
    /// The batch.
    pub batch: String,
    /// Raised by backfill and redrive only.
    pub generation: u32,
    /// The object's name.
    pub source: String,
    /// The object's version.
    pub source_version: String,
    /// The pipeline's fingerprint.
    pub fingerprint: String,
    /// Microseconds since 1970, UTC.
    pub batch_time: i64,
    /// Staged rows.
    pub staged: u64,
    /// Whether rows of earlier versions of the same source are deleted first (`on_overwrite: replace`).
    pub replaces_source: bool,
}

/// What became of the staged rows: `staged = inserted + updated + unchanged + deduplicated + superseded`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LoadCounts {
    /// Rows that were staged.
    pub staged: u64,
    /// Rows whose key was new, or every row of an append.
    pub inserted: u64,
    /// Rows that took the place of an older version.
    pub updated: u64,
    /// Rows equal, in every column of the pipeline, to the row that is there.
    pub unchanged: u64,
    /// Rows dropped for another row of the same load.
    pub deduplicated: u64,
    /// Rows older than the row that is there.
    pub superseded: u64,
}

impl LoadCounts {
    /// Whether every staged row is accounted for.
    pub fn balance(&self) -> bool {
        self.staged == self.inserted + self.updated + self.unchanged + self.deduplicated + self.superseded
    }

    /// Adds the counts of another batch.
    pub fn add(&mut self, other: Self) {
        self.staged += other.staged;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deduplicated += other.deduplicated;
        self.superseded += other.superseded;
    }
}
