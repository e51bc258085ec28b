//! Module: a deployment as Terraform's module `pipeline` reads it: the deployment of an account whose names are placeholders.
//!
//! What Terraform must find for itself (an ARN, the value of a setting) has a name here, and the module has a table of what
//! each name stands for. A name without a row makes the plan fail, so that nothing is left out.

use serde_json::{Map, Value, json};

use super::setting::{SETTINGS, Setting};
use super::{
    Account, Deployment, Function, LISTING, Origin, PREFIXES, Retries, Schedule, Sizes, Statement, Warehouse,
    WarehouseId,
};
use crate::pipeline::Pipeline;
use crate::source::LANDING;

/// What stands for the beginning of all names.
const NAME: &str = "{name}";
/// What stands for the secrets that only extract reads, since only it asks the source.
const SOURCE_SECRETS: &str = "source_secrets";

/// `terraform/modules/pipeline/deployment.json`, of some pipeline: what the pipeline says, Terraform reads itself.
pub fn module(pipeline: &Pipeline) -> String {
    let sizes = Sizes::default();
    let text = str::to_owned;
    let account = Account {
        name: text(NAME),
        queues: text("{queues}/"),
        staging: text("{staging}"),
        source: None,
        manifest: None,
        certificates: None,
        event_bus: None,
        warehouse: Warehouse {
            id: WarehouseId::Workgroup(text("{workgroup}")),
            database: text("{database}"),
            secret: Some(text("warehouse_secret")),
            copy_role: text("{copy_role}"),
        },
        variables: [].into(),
        secrets: ["secrets", SOURCE_SECRETS].map(|name| (text(name), text(name))).into(),
    };
    // Which of it a pipeline has, the module finds in the file.
    let origin = Origin { is_store: true, lands: true, secrets: [text(SOURCE_SECRETS)].into() };
    let deployment = Deployment::with(pipeline, &origin, &account, &sizes);
    let operator: Vec<Value> = deployment.operator_policy().iter().map(statement).collect();
    let Deployment { functions, schedules: [starts, sweep] } = deployment;
    let functions: Map<String, Value> =
        functions.iter().map(|function| (function.step.name().to_owned(), described(function))).collect();
    let copied = PREFIXES.iter().filter(|prefix| prefix.is_copied).map(|prefix| prefix.text);
    let schedule = |schedule: &Schedule| json!({ "calls": schedule.step.name(), "input": schedule.input, "retries": retries(schedule.retries) });
    let mut sweep_row = schedule(&sweep);
    sweep_row["when"] = json!(sweep.when);
    // When else, the pipeline file says.
    let mut starts_row = schedule(&starts);
    starts_row["listing"] = json!(LISTING);
    let all = json!({
        "functions": functions,
        "operator": operator,
        "lands": LANDING,
        "schedules": { "starts": starts_row, "sweep": sweep_row },
        "copied": copied.collect::<Vec<_>>(),
        "visibility_timeouts": sizes.visibility_timeouts,
        "receives_max": sizes.receives_max,
    });
    format!("{all:#}\n")
}

fn described(function: &Function) -> Value {
    let Function { step, size, concurrency, queue, mapping, .. } = function;
    // What has several names comes from the pipeline file's placeholders.
    let is_one = |setting: &&Setting| setting.is_of(*step) && setting.rest.is_empty();
    let policy = function.policy();
    let policy = policy.iter().map(statement);
    json!({
        "memory_mb": size.memory_mb,
        "timeout_seconds": size.timeout_seconds,
        "concurrency": concurrency,
        "settings": SETTINGS.iter().filter(is_one).map(|setting| setting.name).collect::<Vec<_>>(),
        "queue": {
            "name": queue.name,
            "dead_name": queue.dead_name,
            "is_fifo": queue.is_fifo,
            "kept_seconds": queue.kept_seconds,
            "dead_kept_seconds": queue.dead_kept_seconds,
        },
        "mapping": {
            "batch_size": mapping.batch_size,
            "window_seconds": mapping.window_seconds,
            "concurrency_max": mapping.concurrency_max,
            "allows_loops": mapping.allows_loops,
        },
        "retries": retries(function.retries),
        "policy": policy.collect::<Vec<_>>(),
    })
}

fn retries(Retries { attempts, age_seconds }: Retries) -> Value {
    json!({ "attempts": attempts, "age_seconds": age_seconds })
}

fn statement(statement: &Statement) -> Value {
    let Statement { name, actions, resources, is_own } = statement;
    json!({ "name": name, "actions": actions, "resources": resources, "is_own": is_own })
}
