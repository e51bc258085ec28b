//! Deploy: what is deployed for a pipeline in an AWS account: three functions with their settings, queues and permissions, and
//! what starts them.
//!
//! A deployment is a pure value, and the only place that knows which function needs which queue, setting and permission. The
//! sandbox creates what it says; a test compares Terraform's modules with it.
//!
//! ```text
//! schedule, object events, a person -> extract          extract queue -> extract -> tasks queue -> transform
//! sweep -> load                                         load queue (FIFO) -> load -> the warehouse, a bus
//! ```

mod bucket;
pub mod cost;
mod directory;
mod module;
pub mod monitoring;
mod page;
mod policy;
pub mod setting;

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::{Pipeline, Placeholder, file};
use crate::protocol::Step;
use crate::protocol::prefix::{BUDGETS, CURSORS, LANDED, PREFIXES, Prefix, Right, TOKENS};
use crate::protocol::{SCHEDULE_INPUT, SWEEP_INPUT};

pub use bucket::prefixes;
pub use directory::{Directory, DirectoryFunction};
pub use module::module;
pub use page::{deployment_page, settings_page};
pub use policy::Statement;
use setting::Setting;

/// Where in the bucket the deployed pipeline files lie, by their digests.
pub(crate) const DEPLOYED: &str = "deployed/";
/// The pipeline file's name beside the programs of the functions.
pub const PIPELINE_FILE: &str = "pipeline.yaml";
/// The bus that every account has.
pub const DEFAULT_BUS: &str = "default";
/// How often a sweep looks at tables whose message may be lost.
const SWEEP: &str = "rate(5 minutes)";
/// How often a pipeline that new objects start lists its source: a message of an object may be lost.
const LISTING: &str = "rate(1 day)";
const DAY_SECONDS: u32 = 24 * 60 * 60;
/// How long a dead letter is kept until a person looks at it: as long as SQS allows. It keeps the age of its message, so that
/// a message is kept for less.
const DEAD_KEPT_SECONDS: u32 = 14 * DAY_SECONDS;
/// How long a message is kept until it is processed.
const MESSAGES_KEPT_SECONDS: u32 = 13 * DAY_SECONDS;
/// A call by the clock or by a person that fails is made again twice, as Lambda does by itself.
const CALLED: Retries = Retries { attempts: 2, age_seconds: 6 * 60 * 60 };
/// A call that cannot be delivered is tried for a day, as often as EventBridge Scheduler allows.
const DELIVERED: Retries = Retries { attempts: 185, age_seconds: DAY_SECONDS };
/// A sweep that fails is not made again, and one that cannot be delivered is dropped: the next one does the same.
const SWEPT: Retries = Retries { attempts: 0, age_seconds: 300 };
const SWEEP_DELIVERED: Retries = Retries { attempts: 0, age_seconds: 60 };
/// Messages of a batch where each is little work.
const BATCH_SIZE: usize = 10;
/// The fewest calls at once that the mapping of a queue may be limited to.
const CONCURRENCY_MIN: usize = 2;

/// The facts about an account that a deployment needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The prefix of the names of functions, queues and schedules.
    pub name: String,
    /// The prefix of the URLs of queues: `https://sqs.eu-central-1.amazonaws.com/123456789012/`.
    pub queues: String,
    /// `s3://bucket/prefix/`: the store.
    pub staging: String,
    /// `s3://bucket/prefix/`: where the names of `files:` lie, if the pipeline says `files:`.
    pub source: Option<String>,
    /// `s3://bucket/key`: the manifest, if the pipeline's source is a `connector:`.
    pub manifest: Option<String>,
    /// `s3://bucket/key`: certificates of the authorities that are trusted for a database.
    pub certificates: Option<String>,
    /// The bus that gets the events of loads; without one, the account's default bus.
    pub event_bus: Option<String>,
    /// The warehouse.
    pub warehouse: Warehouse,
    /// The values of `${NAME}`.
    pub variables: BTreeMap<String, String>,
    /// The ARNs of the secrets of `${secret:name}`.
    pub secrets: BTreeMap<String, String>,
}

