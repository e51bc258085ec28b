//! `format`: a text with values in the places that a pattern has for them.

use std::iter::Peekable;
use std::str::Chars;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Argument;
use super::Call;
use super::Function;
use super::Kind;
use super::Refusal;
use super::Signature;
use super::quote;
use crate::column::Column;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::Type;

pub(super) const FUNCTIONS: &[Function] = &[FORMAT];

const FORMAT: Function = Function {
    name: "format",
    aliases: &[],
    doc: "A pattern with values in it: `%s` a value, `%I` a name and `%L` a literal of SQL, `%2$s` the second value, `%-10s` with a \
          width, `%%` a percent sign",
    signatures: &[
        Signature::new(&[Kind::Text], Type::Text, format).returns(readable),
        Signature::new(&[Kind::Text, Kind::Any], Type::Text, format).returns(readable).variadic_over_nulls().nullable(),
    ],
    examples: &[
        ("format('Hello %s, %1$s', 'World')", "Hello World, World"),
        ("format('|%-6s|%4s|', 'ab', 7)", "|ab    |   7|"),
        ("format('%I = %L', 'a b', 'it''s')", "\"a b\" = 'it''s'"),
        ("format('%s%L', null, null)", "NULL"),
        ("format('%s %s', 1)", "R311"),
    ],
};

/// What stands between `%` and the letter of a place.
#[derive(Default)]
struct Place {
    /// The number of the value, counted from 1.
    at: Option<usize>,
    is_left: bool,
    width: usize,
    /// The value that is the width: the next one, or the one of that number.
    wide_as: Option<Option<usize>>,
}

/// A constant pattern, for so many values.
fn readable(arguments: &[Argument<'_>]) -> Result<Type, Refusal> {
    let pattern = arguments.first().and_then(|pattern| pattern.constant).map(|pattern| pattern.as_string_view());
    let Some(pattern) = pattern.filter(|pattern| pattern.is_valid(0)) else { return Ok(Type::Text) };
    let refusal = |fault: Fault| Refusal { at: Some(0), ..fault.into() };
    let mut chars = pattern.value(0).chars().peekable();
    let mut next = 1;
    while let Some(char) = chars.next() {
        if char != '%' || chars.next_if_eq(&'%').is_some() {
            continue;
        }
        let (place, _) = specifier(&mut chars).map_err(refusal)?;
        for at in [place.wide_as, Some(place.at)].into_iter().flatten() {
            let at = at.unwrap_or(next);
            next = at + 1;
            check_number(at, arguments.len()).map_err(refusal)?;
        }
    }
    Ok(Type::Text)
}

/// Whether there is a value of that number among so many arguments, of which the first is the pattern.
fn check_number(at: usize, arguments: usize) -> Result<(), Fault> {
    match at {
        0 => Err(wrong("format specifies argument 0, but arguments are numbered from 1")),
        _ if at >= arguments => Err(wrong("too few arguments for format()")),
        _ => Ok(()),
    }
}

fn format(call: &Call<'_>) -> Column {
    let has_pattern = |row| call.arguments.first().is_some_and(|vector| vector.values.is_valid(row & vector.mask()));
    call.write_all_rows(|row, out| if has_pattern(row) { write(call, row, out).map(|()| true) } else { Ok(false) })
}

/// The text of an argument, which may be NULL.
fn value<'a>(call: &'a Call<'_>, at: usize, row: usize) -> Result<Option<&'a str>, Fault> {
    check_number(at, call.arguments.len())?;
    let Some(vector) = call.arguments.get(at) else { return Ok(None) };
    let (texts, row) = (vector.values.as_string_view(), row & vector.mask());
    Ok(texts.is_valid(row).then(|| texts.value(row)))
}

fn write(call: &Call<'_>, row: usize, out: &mut String) -> Result<(), Fault> {
    let mut chars = call.text(0, row).chars().peekable();
    let mut next = 1;
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let (mut place, letter) = specifier(&mut chars)?;
        if let Some(wide_as) = place.wide_as {
            let at = wide_as.unwrap_or(next);
            next = at + 1;
            let width = value(call, at, row)?.map_or(Ok(0), |text| {
                let width = text.trim().parse::<i32>();
                width.map_err(|_| {
                    Fault::new(Code::NotAValue, format!("{} is no width", crate::value::text::quote(text.as_bytes())))
                })
            })?;
            place.is_left |= width < 0;
            place.width = width.unsigned_abs() as usize;
        }
        let at = place.at.unwrap_or(next);
        next = at + 1;
        let value = value(call, at, row)?;
        let start = out.len();
        match (letter, value) {
            ('s', value) => out.push_str(value.unwrap_or_default()),
            ('L', Some(value)) => quote::literal(value, out),
            ('L', None) => out.push_str("NULL"),
            (_, Some(value)) => quote::ident(value, out),
            (_, None) => return Err(wrong("null values cannot be formatted as an SQL identifier")),
        }
        let length = out.get(start..).map_or(0, |written| written.chars().count());
        let blanks = place.width.saturating_sub(length);
        if out.len() + blanks > super::TEXT_BYTES_MAX {
            return Err(super::too_long());
        }
        match place.is_left {
            true => out.extend(std::iter::repeat_n(' ', blanks)),
            false => out.insert_str(start, &" ".repeat(blanks)),
        }
    }
    Ok(())
}

/// What stands behind `%`, up to its letter.
fn specifier(chars: &mut Peekable<Chars<'_>>) -> Result<(Place, char), Fault> {
    let place = place(chars)?;
    match chars.next().ok_or_else(unterminated)? {
        letter @ ('s' | 'I' | 'L') => Ok((place, letter)),
        letter => Err(wrong(&format!("unrecognized format() type specifier \"{letter}\""))),
    }
}

/// `[number $] [-] [width | * [number $]]`
fn place(chars: &mut Peekable<Chars<'_>>) -> Result<Place, Fault> {
    let mut place = Place::default();
    if let Some(first) = number(chars)? {
        if chars.next_if_eq(&'$').is_none() {
            place.width = first;
            return Ok(place);
        }
        place.at = Some(first);
    }
    while chars.next_if_eq(&'-').is_some() {
        place.is_left = true;
    }
    if chars.next_if_eq(&'*').is_some() {
        let at = number(chars)?;
        if at == Some(0) {
            return Err(wrong("format specifies argument 0, but arguments are numbered from 1"));
        }
        if at.is_some() && chars.next_if_eq(&'$').is_none() {
            return Err(wrong("width argument position must be ended by \"$\""));
        }
        place.wide_as = Some(at);
    } else {
        place.width = number(chars)?.unwrap_or(0);
    }
    Ok(place)
}

fn number(chars: &mut Peekable<Chars<'_>>) -> Result<Option<usize>, Fault> {
    let mut number = None;
    while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
        chars.next();
        let value = number.unwrap_or(0_i32).checked_mul(10).and_then(|value| value.checked_add(digit.cast_signed()));
        number = Some(value.ok_or_else(|| Fault::new(Code::OutOfRange, "number is out of range"))?);
    }
    match chars.peek() {
        None => Err(unterminated()),
        Some(_) => Ok(number.and_then(|number| usize::try_from(number).ok())),
    }
}

fn unterminated() -> Fault {
    wrong("unterminated format() type specifier")
}

fn wrong(fact: &str) -> Fault {
    Fault::new(Code::BadArgument, fact.to_owned())
}
