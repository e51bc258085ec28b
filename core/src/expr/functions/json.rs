//! `json_extract_path_text` and others: values out of texts that hold JSON.
//!
//! JSON is text here: there is no type for it. What a function gives is the value as it is written, or the inside of a
//! string.

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::json::Json;

pub(super) const FUNCTIONS: &[Function] =
    &[IS_VALID_JSON, IS_VALID_JSON_ARRAY, JSON_ARRAY_LENGTH, JSON_EXTRACT_ARRAY_ELEMENT_TEXT, JSON_EXTRACT_PATH_TEXT];

const TEXT: Kind = Kind::Text;
const BOOLEAN: Kind = Kind::Boolean;

const IS_VALID_JSON: Function = Function {
    name: "is_valid_json",
    aliases: &[],
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

const JSON_ARRAY_LENGTH: Function = Function {
    name: "json_array_length",
    aliases: &[],
    doc: "The number of elements of a JSON array; with a last argument `true`, NULL where the text is no JSON",
    signatures: &[
        Signature::new(&[TEXT], Type::Integer, array_length),
        Signature::new(&[TEXT, BOOLEAN], Type::Integer, array_length).nullable(),
    ],
    examples: &[
        ("json_array_length('[11, 12, [14]]')", "3"),
        ("json_array_length('[11, ', true)", "NULL"),
        ("json_array_length('[11, ')", "R314"),
        ("json_array_length('{}')", "R311"),
    ],
};

const JSON_EXTRACT_ARRAY_ELEMENT_TEXT: Function = Function {
    name: "json_extract_array_element_text",
    aliases: &[],
    doc: "The element of a JSON array at a place, counted from 0, or NULL; with a last argument `true`, NULL also where the text is no \
          JSON; as Redshift's",
    signatures: &[
        Signature::new(&[TEXT, Kind::Integer], Type::Text, element).nullable(),
        Signature::new(&[TEXT, Kind::Integer, BOOLEAN], Type::Text, element).nullable(),
    ],
    examples: &[
        ("json_extract_array_element_text('[111, \"b\"]', 1)", "b"),
        ("json_extract_array_element_text('[111]', 1)", "NULL"),
        ("json_extract_array_element_text('[', 1, true)", "NULL"),
    ],
};

const JSON_EXTRACT_PATH_TEXT: Function = Function {
    name: "json_extract_path_text",
    aliases: &[],
    doc: "The value in a JSON text that a path of names (or places in arrays) leads to, or NULL; with a last argument `true`, NULL \
          also where the text is no JSON",
    signatures: &[
        Signature { variadic: true, ..Signature::new(&[TEXT, TEXT], Type::Text, path) }.nullable(),
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
        let found = (1..end).try_fold(json, |json, at| {
            let step = call.text(at, row);
            match json.is_array() {
                true => step.trim_ascii_start().parse().ok().and_then(|place| json.element(place)),
                false => json.member(step),
            }
        });
        found.map_or(Ok(false), |found| found.print(out))
    })
}

/// The JSON of a row; `None` if the text is none and the argument at `lenient` is true.
fn parsed<'a>(call: &'a Call<'_>, lenient: usize, row: usize) -> Result<Option<Json<'a>>, Fault> {
    match Json::parse(call.text(0, row)) {
        Ok(json) => Ok(Some(json)),
        Err(_) if call.is_true(lenient, row) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn no_array() -> Fault {
    Fault::new(Code::BadArgument, "the JSON is no array")
}
