//! Source: the versions of an object, in the order in which they became the current one.
//!
//! An event only says *look*. Extract reads this record first, then the object, and writes the record on condition that it has
//! not changed. If the object's version is the last one in the record, there is nothing new; so an event that is doubled or
//! late changes nothing. Content that comes back is a version like any other. If only one version of an object may be loaded,
//! content that goes back to what is in the table counts as that version ([`Source::come_back`]).

use serde::Deserialize;
use serde::Serialize;

use crate::protocol::Document;

/// The versions of one object that a pipeline has met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The object's name.
    pub source: String,
    /// Its versions, in the order in which they were met. A version that has come back to what is in the table is in the list
    /// again.
    pub versions: Vec<SourceVersion>,
}

/// One version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceVersion {
    /// The input that it is.
    pub input: String,
    /// Its batch time, whichever run plans it.
    pub batch_time: i64,
}

/// How a version was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Met {
    /// The input that it is.
    pub input: String,
    /// How often this version has become the current one.
    pub meeting: u32,
    /// Its place among the object's versions, from 0: what is before it was current before.
    pub position: usize,
    /// Whether the record has changed and is to be kept.
    pub is_new: bool,
    /// The batch time that the version has.
    pub batch_time: i64,
}

impl Document for Source {
    const KIND: &'static str = "a record of an object's versions";
    const VERSION: u32 = 1;
}

impl Source {
    /// Meets the version that is current now; `input_of` says which input it is at each of its meetings. The batch times of an
    /// object's versions ascend in the order in which they are met, also where a late run meets a newer version with an older
    /// time of its own: which version replaces which depends on it.
    pub fn meet(&mut self, input_of: impl Fn(u32) -> String, batch_time: i64) -> Met {
        let mut meeting = 0;
        let mut input = input_of(1);
        while self.versions.iter().any(|version| version.input == input) {
            meeting += 1;
            if let Some(last) = self.versions.last().filter(|last| last.input == input) {
                let position = self.versions.len() - 1;
                let first = self.versions.iter().find(|version| version.input == input).unwrap_or(last);
                return Met { meeting, position, is_new: false, batch_time: first.batch_time, input };
            }
            input = input_of(meeting + 1);
        }
        let batch_time = self.add(&input, batch_time);
        Met { input, meeting: meeting + 1, position: self.versions.len() - 1, is_new: true, batch_time }
    }

    /// The object has the bytes that it had when it was met last, and was gone from the table meanwhile: it is met once more, as a
    /// version of its own.
    pub fn meet_again(&mut self, input_of: impl Fn(u32) -> String, batch_time: i64) -> Met {
        let is_met = |input: &String| self.versions.iter().any(|version| version.input == *input);
        let met = (1..).map(&input_of).take_while(is_met).count();
        let meeting = u32::try_from(met).unwrap_or(u32::MAX).saturating_add(1);
        let input = input_of(meeting);
        let batch_time = self.add(&input, batch_time);
        Met { input, meeting, position: self.versions.len() - 1, is_new: true, batch_time }
    }

    /// The object has the bytes of an earlier version again, and no version between is loaded: it counts as that version.
    pub fn come_back(&mut self, input: &str, batch_time: i64) {
        self.add(input, batch_time);
    }

    /// Adds a version as the current one, and gives its time.
    fn add(&mut self, input: &str, batch_time: i64) -> i64 {
        let latest = self.versions.last().map(|version| version.batch_time.saturating_add(1));
        let batch_time = latest.map_or(batch_time, |latest| latest.max(batch_time));
        self.versions.push(SourceVersion { input: input.to_owned(), batch_time });
        batch_time
    }

    /// Whether a version is the one that was met last; `input_of` says which input it is at each of its meetings.
    pub fn is_last(&self, input_of: impl Fn(u32) -> String) -> bool {
        let Some(last) = self.versions.last() else { return false };
        let is_met = |input: &String| self.versions.iter().any(|version| version.input == *input);
        (1..).map(input_of).take_while(is_met).any(|input| input == last.input)
    }

    /// Whether an input is the version that was met last.
    pub fn is_current(&self, input: &str) -> bool {
        self.versions.last().is_some_and(|last| last.input == input)
    }

