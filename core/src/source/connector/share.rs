//! Share: the calls that a walk has of a budget. All who read one account at once have the budget together: a document in the store
//! says which calls were made, and who may make how many now.
//!
//! ```text
//! lease    so many calls until a time, written under the version that was read: whoever has it asks nobody before each call
//! settle   with the next lease, and at the end: when calls were made. Those that were not made go back
//! ```
//!
//! Whoever is killed leaves a lease that ends, and its calls count as if they had been made at its end. What a server says of its own
//! count is written at once, and the others see it with their next lease.

use super::authenticate::{Keeping, Kept};
use super::budget::{Budget, Rate};
use super::calls::{KeptCalls, KeptPolicy};
use super::request::Request;
use super::response::Response;
use super::template::Scope;
use super::time::SECOND;

/// The longest that a lease lasts. It is as long as the time of its rate, where that is shorter.
const LEASE_MAX: i64 = 30 * SECOND;
/// Of a rate whose time is not longer than this, a lease has a larger part, so that it is not written before each call.
const SHORT: i64 = 10 * SECOND;
/// What part of a rate a lease has, of a short time and of a longer one; one call at least, and so many at most.
const PARTS: (u64, u64) = (4, 20);
const LEASE_CALLS_MAX: u64 = 50;
/// After so long it is looked again whether another has given calls back.
const LOOK: i64 = 2 * SECOND;
/// Most times that are kept of a policy; where there are more, calls count as made a little later.
const TIMES_MAX: usize = 1024;
/// So often in a row the store may not answer.
const FAILURES_MAX: u32 = 9;
/// So often a share is given back before it is left to end by itself.
const RELEASES_MAX: u32 = 4;

/// What is to be done before a request is sent.
pub(super) enum Counted {
    /// Nothing: it is counted.
    Go,
    /// It waits until this time.
    Wait(i64),
    /// The document is to be read or written.
    Keep(Keeping),
}

/// The calls of one walk.
#[derive(Debug)]
pub(super) struct Calls {
    budget: Budget,
    /// What the document is kept under, and who this walk is in it.
    name: String,
    who: String,
    own: Vec<Own>,
    kept: KeptCalls,
    version: Option<String>,
    is_read: bool,
    /// Whether the document was read after the last wait.
    is_fresh: bool,
    /// What is about to be written.
    written: Option<Writing>,
    failures: u32,
    releases: u32,
    /// Nothing is asked of the store before this time.
    at: i64,
}

/// What is about to be written: the document, the policies that are settled in it, and the one of a new lease.
#[derive(Debug)]
struct Writing {
    kept: KeptCalls,
    policies: Vec<usize>,
    lease: Option<(usize, Lease)>,
}

/// What a walk has of a policy.
#[derive(Debug, Clone, Default)]
struct Own {
    /// The calls that are not in the document.
    made: Vec<(i64, u64)>,
    lease: Option<Lease>,
    /// Until when the server has none left, and whether others know it.
    until: i64,
    is_told: bool,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    ends: i64,
    left: u64,
}

impl Calls {
    /// Nothing has been asked yet.
    pub(super) fn new(budget: Budget) -> Self {
        let own = vec![Own::default(); budget.policies()];
        Self {
            budget,
            name: String::new(),
            who: String::new(),
            own,
            kept: KeptCalls::default(),
            version: None,
            is_read: false,
            is_fresh: false,
            written: None,
            failures: 0,
            releases: 0,
            at: 0,
        }
    }

