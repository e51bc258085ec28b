//! Landing: what a database is asked, one statement after the other, until everything that is new has landed. It knows no
//! socket and no clock: whoever drives it runs the statements and pushes the answers.
//!
//! ```text
//! settings, types of the columns
//! each window:  where it must end -> begin -> its bounds -> its rows, landed -> commit
//! ```
//!
//! A window is half open, `[start, end)`, and the next one begins where it has ended. It ends before anything that is not
//! seen yet: `lag` before the clock of the database and before the oldest transaction that is open. **The order is the proof**:
//! open transactions are looked for first and the snapshot is taken then, so that a transaction is either seen as open, and the
//! window ends before its rows, or has committed before the snapshot, which has its rows.
//!
//! A number that only grows has no clock: the greatest is asked for first, and the window ends behind it as soon as no
//! transaction is open any more that was open then.

mod examination;
mod replica;
mod split;

use crate::error::{Error, ErrorKind};
use replica::Behind;
pub use split::Shared;

use super::database::{Clocked, CursorType, Incremental, Part, Range, Reads, Width};
use super::statements::Statements;

/// So long is waited until it is looked again whether transactions have ended, in microseconds.
const WAIT: i64 = 200_000;
/// So long a server keeps a look for open transactions at most, in microseconds.
const OLD_LOOK: i64 = 110_000;
/// So much longer is waited at most, the first time.
const SPREAD: i64 = 100_000;
/// So often a look may be too old: with the waits between them more than a minute.
const OLD_LOOKS_MAX: u32 = 30;
/// Keeps a transaction that waits.
const ALIVE: &str = "SELECT 1";
/// Ends a transaction.
const END: &str = "COMMIT";
/// So often it is looked; then the window is left to the next run.
const LOOKS_MAX: u32 = 50;

/// What a landing needs, or has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LandStep {
    /// Run this statement and push the rows that it gives.
    Ask(String),
    /// Push one row: the types of what this statement selects.
    Types(String),
    /// Run this statement, and push the names of its columns as a row before its rows; nothing, where the user may not run it.
    Named(String),
    /// Wait for so many microseconds, and go on.
    Wait(i64),
    /// Land what this gives, and say how far with [`Landing::landed`].
    Land(WindowRows),
    /// There is nothing more to be landed now; why something else is not yet, where that is so.
    Finished(Option<String>),
}

/// The rows of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowRows {
    /// Statements that stream them: one, or one for each part.
    pub copies: Vec<String>,
    /// How several parts are read at once, where they are.
    pub shared: Option<Shared>,
    /// What the window's name says of where it begins.
    start: String,
    /// Where the window ends: the cursor stands there then. `None`: it has all rows, and there is no cursor.
    pub end: Option<String>,
    /// Whether the rows are in the order of the cursor, and have it behind their last column.
    pub has_cursor: bool,
}

impl WindowRows {
    /// The name of the window of a number that has ended there, perhaps earlier than it was to.
    pub fn name(&self, number: u64, end: Option<&str>) -> String {
        let end = end.map(|end| format!("_{}", end.replace(' ', "T"))).unwrap_or_default();
        format!("{number:08}_{}{end}", self.start.replace(' ', "T"))
    }
}

/// What is to be landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// What is new behind a position; everything, without one.
    New(Option<String>),
    /// What lies in a range, once more.
    Between(String, String),
}

/// The rows that a statement gave: texts, NULL is `None`.
pub type Answer = Vec<Vec<Option<String>>>;

/// Lands what is new in a database.
#[derive(Debug)]
pub struct Landing<'a> {
    statements: &'static dyn Statements,
    reads: &'a Reads,
    /// The columns that are read, and the type of each, once it is known.
    columns: Vec<(&'a str, String)>,
    what: What,
    ty: Option<CursorType>,
    /// The cursor's type as the source calls it.
    found: String,
    /// The time zone that the server has for the user, and how many seconds it is behind UTC at most.
    zone: Option<(String, i64)>,
    /// What was read last, where the cursor is a number, until it was looked at again.
    last: Option<Last>,
    is_counted: bool,
    looks: u32,
    old_looks: u32,
    /// How far the server is behind its primary, where it was asked that.
    behind: Option<Behind>,
    /// The parts of the window, where it has some, and what others call its snapshot.
    parts: Vec<Part<'a>>,
    snapshot: Option<String>,
    state: State,
    waits_for: Option<String>,
    note: Option<String>,
}

