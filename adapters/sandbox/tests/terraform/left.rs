//! Left: what an account has of an installation, kind by kind, as the stand-in of AWS lists it. Terraform's own state says nothing
//! of what it has forgotten.

use std::io::{Read, Write};
use std::net::TcpStream;

/// What names begin with.
const NAME: &str = "etalon";

/// A kind of resource, the service that lists it, and how it is asked.
struct Kind {
    what: &'static str,
    service: &'static str,
    asked: Asked,
}

enum Asked {
    /// By a path.
    Path(&'static str),
    /// By a form: action and version.
    Form(&'static str, &'static str),
    /// By a document in JSON: the operation.
    Json(&'static str),
}

use Asked::{Form, Json, Path};

const fn kind(what: &'static str, service: &'static str, asked: Asked) -> Kind {
    Kind { what, service, asked }
}

/// What the complete example creates, and of what nothing is listed any more once it is destroyed. A key of KMS lives for a month
/// longer; endpoints and NAT gateways are listed as deleted for a while; and moto keeps a trail that is deleted by its ARN.
const KINDS: &[Kind] = &[
    kind("buckets", "s3", Path("/")),
    kind("functions", "lambda", Path("/2015-03-31/functions/")),
    kind("mappings of queues", "lambda", Path("/2015-03-31/event-source-mappings/")),
    kind("roles", "iam", Form("ListRoles", "2010-05-08")),
    kind("queues", "sqs", Json("AmazonSQS.ListQueues")),
    kind("log groups", "logs", Json("Logs_20140328.DescribeLogGroups")),
    kind("rules of events", "events", Json("AWSEvents.ListRules")),
    kind("buses", "events", Json("AWSEvents.ListEventBuses")),
    kind("schedules", "scheduler", Path("/schedules")),
    kind("secrets", "secretsmanager", Json("secretsmanager.ListSecrets")),
    kind("topics", "sns", Form("ListTopics", "2010-03-31")),
    kind("alarms", "monitoring", Form("DescribeAlarms", "2010-08-01")),
    kind("dashboards", "monitoring", Form("ListDashboards", "2010-08-01")),
    kind("networks", "ec2", Form("DescribeVpcs", "2016-11-15")),
    kind("subnets", "ec2", Form("DescribeSubnets", "2016-11-15")),
    kind("security groups", "ec2", Form("DescribeSecurityGroups", "2016-11-15")),
    kind("addresses", "ec2", Form("DescribeAddresses", "2016-11-15")),
];

/// The kinds of which the account has something whose name or tag is of the installation; and how many there are.
pub(crate) fn of_installation(endpoint: &str) -> (Vec<&'static str>, usize) {
    let has = |kind: &&Kind| answer(endpoint, kind).contains(NAME);
    (KINDS.iter().filter(has).map(|kind| kind.what).collect(), KINDS.len())
}

fn answer(endpoint: &str, kind: &Kind) -> String {
    let (line, headers, body) = match kind.asked {
        Path(path) => (format!("GET {path}"), String::new(), String::new()),
        Form(action, version) => {
            let headers = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
            ("POST /".to_owned(), headers, format!("Action={action}&Version={version}"))
        }
        Json(operation) => {
            let headers = format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {operation}\r\n");
            ("POST /".to_owned(), headers, "{}".to_owned())
        }
    };
    ask(endpoint, kind.service, &line, &headers, &body)
}

/// The body of what the stand-in answers: of the SDK, this crate has only what it needs itself. The stand-in asks for no proof of who
/// asks, only for the service, which it reads in the signature's scope. `headers` end with a line end each.
pub(crate) fn ask(endpoint: &str, service: &str, line: &str, headers: &str, body: &str) -> String {
    let host = endpoint.trim_start_matches("http://");
    let scope = format!("test/20260101/us-east-1/{service}/aws4_request");
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(told.starts_with("HTTP/1.1 200 "), "{service}: {line}: {told}");
    told.split_once("\r\n\r\n").unwrap().1.to_owned()
}
