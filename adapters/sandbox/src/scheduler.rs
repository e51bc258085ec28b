//! Scheduler: asynchronous events, as of EventBridge Scheduler and of Lambda's asynchronous invocations.
//!
//! An event is accepted at once and tried again as often as its target says, which in the cloud is at most twice; then it goes to
//! the dead-letter queue, if there is one. Exact: the
//! placeholders of the input that are replaced, the number of attempts, the content of a dead letter. Not exact: the pauses
//! between attempts, which are one and two minutes in the cloud, and here as the settings say.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::MessageAttributeValue;
use etalon_core::error::{Error, ErrorKind};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::aws::unavailable;
use crate::lambda::{ACCOUNT, Failure, Function, Invoked, NotInvoked, Trace};

/// The most bytes of an event that nobody waits for.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Where events go that nobody waits for.
#[derive(Debug, Clone)]
pub struct Target {
    /// The function.
    pub function: Arc<Function>,
    /// The queues' client.
    pub client: Client,
    /// The queue of its dead letters.
    pub dead_letters: Option<String>,
    /// So often an event that fails is tried again.
    pub retries_max: u32,
    /// How long an event waits before it is tried again.
    pub pause: Duration,
}

/// A schedule of a target.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// What the target is invoked with; `<aws.scheduler.…>` is replaced.
    pub input: String,
    /// The target.
    pub target: Target,
}

/// A schedule at work; it stops with its value.
#[derive(Debug)]
pub struct Ticker(AbortHandle);

impl Target {
    /// Gives it an event. `Ok` has the outcome of the last attempt, which may be a failure.
    pub async fn event(&self, event: &str) -> Result<Invoked, Error> {
        if event.len() > EVENT_BYTES_MAX {
            let message = format!("an event of {} bytes; at most {EVENT_BYTES_MAX} are taken", event.len());
            return Err(Error::new(ErrorKind::Refused, message));
        }
        let mut failures = 0;
        loop {
            let outcome = match self.function.invoke(event.to_owned(), &Trace::default()).await {
                // It waits until an environment is free; that is no attempt.
                Err(NotInvoked::Throttled) => {
                    sleep(self.pause).await;
                    continue;
                }
                Err(NotInvoked::Unavailable(error)) => return Err(error),
                Ok(outcome) => outcome,
            };
            match &outcome.result {
                Err(failure) if failures == self.retries_max => {
                    self.bury(event, failure, &outcome.report.request).await?;
                    return Ok(outcome);
                }
                Err(_) => failures += 1,
                Ok(_) => return Ok(outcome),
            }
            sleep(self.pause).await;
        }
    }

    async fn bury(&self, event: &str, failure: &Failure, request: &str) -> Result<(), Error> {
        let Some(dead_letters) = &self.dead_letters else { return Ok(()) };
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().map_err(unavailable)
        };
        let message = self.client.send_message().queue_url(dead_letters).message_body(event);
        message
            .message_attributes("RequestID", text(request)?)
            .message_attributes("ErrorCode", text("200")?)
            // Lambda keeps the first kilobyte of it.
            .message_attributes("ErrorMessage", text(&first(&failure.message, 1024))?)
            .send()
            .await
            .map(drop)
            .map_err(|error| unavailable(DisplayErrorContext(error)))
    }
}

impl Schedule {
    /// What the target is invoked with at a time.
    fn event(&self, at: SystemTime) -> String {
        let at = OffsetDateTime::from(at);
        let time = at.replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default();
        let arn = format!(
            "arn:aws:scheduler:{}:{ACCOUNT}:schedule/default/{}",
            self.target.function.settings().region,
            self.name
        );
        self.input
            .replace("<aws.scheduler.schedule-arn>", &arn)
            .replace("<aws.scheduler.scheduled-time>", &time)
            .replace("<aws.scheduler.execution-id>", &format!("{}-{time}", self.name))
            .replace("<aws.scheduler.attempt-number>", "1")
    }

    /// Fires once, for a time.
    pub async fn fire(&self, at: SystemTime) -> Result<Invoked, Error> {
        self.target.event(&self.event(at)).await
    }

    /// Fires now and then every so often.
    pub fn start(self, every: Duration) -> Ticker {
        let task = tokio::spawn(async move {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                // What went wrong lies among the dead letters, and in the function's log.
                let _ = self.fire(SystemTime::now()).await;
            }
        });
        Ticker(task.abort_handle())
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The beginning of a text; never nothing, which a message's attribute must not be.
fn first(text: &str, bytes_max: usize) -> String {
    let end = text.char_indices().map(|(at, one)| at + one.len_utf8()).take_while(|end| *end <= bytes_max).last();
    match text.get(..end.unwrap_or_default()) {
        Some(start) if !start.is_empty() => start.to_owned(),
        _ => "no message".to_owned(),
    }
}
