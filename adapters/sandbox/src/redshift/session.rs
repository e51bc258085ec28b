//! Session: one statement after the other on a connection, in Redshift's words on both sides.

use std::sync::Arc;

use etalon_core::warehouse::Rule;
use etalon_core::warehouse::lint;
use etalon_warehouse::client::Connection;
use etalon_warehouse::client::ServerError;
use etalon_warehouse::client::Trouble;

use super::parameters;
use super::parameters::Parameter;
use super::results::ResultSet;
use super::shims;
use super::translate;
use super::translate::Action;
use super::world::World;

/// What the server says of a statement that was interrupted.
const INTERRUPTED: &str = "57014";

/// A connection, and what is known of it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) world: Arc<World>,
    pub(super) id: String,
    pub(super) connection: Connection,
    pub(super) process: i64,
    /// The number of the last statement.
    pub(super) query: i64,
}

/// What a statement gives.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) rows: i64,
    pub(super) result: Option<Arc<ResultSet>>,
    pub(super) copied: u64,
}

/// Why a statement gives nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Cancelled,
    /// With the words that DescribeStatement repeats.
    Error(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Server(error) if error.state == INTERRUPTED => Self::Cancelled,
            Trouble::Server(error) => Self::Error(words(&error)),
            Trouble::Io(error) => Self::Error(format!("FATAL: the sandbox's PostgreSQL is gone: {error}")),
            Trouble::Refused(fact) => Self::Error(format!("FATAL: {fact}")),
        }
    }
}

impl Session {
    /// A session on a connection; `Err` holds the words of an error.
    pub(super) fn new(world: Arc<World>, id: String, mut connection: Connection) -> Result<Self, String> {
        let path = format!("SET search_path = \"$user\", public, {}", shims::SCHEMA);
        let found = connection.run(&path, &[]).and_then(|_| connection.run("SELECT pg_backend_pid()", &[]));
        let found = found.map_err(|trouble| match Failure::from(trouble) {
            Failure::Cancelled => "the connection was interrupted".to_owned(),
            Failure::Error(error) => error,
        })?;
        let process = found.rows.first().and_then(|row| row.first()).cloned().flatten();
        let process = process.and_then(|text| String::from_utf8(text).ok()).and_then(|text| text.parse().ok());
        Ok(Self { world, id, connection, process: process.unwrap_or_default(), query: -1 })
    }

    /// Runs a statement of the sandbox's own.
    pub(super) fn plain(&mut self, sql: &str) -> Result<(), Failure> {
        self.connection.run(sql, &[]).map(|_| ()).map_err(Failure::from)
    }

    /// Runs a statement of Redshift's.
    pub(super) fn run(&mut self, sql: &str, given: &[Parameter], in_transaction: bool) -> Result<Answer, Failure> {
        self.query = self.world.query();
        check(sql, in_transaction)?;
        let numbered = parameters::number(sql);
        let values = parameters::values(&numbered.names, given);
        match translate::translate(&numbered.sql, in_transaction).map_err(Failure::Error)? {
            Action::Run(statements) => {
                let mut answer = Answer::default();
                for (place, sql) in statements.iter().enumerate() {
                    let values = if place == 0 { values.as_slice() } else { &[] };
                    let found = self.connection.run(sql, values)?;
                    if place == 0 {
                        answer = told(found)?;
                    }
                }
                Ok(answer)
            }
            Action::Copy(copy) => self.copy(&copy),
            Action::Nothing => Ok(Answer::default()),
        }
    }
}

fn told(found: etalon_warehouse::client::Rows) -> Result<Answer, Failure> {
    if found.columns.is_empty() {
        let rows = found.count.map_or(0, |count| i64::try_from(count).unwrap_or(i64::MAX));
        return Ok(Answer { rows, ..Answer::default() });
    }
    let result = ResultSet::new(found).map_err(Failure::Error)?;
    let rows = i64::try_from(result.rows()).unwrap_or(i64::MAX);
    Ok(Answer { rows, result: Some(Arc::new(result)), copied: 0 })
}

/// Asks the linter whether Redshift would take a statement.
fn check(sql: &str, in_transaction: bool) -> Result<(), Failure> {
    let first = super::words::telling(sql);
    let is_create_table =
        first.first().is_some_and(|word| word.is("create")) && first.iter().take(3).any(|word| word.is("table"));
    let offence = lint(sql).into_iter().find(|offence| match offence.rule {
        // Redshift takes the words of a key, and keeps nothing of what they promise.
        Rule::Key => !is_create_table,
        Rule::NotInTransaction => in_transaction,
        _ => true,
    });
    match offence {
        Some(offence) => Err(Failure::Error(format!("ERROR: Redshift does not take this: {offence}"))),
        None => Ok(()),
    }
}

/// The words of Redshift for an error of PostgreSQL, as far as they are known to differ. Details may hold values of rows,
/// and are left out.
fn words(error: &ServerError) -> String {
    let message = &error.message;
    let quoted = message.split('"').nth(1).unwrap_or_default();
    let message = match error.state.as_str() {
        "21000" if message.starts_with("MERGE") => "Found multiple matches to update the same tuple.".to_owned(),
        "23502" => format!("Cannot insert a NULL value into column {quoted}"),
        "23514" => {
            let name = message.split('"').nth(3).unwrap_or_default();
            translate::broken_limit(name).unwrap_or_else(|| message.clone())
        }
        "40001" => "could not complete because of conflict with concurrent transaction".to_owned(),
        _ => message.clone(),
    };
    format!("ERROR: {message}")
}
