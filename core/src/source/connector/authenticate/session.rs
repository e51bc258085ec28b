//! Session: a token that a login gives.

use super::{Errand, Got, Need, Token, Tokens, texts};
use crate::source::connector::component::{Component, Missing};
use crate::source::connector::request::{Injection, Options, Requester};
use crate::source::connector::template::{Scope, Template};
use crate::source::connector::time::{Moment, Span};
use crate::source::connector::{path, python};

/// A token of a session, which a login gives.
#[derive(Debug, Clone)]
pub(in crate::source::connector) struct Session {
    pub(super) login: Requester,
    path: Vec<String>,
    lasts: Option<Span>,
    /// Where it is injected, and as what; `None`: as a bearer token.
    pub(super) injection: Option<(Injection, Template)>,
}

impl Session {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        component.knows(missing);
        if component.child("decoder", missing).is_some_and(|decoder| decoder.ty != "JsonDecoder") {
            missing.add("a login whose response is no JSON");
        }
        let login = Requester::read(&component.child("login_requester", missing)?, missing)?;
        let lasts = component.text("expiration_duration");
        let span = lasts.and_then(Span::parse);
        if lasts.is_some() && span.is_none() {
            missing.add("an `expiration_duration` that is no duration of ISO 8601");
        }
        let proof = component.child("request_authentication", missing)?;
        let injection = match proof.ty {
            "Bearer" => None,
            "ApiKey" => {
                proof.knows(missing);
                let template = match proof.template("api_token", missing) {
                    Some(template) => template,
                    None => component.parse("{{ session_token }}", missing)?,
                };
                Some((injection_of(&proof, missing)?, template))
            }
            _ => {
                proof.is_missing(missing);
                None
            }
        };
        Some(Self { login, path: texts(component.get("session_token_path")), lasts: span, injection })
    }

    /// What the login takes, if a token is needed. Who logs in may be proved by a token of his own.
    pub(super) fn ask(&self, key: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Option<Need>, String> {
        if tokens.get(key).is_some_and(|token| token.ends.is_none_or(|ends| ends >= scope.now)) {
            return Ok(None);
        }
        let own = login(key);
        if let Some(need) = self.login.authenticator.ask(&own, tokens, scope)? {
            return Ok(Some(need));
        }
        let proof = self.login.authenticator.proof(&own, tokens, scope)?;
        let request = self.login.request(scope, None, proof, Options::default())?;
        Ok(Some(Need::new(key, Errand::Request(request))))
    }

    /// Takes what was needed.
    pub(super) fn take(
        &self,
        key: &str,
        need: &Need,
        tokens: &mut Tokens,
        got: &Got,
        scope: &Scope<'_>,
    ) -> Result<(), String> {
        let own = login(key);
        if need.who != key {
            return self.login.authenticator.take(&own, need, tokens, got, scope);
        }
        self.login.authenticator.forget(&own, tokens, scope.config);
        let body = got.json()?;
        let first = body.as_array().and_then(|items| items.first()).unwrap_or(&body);
        let found = path::get(first, &self.path).filter(|found| !found.is_null());
        let text = found.map(python::text).ok_or("the login gave no session token")?;
        let ends = self.lasts.and_then(|span| Moment::utc(scope.now).plus(span).map(|end| end.micros));
        tokens.put(key, Token { text, refresh: None, ends });
        Ok(())
    }
}

/// What the tokens of a login are kept under.
fn login(key: &str) -> String {
    format!("{key}/login")
}

fn injection_of(proof: &Component<'_>, missing: &mut Missing) -> Option<Injection> {
    Injection::read(&proof.child("inject_into", missing)?, missing)
}
