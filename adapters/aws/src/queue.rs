//! A queue of SQS, standard or FIFO.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::plan::sha256;
use etalon_driver::ports::{Entry, Message, Queue};

use crate::failure::failed;

/// The attribute in which a dead letter says why it is one.
pub const REASON: &str = "reason";
/// Most characters of a reason: it counts into the size of its message.
const REASON_MAX: usize = 1000;
/// How long a receive waits for messages, in seconds. Without any waiting SQS asks only some of its servers.
const WAIT_SECONDS: i32 = 1;
/// The longest visibility that SQS knows, in seconds.
const VISIBILITY_SECONDS_MAX: i64 = 12 * 60 * 60;
/// What the name of a FIFO queue ends with.
const FIFO_SUFFIX: &str = ".fifo";

/// A queue, and where its dead letters go.
///
/// Messages that a function is called with were received by somebody else: then it only sends, buries and changes
/// visibility.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
    dead_letters: Option<String>,
}

impl SqsQueue {
    /// The queue of a URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into(), dead_letters: None }
    }

    /// The same, with the URL of the queue for its dead letters, of the same type.
    #[must_use]
    pub fn with_dead_letters(self, url: impl Into<String>) -> Self {
        Self { dead_letters: Some(url.into()), ..self }
    }

    /// How many messages there are, about: those that wait, and those that somebody has received.
    pub async fn count(&self) -> Result<(u64, u64), Error> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec()));
        let answer = request.send().await.map_err(|error| self.failed("GetQueueAttributes", &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let [waiting, delayed, received] = names.map(|name| {
            let text = attributes.get(&name);
            text.and_then(|text| text.parse::<u64>().ok()).unwrap_or_default()
        });
        Ok((waiting + delayed, received))
    }

    fn failed<E>(&self, call: &str, error: &aws_sdk_sqs::error::SdkError<E>) -> Error
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        failed(format_args!("{}: {call}", self.url), error)
    }
}

impl Queue for SqsQueue {
    async fn send(&self, entries: &[Entry]) -> Result<Vec<(usize, Error)>, Error> {
        // One body that SQS does not take would keep all others back.
        let (good, bad): (Vec<_>, Vec<_>) = entries.iter().enumerate().partition(|(_, entry)| is_text(&entry.body));
        let refused = |(position, _)| {
            let message = format!("{}: SQS does not take a message that is empty or has control characters", self.url);
            (position, Error::new(ErrorKind::Refused, message))
        };
        let refused: Vec<_> = bad.into_iter().map(refused).collect();
        if good.is_empty() && !refused.is_empty() {
            return Ok(refused);
        }
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (position, entry) in good {
            let order = entry.order.as_ref();
            let entry = SendMessageBatchRequestEntry::builder()
                .id(position.to_string())
                .message_body(&entry.body)
                .set_message_group_id(order.map(|order| order.group.clone()))
                .set_message_deduplication_id(order.map(|order| order.deduplication.clone()))
                .build();
            request = request.entries(entry.map_err(|error| Error::new(ErrorKind::Refused, error.to_string()))?);
        }
        let answer = request.send().await.map_err(|error| self.failed("SendMessageBatch", &error))?;
        let failed = answer.failed.into_iter().map(|failed| {
            let kind = if failed.sender_fault { ErrorKind::Refused } else { ErrorKind::Unavailable };
            let message = failed.message.unwrap_or_default();
            let error = Error::new(kind, format!("{}: SendMessageBatch: {}: {message}", self.url, failed.code));
            // The positions are ours, so that another one cannot come back.
            failed.id.parse().map(|position| (position, error.clone())).map_err(|_| error)
        });
        refused.into_iter().map(Ok).chain(failed).collect()
    }

