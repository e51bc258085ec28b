//! Named: a mapping whose keys are names that the author chooses.

use std::collections::BTreeMap;

use super::Spanned;
use super::form::Form;
use super::outline::{FormOutline, NamedOutline, Outline};
use super::reader::Reader;
use super::shape::Shape;
use super::text::Text;
use super::yaml::{Kind, Node};
use crate::diagnostic::{Code, Diagnostic};

/// A mapping with names that its author chooses.
pub(crate) struct Named<N, S> {
    /// What a name stands for: `field`.
    pub(crate) noun: &'static str,
    /// What a name may be.
    pub(crate) name: N,
    /// What stands under a name.
    pub(crate) value: S,
}

/// What stands under a name of the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<T> {
    /// The name.
    pub name: Spanned<String>,
    /// What stands under it; `None` where nothing can be made of it, or the name is wrong.
    pub value: Option<T>,
    /// Whether something in it was found to be wrong: that it is missed elsewhere is no mistake of its own.
    pub is_wrong: bool,
}

impl<T> Item<T> {
    /// What stands under the name, if nothing in it is wrong.
    pub fn right(&self) -> Option<&T> {
        self.value.as_ref().filter(|_| !self.is_wrong)
    }
}

impl<N: Form, S: Shape> Shape for Named<N, S> {
    type Value = Vec<Item<S::Value>>;

    fn outline(&self) -> Outline {
        let (name, value) = (FormOutline::of(&self.name), self.value.outline());
        Outline::Named(Box::new(NamedOutline { noun: self.noun, name, value }))
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<Self::Value> {
        let Kind::Mapping(entries) = &node.kind else {
            reader.wrong_kind(&self.outline(), key, node);
            return None;
        };
        if entries.is_empty() {
            let message = format!("`{}` holds no {}", key.text, self.noun);
            reader.report(Diagnostic::error(Code::MissingKey, key.span, message));
        }
        let mut seen: BTreeMap<String, &Text> = BTreeMap::new();
        let mut items = Vec::with_capacity(entries.len());
        for entry in entries {
            let name = &entry.key;
            if let Err(mismatch) = self.name.read(&key.text, name) {
                reader.mismatch(mismatch, name);
            } else if let Some(first) = seen.insert(name.text.to_lowercase(), name) {
                let (noun, first, second) = (self.noun, first, &name.text);
                let message = format!("the {noun}s `{}` and `{second}` differ in letter case only", first.text);
                let diagnostic = Diagnostic::error(Code::DuplicateKey, name.span, message);
                reader.report(diagnostic.with_label(first.span, "the other stands here"));
            }
            let is_named = !reader.is_wrong(name.span);
            reader.say(name.text.as_str());
            let value = reader.under("*", |reader| self.value.read(reader, name, &entry.value));
            items.push(Item {
                name: Spanned { value: name.text.clone(), span: name.span },
                value: value.filter(|_| is_named),
                is_wrong: reader.is_wrong(name.span.to(entry.value.span)),
            });
        }
        Some(items)
    }
}
