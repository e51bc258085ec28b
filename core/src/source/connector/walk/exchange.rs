//! Exchange: one request until it has its answer: who asks is proved first, the budget is heeded, and what has failed is sent again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Event, Shared, is_plain_header};
use crate::source::connector::authenticate::{Authenticator, Errand, Got, Keeping, Kept, Need};
use crate::source::connector::config;
use crate::source::connector::failure::Action;
use crate::source::connector::request::{Options, Request, Requester};
use crate::source::connector::response::{RESPONSE_BYTES_MAX, Response};
use crate::source::connector::share::Counted;
use crate::source::connector::template::Scope;
use crate::source::connector::url;

/// One request until it has its answer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Exchange {
    stage: Stage,
    /// So often the request was sent in vain.
    attempts: u32,
    /// So often what proves who asks was asked for in vain. A login between two attempts does not make them fewer.
    #[serde(default)]
    proofs: u32,
    /// When the first attempt had failed, in microseconds since 1970. The time between two functions is none of the attempts': whoever
    /// goes on later counts anew.
    #[serde(skip)]
    failed: Option<i64>,
    /// Whether a new token was asked for because of an answer. Whoever goes on later begins with the token that is kept then.
    #[serde(skip)]
    is_renewed: bool,
}

/// What was pushed.
#[derive(Debug, Clone)]
pub(super) enum Pushed {
    /// A response; `None`: none came.
    Response(Option<Response>),
    Signature(Vec<u8>),
    Kept(Kept),
}

/// What a step of an exchange comes to.
pub(super) enum Outcome {
    Event(Event),
    /// The request, and its response; `None`: it is passed over.
    Answer(Request, Option<Response>),
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(from = "Option<i64>", into = "Option<i64>")]
enum Stage {
    #[default]
    Begin,
    /// What a proof needs was asked for.
    Prove(Need, Option<Pushed>),
    /// What is kept of the calls is to be read or written before the next one.
    Count(Keeping, Option<Kept>),
    Sent(Request, Option<Option<Response>>),
    /// Until this time.
    Waiting(i64),
}

/// A stage, kept: until when it waits, if it does.
impl From<Option<i64>> for Stage {
    fn from(until: Option<i64>) -> Self {
        until.map_or(Self::Begin, Self::Waiting)
    }
}

impl From<Stage> for Option<i64> {
    fn from(stage: Stage) -> Self {
        if let Stage::Waiting(until) = stage { Some(until) } else { None }
    }
}

impl Exchange {
    pub(super) fn push(&mut self, pushed: Pushed) {
        match (&mut self.stage, pushed) {
            (Stage::Prove(_, waiting), pushed) => *waiting = Some(pushed),
            (Stage::Count(_, waiting), Pushed::Kept(kept)) => *waiting = Some(kept),
            (Stage::Sent(_, waiting), Pushed::Response(response)) => *waiting = Some(response),
            _ => {}
        }
    }

