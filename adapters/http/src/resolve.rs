//! Resolve: the addresses of a host. A public name with an address in a private network is refused: a manifest of somebody else
//! must not reach servers that only this network reaches.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs};
use ureq::unversioned::transport::NextTimeout;

/// The system is asked for the addresses of a server again after so long. It would be asked for each page otherwise, on a thread
/// of its own, also where the connection is there already.
const KNOWN_FOR: Duration = Duration::from_secs(30);

/// The system's names, less private addresses.
#[derive(Debug)]
pub(crate) struct Resolver {
    system: DefaultResolver,
    is_private_allowed: bool,
    /// The server that was resolved last.
    last: Mutex<Option<Known>>,
}

/// A server, its addresses, and when they were looked up.
#[derive(Debug)]
struct Known {
    server: String,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

impl Resolver {
    pub(crate) fn new(is_private_allowed: bool) -> Self {
        Self { system: DefaultResolver::default(), is_private_allowed, last: Mutex::new(None) }
    }
}

impl ureq::unversioned::resolver::Resolver for Resolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let server = format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.host().unwrap_or_default());
        let server = format!("{server}:{}", uri.port_u16().unwrap_or_default());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref().filter(|known| known.server == server && known.at.elapsed() < KNOWN_FOR) {
            let mut addresses = self.empty();
            known.addresses.iter().for_each(|address| addresses.push(*address));
            return Ok(addresses);
        }
        let found = self.system.resolve(uri, config, timeout)?;
        let is_private =
            found.iter().any(|address| etalon_core::source::connector::is_private(&address.ip().to_string()));
        if is_private && !self.is_private_allowed {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, Private).into());
        }
        *last = Some(Known { server, addresses: found.iter().copied().collect(), at: Instant::now() });
        Ok(found)
    }
}

/// Why a name is not resolved.
#[derive(Debug)]
struct Private;

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is an address of this machine or of a private network")
    }
}

impl std::error::Error for Private {}

/// Whether an error is this one.
pub(crate) fn is_private(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Private>())
}
