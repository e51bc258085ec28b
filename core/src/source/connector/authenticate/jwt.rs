//! Jwt: a JSON Web Token that the configuration's key signs (RFC 7519). What is signed is said here; signing needs a library of
//! cryptography, which whoever drives a walk has.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{Errand, Got, Need, Token, Tokens};
use crate::source::connector::component::{Component, Missing};
use crate::source::connector::python;
use crate::source::connector::request::{Injection, Options};
use crate::source::connector::template::{Scope, Template, Types};
use crate::source::connector::time::SECOND;

/// How long a token is good, if the manifest does not say it.
const DURATION_SECONDS: i64 = 1200;

/// How something is signed, by its name in RFC 7518.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the standard")]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

const ALGORITHMS: [(&str, Algorithm); 12] = [
    ("HS256", Algorithm::Hs256),
    ("HS384", Algorithm::Hs384),
    ("HS512", Algorithm::Hs512),
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("EdDSA", Algorithm::EdDsa),
];

/// What is to be signed. It prints without its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Signing {
    /// How.
    pub algorithm: Algorithm,
    /// With what: the bytes of a shared secret, or a private key in PEM.
    pub key: String,
    /// What.
    pub message: String,
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// A token that is signed.
#[derive(Debug, Clone)]
pub(in crate::source::connector) struct Jwt {
    algorithm: Algorithm,
    key: Template,
    is_key_encoded: bool,
    seconds: i64,
    prefix: Option<Template>,
    headers: Vec<(String, Template)>,
    more_headers: Vec<(Template, Template)>,
    claims: Vec<(String, Template)>,
    more_claims: Vec<(Template, Template)>,
    place: Option<Injection>,
}

/// The headers that a manifest may name by themselves, in the order in which they are written.
const HEADERS: [&str; 3] = ["kid", "typ", "cty"];
/// And the claims.
const CLAIMS: [&str; 3] = ["iss", "sub", "aud"];

