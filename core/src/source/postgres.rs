//! PostgreSQL: a table or a query, read by `COPY … TO STDOUT`, and the statements that say what of it is new.
//!
//! Rows come as CSV in which every value is quoted and NULL is `\N` without quotes, so that no value can be taken for
//! another; the settings of the session say how values are written: times in UTC by ISO 8601, floats with all their digits,
//! bytes in hexadecimal.

use crate::spec::{Keys, Mapping};
use crate::sql::quote::{bound, exact};

use super::Location;
use super::database::{self, Clocked, CursorType, Database, Incremental, Part, Range, Reads, Relation, Url, Width};
use super::statements::{Statements, filtered};

/// What the kind is called, in a pipeline file and in the identity of an input.
pub(crate) const KIND: &str = "postgres";

/// What stands for no value, without quotes.
const NULL: &str = "\\N";

pub(super) fn key(keys: &mut Keys<'_>) -> Option<Location> {
    keys.optional(KIND, POSTGRES, "A table or a query of a PostgreSQL.").map(Location::Postgres)
}

const POSTGRES: Mapping<Database> = Mapping {
    title: "postgres",
    doc: "A table or a query of a PostgreSQL. What is read lands in the store first, and is loaded from there.",
    may_be_empty: false,
    keys: |keys| {
        let url = keys.required(
            "url",
            URL,
            "Where it is: `postgres://user@host/database`, with `?sslmode=verify-full`; the password by `${secret:…}` or \
             `${VARIABLE}`.",
        );
        database::of(keys, url, database::SPLIT_AT_ONCE)
    },
};

/// What its URL begins with.
pub(super) const SCHEMES: &[&str] = &["postgres://", "postgresql://"];

const URL: Url = Url {
    schemes: SCHEMES,
    noun: "a URL such as `postgres://user@host/database`",
    help: "write `postgres://user:${secret:name}@host/database`",
    pattern: "^(postgres(ql)?://|\\$\\{)",
};

/// The statements of PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres;

impl Statements for Postgres {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn settings(&self) -> Vec<String> {
        let settings = [
            ("timezone", "UTC"),
            ("datestyle", "ISO, MDY"),
            ("intervalstyle", "postgres"),
            ("extra_float_digits", "1"),
            ("bytea_output", "hex"),
            ("standard_conforming_strings", "on"),
            ("default_transaction_read_only", "on"),
            ("statement_timeout", "1h"),
            ("lock_timeout", "1min"),
            ("idle_in_transaction_session_timeout", "10min"),
        ];
        let set = settings.map(|(name, value)| format!("set_config('{name}', '{value}', false)"));
        let behind = ["2026-01-01", "2026-07-01"]
            .map(|day| format!("timestamp '{day}' - (timestamptz '{day} 00:00+00' AT TIME ZONE s.reset_val)"));
        vec![format!(
            "SELECT {}, s.reset_val, extract(epoch FROM greatest({}))::bigint FROM pg_catalog.pg_settings AS s WHERE s.name = 'TimeZone'",
            set.join(", "),
            behind.join(", ")
        )]
    }

    fn types(&self, reads: &Reads, columns: &[&str]) -> String {
        let types: Vec<String> =
            columns.iter().map(|column| format!("pg_catalog.pg_typeof(q.{})::text", exact(column))).collect();
        // The types are there without a row, and no row is read.
        format!(
            "SELECT {} FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM {} AS r LIMIT 0) AS q ON true",
            types.join(", "),
            from(reads)
        )
    }

