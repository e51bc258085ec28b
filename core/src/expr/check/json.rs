//! JSON: what operators mean for it, how other values become JSON, and the arrays of names that some of its functions take.

use super::Checker;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::tree;
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

impl Checker<'_> {
    /// An argument of a function. An array is the text that PostgreSQL would write for it, where the function takes one.
    pub(super) fn argument(&mut self, function: &str, node: &Node) -> Option<Checked> {
        match &node.kind {
            tree::Kind::Array(text) if OVER_ARRAYS.contains(&function) => self.text(text, "an array"),
            _ => self.node(node),
        }
    }

    /// `json - array['a', 'b']`.
    pub(super) fn without_names(&mut self, json: &Node, names: &Node, place: Span, span: Span) -> Option<Checked> {
        let (json, names) = (self.node(json), self.text(names, "an array"));
        self.function("-[]", place, vec![json?, names?], span)
    }

    /// Whether `||` joins these as JSON. A quoted text beside a `jsonb` is one; beside a `json` PostgreSQL takes it for text,
    /// and a `super` may be meant for either.
    pub(super) fn joins_json(left: &Checked, right: &Checked) -> bool {
        let is_json = |part: &Checked| part.ty.is_json() && !part.is_unknown();
        let becomes = |part: &Checked, other: &Checked| is_json(part) || (part.is_unknown() && other.ty == Type::Jsonb);
        (is_json(left) && becomes(right, left)) || (is_json(right) && becomes(left, right))
    }

    /// A value of any type as JSON.
    pub(super) fn json(&mut self, argument: Checked) -> Option<Checked> {
        if argument.ty.is_json() && !argument.is_unknown() {
            return Some(argument);
        }
        let span = argument.span;
        let argument = match argument.ty {
            _ if argument.is_unknown() => self.settled(argument)?,
            Type::Char(_) => self.padded(argument)?,
            _ => argument,
        };
        self.function("to_json", span, vec![argument], span)
    }

    /// The mistake of an array where none is taken.
    pub(super) fn array(&mut self, span: Span) -> Option<Checked> {
        let wrong = Diagnostic::error(Code::Unsupported, span, "an array is not supported here");
        self.wrong(wrong.with_help("arrays of texts stand where functions of JSON take names: `?|`, `#-`, `jsonb_set`"))
    }
}
