//! Place: the bucket in which the objects of a pipeline were when its store saw the first of them.
//!
//! In this bucket the name of an object is its key, as in older versions. In every other bucket the name begins with the
//! bucket, so that two objects with the same key are two sources.
//!
//! Also home: the table to which the store belongs. On one machine another table of the same pipeline has a store of its own,
//! since plans, receipts and rejects are named by inputs, and an input is the same whatever table it is loaded into.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::Document;

/// Where the objects of a pipeline are named without their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The bucket: `s3://bucket/`.
    pub place: String,
}

impl Document for Place {
    const KIND: &'static str = "the place of a pipeline's objects";
    const VERSION: u32 = 1;
}

/// The table of a pipeline that a store is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The table, as it is named in the store.
    pub table: String,
}

impl Document for Home {
    const KIND: &'static str = "the table that a store is of";
    const VERSION: u32 = 1;
}
