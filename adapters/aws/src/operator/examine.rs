//! Examine: checks a deployment: permissions (by trying them), the clock, the table, the retention. It changes only two things:
//! it writes and removes a mark, and creates Etalon's own tables if they do not exist.

use std::fmt::Display;

use aws_sdk_s3::types::{BucketVersioningStatus, ExpirationStatus, LifecycleRule};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::prefix::{HELD, PREFIXES, Retention};
use etalon_core::protocol::{Step, name};
use etalon_driver::local::SystemClock;
use etalon_driver::ports::{Clock, Objects, Put};
use etalon_driver::status::Finding;

use super::Operator;
use crate::failure::failed;

/// How far the clocks of two machines may lie apart, in seconds: AWS refuses requests beyond five minutes.
const CLOCK_SECONDS_MAX: i64 = 60;

impl Operator {
    /// Looks at everything.
    pub async fn examine(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut look = |what: &str, found: Result<String, String>| {
            let (is_well, found) = found.map_or_else(|wrong| (false, wrong), |well| (true, well));
            findings.push(Finding { what: what.to_owned(), is_well, found });
        };
        look("list the source", told(self.source.list("", None, 1).await, |_| "allowed"));
        look("read the store", told(self.store.list(HELD.text, None, 1).await, |_| "allowed"));
        let mark = HELD.name(format_args!("examined-{}", SystemClock.now()));
        let written = self.store.put(&mark, b"", Put::IfAbsent).await;
        let is_written = written.is_ok();
        look("write to the store", told(written, |_| "allowed"));
        if is_written {
            look("the clock", self.clock(&mark).await);
            look("remove from the store", told(self.store.delete(&mark).await, |()| "allowed"));
        }
        for (step, queue, dead) in &self.queues {
            let what = format!("the queue of {}", step.name());
            look(
                &what,
                told(queue.count().await, |(waiting, received)| format!("{waiting} wait, {received} are received")),
            );
            look(
                &format!("the dead letters of {}", step.name()),
                match dead.count().await {
                    Ok((0, 0)) => Ok("none".to_owned()),
                    Ok((lying, looked_at)) => Err(format!("{}: `etalon dlq ls`", lying + looked_at)),
                    Err(error) => Err(error.to_string()),
                },
            );
        }
        look(
            "the table",
            match self.warehouse.changes(self.deployed.pipeline.table()).await {
                Ok(changes) if changes.is_empty() => Ok("it is as the pipeline needs it".to_owned()),
                Ok(changes) => Ok(format!("the next load changes it: {}", changes.join("; "))),
                Err(error) => Err(error.to_string()),
            },
        );
        look("the pipeline file", self.pipeline_file().await);
        look(
            "extract may send to itself",
            match self.directory.function(Step::Extract) {
                Some(function) if function.allows_loops => Ok("deployed so".to_owned()),
                _ => {
                    Err("Lambda stops a listing that takes longer than some 16 calls: set its recursive loop to Allow"
                        .to_owned())
                }
            },
        );
        look("versions of the bucket", self.versions().await);
        look("how long the bucket keeps", self.lifecycle().await);
        findings
    }

    /// How far this machine's clock is from that of S3.
    async fn clock(&self, mark: &str) -> Result<String, String> {
        let key = format!("{}{mark}", self.place.prefix);
        let head = self.clients.s3().head_object().bucket(&self.place.bucket).key(key).send().await;
        let head =
            head.map_err(|error| failed(format_args!("{}: HeadObject", self.store.url(mark)), &error).to_string())?;
        let there = head.last_modified.ok_or("S3 does not say when an object was written")?.secs();
        let apart = (SystemClock.now() / 1_000_000 - there).abs();
        let found = format!("{apart} seconds from that of S3");
        if apart <= CLOCK_SECONDS_MAX { Ok(found) } else { Err(format!("{found}: AWS refuses requests beyond 300")) }
    }

    /// Whether the functions have kept the file that is deployed, by the fingerprint that this Etalon gives it.
    async fn pipeline_file(&self) -> Result<String, String> {
        let fingerprint = self.deployed.pipeline.fingerprint();
        match self.store.head(&name::pipeline(fingerprint)).await {
            Ok(_) => Ok(format!("the functions work with it ({fingerprint})")),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
                "no function has worked with {fingerprint} yet: extract was not called since it was deployed, or the functions \
                 are of another version of Etalon than this command ({})",
                env!("CARGO_PKG_VERSION")
            )),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn versions(&self) -> Result<String, String> {
        let answer = self.clients.s3().get_bucket_versioning().bucket(&self.place.bucket).send().await;
        let answer = answer.map_err(|error| failed(format_args!("{}: GetBucketVersioning", self.place.bucket), &error));
        match answer.map_err(|error| error.to_string())?.status {
            Some(BucketVersioningStatus::Enabled) => {
                Ok("kept: what is overwritten or removed can be brought back".to_owned())
            }
            _ => Err("not kept: a document that somebody overwrites or removes is lost".to_owned()),
        }
    }

    /// Whether some rule removes by age what must stay.
    async fn lifecycle(&self) -> Result<String, String> {
        let answer = self.clients.s3().get_bucket_lifecycle_configuration().bucket(&self.place.bucket).send().await;
        let rules = match answer {
            Ok(answer) => answer.rules.unwrap_or_default(),
            Err(error) => {
                let error = failed(format_args!("{}: GetBucketLifecycleConfiguration", self.place.bucket), &error);
                if !error.to_string().contains("NoSuchLifecycleConfiguration") {
                    return Err(error.to_string());
                }
                Vec::new()
            }
        };
        let expires: Vec<&LifecycleRule> = rules.iter().filter(|rule| removes(rule)).collect();
        let covers = |rule: &LifecycleRule, text: &str| {
            let (rule, name) = (prefix(rule), format!("{}{text}", self.place.prefix));
            name.starts_with(&rule) || rule.starts_with(&name)
        };
        let wrong: Vec<&str> = PREFIXES
            .iter()
            .filter(|prefix| matches!(prefix.retention, Retention::Always | Retention::UntilDone))
            .filter(|prefix| expires.iter().any(|rule| covers(rule, prefix.text)))
            .map(|prefix| prefix.text)
            .collect();
        match (wrong.as_slice(), expires.len()) {
            ([], 0) => Ok("everything for ever: no rule removes staged parts".to_owned()),
            ([], rules) => Ok(format!("{rules} rules remove by age, and none what must stay")),
            (wrong, _) => Err(format!("a rule removes by age what must stay: {}", wrong.join(", "))),
        }
    }
}

fn told<T, W: Display>(found: Result<T, Error>, words: impl FnOnce(T) -> W) -> Result<String, String> {
    found.map(|found| words(found).to_string()).map_err(|error| error.to_string())
}

/// Whether a rule removes objects that are current.
fn removes(rule: &LifecycleRule) -> bool {
    let expiration = rule.expiration.as_ref();
    let by_age = expiration.is_some_and(|expiration| expiration.days.is_some() || expiration.date.is_some());
    rule.status == ExpirationStatus::Enabled && by_age
}

/// What the names begin with that a rule is about; a rule that asks for tags may be about fewer.
fn prefix(rule: &LifecycleRule) -> String {
    let filter = rule.filter.as_ref();
    let of_filter = filter.and_then(|filter| filter.prefix.clone().or_else(|| filter.and.as_ref()?.prefix.clone()));
    of_filter.unwrap_or_default()
}
