//! Lambda: a function, run as Lambda runs it: real binaries that poll the Runtime API, one process an environment.
//!
//! Exact: the Runtime API and its headers, the start of a process on its own time and again within an invocation, warm
//! environments that are frozen in between, deadlines and memory enforced by killing, files that survive a kill, the caps on
//! results and environment variables, one REPORT an invocation. Not exact: CPU is not shared out by memory (a process may
//! use all cores of the machine), the folder for files is `$TMPDIR` and not `/tmp`, only resident memory of the process
//! itself counts, and nothing is isolated.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::identity;
use tempfile::TempDir;
use tokio::sync::Semaphore;

mod settings;
mod report;
mod trace;
mod log;
mod api;
mod process;
mod environment;
mod refusal;

use environment::{Attempt, Attempted, Environment};
use log::Log;
pub use log::{Metric, MetricName};
pub use refusal::refusal;
use report::milliseconds;
pub use report::{Failure, FailureKind, Invoked, Report, Totals};
pub use settings::Settings;
pub use trace::{Trace, VISITS_MAX};

/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";
/// The most bytes of an event.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// A function; its processes end with it.
#[derive(Debug)]
pub struct Function {
    settings: Arc<Settings>,
    task_root: TempDir,
    log: Arc<Log>,
    permits: Semaphore,
    state: Mutex<State>,
    numbers: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    warm: Vec<Environment>,
    mishaps: VecDeque<Mishap>,
    reports: Vec<Report>,
    totals: Totals,
}

/// Something that goes wrong once, with the next invocation that nothing has gone wrong with yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The event comes twice at the same time, with the same request id.
    Duplicate,
    /// The process is killed so long after it was given the event.
    Kill(Duration),
    /// The work is done, and whoever asked for it does not hear.
    LoseResponse,
}

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInvoked {
    /// All environments are at work.
    Throttled,
    /// No environment can be made.
    Unavailable(Error),
}