    /// Counts a request that is about to be sent, or says what comes before. `account`: the name of those who have the budget together.
    pub(super) fn count(
        &mut self,
        request: &Request,
        account: impl FnOnce(&str) -> String,
        scope: &Scope<'_>,
    ) -> Result<Counted, String> {
        let Some((policy, weight)) = self.budget.policy(request, scope)? else { return Ok(Counted::Go) };
        let rates = self.budget.rates(policy, scope)?;
        if let Some((limit, _)) = rates.iter().find(|(limit, _)| weight > *limit) {
            return Err(format!("a request counts as {weight} calls, and its rate allows {limit}"));
        }
        if self.name.is_empty() {
            self.name = account(self.budget.identity());
            self.who = format!("{:032x}", scope.chance);
        }
        let now = scope.now;
        if self.at > now {
            return Ok(Counted::Wait(self.at));
        }
        if !self.is_read {
            return Ok(Counted::Keep(Keeping::ReadCalls { name: self.name.clone() }));
        }
        if self.own[policy].is_told {
            return Ok(Counted::Keep(self.write(&[policy], None, &rates, now)));
        }
        let until = self.own[policy].until.max(self.kept.policies[policy].until);
        let own = &mut self.own[policy];
        if let Some(lease) = own.lease.as_mut().filter(|lease| lease.ends > now && lease.left >= weight && until <= now)
        {
            lease.left -= weight;
            own.made.push((now, weight));
            return Ok(Counted::Go);
        }
        if rates.is_empty() && until <= now {
            return Ok(Counted::Go);
        }
        let settled = self.settled(policy, &rates, now);
        let free = settled.free(&rates, weight, now);
        let wait = free.max((until > now).then_some(until));
        let Some(wait) = wait else {
            let lease =
                Lease { ends: now + lasts(&rates), left: settled.left(&rates, now).min(part(&rates)).max(weight) };
            return Ok(Counted::Keep(self.write(&[policy], Some((policy, lease)), &rates, now)));
        };
        // Others may give back what they have.
        let is_shared = !settled.leases.is_empty();
        if is_shared && !self.is_fresh {
            return Ok(Counted::Keep(Keeping::ReadCalls { name: self.name.clone() }));
        }
        self.is_fresh = false;
        Ok(Counted::Wait(if is_shared { wait.min(now + LOOK) } else { wait }))
    }

    /// Takes what came of the document.
    pub(super) fn take(&mut self, kept: Kept, now: i64) -> Result<(), String> {
        let written = self.written.take();
        match (kept, written) {
            (Kept::Calls(found), _) => {
                let (kept, version) = found.map_or_else(Default::default, |(kept, version)| (kept, Some(version)));
                (self.kept, self.version) = (kept, version);
                self.kept.policies.resize_with(self.own.len(), KeptPolicy::default);
                (self.is_read, self.is_fresh, self.failures) = (true, true, 0);
            }
            (Kept::Written(version), Some(Writing { kept, policies, lease })) => {
                (self.kept, self.version, self.failures) = (kept, Some(version), 0);
                for policy in policies {
                    let until = self.own[policy].until;
                    self.own[policy] = Own { until, ..Own::default() };
                }
                if let Some((policy, lease)) = lease {
                    self.own[policy].lease = Some(lease);
                }
            }
            (Kept::Unanswered(why), _) => {
                self.failures += 1;
                self.is_read = false;
                if self.failures >= FAILURES_MAX {
                    return Err(format!("the calls that are kept cannot be read from or written to the store: {why}"));
                }
                self.at = now + (SECOND << self.failures.min(2));
            }
            _ => self.is_read = false,
        }
        Ok(())
    }

    /// Takes what a response says of its server's own count.
    pub(super) fn heed(&mut self, request: &Request, response: &Response, scope: &Scope<'_>) -> Result<(), String> {
        if let Some(reset) = self.budget.reset(response)
            && let Some((policy, _)) = self.budget.policy(request, scope)?
        {
            let own = &mut self.own[policy];
            own.is_told |= reset > scope.now && reset != own.until;
            own.until = reset;
        }
        Ok(())
    }

