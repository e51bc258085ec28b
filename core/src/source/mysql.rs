//! MySQL and MariaDB: a table or a query, read row by row, and the statements that say what of it is new.
//!
//! Rows come as texts as the server writes them. Where such a text would lack something, the statement has it written otherwise:
//! a `timestamp` with its zone, a `float` with all its digits, bytes in hexadecimal, bits as digits.
//!
//! **What is open is looked for in this order**: which statements run; then a transaction of our own begins; then transactions. A
//! statement has its time before it has a transaction, and a transaction may have no statement at the moment: whoever is not seen
//! by one look is seen by the other, or has begun after both. The server keeps a look at transactions for a tenth of a second;
//! one in which ours is missing is older than our look at statements, and is repeated. Statements that read like these are marked, so
//! that readings hold nothing back for each other.

use crate::spec::{Keys, Mapping};
use crate::sql::quote::{backticked, escaped, number};

use super::Location;
use super::database::{self, Clocked, CursorType, Database, Incremental, Part, Range, Reads, Relation, Url, Width};
use super::statements::{Statements, filtered};

/// What the kind is called, in a pipeline file and in the identity of an input.
pub(crate) const KIND: &str = "mysql";

/// What statements of a landing begin with.
const MARK: &str = "/* etalon reads */ ";

/// What its URL begins with.
pub(super) const SCHEMES: &[&str] = &["mysql://", "mariadb://"];

pub(super) fn key(keys: &mut Keys<'_>) -> Option<Location> {
    keys.optional(KIND, MYSQL, "A table or a query of a MySQL or a MariaDB.").map(Location::Mysql)
}

const MYSQL: Mapping<Database> = Mapping {
    title: "mysql",
    doc: "A table or a query of a MySQL or a MariaDB. What is read lands in the store first, and is loaded from there.",
    may_be_empty: false,
    keys: |keys| {
        let url = keys.required(
            "url",
            URL,
            "Where it is: `mysql://user@host/database`, with `?ssl-mode=verify_identity`; the password by `${secret:…}` or \
             `${VARIABLE}`.",
        );
        database::of(keys, url, database::SPLIT)
    },
};

const URL: Url = Url {
    schemes: SCHEMES,
    noun: "a URL such as `mysql://user@host/database`",
    help: "write `mysql://user:${secret:name}@host/database`",
    pattern: "^((mysql|mariadb)://|\\$\\{)",
};

/// The statements of MySQL and of MariaDB.
#[derive(Debug)]
pub(super) struct Mysql;

impl Statements for Mysql {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn settings(&self) -> Vec<String> {
        let behind = ["2026-01-01", "2026-07-01"].map(|day| {
            format!(
                "TIMESTAMPDIFF(SECOND, CONVERT_TZ('{day} 00:00:00', '+00:00', @@session.time_zone), '{day} 00:00:00')"
            )
        });
        vec![
            format!(
                "{MARK}SELECT IF(@@session.time_zone = 'SYSTEM', @@system_time_zone, @@session.time_zone), GREATEST({})",
                behind.join(", ")
            ),
            "SET NAMES utf8mb4".to_owned(),
            // What stands in comments only one of both knows. A server may cut every answer, or show tables as they were.
            "SET time_zone = '+00:00', sql_mode = '', lock_wait_timeout = 60, net_write_timeout = 600, wait_timeout = 600, \
             sql_select_limit = 18446744073709551615 /*!50708 , max_execution_time = 3600000 */ \
             /*M! , max_statement_time = 3600 */ /*M!100304 , system_versioning_asof = DEFAULT */"
                .to_owned(),
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY".to_owned(),
        ]
    }

