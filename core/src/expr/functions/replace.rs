//! `replace`, `reverse`, `repeat`, `concat`: texts made of texts.

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::too_long;
use crate::column::Column;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[REPLACE, REVERSE, REPEAT, CONCAT];

const REPLACE: Function = Function {
    name: "replace",
    aliases: &[],
    doc: "The text with every occurrence of a part replaced by another text",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text, Kind::Text], Type::Text, |call| {
        call.write::<(call::Text, call::Text, call::Text)>(|(text, from, to), out| {
            if from.is_empty() {
                out.push_str(text);
                return Ok(true);
            }
            let mut rest = text;
            while let Some((before, after)) = rest.split_once(from) {
                out.push_str(before);
                out.push_str(to);
                rest = after;
                if out.len() > TEXT_BYTES_MAX {
                    return Err(too_long());
                }
            }
            out.push_str(rest);
            Ok(true)
        })
    })],
    examples: &[("replace('abcabc', 'b', 'XX')", "aXXcaXXc"), ("replace('abc', '', 'x')", "abc")],
};

const REVERSE: Function = Function {
    name: "reverse",
    aliases: &[],
    doc: "The text with its characters in the opposite order",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            out.extend(text.chars().rev());
            Ok(true)
        })
    })],
    examples: &[("reverse('größe')", "eßörg")],
};

const REPEAT: Function = Function {
    name: "repeat",
    aliases: &[],
    doc: "The text so many times",
    signatures: &[Signature::new(&[Kind::Text, Kind::Integer], Type::Text, |call| {
        call.write::<(call::Text, call::Integer)>(|(text, times), out| {
            let times = usize::try_from(times).unwrap_or(0);
            if text.len().saturating_mul(times) > TEXT_BYTES_MAX {
                return Err(too_long());
            }
            out.extend(std::iter::repeat_n(text, if text.is_empty() { 0 } else { times }));
            Ok(true)
        })
    })],
    examples: &[("repeat('ab', 3)", "ababab"), ("repeat('ab', -1)", ""), ("repeat('ab', 2000000000)", "R315")],
};

const CONCAT: Function = Function {
    name: "concat",
    aliases: &[],
    doc: "The texts of all arguments, one after the other; a NULL adds nothing",
    signatures: &[Signature::new(&[Kind::Any], Type::Text, concat).variadic_over_nulls()],
    examples: &[("concat('a', null, 1, 2.50, true)", "a12.50t"), ("concat(null)", "")],
};

fn concat(call: &Call<'_>) -> Column {
    use arrow_array::Array;
    use arrow_array::builder::StringViewBuilder;
    use arrow_array::cast::AsArray;
    let columns: Vec<_> = call.arguments.iter().map(|part| (part.values.as_string_view(), part.mask())).collect();
    let mut texts = StringViewBuilder::with_capacity(call.rows);
    let mut text = String::new();
    for row in 0..call.rows {
        text.clear();
        for (column, mask) in &columns {
            if column.is_valid(row & mask) {
                text.push_str(column.value(row & mask));
            }
        }
        texts.append_value(&text);
    }
    Column::new(std::sync::Arc::new(texts.finish()))
}
