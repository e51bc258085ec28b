//! Authenticate: how a stream proves who asks. Some proofs are in the configuration; others are tokens that a server gives,
//! which are asked for when they are needed and kept while they are good.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::component::{Component, Missing};
use super::path;
use super::python;
use super::request::{Injection, Options, Place, Request, Requester};
use super::template::{Datum, Scope, Template, Types};
use super::time::{Moment, SECOND, Span};
use super::url;

/// How a token is renewed before it ends, if the server does not say when that is: it lives an hour.
const TOKEN_SECONDS: i64 = 3600;
/// How deep a token is looked for in a response.
const DEPTH_MAX: usize = 5;

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
    /// One of several, by what stands at a path of the configuration.
    Choice(Vec<String>, Vec<(String, Self)>),
}

/// OAuth 2: an access token for a refresh token, or for the client's own credentials.
#[derive(Debug, Clone)]
pub(super) struct OAuth {
    endpoint: Option<Template>,
    client_id: (Template, Option<Template>),
    client_secret: (Template, Option<Template>),
    grant: (Template, Template),
    refresh_token: (Template, Option<Template>),
    scopes: Vec<String>,
    access_token_name: Template,
    access_token: Option<Template>,
    expires_in_name: Template,
    expires_at_format: bool,
    expires_at: Option<Template>,
    body: Vec<(Template, Template)>,
    headers: Vec<(Template, Template)>,
    is_in_query: bool,
    /// Where the configuration keeps tokens that the server renews: access token, refresh token, time of expiration.
    kept: Option<[Vec<String>; 3]>,
}

/// A token of a session, which a login gives.
#[derive(Debug, Clone)]
pub(super) struct Session {
    login: Requester,
    path: Vec<String>,
    lasts: Option<Span>,
    /// Where it is injected, and as what; `None`: as a bearer token.
    injection: Option<(Injection, Template)>,
}

/// A token that was got.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    /// The token that gets the next one, where the server gave a new one.
    refresh: Option<String>,
    /// Microseconds since 1970; `None`: it is good for one request.
    ends: Option<i64>,
}

/// The tokens of one walk, by who got them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens(BTreeMap<String, Token>);

/// The paths at which a configuration keeps what OAuth renews, if the manifest says no others.
const KEPT: [(&str, [&str; 2]); 3] = [
    ("access_token_config_path", ["credentials", "access_token"]),
    ("refresh_token_config_path", ["credentials", "refresh_token"]),
    ("token_expiry_date_config_path", ["credentials", "token_expiry_date"]),
];

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().map(python::text).collect(),
        Some(Value::String(text)) => text.split('/').map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

