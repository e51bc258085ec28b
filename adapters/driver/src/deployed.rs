//! Deployed: the pipeline that a function was deployed with, and the ones that earlier inputs were planned with.

use std::borrow::Cow;

use etalon_core::error::{Error, ErrorKind};
use etalon_core::pipeline::Pipeline;
use etalon_core::protocol::name;

use glob::{MatchOptions, Pattern};

use crate::ports::Objects;
use crate::store::put_once;

/// The pipeline that is deployed, with its `${…}` resolved, and its file as it was written.
#[derive(Debug, Clone)]
pub struct Deployed {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its file.
    pub text: String,
    /// Which objects are its input.
    pub inputs: Inputs,
}

/// Which objects are the input of a pipeline: all that begin so, or those of them that a pattern matches.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// What every name begins with.
    pub prefix: String,
    /// Where there are patterns, one of them matches the name.
    pub patterns: Vec<Pattern>,
}

impl Inputs {
    /// The objects whose names begin so.
    pub fn beginning(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), patterns: Vec::new() }
    }

    /// The objects that match any of some paths or globs.
    pub fn matching(patterns: &[String]) -> Result<Self, Error> {
        let literal = |pattern: &String| pattern.split(['*', '?', '[']).next().unwrap_or_default().to_owned();
        let mut prefix = patterns.first().map(literal).unwrap_or_default();
        while !patterns.iter().all(|pattern| pattern.starts_with(&prefix)) {
            prefix.pop();
        }
        let compile = |pattern: &String| {
            Pattern::new(pattern).map_err(|error| Error::new(ErrorKind::Refused, format!("{pattern}: {error}")))
        };
        Ok(Self { prefix, patterns: patterns.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether an object of this name is one of them.
    pub fn include(&self, name: &str) -> bool {
        // As in a shell, a `*` does not go over a `/`.
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let matches = |pattern: &Pattern| pattern.matches_with(name, options);
        // A name that ends in a slash is what some tools write for an empty folder.
        let is_object = name.starts_with(&self.prefix) && !name.ends_with('/');
        is_object && (self.patterns.is_empty() || self.patterns.iter().any(matches))
    }
}

impl Deployed {
    /// The pipeline of a fingerprint: this one, or the kept file of another.
    ///
    /// A kept file decides what rows are; where they go, the deployment decides: names of tables may differ between
    /// environments, and the kept file does not know in which one it is.
    pub async fn pipeline(&self, store: &impl Objects, fingerprint: &str) -> Result<Cow<'_, Pipeline>, Error> {
        if self.pipeline.fingerprint == fingerprint {
            return Ok(Cow::Borrowed(&self.pipeline));
        }
        let place = name::pipeline(fingerprint);
        let bytes = store.get(&place).await?;
        let compiled = Pipeline::compile(&String::from_utf8_lossy(&bytes));
        let (mut pipeline, _) = compiled.map_err(|diagnostics| {
            let first = diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default();
            Error::new(ErrorKind::Refused, format!("{place} is no pipeline any more: {first}"))
        })?;
        pipeline.table.schema.clone_from(&self.pipeline.table.schema);
        pipeline.table.name.clone_from(&self.pipeline.table.name);
        Ok(Cow::Owned(pipeline))
    }

    /// Keeps the file under its fingerprint.
    pub async fn keep(&self, store: &impl Objects) -> Result<(), Error> {
        put_once(store, &name::pipeline(&self.pipeline.fingerprint), self.text.as_bytes()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_by_their_names() {
        let landing = Inputs::beginning("in/");
        assert!(landing.include("in/a.csv") && landing.include("in/2026/a.csv"));
        assert!(!landing.include("out/a.csv") && !landing.include("in/2026/"));
        let files = Inputs::matching(&["in/*.csv".to_owned(), "in/late/?.csv".to_owned()]).unwrap();
        assert_eq!(files.prefix, "in/");
        assert!(files.include("in/a.csv") && files.include("in/late/b.csv"));
        assert!(!files.include("in/late/bb.csv") && !files.include("in/a.json"));
        assert!(Inputs::matching(&["in/[".to_owned()]).is_err());
    }
}
