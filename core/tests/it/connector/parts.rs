//! What a stream asks for in parts and finds in several places, and how long it waits when its server says so.

use etalon_core::source::connector::{Bounds, Connector, Request, Response};
use serde_json::{Value, json};

use super::{manifest, ok, query, walk};

/// The records, as a walk gives them, and what each request asked for under a name.
fn read(text: &str, name: &str, mut answer: impl FnMut(&Request) -> Value) -> (Vec<String>, Vec<Value>) {
    let mut asked = Vec::new();
    let walked = walk(text, json!({}), Bounds::default(), |request| {
        asked.push(query(request).remove(name).unwrap_or_else(|| request.url.clone()).replace("%2C", ","));
        ok(&answer(request))
    })
    .unwrap();
    (asked, walked.records)
}

fn missing(text: &str) -> String {
    Connector::read(text).unwrap().streams().next().unwrap().missing.join("; ")
}

/// A server that gives of two records the properties that it is asked for.
fn asked_for(request: &Request) -> Value {
    let fields = query(request).remove("fields").unwrap_or_default().replace("%2C", ",");
    let record = |id: &str| -> Value {
        fields
            .split(',')
            .map(|field| (field.to_owned(), format!("{field} of {id}").into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let with_id = |id: &str| {
        let mut record = record(id);
        record["id"] = id.into();
        record
    };
    json!({"items": [with_id("1"), with_id("2"), {"fields": fields}]})
}

#[test]
fn properties_are_asked_for_in_parts_and_come_out_as_one_record() {
    let of = |more: &str| {
        let properties = "type: QueryProperties, property_list: [a, bb, c], always_include_properties: [z]";
        manifest(&format!("request_parameters: {{ fields: {{ {properties}{more} }} }}"), "", "")
    };
    let chunking = |kind: &str, limit: usize| {
        format!(
            ", property_chunking: {{ type: PropertyChunking, property_limit_type: {kind}, property_limit: {limit} }}"
        )
    };
    assert_eq!(read(&of(""), "fields", asked_for).0, ["z,a,bb,c"]);
    let (asked, records) = read(&of(&chunking("property_count", 2)), "fields", asked_for);
    assert_eq!(asked, ["z,a,bb", "z,c"]);
    let one = |id: &str| json!({"z": format!("z of {id}"), "a": format!("a of {id}"), "bb": format!("bb of {id}"), "c": format!("c of {id}"), "id": id});
    assert_eq!(records, [json!({"fields": "z,a,bb"}), json!({"fields": "z,c"}), one("1"), one("2")]);
    assert_eq!(read(&of(&chunking("characters", 9)), "fields", asked_for).0, ["z,a,bb", "z,c"]);
    assert_eq!(read(&of(&chunking("characters", 8)), "fields", asked_for).0, ["z,a", "z,bb", "z,c"]);
    let by_name = ", property_chunking: { type: PropertyChunking, property_limit_type: property_count, property_limit: 2, record_merge_strategy: { type: GroupByKeyMergeStrategy, key: [id, gone] } }";
    assert_eq!(read(&of(by_name), "fields", asked_for).1.len(), 6, "what has not the whole key stays alone");
}

#[test]
fn a_server_names_the_properties_that_it_is_asked_for() {
    let endpoint = "type: PropertiesFromEndpoint, property_field_path: [name], retriever: { type: SimpleRetriever, requester: { type: HttpRequester, url_base: 'https://api.example', path: properties }, record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [all] } } }";
    let answer = |request: &Request| match request.url.contains("/properties") {
        true => json!({"all": [{"name": "a"}, {"name": "bb"}]}),
        false => asked_for(request),
    };
    let template =
        "request_parameters: { fields: \"{{ ','.join(stream_partition.extra_fields['query_properties']) }}\" }";
    for requester in [
        format!("fetch_properties_from_endpoint: {{ {endpoint} }}\n        {template}"),
        format!("query_properties: {{ type: QueryProperties, property_list: {{ {endpoint} }} }}\n        {template}"),
        format!("request_parameters: {{ fields: {{ type: QueryProperties, property_list: {{ {endpoint} }} }} }}"),
    ] {
        let (asked, records) = read(&manifest(&requester, "", ""), "fields", answer);
        assert_eq!(asked, ["https://api.example/properties", "a,bb"], "{requester}");
        assert_eq!(records[0], json!({"a": "a of 1", "bb": "bb of 1", "id": "1"}));
    }
}

#[test]
fn properties_of_other_than_a_stream_are_refused() {
    let login = "authenticator: { type: SessionTokenAuthenticator, session_token_path: [t], request_authentication: { type: Bearer }, login_requester: { type: HttpRequester, url_base: 'https://api.example', query_properties: { type: QueryProperties, property_list: [a] } } }";
    assert_eq!(missing(&manifest(login, "", "")), "the field `query_properties` of `HttpRequester`");
}

#[test]
fn several_places_of_records_are_counted_by_no_offset() {
    let both = "{ type: CombinedExtractor, MODE extractors: [ { type: DpathExtractor, field_path: [items] }, { type: DpathExtractor, field_path: [more] } ] }";
    let paginator = "paginator: { type: DefaultPaginator, page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: at }, pagination_strategy: { type: STRATEGY, page_size: 2 } }";
    let of = |mode: &str, strategy: &str| {
        let text = manifest("", &paginator.replace("STRATEGY", strategy), "");
        text.replace("{ type: DpathExtractor, field_path: [items] }", &both.replace("MODE", mode))
    };
    let told = "an `OffsetIncrement` over a `CombinedExtractor` of several lists";
    assert_eq!(missing(&of("", "OffsetIncrement")), told);
    let first = of("mode: first_match,", "OffsetIncrement");
    assert_eq!((missing(&first), missing(&of("", "PageIncrement"))), (String::new(), String::new()));
    let (asked, records) = read(&first, "at", |request| match query(request).get("at").map(String::as_str) {
        None => json!({"more": [{"id": 1}, {"id": 2}]}),
        Some("2") => json!({"items": [{"id": 3}], "more": [{"id": 4}]}),
        other => panic!("{other:?}"),
    });
    assert_eq!((asked.len(), records), (2, [1, 2, 3].map(|id| json!({"id": id})).to_vec()));
}

#[test]
fn what_is_read_as_it_comes_names_no_next_page() {
    let paginator = "paginator: { type: DefaultPaginator, page_token_option: { type: RequestOption, inject_into: request_parameter, field_name: at }, pagination_strategy: { type: CursorPagination, cursor_value: \"{{ response.get('next') }}\" } }";
    let of = |decoder: &str| manifest("", &format!("{paginator}\n      decoder: {{ type: {decoder} }}"), "");
    let answer = |request: &Request| json!({"items": [{"id": 1}], "next": query(request).is_empty().then_some(7)});
    assert_eq!(read(&of("JsonDecoder"), "at", answer).0.len(), 2);
    assert_eq!(read(&of("JsonlDecoder"), "at", answer).0.len(), 1);
}

#[test]
fn a_server_says_in_its_answer_how_long_to_wait() {
    let handler = |seconds: &str| {
        format!(
            "error_handler: {{ type: DefaultErrorHandler, backoff_strategies: [ {{ type: WaitTimeFromResponse, wait_time_in_seconds: \"{seconds}\", max_waiting_time_in_seconds: 100 }}, {{ type: ConstantBackoffStrategy, backoff_time_in_seconds: 20 }} ] }}"
        )
    };
    let waited = |seconds: &str, body: Value| {
        let mut is_first = true;
        walk(&manifest(&handler(seconds), "", ""), json!({}), Bounds::default(), |_| {
            let status = if std::mem::take(&mut is_first) { 429 } else { 200 };
            Some(Response::new(status, vec![("X-Wait".to_owned(), "3".to_owned())], body.to_string().into_bytes()))
        })
        .map(|walked| walked.waited / 1_000_000)
        .map_err(|error| error.to_string())
    };
    let after = "{{ response['error']['after'] }}";
    assert_eq!(waited(after, json!({"error": {"after": 7}, "items": []})), Ok(8));
    assert_eq!(waited("{{ response['ms'] | int / 1000 }}", json!({"ms": "5000", "items": []})), Ok(6));
    assert_eq!(waited("{{ headers['X-Wait'] }}", json!({"items": []})), Ok(4));
    // What says no time to wait leaves it to the next strategy.
    for body in [json!({"items": []}), json!({"error": {"after": -1}}), json!({"error": {"after": "soon"}}), json!([])]
    {
        assert_eq!(waited(after, body), Ok(21));
    }
    assert!(waited(after, json!({"error": {"after": 100}})).unwrap_err().contains("allows less than 100"));
    let told = missing(&manifest(&handler("{{ resposne.after }}"), "", ""));
    assert_eq!(told, "`resposne` in `wait_time_in_seconds`");
}
