//! `string_to_array`, `regexp_match`, `array_to_string` and others: arrays of texts, between the function that makes one and the one
//! that takes a value out of it.
//!
//! A column cannot hold an array, so an array is not a value by itself: the check accepts it only as the argument of a function
//! that takes one. An array is kept as the text that PostgreSQL would write for it.

use std::collections::BTreeSet;

use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::regexp;
use super::too_long;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;
use crate::value::array::TextArray;
use crate::value::json::write_string;

pub(super) const FUNCTIONS: &[Function] = &[
    STRING_TO_ARRAY,
    REGEXP_MATCH,
    REGEXP_SPLIT_TO_ARRAY,
    ARRAY_APPEND,
    ARRAY_PREPEND,
    ARRAY_CAT,
    ARRAY_REMOVE,
    ARRAY_REPLACE,
    TRIM_ARRAY,
    ARRAY_TO_STRING,
    ARRAY_TO_JSON,
    ARRAY_LENGTH,
    ARRAY_LOWER,
    ARRAY_UPPER,
    ARRAY_NDIMS,
    CARDINALITY,
    ARRAY_POSITION,
];

/// What has no name: a cast to an array, an element by its subscript, and `= ANY`.
pub(super) const OPERATORS: &[Function] =
    &[CAST, ELEMENT, IS_ANY, OVERLAP, CONTAINS, CONTAINED, LESS, LESS_OR_EQUAL, GREATER, GREATER_OR_EQUAL];

const CAST: Function = Function {
    name: "(array)",
    aliases: &[],
    doc: "A text as an array of texts, as `'{a,b}'::text[]`",
    signatures: &[Signature::new(&[TEXT], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            TextArray::parse(text)?.write(out);
            Ok(true)
        })
    })
    .constants(ARRAY)],
    examples: &[("('{ a ,\"b\", }'::text[])[2]", "R301"), ("array_to_string('{ a ,\"b\"}'::text[], '+')", "a+b")],
};

/// The functions whose result is an array.
const GIVING: [&str; 9] = [
    "string_to_array",
    "regexp_match",
    "regexp_split_to_array",
    "array_append",
    "array_prepend",
    "array_cat",
    "array_remove",
    "array_replace",
    "trim_array",
];

/// Whether the result of a function is an array.
pub(in crate::expr) fn gives_array(name: &str) -> bool {
    GIVING.contains(&name)
}

/// The places at which a function takes an array.
pub(in crate::expr) fn takes_array(name: &str) -> &'static [usize] {
    match name {
        "string_to_array" | "regexp_match" | "regexp_split_to_array" => &[],
        "array_prepend" => &[1],
        "array_cat" => &[0, 1],
        _ if COMPARED.iter().any(|(_, function)| function.name == name || function.aliases.contains(&name)) => &[0, 1],
        _ if FUNCTIONS.iter().chain(OPERATORS).any(|function| function.name == name) => &[0],
        _ => &[],
    }
}

/// A constant that is an array, in the first place.
const ARRAY: &[(usize, Constant)] = &[(0, IS_ARRAY)];

const IS_ARRAY: Constant = Constant::Form(|text| TextArray::parse(text).map(|_| ()));

const TEXT: Kind = Kind::Text;
const INTEGER: Kind = Kind::Integer;

/// A signature for what is asked of a dimension.
macro_rules! measured {
    ($measure:expr) => {
        Signature::new(&[TEXT, INTEGER], Type::Integer, |call| {
            call.map::<(call::Text, call::Integer), call::Integer>(|(array, dimension)| {
                let array = TextArray::parse(array)?;
                let at = usize::try_from(dimension).ok().and_then(|dimension| dimension.checked_sub(1));
                let measure: fn(&TextArray, usize) -> Option<usize> = $measure;
                Ok(at.and_then(|at| measure(&array, at)).and_then(|measure| i32::try_from(measure).ok()))
            })
        })
        .nullable()
        .constants(ARRAY)
    };
}

