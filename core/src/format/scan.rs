//! Scan: what a scanner does, its position in a window, what it has counted, and why it stopped.

use std::fmt::Debug;

use super::batch::Batch;
use super::batch::Validity;
use super::follow::Follower;

/// Finds the records of one window after the other, as its format has them.
pub(super) trait Scanner: Debug + Send {
    /// How many lines before everything else are not read.
    fn skip_lines(&self) -> u64 {
        0
    }

    /// Why what an object begins with, behind a byte order mark, cannot be of the format; `None`: nothing speaks against it.
    /// These are its first bytes, at most [`FIRST_BYTES`](super::sniff::FIRST_BYTES) of them.
    fn misfit(&self, _first: &[u8]) -> Option<String> {
        None
    }

    /// Whether a header stands before the records.
    fn has_header(&self) -> bool {
        false
    }

    /// Reads the header at `scan.at`, which is not a blank line; or says why it stopped before its end. An error is why the
    /// object is held.
    fn header(&mut self, _scan: &mut Scan<'_>) -> Result<Option<Stop>, String> {
        Ok(None)
    }

    /// Reads records from `scan.at` into the batch. An error is why the object is held.
    fn records(&mut self, scan: &mut Scan<'_>, valid: &mut Validity, batch: &mut Batch) -> Result<Stop, String>;

    /// What finds the end of a record that is too long, from its first byte.
    fn follower(&self) -> Follower;
}

/// A scanner's place in a window.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    pub(super) window: &'a [u8],
    /// Where the next record begins.
    pub(super) at: usize,
    /// The decoded offset of the window's first byte.
    pub(super) base: u64,
    /// Whether the object ends with the window.
    pub(super) is_last: bool,
    /// A record that begins here or later belongs to another range. Places in the window; may lie outside.
    pub(super) range_end: u64,
    /// Bytes of records and of blank lines so far.
    pub(super) records: u64,
    pub(super) blank: u64,
}

/// Why a scanner stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The batch has all the records that it may have.
    Full,
    /// The window holds no whole record any more.
    Hungry,
    /// The record that begins here is longer than a record may be.
    TooLong,
    /// A comment begins here.
    Comment,
    /// What begins here belongs to another range, or the object ends here.
    RangeEnd,
    /// The quote that opens at this place of the window is not closed before the object ends, and the record is all the rest.
    Unclosed(usize),
}

impl Scan<'_> {
    /// Whether what begins here belongs to another range.
    #[inline(always)]
    pub(super) fn is_past_range(&self) -> bool {
        self.base + self.at as u64 >= self.range_end
    }

    /// What the bytes that are left mean, when no record ends in them.
    pub(super) fn unfinished(&self, record_bytes_max: usize) -> Stop {
        let left = self.window.len() - self.at;
        match self.is_last {
            true if left == 0 => Stop::RangeEnd,
            _ if left > record_bytes_max => Stop::TooLong,
            _ => Stop::Hungry,
        }
    }
}
