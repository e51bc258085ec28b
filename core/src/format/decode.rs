//! Decode: stored bytes in, decompressed and in UTF-8 out.

use super::compression::gzip::Gunzip;
use super::encoding::{Encoding, Transcoder};
use super::{Compression, Expansion};

/// Turns pushed bytes into those that a format reads; there is at least one thing to do.
#[derive(Debug)]
pub(super) enum Decoder {
    Gunzip(Gunzip),
    Transcode(Option<Gunzip>, Transcoder),
}

impl Decoder {
    /// The decoder of an object of so many bytes that are compressed and encoded so, and of what it may decode to; `None`: they
    /// are read as they are.
    pub(super) fn new(
        compression: Compression,
        encoding: Option<Encoding>,
        expansion: Expansion,
        size: u64,
    ) -> Option<Self> {
        let gunzip = (compression == Compression::Gzip).then(|| Gunzip::new(expansion, size));
        match encoding {
            Some(encoding) => Some(Self::Transcode(gunzip, Transcoder::new(encoding))),
            None => gunzip.map(Self::Gunzip),
        }
    }

    /// The digest of what was decompressed, if anything was.
    pub(super) fn content(&self) -> Option<String> {
        match self {
            Self::Gunzip(gunzip) | Self::Transcode(Some(gunzip), _) => Some(gunzip.content()),
            Self::Transcode(None, _) => None,
        }
    }

    /// Takes stored bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Gunzip(gunzip) | Self::Transcode(Some(gunzip), _) => gunzip.push(bytes),
            Self::Transcode(None, transcoder) => transcoder.inlet().extend_from_slice(bytes),
        }
    }

    /// Decodes once, about `room` bytes. `false`: nothing can be decoded before more is pushed. An error says in which way the
    /// bytes are damaged; what came out before it is good.
    pub(super) fn decode(&mut self, out: &mut Vec<u8>, room: usize) -> Result<bool, String> {
        match self {
            Self::Gunzip(gunzip) => gunzip.inflate(out, room),
            Self::Transcode(gunzip, transcoder) => {
                if transcoder.transcode(out, room) {
                    return Ok(true);
                }
                gunzip.as_mut().map_or(Ok(false), |gunzip| gunzip.inflate(transcoder.inlet(), room))
            }
        }
    }

    /// Decodes what is left after the last stored byte, and says what is wrong with bytes that end there.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Option<String> {
        match self {
            Self::Gunzip(gunzip) => gunzip.end(),
            Self::Transcode(gunzip, transcoder) => {
                transcoder.end(out);
                gunzip.as_ref().and_then(Gunzip::end)
            }
        }
    }
}
