//! Amazon Redshift: a load is one batch of statements for its Data API, and COPY reads the rows that a manifest names.

pub mod copy;
pub mod lint;

use crate::types::Type;
use crate::warehouse::dialect::CatalogQuestion;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::dialect::Staging;
use crate::warehouse::dialect::Widening;
use crate::warehouse::dialect::has_room;
use crate::warehouse::dialect::instant_with_offset;

/// Most statements of a batch: what the Data API takes at once.
pub const STATEMENTS_MAX: usize = 40;
const NAME_BYTES_MAX: usize = 127;
const SYSTEM_COLUMNS: &[&str] = &["oid", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];

/// The answers of Redshift.
pub static DIALECT: Dialect = Dialect {
    name: "Redshift",
    name_bytes_max: NAME_BYTES_MAX,
    system_columns: SYSTEM_COLUMNS,
    reserved_prefix: None,
    has_schemas: true,
    // Schemas have owners and grants there that somebody thought of.
    creates_schemas: false,
    row_numbers: &[],
    staging: Staging::Manifest(copy::copy),
    stages_in_target: false,
    creates_in_transaction: false,
    begin: "BEGIN",
    has_lock: true,
    // It only believes in keys, which is worse than none.
    enforces_keys: false,
    has_layout: true,
    widening: Widening::Alone,
    alters_columns: false,
    statements_max: Some(STATEMENTS_MAX),
    column_type,
    // COPY would make a text of a document, so that it is staged as one, and parsed later.
    parse_document: Some("json_parse"),
    table_options: "",
    has_null_safe_is: false,
    // Trailing blanks never count there.
    trims_keys: false,
    key_collation: |_| None,
    order_collation: |_| None,
    bytes_collation: None,
    instant_text: ("to_char(", " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
    parameter: |name, _| format!(":{name}"),
    casts_parameters: true,
    wraps_index_expressions: true,
    instant: instant_with_offset,
    columns: CatalogQuestion {
        sql: "SELECT column_name, data_type || CASE\n    \
              WHEN data_type = 'numeric' THEN '(' || numeric_precision || ',' || numeric_scale || ')'\n    \
              WHEN data_type LIKE 'character%' THEN '(' || character_maximum_length || ')'\n    \
              ELSE '' END AS type\n\
              FROM svv_columns\nWHERE table_schema = :schema AND table_name = :table",
        is_by_schema: true,
    },
    // A type that is told otherwise than Etalon knows is let be.
    keeps: |stored, ty| Type::parse(stored).map_or(true, |stored| has_room(stored, stored_type(ty))),
    indexes: None,
    // It has no triggers, and reads one column of the table.
    drops_rows: None,
};

/// The type that a column of a type has there.
fn stored_type(ty: Type) -> Type {
    if ty == Type::Text { Type::Varchar(256) } else { ty }
}

fn column_type(ty: Type) -> String {
    if ty == Type::Text { "varchar(256)".to_owned() } else { ty.to_string() }
}
