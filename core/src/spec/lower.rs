//! Lower: builds the `Spec` from a tree whose form has been checked. What was reported is passed over here.

use super::check::{mapping, text, value};
use super::form::{self, ColumnShort};
use super::text::Text;
use super::yaml::{Entry, Kind, Node, Scalar};
use super::{
    CheckSpec, ColumnSpec, CompressionSpec, ContractSpec, CsvSpec, DedupeSpec, FieldFormat, FieldSpec, FormatSpec,
    Limits, Location, OnFail, OnOverwrite, Source, Spanned, Spec, StageSpec, Target, Write,
};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::types::Type;

/// The `Spec` of a file without its wrong parts; `None` if there is no source with fields.
pub(super) fn lower(root: &Node, diagnostics: &[Diagnostic]) -> Option<Spec> {
    let Kind::Mapping(root) = &root.kind else { return None };
    let wrong = |key: &str| match root.iter().find(|entry| entry.key.text == key) {
        Some(entry) => any_error_within(diagnostics, entry.key.span.to(entry.value.span)),
        None => false,
    };
    let wrong_names = |entries: Option<&[Entry]>| -> Vec<String> {
        let is_wrong = |entry: &&Entry| any_error_within(diagnostics, entry.key.span.to(entry.value.span));
        entries.unwrap_or_default().iter().filter(is_wrong).map(|entry| entry.key.text.clone()).collect()
    };
    let source = mapping(root, "source")?;
    let wrong_fields = wrong_names(mapping(source, "fields"));
    let wrong_columns = wrong_names(mapping(root, "columns"));
    let target = match mapping(root, "target") {
        Some(entries) if !wrong("target") => lower_target(entries, key_span(root, "target")),
        entries => unknown_target(entries.unwrap_or_default(), key_span(root, "target")),
    };
    Some(Spec {
        pipeline: text(root, "pipeline").filter(|_| !wrong("pipeline")).map_or_else(
            || Spanned { value: String::new(), span: Span::default() },
            |name| Spanned { value: name.text.clone(), span: name.span },
        ),
        description: text(root, "description").map(|description| description.text.clone()),
        source: lower_source(source, key_span(root, "source"), &wrong_fields)?,
        filter: text(root, "where").filter(|_| !wrong("where")).cloned(),
        columns: mapping(root, "columns")
            .unwrap_or_default()
            .iter()
            .filter(|entry| !any_error_within(diagnostics, entry.key.span))
            .map(|entry| lower_column(entry, diagnostics))
            .collect(),
        checks: mapping(root, "checks")
            .unwrap_or_default()
            .iter()
            .filter(|entry| !any_error_within(diagnostics, entry.key.span.to(entry.value.span)))
            .filter_map(lower_check)
            .collect(),
        limits: mapping(root, "limits").filter(|_| !wrong("limits")).and_then(lower_limits),
        dedupe: mapping(root, "dedupe")
            .filter(|_| !wrong("dedupe"))
            .map(|entries| lower_dedupe(entries, key_span(root, "dedupe"))),
        target,
        stage: lower_stage(root),
        schedule: text(root, "schedule")
            .filter(|_| !wrong("schedule"))
            .and_then(|schedule| Some(Spanned { value: form::schedule(&schedule.text).ok()?, span: schedule.span })),
        wrong_fields,
        wrong_columns,
    })
}

fn any_error_within(diagnostics: &[Diagnostic], span: Span) -> bool {
    let is_within = |place: Span| span.start <= place.start && place.end <= span.end;
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error && is_within(diagnostic.span))
}

fn key_span(entries: &[Entry], key: &str) -> Span {
    entries.iter().find(|entry| entry.key.text == key).map(|entry| entry.key.span).unwrap_or_default()
}

fn spanned(text: &Text) -> Spanned<String> {
    Spanned { value: text.text.clone(), span: text.span }
}

fn node_text(node: &Node) -> Option<&Text> {
    match &node.kind {
        Kind::Scalar(Scalar { text, .. }) => Some(text),
        Kind::Empty | Kind::List(_) | Kind::Mapping(_) => None,
    }
}

/// The texts under a key that takes one or a list.
fn texts<'a>(entries: &'a [Entry], key: &str) -> Vec<&'a Text> {
    match value(entries, key).map(|node| &node.kind) {
        Some(Kind::Scalar(Scalar { text, .. })) => vec![text],
        Some(Kind::List(nodes)) => nodes.iter().filter_map(node_text).collect(),
        Some(Kind::Empty | Kind::Mapping(_)) | None => Vec::new(),
    }
}

