//! Files: paths and globs, relative to the pipeline file.
//!
//! The name of a file is the path by which the pattern finds it, with `/` between its parts and without parts that have no
//! effect: `./in//a.csv` is `in/a.csv`. As in a shell, `*` and `?` do not match a `/`, `**` stands for any number of folders,
//! and none of them matches a name that begins with a dot.

use crate::diagnostic::Code;
use crate::error::Error;
use crate::spec::{Form, Keys, Mismatch, OneOrMany, Text};

use super::{Location, Names};

/// What the kind is called, in a pipeline file and in the identity of an input.
pub(crate) const KIND: &str = "files";

pub(super) fn key(keys: &mut Keys<'_>) -> Option<Location> {
    let paths = keys.optional(KIND, OneOrMany(Path), "Paths or globs, relative to the pipeline file.");
    paths.map(Location::Files)
}

/// A path or glob.
struct Path;

impl Form for Path {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a path"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Text, Mismatch> {
        if text.text.trim().is_empty() {
            return Err(Mismatch::new(Code::WrongValue, "a path is an empty text"));
        }
        Ok(text.clone())
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// The files that match any of the patterns. A pattern that cannot be read is refused.
pub fn names(patterns: &[String]) -> Result<Names, Error> {
    Names::matching(patterns.iter().map(|pattern| plain(pattern)).collect())
}

/// A path without parts that lead nowhere.
fn plain(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_lead_nowhere_are_left_out() {
        for (path, expected) in
            [("./in//a.csv", "in/a.csv"), ("/data/./x", "/data/x"), ("../in/*.csv", "../in/*.csv"), (".", "")]
        {
            assert_eq!(plain(path), expected);
        }
    }
}
