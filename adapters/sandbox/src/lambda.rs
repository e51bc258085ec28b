//! Lambda: a function, run as Lambda runs it: real binaries that poll the Runtime API, one process an environment.
//!
//! Exact: the Runtime API and its headers, the start of a process on its own time and again within an invocation, warm
//! environments that are frozen in between, deadlines and memory enforced by killing, files that survive a kill, the caps on
//! results and environment variables, one REPORT an invocation. Not exact: CPU is not shared out by memory (a process may
//! use all cores of the machine), the folder for files is `$TMPDIR` and not `/tmp`, only resident memory of the process
//! itself counts, and nothing is isolated.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::identity;
use tempfile::TempDir;
use tokio::sync::Semaphore;

mod api;
mod environment;
mod log;
mod process;
mod trace;

use environment::{Attempt, Attempted, Environment, milliseconds};
use log::Log;
pub use log::{Metric, MetricName};
pub use trace::{Trace, VISITS_MAX};

/// The account that everything belongs to.
pub const ACCOUNT: &str = "123456789012";
/// A mebibyte, which Lambda calls MB.
const MIB: u64 = 1024 * 1024;
/// The most bytes of a function's own environment variables.
const VARIABLES_BYTES_MAX: usize = 4 * 1024;
/// The most bytes of an event.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// What a function is.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// The program that becomes `bootstrap`.
    pub program: PathBuf,
    /// Files beside it in `$LAMBDA_TASK_ROOT`, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Its region.
    pub region: String,
    /// Its memory.
    pub memory_mb: u32,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// How long a new environment may take to poll for the first time.
    pub init_timeout: Duration,
    /// Its environments at most.
    pub concurrency: usize,
    /// Whether environments are frozen between invocations.
    pub freezes: bool,
}

impl Settings {
    /// A function with what Lambda takes if nothing is said, but a minute of time.
    pub fn new(name: &str, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.to_owned(),
            program: program.into(),
            files: BTreeMap::new(),
            environment: BTreeMap::new(),
            region: "us-east-1".to_owned(),
            memory_mb: 128,
            timeout: Duration::from_secs(60),
            init_timeout: Duration::from_secs(10),
            concurrency: 10,
            freezes: true,
        }
    }
}

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
    faults: VecDeque<Fault>,
    reports: Vec<Report>,
    totals: Totals,
}

/// Something that goes wrong once, with the next invocation that has no fault yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The event comes twice at the same time, with the same request id.
    Duplicate,
    /// The process is killed so long after it was given the event.
    Kill(Duration),
    /// The work is done, and whoever asked for it does not hear.
    LoseResponse,
}

/// What came of an invocation.
#[derive(Debug, Clone)]
pub struct Outcome {
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
    /// A fault that was asked for: the result is lost.
    Lost,
}

impl FailureKind {
    fn status(self) -> &'static str {
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

/// Why an event was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInvoked {
    /// All environments are at work.
    Throttled,
    /// No environment can be made.
    Unavailable(Error),
}

impl Function {
    /// Deploys a function.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let refused = |why: String| Error::new(ErrorKind::Refused, format!("function {}: {why}", settings.name));
        let bytes: usize = settings.environment.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > VARIABLES_BYTES_MAX {
            return Err(refused(format!(
                "{bytes} bytes of environment variables, and {VARIABLES_BYTES_MAX} are allowed"
            )));
        }
        if !(128..=10_240).contains(&settings.memory_mb) {
            return Err(refused(format!("{} MB of memory, and 128 to 10240 are allowed", settings.memory_mb)));
        }
        if settings.timeout > Duration::from_secs(900) {
            return Err(refused(format!("a timeout of {} s, and 900 are allowed", settings.timeout.as_secs())));
        }
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
    pub async fn invoke(&self, payload: impl Into<Bytes>, trace: &Trace) -> Result<Outcome, NotInvoked> {
        let Ok(permit) = self.permits.try_acquire() else {
            self.state().totals.throttles += 1;
            return Err(NotInvoked::Throttled);
        };
        let payload = payload.into();
        let request = self.uuid("request");
        let fault = self.state().faults.pop_front();
        let first = self.attempt(&request, &payload, trace, fault);
        let outcome = match fault {
            Some(Fault::Duplicate) => {
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
        if fault == Some(Fault::LoseResponse) {
            let message = "the response is lost".to_owned();
            outcome.result = Err(Failure { kind: FailureKind::Lost, error_type: "Fault.Lost".to_owned(), message });
        }
        Ok(outcome)
    }

    /// Lets something go wrong.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push_back(fault);
    }

    /// Forgets faults that have not come up yet, and gives how many they were.
    pub fn clear_faults(&self) -> usize {
        std::mem::take(&mut self.state().faults).len()
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
        fault: Option<Fault>,
    ) -> Result<Outcome, Error> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            let message = format!("{} bytes, and {PAYLOAD_BYTES_MAX} are allowed", payload.len());
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
            kill_after: match fault {
                Some(Fault::Kill(after)) => Some(after),
                _ => None,
            },
        };
        let attempted = environment.invoke(attempt).await?;
        self.state().warm.push(environment);
        Ok(self.report(request, attempted))
    }

    fn report(&self, request: &str, attempted: Attempted) -> Outcome {
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
        let mut line = format!(
            "REPORT RequestId: {request}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            milliseconds(duration),
            report.billed_ms,
            self.settings.memory_mb,
            used.memory_peak.div_ceil(MIB).min(u64::from(self.settings.memory_mb)),
        );
        if let Some(init) = init {
            line.push_str(&format!("\tInit Duration: {:.2} ms", milliseconds(init)));
        }
        if let Err(failure) = &result {
            line.push_str(&format!("\tStatus: {}\tError Type: {}", failure.kind.status(), failure.error_type));
        }
        self.log.line(&line);
        let mut state = self.state();
        state.reports.push(report.clone());
        let totals = &mut state.totals;
        totals.invocations += 1;
        totals.errors += u64::from(result.is_err());
        totals.cold_starts += u64::from(is_cold);
        totals.billed_ms += report.billed_ms;
        totals.cpu += report.cpu;
        totals.memory_peak = totals.memory_peak.max(report.memory_peak);
        drop(state);
        Outcome { result, report }
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

/// What a function logs as the error that it cannot begin with, when it is deployed with a pipeline file and settings;
/// empty if it begins. Paths are told from the folder that the file lies in.
pub fn refusal(program: impl Into<PathBuf>, pipeline: &str, settings: &[(&str, &str)]) -> Result<String, Error> {
    let text = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let function = Function::new(Settings {
        files: [("pipeline.yaml".to_owned(), pipeline.as_bytes().to_vec())].into(),
        environment: settings.iter().map(text).collect(),
        ..Settings::new("refusal", program)
    })?;
    let unavailable = |error: std::io::Error| Error::new(ErrorKind::Unavailable, error.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(unavailable)?;
    let outcome = runtime.block_on(function.invoke("{}", &Trace::default()));
    if !matches!(outcome, Ok(Outcome { result: Err(Failure { kind: FailureKind::Exit, .. }), .. })) {
        return Ok(String::new());
    }
    let lines = function.log();
    let events = lines.iter().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let error = events.filter_map(|event| Some(event.get("error")?.as_str()?.to_owned())).next();
    Ok(error.unwrap_or_default().replace(&format!("{}/", function.task_root.path().display()), ""))
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
