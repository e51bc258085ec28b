//! Manifest: the files that a COPY reads.
//!
//! ```text
//! {"entries": [{"url": "s3://bucket/key", "mandatory": true, "meta": {"content_length": 5956875}}]}
//! ```
//!
//! A file that is not `mandatory` may be missing, and one that stands twice is loaded twice. Parquet needs the length of
//! each.

use serde::Deserialize;

use super::super::translate::Format;
use super::super::translate::Location;
use super::store;
use super::store::Store;

/// A file to be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) location: Location,
    pub(super) is_mandatory: bool,
    length: Option<u64>,
}

#[derive(Deserialize)]
struct Manifest {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    url: String,
    #[serde(default)]
    mandatory: bool,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    content_length: Option<u64>,
}

impl File {
    /// That the file is as long as the manifest says.
    pub(super) fn check_length(&self, found: usize) -> Result<(), String> {
        match self.length {
            Some(said) if said != found as u64 => Err(format!(
                "ERROR: Spectrum Scan Error. code: 15001 context: File '{}' has {found} bytes, and the content_length of \
                 the manifest is {said}",
                self.location
            )),
            _ => Ok(()),
        }
    }
}

/// The files of a manifest; `Err` holds the words of an error.
pub(super) fn read(store: &Store, location: &Location, format: &Format) -> Result<Vec<File>, String> {
    let bytes = store.get(location)?.ok_or_else(|| store::absent(location))?;
    files(&bytes, format)
}

fn files(bytes: &[u8], format: &Format) -> Result<Vec<File>, String> {
    let manifest: Manifest = serde_json::from_slice(bytes)
        .map_err(|error| format!("ERROR: Manifest file is not in correct json format: {error}"))?;
    if manifest.entries.is_empty() {
        return Err("ERROR: Manifest file has no entries".to_owned());
    }
    let file = |entry: Entry| {
        let Some(location) = Location::parse(&entry.url) else {
            let url = entry.url;
            return Err(format!(
                "ERROR: COPY with MANIFEST parameter requires full path of an S3 object. code: 8001: {url}"
            ));
        };
        let length = entry.meta.content_length;
        if matches!(format, Format::Parquet { .. }) && length.is_none() {
            let words = "ERROR: Manifest file must have meta.content_length of each file in a columnar format";
            return Err(format!("{words}: {location}"));
        }
        Ok(File { location, is_mandatory: entry.mandatory, length })
    };
    manifest.entries.into_iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::translate::Csv;
    use super::*;

    const PARQUET: Format = Format::Parquet { serializes: false };

    #[test]
    fn files_are_read_in_order() {
        let json =
            br#"{"entries":[{"url":"s3://b/1","mandatory":true,"meta":{"content_length":7}},{"url":"s3://b/2"}]}"#;
        let found = files(json, &Format::Csv(Csv::default())).unwrap();
        let told: Vec<_> = found.iter().map(|file| (file.location.to_string(), file.is_mandatory)).collect();
        assert_eq!(told, [("s3://b/1".to_owned(), true), ("s3://b/2".to_owned(), false)]);
        assert!(files(json, &PARQUET).unwrap_err().contains("content_length"));
        assert!(found[0].check_length(8).unwrap_err().contains("has 8 bytes") && found[0].check_length(7).is_ok());
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        for (json, words) in [
            ("", "json"),
            ("[]", "json"),
            (r#"{"files":[]}"#, "json"),
            (r#"{"entries":[]}"#, "no entries"),
            (r#"{"entries":[{"mandatory":true}]}"#, "json"),
            (r#"{"entries":[{"url":"s3://b/1","mandatory":"true"}]}"#, "json"),
            (r#"{"entries":[{"url":"s3://b/folder/","meta":{"content_length":7}}]}"#, "8001"),
        ] {
            let error = files(json.as_bytes(), &PARQUET).unwrap_err();
            assert!(error.contains(words), "{json}: {error}");
        }
    }
}
