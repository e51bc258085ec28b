//! Behaviour: what a test makes happen to certain statements, in addition to what their SQL does.

use std::time::Duration;

use regex::Regex;

use super::refusal::Refusal;

/// What happens to statements whose text a pattern finds.
#[derive(Debug, Clone)]
pub struct Behaviour {
    pub(super) pattern: String,
    pub(super) times: u32,
    pub(super) effect: Effect,
}

/// What happens.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    /// How long it stays submitted.
    pub(super) queued: Duration,
    /// How long it takes after it has been started.
    pub(super) delay: Duration,
    pub(super) end: Option<End>,
    pub(super) loses_response: bool,
    pub(super) refusal: Option<Refusal>,
}

/// How a statement ends, whatever its SQL says.
#[derive(Debug, Clone)]
pub(super) enum End {
    /// With an error, in place of what it would do.
    Fails(String),
    /// Aborted, and nothing has happened.
    IsAborted,
    /// Aborted, and everything has happened.
    IsAbortedAfterCommit,
}

impl Behaviour {
    /// A behaviour of every statement whose text this regular expression finds.
    pub fn on(pattern: &str) -> Self {
        Self { pattern: pattern.to_owned(), times: u32::MAX, effect: Effect::default() }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The request stays submitted for so long before the warehouse picks it.
    #[must_use]
    pub fn queued(mut self, span: Duration) -> Self {
        self.effect.queued = span;
        self
    }

    /// The statement takes so much longer.
    #[must_use]
    pub fn delay(mut self, span: Duration) -> Self {
        self.effect.delay = span;
        self
    }

    /// The statement fails with these words; the SQL does not run.
    #[must_use]
    pub fn fail(mut self, message: &str) -> Self {
        self.effect.end = Some(End::Fails(message.to_owned()));
        self
    }

    /// The statement is aborted before it changes anything.
    #[must_use]
    pub fn abort(mut self) -> Self {
        self.effect.end = Some(End::IsAborted);
        self
    }

    /// The request is aborted after its commit: it has changed everything, and does not say so.
    #[must_use]
    pub fn abort_after_commit(mut self) -> Self {
        self.effect.end = Some(End::IsAbortedAfterCommit);
        self
    }

    /// The request is taken, and whoever made it never hears of it: the connection closes.
    #[must_use]
    pub fn lose_response(mut self) -> Self {
        self.effect.loses_response = true;
        self
    }

    /// The request is refused with an error of the API, such as `ThrottlingException`.
    #[must_use]
    pub fn refuse(mut self, name: &str, message: &str) -> Self {
        self.effect.refusal = Some(Refusal::new(name, message));
        self
    }
}

/// The behaviours that are in force, in the order in which they were said.
#[derive(Debug, Default)]
pub(super) struct Behaviours {
    known: Vec<(Regex, Behaviour)>,
}

impl Behaviours {
    pub(super) fn add(&mut self, behaviour: Behaviour) -> Result<(), regex::Error> {
        self.known.push((Regex::new(&behaviour.pattern)?, behaviour));
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// What happens to a request: the first behaviour that finds one of its statements, and which one that is.
    pub(super) fn effect(&mut self, sqls: &[String]) -> Option<(usize, Effect)> {
        self.known.iter_mut().filter(|(_, behaviour)| behaviour.times > 0).find_map(|(pattern, behaviour)| {
            let place = sqls.iter().position(|sql| pattern.is_match(sql))?;
            behaviour.times -= 1;
            Some((place, behaviour.effect.clone()))
        })
    }
}
