//! Failure: what is done about a response that is not as it should be, and how long is waited before it is asked for again.

use regex::Regex;
use serde_json::Value;

use super::component::{Component, Missing};
use super::response::Response;
use super::template::{Datum, Scope, Template};
use super::time::{Moment, SECOND};

/// So often a request is sent again, if the manifest does not say.
const RETRIES_MAX: u32 = 5;
/// The most that is waited for one request, in microseconds: a day. Whoever has no time for it hands the waiting on.
const WAIT_MAX: i64 = 86_400 * SECOND;
/// So long after the first attempt there is another one, as the reference has it.
const ATTEMPTS_SPAN: i64 = 600 * SECOND;
/// The most that is waited by a strategy of our own, in seconds, and the power of 2 that grows to it.
const OWN_SECONDS_MAX: (f64, u32) = (600.0, 9);

/// Two strategies that the format does not have, and `http` of a pipeline file is made of.
pub(crate) const FULL_JITTER: &str = "EtalonFullJitter";
pub(crate) const RETRY_AFTER: &str = "EtalonRetryAfter";

/// What is done about a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It is read.
    Success,
    /// It is passed over.
    Ignore,
    /// It is asked for again.
    Retry,
    /// It is asked for again, since the server says that it was too often.
    RateLimited,
    /// It is asked for again with a token that is got for it.
    Renew,
    /// The stream ends with an error.
    Fail,
}

/// What a filter says about the responses that it takes.
#[derive(Debug, Clone)]
struct Filter {
    action: Option<Action>,
    statuses: Vec<u16>,
    contains: Option<String>,
    predicate: Option<Template>,
    message: Option<Template>,
}

/// How long is waited.
#[derive(Debug, Clone)]
enum Backoff {
    /// So many seconds, and how far chance goes to both sides of the middle.
    Constant(Template, Option<f64>),
    /// The factor, times 2 to the power of the attempts; and as above.
    Exponential(Template, Option<f64>),
    /// Anything up to 2 to the power of the attempts, as chance has it: those who failed together do not come again together.
    FullJitter,
    /// As `Retry-After` says: seconds, or a date (RFC 9110, 10.2.3).
    RetryAfter,
    /// As many seconds as a template finds in the response.
    Said { seconds: Box<Template>, seconds_max: Option<Template> },
    /// As many seconds as a header says.
    Header { name: Template, regex: Option<Template>, seconds_max: Option<Template> },
    /// Until the time that a header says, in seconds since 1970.
    Until { name: Template, regex: Option<Template>, seconds_min: Option<Template>, seconds_max: Option<Template> },
}

#[derive(Debug, Clone, Default)]
struct Handler {
    filters: Vec<Filter>,
    retries_max: Option<Template>,
    backoffs: Vec<Backoff>,
}

/// The rules of a requester.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// One after the other is asked, until one says something that is not a failure.
    handlers: Vec<Handler>,
}

/// What the rules say of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) action: Action,
    /// What the manifest says about it.
    pub(super) message: Option<String>,
}

impl Rules {
    pub(super) fn read(component: Option<Component<'_>>, missing: &mut Missing) -> Self {
        let mut handlers = Vec::new();
        match component {
            Some(component) if component.ty == "CompositeErrorHandler" => {
                component.knows(missing);
                for child in component.children("error_handlers", missing) {
                    handlers.extend(Self::read(Some(child), missing).handlers);
                }
            }
            Some(component) => handlers.extend(Handler::read(&component, missing)),
            None => {}
        }
        if handlers.is_empty() {
            handlers.push(Handler::default());
        }
        Self { handlers }
    }

    /// What is done about a response; `None`: there was none.
    pub(super) fn verdict(&self, response: Option<&Response>, scope: &Scope<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict { action: Action::Retry, message: None };
        for handler in &self.handlers {
            verdict = handler.verdict(response, scope)?;
            if matches!(verdict.action, Action::Success | Action::Retry | Action::Ignore) {
                break;
            }
        }
        Ok(verdict)
    }

