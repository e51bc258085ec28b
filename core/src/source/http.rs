//! Http: an API that is described in a few lines of the pipeline file. The lines become a declarative manifest of one stream,
//! so that there is one way to read an API. Their values are put into its configuration, never into a template.

use serde_json::{Map, Value, json};

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::plan::identity;
use crate::spec::{
    AnyMapping, AnyText, Choice, Form, Hint, Keys, List, Mapping, Mismatch, Text, Tree, Whole, placeholder,
};
use crate::value::datetime::parse_date;

use super::Location;
use super::api::{Api, Manifest, responses};
use super::connector::{CALLS_MAX, FULL_JITTER, RETRY_AFTER};
use super::database::Seconds;

/// What the kind is called, in a pipeline file and in the identity of an input.
pub(crate) const KIND: &str = "http";

/// The name of the one stream.
const STREAM: &str = "records";

pub(super) fn key(keys: &mut Keys<'_>) -> Option<Location> {
    keys.optional(KIND, HTTP, "An API that is asked over HTTP, page by page.").map(Location::Http)
}

const HTTP: Mapping<Api> = Mapping {
    title: "http",
    doc: "An API that is asked over HTTP, page by page. What is read lands in the store first, and is loaded from there.",
    may_be_empty: false,
    keys: |keys| {
        let url = keys.required("url", Url, "The address, without what stands under `query`.");
        let method = keys.or("method", METHOD, "GET", "How it is asked.");
        let headers =
            keys.optional("headers", AnyMapping("names of headers, and a text for each"), "Headers of each request.");
        let query = keys.optional(
            "query",
            AnyMapping("names of parameters, and a text for each"),
            "Parameters of the address, in each request.",
        );
        let body =
            keys.optional("body", AnyMapping("what the API takes as JSON"), "The body of each request, as JSON.");
        let auth = keys.optional("auth", AUTH, "How the API is told who asks.").flatten();
        let format = keys.or("format", BODY, "json", "How answers are written.");
        let records = keys.optional(
            "records",
            Path,
            "Where in the answer the records are: `data.items`. If not said, the answer is the list of them.",
        );
        let paging = keys.optional("paging", PAGING, "How the next page is asked for. If not said, there is one page.");
        agrees(keys, format, records.as_deref(), paging.as_ref());
        let incremental = keys.optional(
            "incremental",
            INCREMENTAL,
            "What of the records is new, by a time in them. If not said, each run reads all of them.",
        );
        let rate = keys.optional("rate", Rate, "How often the API is asked at most: `100 per minute`.");
        let errors = keys.optional("errors", ERRORS, "What is done about an answer with another status than 2xx.");
        let keeps_responses = responses(keys);
        let mut made = Made::default();
        let requester = made.requester(&Asked {
            url: url.as_ref(),
            is_post: method,
            headers: headers.as_ref(),
            query: query.as_ref(),
            body: body.as_ref(),
            auth: auth.as_ref(),
            errors: errors.unwrap_or_default(),
        });
        let (url, records) = (url.unwrap_or_else(|| Text::empty(keys.owner())), records.unwrap_or_default());
        let cursor = incremental.as_ref().map_or("", |incremental| incremental.field.as_str());
        let identity =
            identity("cursor", &[KIND, &url.text, if method { "POST" } else { "GET" }, &records.join("."), cursor]);
        let mut stream = json!({
            "type": "DeclarativeStream",
            "name": STREAM,
            "retriever": {
                "type": "SimpleRetriever",
                "requester": requester,
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": { "type": "DpathExtractor", "field_path": records },
                },
                "paginator": paging.unwrap_or_else(|| json!({ "type": "NoPagination" })),
            },
        });
        if let (Some(decoder), Some(retriever)) = (format.decoder(), stream["retriever"].as_object_mut()) {
            retriever.insert("decoder".to_owned(), decoder);
        }
        if let (Some(incremental), Some(stream)) = (incremental, stream.as_object_mut()) {
            stream.insert("incremental_sync".to_owned(), incremental.cursor(&mut made));
        }
        let secrets: Map<String, Value> =
            made.secrets.iter().map(|name| (name.clone(), json!({ "airbyte_secret": true }))).collect();
        let mut manifest = json!({
            "version": "6.0.0",
            "type": "DeclarativeSource",
            "check": { "type": "CheckStream", "stream_names": [STREAM] },
            "streams": [stream],
            "spec": { "type": "Spec", "connection_specification": { "type": "object", "properties": secrets } },
        });
        if let (Some((calls, interval)), Some(manifest)) = (rate, manifest.as_object_mut()) {
            let policy = json!({
                "type": "MovingWindowCallRatePolicy",
                "rates": [{ "limit": calls, "interval": interval }],
                "matchers": [],
            });
            manifest.insert("api_budget".to_owned(), json!({ "type": "HTTPAPIBudget", "policies": [policy] }));
        }
        Api {
            manifest: Manifest::Here { text: manifest.to_string(), identity },
            stream: Text::meaning(STREAM, keys.owner()),
            config: Tree::Mapping(made.config),
            // Its author is the pipeline's, and says himself where it leads.
            reaches_private: true,
            keeps_responses,
        }
    },
};

