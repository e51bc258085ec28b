//! Change: another value in place of one that a path leads to, as `jsonb_set`, `jsonb_insert`, `#-`, `-` and `||` make it.

use std::borrow::Cow;

use super::tree::Tree;
use super::tree::name_order;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::text::quote;

/// What happens where a path ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// A value takes the place of the one that is there.
    Replace(Tree<'a>),
    /// The same, or it is added where none is there.
    Set(Tree<'a>),
    /// A value is put before an element, or added as a member.
    InsertBefore(Tree<'a>),
    /// A value is put behind an element, or added as a member.
    InsertAfter(Tree<'a>),
    /// The value that is there goes.
    Delete,
}

impl<'a> Change<'a> {
    /// The value that is put.
    fn value(&self) -> Option<&Tree<'a>> {
        match self {
            Self::Replace(value) | Self::Set(value) | Self::InsertBefore(value) | Self::InsertAfter(value) => {
                Some(value)
            }
            Self::Delete => None,
        }
    }

    /// The value, if it is also put where nothing is.
    fn added(&self) -> Option<&Tree<'a>> {
        match self {
            Self::Replace(_) | Self::Delete => None,
            _ => self.value(),
        }
    }
}

impl<'a> Tree<'a> {
    /// The value after a change at a path of names and places. A path that leads nowhere changes nothing.
    pub fn changed(mut self, path: &'a [Option<String>], change: &Change<'a>) -> Result<Self, Fault> {
        if self.is_scalar() {
            let verb = if *change == Change::Delete { "delete" } else { "set" };
            return Err(Fault::new(Code::BadArgument, format!("cannot {verb} path in scalar")));
        }
        let is_empty = match &self {
            Self::Object(members) => members.is_empty(),
            Self::Array(elements) => elements.is_empty(),
            _ => false,
        };
        // Nothing is there to be replaced or deleted, and the path is not looked at.
        if !path.is_empty() && (!is_empty || change.added().is_some()) {
            self.change(path, 0, change)?;
        }
        Ok(self)
    }

    /// Changes what the path leads to from its step `at` on.
    fn change(&mut self, path: &'a [Option<String>], at: usize, change: &Change<'a>) -> Result<(), Fault> {
        let Some((step, rest)) = path.get(at).zip(path.len().checked_sub(at + 1)) else { return Ok(()) };
        let Some(step) = step else {
            return Err(Fault::new(Code::NullArgument, format!("path element at position {} is null", at + 1)));
        };
        let is_last = rest == 0;
        match self {
            Self::Object(members) => {
                let place = members.binary_search_by(|(name, _)| name_order(name, step));
                match (place, is_last) {
                    (Ok(place), false) => {
                        if let Some((_, value)) = members.get_mut(place) {
                            value.change(path, at + 1, change)?;
                        }
                    }
                    (Ok(_), true) if matches!(change, Change::InsertBefore(_) | Change::InsertAfter(_)) => {
                        return Err(Fault::new(Code::BadArgument, "cannot replace existing key"));
                    }
                    (Ok(place), true) => match (change.value(), members.get_mut(place)) {
                        (Some(value), Some((_, found))) => *found = value.clone(),
                        _ => {
                            members.remove(place);
                        }
                    },
                    (Err(place), true) => {
                        if let Some(value) = change.added() {
                            members.insert(place, (Cow::Borrowed(step), value.clone()));
                        }
                    }
                    (Err(_), false) => {}
                }
            }
            Self::Array(elements) => {
                let Some(place) = place(step) else {
                    let fact =
                        format!("path element at position {} is not an integer: {}", at + 1, quote(step.as_bytes()));
                    return Err(Fault::new(Code::NotAValue, fact));
                };
                change_element(elements, place, path, at, is_last, change)?;
            }
            // What is below a scalar is not there.
            _ => {}
        }
        Ok(())
    }

    /// The value without its members of these names, or without these strings among its elements.
    pub fn without(self, names: &[Option<String>]) -> Result<Self, Fault> {
        let is_named = |text: &str| names.iter().flatten().any(|name| name == text);
        match self {
            Self::Object(members) => {
                Ok(Self::Object(members.into_iter().filter(|(name, _)| !is_named(name)).collect()))
            }
            Self::Array(elements) => {
                let stays = |element: &Self| !matches!(element, Self::String(text) if is_named(text));
                Ok(Self::Array(elements.into_iter().filter(stays).collect()))
            }
            _ => Err(Fault::new(Code::BadArgument, "cannot delete from scalar")),
        }
    }

    /// The array without the element at a place, counted from 0, or from -1 at its end.
    pub(crate) fn without_element(self, place: i32) -> Result<Self, Fault> {
        match self {
            Self::Array(mut elements) => {
                if let Some(place) = from_start(place, elements.len()).filter(|&place| place < elements.len()) {
                    elements.remove(place);
                }
                Ok(Self::Array(elements))
            }
            Self::Object(_) => Err(Fault::new(Code::BadArgument, "cannot delete from object using integer index")),
            _ => Err(Fault::new(Code::BadArgument, "cannot delete from scalar")),
        }
    }

    /// Values joined from the first to the last: the members of two objects, of which the later ones count; else the elements of
    /// both, a value that is no array being one of one element.
    #[must_use]
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut whole = parts.next().unwrap_or(Self::Array(Vec::new()));
        // Members are put in order once, behind the last object in a row.
        let mut is_ordered = true;
        for part in parts {
            whole = match (whole, part) {
                (Self::Object(mut members), Self::Object(others)) => {
                    members.extend(others);
                    is_ordered = false;
                    Self::Object(members)
                }
                (one, two) => {
                    let one = if is_ordered { one } else { one.ordered() };
                    is_ordered = true;
                    let mut all = one.elements();
                    all.extend(two.elements());
                    Self::Array(all)
                }
            };
        }
        if is_ordered { whole } else { whole.ordered() }
    }

    /// An object whose members are in any order; other values as they are.
    fn ordered(self) -> Self {
        match self {
            Self::Object(members) => Self::object(members),
            other => other,
        }
    }

    /// The elements of an array, or the value that is none.
    fn elements(self) -> Vec<Self> {
        match self {
            Self::Array(elements) => elements,
            value => vec![value],
        }
    }

    /// The value without the members that are null, at every depth.
    #[must_use]
    pub fn without_nulls(self) -> Self {
        match self {
            Self::Object(members) => {
                let members = members.into_iter().filter(|(_, value)| *value != Self::Null);
                Self::Object(members.map(|(name, value)| (name, value.without_nulls())).collect())
            }
            Self::Array(elements) => Self::Array(elements.into_iter().map(Self::without_nulls).collect()),
            scalar => scalar,
        }
    }
}

