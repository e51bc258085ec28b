//! Environment: one process of a function, with a folder for its files, from its start to its end.
//!
//! ```text
//! init (10 s, on its own) -> invocation -> frozen -> invocation -> ... -> killed at a deadline, for memory, with its owner
//! ```
//!
//! A process that ends leaves its folder; the next invocation starts another one in it, within its own time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use etalon_core::error::{Error, ErrorKind};
use hyper::StatusCode;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::lambda::api::{About, Api, RESPONSE_BYTES_MAX, Reply, Said};
use crate::lambda::log::Log;
use crate::lambda::process::{Process, Program, Used};
use crate::lambda::report::{Failure, FailureKind, MIB, milliseconds};
use crate::lambda::settings::Settings;

/// How often memory is looked at.
const MEMORY_EVERY: Duration = Duration::from_millis(20);

/// An environment of a function.
#[derive(Debug)]
pub(super) struct Environment {
    settings: Arc<Settings>,
    task_root: PathBuf,
    folder: TempDir,
    stream: String,
    log: Arc<Log>,
    running: Option<Running>,
    /// Whether it has had a process before.
    is_used: bool,
}

#[derive(Debug)]
struct Running {
    process: Process,
    api: Api,
    /// The open call of a runtime that waits for an invocation.
    waiting: Option<Reply>,
    cpu_told: Duration,
}

/// One attempt at an invocation.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request: String,
    pub(super) invocation: String,
    pub(super) arn: String,
    pub(super) trace: String,
    pub(super) payload: Bytes,
    /// Kills the process so long after it was given the event.
    pub(super) kill_after: Option<Duration>,
}

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) result: Result<Bytes, Failure>,
    /// From the event to the next poll; with the start of a process that had to be started within it.
    pub(super) duration: Duration,
    /// The start of a new environment's process.
    pub(super) init: Option<Duration>,
    /// Whether a process was started for it.
    pub(super) is_cold: bool,
    pub(super) used: Used,
}

/// The body of an error that a runtime tells.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ErrorBody {
    error_message: String,
    error_type: String,
}

/// Why waiting ended.
enum Event {
    Said(Said),
    Ended(String),
    Deadline,
    Kill,
    Memory,
}

