//! `@>`, `jsonb_exists`, `json_typeof` and others: the type of a JSON value, and what it contains.

use super::Call;
use super::Function;
use super::JSON;
use super::JSONB;
use super::Signature;
use super::TEXT;
use super::TEXTS;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::types::Type;
use crate::value::array::TextArray;
use crate::value::json::Json;
use crate::value::json::Tree;

pub(super) const FUNCTIONS: &[Function] = &[
    IS_VALID_JSON,
    IS_VALID_JSON_ARRAY,
    JSON_PARSE,
    JSON_SERIALIZE,
    JSON_TYPEOF,
    JSONB_TYPEOF,
    IS_ARRAY,
    IS_OBJECT,
    IS_SCALAR,
    CONTAINS,
    IS_CONTAINED,
    EXISTS,
    EXISTS_ANY,
    EXISTS_ALL,
];

const CONTAINS: Function = Function {
    name: "jsonb_contains",
    aliases: &["@>"],
    doc: "Whether everything in the JSON on the right stands at its place in the JSON on the left",
    signatures: &[Signature::new(&[JSONB, JSONB], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(all, part)| contains(all, part))
    })],
    examples: &[
        (r#"'{"a": [1, 2, {"b": 3}], "c": 4}'::super @> '{"a": [{"b": 3.0}, 1]}'"#, "true"),
        ("'[1, 2]'::super @> '2'", "true"),
        ("'[[1, 2]]'::super @> '[1]'", "false"),
    ],
};

