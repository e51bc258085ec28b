//! Cost: what a pipeline costs in a month, from prices with their dates and sources, and from what was measured.
//!
//! Money is exact: whole numbers of a trillionth of a dollar. Quantities are rounded up. The estimate lists its assumptions,
//! and what makes the pipeline expensive.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::Sizes;
use super::monitoring::{ALARMS, METRICS, Seen};
use crate::pipeline::file::Schedule;
use crate::pipeline::{Pipeline, Placeholder};
use crate::plan::RANGE_BYTES;

/// The prices, each with its date and its source.
const PRICES: &str = include_str!("prices.json");
/// Parts of a dollar that money is counted in.
const PARTS: i128 = 1_000_000_000_000;
/// Decimal places of a part.
const PLACES: usize = 12;

/// Days of a month, and hours.
const DAYS: u64 = 30;
const HOURS: u64 = 730;
const GIB: u64 = 1 << 30;
/// What a processor reads, checks and stages in a second, as docs/guide/performance.md measures it.
const BYTES_PER_SECOND: u64 = 60 << 20;
/// What a processor reads, checks and stages in a second with pandas, and how much memory an object takes there: so many times
/// its size. docs/guide/performance.md measures both.
const PANDAS_BYTES_PER_SECOND: u64 = 15 << 20;
const PANDAS_TIMES: u64 = 8;
/// The fewest workers of a Glue job, each of 1 DPU with so many processors; a job is paid for so long at least.
const GLUE_DPU: u64 = 2;
const GLUE_PROCESSORS: u64 = 4;
const GLUE_SECONDS: u64 = 60;
/// The most memory of a function, in mebibytes.
const MEMORY_MB_MAX: u64 = 10_240;
/// The memory of a function that has one processor, in mebibytes.
const PROCESSOR_MB: u64 = 1769;
/// What each call of transform takes beside the reading, of extract for a run and for an object, of load, of a sweep.
const TASK_MS: u64 = 150;
const RUN_MS: u64 = 300;
const OBJECT_MS: u64 = 40;
const LOAD_MS: u64 = 20_000;
const SWEEP_MS: u64 = 60;
/// Requests to S3 for an object with one task: documents and marks that are written, and those that are read.
const OBJECT_WRITES: u64 = 12;
const OBJECT_READS: u64 = 14;
/// The same for a load, with its look at what waits.
const LOAD_WRITES: u64 = 6;
const LOAD_READS: u64 = 20;
/// Polls of an empty queue in a month, of each of three: five pollers, 20 seconds each.
const POLLS: u64 = 648_000;
const SWEEPS: u64 = DAYS * 24 * 12;
/// Staged parts are so many percent of the source, and live for so many days.
const STAGED_PERCENT: u64 = 30;
const STAGED_DAYS: u64 = 37;
/// An activation of Redshift Serverless is paid for so long at least.
const ACTIVATION_SECONDS: u64 = 60;
/// What a call logs.
const LOG_BYTES: u64 = 2048;
/// What a message has, which names what it is about; and how much of one SQS counts as a request.
const MESSAGE_BYTES: u64 = 2048;
const REQUEST_BYTES: u64 = 64 << 10;
/// Requests of a message: it is sent, received and removed.
const MESSAGE_REQUESTS: u64 = 3;
/// The node of a cluster that is priced, as Terraform's module creates it.
const NODE: &str = "ra3.large";

/// What a month is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that arrive in a day.
    pub bytes_per_day: u64,
    /// Objects that arrive in a day.
    pub objects_per_day: u64,
    /// Loads in a day. Several of one minute count once: they share the warehouse's waking.
    pub loads_per_day: u64,
    /// How long a load takes, in seconds.
    pub load_seconds: u64,
    /// The base capacity of Redshift Serverless, in RPU; 0 where the warehouse is a cluster, or is paid for already.
    pub rpu: u64,
    /// The nodes of a cluster; 0 where there is none.
    pub nodes: u64,
    /// Zones of interface endpoints, of all services together.
    pub endpoint_zones: u64,
    /// Whether there is a NAT gateway.
    pub has_nat: bool,
    /// Whether objects are encrypted with a key of one's own.
    pub has_key: bool,
    /// Whether the bucket has a key of its own that is made of that one.
    pub has_bucket_key: bool,
}