/// The greatest number that was read.
#[derive(Debug)]
struct Last {
    number: String,
    rows: u64,
    /// Whether its rows can be read once more.
    reads_again: bool,
}

#[derive(Debug)]
enum State {
    /// The settings that are still to be made.
    Settings(Vec<String>),
    Types,
    /// The bounds that the user wrote.
    Bounds(String),
    /// What is run before that.
    Before(Vec<String>, Box<Self>),
    /// How far the server is behind its primary.
    Behind(Clocked),
    Horizon(Clocked),
    /// What is still to be asked, and the greatest number.
    Greatest(Vec<String>, Option<String>),
    /// The greatest number, and when it was looked at.
    Open(String, String),
    /// So many microseconds.
    Wait(i64, Box<Self>),
    /// Where the window must end.
    Begin(Option<String>),
    Without(String),
    /// How many rows have the number that was read last.
    Ties(String),
    Window(String),
    /// The least and the greatest number of its rows.
    Divide(Option<(Range, bool)>),
    /// What others call the snapshot.
    Share(Option<(Range, bool)>),
    Land(Option<(Range, bool)>),
    /// Whether another window comes.
    Commit(bool),
    Finished,
}

impl<'a> Landing<'a> {
    /// Lands of these columns what is asked for.
    pub(super) fn new(
        statements: &'static dyn Statements,
        reads: &'a Reads,
        columns: impl IntoIterator<Item = &'a str>,
        what: What,
    ) -> Self {
        Self {
            statements,
            reads,
            columns: columns.into_iter().map(|column| (column, String::new())).collect(),
            what,
            ty: None,
            found: String::new(),
            zone: None,
            last: None,
            is_counted: false,
            looks: 0,
            old_looks: 0,
            behind: None,
            parts: Vec::new(),
            snapshot: None,
            state: State::Settings(statements.settings()),
            waits_for: None,
            note: None,
        }
    }

    /// Says which number was read last, and how many rows had it. Where more have it now, they came later with a number that is not
    /// their own: all of that number are read again, if `reads_again`, else that is an error.
    pub fn knows(&mut self, number: &str, rows: u64, reads_again: bool) {
        self.last = Some(Last { number: number.to_owned(), rows, reads_again });
    }

    /// Whether the cursor is a number, as soon as its type is known.
    pub fn is_number(&self) -> bool {
        self.ty == Some(CursorType::Number)
    }

    /// What somebody should look at, though everything has landed.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Says what comes next.
    pub fn step(&mut self) -> LandStep {
        if let State::Wait(..) = self.state
            && let State::Wait(wait, next) = std::mem::replace(&mut self.state, State::Finished)
        {
            self.state = *next;
            return LandStep::Wait(wait);
        }
        let (statements, reads) = (self.statements, self.reads);
        let incremental = reads.incremental.as_ref();
        let cursor = incremental.map_or("", |incremental| &incremental.cursor);
        let first = |statements: &[String]| LandStep::Ask(statements.first().cloned().unwrap_or_default());
        match &self.state {
            State::Settings(settings) => first(settings),
            State::Types => {
                let columns = self.columns.iter().map(|(column, _)| *column);
                let cursor = incremental.map(|incremental| incremental.cursor.as_str());
                let by = reads.split.as_ref().map(|split| split.by.as_str());
                let all: Vec<&str> = columns.chain(cursor).chain(by).collect();
                LandStep::Types(statements.types(reads, &all))
            }
            State::Bounds(bounds) => LandStep::Ask(bounds.clone()),
            State::Before(before, _) => first(before),
            State::Behind(_) => LandStep::Named(statements.behind().unwrap_or_default().to_owned()),
            State::Horizon(ty) => match incremental {
                Some(incremental) => LandStep::Ask(self.horizon_asked(incremental, *ty)),
                None => LandStep::Finished(None),
            },
            State::Greatest(asked, _) => first(asked),
            State::Open(_, time) => LandStep::Ask(statements.open_since(time)),
            State::Begin(_) => LandStep::Ask(statements.begin().to_owned()),
            State::Without(_) => {
                let ty = self.ty.unwrap_or(CursorType::Number);
                LandStep::Ask(statements.without_cursor(reads, cursor, ty))
            }
            State::Ties(_) => {
                let number = self.last.as_ref().map_or("", |last| &last.number);
                LandStep::Ask(statements.ties(reads, cursor, number))
            }
            State::Window(end) => match (incremental, self.range(end.clone())) {
                (Some(incremental), Some(range)) => LandStep::Ask(statements.window(reads, incremental, &range)),
                _ => LandStep::Finished(None),
            },
            State::Divide(range) => {
                let by = reads.split.as_ref().map_or("", |split| &split.by);
                let range = range.as_ref().map(|(range, _)| (cursor, range));
                LandStep::Ask(statements.extremes(reads, by, range))
            }
            State::Share(_) => LandStep::Ask(statements.share().unwrap_or(ALIVE).to_owned()),
            State::Land(range) => LandStep::Land(self.rows(cursor, range.as_ref())),
            State::Commit(_) => LandStep::Ask(END.to_owned()),
            State::Wait(..) | State::Finished => LandStep::Finished(self.waits_for.clone()),
        }
    }

