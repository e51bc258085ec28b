//! JSON: what operators mean for it, how other values become JSON, and the arrays of names that some of its functions take.

use std::sync::Arc;

use arrow_array::Int32Array;

use super::Checker;
use super::convert::constant;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::functions::compares_arrays;
use crate::expr::functions::gives_array;
use crate::expr::functions::takes_array;
use crate::expr::tree;
use crate::expr::tree::Binary;
use crate::expr::tree::Node;
use crate::types::Type;

/// Functions and operators that take an array of texts, which may also be a quoted text in PostgreSQL's form of one.
const OVER_ARRAYS: [&str; 13] = [
    "?|",
    "?&",
    "#>",
    "#>>",
    "#-",
    "jsonb_exists_any",
    "jsonb_exists_all",
    "jsonb_delete_path",
    "jsonb_set",
    "jsonb_set_lax",
    "jsonb_insert",
    "json_object",
    "jsonb_object",
];

/// Functions in which PostgreSQL takes a quoted text for an array, since a value beside it says of what.
const BESIDE_A_VALUE: [&str; 6] =
    ["array_append", "array_prepend", "array_remove", "array_replace", "array_position", "(any)"];

/// Whether a part is an array.
pub(super) fn is_array(node: &Node) -> bool {
    match &node.kind {
        tree::Kind::Array(_) => true,
        tree::Kind::Call { name, .. } => gives_array(name),
        tree::Kind::Binary { operator: Binary::Concat, left, right, .. } => is_array(left) || is_array(right),
        _ => false,
    }
}

/// Whether a part is a text between quotes, or NULL.
fn is_quoted(node: &Node) -> bool {
    matches!(node.kind, tree::Kind::Text(_) | tree::Kind::Null)
}

/// Whether two parts are arrays, or one is and the other is a quoted text.
pub(super) fn are_arrays(left: &Node, right: &Node) -> bool {
    let may_be = |node: &Node| is_array(node) || is_quoted(node);
    (is_array(left) || is_array(right)) && may_be(left) && may_be(right)
}

