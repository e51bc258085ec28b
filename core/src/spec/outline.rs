//! Outline: what may stand at a place of the file, for people and editors; generated from the rows that read it.

use super::form::{Form, Hint};

/// What may stand in a place.
#[derive(Debug, Clone)]
pub(crate) enum Outline {
    /// A text.
    One(FormOutline),
    /// A list of texts, which may be empty.
    List(FormOutline),
    /// A text, or a list of one text or more, none twice.
    OneOrMany(FormOutline),
    /// A mapping with known keys.
    Mapping(MappingOutline),
    /// A text, or a mapping with known keys.
    Either(FormOutline, MappingOutline),
    /// A mapping with names that its author chooses.
    Named(Box<NamedOutline>),
    /// A mapping whose keys somebody else defines; who, for people.
    Any(&'static str),
}

/// What a text must look like.
#[derive(Debug, Clone)]
pub(crate) struct FormOutline {
    /// What people call it.
    pub(crate) noun: &'static str,
    /// What an editor can check.
    pub(crate) hint: Hint,
    /// Whether it is code in a language of its own.
    pub(crate) is_code: bool,
}

/// A mapping with known keys.
#[derive(Debug, Clone)]
pub(crate) struct MappingOutline {
    /// Its title in the reference.
    pub(crate) title: &'static str,
    /// One sentence: what it says.
    pub(crate) doc: &'static str,
    /// Whether it may stand without a value: with no keys then.
    pub(crate) may_be_empty: bool,
    /// Its keys, in the order of the reference.
    pub(crate) keys: Vec<KeyOutline>,
    /// Keys of which exactly one must be there.
    pub(crate) one_of: Vec<&'static str>,
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub(crate) struct KeyOutline {
    /// The key.
    pub(crate) name: &'static str,
    /// One sentence: what it says.
    pub(crate) doc: String,
    /// Whether it must be there, and what holds if not.
    pub(crate) need: Need,
    /// What its value may be.
    pub(crate) value: Outline,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It must.
    Required,
    /// It may be left out; there is no value then.
    Optional,
    /// It may be left out; this holds then.
    Default(&'static str),
}

/// A mapping with names that its author chooses.
#[derive(Debug, Clone)]
pub(crate) struct NamedOutline {
    /// What a name stands for: `field`.
    pub(crate) noun: &'static str,
    /// What a name may be.
    pub(crate) name: FormOutline,
    /// What stands under a name.
    pub(crate) value: Outline,
}

impl FormOutline {
    /// The outline of a form.
    pub(crate) fn of<F: Form>(form: &F) -> Self {
        Self { noun: form.noun(), hint: form.hint(), is_code: form.is_code() }
    }
}

impl Outline {
    /// What people call a value that may stand in this place.
    pub(crate) fn noun(&self) -> String {
        match self {
            Self::One(form) => form.noun.to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::OneOrMany(form) => format!("{} or a list", form.noun),
            Self::Mapping(_) => "a mapping".to_owned(),
            Self::Either(form, _) => format!("{} or a mapping", form.noun),
            Self::Named(named) => format!("a mapping with each {} as a key", named.noun),
            Self::Any(whose) => format!("a mapping with {whose}"),
        }
    }

    /// Whether it may stand without a value.
    pub(crate) fn may_be_empty(&self) -> bool {
        match self {
            Self::Mapping(mapping) | Self::Either(_, mapping) => mapping.may_be_empty,
            Self::One(_) | Self::List(_) | Self::OneOrMany(_) | Self::Named(_) | Self::Any(_) => false,
        }
    }
}

impl MappingOutline {
    /// The titles of the mappings that have a key.
    pub(crate) fn homes(&self, key: &str) -> Vec<&'static str> {
        let mut homes = Vec::new();
        each_mapping(self, &mut |mapping| {
            if mapping.keys.iter().any(|row| row.name == key) && !homes.contains(&mapping.title) {
                homes.push(mapping.title);
            }
        });
        homes
    }
}

/// Calls `visit` with each mapping of an outline, outer ones first, in the order of the rows.
pub(crate) fn each_mapping<'a>(mapping: &'a MappingOutline, visit: &mut impl FnMut(&'a MappingOutline)) {
    visit(mapping);
    for key in &mapping.keys {
        let mut value = &key.value;
        loop {
            match value {
                Outline::Mapping(mapping) | Outline::Either(_, mapping) => each_mapping(mapping, visit),
                Outline::Named(named) => {
                    value = &named.value;
                    continue;
                }
                Outline::One(_) | Outline::List(_) | Outline::OneOrMany(_) | Outline::Any(_) => {}
            }
            break;
        }
    }
}
