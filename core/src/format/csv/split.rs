//! Splitter: finds the records of a window, and the fields of each.

use crate::diagnostic::Code;
use crate::records::Cell;
use crate::records::CellKind;
use crate::reject::Place;

use super::CsvFormat;
use super::blocks::Marks;
use super::header::Binding;
use crate::format::batch::Batch;
use crate::format::batch::Validity;
use crate::format::batch::Wrong;
use crate::format::batch::not_utf8;
use crate::format::batch::too_long;
use crate::format::follow::unclosed_rest;
use crate::format::scan::Scan;
use crate::format::scan::Stop;

/// Finds the records of a window.
#[derive(Debug)]
pub(super) struct Splitter {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    keep_stray_quotes: bool,
    comment: Option<u8>,
    nulls: Vec<Vec<u8>>,
    /// The kind of a quoted cell. As a bare one it may mean NULL.
    quoted_kind: CellKind,
    fill_record: bool,
    newlines_in_values: bool,
    record_bytes_max: usize,
    /// The cells of the record that is being read, one for each of its fields, declared or not.
    row: Vec<Cell>,
}

/// How a record ends.
struct End {
    /// The byte after its line end.
    next: usize,
    fault: Option<Malformed>,
}

#[derive(Clone, Copy)]
enum Malformed {
    AfterQuote(usize),
    Stray(usize),
    Escape(usize),
    Unclosed(usize),
}

/// A text in which an escape was undone: it is copied from the window into the side buffer, bit by bit.
#[derive(Clone, Copy)]
struct Copied {
    /// Where it begins in the side buffer.
    side: usize,
    /// Where the text begins in the window that was not copied yet.
    from: usize,
}

/// What stands behind an escape.
enum Behind {
    /// So many bytes that are text.
    Text(usize),
    /// The end of the line or of the object.
    End,
    /// The window ends first.
    Open,
}

/// How a quoted field ends.
enum Close {
    Delimiter(usize),
    Record(End),
    /// The field goes on as bare text.
    Text(usize),
    /// It does not end in the window.
    Open,
}

impl Splitter {
    pub(super) fn new(format: &CsvFormat, record_bytes_max: usize) -> Self {
        Self {
            delimiter: format.delimiter,
            quote: format.quote,
            escape: format.escape,
            keep_stray_quotes: format.keep_stray_quotes,
            nulls: format.nulls.iter().map(|text| text.as_bytes().to_vec()).collect(),
            quoted_kind: if format.quoted_nulls { CellKind::Bare } else { CellKind::Quoted },
            comment: format.comment,
            fill_record: format.fill_record,
            newlines_in_values: format.newlines_in_values,
            record_bytes_max,
            row: Vec::new(),
        }
    }

    /// Reads records from `scan.at` into the batch, each as the binding says.
    pub(super) fn records(
        &mut self,
        scan: &mut Scan<'_>,
        valid: &mut Validity,
        binding: &Binding,
        batch: &mut Batch,
    ) -> Stop {
        let [delimiter, quote, line_end] = self.signs();
        let (window, at) = (scan.window, scan.at);
        match self.escape {
            None => {
                let marks = Marks::new(window, at, [delimiter, quote, line_end]);
                self.records_between(marks, scan, valid, binding, batch)
            }
            Some(escape) => {
                let marks = Marks::new(window, at, [delimiter, quote, line_end, escape]);
                self.records_between(marks, scan, valid, binding, batch)
            }
        }
    }

    // A function of its own, so that its few variables stay in registers.
    #[inline(never)]
    fn records_between<const KINDS: usize>(
        &mut self,
        mut marks: Marks<'_, KINDS>,
        scan: &mut Scan<'_>,
        valid: &mut Validity,
        binding: &Binding,
        batch: &mut Batch,
    ) -> Stop {
        loop {
            if let Some(stop) = self.stop(scan) {
                return stop;
            }
            if batch.is_full() {
                return Stop::Full;
            }
            let start = scan.at;
            let side = batch.unescaped.len();
            let Some(end) = self.record(scan, &mut marks, &mut batch.unescaped) else {
                batch.unescaped.truncate(side);
                return scan.unfinished(self.record_bytes_max);
            };
            scan.at = end.next;
            let length = end.next - start;
            if self.row.is_empty() {
                scan.blank += length as u64;
                continue;
            }
            if self.fill_record && end.fault.is_none() && self.row.len() < binding.columns {
                self.row.resize(binding.columns, Cell::MISSING);
            }
            scan.records += length as u64;
            let place = Place { offset: scan.base + start as u64, length: length as u64 };
            if length > self.record_bytes_max
                || end.fault.is_some()
                || self.row.len() != binding.columns
                || binding.is_refused
                || valid.fault(scan.window, start, end.next).is_some()
            {
                let wrong = self.wrong(scan, valid, binding, start, &end);
                batch.unescaped.truncate(side);
                batch.reject(place, wrong, scan.window.get(start..end.next).unwrap_or_default());
                match end.fault {
                    Some(Malformed::Unclosed(at)) if self.newlines_in_values => return Stop::Unclosed(start + at),
                    _ => continue,
                }
            }
            if binding.is_straight {
                batch.push(place, start, self.row.iter().copied());
            } else {
                let cell = |&column: &usize| self.row.get(column).copied().unwrap_or(Cell::MISSING);
                batch.push(place, start, binding.column_of.iter().map(cell));
            }
            batch.undeclared_records += u64::from(binding.has_undeclared);
        }
    }