const IS_CONTAINED: Function = Function {
    name: "jsonb_contained",
    aliases: &["<@"],
    doc: "Whether everything in the JSON on the left stands at its place in the JSON on the right",
    signatures: &[Signature::new(&[JSONB, JSONB], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(part, all)| contains(all, part))
    })],
    examples: &[(r#"'{"a": 1}'::super <@ '{"a": 1, "b": 2}'"#, "true"), ("'1'::super <@ '{}'", "false")],
};

const EXISTS: Function = Function {
    name: "jsonb_exists",
    aliases: &["?"],
    doc: "Whether a JSON object has a member of that name, or an array the string as an element",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(json, name)| Ok(Some(Tree::parse(json)?.has(name))))
    })],
    examples: &[
        (r#"jsonb_exists('{"a": null}', 'a')"#, "true"),
        (r#"jsonb_exists('["a", 1]', 'a')"#, "true"),
        (r#"jsonb_exists('"a"', 'b')"#, "false"),
    ],
};

const EXISTS_ANY: Function = Function {
    name: "jsonb_exists_any",
    aliases: &["?|"],
    doc: "Whether a JSON object has a member of one of the names, or an array one of the strings; the names stand in braces",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(json, names)| {
            has(json, names, |tree, names| names.iter().any(|name| tree.has(name)))
        })
    })
    .constants(&[(1, TEXTS)])],
    examples: &[(r#"jsonb_exists_any('{"a": 1}', '{b,a}')"#, "true"), (r#"jsonb_exists_any('["a"]', '{}')"#, "false")],
};

const EXISTS_ALL: Function = Function {
    name: "jsonb_exists_all",
    aliases: &["?&"],
    doc: "Whether a JSON object has members of all the names, or an array all the strings; the names stand in braces",
    signatures: &[Signature::new(&[JSONB, TEXT], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(json, names)| {
            has(json, names, |tree, names| names.iter().all(|name| tree.has(name)))
        })
    })
    .constants(&[(1, TEXTS)])],
    examples: &[
        (r#"jsonb_exists_all('{"a": 1}', '{b,a}')"#, "false"),
        (r#"jsonb_exists_all('["a", "b"]', '{b,a,NULL}')"#, "true"),
    ],
};

const IS_VALID_JSON: Function = Function {
    name: "is_valid_json",
    aliases: &["can_json_parse"],
    doc: "Whether a text is JSON; as Redshift's",
    signatures: &[Signature::new(&[TEXT], Type::Boolean, |call| {
        call.map::<(call::Text,), call::Boolean>(|(text,)| Ok(Some(Json::parse(text).is_ok())))
    })],
    examples: &[(r#"is_valid_json('{"a": 2}')"#, "true"), ("is_valid_json('{''a'': 2}')", "false")],
};

const IS_VALID_JSON_ARRAY: Function = Function {
    name: "is_valid_json_array",
    aliases: &[],
    doc: "Whether a text is a JSON array; as Redshift's",
    signatures: &[Signature::new(&[TEXT], Type::Boolean, |call| {
        call.map::<(call::Text,), call::Boolean>(|(text,)| Ok(Some(Json::parse(text).is_ok_and(Json::is_array))))
    })],
    examples: &[("is_valid_json_array('[1, 2]')", "true"), ("is_valid_json_array('{}')", "false")],
};

const JSON_PARSE: Function = Function {
    name: "json_parse",
    aliases: &[],
    doc: "The JSON that a text is, kept as it is written; as Redshift's",
    signatures: &[Signature::new(&[TEXT], Type::Super, |call| {
        call.slice::<(call::Text,)>(|(text,)| Json::parse(text).map(|_| Some(text)))
    })],
    examples: &[(r#"json_parse('{"a": [1, 2]}') -> 'a'"#, "[1, 2]"), ("json_parse('{')", "R314")],
};

const JSON_SERIALIZE: Function = Function {
    name: "json_serialize",
    aliases: &[],
    doc: "The text of JSON, without blanks between its parts; as Redshift's",
    signatures: &[Signature::new(&[JSON], Type::Text, |call| {
        call.write::<(call::Text,)>(|(json,), out| {
            Json::new(json).write_compact(out);
            Ok(true)
        })
    })],
    examples: &[(r#"json_serialize('{"a b": [1, "x, y"]}'::super)"#, r#"{"a b":[1,"x, y"]}"#)],
};

const JSON_TYPEOF: Function = Function {
    name: "json_typeof",
    aliases: &[],
    doc: "What a JSON value is: `object`, `array`, `string`, `number`, `boolean` or `null`",
    signatures: &[Signature::new(&[JSON], Type::Text, |call| {
        call.slice::<(call::Text,)>(|(json,)| Ok(Some(Json::new(json).kind())))
    })],
    examples: &[("json_typeof('[]')", "array"), ("json_typeof('-1.5')", "number"), ("json_typeof('null')", "null")],
};

const JSONB_TYPEOF: Function = Function {
    name: "jsonb_typeof",
    aliases: &[],
    doc: "What the normal form of a JSON value is: `object`, `array`, `string`, `number`, `boolean` or `null`",
    signatures: &[Signature::new(&[JSONB], Type::Text, |call| {
        call.slice::<(call::Text,)>(|(json,)| Ok(Some(Json::new(json).kind())))
    })],
    examples: &[("jsonb_typeof('{}')", "object"), (r#"jsonb_typeof('"x"')"#, "string")],
};

const IS_ARRAY: Function = Function {
    name: "is_array",
    aliases: &[],
    doc: "Whether a JSON value is an array; as Redshift's",
    signatures: &[Signature::new(&[JSON], Type::Boolean, |call| is_kind(call, |kind| kind == "array"))],
    examples: &[("is_array('[1]'::super)", "true"), ("is_array('{}'::super)", "false")],
};

const IS_OBJECT: Function = Function {
    name: "is_object",
    aliases: &[],
    doc: "Whether a JSON value is an object; as Redshift's",
    signatures: &[Signature::new(&[JSON], Type::Boolean, |call| is_kind(call, |kind| kind == "object"))],
    examples: &[("is_object('{}'::super)", "true"), ("is_object('1'::super)", "false")],
};

const IS_SCALAR: Function = Function {
    name: "is_scalar",
    aliases: &[],
    doc: "Whether a JSON value is neither an array nor an object; as Redshift's",
    signatures: &[Signature::new(&[JSON], Type::Boolean, |call| {
        is_kind(call, |kind| !matches!(kind, "array" | "object"))
    })],
    examples: &[("is_scalar('\"x\"'::super)", "true"), ("is_scalar('[]'::super)", "false")],
};

fn contains(all: &str, part: &str) -> Result<Option<bool>, Fault> {
    Tree::parse(all)?.contains(&Tree::parse(part)?).map(Some)
}

/// A test of the names in an array that are not NULL.
fn has(json: &str, names: &str, test: fn(&Tree<'_>, &[String]) -> bool) -> Result<Option<bool>, Fault> {
    let names: Vec<_> = TextArray::parse(names)?.elements.into_iter().flatten().collect();
    Ok(Some(test(&Tree::parse(json)?, &names)))
}

fn is_kind(call: &Call<'_>, test: fn(&str) -> bool) -> Column {
    call.map::<(call::Text,), call::Boolean>(|(json,)| Ok(Some(test(Json::new(json).kind()))))
}
