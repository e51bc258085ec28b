//! Queues: the messages of the stages, their dead letters, and what load has told the bus.

use std::collections::BTreeMap;

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry};
use etalon_core::error::Error;
use etalon_core::plan::identity;
use etalon_core::protocol::Step;
use serde_json::Value;

use super::{Cloud, Stage};
use crate::aws::{self, unavailable};

/// The attribute of a dead letter that has its reason.
const REASON: &str = "reason";
/// The most messages of one request.
const MESSAGES_MAX: usize = 10;

/// A message among the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The step that could not do it.
    pub step: Step,
    /// What it says.
    pub body: String,
    /// Why it is there, as far as somebody said so: its attributes, by name.
    pub attributes: BTreeMap<String, String>,
}

impl DeadLetter {
    /// Why it is there; empty where nobody said so.
    pub fn reason(&self) -> &str {
        self.attributes.get(REASON).map_or("", String::as_str)
    }
}

impl Cloud {
    /// Sends a message to a stage's queue, whatever it says; to a FIFO queue in a group of its own.
    pub async fn send(&self, stage: &Stage, body: &str) -> Result<(), Error> {
        let message = self.sqs.send_message().queue_url(&stage.queue).message_body(body);
        let message = if stage.queue.ends_with(".fifo") {
            let id = identity("message", &[body]);
            message.message_group_id(&id).message_deduplication_id(&id)
        } else {
            message
        };
        message.send().await.map(drop).map_err(|error| unavailable(DisplayErrorContext(error)))
    }

    /// Sends messages to a stage's queue, ten in a request; a standard queue.
    pub async fn send_all(&self, stage: &Stage, bodies: &[String]) -> Result<(), Error> {
        for some in bodies.chunks(MESSAGES_MAX) {
            let mut request = self.sqs.send_message_batch().queue_url(&stage.queue);
            for (number, body) in some.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body).build();
                request = request.entries(entry.map_err(unavailable)?);
            }
            let sent = request.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
            if let Some(failed) = sent.failed.first() {
                return Err(unavailable(format!("{}: {}", stage.queue, failed.code)));
            }
        }
        Ok(())
    }

    /// Messages in a queue, also those in flight and those that wait.
    pub(super) async fn messages(&self, queue: &str) -> Result<u64, Error> {
        let attributes = aws::attributes(&self.sqs, queue).await?;
        let number =
            |name| attributes.get(&name).and_then(|text: &String| text.parse::<u64>().ok()).unwrap_or_default();
        Ok(number(QueueAttributeName::ApproximateNumberOfMessages)
            + number(QueueAttributeName::ApproximateNumberOfMessagesNotVisible)
            + number(QueueAttributeName::ApproximateNumberOfMessagesDelayed))
    }

    /// The dead letters of all queues; they stay where they are, out of sight for a moment.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, Error> {
        let mut letters = Vec::new();
        for stage in &self.stages {
            for message in self.receive(&stage.dead_letters, 0).await? {
                let mut attributes = BTreeMap::new();
                for (name, value) in message.message_attributes.unwrap_or_default() {
                    attributes.insert(name, value.string_value.unwrap_or_default());
                }
                letters.push(DeadLetter { step: stage.step, body: message.body.unwrap_or_default(), attributes });
            }
        }
        Ok(letters)
    }

    /// What load has told the bus since this was last asked.
    pub async fn loaded(&self) -> Result<Vec<Value>, Error> {
        let mut events = Vec::new();
        for message in self.receive(&self.loaded, 600).await? {
            events.extend(message.body.and_then(|body| serde_json::from_str(&body).ok()));
            let delete = self.sqs.delete_message().queue_url(&self.loaded).set_receipt_handle(message.receipt_handle);
            delete.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        }
        Ok(events)
    }

    /// All messages of a queue.
    async fn receive(&self, queue: &str, visibility: i32) -> Result<Vec<aws_sdk_sqs::types::Message>, Error> {
        let mut all: BTreeMap<String, aws_sdk_sqs::types::Message> = BTreeMap::new();
        loop {
            let call = self.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let call = call.message_system_attribute_names(MessageSystemAttributeName::All);
            let call = call.message_attribute_names("All").visibility_timeout(visibility.max(1));
            let received = call.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
            let before = all.len();
            for message in received.messages.unwrap_or_default() {
                all.insert(message.message_id.clone().unwrap_or_default(), message);
            }
            if all.len() == before {
                return Ok(all.into_values().collect());
            }
        }
    }
}
