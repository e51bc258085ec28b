//! Reader: what is collected while a file is read: its mistakes, and the words that it contains.

use super::form::{Form, Mismatch};
use super::outline::Outline;
use super::placeholder;
use super::text::Text;
use super::yaml::{Entry, Kind, Node, Scalar};
use crate::diagnostic::{Code, Diagnostic, Severity, Span};

/// Something that the file says: a key, and a text under it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word {
    /// The keys from the root, with dots; a name that the author chose is `*`: `source.fields.*.type`.
    pub(crate) path: String,
    /// What is said, in one way for all ways that mean the same.
    pub(crate) text: String,
}

/// What reading a file gathers.
#[derive(Debug)]
pub(crate) struct Reader {
    diagnostics: Vec<Diagnostic>,
    words: Vec<Word>,
    path: String,
}

impl Reader {
    pub(super) fn new(diagnostics: Vec<Diagnostic>) -> Self {
        Self { diagnostics, words: Vec::new(), path: String::new() }
    }

    pub(super) fn finish(self) -> (Vec<Diagnostic>, Vec<Word>) {
        (self.diagnostics, self.words)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether something within a place was found to be wrong.
    pub(super) fn is_wrong(&self, span: Span) -> bool {
        let is_within = |place: Span| span.start <= place.start && place.end <= span.end;
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error && is_within(diagnostic.span))
    }

    /// Notes a text that is said under the current key.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.words.push(Word { path: self.path.clone(), text: text.into() });
    }

    /// Reads what stands under a key; what it says is noted under that key.
    pub(super) fn under<T>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.len();
        if outer > 0 {
            self.path.push('.');
        }
        self.path.push_str(key);
        let value = read(self);
        self.path.truncate(outer);
        value
    }

    /// What a value that holds where nothing is said reads as, and what it says. It is a text of YAML.
    pub(super) fn usual<T>(
        &self,
        text: &'static str,
        read: impl FnOnce(&mut Self, &Text, &Node) -> Option<T>,
    ) -> (T, Vec<Word>) {
        let (node, diagnostics) = super::yaml::parse(text);
        let mut reader = Self { diagnostics, words: Vec::new(), path: self.path.clone() };
        let value = node.and_then(|node| read(&mut reader, &Text::meaning(text, Span::default()), &node));
        match value {
            Some(value) if reader.diagnostics.is_empty() => (value, reader.words),
            _ => unreachable!("the default `{text}` has not the form of its key: {:?}", reader.diagnostics),
        }
    }

    /// Where the words that are said from now on begin.
    pub(super) fn mark(&self) -> usize {
        self.words.len()
    }

    /// Forgets what was said since a mark, if it is what is usual.
    pub(super) fn forget_usual(&mut self, mark: usize, usual: &[Word]) {
        if self.words.get(mark..) == Some(usual) {
            self.words.truncate(mark);
        }
    }

    /// Reads a text; what it says is not noted.
    pub(super) fn text<F: Form>(&mut self, form: &F, key: &str, scalar: &Scalar) -> Option<F::Value> {
        let text = &scalar.text;
        let value = placeholder::check(&text.text, form.takes_placeholders()).and_then(|()| form.read(key, text));
        // A ` #` ends a text without quotes, also where its author did not mean a comment.
        if let Some(comment) = scalar.comment
            && form.is_cut(&text.text, comment.end - comment.start)
        {
            let message = format!("the text of `{key}` ends where this comment begins");
            self.report(
                Diagnostic::warning(Code::CutByComment, comment, message)
                    .with_label(text.span, "this is all of the text")
                    .with_help("if `#` belongs to the text, quote it"),
            );
        }
        value.map_err(|mismatch| self.report(mismatch.of(text))).ok()
    }

    /// Reports a name or a word that has not the form of its place.
    pub(super) fn mismatch(&mut self, mismatch: Mismatch, text: &Text) {
        self.report(mismatch.of(text));
    }

    /// Reports a value of another kind than its key takes.
    pub(super) fn wrong_kind(&mut self, outline: &Outline, key: &Text, node: &Node) {
        if matches!(node.kind, Kind::Empty) {
            let message = format!("`{}` has no value", key.text);
            let help = format!("it expects {}", outline.noun());
            return self.report(Diagnostic::error(Code::WrongKind, key.span, message).with_help(help));
        }
        let message = format!("`{}` expects {}, found {}", key.text, outline.noun(), node.kind.noun());
        let diagnostic = Diagnostic::error(Code::WrongKind, node.span, message);
        let quoted = |sign: char| format!("a text that begins with `{sign}` must be quoted");
        self.report(match (outline, &node.kind) {
            (Outline::Named(named), Kind::List(nodes)) => diagnostic.with_help(as_keys(named.noun, nodes)),
            (Outline::One(form), Kind::Mapping(_)) if form.is_code => diagnostic.with_help(quoted('{')),
            (Outline::One(form), Kind::List(_)) if form.is_code => diagnostic.with_help(quoted('[')),
            _ => diagnostic,
        });
    }
}

/// How the names of a list would be written as keys.
fn as_keys(noun: &str, nodes: &[Node]) -> String {
    let first = nodes.iter().find_map(|node| match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.text.text.as_str()),
        Kind::Mapping(entries) => entries.first().map(|entry: &Entry| entry.key.text.as_str()),
        Kind::Empty | Kind::List(_) => None,
    });
    format!("write each {noun} on its own line, without `-`: `{}: …`", first.unwrap_or("name"))
}
