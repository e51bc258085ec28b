//! Run: a submission from its queue to its end, on a thread and a connection of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use etalon_postgres::client::Client;

use super::answer;
use super::behaviour::Effect;
use super::behaviour::End;
use super::failure::Failure;
use super::request::Mode;
use super::request::Submission;
use super::session::Answer;
use super::session::Session;
use super::statements::Status;
use super::world::Cancelled;
use super::world::World;
use crate::postgres::connect;

/// How a submission ends.
enum Ended {
    Finished,
    Failed(String),
    Aborted,
}

impl From<Cancelled> for Ended {
    fn from(_: Cancelled) -> Self {
        Self::Aborted
    }
}

/// Runs a submission to its end, and tells it.
pub(super) fn run(world: &Arc<World>, id: &str) {
    let known = world.update(id, |statement, _| (Arc::clone(&statement.submission), statement.effect.clone()));
    let Some((submission, effect)) = known else { return };
    let outcome = wait_and_run(world, id, &submission, effect.as_ref());
    let ended = world.update(id, |statement, now| {
        let status = match &outcome {
            Ended::Finished => Status::Finished,
            Ended::Failed(_) => Status::Failed,
            Ended::Aborted => Status::Aborted,
        };
        if let Ended::Failed(error) = &outcome {
            statement.error = Some(error.clone());
        }
        statement.become_status(status, now);
        statement.clone()
    });
    if let (Some(statement), Some(events), true) = (ended, &world.config.events, submission.with_event) {
        events(answer::event(&statement, &world.config.region, &world.config.account));
    }
}

/// Ends what a process of the server is doing.
pub(super) fn interrupt(world: &World, process: i64) {
    // If nothing is cancelled, the statement ends by itself.
    if let Ok(mut connection) = connect(&world.config.postgres) {
        let _ = connection.run("SELECT pg_cancel_backend($1::integer)", &[&process.to_string()]);
    }
}

fn wait_and_run(world: &Arc<World>, id: &str, submission: &Submission, effect: Option<&(usize, Effect)>) -> Ended {
    if let Some((_, effect)) = effect
        && world.sleep(id, effect.queued).is_err()
    {
        return Ended::Aborted;
    }
    if world.take_connection(id).is_err() {
        return Ended::Aborted;
    }
    world.update(id, |statement, now| statement.become_status(Status::Picked, now));
    let outcome = match open(world, id, submission) {
        Ok(session) => Runner { world, id, submission, effect, session }.run(),
        Err(error) => Ended::Failed(error),
    };
    world.give_connection();
    outcome
}

/// Opens a session, and says that the submission has started.
fn open(world: &Arc<World>, id: &str, submission: &Submission) -> Result<Session, String> {
    let asked = submission.place.database.as_deref();
    if let Some(asked) = asked.filter(|asked| *asked != world.config.database) {
        return Err(format!("FATAL: database \"{asked}\" does not exist"));
    }
    let connection: Client = connect(&world.config.postgres).map_err(|error| error.to_string())?;
    let session = Session::new(Arc::clone(world), id.to_owned(), connection)?;
    world.update(id, |statement, now| {
        statement.process = session.process;
        statement.become_status(Status::Started, now);
    });
    Ok(session)
}

struct Runner<'a> {
    world: &'a World,
    id: &'a str,
    submission: &'a Submission,
    effect: Option<&'a (usize, Effect)>,
    session: Session,
}

impl Runner<'_> {
    /// Runs everything, and undoes what a transaction has done if it does not come to its end.
    fn run(mut self) -> Ended {
        self.statements().unwrap_or_else(|ended| {
            // A connection that is gone has undone it.
            if self.submission.mode == Mode::Transaction {
                let _ = self.session.plain("ROLLBACK");
            }
            ended
        })
    }

    /// `Err` is an early end.
    fn statements(&mut self) -> Result<Ended, Ended> {
        let is_transaction = self.submission.mode == Mode::Transaction;
        if is_transaction {
            // Redshift's transactions see a snapshot, and fail where another one has changed what they change.
            self.plain("BEGIN ISOLATION LEVEL REPEATABLE READ")?;
        }
        let mut first_error = None;
        for (place, sql) in self.submission.sqls.iter().enumerate() {
            if self.world.is_cancelled(self.id) {
                return Err(Ended::Aborted);
            }
            let started = self.part(place, Status::Started, None);
            match self.statement(place, sql, is_transaction) {
                Ok(answer) => {
                    self.ended(place, started, Ok(answer));
                }
                Err(Failure::Cancelled) => return Err(Ended::Aborted),
                Err(Failure::Error(error)) => {
                    self.ended(place, started, Err(&error));
                    if is_transaction {
                        return Err(Ended::Failed(error));
                    }
                    first_error.get_or_insert(error);
                }
            }
        }
        if is_transaction {
            if self.world.is_cancelled(self.id) {
                return Err(Ended::Aborted);
            }
            self.plain("COMMIT")?;
        }
        match (first_error, self.effect) {
            (Some(error), _) => Ok(Ended::Failed(error)),
            (None, Some((_, Effect { end: Some(End::IsAbortedAfterCommit), .. }))) => Ok(Ended::Aborted),
            (None, _) => Ok(Ended::Finished),
        }
    }

    fn plain(&mut self, sql: &str) -> Result<(), Ended> {
        match self.session.plain(sql) {
            Ok(()) => Ok(()),
            Err(Failure::Cancelled) => Err(Ended::Aborted),
            Err(Failure::Error(error)) => Err(Ended::Failed(error)),
        }
    }

    fn statement(&mut self, place: usize, sql: &str, in_transaction: bool) -> Result<Answer, Failure> {
        if let Some((_, effect)) = self.effect.filter(|(at, _)| *at == place) {
            self.world.sleep(self.id, effect.delay).map_err(|Cancelled| Failure::Cancelled)?;
            match &effect.end {
                Some(End::Fails(message)) => return Err(Failure::Error(message.clone())),
                Some(End::IsAborted) => return Err(Failure::Cancelled),
                Some(End::IsAbortedAfterCommit) | None => {}
            }
        }
        let answer = self.session.run(sql, &self.submission.parameters, in_transaction)?;
        self.world.rows_copied.fetch_add(answer.copied, Ordering::SeqCst);
        Ok(answer)
    }

    /// Notes that a part has begun, and gives the time.
    fn part(&self, place: usize, status: Status, error: Option<&str>) -> i64 {
        let change = |statement: &mut super::statements::Statement, now| {
            if let Some(part) = statement.sub_statements.get_mut(place) {
                part.status = status;
                part.error = error.map(str::to_owned);
                part.updated_at = now;
            }
            now
        };
        self.world.update(self.id, change).unwrap_or_default()
    }

    fn ended(&self, place: usize, started: i64, answer: Result<Answer, &str>) {
        let (status, error) = match &answer {
            Ok(_) => (Status::Finished, None),
            Err(error) => (Status::Failed, Some(*error)),
        };
        let query = self.session.query;
        let now = self.part(place, status, error);
        self.world.update(self.id, |statement, _| {
            let Some(part) = statement.sub_statements.get_mut(place) else { return };
            part.nanos = now.saturating_sub(started).saturating_mul(1000);
            part.query = query;
            if let Ok(answer) = answer {
                part.rows = answer.rows;
                part.result = answer.result;
            }
        });
    }
}
