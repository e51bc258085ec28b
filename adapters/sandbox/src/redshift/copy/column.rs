//! Column: what Redshift says of a column, read back from what stands in PostgreSQL for it, and which values fit.

use etalon_core::types::Type;
use etalon_core::value::Value;
use etalon_warehouse::client::Connection;

use super::LoadError;
use super::Refused;

/// A column of the table that a COPY fills.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) is_required: bool,
}

impl Column {
    /// The columns that are named, or all.
    pub(super) fn of_table(connection: &mut Connection, table: &str, names: &[String]) -> Result<Vec<Self>, Refused> {
        let sql = "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute \
                   WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum";
        let found = connection.run(sql, &[table])?;
        let mut all = Vec::new();
        for row in found.rows {
            let mut cells = row.into_iter().map(|cell| String::from_utf8(cell.unwrap_or_default()).unwrap_or_default());
            let mut next = || cells.next().unwrap_or_default();
            let (name, stored, is_required) = (next(), next(), next() == "t");
            let ty = of_stored(&stored)
                .ok_or_else(|| Refused::words(format!("ERROR: the sandbox does not load into {name} {stored}")))?;
            all.push(Self { name, ty, is_required });
        }
        if names.is_empty() {
            return Ok(all);
        }
        let mut columns = Vec::new();
        for name in names {
            let at = all.iter().position(|column| column.name == *name);
            let missing = || Refused::words(format!("ERROR: column \"{name}\" of relation \"{table}\" does not exist"));
            columns.push(all.swap_remove(at.ok_or_else(missing)?));
        }
        Ok(columns)
    }

    /// Its type as the views of load errors name it.
    pub(super) fn type_name(&self) -> &'static str {
        match self.ty {
            Type::Boolean => "bool",
            Type::Smallint => "int2",
            Type::Integer => "int4",
            Type::Bigint => "int8",
            Type::Real => "float4",
            Type::Double => "float8",
            Type::Decimal { .. } => "numeric",
            Type::Date => "date",
            Type::Timestamp => "timestamp",
            Type::Timestamptz => "timestampt",
            Type::Char(_) => "char",
            Type::Super => "super",
            _ => "varchar",
        }
    }

    /// Its width, as those views have it.
    pub(super) fn length(&self) -> String {
        match self.ty {
            Type::Char(width) | Type::Varchar(width) => width.to_string(),
            Type::Decimal { precision, scale } => format!("{precision},{scale}"),
            _ => "0".to_owned(),
        }
    }

    /// Why a value does not fit, if it does not.
    pub(super) fn refusal(&self, value: Option<Value<'_>>, file: &str) -> Option<LoadError> {
        let (code, message) = match (value, self.ty) {
            (None, _) if self.is_required => (1213, "Missing data for not-null field"),
            (Some(Value::Text(text)), Type::Char(_)) if !text.is_ascii() => {
                (1220, "Multibyte character not supported for CHAR (Hint: try using VARCHAR)")
            }
            (Some(Value::Text(text)), Type::Char(width)) if bytes(text.trim_end_matches(' ')) > u64::from(width) => {
                (1204, "Char length exceeds DDL length")
            }
            (Some(Value::Text(text)), Type::Varchar(width)) if bytes(text) > u64::from(width) => {
                (1204, "String length exceeds DDL length")
            }
            _ => return None,
        };
        Some(LoadError {
            file: file.to_owned(),
            line: 0,
            column: self.name.clone(),
            ty: self.type_name(),
            length: self.length(),
            code,
            message: message.to_owned(),
        })
    }
}

fn bytes(text: &str) -> u64 {
    text.len() as u64
}

/// The type that a type of PostgreSQL stands for.
fn of_stored(stored: &str) -> Option<Type> {
    let (name, arguments) = match stored.split_once('(') {
        Some((name, rest)) => {
            let (arguments, after) = rest.split_once(')')?;
            (format!("{name}{after}"), arguments)
        }
        None => (stored.to_owned(), ""),
    };
    let mut numbers = arguments.split(',').map(|number| number.trim().parse::<u32>().ok());
    let mut number = || numbers.next().flatten();
    Some(match name.as_str() {
        "boolean" => Type::Boolean,
        "smallint" => Type::Smallint,
        "integer" => Type::Integer,
        "bigint" => Type::Bigint,
        "real" => Type::Real,
        "double precision" => Type::Double,
        "numeric" => {
            let (precision, scale) = (u8::try_from(number()?).ok()?, u8::try_from(number()?).ok()?);
            Type::Decimal { precision, scale }
        }
        "date" => Type::Date,
        "timestamp without time zone" => Type::Timestamp,
        "timestamp with time zone" => Type::Timestamptz,
        "character" => Type::Char(number()?),
        "character varying" => Type::Varchar(number()?),
        "text" => Type::Text,
        _ if name.ends_with("super") => Type::Super,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_back() {
        for (stored, ty) in [
            ("numeric(12,2)", Some(Type::Decimal { precision: 12, scale: 2 })),
            ("character varying(64)", Some(Type::Varchar(64))),
            ("timestamp with time zone", Some(Type::Timestamptz)),
            ("_redshift.super", Some(Type::Super)),
            ("numeric", None),
            ("point", None),
        ] {
            assert_eq!(of_stored(stored), ty, "{stored}");
        }
    }

    #[test]
    fn a_width_counts_bytes() {
        let column = |ty, is_required| Column { name: "c".to_owned(), ty, is_required };
        let code = |column: Column, value| column.refusal(value, "f").map(|error| error.code);
        assert_eq!(code(column(Type::Varchar(3), false), Some(Value::Text("äö"))), Some(1204));
        assert_eq!(code(column(Type::Varchar(4), false), Some(Value::Text("äö"))), None);
        assert_eq!(code(column(Type::Char(4), false), Some(Value::Text("äö"))), Some(1220));
        assert_eq!(code(column(Type::Char(1), false), Some(Value::Text("a  "))), None);
        assert_eq!(code(column(Type::Bigint, true), None), Some(1213));
        assert_eq!(code(column(Type::Bigint, false), None), None);
    }
}
