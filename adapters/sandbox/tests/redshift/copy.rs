//! Copy: which files Redshift takes, and what it says of the others.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Date32Array, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::api::Api;
use crate::{Cloud, Test};

pub(crate) const TESTS: &[Test] = &[
    ("a_file_is_loaded_column_by_column", a_file_is_loaded_column_by_column),
    ("a_manifest_says_what_is_loaded", a_manifest_says_what_is_loaded),
    ("a_column_of_another_type_is_refused", a_column_of_another_type_is_refused),
    ("a_value_that_does_not_fit_is_named", a_value_that_does_not_fit_is_named),
    ("separated_values_are_loaded", separated_values_are_loaded),
];

/// A Data API with a bucket that has the name of its database.
struct Place<'a> {
    api: Api,
    cloud: &'a Cloud,
    bucket: String,
}

impl<'a> Place<'a> {
    fn new(cloud: &'a Cloud) -> Self {
        let api = Api::new(cloud);
        let bucket = format!("copy-{}", api.url.split(['/', '?']).find(|part| part.starts_with('d')).unwrap());
        let place = Self { api, cloud, bucket };
        place.put("", b"");
        place
    }

    /// Writes an object; the bucket itself without a key.
    fn put(&self, key: &str, bytes: &[u8]) {
        use std::io::{Read, Write};
        let host = self.cloud.moto.url().strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let slash = if key.is_empty() { "" } else { "/" };
        // The stand-in asks for no proof of who writes, but for the form of one.
        let head = format!(
            "PUT /{}{slash}{key} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            self.bucket,
            bytes.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// Writes a file and a manifest that names it, and gives the COPY of it.
    fn staged(&self, table: &str, columns: Vec<(&str, ArrayRef)>) -> String {
        let bytes = file(columns);
        self.put("0.parquet", &bytes);
        self.manifest(&json!([self.entry("0.parquet", bytes.len())]));
        self.copy(table, "FORMAT AS PARQUET MANIFEST STATUPDATE OFF")
    }

    fn entry(&self, key: &str, bytes: usize) -> Value {
        let url = format!("s3://{}/{key}", self.bucket);
        json!({ "url": url, "mandatory": true, "meta": { "content_length": bytes } })
    }

    fn manifest(&self, entries: &Value) {
        self.put("manifest.json", json!({ "entries": entries }).to_string().as_bytes());
    }

    fn copy(&self, table: &str, options: &str) -> String {
        format!("COPY {table} FROM 's3://{}/manifest.json' IAM_ROLE default {options}", self.bucket)
    }
}

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn ids(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn decimals(values: &[i128], precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap())
}

fn a_file_is_loaded_column_by_column(cloud: &Cloud) {
    let place = Place::new(cloud);
    place.api.done(
        "CREATE TABLE t (id bigint, amount decimal(12,2), on_day date, at timestamp, document super, name varchar(8), \
         code char(3))",
    );
    let copy = place.staged(
        "t (id, amount, on_day, at, document, name, code)",
        vec![
            // Names in a file mean nothing; places do.
            ("z", ids(&[1, 2])),
            ("y", decimals(&[1250, -5], 12, 2)),
            ("x", Arc::new(Date32Array::from(vec![0, 20_000]))),
            ("w", Arc::new(TimestampMicrosecondArray::from(vec![1, 1_700_000_000_000_000]))),
            ("v", texts(&[Some("{\"a\":1}"), None])),
            ("u", texts(&[Some("Zoë"), None])),
            ("t", texts(&[Some("EUR"), Some("A")])),
        ],
    );
    let ended = place.api.done(&copy);
    assert_eq!(ended["ResultRows"], json!(2));
    assert_eq!(
        place.api.rows("SELECT id, amount, on_day, at, document, name, code FROM t ORDER BY id"),
        [
            // A text that goes into a SUPER is a string.
            [
                json!(1),
                json!("12.50"),
                json!("1970-01-01"),
                json!("1970-01-01 00:00:00.000001"),
                json!("\"{\\\"a\\\":1}\""),
                json!("Zoë"),
                json!("EUR")
            ],
            [
                json!(2),
                json!("-0.05"),
                json!("2024-10-04"),
                json!("2023-11-14 22:13:20.0"),
                Value::Null,
                Value::Null,
                json!("A  ")
            ],
        ]
    );
    assert_eq!(place.api.data.counters().rows_copied, 2);
}

fn a_manifest_says_what_is_loaded(cloud: &Cloud) {
    let place = Place::new(cloud);
    place.api.done("CREATE TABLE t (id bigint)");
    let parquet = "FORMAT AS PARQUET MANIFEST";
    let (one, two) = (file(vec![("id", ids(&[1]))]), file(vec![("id", ids(&[2, 3]))]));
    place.put("one.parquet", &one);
    place.put("two.parquet", &two);
    let error = |entries: Value| {
        place.manifest(&entries);
        place.api.error(&place.copy("t (id)", parquet))
    };
    let url = |key: &str| format!("s3://{}/{key}", place.bucket);
    assert_eq!(
        error(json!([place.entry("one.parquet", one.len()), place.entry("three.parquet", 1)])),
        format!("ERROR: Mandatory url is not present in manifest: {}", url("three.parquet"))
    );
    assert!(error(json!([{ "url": url("one.parquet") }])).contains("content_length is missing"));
    assert!(error(json!([place.entry("one.parquet", 3)])).contains("and the manifest says 3"));
    assert!(error(json!([{ "url": url("three.parquet") }])).contains("does not exist"));
    assert_eq!(place.api.rows("SELECT count(*) FROM t"), [[json!(0)]]);
    // A file that stands twice is loaded twice, and one that may be missing is no error beside others.
    let twice = place.entry("two.parquet", two.len());
    place.manifest(&json!([place.entry("one.parquet", one.len()), twice, twice, { "url": url("three.parquet") }]));
    place.api.done(&place.copy("t (id)", parquet));
    let found = place.api.rows("SELECT id FROM t ORDER BY id");
    assert_eq!(found.concat(), [json!(1), json!(2), json!(2), json!(3), json!(3)]);
}

fn a_column_of_another_type_is_refused(cloud: &Cloud) {
    let place = Place::new(cloud);
    place.api.done("CREATE TABLE t (a bigint, b decimal(12,2), c timestamp)");
    let good = || -> Vec<(&str, ArrayRef)> {
        vec![("a", ids(&[1])), ("b", decimals(&[1], 12, 2)), ("c", Arc::new(TimestampMicrosecondArray::from(vec![1])))]
    };
    place.api.done(&place.staged("t (a, b, c)", good()));
    let others: [(usize, ArrayRef); 4] = [
        (0, Arc::new(Int32Array::from(vec![1]))),
        (1, decimals(&[1], 12, 3)),
        (1, decimals(&[1], 18, 2)),
        (2, Arc::new(TimestampNanosecondArray::from(vec![1]))),
    ];
    for (at, array) in others {
        let mut columns = good();
        columns[at].1 = array;
        let error = place.api.error(&place.staged("t (a, b, c)", columns));
        assert!(error.contains("Spectrum Scan Error") && error.contains("incompatible Parquet schema"), "{error}");
    }
    let error = place.api.error(&place.staged("t (a, b, c)", good().into_iter().take(2).collect()));
    assert!(error.contains("the file has 2 columns, and 3 are loaded"), "{error}");
    assert_eq!(place.api.rows("SELECT count(*) FROM t"), [[json!(1)]]);
}

fn a_value_that_does_not_fit_is_named(cloud: &Cloud) {
    let place = Place::new(cloud);
    place.api.done("CREATE TABLE t (id bigint NOT NULL, name varchar(3), code char(2))");
    let row = |id: Option<i64>, name: &'static str, code: &'static str| -> Vec<(&str, ArrayRef)> {
        let id: ArrayRef = Arc::new(Int64Array::from(vec![id]));
        vec![("id", id), ("name", texts(&[Some(name)])), ("code", texts(&[Some(code)]))]
    };
    for (columns, expected) in [
        (row(None, "a", "a"), json!(["id", "int8", 1213, "Missing data for not-null field"])),
        (row(Some(1), "Zoë", "a"), json!(["name", "varchar", 1204, "String length exceeds DDL length"])),
        (row(Some(1), "a", "abc"), json!(["code", "char", 1204, "Char length exceeds DDL length"])),
        (
            row(Some(1), "a", "ä"),
            json!(["code", "char", 1220, "Multibyte character not supported for CHAR (Hint: try using VARCHAR)"]),
        ),
    ] {
        let copy = place.staged("t (id, name, code)", columns);
        // What came before goes with it.
        let id = place.api.submit_batch(&["INSERT INTO t (id) VALUES (7)", &copy], json!({}));
        let ended = place.api.ended(&id);
        let query = ended["SubStatements"][1]["RedshiftQueryId"].as_i64().unwrap();
        assert!(ended["Error"].as_str().unwrap().starts_with("ERROR: Load into table 't' failed."), "{ended}");
        let found = place.api.rows(&format!(
            "SELECT trim(column_name), trim(column_type), error_code, trim(error_message), trim(file_name) \
             FROM sys_load_error_detail WHERE query_id = {query}"
        ));
        let mut wanted: Vec<Value> = expected.as_array().unwrap().clone();
        wanted.push(json!(format!("s3://{}/0.parquet", place.bucket)));
        assert_eq!(found, [wanted]);
        assert_eq!(place.api.rows("SELECT count(*) FROM t"), [[json!(0)]]);
    }
}

fn separated_values_are_loaded(cloud: &Cloud) {
    let place = Place::new(cloud);
    place.api.done("CREATE TABLE t (id bigint, name varchar(20), at timestamptz)");
    let options = "FORMAT AS CSV DATEFORMAT 'auto' TIMEFORMAT 'auto' MANIFEST COMPUPDATE OFF STATUPDATE OFF";
    let copy = |text: &str| {
        place.put("0.csv", text.as_bytes());
        place.manifest(&json!([place.entry("0.csv", text.len())]));
        place.copy("t (id, name, at)", options)
    };
    place.api.done(&copy("1,\"a, \"\"b\"\"\",2026-01-31 12:00:00+00\n2,\\N,\\N\n3,,\\N\n"));
    assert_eq!(
        place.api.rows("SELECT id, name FROM t ORDER BY id"),
        [[json!(1), json!("a, \"b\"")], [json!(2), Value::Null], [json!(3), json!("")]]
    );
    let id = place.api.submit(&copy("4,x,\\N\nfive,x,\\N\n"), json!({}));
    let ended = place.api.ended(&id);
    assert_eq!(ended["Status"], "FAILED");
    let query = ended["RedshiftQueryId"].as_i64().unwrap();
    let sql = format!("SELECT line_number, trim(column_name) FROM sys_load_error_detail WHERE query_id = {query}");
    assert_eq!(place.api.rows(&sql), [[json!(2), json!("id")]]);
}
