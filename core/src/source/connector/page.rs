//! Page: how a stream asks for the next page of what it reads.

use serde_json::Value;

use super::component::{Component, Missing};
use super::python;
use super::request::{Injection, Options};
use super::response::Response;
use super::template::{Datum, Scope, Slice, Template};

/// Where the token of a page is put.
#[derive(Debug, Clone)]
enum TokenPlace {
    Nowhere,
    /// It is the path, or the whole address.
    Path,
    Injected(Injection),
}

/// How the token of the next page is found.
#[derive(Debug, Clone)]
enum Strategy {
    /// The number of the page.
    Number { start: i64, is_first: bool },
    /// How many records came before.
    Offset { is_first: bool },
    /// What a template finds in the response.
    Cursor { value: Box<Template>, stop: Option<Box<Template>> },
}

/// How a stream asks for the next page.
#[derive(Debug, Clone)]
pub(super) struct Paginator {
    size: Option<Template>,
    size_place: Option<Injection>,
    token_place: TokenPlace,
    strategy: Option<Strategy>,
}

/// What is known of a page when the next is asked for.
pub(super) struct Last<'a> {
    pub(super) response: &'a Response,
    /// The first element of the response, decoded; of no use to who does not look at the response.
    pub(super) first: &'a Value,
    /// So many records were extracted.
    pub(super) extracted: usize,
    /// So many records came out in the end, and the last of them.
    pub(super) kept: usize,
    pub(super) record: Option<&'a Value>,
    pub(super) token: Option<&'a Value>,
    pub(super) slice: &'a Slice,
}

