//! Copy: what Redshift's COPY is told about staged parts.

/// Where Redshift finds staged parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySource {
    /// The manifest: `s3://bucket/key`.
    pub manifest: String,
    /// The role that reads it: `arn:aws:iam::…:role/…`.
    pub iam_role: String,
    /// How the parts are written.
    pub format: CopyFormat,
}

/// How staged parts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyFormat {
    /// Parquet.
    Parquet,
    /// Separated values as `stage` writes them.
    Csv,
}