const STRING_TO_ARRAY: Function = Function {
    name: "string_to_array",
    aliases: &[],
    doc: "The parts of a text between the places where a separator stands, as an array; its characters where the separator is NULL; a \
          part that is a third text is NULL",
    signatures: &[lenient(&[TEXT, TEXT], Type::Text, cut), lenient(&[TEXT, TEXT, TEXT], Type::Text, cut)],
    examples: &[
        ("(string_to_array('a,b,c', ','))[2]", "b"),
        ("(string_to_array('a,b,c', ','))[4]", "NULL"),
        ("(string_to_array('abc', null))[3]", "c"),
        ("cardinality(string_to_array('', ','))", "0"),
        ("(string_to_array('a,-', ',', '-'))[2]", "NULL"),
    ],
};

const REGEXP_MATCH: Function = Function {
    name: "regexp_match",
    aliases: &[],
    doc: "The groups of the first match of a regular expression, or the match if it has none, as an array; NULL without a match",
    signatures: &[
        Signature::new(&[TEXT, TEXT], Type::Text, groups).returns(regexp::readable_text).nullable(),
        Signature::new(&[TEXT, TEXT, TEXT], Type::Text, groups)
            .returns(regexp::readable_flagged_text)
            .constants(&[(2, regexp::FLAGS)])
            .nullable(),
    ],
    examples: &[
        ("(regexp_match('id=7;x=9', '(.)=(.)'))[2]", "7"),
        ("(regexp_match('order 4711', '[0-9]+'))[1]", "4711"),
        ("(regexp_match('abc', 'x'))[1]", "NULL"),
        ("(regexp_match('ABC', '(b)', 'i'))[1]", "B"),
    ],
};

const REGEXP_SPLIT_TO_ARRAY: Function = Function {
    name: "regexp_split_to_array",
    aliases: &[],
    doc: "The parts of a text between the matches of a regular expression, as an array",
    signatures: &[
        Signature::new(&[TEXT, TEXT], Type::Text, split).returns(regexp::readable_text),
        Signature::new(&[TEXT, TEXT, TEXT], Type::Text, split)
            .returns(regexp::readable_flagged_text)
            .constants(&[(2, regexp::FLAGS)]),
    ],
    examples: &[
        ("(regexp_split_to_array('a1b22c', '[0-9]+'))[3]", "c"),
        ("cardinality(regexp_split_to_array('abc', ''))", "3"),
    ],
};

const ARRAY_APPEND: Function = Function {
    name: "array_append",
    aliases: &[],
    doc: "An array with a text behind its last one",
    signatures: &[lenient(&[TEXT, TEXT], Type::Text, |call| joined(call, false, true)).constants(ARRAY)],
    examples: &[("array_to_string(array_append(array['a'], 'b'), ',')", "a,b")],
};

const ARRAY_PREPEND: Function = Function {
    name: "array_prepend",
    aliases: &[],
    doc: "An array with a text before its first one",
    signatures: &[lenient(&[TEXT, TEXT], Type::Text, |call| joined(call, true, false)).constants(&[(1, IS_ARRAY)])],
    examples: &[("array_to_string(array_prepend('a', array['b']), ',')", "a,b")],
};

const ARRAY_CAT: Function = Function {
    name: "array_cat",
    aliases: &[],
    doc: "Two arrays, one behind the other",
    signatures: &[lenient(&[TEXT, TEXT], Type::Text, |call| joined(call, false, false))
        .constants(&[(0, IS_ARRAY), (1, IS_ARRAY)])],
    examples: &[("array_to_string(array_cat(array['a'], array['b', 'c']), ',')", "a,b,c")],
};

const ARRAY_REMOVE: Function = Function {
    name: "array_remove",
    aliases: &[],
    doc: "An array without the texts that are equal to one",
    signatures: &[lenient(&[TEXT, TEXT], Type::Text, |call| {
        call.write_all_rows(|row, out| {
            let Some(array) = optional(call, 0, row) else { return Ok(false) };
            let elements = searchable(array)?;
            let wanted = optional(call, 1, row);
            TextArray::write_list(elements.iter().map(Option::as_deref).filter(|element| *element != wanted), out);
            bounded(out)
        })
    })
    .constants(ARRAY)],
    examples: &[("array_to_string(array_remove(array['a', 'b', 'a'], 'a'), ',')", "b")],
};

