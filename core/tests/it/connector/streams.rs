//! Streams that are not in a manifest one by one: templates, streams of one configuration or one state only, and what divides them.

use std::collections::BTreeMap;

use etalon_core::source::connector::{Bounds, Connector, NamedBy, Request, Response, Step};
use serde_json::{Value, json};

use super::{NOW, manifest, ok, walk};

#[test]
fn a_stream_that_is_read_otherwise_once_there_is_a_state() {
    let one = |name: &str, path: &str| {
        let cursor = "{ type: DatetimeBasedCursor, cursor_field: at, datetime_format: '%s', start_datetime: { type: MinMaxDatetime, datetime: '0' } }";
        format!(
            "    {name}:
      type: DeclarativeStream
      name: things
      retriever:
        type: SimpleRetriever
        requester: {{ type: HttpRequester, url_base: https://api.example, path: {path} }}
        record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [items] }} }}
      incremental_sync: {cursor}
"
        )
    };
    let text = format!(
        "version: 1.0.0\ntype: DeclarativeSource\ncheck: {{ type: CheckStream, stream_names: [things] }}\nstreams:\n  - type: StateDelegatingStream\n    name: things\n{}{}",
        one("full_refresh_stream", "all"),
        one("incremental_stream", "events")
    );
    let connector = Connector::read(&text).unwrap();
    assert_eq!(connector.streams().next().unwrap().missing, &[] as &[String]);
    let asked = |state: Option<&Value>, kept: Option<&Value>| {
        let mut walk = match kept {
            Some(kept) => connector.resume("things", json!({}), kept, Bounds::default(), NOW, 0).unwrap(),
            None => connector.walk("things", json!({}), state, Bounds::default(), NOW, 0).unwrap(),
        };
        let Step::Request(request) = walk.step(NOW).unwrap() else { panic!("nothing is asked") };
        (request.url, walk.keep())
    };
    let (first, kept) = asked(None, None);
    assert_eq!(first, "https://api.example/all");
    assert_eq!(asked(None, Some(&kept)).0, first);
    let (later, kept) = asked(Some(&json!({"at": "7"})), None);
    assert_eq!(later, "https://api.example/events");
    assert_eq!(asked(None, Some(&kept)).0, later);
}

/// A manifest of these streams, and templates of streams.
fn of(rest: &str) -> String {
    format!("version: 1.0.0\ntype: DeclarativeSource\ncheck: {{ type: CheckStream, stream_names: [a] }}\n{rest}")
}

const TEMPLATE: &str = "
    stream_template:
      type: DeclarativeStream
      name: ''
      primary_key: []
      retriever:
        type: SimpleRetriever
        requester: { type: HttpRequester, url_base: 'https://api.example', path: '' }
        record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [items] } }
";

/// Reads a stream to its end, and gives what was asked and what came.
fn read(
    text: &str,
    stream: &str,
    config: Value,
    mut answer: impl FnMut(&Request) -> Value,
) -> Result<(Vec<String>, Vec<Value>), String> {
    let connector = Connector::read(text).map_err(|error| error.to_string())?;
    let walk = connector.walk(stream, config.clone(), None, Bounds::default(), NOW, 0);
    let mut walk = walk.map_err(|error| error.to_string())?;
    let (mut asked, mut records) = (Vec::new(), Vec::new());
    loop {
        match walk.step(NOW).map_err(|error| error.to_string())? {
            Step::Request(request) => {
                // Whoever goes on from here asks the same once more.
                let kept = walk.keep();
                let resumed = connector.resume(stream, config.clone(), &kept, Bounds::default(), NOW, 0);
                drop(resumed.map_err(|error| error.to_string())?);
                walk.push(Some(Response::new(200, Vec::new(), answer(&request).to_string().into_bytes())));
                asked.push(request.url.replace("https://api.example", ""));
            }
            Step::Page(page) => records.extend(page.records),
            Step::Done => return Ok((asked, records)),
            other => return Err(format!("{other:?}")),
        }
    }
}

