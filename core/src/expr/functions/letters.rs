//! `upper`, `lower`, `initcap`: the letter case of texts, a character for a character as PostgreSQL's are.

use std::sync::LazyLock;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use regex::Regex;

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column;
use crate::column::Column;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[UPPER, LOWER, INITCAP];

const UPPER: Function = Function {
    name: "upper",
    aliases: &[],
    doc: "The text in capital letters",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| convert(call, str::make_ascii_uppercase, capital))],
    examples: &[("upper('Straße 1')", "STRAßE 1"), ("upper(null)", "NULL")],
};

const LOWER: Function = Function {
    name: "lower",
    aliases: &[],
    doc: "The text in small letters",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| convert(call, str::make_ascii_lowercase, small))],
    examples: &[("lower('ÄRGER')", "ärger")],
};

const INITCAP: Function = Function {
    name: "initcap",
    aliases: &[],
    doc: "The text with the first letter of every word a capital and the others small",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, initcap)],
    examples: &[
        ("initcap('hi THOMAS o''neil')", "Hi Thomas O'Neil"),
        ("initcap('élan vital')", "Élan Vital"),
        ("initcap('1st ¼l')", "1st ¼L"),
    ],
};

fn convert(call: &Call<'_>, ascii: fn(&mut str), other: fn(char) -> char) -> Column {
    all_ascii(call, ascii).unwrap_or_else(|| each(call, ascii, other))
}

/// The usual case: no letter of any text is beyond ASCII, so that all of them are converted in one go.
fn all_ascii(call: &Call<'_>, ascii: fn(&mut str)) -> Option<Column> {
    let [texts] = call.arguments else { unreachable!("one text is converted") };
    let texts = texts.values.as_string_view();
    let mut block = String::new();
    let mut ends = Vec::with_capacity(texts.len() + 1);
    ends.push(0);
    for text in texts {
        block.push_str(text.unwrap_or_default());
        ends.push(block.len().cast_signed() as i64);
    }
    if !block.is_ascii() {
        return None;
    }
    ascii(&mut block);
    column::texts(block.into_bytes(), ends, texts.nulls().cloned()).map(Column::new)
}

fn each(call: &Call<'_>, ascii: fn(&mut str), other: fn(char) -> char) -> Column {
    call.write::<(call::Text,)>(|(text,), out| {
        if text.is_ascii() {
            out.push_str(text);
            ascii(out);
        } else {
            out.extend(text.chars().map(other));
        }
        Ok(true)
    })
}

fn initcap(call: &Call<'_>) -> Column {
    call.write::<(call::Text,)>(|(text,), out| {
        let mut in_word = false;
        out.extend(text.chars().map(|char| {
            let cased = if in_word { small(char) } else { capital(char) };
            in_word = is_in_word(char);
            cased
        }));
        Ok(true)
    })
}

/// The capital of a letter, where it is a single character.
fn capital(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_uppercase();
    }
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => char,
    }
}

/// Whether a character continues a word. As for PostgreSQL's C library, digits of every script do, and other numbers such
/// as `¼` do not.
fn is_in_word(char: char) -> bool {
    static DIGIT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d").ok());
    let is_digit = || {
        let digit = DIGIT.as_ref();
        digit.is_some_and(|digit| digit.is_match(char.encode_utf8(&mut [0; 4])))
    };
    char.is_alphabetic() || char.is_ascii_digit() || (char.is_numeric() && is_digit())
}

/// The small letter; of the one that becomes two characters, the first.
pub(in crate::expr) fn small(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    char.to_lowercase().next().unwrap_or(char)
}
