//! Policy: the permissions of a function as AWS needs them: statements with actions on resources, which have names here and
//! ARNs in an account.
//!
//! ```text
//! store                   the bucket of what Etalon keeps       source              the bucket of the source
//! store/plans/            the objects below a prefix            source/             its objects
//! queue/NAME              a queue                               pipeline            the object of the pipeline file
//! secrets                 the secrets of the pipeline file      warehouse_secret    that of the warehouse
//! source_secrets          those of them that only a source that is no store asks for
//! warehouse               the workgroup, or the cluster         bus                 the bus of events
//! workgroup_credentials, cluster_credentials, user_credentials  what is connected to without a secret, one of them
//! statements              every statement of the warehouse      log                 the log of the function
//! store_key, source_key   the keys of the buckets' objects      network             the network, where the function is in one
//! directory               the object that says where a deployed pipeline is
//! ```

use std::collections::BTreeMap;

use super::{Deployment, Function, Permission};
use crate::protocol::prefix::Right;

/// What is allowed: some actions on some resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its name in the policy.
    pub name: &'static str,
    /// The actions.
    pub actions: &'static [&'static str],
    /// The names of the resources.
    pub resources: Vec<String>,
    /// Whether it is about the function's own statements only, of those of the warehouse.
    pub is_own: bool,
}

/// The actions of a statement, by its name.
const ACTIONS: &[(&str, &[&str])] = &[
    // Without the right to list, S3 says of an absent object that it is forbidden.
    ("ListStore", &["s3:ListBucket"]),
    ("ReadStore", &["s3:GetObject"]),
    ("WriteStore", &["s3:PutObject"]),
    ("DeleteStore", &["s3:DeleteObject"]),
    ("LookAtBucket", &["s3:GetBucketVersioning", "s3:GetLifecycleConfiguration"]),
    ("ReadDirectory", &["s3:GetObject"]),
    ("ListSource", &["s3:ListBucket"]),
    ("ReadSource", &["s3:GetObject"]),
    ("ReadPipeline", &["s3:GetObject"]),
    // By the function's role, Lambda receives for it.
    ("Receive", &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]),
    (
        "LookThroughDeadLetters",
        &["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
    ),
    ("CountMessages", &["sqs:GetQueueAttributes"]),
    ("Send", &["sqs:SendMessage"]),
    ("ReadSecrets", &["secretsmanager:GetSecretValue"]),
    ("Tell", &["events:PutEvents"]),
    ("Submit", &["redshift-data:BatchExecuteStatement", "redshift-data:ExecuteStatement"]),
    ("LookAtStatements", &["redshift-data:DescribeStatement", "redshift-data:GetStatementResult"]),
    ("ConnectToWorkgroup", &["redshift-serverless:GetCredentials"]),
    ("ConnectToCluster", &["redshift:GetClusterCredentialsWithIAM"]),
    ("ConnectAsUser", &["redshift:GetClusterCredentials"]),
    ("Log", &["logs:CreateLogStream", "logs:PutLogEvents"]),
    ("UseStoreKey", &["kms:Decrypt", "kms:GenerateDataKey"]),
    ("UseSourceKey", &["kms:Decrypt"]),
    (
        "JoinNetwork",
        &[
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
        ],
    ),
];

impl Function {
    /// What its role allows: what it does itself, and what Lambda does for it.
    pub fn policy(&self) -> Vec<Statement> {
        let always =
            [("ReadPipeline", "pipeline"), ("UseStoreKey", "store_key"), ("Log", "log"), ("JoinNetwork", "network")];
        statements(&self.permissions, &always)
    }
}

impl Deployment {
    /// What the role of somebody allows who operates the pipeline by the command.
    pub fn operator_policy(&self) -> Vec<Statement> {
        let always = [("ReadPipeline", "pipeline"), ("ReadDirectory", "directory"), ("UseStoreKey", "store_key")];
        statements(&self.operator(), &always)
    }
}

/// The statements of permissions, and of what is always allowed.
fn statements(permissions: &[Permission], always: &[(&'static str, &str)]) -> Vec<Statement> {
    let mut resources: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let always = always.iter().map(|(name, resource)| (*name, (*resource).to_owned()));
    for (name, resource) in permissions.iter().flat_map(allowed).chain(always) {
        let all = resources.entry(name).or_default();
        if !all.contains(&resource) {
            all.push(resource);
        }
    }
    let statement = |(name, actions): &(&'static str, &'static [&'static str])| {
        let resources = resources.remove(name)?;
        Some(Statement { name, actions, resources, is_own: *name == "LookAtStatements" })
    };
    ACTIONS.iter().filter_map(statement).collect()
}

/// What a permission allows: the names of statements, and of resources.
fn allowed(permission: &Permission) -> Vec<(&'static str, String)> {
    let one = |name: &'static str, resource: &str| (name, resource.to_owned());
    match permission {
        Permission::Store(prefix, rights) => {
            let below = format!("store/{}", prefix.text);
            let on = |right: &Right| match right {
                Right::List => one("ListStore", "store"),
                Right::Read => one("ReadStore", &below),
                Right::Write => one("WriteStore", &below),
                Right::Delete => one("DeleteStore", &below),
            };
            // What is read may be absent.
            rights.iter().map(on).chain(rights.contains(&Right::Read).then(|| one("ListStore", "store"))).collect()
        }
        Permission::Source(_) => {
            vec![one("ListSource", "source"), one("ReadSource", "source/"), one("UseSourceKey", "source_key")]
        }
        Permission::Receive(queue) => vec![("Receive", format!("queue/{queue}"))],
        Permission::LookThrough(queue) => vec![("LookThroughDeadLetters", format!("queue/{queue}"))],
        Permission::Count(queue) => vec![("CountMessages", format!("queue/{queue}"))],
        Permission::Bucket => vec![one("LookAtBucket", "store")],
        Permission::Send(queue) => vec![("Send", format!("queue/{queue}"))],
        Permission::Secret(name) => vec![one("ReadSecrets", name)],
        Permission::Tell(_) => vec![one("Tell", "bus")],
        Permission::Statements(_) => vec![
            one("Submit", "warehouse"),
            one("LookAtStatements", "statements"),
            one("ConnectToWorkgroup", "workgroup_credentials"),
            one("ConnectToCluster", "cluster_credentials"),
            one("ConnectAsUser", "user_credentials"),
        ],
    }
}
