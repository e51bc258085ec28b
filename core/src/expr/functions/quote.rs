//! `quote_ident`, `quote_literal`, `quote_nullable`: texts as they stand in SQL.

use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use crate::column::Column;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[QUOTE_IDENT, QUOTE_LITERAL, QUOTE_NULLABLE];

/// The words that PostgreSQL quotes as names: those that are a keyword somewhere.
const WORDS: &str = "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean \
    both case cast char character check coalesce collate collation column concurrently constraint create cross \
    current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal \
    default deferrable desc distinct do else end except exists extract false fetch float for foreign freeze from full \
    grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join \
    lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull null \
    nullif numeric offset on only or order out outer overlaps overlay placing position precision primary real references \
    returning right row select session_user setof similar smallint some substring symmetric table tablesample then time \
    timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with \
    xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";

const QUOTE_IDENT: Function = Function {
    name: "quote_ident",
    aliases: &[],
    doc: "The text as a name in SQL, in double quotes where it needs them",
    signatures: &[Signature::new(&[Kind::Text], Type::Text, |call| {
        call.write::<(call::Text,)>(|(text,), out| {
            ident(text, out);
            Ok(true)
        })
    })],
    examples: &[
        ("quote_ident('foo_1')", "foo_1"),
        ("quote_ident('Foo bar')", "\"Foo bar\""),
        ("quote_ident('select')", "\"select\""),
    ],
};

const QUOTE_LITERAL: Function = Function {
    name: "quote_literal",
    aliases: &[],
    doc: "The text of a value as a quoted text in SQL",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, quoted),
        Signature::new(&[Kind::Any], Type::Text, quoted),
        Signature::new(&[Kind::Boolean], Type::Text, |call| {
            call.write::<(call::Boolean,)>(|(truth,), out| {
                literal(word(truth), out);
                Ok(true)
            })
        }),
    ],
    examples: &[
        ("quote_literal('O''Reilly')", "'O''Reilly'"),
        ("quote_literal(42.5)", "'42.5'"),
        ("quote_literal(true)", "'true'"),
        ("quote_literal(null)", "NULL"),
    ],
};

const QUOTE_NULLABLE: Function = Function {
    name: "quote_nullable",
    aliases: &[],
    doc: "The text of a value as a quoted text in SQL, or the word NULL",
    signatures: &[
        Signature { strict: false, ..Signature::new(&[Kind::Text], Type::Text, nullable) },
        Signature { strict: false, ..Signature::new(&[Kind::Any], Type::Text, nullable) },
        Signature { strict: false, ..Signature::new(&[Kind::Boolean], Type::Text, nullable_truth) },
    ],
    examples: &[
        ("quote_nullable('a')", "'a'"),
        ("quote_nullable(false)", "'false'"),
        ("quote_nullable(null) || '!'", "NULL!"),
    ],
};

/// A boolean is quoted as a cast to a text writes it.
fn word(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

fn quoted(call: &Call<'_>) -> Column {
    call.write::<(call::Text,)>(|(text,), out| {
        literal(text, out);
        Ok(true)
    })
}

fn nullable_truth(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        match call.is_null(0, row) {
            true => out.push_str("NULL"),
            false => literal(word(call.is_true(0, row)), out),
        }
        Ok(true)
    })
}

fn nullable(call: &Call<'_>) -> Column {
    call.write_all_rows(|row, out| {
        match call.is_null(0, row) {
            true => out.push_str("NULL"),
            false => literal(call.text(0, row), out),
        }
        Ok(true)
    })
}

/// Appends a text as a name.
pub(super) fn ident(text: &str, out: &mut String) {
    let is_plain = text.starts_with(|char: char| char.is_ascii_lowercase() || char == '_')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !WORDS.split(' ').any(|word| word == text);
    match is_plain {
        true => out.push_str(text),
        false => quote(text, '"', out),
    }
}

/// Appends a text as a literal.
pub(super) fn literal(text: &str, out: &mut String) {
    match text.contains('\\') {
        false => quote(text, '\'', out),
        true => {
            out.push('E');
            quote(&text.replace('\\', r"\\"), '\'', out);
        }
    }
}

fn quote(text: &str, with: char, out: &mut String) {
    out.push(with);
    for char in text.chars() {
        if char == with {
            out.push(with);
        }
        out.push(char);
    }
    out.push(with);
}
