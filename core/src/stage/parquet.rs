//! Parquet parts as Redshift's COPY reads them: snappy, writer version 1.0, decimals of the column's own precision and
//! scale, timestamps in microseconds, columns in the pipeline's order and the lineage columns after them.

mod constant;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow_select::coalesce::BatchCoalescer;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::Compression;
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, ColumnPath};

use super::{Lineage, PART_BYTES, StagedPart};
use crate::types::Type;

/// Rows of a row group at most.
const ROW_GROUP_ROWS: usize = 512 * 1024;
/// Bytes of a row group. They are in memory until it ends, and then go to the part: few enough that both together stay small, enough
/// that columns compress.
const ROW_GROUP_BYTES: usize = 4 * 1024 * 1024;
/// Rows of a page at most: until it is full, a page whose values are in a dictionary takes eight bytes for each.
const PAGE_ROWS: usize = 128 * 1024;
/// Bytes of a page: each column has one that is being filled, and one that is being compressed.
const PAGE_BYTES: usize = 256 * 1024;
/// Rows are written so many at a time, however they come: the writer looks after its pages that often, and so the bytes
/// depend on it.
const WRITE_ROWS: usize = 1024;
/// A dictionary of more bytes than these costs more than it saves: the column goes on without it.
const DICTIONARY_BYTES: usize = 128 * 1024;
/// About as many values fill a dictionary.
const DICTIONARY_VALUES: usize = DICTIONARY_BYTES / 8;

/// Room for nearly every part: what is not written to costs nothing, and a vector that grows is for a while there twice. The
/// GNU allocator keeps what is below 32 MiB for the next part; what is larger it gives back, and the system makes every page
/// of it anew.
const SINK_BYTES: usize = 31 * 1024 * 1024;

/// Writes batches of rows into parts.
#[derive(Debug)]
pub struct PartWriter {
    /// All columns of a part.
    schema: SchemaRef,
    /// Batch and time of the lineage, as a dictionary holds them: they are the same in every row.
    constants: BTreeMap<usize, Vec<u8>>,
    coming: BatchCoalescer,
    /// The columns that come as rows.
    varying: SchemaRef,
    open: Option<Open>,
    /// From so many bytes on a part is full.
    part_bytes: usize,
    /// Rows that are written at a time.
    write_rows: usize,
}

/// A part that is being written.
#[derive(Debug)]
struct Open {
    file: SerializedFileWriter<Vec<u8>>,
    factory: ArrowRowGroupWriterFactory,
    /// The columns of the row group that is being written, and its rows.
    columns: Vec<ArrowColumnWriter>,
    group_rows: usize,
    /// Rows of all row groups.
    rows: usize,
}

impl PartWriter {
    /// A writer of parts with these columns: name, type, and whether NULL is refused.
    pub fn new(columns: &[(String, Type, bool)], lineage: Lineage) -> Self {
        let mut fields: Vec<Field> =
            columns.iter().map(|(name, ty, required)| Field::new(name, ty.arrow(), !required)).collect();
        let [batch, offset, time] = lineage.names;
        let mut text = (lineage.batch.len() as u32).to_le_bytes().to_vec();
        text.extend_from_slice(lineage.batch.as_bytes());
        let constants = BTreeMap::from([(fields.len(), text), (fields.len() + 2, lineage.time.to_le_bytes().to_vec())]);
        fields.push(Field::new(batch, DataType::Utf8View, false));
        fields.push(Field::new(offset, DataType::Int64, false));
        fields.push(Field::new(time, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false));
        let varying = fields.iter().enumerate().filter(|(index, _)| !constants.contains_key(index));
        let varying = Arc::new(Schema::new(varying.map(|(_, field)| field.clone()).collect::<Vec<_>>()));
        let coming = BatchCoalescer::new(Arc::clone(&varying), WRITE_ROWS);
        let schema = Arc::new(Schema::new(fields));
        Self { schema, constants, coming, varying, open: None, part_bytes: PART_BYTES, write_rows: WRITE_ROWS }
    }

    /// The writer with parts that are full from so many bytes, where batches have at most so many rows.
    pub(super) fn bounded(self, part_bytes: usize, batch_rows: usize) -> Self {
        let write_rows = WRITE_ROWS.min(batch_rows);
        let coming = BatchCoalescer::new(Arc::clone(&self.varying), write_rows);
        Self { coming, part_bytes, write_rows, ..self }
    }

    /// Adds rows, one array a column, and each row's offset; returns a part when one is full. A batch has at most as many
    /// rows as a part has room for, so that one part at a time is full.
    pub fn write(&mut self, mut columns: Vec<ArrayRef>, offsets: &[u64]) -> Option<StagedPart> {
        if offsets.is_empty() {
            return None;
        }
        columns.push(Arc::new(Int64Array::from_iter_values(offsets.iter().map(|offset| offset.cast_signed()))));
        match RecordBatch::try_new(Arc::clone(&self.varying), columns) {
            Ok(batch) => self.cut(&batch),
            // Every column was conformed to the schema, so a refusal is a fault of this program.
            Err(error) => unreachable!("rows that were conformed can be staged: {error}"),
        }
    }

