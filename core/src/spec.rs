//! Spec: the engine that reads a pipeline file. It knows YAML, texts with their places, and how rows describe a mapping, but no
//! key of the file. The code that uses a key describes it in a row: a key with its documentation, form and default, a word with
//! its documentation and value. The check, the value that is read, the reference page, the JSON Schema and the words of the
//! identity are all made from the same rows.
//!
//! `yaml` gives a tree, a `Mapping` reads it through `Keys`. All mistakes of form are reported, and what can be read is
//! returned beside them.

mod text;
mod yaml;
mod form;
pub(crate) mod placeholder;
mod outline;
mod reader;
mod shape;
mod keys;
mod short;
mod kinds;
mod named;
mod tree;
mod reference;
mod schema;

use crate::diagnostic::{Code, Diagnostic, Span};

pub(crate) use form::{
    AnyText, Boolean, Character, CharacterOrNone, Choice, Expression, Form, Hint, Mismatch, Placed, Regex, Whole,
};
pub(crate) use keys::{Keys, Mapping};
pub(crate) use kinds::{Kind, Kinds};
pub use named::Item;
pub(crate) use named::Named;
pub use placeholder::{Filled, Placeholder};
pub(crate) use reader::Word;
pub(crate) use reference::reference;
pub(crate) use schema::json_schema;
pub(crate) use shape::{List, OneOrMany};
pub(crate) use short::{InShort, ShortFor, TextOrMapping};
pub use text::Text;
pub use tree::Tree;
pub(crate) use tree::{AnyMapping, is_asking};
pub(crate) use yaml::Entry;

/// A thing and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The thing.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// What was read from a file.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    /// What can be made of it; `None` where it is no mapping at all.
    pub(crate) value: Option<T>,
    /// Every mistake of form, in the order of the file.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What the file says beside the defaults, in the order of the rows.
    pub(crate) words: Vec<Word>,
}

/// Reads a file whose root is a mapping.
pub(crate) fn read<T>(source: &str, root: &Mapping<T>) -> Reading<T> {
    let (tree, diagnostics) = yaml::parse(source);
    let mut reader = reader::Reader::new(diagnostics);
    let value = tree.and_then(|tree| root.read_root(&mut reader, &tree));
    let (mut diagnostics, words) = reader.finish();
    diagnostics.sort_by_key(|diagnostic| diagnostic.span);
    let is_unknown = |one: &&mut Diagnostic| {
        one.code == Code::UnknownKey && one.help.as_ref().is_some_and(|help| help.starts_with(keys::KEYS_HERE))
    };
    for unknown in diagnostics.iter_mut().filter(is_unknown) {
        let key = source.get(unknown.span.start..unknown.span.end).unwrap_or_default();
        let homes = root.outline().homes(key);
        if !homes.is_empty() {
            unknown.help = Some(format!("it is a key of {}", homes.join(", of ")));
        }
    }
    Reading { value, diagnostics, words }
}
