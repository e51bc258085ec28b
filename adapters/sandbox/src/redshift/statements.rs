//! Statements: the submitted statements, their states, and how long the service remembers them.
//!
//! ```text
//! SUBMITTED -> PICKED -> STARTED -> FINISHED | FAILED | ABORTED
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::behaviour::Effect;
use super::refusal::Refusal;
use super::request::Submission;
use super::results::ResultSet;

/// Most statements that have not ended.
const ACTIVE_MAX: usize = 500;
/// How long a statement and its result are remembered.
const RETENTION_MICROS: i64 = 24 * 3600 * 1_000_000;
/// How long a token is.
const TOKEN_MICROS: i64 = 8 * 3600 * 1_000_000;

/// What has become of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Submitted,
    Picked,
    Started,
    Finished,
    Failed,
    Aborted,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Picked => "PICKED",
            Self::Started => "STARTED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Aborted => "ABORTED",
        }
    }

    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Aborted)
    }
}

/// One of the statements of a submission.
#[derive(Debug, Clone)]
pub(super) struct SubStatement {
    pub(super) status: Status,
    pub(super) error: Option<String>,
    pub(super) updated_at: i64,
    pub(super) nanos: i64,
    /// Rows that were given or changed; -1 while nobody knows.
    pub(super) rows: i64,
    /// The warehouse's number of the query; -1 where it has not run.
    pub(super) query: i64,
    pub(super) result: Option<Arc<ResultSet>>,
}

/// A submission and what has become of it. A statement that stands alone is its only one.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) id: String,
    pub(super) submission: Arc<Submission>,
    /// What a test wants to happen, and to which of its statements.
    pub(super) effect: Option<(usize, Effect)>,
    pub(super) status: Status,
    pub(super) error: Option<String>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    /// When the warehouse has begun, and when it was done.
    pub(super) started_at: Option<i64>,
    pub(super) nanos: i64,
    /// The number of the process that runs it.
    pub(super) process: i64,
    pub(super) is_cancelled: bool,
    pub(super) sub_statements: Vec<SubStatement>,
}

impl Statement {
    fn new(id: String, submission: Submission, effect: Option<(usize, Effect)>, now: i64) -> Self {
        let part = SubStatement {
            status: Status::Submitted,
            error: None,
            updated_at: now,
            nanos: -1,
            rows: -1,
            query: -1,
            result: None,
        };
        Self {
            id,
            sub_statements: vec![part; submission.sqls.len()],
            submission: Arc::new(submission),
            effect,
            status: Status::Submitted,
            error: None,
            created_at: now,
            updated_at: now,
            started_at: None,
            nanos: -1,
            process: 0,
            is_cancelled: false,
        }
    }

    /// Sets the status, and ends with it what has not ended.
    pub(super) fn become_status(&mut self, status: Status, now: i64) {
        self.status = status;
        self.updated_at = now;
        if status == Status::Started {
            self.started_at = Some(now);
        }
        if status.has_ended() {
            self.nanos = self.started_at.map_or(-1, |started| now.saturating_sub(started).saturating_mul(1000));
            for part in self.sub_statements.iter_mut().filter(|part| !part.status.has_ended()) {
                // What AWS says of the statements after the one that failed only a real account can show.
                part.status = Status::Aborted;
                part.updated_at = now;
            }
        }
    }
}

/// Everything that has been submitted and is remembered.
#[derive(Debug, Default)]
pub(super) struct Statements {
    known: BTreeMap<String, Statement>,
    /// In the order of submission.
    order: Vec<String>,
    tokens: BTreeMap<String, (i64, String)>,
}

impl Statements {
    /// Forgets what is too old.
    pub(super) fn forget(&mut self, now: i64) {
        self.tokens.retain(|_, (since, _)| now - *since < TOKEN_MICROS);
        let known = &mut self.known;
        known.retain(|_, statement| !statement.status.has_ended() || now - statement.created_at < RETENTION_MICROS);
        self.order.retain(|id| known.contains_key(id));
    }

    /// The statement of a token that is still known.
    pub(super) fn of_token(&self, token: Option<&str>) -> Option<String> {
        self.tokens.get(token?).map(|(_, id)| id.clone())
    }

    pub(super) fn submit(
        &mut self,
        submission: Submission,
        effect: Option<(usize, Effect)>,
        id: String,
        now: i64,
    ) -> Result<String, Refusal> {
        if self.active().count() >= ACTIVE_MAX {
            let fact = format!("Active statements exceeded the allowed quota ({ACTIVE_MAX}).");
            return Err(Refusal::new("ActiveStatementsExceededException", fact));
        }
        if let Some(token) = &submission.token {
            self.tokens.insert(token.clone(), (now, id.clone()));
        }
        self.known.insert(id.clone(), Statement::new(id.clone(), submission, effect, now));
        self.order.push(id.clone());
        Ok(id)
    }

    /// The statements that have not ended.
    pub(super) fn active(&self) -> impl Iterator<Item = &Statement> {
        self.known.values().filter(|statement| !statement.status.has_ended())
    }

    pub(super) fn get(&self, id: &str) -> Option<&Statement> {
        self.known.get(id)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Statement> {
        self.known.get_mut(id)
    }

    /// All of them, the last one first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Statement> {
        self.order.iter().rev().filter_map(|id| self.known.get(id))
    }
}

/// The id of a request, `uuid` or `uuid:n`: the statement, and which of its parts.
pub(super) fn read_id(id: &str) -> Result<(&str, Option<usize>), Refusal> {
    let (uuid, part) = match id.split_once(':') {
        Some((uuid, part)) => (uuid, Some(part)),
        None => (id, None),
    };
    let groups: Vec<&str> = uuid.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let is_uuid = lengths == [8, 4, 4, 4, 12]
        && uuid.bytes().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-');
    let number = part.map(|part| part.parse::<usize>().ok().filter(|_| part.len() <= 2));
    match (is_uuid, number) {
        (true, None) => Ok((uuid, None)),
        (true, Some(Some(number))) => Ok((uuid, Some(number))),
        _ => Err(Refusal::validation(format!(
            "id must satisfy regex pattern: ^[a-z0-9]{{8}}(-[a-z0-9]{{4}}){{3}}-[a-z0-9]{{12}}(:\\d+)?$; it is {id}"
        ))),
    }
}
