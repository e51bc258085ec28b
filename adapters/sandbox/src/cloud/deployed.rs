//! Deployed: a deployment as Terraform has made it, read from the state that `terraform show -json` prints. Mistakes in the
//! deployment are also in the cloud that runs it, so that tests find them.

use std::collections::BTreeMap;
use std::sync::Arc;

use etalon_core::deploy::{Deployment, Function, Mapping, Queue, Retries, Schedule, Size};
use etalon_core::error::{Error, ErrorKind};
use etalon_core::protocol::{SWEEP_INPUT, Step};
use serde_json::Value;

use super::Rule;
use crate::iam::Policy;

/// What Terraform has made of a pipeline.
#[derive(Debug)]
pub struct Deployed {
    /// The functions with their queues, and the schedules.
    pub deployment: Deployment,
    /// Whether each function's mapping lets it tell which messages of a batch have failed.
    pub reports_failures: [bool; 3],
    /// The rule that hands the events of new objects to the extract queue; nothing where there is none.
    pub rule: Option<Rule>,
    /// The policies of the functions' roles, by the names of the functions.
    pub policies: BTreeMap<String, Arc<Policy>>,
    /// `s3://bucket/prefix/`: where Etalon keeps what it keeps.
    pub staging: String,
    /// The bus that is told of loads; nothing where it is the account's own.
    pub event_bus: Option<String>,
}

/// A resource of the state: its type, its key in `for_each`, its values.
#[derive(Debug)]
struct Resource<'a> {
    kind: &'a str,
    name: &'a str,
    key: &'a str,
    values: &'a Value,
}

impl Deployed {
    /// Reads the state of a module `pipeline`, whose address is given: `module.etalon.module.pipeline["orders"]`.
    pub fn read(state: &str, module: &str) -> Result<Self, Error> {
        let state: Value = serde_json::from_str(state).map_err(|error| lacks(error.to_string()))?;
        let root = &state["values"]["root_module"];
        let found = find(root, module).ok_or_else(|| lacks(format!("there is no {module}")))?;
        let resources: Vec<Resource<'_>> = found["resources"].as_array().into_iter().flatten().map(resource).collect();
        let one = |kind: &str, name: &str, key: &str| {
            let is_it = |one: &&Resource<'_>| (one.kind, one.name, one.key) == (kind, name, key);
            let found = resources.iter().find(is_it).map(|one| one.values);
            found.ok_or_else(|| lacks(format!("{module} has no {kind}.{name}[{key}]")))
        };
        let functions = Step::ALL.map(|step| function(step, &one));
        let [extract, transform, load] = functions;
        let functions = [extract?, transform?, load?];
        let mut policies = BTreeMap::new();
        for function in &functions {
            let document = text(one("aws_iam_role_policy", "this", function.step.name())?, "policy");
            policies.insert(function.name.clone(), Arc::new(Policy::read(&document)?));
        }
        let reports = |step: Step| {
            let types = &one("aws_lambda_event_source_mapping", "this", step.name())?["function_response_types"];
            let is_it = |kind: &Value| kind == "ReportBatchItemFailures";
            Ok::<_, Error>(types.as_array().is_some_and(|types| types.iter().any(is_it)))
        };
        let [extract, transform, load] = Step::ALL.map(reports);
        let schedules = resources.iter().filter(|one| one.kind == "aws_scheduler_schedule");
        let schedules = schedules.map(|one| schedule(one.values, &functions)).collect::<Result<Vec<_>, _>>()?;
        let of = |is_sweep: bool| {
            let found = schedules.iter().find(|schedule| (schedule.input == SWEEP_INPUT) == is_sweep);
            found.cloned()
        };
        // A pipeline without a schedule is called by hand.
        let starts = of(false).unwrap_or_else(|| Schedule {
            name: functions[0].name.clone(),
            step: Step::Extract,
            when: None,
            input: String::new(),
            dead_url: Some(functions[0].queue.dead_url.clone()),
            retries: functions[0].retries,
        });
        let sweep = of(true).ok_or_else(|| lacks(format!("{module} has no sweep")))?;
        let rule = match one("aws_cloudwatch_event_rule", "objects", "") {
            Err(_) => None,
            Ok(made) => {
                let target = one("aws_cloudwatch_event_target", "objects", "")?;
                let queue =
                    |name: &str| one("aws_sqs_queue", name, Step::Extract.name()).map(|queue| text(queue, "arn"));
                let dead = text(&target["dead_letter_config"][0], "arn");
                if (text(target, "arn"), dead) != (queue("this")?, queue("dead")?) {
                    return Err(lacks("the events of new objects go elsewhere than to extract".to_owned()));
                }
                Some(Rule::read(&text(made, "event_pattern"))?)
            }
        };
        let setting = |name: &str| functions[2].environment.get(name).cloned();
        Ok(Self {
            staging: setting("ETALON_STAGING").ok_or_else(|| lacks("no function knows its bucket".to_owned()))?,
            event_bus: setting("ETALON_EVENT_BUS"),
            deployment: Deployment { functions, schedules: [starts, sweep] },
            reports_failures: [extract?, transform?, load?],
            rule,
            policies,
        })
    }
}

