//! Copy: what COPY brings, and what it refuses.

use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow_schema::Field;
use etalon_core::stage::Format;
use etalon_core::testing::stage;
use etalon_core::types::Type;
use etalon_core::value::show::show;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::api::Api;
use crate::bucket::Bucket;
use crate::{Cloud, Test};

pub(crate) const TESTS: &[Test] = &[
    ("any_part_is_there_as_it_was", any_part_is_there_as_it_was),
    ("a_manifest_is_kept_to", a_manifest_is_kept_to),
    ("what_does_not_fit_is_told_by_query", what_does_not_fit_is_told_by_query),
    ("another_schema_is_refused", another_schema_is_refused),
    ("separated_values_are_read_as_told", separated_values_are_read_as_told),
    ("a_copy_is_all_or_nothing", a_copy_is_all_or_nothing),
    ("lists_and_structs_become_documents", lists_and_structs_become_documents),
    ("many_rows_come_in_pieces", many_rows_come_in_pieces),
];

const ROLE: &str = "IAM_ROLE 'arn:aws:iam::123456789012:role/etalon'";

/// The bytes of a Parquet file with these columns.
fn parquet(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, array)| (*name, array.clone(), true)));
    let batch = batch.unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn numbers(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn of_parquet(table: &str, columns: &str, manifest: &str) -> String {
    format!("COPY {table} ({columns}) FROM '{manifest}' {ROLE} FORMAT AS PARQUET MANIFEST STATUPDATE OFF")
}

/// What COPY could not load in a statement that has failed: file, line, column, type, code, message.
fn load_errors(api: &Api, ended: &Value) -> Vec<Vec<Value>> {
    let query = ended["RedshiftQueryId"].as_i64().unwrap();
    let asked = etalon_core::warehouse::dialect::redshift::copy::load_errors(query);
    let parameters: Vec<Value> =
        asked.parameters.iter().map(|one| json!({ "name": one.name, "value": one.value })).collect();
    let id = api.submit(&asked.sql, json!({ "Parameters": parameters }));
    assert_eq!(api.ended(&id)["Status"], "FINISHED");
    api.result(&id)
}

fn any_part_is_there_as_it_was(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    let columns = stage::columns();
    // A document is staged as a text, which COPY would make another document of.
    let declared = |is_csv: bool| {
        let column = |(name, ty, _): &(String, Type, bool)| match ty {
            Type::Super if !is_csv => format!("{name} varchar(65535)"),
            ty => format!("{name} {ty}"),
        };
        columns.iter().map(column).collect::<Vec<_>>().join(", ")
    };
    let lineage = "_etalon_batch varchar(64), _etalon_offset bigint, _etalon_time timestamptz";
    api.done(&format!("CREATE TABLE of_parquet ({}, {lineage})", declared(false)));
    api.done(&format!("CREATE TABLE of_csv ({}, {lineage})", declared(true)));
    let mut names: Vec<&str> = columns.iter().map(|(name, ..)| name.as_str()).collect();
    names.extend(["_etalon_batch", "_etalon_offset", "_etalon_time"]);
    let names = names.join(", ");
    let shown: Vec<String> = columns.iter().map(|(name, ..)| format!("{name}::text")).collect();
    let shown = shown.join(", ");
    let config = ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() };
    let rows = Cell::new(0);
    let checked = TestRunner::new(config).run(&stage::rows(), |cells| {
        let arrays = stage::arrays(&cells);
        rows.set(rows.get() + cells.len());
        for (table, format) in [("of_parquet", Format::Parquet), ("of_csv", Format::Csv)] {
            let part = stage::part(format, &cells, &[7]);
            let manifest = bucket.staged(table, &[&part]);
            let options = match format {
                Format::Parquet => "FORMAT AS PARQUET MANIFEST STATUPDATE OFF",
                Format::Csv => {
                    "FORMAT AS CSV DATEFORMAT 'auto' TIMEFORMAT 'auto' MANIFEST COMPUPDATE OFF STATUPDATE OFF"
                }
            };
            let copied = api.submit_batch(
                &[
                    &format!("DELETE FROM {table}"),
                    &format!("COPY {table} ({names}) FROM '{manifest}' {ROLE} {options}"),
                ],
                json!({}),
            );
            let ended = api.ended(&copied);
            assert_eq!(ended["Status"], "FINISHED", "{ended}");
            assert_eq!(ended["SubStatements"][1]["ResultRows"], json!(cells.len()));
            let found = api.texts(&format!("SELECT {shown} FROM {table} ORDER BY _etalon_offset"));
            assert_eq!(found.len(), cells.len());
            for (row, found) in found.iter().enumerate() {
                for ((array, (_, ty, _)), found) in arrays.iter().zip(&columns).zip(found) {
                    let expected = show(&**array, row).map(|text| match (*ty, text.as_str()) {
                        (Type::Boolean, "t") => "true".to_owned(),
                        (Type::Boolean, _) => "false".to_owned(),
                        (Type::Char(_), text) => text.trim_end_matches(' ').to_owned(),
                        _ => text,
                    });
                    assert_eq!(found, &expected, "{ty}");
                }
            }
        }
        Ok(())
    });
    if let Err(error) = checked {
        panic!("{error}");
    }
    let lineage = api.rows("SELECT DISTINCT _etalon_batch, CAST(_etalon_time AS varchar(40)) FROM of_csv");
    assert_eq!(lineage, [[json!("b\"1"), json!("1970-01-02 00:00:00.000001+00")]]);
    println!("20 parts of {} columns, {} rows, came back as they were in either format", columns.len(), rows.get());
}

