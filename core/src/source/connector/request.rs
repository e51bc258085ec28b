//! Request: what a stream asks of its server. The requester says most of it; authenticators, paginators and partitions add
//! what they inject. Two that say the same key are wrong, as they are for the reference.

use serde_json::{Map, Value};

use super::authenticate::Authenticator;
use super::component::{Component, Missing};
use super::cookie::Jar;
use super::failure::Rules;
use super::python;
use super::response::Response;
use super::template::{Scope, Template, Types};
use super::url;
use crate::error::{Error, ErrorKind};

/// One request over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Headers, in order; what the transport adds is not among them.
    pub headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub body: Option<String>,
}

impl Request {
    /// The address without its query, which may be secret.
    pub(super) fn place(&self) -> &str {
        self.url.split(['?', '#']).next().unwrap_or_default()
    }

    /// The request that a redirect leads to, as clients of HTTP make it: 301, 302 and 303 ask with GET and without the body. The
    /// error says that it leads to another server, to which nothing is sent. What the response sets as cookies is told there.
    pub fn redirected(&self, response: &Response, location: &str) -> Result<Self, Error> {
        let status = response.status;
        let url = url::redirected(&self.url, location).ok_or_else(|| {
            let from = self.url.split(['?', '#']).next().unwrap_or_default();
            Error::new(ErrorKind::Refused, format!("`{from}` redirects to another server, which is not followed"))
        })?;
        let mut next = Self { url, ..self.clone() };
        if matches!(status, 301..=303) && next.method != "HEAD" {
            next.method = "GET".to_owned();
            next.body = None;
            next.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        }
        let mut jar = Jar::default();
        jar.take("", &self.url, &response.headers, 0);
        if let Some(told) = jar.header("", &next.url, 0) {
            match next.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
                Some((_, known)) => {
                    let is_set = |pair: &&str| pair.split('=').next().is_some_and(|name| jar.has(name.trim()));
                    let rest: Vec<&str> =
                        known.split("; ").filter(|pair| !is_set(pair)).chain([told.as_str()]).collect();
                    *known = rest.join("; ");
                }
                None => next.headers.push(("Cookie".to_owned(), told)),
            }
        }
        Ok(next)
    }
}

/// Where something is injected into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Query,
    Header,
    Form,
    Json,
}

/// Where a value is injected, and under which name.
#[derive(Debug, Clone)]
pub(super) struct Injection {
    pub(super) place: Place,
    /// One name, or a path into the JSON of the body.
    path: Vec<Template>,
}

impl Injection {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "RequestOption" {
            component.is_missing(missing);
            return None;
        }
        // `page_size` stands here in public manifests, and the reference takes nothing from it.
        component.knows(missing);
        let place = match component.text("inject_into") {
            Some("request_parameter") => Place::Query,
            Some("header") => Place::Header,
            Some("body_data") => Place::Form,
            Some("body_json") => Place::Json,
            other => {
                missing.add(format!("injecting into `{}`", other.unwrap_or_default()));
                return None;
            }
        };
        let path = match component.template("field_name", missing) {
            Some(name) => vec![name],
            None => component.templates("field_path", missing),
        };
        if path.is_empty() || (path.len() > 1 && place != Place::Json) {
            missing.add("a `RequestOption` whose `field_name` or `field_path` fits no place");
            return None;
        }
        Some(Self { place, path })
    }

    /// An injection into a header.
    pub(super) fn header(name: Template) -> Self {
        Self { place: Place::Header, path: vec![name] }
    }

    /// Injects a value.
    pub(super) fn inject(&self, options: &mut Options, value: Value, scope: &Scope<'_>) -> Result<(), String> {
        let mut names = self.path.iter().map(|name| name.text(scope)).collect::<Result<Vec<_>, _>>()?;
        let last = names.pop().unwrap_or_default();
        let mut own = Map::new();
        own.insert(last, value);
        while let Some(name) = names.pop() {
            own = Map::from_iter([(name, Value::Object(own))]);
        }
        options.add(self.place, own)
    }
}

/// What is injected into a request, by place.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) query: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
    pub(super) form: Map<String, Value>,
    pub(super) json: Map<String, Value>,
    /// A form that is a text as it stands.
    pub(super) text: Option<String>,
}

impl Options {
    fn at(&mut self, place: Place) -> &mut Map<String, Value> {
        match place {
            Place::Query => &mut self.query,
            Place::Header => &mut self.headers,
            Place::Form => &mut self.form,
            Place::Json => &mut self.json,
        }
    }

