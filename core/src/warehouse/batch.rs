//! Batch: what one load brings, and what became of its rows.

/// One batch that a load brings: a row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBatch {
    /// What may be loaded once.
    pub input: String,
    /// The batch.
    pub batch: String,
    /// Raised by backfill and redrive only.
    pub generation: u32,
    /// The object's name.
    pub source: String,
    /// The object's version.
    pub source_version: String,
    /// The digest of the object's bytes, not compressed; its version where nobody has made one; empty where nobody knows.
    pub content: String,
    /// The pipeline's name: what it may replace is what it has brought.
    pub pipeline: String,
    /// The pipeline's fingerprint.
    pub fingerprint: String,
    /// Microseconds since 1970, UTC.
    pub batch_time: i64,
    /// Staged rows.
    pub staged: u64,
    /// Whether rows of earlier versions of the same source are deleted first (`on_overwrite: replace`).
    pub replaces_source: bool,
    /// Whether rows of earlier generations of the same input are deleted first (a backfill).
    pub replaces_generations: bool,
    /// The inputs of the source's other versions, where it replaces them: in a ledger of before pipelines had names in it, they
    /// are this pipeline's.
    pub versions: Vec<String>,
}

impl LoadBatch {
    /// The batch of a load at which what it removes is counted: the first that takes the place of another.
    pub(crate) fn first_replacing(batches: &[Self]) -> &str {
        batches.iter().find(|batch| batch.replaces()).map_or("", |batch| &batch.batch)
    }

    /// Whether rows that are there are deleted first.
    pub fn replaces(&self) -> bool {
        self.replaces_source || self.replaces_generations
    }

    /// What tells the object's contents from others. A store calls a version by a digest of its own kind, which an equal object
    /// has, too; a compressed copy has the digest of the bytes alone.
    pub fn digests(&self) -> impl Iterator<Item = &str> {
        let version = Some(&self.source_version).filter(|version| **version != self.content);
        [Some(&self.content), version].into_iter().flatten().map(String::as_str).filter(|digest| !digest.is_empty())
    }
}

/// What became of the staged rows: `staged = inserted + updated + unchanged + deduplicated + superseded + deleted`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LoadCounts {
    /// Rows that were staged.
    pub staged: u64,
    /// Rows whose key was new, or every row of an append.
    pub inserted: u64,
    /// Rows that took the place of an older version.
    pub updated: u64,
    /// Rows equal, in every column of the pipeline, to the row that is there.
    pub unchanged: u64,
    /// Rows dropped for another row of the same load.
    pub deduplicated: u64,
    /// Rows older than the row that is there.
    pub superseded: u64,
    /// Rows that deleted their key, whether it was there or not (`delete_when`).
    #[serde(default)]
    pub deleted: u64,
    /// Rows that earlier versions or generations had brought and that the load has removed. They are none of the staged ones.
    #[serde(default)]
    pub removed: u64,
}

impl LoadCounts {
    /// Whether every staged row is accounted for.
    pub fn balance(&self) -> bool {
        let outcomes = self.inserted + self.updated + self.unchanged + self.deduplicated;
        self.staged == outcomes + self.superseded + self.deleted
    }

    /// Adds the counts of another batch.
    pub fn add(&mut self, other: Self) {
        self.staged += other.staged;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.deduplicated += other.deduplicated;
        self.superseded += other.superseded;
        self.deleted += other.deleted;
        self.removed += other.removed;
    }
}
