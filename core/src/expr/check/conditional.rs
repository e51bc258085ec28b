//! Conditional: Redshift's `NVL2` and `DECODE`, which are `CASE` in other words.

use super::Checker;
use super::fold;
use super::share;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Span;
use crate::expr::checked::Checked;
use crate::expr::checked::Form;
use crate::expr::functions::Kind;
use crate::expr::tree::Node;
use crate::expr::tree::Test;
use crate::types::Type;

impl Checker<'_> {
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
        let otherwise = super::flip(otherwise)?;
        let ty = self.common(results.iter().chain(&otherwise), "DECODE", span)?;
        let results = results.into_iter().map(|result| self.convert(result, ty)).collect::<Option<Vec<_>>>()?;
        let otherwise = super::flip(otherwise.map(|otherwise| self.convert(otherwise, ty)))?;
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
