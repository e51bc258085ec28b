//! Page: the reference of the functions' settings, and of what is deployed.

use std::fmt::Write;

use super::monitoring::{METRICS, Metric};
use super::setting::{Need, SETTINGS, Setting};
use super::{DAY_SECONDS, Deployment, Function, Permission, Retries, WarehouseId};
use crate::protocol::Step;
use crate::protocol::prefix::{PREFIXES, Prefix, Retention, Right};

/// The text around the table of settings.
const SETTINGS_PAGE: &str = include_str!("settings.md");
/// The text around the tables of a deployment.
const DEPLOYMENT_PAGE: &str = include_str!("deployment.md");

/// The page of the functions' settings, in Markdown.
pub fn settings_page() -> String {
    let mut table = String::from("| Variable | Function | Meaning |\n|---|---|---|\n");
    for Setting { name, rest, steps, need, meaning } in SETTINGS {
        let steps = if *steps == Step::ALL { "all".to_owned() } else { joined(steps.iter().map(|step| step.name())) };
        let need = match need {
            Need::Required => "; required".to_owned(),
            Need::RequiredWhere(what) => format!("; required where the pipeline says {what}"),
            Need::Optional => String::new(),
        };
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(table, "| `{name}{rest}` | {steps} | {meaning}{need} |");
    }
    SETTINGS_PAGE.replace("{settings}\n", &table).replace("{metrics}\n", &metrics())
}

/// The rows of the metrics, by who tells them.
fn metrics() -> String {
    let mut rows = String::new();
    let told = |Metric { name, unit, .. }: &Metric| match *unit {
        "" => format!("`{name}`"),
        unit => format!("`{name}` ({unit})"),
    };
    let is_of_all = |metric: &&Metric| metric.steps == Step::ALL;
    let _ = writeln!(rows, "| all | {} |", listed(METRICS.iter().filter(is_of_all).map(told)));
    for step in Step::ALL {
        let is_of = |metric: &&Metric| !is_of_all(metric) && metric.steps.contains(&step);
        let _ = writeln!(rows, "| {} | {} |", step.name(), listed(METRICS.iter().filter(is_of).map(told)));
    }
    rows
}

/// The page of a deployment, in Markdown: its functions, queues and permissions, and how long everything is kept.
pub fn deployment_page(deployment: &Deployment) -> String {
    let mut functions = String::from(
        "| Function | Memory | Timeout | At once | Queue | Batch | Invisible | Received | Kept |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut permissions = String::new();
    for function in &deployment.functions {
        let Function { name, size, concurrency, queue, mapping, step, .. } = function;
        let _ = writeln!(
            functions,
            "| `{name}` | {} MiB | {} s | {concurrency} | `{}` | {} | {} s | {} times, then `{}` | {} days |",
            size.memory_mb,
            size.timeout_seconds,
            queue.name,
            mapping.batch_size,
            queue.visibility_seconds,
            queue.receives_max,
            queue.dead_name,
            queue.kept_seconds / DAY_SECONDS,
        );
        let others = function.permissions.iter().filter_map(shown);
        let _ = writeln!(permissions, "- **{}**: {}", step.name(), others.collect::<Vec<_>>().join("; "));
    }
    let again = |Retries { attempts, age_seconds }: Retries| match attempts {
        0 => "never".to_owned(),
        attempts => format!("{attempts} times, within {} hours", age_seconds / (60 * 60)),
    };
    let mut called = String::from("| Function | A call that fails is made again |\n|---|---|\n");
    for function in &deployment.functions {
        let _ = writeln!(called, "| `{}` | {} |", function.name, again(function.retries));
    }
    let mut schedules =
        String::from("| Schedule | When | Calls | With | Is delivered again |\n|---|---|---|---|---|\n");
    for schedule in &deployment.schedules {
        let when = schedule.when.as_deref().unwrap_or("by hand");
        let (name, step, input) = (&schedule.name, schedule.step.name(), &schedule.input);
        let retries = again(schedule.retries);
        let _ = writeln!(schedules, "| `{name}` | `{when}` | {step} | `{input}` | {retries} |");
    }
    let mut store = String::from(
        "| Below | Lies | extract | transform | load | COPY | Kept | Why |\n|---|---|---|---|---|---|---|---|\n",
    );
    for prefix in PREFIXES {
        let Prefix { text, holds, why, .. } = prefix;
        let [extract, transform, load] = Step::ALL.map(|step| rights(prefix.rights(step)));
        let copy = if prefix.is_copied { Right::Read.name() } else { "" };
        let kept = match prefix.retention {
            Retention::Staged => "`staged_days`",
            Retention::Quarantine => "`quarantine_days`",
            Retention::Receipts => "`receipt_days`",
            Retention::UntilDone => "until it is done",
            Retention::Always => "always",
        };
        let _ = writeln!(store, "| `{text}` | {holds} | {extract} | {transform} | {load} | {copy} | {kept} | {why} |");
    }
    let dead_days = deployment.functions[0].queue.dead_kept_seconds / DAY_SECONDS;
    let beside_store = deployment.operator().iter().filter_map(shown).collect::<Vec<_>>();
    let operator = format!("{}.\n", beside_store.join("; "));
    DEPLOYMENT_PAGE
        .replace("{functions}\n", &functions)
        .replace("{schedules}\n", &schedules)
        .replace("{called}\n", &called)
        .replace("{dead days}", &dead_days.to_string())
        .replace("{store}\n", &store)
        .replace("{permissions}\n", &permissions)
        .replace("{operator}\n", &operator)
}

/// A permission in words; those in the store have a table of their own.
fn shown(permission: &Permission) -> Option<String> {
    Some(match permission {
        Permission::Store(..) => return None,
        Permission::Source(allowed) => format!("{} objects of the source", rights(allowed)),
        Permission::Receive(queue) => format!("receive from `{queue}`"),
        Permission::LookThrough(queue) => format!("look through `{queue}`, and remove messages of it"),
        Permission::Count(queue) => format!("count the messages of `{queue}`"),
        Permission::Bucket => "ask how the bucket of the store is set up".to_owned(),
        Permission::Send(queue) => format!("send to `{queue}`"),
        Permission::Secret(arn) => format!("read the secret `{arn}`"),
        Permission::Tell(bus) => format!("put events on the bus `{bus}`"),
        Permission::Statements(WarehouseId::Workgroup(name)) => format!("run statements in the workgroup `{name}`"),
        Permission::Statements(WarehouseId::Cluster { identifier, .. }) => {
            format!("run statements in the cluster `{identifier}`")
        }
    })
}

fn rights(rights: &[Right]) -> String {
    joined(rights.iter().map(|right| right.name()))
}

fn listed(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
