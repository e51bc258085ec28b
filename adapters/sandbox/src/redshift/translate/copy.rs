//! Copy: parses a COPY, and checks which of its options can be combined. An option that Redshift does not know is Redshift's
//! error. An option that Redshift knows and the sandbox does not support is an error too, since otherwise a test could pass
//! that proves nothing.

use std::fmt;

use super::super::reader::Reader;
use super::super::reader::untranslated;
use super::super::words::Kind;
use super::super::words::Word;

/// A COPY as it was written.
#[derive(Debug)]
pub(in crate::redshift) struct Copy {
    /// The table, as PostgreSQL is to read it.
    pub(in crate::redshift) table: String,
    /// The columns that the files have, in order; all of the table's where none are said.
    pub(in crate::redshift) columns: Option<Vec<String>>,
    pub(in crate::redshift) manifest: Location,
    pub(in crate::redshift) format: Format,
}

/// A place in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::redshift) struct Location {
    pub(in crate::redshift) bucket: String,
    pub(in crate::redshift) key: String,
}

impl Location {
    /// Reads `s3://bucket/key`; `None` where it is not the whole path of one object.
    pub(in crate::redshift) fn parse(url: &str) -> Option<Self> {
        let (bucket, key) = url.strip_prefix("s3://")?.split_once('/')?;
        let is_whole = !bucket.is_empty() && !key.is_empty() && !key.ends_with('/');
        is_whole.then(|| Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// How the files are written.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::redshift) enum Format {
    Parquet {
        /// Whether lists, maps and structs become documents.
        serializes: bool,
    },
    Csv(Csv),
}

/// How separated values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::redshift) struct Csv {
    pub(in crate::redshift) delimiter: u8,
    pub(in crate::redshift) quote: u8,
    /// Lines of each file that are no rows.
    pub(in crate::redshift) header: u64,
    /// What stands for NULL.
    pub(in crate::redshift) null: String,
    /// Whether an empty text is NULL.
    pub(in crate::redshift) empty_is_null: bool,
    /// Whether a text of blanks is NULL.
    pub(in crate::redshift) blank_is_null: bool,
    pub(in crate::redshift) is_gzip: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: b'"',
            header: 0,
            null: "\\N".to_owned(),
            empty_is_null: false,
            blank_is_null: false,
            is_gzip: false,
        }
    }
}

/// Options that Redshift knows and nothing is made of here.
const UNTRANSLATED: [&str; 30] = [
    "acceptanydate",
    "acceptinvchars",
    "access_key_id",
    "avro",
    "bzip2",
    "comprows",
    "credentials",
    "encrypted",
    "escape",
    "explicit_ids",
    "fillrecord",
    "fixedwidth",
    "ignoreallerrors",
    "ignoreblanklines",
    "json",
    "lzop",
    "master_symmetric_key",
    "noload",
    "orc",
    "readratio",
    "removequotes",
    "roundec",
    "secret_access_key",
    "session_token",
    "shapefile",
    "ssh",
    "trimblanks",
    "truncatecolumns",
    "with",
    "zstd",
];

/// Options that a COPY of Parquet takes.
const OF_PARQUET: [&str; 6] = ["iam_role", "parquet", "manifest", "statupdate", "serializetojson", "maxerror"];

