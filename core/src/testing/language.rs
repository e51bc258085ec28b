//! The language as generated expressions speak it: templates whose holes are filled with expressions of a kind.
//!
//! To have a function or an operator generated, add a template. The result of a template must be well typed for every filling:
//! `{number}` is a number of any type, `{integer}` a small constant, `{text}`, `{boolean}`, `{day}`, `{moment}` (a timestamp),
//! `{span}` (an interval), `{json}` (a `jsonb`) and `{char}` what they say; `{path}` is a JSON path, within quotes; `{extreme}`
//! an integer of which a step more is none, `{unit}`, `{zone}`, `{template}` and `{digits}` what functions of times and numbers
//! are told, some of it by rows. `{{` is a brace.
//!
//! PostgreSQL evaluates the same templates. So `cbrt` is missing, because its last digits depend on PostgreSQL's C library.

mod json;

use proptest::prelude::BoxedStrategy;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prop_oneof;
use proptest::sample::select;

const NUMBERS: &[&str] = &["n", "big", "d", "f", "0", "1", "2.50", "7", "-3", "null::integer", "'4'::bigint"];

const NUMBER: &[&str] = &[
    "({number} + {number})",
    "({number} - {number})",
    "({number} * {number})",
    "({number} / {number})",
    "({number} + {number})",
    "({number} * {number})",
    "(- {number})",
    "(({number})::integer % ({number})::integer)",
    "(({number})::numeric % ({number})::numeric)",
    "abs({number})",
    "sign({number})",
    "mod(({number})::bigint, ({number})::bigint)",
    "round(({number})::numeric, {integer})",
    "trunc(({number})::numeric, {integer})",
    "round({number})",
    "trunc({number})",
    "ceil({number})",
    "floor({number})",
    "sqrt({number})",
    "power({number}, {integer})",
    "({number})::smallint",
    "({number})::integer",
    "({number})::bigint",
    "({number})::decimal(9,3)",
    "({number})::numeric",
    "({number})::double precision",
    "({number})::real",
    "gcd(({number})::integer, ({number})::integer)",
    "lcm(({number})::integer, ({number})::integer)",
    "div(({number})::numeric, ({number})::numeric)",
    "scale(({number})::numeric)",
    "trim_scale(({number})::numeric)",
    "width_bucket(({number})::numeric, 0, 10, 5)",
    "exp(({integer})::numeric)",
    "ln({number})",
    "atan2({number}, {number})",
    "(({number})::integer & ({number})::integer)",
    "(({number})::bigint # ({number})::integer)",
    "(~ ({number})::integer)",
    "(({number})::integer << {integer})",
    "extract(day from {span})",
    "extract(epoch from {span})",
    "({boolean})::integer",
    "({text})::decimal(6,2)",
    "({text})::integer",
    "({text})::double precision",
    "length({text})",
    "octet_length({text})",
    "strpos({text}, {text})",
    "to_number({text}, '99G999D9')",
    "to_number({text}, '9 0PR')",
    "json_array_length(('[' || ({number})::text || ', 2]')::json)",
    "(('{{\"a\": ' || ({number})::text || '}')::jsonb -> 'a')::numeric",
    "jsonb_array_length({json})",
    "({json})::integer",
    "({json})::numeric",
    "extract(year from {day})",
    "extract(dow from {day})",
    "extract(epoch from {moment})",
    "extract(second from {moment})",
    "date_part('month', {moment})",
    "date_part('week', {day})",
    "({day} - {day})",
    "case when {boolean} then {number} else {number} end",
    "case when {boolean} then '2.504' else {number} end",
    "greatest({number}, '2.504', {number})",
    "coalesce(null, {number}, '12.3456')",
    "round(({number})::numeric, {extreme})",
    "trunc(({number})::numeric, {extreme})",
    "({extreme} + {extreme})",
    "({extreme} * {integer})",
    "({extreme} / {integer})",
    "({extreme} % {integer})",
    "(- {extreme})",
    "abs({extreme})",
    "gcd({extreme}, {extreme})",
    "({extreme} << {extreme})",
    "extract({unit} from {moment})",
    "date_part({text}, {moment})",
    "length({char})",
    "to_number({text}, {digits})",
    "case {number} when {number} then {number} when 1 then {number} end",
    "coalesce({number}, {number})",
    "nullif({number}, {number})",
    "greatest({number}, {number})",
    "least({number}, {number}, {number})",
];

