//! Check: names are looked up, literals get their types, operators and functions are resolved, as PostgreSQL does it.
//!
//! A quoted literal is `unknown` until its place gives it a type; then it is read, and a literal that is not a value of the
//! type is a mistake in the file. Every mistake is reported: a wrong part has no type, and expressions that contain it are not
//! checked further.
//!
//! Constant parts are computed once, here. A constant part with a fault stays in the tree, and gives the fault to the rows that
//! reach it.

mod operators;
mod membership;
mod rows;
mod conditional;
mod resolve;
mod behind;
mod unknown;
mod convert;
mod fold;
mod json;
mod types;

use std::sync::Arc;

use arrow_array::BooleanArray;
use arrow_array::Int32Array;
use arrow_array::Int64Array;

use super::Context;
use super::Name;
use super::checked::Checked;
use super::checked::Form;
use super::functions::Kind;
use super::tree;
use super::tree::Binary;
use super::tree::Node;
use super::tree::Test;
use super::tree::Unary;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::types::Type;
use crate::value::Decimal;
use convert::constant;
use convert::constant_fault;
use convert::decimal_constant;
use convert::unknown;
use fold::constant_fault_of;
use fold::fold;
use rows::is_about_rows;

/// Functions whose first argument may be a unit of time as a bare word.
const OVER_UNITS: [&str; 8] =
    ["dateadd", "date_add", "datediff", "date_diff", "date_part", "datepart", "pgdate_part", "date_trunc"];

/// Checks an expression over the names in `scope`.
pub(super) fn check(node: &Node, scope: &[Name]) -> Result<(Checked, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut checker = Checker { scope, diagnostics: Vec::new(), level: 0, rows: 0 };
    let checked = checker.node(node).and_then(|checked| checker.settled(checked));
    if let Some(checked) = &checked
        && checker.is_clean()
    {
        checker.always(checked);
    }
    match checked {
        Some(checked) if checker.is_clean() => Ok((checked, checker.diagnostics)),
        _ => Err(checker.diagnostics),
    }
}

/// Whether a part is a number, with any signs before it.
fn is_signed(node: &Node) -> bool {
    match &node.kind {
        tree::Kind::Number(_) => true,
        tree::Kind::Unary { operator: Unary::Minus, operand } => is_signed(operand),
        _ => false,
    }
}

/// A number with the signs before it.
fn signed(node: &Node) -> Option<String> {
    match &node.kind {
        tree::Kind::Number(text) => Some(text.clone()),
        tree::Kind::Unary { operator: Unary::Minus, operand } => {
            let text = signed(operand)?;
            Some(text.strip_prefix('-').map_or_else(|| format!("-{text}"), str::to_owned))
        }
        _ => None,
    }
}

/// What is outside of rows is unknown while constants are computed; a part that asks for it is no constant.
const NOWHERE: Context<'static> = Context { batch_time: 0, source_name: "", record_offsets: &[] };

struct Checker<'a> {
    scope: &'a [Name],
    diagnostics: Vec<Diagnostic>,
    /// How many [`Form::Let`]s enclose the part that is being checked.
    level: usize,
    /// How many comparisons of rows enclose it.
    rows: u8,
}

