//! Numbers: a user's SQL for SQLite, in which expressions over decimals compare as numbers.
//!
//! A decimal is a text with a collation, which the column of a table declares. SQLite does not apply the collation to an
//! expression: `case … then amount … end > 9` would be true for every text, and `order by (select amount)` would sort by
//! letters. So the query is parsed as SQLite does, and an expression that gives decimals is wrapped in a cast to a text with
//! the collation wherever its value is used: as an operand of a comparison, a column of a select, an argument of a function, a
//! term of an ORDER BY. The other operand of a comparison becomes a text with the same collation.
//!
//! ```text
//! select    what SQLite reads; only its expressions matter, and all other words stay as they are
//! decimal   a column of decimals, by its name or by one that the query gives it
//!           | - decimal | + decimal | decimal (+ - * / %) any | (decimal) | (select decimal …)
//!           | case … then decimal … end | a function that gives back what it was given
//! ```
//!
//! Parts of the query that are not understood stay as they are.

mod piece;
mod reader;

use std::collections::BTreeSet;

use crate::sql::scan::{Lexis, scan};
use reader::{Clause, Reader};

/// The function that writes a number with all its digits and without an exponent, and leaves a text as it is.
pub const DIGITS_FUNCTION: &str = "etalon_digits";
/// The function that changes the sign of a number or of a decimal.
pub const MINUS_FUNCTION: &str = "etalon_minus";

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

/// Words that begin no expression and name no column.
const RESERVED: [&str; 45] = [
    "all",
    "and",
    "as",
    "between",
    "by",
    "collate",
    "distinct",
    "else",
    "end",
    "escape",
    "except",
    "filter",
    "from",
    "glob",
    "group",
    "having",
    "in",
    "inner",
    "intersect",
    "is",
    "isnull",
    "join",
    "like",
    "limit",
    "match",
    "natural",
    "notnull",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "regexp",
    "select",
    "set",
    "then",
    "union",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
];

/// The query with its expressions over decimals wrapped so that they compare as numbers. `decimals` are the names of columns,
/// in lower case; what the query calls by another name is followed.
pub fn compare_by_number(sql: &str, decimals: &BTreeSet<String>) -> String {
    let tokens = scan(sql, Lexis::Sqlite);
    let mut known = Known { names: decimals.clone(), united: BTreeSet::new() };
    loop {
        let before = (known.names.len(), known.united.len());
        let mut reader = Reader { tokens: &tokens, at: 0, known, mentions: 0 };
        let mut text = String::new();
        while reader.at < tokens.len() {
            text.push_str(&reader.select(Clause::Start).text);
            // A parenthesis that closes nothing.
            text.push_str(reader.take());
        }
        known = reader.known;
        // A name may be given below the place where it is used.
        if before == (known.names.len(), known.united.len()) {
            return text;
        }
    }
}

/// What is known of a query from reading it.
struct Known {
    /// The names of decimals.
    names: BTreeSet<String>,
    /// Columns that several selects fill, and one of them with decimals: where the first select begins, and which column.
    united: BTreeSet<(usize, usize)>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Checks what becomes of a query over the decimals `amount`; `<…>` are the words around a decimal, `{…}` those around another.
    fn check(sql: &str, expected: &str) {
        let expected = expected
            .replace("<<", "CAST(etalon_digits(")
            .replace(">>", ") AS TEXT) COLLATE etalon_decimal")
            .replace("{", "(")
            .replace("}", ") COLLATE BINARY");
        assert_eq!(compare_by_number(sql, &BTreeSet::from(["amount".to_owned()])), expected);
    }

    #[test]
    fn what_functions_make_of_decimals_is_compared_by_number() {
        check("select amount, count(amount), sum(id) from o", "select amount, count(amount), sum(id) from o");
        check("select Sum ( o.amount ) from o order by 1", "select <<Sum ( o.amount )>> from o order by 1");
        check("select sum(distinct \"Amount\")", "select <<sum(distinct \"Amount\")>>");
        check("select 'sum(amount)' -- sum(amount)", "select 'sum(amount)' -- sum(amount)");
        check("select max(amount - 1), min(amount, 2)", "select <<max(<<amount - 1>>)>>, <<min(amount, '2')>>");
        check(
            "select sum(amount) filter (where id = 1) over w, id from o",
            "select <<sum(amount) filter (where id = 1) over w>>, id from o",
        );
        check(
            "select max(t) from (select sum(amount) as t from o)",
            "select <<max(t)>> from (select <<sum(amount)>> as t from o)",
        );
        check("select coalesce(sum(amount), 0)", "select <<coalesce(<<sum(amount)>>, 0)>>");
        check("select sum from amount", "select sum from amount");
    }

    #[test]
    fn what_expressions_make_of_decimals_is_compared_by_number() {
        check(
            "select 1 from o where case when paid then amount else 0 end > 1000",
            "select 1 from o where <<case when paid then amount else 0 end>> > '1000'",
        );
        check("select 1 where (select amount) > n", "select 1 where <<(select amount)>> > <<n>>");
        check("select 1 where (amount) > 1 and amount > n", "select 1 where (amount) > '1' and amount > <<n>>");
        check("order by case when a then amount end desc, b", "order by <<case when a then amount end>> desc, b");
        check("select -amount, - 1, -n", "select <<etalon_minus(amount)>>, - 1, -n");
        check("select 9 between 1 and amount", "select <<'9'>> between '1' and amount");
        check("select 9 not in (1, amount)", "select <<'9'>> not in ('1', amount)");
        check("select 9 in (select amount from o)", "select <<'9'>> in (select amount from o)");
        check("select case 1 when amount then 2 end", "select {case <<'1'>> when amount then 2 end}");
        check("select amount is not null, amount like '1%'", "select amount is not null, amount like '1%'");
        check("select nullif(amount, .5)", "select <<nullif(amount, '0.5')>>");
        check("select * from (select amount) t, (select 1) u", "select * from (select amount) t, (select 1) u");
    }

    #[test]
    fn names_of_decimals_are_followed() {
        check("select -x from (select amount x from o)", "select <<etalon_minus(x)>> from (select amount x from o)");
        check(
            "with t(x) as (select amount from o) select -x",
            "with t(x) as (select amount from o) select <<etalon_minus(x)>>",
        );
        check(
            "select n y union all select amount order by -y",
            "select <<n>> y union all select <<amount>> order by <<etalon_minus(y)>>",
        );
        check("select (select * from (select amount)) > 1", "select <<(select * from (select amount))>> > '1'");
        check("select o.* , -z, amount as z from o", "select o.* , <<etalon_minus(z)>>, amount as z from o");
    }

    #[test]
    fn other_expressions_keep_their_order() {
        check(
            "order by case when -amount > n then customer end",
            "order by {case when <<etalon_minus(amount)>> > <<n>> then customer end}",
        );
    }

    proptest! {
        /// What is not about decimals stays as it is, whatever it is.
        #[test]
        fn a_text_without_decimals_stays(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "select", "from", "(", ")", ",", "case", "when", "then", "end", "not", "in", "between", "and", "is", "null",
                    "as", "x", "y.z", "*", "-", "||", "1", "'t'", "union", "with", "over", "filter", "cast", "max", "on", "\u{e9}",
                ]),
                0..20,
            ),
        ) {
            let text = words.join(" ");
            prop_assert_eq!(compare_by_number(&text, &BTreeSet::new()), text);
        }

        #[test]
        fn any_text_can_be_read(text in ".{0,40}") {
            prop_assert_eq!(compare_by_number(&text, &BTreeSet::new()), text);
        }
    }
}