fn a_manifest_is_kept_to(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done("CREATE TABLE t (id bigint)");
    let file = parquet(&[("id", numbers(&[1, 2]))]);
    let url = bucket.put("1", &file);
    let gone = bucket.url("gone");
    let length = file.len();
    let entry = |url: &str, mandatory: bool, length: usize| json!({ "url": url, "mandatory": mandatory, "meta": { "content_length": length } });
    let copy = |entries: &[Value]| {
        let manifest = bucket.put("manifest", json!({ "entries": entries }).to_string().as_bytes());
        of_parquet("t", "id", &manifest)
    };
    for (entries, words) in [
        (
            vec![entry(&url, true, length + 1)],
            format!("has {length} bytes, and the content_length of the manifest is {}", length + 1),
        ),
        (vec![entry(&url, true, length), entry(&gone, true, 7)], format!("{gone},Status 404,Error NoSuchKey")),
        (vec![entry(&gone, false, 7)], "none of the files".to_owned()),
        (vec![json!({ "url": url, "mandatory": true })], "content_length".to_owned()),
        (vec![entry("s3://no-such-bucket/1", true, 7)], "Error NoSuchBucket".to_owned()),
    ] {
        let error = api.error(&copy(&entries));
        assert!(error.starts_with("ERROR: ") && error.contains(&words), "{error}");
    }
    let error = api.error(&of_parquet("t", "id", &bucket.url("no-manifest")));
    assert!(error.contains("NoSuchKey"), "{error}");
    assert_eq!(api.rows("SELECT count(*) FROM t"), [[json!(0)]]);
    // A file that may be missing is left out, and one that stands twice comes twice.
    api.done(&copy(&[entry(&gone, false, 7), entry(&url, true, length), entry(&url, true, length)]));
    assert_eq!(
        api.rows("SELECT id, count(*) FROM t GROUP BY id ORDER BY id"),
        [[1, 2], [2, 2]].map(|row| row.map(Value::from))
    );
    assert_eq!(api.data.counters().rows_copied, 4);
}

