//! Target: the table that COPY brings rows into, as the catalog has it.

use etalon_core::types::Type;
use etalon_postgres::client::Client;

use super::super::failure::Failure;
use super::super::reader::untranslated;
use super::super::translate::Copy;

/// Selects a table's number and name, and of each of its columns the name, the type, and whether it is required and has a
/// default.
const COLUMNS: &str = "SELECT c.oid, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
     a.atthasdef OR a.attidentity <> '' FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
     WHERE c.oid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

/// A table, and what comes into it.
#[derive(Debug)]
pub(super) struct Target {
    /// Its number in the catalog.
    pub(super) number: i64,
    pub(super) name: String,
    /// The columns that the files have, in order.
    pub(super) columns: Vec<Column>,
    /// What brings the rows.
    pub(super) sql: String,
}

/// A column that the files have.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: Type,
    /// Whether NULL is refused.
    pub(super) required: bool,
}

impl Target {
    /// Finds the table of a COPY.
    pub(super) fn find(connection: &mut Client, copy: &Copy) -> Result<Self, Failure> {
        let found = connection.run(COLUMNS, &[&copy.table])?;
        let text = |row: &[Option<Vec<u8>>], at: usize| {
            let bytes = row.get(at).cloned().flatten().unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let refuse = |words: String| Failure::Error(words);
        let Some(first) = found.rows.first() else {
            return Err(refuse(format!("ERROR: Cannot COPY into nonexistent table {}", copy.table)));
        };
        let (number, name) = (text(first, 0).parse().unwrap_or_default(), text(first, 1));
        let mut all = Vec::new();
        for row in &found.rows {
            let shown = text(row, 3);
            let shown = shown.strip_prefix("_redshift.").unwrap_or(&shown);
            let ty = Type::parse(shown)
                .map_err(|_| refuse(untranslated(&format!("COPY of column \"{}\" {shown}", text(row, 2)))))?;
            let (required, has_default) = (text(row, 4) == "t", text(row, 5) == "t");
            all.push((Column { name: text(row, 2), ty, required }, has_default));
        }
        let names: Vec<String> = match &copy.columns {
            Some(names) => names.clone(),
            None => all.iter().map(|(column, _)| column.name.clone()).collect(),
        };
        let mut columns: Vec<Column> = Vec::new();
        for asked in &names {
            let Some((column, has_default)) = all.iter().find(|(column, _)| column.name == *asked) else {
                return Err(refuse(format!("ERROR: column \"{asked}\" of relation \"{name}\" does not exist")));
            };
            if columns.iter().any(|known| known.name == *asked) {
                return Err(refuse(format!("ERROR: column \"{asked}\" specified more than once")));
            }
            // There a NULL in the file would become the default.
            if column.required && *has_default {
                return Err(refuse(untranslated(&format!("COPY of column \"{asked}\", which has a default"))));
            }
            columns.push(column.clone());
        }
        let listed: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", copy.table, listed.join(", "));
        Ok(Self { number, name, columns, sql })
    }
}

impl Column {
    /// The name and the length of its type, as the catalog of Redshift has them.
    pub(super) fn catalog_type(&self) -> (&'static str, String) {
        match self.ty {
            Type::Boolean => ("bool", String::new()),
            Type::Smallint => ("int2", String::new()),
            Type::Integer => ("int4", String::new()),
            Type::Bigint => ("int8", String::new()),
            Type::Real => ("float4", String::new()),
            Type::Double => ("float8", String::new()),
            Type::Decimal { precision, scale } => ("numeric", format!("{precision}, {scale}")),
            Type::Date => ("date", String::new()),
            Type::Timestamp => ("timestamp", String::new()),
            Type::Timestamptz => ("timestamptz", String::new()),
            Type::Varchar(bytes) => ("varchar", bytes.to_string()),
            Type::Char(bytes) => ("char", bytes.to_string()),
            Type::Super => ("super", String::new()),
            Type::Numeric | Type::Time | Type::Timetz | Type::Interval | Type::Text | Type::Jsonb | Type::Bytea => {
                ("", String::new())
            }
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
