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
    comment: Option<u8>,
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
    fault: Option<Fault>,
}

#[derive(Clone, Copy)]
enum Fault {
    AfterQuote(usize),
    Unclosed(usize),
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
            comment: format.comment,
            fill_record: format.fill_record,
            newlines_in_values: format.newlines_in_values,
            record_bytes_max,
            row: Vec::new(),
        }
    }

    /// Reads records from `scan.at` into the batch, each as the binding says.
    // A function of its own, so that its few variables stay in registers.
    #[inline(never)]
    pub(super) fn records(
        &mut self,
        scan: &mut Scan<'_>,
        valid: &mut Validity,
        binding: &Binding,
        batch: &mut Batch,
    ) -> Stop {
        let mut marks = self.marks(scan);
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
                continue;
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
        let mut marks = self.marks(scan);
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
            return Ok(Err(not_utf8(at)));
        }
        let text = |cell: &Cell| {
            let buffer = if cell.is_unescaped() { unescaped.as_slice() } else { scan.window };
            let bytes = buffer.get(cell.start()..cell.start() + cell.len()).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        Ok(Ok(self.row.iter().map(text).collect()))
    }

    /// A comparison without a quote has no third mark; the delimiter twice means the same.
    fn marks<'a>(&self, scan: &Scan<'a>) -> Marks<'a> {
        Marks::new(scan.window, scan.at, [self.delimiter, self.quote.unwrap_or(self.delimiter), b'\n'])
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
    #[inline(always)]
    fn record(&mut self, scan: &Scan<'_>, marks: &mut Marks<'_>, unescaped: &mut Vec<u8>) -> Option<End> {
        let window = scan.window;
        let start = scan.at;
        let delimiter = self.delimiter;
        let is_quote = self.quote == Some(delimiter);
        let mut field = start;
        let mut fault = None;
        self.row.clear();
        loop {
            let Some(at) = marks.next() else {
                if !scan.is_last {
                    return None;
                }
                let end = text_end(window, field, window.len());
                if end > start || !self.row.is_empty() {
                    self.row.push(Cell::new(CellKind::Bare, field, end - field, false));
                }
                return Some(End { next: window.len(), fault });
            };
            let byte = window.get(at).copied().unwrap_or_default();
            if byte == delimiter && !is_quote {
                self.row.push(Cell::new(CellKind::Bare, field, at - field, false));
                field = at + 1;
                continue;
            }
            if byte == b'\n' {
                let end = text_end(window, field, at);
                if end > start || !self.row.is_empty() {
                    self.row.push(Cell::new(CellKind::Bare, field, end - field, false));
                }
                return Some(End { next: at + 1, fault });
            }
            if at == field {
                match self.quoted(scan, marks, byte, at, unescaped) {
                    Close::Delimiter(next) => field = next,
                    Close::Record(End { next, fault: last }) => return Some(End { next, fault: last.or(fault) }),
                    Close::Text(at) => {
                        fault = fault.or(Some(Fault::AfterQuote(at - start)));
                        // Further in than its first byte, so that no later quote opens it again.
                        field = at - 1;
                    }
                    Close::Open => return None,
                }
            }
        }
    }

    /// Reads the quoted field that opens at `open`, and pushes its cell.
    #[inline(never)]
    fn quoted(
        &mut self,
        scan: &Scan<'_>,
        marks: &mut Marks<'_>,
        quote: u8,
        open: usize,
        unescaped: &mut Vec<u8>,
    ) -> Close {
        let window = scan.window;
        let start = scan.at;
        let side = unescaped.len();
        // Where text begins that was not copied into the side buffer; copying begins with the first doubled quote.
        let mut copied = open + 1;
        loop {
            let Some(at) = marks.next() else {
                if !scan.is_last {
                    return Close::Open;
                }
                self.row.push(Cell::MISSING);
                return Close::Record(End { next: window.len(), fault: Some(Fault::Unclosed(open - start)) });
            };
            let byte = window.get(at).copied().unwrap_or_default();
            if byte == b'\n' && !self.newlines_in_values {
                self.row.push(Cell::MISSING);
                return Close::Record(End { next: at + 1, fault: Some(Fault::Unclosed(open - start)) });
            }
            if byte != quote {
                continue;
            }
            let after = window.get(at + 1).copied();
            if after == Some(quote) {
                marks.next();
                unescaped.extend_from_slice(window.get(copied..=at).unwrap_or_default());
                copied = at + 2;
                continue;
            }
            let cell = if copied == open + 1 {
                Cell::new(CellKind::Quoted, open + 1, at - open - 1, false)
            } else {
                unescaped.extend_from_slice(window.get(copied..at).unwrap_or_default());
                Cell::new(CellKind::Quoted, side, unescaped.len() - side, true)
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
        let is_rest = self.newlines_in_values && matches!(end.fault, Some(Fault::Unclosed(_)));
        if length > self.record_bytes_max && !is_rest {
            return too_long(length as u64, self.record_bytes_max);
        }
        if let Some(at) = valid.fault(scan.window, start, end.next).filter(|_| !is_rest) {
            return not_utf8(at);
        }
        match end.fault {
            Some(Fault::Unclosed(_)) if is_rest => unclosed_rest(),
            Some(Fault::Unclosed(at)) => {
                (Code::Unclosed, format!("the quote at byte {} is not closed before the line ends", at + 1))
            }
            Some(Fault::AfterQuote(at)) => (Code::AfterQuote, format!("a text follows the closing quote at byte {at}")),
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
