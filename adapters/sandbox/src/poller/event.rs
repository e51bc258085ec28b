//! Event: a batch of messages as a function is called with it, and what its response says of them.

use std::collections::BTreeSet;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde_json::{Map, Value, json};

use crate::lambda::Trace;

/// A message as the event has it.
pub(super) fn record(message: &Message, queue_arn: &str, region: &str) -> Value {
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
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    });
    if let (Some(digest), Some(record)) = (message.md5_of_message_attributes(), record.as_object_mut()) {
        record.insert("md5OfMessageAttributes".to_owned(), digest.into());
    }
    record
}

/// The trace that a message carries.
pub(super) fn trace(message: &Message) -> Trace {
    let attributes = message.attributes();
    let header = attributes.and_then(|attributes| attributes.get(&MessageSystemAttributeName::AwsTraceHeader));
    header.map(|header| Trace::parse(header)).unwrap_or_default()
}

/// The messages that a response says have failed; `None` is all of them, which is what a response means that is not
/// understood.
pub(super) fn failures<'a>(response: &[u8], ids: impl Iterator<Item = &'a str>) -> Option<BTreeSet<String>> {
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
}
