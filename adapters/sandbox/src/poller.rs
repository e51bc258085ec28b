//! Poller: an event source mapping, from an SQS queue to a function, as Lambda does it.
//!
//! Exact: the event, batches and their window, at most so many batches at once, partial failures, what fails is left to its
//! visibility, and loops are stopped. Not exact: batches do not grow in number by the minute, and an event that is throttled
//! comes again after its visibility. What belongs to the queue (visibility, one batch in flight a group, dead letters) is
//! moto's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName};
use etalon_core::error::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::lambda::{Function, NotInvoked, Trace, VISITS_MAX};

/// The most messages of one call.
const MESSAGES_MAX: usize = 10;
/// So long a call waits for a message.
const WAIT_SECONDS: i32 = 1;
/// A batch takes no more messages from here on, so that its event has its room.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// After an error of the queue.
const PAUSE: Duration = Duration::from_millis(200);

/// What is mapped, and how.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The queue.
    pub queue_url: String,
    /// The most messages of a batch.
    pub batch_size: usize,
    /// How long a batch waits for more messages.
    pub window: Duration,
    /// The most batches at once.
    pub concurrency: usize,
    /// Whether the function tells which messages of a batch failed.
    pub reports_failures: bool,
    /// Whether the function may be part of a loop.
    pub allows_loops: bool,
}

impl Mapping {
    /// A mapping that takes ten messages at once, with partial failures.
    pub fn new(queue_url: &str) -> Self {
        Self {
            queue_url: queue_url.to_owned(),
            batch_size: 10,
            window: Duration::ZERO,
            concurrency: 5,
            reports_failures: true,
            allows_loops: false,
        }
    }
}

/// A mapping at work; it stops with its value.
#[derive(Debug)]
pub struct Poller {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What a mapping has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polled {
    /// Messages received; one that comes again counts again.
    pub messages: u64,
    /// Batches given to the function.
    pub batches: u64,
    /// Messages whose work is done.
    pub done: u64,
    /// Messages that were left to their visibility.
    pub failed: u64,
    /// Messages that were stopped because they went in a loop.
    pub stopped: u64,
    /// Calls of the queue.
    pub requests: u64,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    function: Arc<Function>,
    mapping: Mapping,
    queue_arn: String,
    dead_letters: Option<String>,
    polled: Mutex<Polled>,
    stops: AtomicBool,
}

impl Poller {
    /// Starts a mapping, unless Lambda would refuse it.
    pub async fn start(client: Client, function: Arc<Function>, mapping: Mapping) -> Result<Self, Error> {
        let attributes = attributes(&client, &mapping.queue_url).await?;
        let text = |name: QueueAttributeName| attributes.get(&name).map(String::as_str).unwrap_or_default();
        let is_fifo = text(QueueAttributeName::FifoQueue) == "true";
        let visibility = Duration::from_secs(text(QueueAttributeName::VisibilityTimeout).parse().unwrap_or_default());
        check(&mapping, is_fifo, visibility, function.settings().timeout)
            .map_err(|why| Error::new(ErrorKind::Refused, format!("{}: {why}", mapping.queue_url)))?;
        let redrive: Value = serde_json::from_str(text(QueueAttributeName::RedrivePolicy)).unwrap_or_default();
        let dead_letters = match redrive.get("deadLetterTargetArn").and_then(Value::as_str) {
            Some(arn) => {
                let name = arn.rsplit(':').next().unwrap_or_default();
                let found = client.get_queue_url().queue_name(name).send().await;
                found.map_err(|error| unavailable(DisplayErrorContext(error)))?.queue_url
            }
            None => None,
        };
        let shared = Arc::new(Shared {
            client,
            function,
            queue_arn: text(QueueAttributeName::QueueArn).to_owned(),
            mapping,
            dead_letters,
            polled: Mutex::default(),
            stops: AtomicBool::new(false),
        });
        let task = tokio::spawn(poll(Arc::clone(&shared)));
        Ok(Self { shared, task })
    }

    /// Receives no more, and waits for the batches under way.
    pub async fn stop(mut self) {
        self.shared.stops.store(true, Ordering::Relaxed);
        let _ = (&mut self.task).await;
    }

    /// What it has done so far.
    pub fn polled(&self) -> Polled {
        *self.shared.polled()
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        // Batches under way are dropped with it, and so is what the queue gives to a call that nobody waits for any more; both
        // come again when their visibility ends.
        self.task.abort();
    }
}

/// A client of the queues of a stand-in.
pub fn client(endpoint: &str) -> Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "sandbox"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

/// All attributes of a queue.
pub(crate) async fn attributes(
    client: &Client,
    queue_url: &str,
) -> Result<BTreeMap<QueueAttributeName, String>, Error> {
    let call = client.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::All);
    let attributes = call.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?.attributes;
    Ok(attributes.unwrap_or_default().into_iter().collect())
}

pub(crate) fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}