/// Reads the words of a COPY; `Err` holds the words of an error.
pub(super) fn read(told: &[Word<'_>]) -> Result<Copy, String> {
    let mut reader = Reader { told, at: 1 };
    let table = reader.name()?;
    let columns = match reader.take("(") {
        true => Some(names(reader.until_closed()?)?),
        false => None,
    };
    reader.expect("from")?;
    let from = text(&mut reader)?;
    let mut said = Said::default();
    while let Some(word) = reader.next() {
        said.option(&word.text.to_lowercase(), word, &mut reader)?;
    }
    let format = said.format()?;
    if !said.has("manifest") {
        return Err(untranslated("COPY without MANIFEST"));
    }
    if !from.starts_with("s3://") {
        return Err(untranslated(&format!("COPY from {from}")));
    }
    let manifest = Location::parse(&from).ok_or_else(|| {
        "ERROR: COPY with MANIFEST parameter requires full path of an S3 object. code: 8001".to_owned()
    })?;
    Ok(Copy { table, columns, manifest, format })
}

/// The options of a COPY.
#[derive(Default)]
struct Said {
    /// Their names, in order.
    names: Vec<String>,
    csv: Csv,
}

impl Said {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|said| said == name)
    }

    /// Reads an option of which the first word was read.
    fn option(&mut self, name: &str, word: Word<'_>, reader: &mut Reader<'_>) -> Result<(), String> {
        if word.kind != Kind::Plain {
            return Err(unexpected(Some(&word)));
        }
        match name {
            "format" | "as" => {
                reader.take("as");
                let format = reader.next().filter(|word| ["csv", "parquet"].iter().any(|known| word.is(known)));
                return match format {
                    Some(format) => self.option(&format.text.to_lowercase(), format, reader),
                    None => {
                        reader.at -= 1;
                        let found = reader.peek();
                        match found.map(|word| word.text.to_lowercase()) {
                            Some(format) if UNTRANSLATED.contains(&format.as_str()) => {
                                Err(untranslated(&format!("COPY of {}", format.to_uppercase())))
                            }
                            _ => Err(unexpected(found.as_ref())),
                        }
                    }
                };
            }
            "iam_role" => iam_role(reader)?,
            "csv" => {
                if reader.take("quote") {
                    reader.take("as");
                    self.csv.quote = byte(reader)?;
                }
            }
            "parquet" | "manifest" | "serializetojson" => {}
            "gzip" => self.csv.is_gzip = true,
            "emptyasnull" => self.csv.empty_is_null = true,
            "blanksasnull" => self.csv.blank_is_null = true,
            "statupdate" | "compupdate" => {
                let switches = ["on", "off", "true", "false"];
                let has_switch = switches.iter().any(|switch| reader.take(switch));
                if !has_switch && name == "compupdate" {
                    reader.take("preset");
                }
            }
            "quote" => self.csv.quote = after_as(reader, byte)?,
            "delimiter" => self.csv.delimiter = after_as(reader, byte)?,
            "null" => self.csv.null = after_as(reader, text)?,
            "ignoreheader" => self.csv.header = after_as(reader, number)?,
            // The whole sandbox is in one region.
            "region" => drop(after_as(reader, text)?),
            "maxerror" => {
                if after_as(reader, number)? > 0 {
                    return Err(untranslated("MAXERROR of more than 0"));
                }
            }
            "dateformat" | "timeformat" => {
                let format = after_as(reader, text)?;
                if format != "auto" {
                    return Err(untranslated(&format!("{} '{format}'", name.to_uppercase())));
                }
            }
            "encoding" => {
                reader.take("as");
                let encoding = match reader.peek().and_then(|word| word.value()) {
                    Some(encoding) => encoding,
                    None => reader.peek().map(|word| word.text.to_owned()).unwrap_or_default(),
                };
                reader.at += 1;
                if !encoding.eq_ignore_ascii_case("utf8") {
                    return Err(untranslated(&format!("ENCODING {encoding}")));
                }
            }
            name if UNTRANSLATED.contains(&name) => {
                return Err(untranslated(&format!("COPY with {}", name.to_uppercase())));
            }
            _ => return Err(unexpected(Some(&word))),
        }
        if self.has(name) {
            return Err("ERROR: conflicting or redundant options".to_owned());
        }
        self.names.push(name.to_owned());
        Ok(())
    }

    /// How the files are written, if the options go together.
    fn format(&mut self) -> Result<Format, String> {
        if !self.has("iam_role") {
            return Err("ERROR: COPY needs an authorization: IAM_ROLE".to_owned());
        }
        match (self.has("parquet"), self.has("csv")) {
            (true, true) => Err("ERROR: conflicting or redundant options".to_owned()),
            (true, false) => match self.names.iter().find(|name| !OF_PARQUET.contains(&name.as_str())) {
                Some(name) => {
                    let name = name.to_uppercase();
                    Err(format!("ERROR: {name} argument is not supported for PARQUET based COPY"))
                }
                None => Ok(Format::Parquet { serializes: self.has("serializetojson") }),
            },
            (false, true) if self.has("serializetojson") => {
                Err("ERROR: SERIALIZETOJSON argument is not supported for CSV based COPY".to_owned())
            }
            (false, true) => Ok(Format::Csv(std::mem::take(&mut self.csv))),
            (false, false) => Err(untranslated("COPY without a format")),
        }
    }
}

