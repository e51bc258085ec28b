//! `->`, `json_extract_path_text` and others: values out of JSON, which is a `super` or, for Redshift's older functions, a
//! text.
//!
//! A `super` is the text that it was written as, so that a value in it is a part of that text.

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
use crate::value::json::write_string;
use crate::value::text::quote;

pub(super) const FUNCTIONS: &[Function] = &[
    IS_VALID_JSON,
    IS_VALID_JSON_ARRAY,
    JSON_PARSE,
    JSON_SERIALIZE,
    JSON_TYPEOF,
    IS_ARRAY,
    IS_OBJECT,
    IS_SCALAR,
    JSON_ARRAY_LENGTH,
    JSON_EXTRACT_ARRAY_ELEMENT_TEXT,
    JSON_EXTRACT_PATH,
    JSON_EXTRACT_PATH_TEXT,
    JSONB_EXISTS,
];

/// What has no name: the operators of JSON, and the form of a cast to `jsonb`.
pub(super) const OPERATORS: &[Function] = &[VALUE, VALUE_TEXT, AT_PATH, AT_PATH_TEXT, CONTAINS, IS_CONTAINED, NORMAL];

const TEXT: Kind = Kind::Text;
const JSON: Kind = Kind::Json;
const BOOLEAN: Kind = Kind::Boolean;

