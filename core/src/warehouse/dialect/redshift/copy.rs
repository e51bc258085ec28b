//! Copy: the COPY statement for staged parts, and what Redshift reports about rows that it could not load.
//!
//! A COPY of Parquet has few options, and matches columns by position, so they are always named. COPY can round and trim
//! values; Etalon does not ask for this, since the rows were made to fit before they were staged.

use std::fmt;

use crate::error::Error;
use crate::sql::quote::Location;
use crate::warehouse::manifest::CopyFormat;
use crate::warehouse::manifest::CopySource;
use crate::warehouse::selection::Row;
use crate::warehouse::statement::Parameter;
use crate::warehouse::statement::Statement;

/// The statement that brings the parts of a manifest into a table.
pub(crate) fn copy(into: &str, names: &str, source: &CopySource) -> Result<String, Error> {
    let (manifest, role) = (Location::s3(&source.manifest)?, Location::iam_role(&source.iam_role)?);
    let role = if source.iam_role == "default" { "default".to_owned() } else { role.to_string() };
    let format = match source.format {
        CopyFormat::Parquet => "FORMAT AS PARQUET\nMANIFEST STATUPDATE OFF",
        // What COPY would guess of an empty table is worth nothing in a stage, and costs a second reading.
        CopyFormat::Csv => "FORMAT AS CSV DATEFORMAT 'auto' TIMEFORMAT 'auto'\nMANIFEST COMPUPDATE OFF STATUPDATE OFF",
    };
    Ok(format!("COPY {into} ({names})\nFROM {manifest}\nIAM_ROLE {role}\n{format}"))
}

/// What COPY could not load: a row of what [`load_errors`] selects. It prints without the value that was met: Redshift quotes
/// it, and nothing of a row goes to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The staged file.
    pub file: String,
    /// The line of it, where it has lines.
    pub line: i64,
    /// The column.
    pub column: String,
    /// Its type.
    pub ty: String,
    /// The number of the error.
    pub code: i64,
    /// Redshift's words.
    pub message: String,
}

impl LoadError {
    /// Reads a row of what [`load_errors`] selects. What the view leaves open is empty, or zero.
    pub fn read(row: &Row<'_>) -> Result<Self, Error> {
        let text = |column| Ok(row.optional(column)?.unwrap_or_default().to_owned());
        let number = |column| row.optional(column)?.map_or(Ok(0), |_| row.number(column));
        Ok(Self {
            file: text("file_name")?,
            line: number("line_number")?,
            column: text("column_name")?,
            ty: text("column_type")?,
            code: number("error_code")?,
            message: text("error_message")?,
        })
    }

    /// Whether a value is what could not be loaded: the codes of these begin with 12.
    pub fn is_of_data(&self) -> bool {
        (1200..1300).contains(&self.code)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ", line {}", self.line)?;
        }
        if !self.column.is_empty() {
            write!(f, ", column `{}` {}", self.column, self.ty)?;
        }
        write!(f, ": {} ({})", without_values(&self.message), self.code)
    }
}

/// A text with dots in place of everything in quotes. A quote that nothing closes hides the rest.
fn without_values(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"']) {
        let (before, quoted) = rest.split_at(at);
        let quote = quoted.chars().next().unwrap_or_default();
        out.push_str(before);
        out.extend([quote, '…', quote]);
        rest = quoted.get(1..).and_then(|inner| inner.split_once(quote)).map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Selects what COPY could not load in a query of Redshift, by the query's id: file, line, column, type, error code, message.
///
/// The view stands on provisioned clusters and serverless workgroups alike, and its texts are padded.
pub fn load_errors(query_id: i64) -> Statement {
    let sql = "SELECT trim(file_name) AS file_name, line_number, trim(column_name) AS column_name, \
               trim(column_type) AS column_type, error_code, trim(error_message) AS error_message\n\
               FROM sys_load_error_detail\nWHERE query_id = CAST(:query_id AS bigint)\n\
               ORDER BY file_name, line_number\nLIMIT 100";
    Statement {
        sql: sql.to_owned(),
        parameters: vec![Parameter { name: "query_id".to_owned(), value: query_id.to_string() }],
        what: "ask what COPY could not load",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_its_place_and_no_value() {
        let error = |column: &str, message: &str| LoadError {
            file: "s3://acme/staged/a/0.parquet".to_owned(),
            line: i64::from(!column.is_empty()) * 3,
            column: column.to_owned(),
            ty: "int4".to_owned(),
            code: 1207,
            message: message.to_owned(),
        };
        assert_eq!(
            error("id", "Invalid digit, Value 'N', Pos 0, Type: Integer").to_string(),
            "s3://acme/staged/a/0.parquet, line 3, column `id` int4: Invalid digit, Value '…', Pos 0, Type: Integer (1207)"
        );
        assert_eq!(
            error("", "not JSON:\n\"it's\" and 'a secret").to_string(),
            "s3://acme/staged/a/0.parquet: not JSON: \"…\" and '…' (1207)"
        );
    }
}