const METHOD: Choice<bool> = Choice(&[("GET", "without a body", false), ("POST", "with the `body`", true)]);

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    Json,
    Jsonl,
    Csv,
    Xml,
}

const BODY: Choice<Body> = Choice(&[
    ("json", "a document", Body::Json),
    ("jsonl", "JSON Lines: an object on each line", Body::Jsonl),
    ("csv", "separated values, below a header; an empty value is null", Body::Csv),
    ("xml", "a document, in which `@name` is an attribute and `#text` the text beside it", Body::Xml),
]);

impl Body {
    fn decoder(self) -> Option<Value> {
        match self {
            Self::Json => None,
            Self::Jsonl => Some(json!({ "type": "JsonlDecoder" })),
            Self::Csv => Some(json!({ "type": "CsvDecoder", "set_values_to_none": [""] })),
            Self::Xml => Some(json!({ "type": "XmlDecoder" })),
        }
    }
}

/// Reports what the format has no place for.
fn agrees(keys: &mut Keys<'_>, format: Body, records: Option<&[String]>, paging: Option<&Value>) {
    let conflict = |keys: &mut Keys<'_>, key: &str, message: &str, help: &str| {
        if let Some(span) = keys.place(key) {
            keys.report(Diagnostic::error(Code::Conflict, span, message).with_help(help));
        }
    };
    if format == Body::Csv && records.is_some() {
        conflict(keys, "records", "the records of separated values are their rows", "leave `records` out");
    }
    if format == Body::Xml && records.is_none() {
        let help = "say where the records are, from the root element on: `records: orders.order`";
        conflict(keys, "format", "an answer of XML is one element, and no list of records", help);
    }
    let found = paging.and_then(|paging| paging.pointer("/pagination_strategy/cursor_value"));
    let is_in_body = found.and_then(Value::as_str).is_some_and(|found| found.contains("(response or {})"));
    if is_in_body && matches!(format, Body::Jsonl | Body::Csv) {
        let message = "an answer of rows has no place beside them that names the next page";
        conflict(keys, "paging", message, "write `link`, `page` or `offset`");
    }
}

/// What is made: the texts of the file, as the configuration of the manifest.
#[derive(Default)]
struct Made {
    config: Vec<(Text, Tree)>,
    secrets: Vec<String>,
}

/// What is asked.
struct Asked<'a> {
    url: Option<&'a Text>,
    is_post: bool,
    headers: Option<&'a Tree>,
    query: Option<&'a Tree>,
    body: Option<&'a Tree>,
    auth: Option<&'a Auth>,
    errors: Errors,
}

impl Made {
    /// A template that stands for a text.
    fn text(&mut self, text: &Text) -> Value {
        let name = format!("t{}", self.config.len());
        let template = format!("{{{{ config['{name}'] }}}}");
        self.config.push((Text::meaning(&name, text.span), Tree::Text(text.clone())));
        template.into()
    }

