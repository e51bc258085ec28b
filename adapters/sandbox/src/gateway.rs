//! Gateway: a proxy between the functions and the stand-ins. It passes requests on, and counts them by service and operation.
//! It also does two things that AWS does and moto does not: it refuses requests that the caller's role does not allow, and
//! keeps the trace header of a request with the messages that it sends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use etalon_core::error::Error;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::http::{Server, serve};
use crate::iam::{Asking, Policy};

type Body = BoxBody<Bytes, hyper::Error>;

/// Policies of functions, by their names.
pub type Policies = BTreeMap<String, Arc<Policy>>;

/// The header that names the operation of a request in JSON.
const TARGET: &str = "x-amz-target";

/// A gateway; it closes with its value.
#[derive(Debug)]
pub struct Gateway {
    server: Server,
    requests: Arc<Requests>,
    latency: Arc<AtomicU64>,
    outage: Arc<Mutex<Option<Outage>>>,
}

/// What every request is answered with for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// The service is not there.
    Unavailable,
    /// The credentials have expired.
    Expired,
}

/// How many requests there were, by service and operation.
pub type Counts = BTreeMap<(String, String), u64>;

/// Requests by whose they are.
#[derive(Debug, Default)]
struct Requests(Mutex<BTreeMap<String, Counts>>);

impl Gateway {
    /// Opens one in front of a server: `http://host:port`. Whose policy is among those given may do what it allows, and
    /// everybody else everything.
    pub async fn open(behind: &str, policies: Policies) -> Result<Self, Error> {
        let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
        let requests = Arc::new(Requests::default());
        let (counted, behind) = (Arc::clone(&requests), behind.trim_end_matches('/').to_owned());
        let latency = Arc::new(AtomicU64::new(0));
        let waited = Arc::clone(&latency);
        let policies = Arc::new(policies);
        let outage = Arc::new(Mutex::new(None));
        let now = Arc::clone(&outage);
        let server = serve(move |request| {
            counted.count(&request);
            let latency = Duration::from_micros(waited.load(Ordering::Relaxed));
            let outage: Option<Outage> = *now.lock().unwrap_or_else(PoisonError::into_inner);
            let (service, _) = operation(&request);
            let passed = pass(client.clone(), behind.clone(), Arc::clone(&policies), request);
            async move {
                sleep(latency).await;
                match outage {
                    Some(outage) => outage.answer(&service),
                    None => passed.await,
                }
            }
        })
        .await?;
        Ok(Self { server, requests, latency, outage })
    }

    /// Where it answers: `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Lets each request from now on wait so long before it is passed on.
    pub fn set_latency(&self, latency: Duration) {
        self.latency.store(latency.as_micros() as u64, Ordering::Relaxed);
    }

    /// Answers every request with this from now on, or passes them on again.
    pub fn set_outage(&self, outage: Option<Outage>) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage;
    }

    /// Requests so far, by service and operation.
    pub fn requests(&self) -> Counts {
        let mut all = Counts::new();
        for counts in self.requests.lock().values() {
            for (operation, count) in counts {
                *all.entry(operation.clone()).or_default() += count;
            }
        }
        all
    }

    /// The requests of a function so far, by service and operation.
    pub fn requests_of(&self, function: &str) -> Counts {
        self.requests.lock().get(function).cloned().unwrap_or_default()
    }
}

