//! Schema: the components of the format and their fields, and what becomes of each. A field that is not here is none of the format's:
//! it is passed over, as the reference does, and told.

/// What becomes of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does what the format says.
    Taken,
    /// It says nothing that a pipeline asks for: how a connection is checked, how many workers there are, what a form looks like.
    Passed,
    /// Whoever asks for it is refused by its name.
    Refused,
}

/// A component of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its type.
    pub ty: &'static str,
    /// What becomes of it.
    pub standing: Standing,
    /// The fields that are read, or passed over with it.
    pub fields: &'static [&'static str],
    /// The fields that are refused.
    pub refused: &'static [&'static str],
}

const fn row(
    ty: &'static str,
    standing: Standing,
    fields: &'static [&'static str],
    refused: &'static [&'static str],
) -> Described {
    Described { ty, standing, fields, refused }
}

use Standing::{Passed, Refused, Taken};

/// The components of the format, by name.
pub const COMPONENTS: &[Described] = &[
    row("AddFields", Taken, &["fields", "condition"], &[]),
    row("AddedFieldDefinition", Taken, &["path", "value", "value_type"], &[]),
    row("ApiKeyAuthenticator", Taken, &["api_token", "header", "inject_into"], &[]),
    row("AsyncJobStatusMap", Taken, &["running", "completed", "failed", "timeout", "skipped"], &[]),
    row(
        "AsyncRetriever",
        Taken,
        &[
            "record_selector",
            "status_mapping",
            "status_extractor",
            "download_target_extractor",
            "download_extractor",
            "creation_requester",
            "polling_requester",
            "polling_job_timeout",
            "failed_retry_wait_time_in_seconds",
            "download_target_requester",
            "download_requester",
            "download_paginator",
            "abort_requester",
            "delete_requester",
            "partition_router",
            "decoder",
            "download_decoder",
        ],
        &[],
    ),
    row("AuthFlow", Passed, &["auth_flow_type", "predicate_key", "predicate_value", "oauth_config_specification"], &[]),
    row("BasicHttpAuthenticator", Taken, &["username", "password"], &[]),
    row("BearerAuthenticator", Taken, &["api_token"], &[]),
    row("BlockSimultaneousSyncsAction", Passed, &[], &[]),
    row("CheckDynamicStream", Passed, &["stream_count", "use_check_availability", "config_overrides"], &[]),
    row("CheckStream", Passed, &["stream_names", "dynamic_streams_check_configs", "config_overrides"], &[]),
    row("CombinedExtractor", Taken, &["extractors", "mode", "skip_empty_records"], &[]),
    row("ComplexFieldType", Passed, &["field_type", "items"], &[]),
    row(
        "ComponentMappingDefinition",
        Taken,
        &["field_path", "value", "value_type", "create_or_update", "condition"],
        &[],
    ),
    row("CompositeErrorHandler", Taken, &["error_handlers"], &[]),
    row("ConcurrencyLevel", Passed, &["default_concurrency", "max_concurrency"], &[]),
    row("ConditionalStreams", Taken, &["condition", "streams"], &[]),
    row("ConfigAddFields", Taken, &["fields", "condition"], &[]),
    row("ConfigComponentsResolver", Taken, &["stream_config", "components_mapping"], &[]),
    row("ConfigMigration", Taken, &["description", "transformations"], &[]),
    row("ConfigNormalizationRules", Taken, &["config_migrations", "transformations", "validations"], &[]),
    row("ConfigRemapField", Taken, &["map", "field_path"], &[]),
    row("ConfigRemoveFields", Taken, &["field_pointers", "condition"], &[]),
    row("ConstantBackoffStrategy", Taken, &["backoff_time_in_seconds", "jitter_range_in_seconds"], &[]),
    row("CsvDecoder", Taken, &["encoding", "delimiter", "set_values_to_none"], &[]),
    row("CursorPagination", Taken, &["cursor_value", "page_size", "stop_condition"], &[]),
    row("CustomAuthenticator", Refused, &["class_name"], &[]),
    row("CustomBackoffStrategy", Refused, &["class_name"], &[]),
    row("CustomConfigTransformation", Refused, &["class_name"], &[]),
    row("CustomDecoder", Refused, &["class_name"], &[]),
    row("CustomErrorHandler", Refused, &["class_name"], &[]),
    row("CustomPaginationStrategy", Refused, &["class_name"], &[]),
    row("CustomPartitionRouter", Refused, &["class_name"], &[]),
    row("CustomRecordExtractor", Refused, &["class_name"], &[]),
    row("CustomRecordFilter", Refused, &["class_name"], &[]),
    row("CustomRequester", Refused, &["class_name"], &[]),
    row("CustomRetriever", Refused, &["class_name"], &[]),
    row("CustomSchemaLoader", Refused, &["class_name"], &[]),
    row("CustomSchemaNormalization", Refused, &["class_name"], &[]),
    row("CustomStateMigration", Refused, &["class_name"], &[]),
    row("CustomTransformation", Refused, &["class_name"], &[]),
    row("CustomValidationStrategy", Refused, &["class_name"], &[]),
    row(
        "DatetimeBasedCursor",
        Taken,
        &[
            "cursor_field",
            "allow_catalog_defined_cursor_field",
            "cursor_datetime_formats",
            "start_datetime",
            "start_time_option",
            "end_datetime",
            "end_time_option",
            "datetime_format",
            "cursor_granularity",
            "is_data_feed",
            "is_client_side_incremental",
            "is_compare_strictly",
            "global_substream_cursor",
            "lookback_window",
            "partition_field_end",
            "partition_field_start",
            "step",
            "clamping",
        ],
        &[],
    ),
    row(
        "DeclarativeSource",
        Taken,
        &[
            "check",
            "streams",
            "dynamic_streams",
            "version",
            "schemas",
            "definitions",
            "spec",
            "concurrency_level",
            "api_budget",
            "stream_groups",
            "max_concurrent_async_job_count",
            "metadata",
            "description",
        ],
        &[],
    ),
    row(
        "DeclarativeStream",
        Taken,
        &[
            "name",
            "retriever",
            "incremental_sync",
            "primary_key",
            "schema_loader",
            "transformations",
            "state_migrations",
        ],
        &["file_uploader"],
    ),
    row("DefaultErrorHandler", Taken, &["backoff_strategies", "max_retries", "response_filters"], &[]),
    row("DefaultPaginator", Taken, &["pagination_strategy", "page_size_option", "page_token_option"], &[]),
    row("DpathExtractor", Taken, &["field_path", "record_expander"], &[]),
    row(
        "DpathFlattenFields",
        Taken,
        &["field_path", "delete_origin_value", "replace_record", "key_transformation"],
        &[],
    ),
    row("DpathValidator", Passed, &["field_path", "validation_strategy"], &[]),
    row(
        "DynamicDeclarativeStream",
        Taken,
        &["name", "stream_template", "components_resolver", "use_parent_parameters"],
        &[],
    ),
    row(
        "DynamicSchemaLoader",
        Passed,
        &["retriever", "schema_filter", "schema_transformations", "schema_type_identifier"],
        &[],
    ),
    row("DynamicStreamCheckConfig", Passed, &["dynamic_stream_name", "stream_count"], &[]),
    row("ExponentialBackoffStrategy", Taken, &["factor", "jitter_range_in_seconds"], &[]),
    row("FixedWindowCallRatePolicy", Taken, &["period", "call_limit", "matchers"], &[]),
    row("FlattenFields", Taken, &["flatten_lists"], &[]),
    row("GroupByKeyMergeStrategy", Taken, &["key"], &[]),
    row("GroupingPartitionRouter", Taken, &["group_size", "underlying_partition_router", "deduplicate"], &[]),
    row("GzipDecoder", Taken, &["decoder"], &[]),
    row(
        "HTTPAPIBudget",
        Taken,
        &["policies", "ratelimit_reset_header", "ratelimit_remaining_header", "status_codes_for_ratelimit_hit"],
        &[],
    ),
    row("HttpComponentsResolver", Taken, &["retriever", "components_mapping"], &[]),
    row(
        "HttpRequestRegexMatcher",
        Taken,
        &["method", "url_base", "url_path_pattern", "params", "headers", "weight"],
        &[],
    ),
    row(
        "HttpRequester",
        Taken,
        &[
            "url_base",
            "url",
            "path",
            "http_method",
            "authenticator",
            "request_parameters",
            "request_headers",
            "request_body_data",
            "request_body_json",
            "request_body",
            "error_handler",
            "use_cache",
            "connect_timeout_in_seconds",
            "read_timeout_in_seconds",
            "use_tcp_keepalive",
            "fetch_properties_from_endpoint",
            "query_properties",
        ],
        &[],
    ),
    row(
        "HttpResponseFilter",
        Taken,
        &["action", "failure_type", "error_message", "error_message_contains", "http_codes", "predicate"],
        &[],
    ),
    row(
        "IncrementingCountCursor",
        Taken,
        &["cursor_field", "allow_catalog_defined_cursor_field", "start_value", "start_value_option"],
        &[],
    ),
    row("InlineSchemaLoader", Taken, &["schema"], &[]),
    row("IterableDecoder", Taken, &[], &[]),
    row("JsonDecoder", Taken, &[], &[]),
    row("JsonFileSchemaLoader", Passed, &["file_path"], &[]),
    row("JsonItemsDecoder", Taken, &["items_path", "encoding"], &[]),
    row("JsonSchemaPropertySelector", Refused, &["transformations"], &[]),
    row("JsonlDecoder", Taken, &[], &[]),
    row(
        "JwtAuthenticator",
        Taken,
        &[
            "secret_key",
            "base64_encode_secret_key",
            "algorithm",
            "token_duration",
            "header_prefix",
            "jwt_headers",
            "additional_jwt_headers",
            "jwt_payload",
            "additional_jwt_payload",
            "request_option",
        ],
        &["passphrase"],
    ),
    row("KeyTransformation", Taken, &["prefix", "suffix"], &[]),
    row("KeysReplace", Taken, &["old", "new"], &[]),
    row("KeysToLower", Taken, &[], &[]),
    row("KeysToSnakeCase", Taken, &[], &[]),
    row(
        "LegacySessionTokenAuthenticator",
        Taken,
        &[
            "header",
            "login_url",
            "session_token",
            "session_token_response_key",
            "username",
            "password",
            "validate_session_url",
        ],
        &[],
    ),
    row("LegacyToPerPartitionStateMigration", Taken, &[], &[]),
    row("ListPartitionRouter", Taken, &["cursor_field", "values", "request_option"], &[]),
    row("MinMaxDatetime", Taken, &["datetime", "datetime_format", "max_datetime", "min_datetime"], &[]),
    row("MovingWindowCallRatePolicy", Taken, &["rates", "matchers"], &[]),
    row("NoAuth", Taken, &[], &[]),
    row("NoPagination", Taken, &[], &[]),
    row(
        "OAuthAuthenticator",
        Taken,
        &[
            "client_id_name",
            "client_id",
            "client_secret_name",
            "client_secret",
            "refresh_token_name",
            "refresh_token",
            "token_refresh_endpoint",
            "access_token_name",
            "access_token_value",
            "expires_in_name",
            "grant_type_name",
            "grant_type",
            "refresh_request_body",
            "refresh_request_headers",
            "send_refresh_request_as_query_params",
            "scopes",
            "token_expiry_date",
            "token_expiry_date_format",
            "refresh_token_error_status_codes",
            "refresh_token_error_key",
            "refresh_token_error_values",
            "refresh_token_updater",
        ],
        &["profile_assertion", "use_profile_assertion"],
    ),
    row(
        "OAuthConfigSpecification",
        Passed,
        &[
            "oauth_user_input_from_connector_config_specification",
            "oauth_connector_input_specification",
            "complete_oauth_output_specification",
            "complete_oauth_server_input_specification",
            "complete_oauth_server_output_specification",
        ],
        &[],
    ),
    row("OffsetIncrement", Taken, &["page_size", "inject_on_first_request"], &[]),
    row("PageIncrement", Taken, &["page_size", "start_from_page", "inject_on_first_request"], &[]),
    row(
        "PageSizeReduction",
        Refused,
        &[
            "reduction_factor",
            "minimum_page_size",
            "max_attempts",
            "backoff_seconds",
            "retries_at_minimum_page_size",
            "failure_message",
            "reset_policy",
        ],
        &[],
    ),
    row("PaginationReset", Refused, &["action", "limits"], &[]),
    row("PaginationResetLimits", Refused, &["number_of_records"], &[]),
    row("ParametrizedComponentsResolver", Taken, &["stream_parameters", "components_mapping"], &[]),
    row("ParentFieldPath", Taken, &["parent_path", "record_path"], &[]),
    row(
        "ParentStreamConfig",
        Taken,
        &["stream", "parent_key", "partition_field", "request_option", "incremental_dependency", "extra_fields"],
        &["lazy_read_pointer"],
    ),
    row("PredicateValidator", Passed, &["value", "validation_strategy"], &[]),
    row("PropertiesFromEndpoint", Taken, &["property_field_path", "retriever"], &[]),
    row("PropertyChunking", Taken, &["property_limit_type", "property_limit", "record_merge_strategy"], &[]),
    row(
        "QueryProperties",
        Taken,
        &["property_list", "always_include_properties", "property_chunking"],
        &["property_selector"],
    ),
    row("QuotaStatusSource", Refused, &["url", "http_method", "request_headers", "unavailable_status_codes"], &[]),
    row("Rate", Taken, &["limit", "interval"], &[]),
    row(
        "RateLimitedMultipleTokenAuthenticator",
        Refused,
        &[
            "tokens",
            "token_delimiter",
            "auth_method",
            "header",
            "quota_status_source",
            "quotas",
            "max_wait_time",
            "budget_reserve_fraction",
            "budget_min_reserve",
        ],
        &[],
    ),
    row(
        "RecordExpander",
        Taken,
        &[
            "expand_records_from_field",
            "remain_original_record",
            "parent_fields",
            "merge_parent",
            "on_no_records",
            "truncation_indicator_path",
        ],
        &["truncated_list_retriever"],
    ),
    row("RecordFilter", Taken, &["condition"], &[]),
    row(
        "RecordSelector",
        Taken,
        &["extractor", "record_filter", "schema_normalization", "transform_before_filtering"],
        &[],
    ),
    row("RemoveFields", Taken, &["condition", "field_pointers"], &[]),
    row("RequestBodyGraphQL", Taken, &["value"], &[]),
    row("RequestBodyGraphQlQuery", Taken, &["query"], &[]),
    row("RequestBodyJsonObject", Taken, &["value"], &[]),
    row("RequestBodyPlainText", Taken, &["value"], &[]),
    row("RequestBodyUrlEncodedForm", Taken, &["value"], &[]),
    row("RequestOption", Taken, &["inject_into", "field_name", "field_path"], &[]),
    row("RequestPath", Taken, &[], &[]),
    row("RequestWindowSplitting", Refused, &["failure_message", "min_split_window"], &[]),
    row("ResponseToFileExtractor", Taken, &["preserve_na_values"], &[]),
    row("SchemaTypeIdentifier", Passed, &["schema_pointer", "key_pointer", "type_pointer", "types_mapping"], &[]),
    row("SelectiveAuthenticator", Taken, &["authenticator_selection_path", "authenticators"], &[]),
    row(
        "SessionTokenAuthenticator",
        Taken,
        &["login_requester", "session_token_path", "expiration_duration", "request_authentication", "decoder"],
        &[],
    ),
    row("SessionTokenRequestApiKeyAuthenticator", Taken, &["inject_into", "api_token"], &[]),
    row("SessionTokenRequestBearerAuthenticator", Taken, &[], &[]),
    row(
        "SimpleRetriever",
        Taken,
        &[
            "requester",
            "decoder",
            "record_selector",
            "paginator",
            "ignore_stream_slicer_parameters_on_paginated_requests",
            "partition_router",
        ],
        &["pagination_reset", "page_size_reduction", "request_window_splitting"],
    ),
    row(
        "Spec",
        Taken,
        &["connection_specification", "documentation_url", "advanced_auth", "config_normalization_rules"],
        &[],
    ),
    row(
        "StateDelegatingStream",
        Taken,
        &["name", "full_refresh_stream", "incremental_stream", "api_retention_period"],
        &[],
    ),
    row("StreamConfig", Taken, &["configs_pointer", "default_values"], &[]),
    row("StreamGroup", Passed, &["streams", "action"], &[]),
    row("StreamParametersDefinition", Taken, &["list_of_parameters_for_stream"], &[]),
    row("SubstreamPartitionRouter", Taken, &["parent_stream_configs"], &[]),
    row(
        "TokenQuota",
        Refused,
        &[
            "name",
            "remaining_path",
            "reset_path",
            "limit_path",
            "matchers",
            "remaining_header",
            "reset_header",
            "limit_header",
            "exhaustion_status_codes",
        ],
        &[],
    ),
    row("TypesMap", Passed, &["target_type", "current_type", "condition"], &[]),
    row("UnionPartitionRouter", Taken, &["partition_field", "partition_routers"], &[]),
    row("UnlimitedCallRatePolicy", Taken, &["matchers"], &[]),
    row("ValidateAdheresToSchema", Passed, &["base_schema"], &[]),
    row("WaitTimeFromHeader", Taken, &["header", "regex", "max_waiting_time_in_seconds"], &[]),
    row("WaitTimeFromResponse", Taken, &["wait_time_in_seconds", "max_waiting_time_in_seconds"], &[]),
    row("WaitUntilTimeFromHeader", Taken, &["header", "min_wait", "regex", "max_waiting_time_in_seconds"], &[]),
    row("XmlDecoder", Taken, &[], &[]),
    row("ZipfileDecoder", Taken, &["decoder"], &[]),
];

