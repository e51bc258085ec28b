//! The pages about the language of expressions: each line of them is true.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::fmt::Write as _;

use etalon_core::diagnostic::Code;
use etalon_core::expr::Context;
use etalon_core::expr::Expr;
use etalon_core::expr::page;
use etalon_core::value::show::show;

use crate::spec::check_page;

#[test]
fn the_page_of_functions_is_true() {
    check_page("functions.md", &page());
}

/// Where Etalon gives something else than PostgreSQL 15: an expression, Etalon's answer, PostgreSQL's, and why.
const FROM_POSTGRESQL: &[(&str, &str, &str, &str)] = &[
    ("date '294276-12-31' + 1", "R303", "294277-01-01", "The last day is that of Redshift, 294276-12-31"),
    (
        "timestamp '294247-01-10 12:00' + interval '1 second'",
        "refused",
        "294247-01-10 12:00:01",
        "The last time is 294247-01-10 04:00:54.775806: microseconds are counted from 1970 on",
    ),
    (
        "regexp_like(repeat('a', 400000), '(a)\\1b')",
        "R315",
        "f",
        "Back-references and lookaround are searched for step by step: a million steps a row, 255 repetitions of what refers back",
    ),
    (
        "regexp_match('abc', '(b)(c)')",
        "refused",
        "{b,c}",
        "No column holds an array: a value is taken out of it, `(regexp_match(…))[1]`",
    ),
    (
        "'[1]'::json = '[1.0]'",
        "t",
        "no such operator",
        "A `super` is a `json`, and becomes a `jsonb` where that is wanted: it is compared by what it means",
    ),
    (
        "'7'::json::integer",
        "7",
        "no such cast",
        "So too in a cast: PostgreSQL casts a `jsonb` to a number or a boolean, and no `json`",
    ),
    ("'a'::\"char\"::integer", "refused", "97", "`ascii('a')` gives the number of a character"),
    (
        "case when to_char(1, '9') = ' 1' then 1 else 1 / 0 end",
        "1",
        "division by zero",
        "What depends on nothing is computed before there are rows; PostgreSQL does so too, but not where settings of its session may change the result, as in `to_char`, and then looks at the other branch",
    ),
    (
        "timetz '10:00+00' at time zone interval '36 hours'",
        "refused",
        "22:00:00+36",
        "An offset has less than sixteen hours: PostgreSQL cannot read what it writes here",
    ),
    (
        "jsonb_path_query_array('[\"1.2.2026\"]', '$[*].datetime(\"DD.MM.YYYY\")')",
        "refused",
        "[\"2026-02-01\"]",
        "`.datetime()` reads ISO 8601 only",
    ),
    (
        "jsonb_path_query_array('{\"a\": {\"b\": 1}}', '$.keyvalue().keyvalue()')",
        "R324",
        "pairs of pairs",
        "The numbers that `.keyvalue()` gives its pairs are not told apart",
    ),
    (
        "jsonb_path_query_array('[1e40]', '$[*] + 1')",
        "refused",
        "[10000000000000000000000000000000000000001]",
        "What a JSON path computes has at most 38 digits, as every decimal",
    ),
    (
        "'NaN'::numeric(5,2)",
        "refused",
        "NaN",
        "No decimal of a warehouse holds it: `NaN` and infinities are a `numeric` without digits, and the fault R319 where they would have some",
    ),
    (
        "repeat('ab', 1000000)",
        "R315",
        "two million bytes",
        "A text that is repeated, padded or replaced in has at most a mebibyte, and any other that is computed at most 16; Redshift's texts end at 64 KiB",
    ),
    (
        "'x'::char(4) = 'x '::varchar",
        "f",
        "t",
        "A `varchar` without a length is a `text` here, and blanks at the end of a text count",
    ),
    ("(array[1, 2])[1]", "refused", "1", "An array is one of texts: `(array['1', '2'])[1]`"),
    (
        "1e40 > 1",
        "refused",
        "t",
        "An exact number has at most 38 digits; beside a `double precision` a longer one is one too",
    ),
    (
        "power(0.001, 10000000000)",
        "0.00000000000000000000000000000000000000",
        "0 and 1000 zeros",
        "What has no digit that is not zero is zero, with at most 38 digits",
    ),
    ("round(2.5, 40)", "refused", "2.5 and 39 zeros", "So too digits after the point"),
    (
        "to_date('2026', 'IYYY-MM')",
        "refused",
        "2026-01-01",
        "Weeks and months do not go together: PostgreSQL faults the texts that reach the second",
    ),
    (
        "cbrt(27)",
        "3",
        "3.0000000000000004",
        "The last digit is that of a C library, in PostgreSQL that of the machine it runs on",
    ),
    (
        "regexp_replace(repeat('a', 5000), '((a|aa)*)', '\\1b')",
        "R315",
        "5000 a and a b",
        "The work that a regular expression makes in a row is bounded: 10,000 parts, 8 MiB for each automaton, 64 MiB of text looked at again, a million steps to find the groups of a match of at most 4096 bytes",
    ),
    (
        "width_bucket(1.5, -1000000000000000000, 2, 32)",
        "32",
        "33",
        "PostgreSQL rounds its quotient up to the bucket behind the last, though the number is below the upper bound",
    ),
    (
        "age(timestamp '2000-01-01', timestamp 'infinity')",
        "R303",
        "-292277 years -8 days -04:00:54.775807",
        "PostgreSQL 15 takes an infinite time for the last one that there is",
    ),
    (
        "make_interval(-2147483648, 31)",
        "R303",
        "2 years 7 mons",
        "PostgreSQL 15 does not see that years and months have no room in months",
    ),
    ("bttext_pattern_cmp('a', 'x')", "-1", "-23", "As Redshift's `bttext_pattern_cmp` and `bpcharcmp`: the sign alone"),
    ("sum(1)", "refused", "1", "An aggregate, a window, a subquery needs other rows"),
    ("now()", "refused", "the time", "The same input must give the same bytes: `batch_time()`"),
];

