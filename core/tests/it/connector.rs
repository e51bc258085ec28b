//! Connectors as a driver meets them: requests come out, responses go in. Whatever a manifest or a server tries, it is
//! refused or bounded, and whatever pages a server has, each record comes once.

mod parts;
mod proof;
mod schema;
mod session;
mod streams;

use std::collections::BTreeMap;

use etalon_core::error::Error;
use etalon_core::pipeline::Pipeline;
use etalon_core::source::Manifest;
use etalon_core::source::connector::{Bounds, Connector, Keeping, Kept, RESPONSE_BYTES_MAX, Request, Response, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2024-03-01T12:00:00Z
pub(crate) const NOW: i64 = 1_709_294_400_000_000;
/// No test takes more steps.
const STEPS_MAX: usize = 20_000;

/// A manifest of one stream `things` at `https://api.example`; `retriever` and `stream` go on with its fields.
pub(crate) fn manifest(requester: &str, retriever: &str, stream: &str) -> String {
    format!(
        "
version: 1.0.0
type: DeclarativeSource
check: {{ type: CheckStream, stream_names: [things] }}
streams:
  - type: DeclarativeStream
    name: things
    primary_key: []
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: https://api.example
        path: /things
        {requester}
      record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [items] }} }}
      {retriever}
    schema_loader: {{ type: InlineSchemaLoader, schema: {{ type: object }} }}
    {stream}
"
    )
}

/// Everything that a walk asks and gives.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    pub(crate) requests: Vec<Request>,
    records: Vec<Value>,
    state: Value,
    waited: i64,
}

pub(crate) fn walk(
    manifest: &str,
    config: Value,
    bounds: Bounds,
    mut answer: impl FnMut(&Request) -> Option<Response>,
) -> Result<Walked, Error> {
    let connector = Connector::read(manifest)?;
    let mut walk = connector.walk("things", config, None, bounds, NOW, 0)?;
    let (mut walked, mut now, mut kept, mut made) = (Walked::default(), NOW, None, None);
    for _ in 0..STEPS_MAX {
        match walk.step(now)? {
            Step::Request(request) => {
                walk.push(answer(&request));
                walked.requests.push(request);
            }
            Step::Sign(signing) => walk.signed(format!("signed by {}", signing.key).into_bytes()),
            Step::Keep(Keeping::Read { .. }) => {
                walk.kept(Kept::Read(kept.clone().map(|token| (token, "1".to_owned()))));
            }
            Step::Keep(Keeping::ReadCalls { .. }) => {
                walk.kept(Kept::Calls(made.clone().map(|calls| (calls, "1".to_owned()))));
            }
            Step::Keep(Keeping::WriteCalls { calls, .. }) => {
                made = Some(calls);
                walk.kept(Kept::Written("1".to_owned()));
            }
            Step::Keep(Keeping::Write { token, .. }) => {
                kept = Some(token);
                walk.kept(Kept::Written("1".to_owned()));
            }
            Step::Wait(until) => {
                walked.waited += until - now;
                now = until;
            }
            Step::Page(page) => walked.records.extend(page.records),
            Step::Done => {
                walked.state = walk.state();
                return Ok(walked);
            }
        }
    }
    panic!("the walk has no end");
}

pub(crate) fn ok(body: &Value) -> Option<Response> {
    Some(Response::new(200, Vec::new(), body.to_string().into_bytes()))
}

/// Records with these numbers.
fn things(numbers: std::ops::Range<usize>) -> Vec<Value> {
    numbers.map(|number| json!({"id": number})).collect()
}

fn query(request: &Request) -> BTreeMap<String, String> {
    let query = request.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

const PAGE: &str = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        page_size_option: { type: RequestOption, inject_into: request_parameter, field_name: size }
        pagination_strategy: { type: PageIncrement, page_size: SIZE, start_from_page: 1, inject_on_first_request: true }";
const OFFSET: &str = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: offset }
        pagination_strategy: { type: OffsetIncrement, page_size: SIZE }";
pub(crate) const CURSOR: &str = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: offset }
        pagination_strategy:
          type: CursorPagination
          cursor_value: \"{{ response.next }}\"
          stop_condition: \"{{ response.next is none }}\"";
