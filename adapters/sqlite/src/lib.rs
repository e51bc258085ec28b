//! SQLite as a warehouse: the embedded default, one file. It runs the statements of `etalon_core::warehouse`, and decides nothing.
//!
//! The file is in SQLite's default journal mode, which undoes a transaction from a journal beside the file: a load that is
//! killed leaves the journal, and the next client that opens the file rolls it back. Between loads there is only the one
//! complete file. A load into new pages writes them once; a write-ahead log would write them twice. Commits wait for the disk.

mod bind;
mod bring;
mod exact;
mod failure;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use etalon_core::error::Error;
use etalon_core::error::ErrorKind;
use etalon_core::types::Type;
use etalon_core::value::float::{print_double, print_real};
use etalon_core::warehouse::COLUMNS_TABLE;
use etalon_core::warehouse::Dialect;
use etalon_core::warehouse::Failure;
use etalon_core::warehouse::Selection;
use etalon_core::warehouse::Stage;
use etalon_core::warehouse::Statement;
use etalon_core::warehouse::dialect::sqlite;
use etalon_core::warehouse::dialect::sqlite::decimal;
use etalon_core::warehouse::dialect::sqlite::numbers;
use etalon_core::warehouse::dialect::sqlite::query;
use etalon_driver::connection::Answer;
use etalon_driver::connection::AnswerColumn;
use etalon_driver::connection::Connection;
use etalon_driver::connection::Unbrought;
use etalon_driver::ports::Rows;
use rusqlite::OpenFlags;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;

use crate::failure::failure;
use crate::failure::world;

/// What SQLite calls a database without a file.
const MEMORY: &str = ":memory:";
/// A path is a path, and no URI.
const FLAGS: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_CREATE).union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
/// How long a statement waits for another process to let go of the file.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// Memory for pages and sorting, in KiB; what is beyond goes to disk.
const CACHE_KIB: i64 = 32 * 1024;

/// An SQLite file as a warehouse.
#[derive(Debug)]
pub struct Sqlite {
    connection: rusqlite::Connection,
    place: String,
}

impl Sqlite {
    /// Opens a file, or creates it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = path.display().to_string();
        // SQLite has databases without a file, which are gone when they are closed.
        if place.trim().is_empty() || place == MEMORY {
            let fact = format!("`{place}` is no file, and what is loaded would be lost; name a file");
            return Err(Error::new(ErrorKind::Refused, fact));
        }
        if let Some(folder) = path.parent().filter(|folder| *folder != Path::new("") && !folder.is_dir()) {
            let fact = format!("{place}: there is no folder {}", folder.display());
            return Err(Error::new(ErrorKind::NotFound, fact));
        }
        let connection = rusqlite::Connection::open_with_flags(path, FLAGS).map_err(|error| world(&place, &error))?;
        Self::with(connection, place)
    }

    /// Opens a warehouse in memory, gone when it is dropped.
    pub fn open_in_memory() -> Result<Self, Error> {
        let place = "memory".to_owned();
        let connection = rusqlite::Connection::open_in_memory().map_err(|error| world(&place, &error))?;
        Self::with(connection, place)
    }

    fn with(connection: rusqlite::Connection, place: String) -> Result<Self, Error> {
        let set_up = || {
            connection.busy_timeout(BUSY_WAIT)?;
            // A misspelt column is an error, not a text.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
            connection.pragma_update(Some("temp"), "cache_size", -CACHE_KIB)?;
            connection.create_collation(decimal::DECIMAL_COLLATION, decimal::compare_decimals)?;
            exact::register(&connection)?;
            // The first look at the file tells whether it is a database at all.
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
        };
        set_up().map_err(|error| world(&place, &error))?;
        Ok(Self { connection, place })
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

impl Connection for Sqlite {
    fn dialect(&self) -> &'static Dialect {
        &sqlite::DIALECT
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    fn run(&mut self, statement: &Statement) -> Result<Selection, Failure> {
        let run = || {
            let mut prepared = self.connection.prepare(&statement.sql)?;
            let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
            let mut rows = prepared.query(rusqlite::params_from_iter(statement.values()))?;
            let mut values = Vec::new();
            while let Some(row) = rows.next()? {
                let row = (0..columns.len()).map(|at| Ok(show(row.get_ref(at)?, None)));
                values.push(row.collect::<rusqlite::Result<Vec<_>>>()?);
            }
            Ok(Selection { columns, values })
        };
        run().map_err(|error| failure(&error))
    }

    fn bring(&mut self, stage: &Stage, rows: Rows<'_>) -> Result<(), Unbrought> {
        bring::bring(&self.connection, stage, rows)
    }

    /// `schema.table` may be written as on Redshift. Values are shown as they are stored, but for booleans (`true`, `false`),
    /// which SQLite keeps as numbers.
    fn query(&mut self, sql: &str) -> Result<Answer, Error> {
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
            let mut statement = transaction.prepare(&numbers::compare_by_number(&sql, &names))?;
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
}

/// Creates a view before each table, in which its decimals compare as numbers. The tables themselves do not depend on a
/// collation that other tools have not.
fn create_views(connection: &rusqlite::Connection, decimals: &BTreeSet<(String, String)>) -> rusqlite::Result<()> {
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

fn exists(connection: &rusqlite::Connection, table: &str) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1")?.exists([table])
}

fn show(value: ValueRef<'_>, ty: Option<Type>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) if ty == Some(Type::Boolean) => Some((number != 0).to_string()),
        ValueRef::Integer(number) => Some(number.to_string()),
        #[expect(clippy::cast_possible_truncation, reason = "the value came from 32 bits")]
        ValueRef::Real(number) if ty == Some(Type::Real) => Some(print_real(number as f32)),
        ValueRef::Real(number) => Some(print_double(number)),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}
