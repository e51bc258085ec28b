//! Digest: what bytes are, in the words in which the version of a local file says it.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

/// The XXH3 digest, of 128 bits, of bytes that come in pieces.
#[derive(Clone, Default)]
pub(super) struct Digest(Box<Xxh3>);

impl Digest {
    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0.digest128())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