const TEXTS: &[&str] = &["t", "'abc'", "''", "'größe'", "null::text", "' a b '", "'12'"];

const TEXT: &[&str] = &[
    "({text} || {text})",
    "({text} || {number})",
    "({boolean} || {text})",
    "upper({text})",
    "lower({text})",
    "initcap({text})",
    "reverse({text})",
    "repeat({text}, {integer})",
    "concat({text}, {number}, {boolean})",
    "trim({text})",
    "trim(both 'a ' from {text})",
    "ltrim({text}, {text})",
    "rtrim({text}, 'bc')",
    "left({text}, {integer})",
    "right({text}, {integer})",
    "substring({text} from {integer} for {integer})",
    "substring({text}, {integer})",
    "lpad({text}, {integer}, {text})",
    "rpad({text}, 7)",
    "split_part({text}, 'a', {integer})",
    "split_part({text}, {text}, {integer})",
    "replace({text}, 'b', {text})",
    "replace({text}, {text}, '-')",
    "md5({text})",
    "regexp_replace({text}, '[a-c]+', '<\\&>', 'g')",
    "regexp_replace({text}, '(.)b?', '\\1\\1')",
    "normalize({text}, NFD)",
    "regexp_substr({text}, '[^ ]+')",
    "regexp_substr({text}, '(.)\\1+')",
    "regexp_replace({text}, '(?<![ab])(.)(?!\\d)', '<\\1>', 'g')",
    "regexp_replace({text}, '(a|ab)(.*?)\\1', '[\\2]', 'g')",
    "({char})::text",
    "({char} || {text})",
    "lpad({char}, 6, {text})",
    "replace({char}, ' ', {text})",
    "coalesce({char}, 'xy')",
    "format('%s|%L', {char}, {number})",
    "concat_ws({char}, {text}, {char})",
    "to_char({moment}, {template})",
    "to_char({number}, {digits})",
    "to_char({span}, {template})",
    "({moment} at time zone {zone})::text",
    "to_char(({number})::numeric, 'FM999G990D00')",
    "to_char(({number})::integer, 'S0999')",
    "to_char(({number})::integer, '9G999MI')",
    "to_char(({number})::double precision, '9999D99')",
    "to_char(({number})::bigint, 'FMRN')",
    "format('%s|%-5s|%4$L|%3$s', t, {number}, {boolean}, {text})",
    "(('[' || ({number})::text || ', {{\"b\": null}]')::jsonb ->> {integer})",
    "(('{{\"ab\":' || ({number})::text || ',\"b\" :[1.50, \"x\"]}')::jsonb)::text",
    "(('{{\"a\": [1, \"' || ({boolean})::text || '\"]}')::json #>> '{{a,1}')",
    "({json} ->> 'a')",
    "({json} ->> {integer})",
    "({json} #>> '{{a,0}')",
    "({json})::text",
    "jsonb_pretty({json})",
    "jsonb_typeof({json})",
    "(json_build_object('a', {number}, 'b', {text}, 'c', {json}))::text",
    "(json_build_array({boolean}, {moment}, {day}, {text}))::text",
    "(json_strip_nulls(({json})::text::json))::text",
    "(json_object('{{a,1,b,NULL}'))::text",
    "({number})::text",
    "({boolean})::text",
    "({day})::text",
    "({moment})::text",
    "({span})::text",
    "substring({text} from '[a-c]+')",
    "({day})::varchar(7)",
    "case when {boolean} then {text} end",
    "coalesce({text}, {text})",
    "nullif({text}, {text})",
    "least({text}, {text})",
];

const BOOLEANS: &[&str] = &["b", "true", "false", "null::boolean"];

