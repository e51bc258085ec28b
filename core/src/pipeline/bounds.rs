//! Bounds: how much is read, held and written at once. They are the same for all pipelines; tests have small ones, so that a
//! few rows reach them.

use crate::plan::RANGE_BYTES;
use crate::stage::PART_BYTES;

/// Most records of a batch.
const BATCH_ROWS_MAX: usize = 8 * 1024;
/// Quarantine is handed out in pieces of about this many bytes.
const QUARANTINE_BYTES: usize = 4 * 1024 * 1024;

/// How much is read, held and written at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of a range, where an object can be cut.
    pub range_bytes: u64,
    /// Records of a batch.
    pub batch_rows: usize,
    /// Bytes from which a staged part is full.
    pub part_bytes: usize,
    /// Bytes from which a piece of quarantine is full.
    pub quarantine_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            range_bytes: RANGE_BYTES,
            batch_rows: BATCH_ROWS_MAX,
            part_bytes: PART_BYTES,
            quarantine_bytes: QUARANTINE_BYTES,
        }
    }
}