    /// Gives the rows that a statement gave. The error says why nothing can be landed.
    pub fn push(&mut self, answer: Answer) -> Result<(), Error> {
        if let State::Behind(ty) = self.state {
            self.replicates(Behind::of(&answer), ty);
            return Ok(());
        }
        let row = answer.into_iter().next().unwrap_or_default();
        let at = |index: usize| row.get(index).cloned().flatten();
        self.state = match std::mem::replace(&mut self.state, State::Finished) {
            State::Settings(settings) => {
                if let Some(zone) = row.len().checked_sub(2).and_then(at) {
                    let behind = row.len().checked_sub(1).and_then(at).and_then(|seconds| seconds.parse().ok());
                    self.zone = Some(zone).zip(behind);
                }
                match rest(settings) {
                    settings if settings.is_empty() => State::Types,
                    settings => State::Settings(settings),
                }
            }
            State::Types => self.types(&row)?,
            State::Bounds(_) => self.bounds(at(0).zip(at(1)), at(2))?,
            State::Before(before, next) => match rest(before) {
                before if before.is_empty() => *next,
                before => State::Before(before, next),
            },
            State::Horizon(ty) => match old(at(6)) {
                Some(number) => self.look_again(State::Horizon(ty), None, number),
                None => self.horizon(at(0), at(1).zip(at(2)), [at(3), at(4), at(5)], at(7))?,
            },
            State::Greatest(asked, greatest) => match greatest.or_else(|| at(0)) {
                // There is no row.
                None => State::Finished,
                Some(greatest) => match rest(asked) {
                    asked if asked.is_empty() => self.greatest(greatest, row.last().cloned().flatten())?,
                    asked => State::Greatest(asked, Some(greatest)),
                },
            },
            State::Open(greatest, time) => match old(at(5)) {
                Some(number) => {
                    let since = time.clone();
                    self.look_again(State::Open(greatest, time), Some(&since), number)
                }
                None => self.open(greatest, time, at(0).zip(at(1)), [at(2), at(3), at(4)])?,
            },
            State::Begin(None) => self.before_rows(None),
            State::Begin(Some(end)) if self.is_counted => State::Window(end),
            State::Begin(Some(end)) => State::Without(end),
            State::Without(end) => {
                self.counted(at(0))?;
                match self.last.is_some() && self.is_number() {
                    true => State::Ties(end),
                    false => State::Window(end),
                }
            }
            State::Ties(end) => {
                self.tied(at(0))?;
                State::Window(end)
            }
            State::Window(end) => match at(0).zip(at(1)) {
                None => State::Commit(false),
                Some((_, until)) => {
                    let goes_on = until != end;
                    let range = self.range(until).map(|range| (range, goes_on));
                    self.before_rows(range)
                }
            },
            State::Divide(range) => self.divided(at(0).zip(at(1)), range),
            State::Share(range) => {
                self.snapshot = at(0);
                State::Land(range)
            }
            State::Commit(true) => self.next_window(),
            state @ (State::Wait(..) | State::Behind(_) | State::Land(_) | State::Commit(false) | State::Finished) => {
                match state {
                    State::Commit(_) => State::Finished,
                    other => other,
                }
            }
        };
        Ok(())
    }

    /// Says that the rows of [`LandStep::Land`] have landed, up to a position that may be before the window's end.
    pub fn landed(&mut self, position: Option<String>) {
        let State::Land(range) = std::mem::replace(&mut self.state, State::Commit(false)) else { return };
        let Some((range, goes_on)) = range else { return };
        let is_whole = position.as_deref() == Some(range.end.as_str());
        self.state = State::Commit(goes_on || !is_whole);
        match (&mut self.what, position) {
            (What::New(at), position @ Some(_)) => *at = position,
            (What::Between(start, _), Some(position)) => *start = position,
            (_, None) => {}
        }
    }

