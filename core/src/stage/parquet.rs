//! Parquet parts as Redshift's COPY reads them: snappy, writer version 1.0, decimals of the column's own precision and
//! scale, timestamps in microseconds, columns in the pipeline's order and the lineage columns after them.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::coalesce::BatchCoalescer;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};

use super::{Lineage, PART_BYTES, StagedPart};
use crate::types::Type;

/// Rows of a row group: few enough that the writer's memory stays small, enough that columns compress.
const ROW_GROUP_ROWS: usize = 64 * 1024;
/// Rows are written so many at a time, however they come: the writer's pages, and with them the bytes, depend on it.
const WRITE_ROWS: usize = 8 * 1024;
/// Writes batches of rows into parts.
#[derive(Debug)]
pub struct PartWriter {
    schema: SchemaRef,
    lineage: Lineage,
    coming: BatchCoalescer,
    open: Option<ArrowWriter<Vec<u8>>>,
    rows: u64,
}

impl PartWriter {
    /// A writer of parts with these columns: name, type, and whether NULL is refused.
    pub fn new(columns: &[(String, Type, bool)], lineage: Lineage) -> Self {
        let mut fields: Vec<Field> =
            columns.iter().map(|(name, ty, required)| Field::new(name, ty.arrow(), !required)).collect();
        let [batch, offset, time] = lineage.names;
        fields.push(Field::new(batch, DataType::Utf8View, false));
        fields.push(Field::new(offset, DataType::Int64, false));
        fields.push(Field::new(time, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false));
        let schema = Arc::new(Schema::new(fields));
        let coming = BatchCoalescer::new(Arc::clone(&schema), WRITE_ROWS);
        Self { schema, lineage, coming, open: None, rows: 0 }
    }

    /// Adds rows, one array a column, and each row's offset; returns a part when one is full. A batch has at most as many
    /// rows as a part has room for, so that one part at a time is full.
    pub fn write(&mut self, mut columns: Vec<ArrayRef>, offsets: &[u64]) -> Option<StagedPart> {
        if offsets.is_empty() {
            return None;
        }
        let mut batch = StringViewBuilder::with_capacity(offsets.len());
        offsets.iter().for_each(|_| batch.append_value(&self.lineage.batch));
        columns.push(Arc::new(batch.finish()));
        columns.push(Arc::new(Int64Array::from_iter_values(offsets.iter().map(|offset| offset.cast_signed()))));
        let times = TimestampMicrosecondArray::from_value(self.lineage.time, offsets.len()).with_timezone("UTC");
        columns.push(Arc::new(times));
        let pushed =
            RecordBatch::try_new(Arc::clone(&self.schema), columns).and_then(|batch| self.coming.push_batch(batch));
        // Every column was conformed to the schema, so a refusal is a fault of this program.
        if let Err(error) = pushed {
            unreachable!("rows that were conformed can be staged: {error}");
        }
        self.write_completed()
    }

    /// Ends the last part; none is open if no row was written since the last one.
    pub fn finish(&mut self) -> Option<StagedPart> {
        if let Err(error) = self.coming.finish_buffered_batch() {
            unreachable!("rows that were conformed can be staged: {error}");
        }
        self.write_completed().or_else(|| self.close())
    }

    fn write_completed(&mut self) -> Option<StagedPart> {
        let mut full = None;
        while let Some(batch) = self.coming.next_completed_batch() {
            let writer = self.open.get_or_insert_with(|| writer(&self.schema));
            // Memory is the sink.
            if let Err(error) = writer.write(&batch) {
                unreachable!("rows that were conformed can be staged: {error}");
            }
            self.rows += batch.num_rows() as u64;
            if writer.inner().len() + writer.in_progress_size() >= PART_BYTES {
                assert!(full.is_none(), "a part has room for more rows than a batch has");
                full = self.close();
            }
        }
        full
    }

    fn close(&mut self) -> Option<StagedPart> {
        let writer = self.open.take()?;
        match writer.into_inner() {
            Ok(bytes) => Some(StagedPart { rows: std::mem::take(&mut self.rows), bytes }),
            Err(error) => unreachable!("memory takes every byte: {error}"),
        }
    }
}

fn writer(schema: &SchemaRef) -> ArrowWriter<Vec<u8>> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by("etalon".to_owned())
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    match ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(schema), options) {
        Ok(writer) => writer,
        Err(error) => unreachable!("every type of a column has a Parquet form: {error}"),
    }
}

/// Reads the rows of a part.
///
/// An error means that the bytes are not those of a part.
pub fn read(bytes: Vec<u8>) -> Result<impl Iterator<Item = Result<RecordBatch, String>>, String> {
    let bytes = bytes::Bytes::from(bytes);
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(|builder| builder.with_batch_size(8192).build())
        .map_err(|error| error.to_string())?;
    Ok(reader.map(|batch| batch.map_err(|error| error.to_string())))
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Decimal128Type;
    use arrow_array::{Array, Decimal128Array, StringViewArray};

    use super::*;

    fn part() -> StagedPart {
        let columns = [
            ("amount".to_owned(), Type::Decimal { precision: 12, scale: 2 }, false),
            ("name".to_owned(), Type::Varchar(20), true),
        ];
        let lineage =
            Lineage { names: ["_etalon_batch", "_etalon_offset", "_etalon_time"], batch: "b1".to_owned(), time: 5 };
        let mut writer = PartWriter::new(&columns, lineage);
        let amounts = Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(12, 2).unwrap();
        let names = StringViewArray::from(vec!["Ada", "a name longer than twelve bytes"]);
        assert!(writer.write(vec![Arc::new(amounts), Arc::new(names)], &[10, 99]).is_none());
        writer.finish().unwrap()
    }

    #[test]
    fn staged_rows_read_back() {
        let batches: Vec<RecordBatch> = read(part().bytes).unwrap().map(Result::unwrap).collect();
        assert_eq!(batches.len(), 1);
        let amounts = batches[0].column(0).as_primitive::<Decimal128Type>();
        assert_eq!((amounts.value(0), amounts.is_null(1)), (1250, true));
        assert_eq!(batches[0].schema().field(0).data_type(), &DataType::Decimal128(12, 2));
        assert_eq!(batches[0].num_columns(), 5);
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        assert_eq!(part(), part());
    }
}