    fn unreadable(&self, _ty: &str) -> Option<&'static str> {
        // All types have a text.
        None
    }

    fn cursor_type(&self, ty: &str) -> Option<CursorType> {
        Some(match ty {
            "timestamp with time zone" => CursorType::Clocked(Clocked::Timestamptz),
            "timestamp without time zone" => CursorType::Clocked(Clocked::Timestamp),
            "date" => CursorType::Clocked(Clocked::Date),
            "smallint" | "integer" | "bigint" => CursorType::Number,
            _ => return None,
        })
    }

    fn cursor_types(&self) -> &'static str {
        "a timestamp with or without time zone, a date, a smallint, an integer or a bigint"
    }

    fn bounds_type(&self, ty: CursorType) -> &'static str {
        match ty {
            CursorType::Clocked(Clocked::Timestamptz) => "timestamptz",
            CursorType::Clocked(Clocked::Timestamp) => "timestamp",
            CursorType::Clocked(Clocked::Date) => "date",
            CursorType::Number => "bigint",
        }
    }

    fn number_max(&self) -> i128 {
        i64::MAX.into()
    }

    fn before_look(&self, _since: Option<&str>) -> Vec<String> {
        Vec::new()
    }

    fn horizon(&self, incremental: &Incremental, ty: Clocked, _found: &str) -> String {
        let lag = format!("interval '{} seconds'", incremental.lag);
        let clock = "CASE WHEN pg_catalog.pg_is_in_recovery() \
                     THEN coalesce(pg_catalog.pg_last_xact_replay_timestamp(), '-infinity') ELSE statement_timestamp() END";
        // A clock that is behind writes rows that are older than the transaction that they come in.
        let end = if incremental.waits { "least(h.clock, h.oldest)" } else { "h.clock" };
        let end = format!("({end} - {lag})");
        let end = match ty {
            Clocked::Timestamptz => end,
            Clocked::Timestamp => format!("({end} AT TIME ZONE 'UTC')"),
            Clocked::Date => format!("({end} AT TIME ZONE 'UTC')::date"),
        };
        // A transaction that this one does not see may be any that began by now: `statement_timestamp` is before the look.
        format!(
            "SELECT {end}::text, CASE WHEN h.oldest < h.clock - {lag} THEN h.oldest::text END, h.whose, h.hidden, h.prepared, \
             pg_catalog.pg_is_in_recovery(), NULL, {REPLAYED} FROM (SELECT {clock} AS clock, {lag} AS lag, min(a.xact_start) AS oldest, \
             (array_agg(a.usename || ', process ' || a.pid ORDER BY a.xact_start))[1] AS whose, {HIDDEN} AS hidden, \
             {PREPARED} AS prepared FROM {OTHERS}) AS h"
        )
    }

    fn behind(&self) -> Option<&'static str> {
        None
    }

    fn server(&self) -> &'static str {
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 'PostgreSQL ' || current_setting('server_version')"
    }

    fn indexed(&self, schema: Option<&str>, table: &str, column: &str) -> String {
        let named: Vec<String> = schema.into_iter().chain([table]).map(exact).collect();
        format!(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid \
             AND a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND a.attname = {}) \
             FROM pg_catalog.pg_class AS c WHERE c.oid = to_regclass({}) AND c.relkind IN ('r', 'p', 'm')",
            bound(column),
            bound(&named.join("."))
        )
    }

    fn greatest(&self, reads: &Reads, cursor: &str) -> Vec<String> {
        vec![format!("SELECT max(q.{})::text, clock_timestamp()::text FROM {} AS q", exact(cursor), from(reads))]
    }

    fn open_since(&self, time: &str) -> String {
        let began = format!("FILTER (WHERE a.xact_start <= {}::timestamptz)", bound(time));
        format!(
            "SELECT min(a.xact_start) {began}::text, (array_agg(a.usename || ', process ' || a.pid ORDER BY a.xact_start) \
             {began})[1], {HIDDEN}, {PREPARED}, pg_catalog.pg_is_in_recovery() FROM {OTHERS}"
        )
    }

    fn begin(&self) -> &'static str {
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
    }

    fn without_cursor(&self, reads: &Reads, cursor: &str, ty: CursorType) -> String {
        let column = exact(cursor);
        let infinite =
            if matches!(ty, CursorType::Clocked(_)) { format!(" OR NOT isfinite(q.{column})") } else { String::new() };
        format!("SELECT count(*) FROM {} AS q WHERE q.{column} IS NULL{infinite}", from(reads))
    }

    fn no_cursor(&self) -> &'static str {
        "it is NULL or infinite"
    }

    fn ties(&self, reads: &Reads, cursor: &str, number: &str) -> String {
        format!("SELECT count(*) FROM {} AS q WHERE q.{} = {}::bigint", from(reads), exact(cursor), bound(number))
    }

    fn window(&self, reads: &Reads, incremental: &Incremental, range: &Range) -> String {
        let column = exact(&incremental.cursor);
        let end = format!("{}::{}", bound(&range.end), range.ty);
        let wide = match incremental.window {
            None => end.clone(),
            Some(Width::Seconds(seconds)) if range.ty == "date" => {
                format!("least(greatest((w.first + interval '{seconds} seconds')::date, w.first + 1), {end})")
            }
            Some(Width::Seconds(seconds)) => format!("least(w.first + interval '{seconds} seconds', {end})"),
            Some(Width::Numbers(numbers)) => format!("least(w.first::numeric + {numbers}, {end})::bigint"),
        };
        format!(
            "SELECT w.first::text, ({wide})::text FROM (SELECT min(q.{column}) AS first FROM {} AS q WHERE {}) AS w",
            from(reads),
            within(&column, range)
        )
    }

    fn extremes(&self, reads: &Reads, column: &str, range: Option<(&str, &Range)>) -> String {
        let column = exact(column);
        // Without OFFSET an index over the number might be gone through for the least one within the range.
        let rest = range.map(|(cursor, range)| format!(" WHERE {} OFFSET 0", within(&exact(cursor), range)));
        format!(
            "SELECT min(w.{column})::text, max(w.{column})::text FROM (SELECT q.{column} FROM {} AS q{}) AS w",
            from(reads),
            rest.unwrap_or_default()
        )
    }

    fn share(&self) -> Option<&'static str> {
        Some("SELECT pg_catalog.pg_export_snapshot()")
    }

    fn sharing(&self, snapshot: &str) -> Vec<String> {
        vec![self.begin().to_owned(), format!("SET TRANSACTION SNAPSHOT {}", bound(snapshot))]
    }

    fn rows(
        &self,
        reads: &Reads,
        columns: &[(&str, &str)],
        range: Option<(&str, &Range)>,
        part: Option<&Part<'_>>,
    ) -> String {
        let mut values: Vec<String> = columns.iter().map(|(column, ty)| read(column, ty)).collect();
        values.extend(range.map(|(cursor, _)| format!("q.{}", exact(cursor))));
        let number = |number: i128| format!("{}::bigint", bound(&number.to_string()));
        let within = range.map(|(cursor, range)| within(&exact(cursor), range));
        let part = part.and_then(|part| part.within(&exact(part.by), number));
        let order = range.map(|(cursor, _)| format!(" ORDER BY q.{}", exact(cursor)));
        let rest = filtered(within, part) + &order.unwrap_or_default();
        let values = values.join(", ");
        format!(
            "COPY (SELECT {values} FROM {} AS q{rest}) TO STDOUT (FORMAT csv, NULL '{NULL}', FORCE_QUOTE *)",
            from(reads)
        )
    }

    fn bounds(&self, bounds: [&str; 2], ty: &str) -> Result<String, String> {
        let [start, end] = bounds.map(|text| format!("{}::{ty}", bound(text)));
        Ok(format!("SELECT ({start})::text, ({end})::text, {start} < {end}"))
    }

    fn says_utc(&self) -> &'static str {
        "`alter role … set timezone = 'UTC'`"
    }

    fn shows_transactions(&self) -> &'static str {
        "`grant pg_read_all_stats` to this user"
    }

    fn shows_replication(&self) -> &'static str {
        ""
    }

    fn columns(&self, table: &str) -> String {
        let named: Vec<String> = table.split('.').map(exact).collect();
        let named = bound(&named.join("."));
        format!(
            "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, EXISTS (SELECT FROM \
             pg_catalog.pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) FROM \
             pg_catalog.pg_attribute AS a WHERE a.attrelid = to_regclass({named}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        )
    }

    fn field_type(&self, ty: &str) -> (String, Option<&'static str>) {
        let same = ["boolean", "smallint", "integer", "bigint", "real", "double precision", "date"];
        let ty = ty.trim();
        let found = match ty {
            ty if same.contains(&ty) => ty,
            "timestamp without time zone" => "timestamp",
            "timestamp with time zone" => "timestamptz",
            "json" | "jsonb" => "super",
            "money" => "decimal(19,2)",
            "numeric" => return ("decimal(38,9)".to_owned(), Some("how many digits?")),
            _ => match ty.strip_prefix("numeric(").and_then(|rest| rest.strip_suffix(')')) {
                Some(digits) => return database::decimal(digits),
                None if ty.starts_with("timestamp(") && ty.ends_with("with time zone") => "timestamptz",
                None if ty.starts_with("timestamp(") => "timestamp",
                None => "text",
            },
        };
        (found.to_owned(), None)
    }
}

