//! Reading: a slice while it is read, page by page.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::exchange::{Exchange, Outcome, Pushed, answered};
use super::{Event, Page, Shared};
use crate::source::connector::page::Last;
use crate::source::connector::partition::Shape;
use crate::source::connector::position::Position;
use crate::source::connector::property::{Merged, extra};
use crate::source::connector::raw::Raw;
use crate::source::connector::request::{Options, Request};
use crate::source::connector::response::Response;
use crate::source::connector::stream::Stream;
use crate::source::connector::template::{Datum, Slice};

/// So often the next page may be the same as this one.
const SAME_PAGES_MAX: usize = 100;
/// So many answers are told that have nothing where records stand.
const NOTES_MAX: usize = 3;

/// A slice that is being read, page by page.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reading {
    pub(super) slice: Slice,
    token: Option<Value>,
    #[serde(flatten)]
    exchange: Exchange,
    pages: usize,
    /// So many pages in a row had the same token.
    same_pages: usize,
    /// The page that was read is the last.
    is_last: bool,
    /// The parts of its properties that a page is asked for in, the one at work, and what the ones before it gave. Whoever goes on
    /// later asks for the page from its first part.
    #[serde(skip)]
    parts: Vec<Vec<String>>,
    #[serde(skip)]
    part: usize,
    #[serde(skip)]
    merged: Merged,
    /// The responses of the page that is at work.
    #[serde(skip)]
    responses: Vec<Raw>,
}

