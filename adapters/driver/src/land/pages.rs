//! Pages: the records of an API land as JSON Lines, and beside them a line for each page that they came on: what was asked, the status,
//! the time, and the numbers of the responses that it came as. These land as they came, without secrets, in compressed lines.
//!
//! Where the walk stands is written with what has landed of it, under one condition, so that whoever goes on, after a kill or when
//! his time is over, neither misses a page nor lands it twice. A stream with a cursor lands a window whenever the time is over;
//! one without is a snapshot, and lands when it is whole.

use std::io::Write;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::name::{self, LandedAs};
use etalon_core::protocol::{Cursor, OpenWindow, Piece, Window};
use etalon_core::source::connector::{Config, Connector, Keeping, Kept, KeptCalls, KeptToken, Page, Step, Walk};
use etalon_core::source::{Api, WalkFrom};
use etalon_core::spec::Filled;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{Land, LandReport, PIECE_BYTES, push_line};
use crate::ports::{Clock, Objects, Put, Server};
use crate::store::{document, put};

/// After so many microseconds what has come is kept, and where the walk stands.
const KEEP_AFTER: i64 = 60_000_000;
/// A walk that stands for longer is not gone on with: what servers call pages does not last.
const STANDS_MAX: i64 = 24 * 3_600 * 1_000_000;

/// An API, and what is known of it.
#[derive(Debug)]
pub struct Asks<'a, T> {
    /// What is read.
    pub api: &'a Api<Filled>,
    /// The connector of its manifest.
    pub connector: &'a Connector,
    /// Its configuration.
    pub config: &'a Config,
    /// Bits for names that nobody may guess.
    pub chance: u128,
    /// Where tokens are kept that a server renews, and the calls of a budget: one place for all who read the account.
    pub tokens: &'a T,
}

/// A walk with the server that answers it.
#[derive(Debug)]
pub struct Asking<'a, S, C> {
    clock: &'a C,
    /// Where tokens are kept that a server renews.
    store: &'a S,
    /// Why the last request had no answer.
    unanswered: Option<Error>,
}

/// What a step of a walk came to.
#[derive(Debug)]
pub enum Came {
    /// An answer, or none.
    Answer,
    /// These records.
    Page(Page),
    /// There is nothing to do until this time, in microseconds since 1970.
    Wait(i64),
    /// The end.
    End,
}

impl<'a, S: Objects, C: Clock> Asking<'a, S, C> {
    /// Nothing is asked yet.
    pub fn new(clock: &'a C, store: &'a S) -> Self {
        Self { clock, store, unanswered: None }
    }

    /// Does the next step of a walk.
    ///
    /// The error is core's or the server's. Where a server gave no answer as often as the manifest lets it, it says what came instead
    /// of the last one.
    pub async fn step(&mut self, walk: &mut Walk, server: &mut dyn Server) -> Result<Came, Error> {
        let step = walk.step(self.clock.now()).map_err(|error| match &self.unanswered {
            Some(reason) => Error::new(ErrorKind::Unavailable, format!("{error}: {reason}")),
            None => error,
        })?;
        Ok(match step {
            Step::Request(request) => {
                match server.send(&request) {
                    Ok(response) => {
                        self.unanswered = None;
                        walk.push(Some(response));
                    }
                    Err(error) if error.kind() == ErrorKind::Unavailable => {
                        self.unanswered = Some(error);
                        walk.push(None);
                    }
                    Err(error) => return Err(error),
                }
                Came::Answer
            }
            Step::Sign(signing) => {
                walk.signed(server.sign(&signing)?);
                Came::Answer
            }
            Step::Keep(keeping) => {
                walk.kept(keep(self.store, &keeping).await?);
                Came::Answer
            }
            Step::Wait(until) => Came::Wait(until),
            Step::Page(page) => Came::Page(page),
            Step::Done => Came::End,
        })
    }
}

