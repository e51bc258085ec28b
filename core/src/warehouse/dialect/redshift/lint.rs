//! Lint: finds in SQL text what Redshift refuses or reads differently, before it is sent to a cluster.
//!
//! Tests run Redshift's statements on PostgreSQL, which accepts much that Redshift does not; these rules cover the difference.
//! They look at words, not at grammar: a text, a quoted name and a comment are each one word.

use std::fmt;

use super::NAME_BYTES_MAX;
use super::SYSTEM_COLUMNS;
use crate::sql::scan::Kind;
use crate::sql::scan::Lexis;
use crate::sql::scan::Problem;
use crate::sql::scan::Quotes;
use crate::sql::scan::Token;
use crate::sql::scan::scan;

/// Most bytes of a statement.
const STATEMENT_BYTES_MAX: usize = 200 * 1024;
/// Most bytes of a varchar.
const VARCHAR_BYTES_MAX: u64 = 65_535;
/// Most digits of a decimal.
const DECIMAL_DIGITS_MAX: u64 = 38;

/// Something that Redshift refuses or means differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    /// Its place in the text, in bytes.
    pub offset: usize,
    /// What it is.
    pub rule: Rule,
}

/// A rule of Redshift's SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A statement has at most 200 KB.
    StatementLength,
    /// One statement at a time.
    SeveralStatements,
    /// A backslash is an escape in a text there, and a control character has no place in one.
    TextEscape,
    /// A name between quotes is in lower case, has at most 127 bytes, and is not one of the system's columns.
    Name,
    /// A reserved word is no name without quotes.
    ReservedWord,
    /// It ends the transaction, or cannot stand in one.
    NotInTransaction,
    /// A function of the leader node alone, or one that Redshift does not have.
    Function,
    /// `IS DISTINCT FROM` is not known.
    IsDistinctFrom,
    /// A row of values is no value: `(a, b) = (c, d)`, `(a, b) IN (…)`.
    RowConstructor,
    /// `NULLS FIRST` and `NULLS LAST` do not stand in a window.
    NullsInWindow,
    /// `DISTINCT ON` is not known.
    DistinctOn,
    /// `ON CONFLICT` is not known.
    OnConflict,
    /// `RETURNING`, `FILTER (WHERE …)` and `LATERAL` are not known.
    Clause,
    /// `VALUES` is no table.
    ValuesTable,
    /// The target of DELETE and of MERGE has no alias.
    TargetAlias,
    /// MERGE has one WHEN MATCHED and one WHEN NOT MATCHED, without conditions.
    MergeShape,
    /// One column is added by a statement, without IF NOT EXISTS; a type changes to a longer varchar only.
    AlterTable,
    /// A selection that stands for a value and looks at the row around it.
    CorrelatedScalar,
    /// COPY of Parquet takes few options, and REGION is not among them.
    CopyOption,
    /// A decimal says its digits, at most 38; a varchar its bytes, at most 65,535; `text` is `varchar(256)`.
    TypeDigits,
    /// There are no indexes, and keys are believed in, not kept.
    Key,
    /// A temporary table stands in no schema.
    TemporarySchema,
    /// A parameter is `:name`, of letters, digits and `_`, and stands for a value.
    Parameter,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.rule, self.offset)
    }
}

/// Words that are no names without quotes.
const RESERVED: &str = " aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup \
    between binary blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross \
    current_date current_time current_timestamp current_user current_user_id default deferrable deflate defrag delta \
    delta32k desc disable distinct do else emptyasnull enable encode encrypt encryption end except explicit false for \
    foreign freeze from full globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially inner \
    intersect interval into is isnull join leading left like limit localtime localtimestamp lun luns lzo lzop minus \
    mostly16 mostly32 mostly8 natural new not notnull null nulls off offline offset oid old on only open or order outer \
    overlaps parallel partition percent permissions pivot placing primary raw readratio recover references rejectlog \
    resort respect restore right select session_user similar snapshot some sysdate system table tag tdes text255 text32k \
    then timestamp to top trailing true truncatecolumns union unique unnest unpivot user using verbose wallet when where \
    with without ";