    async fn receive(&self, most: usize, visibility: i64) -> Result<Vec<Message>, Error> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most).unwrap_or(i32::MAX))
            .visibility_timeout(seconds(visibility))
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_attribute_names(REASON);
        let answer = request.send().await.map_err(|error| self.failed("ReceiveMessage", &error))?;
        Ok(answer.messages.unwrap_or_default().into_iter().map(message).collect())
    }

    async fn delete(&self, message: &Message) -> Result<(), Error> {
        let request = self.client.delete_message().queue_url(&self.url).receipt_handle(&message.handle);
        match request.send().await {
            Err(error) if is_late(error.code()) => Ok(()),
            done => done.map(drop).map_err(|error| self.failed("DeleteMessage", &error)),
        }
    }

    async fn change_visibility(&self, message: &Message, visibility: i64) -> Result<(), Error> {
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(&message.handle);
        match request.visibility_timeout(seconds(visibility)).send().await {
            Err(error) if is_late(error.code()) => Ok(()),
            done => done.map(drop).map_err(|error| self.failed("ChangeMessageVisibility", &error)),
        }
    }

    async fn bury(&self, message: &Message, reason: &str) -> Result<(), Error> {
        let Some(dead_letters) = &self.dead_letters else {
            return Err(Error::new(ErrorKind::Refused, format!("{} has no dead-letter queue", self.url)));
        };
        let reason = attribute(reason);
        let mut request = self.client.send_message().queue_url(dead_letters).message_body(&message.body);
        if dead_letters.ends_with(FIFO_SUFFIX) {
            // Buried again after a crash, it is the same letter; and it waits for no other one.
            let id = sha256(format!("{reason} {}", message.body).as_bytes());
            request = request.message_group_id(&id).message_deduplication_id(&id);
        }
        let value = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        let value = value.map_err(|error| Error::new(ErrorKind::Refused, error.to_string()))?;
        let sent = request.message_attributes(REASON, value).send().await;
        sent.map_err(|error| failed(format_args!("{dead_letters}: SendMessage"), &error))?;
        self.delete(message).await
    }
}

/// Whether an answer says that the visibility of the message has run out, or that it is gone: it is not ours any more.
fn is_late(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "ReceiptHandleIsInvalid"
                | "InvalidParameterValue"
                | "MessageNotInflight"
                | "AWS.SimpleQueueService.MessageNotInflight"
        )
    )
}

fn message(received: aws_sdk_sqs::types::Message) -> Message {
    let attributes = received.attributes.unwrap_or_default();
    let count = attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount);
    let reason = received.message_attributes.and_then(|mut attributes| attributes.remove(REASON));
    Message {
        handle: received.receipt_handle.unwrap_or_default(),
        body: received.body.unwrap_or_default(),
        received: count.and_then(|count| count.parse().ok()).unwrap_or(1),
        reason: reason.and_then(|reason| reason.string_value),
    }
}

/// Whole seconds, rounded up: nobody gets a message earlier than was said.
fn seconds(microseconds: i64) -> i32 {
    let seconds = microseconds.clamp(0, VISIBILITY_SECONDS_MAX * 1_000_000).saturating_add(999_999) / 1_000_000;
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

/// Whether a text can be the body of a message.
fn is_text(body: &str) -> bool {
    !body.is_empty() && body.chars().all(is_allowed)
}

/// The characters that a message may have are those of XML.
fn is_allowed(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        letter => letter >= ' ' && !matches!(letter, '\u{fffe}' | '\u{ffff}'),
    }
}

/// A reason as an attribute takes it: some characters are not allowed, and neither is an empty text.
fn attribute(reason: &str) -> String {
    let text: String = reason.chars().filter(|&letter| is_allowed(letter)).take(REASON_MAX).collect();
    if text.is_empty() { "no reason is given".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_become_whole_seconds() {
        for (microseconds, expected) in
            [(-1, 0), (0, 0), (1, 1), (1_000_000, 1), (1_000_001, 2), (i64::MAX, 43_200), (i64::MIN, 0)]
        {
            assert_eq!(seconds(microseconds), expected, "{microseconds}");
        }
    }

    #[test]
    fn a_reason_is_what_an_attribute_takes() {
        assert_eq!(attribute("a\u{0}b\u{1b}\n\u{ffff}é"), "ab\né");
        assert_eq!(attribute("\u{0}"), "no reason is given");
        assert_eq!(attribute(&"x".repeat(5000)).len(), REASON_MAX);
        assert!(is_text("{\"é\": \"\u{1f980}\"}\n") && !is_text("") && !is_text("a\u{1}"));
    }
}
