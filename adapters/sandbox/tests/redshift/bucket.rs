//! Bucket: files of S3, put there as plainly as it can be.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use crate::Cloud;

/// A bucket of its own.
pub(crate) struct Bucket {
    host: String,
    name: String,
}

impl Bucket {
    pub(crate) fn new(cloud: &Cloud) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bucket-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let bucket = Self { host: cloud.moto.url().strip_prefix("http://").unwrap().to_owned(), name };
        bucket.send("", b"");
        bucket
    }

    /// Puts a file, and gives its URL.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) -> String {
        self.send(&format!("/{key}"), bytes);
        self.url(key)
    }

    pub(crate) fn url(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Puts files and the manifest that names them all, and gives its URL.
    pub(crate) fn staged(&self, load: &str, files: &[&[u8]]) -> String {
        let entry = |(number, bytes): (usize, &&[u8])| {
            let url = self.put(&format!("{load}/{number}"), bytes);
            json!({ "url": url, "mandatory": true, "meta": { "content_length": bytes.len() } })
        };
        let entries: Vec<_> = files.iter().enumerate().map(entry).collect();
        self.put(&format!("{load}/manifest"), json!({ "entries": entries }).to_string().as_bytes())
    }

    fn send(&self, path: &str, bytes: &[u8]) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let (host, name, length) = (&self.host, &self.name, bytes.len());
        let head = format!(
            "PUT /{name}{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.split(' ').nth(1), Some("200"), "{answer}");
    }
}
