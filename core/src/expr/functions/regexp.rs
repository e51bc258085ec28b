//! `regexp_count`, `regexp_instr`, `regexp_like`, `regexp_replace`, `regexp_substr`: the matches of a regular expression
//! counted, found, replaced or taken out.
//!
//! Patterns are PostgreSQL's, and so is the choice of the match: see `crate::expr::regexp`.

use std::cell::RefCell;
use std::ops::Range;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Constant;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::TEXT_BYTES_MAX;
use super::call;
use super::substring::place;
use super::too_long;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::like;
use crate::expr::regexp::Options;
use crate::expr::regexp::Regexp;
use crate::expr::regexp::next;
use crate::expr::regexp::similar;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[REGEXP_COUNT, REGEXP_INSTR, REGEXP_LIKE, REGEXP_REPLACE, REGEXP_SUBSTR];

/// The most bytes that the searches for the matches of one row may look at together, where each may look far ahead. How far
/// it does is counted once they might have looked at so many.
const LOOKED_AT_MAX: usize = if cfg!(test) { 1 << 22 } else { 1 << 26 };

const TEXT: Kind = Kind::Text;
const INTEGER: Kind = Kind::Integer;

const REGEXP_COUNT: Function = Function {
    name: "regexp_count",
    aliases: &[],
    doc: "How often a regular expression matches in a text, from a place on, with flags such as `i`",
    signatures: &[
        Signature::new(&[TEXT, TEXT], Type::Integer, count).returns(readable_integer),
        Signature::new(&[TEXT, TEXT, INTEGER], Type::Integer, count).returns(readable_integer).constants(&[(2, START)]),
        Signature::new(&[TEXT, TEXT, INTEGER, TEXT], Type::Integer, count)
            .returns(readable_integer)
            .constants(&[(2, START), (3, flags(false))]),
    ],
    examples: &[
        ("regexp_count('123123123', '(12)3')", "3"),
        ("regexp_count('ABCABC', 'Abc', 1, 'i')", "2"),
        ("regexp_count('aab', 'a*')", "3"),
        ("regexp_count('abc', 'b', 0)", "R311"),
    ],
};

const REGEXP_INSTR: Function = Function {
    name: "regexp_instr",
    aliases: &[],
    doc: "The place, counted from 1, of a match of a regular expression, or 0: optionally from a place on, of that \
          occurrence, its end (1) in place of its start (0), with flags, of that group",
    signatures: &[
        Signature::new(&[TEXT, TEXT], Type::Integer, instr).returns(readable_integer),
        Signature::new(&[TEXT, TEXT, INTEGER], Type::Integer, instr).returns(readable_integer).constants(INSTR),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER], Type::Integer, instr)
            .returns(readable_integer)
            .constants(INSTR),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER, INTEGER], Type::Integer, instr)
            .returns(readable_integer)
            .constants(INSTR),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER, INTEGER, TEXT], Type::Integer, instr)
            .returns(readable_integer)
            .constants(INSTR),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER, INTEGER, TEXT, INTEGER], Type::Integer, instr)
            .returns(readable_integer)
            .constants(INSTR),
    ],
    examples: &[
        ("regexp_instr('abcabc', 'a.c', 2)", "4"),
        ("regexp_instr('abcabc', 'x')", "0"),
        ("regexp_instr('1234567890', '(123)(4(56)(78))', 1, 1, 1, 'i', 2)", "9"),
    ],
};

const REGEXP_LIKE: Function = Function {
    name: "regexp_like",
    aliases: &[],
    doc: "Whether a regular expression matches somewhere in a text, with flags such as `i`",
    signatures: &[
        Signature::new(&[TEXT, TEXT], Type::Boolean, matches).returns(readable_boolean),
        Signature::new(&[TEXT, TEXT, TEXT], Type::Boolean, matches)
            .returns(readable_boolean)
            .constants(&[(2, flags(false))]),
    ],
    examples: &[("regexp_like('Steven', '^Ste(v|ph)en$')", "true"), ("regexp_like('abc', 'B', 'c')", "false")],
};

