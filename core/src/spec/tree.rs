//! Tree: a value whose keys are not defined by the file format: texts in lists and mappings of any depth.

use super::form::{Form, Hint, Mismatch};
use super::outline::Outline;
use super::reader::Reader;
use super::shape::Shape;
use super::text::Text;
use super::yaml::{Kind, Node};

/// A value. `Text`: as the file says it; [`Filled`](super::Filled): with the values of its `${…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree<T = Text> {
    /// Nothing was said.
    Empty,
    /// A text.
    Text(T),
    /// A list.
    List(Vec<Self>),
    /// A mapping, in the order of the file.
    Mapping(Vec<(Text, Self)>),
}

impl<T> Tree<T> {
    /// Its texts, in order.
    pub(crate) fn texts(&self) -> Vec<&T> {
        match self {
            Self::Empty => Vec::new(),
            Self::Text(text) => vec![text],
            Self::List(items) => items.iter().flat_map(Self::texts).collect(),
            Self::Mapping(entries) => entries.iter().flat_map(|(_, value)| value.texts()).collect(),
        }
    }
}

impl Tree {
    /// The tree with the values of its `${…}`; `fill` gives them.
    pub(crate) fn fill<U, E>(&self, fill: &mut impl FnMut(&Text) -> Result<U, E>) -> Result<Tree<U>, E> {
        Ok(match self {
            Self::Empty => Tree::Empty,
            Self::Text(text) => Tree::Text(fill(text)?),
            Self::List(items) => Tree::List(items.iter().map(|item| item.fill(fill)).collect::<Result<_, _>>()?),
            Self::Mapping(entries) => Tree::Mapping(
                entries.iter().map(|(key, value)| Ok((key.clone(), value.fill(fill)?))).collect::<Result<_, _>>()?,
            ),
        })
    }

    /// What is written, as parts of an identity.
    pub(crate) fn words(&self) -> Vec<&str> {
        match self {
            Self::Empty => vec![""],
            Self::Text(text) => vec!["=", &text.text],
            Self::List(items) => {
                let items = items.iter().flat_map(Self::words);
                ["["].into_iter().chain(items).chain(["]"]).collect()
            }
            Self::Mapping(entries) => {
                let entries = entries.iter().flat_map(|(key, value)| {
                    let value = value.words();
                    [key.text.as_str()].into_iter().chain(value)
                });
                ["{"].into_iter().chain(entries).chain(["}"]).collect()
            }
        }
    }
}

/// A mapping of which `doc` says who defines its keys.
pub(crate) struct AnyMapping(pub(crate) &'static str);

impl Shape for AnyMapping {
    type Value = Tree;

    fn outline(&self) -> Outline {
        Outline::Any(self.0)
    }

    fn read(&self, reader: &mut Reader, key: &Text, node: &Node) -> Option<Tree> {
        if !matches!(node.kind, Kind::Mapping(_)) {
            reader.wrong_kind(&self.outline(), key, node);
            return None;
        }
        Some(read(reader, key, node))
    }
}

fn read(reader: &mut Reader, key: &Text, node: &Node) -> Tree {
    match &node.kind {
        Kind::Empty => Tree::Empty,
        Kind::Scalar(scalar) => {
            reader.say(scalar.text.text.as_str());
            reader.text(&Leaf, &key.text, scalar).map_or(Tree::Empty, Tree::Text)
        }
        Kind::List(nodes) => {
            reader.say(nodes.len().to_string());
            Tree::List(nodes.iter().map(|node| read(reader, key, node)).collect())
        }
        Kind::Mapping(entries) => {
            let entry = |entry: &super::yaml::Entry| {
                reader.say(entry.key.text.as_str());
                (entry.key.clone(), reader.under("*", |reader| read(reader, &entry.key, &entry.value)))
            };
            Tree::Mapping(entries.iter().map(entry).collect())
        }
    }
}

/// A text of a tree.
struct Leaf;

impl Form for Leaf {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a text"
    }

    fn read(&self, _key: &str, text: &Text) -> Result<Text, Mismatch> {
        Ok(text.clone())
    }

    fn hint(&self) -> Hint {
        Hint::Scalar
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// Whether a text asks for a value.
pub(crate) fn is_asking(text: &Text) -> bool {
    super::placeholder::placeholders(&text.text).next().is_some()
}
