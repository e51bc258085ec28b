//! Rows: the rows of a window, landed in pieces of whole records. A window that is read in parts has them in their order, also where
//! several are read at once, and each part begins a piece.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::name::LandedAs;
use etalon_core::protocol::{LastNumber, Piece};
use etalon_core::source::{Shared, WindowRows};

use super::Land;
use crate::ports::{Brought, Clock, Database, Objects};

/// So long the connection that has the snapshot is silent at most, in microseconds.
const SILENCE: i64 = 60_000_000;
/// Pieces of the same number are told by their bytes; each part has so many numbers of its own.
const PIECES_OF_A_PART: usize = 1_000;

/// The rows of a window, landed.
pub(super) struct Rows {
    pub(super) pieces: Vec<Piece>,
    pub(super) rows: u64,
    /// The cursor where the time was over: everything before it has landed.
    pub(super) cut: Option<String>,
    /// The last cursor of all, and how many rows have it.
    pub(super) last: Option<LastNumber>,
}

/// A part of a window, as far as it has been read.
#[derive(Default)]
struct Part {
    at: usize,
    pieces: Vec<Piece>,
    /// The piece that is not full yet.
    piece: Vec<u8>,
    rows: u64,
    /// The last cursor, and how many rows have it.
    last: Vec<u8>,
    ties: u64,
}

/// What comes from a connection that reads parts.
enum Came {
    /// Rows of the part of that number.
    Rows(usize, Brought),
    /// All of its rows have come.
    All(usize),
    /// The connection can read no more.
    Failed(Error),
}

/// Who writes the pieces of a window.
struct Writes<'a> {
    window: &'a WindowRows,
    number: u64,
    /// Bytes from which a piece is full.
    full: usize,
}

