//! `to_json`, `json_build_object` and others: they make JSON of other values.
//!
//! An argument of any type is made JSON by `to_json` before it comes here, so that numbers and booleans keep their kinds.

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
use crate::value::datetime::write_timestamp;
use crate::value::json::Json;
use crate::value::json::Style;
use crate::value::json::Tree;
use crate::value::json::write_string;
use crate::value::show::show;

pub(super) const FUNCTIONS: &[Function] = &[
    TO_JSON,
    TO_JSONB,
    JSON_BUILD_ARRAY,
    JSONB_BUILD_ARRAY,
    JSON_BUILD_OBJECT,
    JSONB_BUILD_OBJECT,
    JSON_OBJECT,
    JSONB_OBJECT,
];

const TO_JSON: Function = Function {
    name: "to_json",
    aliases: &[],
    doc: "A value as JSON: numbers and booleans as they are, others as strings, times as ISO 8601 has them",
    signatures: &[
        Signature::new(&[JSON], Type::Super, same),
        Signature::new(&[JSONB], Type::Super, same),
        Signature::new(&[Kind::Boolean], Type::Super, boolean),
        Signature::new(&[Kind::Smallint], Type::Super, number),
        Signature::new(&[Kind::Integer], Type::Super, number),
        Signature::new(&[Kind::Bigint], Type::Super, number),
        Signature::new(&[Kind::Numeric], Type::Super, number),
        Signature::new(&[Kind::Real], Type::Super, number),
        Signature::new(&[Kind::Double], Type::Super, number),
        Signature::new(&[Kind::Timestamp], Type::Super, timestamp),
        Signature::new(&[Kind::Timestamptz], Type::Super, timestamptz),
        Signature::new(&[Kind::Date], Type::Super, string),
        Signature::new(&[Kind::Time], Type::Super, string),
        Signature::new(&[Kind::Timetz], Type::Super, string),
        Signature::new(&[Kind::Interval], Type::Super, string),
        Signature::new(&[Kind::Bytea], Type::Super, string),
        Signature::new(&[TEXT], Type::Super, string),
    ],
    examples: &[
        ("to_json(1.50)", "1.50"),
        ("to_json('a\"b'::text)", r#""a\"b""#),
        ("to_json(timestamp '2026-01-31 12:30:00')", "\"2026-01-31T12:30:00\""),
        ("to_json(timestamptz '2026-01-31 12:30:00.5+01')", "\"2026-01-31T11:30:00.5+00:00\""),
        ("to_json('NaN'::double precision)", "\"NaN\""),
        ("to_json(true)", "true"),
    ],
};

const TO_JSONB: Function = Function {
    name: "to_jsonb",
    aliases: &[],
    doc: "A value as the normal form of JSON, as `to_json` makes it",
    signatures: &[Signature::new(&[JSONB], Type::Jsonb, same)],
    examples: &[("to_jsonb(1e3::double precision)", "1000"), ("to_jsonb('[2e0]'::json)", "[2]")],
};

const JSON_BUILD_ARRAY: Function = Function {
    name: "json_build_array",
    aliases: &[],
    doc: "A JSON array of the arguments, as `to_json` makes them; NULL is `null`",
    signatures: &[
        Signature::new(&[], Type::Super, build_array),
        Signature::new(&[JSON], Type::Super, build_array).variadic_over_nulls(),
    ],
    examples: &[
        ("json_build_array('a', 1.0, null, '{ }'::json)", r#"["a", 1.0, null, { }]"#),
        ("json_build_array()", "[]"),
    ],
};

const JSONB_BUILD_ARRAY: Function = Function {
    name: "jsonb_build_array",
    aliases: &[],
    doc: "The normal form of a JSON array of the arguments, as `to_json` makes them; NULL is `null`",
    signatures: &[
        Signature::new(&[], Type::Jsonb, build_array),
        Signature::new(&[JSONB], Type::Jsonb, build_array).variadic_over_nulls(),
    ],
    examples: &[("jsonb_build_array('a', 1e2::double precision, '{ }'::json)", r#"["a", 100, {}]"#)],
};

const JSON_BUILD_OBJECT: Function = Function {
    name: "json_build_object",
    aliases: &[],
    doc: "A JSON object of names and values in turn, as `to_json` makes them",
    signatures: &[
        Signature::new(&[], Type::Super, build_object),
        Signature::new(&[JSON], Type::Super, build_object).variadic_over_nulls(),
    ],
    examples: &[
        ("json_build_object('b', 1, 2, null)", r#"{"b" : 1, "2" : null}"#),
        ("json_build_object('a')", "R311"),
        ("json_build_object(null, 1)", "R311"),
    ],
};

const JSONB_BUILD_OBJECT: Function = Function {
    name: "jsonb_build_object",
    aliases: &[],
    doc: "The normal form of a JSON object of names and values in turn, as `to_json` makes them",
    signatures: &[
        Signature::new(&[], Type::Jsonb, build_object_normal),
        Signature::new(&[JSONB], Type::Jsonb, build_object_normal).variadic_over_nulls(),
    ],
    examples: &[("jsonb_build_object('bb', 1, 'a', true, 'a', false)", r#"{"a": false, "bb": 1}"#)],
};

const JSON_OBJECT: Function = Function {
    name: "json_object",
    aliases: &[],
    doc: "A JSON object of texts: names and values in turn, in braces, or the names and the values in braces of their own",
    signatures: &[
        Signature::new(&[TEXT], Type::Super, |call| {
            call.write::<(call::Text,)>(|(pairs,), out| write_pairs(&pairs_of(pairs)?, out))
        }),
        Signature::new(&[TEXT, TEXT], Type::Super, |call| {
            call.write::<(call::Text, call::Text)>(|(names, values), out| write_pairs(&paired(names, values)?, out))
        })
        .constants(PAIRED),
    ],
    examples: &[
        ("json_object('{b,1,a,NULL}')", r#"{"b" : "1", "a" : null}"#),
        ("json_object('{{a,1},{b,x y}}')", r#"{"a" : "1", "b" : "x y"}"#),
        ("json_object('{a,b}', '{1,2}')", r#"{"a" : "1", "b" : "2"}"#),
        ("json_object('{a,b}', '{1}')", "R343"),
        ("json_object('{NULL,b}')", "R342"),
    ],
};

const JSONB_OBJECT: Function = Function {
    name: "jsonb_object",
    aliases: &[],
    doc: "The normal form of what `json_object` gives",
    signatures: &[
        Signature::new(&[TEXT], Type::Jsonb, |call| {
            call.write::<(call::Text,)>(|(pairs,), out| write_normal(&pairs_of(pairs)?, out))
        }),
        Signature::new(&[TEXT, TEXT], Type::Jsonb, |call| {
            call.write::<(call::Text, call::Text)>(|(names, values), out| write_normal(&paired(names, values)?, out))
        })
        .constants(PAIRED),
    ],
    examples: &[("jsonb_object('{bb,1,a,NULL}')", r#"{"a": null, "bb": "1"}"#)],
};

/// Constant names and values.
const PAIRED: &[(usize, Constant)] = &[
    (0, TEXTS),
    (1, TEXTS),
    (0, FLAT),
    (1, FLAT),
    (0, Constant::Text(|names| check_names(&TextArray::parse(names)?))),
];

fn check_names(names: &TextArray) -> Result<(), Fault> {
    if names.elements.iter().all(Option::is_some) { Ok(()) } else { Err(null_name()) }
}

fn same(call: &Call<'_>) -> Column {
    call.slice::<(call::Text,)>(|(json,)| Ok(Some(json)))
}

fn boolean(call: &Call<'_>) -> Column {
    call.slice::<(call::Boolean,)>(|(value,)| Ok(Some(if value { "true" } else { "false" })))
}

/// A number as it is printed; what is none of JSON is a string.
fn number(call: &Call<'_>) -> Column {
    shown(call, |text, out| match text.ends_with(|last: char| last.is_ascii_digit()) {
        true => out.push_str(text),
        false => write_string(text, out),
    })
}

fn string(call: &Call<'_>) -> Column {
    shown(call, write_string)
}

/// JSON of the text of each value.
fn shown(call: &Call<'_>, write: fn(&str, &mut String)) -> Column {
    call.try_write_rows(|row, out| {
        let text = call.arguments.first().and_then(|vector| show(&*vector.values, row & vector.mask()));
        write(&text.unwrap_or_default(), out);
        Ok(true)
    })
}

fn timestamp(call: &Call<'_>) -> Column {
    call.write::<(call::Timestamp,)>(|(micros,), out| moment(micros, "", out))
}

fn timestamptz(call: &Call<'_>) -> Column {
    call.write::<(call::Timestamp,)>(|(micros,), out| moment(micros, "+00:00", out))
}

fn moment(micros: i64, offset: &str, out: &mut String) -> Result<bool, Fault> {
    let mut text = String::new();
    write_timestamp(micros, &mut text);
    // A year before the first has its letters at the end.
    let (time, era) = text.strip_suffix(" BC").map_or((text.as_str(), ""), |time| (time, " BC"));
    write_string(&format!("{}{offset}{era}", time.replacen(' ', "T", 1)), out);
    Ok(true)
}

/// The JSON of an argument in a row.
fn argument<'a>(call: &'a Call<'_>, at: usize, row: usize) -> &'a str {
    if call.is_null(at, row) { "null" } else { call.text(at, row) }
}

fn build_array(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        out.push('[');
        for at in 0..call.arguments.len() {
            out.push_str(if at > 0 { ", " } else { "" });
            out.push_str(argument(call, at, row));
        }
        out.push(']');
        Ok(true)
    })
}

/// The name of a member, which a scalar gives.
fn name(call: &Call<'_>, at: usize, row: usize) -> Result<String, Fault> {
    let wrong = |fact: String| Fault::new(Code::BadArgument, fact);
    let json = Json::new(argument(call, at, row));
    let mut name = String::new();
    match json.kind() {
        "object" | "array" => Err(wrong("key value must be scalar, not array, composite, or json".to_owned())),
        _ if !json.print(&mut name)? => Err(wrong(format!("argument {} cannot be null", at + 1))),
        _ => Ok(name),
    }
}

fn is_even(call: &Call<'_>) -> Result<(), Fault> {
    match call.arguments.len().is_multiple_of(2) {
        true => Ok(()),
        false => Err(Fault::new(Code::BadArgument, "argument list must have even number of elements")),
    }
}

fn build_object(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        is_even(call)?;
        out.push('{');
        for at in (0..call.arguments.len()).step_by(2) {
            out.push_str(if at > 0 { ", " } else { "" });
            write_string(&name(call, at, row)?, out);
            out.push_str(" : ");
            out.push_str(argument(call, at + 1, row));
        }
        out.push('}');
        Ok(true)
    })
}

fn build_object_normal(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        is_even(call)?;
        let member = |at| Ok((name(call, at, row)?.into(), Tree::parse(argument(call, at + 1, row))?));
        let members = (0..call.arguments.len()).step_by(2).map(member).collect::<Result<Vec<_>, Fault>>()?;
        Tree::object(members).write(Style::Normal, out).map(|()| true)
    })
}

/// A name and a text.
type Pair = (String, Option<String>);

/// The pairs of an array: two by two, or the rows of one with two columns.
fn pairs_of(array: &str) -> Result<Vec<Pair>, Fault> {
    let array = TextArray::parse(array)?;
    let wrong = |fact: &'static str| Err(Fault::new(Code::ArrayShape, fact));
    match array.lengths.as_slice() {
        [] => {}
        [length] if !length.is_multiple_of(2) => return wrong("array must have even number of elements"),
        [_] | [_, 2] => {}
        [_, _] => return wrong("array must have two columns"),
        _ => return wrong("wrong number of array subscripts"),
    }
    let (names, values): (Vec<_>, Vec<_>) =
        array.elements.into_iter().enumerate().partition(|(at, _)| at.is_multiple_of(2));
    let element = |(_, element): (usize, Option<String>)| element;
    pairs(names.into_iter().map(element).collect(), values.into_iter().map(element).collect())
}

fn paired(names: &str, values: &str) -> Result<Vec<Pair>, Fault> {
    let (names, values) = (TextArray::parse(names)?.flat()?, TextArray::parse(values)?.flat()?);
    match names.len() == values.len() {
        true => pairs(names, values),
        false => Err(Fault::new(Code::ArrayShape, "mismatched array dimensions")),
    }
}

fn pairs(names: Vec<Option<String>>, values: Vec<Option<String>>) -> Result<Vec<Pair>, Fault> {
    let name = |(name, value): (Option<String>, Option<String>)| match name {
        Some(name) => Ok((name, value)),
        None => Err(null_name()),
    };
    names.into_iter().zip(values).map(name).collect()
}

fn null_name() -> Fault {
    Fault::new(Code::NullArgument, "null value not allowed for object key")
}

fn write_pairs(pairs: &[Pair], out: &mut String) -> Result<bool, Fault> {
    out.push('{');
    for (at, (name, value)) in pairs.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        write_string(name, out);
        out.push_str(" : ");
        match value {
            Some(value) => write_string(value, out),
            None => out.push_str("null"),
        }
    }
    out.push('}');
    Ok(true)
}

fn write_normal(pairs: &[Pair], out: &mut String) -> Result<bool, Fault> {
    let value =
        |value: &Option<String>| value.as_deref().map_or(Tree::Null, |value| Tree::String(value.to_owned().into()));
    let members = pairs.iter().map(|(name, text)| (name.clone().into(), value(text)));
    Tree::object(members.collect()).write(Style::Normal, out).map(|()| true)
}
