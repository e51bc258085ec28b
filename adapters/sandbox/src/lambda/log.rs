//! Log: what a function writes, line by line, and the metrics that lines in the embedded metric format carry.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

/// So many lines are kept; older ones give way.
const LINES_MAX: usize = 100_000;

/// A function's log.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    metrics: BTreeMap<MetricName, Metric>,
}

/// What a metric is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The names and values of its dimensions.
    pub dimensions: BTreeMap<String, String>,
}

/// The values of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Log {
    /// Takes a line.
    pub(crate) fn line(&self, line: &str) {
        let mut kept = self.kept();
        if line.contains("\"_aws\"")
            && let Ok(event) = serde_json::from_str(line)
        {
            kept.measure(&event);
        }
        if kept.lines.len() == LINES_MAX {
            kept.lines.pop_front();
        }
        kept.lines.push_back(line.to_owned());
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.kept().lines.iter().cloned().collect()
    }

    /// The metrics.
    pub(crate) fn metrics(&self) -> BTreeMap<MetricName, Metric> {
        self.kept().metrics.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Adds the values of a line; what is not in the format is not a metric, as CloudWatch has it.
    fn measure(&mut self, event: &Value) {
        let directives = event.pointer("/_aws/CloudWatchMetrics").and_then(Value::as_array);
        for directive in directives.into_iter().flatten() {
            let list = |key: &str| directive.get(key).and_then(Value::as_array).into_iter().flatten();
            let Some(namespace) = directive.get("Namespace").and_then(Value::as_str) else { continue };
            for set in list("Dimensions") {
                let keys = set.as_array().into_iter().flatten().filter_map(Value::as_str);
                let dimension = |key: &str| Some((key.to_owned(), event.get(key)?.as_str()?.to_owned()));
                let Some(dimensions) = keys.map(dimension).collect::<Option<BTreeMap<_, _>>>() else { continue };
                for name in list("Metrics").filter_map(|metric| metric.get("Name")?.as_str()) {
                    let values: Vec<f64> = match event.get(name) {
                        Some(Value::Array(values)) => values.iter().filter_map(Value::as_f64).collect(),
                        value => value.and_then(Value::as_f64).into_iter().collect(),
                    };
                    let (namespace, name, dimensions) = (namespace.to_owned(), name.to_owned(), dimensions.clone());
                    self.add(MetricName { namespace, name, dimensions }, &values);
                }
            }
        }
    }

    fn add(&mut self, name: MetricName, values: &[f64]) {
        for &value in values {
            let one = Metric { count: 1, sum: value, min: value, max: value };
            self.metrics
                .entry(name.clone())
                .and_modify(|metric| {
                    metric.count += 1;
                    metric.sum += value;
                    metric.min = metric.min.min(value);
                    metric.max = metric.max.max(value);
                })
                .or_insert(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_the_embedded_metric_format_are_summed_by_name_and_dimensions() {
        let log = Log::default();
        let line = |pipeline: &str, rows: &str| {
            format!(
                r#"{{"_aws":{{"Timestamp":1,"CloudWatchMetrics":[{{"Namespace":"E","Dimensions":[["Pipeline"],[]],
                "Metrics":[{{"Name":"Rows","Unit":"Count"}}]}}]}},"Pipeline":"{pipeline}","Rows":{rows}}}"#
            )
            .replace('\n', "")
        };
        for text in [line("a", "1"), line("a", "[2,5]"), line("b", "7"), "not a metric \"_aws\"".to_owned()] {
            log.line(&text);
        }
        let metrics = log.metrics();
        let of = |dimensions: &[(&str, &str)]| {
            let dimensions = dimensions.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
            metrics[&MetricName { namespace: "E".to_owned(), name: "Rows".to_owned(), dimensions }]
        };
        assert_eq!(of(&[("Pipeline", "a")]), Metric { count: 3, sum: 8.0, min: 1.0, max: 5.0 });
        assert_eq!(of(&[("Pipeline", "b")]).sum, 7.0);
        assert_eq!(of(&[]), Metric { count: 4, sum: 15.0, min: 1.0, max: 7.0 });
        assert_eq!(log.lines().len(), 4);
    }
}