/// What Lambda checks of a mapping.
fn check(mapping: &Mapping, is_fifo: bool, visibility: Duration, timeout: Duration) -> Result<(), String> {
    let Mapping { batch_size, window, concurrency, .. } = mapping;
    let most = if is_fifo { 10 } else { 10_000 };
    if !(1..=most).contains(batch_size) {
        return Err(format!("batches of {batch_size} messages, and 1 to {most} are allowed"));
    }
    if is_fifo && !window.is_zero() {
        return Err("a batching window, and a FIFO queue has none".to_owned());
    }
    if *window > Duration::from_secs(300) {
        return Err(format!("a batching window of {} s, and 300 are allowed", window.as_secs()));
    }
    if *batch_size > 10 && *window < Duration::from_secs(1) {
        return Err("batches of more than 10 messages need a batching window of at least 1 s".to_owned());
    }
    if !(2..=1000).contains(concurrency) {
        return Err(format!("at most {concurrency} batches at once, and 2 to 1000 are allowed"));
    }
    if timeout > visibility {
        let (timeout, visibility) = (timeout.as_secs(), visibility.as_secs());
        return Err(format!("a visibility timeout of {visibility} s, less than the function's of {timeout} s"));
    }
    Ok(())
}

async fn poll(shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(shared.mapping.concurrency));
    let mut batches = JoinSet::new();
    // Nothing is received that no batch is free for: its visibility would run for nothing.
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        if shared.stops.load(Ordering::Relaxed) {
            break;
        }
        while batches.try_join_next().is_some() {}
        let batch = shared.receive().await;
        if !batch.is_empty() {
            let shared = Arc::clone(&shared);
            batches.spawn(async move {
                shared.work(batch).await;
                drop(permit);
            });
        }
    }
    while batches.join_next().await.is_some() {}
}

impl Shared {
    /// A batch: one receive, or as many as its window has room for; empty if nothing came for a while.
    async fn receive(&self) -> Vec<Message> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut until: Option<Instant> = None;
        loop {
            let room = self.mapping.batch_size.saturating_sub(batch.len()).min(MESSAGES_MAX);
            let late = until.is_some_and(|until| Instant::now() >= until);
            if room == 0 || bytes >= BATCH_BYTES_MAX || late {
                return batch;
            }
            let received = self
                .client
                .receive_message()
                .queue_url(&self.mapping.queue_url)
                .max_number_of_messages(i32::try_from(room).unwrap_or(1))
                .wait_time_seconds(WAIT_SECONDS)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
                .send()
                .await;
            let Ok(received) = received else {
                sleep(PAUSE).await;
                return batch;
            };
            let messages = received.messages.unwrap_or_default();
            {
                let mut polled = self.polled();
                polled.requests += 1;
                polled.messages += messages.len() as u64;
            }
            bytes += messages.iter().map(|message| message.body().map_or(0, str::len)).sum::<usize>();
            batch.extend(messages);
            if batch.is_empty() {
                return batch;
            }
            until.get_or_insert_with(|| Instant::now() + self.mapping.window);
        }
    }

    /// Gives a batch to the function, and removes what is done.
    async fn work(&self, batch: Vec<Message>) {
        let (looped, batch): (Vec<_>, Vec<_>) = batch.into_iter().partition(|message| self.is_looped(message));
        if !looped.is_empty() {
            self.stop(&looped).await;
        }
        if batch.is_empty() {
            return;
        }
        self.polled().batches += 1;
        let records: Vec<Value> = batch.iter().map(|message| self.record(message)).collect();
        let event = json!({ "Records": records }).to_string();
        let failed = match self.function.invoke(event, &Trace::merge(batch.iter().map(trace))).await {
            Ok(outcome) => match outcome.result {
                Ok(response) if self.mapping.reports_failures => {
                    failures(&response, batch.iter().filter_map(Message::message_id))
                }
                Ok(_) => Some(BTreeSet::new()),
                Err(_) => None,
            },
            Err(NotInvoked::Throttled | NotInvoked::Unavailable(_)) => None,
        };
        let is_done = |message: &Message| {
            failed.as_ref().is_some_and(|ids| !ids.contains(message.message_id().unwrap_or_default()))
        };
        let (done, failed): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_done);
        self.delete(&done).await;
        let mut polled = self.polled();
        polled.done += done.len() as u64;
        polled.failed += failed.len() as u64;
    }

    fn is_looped(&self, message: &Message) -> bool {
        !self.mapping.allows_loops && trace(message).visits(&self.function.settings().name) >= VISITS_MAX
    }

    /// Puts messages that go in a loop among the dead letters; without those they are gone, as Lambda has it.
    async fn stop(&self, messages: &[Message]) {
        for message in messages {
            if let Some(dead_letters) = &self.dead_letters {
                let attribute = |name: MessageSystemAttributeName| message.attributes()?.get(&name).cloned();
                let sent = self
                    .client
                    .send_message()
                    .queue_url(dead_letters)
                    .message_body(message.body().unwrap_or_default())
                    .set_message_group_id(attribute(MessageSystemAttributeName::MessageGroupId))
                    .set_message_deduplication_id(attribute(MessageSystemAttributeName::MessageDeduplicationId))
                    .send()
                    .await;
                if sent.is_err() {
                    return;
                }
            }
            self.delete(std::slice::from_ref(message)).await;
            self.polled().stopped += 1;
        }
    }

    async fn delete(&self, messages: &[Message]) {
        for messages in messages.chunks(MESSAGES_MAX) {
            let entry = |(position, message): (usize, &Message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(position.to_string())
                    .receipt_handle(message.receipt_handle().unwrap_or_default())
                    .build()
                    .ok()
            };
            let entries = messages.iter().enumerate().filter_map(entry).collect();
            let call = self.client.delete_message_batch().queue_url(&self.mapping.queue_url);
            // What is not removed comes again, as it does in the cloud.
            let _ = call.set_entries(Some(entries)).send().await;
            self.polled().requests += 1;
        }
    }

    /// A message as the event has it.
    fn record(&self, message: &Message) -> Value {
        let attributes: Map<String, Value> = message
            .attributes()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.as_str().to_owned(), value.clone().into()))
            .collect();
        let attribute = |value: &aws_sdk_sqs::types::MessageAttributeValue| {
            json!({
                "stringValue": value.string_value(),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": value.data_type(),
            })
        };
        let message_attributes: Map<String, Value> = message
            .message_attributes()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), attribute(value)))
            .collect();
        let mut record = json!({
            "messageId": message.message_id(),
            "receiptHandle": message.receipt_handle(),
            "body": message.body(),
            "attributes": attributes,
            "messageAttributes": message_attributes,
            "md5OfBody": message.md5_of_body(),
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue_arn,
            "awsRegion": self.function.settings().region,
        });
        if let (Some(digest), Some(record)) = (message.md5_of_message_attributes(), record.as_object_mut()) {
            record.insert("md5OfMessageAttributes".to_owned(), digest.into());
        }
        record
    }

    fn polled(&self) -> MutexGuard<'_, Polled> {
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The trace that a message carries.
fn trace(message: &Message) -> Trace {
    let attributes = message.attributes();
    let header = attributes.and_then(|attributes| attributes.get(&MessageSystemAttributeName::AwsTraceHeader));
    header.map(|header| Trace::parse(header)).unwrap_or_default()
}

