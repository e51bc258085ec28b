//! Warehouse: the statements that bring staged rows into a target table. Text only; whoever drives it runs them.
//!
//! Every byte that becomes SQL passes `sql::quote`.

mod copy;
mod ddl;
mod dialect;
mod failure;
mod ledger;
mod lint;
pub mod query;
mod script;
mod setup;
mod sql;
pub mod sqlite;
mod target;
mod write;

use crate::types::Type;

pub use copy::CopyFormat;
pub use copy::CopySource;
pub use copy::LoadError;
pub use copy::ManifestPart;
pub use copy::load_errors;
pub use copy::manifest;
pub use ddl::COLUMNS_TABLE;
pub use ddl::KEY_INDEX_PREFIX;
pub use dialect::Dialect;
pub use failure::Failure;
pub use ledger::LEDGER_TABLE;
pub use ledger::LedgerRow;
pub use ledger::ledger;
pub use ledger::ledger_of;
pub use lint::Offence;
pub use lint::Rule;
pub use lint::lint;
pub use script::Guard;
pub use script::Load;
pub use script::LoadScript;
pub use script::Parameter;
pub use script::STATEMENTS_MAX;
pub use script::Stage;
pub use script::Statement;
pub use script::Step;
pub use setup::Found;
pub use setup::Migration;
pub use setup::SetUp;
pub use sqlite::read_timestamp as read_instant;
pub use target::OWN_PREFIX;
pub use target::Target;
pub use write::Order;
pub use write::Positions;
pub(crate) use write::WRITES;
pub use write::Write;

/// The lineage column that names the batch a row came with.
pub const BATCH_COLUMN: &str = "_etalon_batch";
/// The lineage column that holds the offset of the row's record in the decoded stream.
pub const OFFSET_COLUMN: &str = "_etalon_offset";
/// The lineage column that holds the batch time.
pub const TIME_COLUMN: &str = "_etalon_time";
/// The staged column that is true where a row deletes its key; after the pipeline's columns, before the lineage.
pub const DELETED_COLUMN: &str = "_etalon_deleted";
/// The column of an `scd2` target that holds the `order_by` of the version, since which it is valid.
pub const VALID_FROM_COLUMN: &str = "valid_from";
/// The column of an `scd2` target that holds the `order_by` of the next version; NULL where there is none.
pub const VALID_TO_COLUMN: &str = "valid_to";
/// The column of an `scd2` target that tells whether there is no next version.
pub const IS_CURRENT_COLUMN: &str = "is_current";

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
    /// Whether staged rows have the column `_etalon_deleted`, which is true where a row deletes its key (`delete_when`).
    pub deletes: bool,
    /// Which rows of a load are dropped for others of it, where the way of writing does not say.
    pub dedupe: Option<Dedupe>,
    /// How Redshift lays the table out.
    pub layout: Layout,
}

/// How Redshift lays a table out: positions in the pipeline's columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The columns by which rows are sorted.
    pub sort_key: Vec<usize>,
    /// The column by which rows are distributed.
    pub dist_key: Option<usize>,
}

/// Which of the rows of a load that share a key stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dedupe {
    /// The columns that tell rows apart (positions in `columns`); never NULL.
    pub key: Vec<usize>,
    /// The columns that order the rows of a key; without them their places do.
    pub order_by: Vec<usize>,
    /// Whether the last of them stays, not the first.
    pub last: bool,
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
    /// The rows of the load take the place of all rows.
    Replace {
        /// Whether a load without rows may do so.
        allow_empty: bool,
    },
    /// A row is a version of its key, valid from its `order_by` to that of the next version.
    Scd2 {
        /// The columns that tell what a row is a version of (positions in `columns`); never NULL.
        key: Vec<usize>,
        /// The column that orders versions (a position in `columns`); never NULL.
        order_by: usize,
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
    /// Whether rows of earlier generations of the same input are deleted first (a backfill).
    pub replaces_generations: bool,
}

/// What became of the staged rows: `staged = inserted + updated + unchanged + deduplicated + superseded + deleted`.
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
    /// Rows that deleted their key, whether it was there or not (`delete_when`).
    #[serde(default)]
    pub deleted: u64,
}

impl LoadCounts {
    /// Whether every staged row is accounted for.
    pub fn balance(&self) -> bool {
        let outcomes = self.inserted + self.updated + self.unchanged + self.deduplicated;
        self.staged == outcomes + self.superseded + self.deleted
    }

    /// Adds the counts of another batch.
    pub fn add(&mut self, other: Self) {
        self.staged += other.staged;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deduplicated += other.deduplicated;
        self.superseded += other.superseded;
        self.deleted += other.deleted;
    }
}
