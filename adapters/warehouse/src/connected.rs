//! Connected: whichever warehouse was asked for, a file or a URL.

use std::path::Path;

use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::warehouse::LedgerRow;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Table;

use crate::Answer;
use crate::Postgres;
use crate::Sqlite;
use crate::postgres::is_address;

/// A warehouse of either kind.
#[derive(Debug)]
pub enum Connected {
    /// A file.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

impl Connected {
    /// Whether a text is the URL of a server, and not the path of a file.
    pub fn is_url(text: &str) -> bool {
        is_address(text)
    }

    /// Opens the warehouse of a URL, or of a path, which is created if it is not there.
    pub fn open(place: &str) -> Result<Self, Error> {
        if Self::is_url(place) {
            Ok(Self::Postgres(Postgres::open(place)?))
        } else {
            Ok(Self::Sqlite(Sqlite::open(Path::new(place))?))
        }
    }

    /// What has been loaded into a table, in the order of loading.
    pub fn ledger(&mut self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.ledger(table),
            Self::Postgres(postgres) => postgres.ledger(table),
        }
    }

    /// Loads batches into a table: everything in one transaction, or nothing. See [`Sqlite::load`].
    pub fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.load(table, batches, rows, loaded_at),
            Self::Postgres(postgres) => postgres.load(table, batches, rows, loaded_at),
        }
    }

    /// Answers a query, which can only read.
    pub fn query(&mut self, sql: &str) -> Result<Answer, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.query(sql),
            Self::Postgres(postgres) => postgres.query(sql),
        }
    }
}