    fn types(&self, reads: &Reads, columns: &[&str]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| format!("q.{}", backticked(column))).collect();
        format!("{MARK}SELECT {} FROM {} AS q LIMIT 0", columns.join(", "), from(reads))
    }

    fn unreadable(&self, ty: &str) -> Option<&'static str> {
        let is_known = ty != "vector" && !ty.starts_with("number ");
        (!is_known).then_some("leave it out, or convert it in a `query`")
    }

    fn cursor_type(&self, ty: &str) -> Option<CursorType> {
        Some(match ty.split('(').next().unwrap_or_default() {
            "timestamp" => CursorType::Clocked(Clocked::Timestamptz),
            "datetime" => CursorType::Clocked(Clocked::Timestamp),
            "date" => CursorType::Clocked(Clocked::Date),
            _ => match ty.strip_suffix(" unsigned").unwrap_or(ty) {
                "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => CursorType::Number,
                _ => return None,
            },
        })
    }

    fn cursor_types(&self) -> &'static str {
        "a timestamp, a datetime, a date or a whole number"
    }

    fn bounds_type(&self, ty: CursorType) -> &'static str {
        match ty {
            CursorType::Clocked(Clocked::Timestamptz) => "timestamp",
            CursorType::Clocked(Clocked::Timestamp) => "datetime",
            CursorType::Clocked(Clocked::Date) => "date",
            CursorType::Number => "bigint",
        }
    }

    fn number_max(&self) -> i128 {
        u64::MAX.into()
    }

    fn before_look(&self, since: Option<&str>) -> Vec<String> {
        // How long a statement runs is told in whole seconds.
        let began = "UTC_TIMESTAMP(6) - INTERVAL GREATEST(CAST(p.TIME AS SIGNED), 0) + 1 SECOND";
        let since = since.map(|since| format!(" AND {began} <= {}", time(since))).unwrap_or_default();
        vec![
            format!(
                "{MARK}SELECT UTC_TIMESTAMP(6), MIN({began}), SUBSTRING_INDEX(GROUP_CONCAT(CONCAT(p.USER, ', connection ', p.ID) \
                 ORDER BY p.TIME DESC SEPARATOR ';'), ';', 1) INTO @etalon_clock, @etalon_began, @etalon_whose \
                 FROM information_schema.PROCESSLIST AS p WHERE p.ID <> CONNECTION_ID() \
                 AND p.COMMAND NOT IN ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID') \
                 AND COALESCE(p.INFO, '') NOT LIKE '{MARK}%'{since}"
            ),
            self.begin().to_owned(),
        ]
    }

    fn horizon(&self, incremental: &Incremental, ty: Clocked, found: &str) -> String {
        let lag = incremental.lag;
        if !incremental.waits {
            let end = end(&format!("(UTC_TIMESTAMP(6) - INTERVAL {lag} SECOND)"), ty, found);
            return format!("{MARK}SELECT {end}, NULL, NULL, '0', '0', {REPLICA}, NULL");
        }
        let end = end(&format!("(LEAST(h.clock, COALESCE(h.began, h.clock)) - INTERVAL {lag} SECOND)"), ty, found);
        format!(
            "{MARK}SELECT {end}, CASE WHEN h.began < h.clock - INTERVAL {lag} SECOND THEN h.began END, h.whose, '0', h.prepared, \
             {REPLICA}, h.is_old FROM ({}) AS h",
            open("")
        )
    }

    fn behind(&self) -> Option<&'static str> {
        // MariaDB may have several primaries; the first comment is its own, the second MySQL's.
        Some("/* etalon reads */ SHOW /*M! ALL SLAVES */ /*!80022 REPLICA */ STATUS")
    }

    fn server(&self) -> &'static str {
        "/* etalon reads */ SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED), \
         CONCAT(IF(VERSION() LIKE '%MariaDB%', 'MariaDB ', 'MySQL '), SUBSTRING_INDEX(VERSION(), '-', 1))"
    }

    fn indexed(&self, schema: Option<&str>, table: &str, column: &str) -> String {
        let schema = schema.map_or_else(|| "DATABASE()".to_owned(), escaped);
        let table = escaped(table);
        format!(
            "{MARK}SELECT IF(EXISTS (SELECT 1 FROM information_schema.STATISTICS AS s WHERE s.TABLE_SCHEMA = {schema} \
             AND s.TABLE_NAME = {table} AND s.SEQ_IN_INDEX = 1 AND s.COLUMN_NAME = {}), 't', 'f') FROM information_schema.TABLES AS c \
             WHERE c.TABLE_SCHEMA = {schema} AND c.TABLE_NAME = {table} AND c.TABLE_TYPE = 'BASE TABLE'",
            escaped(column)
        )
    }

    fn greatest(&self, reads: &Reads, cursor: &str) -> Vec<String> {
        let greatest = format!("{MARK}SELECT MAX(q.{}) FROM {} AS q", backticked(cursor), from(reads));
        // The time of a statement is that of its beginning, which is no time after the look.
        vec![greatest, format!("{MARK}SELECT UTC_TIMESTAMP(6)")]
    }

    fn open_since(&self, since: &str) -> String {
        format!(
            "{MARK}SELECT h.began, h.whose, '0', h.prepared, {REPLICA}, h.is_old FROM ({}) AS h",
            open(&format!(" AND o.began <= {}", time(since)))
        )
    }

    fn begin(&self) -> &'static str {
        "/* etalon reads */ START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    }

    fn without_cursor(&self, reads: &Reads, cursor: &str, ty: CursorType) -> String {
        let column = backticked(cursor);
        let zero = match ty {
            CursorType::Clocked(_) => {
                format!(" OR q.{column} < {}", least(self.bounds_type(ty)))
            }
            CursorType::Number => String::new(),
        };
        format!("{MARK}SELECT COUNT(*) FROM {} AS q WHERE q.{column} IS NULL{zero}", from(reads))
    }

    fn no_cursor(&self) -> &'static str {
        "it is NULL or zero"
    }

    fn ties(&self, reads: &Reads, cursor: &str, at: &str) -> String {
        format!("{MARK}SELECT COUNT(*) FROM {} AS q WHERE q.{} = {}", from(reads), backticked(cursor), number(at))
    }

    fn window(&self, reads: &Reads, incremental: &Incremental, range: &Range) -> String {
        let column = backticked(&incremental.cursor);
        let end = literal(&range.end, range.ty);
        let wide = match incremental.window {
            None => end,
            Some(Width::Seconds(seconds)) if range.ty == "date" => format!(
                "COALESCE(LEAST(GREATEST(DATE(w.first + INTERVAL {seconds} SECOND), w.first + INTERVAL 1 DAY), {end}), {end})"
            ),
            // What lies beyond the last time that there is, is NULL.
            Some(Width::Seconds(seconds)) => {
                format!("COALESCE(LEAST(w.first + INTERVAL {seconds} SECOND, {end}), {end})")
            }
            Some(Width::Numbers(numbers)) => format!("LEAST(CAST(w.first AS DECIMAL(21,0)) + {numbers}, {end})"),
        };
        format!(
            "{MARK}SELECT w.first, {wide} FROM (SELECT MIN(q.{column}) AS first FROM {} AS q WHERE {}) AS w",
            from(reads),
            within(&column, range)
        )
    }

    fn extremes(&self, reads: &Reads, column: &str, range: Option<(&str, &Range)>) -> String {
        let column = backticked(column);
        let rest = range.map(|(cursor, range)| format!(" WHERE {}", within(&backticked(cursor), range)));
        format!("{MARK}SELECT MIN(q.{column}), MAX(q.{column}) FROM {} AS q{}", from(reads), rest.unwrap_or_default())
    }

    fn share(&self) -> Option<&'static str> {
        // Two transactions have one snapshot only while nobody writes, and to keep writers out needs a right.
        None
    }

    fn sharing(&self, _snapshot: &str) -> Vec<String> {
        Vec::new()
    }

    fn rows(
        &self,
        reads: &Reads,
        columns: &[(&str, &str)],
        range: Option<(&str, &Range)>,
        part: Option<&Part<'_>>,
    ) -> String {
        let mut values: Vec<String> = columns.iter().map(|(column, ty)| read(column, ty)).collect();
        values.extend(range.map(|(cursor, _)| format!("q.{}", backticked(cursor))));
        let within = range.map(|(cursor, range)| within(&backticked(cursor), range));
        let part = part.and_then(|part| part.within(&backticked(part.by), |at| number(&at.to_string())));
        let order = range.map(|(cursor, _)| format!(" ORDER BY q.{}", backticked(cursor)));
        let rest = filtered(within, part) + &order.unwrap_or_default();
        format!("{MARK}SELECT {} FROM {} AS q{rest}", values.join(", "), from(reads))
    }

    fn bounds(&self, bounds: [&str; 2], ty: &str) -> Result<String, String> {
        let read = |text: &str| match ty {
            "bigint" => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let is_number = (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then(|| number(text)).ok_or_else(|| format!("`{text}` is not a whole number"))
            }
            _ => {
                let (to, form) = match ty {
                    "date" => ("DATE", "2026-01-31"),
                    _ => ("DATETIME(6)", "2026-01-31 12:00:00"),
                };
                let read = plain_time(text).filter(|time| ty != "date" || time.len() == 10);
                let read = read.ok_or_else(|| format!("`{text}` is not a {ty} in UTC such as `{form}`"))?;
                Ok(format!("CAST({} AS {to})", escaped(&read)))
            }
        };
        let [start, end] = bounds.map(read);
        let (start, end) = (start?, end?);
        Ok(format!("{MARK}SELECT {start}, {end}, IF({start} < {end}, 't', 'f')"))
    }

    fn says_utc(&self) -> &'static str {
        "`set global time_zone = '+00:00'`"
    }

    fn shows_transactions(&self) -> &'static str {
        "`grant process on *.* to` this user"
    }

    fn shows_replication(&self) -> &'static str {
        "`grant replication client on *.* to` this user (MySQL), or `grant slave monitor on *.* to` it (MariaDB)"
    }

    fn columns(&self, table: &str) -> String {
        let (schema, name) = match table.split_once('.') {
            Some((schema, name)) => (escaped(schema), name),
            None => ("DATABASE()".to_owned(), table),
        };
        format!(
            "SELECT c.COLUMN_NAME, c.COLUMN_TYPE, IF(c.IS_NULLABLE = 'NO', 't', 'f'), IF(c.COLUMN_KEY = 'PRI', 't', 'f') \
             FROM information_schema.COLUMNS AS c WHERE c.TABLE_SCHEMA = {schema} AND c.TABLE_NAME = {} \
             ORDER BY c.ORDINAL_POSITION",
            escaped(name)
        )
    }

    fn field_type(&self, ty: &str) -> (String, Option<&'static str>) {
        let ty = ty.to_ascii_lowercase();
        let is_unsigned = ty.contains(" unsigned");
        let end = ty.find([' ', '(']).unwrap_or(ty.len());
        let (name, rest) = ty.split_at_checked(end).unwrap_or((&ty, ""));
        let within = rest.strip_prefix('(').and_then(|rest| rest.split(')').next()).unwrap_or_default();
        let found = match (name, within) {
            ("tinyint", "1") => return ("boolean".to_owned(), Some("is it 0 or 1? otherwise a smallint")),
            ("bit", "1") => "boolean",
            ("tinyint" | "year", _) => "smallint",
            ("smallint", _) if !is_unsigned => "smallint",
            ("smallint" | "mediumint", _) => "integer",
            ("int", _) if !is_unsigned => "integer",
            ("int", _) => "bigint",
            ("bigint", _) if !is_unsigned => "bigint",
            ("bigint", _) => "decimal(20,0)",
            ("decimal", digits) => return database::decimal(digits),
            ("float", _) => "real",
            ("double", _) => "double precision",
            ("date", _) => "date",
            ("datetime", _) => "timestamp",
            ("timestamp", _) => "timestamptz",
            ("json", _) => "super",
            _ => "text",
        };
        (found.to_owned(), None)
    }
}

