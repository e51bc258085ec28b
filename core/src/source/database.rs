//! Database: the keys of a pipeline file about a database: which rows are read, and which of them are new.

use crate::diagnostic::{Code, Diagnostic};
use crate::plan::identity;
use crate::spec::{AnyText, Choice, Filled, Form, Hint, Keys, Mapping, Mismatch, Placeholder, Text};

/// A database, and what is read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database<T = Text> {
    /// Where it is, and who asks.
    pub url: T,
    /// What is read.
    pub reads: Reads,
}

/// What is read of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// Which rows there are.
    pub rows: Relation,
    /// What of them is new; `None`: each run reads all of them.
    pub incremental: Option<Incremental>,
    /// How a window is read in parts; `None`: as one.
    pub split: Option<Split>,
}

/// Rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// Those of a table or a view: its schema, where it is said, and its name.
    Table(Option<String>, String),
    /// Those of a query.
    Query(String),
}

/// How new rows are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incremental {
    /// The column whose value grows with every change.
    pub cursor: String,
    /// How far behind the source's clock a window ends, in seconds.
    pub lag: u64,
    /// Whether the file says `lag`.
    pub says_lag: bool,
    /// How wide a window is at most; `None`: it has everything that is new.
    pub window: Option<Width>,
    /// Whether a window ends before the oldest open transaction.
    pub waits: bool,
    /// Whether rows without a cursor are left out, and not refused.
    pub leaves_out: bool,
}

/// How a window is read in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The column whose numbers divide them.
    pub by: String,
    /// How many parts there are, if there are as many numbers.
    pub into: u32,
    /// How many are read at once, each by a connection of its own.
    pub connections: usize,
}

/// How wide a window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// So many seconds.
    Seconds(u64),
    /// So many numbers.
    Numbers(u64),
}

/// The type of a cursor whose values are times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clocked {
    Timestamptz,
    Timestamp,
    Date,
}

/// What kind of value a cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CursorType {
    Clocked(Clocked),
    Number,
}

/// A part of the cursor's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: Option<String>,
    pub(super) end: String,
    /// The type of both.
    pub(super) ty: &'static str,
}

/// Rows whose number is in a half-open range; the first part has those without one, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    /// The column.
    pub(super) by: &'a str,
    /// The least number, if this is not the first part.
    pub(super) from: Option<i128>,
    /// The number behind the greatest, if this is not the last part.
    pub(super) until: Option<i128>,
}

impl Part<'_> {
    /// The condition that the rows of the part meet, if it has not all; `number` writes a number.
    pub(super) fn within(&self, column: &str, number: impl Fn(i128) -> String) -> Option<String> {
        let from = self.from.map(|from| format!("q.{column} >= {}", number(from)));
        let until = self.until.map(|until| format!("q.{column} < {}", number(until)));
        match (from, until) {
            (Some(from), Some(until)) => Some(format!("{from} AND {until}")),
            (Some(from), None) => Some(from),
            (None, Some(until)) => Some(format!("({until} OR q.{column} IS NULL)")),
            (None, None) => None,
        }
    }
}

impl Reads {
    /// What is read, as one name: where a position of a cursor means something.
    pub(crate) fn identity(&self, kind: &str) -> String {
        let cursor = self.incremental.as_ref().map_or("", |incremental| &incremental.cursor);
        let rows = match &self.rows {
            Relation::Table(None, name) => ["table", "", name],
            Relation::Table(Some(schema), name) => ["table", schema, name],
            Relation::Query(query) => ["query", "", query],
        };
        identity("cursor", &[&[kind, cursor], rows.as_slice()].concat())
    }

    /// What is read, for people.
    pub fn shown(&self) -> String {
        let rows = match &self.rows {
            Relation::Table(None, name) => name.clone(),
            Relation::Table(Some(schema), name) => format!("{schema}.{name}"),
            Relation::Query(_) => "the query".to_owned(),
        };
        match &self.incremental {
            Some(Incremental { cursor, .. }) => format!("{rows} by {cursor}"),
            None => rows,
        }
    }
}

/// What a file says of a database whose URL has been read, and where its windows are split as `split` says.
pub(super) fn of(keys: &mut Keys<'_>, url: Option<Text>, split: Mapping<Split>) -> Database {
    let rows = relation(keys);
    let incremental = keys.optional(
        "incremental",
        INCREMENTAL,
        "What of the rows is new, by a cursor. If not said, each run reads all rows.",
    );
    let split = keys.optional("split", split, "How a window is read in parts, by a whole number that its rows have.");
    Database {
        url: url.unwrap_or_else(|| Text::empty(keys.owner())),
        reads: Reads { rows: rows.unwrap_or(Relation::Table(None, String::new())), incremental, split },
    }
}

