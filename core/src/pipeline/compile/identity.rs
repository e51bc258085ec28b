//! Identity: a digest of everything in a file that can change output bytes (the fingerprint). It is made of the words of the
//! file, so that it does not depend on names in the code. A key that states its default value counts as if it were absent.
//!
//! All keys are part of it except those of [`NOT_IDENTITY`]. Only keys of that list may contain `${…}`.

use crate::plan;
use crate::spec::Word;

/// Raised when the engine may write other bytes for the same file: the Parquet writer, time-zone data, Unicode tables, or what
/// holds where a key is not said.
const ENGINE_EPOCH: u32 = 3;

/// The keys that change no output bytes; with each, all that stands under it.
const NOT_IDENTITY: &[&str] = &[
    // What the file is.
    "etalon",
    "pipeline",
    "description",
    // Which objects are read, and when; each object has its own identity.
    "source.files",
    "source.s3",
    "source.postgres",
    "source.mysql",
    "source.connector",
    "source.http",
    "source.on_overwrite",
    "schedule",
    "load_every",
    // What becomes of staged rows. `delete_when` is a column of them.
    "limits",
    "target.table",
    "target.write",
    "target.key",
    "target.order_by",
    "target.allow_empty",
    "target.sort_key",
    "target.dist_key",
];

/// What can change output bytes, as one name.
pub(super) fn fingerprint(words: &[Word]) -> String {
    let epoch = ENGINE_EPOCH.to_string();
    let words = words.iter().filter(|word| is_identity(&word.path));
    let parts = words.flat_map(|word| [word.path.as_str(), word.text.as_str()]);
    plan::identity("fingerprint", &["engine", &epoch].into_iter().chain(parts).collect::<Vec<_>>())
}

fn is_identity(path: &str) -> bool {
    let is_under = |key: &str| path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    !NOT_IDENTITY.iter().any(|key| is_under(key))
}