const BOOLEAN: &[&str] = &[
    "({number} = {number})",
    "({number} <> {number})",
    "({number} < {number})",
    "({number} <= {number})",
    "({number} > {number})",
    "({number} >= {number})",
    "({number} is distinct from {number})",
    "({text} = {text})",
    "({text} < {text})",
    "({text} >= {text})",
    "({text} is not distinct from {text})",
    "({day} < {day})",
    "({moment} >= {day})",
    "({boolean} and {boolean})",
    "({boolean} or {boolean})",
    "({boolean} and {boolean} and {boolean})",
    "(not {boolean})",
    "({number} is null)",
    "({text} is not null)",
    "({boolean} is true)",
    "({boolean} is not false)",
    "({boolean} is unknown)",
    "({number} between {integer} and {number})",
    "({number} not between symmetric {integer} and {integer})",
    "({number} in (1, {integer}))",
    "({number} not in ({integer}, null, 7))",
    "({text} in ('abc', '', null))",
    "({text} not in ('abc', 'größe'))",
    "({text} like {text})",
    "({text} not like 'a%_')",
    "({text} ilike '%A_')",
    "({text} like {text} escape 'a')",
    "({text} is nfc normalized)",
    "({number} = any (array[1, 2.5, null]))",
    "({text} < all (array['b', {text}]))",
    "({text} not like any (array['a%', '_b%']))",
    "(num_nulls({number}, {text}, {boolean}) > 1)",
    "({text} ~ '[a-c]+$')",
    "({text} ~ '^(?=.*b)[^c]')",
    "({text} ~ '(.)(.)\\2\\1')",
    "({char} = {char})",
    "({char} < {text})",
    "({char} like {text})",
    "({char} ~ ' $')",
    "({char} in ('a', {text}))",
    "(2.50 in ({number}, '2.504'))",
    "({number} in ('4', 2.5, {number}))",
    "(({number}, {text}) < ({number}, {text}))",
    "(({text}, {boolean}, {day}) = ({text}, {boolean}, {day}))",
    "(({number}, {text}) in (({number}, {text}), (1, 'abc')))",
    "(({number}, {text}) is distinct from ({number}, {text}))",
    "(({number}, {text}) is not null)",
    "(('[1, ' || ({number})::text || ']')::jsonb @> ('[' || ({number})::text || ']')::jsonb)",
    "(('[' || ({number})::text || ']')::jsonb = ('[' || ({number})::text || '.0]')::jsonb)",
    "({json} @> {json})",
    "({json} <@ {json})",
    "({json} = {json})",
    "({json} < {json})",
    "({json} >= {json})",
    "({json} in ({json}, '1'))",
    "({json} ? 'a')",
    "({json} ?| array['a', 'b'])",
    "({json} ?& '{{a,b}')",
    "({json} @? '{path}')",
    "({json} @@ '{predicate}')",
    "jsonb_path_exists({json}, '{path}')",
    "jsonb_path_exists({json}, '{path}', '{{\"x\": 1}', {boolean})",
    "jsonb_path_match({json}, '{predicate}')",
    "({text} !~* '^A')",
    "({text} similar to '%(a|b)_')",
    "({span} < {span})",
    "({span} = {span})",
    "((day, {day}) overlaps ({day}, {day}))",
    "starts_with({text}, {text})",
    "({number})::integer::boolean",
    "({text})::boolean",
];

const DAYS: &[&str] = &["day", "date '2026-01-31'", "null::date", "date '2024-02-29'"];

const DAY: &[&str] = &[
    "({day} + {integer})",
    "({day} - ({number})::integer)",
    "({moment})::date",
    "({text})::date",
    "coalesce({day}, {day})",
    "greatest({day}, {day})",
    "case when {boolean} then {day} else {day} end",
];

const MOMENTS: &[&str] =
    &["timestamp '2026-01-31 12:34:56.789'", "timestamp '1969-12-31 23:59:59.999999'", "(day)::timestamp"];

const MOMENT: &[&str] = &[
    "({day})::timestamp",
    "({moment} + {span})",
    "({moment} - {span})",
    "({day} + {span})",
    "make_timestamp(2026, 2, 28, 3 + {integer}, 0, 1.5)",
    "(({moment} at time zone 'Europe/Berlin') at time zone 'America/New_York')",
    "date_bin(interval '15 minutes', {moment}, timestamp '2001-01-01')",
    "date_trunc('month', {moment})",
    "date_trunc('week', {moment})",
    "date_trunc('hour', {moment})",
    "date_trunc('decade', {moment})",
    "date_trunc({text}, {moment})",
    "({text})::timestamp",
    "least({moment}, {moment})",
];

const SPANS: &[&str] =
    &["interval '1 day'", "interval '-1 mon 3 days 04:05:06.789'", "null::interval", "interval '1 year'"];

