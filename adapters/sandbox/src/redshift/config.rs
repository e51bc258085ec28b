//! Config: the settings of the sandbox's Redshift, and who is notified by it.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

/// Takes the event that a statement has ended.
pub type Events = Arc<dyn Fn(Value) + Send + Sync>;
/// Takes a line of the log of requests.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What a sandbox's Redshift is made of.
#[derive(Clone)]
pub struct Config {
    /// The URL of the PostgreSQL database behind it.
    pub postgres: String,
    /// Where S3 is, `http://127.0.0.1:…`; without it COPY fails.
    pub s3: Option<String>,
    /// The name of the database, as requests say it.
    pub database: String,
    /// The region and the account that events name.
    pub region: String,
    /// See `region`.
    pub account: String,
    /// Statements that run at a time; more of them wait.
    pub connections: usize,
    /// Rows of a page of a result.
    pub page_rows: usize,
    /// Whether so many requests a second are refused as AWS refuses them.
    pub throttles: bool,
    /// Who hears of statements that end and were submitted with `WithEvent`.
    pub events: Option<Events>,
    /// Who gets a line for each request: its id, its operation, its status.
    pub log: Option<Log>,
    /// Whether the log has the bodies of requests too: their SQL, and the values in it.
    pub logs_sql: bool,
}

impl Config {
    /// A Redshift over a PostgreSQL database, with S3 at an endpoint.
    pub fn new(postgres: impl Into<String>, s3: Option<String>) -> Self {
        Self {
            postgres: postgres.into(),
            s3,
            database: "dev".to_owned(),
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            connections: 8,
            page_rows: 1000,
            throttles: false,
            events: None,
            log: None,
            logs_sql: false,
        }
    }

    pub(super) fn log(&self, line: &str) {
        if let Some(log) = &self.log {
            log(line.trim_end());
        }
    }

    pub(super) fn log_sql(&self, operation: &str, body: &[u8]) {
        if self.logs_sql {
            self.log(&format!("{operation} {}", String::from_utf8_lossy(body)));
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Config").field("s3", &self.s3).field("database", &self.database).finish_non_exhaustive()
    }
}
