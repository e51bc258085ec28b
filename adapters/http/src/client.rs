//! Client: sends one request, and returns the whole response, decompressed and limited in size.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use etalon_core::error::{Error, ErrorKind};
use etalon_core::source::connector::{RESPONSE_BYTES_MAX, Request, Response, Signing};
use etalon_driver::ports::Server;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use rustls::crypto::ring;
use ureq::Agent;
use ureq::http;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

use crate::resolve::{self, Resolver};
use crate::sign;

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may take until its answer begins.
const ANSWER: Duration = Duration::from_secs(60);
/// How long a whole request may take.
const WHOLE: Duration = Duration::from_secs(300);
/// Most redirects that are followed, one after the other.
const REDIRECTS_MAX: usize = 5;

/// A client of HTTP with its open connections.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    /// When nothing is waited for any more.
    ends: Option<Instant>,
}

impl Client {
    /// A client that believes the authorities that this system trusts. `is_private_allowed`: whether a name may lead to an
    /// address of this machine or of a private network.
    pub fn new(is_private_allowed: bool) -> Self {
        let roots = rustls_native_certs::load_native_certs().certs;
        let roots: Vec<Certificate<'static>> =
            roots.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("etalon/", env!("CARGO_PKG_VERSION")))
            .accept("*/*")
            .accept_encoding("gzip, deflate")
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .timeout_global(Some(WHOLE))
            .build();
        let agent = Agent::with_parts(config, DefaultConnector::default(), Resolver::new(is_private_allowed));
        Self { agent, ends: None }
    }

    /// The same client, which waits for no answer beyond a time.
    #[must_use]
    pub fn until(self, ends: Instant) -> Self {
        Self { ends: Some(ends), ..self }
    }

    /// Sends a request and follows where it is redirected to on the same server.
    ///
    /// An error of the kind [`ErrorKind::Unavailable`] says that no answer came, of any other kind that it is no use to ask
    /// again. It names the address without its query.
    pub fn send(&self, request: &Request) -> Result<Response, Error> {
        let mut request = request.clone();
        let mut set = Vec::new();
        for _ in 0..=REDIRECTS_MAX {
            let mut response = self.send_once(&request)?;
            let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
            match response.header("location").filter(|_| is_redirect) {
                Some(location) => {
                    request = request.redirected(&response, location)?;
                    set.extend(response.headers.into_iter().filter(|(name, _)| name == "set-cookie"));
                }
                // The cookies of the way are the answer's.
                None => {
                    set.append(&mut response.headers);
                    response.headers = set;
                    return Ok(response);
                }
            }
        }
        let place = place(&request);
        Err(Error::new(ErrorKind::Refused, format!("`{place}` redirects more than {REDIRECTS_MAX} times")))
    }

    fn send_once(&self, request: &Request) -> Result<Response, Error> {
        let mut built = http::Request::builder().method(request.method.as_str()).uri(&request.url);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let body = request.body.as_deref().unwrap_or_default();
        // The value that does not fit may be secret: it is not shown.
        let built = built.body(body).map_err(|_| {
            Error::new(ErrorKind::Refused, format!("a header of the request to `{}` cannot be sent", place(request)))
        })?;
        // A method that is about a body says that there is none: servers ask for that.
        let has_body = request.body.is_some() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
        let left = self.ends.map_or(WHOLE, |ends| ends.saturating_duration_since(Instant::now()).min(WHOLE));
        if left.is_zero() {
            let place = place(request);
            return Err(Error::new(ErrorKind::Unavailable, format!("`{place}` is not asked: the time is over")));
        }
        let answer = match has_body {
            true => self.agent.run(self.agent.configure_request(built).timeout_global(Some(left)).build()),
            false => self.agent.run(self.agent.configure_request(built.map(|_| ())).timeout_global(Some(left)).build()),
        };
        let mut answer = answer.map_err(|error| failed(request, &error))?;
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let status = answer.status().as_u16();
        let limit = u64::try_from(RESPONSE_BYTES_MAX).unwrap_or(u64::MAX);
        let mut stored = Vec::new();
        let reader = answer.body_mut().as_reader();
        reader.take(limit + 1).read_to_end(&mut stored).map_err(|error| interrupted(request, &error))?;
        let encoding =
            headers.iter().find(|(name, _)| name == "content-encoding").map(|(_, value)| value.to_ascii_lowercase());
        let body = decoded(stored, encoding.as_deref().unwrap_or_default(), limit)
            .map_err(|what| Error::new(ErrorKind::Refused, format!("the answer of `{}` {what}", place(request))))?;
        Ok(Response::new(status, headers, body))
    }
}

impl Server for Client {
    fn send(&mut self, request: &Request) -> Result<Response, Error> {
        Self::send(self, request)
    }

    fn sign(&self, signing: &Signing) -> Result<Vec<u8>, Error> {
        sign::sign(signing)
    }
}

/// The body as it was before it was encoded for the way. The error is what it is, after a subject.
fn decoded(stored: Vec<u8>, encoding: &str, limit: u64) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let read = match encoding {
        _ if stored.is_empty() => return Ok(stored),
        "gzip" | "x-gzip" => MultiGzDecoder::new(stored.as_slice()).take(limit + 1).read_to_end(&mut body),
        // Servers send both what RFC 9110 calls deflate, with zlib's header, and the bare stream.
        "deflate" if is_zlib(&stored) => ZlibDecoder::new(stored.as_slice()).take(limit + 1).read_to_end(&mut body),
        "deflate" => DeflateDecoder::new(stored.as_slice()).take(limit + 1).read_to_end(&mut body),
        "" | "identity" => {
            body = stored;
            Ok(body.len())
        }
        other => return Err(format!("is encoded as `{other}`, for which it was not asked")),
    };
    read.map_err(|error| format!("cannot be decompressed: {error}"))?;
    if u64::try_from(body.len()).unwrap_or(u64::MAX) > limit {
        return Err(format!("is longer than {} MiB", limit >> 20));
    }
    Ok(body)
}

/// Whether a stream begins as RFC 1950 says.
fn is_zlib(stored: &[u8]) -> bool {
    matches!(stored, [first, second, ..] if first & 15 == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

fn place(request: &Request) -> &str {
    request.url.split(['?', '#']).next().unwrap_or_default()
}

fn failed(request: &Request, error: &ureq::Error) -> Error {
    let place = place(request);
    match error {
        ureq::Error::Io(io) if resolve::is_private(io) => Error::new(
            ErrorKind::Refused,
            format!("`{place}` leads to an address of this machine or of a private network"),
        ),
        ureq::Error::Io(io) => interrupted(request, io),
        ureq::Error::Rustls(error) => {
            Error::new(ErrorKind::Refused, format!("`{place}`: its certificate or its TLS is not accepted: {error}"))
        }
        ureq::Error::HostNotFound => {
            Error::new(ErrorKind::Unavailable, format!("`{place}`: no address is known for its host"))
        }
        ureq::Error::Timeout(what) => {
            Error::new(ErrorKind::Unavailable, format!("`{place}` did not answer in time ({what})"))
        }
        ureq::Error::ConnectionFailed => {
            Error::new(ErrorKind::Unavailable, format!("`{place}` cannot be connected to"))
        }
        ureq::Error::LargeResponseHeader(..) => {
            Error::new(ErrorKind::Refused, format!("the headers of the answer of `{place}` are too long"))
        }
        other => Error::new(ErrorKind::Unavailable, format!("`{place}`: {other}")),
    }
}

fn interrupted(request: &Request, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("`{}`: {error}", place(request)))
}
