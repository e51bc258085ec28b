//! Keys: a mapping as the rows of its keys. One function asks for the value of each key, with its form, its default and its
//! documentation. The same function both reads and describes the mapping, so that every key that is described is also read, in
//! the way that is described.

use super::form::list;
use super::outline::{KeyOutline, MappingOutline, Need, Outline};
use super::reader::Reader;
use super::shape::Shape;
use super::text::Text;
use super::yaml::{Entry, Kind, Node};
use crate::diagnostic::{Code, Diagnostic, Span, nearest};

/// A mapping with known keys.
pub(crate) struct Mapping<T: 'static> {
    /// Its title in the reference.
    pub(crate) title: &'static str,
    /// One sentence: what it says.
    pub(crate) doc: &'static str,
    /// Whether it may stand without a value: with no keys then.
    pub(crate) may_be_empty: bool,
    /// Asks for each key, in the order of the reference, always for the same ones.
    pub(crate) keys: fn(&mut Keys<'_>) -> T,
}

/// What a value belongs to.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    /// Its key.
    name: &'a str,
    /// Whether the name is a word of the file.
    quoted: bool,
    /// The place of the key.
    span: Span,
}

impl<'a> Owner<'a> {
    pub(super) fn key(key: &'a Text) -> Self {
        Self { name: &key.text, quoted: true, span: key.span }
    }

    fn shown(&self) -> String {
        if self.quoted { format!("`{}`", self.name) } else { self.name.to_owned() }
    }
}

impl<T> Mapping<T> {
    /// What it is, for people and editors.
    pub(crate) fn outline(&self) -> MappingOutline {
        let mut keys = Keys::unsaid();
        (self.keys)(&mut keys);
        keys.into_outline(self.title, self.doc, self.may_be_empty)
    }

    /// Reads a file of which it is all.
    pub(super) fn read_root(&self, reader: &mut Reader, root: &Node) -> Option<T> {
        let Kind::Mapping(entries) = &root.kind else {
            let message = format!("a pipeline file is a mapping, found {}", root.kind.noun());
            let diagnostic = Diagnostic::error(Code::WrongKind, root.span, message);
            reader.report(diagnostic.with_help("it begins with a line such as `etalon: 1`"));
            return None;
        };
        let span = entries.first().map_or(root.span, |entry| entry.key.span);
        Some(self.read_entries(reader, Owner { name: self.title, quoted: false, span }, entries))
    }

    /// Reads the mapping from a value that should be one; `outline` is what else it may be.
    pub(super) fn read_value(&self, reader: &mut Reader, outline: &Outline, key: &Text, node: &Node) -> Option<T> {
        match &node.kind {
            Kind::Mapping(entries) => Some(self.read_entries(reader, Owner::key(key), entries)),
            Kind::Empty if self.may_be_empty => Some(self.read_entries(reader, Owner::key(key), &[])),
            Kind::Empty | Kind::Scalar(_) | Kind::List(_) => {
                reader.wrong_kind(outline, key, node);
                None
            }
        }
    }

    pub(super) fn read_entries(&self, reader: &mut Reader, owner: Owner<'_>, entries: &[Entry]) -> T {
        Keys::read(reader, owner, entries, self.keys)
    }
}

impl<T> Shape for Mapping<T> {
    type Value = T;

    fn outline(&self) -> Outline {
        Outline::Mapping(self.outline())
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<T> {
        self.read_value(reader, &Outline::Mapping(self.outline()), key, node)
    }
}

/// The keys of a mapping, as they are asked for.
pub(crate) struct Keys<'a> {
    rows: Vec<Row>,
    one_of: Vec<&'static str>,
    /// What is read; `None`: the mapping is only described.
    reading: Option<Reading<'a>>,
}

/// A key that was asked for.
struct Row {
    name: &'static str,
    doc: String,
    need: Need,
    /// What it may be, if that is wanted.
    value: Option<Outline>,
}

struct Reading<'a> {
    reader: &'a mut Reader,
    owner: Owner<'a>,
    entries: &'a [Entry],
}

