//! Load error: why COPY ends early, and the row of `sys_load_error_detail` in which it says so.

use super::target::Column;
use super::target::Target;

/// Puts a load error where [`etalon_core::warehouse::dialect::redshift::copy::load_errors`] asks for it. A text of one letter too many is cut.
pub(super) const INSERT: &str = "INSERT INTO _redshift.sys_load_error_detail (user_id, query_id, transaction_id, session_id, \
     database_name, table_id, start_time, file_name, line_number, column_name, column_type, column_length, position, \
     error_code, error_message) VALUES (100, $1::bigint, 0, $2::integer, $3::char(64), $4::integer, \
     statement_timestamp() AT TIME ZONE 'UTC', $5::char(256), $6::bigint, $7::char(127), $8::char(10), $9::char(10), 0, \
     $10::integer, $11::char(512))";

/// Why no more rows come.
#[derive(Debug)]
pub(super) enum Stop {
    Cancelled,
    /// With the words of the statement's error.
    Error(String),
    /// A row does not fit.
    Row(Box<LoadError>),
}

/// A row that does not fit.
#[derive(Debug)]
pub(super) struct LoadError {
    pub(super) file: String,
    /// The line, or the row of a file that has no lines; from 1.
    pub(super) line: u64,
    /// The column, if it is about one.
    pub(super) column: Option<usize>,
    pub(super) reason: Reason,
}

/// What is wrong with a value.
#[derive(Debug)]
pub(super) struct Reason {
    /// Its number in Redshift's list.
    pub(super) code: i64,
    pub(super) message: String,
}

impl Reason {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A NULL where none may be.
    pub(super) fn missing() -> Self {
        Self::new(1213, "Missing data for not-null field")
    }

    /// A text of too many bytes.
    pub(super) fn too_long() -> Self {
        Self::new(1204, "String length exceeds DDL length")
    }

    /// A char that is not of one byte.
    pub(super) fn multibyte() -> Self {
        Self::new(1220, "Multibyte character not supported for CHAR (Hint: try using VARCHAR)")
    }

    /// A number of too many digits.
    pub(super) fn too_large() -> Self {
        Self::new(1204, "Numeric data overflow (result precision)")
    }
}

impl LoadError {
    /// The parameters of [`INSERT`].
    pub(super) fn values(&self, target: &Target, query: i64, process: i64, database: &str) -> [String; 11] {
        let column = self.column.and_then(|at| target.columns.get(at));
        let (ty, length) = column.map(Column::catalog_type).unwrap_or_default();
        [
            query.to_string(),
            process.to_string(),
            database.to_owned(),
            target.number.to_string(),
            self.file.clone(),
            self.line.to_string(),
            column.map(|column| column.name.clone()).unwrap_or_default(),
            ty.to_owned(),
            length,
            self.reason.code.to_string(),
            self.reason.message.clone(),
        ]
    }
}