impl Reading {
    pub(super) fn new(slice: Slice, token: Option<Value>) -> Self {
        Self {
            slice,
            token,
            exchange: Exchange::default(),
            pages: 0,
            same_pages: 0,
            is_last: false,
            parts: Vec::new(),
            part: 0,
            merged: Merged::default(),
            responses: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, pushed: Pushed) {
        self.exchange.push(pushed);
    }

    /// `named`: the properties that the stream has, if it asks for them by name.
    pub(super) fn step(
        &mut self,
        stream: &Stream,
        owner: &str,
        named: Option<&[String]>,
        position: &mut Position,
        shared: &mut Shared,
    ) -> Result<Event, String> {
        loop {
            if self.is_last {
                return Ok(Event::Done);
            }
            if let (Some(properties), true) = (&stream.properties, self.parts.is_empty()) {
                self.parts = properties.parts(named.unwrap_or_default());
            }
            let of_part = self.parts.get(self.part).map(|part| Slice { extra: extra(part), ..self.slice.clone() });
            let (slice, token) = (of_part.as_ref().unwrap_or(&self.slice), self.token.as_ref());
            let build = |proof: Options, shared: &Shared| request(stream, slice, token, proof, shared);
            let (request, response) = match self.exchange.step(&stream.requester, owner, shared, &build)? {
                Outcome::Event(event) => return Ok(event),
                Outcome::Answer(request, response) => (request, response),
            };
            let status = response.as_ref().map_or(0, |response| response.status);
            // Those of parents give partitions and no records.
            if let Some(response) = response.as_ref().filter(|_| shared.bounds.keeps_responses && owner.is_empty()) {
                self.responses.push(shared.raw(&request, response));
            }
            let Some(records) = self.take(stream, &request, response.as_ref(), position, shared)? else { continue };
            let slice = self.slice.partition.iter().chain(&self.slice.window);
            let slice = slice.map(|(key, value)| (key.clone(), value.clone())).collect();
            let asked = format!("{} {}", request.method, request.place());
            let responses = std::mem::take(&mut self.responses);
            let page = Page { slice: Value::Object(slice), records, asked, status, responses };
            return Ok(Event::Page(Box::new(page), Box::new(self.slice.clone())));
        }
    }

    /// The records of a response, and what the next page is; `None`: there is no page yet, or none at all.
    fn take(
        &mut self,
        stream: &Stream,
        request: &Request,
        response: Option<&Response>,
        position: &mut Position,
        shared: &mut Shared,
    ) -> Result<Option<Vec<Value>>, String> {
        let is_whole = self.part + 1 >= self.parts.len();
        // What is passed over has no records, and no page after it.
        let Some(response) = response else {
            self.is_last = is_whole;
            self.part += 1;
            let records = std::mem::take(&mut self.merged).into_records();
            records.iter().filter(|_| is_whole).for_each(|record| position.observe(&self.slice, record));
            return Ok(Some(records).filter(|records| is_whole && !records.is_empty()));
        };
        let place = request.place();
        self.pages += 1;
        if self.pages > shared.bounds.pages_max {
            return Err(format!("`{place}` has more than {} pages", shared.bounds.pages_max));
        }
        let elements = stream.decoder.elements(response).map_err(|what| format!("`{place}`: {what}"))?;
        // What is read as it comes is not there any more when the next page is looked for.
        let is_seen = stream.paginator.sees_response() && !stream.decoder.is_streamed();
        let (extracted, first) = if is_seen {
            let extracted = stream.selector.extract(Cow::Borrowed(&elements), &shared.scope())?;
            (extracted, elements.into_iter().next())
        } else {
            (stream.selector.extract(elements.into(), &shared.scope())?, None)
        };
        let first = first.unwrap_or_else(|| Value::Object(Map::new()));
        if let Some(mark) = extracted.cut {
            let note = format!(
                "`{place}`: `{mark}` says that a list of a record is not the whole one; the rest of it was not read"
            );
            shared.note(&note);
        }
        if let Some(path) = extracted.lacks.filter(|_| shared.notes.len() < NOTES_MAX) {
            let note = format!(
                "page {} of {} `{place}` has nothing at `{path}`; it was taken for a page without records: look whether it is an \
                 error that the server answers with {}",
                self.pages,
                request.method,
                answered(response.status)
            );
            shared.note(&note);
        }
        let count = extracted.records.len() + extracted.skipped;
        shared.records += count;
        if shared.records > shared.bounds.records_max {
            return Err(format!("the stream has more than {} records", shared.bounds.records_max));
        }
        let cursor = stream.cursor.as_ref();
        let is_filtered = cursor.is_some_and(|cursor| cursor.is_client_side && !cursor.is_feed);
        let is_feed = cursor.is_some_and(|cursor| cursor.is_feed);
        let slice = &self.slice;
        let is_kept = |record: &Value| !is_filtered || position.is_synced(slice, record);
        let scope = shared.scope().sliced(slice);
        let refined = stream.selector.refine(extracted.records, &stream.transformations, is_kept, &scope);
        let mut records = refined.map_err(|what| format!("`{place}`: {what}"))?;
        if let Some(properties) = &stream.properties {
            properties.merge(&mut self.merged, records);
            self.part = if is_whole { 0 } else { self.part + 1 };
            if !is_whole {
                return Ok(None);
            }
            records = std::mem::take(&mut self.merged).into_records();
        }
        let is_past = is_feed && records.last().is_some_and(|record| !position.is_synced(slice, record));
        let last = Last {
            response,
            first: &first,
            extracted: count,
            kept: records.len(),
            record: records.last(),
            token: self.token.as_ref(),
            slice,
        };
        let next = if is_past { None } else { stream.paginator.next(&last, &shared.scope())? };
        if is_feed {
            records.retain(|record| position.is_synced(slice, record));
        }
        records.iter().for_each(|record| position.observe(slice, record));
        self.same_pages = if next.is_some() && next == self.token { self.same_pages + 1 } else { 0 };
        if self.same_pages > SAME_PAGES_MAX {
            return Err(format!("`{place}` names the same page as the next one, again and again"));
        }
        self.is_last = next.is_none();
        self.token = next;
        Ok(Some(records))
    }
}

/// The request for a page of a slice.
fn request(
    stream: &Stream,
    slice: &Slice,
    token: Option<&Value>,
    proof: Options,
    shared: &Shared,
) -> Result<Request, String> {
    let scope = shared.scope();
    let mut options = stream.paginator.options(token, &scope)?;
    if let Some(properties) = &stream.properties {
        properties.inject(slice, &mut options)?;
    }
    // What a job was ordered with is not said again when its records are downloaded.
    if stream.job.is_none() && (token.is_none() || !stream.is_bare_after_first) {
        let mut sliced = Options::default();
        // Of routers that inject under the same name, the first one's is taken.
        let injects = stream.routers.iter().rev().filter(|_| matches!(stream.shape, Shape::One | Shape::Product));
        for router in injects {
            sliced.overlay(router.options(slice, &scope)?);
        }
        if let Some(cursor) = &stream.cursor {
            sliced.overlay(cursor.options(slice, &scope)?);
        }
        options.join(sliced)?;
    }
    let named = token
        .map_or(Value::Null, |token| Value::Object(Map::from_iter([("next_page_token".to_owned(), token.clone())])));
    let scope = scope.sliced(slice).with("next_page_token", Datum::from(&named));
    let path = stream.paginator.path(token);
    stream.requester.request(&scope, path.as_deref(), proof, options)
}
