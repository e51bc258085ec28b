//! Decoded: all decoded bytes of an object, from the first to the last, for code that looks for a place in it. A reader has
//! only the bytes of the records of one range.

use super::ReadOptions;
use super::compression::Compression;
use super::decode::Decoder;

/// About so many bytes are decoded at a time.
const PIECE_BYTES: usize = 1 << 16;

/// Stored bytes in, decompressed and in UTF-8 out.
#[derive(Debug)]
pub struct Decoded {
    options: ReadOptions,
    size: u64,
    /// `None`: no byte has been seen. `Some(None)`: the stored bytes are the decoded ones.
    decoder: Option<Option<Decoder>>,
}

impl Decoded {
    /// The bytes of an object of `size` stored bytes that is read with these options.
    pub(crate) fn new(options: ReadOptions, size: u64) -> Self {
        Self { options, size, decoder: None }
    }

    /// Takes the next stored bytes, and shows `see` what they decode to. An error says in which way they are damaged; what was
    /// seen before it is good.
    pub fn push(&mut self, bytes: &[u8], mut see: impl FnMut(&[u8])) -> Result<(), String> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => {
                let (said, by_name) = (self.options.compression, self.options.compression_by_name);
                let compression = Compression::of_bytes(said, by_name, super::reader::first(bytes))?;
                let (encoding, expansion) = (self.options.encoding, self.options.expansion);
                none.insert(Decoder::new(compression, encoding, expansion, self.size))
            }
        };
        let Some(decoder) = decoder else {
            see(bytes);
            return Ok(());
        };
        decoder.push(bytes);
        let mut out = Vec::new();
        loop {
            let decoded = decoder.decode(&mut out, PIECE_BYTES);
            see(&out);
            out.clear();
            if !decoded? {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::Pipeline;

    fn decoded(format: &str, name: &str, bytes: &[u8]) -> Result<String, String> {
        let text = format!(
            "etalon: 1\npipeline: p\nsource: {{ files: in, {format}, fields: {{ a: }} }}\n\
             columns: {{ a: varchar(9) }}\ntarget: {{ table: t, write: append }}\n"
        );
        let (pipeline, _) = Pipeline::compile(&text).unwrap();
        let mut decoded = pipeline.decoded(name, bytes.len() as u64);
        let mut seen = Vec::new();
        for piece in bytes.chunks(7) {
            decoded.push(piece, |bytes| seen.extend_from_slice(bytes))?;
        }
        Ok(String::from_utf8(seen).unwrap())
    }

    #[test]
    fn what_is_seen_is_what_places_count() {
        assert_eq!(decoded("format: csv", "a.csv", b"a\n1\n2\n").unwrap(), "a\n1\n2\n");
        assert_eq!(decoded("format: csv, encoding: windows-1252", "a.csv", b"a\n\xe9t\xe9\n").unwrap(), "a\nété\n");
        let wide: Vec<u8> = "a\né\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded("format: csv, encoding: utf-16", "a.csv", &wide).unwrap(), "a\né\n");
        // What gzip makes of "a\n1\n" without compressing it.
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\x04\0\xfb\xffa\n1\n\0\x24\xc1\x89\x04\0\0\0";
        assert_eq!(decoded("format: csv", "a.csv.gz", gzip).unwrap(), "a\n1\n");
        assert!(decoded("format: csv, compression: none", "a.csv", gzip).is_err());
    }
}
