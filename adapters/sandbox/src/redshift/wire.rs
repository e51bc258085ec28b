//! Wire: JSON 1.1 over HTTP. A request names its operation in a header and has its members in the body.
//!
//! ```text
//! POST / HTTP/1.1
//! X-Amz-Target: RedshiftData.ExecuteStatement
//! Content-Type: application/x-amz-json-1.1
//! ```
//!
//! The signature is not checked.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::operations;
use super::refusal::Refusal;
use super::world::World;

/// What stands before the operation in its header.
const SERVICE: &str = "RedshiftData.";
/// Most bytes of a body: forty statements of 200 KB, each byte of them perhaps escaped.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Takes connections until the future is dropped.
pub(super) async fn serve(listener: TcpListener, world: Arc<World>) -> io::Result<Infallible> {
    loop {
        let (stream, _) = listener.accept().await?;
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let service = service_fn(|request| respond(&world, request));
            // A connection that breaks is the client's matter; one that is to break, breaks here.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// That the answer is lost on the way.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answer is lost")
    }
}

impl std::error::Error for Lost {}

async fn respond(world: &Arc<World>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Lost> {
    let request_id = world.id();
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).map(str::to_owned);
    let operation = target.as_deref().and_then(|target| target.strip_prefix(SERVICE)).map(str::to_owned);
    let named = operation.clone().unwrap_or_else(|| "?".to_owned());
    let answer = match (request.method(), operation) {
        (&Method::POST, Some(operation)) => {
            let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
            match body.map(http_body_util::Collected::to_bytes) {
                Ok(body) => {
                    world.config.log_sql(&named, &body);
                    operations::answer(world, &operation, &body).await
                }
                Err(_) => Err(Refusal::new("SerializationException", "the body does not come, or does not end")),
            }
        }
        _ => Err(Refusal::new("UnknownOperationException", "a request is a POST with X-Amz-Target: RedshiftData.…")),
    };
    let (status, error, body) = match answer {
        Ok(Some(body)) => (200, None, body),
        Ok(None) => {
            world.config.log(&format!("{request_id} {named} lost"));
            return Err(Lost);
        }
        Err(refusal) => (refusal.status(), Some(refusal.name.clone()), refusal.body()),
    };
    world.config.log(&format!("{request_id} {named} {status} {}", error.as_deref().unwrap_or_default()));
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amzn-requestid", request_id);
    if let Some(error) = error {
        response = response.header("x-amzn-errortype", error);
    }
    response.body(Full::new(Bytes::from(body.to_string()))).map_err(|_| Lost)
}
