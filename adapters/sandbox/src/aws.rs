//! Aws: the SDK's clients of the stand-ins, for the sandbox itself and for its tests.

use std::collections::BTreeMap;
use std::fmt::Display;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::QueueAttributeName;
use etalon_core::error::{Error, ErrorKind};

/// The region that everything is in.
pub(crate) const REGION: &str = "us-east-1";
/// Who the sandbox says it is; nobody asks for a proof.
const NAME: &str = "sandbox";

/// The client of S3, with buckets as parts of the path.
pub(crate) fn s3(endpoint: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(NAME, NAME, None, None, NAME))
        .force_path_style(true)
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_s3::Client::from_conf(config.build())
}

/// The client of EventBridge.
pub(crate) fn events(endpoint: &str) -> aws_sdk_eventbridge::Client {
    let config = aws_sdk_eventbridge::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(NAME, NAME, None, None, NAME))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_eventbridge::Client::from_conf(config.build())
}

/// The client of Secrets Manager.
pub(crate) fn secrets(endpoint: &str) -> aws_sdk_secretsmanager::Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(NAME, NAME, None, None, NAME))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}

/// The client of the queues.
pub fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new(NAME, NAME, None, None, NAME))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_sqs::Client::from_conf(config.build())
}

/// All attributes of a queue.
pub(crate) async fn attributes(
    client: &aws_sdk_sqs::Client,
    queue_url: &str,
) -> Result<BTreeMap<QueueAttributeName, String>, Error> {
    let call = client.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::All);
    let attributes = call.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?.attributes;
    Ok(attributes.unwrap_or_default().into_iter().collect())
}

/// A stand-in that does not do what it was asked for.
pub(crate) fn unavailable(error: impl Display) -> Error {
    Error::new(ErrorKind::Unavailable, error.to_string())
}
