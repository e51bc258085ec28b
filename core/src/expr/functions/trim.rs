//! `btrim`, `ltrim`, `rtrim`, and the forms of `trim` that are written with words.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[BTRIM, LTRIM, RTRIM];

const BTRIM: Function = Function {
    name: "btrim",
    aliases: &[],
    doc: "The text without blanks, or without any of the given characters, at both ends; also `trim(both … from …)`",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text,)>(|(text,)| Ok(Some(text.trim_matches(' '))))
        }),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text, call::Text)>(|(text, set)| Ok(Some(text.trim_matches(|char| set.contains(char)))))
        }),
    ],
    examples: &[
        ("trim('  a b  ')", "a b"),
        ("trim(both 'xy' from 'yxTomxx')", "Tom"),
        ("btrim('xyxtrimyyx', 'xyz')", "trim"),
        ("trim('a', null)", "NULL"),
    ],
};

const LTRIM: Function = Function {
    name: "ltrim",
    aliases: &[],
    doc: "The text without blanks, or without any of the given characters, at its start",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text,)>(|(text,)| Ok(Some(text.trim_start_matches(' '))))
        }),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text, call::Text)>(|(text, set)| {
                Ok(Some(text.trim_start_matches(|char| set.contains(char))))
            })
        }),
    ],
    examples: &[("ltrim('zzzytest', 'xyz')", "test"), ("trim(leading from '  a ')", "a ")],
};

const RTRIM: Function = Function {
    name: "rtrim",
    aliases: &[],
    doc: "The text without blanks, or without any of the given characters, at its end",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text,)>(|(text,)| Ok(Some(text.trim_end_matches(' '))))
        }),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.slice::<(call::Text, call::Text)>(|(text, set)| {
                Ok(Some(text.trim_end_matches(|char| set.contains(char))))
            })
        }),
    ],
    examples: &[("rtrim('testxxzx', 'xyz')", "test"), ("trim(trailing 'x' from 'axx')", "a")],
};