fn what_does_not_fit_is_told_by_query(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done("CREATE TABLE t (id bigint NOT NULL, name varchar(4), code char(2), amount decimal(19,0))");
    let good = parquet(&[("id", numbers(&[1])), ("name", texts(&[Some("éé")])), ("code", texts(&[Some("a")]))]);
    let mut told = Vec::new();
    let mut check = |bad: &[(&str, ArrayRef)], line: u64, column: &str, ty: &str, code: u64, message: &str| {
        let manifest = bucket.staged(&format!("load{}", told.len()), &[&good, &parquet(bad)]);
        let ended = api.run(&of_parquet("t", "id, name, code", &manifest));
        assert_eq!(
            ended["Error"],
            "ERROR: Load into table 't' failed.  Check 'sys_load_error_detail' system table for details."
        );
        let file = manifest.replace("manifest", "1");
        let expected = vec![json!(file), json!(line), json!(column), json!(ty), json!(code), json!(message)];
        assert_eq!(load_errors(&api, &ended), [expected]);
        told.push(ended["RedshiftQueryId"].clone());
    };
    let long = "String length exceeds DDL length";
    // Four letters, five bytes; the first of the rows is told.
    let names = texts(&[Some("abcd"), Some("abcé"), Some("abcde")]);
    check(
        &[("id", numbers(&[1, 2, 3])), ("name", names), ("code", texts(&[None; 3]))],
        2,
        "name",
        "varchar",
        1204,
        long,
    );
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let missing = "Missing data for not-null field";
    check(&[("id", ids), ("name", texts(&[None; 2])), ("code", texts(&[None; 2]))], 2, "id", "int8", 1213, missing);
    let multibyte = "Multibyte character not supported for CHAR (Hint: try using VARCHAR)";
    check(
        &[("id", numbers(&[1])), ("name", texts(&[None])), ("code", texts(&[Some("é")]))],
        1,
        "code",
        "char",
        1220,
        multibyte,
    );
    check(
        &[("id", numbers(&[1])), ("name", texts(&[None])), ("code", texts(&[Some("abc")]))],
        1,
        "code",
        "char",
        1204,
        long,
    );
    let (other, last) = (told[0].clone(), told[3].clone());
    assert_ne!(other, last);
    assert_eq!(api.rows("SELECT count(*) FROM t"), [[json!(0)]]);
    // What fits comes, and what is no column of the file is NULL.
    api.done(&of_parquet("t", "id, name, code", &bucket.staged("good", &[&good])));
    let row = vec![json!(1), json!("éé"), json!("a "), Value::Null];
    assert_eq!(api.rows("SELECT id, name, code, amount FROM t"), [row]);
    assert_eq!(load_errors(&api, &json!({ "RedshiftQueryId": 1 })), [[Value::Null; 0]; 0]);
}

fn another_schema_is_refused(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done("CREATE TABLE t (id bigint, at timestamp, name varchar(9), amount decimal(18,9), doc super)");
    let check = |file: &[u8], columns: &str, words: &[&str]| {
        let error = api.error(&of_parquet("t", columns, &bucket.staged("load", &[file])));
        let words = words.iter().chain(["ERROR: Spectrum Scan Error. code: 1500", "bucket"].iter());
        for word in words {
            assert!(error.contains(word), "{error} lacks {word}");
        }
    };
    let id = || ("id", numbers(&[1]));
    check(
        &parquet(&[id(), id()].map(|(_, array)| ("x", array))[..1]),
        "id, name",
        &["Table columns: 2, Data columns: 1"],
    );
    check(
        &parquet(&[("id", texts(&[Some("1")]))]),
        "id",
        &["incompatible", "'id'", "BIGINT", "BYTE_ARRAY id (STRING)"],
    );
    check(&parquet(&[id()]), "name", &["incompatible", "'name'", "VARCHAR(9)", "OPTIONAL INT64 id"]);
    check(&parquet(&[("id", Arc::new(Int32Array::from(vec![1])) as ArrayRef)]), "id", &["incompatible", "INT32"]);
    check(
        &parquet(&[("id", Arc::new(Int16Array::from(vec![1])) as ArrayRef)]),
        "id",
        &["incompatible", "INTEGER(16,true)"],
    );
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1]));
    check(&parquet(&[("at", nanos)]), "at", &["incompatible", "NANOS"]);
    let zoned: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1]).with_timezone("UTC"));
    check(&parquet(&[("at", zoned)]), "at", &["incompatible", "MICROS,true"]);
    let decimal = |precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![1]).with_precision_and_scale(precision, scale).unwrap())
    };
    check(&parquet(&[("amount", decimal(29, 9))]), "amount", &["invalid type length. Expecting: 8 len in file: 13"]);
    check(&parquet(&[("amount", decimal(18, 8))]), "amount", &["incompatible", "DECIMAL(18,9)", "DECIMAL(18,8)"]);
    check(b"no Parquet", "id", &["is no Parquet file"]);
    // A text is a document that is one string, and not what it says.
    let text = texts(&[Some("{\"a\": 1}")]);
    api.done(&of_parquet("t", "doc", &bucket.staged("load", &[&parquet(&[("doc", text)])])));
    assert_eq!(api.rows("SELECT json_serialize(doc) FROM t"), [[json!("\"{\\\"a\\\": 1}\"")]]);
    for (copy, words) in [
        (of_parquet("t", "ids", "s3://b/k"), "column \"ids\" of relation \"t\" does not exist"),
        (of_parquet("t", "id, id", "s3://b/k"), "column \"id\" specified more than once"),
        (of_parquet("u", "id", "s3://b/k"), "Cannot COPY into nonexistent table u"),
        (of_parquet("t", "id", "s3://b/k") + " REGION 'eu-west-1'", "CopyOption"),
    ] {
        let error = api.error(&copy);
        assert!(error.contains(words), "{error}");
    }
}

