//! The laws of reading, over generated input.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test may fail, and tells its scores"
)]

use etalon_core::format::Contract;
use etalon_core::format::CsvFormat;
use etalon_core::format::Format;
use etalon_core::format::JsonlFormat;
use etalon_core::format::ReadOptions;
use etalon_core::pipeline::Pipeline;
use etalon_core::records::CellKind;
use etalon_core::testing::read::*;
use proptest::prelude::*;

fn contract() -> impl Strategy<Value = Contract> {
    prop_oneof![Just(Contract::Ignore), Just(Contract::Quarantine), Just(Contract::Fail)]
}

fn any_options() -> impl Strategy<Value = ReadOptions> {
    let format = prop_oneof![3 => csv_format().prop_map(Format::Csv), 1 => Just(Format::Jsonl(JsonlFormat))];
    (format, 0..5_usize, contract(), 1..5_usize, 1..90_usize).prop_map(|(format, fields, contract, rows, bytes)| {
        ReadOptions {
            contract,
            batch_rows_max: rows,
            record_bytes_max: if bytes > 60 { 1 << 20 } else { bytes },
            ..options(format, &["a", "b", "c", "a"][..fields.min(4)])
        }
    })
}

fn object() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        csv_bytes(),
        prop::collection::vec(json_bytes(), 0..8).prop_map(|lines| lines.join(&b'\n')),
        csv_bytes().prop_map(|bytes| [b"a,b,c\n", &bytes[..]].concat()),
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_chunking(
        options in any_options(), object in object(), pushes in prop::collection::vec(1..40_usize, 1..5), chunk in 1..200_usize
    ) {
        any_chunking_reads_the_same_records(&options, &object, &pushes, chunk);
    }

    #[test]
    fn any_cut(
        options in any_options(), object in object(), cuts in prop::collection::vec(any::<u64>(), 0..6), chunk in 1..200_usize
    ) {
        any_cut_reads_the_same_records(&options, &object, &cuts, chunk);
    }

    #[test]
    fn gzip(
        options in any_options(), object in object(), members in prop::collection::vec(0..80_usize, 0..4), kept in any::<usize>()
    ) {
        gzip_reads_the_same_records(&options, &object, &members, kept);
    }

    #[test]
    fn utf16(
        options in any_options(), object in object(), big in any::<bool>(), pushes in prop::collection::vec(1..40_usize, 1..5),
        chunk in 1..200_usize
    ) {
        utf16_reads_the_same_records(&options, &String::from_utf8_lossy(&object), big, &pushes, chunk);
    }

    #[test]
    fn json(line in json_bytes()) {
        json_agrees_with_serde_json(&line);
    }

    #[test]
    fn csv_twin(format in csv_format(), object in csv_bytes()) {
        csv_agrees_with_its_plain_twin(&format, &object);
    }

    /// The `csv` crate takes a CR of its own as a line end (so there is none here), and a text after a closing quote as text; elsewhere the two mean the same.
    #[test]
    fn csv_crate(object in csv_bytes()) {
        let object: Vec<u8> = object.split(|&byte| byte == b'\r').flatten().copied().collect();
        let outcome = read_whole(&options(Format::Csv(CsvFormat { header: false, ..CsvFormat::default() }), &["a", "b", "c"]), &object);
        let mut oracle = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&object[..]);
        let oracle: Vec<Option<Vec<String>>> = oracle
            .byte_records()
            .map(|record| record.unwrap().iter().map(|field| String::from_utf8(field.to_vec()).ok()).collect())
            .collect();
        let rows = outcome.unwrap().rows;
        if rows.iter().all(|row| row.cells.is_ok()) {
            let mine: Vec<_> = rows.into_iter().map(|row| Some(row.cells.unwrap().into_iter().map(|(_, text)| text).collect::<Vec<_>>())).collect();
            prop_assert_eq!(mine, oracle);
        }
    }
}

fn csv(text: &str, fields: &[&str], change: impl FnOnce(&mut CsvFormat)) -> String {
    let mut format = CsvFormat::default();
    change(&mut format);
    show(read_whole(&options(Format::Csv(format), fields), text.as_bytes()))
}

