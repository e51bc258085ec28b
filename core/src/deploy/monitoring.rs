//! Monitoring: the metrics of the functions, the alarms, and the dashboard. The files in `terraform/monitoring` are generated
//! from here, and Terraform reads them.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::protocol::Step;

use Step::{Extract, Load, Transform};

/// The default namespace of the metrics.
pub const NAMESPACE: &str = "Etalon";

/// A metric of the functions, with the dimensions `Pipeline` and `Step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its unit; empty if it is a count.
    pub unit: &'static str,
    /// The functions that write it.
    pub steps: &'static [Step],
}

const fn metric(name: &'static str, unit: &'static str, steps: &'static [Step]) -> Metric {
    Metric { name, unit, steps }
}

const ALL: &[Step] = &Step::ALL;

/// All metrics.
pub const METRICS: &[Metric] = &[
    metric("Latency", "ms", ALL),
    metric("ColdStarts", "", ALL),
    metric("Beginning", "ms, of a start", ALL),
    metric("MessagesAgain", "", ALL),
    metric("MessagesDead", "", ALL),
    metric("DocumentsUnreadable", "", &[Extract, Load]),
    metric("EventsDropped", "", &[Extract]),
    metric("WindowsLanded", "", &[Extract]),
    metric("RowsLanded", "", &[Extract]),
    metric("BytesLanded", "", &[Extract]),
    metric("InputsPlanned", "", &[Extract]),
    metric("BytesPlanned", "", &[Extract]),
    metric("RowsRead", "", &[Transform]),
    metric("RowsStaged", "", &[Transform]),
    metric("RowsFiltered", "", &[Transform]),
    metric("RowsQuarantined", "", &[Transform]),
    metric("BytesRead", "", &[Transform]),
    metric("Residue", "", &[Transform, Load]),
    metric("UnitsHeld", "", ALL),
    metric("Loads", "", &[Load]),
    metric("LoadsFailed", "", &[Load]),
    metric("HoldsBraked", "", &[Load]),
    metric("RowsInserted", "", &[Load]),
    metric("RowsUpdated", "", &[Load]),
    metric("RowsUnchanged", "", &[Load]),
    metric("RowsDeduplicated", "", &[Load]),
    metric("RowsSuperseded", "", &[Load]),
    metric("RowsDeleted", "", &[Load]),
    metric("AgeOfData", "s", &[Load]),
];

/// What an alarm looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A metric of Etalon, of each of some steps.
    Etalon(&'static str, &'static [Step]),
    /// So many percent of the records that transform has read are in quarantine.
    Rejects,
    /// A metric of Lambda, of each function.
    Function(&'static str),
    /// A metric of SQS, of each queue.
    Queue(&'static str),
    /// A metric of SQS, of each dead-letter queue.
    DeadQueue(&'static str),
}

/// The threshold at which an alarm goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// More than so many.
    Over(u32),
    /// More than the percentage of rejects that the deployment allows.
    OverRejects,
    /// More than so many percent of the function's timeout.
    OverTimeout(u32),
    /// More than the age that the pipeline's data may have; no alarm if no age is set.
    OverAge,
    /// None within the age that the pipeline's data may have; no alarm if no age is set.
    NoneWithinAge,
}

/// An alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alarm {
    /// Its name, behind the pipeline's; a headline of the troubleshooting guide begins with it.
    pub name: &'static str,
    /// What it looks at.
    pub seen: Seen,
    /// How the values of a period are combined.
    pub statistic: &'static str,
    /// A period, in seconds.
    pub period_seconds: u32,
    /// So many periods in a row.
    pub periods: u32,
    /// From when on.
    pub threshold: Threshold,
    /// What it means.
    pub says: &'static str,
}

