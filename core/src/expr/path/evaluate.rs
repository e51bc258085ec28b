//! Evaluate: the values in JSON that a path leads to.
//!
//! A search takes each value through all the steps that follow before it takes the next value. It collects the values, or only
//! asks whether there is one; in the second case the first value ends the search, and later errors do not occur. Errors of
//! values are soft: a predicate that meets one is unknown, and a silent search ends without an error. Errors of the path
//! itself, and of limits, are hard.

use std::collections::BTreeMap;

mod method;
mod predicate;

use super::Arithmetic;
use super::Chain;
use super::Head;
use super::Method;
use super::Path;
use super::Step;
use super::item::Item;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::expr::evaluate::decimal;
use crate::value::Decimal;
use crate::value::json::Tree;
use crate::value::text::quote;

/// Most values that one search looks at, each as often as it is looked at.
const LOOKS_MAX: usize = 1 << 22;

/// A search in one value.
#[derive(Debug, Clone, Copy)]
pub(in crate::expr) struct Search<'t> {
    pub(in crate::expr) path: &'t Path,
    pub(in crate::expr) json: &'t Tree<'t>,
    /// What `$name` stands for: the members of an object.
    pub(in crate::expr) variables: Option<&'t Tree<'t>>,
    /// Soft errors end the search without a word.
    pub(in crate::expr) silent: bool,
    /// Whether times with an offset compare with others, in UTC.
    pub(in crate::expr) zone: bool,
}

impl<'t> Search<'t> {
    /// Whether the path leads to a value; `None` if a silent search met an error.
    pub(in crate::expr) fn exists(&self) -> Result<Option<bool>, Fault> {
        let mut machine = self.machine()?;
        let mut found = Vec::new();
        // A strict path looks at every value, so that no error is missed.
        let list = (!self.path.lax).then_some(&mut found);
        let root = Item::Tree(self.json);
        match machine.walk(&self.path.expression, 0, &root, list, self.path.lax) {
            Ok(is_there) => Ok(Some(if self.path.lax { is_there } else { !found.is_empty() })),
            Err(stop) => stop.silenced(self.silent).map(|()| None),
        }
    }

    /// Appends an array of the values that the path leads to, in order.
    pub(in crate::expr) fn write_all(&self, out: &mut String) -> Result<(), Fault> {
        out.push('[');
        for (at, item) in self.values()?.iter().enumerate() {
            out.push_str(if at > 0 { ", " } else { "" });
            item.write(out)?;
        }
        out.push(']');
        Ok(())
    }

    /// Appends the first value that the path leads to; whether there is one.
    pub(in crate::expr) fn write_first(&self, out: &mut String) -> Result<bool, Fault> {
        self.values()?.first().map_or(Ok(false), |item| item.write(out).map(|()| true))
    }

    /// What the path's predicate says; NULL if it is unknown, and in a silent search also if the path has no predicate.
    pub(in crate::expr) fn matches(&self) -> Result<Option<bool>, Fault> {
        let values = self.values()?;
        match values.as_slice() {
            [item] if matches!(item.tree(), Some(Tree::Boolean(_) | Tree::Null)) => {
                Ok(item.tree().and_then(|tree| if let Tree::Boolean(value) = tree { Some(*value) } else { None }))
            }
            _ if self.silent => Ok(None),
            _ => Err(Fault::new(Code::PathSingleton, "single boolean result is expected")),
        }
    }

    fn values(&self) -> Result<Vec<Item<'t>>, Fault> {
        let mut machine = self.machine()?;
        let mut found = Vec::new();
        let root = Item::Tree(self.json);
        let end = machine.walk(&self.path.expression, 0, &root, Some(&mut found), self.path.lax);
        if let Err(stop) = end {
            stop.silenced(self.silent)?;
        }
        Ok(found)
    }

    fn machine(&self) -> Result<Machine<'t>, Fault> {
        if self.variables.is_some_and(|variables| !matches!(variables, Tree::Object(_))) {
            return Err(Fault::new(Code::BadArgument, "\"vars\" argument is not an object"));
        }
        Ok(Machine {
            search: *self,
            current: Item::Tree(self.json),
            length: 0,
            ignores: self.path.lax,
            throws: !self.silent,
            looks: 0,
            places: BTreeMap::new(),
        })
    }
}

