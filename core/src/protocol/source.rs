//! Source: the versions of an object, in the order in which they were met.

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::Document;

/// The versions of one object that a pipeline has met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The object's name.
    pub source: String,
    /// Its versions, first met first.
    pub versions: Vec<SourceVersion>,
}

/// One version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceVersion {
    /// The input that it is.
    pub input: String,
    /// The batch time that it has, whoever plans it.
    pub batch_time: i64,
}

/// How a version was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// Whether the record has changed and is to be kept.
    pub is_new: bool,
    /// Whether another version was there before.
    pub overwrites: bool,
    /// The batch time that the version has.
    pub batch_time: i64,
}

impl Document for Source {
    const KIND: &'static str = "a record of an object's versions";
    const VERSION: u32 = 1;
}

impl Source {
    /// Meets a version. The batch times of an object's versions ascend in the order in which they are met, also where a
    /// late run meets a newer version with an older time of its own: which version replaces which depends on it.
    pub fn meet(&mut self, input: &str, batch_time: i64) -> Met {
        if let Some(position) = self.versions.iter().position(|version| version.input == input) {
            let batch_time = self.versions.get(position).map_or(batch_time, |version| version.batch_time);
            return Met { is_new: false, overwrites: position > 0, batch_time };
        }
        let latest = self.versions.last().map(|version| version.batch_time.saturating_add(1));
        let batch_time = latest.map_or(batch_time, |latest| latest.max(batch_time));
        let overwrites = latest.is_some();
        self.versions.push(SourceVersion { input: input.to_owned(), batch_time });
        Met { is_new: true, overwrites, batch_time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_keep_the_order_in_which_they_were_met() {
        let mut source = Source::default();
        assert_eq!(source.meet("a", 10), Met { is_new: true, overwrites: false, batch_time: 10 });
        assert_eq!(source.meet("b", 5), Met { is_new: true, overwrites: true, batch_time: 11 });
        assert_eq!(source.meet("c", 20), Met { is_new: true, overwrites: true, batch_time: 20 });
        assert_eq!(source.meet("b", 99), Met { is_new: false, overwrites: true, batch_time: 11 });
        assert_eq!(source.meet("a", 99), Met { is_new: false, overwrites: false, batch_time: 10 });
    }
}