fn names(entries: &[Entry], key: &str) -> Vec<Spanned<String>> {
    texts(entries, key).into_iter().map(spanned).collect()
}

fn boolean(entries: &[Entry], key: &str, usual: bool) -> bool {
    text(entries, key).and_then(|text| form::boolean(key, &text.text).ok()).unwrap_or(usual)
}

/// The source without its wrong fields. A wrong format is taken as the simplest one: with it nothing runs anyway.
fn lower_source(entries: &[Entry], span: Span, wrong_fields: &[String]) -> Option<Source> {
    let location = match text(entries, "s3") {
        Some(prefix) => Location::S3(prefix.clone()),
        None => Location::Files(texts(entries, "files").into_iter().cloned().collect()),
    };
    Some(Source {
        span,
        location,
        format: value(entries, "format").and_then(lower_format).unwrap_or(FormatSpec::Jsonl),
        compression: text(entries, "compression").map(|text| Spanned {
            value: match text.text.as_str() {
                "none" => CompressionSpec::None,
                "gzip" => CompressionSpec::Gzip,
                _ => CompressionSpec::Auto,
            },
            span: text.span,
        }),
        fields: mapping(entries, "fields")?
            .iter()
            .filter(|entry| !wrong_fields.contains(&entry.key.text))
            .map(lower_field)
            .collect(),
        contract: match text(entries, "contract").map(|text| text.text.as_str()) {
            Some("quarantine") => ContractSpec::Quarantine,
            Some("fail") => ContractSpec::Fail,
            _ => ContractSpec::Ignore,
        },
        on_overwrite: match text(entries, "on_overwrite").map(|text| text.text.as_str()) {
            Some("replace") => OnOverwrite::Replace,
            Some("add") => OnOverwrite::Add,
            _ => OnOverwrite::Fail,
        },
    })
}

fn lower_format(node: &Node) -> Option<FormatSpec> {
    match &node.kind {
        Kind::Scalar(Scalar { text, .. }) if text.text == "jsonl" => Some(FormatSpec::Jsonl),
        Kind::Scalar(_) => Some(FormatSpec::Csv(lower_csv(&[]))),
        Kind::Mapping(entries) if value(entries, "csv").is_some() => {
            Some(FormatSpec::Csv(lower_csv(mapping(entries, "csv").unwrap_or_default())))
        }
        Kind::Mapping(_) => Some(FormatSpec::Jsonl),
        Kind::Empty | Kind::List(_) => None,
    }
}

fn lower_csv(entries: &[Entry]) -> CsvSpec {
    let character = |key: &str| text(entries, key).and_then(|text| form::character(key, &text.text).ok());
    let nulls = match value(entries, "nulls") {
        Some(_) => texts(entries, "nulls").into_iter().map(|text| text.text.clone()).collect(),
        None => vec![String::new()],
    };
    CsvSpec {
        header: boolean(entries, "header", true),
        delimiter: character("delimiter").unwrap_or(b','),
        quote: match text(entries, "quote") {
            Some(text) => form::character_or_none("quote", &text.text).ok().flatten(),
            None => Some(b'"'),
        },
        comment: character("comment"),
        skip_lines: text(entries, "skip_lines").and_then(|text| form::whole("", &text.text).ok()).unwrap_or(0),
        nulls,
        fill_record: boolean(entries, "fill_record", false),
        newlines_in_values: boolean(entries, "newlines_in_values", true),
    }
}

fn lower_field(entry: &Entry) -> FieldSpec {
    let entries = match &entry.value.kind {
        Kind::Mapping(entries) => entries.as_slice(),
        Kind::Empty | Kind::Scalar(_) | Kind::List(_) => &[],
    };
    let ty = text(entries, "type").or_else(|| node_text(&entry.value));
    FieldSpec {
        name: spanned(&entry.key),
        source_name: text(entries, "name").unwrap_or(&entry.key).text.clone(),
        ty: ty.and_then(|text| form::field_type(&text.text).ok()).unwrap_or(Type::Text),
        type_span: ty.map_or(entry.key.span, |text| text.span),
        format: value(entries, "format")
            .and_then(|node| Some(Spanned { value: lower_field_format(node)?, span: node.span })),
        utc: text(entries, "timezone").is_some(),
        sensitive: boolean(entries, "sensitive", false),
    }
}

fn lower_field_format(node: &Node) -> Option<FieldFormat> {
    match &node.kind {
        Kind::Scalar(Scalar { text, .. }) => Some(FieldFormat::Text(text.text.clone())),
        Kind::Mapping(entries) => {
            let character = |key: &str| text(entries, key).and_then(|text| form::character(key, &text.text).ok());
            let words = |key: &str| texts(entries, key).into_iter().map(|text| text.text.clone()).collect();
            Some(FieldFormat::Detail {
                decimal: character("decimal"),
                thousands: character("thousands"),
                yes: words("true"),
                no: words("false"),
            })
        }
        Kind::Empty | Kind::List(_) => None,
    }
}

