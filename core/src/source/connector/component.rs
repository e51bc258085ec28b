//! Component: a part of a manifest while it is read, and the list of what it asks for that we do not have.
//!
//! Every field is either read, or on the list, or one that the format has nowhere at its place, which the reference passes
//! over and so do we. Those are on a list of their own: nothing that a manifest says is passed over in silence.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::manifest::PARAMETERS;
use super::python;
use super::schema;
use super::template::Template;

/// What a stream asks for, each a few words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// What we do not have: the stream is refused.
    pub(super) lacked: BTreeSet<String>,
    /// What means nothing in the format.
    pub(super) ignored: BTreeSet<String>,
}

impl Missing {
    /// One more that we do not have.
    pub(super) fn add(&mut self, what: impl Into<String>) {
        self.lacked.insert(what.into());
    }
}

/// Which fields of which components were asked for, for the test that holds the list of the format to whoever reads it.
#[cfg(test)]
pub(super) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static ASKED: RefCell<BTreeSet<(String, String)>> = RefCell::default();
    }

    pub(super) fn note(ty: &str, field: &str) {
        ASKED.with_borrow_mut(|asked| asked.insert((ty.to_owned(), field.to_owned())));
    }

    /// What was asked for since the last call, each a type and a field.
    pub(in super::super) fn take() -> BTreeSet<(String, String)> {
        ASKED.take()
    }
}

/// A component of a manifest.
#[derive(Debug, Clone)]
pub(super) struct Component<'a> {
    /// Its type.
    pub(super) ty: &'a str,
    fields: &'a Map<String, Value>,
    parameters: Arc<Value>,
}

impl<'a> Component<'a> {
    /// The component that a value is; `None`, and on the list, if it is none.
    pub(super) fn of(value: &'a Value, missing: &mut Missing) -> Option<Self> {
        let component = value.as_object().and_then(|fields| {
            let ty = fields.get("type")?.as_str()?;
            let parameters = fields.get(PARAMETERS).cloned().unwrap_or_else(|| Value::Object(Map::new()));
            Some(Self { ty, fields, parameters: Arc::new(parameters) })
        });
        if component.is_none() {
            let class = value.get("class_name").and_then(Value::as_str);
            missing.add(class.map_or_else(
                || "a component without a type".to_owned(),
                |class| format!("the Python class `{class}`"),
            ));
        }
        component
    }

    /// All that it says, as one text.
    pub(super) fn identity(&self) -> String {
        serde_json::to_string(self.fields).unwrap_or_default()
    }

    /// The component that a mapping is whose type its place tells.
    pub(super) fn named(value: &'a Value, ty: &'a str) -> Option<Self> {
        let fields = value.as_object()?;
        let parameters = fields.get(PARAMETERS).cloned().unwrap_or_else(|| Value::Object(Map::new()));
        Some(Self { ty, fields, parameters: Arc::new(parameters) })
    }

    /// Says that its type is none that we have.
    pub(super) fn is_missing(&self, missing: &mut Missing) {
        let class = self.fields.get("class_name").and_then(Value::as_str);
        missing.add(match class {
            Some(class) => format!("the Python class `{class}`"),
            None => format!("the component `{}`", self.ty),
        });
    }

    /// Puts every field on one of the lists that the format does not have here, or that we do not have, and that no component above
    /// gives.
    pub(super) fn knows(&self, missing: &mut Missing) {
        let is_inherited = |field: &str| self.parameters.get(field).is_some();
        let fields = schema::fields(self.ty);
        for (field, value) in self.fields {
            let is_known = ["type", PARAMETERS, "description", "title", "name"].contains(&field.as_str())
                || fields.contains(&field.as_str())
                || is_inherited(field);
            if is_known || value.is_null() {
                continue;
            }
            let what = format!("the field `{field}` of `{}`", self.ty);
            if schema::is_refused(self.ty, field) {
                missing.lacked.extend(Some(what).filter(|_| python::is_true(value)));
            } else {
                missing.ignored.insert(what);
            }
        }
    }

    /// Puts a field on the list if it says something that Python takes as true.
    pub(super) fn lacks(&self, field: &str, missing: &mut Missing) {
        if self.get(field).is_some_and(python::is_true) {
            missing.add(format!("the field `{field}` of `{}`", self.ty));
        }
    }

    /// A field that is not null.
    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        #[cfg(test)]
        asked::note(self.ty, field);
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// A field that is a text.
    pub(super) fn text(&self, field: &str) -> Option<&'a str> {
        self.get(field).and_then(Value::as_str)
    }

    /// Whether a field says yes.
    pub(super) fn flag(&self, field: &str) -> bool {
        self.get(field).is_some_and(python::is_true)
    }

    /// A field that is a component.
    pub(super) fn child(&self, field: &str, missing: &mut Missing) -> Option<Self> {
        self.get(field).and_then(|value| Self::of(value, missing))
    }

    /// A field that is a list of components, or one.
    pub(super) fn children(&self, field: &str, missing: &mut Missing) -> Vec<Self> {
        match self.get(field) {
            Some(Value::Array(items)) => items.iter().filter_map(|item| Self::of(item, missing)).collect(),
            Some(one) => Self::of(one, missing).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// A text of the component as a template.
    pub(super) fn parse(&self, source: &str, missing: &mut Missing) -> Option<Template> {
        match Template::parse(source, &self.parameters) {
            Ok(template) => Some(template),
            Err(wrong) => {
                wrong.into_iter().for_each(|what| missing.add(what));
                None
            }
        }
    }

    /// A field that is a template; a number or a truth value is a text as Python writes it.
    pub(super) fn template(&self, field: &str, missing: &mut Missing) -> Option<Template> {
        let value = self.get(field)?;
        if value.is_array() || value.is_object() {
            missing.add(format!("what stands in the field `{field}` of `{}`", self.ty));
            return None;
        }
        self.parse(&python::text(value), missing)
    }

    /// A field that must be there.
    pub(super) fn needed(&self, field: &str, missing: &mut Missing) -> Option<Template> {
        if self.get(field).is_none() {
            missing.add(format!("`{}` without `{field}`", self.ty));
        }
        self.template(field, missing)
    }

    /// A field that is a list of templates.
    pub(super) fn templates(&self, field: &str, missing: &mut Missing) -> Vec<Template> {
        let items = match self.get(field) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        items.iter().filter_map(|item| self.parse(&python::text(item), missing)).collect()
    }
}