impl Environment {
    /// A new environment; its process is started by the first invocation.
    pub(super) fn new(settings: Arc<Settings>, task_root: &Path, stream: String, log: Arc<Log>) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("etalon-lambda-")
            .tempdir()
            .map_err(|error| Error::new(ErrorKind::Unavailable, format!("no folder for an environment: {error}")))?;
        let task_root = task_root.to_owned();
        Ok(Self { settings, task_root, folder, stream, log, running: None, is_used: false })
    }

    /// Runs an invocation to its end.
    pub(super) async fn invoke(&mut self, attempt: Attempt) -> Result<Attempted, Error> {
        let is_cold = self.running.is_none();
        let mut used = Used::default();
        let mut init = None;
        if is_cold && !self.is_used {
            let begun = Instant::now();
            let ended = self.start(begun + self.settings.init_timeout).await?;
            init = Some(begun.elapsed());
            if let Err(failure) = ended {
                used = used.and(self.stop().await);
                let (ms, status) = (milliseconds(begun.elapsed()), failure.kind.status());
                self.log.line(&format!(
                    "INIT_REPORT Init Duration: {ms:.2} ms\tPhase: init\tStatus: {status}\tError Type: {}",
                    failure.error_type
                ));
                init = None;
            }
        }
        let request = attempt.request.clone();
        let begun = Instant::now();
        let deadline = begun + self.settings.timeout;
        let mut result = Ok(Bytes::new());
        if self.running.is_none() {
            result = self.start(deadline).await?.map(|()| Bytes::new());
        }
        self.log.line(&format!("START RequestId: {request} Version: $LATEST"));
        if result.is_ok() {
            result = self.run(attempt, deadline).await;
        }
        let duration = begun.elapsed();
        // A process whose end nobody wanted is gone, and one that failed to begin is not used again.
        let is_alive = self.running.as_ref().is_some_and(|running| running.waiting.is_some());
        used = used.and(if is_alive { self.look() } else { self.stop().await });
        if let Err(Failure { kind: FailureKind::Timeout, message, .. }) = &result {
            self.log.line(&format!("{request} {message}"));
        }
        self.log.line(&format!("END RequestId: {request}"));
        if let Some(running) = self.running.as_ref().filter(|_| self.settings.freezes) {
            running.process.freeze();
        }
        Ok(Attempted { result, duration, init, is_cold, used })
    }

    /// Starts a process and waits for its first poll.
    async fn start(&mut self, deadline: Instant) -> Result<Result<(), Failure>, Error> {
        self.is_used = true;
        let api = Api::open().await?;
        let program = self.program(&api)?;
        let process = Process::start(program, Arc::clone(&self.log)).await?;
        let running = self.running.insert(Running { process, api, waiting: None, cpu_told: Duration::ZERO });
        let memory_max = self.settings.memory_bytes();
        loop {
            return Ok(match running.event(deadline, None, memory_max).await {
                Event::Said(Said::Next(reply)) => {
                    running.waiting = Some(reply);
                    Ok(())
                }
                Event::Said(Said::InitError(about, body, reply)) => {
                    reply.accept();
                    Err(told(about, &body))
                }
                Event::Said(Said::Response(_, _, reply) | Said::Error(_, _, reply)) => {
                    reply.refuse(StatusCode::FORBIDDEN, "InvalidStateTransition");
                    continue;
                }
                Event::Ended(words) => Err(Failure::exit(&words)),
                Event::Memory => Err(Failure::out_of_memory()),
                Event::Deadline | Event::Kill => Err(self.settings.timed_out()),
            });
        }
    }

    /// Gives the event to the process and waits for its answer and its next poll.
    async fn run(&mut self, attempt: Attempt, deadline: Instant) -> Result<Bytes, Failure> {
        let (timed_out, memory_max) = (self.settings.timed_out(), self.settings.memory_bytes());
        let Some(running) = &mut self.running else { return Err(Failure::exit("no process")) };
        let Some(waiting) = running.waiting.take() else { return Err(Failure::exit("no poll")) };
        running.process.thaw();
        let left = deadline.saturating_duration_since(Instant::now());
        let deadline_ms = (SystemTime::now() + left).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let headers = [
            ("lambda-runtime-aws-request-id", attempt.request.clone()),
            ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", attempt.arn),
            ("lambda-runtime-trace-id", attempt.trace),
            ("lambda-runtime-invocation-id", attempt.invocation.clone()),
        ];
        waiting.send(StatusCode::OK, &headers, attempt.payload);
        let kill = attempt.kill_after.map(|after| Instant::now() + after);
        let mut result = None;
        loop {
            let (about, answer, reply) = match running.event(deadline, kill, memory_max).await {
                // It was killed for what it did after its answer, or in place of one; the answer was given and stays.
                Event::Ended(words) => return result.unwrap_or_else(|| Err(Failure::exit(&words))),
                Event::Deadline => return result.unwrap_or(Err(timed_out)),
                Event::Kill => return result.unwrap_or_else(|| Err(Failure::exit("signal: killed"))),
                Event::Memory => return Err(Failure::out_of_memory()),
                Event::Said(Said::Next(reply)) => match result {
                    Some(result) => {
                        running.waiting = Some(reply);
                        return result;
                    }
                    None => {
                        // The call of an attempt that is over; a real runtime makes none.
                        reply.refuse(StatusCode::FORBIDDEN, "InvalidStateTransition");
                        continue;
                    }
                },
                Event::Said(Said::InitError(_, _, reply)) => {
                    reply.refuse(StatusCode::FORBIDDEN, "InvalidStateTransition");
                    continue;
                }
                Event::Said(Said::Response(about, body, reply)) => (about, body.ok_or_else(Failure::too_large), reply),
                Event::Said(Said::Error(about, body, reply)) => {
                    let failure = told(About { error_type: about.error_type.clone(), ..About::default() }, &body);
                    (about, Err(failure), reply)
                }
            };
            if about.request != attempt.request {
                reply.refuse(StatusCode::BAD_REQUEST, "InvalidRequestID");
            } else if about.invocation.is_some_and(|invocation| invocation != attempt.invocation) {
                reply.refuse(StatusCode::BAD_REQUEST, "InvalidInvocationId");
            } else if result.is_some() {
                reply.refuse(StatusCode::FORBIDDEN, "InvalidStateTransition");
            } else {
                match &answer {
                    Err(Failure { kind: FailureKind::TooLarge, .. }) => {
                        reply.refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge");
                    }
                    _ => reply.accept(),
                }
                // What was resident between two looks counts too.
                if running.process.used().memory_peak > memory_max {
                    return Err(Failure::out_of_memory());
                }
                result = Some(answer);
            }
        }
    }

    /// What the process has used since it was last looked at.
    fn look(&mut self) -> Used {
        self.running.as_mut().map(Running::look).unwrap_or_default()
    }

    /// Ends the process, and gives what it has used since it was last looked at.
    async fn stop(&mut self) -> Used {
        let Some(running) = self.running.take() else { return Used::default() };
        let told = running.cpu_told;
        let Used { cpu, memory_peak } = running.process.kill().await;
        Used { cpu: cpu.saturating_sub(told), memory_peak }
    }

    fn program(&self, api: &Api) -> Result<Program, Error> {
        let temporary = self.folder.path().join("tmp");
        fs::create_dir_all(&temporary)
            .map_err(|error| Error::new(ErrorKind::Unavailable, format!("{}: {error}", temporary.display())))?;
        let settings = &self.settings;
        let mut environment = settings.environment.clone();
        let mut set = |name: &str, value: String| environment.insert(name.to_owned(), value);
        set("AWS_LAMBDA_RUNTIME_API", api.address());
        set("AWS_LAMBDA_FUNCTION_NAME", settings.name.clone());
        set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", settings.memory_mb.to_string());
        set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned());
        set("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", settings.name));
        set("AWS_LAMBDA_LOG_STREAM_NAME", self.stream.clone());
        set("AWS_REGION", settings.region.clone());
        set("AWS_DEFAULT_REGION", settings.region.clone());
        // Whoever looks at a request sees whose it is.
        set("AWS_ACCESS_KEY_ID", settings.name.clone());
        set("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned());
        set("AWS_SESSION_TOKEN", "sandbox".to_owned());
        set("LAMBDA_TASK_ROOT", self.task_root.display().to_string());
        set("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned());
        set("_HANDLER", "bootstrap".to_owned());
        set("LANG", "en_US.UTF-8".to_owned());
        set("TZ", ":UTC".to_owned());
        set("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned());
        set("TMPDIR", temporary.display().to_string());
        Ok(Program { file: self.task_root.join("bootstrap"), folder: self.task_root.clone(), environment })
    }
}

impl Running {
    /// Waits for the first thing that happens.
    async fn event(&mut self, deadline: Instant, kill: Option<Instant>, memory_max: u64) -> Event {
        let mut looks = interval(MEMORY_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let kill = async {
            match kill {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(kill);
        loop {
            let (said, ended) = (self.api.said(), self.process.ended());
            tokio::select! {
                // What was said before the end is heard first.
                biased;
                said = said => return Event::Said(said),
                end = ended => return Event::Ended(end.words()),
                () = sleep_until(deadline) => return Event::Deadline,
                () = &mut kill => return Event::Kill,
                _ = looks.tick() => {}
            }
            if self.process.used().memory_peak > memory_max {
                return Event::Memory;
            }
        }
    }

    fn look(&mut self) -> Used {
        let Used { cpu, memory_peak } = self.process.used();
        let since = cpu.saturating_sub(self.cpu_told);
        self.cpu_told = cpu;
        Used { cpu: since, memory_peak }
    }
}

impl Used {
    fn and(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory_peak: self.memory_peak.max(other.memory_peak) }
    }
}

impl Settings {
    fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mb) * MIB
    }

    fn timed_out(&self) -> Failure {
        Failure {
            kind: FailureKind::Timeout,
            error_type: "Sandbox.Timedout".to_owned(),
            message: format!("Task timed out after {:.2} seconds", self.timeout.as_secs_f64()),
        }
    }
}

impl Failure {
    fn exit(words: &str) -> Self {
        let message = format!("Runtime exited with error: {words}");
        Self { kind: FailureKind::Exit, error_type: "Runtime.ExitError".to_owned(), message }
    }

    fn out_of_memory() -> Self {
        let message = "Runtime exited with error: signal: killed".to_owned();
        Self { kind: FailureKind::OutOfMemory, error_type: "Runtime.OutOfMemory".to_owned(), message }
    }

    fn too_large() -> Self {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes).");
        Self { kind: FailureKind::TooLarge, error_type: "Function.ResponseSizeTooLarge".to_owned(), message }
    }
}

/// The failure that a runtime tells of.
fn told(about: About, body: &[u8]) -> Failure {
    let ErrorBody { error_message, error_type } = serde_json::from_slice(body).unwrap_or_default();
    let error_type = if error_type.is_empty() { about.error_type.unwrap_or_default() } else { error_type };
    Failure { kind: FailureKind::Told, error_type, message: error_message }
}
