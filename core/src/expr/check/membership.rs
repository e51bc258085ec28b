//! Membership: `IN`, `BETWEEN` and `LIKE`.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::Checker;
use super::fold::fold;
use super::fold::mentions_name;
use super::fold::share;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
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
        if let (Some(Err(fault)), Some(escape)) = (&character, &escape)
            && operand.constant().is_none()
            && pattern.constant().is_none_or(|pattern| pattern.is_valid(0))
        {
            let wrong = Diagnostic::error(Code::Arguments, escape.span, fault.message.to_string());
            return self.wrong(Diagnostic { fault: Some(fault.code), ..wrong });
        }
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

    /// `LIKE` of bytes.
    pub(super) fn like_bytes(
        &mut self,
        operand: Checked,
        pattern: Checked,
        escape: Option<&Node>,
        negated: bool,
        span: Span,
    ) -> Option<Checked> {
        let pattern = match escape {
            None => pattern,
            Some(escape) => {
                let escape = self.node(escape)?;
                let escape = self.as_kind(escape, Kind::Bytea)?;
                let pattern = self.as_kind(pattern, Kind::Bytea)?;
                self.function("like_escape", span, vec![pattern, escape], span)?
            }
        };
        let name = if negated { "notlike" } else { "like" };
        self.function(name, span, vec![operand, pattern], span)
    }

    /// PostgreSQL makes one array, of one type, of the items that mention no name, if there are several; every other item is
    /// compared with the operand by itself.
    pub(super) fn within(&mut self, operand: &Node, list: &[Node], negated: bool, span: Span) -> Option<Checked> {
        let operand = self.node(operand);
        self.level += 1;
        let items: Vec<_> = list.iter().map(|item| self.node(item)).collect();
        self.level -= 1;
        let (operand, items) = (operand?, items.into_iter().collect::<Option<Vec<_>>>()?);
        let (array, alone): (Vec<_>, Vec<_>) = items.into_iter().partition(|item| !mentions_name(item));
        let common = self.common_type([&operand].into_iter().chain(&array)).filter(|_| array.len() > 1);
        let array = array.into_iter().map(|item| match common {
            Some(ty) => self.convert(item, ty),
            None => Some(item),
        });
        let array = array.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
        let is_array = alone.is_empty() && (common.is_some() || array.len() == 1);
        if is_array && let Some(found) = self.one_of(&operand, &array, negated, span) {
            return Some(found);
        }
        let local = self.local(&operand);
        let equals: Vec<_> = array
            .into_iter()
            .chain(alone)
            .map(|item| {
                let place = item.span;
                let (left, right) = self.comparable(local.clone(), item, "IN", place)?;
                let form = Form::Compare { operator: Binary::Equal, left: Box::new(left), right: Box::new(right) };
                Some(fold(form, Type::Boolean, place))
            })
            .collect();
        let any = fold(Form::Or(equals.into_iter().collect::<Option<_>>()?), Type::Boolean, span);
        let body = if negated { fold(Form::Not(Box::new(any)), Type::Boolean, span) } else { any };
        Some(if operand.is_unknown() { body } else { share(operand, body) })
    }

    /// A text among constant texts, which are all compared alike: looked up in a sorted list.
    fn one_of(&mut self, operand: &Checked, items: &[Checked], negated: bool, span: Span) -> Option<Checked> {
        let is_text = |part: &Checked| part.is_unknown() || part.ty.is_text();
        if !is_text(operand)
            || !items.iter().all(|item| is_text(item) && (item.is_unknown() || item.constant().is_some()))
        {
            return None;
        }
        let pairs = items.iter().map(|item| self.comparable(operand.clone(), item.clone(), "IN", span));
        let pairs = pairs.collect::<Vec<_>>().into_iter().collect::<Option<Vec<_>>>()?;
        let (mut list, mut has_null) = (Vec::new(), false);
        for array in pairs.iter().filter_map(|(_, item)| item.constant()).map(|array| array.as_string_view()) {
            match array.is_valid(0) {
                true => list.push(Box::from(array.value(0))),
                false => has_null = true,
            }
        }
        list.sort_unstable();
        let (operand, _) = pairs.into_iter().next()?;
        let form = Form::OneOf { operand: Box::new(operand), list: list.into(), has_null, negated };
        Some(fold(form, Type::Boolean, span))
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
        // A quoted operand takes the type of each bound, where it is compared with it.
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
        Some(if operand.is_unknown() { body } else { share(operand, body) })
    }
}
