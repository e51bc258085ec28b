//! Parquet: the rows of a Parquet file, as Redshift reads them: columns by their position, each in the one form that its type
//! has in Parquet. It is not documented which other forms Redshift accepts, so they are refused here.

use std::fmt::Write;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::RecordBatch;
use arrow_array::StringArray;
use bytes::Bytes;
use etalon_core::types::Type;
use etalon_core::value::Decimal;
use etalon_core::value::Value;
use etalon_core::value::Values;
use etalon_core::value::json::write_string;
use etalon_postgres::encode::write;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::ConvertedType;
use parquet::basic::LogicalType;
use parquet::basic::TimeUnit;
use parquet::basic::Type as Physical;
use parquet::schema::printer::print_schema;
use parquet::schema::types::Type as Field;

use super::load_error::LoadError;
use super::load_error::Reason;
use super::load_error::Stop;
use super::nested;
use super::target::Column;

/// Rows that are read, checked and written at a time.
const ROWS_AT_ONCE: usize = 1024;

/// What is left of a file.
pub(super) struct Rows<'a> {
    file: String,
    columns: &'a [Column],
    reader: ParquetRecordBatchReader,
    /// Rows before those that come next.
    rows: u64,
    /// A document, before it is written.
    document: String,
}

/// A column of a batch.
enum Cells<'a> {
    Values(Values<'a>),
    /// Texts, each of which becomes a document that is one string.
    Strings(&'a StringArray),
    /// Lists, maps and structs, each of which becomes a document.
    Nested(&'a ArrayRef),
}

impl<'a> Rows<'a> {
    /// Opens a file that has these columns.
    pub(super) fn new(file: String, bytes: Bytes, columns: &'a [Column], serializes: bool) -> Result<Self, Stop> {
        // What Arrow would say of the columns is not looked at: nobody but Arrow does.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options);
        let builder = builder.map_err(|error| scan_error(&file, &format!("is no Parquet file: {error}")))?;
        let fields = builder.parquet_schema().root_schema().get_fields();
        if fields.len() != columns.len() {
            let (table, data) = (columns.len(), fields.len());
            let words = format!(
                "ERROR: Spectrum Scan Error. code: 15007 context: Unmatched number of columns between table and file. \
                 Table columns: {table}, Data columns: {data}, File name: {file}"
            );
            return Err(Stop::Error(words));
        }
        for (field, column) in fields.iter().zip(columns) {
            check_field(&file, field, column, serializes)?;
        }
        let reader = builder.with_batch_size(ROWS_AT_ONCE).build();
        let reader = reader.map_err(|error| scan_error(&file, &format!("is no Parquet file: {error}")))?;
        Ok(Self { file, columns, reader, rows: 0, document: String::new() })
    }

    /// Appends rows, if there are more.
    pub(super) fn append(&mut self, out: &mut Vec<u8>) -> Result<bool, Stop> {
        let Some(batch) = self.reader.next() else { return Ok(false) };
        let batch = batch.map_err(|error| scan_error(&self.file, &format!("cannot be read: {error}")))?;
        let cells: Option<Vec<Cells<'_>>> =
            batch.columns().iter().zip(self.columns).map(|(array, column)| cells(array, column)).collect();
        let cells = cells.ok_or_else(|| scan_error(&self.file, "has an incompatible Parquet schema"))?;
        self.check(&batch, &cells)?;
        let count = u16::try_from(cells.len()).unwrap_or(u16::MAX).to_be_bytes();
        for row in 0..batch.num_rows() {
            out.extend_from_slice(&count);
            for (place, cells) in cells.iter().enumerate() {
                let value = match cells {
                    Cells::Values(values) => values.get(row),
                    Cells::Strings(texts) if texts.is_null(row) => None,
                    Cells::Nested(array) if array.is_null(row) => None,
                    Cells::Strings(texts) => {
                        self.document.clear();
                        write_string(texts.value(row), &mut self.document);
                        Some(Value::Text(&self.document))
                    }
                    Cells::Nested(array) => {
                        self.document.clear();
                        nested::write(array, row, &mut self.document).map_err(Stop::Error)?;
                        Some(Value::Text(&self.document))
                    }
                };
                if let Err(unfit) = write(value, out) {
                    let name = self.columns.get(place).map_or("", |column| column.name.as_str());
                    return Err(Stop::Error(format!(
                        "ERROR: the sandbox does not hold {unfit}: {}, column \"{name}\"",
                        self.file
                    )));
                }
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(true)
    }

    /// Finds the first row that does not fit.
    fn check(&self, batch: &RecordBatch, cells: &[Cells<'_>]) -> Result<(), Stop> {
        let found = batch.columns().iter().zip(cells).zip(self.columns).enumerate();
        let found = found.filter_map(|(place, ((array, cells), column))| {
            let (row, reason) = first_unfit(array, cells, column)?;
            Some((row, place, reason))
        });
        match found.min_by_key(|&(row, place, _)| (row, place)) {
            None => Ok(()),
            Some((row, place, reason)) => Err(Stop::Row(Box::new(LoadError {
                file: self.file.clone(),
                line: self.rows + row as u64 + 1,
                column: Some(place),
                reason,
            }))),
        }
    }
}

fn cells<'a>(array: &'a ArrayRef, column: &Column) -> Option<Cells<'a>> {
    match column.ty {
        Type::Super => match array.as_any().downcast_ref() {
            Some(texts) => Some(Cells::Strings(texts)),
            None => Some(Cells::Nested(array)),
        },
        ty => Values::new(array, ty).map(Cells::Values),
    }
}

/// The first row of a column that does not fit.
fn first_unfit(array: &ArrayRef, cells: &Cells<'_>, column: &Column) -> Option<(usize, Reason)> {
    let null = (column.required && array.null_count() > 0)
        .then(|| (0..array.len()).find(|&row| array.is_null(row)))
        .flatten()
        .map(|row| (row, Reason::missing()));
    let rows = 0..array.len();
    let value = match (column.ty, cells) {
        (Type::Varchar(most), Cells::Values(_)) => {
            // The length of a NULL is none.
            let texts: &StringArray = array.as_any().downcast_ref()?;
            let long = texts.value_offsets().windows(2).position(|ends| too_long(ends, most));
            long.map(|row| (row, Reason::too_long()))
        }
        (Type::Char(most), Cells::Values(_)) => {
            let texts: &StringArray = array.as_any().downcast_ref()?;
            let mut wrong = rows.filter(|&row| !texts.value(row).is_ascii() || texts.value(row).len() > most as usize);
            wrong.next().map(|row| match texts.value(row).is_ascii() {
                true => (row, Reason::too_long()),
                false => (row, Reason::multibyte()),
            })
        }
        (Type::Decimal { precision, .. }, Cells::Values(values)) => {
            let mut wrong = rows.filter(|&row| match values.get(row) {
                Some(Value::Decimal(number)) => !holds(number, precision),
                _ => false,
            });
            wrong.next().map(|row| (row, Reason::too_large()))
        }
        _ => None,
    };
    [null, value].into_iter().flatten().min_by_key(|&(row, _)| row)
}

fn too_long(ends: &[i32], most: u32) -> bool {
    matches!(ends, [start, end] if i64::from(end - start) > i64::from(most))
}

/// Whether a decimal of so many digits can be this number. One of 19 digits is kept in 64 bits.
pub(super) fn holds(number: Decimal, precision: u8) -> bool {
    number.fits(precision) && (precision != 19 || number.unscaled.unsigned_abs() <= i64::MAX as u128)
}

/// That a column of the file has the form that the type of its target has in Parquet.
fn check_field(file: &str, field: &Field, column: &Column, serializes: bool) -> Result<(), Stop> {
    if fits(field, column.ty, serializes) {
        return Ok(());
    }
    if let (Type::Decimal { precision, .. }, Field::PrimitiveType { physical_type, type_length, .. }) =
        (column.ty, field)
        && *physical_type == Physical::FIXED_LEN_BYTE_ARRAY
        && i64::from(*type_length) != i64::from(bytes_of(precision))
    {
        let words = format!(
            "ERROR: Spectrum Scan Error. code: 15001 context: File '{file}', column '{}' has an invalid type length. \
             Expecting: {} len in file: {type_length}",
            column.name,
            bytes_of(precision)
        );
        return Err(Stop::Error(words));
    }
    let mut schema = Vec::new();
    print_schema(&mut schema, field);
    let schema = String::from_utf8_lossy(&schema);
    let schema = schema.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut words = format!("ERROR: Spectrum Scan Error. code: 15007 context: File '{file}' has an incompatible");
    // Writing to a String cannot fail.
    let _ = write!(
        words,
        " Parquet schema for column '{}'. Column type: {}, Parquet schema: {schema}",
        column.name,
        column.ty.to_string().to_uppercase()
    );
    Err(Stop::Error(words))
}

fn fits(field: &Field, ty: Type, serializes: bool) -> bool {
    let Field::PrimitiveType { physical_type, type_length, .. } = field else {
        return ty == Type::Super && serializes;
    };
    let annotation = annotation(field);
    let is = |physical: Physical, allowed: &[Option<LogicalType>]| {
        *physical_type == physical && allowed.contains(&annotation)
    };
    match ty {
        Type::Boolean => is(Physical::BOOLEAN, &[None]),
        Type::Smallint => is(Physical::INT32, &[Some(LogicalType::integer(16, true))]),
        Type::Integer => is(Physical::INT32, &[None, Some(LogicalType::integer(32, true))]),
        Type::Bigint => is(Physical::INT64, &[None, Some(LogicalType::integer(64, true))]),
        Type::Real => is(Physical::FLOAT, &[None]),
        Type::Double => is(Physical::DOUBLE, &[None]),
        Type::Decimal { precision, scale } => {
            let same = [Some(LogicalType::decimal(scale.into(), precision.into()))];
            match precision {
                _ if *physical_type == Physical::FIXED_LEN_BYTE_ARRAY => {
                    allowed_length(*type_length, precision) && same.contains(&annotation)
                }
                0..=9 => is(Physical::INT32, &same),
                10..=18 => is(Physical::INT64, &same),
                _ => false,
            }
        }
        Type::Date => is(Physical::INT32, &[Some(LogicalType::Date)]),
        // Nanoseconds would be read as microseconds there, and years become thousands.
        Type::Timestamp => is(Physical::INT64, &[Some(LogicalType::timestamp(false, TimeUnit::MICROS))]),
        Type::Timestamptz => is(Physical::INT64, &[Some(LogicalType::timestamp(true, TimeUnit::MICROS))]),
        Type::Varchar(_) | Type::Char(_) | Type::Super => is(Physical::BYTE_ARRAY, &[Some(LogicalType::String)]),
        Type::Numeric | Type::Time | Type::Timetz | Type::Interval | Type::Text | Type::Jsonb | Type::Bytea => false,
    }
}

fn allowed_length(length: i32, precision: u8) -> bool {
    i64::from(length) == i64::from(bytes_of(precision))
}

/// The fewest bytes that hold a signed number of so many digits.
fn bytes_of(precision: u8) -> u32 {
    let most = 10_u128.checked_pow(precision.into()).unwrap_or(u128::MAX);
    // One bit more for the sign.
    (u128::BITS - (most - 1).leading_zeros() + 1).div_ceil(8)
}

/// What a file says about the values of a column, in the older way of saying it too.
fn annotation(field: &Field) -> Option<LogicalType> {
    let info = field.get_basic_info();
    if let Some(logical) = info.logical_type_ref() {
        return Some(logical.clone());
    }
    match (info.converted_type(), field) {
        (ConvertedType::UTF8, _) => Some(LogicalType::String),
        (ConvertedType::INT_16, _) => Some(LogicalType::integer(16, true)),
        (ConvertedType::INT_32, _) => Some(LogicalType::integer(32, true)),
        (ConvertedType::INT_64, _) => Some(LogicalType::integer(64, true)),
        (ConvertedType::DATE, _) => Some(LogicalType::Date),
        (ConvertedType::TIMESTAMP_MICROS, _) => Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
        (ConvertedType::DECIMAL, Field::PrimitiveType { scale, precision, .. }) => {
            Some(LogicalType::decimal(*scale, *precision))
        }
        (ConvertedType::NONE, _) => None,
        _ => Some(LogicalType::Unknown),
    }
}

fn scan_error(file: &str, fact: &str) -> Stop {
    Stop::Error(format!("ERROR: Spectrum Scan Error. code: 15001 context: File '{file}' {fact}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_has_as_few_bytes_as_it_needs() {
        for (precision, bytes) in [(1, 1), (2, 1), (3, 2), (9, 4), (18, 8), (19, 9), (29, 13), (38, 16)] {
            assert_eq!(bytes_of(precision), bytes, "{precision}");
        }
    }

    #[test]
    fn nineteen_digits_end_where_64_bits_do() {
        let number = |unscaled| Decimal { unscaled, scale: 0 };
        assert!(holds(number(i64::MAX.into()), 19) && !holds(number(i128::from(i64::MAX) + 1), 19));
        assert!(holds(number(i128::from(i64::MAX) + 1), 20) && !holds(number(100), 2));
    }
}
