//! Query: the names of a user's SQL for SQLite, which keeps `schema.table` as one name.
//!
//! SQLite has no schemas inside a file, so the table is stored as `"analytics.orders"`. Users write `analytics.orders`, as on
//! Redshift. This module replaces the two names by the one, outside of texts and comments and for known tables only.
//!
//! A decimal is a text that [`compare_decimals`](super::decimal::compare_decimals) compares. A view declares this for the
//! columns of a table; [`numbers`](super::numbers) does it for expressions.

use std::collections::BTreeSet;

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

/// The name that a token is, without its quotes.
pub(super) fn name_of(token: &Token<'_>) -> Option<String> {
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
}
