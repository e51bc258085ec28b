//! Decode: the elements of a body. A manifest says how its server writes: JSON, unless it says otherwise.

use std::borrow::Cow;
use std::io::Read;

use encoding_rs::Encoding;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value};

use super::component::{Component, Missing};
use super::python;
use super::response::{RESPONSE_BYTES_MAX, Response};
use super::xml;

/// How a body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoder {
    Json,
    /// A document a line.
    JsonLines,
    /// A record `{record: line}` a line.
    Lines,
    /// One mapping of the whole document.
    Xml,
    /// A header, and a record a row.
    Csv {
        delimiter: u8,
        encoding: &'static Encoding,
        nulls: Vec<String>,
    },
    /// What another one reads, compressed or not.
    Gzip(Box<Self>),
}

impl Decoder {
    pub(super) fn read(component: Option<Component<'_>>, missing: &mut Missing) -> Self {
        let Some(component) = component else { return Self::Json };
        let fields: &[&str] = match component.ty {
            "GzipDecoder" => &["decoder"],
            "CsvDecoder" => &["encoding", "delimiter", "set_values_to_none"],
            _ => &[],
        };
        component.knows(fields, missing);
        match component.ty {
            "JsonDecoder" => Self::Json,
            "JsonlDecoder" => Self::JsonLines,
            "IterableDecoder" => Self::Lines,
            "XmlDecoder" => Self::Xml,
            "CsvDecoder" => Self::csv(&component, missing),
            "GzipDecoder" => {
                let inner = component.child("decoder", missing);
                match inner.as_ref().map(|inner| inner.ty) {
                    // The reference has these for whole bodies only.
                    None | Some("IterableDecoder" | "XmlDecoder") => {
                        missing.add("a `GzipDecoder` of nothing that it reads")
                    }
                    Some(_) => {}
                }
                Self::Gzip(Box::new(Self::read(inner, missing)))
            }
            _ => {
                component.is_missing(missing);
                Self::Json
            }
        }
    }

    fn csv(component: &Component<'_>, missing: &mut Missing) -> Self {
        let delimiter = match component.text("delimiter").unwrap_or(",") {
            "\\t" => b'\t',
            delimiter => match delimiter.as_bytes() {
                [one] => *one,
                _ => {
                    missing.add(format!("the delimiter `{delimiter}` of a `CsvDecoder`"));
                    b','
                }
            },
        };
        let label = component.text("encoding").unwrap_or("utf-8");
        let encoding = Encoding::for_label(label.as_bytes()).unwrap_or_else(|| {
            missing.add(format!("the encoding `{label}`"));
            encoding_rs::UTF_8
        });
        let nulls = component.get("set_values_to_none").and_then(Value::as_array);
        Self::Csv { delimiter, encoding, nulls: nulls.into_iter().flatten().map(python::text).collect() }
    }

    /// The elements of a body. A body that is no JSON, or has no element, is one empty mapping; so is one that is no XML. The
    /// error says what is wrong with a body that others than these would read.
    pub(super) fn elements(&self, response: &Response) -> Result<Vec<Value>, String> {
        let empty = || vec![Value::Object(Map::new())];
        Ok(match self {
            Self::Json => match response.json() {
                Some(Value::Array(items)) if !items.is_empty() => items,
                Some(Value::Array(_) | Value::Null) | None => empty(),
                Some(one) => vec![one],
            },
            Self::Xml => xml::read(&response.text()).map_or_else(empty, |document| vec![document]),
            Self::Lines => {
                let record = |line: &str| Value::Object(Map::from_iter([("record".to_owned(), line.into())]));
                response.text().lines().map(record).collect()
            }
            Self::JsonLines => json_lines(&response.body),
            Self::Csv { .. } => self.raw(&response.body)?,
            Self::Gzip(inner) => inner.raw(&gunzipped(&response.body)?)?,
        })
    }

