//! Tree: JSON in the form that PostgreSQL's `jsonb` gives it. Of several members of one name the last counts, short names
//! stand first, strings are texts, numbers count by their value.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::Json;
use super::number::Number;
use super::scan::Passed;
use super::scan::Walk;
use super::string::text_of;
use super::string::write_string;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::types::SUPER_BYTES_MAX;

/// Most values that one `@>` looks at, each as often as it is looked at.
const LOOKS_MAX: usize = 1 << 24;

/// A value of `jsonb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// A text.
    String(Cow<'a, str>),
    /// A number as it is written.
    Number(Cow<'a, str>),
    /// `true` or `false`.
    Boolean(bool),
    /// Elements.
    Array(Vec<Self>),
    /// Members, short names first, each name once.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// How a tree is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As `jsonb` prints it: a blank behind colons and commas.
    Normal,
    /// Without blanks.
    Compact,
    /// A line for each value.
    Pretty,
}

impl<'a> Tree<'a> {
    /// The `jsonb` of a text; a fault if it is no JSON, or has what `jsonb` does not take.
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        Self::build(text, true)
    }

    /// The values of a text as it has them: members in their order, and all of one name.
    pub(crate) fn as_written(text: &'a str) -> Result<Self, Fault> {
        Self::build(text, false)
    }

    fn build(text: &'a str, is_normal: bool) -> Result<Self, Fault> {
        // Values whose parent has not ended, with their depths. A value's parts are the last ones, one level below it.
        let mut open: Vec<(usize, Option<&'a str>, Self)> = Vec::new();
        let mut wrong = None;
        let mut pass = |passed: Passed<'a>| {
            let parts = open.iter().rev().take_while(|(depth, ..)| *depth > passed.depth).count();
            let parts = open.split_off(open.len() - parts);
            match Self::of(passed.value, parts, is_normal) {
                Ok(tree) => open.push((passed.depth, passed.name, tree)),
                Err(fault) => wrong = wrong.take().or(Some(fault)),
            }
        };
        let is_json = Walk::new(text).whole(&mut pass).is_some();
        match (is_json, wrong, open.pop()) {
            (true, Some(fault), _) => Err(fault),
            (true, None, Some((_, _, tree))) => Ok(tree),
            _ => Err(super::no_json(text)),
        }
    }

    /// A value, given its parts.
    fn of(value: Json<'a>, parts: Vec<(usize, Option<&'a str>, Self)>, is_normal: bool) -> Result<Self, Fault> {
        let text = value.text();
        Ok(match value.kind() {
            "object" => {
                let member =
                    |(_, name, value): (usize, Option<&'a str>, Self)| Ok((text_of(name.unwrap_or_default())?, value));
                let members = parts.into_iter().map(member).collect::<Result<Vec<_>, Fault>>()?;
                if is_normal { Self::object(members) } else { Self::Object(members) }
            }
            "array" => Self::Array(parts.into_iter().map(|(_, _, part)| part).collect()),
            "string" => Self::String(text_of(text)?),
            "number" if is_normal => Number::read(text).map(|_| Self::Number(text.into()))?,
            "number" => Self::Number(text.into()),
            "boolean" => Self::Boolean(text == "true"),
            _ => Self::Null,
        })
    }

    /// The object with these members: of several of one name the last.
    pub fn object(mut members: Vec<(Cow<'a, str>, Self)>) -> Self {
        members.reverse();
        members.sort_by(|(one, _), (two, _)| name_order(one, two));
        members.dedup_by(|(one, _), (two, _)| one == two);
        Self::Object(members)
    }

    /// Whether it is neither an array nor an object.
    pub fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// The member of an object with that name.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let at = members.binary_search_by(|(known, _)| name_order(known, name)).ok()?;
        members.get(at).map(|(_, value)| value)
    }

    /// The order of `jsonb`: of kinds null, string, number, boolean, array, object; an array or object with more parts is
    /// greater. An empty array by itself stands before everything.
    pub fn order(&self, other: &Self) -> Ordering {
        let is_empty = |tree: &Self| matches!(tree, Self::Array(elements) if elements.is_empty());
        // Where it is not in another, PostgreSQL takes a scalar for an array of one element.
        match (is_empty(self), is_empty(other)) {
            (true, false) if other.is_scalar() => Ordering::Less,
            (false, true) if self.is_scalar() => Ordering::Greater,
            _ => self.order_within(other),
        }
    }

    fn order_within(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::String(one), Self::String(two)) => one.as_bytes().cmp(two.as_bytes()),
            (Self::Number(one), Self::Number(two)) => Number::of(one).order(Number::of(two)),
            (Self::Boolean(one), Self::Boolean(two)) => one.cmp(two),
            (Self::Array(ones), Self::Array(twos)) => ones.len().cmp(&twos.len()).then_with(|| {
                let orders = ones.iter().zip(twos).map(|(one, two)| one.order_within(two));
                orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }),
            (Self::Object(ones), Self::Object(twos)) => ones.len().cmp(&twos.len()).then_with(|| {
                let orders = ones.iter().zip(twos).map(|((name, value), (other_name, other))| {
                    name.as_bytes().cmp(other_name.as_bytes()).then_with(|| value.order_within(other))
                });
                orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            }),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::String(_) => 1,
            Self::Number(_) => 2,
            Self::Boolean(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
        }
    }

    /// Whether everything in the other value stands at its place in this one, as `@>` has it: members may be more, elements
    /// may be more and in any order, and an array holds a value that is none.
    pub fn contains(&self, other: &Self) -> Result<bool, Fault> {
        let mut looks = 0;
        match (self, other) {
            (Self::Array(elements), scalar) if scalar.is_scalar() => {
                Ok(elements.iter().any(|element| element.order_within(scalar).is_eq()))
            }
            _ => self.holds(other, &mut looks),
        }
    }

    fn holds(&self, other: &Self, looks: &mut usize) -> Result<bool, Fault> {
        *looks += match self {
            Self::Array(elements) => elements.len() + 1,
            _ => 1,
        };
        if *looks > LOOKS_MAX {
            return Err(Fault::new(Code::TooMuchWork, "the JSON on both sides is too large to be compared"));
        }
        match (self, other) {
            (Self::Object(_), Self::Object(members)) => {
                for (name, wanted) in members {
                    let Some(found) = self.member(name) else { return Ok(false) };
                    if !found.holds(wanted, looks)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Self::Array(elements), Self::Array(wanted)) => {
                let mut scalars: Vec<_> = elements.iter().filter(|element| element.is_scalar()).collect();
                scalars.sort_unstable_by(|one, two| one.order_within(two));
                for wanted in wanted {
                    let is_there = match wanted.is_scalar() {
                        true => scalars.binary_search_by(|scalar| scalar.order_within(wanted)).is_ok(),
                        false => {
                            let mut is_there = false;
                            for element in elements.iter().filter(|element| !element.is_scalar()) {
                                is_there = is_there || element.holds(wanted, looks)?;
                            }
                            is_there
                        }
                    };
                    if !is_there {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (one, two) => Ok(one.is_scalar() && two.is_scalar() && one.order_within(two).is_eq()),
        }
    }

    /// Whether an object has a member of that name, or an array the string as an element, or whether it is the string.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Object(_) => self.member(name).is_some(),
            Self::Array(elements) => {
                elements.iter().any(|element| matches!(element, Self::String(text) if text == name))
            }
            Self::String(text) => text == name,
            _ => false,
        }
    }

    /// Gives each array and object with the place where PostgreSQL stores it in the bytes of the whole.
    pub(crate) fn each_place(&self, f: &mut dyn FnMut(&Self, usize)) {
        self.lay(0, f);
    }

    /// Lays the value out from a place on; where it ends. A container is four bytes for itself and for each of its parts, then
    /// their bytes; numbers and containers begin at a multiple of four.
    fn lay(&self, place: usize, f: &mut dyn FnMut(&Self, usize)) -> usize {
        let aligned = place.next_multiple_of(4);
        match self {
            Self::Null | Self::Boolean(_) => place,
            Self::String(text) => place + text.len(),
            Self::Number(text) => aligned + Number::of(text).stored_bytes(),
            Self::Array(elements) => {
                f(self, aligned);
                elements.iter().fold(aligned + 4 + 4 * elements.len(), |place, element| element.lay(place, f))
            }
            Self::Object(members) => {
                f(self, aligned);
                let names: usize = members.iter().map(|(name, _)| name.len()).sum();
                let start = aligned + 4 + 8 * members.len() + names;
                members.iter().fold(start, |place, (_, value)| value.lay(place, f))
            }
        }
    }

    /// Appends the value. It is a fault if it grows longer than a `super` may be.
    pub fn write(&self, style: Style, out: &mut String) -> Result<(), Fault> {
        self.write_at(style, 0, out)
    }

    fn write_at(&self, style: Style, depth: usize, out: &mut String) -> Result<(), Fault> {
        // A short number may have an exponent that makes it long.
        if out.len() > SUPER_BYTES_MAX {
            return Err(Fault::new(Code::ResultTooLong, format!("a super has at most {SUPER_BYTES_MAX} bytes")));
        }
        let line = |depth: usize, out: &mut String| {
            if style == Style::Pretty {
                out.push('\n');
                (0..depth).for_each(|_| out.push_str("    "));
            }
        };
        let comma = if style == Style::Normal { ", " } else { "," };
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::String(text) => write_string(text, out),
            Self::Number(text) if style == Style::Compact => out.push_str(text),
            Self::Number(text) => Number::of(text).write(out),
            Self::Array(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    out.push_str(if at > 0 { comma } else { "" });
                    line(depth + 1, out);
                    element.write_at(style, depth + 1, out)?;
                }
                line(depth, out);
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { comma } else { "" });
                    line(depth + 1, out);
                    write_string(name, out);
                    out.push_str(if style == Style::Compact { ":" } else { ": " });
                    value.write_at(style, depth + 1, out)?;
                }
                line(depth, out);
                out.push('}');
            }
        }
        Ok(())
    }
}

