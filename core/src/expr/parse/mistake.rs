//! Mistake: what parsing reports.

use super::DEPTH_MAX;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;

pub(super) fn syntax(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(Code::Syntax, span, message))
}

pub(super) fn unsupported(span: Span, message: impl Into<String>, help: &str) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(Code::Unsupported, span, message).with_help(help))
}

pub(super) fn not_scalar(span: Span, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(Code::NotScalar, span, message)
            .with_help("an expression sees one row; rules over many rows are `dedupe`, `key` and `order_by`"),
    )
}

pub(super) fn subquery(span: Span) -> Box<Diagnostic> {
    not_scalar(span, "a subquery needs other rows than this one")
}

pub(super) fn too_deep(span: Span) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(Code::Syntax, span, format!("the expression is nested more than {DEPTH_MAX} deep"))
            .with_help("cut it into several columns"),
    )
}
