//! `jsonb_path_exists` and others: values that a JSON path leads to.

use super::Argument;
use super::BOOLEAN;
use super::Call;
use super::Constant;
use super::Function;
use super::JSONB;
use super::Refusal;
use super::Signature;
use super::TEXT;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::expr::path::Path;
use crate::expr::path::Search;
use crate::types::Type;
use crate::value::json::Tree;

pub(super) const FUNCTIONS: &[Function] = &[
    JSONB_PATH_EXISTS,
    JSONB_PATH_EXISTS_TZ,
    JSONB_PATH_EXISTS_OPR,
    JSONB_PATH_MATCH,
    JSONB_PATH_MATCH_TZ,
    JSONB_PATH_MATCH_OPR,
    JSONB_PATH_QUERY_ARRAY,
    JSONB_PATH_QUERY_ARRAY_TZ,
    JSONB_PATH_QUERY_FIRST,
    JSONB_PATH_QUERY_FIRST_TZ,
];

/// The four ways to call a function of a path: with the values of its variables or without, and silent or not.
macro_rules! signatures {
    ($ty:expr, $rule:expr, $kernel:expr) => {
        &[
            Signature::new(&[JSONB, TEXT], $ty, $kernel).returns($rule).constants(PATH).nullable(),
            Signature::new(&[JSONB, TEXT, JSONB], $ty, $kernel).returns($rule).constants(PATH).nullable(),
            Signature::new(&[JSONB, TEXT, JSONB, BOOLEAN], $ty, $kernel).returns($rule).constants(PATH).nullable(),
        ]
    };
}