impl Requests {
    fn count<B>(&self, request: &Request<B>) {
        let caller = caller(request).unwrap_or_default();
        *self.lock().entry(caller).or_default().entry(operation(request)).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The service and the operation of a request.
fn operation<B>(request: &Request<B>) -> (String, String) {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    // The signature names the service: `Credential=id/day/region/service/aws4_request`.
    let service = header("authorization").and_then(|value| value.split("Credential=").nth(1)?.split('/').nth(3));
    let service = service.unwrap_or("unsigned").to_owned();
    let target = header(TARGET).and_then(|target| target.rsplit('.').next());
    let operation = match target {
        Some(operation) => operation,
        None => {
            let query = request.uri().query().unwrap_or_default();
            let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
            let is_bucket = !request.uri().path().trim_matches('/').contains('/');
            match *request.method() {
                Method::GET if has("versioning") => "GetBucketVersioning",
                Method::GET if has("lifecycle") => "GetBucketLifecycleConfiguration",
                Method::GET if is_bucket => "ListObjectsV2",
                Method::GET => "GetObject",
                Method::HEAD => "HeadObject",
                Method::PUT if has("partNumber") => "UploadPart",
                Method::PUT => "PutObject",
                Method::POST if has("delete") => "DeleteObjects",
                Method::POST if has("uploads") => "CreateMultipartUpload",
                Method::POST if has("uploadId") => "CompleteMultipartUpload",
                Method::DELETE => "DeleteObject",
                _ => "other",
            }
        }
    };
    (service, operation.to_owned())
}

async fn pass(
    client: Client<HttpConnector, Body>,
    behind: String,
    policies: Arc<Policies>,
    request: Request<Incoming>,
) -> Response<Body> {
    let policy = caller(&request).and_then(|caller| policies.get(&caller).cloned());
    let (service, operation) = operation(&request);
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("{behind}{path}").parse::<Uri>() else { return failed(StatusCode::BAD_REQUEST) };
    let mut json = Value::Null;
    // Only what is sent to S3 may be long.
    let body = if parts.headers.contains_key(TARGET) {
        let Ok(collected) = body.collect().await else { return failed(StatusCode::BAD_REQUEST) };
        let mut bytes = collected.to_bytes();
        if policy.is_some() {
            json = serde_json::from_slice(&bytes).unwrap_or_default();
        }
        if let Some(trace) = trace(&parts.headers) {
            bytes = with_trace(bytes, &trace);
            parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
        }
        Full::new(bytes).map_err(|never| match never {}).boxed()
    } else {
        body.boxed()
    };
    let (method, headers, asked_uri) = (parts.method.clone(), parts.headers.clone(), parts.uri.clone());
    let asking = Asking {
        service: &service,
        operation: &operation,
        method: &method,
        uri: &asked_uri,
        headers: &headers,
        body: Some(&json),
    };
    if let Some(policy) = &policy
        && !asking.needs().iter().fold(true, |all, (action, resource)| policy.allows(action, resource) && all)
    {
        return forbidden(&service);
    }
    parts.uri = uri;
    // It is another server's name now.
    parts.headers.remove(HOST);
    match client.request(Request::from_parts(parts, body)).await {
        Ok(response) => {
            let is_absent = response.status() == StatusCode::NOT_FOUND;
            if let Some((action, resource)) = asking.needs_of_absent().filter(|_| is_absent)
                && policy.is_some_and(|policy| !policy.allows(&action, &resource))
            {
                return forbidden(&service);
            }
            if operation == "GetBucketVersioning" { renamed(response).await } else { response.map(BodyExt::boxed) }
        }
        Err(_) => failed(StatusCode::BAD_GATEWAY),
    }
}

/// The answer to `GetBucketVersioning` under the name that S3 gives it; moto's has another, which no client reads.
async fn renamed(response: Response<Incoming>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    let Ok(collected) = body.collect().await else { return failed(StatusCode::BAD_GATEWAY) };
    let text = String::from_utf8_lossy(&collected.to_bytes()).into_owned();
    let text = text.replace("GetBucketVersioningResponse", "VersioningConfiguration");
    parts.headers.insert(CONTENT_LENGTH, text.len().into());
    Response::from_parts(parts, Full::from(text).map_err(|never| match never {}).boxed())
}

/// Who sends a request: what the id of his key is.
fn caller<B>(request: &Request<B>) -> Option<String> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    Some(header.split("Credential=").nth(1)?.split('/').next()?.to_owned())
}

impl Outage {
    fn answer(self, service: &str) -> Response<Body> {
        match self {
            Self::Unavailable => refused(
                service,
                (StatusCode::SERVICE_UNAVAILABLE, "<Error><Code>ServiceUnavailable</Code></Error>"),
                (StatusCode::SERVICE_UNAVAILABLE, r#"{"__type":"ServiceUnavailable","message":"the service is down"}"#),
            ),
            Self::Expired => refused(
                service,
                (StatusCode::BAD_REQUEST, "<Error><Code>ExpiredToken</Code></Error>"),
                (StatusCode::BAD_REQUEST, r#"{"__type":"ExpiredTokenException","message":"the token is expired"}"#),
            ),
        }
    }
}

/// What a service says to whom it is not allowed.
fn forbidden(service: &str) -> Response<Body> {
    refused(
        service,
        (StatusCode::FORBIDDEN, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"),
        (
            StatusCode::BAD_REQUEST,
            r#"{"__type":"AccessDeniedException","message":"no identity-based policy allows the action"}"#,
        ),
    )
}

/// An answer that is none, in the form of S3 or in that of the others.
fn refused(service: &str, s3: (StatusCode, &'static str), other: (StatusCode, &'static str)) -> Response<Body> {
    let (kind, (status, body)) = match service {
        "s3" => ("application/xml", s3),
        _ => ("application/x-amz-json-1.1", other),
    };
    let mut response = Response::new(Full::from(body).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn failed(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Full::default().map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

/// The trace header of a request that sends messages.
fn trace(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let sends = matches!(text(TARGET)?, "AmazonSQS.SendMessage" | "AmazonSQS.SendMessageBatch");
    text("x-amzn-trace-id").filter(|_| sends).map(str::to_owned)
}

/// The body of a request that sends messages, with the trace header on each; what is not understood stays as it is.
fn with_trace(body: Bytes, trace: &str) -> Bytes {
    let Ok(mut request) = serde_json::from_slice::<Value>(&body) else { return body };
    let mark = |message: &mut Value| {
        if let Some(message) = message.as_object_mut() {
            let attributes = message.entry("MessageSystemAttributes").or_insert_with(|| json!({}));
            if let Some(attributes) = attributes.as_object_mut() {
                let header = json!({ "DataType": "String", "StringValue": trace });
                attributes.entry("AWSTraceHeader").or_insert(header);
            }
        }
    };
    match request.get_mut("Entries").and_then(Value::as_array_mut) {
        Some(entries) => entries.iter_mut().for_each(mark),
        None => mark(&mut request),
    }
    request.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_known_by_target_method_and_query() {
        let of = |method: Method, uri: &str, target: Option<&str>| {
            let credential = "AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host";
            let mut request = Request::builder().method(method).uri(uri).header("authorization", credential);
            if let Some(target) = target {
                request = request.header("x-amz-target", target);
            }
            operation(&request.body(()).unwrap()).1
        };
        assert_eq!(of(Method::POST, "/", Some("AmazonSQS.SendMessage")), "SendMessage");
        assert_eq!(of(Method::GET, "/bucket?list-type=2&prefix=a/b", None), "ListObjectsV2");
        assert_eq!(of(Method::GET, "/bucket/?list-type=2", None), "ListObjectsV2");
        assert_eq!(of(Method::GET, "/bucket/a/key?x-id=GetObject", None), "GetObject");
        assert_eq!(of(Method::PUT, "/bucket/key?x-id=PutObject", None), "PutObject");
        assert_eq!(of(Method::PUT, "/bucket/key?partNumber=1&uploadId=x", None), "UploadPart");
    }

    #[test]
    fn every_message_of_a_request_gets_the_trace_and_keeps_its_own() {
        let marked =
            |body: Value| -> Value { serde_json::from_slice(&with_trace(body.to_string().into(), "Root=1")).unwrap() };
        let header = json!({ "AWSTraceHeader": { "DataType": "String", "StringValue": "Root=1" } });
        assert_eq!(marked(json!({ "MessageBody": "a" }))["MessageSystemAttributes"], header);
        let own = json!({ "AWSTraceHeader": { "DataType": "String", "StringValue": "Root=2" } });
        let batch = json!({ "Entries": [{ "Id": "0" }, { "Id": "1", "MessageSystemAttributes": own }] });
        let batch = marked(batch);
        assert_eq!(batch["Entries"][0]["MessageSystemAttributes"], header);
        assert_eq!(batch["Entries"][1]["MessageSystemAttributes"], own);
    }
}