    fn next_window(&self) -> State {
        match (&self.what, self.ty) {
            (What::Between(_, end), _) => State::Begin(Some(end.clone())),
            (What::New(_), Some(CursorType::Clocked(ty))) if !self.waits() && self.statements.behind().is_some() => {
                State::Behind(ty)
            }
            (What::New(_), Some(CursorType::Clocked(ty))) => self.look(State::Horizon(ty), None),
            (What::New(_), _) => {
                let cursor = self.reads.incremental.as_ref().map_or("", |incremental| &incremental.cursor);
                State::Greatest(self.statements.greatest(self.reads, cursor), None)
            }
        }
    }

    /// A look for open transactions, with what comes before it.
    fn look(&self, look: State, since: Option<&str>) -> State {
        let before = if self.waits() { self.statements.before_look(since) } else { Vec::new() };
        if before.is_empty() { look } else { State::Before(before, Box::new(look)) }
    }

    /// The same, later; not without end. Where several look at once, each look may make that of the others old: all wait longer each
    /// time, and by their numbers not equally long.
    fn look_again(&mut self, look: State, since: Option<&str>, number: i64) -> State {
        self.old_looks += 1;
        if self.old_looks > OLD_LOOKS_MAX {
            self.waits_for = Some(
                "others look for open transactions so often that the server shows an older look each time; nothing is read until \
                 they do it less often"
                    .to_owned(),
            );
            return State::Finished;
        }
        let spread = number.rem_euclid(1_000).wrapping_mul(61_803).rem_euclid(SPREAD) << self.old_looks.min(6);
        State::Wait(OLD_LOOK + spread, Box::new(self.look(look, since)))
    }

    /// Takes the greatest number, and when it was looked at.
    fn greatest(&self, greatest: String, time: Option<String>) -> Result<State, Error> {
        if self.is_behind(&greatest)? {
            return Ok(State::Finished);
        }
        match time.filter(|_| self.waits()) {
            None => Ok(State::Begin(Some(self.behind(&greatest)?))),
            Some(time) => {
                let since = time.clone();
                Ok(self.look(State::Open(greatest, time), Some(&since)))
            }
        }
    }

    /// The number behind one.
    fn behind(&self, number: &str) -> Result<String, Error> {
        let next = number.parse::<i128>().ok().filter(|number| *number < self.statements.number_max());
        next.map(|number| (number + 1).to_string()).ok_or_else(|| {
            refused(format!("the cursor has reached {number}, and there is no greater number for a window to end"))
        })
    }

    /// Whether nothing is new. A greatest number that is less than what was read before tells of rows that went, or of numbers that
    /// begin anew; the next ones would be taken for those that were read.
    fn is_behind(&self, greatest: &str) -> Result<bool, Error> {
        let What::New(Some(position)) = &self.what else { return Ok(false) };
        let (Ok(position), Ok(greatest)) = (position.parse::<i128>(), greatest.parse::<i128>()) else {
            return Ok(false);
        };
        if greatest + 1 >= position {
            return Ok(false);
        }
        let cursor = self.reads.incremental.as_ref().map_or("", |incremental| &incremental.cursor);
        Err(refused(format!(
            "the greatest `{cursor}` is {greatest}, and the source was read up to {}: rows were deleted, or the numbers begin anew; \
             in the first case the next greater row mends it, in the second `etalon state reset` has the source read from its \
             beginning",
            position - 1
        )))
    }

    fn waits(&self) -> bool {
        self.reads.incremental.as_ref().is_some_and(|incremental| incremental.waits)
    }

    fn range(&self, end: String) -> Option<Range> {
        let start = match &self.what {
            What::New(position) => position.clone(),
            What::Between(start, _) => Some(start.clone()),
        };
        Some(Range { start, end, ty: self.statements.bounds_type(self.ty?) })
    }

    fn rows(&self, cursor: &str, range: Option<&(Range, bool)>) -> WindowRows {
        let columns: Vec<(&str, &str)> = self.columns.iter().map(|(column, ty)| (*column, ty.as_str())).collect();
        let within = range.map(|(range, _)| (cursor, range));
        let copy = |part| self.statements.rows(self.reads, &columns, within, part);
        let mut copies: Vec<String> = self.parts.iter().map(|part| copy(Some(part))).collect();
        if copies.is_empty() {
            copies.push(copy(None));
        }
        let start = match (range, &self.what) {
            (None, _) => "snapshot".to_owned(),
            (Some(_), What::Between(start, _)) => format!("again_{start}"),
            (Some((range, _)), What::New(_)) => range.start.clone().unwrap_or_else(|| "beginning".to_owned()),
        };
        let end = range.map(|(range, _)| range.end.clone());
        WindowRows { copies, shared: self.shared(), start, end, has_cursor: range.is_some() }
    }

