//! Cloud: the whole path of a pipeline on one machine, as it would be deployed.
//!
//! ```text
//! Scheduler -> extract                       extract queue -> extract -> tasks queue -> transform -> load queue -> load
//! objects   -> extract queue                 each queue has its dead letters; load tells a bus of what it has loaded
//! ```
//!
//! An object's event goes to the extract queue in the form that EventBridge has, and it is this crate that sends it: moto's
//! own events name things otherwise.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::{Unit, name, parse};
use etalon_core::receipt::Receipt;
use etalon_core::source::s3::Address;
use etalon_core::spec::Location;
use etalon_core::warehouse::LedgerRow;
use etalon_driver::placeholder;
use etalon_warehouse::Connected;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::sleep;

use crate::aws::{self, REGION};
use crate::gateway::Gateway;
use crate::lambda::{self, ACCOUNT, Function, Outcome};
use crate::moto::Moto;
use crate::poller::{self, Mapping, Polled, Poller, unavailable};
use crate::postgres::{Server, connect};
use crate::redshift::{Config, DataApi};
use crate::scheduler::{Schedule, Target};

/// Where staged files lie in their bucket.
const STAGING_PREFIX: &str = "etalon/";
/// The name of the database, as requests say it.
const DATABASE: &str = "dev";
/// The attribute of a dead letter that has its reason.
const REASON: &str = "reason";
/// How often a queue is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long after a look at a table the next one comes, where something is left to be done.
const SWEEP: Duration = Duration::from_millis(250);
/// Keys of one deletion, names of one page.
const PAGE: i32 = 1000;

/// The programs that stand in for services; several clouds may share them.
#[derive(Debug)]
pub struct Counterparts {
    /// S3, SQS, EventBridge, Secrets Manager.
    pub moto: Moto,
    /// What Redshift is made of.
    pub postgres: Server,
}

impl Counterparts {
    /// Starts them; `NotFound` and its name for what this machine lacks.
    pub fn start() -> io::Result<Self> {
        Ok(Self { moto: Moto::start()?, postgres: Server::start()? })
    }
}

/// The programs of the three functions.
#[derive(Debug, Clone)]
pub struct Programs {
    /// Plans.
    pub extract: PathBuf,
    /// Reads, checks and stages.
    pub transform: PathBuf,
    /// Loads.
    pub load: PathBuf,
}

impl Programs {
    /// Those beside the running program or in a folder above it, or in cargo's.
    pub fn find() -> Result<Self, Error> {
        let mut folders: Vec<PathBuf> = Vec::new();
        if let Ok(here) = std::env::current_exe() {
            folders.extend(here.ancestors().skip(1).take(2).map(Path::to_owned));
        }
        if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
            folders.push(PathBuf::from(target).join("debug"));
        }
        let find = |program: &str| {
            let found = folders.iter().map(|folder| folder.join(program)).find(|file| file.is_file());
            found.ok_or_else(|| {
                let message = format!("the function {program} is not beside this program; build it with cargo");
                Error::new(ErrorKind::NotFound, message)
            })
        };
        Ok(Self { extract: find("etalon-extract")?, transform: find("etalon-transform")?, load: find("etalon-load")? })
    }
}

/// How much of a machine a function gets.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Its memory.
    pub memory_mb: u32,
    /// Its time; as long is a message invisible.
    pub timeout: Duration,
}

/// What is deployed.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the names of buckets, queues and functions begin with; another cloud over the same programs has another one.
    pub name: String,
    /// The pipeline file.
    pub pipeline: String,
    /// The values of its placeholders.
    pub variables: BTreeMap<String, String>,
    /// The functions' programs.
    pub programs: Programs,
    /// Of extract.
    pub extract: Size,
    /// Of transform.
    pub transform: Size,
    /// Of load.
    pub load: Size,
    /// Tasks at work at once.
    pub transforms: usize,
    /// So often a message is received before it is among the dead letters.
    pub receives_max: u32,
}

impl Settings {
    /// A pipeline, deployed with sizes that suit small files.
    pub fn new(name: &str, pipeline: &str, programs: Programs) -> Self {
        let size = |memory_mb, seconds| Size { memory_mb, timeout: Duration::from_secs(seconds) };
        Self {
            name: name.to_owned(),
            pipeline: pipeline.to_owned(),
            variables: BTreeMap::new(),
            programs,
            extract: size(256, 300),
            transform: size(512, 300),
            load: size(256, 120),
            transforms: 2,
            receives_max: 5,
        }
    }