fn show(outcome: Result<ReadBack, String>) -> String {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(held) => return format!("held: {held}"),
    };
    let mut text = String::new();
    for row in outcome.rows {
        match row.cells {
            Ok(cells) => {
                let cell = |(kind, text): (CellKind, String)| format!("{kind:?} {text:?}");
                text += &cells.into_iter().map(cell).collect::<Vec<_>>().join(", ");
            }
            Err((code, message)) => {
                text += &format!("{code} at {}+{}: {message}", row.place.offset, row.place.length);
            }
        }
        text += "\n";
    }
    let c = outcome.coverage;
    text += &format!(
        "{} = header {} records {} blank {} comments {} skipped {}",
        c.total, c.header, c.records, c.blank, c.comments, c.skipped
    );
    if let Some(why) = outcome.incomplete {
        text += &format!("\n{why}");
    }
    text
}

#[test]
fn csv_knows_a_quoted_empty_field_from_a_bare_one() {
    insta::assert_snapshot!(csv("a,b\n\"\",\n\"x\"\"y\",z\r\n", &["b", "a"], |_| ()), @r#"
    Bare "", Quoted ""
    Bare "z", Quoted "x\"y"
    18 = header 4 records 14 blank 0 comments 0 skipped 0
    "#);
}

#[test]
fn csv_counts_every_byte() {
    insta::assert_snapshot!(
        csv("\u{feff}junk\n\n#c\nid\n\n1\n#d\n\r\n2", &["id"], |format| (format.skip_lines, format.comment) = (1, Some(b'#'))), @r#"
    Bare "1"
    Bare "2"
    24 = header 6 records 3 blank 4 comments 6 skipped 5
    "#);
}

#[test]
fn csv_says_what_is_wrong_with_a_record() {
    insta::assert_snapshot!(csv("a,b\n1\n1,2,3\n\"x\"y,2\n3,4\n5,\"6\n7,8\n", &["a", "b"], |_| ()), @r#"
    R401 at 4+2: has 1 field, the header has 2
    R401 at 6+6: has 3 fields, the header has 2
    R408 at 12+7: a text follows the closing quote at byte 3
    Bare "3", Bare "4"
    R402 at 23+9: a quote is not closed before the object ends
    32 = header 4 records 28 blank 0 comments 0 skipped 0
    the object is incomplete: the quote that opens on line 6 is not closed in the 7 bytes from there to the end; with `newlines_in_values: false` that line alone is rejected
    "#);
    insta::assert_snapshot!(csv("5,\"6\n7,8\n", &["a", "b"], |f| (f.header, f.newlines_in_values) = (false, false)), @r#"
    R402 at 0+5: the quote at byte 3 is not closed before the line ends
    Bare "7", Bare "8"
    9 = header 0 records 9 blank 0 comments 0 skipped 0
    "#);
}

#[test]
fn a_quote_within_a_bare_field_is_a_reject_unless_it_is_kept() {
    insta::assert_snapshot!(csv("a,b\n5\" disk,2\n3,\"4\"\n", &["a", "b"], |_| ()), @r#"
    R412 at 4+10: the quote at byte 2 stands within a value that is not quoted
    Bare "3", Quoted "4"
    20 = header 4 records 16 blank 0 comments 0 skipped 0
    "#);
    insta::assert_snapshot!(csv("a,b\n5\" disk,2\n", &["a", "b"], |format| format.keep_stray_quotes = true), @r#"
    Bare "5\" disk", Bare "2"
    14 = header 4 records 10 blank 0 comments 0 skipped 0
    "#);
}

#[test]
fn the_byte_behind_an_escape_is_text() {
    let escape = |format: &mut CsvFormat| (format.escape, format.nulls) = (Some(b'\\'), vec!["\\N".to_owned()]);
    insta::assert_snapshot!(csv("\"say \\\"yes\\\"\",C:\\\\temp\n\\N,\\\\N\none\\\ntwo,a\\,b\n3,4\\", &["a", "b"], |f| { f.header = false; escape(f) }), @r#"
    Quoted "say \"yes\"", Bare "C:\\temp"
    Bare "\\N", Quoted "\\N"
    Bare "one\ntwo", Bare "a,b"
    R402 at 44+4: the escape at byte 4 stands before the end of the line
    48 = header 0 records 48 blank 0 comments 0 skipped 0
    "#);
    insta::assert_snapshot!(csv("one\\\ntwo,2\n", &["a", "b"], |f| { (f.header, f.newlines_in_values) = (false, false); escape(f) }), @r#"
    R402 at 0+5: the escape at byte 4 stands before the end of the line
    Bare "two", Bare "2"
    11 = header 0 records 11 blank 0 comments 0 skipped 0
    "#);
}

#[test]
fn a_quoted_text_may_mean_null_too() {
    insta::assert_snapshot!(csv("a,b\n\"\",\"x\"\n", &["a", "b"], |format| format.quoted_nulls = true), @r#"
    Bare "", Bare "x"
    11 = header 4 records 7 blank 0 comments 0 skipped 0
    "#);
}

#[test]
fn what_an_object_begins_with_is_told() {
    let csv = || Format::Csv(CsvFormat::default());
    let read = |format, object: &[u8]| {
        let auto = ReadOptions { compression: None, ..options(format, &["id", "name"]) };
        show(read_whole(&auto, object))
    };
    insta::assert_snapshot!(read(csv(), b"PK\x03\x04\x14\0\x06\0"), @"held: the object is not UTF-8 text: its first bytes are those of a ZIP archive");
    insta::assert_snapshot!(read(csv(), b"\xff\xfei\0d\0,\0"), @"held: the object is not UTF-8 text: its first bytes are those of UTF-16 with a byte order mark; say `encoding: utf-16`");
    insta::assert_snapshot!(read(csv(), b"id,name\r1,x\r2,y\r"), @r"held: its lines end in a carriage return alone (\r), and lines end in \n or \r\n; have it written again");
    insta::assert_snapshot!(read(csv(), b"id;name\n1;x\n"), @"held: the header has one field, `id;name`: is the delimiter `;`?");
    insta::assert_snapshot!(read(csv(), b""), @"held: no header was found: the object is empty");
    insta::assert_snapshot!(read(csv(), b"\n\n"), @"held: no header was found in the 2 bytes of the object");
    insta::assert_snapshot!(read(csv(), b"id,name\n1,Zo\xeb\n"), @r#"
    R403 at 8+6: byte 5 of the record is not UTF-8; as `encoding: windows-1252` it is `ë`
    14 = header 8 records 6 blank 0 comments 0 skipped 0
    "#);
    insta::assert_snapshot!(read(Format::Jsonl(JsonlFormat), b"\n[{\"id\":1}]\n"), @"held: it begins with `[`: this is one JSON array, or lines of arrays, and JSON Lines has an object on each line");
    insta::assert_snapshot!(read(Format::Jsonl(JsonlFormat), b"{\"id\":1}\r{\"id\":2}\r"), @r"held: its lines end in a carriage return alone (\r), and lines end in \n; have it written again");
}

#[test]
fn a_header_that_does_not_fit_holds_the_object() {
    insta::assert_snapshot!(csv("Id,name\n1,2\n", &["id", "name"], |_| ()), @"held: the header lacks the declared field `id` (did you mean `Id`?)");
    insta::assert_snapshot!(csv("id,\"name\n1,2\n", &["id"], |_| ()), @"held: the header cannot be read: a quote is not closed before the object ends");
}

#[test]
fn undeclared_fields_follow_the_contract() {
    let read = |contract, format, text: &str| {
        show(read_whole(&ReadOptions { contract, ..options(format, &["a"]) }, text.as_bytes()))
    };
    let csv = || Format::Csv(CsvFormat::default());
    insta::assert_snapshot!(read(Contract::Quarantine, csv(), "a,x\n1,2\n"), @r"
    R410 at 4+4: the field `x` is not declared
    8 = header 4 records 4 blank 0 comments 0 skipped 0
    ");
    insta::assert_snapshot!(read(Contract::Fail, csv(), "a,x\n1,2\n"), @"held: the header does not fit: the field `x` is not declared");
    insta::assert_snapshot!(read(Contract::Quarantine, Format::Jsonl(JsonlFormat), "{\"a\":1}\n{\"x\":1}\n"), @r#"
    Bare "1"
    R410 at 8+8: the field `x` is not declared
    16 = header 0 records 16 blank 0 comments 0 skipped 0
    "#);
    insta::assert_snapshot!(read(Contract::Fail, Format::Jsonl(JsonlFormat), "{\"a\":1}\n{\"x\":1}\n"), @"held: the record at byte 8 has the field `x`, which is not declared");
}

#[test]
fn json_lines_keep_what_is_written() {
    let text =
        "{\"a\":1.50,\"b\":\"x\\ty\"}\n\n{\"b\":null,\"c\":[1, {}]}\r\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":}\n{\"a\":true";
    insta::assert_snapshot!(show(read_whole(&options(Format::Jsonl(JsonlFormat), &["a", "b", "c"]), text.as_bytes())), @r#"
    Bare "1.50", Quoted "x\ty", Missing ""
    Missing "", Null "null", Nested "[1, {}]"
    R406 at 47+4: is an array, not an object
    R407 at 51+14: the field `a` stands twice
    R405 at 65+7: is not JSON at byte 6: a value is expected
    R405 at 72+9: is not JSON at byte 10: a comma or a closing brace is expected
    81 = header 0 records 80 blank 1 comments 0 skipped 0
    "#);
}

#[test]
fn a_record_that_is_too_long_is_one_reject() {
    let options = ReadOptions {
        record_bytes_max: 10,
        chunk_bytes: 4,
        ..options(Format::Csv(CsvFormat { header: false, ..CsvFormat::default() }), &["a"])
    };
    let text = "1\n\"0123456789\n2\n\"\"\n\"\n3\n0123456789\n4\n\"0123456789\n";
    insta::assert_snapshot!(show(read(&options, text.as_bytes(), 0..text.len() as u64, &[1])), @r#"
    Bare "1"
    R404 at 2+19: has 19 bytes, a record may have 10
    Bare "3"
    R404 at 23+11: has 11 bytes, a record may have 10
    Bare "4"
    R402 at 36+12: a quote is not closed before the object ends
    48 = header 0 records 48 blank 0 comments 0 skipped 0
    the object is incomplete: the quote that opens on line 9 is not closed in the 12 bytes from there to the end; with `newlines_in_values: false` that line alone is rejected
    "#);
}

#[test]
fn an_object_that_ends_early_is_incomplete() {
    let options = options(Format::Csv(CsvFormat { header: false, ..CsvFormat::default() }), &["a"]);
    let mut reader = etalon_core::format::Reader::new(options, 10, 0..10);
    assert!(matches!(reader.step(), Ok(etalon_core::format::ReadStep::NeedsData(_))));
    reader.push(b"1\n23");
    assert!(matches!(reader.step(), Ok(etalon_core::format::ReadStep::NeedsData(needed)) if needed == (4..10)));
    reader.push(b"");
    let Ok(etalon_core::format::ReadStep::Records(records)) = reader.step() else { panic!("records are expected") };
    assert_eq!((records.len(), records.rejects[0].reason.code.text()), (1, "R409"));
    let Ok(etalon_core::format::ReadStep::Finished { incomplete, .. }) = reader.step() else {
        panic!("the end is expected")
    };
    assert_eq!(incomplete.as_deref(), Some("the object is incomplete: it ends after 4 bytes, and 10 were announced"));
}

#[test]
fn what_an_object_may_decode_to_is_said_where_it_is_decoded() {
    let check = |compression: &str| {
        let file = format!(
            "{{ etalon: 1, pipeline: a, source: {{ files: a.csv, format: csv, compression: {compression}, fields: {{ a: }} }},
                columns: {{ a: varchar(9) }}, target: {{ table: a, write: append }} }}"
        );
        Pipeline::compile(&file)
            .map(|_| ())
            .map_err(|wrong| wrong.into_iter().map(|one| one.message).collect::<Vec<_>>())
    };
    assert_eq!(check("{ kind: gzip, ratio: 1000, bytes: 1000000 }"), Ok(()));
    assert_eq!(check("{ ratio: 1000 }"), Ok(()));
    let wrong = ["`ratio` has no effect with `kind: none`", "`bytes` has no effect with `kind: none`"];
    assert_eq!(check("{ kind: none, ratio: 1000, bytes: 1 }"), Err(wrong.map(str::to_owned).to_vec()));
}