impl Checker<'_> {
    fn is_clean(&self) -> bool {
        self.diagnostics.iter().all(|diagnostic| diagnostic.severity == crate::diagnostic::Severity::Warning)
    }

    /// Reports a mistake; there is no part then.
    fn wrong<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    fn node(&mut self, node: &Node) -> Option<Checked> {
        let span = node.span;
        match &node.kind {
            tree::Kind::Null => Some(unknown(None, span)),
            tree::Kind::Text(text) => Some(unknown(Some(text.clone()), span)),
            tree::Kind::Boolean(value) => {
                Some(constant(Arc::new(BooleanArray::from(vec![*value])), Type::Boolean, span))
            }
            tree::Kind::Number(text) => self.number(text, span),
            // The smallest numbers of a type have no counterpart above zero, and signs before a number belong to it.
            tree::Kind::Unary { operator: Unary::Minus, operand } if is_signed(operand) => {
                let text = signed(node)?;
                self.number(&text, span)
            }
            tree::Kind::Name { name, quoted } => self.name(name, *quoted, span),
            tree::Kind::Unary { operator: Unary::Not, operand } => {
                let operand = self.boolean(operand, "NOT")?;
                Some(fold(Form::Not(Box::new(operand)), Type::Boolean, span))
            }
            tree::Kind::Unary { operator, operand } => self.sign(*operator, operand, span),
            tree::Kind::Binary { operator: Binary::Subtract, place, left, right }
                if matches!(right.kind, tree::Kind::Array(_)) =>
            {
                let tree::Kind::Array(names) = &right.kind else { return None };
                self.without_names(left, names, *place, span)
            }
            tree::Kind::Array(_) => self.array(span),
            tree::Kind::Binary { .. } if json::is_array(node) => self.array(span),
            kind if is_about_rows(kind) => self.about_rows(node),
            tree::Kind::Binary { operator: Binary::Concat, .. } => self.chain(node),
            tree::Kind::Row(_) => {
                let wrong = Diagnostic::error(Code::Unsupported, span, "a row of values is not supported here");
                self.wrong(wrong.with_help("a row is compared with a row: `(a, b) = (c, d)`, `(a, b) IN ((1, 2))`"))
            }
            tree::Kind::Binary { operator, place, left, right } => {
                if let Some(compared) = self.compared_arrays(*operator, left, right, span) {
                    return compared;
                }
                let (left, right) = (self.node(left), self.node(right));
                self.binary(*operator, *place, left?, right?, span)
            }
            tree::Kind::And(operands) => self.logic(operands, "AND", Form::And, span),
            tree::Kind::Or(operands) => self.logic(operands, "OR", Form::Or, span),
            tree::Kind::Is { operand, test, negated } => {
                let operand = match test {
                    Test::Null => {
                        let operand = self.array_as_text(operand)?;
                        self.settled(operand)?
                    }
                    _ => self.boolean(operand, "IS")?,
                };
                Some(fold(Form::Is { operand: Box::new(operand), test: *test, negated: *negated }, Type::Boolean, span))
            }
            tree::Kind::Distinct { left, right, negated } => {
                let (left, right) = (self.node(left), self.node(right));
                let (left, right) = self.comparable(left?, right?, "IS DISTINCT FROM", span)?;
                let form = Form::Distinct { left: Box::new(left), right: Box::new(right), negated: *negated };
                Some(fold(form, Type::Boolean, span))
            }
            tree::Kind::In { operand, list, negated } => self.within(operand, list, *negated, span),
            tree::Kind::Between { operand, low, high, symmetric, negated } => {
                self.between(operand, low, high, *symmetric, *negated, span)
            }
            tree::Kind::Like { operand, pattern, escape, ignore_case, negated } => {
                let operand = self.node(operand)?;
                if operand.ty == Type::Bytea && !ignore_case {
                    let pattern = self.node(pattern)?;
                    return self.like_bytes(operand, pattern, escape.as_deref(), *negated, span);
                }
                // Beside bytes, a quoted text is bytes.
                if operand.is_unknown() && !ignore_case && escape.is_none() && is_bytes(pattern) {
                    let (operand, pattern) = (self.as_kind(operand, Kind::Bytea)?, self.node(pattern)?);
                    return self.like_bytes(operand, pattern, None, *negated, span);
                }
                let operand = self.matched(operand);
                let pattern = self.text(pattern, "LIKE");
                let escape = escape.as_ref().map(|escape| self.text(escape, "ESCAPE"));
                let (operand, pattern, escape) = (operand?, pattern?, flip(escape)?);
                self.like(operand, pattern, escape, *ignore_case, *negated, span)
            }
            tree::Kind::Case { operand, arms, otherwise } => {
                self.case(operand.as_deref(), arms, otherwise.as_deref(), span)
            }
            tree::Kind::Cast { operand, to } => {
                if let tree::Kind::Call { name, .. } = &operand.kind
                    && name == "(char)"
                    && to.is_integer()
                {
                    let wrong = Diagnostic::error(Code::Unsupported, span, "the number of a \"char\" is not supported");
                    return self.wrong(wrong.with_help("`ascii(…)` gives the number of a text's first character"));
                }
                let operand = if to.is_text() { self.array_as_text(operand)? } else { self.node(operand)? };
                self.cast(operand, *to, span)
            }
            tree::Kind::TryCast { operand, to } => {
                let operand = self.node(operand)?;
                let operand = self.settled(operand)?;
                self.try_cast(operand, *to, span)
            }
            tree::Kind::Collate(operand) => {
                let operand = self.node(operand)?;
                if operand.is_unknown() || operand.ty.is_text() {
                    return Some(Checked { span, ..operand });
                }
                let fact = format!("COLLATE takes text, not {}", operand.ty);
                self.wrong(Diagnostic::error(Code::Types, span, fact))
            }
            tree::Kind::Call { name, place, arguments } => self.call(name, *place, arguments, span),
        }
    }

    /// Reports the first constant part that faults in every row, whatever is in it.
    fn always(&mut self, part: &Checked) {
        let reached: Vec<&Checked> = match &part.form {
            Form::And(operands) | Form::Or(operands) | Form::Coalesce(operands) => operands.iter().take(1).collect(),
            Form::Case { arms, .. } => arms.iter().take(1).map(|(condition, _)| condition).collect(),
            _ => part.parts(),
        };
        for part in reached {
            self.always(part);
            if !self.is_clean() {
                return;
            }
        }
        if let Some(fault) = constant_fault_of(part) {
            self.diagnostics.push(constant_fault(&fault, part.span));
        }
    }

    fn number(&self, text: &str, span: Span) -> Option<Checked> {
        if text.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
            if let Ok(value) = text.parse::<i32>() {
                return Some(constant(Arc::new(Int32Array::from(vec![value])), Type::Integer, span));
            }
            if let Ok(value) = text.parse::<i64>() {
                return Some(constant(Arc::new(Int64Array::from(vec![value])), Type::Bigint, span));
            }
        }
        match Decimal::parse(text.as_bytes()) {
            Ok(value) => Some(decimal_constant(value, span)),
            Err(_) => Some(Checked { form: Form::Beyond(text.to_owned()), ty: Type::Numeric, nullable: false, span }),
        }
    }

    fn name(&mut self, name: &str, quoted: bool, span: Span) -> Option<Checked> {
        match self.known(name).as_slice() {
            [] => {
                let known = self.scope.iter().map(|known| known.name.as_str());
                let wrong = Diagnostic::error(Code::UnknownName, span, format!("there is no `{name}` here"));
                let wrong = wrong.with_nearest(name, known);
                self.wrong(match (&wrong.help, quoted) {
                    (_, false) => wrong,
                    (None, true) => wrong.with_help(format!("a text stands between single quotes: `'{name}'`")),
                    (Some(near), true) => {
                        let help = format!("a text stands between single quotes: `'{name}'`; or {near}");
                        wrong.with_help(help)
                    }
                })
            }
            [(position, known)] => {
                Some(Checked { form: Form::Name(*position), ty: known.ty, nullable: known.nullable, span })
            }
            [(_, first), (_, second), ..] => {
                let fact = format!("`{name}` may be `{}` or `{}`", first.name, second.name);
                let wrong = Diagnostic::error(Code::UnknownName, span, fact);
                self.wrong(wrong.with_help("write it with the letter case of the one that is meant"))
            }
        }
    }

    /// The names in scope that a name may mean: the one that is written so, or those that differ in letter case.
    fn known(&self, name: &str) -> Vec<(usize, &Name)> {
        let named = self.scope.iter().enumerate();
        match named.clone().find(|(_, known)| known.name == name) {
            Some(exact) => vec![exact],
            None => named.filter(|(_, known)| known.name.to_lowercase() == name.to_lowercase()).collect(),
        }
    }

    /// A part of boolean type: an operand of `AND`, a condition.
    fn boolean(&mut self, node: &Node, place: &str) -> Option<Checked> {
        let checked = self.node(node)?;
        self.coerced(checked, Kind::Boolean, place)
    }

    fn text(&mut self, node: &Node, place: &str) -> Option<Checked> {
        let checked = self.node(node)?;
        let checked = self.coerced(checked, Kind::Text, place)?;
        self.convert(checked, Type::Text)
    }

    /// The left operand of LIKE: a char counts with its blanks.
    fn matched(&mut self, checked: Checked) -> Option<Checked> {
        let padded = self.padded(checked)?;
        let checked = self.coerced(padded, Kind::Text, "LIKE")?;
        self.convert(checked, Type::Text)
    }

    /// The part as one of that kind, if it becomes one without being asked to.
    fn coerced(&mut self, checked: Checked, kind: Kind, place: &str) -> Option<Checked> {
        if checked.is_unknown() || Kind::of(checked.ty).becomes(kind) {
            return self.as_kind(checked, kind);
        }
        let fact = format!("{place} takes {}, not {}", kind.ty(), checked.ty);
        self.wrong(Diagnostic::error(Code::Types, checked.span, fact))
    }

    fn logic(&mut self, nodes: &[Node], word: &str, form: fn(Vec<Checked>) -> Form, span: Span) -> Option<Checked> {
        let operands: Vec<_> = nodes.iter().map(|node| self.boolean(node, word)).collect();
        Some(fold(form(operands.into_iter().collect::<Option<_>>()?), Type::Boolean, span))
    }

    /// The value of the [`Form::Let`] that is about to enclose what is checked at the next level. A constant is itself.
    fn local(&self, value: &Checked) -> Checked {
        match value.form {
            Form::Constant(_) | Form::Unknown(_) | Form::Beyond(_) => value.clone(),
            _ => Checked { form: Form::Local(self.level), ..value.clone() },
        }
    }

    fn call(&mut self, name: &str, place: Span, nodes: &[Node], span: Span) -> Option<Checked> {
        match name {
            _ if super::functions::gives_array(name) => return self.array(place),
            "[]" if nodes.first().is_some_and(json::is_array) => return self.call("(element)", place, nodes, span),
            "&&" | "@>" | "<@" => {
                if let [left, right] = nodes
                    && json::are_arrays(left, right)
                {
                    return self.asked_of_arrays(super::functions::compares_arrays(name)?, left, right, span);
                }
            }
            "(name)" => return self.as_name(nodes, span),
            "nullif" => return self.null_if(nodes, place, span),
            "nvl2" => return self.nvl2(nodes, place, span),
            "decode" if nodes.len() != 2 => return self.decode(nodes, place, span),
            "coalesce" | "nvl" | "greatest" | "least" => {
                let parts: Vec<_> = nodes.iter().map(|node| self.node(node)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>()?;
                if parts.is_empty() {
                    return self.wrong(Diagnostic::error(
                        Code::Arguments,
                        place,
                        format!("`{name}` takes one argument or more"),
                    ));
                }
                let ty = self.common(parts.iter(), name, span)?;
                let parts = parts.into_iter().map(|part| self.convert(part, ty)).collect::<Option<Vec<_>>>()?;
                let form = match name {
                    "greatest" | "least" => Form::Extreme { greatest: name == "greatest", operands: parts },
                    _ => Form::Coalesce(parts),
                };
                return Some(fold(form, ty, span));
            }
            _ => {}
        }
        // A bare word may be a unit of time, unless it is a name.
        let unit = match nodes {
            [Node { kind: tree::Kind::Name { name: unit, quoted: false }, span, .. }, _, ..]
                if OVER_UNITS.contains(&name) && self.known(unit).is_empty() =>
            {
                Some(Some(unknown(Some(unit.to_ascii_lowercase()), *span)))
            }
            _ => None,
        };
        let rest = nodes.iter().enumerate().skip(usize::from(unit.is_some()));
        let arguments: Vec<_> = unit.into_iter().chain(rest.map(|(at, _)| self.argument(name, at, nodes))).collect();
        if super::functions::find(name).or_else(|| super::functions::operator(name)).is_none() {
            // `int4(x)` and others are casts.
            if let ([argument], Some(to)) = (arguments.as_slice(), resolve::cast_name(name)) {
                return self.cast(argument.clone()?, to, span);
            }
            if behind::is_known(name) {
                return self.behind(name, place, arguments.into_iter().collect::<Option<Vec<_>>>()?, span);
            }
            return self.wrong(unknown::unknown_function(name, place));
        }
        self.function(name, place, arguments.into_iter().collect::<Option<Vec<_>>>()?, span)
    }
}

/// Whether a part is written as bytes.
fn is_bytes(node: &Node) -> bool {
    matches!(node.kind, tree::Kind::Cast { to: Type::Bytea, .. })
}

fn flip<T>(option: Option<Option<T>>) -> Option<Option<T>> {
    match option {
        None => Some(None),
        Some(Some(value)) => Some(Some(value)),
        Some(None) => None,
    }
}