    /// The elements of what was unpacked.
    fn raw(&self, body: &[u8]) -> Result<Vec<Value>, String> {
        match self {
            Self::Json => match serde_json::from_slice(body) {
                Ok(Value::Array(items)) => Ok(items),
                Ok(Value::Null) | Err(_) => Err("the body is no JSON".to_owned()),
                Ok(one) => Ok(vec![one]),
            },
            Self::Csv { delimiter, encoding, nulls } => rows(body, *delimiter, encoding, nulls),
            Self::Gzip(inner) => inner.raw(&gunzipped(body)?),
            Self::JsonLines | Self::Lines | Self::Xml => Ok(json_lines(body)),
        }
    }
}

fn json_lines(body: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(body).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The bytes, decompressed if they are compressed.
fn gunzipped(body: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(body));
    }
    let limit = RESPONSE_BYTES_MAX;
    let mut out = Vec::new();
    let bounded = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(body)
        .take(bounded)
        .read_to_end(&mut out)
        .map_err(|_| "the gzip stream of the body is damaged")?;
    if out.len() > limit {
        return Err(format!("the body is longer than {} MiB when it is decompressed", limit >> 20));
    }
    Ok(Cow::Owned(out))
}

/// The rows of CSV by the names of the header: what a short row lacks is null, what a long one has too many is left out, and
/// an empty line is none.
fn rows(body: &[u8], delimiter: u8, encoding: &'static Encoding, nulls: &[String]) -> Result<Vec<Value>, String> {
    let (text, is_wrong) = encoding.decode_without_bom_handling(body);
    if is_wrong {
        return Err(format!("the body is not written in {}", encoding.name()));
    }
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format!("the body is no CSV: {error}"))?.clone();
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| format!("the body is no CSV: {error}"))?;
        let value = |at: usize| match row.get(at) {
            Some(text) if !nulls.iter().any(|null| null == text) => Value::from(text),
            _ => Value::Null,
        };
        rows.push(Value::Object(header.iter().enumerate().map(|(at, name)| (name.to_owned(), value(at))).collect()));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    fn elements(decoder: &Decoder, body: &[u8]) -> Vec<Value> {
        decoder.elements(&Response::new(200, Vec::new(), body.into())).unwrap()
    }

    fn gzipped(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn csv() -> Decoder {
        Decoder::Csv { delimiter: b'\t', encoding: encoding_rs::WINDOWS_1252, nulls: vec!["-".to_owned()] }
    }

    #[test]
    fn a_list_is_its_elements_and_no_json_is_one_empty_mapping() {
        let elements = |body: &[u8]| elements(&Decoder::Json, body);
        assert_eq!(elements(b"[1, 2]"), [json!(1), json!(2)]);
        assert_eq!([elements(b"[]"), elements(b"<html>"), elements(b"")], [[json!({})], [json!({})], [json!({})]]);
    }

    #[test]
    fn xml_is_one_element_and_no_xml_is_an_empty_one() {
        assert_eq!(elements(&Decoder::Xml, b"<a><b>1</b></a>"), [json!({"a": {"b": "1"}})]);
        assert_eq!(elements(&Decoder::Xml, b"<a>"), [json!({})]);
    }

    #[test]
    fn rows_have_the_names_of_the_header() {
        let body = b"a\tb\n1\t\"x\ty\"\n\n-\tcaf\xe9\tmore\n2\n";
        let expected =
            [json!({"a": "1", "b": "x\ty"}), json!({"a": null, "b": "caf\u{e9}"}), json!({"a": "2", "b": null})];
        assert_eq!(elements(&csv(), body), expected);
        assert_eq!(elements(&Decoder::Gzip(Box::new(csv())), &gzipped(body)), expected);
        assert_eq!(elements(&Decoder::Gzip(Box::new(csv())), body), expected);
    }

    #[test]
    fn what_is_unpacked_is_bounded_and_whole() {
        let gzip = Decoder::Gzip(Box::new(Decoder::Json));
        let mut cut = gzipped(b"[1, 2, 3]");
        cut.truncate(15);
        for body in [gzipped(&vec![b' '; RESPONSE_BYTES_MAX + 1]), cut, gzipped(b"<html>")] {
            assert!(gzip.elements(&Response::new(200, Vec::new(), body)).is_err());
        }
        assert_eq!(elements(&gzip, &gzipped(b"[]")), Vec::<Value>::new());
    }
}
