//! Same: what Terraform has made of a pipeline file is what core says is deployed for it: functions, queues, mappings, schedules,
//! settings, and each right of each role.

use std::collections::{BTreeMap, BTreeSet};

use etalon_core::deploy::{Account, Deployment, Function, Sizes, Statement, Warehouse, WarehouseId};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::Step;
use etalon_sandbox::cloud::Deployed;
use serde_json::Value;

use crate::installation::values;

/// Settings that core leaves to whoever deploys: where the pipeline file lies, and what metrics are called if not as always.
const PLACE: &str = "ETALON_PIPELINE";
const NAMESPACE: &str = "ETALON_NAMESPACE";

/// What core does not know of an account.
pub(crate) struct Facts<'a> {
    pub(crate) account: Account,
    pub(crate) sizes: Sizes,
    /// How long a message is kept, in seconds, where the installation says something else than core.
    pub(crate) kept_seconds: Option<u32>,
    /// The functions that are in a network.
    pub(crate) in_network: &'a [Step],
    /// What the names of resources in policies stand for, of those that only the account knows.
    pub(crate) resources: BTreeMap<&'a str, Vec<String>>,
}

impl<'a> Facts<'a> {
    /// What both examples have alike: the workgroup `analytics` that is there already, and a source in S3.
    pub(crate) fn new(made: &Deployed, name: &str, source: &str) -> Self {
        let [extract, ..] = &made.deployment.functions;
        let queues = extract.queue.url.trim_end_matches(&extract.queue.name).to_owned();
        let (bucket, _) = source.split_once('/').unwrap();
        let staging = made.staging.trim_start_matches("s3://").to_owned();
        let workgroup = vec!["arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/*".to_owned()];
        let bus = made.event_bus.as_deref().unwrap_or("default");
        let resources = [
            ("source", vec![format!("arn:aws:s3:::{bucket}")]),
            ("source/", vec![format!("arn:aws:s3:::{source}*")]),
            ("pipeline", vec![format!("arn:aws:s3:::{staging}deployed/{name}-*")]),
            ("bus", vec![format!("arn:aws:events:us-east-1:123456789012:event-bus/{bus}")]),
            ("warehouse", workgroup.clone()),
            ("workgroup_credentials", workgroup),
            ("cluster_credentials", Vec::new()),
            ("user_credentials", Vec::new()),
            ("store_key", Vec::new()),
            ("source_key", Vec::new()),
        ];
        let account = Account {
            name: format!("etalon-{name}"),
            queues,
            staging: made.staging.clone(),
            source: None,
            manifest: None,
            certificates: None,
            event_bus: made.event_bus.clone(),
            warehouse: Warehouse {
                id: WarehouseId::Workgroup("analytics".to_owned()),
                database: "dev".to_owned(),
                secret: None,
                copy_role: "arn:aws:iam::123456789012:role/etalon-copy".to_owned(),
            },
            variables: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        Self { account, sizes: Sizes::default(), kept_seconds: None, in_network: &[], resources: resources.into() }
    }
}

/// Compares what was made of a pipeline file with what core says of it; gives how many rights there are.
pub(crate) fn holds(state: &Value, made: &Deployed, text: &str, facts: &Facts<'_>) -> usize {
    let (pipeline, _) = Pipeline::compile(text).unwrap();
    let said = Deployment::new(&pipeline, &facts.account, &facts.sizes);
    let mut rights = 0;
    for (function, made) in said.functions.iter().zip(&made.deployment.functions) {
        let granted = of_document(state, &function.name, function.step.name());
        let told = of_statements(&function.policy(), function, facts);
        assert_eq!(granted, told, "the rights of {}", function.name);
        rights += granted.len();
        let mut said = Function { permissions: Vec::new(), ..function.clone() };
        said.queue.kept_seconds = facts.kept_seconds.unwrap_or(said.queue.kept_seconds);
        let mut made = made.clone();
        assert!(made.environment.remove(PLACE).is_some(), "{} lacks {PLACE}", made.name);
        made.environment.remove(NAMESPACE);
        // An emulator has no settings of recursion; Terraform's own tests look at them.
        made.mapping.allows_loops = said.mapping.allows_loops;
        assert_eq!(made, said);
    }
    assert_eq!(made.deployment.schedules, said.schedules);
    rights
}

/// The rights in the policy of a role: actions, and the resources that each may be done with.
fn of_document(state: &Value, role: &str, policy: &str) -> BTreeSet<(String, String)> {
    let is_it = |one: &&Value| one["role"] == role && one["name"] == policy;
    let policies = values(state, "aws_iam_role_policy");
    let document = policies.into_iter().find(is_it).unwrap()["policy"].as_str().unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::String(text) => vec![text.clone()],
            others => others.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        }
    };
    let mut rights = BTreeSet::new();
    for statement in document["Statement"].as_array().unwrap() {
        for action in texts(&statement["Action"]) {
            rights.extend(texts(&statement["Resource"]).into_iter().map(|resource| (action.clone(), resource)));
        }
    }
    rights
}

/// The rights that core says a function has.
fn of_statements(statements: &[Statement], function: &Function, facts: &Facts<'_>) -> BTreeSet<(String, String)> {
    let staging = facts.account.staging.trim_start_matches("s3://");
    let arn = |name: &str| -> Vec<String> {
        if let Some(known) = facts.resources.get(name) {
            return known.clone();
        }
        match (name.strip_prefix("store/"), name.strip_prefix("queue/")) {
            (Some(below), _) => vec![format!("arn:aws:s3:::{staging}{below}*")],
            (_, Some(queue)) => vec![format!("arn:aws:sqs:us-east-1:123456789012:{queue}")],
            _ => match name {
                "store" => vec![format!("arn:aws:s3:::{}", staging.trim_end_matches('/'))],
                "log" => {
                    vec![format!("arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/{}:*", function.name)]
                }
                "statements" => vec!["*".to_owned()],
                "network" => {
                    facts.in_network.iter().filter(|step| **step == function.step).map(|_| "*".to_owned()).collect()
                }
                // A secret is known by its ARN, which may be followed by the key of a value in it.
                secret if secret.starts_with("arn:") => vec![secret.split('#').next().unwrap_or_default().to_owned()],
                absent => panic!("{absent} stands for nothing"),
            },
        }
    };
    let of_one = |statement: &Statement| -> Vec<(String, String)> {
        let resources: Vec<String> = statement.resources.iter().flat_map(|name| arn(name)).collect();
        let with = |action: &&str| -> Vec<(String, String)> {
            resources.iter().map(|resource| ((*action).to_owned(), resource.clone())).collect()
        };
        statement.actions.iter().flat_map(with).collect()
    };
    statements.iter().flat_map(of_one).collect()
}