    /// Takes the types of the columns; a cursor must be of one that can be one.
    fn types(&mut self, row: &[Option<String>]) -> Result<State, Error> {
        for ((column, ty), found) in self.columns.iter_mut().zip(row) {
            *ty = found.clone().unwrap_or_default();
            if let Some(help) = self.statements.unreadable(ty) {
                return Err(refused(format!("the column `{column}` is of type {ty}, which is not read; {help}")));
            }
        }
        if self.reads.split.is_some() {
            self.is_divisible(row.last().and_then(Option::as_deref).unwrap_or_default())?;
        }
        let Some(Incremental { cursor, window, says_lag, lag, .. }) = &self.reads.incremental else {
            return Ok(State::Begin(None));
        };
        let found = row.get(self.columns.len()).cloned().flatten().unwrap_or_default();
        let ty = self.statements.cursor_type(&found).ok_or_else(|| {
            let types = self.statements.cursor_types();
            refused(format!("the cursor `{cursor}` is of type {found}; a cursor is {types}"))
        })?;
        self.ty = Some(ty);
        self.found.clone_from(&found);
        match (ty, window) {
            (CursorType::Number, Some(Width::Seconds(_))) => Err(refused(format!(
                "the cursor `{cursor}` is a number ({found}), and `window` is a time; write a number: `window: 100000`"
            ))),
            (CursorType::Clocked(_), Some(Width::Numbers(_))) => Err(refused(format!(
                "the cursor `{cursor}` is a time ({found}), and `window` is a number; write a time: `window: 1 day`"
            ))),
            (CursorType::Number, _) if *says_lag => Err(refused(format!(
                "the cursor `{cursor}` is a number ({found}), which is not behind any clock; leave `lag` out"
            ))),
            (CursorType::Clocked(Clocked::Timestamp | Clocked::Date), _) => {
                self.is_in_time(cursor, &found, *lag)?;
                self.begins()
            }
            _ => self.begins(),
        }
    }

    fn begins(&self) -> Result<State, Error> {
        match &self.what {
            What::Between(start, end) => {
                let ty = self.ty.map_or("text", |ty| self.statements.bounds_type(ty));
                Ok(State::Bounds(self.statements.bounds([start, end], ty).map_err(refused)?))
            }
            What::New(_) => Ok(self.next_window()),
        }
    }

    /// Refuses a cursor without a time zone that is written by clocks behind UTC, by which a window ends: its rows would come below
    /// the end of a window that is read.
    fn is_in_time(&self, cursor: &str, ty: &str, lag: u64) -> Result<(), Error> {
        match &self.zone {
            Some((zone, behind)) if u64::try_from(*behind).is_ok_and(|behind| behind > lag) => Err(refused(format!(
                "the cursor `{cursor}` is a {ty}, which is taken as UTC, and the server's time zone for this user is {zone}, up to \
                 {} hours behind: what is written in it would never be read; if the cursor is written in UTC, say so to the server, \
                 {}; otherwise say `lag: {} hours`",
                behind.unsigned_abs().div_ceil(3_600),
                self.statements.says_utc(),
                behind.unsigned_abs().div_ceil(3_600) + 1,
            ))),
            _ => Ok(()),
        }
    }

    /// Takes the bounds that the user wrote as the source writes them, and whether they are in order.
    fn bounds(&mut self, bounds: Option<(String, String)>, in_order: Option<String>) -> Result<State, Error> {
        let Some((start, end)) = bounds else {
            return Err(refused("a value that the part begins or ends with is none of the cursor's type".to_owned()));
        };
        if in_order.is_none_or(|in_order| !in_order.starts_with('t')) {
            return Err(refused(format!("the part from {start} until {end} is empty: it must end after it begins")));
        }
        self.what = What::Between(start, end.clone());
        Ok(State::Begin(Some(end)))
    }