const FUNCTIONS: [&str; 20] = [
    "now",
    "age",
    "clock_timestamp",
    "statement_timestamp",
    "transaction_timestamp",
    "current_schema",
    "current_schemas",
    "generate_series",
    "string_agg",
    "array_agg",
    "format",
    "overlay",
    "width_bucket",
    "regexp_matches",
    "pg_sleep",
    "pg_advisory_lock",
    "pg_advisory_xact_lock",
    "gen_random_uuid",
    "jsonb_build_object",
    "to_jsonb",
];

/// Everything in a statement that Redshift refuses or means differently, in the order of the text.
pub fn lint(sql: &str) -> Vec<Offence> {
    let words = words(sql);
    let mut linter = Linter { sql, words: &words, offences: Vec::new() };
    if sql.len() > STATEMENT_BYTES_MAX {
        linter.report(0, Rule::StatementLength);
    }
    for at in 0..words.len() {
        linter.word(at);
    }
    linter.merge();
    linter.alter();
    linter.copy();
    let mut offences = linter.offences;
    offences.sort_by_key(|offence| (offence.offset, offence.rule));
    offences.dedup();
    offences
}

/// A word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word<'a> {
    kind: Kind,
    offset: usize,
    text: &'a str,
    /// The text in lower case, of a plain word.
    plain: String,
}

impl Word<'_> {
    fn is_quoted_name(&self) -> bool {
        matches!(self.kind, Kind::Name(_) | Kind::Broken(Problem::OpenName))
    }

    fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text(_) | Kind::Bits | Kind::Broken(Problem::OpenText))
    }

    fn is_name(&self) -> bool {
        self.is_quoted_name() || (!self.plain.is_empty() && !RESERVED.contains(&format!(" {} ", self.plain)))
    }

    fn compares(&self) -> bool {
        matches!(self.text, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=")
    }

    /// Whether a value follows it: after an operator, a comma or an open parenthesis.
    fn wants_value(&self) -> bool {
        self.compares() || matches!(self.text, "," | "(" | "+" | "-" | "*" | "/")
    }
}

/// The words of a text, without blanks and comments.
fn words<'a>(sql: &'a str) -> Vec<Word<'a>> {
    let word = |token: Token<'a>| {
        let plain = if token.kind == Kind::Word { token.text.to_lowercase() } else { String::new() };
        Word { kind: token.kind, offset: token.start, text: token.text, plain }
    };
    scan(sql, Lexis::Postgres).into_iter().filter(|token| !token.is_space()).map(word).collect()
}

struct Linter<'a> {
    sql: &'a str,
    words: &'a [Word<'a>],
    offences: Vec<Offence>,
}

impl<'a> Linter<'a> {
    fn report(&mut self, offset: usize, rule: Rule) {
        self.offences.push(Offence { offset, rule });
    }

    /// Whether these words stand here; one that is no word of letters stands for itself.
    fn is(&self, at: usize, expected: &[&str]) -> bool {
        expected.iter().enumerate().all(|(step, expected)| {
            self.words.get(at + step).is_some_and(|word| word.plain == *expected || word.text == *expected)
        })
    }

    fn at(&self, at: usize) -> Option<&'a Word<'a>> {
        self.words.get(at)
    }

    fn before(&self, at: usize) -> Option<&'a Word<'a>> {
        at.checked_sub(1).and_then(|before| self.at(before))
    }

    fn first(&self) -> &str {
        self.at(0).map_or("", |word| word.plain.as_str())
    }

    /// The position after the parenthesis that closes the one at a position.
    fn after_parenthesis(&self, at: usize) -> usize {
        let mut open = 0_usize;
        for (step, word) in self.words.iter().enumerate().skip(at) {
            match word.text {
                "(" => open += 1,
                ")" if open <= 1 => return step + 1,
                ")" => open -= 1,
                _ => {}
            }
        }
        self.words.len()
    }

    fn word(&mut self, at: usize) {
        let Some(word) = self.at(at) else { return };
        let offset = word.offset;
        if word.is_text() && !word.text.starts_with('$') {
            let inside = word.text.trim_matches('\'');
            if inside.contains('\\') || inside.contains(char::is_control) {
                self.report(offset, Rule::TextEscape);
            }
            return;
        }
        if word.is_quoted_name() {
            self.name(word);
            return;
        }
        match word.text {
            ";" if at + 1 < self.words.len() => self.report(offset, Rule::SeveralStatements),
            ":" | ":=" => self.parameter(at),
            text if text.starts_with('$') => self.report(offset, Rule::Parameter),
            "(" => self.parenthesis(at),
            _ => {}
        }
        self.plain_word(at, word);
    }