/// A URL of a kind of database, with or out of placeholders.
pub(super) struct Url {
    /// What it may begin with; the first is told.
    pub(super) schemes: &'static [&'static str],
    /// For people.
    pub(super) noun: &'static str,
    pub(super) help: &'static str,
    pub(super) pattern: &'static str,
}

impl Form for Url {
    type Value = Text;

    fn noun(&self) -> &'static str {
        self.noun
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        if self.schemes.iter().chain(&["${"]).any(|start| text.text.starts_with(start)) {
            return Ok(text.clone());
        }
        // It may hold a password, which no message repeats.
        let scheme = self.schemes.first().copied().unwrap_or_default();
        Err(Mismatch::new(Code::WrongValue, format!("`{key}` does not begin with `{scheme}`")).with_help(self.help))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern(self.pattern)
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

impl Database {
    /// The database with the values of its `${…}`. A secret that is all of the password may have any characters: it is encoded as a
    /// URL has them.
    pub(super) fn fill<E>(
        &self,
        mut value: impl FnMut(Placeholder<'_>) -> Result<String, E>,
    ) -> Result<Database<Filled>, E> {
        let url = &self.url;
        let url = url.fill(|asked| {
            let is_password = matches!(asked, Placeholder::Secret(_)) && url.text.contains(&format!(":{asked}@"));
            value(asked).map(|value| if is_password { encoded(&value) } else { value })
        })?;
        Ok(Database { url, reads: self.reads.clone() })
    }
}

impl Database<Filled> {
    /// Whether a password stands in its URL, which holds no secret.
    pub(super) fn has_password_in_clear(&self) -> bool {
        let after = self.url.reveal().split_once("://").map_or("", |(_, after)| after);
        let (place, query) = after.split_once('?').unwrap_or((after, ""));
        let user = place.rsplit_once('@').map_or("", |(user, _)| user);
        let has_password = user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
            || query.split('&').any(|word| word.strip_prefix("password=").is_some_and(|password| !password.is_empty()));
        has_password && !self.url.holds_secret()
    }
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

/// A decimal of so many digits; one that has more than a field can have is a text.
pub(super) fn decimal(digits: &str) -> (String, Option<&'static str>) {
    let (precision, scale) = digits.split_once(',').unwrap_or((digits, "0"));
    match (precision.parse::<u32>(), scale.parse::<u32>()) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => (format!("decimal({precision},{scale})"), None),
        _ => ("text".to_owned(), Some("it has more digits than a decimal")),
    }
}

/// The rows that a database is asked for: one of two keys.
fn relation(keys: &mut Keys<'_>) -> Option<Relation> {
    keys.exactly_one(&[
        |keys| {
            keys.optional("table", Table, "The table or view: `schema.table` or `table`, spelt as the database has it.")
        },
        |keys| {
            let query = keys.optional("query", Query, "A SELECT of the database's own, whose rows are read.");
            query.map(Relation::Query)
        },
    ])
}

const LAG: &str = "lag";

const INCREMENTAL: Mapping<Incremental> = Mapping {
    title: "incremental",
    doc: "What of the rows is new: those whose cursor is not before the end of the last window.",
    may_be_empty: false,
    keys: |keys| {
        Incremental {
        cursor: keys
            .required(
                "cursor",
                AnyText,
                "The column that grows with every change of a row: a timestamp, a date, or a number that only grows.",
            )
            .map(|text| text.text)
            .unwrap_or_default(),
        lag: keys.or(
            LAG,
            Seconds,
            "10 seconds",
            "How far behind the database's clock a window ends, so that what commits late is still met: as long as the clocks \
             that write the cursor may differ.",
        ),
        says_lag: keys.place(LAG).is_some(),
        window: keys.optional(
            "window",
            Wide,
            "How much of the cursor is landed at once: `1 day`, or `100000` where the cursor is a number. If not said, \
             everything that is new.",
        ),
        waits: keys.or(
            "open_transactions",
            OPEN_TRANSACTIONS,
            "wait",
            "What happens where a transaction is open that began before the window ends.",
        ),
        leaves_out: keys.or(
            "without_cursor",
            WITHOUT_CURSOR,
            "refuse",
            "What happens where rows have no cursor: it is NULL, infinite, or a date of zeros.",
        ),
    }
    },
};

/// The parts of a window, one after the other.
pub(super) const SPLIT: Mapping<Split> = Mapping {
    title: "split of mysql",
    doc: "How a window is read in parts: ranges of a whole number, of one snapshot, one after the other.",
    may_be_empty: false,
    keys: split,
};

/// The parts of a window, of which several can be read at once.
pub(super) const SPLIT_AT_ONCE: Mapping<Split> = Mapping {
    title: "split",
    doc: "How a window is read in parts: ranges of a whole number, of one snapshot.",
    may_be_empty: false,
    keys: |keys| {
        let split = split(keys);
        let connections = keys.or(
            CONNECTIONS,
            Count(1, 16),
            "1",
            "How many parts are read at once, each by a connection of its own.",
        );
        if let Some(span) = keys.place(CONNECTIONS)
            && !keys.is_wrong(CONNECTIONS)
            && !keys.is_wrong(INTO)
            && connections > split.into
        {
            let message = format!("`connections` is {connections}, and there are {} parts to be read", split.into);
            let help = format!("write `connections: {}` or less, or more parts", split.into);
            keys.report(Diagnostic::error(Code::Conflict, span, message).with_help(help));
        }
        Split { connections: usize::try_from(connections).unwrap_or(1), ..split }
    },
};

const INTO: &str = "into";
const CONNECTIONS: &str = "connections";

fn split(keys: &mut Keys<'_>) -> Split {
    let by = keys.required("by", AnyText, "The column: a whole number, best the primary key.");
    let into = keys.required(INTO, Count(2, 64), "How many parts: from 2 to 64, each with as many numbers.");
    Split { by: by.map(|text| text.text).unwrap_or_default(), into: into.unwrap_or(2), connections: 1 }
}

/// A whole number from one to another.
struct Count(u32, u32);

impl Form for Count {
    type Value = u32;

