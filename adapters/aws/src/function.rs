//! Function: the frame of the three Lambda functions. It reads the settings once, then processes call after call. It takes the
//! messages of a call one by one, until the deadline, and reports only those that failed.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use etalon_core::deploy::{monitoring::NAMESPACE, setting};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::Step;
use etalon_driver::local::SystemClock;
use etalon_driver::ports::{Clock, Message, Queue};
use etalon_driver::store::Handled;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::client::Clients;
use crate::panic;
use crate::settings::Settings;
use crate::telemetry::{self, Telemetry};

/// What remains of a call's time when a function stops beginning new work: enough to hand the rest on.
const RESERVE: Duration = Duration::from_secs(2);
/// What remains of it when work under way is cut off: enough to answer and to write the log.
const LAST: Duration = Duration::from_millis(500);

/// One call of a function.
#[derive(Debug)]
pub struct Call {
    /// What the function was called with.
    pub event: Event,
    /// The time of the call, in microseconds since 1970.
    pub now: i64,
    /// When to begin nothing more, in microseconds since 1970.
    pub deadline: i64,
    /// When to stop, in microseconds since 1970.
    pub end: i64,
    /// So often a message is received before it is dead.
    receives_max: u32,
    /// What there is to tell.
    pub telemetry: Telemetry,
}

/// What a function was called with.
#[derive(Debug)]
pub enum Event {
    /// A batch of a queue.
    Messages(Vec<Message>),
    /// Anything else, as it came.
    Direct(Value),
}

/// What a call that brought no messages came to, as Lambda is told of it.
struct Failed(Error);

impl From<Failed> for Diagnostic {
    /// The type of the error says whether the same call may succeed later.
    fn from(Failed(error): Failed) -> Self {
        let error_type = if is_retryable(&error) { "Retryable" } else { "NonRetryable" };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

impl std::fmt::Debug for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

fn is_retryable(error: &Error) -> bool {
    matches!(Handled::from(Err(error.clone())), Handled::Again(_))
}

/// Runs a function for as long as Lambda asks for it. `begin` reads the settings, and gives the pipeline's name with all that
/// calls need; `call` is one call.
pub async fn run<W>(
    step: Step,
    begin: impl AsyncFnOnce(&Settings, &Clients) -> Result<(String, W), Error>,
    call: impl AsyncFn(&W, &Call) -> Result<Value, Error>,
) -> ExitCode {
    let settings = Settings::of_process(step);
    let step = step.name();
    telemetry::log(settings.get(&setting::LOG_LEVEL));
    panic::log();
    let began = Instant::now();
    let clients = Clients::from_env().await;
    let (pipeline, world) = match begin(&settings, &clients).await {
        Ok(begun) => begun,
        Err(error) => {
            tracing::error!(
                step,
                retryable = is_retryable(&error),
                error = error.to_string(),
                "the function cannot begin"
            );
            return ExitCode::FAILURE;
        }
    };
    let namespace = settings.get(&setting::NAMESPACE).unwrap_or(NAMESPACE);
    let receives_max = settings.get(&setting::RECEIVES_MAX).and_then(|most| most.parse().ok()).unwrap_or(u32::MAX);
    let beginning = std::cell::Cell::new(Some(began.elapsed()));
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let (world, call, pipeline) = (&world, &call, pipeline.as_str());
        let beginning = beginning.take();
        async move {
            let started = Instant::now();
            let (payload, context) = event.into_parts();
            let now = SystemClock.now();
            let telemetry = Telemetry::new(namespace, pipeline, step, now);
            if let Some(beginning) = beginning {
                telemetry.count("ColdStarts", 1);
                telemetry.milliseconds("Beginning", beginning.as_secs_f64() * 1e3);
            }
            let end = i64::try_from(context.deadline.saturating_mul(1000)).unwrap_or(i64::MAX);
            let before_end = |span: Duration| end - span.as_micros() as i64;
            let (deadline, end) = (before_end(RESERVE), before_end(LAST));
            let answer = match Event::of(payload) {
                Err(error) => Err(error),
                Ok(event) => {
                    let one = Call { event, now, deadline, end, receives_max, telemetry };
                    let answer = panic::caught(call(world, &one)).await.flatten();
                    one.telemetry.milliseconds("Latency", started.elapsed().as_secs_f64() * 1e3);
                    one.telemetry.emit();
                    answer
                }
            };
            if let Err(error) = &answer {
                let request = &context.request_id;
                tracing::error!(request, retryable = is_retryable(error), error = error.to_string(), "the call failed");
            }
            answer.map_err(Failed)
        }
    });
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = error.to_string(), "Lambda's Runtime API does not answer");
            ExitCode::FAILURE
        }
    }
}

impl Event {
    fn of(payload: Value) -> Result<Self, Error> {
        let first = payload.pointer("/Records/0/eventSource").and_then(Value::as_str);
        if first != Some("aws:sqs") {
            return Ok(Self::Direct(payload));
        }
        let event: SqsEvent = serde_json::from_value(payload)
            .map_err(|error| Error::new(ErrorKind::Refused, format!("not a batch of messages: {error}")))?;
        Ok(Self::Messages(event.records.into_iter().map(message).collect()))
    }
}

/// A message as the loops know it; its handle has the message's id before it, by which a batch's failures are told.
fn message(message: SqsMessage) -> Message {
    let SqsMessage { message_id, receipt_handle, body, attributes, .. } = message;
    let received = attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1);
    let handle = format!("{} {}", message_id.unwrap_or_default(), receipt_handle.unwrap_or_default());
    Message { handle, body: body.unwrap_or_default(), received, reason: None }
}

