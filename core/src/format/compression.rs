//! Compression: how the stored bytes of an object become the bytes that a format reads.

pub(super) mod gzip;

use crate::spec::Choice;

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one member or several.
    Gzip,
}

/// The ways to say it in the pipeline file; `None`: the object's name says it.
pub(crate) const COMPRESSIONS: Choice<Option<Compression>> = Choice(&[
    ("auto", "by the name's ending: `.gz` is gzip", None),
    ("none", "not at all", Some(Compression::None)),
    ("gzip", "gzip, whatever the name", Some(Compression::Gzip)),
]);

impl Compression {
    /// What the ending of an object's name says.
    pub fn of_name(name: &str) -> Self {
        if name.to_ascii_lowercase().ends_with(".gz") { Self::Gzip } else { Self::None }
    }
}
