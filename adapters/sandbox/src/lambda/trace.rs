//! Trace: the header that goes with a chain of invocations and messages, and how it tells a loop.
//!
//! Lambda gives each invocation a trace header, an AWS SDK puts it on the requests that the function makes, SQS keeps it as
//! the message's `AWSTraceHeader`, and the next invocation inherits it. Its `Lineage` counts how often the chain has come
//! to each function. How Lambda writes the lineage is not documented; the form here is the sandbox's own.

use std::collections::BTreeMap;
use std::fmt;

use etalon_core::plan::identity;

/// So often a chain may come to a function before it is taken for a loop.
pub const VISITS_MAX: u32 = 16;

/// A trace header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    root: String,
    /// Visits by function, each function as the first eight digits of its name's hash.
    visits: BTreeMap<String, u32>,
}

impl Trace {
    /// The trace of a header; what is not understood is left out.
    pub fn parse(header: &str) -> Self {
        let mut trace = Self::default();
        for (key, value) in header.split(';').filter_map(|part| part.split_once('=')) {
            match key {
                "Root" => value.clone_into(&mut trace.root),
                "Lineage" => {
                    let visit = |part: &str| {
                        let (function, visits) = part.split_once(':')?;
                        Some((function.to_owned(), visits.parse().ok()?))
                    };
                    trace.visits = value.split('|').filter_map(visit).collect();
                }
                _ => {}
            }
        }
        trace
    }

    /// The trace of a batch of messages: the first one's root, and the most visits of any.
    pub fn merge(traces: impl IntoIterator<Item = Self>) -> Self {
        let mut traces = traces.into_iter();
        let mut merged = traces.next().unwrap_or_default();
        for (function, visits) in traces.flat_map(|trace| trace.visits) {
            let most = merged.visits.entry(function).or_default();
            *most = visits.max(*most);
        }
        merged
    }

    /// How often the chain has come to a function.
    pub fn visits(&self, function: &str) -> u32 {
        self.visits.get(&short(function)).copied().unwrap_or_default()
    }

    /// The trace of the chain's next visit to a function; `root` is its root if it has none yet.
    pub(super) fn visit(&self, function: &str, root: impl FnOnce() -> String) -> Self {
        let mut next = self.clone();
        if next.root.is_empty() {
            next.root = root();
        }
        *next.visits.entry(short(function)).or_default() += 1;
        next
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root={};Parent=0000000000000000;Sampled=0", self.root)?;
        for (position, (function, visits)) in self.visits.iter().enumerate() {
            write!(f, "{}{function}:{visits}", if position == 0 { ";Lineage=" } else { "|" })?;
        }
        Ok(())
    }
}

fn short(function: &str) -> String {
    identity("function", &[function]).chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_are_counted_by_function_and_carried_by_the_header() {
        let mut trace = Trace::parse("Root=1-2-3;Sampled=1");
        for _ in 0..3 {
            trace = Trace::parse(&trace.visit("transform", || unreachable!()).to_string());
        }
        let other = Trace::default().visit("load", || "1-a-b".to_owned());
        assert!(other.to_string().starts_with("Root=1-a-b;"));
        let merged = Trace::merge([trace.clone(), other.visit("transform", || unreachable!())]);
        assert_eq!((merged.visits("transform"), merged.visits("load"), merged.visits("extract")), (3, 1, 0));
        assert_eq!(Trace::parse(&merged.to_string()), merged);
    }
}
