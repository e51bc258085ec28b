//! Place: where the objects of a pipeline lay when its store saw the first of them.
//!
//! There an object is named by its key alone, as it always was. In every other bucket its name begins with the bucket, so that
//! two objects of one key are two sources.
//!
//! And home: the table of a pipeline that the store is of. On a machine another table of the same pipeline has a store of its
//! own, since plans, receipts and rejects are named by inputs, and an input is the same whatever table it is loaded into.

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