const ARRAY_REPLACE: Function = Function {
    name: "array_replace",
    aliases: &[],
    doc: "An array with a text in the place of each that is equal to one",
    signatures: &[lenient(&[TEXT, TEXT, TEXT], Type::Text, |call| {
        call.write_all_rows(|row, out| {
            let Some(array) = optional(call, 0, row) else { return Ok(false) };
            let mut array = TextArray::parse(array)?;
            let (wanted, with) = (optional(call, 1, row), optional(call, 2, row));
            for element in array.elements.iter_mut().filter(|element| element.as_deref() == wanted) {
                *element = with.map(str::to_owned);
            }
            array.write(out);
            bounded(out)
        })
    })
    .constants(ARRAY)],
    examples: &[("array_to_string(array_replace(array['a', 'b'], 'a', 'x'), ',')", "x,b")],
};

const TRIM_ARRAY: Function = Function {
    name: "trim_array",
    aliases: &[],
    doc: "An array without so many texts at its end",
    signatures: &[Signature::new(&[TEXT, INTEGER], Type::Text, |call| {
        call.write::<(call::Text, call::Integer)>(|(array, count), out| {
            let array = TextArray::parse(array)?;
            let length = array.lengths.first().copied().unwrap_or(0);
            let kept = usize::try_from(count).ok().and_then(|count| length.checked_sub(count)).ok_or_else(|| {
                Fault::new(Code::ArrayShape, format!("number of elements to trim must be between 0 and {length}"))
            })?;
            array.truncated(kept).write(out);
            Ok(true)
        })
    })
    .constants(ARRAY)],
    examples: &[
        ("array_to_string(trim_array(array['a', 'b'], 1), ',')", "a"),
        ("cardinality(trim_array(array['a'], 2))", "R343"),
    ],
};

const ARRAY_TO_STRING: Function = Function {
    name: "array_to_string",
    aliases: &[],
    doc: "The texts of an array with another between them; those that are NULL are left out, or written as a third text",
    signatures: &[
        lenient(&[TEXT, TEXT], Type::Text, joined_text).constants(ARRAY),
        lenient(&[TEXT, TEXT, TEXT], Type::Text, joined_text).constants(ARRAY),
    ],
    examples: &[
        ("array_to_string(string_to_array('a,b', ','), '/')", "a/b"),
        ("array_to_string(array['a', null, 'b'], ',')", "a,b"),
        ("array_to_string(array['a', null, 'b'], ',', '*')", "a,*,b"),
    ],
};

