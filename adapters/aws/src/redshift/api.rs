//! The calls of the Data API: statements are sent, waited for, and their rows fetched page by page.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_redshiftdata::Client;
use aws_sdk_redshiftdata::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_redshiftdata::types::{Field, SqlParameter, StatementStatusString, StatusString};
use etalon_core::deploy::WarehouseId;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::warehouse::{Cause, Failure, Guard, Selection, Statement};
use tokio::time::{Instant, sleep};

use super::Settings;
use crate::failure::failed;

/// Between two questions about a statement that an answer did not wait for.
const PAUSE: Duration = Duration::from_millis(200);
/// Most seconds that an answer may wait for a statement to end.
const POLL_SECONDS_MAX: u64 = 30;
/// Most characters of a warehouse's words.
const WORDS_MAX: usize = 1000;

/// A warehouse behind the Data API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    client: Client,
    settings: Settings,
    /// When its time is over, where somebody has said so: no answer is waited for longer.
    until: Option<Instant>,
}

/// How statements ended that were waited for.
#[derive(Debug)]
#[must_use]
pub(super) enum Ended {
    /// They are done; their id.
    Finished(String),
    /// They did nothing.
    Failed(Failure),
}

/// What is known of a statement.
#[derive(Debug)]
pub(super) struct Described {
    pub(super) status: StatusString,
    /// What a failure means, and what failed in the warehouse's words.
    pub(super) failure: Failure,
    /// What the warehouse itself calls the query that failed.
    pub(super) query: i64,
}

impl Ended {
    pub(super) fn is_finished(&self) -> bool {
        matches!(self, Self::Finished(_))
    }

    /// The id, or the error that the words are. What is not of the data may be mended, and comes again.
    pub(super) fn finished(self) -> Result<String, Error> {
        match self {
            Self::Finished(id) => Ok(id),
            Self::Failed(Failure { cause, words }) if cause.is_of_data() => Err(Error::new(ErrorKind::Refused, words)),
            Self::Failed(failure) => Err(Error::new(ErrorKind::Unavailable, failure.words)),
        }
    }
}

impl Api {
    pub(super) fn new(client: Client, settings: Settings) -> Self {
        Self { client, settings, until: None }
    }

    pub(super) fn within(&self, patience: Duration) -> Self {
        let patience = patience.min(self.settings.patience);
        let until = Some(Instant::now() + patience);
        Self { client: self.client.clone(), settings: Settings { patience, ..self.settings.clone() }, until }
    }

    /// Begins statements as one transaction, and gives their id. With a name, they are a load: the token makes them the same
    /// load whenever they are sent again, and an event tells of their end.
    pub(super) async fn submit(&self, statements: &[&Statement], load: Option<(&str, &str)>) -> Result<String, Error> {
        let (workgroup, cluster, user) = self.id();
        let request = self
            .client
            .batch_execute_statement()
            .database(&self.settings.database)
            .set_workgroup_name(workgroup)
            .set_cluster_identifier(cluster)
            .set_db_user(user)
            .set_secret_arn(self.settings.secret.clone())
            .set_sqls(Some(statements.iter().map(|statement| statement.labelled()).collect()))
            .set_parameters(parameters(statements));
        let request = match load {
            Some((name, token)) => request.statement_name(name).client_token(token).with_event(true),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.failed("BatchExecuteStatement", &error))?;
        answer.id.ok_or_else(|| self.strange("a statement without an id"))
    }

    /// Does statements in one transaction, and waits for their end.
    pub(super) async fn run(&self, statements: &[&Statement]) -> Result<Ended, Error> {
        self.end(self.submit(statements, None).await?).await
    }

    /// Does a statement outside of any transaction, and waits for its end.
    pub(super) async fn run_alone(&self, statement: &Statement) -> Result<Ended, Error> {
        let (workgroup, cluster, user) = self.id();
        let request = self
            .client
            .execute_statement()
            .database(&self.settings.database)
            .set_workgroup_name(workgroup)
            .set_cluster_identifier(cluster)
            .set_db_user(user)
            .set_secret_arn(self.settings.secret.clone())
            .sql(statement.labelled())
            .set_parameters(parameters(&[statement]));
        let answer = request.send().await.map_err(|error| self.failed("ExecuteStatement", &error))?;
        self.end(answer.id.ok_or_else(|| self.strange("a statement without an id"))?).await
    }

