//! Reader: the state machine that reads an object, line by line and window by window.
//!
//! ```text
//! first bytes -> byte order mark -> skipped lines -> header -> (seek the range) -> records -> done
//! ```
//!
//! A part that is skipped (a comment, a record that is too long, the line in which a range begins) may be longer than any
//! window. So skipping is a state of its own, which can begin in one window and end in another.

use std::ops::Range;

use memchr::memchr;

use crate::diagnostic::Code;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::receipt::Coverage;
use crate::reject::Place;
use crate::reject::RAW_BYTES_MAX;

use super::Compression;
use super::ReadOptions;
use super::ReadStep;
use super::batch::Batch;
use super::batch::Validity;
use super::batch::too_long;
use super::decode::Decoder;
use super::follow::Follower;
use super::follow::unclosed_rest;
use super::inflow::Inflow;
use super::scan::Scanner;
use super::scan::Stop;
use super::sniff::{self, FIRST_BYTES};

/// Neither a record nor a chunk can be larger, so that no cell can be longer than a cell can be.
const BYTES_MAX: usize = 1 << 26;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the records of a range of an object.
#[derive(Debug)]
pub struct Reader {
    options: ReadOptions,
    range: Range<u64>,
    inflow: Inflow,
    hungry: bool,
    phase: Phase,
    skip: Option<Skip>,
    scanner: Box<dyn Scanner>,
    valid: Validity,
    batch: Batch,
    coverage: Coverage,
    /// The bytes that the range turned out to own.
    owned: Option<Range<u64>>,
    /// Why the object is not whole, where a quote is open at its end.
    unclosed: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// How the stored bytes are compressed.
    Stored,
    /// What the decoded bytes begin with.
    Mark,
    /// So many lines are still to be skipped.
    Lines(u64),
    Header,
    Seek,
    Records,
    Done,
}

/// Something that is skipped to its end.
#[derive(Debug)]
struct Skip {
    what: Skipped,
    start: u64,
    /// The first bytes of a record.
    raw: Vec<u8>,
}

#[derive(Debug)]
enum Skipped {
    Line,
    Comment,
    /// The rest of a line that belongs to the range before.
    Foreign,
    /// A record, and the line on which it begins.
    Record(Follower, u64),
}

/// What bytes are counted as in the coverage.
#[derive(Clone, Copy)]
enum Share {
    Header,
    Record,
    Blank,
    Comment,
    Skipped,
}

/// What the machine does next.
enum Next {
    Go,
    Hungry,
    Full,
}

impl Reader {
    /// A reader of the records that begin in `range` of an object of `size` stored bytes.
    ///
    /// Where the object cannot be cut (`Format::is_cuttable`), the range that holds the first
    /// byte owns everything. Bounds are kept sane: a batch has at least one record, a record and a chunk have 1 byte to 64 MiB.
    pub fn new(mut options: ReadOptions, size: u64, range: Range<u64>) -> Self {
        options.batch_rows_max = options.batch_rows_max.max(1);
        options.record_bytes_max = options.record_bytes_max.clamp(1, BYTES_MAX);
        options.chunk_bytes = options.chunk_bytes.clamp(1, BYTES_MAX);
        let declared = options.compression.unwrap_or(Compression::None);
        let range = match options.format.is_cuttable(declared, options.encoding) {
            _ if size == 0 => 0..u64::MAX,
            true => range.start..range.end.min(size),
            false if range.contains(&0) => 0..u64::MAX,
            false => 0..0,
        };
        let scanner = options.format.kind().scanner(&options);
        // A later range needs the header only, and asks for it in small pieces.
        let window_end = if range.start > 0 { 0 } else { range.end };
        Self {
            inflow: Inflow::new(options.chunk_bytes, size, window_end),
            hungry: false,
            phase: if range.is_empty() { Phase::Done } else { Phase::Stored },
            skip: None,
            scanner,
            valid: Validity::default(),
            batch: Batch::new(options.fields.len(), options.batch_rows_max),
            coverage: Coverage::default(),
            owned: None,
            unclosed: None,
            options,
            range,
        }
    }