impl Keys<'_> {
    /// A key that must be there; `None` where it is missing or wrong, which is reported.
    pub(crate) fn required<S: Shape>(&mut self, name: &'static str, shape: S, doc: &'static str) -> Option<S::Value> {
        self.ask(name, Need::Required, &shape, doc.to_owned())
    }

    /// A key that must be there where something else of the mapping wants it.
    pub(crate) fn required_where<S: Shape>(
        &mut self,
        is_wanted: bool,
        name: &'static str,
        shape: S,
        doc: &'static str,
    ) -> Option<S::Value> {
        let need = if is_wanted && self.reading.is_some() { Need::Required } else { Need::Optional };
        self.ask(name, need, &shape, doc.to_owned())
    }

    /// A key that may be left out.
    pub(crate) fn optional<S: Shape>(&mut self, name: &'static str, shape: S, doc: &'static str) -> Option<S::Value> {
        self.ask(name, Need::Optional, &shape, doc.to_owned())
    }

    /// A key that may be left out; `usual`, a text of YAML, is what holds then.
    pub(crate) fn or<S: Shape>(
        &mut self,
        name: &'static str,
        shape: S,
        usual: &'static str,
        doc: &'static str,
    ) -> S::Value {
        let Some(reading) = &mut self.reading else {
            self.ask(name, Need::Default(usual), &shape, doc.to_owned());
            let reader = Reader::new(Vec::new());
            return reader.usual(usual, |reader, key, node| shape.read(reader, key, node)).0;
        };
        let reader = &mut *reading.reader;
        let (value, words) =
            reader.under(name, |reader| reader.usual(usual, |reader, key, node| shape.read(reader, key, node)));
        let mark = reader.mark();
        let said = self.ask(name, Need::Default(usual), &shape, doc.to_owned());
        if let Some(reading) = &mut self.reading {
            reading.reader.forget_usual(mark, &words);
        }
        said.unwrap_or(value)
    }

    /// The one of several keys that is there, each of which is asked for by one of `kinds`.
    pub(crate) fn exactly_one<T>(&mut self, kinds: &[fn(&mut Keys<'_>) -> Option<T>]) -> Option<T> {
        let first = self.rows.len();
        let mut found = None;
        for kind in kinds {
            let value = kind(self);
            found = found.or(value);
        }
        let names = self.rows.iter().skip(first).map(|row| row.name).collect();
        self.needs_one_of(names);
        found
    }

    /// A kind of a thing as a key: it says that it is this one.
    pub(super) fn kind<T>(&mut self, word: &'static str, mapping: &Mapping<T>, doc: &'static str) -> Option<T> {
        if self.entry(word).is_some()
            && let Some(reading) = &mut self.reading
        {
            reading.reader.say(word);
        }
        self.ask(word, Need::Optional, mapping, sentence(doc))
    }

    pub(super) fn needs_one_of(&mut self, names: Vec<&'static str>) {
        self.one_of = names;
    }

    /// The place of what the mapping belongs to.
    pub(crate) fn owner(&self) -> Span {
        self.reading.as_ref().map(|reading| reading.owner.span).unwrap_or_default()
    }

    /// The place of a key's value, where it is said.
    pub(crate) fn place(&self, name: &str) -> Option<Span> {
        self.entry(name).map(|entry| entry.value.span)
    }

    /// Whether something in a key or its value was found to be wrong.
    pub(crate) fn is_wrong(&self, name: &str) -> bool {
        let (Some(entry), Some(reading)) = (self.entry(name), &self.reading) else { return false };
        reading.reader.is_wrong(entry.key.span.to(entry.value.span))
    }

    /// Reports what is wrong with keys that are right by themselves.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        if let Some(reading) = &mut self.reading {
            reading.reader.report(diagnostic);
        }
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.reading.as_ref()?.entries.iter().find(|entry| entry.key.text == name)
    }

    fn ask<S: Shape>(&mut self, name: &'static str, need: Need, shape: &S, doc: String) -> Option<S::Value> {
        let value = self.reading.is_none().then(|| shape.outline());
        self.rows.push(Row { name, doc, need, value });
        let reading = self.reading.as_mut()?;
        let entry = reading.entries.iter().find(|entry| entry.key.text == name)?;
        reading.reader.under(name, |reader| shape.read(reader, &entry.key, &entry.value))
    }
}

