//! Predicates: conditions that are true, false or unknown.

use super::Machine;
use super::Stop;
use crate::expr::path::Chain;
use crate::expr::path::Predicate;
use crate::expr::path::item::Item;
use crate::expr::path::item::compare;

/// A test of a value, beside one from the right where there is a right.
type Test<'f, 't> = &'f mut dyn FnMut(&Item<'t>, Option<&Item<'t>>) -> Result<Option<bool>, Stop>;

impl<'t> Machine<'t> {
    /// Whether a predicate holds; `None` if that is unknown.
    pub(super) fn truth(&mut self, predicate: &'t Predicate, value: &Item<'t>) -> Result<Option<bool>, Stop> {
        self.look(1)?;
        match predicate {
            Predicate::And(left, right) => match self.truth(left, value)? {
                Some(false) => Ok(Some(false)),
                left => match self.truth(right, value)? {
                    Some(true) => Ok(left),
                    right => Ok(right),
                },
            },
            Predicate::Or(left, right) => match self.truth(left, value)? {
                Some(true) => Ok(Some(true)),
                left => match self.truth(right, value)? {
                    Some(false) => Ok(left),
                    right => Ok(right),
                },
            },
            Predicate::Not(inner) => Ok(self.truth(inner, value)?.map(|truth| !truth)),
            Predicate::IsUnknown(inner) => Ok(Some(self.truth(inner, value)?.is_none())),
            Predicate::Exists(chain) => {
                let mut all = Vec::new();
                let lax = self.search.path.lax;
                let list = (!lax).then_some(&mut all);
                let is_there = self.quietly(|machine| machine.walk(chain, 0, value, list, lax))?;
                Ok(is_there.map(|is_there| if lax { is_there } else { !all.is_empty() }))
            }
            Predicate::Compare { operator, left, right } => {
                let (operator, zone) = (*operator, self.search.zone);
                self.pairs(left, Some((right, true)), value, &mut |left, right| {
                    right.map_or(Ok(None), |right| compare(operator, left, right, zone).map_err(Stop::hard))
                })
            }
            Predicate::StartsWith { whole, beginning } => {
                self.pairs(whole, Some((beginning, false)), value, &mut |whole, beginning| {
                    let beginning = beginning.and_then(Item::as_string);
                    Ok(whole.as_string().zip(beginning).map(|(whole, beginning)| whole.starts_with(beginning)))
                })
            }
            Predicate::LikeRegex { text, pattern } => self.pairs(text, None, value, &mut |text, _| {
                text.as_string().map(|text| pattern.is_match(text)).transpose().map_err(Stop::hard)
            }),
        }
    }

    /// A part in which soft errors are no error of the search: `None`.
    fn quietly<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<Option<T>, Stop> {
        let outer = std::mem::replace(&mut self.throws, false);
        let result = f(self);
        self.throws = outer;
        match result {
            Ok(value) => Ok(Some(value)),
            Err(stop) if stop.is_hard => Err(stop),
            Err(_) => Ok(None),
        }
    }

    /// Whether a test holds for any pair of values from the left and the right. A strict path looks at all of them, and one
    /// that is unknown makes the whole unknown.
    fn pairs(
        &mut self,
        left: &'t Chain,
        right: Option<(&'t Chain, bool)>,
        value: &Item<'t>,
        test: Test<'_, 't>,
    ) -> Result<Option<bool>, Stop> {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        if self.quietly(|machine| machine.unwrapped(left, value, true, &mut lefts))?.is_none() {
            return Ok(None);
        }
        if let Some((right, unwraps)) = right
            && self.quietly(|machine| machine.unwrapped(right, value, unwraps, &mut rights))?.is_none()
        {
            return Ok(None);
        }
        let lax = self.search.path.lax;
        let (mut is_found, mut is_unknown) = (false, false);
        let mut one = |machine: &mut Self, left: &Item<'t>, right: Option<&Item<'t>>| {
            machine.look(1)?;
            match test(left, right)? {
                None if !lax => return Ok(Some(None)),
                None => is_unknown = true,
                Some(true) if lax => return Ok(Some(Some(true))),
                Some(true) => is_found = true,
                Some(false) => {}
            }
            Ok::<_, Stop>(None)
        };
        for left in &lefts {
            if right.is_none()
                && let Some(end) = one(self, left, None)?
            {
                return Ok(end);
            }
            for right in &rights {
                if let Some(end) = one(self, left, Some(right))? {
                    return Ok(end);
                }
            }
        }
        Ok(if is_unknown && !is_found { None } else { Some(is_found) })
    }
}
