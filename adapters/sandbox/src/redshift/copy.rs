//! Copy: Redshift's COPY from S3: a manifest, the files that it names, and their rows, which go to PostgreSQL in the binary
//! form of its own COPY, a piece at a time.
//!
//! ```text
//! a COPY that was read -> manifest -> files -> parquet | separated -> values of the columns' types -> PostgreSQL
//! ```
//!
//! A row that does not fit ends the load. It is recorded outside of the transaction that it ends, since clients ask afterwards
//! what COPY could not load.

mod target;
mod load_error;
mod store;
mod manifest;
mod nested;
mod parquet;
mod separated;

use std::vec;

use etalon_postgres::client::Client;
use etalon_postgres::encode::HEADER;
use etalon_postgres::encode::TRAILER;

use self::load_error::LoadError;
use self::load_error::Stop;
use self::manifest::File;
use self::store::Store;
use self::target::Column;
use self::target::Target;
use super::failure::Failure;
use super::translate::Copy;
use super::translate::Format;
use super::world::World;
use crate::postgres::connect;

/// A statement at work.
pub(super) struct Run<'a> {
    pub(super) world: &'a World,
    pub(super) id: &'a str,
    /// The number of the statement.
    pub(super) query: i64,
    /// The process of the server that runs it.
    pub(super) process: i64,
}

impl Run<'_> {
    /// Brings the rows of the files that a manifest names: all, or none. Gives their count.
    pub(super) fn copy(&self, connection: &mut Client, copy: &Copy) -> Result<u64, Failure> {
        let target = Target::find(connection, copy)?;
        let store = Store::new(self.world.config.s3.as_deref()).map_err(Failure::Error)?;
        let files = manifest::read(&store, &copy.manifest, &copy.format).map_err(Failure::Error)?;
        let mut bringer = Bringer {
            world: self.world,
            id: self.id,
            format: &copy.format,
            columns: &target.columns,
            store: &store,
            files: files.into_iter(),
            open: None,
            has_begun: false,
            has_found: false,
        };
        match connection.copy_in(&target.sql, |out| bringer.next(out))? {
            Ok(count) => Ok(count),
            Err(Stop::Cancelled) => Err(Failure::Cancelled),
            Err(Stop::Error(error)) => Err(Failure::Error(error)),
            Err(Stop::Row(error)) => Err(Failure::Error(self.refused(&target, &error))),
        }
    }

    /// The words for a row that does not fit, after it was put where it is asked for. The transaction of the statement is
    /// undone, so that it is put there by another.
    fn refused(&self, target: &Target, error: &LoadError) -> String {
        let values = error.values(target, self.query, self.process, &self.world.config.database);
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let put = connect(&self.world.config.postgres).map_err(|error| error.to_string()).and_then(|mut other| {
            other.run(load_error::INSERT, &values).map(|_| ()).map_err(|trouble| format!("{trouble:?}"))
        });
        match put {
            Ok(()) => format!(
                "ERROR: Load into table '{}' failed.  Check 'sys_load_error_detail' system table for details.",
                target.name
            ),
            Err(error) => format!("FATAL: the sandbox cannot say what COPY could not load: {error}"),
        }
    }
}

/// Brings rows, a piece at a time.
struct Bringer<'a> {
    world: &'a World,
    id: &'a str,
    format: &'a Format,
    columns: &'a [Column],
    store: &'a Store,
    files: vec::IntoIter<File>,
    /// The file that is being read.
    open: Option<Rows<'a>>,
    has_begun: bool,
    /// Whether any file was there.
    has_found: bool,
}

/// The rows of a file that are left.
enum Rows<'a> {
    Parquet(parquet::Rows<'a>),
    Separated(separated::Rows<'a>),
}

impl<'a> Bringer<'a> {
    /// Appends what comes next, and says whether it was the last.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, Stop> {
        if !std::mem::replace(&mut self.has_begun, true) {
            out.extend_from_slice(HEADER);
        }
        if self.world.is_cancelled(self.id) {
            return Err(Stop::Cancelled);
        }
        let has_more = match &mut self.open {
            Some(Rows::Parquet(rows)) => rows.append(out)?,
            Some(Rows::Separated(rows)) => rows.append(out)?,
            None => false,
        };
        if has_more {
            return Ok(false);
        }
        // What was read is given back before more is asked for.
        self.open = None;
        match self.files.next() {
            Some(file) => {
                self.open = self.rows(file)?;
                self.has_found |= self.open.is_some();
                Ok(false)
            }
            None if !self.has_found => Err(Stop::Error("ERROR: none of the files of the manifest exists".to_owned())),
            None => {
                out.extend_from_slice(TRAILER);
                Ok(true)
            }
        }
    }

    fn rows(&self, file: File) -> Result<Option<Rows<'a>>, Stop> {
        let bytes = match self.store.get(&file.location).map_err(Stop::Error)? {
            Some(bytes) => bytes,
            None if file.is_mandatory => return Err(Stop::Error(store::absent(&file.location))),
            None => return Ok(None),
        };
        Ok(Some(match self.format {
            Format::Parquet { serializes } => {
                file.check_length(bytes.len()).map_err(Stop::Error)?;
                Rows::Parquet(parquet::Rows::new(file.location.to_string(), bytes, self.columns, *serializes)?)
            }
            Format::Csv(options) => {
                Rows::Separated(separated::Rows::new(file.location.to_string(), bytes, self.columns, options))
            }
        }))
    }
}
