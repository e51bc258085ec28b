//! Authenticate: how a stream proves who asks. Some proofs are in the configuration; others are tokens that a server gives or that a
//! key signs, which are asked for when they are needed and kept while they are good.

mod jwt;
mod keep;
mod legacy;
mod oauth;
mod session;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::component::{Component, Missing};
use super::config::SECRET_BYTES_MIN;
use super::path;
use super::python;
use super::request::{Injection, Options, Place, Request};
use super::response::Response;
use super::template::{Datum, Scope, Template};
use jwt::Jwt;
use keep::Renewal;
use legacy::Legacy;
use oauth::OAuth;
use session::Session;

pub use jwt::{Algorithm, Signing};
pub use keep::{Keeping, Kept, KeptToken};

/// So many texts that were got are kept from being told; a walk gets few.
const HIDDEN_MAX: usize = 1000;

/// How a stream proves who asks.
#[derive(Debug, Clone)]
pub(super) enum Authenticator {
    Nobody,
    /// A text at a place.
    Key(Injection, Template),
    Bearer(Template),
    Basic(Template, Option<Template>),
    OAuth(Box<OAuth>),
    Session(Box<Session>),
    Legacy(Box<Legacy>),
    Jwt(Box<Jwt>),
    /// One of several, by what stands at a path of the configuration.
    Choice(Vec<String>, Vec<(String, Self)>),
}

/// A token that was got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    text: String,
    /// The token that gets the next one, where the server gave a new one.
    refresh: Option<String>,
    /// Microseconds since 1970; `None`: it is good for one request.
    ends: Option<i64>,
}

/// The tokens of one walk, by who got them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    all: BTreeMap<String, Token>,
    renewals: BTreeMap<String, Renewal>,
    /// The texts that were got, which nobody may see.
    hidden: Vec<String>,
    /// By who got it, the token that a server did not take: it is not used again.
    rejected: BTreeMap<String, String>,
}

impl Tokens {
    fn get(&self, key: &str) -> Option<&Token> {
        self.all.get(key)
    }

    fn put(&mut self, key: &str, token: Token) {
        self.hide(&token);
        self.all.insert(key.to_owned(), token);
    }

    fn remove(&mut self, key: &str) {
        self.all.remove(key);
    }

    fn renewal(&self, key: &str) -> Option<&Renewal> {
        self.renewals.get(key)
    }

    fn put_renewal(&mut self, key: &str, renewal: Renewal) {
        self.renewals.insert(key.to_owned(), renewal);
    }

    fn end_renewal(&mut self, key: &str) {
        self.renewals.remove(key);
    }

    /// Whether tokens have come that are not in the store yet. `has_answer`: whether an answer has come that was not looked at.
    pub(super) fn holds_token(&self, has_answer: bool) -> bool {
        self.renewals.values().any(|renewal| renewal.holds_token() || (has_answer && renewal.is_asking()))
    }

    /// Takes note of what nobody may see.
    fn hide(&mut self, token: &Token) {
        for text in std::iter::once(&token.text).chain(&token.refresh) {
            if text.len() >= SECRET_BYTES_MIN && !self.hidden.contains(text) {
                self.hidden.push(text.clone());
            }
        }
        let many = self.hidden.len().saturating_sub(HIDDEN_MAX);
        self.hidden.drain(..many);
    }

    /// The texts that were got, which nobody may see.
    pub(super) fn hidden(&self) -> &[String] {
        &self.hidden
    }
}

/// What is needed before the next request can be proved.
#[derive(Debug, Clone)]
pub(super) struct Need {
    /// What the token will be kept under.
    who: String,
    /// How it is got.
    pub(super) errand: Errand,
    /// A status that is an answer, too.
    pub(super) accepts: Option<u16>,
    /// When it is asked for, where that counts.
    since: Option<i64>,
}

/// How a token is got.
#[derive(Debug, Clone)]
pub(super) enum Errand {
    /// A server gives it.
    Request(Request),
    /// A key signs it.
    Sign(Signing),
    /// It is kept in the store.
    Keep(Keeping),
    /// Somebody else gets it: until this time, in microseconds since 1970.
    Wait(i64),
}

/// What an errand has brought.
#[derive(Debug, Clone)]
pub(super) enum Got {
    Response(Response),
    Signature(Vec<u8>),
    Kept(Kept),
}

impl Need {
    fn new(who: &str, errand: Errand) -> Self {
        Self { who: who.to_owned(), errand, accepts: None, since: None }
    }
}