    fn name(&mut self, word: &Word<'_>) {
        let inside = if let Kind::Name(Quotes::Plain) = word.kind { word.text.trim_matches('"') } else { "" };
        let inside = inside.replace("\"\"", "\"");
        let is_system = SYSTEM_COLUMNS.contains(&inside.as_str());
        let is_lower = !inside.chars().any(|letter| letter.is_ascii_uppercase());
        if inside.is_empty() || inside.len() > NAME_BYTES_MAX || is_system || !is_lower {
            self.report(word.offset, Rule::Name);
        }
    }

    fn plain_word(&mut self, at: usize, word: &Word<'_>) {
        let offset = word.offset;
        let called = self.is(at + 1, &["("]);
        let report = match word.plain.as_str() {
            "truncate" | "vacuum" => Some(Rule::NotInTransaction),
            "append" if self.is(at + 1, &["from"]) && self.first() == "alter" => Some(Rule::NotInTransaction),
            "current_timestamp" | "current_time" | "localtime" | "localtimestamp" | "sysdate" => Some(Rule::Function),
            name if called && FUNCTIONS.contains(&name) => Some(Rule::Function),
            "is" if self.is(at + 1, &["distinct", "from"]) || self.is(at + 1, &["not", "distinct", "from"]) => {
                Some(Rule::IsDistinctFrom)
            }
            "distinct" if self.is(at + 1, &["on", "("]) => Some(Rule::DistinctOn),
            "on" if self.is(at + 1, &["conflict"]) => Some(Rule::OnConflict),
            "returning" | "lateral" => Some(Rule::Clause),
            "filter" if self.is(at + 1, &["(", "where"]) => Some(Rule::Clause),
            "values" if self.before(at).is_some_and(|before| before.text == "(") => Some(Rule::ValuesTable),
            "over" if called => self.window(at),
            "delete" if self.is(at + 1, &["from"]) => self.alias_of(at + 2),
            "primary" | "unique" | "foreign" if self.first() == "create" => Some(Rule::Key),
            "index" if self.first() == "create" || self.first() == "drop" => Some(Rule::Key),
            "temporary" | "temp" if self.first() == "create" => self.temporary(at),
            "decimal" | "numeric" | "varchar" | "text" => self.digits(at),
            _ => None,
        };
        if let Some(rule) = report {
            self.report(offset, rule);
        }
        // `AS tag`, `t.tag`: a name is wanted here, and a reserved word is none.
        let after_point = self.before(at).is_some_and(|before| before.text == ".");
        let after_as = self.before(at).is_some_and(|before| before.plain == "as")
            && !matches!(self.first(), "copy" | "create")
            && !self.is_type_of_cast(at);
        let is_reserved = RESERVED.contains(&format!(" {} ", word.plain)) && !word.plain.is_empty();
        if is_reserved && (after_point || after_as) {
            self.report(offset, Rule::ReservedWord);
        }
    }

    /// Whether the word after AS is the type of a CAST.
    fn is_type_of_cast(&self, at: usize) -> bool {
        let mut open = 0_usize;
        for step in (0..at).rev() {
            match self.at(step).map_or("", |word| word.text) {
                ")" => open += 1,
                "(" if open == 0 => return self.before(step).is_some_and(|before| before.plain == "cast"),
                "(" => open -= 1,
                _ => {}
            }
        }
        false
    }

    fn window(&self, at: usize) -> Option<Rule> {
        let inside = self.words.get(at + 1..self.after_parenthesis(at + 1)).unwrap_or_default();
        inside.iter().any(|word| word.plain == "nulls").then_some(Rule::NullsInWindow)
    }

    /// An alias after the name of a table at a position.
    fn alias_of(&self, at: usize) -> Option<Rule> {
        let mut end = at + 1;
        while self.is(end, &["."]) {
            end += 2;
        }
        let next = self.at(end)?;
        (next.plain == "as" || next.is_name() && !matches!(next.plain.as_str(), "using" | "where"))
            .then_some(Rule::TargetAlias)
    }

