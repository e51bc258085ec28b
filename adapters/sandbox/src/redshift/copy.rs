//! Copy: Redshift's COPY from S3.

use super::session::Answer;
use super::session::Failure;
use super::session::Session;
use super::words::Word;

/// A COPY as it was written.
#[derive(Debug)]
pub(super) struct Copy {}

impl Copy {
    pub(super) fn parse(_words: &[Word<'_>]) -> Result<Self, String> {
        Err("ERROR: not yet".to_owned())
    }
}

impl Session {
    pub(super) fn copy(&mut self, _copy: &Copy) -> Result<Answer, Failure> {
        Err(Failure::Error("ERROR: not yet".to_owned()))
    }
}
