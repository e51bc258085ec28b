//! Checked: an expression after `check`, which `evaluate` walks. Every part has its type, every conversion is a node of the
//! tree, and operands have the forms that the kernels take.

use std::sync::Arc;

use arrow_array::ArrayRef;

use super::evaluate::like::Matcher;
use super::functions::Signature;
use super::tree::Binary;
use super::tree::Test;
use crate::diagnostic::Span;
use crate::types::Type;

/// A part of an expression with its type.
#[derive(Debug, Clone)]
pub(super) struct Checked {
    pub(super) form: Form,
    pub(super) ty: Type,
    pub(super) nullable: bool,
    pub(super) span: Span,
}

/// What a part does.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// The same value in every row: an array of one row.
    Constant(ArrayRef),
    /// A quoted text or NULL that waits for the type of its place; none is left when checking is done.
    Unknown(Option<String>),
    /// A number of more digits than a decimal has, as written: it may become a floating-point number.
    Beyond(String),
    /// A name, by its position in the scope.
    Name(usize),
    /// The value of the enclosing [`Form::Let`] of that level, counted from the outermost.
    Local(usize),
    /// Evaluates a value once, for a body that uses it several times.
    Let {
        value: Box<Checked>,
        body: Box<Checked>,
    },
    /// Numbers of one type (or two decimals), or a day and a number of days.
    Arithmetic {
        operator: Binary,
        left: Box<Checked>,
        right: Box<Checked>,
    },
    /// `-x`.
    Negate(Box<Checked>),
    /// Two values of one type, two decimals or two texts.
    Compare {
        operator: Binary,
        left: Box<Checked>,
        right: Box<Checked>,
    },
    /// As [`Form::Compare`], with NULL as a value like others.
    Distinct {
        left: Box<Checked>,
        right: Box<Checked>,
        negated: bool,
    },
    Not(Box<Checked>),
    And(Vec<Checked>),
    Or(Vec<Checked>),
    Is {
        operand: Box<Checked>,
        test: Test,
        negated: bool,
    },
    /// `x IN ('a', 'b')` over constant texts, sorted; `has_null` when the list has a NULL.
    OneOf {
        operand: Box<Checked>,
        list: Arc<[Box<str>]>,
        has_null: bool,
        negated: bool,
    },
    /// The conditions are boolean; the results have the type of the whole.
    Case {
        arms: Vec<(Checked, Checked)>,
        otherwise: Option<Box<Checked>>,
    },
    Coalesce(Vec<Checked>),
    /// `GREATEST` and `LEAST`: operands of one type, NULLs are passed over.
    Extreme {
        greatest: bool,
        operands: Vec<Checked>,
    },
    /// A conversion from the operand's type to the part's.
    Cast(Box<Checked>),
    /// As [`Form::Cast`], with NULL where the conversion faults.
    TryCast(Box<Checked>),
    /// Texts, one after the other.
    Concat(Vec<Checked>),
    /// A text against a pattern; the matcher is there when the pattern and its escape are constant.
    Like {
        operand: Box<Checked>,
        pattern: Box<Checked>,
        escape: Option<Box<Checked>>,
        matcher: Option<Arc<Matcher>>,
        ignore_case: bool,
        negated: bool,
    },
    /// A function of the table, with arguments as its signature takes them.
    Call {
        /// The function's name in the table.
        name: &'static str,
        signature: &'static Signature,
        arguments: Vec<Checked>,
    },
}

impl Checked {
    /// Whether its type waits for its place.
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.form, Form::Unknown(_))
    }

    /// The quoted text whose type waits for its place.
    pub(super) fn quoted(&self) -> Option<&str> {
        match &self.form {
            Form::Unknown(text) => text.as_deref(),
            _ => None,
        }
    }

    /// The value, if it is the same in every row.
    pub(super) fn constant(&self) -> Option<&ArrayRef> {
        match &self.form {
            Form::Constant(array) => Some(array),
            _ => None,
        }
    }

    /// The parts directly below.
    pub(super) fn parts(&self) -> Vec<&Self> {
        match &self.form {
            Form::Constant(_) | Form::Unknown(_) | Form::Beyond(_) | Form::Name(_) | Form::Local(_) => Vec::new(),
            Form::Let { value, body } => vec![value, body],
            Form::Arithmetic { left, right, .. }
            | Form::Compare { left, right, .. }
            | Form::Distinct { left, right, .. } => vec![left, right],
            Form::Negate(operand)
            | Form::Not(operand)
            | Form::Is { operand, .. }
            | Form::OneOf { operand, .. }
            | Form::Cast(operand)
            | Form::TryCast(operand) => vec![operand],
            Form::And(operands)
            | Form::Or(operands)
            | Form::Coalesce(operands)
            | Form::Extreme { operands, .. }
            | Form::Concat(operands)
            | Form::Call { arguments: operands, .. } => operands.iter().collect(),
            Form::Case { arms, otherwise } => {
                let arms = arms.iter().flat_map(|(condition, result)| [condition, result]);
                arms.chain(otherwise.as_deref()).collect()
            }
            Form::Like { operand, pattern, escape, .. } => {
                [operand, pattern].into_iter().map(|part| &**part).chain(escape.as_deref()).collect()
            }
        }
    }
}