/// Names with commas between them.
fn names(told: &[Word<'_>]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for element in told.split(|word| word.is(",")) {
        match element {
            [name] if name.is_name() => names.push(name.name()),
            [_, second, ..] => return Err(unexpected(Some(second))),
            _ => return Err(unexpected(element.first())),
        }
    }
    Ok(names)
}

/// The role, which nobody is asked for here.
fn iam_role(reader: &mut Reader<'_>) -> Result<(), String> {
    if reader.take("default") {
        return Ok(());
    }
    let role = text(reader)?;
    let is_arn = |arn: &str| {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        matches!(parts.as_slice(), ["arn", _, "iam", "", account, role]
            if account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit()) && role.starts_with("role/"))
    };
    match role == "SESSION" || role.split(',').all(is_arn) {
        true => Ok(()),
        false => Err(format!("ERROR: Invalid IAM role ARN: {role}")),
    }
}

/// What stands after an option and, if it is there, the word AS.
fn after_as<T>(reader: &mut Reader<'_>, read: impl FnOnce(&mut Reader<'_>) -> Result<T, String>) -> Result<T, String> {
    reader.take("as");
    read(reader)
}

fn text(reader: &mut Reader<'_>) -> Result<String, String> {
    let word = reader.next();
    word.filter(|word| word.kind == Kind::Text).and_then(|word| word.value()).ok_or_else(|| unexpected(word.as_ref()))
}

fn byte(reader: &mut Reader<'_>) -> Result<u8, String> {
    let text = text(reader)?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err(untranslated(&format!("'{text}' between or around values"))),
    }
}

fn number(reader: &mut Reader<'_>) -> Result<u64, String> {
    let word = reader.next();
    word.and_then(|word| word.text.parse().ok()).ok_or_else(|| unexpected(word.as_ref()))
}

