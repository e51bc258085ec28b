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
use super::zip;

/// How a body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoder {
    Json,
    /// A document a line.
    JsonLines,
    /// The items of a list in a document.
    JsonItems {
        path: Vec<String>,
        encoding: &'static Encoding,
    },
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
    /// What another one reads, of each file of an archive.
    Zip(Box<Self>),
}

/// What stands for no value in a file of CSV for whom manifests were written.
const FILE_NULLS: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

impl Decoder {
    pub(super) fn read(component: Option<Component<'_>>, missing: &mut Missing) -> Self {
        let Some(component) = component else { return Self::Json };
        component.knows(missing);
        match component.ty {
            "JsonDecoder" => Self::Json,
            "JsonlDecoder" => Self::JsonLines,
            "JsonItemsDecoder" => Self::items(&component, missing),
            "IterableDecoder" => Self::Lines,
            "XmlDecoder" => Self::Xml,
            "CsvDecoder" => Self::csv(&component, missing),
            "GzipDecoder" | "ZipfileDecoder" => {
                let inner = component.child("decoder", missing);
                match inner.as_ref().map(|inner| inner.ty) {
                    // The reference has these for whole bodies only.
                    None | Some("IterableDecoder" | "XmlDecoder") => {
                        missing.add(format!("a `{}` of nothing that it reads", component.ty));
                    }
                    Some(_) => {}
                }
                let inner = Box::new(Self::read(inner, missing));
                if component.ty == "GzipDecoder" { Self::Gzip(inner) } else { Self::Zip(inner) }
            }
            _ => {
                component.is_missing(missing);
                Self::Json
            }
        }
    }

    /// A file of CSV, compressed or not. `keeps_words`: whether only an empty value is none.
    pub(super) fn file(keeps_words: bool) -> Self {
        let nulls = if keeps_words { &FILE_NULLS[..1] } else { &FILE_NULLS[..] };
        let nulls = nulls.iter().map(|null| (*null).to_owned()).collect();
        Self::Gzip(Box::new(Self::Csv { delimiter: b',', encoding: encoding_rs::UTF_8, nulls }))
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
        let encoding = encoding(component, missing);
        let nulls = component.get("set_values_to_none").and_then(Value::as_array);
        Self::Csv { delimiter, encoding, nulls: nulls.into_iter().flatten().map(python::text).collect() }
    }

    fn items(component: &Component<'_>, missing: &mut Missing) -> Self {
        let path = component.text("items_path").filter(|path| !path.is_empty());
        if path.is_none() {
            missing.add("a `JsonItemsDecoder` without `items_path`");
        }
        let path = path.into_iter().flat_map(|path| path.split('.')).map(ToOwned::to_owned).collect();
        Self::JsonItems { path, encoding: encoding(component, missing) }
    }

    /// Whether a body is read as it comes, so that what looks for the next page does not see it.
    pub(super) fn is_streamed(&self) -> bool {
        !matches!(self, Self::Json | Self::Xml | Self::Zip(_))
    }

    /// The elements of a body. An empty list, and an answer without content, is one empty mapping.
    ///
    /// The error says that a body is not what it was to be, where the reference takes it for a page without records, the last one
    /// therefore: a page that is cut, or one that says that the server rests, would end the stream in silence.
    pub(super) fn elements(&self, response: &Response) -> Result<Vec<Value>, String> {
        let is_document = matches!(self, Self::Json | Self::Xml);
        let elements = match response.status {
            204 | 205 if is_document && response.body.is_empty() => Vec::new(),
            _ if is_document && response.body.is_empty() => return Err("the answer is empty".to_owned()),
            _ => self.read_body(&self.decoded(response))?,
        };
        Ok(if is_document && elements.is_empty() { vec![Value::Object(Map::new())] } else { elements })
    }