/// Why a search ends.
struct Stop {
    fault: Fault,
    is_hard: bool,
}

impl Stop {
    fn soft(code: Code, message: impl Into<Box<str>>) -> Self {
        Self { fault: Fault::new(code, message), is_hard: false }
    }

    fn hard(fault: Fault) -> Self {
        Self { fault, is_hard: true }
    }

    /// Nothing, for a soft error of a silent search.
    fn silenced(self, silent: bool) -> Result<(), Fault> {
        if silent && !self.is_hard { Ok(()) } else { Err(self.fault) }
    }
}

struct Machine<'t> {
    search: Search<'t>,
    /// What `@` is.
    current: Item<'t>,
    /// The length of the innermost array that is subscripted.
    length: usize,
    /// Whether what is not there is no error.
    ignores: bool,
    /// Whether a soft error ends the search; else it ends only the part that met it.
    throws: bool,
    looks: usize,
    /// The numbers of objects, by their addresses, once one has been asked for.
    places: BTreeMap<usize, i64>,
}

/// An operator of two numbers.
type Compute = fn(Decimal, Decimal) -> Result<Decimal, Fault>;

/// Values are put there; without it, one is enough.
type Found<'f, 't> = Option<&'f mut Vec<Item<'t>>>;

impl<'t> Machine<'t> {
    fn look(&mut self, count: usize) -> Result<(), Stop> {
        self.looks += count;
        match self.looks > LOOKS_MAX {
            true => Err(Stop::hard(Fault::new(Code::TooMuchWork, "the JSON path looks at too many values"))),
            false => Ok(()),
        }
    }

    /// What follows in a chain behind its part `at`.
    fn next(&mut self, chain: &'t Chain, at: usize, value: &Item<'t>, found: Found<'_, 't>) -> Result<bool, Stop> {
        if at < chain.steps.len() {
            return self.walk(chain, at + 1, value, found, self.search.path.lax);
        }
        if let Some(found) = found {
            self.look(1)?;
            found.push(value.clone());
        }
        Ok(true)
    }

    /// A chain from its part `at` on: 0 is its head, then come its steps. `unwraps`: a step that takes no array takes its
    /// elements. Whether there is a value.
    fn walk(
        &mut self,
        chain: &'t Chain,
        at: usize,
        value: &Item<'t>,
        found: Found<'_, 't>,
        unwraps: bool,
    ) -> Result<bool, Stop> {
        self.look(1)?;
        let Some(step) = at.checked_sub(1).and_then(|at| chain.steps.get(at)) else {
            return self.head(chain, value, found);
        };
        let takes_elements = match step {
            Step::Member(_) | Step::EveryMember | Step::Filter(_) => true,
            Step::Method(method) => !matches!(method, Method::Type | Method::Size),
            _ => false,
        };
        if takes_elements && unwraps && value.elements().is_some() {
            return self.each(chain, at, value, found, false);
        }
        match step {
            Step::Member(name) => match value.member(name) {
                Some(member) => self.next(chain, at, &member, found),
                None if self.ignores => Ok(false),
                None if value.is_object() => Err(Stop::soft(
                    Code::PathMember,
                    format!("JSON object does not contain key {}", quote(name.as_bytes())),
                )),
                None => Err(Stop::soft(Code::PathMember, "jsonpath member accessor can only be applied to an object")),
            },
            Step::EveryMember => match value.is_object() {
                true => self.each(chain, at + 1, value, found, self.search.path.lax),
                false if self.ignores => Ok(false),
                false => Err(Stop::soft(
                    Code::PathObject,
                    "jsonpath wildcard member accessor can only be applied to an object",
                )),
            },
            Step::EveryElement => {
                if value.elements().is_some() {
                    self.each(chain, at + 1, value, found, self.search.path.lax)
                } else if self.search.path.lax {
                    self.next(chain, at, value, found)
                } else if self.ignores {
                    Ok(false)
                } else {
                    let fact = "jsonpath wildcard array accessor can only be applied to an array";
                    Err(Stop::soft(Code::PathArray, fact))
                }
            }
            Step::Elements(list) => self.elements(list, chain, at, value, found),
            Step::Descendants { first, last } => self.descendants((*first, *last), chain, at, value, found),
            Step::Filter(predicate) => {
                let outer = std::mem::replace(&mut self.current, value.clone());
                let truth = self.truth(predicate, value);
                self.current = outer;
                match truth? {
                    Some(true) => self.next(chain, at, value, found),
                    _ => Ok(false),
                }
            }
            Step::Method(Method::Keyvalue) => self.keyvalue(chain, at, value, found),
            Step::Method(method) => match self.method(*method, value)? {
                Some(result) => self.next(chain, at, &result, found),
                None => Ok(false),
            },
        }
    }