impl Paginator {
    /// A stream of one page.
    pub(super) fn single() -> Self {
        Self { size: None, size_place: None, token_place: TokenPlace::Nowhere, strategy: None }
    }

    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        match component.ty {
            "NoPagination" => return Some(Self::single()),
            "DefaultPaginator" => {}
            _ => {
                component.is_missing(missing);
                return None;
            }
        }
        component.knows(missing);
        let strategy = component.child("pagination_strategy", missing)?;
        let size = strategy.template("page_size", missing).filter(|size| !size.source().is_empty());
        let is_first = strategy.flag("inject_on_first_request");
        let read = match strategy.ty {
            "PageIncrement" => {
                strategy.knows(missing);
                let start = strategy.get("start_from_page").map_or(Some(0), |start| {
                    start.as_i64().or_else(|| start.as_str().and_then(|text| text.trim().parse().ok()))
                });
                if start.is_none() {
                    missing.add("a `start_from_page` that is no whole number");
                }
                Strategy::Number { start: start.unwrap_or(0), is_first }
            }
            "OffsetIncrement" => {
                strategy.knows(missing);
                Strategy::Offset { is_first }
            }
            "CursorPagination" => {
                strategy.knows(missing);
                Strategy::Cursor {
                    value: Box::new(strategy.needed("cursor_value", missing)?),
                    stop: strategy
                        .template("stop_condition", missing)
                        .filter(|stop| !stop.source().is_empty())
                        .map(Box::new),
                }
            }
            _ => {
                strategy.is_missing(missing);
                return None;
            }
        };
        let size_place =
            component.child("page_size_option", missing).and_then(|option| Injection::read(&option, missing));
        let token_place = match component.child("page_token_option", missing) {
            Some(option) if option.ty == "RequestPath" => TokenPlace::Path,
            Some(option) => Injection::read(&option, missing).map_or(TokenPlace::Nowhere, TokenPlace::Injected),
            None => TokenPlace::Nowhere,
        };
        if size_place.is_some() && size.is_none() {
            missing.add("a `page_size_option` without a `page_size`");
        }
        Some(Self { size, size_place, token_place, strategy: Some(read) })
    }

    /// Whether records are counted to know where the next page begins.
    pub(super) fn is_counting(&self) -> bool {
        matches!(self.strategy, Some(Strategy::Offset { .. }))
    }

    /// Whether it looks at the response for the next page.
    pub(super) fn sees_response(&self) -> bool {
        let is_response = |name: &str| name == "response";
        match &self.strategy {
            Some(Strategy::Cursor { value, stop }) => {
                value.names().chain(stop.iter().flat_map(|stop| stop.names())).any(is_response)
            }
            Some(Strategy::Offset { .. }) => self.size.iter().flat_map(|size| size.names()).any(is_response),
            _ => false,
        }
    }

    /// The token of the first page.
    pub(super) fn first_token(&self) -> Option<Value> {
        match self.strategy {
            Some(Strategy::Number { start, is_first: true }) => Some(start.into()),
            Some(Strategy::Offset { is_first: true }) => Some(0.into()),
            _ => None,
        }
    }

    /// The size of a page. An `OffsetIncrement` may find it in a response, of which there is none before the first page.
    fn size(&self, response: Option<&Value>, scope: &Scope<'_>) -> Result<Option<i64>, String> {
        let Some(size) = &self.size else { return Ok(None) };
        let mut scope = Scope::new(scope.now, scope.chance, scope.config);
        if matches!(self.strategy, Some(Strategy::Offset { .. })) {
            scope = scope.with("response", response.map_or(Datum::Undefined, Datum::from));
        }
        let found = size.value(&scope)?;
        let size = found.as_i64().ok_or_else(|| format!("the page size `{}` is no whole number", size.source()));
        size.map(Some)
    }

    /// The path that the token is, if it is one.
    pub(super) fn path(&self, token: Option<&Value>) -> Option<String> {
        let token = token.filter(|token| python::is_true(token))?;
        matches!(self.token_place, TokenPlace::Path).then(|| python::text(token))
    }

    /// What it injects into the request of a page.
    pub(super) fn options(&self, token: Option<&Value>, scope: &Scope<'_>) -> Result<Options, String> {
        let mut options = Options::default();
        if let (TokenPlace::Injected(place), Some(token)) = (&self.token_place, token) {
            place.inject(&mut options, token.clone(), scope)?;
        }
        if let Some(place) = &self.size_place
            && let Some(size) = self.size(None, scope)?.filter(|size| *size != 0)
        {
            place.inject(&mut options, size.into(), scope)?;
        }
        Ok(options)
    }

    /// The token of the next page; `None`: that was the last.
    pub(super) fn next(&self, last: &Last<'_>, scope: &Scope<'_>) -> Result<Option<Value>, String> {
        let Some(strategy) = &self.strategy else { return Ok(None) };
        let size = self.size(Some(last.first), scope)?;
        let extracted = i64::try_from(last.extracted).unwrap_or(i64::MAX);
        let is_short = extracted == 0 || size.is_some_and(|size| size != 0 && extracted < size);
        let number = || match last.token {
            None => Ok(None),
            Some(token) => token.as_i64().map(Some).ok_or("the token of the page is no whole number"),
        };
        Ok(match strategy {
            Strategy::Number { .. } | Strategy::Offset { .. } if is_short => None,
            Strategy::Number { start, .. } => Some((number()?.unwrap_or(*start) + 1).into()),
            Strategy::Offset { .. } => Some((number()?.unwrap_or(0) + extracted).into()),
            Strategy::Cursor { value, stop } => {
                let headers = last.response.header_map_with_links();
                let kept = Value::from(last.kept);
                let size = size.map_or(Value::Null, Value::from);
                let none = Value::Null;
                let mut scope = Scope::new(scope.now, scope.chance, scope.config);
                scope = scope
                    .with("response", Datum::from(last.first))
                    .with("headers", Datum::Headers(&headers))
                    .with("last_record", Datum::from(last.record.unwrap_or(&none)))
                    .with("last_page_size", Datum::from(&kept))
                    .with("page_size", Datum::from(&size));
                for name in ["stream_slice", "stream_interval", "stream_partition"] {
                    scope = scope.with(name, Datum::Slice(last.slice));
                }
                if let Some(stop) = stop
                    && stop.holds(&scope)?
                {
                    return Ok(None);
                }
                let token = value.value(&scope)?;
                Some(token).filter(python::is_true)
            }
        })
    }
}
