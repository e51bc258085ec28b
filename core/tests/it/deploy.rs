//! What a pipeline is in an account: complete, and what the clouds take.

use std::collections::BTreeSet;
use std::path::Path;

use etalon_core::deploy::cost::{Estimate, Usage, Usd};
use etalon_core::deploy::setting::{Need, SETTINGS, Setting};
use etalon_core::deploy::{self, Account, Deployment, Function, Permission, Sizes, Warehouse, WarehouseId, monitoring};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::Step;
use etalon_core::protocol::prefix::Right;

use crate::spec::{check_file, check_page};

const ORDERS: &str = include_str!("orders.yaml");

fn account() -> Account {
    let text = str::to_owned;
    Account {
        name: text("etalon-orders"),
        queues: text("https://sqs.eu-central-1.amazonaws.com/123456789012/"),
        staging: text("s3://acme-staging/etalon/"),
        source: None,
        manifest: None,
        certificates: None,
        event_bus: None,
        warehouse: Warehouse {
            id: WarehouseId::Workgroup(text("analytics")),
            database: text("dev"),
            secret: Some(text("arn:aws:secretsmanager:eu-central-1:123456789012:secret:warehouse")),
            copy_role: text("arn:aws:iam::123456789012:role/etalon-copy"),
        },
        variables: [(text("STAGE"), text("production"))].into(),
        secrets: [(text("token"), text("arn:aws:secretsmanager:eu-central-1:123456789012:secret:token"))].into(),
    }
}

fn deployment() -> Deployment {
    let (pipeline, _) = Pipeline::compile(ORDERS).unwrap();
    Deployment::new(&pipeline, &account(), &Sizes::default())
}

#[test]
fn each_function_gets_the_settings_that_it_needs_and_no_others() {
    for function in deployment().functions {
        let read: Vec<&Setting> = SETTINGS.iter().filter(|setting| setting.is_of(function.step)).collect();
        for setting in read.iter().filter(|setting| setting.need == Need::Required) {
            assert!(function.environment.contains_key(setting.name), "{} lacks {}", function.name, setting.name);
        }
        for name in function.environment.keys() {
            let is_read = |setting: &&Setting| match setting.rest {
                "" => setting.name == name,
                _ => name.starts_with(setting.name),
            };
            assert!(read.iter().copied().any(|setting| is_read(&setting)), "{} does not read {name}", function.name);
        }
    }
}

#[test]
fn who_knows_a_queue_may_send_to_it_or_receive_from_it() {
    let Deployment { functions, .. } = deployment();
    let queues = functions.each_ref().map(|function| function.queue.clone());
    for function in &functions {
        let may = |permission: Permission| function.permissions.contains(&permission);
        assert!(may(Permission::Receive(function.queue.name.clone())));
        assert!(may(Permission::Send(function.queue.dead_name.clone())));
        for queue in &queues {
            let knows = function.environment.values().any(|value| *value == queue.url);
            let sends = may(Permission::Send(queue.name.clone()));
            assert_eq!(knows, sends || *queue == function.queue, "{} and {}", function.name, queue.name);
        }
    }
}

#[test]
fn what_lambda_and_sqs_would_refuse_is_not_deployed() {
    for Function { size, queue, mapping, concurrency, retries, .. } in deployment().functions {
        // AWS advises six timeouts: a call that is throttled is tried for as long.
        assert!(queue.visibility_seconds >= 6 * size.timeout_seconds, "a message would come while it is worked on");
        // A throttled call counts as a receive, too.
        assert!(queue.receives_max >= 5, "{}", queue.name);
        // A dead letter keeps the age of its message.
        assert!(queue.kept_seconds < queue.dead_kept_seconds && queue.dead_kept_seconds <= 14 * 24 * 60 * 60);
        assert!(retries.attempts <= 2 && (60..=6 * 60 * 60).contains(&retries.age_seconds));
        assert!(queue.visibility_seconds <= 12 * 60 * 60 && size.timeout_seconds <= 900);
        assert_eq!(queue.name.ends_with(".fifo"), queue.is_fifo);
        assert_eq!(queue.dead_name.ends_with(".fifo"), queue.is_fifo);
        assert!(mapping.batch_size <= 10 && mapping.concurrency_max >= 2 && mapping.concurrency_max < concurrency);
        assert!(mapping.window_seconds == 0 || !queue.is_fifo);
    }
    for schedule in deployment().schedules {
        assert!(schedule.retries.attempts <= 185 && (60..=24 * 60 * 60).contains(&schedule.retries.age_seconds));
        // What is not tried again and not kept comes again by itself.
        assert_eq!(schedule.dead_url.is_none(), schedule.retries.attempts == 0, "{}", schedule.name);
    }
}