    fn horizon(
        &mut self,
        end: Option<String>,
        open: Option<(String, String)>,
        unseen: [Option<String>; 3],
        replayed: Option<String>,
    ) -> Result<State, Error> {
        if !self.waits() {
            return Ok(self.horizon_of_replica(end, is_true(unseen.last()), replayed));
        }
        self.waits_for = open.map(|(since, whose)| waits_for(&since, &whose));
        if self.is_unseen(unseen)? {
            return Ok(State::Finished);
        }
        self.old_looks = 0;
        Ok(State::Begin(end))
    }

    fn open(
        &mut self,
        greatest: String,
        time: String,
        open: Option<(String, String)>,
        unseen: [Option<String>; 3],
    ) -> Result<State, Error> {
        if self.is_unseen(unseen)? {
            return Ok(State::Finished);
        }
        let Some((since, whose)) = open else { return Ok(State::Begin(Some(self.behind(&greatest)?))) };
        self.looks += 1;
        if self.looks > LOOKS_MAX {
            self.waits_for = Some(waits_for(&since, &whose));
            return Ok(State::Finished);
        }
        let again = time.clone();
        Ok(State::Wait(WAIT, Box::new(self.look(State::Open(greatest, time), Some(&again)))))
    }

    /// Whether there are transactions of which nobody knows when they began: hidden ones, on a replica, prepared ones.
    fn is_unseen(&mut self, [hidden, prepared, is_replica]: [Option<String>; 3]) -> Result<bool, Error> {
        if !self.waits() {
            return Ok(false);
        }
        let advice = "or say `open_transactions: ignore` and a `lag` that is longer than any transaction";
        if is_true(Some(&is_replica)) {
            return Err(refused(format!(
                "this is a replica, where the transactions that are open on the primary are not seen; read the primary, {advice}"
            )));
        }
        if let Some(hidden) = hidden.filter(|hidden| hidden != "0") {
            let sessions = if hidden == "1" { "1 session does" } else { &format!("{hidden} sessions do") };
            return Err(refused(format!(
                "{sessions} not show when a transaction of theirs began, so that its rows might be missed; {}, {advice}",
                self.statements.shows_transactions()
            )));
        }
        match prepared.filter(|prepared| prepared != "0") {
            None => Ok(false),
            Some(prepared) => {
                self.waits_for = Some(format!(
                    "nothing is read while transactions are prepared and not committed: there are {prepared}"
                ));
                Ok(true)
            }
        }
    }

    /// Takes how many rows have the number that was read last.
    fn tied(&mut self, count: Option<String>) -> Result<(), Error> {
        let Some(Last { number, rows, reads_again }) = self.last.take() else { return Ok(()) };
        let later = count.and_then(|count| count.parse::<u64>().ok()).unwrap_or_default().saturating_sub(rows);
        if later == 0 {
            return Ok(());
        }
        if reads_again {
            self.what = What::New(Some(number));
            return Ok(());
        }
        let cursor = self.reads.incremental.as_ref().map_or("", |incremental| &incremental.cursor);
        Err(refused(format!(
            "{later} rows came with `{cursor}` {number} after that number was read, and would never be read: with `write: append` each \
             row must have a number of its own, such as that of a sequence; `merge` reads the rows of the last number again"
        )))
    }

    fn counted(&mut self, count: Option<String>) -> Result<(), Error> {
        self.is_counted = true;
        let Some(Incremental { cursor, leaves_out, .. }) = &self.reads.incremental else { return Ok(()) };
        match count.filter(|count| count != "0" && !leaves_out) {
            None => Ok(()),
            Some(count) => Err(refused(format!(
                "{count} rows have no `{cursor}` ({}), and would never be read; give them one, or say `without_cursor: leave_out`",
                self.statements.no_cursor()
            ))),
        }
    }
}

/// Whether an answer says yes.
fn is_true(answer: Option<&Option<String>>) -> bool {
    answer.is_some_and(|answer| answer.as_deref().is_some_and(|answer| answer.starts_with('t')))
}

/// What comes after the first.
fn rest(mut statements: Vec<String>) -> Vec<String> {
    if !statements.is_empty() {
        statements.remove(0);
    }
    statements
}

/// The number of who looked, where the look is too old to be one.
fn old(said: Option<String>) -> Option<i64> {
    said.and_then(|number| number.parse().ok())
}

fn waits_for(since: &str, whose: &str) -> String {
    format!("a transaction is open since {since} ({whose}): what may be its rows is read when it has ended")
}

fn refused(message: String) -> Error {
    Error::new(ErrorKind::Refused, message)
}