    fn temporary(&self, at: usize) -> Option<Rule> {
        let mut name = at + 2;
        if self.is(name, &["if", "not", "exists"]) {
            name += 3;
        }
        self.is(name + 1, &["."]).then_some(Rule::TemporarySchema)
    }

    /// The digits of a type, where a type stands.
    fn digits(&self, at: usize) -> Option<Rule> {
        let word = self.at(at)?;
        let is_type =
            self.before(at).is_some_and(|before| before.is_name() || before.plain == "as" || before.text == "::");
        if !is_type {
            return None;
        }
        let number = |place: usize| self.at(place).and_then(|word| word.text.parse::<u64>().ok());
        let fits = match (word.plain.as_str(), self.is(at + 1, &["("])) {
            ("decimal" | "numeric", true) => {
                let (precision, scale) = (number(at + 2), number(at + 4).filter(|_| self.is(at + 3, &[","])));
                precision.is_some_and(|digits| digits <= DECIMAL_DIGITS_MAX && scale.unwrap_or(0) <= digits)
            }
            ("varchar", true) => {
                number(at + 2).is_some_and(|bytes| bytes <= VARCHAR_BYTES_MAX) || self.is(at + 2, &["max"])
            }
            _ => false,
        };
        (!fits).then_some(Rule::TypeDigits)
    }

