//! Stage: accepted rows in, staged files out. The same rows in the same order give the same bytes.

pub mod parquet;

pub use parquet::{PartWriter, StagedPart, read as read_part};