const JSONB_PATH_EXISTS: Function = Function {
    name: "jsonb_path_exists",
    aliases: &[],
    doc: "Whether a JSON path leads to a value; its variables are the members of a third argument, and a fourth, `true`, makes errors NULL",
    signatures: signatures!(Type::Boolean, boolean, |call| tests(call, false, |search| search.exists())),
    examples: &[
        (r#"jsonb_path_exists('{"a": [1, 2, 5]}', '$.a[*] ? (@ > 2)')"#, "true"),
        (r#"jsonb_path_exists('{"a": [1, 2]}', '$.a[*] ? (@ > $least)', '{"least": 2}')"#, "false"),
        ("jsonb_path_exists('{}', 'strict $.a', '{}', true)", "NULL"),
        ("jsonb_path_exists('{}', 'strict $.a')", "R344"),
    ],
};

const JSONB_PATH_EXISTS_TZ: Function = Function {
    name: "jsonb_path_exists_tz",
    aliases: &[],
    doc: "As `jsonb_path_exists`; times without an offset compare with others as times in UTC",
    signatures: signatures!(Type::Boolean, boolean, |call| tests(call, true, |search| search.exists())),
    examples: &[(
        r#"jsonb_path_exists_tz('["2026-01-31 12:00:00+02"]', '$[*].datetime() ? (@ < "2026-01-31 11:00:00".datetime())')"#,
        "true",
    )],
};

const JSONB_PATH_EXISTS_OPR: Function = Function {
    name: "jsonb_path_exists_opr",
    aliases: &["@?"],
    doc: "Whether a JSON path leads to a value; NULL where it meets an error",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Boolean, |call| quiet(call, |search| search.exists()))
        .returns(boolean)
        .constants(PATH)
        .nullable()],
    examples: &[
        (r#"jsonb_path_exists_opr('{"a": 1}', '$.a')"#, "true"),
        ("jsonb_path_exists_opr('{}', 'strict $.a')", "NULL"),
    ],
};

const JSONB_PATH_MATCH: Function = Function {
    name: "jsonb_path_match",
    aliases: &[],
    doc: "What the predicate of a JSON path says; variables and silence as in `jsonb_path_exists`",
    signatures: signatures!(Type::Boolean, boolean, |call| tests(call, false, |search| search.matches())),
    examples: &[
        (r#"jsonb_path_match('{"a": [1, 2]}', 'exists($.a[*] ? (@ >= 2))')"#, "true"),
        (r#"jsonb_path_match('{"a": "x"}', '$.a > 1')"#, "NULL"),
        (r#"jsonb_path_match('{"a": 1}', '$.a')"#, "R348"),
    ],
};

const JSONB_PATH_MATCH_TZ: Function = Function {
    name: "jsonb_path_match_tz",
    aliases: &[],
    doc: "As `jsonb_path_match`; times without an offset compare with others as times in UTC",
    signatures: signatures!(Type::Boolean, boolean, |call| tests(call, true, |search| search.matches())),
    examples: &[(r#"jsonb_path_match_tz('"12:00:00+01"', '$.datetime() == "11:00:00".datetime()')"#, "true")],
};

const JSONB_PATH_MATCH_OPR: Function = Function {
    name: "jsonb_path_match_opr",
    aliases: &["@@"],
    doc: "What the predicate of a JSON path says; NULL where it meets an error or there is none",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Boolean, |call| quiet(call, |search| search.matches()))
        .returns(boolean)
        .constants(PATH)
        .nullable()],
    examples: &[
        (r#"jsonb_path_match_opr('{"a": 2}', '$.a > 1')"#, "true"),
        ("jsonb_path_match_opr('{}', '$')", "NULL"),
    ],
};

const JSONB_PATH_QUERY_ARRAY: Function = Function {
    name: "jsonb_path_query_array",
    aliases: &[],
    doc: "A JSON array of the values that a JSON path leads to; variables and silence as in `jsonb_path_exists`",
    signatures: signatures!(Type::Jsonb, jsonb, |call| finds(call, false, |search, out| search
        .write_all(out)
        .map(|()| true))),
    examples: &[
        (r#"jsonb_path_query_array('{"a": [{"b": 1}, {"b": 2.5}, {}]}', '$.a[*].b')"#, "[1, 2.5]"),
        (r#"jsonb_path_query_array('[1, "a", [2]]', '$[*].type()')"#, r#"["number", "string", "array"]"#),
        (r#"jsonb_path_query_array('[1, 2]', '$[*] + 1')"#, "R348"),
    ],
};

const JSONB_PATH_QUERY_ARRAY_TZ: Function = Function {
    name: "jsonb_path_query_array_tz",
    aliases: &[],
    doc: "As `jsonb_path_query_array`; times without an offset compare with others as times in UTC",
    signatures: signatures!(Type::Jsonb, jsonb, |call| finds(call, true, |search, out| search
        .write_all(out)
        .map(|()| true))),
    examples: &[(
        r#"jsonb_path_query_array_tz('["12:00:00", "10:00:00"]', '$[*].datetime() ? (@ > "12:00:00+01".datetime())')"#,
        r#"["12:00:00"]"#,
    )],
};

const JSONB_PATH_QUERY_FIRST: Function = Function {
    name: "jsonb_path_query_first",
    aliases: &[],
    doc: "The first value that a JSON path leads to, or NULL; variables and silence as in `jsonb_path_exists`",
    signatures: signatures!(Type::Jsonb, jsonb, |call| finds(call, false, |search, out| search.write_first(out))),
    examples: &[
        (r#"jsonb_path_query_first('{"a": [3, 4]}', '$.a[last]')"#, "4"),
        ("jsonb_path_query_first('{}', '$.a')", "NULL"),
    ],
};

const JSONB_PATH_QUERY_FIRST_TZ: Function = Function {
    name: "jsonb_path_query_first_tz",
    aliases: &[],
    doc: "As `jsonb_path_query_first`; times without an offset compare with others as times in UTC",
    signatures: signatures!(Type::Jsonb, jsonb, |call| finds(call, true, |search, out| search.write_first(out))),
    examples: &[(
        r#"jsonb_path_query_first_tz('["2026-01-31"]', '$[*].datetime() ? (@ < "2026-01-31T12:00:00+01".datetime())')"#,
        r#""2026-01-31""#,
    )],
};

/// A mistake in a path is one before there are rows.
const PATH: &[(usize, Constant)] = &[(1, Constant::Form(|path| Path::parse(path).map(|_| ())))];

fn boolean(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    of_constant_path(arguments, Type::Boolean)
}

fn jsonb(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    of_constant_path(arguments, Type::Jsonb)
}

/// A path is the same for every row: PostgreSQL has no cast that makes one of a text.
fn of_constant_path(arguments: &[Argument<'_>], ty: Type) -> Result<Type, Refusal> {
    match arguments.get(1).is_some_and(|argument| argument.constant.is_some()) {
        true => Ok(ty),
        false => Err("the JSON path depends on the row, and must be the same for all".into()),
    }
}

fn tests(call: &Call<'_>, zone: bool, test: fn(&Search<'_>) -> Result<Option<bool>, Fault>) -> Column {
    with_path(call, |path| {
        call.map_rows::<call::Boolean>(|row| search(call, path, row, zone, call.is_true(3, row), test))
    })
}

fn quiet(call: &Call<'_>, test: fn(&Search<'_>) -> Result<Option<bool>, Fault>) -> Column {
    with_path(call, |path| call.map_rows::<call::Boolean>(|row| search(call, path, row, false, true, test)))
}

fn finds(call: &Call<'_>, zone: bool, write: fn(&Search<'_>, &mut String) -> Result<bool, Fault>) -> Column {
    with_path(call, |path| {
        call.try_write_rows(|row, out| search(call, path, row, zone, call.is_true(3, row), |search| write(search, out)))
    })
}

/// What a kernel does with the path of its second argument, which was read once before.
fn with_path(call: &Call<'_>, f: impl FnOnce(&Path) -> Column) -> Column {
    match Path::parse(call.text(1, 0)) {
        Ok(path) => f(&path),
        Err(fault) => call.map_rows::<call::Boolean>(|_| Err(fault.clone())),
    }
}

/// Searches the JSON of a row.
fn search<T>(
    call: &Call<'_>,
    path: &Path,
    row: usize,
    zone: bool,
    silent: bool,
    f: impl FnOnce(&Search<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let json = Tree::parse(call.text(0, row))?;
    let variables = match call.arguments.len() {
        3.. => Some(Tree::parse(call.text(2, row))?),
        // An operator is silent without being told so, and knows of no variables.
        _ if silent => None,
        _ => Some(Tree::parse("{}")?),
    };
    f(&Search { path, json: &json, variables: variables.as_ref(), silent, zone })
}