/// An amount of US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Usd(i128);

/// Something that is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The service.
    pub service: &'static str,
    /// What of it.
    pub what: &'static str,
    /// How much of it.
    pub quantity: u64,
    /// What it costs in a month.
    pub usd: Usd,
}

/// What a pipeline costs in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// What is paid for.
    pub lines: Vec<Line>,
    /// The sum.
    pub total: Usd,
    /// What was assumed.
    pub assumptions: Vec<String>,
    /// What makes it expensive, and what would make it cheaper.
    pub advice: Vec<String>,
    /// What reading, checking and staging costs here and elsewhere.
    pub beside: Vec<String>,
}

/// A price: so much for so many.
#[derive(Debug, Clone, Copy)]
struct Price {
    usd: Usd,
    per: u64,
}

impl Usd {
    /// Reads an amount such as `0.0000133334`.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let is_number = !whole.is_empty() && (whole.chars().chain(fraction.chars())).all(|c| c.is_ascii_digit());
        let digits = format!("{whole}{fraction:0<PLACES$}");
        digits.parse().ok().filter(|_| is_number && fraction.len() <= PLACES).map(Self)
    }

    /// In whole cents, rounded.
    fn cents(self) -> i128 {
        (self.0 + PARTS / 200).div_euclid(PARTS / 100)
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.cents();
        write!(f, "{}.{:02}", cents / 100, cents % 100)
    }
}

impl Price {
    /// What so many cost.
    fn of(self, quantity: u64) -> Usd {
        Usd((self.usd.0 * i128::from(quantity)).div_euclid(i128::from(self.per)))
    }
}

/// The prices' region, and the dates of the oldest and of the newest one.
fn dates(prices: &Value) -> (String, String, String) {
    let mut all: Vec<&str> =
        prices.as_object().into_iter().flatten().filter_map(|(_, price)| price["as_of"].as_str()).collect();
    all.sort_unstable();
    let date = |found: Option<&&str>| found.map_or_else(String::new, |date| (*date).to_owned());
    (prices["region"].as_str().unwrap_or_default().to_owned(), date(all.first()), date(all.last()))
}

/// What a month of a pipeline is made of.
#[derive(Debug, Clone, Copy)]
struct Month {
    bytes: u64,
    objects: u64,
    /// Calls of extract by the clock.
    scheduled: u64,
    /// Calls of extract; each lists its source, or brings an object.
    runs: u64,
    tasks: u64,
    loads: u64,
    /// What the loads were limited by, if they were.
    limit: Option<&'static str>,
}

impl Month {
    fn new(pipeline: &Pipeline, usage: &Usage) -> Self {
        let (bytes, objects) = (usage.bytes_per_day * DAYS, usage.objects_per_day * DAYS);
        let (scheduled, runs) = match pipeline.schedule() {
            // New objects start it, and once a day the clock does.
            Some(Schedule::ObjectCreated) => (DAYS, objects + DAYS),
            Some(schedule) => (schedule.firings(DAYS), schedule.firings(DAYS)),
            // Somebody starts it, perhaps once a day.
            None => (0, DAYS),
        };
        // What was not read is not loaded, and the file may bound how often it loads.
        let by_runs = if pipeline.schedule().is_some() { "the schedule" } else { "one run a day" };
        let limits = [
            (runs, by_runs),
            (pipeline.load_every().map_or(u64::MAX, |minutes| (DAYS * 24 * 60).div_ceil(minutes)), "`load_every`"),
        ];
        let asked = usage.loads_per_day * DAYS;
        let least = limits.into_iter().filter(|(most, _)| *most < asked).min_by_key(|(most, _)| *most);
        let (loads, limit) = least.map_or((asked, None), |(most, by)| (most, Some(by)));
        Self { bytes, objects, scheduled, runs, tasks: objects.max(bytes.div_ceil(RANGE_BYTES)), loads, limit }
    }

    /// Requests to SQS for messages, beside those that find none.
    fn message_requests(&self) -> (u64, u64) {
        (MESSAGE_REQUESTS * (self.tasks + self.runs), MESSAGE_REQUESTS * (self.objects + self.loads))
    }
}

