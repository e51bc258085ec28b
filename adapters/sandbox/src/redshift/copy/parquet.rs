//! Parquet: files whose columns come in the order of the table's, each of the very type. Nothing is converted, as nothing is
//! in Redshift: a decimal of another precision, a timestamp of another unit, a number of another width are errors.

use arrow_array::RecordBatch;
use etalon_core::types::Type;
use etalon_core::value::Value;
use etalon_core::value::Values;
use etalon_warehouse::client::Connection;
use etalon_warehouse::client::HEADER;
use etalon_warehouse::client::TRAILER;
use etalon_warehouse::client::write;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::File;
use super::LoadError;
use super::Refused;
use super::column::Column;
use super::names;
use super::statement::Copy;

/// Loads a file, and gives the number of its rows.
pub(super) fn load(connection: &mut Connection, copy: &Copy, columns: &[Column], file: &File) -> Result<u64, Refused> {
    // Redshift knows nothing of what Arrow adds to a file.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let unreadable = |error: parquet::errors::ParquetError| scan_error(&file.url, 15001, &error.to_string());
    let bytes = bytes::Bytes::copy_from_slice(&file.bytes);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options).map_err(unreadable)?;
    let found = builder.schema().fields().len();
    if found != columns.len() {
        let fact = format!("the file has {found} columns, and {} are loaded", columns.len());
        return Err(scan_error(&file.url, 15007, &fact));
    }
    let batches = builder.build().map_err(unreadable)?;
    let sql = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", copy.table, names(columns));
    let mut rows = Rows { columns, file, batches, has_begun: false };
    connection.copy_in(&sql, |out| rows.next(out))?
}

fn scan_error(url: &str, code: u32, fact: &str) -> Refused {
    Refused::words(format!(
        "ERROR: Spectrum Scan Error. code: {code} context: File '{url}' has an incompatible Parquet schema: {fact}"
    ))
}

struct Rows<'a> {
    columns: &'a [Column],
    file: &'a File,
    batches: ParquetRecordBatchReader,
    has_begun: bool,
}

impl Rows<'_> {
    /// Appends what comes next, and says whether it was the last.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<bool, Refused> {
        if !self.has_begun {
            self.has_begun = true;
            out.extend_from_slice(HEADER);
        }
        match self.batches.next() {
            None => {
                out.extend_from_slice(TRAILER);
                Ok(true)
            }
            Some(Err(error)) => Err(scan_error(&self.file.url, 15001, &error.to_string())),
            Some(Ok(batch)) => self.encode(&batch, out).map(|()| false),
        }
    }

    fn encode(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), Refused> {
        let mut values = Vec::with_capacity(self.columns.len());
        for (array, column) in batch.columns().iter().zip(self.columns) {
            // A text that goes into a SUPER is a string there, and no document.
            let ty = if column.ty == Type::Super { Type::Text } else { column.ty };
            values.push(Values::new(array, ty).ok_or_else(|| {
                let fact = format!("column '{}' is {} there, and {} here", column.name, array.data_type(), column.ty);
                scan_error(&self.file.url, 15007, &fact)
            })?);
        }
        let count = u16::try_from(values.len()).unwrap_or(u16::MAX).to_be_bytes();
        for row in 0..batch.num_rows() {
            out.extend_from_slice(&count);
            for (values, column) in values.iter().zip(self.columns) {
                let value = values.get(row);
                if let Some(error) = column.refusal(value, &self.file.url) {
                    return Err(Refused::Row(Box::new(error)));
                }
                let unfit = |fact: &str| {
                    let message = format!("the sandbox does not hold {fact}");
                    Refused::Row(Box::new(LoadError {
                        file: self.file.url.clone(),
                        column: column.name.clone(),
                        ty: column.type_name(),
                        length: column.length(),
                        code: 1224,
                        message,
                        ..LoadError::default()
                    }))
                };
                match (value, column.ty) {
                    (Some(Value::Text(text)), Type::Super) => {
                        let quoted = serde_json::Value::from(text).to_string();
                        write(Some(Value::Text(&quoted)), out).map_err(unfit)?;
                    }
                    // What a char is filled up with is its own.
                    (Some(Value::Text(text)), Type::Char(_)) => {
                        write(Some(Value::Text(text.trim_end_matches(' '))), out).map_err(unfit)?;
                    }
                    _ => write(value, out).map_err(unfit)?,
                }
            }
        }
        Ok(())
    }
}