/// A Redshift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warehouse {
    /// Which it is.
    pub id: WarehouseId,
    /// The database.
    pub database: String,
    /// The ARN of the secret to connect with; without it the function connects with its role.
    pub secret: Option<String>,
    /// The ARN of the role by which COPY reads, or `default`.
    pub copy_role: String,
}

/// Which Redshift it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseId {
    /// A workgroup of Redshift Serverless.
    Workgroup(String),
    /// A cluster, with its user if neither a secret nor the function's role names it.
    Cluster {
        /// Its identifier.
        identifier: String,
        /// The user.
        user: Option<String>,
    },
}

/// The sizes and limits of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Of extract.
    pub extract: Size,
    /// Of transform.
    pub transform: Size,
    /// Of load: its timeout is short, since a message is invisible for as long, and the next message continues with a statement
    /// that still runs.
    pub load: Size,
    /// The number of tasks that are processed at once.
    pub transforms_max: usize,
    /// So often a message is received before it is among the dead letters.
    pub receives_max: u32,
    /// For how many of its function's timeouts a message is invisible; AWS advises six.
    pub visibility_timeouts: u32,
}

/// How much a function gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Its memory, in mebibytes.
    pub memory_mb: u32,
    /// How long a call may take, in seconds.
    pub timeout_seconds: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        let size = |memory_mb, timeout_seconds| Size { memory_mb, timeout_seconds };
        Self {
            extract: size(256, 300),
            // A task is 64 MiB of an object, or an object that cannot be cut, which may take as long as Lambda lets it.
            transform: size(512, 900),
            load: size(256, 120),
            transforms_max: 10,
            receives_max: 5,
            visibility_timeouts: 6,
        }
    }
}

impl Sizes {
    /// The size of a step's function.
    pub fn of(&self, step: Step) -> Size {
        match step {
            Step::Extract => self.extract,
            Step::Transform => self.transform,
            Step::Load => self.load,
        }
    }
}

/// What a pipeline is in an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The functions, in the order of the data: extract, transform, load.
    pub functions: [Function; 3],
    /// The schedules that call them.
    pub schedules: [Schedule; 2],
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its step.
    pub step: Step,
    /// Its name.
    pub name: String,
    /// How much it gets.
    pub size: Size,
    /// Its calls at once: those of its queue, and one for a schedule or a person.
    pub concurrency: usize,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// The queue that calls it.
    pub queue: Queue,
    /// How the queue calls it.
    pub mapping: Mapping,
    /// How often a call that nobody waits for is made again if it fails.
    pub retries: Retries,
    /// What it may do.
    pub permissions: Vec<Permission>,
}

/// A queue, and the queue of its dead letters, which is of the same type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// The name of the queue of its dead letters.
    pub dead_name: String,
    /// The URL of the queue of its dead letters.
    pub dead_url: String,
    /// Whether messages of a group come one at a time, in their order.
    pub is_fifo: bool,
    /// How long a message that was received is invisible to others, in seconds.
    pub visibility_seconds: u32,
    /// So often a message is received before it is among the dead letters.
    pub receives_max: u32,
    /// How long a message is kept, in seconds.
    pub kept_seconds: u32,
    /// How long a dead letter is kept, in seconds, from when its message was sent.
    pub dead_kept_seconds: u32,
}

/// How often something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// So often at most.
    pub attempts: u32,
    /// For so long at most, in seconds.
    pub age_seconds: u32,
}

/// How a queue calls a function. The function tells which messages of a batch have failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Messages of a call at most.
    pub batch_size: usize,
    /// How long a batch may wait for more messages, in seconds.
    pub window_seconds: u32,
    /// Calls at once at most.
    pub concurrency_max: usize,
    /// Whether the function may send to its own queue: Lambda would stop that after some rounds.
    pub allows_loops: bool,
}