    /// Ends the last part; none is open if no row was written since the last one.
    pub fn finish(&mut self) -> Option<StagedPart> {
        if let Err(error) = self.coming.finish_buffered_batch() {
            unreachable!("rows that were conformed can be staged: {error}");
        }
        let last = self.coming.next_completed_batch();
        last.and_then(|rows| self.append(&rows)).or_else(|| self.close())
    }

    /// Writes a batch in pieces that begin and end where they always do. Only a piece of which the batch has not all rows is
    /// copied, to wait for the others.
    fn cut(&mut self, batch: &RecordBatch) -> Option<StagedPart> {
        let mut full = None;
        let mut at = 0;
        while at < batch.num_rows() {
            let rows = (self.write_rows - self.coming.get_buffered_rows()).min(batch.num_rows() - at);
            let piece = batch.slice(at, rows);
            at += rows;
            let piece = if rows == self.write_rows {
                Some(piece)
            } else {
                if let Err(error) = self.coming.push_batch(piece) {
                    unreachable!("rows that were conformed can be staged: {error}");
                }
                self.coming.next_completed_batch()
            };
            if let Some(part) = piece.and_then(|piece| self.append(&piece)) {
                assert!(full.is_none(), "a part has room for more rows than a batch has");
                full = Some(part);
            }
        }
        full
    }

    /// Writes rows into the open part, and gives it if it is full now.
    fn append(&mut self, rows: &RecordBatch) -> Option<StagedPart> {
        let open = self.open.take();
        let written = open.map_or_else(|| Open::new(&self.schema, rows, self.part_bytes), Ok).and_then(|mut open| {
            open.append(rows, &self.constants)?;
            Ok(self.open.insert(open).bytes())
        });
        match written {
            Ok(bytes) if bytes >= self.part_bytes => self.close(),
            Ok(_) => None,
            // Every type of a column has a Parquet form, and memory takes every byte.
            Err(error) => unreachable!("rows that were conformed can be staged: {error}"),
        }
    }

    fn close(&mut self) -> Option<StagedPart> {
        match self.open.take()?.close(&self.constants) {
            Ok(part) => Some(part),
            Err(error) => unreachable!("memory takes every byte: {error}"),
        }
    }
}

impl Open {
    /// A part that begins with these rows.
    fn new(schema: &SchemaRef, first: &RecordBatch, part_bytes: usize) -> Result<Self> {
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(Compression::SNAPPY)
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_data_page_size_limit(PAGE_BYTES)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            // A part is read once, and as a whole.
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            .set_created_by("etalon".to_owned());
        for (field, column) in first.schema().fields().iter().zip(first.columns()) {
            if has_too_many_values(column) {
                properties = properties.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
            }
        }
        let form = ArrowSchemaConverter::new().convert(schema)?;
        let sink = Vec::with_capacity(SINK_BYTES.min(part_bytes));
        let file = SerializedFileWriter::new(sink, form.root_schema_ptr(), Arc::new(properties.build()))?;
        let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(schema));
        Ok(Self { file, factory, columns: Vec::new(), group_rows: 0, rows: 0 })
    }

    fn append(&mut self, rows: &RecordBatch, constants: &BTreeMap<usize, Vec<u8>>) -> Result<()> {
        if self.columns.is_empty() {
            let all = self.factory.create_column_writers(self.file.flushed_row_groups().len())?;
            let varying = all.into_iter().enumerate().filter(|(index, _)| !constants.contains_key(index));
            self.columns = varying.map(|(_, column)| column).collect();
        }
        for ((field, values), column) in rows.schema().fields().iter().zip(rows.columns()).zip(&mut self.columns) {
            for leaf in compute_leaves(field, values)? {
                column.write(&leaf)?;
            }
        }
        self.group_rows += rows.num_rows();
        self.rows += rows.num_rows();
        let is_full = self.group_rows >= ROW_GROUP_ROWS || self.coming_bytes() >= ROW_GROUP_BYTES;
        if is_full { self.end_group(constants) } else { Ok(()) }
    }

    fn end_group(&mut self, constants: &BTreeMap<usize, Vec<u8>>) -> Result<()> {
        let rows = std::mem::take(&mut self.group_rows);
        if rows == 0 {
            return Ok(());
        }
        let forms: Vec<ColumnDescPtr> = self.file.schema_descr().columns().to_vec();
        let mut group = self.file.next_row_group()?;
        let mut varying = self.columns.drain(..);
        for (index, form) in forms.into_iter().enumerate() {
            match (constants.get(&index), &mut varying) {
                (Some(value), _) => {
                    let (bytes, close) = constant::chunk(form, value, u32::try_from(rows)?)?;
                    group.append_column(&bytes, close)?;
                }
                (None, varying) => {
                    for column in varying.take(1) {
                        column.close()?.append_to_row_group(&mut group)?;
                    }
                }
            }
        }
        group.close()?;
        Ok(())
    }

    /// How many bytes the part would have if it ended here, or a few more.
    fn bytes(&self) -> usize {
        self.file.inner().len() + self.coming_bytes()
    }

    /// How many bytes the row group has that is being written.
    fn coming_bytes(&self) -> usize {
        self.columns.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum()
    }

    fn close(mut self, constants: &BTreeMap<usize, Vec<u8>>) -> Result<StagedPart> {
        self.end_group(constants)?;
        Ok(StagedPart { rows: self.rows as u64, bytes: self.file.into_inner()? })
    }
}

