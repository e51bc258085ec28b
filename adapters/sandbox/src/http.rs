//! Http: a server on a free port of this machine, which closes with its value.

use std::convert::Infallible;
use std::net::SocketAddr;

use etalon_core::error::{Error, ErrorKind};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

/// A server.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Its host and port.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The connections end with the task that has them.
        self.task.abort();
    }
}

/// Serves on a free port of this machine.
pub(crate) async fn serve<H, F, B>(handler: H) -> Result<Server, Error>
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Error: std::error::Error + Send + Sync, Data: Send> + Send + 'static,
{
    let unavailable = |error: std::io::Error| Error::new(ErrorKind::Unavailable, format!("no free port: {error}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(unavailable)?;
    let address = listener.local_addr().map_err(unavailable)?;
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // A connection that fails is its client's matter.
                    let Ok((stream, _)) = accepted else { continue };
                    let _ = stream.set_nodelay(true);
                    let handler = handler.clone();
                    let service = service_fn(move |request| {
                        let answer = handler(request);
                        async move { Ok::<_, Infallible>(answer.await) }
                    });
                    connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Server { address, task: task.abort_handle() })
}
