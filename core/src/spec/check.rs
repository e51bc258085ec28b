//! Check: whether the parts of a file have the shapes of their places.

use std::collections::BTreeMap;

use super::form::{Form, list};
use super::shape::{FILE, Mapping, Named, Need, Shape};
use super::text::Text;
use super::yaml::{Entry, Kind, Node, Scalar, open_parentheses};
use crate::diagnostic::{Code, Diagnostic, Span, nearest};

/// Reports everything in a file that has not the shape of its place.
pub(super) fn check(root: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let mut checker = Checker { diagnostics };
    let Kind::Mapping(entries) = &root.kind else {
        let message = format!("a pipeline file is a mapping, found {}", root.kind.noun());
        checker.report(
            Diagnostic::error(Code::WrongKind, root.span, message)
                .with_help("it begins with a line such as `etalon: 1`"),
        );
        return;
    };
    let place = entries.first().map_or(root.span, |entry| entry.key.span);
    checker.mapping(&FILE, entries, Owner { name: FILE.title, quoted: false, span: place });
    checker.conflicts(entries);
}

/// The value under a key of a list of entries.
pub(super) fn value<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Node> {
    entries.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
}

/// The entries of a mapping under a key.
pub(super) fn mapping<'a>(entries: &'a [Entry], key: &str) -> Option<&'a [Entry]> {
    match &value(entries, key)?.kind {
        Kind::Mapping(entries) => Some(entries),
        _ => None,
    }
}

/// The text under a key.
pub(super) fn text<'a>(entries: &'a [Entry], key: &str) -> Option<&'a Text> {
    match &value(entries, key)?.kind {
        Kind::Scalar(Scalar { text, .. }) => Some(text),
        _ => None,
    }
}

/// What a value belongs to.
#[derive(Clone, Copy)]
struct Owner<'a> {
    /// Its key.
    name: &'a str,
    /// Whether the name is a word of the file.
    quoted: bool,
    /// The place of the key.
    span: Span,
}

impl Owner<'_> {
    fn shown(&self) -> String {
        if self.quoted { format!("`{}`", self.name) } else { self.name.to_owned() }
    }
}

