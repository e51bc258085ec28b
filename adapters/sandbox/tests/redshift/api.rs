//! Api: a Data API on a database of its own, and a client that speaks its wire and nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use etalon_postgres::client::{Address, Client};
use etalon_sandbox::redshift::{Config, DataApi};
use serde_json::{Value, json};

use crate::Cloud;

/// A Data API on a database of its own.
pub(crate) struct Api {
    pub(crate) data: DataApi,
    /// The URL of its database.
    pub(crate) url: String,
}

/// An answer: its status, its headers in lower case, its body.
pub(crate) type Answer = (u16, String, Value);

impl Api {
    pub(crate) fn new(cloud: &Cloud) -> Self {
        Self::with(cloud, |_| {})
    }

    pub(crate) fn with(cloud: &Cloud, set: impl FnOnce(&mut Config)) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let url = cloud.server.database(&name).unwrap();
        let mut config = Config::new(&url, Some(cloud.moto.url().to_owned()));
        set(&mut config);
        Self { data: DataApi::start(config).unwrap(), url }
    }

    /// The answer to a request; `None` where the connection closes before it comes.
    pub(crate) fn raw(&self, operation: &str, body: &str) -> Option<Answer> {
        let host = self.data.endpoint().strip_prefix("http://").unwrap().to_owned();
        let mut stream = TcpStream::connect(&host).unwrap();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: RedshiftData.{operation}\r\n\
             Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some((status, head.to_lowercase(), serde_json::from_str(body).unwrap()))
    }

    pub(crate) fn call(&self, operation: &str, body: &Value) -> Result<Value, Value> {
        let (status, _, body) = self.raw(operation, &body.to_string()).unwrap();
        if status == 200 { Ok(body) } else { Err(body) }
    }

    /// Submits a statement, and more members, and gives its id.
    pub(crate) fn submit(&self, sql: &str, more: Value) -> String {
        let mut body = json!({ "Sql": sql, "Database": "dev", "WorkgroupName": "wg-1" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("ExecuteStatement", &body).unwrap()["Id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn submit_batch(&self, sqls: &[&str], more: Value) -> String {
        let mut body = json!({ "Sqls": sqls, "Database": "dev", "WorkgroupName": "wg-1" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("BatchExecuteStatement", &body).unwrap()["Id"].as_str().unwrap().to_owned()
    }

    /// What has become of a statement, when it has ended.
    pub(crate) fn ended(&self, id: &str) -> Value {
        let since = Instant::now();
        loop {
            let found = self.call("DescribeStatement", &json!({ "Id": id, "WaitTimeSeconds": 30 })).unwrap();
            if ["FINISHED", "FAILED", "ABORTED"].contains(&found["Status"].as_str().unwrap()) {
                return found;
            }
            assert!(since.elapsed() < Duration::from_secs(120), "{found}");
        }
    }

    /// Runs a statement to its end.
    pub(crate) fn run(&self, sql: &str) -> Value {
        self.ended(&self.submit(sql, json!({})))
    }

    /// Runs a statement that does not fail.
    #[track_caller]
    pub(crate) fn done(&self, sql: &str) -> Value {
        let ended = self.run(sql);
        assert_eq!(ended["Status"], "FINISHED", "{sql}: {ended}");
        ended
    }

    /// The error of a statement that fails.
    #[track_caller]
    pub(crate) fn error(&self, sql: &str) -> String {
        let ended = self.run(sql);
        assert_eq!(ended["Status"], "FAILED", "{sql}: {ended}");
        ended["Error"].as_str().unwrap().to_owned()
    }

    /// The rows of a statement, each field as its one value.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        let ended = self.done(sql);
        self.result(ended["Id"].as_str().unwrap())
    }

    /// The rows of a statement that PostgreSQL itself is asked, as it writes them.
    pub(crate) fn texts(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let mut connection = Client::open(&Address::parse(&self.url, |_| None).unwrap()).unwrap();
        let found = connection.run(sql, &[]).unwrap().rows;
        let text = |value: Option<Vec<u8>>| value.map(|bytes| String::from_utf8(bytes).unwrap());
        found.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
    }

    /// The rows of an id.
    pub(crate) fn result(&self, id: &str) -> Vec<Vec<Value>> {
        let mut rows = Vec::new();
        let mut token = Value::Null;
        loop {
            let page = self.call("GetStatementResult", &json!({ "Id": id, "NextToken": token })).unwrap();
            rows.extend(page["Records"].as_array().unwrap().iter().map(|row| {
                let value = |field: &Value| {
                    let field = field.as_object().unwrap();
                    assert_eq!(field.len(), 1);
                    let (name, value) = field.iter().next().unwrap();
                    if name == "isNull" { Value::Null } else { value.clone() }
                };
                row.as_array().unwrap().iter().map(value).collect()
            }));
            token = page["NextToken"].clone();
            if token.is_null() {
                return rows;
            }
        }
    }
}