/// Up to when a replica has replayed its primary, where that is before the lag: its clock is that time, and not the server's.
const REPLAYED: &str = "CASE WHEN pg_catalog.pg_is_in_recovery() AND h.clock < statement_timestamp() - h.lag \
     THEN coalesce(pg_catalog.pg_last_xact_replay_timestamp()::text, '') END";
const HIDDEN: &str = "count(*) FILTER (WHERE a.query = '<insufficient privilege>')";
const PREPARED: &str = "(SELECT count(*) FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = current_database())";
/// The sessions that may write: those of people and programs.
const OTHERS: &str = "pg_catalog.pg_stat_activity AS a WHERE a.datname = current_database() \
     AND a.pid <> pg_catalog.pg_backend_pid() AND (a.query = '<insufficient privilege>' OR a.xact_start IS NOT NULL \
     AND a.backend_type IN ('client backend', 'background worker', 'logical replication worker'))";

/// How a column is read: what would be written as the server's place has it is written as a number.
fn read(column: &str, ty: &str) -> String {
    match ty {
        "money" => format!("q.{}::numeric", exact(column)),
        _ => format!("q.{}", exact(column)),
    }
}

fn within(column: &str, range: &Range) -> String {
    let ty = range.ty;
    let start = match &range.start {
        Some(start) => format!("q.{column} >= {}::{ty}", bound(start)),
        None if ty == "bigint" => format!("q.{column} IS NOT NULL"),
        None => format!("q.{column} > '-infinity'::{ty}"),
    };
    format!("{start} AND q.{column} < {}::{ty}", bound(&range.end))
}

fn from(reads: &Reads) -> String {
    match &reads.rows {
        Relation::Table(None, name) => exact(name),
        Relation::Table(Some(schema), name) => format!("{}.{}", exact(schema), exact(name)),
        // The query may end in a comment.
        Relation::Query(query) => format!("({query}\n)"),
    }
}