/// The modules ask for one version of the provider, the one that the tests run; the page names it.
#[test]
fn every_module_asks_for_the_provider_that_is_tested() {
    let terraform = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform");
    let modules = std::fs::read_dir(terraform.join("modules")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = modules.map(|module| module.join("versions.tf")).collect();
    files.extend(["versions.tf", "examples/complete/versions.tf"].map(|file| terraform.join(file)));
    let texts: BTreeSet<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    assert_eq!((files.len() > 8, texts.len()), (true, 1), "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("version = \"~> 5.100\"")), "{texts:?}");
    let readme = std::fs::read_to_string(terraform.join("README.md")).unwrap();
    assert!(readme.contains("the AWS provider 5.100"));
}

#[test]
fn a_pipeline_says_when_it_runs() {
    let [starts, sweep] = deployment().schedules;
    assert_eq!((starts.when.as_deref(), starts.step), (Some("rate(15 minutes)"), Step::Extract));
    assert_eq!((sweep.when.as_deref(), sweep.step), (Some("rate(5 minutes)"), Step::Load));
}

/// A message about a new object may be lost.
#[test]
fn a_pipeline_that_new_objects_start_lists_them_once_a_day() {
    let text = ORDERS.replace("schedule: rate(15 minutes)", "schedule: object-created");
    let (pipeline, _) = Pipeline::compile(&text).unwrap();
    let [starts, _] = Deployment::new(&pipeline, &account(), &Sizes::default()).schedules;
    assert_eq!((starts.when.as_deref(), starts.step), (Some("rate(1 day)"), Step::Extract));
}

#[test]
fn the_page_of_settings_is_true() {
    check_page("functions-settings.md", &deploy::settings_page());
}

#[test]
fn the_page_of_a_deployment_is_true() {
    check_page("deployment.md", &deploy::deployment_page(&deployment()));
}

#[test]
fn the_module_of_a_pipeline_knows_what_is_deployed() {
    let (pipeline, _) = Pipeline::compile(ORDERS).unwrap();
    check_file("terraform/modules/pipeline/deployment.json", &deploy::module(&pipeline));
}

#[test]
fn a_policy_allows_what_the_permissions_say_and_nothing_twice() {
    for function in deployment().functions {
        let policy = function.policy();
        let resources = |name: &str| policy.iter().find(|one| one.name == name).map(|one| one.resources.clone());
        let below = |right: Right| {
            let all = function.permissions.iter().filter_map(|permission| match permission {
                Permission::Store(prefix, rights) if rights.contains(&right) => Some(format!("store/{}", prefix.text)),
                _ => None,
            });
            Some(all.collect::<Vec<_>>()).filter(|all| !all.is_empty())
        };
        assert_eq!(resources("ReadStore"), below(Right::Read));
        assert_eq!(resources("WriteStore"), below(Right::Write));
        assert_eq!(resources("DeleteStore"), below(Right::Delete));
        let granted: Vec<(&str, &str)> = policy
            .iter()
            .flat_map(|one| one.resources.iter().flat_map(|to| one.actions.iter().map(|action| (*action, to.as_str()))))
            .collect();
        let distinct: BTreeSet<_> = granted.iter().collect();
        assert_eq!(distinct.len(), granted.len(), "{}", function.name);
    }
}

#[test]
fn what_is_monitored_is_written_down() {
    check_file("terraform/monitoring/alarms.yaml", &monitoring::alarms());
    check_file("terraform/monitoring/dashboard.json", &monitoring::dashboard());
    check_file("terraform/monitoring/queries.yaml", &monitoring::queries());
}

#[test]
fn every_alarm_has_its_place_in_the_troubleshooting_guide() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/troubleshooting.md");
    let page = std::fs::read_to_string(page).unwrap();
    for name in monitoring::ALARMS.iter().map(|alarm| alarm.name).chain(["unhealthy"]) {
        assert!(page.contains(&format!("\n## {name}\n")), "{name}");
    }
}

