//! Copy: Redshift's COPY from S3: a manifest, the files that it names, and their rows, which go to PostgreSQL in the binary
//! form of its own COPY, a piece at a time.
//!
//! ```text
//! statement -> options -> manifest -> files -> parquet | separated -> values of the columns' types -> PostgreSQL
//! ```
//!
//! A row that does not fit ends it all, and is told apart from the transaction that it ends: what COPY could not load is
//! asked for afterwards.

mod fault;
mod manifest;
mod nested;
mod options;
mod parquet;
mod separated;
mod store;
mod target;

use std::sync::Arc;
use std::vec;

use etalon_warehouse::client::HEADER;
use etalon_warehouse::client::TRAILER;

use self::fault::Fault;
use self::fault::Stop;
use self::manifest::File;
use self::options::Format;
use self::store::Location;
use self::store::Store;
use self::target::Column;
use self::target::Target;
use super::reader::Reader;
use super::session::Answer;
use super::session::Failure;
use super::session::Session;
use super::words::Word;
use super::world::World;
use crate::postgres::connect;

/// A COPY as it was written.
#[derive(Debug)]
pub(super) struct Copy {
    /// The table, as PostgreSQL is to read it.
    table: String,
    /// The columns that the files have, in order; all of the table's where none are said.
    columns: Option<Vec<String>>,
    manifest: Location,
    format: Format,
}

impl Copy {
    /// Reads the words of a COPY; `Err` holds the words of an error.
    pub(super) fn parse(told: &[Word<'_>]) -> Result<Self, String> {
        options::read(Reader { told, at: 1 })
    }
}

impl Session {
    /// Brings the rows of the files that a manifest names: all, or none.
    pub(super) fn copy(&mut self, copy: &Copy) -> Result<Answer, Failure> {
        let target = Target::find(&mut self.connection, copy)?;
        let store = Store::new(self.world.config.s3.as_deref()).map_err(Failure::Error)?;
        let files = manifest::read(&store, &copy.manifest, &copy.format).map_err(Failure::Error)?;
        let mut bringer = Bringer {
            world: &self.world,
            id: &self.id,
            format: &copy.format,
            columns: &target.columns,
            store: &store,
            files: files.into_iter(),
            part: None,
            has_begun: false,
            has_found: false,
        };
        let copied = self.connection.copy_in(&target.sql, |out| bringer.next(out))?;
        let count = match copied {
            Ok(count) => count,
            Err(Stop::Cancelled) => return Err(Failure::Cancelled),
            Err(Stop::Error(error)) => return Err(Failure::Error(error)),
            Err(Stop::Fault(fault)) => return Err(Failure::Error(self.refused(&target, &fault))),
        };
        let kept = "SELECT set_config('redshift.copy_count', $1, false), set_config('redshift.copy_id', $2, false)";
        self.connection.run(kept, &[&count.to_string(), &self.query.to_string()])?;
        Ok(Answer { rows: i64::try_from(count).unwrap_or(i64::MAX), result: None, copied: count })
    }

    /// The words for a row that does not fit, after it was put where it is asked for. The transaction of this session is
    /// undone, so that it is put there by another.
    fn refused(&self, target: &Target, fault: &Fault) -> String {
        let values = fault.values(target, self.query, self.process, &self.world.config.database);
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let put = connect(&self.world.config.postgres).map_err(|error| error.to_string()).and_then(|mut other| {
            other.run(fault::INSERT, &values).map(|_| ()).map_err(|trouble| format!("{trouble:?}"))
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
    world: &'a Arc<World>,
    id: &'a str,
    format: &'a Format,
    columns: &'a [Column],
    store: &'a Store,
    files: vec::IntoIter<File>,
    /// The file that is being read.
    part: Option<Part<'a>>,
    has_begun: bool,
    /// Whether any file was there.
    has_found: bool,
}

/// What is left of a file.
enum Part<'a> {
    Parquet(parquet::Part<'a>),
    Separated(separated::Part<'a>),
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
        let has_more = match &mut self.part {
            Some(Part::Parquet(part)) => part.append(out)?,
            Some(Part::Separated(part)) => part.append(out)?,
            None => false,
        };
        if has_more {
            return Ok(false);
        }
        // What was read is given back before more is asked for.
        self.part = None;
        match self.files.next() {
            Some(file) => {
                self.part = self.open(file)?;
                self.has_found |= self.part.is_some();
                Ok(false)
            }
            None if !self.has_found => Err(Stop::Error("ERROR: none of the files of the manifest exists".to_owned())),
            None => {
                out.extend_from_slice(TRAILER);
                Ok(true)
            }
        }
    }

    fn open(&self, file: File) -> Result<Option<Part<'a>>, Stop> {
        let bytes = match self.store.get(&file.location).map_err(Stop::Error)? {
            Some(bytes) => bytes,
            None if file.is_mandatory => return Err(Stop::Error(store::absent(&file.location))),
            None => return Ok(None),
        };
        Ok(Some(match self.format {
            Format::Parquet { serializes } => {
                file.check_length(bytes.len()).map_err(Stop::Error)?;
                Part::Parquet(parquet::Part::new(file.location.to_string(), bytes, self.columns, *serializes)?)
            }
            Format::Csv(options) => {
                Part::Separated(separated::Part::new(file.location.to_string(), bytes, self.columns, options))
            }
        }))
    }
}
