//! Dialect: a value that answers questions about a warehouse's SQL.
//!
//! Each warehouse has a file here that builds its value. Code that makes a statement asks this value, and never which warehouse
//! it is. So a new warehouse is a new file, and a row of [`DIALECTS`].

pub mod postgres;
pub mod redshift;
pub mod sqlite;

use std::fmt;

use crate::error::Error;
use crate::types::Type;
use crate::types::VARCHAR_BYTES_MAX;
use crate::warehouse::calendar;
use crate::warehouse::manifest::CopySource;
use crate::warehouse::statement::Statement;

/// Every warehouse.
pub static DIALECTS: [&Dialect; 3] = [&sqlite::DIALECT, &postgres::DIALECT, &redshift::DIALECT];

/// What a warehouse answers when a statement is made for it. It prints as its name.
pub struct Dialect {
    /// Its name for people.
    pub(crate) name: &'static str,
    /// Most bytes of a name; longer ones would be cut without an error.
    pub(crate) name_bytes_max: usize,
    /// Names that no column can have, quoted or not.
    pub(crate) system_columns: &'static [&'static str],
    /// What no name of a table begins with, where the warehouse keeps such names for itself.
    pub(crate) reserved_prefix: Option<&'static str>,
    /// Whether tables stand in schemas. Where they do not, `schema.table` is one name.
    pub(crate) has_schemas: bool,
    /// Whether a schema that is missing is created.
    pub(crate) creates_schemas: bool,
    /// The names of the hidden number by which a row is found, where rows have one: winners are then numbers, and not copies
    /// of rows. A column of the table may take a name; one of them must be left.
    pub(crate) row_numbers: &'static [&'static str],
    /// How staged rows come.
    pub(crate) staging: Staging,
    /// Whether rows that need no look at each other may go into the target at once.
    pub(crate) stages_in_target: bool,
    /// Whether Etalon's own tables are created in the transaction of a load. Where they are not, two loads may look for them,
    /// and create them, at once.
    pub(crate) creates_in_transaction: bool,
    /// What begins a transaction that writes.
    pub(crate) begin: &'static str,
    /// Whether LOCK makes loads of one target wait for each other.
    pub(crate) has_lock: bool,
    /// Whether a key is enforced, and found quickly by an index.
    pub(crate) enforces_keys: bool,
    /// Whether a table has a distribution and a sort order.
    pub(crate) has_layout: bool,
    /// How a column of text is given more room.
    pub(crate) widening: Widening,
    /// Whether a statement gives a column any other type, or lets it be NULL.
    pub(crate) alters_columns: bool,
    /// Most statements of a load.
    pub(crate) statements_max: Option<usize>,
    /// The type that a column is stored as.
    pub(crate) column_type: fn(Type) -> String,
    /// The function that makes a document of a staged text, where documents are staged as texts.
    pub(crate) parse_document: Option<&'static str>,
    /// What stands after the closing parenthesis of `create table`.
    pub(crate) table_options: &'static str,
    /// Whether `a IS b` compares values, NULL with NULL too.
    pub(crate) has_null_safe_is: bool,
    /// Whether trailing blanks must be taken off a text, so that they do not count.
    pub(crate) trims_keys: bool,
    /// The collation under which values of a type compare as keys, if the plain one is not right.
    pub(crate) key_collation: fn(Type) -> Option<&'static str>,
    /// The collation under which values of a type are ordered, if the plain one is not right.
    pub(crate) order_collation: fn(Type) -> Option<&'static str>,
    /// The collation under which texts are ordered by their bytes, if the plain one is not right.
    pub(crate) bytes_collation: Option<&'static str>,
    /// What stands around a `timestamptz` that is shown as text, in UTC, with six digits of fraction.
    pub(crate) instant_text: (&'static str, &'static str),
    /// A parameter by its name and its number, from 1.
    pub(crate) parameter: fn(&str, usize) -> String,
    /// Whether a parameter, which is a text, is cast to the type that is meant.
    pub(crate) casts_parameters: bool,
    /// Whether an expression of an index that is no column stands in parentheses.
    pub(crate) wraps_index_expressions: bool,
    /// An instant as the value of a parameter; `None` where the warehouse has no such year.
    pub(crate) instant: fn(i64) -> Option<String>,
    /// Selects the names of the columns of a table, and the type of each, as the catalog has it, under `type`.
    pub(crate) columns: CatalogQuestion,
    /// Whether a column that the catalog has with a type keeps each value of another type as it is.
    pub(crate) keeps: fn(&str, Type) -> bool,
    /// Selects the names of the indexes of a table, where there are any.
    pub(crate) indexes: Option<CatalogQuestion>,
    /// Whether anything in the warehouse may keep rows out of a table without an error, a trigger or a rule: only then the rows
    /// of a load are counted where they have gone. Without a condition they are always counted.
    pub(crate) drops_rows: Option<&'static str>,
}

