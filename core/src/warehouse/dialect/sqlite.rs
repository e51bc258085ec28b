//! SQLite, the embedded warehouse: one file, without schemas and with few types. Exactness is kept in storage.
//!
//! | type | stored as |
//! |---|---|
//! | boolean | INTEGER, 0 or 1 |
//! | smallint, integer, bigint | INTEGER |
//! | decimal(p,s) | TEXT with all digits of the scale, as [`decimal`] writes it |
//! | real, double precision | REAL; NaN, which SQLite would make NULL, is the text `NaN`, above all numbers as in PostgreSQL |
//! | date, timestamp, timestamptz | TEXT, as [`calendar`] writes it |
//! | text of any kind | TEXT as it is |

pub mod decimal;
pub mod numbers;
pub mod query;

use crate::types::Type;
use crate::warehouse::calendar;
use crate::warehouse::dialect::CatalogQuestion;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::dialect::Staging;
use crate::warehouse::dialect::Widening;

/// How NaN is stored.
pub const NAN: &str = "NaN";

/// The answers of SQLite.
pub static DIALECT: Dialect = Dialect {
    name: "SQLite",
    name_bytes_max: 127,
    system_columns: &[],
    reserved_prefix: Some("sqlite_"),
    has_schemas: false,
    creates_schemas: false,
    row_numbers: &["rowid", "_rowid_", "oid"],
    staging: Staging::Parameters,
    stages_in_target: true,
    creates_in_transaction: true,
    // It makes loads wait for each other.
    begin: "BEGIN IMMEDIATE",
    has_lock: false,
    enforces_keys: true,
    has_layout: false,
    // Text has no length there.
    widening: Widening::Needless,
    alters_columns: false,
    statements_max: None,
    column_type,
    parse_document: None,
    table_options: " STRICT",
    has_null_safe_is: true,
    trims_keys: false,
    key_collation,
    order_collation,
    bytes_collation: None,
    instant_text: ("", ""),
    parameter: |_, number| format!("?{number}"),
    casts_parameters: false,
    wraps_index_expressions: false,
    instant,
    columns: CatalogQuestion { sql: "SELECT name, type FROM pragma_table_info(?1)", is_by_schema: false },
    keeps,
    indexes: Some(CatalogQuestion {
        sql: "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ?1",
        is_by_schema: false,
    }),
    drops_rows: Some("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'trigger')"),
};

fn column_type(ty: Type) -> String {
    let name = match ty {
        Type::Boolean | Type::Smallint | Type::Integer | Type::Bigint => "INTEGER",
        // A strict REAL column could not hold the text NaN.
        Type::Real | Type::Double => "ANY",
        Type::Decimal { .. }
        | Type::Numeric
        | Type::Date
        | Type::Time
        | Type::Timetz
        | Type::Interval
        | Type::Timestamp
        | Type::Timestamptz
        | Type::Text
        | Type::Varchar(_)
        | Type::Char(_)
        | Type::Super
        | Type::Jsonb
        | Type::Bytea => "TEXT",
    };
    name.to_owned()
}

/// By the rules by which SQLite finds the affinity of a column that is not of a strict table.
fn keeps(stored: &str, ty: Type) -> bool {
    let stored = stored.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| stored.contains(word));
    if has(&["INT"]) {
        return column_type(ty) == "INTEGER";
    }
    match column_type(ty).as_str() {
        "TEXT" => has(&["CHAR", "CLOB", "TEXT", "BLOB"]) || stored.is_empty() || stored == "ANY",
        "INTEGER" => has(&["BLOB"]) || stored.is_empty() || stored == "ANY",
        _ => has(&["REAL", "FLOA", "DOUB", "BLOB"]) || stored.is_empty() || stored == "ANY",
    }
}

/// Built into SQLite: trailing blanks do not count. Equal decimals of one scale are equal texts.
fn key_collation(ty: Type) -> Option<&'static str> {
    ty.is_text().then_some("RTRIM")
}

fn order_collation(ty: Type) -> Option<&'static str> {
    if ty.is_decimal() { Some(decimal::DECIMAL_COLLATION) } else { key_collation(ty) }
}

fn instant(micros: i64) -> Option<String> {
    let mut text = String::new();
    calendar::write_timestamptz(&mut text, micros);
    Some(text)
}
