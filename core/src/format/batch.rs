//! Batch: collects the records that a scanner finds, until there are enough to return.

use std::str;

use arrow_buffer::Buffer;

use crate::diagnostic::Code;
use crate::records::Cell;
use crate::records::Records;
use crate::records::UnreadRecord;
use crate::reject::Place;
use crate::reject::RAW_BYTES_MAX;
use crate::reject::Reason;
use crate::reject::Subject;

/// The records of the batch that is being read.
#[derive(Debug)]
pub(super) struct Batch {
    fields: usize,
    rows_max: usize,
    pub(super) unescaped: Vec<u8>,
    places: Vec<Place>,
    cells: Vec<Cell>,
    raw_starts: Vec<u32>,
    rejects: Vec<UnreadRecord>,
    pub(super) undeclared_records: u64,
}

/// What can be wrong with the form of a record: a code and its fact.
pub(super) type Wrong = (Code, String);

impl Batch {
    pub(super) fn new(fields: usize, rows_max: usize) -> Self {
        Self {
            fields,
            rows_max,
            unescaped: Vec::new(),
            places: Vec::new(),
            cells: Vec::new(),
            raw_starts: Vec::new(),
            rejects: Vec::new(),
            undeclared_records: 0,
        }
    }

    /// Whether it has all the records that it may have.
    pub(super) fn is_full(&self) -> bool {
        self.places.len() + self.rejects.len() >= self.rows_max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.rejects.is_empty()
    }

    /// Adds a record whose cells follow one another in `cells`.
    #[inline]
    pub(super) fn push(&mut self, place: Place, start: usize, cells: impl IntoIterator<Item = Cell>) {
        self.cells.extend(cells);
        self.places.push(place);
        #[expect(clippy::cast_possible_truncation, reason = "a window is far below 4 GiB")]
        self.raw_starts.push(start as u32);
    }

    /// Adds a record that cannot be split into fields; `raw` begins with its bytes.
    pub(super) fn reject(&mut self, place: Place, (code, message): Wrong, raw: &[u8]) {
        let raw = raw.get(..RAW_BYTES_MAX + 1).unwrap_or(raw).to_vec();
        let reason = Reason { code, subject: Subject::Record, message };
        self.rejects.push(UnreadRecord { place, reason, raw });
    }

    /// Hands out what there is, with the window that cells point into, and begins anew.
    pub(super) fn take(&mut self, window: &Buffer) -> Records {
        let next = Self {
            places: Vec::with_capacity(self.places.len()),
            cells: Vec::with_capacity(self.cells.len()),
            raw_starts: Vec::with_capacity(self.raw_starts.len()),
            ..Self::new(self.fields, self.rows_max)
        };
        let full = std::mem::replace(self, next);
        Records {
            data: window.clone(),
            unescaped: Buffer::from_vec(full.unescaped),
            fields: full.fields,
            places: full.places,
            cells: full.cells,
            raw_starts: full.raw_starts,
            rejects: full.rejects,
            undeclared_records: full.undeclared_records,
        }
    }
}

/// How much of a window is known to be UTF-8.
///
/// A window is validated in one go, which is fast; only what stands around an invalid byte is looked at again. Records
/// begin and end at ASCII characters, so a record within a valid stretch is valid.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Validity {
    from: usize,
    to: usize,
}

impl Validity {
    /// The place of the first byte, counted from the record's, that is not UTF-8; `None`: the record is valid.
    #[inline]
    pub(super) fn fault(&mut self, window: &[u8], start: usize, end: usize) -> Option<usize> {
        if self.from <= start && end <= self.to { None } else { self.look(window, start, end) }
    }

    #[cold]
    fn look(&mut self, window: &[u8], start: usize, end: usize) -> Option<usize> {
        let bytes = window.get(start..).unwrap_or_default();
        let valid = match str::from_utf8(bytes) {
            Ok(_) => bytes.len(),
            Err(error) => error.valid_up_to(),
        };
        (self.from, self.to) = (start, start + valid);
        (self.to < end).then_some(valid)
    }
}

/// The reject of a record that is not UTF-8 from a byte on.
pub(super) fn not_utf8(at: usize, byte: Option<u8>) -> Wrong {
    let letter = byte.map(char::from).filter(|&letter| letter.is_alphabetic() && letter != 'ÿ');
    let guess = letter.map(|letter| format!("; as `encoding: windows-1252` it is `{letter}`")).unwrap_or_default();
    (Code::NotUtf8, format!("byte {} of the record is not UTF-8{guess}", at + 1))
}

/// The reject of a record that is too long.
pub(super) fn too_long(length: u64, max: usize) -> Wrong {
    (Code::RecordTooLong, format!("has {length} bytes, a record may have {max}"))
}
