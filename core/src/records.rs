//! Records: what a reader found in a stretch of an object, before any cell has a type.
//!
//! A reader gives every record its place, and every declared field of it a [`Cell`]: a range of bytes and how it was written.
//! Cells point into the bytes as they were read (or into a side buffer if an escape had to be undone), so that reading copies
//! nothing.

use arrow_buffer::Buffer;

use crate::reject::{Place, Reason};

/// The records of one batch.
///
/// Shapes: `records` has one [`Place`] a record; `cells` is row by row, `fields` cells a record, in the order in which the
/// pipeline declares its fields.
#[derive(Debug, Clone)]
pub struct Records {
    /// The bytes that cells point into, as they were read; valid UTF-8 wherever a cell lies.
    pub data: Buffer,
    /// The bytes of cells in which an escape was undone; UTF-8.
    pub unescaped: Buffer,
    /// The number of declared fields.
    pub fields: usize,
    /// Where each record lies in the decoded stream.
    pub places: Vec<Place>,
    /// The cells, row by row.
    pub cells: Vec<Cell>,
    /// For each record, where its raw bytes begin in `data` (they are as long as its place says).
    pub raw_starts: Vec<u32>,
    /// Records that could not be split into fields, each with its reason.
    pub rejects: Vec<UnreadRecord>,
    /// How many records had fields that the pipeline does not declare.
    pub undeclared_records: u64,
}

/// A record that could not be split into fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadRecord {
    /// Where it lies.
    pub place: Place,
    /// Why.
    pub reason: Reason,
    /// Its first bytes, at most `crate::reject::RAW_BYTES_MAX` of them and one more.
    pub raw: Vec<u8>,
}

/// One field of one record: where its text lies and how it was written. Eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    start: u32,
    /// Length in the low 28 bits, [`CellKind`] in three above, and whether it lies in the side buffer in the highest.
    packed: u32,
}

/// How a field was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CellKind {
    /// It was not there: a JSON object without the key.
    Missing = 0,
    /// JSON's `null`.
    Null = 1,
    /// Bare text: an unquoted CSV field, a JSON number.
    Bare = 2,
    /// Quoted text: a quoted CSV field, a JSON string; without its quotes.
    Quoted = 3,
    /// A JSON array or object, as written.
    Nested = 4,
    /// JSON's `true` or `false`.
    Boolean = 5,
}

/// The most bytes that a cell can have.
pub(crate) const CELL_BYTES_MAX: usize = (1 << 28) - 1;

impl Cell {
    /// A field that was not there.
    pub(crate) const MISSING: Self = Self { start: 0, packed: 0 };

    /// A cell of `length` bytes (at most `CELL_BYTES_MAX`) from `start` of the data, or of the side buffer.
    pub fn new(kind: CellKind, start: usize, length: usize, in_side_buffer: bool) -> Self {
        assert!(length <= CELL_BYTES_MAX, "a record is bounded, so its cells are");
        #[expect(clippy::cast_possible_truncation, reason = "checked above; a chunk is far below 4 GiB")]
        Self {
            start: start as u32,
            packed: length as u32 | (u32::from(kind as u8) << 28) | (u32::from(in_side_buffer) << 31),
        }
    }

    /// How it was written.
    pub fn kind(self) -> CellKind {
        match (self.packed >> 28) & 0b111 {
            0 => CellKind::Missing,
            1 => CellKind::Null,
            2 => CellKind::Bare,
            3 => CellKind::Quoted,
            4 => CellKind::Nested,
            _ => CellKind::Boolean,
        }
    }

    /// Where it begins in its buffer.
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// How many bytes it has.
    pub fn len(self) -> usize {
        (self.packed & 0x0fff_ffff) as usize
    }

    /// Whether it has no bytes.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether it lies in the side buffer.
    pub(crate) fn is_unescaped(self) -> bool {
        self.packed >> 31 == 1
    }
}

impl Records {
    /// How many records have none of the declared fields.
    pub(crate) fn strange(&self) -> u64 {
        let is_missing = |cell: &Cell| cell.kind() == CellKind::Missing;
        self.cells.chunks(self.fields.max(1)).filter(|cells| cells.iter().all(is_missing)).count() as u64
    }

    /// The number of records with cells.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is no record with cells.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The cell of a field of a record.
    pub fn cell(&self, row: usize, field: usize) -> Cell {
        self.cells[row * self.fields + field]
    }

    /// The cells of one field, a record each.
    pub fn column(&self, field: usize) -> impl ExactSizeIterator<Item = Cell> {
        self.cells.get(field..).unwrap_or_default().iter().step_by(self.fields.max(1)).copied()
    }

    /// The bytes of a cell.
    #[inline]
    pub fn bytes(&self, cell: Cell) -> &[u8] {
        &self.bytes_from(cell)[..cell.len()]
    }

    /// The bytes of a cell, and what follows them in its buffer.
    #[inline]
    pub(crate) fn bytes_from(&self, cell: Cell) -> &[u8] {
        let buffer = if cell.is_unescaped() { &self.unescaped } else { &self.data };
        &buffer[cell.start()..]
    }

    /// Leaves out every record whose place is not wanted; gives the bytes of those left out.
    pub fn keep(&mut self, is_wanted: impl Fn(&Place) -> bool) -> u64 {
        let mut left_out = 0;
        let mut is_kept = |place: &Place| {
            let is_kept = is_wanted(place);
            left_out += if is_kept { 0 } else { place.length };
            is_kept
        };
        let kept: Vec<bool> = self.places.iter().map(&mut is_kept).collect();
        self.rejects.retain(|reject| is_kept(&reject.place));
        let mut rows = kept.iter().copied();
        self.places.retain(|_| rows.next().unwrap_or_default());
        let mut rows = kept.iter().copied();
        self.raw_starts.retain(|_| rows.next().unwrap_or_default());
        let fields = self.fields.max(1);
        let mut cells = kept.iter().flat_map(|&row| std::iter::repeat_n(row, fields));
        self.cells.retain(|_| cells.next().unwrap_or_default());
        // Which of the records had undeclared fields is not known any more; they were counted when they were first read.
        self.undeclared_records = 0;
        left_out
    }

    /// The record as it stands in the object.
    pub fn raw(&self, row: usize) -> &[u8] {
        let start = self.raw_starts[row] as usize;
        #[expect(clippy::cast_possible_truncation, reason = "a record lies in a buffer")]
        &self.data[start..start + self.places[row].length as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_keeps_what_it_was_made_of() {
        let cell = Cell::new(CellKind::Boolean, 4_000_000_000, CELL_BYTES_MAX, true);
        assert_eq!(
            (cell.kind(), cell.start(), cell.len(), cell.is_unescaped()),
            (CellKind::Boolean, 4_000_000_000, CELL_BYTES_MAX, true)
        );
        assert_eq!(Cell::MISSING.kind(), CellKind::Missing);
        assert_eq!(size_of::<Cell>(), 8);
    }
}
