//! Catalog: every function, operator and cast that PostgreSQL's own catalog lists over types that there are here, called
//! with values from the ends and the middle of each type.
//!
//! What is unknown here is left to the test of the manual's chapter, which says why; what is known must agree for every
//! signature that PostgreSQL has. `$ETALON_SEED` chooses other values, and `$ETALON_CALLS` how many times each is called.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::diagnostic::Code;
use etalon_core::expr::Expr;
use etalon_core::testing::expression::{Row, scope};
use etalon_golden::postgres::Server;

use crate::judge::{answers, judge, number, refusal, seed, show};

/// How many times each signature is called if nothing else is said.
const CALLS: usize = 4;

/// The types of arguments, and values of each.
const POOLS: &[(&str, &[&str])] = &[
    ("boolean", &["true", "false"]),
    ("smallint", &["0", "1", "-1", "7", "-32768", "32767"]),
    ("integer", &["0", "1", "-1", "2", "10", "-7", "-2147483648", "2147483647"]),
    ("bigint", &["0", "1", "-1", "3", "1000000007", "-9223372036854775808", "9223372036854775807"]),
    (
        "numeric",
        &[
            "0",
            "1",
            "-1",
            "0.00",
            "1.50",
            "-2.5",
            "0.000001",
            "12345678901234567890.12345",
            "NaN",
            "Infinity",
            "-Infinity",
        ],
    ),
    ("real", &["0", "-0", "1.5", "-2.25", "1e10", "3.4028235e38", "1e-45", "NaN", "Infinity", "-Infinity"]),
    ("double precision", &["0", "-0", "1", "0.1", "-2.5", "1e15", "1e308", "5e-324", "NaN", "Infinity", "-Infinity"]),
    ("text", &["", "a", "abc", " Ab c ", "é日😀", "a%_b", "12", "x''y", "(a)(b)?", "UTC"]),
    ("character", &["", "a", "ab ", "Zz"]),
    ("date", &["2024-02-29", "1999-12-31", "1970-01-01", "0001-01-01 BC", "infinity", "-infinity"]),
    ("time without time zone", &["00:00", "12:34:56.789", "23:59:59.999999", "24:00"]),
    ("time with time zone", &["00:00+00", "12:34:56.7-05:30", "23:59:59+14"]),
    (
        "timestamp without time zone",
        &["2024-02-29 12:34:56.789012", "1970-01-01", "2000-12-31 23:59:59", "0044-03-15 BC", "infinity", "-infinity"],
    ),
    (
        "timestamp with time zone",
        &["2024-02-29 12:34:56.789012+02", "1970-01-01Z", "1999-12-31 23:59:59-08", "infinity", "-infinity"],
    ),
    (
        "interval",
        &["0", "1 day", "-1 month", "1 year 2 mons 3 days 04:05:06.789", "-00:00:01", "25:00", "1 mon -1 day"],
    ),
    ("bytea", &["", "\\x00", "\\xdeadbeef", "\\xc3a9"]),
    ("json", &["null", "1", "\"a\"", "[1, 2.50, null]", "{\"a\": {\"b\": [true]}, \"c\": \"d\"}"]),
    ("jsonb", &["null", "1", "\"a\"", "[1, 2.50, null]", "{\"a\": {\"b\": [true]}, \"c\": \"d\"}"]),
    ("text[]", &["{}", "{a}", "{a,b,NULL}", "{c,\"d e\",é}"]),
];

/// Asks the server for each signature over the types of [`POOLS`]: `function`, `operator` or `cast`, a name, the types of
/// its arguments. A polymorphic argument is a text or an array of texts; one that is variadic is there once.
const SIGNATURES: &str = "
with known (type) as (select unnest('TYPES'::text[])),
settled (type, meant) as (
    select type, type from known union all
    values ('anyelement', 'text'), ('anycompatible', 'text'), ('anynonarray', 'text'), ('anycompatiblenonarray', 'text'),
        ('anyarray', 'text[]'), ('anycompatiblearray', 'text[]')
),
functions (name, arguments) as (
    select proname, array(
        select (select meant from settled where type = format_type(argument, null))
        from unnest(proargtypes::oid[]) with ordinality each (argument, at) order by at)
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f' and not proretset and provolatile <> 'v'
        and format_type(prorettype, null) in (select type from settled)
),
operators (name, arguments) as (
    select oprname, array(
        select (select meant from settled where type = format_type(argument, null))
        from unnest(array[oprleft, oprright]) with ordinality each (argument, at) where argument <> 0 order by at)
    from pg_operator
    where oprnamespace = 'pg_catalog'::regnamespace and format_type(oprresult, null) in (select type from settled)
)
select json_build_array('function', name, arguments) from functions where array_position(arguments, null) is null
union all
select json_build_array('operator', name, arguments) from operators where array_position(arguments, null) is null
union all
select json_build_array('cast', target.type, array[source.type]) from known target, known source";

/// A function, an operator or a cast, and the types of its arguments.
struct Signature {
    kind: String,
    name: String,
    arguments: Vec<String>,
}

impl Signature {
    /// It, called with some values.
    fn call(&self, random: &mut impl FnMut(usize) -> usize) -> String {
        let values: Vec<String> = self.arguments.iter().map(|ty| value(ty, random)).collect();
        match (self.kind.as_str(), values.as_slice()) {
            ("function", values) => format!("{}({})", quoted(&self.name), values.join(", ")),
            ("operator", [right]) => format!("{} {right}", self.name),
            ("operator", [left, right]) => format!("{left} {} {right}", self.name),
            ("cast", [value]) => format!("cast({value} as {})", self.name),
            _ => panic!("a {} of {} values", self.kind, values.len()),
        }
    }
}

