//! `split_part`: one of the fields that a delimiter cuts a text into.

use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[SPLIT_PART];

const SPLIT_PART: Function = Function {
    name: "split_part",
    aliases: &[],
    doc: "The field of that number when a text is cut at a delimiter; negative numbers count from the end",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text, Kind::Integer], Type::Text, |call| {
        call.slice::<(call::Text, call::Text, call::Integer)>(|(text, delimiter, number)| {
            not_zero(number)?;
            let skipped = (number.unsigned_abs() as usize).wrapping_sub(1);
            let field = match number {
                _ if text.is_empty() => None,
                1 | -1 if delimiter.is_empty() => Some(text),
                _ if delimiter.is_empty() => None,
                1.. => text.split(delimiter).nth(skipped),
                _ => text.rsplit(delimiter).nth(skipped),
            };
            Ok(Some(field.unwrap_or_default()))
        })
    })
    .constants(&[(2, Constant::Integer(not_zero))])],
    examples: &[
        ("split_part('abc~@~def~@~ghi', '~@~', 2)", "def"),
        ("split_part('a,b,c', ',', -1)", "c"),
        ("split_part('a,b', ',', 5)", ""),
        ("split_part('a,b', ',', 0)", "R311"),
    ],
};

fn not_zero(number: i32) -> Result<(), Fault> {
    match number {
        0 => Err(Fault::new(Code::BadArgument, "field position must not be zero")),
        _ => Ok(()),
    }
}