const REGEXP_REPLACE: Function = Function {
    name: "regexp_replace",
    aliases: &[],
    doc: r"The text with the first match of a regular expression replaced; with the flag `g` every match, with `i` in any letter case; or from a place on, that occurrence (0 for all). `\1` stands for a group, `\&` for the match",
    signatures: &[
        Signature::new(&[TEXT, TEXT, TEXT], Type::Text, replace_flagged).returns(readable_text),
        Signature::new(&[TEXT, TEXT, TEXT, TEXT], Type::Text, replace_flagged)
            .returns(readable_text)
            .constants(&[(3, flags(true))]),
        Signature::new(&[TEXT, TEXT, TEXT, INTEGER], Type::Text, replace_from)
            .returns(readable_text)
            .constants(REPLACE),
        Signature::new(&[TEXT, TEXT, TEXT, INTEGER, INTEGER], Type::Text, replace_from)
            .returns(readable_text)
            .constants(REPLACE),
        Signature::new(&[TEXT, TEXT, TEXT, INTEGER, INTEGER, TEXT], Type::Text, replace_from)
            .returns(readable_text)
            .constants(REPLACE),
    ],
    examples: &[
        ("regexp_replace('Thomas', '.[mN]a.', 'M')", "ThM"),
        (r"regexp_replace('a1b22', '\d+', '#', 'g')", "a#b#"),
        (r"regexp_replace('John Smith', '(\w+) (\w+)', '\2, \1')", "Smith, John"),
        (r"regexp_replace('abc', 'B', '[\&]', 'i')", "a[b]c"),
        ("regexp_replace('abc', 'x*', '-', 'g')", "-a-b-c-"),
        ("regexp_replace('abab', 'a', 'x', 1, 2)", "abxb"),
        ("regexp_replace('abc', 'b', 'x', 'q2')", "R311"),
    ],
};

const REGEXP_SUBSTR: Function = Function {
    name: "regexp_substr",
    aliases: &[],
    doc: "The first match of a regular expression in a text, or NULL where there is none; optionally from a place on, that occurrence, with flags, of that group",
    signatures: &[
        Signature::new(&[TEXT, TEXT], Type::Text, substr).returns(readable_text).nullable(),
        Signature::new(&[TEXT, TEXT, INTEGER], Type::Text, substr).returns(readable_text).constants(SUBSTR).nullable(),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER], Type::Text, substr)
            .returns(readable_text)
            .constants(SUBSTR)
            .nullable(),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER, TEXT], Type::Text, substr)
            .returns(readable_text)
            .constants(SUBSTR)
            .nullable(),
        Signature::new(&[TEXT, TEXT, INTEGER, INTEGER, TEXT, INTEGER], Type::Text, substr)
            .returns(readable_text)
            .constants(SUBSTR)
            .nullable(),
    ],
    examples: &[
        ("regexp_substr('order 4711 of 12', '[0-9]+')", "4711"),
        ("regexp_substr('order 4711 of 12', '[0-9]+', 1, 2)", "12"),
        ("regexp_substr('id=7;x=9', 'x=(.)', 1, 1, 'c', 1)", "9"),
        ("regexp_substr('abcd', '(a|ab)(c|bcd)?')", "abcd"),
        ("regexp_substr('abc', '[0-9]')", "NULL"),
    ],
};