    /// Adds entries at a place. A key that is there already is wrong, unless JSON says the same, or is merged, under it.
    pub(super) fn add(&mut self, place: Place, entries: Map<String, Value>) -> Result<(), String> {
        merge(self.at(place), entries, place == Place::Json)
    }

    /// Adds all of another's.
    pub(super) fn join(&mut self, other: Self) -> Result<(), String> {
        for place in [Place::Query, Place::Header, Place::Form, Place::Json] {
            let mut other = other.clone();
            let entries = std::mem::take(other.at(place));
            self.add(place, entries)?;
        }
        if other.text.is_some() && (self.text.is_some() || !self.form.is_empty()) {
            return Err("two parts of the stream give the body of the request".to_owned());
        }
        self.text = self.text.take().or(other.text);
        Ok(())
    }

    /// Adds all of another's, which win.
    pub(super) fn overlay(&mut self, mut other: Self) {
        for place in [Place::Query, Place::Header, Place::Form, Place::Json] {
            let entries = std::mem::take(other.at(place));
            self.at(place).extend(entries);
        }
    }
}

fn merge(target: &mut Map<String, Value>, entries: Map<String, Value>, is_json: bool) -> Result<(), String> {
    for (key, value) in entries {
        match (target.get_mut(&key), value) {
            (None, value) => _ = target.insert(key, value),
            (Some(Value::Object(there)), Value::Object(value)) if is_json => merge(there, value, true)?,
            (Some(there), value) if is_json && *there == value => {}
            _ => return Err(format!("two parts of the stream give `{key}` to the request")),
        }
    }
    Ok(())
}

/// What a requester says at one place.
#[derive(Debug, Clone)]
enum Entries {
    Map(Vec<(Template, Entry)>),
    Text(Template),
}

/// A value of the manifest whose texts are templates.
#[derive(Debug, Clone)]
enum Entry {
    Template(Template),
    List(Vec<Self>),
    Map(Vec<(Template, Self)>),
    Value(Value),
}

impl Entry {
    fn read(component: &Component<'_>, value: &Value, missing: &mut Missing) -> Option<Self> {
        Some(match value {
            Value::String(text) => Self::Template(component.parse(text, missing)?),
            Value::Array(items) => {
                Self::List(items.iter().filter_map(|item| Self::read(component, item, missing)).collect())
            }
            Value::Object(map) => Self::Map(Self::entries(component, map, missing)),
            scalar => Self::Value(scalar.clone()),
        })
    }

    fn entries(component: &Component<'_>, map: &Map<String, Value>, missing: &mut Missing) -> Vec<(Template, Self)> {
        let entry = |(key, value): (&String, &Value)| {
            let key = component.parse(key, missing)?;
            Some((key, Self::read(component, value, missing)?))
        };
        map.iter().filter_map(entry).collect()
    }

    fn value(&self, scope: &Scope<'_>) -> Result<Value, String> {
        match self {
            Self::Template(template) => template.optional(scope, Types::Any).map(|literal| literal.value),
            Self::List(items) => items.iter().map(|item| item.value(scope)).collect(),
            Self::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let value = value.value(scope)?;
                    if !value.is_null() {
                        map.insert(key.text(scope)?, value);
                    }
                }
                Ok(Value::Object(map))
            }
            Self::Value(value) => Ok(value.clone()),
        }
    }
}

impl Entries {
    /// With the entry of a key before the others.
    fn beginning_with(mut self, key: &str) -> Self {
        if let Self::Map(entries) = &mut self {
            entries.sort_by_key(|(name, _)| name.source() != key);
        }
        self
    }

    fn read(component: &Component<'_>, field: &str, missing: &mut Missing) -> Option<Self> {
        let value = component.get(field)?;
        match value {
            Value::Object(map) => {
                let entries = map.iter().filter(|(_, value)| !is_properties(value));
                let entries = entries.map(|(key, value)| (key.clone(), value.clone())).collect();
                Some(Self::Map(Entry::entries(component, &entries, missing)))
            }
            Value::String(text) if !text.is_empty() => Some(Self::Text(component.parse(text, missing)?)),
            Value::String(_) => None,
            Value::Array(items) if items.is_empty() => None,
            _ => {
                missing.add(format!("what stands in the field `{field}` of `{}`", component.ty));
                None
            }
        }
    }

    /// A mapping of one level, its nulls left out; or a text.
    fn flat(&self, scope: &Scope<'_>, keys: Types, values: Types) -> Result<Value, String> {
        let Self::Map(entries) = self else { return self.text(scope, Types::Any) };
        let mut map = Map::new();
        for (key, entry) in entries {
            let value = match entry {
                Entry::Template(template) => literal_value(template, scope, values)?,
                other => other.value(scope)?,
            };
            if !value.is_null() {
                map.insert(key.optional(scope, keys)?.to_text(), value);
            }
        }
        Ok(Value::Object(map))
    }