    /// A chain from its part `at` on, for each part of a value; behind its end, the parts themselves.
    fn each(
        &mut self,
        chain: &'t Chain,
        at: usize,
        value: &Item<'t>,
        mut found: Found<'_, 't>,
        unwraps: bool,
    ) -> Result<bool, Stop> {
        let parts = value.parts();
        self.look(parts.len())?;
        for part in parts {
            let is_there = match at > chain.steps.len() {
                true => {
                    if let Some(found) = found.as_deref_mut() {
                        found.push(part);
                    }
                    true
                }
                false => self.walk(chain, at, &part, found.as_deref_mut(), unwraps)?,
            };
            if is_there && found.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn head(&mut self, chain: &'t Chain, value: &Item<'t>, mut found: Found<'_, 't>) -> Result<bool, Stop> {
        // A value that is always there is not computed where it only counts that it is.
        let is_known = found.is_none() && chain.steps.is_empty();
        match &chain.head {
            Head::Root => {
                let root = Item::Tree(self.search.json);
                self.next(chain, 0, &root, found)
            }
            Head::Current => {
                let current = self.current.clone();
                self.next(chain, 0, &current, found)
            }
            Head::Null | Head::Boolean(_) | Head::Number(_) | Head::String(_) | Head::Last if is_known => Ok(true),
            Head::Last => {
                // An array is subscripted there: `parse` saw to it.
                let last = i64::try_from(self.length).unwrap_or(i64::MAX) - 1;
                self.next(chain, 0, &Item::number(last.to_string()), found)
            }
            Head::Null => self.next(chain, 0, &Item::Scalar(Tree::Null), found),
            Head::Boolean(truth) => self.next(chain, 0, &Item::Scalar(Tree::Boolean(*truth)), found),
            Head::Number(text) => self.next(chain, 0, &Item::Scalar(Tree::Number(text.into())), found),
            Head::String(text) => self.next(chain, 0, &Item::Scalar(Tree::String(text.into())), found),
            Head::Variable(name) => {
                let variable = match self.search.variables {
                    // The operators have no variables, and take each for a null.
                    None => Item::Scalar(Tree::Null),
                    Some(variables) => Item::Tree(variables.member(name).ok_or_else(|| {
                        let fact = format!("could not find jsonpath variable {}", quote(name.as_bytes()));
                        Stop::hard(Fault::new(Code::PathVariable, fact))
                    })?),
                };
                self.next(chain, 0, &variable, found)
            }
            Head::Predicate(predicate) => {
                let truth = self.truth(predicate, value)?;
                let truth = truth.map_or(Tree::Null, Tree::Boolean);
                self.next(chain, 0, &Item::Scalar(truth), found)
            }
            Head::Sign { negative, operand } => {
                let mut operands = Vec::new();
                self.unwrapped(operand, value, true, &mut operands)?;
                for operand in operands {
                    match operand.as_number() {
                        Some(_) if is_known => return Ok(true),
                        None if is_known => {}
                        None => {
                            let sign = if *negative { '-' } else { '+' };
                            let fact = format!("operand of unary jsonpath operator {sign} is not a numeric value");
                            return Err(Stop::soft(Code::PathOperand, fact));
                        }
                        Some(text) => {
                            let text = match (negative, text.strip_prefix('-')) {
                                (false, _) => text.to_owned(),
                                (true, Some(positive)) => positive.to_owned(),
                                (true, None) => format!("-{text}"),
                            };
                            if self.next(chain, 0, &Item::number(text), found.as_deref_mut())? && found.is_none() {
                                return Ok(true);
                            }
                        }
                    }
                }
                Ok(false)
            }
            Head::Arithmetic { operator, left, right } => {
                let result = self.arithmetic(*operator, left, right, value)?;
                self.next(chain, 0, &result, found)
            }
        }
    }

    /// The values of a chain; arrays among them are taken for their elements in a lax path, if that is asked.
    fn unwrapped(
        &mut self,
        chain: &'t Chain,
        value: &Item<'t>,
        unwraps: bool,
        found: &mut Vec<Item<'t>>,
    ) -> Result<(), Stop> {
        let lax = self.search.path.lax;
        if !unwraps || !lax {
            return self.walk(chain, 0, value, Some(found), lax).map(|_| ());
        }
        let mut all = Vec::new();
        self.walk(chain, 0, value, Some(&mut all), lax)?;
        for item in all {
            match item.elements().is_some() {
                true => {
                    let parts = item.parts();
                    self.look(parts.len())?;
                    found.extend(parts);
                }
                false => found.push(item),
            }
        }
        Ok(())
    }

    fn elements(
        &mut self,
        list: &'t [(Chain, Option<Chain>)],
        chain: &'t Chain,
        at: usize,
        value: &Item<'t>,
        mut found: Found<'_, 't>,
    ) -> Result<bool, Stop> {
        let elements = value.elements();
        if elements.is_none() && !self.search.path.lax {
            return match self.ignores {
                true => Ok(false),
                false => Err(Stop::soft(Code::PathArray, "jsonpath array accessor can only be applied to an array")),
            };
        }
        // In a lax path a value that is no array is the only element of one.
        let length = elements.map_or(1, <[_]>::len);
        let outer = std::mem::replace(&mut self.length, length);
        let mut walk = |machine: &mut Self| {
            for (first, last) in list {
                let first = machine.subscript(first, value)?;
                let last = match last {
                    Some(last) => machine.subscript(last, value)?,
                    None => first,
                };
                let count = i64::try_from(length).unwrap_or(i64::MAX);
                if !machine.ignores && (first < 0 || first > last || last >= count) {
                    return Err(Stop::soft(Code::PathSubscript, "jsonpath array subscript is out of bounds"));
                }
                for place in first.max(0)..=last.min(count - 1) {
                    let element = match (elements, usize::try_from(place)) {
                        (Some(elements), Ok(place)) => elements.get(place).map(Item::Tree),
                        _ => Some(value.clone()),
                    };
                    let Some(element) = element else { continue };
                    if machine.next(chain, at, &element, found.as_deref_mut())? && found.is_none() {
                        return Ok(true);
                    }
                }
            }
            Ok(false)
        };
        let result = walk(self);
        self.length = outer;
        result
    }

    fn subscript(&mut self, chain: &'t Chain, value: &Item<'t>) -> Result<i64, Stop> {
        let mut found = Vec::new();
        self.walk(chain, 0, value, Some(&mut found), self.search.path.lax)?;
        let text = match found.as_slice() {
            [item] => item.as_number(),
            _ => None,
        };
        let Some(text) = text else {
            let fact = "jsonpath array subscript is not a single numeric value";
            return Err(Stop::soft(Code::PathSubscript, fact));
        };
        let place = Decimal::parse(text.as_bytes()).ok().and_then(|number| decimal::round(number, 0, true).ok());
        let place = place.and_then(|number| i32::try_from(number.unscaled).ok()).map(i64::from);
        place.ok_or_else(|| Stop::soft(Code::PathSubscript, "jsonpath array subscript is out of integer range"))
    }

    /// `.**`: every value below, the nearest of a branch first, at the levels that are wanted.
    fn descendants(
        &mut self,
        (first, last): (Option<u32>, Option<u32>),
        chain: &'t Chain,
        at: usize,
        value: &Item<'t>,
        mut found: Found<'_, 't>,
    ) -> Result<bool, Stop> {
        let outer = std::mem::replace(&mut self.ignores, true);
        let mut walk = |machine: &mut Self| {
            if first == Some(0) {
                match machine.next(chain, at, value, found.as_deref_mut()) {
                    Ok(true) if found.is_none() => return Ok(true),
                    // Where no error is told, the values below are looked at all the same.
                    Err(stop) if machine.throws || stop.is_hard || value.elements().is_none() && !value.is_object() => {
                        return Err(stop);
                    }
                    _ => {}
                }
            }
            let is_wanted = |level: u32, item: &Item<'_>| match (first, last) {
                (None, None) => item.elements().is_none() && !item.is_object(),
                (None, Some(_)) => false,
                (Some(first), _) => level >= first,
            };
            let is_last = |level: u32| last.is_some_and(|last| level >= last);
            if is_last(0) {
                return Ok(false);
            }
            // The parts that are still to be looked at, and their levels; the next one is the last.
            let mut open: Vec<(u32, Item<'t>)> = Vec::new();
            let mut parts = value.parts();
            let mut level = 1;
            loop {
                machine.look(parts.len())?;
                open.extend(parts.drain(..).rev().map(|part| (level, part)));
                let Some((of, item)) = open.pop() else { return Ok(false) };
                if is_wanted(of, &item) {
                    let is_there = match at < chain.steps.len() {
                        true => machine.walk(chain, at + 1, &item, found.as_deref_mut(), machine.search.path.lax)?,
                        false => {
                            if let Some(found) = found.as_deref_mut() {
                                found.push(item.clone());
                            }
                            true
                        }
                    };
                    if is_there && found.is_none() {
                        return Ok(true);
                    }
                }
                if !is_last(of) {
                    parts = item.parts();
                    level = of + 1;
                }
            }
        };
        let result = walk(self);
        self.ignores = outer;
        result
    }

    fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: &'t Chain,
        right: &'t Chain,
        value: &Item<'t>,
    ) -> Result<Item<'t>, Stop> {
        let (sign, compute): (_, Compute) = match operator {
            Arithmetic::Add => ("+", decimal::add),
            Arithmetic::Subtract => ("-", |left, right| decimal::add(left, decimal::negate(right))),
            Arithmetic::Multiply => ("*", decimal::multiply),
            Arithmetic::Divide => ("/", decimal::divide),
            Arithmetic::Modulo => ("%", decimal::remainder),
        };
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        self.unwrapped(left, value, true, &mut lefts)?;
        self.unwrapped(right, value, true, &mut rights)?;
        let operand = |items: &[Item<'t>], side: &str| match items {
            [item] if item.as_number().is_some() => exact(item.as_number().unwrap_or_default()),
            _ => {
                let fact = format!("{side} operand of jsonpath operator {sign} is not a single numeric value");
                Err(Stop::soft(Code::PathSingleton, fact))
            }
        };
        let (left, right) = (operand(&lefts, "left")?, operand(&rights, "right")?);
        match compute(left, right) {
            Ok(result) => Ok(Item::number(result.print())),
            Err(fault) => Err(Stop { is_hard: fault.code != Code::DivisionByZero, fault }),
        }
    }
}

