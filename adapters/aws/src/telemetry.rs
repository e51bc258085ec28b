//! Telemetry: logs as lines of JSON, and metrics in CloudWatch's embedded metric format, both on standard output.
//!
//! Logs contain ids, names and numbers; never a row's content, never a setting's value. The dimensions of metrics are the
//! pipeline and the step, and nothing that is different every time, since each combination costs money.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use etalon_core::protocol::{UnitState, Window};
use etalon_driver::ports::{Fact, Witness};
use serde_json::{Map, Value, json};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The most values of one metric in one line; later ones are left out of a distribution, never out of a sum.
const VALUES_MAX: usize = 100;
/// The most reasons of rejects that are logged of a task: those that most of its records have.
const REASONS_MAX: usize = 20;

/// Begins to log. The level is the one that Lambda is told to log (`AWS_LAMBDA_LOG_LEVEL`); of others' crates, warnings.
pub fn log(level: Option<&str>) {
    let level = level.and_then(|level| level.to_ascii_lowercase().parse().ok()).unwrap_or(LevelFilter::INFO);
    let others = level.min(LevelFilter::WARN);
    let targets = Targets::new().with_default(others).with_target("etalon", level);
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_target(false).with_span_list(false);
    // Somebody else may log already: then they do.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}

/// A metric's unit, and how values of one call become one line.
#[derive(Debug, Clone, PartialEq)]
enum Metric {
    Count(u64),
    Bytes(u64),
    Seconds(Vec<f64>),
    Milliseconds(Vec<f64>),
}

/// What one call of a function has to tell.
#[derive(Debug)]
pub struct Telemetry {
    namespace: String,
    pipeline: String,
    step: &'static str,
    /// The time of the call, in microseconds since 1970.
    now: i64,
    metrics: Mutex<BTreeMap<&'static str, Metric>>,
}

impl Telemetry {
    /// Nothing told yet. `now` is the time of the call in microseconds since 1970.
    pub fn new(namespace: &str, pipeline: &str, step: &'static str, now: i64) -> Self {
        let metrics = Mutex::new(BTreeMap::new());
        Self { namespace: namespace.to_owned(), pipeline: pipeline.to_owned(), step, now, metrics }
    }

    /// Adds to a count.
    pub fn count(&self, name: &'static str, count: u64) {
        self.add(name, Metric::Count(count));
    }

    /// Adds a duration of some milliseconds.
    pub fn milliseconds(&self, name: &'static str, milliseconds: f64) {
        self.add(name, Metric::Milliseconds(vec![milliseconds]));
    }

    /// Tells of an event that starts nothing: where its object lies, and where those of the pipeline do.
    pub fn dropped(&self, elsewhere: &str, source: &str) {
        tracing::warn!(elsewhere, source, "the event's object is none of the pipeline's source; the event is dropped");
        self.count("EventsDropped", 1);
    }

    /// Tells what has landed of a source that is no store, and what somebody should look at.
    fn landed(&self, windows: &[Window], words: &[String]) {
        for Window { name, rows, pieces, .. } in windows {
            let bytes: u64 = pieces.iter().map(|piece| piece.size).sum();
            tracing::info!(window = name, rows, bytes, "landed");
            self.count("WindowsLanded", 1);
            self.count("RowsLanded", *rows);
            self.add("BytesLanded", Metric::Bytes(bytes));
        }
        for words in words {
            tracing::warn!(words, "about the source");
        }
    }

    fn add(&self, name: &'static str, metric: Metric) {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        match (metrics.get_mut(name), metric) {
            (Some(Metric::Count(sum)), Metric::Count(more)) | (Some(Metric::Bytes(sum)), Metric::Bytes(more)) => {
                *sum += more;
            }
            (Some(Metric::Seconds(values)), Metric::Seconds(more))
            | (Some(Metric::Milliseconds(values)), Metric::Milliseconds(more)) => {
                values.extend(more);
                values.truncate(VALUES_MAX);
            }
            (_, metric) => drop(metrics.insert(name, metric)),
        }
    }

    /// The line that CloudWatch makes metrics of; none where there is nothing to tell.
    pub fn line(&self) -> Option<String> {
        let metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        if metrics.is_empty() {
            return None;
        }
        let mut members = Map::new();
        let definitions: Vec<Value> = metrics.iter().map(|(name, metric)| metric.definition(name)).collect();
        let directive = json!({
            "Namespace": self.namespace,
            "Dimensions": [["Pipeline", "Step"]],
            "Metrics": definitions,
        });
        let about = json!({ "Timestamp": self.now / 1000, "CloudWatchMetrics": [directive] });
        members.insert("_aws".to_owned(), about);
        members.insert("Pipeline".to_owned(), json!(self.pipeline));
        members.insert("Step".to_owned(), json!(self.step));
        members.extend(metrics.iter().map(|(name, metric)| ((*name).to_owned(), metric.value())));
        Some(Value::Object(members).to_string())
    }

    /// Writes the line. A log that cannot be written to is nothing that a function could mend.
    pub fn emit(&self) {
        if let Some(line) = self.line() {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}

/// The reasons that most records have, the most frequent first.
fn most(reasons: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut all: Vec<(&str, u64)> = reasons.iter().map(|(reason, records)| (reason.as_str(), *records)).collect();
    // Those of the same number stay in the order of their names.
    all.sort_by_key(|(_, records)| std::cmp::Reverse(*records));
    all.truncate(REASONS_MAX);
    all
}

impl Metric {
    fn definition(&self, name: &str) -> Value {
        let unit = match self {
            Self::Count(_) => "Count",
            Self::Bytes(_) => "Bytes",
            Self::Seconds(_) => "Seconds",
            Self::Milliseconds(_) => "Milliseconds",
        };
        json!({ "Name": name, "Unit": unit })
    }

    fn value(&self) -> Value {
        match self {
            Self::Count(sum) | Self::Bytes(sum) => json!(sum),
            Self::Seconds(values) | Self::Milliseconds(values) => json!(values),
        }
    }
}

impl Witness for Telemetry {
    fn saw(&self, fact: &Fact<'_>) {
        match fact {
            Fact::Planned(plan) => {
                let (input, generation, source, run) =
                    (&plan.input, plan.generation, &plan.source, plan.run.as_deref());
                tracing::info!(input, generation, source, run, bytes = plan.size, tasks = plan.ranges.len(), "planned");
                self.count("InputsPlanned", 1);
                self.add("BytesPlanned", Metric::Bytes(plan.size));
            }
            Fact::Landed(windows, words) => self.landed(windows, words),
            Fact::HandedOn(start) => {
                tracing::info!(run = start.run, hop = start.hop, landings = start.landings, "handed on");
            }
            Fact::Transformed(receipt) => {
                let (batch, input, source, counts) = (&receipt.batch, &receipt.input, &receipt.source, receipt.counts);
                let (read, staged, filtered) =
                    (counts.read, counts.staged, counts.filtered_false + counts.filtered_null);
                let quarantined = counts.quarantined;
                tracing::info!(batch, input, source, read, staged, filtered, quarantined, "transformed");
                self.count("RowsRead", read);
                self.count("RowsStaged", staged);
                self.count("RowsFiltered", filtered);
                self.count("RowsQuarantined", quarantined);
                self.count("Residue", read.abs_diff(staged + filtered + quarantined));
                self.add("BytesRead", Metric::Bytes(receipt.coverage.records));
                for (reason, records) in most(&receipt.reasons) {
                    tracing::info!(batch, source, reason, records, "rejected");
                }
            }
            Fact::Judged(unit) => {
                let held = matches!(unit.state, UnitState::Held { .. });
                tracing::info!(unit = unit.name, held, "judged");
                self.count("UnitsHeld", u64::from(held));
            }
            Fact::Submitted(load) => {
                tracing::info!(load = load.load, attempt = load.attempt, statement = load.statement, "submitted");
            }
            Fact::Failed(load, words) => {
                tracing::error!(load = load.load, attempt = load.attempt, words, "the load failed");
                self.count("LoadsFailed", 1);
            }
            Fact::Braked(load, words) => {
                tracing::error!(load = load.load, words, "the load fails, and too many units were held to hold more");
                self.count("HoldsBraked", 1);
            }
            Fact::Loaded(event) => {
                let counts = event.counts;
                let (inserted, updated, unchanged) = (counts.inserted, counts.updated, counts.unchanged);
                let (deduplicated, superseded, deleted) = (counts.deduplicated, counts.superseded, counts.deleted);
                let (load, units, staged) = (&event.load, event.units.len(), counts.staged);
                tracing::info!(
                    load,
                    units,
                    staged,
                    inserted,
                    updated,
                    unchanged,
                    deduplicated,
                    superseded,
                    deleted,
                    "loaded"
                );
                self.count("Loads", 1);
                self.count("RowsInserted", inserted);
                self.count("RowsUpdated", updated);
                self.count("RowsUnchanged", unchanged);
                self.count("RowsDeduplicated", deduplicated);
                self.count("RowsSuperseded", superseded);
                self.count("RowsDeleted", deleted);
                let outcomes = inserted + updated + unchanged + deduplicated + superseded + deleted;
                self.count("Residue", staged.abs_diff(outcomes));
                let age = self.now.saturating_sub(event.batch_time).max(0);
                self.add("AgeOfData", Metric::Seconds(vec![age as f64 / 1e6]));
            }
            Fact::Held(unit) => {
                tracing::warn!(unit = unit.name, "held");
                self.count("UnitsHeld", 1);
            }
            Fact::Replaced(unit) => tracing::info!(unit = unit.name, "given way to another"),
            Fact::Decided(decision) => {
                let (what, units, left) = (&decision.decision, decision.units.len(), decision.left.len());
                tracing::info!(what, units, left, "decided");
            }
            Fact::Unreadable(words) => {
                tracing::error!(words, "what is kept cannot be read; the others go on");
                self.count("DocumentsUnreadable", 1);
            }
            Fact::Waits(plan) => tracing::info!(source = plan.source, "rejects wait until it is loaded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use etalon_core::deploy::monitoring::NAMESPACE;

    use super::*;

    #[test]
    fn the_most_frequent_reasons_are_logged() {
        let reasons = |count: u64| (0..count).map(|n| (format!("R{n:03} amount"), n)).collect::<BTreeMap<_, _>>();
        assert_eq!(most(&reasons(3)), [("R002 amount", 2), ("R001 amount", 1), ("R000 amount", 0)]);
        let many = reasons(100);
        let found = most(&many);
        assert_eq!((found.len(), found[0], found[19]), (REASONS_MAX, ("R099 amount", 99), ("R080 amount", 80)));
    }

    #[test]
    fn metrics_are_one_line_of_the_embedded_format() {
        let telemetry = Telemetry::new(NAMESPACE, "orders", "transform", 1_574_109_732_004_000);
        assert_eq!(telemetry.line(), None);
        telemetry.count("RowsRead", 1);
        telemetry.count("RowsRead", 2);
        telemetry.milliseconds("Latency", 1.5);
        assert_eq!(
            telemetry.line().unwrap(),
            "{\"_aws\":{\"Timestamp\":1574109732004,\"CloudWatchMetrics\":[{\"Namespace\":\"Etalon\",\
             \"Dimensions\":[[\"Pipeline\",\"Step\"]],\"Metrics\":[{\"Name\":\"Latency\",\"Unit\":\"Milliseconds\"},\
             {\"Name\":\"RowsRead\",\"Unit\":\"Count\"}]}]},\"Pipeline\":\"orders\",\"Step\":\"transform\",\
             \"Latency\":[1.5],\"RowsRead\":3}"
        );
        for _ in 0..200 {
            telemetry.milliseconds("Latency", 2.0);
        }
        let line: Value = serde_json::from_str(&telemetry.line().unwrap()).unwrap();
        assert_eq!(line["Latency"].as_array().unwrap().len(), VALUES_MAX);
    }
}