    /// A text of the pipeline file with the values of its placeholders.
    pub fn resolve(&self, text: &str) -> Result<String, Error> {
        let missing = |name: &str| Error::new(ErrorKind::Refused, format!("${{{name}}} has no value"));
        placeholder::resolve(text, |name| self.variables.get(name).cloned().ok_or_else(|| missing(name)))
    }
}

/// A cloud; it ends with its value.
#[derive(Debug)]
pub struct Cloud {
    // Whoever calls others ends before them.
    stages: [Stage; 3],
    redshift: DataApi,
    gateway: Gateway,
    counterparts: Arc<Counterparts>,
    name: String,
    pipeline: Pipeline,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    source: (String, String),
    database_url: String,
    loaded: String,
}

/// A function with its queue.
#[derive(Debug)]
pub struct Stage {
    /// What it does: `extract`, `transform`, `load`.
    pub step: &'static str,
    /// The function.
    pub function: Arc<Function>,
    /// Its queue's URL.
    pub queue: String,
    /// The URL of its queue's dead letters.
    pub dead_letters: String,
    poller: Poller,
}

impl Stage {
    /// What its queue has given it.
    pub fn polled(&self) -> Polled {
        self.poller.polled()
    }
}

/// A message among the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The step that could not do it.
    pub step: &'static str,
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

/// The queues of a stage, by URL.
struct Queues {
    queue: String,
    dead_letters: String,
}

impl Cloud {
    /// Deploys a pipeline.
    pub async fn start(counterparts: Arc<Counterparts>, settings: Settings) -> Result<Self, Error> {
        let (mut pipeline, _) = Pipeline::compile(&settings.pipeline).map_err(|diagnostics| {
            let shown: Vec<String> =
                diagnostics.iter().map(|one| one.render("pipeline.yaml", &settings.pipeline)).collect();
            Error::new(ErrorKind::Refused, shown.join("\n"))
        })?;
        let table = &mut pipeline.table;
        for name in table.schema.iter_mut().chain([&mut table.name]) {
            *name = settings.resolve(name)?;
        }
        let moto = counterparts.moto.url().to_owned();
        let gateway = Gateway::open(&moto).await?;
        let (s3, sqs) = (aws::s3(&moto), poller::client(&moto));
        let source = source(&pipeline, &settings)?;
        let staging = format!("{}-staging", settings.name);
        for bucket in [&source.0, &staging] {
            s3.create_bucket().bucket(bucket).send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        }
        let database_url = counterparts.postgres.database(&settings.name)?;
        if let Some(schema) = &pipeline.table.schema {
            // In the cloud somebody creates it who also says whose it is.
            let schema = schema.replace('"', "\"\"");
            let created = connect(&database_url)?.run(&format!("CREATE SCHEMA \"{schema}\""), &[]);
            created.map_err(|trouble| unavailable(format!("the schema is not created: {trouble:?}")))?;
        }
        let redshift = DataApi::start(Config::new(&database_url, Some(moto.clone())))?;
        let starts = queues(&sqs, &settings, "extract", settings.extract, false).await?;
        let tasks = queues(&sqs, &settings, "tasks", settings.transform, false).await?;
        let loads = queues(&sqs, &settings, "load", settings.load, true).await?;
        let (bus, loaded) = bus(&moto, &sqs, &settings.name).await?;

        let common = {
            let mut variables: BTreeMap<String, String> = [
                ("AWS_ENDPOINT_URL", gateway.url()),
                ("AWS_ENDPOINT_URL_REDSHIFT_DATA", redshift.endpoint()),
                ("ETALON_STAGING", format!("s3://{staging}/{STAGING_PREFIX}")),
                ("ETALON_SOURCE", format!("s3://{}/{}", source.0, source.1)),
                ("ETALON_STARTS_QUEUE_URL", starts.queue.clone()),
                ("ETALON_TASKS_QUEUE_URL", tasks.queue.clone()),
                ("ETALON_LOADS_QUEUE_URL", loads.queue.clone()),
                ("ETALON_EVENT_BUS", bus),
                ("ETALON_DATABASE", DATABASE.to_owned()),
                ("ETALON_WORKGROUP", settings.name.clone()),
                ("ETALON_COPY_ROLE", format!("arn:aws:iam::{ACCOUNT}:role/{}-copy", settings.name)),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
            let values = settings.variables.iter();
            variables.extend(values.map(|(name, value)| (format!("ETALON_VARIABLE_{name}"), value.clone())));
            variables
        };
        let deploy = async |step: &'static str, program: &Path, size: Size, concurrency: usize, queues: Queues| {
            let mut variables = common.clone();
            variables.insert("ETALON_DEAD_QUEUE_URL".to_owned(), queues.dead_letters.clone());
            let function = Arc::new(Function::new(lambda::Settings {
                files: [("pipeline.yaml".to_owned(), settings.pipeline.clone().into_bytes())].into(),
                environment: variables,
                region: REGION.to_owned(),
                memory_mb: size.memory_mb,
                timeout: size.timeout,
                // One more than its queue asks for: for schedules.
                concurrency: concurrency + 1,
                ..lambda::Settings::new(&format!("{}-{step}", settings.name), program)
            })?);
            let mapping = Mapping {
                // A task is an invocation of its own: it may be large.
                batch_size: if step == "transform" { 1 } else { 10 },
                concurrency: concurrency.max(2),
                // Extract hands the rest of its work to itself, and keeps its own limit.
                allows_loops: step == "extract",
                ..Mapping::new(&queues.queue)
            };
            let poller = Poller::start(sqs.clone(), Arc::clone(&function), mapping).await?;
            let Queues { queue, dead_letters } = queues;
            Ok::<_, Error>(Stage { step, function, queue, dead_letters, poller })
        };
        let programs = &settings.programs;
        let stages = [
            deploy("extract", &programs.extract, settings.extract, 2, starts).await?,
            deploy("transform", &programs.transform, settings.transform, settings.transforms, tasks).await?,
            deploy("load", &programs.load, settings.load, 2, loads).await?,
        ];
        Ok(Self {
            stages,
            redshift,
            gateway,
            counterparts,
            name: settings.name,
            pipeline,
            s3,
            sqs,
            source,
            database_url,
            loaded,
        })
    }