    fn noun(&self) -> &'static str {
        "a whole number"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u32, Mismatch> {
        let is_digits = text.text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.text.parse().ok().filter(|number| is_digits && (self.0..=self.1).contains(number));
        number.ok_or_else(|| {
            let message = format!("`{key}` is a whole number from {} to {}, not `{}`", self.0, self.1, text.text);
            Mismatch::new(Code::WrongValue, message)
        })
    }

    fn hint(&self) -> Hint {
        Hint::Whole
    }
}

const OPEN_TRANSACTIONS: Choice<bool> = Choice(&[
    ("wait", "the window ends where it began, since its rows are not seen yet", true),
    ("ignore", "only the lag counts: rows of longer transactions are missed", false),
]);

const WITHOUT_CURSOR: Choice<bool> =
    Choice(&[("refuse", "nothing is read, and they are counted", false), ("leave_out", "they are never read", true)]);

/// `[ schema "." ] table`.
struct Table;

impl Form for Table {
    type Value = Relation;

    fn noun(&self) -> &'static str {
        "a table"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Relation, Mismatch> {
        let parts: Vec<&str> = text.text.split('.').collect();
        let is_name =
            |name: &&str| !name.is_empty() && !name.contains(['"', '\'', ';']) && !name.contains(char::is_control);
        match parts.as_slice() {
            [name] if is_name(name) => Ok(Relation::Table(None, (*name).to_owned())),
            [schema, name] if is_name(schema) && is_name(name) => {
                Ok(Relation::Table(Some((*schema).to_owned()), (*name).to_owned()))
            }
            _ => Err(Mismatch::new(Code::WrongValue, format!("`{}` is not `schema.table` or `table`", text.text))
                .with_help("a name with a dot or a quote can stand in `query`")),
        }
    }
}

/// A query, without the `;` behind it.
struct Query;

impl Form for Query {
    type Value = String;

    fn noun(&self) -> &'static str {
        "a query"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<String, Mismatch> {
        let query = text.text.trim().trim_end_matches(';').trim_end();
        let first = without_comments(query).split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
        if ["select", "with", "values", "table"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
            return Ok(query.to_owned());
        }
        Err(Mismatch::new(Code::WrongValue, "`query` is not a SELECT")
            .with_help("write `select … from …`; it is run as a part of another query"))
    }

    fn is_code(&self) -> bool {
        true
    }
}

/// A query without the comments that it begins with: those of PostgreSQL may stand in each other, those of MySQL may begin with
/// `#`.
fn without_comments(query: &str) -> &str {
    let mut rest = query.trim_start();
    loop {
        rest = if rest.starts_with("--") || rest.starts_with('#') {
            rest.split_once('\n').map_or("", |(_, rest)| rest)
        } else if rest.starts_with("/*") {
            let (mut depth, mut at) = (0_usize, 0);
            while let Some(mark) = rest.get(at..).and_then(|rest| rest.find(['/', '*'])) {
                at += mark;
                match rest.get(at..at + 2) {
                    Some("/*") => (depth, at) = (depth + 1, at + 2),
                    Some("*/") => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
                if depth == 0 {
                    break;
                }
            }
            rest.get(at..).filter(|_| depth == 0).unwrap_or_default()
        } else {
            return rest.trim_start_matches('(');
        }
        .trim_start();
    }
}

/// A time such as `5 minutes`, in seconds.
pub(super) struct Seconds;

impl Form for Seconds {
    type Value = u64;

    fn noun(&self) -> &'static str {
        "a time such as `5 minutes`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u64, Mismatch> {
        seconds(&text.text).ok_or_else(|| {
            Mismatch::new(Code::WrongValue, format!("`{key}` is a time such as `5 minutes`, not `{}`", text.text))
                .with_help("write a whole number and second, minute, hour or day, with an `s` after any number but 1")
        })
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[0-9]+ (second|minute|hour|day)s?$")
    }
}

fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ')?;
    let count = number.parse::<u32>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    let unit = if count == 1 { unit } else { unit.strip_suffix('s')? };
    let one = match unit {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => 24 * 3600,
        _ => return None,
    };
    Some(u64::from(count) * one)
}

/// A time, or a whole number.
struct Wide;

impl Form for Wide {
    type Value = Width;