    /// So often a request is sent again.
    pub(super) fn retries_max(&self, scope: &Scope<'_>) -> u32 {
        let said = self.handlers[0].retries_max.as_ref().and_then(|said| said.value(scope).ok());
        let said = said.and_then(|said| said.as_u64().or_else(|| said.as_str()?.parse().ok()));
        said.and_then(|said| u32::try_from(said).ok()).unwrap_or(RETRIES_MAX)
    }

    /// How long is waited before the next attempt, in microseconds. `attempt`: how many there were, from 1.
    pub(super) fn wait(&self, response: Option<&Response>, attempt: u32, scope: &Scope<'_>) -> Result<i64, String> {
        Ok(self.said(response, attempt, scope)?.map_or_else(|| doubled(attempt), |(wait, _)| wait))
    }

    /// The same of an answer that is to be asked for again, so long after the first attempt; `None`: there is no other attempt any more.
    ///
    /// As the reference has it, ten minutes are the most, but for a server that says that it was asked too often and leaves it open how
    /// long to wait. Strategies of our own have no such end.
    pub(super) fn next_wait(
        &self,
        action: Action,
        response: Option<&Response>,
        (attempt, elapsed): (u32, i64),
        scope: &Scope<'_>,
    ) -> Result<Option<i64>, String> {
        let left = ATTEMPTS_SPAN.saturating_sub(elapsed);
        Ok(match self.said(response, attempt, scope)? {
            Some((wait, is_own)) => (is_own || left > 0).then_some(wait),
            None if action == Action::RateLimited => Some(doubled(attempt)),
            None => (left > 0).then(|| doubled(attempt).min(left)),
        })
    }

    /// What the first strategy says that says anything, and whether it is one of our own.
    fn said(
        &self,
        response: Option<&Response>,
        attempt: u32,
        scope: &Scope<'_>,
    ) -> Result<Option<(i64, bool)>, String> {
        for backoff in self.handlers.iter().flat_map(|handler| &handler.backoffs) {
            if let Some(seconds) = backoff.seconds(response, attempt, scope)?.filter(|seconds| *seconds > 0.0) {
                if micros(seconds) > WAIT_MAX && backoff.is_told() {
                    return Err(format!("the server asks to wait {seconds} seconds, which is more than a day"));
                }
                let is_own = matches!(backoff, Backoff::RetryAfter | Backoff::FullJitter);
                // The reference waits a second longer than it was told, and so do we.
                return Ok(Some((micros(seconds + 1.0).min(WAIT_MAX), is_own)));
            }
        }
        Ok(None)
    }
}

/// What is waited where no strategy says anything: 1 second, 2, 4 and so on.
fn doubled(attempt: u32) -> i64 {
    micros(2_f64.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(30).min(30))).min(WAIT_MAX)
}

fn micros(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "it is bounded right after")]
    let micros = (seconds * 1e6).ceil() as i64;
    micros.max(0)
}

impl Handler {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "DefaultErrorHandler" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let filters = component.children("response_filters", missing);
        let backoffs = component.children("backoff_strategies", missing);
        Some(Self {
            filters: filters.iter().filter_map(|filter| Filter::read(filter, missing)).collect(),
            retries_max: component.template("max_retries", missing),
            backoffs: backoffs.iter().filter_map(|backoff| Backoff::read(backoff, missing)).collect(),
        })
    }

    fn verdict(&self, response: Option<&Response>, scope: &Scope<'_>) -> Result<Verdict, String> {
        let said = |action| Ok(Verdict { action, message: None });
        let Some(response) = response else { return said(Action::Retry) };
        for filter in &self.filters {
            if let Some(action) = filter.action
                && filter.takes(response, scope)?
            {
                let message = filter
                    .message
                    .as_ref()
                    .and_then(|message| filter_scope(response, scope, |scope| message.text(scope)).ok());
                return Ok(Verdict { action, message });
            }
        }
        said(match response.status {
            _ if response.is_ok() => Action::Success,
            400 | 401 | 403 | 404 | 405 => Action::Fail,
            429 => Action::RateLimited,
            _ => Action::Retry,
        })
    }
}