    /// Says what comes next. An error means that the object as a whole cannot be read as what it should be
    /// ([`ErrorKind::Held`]: a declared field is missing from the header, say).
    pub fn step(&mut self) -> Result<ReadStep, Error> {
        loop {
            if self.hungry {
                if let Some(range) = self.inflow.refill() {
                    return Ok(ReadStep::NeedsData(range));
                }
                self.hungry = false;
                self.valid = Validity::default();
            }
            match self.go()? {
                Next::Go if self.phase != Phase::Done => continue,
                Next::Go if self.batch.is_empty() => return Ok(self.finished()),
                Next::Hungry if self.inflow.is_last() => {
                    self.truncated();
                    continue;
                }
                Next::Hungry => {
                    self.hungry = true;
                    if self.batch.is_empty() {
                        continue;
                    }
                }
                Next::Go | Next::Full => {}
            }
            return Ok(ReadStep::Records(self.batch.take(self.inflow.window())));
        }
    }

    /// Gives the bytes that [`ReadStep::NeedsData`] asked for, or the first of them.
    pub fn push(&mut self, bytes: &[u8]) {
        self.inflow.push(bytes);
    }

    /// What the object's bytes are when they are not compressed any more, as the version of a local file tells it; nothing where
    /// only a range of them was read.
    pub fn content(&self) -> Option<String> {
        self.inflow.content()
    }

    fn go(&mut self) -> Result<Next, Error> {
        if let Some(skip) = self.skip.take() {
            return Ok(self.go_on_skipping(skip));
        }
        let rest = self.inflow.rest();
        match self.phase {
            Phase::Stored | Phase::Mark if rest.len() < FIRST_BYTES && !self.inflow.is_last() => {
                return Ok(Next::Hungry);
            }
            Phase::Stored => return self.stored(),
            Phase::Mark => {
                self.fits()?;
                let rest = self.inflow.rest();
                if rest.starts_with(MARK) {
                    self.cover(Share::Header, MARK.len() as u64);
                    self.inflow.advance(MARK.len());
                    // The line behind the mark begins with it: whoever owns the first byte owns that line.
                    let behind = MARK.len() as u64 + 1;
                    match self.range.start {
                        0 => self.range.end = self.range.end.max(behind),
                        start => self.range.start = start.max(behind),
                    }
                }
                self.phase = Phase::Lines(self.scanner.skip_lines());
            }
            Phase::Lines(0) => {
                self.phase = if self.scanner.has_header() { Phase::Header } else { Phase::Seek };
            }
            Phase::Lines(_) if rest.is_empty() => return self.no_header(),
            Phase::Lines(count) => {
                self.phase = Phase::Lines(count - 1);
                self.begin_to_skip(Skipped::Line);
            }
            Phase::Header => return self.header(),
            Phase::Seek => {
                self.phase = if self.range.is_empty() { Phase::Done } else { Phase::Records };
                if self.inflow.offset() < self.range.start {
                    self.inflow.seek(self.range.start - 1, self.range.end);
                    self.valid = Validity::default();
                    self.begin_to_skip(Skipped::Foreign);
                }
            }
            Phase::Records => return self.records(),
            Phase::Done => {}
        }
        Ok(Next::Go)
    }

    /// Looks at how the object is compressed.
    fn stored(&mut self) -> Result<Next, Error> {
        let first = first(self.inflow.rest());
        let (said, by_name) = (self.options.compression, self.options.compression_by_name);
        let compression = Compression::of_bytes(said, by_name, first).map_err(held)?;
        let has_preamble = self.scanner.has_header() || self.scanner.skip_lines() > 0;
        self.phase = if self.range.start > 0 && !has_preamble { Phase::Seek } else { Phase::Mark };
        let (encoding, expansion) = (self.options.encoding, self.options.expansion);
        let Some(decoder) = Decoder::new(compression, encoding, expansion, self.inflow.size()) else {
            return Ok(Next::Go);
        };
        // Such an object cannot be cut, and may have been, by its name.
        if !self.range.contains(&0) {
            self.phase = Phase::Done;
            return Ok(Next::Go);
        }
        self.range = 0..u64::MAX;
        self.inflow.decode(decoder);
        Ok(Next::Hungry)
    }