    /// What is to be done with the document at the end of a walk, so that others have what is left; `None`: nothing any more.
    pub(super) fn release(&mut self, scope: &Scope<'_>) -> Option<Keeping> {
        let held = |own: &Own| own.lease.is_some() || !own.made.is_empty();
        if self.name.is_empty() || !self.own.iter().any(held) || self.releases >= RELEASES_MAX {
            return None;
        }
        self.releases += 1;
        if !self.is_read {
            return Some(Keeping::ReadCalls { name: self.name.clone() });
        }
        let policies: Vec<usize> = (0..self.own.len()).filter(|policy| held(&self.own[*policy])).collect();
        let rates =
            policies.iter().map(|policy| self.budget.rates(*policy, scope)).collect::<Result<Vec<_>, _>>().ok()?;
        let rates: Vec<Rate> = rates.into_iter().flatten().collect();
        Some(self.write(&policies, None, &rates, scope.now))
    }

    /// What is kept of a policy, with the calls of this walk in place of its lease.
    fn settled(&self, policy: usize, rates: &[Rate], now: i64) -> KeptPolicy {
        let mut settled = self.kept.policies[policy].clone();
        let own = &self.own[policy];
        let longest = rates.iter().map(|(_, span)| *span).max().unwrap_or_default();
        settled.leases.retain(|(who, ends, _)| *who != self.who && ends + longest > now);
        settled.made.extend(&own.made);
        settled.made.sort_unstable();
        settled.made.retain(|(at, _)| at + longest > now);
        settled.until = settled.until.max(own.until);
        while settled.made.len() > TIMES_MAX {
            settled.made = settled.made.chunks(2).filter_map(together).collect();
        }
        settled
    }

    /// The document with these policies settled, and a lease if there is to be one.
    fn write(&mut self, policies: &[usize], lease: Option<(usize, Lease)>, rates: &[Rate], now: i64) -> Keeping {
        let mut calls = self.kept.clone();
        for policy in policies {
            calls.policies[*policy] = self.settled(*policy, rates, now);
        }
        if let Some((policy, lease)) = &lease {
            calls.policies[*policy].leases.push((self.who.clone(), lease.ends, lease.left));
        }
        self.written = Some(Writing { kept: calls.clone(), policies: policies.to_vec(), lease });
        Keeping::WriteCalls { name: self.name.clone(), calls, version: self.version.clone() }
    }
}

impl KeptPolicy {
    /// All calls that count, each with the time at which it does.
    fn all(&self) -> impl Iterator<Item = (i64, u64)> {
        self.made.iter().copied().chain(self.leases.iter().map(|(_, ends, calls)| (*ends, *calls)))
    }

    /// How many calls may be made now.
    fn left(&self, rates: &[Rate], now: i64) -> u64 {
        let left = rates.iter().map(|(limit, span)| {
            let used: u64 = self.all().filter(|(at, _)| at + span > now).map(|(_, calls)| calls).sum();
            limit.saturating_sub(used)
        });
        left.min().unwrap_or(u64::MAX)
    }

    /// When so many calls may be made; `None`: now.
    fn free(&self, rates: &[Rate], weight: u64, now: i64) -> Option<i64> {
        let wait = rates.iter().filter_map(|(limit, span)| {
            let mut counting: Vec<(i64, u64)> = self.all().filter(|(at, _)| at + span > now).collect();
            counting.sort_unstable();
            let mut used: u64 = counting.iter().map(|(_, calls)| calls).sum();
            let mut counting = counting.into_iter();
            let mut free = None;
            while used + weight > *limit {
                let (at, calls) = counting.next()?;
                used -= calls;
                free = Some(at + span);
            }
            free
        });
        wait.max()
    }
}

/// Calls as one entry, at the time of the last of them.
fn together(entries: &[(i64, u64)]) -> Option<(i64, u64)> {
    entries.last().map(|(at, _)| (*at, entries.iter().map(|(_, calls)| calls).sum()))
}

/// How long a lease of a policy with these rates lasts.
fn lasts(rates: &[Rate]) -> i64 {
    rates.iter().map(|(_, span)| *span).min().unwrap_or(LEASE_MAX).min(LEASE_MAX)
}

