//! Warehouse: the statements that bring staged rows into a target table. Text only; whoever drives it runs them.
//!
//! ```text
//! Table + Dialect  -> Target      the names and the parts of a table, checked for a warehouse
//! Target           -> SetUp       what must be there; its questions, answered, are Found
//! Target + Found   -> Migration   what is to be changed, or a refusal
//! Target + Arrival -> LoadScript  the steps of one transaction
//! ```
//!
//! A load of one batch, as whoever drives it sees it:
//!
//! ```
//! use etalon_core::types::Type;
//! use etalon_core::warehouse::dialect::postgres;
//! use etalon_core::warehouse::{Arrival, Layout, LoadBatch, LoadScript, Step, Table, TableColumn, Target, WriteMode};
//!
//! let id = TableColumn { name: "id".to_owned(), ty: Type::Bigint, required: true };
//! let table = Table {
//!     schema: Some("shop".to_owned()),
//!     name: "orders".to_owned(),
//!     columns: vec![id],
//!     write: WriteMode::Append,
//!     lineage: true,
//!     deletes: false,
//!     keeps_beaten: false,
//!     dedupe: None,
//!     layout: Layout::default(),
//! };
//! let batch = LoadBatch {
//!     pipeline: "orders".to_owned(),
//!     input: "3f".to_owned(),
//!     batch: "3f-0".to_owned(),
//!     generation: 0,
//!     source: "orders.csv".to_owned(),
//!     source_version: "1".to_owned(),
//!     content: "1".to_owned(),
//!     fingerprint: "a7".to_owned(),
//!     batch_time: 1_767_225_600_000_000,
//!     staged: 2,
//!     replaces_source: false,
//!     replaces_generations: false,
//!     versions: Vec::new(),
//! };
//! let target = Target::new(&table, &postgres::DIALECT)?;
//! let arrival = Arrival { batches: &[batch], loaded_at: 1_767_225_600_000_000, copy: None };
//! let script = LoadScript::new(&target, &arrival)?;
//! let kinds = script.steps.iter().map(|step| match step {
//!     Step::Run(statement) => statement.what,
//!     Step::Guard(_, statement) => statement.what,
//!     Step::Stage(stage) => stage.what(),
//!     Step::Counts(statement) => statement.what,
//! });
//! let kinds: Vec<&str> = kinds.collect();
//! assert_eq!(kinds[..3], ["wait for other loads of the table", "make room for the load's batches", "bring the load's batches"]);
//! assert!(kinds.contains(&"check that no input is loaded") && kinds.contains(&"bring the staged rows"));
//! # Ok::<(), etalon_core::error::Error>(())
//! ```
//!
//! Every byte that becomes SQL passes `sql::quote`. What warehouses differ in is their [`Dialect`], a file each.

mod table;
mod write;
mod batch;
pub mod calendar;
mod statement;
mod selection;
mod manifest;
pub mod dialect;
mod sql;
mod target;
mod ddl;
mod ledger;
mod standing;
mod setup;
mod failure;
mod presence;
mod contents;
mod script;

pub use batch::LoadBatch;
pub use batch::LoadCounts;
pub use contents::Appended;
pub use contents::Contents;
pub use contents::Double;
pub use ddl::COLUMNS_TABLE;
pub use dialect::Dialect;
pub use failure::Cause;
pub use failure::Failure;
pub use ledger::LEDGER_TABLE;
pub use ledger::LedgerRow;
pub use ledger::any_row;
pub use ledger::ask_columns as ask_ledger_columns;
pub use ledger::brought;
pub use ledger::count_by_batch;
pub use ledger::forget;
pub use ledger::ledger;
pub use ledger::ledger_akin;
pub use ledger::ledger_of;
pub use ledger::migrate as migrate_ledger;
pub use manifest::CopyFormat;
pub use manifest::CopySource;
pub use manifest::ManifestPart;
pub use manifest::manifest;
pub use presence::PipelineLoads;
pub use presence::Presence;
pub use presence::Unlike;
pub use presence::by_batch;
pub use presence::pipeline_loads;
pub use presence::presence;
pub use presence::unlike;
pub use script::Arrival;
pub use script::Guard;
pub use script::LoadScript;
pub use script::Stage;
pub use script::Step;
pub use selection::Row;
pub use selection::Selection;
pub use setup::Found;
pub use setup::Migration;
pub use setup::SetUp;
pub use standing::since_all_were_replaced;
pub use standing::since_whole_run;
pub use standing::standing;
pub use statement::Parameter;
pub use statement::Statement;
pub use table::BATCH_COLUMN;
pub use table::DELETED_COLUMN;
pub use table::Dedupe;
pub use table::Layout;
pub use table::OFFSET_COLUMN;
pub use table::TIME_COLUMN;
pub use table::Table;
pub use table::TableColumn;
pub use table::WRITTEN_WHOLE;
pub use table::WriteMode;
pub use target::Target;
pub use write::Order;
pub use write::Positions;
pub(crate) use write::WRITES;
pub use write::Write;