/// Computes something where the response can be named.
fn filter_scope<T>(response: &Response, scope: &Scope<'_>, compute: impl FnOnce(&Scope<'_>) -> T) -> T {
    let body = response.json().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let headers = response.header_map();
    let url = Value::String(response.url_without_query());
    compute(
        &Scope::new(scope.now, scope.chance, scope.config)
            .with("response", Datum::from(&body))
            .with("headers", Datum::Headers(&headers))
            .with("request_url", Datum::from(&url)),
    )
}

impl Filter {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "HttpResponseFilter" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let action = match component.text("action") {
            Some("SUCCESS") => Some(Action::Success),
            Some("IGNORE") => Some(Action::Ignore),
            Some("RETRY") => Some(Action::Retry),
            Some("RATE_LIMITED") => Some(Action::RateLimited),
            Some("REFRESH_TOKEN_THEN_RETRY") => Some(Action::Renew),
            Some("FAIL") => Some(Action::Fail),
            Some(other) => {
                missing.add(format!("the action `{other}` of a response filter"));
                None
            }
            None => None,
        };
        let codes = component.get("http_codes").and_then(Value::as_array);
        let status = |code: &Value| code.as_u64().and_then(|code| u16::try_from(code).ok());
        Some(Self {
            action,
            statuses: codes.map(|codes| codes.iter().filter_map(status).collect()).unwrap_or_default(),
            contains: component.text("error_message_contains").filter(|text| !text.is_empty()).map(ToOwned::to_owned),
            predicate: component.template("predicate", missing).filter(|predicate| !predicate.source().is_empty()),
            message: component.template("error_message", missing),
        })
    }

    fn takes(&self, response: &Response, scope: &Scope<'_>) -> Result<bool, String> {
        if self.statuses.contains(&response.status) {
            return Ok(true);
        }
        // A predicate sees no configuration in the reference, whatever its schema says.
        let nothing = Value::Null;
        let without = Scope::new(scope.now, scope.chance, &nothing);
        if let Some(predicate) = &self.predicate
            && filter_scope(response, &without, |scope| predicate.holds(scope))?
        {
            return Ok(true);
        }
        let Some(contains) = &self.contains else { return Ok(false) };
        let message = match response.json() {
            Some(body) => message_of(&body).unwrap_or_default(),
            None => response.text().into_owned(),
        };
        Ok(message.contains(contains.as_str()))
    }
}

/// The message of an error, wherever servers put it.
fn message_of(body: &Value) -> Option<String> {
    const KEYS: [&str; 12] = [
        "message",
        "messages",
        "error",
        "errors",
        "failures",
        "failure",
        "detail",
        "err",
        "error_message",
        "msg",
        "reason",
        "status_message",
    ];
    match body {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(message_of).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            KEYS.iter().filter_map(|key| map.get(*key)).find(|value| super::python::is_true(value)).and_then(message_of)
        }
        _ => None,
    }
}