impl Checker<'_> {
    /// An argument of a function. An array is the text that PostgreSQL would write for it, where the function takes one.
    pub(super) fn argument(&mut self, function: &str, at: usize, arguments: &[Node]) -> Option<Checked> {
        let node = arguments.get(at)?;
        let takes_only_arrays = takes_array(function).contains(&at);
        if takes_only_arrays && is_quoted(node) && BESIDE_A_VALUE.contains(&function) {
            let is_beside_a_value = arguments.iter().enumerate().any(|(other, node)| other != at && !is_quoted(node));
            if is_beside_a_value {
                return self.text(node, "an array");
            }
        }
        match is_array(node) && (takes_only_arrays || OVER_ARRAYS.contains(&function)) {
            true if takes_only_arrays => self.array_of_texts(node),
            true => self.array_value(node),
            false if takes_only_arrays => {
                let wrong = Diagnostic::error(Code::Types, node.span, format!("`{function}` takes an array"));
                self.wrong(wrong.with_help("`array['a', 'b']` and `string_to_array('a,b', ',')` are arrays of texts"))
            }
            false => self.node(node),
        }
    }

    /// The text of an array that is not one of `char`, whose values PostgreSQL compares and writes with their blanks.
    fn array_of_texts(&mut self, node: &Node) -> Option<Checked> {
        let tree::Kind::Array(text) = &node.kind else { return self.array_value(node) };
        let tree::Kind::Call { name, place, arguments } = &text.kind else { return self.array_value(node) };
        if name != "array[]" {
            return self.array_value(node);
        }
        let values: Vec<_> = arguments.iter().map(|value| self.node(value)).collect();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        if let Some(padded) = values.iter().find(|value| matches!(value.ty, Type::Char(_))) {
            let wrong = Diagnostic::error(Code::Types, padded.span, "an array of char is not supported here");
            return self.wrong(wrong.with_help("make it a text: `…::text`"));
        }
        self.function(name, *place, values, text.span)
    }

    /// The text of an array.
    fn array_value(&mut self, node: &Node) -> Option<Checked> {
        match &node.kind {
            tree::Kind::Array(text) => {
                let is_written = matches!(&text.kind, tree::Kind::Call { name, .. } if name == "array[]");
                let value = self.text(text, "an array")?;
                if is_written { Some(value) } else { self.function("(array)", node.span, vec![value], node.span) }
            }
            tree::Kind::Call { name, place, arguments } if gives_array(name) => {
                let arguments = (0..arguments.len()).map(|at| self.argument(name, at, arguments));
                let arguments = arguments.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
                self.function(name, *place, arguments, node.span)
            }
            tree::Kind::Binary { operator: Binary::Concat, place, left, right } => {
                // A quoted text beside an array is one, too; a value of a known type is one of its parts.
                let name = match (is_array(left) || is_quoted(left), is_array(right) || is_quoted(right)) {
                    (true, true) => "array_cat",
                    (true, false) => "array_append",
                    (false, _) => "array_prepend",
                };
                let part = |checker: &mut Self, node| match is_array(node) {
                    true => checker.array_of_texts(node),
                    false => checker.text(node, "an array of texts"),
                };
                let (left, right) = (part(self, left), part(self, right));
                self.function(name, *place, vec![left?, right?], node.span)
            }
            _ => self.array(node.span),
        }
    }

    /// An array where its text does as well: a cast to text, a test for NULL, a comparison for equality.
    pub(super) fn array_as_text(&mut self, node: &Node) -> Option<Checked> {
        if is_array(node) { self.array_of_texts(node) } else { self.node(node) }
    }

    /// `=` and `<>` of two arrays, or of an array and a quoted text, which is one too. Two arrays are equal if their texts
    /// are. `None`: it is another comparison.
    pub(super) fn compared_arrays(
        &mut self,
        operator: Binary,
        left: &Node,
        right: &Node,
        span: Span,
    ) -> Option<Option<Checked>> {
        if !are_arrays(left, right) {
            return None;
        }
        if let Some(function) = compares_arrays(operator.text()) {
            return Some(self.asked_of_arrays(function, left, right, span));
        }
        if !matches!(operator, Binary::Equal | Binary::NotEqual) {
            return None;
        }
        // `trim_array(…, 0)` writes an array as it is written here.
        let part = |checker: &mut Self, node: &Node| {
            let text = if is_array(node) { checker.array_of_texts(node) } else { checker.text(node, "an array") }?;
            let none = constant(Arc::new(Int32Array::from(vec![0])), Type::Integer, node.span);
            checker.function("trim_array", node.span, vec![text, none], node.span)
        };
        let (left, right) = (part(self, left), part(self, right));
        let (Some(left), Some(right)) = (left, right) else { return Some(None) };
        Some(self.compare(operator, left, right, span))
    }

    /// An operator over two arrays, which is a function of them.
    pub(super) fn asked_of_arrays(&mut self, name: &str, left: &Node, right: &Node, span: Span) -> Option<Checked> {
        let part = |checker: &mut Self, node: &Node| match is_array(node) {
            true => checker.array_of_texts(node),
            false => checker.text(node, "an array"),
        };
        let (left, right) = (part(self, left), part(self, right));
        self.function(name, span, vec![left?, right?], span)
    }

    /// `json - array['a', 'b']`.
    pub(super) fn without_names(&mut self, json: &Node, names: &Node, place: Span, span: Span) -> Option<Checked> {
        let (json, names) = (self.node(json), self.text(names, "an array"));
        self.function("-[]", place, vec![json?, names?], span)
    }

    /// Whether `||` joins these as JSON. A quoted text beside a `jsonb` is one; beside a `json` PostgreSQL takes it for text, and
    /// a `super` may be meant for either.
    pub(super) fn joins_json(left: &Checked, right: &Checked) -> bool {
        let is_json = |part: &Checked| part.ty == Type::Jsonb && !part.is_unknown();
        (is_json(left) || is_json(right)) && [left, right].iter().all(|part| part.is_unknown() || is_json(part))
    }

    /// A value of any type as JSON.
    pub(super) fn json(&mut self, argument: Checked) -> Option<Checked> {
        if argument.ty.is_json() && !argument.is_unknown() {
            return Some(argument);
        }
        let span = argument.span;
        let argument = match argument.ty {
            _ if argument.is_unknown() => self.settled(argument)?,
            _ => argument,
        };
        self.function("to_json", span, vec![argument], span)
    }

    /// The mistake of an array where none is taken.
    pub(super) fn array(&mut self, span: Span) -> Option<Checked> {
        let wrong = Diagnostic::error(Code::Unsupported, span, "an array is not supported here");
        self.wrong(wrong.with_help("take a value out of it: `(…)[1]`, `array_to_string(…, ',')`, `… = any (…)`"))
    }
}
