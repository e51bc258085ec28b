//! Shims: functions, types and views that Redshift has and PostgreSQL does not, in a schema that is in the search path of every
//! session.

use etalon_postgres::client::Client;
use etalon_postgres::client::Trouble;

/// The schema of the shims.
pub(super) const SCHEMA: &str = "_redshift";

/// Statements that make the shims, or find them made.
const STATEMENTS: &[&str] = &[
    // Whoever comes second waits for the first.
    "SELECT pg_advisory_xact_lock(7240721)",
    "CREATE SCHEMA IF NOT EXISTS _redshift",
    "CREATE SCHEMA IF NOT EXISTS public",
    // A document is kept as it is written.
    "DO $$ BEGIN CREATE DOMAIN _redshift.super AS text; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    "DO $$ BEGIN CREATE DOMAIN _redshift.varbyte AS bytea; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    // What is no JSON is an error here, as it is there.
    "CREATE OR REPLACE FUNCTION _redshift.json_parse(document text) RETURNS _redshift.super IMMUTABLE STRICT LANGUAGE sql \
     AS $$ SELECT CASE WHEN $1::json IS NOT NULL THEN $1::_redshift.super END $$",
    "CREATE OR REPLACE FUNCTION _redshift.json_serialize(document _redshift.super) RETURNS varchar IMMUTABLE STRICT \
     LANGUAGE sql AS $$ SELECT $1::varchar $$",
    "CREATE OR REPLACE FUNCTION _redshift.getdate() RETURNS timestamp STABLE LANGUAGE sql \
     AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$",
    "CREATE OR REPLACE FUNCTION _redshift.nvl(anycompatible, anycompatible) RETURNS anycompatible IMMUTABLE LANGUAGE sql \
     AS $$ SELECT coalesce($1, $2) $$",
    "CREATE OR REPLACE FUNCTION _redshift.len(text) RETURNS integer IMMUTABLE STRICT LANGUAGE sql \
     AS $$ SELECT char_length($1) $$",
    "CREATE OR REPLACE FUNCTION _redshift.sha2(text, integer) RETURNS varchar IMMUTABLE STRICT LANGUAGE sql \
     AS $$ SELECT encode(CASE $2 WHEN 224 THEN sha224(convert_to($1, 'UTF8')) WHEN 384 THEN sha384(convert_to($1, 'UTF8')) \
     WHEN 512 THEN sha512(convert_to($1, 'UTF8')) ELSE sha256(convert_to($1, 'UTF8')) END, 'hex') $$",
    "CREATE OR REPLACE FUNCTION _redshift.pg_last_copy_count() RETURNS bigint STABLE LANGUAGE sql \
     AS $$ SELECT coalesce(nullif(current_setting('redshift.copy_count', true), ''), '0')::bigint $$",
    "CREATE OR REPLACE FUNCTION _redshift.pg_last_copy_id() RETURNS bigint STABLE LANGUAGE sql \
     AS $$ SELECT coalesce(nullif(current_setting('redshift.copy_id', true), ''), '-1')::bigint $$",
    "CREATE OR REPLACE VIEW _redshift.svv_columns AS SELECT table_catalog::varchar AS table_catalog, \
     table_schema::varchar AS table_schema, table_name::varchar AS table_name, column_name::varchar AS column_name, \
     ordinal_position::integer AS ordinal_position, column_default::varchar AS column_default, \
     is_nullable::varchar AS is_nullable, CASE domain_name WHEN 'super' THEN 'super' ELSE data_type END::varchar AS data_type, \
     character_maximum_length::integer AS character_maximum_length, numeric_precision::integer AS numeric_precision, \
     numeric_scale::integer AS numeric_scale, datetime_precision::integer AS datetime_precision \
     FROM information_schema.columns",
    "CREATE TABLE IF NOT EXISTS _redshift.sys_load_error_detail (user_id integer, query_id bigint, transaction_id bigint, \
     session_id integer, database_name char(64), table_id integer, start_time timestamp, file_name char(256), \
     line_number bigint, column_name char(127), column_type char(10), column_length char(10), position integer, \
     error_code integer, error_message char(512))",
];

/// Makes the shims in a database.
pub(super) fn create(connection: &mut Client) -> Result<(), Trouble> {
    connection.run("BEGIN", &[])?;
    for statement in STATEMENTS {
        connection.run(statement, &[])?;
    }
    connection.run("COMMIT", &[]).map(|_| ())
}
