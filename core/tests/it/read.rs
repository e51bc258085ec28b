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

fn show(outcome: Result<Outcome, String>) -> String {
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
    "#);
    insta::assert_snapshot!(csv("5,\"6\n7,8\n", &["a", "b"], |f| (f.header, f.newlines_in_values) = (false, false)), @r#"
    R402 at 0+5: the quote at byte 3 is not closed before the line ends
    Bare "7", Bare "8"
    9 = header 0 records 9 blank 0 comments 0 skipped 0
    "#);
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
