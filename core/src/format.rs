//! Format: bytes in, records out. A reader says which bytes it needs; its driver pushes them.
//!
//! A range owns the records whose first byte lies in it. Header, records, blank and comment lines and declared skips tile
//! the decoded bytes of the range; [`Coverage`] counts them.
//!
//! Each format has a folder of its own; all formats share the reader, decompression and encodings.
//!
//! ```
//! use etalon_core::format::{Compression, Contract, CsvFormat, Expansion, Format, ReadOptions, ReadStep, Reader};
//!
//! let options = ReadOptions {
//!     format: Format::Csv(CsvFormat::default()),
//!     compression: Some(Compression::None),
//!     compression_by_name: Compression::None,
//!     expansion: Expansion::default(),
//!     encoding: None,
//!     fields: vec!["name".to_owned()],
//!     optional: Vec::new(),
//!     contract: Contract::Ignore,
//!     batch_rows_max: 8_192,
//!     record_bytes_max: 1 << 20,
//!     chunk_bytes: 1 << 16,
//! };
//! let bytes = b"id,name\n1,Ada\n2,Grace\n";
//! let mut reader = Reader::new(options, bytes.len() as u64, 0..bytes.len() as u64);
//! let mut names = Vec::new();
//! let coverage = loop {
//!     match reader.step()? {
//!         ReadStep::NeedsData(range) => reader.push(&bytes[range.start as usize..range.end as usize]),
//!         ReadStep::Records(records) => {
//!             names.extend((0..records.len()).map(|row| records.bytes(records.cell(row, 0)).to_vec()));
//!         }
//!         ReadStep::Finished { coverage, .. } => break coverage,
//!     }
//! };
//! assert_eq!(names, [b"Ada".to_vec(), b"Grace".to_vec()]);
//! assert_eq!((coverage.header, coverage.records), (8, 14));
//! # Ok::<(), etalon_core::error::Error>(())
//! ```

use std::ops::Range;

use crate::receipt::Coverage;
use crate::records::Records;
use crate::spec::Choice;
use crate::spec::Kinds;

mod csv;
mod jsonl;
mod reader;
mod inflow;
mod decode;
mod decoded;
mod digest;
mod compression;
mod encoding;
mod sniff;
mod scan;
mod batch;
mod follow;

pub(crate) use compression::COMPRESSION;
pub(crate) use compression::CompressionSpec;
pub use compression::{Compression, Expansion};
pub use csv::CsvFormat;
pub use decoded::Decoded;
pub(crate) use encoding::ENCODINGS;
pub use encoding::Encoding;
pub use jsonl::JsonlFormat;
pub use reader::Reader;
use scan::Scanner;

/// How an object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Separated values.
    Csv(CsvFormat),
    /// JSON Lines: one object a line.
    Jsonl(JsonlFormat),
}

/// The formats, as the pipeline file names them.
pub(crate) const FORMATS: Kinds<Format> =
    Kinds { title: "format", doc: "How the objects are written, in detail.", kinds: &[csv::KIND, jsonl::KIND] };

/// The format of a file that names none, or a wrong one: nothing is read then, and its other mistakes are found. The pages of an
/// API land so, too.
pub(crate) const ANY: Format = Format::Jsonl(JsonlFormat);

/// How rows are written that have landed from a database: values that are quoted, so that none can be taken for another, and
/// NULL without quotes.
pub(crate) fn landed() -> Format {
    Format::Csv(CsvFormat::landed())
}

/// What a format says of itself: all that others ask of it.
trait FormatKind {
    /// Whether a line end always ends a record, so that an object can be cut where one stands.
    fn lines_are_records(&self) -> bool;

    /// Unquoted texts that mean NULL.
    fn nulls(&self) -> &[String] {
        &[]
    }

    /// Whether a value is JSON: a number may stand in a string, and a nested value is the text of its JSON.
    fn values_are_json(&self) -> bool {
        false
    }

    /// Whether the first record names the fields.
    fn has_header(&self) -> bool {
        false
    }

    /// What finds its records.
    fn scanner(&self, options: &ReadOptions) -> Box<dyn Scanner>;
}

impl Format {
    /// The kind of the format: the one place that tells formats apart.
    fn kind(&self) -> &dyn FormatKind {
        match self {
            Self::Csv(csv) => csv,
            Self::Jsonl(jsonl) => jsonl,
        }
    }

    /// Whether an object that is compressed and encoded so can be cut into ranges: a line end always ends a record, and a
    /// stored byte is a decoded one.
    pub(crate) fn is_cuttable(&self, compression: Compression, encoding: Option<Encoding>) -> bool {
        self.kind().lines_are_records() && compression == Compression::None && encoding.is_none()
    }

    /// Unquoted texts that mean NULL.
    pub fn nulls(&self) -> &[String] {
        self.kind().nulls()
    }

    /// Whether a value is JSON: a number may stand in a string, and a nested value is the text of its JSON.
    pub(crate) fn values_are_json(&self) -> bool {
        self.kind().values_are_json()
    }

    /// Whether the first record names the fields.
    pub fn has_header(&self) -> bool {
        self.kind().has_header()
    }
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

/// What can happen to such fields, as the pipeline file names it.
pub(crate) const CONTRACTS: Choice<Contract> = Choice(&[
    ("ignore", "they are left out, and counted", Contract::Ignore),
    ("quarantine", "their records are rejected", Contract::Quarantine),
    ("fail", "the object is held", Contract::Fail),
]);

/// Everything that a reader must know beside the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// How the object is written.
    pub format: Format,
    /// How it is compressed, where that is said; otherwise its first bytes tell.
    pub compression: Option<Compression>,
    /// How it is compressed by its name, for an object whose first bytes tell nothing.
    pub compression_by_name: Compression,
    /// What it may decode to, where it is compressed.
    pub expansion: Expansion,
    /// How its characters are written, where that is not UTF-8.
    pub encoding: Option<Encoding>,
    /// The declared fields' names in the object, in the pipeline's order.
    pub fields: Vec<String>,
    /// For each of them, whether a header may lack it; its values are NULL then. As long as `fields`, or shorter: the others
    /// must be there.
    pub optional: Vec<bool>,
    /// What happens to others.
    pub contract: Contract,
    /// Most records of a batch.
    pub batch_rows_max: usize,
    /// Most bytes of a record; a longer one is a reject.
    pub record_bytes_max: usize,
    /// Bytes to ask for at a time.
    pub chunk_bytes: usize,
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
