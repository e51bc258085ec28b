//! Legacy: the token of a session that the user has, as long as the server takes it, else one for a name and a password. It is what
//! older manifests say; a server is asked before each request whether it still takes the user's token.

use serde_json::{Map, Value};

use super::{Errand, Got, Need, Token, Tokens};
use crate::source::connector::component::{Component, Missing};
use crate::source::connector::python;
use crate::source::connector::request::Request;
use crate::source::connector::template::{Scope, Template, spaced};
use crate::source::connector::time::SECOND;
use crate::source::connector::url;

/// How long a token is good that was got for a password.
const TOKEN_SECONDS: i64 = 86_400;
/// What a server says that does not take a token.
const UNAUTHORIZED: u16 = 401;

/// A token of a session, the user's own or one that a login gives.
#[derive(Debug, Clone)]
pub(in crate::source::connector) struct Legacy {
    pub(super) base: Option<Template>,
    header: Template,
    login: Template,
    validation: Template,
    key: Template,
    token: Option<Template>,
    username: Option<Template>,
    password: Option<Template>,
}

impl Legacy {
    /// `base`: where the addresses begin.
    pub(super) fn read(component: &Component<'_>, base: Option<&Template>, missing: &mut Missing) -> Option<Self> {
        component.knows(missing);
        Some(Self {
            base: base.cloned(),
            header: component.needed("header", missing)?,
            login: component.needed("login_url", missing)?,
            validation: component.needed("validate_session_url", missing)?,
            key: component.needed("session_token_response_key", missing)?,
            token: component.template("session_token", missing),
            username: component.template("username", missing),
            password: component.template("password", missing),
        })
    }

    pub(super) fn ask(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Option<Need>, String> {
        let is_good = |token: &Token| token.ends.is_none_or(|ends| ends > scope.now);
        let base = text(&self.base, scope)?;
        let given = text(&self.token, scope)?;
        if !given.is_empty() && tokens.get(&refused(owner)).is_none() {
            if tokens.get(owner).is_some() {
                return Ok(None);
            }
            let headers = vec![(self.header.text(scope)?, given)];
            let url = url::with_query(&format!("{base}{}", self.validation.text(scope)?), &Map::new())?;
            let request = Request { method: "GET".to_owned(), url, headers, body: None };
            return Ok(Some(Need { accepts: Some(UNAUTHORIZED), ..Need::new(owner, Errand::Request(request)) }));
        }
        if tokens.get(&bought(owner)).is_some_and(is_good) {
            return Ok(None);
        }
        let (username, password) = (text(&self.username, scope)?, text(&self.password, scope)?);
        if username.is_empty() || password.is_empty() {
            return Err(
                "the session token is not taken by the server, and there is no name and password to log in with".into(),
            );
        }
        let body: Map<String, Value> = [("username", username), ("password", password)]
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect();
        let url = url::with_query(&format!("{base}{}", self.login.text(scope)?), &Map::new())?;
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        let body = Some(spaced(&Value::Object(body)));
        Ok(Some(Need::new(&bought(owner), Errand::Request(Request { method: "POST".to_owned(), url, headers, body }))))
    }

    pub(super) fn take(
        &self,
        owner: &str,
        need: &Need,
        tokens: &mut Tokens,
        got: &Got,
        scope: &Scope<'_>,
    ) -> Result<(), String> {
        let once = |text: String| Token { text, refresh: None, ends: None };
        if need.who == owner {
            let is_refused = got.status() == Some(UNAUTHORIZED);
            let key = if is_refused { refused(owner) } else { owner.to_owned() };
            tokens.put(&key, once(text(&self.token, scope)?));
            return Ok(());
        }
        let body = got.json()?;
        let name = self.key.text(scope)?;
        let text = body.get(&name).map(python::text).ok_or_else(|| format!("the login gave no `{name}`"))?;
        let ends = Some(scope.now.saturating_add(TOKEN_SECONDS * SECOND));
        tokens.put(&need.who, Token { text, refresh: None, ends });
        Ok(())
    }

    /// Forgets what the server has said of the user's token: it is asked before the next request.
    pub(super) fn forget(owner: &str, tokens: &mut Tokens) {
        tokens.remove(owner);
        tokens.remove(&refused(owner));
    }

    /// The header, and the token in it.
    pub(super) fn proof(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<(String, String), String> {
        let token = tokens.get(owner).or_else(|| tokens.get(&bought(owner))).ok_or("no token was got")?;
        Ok((self.header.text(scope)?, token.text.clone()))
    }
}

fn text(template: &Option<Template>, scope: &Scope<'_>) -> Result<String, String> {
    template.as_ref().map_or(Ok(String::new()), |template| {
        template.value(scope).map(|value| if python::is_true(&value) { python::text(&value) } else { String::new() })
    })
}

/// What is kept under this says that the server does not take the user's token.
fn refused(owner: &str) -> String {
    format!("{owner}/refused")
}

/// Under this the token is kept that was got for a password.
fn bought(owner: &str) -> String {
    format!("{owner}/bought")
}
