//! Aws: the SDK's clients of the stand-ins, for the sandbox itself.

use aws_sdk_eventbridge::config::{
    BehaviorVersion as EventsVersion, Credentials as EventsCredentials, Region as EventsRegion,
};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

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
        .behavior_version(EventsVersion::latest())
        .endpoint_url(endpoint)
        .region(EventsRegion::from_static(REGION))
        .credentials_provider(EventsCredentials::new(NAME, NAME, None, None, NAME))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    aws_sdk_eventbridge::Client::from_conf(config.build())
}