    /// The functions with their queues, in the order of the path.
    pub fn stages(&self) -> &[Stage; 3] {
        &self.stages
    }

    /// Extract.
    pub fn extract(&self) -> &Stage {
        &self.stages[0]
    }

    /// Transform.
    pub fn transform(&self) -> &Stage {
        &self.stages[1]
    }

    /// Load.
    pub fn load(&self) -> &Stage {
        &self.stages[2]
    }

    /// The Redshift Data API.
    pub fn redshift(&self) -> &DataApi {
        &self.redshift
    }

    /// What is deployed.
    pub fn pipeline(&self) -> &Pipeline {
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

    /// The functions' requests by service and operation, with those to Redshift.
    pub fn requests(&self) -> BTreeMap<(String, String), u64> {
        let mut requests = self.gateway.requests();
        let redshift = self.redshift.counters().requests.into_iter();
        requests.extend(redshift.map(|(operation, count)| (("redshift-data".to_owned(), operation), count)));
        requests
    }

    /// Puts an object into the source, and gives its key. Nobody is told.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>) -> Result<String, Error> {
        let key = format!("{}{name}", self.source.1);
        let put = self.s3.put_object().bucket(&self.source.0).key(&key).body(ByteStream::from(bytes)).send();
        put.await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        Ok(key)
    }

    /// Tells that an object was created, as EventBridge does by a rule to the extract queue.
    pub async fn object_created(&self, key: &str) -> Result<(), Error> {
        let bucket = &self.source.0;
        let head = self.s3.head_object().bucket(bucket).key(key).send().await;
        let head = head.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        let now = OffsetDateTime::now_utc();
        let event = json!({
            "version": "0",
            "id": format!("{:032x}", now.unix_timestamp_nanos()),
            "detail-type": "Object Created",
            "source": "aws.s3",
            "account": ACCOUNT,
            "time": now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default(),
            "region": REGION,
            "resources": [format!("arn:aws:s3:::{bucket}")],
            "detail": {
                "version": "0",
                "bucket": { "name": bucket },
                "object": {
                    "key": key,
                    "size": head.content_length(),
                    "etag": head.e_tag().map(|tag| tag.trim_matches('"')),
                    "sequencer": format!("{:016X}", now.unix_timestamp_nanos() / 1000),
                },
                "request-id": format!("{:016X}", now.unix_timestamp_nanos() / 1000),
                "requester": ACCOUNT,
                "source-ip-address": "127.0.0.1",
                "reason": "PutObject",
            },
        });
        self.send(self.extract(), &event.to_string()).await
    }