fn separated_values_are_read_as_told(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done("CREATE TABLE t (id integer, name varchar(9), amount decimal(8,2), doc super)");
    let text = "id;name;amount;doc\n1;%a;\n%%b%;20.259;[1]\n2;;-;\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let copy = |file: &[u8], options: &str| {
        let manifest = bucket.staged("load", &[file]);
        format!("COPY t FROM '{manifest}' {ROLE} CSV {options} MANIFEST")
    };
    let options = "QUOTE '%' DELIMITER ';' IGNOREHEADER 1 NULL AS '-' GZIP ENCODING UTF8";
    api.done(&copy(&gzip.finish().unwrap(), options));
    let rows =
        [[json!(1), json!("a;\n%b"), json!("20.25"), json!("[1]")], [json!(2), json!(""), Value::Null, Value::Null]];
    assert_eq!(api.rows("SELECT id, name, amount, doc FROM t ORDER BY id"), rows);
    for (text, line, column, code, words) in [
        ("1,a,1,1\n2147483648,b,1,1\n", 2, "id", 1222, "Overflow, Value '2147483648', Pos 0, Type: Integer"),
        ("\"1\",\"a\nb\",1,1\nN,b,1,1\n", 3, "id", 1207, "Invalid digit, Value 'N', Pos 0, Type: Integer"),
        ("1,a,1,{\n", 1, "doc", 1224, "Not well-formed JSON, Value '{', Pos 0, Type: Super"),
        ("1,a,1\n", 1, "doc", 1214, "Delimiter not found"),
        ("1,a,1,1,1\n", 1, "", 1202, "Extra column(s) found"),
    ] {
        let ended = api.run(&copy(text.as_bytes(), ""));
        let errors = load_errors(&api, &ended);
        let told: Vec<&Value> = errors[0].iter().skip(1).collect();
        assert_eq!((told[0], told[1], told[3]), (&json!(line), &json!(column), &json!(code)), "{text}: {told:?}");
        assert_eq!(told[4], words);
    }
}

fn a_copy_is_all_or_nothing(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done("CREATE TABLE t (id bigint)");
    let many: Vec<i64> = (0..5000).collect();
    let (first, second) = (parquet(&[("id", numbers(&many))]), parquet(&[("id", numbers(&[5000]))]));
    let copy = of_parquet("t", "id", &bucket.staged("load", &[&first, &second]));
    let broken = of_parquet("t", "id", &bucket.staged("broken", &[&first, b"no Parquet"]));
    let last = "SELECT pg_last_copy_count(), pg_last_copy_id() >= 1000";
    let ended = api.ended(&api.submit_batch(&[&copy, "SELECT 1 / 0"], json!({})));
    assert_eq!((&ended["Status"], &ended["SubStatements"][0]["ResultRows"]), (&json!("FAILED"), &json!(5001)));
    let id = api.submit_batch(&["DELETE FROM t", &copy, last, "DELETE FROM t"], json!({}));
    assert_eq!(api.ended(&id)["Status"], "FINISHED");
    assert_eq!(api.result(&format!("{id}:3")), [[json!(5001), json!(true)]]);
    assert!(api.error(&broken).contains("no Parquet file"));
    let id = api.submit_batch(&[&copy, &broken], json!({ "ExecutionMode": "AUTO_COMMIT" }));
    assert_eq!(api.ended(&id)["Status"], "FAILED");
    assert_eq!(api.rows("SELECT count(*), min(id), max(id) FROM t"), [[json!(5001), json!(0), json!(5000)]]);
    // Also those that were rolled back.
    assert_eq!(api.data.counters().rows_copied, 15_003);
}