/// Whether, by the look of its first rows, a column has more values than a dictionary should.
///
/// Of n values that are drawn from N, n²/2N or so come again (the birthday rule). Values that stand one after the other
/// count once, since the order of a source's records says nothing about how many values there are.
fn has_too_many_values(column: &ArrayRef) -> bool {
    const RUNS_MIN: usize = 128;
    let data = column.to_data();
    let mut runs: Vec<&[u8]> = match (column.as_string_view_opt(), column.data_type().primitive_width()) {
        (Some(texts), _) => texts.iter().flatten().map(str::as_bytes).collect(),
        (None, Some(width)) => data.buffers().iter().flat_map(|buffer| buffer.as_slice().chunks_exact(width)).collect(),
        (None, None) => return false,
    };
    runs.dedup();
    let drawn = runs.len();
    runs.sort_unstable();
    runs.dedup();
    let again = drawn - runs.len();
    drawn >= RUNS_MIN && again * 2 * DICTIONARY_VALUES < drawn * drawn
}

/// Reads the rows of a part.
///
/// An error means that the bytes are not those of a part.
pub fn read(
    bytes: Vec<u8>,
) -> std::result::Result<impl Iterator<Item = std::result::Result<RecordBatch, String>>, String> {
    let bytes = bytes::Bytes::from(bytes);
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(|builder| builder.with_batch_size(8192).build())
        .map_err(|error| error.to_string())?;
    Ok(reader.map(|batch| batch.map_err(|error| error.to_string())))
}

#[cfg(test)]
mod tests {
    use arrow_array::types::{Decimal128Type, Int64Type, TimestampMicrosecondType};
    use arrow_array::{Decimal128Array, Int16Array, StringViewArray};

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
        let batch = batches[0].column(2).as_string::<i32>();
        assert_eq!((batch.value(0), batch.value(1)), ("b1", "b1"));
        assert_eq!(batches[0].column(3).as_primitive::<Int64Type>().values()[..], [10, 99]);
        assert_eq!(batches[0].column(4).as_primitive::<TimestampMicrosecondType>().values()[..], [5, 5]);
        assert_eq!(batches[0].num_columns(), 5);
    }

    #[test]
    fn every_row_group_has_its_lineage() {
        let lineage = Lineage { names: ["b", "o", "t"], batch: "b1".to_owned(), time: -5 };
        let mut writer = PartWriter::new(&[("number".to_owned(), Type::Smallint, false)], lineage);
        let rows = 2 * ROW_GROUP_ROWS + 300;
        for start in (0..rows).step_by(700) {
            let offsets: Vec<u64> = (start..rows.min(start + 700)).map(|row| row as u64).collect();
            let numbers = Int16Array::from_value(7, offsets.len());
            assert!(writer.write(vec![Arc::new(numbers)], &offsets).is_none());
        }
        let part = writer.finish().unwrap();
        assert_eq!(part.rows, rows as u64);
        let mut next = 0;
        for batch in read(part.bytes).unwrap().map(Result::unwrap) {
            assert!(batch.column(1).as_string::<i32>().iter().all(|text| text == Some("b1")));
            assert!(batch.column(3).as_primitive::<TimestampMicrosecondType>().values().iter().all(|&time| time == -5));
            let offsets = batch.column(2).as_primitive::<Int64Type>().values();
            assert!(offsets.iter().copied().eq(next..next + batch.num_rows() as i64));
            next += batch.num_rows() as i64;
        }
        assert_eq!(next, rows as i64);
    }

    #[test]
    fn a_dictionary_is_for_few_values() {
        let column =
            |value: fn(i64) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..1024).map(value))) };
        // Scattered over so many values.
        assert!(has_too_many_values(&column(|row| row * 7_919 % 1_000_003)));
        assert!(!has_too_many_values(&column(|row| row * 7_919 % 1_009 % 500)));
        // In order, several rows a value.
        assert!(has_too_many_values(&column(|row| row / 4)));
        assert!(!has_too_many_values(&column(|_| 5)));
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        assert_eq!(part(), part());
    }
}
