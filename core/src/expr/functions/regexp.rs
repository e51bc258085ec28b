//! `regexp_replace`, `regexp_substr`: the matches of a regular expression replaced, or taken out.
//!
//! Patterns are PostgreSQL's, carried over to the engine's syntax: a point matches a line end too, `\y`, `\m`, `\M` and
//! `\Z` are boundaries. What the engine cannot do in linear time (backreferences, lookaround) is refused.

use std::cell::RefCell;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use regex::Regex;
use regex::RegexBuilder;

use super::Argument;
use super::Function;
use super::Kind;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::too_long;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[REGEXP_REPLACE, REGEXP_SUBSTR];

const REGEXP_REPLACE: Function = Function {
    name: "regexp_replace",
    aliases: &[],
    doc: "The text with the first match of a regular expression replaced; with the flag `g` every match, with `i` in any letter case",
    signatures: &[
        Signature::new(&[Kind::Text, Kind::Text, Kind::Text], Type::Text, |call| {
            let last = Last::default();
            call.write::<(call::Text, call::Text, call::Text)>(|(text, pattern, with), out| {
                last.replace(text, pattern, with, "", out)
            })
        })
        .returns(readable),
        Signature::new(&[Kind::Text, Kind::Text, Kind::Text, Kind::Text], Type::Text, |call| {
            let last = Last::default();
            call.write::<(call::Text, call::Text, call::Text, call::Text)>(|(text, pattern, with, flags), out| {
                last.replace(text, pattern, with, flags, out)
            })
        })
        .returns(readable),
    ],
    examples: &[
        ("regexp_replace('Thomas', '.[mN]a.', 'M')", "ThM"),
        (r"regexp_replace('a1b22', '\d+', '#', 'g')", "a#b#"),
        (r"regexp_replace('John Smith', '(\w+) (\w+)', '\2, \1')", "Smith, John"),
        (r"regexp_replace('abc', 'B', '[\&]', 'i')", "a[b]c"),
        ("regexp_replace('abc', 'b', 'x', 'q2')", "R311"),
    ],
};

const REGEXP_SUBSTR: Function = Function {
    name: "regexp_substr",
    aliases: &[],
    doc: "The first match of a regular expression in a text, or NULL where there is none",
    signatures: &[Signature::new(&[Kind::Text, Kind::Text], Type::Text, |call| {
        let last = Last::default();
        call.slice::<(call::Text, call::Text)>(|(text, pattern)| {
            let regex = last.regex(pattern, false)?;
            Ok(regex.find(text).map(|found| found.as_str()))
        })
    })
    .returns(readable)
    .nullable()],
    examples: &[("regexp_substr('order 4711 of 12', '[0-9]+')", "4711"), ("regexp_substr('abc', '[0-9]')", "NULL")],
};

/// A constant pattern that cannot be read is the author's mistake.
pub(super) fn readable(arguments: &[Argument<'_>]) -> Result<Type, String> {
    let pattern = arguments.get(1).and_then(|argument| argument.constant).map(|array| array.as_string_view());
    match pattern.filter(|pattern| pattern.is_valid(0)) {
        Some(pattern) => compile(pattern.value(0), false).map(|_| Type::Text).map_err(|fault| fault.message.into()),
        None => Ok(Type::Text),
    }
}

/// The expression used last: patterns are mostly constant.
#[derive(Default)]
pub(super) struct Last(RefCell<Option<(String, bool, Regex)>>);

impl Last {
    pub(super) fn regex(&self, pattern: &str, ignore_case: bool) -> Result<Regex, Fault> {
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((known, case, regex)) if known == pattern && *case == ignore_case => Ok(regex.clone()),
            _ => {
                let regex = compile(pattern, ignore_case)?;
                *last = Some((pattern.to_owned(), ignore_case, regex.clone()));
                Ok(regex)
            }
        }
    }

    fn replace(&self, text: &str, pattern: &str, with: &str, flags: &str, out: &mut String) -> Result<bool, Fault> {
        let (mut global, mut ignore_case) = (false, false);
        for flag in flags.chars() {
            match flag {
                'g' => global = true,
                'i' => ignore_case = true,
                'c' => ignore_case = false,
                _ => {
                    let fact = format!("invalid regular expression option: \"{flag}\"");
                    return Err(Fault::new(Code::BadArgument, fact));
                }
            }
        }
        let regex = self.regex(pattern, ignore_case)?;
        let mut end = 0;
        for captures in regex.captures_iter(text).take(if global { usize::MAX } else { 1 }) {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(end..whole.start()).unwrap_or_default());
            end = whole.end();
            let mut chars = with.chars();
            while let Some(char) = chars.next() {
                let group = match char {
                    '\\' => match chars.next() {
                        Some('&') => Some(0),
                        Some(digit @ '1'..='9') => digit.to_digit(10),
                        Some('\\') | None => {
                            out.push('\\');
                            None
                        }
                        Some(other) => {
                            out.extend(['\\', other]);
                            None
                        }
                    },
                    _ => {
                        out.push(char);
                        None
                    }
                };
                if let Some(found) = group.and_then(|group| captures.get(group as usize)) {
                    out.push_str(found.as_str());
                }
            }
            if out.len() > TEXT_BYTES_MAX {
                return Err(too_long());
            }
        }
        out.push_str(text.get(end..).unwrap_or_default());
        Ok(true)
    }
}

fn compile(pattern: &str, ignore_case: bool) -> Result<Regex, Fault> {
    let mut carried = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            carried.push(char);
            continue;
        }
        match chars.next() {
            Some('y') => carried.push_str(r"\b"),
            Some('Y') => carried.push_str(r"\B"),
            Some('m') => carried.push_str(r"\b{start}"),
            Some('M') => carried.push_str(r"\b{end}"),
            Some('Z') => carried.push_str(r"\z"),
            Some('b') => carried.push_str(r"\x08"),
            Some(other) => carried.extend(['\\', other]),
            None => carried.push('\\'),
        }
    }
    RegexBuilder::new(&carried)
        .case_insensitive(ignore_case)
        .dot_matches_new_line(true)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let fact = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Fault::new(Code::BadRegex, format!("invalid regular expression: {fact}"))
        })
}