impl Jwt {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        component.knows(missing);
        component.lacks("passphrase", missing);
        let word = component.text("algorithm").unwrap_or_default();
        let algorithm = ALGORITHMS.iter().find(|(name, _)| *name == word).map(|(_, algorithm)| *algorithm);
        if algorithm.is_none() {
            missing.add(format!("the algorithm `{word}` of a `JwtAuthenticator`"));
        }
        let mut named = |field: &str, names: [&str; 3]| -> Vec<(String, Template)> {
            let of =
                |name: &str| component.get(field).and_then(|map| map.get(name)).filter(|value| python::is_true(value));
            let one = |name: &str| {
                let said = of(name).map(python::text).or_else(|| (name == "typ").then(|| "JWT".to_owned()))?;
                Some((name.to_owned(), component.parse(&said, missing)?))
            };
            names.into_iter().filter_map(one).collect()
        };
        let (headers, claims) = (named("jwt_headers", HEADERS), named("jwt_payload", CLAIMS));
        let mut more = |field: &str| -> Vec<(Template, Template)> {
            let map = component.get(field).and_then(Value::as_object);
            let pair = |(key, value): (&String, &Value)| {
                Some((component.parse(key, missing)?, component.parse(&python::text(value), missing)?))
            };
            map.map(|map| map.iter().filter_map(pair).collect()).unwrap_or_default()
        };
        let (more_headers, more_claims) = (more("additional_jwt_headers"), more("additional_jwt_payload"));
        let place = match component.child("request_option", missing) {
            Some(option) => Some(Injection::read(&option, missing)?),
            None => None,
        };
        Some(Self {
            algorithm: algorithm?,
            key: component.needed("secret_key", missing)?,
            is_key_encoded: component.flag("base64_encode_secret_key"),
            seconds: component.get("token_duration").map_or(Some(DURATION_SECONDS), Value::as_i64).unwrap_or_default(),
            prefix: component.template("header_prefix", missing).filter(|prefix| !prefix.source().is_empty()),
            headers,
            more_headers,
            claims,
            more_claims,
            place,
        })
    }

    /// What is to be signed, if there is no token that is good for half of its time still.
    pub(super) fn ask(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Option<Need>, String> {
        if tokens.get(owner).is_some_and(|token| token.ends.is_none_or(|ends| ends > scope.now)) {
            return Ok(None);
        }
        let key = self.key.text(scope)?;
        let key = if self.is_key_encoded { STANDARD.encode(key) } else { key };
        let encoded = |map: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(map).to_string());
        let message = format!("{}.{}", encoded(self.header(scope)?), encoded(self.payload(scope)?));
        Ok(Some(Need::new(owner, Errand::Sign(Signing { algorithm: self.algorithm, key, message }))))
    }

    pub(super) fn take(
        &self,
        owner: &str,
        need: &Need,
        tokens: &mut Tokens,
        got: &Got,
        scope: &Scope<'_>,
    ) -> Result<(), String> {
        let (Errand::Sign(signing), Got::Signature(signature)) = (&need.errand, got) else { return Ok(()) };
        let text = format!("{}.{}", signing.message, URL_SAFE_NO_PAD.encode(signature));
        let lasts = self.seconds.max(0) / 2;
        let ends = Some(scope.now.saturating_add(lasts.saturating_mul(SECOND))).filter(|_| lasts > 0);
        tokens.put(owner, Token { text, refresh: None, ends });
        Ok(())
    }

    /// What it injects: the signed token at its place.
    pub(super) fn proof(&self, owner: &str, tokens: &Tokens, scope: &Scope<'_>) -> Result<Options, String> {
        let token = tokens.get(owner).ok_or("no token was signed")?;
        let text = match &self.prefix {
            Some(prefix) => format!("{} {}", prefix.text(scope)?, token.text),
            None => token.text.clone(),
        };
        let mut options = Options::default();
        match &self.place {
            Some(place) => place.inject(&mut options, text.into(), scope)?,
            None => options.headers.extend(Some(("Authorization".to_owned(), text.into()))),
        }
        Ok(options)
    }

    fn header(&self, scope: &Scope<'_>) -> Result<Map<String, Value>, String> {
        let name = ALGORITHMS.iter().find(|(_, algorithm)| *algorithm == self.algorithm).map_or("", |(name, _)| name);
        // Signers write these first, whatever comes after.
        let mut header = Map::from_iter([("typ".to_owned(), "JWT".into()), ("alg".to_owned(), name.into())]);
        let given = computed(&self.more_headers, &["kid", "alg", "typ", "cty"], scope)?;
        header.extend(given);
        for (name, template) in &self.headers {
            header.insert(name.clone(), template.value(scope)?);
        }
        Ok(header)
    }

    fn payload(&self, scope: &Scope<'_>) -> Result<Map<String, Value>, String> {
        let mut payload = computed(&self.more_claims, &["iss", "sub", "aud", "iat", "exp", "nbf"], scope)?;
        for (name, template) in &self.claims {
            payload.insert(name.clone(), template.value(scope)?);
        }
        let now = scope.now.div_euclid(SECOND);
        for (name, at) in [("iat", now), ("exp", now.saturating_add(self.seconds)), ("nbf", now)] {
            payload.insert(name.to_owned(), at.into());
        }
        Ok(payload)
    }
}

/// What pairs of templates give, none of which may have one of these names.
fn computed(
    pairs: &[(Template, Template)],
    reserved: &[&str],
    scope: &Scope<'_>,
) -> Result<Map<String, Value>, String> {
    let mut map = Map::new();
    for (name, value) in pairs {
        let name = name.text(scope)?;
        if reserved.contains(&name.as_str()) {
            return Err(format!("`{name}` of a JSON Web Token has a field of its own"));
        }
        map.insert(name, value.optional(scope, Types::Any)?.value);
    }
    Ok(map)
}
