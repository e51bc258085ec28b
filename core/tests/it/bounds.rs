//! Work that is bounded: what would take minutes or gigabytes is refused by `check`, or is a reject of its row.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use arrow_array::StringViewArray;
use etalon_core::column::Column;
use etalon_core::diagnostic::Code;
use etalon_core::expr::Context;
use etalon_core::expr::Expr;
use etalon_core::expr::Name;
use etalon_core::types::Type;
use etalon_core::value::show::show;

/// What becomes of an expression over one row whose field `t` is a text: a value's first characters, a fault, or `refused`.
fn result(expression: &str, text: &str) -> String {
    let scope = [Name { name: "t".to_owned(), ty: Type::Text, nullable: true }];
    let Ok((expr, _)) = Expr::compile(expression, &scope) else { return "refused".to_owned() };
    let field = Column::new(Arc::new(StringViewArray::from(vec![text])));
    let context = Context { batch_time: 0, source_name: "", record_offsets: &[0] };
    let column = expr.evaluate(&[Some(&field)], 1, &context);
    match column.faults.of(0) {
        Some(fault) => fault.code.to_string(),
        None => show(&*column.values, 0).map_or_else(|| "NULL".to_owned(), |text| text.chars().take(20).collect()),
    }
}

#[test]
fn no_expression_is_too_large_to_be_checked() {
    for expression in [
        "a".repeat(1 << 20),
        format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        "-".repeat(20_000) + "1",
        "not ".repeat(20_000) + "true",
        format!("t{}", "::text".repeat(20_000)),
        "case when true then ".repeat(5_000) + "1",
        format!("t ~ '{}'", "(a)".repeat(20_000)),
        format!("t ~ '{}a{}'", "(".repeat(20_000), ")".repeat(20_000)),
        "t ~ 'a{1,255}{1,255}{1,255}'".to_owned(),
        format!("jsonb_path_exists(t::jsonb, '{}')", "$.a".to_owned() + &"[$.a".repeat(20_000)),
    ] {
        let shown: String = expression.chars().take(40).collect();
        assert_eq!(result(&expression, "a"), "refused", "{shown}");
    }
}

#[test]
fn no_row_takes_more_than_its_share() {
    let long = "a".repeat(1 << 18);
    let nested = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    let wide = format!("[{}1]", "[1],".repeat(50_000));
    let limit = Code::ResultTooLong.to_string();
    for (expression, text, wanted) in [
        // Regular expressions without memory are automata; those with memory count their steps.
        ("t ~ '^(a*)*$'", &long, "t"),
        ("t ~ '^((a*)*)*b$'", &long, "f"),
        (r"t ~ '(.)\1+b'", &long, &*limit),
        (r"t ~ '^(a+)+\1b'", &long, &*limit),
        ("t ~ '(?=a*b)'", &long, &*limit),
        ("regexp_count(t, '(a|b|ab)*c|a')", &long, &*limit),
        // Patterns of LIKE.
        ("t like '%a%a%a%a%a%a%a%b'", &long, "f"),
        ("t like '%_' || repeat('a', 400) || 'b%'", &long, &*limit),
        // Texts that would fill the memory.
        ("repeat(t, 1000000)", &long, &*limit),
        ("lpad(t, 2000000000)", &long, "refused"),
        ("lpad('', 2000000000, t)", &long, &*limit),
        ("replace(t, 'a', repeat('x', 1000))", &long, &*limit),
        ("regexp_replace(t, 'a', repeat('x', 1000), 'g')", &long, &*limit),
        ("translate(t, 'a', 'ä')", &long, "ääääääääääääääääääää"),
        ("array_to_string(string_to_array(t, null), repeat('x', 1000))", &long, &*limit),
        // Numbers.
        ("factorial(t::bigint)", &"9223372036854775807".to_owned(), "R302"),
        ("power(t::numeric, 99999999999)", &"1.5".to_owned(), "R302"),
        ("exp(t::numeric)", &"99999999999".to_owned(), "R302"),
        ("t::numeric", &"1e2000000000".to_owned(), "R302"),
        // Paths through JSON.
        ("jsonb_array_length(jsonb_path_query_array(t::jsonb, '$.**'))", &wide, "100002"),
        ("jsonb_path_exists(t::jsonb, '$.**.**.**.** ? (@ == 2)')", &wide, "R341"),
        ("t::jsonb is null", &nested, "R314"),
    ] {
        assert_eq!(result(expression, text), wanted, "{expression}");
    }
}