fn function<'a>(step: Step, one: &impl Fn(&str, &str, &str) -> Result<&'a Value, Error>) -> Result<Function, Error> {
    let key = step.name();
    let made = one("aws_lambda_function", "this", key)?;
    let mapping = one("aws_lambda_event_source_mapping", "this", key)?;
    let (queue, dead) = (one("aws_sqs_queue", "this", key)?, one("aws_sqs_queue", "dead", key)?);
    if text(mapping, "event_source_arn") != text(queue, "arn") {
        return Err(lacks(format!("{key} is called by another queue than its own")));
    }
    let redrive: Value = serde_json::from_str(&text(queue, "redrive_policy")).unwrap_or_default();
    if redrive["deadLetterTargetArn"] != dead["arn"] {
        return Err(lacks(format!("the dead letters of {key} go elsewhere")));
    }
    let environment = made["environment"][0]["variables"].as_object().into_iter().flatten();
    let environment = environment.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let loops = one("aws_lambda_function_recursion_config", "this", key).ok();
    Ok(Function {
        step,
        name: text(made, "function_name"),
        size: Size { memory_mb: number(made, "memory_size"), timeout_seconds: number(made, "timeout") },
        concurrency: number(made, "reserved_concurrent_executions") as usize,
        environment: environment.collect(),
        queue: Queue {
            name: text(queue, "name"),
            url: text(queue, "url"),
            dead_name: text(dead, "name"),
            dead_url: text(dead, "url"),
            is_fifo: queue["fifo_queue"] == true,
            visibility_seconds: number(queue, "visibility_timeout_seconds"),
            receives_max: redrive["maxReceiveCount"].as_u64().unwrap_or_default() as u32,
            kept_seconds: number(queue, "message_retention_seconds"),
            dead_kept_seconds: number(dead, "message_retention_seconds"),
        },
        mapping: Mapping {
            batch_size: number(mapping, "batch_size") as usize,
            window_seconds: number(mapping, "maximum_batching_window_in_seconds"),
            concurrency_max: number(&mapping["scaling_config"][0], "maximum_concurrency") as usize,
            // Emulators know nothing of it.
            allows_loops: loops.is_none_or(|loops| loops["recursive_loop"] == "Allow"),
        },
        retries: retries(one("aws_lambda_function_event_invoke_config", "this", key)?),
        permissions: Vec::new(),
    })
}

fn schedule(values: &Value, functions: &[Function; 3]) -> Result<Schedule, Error> {
    let target = &values["target"][0];
    let arn = text(target, "arn");
    let called = functions.iter().find(|function| arn.ends_with(&format!(":function:{}", function.name)));
    let called = called.ok_or_else(|| lacks(format!("a schedule calls {arn}")))?;
    let dead = text(&target["dead_letter_config"][0], "arn");
    let dead = functions.iter().find(|function| dead.ends_with(&format!(":{}", function.queue.dead_name)));
    Ok(Schedule {
        name: text(values, "name"),
        step: called.step,
        when: Some(text(values, "schedule_expression")),
        input: text(target, "input"),
        dead_url: dead.map(|function| function.queue.dead_url.clone()),
        retries: retries(&target["retry_policy"][0]),
    })
}

fn retries(values: &Value) -> Retries {
    Retries {
        attempts: number(values, "maximum_retry_attempts"),
        age_seconds: number(values, "maximum_event_age_in_seconds"),
    }
}

/// The module of an address, at any depth.
fn find<'a>(module: &'a Value, address: &str) -> Option<&'a Value> {
    if module["address"] == address {
        return Some(module);
    }
    module["child_modules"].as_array()?.iter().find_map(|child| find(child, address))
}

fn resource(value: &Value) -> Resource<'_> {
    let part = |name: &str| value[name].as_str().unwrap_or_default();
    Resource { kind: part("type"), name: part("name"), key: part("index"), values: &value["values"] }
}

fn text(values: &Value, name: &str) -> String {
    values[name].as_str().unwrap_or_default().to_owned()
}

fn number(values: &Value, name: &str) -> u32 {
    values[name].as_u64().and_then(|number| number.try_into().ok()).unwrap_or_default()
}

fn lacks(what: String) -> Error {
    Error::new(ErrorKind::Refused, format!("what Terraform has made: {what}"))
}
