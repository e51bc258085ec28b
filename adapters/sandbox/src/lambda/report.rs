//! Report: what came of an invocation and what it took, and the line about it that begins with REPORT.

use std::time::Duration;

use bytes::Bytes;

/// A mebibyte, which Lambda calls MB.
pub(super) const MIB: u64 = 1024 * 1024;

/// What came of an invocation.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The result, or why there is none.
    pub result: Result<Bytes, Failure>,
    /// What it took.
    pub report: Report,
}

/// Why an invocation has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who found it.
    pub kind: FailureKind,
    /// What Lambda calls it, or what the function did.
    pub error_type: String,
    /// In words.
    pub message: String,
}

/// Who found that an invocation has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The function told of an error.
    Told,
    /// Its process ended.
    Exit,
    /// Its deadline passed, and its process was killed.
    Timeout,
    /// It took more memory than it has, and its process was killed.
    OutOfMemory,
    /// Its event or its result is larger than may be.
    TooLarge,
    /// A mishap that was asked for: the result is lost.
    Lost,
}

impl FailureKind {
    pub(super) fn status(self) -> &'static str {
        if self == Self::Timeout { "timeout" } else { "error" }
    }
}

/// What an invocation took: the line that begins with REPORT.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The invocation.
    pub request: String,
    /// From the event to the next poll.
    pub duration: Duration,
    /// What is paid for: with the start of the process, in whole milliseconds, rounded up.
    pub billed_ms: u64,
    /// The start of a new environment.
    pub init: Option<Duration>,
    /// Whether a process was started for it.
    pub is_cold: bool,
    /// The most bytes that the process has had resident so far.
    pub memory_peak: u64,
    /// CPU time of the process, in hundredths of a second; with its start.
    pub cpu: Duration,
}

/// All reports of a function, summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Invocations.
    pub invocations: u64,
    /// Those without a result.
    pub errors: u64,
    /// Events that found no environment free.
    pub throttles: u64,
    /// Processes that were started for an invocation.
    pub cold_starts: u64,
    /// Milliseconds that are paid for.
    pub billed_ms: u64,
    /// CPU time.
    pub cpu: Duration,
    /// The most memory of any process, in bytes.
    pub memory_peak: u64,
}

impl Report {
    /// The line of the log about it.
    pub(super) fn line(&self, memory_mb: u32, failure: Option<&Failure>) -> String {
        let request = &self.request;
        let mut line = format!(
            "REPORT RequestId: {request}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {memory_mb} MB\tMax Memory Used: {} MB",
            milliseconds(self.duration),
            self.billed_ms,
            self.memory_peak.div_ceil(MIB).min(u64::from(memory_mb)),
        );
        if let Some(init) = self.init {
            line.push_str(&format!("\tInit Duration: {:.2} ms", milliseconds(init)));
        }
        if let Some(failure) = failure {
            line.push_str(&format!("\tStatus: {}\tError Type: {}", failure.kind.status(), failure.error_type));
        }
        line
    }
}

impl Totals {
    pub(super) fn add(&mut self, report: &Report, is_done: bool) {
        self.invocations += 1;
        self.errors += u64::from(!is_done);
        self.cold_starts += u64::from(report.is_cold);
        self.billed_ms += report.billed_ms;
        self.cpu += report.cpu;
        self.memory_peak = self.memory_peak.max(report.memory_peak);
    }
}

/// Milliseconds, with what is between them.
pub(super) fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}
