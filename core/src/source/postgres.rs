//! PostgreSQL: a table or a query, read by `COPY … TO STDOUT`, and the statements that say what of it is new.
//!
//! Rows come as CSV in which every value is quoted and NULL is `\N` without quotes, so that no value can be taken for
//! another; the settings of the session say how values are written: times in UTC by ISO 8601, floats with all their digits,
//! bytes in hexadecimal.

use crate::diagnostic::Code;
use crate::spec::{Filled, Form, Hint, Keys, Mapping, Mismatch, Placeholder, Text};
use crate::sql::quote::{bound, exact};

use super::Location;
use super::database::{self, Clocked, Database, INCREMENTAL, Incremental, Range, Reads, Relation, Width};

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
            Url,
            "Where it is: `postgres://user@host/database`, with `?sslmode=verify-full`; the password by `${secret:…}` or \
             `${VARIABLE}`.",
        );
        let rows = database::relation(keys);
        let incremental = keys.optional(
            "incremental",
            INCREMENTAL,
            "What of the rows is new, by a cursor. If not said, each run reads all rows.",
        );
        Database {
            url: url.unwrap_or_else(|| Text::empty(keys.owner())),
            reads: Reads { rows: rows.unwrap_or(Relation::Table(None, String::new())), incremental },
        }
    },
};

/// `postgres://…`, with or out of placeholders.
struct Url;