/// Does with a document that walks share what one says. What the world does not answer is for the walk to judge.
async fn keep(store: &impl Objects, keeping: &Keeping) -> Result<Kept, Error> {
    let done = match keeping {
        Keeping::Read { name } => document::<KeptToken>(store, &name::token(name)).await.map(Kept::Read),
        Keeping::Write { name, token, version } => {
            let condition = version.as_deref().map_or(Put::IfAbsent, Put::IfVersion);
            put(store, &name::token(name), token, condition).await.map(Kept::Written)
        }
        Keeping::ReadCalls { name } => document::<KeptCalls>(store, &name::budget(name)).await.map(Kept::Calls),
        Keeping::WriteCalls { name, calls, version } => {
            let condition = version.as_deref().map_or(Put::IfAbsent, Put::IfVersion);
            put(store, &name::budget(name), calls, condition).await.map(Kept::Written)
        }
    };
    done.or_else(|error| match error.kind() {
        ErrorKind::Changed | ErrorKind::AlreadyExists | ErrorKind::NotFound => Ok(Kept::Changed),
        ErrorKind::Unavailable => Ok(Kept::Unanswered(error.to_string())),
        _ => Err(error),
    })
}

/// Gives back what a walk has left of what it shares with others. What the store does not answer ends by itself.
pub async fn release(walk: &mut Walk, store: &impl Objects, clock: &impl Clock) {
    while let Some(keeping) = walk.release(clock.now()) {
        match keep(store, &keeping).await {
            Ok(kept) => walk.released(kept),
            Err(_) => return,
        }
    }
}