/// Each code of a diagnostic or a reject is in one row of the guide, which says what to do.
#[test]
fn every_code_has_its_place_in_the_troubleshooting_guide() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let page = std::fs::read_to_string(docs.join("guide/troubleshooting.md")).unwrap();
    let (_, table) = page.split_once("\n## Codes\n").unwrap();
    let ranges = regex::Regex::new(r"([EWR]\d{3})(?: to ([EWR]\d{3}))?").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let rows: Vec<(String, String)> = rows
        .flat_map(|codes| {
            ranges
                .captures_iter(codes)
                .map(|range| (range[1].to_owned(), range.get(2).map_or(&range[1], |last| last.as_str()).to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    let reference = std::fs::read_to_string(docs.join("reference/codes.md")).unwrap();
    let codes: Vec<&str> =
        reference.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' ')).collect();
    let codes: Vec<&str> =
        codes.into_iter().filter(|code| ranges.find(code).is_some_and(|found| found.len() == code.len())).collect();
    assert!(codes.len() > 80, "{}", codes.len());
    for code in codes {
        let places = rows.iter().filter(|(first, last)| (first.as_str()..=last.as_str()).contains(&code)).count();
        assert_eq!(places, 1, "{code}");
    }
}

/// A question to the logs asks for what the functions log, or for what Lambda does.
#[test]
fn queries_ask_for_what_is_logged() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/aws/src");
    let code =
        ["function.rs", "telemetry.rs", "panic.rs"].map(|file| std::fs::read_to_string(folder.join(file)).unwrap());
    let code = code.join("\n");
    let fields = regex::Regex::new(r"'[^']*'|as (?<name>\w+)|(?<field>@?[a-z][A-Za-z_.]*)").unwrap();
    let words = "and as by count desc display filter in limit max pct sort stats sum".split(' ');
    // What a line of a log has, and what Lambda writes.
    let known: BTreeSet<&str> = words.chain(["level", "message", "type", "@timestamp", "@log"]).collect();
    let messages = regex::Regex::new("message (?:=|in) [^|]*").unwrap();
    let mut asked = 0;
    for query in monitoring::QUERIES {
        let text = query.parts.join(" | ");
        let mut names: BTreeSet<&str> =
            fields.captures_iter(&text).filter_map(|one| Some(one.name("name")?.as_str())).collect();
        names.extend(&known);
        for field in fields.captures_iter(&text).filter_map(|one| Some(one.name("field")?.as_str())) {
            let is_told = || regex::Regex::new(&format!(r"\b{field}\b( =|,)")).unwrap().is_match(&code);
            assert!(
                names.contains(field) || field.starts_with("record.metrics.") || is_told(),
                "{}: {field}",
                query.name
            );
            asked += 1;
        }
        for message in messages.find_iter(&text) {
            for said in message.as_str().split('\'').skip(1).step_by(2) {
                assert!(code.contains(&format!("\"{said}\"")), "{}: {said}", query.name);
            }
        }
    }
    assert!(asked > 30, "{asked}");
}

#[test]
fn every_metric_that_the_functions_tell_is_known_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../adapters/aws/src");
    let told = regex::Regex::new(r#"\.(?:count|milliseconds|add)\(\s*"([A-Z][A-Za-z]+)""#).unwrap();
    let mut found = BTreeSet::new();
    for file in ["function.rs", "telemetry.rs"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let program = text.split("#[cfg(test)]").next().unwrap();
        found.extend(told.captures_iter(program).map(|name| name[1].to_owned()));
    }
    assert_eq!(found, monitoring::METRICS.iter().map(|metric| metric.name.to_owned()).collect());
}

fn usage(loads_per_day: u64, rpu: u64) -> Usage {
    Usage {
        bytes_per_day: 10 << 30,
        objects_per_day: 96,
        loads_per_day,
        load_seconds: 15,
        rpu,
        nodes: 0,
        endpoint_zones: 0,
        has_nat: false,
        has_key: false,
        has_bucket_key: false,
    }
}

/// A pipeline with another schedule, and other lines beside it.
fn estimate(schedule: &str, usage: Usage) -> Estimate {
    let (pipeline, _) = Pipeline::compile(&ORDERS.replace("schedule: rate(15 minutes)", schedule)).unwrap();
    Estimate::new(&pipeline, &usage)
}