    /// Holds an object that begins as none of the format does.
    fn fits(&self) -> Result<(), Error> {
        let first = first(self.inflow.rest());
        if let Some(content) = sniff::content(first) {
            let advice = if content.is_utf16() { "; say `encoding: utf-16`" } else { "" };
            return Err(held(format!("the object is not UTF-8 text: its first bytes are those of {content}{advice}")));
        }
        match self.scanner.misfit(first.strip_prefix(MARK).unwrap_or(first)) {
            Some(why) => Err(held(why)),
            None => Ok(()),
        }
    }

    /// Reads the header, or one blank line before it.
    fn header(&mut self) -> Result<Next, Error> {
        let blank = match self.inflow.rest() {
            [] => return self.no_header(),
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            [b'\r'] if !self.inflow.is_last() => return Ok(Next::Hungry),
            [b'\r'] => 1,
            _ => 0,
        };
        if blank > 0 {
            self.cover(Share::Blank, blank);
            self.inflow.advance(usize::try_from(blank).unwrap_or_default());
            return Ok(Next::Go);
        }
        let mut scan = self.inflow.scan(u64::MAX);
        match self.scanner.header(&mut scan).map_err(held)? {
            None => {}
            Some(Stop::Comment) => {
                self.begin_to_skip(Skipped::Comment);
                return Ok(Next::Go);
            }
            Some(Stop::TooLong) => {
                let max = self.options.record_bytes_max;
                return Err(held(format!("the header cannot be read: it has more than {max} bytes")));
            }
            Some(_) => return Ok(Next::Hungry),
        }
        let length = scan.at - self.inflow.at();
        self.cover(Share::Header, length as u64);
        self.inflow.advance(length);
        self.phase = Phase::Seek;
        Ok(Next::Go)
    }

    fn records(&mut self) -> Result<Next, Error> {
        let mut scan = self.inflow.scan(self.range.end);
        let stop = self.scanner.records(&mut scan, &mut self.valid, &mut self.batch).map_err(held)?;
        self.coverage.records += scan.records;
        self.coverage.blank += scan.blank;
        let length = scan.at - self.inflow.at();
        self.own(length as u64);
        self.inflow.advance(length);
        match stop {
            Stop::Full => return Ok(Next::Full),
            Stop::Hungry => return Ok(Next::Hungry),
            Stop::TooLong => {
                let line = self.inflow.line_of(self.inflow.at());
                self.begin_to_skip(Skipped::Record(self.scanner.follower(), line));
            }
            Stop::Comment => self.begin_to_skip(Skipped::Comment),
            Stop::RangeEnd => self.phase = Phase::Done,
            Stop::Unclosed(quote) => {
                let behind = self.inflow.offset() - self.inflow.offset_of(quote);
                self.not_whole(self.inflow.line_of(quote), behind);
            }
        }
        Ok(Next::Go)
    }

    /// Keeps why the object is not whole: a quote is open at its end.
    fn not_whole(&mut self, line: u64, behind: u64) {
        self.phase = Phase::Done;
        self.unclosed = Some(format!(
            "the object is incomplete: the quote that opens on line {line} is not closed in the {behind} bytes from there to \
             the end; with `newlines_in_values: false` that line alone is rejected"
        ));
    }

    fn begin_to_skip(&mut self, what: Skipped) {
        self.skip = Some(Skip { what, start: self.inflow.offset(), raw: Vec::new() });
    }

