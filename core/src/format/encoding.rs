//! Encoding: decompressed bytes in, UTF-8 out.
//!
//! Bytes that are not a character of the encoding become a byte that is invalid in UTF-8, so that their record is rejected and
//! the others are read. A byte order mark decides for its object, even if the pipeline file names another encoding.

use encoding_rs::{Decoder, DecoderResult};

use crate::spec::Choice;

/// Stands in the decoded bytes for what is no character.
const NO_CHARACTER: u8 = 0xff;
/// Where there is room for so many bytes, one character has room.
const CHARACTER_BYTES_MAX: usize = 16;

/// How the characters of a text are written, where that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

const fn some(encoding: &'static encoding_rs::Encoding) -> Option<Encoding> {
    Some(Encoding(encoding))
}

/// The ways to say it in the pipeline file; `None`: UTF-8.
pub(crate) const ENCODINGS: Choice<Option<Encoding>> = Choice(&[
    ("utf-8", "as nearly everything is", None),
    (
        "utf-16",
        "two bytes a character, the lower one first if no byte order mark says otherwise",
        some(&encoding_rs::UTF_16LE_INIT),
    ),
    (
        "windows-1252",
        "Western Europe and America, as older programs for Windows write it",
        some(&encoding_rs::WINDOWS_1252_INIT),
    ),
    ("iso-8859-1", "the same letters as `windows-1252`", some(&encoding_rs::WINDOWS_1252_INIT)),
    ("iso-8859-15", "Western Europe, with the euro sign", some(&encoding_rs::ISO_8859_15_INIT)),
    ("windows-1250", "Central Europe", some(&encoding_rs::WINDOWS_1250_INIT)),
    ("iso-8859-2", "Central Europe", some(&encoding_rs::ISO_8859_2_INIT)),
    ("windows-1251", "Cyrillic", some(&encoding_rs::WINDOWS_1251_INIT)),
    ("koi8-r", "Cyrillic", some(&encoding_rs::KOI8_R_INIT)),
    ("windows-1253", "Greek", some(&encoding_rs::WINDOWS_1253_INIT)),
    ("windows-1254", "Turkish", some(&encoding_rs::WINDOWS_1254_INIT)),
    ("ibm866", "Cyrillic, as DOS writes it", some(&encoding_rs::IBM866_INIT)),
    (
        "macintosh",
        "Western Europe and America, as older Macintosh computers write it",
        some(&encoding_rs::MACINTOSH_INIT),
    ),
    ("shift_jis", "Japanese", some(&encoding_rs::SHIFT_JIS_INIT)),
    ("euc-jp", "Japanese", some(&encoding_rs::EUC_JP_INIT)),
    ("gb18030", "Chinese, simplified; with GBK and GB2312 in it", some(&encoding_rs::GB18030_INIT)),
    ("big5", "Chinese, traditional", some(&encoding_rs::BIG5_INIT)),
    ("euc-kr", "Korean", some(&encoding_rs::EUC_KR_INIT)),
]);

/// Turns pushed bytes into UTF-8.
pub(super) struct Transcoder {
    decoder: Decoder,
    encoding: Encoding,
    bytes: Vec<u8>,
    at: usize,
    is_ended: bool,
}

impl Transcoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { decoder: encoding.0.new_decoder(), encoding, bytes: Vec::new(), at: 0, is_ended: false }
    }

    /// Where bytes are to be put that come next.
    pub(super) fn inlet(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.at);
        self.at = 0;
        &mut self.bytes
    }

    /// Turns bytes into text, at most `room` bytes of it or what one character needs. `false`: there are no more bytes.
    pub(super) fn transcode(&mut self, out: &mut Vec<u8>, room: usize) -> bool {
        let bytes = self.bytes.get(self.at..).unwrap_or_default();
        if bytes.is_empty() {
            return false;
        }
        self.at += decode(&mut self.decoder, bytes, out, room, false);
        true
    }

    /// Turns what is left into text, after the last byte.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_ended, true) {
            decode(&mut self.decoder, &[], out, 0, true);
        }
    }
}

/// Decodes once; gives how many bytes were read.
fn decode(decoder: &mut Decoder, bytes: &[u8], out: &mut Vec<u8>, room: usize, is_last: bool) -> usize {
    let start = out.len();
    out.resize(start + room.max(CHARACTER_BYTES_MAX), 0);
    let space = out.get_mut(start..).unwrap_or_default();
    let (result, read, written) = decoder.decode_to_utf8_without_replacement(bytes, space, is_last);
    out.truncate(start + written);
    if matches!(result, DecoderResult::Malformed(..)) {
        out.push(NO_CHARACTER);
    }
    read
}

impl std::fmt::Debug for Transcoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcoder").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes bytes that come so many at a time, into so much room.
    fn decode(encoding: &str, bytes: &[u8], size: usize, room: usize) -> Vec<u8> {
        let known = ENCODINGS.0.iter().find(|(word, _, _)| *word == encoding).unwrap();
        let mut transcoder = Transcoder::new(known.2.unwrap());
        let mut out = Vec::new();
        for bytes in bytes.chunks(size) {
            transcoder.inlet().extend_from_slice(bytes);
            while transcoder.transcode(&mut out, room) {}
        }
        transcoder.end(&mut out);
        transcoder.end(&mut out);
        out
    }

    #[test]
    fn texts_become_utf8_however_their_bytes_come() {
        let utf16 = b"\xff\xfeZ\0o\0\xeb\0,\0\x3d\xd8\x00\xde";
        let big = b"\xfe\xff\0Z\0o\0\xeb\0,\xd8\x3d\xde\x00";
        for (size, room) in [(1, 1), (3, 20), (100, 100)] {
            assert_eq!(decode("windows-1252", b"K\xf6ln, 12,50 \x80", size, room), "Köln, 12,50 €".as_bytes());
            assert_eq!(decode("utf-16", utf16, size, room), "Zoë,😀".as_bytes());
            assert_eq!(decode("utf-16", big, size, room), "Zoë,😀".as_bytes());
            assert_eq!(decode("utf-16", &utf16[2..], size, room), "Zoë,😀".as_bytes());
            assert_eq!(decode("shift_jis", b"\x93\xfa\x96\x7b", size, room), "日本".as_bytes());
        }
    }

    #[test]
    fn a_mark_beats_what_was_said() {
        assert_eq!(decode("windows-1252", b"\xef\xbb\xbfZo\xc3\xab", 1, 1), "Zoë".as_bytes());
    }

    #[test]
    fn what_is_no_character_is_no_utf8() {
        assert_eq!(decode("utf-16", b"a\0\x3d\xd8b\0", 100, 100), b"a\xffb");
        assert_eq!(decode("utf-16", b"a\0b", 1, 1), b"a\xff");
        assert_eq!(decode("shift_jis", b"a\x93", 1, 1), b"a\xff");
    }
}