    /// `:name` stands for a value: after an operator, a comma, a parenthesis or a word that a value follows.
    fn parameter(&mut self, at: usize) {
        let offset = self.at(at).map_or(0, |word| word.offset);
        let name = self.at(at + 1).filter(|name| name.offset == offset + 1);
        let is_name =
            name.is_some_and(|name| name.text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_'));
        let is_value = self.before(at).is_some_and(|before| {
            before.wants_value()
                || matches!(
                    before.plain.as_str(),
                    "select" | "and" | "or" | "then" | "else" | "when" | "like" | "between"
                )
        });
        if !is_name || !is_value {
            self.report(offset, Rule::Parameter);
        }
    }

    /// A parenthesis may be a row of values or a selection that stands for a value.
    fn parenthesis(&mut self, at: usize) {
        let offset = self.at(at).map_or(0, |word| word.offset);
        let end = self.after_parenthesis(at);
        let before = self.before(at);
        let stands_alone = before.is_none_or(|before| {
            before.compares()
                || matches!(before.text, "," | "(")
                || matches!(
                    before.plain.as_str(),
                    "where" | "and" | "or" | "not" | "on" | "when" | "select" | "then" | "else"
                )
        });
        let mut open = 0_usize;
        let inside = self.words.get(at..end).unwrap_or_default();
        let has_comma = inside.iter().any(|word| {
            match word.text {
                "(" => open += 1,
                ")" => open = open.saturating_sub(1),
                _ => {}
            }
            word.text == "," && open == 1
        });
        let compared =
            self.at(end).is_some_and(Word::compares) || self.is(end, &["in"]) || self.is(end, &["not", "in"]);
        let is_compared = before.is_some_and(Word::compares);
        let is_select = self.is(at + 1, &["select"]);
        if has_comma && !is_select && stands_alone && (compared || is_compared) {
            self.report(offset, Rule::RowConstructor);
        }
        if is_select && stands_alone && self.is_correlated(inside) {
            self.report(offset, Rule::CorrelatedScalar);
        }
    }

    /// Whether a selection names an alias that it does not have.
    fn is_correlated(&self, inside: &[Word<'_>]) -> bool {
        let named = |word: &Word<'_>| word.text.trim_matches('"').to_lowercase();
        let mut own = Vec::new();
        for (at, word) in inside.iter().enumerate() {
            if matches!(word.plain.as_str(), "from" | "join" | "as" | "using") {
                own.extend(inside.get(at + 1).map(named));
            }
            // The name of a table after its schema.
            if word.text == "."
                && at >= 2
                && inside.get(at - 2).is_some_and(|word| matches!(word.plain.as_str(), "from" | "join"))
            {
                own.extend(inside.get(at + 1).map(named));
            }
            // An alias without AS.
            if word.is_name() && at >= 1 && inside.get(at - 1).is_some_and(Word::is_name) {
                own.push(named(word));
            }
        }
        inside.iter().enumerate().any(|(at, word)| {
            let is_alias = word.is_name() && inside.get(at + 1).is_some_and(|next| next.text == ".");
            let after_point = at >= 1 && inside.get(at - 1).is_some_and(|before| before.text == ".");
            is_alias && !after_point && !own.contains(&named(word))
        })
    }

    fn merge(&mut self) {
        if self.first() != "merge" {
            return;
        }
        let places = |words: &[&str]| (0..self.words.len()).filter(|&at| self.is(at, words)).count();
        let exact = places(&["when", "matched", "then"]) == 1 && places(&["when", "not", "matched", "then"]) == 1;
        if !(exact && places(&["when"]) == 2 || places(&["remove", "duplicates"]) == 1) {
            self.report(0, Rule::MergeShape);
        }
        let mut end = 3;
        while self.is(end, &["."]) {
            end += 2;
        }
        if !self.is(end, &["using"]) {
            let offset = self.at(end).map_or(0, |word| word.offset);
            self.report(offset, Rule::TargetAlias);
        }
    }

    fn alter(&mut self) {
        if !self.is(0, &["alter", "table"]) {
            return;
        }
        let places =
            |words: &[&str]| -> Vec<usize> { (0..self.words.len()).filter(|&at| self.is(at, words)).collect() };
        let adds = places(&["add"]);
        let mut wrong: Vec<usize> = adds.iter().skip(1).copied().chain(places(&["if", "not", "exists"])).collect();
        let types = places(&["type"]);
        wrong.extend(types.into_iter().filter(|&at| !self.is(at + 1, &["varchar"])));
        for at in wrong {
            let offset = self.at(at).map_or(0, |word| word.offset);
            self.report(offset, Rule::AlterTable);
        }
    }

    fn copy(&mut self) {
        if self.first() != "copy" || !self.words.iter().any(|word| word.plain == "parquet") {
            return;
        }
        const REFUSED: [&str; 16] = [
            "region",
            "gzip",
            "bzip2",
            "zstd",
            "lzop",
            "maxerror",
            "ignoreallerrors",
            "acceptanydate",
            "dateformat",
            "timeformat",
            "emptyasnull",
            "blanksasnull",
            "truncatecolumns",
            "compupdate",
            "noload",
            "roundec",
        ];
        let wrong: Vec<usize> =
            self.words.iter().filter(|word| REFUSED.contains(&word.plain.as_str())).map(|word| word.offset).collect();
        for offset in wrong {
            self.report(offset, Rule::CopyOption);
        }
        if !self.sql.contains('(') {
            self.report(0, Rule::CopyOption);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_catches_what_it_is_for() {
        let long = format!("SELECT '{}'", "x".repeat(STATEMENT_BYTES_MAX));
        let name = format!("SELECT \"{}\"", "n".repeat(128));
        let bad: &[(&str, Rule)] = &[
            (&long, Rule::StatementLength),
            ("SELECT 1; SELECT 2", Rule::SeveralStatements),
            ("SELECT 'a\\b'", Rule::TextEscape),
            ("SELECT 'a\nb'", Rule::TextEscape),
            ("SELECT \"Upper\" FROM \"t\"", Rule::Name),
            (&name, Rule::Name),
            ("SELECT t.\"oid\" FROM \"t\" AS t", Rule::Name),
            ("SELECT t.tag FROM \"t\" AS t", Rule::ReservedWord),
            ("SELECT 1 AS top", Rule::ReservedWord),
            ("TRUNCATE \"t\"", Rule::NotInTransaction),
            ("VACUUM \"t\"", Rule::NotInTransaction),
            ("ALTER TABLE \"a\" APPEND FROM \"b\"", Rule::NotInTransaction),
            ("SELECT now()", Rule::Function),
            ("SELECT CURRENT_TIMESTAMP", Rule::Function),
            ("SELECT string_agg(a, ',') FROM t", Rule::Function),
            ("SELECT a IS DISTINCT FROM b FROM t", Rule::IsDistinctFrom),
            ("SELECT a IS NOT DISTINCT FROM b FROM t", Rule::IsDistinctFrom),
            ("DELETE FROM t WHERE (a, b) IN (SELECT a, b FROM s)", Rule::RowConstructor),
            ("SELECT 1 FROM t WHERE (a, b) = (c, d)", Rule::RowConstructor),
            ("SELECT 1 FROM t WHERE (a, b) <> (c, d)", Rule::RowConstructor),
            ("SELECT row_number() OVER (ORDER BY a NULLS LAST) FROM t", Rule::NullsInWindow),
            ("SELECT DISTINCT ON (a) b FROM t", Rule::DistinctOn),
            ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", Rule::OnConflict),
            ("DELETE FROM t WHERE a = 1 RETURNING a", Rule::Clause),
            ("SELECT count(*) FILTER (WHERE a) FROM t", Rule::Clause),
            ("SELECT 1 FROM (VALUES (1), (2)) AS v", Rule::ValuesTable),
            ("DELETE FROM t AS x WHERE x.a = 1", Rule::TargetAlias),
            ("DELETE FROM s.t x USING y WHERE x.a = y.a", Rule::TargetAlias),
            ("MERGE INTO t AS x USING s ON x.a = s.a WHEN MATCHED THEN DELETE", Rule::TargetAlias),
            ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED AND s.b THEN DELETE", Rule::MergeShape),
            ("ALTER TABLE t ADD COLUMN a integer, ADD COLUMN b integer", Rule::AlterTable),
            ("ALTER TABLE t ADD COLUMN IF NOT EXISTS a integer", Rule::AlterTable),
            ("ALTER TABLE t ALTER COLUMN a TYPE bigint", Rule::AlterTable),
            ("SELECT (SELECT l.a FROM l WHERE l.b = t.b) FROM t", Rule::CorrelatedScalar),
            ("COPY s (a) FROM 's3://b/k' IAM_ROLE 'r' FORMAT AS PARQUET MANIFEST REGION 'eu-west-1'", Rule::CopyOption),
            ("COPY s FROM 's3://b/k' IAM_ROLE 'r' FORMAT AS PARQUET MANIFEST", Rule::CopyOption),
            ("CREATE TABLE t (a decimal)", Rule::TypeDigits),
            ("CREATE TABLE t (a decimal(39,2))", Rule::TypeDigits),
            ("CREATE TABLE t (a decimal(9,10))", Rule::TypeDigits),
            ("CREATE TABLE t (a varchar(65536))", Rule::TypeDigits),
            ("CREATE TABLE t (a text)", Rule::TypeDigits),
            ("CREATE TABLE t (a integer, PRIMARY KEY (a))", Rule::Key),
            ("CREATE UNIQUE INDEX i ON t (a)", Rule::Key),
            ("CREATE TEMPORARY TABLE \"s\".\"t\" (a integer)", Rule::TemporarySchema),
            ("SELECT a FROM :name", Rule::Parameter),
            ("SELECT a FROM t WHERE a = $1", Rule::Parameter),
        ];
        for (sql, rule) in bad {
            let shown: String = sql.chars().take(100).collect();
            assert!(lint(sql).iter().any(|offence| offence.rule == *rule), "{rule:?} in {shown}: {:?}", lint(sql));
        }
    }

    #[test]
    fn what_redshift_takes_is_no_offence() {
        for sql in [
            "SELECT \"t\".\"tag\" FROM \"s\".\"t\" AS \"t\" WHERE \"t\".\"a\" = :a AND \"t\".\"b\" IN (SELECT \"b\" FROM \"c\")",
            "SELECT 'now() TRUNCATE (a, b) = (c, d)' -- now()\n/* TRUNCATE */",
            "INSERT INTO \"t\" (\"a\", \"b\") VALUES (:v0, CAST(:v1 AS timestamptz)), (1, 2)",
            "DELETE FROM \"s\".\"t\" USING \"w\" WHERE \"t\".\"a\" = \"w\".\"a\"",
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" TYPE varchar(40)",
            "SELECT 1 / CASE WHEN count(*) = 0 THEN 1 ELSE 0 END AS \"guard\" FROM \"t\" AS \"t\"",
        ] {
            assert_eq!(lint(sql), [], "{sql}");
        }
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in
            ["", "'", "\"", "--", "/*", "(", "))", ":", "$", "é'é", "a.", ".", "merge", "alter table", "copy parquet"]
        {
            lint(text);
        }
    }
}
