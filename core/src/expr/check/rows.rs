//! Rows: `(a, b) = (c, d)`, `(a, b) IN ((1, 2), (3, 4))`, `(a, b) IS NULL`: rows of values, compared value by value.
//!
//! A row is not a value of its own. An operation on rows becomes operations on their values, as in section 9.24.5 of
//! PostgreSQL's manual: rows are equal if all their values are, differ if one pair does, and are ordered by the first pair that
//! differs.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::BooleanArray;
use arrow_array::cast::AsArray;

use super::Checker;
use super::convert::constant;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::tree::Binary;
use crate::expr::tree::Kind;
use crate::expr::tree::Node;
use crate::expr::tree::Test;
use crate::expr::tree::Unary;
use crate::types::Type;

/// The most values of a row; each but the last is a level of what is asked.
const VALUES_MAX: usize = 32;

/// How deep rows stand in the values of rows. What is asked of a row names its values more than once, and so each level
/// doubles the work.
const NESTING_MAX: u8 = 2;

/// Whether a part asks something of a row of values.
pub(super) fn is_about_rows(kind: &Kind) -> bool {
    match kind {
        Kind::Binary { operator, left, right, .. } => operator.compares() && (is_row(left) || is_row(right)),
        Kind::Distinct { left, right, .. } => is_row(left) || is_row(right),
        Kind::In { operand, .. } | Kind::Between { operand, .. } | Kind::Is { operand, .. } => is_row(operand),
        _ => false,
    }
}

fn is_row(node: &Node) -> bool {
    matches!(node.kind, Kind::Row(_))
}