    fn go_on_skipping(&mut self, mut skip: Skip) -> Next {
        let rest = self.inflow.rest();
        let end = match &mut skip.what {
            Skipped::Record(follower, _) => follower.follow(rest),
            Skipped::Line | Skipped::Comment | Skipped::Foreign => memchr(b'\n', rest).map(|at| at + 1),
        };
        let length = end.unwrap_or(rest.len());
        if let Skipped::Record(..) = skip.what {
            let room = RAW_BYTES_MAX + 1 - skip.raw.len();
            skip.raw.extend_from_slice(rest.get(..length.min(room)).unwrap_or_default());
        }
        match skip.what {
            Skipped::Line => self.cover_from(skip.start, Share::Skipped, length as u64),
            Skipped::Comment => self.cover_from(skip.start, Share::Comment, length as u64),
            Skipped::Record(..) => self.cover_from(skip.start, Share::Record, length as u64),
            Skipped::Foreign => {}
        }
        self.inflow.advance(length);
        if end.is_none() && !self.inflow.is_last() {
            self.skip = Some(skip);
            return Next::Hungry;
        }
        if let Skipped::Record(follower, line) = skip.what {
            let place = Place { offset: skip.start, length: self.inflow.offset() - skip.start };
            let wrong = match (end, self.inflow.damage(), follower.open()) {
                (None, Some(damage), _) => (Code::Truncated, format!("the object is incomplete: {damage}")),
                (None, None, Some(way)) => {
                    self.not_whole(line + way.line_ends, place.length - way.bytes);
                    unclosed_rest()
                }
                _ => too_long(place.length, self.options.record_bytes_max),
            };
            self.batch.reject(place, wrong, &skip.raw);
            if self.batch.is_full() {
                return Next::Full;
            }
        }
        Next::Go
    }

    /// The window is empty before a header was found: there is more to come, or the object has none.
    fn no_header(&mut self) -> Result<Next, Error> {
        if !self.inflow.is_last() {
            return Ok(Next::Hungry);
        }
        if self.scanner.has_header() && self.inflow.damage().is_none() {
            return Err(held(match self.inflow.offset() {
                0 => "no header was found: the object is empty".to_owned(),
                count => format!("no header was found in the {count} bytes of the object"),
            }));
        }
        self.phase = Phase::Done;
        Ok(Next::Go)
    }

    /// Rejects what is left of an object that is not as it should be, as one record, since nobody knows what it would be.
    fn truncated(&mut self) {
        let raw = self.inflow.rest();
        if !raw.is_empty() {
            let place = Place { offset: self.inflow.offset(), length: raw.len() as u64 };
            let damage = self.inflow.damage().unwrap_or("it ends early");
            self.batch.reject(place, (Code::Truncated, format!("the object is incomplete: {damage}")), raw);
            self.cover(Share::Record, place.length);
            self.inflow.advance(raw_len(place.length));
        }
        self.phase = Phase::Done;
    }

    fn finished(&self) -> ReadStep {
        let total = self.owned.as_ref().map_or(0, |owned| owned.end - owned.start);
        ReadStep::Finished {
            coverage: Coverage { total, ..self.coverage },
            incomplete: match self.inflow.damage() {
                Some(damage) => Some(format!("the object is incomplete: {damage}")),
                None => self.unclosed.clone(),
            },
        }
    }

    /// Counts the next bytes, if what begins with them is the range's.
    fn cover(&mut self, share: Share, length: u64) {
        self.cover_from(self.inflow.offset(), share, length);
    }

    /// Counts the next bytes, if what began at `start` is the range's.
    fn cover_from(&mut self, start: u64, share: Share, length: u64) {
        if !self.range.contains(&start) {
            return;
        }
        match share {
            Share::Header => self.coverage.header += length,
            Share::Record => self.coverage.records += length,
            Share::Blank => self.coverage.blank += length,
            Share::Comment => self.coverage.comments += length,
            Share::Skipped => self.coverage.skipped += length,
        }
        self.own(length);
    }

    /// Extends the bytes that the range owns by the next ones.
    fn own(&mut self, length: u64) {
        if length > 0 {
            let start = self.inflow.offset();
            let first = self.owned.as_ref().map_or(start, |owned| owned.start);
            self.owned = Some(first..start + length);
        }
    }
}

pub(super) fn first(bytes: &[u8]) -> &[u8] {
    bytes.get(..FIRST_BYTES).unwrap_or(bytes)
}

fn raw_len(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn held(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Held, message)
}