const SPAN: &[&str] = &[
    "({span} + {span})",
    "({span} - {span})",
    "({span} * {number})",
    "({span} / {integer})",
    "(- {span})",
    "({moment} - {moment})",
    "age({moment}, {moment})",
    "justify_interval({span})",
    "make_interval(days => {integer})",
    "coalesce({span}, {span})",
];

const CHARS: &[&str] =
    &["md5(t)::char(3)", "'a '::char(2)", "''::char(1)", "' b'::char(4)", "null::char(2)", "n::char(5)"];

const EXTREMES: &[&str] =
    &["(-2147483648)", "2147483647", "(-2147483648 + 1)", "0", "-1", "'-32768'::smallint::integer", "n"];

const UNITS: &[&str] =
    &["century", "decade", "isoyear", "doy", "isodow", "microseconds", "julian", "millennium", "quarter"];

const ZONES: &[&str] = &[
    "'UTC'",
    "'America/New_York'",
    "'+02:30'",
    "'EST5EDT,M3.2.0,M11.1.0'",
    "'PST'",
    "interval '-3:30'",
    "lower('UTC')",
];

const TEMPLATES: &[&str] = &[
    "'YYYY-MM-DD HH24:MI:SS.US'",
    "'FMDay, DDth FMMonth'",
    "'Q WW IW J CC'",
    "'HH12 AM MS'",
    "'IYYY-ID-IDDD'",
    "'\"x\\\"y\" RM Y,YYY'",
    "'FMYYFMMMdd'",
    "''",
    "t",
];

const DIGITS: &[&str] =
    &["'9'", "'FM000.99'", "'SG9G999D0'", "'9.99EEEE'", "'999PR'", "'99V9'", "'L9th'", "'S9,9'", "''", "t"];

const INTEGERS: &[&str] = &["0", "1", "2", "3", "-1", "-2", "5"];

/// A well-typed expression of any kind.
pub fn expression() -> BoxedStrategy<String> {
    prop_oneof![
        3 => kind("number", 3),
        3 => kind("text", 3),
        3 => kind("boolean", 3),
        1 => kind("day", 3),
        1 => kind("moment", 3),
        2 => kind("json", 3),
    ]
    .boxed()
}

/// An expression of the kind that a hole names, with at most so many levels of templates.
pub fn kind(hole: &str, depth: u32) -> BoxedStrategy<String> {
    let (leaves, templates) = match hole {
        "number" => (NUMBERS, NUMBER),
        "text" => (TEXTS, TEXT),
        "boolean" => (BOOLEANS, BOOLEAN),
        "day" => (DAYS, DAY),
        "moment" => (MOMENTS, MOMENT),
        "span" => (SPANS, SPAN),
        "integer" => (INTEGERS, &[][..]),
        "char" => (CHARS, &[][..]),
        "extreme" => (EXTREMES, &[][..]),
        "unit" => (UNITS, &[][..]),
        "zone" => (ZONES, &[][..]),
        "template" => (TEMPLATES, &[][..]),
        "digits" => (DIGITS, &[][..]),
        "json" => (json::JSONS, json::JSON),
        "path" => (json::PATHS, json::PATH),
        "chain" => (json::CHAINS, json::CHAIN),
        "predicate" => (json::PREDICATES, json::PREDICATE),
        "inner" => (json::INNERS, json::INNER),
        "condition" => (json::CONDITIONS, json::CONDITION),
        _ => panic!("there is no kind `{hole}`"),
    };
    let leaf = select(leaves).prop_map(str::to_owned);
    if depth == 0 || templates.is_empty() {
        return leaf.boxed();
    }
    // What fills a template is made when it is chosen: all at once would be thousands of strategies.
    prop_oneof![1 => leaf, 3 => select(templates).prop_flat_map(move |template| fill(template, depth - 1))].boxed()
}

/// The template with its holes filled.
fn fill(template: &'static str, depth: u32) -> BoxedStrategy<String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        if let Some(after) = after.strip_prefix('{') {
            parts.push(Just(format!("{before}{{")).boxed());
            rest = after;
            continue;
        }
        let (hole, after) = after.split_once('}').unwrap_or_else(|| panic!("{template} has an open hole"));
        parts.push(Just(before.to_owned()).boxed());
        parts.push(kind(hole, depth));
        rest = after;
    }
    parts.push(Just(rest.to_owned()).boxed());
    parts.prop_map(|parts| parts.concat()).boxed()
}
