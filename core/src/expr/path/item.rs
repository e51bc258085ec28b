//! Item: a value that a path has led to, and how two of them compare.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

use super::Comparison;
use super::moment::Compared;
use super::moment::Moment;
use crate::column::Fault;
use crate::diagnostic::Code;
use crate::value::json::Style;
use crate::value::json::Tree;
use crate::value::json::write_string;

/// A value on the way. Nothing that may be large is copied.
#[derive(Debug, Clone)]
pub(super) enum Item<'t> {
    Tree(&'t Tree<'t>),
    /// A value of the path, or what a method or an operator made of one.
    Scalar(Tree<'t>),
    Moment(Moment),
    /// What `.keyvalue()` gives.
    Pair(Rc<Pair<'t>>),
}

/// A member of an object, as an object: `{"id": …, "key": …, "value": …}`.
#[derive(Debug)]
pub(super) struct Pair<'t> {
    pub(super) id: i64,
    pub(super) key: &'t str,
    pub(super) value: Item<'t>,
}

impl<'t> Item<'t> {
    pub(super) fn number(text: impl Into<String>) -> Self {
        Self::Scalar(Tree::Number(Cow::Owned(text.into())))
    }

    /// The value, if it stands in JSON or is a scalar.
    pub(super) fn tree(&self) -> Option<&Tree<'t>> {
        match self {
            Self::Tree(tree) => Some(tree),
            Self::Scalar(tree) => Some(tree),
            Self::Moment(_) | Self::Pair(_) => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<&str> {
        match self.tree() {
            Some(Tree::Number(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_string(&self) -> Option<&str> {
        match self.tree() {
            Some(Tree::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array.
    pub(super) fn elements(&self) -> Option<&'t [Tree<'t>]> {
        let Self::Tree(tree) = self else { return None };
        let tree: &'t Tree<'t> = tree;
        if let Tree::Array(elements) = tree { Some(elements) } else { None }
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self, Self::Tree(Tree::Object(_)) | Self::Pair(_))
    }

    /// The elements of an array or the values of an object.
    pub(super) fn parts(&self) -> Vec<Self> {
        match self {
            Self::Tree(tree) => {
                let tree: &'t Tree<'t> = tree;
                match tree {
                    Tree::Array(elements) => elements.iter().map(Self::Tree).collect(),
                    Tree::Object(members) => members.iter().map(|(_, value)| Self::Tree(value)).collect(),
                    _ => Vec::new(),
                }
            }
            Self::Pair(pair) => ["id", "key", "value"].into_iter().filter_map(|name| pair.member(name)).collect(),
            Self::Scalar(_) | Self::Moment(_) => Vec::new(),
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<Self> {
        match self {
            Self::Tree(tree) => tree.member(name).map(Self::Tree),
            Self::Pair(pair) => pair.member(name),
            _ => None,
        }
    }

    pub(super) fn write(&self, out: &mut String) -> Result<(), Fault> {
        match self {
            Self::Tree(tree) => tree.write(Style::Normal, out),
            Self::Scalar(tree) => tree.write(Style::Normal, out),
            Self::Moment(moment) => Tree::String(moment.print().into()).write(Style::Normal, out),
            Self::Pair(pair) => {
                // Writing to a String cannot fail.
                let _ = write!(out, "{{\"id\": {}, \"key\": ", pair.id);
                write_string(pair.key, out);
                out.push_str(", \"value\": ");
                pair.value.write(out)?;
                out.push('}');
                Ok(())
            }
        }
    }
}

impl<'t> Pair<'t> {
    fn member(&self, name: &str) -> Option<Item<'t>> {
        match name {
            "id" => Some(Item::number(self.id.to_string())),
            "key" => Some(Item::Scalar(Tree::String(self.key.into()))),
            "value" => Some(self.value.clone()),
            _ => None,
        }
    }
}

/// Compares two values. Null is equal to itself only; values of other kinds do not compare, nor do arrays and objects.
pub(super) fn compare(
    operator: Comparison,
    left: &Item<'_>,
    right: &Item<'_>,
    zone: bool,
) -> Result<Option<bool>, Fault> {
    let order = match (left, right) {
        (Item::Moment(one), Item::Moment(two)) => match one.compare(*two) {
            Compared::Order(order) => order,
            Compared::WithZone(order) if zone => order,
            Compared::Never => return Ok(None),
            Compared::WithZone(_) => {
                let fact = format!(
                    "cannot convert value from {} to {} without time zone usage",
                    one.type_name(),
                    two.type_name()
                );
                return Err(Fault::new(Code::NotForValues, fact));
            }
        },
        (one, two) => match (one.tree(), two.tree()) {
            (Some(one @ Tree::Null), Some(two @ Tree::Null))
            | (Some(one @ Tree::Boolean(_)), Some(two @ Tree::Boolean(_)))
            | (Some(one @ Tree::Number(_)), Some(two @ Tree::Number(_)))
            | (Some(one @ Tree::String(_)), Some(two @ Tree::String(_))) => one.order(two),
            (Some(Tree::Null), _) | (_, Some(Tree::Null)) => return Ok(Some(operator == Comparison::NotEqual)),
            _ => return Ok(None),
        },
    };
    Ok(Some(match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }))
}
