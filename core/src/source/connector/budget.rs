//! Budget: how often a manifest lets its server be asked. The first policy that a request falls under counts it, and says
//! how long the next one waits.

use std::collections::VecDeque;

use regex::Regex;
use serde_json::Value;

use super::component::{Component, Missing};
use super::python;
use super::request::Request;
use super::response::Response;
use super::template::{Scope, Template};
use super::time::{SECOND, Span};
use super::url;

/// Most calls that a policy remembers.
pub(crate) const CALLS_MAX: u32 = 100_000;

/// What a manifest says of its rates.
#[derive(Debug, Clone)]
pub(super) struct Budget {
    policies: Vec<Policy>,
    remaining_header: String,
    reset_header: String,
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

/// The calls of one walk.
#[derive(Debug)]
pub(super) struct Calls {
    budget: Budget,
    /// By policy: when the last calls were, and until when the server has none left.
    made: Vec<(VecDeque<i64>, i64)>,
}

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
            remaining_header: header("ratelimit_remaining_header", "ratelimit-remaining"),
            reset_header: header("ratelimit_reset_header", "ratelimit-reset"),
            policies: policies.iter().filter_map(|policy| Policy::read(policy, missing)).collect(),
        })
    }

    /// Nothing has been asked yet.
    pub(super) fn calls(&self) -> Calls {
        Calls { budget: self.clone(), made: self.policies.iter().map(|_| (VecDeque::new(), 0)).collect() }
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
fn calls(limit: &Template, scope: &Scope<'_>) -> Result<usize, String> {
    let said = limit.value(scope)?.as_u64().and_then(|limit| u32::try_from(limit).ok());
    let limit = said.filter(|limit| (1..=CALLS_MAX).contains(limit)).and_then(|limit| usize::try_from(limit).ok());
    limit.ok_or_else(|| format!("a rate allows no number of calls from 1 to {CALLS_MAX}"))
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

impl Calls {
    fn policy(&self, request: &Request) -> Option<usize> {
        let fits = |policy: &Policy| policy.matchers.is_empty() || policy.matchers.iter().any(|one| one.fits(request));
        self.budget.policies.iter().position(fits)
    }

    /// Counts a request that is about to be sent; or says until when it waits, in microseconds since 1970.
    pub(super) fn count(&mut self, request: &Request, scope: &Scope<'_>) -> Result<Option<i64>, String> {
        let Some(at) = self.policy(request) else { return Ok(None) };
        let policy = &self.budget.policies[at];
        let matcher = policy.matchers.iter().find(|matcher| matcher.fits(request));
        let weight = match matcher.and_then(|matcher| matcher.weight.as_ref()) {
            None => 1,
            Some(weight) => {
                let said = weight.value(scope)?.as_u64().and_then(|weight| usize::try_from(weight).ok());
                said.filter(|weight| *weight > 0).ok_or("the `weight` of a request is no number of calls")?
            }
        };
        let (made, until) = &mut self.made[at];
        let mut wait = (*until > scope.now).then_some(*until);
        let mut longest = 0;
        for (limit, span) in &policy.rates {
            let limit = calls(limit, scope)?;
            if weight > limit {
                return Err(format!("a request counts as {weight} calls, and its rate allows {limit}"));
            }
            longest = longest.max(span.micros);
            // The call that has to be past before this one.
            let before = (made.len() + weight).checked_sub(limit + 1).and_then(|place| made.get(place));
            wait = wait.max(before.map(|call| call + span.micros).filter(|free| *free > scope.now));
        }
        if wait.is_none() && longest > 0 {
            made.retain(|call| call + longest > scope.now);
            made.extend(std::iter::repeat_n(scope.now, weight));
        }
        Ok(wait)
    }

    /// Takes what a response says of its server's own count.
    pub(super) fn heed(&mut self, request: &Request, response: &Response) {
        let number = |name: &str| response.header(name).and_then(|text| text.trim().parse::<i64>().ok());
        let reset = number(&self.budget.reset_header).and_then(|seconds| seconds.checked_mul(SECOND));
        if let (Some(at), Some(0), Some(reset)) = (self.policy(request), number(&self.budget.remaining_header), reset) {
            self.made[at].1 = reset;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_counts_as_much_as_the_first_matcher_that_takes_it_says() {
        let mut missing = Missing::default();
        let matcher = |more: Value| {
            let mut all = json!({"url_path_pattern": "/a", "params": {"kind": 7}, "headers": {"X-Kind": "big"}});
            all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            all
        };
        let budget = json!({"type": "HTTPAPIBudget", "policies": [{
            "type": "MovingWindowCallRatePolicy",
            "rates": [{"limit": 5, "interval": "PT10S"}],
            "matchers": [matcher(json!({"weight": "{{ config['weight'] }}"})), {"method": "get"}],
        }]});
        let budget = Budget::read(&Component::of(&budget, &mut missing).unwrap(), &mut missing).unwrap();
        assert_eq!(missing, Missing::default());
        let mut calls = budget.calls();
        let heavy = json!({"weight": 3});
        let mut count = |seconds: i64, method: &str, url: &str, kind: &str| {
            let request = Request {
                method: method.to_owned(),
                url: url.to_owned(),
                headers: vec![("x-kind".to_owned(), kind.to_owned())],
                body: None,
            };
            calls.count(&request, &Scope::new(seconds * SECOND, 0, &heavy)).unwrap()
        };
        assert_eq!(count(0, "GET", "https://h/a?kind=7", "big"), None);
        // Two more are allowed: one that is like it in all but a header, and one that is like it in all but a parameter.
        assert_eq!(count(1, "GET", "https://h/a?kind=7", "small"), None);
        assert_eq!(count(2, "GET", "https://h/a?kind=8", "big"), None);
        assert_eq!(count(3, "GET", "https://h/b", "big"), Some(10 * SECOND));
        // No policy is about it.
        assert_eq!(count(3, "POST", "https://h/b", "big"), None);
        // Three calls are past when the first is, which was three.
        assert_eq!(count(3, "GET", "https://h/a?kind=7", "big"), Some(10 * SECOND));
        assert_eq!(count(10, "GET", "https://h/a?kind=7", "big"), None);
        assert_eq!(count(10, "GET", "https://h/a", "big"), Some(11 * SECOND));
    }
}
