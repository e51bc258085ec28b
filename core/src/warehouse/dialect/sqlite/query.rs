//! Query: a user's SQL for SQLite, which keeps `schema.table` as one name and decimals as text.
//!
//! SQLite has no schemas inside a file, so the table is stored as `"analytics.orders"`. People write `analytics.orders`, as
//! they will on Redshift; here the two names become the one, outside of texts and comments and for known tables only.
//!
//! A decimal is a text that [`compare_decimals`](super::decimal::compare_decimals) compares. A column of a table can say so
//! itself, but the result of a function cannot: `order by sum(amount)` would order by letters, and `max(amount) > 9` would be
//! true of every text. So a function that gives back the decimals that it was given is wrapped in words that say it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::decimal::DECIMAL_COLLATION;
use crate::sql::quote::Identifier;
use crate::sql::scan::Kind;
use crate::sql::scan::Lexis;
use crate::sql::scan::Token;
use crate::sql::scan::scan;
use crate::sql::unquote::unquote;

/// The query with every known `schema.table` as one quoted name.
pub fn join_names(sql: &str, tables: &BTreeSet<String>) -> String {
    let tokens = scan(sql, Lexis::Sqlite);
    let mut out = String::with_capacity(sql.len() + 16);
    let mut at = 0;
    // `a.schema.table` is a column of something else, not a table.
    let mut after_point = false;
    while let Some(token) = tokens.get(at) {
        if let Some(schema) = name_of(token).filter(|_| !after_point)
            && let Some((name, end)) = table_after_point(&tokens, at + 1)
            && let joined = format!("{schema}.{name}").to_ascii_lowercase()
            && tables.contains(&joined)
        {
            out.push_str(&Identifier::found(&joined).to_string());
            at = end;
            continue;
        }
        after_point = token.is_sign(".") || (after_point && token.is_space());
        out.push_str(token.text);
        at += 1;
    }
    out
}

/// The statement that creates a view before a table, for this connection only, in which decimals compare as numbers.
pub fn view_by_number<'a>(table: &str, columns: impl Iterator<Item = (&'a str, bool)>) -> String {
    let column = |(name, is_decimal): (&str, bool)| {
        let name = Identifier::found(name);
        if is_decimal { format!("{name} COLLATE {DECIMAL_COLLATION} AS {name}") } else { name.to_string() }
    };
    let columns: Vec<String> = columns.map(column).collect();
    let table = Identifier::found(table);
    format!("CREATE TEMPORARY VIEW {table} AS SELECT {} FROM main.{table}", columns.join(", "))
}

/// The function that writes a number with all its digits and without an exponent, and leaves a text as it is.
pub const DIGITS_FUNCTION: &str = "etalon_digits";

/// Functions that give back values that they were given, or sums of them.
const KEEPING: [&str; 15] = [
    "sum",
    "total",
    "avg",
    "min",
    "max",
    "coalesce",
    "ifnull",
    "nullif",
    "iif",
    "if",
    "lag",
    "lead",
    "first_value",
    "last_value",
    "nth_value",
];

/// The query with its functions over decimals wrapped so that their results compare as numbers. `decimals` are the names of
/// columns, in lower case; what the query calls by another name is followed.
pub fn compare_by_number(sql: &str, decimals: &BTreeSet<String>) -> String {
    let mut decimals = decimals.clone();
    let tokens = scan(sql, Lexis::Sqlite);
    loop {
        let known = decimals.len();
        let text = Wrapper { tokens: &tokens, decimals: &mut decimals }.text(0..tokens.len()).text;
        // A name may be given below the place where it is used.
        if decimals.len() == known {
            return text;
        }
    }
}

/// Wraps the calls in a list of tokens.
struct Wrapper<'a> {
    tokens: &'a [Token<'a>],
    /// What the names of decimals are; names given to decimals are added.
    decimals: &'a mut BTreeSet<String>,
}

/// A part of a query.
struct Piece {
    text: String,
    /// Whether a decimal is mentioned in it.
    has_decimal: bool,
}

