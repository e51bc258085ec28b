//! Dialect: what each warehouse answers when a statement is made for it. The one file that knows how they differ.

use crate::types::Type;
use crate::warehouse::sqlite::DECIMAL_COLLATION;

/// A warehouse's SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite, the embedded warehouse.
    Sqlite,
    /// PostgreSQL 15, which runs what Redshift would, but for COPY.
    Postgres,
    /// Amazon Redshift.
    Redshift,
}

impl Dialect {
    /// The type that a column is stored as.
    pub fn column_type(self, ty: Type) -> String {
        match self {
            Self::Sqlite => sqlite_type(ty).to_owned(),
            Self::Postgres => ty.to_string(),
            Self::Redshift => match ty {
                Type::Text => "varchar(256)".to_owned(),
                _ => ty.to_string(),
            },
        }
    }

    /// What stands after the closing parenthesis of `create table`.
    pub(crate) fn table_options(self) -> &'static str {
        if self == Self::Sqlite { " STRICT" } else { "" }
    }

    /// The operator under which NULL equals NULL.
    pub(crate) fn same_operator(self) -> &'static str {
        "IS"
    }

    /// The collation under which values of a type compare as keys, if the plain one is not right.
    pub(crate) fn key_collation(self, ty: Type) -> Option<&'static str> {
        // Built into SQLite: trailing blanks do not count. Equal decimals of one scale are equal texts.
        (self == Self::Sqlite && ty.is_text()).then_some("RTRIM")
    }

    /// The collation under which values of a type are ordered, if the plain one is not right.
    pub(crate) fn order_collation(self, ty: Type) -> Option<&'static str> {
        if self == Self::Sqlite && ty.is_decimal() { Some(DECIMAL_COLLATION) } else { self.key_collation(ty) }
    }

    /// The parameter of a number, from 1.
    pub(crate) fn parameter(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
            Self::Redshift => format!(":p{number}"),
        }
    }
}

fn sqlite_type(ty: Type) -> &'static str {
    match ty {
        Type::Boolean | Type::Smallint | Type::Integer | Type::Bigint => "INTEGER",
        // A strict REAL column could not hold the text NaN.
        Type::Real | Type::Double => "ANY",
        Type::Decimal { .. }
        | Type::Numeric
        | Type::Date
        | Type::Time
        | Type::Interval
        | Type::Timestamp
        | Type::Timestamptz
        | Type::Text
        | Type::Varchar(_)
        | Type::Char(_) => "TEXT",
    }
}
