//! Request: what AWS asks of a role's policy for a request: actions, and what they are done with.

use hyper::header::HeaderMap;
use hyper::{Method, Uri};
use serde_json::Value;

use super::Asked;
use crate::aws::REGION;
use crate::lambda::ACCOUNT;

/// What a request is, as far as permissions are concerned.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    /// The body of a request in JSON.
    pub(crate) body: Option<&'a Value>,
}

impl Asking<'_> {
    /// What must be allowed for it.
    pub(crate) fn needs(&self) -> Vec<Asked> {
        let on = |action: &str, resource: String| (action.to_owned(), resource);
        let text = |name: &str| self.body.and_then(|body| body.get(name)).and_then(Value::as_str).unwrap_or_default();
        let arn = |service: &str, rest: String| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}");
        match (self.service, self.operation) {
            ("s3", "ListObjectsV2") => vec![on("s3:ListBucket", self.bucket())],
            ("s3", "GetBucketVersioning") => vec![on("s3:GetBucketVersioning", self.bucket())],
            ("s3", "GetBucketLifecycleConfiguration") => vec![on("s3:GetLifecycleConfiguration", self.bucket())],
            ("s3", "GetObject" | "HeadObject") => vec![on("s3:GetObject", self.object())],
            ("s3", "DeleteObject") => vec![on("s3:DeleteObject", self.object())],
            ("s3", "PutObject") => {
                // Who writes over a version that he knows must be allowed to read it.
                let reads = self.headers.contains_key("if-match").then(|| on("s3:GetObject", self.object()));
                reads.into_iter().chain([on("s3:PutObject", self.object())]).collect()
            }
            ("sqs", operation) => {
                let queue = text("QueueUrl").rsplit('/').next().unwrap_or_default();
                // A batch needs what each of its messages does.
                let action = operation.strip_suffix("Batch").unwrap_or(operation);
                vec![on(&format!("sqs:{action}"), arn("sqs", queue.to_owned()))]
            }
            ("events", "PutEvents") => {
                let entries = self.body.and_then(|body| body["Entries"].as_array()).into_iter().flatten();
                let bus = |entry: &Value| entry["EventBusName"].as_str().unwrap_or("default").to_owned();
                entries
                    .map(|entry| on("events:PutEvents", arn("events", format!("event-bus/{}", bus(entry)))))
                    .collect()
            }
            ("secretsmanager", operation) => {
                vec![on(&format!("secretsmanager:{operation}"), text("SecretId").to_owned())]
            }
            ("redshift-data", operation @ ("BatchExecuteStatement" | "ExecuteStatement")) => {
                let (cluster, database) = (text("ClusterIdentifier"), text("Database"));
                let (warehouse, connects) = if cluster.is_empty() {
                    let workgroup = arn("redshift-serverless", format!("workgroup/{}", text("WorkgroupName")));
                    (workgroup.clone(), on("redshift-serverless:GetCredentials", workgroup))
                } else {
                    let connects = match text("DbUser") {
                        "" => on(
                            "redshift:GetClusterCredentialsWithIAM",
                            arn("redshift", format!("dbname:{cluster}/{database}")),
                        ),
                        user => {
                            on("redshift:GetClusterCredentials", arn("redshift", format!("dbuser:{cluster}/{user}")))
                        }
                    };
                    (arn("redshift", format!("cluster:{cluster}")), connects)
                };
                let connects = match text("SecretArn") {
                    "" => connects,
                    secret => on("secretsmanager:GetSecretValue", secret.to_owned()),
                };
                vec![on(&format!("redshift-data:{operation}"), warehouse), connects]
            }
            (service, operation) => vec![on(&format!("{service}:{operation}"), "*".to_owned())],
        }
    }

    /// What must be allowed beside that, or an absent object is told as one that is forbidden.
    pub(crate) fn needs_of_absent(&self) -> Option<Asked> {
        let reads = self.service == "s3" && matches!(*self.method, Method::GET | Method::HEAD);
        reads.then(|| ("s3:ListBucket".to_owned(), self.bucket()))
    }

    fn bucket(&self) -> String {
        let bucket = self.uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        format!("arn:aws:s3:::{bucket}")
    }

    fn object(&self) -> String {
        format!("arn:aws:s3:::{}", self.uri.path().trim_start_matches('/'))
    }
}