/// A number as an exact one; one of more than 38 digits is too much for us.
fn exact(text: &str) -> Result<Decimal, Stop> {
    Decimal::parse(text.as_bytes()).map_err(Stop::hard)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{"a": [1, {"b": "x"}, null], "bb": {"a": -2.50}, "c": true}"#;
    const ARRAY: &str = r#"[1, 2.0, "a", [3, 4], {"a": 1}, null, false]"#;
    const NESTED: &str = r#"[{"a": 1, "b": [1, 2]}, {"c": {"a": "bbb"}}]"#;
    const TIMES: &str = r#"["2026-01-31", "12:30:00", "12:30:00.5+01", "2026-01-31 12:30:00", "2026-01-31T12:30:00-03:30",
        "x", "1.50", "-1e2"]"#;

    /// The values that a path leads to, or the SQLSTATE of its fault.
    fn values(json: &str, path: &str) -> String {
        let found = || {
            let (json, path) = (Tree::parse(json)?, Path::parse(path)?);
            let search = Search { path: &path, json: &json, variables: None, silent: false, zone: false };
            let mut out = String::new();
            search.write_all(&mut out).map(|()| out)
        };
        found().unwrap_or_else(|fault: Fault| fault.code.sqlstate().unwrap_or("none").to_owned())
    }

    #[test]
    fn a_path_leads_where_postgresqls_does() {
        for (json, path, wanted) in [
            (OBJECT, r#"$"#, r#"[{"a": [1, {"b": "x"}, null], "c": true, "bb": {"a": -2.50}}]"#),
            (OBJECT, r#"$.a"#, r#"[[1, {"b": "x"}, null]]"#),
            (OBJECT, r#"$.a[*]"#, r#"[1, {"b": "x"}, null]"#),
            (OBJECT, r#"$.a.b"#, r#"["x"]"#),
            (OBJECT, r#"strict $.a.b"#, r#"2203A"#),
            (OBJECT, r#"$.x"#, r#"[]"#),
            (OBJECT, r#"strict $.x"#, r#"2203A"#),
            (OBJECT, r#"$.*"#, r#"[[1, {"b": "x"}, null], true, {"a": -2.50}]"#),
            (
                OBJECT,
                r#"$.**"#,
                r#"[{"a": [1, {"b": "x"}, null], "c": true, "bb": {"a": -2.50}}, [1, {"b": "x"}, null], 1, {"b": "x"}, "x", null, true, {"a": -2.50}, -2.50]"#,
            ),
            (OBJECT, r#"$.**{1}"#, r#"[[1, {"b": "x"}, null], true, {"a": -2.50}]"#),
            (OBJECT, r#"$.**{2 to last}"#, r#"[1, {"b": "x"}, "x", null, -2.50]"#),
            (OBJECT, r#"$.**{last}"#, r#"[1, "x", null, true, -2.50]"#),
            (OBJECT, r#"$.**.a"#, r#"[[1, {"b": "x"}, null], -2.50]"#),
            (OBJECT, r#"strict $.**.a"#, r#"[[1, {"b": "x"}, null], -2.50]"#),
            (ARRAY, r#"$[0]"#, r#"[1]"#),
            (ARRAY, r#"$[last]"#, r#"[false]"#),
            (ARRAY, r#"$[1 to 3]"#, r#"[2.0, "a", [3, 4]]"#),
            (ARRAY, r#"$[0, 2]"#, r#"[1, "a"]"#),
            (ARRAY, r#"$[9]"#, r#"[]"#),
            (ARRAY, r#"strict $[9]"#, r#"22033"#),
            (ARRAY, r#"$[1.9]"#, r#"[2.0]"#),
            (ARRAY, r#"$["a"]"#, r#"22033"#),
            (ARRAY, r#"$[*].type()"#, r#"["number", "number", "string", "array", "object", "null", "boolean"]"#),
            (ARRAY, r#"$.size()"#, r#"[7]"#),
            (ARRAY, r#"$[*].size()"#, r#"[1, 1, 1, 2, 1, 1, 1]"#),
            (ARRAY, r#"strict $[*].size()"#, r#"22039"#),
            (ARRAY, r#"$[*] ? (@ > 1)"#, r#"[2.0, 3, 4]"#),
            (ARRAY, r#"$[*] ? (@ == null)"#, r#"[null]"#),
            (ARRAY, r#"$[*] ? (@ != null)"#, r#"[1, 2.0, "a", 3, 4, {"a": 1}, false]"#),
            (ARRAY, r#"$[*] ? ((@ > 1) is unknown)"#, r#"["a", {"a": 1}, false]"#),
            (ARRAY, r#"$[*] ? (@.a == 1)"#, r#"[{"a": 1}]"#),
            (ARRAY, r#"$[3] + 1"#, r#"22038"#),
            (ARRAY, r#"$[0] + $[1]"#, r#"[3.0]"#),
            (ARRAY, r#"$[0] / 0"#, r#"22012"#),
            (ARRAY, r#"-$[0 to 1]"#, r#"[-1, -2.0]"#),
            (ARRAY, r#"-$[*]"#, r#"2203B"#),
            (ARRAY, r#"($[0] + 1) * 2.50 % 3 / 7"#, r#"[0.28571428571428571429]"#),
            (ARRAY, r#"$[*] ? (@ starts with "a")"#, r#"["a"]"#),
            (ARRAY, r#"$[*] ? (@ like_regex "^A" flag "i")"#, r#"["a"]"#),
            (ARRAY, r#"$[*] ? (exists(@.a))"#, r#"[{"a": 1}]"#),
            (ARRAY, r#"$[*] ? (!(@ == 1))"#, r#"[2.0, 3, 4, null]"#),
            (ARRAY, r#"$[0] == 1"#, r#"[true]"#),
            (ARRAY, r#"($[0] == 1).type()"#, r#"["boolean"]"#),
            (ARRAY, r#"$[2] < 1"#, r#"[null]"#),
            (ARRAY, r#"$[3][last]"#, r#"[4]"#),
            (ARRAY, r#"$[last - 1]"#, r#"[null]"#),
            (ARRAY, r#"$[*].double()"#, r#"22036"#),
            (ARRAY, r#"$[0 to 1].ceiling()"#, r#"[1, 2]"#),
            (ARRAY, r#"$.**.a"#, r#"[1, 1]"#),
            (ARRAY, r#"lax $ ? (@ == 1)"#, r#"[1]"#),
            (ARRAY, r#"strict $ ? (@ == 1)"#, r#"[]"#),
            (ARRAY, r#"strict $ ? (@[*] == 1)"#, r#"[]"#),
            (
                NESTED,
                r#"$[*].keyvalue()"#,
                r#"[{"id": 12, "key": "a", "value": 1}, {"id": 12, "key": "b", "value": [1, 2]}, {"id": 72, "key": "c", "value": {"a": "bbb"}}]"#,
            ),
            (NESTED, r#"$[1].c.keyvalue().value"#, r#"["bbb"]"#),
            (NESTED, r#"$[*].keyvalue() ? (@.key == "a").id"#, r#"[12]"#),
            (NESTED, r#"$.b"#, r#"[[1, 2]]"#),
            (NESTED, r#"$[*].b[*]"#, r#"[1, 2]"#),
            (NESTED, r#"strict $[*].b"#, r#"2203A"#),
            (NESTED, r#"$.keyvalue().value.keyvalue()"#, r#"2203C"#),
            (
                TIMES,
                r#"$[0 to 4].datetime()"#,
                r#"["2026-01-31", "12:30:00", "12:30:00.5+01:00", "2026-01-31T12:30:00", "2026-01-31T12:30:00-03:30"]"#,
            ),
            (
                TIMES,
                r#"$[0 to 4].datetime().type()"#,
                r#"["date", "time without time zone", "time with time zone", "timestamp without time zone", "timestamp with time zone"]"#,
            ),
            (TIMES, r#"$[5].datetime()"#, r#"22031"#),
            (TIMES, r#"$[6 to 7].double()"#, r#"[1.5, -100]"#),
            (TIMES, r#"$[5].double()"#, r#"22036"#),
            (TIMES, r#"$[0 to 4].datetime() ? (@ >= "2026-01-31".datetime())"#, r#"0A000"#),
            (
                TIMES,
                r#"$[0, 3].datetime() ? (@ >= "2026-01-31".datetime())"#,
                r#"["2026-01-31", "2026-01-31T12:30:00"]"#,
            ),
        ] {
            assert_eq!(values(json, path), wanted, "{path}");
        }
    }

    #[test]
    fn a_silent_search_ends_without_a_word() {
        let (json, path) = (Tree::parse(r#"[1, {"a": 2}]"#).unwrap(), Path::parse("strict $[*].a").unwrap());
        let loud = Search { path: &path, json: &json, variables: None, silent: false, zone: false };
        assert_eq!(loud.exists().unwrap_err().code, Code::PathMember);
        let silent = Search { silent: true, ..loud };
        assert_eq!(silent.exists(), Ok(None));
        let mut out = String::new();
        assert_eq!((silent.write_first(&mut out), silent.matches()), (Ok(false), Ok(None)));
    }

    #[test]
    fn no_path_takes_long() {
        let deep = "[".repeat(900) + &"]".repeat(900);
        for path in ["$.**.**.**.**.**", "$.** ? (exists(@.** ? (exists(@.** ? (@ == 1)))))", "$.**.** == $.**.**"] {
            assert_eq!(values(&deep, path), "54000", "{path}");
        }
        assert_eq!(values("[]", &format!("${}", ".a".repeat(1000))), "54000");
        assert_eq!(values("[]", &"(".repeat(10_000)), "54000");
        assert_eq!(values("[]", &format!("$ ? {}", "(".repeat(10_000))), "54000");
    }
}