/// How the help of a key that is unknown, and near no other, begins.
pub(super) const KEYS_HERE: &str = "the keys here are";

impl<'a> Keys<'a> {
    /// Keys of which none is said: they are only described, and what is usual holds.
    pub(crate) fn unsaid() -> Self {
        Self { rows: Vec::new(), one_of: Vec::new(), reading: None }
    }

    pub(super) fn into_outline(self, title: &'static str, doc: &'static str, may_be_empty: bool) -> MappingOutline {
        let outline = |row: Row| {
            let Row { name, doc, need, value } = row;
            value.map(|value| KeyOutline { name, doc, need, value })
        };
        let keys = self.rows.into_iter().filter_map(outline).collect();
        MappingOutline { title, doc, may_be_empty, keys, one_of: self.one_of }
    }

    /// Reads a mapping, and reports the keys that are missing, unknown or too many.
    pub(super) fn read<T>(
        reader: &'a mut Reader,
        owner: Owner<'a>,
        entries: &'a [Entry],
        ask: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let mut keys = Self { reading: Some(Reading { reader, owner, entries }), ..Self::unsaid() };
        let value = ask(&mut keys);
        keys.check_names();
        value
    }

    fn check_names(self) {
        let Some(Reading { reader, owner, entries }) = self.reading else { return };
        let is_there = |name: &str| entries.iter().any(|entry| entry.key.text == name);
        // Keys that are there, but misspelt.
        let mut meant = Vec::new();
        for entry in entries {
            let key = &entry.key;
            if self.rows.iter().any(|row| row.name == key.text) {
                continue;
            }
            // A key that is there already is not what was meant.
            let near = nearest(&key.text, self.rows.iter().map(|row| row.name).filter(|name| !is_there(name)));
            let help = match (near, self.rows.as_slice()) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, []) => "no key can stand here".to_owned(),
                (None, rows) => format!("{KEYS_HERE} {}", list(rows.iter().map(|row| row.name))),
            };
            let message = format!("unknown key `{}` in {}", key.text, owner.shown());
            reader.report(Diagnostic::error(Code::UnknownKey, key.span, message).with_help(help));
            meant.extend(near);
        }
        for row in &self.rows {
            if row.need == Need::Required && !is_there(row.name) && !meant.contains(&row.name) {
                let message = format!("{} lacks the key `{}`", owner.shown(), row.name);
                let help = format!("`{}`: {}", row.name, without_capital(&row.doc));
                reader.report(Diagnostic::error(Code::MissingKey, owner.span, message).with_help(help));
            }
        }
        if self.one_of.is_empty() || self.one_of.iter().any(|name| meant.contains(name)) {
            return;
        }
        let mut there = entries.iter().filter(|entry| self.one_of.contains(&entry.key.text.as_str()));
        match (there.next(), there.next()) {
            (None, _) => {
                let message = format!("{} lacks one of {}", owner.shown(), list(self.one_of.iter().copied()));
                reader.report(Diagnostic::error(Code::MissingKey, owner.span, message));
            }
            (Some(first), Some(second)) => {
                let message = format!("`{}` and `{}` cannot stand together", first.key.text, second.key.text);
                let diagnostic = Diagnostic::error(Code::Conflict, second.key.span, message);
                reader.report(diagnostic.with_label(first.key.span, "the other stands here"));
            }
            (Some(_), None) => {}
        }
    }
}

/// The end of a sentence as a sentence.
fn sentence(end: &str) -> String {
    let mut letters = end.chars();
    let first = letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>());
    format!("{}.", first.unwrap_or_default())
}

/// A sentence as the end of another.
fn without_capital(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