    /// Waits for the end of statements, as long as patience lasts.
    async fn end(&self, id: String) -> Result<Ended, Error> {
        let until = Instant::now() + self.settings.patience;
        let until = self.until.map_or(until, |end| end.min(until));
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let described = self.described(&id, self.settings.poll.min(left)).await?;
            match described.status {
                StatusString::Finished => return Ok(Ended::Finished(id)),
                StatusString::Failed => return Ok(Ended::Failed(described.failure)),
                StatusString::Aborted => {
                    return Err(Error::new(ErrorKind::Unavailable, format!("{}: {id} was aborted", self.name())));
                }
                _ if Instant::now() >= until => {
                    let patience = self.settings.patience.as_secs();
                    let message = format!("{}: {id} does not end within {patience} seconds", self.name());
                    return Err(Error::new(ErrorKind::Unavailable, message));
                }
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// What is known of a statement, after its end or after some time; `NotFound` where nothing is.
    pub(super) async fn describe(&self, id: &str) -> Result<Described, Error> {
        // The API calls what cannot be an id invalid, which is another kind of error.
        if id.is_empty() || !id.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
            return Err(Error::new(ErrorKind::NotFound, format!("{}: there is no statement {id}", self.name())));
        }
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        self.described(id, left.map_or(self.settings.poll, |left| left.min(self.settings.poll))).await
    }

    async fn described(&self, id: &str, poll: Duration) -> Result<Described, Error> {
        let seconds = i32::try_from(poll.as_secs().clamp(1, POLL_SECONDS_MAX)).unwrap_or(1);
        let request = self.client.describe_statement().id(id).wait_time_seconds(seconds);
        let answer = request.send().await.map_err(|error| self.failed("DescribeStatement", &error))?;
        let guilty = answer.sub_statements().iter().find(|one| one.status() == Some(&StatementStatusString::Failed));
        let told = guilty.and_then(|one| one.error()).or_else(|| answer.error()).unwrap_or_default();
        let purpose = guilty.and_then(|one| one.query_string()).and_then(Statement::purpose);
        let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
        let cause = Cause::of(told);
        // A guard's division by zero says nothing by itself.
        let guard = purpose.and_then(Guard::of).filter(|_| cause == Cause::DivisionByZero);
        let words = guard.map_or(words, |guard| guard.fact().to_owned());
        let words = purpose.map(|purpose| format!("{purpose}: {words}")).unwrap_or(words);
        Ok(Described {
            status: answer.status().cloned().unwrap_or(StatusString::Submitted),
            failure: Failure { cause, words: words.chars().take(WORDS_MAX).collect() },
            query: guilty.map_or_else(|| answer.redshift_query_id(), |one| one.redshift_query_id()),
        })
    }

    /// What a statement of a transaction has selected, by its position from 1.
    pub(super) async fn selection(&self, id: &str, position: usize) -> Result<Selection, Error> {
        let id = format!("{id}:{position}");
        let mut selection = Selection::default();
        let mut token = None;
        loop {
            let request = self.client.get_statement_result().id(&id).set_next_token(token);
            let answer = request.send().await.map_err(|error| self.failed("GetStatementResult", &error))?;
            let columns = answer.column_metadata().iter().map(|column| column.name().unwrap_or_default().to_owned());
            selection.columns = columns.collect();
            selection.values.extend(answer.records.into_iter().map(|row| row.into_iter().map(text).collect()));
            token = answer.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(selection);
            }
        }
    }

    /// The workgroup, or the cluster and its user.
    fn id(&self) -> (Option<String>, Option<String>, Option<String>) {
        match self.settings.id.clone() {
            WarehouseId::Workgroup(name) => (Some(name), None, None),
            WarehouseId::Cluster { identifier, user } => (None, Some(identifier), user),
        }
    }

    fn name(&self) -> &str {
        match &self.settings.id {
            WarehouseId::Workgroup(name) => name,
            WarehouseId::Cluster { identifier, .. } => identifier,
        }
    }

    fn failed<E>(&self, call: &str, error: &SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        failed(format_args!("{}: {call}", self.name()), error)
    }

    fn strange(&self, what: &str) -> Error {
        Error::new(ErrorKind::Unavailable, format!("{}: {what}", self.name()))
    }
}

/// A value as a text; a value that is none is a NULL.
fn text(field: Field) -> Option<String> {
    match field {
        Field::StringValue(text) => Some(text),
        Field::LongValue(number) => Some(number.to_string()),
        Field::DoubleValue(number) => Some(number.to_string()),
        Field::BooleanValue(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The parameters of statements that are sent together: one name has one value in all of them. The API takes no empty list.
fn parameters(statements: &[&Statement]) -> Option<Vec<SqlParameter>> {
    let all = statements.iter().flat_map(|statement| &statement.parameters);
    let all: BTreeMap<&str, &str> = all.map(|one| (one.name.as_str(), one.value.as_str())).collect();
    // Nothing of a parameter is missing, so that each can be built.
    let built = |(name, value)| SqlParameter::builder().name(name).value(value).build().ok();
    Some(all.into_iter().filter_map(built).collect::<Vec<_>>()).filter(|all| !all.is_empty())
}
