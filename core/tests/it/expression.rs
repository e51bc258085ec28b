//! The laws of expressions, over generated input.

use etalon_core::testing::expression::*;
use etalon_core::testing::language::expression;
use proptest::prelude::*;

/// Texts that are nearly SQL.
fn nearly_sql() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "n",
        "t",
        "d",
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "||",
        "=",
        "<",
        "::",
        "integer",
        "case",
        "when",
        "then",
        "else",
        "end",
        "and",
        "or",
        "not",
        "is",
        "null",
        "in",
        "between",
        "like",
        "escape",
        "'a'",
        "E'\\n'",
        "1",
        "2.5",
        "1e40",
        "upper",
        "trim",
        "both",
        "from",
        "for",
        "substring",
        "cast",
        "as",
        "decimal",
        "date",
        "\"n\"",
        "ß",
        ".",
        "extract",
        "year",
        "--",
        "/*",
        "'",
        "now",
        "interval",
        "select",
        "numeric",
        "round",
        "coalesce",
        "symmetric",
    ]);
    prop::collection::vec(word, 0..14).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn splits(text in expression(), rows in rows(), cuts in prop::collection::vec(any::<usize>(), 0..4)) {
        any_split_gives_the_same_values(&text, &rows, &cuts);
    }

    #[test]
    fn types(text in expression(), rows in rows()) {
        a_checked_expression_yields_its_type(&text, &rows);
    }

    #[test]
    fn branches(text in expression(), rows in rows()) {
        an_unreached_branch_faults_nothing(&text, &rows);
    }

    #[test]
    fn texts(text in prop_oneof![nearly_sql(), "\\PC{0,40}"]) {
        any_text_is_an_expression_or_explained(&text);
    }
}

#[test]
fn references() {
    // One runner for all cases, so that the law can be seen to compare nearly everything.
    let mut runner = proptest::test_runner::TestRunner::default();
    let total = std::cell::Cell::new(Agreement::default());
    let law = |(text, rows): (String, Vec<Row>)| {
        let (found, sum) = (columns_agree_with_rows(&text, &rows), total.get());
        total.set(Agreement { compared: sum.compared + found.compared, skipped: sum.skipped + found.skipped });
        Ok(())
    };
    runner.run(&(expression(), rows()), law).unwrap();
    let Agreement { compared, skipped } = total.get();
    println!("reference: {compared} values compared, {skipped} not known to it");
    assert!(compared > 2 * skipped, "{compared} values compared, {skipped} not known to the reference");
}
