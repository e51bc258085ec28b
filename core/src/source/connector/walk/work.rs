//! Work: a job of a slice while it is under way, from its order to what can be downloaded.

use serde_json::{Map, Value, json};

use super::exchange::{Exchange, Outcome, Pushed};
use super::{Event, Shared};
use crate::source::connector::job::{Job, Status};
use crate::source::connector::request::{Options, Request, Requester};
use crate::source::connector::response::Response;
use crate::source::connector::template::Slice;
use crate::source::connector::time::SECOND;

/// So long is waited until a job is asked about again.
const POLL: i64 = 5 * SECOND;
/// So often a job is ordered.
const ATTEMPTS_MAX: u32 = 3;

/// A job that is under way.
#[derive(Debug)]
pub(super) struct Work {
    slice: Slice,
    phase: Phase,
    exchange: Exchange,
    attempts: u32,
    begun: i64,
    created: Value,
    polled: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Create,
    Poll,
    /// Until this time, and what comes then.
    Wait(i64, After),
    Abort,
    Targets,
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Create,
    Poll,
}

/// What a step of the work comes to.
pub(super) enum Worked {
    Event(Event),
    /// The job is done, and these can be downloaded; `None`: the server says that there is nothing.
    Ready(Option<Vec<Slice>>),
    /// The server was told that it may forget the job.
    Deleted,
}

impl Work {
    /// A job that is to be ordered.
    pub(super) fn new(slice: Slice, now: i64) -> Self {
        Self {
            slice,
            phase: Phase::Create,
            exchange: Exchange::default(),
            attempts: 0,
            begun: now,
            created: Value::Null,
            polled: Value::Null,
        }
    }

    /// A job all of whose records were read, which the server may forget.
    pub(super) fn deleting(slice: Slice, now: i64) -> Self {
        Self { phase: Phase::Delete, ..Self::new(slice, now) }
    }

    pub(super) fn push(&mut self, pushed: Pushed) {
        self.exchange.push(pushed);
    }

    pub(super) fn step(&mut self, job: &Job, owner: &str, shared: &mut Shared) -> Result<Worked, String> {
        loop {
            let requester = match self.phase {
                Phase::Wait(until, _) if shared.now < until => return Ok(Worked::Event(Event::Wait(until))),
                Phase::Wait(_, After::Create) => {
                    self.phase = Phase::Create;
                    continue;
                }
                Phase::Wait(_, After::Poll) => {
                    self.phase = Phase::Poll;
                    continue;
                }
                Phase::Create => Some(&job.creation),
                Phase::Poll => Some(&job.polling),
                Phase::Abort => job.abort.as_ref(),
                Phase::Targets => job.targets.as_ref(),
                Phase::Delete => job.delete.as_ref(),
            };
            let answer = match requester {
                None => None,
                Some(requester) => {
                    let owner = format!("{owner}#{:?}", self.phase);
                    match self.ask(requester, &owner, shared) {
                        Ok(Outcome::Event(event)) => return Ok(Worked::Event(event)),
                        Ok(Outcome::Answer(request, response)) => response.map(|response| (request, response)),
                        // An order that is refused is one that failed.
                        Err(what) if self.phase == Phase::Create => {
                            self.failed(job, Status::Failed, shared, || what)?;
                            continue;
                        }
                        Err(_) if self.phase == Phase::Abort => None,
                        Err(what) => return Err(what),
                    }
                }
            };
            match self.phase {
                Phase::Create => {
                    let Some((request, response)) = answer else {
                        self.failed(job, Status::Failed, shared, || "the order of the job was passed over".to_owned())?;
                        continue;
                    };
                    self.created = told(&request, &response);
                    self.begun = shared.now;
                    self.phase = Phase::Poll;
                }
                Phase::Poll => {
                    let (request, response) = answer.ok_or("the answer about the job was passed over")?;
                    self.polled = told(&request, &response);
                    let is_late = shared.now.saturating_sub(self.begun) > job.timeout(&shared.scope())?;
                    match job.status(&response, &shared.scope())? {
                        Status::Completed => self.phase = Phase::Targets,
                        Status::Skipped => return Ok(Worked::Ready(None)),
                        Status::Running if !is_late => {
                            self.phase = Phase::Wait(shared.now.saturating_add(POLL), After::Poll);
                        }
                        Status::Failed => {
                            let place = request.place();
                            let message = || format!("`{place}`: the job has failed {ATTEMPTS_MAX} times");
                            self.failed(job, Status::Failed, shared, message)?;
                        }
                        Status::Running | Status::TimedOut => self.phase = Phase::Abort,
                    }
                }
                Phase::Abort => {
                    let message = || format!("the job was not done in time {ATTEMPTS_MAX} times");
                    self.failed(job, Status::TimedOut, shared, message)?;
                }
                Phase::Targets => {
                    let targets =
                        job.target_values(answer.as_ref().map(|(_, response)| response), &self.polled, shared.scope())?;
                    let slice = |target: Value| {
                        let mut slice = self.job_slice();
                        slice.extra.insert("polling_response".to_owned(), self.polled.clone());
                        slice.extra.insert("download_target".to_owned(), target);
                        slice
                    };
                    return Ok(Worked::Ready(Some(targets.into_iter().map(slice).collect())));
                }
                Phase::Delete => return Ok(Worked::Deleted),
                Phase::Wait(..) => {}
            }
        }
    }

    /// The slice with what the order of the job gave.
    fn job_slice(&self) -> Slice {
        let mut slice = self.slice.clone();
        if !self.created.is_null() {
            slice.extra.insert("creation_response".to_owned(), self.created.clone());
        }
        slice
    }

    fn ask(&mut self, requester: &Requester, owner: &str, shared: &mut Shared) -> Result<Outcome, String> {
        let mut slice = self.job_slice();
        if self.phase == Phase::Targets {
            slice.extra.insert("polling_response".to_owned(), self.polled.clone());
        }
        let build = |proof: Options, shared: &Shared| {
            let token = Value::Null;
            let scope = shared.scope().sliced(&slice).with("next_page_token", (&token).into());
            requester.request(&scope, None, proof, Options::default())
        };
        self.exchange.step(requester, owner, shared, &build)
    }

    /// Orders the job once more, after a while, unless that was tried too often.
    fn failed(
        &mut self,
        job: &Job,
        status: Status,
        shared: &Shared,
        message: impl FnOnce() -> String,
    ) -> Result<(), String> {
        self.exchange = Exchange::default();
        self.attempts += 1;
        if self.attempts >= ATTEMPTS_MAX {
            return Err(message());
        }
        let wait = if status == Status::Failed { job.failed_wait(&shared.scope())?.unwrap_or(POLL) } else { POLL };
        self.phase = Phase::Wait(shared.now.saturating_add(wait), After::Create);
        self.created = Value::Null;
        Ok(())
    }
}

/// A response as templates see it: its JSON, and the headers and the request beside it. What proves who asked is left out.
fn told(request: &Request, response: &Response) -> Value {
    let mut told = match response.json() {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    let is_proof = |name: &str| {
        ["authorization", "cookie", "x-api-key", "set-cookie", "proxy-authorization"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    };
    let map = |headers: &[(String, String)]| -> Value {
        let plain = headers.iter().filter(|(name, _)| !is_proof(name));
        Value::Object(plain.map(|(name, value)| (name.clone(), value.clone().into())).collect())
    };
    let asked =
        json!({"url": request.url, "method": request.method, "headers": map(&request.headers), "body": request.body});
    told.entry("headers").or_insert_with(|| map(&response.headers));
    told.entry("request").or_insert(asked);
    Value::Object(told)
}
