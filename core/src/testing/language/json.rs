//! Templates of JSON and of JSON paths. A path is written between single quotes, so no path contains one.

pub(super) const JSONS: &[&str] = &[
    r#"'{"a": [1, {"b": "x"}, null], "bb": {"a": -2.50}, "c": true}'::jsonb"#,
    r#"'[1, 2.0, "a", [3, 4], {"a": 1}, null, false]'::jsonb"#,
    r#"'{"a":1, "a" : [ 2 ]}'::jsonb"#,
    r#"'[1e2, 0.10, -0, 12345678901234567890, 1E-3]'::jsonb"#,
    r#"'"a\u00e9\n\"\\\/\b\f\r\t\ud83d\ude00"'::jsonb"#,
    "'5'::jsonb",
    "'null'::jsonb",
    "'{}'::jsonb",
    "'[]'::jsonb",
    "null::jsonb",
];

pub(super) const JSON: &[&str] = &[
    "({json} -> 'a')",
    "({json} -> {integer})",
    "({json} #> '{{a,1}')",
    "({json})['a']",
    "({json})[{integer}]",
    "({json} || {json})",
    "({json} - 'a')",
    "({json} - {integer})",
    "({json} - array['a', 'b'])",
    "({json} #- '{{a,0}')",
    "jsonb_set({json}, '{{a,1}', {json})",
    "jsonb_set({json}, '{{b}', {json}, {boolean})",
    "jsonb_set({json}, array['a', 'b', null], {json})",
    "jsonb_set_lax({json}, '{{a}', {json}, {boolean}, 'delete_key')",
    "jsonb_insert({json}, '{{a,-1}', {json}, {boolean})",
    "jsonb_strip_nulls({json})",
    "jsonb_extract_path({json}, 'a', '0')",
    "jsonb_object('{{a,b,c,NULL}')",
    "to_jsonb({number})",
    "to_jsonb(({text})::text)",
    "to_jsonb({boolean})",
    "to_jsonb({day})",
    "to_jsonb({moment})",
    "jsonb_build_array({json}, {number}, {text}, {boolean})",
    "jsonb_build_object('bb', {json}, 'a', {number}, 'c', {text})",
    "jsonb_build_object({text}, {number})",
    "jsonb_path_query_array({json}, '{path}')",
    "jsonb_path_query_array({json}, '{path}')",
    "jsonb_path_query_array({json}, '{path}', '{{\"x\": 1}', {boolean})",
    "jsonb_path_query_first({json}, '{path}')",
    "jsonb_path_query_array({json}, '$.a[*] ? (@ > $x)', jsonb_build_object('x', {number}))",
    "coalesce({json}, {json})",
    "greatest({json}, {json})",
    "nullif({json}, {json})",
    "case when {boolean} then {json} end",
];

pub(super) const PATHS: &[&str] = &["$", "strict $.a", "$.**", "strict $[*]"];

pub(super) const PATH: &[&str] = &["{chain}", "strict {chain}", "lax {chain} ? ({condition})", "{predicate}"];

/// Values of a path outside of filters.
pub(super) const CHAINS: &[&str] = &[
    "$",
    "$.a",
    "$.bb.a",
    "$[*]",
    "$.*",
    "$.**",
    "$[0]",
    "$[last]",
    "$.**{1 to 2}",
    "$.**{last}",
    "$.a[0 to 1]",
    "2.50",
    "\"a\"",
];

pub(super) const CHAIN: &[&str] = &[
    "({chain}).a",
    "({chain})[*]",
    "({chain}).*",
    "({chain}).**",
    "({chain})[{integer}]",
    "({chain})[0, last - 1]",
    "({chain}) ? ({condition})",
    "({chain}) ? ({condition})",
    "({chain}).type()",
    "({chain}).size()",
    "({chain}).double()",
    "({chain}).abs()",
    "({chain}).ceiling()",
    "({chain}).floor()",
    "({chain}).keyvalue()",
    "({chain} + {chain})",
    "({chain} - {chain})",
    "({chain} * 2)",
    "({chain} / 4)",
    "({chain} % 3)",
    "(- {chain})",
    "({predicate}).type()",
];

pub(super) const PREDICATES: &[&str] = &["exists($.a)", "$ == 5", "$[0] < 2", "$.a == null", "$[*] != \"a\""];

pub(super) const PREDICATE: &[&str] = &[
    "({chain} == {chain})",
    "({chain} < {chain})",
    "({chain} >= {chain})",
    "exists({chain})",
    "(!({predicate}))",
    "(({predicate}) && ({predicate}))",
    "(({predicate}) || ({predicate}))",
    "(({predicate}) is unknown)",
];

/// Values of a path within filters.
pub(super) const INNERS: &[&str] =
    &["@", "@.a", "@[0]", "@.*", "1", "\"a\"", "null", "true", "$.c", "@.type()", "@.size()"];

pub(super) const INNER: &[&str] = &["({inner} + {inner})", "({inner} ? ({condition}))", "({inner}).a", "({inner})[*]"];

pub(super) const CONDITIONS: &[&str] = &[
    "@ > 1",
    "@.a == 1",
    "exists(@.b)",
    "@ starts with \"a\"",
    "@ like_regex \"^A\" flag \"i\"",
    "@.type() == \"number\"",
    "(@ == null) is unknown",
];

pub(super) const CONDITION: &[&str] = &[
    "{inner} == {inner}",
    "{inner} <> {inner}",
    "{inner} <= {inner}",
    "{inner} > {inner}",
    "({condition}) && ({condition})",
    "({condition}) || ({condition})",
    "!({condition})",
    "exists({inner})",
    "(({condition}) is unknown)",
];
