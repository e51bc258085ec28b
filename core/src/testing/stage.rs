//! Laws of staging: what is written into parts reads back, and the bytes depend on the rows alone.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Date32Array;
use arrow_array::Decimal128Array;
use arrow_array::Float32Array;
use arrow_array::Float64Array;
use arrow_array::Int16Array;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::StringViewArray;
use arrow_array::TimestampMicrosecondArray;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::stage;
use crate::stage::Format;
use crate::stage::Lineage;
use crate::stage::PartWriter;
use crate::types::Type;
use crate::value::show::show;

/// Precision and scale of the decimals.
const DECIMALS: [(u8, u8); 6] = [(38, 0), (38, 38), (12, 2), (38, 19), (5, 3), (37, 1)];
/// The batch time of staged rows.
const TIME: i64 = 86_400_000_001;

/// Columns of every type that a column can have: name, type, and whether NULL is refused.
pub fn columns() -> Vec<(String, Type, bool)> {
    let mut types = vec![
        Type::Boolean,
        Type::Smallint,
        Type::Integer,
        Type::Bigint,
        Type::Real,
        Type::Double,
        Type::Date,
        Type::Timestamp,
        Type::Timestamptz,
        Type::Varchar(80),
        Type::Char(5),
        Type::Super,
    ];
    types.extend(DECIMALS.map(|(precision, scale)| Type::Decimal { precision, scale }));
    types.into_iter().enumerate().map(|(at, ty)| (format!("c{at}"), ty, false)).collect()
}

/// The values of a row.
#[derive(Debug, Clone)]
pub struct Row {
    whole: Option<(bool, i16, i32, i64)>,
    float: Option<(f32, f64)>,
    time: Option<(i32, i64, i64)>,
    text: Option<(String, String)>,
    decimals: Vec<Option<i128>>,
}

/// Rows of [`columns`], within what Redshift holds; none of them has a text that COPY takes for NULL.
pub fn rows() -> impl Strategy<Value = Vec<Row>> {
    let days = prop_oneof![-2_440_588..=106_751_990_i32, -800_000..3_000_000_i32];
    let micros = prop_oneof![-210_866_803_200_000_000..=i64::MAX, -1_000..1_000_i64, Just(-62_135_596_800_000_001_i64)];
    let decimals: Vec<_> = DECIMALS
        .iter()
        .map(|&(precision, _)| {
            let limit = 10_i128.pow(precision.into()) - 1;
            let small = limit.min(20_000);
            option::of(prop_oneof![-limit..=limit, -small..small, Just(limit), Just(-limit)])
        })
        .collect();
    let text = prop_oneof!["[^\0]{0,20}", "[\",\\\\N\r\n ]{0,4}"];
    let text = text.prop_filter("COPY takes it for NULL", |text| text != stage::csv::NULL);
    let cells = (
        option::of(any::<(bool, i16, i32, i64)>()),
        option::of((prop::num::f32::ANY, prop::num::f64::ANY)),
        option::of((days, micros.clone(), micros)),
        option::of((text, "[ -Z]{0,5}")),
        decimals,
    );
    vec(cells.prop_map(|(whole, float, time, text, decimals)| Row { whole, float, time, text, decimals }), 1..40)
}

/// A document as PostgreSQL prints it.
fn json(text: &str) -> String {
    serde_json::json!([1, text]).to_string().replacen(',', ", ", 1)
}

/// Rows as arrays, one a column.
pub fn arrays(rows: &[Row]) -> Vec<ArrayRef> {
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.whole.map(|cells| cells.0)).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.whole.map(|cells| cells.1)).collect::<Int16Array>()),
        Arc::new(rows.iter().map(|row| row.whole.map(|cells| cells.2)).collect::<Int32Array>()),
        Arc::new(rows.iter().map(|row| row.whole.map(|cells| cells.3)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.float.map(|cells| cells.0)).collect::<Float32Array>()),
        Arc::new(rows.iter().map(|row| row.float.map(|cells| cells.1)).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.time.map(|cells| cells.0)).collect::<Date32Array>()),
        Arc::new(rows.iter().map(|row| row.time.map(|cells| cells.1)).collect::<TimestampMicrosecondArray>()),
        Arc::new(
            rows.iter()
                .map(|row| row.time.map(|cells| cells.2))
                .collect::<TimestampMicrosecondArray>()
                .with_timezone("UTC"),
        ),
        Arc::new(rows.iter().map(|row| row.text.as_ref().map(|cells| cells.0.as_str())).collect::<StringViewArray>()),
        Arc::new(rows.iter().map(|row| row.text.as_ref().map(|cells| cells.1.as_str())).collect::<StringViewArray>()),
        Arc::new(rows.iter().map(|row| row.text.as_ref().map(|cells| json(&cells.0))).collect::<StringViewArray>()),
    ];
    for (at, (precision, scale)) in DECIMALS.into_iter().enumerate() {
        let values: Decimal128Array = rows.iter().map(|row| row.decimals[at]).collect();
        arrays.push(Arc::new(values.with_precision_and_scale(precision, scale.cast_signed()).unwrap()));
    }
    arrays
}

/// The one part that rows are staged into; they come in pieces of these lengths, over and over.
pub fn part(format: Format, rows: &[Row], pieces: &[usize]) -> Vec<u8> {
    let names = ["_etalon_batch", "_etalon_offset", "_etalon_time"];
    let mut writer = PartWriter::new(format, &columns(), Lineage { names, batch: "b\"1".to_owned(), time: TIME });
    let mut from = 0;
    for &piece in pieces.iter().cycle() {
        let to = rows.len().min(from + piece.max(1));
        let offsets: Vec<u64> = (from as u64..to as u64).collect();
        assert_eq!(writer.write(arrays(&rows[from..to]), &offsets), [], "so few rows do not fill a part");
        from = to;
        if from == rows.len() {
            break;
        }
    }
    let part = writer.finish().unwrap();
    assert_eq!((part.rows, writer.finish()), (rows.len() as u64, None));
    part.bytes
}

/// The cells of rows as text, with the lineage beside them.
pub fn texts(rows: &[Row]) -> Vec<Vec<Option<String>>> {
    let arrays = arrays(rows);
    let lineage =
        |row: usize| ["b\"1".to_owned(), row.to_string(), "1970-01-02 00:00:00.000001+00".to_owned()].map(Some);
    let cells = |row| arrays.iter().map(|array| show(&**array, row)).chain(lineage(row)).collect();
    (0..rows.len()).map(cells).collect()
}

/// What is staged reads back, every cell with its type, and NULL is not an empty text.
pub fn staged_rows_read_back(format: Format, rows: &[Row]) {
    let mut found = Vec::new();
    for batch in stage::read(format, &columns(), part(format, rows, &[rows.len()])).unwrap() {
        let batch = batch.unwrap();
        for (array, (name, ty, _)) in batch.columns().iter().zip(columns()) {
            // A part of Parquet tells texts by their bytes.
            assert!(ty.is_text() || ty == Type::Super || *array.data_type() == ty.arrow(), "{name} {ty}");
        }
        found.extend(
            (0..batch.num_rows())
                .map(|row| batch.columns().iter().map(|array| show(&**array, row)).collect::<Vec<_>>()),
        );
    }
    assert_eq!(found, texts(rows));
}

/// The bytes of a part depend on the rows, and not on how they came.
pub fn pieces_do_not_change_the_bytes(format: Format, rows: &[Row], pieces: &[usize]) {
    assert_eq!(part(format, rows, pieces), part(format, rows, &[rows.len()]));
}
