//! Compression: how the stored bytes of an object become the bytes that a format reads.

pub(super) mod gzip;

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one member or several.
    Gzip,
}

impl Compression {
    /// What the ending of an object's name says.
    pub fn of_name(name: &str) -> Self {
        if name.to_ascii_lowercase().ends_with(".gz") { Self::Gzip } else { Self::None }
    }
}