const fn alarm(
    name: &'static str,
    seen: Seen,
    (statistic, period_seconds, periods): (&'static str, u32, u32),
    threshold: Threshold,
    says: &'static str,
) -> Alarm {
    Alarm { name, seen, statistic, period_seconds, periods, threshold, says }
}

/// The alarms of a pipeline.
pub const ALARMS: &[Alarm] = &[
    alarm(
        "residue",
        Seen::Etalon("Residue", &[Transform, Load]),
        ("Sum", 300, 1),
        Threshold::Over(0),
        "The counts of rows do not add up. This is a bug in Etalon.",
    ),
    alarm(
        "stale",
        Seen::Etalon("Loads", &[Load]),
        ("Sum", 60, 1),
        Threshold::NoneWithinAge,
        "Nothing was loaded for longer than the data may be old.",
    ),
    alarm(
        "age",
        Seen::Etalon("AgeOfData", &[Load]),
        ("Maximum", 300, 1),
        Threshold::OverAge,
        "Data was older than allowed when it was loaded.",
    ),
    alarm(
        "held",
        Seen::Etalon("UnitsHeld", ALL),
        ("Sum", 300, 1),
        Threshold::Over(0),
        "A unit is held: it is staged and not loaded until somebody decides.",
    ),
    alarm(
        "rejects",
        Seen::Rejects,
        ("Sum", 300, 1),
        Threshold::Over(0),
        "Too many of the records that were read are in quarantine.",
    ),
    alarm(
        "load-failed",
        Seen::Etalon("LoadsFailed", &[Load]),
        ("Sum", 300, 3),
        Threshold::Over(0),
        "The warehouse has refused loads for a quarter of an hour.",
    ),
    alarm(
        "braked",
        Seen::Etalon("HoldsBraked", &[Load]),
        ("Sum", 300, 1),
        Threshold::Over(0),
        "Loads fail one after the other; no more units are held, and loads of the table wait.",
    ),
    alarm(
        "unreadable",
        Seen::Etalon("DocumentsUnreadable", &[Extract, Load]),
        ("Sum", 300, 1),
        Threshold::Over(0),
        "A document in the staging bucket cannot be read. What it is about waits, and everything else continues.",
    ),
    alarm(
        "dead-letters",
        Seen::DeadQueue("ApproximateNumberOfMessagesVisible"),
        ("Maximum", 60, 1),
        Threshold::Over(0),
        "A message is in the dead-letter queue, with its reason.",
    ),
    alarm(
        "waiting",
        Seen::Queue("ApproximateAgeOfOldestMessage"),
        ("Maximum", 60, 15),
        Threshold::Over(3600),
        "A message has waited for more than an hour.",
    ),
    alarm("errors", Seen::Function("Errors"), ("Sum", 60, 3), Threshold::Over(0), "Calls of the function fail."),
    alarm(
        "throttles",
        Seen::Function("Throttles"),
        ("Sum", 60, 5),
        Threshold::Over(0),
        "More calls are made than the function may run at once.",
    ),
    alarm(
        "slow",
        Seen::Function("Duration"),
        ("Maximum", 60, 3),
        Threshold::OverTimeout(80),
        "Calls of the function take nearly as long as they may.",
    ),
];

/// `terraform/monitoring/alarms.yaml`.
pub fn alarms() -> String {
    let mut text = String::from(
        "# The alarms of a pipeline. Made from core/src/deploy/monitoring.rs; do not edit.\n\
         #\n\
         # `each`: there is an alarm for each of these. A `threshold` is in the metric's unit, `threshold_timeout` in percent of the\n\
         # function's timeout; `threshold_age` is how old the pipeline's data may be, and `none_within_age` looks at as long a time;\n\
         # `threshold_rejects` is the percentage of rejects that the deployment allows.\n",
    );
    for alarm in ALARMS {
        let Alarm { name, seen, statistic, period_seconds, periods, threshold, says } = alarm;
        let steps = |steps: &[Step]| steps.iter().map(|step| step.name()).collect::<Vec<_>>().join(", ");
        let (namespace, metric, each, of) = match seen {
            Seen::Etalon(metric, of) => (NAMESPACE, *metric, "step", steps(of)),
            Seen::Rejects => (NAMESPACE, "100 * RowsQuarantined / RowsRead", "step", steps(&[Transform])),
            Seen::Function(metric) => ("AWS/Lambda", *metric, "function", steps(ALL)),
            Seen::Queue(metric) => ("AWS/SQS", *metric, "queue", steps(ALL)),
            Seen::DeadQueue(metric) => ("AWS/SQS", *metric, "dead_queue", steps(ALL)),
        };
        let threshold = match threshold {
            Threshold::OverRejects => "threshold_rejects: true".to_owned(),
            Threshold::Over(number) => format!("threshold: {number}"),
            Threshold::OverTimeout(percent) => format!("threshold_timeout: {percent}"),
            Threshold::OverAge => "threshold_age: true".to_owned(),
            Threshold::NoneWithinAge => "none_within_age: true".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{name}:\n  says: {}\n  namespace: {namespace}\n  metric: {metric}\n  each: {each}\n  steps: [{of}]\n  \
             statistic: {statistic}\n  period_seconds: {period_seconds}\n  periods: {periods}\n  {threshold}\n  \
             page: docs/guide/troubleshooting.md#{name}",
            json!(says),
        );
    }
    text
}

/// A question to the logs of a pipeline's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Its name, behind the pipeline's.
    pub name: &'static str,
    /// What it answers.
    pub says: &'static str,
    /// Its parts, in the language of CloudWatch Logs Insights.
    pub parts: &'static [&'static str],
}