    /// Goes on. `owner`: what tokens are kept under; `build` makes the request with what proves who asks.
    pub(super) fn step(
        &mut self,
        requester: &Requester,
        owner: &str,
        shared: &mut Shared,
        build: &dyn Fn(Options, &Shared) -> Result<Request, String>,
    ) -> Result<Outcome, String> {
        loop {
            match std::mem::take(&mut self.stage) {
                Stage::Begin => {
                    let authenticator = &requester.authenticator;
                    if let Some(need) = authenticator.ask(owner, &shared.tokens, &shared.scope())? {
                        match &need.errand {
                            Errand::Request(request) => shared.check(request, true, false)?,
                            Errand::Wait(until) => {
                                self.stage = Stage::Waiting(*until);
                                continue;
                            }
                            Errand::Sign(_) | Errand::Keep(_) => {}
                        }
                        self.stage = Stage::Prove(need, None);
                        continue;
                    }
                    let proof = authenticator.proof(owner, &shared.tokens, &shared.scope())?;
                    let request = build(proof, shared)?;
                    let has_proof = !matches!(authenticator, Authenticator::Nobody);
                    shared.check(&request, has_proof, requester.is_download)?;
                    let known = if requester.is_cached { shared.recall(&request) } else { None };
                    let counted = if known.is_none() { shared.count(&request)? } else { Counted::Go };
                    match counted {
                        Counted::Go => {}
                        Counted::Wait(until) => {
                            self.stage = Stage::Waiting(until);
                            continue;
                        }
                        Counted::Keep(keeping) => {
                            self.stage = Stage::Count(keeping, None);
                            continue;
                        }
                    }
                    authenticator.forget(owner, &mut shared.tokens, &shared.config);
                    self.stage = Stage::Sent(request, known.map(Some));
                }
                Stage::Waiting(until) if shared.now < until => {
                    self.stage = Stage::Waiting(until);
                    return Ok(Outcome::Event(Event::Wait(until)));
                }
                Stage::Waiting(_) => {}
                Stage::Count(keeping, None) => {
                    self.stage = Stage::Count(keeping.clone(), None);
                    return Ok(Outcome::Event(Event::Keep(keeping)));
                }
                Stage::Count(_, Some(kept)) => {
                    let now = shared.now;
                    shared.calls.as_mut().map_or(Ok(()), |calls| calls.take(kept, now))?;
                }
                Stage::Prove(need, None) => {
                    let event = match &need.errand {
                        Errand::Request(request) => Event::Request(request.clone()),
                        Errand::Sign(signing) => Event::Sign(signing.clone()),
                        Errand::Keep(keeping) => Event::Keep(keeping.clone()),
                        Errand::Wait(until) => Event::Wait(*until),
                    };
                    self.stage = Stage::Prove(need, None);
                    return Ok(Outcome::Event(event));
                }
                Stage::Prove(need, Some(pushed)) => self.proved(requester, owner, &need, pushed, shared)?,
                Stage::Sent(request, None) => {
                    let sent = shared.with_cookies(owner, &request);
                    self.stage = Stage::Sent(request, None);
                    return Ok(Outcome::Event(Event::Request(sent)));
                }
                Stage::Sent(request, Some(response)) => {
                    let response = received(&request, response)?;
                    if let Some(response) = &response {
                        shared.jar.take(owner, &request.url, &response.headers, shared.now);
                    }
                    if self.is_answered(requester, owner, &request, response.as_ref(), shared)? {
                        // What is passed over is none.
                        return Ok(Outcome::Answer(request, response.filter(Response::is_ok)));
                    }
                }
            }
        }
    }

    /// Takes what a proof needs.
    fn proved(
        &mut self,
        requester: &Requester,
        owner: &str,
        need: &Need,
        pushed: Pushed,
        shared: &mut Shared,
    ) -> Result<(), String> {
        let (got, request) = match (pushed, &need.errand) {
            (Pushed::Signature(signature), _) => (Some(Got::Signature(signature)), None),
            (Pushed::Response(response), Errand::Request(request)) => {
                (received(request, response)?.map(Got::Response), Some(request))
            }
            (Pushed::Kept(kept), _) => (Some(Got::Kept(kept)), None),
            (Pushed::Response(_), _) => return Err("a response came where none was to".to_owned()),
        };
        let status = match &got {
            Some(Got::Response(response)) => response.status,
            _ => 0,
        };
        let place = request.map_or("the key", Request::place);
        let is_taken = |got: &Got| match got {
            Got::Response(response) => response.is_ok() || need.accepts == Some(response.status),
            Got::Signature(_) | Got::Kept(_) => true,
        };
        if let Some(got) = got.filter(is_taken) {
            let (mut tokens, scope) = (std::mem::take(&mut shared.tokens), shared.scope());
            let taken = requester.authenticator.take(owner, need, &mut tokens, &got, &scope);
            shared.tokens = tokens;
            if let Got::Kept(_) = got {
                return taken;
            }
            self.proofs = 0;
            return taken.map_err(|what| format!("`{place}`: {what}"));
        }
        if status != 0 && status != 429 && status < 500 {
            let why = format!("`{place}` gave no token: HTTP {status}");
            return requester.authenticator.refused(owner, need, &mut shared.tokens, &shared.config, why);
        }
        let wait = requester.rules.wait(None, self.proofs + 1, &shared.scope())?;
        let message = || format!("`{place}` gave no token: {}", answered(status));
        self.proofs = self.retry(self.proofs, wait, requester, shared, message)?;
        Ok(())
    }

