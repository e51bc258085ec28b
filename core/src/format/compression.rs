//! Compression: how the stored bytes of an object become the bytes that a format reads.

pub(super) mod gzip;

use super::sniff::{self, Content};

use crate::diagnostic::{Code, Diagnostic};
use crate::spec::{Choice, Keys, Mapping, TextOrMapping, Whole};

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

/// What an object decodes to, whatever it is compressed from: a small one is never too much.
const SMALL_BYTES: u64 = 16 * 1024 * 1024;

/// What a compressed object may decode to. A megabyte can be made to decode to a gigabyte, which would take a function's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expansion {
    /// So many times its stored bytes, or 16 MiB where that is more.
    pub ratio: u64,
    /// So many bytes.
    pub bytes: u64,
}

/// What is meant where the file says nothing.
const RATIO: &str = "200";
const BYTES: &str = "34359738368";

impl Default for Expansion {
    fn default() -> Self {
        Self { ratio: 200, bytes: 32 << 30 }
    }
}

impl Expansion {
    /// Most bytes that an object of so many stored ones may decode to.
    pub(super) fn most(self, stored: u64) -> u64 {
        stored.saturating_mul(self.ratio).max(SMALL_BYTES).min(self.bytes)
    }

    /// Why an object of so many stored bytes that decodes to more is held.
    pub(super) fn exceeded(self, stored: u64) -> String {
        let (most, Self { ratio, bytes }) = (self.most(stored), self);
        format!(
            "its {stored} stored bytes decode to more than {most}; `compression` allows {ratio} times as many (`ratio`), and \
             {bytes} bytes at most (`bytes`)"
        )
    }
}

/// What the file says of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompressionSpec {
    /// How the objects are compressed; `None`: their first bytes say it.
    pub(crate) kind: Option<Compression>,
    /// What they may decode to.
    pub(crate) expansion: Expansion,
}

impl From<Option<Compression>> for CompressionSpec {
    fn from(kind: Option<Compression>) -> Self {
        Self { kind, expansion: Expansion::default() }
    }
}

/// How objects are compressed, in a word or with what they may decode to.
pub(crate) const COMPRESSION: TextOrMapping<Choice<Option<Compression>>, CompressionSpec> = TextOrMapping(
    COMPRESSIONS,
    Mapping {
        title: "compression",
        doc: "How the objects are compressed, and how large they may be decompressed: a larger object is held.",
        may_be_empty: false,
        keys: |keys| {
            let spec = CompressionSpec {
                kind: keys.or(KIND, COMPRESSIONS, "auto", "How the objects are compressed."),
                expansion: Expansion {
                    ratio: keys.or(
                        RATIO_KEY,
                        Whole,
                        RATIO,
                        "How many times larger than its stored bytes a decompressed object may be; 16 MiB are always allowed.",
                    ),
                    bytes: keys.or(BYTES_KEY, Whole, BYTES, "How many bytes an object may decode to."),
                },
            };
            if spec.kind == Some(Compression::None) {
                decodes_nothing(keys);
            }
            if let Some(span) = keys.place(BYTES_KEY).filter(|_| spec.expansion.bytes == 0) {
                let message = "`bytes: 0` holds every object";
                keys.report(
                    Diagnostic::error(Code::Conflict, span, message)
                        .with_help("say how many bytes an object may decode to"),
                );
            }
            spec
        },
    },
);

const KIND: &str = "kind";
const RATIO_KEY: &str = "ratio";
const BYTES_KEY: &str = "bytes";

/// Refuses bounds of what is never decoded.
fn decodes_nothing(keys: &mut Keys<'_>) {
    for key in [RATIO_KEY, BYTES_KEY] {
        if let Some(span) = keys.place(key) {
            keys.report(
                Diagnostic::error(Code::Conflict, span, format!("`{key}` has no effect with `kind: none`"))
                    .with_help("what is not compressed decodes to itself; leave the key out"),
            );
        }
    }
}

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

    #[test]
    fn what_a_small_object_decodes_to_is_never_too_much() {
        let expansion = Expansion::default();
        let mebibyte = 1 << 20;
        assert_eq!(expansion.most(1000), 16 * mebibyte);
        assert_eq!(expansion.most(mebibyte), 200 * mebibyte);
        assert_eq!(expansion.most(u64::MAX), 32 << 30);
        let words = "its 1048576 stored bytes decode to more than 209715200; `compression` allows 200 times as many \
                     (`ratio`), and 34359738368 bytes at most (`bytes`)";
        assert_eq!(expansion.exceeded(mebibyte), words);
        assert_eq!((RATIO.parse(), BYTES.parse()), (Ok(expansion.ratio), Ok(expansion.bytes)));
    }
}
