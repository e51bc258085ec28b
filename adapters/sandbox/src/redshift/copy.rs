//! Copy: Redshift's COPY from S3, by its own rules: what the statement may say, what a manifest must, which file fits which
//! column, and where an error is to be found.
//!
//! ```text
//! Copy::parse -> manifest -> objects -> rows that fit the columns -> COPY of PostgreSQL
//!                                    \-> a row of sys_load_error_detail, on a connection of its own, and an error
//! ```

mod column;
mod parquet;
mod source;
mod statement;

use std::sync::Arc;

use etalon_warehouse::client::Connection;
use etalon_warehouse::client::Trouble;

use super::session::Answer;
use super::session::Failure;
use super::session::Session;
use super::session::words_of;
use super::world::World;
use crate::postgres::connect;
use column::Column;
use source::File;
use source::Source;
pub(super) use statement::Copy;
use statement::Format;

/// A row, or a file, that cannot be loaded: a row of `sys_load_error_detail`.
#[derive(Debug, Default, PartialEq, Eq)]
struct LoadError {
    file: String,
    /// 0 where a file has no lines.
    line: u64,
    column: String,
    ty: &'static str,
    length: String,
    code: i32,
    message: String,
}

/// Why a COPY loads nothing.
#[derive(Debug)]
enum Refused {
    /// A file has something that does not fit.
    Row(Box<LoadError>),
    /// Everything else, in the words of an error.
    Statement(Failure),
}

impl Refused {
    fn words(words: impl Into<String>) -> Self {
        Self::Statement(Failure::Error(words.into()))
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self::Statement(trouble.into())
    }
}

impl Session {
    /// Brings the rows of all files, or none of them.
    pub(super) fn copy(&mut self, copy: &Copy) -> Result<Answer, Failure> {
        match self.bring(copy) {
            Ok(rows) => Ok(Answer { rows: i64::try_from(rows).unwrap_or(i64::MAX), copied: rows, ..Answer::default() }),
            Err(Refused::Statement(failure)) => Err(failure),
            Err(Refused::Row(error)) => {
                let table = copy.table.rsplit('.').next().unwrap_or_default().trim_matches('"');
                tell(&self.world, self.query, &error)?;
                Err(Failure::Error(format!(
                    "ERROR: Load into table '{table}' failed.  Check 'sys_load_error_detail' system table for details."
                )))
            }
        }
    }

    fn bring(&mut self, copy: &Copy) -> Result<u64, Refused> {
        let Some(endpoint) = self.world.config.s3.clone() else {
            return Err(Refused::words("ERROR: the sandbox has no S3"));
        };
        let columns = Column::of_table(&mut self.connection, &copy.table, &copy.columns)?;
        let source = Source::open(&endpoint)?;
        let (mut rows, mut files) = (0, 0);
        for entry in source.entries(copy)? {
            if self.world.is_cancelled(&self.id) {
                return Err(Refused::Statement(Failure::Cancelled));
            }
            let Some(file) = source.file(copy, entry)? else { continue };
            files += 1;
            rows += match copy.format {
                Format::Parquet => parquet::load(&mut self.connection, copy, &columns, &file)?,
                Format::Csv => csv(&mut self.connection, copy, &columns, &file)?,
            };
        }
        if files == 0 {
            return Err(Refused::words(format!("ERROR: The specified S3 prefix '{}' does not exist", copy.from)));
        }
        let (count, id) = (rows.to_string(), self.query.to_string());
        let noted = "SELECT set_config('redshift.copy_count', $1, false), set_config('redshift.copy_id', $2, false)";
        self.connection.run(noted, &[&count, &id])?;
        Ok(rows)
    }
}

/// The names of columns as PostgreSQL takes them.
fn names(columns: &[Column]) -> String {
    let quoted: Vec<String> =
        columns.iter().map(|column| format!("\"{}\"", column.name.replace('"', "\"\""))).collect();
    quoted.join(", ")
}

/// Separated values are read by PostgreSQL, whose CSV is that of Redshift in what `Copy::parse` lets through. A field that is
/// `\N` is NULL; whether quotes keep it from that, only a real account can show.
fn csv(connection: &mut Connection, copy: &Copy, columns: &[Column], file: &File) -> Result<u64, Refused> {
    let sql = format!(r"COPY {} ({}) FROM STDIN (FORMAT csv, NULL '\N')", copy.table, names(columns));
    let mut pieces = file.bytes.chunks(64 * 1024).peekable();
    let copied = connection.copy_in::<std::convert::Infallible>(&sql, |out| {
        out.extend_from_slice(pieces.next().unwrap_or_default());
        Ok(pieces.peek().is_none())
    });
    match copied {
        Ok(Ok(rows)) => Ok(rows),
        Err(Trouble::Server(error)) if error.context.is_some() => {
            // `COPY table, line 3, column id: "x"`, as far as it is known.
            let context = error.context.clone().unwrap_or_default();
            let after = |word: &str| context.split_once(word).map(|(_, rest)| rest).unwrap_or_default();
            let line: String = after(", line ").chars().take_while(char::is_ascii_digit).collect();
            let name = after(", column ").split(':').next().unwrap_or_default();
            let column = columns.iter().find(|column| column.name == name);
            Err(Refused::Row(Box::new(LoadError {
                file: file.url.clone(),
                line: line.parse().unwrap_or_default(),
                column: name.to_owned(),
                ty: column.map_or("", Column::type_name),
                length: column.map(Column::length).unwrap_or_default(),
                code: 1214,
                message: words_of(&error).trim_start_matches("ERROR: ").to_owned(),
            })))
        }
        Err(trouble) => Err(trouble.into()),
    }
}

/// Notes an error where it is looked for. The transaction of the load takes back what it has done, and not this.
fn tell(world: &Arc<World>, query: i64, error: &LoadError) -> Result<(), Failure> {
    let unavailable = |error: etalon_core::error::Error| Failure::Error(format!("FATAL: {error}"));
    let mut connection = connect(&world.config.postgres).map_err(unavailable)?;
    let sql = "INSERT INTO _redshift.sys_load_error_detail (user_id, query_id, start_time, file_name, line_number, \
               column_name, column_type, column_length, error_code, error_message) VALUES (100, $1::bigint, \
               statement_timestamp() AT TIME ZONE 'UTC', left($2, 256), $3::bigint, left($4, 127), left($5, 10), \
               left($6, 10), $7::integer, left($8, 512))";
    let (query, line, code) = (query.to_string(), error.line.to_string(), error.code.to_string());
    let LoadError { file, column, ty, length, message, .. } = error;
    connection.run(sql, &[&query, file, &line, column, ty, length, &code, message])?;
    Ok(())
}
