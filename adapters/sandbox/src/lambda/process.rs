//! Process: a program that runs in a group of its own and never outlives whoever started it.
//!
//! One thread starts it, waits for it and takes what it has used when it ends. On Linux the kernel kills the program when
//! that thread dies, and the thread lives as long as the program or as this process, whichever is shorter.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use etalon_core::error::{Error, ErrorKind};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::{oneshot, watch};

use crate::lambda::log::Log;

/// Clock ticks of `/proc` in a second: the kernel's answer to programs is always in hundredths.
const TICKS: f64 = 100.0;

/// What is run.
#[derive(Debug)]
pub(super) struct Program {
    /// The file.
    pub(super) file: PathBuf,
    /// Where it starts.
    pub(super) folder: PathBuf,
    /// All of its environment.
    pub(super) environment: BTreeMap<String, String>,
}

/// A running program. It is killed with its value.
#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    ended: watch::Receiver<Option<End>>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    status: ExitStatus,
    cpu: Duration,
}

/// What a program has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// On all its threads.
    pub(super) cpu: Duration,
    /// The most memory that was resident at once, in bytes.
    pub(super) memory_peak: u64,
}

impl Process {
    /// Starts a program whose lines go to a log.
    pub(super) async fn start(program: Program, log: Arc<Log>) -> Result<Self, Error> {
        let (tell, started) = oneshot::channel();
        let (tell_end, ended) = watch::channel(None);
        let file = program.file.display().to_string();
        std::thread::spawn(move || {
            let mut child = match command(&program).spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = tell.send(Err(error));
                    return;
                }
            };
            let pid = Pid::from_child(&child);
            let pipes: [Option<Box<dyn Read + Send>>; 2] = [
                child.stdout.take().map(|pipe| Box::new(pipe) as _),
                child.stderr.take().map(|pipe| Box::new(pipe) as _),
            ];
            for pipe in pipes.into_iter().flatten() {
                let log = Arc::clone(&log);
                std::thread::spawn(move || read_lines(pipe, &log));
            }
            let _ = tell.send(Ok(pid));
            // Seen first and taken away after, so that what it has used can be read in between.
            let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            let cpu = cpu(pid).unwrap_or_default();
            if let Ok(status) = child.wait() {
                let _ = tell_end.send(Some(End { status, cpu }));
            }
        });
        match started.await {
            Ok(Ok(pid)) => Ok(Self { pid, ended }),
            Ok(Err(error)) => Err(Error::new(ErrorKind::Unavailable, format!("{file} does not start: {error}"))),
            Err(_) => Err(Error::new(ErrorKind::Unavailable, format!("{file} does not start"))),
        }
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self) -> End {
        loop {
            if let Some(end) = *self.ended.borrow_and_update() {
                return end;
            }
            if self.ended.changed().await.is_err() {
                // The thread that knows is gone; so is the program.
                return End { status: ExitStatus::from_raw(Signal::KILL.as_raw()), cpu: Duration::ZERO };
            }
        }
    }

    /// Kills it, waits for its end, and gives what it has used.
    pub(super) async fn kill(mut self) -> Used {
        let memory_peak = self.used().memory_peak;
        self.signal(Signal::KILL);
        Used { cpu: self.ended().await.cpu, memory_peak }
    }

    /// Stops its clock: it does nothing until it is thawed.
    pub(super) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// What it has used so far.
    pub(super) fn used(&self) -> Used {
        let ended = *self.ended.borrow();
        Used {
            cpu: ended.map_or_else(|| cpu(self.pid).unwrap_or_default(), |end| end.cpu),
            memory_peak: memory_peak(self.pid).unwrap_or_default(),
        }
    }

    fn signal(&self, signal: Signal) {
        // Once it was waited for, its number may be somebody else's.
        if self.ended.borrow().is_none() {
            // It may be gone already, and then there is nothing to be done.
            let _ = kill_process_group(self.pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl End {
    /// What a runtime says about it: `exit status 1`, `signal: 9`.
    pub(super) fn words(self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(9)) => "signal: killed".to_owned(),
            (None, Some(signal)) => format!("signal: {signal}"),
            (None, None) => "no reason".to_owned(),
        }
    }
}

fn command(program: &Program) -> Command {
    let mut command = match death_signal() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            // It takes the wrapper's place: the number is the program's.
            command.args(["--pdeathsig", "KILL", "--"]).arg(&program.file);
            command
        }
        None => Command::new(&program.file),
    };
    command
        .current_dir(&program.folder)
        .env_clear()
        .envs(&program.environment)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The tool that makes the kernel kill a program when its parent dies, where there is one.
fn death_signal() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join("setpriv")).find(|file| file.is_file())?;
        let works = Command::new(&found).args(["--pdeathsig", "KILL", "--", "true"]).status();
        works.is_ok_and(|status| status.success()).then_some(found)
    };
    FOUND.get_or_init(find).as_deref()
}

/// Gives every line to the log; a last one without an end too.
fn read_lines(pipe: impl Read, log: &Log) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while let Ok(1..) = pipe.read_until(b'\n', &mut line) {
        log.line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
}

/// CPU time of all threads of a process, also of one that has ended and was not waited for.
fn cpu(pid: Pid) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))?;
    // The second field is a name in parentheses that may hold anything; user and system time are the 14th and 15th.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

/// The most bytes that were resident at once.
fn memory_peak(pid: Pid) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib: u64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default();
    Ok(kib * 1024)
}