const ARRAY_TO_JSON: Function = Function {
    name: "array_to_json",
    aliases: &[],
    doc: "A JSON array of the texts of an array; its parts on lines of their own, if that is asked for",
    signatures: &[
        Signature::new(&[TEXT], Type::Super, |call| {
            call.write::<(call::Text,)>(|(array,), out| as_json(array, false, out))
        })
        .constants(ARRAY),
        Signature::new(&[TEXT, Kind::Boolean], Type::Super, |call| {
            call.write::<(call::Text, call::Boolean)>(|(array, in_lines), out| as_json(array, in_lines, out))
        })
        .constants(ARRAY),
    ],
    examples: &[
        ("array_to_json(string_to_array('a,b', ','))", r#"["a","b"]"#),
        ("length(array_to_json(array['a', 'b'], true)::text)", "11"),
    ],
};

const ARRAY_LENGTH: Function = Function {
    name: "array_length",
    aliases: &[],
    doc: "The length of a dimension of an array, counted from 1; NULL if it has no such dimension",
    signatures: &[measured!(|array, at| array.lengths.get(at).copied())],
    examples: &[("array_length(array['a', 'b'], 1)", "2"), ("array_length(array['a'], 2)", "NULL")],
};

const ARRAY_LOWER: Function = Function {
    name: "array_lower",
    aliases: &[],
    doc: "The first subscript of a dimension of an array, which is 1",
    signatures: &[measured!(|array, at| array.lengths.get(at).map(|_| 1))],
    examples: &[("array_lower(array['a'], 1)", "1")],
};

const ARRAY_UPPER: Function = Function {
    name: "array_upper",
    aliases: &[],
    doc: "The last subscript of a dimension of an array",
    signatures: &[measured!(|array, at| array.lengths.get(at).copied())],
    examples: &[("array_upper(array['a', 'b'], 1)", "2")],
};

const ARRAY_NDIMS: Function = Function {
    name: "array_ndims",
    aliases: &[],
    doc: "The number of dimensions of an array; NULL if it is empty",
    signatures: &[Signature::new(&[TEXT], Type::Integer, |call| {
        call.map::<(call::Text,), call::Integer>(|(array,)| {
            let count = TextArray::parse(array)?.lengths.len();
            Ok(i32::try_from(count).ok().filter(|count| *count > 0))
        })
    })
    .nullable()
    .constants(ARRAY)],
    examples: &[("array_ndims('{{a},{b}}'::text[])", "2"), ("array_ndims(array[]::text[])", "NULL")],
};

const CARDINALITY: Function = Function {
    name: "cardinality",
    aliases: &[],
    doc: "The number of all texts in an array",
    signatures: &[Signature::new(&[TEXT], Type::Integer, |call| {
        call.map::<(call::Text,), call::Integer>(|(array,)| {
            Ok(i32::try_from(TextArray::parse(array)?.elements.len()).ok())
        })
    })
    .constants(ARRAY)],
    examples: &[("cardinality(string_to_array('a,b', ','))", "2")],
};

const ARRAY_POSITION: Function = Function {
    name: "array_position",
    aliases: &[],
    doc: "The subscript of the first text of an array that is equal to one, or NULL; from a subscript on, if one is given",
    signatures: &[
        lenient(&[TEXT, TEXT], Type::Integer, position).constants(ARRAY),
        lenient(&[TEXT, TEXT, INTEGER], Type::Integer, position).constants(ARRAY),
    ],
    examples: &[
        ("array_position(array['a', 'b', 'a'], 'a')", "1"),
        ("array_position(array['a', 'b', 'a'], 'a', 2)", "3"),
        ("array_position(array['a'], 'x')", "NULL"),
    ],
};

const ELEMENT: Function = Function {
    name: "(element)",
    aliases: &[],
    doc: "The text at a subscript of an array, or NULL",
    signatures: &[Signature::new(&[TEXT, INTEGER], Type::Text, |call| {
        call.write::<(call::Text, call::Integer)>(|(array, at), out| {
            let array = TextArray::parse(array)?;
            // One subscript leads to no element of more than one dimension.
            let at = usize::try_from(at).ok().and_then(|at| at.checked_sub(1)).filter(|_| array.lengths.len() == 1);
            let element = at.and_then(|at| array.elements.get(at)).and_then(Option::as_deref);
            out.push_str(element.unwrap_or_default());
            Ok(element.is_some())
        })
    })
    .nullable()
    .constants(ARRAY)],
    examples: &[("(array['a', 'b'])[2]", "b"), ("(array['a', 'b'])[0]", "NULL")],
};

const IS_ANY: Function = Function {
    name: "(any)",
    aliases: &[],
    doc: "Whether a text is equal to one of an array, `= ANY`; NULL where only a NULL might be",
    signatures: &[lenient(&[TEXT, TEXT], Type::Boolean, |call| {
        call.map_all_rows::<call::Boolean>(|row| {
            let Some(array) = optional(call, 0, row) else { return Ok(None) };
            let elements = TextArray::parse(array)?.elements;
            // Nothing is equal to one of none, not even NULL.
            let Some(text) = optional(call, 1, row) else { return Ok(elements.is_empty().then_some(false)) };
            let is_any = elements.iter().any(|element| element.as_deref() == Some(text));
            Ok((is_any || elements.iter().all(Option::is_some)).then_some(is_any))
        })
    })
    .constants(ARRAY)],
    examples: &[
        ("'b' = any (string_to_array('a,b', ','))", "true"),
        ("'x' = any (string_to_array('a,b', ','))", "false"),
        ("'x' = any (string_to_array('a,-', ',', '-'))", "NULL"),
        ("'x' <> all (string_to_array('a,b', ','))", "true"),
        ("null = any (string_to_array('', ','))", "false"),
    ],
};

/// The operators over two arrays of texts.
const COMPARED: [(&str, &Function); 7] = [
    ("&&", &OVERLAP),
    ("@>", &CONTAINS),
    ("<@", &CONTAINED),
    ("<", &LESS),
    ("<=", &LESS_OR_EQUAL),
    (">", &GREATER),
    (">=", &GREATER_OR_EQUAL),
];

/// The function that an operator is over two arrays.
pub(in crate::expr) fn compares_arrays(operator: &str) -> Option<&'static str> {
    COMPARED.iter().find(|(known, _)| *known == operator).map(|(_, function)| function.name)
}

