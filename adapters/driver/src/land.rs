//! Land: what is no object becomes one in the store before it is planned, so that plans, parts, receipts, quarantine and ledger
//! are those of any object, and nothing that comes after asks the source again.
//!
//! ```text
//! the cursor is read -> windows of rows are landed in pieces -> the cursor is written, under the version that was read
//! ```
//!
//! A window is landed when the cursor names it. Whoever is killed before has left residue, which the next landing removes;
//! of two who land the same window one writes the cursor, and the other has landed nothing.

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::plan::sha256;
use etalon_core::protocol::name::LandedAs;
use etalon_core::protocol::{Cursor, Piece, Window, name};
use etalon_core::source::{LandStep, What};

use crate::ports::{Clock, Database, Objects, Put};
use crate::store::{document, names, put};

mod objects;
mod input;
mod rows;
mod lines;
mod pages;

pub use input::Input;
pub use lines::push_line;
pub use objects::Landed;
pub use pages::{Asking, Asks, Came, release, walk};

/// Bytes from which a piece is full: it is held in memory until it is written.
const PIECE_BYTES: usize = 16 << 20;

/// What is asked of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// What is new.
    New,
    /// What lies between two values of the cursor, once more; the cursor stays where it is.
    Again(String, String),
}

/// The world of a landing.
#[derive(Debug)]
pub struct Land<'a, S, C> {
    /// The pipeline whose source is read.
    pub pipeline: &'a Pipeline,
    /// Where windows land.
    pub store: &'a S,
    /// What time it is.
    pub clock: &'a C,
    /// When to stop, in microseconds since 1970: a window that has begun ends early then, where its rows are in order.
    pub deadline: i64,
    /// Bytes from which a piece is full; the usual number, if not said.
    pub piece_bytes: Option<usize>,
    /// How many rows are wanted, of whichever window: all, if not said.
    pub rows_max: Option<u64>,
}

/// What a landing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LandReport {
    /// The windows that have landed.
    pub windows: Vec<Window>,
    /// Why something is not landed yet.
    pub waits_for: Option<String>,
    /// Whether the time was over before everything had landed.
    pub is_cut_short: bool,
    /// What somebody should look at.
    pub notes: Vec<String>,
}