/// The secrets that a pipeline file names.
fn secrets(pipeline: &Pipeline) -> u64 {
    let name = |asked: Placeholder<'_>| match asked {
        Placeholder::Secret(name) => Some(name.to_owned()),
        Placeholder::Variable(_) => None,
    };
    let all = pipeline.location().placeholders().chain(pipeline.placeholders());
    all.filter_map(name).collect::<BTreeSet<_>>().len() as u64
}

impl Estimate {
    /// What a pipeline costs in a month.
    pub fn new(pipeline: &Pipeline, usage: &Usage) -> Self {
        // What is not a price is a mistake that a test finds.
        let prices: Value = serde_json::from_str(PRICES).unwrap_or_default();
        let price = |name: &str| Price {
            usd: prices[name]["usd"].as_str().and_then(Usd::parse).unwrap_or_default(),
            per: prices[name]["per"].as_u64().unwrap_or(1).max(1),
        };
        let sizes = Sizes::default();
        let month = Month::new(pipeline, usage);
        let Month { bytes, objects, scheduled, runs, tasks, loads, .. } = month;
        let calls = tasks + runs + loads + SWEEPS;
        let gb_seconds = |milliseconds: u64, memory_mb: u64| (milliseconds * memory_mb).div_ceil(1024 * 1000);
        let small = |milliseconds: u64, memory_mb: u32| gb_seconds(milliseconds, memory_mb.into());
        let reading = gb_seconds((bytes * 1000).div_ceil(BYTES_PER_SECOND), PROCESSOR_MB);
        let transform = reading + small(tasks * TASK_MS, sizes.transform.memory_mb);
        let lambda = transform
            + small(runs * RUN_MS + objects * OBJECT_MS, sizes.extract.memory_mb)
            + small(loads * LOAD_MS + SWEEPS * SWEEP_MS, sizes.load.memory_mb);
        let writes = objects * OBJECT_WRITES + loads * LOAD_WRITES;
        let reads = objects * OBJECT_READS + loads * LOAD_READS + bytes.div_ceil(16 << 20);
        let gib = |bytes: u64| bytes.div_ceil(GIB);
        // An event brings its object with it.
        let listings = runs.min(scheduled.max(DAYS));
        // Objects go through the endpoint of S3, which costs nothing.
        let through = gib(calls * MESSAGE_BYTES);
        let staged_per_day = usage.bytes_per_day * STAGED_PERCENT / 100;
        let metrics: usize = METRICS.iter().map(|metric| metric.steps.len()).sum();
        let alarms: usize = ALARMS
            .iter()
            .map(|alarm| match alarm.seen {
                Seen::Etalon(_, steps) => steps.len(),
                // Its alarm looks at two metrics.
                Seen::Rejects => 2,
                Seen::Function(_) | Seen::Queue(_) | Seen::DeadQueue(_) => 3,
            })
            .sum();
        let awake = loads * usage.load_seconds.max(ACTIVATION_SECONDS);
        let (messages, messages_fifo) = month.message_requests();
        let (secrets, logged) = (secrets(pipeline), gib(calls * LOG_BYTES));
        // A bucket's key is asked for at intervals, and else the key for each object.
        let key_requests = if usage.has_bucket_key { calls } else { writes + reads };
        let rows: [(&str, &str, &str, u64); 26] = [
            ("Lambda", "GB-seconds, arm64", "lambda_arm64_gb_second", lambda),
            ("Lambda", "calls", "lambda_request", calls),
            ("S3", "writes and listings", "s3_write", writes + listings),
            ("S3", "reads", "s3_read", reads),
            ("S3", "GB kept for a month", "s3_gb_month", gib(staged_per_day * STAGED_DAYS)),
            ("SQS", "requests", "sqs_request", 2 * POLLS + messages),
            ("SQS", "requests, FIFO", "sqs_fifo_request", POLLS + messages_fifo),
            ("Scheduler", "calls", "scheduler_call", scheduled + SWEEPS),
            ("EventBridge", "events of loads", "event", loads),
            ("Redshift", "RPU-hours", "redshift_rpu_hour", (awake * usage.rpu).div_ceil(3600)),
            ("Redshift", "hours of nodes", "redshift_node_hour", usage.nodes * HOURS),
            ("Redshift", "GB kept, after the first month", "redshift_gb_month", gib(staged_per_day * DAYS)),
            ("CloudWatch", "metrics", "metric_month", metrics as u64),
            ("CloudWatch", "alarms", "alarm_month", alarms as u64),
            ("CloudWatch", "composite alarms", "composite_alarm_month", 1),
            ("CloudWatch", "dashboards", "dashboard_month", 1),
            ("CloudWatch", "GB of logs", "log_gb", logged),
            ("CloudWatch", "GB of logs kept", "log_gb_month", logged),
            ("KMS", "keys", "kms_key_month", usage.has_key.into()),
            ("KMS", "requests", "kms_request", if usage.has_key { key_requests } else { 0 }),
            ("Secrets Manager", "secrets", "secret_month", secrets),
            ("Secrets Manager", "calls", "secret_call", secrets * runs),
            ("Network", "hours of endpoints and zones", "endpoint_zone_hour", usage.endpoint_zones * HOURS),
            ("Network", "GB through endpoints", "endpoint_gb", if usage.endpoint_zones > 0 { through } else { 0 }),
            ("Network", "hours of NAT", "nat_hour", if usage.has_nat { HOURS } else { 0 }),
            ("Network", "GB through NAT", "nat_gb", if usage.has_nat { gib(bytes) } else { 0 }),
        ];
        let line = |&(service, what, name, quantity): &(&'static str, &'static str, &str, u64)| Line {
            service,
            what,
            quantity,
            usd: price(name).of(quantity),
        };
        let lines: Vec<Line> = rows.iter().filter(|(.., quantity)| *quantity > 0).map(line).collect();
        let total = Usd(lines.iter().map(|line| line.usd.0).sum());
        let (region, oldest, newest) = dates(&prices);
        let mut assumptions = vec![
            format!("list prices of {region}, of {oldest} to {newest}, without tax and free tiers"),
            format!(
                "a processor reads {} MiB a second; staged parts are {STAGED_PERCENT} % of the source and kept for {STAGED_DAYS} days",
                BYTES_PER_SECOND >> 20
            ),
            format!(
                "{runs} runs, {tasks} tasks and {loads} loads a month; a load takes {} seconds",
                usage.load_seconds
            ),
            format!(
                "a message names what it is about: {} KiB of the {} KiB that SQS counts as a request",
                MESSAGE_BYTES >> 10,
                REQUEST_BYTES >> 10
            ),
        ];
        if let Some(by) = month.limit {
            assumptions.push(format!("{by} allows {loads} loads a month, fewer than {} a day", usage.loads_per_day));
        }
        if usage.nodes > 0 {
            assumptions.push(format!("a node of a cluster is a {NODE}, and runs all the time"));
        }
        Self {
            advice: advice(usage, &month, &price, awake, writes + reads),
            beside: beside(&month, usage, &price, transform),
            lines,
            total,
            assumptions,
        }
    }
}

