//! Statements: what a kind of database is asked in its own SQL. Which statement comes next, and what its answer means, is
//! [`Landing`](super::Landing)'s for all of them.

use super::database::{Clocked, CursorType, Incremental, Part, Range, Reads};

/// The statements of a kind of database.
pub(super) trait Statements: std::fmt::Debug + Sync {
    /// What the kind is called.
    fn kind(&self) -> &'static str;

    /// The settings of the session, so that a value is always written alike, nothing is written to the database, and nothing
    /// waits without end. One of them gives a row: last the time zone that holds for the user otherwise, and how many seconds it is
    /// behind UTC at most.
    fn settings(&self) -> Vec<String>;

    /// One row: the type of each column, in order.
    fn types(&self, reads: &Reads, columns: &[&str]) -> String;

    /// Why a column of a type cannot be read, if it cannot.
    fn unreadable(&self, ty: &str) -> Option<&'static str>;

    /// What kind of value a cursor of a type is; `None` where it is none.
    fn cursor_type(&self, ty: &str) -> Option<CursorType>;

    /// The types of which a cursor may be, for people.
    fn cursor_types(&self) -> &'static str;

    /// The type in which bounds are compared.
    fn bounds_type(&self, ty: CursorType) -> &'static str;

    /// The greatest number that a cursor can be.
    fn number_max(&self) -> i128;

    /// What is run before open transactions are looked for; each time, since what is looked at may be an older look.
    /// `since`: those are looked for that began by then.
    fn before_look(&self, since: Option<&str>) -> Vec<String>;

    /// Before the snapshot: where a window must end. One row: the end; since when the oldest open transaction is open, if it
    /// ends there, and whose it is; how many sessions do not show it; how many transactions are prepared; whether this is a
    /// replica; where the look was too old to be one, a number that others who look do not have; up to when a replica has replayed its
    /// primary, if the window ends there and that is before the lag, and nothing where it has replayed nothing. `found`: the cursor's type.
    fn horizon(&self, incremental: &Incremental, ty: Clocked, found: &str) -> String;

    /// How far a replica is behind its primary, where `horizon` does not know it: a row for each primary, none on a server that has
    /// none.
    fn behind(&self) -> Option<&'static str>;

    /// What the server is, one row: its time in microseconds since 1970, its product and version.
    fn server(&self) -> &'static str;

    /// Whether an index of a table begins with a column, one row; no row where nobody can say it, as of a view.
    fn indexed(&self, schema: Option<&str>, table: &str, column: &str) -> String;

    /// Before the snapshot: the greatest number, in the first answer, and when it was looked at, in the last.
    fn greatest(&self, reads: &Reads, cursor: &str) -> Vec<String>;

    /// Whether transactions are open that began by a time. One row: since when the oldest is open, and whose it is; hidden,
    /// prepared, replica and the age of the look as in [`horizon`](Self::horizon).
    fn open_since(&self, time: &str) -> String;

    /// Begins a transaction in which everything is as it was at its first statement.
    fn begin(&self) -> &'static str;

    /// In the snapshot: rows without a cursor, counted.
    fn without_cursor(&self, reads: &Reads, cursor: &str, ty: CursorType) -> String;

    /// What is said of a cursor that is none, for people.
    fn no_cursor(&self) -> &'static str;

    /// In the snapshot: how many rows have a number.
    fn ties(&self, reads: &Reads, cursor: &str, number: &str) -> String;

    /// In the snapshot: the least cursor of a range, and where a window that begins there ends. NULL where there is no row.
    fn window(&self, reads: &Reads, incremental: &Incremental, range: &Range) -> String;

    /// In the snapshot: the least and the greatest number of a column, in the rows of a range, or all rows.
    fn extremes(&self, reads: &Reads, column: &str, range: Option<(&str, &Range)>) -> String;

    /// In the snapshot: shows it to others, and gives what they call it; `None` where that needs a right.
    fn share(&self) -> Option<&'static str>;

    /// Begins a transaction in a snapshot that is shown.
    fn sharing(&self, snapshot: &str) -> Vec<String>;

    /// The rows of a range, or all rows, or those of a part of them; with a range, in its order, and with the cursor behind the columns.
    fn rows(
        &self,
        reads: &Reads,
        columns: &[(&str, &str)],
        range: Option<(&str, &Range)>,
        part: Option<&Part<'_>>,
    ) -> String;

    /// Bounds as the source writes them, and whether the first is before the second. The error says which is no value of the type.
    fn bounds(&self, bounds: [&str; 2], ty: &str) -> Result<String, String>;

    /// How a server is told that its times without a zone are in UTC.
    fn says_utc(&self) -> &'static str;

    /// How this user is allowed to see when transactions began.
    fn shows_transactions(&self) -> &'static str;

    /// How this user is allowed to see how far a replica is behind.
    fn shows_replication(&self) -> &'static str;

    /// The columns of a table, in order: name, type, whether it has a value always, whether it is of the primary key.
    fn columns(&self, table: &str) -> String;

    /// The type of a field for a column of a type, and what is to be looked at.
    fn field_type(&self, ty: &str) -> (String, Option<&'static str>);
}

/// What rows must be, of two conditions that there may be.
pub(super) fn filtered(within: Option<String>, part: Option<String>) -> String {
    let conditions: Vec<String> = within.into_iter().chain(part).collect();
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}