    /// Sends a message to a stage's queue, whatever it says; to a FIFO queue in a group of its own.
    pub async fn send(&self, stage: &Stage, body: &str) -> Result<(), Error> {
        let message = self.sqs.send_message().queue_url(&stage.queue).message_body(body);
        let message = if stage.queue.ends_with(".fifo") {
            let id = etalon_core::plan::identity("message", &[body]);
            message.message_group_id(&id).message_deduplication_id(&id)
        } else {
            message
        };
        message.send().await.map(drop).map_err(|error| unavailable(DisplayErrorContext(error)))
    }

    /// The schedule of the pipeline.
    pub fn schedule(&self) -> Schedule {
        let input = r#"{"schedule":"<aws.scheduler.schedule-arn>","scheduled_time":"<aws.scheduler.scheduled-time>"}"#
            .to_owned();
        Schedule { name: self.name.clone(), input, target: self.target(self.extract()) }
    }

    /// The schedule that looks after the table.
    pub fn sweep(&self) -> Schedule {
        Schedule {
            name: format!("{}-sweep", self.name),
            input: r#"{"sweep":true}"#.to_owned(),
            target: self.target(self.load()),
        }
    }

    /// Invokes extract with an event that nobody waits for, and waits for its end.
    pub async fn event(&self, event: &Value) -> Result<Outcome, Error> {
        self.target(self.extract()).event(&event.to_string()).await
    }

    fn target(&self, stage: &Stage) -> Target {
        Target {
            function: Arc::clone(&stage.function),
            client: self.sqs.clone(),
            // FIFO queues take no dead letters of invocations.
            dead_letters: Some(stage.dead_letters.clone()).filter(|queue| !queue.ends_with(".fifo")),
            pause: SWEEP,
        }
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
                    left.push(format!("{messages} messages for {}", stage.step));
                }
            }
            if left.is_empty() {
                for (kind, what) in [("pending/", "units wait for their load"), ("loads/", "a load is in flight")] {
                    if !self.names(kind, 1).await?.is_empty() {
                        left.push(what.to_owned());
                    }
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
                let message = format!("not at rest after {} s: {}", patience.as_secs(), left.join(", "));
                return Err(Error::new(ErrorKind::Unavailable, message));
            }
            sleep(LOOK).await;
        }
    }

    /// Messages in a queue, also those in flight and those that wait.
    async fn messages(&self, queue: &str) -> Result<u64, Error> {
        let attributes = poller::attributes(&self.sqs, queue).await?;
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

    /// All receipts.
    pub async fn receipts(&self) -> Result<Vec<Receipt>, Error> {
        let mut receipts = Vec::new();
        for key in self.names("receipts/", usize::MAX).await? {
            let bytes = self.staged(&key).await?;
            receipts.push(serde_json::from_slice(&bytes).map_err(|error| unavailable(format!("{key}: {error}")))?);
        }
        Ok(receipts)
    }

    /// All units.
    pub async fn units(&self) -> Result<Vec<Unit>, Error> {
        let mut units = Vec::new();
        for key in self.names(&name::unit_document(&name::table(&self.pipeline.table), ""), usize::MAX).await? {
            units.push(parse(&self.staged(&key).await?)?);
        }
        Ok(units)
    }

    /// Names in the staging bucket that begin so, at most so many.
    pub async fn names(&self, prefix: &str, most: usize) -> Result<Vec<String>, Error> {
        // The name of a unit's document ends like one; what all of them begin with does not.
        let prefix = format!("{STAGING_PREFIX}{}", prefix.strip_suffix(".json").unwrap_or(prefix));
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let call = self.s3.list_objects_v2().bucket(self.staging()).prefix(&prefix).max_keys(PAGE);
            let page = call.set_start_after(after).send().await;
            let page = page.map_err(|error| unavailable(DisplayErrorContext(error)))?;
            let keys = page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key);
            let before = names.len();
            names.extend(keys.filter_map(|key| key.strip_prefix(STAGING_PREFIX).map(str::to_owned)));
            if names.len() == before || names.len() >= most {
                names.truncate(most);
                return Ok(names);
            }
            after = names.last().map(|last| format!("{STAGING_PREFIX}{last}"));
        }
    }

    /// The bytes of an object in the staging bucket.
    pub async fn staged(&self, name: &str) -> Result<Vec<u8>, Error> {
        let get = self.s3.get_object().bucket(self.staging()).key(format!("{STAGING_PREFIX}{name}")).send();
        let object = get.await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        let bytes = object.body.collect().await.map_err(unavailable)?;
        Ok(bytes.to_vec())
    }

    /// The bytes of all staged parts, by name.
    pub async fn parts(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        let mut parts = BTreeMap::new();
        for name in self.names(name::STAGED, usize::MAX).await? {
            parts.insert(name.clone(), self.staged(&name).await?);
        }
        Ok(parts)
    }

    fn staging(&self) -> String {
        format!("{}-staging", self.name)
    }

    /// What the ledger says of the pipeline's table; nothing before the first load.
    pub fn ledger(&self) -> Result<Vec<LedgerRow>, Error> {
        // The Data API runs the same statements on the same tables, whatever they are called in front of it.
        Connected::open(&self.database_url)?.ledger(&self.pipeline.table)
    }

    /// What its names begin with.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The bucket of the source, and what keys begin with there.
