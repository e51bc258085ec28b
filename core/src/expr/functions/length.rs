//! `length`, `octet_length`, `bit_length`: how long texts are.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[LENGTH, OCTET_LENGTH, BIT_LENGTH];

const LENGTH: Function = Function {
    name: "length",
    aliases: &["char_length", "character_length", "len"],
    doc: "The number of characters of a text",
    signatures: &[Signature::new(&[Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text,), call::Integer>(|(text,)| Ok(i32::try_from(text.chars().count()).ok()))
    })],
    examples: &[("length('größe')", "5"), ("length('')", "0"), ("len(null)", "NULL")],
};

const OCTET_LENGTH: Function = Function {
    name: "octet_length",
    aliases: &[],
    doc: "The number of bytes of a text in UTF-8; those of a char with its padding",
    signatures: &[Signature::new(&[Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text,), call::Integer>(|(text,)| Ok(i32::try_from(text.len()).ok()))
    })],
    examples: &[("octet_length('größe')", "7"), ("octet_length('ab'::char(4))", "4")],
};

const BIT_LENGTH: Function = Function {
    name: "bit_length",
    aliases: &[],
    doc: "The number of bits of a text in UTF-8",
    signatures: &[Signature::new(&[Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text,), call::Integer>(|(text,)| Ok(i32::try_from(text.len() * 8).ok()))
    })],
    examples: &[("bit_length('größe')", "56")],
};
