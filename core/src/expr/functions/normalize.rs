//! `normalize`, `is_normalized`: the normal forms of Unicode.

use unicode_normalization::UnicodeNormalization;

use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::too_long;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[NORMALIZE, IS_NORMALIZED];

const FORM: &[(usize, Constant)] = &[(1, Constant::Text(|form| normal("", form).map(drop)))];

const NORMALIZE: Function = Function {
    name: "normalize",
    aliases: &[],
    doc: "The text in a normal form of Unicode: NFC if none is named, NFD, NFKC or NFKD",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.write::<(call::Text,)>(|(text,), out| write(text, "NFC", out))
        }),
        Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
            call.write::<(call::Text, call::Text)>(|(text, form), out| write(text, form, out))
        })
        .constants(FORM),
    ],
    examples: &[
        ("normalize(U&'\\0061\\0308bc')", "äbc"),
        ("length(normalize('ä', NFD))", "2"),
        ("normalize('ﬁ', NFKC)", "fi"),
    ],
};

const IS_NORMALIZED: Function = Function {
    name: "is_normalized",
    aliases: &[],
    doc: "Whether the text is in a normal form of Unicode: `x IS NFC NORMALIZED`",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Boolean, |call| {
            call.map::<(call::Text,), call::Boolean>(|(text,)| Ok(Some(normal(text, "NFC")? == text)))
        }),
        Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
            call.map::<(call::Text, call::Text), call::Boolean>(|(text, form)| Ok(Some(normal(text, form)? == text)))
        })
        .constants(FORM),
    ],
    examples: &[
        ("'äbc' is normalized", "true"),
        ("'äbc' is not nfd normalized", "true"),
        ("is_normalized('ﬁ', 'nfkc')", "false"),
    ],
};

fn write(text: &str, form: &str, out: &mut String) -> Result<bool, Fault> {
    let normal = normal(text, form)?;
    if normal.len() > TEXT_BYTES_MAX {
        return Err(too_long());
    }
    out.push_str(&normal);
    Ok(true)
}

fn normal(text: &str, form: &str) -> Result<String, Fault> {
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => text.nfc().collect(),
        "NFD" => text.nfd().collect(),
        "NFKC" => text.nfkc().collect(),
        "NFKD" => text.nfkd().collect(),
        _ => return Err(Fault::new(Code::BadArgument, format!("invalid normalization form: {form}"))),
    })
}