fn lists_and_structs_become_documents(cloud: &Cloud) {
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done("CREATE TABLE t (id bigint, doc super, list super)");
    let mut list = ListBuilder::new(Int64Builder::new());
    list.append_value([Some(1), None]);
    list.append_null();
    let list: ArrayRef = Arc::new(list.finish());
    let field = |name: &str, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let name = texts(&[Some("a \"b\""), None]);
    let doc: ArrayRef =
        Arc::new(StructArray::from(vec![(field("name", &name), name), (field("list", &list), Arc::clone(&list))]));
    let file = parquet(&[("id", numbers(&[1, 2])), ("doc", doc), ("list", list)]);
    let copy = of_parquet("t", "id, doc, list", &bucket.staged("load", &[&file]));
    let error = api.error(&copy);
    assert!(error.contains("incompatible Parquet schema for column 'doc'. Column type: SUPER"), "{error}");
    api.done(&format!("{copy} SERIALIZETOJSON"));
    let rows = [
        [json!(1), json!(r#"{"name":"a \"b\"","list":[1,null]}"#), json!("[1,null]")],
        [json!(2), json!(r#"{"name":null,"list":null}"#), Value::Null],
    ];
    assert_eq!(api.rows("SELECT id, json_serialize(doc), json_serialize(list) FROM t ORDER BY id"), rows);
    let error = api.error(&format!("{} SERIALIZETOJSON", of_parquet("t", "id, doc, id", "s3://b/k")));
    assert!(error.contains("more than once"), "{error}");
}

fn many_rows_come_in_pieces(cloud: &Cloud) {
    const ROWS: i64 = 100_000;
    let (api, bucket) = (Api::new(cloud), Bucket::new(cloud));
    api.done(
        "CREATE TABLE t (a bigint, b bigint, c varchar(20), d varchar(80), e double precision, f timestamp, \
         g decimal(12,2), h bigint, i varchar(20), j bigint)",
    );
    let ids: ArrayRef = Arc::new((0..ROWS).collect::<Int64Array>());
    let short: ArrayRef = Arc::new((0..ROWS).map(|row| Some(format!("name {row}"))).collect::<StringArray>());
    let long: ArrayRef = Arc::new(
        (0..ROWS).map(|row| Some(format!("a text that is longer than others {row}"))).collect::<StringArray>(),
    );
    let float: ArrayRef = Arc::new(Float64Array::from(vec![1.5; ROWS as usize]));
    let times: ArrayRef = Arc::new((0..ROWS).map(Some).collect::<TimestampMicrosecondArray>());
    let amounts: Decimal128Array = (0..ROWS).map(|row| Some(i128::from(row))).collect();
    let amounts: ArrayRef = Arc::new(amounts.with_precision_and_scale(12, 2).unwrap());
    let same = |array: &ArrayRef| Arc::clone(array);
    let columns = [same(&ids), same(&ids), same(&short), long, float, times, amounts, same(&ids), short, ids];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let file = parquet(&names.into_iter().zip(columns).collect::<Vec<_>>());
    let manifest = bucket.staged("load", &[&file, &file]);
    let since = Instant::now();
    let ended = api.done(&of_parquet("t", &names.join(", "), &manifest));
    assert_eq!(ended["ResultRows"], json!(2 * ROWS));
    println!("{} rows of {} columns: {:.1} seconds", 2 * ROWS, names.len(), since.elapsed().as_secs_f64());
    let sums = "SELECT count(*), count(DISTINCT i), sum(g), count(DISTINCT d) FROM t";
    let sum = format!("{}.00", 2 * (ROWS * (ROWS - 1) / 2) / 100);
    assert_eq!(api.rows(sums), [[json!(2 * ROWS), json!(ROWS), json!(sum), json!(ROWS)]]);
}