/// The order of names in an object: short ones first.
pub(super) fn name_order(one: &str, two: &str) -> Ordering {
    (one.len(), one).cmp(&(two.len(), two))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        let mut out = String::new();
        Tree::parse(text).unwrap().write(Style::Normal, &mut out).unwrap();
        out
    }

    #[test]
    fn the_normal_form_is_that_of_jsonb() {
        for (text, wanted) in [
            (
                r#" {"bb":1, "a" : [1,2.50,{}],"c":null,"a":"x\u00e9\/\u0001"} "#,
                r#"{"a": "xé/\u0001", "c": null, "bb": 1}"#,
            ),
            ("[ ]", "[]"),
            ("[[1e2],{}]", "[[100], {}]"),
        ] {
            assert_eq!(normal(text), wanted);
        }
        for text in ["1e131073", r#""\ud800""#, r#"{"\u0000": 1}"#, "[1", "1 1"] {
            assert!(Tree::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_jsonb() {
        let ascending = [
            "[]",
            "null",
            r#""""#,
            r#""a""#,
            r#""aa""#,
            r#""b""#,
            "-1",
            "1.0",
            "2",
            "false",
            "true",
            "[1]",
            "[[]]",
            "[1, 2]",
            "{}",
            r#"{"b": 1}"#,
            r#"{"b": {}}"#,
            r#"{"c": 0}"#,
            r#"{"a": 0, "b": 0}"#,
        ];
        for (at, one) in ascending.iter().enumerate() {
            for (place, two) in ascending.iter().enumerate() {
                let order = Tree::parse(one).unwrap().order(&Tree::parse(two).unwrap());
                assert_eq!(order, at.cmp(&place), "{one} {two}");
            }
        }
        let same = |one: &str, two: &str| Tree::parse(one).unwrap().order(&Tree::parse(two).unwrap()).is_eq();
        assert!(same(r#"{"a":1,"b":[1.0]}"#, r#"{"b": [1], "a": 10e-1}"#) && same(r#""\u0061""#, r#""a""#));
    }

    #[test]
    fn what_stands_in_it_is_contained() {
        for (all, part, wanted) in [
            (r#"{"a": [1, 2, {"b": 3}], "c": 4}"#, r#"{"a": [{"b": 3.0}, 1]}"#, true),
            ("[1, 2]", "2", true),
            ("2", "[2]", false),
            ("2", "2.0", true),
            ("[[1, 2]]", "[1]", false),
            ("[[1, 2]]", "[[2]]", true),
            (r#"{"a": 1}"#, "[]", false),
            ("[]", "[]", true),
            ("[1]", "[1, 1]", true),
            (r#"{"a": [1]}"#, r#"{"a": 1}"#, false),
        ] {
            assert_eq!(Tree::parse(all).unwrap().contains(&Tree::parse(part).unwrap()), Ok(wanted), "{all} @> {part}");
        }
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        // What is far too much work is said to be.
        let numbers: Vec<_> = (0..5000).map(|number| format!("[{number}]")).collect();
        let (all, part) = (format!("[{}]", numbers.join(",")), format!("[{}]", vec!["[4999]"; 5000].join(",")));
        let fault = Tree::parse(&all).unwrap().contains(&Tree::parse(&part).unwrap()).unwrap_err();
        assert_eq!(fault.code, Code::TooMuchWork);
        assert!(Tree::parse(&deep(1000)).unwrap().contains(&Tree::parse(&deep(1000)).unwrap()).unwrap());
        assert!(Tree::parse(&deep(1002)).is_err());
    }

    #[test]
    fn pretty_is_that_of_jsonb_pretty() {
        let mut out = String::new();
        Tree::parse(r#"{"a":["b",{}],"c":[]}"#).unwrap().write(Style::Pretty, &mut out).unwrap();
        assert_eq!(out, "{\n    \"a\": [\n        \"b\",\n        {\n        }\n    ],\n    \"c\": [\n    ]\n}");
    }
}
