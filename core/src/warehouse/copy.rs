//! Copy: what Redshift is told about staged parts: the COPY, the manifest that it reads, and what it says of parts that it
//! could not load.
//!
//! A Parquet COPY knows few options, and matches columns by position, so that they are always named. COPY would round and
//! trim where it is asked to; it is not asked, since rows were made to fit before they were staged.

use serde::Serialize;

use crate::error::Error;
use crate::warehouse::quote::Location;
use crate::warehouse::script::Parameter;
use crate::warehouse::script::Statement;
use crate::warehouse::sql::TableName;

/// Where Redshift finds staged parts.
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

/// The statement that brings the parts of a manifest into a table.
pub(crate) fn copy(into: &TableName, names: &str, source: &CopySource) -> Result<String, Error> {
    let (manifest, role) = (Location::s3(&source.manifest)?, Location::iam_role(&source.iam_role)?);
    let role = if source.iam_role == "default" { "default".to_owned() } else { role.to_string() };
    let format = match source.format {
        CopyFormat::Parquet => "FORMAT AS PARQUET\nMANIFEST STATUPDATE OFF",
        // What COPY would guess of an empty table is worth nothing in a stage, and costs a second reading.
        CopyFormat::Csv => "FORMAT AS CSV DATEFORMAT 'auto' TIMEFORMAT 'auto'\nMANIFEST COMPUPDATE OFF STATUPDATE OFF",
    };
    Ok(format!("COPY {into} ({names})\nFROM {manifest}\nIAM_ROLE {role}\n{format}"))
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
    json.map_err(|error| {
        Error::new(crate::error::ErrorKind::Refused, format!("the manifest cannot be written: {error}"))
    })
}

/// Selects what COPY could not load in a query of Redshift, by the query's id: file, line, column, type, error code, message.
///
/// The view stands on provisioned clusters and serverless workgroups alike, and its texts are padded.
pub fn load_errors(query_id: i64) -> Statement {
    let sql = "SELECT trim(file_name) AS file_name, line_number, trim(column_name) AS column_name, \
               trim(column_type) AS column_type, error_code, trim(error_message) AS error_message\n\
               FROM sys_load_error_detail\nWHERE query_id = CAST(:query_id AS bigint)\n\
               ORDER BY file_name, line_number\nLIMIT 100";
    Statement {
        sql: sql.to_owned(),
        parameters: vec![Parameter { name: "query_id".to_owned(), value: query_id.to_string() }],
        what: "ask what COPY could not load",
    }
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