    fn noun(&self) -> &'static str {
        "a time such as `1 day`, or a number"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Width, Mismatch> {
        let number = text.text.parse::<u32>().ok().map(|number| Width::Numbers(u64::from(number)));
        match number.or_else(|| seconds(&text.text).map(Width::Seconds)) {
            Some(Width::Seconds(0) | Width::Numbers(0)) => {
                Err(Mismatch::new(Code::WrongValue, format!("`{key}` is empty: nothing would ever be read")))
            }
            Some(width) => Ok(width),
            None => Err(Mismatch::new(
                Code::WrongValue,
                format!("`{key}` is a time such as `1 day` or a whole number, not `{}`", text.text),
            )
            .with_help("write a whole number and second, minute, hour or day, with an `s` after any number but 1")),
        }
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[0-9]+( (second|minute|hour|day)s?)?$")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::error::Error;

    #[test]
    fn a_time_is_a_number_and_a_unit() {
        for (text, expected) in
            [("10 seconds", Some(10)), ("1 day", Some(86_400)), ("2 hours", Some(7_200)), ("0 seconds", Some(0))]
        {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for text in ["1 days", "2 hour", "1", "-1 days", "1 week", "+1 day", "1  day"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    fn filled(url: &str) -> Database<Filled> {
        let value = |asked: Placeholder<'_>| {
            Ok::<_, Error>(match asked {
                Placeholder::Secret(_) => "p/w@1 %".to_owned(),
                Placeholder::Variable(_) => "host".to_owned(),
            })
        };
        let reads = Reads { rows: Relation::Table(None, "t".to_owned()), incremental: None, split: None };
        Database { url: Text::meaning(url, Span::default()), reads }.fill(value).unwrap()
    }

    #[test]
    fn a_password_that_is_a_secret_is_encoded_as_a_url_has_it() {
        assert_eq!(filled("postgres://u:${secret:db}@${HOST}/d").url.reveal(), "postgres://u:p%2Fw%401%20%25@host/d");
        assert_eq!(filled("${secret:url}").url.reveal(), "p/w@1 %");
    }

    #[test]
    fn a_password_in_the_clear_is_told_from_a_secret() {
        for (url, is_clear) in [
            ("postgres://u:${secret:db}@h/d", false),
            ("postgres://u@h/d?sslmode=disable", false),
            ("postgres:///d?host=/run/a@b:c", false),
            ("postgres://u:pw@h/d", true),
            ("mysql://u:${HOST}@h/d", true),
            ("postgres://h/d?user=u&password=pw", true),
        ] {
            assert_eq!(filled(url).has_password_in_clear(), is_clear, "{url}");
        }
    }

    #[test]
    fn a_query_may_begin_with_comments() {
        for (query, first) in [
            ("/* who /* and */ why */ -- when\n select 1", "select 1"),
            ("-- only", ""),
            ("# who\n select 1", "select 1"),
            ("/* open", ""),
            ("/*/ */ select", "select"),
            ("(select 1)", "select 1)"),
            ("select 1", "select 1"),
        ] {
            assert_eq!(without_comments(query), first, "{query}");
        }
    }

    #[test]
    fn a_cursor_means_something_only_where_it_was_taken() {
        let reads = |rows, cursor: &str| {
            let incremental = Incremental {
                cursor: cursor.to_owned(),
                lag: 10,
                says_lag: false,
                window: None,
                waits: true,
                leaves_out: false,
            };
            Reads { rows, incremental: Some(incremental), split: None }.identity("postgres")
        };
        let table = |name: &str| Relation::Table(None, name.to_owned());
        let all = [
            reads(table("a"), "c"),
            reads(table("b"), "c"),
            reads(table("a"), "d"),
            reads(Relation::Table(Some("a".to_owned()), "a".to_owned()), "c"),
            reads(Relation::Query("a".to_owned()), "c"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one), "{at}");
        }
    }
}