/// Whether this is a replica: what is open on the primary is not seen here.
const REPLICA: &str = "IF(@@global.read_only OR @@global.innodb_read_only OR EXISTS (SELECT 1 FROM \
     information_schema.PROCESSLIST AS p WHERE p.USER = 'system user' AND p.COMMAND IN ('Connect', 'Slave_IO', 'Slave_SQL')), 't', 'f')";

/// One row of what is open: the clock before the looks; since when the oldest is open that is meant, and whose it is; how many
/// transactions are prepared; who looked, where the look is older than ours.
fn open(meant: &str) -> String {
    // The server writes when a transaction began by the clock of its system, and an hour that comes twice is taken for the first.
    let began =
        "IF(CONVERT_TZ(u.began - INTERVAL 1 HOUR, '+00:00', 'SYSTEM') = u.shown, u.began - INTERVAL 1 HOUR, u.began)";
    let transactions = format!(
        "SELECT u.id, u.is_read_only, u.changed, {began} AS began FROM (SELECT t.trx_mysql_thread_id AS id, \
         t.trx_is_read_only AS is_read_only, t.trx_rows_modified AS changed, t.trx_started AS shown, \
         CONVERT_TZ(t.trx_started, 'SYSTEM', '+00:00') AS began FROM information_schema.INNODB_TRX AS t) AS u"
    );
    let writes = format!("o.is_read_only = 0 AND o.id NOT IN (0, CONNECTION_ID()){meant}");
    format!(
        "SELECT l.clock, LEAST(COALESCE(l.trx, l.statement), COALESCE(l.statement, l.trx)) AS began, \
         IF(l.trx IS NULL OR l.statement < l.trx, @etalon_whose, l.whose) AS whose, l.prepared, l.is_old FROM (SELECT \
         CAST(@etalon_clock AS DATETIME(6)) AS clock, CAST(@etalon_began AS DATETIME(6)) AS statement, \
         MIN(IF({writes}, o.began, NULL)) AS trx, CONCAT('connection ', SUBSTRING_INDEX(GROUP_CONCAT(IF({writes}, o.id, NULL) \
         ORDER BY o.began), ',', 1)) AS whose, CAST(COALESCE(SUM(o.id = 0 AND o.changed > 0), 0) AS SIGNED) AS prepared, \
         IF(COALESCE(SUM(o.id = CONNECTION_ID()), 0) = 0, CONNECTION_ID(), NULL) AS is_old FROM ({transactions}) AS o) AS l"
    )
}

