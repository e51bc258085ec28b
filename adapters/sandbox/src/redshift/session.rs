//! Session: one statement after the other on a connection, in Redshift's words on both sides.

use std::sync::Arc;

use etalon_core::warehouse::dialect::redshift::lint::Rule;
use etalon_core::warehouse::dialect::redshift::lint::lint;
use etalon_postgres::client::Client;

use super::copy;
use super::failure::Failure;
use super::locks::Lock;
use super::parameters;
use super::parameters::Parameter;
use super::results::ResultSet;
use super::shims;
use super::translate;
use super::translate::Action;
use super::translate::Copy;
use super::words::telling;
use super::world::World;

/// A connection, and what is known of it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) world: Arc<World>,
    pub(super) id: String,
    pub(super) connection: Client,
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

impl Session {
    /// A session on a connection; `Err` holds the words of an error.
    pub(super) fn new(world: Arc<World>, id: String, mut connection: Client) -> Result<Self, String> {
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
        if let Some(lock) = Lock::of(&numbered.sql).filter(|_| in_transaction) {
            self.connection.run(&lock.sql(), &[&lock.table])?;
        }
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

    /// Brings the rows of the files that a manifest names, and keeps their count where functions ask for it.
    fn copy(&mut self, copy: &Copy) -> Result<Answer, Failure> {
        let run = copy::Run { world: &self.world, id: &self.id, query: self.query, process: self.process };
        let count = run.copy(&mut self.connection, copy)?;
        let kept = "SELECT set_config('redshift.copy_count', $1, false), set_config('redshift.copy_id', $2, false)";
        self.connection.run(kept, &[&count.to_string(), &self.query.to_string()])?;
        Ok(Answer { rows: i64::try_from(count).unwrap_or(i64::MAX), result: None, copied: count })
    }
}

fn told(found: etalon_postgres::client::Rows) -> Result<Answer, Failure> {
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
    let first = telling(sql);
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
