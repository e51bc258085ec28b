//! Compression: how the stored bytes of an object become the bytes that a format reads.

pub(super) mod gzip;

use super::sniff::{self, Content};

use crate::spec::Choice;

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, one member or several.
    Gzip,
}

/// The ways to say it in the pipeline file; `None`: the object's first bytes say it.
pub(crate) const COMPRESSIONS: Choice<Option<Compression>> = Choice(&[
    ("auto", "by the first bytes of each object", None),
    ("none", "not at all", Some(Compression::None)),
    ("gzip", "gzip, whatever the name", Some(Compression::Gzip)),
]);

impl Compression {
    /// What the ending of an object's name says.
    pub(crate) fn of_name(name: &str) -> Self {
        if name.to_ascii_lowercase().ends_with(".gz") { Self::Gzip } else { Self::None }
    }

    /// How an object is compressed that begins so. An error says in which way the object is not what was said.
    pub(super) fn of_bytes(said: Option<Self>, by_name: Self, first: &[u8]) -> Result<Self, String> {
        let found = sniff::content(first);
        let is_gzip = found == Some(Content::Gzip);
        match said {
            None if is_gzip => Ok(Self::Gzip),
            None if found.is_none() && (first.is_empty() || !sniff::is_text(first)) => Ok(by_name),
            Some(Self::None) if is_gzip => {
                Err("its first bytes are those of gzip, and `compression: none` is said".to_owned())
            }
            Some(Self::Gzip) if !is_gzip && !is_beginning_of_gzip(first) => {
                let what = match found {
                    Some(found) => format!("those of {found}"),
                    None if sniff::is_text(first) => "plain text".to_owned(),
                    None => "not those of gzip".to_owned(),
                };
                Err(format!("its first bytes are {what}, and `compression: gzip` is said"))
            }
            Some(said) => Ok(said),
            None => Ok(Self::None),
        }
    }
}

/// Whether an object breaks off before the bytes that tell gzip from others.
fn is_beginning_of_gzip(first: &[u8]) -> bool {
    matches!(first, [] | [0x1f])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_beat_a_name() {
        use Compression::{Gzip, None as Plain};
        let gzip = b"\x1f\x8b\x08";
        assert_eq!(Compression::of_bytes(None, Plain, gzip), Ok(Gzip));
        assert_eq!(Compression::of_bytes(None, Gzip, b"id,name\n"), Ok(Plain));
        // Neither gzip nor text: the name is all that is left, and the stream is damaged.
        assert_eq!(Compression::of_bytes(None, Gzip, b"\x1e\x8b\x08\0"), Ok(Gzip));
        assert_eq!(Compression::of_bytes(None, Gzip, b""), Ok(Gzip));
    }

    #[test]
    fn what_was_said_is_held_against_the_first_bytes() {
        use Compression::{Gzip, None as Plain};
        let wrong = |said, first: &[u8]| Compression::of_bytes(Some(said), Plain, first).unwrap_err();
        assert_eq!(wrong(Gzip, b"id,name\n"), "its first bytes are plain text, and `compression: gzip` is said");
        let zip = "its first bytes are those of a ZIP archive, and `compression: gzip` is said";
        assert_eq!(wrong(Gzip, b"PK\x03\x04"), zip);
        let gzip = "its first bytes are those of gzip, and `compression: none` is said";
        assert_eq!(wrong(Plain, b"\x1f\x8b\x08"), gzip);
        assert_eq!(Compression::of_bytes(Some(Gzip), Plain, b""), Ok(Gzip));
    }
}