#[test]
fn a_template_gives_the_streams_that_the_server_says() {
    let text = of(&format!(
        "dynamic_streams:
  - type: DynamicDeclarativeStream
    name: tables
    components_resolver:
      type: HttpComponentsResolver
      retriever:
        type: SimpleRetriever
        requester: {{ type: HttpRequester, url_base: 'https://api.example', path: tables }}
        record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [tables] }} }}
      components_mapping:
        - {{ type: ComponentMappingDefinition, field_path: [name], value: \"{{{{ components_values['name'] }}}}\" }}
        - {{ type: ComponentMappingDefinition, field_path: [retriever, requester, path], value: \"t/{{{{ components_values['id'] }}}}\" }}{TEMPLATE}"
    ));
    let listed: Vec<_> = Connector::read(&text)
        .unwrap()
        .streams()
        .map(|listed| (listed.name.to_owned(), listed.named_by, listed.missing.to_vec()))
        .collect();
    assert_eq!(listed, [("tables".to_owned(), Some(NamedBy::Server), Vec::new())]);
    let answer = |request: &Request| match request.url.ends_with("/tables") {
        true => {
            json!({"tables": [{"name": "people", "id": 7}, {"name": "{{ config['key'] }}", "id": "{{ config['key'] }}"}]})
        }
        false => json!({"items": [{"id": 1}]}),
    };
    let (asked, records) = read(&text, "people", json!({"key": "hush"}), answer).unwrap();
    assert_eq!((asked, records), (vec!["/tables".to_owned(), "/t/7".to_owned()], vec![json!({"id": 1})]));
    let told = read(&text, "none", json!({"key": "hush"}), answer).unwrap_err();
    assert_eq!(told, "the server has no stream `none`, but `people`, `{{ \"{{ config['key'] }}\" }}`");
}

#[test]
fn a_server_names_no_host_for_a_stream_of_a_template() {
    let text = of(&format!(
        "dynamic_streams:
  - type: DynamicDeclarativeStream
    components_resolver:
      type: HttpComponentsResolver
      retriever:
        type: SimpleRetriever
        requester: {{ type: HttpRequester, url_base: 'https://api.example', path: tables }}
        record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [] }} }}
      components_mapping:
        - {{ type: ComponentMappingDefinition, field_path: [name], value: people }}
        - {{ type: ComponentMappingDefinition, field_path: [retriever, requester, url_base], value: \"{{{{ components_values['url'] }}}}\" }}{TEMPLATE}"
    ));
    let told = read(&text, "people", json!({}), |_| json!({"url": "https://evil.example"})).unwrap_err();
    assert_eq!(told, "`https://evil.example/` is not of a host that the manifest names");
}

