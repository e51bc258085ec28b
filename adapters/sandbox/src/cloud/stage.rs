//! Stage: a function of a deployment with its queues, which work as the deployment says.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::QueueAttributeName;
use etalon_core::deploy::{self, PIPELINE_FILE};
use etalon_core::error::Error;
use etalon_core::protocol::Step;
use serde_json::json;

use super::Settings;
use crate::aws::{self, REGION, unavailable};
use crate::lambda::{self, ACCOUNT, Function};
use crate::poller::{Mapping, Polled, Poller};

/// A function with its queue.
#[derive(Debug)]
pub struct Stage {
    /// What it does.
    pub step: Step,
    /// The function.
    pub function: Arc<Function>,
    /// Its queue's URL.
    pub queue: String,
    /// The URL of its queue's dead letters.
    pub dead_letters: String,
    poller: Poller,
}

impl Stage {
    /// Starts a function, which its queue calls. `endpoints` are the variables that tell the SDK where the services are.
    pub(super) async fn start(
        function: deploy::Function,
        reports_failures: bool,
        settings: &Settings,
        endpoints: &[(&str, String)],
        sqs: &aws_sdk_sqs::Client,
    ) -> Result<Self, Error> {
        let deploy::Function { step, name, size, concurrency, mut environment, queue, mapping, .. } = function;
        environment.extend(endpoints.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let function = Arc::new(Function::new(lambda::Settings {
            files: [(PIPELINE_FILE.to_owned(), settings.pipeline.clone().into_bytes())].into(),
            environment,
            region: REGION.to_owned(),
            memory_mb: size.memory_mb,
            timeout: seconds(size.timeout_seconds),
            concurrency,
            ..lambda::Settings::new(&name, settings.programs.of(step))
        })?);
        let mapping = Mapping {
            batch_size: mapping.batch_size,
            window: seconds(mapping.window_seconds),
            concurrency: mapping.concurrency_max,
            allows_loops: mapping.allows_loops,
            reports_failures,
            ..Mapping::new(&queue.url)
        };
        let poller = Poller::start(sqs.clone(), Arc::clone(&function), mapping).await?;
        Ok(Self { step, function, queue: queue.url, dead_letters: queue.dead_url, poller })
    }

    /// Lets its queue call it no more.
    pub fn halt(&self) {
        self.poller.halt();
    }

    /// What its queue has given it.
    pub fn polled(&self) -> Polled {
        self.poller.polled()
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(seconds.into())
}

/// Creates a queue with its dead letters.
pub(super) async fn create(sqs: &aws_sdk_sqs::Client, queue: &deploy::Queue) -> Result<(), Error> {
    let create = async |name: &str, kept_seconds: u32, redrive: Option<String>| {
        let mut call = sqs.create_queue().queue_name(name);
        call = call.attributes(QueueAttributeName::VisibilityTimeout, queue.visibility_seconds.to_string());
        call = call.attributes(QueueAttributeName::MessageRetentionPeriod, kept_seconds.to_string());
        if queue.is_fifo {
            call = call.attributes(QueueAttributeName::FifoQueue, "true");
        }
        if let Some(redrive) = redrive {
            call = call.attributes(QueueAttributeName::RedrivePolicy, redrive);
        }
        let created = call.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        Ok::<_, Error>(created.queue_url.unwrap_or_default())
    };
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", queue.dead_name);
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": queue.receives_max.to_string() });
    let dead_url = create(&queue.dead_name, queue.dead_kept_seconds, None).await?;
    let url = create(&queue.name, queue.kept_seconds, Some(redrive.to_string())).await?;
    if (&url, &dead_url) != (&queue.url, &queue.dead_url) {
        return Err(unavailable(format!("{} answers at {url}, and {} was expected", queue.name, queue.url)));
    }
    Ok(())
}

/// Creates a bus, and gives its name.
pub(super) async fn bus(moto: &str, name: &str) -> Result<String, Error> {
    use aws_sdk_eventbridge::error::DisplayErrorContext as Shown;
    let created = aws::events(moto).create_event_bus().name(name).send().await;
    created.map(|_| name.to_owned()).map_err(|error| unavailable(Shown(error)))
}

/// Lets a bus send its events of loads to a queue; gives the queue's URL.
pub(super) async fn listen(moto: &str, sqs: &aws_sdk_sqs::Client, name: &str, bus: &str) -> Result<String, Error> {
    use aws_sdk_eventbridge::error::DisplayErrorContext as Shown;
    use aws_sdk_eventbridge::types::Target;
    let events = aws::events(moto);
    let queue = format!("{name}-loaded");
    let created = sqs.create_queue().queue_name(&queue).send().await;
    let url = created.map_err(|error| unavailable(DisplayErrorContext(error)))?.queue_url.unwrap_or_default();
    let rule = events.put_rule().name(&queue).event_bus_name(bus).event_pattern(r#"{"detail-type":["etalon.load"]}"#);
    rule.send().await.map_err(|error| unavailable(Shown(error)))?;
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}");
    let target = Target::builder().id("queue").arn(arn).build().map_err(unavailable)?;
    let targets = events.put_targets().rule(&queue).event_bus_name(bus).targets(target);
    targets.send().await.map_err(|error| unavailable(Shown(error)))?;
    Ok(url)
}
