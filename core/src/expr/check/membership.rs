//! Membership: `IN`, `BETWEEN` and `LIKE`.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Checker;
use super::fold::fold;
use super::fold::share;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::evaluate::like;
use crate::expr::functions::Kind;
use crate::expr::tree::Binary;
use crate::expr::tree::Node;
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn like(
        &mut self,
        operand: Checked,
        pattern: Checked,
        escape: Option<Checked>,
        ignore_case: bool,
        negated: bool,
        span: Span,
    ) -> Option<Checked> {
        let text = |part: &Checked| {
            let array = part.constant()?.as_string_view();
            array.is_valid(0).then(|| array.value(0).to_owned())
        };
        let character = match &escape {
            None => Some(Ok(Some('\\'))),
            Some(escape) => text(escape).map(|escape| like::escape(&escape)),
        };
        let matcher = match (text(&pattern), character) {
            (Some(pattern), Some(Ok(character))) => {
                Some(Arc::new(like::Matcher::new(&pattern, character, ignore_case)))
            }
            _ => None,
        };
        let form = Form::Like {
            operand: Box::new(operand),
            pattern: Box::new(pattern),
            escape: escape.map(Box::new),
            matcher,
            ignore_case,
            negated,
        };
        Some(fold(form, Type::Boolean, span))
    }

    pub(super) fn within(&mut self, operand: &Node, list: &[Node], negated: bool, span: Span) -> Option<Checked> {
        let operand = self.node(operand);
        self.level += 1;
        let items: Vec<_> = list.iter().map(|item| self.node(item)).collect();
        self.level -= 1;
        let (operand, items) = (operand?, items.into_iter().collect::<Option<Vec<_>>>()?);
        let common = self.common([&operand].into_iter().chain(&items), "IN", span)?;
        let ty = if common.is_text() { Type::Text } else { common };
        // Texts beside a char lose their trailing blanks as it does.
        let mut convert = |part: Checked| {
            let part = if matches!(common, Type::Char(_)) { self.convert(part, Type::Char(0))? } else { part };
            self.convert(part, ty)
        };
        let operand = convert(operand)?;
        let items: Vec<_> = items.into_iter().map(convert).collect();
        let items = items.into_iter().collect::<Option<Vec<_>>>()?;
        if ty == Type::Text && items.iter().all(|item| item.constant().is_some()) {
            let mut list = Vec::new();
            let mut has_null = false;
            for item in items.iter().filter_map(Checked::constant).map(|array| array.as_string_view()) {
                match item.is_valid(0) {
                    true => list.push(Box::from(item.value(0))),
                    false => has_null = true,
                }
            }
            list.sort_unstable();
            let form = Form::OneOf { operand: Box::new(operand), list: list.into(), has_null, negated };
            return Some(fold(form, Type::Boolean, span));
        }
        let local = self.local(&operand);
        let equals = items.into_iter().map(|item| {
            let place = item.span;
            let form = Form::Compare { operator: Binary::Equal, left: Box::new(local.clone()), right: Box::new(item) };
            fold(form, Type::Boolean, place)
        });
        let any = fold(Form::Or(equals.collect()), Type::Boolean, span);
        let body = if negated { fold(Form::Not(Box::new(any)), Type::Boolean, span) } else { any };
        Some(share(operand, body))
    }

    pub(super) fn between(
        &mut self,
        operand: &Node,
        low: &Node,
        high: &Node,
        symmetric: bool,
        negated: bool,
        span: Span,
    ) -> Option<Checked> {
        let operand = self.node(operand);
        self.level += 1;
        let (low, high) = (self.node(low), self.node(high));
        self.level -= 1;
        let (operand, low, high) = (operand?, low?, high?);
        // A quoted operand takes the type of a bound.
        let operand = match [&low, &high].into_iter().find(|bound| !bound.is_unknown()) {
            Some(bound) if operand.is_unknown() => self.as_kind(operand, Kind::of(bound.ty))?,
            _ => self.settled(operand)?,
        };
        let local = self.local(&operand);
        let mut inside = |low: Checked, high: Checked| {
            let above = self.compare(Binary::GreaterOrEqual, local.clone(), low, span);
            let below = self.compare(Binary::LessOrEqual, local.clone(), high, span);
            Some(fold(Form::And(vec![above?, below?]), Type::Boolean, span))
        };
        let mut body = match symmetric {
            false => inside(low, high)?,
            true => {
                let either = vec![inside(low.clone(), high.clone())?, inside(high, low)?];
                fold(Form::Or(either), Type::Boolean, span)
            }
        };
        if negated {
            body = fold(Form::Not(Box::new(body)), Type::Boolean, span);
        }
        Some(share(operand, body))
    }
}