/// What reading, checking and staging costs here and elsewhere; everything else costs the same there. `transform` is in GB-seconds.
fn beside(month: &Month, usage: &Usage, price: &impl Fn(&str) -> Price, transform: u64) -> Vec<String> {
    let Month { bytes, objects, loads: jobs, .. } = *month;
    let object_mb = (usage.bytes_per_day / usage.objects_per_day.max(1)).div_ceil(1 << 20);
    let memory_mb = (object_mb * PANDAS_TIMES).max(PROCESSOR_MB);
    let milliseconds = (bytes * 1000).div_ceil(PANDAS_BYTES_PER_SECOND) + objects * TASK_MS;
    let pandas = price("lambda_arm64_gb_second").of((milliseconds * memory_mb).div_ceil(1024 * 1000));
    let pandas = if memory_mb > MEMORY_MB_MAX {
        format!(
            "a function with pandas: not at all, an object of {object_mb} MiB takes {PANDAS_TIMES} times its size in memory"
        )
    } else {
        format!(
            "a function with pandas: {pandas} USD, reading {} MiB a second; an object takes {PANDAS_TIMES} times its size in memory",
            PANDAS_BYTES_PER_SECOND >> 20
        )
    };
    let working = bytes.div_ceil(PANDAS_BYTES_PER_SECOND * GLUE_DPU * GLUE_PROCESSORS);
    let seconds = working.max(jobs * GLUE_SECONDS);
    let glue = price("glue_dpu_hour").of((seconds * GLUE_DPU).div_ceil(3600));
    vec![
        format!("transform: {} USD", price("lambda_arm64_gb_second").of(transform)),
        pandas,
        format!(
            "Glue: {glue} USD, {jobs} jobs of {GLUE_DPU} DPU, each paid for {GLUE_SECONDS} seconds at least, each of {} processors as \
             quick as pandas",
            GLUE_DPU * GLUE_PROCESSORS
        ),
    ]
}

