//! Clock: the machine's time, moved forward by a test that does not want to wait.

use std::sync::atomic::AtomicI64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

/// The time of a sandbox.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// Now, in microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        micros(now).saturating_add(self.ahead.load(Ordering::SeqCst))
    }

    /// Moves the time forward.
    pub(super) fn advance(&self, by: Duration) {
        self.ahead.fetch_add(micros(by), Ordering::SeqCst);
    }
}

/// A span in microseconds.
pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}
