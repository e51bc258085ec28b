//! Clients: one configuration, one pool of connections, and a client for each service that is asked for.
//!
//! Region, credentials and endpoints come from the SDK's own environment variables, so that another cloud, or a stand-in on
//! this machine, is a matter of `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`.

use std::sync::OnceLock;
use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// How long a connection may take to be there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer may take to begin after its request has. A connection that a network has dropped while the function was
/// frozen says nothing; it costs no more than this. In that time a staged part of 32 MiB is sent, too.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one attempt may take until its answer has begun.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// The same for the Redshift Data API, whose longest long poll is 30 seconds.
const POLL_READ_TIMEOUT: Duration = Duration::from_secs(40);
const POLL_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(45);
/// What the names of the variables that set endpoints begin with.
const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL";
/// What an address that needs no certificates begins with.
const PLAIN: &str = "http://";

/// The clients of all services. Each is made when it is first asked for: a function that never speaks to a service does not
/// pay for it when it starts.
#[derive(Debug, Clone)]
pub struct Clients {
    config: SdkConfig,
    has_own_s3: bool,
    s3: OnceLock<aws_sdk_s3::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    redshift_data: OnceLock<aws_sdk_redshiftdata::Client>,
    events: OnceLock<aws_sdk_eventbridge::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
}

impl Clients {
    /// The clients of the account and the endpoints that the environment names.
    pub async fn from_env() -> Self {
        let endpoints = || {
            let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
            variables
                .filter(|(name, _)| name.starts_with(ENDPOINT_VARIABLE))
                .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        };
        let is_plain = endpoints().any(|(name, _)| name == ENDPOINT_VARIABLE)
            && endpoints().all(|(_, endpoint)| endpoint.starts_with(PLAIN));
        // Certificates take their time to load, and nobody asks for them where no endpoint has one.
        let http = match is_plain {
            true => Builder::new().build_http(),
            false => Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https(),
        };
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .timeout_config(timeouts(READ_TIMEOUT, ATTEMPT_TIMEOUT))
            // A body of which nothing more comes is given up as an answer is that does not begin.
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(READ_TIMEOUT).build())
            .load()
            .await;
        Self {
            has_own_s3: config.endpoint_url().is_some() || endpoints().any(|(name, _)| name == "AWS_ENDPOINT_URL_S3"),
            config,
            s3: OnceLock::new(),
            sqs: OnceLock::new(),
            redshift_data: OnceLock::new(),
            events: OnceLock::new(),
            secrets: OnceLock::new(),
        }
    }

    /// The client of S3. Where an endpoint is set, buckets are part of the path: they have no names of their own there.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let make = || {
            let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.has_own_s3);
            aws_sdk_s3::Client::from_conf(config.build())
        };
        self.s3.get_or_init(make).clone()
    }

    /// The client of SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| aws_sdk_sqs::Client::new(&self.config)).clone()
    }

    /// The client of the Redshift Data API.
    pub fn redshift_data(&self) -> aws_sdk_redshiftdata::Client {
        let make = || {
            let timeouts = timeouts(POLL_READ_TIMEOUT, POLL_ATTEMPT_TIMEOUT);
            let config = aws_sdk_redshiftdata::config::Builder::from(&self.config).timeout_config(timeouts);
            aws_sdk_redshiftdata::Client::from_conf(config.build())
        };
        self.redshift_data.get_or_init(make).clone()
    }

    /// The client of EventBridge.
    pub fn events(&self) -> aws_sdk_eventbridge::Client {
        self.events.get_or_init(|| aws_sdk_eventbridge::Client::new(&self.config)).clone()
    }

    /// The client of Secrets Manager.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        self.secrets.get_or_init(|| aws_sdk_secretsmanager::Client::new(&self.config)).clone()
    }
}

fn timeouts(read: Duration, attempt: Duration) -> TimeoutConfig {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(read);
    timeouts.operation_attempt_timeout(attempt).build()
}
