//! `substring`, `left`, `right`: parts of texts by the place of their characters, counted from 1.

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::bytes;
use super::call;
use super::regexp;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[SUBSTRING, SUBSTR, LEFT, RIGHT];

const SUBSTRING: Function = Function {
    name: "substring",
    aliases: &[],
    doc: "The characters of a text from a place on, or so many of them; or its first match of a regular expression, of the \
          first group in that if there is one; or the part between two separators of an SQL pattern",
    signatures: &[
        BY_PLACE[0],
        BY_PLACE[1],
        BY_PLACE[2],
        BY_PLACE[3],
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, regexp::substring_regular)
            .returns(regexp::readable_text)
            .nullable(),
        Signature::new(&[Kind::Text, Kind::Text, Kind::Text], Type::Text, regexp::substring_similar)
            .returns(|arguments| regexp::readable_similar(arguments, Type::Text))
            .constants(&[(2, regexp::ESCAPE)])
            .nullable(),
    ],
    examples: &[
        ("substring('Thomas' from 2 for 3)", "hom"),
        ("substring('Thomas', 3)", "omas"),
        ("substring('abc' from 2 for -1)", "R316"),
        (r"substring('\x616263'::bytea from 2 for 1)", r"\x62"),
        ("substring('abcdefg' from 'b(.*)f')", "cde"),
        ("substring('abcdefg' similar 'a#\"%#\"g' escape '#')", "bcdef"),
    ],
};

const SUBSTR: Function = Function {
    name: "substr",
    aliases: &[],
    doc: "The characters of a text from a place on, or so many of them",
    signatures: &BY_PLACE,
    examples: &[("substr('alphabet', 3)", "phabet"), ("substr('alphabet', -1, 4)", "al"), ("substr('abc', '2')", "bc")],
};

/// By the place of the first character or byte.
const BY_PLACE: [Signature; 4] = [
    Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
        call.slice::<(call::Text, call::Integer)>(|(text, from)| Ok(Some(between(text, from.into(), i64::MAX))))
    }),
    Signature::new(&[Kind::Text, Kind::Integer, Kind::Integer], Type::Text, |call| {
        call.slice::<(call::Text, call::Integer, call::Integer)>(|(text, from, count)| {
            not_negative(count)?;
            Ok(Some(between(text, from.into(), i64::from(from) + i64::from(count))))
        })
    })
    .constants(&[(2, Constant::Integer(not_negative))]),
    Signature::new(&[Kind::Bytea, Kind::Integer], Type::Bytea, bytes_between),
    Signature::new(&[Kind::Bytea, Kind::Integer, Kind::Integer], Type::Bytea, bytes_between)
        .constants(&[(2, Constant::Integer(not_negative))]),
];

const LEFT: Function = Function {
    name: "left",
    aliases: &[],
    doc: "The first characters of a text; with a negative number, all but so many at its end",
    signatures: &[Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
        call.slice::<(call::Text, call::Integer)>(|(text, count)| match usize::try_from(count) {
            Ok(count) => Ok(text.get(..place(text, count))),
            Err(_) => Ok(text.get(..place_from_end(text, count.unsigned_abs() as usize))),
        })
    })],
    examples: &[("left('abcde', 2)", "ab"), ("left('größe', -2)", "grö"), ("left('ab', -3)", "")],
};

const RIGHT: Function = Function {
    name: "right",
    aliases: &[],
    doc: "The last characters of a text; with a negative number, all but so many at its start",
    signatures: &[Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
        call.slice::<(call::Text, call::Integer)>(|(text, count)| match usize::try_from(count) {
            Ok(count) => Ok(text.get(place_from_end(text, count)..)),
            // PostgreSQL negates the number, and this one stays what it is.
            Err(_) if count == i32::MIN => Ok(Some(text)),
            Err(_) => Ok(text.get(place(text, count.unsigned_abs() as usize)..)),
        })
    })],
    examples: &[("right('abcde', 2)", "de"), ("right('abcde', -2)", "cde"), ("right('abcde', -2147483648)", "abcde")],
};

fn not_negative(count: i32) -> Result<(), Fault> {
    match count {
        0.. => Ok(()),
        _ => Err(Fault::new(Code::NegativeLength, "negative substring length not allowed")),
    }
}

/// The characters from place `from`, counted from 1, to before place `to`.
fn between(text: &str, from: i64, to: i64) -> &str {
    let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
    let count = usize::try_from(to.saturating_sub(from.max(1))).unwrap_or(0);
    let rest = text.get(place(text, skipped)..).unwrap_or_default();
    rest.get(..place(rest, count)).unwrap_or_default()
}

fn bytes_between(call: &Call<'_>) -> Column {
    bytes::part(call, |text, from, count| {
        let to = match count {
            None => i64::MAX,
            Some(count) => {
                not_negative(count)?;
                i64::from(from) + i64::from(count)
            }
        };
        Ok(between(text, from.into(), to).to_owned())
    })
}

/// The byte at which the character after the first `count` begins.
pub(super) fn place(text: &str, count: usize) -> usize {
    if count >= text.len() || text.is_ascii() {
        return count.min(text.len());
    }
    text.char_indices().nth(count).map_or(text.len(), |(place, _)| place)
}

/// The byte at which the last `count` characters begin.
fn place_from_end(text: &str, count: usize) -> usize {
    match count.checked_sub(1) {
        None => text.len(),
        Some(skipped) => text.char_indices().rev().nth(skipped).map_or(0, |(place, _)| place),
    }
}