const LINK: &str = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestPath }
        pagination_strategy: { type: CursorPagination, cursor_value: \"{{ headers['link']['next']['url'] }}\", stop_condition: \"{{ 'next' not in headers['link'] }}\" }";

proptest! {
    /// However a server numbers its pages, each record comes once, in order.
    #[test]
    fn each_record_of_a_paged_stream_comes_once(count in 0..60_usize, size in 1..12_usize, way in 0..4_usize) {
        let paginator = [PAGE, OFFSET, CURSOR, LINK][way].replace("SIZE", &size.to_string());
        let walked = walk(&manifest("", &paginator, ""), json!({}), Bounds::default(), |request| {
            let query = query(request);
            let number = |name: &str| query.get(name).map(|text| text.parse::<usize>().unwrap());
            let start = number("offset").unwrap_or_else(|| number("page").map_or(0, |page| (page - 1) * size));
            let end = (start + size).min(count);
            let next = (end < count).then_some(end);
            let body = json!({"items": things(start.min(count)..end), "next": next});
            let link = next.map(|next| format!("<https://api.example/things?offset={next}>; rel=\"next\""));
            let headers = link.map(|link| ("Link".to_owned(), link)).into_iter().collect();
            Some(Response::new(200, headers, body.to_string().into_bytes()))
        });
        prop_assert_eq!(walked.unwrap().records, things(0..count));
    }

    /// Windows miss nothing at their borders: a server that takes both ends as belonging to a window gives each record once.
    #[test]
    fn each_record_of_a_stream_read_by_windows_comes_once(times in prop::collection::btree_set(0..864_000_i64, 0..40), hours in 1..80_i64) {
        let cursor = format!("incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: '%s'
      start_datetime: {{ type: MinMaxDatetime, datetime: '0' }}
      end_datetime: {{ type: MinMaxDatetime, datetime: '864000' }}
      step: PT{hours}H
      cursor_granularity: PT1S
      start_time_option: {{ type: RequestOption, inject_into: request_parameter, field_name: from }}
      end_time_option: {{ type: RequestOption, inject_into: request_parameter, field_name: to }}");
        let walked = walk(&manifest("", "", &cursor), json!({}), Bounds::default(), |request| {
            let query = query(request);
            let bound = |name: &str| query[name].parse::<i64>().unwrap();
            let inside = times.range(bound("from")..=bound("to"));
            ok(&json!({"items": inside.map(|at| json!({"at": at})).collect::<Vec<_>>()}))
        });
        let walked = walked.unwrap();
        let expected: Vec<Value> = times.iter().map(|at| json!({"at": at})).collect();
        prop_assert_eq!(walked.records, expected);
        let last = times.last().copied().unwrap_or(0);
        prop_assert_eq!(walked.state, json!({"at": last.to_string()}));
    }
}

/// What the server of a hostile test answers to everything.
fn refused(manifest: &str, config: Value, answer: &Value) -> String {
    match walk(manifest, config, Bounds::default(), |_| ok(answer)) {
        Ok(walked) => panic!("it is not refused: {:?}", walked.requests),
        Err(error) => error.to_string(),
    }
}

pub(crate) const BEARER: &str = "authenticator: { type: BearerAuthenticator, api_token: \"{{ config.key }}\" }";

#[test]
fn a_next_page_on_another_host_is_not_asked() {
    let paginator = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestPath }
        pagination_strategy: { type: CursorPagination, cursor_value: \"{{ response.next }}\" }";
    for next in [
        "https://evil.example/things",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:9001/",
        "https://api.example@evil.example/",
        "https://api.example.evil.example/",
        "https://evil.example\\\\@api.example/",
        "//evil.example/things",
        "file:///etc/passwd",
        "gopher://api.example/",
        "http://[::ffff:169.254.169.254]/",
    ] {
        let answer = json!({"items": [{"id": 1}], "next": next});
        let told = refused(&manifest(BEARER, paginator, ""), json!({"key": "s3cret"}), &answer);
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[test]
fn a_host_that_a_list_names_is_asked_and_one_that_a_record_names_is_not() {
    let list = "partition_router: { type: ListPartitionRouter, values: [eu, us], cursor_field: region }";
    let text =
        manifest("", list, "").replace("https://api.example", "\"https://{{ stream_partition.region }}.example\"");
    let walked = walk(&text, json!({}), Bounds::default(), |_| ok(&json!({"items": [{"id": 1}]}))).unwrap();
    let asked: Vec<&str> = walked.requests.iter().map(|request| request.url.as_str()).collect();
    assert_eq!(asked, ["https://eu.example/things", "https://us.example/things"]);

    let parents = "partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - parent_key: host
            partition_field: region
            stream:
              name: hosts
              retriever:
                requester: { type: HttpRequester, url_base: https://api.example, path: hosts }
                record_selector: { extractor: { field_path: [items] } }";
    let text = text.replace(list, parents);
    assert!(refused(&text, json!({}), &json!({"items": [{"host": "evil"}]})).contains("evil.example"));
}

/// A path may be an address of its own, and then names a host as the base does; what a record gives names none.
#[test]
fn a_host_that_a_path_names_is_asked_and_one_that_a_record_names_is_not() {
    let asked = |text: &str| {
        let config = json!({"host": "https://own.example/x"});
        let walked = walk(text, config, Bounds::default(), |_| ok(&json!({"items": [{"id": 1}]}))).unwrap();
        walked.requests.first().map(|request| request.url.clone()).unwrap()
    };
    for (path, url) in [
        ("https://other.example/things", "https://other.example/things"),
        ("\"https://other.example/{{ stream_partition.region }}\"", "https://other.example/eu"),
        ("\"{{ config.host }}/things\"", "https://own.example/x/things"),
        ("\"https://{{ stream_partition.region }}.example/things\"", "https://eu.example/things"),
    ] {
        let list = "partition_router: { type: ListPartitionRouter, values: [eu], cursor_field: region }";
        assert_eq!(asked(&manifest("", list, "").replace("path: /things", &format!("path: {path}"))), url);
    }
    let parents = "partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - parent_key: host
            partition_field: region
            stream:
              name: hosts
              retriever:
                requester: { type: HttpRequester, url_base: https://api.example, path: hosts }
                record_selector: { extractor: { field_path: [items] } }";
    for path in ["https://{{ stream_partition.region }}.example/things", "{{ stream_partition.region }}"] {
        let text = manifest("", parents, "").replace("path: /things", &format!("path: \"{path}\""));
        let told = refused(&text, json!({}), &json!({"items": [{"host": "https://evil.example/"}]}));
        assert!(told.contains("is not of a host that the manifest names") || told.contains("host"), "{told}");
    }
}

/// The size of a page may stand in the answer; before the first one there is none.
#[test]
fn an_offset_may_take_the_size_of_a_page_from_the_answer() {
    let paginator = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: offset }
        pagination_strategy: { type: OffsetIncrement, page_size: \"{{ response.limit }}\" }";
    let walked = walk(&manifest("", paginator, ""), json!({}), Bounds::default(), |request| {
        let count = if query(request).contains_key("offset") { 1 } else { 2 };
        ok(&json!({"limit": 2, "items": vec![json!({"id": 1}); count]}))
    });
    let walked = walked.unwrap();
    assert_eq!((walked.requests.len(), walked.records.len()), (2, 3));
}

#[test]
fn credentials_do_not_go_in_the_clear() {
    let paginator = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestPath }
        pagination_strategy: { type: CursorPagination, cursor_value: \"{{ response.next }}\" }";
    let answer = json!({"items": [{"id": 1}], "next": "http://api.example/things"});
    assert!(
        refused(&manifest(BEARER, paginator, ""), json!({"key": "s3cret"}), &answer).contains("without encryption")
    );
}

#[test]
fn private_addresses_are_asked_only_if_that_is_allowed() {
    for host in ["localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "2130706433", "0x7f.1"] {
        let text = manifest("", "", "").replace("https://api.example", &format!("https://{host}"));
        assert!(refused(&text, json!({}), &json!({"items": []})).contains("private network"), "{host}");
        let allowed = Bounds { is_private_allowed: true, ..Bounds::default() };
        assert!(walk(&text, json!({}), allowed, |_| ok(&json!({"items": []}))).is_ok(), "{host}");
    }
}

#[test]
fn pages_and_records_have_an_end() {
    let endless = "paginator:
        type: DefaultPaginator
        page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: page }
        pagination_strategy: { type: PageIncrement }";
    let bounded =
        |bounds| walk(&manifest("", endless, ""), json!({}), bounds, |_| ok(&json!({"items": [{"id": 1}, {"id": 2}]})));
    let told = bounded(Bounds { pages_max: 50, ..Bounds::default() }).unwrap_err().to_string();
    assert!(told.contains("more than 50 pages"), "{told}");
    let told = bounded(Bounds { records_max: 50, ..Bounds::default() }).unwrap_err().to_string();
    assert!(told.contains("more than 50 records"), "{told}");
    let same = CURSOR.replace("{{ response.next is none }}", "{{ false }}");
    assert!(
        refused(&manifest("", &same, ""), json!({}), &json!({"items": [{"id": 1}], "next": "x"}))
            .contains("again and again")
    );
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let large = Response::new(200, Vec::new(), vec![b' '; RESPONSE_BYTES_MAX + 1]);
    let told =
        walk(&manifest("", "", ""), json!({}), Bounds::default(), |_| Some(large.clone())).unwrap_err().to_string();
    assert!(told.contains("bytes"), "{told}");
}

#[test]
fn templates_that_never_end_are_stopped() {
    for template in [
        "{{ 'x' * 99999999 }}",
        "{{ (('x' * 60000) * 60000) * 60000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ ('ab' * 2000000) | replace('a', 'aaaaaaaaaaaaaaaa') }}",
        "{{ 1 / 0 }}",
    ] {
        let requester = format!("request_parameters: {{ q: \"{template}\" }}");
        refused(&manifest(&requester, "", ""), json!({}), &json!({}));
    }
}

#[test]
fn what_a_template_may_not_do_is_refused_before_anything_is_sent() {
    for template in [
        "{{ range(99999999) }}",
        "{{ ''.__class__.__mro__() }}",
        "{% include '/etc/passwd' %}",
        "{% for x in config %}{{ x }}{% endfor %}",
        "{{ config | attr('x') }}",
        "{{ cycler() }}",
    ] {
        let text = manifest(&format!("request_parameters: {{ q: \"{template}\" }}"), "", "");
        let connector = Connector::read(&text).unwrap();
        let listed = connector.streams().next().unwrap();
        assert!(!listed.missing.is_empty(), "{template}");
        assert!(connector.walk("things", json!({}), None, Bounds::default(), NOW, 0).is_err());
    }
}

#[test]
fn manifests_that_grow_without_end_are_refused() {
    let mut doubled = "definitions:\n  a0: [1, 2]\n".to_owned();
    for level in 1..40 {
        let below = level - 1;
        doubled.push_str(&format!("  a{level}: ['#/definitions/a{below}', '#/definitions/a{below}']\n"));
    }
    doubled.push_str("x: '#/definitions/a39'\n");
    let deep = format!("a: {}{}\n", "[".repeat(500), "]".repeat(500));
    let circle = "definitions: { a: { $ref: '#/definitions/a' } }\nx: '#/definitions/a'\n".to_owned();
    for text in [doubled, deep, circle, String::new(), "- list".to_owned(), "a: [".to_owned(), "type: Other".to_owned()]
    {
        assert!(Connector::read(&text).is_err());
    }
}

#[test]
fn a_stream_that_asks_for_what_is_missing_is_refused_by_name() {
    for (retriever, what) in [
        ("decoder: { type: ZipfileDecoder }", "ZipfileDecoder"),
        ("decoder: { type: Unheard }", "Unheard"),
        ("partition_router: { type: CustomPartitionRouter, class_name: source.Mine }", "source.Mine"),
        ("page_size_reduction: { type: PageSizeReduction }", "page_size_reduction"),
    ] {
        let connector = Connector::read(&manifest("", retriever, "")).unwrap();
        let missing = connector.streams().next().unwrap().missing.join("; ");
        assert!(missing.contains(what), "{missing}");
        let told = connector.walk("things", json!({}), None, Bounds::default(), NOW, 0).unwrap_err().to_string();
        assert!(told.contains("`things`") && told.contains(what), "{told}");
    }
    let connector = Connector::read(&manifest("", "odd: 1", "")).unwrap();
    let listed = connector.streams().next().unwrap();
    assert_eq!(
        (listed.missing.len(), listed.ignored),
        (0, ["the field `odd` of `SimpleRetriever`".to_owned()].as_slice())
    );
}

#[test]
fn no_secret_is_in_an_error() {
    let basic = "authenticator: { type: BasicHttpAuthenticator, username: \"{{ config.key }}\", password: \"{{ config.key }}\" }";
    let query = "authenticator:
          type: ApiKeyAuthenticator
          api_token: \"{{ config.key }}\"
          inject_into: { type: RequestOption, inject_into: request_parameter, field_name: key }";
    let login = "authenticator:
          type: OAuthAuthenticator
          token_refresh_endpoint: https://api.example/token
          client_id: \"{{ config.key }}\"
          client_secret: \"{{ config.key }}\"
          grant_type: client_credentials";
    for requester in [BEARER, basic, query, login] {
        for status in [400, 401, 403, 404, 500] {
            let told = walk(&manifest(requester, "", ""), json!({"key": "s3cret"}), Bounds::default(), |_| {
                Some(Response::new(status, Vec::new(), b"s3cret".to_vec()))
            });
            let told = told.unwrap_err().to_string();
            assert!(!told.contains("s3cret") && told.contains(&status.to_string()), "{told}");
        }
    }
}

#[test]
fn a_server_that_fails_now_and_then_is_asked_again() {
    let mut count = 0;
    let walked = walk(&manifest("", &OFFSET.replace("SIZE", "2"), ""), json!({}), Bounds::default(), |request| {
        count += 1;
        match count % 3 {
            1 => Some(Response::new(503, Vec::new(), Vec::new())),
            2 => None,
            _ => {
                let start: usize = query(request).get("offset").map_or(0, |offset| offset.parse().unwrap());
                ok(&json!({"items": things(start..(start + 2).min(5))}))
            }
        }
    });
    let walked = walked.unwrap();
    assert_eq!(walked.records, things(0..5));
    // One second, then two, before each of three pages.
    assert_eq!(walked.waited, 9_000_000);
}

#[test]
fn a_header_that_says_how_long_is_waited_for() {
    let rules = "error_handler:
          type: DefaultErrorHandler
          backoff_strategies: [{ type: WaitTimeFromHeader, header: Retry-After }]";
    let mut count = 0;
    let walked = walk(&manifest(rules, "", ""), json!({}), Bounds::default(), |_| {
        count += 1;
        let headers = vec![("retry-after".to_owned(), "30".to_owned())];
        if count == 1 { Some(Response::new(429, headers, Vec::new())) } else { ok(&json!({"items": [{"id": 1}]})) }
    });
    assert_eq!(walked.unwrap().waited, 31_000_000);
    let endless = walk(&manifest(rules, "", ""), json!({}), Bounds::default(), |_| {
        Some(Response::new(429, Vec::new(), Vec::new()))
    });
    assert!(endless.unwrap_err().to_string().contains("429"));
}

#[test]
fn a_token_is_asked_for_once_and_again_when_it_ends() {
    let login = "authenticator:
          type: OAuthAuthenticator
          token_refresh_endpoint: https://login.example/token
          client_id: \"{{ config.id }}\"
          client_secret: \"{{ config.key }}\"
          refresh_token: \"{{ config.refresh }}\"
          refresh_token_updater: {}";
    let slow = format!(
        "{login}\n        error_handler: {{ type: DefaultErrorHandler, backoff_strategies: [{{ type: ConstantBackoffStrategy, backoff_time_in_seconds: 60 }}] }}"
    );
    let (mut logins, mut fails) = (Vec::new(), 0);
    let config = json!({"id": "i", "key": "k", "credentials": {"refresh_token": "r0"}});
    let walked = walk(&manifest(&slow, "", ""), config, Bounds::default(), |request| {
        if request.url.starts_with("https://login.example/") {
            logins.push(request.body.clone().unwrap());
            let count = logins.len();
            return ok(
                &json!({"access_token": format!("t{count}"), "expires_in": 30, "refresh_token": format!("r{count}")}),
            );
        }
        fails += 1;
        if fails < 2 { Some(Response::new(500, Vec::new(), Vec::new())) } else { ok(&json!({"items": [{"id": 1}]})) }
    });
    let proofs: Vec<String> = walked
        .unwrap()
        .requests
        .iter()
        .filter(|request| request.method == "GET")
        .map(|request| request.headers[0].1.clone())
        .collect();
    assert_eq!(proofs, ["Bearer t1", "Bearer t2"]);
    // The second login shows the token that the first one gave.
    assert_eq!(logins.iter().map(|login| login.contains("refresh_token=r1")).collect::<Vec<_>>(), [false, true]);
    assert!(logins[0].contains("refresh_token=r0"));
}

#[test]
fn a_walk_goes_on_where_the_last_one_ended() {
    let cursor = "incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: '%Y-%m-%d'
      start_datetime: { type: MinMaxDatetime, datetime: '2024-01-01' }
      start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: since }";
    let connector = Connector::read(&manifest("", "", cursor)).unwrap();
    let since = |state: Option<&Value>| {
        let mut walk = connector.walk("things", json!({}), state, Bounds::default(), NOW, 0).unwrap();
        let Step::Request(request) = walk.step(NOW).unwrap() else { panic!("it asks nothing") };
        walk.push(ok(&json!({"items": [{"at": "2024-02-10"}, {"at": "2024-02-05"}]})));
        assert!(matches!(walk.step(NOW).unwrap(), Step::Page(page) if page.records.len() == 2));
        assert_eq!(walk.step(NOW).unwrap(), Step::Done);
        (query(&request)["since"].clone(), walk.state())
    };
    let (first, state) = since(None);
    assert_eq!((first.as_str(), &state), ("2024-01-01", &json!({"at": "2024-02-10"})));
    assert_eq!(since(Some(&state)).0, "2024-02-10");
}

#[test]
fn no_more_is_asked_than_the_manifest_allows() {
    let budget = "
api_budget:
  type: HTTPAPIBudget
  policies:
    - type: MovingWindowCallRatePolicy
      rates: [{ limit: 2, interval: PT10S }]
      matchers: [{ method: GET, url_base: https://api.example, url_path_pattern: ^/things }]
";
    let text = manifest("", &OFFSET.replace("SIZE", "1"), "") + budget;
    let walked = walk(&text, json!({}), Bounds::default(), |request| {
        let start: usize = query(request).get("offset").map_or(0, |offset| offset.parse().unwrap());
        ok(&json!({"items": things(start..(start + 1).min(6))}))
    });
    let walked = walked.unwrap();
    // Seven requests, the last of which finds nothing: two at once, then two every ten seconds.
    assert_eq!((walked.requests.len(), walked.records.len(), walked.waited), (7, 6, 30_000_000));
}

#[test]
fn what_the_file_says_is_a_manifest_of_one_stream() {
    let file = "etalon: 1\npipeline: p\nsource:\n  http:\n    url: https://h/x\n    headers: { \"X-{\": '{{ 1 }}' }\n    query: { a: '01' }\n    \
                auth: { api_key: { query: key, value: '${secret:k}' } }\n    records: data.rows\n    paging: { page: { param: p, size: 5, size_param: s } }\n    \
                incremental: { field: at, since: 2026-01-01, param: since, until_param: until, window: 1 day, lag: 1 hour }\n    \
                rate: 5 per second\n    errors: { ignore: [404] }\n  fields: { id: }\ncolumns: { id: varchar(5) required }\n\
                target: { table: t, write: merge, key: id }\n";
    let (pipeline, _) = Pipeline::compile(file).unwrap();
    let api = pipeline.location().api().unwrap();
    let connector = api.connector(|_| unreachable!()).unwrap();
    let listed = connector.streams().next().unwrap();
    assert_eq!(
        (listed.name, listed.missing, listed.ignored, listed.is_incremental),
        ("records", &[][..], &[][..], true)
    );
}

#[test]
fn each_way_to_page_and_to_prove_is_read() {
    let pagings = [
        "next: a.b",
        "link: next",
        "cursor: { from: m.c, param: c }",
        "page: { param: p }",
        "offset: { param: o, size: 3 }",
    ];
    let auths = [
        "bearer: '${T}'",
        "basic: { user: u }",
        "api_key: { header: X, value: v }",
        "oauth2: { token_url: https://h/t, client_id: i, client_secret: s, refresh_token: r, scopes: [a] }",
        "oauth2: { token_url: https://h/t, client_id: i, client_secret: s }",
    ];
    for (paging, auth) in pagings.iter().zip(auths) {
        let file = format!(
            "etalon: 1\npipeline: p\nsource: {{ http: {{ url: https://h/x, paging: {{ {paging} }}, auth: {{ {auth} }} }}, fields: {{ id: }} }}\n\
             columns: {{ id: varchar(5) }}\ntarget: {{ table: t, write: replace }}\n"
        );
        let (pipeline, _) = Pipeline::compile(&file).map_err(|wrong| format!("{paging} {auth}: {wrong:?}")).unwrap();
        let Manifest::Here { text, .. } = &pipeline.location().api().unwrap().manifest else { unreachable!() };
        let connector = Connector::read(text).unwrap();
        let listed = connector.streams().next().unwrap();
        assert_eq!((listed.missing, listed.ignored), (&[][..], &[][..]), "{paging} {auth}");
    }
}

/// A stream whose records a job has to make.
pub(crate) fn job(more: &str) -> String {
    format!(
        "
version: 1.0.0
type: DeclarativeSource
check: {{ type: CheckStream, stream_names: [things] }}
streams:
  - type: DeclarativeStream
    name: things
    retriever:
      type: AsyncRetriever
      record_selector:
        type: RecordSelector
        extractor: {{ type: DpathExtractor, field_path: [] }}
        record_filter: {{ type: RecordFilter, condition: \"{{{{ record.id != '2' }}}}\" }}
      status_mapping: {{ type: AsyncJobStatusMap, running: [waiting], completed: [ready], failed: [broken], timeout: [late], skipped: [empty] }}
      status_extractor: {{ type: DpathExtractor, field_path: [status] }}
      download_target_extractor: {{ type: DpathExtractor, field_path: [urls] }}
      creation_requester:
        type: HttpRequester
        url_base: https://api.example
        path: jobs
        http_method: POST
        authenticator: {{ type: BearerAuthenticator, api_token: \"{{{{ config.key }}}}\" }}
      polling_requester: {{ type: HttpRequester, url_base: https://api.example, path: \"jobs/{{{{ creation_response.id }}}}\" }}
      download_requester: {{ type: HttpRequester, url_base: \"{{{{ download_target }}}}\" }}
      download_decoder: {{ type: GzipDecoder, decoder: {{ type: CsvDecoder }} }}
      {more}
    schema_loader: {{ type: InlineSchemaLoader, schema: {{ type: object }} }}
"
    )
}

#[test]
fn a_job_is_ordered_watched_and_what_it_made_is_downloaded() {
    let delete = "delete_requester: { type: HttpRequester, http_method: DELETE, url_base: https://api.example, path: \"jobs/{{ creation_response.id }}\" }";
    let mut words = ["waiting", "broken", "waiting", "ready"].into_iter();
    let mut orders = 0;
    let walked = walk(&job(delete), json!({"key": "s3cret"}), Bounds::default(), |request| {
        match (request.method.as_str(), request.url.as_str()) {
            ("POST", _) => {
                orders += 1;
                ok(&json!({"id": orders}))
            }
            ("DELETE", _) => ok(&json!({})),
            (_, url) if url.starts_with("https://files.example") => {
                assert_eq!(request.headers, []);
                let body = if url.ends_with("/a?signature=x") { "id,v\n1,a\n2,b\n" } else { "id,v\n3,c\n" };
                Some(Response::new(200, Vec::new(), body.into()))
            }
            _ => ok(
                &json!({"status": words.next().unwrap(), "urls": ["https://files.example/a?signature=x", "https://files.example/b"]}),
            ),
        }
    });
    let walked = walked.unwrap();
    assert_eq!(walked.records, [json!({"id": "1", "v": "a"}), json!({"id": "3", "v": "c"})]);
    let asked: Vec<String> = walked
        .requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.url.split('?').next().unwrap()))
        .collect();
    let expected = [
        "POST https://api.example/jobs",
        "GET https://api.example/jobs/1",
        "GET https://api.example/jobs/1",
        "POST https://api.example/jobs",
        "GET https://api.example/jobs/2",
        "GET https://api.example/jobs/2",
        "GET https://files.example/a",
        "GET https://files.example/b",
        "DELETE https://api.example/jobs/2",
    ];
    assert_eq!(asked, expected);
    assert_eq!(walked.waited, 15_000_000);
}

#[test]
fn a_job_that_fails_has_an_end_and_its_files_get_no_credentials() {
    let told = |word: &str, url: &str, more: &str| {
        let (status, urls) = (word.to_owned(), [url.to_owned()]);
        let walked =
            walk(&job(more), json!({"key": "s3cret"}), Bounds::default(), |request| match request.method.as_str() {
                "POST" => ok(&json!({"id": 1})),
                _ if request.url.contains("/jobs/") => ok(&json!({"status": status, "urls": urls})),
                _ => Some(Response::new(200, Vec::new(), b"id\n1\n".to_vec())),
            });
        walked.map(|walked| walked.records.len()).map_err(|error| error.to_string())
    };
    let file = "https://files.example/a";
    assert_eq!(told("ready", file, ""), Ok(1));
    assert_eq!(told("empty", file, ""), Ok(0));
    assert!(told("broken", file, "").unwrap_err().contains("the job has failed 3 times"));
    assert!(told("late", file, "").unwrap_err().contains("not done in time 3 times"));
    assert!(told("waiting", file, "polling_job_timeout: 1").unwrap_err().contains("not done in time 3 times"));
    assert!(told("odd", file, "").unwrap_err().contains("what a job's status `odd` means"));
    assert!(told("ready", "http://169.254.169.254/a", "").is_err());
    assert!(told("ready", "http://files.example/a", "").unwrap_err().contains("not of a host that the manifest names"));
    let with_key = "download_requester: { type: HttpRequester, url_base: \"{{ download_target }}\", request_headers: { X-Key: \"{{ config.key }}\" } }";
    let text =
        job("").replace("download_requester: { type: HttpRequester, url_base: \"{{ download_target }}\" }", with_key);
    let walked = walk(&text, json!({"key": "s3cret"}), Bounds::default(), |request| match request.method.as_str() {
        "POST" => ok(&json!({"id": 1})),
        _ => ok(&json!({"status": "ready", "urls": [file]})),
    });
    assert!(walked.unwrap_err().to_string().contains("not of a host that the manifest names"));
}

#[test]
fn a_configuration_of_an_older_form_is_rewritten_before_it_is_used() {
    let spec = "spec:
  type: Spec
  connection_specification: { type: object }
  config_normalization_rules:
    type: ConfigNormalizationRules
    config_migrations:
      - type: ConfigMigration
        transformations:
          - type: ConfigAddFields
            condition: \"{{ config.get('key') }}\"
            fields: [{ type: AddedFieldDefinition, path: [credentials, token], value: \"{{ config.key }}\" }]
          - { type: ConfigRemoveFields, field_pointers: [[key]] }
    transformations:
      - { type: ConfigRemapField, field_path: [region], map: { europe: eu } }
";
    let requester = "authenticator: { type: BearerAuthenticator, api_token: \"{{ config['credentials']['token'] }}\" }
        request_parameters: { region: \"{{ config.region }}\", key: \"{{ config.get('key', 'none') }}\" }";
    let text = format!("{}{spec}", manifest(requester, "", ""));
    for config in [json!({"key": "k", "region": "europe"}), json!({"credentials": {"token": "k"}, "region": "eu"})] {
        let walked = walk(&text, config, Bounds::default(), |_| ok(&json!({"items": [{"id": 1}]}))).unwrap();
        assert_eq!(walked.requests[0].url, "https://api.example/things?region=eu&key=none");
        assert_eq!(walked.requests[0].headers, [("Authorization".to_owned(), "Bearer k".to_owned())]);
    }
}