impl Call {
    /// Handles messages in order and gives the response of a batch. What is not handled when the time is over comes again;
    /// where trying again does not help, a message goes to the dead letters with its reason.
    pub async fn each(
        &self,
        messages: &[Message],
        dead: &impl Queue,
        handle: impl AsyncFn(&Message) -> Handled,
    ) -> Result<Value, Error> {
        let mut failures = Vec::new();
        for message in messages {
            let (id, receipt) = message.handle.split_once(' ').unwrap_or_default();
            let here = Message { handle: receipt.to_owned(), ..message.clone() };
            let left = u64::try_from(self.end - SystemClock.now()).unwrap_or_default();
            let work = panic::caught(tokio::time::timeout(Duration::from_micros(left), handle(&here)));
            let handled = match work.await {
                Ok(Ok(handled)) => handled,
                Ok(Err(_)) => Handled::Again(Error::new(ErrorKind::Unavailable, "the call ran out of time")),
                Err(bug) => Handled::Again(bug),
            };
            let received = here.received;
            // The queue would bury it without a reason.
            let handled = match handled {
                Handled::Again(error) if received >= self.receives_max => Handled::Dead(error),
                handled => handled,
            };
            match &handled {
                Handled::Done => {}
                Handled::Again(error) => {
                    tracing::warn!(id, received, error = error.to_string(), "the message comes again");
                    self.telemetry.count("MessagesAgain", 1);
                }
                Handled::Dead(error) => {
                    tracing::error!(id, received, error = error.to_string(), "the message is dead");
                    self.telemetry.count("MessagesDead", 1);
                }
            }
            let settled = match &handled {
                Handled::Done => true,
                Handled::Again(_) => false,
                Handled::Dead(error) => dead.bury(&here, &error.to_string()).await.is_ok(),
            };
            if !settled {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id.to_owned();
                failures.push(failure);
            }
        }
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures;
        serde_json::to_value(response).map_err(|error| Error::new(ErrorKind::Refused, error.to_string()))
    }

    /// A call that brought no messages: what `work` came to.
    pub fn direct(&self, handled: Handled) -> Result<Value, Error> {
        match handled {
            Handled::Done => Ok(Value::Null),
            Handled::Again(error) | Handled::Dead(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use etalon_driver::memory::{Kind, ManualClock, MemoryQueue};
    use serde_json::json;

    use super::*;

    /// What a batch of messages comes to, each of which says with its body how it goes; and the dead letters.
    fn batch(records: &[(&str, u32)]) -> (Value, Vec<(String, Option<String>)>) {
        let record = |(number, (body, received)): (usize, &(&str, u32))| {
            json!({
                "eventSource": "aws:sqs",
                "messageId": format!("id{number}"),
                "receiptHandle": format!("receipt{number}"),
                "body": body,
                "attributes": { "ApproximateReceiveCount": received.to_string() },
            })
        };
        let records: Vec<Value> = records.iter().enumerate().map(record).collect();
        let event = Event::of(json!({ "Records": records })).unwrap();
        let Event::Messages(messages) = &event else { panic!("{event:?}") };
        let clock = ManualClock::new(0);
        let queue = MemoryQueue::new(Kind::Fifo, &clock, 5);
        let now = SystemClock.now();
        let telemetry = Telemetry::new(NAMESPACE, "orders", "load", now);
        let end = now + 60_000_000;
        let call = Call { event: Event::Direct(Value::Null), now, deadline: end, end, receives_max: 5, telemetry };
        let handle = async |message: &Message| {
            assert!(message.handle.starts_with("receipt"), "{message:?}");
            match message.body.as_str() {
                "done" => Handled::Done,
                "panic" => panic!("a bug"),
                "dead" => Handled::Dead(Error::new(ErrorKind::Refused, "no message")),
                _ => Handled::Again(Error::new(ErrorKind::Unavailable, "no answer")),
            }
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = runtime.block_on(call.each(messages, &queue, handle)).unwrap();
        (told, queue.dead())
    }

    #[test]
    fn what_comes_again_is_told_by_its_message_id() {
        let (told, _) = batch(&[("done", 1), ("again", 1), ("done", 4), ("again", 4)]);
        assert_eq!(told, json!({ "batchItemFailures": [{ "itemIdentifier": "id1" }, { "itemIdentifier": "id3" }] }));
        assert_eq!(batch(&[("done", 1)]).0, json!({ "batchItemFailures": [] }));
    }

    #[test]
    fn a_panic_costs_one_message_and_the_last_time_its_reason_is_kept() {
        let (told, letters) = batch(&[("panic", 1), ("done", 1), ("panic", 5), ("dead", 1), ("again", 5)]);
        assert_eq!(told, json!({ "batchItemFailures": [{ "itemIdentifier": "id0" }] }));
        // Whether the place of a panic is known depends on who tells of panics in this process.
        let reason = |reason: &str| reason.split_inclusive(": ").next().unwrap_or_default().to_owned();
        let letters: Vec<_> =
            letters.iter().map(|(body, why)| (body.as_str(), why.as_deref().map(reason).unwrap_or_default())).collect();
        let told = [("panic", "a bug of Etalon, please report it: "), ("dead", "no message"), ("again", "no answer")];
        assert_eq!(letters, told.map(|(body, why)| (body, why.to_owned())));
    }
}