fn source(pipeline: &Pipeline, settings: &Settings) -> Result<(String, String), Error> {
    let Location::S3(address) = &pipeline.location else {
        return Ok((format!("{}-source", settings.name), String::new()));
    };
    let address = settings.resolve(&address.text)?;
    let Address { bucket, prefix } = Address::parse(&address)?;
    Ok((bucket, prefix))
}

/// Creates a queue with its dead letters.
async fn queues(
    sqs: &aws_sdk_sqs::Client,
    settings: &Settings,
    kind: &str,
    size: Size,
    is_fifo: bool,
) -> Result<Queues, Error> {
    let suffix = if is_fifo { ".fifo" } else { "" };
    let create = async |queue: String, redrive: Option<String>| {
        let mut call = sqs.create_queue().queue_name(queue);
        // The least that Lambda takes; in the cloud six times as much is advised.
        call = call.attributes(QueueAttributeName::VisibilityTimeout, size.timeout.as_secs().to_string());
        if is_fifo {
            call = call.attributes(QueueAttributeName::FifoQueue, "true");
        }
        if let Some(redrive) = redrive {
            call = call.attributes(QueueAttributeName::RedrivePolicy, redrive);
        }
        let created = call.send().await.map_err(|error| unavailable(DisplayErrorContext(error)))?;
        Ok::<_, Error>(created.queue_url.unwrap_or_default())
    };
    let dead = format!("{}-{kind}-dead{suffix}", settings.name);
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{dead}");
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": settings.receives_max.to_string() });
    let dead_letters = create(dead, None).await?;
    let queue = create(format!("{}-{kind}{suffix}", settings.name), Some(redrive.to_string())).await?;
    Ok(Queues { queue, dead_letters })
}

/// Creates a bus whose events of loads go to a queue; gives the bus's name and the queue's URL.
async fn bus(moto: &str, sqs: &aws_sdk_sqs::Client, name: &str) -> Result<(String, String), Error> {
    use aws_sdk_eventbridge::error::DisplayErrorContext as Shown;
    use aws_sdk_eventbridge::types::Target;
    let events = aws::events(moto);
    let queue = format!("{name}-loaded");
    let created = sqs.create_queue().queue_name(&queue).send().await;
    let url = created.map_err(|error| unavailable(DisplayErrorContext(error)))?.queue_url.unwrap_or_default();
    events.create_event_bus().name(name).send().await.map_err(|error| unavailable(Shown(error)))?;
    let rule = events.put_rule().name(&queue).event_bus_name(name).event_pattern(r#"{"detail-type":["etalon.load"]}"#);
    rule.send().await.map_err(|error| unavailable(Shown(error)))?;
    let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}");
    let target = Target::builder().id("queue").arn(arn).build().map_err(unavailable)?;
    let targets = events.put_targets().rule(&queue).event_bus_name(name).targets(target);
    targets.send().await.map_err(|error| unavailable(Shown(error)))?;
    Ok((name.to_owned(), url))
}