fn quantity(estimate: &Estimate, what: &str) -> u64 {
    estimate.lines.iter().find(|line| line.what == what).map_or(0, |line| line.quantity)
}

/// Calls by the clock, without those of the sweep.
#[test]
fn the_schedule_says_how_often_a_pipeline_runs_and_loads_at_most() {
    let month = |schedule: &str| {
        let estimate = estimate(schedule, usage(96, 8));
        let told = estimate.assumptions.iter().find_map(|one| one.split_once(" loads a month, fewer than"));
        let scheduled = estimate.lines.iter().find(|line| line.service == "Scheduler").unwrap().quantity;
        (scheduled - 8640, quantity(&estimate, "events of loads"), told.map(|(by, _)| by.to_owned()))
    };
    assert_eq!(month("schedule: rate(15 minutes)"), (2880, 2880, None));
    let told = |words: &str| Some(words.to_owned());
    assert_eq!(month("schedule: rate(1 day)"), (30, 30, told("the schedule allows 30")));
    assert_eq!(month("schedule: cron(0/5 * * * ? *)"), (8640, 2880, None));
    assert_eq!(month("schedule: cron(0 6 ? * MON-FRI *)"), (22, 22, told("the schedule allows 22")));
    // New objects start it, and a listing a day: 96 objects a day.
    assert_eq!(month("schedule: object-created"), (30, 2880, None));
    // Somebody starts it, once a day perhaps.
    assert_eq!(month(""), (0, 30, told("one run a day allows 30")));
    assert_eq!(month("schedule: rate(15 minutes)\nload_every: 1 hour"), (2880, 720, told("`load_every` allows 720")));
    assert_eq!(month("schedule: rate(15 minutes)\nload_every: 2 days"), (2880, 15, told("`load_every` allows 15")));
    assert_eq!(month("schedule: rate(1 day)\nload_every: 1 hour"), (30, 30, told("the schedule allows 30")));
    // The warehouse is woken up for each of them.
    let daily = estimate("schedule: rate(1 day)", usage(96, 8));
    assert_eq!(quantity(&daily, "RPU-hours"), 4);
}

/// Each trap is told with its price where it is one, and not where it is none.
#[test]
fn traps_are_told() {
    let said = |usage: Usage, words: &str| {
        let advice = estimate("schedule: rate(15 minutes)", usage).advice;
        let found: Vec<&String> = advice.iter().filter(|advice| advice.contains(words)).collect();
        assert!(found.len() < 2 && found.iter().all(|found| !found.contains(" 0.00 USD")), "{advice:?}");
        found.len() == 1
    };
    let none = usage(24, 4);
    let many = Usage { objects_per_day: 20_000, ..none };
    for (trapped, words) in [
        (usage(96, 4), "60 paid seconds"),
        (usage(24, 8), "4 RPU are the least"),
        (many, "objects of less than 1 MiB"),
        (many, "SQS counts each 64 KiB"),
        (Usage { has_key: true, ..none }, "without a bucket key"),
        (Usage { has_nat: true, ..none }, "a NAT gateway"),
    ] {
        assert!(said(trapped, words) && !said(none, words), "{words}");
    }
    let key = Usage { has_key: true, has_bucket_key: true, ..none };
    assert!(!said(key, "without a bucket key"));
    let requests = |usage: Usage| {
        let lines = estimate("schedule: rate(15 minutes)", usage).lines;
        lines.iter().find(|line| line.service == "KMS" && line.what == "requests").unwrap().quantity
    };
    assert!(requests(Usage { has_key: true, ..none }) > 4 * requests(key));
}

