//! Tree: an expression as it was written, with the place of every part. `parse` makes it, and `check` reads it.

use crate::diagnostic::Span;
use crate::types::Type;

/// A part of an expression and the bytes of the text that it covers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// The longest way down to a leaf. It is bounded, so that no walk over a tree can exhaust the stack.
    pub(super) depth: u16,
}

/// The kinds of parts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `NULL`.
    Null,
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// An unsigned number, as written.
    Number(String),
    /// A quoted text, whose type comes from where it stands.
    Text(String),
    /// A field or a column, as written; `quoted` if in quotes.
    Name { name: String, quoted: bool },
    /// `-x`, `NOT x`.
    Unary { operator: Unary, operand: Box<Node> },
    /// `x + y`; the operator's own place is kept for carets.
    Binary { operator: Binary, place: Span, left: Box<Node>, right: Box<Node> },
    /// `x AND y AND z`: one part however many operands, so that long chains are not deep.
    And(Vec<Node>),
    /// `x OR y OR z`.
    Or(Vec<Node>),
    /// `x IS NULL`, `x IS NOT TRUE`, …
    Is { operand: Box<Node>, test: Test, negated: bool },
    /// `x IS [NOT] DISTINCT FROM y`.
    Distinct { left: Box<Node>, right: Box<Node>, negated: bool },
    /// `x [NOT] IN (a, b)`.
    In { operand: Box<Node>, list: Vec<Node>, negated: bool },
    /// `x [NOT] BETWEEN [SYMMETRIC] low AND high`.
    Between { operand: Box<Node>, low: Box<Node>, high: Box<Node>, symmetric: bool, negated: bool },
    /// `x [NOT] LIKE pattern [ESCAPE escape]`, `ILIKE`.
    Like { operand: Box<Node>, pattern: Box<Node>, escape: Option<Box<Node>>, ignore_case: bool, negated: bool },
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`.
    Case { operand: Option<Box<Node>>, arms: Vec<(Node, Node)>, otherwise: Option<Box<Node>> },
    /// `CAST(x AS type)`, `x::type`, `type 'text'`.
    Cast { operand: Box<Node>, to: Type },
    /// `TRY_CAST(x AS type)`: NULL where the cast faults.
    TryCast { operand: Box<Node>, to: Type },
    /// `(x, y)`, `ROW(x, y)`: values that are compared together.
    Row(Vec<Node>),
    /// `x COLLATE "C"`: texts compare by their bytes, as they do anyway.
    Collate(Box<Node>),
    /// `ARRAY[a, b]`, `'{a,b}'::text[]`: an array of texts, by the text that PostgreSQL would write for it.
    Array(Box<Node>),
    /// `name(arguments)`, the name in lower case; special forms are calls too, and operators that have no kind of their own.
    Call { name: String, place: Span, arguments: Vec<Node> },
}

/// Operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Plus,
    Minus,
    Not,
}

/// Operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Concat,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What `IS` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Null,
    True,
    False,
    Unknown,
}

impl Node {
    /// A part without parts.
    pub(super) fn leaf(kind: Kind, span: Span) -> Self {
        Self { kind, span, depth: 1 }
    }

    /// A condition, or NULL, where first some values have been computed, whatever they are.
    pub(super) fn computed(values: Vec<Self>, condition: Option<Self>, span: Span) -> Self {
        let depth = values.iter().chain(&condition).map(|part| part.depth).max().unwrap_or(0).saturating_add(3);
        let count = Kind::Call { name: "num_nulls".to_owned(), place: span, arguments: values };
        let left = Box::new(Self { kind: count, span, depth: depth.saturating_sub(2) });
        let right = Box::new(Self::leaf(Kind::Number("0".to_owned()), span));
        // Never fewer than none.
        let (operator, arm, otherwise) = match condition {
            Some(condition) => (Binary::GreaterOrEqual, condition, Some(Kind::Boolean(false))),
            None => (Binary::Less, Self::leaf(Kind::Boolean(true), span), None),
        };
        let asked =
            Self { kind: Kind::Binary { operator, place: span, left, right }, span, depth: depth.saturating_sub(1) };
        let otherwise = otherwise.map(|kind| Box::new(Self::leaf(kind, span)));
        Self { kind: Kind::Case { operand: None, arms: vec![(asked, arm)], otherwise }, span, depth }
    }
}

impl Binary {
    /// Every operator with two operands.
    pub(super) const ALL: [Self; 13] = [
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Modulo,
        Self::Power,
        Self::Concat,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
    ];

    /// The operator as written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
            Self::Power => "^",
            Self::Concat => "||",
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it compares its operands.
    pub(super) fn compares(self) -> bool {
        matches!(
            self,
            Self::Equal | Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}