impl<S: Objects, C: Clock> Land<'_, S, C> {
    /// Lands the rows of a window.
    pub(super) async fn rows(
        &self,
        database: &mut dyn Database,
        window: &WindowRows,
        number: u64,
    ) -> Result<Rows, Error> {
        let writes = Writes { window, number, full: self.full() };
        let (parts, cut) = match &window.shared {
            Some(shared) if self.rows_max.is_none() => {
                // Together they hold as much as one does.
                let writes = Writes { full: (self.full() / shared.connections.max(1)).max(1), ..writes };
                (self.at_once(database, &writes, shared).await?, None)
            }
            _ => self.in_order(database, &writes).await?,
        };
        let mut rows = Rows { pieces: Vec::new(), rows: 0, cut, last: None };
        for part in parts {
            rows.rows += part.rows;
            rows.pieces.extend(part.pieces);
            let number = String::from_utf8_lossy(&part.last).into_owned();
            rows.last = last(rows.last, (part.ties > 0).then_some(LastNumber { number, rows: part.ties }));
        }
        Ok(rows)
    }

    /// Reads part after part. The second is the cursor where the time was over.
    async fn in_order(
        &self,
        database: &mut dyn Database,
        writes: &Writes<'_>,
    ) -> Result<(Vec<Part>, Option<String>), Error> {
        let copies = &writes.window.copies;
        let (mut parts, mut rows, mut cut) = (Vec::new(), 0, None);
        for (at, copy) in copies.iter().enumerate() {
            let mut part = Part { at, ..Part::default() };
            database.begin(copy)?;
            let (mut brought, mut has_more) = (Brought::default(), true);
            while has_more && cut.is_none() && !self.has_enough(rows + part.rows) {
                brought.clear();
                has_more = database.bring(&mut brought)?;
                let is_late = self.clock.now() >= self.deadline;
                if is_late && (has_more || at + 1 < copies.len()) {
                    self.may_end_early(writes.window)?;
                }
                cut = self.take(&mut part, &brought, is_late && copies.len() == 1, writes).await?;
            }
            self.end(&mut part, writes).await?;
            rows += part.rows;
            parts.push(part);
            if cut.is_some() || self.has_enough(rows) {
                break;
            }
        }
        Ok((parts, cut))
    }

    /// Reads several parts at once, each by a connection of its own that sees the snapshot of this one.
    async fn at_once(
        &self,
        database: &mut dyn Database,
        writes: &Writes<'_>,
        shared: &Shared,
    ) -> Result<Vec<Part>, Error> {
        let copies: Arc<[String]> = writes.window.copies.clone().into();
        let (next, count) = (Arc::new(AtomicUsize::new(0)), shared.connections.min(copies.len()));
        let (sender, receiver) = sync_channel(count);
        for _ in 0..count {
            let Some(mut other) = database.another()? else { return Ok(self.in_order(database, writes).await?.0) };
            let (copies, next, sender, begin) =
                (Arc::clone(&copies), Arc::clone(&next), sender.clone(), shared.begin.clone());
            std::thread::spawn(move || {
                if let Err(error) = bring(other.as_mut(), &begin, &copies, &next, &sender) {
                    // Whoever has failed before does not listen any more.
                    let _ = sender.send(Came::Failed(error));
                }
            });
        }
        drop(sender);
        let mut parts: Vec<Part> = (0..copies.len()).map(|at| Part { at, ..Part::default() }).collect();
        let (mut left, mut spoke) = (copies.len(), self.clock.now());
        while left > 0 {
            let came = receiver.recv().map_err(|_| {
                Error::new(ErrorKind::Unavailable, "a connection ended before it had read its part of the window")
            })?;
            let now = self.clock.now();
            if now - spoke > SILENCE {
                database.ask(&shared.alive)?;
                spoke = now;
            }
            match came {
                Came::Failed(error) => return Err(error),
                Came::All(at) => {
                    left -= 1;
                    if let Some(part) = parts.get_mut(at) {
                        self.end(part, writes).await?;
                    }
                }
                Came::Rows(at, brought) => {
                    if now >= self.deadline {
                        self.may_end_early(writes.window)?;
                    }
                    if let Some(part) = parts.get_mut(at) {
                        self.take(part, &brought, false, writes).await?;
                    }
                }
            }
        }
        Ok(parts)
    }

    /// Refuses a window that the time does not suffice for and that cannot end early.
    fn may_end_early(&self, window: &WindowRows) -> Result<(), Error> {
        let message = match (window.has_cursor, window.copies.len()) {
            (true, 1) => return Ok(()),
            (true, _) => {
                "a window that is read in parts (`split`) cannot end where the function's time is over; say a shorter `window`, or \
                 give the function more time"
            }
            (false, _) => {
                "all rows of the source cannot be landed before the function's time is over; say what of them is new \
                 (`incremental`, with a `window`), or give the function more time"
            }
        };
        Err(Error::new(ErrorKind::Refused, message))
    }

    /// Takes rows of a part. Gives the cursor where it ends early, if it must.
    async fn take(
        &self,
        part: &mut Part,
        brought: &Brought,
        is_late: bool,
        writes: &Writes<'_>,
    ) -> Result<Option<String>, Error> {
        let mut start = 0;
        for &end in &brought.ends {
            let record = brought.bytes.get(start..end).unwrap_or_default();
            start = end;
            let record = if writes.window.has_cursor {
                let (record, at) = without_last(record)?;
                if part.last != at {
                    // Rows of one value are landed together: the next window begins with the next value.
                    if is_late && part.rows > 0 {
                        return Ok(Some(String::from_utf8_lossy(at).into_owned()));
                    }
                    part.last.clear();
                    part.last.extend_from_slice(at);
                    part.ties = 0;
                }
                part.ties += 1;
                record
            } else {
                record.strip_suffix(b"\n").unwrap_or(record)
            };
            part.piece.extend_from_slice(record);
            part.piece.push(b'\n');
            part.rows += 1;
            if part.piece.len() >= writes.full {
                self.write_piece(part, writes).await?;
            }
        }
        Ok(None)
    }

    /// Writes the last piece of a part, and gives its memory back.
    async fn end(&self, part: &mut Part, writes: &Writes<'_>) -> Result<(), Error> {
        if !part.piece.is_empty() {
            self.write_piece(part, writes).await?;
        }
        part.piece = Vec::new();
        Ok(())
    }

    async fn write_piece(&self, part: &mut Part, writes: &Writes<'_>) -> Result<(), Error> {
        let at = part.at * PIECES_OF_A_PART + part.pieces.len();
        part.pieces.push(self.piece((writes.number, at), LandedAs::Rows, &part.piece).await?);
        part.piece.clear();
        Ok(())
    }
}

