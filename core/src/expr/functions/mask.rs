//! `mask`: replaces the characters of a text, except at its ends. PostgreSQL has no such function.

use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use super::substring::place;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[MASK];

const MASK: Function = Function {
    name: "mask",
    aliases: &[],
    doc: "The text with each letter and digit replaced by `*`, but for so many characters at its start and at its end; a text that \
          is not longer than these is masked whole. Etalon's own: neither PostgreSQL nor Redshift has it",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, |call| {
            call.write::<(call::Text,)>(|(text,), out| Ok(mask(text, 0, 0, out)))
        }),
        Signature::new(&[Kind::Text, Kind::Integer, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Integer, call::Integer)>(|(text, left, right), out| {
                let count = |number: i32| usize::try_from(number).unwrap_or(0);
                Ok(mask(text, count(left), count(right), out))
            })
        }),
    ],
    examples: &[
        ("mask('4111-1111-1111-1234', 0, 4)", "****-****-****-1234"),
        ("mask('ada@example.org', 1, 4)", "a**@*******.org"),
        ("mask('größe')", "*****"),
        ("mask('abc', 2, 2)", "***"),
    ],
};

fn mask(text: &str, left: usize, right: usize, out: &mut String) -> bool {
    let length = text.chars().count();
    let (left, right) = if left.saturating_add(right) >= length { (0, 0) } else { (left, right) };
    let (start, end) = (place(text, left), place(text, length - right));
    out.push_str(text.get(..start).unwrap_or_default());
    let middle = text.get(start..end).unwrap_or_default();
    out.extend(middle.chars().map(|char| if char.is_alphanumeric() { '*' } else { char }));
    out.push_str(text.get(end..).unwrap_or_default());
    true
}
