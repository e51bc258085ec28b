//! `jsonb_set`, `jsonb_strip_nulls` and others: they change JSON.

use super::BOOLEAN;
use super::Call;
use super::Constant;
use super::FLAT;
use super::Function;
use super::JSON;
use super::JSONB;
use super::Kind;
use super::Signature;
use super::TEXT;
use super::TEXTS;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::array::TextArray;
use crate::value::json::Change;
use crate::value::json::Style;
use crate::value::json::Tree;

pub(super) const FUNCTIONS: &[Function] = &[
    JSONB_SET,
    JSONB_SET_LAX,
    JSONB_INSERT,
    JSONB_CONCAT,
    JSONB_DELETE,
    JSONB_DELETE_PATH,
    JSON_STRIP_NULLS,
    JSONB_STRIP_NULLS,
    JSONB_PRETTY,
];

/// The path, or the names, of a change.
const PATH: &[(usize, Constant)] = &[(1, TEXTS), (1, FLAT)];

/// What has no name: `json - array['a', 'b']`, and a chain of `||`.
pub(super) const OPERATORS: &[Function] = &[WITHOUT_NAMES, JOINED];

const JSONB_SET: Function = Function {
    name: "jsonb_set",
    aliases: &[],
    doc: "JSON with another value where a path leads to; where no value is, it is added, unless a last argument is `false`",
    signatures: &[
        Signature::new(&[JSONB, TEXT, JSONB], Type::Jsonb, set).constants(PATH),
        Signature::new(&[JSONB, TEXT, JSONB, BOOLEAN], Type::Jsonb, set).constants(PATH),
    ],
    examples: &[
        (r#"jsonb_set('{"a": [1, 2]}', '{a,-1}', '{"b": 3}')"#, r#"{"a": [1, {"b": 3}]}"#),
        (r#"jsonb_set('{"a": 1}', '{b}', '2')"#, r#"{"a": 1, "b": 2}"#),
        (r#"jsonb_set('{"a": 1}', '{b}', '2', false)"#, r#"{"a": 1}"#),
        (r#"jsonb_set('{"a": 1}', '{a,NULL}', '2')"#, "R342"),
        (r#"jsonb_set('[1]', '{a}', '2')"#, "R301"),
        (r#"jsonb_set('1', '{a}', '2')"#, "R311"),
    ],
};

const JSONB_SET_LAX: Function = Function {
    name: "jsonb_set_lax",
    aliases: &[],
    doc: "As `jsonb_set`; what a NULL value does, a fifth argument says: `use_json_null`, `delete_key`, `return_target`, \
          `raise_exception`",
    signatures: &[
        Signature { strict: false, ..Signature::new(&[JSONB, TEXT, JSONB], Type::Jsonb, set_lax) }
            .constants(PATH)
            .nullable(),
        Signature { strict: false, ..Signature::new(&[JSONB, TEXT, JSONB, BOOLEAN], Type::Jsonb, set_lax) }
            .constants(PATH)
            .nullable(),
        Signature { strict: false, ..Signature::new(&[JSONB, TEXT, JSONB, BOOLEAN, TEXT], Type::Jsonb, set_lax) }
            .constants(PATH)
            .nullable(),
    ],
    examples: &[
        (r#"jsonb_set_lax('{"a": 1}', '{a}', null)"#, r#"{"a": null}"#),
        (r#"jsonb_set_lax('{"a": 1, "b": 2}', '{a}', null, true, 'delete_key')"#, r#"{"b": 2}"#),
        (r#"jsonb_set_lax('{"a": 1}', '{a}', null, true, 'return_target')"#, r#"{"a": 1}"#),
        (r#"jsonb_set_lax('{"a": 1}', '{a}', null, true, 'raise_exception')"#, "R342"),
        (r#"jsonb_set_lax('{"a": 1}', '{a}', '2')"#, r#"{"a": 2}"#),
        (r#"jsonb_set_lax('{"a": 1}', '{a}', null, true, 'x')"#, "R311"),
    ],
};

const JSONB_INSERT: Function = Function {
    name: "jsonb_insert",
    aliases: &[],
    doc: "JSON with a value put before the element that a path leads to, or behind it with a last argument `true`; or as a new member",
    signatures: &[
        Signature::new(&[JSONB, TEXT, JSONB], Type::Jsonb, insert).constants(PATH),
        Signature::new(&[JSONB, TEXT, JSONB, BOOLEAN], Type::Jsonb, insert).constants(PATH),
    ],
    examples: &[
        (r#"jsonb_insert('{"a": [0, 1]}', '{a,1}', '"x"')"#, r#"{"a": [0, "x", 1]}"#),
        (r#"jsonb_insert('{"a": [0, 1]}', '{a,1}', '"x"', true)"#, r#"{"a": [0, 1, "x"]}"#),
        (r#"jsonb_insert('{"a": 1}', '{a}', '2')"#, "R311"),
    ],
};

const JSON_STRIP_NULLS: Function = Function {
    name: "json_strip_nulls",
    aliases: &[],
    doc: "JSON without the members that are null, at every depth, and without blanks between its parts",
    signatures: &[Signature::new(&[JSON], Type::Super, |call| {
        call.write::<(call::Text,)>(|(json,), out| {
            Tree::as_written(json)?.without_nulls().write(Style::Compact, out).map(|()| true)
        })
    })],
    examples: &[(
        r#"json_strip_nulls('{"b": 1.0, "a": null, "c": [null, {"d": null}]}')"#,
        r#"{"b":1.0,"c":[null,{}]}"#,
    )],
};

const JSONB_STRIP_NULLS: Function = Function {
    name: "jsonb_strip_nulls",
    aliases: &[],
    doc: "The normal form of JSON without the members that are null, at every depth",
    signatures: &[Signature::new(&[JSONB], Type::Jsonb, |call| {
        call.write::<(call::Text,)>(|(json,), out| {
            Tree::parse(json)?.without_nulls().write(Style::Normal, out).map(|()| true)
        })
    })],
    examples: &[(r#"jsonb_strip_nulls('{"b": 1, "a": null, "c": [null]}')"#, r#"{"b": 1, "c": [null]}"#)],
};

const JSONB_PRETTY: Function = Function {
    name: "jsonb_pretty",
    aliases: &[],
    doc: "JSON with a line for each value, indented by four blanks a level",
    signatures: &[Signature::new(&[JSONB], Type::Text, |call| {
        call.write::<(call::Text,)>(|(json,), out| Tree::parse(json)?.write(Style::Pretty, out).map(|()| true))
    })],
    examples: &[(r#"replace(jsonb_pretty('{"a": [1]}'), chr(10), '/')"#, r#"{/    "a": [/        1/    ]/}"#)],
};

const JSONB_CONCAT: Function = Function {
    name: "jsonb_concat",
    aliases: &[],
    doc: "Two JSON values joined: the members of both objects, or the elements of both arrays; what is neither is one element; the operator `||`",
    signatures: &[Signature::new(&[JSONB, JSONB], Type::Jsonb, join)],
    examples: &[
        (r#"jsonb_concat('{"a": 1, "b": 2}', '{"b": 3}')"#, r#"{"a": 1, "b": 3}"#),
        ("jsonb_concat('[1]', '2')", "[1, 2]"),
    ],
};

const JOINED: Function = Function {
    name: "(joined)",
    aliases: &[],
    doc: "What `jsonb_concat` gives, of any number of values",
    signatures: &[Signature { variadic: true, ..Signature::new(&[JSONB, JSONB], Type::Jsonb, join) }],
    examples: &[
        (r#"'{"a": 1}'::jsonb || '{"b": 2}' || '{"a": 3}'"#, r#"{"a": 3, "b": 2}"#),
        (r#"'{"a": 1}'::jsonb || '{"b": 2}' || '[3]' || '{"a": 4}'"#, r#"[{"a": 1, "b": 2}, 3, {"a": 4}]"#),
        ("'[1]'::jsonb || null || '2'", "NULL"),
    ],
};

const JSONB_DELETE: Function = Function {
    name: "jsonb_delete",
    aliases: &[],
    doc: "JSON without a member of that name, a string among its elements, or the element at a place; the operator `-`",
    signatures: &[
        Signature::new(&[JSONB, TEXT], Type::Jsonb, |call| {
            call.write::<(call::Text, call::Text)>(|(json, name), out| {
                Tree::parse(json)?.without(&[Some(name.to_owned())])?.write(Style::Normal, out).map(|()| true)
            })
        }),
        Signature::new(&[JSONB, Kind::Integer], Type::Jsonb, |call| {
            call.write::<(call::Text, call::Integer)>(|(json, place), out| {
                Tree::parse(json)?.without_element(place)?.write(Style::Normal, out).map(|()| true)
            })
        }),
    ],
    examples: &[
        (r#"jsonb_delete('{"a": 1, "b": 2}', 'a')"#, r#"{"b": 2}"#),
        (r#"jsonb_delete('["a", "b"]', 'a')"#, r#"["b"]"#),
        ("jsonb_delete('[1, 2, 3]', -1)", "[1, 2]"),
        ("jsonb_delete('{}', 0)", "R311"),
    ],
};

const JSONB_DELETE_PATH: Function = Function {
    name: "jsonb_delete_path",
    aliases: &["#-"],
    doc: "JSON without the value that a path leads to",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Jsonb, |call| {
        call.write::<(call::Text, call::Text)>(|(json, path), out| changed(json, path, &Change::Delete, out))
    })
    .constants(PATH)],
    examples: &[
        (r#"jsonb_delete_path('{"a": [1, 2]}', '{a,0}')"#, r#"{"a": [2]}"#),
        (r#"jsonb_delete_path('{"a": [1, 2]}', '{a,x}')"#, "R301"),
        ("jsonb_delete_path('1', '{a}')", "R311"),
    ],
};

const WITHOUT_NAMES: Function = Function {
    name: "-[]",
    aliases: &[],
    doc: "JSON without the members of these names, or these strings among its elements",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Jsonb, |call| {
        call.write::<(call::Text, call::Text)>(|(json, names), out| {
            let names = TextArray::parse(names)?.flat()?;
            Tree::parse(json)?.without(&names)?.write(Style::Normal, out).map(|()| true)
        })
    })
    .constants(PATH)],
    examples: &[
        (r#"'{"a": 1, "b": 2, "c": 3}'::jsonb - array['a', 'b']"#, r#"{"c": 3}"#),
        (r#"'["a", "b"]'::jsonb - '{b,NULL}'::text[]"#, r#"["a"]"#),
    ],
};

/// Appends JSON after a change where a path leads to.
fn changed<'a>(json: &'a str, path: &str, change: &Change<'a>, out: &mut String) -> Result<bool, Fault> {
    let path = TextArray::parse(path)?.flat()?;
    Tree::parse(json)?.changed(&path, change)?.write(Style::Normal, out).map(|()| true)
}

fn join(call: &Call<'_>) -> Column {
    call.try_write_rows(|row, out| {
        let parts = (0..call.arguments.len()).map(|at| Tree::parse(call.text(at, row)));
        Tree::joined(parts.collect::<Result<Vec<_>, _>>()?).write(Style::Normal, out).map(|()| true)
    })
}

fn set(call: &Call<'_>) -> Column {
    call.try_write_rows(|row, out| {
        let value = Tree::parse(call.text(2, row))?;
        let creates = call.arguments.len() == 3 || call.is_true(3, row);
        let change = if creates { Change::Set(value) } else { Change::Replace(value) };
        changed(call.text(0, row), call.text(1, row), &change, out)
    })
}

fn insert(call: &Call<'_>) -> Column {
    call.try_write_rows(|row, out| {
        let value = Tree::parse(call.text(2, row))?;
        let change = if call.is_true(3, row) { Change::InsertAfter(value) } else { Change::InsertBefore(value) };
        changed(call.text(0, row), call.text(1, row), &change, out)
    })
}

fn set_lax(call: &Call<'_>) -> Column {
    let treatments =
        "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\"";
    let unknown = || Fault::new(Code::BadArgument, treatments);
    call.write_all_rows(|row, out| {
        if call.is_null(0, row) || call.is_null(1, row) || call.is_null(3, row) {
            return Ok(false);
        }
        if call.is_null(4, row) {
            return Err(unknown());
        }
        let creates = call.arguments.len() == 3 || call.is_true(3, row);
        let value = if call.is_null(2, row) { Tree::Null } else { Tree::parse(call.text(2, row))? };
        let set = if creates { Change::Set(value) } else { Change::Replace(value) };
        let change = match (call.is_null(2, row), call.arguments.get(4).map(|_| call.text(4, row))) {
            (false, _) | (true, None | Some("use_json_null")) => set,
            (true, Some("delete_key")) => Change::Delete,
            (true, Some("return_target")) => {
                out.push_str(call.text(0, row));
                return Ok(true);
            }
            (true, Some("raise_exception")) => {
                return Err(Fault::new(Code::NullArgument, "JSON value must not be null"));
            }
            (true, Some(_)) => return Err(unknown()),
        };
        changed(call.text(0, row), call.text(1, row), &change, out)
    })
}