impl Got {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Response(response) => Some(response.status),
            Self::Signature(_) | Self::Kept(_) => None,
        }
    }

    /// The body of a response.
    fn json(&self) -> Result<Value, String> {
        let found = match self {
            Self::Response(response) => response.json(),
            Self::Signature(_) | Self::Kept(_) => None,
        };
        found.ok_or_else(|| "the server gave no JSON for a token".to_owned())
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().map(python::text).collect(),
        Some(Value::String(text)) => text.split('/').map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl Authenticator {
    /// `base`: where the addresses of the requester begin.
    pub(super) fn read(component: &Component<'_>, base: Option<&Template>, missing: &mut Missing) -> Option<Self> {
        match component.ty {
            "NoAuth" => Some(Self::Nobody),
            "BearerAuthenticator" => {
                component.knows(missing);
                component.needed("api_token", missing).map(Self::Bearer)
            }
            "BasicHttpAuthenticator" => {
                component.knows(missing);
                let password = component.template("password", missing);
                component.needed("username", missing).map(|user| Self::Basic(user, password))
            }
            "ApiKeyAuthenticator" => {
                component.knows(missing);
                let token = match component.template("api_token", missing) {
                    Some(token) => token,
                    None => component.parse("", missing)?,
                };
                Some(Self::Key(injection(component, missing)?, token))
            }
            "OAuthAuthenticator" => OAuth::read(component, missing).map(|oauth| Self::OAuth(Box::new(oauth))),
            "SessionTokenAuthenticator" => {
                Session::read(component, missing).map(|session| Self::Session(Box::new(session)))
            }
            "LegacySessionTokenAuthenticator" => {
                Legacy::read(component, base, missing).map(|legacy| Self::Legacy(Box::new(legacy)))
            }
            "JwtAuthenticator" => Jwt::read(component, missing).map(|jwt| Self::Jwt(Box::new(jwt))),
            "SelectiveAuthenticator" => {
                component.knows(missing);
                let choices = component.get("authenticators").and_then(Value::as_object)?;
                let mut read = Vec::new();
                for (name, choice) in choices {
                    let choice = Component::of(choice, missing)?;
                    read.push((name.clone(), Self::read(&choice, base, missing)?));
                }
                Some(Self::Choice(texts(component.get("authenticator_selection_path")), read))
            }
            _ => {
                component.is_missing(missing);
                None
            }
        }
    }

    /// The one that the configuration chooses.
    fn chosen(&self, config: &Value) -> Result<&Self, String> {
        let Self::Choice(at, choices) = self else { return Ok(self) };
        let chosen = path::get(config, at).map(python::text);
        let chosen = chosen.ok_or_else(|| format!("the configuration says nothing at `{}`", at.join(".")))?;
        let found = choices.iter().find(|(name, _)| *name == chosen);
        found.map_or_else(|| Err(format!("there is no authenticator `{chosen}`")), |(_, one)| one.chosen(config))
    }

    /// Where everything that it keeps is kept: one name for all that share a token.
    fn key(&self, owner: &str) -> String {
        match self {
            Self::OAuth(oauth) => oauth.kept.as_ref().map_or_else(|| owner.to_owned(), |kept| kept[0].join("/")),
            _ => owner.to_owned(),
        }
    }

    /// What is needed before the next request can be proved. `owner` names the requester.
    pub(super) fn ask(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Option<Need>, String> {
        let chosen = self.chosen(scope.config)?;
        let key = chosen.key(owner);
        match chosen {
            Self::OAuth(oauth) if oauth.kept.is_some() => keep::ask(oauth, &key, tokens, scope),
            Self::OAuth(oauth) => {
                let request = oauth.ask(tokens.get(&key), scope)?;
                Ok(request.map(|request| Need::new(&key, Errand::Request(request))))
            }
            Self::Session(session) => session.ask(&key, tokens, scope),
            Self::Legacy(legacy) => legacy.ask(&key, tokens, scope),
            Self::Jwt(jwt) => jwt.ask(&key, tokens, scope),
            _ => Ok(None),
        }
    }

    /// Takes what was needed.
    pub(super) fn take(
        &self,
        owner: &str,
        need: &Need,
        tokens: &mut Tokens,
        got: &Got,
        scope: &Scope<'_>,
    ) -> Result<(), String> {
        let chosen = self.chosen(scope.config)?;
        let key = chosen.key(owner);
        match chosen {
            Self::OAuth(oauth) if oauth.kept.is_some() => keep::take(oauth, &key, need, tokens, got, scope),
            Self::OAuth(oauth) => {
                let token = oauth.take(&got.json()?, scope)?;
                // One that ends at once is good for what it was got for.
                let ends = token.ends.map(|ends| ends.max(scope.now));
                tokens.put(&key, Token { ends, ..token });
                Ok(())
            }
            Self::Session(session) => session.take(&key, need, tokens, got, scope),
            Self::Legacy(legacy) => legacy.take(&key, need, tokens, got, scope),
            Self::Jwt(jwt) => jwt.take(&key, need, tokens, got, scope),
            _ => Ok(()),
        }
    }

    /// Takes note that a server has refused what was needed; the error says why, if nothing is to be done about that first.
    pub(super) fn refused(
        &self,
        owner: &str,
        need: &Need,
        tokens: &mut Tokens,
        config: &Value,
        why: String,
    ) -> Result<(), String> {
        match self.chosen(config) {
            Ok(Self::OAuth(oauth)) if oauth.kept.is_some() => keep::refused(&need.who, tokens, why),
            Ok(Self::Session(session)) if need.who != *owner => {
                session.login.authenticator.refused(&need.who, need, tokens, config, why)
            }
            _ => Err(why),
        }
    }

    /// Forgets what it was given for one request only.
    pub(super) fn forget(&self, owner: &str, tokens: &mut Tokens, config: &Value) {
        let Ok(chosen) = self.chosen(config) else { return };
        let key = chosen.key(owner);
        match chosen {
            Self::Legacy(_) => Legacy::forget(&key, tokens),
            _ if tokens.get(&key).is_some_and(|token| token.ends.is_none()) => tokens.remove(&key),
            _ => {}
        }
    }

    /// Takes note that a server did not take the token, so that the next request has another one; whether another can be got. As in the
    /// reference, only OAuth renews one.
    pub(super) fn renew(&self, owner: &str, tokens: &mut Tokens, config: &Value) -> bool {
        let Ok(chosen @ Self::OAuth(oauth)) = self.chosen(config) else { return false };
        if oauth.endpoint.is_none() {
            return false;
        }
        let key = chosen.key(owner);
        // One that has ended stands for that of the configuration, too.
        let ended = Token { text: String::new(), refresh: None, ends: Some(i64::MIN) };
        let was = tokens.all.insert(key.clone(), ended).map(|token| token.text);
        let scope = Scope::new(0, 0, config);
        let given = || oauth.given_at_all(&scope);
        if let Some(rejected) = was.or_else(given).filter(|text| !text.is_empty()) {
            tokens.rejected.insert(key.clone(), rejected);
        }
        tokens.end_renewal(&key);
        true
    }

    /// What it injects into a request.
    pub(super) fn proof(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Options, String> {
        let mut options = Options::default();
        let chosen = self.chosen(scope.config)?;
        let token = || {
            let token = tokens.get(&chosen.key(owner));
            token.map(|token| token.text.clone()).ok_or_else(|| "no token was got".to_owned())
        };
        let authorization = match chosen {
            Self::Nobody | Self::Choice(..) => return Ok(options),
            Self::Key(injection, key) => {
                injection.inject(&mut options, Value::String(key.text(scope)?), scope)?;
                return Ok(options);
            }
            Self::Bearer(token) => format!("Bearer {}", token.text(scope)?),
            Self::Basic(user, password) => {
                let password = password.as_ref().map_or(Ok(String::new()), |password| password.text(scope))?;
                format!("Basic {}", STANDARD.encode(format!("{}:{password}", user.text(scope)?)))
            }
            Self::OAuth(oauth) => match oauth.given(tokens.get(&chosen.key(owner)), scope)? {
                Some(given) => format!("Bearer {given}"),
                None => format!("Bearer {}", token()?),
            },
            Self::Jwt(jwt) => return jwt.proof(&chosen.key(owner), tokens, scope),
            Self::Legacy(legacy) => {
                let (header, token) = legacy.proof(&chosen.key(owner), tokens, scope)?;
                options.add(Place::Header, Map::from_iter([(header, token.into())]))?;
                return Ok(options);
            }
            Self::Session(session) => match &session.injection {
                None => format!("Bearer {}", token()?),
                Some((injection, template)) => {
                    let token = Value::String(token()?);
                    let text = template.text(&scope.clone().with("session_token", Datum::from(&token)))?;
                    injection.inject(&mut options, Value::String(text), scope)?;
                    return Ok(options);
                }
            },
        };
        options.add(Place::Header, Map::from_iter([("Authorization".to_owned(), authorization.into())]))?;
        Ok(options)
    }

    /// The addresses that it sends credentials to, as far as they are templates of its own.
    pub(super) fn addresses(&self) -> Vec<&Template> {
        match self {
            Self::OAuth(oauth) => oauth.endpoint.iter().collect(),
            Self::Session(session) => {
                session.login.base().into_iter().chain(session.login.authenticator.addresses()).collect()
            }
            Self::Legacy(legacy) => legacy.base.iter().collect(),
            Self::Choice(_, choices) => choices.iter().flat_map(|(_, choice)| choice.addresses()).collect(),
            _ => Vec::new(),
        }
    }
}

/// The place that `inject_into` says, or the `header` of older manifests.
fn injection(component: &Component<'_>, missing: &mut Missing) -> Option<Injection> {
    match component.child("inject_into", missing) {
        Some(option) => Injection::read(&option, missing),
        None => component.needed("header", missing).map(Injection::header),
    }
}
