//! Target: the type that a cast names, and the mistakes that parsing reports.

use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::types::Type;

use super::DEPTH_MAX;
use super::Result;

/// What a cast names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) ty: Type,
    pub(super) modifier: Option<Modifier>,
}

/// What limits the values of a type of times.
#[derive(Debug, Clone, Copy)]
pub(super) enum Modifier {
    /// So many digits after the second's point: `timestamp(3)`.
    Digits(u32),
    /// Some fields only: `interval day to minute`.
    Fields { range: i32, digits: u32 },
    /// JSON as PostgreSQL's `jsonb` prints it.
    Normal,
}

/// The type that a cast names. Beside the types of columns there are `numeric` without digits, whose scale is each
/// value's own, `varchar` without a length, which is `text`, and `bpchar`.
pub(super) fn target(name: &str, span: Span) -> Result<Type> {
    let ty = match name {
        "numeric" | "decimal" | "dec" => Ok(Type::Numeric),
        "varchar" => Ok(Type::Text),
        "bpchar" => Ok(Type::Char(0)),
        "interval" => Ok(Type::Interval),
        "jsonb" => Ok(Type::Super),
        "uuid"
        | "bytea"
        | "bit"
        | "name"
        | "time with time zone"
        | "timetz"
        | "money"
        | "xml"
        | "inet"
        | "cidr"
        | "oid"
        | "regclass"
        | "point"
        | "varbyte" => {
            return Err(unsupported(
                span,
                format!("the type `{name}` is not supported"),
                "the types are those of columns, and `numeric`",
            ));
        }
        _ if name.ends_with("[]") => {
            return Err(unsupported(
                span,
                format!("the type `{name}` is not supported"),
                "an expression gives one plain value",
            ));
        }
        _ if name.starts_with("float(") => {
            match name.trim_start_matches("float(").trim_end_matches(')').parse::<u8>() {
                Ok(1..=24) => Ok(Type::Real),
                Ok(25..=53) => Ok(Type::Double),
                _ => {
                    return Err(Box::new(Diagnostic::error(
                        Code::UnknownType,
                        span,
                        "a float has 1 to 53 binary digits",
                    )));
                }
            }
        }
        _ => Type::parse(name),
    };
    ty.map_err(|error| {
        let diagnostic = Diagnostic::error(Code::UnknownType, span, error.message);
        Box::new(match error.help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        })
    })
}

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