/// The fields of a component that are read, or passed over with it.
pub(super) fn fields(ty: &str) -> &'static [&'static str] {
    // What a session proves a request with is written so in manifests.
    let ty = match ty {
        "ApiKey" => "SessionTokenRequestApiKeyAuthenticator",
        "Bearer" => "SessionTokenRequestBearerAuthenticator",
        ty => ty,
    };
    COMPONENTS.iter().find(|row| row.ty == ty).map(|row| row.fields).unwrap_or_default()
}

/// Whether a field of a component is one of the format's that is not there.
pub(super) fn is_refused(ty: &str, field: &str) -> bool {
    COMPONENTS.iter().any(|row| row.ty == ty && row.refused.contains(&field))
}

/// The page of the components.
pub fn page() -> String {
    let mut page = String::from(
        "# Components of a connector's manifest\n\nEvery component of the declarative format (version 7.39.1 of its reference), and what becomes \
         of each of its fields. A stream that asks for what is refused is refused by name before anything is sent; `etalon connector ls` \
         says so. A field that is in no row is none of the format's: it is passed over and told.\n",
    );
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    page.push_str("\n## What is read\n\n| Component | Fields | Refused |\n|---|---|---|\n");
    for row in COMPONENTS.iter().filter(|row| row.standing == Taken) {
        page.push_str(&format!("| `{}` | {} | {} |\n", row.ty, quoted(row.fields), quoted(row.refused)));
    }
    for (standing, title, why) in [
        (
            Passed,
            "What is passed over",
            "It says nothing that a pipeline asks for: how a connection is checked, how many workers there are, what a form looks like.",
        ),
        (
            Refused,
            "What is refused",
            "A class of Python is a program, which a manifest without one does not have; nobody has asked for the others yet.",
        ),
    ] {
        let names: Vec<&str> = COMPONENTS.iter().filter(|row| row.standing == standing).map(|row| row.ty).collect();
        page.push_str(&format!("\n## {title}\n\n{why}\n\n{}\n", quoted(&names)));
    }
    page
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::component::asked;
    use super::super::{Connector, manifest};
    use super::*;

    /// A manifest with every component that is read, and every field of it.
    const EVERY: &str = include_str!("../../../tests/it/connector/every.yaml");

    /// Fields that a component has for a purpose that a pipeline does not have: how a connection is checked, how many workers there
    /// are, what a form looks like, how a socket is kept.
    const PASSED: [(&str, &str); 23] = [
        ("ConfigMigration", "description"),
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

    /// Fields that are read with the whole mapping that they stand in, whatever its names are.
    const WHOLE: [(&str, &str); 1] = [("RequestBodyGraphQlQuery", "query")];

    /// The types of components that are written in a manifest, each with a field.
    fn written(value: &Value, found: &mut BTreeSet<(String, String)>) {
        if let (Some(fields), Some(Value::String(ty))) = (value.as_object(), value.get("type")) {
            let fields = fields.iter().filter(|(_, value)| !value.is_null());
            found.extend(fields.map(|(field, _)| (ty.clone(), field.clone())));
        }
        match value {
            Value::Object(map) => map.values().for_each(|child| written(child, found)),
            Value::Array(items) => items.iter().for_each(|child| written(child, found)),
            _ => {}
        }
    }

    #[test]
    fn a_field_that_the_list_calls_read_is_asked_for_by_whoever_reads_its_component() {
        asked::take();
        let connector = Connector::read(EVERY).unwrap();
        let asked = asked::take();
        let mut there = BTreeSet::new();
        written(&manifest::read(EVERY).unwrap(), &mut there);
        // What only stands there to be referred to is gone when the manifest is read.
        for field in ["definitions", "schemas"].into_iter().filter(|field| EVERY.contains(&format!("\n{field}:"))) {
            there.insert(("DeclarativeSource".to_owned(), field.to_owned()));
        }
        let mut passed: BTreeSet<(&str, &str)> = PASSED.into_iter().collect();
        let mut wrong = Vec::new();
        for stream in connector.streams() {
            let told = stream.missing.iter().chain(stream.ignored);
            wrong.extend(told.map(|what| format!("`{}`: {what}", stream.name)));
        }
        for row in COMPONENTS.iter().filter(|row| row.standing == Taken) {
            let names: &[&str] = match row.ty {
                "SessionTokenRequestApiKeyAuthenticator" => &[row.ty, "ApiKey"],
                ty => &[ty],
            };
            for field in row.fields {
                let is_in = |set: &BTreeSet<(String, String)>| {
                    names.iter().any(|ty| set.contains(&((*ty).to_owned(), (*field).to_owned())))
                };
                let is_passed = passed.remove(&(row.ty, *field));
                if !is_in(&there) {
                    wrong.push(format!("the manifest has no `{field}` of `{}`", row.ty));
                } else if !WHOLE.contains(&(row.ty, *field)) && is_in(&asked) == is_passed {
                    let what = if is_passed { "is asked for" } else { "nobody asks for" };
                    wrong.push(format!("{what}: `{field}` of `{}`", row.ty));
                }
            }
        }
        wrong.extend(passed.iter().map(|(ty, field)| format!("`{field}` of `{ty}` is none of the format's")));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
