//! Names: decides by the names of objects which of them are the input of a pipeline.

use glob::{MatchOptions, Pattern};

use crate::error::{Error, ErrorKind};

/// The characters that mean something in a pattern.
const WILD: [char; 3] = ['*', '?', '['];

/// All names that begin in one way, or those of them that a pattern matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// What stands before each name, and is no part of what is asked about it.
    place: String,
    prefix: String,
    patterns: Vec<Pattern>,
}

impl Names {
    /// The names that begin so.
    pub fn beginning(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..Self::default() }
    }

    /// The same names, each with a place before it.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Self { place: format!("{place}{}", self.place), prefix: format!("{place}{}", self.prefix), ..self }
    }

    /// The names that any of some patterns matches.
    pub(super) fn matching(patterns: Vec<String>) -> Result<Self, Error> {
        let literal = |pattern: &String| pattern.split(WILD).next().unwrap_or_default().to_owned();
        let mut prefix = patterns.first().map(literal).unwrap_or_default();
        while !patterns.iter().all(|pattern| pattern.starts_with(&prefix)) {
            prefix.pop();
        }
        Ok(Self { place: String::new(), prefix, patterns: patterns.into_iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// What every one of the names begins with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether an object of this name is one of them.
    pub fn include(&self, name: &str) -> bool {
        // A name that ends in a slash is what some tools write for an empty folder.
        let is_object = name.starts_with(&self.prefix) && !name.ends_with('/');
        let within = name.strip_prefix(&self.place).unwrap_or(name);
        is_object && (self.patterns.is_empty() || self.patterns.iter().any(|pattern| matches(pattern, within)))
    }
}

fn parse(text: String) -> Result<Pattern, Error> {
    Pattern::new(&text).map_err(|error| Error::new(ErrorKind::Refused, format!("{text}: {error}")))
}

fn matches(pattern: &Pattern, name: &str) -> bool {
    // As in a shell, a `*` does not go over a `/`, and a name that begins with a dot is hidden from it.
    let options =
        MatchOptions { require_literal_separator: true, require_literal_leading_dot: true, ..MatchOptions::new() };
    pattern.matches_with(name, options)
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
        let there = landing.at("s3://other/");
        assert_eq!(there.prefix(), "s3://other/in/");
        assert!(there.include("s3://other/in/a.csv") && !there.include("in/a.csv"));
        let there = matching(&["*.csv"]).unwrap().at("s3://other/");
        assert!(there.include("s3://other/a.csv") && !there.include("s3://other/in/a.csv"));
        let files = matching(&["in/*.csv", "in/late/?.csv"]).unwrap();
        assert_eq!(files.prefix(), "in/");
        assert!(files.include("in/a.csv") && files.include("in/late/b.csv"));
        assert!(!files.include("in/late/bb.csv") && !files.include("in/a.json"));
        let all = matching(&["in/**/*"]).unwrap();
        assert!(all.include("in/late/b.csv") && !all.include("in/.b.csv") && !all.include("in/.etalon/b.csv"));
        assert_eq!(matching(&["in/["]).unwrap_err().kind(), ErrorKind::Refused);
    }
}