fn lower_column(entry: &Entry, diagnostics: &[Diagnostic]) -> ColumnSpec {
    let mut column = ColumnSpec {
        name: spanned(&entry.key),
        from: None,
        ty: None,
        required: false,
        one_of: None,
        matches: None,
        min: None,
        max: None,
    };
    match &entry.value.kind {
        Kind::Scalar(Scalar { text, .. }) => {
            if let Ok(ColumnShort { ty, required }) = form::column_short(&text.text) {
                column.ty = ty.map(|(value, within)| Spanned { value, span: text.span_of(within) });
                column.required = required;
            }
        }
        Kind::Mapping(entries) => {
            let right =
                |key: &str| text(entries, key).filter(|text| !any_error_within(diagnostics, text.span)).cloned();
            column.from = right("from");
            column.ty = text(entries, "type")
                .and_then(|text| Some(Spanned { value: form::column_type(&text.text).ok()?, span: text.span }));
            column.required = boolean(entries, "required", false);
            column.one_of = value(entries, "one_of").map(|node| Spanned {
                value: texts(entries, "one_of").into_iter().cloned().collect(),
                span: node.span,
            });
            column.matches = right("matches");
            column.min = right("min");
            column.max = right("max");
        }
        Kind::Empty | Kind::List(_) => {}
    }
    column
}

fn lower_check(entry: &Entry) -> Option<CheckSpec> {
    let (check, on_fail) = match &entry.value.kind {
        Kind::Scalar(Scalar { text, .. }) => (text, None),
        Kind::Mapping(entries) => (text(entries, "check")?, text(entries, "on_fail")),
        Kind::Empty | Kind::List(_) => return None,
    };
    Some(CheckSpec {
        name: spanned(&entry.key),
        check: check.clone(),
        on_fail: match on_fail.map(|text| text.text.as_str()) {
            Some("warn") => OnFail::Warn,
            Some("fail") => OnFail::Fail,
            _ => OnFail::Reject,
        },
    })
}

fn lower_limits(entries: &[Entry]) -> Option<Limits> {
    Some(Limits {
        rejects_ppm: form::share("rejects", &text(entries, "rejects")?.text).ok()?,
        at_least: text(entries, "at_least").and_then(|text| form::whole("", &text.text).ok()).unwrap_or(1),
    })
}

fn lower_dedupe(entries: &[Entry], span: Span) -> DedupeSpec {
    DedupeSpec {
        span,
        key: names(entries, "key"),
        order_by: names(entries, "order_by"),
        last: text(entries, "keep").is_none_or(|keep| keep.text == "last"),
    }
}

fn lower_stage(root: &[Entry]) -> StageSpec {
    let format = mapping(root, "stage").map_or_else(|| text(root, "stage"), |entries| text(entries, "format"));
    match format.map(|text| text.text.as_str()) {
        Some("csv") => StageSpec::Csv,
        _ => StageSpec::Parquet,
    }
}

fn lower_target(entries: &[Entry], span: Span) -> Target {
    let unknown = unknown_target(entries, span);
    Target {
        write: text(entries, "write").map_or(unknown.write, |text| Spanned {
            value: match text.text.as_str() {
                "merge" => Write::Merge,
                "replace" => Write::Replace,
                "scd2" => Write::Scd2,
                _ => Write::Append,
            },
            span: text.span,
        }),
        key: names(entries, "key"),
        order_by: names(entries, "order_by"),
        delete_when: text(entries, "delete_when").cloned(),
        allow_empty: text(entries, "allow_empty")
            .map(|text| Spanned { value: boolean(entries, "allow_empty", false), span: text.span }),
        sort_key: names(entries, "sort_key"),
        dist_key: text(entries, "dist_key").map(spanned),
        lineage: boolean(entries, "lineage", true),
        ..unknown
    }
}

/// A target of which nothing is said that could be wrong once more.
fn unknown_target(entries: &[Entry], span: Span) -> Target {
    Target {
        span,
        table: text(entries, "table").cloned().unwrap_or_else(|| Text::empty(span)),
        write: Spanned { value: Write::Append, span },
        key: Vec::new(),
        order_by: Vec::new(),
        delete_when: None,
        allow_empty: None,
        sort_key: Vec::new(),
        dist_key: None,
        lineage: true,
    }
}