impl Backoff {
    fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        match component.ty {
            "ConstantBackoffStrategy" => {
                component.knows(missing);
                let seconds = component.needed("backoff_time_in_seconds", missing)?;
                Some(Self::Constant(seconds, jitter(component)))
            }
            "ExponentialBackoffStrategy" => {
                component.knows(missing);
                let factor = component.template("factor", missing);
                let factor = factor.or_else(|| component.parse("5", missing))?;
                Some(Self::Exponential(factor, jitter(component)))
            }
            FULL_JITTER => Some(Self::FullJitter),
            RETRY_AFTER => Some(Self::RetryAfter),
            "WaitTimeFromResponse" => {
                component.knows(missing);
                let seconds = component.needed("wait_time_in_seconds", missing)?;
                let known = ["config", "parameters", "response", "headers"];
                for name in seconds.names().filter(|name| !known.contains(name)) {
                    missing.add(format!("`{name}` in `wait_time_in_seconds`"));
                }
                let seconds_max = component.template("max_waiting_time_in_seconds", missing);
                Some(Self::Said { seconds: Box::new(seconds), seconds_max })
            }
            "WaitTimeFromHeader" => {
                component.knows(missing);
                Some(Self::Header {
                    name: component.needed("header", missing)?,
                    regex: component.template("regex", missing),
                    seconds_max: component.template("max_waiting_time_in_seconds", missing),
                })
            }
            "WaitUntilTimeFromHeader" => {
                component.knows(missing);
                Some(Self::Until {
                    name: component.needed("header", missing)?,
                    regex: component.template("regex", missing),
                    seconds_min: component.template("min_wait", missing),
                    seconds_max: component.template("max_waiting_time_in_seconds", missing),
                })
            }
            _ => {
                component.is_missing(missing);
                None
            }
        }
    }

    /// Whether it is the server that says how long.
    fn is_told(&self) -> bool {
        matches!(self, Self::Said { .. } | Self::Header { .. } | Self::Until { .. } | Self::RetryAfter)
    }

    fn seconds(&self, response: Option<&Response>, attempt: u32, scope: &Scope<'_>) -> Result<Option<f64>, String> {
        let scope = &Scope::new(scope.now, scope.chance, scope.config);
        match self {
            Self::Constant(seconds, range) => {
                Ok(number(seconds, scope)?.map(|seconds| spread(seconds, *range, attempt, scope)))
            }
            Self::Exponential(factor, range) => {
                let power = 2_f64.powi(i32::try_from(attempt).unwrap_or(30).min(30));
                Ok(number(factor, scope)?.map(|factor| spread(factor * power, *range, attempt, scope)))
            }
            Self::FullJitter => {
                let (seconds_max, power_max) = OWN_SECONDS_MAX;
                let power = i32::try_from(attempt.min(power_max)).unwrap_or_default();
                Ok(Some(fraction(attempt, scope) * 2_f64.powi(power).min(seconds_max)))
            }
            Self::RetryAfter => {
                let Some(said) = response.and_then(|response| response.header("Retry-After")) else { return Ok(None) };
                let date = || Moment::strptime(said.trim(), "%a, %d %b %Y %H:%M:%S GMT");
                #[expect(clippy::cast_precision_loss, reason = "a clock's time has fewer digits")]
                let until = || date().map(|date| (date.micros - scope.now) as f64 / 1e6);
                Ok(said.trim().parse().ok().or_else(until).filter(|seconds: &f64| seconds.is_finite()))
            }
            Self::Said { seconds, seconds_max } => {
                let nothing = Response::default();
                let found = filter_scope(response.unwrap_or(&nothing), scope, |scope| seconds.value(scope));
                // What cannot be computed, or is no time to wait, leaves it to the next strategy.
                let found = found.ok().and_then(|found| match found {
                    Value::Bool(yes) => Some(f64::from(u8::from(yes))),
                    Value::String(text) => text.trim().parse().ok(),
                    found => found.as_f64(),
                });
                let found = found.filter(|seconds| seconds.is_finite() && *seconds > 0.0);
                capped(found, seconds_max.as_ref(), scope)
            }
            Self::Header { name, regex, seconds_max } => {
                capped(header(response, name, regex.as_ref(), scope)?, seconds_max.as_ref(), scope)
            }
            Self::Until { name, regex, seconds_min, seconds_max } => {
                let min = seconds_min.as_ref().map_or(Ok(None), |min| number(min, scope))?;
                #[expect(clippy::cast_precision_loss, reason = "a clock's time has fewer digits")]
                let now = scope.now as f64 / 1e6;
                let until = header(response, name, regex.as_ref(), scope)?.filter(|until| *until != 0.0);
                let seconds = match (until.map(|until| until - now), min) {
                    (Some(seconds), Some(min)) => Some(seconds.max(min)),
                    (Some(seconds), None) => Some(seconds).filter(|seconds| *seconds >= 0.0),
                    (None, min) => min,
                };
                capped(seconds, seconds_max.as_ref(), scope)
            }
        }
    }
}

