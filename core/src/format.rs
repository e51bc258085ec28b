//! Format: bytes in, records out. A reader says which bytes it needs; whoever drives it pushes them.
//!
//! A range owns the records whose first byte lies in it. Header, records, blank and comment lines and declared skips tile
//! the decoded bytes of the range; [`Coverage`] counts them.
//!
//! Each format has a room of its own; the reader, and what it reads through, serve all of them.

use std::ops::Range;

use crate::receipt::Coverage;
use crate::records::Records;

mod reader;
mod inflow;
mod compression;
mod scan;
mod batch;
mod csv;
mod jsonl;

pub use compression::Compression;
pub use csv::CsvFormat;
pub use reader::Reader;

/// How an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Separated values.
    Csv(CsvFormat),
    /// JSON Lines: one object a line.
    Jsonl,
}

/// What happens to fields that the pipeline does not declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// They are left out; records that have them are counted.
    Ignore,
    /// Their records are rejected.
    Quarantine,
    /// The object is held.
    Fail,
}

/// Everything that a reader must know beside the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// How the object is written.
    pub format: Format,
    /// How it is compressed.
    pub compression: Compression,
    /// The declared fields' names in the object, in the pipeline's order.
    pub fields: Vec<String>,
    /// What happens to others.
    pub contract: Contract,
    /// Most records of a batch.
    pub batch_rows_max: usize,
    /// Most bytes of a record; a longer one is a reject.
    pub record_bytes_max: usize,
    /// Bytes to ask for at a time.
    pub chunk_bytes: usize,
}

impl ReadOptions {
    /// Whether an object that is written so can be cut into ranges: a line end always ends a record, and a stored byte is
    /// a decoded one.
    pub fn is_cuttable(&self) -> bool {
        let lines = match &self.format {
            Format::Csv(csv) => !csv.newlines_in_values,
            Format::Jsonl => true,
        };
        lines && self.compression == Compression::None
    }
}

/// What a reader needs, or has.
#[derive(Debug)]
pub enum ReadStep {
    /// Push the object's (stored) bytes from the range's start: all of it, or fewer; none only where the object ends early.
    NeedsData(Range<u64>),
    /// Some records.
    Records(Records),
    /// All records of the range are out.
    Finished {
        /// What the range's bytes turned out to be.
        coverage: Coverage,
        /// Why the object cannot be loaded as it is, where that is so: it ends early or is damaged.
        incomplete: Option<String>,
    },
}