/// A call by the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The step that is called.
    pub step: Step,
    /// When, as EventBridge Scheduler has it; nothing where the pipeline does not say when it runs.
    pub when: Option<String>,
    /// What the function is called with.
    pub input: String,
    /// The URL of the queue of what cannot be delivered. A sweep has none: the next one does the same.
    pub dead_url: Option<String>,
    /// How often it is tried to deliver it.
    pub retries: Retries,
}

/// Something that a function may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permission {
    /// With what lies below a prefix of the staging bucket.
    Store(&'static Prefix, &'static [Right]),
    /// With the objects of the source.
    Source(&'static [Right]),
    /// Receive and remove messages of a queue.
    Receive(String),
    /// Receive and remove messages of a queue, and give back those that were only looked at.
    LookThrough(String),
    /// Count the messages of a queue.
    Count(String),
    /// Ask how the staging bucket is set up.
    Bucket,
    /// Send messages to a queue.
    Send(String),
    /// Read the value of a secret.
    Secret(String),
    /// Tell a bus of loads.
    Tell(String),
    /// Run statements in the warehouse, and look at them.
    Statements(WarehouseId),
}

/// What a source is to the functions: it decides about their rights.
#[derive(Debug, Clone)]
struct Origin {
    /// Whether its objects lie in a store of its own.
    is_store: bool,
    /// Whether it lands in the store of what Etalon keeps.
    lands: bool,
    /// The names of the secrets that only whoever asks it reads.
    secrets: BTreeSet<String>,
}

impl Origin {
    fn of(pipeline: &Pipeline) -> Self {
        let lands = pipeline.location().lands();
        let secret = |asked: Placeholder<'_>| match asked {
            Placeholder::Secret(name) => Some(name.to_owned()),
            Placeholder::Variable(_) => None,
        };
        let others: BTreeSet<String> = pipeline.placeholders().filter_map(secret).collect();
        let own = pipeline.location().placeholders().filter_map(secret).filter(|name| lands && !others.contains(name));
        Self { is_store: !lands, lands, secrets: own.collect() }
    }

    /// Of the secrets of a pipeline file, those that a step reads.
    fn secrets_of<'a>(&self, step: Step, all: &'a BTreeMap<String, String>) -> Vec<(&'a String, &'a String)> {
        all.iter().filter(|(name, _)| step == Step::Extract || !self.secrets.contains(*name)).collect()
    }

    /// Whether anything lies below a prefix.
    fn fills(&self, prefix: &Prefix) -> bool {
        self.lands || ![CURSORS, TOKENS, BUDGETS, LANDED].contains(prefix)
    }
}

impl Deployment {
    /// What a pipeline is in an account.
    pub fn new(pipeline: &Pipeline, account: &Account, sizes: &Sizes) -> Self {
        Self::with(pipeline, &Origin::of(pipeline), account, sizes)
    }

    fn with(pipeline: &Pipeline, origin: &Origin, account: &Account, sizes: &Sizes) -> Self {
        let queues = Step::ALL.map(|step| Queue::new(step, account, sizes));
        let functions = Step::ALL.map(|step| Function::new(step, origin, account, sizes, &queues));
        let [extract, ..] = &queues;
        let starts = Schedule {
            name: account.name.clone(),
            step: Step::Extract,
            when: match pipeline.schedule() {
                Some(file::Schedule::Rate(when) | file::Schedule::Cron(when)) => Some(when.clone()),
                Some(file::Schedule::ObjectCreated) => Some(LISTING.to_owned()),
                None => None,
            },
            input: SCHEDULE_INPUT.to_owned(),
            dead_url: Some(extract.dead_url.clone()),
            retries: DELIVERED,
        };
        let sweep = Schedule {
            name: format!("{}-sweep", account.name),
            step: Step::Load,
            when: Some(SWEEP.to_owned()),
            input: SWEEP_INPUT.to_owned(),
            dead_url: None,
            retries: SWEEP_DELIVERED,
        };
        Self { functions, schedules: [starts, sweep] }
    }

