//! PostgreSQL 15, which runs the same statements as Redshift, except for COPY: rows come through `COPY … FROM STDIN` in binary
//! form.

use crate::types::Type;
use crate::warehouse::dialect::CatalogQuestion;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::dialect::Staging;
use crate::warehouse::dialect::Widening;
use crate::warehouse::dialect::has_room;
use crate::warehouse::dialect::instant_with_offset;

/// Texts are ordered by their bytes, whatever the locale of the database.
const BYTES: &str = "\"C\"";

/// The answers of PostgreSQL.
pub static DIALECT: Dialect = Dialect {
    name: "PostgreSQL",
    name_bytes_max: 63,
    system_columns: &["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"],
    reserved_prefix: None,
    has_schemas: true,
    creates_schemas: true,
    row_numbers: &[],
    staging: Staging::Stream(|into, columns| format!("COPY {into} ({columns})\nFROM STDIN (FORMAT binary)")),
    stages_in_target: false,
    creates_in_transaction: false,
    begin: "BEGIN",
    has_lock: true,
    enforces_keys: true,
    has_layout: false,
    widening: Widening::InTransaction,
    alters_columns: true,
    statements_max: None,
    column_type,
    parse_document: None,
    table_options: "",
    has_null_safe_is: false,
    trims_keys: true,
    key_collation,
    order_collation: key_collation,
    bytes_collation: Some(BYTES),
    instant_text: ("to_char(", " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"),
    // The server would guess a type of a parameter by the place where it stands; all of them are texts.
    parameter: |_, number| format!("CAST(${number} AS text)"),
    casts_parameters: true,
    wraps_index_expressions: true,
    instant: instant_with_offset,
    columns: CatalogQuestion {
        sql: "SELECT CAST(a.attname AS text) AS name, format_type(a.atttypid, a.atttypmod) AS type\n\
              FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace\n\
              WHERE n.nspname = CAST($1 AS text) AND c.relname = CAST($2 AS text) AND c.relkind <> 'i'\n  \
              AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        is_by_schema: true,
    },
    keeps,
    indexes: Some(CatalogQuestion {
        sql: "SELECT CAST(indexname AS text) FROM pg_indexes\n\
              WHERE schemaname = CAST($1 AS text) AND tablename = CAST($2 AS text)",
        is_by_schema: true,
    }),
    // A table that is partitioned, or a view's, has triggers elsewhere.
    drops_rows: Some(
        "EXISTS (SELECT 1 FROM pg_trigger WHERE NOT tgisinternal)\n    \
         OR EXISTS (SELECT 1 FROM pg_rules WHERE schemaname <> 'pg_catalog')",
    ),
};

fn column_type(ty: Type) -> String {
    if ty == Type::Super { "jsonb".to_owned() } else { ty.to_string() }
}

fn keeps(stored: &str, ty: Type) -> bool {
    match (stored, ty) {
        ("jsonb", Type::Super) => true,
        // Without digits or a length it has room for all.
        ("numeric", Type::Decimal { .. } | Type::Smallint | Type::Integer | Type::Bigint) => true,
        ("character varying" | "text", Type::Varchar(_) | Type::Text) => true,
        _ => Type::parse(stored).is_ok_and(|stored| has_room(stored, ty)),
    }
}

fn key_collation(ty: Type) -> Option<&'static str> {
    ty.is_text().then_some(BYTES)
}
