//! `->`, `json_extract_path_text` and others: values out of JSON.

use super::BOOLEAN;
use super::Call;
use super::Constant;
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
use crate::value::json::Json;

pub(super) const FUNCTIONS: &[Function] = &[
    JSON_ARRAY_LENGTH,
    JSONB_ARRAY_LENGTH,
    JSON_EXTRACT_ARRAY_ELEMENT_TEXT,
    JSON_EXTRACT_PATH,
    JSONB_EXTRACT_PATH,
    JSON_EXTRACT_PATH_TEXT,
    JSONB_EXTRACT_PATH_TEXT,
];

/// What has no name: operators, subscripts, and the text of an array of steps.
pub(super) const OPERATORS: &[Function] = &[VALUE, VALUE_TEXT, AT_PATH, AT_PATH_TEXT, SUBSCRIPT, ARRAY];

const VALUE: Function = Function {
    name: "->",
    aliases: &["json_object_field", "jsonb_object_field", "json_array_element", "jsonb_array_element"],
    doc: "The member of a JSON object, or the element of a JSON array at a place, counted from 0 or from -1 at the end",
    signatures: &[
        Signature::new(&[JSON, TEXT], Type::Super, |call| {
            call.slice::<(call::Text, call::Text)>(|(json, name)| Ok(whole(json)?.member(name).map(Json::text)))
        })
        .nullable(),
        Signature::new(&[JSON, Kind::Integer], Type::Super, |call| {
            call.slice::<(call::Text, call::Integer)>(|(json, place)| {
                Ok(whole(json)?.element(place.into()).map(Json::text))
            })
        })
        .nullable(),
        Signature::new(&[JSONB, TEXT], Type::Jsonb, |call| {
            call.slice::<(call::Text, call::Text)>(|(json, name)| Ok(Json::new(json).member(name).map(Json::text)))
        })
        .nullable(),
        Signature::new(&[JSONB, Kind::Integer], Type::Jsonb, |call| {
            call.slice::<(call::Text, call::Integer)>(|(json, place)| Ok(normal_element(json, place).map(Json::text)))
        })
        .nullable(),
    ],
    examples: &[
        (r#"'{"a": [1, 2.50]}'::super -> 'a'"#, "[1, 2.50]"),
        ("'[1, \"b\"]'::json -> -1", "\"b\""),
        ("'[1, null]'::json -> 1", "null"),
        ("jsonb_array_element('[1, 2]'::jsonb, 1)", "2"),
        (r#"'{"a": 1}'::json -> 0"#, "NULL"),
        ("'5'::json -> 0", "NULL"),
        ("'5'::jsonb -> 0", "5"),
        (r#"'{"a": 1, "b": "\ud83d"}'::json -> 'a'"#, "R314"),
        (r#"'{"a": 1, "b": "\u0000"}'::json -> 'a'"#, "R329"),
    ],
};

const VALUE_TEXT: Function = Function {
    name: "->>",
    aliases: &[
        "json_object_field_text",
        "jsonb_object_field_text",
        "json_array_element_text",
        "jsonb_array_element_text",
    ],
    doc: "What `->` gives, as a text: a string without its quotes, and NULL for `null`",
    signatures: &[
        Signature::new(&[JSON, TEXT], Type::Text, |call| {
            call.write::<(call::Text, call::Text)>(|(json, name), out| printed(whole(json)?.member(name), out))
        })
        .nullable(),
        Signature::new(&[JSON, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Integer)>(|(json, place), out| {
                printed(whole(json)?.element(place.into()), out)
            })
        })
        .nullable(),
        Signature::new(&[JSONB, TEXT], Type::Text, |call| {
            call.write::<(call::Text, call::Text)>(|(json, name), out| printed(Json::new(json).member(name), out))
        })
        .nullable(),
        Signature::new(&[JSONB, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Integer)>(|(json, place), out| printed(normal_element(json, place), out))
        })
        .nullable(),
    ],
    examples: &[
        (r#"'{"a": "x\ny"}'::json ->> 'a'"#, "x\ny"),
        ("'[1, null]'::json ->> 1", "NULL"),
        (r#"'{"a": {"b": 1}}'::json ->> 'a'"#, r#"{"b": 1}"#),
        (r#"'"x"'::jsonb ->> -1"#, "x"),
    ],
};

const AT_PATH: Function = Function {
    name: "#>",
    aliases: &[],
    doc: "The value in JSON that a path leads to: names and places in braces, with commas",
    signatures: &[
        Signature::new(&[JSON, TEXT], Type::Super, at_path).constants(&[(1, TEXTS)]).nullable(),
        Signature::new(&[JSONB, TEXT], Type::Jsonb, at_path).constants(&[(1, TEXTS)]).nullable(),
    ],
    examples: &[
        (r#"'{"a": [1, {"b": true}]}'::json #> '{a,1,b}'"#, "true"),
        (r#"'{"a b": 1}'::json #> '{"a b"}'"#, "1"),
        (r#"'{"a": 1}'::json #> '{}'"#, r#"{"a": 1}"#),
        ("'[1]'::json #> '0'", "R301"),
    ],
};

const AT_PATH_TEXT: Function = Function {
    name: "#>>",
    aliases: &[],
    doc: "What `#>` gives, as a text: a string without its quotes, and NULL for `null`",
    signatures: &[
        Signature::new(&[JSON, TEXT], Type::Text, at_path_text).constants(&[(1, TEXTS)]).nullable(),
        Signature::new(&[JSONB, TEXT], Type::Text, at_path_text).constants(&[(1, TEXTS)]).nullable(),
    ],
    examples: &[(r#"'{"a": [1, "x"]}'::json #>> '{a,-1}'"#, "x"), ("'[1]'::json #>> '{a}'", "NULL")],
};

const SUBSCRIPT: Function = Function {
    name: "[]",
    aliases: &[],
    doc: "The value in JSON that subscripts lead to: names and places",
    signatures: &[
        Signature { variadic: true, ..Signature::new(&[JSON, Kind::Any], Type::Super, followed) }.nullable(),
        Signature { variadic: true, ..Signature::new(&[JSONB, Kind::Any], Type::Jsonb, followed) }.nullable(),
    ],
    examples: &[
        (r#"('{"a": [1, {"b": 2}]}'::jsonb)['a'][1]['b']"#, "2"),
        ("('[1, 2]'::jsonb)[-1]", "2"),
        ("('5'::jsonb)[0]", "NULL"),
    ],
};

const ARRAY: Function = Function {
    name: "array[]",
    aliases: &[],
    doc: "The text of an array of texts",
    signatures: &[
        Signature::new(&[], Type::Text, array),
        Signature::new(&[TEXT], Type::Text, array).variadic_over_nulls(),
    ],
    examples: &[(r#"'{"a": {"b\"": 1}}'::json #> array['a', 'b"']"#, "1"), ("'[1]'::json #> array[]::text[]", "[1]")],
};

const JSON_ARRAY_LENGTH: Function = Function {
    name: "json_array_length",
    aliases: &[],
    doc: "The number of elements of a JSON array; with a last argument `true`, NULL where the text is no JSON",
    signatures: &[
        Signature::new(&[TEXT], Type::Integer, array_length),
        Signature::new(&[TEXT, BOOLEAN], Type::Integer, array_length).nullable(),
        Signature::new(&[JSON], Type::Integer, array_length),
    ],
    examples: &[
        ("json_array_length('[11, 12, [14]]')", "3"),
        ("json_array_length('[11, ', true)", "NULL"),
        ("json_array_length('[11, ')", "R314"),
        ("json_array_length('{}')", "R311"),
    ],
};

const JSONB_ARRAY_LENGTH: Function = Function {
    name: "jsonb_array_length",
    aliases: &[],
    doc: "The number of elements of a JSON array",
    signatures: &[Signature::new(&[JSONB], Type::Integer, array_length)],
    examples: &[("jsonb_array_length('[11, 12, [14]]')", "3"), ("jsonb_array_length('1')", "R311")],
};

const JSON_EXTRACT_ARRAY_ELEMENT_TEXT: Function = Function {
    name: "json_extract_array_element_text",
    aliases: &[],
    doc: "The element of a JSON array at a place, counted from 0, or NULL; with a last argument `true`, NULL also where the text is no \
          JSON; as Redshift's",
    signatures: &[
        Signature::new(&[TEXT, Kind::Integer], Type::Text, element).constants(SOURCE).nullable(),
        Signature::new(&[TEXT, Kind::Integer, BOOLEAN], Type::Text, element).nullable(),
    ],
    examples: &[
        ("json_extract_array_element_text('[111, \"b\"]', 1)", "b"),
        ("json_extract_array_element_text('[111]', 1)", "NULL"),
        ("json_extract_array_element_text('[', 1, true)", "NULL"),
    ],
};

const JSON_EXTRACT_PATH: Function = Function {
    name: "json_extract_path",
    aliases: &[],
    doc: "The value in JSON that a path of names (or places in arrays) leads to, or NULL",
    signatures: &[Signature { variadic: true, ..Signature::new(&[JSON, TEXT], Type::Super, followed) }.nullable()],
    examples: &[(r#"json_extract_path('{"a": {"b": [1, "x"]}}', 'a', 'b')"#, r#"[1, "x"]"#)],
};

const JSONB_EXTRACT_PATH: Function = Function {
    name: "jsonb_extract_path",
    aliases: &[],
    doc: "The value in the normal form of JSON that a path of names (or places in arrays) leads to, or NULL",
    signatures: &[Signature { variadic: true, ..Signature::new(&[JSONB, TEXT], Type::Jsonb, followed) }.nullable()],
    examples: &[(r#"jsonb_extract_path('{"a": [1.0,2e1]}', 'a')"#, "[1.0, 20]")],
};

const JSON_EXTRACT_PATH_TEXT: Function = Function {
    name: "json_extract_path_text",
    aliases: &[],
    doc: "The value in a JSON text that a path of names (or places in arrays) leads to, or NULL; with a last argument `true`, NULL \
          also where the text is no JSON",
    signatures: &[
        Signature { variadic: true, ..Signature::new(&[TEXT, TEXT], Type::Text, path) }.constants(SOURCE).nullable(),
        Signature { variadic: true, ..Signature::new(&[JSON, TEXT], Type::Text, path) }.nullable(),
        Signature::new(&[TEXT, TEXT, BOOLEAN], Type::Text, path_of_valid).nullable(),
        Signature::new(&[TEXT, TEXT, TEXT, BOOLEAN], Type::Text, path_of_valid).nullable(),
        Signature::new(&[TEXT, TEXT, TEXT, TEXT, BOOLEAN], Type::Text, path_of_valid).nullable(),
        Signature::new(&[TEXT, TEXT, TEXT, TEXT, TEXT, BOOLEAN], Type::Text, path_of_valid).nullable(),
        Signature::new(&[TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, BOOLEAN], Type::Text, path_of_valid).nullable(),
    ],
    examples: &[
        (r#"json_extract_path_text('{"a": {"b": "x"}, "c": [1, 2.50]}', 'a', 'b')"#, "x"),
        (r#"json_extract_path_text('{"c": [1, 2.50]}', 'c', '1')"#, "2.50"),
        (r#"json_extract_path_text('{"c": [1, 2.50]}', 'c')"#, "[1, 2.50]"),
        (r#"json_extract_path_text('{"c": null}', 'c')"#, "NULL"),
        ("json_extract_path_text('{', 'c', true)", "NULL"),
        ("json_extract_path_text('{', 'c')", "R314"),
    ],
};

const JSONB_EXTRACT_PATH_TEXT: Function = Function {
    name: "jsonb_extract_path_text",
    aliases: &[],
    doc: "What `jsonb_extract_path` gives, as a text: a string without its quotes, and NULL for `null`",
    signatures: &[Signature { variadic: true, ..Signature::new(&[JSONB, TEXT], Type::Text, path) }.nullable()],
    examples: &[(r#"jsonb_extract_path_text('{"a": ["x"]}', 'a', '0')"#, "x")],
};

/// A constant text that is JSON.
const SOURCE: &[(usize, Constant)] = &[(0, Constant::Text(|text| Json::parse(text).map(|_| ())))];

/// The JSON of a `json`, from which a value is taken.
fn whole(json: &str) -> Result<Json<'_>, Fault> {
    Json::new(json).readable()
}

/// The element of a `jsonb`, which takes a scalar for the only element of an array.
fn normal_element(json: &str, place: i32) -> Option<Json<'_>> {
    let json = Json::new(json);
    match json.is_array() || json.is_object() {
        true => json.element(place.into()),
        false => matches!(place, 0 | -1).then_some(json),
    }
}

fn at_path(call: &Call<'_>) -> Column {
    call.slice::<(call::Text, call::Text)>(|(json, path)| Ok(stepped(json, path)?.map(Json::text)))
}

fn at_path_text(call: &Call<'_>) -> Column {
    call.write::<(call::Text, call::Text)>(|(json, path), out| printed(stepped(json, path)?, out))
}

/// The value that the elements of an array lead to, one by one. No value stands behind a NULL among them.
fn stepped<'a>(json: &'a str, path: &str) -> Result<Option<Json<'a>>, Fault> {
    let steps = TextArray::parse(path)?.elements;
    let json = whole(json)?;
    Ok(steps.iter().try_fold(json, |json, step| json.step(step.as_deref()?)))
}

fn array(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        let element = |at| (!call.is_null(at, row)).then(|| call.text(at, row));
        TextArray::write_list((0..call.arguments.len()).map(element), out);
        Ok(true)
    })
}

fn followed(call: &Call<'_>) -> Column {
    call.try_write_rows(|row, out| {
        let found = follow(call, whole(call.text(0, row))?, call.arguments.len(), row);
        out.push_str(found.map_or("", Json::text));
        Ok(found.is_some())
    })
}

fn array_length(call: &Call<'_>) -> Column {
    call.map_rows::<call::Integer>(|row| {
        let Some(json) = parsed(call, 1, row)? else { return Ok(None) };
        match json.is_array() {
            true => Ok(i32::try_from(json.len()).ok()),
            false => Err(no_array()),
        }
    })
}

fn element(call: &Call<'_>) -> Column {
    call.try_write_rows(|row, out| {
        let Some(json) = parsed(call, 2, row)? else { return Ok(false) };
        if !json.is_array() {
            return Err(no_array());
        }
        let place = call.integer(1, row).filter(|&place| place >= 0);
        place.and_then(|place| json.element(place.into())).map_or(Ok(false), |found| found.print(out))
    })
}

fn path(call: &Call<'_>) -> Column {
    walk(call, call.arguments.len())
}

fn path_of_valid(call: &Call<'_>) -> Column {
    walk(call, call.arguments.len().saturating_sub(1))
}

/// Follows the path of the arguments between the first and the one at `end`.
fn walk(call: &Call<'_>, end: usize) -> Column {
    call.try_write_rows(|row, out| {
        let Some(json) = parsed(call, end, row)? else { return Ok(false) };
        printed(follow(call, json, end, row), out)
    })
}

/// The value that the arguments between the first and the one at `end` lead to.
fn follow<'a>(call: &Call<'_>, json: Json<'a>, end: usize, row: usize) -> Option<Json<'a>> {
    (1..end).try_fold(json, |json, at| json.step(call.text(at, row)))
}

fn printed(found: Option<Json<'_>>, out: &mut String) -> Result<bool, Fault> {
    found.map_or(Ok(false), |found| found.print(out))
}

/// The JSON of a row; `None` if the text is none and the argument at `lenient` is true.
fn parsed<'a>(call: &'a Call<'_>, lenient: usize, row: usize) -> Result<Option<Json<'a>>, Fault> {
    match Json::parse(call.text(0, row)) {
        Ok(json) => json.readable().map(Some),
        Err(_) if call.is_true(lenient, row) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn no_array() -> Fault {
    Fault::new(Code::BadArgument, "the JSON is no array")
}
