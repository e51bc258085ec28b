//! Cloud: a pipeline that is deployed on one machine, as on AWS.
//!
//! ```text
//! Scheduler -> extract                       extract queue -> extract -> tasks queue -> transform -> load queue -> load
//! objects   -> extract queue                 each queue has its dead letters; load tells a bus of what it has loaded
//! ```
//!
//! [`etalon_core::deploy`] says which functions, queues and settings there are; this module creates them. This crate sends the
//! event of a new object to the extract queue, in the form that EventBridge has: moto's own events have other names.

mod programs;
mod settings;
mod deployed;
mod stage;
mod queues;
mod objects;
mod rule;
mod starts;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_s3::error::DisplayErrorContext;
use etalon_core::deploy::monitoring::METRICS;
use etalon_core::deploy::{self, Deployment};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Resolved;
use etalon_core::protocol::{Step, name, prefix};
use etalon_core::source::s3::Address;
use etalon_core::warehouse::LedgerRow;
use etalon_driver::connection::Connection;
use etalon_postgres::Postgres;
use tokio::time::sleep;

use crate::aws::{self, REGION, unavailable};
use crate::gateway::{Counts, Gateway, Outage, Policies};
use crate::iam::Policy;
use crate::lambda::{ACCOUNT, MetricName};
use crate::postgres::connect;
use crate::redshift::{Config, DataApi};
pub use deployed::Deployed;
pub use programs::{Counterparts, Programs};
pub use queues::DeadLetter;
pub use rule::Rule;
pub use settings::Settings;
pub use stage::Stage;

/// How often a queue is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long after a look at a table the next one comes, where something is left to be done.
const SWEEP: Duration = Duration::from_millis(250);

