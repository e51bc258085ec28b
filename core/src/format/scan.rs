//! Scan: where a scanner stands in a window, what it counted, and why it stopped.

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
    /// A record has a field that the pipeline does not declare, and the object is held for it.
    Undeclared,
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