/// The latest errors.
const WRONG: &[&str] = &[
    "filter level in ['ERROR', 'WARN']",
    "sort @timestamp desc",
    "limit 20",
    "display @timestamp, level, message, error, words",
];

/// Why records are rejected; a record with two reasons counts for both.
const REASONS: &[&str] = &[
    "filter message = 'rejected'",
    "stats sum(records) as rejects by reason, source",
    "sort rejects desc",
    "limit 20",
];

/// The saved queries over the logs.
pub const QUERIES: &[Query] = &[
    Query { name: "wrong", says: "What went wrong last", parts: WRONG },
    Query {
        name: "loads",
        says: "What was loaded, and the outcomes of the rows",
        parts: &[
            "filter message = 'loaded'",
            "sort @timestamp desc",
            "limit 100",
            "display @timestamp, load, units, staged, inserted, updated, unchanged, deduplicated, superseded, deleted",
        ],
    },
    Query { name: "reasons", says: "Why records are rejected, by object", parts: REASONS },
    Query {
        name: "rejects",
        says: "Which objects have the most rejects",
        parts: &[
            "filter message = 'transformed' and quarantined > 0",
            "stats sum(quarantined) as rejects, sum(read) as records by source",
            "sort rejects desc",
            "limit 100",
        ],
    },
    Query {
        name: "again",
        says: "Which messages were received again or became dead letters, and why",
        parts: &[
            "filter message in ['the message comes again', 'the message is dead']",
            "stats count(*) as times, max(received) as receives by error",
            "sort times desc",
        ],
    },
    Query {
        name: "sizes",
        says: "How much of their memory and time calls take, by function",
        parts: &[
            "filter type = 'platform.report'",
            "stats count(*) as calls, max(record.metrics.maxMemoryUsedMB) as memory_mb, max(record.metrics.durationMs) as longest_ms, \
             pct(record.metrics.durationMs, 50) as usual_ms, sum(record.metrics.billedDurationMs) as paid_ms by @log",
        ],
    },
];

/// `terraform/monitoring/queries.yaml`.
pub fn queries() -> String {
    let mut text = String::from(
        "# Questions to the logs of a pipeline's functions, for CloudWatch Logs Insights. Made from core/src/deploy/monitoring.rs; do\n\
         # not edit.\n",
    );
    for Query { name, says, parts } in QUERIES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}:\n  says: {}\n  query: {}", json!(says), json!(parts.join(" | ")));
    }
    text
}

