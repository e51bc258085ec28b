//! Cursor: how far a pipeline has read a database or an API, and the windows of it that are kept.
//!
//! There is one document for each pipeline. It is written on condition that it has not changed since it was read, and only
//! after the pieces that it names: a window has landed when this document names it, and not before. If two workers land the
//! next window at once, one of them writes the document; what the other has written is residue.
//!
//! For all other code a window is an object: its name, the digest of its bytes, and their number. A window that this document
//! does not name, or does not name any more, is not an object.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::plan::{Object, identity};
use crate::protocol::Document;

/// The most windows that are kept: what a source gives every five minutes in two weeks.
const WINDOWS_MAX: usize = 4096;

/// How many windows that have all rows are kept beside the last one: somebody may still be at work with them.
const WHOLE_BEFORE: usize = 1;

/// How far a pipeline has read its source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What is read, by an identity: a position means nothing elsewhere.
    pub source: String,
    /// Everything before it was landed, as the source writes it; `None`: nothing was, or there is no order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The server and database that were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The greatest number that was read, where the cursor is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastNumber>,
    /// How many windows were landed.
    pub landed: u64,
    /// The windows that are kept, first landed first.
    pub windows: Vec<Window>,
    /// A window that is not landed yet, of a source that is asked page by page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open: Option<OpenWindow>,
}

/// A number of a cursor, and how many rows had it when it was read: more of them tell that it is not a row's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastNumber {
    /// The number, as the source writes it.
    pub number: String,
    /// The rows.
    pub rows: u64,
}

/// A window of which a part is there: whoever has time goes on with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWindow {
    /// What is walked, by an identity: where a walk stands means nothing elsewhere.
    pub of: String,
    /// When the walk began, in microseconds since 1970.
    pub begun: i64,
    /// The records that are there.
    pub rows: u64,
    /// Their pieces, in order.
    pub pieces: Vec<Piece>,
    /// What is told of their pages.
    pub pages: Vec<Piece>,
    /// The responses that they are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Piece>,
    /// How many responses these are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub responses: u64,
    /// Where the walk stands.
    pub walk: Value,
}

/// What was landed at once: the rows of a snapshot, or of a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The object's name: number and bounds.
    pub name: String,
    /// The rows.
    pub rows: u64,
    /// Its pieces, in order.
    pub pieces: Vec<Piece>,
    /// What is told of the pages that they came on, if they did: a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<Piece>,
    /// The responses that they are of, as they came: a line each, which a page names by its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Piece>,
    /// The columns that were asked for, in the order of its values; none where records name theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Whether it has all rows of the source, and so takes the place of those before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_whole: bool,
}

/// A piece of a window: whole records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Its name in the store.
    pub name: String,
    /// What the store calls its version.
    pub version: String,
    /// Its bytes.
    pub size: u64,
    /// Their digest.
    pub sha256: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Document for Cursor {
    const KIND: &'static str = "a cursor";
    const VERSION: u32 = 1;
}

impl Cursor {
    /// A cursor that stands before everything.
    pub fn new(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }

    /// The number of the next window, from 1.
    pub fn next(&self) -> u64 {
        self.landed + 1
    }

    /// Adds a window that was landed up to a position.
    pub fn land(&mut self, window: Window, position: Option<String>) {
        self.landed += 1;
        self.open = None;
        self.position = position;
        if window.is_whole {
            let mut surplus = self.windows.iter().filter(|window| window.is_whole).count().saturating_sub(WHOLE_BEFORE);
            self.windows.retain(|window| {
                let goes = window.is_whole && surplus > 0;
                surplus -= usize::from(goes);
                !goes
            });
        }
        self.windows.push(window);
        let surplus = self.windows.len().saturating_sub(WINDOWS_MAX);
        self.windows.drain(..surplus);
    }

    /// The window of an object's name.
    pub fn window(&self, name: &str) -> Option<&Window> {
        self.windows.iter().find(|window| window.name == name)
    }

