//! `strpos`, `charindex`, `starts_with`: where a text stands in another.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::types::Type;
use crate::value::bytes;

pub(super) const FUNCTIONS: &[Function] = &[
    STRPOS,
    CHARINDEX,
    OCTETINDEX,
    STARTS_WITH,
    BPCHARCMP,
    TEXT_PATTERN_LT,
    TEXT_PATTERN_LE,
    TEXT_PATTERN_GE,
    TEXT_PATTERN_GT,
];

const STRPOS: Function = Function {
    name: "strpos",
    aliases: &["position"],
    doc: "The place, counted from 1, at which a text first holds another, or 0; also `position(… in …)`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
            call.map::<(call::Text, call::Text), call::Integer>(|(text, part)| Ok(position(text, part)))
        }),
        Signature::new(&[Kind::Bytea, Kind::Bytea], Type::Integer, |call| {
            call.map::<(call::Text, call::Text), call::Integer>(|(text, part)| {
                Ok(position(&bytes::characters(text), &bytes::characters(part)))
            })
        }),
    ],
    examples: &[
        ("strpos('größe', 'ß')", "4"),
        ("position('om' in 'Thomas')", "3"),
        ("strpos('abc', 'x')", "0"),
        (r"position('\x62'::bytea in '\x616263')", "2"),
    ],
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

const OCTETINDEX: Function = Function {
    name: "octetindex",
    aliases: &[],
    doc: "As `charindex`, with the place counted in bytes; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text, call::Text), call::Integer>(|(part, text)| {
            Ok(i32::try_from(text.find(part).map_or(0, |place| place + 1)).ok())
        })
    })],
    examples: &[("octetindex('e', 'größe')", "7"), ("octetindex('x', 'abc')", "0")],
};

const BPCHARCMP: Function = Function {
    name: "bpcharcmp",
    aliases: &["bttext_pattern_cmp"],
    doc: "-1, 0 or 1: whether a text stands before another, is equal to it, or stands behind it; blanks at the end do not count; as Redshift's",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Integer, |call| {
        call.map::<(call::Text, call::Text), call::Integer>(|(one, two)| {
            Ok(Some(one.trim_end_matches(' ').cmp(two.trim_end_matches(' ')) as i32))
        })
    })],
    examples: &[("bpcharcmp('a ', 'a')", "0"), ("bpcharcmp('a', 'b')", "-1"), ("bpcharcmp('B', 'A')", "1")],
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

/// A comparison of texts by their characters' code points, which all comparisons of texts are.
const fn comparison(
    names: (&'static str, &'static [&'static str]),
    signatures: &'static [Signature],
    examples: &'static [(&'static str, &'static str)],
) -> Function {
    let doc = "Whether a text stands before or behind another by the code points of its characters";
    Function { name: names.0, aliases: names.1, doc, signatures, examples }
}

const TEXT_PATTERN_LT: Function = comparison(
    ("text_pattern_lt", &["~<~"]),
    &[Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(one, two)| Ok(Some(one < two)))
    })],
    &[("'B' ~<~ 'a'", "true")],
);

const TEXT_PATTERN_LE: Function = comparison(
    ("text_pattern_le", &["~<=~"]),
    &[Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(one, two)| Ok(Some(one <= two)))
    })],
    &[("'a' ~<=~ 'a'", "true")],
);

const TEXT_PATTERN_GE: Function = comparison(
    ("text_pattern_ge", &["~>=~"]),
    &[Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(one, two)| Ok(Some(one >= two)))
    })],
    &[("'B' ~>=~ 'a'", "false")],
);

const TEXT_PATTERN_GT: Function = comparison(
    ("text_pattern_gt", &["~>~"]),
    &[Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
        call.map::<(call::Text, call::Text), call::Boolean>(|(one, two)| Ok(Some(one > two)))
    })],
    &[("'ß' ~>~ 'z'", "true")],
);

/// The place of a part in characters, or 0.
fn position(text: &str, part: &str) -> Option<i32> {
    let before = text.find(part).and_then(|place| text.get(..place));
    i32::try_from(before.map_or(0, |before| before.chars().count() + 1)).ok()
}