/// A function that asks something of two arrays.
macro_rules! asked {
    ($name:ident, $sign:literal, $behind:literal, $doc:literal, $ask:expr, $examples:expr) => {
        const $name: Function = Function {
            name: concat!("(array ", $sign, ")"),
            aliases: &[$behind],
            doc: $doc,
            signatures: &[Signature::new(&[TEXT, TEXT], Type::Boolean, |call| {
                call.map::<(call::Text, call::Text), call::Boolean>(|(left, right)| {
                    let ask: fn(&TextArray, &TextArray) -> bool = $ask;
                    Ok(Some(ask(&TextArray::parse(left)?, &TextArray::parse(right)?)))
                })
            })
            .constants(&[(0, IS_ARRAY), (1, IS_ARRAY)])],
            examples: $examples,
        };
    };
}

asked!(
    OVERLAP,
    "&&",
    "arrayoverlap",
    "Whether two arrays have a text in common",
    |left, right| {
        let known: BTreeSet<_> = left.elements.iter().flatten().collect();
        right.elements.iter().flatten().any(|element| known.contains(element))
    },
    &[
        ("array['a', 'b'] && array['b', 'c']", "true"),
        ("array['a', null] && array['b', null]", "false"),
        ("string_to_array('a,b', ',') && '{b}'", "true"),
    ]
);
asked!(
    CONTAINS,
    "@>",
    "arraycontains",
    "Whether every text of another array is one of an array; NULL is none of any",
    TextArray::contains,
    &[("array['a', 'b'] @> array['b', 'b']", "true"), ("array['a', null] @> array[null]::text[]", "false")]
);
asked!(
    CONTAINED,
    "<@",
    "arraycontained",
    "Whether every text of an array is one of another array",
    |left, right| right.contains(left),
    &[("array['b'] <@ array['a', 'b']", "true"), ("'{}'::text[] <@ array['a']", "true")]
);
asked!(
    LESS,
    "<",
    "array_lt",
    "Whether an array stands before another: by the first text that differs, NULL being the last",
    |left, right| left.order(right).is_lt(),
    &[("array['a', 'b'] < array['b']", "true"), ("array['a', null] < array['a', 'z']", "false")]
);
asked!(
    LESS_OR_EQUAL,
    "<=",
    "array_le",
    "Whether an array stands before another, or is equal to it",
    |left, right| left.order(right).is_le(),
    &[("array['a'] <= array['a', 'b']", "true")]
);
asked!(
    GREATER,
    ">",
    "array_gt",
    "Whether an array stands behind another",
    |left, right| left.order(right).is_gt(),
    &[("array['a', 'b'] > array['a']", "true")]
);
asked!(
    GREATER_OR_EQUAL,
    ">=",
    "array_ge",
    "Whether an array stands behind another, or is equal to it",
    |left, right| left.order(right).is_ge(),
    &[("'{{a}}'::text[] >= '{a}'", "true")]
);

/// A signature that also takes NULLs, and gives them.
const fn lenient(arguments: &'static [Kind], returns: Type, kernel: fn(&Call<'_>) -> Column) -> Signature {
    Signature { strict: false, ..Signature::new(arguments, returns, kernel).nullable() }
}

/// The text of an argument in a row, if it is there and not NULL.
fn optional<'a>(call: &'a Call<'_>, at: usize, row: usize) -> Option<&'a str> {
    (at < call.arguments.len() && !call.is_null(at, row)).then(|| call.text(at, row))
}

/// The fault of an array that fills the memory.
fn bounded(out: &str) -> Result<bool, Fault> {
    if out.len() > 4 * TEXT_BYTES_MAX { Err(too_long()) } else { Ok(true) }
}

/// Appends an array as JSON.
fn as_json(array: &str, in_lines: bool, out: &mut String) -> Result<bool, Fault> {
    let comma = if in_lines { ",\n " } else { "," };
    TextArray::parse(array)?.nested(['[', ']'], comma, out, |element, out| match element {
        Some(element) => write_string(element, out),
        None => out.push_str("null"),
    });
    Ok(true)
}