impl Function {
    /// Deploys a function, unless Lambda would refuse it.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let refused = |why: String| Error::new(ErrorKind::Refused, format!("function {}: {why}", settings.name));
        settings.check().map_err(refused)?;
        let deploy = || {
            let task_root = tempfile::Builder::new().prefix("etalon-task-").tempdir()?;
            let bootstrap = task_root.path().join("bootstrap");
            // Another name for the same file, where that can be: it is large, and does not change.
            fs::hard_link(&settings.program, &bootstrap)
                .or_else(|_| fs::copy(&settings.program, &bootstrap).map(drop))?;
            for (name, bytes) in &settings.files {
                fs::write(task_root.path().join(name), bytes)?;
            }
            Ok(task_root)
        };
        let task_root =
            deploy().map_err(|error: std::io::Error| refused(format!("{}: {error}", settings.program.display())))?;
        Ok(Self {
            task_root,
            log: Arc::default(),
            permits: Semaphore::new(settings.concurrency),
            state: Mutex::default(),
            numbers: AtomicU64::new(0),
            settings: Arc::new(settings),
        })
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:lambda:{}:{ACCOUNT}:function:{}", self.settings.region, self.settings.name)
    }

    /// Invokes it, and waits for its end. `trace` is where the event comes from.
    pub async fn invoke(&self, payload: impl Into<Bytes>, trace: &Trace) -> Result<Invoked, NotInvoked> {
        let Ok(permit) = self.permits.try_acquire() else {
            self.state().totals.throttles += 1;
            return Err(NotInvoked::Throttled);
        };
        let payload = payload.into();
        let request = self.uuid("request");
        let mishap = self.state().mishaps.pop_front();
        let first = self.attempt(&request, &payload, trace, mishap);
        let outcome = match mishap {
            Some(Mishap::Duplicate) => {
                let second = async {
                    // It comes from elsewhere, and waits for an environment of its own.
                    let _permit = self.permits.acquire().await;
                    self.attempt(&request, &payload, trace, None).await
                };
                tokio::join!(first, second).0
            }
            _ => first.await,
        };
        drop(permit);
        let mut outcome = outcome.map_err(NotInvoked::Unavailable)?;
        if mishap == Some(Mishap::LoseResponse) {
            let message = "the response is lost".to_owned();
            outcome.result = Err(Failure { kind: FailureKind::Lost, error_type: "Mishap.Lost".to_owned(), message });
        }
        Ok(outcome)
    }

    /// Lets something go wrong.
    pub fn inject(&self, mishap: Mishap) {
        self.state().mishaps.push_back(mishap);
    }

    /// Forgets mishaps that have not come up yet, and gives how many they were.
    pub fn clear_mishaps(&self) -> usize {
        std::mem::take(&mut self.state().mishaps).len()
    }

    /// Ends the environments that wait, as Lambda does with those that it does not need.
    pub fn retire(&self) {
        // They are dropped when nothing is locked any more.
        let retired = std::mem::take(&mut self.state().warm);
        drop(retired);
    }

    /// The reports so far, in the order of their ends.
    pub fn reports(&self) -> Vec<Report> {
        self.state().reports.clone()
    }

    /// The reports so far, summed.
    pub fn totals(&self) -> Totals {
        self.state().totals
    }

    /// The lines of its log. A process's own lines may come a little after those about it.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// The metrics in its log.
    pub fn metrics(&self) -> BTreeMap<MetricName, Metric> {
        self.log.metrics()
    }

    async fn attempt(
        &self,
        request: &str,
        payload: &Bytes,
        trace: &Trace,
        mishap: Option<Mishap>,
    ) -> Result<Invoked, Error> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            let message = format!("an event of {} bytes; Lambda takes at most {PAYLOAD_BYTES_MAX}", payload.len());
            let error_type = "RequestTooLargeException".to_owned();
            let failure = Failure { kind: FailureKind::TooLarge, error_type, message };
            return Ok(self.report(request, Attempted::refused(failure)));
        }
        let warm = self.state().warm.pop();
        let mut environment = match warm {
            Some(environment) => environment,
            None => {
                let stream = self.uuid("stream");
                Environment::new(Arc::clone(&self.settings), self.task_root.path(), stream, Arc::clone(&self.log))?
            }
        };
        let attempt = Attempt {
            request: request.to_owned(),
            invocation: self.uuid("invocation"),
            arn: self.arn(),
            trace: trace.visit(&self.settings.name, || self.root()).to_string(),
            payload: payload.clone(),
            kill_after: match mishap {
                Some(Mishap::Kill(after)) => Some(after),
                _ => None,
            },
        };
        let attempted = environment.invoke(attempt).await?;
        self.state().warm.push(environment);
        Ok(self.report(request, attempted))
    }

    fn report(&self, request: &str, attempted: Attempted) -> Invoked {
        let Attempted { result, duration, init, is_cold, used } = attempted;
        let billed = milliseconds(duration + init.unwrap_or_default()).ceil();
        let report = Report {
            request: request.to_owned(),
            duration,
            // Whole and positive by now.
            billed_ms: billed as u64,
            init,
            is_cold,
            memory_peak: used.memory_peak,
            cpu: used.cpu,
        };
        self.log.line(&report.line(self.settings.memory_mb, result.as_ref().err()));
        let mut state = self.state();
        state.reports.push(report.clone());
        state.totals.add(&report, result.is_ok());
        drop(state);
        Invoked { result, report }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The root of a new trace.
    fn root(&self) -> String {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let id: String = self.uuid("trace").chars().filter(|digit| *digit != '-').take(24).collect();
        format!("1-{seconds:08x}-{id}")
    }

    /// An id that nothing else has.
    fn uuid(&self, kind: &str) -> String {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed).to_string();
        let process = std::process::id().to_string();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
        let hash = identity(kind, &[&self.settings.name, &process, &now, &number]);
        let part = |range: std::ops::Range<usize>| hash.get(range).unwrap_or_default();
        format!("{}-{}-4{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
    }
}

impl Attempted {
    /// An attempt that never came to a process.
    fn refused(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            duration: Duration::ZERO,
            init: None,
            is_cold: false,
            used: process::Used::default(),
        }
    }
}
