//! Names: which objects are the input of a pipeline, told by their names alone.

use glob::{MatchOptions, Pattern};

use crate::error::{Error, ErrorKind};

/// The characters that mean something in a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// All names that begin in one way, or those of them that a pattern matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    prefix: String,
    patterns: Vec<Path>,
}

/// A pattern, and its parts between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    text: String,
    whole: Pattern,
    parts: Vec<Pattern>,
}

impl Names {
    /// The names that begin so.
    pub fn beginning(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), patterns: Vec::new() }
    }

    /// The names that any of some patterns matches.
    pub(super) fn matching(patterns: Vec<String>) -> Result<Self, Error> {
        let literal = |pattern: &String| pattern.split(WILD).next().unwrap_or_default().to_owned();
        let mut prefix = patterns.first().map(literal).unwrap_or_default();
        while !patterns.iter().all(|pattern| pattern.starts_with(&prefix)) {
            prefix.pop();
        }
        Ok(Self { prefix, patterns: patterns.into_iter().map(Path::parse).collect::<Result<_, _>>()? })
    }

    /// What every one of the names begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether an object of this name is one of them.
    pub fn include(&self, name: &str) -> bool {
        // A name that ends in a slash is what some tools write for an empty folder.
        let is_object = name.starts_with(&self.prefix) && !name.ends_with('/');
        is_object && (self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(name)))
    }

    /// Whether any of the names may lie below a folder, which is named without a slash at its end.
    pub fn may_lie_below(&self, folder: &str) -> bool {
        let folder = format!("{folder}/");
        let is_on_the_way = self.prefix.starts_with(&folder) || folder.starts_with(&self.prefix);
        is_on_the_way && (self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.leads_into(&folder)))
    }

    /// The patterns that are names themselves, and none of these names.
    pub fn lacking<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let is_name = |path: &&Path| !path.text.contains(WILD);
        self.patterns.iter().filter(is_name).map(|path| path.text.as_str()).filter(|text| !names.contains(text))
    }
}

impl Path {
    fn parse(text: String) -> Result<Self, Error> {
        let pattern =
            |part: &str| Pattern::new(part).map_err(|error| Error::new(ErrorKind::Refused, format!("{text}: {error}")));
        let (whole, parts) = (pattern(&text)?, text.split('/').map(pattern).collect::<Result<_, _>>()?);
        Ok(Self { whole, parts, text })
    }

    fn matches(&self, name: &str) -> bool {
        // As in a shell, a `*` does not go over a `/`.
        self.whole.matches_with(name, MatchOptions { require_literal_separator: true, ..MatchOptions::new() })
    }

    /// Whether what it matches may lie below a folder, which ends in a slash.
    fn leads_into(&self, folder: &str) -> bool {
        let mut parts = self.parts.iter();
        let mut folders = folder.split_terminator('/');
        loop {
            match (parts.next(), folders.next()) {
                (Some(part), _) if part.as_str() == "**" => return true,
                (Some(part), Some(folder)) if part.matches(folder) => {}
                (part, folder) => return part.is_some() && folder.is_none(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(patterns: &[&str]) -> Result<Names, Error> {
        Names::matching(patterns.iter().map(|&pattern| pattern.to_owned()).collect())
    }

    #[test]
    fn objects_are_told_by_their_names() {
        let landing = Names::beginning("in/");
        assert!(landing.include("in/a.csv") && landing.include("in/2026/a.csv"));
        assert!(!landing.include("out/a.csv") && !landing.include("in/2026/"));
        let files = matching(&["in/*.csv", "in/late/?.csv"]).unwrap();
        assert_eq!(files.prefix(), "in/");
        assert!(files.include("in/a.csv") && files.include("in/late/b.csv"));
        assert!(!files.include("in/late/bb.csv") && !files.include("in/a.json"));
        assert_eq!(matching(&["in/["]).unwrap_err().kind(), ErrorKind::Refused);
    }

    #[test]
    fn folders_are_entered_only_where_a_name_may_lie_below() {
        let landing = Names::beginning("in/20");
        assert!(["in", "in/2026", "in/2026/11"].iter().all(|folder| landing.may_lie_below(folder)));
        assert!(["out", "in/1999", "i"].iter().all(|folder| !landing.may_lie_below(folder)));
        let files = matching(&["in/*/a.csv", "in/late/**/?.csv", "x.csv"]).unwrap();
        assert!(["in", "in/2026", "in/late", "in/late/a/b/c"].iter().all(|folder| files.may_lie_below(folder)));
        assert!(["out", "x.csv", "in/2026/11"].iter().all(|folder| !files.may_lie_below(folder)));
        let absolute = matching(&["/data/*.csv"]).unwrap();
        assert!(
            absolute.may_lie_below("/data") && !absolute.may_lie_below("data") && !absolute.may_lie_below("/data/x")
        );
    }

    #[test]
    fn what_is_named_and_not_there_is_told() {
        let files = matching(&["in/*.csv", "a.csv", "b.csv"]).unwrap();
        assert_eq!(files.lacking(&["a.csv"]).collect::<Vec<_>>(), ["b.csv"]);
    }
}
