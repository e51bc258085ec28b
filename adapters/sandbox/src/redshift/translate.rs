//! Translate: rewrites a statement of Redshift for PostgreSQL. It supports a small common core; what it does not understand is
//! refused by name, since with a guess a test could pass that proves nothing.

mod copy;
mod table;

pub(super) use copy::Copy;
pub(super) use copy::Csv;
pub(super) use copy::Format;
pub(super) use copy::Location;

use super::reader::untranslated;
use super::words::Kind;
use super::words::Word;
use super::words::telling;
use super::words::words;

/// PostgreSQL's longest name; it would cut a longer one without an error.
const NAME_BYTES_MAX: usize = 63;

/// What a statement asks for.
#[derive(Debug)]
pub(super) enum Action {
    /// Statements of PostgreSQL, of which the first is the statement that was asked for, and takes the parameters.
    Run(Vec<String>),
    /// Rows from S3.
    Copy(Copy),
    /// Nothing that PostgreSQL could do.
    Nothing,
}

/// Words that nothing is made of here, and whether they are functions.
const UNKNOWN: [(&str, bool); 13] = [
    ("qualify", false),
    ("top", false),
    ("unload", false),
    ("pivot", false),
    ("unpivot", false),
    ("approximate", false),
    ("dateadd", true),
    ("datediff", true),
    ("convert", true),
    ("listagg", true),
    ("fnv_hash", true),
    ("decode", true),
    ("json_extract_path_text", true),
];

/// What PostgreSQL is to do for a statement; `Err` holds the words of an error.
pub(super) fn translate(sql: &str, in_transaction: bool) -> Result<Action, String> {
    let sql = sql.trim_end().trim_end_matches(';');
    let told = telling(sql);
    known(&told)?;
    let is = |at: usize, expected: &str| told.get(at).is_some_and(|word| word.is(expected));
    let first = told.first().map(|word| word.text.to_lowercase()).unwrap_or_default();
    let as_it_is = || Ok(Action::Run(vec![rewritten(sql)]));
    match first.as_str() {
        "select" | "with" | "insert" | "update" | "delete" | "lock" | "analyze" | "explain" | "drop" | "truncate" => {
            as_it_is()
        }
        "merge" if told.iter().any(|word| word.is("duplicates")) => Err(untranslated("MERGE … REMOVE DUPLICATES")),
        "merge" => as_it_is(),
        "create" if is(1, "schema") || is(1, "view") || (is(1, "or") && is(3, "view")) => as_it_is(),
        "create" if told.iter().take(4).any(|word| word.is("table")) => table::create(&told).map(one),
        "alter" if is(1, "table") => table::alter(&told, in_transaction),
        "copy" => copy::read(&told).map(Action::Copy),
        "vacuum" => Ok(Action::Nothing),
        "set" if is(1, "query_group") => Ok(Action::Nothing),
        "set" if is(1, "search_path") || is(1, "statement_timeout") => as_it_is(),
        _ => Err(untranslated(&told.iter().take(2).map(|word| word.text).collect::<Vec<_>>().join(" "))),
    }
}

fn one(sql: String) -> Action {
    Action::Run(vec![sql])
}

/// Refuses names that PostgreSQL would cut, and words that it has other meanings for, or none.
fn known(told: &[Word<'_>]) -> Result<(), String> {
    for (at, word) in told.iter().enumerate() {
        let is_called = told.get(at + 1).is_some_and(|next| next.is("("));
        let unknown = UNKNOWN.iter().find(|(name, is_function)| word.is(name) && (!is_function || is_called));
        if let Some((name, _)) = unknown {
            return Err(untranslated(&name.to_uppercase()));
        }
        if word.is_name() && word.name().len() > NAME_BYTES_MAX {
            let name = word.name();
            return Err(format!("ERROR: the sandbox holds names of at most {NAME_BYTES_MAX} bytes, unlike \"{name}\""));
        }
    }
    Ok(())
}

/// The text with what has another name in PostgreSQL: `#name`, a temporary table, and `varchar(max)`.
fn rewritten(sql: &str) -> String {
    let words = words(sql);
    let mut out = String::with_capacity(sql.len());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let mut rest = words.iter().skip(at).filter(|word| word.kind != Kind::Blank);
        let is_max = word.kind != Kind::Blank
            && ["varchar", "(", "max"].iter().all(|expected| rest.next().is_some_and(|word| word.is(expected)));
        if is_max {
            // Up to the parenthesis that closes.
            let words_of_type = words.iter().skip(at).take_while(|word| !word.is(")")).count();
            out.push_str("varchar(65535");
            at += words_of_type;
            continue;
        }
        if !is_temporary_mark(&words, at) {
            out.push_str(word.text);
        }
        at += 1;
    }
    out
}

