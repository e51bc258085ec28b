//! The JSON Lines scanner: finds the records of a window.

use memchr::memchr;

use crate::diagnostic::Code;
use crate::records::Cell;
use crate::records::CellKind;
use crate::reject::Place;

use super::json::Json;
use super::json::Malformed;
use super::json::unescape;
use crate::format::Contract;
use crate::format::batch::Batch;
use crate::format::batch::Validity;
use crate::format::batch::Wrong;
use crate::format::batch::not_utf8;
use crate::format::batch::too_long;
use crate::format::follow::Follower;
use crate::format::scan::Scan;
use crate::format::scan::Scanner;
use crate::format::scan::Stop;

/// Finds the records of a window.
#[derive(Debug)]
pub(super) struct JsonlScanner {
    names: Names,
    contract: Contract,
    record_bytes_max: usize,
    /// The cells of the record that is being read.
    row: Vec<Cell>,
    /// The key that is being read, if it has escapes.
    key: Vec<u8>,
}

/// What an object has beside declared fields.
#[derive(Default)]
struct Found {
    /// The first key that is not declared: a range of the window.
    undeclared: Option<(usize, usize)>,
    /// The first declared field that stands twice.
    doubled: Option<usize>,
}

impl Scanner for JsonlScanner {
    fn misfit(&self, first: &[u8]) -> Option<String> {
        if first.trim_ascii_start().starts_with(b"[") {
            let message = "it begins with `[`: this is one JSON array, or lines of arrays, and JSON Lines has an object on each line";
            return Some(message.to_owned());
        }
        let first_line = first.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if first_line.len() < first.len() && first_line.trim_ascii() == b"{" {
            let message = "its first line is `{` alone: this is JSON over several lines, and JSON Lines has an object on each line";
            return Some(message.to_owned());
        }
        let ends_lines_in_cr = !first.contains(&b'\n') && first.windows(3).any(|bytes| bytes == b"}\r{");
        ends_lines_in_cr.then(|| {
            "its lines end in a carriage return alone (\\r), and lines end in \\n; have it written again".to_owned()
        })
    }

    fn records(&mut self, scan: &mut Scan<'_>, valid: &mut Validity, batch: &mut Batch) -> Result<Stop, String> {
        loop {
            if scan.is_past_range() {
                return Ok(Stop::RangeEnd);
            }
            if batch.is_full() {
                return Ok(Stop::Full);
            }
            let start = scan.at;
            let rest = scan.window.get(start..).unwrap_or_default();
            let (end, next) = match memchr(b'\n', rest) {
                Some(at) => (start + at, start + at + 1),
                None if scan.is_last && !rest.is_empty() => (scan.window.len(), scan.window.len()),
                None => return Ok(scan.unfinished(self.record_bytes_max)),
            };
            let length = next - start;
            let window = scan.window.get(..end).unwrap_or_default();
            if length <= self.record_bytes_max && Json::new(window, start).peek().is_none() {
                scan.at = next;
                scan.blank += length as u64;
                continue;
            }
            let place = Place { offset: scan.base + start as u64, length: length as u64 };
            let side = batch.unescaped.len();
            let read = if length > self.record_bytes_max {
                Err(too_long(length as u64, self.record_bytes_max))
            } else if let Some(at) = valid.fault(scan.window, start, next) {
                Err(not_utf8(at, scan.window.get(start + at).copied()))
            } else {
                self.object(window, start, &mut batch.unescaped)
            };
            let judged = match read {
                Err(wrong) => Err(wrong),
                Ok(Found { doubled: Some(field), .. }) => {
                    Err((Code::DuplicateField, format!("the field `{}` stands twice", self.names.name(field))))
                }
                Ok(Found { undeclared: Some((from, to)), .. }) if self.contract != Contract::Ignore => {
                    let key = String::from_utf8_lossy(window.get(from..to).unwrap_or_default());
                    if self.contract == Contract::Fail {
                        let at = place.offset;
                        return Err(format!("the record at byte {at} has the field `{key}`, which is not declared"));
                    }
                    Err((Code::Undeclared, format!("the field `{key}` is not declared")))
                }
                Ok(Found { undeclared, .. }) => Ok(undeclared.is_some()),
            };
            scan.at = next;
            scan.records += length as u64;
            match judged {
                Ok(has_undeclared) => {
                    batch.push(place, start, self.row.iter().copied());
                    batch.undeclared_records += u64::from(has_undeclared);
                }
                Err(wrong) => {
                    batch.unescaped.truncate(side);
                    batch.reject(place, wrong, scan.window.get(start..next).unwrap_or_default());
                }
            }
        }
    }

    fn follower(&self) -> Follower {
        Follower::of_lines()
    }
}

impl JsonlScanner {
    pub(super) fn new(fields: &[String], contract: Contract, record_bytes_max: usize) -> Self {
        Self {
            names: Names::new(fields),
            contract,
            record_bytes_max,
            row: vec![Cell::MISSING; fields.len()],
            key: Vec::new(),
        }
    }

