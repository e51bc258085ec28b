//! Short: mappings that may also be written as one text.

use super::form::{Form, Hint, Mismatch};
use super::keys::{Mapping, Owner};
use super::outline::{FormOutline, Outline};
use super::reader::Reader;
use super::shape::Shape;
use super::text::Text;
use super::yaml::{Entry, Kind, Node};

/// A mapping that has a short form: a text that stands for some of its keys.
pub(crate) struct InShort<F, T: 'static> {
    /// The short form: it gives the keys that it stands for.
    pub(crate) short: F,
    /// The mapping.
    pub(crate) long: Mapping<T>,
}

impl<F: Form<Value = Vec<Entry>>, T> Shape for InShort<F, T> {
    type Value = T;

    fn outline(&self) -> Outline {
        Outline::Either(FormOutline::of(&self.short), self.long.outline())
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<T> {
        let Kind::Scalar(scalar) = &node.kind else {
            return self.long.read_value(reader, &self.outline(), key, node);
        };
        let entries = reader.text(&self.short, &key.text, scalar)?;
        Some(self.long.read_entries(reader, Owner::key(key), &entries))
    }
}

/// A short form that is the value of one key.
pub(crate) struct ShortFor<F> {
    /// The key.
    pub(crate) key: &'static str,
    /// The form of its value.
    pub(crate) form: F,
}

impl<F: Form> Form for ShortFor<F> {
    type Value = Vec<Entry>;

    fn noun(&self) -> &'static str {
        self.form.noun()
    }

    fn read(&self, key: &str, text: &Text) -> Result<Vec<Entry>, Mismatch> {
        self.form.read(key, text)?;
        Ok(vec![Entry::of(self.key, text.clone())])
    }

    fn hint(&self) -> Hint {
        self.form.hint()
    }

    fn is_code(&self) -> bool {
        self.form.is_code()
    }

    fn is_cut(&self, text: &str, comment_bytes: usize) -> bool {
        self.form.is_cut(text, comment_bytes)
    }
}

/// A text, or a mapping that says something else.
pub(crate) struct TextOrMapping<F, T: 'static>(pub(crate) F, pub(crate) Mapping<T>);

impl<F: Form, T: From<F::Value>> Shape for TextOrMapping<F, T> {
    type Value = T;

    fn outline(&self) -> Outline {
        Outline::Either(FormOutline::of(&self.0), self.1.outline())
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<T> {
        match &node.kind {
            Kind::Scalar(_) => Shape::read(&self.0, reader, key, node).map(T::from),
            _ => self.1.read_value(reader, &self.outline(), key, node),
        }
    }
}