    /// The same for a text that nobody may see.
    fn secret(&mut self, text: &Text) -> Value {
        self.secrets.push(format!("t{}", self.config.len()));
        self.text(text)
    }

    fn tree(&mut self, tree: &Tree) -> Value {
        match tree {
            Tree::Empty => Value::Null,
            Tree::Text(text) => self.text(text),
            Tree::List(items) => items.iter().map(|item| self.tree(item)).collect(),
            Tree::Mapping(entries) => {
                Value::Object(entries.iter().map(|(key, value)| (literal(&key.text), self.tree(value))).collect())
            }
        }
    }

    fn requester(&mut self, asked: &Asked<'_>) -> Value {
        let statuses = |action: &str, statuses: &[u64]| {
            let is_said = !statuses.is_empty();
            is_said.then(|| json!({ "type": "HttpResponseFilter", "action": action, "http_codes": statuses }))
        };
        // What the server says is wrong with the question is not asked again, unless the file says so.
        let wrong: Vec<u64> = (400..500).filter(|status| ![408, 429].contains(status)).collect();
        let filters: Vec<Value> = [
            statuses("IGNORE", &asked.errors.ignore),
            statuses("RETRY", &asked.errors.retry),
            statuses("FAIL", &asked.errors.fail),
            statuses("FAIL", &wrong),
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut requester = json!({
            "type": "HttpRequester",
            "url_base": asked.url.map_or(Value::Null, |url| self.text(url)),
            "http_method": if asked.is_post { "POST" } else { "GET" },
            "authenticator": asked.auth.map_or_else(|| json!({ "type": "NoAuth" }), |auth| auth.component(self)),
            "error_handler": {
                "type": "DefaultErrorHandler",
                "max_retries": 8,
                "response_filters": filters,
                "backoff_strategies": [{ "type": RETRY_AFTER }, { "type": FULL_JITTER }],
            },
        });
        let said = [
            ("request_headers", asked.headers),
            ("request_parameters", asked.query),
            ("request_body_json", asked.body),
        ];
        for (field, tree) in said {
            if let (Some(tree), Some(requester)) = (tree, requester.as_object_mut()) {
                requester.insert(field.to_owned(), self.tree(tree));
            }
        }
        requester
    }
}

/// A text of the file as a template that gives it.
fn literal(text: &str) -> String {
    if text.contains(['{', '}']) { format!("{{{{ {} }}}}", Value::from(text)) } else { text.to_owned() }
}

/// How the API is told who asks.
enum Auth {
    Bearer(Text),
    Basic(Text, Option<Text>),
    Key { at: (&'static str, Text), value: Text },
    Token { token_url: Text, id: Text, secret: Text, refresh: Option<Text>, scopes: Vec<Text> },
}

impl Auth {
    fn component(&self, made: &mut Made) -> Value {
        match self {
            Self::Bearer(token) => json!({ "type": "BearerAuthenticator", "api_token": made.secret(token) }),
            Self::Basic(user, password) => json!({
                "type": "BasicHttpAuthenticator",
                "username": made.text(user),
                "password": password.as_ref().map_or_else(|| "".into(), |password| made.secret(password)),
            }),
            Self::Key { at: (place, name), value } => json!({
                "type": "ApiKeyAuthenticator",
                "api_token": made.secret(value),
                "inject_into": { "type": "RequestOption", "inject_into": place, "field_name": made.text(name) },
            }),
            Self::Token { token_url, id, secret, refresh, scopes } => {
                // RFC 6749, 3.3: one parameter, with blanks between the scopes.
                let scopes: Vec<&str> = scopes.iter().map(|scope| scope.text.as_str()).collect();
                let body = if scopes.is_empty() { json!({}) } else { json!({ "scope": literal(&scopes.join(" ")) }) };
                let mut oauth = json!({
                    "type": "OAuthAuthenticator",
                    "token_refresh_endpoint": made.text(token_url),
                    "client_id": made.secret(id),
                    "client_secret": made.secret(secret),
                    "grant_type": if refresh.is_some() { "refresh_token" } else { "client_credentials" },
                    "refresh_request_body": body,
                });
                if let (Some(refresh), Some(oauth)) = (refresh, oauth.as_object_mut()) {
                    let at = format!("t{}", made.config.len());
                    oauth.insert("refresh_token".to_owned(), made.secret(refresh));
                    // A server may give a new one for it, which is kept. No other token stands in the configuration.
                    let updater = json!({
                        "refresh_token_config_path": [at],
                        "access_token_config_path": ["none"],
                        "token_expiry_date_config_path": ["none"],
                    });
                    oauth.insert("refresh_token_updater".to_owned(), updater);
                }
                oauth
            }
        }
    }
}

const AUTH: Mapping<Option<Auth>> = Mapping {
    title: "auth",
    doc: "How the API is told who asks.",
    may_be_empty: false,
    keys: |keys| {
        keys.exactly_one(&[
            |keys| keys.optional("bearer", Said, "A token in the header `Authorization`.").map(Auth::Bearer),
            |keys| keys.optional("basic", BASIC, "A name and a password.").flatten(),
            |keys| keys.optional("api_key", API_KEY, "A key in a header or in the query.").flatten(),
            |keys| keys.optional("oauth2", OAUTH2, "A token that is got for the client, and renewed.").flatten(),
        ])
    },
};

const BASIC: Mapping<Option<Auth>> = Mapping {
    title: "basic",
    doc: "A name and a password.",
    may_be_empty: false,
    keys: |keys| {
        let user = keys.required("user", Said, "The name.");
        let password = keys.optional("password", Said, "The password: `${secret:…}`. If not said, it is empty.");
        Some(Auth::Basic(user?, password))
    },
};

const API_KEY: Mapping<Option<Auth>> = Mapping {
    title: "api_key",
    doc: "A key in a header or in the query.",
    may_be_empty: false,
    keys: |keys| {
        let value = keys.required("value", Said, "The key: `${secret:…}`.");
        let at = keys.exactly_one(&[
            |keys| keys.optional("header", AnyText, "The header that has it.").map(|name| ("header", name)),
            |keys| {
                let name = keys.optional("query", AnyText, "The parameter of the address that has it.");
                name.map(|name| ("request_parameter", name))
            },
        ]);
        Some(Auth::Key { at: at?, value: value? })
    },
};

const OAUTH2: Mapping<Option<Auth>> = Mapping {
    title: "oauth2",
    doc: "A token that is got for the client's credentials, or for a refresh token, and renewed before it ends.",
    may_be_empty: false,
    keys: |keys| {
        let token_url = keys.required("token_url", Url, "Where tokens are got.");
        let id = keys.required("client_id", Said, "The client.");
        let secret = keys.required("client_secret", Said, "Its secret: `${secret:…}`.");
        let refresh =
            keys.optional("refresh_token", Said, "The refresh token. Where the server gives a new one for it, that is kept in the store. If not said, the client's credentials do.");
        let scopes = keys.optional("scopes", List(AnyText), "The scopes that are asked for.").unwrap_or_default();
        Some(Auth::Token { token_url: token_url?, id: id?, secret: secret?, refresh, scopes })
    },
};

const PAGING: Mapping<Value> = Mapping {
    title: "paging",
    doc: "How the next page is asked for.",
    may_be_empty: false,
    keys: |keys| {
        let found = keys.exactly_one(&[
            |keys| {
                let path =
                    keys.optional("next", Path, "Where in the answer the address of the next page is: `links.next`.")?;
                Some(cursor(&inside("response", &path), &json!({ "type": "RequestPath" })))
            },
            |keys| {
                let doc = "The relation of the next page in the header `Link`; usually `next`.";
                let relation = keys.optional("link", AnyText, doc)?;
                let path = [relation.text, "url".to_owned()];
                Some(cursor(&inside("headers.get('link')", &path), &json!({ "type": "RequestPath" })))
            },
            |keys| keys.optional("cursor", CURSOR, "A token of the answer, which the next request tells."),
            |keys| keys.optional("page", PAGE, "The number of the page."),
            |keys| keys.optional("offset", OFFSET, "How many records came before."),
        ]);
        found.unwrap_or(Value::Null)
    },
};

const CURSOR: Mapping<Value> = Mapping {
    title: "cursor",
    doc: "A token of the answer, which the next request tells.",
    may_be_empty: false,
    keys: |keys| {
        let path =
            keys.required("from", Path, "Where in the answer it is: `meta.next`. Without it, the page is the last.");
        let name = keys.required("param", AnyText, "The parameter of the address that tells it.");
        let option = parameter(name.as_ref());
        cursor(&inside("response", &path.unwrap_or_default()), &option)
    },
};

const PAGE: Mapping<Value> = Mapping {
    title: "page",
    doc: "The number of the page. A page with fewer records than there may be is the last.",
    may_be_empty: false,
    keys: |keys| {
        let name = keys.required("param", AnyText, "The parameter of the address that tells it.");
        let first = keys.or("first", Whole, "1", "The number of the first page.");
        let strategy = json!({ "type": "PageIncrement", "start_from_page": first, "inject_on_first_request": true });
        sized(keys, name.as_ref(), strategy)
    },
};

const OFFSET: Mapping<Value> = Mapping {
    title: "offset",
    doc: "How many records came before. A page with fewer records than there may be is the last.",
    may_be_empty: false,
    keys: |keys| {
        let name = keys.required("param", AnyText, "The parameter of the address that tells it.");
        let strategy = json!({ "type": "OffsetIncrement", "inject_on_first_request": true });
        sized(keys, name.as_ref(), strategy)
    },
};

/// Paging by a number, with the size of a page where it is said.
fn sized(keys: &mut Keys<'_>, name: Option<&Text>, mut strategy: Value) -> Value {
    let size =
        keys.optional("size", Whole, "How many records a page has at most. If not said, an empty page is the last.");
    let size_param = keys.optional("size_param", AnyText, "The parameter of the address that tells the size.");
    if let (None, Some(span)) = (size, keys.place("size_param")) {
        let message = "`size_param` tells the size of a page, and none is said";
        keys.report(Diagnostic::error(Code::Conflict, span, message).with_help("write `size: 100`"));
    }
    let mut paginator = json!({ "type": "DefaultPaginator", "page_token_option": parameter(name) });
    if let (Some(size), Some(strategy)) = (size.filter(|size| *size > 0), strategy.as_object_mut()) {
        strategy.insert("page_size".to_owned(), size.into());
    }
    if let Some(paginator) = paginator.as_object_mut() {
        paginator.insert("pagination_strategy".to_owned(), strategy);
        if let Some(size_param) = &size_param {
            paginator.insert("page_size_option".to_owned(), parameter(Some(size_param)));
        }
    }
    paginator
}

/// Paging by what an expression finds in the answer.
fn cursor(found: &str, option: &Value) -> Value {
    json!({
        "type": "DefaultPaginator",
        "page_token_option": option,
        "pagination_strategy": {
            "type": "CursorPagination",
            "cursor_value": format!("{{{{ {found} }}}}"),
            "stop_condition": format!("{{{{ not {found} }}}}"),
        },
    })
}

fn parameter(name: Option<&Text>) -> Value {
    let name = name.map(|name| literal(&name.text)).unwrap_or_default();
    json!({ "type": "RequestOption", "inject_into": "request_parameter", "field_name": name })
}

/// An expression that is what stands at a path, or nothing.
fn inside(whole: &str, path: &[String]) -> String {
    path.iter().fold(whole.to_owned(), |whole, part| format!("({whole} or {{}}).get({})", Value::from(part.as_str())))
}

/// What of the records is new.
struct Incremental {
    field: String,
    since: Text,
    param: Option<Text>,
    until: Option<Text>,
    format: (&'static str, &'static str),
    lag: u64,
    window: Option<u64>,
}

impl Incremental {
    fn cursor(&self, made: &mut Made) -> Value {
        let (format, granularity) = self.format;
        let mut formats: Vec<&str> = vec![format];
        formats.extend(READ_FORMATS.iter().filter(|known| **known != format));
        let mut cursor = json!({
            "type": "DatetimeBasedCursor",
            "cursor_field": literal(&self.field),
            "datetime_format": format,
            "cursor_datetime_formats": formats,
            "start_datetime": {
                "type": "MinMaxDatetime", "datetime": made.text(&self.since), "datetime_format": "%Y-%m-%d",
            },
        });
        let Some(fields) = cursor.as_object_mut() else { return cursor };
        match &self.param {
            Some(name) => _ = fields.insert("start_time_option".to_owned(), parameter(Some(name))),
            None => _ = fields.insert("is_client_side_incremental".to_owned(), true.into()),
        }
        if let Some(name) = &self.until {
            fields.insert("end_time_option".to_owned(), parameter(Some(name)));
        }
        if self.lag > 0 {
            fields.insert("lookback_window".to_owned(), format!("PT{}S", self.lag).into());
        }
        if let Some(window) = self.window {
            fields.insert("step".to_owned(), format!("PT{window}S").into());
            fields.insert("cursor_granularity".to_owned(), granularity.into());
        }
        cursor
    }
}

/// How times of records may be written beside the way in which they are asked for.
const READ_FORMATS: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d",
];

const FORMAT: Choice<(&str, &str)> = Choice(&[
    ("timestamp", "`2026-01-31T12:00:00Z`", ("%Y-%m-%dT%H:%M:%SZ", "PT1S")),
    ("date", "`2026-01-31`", ("%Y-%m-%d", "P1D")),
    ("epoch", "seconds since 1970", ("%s", "PT1S")),
    ("epoch_ms", "milliseconds since 1970", ("%ms", "PT0.001S")),
]);

const INCREMENTAL: Mapping<Incremental> = Mapping {
    title: "incremental of http",
    doc: "What of the records is new, by a time in them: those that are not before the latest that came.",
    may_be_empty: false,
    keys: |keys| {
        let field = keys.required("field", AnyText, "The field of a record that has the time of its last change.");
        let since = keys.required("since", Day, "The day from which on records are read at first: `2026-01-31`.");
        let param = keys.optional(
            "param",
            AnyText,
            "The parameter of the address that tells from when on. If not said, all records are read, and those that are too old left out.",
        );
        let until = keys.optional("until_param", AnyText, "The parameter that tells until when.");
        let format = keys.or("format", FORMAT, "timestamp", "How the parameters tell times.");
        let lag = keys.or(
            "lag",
            Seconds,
            "0 seconds",
            "How long before the latest record that came the next reading begins, for records that show late.",
        );
        let window =
            keys.optional("window", Seconds, "How much time is asked for at once: `1 day`. If not said, all of it.");
        if let (Some(_), true, Some(span)) = (window, param.is_none() || until.is_none(), keys.place("window")) {
            let message = "`window` asks for a part of the time, which needs `param` and `until_param`";
            keys.report(Diagnostic::error(Code::Conflict, span, message).with_help("leave `window` out, or say both"));
        }
        Incremental {
            field: field.map(|field| field.text).unwrap_or_default(),
            since: since.unwrap_or_else(|| Text::empty(Span::default())),
            param,
            until,
            format,
            lag,
            window: window.filter(|window| *window > 0),
        }
    },
};

#[derive(Default)]
struct Errors {
    ignore: Vec<u64>,
    retry: Vec<u64>,
    fail: Vec<u64>,
}

const ERRORS: Mapping<Errors> = Mapping {
    title: "errors",
    doc: "What is done about an answer with another status than 2xx. If not said, 408, 429 and 5xx are asked for again, as long after as \
          `Retry-After` says, and all others end the reading.",
    may_be_empty: false,
    keys: |keys| Errors {
        ignore: keys.optional("ignore", List(Status), "There is nothing to be read.").unwrap_or_default(),
        retry: keys.optional("retry", List(Status), "It is asked again later.").unwrap_or_default(),
        fail: keys.optional("fail", List(Status), "The reading ends.").unwrap_or_default(),
    },
};

/// A status of HTTP.
struct Status;

impl Form for Status {
    type Value = u64;

