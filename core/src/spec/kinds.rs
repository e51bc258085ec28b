//! Kinds: the choice of one of several kinds, each of which may have keys of its own.

use super::form::{Hint, unknown_word};
use super::keys::{Keys, Mapping, Owner};
use super::outline::{FormOutline, Outline};
use super::reader::Reader;
use super::shape::Shape;
use super::text::Text;
use super::yaml::{self, Node, Scalar};

/// One of several kinds of a thing: its word, or its word as a key with its mapping.
pub(crate) struct Kinds<T: 'static> {
    /// The title of the mapping in the reference.
    pub(crate) title: &'static str,
    /// One sentence: what it says.
    pub(crate) doc: &'static str,
    /// The kinds.
    pub(crate) kinds: &'static [Kind<T>],
}

/// A kind of a thing.
pub(crate) struct Kind<T: 'static> {
    /// Its word.
    pub(crate) word: &'static str,
    /// What it is, as the end of a sentence.
    pub(crate) doc: &'static str,
    /// What else can be said of it.
    pub(crate) mapping: Mapping<T>,
}

impl<T> Kinds<T> {
    /// The mapping with a key for each kind, of which exactly one must be there.
    fn read_keys(&self, keys: &mut Keys<'_>) -> Option<T> {
        let mut found = None;
        for kind in self.kinds {
            let value = keys.kind(kind.word, &kind.mapping, kind.doc);
            found = found.or(value);
        }
        keys.needs_one_of(self.kinds.iter().map(|kind| kind.word).collect());
        found
    }

    fn form(&self) -> FormOutline {
        let words = self.kinds.iter().map(|kind| (kind.word, kind.doc)).collect();
        FormOutline { noun: "a word", hint: Hint::Words(words), is_code: false }
    }
}

impl<T> Shape for Kinds<T> {
    type Value = T;

    fn outline(&self) -> Outline {
        let mut keys = Keys::unsaid();
        self.read_keys(&mut keys);
        Outline::Either(self.form(), keys.into_outline(self.title, self.doc, false))
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<T> {
        match &node.kind {
            yaml::Kind::Scalar(Scalar { text, .. }) => {
                let Some(kind) = self.kinds.iter().find(|kind| kind.word == text.text) else {
                    let mismatch = unknown_word(&key.text, &text.text, self.kinds.iter().map(|kind| kind.word));
                    reader.mismatch(mismatch, text);
                    return None;
                };
                reader.say(kind.word);
                Some(reader.under(kind.word, |reader| kind.mapping.read_entries(reader, Owner::key(text), &[])))
            }
            yaml::Kind::Mapping(entries) => Keys::read(reader, Owner::key(key), entries, |keys| self.read_keys(keys)),
            yaml::Kind::Empty | yaml::Kind::List(_) => {
                reader.wrong_kind(&self.outline(), key, node);
                None
            }
        }
    }
}
