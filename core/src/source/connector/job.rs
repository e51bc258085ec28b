//! Job: what a server has to make before there are records. It is ordered, asked about until it is done, and then says what can be
//! downloaded.

use serde_json::Value;

use super::component::{Component, Missing};
use super::decode::Decoder;
use super::extract::Extractor;
use super::python;
use super::request::Requester;
use super::response::Response;
use super::template::{Scope, Template};
use super::time::SECOND;

/// So many minutes a job may take, if the manifest does not say it.
const MINUTES: i64 = 60;

/// How a job is done.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) creation: Requester,
    pub(super) polling: Requester,
    /// What is asked for what can be downloaded, if that does not stand in the last answer about the job.
    pub(super) targets: Option<Requester>,
    pub(super) abort: Option<Requester>,
    pub(super) delete: Option<Requester>,
    decoder: Decoder,
    /// Where its status stands, and what the server's words for it mean.
    status: Extractor,
    statuses: Vec<(String, Status)>,
    /// Where it stands what can be downloaded; `None`: there is one download.
    target: Option<Extractor>,
    minutes: Option<Template>,
    failed_seconds: Option<Template>,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Completed,
    Failed,
    TimedOut,
    Skipped,
}

const STATUSES: [(&str, Status); 5] = [
    ("running", Status::Running),
    ("completed", Status::Completed),
    ("failed", Status::Failed),
    ("timeout", Status::TimedOut),
    ("skipped", Status::Skipped),
];

impl Job {
    pub(super) fn read(retriever: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let mut requester = |field: &str| -> Option<Option<Requester>> {
            match retriever.child(field, missing) {
                Some(found) => Requester::read(&found, missing).map(Some),
                None => Some(None),
            }
        };
        let (creation, polling) = (requester("creation_requester")?, requester("polling_requester")?);
        let (targets, abort, delete) =
            (requester("download_target_requester")?, requester("abort_requester")?, requester("delete_requester")?);
        let extractor = |field: &str, missing: &mut Missing| -> Option<Option<Extractor>> {
            match retriever.child(field, missing) {
                Some(extractor) => Extractor::read(&extractor, missing).map(Some),
                None => Some(None),
            }
        };
        let (status, target) =
            (extractor("status_extractor", missing)?, extractor("download_target_extractor", missing)?);
        if target.is_none() && targets.is_some() {
            missing.add("a `download_target_requester` without a `download_target_extractor`");
        }
        let mut statuses = Vec::new();
        let map = retriever.get("status_mapping").and_then(|map| Component::named(map, "AsyncJobStatusMap"));
        for (word, status) in STATUSES {
            let words = map.as_ref().and_then(|map| map.get(word)).and_then(Value::as_array).into_iter().flatten();
            statuses.extend(words.map(|word| (python::text(word), status)));
        }
        if creation.is_none() || polling.is_none() || status.is_none() || statuses.is_empty() {
            missing.add("an `AsyncRetriever` without its requesters, its status or their words");
        }
        Some(Self {
            creation: creation?,
            polling: polling?,
            targets,
            abort,
            delete,
            decoder: Decoder::read(retriever.child("decoder", missing), missing),
            status: status?,
            statuses,
            target,
            minutes: retriever.template("polling_job_timeout", missing),
            failed_seconds: retriever.template("failed_retry_wait_time_in_seconds", missing),
        })
    }

    /// The requesters beside the one that downloads.
    pub(super) fn requesters(&self) -> impl Iterator<Item = &Requester> {
        [Some(&self.creation), Some(&self.polling), self.targets.as_ref(), self.abort.as_ref(), self.delete.as_ref()]
            .into_iter()
            .flatten()
    }

    /// How far it is, by what the server says of it.
    pub(super) fn status(&self, response: &Response, scope: &Scope<'_>) -> Result<Status, String> {
        let place = response.url_without_query();
        let elements = self.decoder.elements(response).map_err(|what| format!("`{place}`: {what}"))?;
        let extracted = self.status.extract(elements.into(), scope)?;
        let word = extracted.records.into_iter().next().map_or_else(|| "None".to_owned(), |word| python::text(&word));
        let status = self.statuses.iter().find(|(known, _)| *known == word).map(|(_, status)| *status);
        status
            .ok_or_else(|| format!("`{place}`: the manifest does not say what a job's status `{}` means", short(&word)))
    }

    /// What can be downloaded, by the answer of whoever is asked for it, or by the last answer about the job.
    pub(super) fn target_values(
        &self,
        response: Option<&Response>,
        polled: &Value,
        scope: Scope<'_>,
    ) -> Result<Vec<Value>, String> {
        let Some(target) = &self.target else { return Ok(vec!["".into()]) };
        let elements = match (response, &self.targets) {
            (Some(response), _) => self.decoder.elements(response)?,
            (None, None) => vec![polled.clone()],
            (None, Some(_)) => return Err("the answer with what can be downloaded was passed over".to_owned()),
        };
        target.extract(elements.into(), &scope).map(|extracted| extracted.records)
    }

    /// How long it may take, in microseconds.
    pub(super) fn timeout(&self, scope: &Scope<'_>) -> Result<i64, String> {
        let minutes = number(self.minutes.as_ref(), scope)?.filter(|minutes| *minutes > 0).unwrap_or(MINUTES);
        Ok(minutes.saturating_mul(60 * SECOND))
    }

    /// How long is waited before one that has failed is ordered again, in microseconds, if the manifest says it.
    pub(super) fn failed_wait(&self, scope: &Scope<'_>) -> Result<Option<i64>, String> {
        Ok(number(self.failed_seconds.as_ref(), scope)?.map(|seconds| seconds.max(1).saturating_mul(SECOND)))
    }
}

fn number(template: Option<&Template>, scope: &Scope<'_>) -> Result<Option<i64>, String> {
    let Some(template) = template else { return Ok(None) };
    let text = template.text(scope)?;
    let number = text.trim().parse::<i64>();
    number.map(Some).map_err(|_| format!("`{}` is no whole number", template.source()))
}

/// A word of a server, as far as it is one.
fn short(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(60).collect()
}
