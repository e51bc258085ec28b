//! `replace`, `translate`, `overlay`, `reverse`, `repeat`, `concat`, `concat_ws`: they make new texts from texts.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::check_joined;
use super::substring::place;
use super::too_long;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::bytes;

pub(super) const FUNCTIONS: &[Function] = &[REPLACE, TRANSLATE, OVERLAY, REVERSE, REPEAT, CONCAT, CONCAT_WS];

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

const TRANSLATE: Function = Function {
    name: "translate",
    aliases: &[],
    doc: "The text with each character of a set replaced by the one at the same place of another, or left out where that has none",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text, Kind::Text], Type::Text, |call| {
        call.write::<(call::Text, call::Text, call::Text)>(|(text, from, to), out| {
            out.extend(text.chars().filter_map(|char| match from.chars().position(|other| other == char) {
                None => Some(char),
                Some(place) => to.chars().nth(place),
            }));
            Ok(true)
        })
    })],
    examples: &[("translate('12345', '143', 'ax')", "a2x5"), ("translate('größe', 'öß', 'os')", "grose")],
};

const OVERLAY: Function = Function {
    name: "overlay",
    aliases: &[],
    doc: "The text with a part of it, from a place on, replaced by another text; as many characters as that has, or so many",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Text, call::Integer)>(|(text, with, from), out| {
                let count = i32::try_from(with.chars().count()).unwrap_or(i32::MAX);
                overlay(text, with, from, count, out)
            })
        })
        .constants(&[(2, FROM)]),
        Signature::new(&[Kind::Text, Kind::Text, Kind::Integer, Kind::Integer], Type::Text, |call| {
            call.write::<(call::Text, call::Text, call::Integer, call::Integer)>(|(text, with, from, count), out| {
                overlay(text, with, from, count, out)
            })
        })
        .constants(&[(2, FROM)]),
        Signature::new(&[Kind::Bytea, Kind::Bytea, Kind::Integer], Type::Bytea, overlay_bytes).constants(&[(2, FROM)]),
        Signature::new(&[Kind::Bytea, Kind::Bytea, Kind::Integer, Kind::Integer], Type::Bytea, overlay_bytes)
            .constants(&[(2, FROM)]),
    ],
    examples: &[
        (r"overlay('\x616263'::bytea placing '\xff' from 2)", r"\x61ff63"),
        ("overlay('abcdef' placing '45' from 4)", "abc45f"),
        ("overlay('yabadoo' placing 'daba' from 5 for 0)", "yabadabadoo"),
        ("overlay('abc' placing 'X' from 0)", "R316"),
    ],
};

/// How many characters stand before a place, which is counted from 1.
fn before(from: i32) -> Result<usize, Fault> {
    let before = usize::try_from(from).ok().and_then(|from| from.checked_sub(1));
    before.ok_or_else(|| Fault::new(Code::NegativeLength, "negative substring length not allowed"))
}

const FROM: Constant = Constant::Integer(|from| before(from).map(|_| ()));

fn overlay(text: &str, with: &str, from: i32, count: i32, out: &mut String) -> Result<bool, Fault> {
    let before = before(from)?;
    let Some(after) = from.checked_add(count) else {
        return Err(Fault::new(Code::OutOfRange, "integer out of range"));
    };
    out.push_str(text.get(..place(text, before)).unwrap_or_default());
    out.push_str(with);
    let after = usize::try_from(after.saturating_sub(1)).unwrap_or(0);
    out.push_str(text.get(place(text, after)..).unwrap_or_default());
    Ok(true)
}

fn overlay_bytes(call: &Call<'_>) -> Column {
    call.try_write_rows(|row, out| {
        let (text, with) = (bytes::characters(call.text(0, row)), bytes::characters(call.text(1, row)));
        let own = || i32::try_from(with.chars().count()).unwrap_or(i32::MAX);
        let mut overlaid = String::new();
        let from = call.integer(2, row).unwrap_or(1);
        overlay(&text, &with, from, call.integer(3, row).unwrap_or_else(own), &mut overlaid)?;
        bytes::write_characters(&overlaid, out);
        Ok(true)
    })
}

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
    aliases: &["replicate"],
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

const CONCAT_WS: Function = Function {
    name: "concat_ws",
    aliases: &[],
    doc: "The texts of all arguments after the first, with the first between them; a NULL is left out",
    signatures: &[Signature {
        variadic: true,
        strict: false,
        nullable: true,
        ..Signature::new(&[Kind::Text, Kind::Any], Type::Text, concat_ws)
    }],
    examples: &[
        ("concat_ws(',', 'a', null, 1)", "a,1"),
        ("concat_ws(null, 'a')", "NULL"),
        ("concat_ws(',', null)", ""),
    ],
};

fn concat_ws(call: &Call<'_>) -> Column {
    let columns: Vec<_> = call.arguments.iter().map(|part| (part.values.as_string_view(), part.mask())).collect();
    let Some(((separators, separator_mask), columns)) = columns.split_first() else { return super::nothing(call) };
    call.write_all_rows(|row, out| {
        if separators.is_null(row & separator_mask) {
            return Ok(false);
        }
        let mut is_first = true;
        for (column, mask) in columns.iter().filter(|(column, mask)| column.is_valid(row & mask)) {
            if !is_first {
                out.push_str(separators.value(row & separator_mask));
            }
            is_first = false;
            out.push_str(column.value(row & mask));
            check_joined(out)?;
        }
        Ok(true)
    })
}

fn concat(call: &Call<'_>) -> Column {
    let columns: Vec<_> = call.arguments.iter().map(|part| (part.values.as_string_view(), part.mask())).collect();
    call.write_all_rows(|row, out| {
        for (column, mask) in columns.iter().filter(|(column, mask)| column.is_valid(row & mask)) {
            out.push_str(column.value(row & mask));
            check_joined(out)?;
        }
        Ok(true)
    })
}