impl Form for Url {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a URL such as `postgres://user@host/database`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        let is_one = ["postgres://", "postgresql://", "${"].iter().any(|start| text.text.starts_with(start));
        if is_one {
            return Ok(text.clone());
        }
        // It may hold a password, which no message repeats.
        Err(Mismatch::new(Code::WrongValue, format!("`{key}` does not begin with `postgres://`"))
            .with_help("write `postgres://user:${secret:name}@host/database`"))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^(postgres(ql)?://|\\$\\{)")
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// The URL with the values of its `${…}`. A secret that is all of the password may have any characters: it is encoded as a URL has
/// them.
pub(super) fn fill<E>(url: &Text, mut value: impl FnMut(Placeholder<'_>) -> Result<String, E>) -> Result<Filled, E> {
    url.fill(|asked| {
        let is_password = matches!(asked, Placeholder::Secret(_)) && url.text.contains(&format!(":{asked}@"));
        value(asked).map(|value| if is_password { encoded(&value) } else { value })
    })
}

/// A text with `%` and two digits in place of each byte that is no letter, digit, `-`, `.`, `_` or `~`.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Whether a password stands in a URL that holds no secret.
pub(super) fn has_password_in_clear(url: &Filled) -> bool {
    let after = url.reveal().split_once("://").map_or("", |(_, after)| after);
    let (place, query) = after.split_once('?').unwrap_or((after, ""));
    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
    let has_password = user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
        || query.split('&').any(|word| word.strip_prefix("password=").is_some_and(|password| !password.is_empty()));
    has_password && !url.holds_secret()
}

/// The settings of the session, so that a value is always written alike, nothing is written to the database, and nothing
/// waits without end. One row: last the time zone that holds for the user otherwise, and how many seconds it is behind UTC at most.
pub(super) fn settings() -> String {
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
    format!(
        "SELECT {}, s.reset_val, extract(epoch FROM greatest({}))::bigint FROM pg_catalog.pg_settings AS s WHERE s.name = 'TimeZone'",
        set.join(", "),
        behind.join(", ")
    )
}

/// One row: the type of each column, in order.
pub(super) fn types(reads: &Reads, columns: &[&str]) -> String {
    let types: Vec<String> =
        columns.iter().map(|column| format!("pg_catalog.pg_typeof(q.{})::text", exact(column))).collect();
    // The types are there without a row, and no row is read.
    format!(
        "SELECT {} FROM (SELECT 1) AS one LEFT JOIN (SELECT * FROM {} AS r LIMIT 0) AS q ON true",
        types.join(", "),
        from(reads)
    )
}

/// How a column is read: what would be written as the server's place has it is written as a number.
fn read(column: &str, ty: &str) -> String {
    match ty {
        "money" => format!("q.{}::numeric", exact(column)),
        _ => format!("q.{}", exact(column)),
    }
}

/// Before the snapshot: where a window must end. One row: the end; since when the oldest open transaction is open, if it
/// ends there, and whose it is; how many sessions do not show it; how many transactions are prepared; whether this is a
/// replica.
pub(super) fn horizon(incremental: &Incremental, ty: Clocked) -> String {
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
         pg_catalog.pg_is_in_recovery() FROM (SELECT {clock} AS clock, min(a.xact_start) AS oldest, \
         (array_agg(a.usename || ', process ' || a.pid ORDER BY a.xact_start))[1] AS whose, {HIDDEN} AS hidden, \
         {PREPARED} AS prepared FROM {OTHERS}) AS h"
    )
}

const HIDDEN: &str = "count(*) FILTER (WHERE a.query = '<insufficient privilege>')";
const PREPARED: &str = "(SELECT count(*) FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = current_database())";
/// The sessions that may write: those of people and programs.
const OTHERS: &str = "pg_catalog.pg_stat_activity AS a WHERE a.datname = current_database() \
     AND a.pid <> pg_catalog.pg_backend_pid() AND (a.query = '<insufficient privilege>' OR a.xact_start IS NOT NULL \
     AND a.backend_type IN ('client backend', 'background worker', 'logical replication worker'))";

/// Before the snapshot: the greatest number, and when it was looked at.
pub(super) fn greatest(reads: &Reads, cursor: &str) -> String {
    format!("SELECT max(q.{})::text, clock_timestamp()::text FROM {} AS q", exact(cursor), from(reads))
}

/// Whether transactions are open that began by a time. One row: since when the oldest is open, and whose it is; hidden,
/// prepared and replica as in [`horizon`].
pub(super) fn open_since(time: &str) -> String {
    let began = format!("FILTER (WHERE a.xact_start <= {}::timestamptz)", bound(time));
    format!(
        "SELECT min(a.xact_start) {began}::text, (array_agg(a.usename || ', process ' || a.pid ORDER BY a.xact_start) \
         {began})[1], {HIDDEN}, {PREPARED}, pg_catalog.pg_is_in_recovery() FROM {OTHERS}"
    )
}

/// Begins a transaction in which everything is as it was at its first statement.
pub(super) const BEGIN: &str = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
pub(super) const END: &str = "COMMIT";

/// In the snapshot: rows without a cursor, counted.
pub(super) fn without_cursor(reads: &Reads, cursor: &str, is_clocked: bool) -> String {
    let column = exact(cursor);
    let infinite = if is_clocked { format!(" OR NOT isfinite(q.{column})") } else { String::new() };
    format!("SELECT count(*) FROM {} AS q WHERE q.{column} IS NULL{infinite}", from(reads))
}

/// In the snapshot: how many rows have a number.
pub(super) fn ties(reads: &Reads, cursor: &str, number: &str) -> String {
    format!("SELECT count(*) FROM {} AS q WHERE q.{} = {}::bigint", from(reads), exact(cursor), bound(number))
}

/// In the snapshot: the least cursor of a range, and where a window that begins there ends. NULL where there is no row.
pub(super) fn window(reads: &Reads, incremental: &Incremental, range: &Range) -> String {
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

/// The rows of a range, or all rows; with a range, in its order, and with the cursor behind the columns.
pub(super) fn copy(reads: &Reads, columns: &[(&str, &str)], range: Option<(&str, &Range)>) -> String {
    let mut values: Vec<String> = columns.iter().map(|(column, ty)| read(column, ty)).collect();
    let mut rest = String::new();
    if let Some((cursor, range)) = range {
        let column = exact(cursor);
        values.push(format!("q.{column}"));
        rest = format!(" WHERE {} ORDER BY q.{column}", within(&column, range));
    }
    let values = values.join(", ");
    format!(
        "COPY (SELECT {values} FROM {} AS q{rest}) TO STDOUT (FORMAT csv, NULL '{NULL}', FORCE_QUOTE *)",
        from(reads)
    )
}

/// Bounds as the source writes them, and whether the first is before the second.
pub(super) fn bounds(bounds: [&str; 2], ty: &str) -> String {
    let [start, end] = bounds.map(|text| format!("{}::{ty}", bound(text)));
    format!("SELECT ({start})::text, ({end})::text, {start} < {end}")
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

/// The columns of a table, in order: name, type, whether it has a value always, whether it is of the primary key.
pub(super) fn columns(table: &str) -> String {
    let named: Vec<String> = table.split('.').map(exact).collect();
    let named = bound(&named.join("."));
    format!(
        "SELECT a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, EXISTS (SELECT FROM \
         pg_catalog.pg_index AS i WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)) FROM \
         pg_catalog.pg_attribute AS a WHERE a.attrelid = to_regclass({named}) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
}

/// The type of a field for a column of a type, and what is to be looked at.
pub(super) fn field_type(ty: &str) -> (String, Option<&'static str>) {
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
            Some(digits) => return decimal(digits),
            None if ty.starts_with("timestamp(") && ty.ends_with("with time zone") => "timestamptz",
            None if ty.starts_with("timestamp(") => "timestamp",
            None => "text",
        },
    };
    (found.to_owned(), None)
}

/// A decimal of so many digits; one that has more than a field can have is a text.
fn decimal(digits: &str) -> (String, Option<&'static str>) {
    let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
    match (precision.parse::<u32>(), scale.parse::<u32>()) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => (format!("decimal({precision},{scale})"), None),
        _ => ("text".to_owned(), Some("it has more digits than a decimal")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::error::Error;

    fn filled(url: &str) -> Filled {
        let value = |asked: Placeholder<'_>| {
            Ok::<_, Error>(match asked {
                Placeholder::Secret(_) => "p/w@1 %".to_owned(),
                Placeholder::Variable(_) => "host".to_owned(),
            })
        };
        fill(&Text::meaning(url, Span::default()), value).unwrap()
    }

    #[test]
    fn a_password_that_is_a_secret_is_encoded_as_a_url_has_it() {
        assert_eq!(filled("postgres://u:${secret:db}@${HOST}/d").reveal(), "postgres://u:p%2Fw%401%20%25@host/d");
        assert_eq!(filled("${secret:url}").reveal(), "p/w@1 %");
    }

    #[test]
    fn a_password_in_the_clear_is_told_from_a_secret() {
        for (url, is_clear) in [
            ("postgres://u:${secret:db}@h/d", false),
            ("postgres://u@h/d?sslmode=disable", false),
            ("postgres:///d?host=/run/a@b:c", false),
            ("postgres://u:pw@h/d", true),
            ("postgres://u:${HOST}@h/d", true),
            ("postgres://h/d?user=u&password=pw", true),
        ] {
            assert_eq!(has_password_in_clear(&filled(url)), is_clear, "{url}");
        }
    }
}