/// How far chance goes, if a strategy says it.
fn jitter(component: &Component<'_>) -> Option<f64> {
    component.get("jitter_range_in_seconds").and_then(Value::as_f64).filter(|range| *range > 0.0)
}

/// Seconds, and up to twice a range more.
fn spread(seconds: f64, range: Option<f64>, attempt: u32, scope: &Scope<'_>) -> f64 {
    seconds + range.map_or(0.0, |range| 2.0 * range * fraction(attempt, scope))
}

/// A number from 0 to 1 that the chance of the walk gives to an attempt at this time (SplitMix64).
fn fraction(attempt: u32, scope: &Scope<'_>) -> f64 {
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let chance = (scope.chance as u64) ^ ((scope.chance >> 64) as u64);
    let mut bits = chance ^ scope.now.unsigned_abs() ^ (u64::from(attempt) << 48);
    bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are left of it")]
    let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

fn number(template: &Template, scope: &Scope<'_>) -> Result<Option<f64>, String> {
    let value = template.value(scope)?;
    Ok(value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok())))
}

fn capped(seconds: Option<f64>, max: Option<&Template>, scope: &Scope<'_>) -> Result<Option<f64>, String> {
    let max = max.map_or(Ok(None), |max| number(max, scope))?;
    match (seconds, max) {
        (Some(seconds), Some(max)) if seconds >= max => {
            Err(format!("the server asks to wait {seconds} seconds, and the manifest allows less than {max}"))
        }
        _ => Ok(seconds),
    }
}