    /// What somebody may do who operates the pipeline by the command: what extract does by his hand, and looking at the rest.
    pub fn operator(&self) -> Vec<Permission> {
        let [extract, transform, load] = &self.functions;
        // Tokens are read by who proves himself with them, and by nobody else.
        let looked_at = PREFIXES.iter().filter(|prefix| **prefix != TOKENS);
        let mut all: Vec<Permission> =
            looked_at.map(|prefix| Permission::Store(prefix, &[Right::List, Right::Read])).collect();
        // What extract does in the store and with the source.
        let is_of_operator = |permission: &&Permission| match permission {
            // The source is asked by its function.
            Permission::Store(prefix, _) => ![CURSORS, TOKENS, BUDGETS, LANDED].contains(prefix),
            Permission::Source(_) => true,
            _ => false,
        };
        all.extend(extract.permissions.iter().filter(is_of_operator).cloned());
        all.push(Permission::Bucket);
        for function in &self.functions {
            all.push(Permission::Count(function.queue.name.clone()));
            all.push(Permission::Send(function.queue.name.clone()));
            all.push(Permission::LookThrough(function.queue.dead_name.clone()));
        }
        let of_warehouse = |permission: &&Permission| matches!(permission, Permission::Statements(_));
        all.extend(load.permissions.iter().filter(of_warehouse).cloned());
        let secrets = [transform, load].into_iter().flat_map(|function| &function.permissions);
        for secret in secrets.filter(|permission| matches!(permission, Permission::Secret(_))) {
            if !all.contains(secret) {
                all.push(secret.clone());
            }
        }
        all
    }
}

impl Function {
    fn new(step: Step, origin: &Origin, account: &Account, sizes: &Sizes, queues: &[Queue; 3]) -> Self {
        let [starts, tasks, loads] = queues;
        let queue = match step {
            Step::Extract => starts,
            Step::Transform => tasks,
            Step::Load => loads,
        };
        let calls = if step == Step::Transform { sizes.transforms_max } else { CONCURRENCY_MIN };
        let environment = environment(step, origin, account, queue, queues);
        // It sends to whom it knows; to itself only where it hands on the rest of its work.
        let knows = |other: &&Queue| environment.values().any(|value| *value == other.url);
        let sends = queues.iter().filter(knows).filter(|other| *other != queue || step == Step::Extract);
        let sends: Vec<String> = sends.map(|other| other.name.clone()).chain([queue.dead_name.clone()]).collect();
        Self {
            step,
            name: format!("{}-{}", account.name, step.name()),
            size: sizes.of(step),
            concurrency: calls + 1,
            queue: queue.clone(),
            mapping: Mapping {
                // A task is a call of its own: it may be large.
                batch_size: if step == Step::Transform { 1 } else { BATCH_SIZE },
                window_seconds: 0,
                concurrency_max: calls.max(CONCURRENCY_MIN),
                // Extract keeps a limit of its own.
                allows_loops: step == Step::Extract,
            },
            retries: if step == Step::Load { SWEPT } else { CALLED },
            permissions: permissions(step, origin, account, queue, sends),
            environment,
        }
    }
}

impl Queue {
    fn new(step: Step, account: &Account, sizes: &Sizes) -> Self {
        let (kind, suffix) = match step {
            Step::Extract => ("extract", ""),
            Step::Transform => ("tasks", ""),
            Step::Load => ("load", ".fifo"),
        };
        let name = format!("{}-{kind}{suffix}", account.name);
        let dead_name = format!("{}-{kind}-dead{suffix}", account.name);
        Self {
            url: format!("{}{name}", account.queues),
            dead_url: format!("{}{dead_name}", account.queues),
            name,
            dead_name,
            is_fifo: !suffix.is_empty(),
            visibility_seconds: sizes.of(step).timeout_seconds * sizes.visibility_timeouts,
            receives_max: sizes.receives_max,
            kept_seconds: MESSAGES_KEPT_SECONDS,
            dead_kept_seconds: DEAD_KEPT_SECONDS,
        }
    }
}