#[test]
fn a_template_gives_the_streams_that_the_configuration_has() {
    let text = of(&format!(
        "dynamic_streams:
  - type: DynamicDeclarativeStream
    name: reports
    components_resolver:
      type: ConfigComponentsResolver
      stream_config:
        - {{ type: StreamConfig, configs_pointer: [reports], default_values: [{{ name: usual, path: usual }}] }}
        - {{ type: StreamConfig, configs_pointer: [regions] }}
      components_mapping:
        - {{ type: ComponentMappingDefinition, field_path: [name], value: \"{{{{ components_values['name'] }}}}_{{{{ components_values['source_config_1'][1] }}}}\" }}
        - type: ComponentMappingDefinition
          field_path: [retriever, requester, path]
          value: \"{{{{ components_values['path'] }}}}\"
          condition: \"{{{{ components_values['path'] }}}}\"
        - {{ type: ComponentMappingDefinition, field_path: [retriever, requester, request_parameters], value: 'region: {{{{ components_values[\"source_config_1\"][1] }}}}', create_or_update: true }}{TEMPLATE}"
    ));
    let connector = Connector::read(&text).unwrap();
    assert_eq!(connector.named_by("daily_eu"), Some(NamedBy::Config));
    let config = json!({"reports": [{"name": "daily", "path": "d"}], "regions": ["eu", "us"]});
    let answer = |_: &Request| json!({"items": []});
    let asked = |stream: &str| read(&text, stream, config.clone(), answer).map(|(asked, _)| asked);
    assert_eq!(asked("daily_us"), Ok(vec!["/d?region=us".to_owned()]));
    assert_eq!(asked("usual_eu"), Ok(vec!["/usual?region=eu".to_owned()]));
    assert_eq!(asked("daily"), Err("the manifest has no stream `daily`".to_owned()));
}

#[test]
fn a_template_gives_the_streams_that_the_manifest_has_and_they_are_listed() {
    let text = of(&format!(
        "dynamic_streams:
  - type: DynamicDeclarativeStream
    components_resolver:
      type: ParametrizedComponentsResolver
      stream_parameters:
        type: StreamParametersDefinition
        list_of_parameters_for_stream: [{{ name: cats, path: c }}, {{ name: dogs, path: d }}]
      components_mapping:
        - {{ type: ComponentMappingDefinition, field_path: [name], value: \"{{{{ components_values['name'] }}}}\" }}
        - {{ type: ComponentMappingDefinition, field_path: ['**', path], value: \"{{{{ components_values['path'] }}}}\" }}{TEMPLATE}"
    ));
    let connector = Connector::read(&text).unwrap();
    let names: Vec<&str> = connector.streams().map(|listed| listed.name).collect();
    assert_eq!((names, connector.named_by("fish")), (vec!["cats", "dogs"], None));
    let (asked, _) = read(&text, "dogs", json!({}), |_| json!({"items": []})).unwrap();
    assert_eq!(asked, ["/d"]);
}

#[test]
fn a_stream_is_there_for_the_configurations_that_its_condition_says() {
    let stream = "{ type: DeclarativeStream, name: things, primary_key: [], retriever: { type: SimpleRetriever, requester: { type: HttpRequester, url_base: 'https://api.example', path: things }, record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [items] } } } }";
    let text = of(&format!(
        "streams:\n  - {{ type: ConditionalStreams, condition: \"{{{{ config['has_things'] }}}}\", streams: [{stream}] }}\n"
    ));
    let asked = |config: Value| read(&text, "things", config, |_| json!({"items": []})).map(|(asked, _)| asked);
    assert_eq!(asked(json!({"has_things": true})), Ok(vec!["/things".to_owned()]));
    let told = "the manifest has the stream `things` for another configuration only";
    assert_eq!(asked(json!({"has_things": false})), Err(told.to_owned()));
}

#[test]
fn what_a_server_has_forgotten_is_read_from_the_beginning() {
    let one = |path: &str| {
        format!(
            "{{ type: DeclarativeStream, name: things, retriever: {{ type: SimpleRetriever, requester: {{ type: HttpRequester, url_base: 'https://api.example', path: {path} }}, record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [items] }} }} }}, incremental_sync: {{ type: DatetimeBasedCursor, cursor_field: at, datetime_format: '%Y-%m-%d', start_datetime: '2020-01-01' }} }}"
        )
    };
    let text = of(&format!(
        "streams:\n  - type: StateDelegatingStream\n    name: things\n    api_retention_period: P7D\n    full_refresh_stream: {}\n    incremental_stream: {}\n",
        one("all"),
        one("events")
    ));
    let connector = Connector::read(&text).unwrap();
    let asked = |at: &str| {
        let state = json!({"at": at});
        let mut walk = connector.walk("things", json!({}), Some(&state), Bounds::default(), NOW, 0).unwrap();
        let Step::Request(request) = walk.step(NOW).unwrap() else { panic!("nothing is asked") };
        (request.url, walk.state())
    };
    assert_eq!(asked("2024-02-24").0, "https://api.example/events");
    let (url, state) = asked("2024-02-22");
    assert_eq!((url.as_str(), state), ("https://api.example/all", json!({"at": "2020-01-01"})));
}

/// The words that each request asks for, of a stream whose partitions these routers give.
fn partitions(router: &str) -> Vec<String> {
    let requester = "request_parameters: { w: \"{{ stream_partition['word'] }}\" }";
    let mut asked = Vec::new();
    let text = manifest(requester, router, "");
    walk(&text, json!({}), Bounds::default(), |request| {
        asked.push(request.url.split_once("w=").unwrap().1.to_owned());
        ok(&json!({"items": []}))
    })
    .unwrap();
    asked
}

fn list(values: &str) -> String {
    format!(
        "{{ type: ListPartitionRouter, cursor_field: word, values: {values}, request_option: {{ type: RequestOption, inject_into: request_parameter, field_name: v }} }}"
    )
}

#[test]
fn partitions_are_taken_together_or_one_after_the_other() {
    let group = |more: &str| {
        format!(
            "partition_router: {{ type: GroupingPartitionRouter, group_size: 2, underlying_partition_router: {}{more} }}",
            list("[a, b, a, c]")
        )
    };
    assert_eq!(partitions(&group("")), ["a&w=b", "c"]);
    assert_eq!(partitions(&group(", deduplicate: false")), ["a&w=b", "a&w=c"]);
    let union = format!(
        "partition_router: {{ type: UnionPartitionRouter, partition_field: word, partition_routers: [{}, {}] }}",
        list("[a, b]"),
        list("[b, c]")
    );
    assert_eq!(partitions(&union), ["a", "b", "c"]);
}

#[test]
fn groups_of_partitions_have_one_cursor() {
    let router = format!(
        "partition_router: {{ type: GroupingPartitionRouter, group_size: 2, underlying_partition_router: {} }}",
        list("[a, b, c]")
    );
    let cursor = "incremental_sync: { type: DatetimeBasedCursor, cursor_field: at, datetime_format: '%Y-%m-%d', start_datetime: '2020-01-01' }";
    let connector = Connector::read(&manifest("", &router, cursor)).unwrap();
    let mut walk = connector.walk("things", json!({}), None, Bounds::default(), NOW, 0).unwrap();
    let mut records = 0;
    loop {
        match walk.step(NOW).unwrap() {
            Step::Request(_) => walk.push(ok(&json!({"items": [{"id": 1, "at": "2020-01-05"}]}))),
            Step::Page(page) => records += page.records.len(),
            Step::Done => break,
            other => panic!("{other:?}"),
        }
    }
    let state = walk.state();
    assert_eq!(
        (records, &state["use_global_cursor"], &state["state"]),
        (2, &json!(true), &json!({"at": "2020-01-05"}))
    );
    assert_eq!(state.get("states"), None);
}

#[test]
fn a_cursor_may_be_a_number() {
    let cursor = "incremental_sync: { type: IncrementingCountCursor, cursor_field: id, start_value: 3, start_value_option: { type: RequestOption, inject_into: request_parameter, field_name: after } }";
    let connector = Connector::read(&manifest("", "", cursor)).unwrap();
    assert_eq!(connector.streams().next().map(|listed| (listed.is_incremental, listed.missing.len())), Some((true, 0)));
    let sync = |state: Option<&Value>, ids: &[i64]| {
        let mut walk = connector.walk("things", json!({}), state, Bounds::default(), NOW, 0).unwrap();
        let Step::Request(request) = walk.step(NOW).unwrap() else { panic!("nothing is asked") };
        let items: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        walk.push(ok(&json!({"items": items})));
        assert!(matches!(walk.step(NOW).unwrap(), Step::Page(_)));
        assert_eq!(walk.step(NOW).unwrap(), Step::Done);
        (request.url.split_once('?').unwrap().1.to_owned(), walk.state())
    };
    let (asked, state) = sync(None, &[5, 9_007_199_254_740_993, 7]);
    assert_eq!((asked.as_str(), &state), ("after=3", &json!({"id": 9_007_199_254_740_993_i64})));
    let (asked, state) = sync(Some(&state), &[]);
    assert_eq!((asked.as_str(), state), ("after=9007199254740993", json!({"id": 9_007_199_254_740_993_i64})));
}

#[test]
fn a_parent_begins_where_the_child_stands_if_nothing_is_known_of_it() {
    let cursor = "{ type: DatetimeBasedCursor, cursor_field: at, datetime_format: '%Y-%m-%d', start_datetime: '2020-01-01', start_time_option: { type: RequestOption, inject_into: request_parameter, field_name: since } }";
    let router = format!(
        "partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - type: ParentStreamConfig
            parent_key: id
            partition_field: parent
            incremental_dependency: true
            stream:
              type: DeclarativeStream
              name: parents
              retriever:
                type: SimpleRetriever
                requester: {{ type: HttpRequester, url_base: 'https://api.example', path: parents }}
                record_selector: {{ type: RecordSelector, extractor: {{ type: DpathExtractor, field_path: [items] }} }}
              incremental_sync: {cursor}"
    );
    let text = manifest("", &router, &format!("incremental_sync: {cursor}"));
    let connector = Connector::read(&text).unwrap();
    let first = |state: Value| {
        let mut walk = connector.walk("things", json!({}), Some(&state), Bounds::default(), NOW, 0).unwrap();
        let Step::Request(request) = walk.step(NOW).unwrap() else { panic!("nothing is asked") };
        request.url.rsplit('=').next().unwrap().to_owned()
    };
    let known: BTreeMap<&str, Value> = BTreeMap::from([
        ("2024-02-01", json!({"at": "2024-02-01"})),
        ("2024-02-02", json!({"state": {"at": "2024-02-02"}, "states": []})),
        (
            "2024-02-03",
            json!({"state": {"at": "2024-02-02"}, "states": [], "parent_state": {"parents": {"at": "2024-02-03"}}}),
        ),
        ("2020-01-01", json!({"__ab_full_refresh_sync_complete": true})),
    ]);
    for (since, state) in known {
        assert_eq!(first(state.clone()), since, "{state}");
    }
}
