//! Starts: what calls the functions beside their queues: object events, schedules, a person.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::error::DisplayErrorContext;
use etalon_core::deploy;
use etalon_core::error::Error;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Cloud;
use crate::aws::{REGION, unavailable};
use crate::lambda::{ACCOUNT, Invoked};
use crate::scheduler::{Schedule, Target};

/// How long a call that failed waits before it is made again.
const PAUSE: Duration = Duration::from_millis(250);

impl Cloud {
    /// Tells that an object was created, as EventBridge does by a rule to the extract queue: by the one that was deployed, if one was,
    /// which may not take it.
    pub async fn object_created(&self, key: &str) -> Result<(), Error> {
        let event = self.creation(key).await?;
        if self.rule.as_ref().is_some_and(|rule| !rule.takes(&event)) {
            return Ok(());
        }
        self.send(self.extract(), &event.to_string()).await
    }

    /// What EventBridge tells of an object that was created.
    pub async fn creation(&self, key: &str) -> Result<Value, Error> {
        let bucket = &self.source.0;
        let head = self.s3.head_object().bucket(bucket).key(key).send().await;
        let head = head.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        let now = OffsetDateTime::now_utc();
        Ok(json!({
            "version": "0",
            "id": format!("{:032x}", now.unix_timestamp_nanos()),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default(),
            "region": REGION,
            "resources": [format!("arn:aws:s3:::{bucket}")],
            "detail": {
                "version": "0",
                "bucket": { "name": bucket },
                "object": {
                    "key": key,
                    "size": head.content_length(),
                    "etag": head.e_tag().map(|tag| tag.trim_matches('"')),
                    "sequencer": format!("{:016X}", now.unix_timestamp_nanos() / 1000),
                },
                "request-id": format!("{:016X}", now.unix_timestamp_nanos() / 1000),
                "requester": ACCOUNT,
                "source-ip-address": "127.0.0.1",
                "reason": "PutObject",
            },
        }))
    }

    /// The schedule of the pipeline.
    pub fn schedule(&self) -> Schedule {
        let [starts, _] = &self.deployment.schedules;
        self.scheduled(starts)
    }

    /// The schedule that looks after the table.
    pub fn sweep(&self) -> Schedule {
        let [_, sweep] = &self.deployment.schedules;
        self.scheduled(sweep)
    }

    /// Invokes extract with an event that nobody waits for, and waits for its end.
    pub async fn event(&self, event: &Value) -> Result<Invoked, Error> {
        self.schedule().target.event(&event.to_string()).await
    }

    fn scheduled(&self, schedule: &deploy::Schedule) -> Schedule {
        let function = self.deployment.functions.iter().find(|function| function.step == schedule.step);
        let target = Target {
            function: Arc::clone(&self.stage(schedule.step).function),
            client: self.sqs.clone(),
            dead_letters: schedule.dead_url.clone(),
            retries_max: function.map_or(0, |function| function.retries.attempts),
            pause: PAUSE,
        };
        Schedule { name: schedule.name.clone(), input: schedule.input.clone(), target }
    }
}
