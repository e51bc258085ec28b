//! Keep: tokens that a server renews together with the token that gets the next one. Whoever gets a new one has used up the old
//! one, so there is one document of it in the store, which all who read the same account share.
//!
//! ```text
//! read      what is kept; a token that is good is taken, and nothing is asked
//! lease     written under the version that was read: of two, one asks the server, and the other waits for what he gets
//! ask       with the refresh token that is kept, or with that of the configuration, if none is
//! write     the new tokens, before the first of them is used, as often as it takes
//! ```
//!
//! Whoever is killed before he asks leaves a lease that ends. Whoever is killed after the answer and before it is written has used up
//! a token, and servers that have thought of it take the old one until the new one is used for the first time.

use serde::{Deserialize, Serialize};

use super::oauth::OAuth;
use super::{Errand, Got, Need, Token, Tokens};
use crate::plan::identity;
use crate::source::connector::calls::KeptCalls;
use crate::source::connector::template::Scope;
use crate::source::connector::time::SECOND;

/// So long the others wait for who asks.
const LEASE: i64 = 180 * SECOND;
/// So long before the end of a lease nothing is asked any more: as long as an answer may take, and the writing of it.
const ANSWER: i64 = 120 * SECOND;
/// After so long it is looked again whether another has got a token.
const LOOK: i64 = 2 * SECOND;
/// So often tokens are written before it is given up.
const WRITES_MAX: u32 = 9;

/// Tokens, as they are kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptToken {
    /// How often they were renewed.
    renewals: u64,
    /// The token that proves who asks, and until when, in microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<(String, i64)>,
    /// The token that gets the next ones; `None`: that of the configuration does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<String>,
    /// Who is about to renew them, and until when the others wait for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<(String, i64)>,
}

impl std::fmt::Debug for KeptToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptToken, renewed {} times", self.renewals)
    }
}

/// What is to be done with a document in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keeping {
    /// Read it.
    Read {
        /// What the tokens are kept under.
        name: String,
    },
    /// Write it under a version; `None`: if there is none.
    Write {
        /// What the tokens are kept under.
        name: String,
        /// The document.
        token: KeptToken,
        /// The version that is written over.
        version: Option<String>,
    },
    /// Read the calls of a budget.
    ReadCalls {
        /// What they are kept under.
        name: String,
    },
    /// Write them under a version; `None`: if there is none.
    WriteCalls {
        /// What they are kept under.
        name: String,
        /// The document.
        calls: KeptCalls,
        /// The version that is written over.
        version: Option<String>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// The document and its version, if it is there.
    Read(Option<(KeptToken, String)>),
    /// The calls of a budget and their version, if the document is there.
    Calls(Option<(KeptCalls, String)>),
    /// It is written, as this version.
    Written(String),
    /// Somebody else has written meanwhile.
    Changed,
    /// The store has not answered, and may have done it. Why, in a sentence.
    Unanswered(String),
}

/// How far the renewal of tokens is.
#[derive(Debug, Clone)]
enum Phase {
    /// What is kept is to be read; not before this time.
    Read(i64),
    /// The lease is to be written.
    Lease,
    /// The server is to be asked.
    Ask,
    /// The server has given these, which are to be written; not before this time.
    Got(Token, i64),
    /// The server has given them, and it is to be read whether they are written.
    Look(Token, i64),
    /// The server has refused: the lease is to be given up, and this is why.
    Refused(String),
    /// The configuration has a token that is good.
    Given,
}

/// A renewal.
#[derive(Debug, Clone)]
pub(super) struct Renewal {
    name: String,
    phase: Phase,
    /// What was read or written last, and its version.
    kept: KeptToken,
    version: Option<String>,
    /// How often in a row the store did not do it.
    writes: u32,
    /// The token that a server did not take, wherever it is kept.
    rejected: Option<String>,
}

impl Renewal {
    /// Whether tokens have come that are not written yet.
    pub(super) fn holds_token(&self) -> bool {
        matches!(self.phase, Phase::Got(..) | Phase::Look(..))
    }

    /// Whether the server is asked.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.phase, Phase::Ask)
    }
}

/// Who this walk is to others.
fn own(scope: &Scope<'_>) -> String {
    format!("{:032x}", scope.chance)
}

