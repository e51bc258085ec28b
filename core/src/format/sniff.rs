//! Sniff: the kind of an object by its first bytes. They count more than its name.

use std::fmt;

/// So many first bytes are looked at, or all that there are.
pub(super) const FIRST_BYTES: usize = 64 * 1024;

/// What stands in a tar archive's first header, as POSIX and as GNU tar write it, and where.
const TAR: (usize, [&[u8]; 2]) = (257, [b"ustar\0", b"ustar  \0"]);
/// So many bytes tell text in two-byte units from text in single bytes.
const WIDE_BYTES: usize = 64;

/// What an object is, where its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Gzip,
    Zstandard,
    Bzip2,
    Xz,
    /// An archive; the second: one whose first entry is a part of a workbook.
    Zip,
    Workbook,
    /// The container of Office files before 2007.
    OldOffice,
    Tar,
    Parquet,
    Avro,
    Orc,
    /// Text in two-byte units, and whether a byte order mark says so.
    Utf16 {
        marked: bool,
    },
    Utf32,
}

/// What the first bytes of an object say; `None`: nothing that is known here, text for example.
pub(super) fn content(first: &[u8]) -> Option<Content> {
    // A text may begin with letters that are also a signature.
    let is_binary = || first.iter().take(WIDE_BYTES).any(|&byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'));
    Some(match first {
        [0x1f, 0x8b, ..] => Content::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Content::Zstandard,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Content::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Content::Xz,
        [b'P', b'K', 3, 4, ..] if is_workbook(first) => Content::Workbook,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Content::Zip,
        [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Content::OldOffice,
        [b'P', b'A', b'R', b'1', ..] if is_binary() => Content::Parquet,
        [b'O', b'b', b'j', 1, ..] => Content::Avro,
        [b'O', b'R', b'C', ..] if is_binary() => Content::Orc,
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Content::Utf32,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Content::Utf16 { marked: true },
        _ if first.get(TAR.0..).is_some_and(|rest| TAR.1.iter().any(|tar| rest.starts_with(tar))) => Content::Tar,
        _ if is_wide(first) => Content::Utf16 { marked: false },
        _ => return None,
    })
}

/// Whether bytes can be the beginning of a text: UTF-8 that may be broken off, without the characters that no text has.
pub(super) fn is_text(first: &[u8]) -> bool {
    let is_broken_off = |error: std::str::Utf8Error| error.error_len().is_none();
    let is_utf8 = std::str::from_utf8(first).map_or_else(is_broken_off, |_| true);
    is_utf8 && first.iter().all(|&byte| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b))
}

/// The names of a ZIP archive's entries stand in it as they are; a workbook's begin with one of these.
fn is_workbook(first: &[u8]) -> bool {
    let name = first.get(30..).unwrap_or_default();
    [&b"[Content_Types].xml"[..], b"xl/", b"_rels/.rels", b"docProps/"].iter().any(|part| name.starts_with(part))
}

/// Whether every other byte is zero, as in Latin text in two-byte units.
fn is_wide(first: &[u8]) -> bool {
    let (units, _) = first.get(..first.len().min(WIDE_BYTES)).unwrap_or_default().as_chunks::<2>();
    let all = |is_zero: [bool; 2]| units.iter().all(|unit| [unit[0] == 0, unit[1] == 0] == is_zero);
    units.len() >= 4 && (all([true, false]) || all([false, true]))
}

impl Content {
    /// Whether it is text in two-byte units.
    pub(super) fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16 { .. })
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstandard => "Zstandard",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zip => "a ZIP archive",
            Self::Workbook => "a workbook (XLSX, a ZIP archive)",
            Self::OldOffice => "an Office file of the old kind (XLS)",
            Self::Tar => "a tar archive",
            Self::Parquet => "Parquet",
            Self::Avro => "Avro",
            Self::Orc => "ORC",
            Self::Utf16 { marked: true } => "UTF-16 with a byte order mark",
            Self::Utf16 { marked: false } => "UTF-16 without a byte order mark",
            Self::Utf32 => "UTF-32",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_an_object_is() {
        let told = |first: &[u8]| content(first).map(|content| content.to_string());
        for (first, expected) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip"),
            (b"\x28\xb5\x2f\xfd\x04", "Zstandard"),
            (b"BZh91AY&SY", "bzip2"),
            (b"PK\x03\x04", "a ZIP archive"),
            (
                b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml",
                "a workbook (XLSX, a ZIP archive)",
            ),
            (b"PAR1\x15\x04\x15", "Parquet"),
            (b"\xff\xfei\0d\0", "UTF-16 with a byte order mark"),
            (b"i\0d\0,\0n\0", "UTF-16 without a byte order mark"),
            (b"\xff\xfe\0\0i\0\0\0", "UTF-32"),
        ] {
            assert_eq!(told(first).as_deref(), Some(expected));
        }
        assert_eq!(told(&[&[b'a'; 257], &b"ustar\0"[..]].concat()).as_deref(), Some("a tar archive"));
        assert_eq!(told(&[&[b'a'; 257], &b"ustard"[..]].concat()), None);
        for text in
            [&b"PAR1,PAR2\n1,2\n"[..], b"ORC,id\n", b"BZh9,x\n", b"id,name\n", b"\xef\xbb\xbfid\n", b"", b"a\0b"]
        {
            assert_eq!(told(text), None);
        }
    }

    #[test]
    fn a_text_is_told_from_what_is_none() {
        assert!(is_text("id,größe\r\n".as_bytes()) && is_text(b"") && is_text(b"a\xc3"));
        assert!(!is_text(b"a\xffb") && !is_text(b"a\0b"));
    }
}
