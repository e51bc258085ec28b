//! `strpos`, `charindex`, `starts_with`: where a text stands in another.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[STRPOS, CHARINDEX, STARTS_WITH];

const STRPOS: Function = Function {
    name: "strpos",
    aliases: &["position"],
    doc: "The place, counted from 1, at which a text first holds another, or 0; also `position(… in …)`",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text, call::Text), call::Integer>(|(text, part)| Ok(position(text, part)))
    })],
    examples: &[("strpos('größe', 'ß')", "4"), ("position('om' in 'Thomas')", "3"), ("strpos('abc', 'x')", "0")],
};

const CHARINDEX: Function = Function {
    name: "charindex",
    aliases: &[],
    doc: "As `strpos`, with the text to look for first; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text, call::Text), call::Integer>(|(part, text)| Ok(position(text, part)))
    })],
    examples: &[("charindex('fish', 'dogfish')", "4"), ("charindex('x', 'abc')", "0")],
};

const STARTS_WITH: Function = Function {
    name: "starts_with",
    aliases: &["^@"],
    doc: "Whether a text starts with another",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(text, start)| Ok(Some(text.starts_with(start))))
    })],
    examples: &[("starts_with('alphabet', 'alph')", "true")],
};

/// The place of a part in characters, or 0.
fn position(text: &str, part: &str) -> Option<i32> {
    let before = text.find(part).and_then(|place| text.get(..place));
    i32::try_from(before.map_or(0, |before| before.chars().count() + 1)).ok()
}
