//! `btrim`, `ltrim`, `rtrim`, and the forms of `trim` that are written with words.

use arrow_array::cast::AsArray;

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::bytes;
use super::call;
use crate::column::Column;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[BTRIM, LTRIM, RTRIM];

const BTRIM: Function = Function {
    name: "btrim",
    aliases: &[],
    doc: "The text without blanks, or without any of the given characters, at both ends; also `trim(both … from …)`",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| blanks(call, |text| text.trim_matches(' '))),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text, call::Text)>(|(text, set)| Ok(Some(text.trim_matches(|char| set.contains(char)))))
        }),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Bytea, |call| {
            bytes::trimmed(call, |text, set| text.trim_matches(|char| set.contains(char)))
        }),
    ],
    examples: &[
        ("trim('  a b  ')", "a b"),
        ("trim(both 'xy' from 'yxTomxx')", "Tom"),
        ("btrim('xyxtrimyyx', 'xyz')", "trim"),
        ("trim('a', null)", "NULL"),
        (r"trim('\x00'::bytea from '\x006100'::bytea)", r"\x61"),
    ],
};

const LTRIM: Function = Function {
    name: "ltrim",
    aliases: &[],
    doc: "The text without blanks, or without any of the given characters, at its start",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| blanks(call, |text| text.trim_start_matches(' '))),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text, call::Text)>(|(text, set)| {
                Ok(Some(text.trim_start_matches(|char| set.contains(char))))
            })
        }),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Bytea, |call| {
            bytes::trimmed(call, |text, set| text.trim_start_matches(|char| set.contains(char)))
        }),
    ],
    examples: &[("ltrim('zzzytest', 'xyz')", "test"), ("trim(leading from '  a ')", "a ")],
};

const RTRIM: Function = Function {
    name: "rtrim",
    aliases: &[],
    doc: "The text without blanks, or without any of the given characters, at its end",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| blanks(call, |text| text.trim_end_matches(' '))),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text, call::Text)>(|(text, set)| {
                Ok(Some(text.trim_end_matches(|char| set.contains(char))))
            })
        }),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Bytea, |call| {
            bytes::trimmed(call, |text, set| text.trim_end_matches(|char| set.contains(char)))
        }),
    ],
    examples: &[("rtrim('testxxzx', 'xyz')", "test"), ("trim(trailing 'x' from 'axx')", "a")],
};

/// Trims blanks. Most texts have none at their ends, and stay what they are.
fn blanks(call: &Call<'_>, trim: impl Fn(&str) -> &str) -> Column {
    let [text] = call.arguments else { unreachable!("blanks are trimmed from one text") };
    if text.values.as_string_view().iter().flatten().all(|text| trim(text).len() == text.len()) {
        return Column::new(text.values.clone());
    }
    call.slice::<(call::Text,)>(|(text,)| Ok(Some(trim(text))))
}