/// `terraform/monitoring/dashboard.json`: the most important widgets come first. `{name}` stands for the prefix of the names of
/// functions and queues, `{pipeline}` for the pipeline, `{namespace}` for the namespace of the metrics, `{region}` for the region,
/// `{workgroup}` for that of Redshift Serverless.
pub fn dashboard() -> String {
    let etalon = |metric: &str, step: Step, statistic: &str, label: &str| json!(["{namespace}", metric, "Pipeline", "{pipeline}", "Step", step.name(), { "stat": statistic, "label": label }]);
    let function = |metric: &str, step: Step, statistic: &str| {
        let name = format!("{{name}}-{}", step.name());
        json!(["AWS/Lambda", metric, "FunctionName", name, { "stat": statistic, "label": step.name() }])
    };
    let queue = |metric: &str, name: &str, statistic: &str| json!(["AWS/SQS", metric, "QueueName", format!("{{name}}-{name}"), { "stat": statistic, "label": name }]);
    let outcomes = ["Inserted", "Updated", "Unchanged", "Deduplicated", "Superseded", "Deleted"];
    let rows = |kinds: &[&str], step: Step| -> Vec<Value> {
        kinds.iter().map(|kind| etalon(&format!("Rows{kind}"), step, "Sum", &kind.to_lowercase())).collect()
    };
    let log_of = |steps: &[Step], parts: &[&str]| {
        let groups: Vec<String> =
            steps.iter().map(|step| format!("SOURCE '/aws/lambda/{{name}}-{}'", step.name())).collect();
        format!("{} | {}", groups.join(" | "), parts.join(" | "))
    };
    let widgets = [
        (
            "Is it fresh? Age of data when it was loaded (s)",
            "timeSeries",
            vec![etalon("AgeOfData", Load, "Maximum", "age")],
        ),
        (
            "Does the sum balance? What is not accounted for",
            "singleValue",
            vec![etalon("Residue", Transform, "Sum", "of transform"), etalon("Residue", Load, "Sum", "of load")],
        ),
        ("What was read", "timeSeries", rows(&["Read", "Staged", "Filtered", "Quarantined"], Transform)),
        ("What became of staged rows", "timeSeries", rows(&outcomes, Load)),
        (
            "What waits (messages)",
            "timeSeries",
            ["extract", "tasks", "load.fifo"]
                .map(|name| queue("ApproximateNumberOfMessagesVisible", name, "Maximum"))
                .into(),
        ),
        (
            "What is dead (messages), what is held (units)",
            "timeSeries",
            ["extract-dead", "tasks-dead", "load-dead.fifo"]
                .map(|name| queue("ApproximateNumberOfMessagesVisible", name, "Maximum"))
                .into_iter()
                .chain(Step::ALL.map(|step| etalon("UnitsHeld", step, "Sum", &format!("held by {}", step.name()))))
                .collect(),
        ),
        (
            "Loads, and those that failed",
            "timeSeries",
            vec![etalon("Loads", Load, "Sum", "loads"), etalon("LoadsFailed", Load, "Sum", "failed")],
        ),
        ("Errors of functions", "timeSeries", Step::ALL.map(|step| function("Errors", step, "Sum")).into()),
        ("How long calls take (ms)", "timeSeries", Step::ALL.map(|step| function("Duration", step, "p90")).into()),
        (
            "What is paid for: time of functions (ms), calls of each",
            "timeSeries",
            Step::ALL
                .iter()
                .flat_map(|step| [function("Duration", *step, "Sum"), function("Invocations", *step, "Sum")])
                .collect(),
        ),
        (
            "What the warehouse is paid for, whoever uses it (RPU-seconds, Redshift Serverless)",
            "timeSeries",
            vec![json!([
                "AWS/Redshift-Serverless", "ComputeSeconds", "Workgroup", "{workgroup}",
                { "stat": "Sum", "label": "{workgroup}" }
            ])],
        ),
    ];
    let placed = |(position, (title, view, metrics)): (usize, (&str, &str, Vec<Value>))| {
        json!({
            "type": "metric", "x": position % 2 * 12, "y": position / 2 * 6, "width": 12, "height": 6,
            "properties": {
                "title": title, "view": view, "region": "{region}", "period": 300, "metrics": metrics,
                "stacked": false,
            },
        })
    };
    let below = widgets.len().div_ceil(2) * 6;
    let mut widgets: Vec<Value> = widgets.into_iter().enumerate().map(placed).collect();
    let logs =
        [("What is rejected, and why", log_of(&[Transform], REASONS)), ("What went wrong last", log_of(ALL, WRONG))];
    widgets.extend(logs.into_iter().enumerate().map(|(position, (title, query))| {
        json!({
            "type": "log", "x": 0, "y": below + position * 6, "width": 24, "height": 6,
            "properties": { "title": title, "view": "table", "region": "{region}", "query": query },
        })
    }));
    format!("{:#}\n", json!({ "start": "-P1D", "periodOverride": "inherit", "widgets": widgets }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn alarms_and_dashboard_know_only_what_is_measured() {
        for alarm in ALARMS {
            if let Seen::Etalon(name, steps) = alarm.seen {
                let known = METRICS.iter().find(|metric| metric.name == name).expect("a metric");
                assert!(steps.iter().all(|step| known.steps.contains(step)), "{}", alarm.name);
            }
        }
        let dashboard: Value = serde_json::from_str(&dashboard()).expect("JSON");
        let mut seen = 0;
        for widget in dashboard["widgets"].as_array().expect("widgets") {
            for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
                if metric[0] == "{namespace}" {
                    let is_told = |known: &&Metric| {
                        metric[1] == known.name && known.steps.iter().any(|step| metric[5] == step.name())
                    };
                    assert!(METRICS.iter().any(|known| is_told(&known)), "{metric}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 10);
    }

    #[test]
    fn an_alarm_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ALARMS.iter().map(|alarm| alarm.name).collect();
        assert_eq!(names.len(), ALARMS.len());
    }
}
