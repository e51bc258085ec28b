//! Format: Python's `str.format`, for what manifests write with it: fields by place and name, width, alignment, sign, digits and
//! groups of them. What is finer is known to be missing before anything is sent.

use serde_json::Value;

use super::other;
use crate::source::connector::python;
use crate::source::connector::template::evaluate::{Given, bounded};
use crate::source::connector::template::{Datum, Wrong};

/// Most characters that a value is widened to, and most digits.
const WIDTH_MAX: usize = 10_000;

/// A part of a text that is filled in.
enum Part<'a> {
    Text(&'a str),
    Field { name: &'a str, is_quoted: bool, spec: Spec },
}

/// `[[fill]align][sign][0][width][grouping][.precision][type]`
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    is_zero_filled: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    ty: Option<char>,
}

impl Spec {
    const PLAIN: Self = Self {
        fill: ' ',
        align: None,
        sign: '-',
        is_zero_filled: false,
        width: 0,
        grouping: None,
        precision: None,
        ty: None,
    };

    fn read(text: &str) -> Option<Self> {
        let mut spec = Self::PLAIN;
        let mut rest = text;
        let mut chars = rest.chars();
        let is_align = |c: &char| "<>^=".contains(*c);
        let (first, second) = (chars.next(), chars.next());
        if let (Some(fill), Some(align)) = (first, second.filter(is_align)) {
            (spec.fill, spec.align) = (fill, Some(align));
            rest = &rest[fill.len_utf8() + 1..];
        } else if let Some(align) = first.filter(is_align) {
            spec.align = Some(align);
            rest = &rest[1..];
        }
        if let Some(sign) = rest.chars().next().filter(|c| "+- ".contains(*c)) {
            spec.sign = sign;
            rest = &rest[1..];
        }
        if let Some(after) = rest.strip_prefix('0') {
            spec.is_zero_filled = true;
            rest = after;
        }
        let number = |rest: &mut &str| -> Option<usize> {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, after) = rest.split_at(end);
            *rest = after;
            digits.parse().ok().filter(|number| *number <= WIDTH_MAX)
        };
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            spec.width = number(&mut rest)?;
        }
        if let Some(grouping) = rest.chars().next().filter(|c| ",_".contains(*c)) {
            spec.grouping = Some(grouping);
            rest = &rest[1..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            spec.precision = Some(number(&mut rest)?);
        }
        let mut ty = rest.chars();
        spec.ty = ty.next();
        let is_known = spec.ty.is_none_or(|ty| "sdfFxXob%".contains(ty)) && ty.next().is_none();
        is_known.then_some(spec)
    }

    /// A value in this form; `None`: Python has no such form of it.
    fn write(&self, datum: &Datum<'_>) -> Option<String> {
        let json = datum.json();
        match json.as_deref() {
            Some(Value::Number(number)) if number.is_f64() => self.float(number.as_f64()?),
            Some(Value::Number(_) | Value::Bool(_)) if self.ty != Some('s') => match (datum.as_integer(), self.ty) {
                (Some(_), Some('f' | 'F' | '%')) => self.float(datum.as_float()?),
                (Some(_), None) if matches!(json.as_deref(), Some(Value::Bool(_))) && *self == Self::PLAIN => {
                    Some(datum.to_text())
                }
                (Some(integer), _) => self.integer(integer),
                (None, _) => None,
            },
            Some(Value::String(text)) => {
                let is_of_text = matches!(self.ty, None | Some('s')) && self.sign == '-' && self.grouping.is_none();
                let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
                let fill = if self.is_zero_filled && self.align.is_none() { '0' } else { self.fill };
                let align = self.align.unwrap_or('<');
                (is_of_text && align != '=').then(|| widened(&text, fill, align, self.width))
            }
            _ if *self == Self::PLAIN => Some(datum.to_text()),
            _ => None,
        }
    }

    fn integer(&self, integer: i64) -> Option<String> {
        if self.precision.is_some() {
            return None;
        }
        let size = integer.unsigned_abs();
        let digits = match self.ty {
            None | Some('d') => grouped(&size.to_string(), self.grouping, 3),
            Some('x') => format!("{size:x}"),
            Some('X') => format!("{size:X}"),
            Some('o') => format!("{size:o}"),
            Some('b') => format!("{size:b}"),
            _ => return None,
        };
        if self.grouping.is_some() && !matches!(self.ty, None | Some('d')) {
            return None;
        }
        Some(self.signed(integer < 0, &digits))
    }

    fn float(&self, value: f64) -> Option<String> {
        let size = value.abs();
        let written = match (self.ty, self.precision) {
            (None, None) => python::float(size),
            (Some('f' | 'F'), precision) => format!("{size:.*}", precision.unwrap_or(6)),
            (Some('%'), precision) => format!("{:.*}%", precision.unwrap_or(6), size * 100.0),
            _ => return None,
        };
        let end = written.find(|c: char| !c.is_ascii_digit()).unwrap_or(written.len());
        let (whole, rest) = written.split_at(end);
        Some(self.signed(value.is_sign_negative(), &format!("{}{rest}", grouped(whole, self.grouping, 3))))
    }

    fn signed(&self, is_negative: bool, digits: &str) -> String {
        let sign = match (is_negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            (false, _) => "",
        };
        let fill = if self.is_zero_filled && self.align.is_none() { '0' } else { self.fill };
        if self.align == Some('=') || (self.align.is_none() && self.is_zero_filled) {
            let missing = self.width.saturating_sub(sign.len() + digits.chars().count());
            return format!("{sign}{}{digits}", fill.to_string().repeat(missing));
        }
        widened(&format!("{sign}{digits}"), self.fill, self.align.unwrap_or('>'), self.width)
    }
}

