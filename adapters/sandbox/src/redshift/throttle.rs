//! Throttle: how many requests a second the service takes of an account, by operation.

use std::collections::BTreeMap;
use std::collections::VecDeque;

const SECOND_MICROS: i64 = 1_000_000;

/// The times of the last requests, by operation.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    last: BTreeMap<String, VecDeque<i64>>,
}

/// Requests of an operation in a second.
pub(super) fn limit(operation: &str) -> usize {
    match operation {
        "ExecuteStatement" => 30,
        "BatchExecuteStatement" | "GetStatementResult" => 20,
        "DescribeStatement" => 100,
        _ => 3,
    }
}

impl Throttle {
    /// Whether one more request may come now. One that may not does not count.
    pub(super) fn admits(&mut self, operation: &str, now: i64) -> bool {
        let last = self.last.entry(operation.to_owned()).or_default();
        while last.front().is_some_and(|time| now - time >= SECOND_MICROS) {
            last.pop_front();
        }
        let is_free = last.len() < limit(operation);
        if is_free {
            last.push_back(now);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_so_many_requests() {
        let mut throttle = Throttle::default();
        assert!((0..20).all(|at| throttle.admits("BatchExecuteStatement", at)));
        assert!(!throttle.admits("BatchExecuteStatement", 999_999));
        assert!(throttle.admits("ExecuteStatement", 999_999));
        assert!(throttle.admits("BatchExecuteStatement", 1_000_000));
        assert!(!throttle.admits("BatchExecuteStatement", 1_000_000));
    }
}