/// Where a window ends at a time: at a whole second, unless the column has all parts of one; what is written into it later in the
/// same second may have the same value.
fn end(time: &str, ty: Clocked, found: &str) -> String {
    match ty {
        Clocked::Timestamptz | Clocked::Timestamp if found.ends_with("(6)") => format!("CAST({time} AS DATETIME(6))"),
        Clocked::Timestamptz | Clocked::Timestamp => {
            format!("CAST({time} - INTERVAL MICROSECOND({time}) MICROSECOND AS DATETIME(6))")
        }
        Clocked::Date => format!("DATE({time})"),
    }
}

/// How a column is read, so that nothing of it is lost.
fn read(column: &str, ty: &str) -> String {
    let column = backticked(column);
    match ty {
        ty if ty.starts_with("timestamp(") => format!("CONCAT(q.{column}, '+00')"),
        // As a number of double precision it has all its digits.
        "float" => format!("q.{column} + 0e0"),
        "binary" => format!("CONCAT(0x5c78, LOWER(HEX(q.{column})))"),
        "geometry" => format!("CONCAT('SRID=', ST_SRID(q.{column}), ';', ST_AsText(q.{column}))"),
        _ => match ty.strip_prefix("bit(").and_then(|rest| rest.strip_suffix(')')) {
            Some(length) => format!("LPAD(BIN(q.{column} + 0), {}, '0')", number(length)),
            None => format!("q.{column}"),
        },
    }
}

