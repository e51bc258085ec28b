//! Inflow: stored bytes in, windows of decoded bytes out.
//!
//! A window is a stretch of the object that scanners look at; it becomes an Arrow [`Buffer`], which batches share. What a
//! scanner leaves of one window (the start of a record that ends later) becomes the start of the next: only this tail is
//! copied. If a window is too small for a record, the next one is twice as large, so that a long record costs time in
//! proportion to its length, however it arrives.

use std::ops::Range;

use arrow_buffer::Buffer;
use memchr::memchr_iter;

use super::decode::Decoder;
use super::digest::Digest;
use super::scan::Scan;

/// Past the end of its range a reader needs the rest of one record only; it asks for so much at a time.
const TAIL_BYTES: u64 = 64 * 1024;

/// A window over the decoded bytes of an object, moved onwards by whoever pushes stored ones.
#[derive(Debug)]
pub(super) struct Inflow {
    chunk_bytes: usize,
    /// The window: `at` bytes of it are done with.
    window: Buffer,
    at: usize,
    /// The decoded offset of the window's first byte.
    base: u64,
    /// Line ends before the window, where it was reached without a leap.
    lines: u64,
    /// The next window as far as it has come.
    filling: Option<Filling>,
    /// The stored offset of the byte that comes next, and of the byte after the last.
    next: u64,
    size: u64,
    /// Where an uncompressed range ends; windows end there too, so that nothing is asked for in vain.
    range_end: u64,
    /// What the stored bytes go through; `None`: they are read as they are.
    decoder: Option<Decoder>,
    /// Of the stored bytes, where one reader reads them all.
    stored: Option<Digest>,
    ended: bool,
    damage: Option<String>,
}

#[derive(Debug)]
struct Filling {
    bytes: Vec<u8>,
    /// It is a window when it has so many bytes.
    target: usize,
}

impl Inflow {
    pub(super) fn new(chunk_bytes: usize, size: u64, range_end: u64) -> Self {
        Self {
            chunk_bytes,
            window: Buffer::from_vec(Vec::<u8>::new()),
            at: 0,
            base: 0,
            lines: 0,
            filling: None,
            next: 0,
            size,
            range_end,
            decoder: None,
            stored: (range_end >= size).then(Digest::default),
            ended: false,
            damage: None,
        }
    }

    /// The stored bytes of the object.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The whole window.
    pub(super) fn window(&self) -> &Buffer {
        &self.window
    }

    /// Where the bytes begin that are not done with.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The bytes that are not done with.
    pub(super) fn rest(&self) -> &[u8] {
        self.window.get(self.at..).unwrap_or_default()
    }

    /// The decoded offset of the first byte that is not done with.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Whether no byte comes after the window.
    pub(super) fn is_last(&self) -> bool {
        self.ended
    }

    /// Why the object ends where it ends, where that is not as it should be. Known when the last window is.
    pub(super) fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// The decoded offset of a place in the window.
    pub(super) fn offset_of(&self, place: usize) -> u64 {
        self.base + place as u64
    }

    /// The line of a place in the window, from 1.
    pub(super) fn line_of(&self, place: usize) -> u64 {
        let before = self.window.get(..place).unwrap_or(&self.window);
        self.lines + line_ends(before) + 1
    }

    /// The digest of what was decompressed, or else of the stored bytes where all of them were read here.
    pub(super) fn content(&self) -> Option<String> {
        let stored = || self.stored.as_ref().filter(|_| self.next == self.size).map(Digest::to_string);
        self.decoder.as_ref().and_then(Decoder::content).or_else(stored)
    }

    /// Takes what has come so far for the first bytes that go through a decoder.
    pub(super) fn decode(&mut self, mut decoder: Decoder) {
        decoder.push(&self.window);
        self.decoder = Some(decoder);
        self.window = Buffer::from_vec(Vec::<u8>::new());
        self.at = 0;
        self.ended = false;
    }