    fn text(&self, scope: &Scope<'_>, types: Types) -> Result<Value, String> {
        match self {
            Self::Text(template) => template.literal(scope, types).map(|literal| literal.value),
            Self::Map(entries) => Entry::Map(entries.clone()).value(scope),
        }
    }
}

/// Whether a parameter has the properties that are asked for by name, as the stream says them.
fn is_properties(value: &Value) -> bool {
    value.get("type").is_some_and(|ty| ty == "QueryProperties")
}

/// A tuple is written as a text where no list is meant.
fn literal_value(template: &Template, scope: &Scope<'_>, types: Types) -> Result<Value, String> {
    let literal = template.optional(scope, types)?;
    Ok(if literal.is_tuple { Value::String(literal.to_text()) } else { literal.value })
}

/// How the requests of a stream are made.
#[derive(Debug, Clone)]
pub(super) struct Requester {
    method: String,
    url: Option<Template>,
    base: Option<Template>,
    path: Option<Template>,
    query: Option<Entries>,
    headers: Option<Entries>,
    form: Option<Entries>,
    json: Option<Entries>,
    /// How it proves who asks.
    pub(super) authenticator: Authenticator,
    /// What is done about responses that are not as they should be.
    pub(super) rules: Rules,
    /// Whether the same request is sent once only.
    pub(super) is_cached: bool,
    /// Whether it asks for what a job has made, which may lie where the server says.
    pub(super) is_download: bool,
}

impl Requester {
    pub(super) fn read(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        component.lacks("query_properties", missing);
        component.lacks("fetch_properties_from_endpoint", missing);
        let parameters = component.get("request_parameters").and_then(Value::as_object);
        if parameters.is_some_and(|parameters| parameters.values().any(is_properties)) {
            missing.add("`QueryProperties` of other than a stream");
        }
        Self::read_with_properties(component, missing)
    }

    /// The same, of a stream that asks for properties by name.
    pub(super) fn read_with_properties(component: &Component<'_>, missing: &mut Missing) -> Option<Self> {
        if component.ty != "HttpRequester" {
            component.is_missing(missing);
            return None;
        }
        component.knows(missing);
        let method = component.text("http_method").unwrap_or("GET").to_uppercase();
        if !["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].contains(&method.as_str()) {
            missing.add(format!("the method `{method}`"));
        }
        let (mut form, mut json) = (
            Entries::read(component, "request_body_data", missing),
            Entries::read(component, "request_body_json", missing),
        );
        if let Some(body) = component.child("request_body", missing) {
            body.knows(missing);
            let entries = Entries::read(&body, "value", missing);
            match body.ty {
                "RequestBodyJsonObject" => json = entries,
                // The query stands first, wherever the manifest has it.
                "RequestBodyGraphQL" => json = entries.map(|entries| entries.beginning_with("query")),
                "RequestBodyUrlEncodedForm" | "RequestBodyPlainText" => form = entries,
                _ => body.is_missing(missing),
            }
        }
        let url = component.template("url", missing);
        let base = component.template("url_base", missing);
        let authenticator = match component.child("authenticator", missing) {
            Some(authenticator) => Authenticator::read(&authenticator, base.as_ref().or(url.as_ref()), missing)?,
            None => Authenticator::Nobody,
        };
        if url.is_none() && base.is_none() {
            missing.add("a requester without an address");
        }
        Some(Self {
            method,
            url,
            base,
            path: component.template("path", missing),
            query: Entries::read(component, "request_parameters", missing),
            headers: Entries::read(component, "request_headers", missing),
            form,
            json,
            authenticator,
            rules: Rules::read(component.child("error_handler", missing), missing),
            is_cached: component.flag("use_cache"),
            is_download: false,
        })
    }

    /// The same; `is_download`: it asks for what a job has made.
    #[must_use]
    pub(super) fn downloading(self, is_download: bool) -> Self {
        Self { is_download, ..self }
    }

    /// The address that every request of this requester begins with, as far as it says one.
    pub(super) fn base(&self) -> Option<&Template> {
        self.base.as_ref().or(self.url.as_ref())
    }

