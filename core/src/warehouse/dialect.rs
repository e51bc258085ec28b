//! Dialect: what each warehouse answers when a statement is made for it. The one place that knows how they differ.

use crate::types::Type;
use crate::types::VARCHAR_BYTES_MAX;
use crate::warehouse::sqlite;

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
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Redshift => "Redshift",
        }
    }

    /// Most bytes of a name; longer ones would be cut without an error.
    pub(crate) fn name_bytes_max(self) -> usize {
        match self {
            Self::Postgres => 63,
            Self::Sqlite | Self::Redshift => 127,
        }
    }

    /// Names that no column can have, quoted or not.
    pub(crate) fn system_columns(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &[],
            Self::Postgres => &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"],
            Self::Redshift => &["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"],
        }
    }

    /// Whether tables stand in schemas. Where they do not, `schema.table` is one name.
    pub(crate) fn has_schemas(self) -> bool {
        self != Self::Sqlite
    }

    /// Whether a schema that is missing is created. On Redshift schemas have owners and grants that somebody thought of.
    pub(crate) fn creates_schemas(self) -> bool {
        self == Self::Postgres
    }

    /// Whether a row has a hidden number by which it is found: winners are then numbers, and not copies of rows.
    pub(crate) fn has_row_numbers(self) -> bool {
        self == Self::Sqlite
    }

    /// Whether rows that need no look at each other may go into the target at once. The driver counts them then.
    pub(crate) fn stages_in_target(self) -> bool {
        self == Self::Sqlite
    }

    /// Whether LOCK makes loads of one target wait for each other; SQLite's BEGIN IMMEDIATE does it alone.
    pub(crate) fn has_lock(self) -> bool {
        self != Self::Sqlite
    }

    /// Whether a key is enforced, and found quickly by an index. Redshift only believes in it, which is worse than none.
    pub(crate) fn enforces_keys(self) -> bool {
        self != Self::Redshift
    }

    /// Whether a table has a distribution and a sort order.
    pub(crate) fn has_layout(self) -> bool {
        self == Self::Redshift
    }

    /// Whether a column of text is given more room by a statement, and whether that stands in a transaction.
    pub(crate) fn widens_in_transaction(self) -> Option<bool> {
        match self {
            // Text has no length there.
            Self::Sqlite => None,
            Self::Postgres => Some(true),
            Self::Redshift => Some(false),
        }
    }

    /// Most statements of a load.
    pub(crate) fn statements_max(self) -> Option<usize> {
        (self == Self::Redshift).then_some(super::STATEMENTS_MAX)
    }

    /// The type that a column is stored as.
    pub fn column_type(self, ty: Type) -> String {
        match (self, ty) {
            (Self::Sqlite, _) => sqlite_type(ty).to_owned(),
            (Self::Postgres, Type::Super) => "jsonb".to_owned(),
            (Self::Redshift, Type::Text) => "varchar(256)".to_owned(),
            (Self::Postgres | Self::Redshift, _) => ty.to_string(),
        }
    }

    /// The type of a staged column. COPY would make a text of a document, so that it is staged as one, and parsed later.
    pub(crate) fn staged_type(self, ty: Type) -> Type {
        if self.parses_documents(ty) { Type::Varchar(VARCHAR_BYTES_MAX) } else { ty }
    }

    /// Whether a staged column of a type must be parsed to become what the target has.
    pub(crate) fn parses_documents(self, ty: Type) -> bool {
        self == Self::Redshift && ty == Type::Super
    }

    /// What stands after the closing parenthesis of `create table`.
    pub(crate) fn table_options(self) -> &'static str {
        if self == Self::Sqlite { " STRICT" } else { "" }
    }

    /// Whether `a IS b` compares values, NULL with NULL too.
    pub(crate) fn has_null_safe_is(self) -> bool {
        self == Self::Sqlite
    }

    /// Whether trailing blanks must be taken off a text, so that they do not count. On Redshift they never do.
    pub(crate) fn trims_keys(self) -> bool {
        self == Self::Postgres
    }

    /// The collation under which values of a type compare as keys, if the plain one is not right.
    pub(crate) fn key_collation(self, ty: Type) -> Option<&'static str> {
        match self {
            // Built into SQLite: trailing blanks do not count. Equal decimals of one scale are equal texts.
            Self::Sqlite if ty.is_text() => Some("RTRIM"),
            Self::Postgres if ty.is_text() => self.bytes_collation(),
            _ => None,
        }
    }

    /// The collation under which values of a type are ordered, if the plain one is not right.
    pub(crate) fn order_collation(self, ty: Type) -> Option<&'static str> {
        match self {
            Self::Sqlite if ty.is_decimal() => Some(sqlite::DECIMAL_COLLATION),
            _ => self.key_collation(ty),
        }
    }

    /// The collation under which texts are ordered by their bytes, if the plain one is not right.
    pub(crate) fn bytes_collation(self) -> Option<&'static str> {
        (self == Self::Postgres).then_some("\"C\"")
    }

    /// What stands around a `timestamptz` that is shown as text, in UTC, with six digits of fraction.
    pub(crate) fn instant_text(self) -> (&'static str, &'static str) {
        match self {
            Self::Sqlite => ("", ""),
            Self::Postgres | Self::Redshift => ("to_char(", " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
        }
    }

    /// A parameter by its name or number, from 1.
    pub(crate) fn parameter(self, name: &str, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
            Self::Redshift => format!(":{name}"),
        }
    }

    /// An instant as the value of a parameter; `None` where the warehouse has no such year.
    pub(crate) fn instant(self, micros: i64) -> Option<String> {
        let mut text = String::new();
        if self == Self::Sqlite {
            sqlite::write_timestamptz(&mut text, micros);
            return Some(text);
        }
        sqlite::write_timestamp(&mut text, micros);
        text.push_str("+00");
        // Years of four digits begin with one; all other years begin with a sign of their own.
        text.starts_with(|first: char| first.is_ascii_digit()).then_some(text)
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
        | Type::Char(_)
        | Type::Super => "TEXT",
    }
}
