//! Sqlite: the embedded warehouse, one file.
//!
//! The file is in SQLite's default journal mode, which undoes a transaction from a journal beside the file: a load that is
//! killed leaves the journal, and the next one who opens the file rolls it back. At rest the file is alone and whole, and
//! a load into new pages writes them once, where a write-ahead log would write them twice. Commits wait for the disk.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use arrow_array::RecordBatch;
use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::types::Type;
use etalon_core::warehouse;
use etalon_core::warehouse::COLUMNS_TABLE;
use etalon_core::warehouse::Dialect;
use etalon_core::warehouse::LEDGER_TABLE;
use etalon_core::warehouse::LedgerRow;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadCounts;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::Target;
use etalon_core::warehouse::query;
use etalon_core::warehouse::sqlite;
use rusqlite::Connection;
use rusqlite::Row;
use rusqlite::TransactionBehavior;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;

use crate::exact;
use crate::failure::world;
use crate::load::Load;

/// How long a statement waits for another process to let go of the file.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Memory for pages and sorting, in KiB; what is beyond goes to disk.
const CACHE_KIB: i64 = 32 * 1024;
const DIALECT: Dialect = Dialect::Sqlite;

/// An SQLite file as a warehouse.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    place: String,
}

/// What a query gives: named columns, and rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<AnswerColumn>,
    /// The rows; NULL is `None`.
    pub rows: Vec<Vec<Option<String>>>,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Its name.
    pub name: String,
    /// Its declared type, where it is a column of a target table and not an expression.
    pub ty: Option<Type>,
}

impl Sqlite {
    /// Opens a file, or creates it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        let connection = Connection::open(path).map_err(|error| world(&place, &error))?;
        Self::with(connection, place)
    }

    /// Opens a warehouse in memory, gone when it is dropped.
    pub fn open_in_memory() -> Result<Self, Error> {
        let place = "memory".to_owned();
        let connection = Connection::open_in_memory().map_err(|error| world(&place, &error))?;
        Self::with(connection, place)
    }

    fn with(connection: Connection, place: String) -> Result<Self, Error> {
        let set_up = || {
            connection.busy_timeout(BUSY_WAIT)?;
            // A misspelt column is an error, not a text.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.pragma_update(Some("temp"), "cache_size", -CACHE_KIB)?;
            connection.create_collation(sqlite::DECIMAL_COLLATION, sqlite::compare_decimals)?;
            exact::register(&connection)?;
            // The first look at the file tells whether it is a database at all.
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
        };
        set_up().map_err(|error| world(&place, &error))?;
        Ok(Self { connection, place })
    }

    /// What has been loaded into a table, in the order of loading.
    pub fn ledger(&self, table: &Table) -> Result<Vec<LedgerRow>, Error> {
        let target = Target::new(table, DIALECT)?;
        let read = || {
            if !exists(&self.connection, LEDGER_TABLE)? {
                return Ok(Vec::new());
            }
            let text = warehouse::ledger(&target);
            let values = text.parameters.iter().map(|parameter| parameter.value.as_str());
            let mut statement = self.connection.prepare(&text.sql)?;
            let rows = statement.query_map(rusqlite::params_from_iter(values), ledger_row)?;
            rows.collect()
        };
        read().map_err(|error| world(&self.place, &error))
    }

    /// Loads batches into a table, which is created if it is not there: everything in one transaction, or nothing.
    ///
    /// The record batches have the pipeline's columns in order, then batch, offset and time of the lineage; rows of different
    /// batches may be mixed. `loaded_at` is now, in microseconds since 1970, UTC.
    ///
    /// An input and generation that the ledger holds is `AlreadyExists`. A batch whose rows are not as many as it says is
    /// `Refused`, as is a table that is not what the pipeline needs.
    pub fn load(
        &mut self,
        table: &Table,
        batches: &[LoadBatch],
        rows: &mut dyn Iterator<Item = Result<RecordBatch, Error>>,
        loaded_at: i64,
    ) -> Result<LoadCounts, Error> {
        let target = Target::new(table, DIALECT)?;
        let place = &self.place;
        let world = |error: rusqlite::Error| world(place, &error);
        // Dropping the transaction on the way out rolls it back.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(world)?;
        let load = Load { connection: &transaction, place, target: &target, batches };
        let counts = load.carry_out(rows, loaded_at)?;
        transaction.commit().map_err(world)?;
        Ok(counts)
    }

    /// Answers a query, which can only read. `schema.table` may be written as on Redshift.
    ///
    /// Values are shown as they are stored, but for booleans (`true`, `false`), which SQLite keeps as numbers.
    pub fn query(&self, sql: &str) -> Result<Answer, Error> {
        let types = self.declared_types().map_err(|error| world(&self.place, &error))?;
        let tables = types.keys().map(|(table, _)| table.clone()).collect();
        let wrong = |error: rusqlite::Error| match error {
            rusqlite::Error::SqlInputError { msg, .. } => Error::new(ErrorKind::Refused, msg),
            other => world(&self.place, &other),
        };
        let sql = query::join_names(sql, &tables);
        let mentioned = sql.to_ascii_lowercase();
        let (columns, decimals) = {
            // As it was written it tells the names and types of its columns, and whether it only reads.
            let statement = self.connection.prepare(&sql).map_err(wrong)?;
            if !statement.readonly() {
                return Err(Error::new(ErrorKind::Refused, "a query only reads"));
            }
            let columns: Vec<AnswerColumn> = statement
                .columns_with_metadata()
                .map(|column| {
                    let origin = column.table_name().zip(column.origin_name());
                    let ty = origin.and_then(|(table, name)| types.get(&(table.to_owned(), name.to_owned())));
                    AnswerColumn { name: column.name().to_owned(), ty: ty.copied() }
                })
                .collect();
            let decimals = types
                .iter()
                .filter(|((table, _), ty)| ty.is_decimal() && mentioned.contains(&table.to_ascii_lowercase()));
            (columns, decimals.map(|((table, name), _)| (table.clone(), name.clone())).collect::<BTreeSet<_>>())
        };
        let names = decimals.iter().map(|(_, name)| name.clone()).collect();
        let read = || {
            // Undone on the way out, and with it the views.
            let transaction = self.connection.unchecked_transaction()?;
            create_views(&transaction, &decimals)?;
            let mut statement = transaction.prepare(&query::compare_by_number(&sql, &names))?;
            let mut rows = Vec::new();
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let cells = columns.iter().enumerate().map(|(at, column)| Ok(show(row.get_ref(at)?, column.ty)));
                rows.push(cells.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            Ok(rows)
        };
        let rows = read().map_err(wrong)?;
        Ok(Answer { columns, rows })
    }

    fn declared_types(&self) -> rusqlite::Result<BTreeMap<(String, String), Type>> {
        if !exists(&self.connection, COLUMNS_TABLE)? {
            return Ok(BTreeMap::new());
        }
        let mut statement = self.connection.prepare("SELECT target, name, type FROM _etalon_columns")?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, String>(2)?)))?;
        let typed = rows.filter_map(|row| match row {
            Ok((column, ty)) => Type::parse(&ty).ok().map(|ty| Ok((column, ty))),
            Err(error) => Some(Err(error)),
        });
        typed.collect()
    }
}

