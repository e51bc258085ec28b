//! The list of the format's components: each is there with its fields, and what is refused is refused by name.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use etalon_core::source::connector::{COMPONENTS, Connector, Standing, page};

use super::manifest;
use crate::spec::check_page;

const OAUTH: &str =
    "authenticator: { type: OAuthAuthenticator, token_refresh_endpoint: 'https://api.example/token', FIELD }";
const JWT: &str = "authenticator: { type: JwtAuthenticator, secret_key: k, algorithm: HS256, FIELD }";
const PARENT: &str = "partition_router: { type: SubstreamPartitionRouter, parent_stream_configs: [ { type: ParentStreamConfig, parent_key: id, partition_field: p, stream: { type: DeclarativeStream, name: p, retriever: { type: SimpleRetriever, requester: { type: HttpRequester, url_base: 'https://api.example' }, record_selector: { type: RecordSelector, extractor: { type: DpathExtractor, field_path: [] } } } }, FIELD } ] }";

/// A manifest in which a component has a field.
fn with(ty: &str, field: &str) -> String {
    let field = &format!("{field}: {{ type: Odd }}");
    let of = |text: &str| text.replace("FIELD", field);
    match ty {
        "OAuthAuthenticator" => manifest(&of(OAUTH), "", ""),
        "JwtAuthenticator" => manifest(&of(JWT), "", ""),
        "QueryProperties" => {
            let properties = format!("query_properties: {{ type: QueryProperties, property_list: [a], {field} }}");
            manifest(&properties, "", "")
        }
        "SimpleRetriever" => manifest("", field, ""),
        "DeclarativeStream" => manifest("", "", field),
        "RecordExpander" => {
            let expander =
                format!("record_expander: {{ type: RecordExpander, expand_records_from_field: [a], {field} }}");
            manifest("", "", "").replace("field_path: [items]", &format!("field_path: [items], {expander}"))
        }
        "ParentStreamConfig" => manifest("", &of(PARENT), ""),
        other => panic!("no manifest has a `{other}`"),
    }
}

#[test]
fn what_is_refused_is_refused_by_name() {
    let missing = |text: &str| Connector::read(text).unwrap().streams().next().unwrap().missing.join("; ");
    let mut refused = 0;
    for row in COMPONENTS {
        for field in row.refused {
            let told = missing(&with(row.ty, field));
            assert_eq!(told, format!("the field `{field}` of `{}`", row.ty));
            refused += 1;
        }
    }
    assert!(refused > 8, "{refused}");
    for row in COMPONENTS.iter().filter(|row| row.standing == Standing::Refused && !row.ty.starts_with("Custom")) {
        let told = missing(&manifest("", &format!("decoder: {{ type: {} }}", row.ty), ""));
        assert!(told.contains(&format!("`{}`", row.ty)), "{told}");
    }
}

#[test]
fn each_component_is_listed_once_in_order() {
    let names: Vec<&str> = COMPONENTS.iter().map(|row| row.ty).collect();
    let sorted: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names, sorted.into_iter().collect::<Vec<_>>());
    assert!(COMPONENTS.iter().all(|row| row.fields.iter().all(|field| !row.refused.contains(field))));
}

/// Fields that a component has for a purpose that a pipeline does not have: how a connection is checked, how many workers there
/// are, what a form looks like, how a socket is kept.
const PASSED: [(&str, &str); 25] = [
    ("ConfigMigration", "description"),
    ("ConstantBackoffStrategy", "jitter_range_in_seconds"),
    ("DatetimeBasedCursor", "allow_catalog_defined_cursor_field"),
    ("DeclarativeSource", "check"),
    ("DeclarativeSource", "concurrency_level"),
    ("DeclarativeSource", "definitions"),
    ("DeclarativeSource", "description"),
    ("DeclarativeSource", "max_concurrent_async_job_count"),
    ("DeclarativeSource", "metadata"),
    ("DeclarativeSource", "schemas"),
    ("DeclarativeSource", "stream_groups"),
    ("DeclarativeSource", "version"),
    ("ExponentialBackoffStrategy", "jitter_range_in_seconds"),
    ("HTTPAPIBudget", "status_codes_for_ratelimit_hit"),
    ("HttpRequester", "connect_timeout_in_seconds"),
    ("HttpRequester", "read_timeout_in_seconds"),
    ("HttpRequester", "use_tcp_keepalive"),
    ("HttpResponseFilter", "failure_type"),
    ("IncrementingCountCursor", "allow_catalog_defined_cursor_field"),
    ("OAuthAuthenticator", "refresh_token_error_key"),
    ("OAuthAuthenticator", "refresh_token_error_status_codes"),
    ("OAuthAuthenticator", "refresh_token_error_values"),
    ("Spec", "advanced_auth"),
    ("Spec", "documentation_url"),
    ("StateDelegatingStream", "name"),
];

/// The code of the connector, file by file, without its tests and without the list.
fn code(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code(&path, files);
        } else if !path.ends_with("connector/schema.rs") {
            let text = fs::read_to_string(&path).unwrap();
            files.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
}

#[test]
fn a_field_that_the_list_calls_taken_is_named_by_the_code_that_reads() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/source");
    let mut files = vec![fs::read_to_string(source.join("connector.rs")).unwrap()];
    code(&source.join("connector"), &mut files);
    let mut passed: BTreeSet<(&str, &str)> = PASSED.into_iter().collect();
    for row in COMPONENTS.iter().filter(|row| row.standing == Standing::Taken) {
        for field in row.fields {
            let quoted = format!("\"{field}\"");
            let is_named = files.iter().any(|file| file.contains(&quoted));
            let is_passed = passed.remove(&(row.ty, *field));
            assert!(is_named || is_passed, "no code names `{field}` of `{}`", row.ty);
        }
    }
    assert!(passed.is_empty(), "{passed:?} is none of the format's");
}

#[test]
fn the_page_of_components_is_true() {
    check_page("connector-components.md", &page());
}