    /// A scan of the window for records that begin before an offset.
    pub(super) fn scan(&self, range_end: u64) -> Scan<'_> {
        Scan {
            window: &self.window,
            at: self.at,
            base: self.base,
            // A record that a damaged object breaks off is not ended by that.
            is_last: self.ended && self.damage.is_none(),
            range_end,
            records: 0,
            blank: 0,
        }
    }

    /// Is done with so many bytes.
    pub(super) fn advance(&mut self, count: usize) {
        self.at = (self.at + count).min(self.window.len());
    }

    /// Goes on at an offset of an uncompressed object, whatever lies between; the range ends at `range_end`.
    pub(super) fn seek(&mut self, offset: u64, range_end: u64) {
        self.range_end = range_end;
        let end = self.base + self.window.len() as u64;
        if (self.base..=end).contains(&offset) {
            self.at = usize::try_from(offset - self.base).unwrap_or(self.window.len());
            return;
        }
        self.stored = None;
        self.window = Buffer::from_vec(Vec::<u8>::new());
        self.at = 0;
        self.base = offset;
        self.next = offset;
        self.ended = offset >= self.size;
    }

    /// Moves the window onwards: what is not done with, and more. Says which stored bytes it needs for that, or `None`: the
    /// window is there.
    pub(super) fn refill(&mut self) -> Option<Range<u64>> {
        let mut filling = match self.filling.take() {
            Some(filling) => filling,
            None => self.begin(),
        };
        let needed = loop {
            if self.decoder.is_none() && self.next >= self.size {
                self.ended = true;
            }
            if filling.bytes.len() >= filling.target || self.ended {
                break None;
            }
            let missing = filling.target - filling.bytes.len();
            match &mut self.decoder {
                None => break Some(self.next..self.size.min(self.next + missing as u64)),
                Some(decoder) => match decoder.decode(&mut filling.bytes, missing) {
                    Err(damage) => {
                        self.damage = Some(damage);
                        self.ended = true;
                    }
                    Ok(true) => {}
                    Ok(false) if self.next < self.size => {
                        break Some(self.next..self.size.min(self.next + self.chunk_bytes as u64));
                    }
                    Ok(false) => {
                        let damage = decoder.end(&mut filling.bytes);
                        self.damage = self.damage.take().or(damage);
                        self.ended = true;
                    }
                },
            }
        };
        match needed {
            Some(_) => self.filling = Some(filling),
            None => self.window = Buffer::from_vec(filling.bytes),
        }
        needed
    }

    /// Takes stored bytes, at most those that were asked for; none where the object ends early.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() && self.next < self.size {
            self.damage = Some(format!("it ends after {} bytes, and {} were announced", self.next, self.size));
            self.size = self.next;
            self.ended = true;
            return;
        }
        let asked = usize::try_from(self.size - self.next).unwrap_or(usize::MAX);
        let bytes = bytes.get(..asked).unwrap_or(bytes);
        self.next += bytes.len() as u64;
        if let Some(digest) = &mut self.stored {
            digest.update(bytes);
        }
        match (&mut self.decoder, &mut self.filling) {
            (Some(decoder), _) => decoder.push(bytes),
            (None, Some(filling)) => filling.bytes.extend_from_slice(bytes),
            (None, None) => self.filling = Some(Filling { bytes: bytes.to_vec(), target: bytes.len() }),
        }
    }

    fn begin(&mut self) -> Filling {
        let tail = self.rest();
        let mut more = self.chunk_bytes.max(tail.len());
        if self.decoder.is_none() {
            let within = if self.next < self.range_end { self.range_end - self.next } else { TAIL_BYTES };
            let within = usize::try_from(within.min(self.size - self.next)).unwrap_or(usize::MAX);
            more = more.min(within.max(tail.len()));
        }
        let mut bytes = Vec::with_capacity(tail.len() + more);
        bytes.extend_from_slice(tail);
        let target = bytes.len() + more;
        self.lines += line_ends(self.window.get(..self.at).unwrap_or_default());
        self.base += self.at as u64;
        self.at = 0;
        self.window = Buffer::from_vec(Vec::<u8>::new());
        Filling { bytes, target }
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}