fn cut(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        let Some(text) = optional(call, 0, row) else { return Ok(false) };
        let null = optional(call, 2, row);
        let element = |part| (Some(part) != null).then_some(part);
        match optional(call, 1, row) {
            _ if text.is_empty() => TextArray::write_list([].into_iter(), out),
            None => {
                let mut room = [0; 4];
                let chars = text.char_indices().map(|(at, char)| &text[at..at + char.encode_utf8(&mut room).len()]);
                TextArray::write_list(chars.map(element), out);
            }
            Some("") => TextArray::write_list([element(text)].into_iter(), out),
            Some(separator) => TextArray::write_list(text.split(separator).map(element), out),
        }
        bounded(out)
    })
}

fn groups(call: &Call<'_>) -> Column {
    let search = regexp::Search::flagged(call, "regexp_match()");
    call.try_write_rows(|row, out| {
        let text = call.text(0, row);
        let Some(groups) = search.first(row)? else { return Ok(false) };
        let groups = if groups.len() > 1 { groups.get(1..).unwrap_or_default() } else { &groups };
        TextArray::write_list(groups.iter().map(|group| group.clone().and_then(|group| text.get(group))), out);
        bounded(out)
    })
}

fn split(call: &Call<'_>) -> Column {
    let search = regexp::Search::flagged(call, "regexp_split_to_array()");
    call.try_write_rows(|row, out| {
        let text = call.text(0, row);
        TextArray::write_list(search.between(row)?.into_iter().map(|part| text.get(part)), out);
        bounded(out)
    })
}

/// What stands before an array, the array, and what stands behind it; each a text or an array.
fn joined(call: &Call<'_>, first_is_text: bool, second_is_text: bool) -> Column {
    call.write_all_rows(|row, out| {
        let part = |at, is_text: bool| match (optional(call, at, row), is_text) {
            (text, true) => Ok(Some(TextArray::list(vec![text.map(str::to_owned)]))),
            (Some(array), false) => TextArray::parse(array).map(Some),
            (None, false) => Ok(None),
        };
        let joined = match (part(0, first_is_text)?, part(1, second_is_text)?) {
            (None, None) => return Ok(false),
            (Some(array), None) | (None, Some(array)) => array,
            (Some(first), Some(second)) if first_is_text || second_is_text => {
                TextArray::list(first.flat()?).joined(TextArray::list(second.flat()?))?
            }
            (Some(first), Some(second)) => first.joined(second)?,
        };
        joined.write(out);
        bounded(out)
    })
}

/// The elements of an array in which one is looked for.
fn searchable(array: &str) -> Result<Vec<Option<String>>, Fault> {
    let array = TextArray::parse(array)?;
    match array.lengths.len() {
        0 | 1 => Ok(array.elements),
        _ => Err(Fault::new(Code::NotForValues, "searching for elements in multidimensional arrays is not supported")),
    }
}

fn joined_text(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        let (Some(array), Some(separator)) = (optional(call, 0, row), optional(call, 1, row)) else { return Ok(false) };
        let null = optional(call, 2, row);
        let elements = TextArray::parse(array)?.elements;
        for (at, element) in elements.iter().filter_map(|element| element.as_deref().or(null)).enumerate() {
            out.push_str(if at > 0 { separator } else { "" });
            out.push_str(element);
            if out.len() > TEXT_BYTES_MAX {
                return Err(too_long());
            }
        }
        Ok(true)
    })
}

fn position(call: &Call<'_>) -> Column {
    call.map_all_rows::<call::Integer>(|row| {
        let Some(array) = optional(call, 0, row) else { return Ok(None) };
        let elements = searchable(array)?;
        if elements.is_empty() {
            return Ok(None);
        }
        let from = match call.arguments.len() {
            3 if call.is_null(2, row) => {
                return Err(Fault::new(Code::NullArgument, "initial position must not be null"));
            }
            3 => call.integer(2, row).unwrap_or(1),
            _ => 1,
        };
        let skipped = usize::try_from(from.saturating_sub(1)).unwrap_or(0);
        let wanted = optional(call, 1, row);
        let found = elements.iter().enumerate().skip(skipped).find(|(_, element)| element.as_deref() == wanted);
        Ok(found.and_then(|(at, _)| i32::try_from(at + 1).ok()))
    })
}
