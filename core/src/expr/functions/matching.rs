//! `~ ~* !~ !~*` and `SIMILAR TO`: whether a text matches a regular expression.
//!
//! Only whether there is a match is asked, so that it does not matter which of several matches is found.

use super::Argument;
use super::Call;
use super::Function;
use super::Kind;
use super::Signature;
use super::call;
use super::regexp::Last;
use super::regexp::readable;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[MATCHES_ANY_CASE, DIFFERS, DIFFERS_ANY_CASE, SIMILAR];

/// `text ~ pattern`, which stands with the other meaning of its sign.
pub(super) const MATCHES: Signature = between(|call| matches(call, false, false));

const MATCHES_ANY_CASE: Function = Function {
    name: "~*",
    aliases: &[],
    doc: "Whether a regular expression matches a text somewhere, in any letter case",
    signatures: &[between(|call| matches(call, true, false))],
    examples: &[("'Thomas' ~* '^t.*MAS$'", "true"), ("'abc' ~* null", "NULL")],
};

const DIFFERS: Function = Function {
    name: "!~",
    aliases: &[],
    doc: "Whether a regular expression matches a text nowhere",
    signatures: &[between(|call| matches(call, false, true))],
    examples: &[("'thomas' !~ '[0-9]'", "true"), ("'abc' !~ 'b|d'", "false")],
};

const DIFFERS_ANY_CASE: Function = Function {
    name: "!~*",
    aliases: &[],
    doc: "Whether a regular expression matches a text nowhere, in any letter case",
    signatures: &[between(|call| matches(call, true, true))],
    examples: &[("'Thomas' !~* 't.*max'", "true")],
};

const SIMILAR: Function = Function {
    name: "similar to",
    aliases: &[],
    doc: "Whether a pattern of SQL matches the whole text: `%` and `_` as for LIKE, and `| * + ? {n,m} ( ) [ ]`",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, |call| {
            let last = Last::default();
            call.map::<(call::Text, call::Text), call::Boolean>(|(text, pattern)| {
                similar(&last, text, pattern, "\\").map(Some)
            })
        })
        .returns(similar_readable),
        Signature::new(&[Kind::Text, Kind::Text, Kind::Text], Type::Boolean, |call| {
            let last = Last::default();
            call.map::<(call::Text, call::Text, call::Text), call::Boolean>(|(text, pattern, escape)| {
                similar(&last, text, pattern, escape).map(Some)
            })
        }),
    ],
    examples: &[
        ("'abc' similar to '%(b|d)%'", "true"),
        ("'abc' similar to '(b|c)%'", "false"),
        ("'abcd%' similar to '_bcd#%' escape '#'", "true"),
        ("'aaa' not similar to '[b-z]{3}'", "true"),
        ("'abc' similar to '_bc' escape '##'", "R317"),
    ],
};

const fn between(kernel: fn(&Call<'_>) -> Column) -> Signature {
    Signature::new(&[Kind::Text, Kind::Text], Type::Boolean, kernel).returns(pattern_readable)
}

fn matches(call: &Call<'_>, ignore_case: bool, negated: bool) -> Column {
    let last = Last::default();
    call.map::<(call::Text, call::Text), call::Boolean>(|(text, pattern)| {
        Ok(Some(last.regex(pattern, ignore_case)?.is_match(text) != negated))
    })
}

fn pattern_readable(arguments: &[Argument<'_>]) -> Result<Type, String> {
    readable(arguments).map(|_| Type::Boolean)
}

fn similar_readable(_: &[Argument<'_>]) -> Result<Type, String> {
    Ok(Type::Boolean)
}

fn similar(last: &Last, text: &str, pattern: &str, escape: &str) -> Result<bool, Fault> {
    let mut characters = escape.chars();
    let character = characters.next();
    if characters.next().is_some() {
        return Err(Fault::new(Code::BadEscape, "invalid escape string"));
    }
    Ok(last.regex(&regular(pattern, character), false)?.is_match(text))
}

/// The regular expression for a pattern of `SIMILAR TO`.
fn regular(pattern: &str, escape: Option<char>) -> String {
    let mut regular = String::from("^(?:");
    let mut in_brackets = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if Some(character) == escape {
            // Whatever is escaped stands for itself; words for classes are none.
            if let Some(escaped) = characters.next() {
                if !escaped.is_alphanumeric() {
                    regular.push('\\');
                }
                regular.push(escaped);
            }
        } else if in_brackets {
            in_brackets = character != ']';
            if character == '\\' {
                regular.push('\\');
            }
            regular.push(character);
        } else {
            match character {
                '[' => {
                    in_brackets = true;
                    regular.push('[');
                    // A bracket that comes first, or after the caret, is one of the characters.
                    let mut rest = characters.clone();
                    if rest.next() == Some('^') {
                        regular.push('^');
                        characters = rest.clone();
                    }
                    let mut rest = characters.clone();
                    if rest.next() == Some(']') {
                        regular.push_str("\\]");
                        characters = rest;
                    }
                }
                '%' => regular.push_str(".*"),
                '_' => regular.push('.'),
                '(' => regular.push_str("(?:"),
                '\\' | '.' | '^' | '$' => regular.extend(['\\', character]),
                _ => regular.push(character),
            }
        }
    }
    regular.push_str(")$");
    regular
}