    /// The host of its path, where that begins with an address of its own: what stands before the first template, or what is made of
    /// nothing but the configuration and lists.
    pub(super) fn host_of_path(&self, scope: &Scope<'_>) -> Option<String> {
        let path = self.path.as_ref()?;
        let is_address = |text: &str| ["http://", "https://"].iter().any(|start| text.starts_with(start));
        let source = path.source().trim_start();
        let end = ["{{", "{%", "{#"].iter().filter_map(|mark| source.find(*mark)).min().unwrap_or(source.len());
        let written = &source[..end];
        let is_whole = end == source.len() || written.splitn(4, '/').count() == 4;
        if is_address(written) {
            return if is_whole { url::plain_host(written) } else { self.computed_host(path, scope) };
        }
        self.computed_host(path, scope)
    }

    fn computed_host(&self, path: &Template, scope: &Scope<'_>) -> Option<String> {
        let none = Value::Null;
        let text = path.text(&scope.clone().with("next_page_token", (&none).into())).ok()?;
        text.starts_with("http").then(|| url::plain_host(&text)).flatten()
    }

    /// The request that it makes. `path` replaces its own, as the next page may; `options` are what others inject, and
    /// `proof` is the authenticator's.
    pub(super) fn request(
        &self,
        scope: &Scope<'_>,
        path: Option<&str>,
        proof: Options,
        options: Options,
    ) -> Result<Request, String> {
        let text = |template: &Option<Template>| template.as_ref().map_or(Ok(String::new()), |found| found.text(scope));
        let (url, base) = (text(&self.url)?, text(&self.base)?);
        let path = match path {
            Some(path) => path.to_owned(),
            None => text(&self.path)?.trim_start_matches('/').to_owned(),
        };
        let address = if base.is_empty() { url } else { base };
        let address = if path.is_empty() { address } else { url::join(&address, &path) };
        let mut all = self.own(scope)?;
        all.join(proof)?;
        all.join(options)?;
        let headers = all.headers.iter().map(|(name, value)| (name.clone(), python::text(value))).collect();
        if let Some((name, _)) = all.query.iter().find(|(_, value)| value.is_object()) {
            return Err(format!("the query parameter `{name}` is a mapping"));
        }
        let has_body = ["GET", "POST", "PUT", "PATCH"].contains(&self.method.as_str());
        let mut request =
            Request { method: self.method.clone(), url: url::with_query(&address, &all.query)?, headers, body: None };
        if !has_body {
            return Ok(request);
        }
        let form = all.text.filter(|text| !text.is_empty());
        let content = match (all.json.is_empty(), all.form.is_empty(), form) {
            (true, true, None) => None,
            (false, true, None) => {
                request.body = Some(super::template::spaced(&Value::Object(all.json)));
                Some("application/json")
            }
            (true, false, None) => {
                request.body = Some(url::form(&all.form));
                Some("application/x-www-form-urlencoded")
            }
            (true, true, Some(text)) => {
                request.body = Some(text);
                None
            }
            _ => return Err("the request has two bodies".to_owned()),
        };
        let has_type = request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Some(content) = content.filter(|_| !has_type) {
            request.headers.push(("Content-Type".to_owned(), content.to_owned()));
        }
        Ok(request)
    }

    fn own(&self, scope: &Scope<'_>) -> Result<Options, String> {
        let mut options = Options::default();
        let flat = |entries: &Option<Entries>, keys, values| {
            entries.as_ref().map_or(Ok(Value::Null), |entries| entries.flat(scope, keys, values))
        };
        // A query that is a text as a whole is none for the reference either, unless it means a mapping.
        if let Value::Object(query) = flat(&self.query, Types::Text, Types::TextOrList)? {
            options.query = query;
        }
        match flat(&self.headers, Types::Any, Types::Any)? {
            Value::Object(headers) => options.headers = headers,
            Value::Null => {}
            _ => return Err("the headers of the request are a text".to_owned()),
        }
        match flat(&self.form, Types::Text, Types::TextOrList)? {
            Value::Object(form) => options.form = form,
            Value::String(text) => options.text = Some(text),
            _ => {}
        }
        match self.json.as_ref().map_or(Ok(Value::Null), |entries| entries.text(scope, Types::Any))? {
            Value::Object(json) => options.json = json,
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            _ => return Err("the JSON of the request is no mapping".to_owned()),
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_two_give_is_wrong_unless_json_says_the_same() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let mut options = Options::default();
        options.add(Place::Json, map(json!({"a": {"b": 1}}))).unwrap();
        options.add(Place::Json, map(json!({"a": {"b": 1, "c": 2}}))).unwrap();
        assert_eq!(options.json, map(json!({"a": {"b": 1, "c": 2}})));
        assert!(options.add(Place::Json, map(json!({"a": {"b": 2}}))).is_err());
        options.add(Place::Query, map(json!({"q": 1}))).unwrap();
        assert!(options.add(Place::Query, map(json!({"q": 1}))).is_err());
    }
}
