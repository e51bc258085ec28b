//! Literal: quoted texts, and texts with the type before them.

use super::Parser;
use super::Result;
use super::mistake::syntax;
use super::types::Modifier;
use super::types::Target;
use super::types::target;
use crate::diagnostic::Span;
use crate::expr::tree::Kind;
use crate::expr::tree::Node;
use crate::sql::scan;
use crate::sql::scan::Quotes;
use crate::types::Type;

impl Parser<'_> {
    /// A quoted text. One with an `N` is of fixed length, without saying which.
    pub(super) fn text(&mut self) -> Result<Node> {
        let is_national = self.peek().is_some_and(|token| token.kind == scan::Kind::Text(Quotes::National));
        let (text, span) = self.quoted()?;
        let text = Node::leaf(Kind::Text(text), span);
        match is_national {
            true => self.cast(text, Target { ty: Type::Char(0), modifier: None }, span),
            false => Ok(text),
        }
    }

    /// `date '2026-01-31'`, `double precision '1'`.
    pub(super) fn typed_literal(&mut self) -> Result<Option<Node>> {
        let start = self.position;
        let first = self.span();
        let name = self.type_name();
        let is_text =
            |token: scan::Token<'_>| matches!(token.kind, scan::Kind::Text(quotes) if quotes != Quotes::National);
        let (Some(name), true) = (name, self.peek().is_some_and(is_text)) else {
            self.position = start;
            return Ok(None);
        };
        let ty = match name.text.as_str() {
            // Without a length it is that of the text.
            "char" | "character" | "nchar" => Type::Char(0),
            text => target(text, first.to(self.span()))?,
        };
        let (text, place) = self.quoted()?;
        let mut span = first.to(place);
        // The fields of an interval stand behind its text.
        let modifier = match ty {
            Type::Interval if matches!(name.modifier, Some(Modifier::Fields { .. })) => {
                return Err(syntax(first.to(span), "the fields of an interval stand behind its text"));
            }
            Type::Interval => {
                let (fields, end) = self.interval_fields(name.modifier)?;
                span = span.to(end.unwrap_or(span));
                fields
            }
            _ => name.modifier,
        };
        let operand = Node::leaf(Kind::Text(text), place);
        self.cast(operand, Target { ty, modifier }, span).map(Some)
    }

    /// A cast, and what limits its value further.
    pub(super) fn cast(&self, operand: Node, to: Target, span: Span) -> Result<Node> {
        let number = |value: String| Node::leaf(Kind::Number(value), span);
        let call = |name: &str, arguments: Vec<Node>, depth| {
            self.node(Kind::Call { name: name.to_owned(), place: span, arguments }, span, depth)
        };
        let depth = operand.depth;
        if let (Type::Interval, Some(Modifier::Fields { range, digits })) = (to.ty, to.modifier) {
            // The fields say what a number of a quoted text means; a value is an interval before it has some of them only.
            let operand = match operand.kind {
                Kind::Text(_) => operand,
                _ => self.node(Kind::Cast { operand: Box::new(operand), to: to.ty }, span, depth)?,
            };
            let depth = operand.depth;
            return call("(interval)", vec![operand, number(range.to_string()), number(digits.to_string())], depth);
        }
        if let Some(Modifier::Byte) = to.modifier {
            return call("(char)", vec![operand], depth);
        }
        if let Some(Modifier::Name) = to.modifier {
            return call("(name)", vec![operand], depth);
        }
        let cast = self.node(Kind::Cast { operand: Box::new(operand), to: to.ty }, span, depth)?;
        match to.modifier {
            Some(Modifier::Digits(digits)) => {
                let depth = cast.depth;
                call("(precision)", vec![cast, number(digits.to_string())], depth)
            }
            _ => Ok(cast),
        }
    }
}
