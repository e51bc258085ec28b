//! Api: the Runtime API, version 2018-06-01, on a port of its own for one process.
//!
//! It decides nothing: it passes requests of the runtime to the code that runs the environment, which answers them.

use bytes::{Bytes, BytesMut};
use etalon_core::error::Error;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use crate::http::{Server, serve};

/// The most bytes of a response: 6 MB.
pub(super) const RESPONSE_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The Runtime API of one process; it closes with its value.
#[derive(Debug)]
pub(super) struct Api {
    server: Server,
    said: mpsc::UnboundedReceiver<Said>,
}

/// What a runtime says.
#[derive(Debug)]
pub(super) enum Said {
    /// It waits for an invocation.
    Next(Reply),
    /// An invocation is done; too large a result is none.
    Response(About, Option<Bytes>, Reply),
    /// An invocation failed.
    Error(About, Bytes, Reply),
    /// It cannot begin.
    InitError(About, Bytes, Reply),
}

/// What a runtime says its words are about.
#[derive(Debug, Default)]
pub(super) struct About {
    /// The request's id.
    pub(super) request: String,
    /// The id of the attempt, if it says one.
    pub(super) invocation: Option<String>,
    /// The kind of an error, if it says one.
    pub(super) error_type: Option<String>,
}

/// The way back to the runtime.
#[derive(Debug)]
pub(super) struct Reply(oneshot::Sender<Response<Full<Bytes>>>);

impl Api {
    /// Opens a port.
    pub(super) async fn open() -> Result<Self, Error> {
        let (sender, said) = mpsc::unbounded_channel();
        let server = serve(move |request| answer(request, sender.clone())).await?;
        Ok(Self { server, said })
    }

    /// What `AWS_LAMBDA_RUNTIME_API` is.
    pub(super) fn address(&self) -> String {
        self.server.address()
    }

    /// What the runtime says next.
    pub(super) async fn said(&mut self) -> Said {
        match self.said.recv().await {
            Some(said) => said,
            // The server holds a sender as long as it is there.
            None => std::future::pending().await,
        }
    }
}

impl Reply {
    /// Answers with headers and a body. A runtime that has gone does not hear it.
    pub(super) fn send(self, status: StatusCode, headers: &[(&str, String)], body: Bytes) {
        let mut response = Response::builder().status(status).header("content-type", "application/json");
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        if let Ok(response) = response.body(Full::new(body)) {
            let _ = self.0.send(response);
        }
    }

    /// Takes what was said.
    pub(super) fn accept(self) {
        self.send(StatusCode::ACCEPTED, &[], Bytes::from_static(br#"{"status":"OK"}"#));
    }

    /// Refuses what was said.
    pub(super) fn refuse(self, status: StatusCode, error_type: &str) {
        self.send(status, &[], format!(r#"{{"errorMessage":"refused","errorType":"{error_type}"}}"#).into());
    }
}

async fn answer(request: Request<Incoming>, said: mpsc::UnboundedSender<Said>) -> Response<Full<Bytes>> {
    let status = |status| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = status;
        response
    };
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut about = About {
        invocation: header("lambda-runtime-invocation-id"),
        error_type: header("lambda-runtime-function-error-type"),
        ..About::default()
    };
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let Some(path) = path.strip_prefix("/2018-06-01/runtime/") else { return status(StatusCode::NOT_FOUND) };
    let (sender, answered) = oneshot::channel();
    let reply = Reply(sender);
    let what = match (method, path.split('/').collect::<Vec<_>>().as_slice()) {
        (Method::GET, ["invocation", "next"]) => Said::Next(reply),
        (Method::POST, ["invocation", id, "response"]) => {
            (*id).clone_into(&mut about.request);
            Said::Response(about, collect(request.into_body()).await, reply)
        }
        (Method::POST, ["invocation", id, "error"]) => {
            (*id).clone_into(&mut about.request);
            Said::Error(about, collect(request.into_body()).await.unwrap_or_default(), reply)
        }
        (Method::POST, ["init", "error"]) => {
            Said::InitError(about, collect(request.into_body()).await.unwrap_or_default(), reply)
        }
        _ => return status(StatusCode::NOT_FOUND),
    };
    if said.send(what).is_err() {
        return status(StatusCode::INTERNAL_SERVER_ERROR);
    }
    answered.await.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

/// A body, read to its end; `None` if it is larger than a response may be.
async fn collect(mut body: Incoming) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame.ok()?.data_ref() {
            length += data.len();
            if length <= RESPONSE_BYTES_MAX {
                bytes.extend_from_slice(data);
            }
        }
    }
    (length <= RESPONSE_BYTES_MAX).then(|| bytes.freeze())
}
