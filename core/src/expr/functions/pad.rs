//! `lpad`, `rpad`: texts filled up, or cut, to a number of characters.

use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::substring::place;
use super::too_long;
use crate::column::Fault;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[LPAD, RPAD];

const LPAD: Function = Function {
    name: "lpad",
    aliases: &[],
    doc: "The text filled up at its start, with blanks or another text, to a number of characters, or cut to them",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Integer)>(|(text, length), out| pad(text, length, " ", true, out))
        })
        .constants(LENGTH),
        Signature::new(&[Kind::Text, Kind::Integer, Kind::Text], Type::Text, |call| {
            call.write::<(call::Text, call::Integer, call::Text)>(|(text, length, fill), out| {
                pad(text, length, fill, true, out)
            })
        }),
    ],
    examples: &[("lpad('hi', 5, 'xy')", "xyxhi"), ("lpad('hello', 2)", "he"), ("lpad('hi', -1)", "")],
};

const RPAD: Function = Function {
    name: "rpad",
    aliases: &[],
    doc: "The text filled up at its end, with blanks or another text, to a number of characters, or cut to them",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Integer)>(|(text, length), out| pad(text, length, " ", false, out))
        })
        .constants(LENGTH),
        Signature::new(&[Kind::Text, Kind::Integer, Kind::Text], Type::Text, |call| {
            call.write::<(call::Text, call::Integer, call::Text)>(|(text, length, fill), out| {
                pad(text, length, fill, false, out)
            })
        }),
    ],
    examples: &[("rpad('hi', 5, 'xy')", "hixyx"), ("rpad('größe', 6, '')", "größe"), ("rpad('a', 2000000000)", "R315")],
};

/// A length to which blanks fill no text up, since even the longest lacks more than there may be.
const LENGTH: &[(usize, Constant)] = &[(
    1,
    Constant::Integer(|length| match usize::try_from(length) {
        Ok(length) if length > 32 * TEXT_BYTES_MAX => Err(too_long()),
        _ => Ok(()),
    }),
)];

fn pad(text: &str, length: i32, fill: &str, at_start: bool, out: &mut String) -> Result<bool, Fault> {
    let length = usize::try_from(length).unwrap_or(0);
    let missing = length.saturating_sub(text.chars().count());
    if missing == 0 || fill.is_empty() {
        out.push_str(text.get(..place(text, length)).unwrap_or_default());
        return Ok(true);
    }
    if missing > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    if !at_start {
        out.push_str(text);
    }
    out.extend(fill.chars().cycle().take(missing));
    if at_start {
        out.push_str(text);
    }
    // A character may have several bytes.
    if out.len() > text.len() + TEXT_BYTES_MAX {
        return Err(too_long());
    }
    Ok(true)
}