fn change_element<'a>(
    elements: &mut Vec<Tree<'a>>,
    place: i32,
    path: &'a [Option<String>],
    at: usize,
    is_last: bool,
    change: &Change<'a>,
) -> Result<(), Fault> {
    let found = from_start(place, elements.len());
    if !is_last {
        return match found.and_then(|place| elements.get_mut(place)) {
            Some(element) => element.change(path, at + 1, change),
            None => Ok(()),
        };
    }
    match (found.filter(|&place| place < elements.len()), change) {
        (Some(place), Change::Replace(value) | Change::Set(value)) => {
            elements.splice(place..=place, [value.clone()]);
        }
        (Some(place), Change::InsertBefore(value)) => elements.insert(place, value.clone()),
        (Some(place), Change::InsertAfter(value)) => elements.insert(place + 1, value.clone()),
        (Some(place), Change::Delete) => {
            elements.remove(place);
        }
        // Outside of the array a value is added at the end that is nearer.
        (None, change) => {
            if let Some(value) = change.added() {
                let end = if found.is_none() { 0 } else { elements.len() };
                elements.insert(end, value.clone());
            }
        }
    }
    Ok(())
}

/// A place in an array of that length, counted from its start; `None` if it lies before it.
fn from_start(place: i32, length: usize) -> Option<usize> {
    match place {
        0.. => usize::try_from(place).ok(),
        _ => length.checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
    }
}