    fn noun(&self) -> &'static str {
        "a status such as `404`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<u64, Mismatch> {
        let status = text.text.parse().ok().filter(|status| (100..=599).contains(status));
        status.ok_or_else(|| {
            Mismatch::new(Code::WrongValue, format!("`{key}` has a status from 100 to 599, not `{}`", text.text))
        })
    }

    fn hint(&self) -> Hint {
        Hint::Whole
    }
}

/// A text with placeholders.
struct Said;

impl Form for Said {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a text"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        if text.text.is_empty() {
            return Err(Mismatch::new(Code::WrongValue, format!("`{key}` is an empty text")));
        }
        Ok(text.clone())
    }

    fn hint(&self) -> Hint {
        Hint::Scalar
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// `http://…` or `https://…`, with or out of placeholders.
struct Url;

impl Form for Url {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "an address such as `https://api.example.com/orders`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        let is_one = ["https://", "http://", "${"].iter().any(|start| text.text.starts_with(start));
        if is_one && !text.text.contains(char::is_whitespace) {
            return Ok(text.clone());
        }
        // It may hold a password, which no message repeats.
        Err(Mismatch::new(Code::WrongValue, format!("`{key}` is no address that begins with `https://` or `http://`")))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^(https?://|\\$\\{)")
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// Keys with dots between them.
struct Path;

impl Form for Path {
    type Value = Vec<String>;

    fn noun(&self) -> &'static str {
        "a path such as `data.items`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Vec<String>, Mismatch> {
        let parts: Vec<&str> = text.text.split('.').collect();
        if parts.iter().any(|part| part.is_empty() || part.contains(['{', '}', '*', '\'', '"'])) {
            let message = format!("`{key}` is keys with dots between them, not `{}`", text.text);
            return Err(Mismatch::new(Code::WrongValue, message).with_help("write `data.items`"));
        }
        Ok(parts.into_iter().map(ToOwned::to_owned).collect())
    }
}

/// A day, or a placeholder.
struct Day;

impl Form for Day {
    type Value = Text;

    fn noun(&self) -> &'static str {
        "a day such as `2026-01-31`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Text, Mismatch> {
        let shape: String = text.text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let is_asking = placeholder::placeholders(&text.text).next().is_some();
        if is_asking || (shape == "0000-00-00" && parse_date(text.text.as_bytes()).is_ok()) {
            return Ok(text.clone());
        }
        Err(Mismatch::new(Code::WrongValue, format!("`{key}` is a day such as `2026-01-31`, not `{}`", text.text)))
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^([0-9]{4}-[0-9]{2}-[0-9]{2}|\\$\\{.*)$")
    }

    fn takes_placeholders(&self) -> bool {
        true
    }
}

/// `number "per" unit`: the number, and the unit as ISO 8601 writes it.
struct Rate;

impl Form for Rate {
    type Value = (u64, &'static str);

    fn noun(&self) -> &'static str {
        "a rate such as `100 per minute`"
    }

    fn read(&self, key: &str, text: &Text) -> Result<Self::Value, Mismatch> {
        let units = [("second", "PT1S"), ("minute", "PT1M"), ("hour", "PT1H"), ("day", "P1D")];
        let rate = text.text.split_once(" per ").and_then(|(number, unit)| {
            let calls = number.parse::<u32>().ok().filter(|calls| (1..=CALLS_MAX).contains(calls))?;
            let (_, interval) = units.iter().find(|(name, _)| *name == unit)?;
            Some((u64::from(calls), *interval))
        });
        rate.ok_or_else(|| {
            Mismatch::new(Code::WrongValue, format!("`{key}` is a rate such as `100 per minute`, not `{}`", text.text))
                .with_help("write a whole number up to 100000, `per`, and second, minute, hour or day")
        })
    }

    fn hint(&self) -> Hint {
        Hint::Pattern("^[1-9][0-9]* per (second|minute|hour|day)$")
    }
}
