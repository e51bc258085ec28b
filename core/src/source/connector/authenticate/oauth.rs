//! OAuth 2: an access token for a refresh token, or for the client's own credentials.

use serde_json::{Map, Value};

use super::{Token, texts};
use crate::source::connector::component::{Component, Missing};
use crate::source::connector::request::Request;
use crate::source::connector::template::{Scope, Template, Types};
use crate::source::connector::time::{Moment, SECOND};
use crate::source::connector::{path, python, url};

/// How a token is renewed before it ends, if the server does not say when that is: it lives an hour.
const TOKEN_SECONDS: i64 = 3600;
/// How deep a token is looked for in a response.
const DEPTH_MAX: usize = 5;

/// OAuth 2: an access token for a refresh token, or for the client's own credentials.
#[derive(Debug, Clone)]
pub(in crate::source::connector) struct OAuth {
    pub(super) endpoint: Option<Template>,
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
    pub(super) kept: Option<[Vec<String>; 3]>,
}

/// The paths at which a configuration keeps what OAuth renews, if the manifest says no others.
const KEPT: [(&str, [&str; 2]); 3] = [
    ("access_token_config_path", ["credentials", "access_token"]),
    ("refresh_token_config_path", ["credentials", "refresh_token"]),
    ("token_expiry_date_config_path", ["credentials", "token_expiry_date"]),
];

impl OAuth {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        component.knows(missing);
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
    pub(super) fn given(&self, token: Option<&Token>, scope: &Scope<'_>) -> Result<Option<String>, String> {
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

    /// The token that the configuration has, good or not.
    pub(super) fn given_at_all(&self, scope: &Scope<'_>) -> Option<String> {
        match (&self.kept, &self.access_token) {
            (Some([access, ..]), _) => path::get(scope.config, access).map(python::text),
            (None, Some(access)) => access.text(scope).ok(),
            (None, None) => None,
        }
    }

    /// What names the account whose tokens are kept: where they are got, for whom, and with what at first.
    pub(super) fn account(&self, scope: &Scope<'_>) -> Result<[String; 3], String> {
        let text = |template: Option<&Template>| template.map_or(Ok(String::new()), |template| template.text(scope));
        let first = python::text(&self.first_refresh(scope)?);
        Ok([text(self.endpoint.as_ref())?, text(self.client_id.1.as_ref())?, first])
    }

    /// The refresh token of the configuration.
    fn first_refresh(&self, scope: &Scope<'_>) -> Result<Value, String> {
        let kept = self.kept.as_ref().and_then(|[_, path, _]| path::get(scope.config, path)).cloned();
        Ok(match (kept, &self.refresh_token.1) {
            (Some(kept), _) => kept,
            (None, _) if self.kept.is_some() => Value::String(String::new()),
            (None, Some(refresh)) => Value::String(refresh.text(scope)?),
            (None, None) => Value::Null,
        })
    }

    pub(super) fn ask(&self, token: Option<&Token>, scope: &Scope<'_>) -> Result<Option<Request>, String> {
        let is_good = token.is_some_and(|token| token.ends.is_some_and(|ends| ends >= scope.now));
        if is_good || self.given(token, scope)?.is_some() {
            return Ok(None);
        }
        self.request(None, scope).map(Some)
    }

    /// The request for a token. `refresh`: the refresh token, if it is not that of the configuration.
    pub(super) fn request(&self, refresh: Option<&str>, scope: &Scope<'_>) -> Result<Request, String> {
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
        let refresh = match refresh {
            Some(refresh) => Value::String(refresh.to_owned()),
            None => self.first_refresh(scope)?,
        };
        form.insert(self.refresh_token.0.text(scope)?, refresh);
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
            return Ok(Request { method: "POST".to_owned(), url, headers, body: None });
        }
        if !has_type {
            headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
        }
        let url = url::with_query(&endpoint, &Map::new())?;
        Ok(Request { method: "POST".to_owned(), url, headers, body: Some(url::form(&form)) })
    }

    pub(super) fn take(&self, body: &Value, scope: &Scope<'_>) -> Result<Token, String> {
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
        let refresh = refresh.filter(|refresh| !refresh.is_empty());
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