/// Where Redshift gives something else than PostgreSQL, and Etalon goes with one of them.
const REDSHIFT: &[(&str, &str, &str, &str)] = &[
    (
        "regexp_replace('aba', 'a', 'x')",
        "xba",
        "PostgreSQL's: the first match",
        "Redshift replaces every match; write the flag `g`",
    ),
    ("regexp_substr('abc', 'x')", "NULL", "PostgreSQL's", "Redshift gives an empty text"),
    ("concat('a', null)", "a", "PostgreSQL's", "Redshift gives NULL, and takes two arguments; `||` gives NULL in both"),
    (
        "substring('größe', 1, 4)",
        "größ",
        "both: characters",
        "Lengths of `varchar(n)` are bytes, positions in functions are characters",
    ),
    ("len('größe')", "5", "Redshift's name for `length`", "PostgreSQL has no `len`"),
    ("charindex('b', 'abc')", "2", "Redshift's", "PostgreSQL has `position` and `strpos`"),
    ("sha2('abc', 1)", "", "Redshift's", "An empty text for another number of bits than 224, 256, 384, 512 and 0"),
    ("crc32('Amazon Redshift')", "f2726906", "Redshift's", "PostgreSQL 15 has no `crc32`"),
    ("fnv_hash('Amazon Redshift')", "7783490368944507294", "Redshift's", "PostgreSQL has no `fnv_hash`"),
    ("soundex('+-*')", "", "both", "PostgreSQL has it in the extension fuzzystrmatch"),
    (
        "json_typeof('[1]'::super)",
        "array",
        "PostgreSQL's: the text is read, as by `json_parse`",
        "Redshift's cast makes a string of the text",
    ),
    (
        "'\"a\"'::super::varchar",
        "\"a\"",
        "PostgreSQL's: the JSON",
        "Redshift gives the string: a; write `->>`, `#>> '{}'`",
    ),
    ("json_extract_array_element_text('[1, 2]', 0)", "1", "Redshift's: counted from 0", "PostgreSQL has `->>`"),
    ("nvl2(null, 1, 2)", "2", "Redshift's", "PostgreSQL writes `case`"),
    ("decode(2, 1, 'a', 2, 'b')", "b", "Redshift's", "PostgreSQL's `decode` makes bytes of a text"),
    ("'größe'::varchar(4)", "grö", "Redshift's: bytes", "PostgreSQL counts characters: `größ`"),
];

#[test]
fn the_page_of_differences_is_true() {
    let mut page = format!(
        "# Where PostgreSQL, Redshift and Etalon differ\n\nGenerated by a test; do not edit. Expressions give the same results as in PostgreSQL 15. \
         This page lists the exceptions, and how Redshift, into which rows are loaded, differs. Time zones are those of the IANA database, release \
         {}, which is a part of Etalon; PostgreSQL uses that of its system, and a few old dates differ between releases.\n\n## Etalon and \
         PostgreSQL\n\n| Expression | Etalon | PostgreSQL | Why |\n|---|---|---|---|\n",
        tzdb_data::VERSION
    );
    for (expression, wanted, theirs, why) in FROM_POSTGRESQL {
        assert_eq!(answer(expression), *wanted, "{expression}");
        let _ = writeln!(page, "| `{expression}` | {wanted} | {} | {why} |", theirs.replace('|', "\\|"));
    }
    page.push_str("\n## Redshift and PostgreSQL\n\n| Expression | Etalon | Whose answer | What the other has |\n|---|---|---|---|\n");
    for (expression, wanted, whose, other) in REDSHIFT {
        assert_eq!(answer(expression), *wanted, "{expression}");
        let wanted = if wanted.is_empty() { "(empty)" } else { wanted };
        let _ = writeln!(page, "| `{expression}` | {wanted} | {whose} | {other} |");
    }
    check_page("postgresql-differences.md", &page);
}

/// The text of an expression without names; `refused`, NULL, or the code of its fault.
fn answer(expression: &str) -> String {
    let expr = match Expr::compile(expression, &[]) {
        Ok((expr, _)) => expr,
        // A constant that faults in every row is refused before there are rows.
        Err(diagnostics) => {
            let mut faults = diagnostics.iter().filter(|diagnostic| diagnostic.code == Code::ConstantFault);
            let fault = faults.find_map(|diagnostic| diagnostic.fault);
            return fault.map_or_else(|| "refused".to_owned(), |fault| fault.to_string());
        }
    };
    let context = Context { batch_time: 0, source_name: "", record_offsets: &[0] };
    let column = expr.evaluate(&[], 1, &context);
    match column.faults.of(0) {
        Some(fault) => fault.code.to_string(),
        None => show(&*column.values, 0).unwrap_or_else(|| "NULL".to_owned()),
    }
}