    /// Reads the header: the texts of the record at `scan.at`, which is not blank; or what is wrong with it.
    pub(super) fn header(&mut self, scan: &mut Scan<'_>) -> Result<Result<Vec<String>, Wrong>, Stop> {
        if let Some(stop) = self.stop(scan) {
            return Err(stop);
        }
        let start = scan.at;
        let mut unescaped = Vec::new();
        let [delimiter, quote, line_end] = self.signs();
        // There are few headers: where there is no escape, another mark stands for it.
        let marks = [delimiter, quote, line_end, self.escape.unwrap_or(delimiter)];
        let mut marks = Marks::new(scan.window, start, marks);
        let Some(end) = self.record(scan, &mut marks, &mut unescaped) else {
            return Err(scan.unfinished(self.record_bytes_max));
        };
        scan.at = end.next;
        if end.next - start > self.record_bytes_max {
            return Err(Stop::TooLong);
        }
        let mut valid = Validity::default();
        if end.fault.is_some() {
            let binding = Binding::by_position(self.row.len());
            return Ok(Err(self.wrong(scan, &mut valid, &binding, start, &end)));
        }
        if let Some(at) = valid.fault(scan.window, start, end.next) {
            return Ok(Err(not_utf8(at, scan.window.get(start + at).copied())));
        }
        let text = |cell: &Cell| {
            let buffer = if cell.is_unescaped() { unescaped.as_slice() } else { scan.window };
            let bytes = buffer.get(cell.start()..cell.start() + cell.len()).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        Ok(Ok(self.row.iter().map(text).collect()))
    }

    /// What is told from text everywhere. Without a quote there is no third sign; the delimiter twice means the same.
    fn signs(&self) -> [u8; 3] {
        [self.delimiter, self.quote.unwrap_or(self.delimiter), b'\n']
    }

    /// Why no record begins here, if none does.
    #[inline(always)]
    fn stop(&self, scan: &Scan<'_>) -> Option<Stop> {
        let first = scan.window.get(scan.at).copied();
        match first {
            _ if scan.is_past_range() => Some(Stop::RangeEnd),
            None => Some(scan.unfinished(self.record_bytes_max)),
            Some(first) if self.comment == Some(first) => Some(Stop::Comment),
            Some(_) => None,
        }
    }

    /// Splits the record at `scan.at` into `self.row`; a blank line leaves that empty. `None`: the window ends first.
    ///
    /// A fourth kind of mark is the escape.
    #[inline(always)]
    fn record<const KINDS: usize>(
        &mut self,
        scan: &Scan<'_>,
        marks: &mut Marks<'_, KINDS>,
        unescaped: &mut Vec<u8>,
    ) -> Option<End> {
        let window = scan.window;
        let start = scan.at;
        let delimiter = self.delimiter;
        let is_quote = self.quote == Some(delimiter);
        let mut field = start;
        let mut copied = None;
        let mut fault = None;
        self.row.clear();
        loop {
            let Some(at) = marks.next() else {
                if !scan.is_last {
                    return None;
                }
                self.last_bare(window, start, field, window.len(), copied, unescaped);
                return Some(End { next: window.len(), fault });
            };
            let byte = window.get(at).copied().unwrap_or_default();
            if byte == delimiter && !is_quote {
                let cell = self.bare(window, field, at, copied.take(), unescaped);
                self.row.push(cell);
                field = at + 1;
                continue;
            }
            if byte == b'\n' {
                self.last_bare(window, start, field, at, copied, unescaped);
                return Some(End { next: at + 1, fault });
            }
            if KINDS == 4 && Some(byte) == self.escape {
                match self.behind(scan, at) {
                    Behind::Text(count) => {
                        let text = copied.get_or_insert(Copied { side: unescaped.len(), from: field });
                        self.undo_escape(window, marks, at, count, text, unescaped);
                    }
                    Behind::End => fault = fault.or(Some(Malformed::Escape(at - start))),
                    Behind::Open => return None,
                }
            } else if at == field {
                match self.quoted(scan, marks, byte, at, unescaped) {
                    Close::Delimiter(next) => field = next,
                    Close::Record(End { next, fault: last }) => return Some(End { next, fault: last.or(fault) }),
                    Close::Text(at) => {
                        fault = fault.or(Some(Malformed::AfterQuote(at - start)));
                        // Further in than its first byte, so that no later quote opens it again.
                        field = at - 1;
                    }
                    Close::Open => return None,
                }
            } else if !self.keep_stray_quotes {
                fault = fault.or(Some(Malformed::Stray(at - start)));
            }
        }
    }

    /// Pushes the cell of the bare field that ends the record at `end`, unless the record is a blank line.
    #[inline(always)]
    fn last_bare(
        &mut self,
        window: &[u8],
        start: usize,
        field: usize,
        end: usize,
        copied: Option<Copied>,
        unescaped: &mut Vec<u8>,
    ) {
        let end = text_end(window, copied.map_or(field, |text| text.from), end);
        if end > start || !self.row.is_empty() {
            let cell = self.bare(window, field, end, copied, unescaped);
            self.row.push(cell);
        }
    }

    /// The cell of a bare field.
    #[inline(always)]
    fn bare(&self, window: &[u8], field: usize, end: usize, copied: Option<Copied>, unescaped: &mut Vec<u8>) -> Cell {
        match copied {
            None => Cell::new(CellKind::Bare, field, end - field, false),
            Some(text) => self.copied(window, (field, end), CellKind::Bare, text, unescaped),
        }
    }

    /// The cell of a text in which an escape was undone, and which is written between two places. Written like a text that
    /// means NULL it means NULL, and it does not if it has become such a text.
    fn copied(
        &self,
        window: &[u8],
        (start, end): (usize, usize),
        kind: CellKind,
        Copied { side, from }: Copied,
        unescaped: &mut Vec<u8>,
    ) -> Cell {
        let is_null = |text: &[u8]| kind == CellKind::Bare && self.nulls.iter().any(|null| null == text);
        if is_null(window.get(start..end).unwrap_or_default()) {
            unescaped.truncate(side);
            return Cell::new(kind, start, end - start, false);
        }
        unescaped.extend_from_slice(window.get(from..end).unwrap_or_default());
        let text = unescaped.get(side..).unwrap_or_default();
        let kind = if is_null(text) { CellKind::Quoted } else { kind };
        Cell::new(kind, side, text.len(), true)
    }

    /// What stands behind the escape at a place.
    #[cold]
    fn behind(&self, scan: &Scan<'_>, escape: usize) -> Behind {
        match scan.window.get(escape + 1..).unwrap_or_default() {
            [b'\n', ..] | [b'\r', b'\n', ..] if !self.newlines_in_values => Behind::End,
            [b'\r', b'\n', ..] => Behind::Text(2),
            [] | [b'\r'] if !scan.is_last => Behind::Open,
            [] => Behind::End,
            _ => Behind::Text(1),
        }
    }

    /// Copies a text up to an escape and `count` bytes behind it, without the escape.
    #[cold]
    fn undo_escape<const KINDS: usize>(
        &self,
        window: &[u8],
        marks: &mut Marks<'_, KINDS>,
        escape: usize,
        count: usize,
        text: &mut Copied,
        unescaped: &mut Vec<u8>,
    ) {
        let escaped = window.get(escape + 1..escape + 1 + count).unwrap_or_default();
        unescaped.extend_from_slice(window.get(text.from..escape).unwrap_or_default());
        unescaped.extend_from_slice(escaped);
        text.from = escape + 1 + count;
        // Those among them that would be marks are passed over.
        let signs = self.signs();
        for byte in escaped {
            if signs.contains(byte) || Some(*byte) == self.escape {
                marks.next();
            }
        }
    }

    /// Reads the quoted field that opens at `open`, and pushes its cell.
    #[inline(never)]
    fn quoted<const KINDS: usize>(
        &mut self,
        scan: &Scan<'_>,
        marks: &mut Marks<'_, KINDS>,
        quote: u8,
        open: usize,
        unescaped: &mut Vec<u8>,
    ) -> Close {
        let window = scan.window;
        let start = scan.at;
        // Copying begins with the first doubled quote or escape.
        let mut text = Copied { side: unescaped.len(), from: open + 1 };
        loop {
            let Some(at) = marks.next() else {
                if !scan.is_last {
                    return Close::Open;
                }
                self.row.push(Cell::MISSING);
                return Close::Record(End { next: window.len(), fault: Some(Malformed::Unclosed(open - start)) });
            };
            let byte = window.get(at).copied().unwrap_or_default();
            if byte == b'\n' && !self.newlines_in_values {
                self.row.push(Cell::MISSING);
                return Close::Record(End { next: at + 1, fault: Some(Malformed::Unclosed(open - start)) });
            }
            if KINDS == 4 && Some(byte) == self.escape {
                match self.behind(scan, at) {
                    Behind::Text(count) => self.undo_escape(window, marks, at, count, &mut text, unescaped),
                    // The line or the object ends with the next mark.
                    Behind::End => {}
                    Behind::Open => return Close::Open,
                }
                continue;
            }
            if byte != quote {
                continue;
            }
            let after = window.get(at + 1).copied();
            if after == Some(quote) {
                marks.next();
                unescaped.extend_from_slice(window.get(text.from..=at).unwrap_or_default());
                text.from = at + 2;
                continue;
            }
            let cell = if text.from == open + 1 {
                Cell::new(self.quoted_kind, open + 1, at - open - 1, false)
            } else {
                self.copied(window, (open + 1, at), self.quoted_kind, text, unescaped)
            };
            let close = match after {
                Some(after) if after == self.delimiter => Close::Delimiter(at + 2),
                Some(b'\n') => Close::Record(End { next: at + 2, fault: None }),
                Some(b'\r') => match window.get(at + 2) {
                    Some(b'\n') => Close::Record(End { next: at + 3, fault: None }),
                    Some(_) => Close::Text(at + 1),
                    None if scan.is_last => Close::Record(End { next: at + 2, fault: None }),
                    None => Close::Open,
                },
                Some(_) => Close::Text(at + 1),
                None if scan.is_last => Close::Record(End { next: at + 1, fault: None }),
                None => Close::Open,
            };
            match close {
                Close::Delimiter(_) | Close::Record(_) => {
                    self.row.push(cell);
                    // The byte that ends the field is a mark too.
                    marks.next();
                }
                Close::Text(_) | Close::Open => {}
            }
            return close;
        }
    }

    /// The first thing that is wrong with a record: its length, its bytes, its quotes, its fields, in this order.
    #[cold]
    fn wrong(&self, scan: &Scan<'_>, valid: &mut Validity, binding: &Binding, start: usize, end: &End) -> Wrong {
        let length = end.next - start;
        let is_rest = self.newlines_in_values && matches!(end.fault, Some(Malformed::Unclosed(_)));
        if length > self.record_bytes_max && !is_rest {
            return too_long(length as u64, self.record_bytes_max);
        }
        if let Some(at) = valid.fault(scan.window, start, end.next).filter(|_| !is_rest) {
            return not_utf8(at, scan.window.get(start + at).copied());
        }
        match end.fault {
            Some(Malformed::Unclosed(_)) if is_rest => unclosed_rest(),
            Some(Malformed::Unclosed(at)) => {
                (Code::Unclosed, format!("the quote at byte {} is not closed before the line ends", at + 1))
            }
            Some(Malformed::Stray(at)) => {
                (Code::StrayQuote, format!("the quote at byte {} stands within a value that is not quoted", at + 1))
            }
            Some(Malformed::Escape(at)) => {
                (Code::Unclosed, format!("the escape at byte {} stands before the end of the line", at + 1))
            }
            Some(Malformed::AfterQuote(at)) => {
                (Code::AfterQuote, format!("a text follows the closing quote at byte {at}"))
            }
            None if self.row.len() != binding.columns => (Code::Ragged, binding.ragged(self.row.len())),
            None => (Code::Undeclared, binding.undeclared()),
        }
    }
}

/// Where the text of a bare field ends that is followed by the line end at `end`, or by the object's: before a CR.
#[inline(always)]
fn text_end(window: &[u8], field: usize, end: usize) -> usize {
    if end > field && window.get(end - 1) == Some(&b'\r') { end - 1 } else { end }
}
