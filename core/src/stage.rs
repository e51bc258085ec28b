//! Stage: accepted rows in, staged files out. The same rows in the same order give the same bytes.

pub mod csv;
pub mod parquet;

use arrow_array::ArrayRef;
use arrow_array::RecordBatch;

use crate::spec::Choice;
use crate::types::Type;

/// A part is closed when it has this many bytes. It is held in memory; Redshift reads files below 128 MB with one slice
/// each, and likes several of them.
pub(crate) const PART_BYTES: usize = 32 * 1024 * 1024;

/// How parts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Parquet.
    Parquet,
    /// Separated values as COPY reads them.
    Csv,
}

/// The formats, as the pipeline file names them.
pub(crate) const FORMATS: Choice<Format> = Choice(&[
    ("parquet", "small and typed", Format::Parquet),
    (
        "csv",
        "separated values: any tool reads them; a text `\\N` is rejected, since COPY takes it for NULL",
        Format::Csv,
    ),
]);

impl Format {
    /// What the name of a part ends with.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// A staged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedPart {
    /// Rows in it.
    pub rows: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The lineage of a batch's rows, written as columns: a load needs them also where the target keeps none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The names of the columns: batch, offset, time.
    pub names: [&'static str; 3],
    /// The batch's id.
    pub batch: String,
    /// Microseconds since 1970, UTC.
    pub time: i64,
}

/// Writes batches of rows into parts of either format.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a task")]
pub enum PartWriter {
    /// Parquet.
    Parquet(parquet::PartWriter),
    /// Separated values.
    Csv(csv::PartWriter),
}

impl PartWriter {
    /// A writer of parts with these columns: name, type, and whether NULL is refused.
    pub fn new(format: Format, columns: &[(String, Type, bool)], lineage: Lineage) -> Self {
        match format {
            Format::Parquet => Self::Parquet(parquet::PartWriter::new(columns, lineage)),
            Format::Csv => Self::Csv(csv::PartWriter::new(columns, lineage)),
        }
    }

    /// The writer with parts that are full from so many bytes, where batches have at most so many rows.
    #[must_use]
    pub(crate) fn bounded(self, part_bytes: usize, batch_rows: usize) -> Self {
        match self {
            Self::Parquet(writer) => Self::Parquet(writer.bounded(part_bytes, batch_rows)),
            Self::Csv(writer) => Self::Csv(writer.bounded(part_bytes)),
        }
    }

    /// Adds rows, one array a column, and each row's offset; returns the parts that are full.
    pub fn write(&mut self, columns: Vec<ArrayRef>, offsets: &[u64]) -> Vec<StagedPart> {
        match self {
            Self::Parquet(writer) => writer.write(columns, offsets).into_iter().collect(),
            Self::Csv(writer) => writer.write(&columns, offsets),
        }
    }

    /// Ends the last part; none is open if no row was written since the last one.
    pub fn finish(&mut self) -> Option<StagedPart> {
        match self {
            Self::Parquet(writer) => writer.finish(),
            Self::Csv(writer) => writer.finish(),
        }
    }
}

/// The rows of a part.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, String>>>;

/// Reads the rows of a part with these columns; the lineage columns stand after them.
///
/// An error means that the bytes are not those of a part.
pub fn read(format: Format, columns: &[(String, Type, bool)], bytes: Vec<u8>) -> Result<Batches, String> {
    Ok(match format {
        Format::Parquet => Box::new(parquet::read(bytes)?),
        Format::Csv => Box::new(csv::read(bytes, columns)),
    })
}