/// What makes it expensive. `object_requests` are those to S3 about objects.
fn advice(
    usage: &Usage,
    month: &Month,
    price: &impl Fn(&str) -> Price,
    awake: u64,
    object_requests: u64,
) -> Vec<String> {
    let mut advice = Vec::new();
    let hourly = 24 * DAYS;
    if usage.rpu > 0 && month.loads > hourly {
        let less = hourly * usage.load_seconds.max(ACTIVATION_SECONDS);
        let cost = |seconds: u64| price("redshift_rpu_hour").of((seconds * usage.rpu).div_ceil(3600));
        advice.push(format!(
            "each load alone wakes the warehouse for {ACTIVATION_SECONDS} paid seconds at least: {} loads a day cost {} USD, one an \
             hour {} USD",
            month.loads.div_ceil(DAYS),
            cost(awake),
            cost(less)
        ));
    }
    if usage.rpu > 4 {
        let times = usage.rpu / 4;
        advice.push(format!("4 RPU are the least that there are; {} cost {times} times as much", usage.rpu));
    }
    if usage.objects_per_day > 0 && usage.bytes_per_day / usage.objects_per_day < 1 << 20 {
        advice.push(
            "objects of less than 1 MiB: their requests cost more than their bytes; write fewer, larger ones"
                .to_owned(),
        );
    }
    let (messages, messages_fifo) = month.message_requests();
    if messages + messages_fifo > 3 * POLLS {
        let cost = Usd(price("sqs_request").of(messages).0 + price("sqs_fifo_request").of(messages_fifo).0);
        advice.push(format!(
            "SQS counts each {} KiB that are sent or received as a request, and a message of {} KiB as one: {} requests for messages \
             cost {cost} USD; write fewer, larger objects",
            REQUEST_BYTES >> 10,
            MESSAGE_BYTES >> 10,
            messages + messages_fifo
        ));
    }
    if usage.has_key && !usage.has_bucket_key {
        let cost = price("kms_request").of(object_requests);
        advice.push(format!(
            "without a bucket key each of {object_requests} requests for an object asks KMS for the key, which costs {cost} USD; with \
             one S3 asks now and then"
        ));
    }
    if usage.has_nat {
        advice.push("a NAT gateway is paid for by the hour and by the byte; S3's endpoint is free, and a source in S3 needs no network".to_owned());
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_shown_in_cents() {
        let usd = |text: &str| Usd::parse(text).expect("an amount");
        assert_eq!(usd("0.0000133334").0, 13_333_400);
        assert_eq!(usd("3").0, 3 * PARTS);
        assert_eq!([usd("0.005"), usd("0.004999"), usd("144")].map(|usd| usd.to_string()), ["0.01", "0.00", "144.00"]);
        for wrong in ["", ".5", "1,5", "-1", "0.0000000000001"] {
            assert_eq!(Usd::parse(wrong), None, "{wrong}");
        }
        let price = Price { usd: usd("0.20"), per: 1_000_000 };
        assert_eq!(price.of(5).0, 1_000_000);
    }

    #[test]
    fn each_price_has_a_date_and_a_source() {
        let prices: Value = serde_json::from_str(PRICES).expect("JSON");
        for (name, price) in prices.as_object().expect("prices") {
            if name == "region" {
                continue;
            }
            assert!(price["usd"].as_str().and_then(Usd::parse).is_some_and(|usd| usd > Usd::default()), "{name}");
            assert!(price["per"].as_u64().is_some_and(|per| per > 0), "{name}");
            assert!(price["as_of"].as_str().is_some_and(|date| date.len() == 10), "{name}");
            assert!(price["source"].as_str().is_some_and(|source| !source.is_empty()), "{name}");
        }
    }
}