fn within(column: &str, range: &Range) -> String {
    let start = match &range.start {
        Some(start) => format!("q.{column} >= {}", literal(start, range.ty)),
        None if range.ty == "bigint" => format!("q.{column} IS NOT NULL"),
        None => format!("q.{column} >= {}", least(range.ty)),
    };
    format!("{start} AND q.{column} < {}", literal(&range.end, range.ty))
}

/// The least value of a cursor of a type: below it are zeros.
fn least(ty: &str) -> &'static str {
    match ty {
        "timestamp" => "TIMESTAMP'1970-01-01 00:00:01'",
        "date" => "DATE'0001-01-01'",
        _ => "TIMESTAMP'0001-01-01 00:00:00'",
    }
}

fn literal(text: &str, ty: &str) -> String {
    match ty {
        "bigint" => number(text),
        "date" => format!("DATE{}", escaped(text)),
        _ => time(text),
    }
}

fn time(text: &str) -> String {
    format!("TIMESTAMP{}", escaped(text))
}

fn from(reads: &Reads) -> String {
    match &reads.rows {
        Relation::Table(None, name) => backticked(name),
        Relation::Table(Some(schema), name) => format!("{}.{}", backticked(schema), backticked(name)),
        // The query may end in a comment.
        Relation::Query(query) => format!("({query}\n)"),
    }
}

