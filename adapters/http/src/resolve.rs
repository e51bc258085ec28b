//! Resolve: the addresses of a host. A public name with an address in a private network is refused: a manifest of somebody else
//! must not reach servers that only this network reaches.

use std::fmt;
use std::io;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs};
use ureq::unversioned::transport::NextTimeout;

/// The system's names, less private addresses.
#[derive(Debug)]
pub(crate) struct Resolver {
    system: DefaultResolver,
    is_private_allowed: bool,
}

impl Resolver {
    pub(crate) fn new(is_private_allowed: bool) -> Self {
        Self { system: DefaultResolver::default(), is_private_allowed }
    }
}

impl ureq::unversioned::resolver::Resolver for Resolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.system.resolve(uri, config, timeout)?;
        let is_private =
            found.iter().any(|address| etalon_core::source::connector::is_private(&address.ip().to_string()));
        if is_private && !self.is_private_allowed {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, Private).into());
        }
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
