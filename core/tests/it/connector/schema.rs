//! The list of the format's components: each is there with its fields, and what is refused is refused by name.

use std::collections::BTreeSet;

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

#[test]
fn the_page_of_components_is_true() {
    check_page("connector-components.md", &page());
}