    /// The body of JSON that is no UTF-8, as the header says that it is written.
    fn decoded<'a>(&self, response: &'a Response) -> Cow<'a, [u8]> {
        let body = Cow::Borrowed(response.body.as_slice());
        if *self != Self::Json || std::str::from_utf8(&response.body).is_ok() {
            return body;
        }
        let content = response.header("content-type").unwrap_or_default();
        let parameters = content.split(';').filter_map(|part| part.split_once('='));
        let label = parameters.into_iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let encoding = label.and_then(|(_, label)| Encoding::for_label(label.trim().trim_matches('"').as_bytes()));
        match encoding.map(|encoding| encoding.decode(&response.body)) {
            Some((text, _, false)) => Cow::Owned(text.into_owned().into_bytes()),
            _ => body,
        }
    }

    fn read_body(&self, body: &[u8]) -> Result<Vec<Value>, String> {
        match self {
            Self::Json => match json(body)? {
                Value::Array(items) => Ok(items),
                Value::Null => Ok(Vec::new()),
                one => Ok(vec![one]),
            },
            Self::Xml => match xml::read(&String::from_utf8_lossy(body)) {
                Some(document) => Ok(vec![document]),
                None => Err("the answer is no XML".to_owned()),
            },
            Self::Lines => {
                let record = |line: &str| Value::Object(Map::from_iter([("record".to_owned(), line.into())]));
                Ok(String::from_utf8_lossy(body).lines().map(record).collect())
            }
            Self::JsonLines => json_lines(body),
            Self::JsonItems { path, encoding } => {
                let (text, is_wrong) = encoding.decode_without_bom_handling(body);
                if is_wrong {
                    return Err(format!("the body is not written in {}", encoding.name()));
                }
                let mut found = Vec::new();
                items(json(text.as_bytes())?, path, &mut found);
                Ok(found)
            }
            Self::Csv { delimiter, encoding, nulls } => rows(body, *delimiter, encoding, nulls),
            Self::Gzip(inner) => inner.read_body(&gunzipped(body)?),
            Self::Zip(inner) => {
                let files = zip::files(body, RESPONSE_BYTES_MAX)?;
                let read = files.iter().map(|file| inner.read_body(file)).collect::<Result<Vec<_>, _>>()?;
                Ok(read.into_iter().flatten().collect())
            }
        }
    }
}

/// A document of JSON. A number with more digits than a float holds is the text of them, so that none is lost.
fn json(body: &[u8]) -> Result<Value, String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let read = |body: &[u8]| {
        serde_json::from_slice(body)
            .map_err(|error| format!("the answer is no JSON (line {}, column {})", error.line(), error.column()))
    };
    let value = read(body)?;
    let inexact = inexact_numbers(body);
    if inexact.is_empty() {
        return Ok(value);
    }
    let (mut quoted, mut done) = (Vec::with_capacity(body.len() + 2 * inexact.len()), 0);
    for (start, end) in inexact {
        quoted.extend_from_slice(&body[done..start]);
        quoted.push(b'"');
        quoted.extend_from_slice(&body[start..end]);
        quoted.push(b'"');
        done = end;
    }
    quoted.extend_from_slice(&body[done..]);
    read(&quoted)
}

fn json_lines(body: &[u8]) -> Result<Vec<Value>, String> {
    let lines = body.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.map(json).collect()
}

/// The items of the lists at a path of keys, in which `item` leads to each item of a list.
fn items(value: Value, path: &[String], found: &mut Vec<Value>) {
    match (value, path.split_first()) {
        (Value::Array(all), None) => found.extend(all),
        (Value::Array(all), Some((segment, rest))) if segment == "item" => {
            all.into_iter().for_each(|one| items(one, rest, found));
        }
        (Value::Object(mut map), Some((segment, rest))) => {
            map.shift_remove(segment).into_iter().for_each(|one| items(one, rest, found));
        }
        _ => {}
    }
}

/// The encoding that a decoder says.
fn encoding(component: &Component<'_>, missing: &mut Missing) -> &'static Encoding {
    let label = component.text("encoding").unwrap_or("utf-8");
    Encoding::for_label(label.as_bytes()).unwrap_or_else(|| {
        missing.add(format!("the encoding `{label}`"));
        encoding_rs::UTF_8
    })
}

/// Digits that every float keeps.
const DIGITS: usize = 15;

/// Where the numbers of a document stand that are neither a whole number of 64 bits nor what a float is written as.
fn inexact_numbers(body: &[u8]) -> Vec<(usize, usize)> {
    let (mut rest, mut found) = (body, Vec::new());
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'-' | b'0'..=b'9')) {
        rest = &rest[at..];
        if rest.first() == Some(&b'"') {
            let mut end = 1;
            while let Some(byte) = rest.get(end).filter(|byte| **byte != b'"') {
                end += if *byte == b'\\' { 2 } else { 1 };
            }
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(length);
        let start = body.len() - rest.len();
        rest = after;
        // Most numbers are short, and looked at no further.
        if number.len() <= DIGITS {
            continue;
        }
        let number = String::from_utf8_lossy(number);
        let is_whole = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
        let is_kept = || number.parse::<f64>().is_ok_and(|float| plain(&format!("{float:e}")) == plain(&number));
        if !is_whole && !is_kept() {
            found.push((start, start + length));
        }
    }
    found
}