/// A time in UTC as the server reads it without doubt: a date, or a date and a time with at most six digits of a second. An offset
/// that is none is left out.
fn plain_time(text: &str) -> Option<String> {
    let text = text.trim();
    let text = ["Z", "+00:00", "+00"].iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(text);
    let (date, time) = text.split_once(['T', ' ']).map_or((text, None), |(date, time)| (date, Some(time)));
    let has_form = |text: &str, form: &str| {
        text.len() == form.len()
            && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                form => byte == form,
            })
    };
    if !has_form(date, "0000-00-00") {
        return None;
    }
    let Some(time) = time else { return Some(date.to_owned()) };
    let (whole, parts) = time.split_once('.').map_or((time, None), |(whole, parts)| (whole, Some(parts)));
    let is_time = match parts {
        None => has_form(whole, "00:00") || has_form(whole, "00:00:00"),
        Some(parts) => {
            has_form(whole, "00:00:00")
                && (1..=6).contains(&parts.len())
                && parts.bytes().all(|byte| byte.is_ascii_digit())
        }
    };
    is_time.then(|| format!("{date} {time}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_time_in_utc_or_none() {
        for (text, read) in [
            ("2026-01-31", Some("2026-01-31")),
            ("2026-01-31T10:00", Some("2026-01-31 10:00")),
            ("2026-01-31 10:00:00.123456+00", Some("2026-01-31 10:00:00.123456")),
            ("2026-01-31T10:00:00Z", Some("2026-01-31 10:00:00")),
            ("2026-01-31 10:00:00+02", None),
            ("2026-01-31 10:00:00.1234567", None),
            ("2026-1-31", None),
            ("yesterday", None),
        ] {
            assert_eq!(plain_time(text).as_deref(), read, "{text}");
        }
    }

    #[test]
    fn bounds_are_of_the_type_of_the_cursor() {
        let bounds = |texts, ty| Mysql.bounds(texts, ty);
        assert_eq!(bounds(["1", "-2"], "bigint").unwrap(), "/* etalon reads */ SELECT 1, -2, IF(1 < -2, 't', 'f')");
        assert_eq!(bounds(["1", "x"], "bigint").unwrap_err(), "`x` is not a whole number");
        let told = bounds(["2026-01-31 10:00", "2026-02-01"], "date").unwrap_err();
        assert_eq!(told, "`2026-01-31 10:00` is not a date in UTC such as `2026-01-31`");
    }

    #[test]
    fn a_field_has_the_type_of_its_column() {
        for (ty, field) in [
            ("tinyint(1)", "boolean"),
            ("tinyint(4)", "smallint"),
            ("smallint(5) unsigned", "integer"),
            ("int(10) unsigned zerofill", "bigint"),
            ("bigint(20) unsigned", "decimal(20,0)"),
            ("bigint", "bigint"),
            ("decimal(10,2)", "decimal(10,2)"),
            ("decimal(65,30)", "text"),
            ("float", "real"),
            ("double(10,2)", "double precision"),
            ("datetime(6)", "timestamp"),
            ("timestamp", "timestamptz"),
            ("time(6)", "text"),
            ("year(4)", "smallint"),
            ("bit(1)", "boolean"),
            ("bit(9)", "text"),
            ("json", "super"),
            ("enum('a(1)','b')", "text"),
        ] {
            assert_eq!(Mysql.field_type(ty).0, field, "{ty}");
        }
    }
}