fn unexpected(word: Option<&Word<'_>>) -> String {
    match word {
        Some(word) => format!("ERROR: syntax error at or near \"{}\"", word.text),
        None => "ERROR: syntax error at end of input".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::words::telling;
    use super::*;

    const ROLE: &str = "IAM_ROLE 'arn:aws:iam::123456789012:role/etalon'";

    fn parse(sql: &str) -> Result<Copy, String> {
        read(&telling(sql))
    }

    #[test]
    fn a_place_is_the_whole_path_of_an_object() {
        assert_eq!(Location::parse("s3://b/a/é.csv").unwrap().to_string(), "s3://b/a/é.csv");
        for url in ["s3://b", "s3://b/", "s3://b/folder/", "s3:///a", "emr://b/a", "/b/a", ""] {
            assert_eq!(Location::parse(url), None, "{url}");
        }
    }

    #[test]
    fn what_core_writes_is_understood() {
        let copy = parse(&format!(
            "COPY \"stage\" (\"id\", \"_etalon_batch\")\nFROM 's3://b/it''s'\n{ROLE}\nFORMAT AS PARQUET\nMANIFEST STATUPDATE OFF"
        ))
        .unwrap();
        assert_eq!((copy.table.as_str(), copy.manifest.to_string().as_str()), ("\"stage\"", "s3://b/it's"));
        assert_eq!(copy.columns.unwrap(), ["id", "_etalon_batch"]);
        assert_eq!(copy.format, Format::Parquet { serializes: false });
        let copy = parse(&format!(
            "COPY s.t (a) FROM 's3://b/k' {ROLE} FORMAT AS CSV DATEFORMAT 'auto' TIMEFORMAT 'auto' MANIFEST COMPUPDATE OFF \
             STATUPDATE OFF"
        ))
        .unwrap();
        assert_eq!(copy.format, Format::Csv(Csv::default()));
    }

    #[test]
    fn options_are_kept() {
        let copy = parse(
            "copy #t from 's3://b/k' manifest iam_role default csv quote as '%' delimiter ';' ignoreheader 1 null as 'NIL' \
             gzip emptyasnull encoding utf8 region 'eu-west-1' maxerror 0",
        )
        .unwrap();
        let csv = Csv {
            delimiter: b';',
            quote: b'%',
            header: 1,
            null: "NIL".to_owned(),
            empty_is_null: true,
            blank_is_null: false,
            is_gzip: true,
        };
        assert_eq!((copy.table.as_str(), copy.columns, copy.format), ("t", None, Format::Csv(csv)));
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (options, words) in [
            ("FORMAT AS PARQUET MANIFEST", "authorization"),
            ("IAM_ROLE 'etalon' FORMAT AS PARQUET MANIFEST", "Invalid IAM role"),
            ("IAM_ROLE default FORMAT AS PARQUET", "without MANIFEST"),
            ("IAM_ROLE default MANIFEST", "without a format"),
            ("IAM_ROLE default FORMAT AS PARQUET CSV MANIFEST", "conflicting"),
            ("IAM_ROLE default PARQUET MANIFEST MANIFEST", "conflicting"),
            ("IAM_ROLE default PARQUET MANIFEST REGION 'eu-west-1'", "REGION argument is not supported for PARQUET"),
            ("IAM_ROLE default PARQUET MANIFEST GZIP", "GZIP argument is not supported for PARQUET"),
            ("IAM_ROLE default CSV MANIFEST SERIALIZETOJSON", "SERIALIZETOJSON argument"),
            ("IAM_ROLE default FORMAT AS JSON 'auto' MANIFEST", "does not translate COPY of JSON"),
            ("IAM_ROLE default CSV MANIFEST TRUNCATECOLUMNS", "does not translate COPY with TRUNCATECOLUMNS"),
            ("IAM_ROLE default CSV MANIFEST DATEFORMAT 'YYYY'", "does not translate DATEFORMAT"),
            ("CREDENTIALS 'aws_access_key_id=a' CSV MANIFEST", "does not translate COPY with CREDENTIALS"),
            ("IAM_ROLE default CSV MANIFEST QUICKLY", "syntax error at or near \"QUICKLY\""),
            ("IAM_ROLE default FORMAT AS", "syntax error at end of input"),
            ("IAM_ROLE default CSV MANIFEST IGNOREHEADER many", "syntax error at or near \"many\""),
        ] {
            let error = parse(&format!("COPY t (a) FROM 's3://b/k' {options}")).unwrap_err();
            assert!(error.contains(words), "{options}: {error}");
        }
        for sql in ["COPY", "COPY t", "COPY t (a, FROM 's3://b/k'", "COPY t (a b) FROM 's3://b/k'", "COPY t FROM k"] {
            assert!(parse(sql).is_err(), "{sql}");
        }
        assert!(parse("COPY t FROM 's3://b/k/' IAM_ROLE default CSV MANIFEST").unwrap_err().contains("8001"));
        assert!(parse("COPY t FROM 'emr://b/k' IAM_ROLE default CSV MANIFEST").unwrap_err().contains("emr"));
    }
}
