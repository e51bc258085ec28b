//! Column: the values of one field or expression over the rows of a batch, and the faults of the rows that have none.
//!
//! A batch never fails because of a row: a row that cannot have a value has a [`Fault`] instead, and stays in the batch until
//! the rows are judged.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::LargeStringArray;
use arrow_array::StringViewArray;
use arrow_buffer::NullBuffer;
use arrow_buffer::OffsetBuffer;

use crate::diagnostic::Code;

/// The values of one field or expression, one a row.
///
/// A row with a fault is NULL in `values`.
#[derive(Debug, Clone)]
pub struct Column {
    /// One value a row, in the Arrow form of the column's type.
    pub values: ArrayRef,
    /// The rows that have a fault in place of a value.
    pub faults: Faults,
}

impl Column {
    /// A column without faults.
    pub fn new(values: ArrayRef) -> Self {
        Self { values, faults: Faults::default() }
    }
}

/// Texts that are stored one after the other in a block; `ends` begins with 0. `None`: they are not UTF-8. Checking the whole
/// block takes less time than checking each text.
pub fn texts(block: Vec<u8>, ends: Vec<i64>, nulls: Option<NullBuffer>) -> Option<ArrayRef> {
    let texts = LargeStringArray::try_new(OffsetBuffer::new(ends.into()), block.into(), nulls).ok()?;
    Some(Arc::new(StringViewArray::from(&texts)))
}

/// Why a row has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault.
    pub code: Code,
    /// The fact, in one line without a full stop.
    pub message: Box<str>,
}

impl Fault {
    /// A fault of a kind, with its fact.
    pub fn new(code: Code, message: impl Into<Box<str>>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Faults by row, ascending; a row has at most one, the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<(u32, Fault)>);

impl Faults {
    /// Whether no row has a fault.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of rows with a fault.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the fault of a row that lies after every row so far; a second fault of the last row is dropped.
    pub fn push(&mut self, row: usize, fault: Fault) {
        #[expect(clippy::cast_possible_truncation, reason = "a batch has fewer than 2^32 rows")]
        let row = row as u32;
        match self.0.last() {
            Some(&(last, _)) if last == row => {}
            Some(&(last, _)) => {
                assert!(last < row, "faults are pushed in the order of the rows");
                self.0.push((row, fault));
            }
            None => self.0.push((row, fault)),
        }
    }

    /// The rows and their faults, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Fault)> {
        self.0.iter().map(|(row, fault)| (*row as usize, fault))
    }

    /// The fault of a row.
    pub fn of(&self, row: usize) -> Option<&Fault> {
        let found = self.0.binary_search_by_key(&row, |&(row, _)| row as usize).ok()?;
        Some(&self.0[found].1)
    }

    /// The faults of both; where a row has two, the left one.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        if other.is_empty() {
            return self;
        }
        if self.is_empty() {
            return other;
        }
        let mut merged = Vec::with_capacity(self.len() + other.len());
        let mut left = self.0.into_iter().peekable();
        let mut right = other.0.into_iter().peekable();
        loop {
            match (left.peek(), right.peek()) {
                (Some((l, _)), Some((r, _))) if l == r => {
                    merged.extend(left.next());
                    right.next();
                }
                (Some((l, _)), Some((r, _))) if l < r => merged.extend(left.next()),
                (_, Some(_)) => merged.extend(right.next()),
                (Some(_), None) => merged.extend(left.next()),
                (None, None) => return Self(merged),
            }
        }
    }

    /// Keeps the faults of the rows for which `keep` holds.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        self.0.retain(|&(row, _)| keep(row as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(rows: &[usize], message: &str) -> Faults {
        let mut faults = Faults::default();
        for &row in rows {
            faults.push(row, Fault::new(Code::NotAValue, message));
        }
        faults
    }

    #[test]
    fn merging_keeps_the_rows_in_order_and_the_left_fault() {
        let merged = faults(&[1, 4, 9], "left").merge(faults(&[0, 4, 10], "right"));
        let rows: Vec<_> = merged.iter().map(|(row, fault)| (row, &*fault.message)).collect();
        assert_eq!(rows, [(0, "right"), (1, "left"), (4, "left"), (9, "left"), (10, "right")]);
        assert_eq!(merged.of(4).map(|fault| &*fault.message), Some("left"));
        assert_eq!(merged.of(5), None);
    }
}
