//! Laws of staging, and separated values as another reader sees them.

use etalon_core::stage;
use etalon_core::stage::Format;
use etalon_core::testing::stage::{columns, part, pieces_do_not_change_the_bytes, rows, staged_rows_read_back, texts};
use proptest::prelude::*;

const FORMATS: [Format; 2] = [Format::Parquet, Format::Csv];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_staged_reads_back(rows in rows()) {
        FORMATS.into_iter().for_each(|format| staged_rows_read_back(format, &rows));
    }

    #[test]
    fn the_bytes_of_a_part_depend_on_its_rows_alone(
        rows in rows(),
        pieces in prop::collection::vec(1..9_usize, 1..5),
    ) {
        FORMATS.into_iter().for_each(|format| pieces_do_not_change_the_bytes(format, &rows, &pieces));
    }

    #[test]
    fn another_reader_finds_the_same_values(rows in rows()) {
        let bytes = part(Format::Csv, &rows, &[3]);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let found: Vec<Vec<Option<String>>> = reader
            .records()
            .map(|record| {
                let cells = record.unwrap();
                let cell = |text: &str| (text != stage::csv::NULL).then(|| text.to_owned());
                cells.iter().map(cell).collect()
            })
            .collect();
        let mut expected = texts(&rows);
        for row in &mut expected {
            // A boolean is a word.
            let word = |text: &str| if text == "t" { "true" } else { "false" };
            row[0] = row[0].as_deref().map(word).map(str::to_owned);
        }
        prop_assert_eq!(found, expected);
    }

    /// Whatever the bytes are, reading ends, with rows or with a fact.
    #[test]
    fn what_is_no_part_is_told(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>(), rows in rows()) {
        for batch in stage::csv::read(bytes, &columns()) {
            if let Err(fact) = batch {
                prop_assert!(fact.contains("byte"));
            }
        }
        let whole = part(Format::Csv, &rows, &[9]);
        let cut = cut.index(whole.len());
        // A part that is cut lacks rows, or says that its last row is none.
        let found: Vec<_> = stage::csv::read(whole[..cut].to_vec(), &columns()).collect();
        let count: usize = found.iter().flatten().map(|batch| batch.num_rows()).sum();
        prop_assert!(count < rows.len());
        prop_assert!(whole[..cut].ends_with(b"\n") || cut == 0 || found.iter().any(Result::is_err));
    }
}

#[test]
fn a_part_of_separated_values_is_as_said() {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, StringViewArray};
    use etalon_core::stage::{Lineage, PartWriter};
    use etalon_core::types::Type;

    let lineage = Lineage { names: ["b", "o", "t"], batch: "b1".to_owned(), time: 0 };
    let mut writer = PartWriter::new(Format::Csv, &[("x".to_owned(), Type::Varchar(9), false)], lineage);
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some(""), None, Some("a\"b,\n"), Some("é")]));
    writer.write(vec![texts], &[0, 7, 8, 9]);
    let bytes = writer.finish().unwrap().bytes;
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "\"\",\"b1\",\"0\",\"1970-01-01 00:00:00+00\"\n\
         \\N,\"b1\",\"7\",\"1970-01-01 00:00:00+00\"\n\
         \"a\"\"b,\n\",\"b1\",\"8\",\"1970-01-01 00:00:00+00\"\n\
         \"é\",\"b1\",\"9\",\"1970-01-01 00:00:00+00\"\n"
    );
}