#[test]
fn a_secret_a_cluster_and_what_logs_keep_are_paid_for() {
    let usd = |estimate: &Estimate, service: &str, what: &str| {
        let line = estimate.lines.iter().find(|line| (line.service, line.what) == (service, what));
        line.map(|line| line.usd.to_string())
    };
    let of = |usage: Usage| estimate("schedule: rate(15 minutes)", usage);
    let (pipeline, _) =
        Pipeline::compile(&ORDERS.replace("s3://acme-landing/orders/", "s3://acme-landing/${secret:folder}/")).unwrap();
    let secret = Estimate::new(&pipeline, &usage(24, 8));
    assert_eq!(usd(&secret, "Secrets Manager", "secrets").as_deref(), Some("0.40"));
    assert_eq!(usd(&secret, "Secrets Manager", "calls").as_deref(), Some("0.01"));
    assert_eq!(usd(&of(usage(24, 8)), "Secrets Manager", "secrets"), None);
    assert_eq!(usd(&of(usage(24, 8)), "CloudWatch", "GB of logs kept").as_deref(), Some("0.03"));
    let cluster = of(Usage { nodes: 2, ..usage(24, 0) });
    assert_eq!(usd(&cluster, "Redshift", "hours of nodes").as_deref(), Some("792.78"));
    assert_eq!(usd(&cluster, "Redshift", "RPU-hours"), None);
    let zones = of(Usage { endpoint_zones: 2, ..usage(24, 8) });
    assert_eq!(usd(&zones, "Network", "GB through endpoints").as_deref(), Some("0.01"));
}

#[test]
fn a_pipeline_of_ten_gigabytes_a_day_costs_what_the_warehouse_costs() {
    let (pipeline, _) = Pipeline::compile(ORDERS).unwrap();
    let usd = |text: &str| Usd::parse(text).unwrap();
    let estimate = Estimate::new(&pipeline, &usage(96, 8));
    assert!(estimate.total > usd("125") && estimate.total < usd("200"), "{}", estimate.total);
    let redshift = estimate.lines.iter().find(|line| line.what == "RPU-hours").unwrap();
    // 2,880 minutes of 8 RPU.
    assert_eq!((redshift.quantity, redshift.usd), (384, usd("144")));
    assert!(estimate.advice.iter().any(|advice| advice.contains("60 paid seconds")), "{:?}", estimate.advice);
    let cheaper = Estimate::new(&pipeline, &usage(24, 4));
    assert!(cheaper.total < usd("60") && cheaper.advice.is_empty(), "{} {:?}", cheaper.total, cheaper.advice);
}

/// Reading and checking is dearer elsewhere, at 1, 10 and 100 GiB a day; an object that pandas cannot hold is told.
#[test]
fn transform_costs_less_than_what_is_beside_it() {
    let (pipeline, _) = Pipeline::compile(ORDERS).unwrap();
    let beside = |usage: Usage| Estimate::new(&pipeline, &usage).beside;
    let usd = |sentence: &str| {
        let (_, amount) = sentence.split_once(": ").unwrap();
        amount.split(' ').next().and_then(Usd::parse).unwrap()
    };
    for gib in [1, 10, 100] {
        let beside = beside(Usage { bytes_per_day: gib << 30, objects_per_day: 96 * gib.div_ceil(10), ..usage(96, 8) });
        let [transform, pandas, glue] = beside.as_slice() else { panic!("{beside:?}") };
        assert!(usd(transform) < usd(pandas) && usd(pandas) < usd(glue), "{beside:?}");
    }
    let large = beside(Usage { bytes_per_day: 100 << 30, objects_per_day: 24, ..usage(96, 8) });
    assert!(large[1].contains("not at all"), "{large:?}");
}

#[test]
fn nothing_that_is_used_more_costs_less() {
    let (pipeline, _) = Pipeline::compile(ORDERS).unwrap();
    let total = |usage: Usage| Estimate::new(&pipeline, &usage).total;
    let one = usage(24, 8);
    for more in [
        Usage { bytes_per_day: one.bytes_per_day * 2, ..one },
        Usage { objects_per_day: one.objects_per_day * 1000, ..one },
        Usage { loads_per_day: one.loads_per_day * 2, ..one },
        Usage { load_seconds: 600, ..one },
        Usage { rpu: 16, ..one },
        Usage { endpoint_zones: 4, ..one },
        Usage { has_nat: true, ..one },
        Usage { has_key: true, has_bucket_key: true, ..one },
        Usage { has_key: true, ..one },
        Usage { nodes: 1, ..one },
    ] {
        assert!(total(more) > total(one), "{more:?}");
    }
    let lines = Estimate::new(&pipeline, &one).lines;
    assert!(lines.iter().all(|line| line.quantity > 0));
}

#[test]
fn the_bucket_has_a_rule_for_each_prefix() {
    check_file("terraform/modules/storage/prefixes.json", &deploy::prefixes());
}