    /// Whether a response is the answer; else the request will be sent again, and it waits for that.
    fn is_answered(
        &mut self,
        requester: &Requester,
        owner: &str,
        request: &Request,
        response: Option<&Response>,
        shared: &mut Shared,
    ) -> Result<bool, String> {
        if let (Some(calls), Some(response)) = (&mut shared.calls, response) {
            let scope = Scope::new(shared.now, shared.chance, &shared.config);
            calls.heed(request, response, &scope)?;
        }
        let rules = &requester.rules;
        let status = response.map_or(0, |response| response.status);
        let verdict = rules.verdict(response, &shared.scope())?;
        let failed = || {
            let said = verdict.message.clone().filter(|message| !message.is_empty());
            let said = said.or_else(|| response.and_then(excerpt));
            let said = said.map(|message| format!(": {message}")).unwrap_or_default();
            let told = format!("{} `{}`: {}{said}", request.method, request.place(), answered(status));
            // A server may say what it was told.
            config::masked(&proofs(request), &told)
        };
        match verdict.action {
            Action::Fail => return Err(failed()),
            Action::Renew if self.is_renewed => {
                return Err(format!("{}, also with the token that was got after that", failed()));
            }
            action @ (Action::Retry | Action::RateLimited | Action::Renew) => {
                let elapsed = shared.now.saturating_sub(*self.failed.get_or_insert(shared.now));
                let wait = rules.next_wait(action, response, (self.attempts + 1, elapsed), &shared.scope())?;
                let Some(wait) = wait else { return Err(failed()) };
                self.attempts = self.retry(self.attempts, wait, requester, shared, failed)?;
                if action == Action::Renew {
                    self.is_renewed = requester.authenticator.renew(owner, &mut shared.tokens, &shared.config);
                }
                return Ok(false);
            }
            Action::Success | Action::Ignore => {}
        }
        (self.attempts, self.failed, self.is_renewed) = (0, None, false);
        if let Some(response) = response.filter(|response| requester.is_cached && response.is_ok()) {
            shared.remember(request, response);
        }
        Ok(true)
    }

    /// Waits before the next attempt after so many, if there may be one; gives how many there were.
    fn retry(
        &mut self,
        attempts: u32,
        wait: i64,
        requester: &Requester,
        shared: &Shared,
        message: impl FnOnce() -> String,
    ) -> Result<u32, String> {
        let attempts = attempts.saturating_add(1);
        if attempts > requester.rules.retries_max(&shared.scope()) {
            return Err(message());
        }
        self.stage = Stage::Waiting(shared.now.saturating_add(wait));
        Ok(attempts)
    }
}

/// Most bytes of a response that an error quotes.
const QUOTED_BYTES_MAX: usize = 1024;

/// The beginning of a response's body, on one line; `None`: there is nothing to be quoted.
fn excerpt(response: &Response) -> Option<String> {
    let start = &response.body[..response.body.len().min(QUOTED_BYTES_MAX)];
    let text = String::from_utf8_lossy(start);
    // A character that is cut is none.
    let text = if start.len() < response.body.len() { text.trim_end_matches('\u{fffd}') } else { text.as_ref() };
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let more = if start.len() < response.body.len() { " …" } else { "" };
    (!line.is_empty()).then(|| format!("{line}{more}"))
}

/// What of a request may prove who asks, wherever it comes from.
pub(super) fn proofs(request: &Request) -> Vec<String> {
    let mut proofs = Vec::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| !is_plain_header(name)) {
        proofs.push(value.clone());
        // What follows the scheme, also where it has blanks.
        let word = value.split_once(' ').map_or(value.as_str(), |(_, word)| word.trim_start());
        proofs.push(word.to_owned());
        let is_basic = name.eq_ignore_ascii_case("authorization") && value.starts_with("Basic ");
        let decoded = is_basic.then(|| STANDARD.decode(word).ok().and_then(|bytes| String::from_utf8(bytes).ok()));
        if let Some((user, password)) = decoded.flatten().as_deref().and_then(|pair| pair.split_once(':')) {
            proofs.extend([user.to_owned(), password.to_owned()]);
        }
    }
    let query = request.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    proofs
        .extend(url::pairs(query).into_iter().filter(|(name, _)| config::is_secret_name(name)).map(|(_, value)| value));
    proofs.retain(|proof| proof.len() >= config::SECRET_BYTES_MIN);
    config::longest_first(&mut proofs);
    proofs
}

/// A status, in words.
pub(super) fn answered(status: u16) -> String {
    if status == 0 { "no response".to_owned() } else { format!("HTTP {status}") }
}

/// The response with the address that was asked; an error if it is too large.
fn received(request: &Request, response: Option<Response>) -> Result<Option<Response>, String> {
    let Some(response) = response else { return Ok(None) };
    if response.body.len() > RESPONSE_BYTES_MAX {
        return Err(format!("the response of `{}` has more than {RESPONSE_BYTES_MAX} bytes", request.place()));
    }
    Ok(Some(Response { url: request.url.clone(), ..response }))
}