/// Walks a stream to its end, and hands each page of records on. The error is that of a step, or that of `take`.
pub async fn walk(
    walk: &mut Walk,
    server: &mut dyn Server,
    store: &impl Objects,
    clock: &impl Clock,
    mut take: impl FnMut(Page) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut asking = Asking::new(clock, store);
    let walked = loop {
        match asking.step(walk, server).await {
            Ok(Came::Answer) => {}
            Ok(Came::Wait(until)) => clock.wait(until.saturating_sub(clock.now()).max(0)),
            Ok(Came::Page(page)) => {
                if let Err(error) = take(page) {
                    break Err(error);
                }
            }
            Ok(Came::End) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    release(walk, store, clock).await;
    walked
}

/// A window that is being landed.
struct Landed {
    number: u64,
    open: OpenWindow,
    /// Records that are in no piece yet.
    records: Vec<u8>,
    /// What is told of their pages.
    pages: Vec<u8>,
    /// The responses that they came as.
    bodies: GzEncoder<Vec<u8>>,
    has_bodies: bool,
    /// When something was kept last.
    kept: i64,
}

impl<S: Objects, C: Clock> Land<'_, S, C> {
    /// Lands what is new of an API: as much as there is time for.
    pub async fn walk<T: Objects>(&self, server: &mut dyn Server, asks: &Asks<'_, T>) -> Result<LandReport, Error> {
        let (mut report, goes_on) = self.walk_once(server, asks).await?;
        // A walk that somebody else has begun ends at the time at which it began.
        if goes_on && !report.is_cut_short {
            let (rest, _) = self.walk_once(server, asks).await?;
            report.windows.extend(rest.windows);
            report.notes.extend(rest.notes);
            report.is_cut_short = rest.is_cut_short;
        }
        Ok(report)
    }

    /// Lands what one walk brings; whether it was an earlier one of a stream with a cursor, behind whose end there may be more.
    async fn walk_once<T: Objects>(
        &self,
        server: &mut dyn Server,
        asks: &Asks<'_, T>,
    ) -> Result<(LandReport, bool), Error> {
        let (mut cursor, mut version) = self.cursor().await?;
        self.remove_residue(&cursor).await?;
        let now = self.clock.now();
        let open = cursor.open.take();
        let goes_on = open.filter(|open| open.of == asks.connector.identity() && now - open.begun < STANDS_MAX);
        let is_resumed = goes_on.is_some();
        let state = cursor.position.as_deref().map(state).transpose()?;
        let from = goes_on.as_ref().map_or(WalkFrom::State(state.as_ref()), |open| WalkFrom::Kept(&open.walk));
        let mut walk = asks.api.walk(asks.connector, asks.config, from, now, asks.chance)?;
        let of = asks.connector.identity().to_owned();
        let new = || OpenWindow { of, begun: now, ..OpenWindow::default() };
        let mut landed = Landed {
            number: cursor.next(),
            open: goes_on.unwrap_or_else(new),
            records: Vec::new(),
            pages: Vec::new(),
            bodies: compressed(),
            has_bodies: false,
            kept: now,
        };
        let walked = self.land_pages(&mut walk, server, &mut landed, &mut cursor, &mut version, asks).await;
        release(&mut walk, asks.tokens, self.clock).await;
        let error = match walked {
            Ok(mut report) => {
                report.notes = walk.notes().to_vec();
                return Ok((report, is_resumed && walk.is_incremental()));
            }
            Err(error) => error,
        };
        // What stood in the middle may be why: the next walk begins where the last one ended.
        if is_resumed && error.kind() == ErrorKind::Refused {
            cursor.open = None;
            self.put_cursor(&cursor, &mut version).await?;
        }
        Err(walk.mask(&error))
    }

    async fn land_pages<T: Objects>(
        &self,
        walk: &mut Walk,
        server: &mut dyn Server,
        landed: &mut Landed,
        cursor: &mut Cursor,
        version: &mut Option<String>,
        asks: &Asks<'_, T>,
    ) -> Result<LandReport, Error> {
        let mut report = LandReport::default();
        let mut asking = Asking::new(self.clock, asks.tokens);
        loop {
            // Which stream it is, is known only when the server has said so.
            let is_incremental = walk.is_incremental();
            if let Some(why) = self.pipeline.refuses_part(is_incremental) {
                return Err(Error::new(ErrorKind::Refused, why));
            }
            // A token that has come is written first: nobody else has it.
            let mut is_late = self.clock.now() >= self.deadline && !walk.holds_token();
            if !is_late {
                match asking.step(walk, server).await? {
                    Came::Answer => {}
                    Came::Wait(until) if until >= self.deadline && !walk.holds_token() => is_late = true,
                    Came::Wait(until) => self.clock.wait(until.saturating_sub(self.clock.now()).max(0)),
                    Came::Page(page) => {
                        landed.take(&page, self.clock.now(), walk)?;
                        if self.has_enough(landed.open.rows) {
                            self.close(landed, cursor, version, None).await?;
                            report.windows.extend(cursor.windows.last().cloned());
                            report.is_cut_short = true;
                            return Ok(report);
                        }
                        let is_old = self.clock.now() - landed.kept >= KEEP_AFTER;
                        if landed.records.len() >= self.full()
                            || landed.bodies.get_ref().len() >= PIECE_BYTES
                            || (is_old && !landed.records.is_empty())
                        {
                            self.keep(landed, walk).await?;
                            cursor.open = Some(landed.open.clone()).filter(|open| !open.walk.is_null());
                            self.put_cursor(cursor, version).await?;
                        }
                    }
                    Came::End => {
                        let position = is_incremental.then(|| walk.state().to_string());
                        report.windows.extend(self.close(landed, cursor, version, position).await?);
                        return Ok(report);
                    }
                }
            }
            if is_late {
                self.keep(landed, walk).await?;
                if is_incremental && landed.open.rows > 0 {
                    let OpenWindow { of, begun, walk: stands, .. } = landed.open.clone();
                    let rest = OpenWindow { of, begun, walk: stands, ..OpenWindow::default() };
                    cursor.land(landed.window(&asks.api.stream.text), Some(walk.state().to_string()));
                    report.windows.extend(cursor.windows.last().cloned());
                    landed.open = rest;
                }
                cursor.open = Some(landed.open.clone()).filter(|open| !open.walk.is_null());
                if cursor.open.is_none() && !is_incremental {
                    let message = "the stream cannot be read before the function's time is over, and where it stands cannot be \
                                   kept, since a secret is in it; give the function more time";
                    return Err(Error::new(ErrorKind::Refused, message));
                }
                self.put_cursor(cursor, version).await?;
                report.is_cut_short = true;
                return Ok(report);
            }
        }
    }

    /// Lands the window as it is. `None`: all that it has was there.
    async fn close(
        &self,
        landed: &mut Landed,
        cursor: &mut Cursor,
        version: &mut Option<String>,
        position: Option<String>,
    ) -> Result<Option<Window>, Error> {
        // Pages without a record are nothing to be landed, but for a snapshot.
        if landed.open.rows > 0 || position.is_none() {
            self.write(landed).await?;
        }
        let window = Window { is_whole: position.is_none(), ..landed.window(&self.stream()) };
        // A snapshot that is what the last one was, and a cursor behind which nothing came.
        let last = cursor.windows.last().map(|last| last.object().version);
        let is_known = match &position {
            None => last.as_ref() == Some(&window.object().version),
            Some(_) => window.rows == 0,
        };
        if is_known {
            let was = (cursor.position.clone(), landed.open.walk.is_null());
            cursor.open = None;
            if position.is_some() {
                cursor.position.clone_from(&position);
            }
            if was != (cursor.position.clone(), true) {
                self.put_cursor(cursor, version).await?;
            }
            return Ok(None);
        }
        cursor.land(window.clone(), position);
        self.put_cursor(cursor, version).await?;
        Ok(Some(window))
    }

    /// Writes what has come, and notes where the walk stands, unless a secret stands there.
    async fn keep(&self, landed: &mut Landed, walk: &Walk) -> Result<(), Error> {
        self.write(landed).await?;
        landed.kept = self.clock.now();
        let stands = walk.keep();
        let told = stands.to_string();
        landed.open.walk = if walk.is_told_by(&told) { Value::Null } else { stands };
        Ok(())
    }

    /// Writes what has come as pieces.
    async fn write(&self, landed: &mut Landed) -> Result<(), Error> {
        if !landed.records.is_empty() {
            let at = landed.open.pieces.len();
            let piece = self.piece((landed.number, at), LandedAs::Records, &landed.records).await?;
            landed.open.pieces.push(piece);
            landed.records.clear();
        }
        if !landed.pages.is_empty() {
            let at = landed.open.pages.len();
            let piece: Piece = self.piece((landed.number, at), LandedAs::Pages, &landed.pages).await?;
            landed.open.pages.push(piece);
            landed.pages.clear();
        }
        if std::mem::take(&mut landed.has_bodies) {
            let bodies = std::mem::replace(&mut landed.bodies, compressed()).finish().map_err(uncompressed)?;
            let at = landed.open.bodies.len();
            let piece = self.piece((landed.number, at), LandedAs::Bodies, &bodies).await?;
            landed.open.bodies.push(piece);
        }
        Ok(())
    }

    async fn put_cursor(&self, cursor: &Cursor, version: &mut Option<String>) -> Result<(), Error> {
        let condition = version.as_deref().map_or(Put::IfAbsent, Put::IfVersion);
        *version = Some(put(self.store, &self.place(), cursor, condition).await?);
        Ok(())
    }

    /// The stream's name.
    fn stream(&self) -> String {
        self.pipeline.location().api().map(|api| api.stream.text.clone()).unwrap_or_default()
    }
}

impl Landed {
    /// Takes the records of a page, and what is told of it.
    fn take(&mut self, page: &Page, now: i64, walk: &Walk) -> Result<(), Error> {
        for record in &page.records {
            push_line(&mut self.records, record);
        }
        let records = page.records.len() as u64;
        self.open.rows += records;
        let mut told =
            json!({"asked": page.asked, "status": page.status, "at": now, "slice": page.slice, "records": records});
        if let (Value::Object(told), false) = (&mut told, page.responses.is_empty()) {
            let first = self.open.responses;
            told.insert("responses".to_owned(), (first..first + page.responses.len() as u64).collect());
        }
        // A path or a partition may be made of a secret.
        push_line(&mut self.pages, &walk.masked(&told));
        for raw in &page.responses {
            let mut line = Vec::new();
            push_line(&mut line, &raw.line(self.open.responses, now));
            self.bodies.write_all(&line).map_err(uncompressed)?;
            self.has_bodies = true;
            self.open.responses += 1;
        }
        Ok(())
    }

    fn window(&self, stream: &str) -> Window {
        let plain: String = stream.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(60).collect();
        Window {
            name: format!("{:08}_{plain}", self.number),
            rows: self.open.rows,
            pieces: self.open.pieces.clone(),
            pages: self.open.pages.clone(),
            bodies: self.open.bodies.clone(),
            columns: Vec::new(),
            is_whole: false,
        }
    }
}

/// Nothing yet of what will be compressed: fast, since it is much and seldom read.
fn compressed() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::fast())
}

fn uncompressed(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("a response cannot be compressed: {error}"))
}

/// The document that says where the last walk ended.
fn state(position: &str) -> Result<Value, Error> {
    serde_json::from_str(position).map_err(|_| {
        Error::new(ErrorKind::Refused, "what the cursor says is no state of a stream; `etalon state reset` forgets it")
    })
}