/// The environment variables of a function.
fn environment(
    step: Step,
    origin: &Origin,
    account: &Account,
    own: &Queue,
    queues: &[Queue; 3],
) -> BTreeMap<String, String> {
    let [starts, tasks, loads] = queues.each_ref().map(|queue| Some(queue.url.clone()));
    let Warehouse { id, database, secret, copy_role } = account.warehouse.clone();
    let (workgroup, cluster, user) = match id {
        WarehouseId::Workgroup(name) => (Some(name), None, None),
        WarehouseId::Cluster { identifier, user } => (None, Some(identifier), user),
    };
    let values = [
        (setting::STAGING, Some(account.staging.clone())),
        (setting::SOURCE, account.source.clone()),
        (setting::MANIFEST, account.manifest.clone()),
        (setting::CERTIFICATES, account.certificates.clone()),
        (setting::DEAD_QUEUE, Some(own.dead_url.clone())),
        (setting::RECEIVES_MAX, Some(own.receives_max.to_string())),
        (setting::STARTS_QUEUE, starts),
        (setting::TASKS_QUEUE, tasks),
        (setting::LOADS_QUEUE, loads),
        (setting::EVENT_BUS, account.event_bus.clone()),
        (setting::DATABASE, Some(database)),
        (setting::WORKGROUP, workgroup),
        (setting::CLUSTER, cluster),
        (setting::DATABASE_USER, user),
        (setting::WAREHOUSE_SECRET, secret),
        (setting::COPY_ROLE, Some(copy_role)),
    ];
    let one = |(setting, value): (Setting, Option<String>)| {
        value.filter(|_| setting.is_of(step)).map(|value| (setting.name.to_owned(), value))
    };
    let mut environment: BTreeMap<String, String> = values.into_iter().filter_map(one).collect();
    environment.extend(account.variables.iter().map(|(name, value)| (setting::VARIABLE.of(name), value.clone())));
    let secrets = origin.secrets_of(step, &account.secrets);
    environment.extend(secrets.into_iter().map(|(name, arn)| (setting::SECRET.of(name), arn.clone())));
    environment
}

/// What a function may do.
fn permissions(step: Step, origin: &Origin, account: &Account, own: &Queue, sends: Vec<String>) -> Vec<Permission> {
    let store = PREFIXES.iter().filter(|prefix| origin.fills(prefix)).map(|prefix| (prefix, prefix.rights(step)));
    let store = store.filter(|(_, rights)| !rights.is_empty());
    let mut all: Vec<Permission> = store.map(|(prefix, rights)| Permission::Store(prefix, rights)).collect();
    match step {
        Step::Extract if origin.is_store => all.push(Permission::Source(&[Right::List, Right::Read])),
        Step::Transform if origin.is_store => all.push(Permission::Source(&[Right::Read])),
        Step::Extract | Step::Transform => {}
        Step::Load => {
            all.push(Permission::Statements(account.warehouse.id.clone()));
            all.push(Permission::Tell(account.event_bus.clone().unwrap_or_else(|| DEFAULT_BUS.to_owned())));
            all.extend(account.warehouse.secret.clone().map(Permission::Secret));
        }
    }
    all.push(Permission::Receive(own.name.clone()));
    all.extend(sends.into_iter().map(Permission::Send));
    all.extend(origin.secrets_of(step, &account.secrets).into_iter().map(|(_, arn)| Permission::Secret(arn.clone())));
    all
}
