//! Form: how a result is written, and a failure.

use clap::ValueEnum;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Form {
    /// For people
    #[default]
    Table,
    /// One JSON document; errors are JSON too, on standard error
    Json,
    /// Comma-separated values with a header
    Csv,
}
