//! Conditional: `CASE`, and `NULLIF`, `NVL2` and `DECODE`, which are `CASE` in other words.

use arrow_array::new_null_array;

use super::Checker;
use super::convert::constant;
use super::flip;
use super::fold::fold;
use super::fold::share;
use super::types;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::functions::Kind;
use crate::expr::tree::Binary;
use crate::expr::tree::Node;
use crate::expr::tree::Test;
use crate::types::Type;

impl Checker<'_> {
    pub(super) fn case(
        &mut self,
        operand: Option<&Node>,
        arms: &[(Node, Node)],
        otherwise: Option<&Node>,
        span: Span,
    ) -> Option<Checked> {
        let operand = match operand {
            None => None,
            Some(operand) => {
                let operand = self.node(operand)?;
                let operand = self.settled(operand)?;
                Some((self.local(&operand), operand))
            }
        };
        self.level += usize::from(operand.is_some());
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (condition, result) in arms {
            conditions.push(match &operand {
                None => self.boolean(condition, "WHEN"),
                Some((local, _)) => {
                    let place = condition.span;
                    let value = self.node(condition);
                    value.and_then(|value| self.compare(Binary::Equal, local.clone(), value, place))
                }
            });
            results.push(self.node(result));
        }
        let otherwise = otherwise.map(|otherwise| self.node(otherwise));
        self.level -= usize::from(operand.is_some());
        let conditions = conditions.into_iter().collect::<Option<Vec<_>>>()?;
        let results = results.into_iter().collect::<Option<Vec<_>>>()?;
        let otherwise = flip(otherwise)?;
        let ty = self.common(otherwise.iter().chain(&results), "CASE", span)?;
        let otherwise = flip(otherwise.map(|otherwise| self.convert(otherwise, ty)))?;
        let results = results.into_iter().map(|result| self.convert(result, ty)).collect::<Option<Vec<_>>>()?;
        let arms = conditions.into_iter().zip(results).collect();
        let body = fold(Form::Case { arms, otherwise: otherwise.map(Box::new) }, ty, span);
        Some(match operand {
            Some((_, operand)) => share(operand, body),
            None => body,
        })
    }

    pub(super) fn null_if(&mut self, nodes: &[Node], place: Span, span: Span) -> Option<Checked> {
        let [left, right] = nodes else {
            return self.wrong(Diagnostic::error(Code::Arguments, place, "`nullif` takes two arguments"));
        };
        let left = self.node(left);
        self.level += 1;
        let right = self.node(right);
        self.level -= 1;
        let (mut left, right) = (left?, right?);
        if left.is_unknown() {
            left = match right.ty {
                _ if right.is_unknown() => self.settled(left)?,
                Type::Char(_) => self.convert(left, Type::Char(0))?,
                ty => self.as_kind(left, Kind::of(ty))?,
            };
        }
        // The result has the type in which the two are compared; but whole numbers, floating-point numbers and times are
        // compared with others of theirs as they are.
        let is_time = matches!(left.ty, Type::Date | Type::Timestamp | Type::Timestamptz);
        let stays = left.ty.is_float() || is_time || left.ty.is_integer() && right.ty.is_integer();
        match types::comparable(left.ty, right.ty) {
            Some(kind) if !right.is_unknown() && !stays && kind != Kind::of(left.ty) => {
                left = self.as_kind(left, kind)?;
            }
            // A char beside a text is a text, and a varchar beside a char is one.
            Some(_) if !right.is_unknown() && matches!(left.ty, Type::Char(_)) && right.ty == Type::Text => {
                left = self.convert(left, Type::Text)?;
            }
            Some(_) if matches!((left.ty, right.ty), (Type::Varchar(_), Type::Char(_))) => {
                left = self.convert(left, Type::Char(0))?;
            }
            _ => {}
        }
        let local = self.local(&left);
        let equal = self.compare(Binary::Equal, local.clone(), right, span)?;
        let (ty, null) = (left.ty, constant(new_null_array(&left.ty.arrow(), 1), left.ty, span));
        let form = Form::Case { arms: vec![(equal, null)], otherwise: Some(Box::new(local)) };
        Some(share(left, fold(form, ty, span)))
    }

    /// `NVL2(value, where not null, where null)`.
    pub(super) fn nvl2(&mut self, nodes: &[Node], place: Span, span: Span) -> Option<Checked> {
        let [value, some, none] = nodes else {
            return self.wrong(Diagnostic::error(Code::Arguments, place, "`nvl2` takes three arguments"));
        };
        let value = self.node(value).and_then(|value| self.settled(value));
        let (some, none) = (self.node(some), self.node(none));
        let (value, some, none) = (value?, some?, none?);
        let ty = self.common([&some, &none].into_iter(), "NVL2", span)?;
        let (some, none) = (self.convert(some, ty)?, self.convert(none, ty)?);
        let form = Form::Is { operand: Box::new(value), test: Test::Null, negated: true };
        let arms = vec![(fold(form, Type::Boolean, span), some)];
        Some(fold(Form::Case { arms, otherwise: Some(Box::new(none)) }, ty, span))
    }

    /// `DECODE(value, search, result, …, default)`: the first search that is the value, NULL being NULL, decides.
    pub(super) fn decode(&mut self, nodes: &[Node], place: Span, span: Span) -> Option<Checked> {
        let [value, rest @ ..] = nodes else { return self.few_for_decode(place) };
        if rest.len() < 2 {
            return self.few_for_decode(place);
        }
        let value = self.node(value);
        self.level += 1;
        let (mut searches, mut results, mut otherwise) = (Vec::new(), Vec::new(), None);
        for pair in rest.chunks(2) {
            match pair {
                [search, result] => {
                    searches.push(self.node(search));
                    results.push(self.node(result));
                }
                [last] => otherwise = Some(self.node(last)),
                _ => {}
            }
        }
        self.level -= 1;
        let searches = searches.into_iter().collect::<Option<Vec<_>>>()?;
        // A quoted value takes the type of what it is compared with.
        let value = match (value?, searches.iter().find(|search| !search.is_unknown())) {
            (value, Some(search)) if value.is_unknown() => self.as_kind(value, Kind::of(search.ty))?,
            (value, _) => self.settled(value)?,
        };
        let local = self.local(&value);
        let conditions = searches.into_iter().map(|search| {
            let place = search.span;
            let (left, right) = self.comparable(local.clone(), search, "DECODE", place)?;
            let form = Form::Distinct { left: Box::new(left), right: Box::new(right), negated: true };
            Some(fold(form, Type::Boolean, place))
        });
        let conditions: Vec<_> = conditions.collect();
        let conditions = conditions.into_iter().collect::<Option<Vec<_>>>()?;
        let results = results.into_iter().collect::<Option<Vec<_>>>()?;
        let otherwise = flip(otherwise)?;
        let ty = self.common(results.iter().chain(&otherwise), "DECODE", span)?;
        let results = results.into_iter().map(|result| self.convert(result, ty)).collect::<Option<Vec<_>>>()?;
        let otherwise = flip(otherwise.map(|otherwise| self.convert(otherwise, ty)))?;
        let arms = conditions.into_iter().zip(results).collect();
        let body = fold(Form::Case { arms, otherwise: otherwise.map(Box::new) }, ty, span);
        Some(share(value, body))
    }

    fn few_for_decode(&mut self, place: Span) -> Option<Checked> {
        let fact = "`decode` takes a value, and a search and a result or more of them";
        self.wrong(
            Diagnostic::error(Code::Arguments, place, fact)
                .with_help("bytes are no type here: `decode(text, 'hex')` is not supported"),
        )
    }
}