/// Digits with a mark between groups of so many.
fn grouped(digits: &str, mark: Option<char>, size: usize) -> String {
    let Some(mark) = mark else { return digits.to_owned() };
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            out.push(mark);
        }
        out.push(digit);
    }
    out
}

/// A text of at least so many characters.
pub(super) fn widened(text: &str, fill: char, align: char, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let before = match align {
        '<' => 0,
        '^' => missing / 2,
        _ => missing,
    };
    let filled = |count: usize| fill.to_string().repeat(count);
    format!("{}{text}{}", filled(before), filled(missing - before))
}

/// The parts of a text; the error says what of it nobody has.
fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        parts.push(Part::Text(&rest[..at]));
        let mark = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(mark) {
            parts.push(Part::Text(mark));
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| mark == "{").ok_or("a bracket of `format` stands alone")?;
        let field = &rest[..end];
        rest = &rest[end + 1..];
        let (named, spec) = field.split_once(':').unwrap_or((field, ""));
        let (name, conversion) = named.split_once('!').unwrap_or((named, "s"));
        let is_plain = !name.contains(['.', '[', '{']) && matches!(conversion, "s" | "r");
        let spec = Spec::read(spec).filter(|_| is_plain).ok_or_else(|| format!("`{{{field}}}` of `format`"))?;
        parts.push(Part::Field { name, is_quoted: conversion == "r", spec });
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// What of a text that `format` fills in nobody has.
pub(super) fn lacks(text: &str) -> Option<String> {
    parts(text).err()
}

/// `str.format`
pub(super) fn format<'a>(text: &str, given: &Given<'a>) -> Result<Datum<'a>, Wrong> {
    let mut out = String::new();
    let mut next = 0;
    for part in parts(text).map_err(|what| other(format!("{what} is not there")))? {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Field { name, is_quoted, spec } => {
                let place = if name.is_empty() { Some(next) } else { name.parse().ok() };
                next += usize::from(name.is_empty());
                let datum = match place {
                    Some(place) => given.positional.get(place),
                    None => given.named.iter().find(|(known, _)| *known == name).map(|(_, datum)| datum),
                };
                let datum = datum.ok_or_else(|| other(format!("`format` has nothing for `{{{name}}}`")))?;
                let written = if is_quoted {
                    let quoted = datum.json().map(|json| python::repr(&json)).ok_or(Wrong::Type)?;
                    spec.write(&Datum::text_of(quoted))
                } else {
                    spec.write(datum)
                };
                out.push_str(&written.ok_or_else(|| other(format!("`{{{name}}}` of `format` fits no such value")))?);
            }
        }
        bounded(out.len())?;
    }
    Ok(Datum::text_of(out))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_formatted_as_python_does() {
        for (spec, value, written) in [
            ("", json!(1.5), "1.5"),
            ("", json!(true), "True"),
            ("02d", json!(7), "07"),
            ("05.1f", json!(-2.25), "-02.2"),
            (".2f", json!(3), "3.00"),
            (",", json!(1_234_567), "1,234,567"),
            ("+,.2f", json!(1234.5), "+1,234.50"),
            (".1%", json!(0.256), "25.6%"),
            (">5", json!("ab"), "   ab"),
            ("*^6", json!("ab"), "**ab**"),
            (".1", json!("ab"), "a"),
            ("x", json!(255), "ff"),
            ("=+6", json!(5), "+    5"),
        ] {
            let found = Spec::read(spec).and_then(|spec| spec.write(&Datum::from(&value)));
            assert_eq!(found.as_deref(), Some(written), "{spec} {value}");
        }
        assert_eq!(Spec::read("02d").and_then(|spec| spec.write(&Datum::text_of("a"))), None);
        assert!(Spec::read("%Y").is_none() && Spec::read("#x").is_none());
        assert_eq!(lacks("{} {0:>4} {a!r} {{}}"), None);
        assert!(lacks("{a.b}").is_some_and(|what| what.contains("`{a.b}`")) && lacks("{").is_some());
    }
}