/// The digits of a number without zeros around them, and where they stand.
fn plain(number: &str) -> Option<(bool, String, i64)> {
    let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (digits, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let power = power.trim_start_matches('+').parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let power = power.checked_add(i64::try_from(digits.len() - kept.len()).ok()?)?;
    let kept = kept.trim_start_matches('0').to_owned();
    Some(if kept.is_empty() { (false, kept, 0) } else { (is_negative, kept, power) })
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

/// The rows of CSV by the names of the header: what a short row lacks is null, what a long one has too many stands in a list under
/// `null`, as the reference writes it, and an empty line is none.
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
        let mut named: Map<_, _> = header.iter().enumerate().map(|(at, name)| (name.to_owned(), value(at))).collect();
        if row.len() > header.len() {
            named.insert("null".to_owned(), row.iter().skip(header.len()).collect());
        }
        rows.push(Value::Object(named));
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
    fn a_list_is_its_elements() {
        assert_eq!(elements(&Decoder::Json, b"[1, 2]"), [json!(1), json!(2)]);
        assert_eq!(elements(&Decoder::Json, b"\xef\xbb\xbf{\"a\": 1}"), [json!({"a": 1})]);
        assert_eq!(elements(&Decoder::Json, b"[]"), [json!({})]);
        assert_eq!(elements(&Decoder::Xml, b"<a><b>1</b></a>"), [json!({"a": {"b": "1"}})]);
        assert_eq!(elements(&Decoder::JsonLines, b"{}\r\n\n[1]\n"), [json!({}), json!([1])]);
        let nothing = Response::new(204, Vec::new(), Vec::new());
        assert_eq!(Decoder::Json.elements(&nothing), Ok(vec![json!({})]));
    }

    #[test]
    fn what_is_no_utf_8_is_read_as_its_header_says() {
        let of = |content: &str| {
            let headers = vec![("content-type".to_owned(), content.to_owned())];
            Decoder::Json.elements(&Response::new(200, headers, b"[\"caf\xe9\"]".to_vec()))
        };
        assert_eq!(of("application/json; charset=iso-8859-1"), Ok(vec![json!("caf\u{e9}")]));
        assert!(of("application/json").is_err() && of("application/json; charset=odd").is_err());
    }

    #[test]
    fn the_items_of_a_list_are_found_by_its_path() {
        let of = |path: &str, body: &[u8]| {
            let path = path.split('.').map(ToOwned::to_owned).collect();
            elements(&Decoder::JsonItems { path, encoding: encoding_rs::WINDOWS_1252 }, body)
        };
        assert_eq!(of("a.b", b"{\"a\": {\"b\": [1, \"\xe9\"]}}"), [json!(1), json!("\u{e9}")]);
        assert_eq!(of("a.item.b", b"{\"a\": [{\"b\": [1]}, {\"b\": [2]}, {}]}"), [json!(1), json!(2)]);
        assert_eq!(of("a", b"{\"b\": [1]}"), Vec::<Value>::new());
        assert!(Decoder::JsonItems { path: Vec::new(), encoding: encoding_rs::UTF_8 }.is_streamed());
    }

    #[test]
    fn what_is_not_what_it_was_to_be_is_no_page_without_records() {
        let wrong = |decoder: &Decoder, body: &[u8]| {
            decoder.elements(&Response::new(200, Vec::new(), body.into())).unwrap_err()
        };
        for body in ["", "{\"data\": [{\"id\"", "<html>", "{} x", "[NaN]", "[1e400]", "[\"\\ud800\"]"] {
            wrong(&Decoder::Json, body.as_bytes());
        }
        assert_eq!(wrong(&Decoder::Json, b"{\n \"a\": x}"), "the answer is no JSON (line 2, column 7)");
        assert_eq!(wrong(&Decoder::Xml, b"<a>"), "the answer is no XML");
        wrong(&Decoder::JsonLines, b"{}\n{\"a\": ");
    }

    #[test]
    fn a_number_keeps_its_digits() {
        let number = |text: &str| json(format!("{{\"12345678901234567890123\": [{text}, 1]}}").as_bytes());
        for kept in [
            "18446744073709551615",
            "-9223372036854775808",
            "1.10",
            "0.10000000000000000",
            "1e2",
            "123456789.123456",
            "0.1234567890123456",
        ] {
            assert!(number(kept).unwrap()["12345678901234567890123"][0].is_number(), "{kept}");
        }
        for lost in ["12345678901234567890123", "0.1000000000000000055511151231257827", "123456789012345.678901"] {
            assert_eq!(number(lost).unwrap(), json!({"12345678901234567890123": [lost, 1]}));
        }
    }

    #[test]
    fn rows_have_the_names_of_the_header() {
        let body = b"a\tb\n1\t\"x\ty\"\n\n-\tcaf\xe9\tmore\n2\n";
        let expected = [
            json!({"a": "1", "b": "x\ty"}),
            json!({"a": null, "b": "caf\u{e9}", "null": ["more"]}),
            json!({"a": "2", "b": null}),
        ];
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