/// The number that a header says.
fn header(
    response: Option<&Response>,
    name: &Template,
    regex: Option<&Template>,
    scope: &Scope<'_>,
) -> Result<Option<f64>, String> {
    let name = name.text(scope)?;
    let Some(value) = response.and_then(|response| response.header(&name)) else { return Ok(None) };
    let Some(regex) = regex else { return Ok(value.trim().parse().ok()) };
    let pattern = regex.text(scope)?;
    let regex = Regex::new(&format!("^(?:{pattern})"))
        .map_err(|_| format!("the regular expression `{pattern}` cannot be read"))?;
    Ok(regex.find(value).map_or(value, |found| found.as_str()).trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(handler: &Value) -> Rules {
        let mut missing = Missing::default();
        let rules = Rules::read(Component::of(handler, &mut missing), &mut missing);
        assert_eq!(missing, Missing::default());
        rules
    }

    fn waits(strategy: &Value, headers: &[(&str, &str)], chance: u128) -> Result<i64, String> {
        let rules = rules(&json!({"type": "DefaultErrorHandler", "backoff_strategies": [strategy]}));
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let response = Response::new(503, headers, Vec::new());
        // 2024-03-01T12:00:00Z
        rules.wait(Some(&response), 2, &Scope::new(1_709_294_400 * SECOND, chance, &json!({})))
    }

    #[test]
    fn a_server_may_ask_for_a_day_and_no_more() {
        let header = json!({"type": "WaitTimeFromHeader", "header": "Retry-After"});
        let until = json!({"type": "WaitUntilTimeFromHeader", "header": "Reset"});
        assert_eq!(waits(&header, &[("retry-after", "3600")], 0), Ok(3601 * SECOND));
        assert_eq!(waits(&until, &[("reset", "1709301600")], 0), Ok(7201 * SECOND));
        for (strategy, headers) in [(&header, ("retry-after", "99999999999")), (&until, ("reset", "1709294400000"))] {
            assert!(waits(strategy, &[headers], 0).is_err_and(|told| told.contains("more than a day")));
        }
    }

    #[test]
    fn a_manifest_has_ten_minutes_for_the_attempts_of_a_request() {
        let next = |strategies: Value, action, attempt, seconds: i64| {
            let rules = rules(&json!({"type": "DefaultErrorHandler", "backoff_strategies": strategies}));
            let response = Response::new(503, vec![("Retry-After".to_owned(), "700".to_owned())], Vec::new());
            let wait =
                rules.next_wait(action, Some(&response), (attempt, seconds * SECOND), &Scope::new(0, 0, &Value::Null));
            wait.unwrap().map(|wait| wait / SECOND)
        };
        let header = || json!([{"type": "WaitTimeFromHeader", "header": "Retry-After"}]);
        assert_eq!(next(header(), Action::Retry, 1, 0), Some(701));
        assert_eq!(next(header(), Action::RateLimited, 2, 702), None);
        // What is left of it is waited, and no more.
        assert_eq!(next(json!([]), Action::Retry, 10, 511), Some(89));
        assert_eq!(next(json!([]), Action::Retry, 11, 600), None);
        assert_eq!(next(json!([]), Action::RateLimited, 11, 600), Some(1024));
        // The attempts of `http` are counted only.
        assert_eq!(next(json!([{"type": RETRY_AFTER}]), Action::Retry, 2, 702), Some(701));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let own = json!({"type": RETRY_AFTER});
        assert_eq!(waits(&own, &[("Retry-After", "7")], 0), Ok(8 * SECOND));
        assert_eq!(waits(&own, &[("Retry-After", "Fri, 01 Mar 2024 12:01:00 GMT")], 0), Ok(61 * SECOND));
        // What is past, or no time, leaves it to the next strategy; after that it is two seconds the second time.
        for said in ["Fri, 01 Mar 2024 11:00:00 GMT", "soon"] {
            assert_eq!(waits(&own, &[("Retry-After", said)], 0), Ok(2 * SECOND));
        }
    }

    #[test]
    fn chance_spreads_waits_as_far_as_is_said() {
        let constant = |range: Value| json!({"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": 10, "jitter_range_in_seconds": range});
        assert_eq!(waits(&constant(Value::Null), &[], 1), Ok(11 * SECOND));
        let spread =
            |strategy: &Value| (0..200).map(|chance| waits(strategy, &[], chance).unwrap()).collect::<Vec<_>>();
        let waited = spread(&constant(json!(2)));
        assert!(waited.iter().all(|wait| (11 * SECOND..=15 * SECOND).contains(wait)), "{waited:?}");
        assert!(waited.iter().any(|wait| *wait < 12 * SECOND) && waited.iter().any(|wait| *wait > 14 * SECOND));
        let waited = spread(&json!({"type": FULL_JITTER}));
        assert!(waited.iter().all(|wait| (SECOND..=5 * SECOND).contains(wait)), "{waited:?}");
        assert!(waited.iter().any(|wait| *wait < 2 * SECOND) && waited.iter().any(|wait| *wait > 4 * SECOND));
    }

    #[test]
    fn a_predicate_sees_the_response_and_no_configuration() {
        let config = json!({"c": 5});
        let scope = Scope::new(0, 0, &config);
        let response = Response::new(200, Vec::new(), br#"{"code": 5}"#.to_vec());
        let verdict = |predicate: &str| {
            let filter = json!({"type": "HttpResponseFilter", "action": "FAIL", "predicate": predicate, "error_message": "{{ config.c }}"});
            rules(&json!({"type": "DefaultErrorHandler", "response_filters": [filter]}))
                .verdict(Some(&response), &scope)
        };
        assert_eq!(verdict("{{ response.code == config.c }}").map(|verdict| verdict.action), Ok(Action::Success));
        let failed = verdict("{{ response.code == 5 }}").unwrap();
        assert_eq!((failed.action, failed.message.as_deref()), (Action::Fail, Some("5")));
    }
}
