//! Find: a stream that the manifest does not name. The server is asked which there are, one template after the other, and the one that
//! is wanted is made of what it says.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Level, Shared, Start};
use crate::source::connector::Entry;
use crate::source::connector::component::{Component, Missing};
use crate::source::connector::dynamic::{Dynamic, name};
use crate::source::connector::stream::Stream;
use crate::source::connector::template::{Scope, Slice};

/// What was kept of a walk says under this key that the stream was not found yet, and with which state it begins.
const FINDING: &str = "finding";
/// So many names are told where the wanted one is not among them.
const NAMES_TOLD: usize = 20;

/// A stream that is looked for.
#[derive(Debug)]
pub(crate) struct Finding {
    wanted: String,
    /// Who is asked after the one that is asked now.
    templates: VecDeque<Arc<Dynamic>>,
    asked: Option<Arc<Dynamic>>,
    begins: Begins,
    /// What every stream asks for.
    missing: Missing,
    found: Option<Value>,
    names: Vec<String>,
    count: usize,
}

/// Where the stream begins.
#[derive(Debug, Clone)]
enum Begins {
    After(Option<Value>),
    Within(Value),
}

impl Finding {
    pub(crate) fn new(wanted: &str, templates: Vec<Arc<Dynamic>>, start: &Start<'_>, missing: Missing) -> Self {
        let begins = match start {
            Start::After(state) => Begins::After(state.cloned()),
            Start::Within(kept) => match kept.get(FINDING) {
                Some(state) => Begins::After(Some(state.clone()).filter(|state| !state.is_null())),
                None => Begins::Within((*kept).clone()),
            },
        };
        Self {
            wanted: wanted.to_owned(),
            templates: templates.into(),
            asked: None,
            begins,
            missing,
            found: None,
            names: Vec::new(),
            count: 0,
        }
    }

    /// Who is asked next, from the beginning.
    pub(super) fn next(&mut self, shared: &mut Shared) -> Result<Option<(Arc<Stream>, Level)>, String> {
        let Some(dynamic) = self.templates.pop_front() else { return Ok(None) };
        let Some(stream) = dynamic.asked().cloned() else { return Ok(None) };
        shared.may_ask(&stream)?;
        // The hosts of the template as it is written: an answer names none.
        let mut missing = Missing::default();
        let template = Component::of(dynamic.template(), &mut missing);
        if let Some(template) = template.and_then(|template| Stream::read(&template, 0, &mut missing)) {
            shared.may_ask(&template)?;
        }
        let level = Level::new(&stream, None, shared)?;
        self.asked = Some(dynamic);
        Ok(Some((stream, level)))
    }

    /// Takes what the server says of streams.
    pub(super) fn take(&mut self, records: &[Value], slice: &Slice, shared: &Shared) -> Result<(), String> {
        let Some(dynamic) = &self.asked else { return Ok(()) };
        for values in records {
            let stream = dynamic.fill(values, slice, &shared.scope())?;
            let Some(name) = name(&stream) else { continue };
            self.count += 1;
            if self.names.len() < NAMES_TOLD {
                self.names.push(format!("`{name}`"));
            }
            if name == self.wanted {
                if self.found.is_some() {
                    return Err(format!("the server says two streams `{name}`"));
                }
                self.found = Some(stream);
            }
        }
        Ok(())
    }

    /// The stream that was found, and where it begins.
    pub(super) fn found(&self, shared: &Shared) -> Result<(Arc<Stream>, bool, Level), String> {
        let wanted = &self.wanted;
        let Some(found) = &self.found else {
            let more = if self.count > self.names.len() { " and others" } else { "" };
            return Err(format!("the server has no stream `{wanted}`, but {}{more}", self.names.join(", ")));
        };
        let scope = Scope::new(shared.now, shared.chance, &shared.config);
        let start = match &self.begins {
            Begins::After(state) => Start::After(state.as_ref()),
            Begins::Within(kept) => Start::Within(kept),
        };
        let (stream, is_first, start) = Entry::read(found, &self.missing).chosen(wanted, &start, &scope)?;
        let level = Level::begin(&stream, start, shared)?;
        Ok((stream, is_first, level))
    }

    /// What another walk goes on with.
    pub(super) fn keep(&self) -> Value {
        match &self.begins {
            Begins::After(state) => json!({ FINDING: state }),
            Begins::Within(kept) => kept.clone(),
        }
    }
}
