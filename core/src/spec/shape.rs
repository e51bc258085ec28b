//! Shape: what may stand at a place of the file, and how a value is read there.
//!
//! A form is the shape of one text. This file has the shapes of lists of texts, and then those of mappings.

use std::collections::BTreeMap;

use super::form::Form;
use super::outline::{FormOutline, Outline};
use super::reader::Reader;
use super::text::Text;
use super::yaml::{Kind, Node};
use crate::diagnostic::{Code, Diagnostic};

/// What may stand in a place.
pub(crate) trait Shape {
    /// What is read there.
    type Value;

    /// What may stand there, for people and editors.
    fn outline(&self) -> Outline;

    /// Reads a value. What is wrong is reported; `None`: nothing can be made of it.
    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<Self::Value>;
}

impl<F: Form> Shape for F {
    type Value = F::Value;

    fn outline(&self) -> Outline {
        Outline::One(FormOutline::of(self))
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<F::Value> {
        let Kind::Scalar(scalar) = &node.kind else {
            reader.wrong_kind(&self.outline(), key, node);
            return None;
        };
        let value = reader.text(self, &key.text, scalar)?;
        reader.say(self.canonical(&scalar.text.text));
        Some(value)
    }
}

/// A list of texts, which may be empty.
pub(crate) struct List<F>(pub(crate) F);

impl<F: Form> Shape for List<F> {
    type Value = Vec<F::Value>;

    fn outline(&self) -> Outline {
        Outline::List(FormOutline::of(&self.0))
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<Self::Value> {
        let Kind::List(nodes) = &node.kind else {
            reader.wrong_kind(&self.outline(), key, node);
            return None;
        };
        Some(read_list(&self.0, reader, key, nodes))
    }
}

/// A text, or a list of one text or more, none twice.
pub(crate) struct OneOrMany<F>(pub(crate) F);

impl<F: Form> Shape for OneOrMany<F> {
    type Value = Vec<F::Value>;

    fn outline(&self) -> Outline {
        Outline::OneOrMany(FormOutline::of(&self.0))
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<Self::Value> {
        match &node.kind {
            Kind::Scalar(_) => Some(read_list(&self.0, reader, key, std::slice::from_ref(node))),
            Kind::List(nodes) => {
                if nodes.is_empty() {
                    let message = format!("the list of `{}` is empty", key.text);
                    reader.report(Diagnostic::error(Code::WrongValue, node.span, message));
                }
                Some(read_list(&self.0, reader, key, nodes))
            }
            Kind::Empty | Kind::Mapping(_) => {
                reader.wrong_kind(&self.outline(), key, node);
                None
            }
        }
    }
}

/// The values of a list without the wrong ones. It says its length and its texts.
fn read_list<F: Form>(form: &F, reader: &mut Reader, key: &Text, nodes: &[Node]) -> Vec<F::Value> {
    reader.say(nodes.len().to_string());
    let mut seen = BTreeMap::new();
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Kind::Scalar(scalar) = &node.kind else {
            let message = format!("`{}` expects {} in its list, found {}", key.text, form.noun(), node.kind.noun());
            reader.report(Diagnostic::error(Code::WrongKind, node.span, message));
            continue;
        };
        values.extend(reader.text(form, &key.text, scalar));
        reader.say(form.canonical(&scalar.text.text));
        if let Some(first) = seen.insert(scalar.text.text.as_str(), node.span) {
            let message = format!("`{}` stands twice in the list of `{}`", scalar.text.text, key.text);
            let diagnostic = Diagnostic::error(Code::WrongValue, node.span, message);
            reader.report(diagnostic.with_label(first, "it stands here first"));
        }
    }
    values
}
