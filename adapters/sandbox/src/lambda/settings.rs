//! Settings: what a function is, and what Lambda would refuse.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The most bytes of a function's own environment variables.
const VARIABLES_BYTES_MAX: usize = 4 * 1024;

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

    /// What Lambda checks.
    pub(super) fn check(&self) -> Result<(), String> {
        let bytes: usize = self.environment.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > VARIABLES_BYTES_MAX {
            return Err(format!("{bytes} bytes of environment variables; Lambda takes at most {VARIABLES_BYTES_MAX}"));
        }
        if !(128..=10_240).contains(&self.memory_mb) {
            return Err(format!("{} MB of memory; Lambda takes 128 to 10240", self.memory_mb));
        }
        if self.timeout > Duration::from_secs(900) {
            return Err(format!("a timeout of {} s; Lambda takes at most 900", self.timeout.as_secs()));
        }
        Ok(())
    }
}