/// What is needed before the tokens of `oauth` are good.
pub(super) fn ask(oauth: &OAuth, key: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Option<Need>, String> {
    if tokens.get(key).is_some_and(|token| token.ends.is_some_and(|ends| ends >= scope.now)) {
        return Ok(None);
    }
    let begun;
    let renewal = match tokens.renewal(key) {
        Some(renewal) => renewal,
        None => {
            begun = begin(oauth, key, tokens, scope)?;
            &begun
        }
    };
    let name = || renewal.name.clone();
    let write = |token: KeptToken| Keeping::Write { name: name(), token, version: renewal.version.clone() };
    let errand = match &renewal.phase {
        Phase::Given => match oauth.given(None, scope)? {
            Some(_) => return Ok(None),
            None => Errand::Keep(Keeping::Read { name: name() }),
        },
        Phase::Read(until) | Phase::Got(_, until) | Phase::Look(_, until) if *until > scope.now => Errand::Wait(*until),
        Phase::Read(_) | Phase::Look(..) => Errand::Keep(Keeping::Read { name: name() }),
        Phase::Lease => {
            let lease = Some((own(scope), scope.now + LEASE));
            Errand::Keep(write(KeptToken { lease, ..renewal.kept.clone() }))
        }
        // Who was slow has no lease any more that lasts until the answer.
        Phase::Ask if renewal.kept.lease.as_ref().is_none_or(|(_, end)| *end < scope.now + ANSWER) => {
            Errand::Keep(Keeping::Read { name: name() })
        }
        Phase::Ask => Errand::Request(oauth.request(renewal.kept.refresh.as_deref(), scope)?),
        Phase::Got(token, _) => Errand::Keep(write(renewed(&renewal.kept, token))),
        Phase::Refused(_) => Errand::Keep(write(KeptToken { lease: None, ..renewal.kept.clone() })),
    };
    Ok(Some(Need { since: Some(scope.now), ..Need::new(key, errand) }))
}

fn begin(oauth: &OAuth, key: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Renewal, String> {
    let parts = oauth.account(scope)?;
    let name = identity("token", &parts.iter().map(String::as_str).collect::<Vec<_>>());
    let rejected = tokens.rejected.get(key).cloned();
    Ok(Renewal { name, phase: Phase::Read(0), kept: KeptToken::default(), version: None, writes: 0, rejected })
}

/// The document with tokens that have come.
fn renewed(kept: &KeptToken, token: &Token) -> KeptToken {
    KeptToken {
        renewals: kept.renewals + 1,
        access: token.ends.map(|ends| (token.text.clone(), ends)),
        refresh: token.refresh.clone().or_else(|| kept.refresh.clone()),
        lease: None,
    }
}

/// Takes what was needed.
pub(super) fn take(
    oauth: &OAuth,
    key: &str,
    need: &Need,
    tokens: &mut Tokens,
    got: &Got,
    scope: &Scope<'_>,
) -> Result<(), String> {
    let mut renewal = match tokens.renewal(key) {
        Some(renewal) => renewal.clone(),
        None => begin(oauth, key, tokens, scope)?,
    };
    renewal.phase = match (got, std::mem::replace(&mut renewal.phase, Phase::Ask)) {
        (Got::Response(_), _) => {
            // It lives from when it was made, which is not before it was asked for.
            let since = Scope::new(need.since.unwrap_or(scope.now), scope.chance, scope.config);
            let token = oauth.take(&got.json()?, &since)?;
            tokens.hide(&token);
            renewal.writes = 0;
            Phase::Got(token, 0)
        }
        (Got::Kept(kept), phase) => match renewal.kept(kept, phase, oauth, (scope, need.since.unwrap_or(scope.now)))? {
            Next::Phase(phase) => phase,
            Next::Token(token) => {
                tokens.hide(&token);
                tokens.put(key, token);
                // The next time it begins with what is kept then.
                tokens.end_renewal(key);
                return Ok(());
            }
        },
        (Got::Signature(_), _) => return Err("a signature came where a token was to".to_owned()),
    };
    tokens.put_renewal(key, renewal);
    Ok(())
}

/// Takes note that the server has refused: the lease is given up first.
pub(super) fn refused(key: &str, tokens: &mut Tokens, why: String) -> Result<(), String> {
    match tokens.renewal(key).cloned() {
        Some(renewal) if matches!(renewal.phase, Phase::Ask) => {
            let what = if renewal.kept.refresh.is_some() {
                "; what was asked with is the refresh token that the server gave last: if it is no longer good, have a new one \
                 granted and put it into the secret"
            } else {
                ""
            };
            tokens.put_renewal(key, Renewal { phase: Phase::Refused(format!("{why}{what}")), ..renewal });
            Ok(())
        }
        _ => Err(why),
    }
}

/// What comes next.
enum Next {
    Phase(Phase),
    /// Tokens are good, and are kept.
    Token(Token),
}

impl Renewal {
    /// Takes what came of the document; `since`: when that was asked for.
    fn kept(
        &mut self,
        kept: &Kept,
        phase: Phase,
        oauth: &OAuth,
        (scope, since): (&Scope<'_>, i64),
    ) -> Result<Next, String> {
        let soon = |writes: u32| scope.now + (SECOND << writes.min(2));
        let next = match (phase, kept) {
            (Phase::Refused(why), _) => return Err(why),
            (Phase::Look(token, _), Kept::Read(found)) => {
                let (kept, version) = parts(found);
                // Somebody has renewed them since, this walk or another: what is kept counts.
                if kept.renewals > self.kept.renewals {
                    (self.kept, self.version) = (kept, version);
                    return Ok(self.found(oauth, scope)?.unwrap_or(Next::Phase(Phase::Lease)));
                }
                (self.kept, self.version) = (kept, version);
                match &self.kept.lease {
                    // Who has the lease now may be about to ask with the token that these are of: if they were written and used,
                    // it would be over, and he would be refused. What he gets counts, or these do when he has given it up.
                    Some((who, end)) if *end > scope.now && *who != own(scope) => {
                        Phase::Look(token, (*end).min(scope.now + LOOK))
                    }
                    _ => Phase::Got(token, 0),
                }
            }
            (Phase::Got(token, _) | Phase::Look(token, _), Kept::Changed | Kept::Unanswered(_)) => {
                self.writes += 1;
                if self.writes >= WRITES_MAX {
                    let why = if let Kept::Unanswered(why) = kept { format!(": {why}") } else { String::new() };
                    return Err(format!(
                        "the server gave a new refresh token, and it cannot be written to the store{why}"
                    ));
                }
                let at = if *kept == Kept::Changed { 0 } else { soon(self.writes) };
                Phase::Look(token, at)
            }
            // One that ends at once is good for what it was got for.
            (Phase::Got(token, _), _) => {
                let ends = token.ends.map(|ends| ends.max(scope.now));
                return Ok(Next::Token(Token { ends, ..token }));
            }
            (Phase::Lease, Kept::Written(version)) => {
                self.version = Some(version.clone());
                // It ends when the document says so, however late its answer is looked at.
                self.kept.lease = Some((own(scope), since + LEASE));
                Phase::Ask
            }
            (_, Kept::Read(found)) => {
                self.writes = 0;
                (self.kept, self.version) = parts(found);
                if let Some(next) = self.found(oauth, scope)? {
                    return Ok(next);
                }
                match &self.kept.lease {
                    Some((who, end)) if *end > scope.now && *who != own(scope) => {
                        Phase::Read((*end).min(scope.now + LOOK))
                    }
                    _ => Phase::Lease,
                }
            }
            (_, Kept::Unanswered(why)) => {
                self.writes += 1;
                if self.writes >= WRITES_MAX {
                    return Err(format!("the tokens that are kept cannot be read from the store: {why}"));
                }
                Phase::Read(soon(self.writes))
            }
            (_, Kept::Changed | Kept::Written(_) | Kept::Calls(_)) => Phase::Read(0),
        };
        Ok(Next::Phase(next))
    }

    /// The token that is kept or that the configuration has, if one is good.
    fn found(&self, oauth: &OAuth, scope: &Scope<'_>) -> Result<Option<Next>, String> {
        let is_taken = |text: &String| self.rejected.as_ref() != Some(text);
        let kept = self.kept.access.as_ref().filter(|(text, ends)| *ends >= scope.now && is_taken(text));
        if let Some((text, ends)) = kept {
            let token = Token { text: text.clone(), refresh: self.kept.refresh.clone(), ends: Some(*ends) };
            return Ok(Some(Next::Token(token)));
        }
        let is_given = self.kept.renewals == 0 && oauth.given(None, scope)?.is_some_and(|given| is_taken(&given));
        Ok(is_given.then_some(Next::Phase(Phase::Given)))
    }
}

fn parts(found: &Option<(KeptToken, String)>) -> (KeptToken, Option<String>) {
    match found {
        Some((kept, version)) => (kept.clone(), Some(version.clone())),
        None => (KeptToken::default(), None),
    }
}