/// The messages that a response says have failed; `None` is all of them, which is what a response means that is not
/// understood.
fn failures<'a>(response: &[u8], ids: impl Iterator<Item = &'a str>) -> Option<BTreeSet<String>> {
    if response.is_empty() {
        return Some(BTreeSet::new());
    }
    let object = match serde_json::from_slice(response).ok()? {
        Value::Null => return Some(BTreeSet::new()),
        Value::Object(object) => object,
        _ => return None,
    };
    let list = match object.get("batchItemFailures") {
        None | Some(Value::Null) => return Some(BTreeSet::new()),
        Some(list) => list.as_array()?,
    };
    let ids: BTreeSet<&str> = ids.collect();
    list.iter()
        .map(|item| item.get("itemIdentifier")?.as_str().filter(|id| ids.contains(id)).map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_tells_what_failed_and_one_that_is_not_understood_means_everything() {
        let said = |response: &str| failures(response.as_bytes(), ["a", "b"].into_iter());
        let set = |ids: &[&str]| Some(ids.iter().map(|&id| id.to_owned()).collect::<BTreeSet<_>>());
        for nothing in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(said(nothing), set(&[]), "{nothing}");
        }
        assert_eq!(said(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), set(&["b"]));
        for everything in [
            "nonsense",
            "\"a\"",
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"item":"b"}]}"#,
        ] {
            assert_eq!(said(everything), None, "{everything}");
        }
    }

    #[test]
    fn what_lambda_would_refuse_is_refused() {
        let check =
            |mapping: Mapping, is_fifo| check(&mapping, is_fifo, Duration::from_secs(30), Duration::from_secs(30));
        let mapping = || Mapping::new("q");
        let second = Duration::from_secs(1);
        assert!(check(mapping(), false).is_ok() && check(mapping(), true).is_ok());
        assert!(check(Mapping { batch_size: 11, window: second, ..mapping() }, false).is_ok());
        for (mapping, is_fifo) in [
            (Mapping { batch_size: 0, ..mapping() }, false),
            (Mapping { batch_size: 11, ..mapping() }, false),
            (Mapping { batch_size: 11, window: second, ..mapping() }, true),
            (Mapping { window: second, ..mapping() }, true),
            (Mapping { window: second * 301, ..mapping() }, false),
            (Mapping { concurrency: 1, ..mapping() }, false),
        ] {
            assert!(check(mapping.clone(), is_fifo).is_err(), "{mapping:?}");
        }
        let short = super::check(&mapping(), false, Duration::from_secs(29), Duration::from_secs(30));
        assert!(short.unwrap_err().contains("less than the function's"));
    }
}