/// The name of a function; one that is a word of the grammar is quoted.
fn quoted(name: &str) -> String {
    match name {
        "overlay" | "position" | "substring" | "normalize" | "xmlexists" | "overlaps" | "char" | "bit" | "float4"
        | "float8" | "numeric" | "interval" | "time" | "timestamp" | "timestamptz" | "varchar" | "bpchar"
        | "timetz" | "like" | "notlike" | "is_normalized" => format!("\"{name}\""),
        _ => name.to_owned(),
    }
}

/// A value of a type as an expression: mostly typed, now and then a quoted text of which the neighbours say the type, or NULL.
fn value(ty: &str, random: &mut impl FnMut(usize) -> usize) -> String {
    let (_, pool) = POOLS.iter().find(|(name, _)| *name == ty).unwrap();
    let text = pool[random(pool.len())];
    // Without a length it is one character long.
    let written = if ty == "character" { "char(4)" } else { ty };
    match random(12) {
        0 => format!("null::{written}"),
        // An array is told from a text by its type alone.
        1 if ty != "text[]" => format!("'{text}'"),
        2 if matches!(ty, "integer" | "bigint" | "numeric") && text.parse::<f64>().is_ok_and(f64::is_finite) => {
            format!("({text})")
        }
        _ => format!("'{text}'::{written}"),
    }
}

pub(crate) fn every_signature_agrees(server: &Server) {
    let seed = seed();
    let calls = number("ETALON_CALLS").unwrap_or(CALLS);
    // A generator of Lehmer's kind: what is wanted is variety, and the same again for the same seed.
    let mut state = seed;
    let mut random = |below: usize| {
        state = state.wrapping_mul(0xda94_2042_e4dd_58b5).wrapping_add(0x9e37_79b9);
        usize::try_from((state >> 33) % u64::try_from(below).unwrap()).unwrap()
    };

    let types: Vec<&str> = POOLS.iter().map(|(name, _)| *name).collect();
    let types = format!("{{{}}}", types.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(","));
    let (succeeded, lines) = server.psql(&SIGNATURES.replace("TYPES", &types));
    assert!(succeeded, "the catalog is read");
    let signatures: Vec<Signature> = lines
        .iter()
        .map(|line| {
            let (kind, name, arguments) = serde_json::from_str(line).unwrap();
            Signature { kind, name, arguments }
        })
        .collect();
    let expressions: Vec<String> = signatures
        .iter()
        .flat_map(|signature| (0..calls).map(|_| signature.call(&mut random)).collect::<Vec<_>>())
        .collect();
    let row = Row { n: None, big: None, d: None, f: None, t: None, b: None, day: None };
    let rows = [row];
    let answers = answers(server, "catalog", &rows, &expressions);
    assert_eq!(answers.len(), expressions.len(), "an answer for each expression");

    let mut tally = BTreeMap::new();
    let mut missing = BTreeSet::new();
    let mut differences = Vec::new();
    for (at, (text, answer)) in expressions.iter().zip(&answers).enumerate() {
        let signature = &signatures[at / calls];
        let found = Expr::compile(text, &scope());
        let has = |code| matches!(&found, Err(wrong) if wrong.iter().any(|diagnostic| diagnostic.code == code));
        if has(Code::UnknownFunction) || has(Code::NotScalar) {
            missing.insert(&*signature.name);
        } else if let Some(what) = written_difference(signature, text) {
            *tally.entry(what).or_default() += 1;
        } else {
            match (found, refusal(answer)) {
                (Ok(_), Some(state)) => differences.push(format!("{text}\n    is compiled\n    PostgreSQL: {state}")),
                (Err(_), Some(_)) => *tally.entry("refused by both").or_default() += 1,
                (_, None) => judge(text, &rows, answer, &mut tally, &mut differences),
            }
        }
    }
    println!("PostgreSQL: {} signatures, {calls} calls each: {tally:?}", signatures.len());
    println!("not there: {missing:?}");
    show(&differences);
}

/// What a call differs in by the page of differences, where its kind and values alone tell it.
fn written_difference(signature: &Signature, text: &str) -> Option<&'static str> {
    match (&*signature.kind, &*signature.name, &*signature.arguments) {
        ("cast", name, [argument]) if argument == "json" && name != "text" => Some("a super is cast as a jsonb is"),
        ("cast", "character", _) if !text.is_ascii() => Some("a length is in bytes"),
        ("function", "cbrt" | "dcbrt", _) | ("operator", "||/", _) => Some("a last digit is that of a C library"),
        // Its quotient is rounded to some digits before it is compared with the number of buckets.
        ("function", "width_bucket", [ty, ..]) if ty == "numeric" && text.contains("12345678901234567890") => {
            Some("a bucket is that of the exact quotient")
        }
        ("function", "bpcharcmp" | "bttext_pattern_cmp", _) => Some("the order alone is told, as Redshift does"),
        // A quoted text from which something is taken is not guessed to be JSON.
        ("operator", "-", [json, _]) if json == "jsonb" && text.starts_with('\'') && !text.contains("::jsonb -") => {
            Some("a quoted text is no JSON")
        }
        // There are no bit strings here, which a quoted text might be.
        ("function", "bit_count", _) if !text.contains("::") => Some("no bit strings"),
        // The grammar has `timestamp(3)`; the functions of that name are for PostgreSQL's own use.
        ("function", "timestamp" | "timestamptz", _) => Some("a cast is written as one"),
        _ => None,
    }
}