    /// Whether another window that has all rows of the source has landed after one that has them too.
    pub fn is_overtaken(&self, name: &str) -> bool {
        let last = self.windows.iter().rev().find(|window| window.is_whole);
        let is_whole = self.window(name).is_none_or(|window| window.is_whole);
        // Names begin with numbers of one length.
        is_whole && last.is_some_and(|last| last.name.as_str() > name)
    }

    /// Whether a name below `landed/` is one of a window that is not kept, or of none: it can go. What belongs to the next
    /// window may be somebody's who is about to land it.
    pub fn is_residue(&self, piece: &str, window: u64) -> bool {
        let mut kept =
            self.windows.iter().flat_map(|window| window.pieces.iter().chain(&window.pages).chain(&window.bodies));
        window <= self.landed && !kept.any(|kept| kept.name == piece)
    }
}

impl Window {
    /// The window as an object.
    pub fn object(&self) -> Object {
        let digests: Vec<&str> = self.pieces.iter().map(|piece| piece.sha256.as_str()).collect();
        let size = self.pieces.iter().map(|piece| piece.size).sum();
        Object { name: self.name.clone(), version: identity("landed", &digests), size }
    }

    /// Where the window can be cut: the offsets at which its pieces begin, without the first.
    pub fn cuts(&self) -> Vec<u64> {
        let ends = self.pieces.iter().scan(0, |end, piece| {
            *end += piece.size;
            Some(*end)
        });
        ends.take(self.pieces.len().saturating_sub(1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(number: u64) -> Window {
        let piece = |at: u64| Piece {
            name: format!("landed/p/{number:08}-{at:05}-x.csv"),
            version: "v".to_owned(),
            size: 10 + at,
            sha256: format!("{number}.{at}"),
        };
        Window { name: format!("{number:08}"), rows: 2, pieces: vec![piece(0), piece(1)], ..Window::default() }
    }

    #[test]
    fn what_no_window_names_is_residue_but_not_what_may_be_landed_next() {
        let mut cursor = Cursor::new("orders");
        cursor.land(window(1), Some("a".to_owned()));
        assert!(!cursor.is_residue("landed/p/00000001-00001-x.csv", 1));
        assert!(cursor.is_residue("landed/p/00000001-00001-y.csv", 1));
        assert!(!cursor.is_residue("landed/p/00000002-00000-y.csv", 2));
    }

    #[test]
    fn the_oldest_windows_leave_the_list_and_numbers_go_on() {
        let mut cursor = Cursor::new("orders");
        for number in 1..=WINDOWS_MAX as u64 + 3 {
            assert_eq!(cursor.next(), number);
            cursor.land(window(number), None);
        }
        assert_eq!(cursor.windows.len(), WINDOWS_MAX);
        assert_eq!(cursor.windows.first().map(|window| window.name.as_str()), Some("00000004"));
        assert!(cursor.is_residue("landed/p/00000003-00000-x.csv", 3));
    }

    #[test]
    fn of_windows_that_have_all_rows_the_last_two_are_kept() {
        let mut cursor = Cursor::new("orders");
        for number in 1..=4 {
            cursor.land(Window { is_whole: true, ..window(number) }, None);
        }
        let names: Vec<&str> = cursor.windows.iter().map(|window| window.name.as_str()).collect();
        assert_eq!(names, ["00000003", "00000004"]);
        let overtaken = ["00000002", "00000003", "00000004"].map(|name| cursor.is_overtaken(name));
        assert_eq!(overtaken, [true, true, false]);
    }

    #[test]
    fn an_object_is_told_by_its_bytes() {
        let (one, mut other) = (window(1), window(1));
        assert_eq!((one.object().size, one.cuts()), (21, vec![10]));
        other.pieces[1].sha256.push('0');
        assert_ne!(one.object().version, other.object().version);
    }
}