/// How many calls it has.
fn part(rates: &[Rate]) -> u64 {
    let part = |(limit, span): &Rate| limit / if *span <= SHORT { PARTS.0 } else { PARTS.1 };
    rates.iter().map(part).min().unwrap_or(1).clamp(1, LEASE_CALLS_MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::component::{Component, Missing};
    use super::*;

    fn budget(policies: &Value) -> Budget {
        let mut missing = Missing::default();
        let budget = json!({"type": "HTTPAPIBudget", "policies": policies});
        let budget = Budget::read(&Component::of(&budget, &mut missing).unwrap(), &mut missing).unwrap();
        assert_eq!(missing, Missing::default());
        budget
    }

    fn moving(limit: u64, interval: &str) -> Value {
        json!([{"type": "MovingWindowCallRatePolicy", "rates": [{"limit": limit, "interval": interval}], "matchers": []}])
    }

    fn request(method: &str, url: &str) -> Request {
        Request { method: method.to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
    }

    /// A store of one document; how often it was written.
    #[derive(Default)]
    struct Store(RefCell<(Option<KeptCalls>, u64)>);

    impl Store {
        fn keep(&self, keeping: Keeping) -> Kept {
            let mut store = self.0.borrow_mut();
            let version = |written: u64| (written > 0).then(|| written.to_string());
            match keeping {
                Keeping::WriteCalls { version: known, .. } if known != version(store.1) => Kept::Changed,
                Keeping::WriteCalls { calls, .. } => {
                    *store = (Some(calls), store.1 + 1);
                    Kept::Written(store.1.to_string())
                }
                _ => Kept::Calls(store.0.clone().zip(version(store.1))),
            }
        }

        /// Counts a request at a time; `None`: it is sent, else until when it waits.
        fn count(&self, calls: &mut Calls, request: &Request, who: u128, now: i64, config: &Value) -> Option<i64> {
            for _ in 0..10 {
                match calls.count(request, |_| "account".to_owned(), &Scope::new(now, who, config)).unwrap() {
                    Counted::Go => return None,
                    Counted::Wait(until) => return Some(until),
                    Counted::Keep(keeping) => calls.take(self.keep(keeping), now).unwrap(),
                }
            }
            panic!("it has no end");
        }

        fn release(&self, calls: &mut Calls, who: u128, now: i64) {
            while let Some(keeping) = calls.release(&Scope::new(now, who, &Value::Null)) {
                calls.take(self.keep(keeping), now).unwrap();
            }
        }
    }

    #[test]
    fn a_request_counts_as_much_as_the_first_matcher_that_takes_it_says() {
        let matcher = |more: Value| {
            let mut all = json!({"url_path_pattern": "/a", "params": {"kind": 7}, "headers": {"X-Kind": "big"}});
            all.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
            all
        };
        let budget = budget(&json!([{
            "type": "MovingWindowCallRatePolicy",
            "rates": [{"limit": 5, "interval": "PT10S"}],
            "matchers": [matcher(json!({"weight": "{{ config['weight'] }}"})), {"method": "get"}],
        }]));
        let (mut calls, store) = (Calls::new(budget), Store::default());
        let heavy = json!({"weight": 3});
        let mut count = |seconds: i64, method: &str, url: &str, kind: &str| {
            let headers = vec![("x-kind".to_owned(), kind.to_owned())];
            store.count(&mut calls, &Request { headers, ..request(method, url) }, 1, seconds * SECOND, &heavy)
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

    #[test]
    fn a_lease_is_written_once_for_several_calls_and_what_is_left_goes_back() {
        let (store, of) = (Store::default(), || Calls::new(budget(&moving(100, "PT1H"))));
        let (get, nothing) = (request("GET", "https://h/a"), Value::Null);
        let mut first = of();
        for call in 0..100 {
            assert_eq!(store.count(&mut first, &get, 1, call * SECOND, &nothing), None, "{call}");
        }
        assert_eq!(store.0.borrow().1, 20, "a twentieth each time");
        assert_eq!(store.count(&mut first, &get, 1, 100 * SECOND, &nothing), Some(3600 * SECOND));
        // Who comes later has nothing either, and looks again, since the first one may give something back.
        let mut second = of();
        assert_eq!(store.count(&mut second, &get, 2, 101 * SECOND, &nothing), Some(103 * SECOND));
        store.release(&mut first, 1, 102 * SECOND);
        assert_eq!(store.count(&mut second, &get, 2, 103 * SECOND, &nothing), Some(3600 * SECOND));
        assert_eq!(store.count(&mut second, &get, 2, 3600 * SECOND, &nothing), None);
        store.release(&mut second, 2, 3600 * SECOND);
        let kept = store.0.borrow().0.clone().unwrap();
        assert_eq!((kept.policies[0].leases.len(), kept.policies[0].made.len()), (0, 100));
    }

    #[test]
    fn what_a_server_says_of_its_count_is_told_the_others() {
        let (store, of) = (Store::default(), || Calls::new(budget(&moving(100, "PT1M"))));
        let (get, nothing) = (request("GET", "https://h/a"), Value::Null);
        let (mut first, mut second) = (of(), of());
        assert_eq!(store.count(&mut first, &get, 1, 0, &nothing), None);
        let headers = [("ratelimit-remaining", "0"), ("ratelimit-reset", "50")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        first.heed(&get, &Response::new(200, headers, Vec::new()), &Scope::new(SECOND, 1, &nothing)).unwrap();
        assert_eq!(store.count(&mut first, &get, 1, SECOND, &nothing), Some(50 * SECOND));
        assert_eq!(store.count(&mut second, &get, 2, SECOND, &nothing), Some(50 * SECOND));
        assert_eq!(store.count(&mut second, &get, 2, 50 * SECOND, &nothing), None);
    }

    #[test]
    fn a_store_that_does_not_answer_is_asked_again_and_not_for_ever() {
        let mut calls = Calls::new(budget(&moving(100, "PT1M")));
        let mut now = 0;
        for failure in 1..=FAILURES_MAX {
            let scope = Scope::new(now, 1, &Value::Null);
            let counted = calls.count(&request("GET", "https://h/a"), |_| "account".to_owned(), &scope).unwrap();
            assert!(matches!(counted, Counted::Keep(Keeping::ReadCalls { .. })));
            let taken = calls.take(Kept::Unanswered("no route".to_owned()), now);
            assert_eq!(taken.is_err(), failure == FAILURES_MAX);
            now = calls.at;
        }
    }

    proptest! {
        /// Whoever comes, goes or is killed, no more calls are made in any time than the rate allows.
        #[test]
        fn together_they_keep_to_the_rate(
            limit in 1..40_u64,
            seconds in 1..90_i64,
            steps in prop::collection::vec((0..3_usize, 0..20_u8, 1..4_000_i64), 50..400),
        ) {
            let store = Store::default();
            let mut walks: BTreeMap<usize, (Calls, u128)> = BTreeMap::new();
            let (mut now, mut born, mut made) = (0, 0, Vec::new());
            for (at, what, millis) in steps {
                now += millis * 1000;
                let (calls, who) = walks.entry(at).or_insert_with(|| {
                    born += 1;
                    (Calls::new(budget(&moving(limit, &format!("PT{seconds}S")))), born)
                });
                match what {
                    0 => _ = walks.remove(&at),
                    1 => {
                        store.release(calls, *who, now);
                        walks.remove(&at);
                    }
                    _ if store.count(calls, &request("GET", "https://h/a"), *who, now, &Value::Null).is_none() => {
                        made.push(now);
                    }
                    _ => {}
                }
            }
            for (first, begin) in made.iter().enumerate() {
                let within = made[first..].iter().take_while(|at| **at < begin + seconds * SECOND).count();
                prop_assert!(within as u64 <= limit, "{within} calls within {seconds} s of {begin}, and not {limit}");
            }
        }
    }
}