/// How staged rows come to a warehouse.
#[derive(Clone, Copy)]
pub(crate) enum Staging {
    /// As parameters of inserts, row by row. Whoever binds them counts them.
    Parameters,
    /// As the rows that follow a statement, which is made of the table and the names of the columns.
    Stream(fn(into: &str, columns: &str) -> String),
    /// From the files that a manifest names, by a statement made of the table and the names of the columns.
    Manifest(fn(into: &str, columns: &str, source: &CopySource) -> Result<String, Error>),
}

/// How a column of text is given more room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Widening {
    /// It has room for every text.
    Needless,
    /// By a statement, which may stand in a transaction.
    InTransaction,
    /// By a statement that stands in no transaction.
    Alone,
}

/// A question to the warehouse's own catalog: its parameters are the schema, if the question asks for it, and the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CatalogQuestion {
    pub(crate) sql: &'static str,
    pub(crate) is_by_schema: bool,
}

impl Dialect {
    /// The warehouse's name for people.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether Etalon's own tables are created in the transaction of a load, and not before it.
    pub fn creates_in_transaction(&self) -> bool {
        self.creates_in_transaction
    }

    /// Begins a transaction that writes.
    pub fn begin(&self) -> Statement {
        Statement::plain(self.begin, "begin the transaction")
    }

    /// Makes what was done since then last.
    pub fn commit(&self) -> Statement {
        Statement::plain("COMMIT", "commit the transaction")
    }

    /// Undoes what was done since then.
    pub fn roll_back(&self) -> Statement {
        Statement::plain("ROLLBACK", "undo the transaction")
    }

    /// The type of a staged column.
    pub(crate) fn staged_type(&self, ty: Type) -> Type {
        if self.parser_of(ty).is_some() { Type::Varchar(VARCHAR_BYTES_MAX) } else { ty }
    }

    /// The function that makes of a staged value what the target has, if one is needed.
    pub(crate) fn parser_of(&self, ty: Type) -> Option<&'static str> {
        self.parse_document.filter(|_| ty == Type::Super)
    }
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Whether a column of one type keeps each value of another type as it is: it is that type, or one with more room.
fn has_room(stored: Type, ty: Type) -> bool {
    stored == ty
        || match (stored, ty) {
            (Type::Integer | Type::Bigint, Type::Smallint) | (Type::Bigint, Type::Integer) => true,
            (Type::Decimal { precision, scale }, Type::Decimal { precision: needed, scale: needed_scale }) => {
                scale >= needed_scale && precision - scale >= needed - needed_scale
            }
            (Type::Varchar(room), Type::Varchar(needed)) => room >= needed,
            (Type::Text, Type::Varchar(_)) | (Type::Double, Type::Real) => true,
            _ => false,
        }
}

/// An instant with its offset, for years of four digits: all others begin with a sign of their own.
fn instant_with_offset(micros: i64) -> Option<String> {
    let mut text = String::new();
    calendar::write_timestamp(&mut text, micros);
    text.push_str("+00");
    text.starts_with(|first: char| first.is_ascii_digit()).then_some(text)
}