/// Creates a view before each table, in which its decimals compare as numbers. The tables themselves do not depend on a
/// collation that other tools have not.
fn create_views(connection: &Connection, decimals: &BTreeSet<(String, String)>) -> rusqlite::Result<()> {
    let tables: BTreeSet<&String> = decimals.iter().map(|(table, _)| table).collect();
    for table in tables {
        let mut present = connection.prepare("SELECT name FROM pragma_table_info(?1, 'main')")?;
        let present = present.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        let is_decimal = |name: &str| decimals.contains(&(table.clone(), name.to_owned()));
        let columns = present.iter().map(|name| (name.as_str(), is_decimal(name)));
        connection.execute(&query::view_by_number(table, columns), [])?;
    }
    Ok(())
}

pub(crate) fn exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?.exists([table])
}

fn ledger_row(row: &Row<'_>) -> rusqlite::Result<LedgerRow> {
    let time = |column: &str| {
        let text = row.get::<_, String>(column)?;
        let wrong = || rusqlite::Error::InvalidColumnType(0, column.to_owned(), rusqlite::types::Type::Text);
        sqlite::read_timestamp(&text).ok_or_else(wrong)
    };
    Ok(LedgerRow {
        batch: LoadBatch {
            input: row.get("input")?,
            batch: row.get("batch")?,
            generation: row.get("generation")?,
            source: row.get("source")?,
            source_version: row.get("source_version")?,
            fingerprint: row.get("fingerprint")?,
            batch_time: time("batch_time")?,
            staged: rows(row, "staged")?,
            replaces_source: row.get("replaces_source")?,
            replaces_generations: row.get("replaces_generations")?,
        },
        counts: LoadCounts {
            staged: rows(row, "staged")?,
            inserted: rows(row, "inserted")?,
            updated: rows(row, "updated")?,
            unchanged: rows(row, "unchanged")?,
            deduplicated: rows(row, "deduplicated")?,
            superseded: rows(row, "superseded")?,
            deleted: rows(row, "deleted")?,
        },
        loaded_at: time("loaded_at")?,
    })
}

/// A count as SQLite has it.
fn rows(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}

fn show(value: ValueRef<'_>, ty: Option<Type>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) if ty == Some(Type::Boolean) => Some((number != 0).to_string()),
        ValueRef::Integer(number) => Some(number.to_string()),
        #[expect(clippy::cast_possible_truncation, reason = "the value came from 32 bits")]
        ValueRef::Real(number) if ty == Some(Type::Real) => Some(format!("{:?}", number as f32)),
        ValueRef::Real(number) => Some(format!("{number:?}")),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