struct Checker<'a> {
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Checker<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn mapping(&mut self, mapping: &'static Mapping, entries: &[Entry], owner: Owner<'_>) {
        // Keys that are there, but misspelt.
        let mut meant = Vec::new();
        for entry in entries {
            match mapping.keys.iter().find(|key| key.name == entry.key.text) {
                Some(key) => self.value(&key.shape, key.may_be_empty, &entry.value, &entry.key),
                None => meant.extend(self.unknown_key(mapping, entries, &entry.key, owner)),
            }
        }
        for key in mapping.keys {
            if key.need == Need::Required && value(entries, key.name).is_none() && !meant.contains(&key.name) {
                let message = format!("{} lacks the key `{}`", owner.shown(), key.name);
                let diagnostic = Diagnostic::error(Code::MissingKey, owner.span, message);
                self.report(diagnostic.with_help(format!("`{}`: {}", key.name, without_capital(key.doc))));
            }
        }
        if mapping.one_of.is_empty() || mapping.one_of.iter().any(|key| meant.contains(key)) {
            return;
        }
        let mut there = entries.iter().filter(|entry| mapping.one_of.contains(&entry.key.text.as_str()));
        match (there.next(), there.next()) {
            (None, _) => {
                let message = format!("{} lacks one of {}", owner.shown(), list(mapping.one_of.iter().copied()));
                self.report(Diagnostic::error(Code::MissingKey, owner.span, message));
            }
            (Some(first), Some(second)) => {
                let message = format!("`{}` and `{}` cannot stand together", first.key.text, second.key.text);
                let diagnostic = Diagnostic::error(Code::Conflict, second.key.span, message);
                self.report(diagnostic.with_label(first.key.span, "the other stands here"));
            }
            (Some(_), None) => {}
        }
    }

    /// Reports a key; returns the one that is meant, if one is near.
    fn unknown_key(
        &mut self,
        mapping: &Mapping,
        entries: &[Entry],
        key: &Text,
        owner: Owner<'_>,
    ) -> Option<&'static str> {
        // A key that is there already is not what was meant.
        let free = mapping.keys.iter().map(|key| key.name).filter(|name| value(entries, name).is_none());
        let near = nearest(&key.text, free);
        let help = match (near, mapping.keys) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "no key can stand here".to_owned(),
            (None, keys) => format!("the keys here are {}", list(keys.iter().map(|key| key.name))),
        };
        let message = format!("unknown key `{}` in {}", key.text, owner.shown());
        self.report(Diagnostic::error(Code::UnknownKey, key.span, message).with_help(help));
        near
    }

    fn value(&mut self, shape: &'static Shape, may_be_empty: bool, node: &Node, key: &Text) {
        let owner = Owner { name: &key.text, quoted: true, span: key.span };
        match (shape, &node.kind) {
            (_, Kind::Empty) if may_be_empty => {}
            (_, Kind::Empty) => {
                let message = format!("`{}` has no value", key.text);
                let help = format!("it expects {}", noun(shape));
                self.report(Diagnostic::error(Code::WrongKind, key.span, message).with_help(help));
            }
            (&Shape::One(form) | &Shape::OneOrMany(form) | &Shape::Either(form, _), Kind::Scalar(scalar)) => {
                self.scalar(form, &key.text, scalar);
            }
            (&Shape::OneOrMany(form), Kind::List(nodes)) => self.list(form, true, nodes, node, key),
            (&Shape::List(form), Kind::List(nodes)) => self.list(form, false, nodes, node, key),
            (Shape::Mapping(mapping) | Shape::Either(_, mapping), Kind::Mapping(entries)) => {
                self.mapping(mapping, entries, owner);
            }
            (Shape::Named(named), Kind::Mapping(entries)) => self.named(named, entries, key),
            _ => {
                let message = format!("`{}` expects {}, found {}", key.text, noun(shape), node.kind.noun());
                let diagnostic = Diagnostic::error(Code::WrongKind, node.span, message);
                self.report(match (shape, &node.kind) {
                    (Shape::Named(named), Kind::List(nodes)) => diagnostic.with_help(as_keys(named, nodes)),
                    (Shape::One(Form::Expression | Form::Regex), Kind::Mapping(_)) => {
                        diagnostic.with_help("a text that begins with `{` must be quoted")
                    }
                    (Shape::One(Form::Expression | Form::Regex), Kind::List(_)) => {
                        diagnostic.with_help("a text that begins with `[` must be quoted")
                    }
                    _ => diagnostic,
                });
            }
        }
    }

    fn scalar(&mut self, form: Form, key: &str, scalar: &Scalar) {
        if let Err(fault) = form.check(key, &scalar.text.text) {
            self.report(fault.of(&scalar.text));
        }
        // A ` #` ends a text without quotes, also where its author did not mean a comment.
        let Some(comment) = scalar.comment else { return };
        let text = scalar.text.text.as_str();
        let cut = match form {
            Form::Expression => open_parentheses(text) > 0 || text.matches('\'').count() % 2 == 1,
            Form::Regex => {
                text.matches(['(', '[']).count() > text.matches([')', ']']).count() || comment.end - comment.start > 1
            }
            _ => false,
        };
        if cut {
            self.report(
                Diagnostic::warning(
                    Code::CutByComment,
                    comment,
                    format!("the text of `{key}` ends where this comment begins"),
                )
                .with_label(scalar.text.span, "this is all of the text")
                .with_help("if `#` belongs to the text, quote it"),
            );
        }
    }

    fn list(&mut self, form: Form, needs_one: bool, nodes: &[Node], node: &Node, key: &Text) {
        if needs_one && nodes.is_empty() {
            self.report(Diagnostic::error(Code::WrongValue, node.span, format!("the list of `{}` is empty", key.text)));
        }
        let mut seen = BTreeMap::new();
        for node in nodes {
            let Kind::Scalar(scalar) = &node.kind else {
                let message = format!("`{}` expects {} in its list, found {}", key.text, form.noun(), node.kind.noun());
                self.report(Diagnostic::error(Code::WrongKind, node.span, message));
                continue;
            };
            self.scalar(form, &key.text, scalar);
            if let Some(first) = seen.insert(scalar.text.text.as_str(), node.span) {
                let message = format!("`{}` stands twice in the list of `{}`", scalar.text.text, key.text);
                let diagnostic = Diagnostic::error(Code::WrongValue, node.span, message);
                self.report(diagnostic.with_label(first, "it stands here first"));
            }
        }
    }

    fn named(&mut self, named: &'static Named, entries: &[Entry], key: &Text) {
        if entries.is_empty() {
            let message = format!("`{}` holds no {}", key.text, named.noun);
            self.report(Diagnostic::error(Code::MissingKey, key.span, message));
        }
        let mut seen: BTreeMap<String, &Text> = BTreeMap::new();
        for entry in entries {
            if let Err(fault) = named.name.check(&key.text, &entry.key.text) {
                self.report(fault.of(&entry.key));
            } else if let Some(first) = seen.insert(entry.key.text.to_lowercase(), &entry.key) {
                let message =
                    format!("the {}s `{}` and `{}` differ in letter case only", named.noun, first.text, entry.key.text);
                let diagnostic = Diagnostic::error(Code::DuplicateKey, entry.key.span, message);
                self.report(diagnostic.with_label(first.span, "the other stands here"));
            }
            self.value(&named.value, named.may_be_empty, &entry.value, &entry.key);
        }
    }

    /// What the keys must be to each other, beyond their shapes.
    fn conflicts(&mut self, root: &[Entry]) {
        let source = mapping(root, "source").unwrap_or_default();
        if let Some(schedule) = text(root, "schedule")
            && schedule.text == "object-created"
            && value(source, "s3").is_none()
            && value(source, "files").is_some()
        {
            self.report(
                Diagnostic::error(Code::Conflict, schedule.span, "`object-created` needs a source in `s3`")
                    .with_help("files on a disk tell nobody that they were made; write `rate(…)` or `cron(…)`"),
            );
        }
        let csv = mapping(source, "format").and_then(|format| mapping(format, "csv")).unwrap_or_default();
        let usual = [("delimiter", Some(",")), ("quote", Some("\"")), ("comment", None)];
        let said = usual.map(|(key, usual)| {
            let there = text(csv, key);
            (key, there.map_or(usual, |text| Some(text.text.as_str())), there)
        });
        for (at, &(key, character, there)) in said.iter().enumerate() {
            for &(other, taken, other_there) in said.iter().take(at) {
                if let Some(span) = there.or(other_there).map(|text| text.span)
                    && let Some(character) = character
                    && Some(character) == taken
                {
                    let message = format!("`{other}` and `{key}` are the same character");
                    self.report(Diagnostic::error(Code::Conflict, span, message));
                }
            }
        }
    }
}

/// What people call the values of a shape.
fn noun(shape: &Shape) -> String {
    match shape {
        Shape::One(form) => form.noun().to_owned(),
        Shape::List(_) => "a list".to_owned(),
        Shape::OneOrMany(form) => format!("{} or a list", form.noun()),
        Shape::Mapping(_) => "a mapping".to_owned(),
        Shape::Either(form, _) => format!("{} or a mapping", form.noun()),
        Shape::Named(named) => format!("a mapping with each {} as a key", named.noun),
    }
}

/// How the names of a list would be written as keys.
fn as_keys(named: &Named, nodes: &[Node]) -> String {
    let first = nodes.iter().find_map(|node| match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.text.text.as_str()),
        Kind::Mapping(entries) => entries.first().map(|entry| entry.key.text.as_str()),
        Kind::Empty | Kind::List(_) => None,
    });
    format!("write each {} on its own line, without `-`: `{}: …`", named.noun, first.unwrap_or("name"))
}

/// A sentence as the end of another.
fn without_capital(sentence: &str) -> String {
    let mut letters = sentence.trim_end_matches('.').chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
