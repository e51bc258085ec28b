//! Poller: an event source mapping, from an SQS queue to a function, as Lambda does it.
//!
//! Exact: the event, batches and their window, at most so many batches at once, partial failures, what fails is left to its
//! visibility, and loops are stopped. Not exact: batches do not grow in number by the minute, and an event that is throttled
//! comes again after its visibility. What belongs to the queue (visibility, one batch in flight a group, dead letters) is
//! moto's.

mod event;
mod mapping;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName};
use etalon_core::error::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::aws::{attributes, unavailable};
use crate::lambda::{Function, NotInvoked, Trace, VISITS_MAX};
use event::{failures, trace};
pub use mapping::Mapping;
use mapping::check;

/// The most messages of one call.
const MESSAGES_MAX: usize = 10;
/// So long a call waits for a message.
const WAIT_SECONDS: i32 = 1;
/// A batch takes no more messages from here on, so that its event has its room.
const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// After an error of the queue.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two looks at a FIFO queue that gave nothing. It is not waited on: where the messages that are left belong to a
/// group that is at work, moto looks at them again and again without a pause, and has no time for anybody else.
const FIFO_PAUSE: Duration = Duration::from_millis(50);

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
    is_fifo: bool,
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
            is_fifo,
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

    /// Receives no more, and lets go of the batches under way: they come again.
    pub fn halt(&self) {
        self.task.abort();
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
                .wait_time_seconds(if self.is_fifo { 0 } else { WAIT_SECONDS })
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
                if self.is_fifo {
                    sleep(FIFO_PAUSE).await;
                }
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
        let region = &self.function.settings().region;
        let records: Vec<Value> = batch.iter().map(|message| event::record(message, &self.queue_arn, region)).collect();
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

    fn polled(&self) -> MutexGuard<'_, Polled> {
        self.polled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