/// A cloud; it ends with its value.
#[derive(Debug)]
pub struct Cloud {
    // Whoever calls others ends before them.
    stages: [Stage; 3],
    settings: Settings,
    deployment: Deployment,
    reports_failures: [bool; 3],
    rule: Option<Rule>,
    endpoints: [(&'static str, String); 2],
    redshift: DataApi,
    gateway: Gateway,
    /// What stands before Redshift.
    data_gateway: Gateway,
    counterparts: Arc<Counterparts>,
    pipeline: Resolved,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    source: (String, String),
    staging: String,
    staging_prefix: String,
    database_url: String,
    loaded: String,
}

impl Cloud {
    /// Deploys a pipeline.
    pub async fn start(counterparts: Arc<Counterparts>, settings: Settings) -> Result<Self, Error> {
        let pipeline = settings.compile()?;
        let moto = counterparts.moto.url().to_owned();
        create(&aws::s3(&moto), &settings.staging()).await?;
        let bus = stage::bus(&moto, &settings.name).await?;
        let secrets = settings.keep_secrets(&moto).await?;
        let account = settings.account(pipeline.name(), &settings.source(&pipeline)?, &moto, bus, secrets);
        let deployment = Deployment::new(&pipeline, &account, &settings.sizes);
        for function in &deployment.functions {
            stage::create(&aws::sqs(&moto), &function.queue).await?;
        }
        settings.publish(&aws::s3(&moto), &pipeline, &deployment).await?;
        let deployed = Deployed {
            deployment,
            reports_failures: [true; 3],
            rule: None,
            policies: Policies::new(),
            staging: account.staging,
            event_bus: account.event_bus,
        };
        Self::run(counterparts, settings, deployed).await
    }

    /// Runs what was deployed: its queues, its bucket and its bus are there.
    pub async fn run(counterparts: Arc<Counterparts>, settings: Settings, deployed: Deployed) -> Result<Self, Error> {
        let pipeline = settings.compile()?;
        for function in &deployed.deployment.functions {
            if let Some(policy) = deployed.policies.get(&function.name) {
                serves(policy, function)?;
            }
        }
        let moto = counterparts.moto.url().to_owned();
        let (s3, sqs) = (aws::s3(&moto), aws::sqs(&moto));
        let source = settings.source(&pipeline)?;
        create(&s3, &source.0).await?;
        let Address { bucket: staging, prefix: staging_prefix } = Address::parse(&deployed.staging)?;
        let database_url = counterparts.postgres.database(&settings.name)?;
        if let Some(schema) = &pipeline.table().schema {
            // In the cloud somebody creates it who also says whose it is.
            let schema = schema.replace('"', "\"\"");
            let created = connect(&database_url)?.run(&format!("CREATE SCHEMA \"{schema}\""), &[]);
            created.map_err(|trouble| unavailable(format!("the schema is not created: {trouble:?}")))?;
        }
        let redshift = DataApi::start(Config::new(&database_url, Some(moto.clone())))?;
        let gateway = Gateway::open(&moto, deployed.policies.clone()).await?;
        let data_gateway = Gateway::open(&redshift.endpoint(), deployed.policies).await?;
        let bus = deployed.event_bus.as_deref().unwrap_or(deploy::DEFAULT_BUS);
        let loaded = stage::listen(&moto, &sqs, &settings.name, bus).await?;
        let Deployed { deployment, reports_failures, rule, .. } = deployed;
        let endpoints = [("AWS_ENDPOINT_URL", gateway.url()), ("AWS_ENDPOINT_URL_REDSHIFT_DATA", data_gateway.url())];
        Ok(Self {
            stages: stages(&deployment, reports_failures, &settings, &endpoints, &sqs).await?,
            deployment,
            reports_failures,
            rule,
            endpoints,
            redshift,
            gateway,
            data_gateway,
            counterparts,
            settings,
            pipeline,
            s3,
            sqs,
            source,
            staging,
            staging_prefix,
            database_url,
            loaded,
        })
    }

    /// Deploys another pipeline file in the place of the one that is deployed: the same functions, queues and buckets. Calls under
    /// way end where they are, and their messages come again.
    pub async fn deploy(&mut self, pipeline: &str) -> Result<(), Error> {
        let settings = Settings { pipeline: pipeline.to_owned(), ..self.settings.clone() };
        self.pipeline = settings.compile()?;
        settings.publish(&self.s3, &self.pipeline, &self.deployment).await?;
        self.settings = settings;
        self.stages =
            stages(&self.deployment, self.reports_failures, &self.settings, &self.endpoints, &self.sqs).await?;
        Ok(())
    }

    /// Takes a step's queue away, with all messages in it, until [`Cloud::apply`].
    pub async fn lose_queue(&self, step: Step) -> Result<(), Error> {
        self.stage(step).halt();
        let lost = self.sqs.delete_queue().queue_url(&self.stage(step).queue).send().await;
        lost.map(drop).map_err(|error| unavailable(DisplayErrorContext(error)))
    }

    /// Makes what is missing of what was deployed, as `terraform apply` does.
    pub async fn apply(&mut self) -> Result<(), Error> {
        for function in &self.deployment.functions {
            stage::create(&self.sqs, &function.queue).await?;
        }
        let pipeline = self.settings.pipeline.clone();
        self.deploy(&pipeline).await
    }

    /// What was deployed.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// `s3://bucket/prefix/` of what is kept.
    pub fn store(&self) -> String {
        format!("s3://{}/{}", self.staging, self.staging_prefix)
    }

    /// The functions with their queues, in the order of the path.
    pub fn stages(&self) -> &[Stage; 3] {
        &self.stages
    }

    /// The stage of a step.
    pub fn stage(&self, step: Step) -> &Stage {
        let [extract, transform, load] = &self.stages;
        match step {
            Step::Extract => extract,
            Step::Transform => transform,
            Step::Load => load,
        }
    }

    /// Extract.
    pub fn extract(&self) -> &Stage {
        self.stage(Step::Extract)
    }

    /// Transform.
    pub fn transform(&self) -> &Stage {
        self.stage(Step::Transform)
    }

    /// Load.
    pub fn load(&self) -> &Stage {
        self.stage(Step::Load)
    }

    /// The Redshift Data API.
    pub fn redshift(&self) -> &DataApi {
        &self.redshift
    }

    /// What is deployed.
    pub fn pipeline(&self) -> &Resolved {
        &self.pipeline
    }

    /// The URL of the database that Redshift is made of.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Where S3, SQS and EventBridge answer.
    pub fn endpoint(&self) -> &str {
        self.counterparts.moto.url()
    }

    /// The bucket of the source, and what keys begin with there.
    pub fn source(&self) -> (&str, &str) {
        (&self.source.0, &self.source.1)
    }

    /// Lets each request of the functions to S3, SQS and EventBridge take so much longer.
    pub fn set_latency(&self, latency: Duration) {
        self.gateway.set_latency(latency);
    }

    /// Answers all requests of the functions with this, or passes them on again.
    pub fn set_outage(&self, outage: Option<Outage>) {
        self.gateway.set_outage(outage);
        self.data_gateway.set_outage(outage);
    }

    /// The functions' requests by service and operation, with those to Redshift.
    pub fn requests(&self) -> Counts {
        let mut requests = self.gateway.requests();
        let redshift = self.redshift.counters().requests.into_iter();
        requests.extend(redshift.map(|(operation, count)| (("redshift-data".to_owned(), operation), count)));
        requests
    }

    /// The requests of a step's function to S3, SQS and EventBridge, by service and operation.
    pub fn requests_of(&self, step: Step) -> Counts {
        self.gateway.requests_of(&self.stage(step).function.settings().name)
    }

    /// Waits until no message is left and nothing waits for its load, and looks after the table meanwhile. An error says what
    /// is left when patience ends.
    pub async fn settle(&self, patience: Duration) -> Result<(), Error> {
        let begun = Instant::now();
        let mut swept = begun;
        loop {
            let mut left = Vec::new();
            // In the order of the path: what one stage has done with is in the queue of the next.
            for stage in &self.stages {
                let messages = self.messages(&stage.queue).await?;
                if messages > 0 {
                    left.push(format!("{messages} messages for {}", stage.step.name()));
                }
            }
            if left.is_empty() {
                if !self.names(prefix::PENDING.text, 1).await?.is_empty() {
                    left.push("units wait for their load".to_owned());
                }
                let current = name::current(&name::table(self.pipeline.table()));
                if !self.names(&current, 1).await?.is_empty() {
                    left.push("a load is in flight".to_owned());
                }
                if left.is_empty() {
                    return Ok(());
                }
                if swept.elapsed() >= SWEEP {
                    self.sweep().fire(SystemTime::now()).await?;
                    swept = Instant::now();
                }
            }
            if begun.elapsed() > patience {
                let message = format!("still at work after {} s: {}", patience.as_secs(), left.join(", "));
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            sleep(LOOK).await;
        }
    }

    /// Metrics that the functions have told and that nobody knows, as the step and the name: there would be no alarm over them.
    pub fn unknown_metrics(&self) -> Vec<(Step, String)> {
        let told =
            self.stages.iter().flat_map(|stage| stage.function.metrics().into_keys().map(|name| (stage.step, name)));
        let is_known = |step: Step, MetricName { name, dimensions, .. }: &MetricName| {
            let is = |dimension: &str, value: &str| dimensions.get(dimension).is_some_and(|found| found == value);
            let is_ours = dimensions.len() == 2 && is("Pipeline", self.pipeline.name()) && is("Step", step.name());
            is_ours && METRICS.iter().any(|metric| metric.name == name && metric.steps.contains(&step))
        };
        told.filter(|(step, told)| !is_known(*step, told)).map(|(step, told)| (step, told.name)).collect()
    }

    /// What the ledger says of the pipeline's table; nothing before the first load.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>, Error> {
        // The Data API runs the same statements on the same tables, whatever they are called in front of it.
        Postgres::open(&self.database_url)?.ledger(self.pipeline.table())
    }

    /// What its names begin with.
    pub fn name(&self) -> &str {
        &self.settings.name
    }
}

/// The functions of a deployment at work.
async fn stages(
    deployment: &Deployment,
    reports_failures: [bool; 3],
    settings: &Settings,
    endpoints: &[(&str, String)],
    sqs: &aws_sdk_sqs::Client,
) -> Result<[Stage; 3], Error> {
    let [extract, transform, load] = deployment.functions.clone();
    let [extract_reports, transform_reports, load_reports] = reports_failures;
    let start = async |function, reports| Stage::start(function, reports, settings, endpoints, sqs).await;
    let load = start(load, load_reports).await?;
    let transform = start(transform, transform_reports).await?;
    Ok([start(extract, extract_reports).await?, transform, load])
}

/// Creates a bucket; one that is there stays as it is.
async fn create(s3: &aws_sdk_s3::Client, bucket: &str) -> Result<(), Error> {
    if s3.head_bucket().bucket(bucket).send().await.is_ok() {
        return Ok(());
    }
    let created = s3.create_bucket().bucket(bucket).send().await;
    created.map(drop).map_err(|error| unavailable(DisplayErrorContext(error)))
}

/// Whether Lambda may do for a function what it does by the function's role.
fn serves(policy: &Policy, function: &deploy::Function) -> Result<(), Error> {
    let queue = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{}", function.queue.name);
    let log = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{}:log-stream:1", function.name);
    let queue = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map(|action| (action, &queue));
    let log = ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (action, &log));
    match queue.into_iter().chain(log).find(|(action, resource)| !policy.allows(action, resource)) {
        None => Ok(()),
        Some((action, resource)) => {
            let message = format!("the role of {} lacks {action} on {resource}", function.name);
            Err(Error::new(ErrorKind::Refused, message))
        }
    }
}