/// Whether the sign at a position makes a temporary name of the next word.
fn is_temporary_mark(words: &[Word<'_>], at: usize) -> bool {
    words.get(at).is_some_and(|word| word.is("#")) && words.get(at + 1).is_some_and(Word::is_name)
}

/// What Redshift says where a limit is broken that is a constraint of this name here.
pub(super) fn broken_limit(constraint: &str) -> Option<String> {
    table::broken_limit(constraint).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sql: &str, expected: &str) {
        let Ok(Action::Run(statements)) = translate(sql, false) else { panic!("{:?}", translate(sql, false)) };
        assert_eq!(statements.join(";\n"), expected);
    }

    #[track_caller]
    fn refused(sql: &str, in_transaction: bool) -> String {
        translate(sql, in_transaction).unwrap_err()
    }

    #[test]
    fn a_layout_is_left_out() {
        check(
            "CREATE TABLE \"shop\".\"orders\" (\n  \"id\" bigint NOT NULL,\n  \"name\" varchar(20)\n) DISTKEY (\"id\") SORTKEY (\"id\", \"name\")",
            "CREATE TABLE \"shop\".\"orders\" (\"id\" bigint NOT NULL, \"name\" varchar(20) \
             CONSTRAINT \"bytes_name\" CHECK (octet_length(\"name\") <= 20))",
        );
        check(
            "create table if not exists t (a int encode az64 distkey, b super default null, c char(3) primary key, \
             d bigint identity(1,2), unique (a)) backup no diststyle key compound sortkey (a) encode auto;",
            "CREATE TABLE IF NOT EXISTS t (a integer, b _redshift.super DEFAULT null, c char(3) \
             CONSTRAINT \"bytes_c\" CHECK (octet_length(c) = 3) NOT NULL, \
             d bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 1 INCREMENT BY 2))",
        );
        assert!(refused("create table t (a int) sortkey (b)", false).contains("\"b\""));
        assert!(refused("create table t (a int) partition by range (a)", false).contains("does not translate"));
        assert!(refused("create table t (a geometry)", false).contains("geometry"));
    }

    #[test]
    fn a_name_with_a_mark_is_temporary() {
        check("create table #stage (like t)", "CREATE TEMPORARY TABLE stage (LIKE t INCLUDING CONSTRAINTS)");
        check("create temp table stage (like t)", "CREATE TEMPORARY TABLE stage (LIKE t INCLUDING CONSTRAINTS)");
        check(
            "insert into #stage select '#a', cast(b as varchar ( max )) from t",
            "insert into stage select '#a', cast(b as varchar(65535)) from t",
        );
        check(
            "create table t2 distkey (a) as select 1 as a from #stage",
            "CREATE TABLE t2 AS select 1 as a from stage",
        );
    }

    #[test]
    fn a_table_changes_as_redshift_lets_it() {
        check(
            "ALTER TABLE t ADD COLUMN \"a\" varchar(9)",
            "ALTER TABLE t ADD COLUMN \"a\" varchar(9) CONSTRAINT \"bytes_a\" CHECK (octet_length(\"a\") <= 9)",
        );
        check(
            "ALTER TABLE s.t ALTER COLUMN a TYPE varchar(40)",
            "ALTER TABLE s.t ALTER COLUMN a TYPE varchar(40), DROP CONSTRAINT IF EXISTS \"bytes_a\", \
             ADD CONSTRAINT \"bytes_a\" CHECK (octet_length(a) <= 40)",
        );
        assert!(refused("ALTER TABLE t ALTER COLUMN a TYPE varchar(40)", true).contains("transaction"));
        assert!(refused("ALTER TABLE t APPEND FROM s", false).contains("does not translate"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for sql in
            ["select a from t qualify 1", "grant select on t to u", "select dateadd(day, 1, a) from t", "call p()"]
        {
            assert!(refused(sql, false).contains("does not translate"), "{sql}");
        }
        assert!(refused(&format!("select \"{}\" from t", "n".repeat(64)), false).contains("63 bytes"));
        check("select 'qualify', \"top\" from t;", "select 'qualify', \"top\" from t");
    }
}
