//! Manifest: the list of the staged parts of a load, for a warehouse that reads them itself.

use serde::Serialize;

use crate::error::Error;
use crate::error::ErrorKind;
use crate::sql::quote::Location;

/// Where a warehouse finds staged parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// The manifest: `s3://bucket/key`.
    pub manifest: String,
    /// The role that reads it, `arn:aws:iam::…:role/…`, or `default`.
    pub iam_role: String,
    /// How the parts are written.
    pub format: CopyFormat,
}

/// How staged parts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Parquet.
    Parquet,
    /// Separated by commas, quoted, without a header; NULL is `\N`, which COPY takes for it, so that an empty text is one.
    Csv,
}

/// A staged part as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestPart {
    /// Its place: `s3://bucket/key`.
    pub url: String,
    /// Its bytes.
    pub bytes: u64,
}

/// The manifest of a COPY, as JSON. A part that stands twice would be loaded twice, so it is named once.
pub fn manifest(parts: &[ManifestPart]) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Manifest<'a> {
        entries: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        url: &'a str,
        mandatory: bool,
        meta: Meta,
    }
    #[derive(Serialize)]
    struct Meta {
        content_length: u64,
    }
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for part in parts.iter().filter(|part| known.insert(&part.url)) {
        Location::s3(&part.url)?;
        entries.push(Entry { url: &part.url, mandatory: true, meta: Meta { content_length: part.bytes } });
    }
    let json = serde_json::to_string(&Manifest { entries });
    json.map_err(|error| Error::new(ErrorKind::Refused, format!("the manifest cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_each_part_once() {
        let part = |url: &str| ManifestPart { url: url.to_owned(), bytes: 12 };
        assert_eq!(
            manifest(&[part("s3://acme/a"), part("s3://acme/b"), part("s3://acme/a")]).unwrap(),
            "{\"entries\":[{\"url\":\"s3://acme/a\",\"mandatory\":true,\"meta\":{\"content_length\":12}},\
             {\"url\":\"s3://acme/b\",\"mandatory\":true,\"meta\":{\"content_length\":12}}]}"
        );
        assert!(manifest(&[part("/tmp/a")]).is_err());
    }
}