/// What is wrong with a constant pattern is the author's mistake, unless flags that differ by row may give it another meaning.
fn readable(arguments: &[Argument<'_>], ty: Type) -> Result<Type, Refusal> {
    let text = |argument: &Argument<'_>| {
        let array = argument.constant?.as_string_view();
        array.is_valid(0).then(|| array.value(0).to_owned())
    };
    let Some(pattern) = arguments.get(1).and_then(text) else { return Ok(ty) };
    let flags = arguments.iter().skip(2).filter(|argument| argument.ty.is_text());
    // The replacement is a text, too, and no flag.
    let flags = flags.skip(usize::from(ty == Type::Text && arguments.get(2).is_some_and(|third| third.ty.is_text())));
    let mut options = Options::default();
    for flags in flags {
        let Some(flags) = text(flags) else { return Ok(ty) };
        options = flags.chars().fold(options, |options, flag| options.with(flag).unwrap_or(options));
    }
    match Regexp::new(&pattern, options) {
        Ok(_) => Ok(ty),
        Err(fault) => Err(Refusal { at: Some(1), ..fault.into() }),
    }
}

const INSTR: &[(usize, Constant)] = &[(2, START), (3, OCCURRENCE), (4, END), (5, flags(false)), (6, GROUP)];
const REPLACE: &[(usize, Constant)] = &[(3, START), (4, OCCURRENCE_OR_ALL), (5, flags(true))];
const SUBSTR: &[(usize, Constant)] = &[(2, START), (3, OCCURRENCE), (4, flags(false)), (5, GROUP)];

/// Constant flags of a function that does not take `g`.
pub(super) const FLAGS: Constant = flags(false);

/// Constant flags, of a function that takes `g` or does not.
const fn flags(is_global: bool) -> Constant {
    match is_global {
        true => Constant::Text(|flags| options(flags, "").map(|_| ())),
        false => Constant::Text(|flags| options(flags, "the function").map(|_| ())),
    }
}

const START: Constant = Constant::Integer(|start| at_least(1, "start", start));
const OCCURRENCE: Constant = Constant::Integer(|n| at_least(1, "n", n));
const OCCURRENCE_OR_ALL: Constant = Constant::Integer(|n| at_least(0, "n", n));
const GROUP: Constant = Constant::Integer(|group| at_least(0, "subexpr", group));
const END: Constant =
    Constant::Integer(|end| if (0..=1).contains(&end) { Ok(()) } else { Err(bad_value("endoption", end)) });

fn at_least(least: i32, name: &str, value: i32) -> Result<(), Fault> {
    if value >= least { Ok(()) } else { Err(bad_value(name, value)) }
}

/// A constant pattern of a function that gives a text, and takes flags behind the pattern.
pub(super) fn readable_flagged_text(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    readable(arguments, Type::Integer).map(|_| Type::Text)
}

pub(super) fn readable_text(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    readable(arguments, Type::Text)
}