impl Checker<'_> {
    /// What is asked of a row of values, asked of its values.
    pub(super) fn about_rows(&mut self, node: &Node) -> Option<Checked> {
        if self.rows == NESTING_MAX {
            let fact = "comparisons of rows are nested too deep";
            return self.wrong(Diagnostic::error(Code::Unsupported, node.span, fact));
        }
        let span = node.span;
        // PostgreSQL computes an order of rows, and a test of a row of constants, when it comes to it, and not before there are
        // rows.
        let is_late = match &node.kind {
            Kind::Binary { operator, .. } => !matches!(operator, Binary::Equal | Binary::NotEqual),
            Kind::Is { operand, .. } => self.is_constant_row(operand),
            _ => false,
        };
        let asked = match &node.kind {
            Kind::Binary { operator, place, left, right } => self.compared_rows(*operator, *place, left, right, span),
            Kind::Distinct { left, right, negated } => self.distinct_rows(left, right, *negated, span),
            Kind::In { operand, list, negated } => self.row_within(operand, list, *negated, span),
            Kind::Between { operand, low, high, symmetric, negated } => {
                Some(row_between(operand, low, high, *symmetric, *negated, span))
            }
            Kind::Is { operand, test, negated } => self.null_row(operand, *test, *negated, span),
            _ => None,
        }?;
        // `BETWEEN` asks for two comparisons of the same rows, which are looked at in turn.
        let levels = u8::from(!matches!(node.kind, Kind::Between { .. }));
        self.rows += levels;
        let from = self.diagnostics.len();
        let checked = self.node(&asked);
        self.rows -= levels;
        // A value that is named twice is wrong once.
        let mut told = Vec::new();
        for diagnostic in self.diagnostics.split_off(from) {
            if !told.contains(&diagnostic) {
                told.push(diagnostic);
            }
        }
        self.diagnostics.append(&mut told);
        let checked = checked?;
        Some(match checked.constant().map(AsArray::as_boolean) {
            Some(value) if is_late => {
                let opposite = value.is_valid(0).then(|| !value.value(0));
                let not = constant(Arc::new(BooleanArray::from(vec![opposite])), Type::Boolean, span);
                Checked { form: Form::Not(Box::new(not)), ..checked }
            }
            _ => checked,
        })
    }

    /// Whether a row has constants only.
    fn is_constant_row(&mut self, row: &Node) -> bool {
        let Kind::Row(values) = &row.kind else { return false };
        values.iter().all(|value| self.is_constant(value))
    }

    /// Whether a part is the same for all rows. What is wrong with it is not said here.
    fn is_constant(&mut self, node: &Node) -> bool {
        let told = self.diagnostics.len();
        let checked = self.node(node);
        self.diagnostics.truncate(told);
        checked.is_some_and(|part| part.is_unknown() || part.constant().is_some())
    }

    /// Whether a comparison is NULL for all rows.
    fn is_never_decided(&mut self, comparison: &Node) -> bool {
        let told = self.diagnostics.len();
        let checked = self.node(comparison);
        self.diagnostics.truncate(told);
        checked.and_then(|part| part.constant().map(|value| value.is_null(0))).unwrap_or(false)
    }

    /// Two rows compared, as what it means for their values.
    fn compared_rows(&mut self, operator: Binary, place: Span, left: &Node, right: &Node, span: Span) -> Option<Node> {
        let pairs = self.pairs(left, right, span)?;
        let compare = |operator, (left, right): &(Node, Node)| {
            let kind = Kind::Binary { operator, place, left: Box::new(left.clone()), right: Box::new(right.clone()) };
            Node { kind, span, depth: left.depth.max(right.depth).saturating_add(1) }
        };
        let all = |operator| pairs.iter().map(|pair| compare(operator, pair)).collect();
        let strict = match operator {
            Binary::Equal => return Some(gathered(Kind::And(all(Binary::Equal)), span)),
            Binary::NotEqual => return Some(gathered(Kind::Or(all(Binary::NotEqual)), span)),
            Binary::Less | Binary::LessOrEqual => Binary::Less,
            _ => Binary::Greater,
        };
        // From the last pair backwards: an earlier one decides, or is equal and leaves it to those behind it, which are looked
        // at then only.
        let mut behind: Option<Node> = None;
        for pair in pairs.iter().rev() {
            let equal = compare(Binary::Equal, pair);
            behind = Some(match behind {
                // Both values are computed before one is found to be NULL.
                _ if !is_row(&pair.0) && !is_row(&pair.1) && self.is_never_decided(&equal) => {
                    Node::computed(vec![pair.0.clone(), pair.1.clone()], None, span)
                }
                None => compare(operator, pair),
                Some(behind) => {
                    let decides = compare(strict, pair);
                    let depth = equal.depth.max(decides.depth).max(behind.depth).saturating_add(1);
                    let arms = vec![(equal, behind)];
                    let kind = Kind::Case { operand: None, arms, otherwise: Some(Box::new(decides)) };
                    Node { kind, span, depth }
                }
            });
        }
        behind
    }

    /// Whether one row is among others.
    fn row_within(&mut self, operand: &Node, list: &[Node], negated: bool, span: Span) -> Option<Node> {
        let equal = |item: &Node| self.compared_rows(Binary::Equal, item.span, operand, item, span);
        let equals: Vec<_> = list.iter().map(equal).collect();
        let any = gathered(Kind::Or(equals.into_iter().collect::<Option<_>>()?), span);
        Some(if negated { not(any) } else { any })
    }

    /// Whether two rows differ, NULL being a value like others.
    fn distinct_rows(&mut self, left: &Node, right: &Node, negated: bool, span: Span) -> Option<Node> {
        let pairs = self.pairs(left, right, span)?.into_iter().map(|(left, right)| {
            let depth = left.depth.max(right.depth).saturating_add(1);
            let kind = Kind::Distinct { left: Box::new(left), right: Box::new(right), negated: false };
            Node { kind, span, depth }
        });
        let any = gathered(Kind::Or(pairs.collect()), span);
        Some(if negated { not(any) } else { any })
    }

    /// `IS NULL`: whether all values are; `IS NOT NULL`: whether none is.
    fn null_row(&mut self, row: &Node, test: Test, negated: bool, span: Span) -> Option<Node> {
        let Kind::Row(values) = &row.kind else { return None };
        if test != Test::Null {
            return self.wrong(Diagnostic::error(Code::Types, span, "a row of values is not true or false"));
        }
        let each = values.iter().map(|value| {
            let kind = Kind::Is { operand: Box::new(value.clone()), test, negated };
            Node { kind, span, depth: value.depth.saturating_add(1) }
        });
        Some(gathered(Kind::And(each.collect()), span))
    }

    /// The values of two rows side by side.
    fn pairs(&mut self, left: &Node, right: &Node, span: Span) -> Option<Vec<(Node, Node)>> {
        let (Kind::Row(lefts), Kind::Row(rights)) = (&left.kind, &right.kind) else {
            let wrong = Diagnostic::error(Code::Types, span, "a row of values is compared with a row only");
            return self.wrong(wrong.with_help("write both sides as rows: `(a, b) = (c, d)`"));
        };
        if lefts.len() != rights.len() || lefts.len() > VALUES_MAX {
            let fact = match lefts.len() == rights.len() {
                true => format!("a row has more than {VALUES_MAX} values"),
                false => format!("the rows have {} and {} values", lefts.len(), rights.len()),
            };
            return self.wrong(Diagnostic::error(Code::Types, span, fact));
        }
        Some(lefts.iter().cloned().zip(rights.iter().cloned()).collect())
    }
}

/// An `AND` or `OR` of parts; of one part it is the part.
fn gathered(kind: Kind, span: Span) -> Node {
    let depth = match &kind {
        Kind::And(parts) | Kind::Or(parts) => parts.iter().map(|part| part.depth).max().unwrap_or(0),
        _ => 0,
    };
    Node { kind, span, depth: depth.saturating_add(1) }
}

/// `BETWEEN`: at or after one row and at or before another, in either order if `symmetric`.
fn row_between(operand: &Node, low: &Node, high: &Node, symmetric: bool, negated: bool, span: Span) -> Node {
    let compare = |operator, bound: &Node| {
        let (left, right) = (Box::new(operand.clone()), Box::new(bound.clone()));
        let depth = left.depth.max(right.depth).saturating_add(1);
        Node { kind: Kind::Binary { operator, place: bound.span, left, right }, span: bound.span, depth }
    };
    let inside = |low, high| {
        let both = vec![compare(Binary::GreaterOrEqual, low), compare(Binary::LessOrEqual, high)];
        gathered(Kind::And(both), span)
    };
    let between = match symmetric {
        false => inside(low, high),
        true => gathered(Kind::Or(vec![inside(low, high), inside(high, low)]), span),
    };
    if negated { not(between) } else { between }
}

fn not(operand: Node) -> Node {
    let (span, depth) = (operand.span, operand.depth.saturating_add(1));
    Node { kind: Kind::Unary { operator: Unary::Not, operand: Box::new(operand) }, span, depth }
}