/// Reads parts until there is none left that nobody reads.
fn bring(
    database: &mut dyn Database,
    begin: &[String],
    copies: &[String],
    next: &AtomicUsize,
    sender: &SyncSender<Came>,
) -> Result<(), Error> {
    for statement in begin {
        database.ask(statement)?;
    }
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(copy) = copies.get(at) else { return Ok(()) };
        database.begin(copy)?;
        let mut has_more = true;
        while has_more {
            let mut brought = Brought::default();
            has_more = database.bring(&mut brought)?;
            if sender.send(Came::Rows(at, brought)).is_err() {
                return Ok(());
            }
        }
        if sender.send(Came::All(at)).is_err() {
            return Ok(());
        }
    }
}

/// The greater number of two parts, with the rows of both that have it. What is no number is not asked for.
fn last(one: Option<LastNumber>, other: Option<LastNumber>) -> Option<LastNumber> {
    let number = |last: &LastNumber| last.number.parse::<i128>().ok();
    match (one, other) {
        (Some(one), Some(other)) if one.number == other.number => {
            Some(LastNumber { rows: one.rows + other.rows, ..one })
        }
        (Some(one), Some(other)) if number(&one) > number(&other) => Some(one),
        (one, other) => other.or(one),
    }
}

/// A record without its last value, and that value: a time or a number, quoted.
fn without_last(record: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let inside = record.strip_suffix(b"\n").unwrap_or(record);
    let inside = inside.strip_suffix(b"\r").unwrap_or(inside).strip_suffix(b"\"");
    let found = inside.and_then(|inside| {
        let at = inside.iter().rposition(|&byte| byte == b'"')?;
        let value = inside.get(at + 1..)?;
        Some((inside.get(..at)?.strip_suffix(b",")?, value))
    });
    found.ok_or_else(|| Error::new(ErrorKind::Refused, "a row came without its cursor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stands_behind_the_columns() {
        let text = |record: &str| {
            let (rest, at) = without_last(record.as_bytes()).map_err(|error| error.to_string())?;
            Ok::<_, String>((String::from_utf8_lossy(rest).into_owned(), String::from_utf8_lossy(at).into_owned()))
        };
        let both = |rest: &str, at: &str| Ok((rest.to_owned(), at.to_owned()));
        assert_eq!(text("\"1\",\"a\"\"b,\"\"\",\"7\"\n"), both("\"1\",\"a\"\"b,\"\"\"", "7"));
        assert_eq!(text("\\N,\"2026-01-01 00:00:00+00\"\n"), both("\\N", "2026-01-01 00:00:00+00"));
        assert!(text("\"1\",\\N\n").is_err());
    }

    #[test]
    fn the_last_number_is_that_of_all_parts() {
        let one = |number: &str, rows| Some(LastNumber { number: number.to_owned(), rows });
        assert_eq!(last(one("9", 1), one("10", 2)), one("10", 2));
        assert_eq!(last(one("10", 1), one("9", 2)), one("10", 1));
        assert_eq!(last(one("10", 1), one("10", 2)), one("10", 3));
        assert_eq!(last(one("10", 1), None), one("10", 1));
        assert_eq!(last(None, None), None);
    }
}