const VALUE: Function = Function {
    name: "->",
    aliases: &[],
    doc: "The member of a JSON object, or the element of a JSON array at a place, counted from 0 or from -1 at the end",
    signatures: &[
        Signature::new(&[JSON, TEXT], Type::Super, |call| {
            call.slice::<(call::Text, call::Text)>(|(json, name)| Ok(Json::new(json).member(name).map(Json::text)))
        })
        .nullable(),
        Signature::new(&[JSON, Kind::Integer], Type::Super, |call| {
            call.slice::<(call::Text, call::Integer)>(|(json, place)| {
                Ok(Json::new(json).element(place.into()).map(Json::text))
            })
        })
        .nullable(),
    ],
    examples: &[
        (r#"'{"a": [1, 2.50]}'::super -> 'a'"#, "[1, 2.50]"),
        ("'[1, \"b\"]'::json -> -1", "\"b\""),
        ("'[1, null]'::json -> 1", "null"),
        (r#"'{"a": 1}'::json -> 0"#, "NULL"),
    ],
};

const VALUE_TEXT: Function = Function {
    name: "->>",
    aliases: &[],
    doc: "What `->` gives, as a text: a string without its quotes, and NULL for `null`",
    signatures: &[
        Signature::new(&[JSON, TEXT], Type::Text, |call| {
            call.write::<(call::Text, call::Text)>(|(json, name), out| printed(Json::new(json).member(name), out))
        })
        .nullable(),
        Signature::new(&[JSON, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Integer)>(|(json, place), out| {
                printed(Json::new(json).element(place.into()), out)
            })
        })
        .nullable(),
    ],
    examples: &[
        (r#"'{"a": "x\ny"}'::json ->> 'a'"#, "x\ny"),
        ("'[1, null]'::json ->> 1", "NULL"),
        (r#"'{"a": {"b": 1}}'::json ->> 'a'"#, r#"{"b": 1}"#),
    ],
};

const AT_PATH: Function = Function {
    name: "#>",
    aliases: &[],
    doc: "The value in JSON that a path leads to: names and places in braces, with commas",
    signatures: &[Signature::new(&[JSON, TEXT], Type::Super, |call| {
        call.slice::<(call::Text, call::Text)>(|(json, path)| Ok(at_path(json, path)?.map(Json::text)))
    })
    .nullable()],
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
    signatures: &[Signature::new(&[JSON, TEXT], Type::Text, |call| {
        call.write::<(call::Text, call::Text)>(|(json, path), out| printed(at_path(json, path)?, out))
    })
    .nullable()],
    examples: &[(r#"'{"a": [1, "x"]}'::json #>> '{a,-1}'"#, "x"), ("'[1]'::json #>> '{a}'", "NULL")],
};

const CONTAINS: Function = Function {
    name: "@>",
    aliases: &[],
    doc: "Whether everything in the JSON on the right stands at its place in the JSON on the left",
    signatures: &[Signature::new(&[JSON, JSON], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(all, part)| {
            Ok(Some(Json::new(all).contains(Json::new(part))))
        })
    })],
    examples: &[
        (r#"'{"a": [1, 2, {"b": 3}], "c": 4}'::super @> '{"a": [{"b": 3.0}, 1]}'"#, "true"),
        ("'[1, 2]'::super @> '2'", "true"),
        ("'[[1, 2]]'::super @> '[1]'", "false"),
    ],
};

const IS_CONTAINED: Function = Function {
    name: "<@",
    aliases: &[],
    doc: "Whether everything in the JSON on the left stands at its place in the JSON on the right",
    signatures: &[Signature::new(&[JSON, JSON], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(part, all)| {
            Ok(Some(Json::new(all).contains(Json::new(part))))
        })
    })],
    examples: &[(r#"'{"a": 1}'::super <@ '{"a": 1, "b": 2}'"#, "true"), ("'1'::super <@ '{}'", "false")],
};

const JSONB_EXISTS: Function = Function {
    name: "jsonb_exists",
    aliases: &[],
    doc: "Whether a JSON object has a member of that name, or an array the string as an element; PostgreSQL's `?`",
    signatures: &[Signature::new(&[JSON, TEXT], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(json, name)| {
            let json = Json::new(json);
            let mut string = String::new();
            write_string(name, &mut string);
            Ok(Some(json.member(name).is_some() || (!json.is_object() && json.contains(Json::new(&string)))))
        })
    })],
    examples: &[
        (r#"jsonb_exists('{"a": null}', 'a')"#, "true"),
        (r#"jsonb_exists('["a", 1]', 'a')"#, "true"),
        (r#"jsonb_exists('"a"', 'b')"#, "false"),
    ],
};

const NORMAL: Function = Function {
    name: "(jsonb)",
    aliases: &[],
    doc: "JSON as PostgreSQL's `jsonb` prints it, as a cast to `jsonb` gives",
    signatures: &[Signature::new(&[JSON], Type::Super, |call| {
        call.write::<(call::Text,)>(|(json,), out| Json::new(json).write_normal(out).map(|()| true))
    })],
    examples: &[(r#"'{"bb": 1,"a":[1e2], "a":"x"}'::jsonb"#, r#"{"a": "x", "bb": 1}"#)],
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
    aliases: &["jsonb_typeof"],
    doc: "What a JSON value is: `object`, `array`, `string`, `number`, `boolean` or `null`",
    signatures: &[Signature::new(&[JSON], Type::Text, |call| {
        call.slice::<(call::Text,)>(|(json,)| Ok(Some(Json::new(json).kind())))
    })],
    examples: &[("json_typeof('[]')", "array"), ("json_typeof('-1.5')", "number"), ("json_typeof('null')", "null")],
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

const JSON_ARRAY_LENGTH: Function = Function {
    name: "json_array_length",
    aliases: &["jsonb_array_length"],
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

const JSON_EXTRACT_PATH: Function = Function {
    name: "json_extract_path",
    aliases: &["jsonb_extract_path"],
    doc: "The value in JSON that a path of names (or places in arrays) leads to, or NULL",
    signatures: &[Signature {
        variadic: true,
        ..Signature::new(&[JSON, TEXT], Type::Super, |call| {
            call.try_write_rows(|row, out| {
                let found = follow(call, Json::new(call.text(0, row)), call.arguments.len(), row);
                out.push_str(found.map_or("", Json::text));
                Ok(found.is_some())
            })
        })
    }
    .nullable()],
    examples: &[(r#"json_extract_path('{"a": {"b": [1, "x"]}}', 'a', 'b')"#, r#"[1, "x"]"#)],
};

const JSON_EXTRACT_PATH_TEXT: Function = Function {
    name: "json_extract_path_text",
    aliases: &["jsonb_extract_path_text"],
    doc: "The value in a JSON text that a path of names (or places in arrays) leads to, or NULL; with a last argument `true`, NULL \
          also where the text is no JSON",
    signatures: &[
        Signature { variadic: true, ..Signature::new(&[TEXT, TEXT], Type::Text, path) }.nullable(),
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

fn is_kind(call: &Call<'_>, test: fn(&str) -> bool) -> Column {
    call.map::<(call::Text,), call::Boolean>(|(json,)| Ok(Some(test(Json::new(json).kind()))))
}

/// The value that a path leads to: `{a,"b c",-1}`, an array of PostgreSQL's. No value stands behind a NULL in it.
fn at_path<'a>(json: &'a str, path: &str) -> Result<Option<Json<'a>>, Fault> {
    let malformed = || Fault::new(Code::NotAValue, format!("malformed array literal: {}", quote(path.as_bytes())));
    let inner = path.trim_ascii().strip_prefix('{').and_then(|path| path.strip_suffix('}')).ok_or_else(malformed)?;
    let mut found = Some(Json::new(json));
    if inner.trim_ascii().is_empty() {
        return Ok(found);
    }
    let mut chars = inner.chars().peekable();
    let mut step = String::new();
    loop {
        step.clear();
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        let is_quoted = chars.next_if_eq(&'"').is_some();
        let mut blanks = 0;
        loop {
            match chars.peek() {
                None if is_quoted => return Err(malformed()),
                Some('"') if is_quoted => break,
                None | Some(',') if !is_quoted => break,
                Some('{' | '}' | '"') if !is_quoted => return Err(malformed()),
                _ => {}
            }
            let Some(char) = chars.next() else { return Err(malformed()) };
            let char = if char == '\\' { chars.next().ok_or_else(malformed)? } else { char };
            step.push(char);
            blanks = if char.is_ascii_whitespace() { blanks + 1 } else { 0 };
        }
        if is_quoted {
            chars.next();
            while chars.next_if(char::is_ascii_whitespace).is_some() {}
        } else {
            step.truncate(step.len() - blanks);
            if step.is_empty() {
                return Err(malformed());
            }
        }
        found = match !is_quoted && step.eq_ignore_ascii_case("null") {
            true => None,
            false => found.and_then(|found| found.step(&step)),
        };
        match chars.next() {
            None => return Ok(found),
            Some(',') => {}
            Some(_) => return Err(malformed()),
        }
    }
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
