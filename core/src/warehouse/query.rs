//! Query: a user's SQL for a warehouse in which `schema.table` is one name.
//!
//! SQLite has no schemas inside a file, so the table is stored as `"analytics.orders"`. People write `analytics.orders`, as
//! they will on Redshift; here the two names become the one, outside of texts and comments and for known tables only.

use std::collections::BTreeSet;

use crate::warehouse::quote::Identifier;

/// The query with every known `schema.table` as one quoted name.
pub fn join_names(sql: &str, tables: &BTreeSet<String>) -> String {
    let mut out = String::with_capacity(sql.len() + 16);
    let mut rest = sql;
    // `a.schema.table` is a column of something else, not a table.
    let mut after_point = false;
    while let Some(first) = rest.chars().next() {
        let length = token_bytes(rest, first);
        let (token, after) = rest.split_at(length);
        if let Some(schema) = name_of(token).filter(|_| !after_point)
            && let Some((name, end)) = table_after_point(after)
            && let joined = format!("{schema}.{name}").to_ascii_lowercase()
            && tables.contains(&joined)
        {
            out.push_str(&Identifier::found(&joined).to_string());
            rest = end;
            continue;
        }
        after_point = token == "." || (after_point && token.trim().is_empty());
        out.push_str(token);
        rest = after;
    }
    out
}

/// The bytes of the first token: a name, a text, a comment, blanks, or one character.
fn token_bytes(text: &str, first: char) -> usize {
    let until = |end: &str, from: usize| {
        let found = text.get(from..).and_then(|rest| rest.find(end));
        found.map_or(text.len(), |at| from + at + end.len())
    };
    let run = |belongs: fn(char) -> bool| text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    match first {
        // A doubled quote is two texts side by side here, which comes to the same end.
        '\'' => until("'", 1),
        '"' => until("\"", 1),
        '-' if text.starts_with("--") => until("\n", 2),
        '/' if text.starts_with("/*") => until("*/", 2),
        _ if is_name(first) => run(is_name),
        _ if first.is_whitespace() => run(char::is_whitespace),
        _ => first.len_utf8(),
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// The name that a token is, without its quotes.
fn name_of(token: &str) -> Option<&str> {
    match token.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"'),
        None => token.starts_with(is_name).then_some(token),
    }
}

/// The name after a point, and what stands after it.
fn table_after_point(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix('.')?.trim_start();
    let (token, after) = text.split_at(token_bytes(text, text.chars().next()?));
    Some((name_of(token)?, after))
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