impl Authenticator {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        match component.ty {
            "NoAuth" => Some(Self::Nobody),
            "BearerAuthenticator" => {
                component.knows(&["api_token"], missing);
                component.needed("api_token", missing).map(Self::Bearer)
            }
            "BasicHttpAuthenticator" => {
                component.knows(&["username", "password"], missing);
                let password = component.template("password", missing);
                component.needed("username", missing).map(|user| Self::Basic(user, password))
            }
            "ApiKeyAuthenticator" => {
                component.knows(&["api_token", "header", "inject_into"], missing);
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
            "SelectiveAuthenticator" => {
                component.knows(&["authenticators", "authenticator_selection_path"], missing);
                let choices = component.get("authenticators").and_then(Value::as_object)?;
                let mut read = Vec::new();
                for (name, choice) in choices {
                    let choice = Component::of(choice, missing)?;
                    read.push((name.clone(), Self::read(&choice, missing)?));
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

    /// The request for a token, if one is needed before the next request. `owner` names the requester.
    pub(super) fn ask(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Option<Request>, String> {
        let chosen = self.chosen(scope.config)?;
        let token = tokens.0.get(&chosen.key(owner));
        match chosen {
            Self::OAuth(oauth) => oauth.ask(token, scope),
            Self::Session(session) => {
                if token.is_some_and(|token| token.ends.is_none_or(|ends| ends > scope.now)) {
                    return Ok(None);
                }
                let proof = session.login.authenticator.proof("", &Tokens::default(), scope)?;
                session.login.request(scope, None, proof, Options::default()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Takes the token out of the response to that request.
    pub(super) fn take(&self, owner: &str, tokens: &mut Tokens, body: &Value, scope: &Scope<'_>) -> Result<(), String> {
        let chosen = self.chosen(scope.config)?;
        let key = chosen.key(owner);
        let token = match chosen {
            Self::OAuth(oauth) => oauth.take(tokens.0.get(&key), body, scope)?,
            Self::Session(session) => {
                let first = body.as_array().and_then(|items| items.first()).unwrap_or(body);
                let found = path::get(first, &session.path).filter(|found| !found.is_null());
                let text = found.map(python::text).ok_or("the login gave no session token")?;
                let ends = match session.lasts {
                    Some(span) => Moment::utc(scope.now).plus(span).map(|end| end.micros),
                    None => None,
                };
                Token { text, refresh: None, ends }
            }
            _ => return Ok(()),
        };
        tokens.0.insert(key, token);
        Ok(())
    }

    /// Whether what it was given is good for one request only; it is forgotten then.
    pub(super) fn forget(&self, owner: &str, tokens: &mut Tokens, config: &Value) {
        let key = self.chosen(config).map(|chosen| chosen.key(owner)).unwrap_or_default();
        if tokens.0.get(&key).is_some_and(|token| token.ends.is_none()) {
            tokens.0.remove(&key);
        }
    }

    /// What it injects into a request.
    pub(super) fn proof(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Options, String> {
        let mut options = Options::default();
        let chosen = self.chosen(scope.config)?;
        let token = || {
            let token = tokens.0.get(&chosen.key(owner));
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
            Self::OAuth(oauth) => match oauth.given(tokens.0.get(&chosen.key(owner)), scope)? {
                Some(given) => format!("Bearer {given}"),
                None => format!("Bearer {}", token()?),
            },
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

impl Session {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let fields =
            ["login_requester", "session_token_path", "expiration_duration", "request_authentication", "decoder"];
        component.knows(&fields, missing);
        if component.child("decoder", missing).is_some_and(|decoder| decoder.ty != "JsonDecoder") {
            missing.add("a login whose response is no JSON");
        }
        let login = Requester::read(&component.child("login_requester", missing)?, missing)?;
        if matches!(login.authenticator, Authenticator::OAuth(_) | Authenticator::Session(_)) {
            missing.add("a login that needs a token of its own");
        }
        let lasts = component.text("expiration_duration");
        let span = lasts.and_then(Span::parse);
        if lasts.is_some() && span.is_none() {
            missing.add("an `expiration_duration` that is no duration of ISO 8601");
        }
        let proof = component.child("request_authentication", missing)?;
        let injection = match proof.ty {
            "Bearer" => None,
            "ApiKey" => {
                proof.knows(&["inject_into", "api_token"], missing);
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
}

fn injection_of(proof: &Component<'_>, missing: &mut Missing) -> Option<Injection> {
    Injection::read(&proof.child("inject_into", missing)?, missing)
}

impl OAuth {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let fields = [
            "client_id_name",
            "client_id",
            "client_secret_name",
            "client_secret",
            "refresh_token_name",
            "refresh_token",
            "token_refresh_endpoint",
            "access_token_name",
            "access_token_value",
            "expires_in_name",
            "grant_type_name",
            "grant_type",
            "refresh_request_body",
            "refresh_request_headers",
            "send_refresh_request_as_query_params",
            "scopes",
            "token_expiry_date",
            "token_expiry_date_format",
            "refresh_token_error_status_codes",
            "refresh_token_error_key",
            "refresh_token_error_values",
            "refresh_token_updater",
        ];
        component.knows(&fields, missing);
        let mut named = |field: &str, otherwise: &str| match component.template(field, missing) {
            Some(template) => Some(template),
            None => component.parse(otherwise, missing),
        };
        let client_id_name = named("client_id_name", "client_id")?;
        let client_secret_name = named("client_secret_name", "client_secret")?;
        let refresh_token_name = named("refresh_token_name", "refresh_token")?;
        let access_token_name = named("access_token_name", "access_token")?;
        let expires_in_name = named("expires_in_name", "expires_in")?;
        let grant = (named("grant_type_name", "grant_type")?, named("grant_type", "refresh_token")?);
        let mut pairs = |field: &str| -> Vec<(Template, Template)> {
            let map = component.get(field).and_then(Value::as_object);
            let pair = |(key, value): (&String, &Value)| {
                Some((component.parse(key, missing)?, component.parse(&python::text(value), missing)?))
            };
            map.map(|map| map.iter().filter_map(pair).collect()).unwrap_or_default()
        };
        let (body, headers) = (pairs("refresh_request_body"), pairs("refresh_request_headers"));
        let updater = component.get("refresh_token_updater");
        let refresh_token_name = match updater.and_then(|updater| updater.get("refresh_token_name")) {
            Some(name) => component.parse(&python::text(name), missing)?,
            None if updater.is_some() => component.parse("refresh_token", missing)?,
            None => refresh_token_name,
        };
        let kept = updater.map(|updater| {
            KEPT.map(|(field, otherwise)| match updater.get(field) {
                Some(path) => texts(Some(path)),
                None => otherwise.map(ToOwned::to_owned).to_vec(),
            })
        });
        let mut field = |name: &str| component.template(name, missing);
        Some(Self {
            endpoint: field("token_refresh_endpoint"),
            client_id: (client_id_name, field("client_id")),
            client_secret: (client_secret_name, field("client_secret")),
            grant,
            refresh_token: (refresh_token_name, field("refresh_token")),
            scopes: texts(component.get("scopes").filter(|scopes| scopes.is_array())),
            access_token_name,
            access_token: field("access_token_value"),
            expires_in_name,
            expires_at_format: component.flag("token_expiry_date_format"),
            expires_at: field("token_expiry_date"),
            body,
            headers,
            is_in_query: component.flag("send_refresh_request_as_query_params"),
            kept,
        })
    }

    /// The token that the configuration has, if it is good still.
    fn given(&self, token: Option<&Token>, scope: &Scope<'_>) -> Result<Option<String>, String> {
        if token.is_some() {
            return Ok(None);
        }
        if let Some([access, _, ends]) = &self.kept {
            let of = |path: &[String]| path::get(scope.config, path).map(python::text).filter(|text| !text.is_empty());
            let is_good = of(ends).and_then(|ends| moment(&ends)).is_some_and(|ends| ends >= scope.now);
            return Ok(of(access).filter(|_| is_good));
        }
        let Some(access) = &self.access_token else { return Ok(None) };
        let access = access.text(scope)?;
        if self.endpoint.is_none() {
            return Ok(Some(access));
        }
        let ends = match &self.expires_at {
            Some(ends) => moment(&ends.text(scope)?),
            None => None,
        };
        Ok(Some(access).filter(|access| !access.is_empty() && ends.is_some_and(|ends| ends >= scope.now)))
    }

    fn ask(&self, token: Option<&Token>, scope: &Scope<'_>) -> Result<Option<Request>, String> {
        let is_good = token.is_some_and(|token| token.ends.is_some_and(|ends| ends >= scope.now));
        if is_good || self.given(token, scope)?.is_some() {
            return Ok(None);
        }
        let endpoint = self.endpoint.as_ref().ok_or("there is no address to get a token from")?.text(scope)?;
        let of = |pairs: &[(Template, Template)]| -> Result<Map<String, Value>, String> {
            let mut map = Map::new();
            for (name, value) in pairs {
                map.insert(name.text(scope)?, value.optional(scope, Types::Any)?.value);
            }
            Ok(map)
        };
        let headers = of(&self.headers)?;
        let mut form = Map::new();
        form.insert(self.grant.0.text(scope)?, self.grant.1.text(scope)?.into());
        if !headers.contains_key("Authorization") {
            for (name, template) in [&self.client_id, &self.client_secret] {
                let value = template.as_ref().map_or(Ok(Value::Null), |template| template.value(scope))?;
                form.insert(name.text(scope)?, value);
            }
        }
        let (name, refresh) = &self.refresh_token;
        let renewed = token.and_then(|token| token.refresh.clone());
        let kept = self.kept.as_ref().and_then(|[_, path, _]| path::get(scope.config, path)).cloned();
        let refresh = match (renewed, kept, refresh) {
            (Some(renewed), ..) => Value::String(renewed),
            (None, Some(kept), _) => kept,
            (None, None, _) if self.kept.is_some() => Value::String(String::new()),
            (None, None, Some(refresh)) => Value::String(refresh.text(scope)?),
            (None, None, None) => Value::Null,
        };
        form.insert(name.text(scope)?, refresh);
        if !self.scopes.is_empty() {
            form.insert("scopes".to_owned(), self.scopes.clone().into());
        }
        for (name, value) in of(&self.body)? {
            form.entry(name).or_insert(value);
        }
        let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.clone(), python::text(value))).collect();
        let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.is_in_query {
            let url = url::with_query(&endpoint, &form)?;
            return Ok(Some(Request { method: "POST".to_owned(), url, headers, body: None }));
        }
        if !has_type {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        let url = url::with_query(&endpoint, &Map::new())?;
        Ok(Some(Request { method: "POST".to_owned(), url, headers, body: Some(url::form(&form)) }))
    }

    fn take(&self, before: Option<&Token>, body: &Value, scope: &Scope<'_>) -> Result<Token, String> {
        let name = self.access_token_name.text(scope)?;
        let found = find(body, &name, 0).filter(|found| python::is_true(found));
        let text = found.map(python::text).ok_or_else(|| format!("the server gave no `{name}`"))?;
        let ends = match find(body, &self.expires_in_name.text(scope)?, 0).filter(|found| !found.is_null()) {
            Some(found) if self.expires_at_format => moment(&python::text(found)),
            Some(found) => {
                let seconds = found.as_f64().or_else(|| found.as_str().and_then(|text| text.trim().parse().ok()));
                #[expect(clippy::cast_possible_truncation, reason = "a float is cut to the nearest that fits")]
                seconds.map(|seconds| scope.now.saturating_add((seconds as i64).saturating_mul(SECOND)))
            }
            None => Some(scope.now + TOKEN_SECONDS * SECOND),
        };
        let ends = ends.ok_or("the server says no time at which its token ends")?;
        let refresh = match &self.kept {
            Some(_) => find(body, &self.refresh_token.0.text(scope)?, 0).map(python::text),
            None => None,
        };
        let refresh = refresh.or_else(|| before.and_then(|before| before.refresh.clone()));
        Ok(Token { text, refresh, ends: Some(ends) })
    }
}

/// Seconds since 1970, or a time of ISO 8601, in microseconds.
fn moment(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number { text.parse::<i64>().ok()?.checked_mul(SECOND) } else { Moment::iso_parse(text).map(|at| at.micros) }
}

/// The value under a key, however deep.
fn find<'a>(value: &'a Value, key: &str, depth: usize) -> Option<&'a Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    match value {
        Value::Object(map) => map.get(key).or_else(|| map.values().find_map(|value| find(value, key, depth + 1))),
        Value::Array(items) => items.iter().find_map(|item| find(item, key, depth + 1)),
        _ => None,
    }
}