impl Wrapper<'_> {
    fn text(&mut self, range: Range<usize>) -> Piece {
        let mut part = Piece { text: String::new(), has_decimal: false };
        let mut at = range.start;
        while at < range.end {
            let (piece, end) = match self.call(at, range.end) {
                Some((piece, end)) => (piece, end),
                None => (self.word(at), at + 1),
            };
            part.text.push_str(&piece.text);
            part.has_decimal |= piece.has_decimal;
            at = end;
            if piece.has_decimal {
                self.follow_name(at);
            }
        }
        part
    }

    fn word(&self, at: usize) -> Piece {
        let Some(token) = self.tokens.get(at) else { return Piece { text: String::new(), has_decimal: false } };
        let name = name_of(token).map(|name| name.to_ascii_lowercase());
        Piece { text: token.text.to_owned(), has_decimal: name.is_some_and(|name| self.decimals.contains(&name)) }
    }

    /// A call that begins at a token, and where it ends: with what filters it and the window that it moves over.
    fn call(&mut self, at: usize, end: usize) -> Option<(Piece, usize)> {
        let function = self.tokens.get(at)?.text.to_ascii_lowercase();
        if !KEEPING.contains(&function.as_str()) {
            return None;
        }
        let open = self.next(at + 1, end).filter(|&open| self.is(open, "("))?;
        let close = self.closing(open, end)?;
        let arguments = self.arguments(&function, open, close);
        let mut text = format!("{function}({})", arguments.text);
        let mut ended = close + 1;
        for (word, takes_name) in [("filter", false), ("over", true)] {
            let Some(found) = self.next(ended, end).filter(|&found| self.is(found, word)) else { continue };
            let Some(after) = self.next(found + 1, end) else { continue };
            let until = if self.is(after, "(") { self.closing(after, end) } else { takes_name.then_some(after) };
            let Some(until) = until else { continue };
            text.push_str(&self.text(ended..until + 1).text);
            ended = until + 1;
        }
        if arguments.has_decimal {
            text = format!("CAST({DIGITS_FUNCTION}({text}) AS TEXT) COLLATE {DECIMAL_COLLATION}");
        }
        Some((Piece { text, has_decimal: arguments.has_decimal }, ended))
    }

    /// What stands between the parentheses of a call. The least and the greatest are found by number, too.
    fn arguments(&mut self, function: &str, open: usize, close: usize) -> Piece {
        let mut start = open + 1;
        let mut depth = 0_i32;
        let is_list = self.tokens.get(start..close).unwrap_or_default().iter().any(|token| {
            depth += i32::from(token.is_sign("(")) - i32::from(token.is_sign(")"));
            token.is_sign(",") && depth == 0
        });
        let distinct = self.next(start, close).filter(|&word| self.is(word, "distinct"));
        if let Some(word) = distinct {
            start = word + 1;
        }
        let mut inner = self.text(start..close);
        if inner.has_decimal && !is_list && matches!(function, "min" | "max") {
            inner.text = format!("{DIGITS_FUNCTION}({}) COLLATE {DECIMAL_COLLATION}", inner.text);
        }
        if distinct.is_some() {
            inner.text.insert_str(0, "DISTINCT ");
        }
        inner
    }

    /// Notes the name that `as` gives to what ended before a token.
    fn follow_name(&mut self, at: usize) {
        let end = self.tokens.len();
        let name = self.next(at, end).filter(|&word| self.is(word, "as")).and_then(|word| self.next(word + 1, end));
        if let Some(name) = name.and_then(|at| self.tokens.get(at)).and_then(name_of) {
            self.decimals.insert(name.to_ascii_lowercase());
        }
    }

    /// The next token that is no blank and no comment.
    fn next(&self, from: usize, end: usize) -> Option<usize> {
        (from..end).find(|&at| self.tokens.get(at).is_some_and(|token| !token.is_space()))
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(word) || token.is_sign(word))
    }

    /// The parenthesis that closes another.
    fn closing(&self, open: usize, end: usize) -> Option<usize> {
        let mut depth = 0_i32;
        (open..end).find(|&at| {
            depth += i32::from(self.is(at, "(")) - i32::from(self.is(at, ")"));
            depth == 0
        })
    }
}

/// The name that a token is, without its quotes.
fn name_of(token: &Token<'_>) -> Option<String> {
    match token.kind {
        Kind::Word | Kind::Name(_) => unquote(token, '\\').ok(),
        _ => None,
    }
}

/// The name after a point from a token on, and the position after it.
fn table_after_point(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let next = |from: usize| (from..tokens.len()).find(|&at| tokens.get(at).is_some_and(|token| !token.is_space()));
    let point = next(at).filter(|&at| tokens.get(at).is_some_and(|token| token.is_sign(".")))?;
    let name = next(point + 1)?;
    Some((name_of(tokens.get(name)?)?, name + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_table_becomes_one_name() {
        let tables = BTreeSet::from(["analytics.orders".to_owned()]);
        let check = |sql: &str, expected: &str| assert_eq!(join_names(sql, &tables), expected);
        check("select * from analytics.orders limit 5", "select * from \"analytics.orders\" limit 5");
        check("select 1 from Analytics . \"orders\"", "select 1 from \"analytics.orders\"");
        check(
            "select analytics.orders.id from analytics.orders;",
            "select \"analytics.orders\".id from \"analytics.orders\";",
        );
        check("select * from \"analytics.orders\"", "select * from \"analytics.orders\"");
        check(
            "select 'analytics.orders', 'it''s analytics.orders'",
            "select 'analytics.orders', 'it''s analytics.orders'",
        );
        check(
            "-- analytics.orders\nselect /* analytics.orders */ 1",
            "-- analytics.orders\nselect /* analytics.orders */ 1",
        );
        check("select main.analytics.orders, other.orders, 'open", "select main.analytics.orders, other.orders, 'open");
        check("select é.orders from \"", "select é.orders from \"");
    }

    #[test]
    fn what_functions_make_of_decimals_is_compared_by_number() {
        let decimals = BTreeSet::from(["amount".to_owned()]);
        let check = |sql: &str, expected: &str| {
            let expected = expected
                .replace("<", "CAST(etalon_digits(")
                .replace(">", ") AS TEXT) COLLATE etalon_decimal")
                .replace("~", " COLLATE etalon_decimal");
            assert_eq!(compare_by_number(sql, &decimals), expected);
        };
        check("select amount, count(amount), sum(id) from o", "select amount, count(amount), sum(id) from o");
        check("select Sum ( o.amount ) from o order by 1", "select <sum( o.amount )> from o order by 1");
        check("select sum(distinct \"Amount\")", "select <sum(DISTINCT  \"Amount\")>");
        check("select 'sum(amount)' -- sum(amount)", "select 'sum(amount)' -- sum(amount)");
        check("select max(amount - 1), min(amount, 2)", "select <max(etalon_digits(amount - 1)~)>, <min(amount, 2)>");
        check(
            "select sum(amount) filter (where id = 1) over w, id from o",
            "select <sum(amount) filter (where id = 1) over w>, id from o",
        );
        check(
            "select max(t) from (select sum(amount) as t from o)",
            "select <max(etalon_digits(t)~)> from (select <sum(amount)> as t from o)",
        );
        check("select coalesce(sum(amount), 0)", "select <coalesce(<sum(amount)>, 0)>");
        check("select sum(amount", "select sum(amount");
        check("select sum from amount", "select sum from amount");
    }
}