impl<S: Objects, C: Clock> Land<'_, S, C> {
    /// Lands what is asked for, window by window.
    pub async fn land(&self, database: &mut dyn Database, asked: Asked) -> Result<LandReport, Error> {
        let mut report = LandReport::default();
        let location = self.pipeline.location();
        let Some(reads) = location.reads() else { return Ok(report) };
        let (mut cursor, mut version) = self.cursor().await?;
        self.remove_residue(&cursor).await?;
        stays(&mut cursor, database.place())?;
        let what = match &asked {
            Asked::New => What::New(cursor.position.clone()),
            Asked::Again(..) if reads.incremental.is_none() => {
                let message = "the source has no cursor: each run reads all rows; there is nothing to read once more";
                return Err(Error::new(ErrorKind::Refused, message));
            }
            Asked::Again(from, to) => What::Between(from.clone(), to.clone()),
        };
        let Some(mut landing) = location.landing(self.pipeline.source_names(), what) else { return Ok(report) };
        if let (Some(last), Asked::New) = (&cursor.last, &asked) {
            landing.knows(&last.number, last.rows, !self.pipeline.appends());
        }
        loop {
            let window = match landing.step() {
                LandStep::Finished(waits_for) => {
                    report.waits_for = waits_for;
                    report.notes.extend(landing.note().map(str::to_owned));
                    return Ok(report);
                }
                _ if self.clock.now() >= self.deadline => {
                    report.is_cut_short = true;
                    return Ok(report);
                }
                LandStep::Ask(statement) => {
                    landing.push(database.ask(&statement)?)?;
                    continue;
                }
                LandStep::Types(statement) => {
                    landing.push(database.types(&statement)?)?;
                    continue;
                }
                LandStep::Named(statement) => {
                    landing.push(database.named(&statement)?)?;
                    continue;
                }
                LandStep::Wait(microseconds) => {
                    self.clock.wait(microseconds);
                    continue;
                }
                LandStep::Land(window) => window,
            };
            let number = cursor.next();
            let rows = self.rows(database, &window, number).await?;
            let end = rows.cut.as_ref().or(window.end.as_ref());
            let landed = Window {
                name: window.name(number, end.map(String::as_str)),
                rows: rows.rows,
                pieces: rows.pieces,
                columns: self.pipeline.source_names().map(str::to_owned).collect(),
                is_whole: window.end.is_none(),
                ..Window::default()
            };
            if asked == Asked::New && landing.is_number() {
                cursor.last.clone_from(&rows.last);
            }
            // All rows of a source are what they were: nothing is new.
            let is_known = window.end.is_none()
                && cursor.windows.last().is_some_and(|last| {
                    last.object().version == landed.object().version && last.columns == landed.columns
                });
            if !is_known {
                let position = match &asked {
                    Asked::New => end.cloned(),
                    Asked::Again(..) => cursor.position.clone(),
                };
                cursor.land(landed.clone(), position);
                let condition = version.as_deref().map_or(Put::IfAbsent, Put::IfVersion);
                version = Some(put(self.store, &self.place(), &cursor, condition).await?);
                report.windows.push(landed);
            }
            if rows.cut.is_some() || self.has_enough(rows.rows) {
                report.is_cut_short = true;
                report.notes.extend(landing.note().map(str::to_owned));
                return Ok(report);
            }
            landing.landed(end.cloned());
        }
    }

    /// Forgets how far the source was read: the next landing begins at its beginning.
    pub async fn reset(&self) -> Result<Option<String>, Error> {
        let source = self.pipeline.location().identity();
        let forget = |cursor| Cursor { source, position: None, last: None, place: None, open: None, ..cursor };
        self.change(forget).await
    }

    /// Forgets which server and database were read, so that the next landing goes on in another that has the same data.
    pub async fn adopt(&self) -> Result<Option<String>, Error> {
        self.change(|cursor| Cursor { place: None, ..cursor }).await
    }

    /// Changes the cursor, and gives where it stood.
    async fn change(&self, change: impl FnOnce(Cursor) -> Cursor) -> Result<Option<String>, Error> {
        let Some((cursor, version)) = document::<Cursor>(self.store, &self.place()).await? else { return Ok(None) };
        let before = cursor.position.clone();
        put(self.store, &self.place(), &change(cursor), Put::IfVersion(&version)).await?;
        Ok(before)
    }

    fn place(&self) -> String {
        name::cursor(self.pipeline.name())
    }

    /// How far the source was read, and the version that says it.
    async fn cursor(&self) -> Result<(Cursor, Option<String>), Error> {
        let source = self.pipeline.location().identity();
        match document::<Cursor>(self.store, &self.place()).await? {
            None => Ok((Cursor::new(source), None)),
            Some((cursor, version)) if cursor.source == source => Ok((cursor, Some(version))),
            Some((cursor, _)) => {
                let at = cursor.position.unwrap_or_else(|| "the end of a snapshot".to_owned());
                let message = format!(
                    "another table, query, stream or cursor was read before, up to {at}, which means nothing here; `etalon state reset` \
                     has this one read from its beginning"
                );
                Err(Error::new(ErrorKind::Refused, message))
            }
        }
    }

    /// Removes what no window names.
    async fn remove_residue(&self, cursor: &Cursor) -> Result<(), Error> {
        for piece in names(self.store, &name::landed(self.pipeline.name(), None)).await? {
            if name::landed_window(&piece).is_some_and(|window| cursor.is_residue(&piece, window)) {
                self.store.delete(&piece).await?;
            }
        }
        Ok(())
    }

    /// Bytes from which a piece is full.
    fn full(&self) -> usize {
        self.piece_bytes.unwrap_or(PIECE_BYTES)
    }

    /// Whether so many rows are as many as are wanted.
    fn has_enough(&self, rows: u64) -> bool {
        self.rows_max.is_some_and(|most| rows >= most)
    }

    /// Writes a piece. One that is there already has these bytes, since its name tells them.
    async fn piece(&self, (number, at): (u64, usize), landed_as: LandedAs, bytes: &[u8]) -> Result<Piece, Error> {
        let sha256 = sha256(bytes);
        let name = name::landed(self.pipeline.name(), Some((number, at, &sha256, landed_as)));
        let version = match self.store.put(&name, bytes, Put::IfAbsent).await {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.store.head(&name).await?.version,
            written => written?,
        };
        Ok(Piece { name, version, size: bytes.len() as u64, sha256 })
    }
}

/// Notes which server and database are read. A position in one means nothing in another.
fn stays(cursor: &mut Cursor, place: String) -> Result<(), Error> {
    match (&cursor.place, &cursor.position) {
        (Some(other), Some(at)) if *other != place => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "the source was read up to {at} from {other}, and now it is {place}, whose earlier rows would never be read; \
                 `etalon state adopt` goes on there if it has the same data, `etalon state reset` reads it from its beginning"
            ),
        )),
        _ => {
            cursor.place = Some(place);
            Ok(())
        }
    }
}
