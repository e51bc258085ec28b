//! Split: a window that is read in parts, by a whole number that its rows have. The parts are those of one snapshot: the connection that
//! has it reads them one after the other, or shows it to others where the server can do that without a right.

use super::{Landing, State};
use crate::error::Error;
use crate::source::database::{Part, Range, Split};

/// How others come to see the snapshot of a landing, to read its parts at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// What each of them runs first.
    pub begin: Vec<String>,
    /// What the landing itself runs now and then meanwhile, so that its transaction stays.
    pub alive: String,
    /// How many read at once.
    pub connections: usize,
}

impl<'a> Landing<'a> {
    /// What comes before the rows of a range.
    pub(super) fn before_rows(&mut self, range: Option<(Range, bool)>) -> State {
        self.parts.clear();
        self.snapshot = None;
        if self.reads.split.is_some() { State::Divide(range) } else { State::Land(range) }
    }

    /// Takes the least and the greatest number.
    pub(super) fn divided(&mut self, extremes: Option<(String, String)>, range: Option<(Range, bool)>) -> State {
        if let Some((split, (least, greatest))) = self.reads.split.as_ref().zip(extremes)
            && let (Ok(least), Ok(greatest)) = (least.parse(), greatest.parse())
        {
            self.parts = parts(split, least, greatest);
        }
        let is_shared = self.connections() > 1 && self.parts.len() > 1 && self.statements.share().is_some();
        if is_shared { State::Share(range) } else { State::Land(range) }
    }

    /// Refuses a column that is no whole number.
    pub(super) fn is_divisible(&self, found: &str) -> Result<(), Error> {
        let Some(Split { by, .. }) = &self.reads.split else { return Ok(()) };
        if self.statements.cursor_type(found) == Some(super::CursorType::Number) {
            return Ok(());
        }
        Err(super::refused(format!("`split` is by `{by}`, which is of type {found}; it must be a whole number")))
    }

    /// How others come to see the snapshot, where it is shown to them.
    pub(super) fn shared(&self) -> Option<Shared> {
        let snapshot = self.snapshot.as_ref()?;
        let begin = self.statements.settings().into_iter().chain(self.statements.sharing(snapshot)).collect();
        Some(Shared { begin, alive: super::ALIVE.to_owned(), connections: self.connections() })
    }

    fn connections(&self) -> usize {
        self.reads.split.as_ref().map_or(1, |split| split.connections)
    }
}

/// Parts of about as many numbers each, in their order.
fn parts(split: &Split, least: i128, greatest: i128) -> Vec<Part<'_>> {
    let numbers = greatest - least + 1;
    let count = numbers.min(i128::from(split.into)).max(1);
    let bound = |at: i128| (0 < at && at < count).then(|| least + numbers * at / count);
    (0..count).map(|at| Part { by: &split.by, from: bound(at), until: bound(at + 1) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_each_other_and_leave_nothing_out() {
        let split = |into| Split { by: "id".to_owned(), into, connections: 1 };
        let bounds = |into, least, greatest| {
            parts(&split(into), least, greatest).iter().map(|part| (part.from, part.until)).collect::<Vec<_>>()
        };
        assert_eq!(bounds(3, 1, 9), [(None, Some(4)), (Some(4), Some(7)), (Some(7), None)]);
        assert_eq!(bounds(4, -2, -1), [(None, Some(-1)), (Some(-1), None)]);
        assert_eq!(bounds(8, 5, 5), [(None, None)]);
        let (least, greatest) = (i128::from(i64::MIN), i128::from(u64::MAX));
        for all in [bounds(64, least, greatest), bounds(7, least, 0)] {
            assert!(all.windows(2).all(|two| two[0].1.is_some() && two[0].1 == two[1].0 && two[0].0 < two[0].1));
            assert_eq!((all.first().map(|part| part.0), all.last().map(|part| part.1)), (Some(None), Some(None)));
        }
    }
}