    /// The inputs that were current before one, first met first.
    pub fn before<'a>(&'a self, input: &'a str) -> impl Iterator<Item = &'a str> {
        self.versions.iter().map(|version| version.input.as_str()).take_while(move |&before| before != input)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn meet(source: &mut Source, version: &str, batch_time: i64) -> (String, usize, bool, i64) {
        let met = source.meet(|meeting| format!("{version}{meeting}"), batch_time);
        (met.input, met.position, met.is_new, met.batch_time)
    }

    #[test]
    fn what_was_gone_is_met_again_with_the_same_bytes() {
        let mut source = Source::default();
        meet(&mut source, "a", 10);
        let met = source.meet_again(|meeting| format!("a{meeting}"), 5);
        assert_eq!((met.input.as_str(), met.meeting, met.position, met.batch_time), ("a2", 2, 1, 11));
        assert_eq!(meet(&mut source, "a", 12), ("a2".to_owned(), 1, false, 11));
    }

    #[test]
    fn content_that_comes_back_is_met_again() {
        let mut source = Source::default();
        assert_eq!(meet(&mut source, "a", 10), ("a1".to_owned(), 0, true, 10));
        assert_eq!(meet(&mut source, "a", 11), ("a1".to_owned(), 0, false, 10));
        assert!(source.is_last(|meeting| format!("a{meeting}")) && !source.is_last(|meeting| format!("b{meeting}")));
        assert_eq!(meet(&mut source, "b", 5), ("b1".to_owned(), 1, true, 11));
        assert_eq!(meet(&mut source, "a", 20), ("a2".to_owned(), 2, true, 20));
        assert_eq!(meet(&mut source, "a", 99), ("a2".to_owned(), 2, false, 20));
        assert_eq!(meet(&mut source, "b", 30), ("b2".to_owned(), 3, true, 30));
        assert_eq!(meet(&mut source, "a", 40), ("a3".to_owned(), 4, true, 40));
        assert!(source.is_current("a3") && !source.is_current("a1"));
        assert_eq!(source.before("b2").collect::<Vec<_>>(), ["a1", "b1", "a2"]);
    }

    #[test]
    fn what_comes_back_to_what_is_loaded_is_that_version() {
        let mut source = Source::default();
        meet(&mut source, "a", 10);
        meet(&mut source, "b", 20);
        source.come_back("a1", 15);
        assert_eq!(meet(&mut source, "a", 30), ("a1".to_owned(), 2, false, 10));
        assert!(source.is_last(|meeting| format!("a{meeting}")) && source.is_current("a1"));
        assert_eq!(meet(&mut source, "b", 40), ("b2".to_owned(), 3, true, 40));
        assert_eq!(meet(&mut source, "a", 50), ("a2".to_owned(), 4, true, 50));
        assert!(source.versions.windows(2).all(|pair| pair[0].batch_time < pair[1].batch_time));
    }

    proptest! {
        /// However often and however late somebody is told to look: the record has each stretch of one content once, in the
        /// order in which they were there, each as another input, and its times ascend.
        #[test]
        fn looking_twice_changes_nothing(looks in proptest::collection::vec((0..3_u8, 1..4_usize, 0..9_i64), 0..20)) {
            let mut source = Source::default();
            let mut contents: Vec<u8> = Vec::new();
            for (content, times, batch_time) in looks {
                if contents.last() != Some(&content) {
                    contents.push(content);
                }
                for _ in 0..times {
                    let met = source.meet(|meeting| format!("{content} {meeting}"), batch_time);
                    prop_assert_eq!(met.position + 1, contents.len());
                    let so_far = contents.iter().filter(|&&other| other == content).count();
                    prop_assert_eq!(met.meeting as usize, so_far);
                    prop_assert!(source.is_current(&met.input));
                }
            }
            let met: Vec<u8> = source.versions.iter().map(|version| version.input.as_bytes()[0] - b'0').collect();
            prop_assert_eq!(met, contents);
            let inputs: BTreeSet<&str> = source.versions.iter().map(|version| version.input.as_str()).collect();
            prop_assert_eq!(inputs.len(), source.versions.len());
            prop_assert!(source.versions.windows(2).all(|pair| pair[0].batch_time < pair[1].batch_time));
        }
    }
}