    /// Reads the object at `start` of the line that ends the window, into `self.row`.
    fn object(&mut self, window: &[u8], start: usize, unescaped: &mut Vec<u8>) -> Result<Found, Wrong> {
        let malformed = |Malformed { at, what }: Malformed| {
            (Code::MalformedJson, format!("is not JSON at byte {}: {what}", at - start + 1))
        };
        let mut json = Json::new(window, start);
        let mut found = Found::default();
        if json.peek() == Some(b'{') {
            self.members(&mut json, window, unescaped, &mut found).map_err(malformed)?;
        } else {
            let value = json.value().map_err(malformed)?;
            if json.peek().is_none() {
                let what = match value.kind {
                    CellKind::Quoted => "a string",
                    CellKind::Boolean => "a boolean",
                    CellKind::Null => "null",
                    CellKind::Nested => "an array",
                    CellKind::Bare | CellKind::Missing => "a number",
                };
                return Err((Code::NotAnObject, format!("is {what}, not an object")));
            }
        }
        match json.peek() {
            None => Ok(found),
            Some(_) => Err(malformed(json.malformed("the end of the line is expected"))),
        }
    }

    fn members(
        &mut self,
        json: &mut Json<'_>,
        window: &[u8],
        unescaped: &mut Vec<u8>,
        found: &mut Found,
    ) -> Result<(), Malformed> {
        self.row.fill(Cell::MISSING);
        let mut expected = 0;
        json.expect(b'{', "an object is expected")?;
        if json.take(b'}') {
            return Ok(());
        }
        loop {
            let key = json.key()?;
            let value = json.value()?;
            let written = window.get(key.start..key.end).unwrap_or_default();
            let field = if key.has_escapes {
                self.key.clear();
                unescape(written, &mut self.key);
                self.names.find(&self.key, expected)
            } else {
                self.names.find(written, expected)
            };
            if let Some((field, position)) = field {
                expected = position + 1;
                let text = window.get(value.start..value.end).unwrap_or_default();
                let cell = if value.has_escapes {
                    let side = unescaped.len();
                    unescape(text, unescaped);
                    Cell::new(value.kind, side, unescaped.len() - side, true)
                } else {
                    Cell::new(value.kind, value.start, text.len(), false)
                };
                for &field in self.names.fields(field) {
                    if let Some(slot) = self.row.get_mut(field) {
                        if slot.kind() != CellKind::Missing && found.doubled.is_none() {
                            found.doubled = Some(field);
                        }
                        *slot = cell;
                    }
                }
            } else if found.undeclared.is_none() {
                found.undeclared = Some((key.start, key.end));
            }
            if !json.take(b',') {
                return json.expect(b'}', "a comma or a closing brace is expected");
            }
        }
    }
}

/// The declared names. Objects of one file mostly have their keys in one order, so the name that stood next the last time
/// is tried before all others are searched.
#[derive(Debug)]
struct Names {
    /// Every name once, in the order of their bytes, with the fields that it stands for.
    sorted: Vec<(String, Vec<usize>)>,
    /// The order in which keys came, as places in `sorted`.
    order: Vec<usize>,
}

impl Names {
    fn new(fields: &[String]) -> Self {
        let mut sorted: Vec<(String, Vec<usize>)> = fields.iter().map(|name| (name.clone(), Vec::new())).collect();
        sorted.sort_unstable();
        sorted.dedup();
        for (field, name) in fields.iter().enumerate() {
            if let Ok(place) = sorted.binary_search_by(|(known, _)| known.cmp(name))
                && let Some((_, of)) = sorted.get_mut(place)
            {
                of.push(field);
            }
        }
        Self { sorted, order: Vec::new() }
    }

    /// The name's place among the sorted ones, and among the keys of an object; `expected` is the latter for the key before
    /// it, and one more.
    #[inline]
    fn find(&mut self, key: &[u8], expected: usize) -> Option<(usize, usize)> {
        if let Some(&guess) = self.order.get(expected)
            && self.sorted.get(guess).is_some_and(|(name, _)| name.as_bytes() == key)
        {
            return Some((guess, expected));
        }
        let found = self.sorted.binary_search_by(|(name, _)| name.as_bytes().cmp(key)).ok()?;
        match self.order.get_mut(expected) {
            Some(slot) => *slot = found,
            None if expected < self.sorted.len() => self.order.push(found),
            None => {}
        }
        Some((found, expected))
    }

    fn fields(&self, place: usize) -> &[usize] {
        self.sorted.get(place).map_or(&[], |(_, fields)| fields)
    }

    fn name(&self, field: usize) -> &str {
        self.sorted.iter().find(|(_, fields)| fields.contains(&field)).map_or("", |(name, _)| name)
    }
}
