//! `length`, `octet_length`, `bit_length`: how long texts are.

use super::Function;
use super::Kind;
use super::Signature;
use super::bytes;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[LENGTH, OCTET_LENGTH, BIT_LENGTH];

const LENGTH: Function = Function {
    name: "length",
    aliases: &["char_length", "character_length", "len", "textlen"],
    doc: "The number of characters of a text, of bytes, or of the characters that bytes are in an encoding",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Integer, |call| {
            call.map::<(call::Text,), call::Integer>(|(text,)| Ok(i32::try_from(text.chars().count()).ok()))
        }),
        Signature::new(&[Kind::Bytea], Type::Integer, |call| bytes::length(call, 1)),
        Signature::new(&[Kind::Bytea, Kind::Text], Type::Integer, bytes::characters).constants(&[(1, bytes::ENCODING)]),
    ],
    examples: &[
        ("length('größe')", "5"),
        (r"length('\xc39f'::bytea, 'UTF8')", "1"),
        (r"length('\xff'::bytea, 'UTF8')", "R312"),
        ("length('')", "0"),
        ("len(null)", "NULL"),
        (r"length('\x61ff'::bytea)", "2"),
    ],
};

const OCTET_LENGTH: Function = Function {
    name: "octet_length",
    aliases: &[],
    doc: "The number of bytes of a text in UTF-8; those of a char with its padding",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Integer, |call| {
            call.map::<(call::Text,), call::Integer>(|(text,)| Ok(i32::try_from(text.len()).ok()))
        }),
        Signature::new(&[Kind::Bytea], Type::Integer, |call| bytes::length(call, 1)),
    ],
    examples: &[("octet_length('größe')", "7"), ("octet_length('ab'::char(4))", "4")],
};

const BIT_LENGTH: Function = Function {
    name: "bit_length",
    aliases: &[],
    doc: "The number of bits of a text in UTF-8",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Integer, |call| {
            call.map::<(call::Text,), call::Integer>(|(text,)| Ok(i32::try_from(text.len() * 8).ok()))
        }),
        Signature::new(&[Kind::Bytea], Type::Integer, |call| bytes::length(call, 8)),
    ],
    examples: &[("bit_length('größe')", "56")],
};