/// The place in an array that a step of a path is, if it is a whole number of 32 bits.
pub(super) fn place(step: &str) -> Option<i32> {
    step.trim_start_matches(|char: char| matches!(char, ' ' | '\t'..='\r')).parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::value::array::TextArray;
    use crate::value::json::Style;

    fn print(tree: Result<Tree<'_>, Fault>) -> String {
        let mut out = String::new();
        match tree.and_then(|tree| tree.write(Style::Normal, &mut out)) {
            Ok(()) => out,
            Err(fault) => fault.message.to_string(),
        }
    }

    fn tree(text: &str) -> Tree<'_> {
        Tree::parse(text).unwrap()
    }

    #[test]
    fn a_change_is_postgresqls() {
        type Make = fn(Tree<'static>) -> Change<'static>;
        let delete: Make = |_| Change::Delete;
        for (text, path, change, wanted) in [
            (r#"{"a":1}"#, "{b}", Change::Set as Make, r#"{"a": 1, "b": 0}"#),
            (r#"{"a":1}"#, "{b}", Change::Replace, r#"{"a": 1}"#),
            (r#"{"a":[1,2]}"#, "{a,-1}", Change::Set, r#"{"a": [1, 0]}"#),
            (r#"{"a":[1,2]}"#, "{a,-3}", Change::Set, r#"{"a": [0, 1, 2]}"#),
            (r#"{"a":[1,2]}"#, "{a,9}", Change::Set, r#"{"a": [1, 2, 0]}"#),
            (r#"{"a":[1,2]}"#, "{a,x}", Change::Set, r#"path element at position 2 is not an integer: "x""#),
            (r#"{"a":[1,2]}"#, "{x,y}", Change::Set, r#"{"a": [1, 2]}"#),
            (r#"{"a":1}"#, "{a,b}", Change::Set, r#"{"a": 1}"#),
            (r#"{"a":1}"#, "{a,NULL}", Change::Set, "path element at position 2 is null"),
            ("[]", "{-99}", Change::Set, "[0]"),
            ("[]", "{x}", delete, "[]"),
            ("1", "{}", Change::Set, "cannot set path in scalar"),
            ("[1]", "{}", Change::Set, "[1]"),
            ("[1,2]", "{1}", Change::InsertBefore, "[1, 0, 2]"),
            ("[1,2]", "{1}", Change::InsertAfter, "[1, 2, 0]"),
            ("[1,2]", "{-1}", Change::InsertBefore, "[1, 0, 2]"),
            ("[1,2]", "{-9}", Change::InsertAfter, "[0, 1, 2]"),
            (r#"{"a":1}"#, "{a}", Change::InsertAfter, "cannot replace existing key"),
            (r#"{"a":[1,2]}"#, "{a,0}", delete, r#"{"a": [2]}"#),
            (r#"{"a":[1,2]}"#, "{a,2}", delete, r#"{"a": [1, 2]}"#),
            (r#"{"a":[1,2]}"#, "{a}", delete, "{}"),
        ] {
            let path_read = TextArray::parse(path).unwrap().flat().unwrap();
            let number = Tree::Number("0".into());
            assert_eq!(print(tree(text).changed(&path_read, &change(number))), wanted, "{text} {path}");
        }
    }

    #[test]
    fn values_are_joined_and_thinned() {
        for (one, two, wanted) in [
            (r#"{"a":1,"b":2}"#, r#"{"b":3,"cc":4}"#, r#"{"a": 1, "b": 3, "cc": 4}"#),
            ("[1]", r#"{"a":1}"#, r#"[1, {"a": 1}]"#),
            ("1", "2", "[1, 2]"),
            ("3", "[]", "[3]"),
        ] {
            assert_eq!(print(Ok(Tree::joined(vec![tree(one), tree(two)]))), wanted);
        }
        let names = [Some("a".to_owned()), None];
        assert_eq!(print(tree(r#"{"a":1,"b":"a"}"#).without(&names)), r#"{"b": "a"}"#);
        assert_eq!(print(tree(r#"["a","b",{"a":1}]"#).without(&names)), r#"["b", {"a": 1}]"#);
        assert_eq!(print(tree("[1,2,3]").without_element(-3)), "[2, 3]");
        assert_eq!(print(tree("[1,2,3]").without_element(-4)), "[1, 2, 3]");
        assert_eq!(print(Ok(tree(r#"{"a":null,"b":[null,{"c":null}]}"#).without_nulls())), r#"{"b": [null, {}]}"#);
    }
}
