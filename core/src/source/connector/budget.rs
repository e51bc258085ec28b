//! Budget: how often a manifest lets its server be asked. The first policy that a request falls under says it; `share` counts.

use regex::Regex;
use serde_json::Value;

use super::component::{Component, Missing};
use super::python;
use super::request::Request;
use super::response::Response;
use super::template::{Scope, Template};
use super::time::{SECOND, Span};
use super::url;

/// Most calls that a rate allows.
pub(crate) const CALLS_MAX: u32 = 100_000;

/// What a manifest says of its rates.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    policies: Vec<Policy>,
    remaining_header: String,
    reset_header: String,
    /// What it says, as a text.
    identity: String,
}

/// So many calls in a time, of the requests that it is about.
#[derive(Debug, Clone)]
struct Policy {
    /// Each a limit and its time; none: as often as one likes.
    rates: Vec<(Template, Span)>,
    matchers: Vec<Matcher>,
}

#[derive(Debug, Clone)]
struct Matcher {
    method: Option<String>,
    base: Option<String>,
    path: Option<Regex>,
    parameters: Vec<(String, String)>,
    /// With their names in small letters.
    headers: Vec<(String, String)>,
    /// How many calls one that it takes counts as.
    weight: Option<Template>,
}

/// So many calls in so many microseconds.
pub(super) type Rate = (u64, i64);

impl Budget {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "HTTPAPIBudget" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let header = |field: &str, otherwise: &str| component.text(field).unwrap_or(otherwise).to_owned();
        let policies = component.children("policies", missing);
        Some(Self {
            identity: component.identity(),
            remaining_header: header("ratelimit_remaining_header", "ratelimit-remaining"),
            reset_header: header("ratelimit_reset_header", "ratelimit-reset"),
            policies: policies.iter().filter_map(|policy| Policy::read(policy, missing)).collect(),
        })
    }

    /// What tells it apart from others.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// How many policies there are.
    pub(super) fn policies(&self) -> usize {
        self.policies.len()
    }

    /// The policy that a request falls under, and how many calls it counts as.
    pub(super) fn policy(&self, request: &Request, scope: &Scope<'_>) -> Result<Option<(usize, u64)>, String> {
        let fits = |policy: &Policy| policy.matchers.is_empty() || policy.matchers.iter().any(|one| one.fits(request));
        let Some(at) = self.policies.iter().position(fits) else { return Ok(None) };
        let matcher = self.policies[at].matchers.iter().find(|matcher| matcher.fits(request));
        let Some(weight) = matcher.and_then(|matcher| matcher.weight.as_ref()) else { return Ok(Some((at, 1))) };
        let weight = weight.value(scope)?.as_u64().filter(|weight| *weight > 0);
        Ok(Some((at, weight.ok_or("the `weight` of a request is no number of calls")?)))
    }

    /// The rates of a policy; none: as often as one likes.
    pub(super) fn rates(&self, policy: usize, scope: &Scope<'_>) -> Result<Vec<Rate>, String> {
        self.policies[policy].rates.iter().map(|(limit, span)| Ok((calls(limit, scope)?, span.micros))).collect()
    }

    /// Until when a server has no calls left, in microseconds since 1970, if its response says that it has none.
    pub(super) fn reset(&self, response: &Response) -> Option<i64> {
        let number = |name: &str| response.header(name).and_then(|text| text.trim().parse::<i64>().ok());
        number(&self.remaining_header).filter(|remaining| *remaining == 0)?;
        number(&self.reset_header)?.checked_mul(SECOND)
    }
}

impl Policy {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        let rate = |component: &Component<'_>, limit: &str, time: &str, missing: &mut Missing| {
            let span = component.text(time).and_then(Span::parse).filter(|span| span.months == 0 && span.micros > 0);
            if span.is_none() {
                missing.add(format!("a rate whose `{time}` is no duration of ISO 8601"));
            }
            let limit = component.needed(limit, missing)?;
            if limit.is_constant() && calls(&limit, &Scope::new(0, 0, &Value::Null)).is_err() {
                missing.add(format!("a rate that allows no number of calls from 1 to {CALLS_MAX}"));
            }
            Some((limit, span?))
        };
        let rates = match component.ty {
            "UnlimitedCallRatePolicy" => {
                component.knows(missing);
                Vec::new()
            }
            "FixedWindowCallRatePolicy" => {
                component.knows(missing);
                vec![rate(component, "call_limit", "period", missing)?]
            }
            "MovingWindowCallRatePolicy" => {
                component.knows(missing);
                let rates = component.get("rates").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let mut read = Vec::new();
                for value in rates {
                    let mut typed = value.clone();
                    if let Value::Object(fields) = &mut typed {
                        fields.entry("type").or_insert_with(|| "Rate".into());
                    }
                    let component = Component::of(&typed, missing)?;
                    component.knows(missing);
                    read.push(rate(&component, "limit", "interval", missing)?);
                }
                read
            }
            _ => {
                component.is_missing(missing);
                return None;
            }
        };
        let matchers = component.get("matchers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let matchers = matchers.iter().map(|matcher| Matcher::read(matcher, missing)).collect::<Option<_>>()?;
        Some(Self { rates, matchers })
    }
}

/// How many calls a limit allows.
fn calls(limit: &Template, scope: &Scope<'_>) -> Result<u64, String> {
    let said = limit.value(scope)?.as_u64().and_then(|limit| u32::try_from(limit).ok());
    let limit = said.filter(|limit| (1..=CALLS_MAX).contains(limit));
    limit.map(u64::from).ok_or_else(|| format!("a rate allows no number of calls from 1 to {CALLS_MAX}"))
}

impl Matcher {
    fn read(value: &Value, missing: &mut Missing) -> Option<Self> {
        let component = Component::named(value, "HttpRequestRegexMatcher")?;
        component.knows(missing);
        let text = |field: &str| component.text(field);
        let pairs = |field: &str| {
            let map = component.get(field).and_then(Value::as_object).into_iter().flatten();
            map.map(|(name, value)| (name.clone(), python::text(value))).collect::<Vec<_>>()
        };
        let path = text("url_path_pattern").map(Regex::new).transpose();
        if path.is_err() {
            missing.add("a `url_path_pattern` that cannot be read");
        }
        Some(Self {
            method: text("method").map(str::to_uppercase),
            base: text("url_base").map(|base| base.trim_end_matches('/').to_owned()),
            path: path.ok()?,
            parameters: pairs("params"),
            headers: pairs("headers").into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect(),
            weight: component.template("weight", missing),
        })
    }

    fn fits(&self, request: &Request) -> bool {
        let parts = url::Parts::of(&request.url);
        let base = format!("{}://{}", parts.scheme, parts.authority.unwrap_or_default());
        let query = url::pairs(parts.query.unwrap_or_default());
        let is_there = |said: &[(String, String)], pairs: &[(String, String)]| {
            said.iter().all(|(name, value)| {
                pairs.iter().rev().find(|(known, _)| known == name).is_some_and(|(_, known)| known == value)
            })
        };
        let small = |(name, value): &(String, String)| (name.to_lowercase(), value.clone());
        let headers: Vec<_> = request.headers.iter().map(small).collect();
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.base.as_ref().is_none_or(|known| *known == base)
            && self.path.as_ref().is_none_or(|path| path.is_match(parts.path.trim_end_matches('/')))
            && is_there(&self.parameters, &query)
            && is_there(&self.headers, &headers)
    }
}