/// A constant pattern of `SIMILAR TO` or `substring(… similar …)`, with the escape that may follow it.
pub(super) fn readable_similar(arguments: &[Argument<'_>], ty: Type) -> Result<Type, Refusal> {
    let constant = |at: usize| arguments.get(at).map(|argument| argument.constant.map(|array| array.as_string_view()));
    let Some(Some(pattern)) = constant(1).filter(|pattern| pattern.is_some_and(|pattern| pattern.is_valid(0))) else {
        return Ok(ty);
    };
    let escape = match constant(2) {
        None => Some('\\'),
        Some(Some(escape)) if escape.is_valid(0) => like::escape(escape.value(0)).unwrap_or_default(),
        Some(_) => return Ok(ty),
    };
    let read = similar::regular(pattern.value(0), escape).and_then(|regular| Regexp::new(&regular, Options::default()));
    read.map(|_| ty).map_err(|fault| Refusal { at: Some(1), ..fault.into() })
}

/// A constant escape.
pub(super) const ESCAPE: Constant = Constant::Text(|escape| like::escape(escape).map(|_| ()));

pub(super) fn readable_integer(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    readable(arguments, Type::Integer)
}

pub(super) fn readable_boolean(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    readable(arguments, Type::Boolean)
}

fn count(call: &Call<'_>) -> Column {
    let search = Search { start: 2, flags: 3, ..Search::new(call, "regexp_count") };
    call.map_rows::<call::Integer>(|row| {
        let mut found = 0;
        search.each(row, |_, _| {
            found += 1;
            Ok(true)
        })?;
        Ok(Some(found))
    })
}

fn instr(call: &Call<'_>) -> Column {
    let search = Search { start: 2, occurrence: 3, flags: 5, group: 6, ..Search::new(call, "regexp_instr") };
    call.map_rows::<call::Integer>(|row| {
        let end = call.integer(4, row).unwrap_or(0);
        if !(0..=1).contains(&end) {
            return Err(bad_value("endoption", end));
        }
        let found = search.occurrence(row)?;
        let place = found.map(|found| if end == 1 { found.end } else { found.start });
        let before = place.and_then(|place| call.text(0, row).get(..place));
        Ok(i32::try_from(before.map_or(0, |before| before.chars().count() + 1)).ok())
    })
}

fn matches(call: &Call<'_>) -> Column {
    let search = Search { flags: 2, ..Search::new(call, "regexp_like") };
    call.map_rows::<call::Boolean>(|row| {
        let (options, _) = search.options(row)?;
        search.with(call.text(1, row), options, |pattern| pattern.is_match(call.text(0, row)).map(Some))
    })
}

fn substr(call: &Call<'_>) -> Column {
    let search = Search { start: 2, occurrence: 3, flags: 4, group: 5, ..Search::new(call, "regexp_substr") };
    call.try_write_rows(|row, out| Ok(append(call.text(0, row), search.occurrence(row)?, out)))
}

fn replace_flagged(call: &Call<'_>) -> Column {
    let search = Search { flags: 3, ..Search::new(call, "") };
    call.try_write_rows(|row, out| {
        let (_, is_global) = search.options(row)?;
        search.replace(row, usize::from(!is_global), out)
    })
}

fn replace_from(call: &Call<'_>) -> Column {
    let search = Search { start: 3, flags: 5, ..Search::new(call, "") };
    call.try_write_rows(|row, out| {
        let wanted = match call.integer(4, row) {
            None => 1,
            Some(wanted) => usize::try_from(wanted).map_err(|_| bad_value("n", wanted))?,
        };
        search.replace(row, wanted, out)
    })
}

/// `substring(text from pattern)`: the first group if there is one, else the match.
pub(super) fn substring_regular(call: &Call<'_>) -> Column {
    let search = Search::new(call, "");
    call.try_write_rows(|row, out| {
        let text = call.text(0, row);
        let found = search.with(call.text(1, row), Options::default(), |pattern| first_group(pattern, text))?;
        Ok(append(text, found, out))
    })
}

/// `substring(text similar pattern escape character)`.
pub(super) fn substring_similar(call: &Call<'_>) -> Column {
    let search = Search::new(call, "");
    call.try_write_rows(|row, out| {
        let text = call.text(0, row);
        let regular = similar::regular(call.text(1, row), like::escape(call.text(2, row))?)?;
        let found = search.with(&regular, Options::default(), |pattern| first_group(pattern, text))?;
        Ok(append(text, found, out))
    })
}

fn first_group(pattern: &mut Regexp, text: &str) -> Result<Option<Range<usize>>, Fault> {
    let Some(whole) = pattern.find(text, 0)? else { return Ok(None) };
    let groups = pattern.captures(text, whole)?;
    Ok(groups.get(usize::from(groups.len() > 1)).cloned().flatten())
}

/// Appends a part of a text, and says whether there is one.
fn append(text: &str, part: Option<Range<usize>>, out: &mut String) -> bool {
    let part = part.and_then(|part| text.get(part));
    out.push_str(part.unwrap_or_default());
    part.is_some()
}

/// The search of a call for a pattern (the second argument) in texts (the first), and the places of other arguments that
/// it may have.
pub(super) struct Search<'a> {
    call: &'a Call<'a>,
    /// The function's name, if it does not take the flag `g`.
    local: &'static str,
    start: usize,
    occurrence: usize,
    flags: usize,
    group: usize,
    /// The expression used last: patterns are mostly constant.
    last: RefCell<Option<(String, Options, Regexp)>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(call: &'a Call<'a>, local: &'static str) -> Self {
        let nowhere = usize::MAX;
        let (start, occurrence, flags, group) = (nowhere, nowhere, nowhere, nowhere);
        Self { call, local, start, occurrence, flags, group, last: RefCell::new(None) }
    }

    /// With flags behind the pattern, of a function of that name.
    pub(super) fn flagged(call: &'a Call<'a>, local: &'static str) -> Self {
        Self { flags: 2, ..Self::new(call, local) }
    }

    /// The first match of a row, and its groups.
    pub(super) fn first(&self, row: usize) -> Result<Option<Vec<Option<Range<usize>>>>, Fault> {
        let mut groups = None;
        self.each(row, |pattern, found| {
            groups = Some(pattern.captures(self.call.text(0, row), found)?);
            Ok(false)
        })?;
        Ok(groups)
    }

    /// What lies between the matches of a row. A match of nothing separates only what it stands within.
    pub(super) fn between(&self, row: usize) -> Result<Vec<Range<usize>>, Fault> {
        let length = self.call.text(0, row).len();
        let (mut parts, mut from, mut end) = (Vec::new(), 0, 0);
        self.each(row, |_, found| {
            if found.start < length && found.end > end {
                parts.push(from..found.start);
                from = found.end;
            }
            end = found.end;
            Ok(true)
        })?;
        parts.push(from..length);
        Ok(parts)
    }

    /// How the pattern of a row is read, and whether all its matches are wanted.
    fn options(&self, row: usize) -> Result<(Options, bool), Fault> {
        options(self.call.text(self.flags, row), self.local)
    }

    pub(super) fn with<T>(
        &self,
        pattern: &str,
        options: Options,
        f: impl FnOnce(&mut Regexp) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut last = self.last.borrow_mut();
        if let Some((known, how, found)) = &mut *last
            && known == pattern
            && *how == options
        {
            found.begin();
            return f(found);
        }
        let mut found = Regexp::new(pattern, options)?;
        let result = f(&mut found);
        *last = Some((pattern.to_owned(), options, found));
        result
    }

    /// Shows `f` the matches of a row, in order, until it has enough.
    fn each(
        &self,
        row: usize,
        mut f: impl FnMut(&mut Regexp, Range<usize>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let start = match self.call.integer(self.start, row) {
            None => 0,
            Some(start) => match usize::try_from(start).ok().and_then(|start| start.checked_sub(1)) {
                Some(start) => start,
                None => return Err(bad_value("start", start)),
            },
        };
        let (options, _) = self.options(row)?;
        let text = self.call.text(0, row);
        self.with(self.call.text(1, row), options, |pattern| {
            if start > text.len() || (!text.is_ascii() && start > text.chars().count()) {
                return Ok(());
            }
            let mut from = place(text, start);
            let (mut at_most, mut looked_at) = (0_usize, 0);
            while from <= text.len() {
                at_most = at_most.saturating_add(text.len() - from);
                let is_counted = at_most > LOOKED_AT_MAX && pattern.looks_ahead();
                let found = pattern.find(text, from)?;
                if is_counted {
                    looked_at += pattern.reach(text, from, found.as_ref())?;
                }
                if looked_at > LOOKED_AT_MAX {
                    let fact = format!("a text of {} bytes has too many matches", text.len());
                    return Err(Fault::new(Code::ResultTooLong, fact));
                }
                let Some(found) = found else { break };
                from = if found.is_empty() { next(text, found.end) } else { found.end };
                if !f(pattern, found)? {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The wanted occurrence of a row, or the wanted group of it.
    fn occurrence(&self, row: usize) -> Result<Option<Range<usize>>, Fault> {
        let wanted = self.call.integer(self.occurrence, row).unwrap_or(1);
        if wanted < 1 {
            return Err(bad_value("n", wanted));
        }
        let group = self.call.integer(self.group, row).unwrap_or(0);
        let group = usize::try_from(group).map_err(|_| bad_value("subexpr", group))?;
        let (mut number, mut result) = (0, None);
        self.each(row, |pattern, found| {
            number += 1;
            if number == wanted {
                result = match group {
                    0 => Some(found),
                    // Of a pattern without groups, PostgreSQL counts the match itself as the first.
                    1 if pattern.groups() == 0 => Some(found),
                    _ => pattern.captures(self.call.text(0, row), found)?.get(group).cloned().flatten(),
                };
            }
            Ok(number < wanted)
        })?;
        Ok(result)
    }

    /// Appends the text of a row with the wanted occurrence replaced; 0 for all.
    fn replace(&self, row: usize, wanted: usize, out: &mut String) -> Result<bool, Fault> {
        let (text, with) = (self.call.text(0, row), self.call.text(2, row));
        let (mut end, mut number) = (0, 0);
        self.each(row, |pattern, found| {
            number += 1;
            if wanted != 0 && number != wanted {
                return Ok(true);
            }
            out.push_str(text.get(end..found.start).unwrap_or_default());
            end = found.end;
            match with.contains('\\') {
                false => out.push_str(with),
                true => substitute(with, text, &pattern.captures(text, found)?, out),
            }
            if out.len() > TEXT_BYTES_MAX {
                return Err(too_long());
            }
            Ok(wanted == 0)
        })?;
        out.push_str(text.get(end..).unwrap_or_default());
        Ok(true)
    }
}

/// Appends a replacement, in which `\1` to `\9` stand for groups and `\&` for the match.
fn substitute(with: &str, text: &str, groups: &[Option<Range<usize>>], out: &mut String) {
    let mut rest = with;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let group = match chars.next() {
            Some('&') => Some(0),
            Some(digit @ '1'..='9') => digit.to_digit(10),
            Some('\\') => None,
            _ => {
                out.push('\\');
                rest = after;
                continue;
            }
        };
        rest = chars.as_str();
        match group {
            None => out.push('\\'),
            Some(group) => {
                append(text, groups.get(group as usize).cloned().flatten(), out);
            }
        }
    }
    out.push_str(rest);
}

/// What flags say, and whether all matches are wanted, which the function of that name does not take.
fn options(flags: &str, local: &str) -> Result<(Options, bool), Fault> {
    let (mut options, mut is_global) = (Options::default(), false);
    for flag in flags.chars() {
        match options.with(flag) {
            Some(with) => options = with,
            None if flag == 'g' && local.is_empty() => is_global = true,
            None if flag == 'g' => {
                let fact = format!("{local} does not support the \"global\" option");
                return Err(Fault::new(Code::BadArgument, fact));
            }
            None => {
                let fact = format!("invalid regular expression option: \"{flag}\"");
                return Err(Fault::new(Code::BadArgument, fact));
            }
        }
    }
    Ok((options, is_global))
}

fn bad_value(name: &str, value: i32) -> Fault {
    Fault::new(Code::BadArgument, format!("invalid value for parameter \"{name}\": {value}"))
}

#[cfg(test)]
mod tests {
    use crate::expr::tests::result;

    #[test]
    fn the_work_of_a_row_is_bounded() {
        assert_eq!(result("regexp_count(repeat('a', 10000), 'a|a*b')"), "R315");
        assert_eq!(result("regexp_count(repeat('a', 10000), 'a')"), "10000");
        assert_eq!(result("regexp_count(repeat('a ', 10000), '\\s*')"), "20001");
        assert_eq!(result("regexp_count(repeat('ab', 10000), '(a|b)b?')"), "10000");
    }
}
