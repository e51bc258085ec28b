//! The pipeline file: its laws, what is read from it, and what its author sees when it is wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::path::Path;

use etalon_core::diagnostic::{Code, Diagnostic, EXAMPLES, ROW_EXAMPLES, RowExample, Severity, Span, reference};
use etalon_core::format::{CsvFormat, Format};
use etalon_core::pipeline::file::{self, FormatSpec, Limits, OnFail, Schedule, Spec};
use etalon_core::pipeline::{Pipeline, TaskOutput};
use etalon_core::plan::Object;
use etalon_core::reject::Reject;
use etalon_core::source::Location;
use etalon_core::spec::{Item, Spanned};
use etalon_core::testing::pipeline::output;
use etalon_core::testing::spec as law;

use etalon_core::types::Type;
use proptest::prelude::*;

const ORDERS: &str = include_str!("orders.yaml");

proptest! {
    #[test]
    fn a_written_spec_reads_back(sample in law::sample()) {
        law::a_written_spec_reads_back(&sample);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        law::any_file_is_read_or_refused(&text);
    }

    /// Files that are nearly right reach further than chance does.
    #[test]
    fn any_damage_is_read_or_refused(
        at in any::<prop::sample::Index>(),
        length in 0_usize..30,
        put in "[ \t\n#:'\"{}\\[\\],&*!|>%@`?()a-z\\\\-]{0,6}",
    ) {
        let places: Vec<usize> = ORDERS.char_indices().map(|(place, _)| place).collect();
        let start = at.index(places.len());
        let end = (start + length).min(places.len() - 1);
        let damaged = format!("{}{put}{}", &ORDERS[..places[start]], &ORDERS[places[end]..]);
        law::any_file_is_read_or_refused(&damaged);
    }
}

fn parse(source: &str) -> Spec {
    let (spec, diagnostics) = Spec::parse(source);
    assert!(diagnostics.is_empty(), "{}", show(&diagnostics, source));
    spec.unwrap()
}

fn show(diagnostics: &[Diagnostic], source: &str) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render("orders.yaml", source)).collect::<Vec<_>>().join("\n")
}

/// The right ones of what stands under names.
fn right<T>(items: &[Item<T>]) -> impl Iterator<Item = (&str, &T)> {
    items.iter().map(|item| (item.name.value.as_str(), item.right().unwrap()))
}

#[test]
fn a_whole_file_is_read() {
    let spec = parse(ORDERS);
    assert_eq!(spec.pipeline, "orders");
    assert_eq!(spec.description.as_deref(), Some("Web shop orders, from the landing bucket to analytics.orders"));
    assert!(matches!(&spec.source.location, Location::S3(prefix) if prefix.text == "s3://acme-landing/orders/"));
    let Format::Csv(csv) = &spec.source.format else { panic!("csv is said") };
    assert_eq!(*csv, CsvFormat { nulls: vec![String::new(), "NULL".to_owned()], ..CsvFormat::default() });
    let fields: Vec<_> = right(&spec.source.fields).map(|(name, field)| (name, field.ty)).collect();
    assert_eq!(
        fields,
        [
            ("id", Type::Bigint),
            ("customer", Type::Text),
            ("email", Type::Text),
            ("ordered_at", Type::Timestamptz),
            ("amount", Type::Decimal { precision: 12, scale: 2 }),
            ("currency", Type::Text),
            ("coupon", Type::Text),
        ]
    );
    let fields: Vec<_> = right(&spec.source.fields).map(|(_, field)| field).collect();
    assert!(fields[2].sensitive);
    let format = fields[3].format.as_ref().map(|format| &format.value);
    assert!(matches!(format, Some(FormatSpec::Named(named)) if named.name == "rfc3339"));
    assert_eq!(spec.filter.as_ref().unwrap().text, "currency is distinct from 'TEST'");
    let columns: Vec<_> = right(&spec.columns)
        .map(|(name, column)| {
            let from = column.from.as_ref().map(|from| from.text.as_str());
            (name, from, column.ty.as_ref().map(|ty| ty.value.to_string()), column.required)
        })
        .collect();
    let ty = |text: &str| Some(text.to_owned());
    assert_eq!(
        columns,
        [
            ("order_id", Some("id"), None, true),
            ("customer", Some("upper(trim(customer))"), ty("varchar(64)"), true),
            ("ordered_on", Some("ordered_at::date"), None, false),
            ("ordered_at", None, ty("timestamptz"), true),
            ("amount", None, ty("decimal(12,2)"), true),
            ("currency", None, ty("char(3)"), false),
            ("coupon", Some("nullif(lower(coupon), 'none')"), ty("varchar(20)"), false),
            ("email_hash", Some("sha2(lower(email), 256)"), ty("char(64)"), false),
        ]
    );
    let columns: Vec<_> = right(&spec.columns).map(|(_, column)| column).collect();
    assert_eq!(columns[6].matches.as_ref().unwrap().text, "^[a-z0-9-]+$");
    let one_of = &columns[5].one_of;
    assert_eq!(one_of.iter().map(|text| text.text.as_str()).collect::<Vec<_>>(), ["EUR", "USD", "GBP"]);
    let checks: Vec<_> = right(&spec.checks)
        .map(|(name, check)| (name, check.check.as_ref().unwrap().text.as_str(), check.on_fail))
        .collect();
    assert_eq!(
        checks,
        [
            ("amount_positive", "amount >= 0", OnFail::Reject),
            ("not_in_future", "ordered_at <= batch_time()", OnFail::Warn),
        ]
    );
    assert_eq!(spec.limits, Limits { rejects_ppm: 10_000, at_least: 100 });
    let names = |names: &[Spanned<String>]| names.iter().map(|name| name.value.clone()).collect::<Vec<_>>();
    assert_eq!(spec.target.table.text, "analytics.orders");
    assert_eq!(spec.target.write.unwrap().value.word, "merge");
    assert_eq!(names(&spec.target.key), ["order_id"]);
    assert_eq!(names(&spec.target.order_by), ["ordered_at"]);
    assert_eq!(names(&spec.target.sort_key), ["ordered_on"]);
    assert_eq!(spec.target.dist_key.as_ref().unwrap().value, "order_id");
    assert!(spec.target.lineage);
    assert_eq!(spec.schedule.unwrap(), Schedule::Rate("rate(15 minutes)".to_owned()));
}

/// A file with one line put in place of the one that begins with the same key.
fn with(lines: &str) -> String {
    let minimal = "etalon: 1\npipeline: orders\nsource: { files: orders.csv, format: csv, fields: { id: bigint } }\n\
                   columns: { id: }\ntarget: { table: orders, write: append }\n";
    let key = lines.split(':').next().unwrap();
    let rest: String = minimal.split_inclusive('\n').filter(|line| !line.starts_with(&format!("{key}:"))).collect();
    format!("{rest}{lines}\n")
}

/// What is said of a file with some lines in the place of others, as `code message`.
fn said(lines: &str) -> Vec<String> {
    said_of(&with(lines))
}

fn said_of(file: &str) -> Vec<String> {
    let diagnostics = match Pipeline::compile(file) {
        Ok((_, warnings)) => warnings,
        Err(diagnostics) => diagnostics,
    };
    diagnostics.iter().map(|diagnostic| format!("{} {}", diagnostic.code, diagnostic.message)).collect()
}

#[test]
fn a_rule_that_no_row_obeys_is_a_mistake() {
    let column = |rules: &str| said(&format!("columns:\n  id: {{ {rules} }}"));
    for (rules, wanted) in [
        ("min: 5, max: 1", "E210 `max` is less than `min`, 5, so that no value is let through"),
        ("one_of: [1, 3], min: 3", "E210 `1` of `one_of` is let through in no row: it is less than `min`, 3"),
        ("one_of: [9], max: 8", "E210 `9` of `one_of` is let through in no row: it is greater than `max`, 8"),
        (
            "from: id::text, type: varchar(1), one_of: [a, aaa]",
            "E210 `aaa` of `one_of` is let through in no row: the column is varchar(1), and does not hold it",
        ),
        (
            "from: id::text, type: varchar(3), one_of: [a1], matches: '^[a-z]+$'",
            "E210 `a1` of `one_of` is let through in no row: it does not match ^[a-z]+$",
        ),
        ("from: null::bigint, required: true", "E210 its value is always NULL, and the column is required"),
    ] {
        assert_eq!(column(rules), [wanted], "{rules}");
    }
    for right in ["min: 1, max: 1", "one_of: [3], min: 3, max: 3", "from: id::text, type: char(4), one_of: [a, 'ab ']"]
    {
        assert_eq!(column(right), [""; 0], "{right}");
    }
    assert_eq!(said("checks: { never: 1 = 2 }"), ["E210 the check `never` is false for every row"]);
}

#[test]
fn a_word_that_nothing_obeys_is_a_mistake() {
    let source = |rest: &str| said(&format!("source: {{ files: a, {rest} }}"));
    for (rest, wanted) in [
        (
            "format: { csv: { header: false } }, fields: { id: { type: bigint, name: ID } }",
            "E110 `name` is how a header calls the field, and there is none",
        ),
        (
            "format: { csv: { header: false } }, fields: { id: bigint }, contract: fail",
            "E110 `contract` is about fields that a header has and the pipeline does not, and there is none",
        ),
        (
            "format: { csv: { nulls: ['1'] } }, fields: { id: { type: boolean, format: { true: ['1'], false: ['0'] } } }",
            "E110 `1` is among `nulls`, so that it is read as NULL",
        ),
    ] {
        assert_eq!(source(rest), [wanted], "{rest}");
    }
    let jsonl = "format: jsonl, fields: { id: { type: bigint, name: ID } }, contract: fail";
    assert_eq!(source(jsonl), [""; 0]);
    let replace = with("source: { files: a, format: csv, fields: { id: bigint }, on_overwrite: add }");
    assert_eq!(
        said_of(&replace.replace("write: append", "write: replace")),
        ["E110 `on_overwrite: add` has no meaning for `write: replace`"]
    );
    assert_eq!(
        said("target: { table: _etalon_ledger, write: append }"),
        ["E113 `_etalon_ledger` cannot be a table's name: `_etalon_` begins the names of Etalon's own"]
    );
    assert_eq!(
        said("schedule: cron(99 99 * * ? *)"),
        ["E108 `cron(99 99 * * ? *)` has `99` for the minutes; it has values from 0 to 59"]
    );
}

#[test]
fn a_table_has_as_many_columns_as_a_warehouse_takes() {
    let columns = |count: usize| {
        let columns: String = (0..count).map(|column| format!("\n  c{column}: {{ from: id }}")).collect();
        said(&format!("columns:{columns}"))
    };
    assert_eq!(columns(1597), [""; 0]);
    let wanted = "E108 the table would have 1601 columns, 3 of them Etalon's own; 1600 are the most";
    assert_eq!(columns(1598), [wanted]);

    // A load stages the lineage of rows also where the table lacks it, and notes the outcome of those that it ranks.
    let other = |count: usize, target: &str| {
        let columns: String =
            (0..count).map(|column| format!("\n  c{column}: {{ from: id, required: true }}")).collect();
        let pipeline = with(&format!("columns:{columns}"));
        let said = said_of(&pipeline.replace("write: append", target));
        said.into_iter().filter(|said| said.starts_with('E')).collect::<Vec<_>>()
    };
    for (target, own) in [("write: append, lineage: false", 3), ("write: merge, key: c0, order_by: c1", 4)] {
        assert_eq!(other(1600 - own, target), [""; 0], "{target}");
        let wanted = format!(
            "E108 a work table of its load would have 1601 columns, {own} of them Etalon's own; 1600 are the most"
        );
        assert_eq!(other(1601 - own, target), [wanted], "{target}");
    }
}

#[test]
fn short_and_long_forms_mean_the_same() {
    let columns = |text: &str| {
        let spec = parse(&with(&format!("columns: {{ id: {text} }}")));
        let column = spec.columns.into_iter().next().unwrap().value.unwrap();
        (column.ty.map(|ty| ty.value), column.required)
    };
    assert_eq!(columns("bigint required"), columns("{ type: bigint, required: true }"));
    assert_eq!(columns("required"), columns("{ required: true }"));
    assert_eq!(columns("\"decimal(12,2) required\""), columns("{ type: \"decimal(12,2)\", required: true }"));
    assert_eq!(columns(""), columns("{}"));

    let format = |text: &str| {
        let source = format!("source: {{ files: a, format: {text}, fields: {{ id: }} }}");
        parse(&with(&source)).source.format
    };
    assert_eq!(format("csv"), format("{ csv: { header: true, delimiter: ',', quote: '\"', nulls: [''] } }"));
    assert_eq!(format("csv"), format("{ csv: }"));
    assert_eq!(format("jsonl"), format("{ jsonl: }"));
    let Format::Csv(csv) =
        format(r#"{ csv: { delimiter: "\t", quote: none, comment: '#', nulls: [], skip_lines: 2 } }"#)
    else {
        panic!("csv is said")
    };
    assert_eq!((csv.delimiter, csv.quote, csv.comment, csv.skip_lines), (b'\t', None, Some(b'#'), 2));
    assert!(csv.nulls.is_empty());

    let key = |text: &str| {
        let spec = parse(&with(&format!("target: {{ table: t, write: merge, key: {text} }}")));
        spec.target.key.into_iter().map(|name| name.value).collect::<Vec<_>>()
    };
    assert_eq!(key("id"), key("[id]"));
}

#[test]
fn scalars_are_taken_as_written() {
    let source = with("columns: { id: { one_of: [NO, 1.10, ~, null, 0x1F, 'true', 1e3] } }");
    let one_of: Vec<_> =
        parse(&source).columns.remove(0).value.unwrap().one_of.into_iter().map(|text| text.text).collect();
    assert_eq!(one_of, ["NO", "1.10", "~", "null", "0x1F", "true", "1e3"]);
}

#[test]
fn shares_are_exact() {
    let rejects = |text: &str| {
        let (spec, diagnostics) = Spec::parse(&with(&format!("limits: {{ rejects: {text} }}")));
        if diagnostics.is_empty() { Some(spec.unwrap().limits.rejects_ppm) } else { None }
    };
    assert_eq!(rejects("1%"), Some(10_000));
    assert_eq!(rejects("0.5%"), Some(5_000));
    assert_eq!(rejects("0.0001%"), Some(1));
    assert_eq!(rejects("100 %"), Some(1_000_000));
    assert_eq!(rejects("0%"), Some(0));
    for wrong in ["0.00001%", "100.1%", "1", "%", "-1%", "1.%", ".5%", "1,5%"] {
        assert_eq!(rejects(&format!("\"{wrong}\"")), None, "{wrong}");
    }
}

/// A caret inside an expression lies under the very characters, however the expression is written.
#[test]
fn a_place_in_a_text_is_a_place_in_the_file() {
    for written in [
        "lower(ünknown) = 'x'",
        "'lower(ünknown) = ''x'''",
        r#""lower(\"id\") = ünknown\n""#,
        "> # a comment\n  lower(id)\n  = ünknown\n",
        "|\n  lower(id)\n    = ünknown\n\n",
        "lower(id)\n  = ünknown",
        "\n  lower(id)\n\n  = ünknown",
        "'lower(id)\n\n  = ünknown'",
        "\"lower(id) \\\n  = ünknown\"",
        "\"lower(id)\\x20\\u003D ünknown\"",
        "|2-\n\n\n  lower(id) =\n\n  ünknown",
    ] {
        let usual = with(&format!("where: {written}"));
        for source in [usual.replace('\n', "\r\n"), format!("\u{FEFF}{usual}"), format!("---\n{usual}...\n"), usual] {
            let filter = parse(&source).filter.unwrap();
            let start = filter.text.find("ünknown").unwrap();
            let span = filter.span_of(Span::new(start, start + "ünknown".len()));
            assert_eq!(&source[span.start..span.end], "ünknown", "{source:?}");
            assert!(filter.span.start <= span.start && span.end <= filter.span.end, "{source:?}");
            law::text_maps_back(&filter, &source);
        }
    }
}

/// The names of the wrong ones of what stands under names.
fn wrong_names<T>(items: &[Item<T>]) -> Vec<&str> {
    items.iter().filter(|item| item.is_wrong).map(|item| item.name.value.as_str()).collect()
}

#[test]
fn one_mistake_is_reported_once_and_the_rest_is_read() {
    let source = ORDERS.replace("type: varchar(20)", "type: varchr(20)").replace("sort_key: [", "sort_kye: [");
    let (spec, diagnostics) = Spec::parse(&source);
    let codes: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [Code::UnknownType, Code::UnknownKey]);
    let spec = spec.unwrap();
    assert_eq!((spec.columns.len(), spec.checks.len()), (8, 2));
    assert_eq!(wrong_names(&spec.columns), ["coupon"]);

    let wrong = ORDERS.replace("id:         bigint", "id:         bigit").replace("amount >= 0", "amout >= 0");
    let (spec, diagnostics) = Spec::parse(&wrong);
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(wrong_names(&spec.unwrap().source.fields), ["id"]);
    // What misses the wrong field is not told of it; what is wrong for itself is.
    let codes: Vec<_> = Pipeline::compile(&wrong).unwrap_err().iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [Code::UnknownType, Code::UtcDay, Code::UnknownName]);
}

#[test]
fn a_cut_parenthesis_is_read_as_it_is_meant() {
    let source = with("columns: { id: { from: coalesce(id, 1, 2), type: decimal(12,2), required: true } }");
    let (spec, diagnostics) = Spec::parse(&source);
    let places: Vec<_> =
        diagnostics.iter().map(|found| (found.code, &source[found.span.start..found.span.end])).collect();
    assert_eq!(places, [(Code::CutParenthesis, "coalesce(id, 1, 2)"), (Code::CutParenthesis, "decimal(12,2)")]);
    let column = spec.unwrap().columns.remove(0).value.unwrap();
    assert_eq!(column.ty.unwrap().value, Type::Decimal { precision: 12, scale: 2 });
    assert!(column.required);
}

#[test]
fn names_are_those_the_warehouse_takes() {
    let code = |lines: &str| Spec::parse(&with(lines)).1.first().map(|found| found.code);
    for name in ["Id", "1st", "order-id", "ctid", "_etalon_batch", "größe", "\"\"", "\"a b\"", &"a".repeat(128)] {
        assert_eq!(code(&format!("columns: {{ {name}: {{ from: id }} }}")), Some(Code::Name), "{name}");
    }
    for name in ["id", "_id", "id_2", &"a".repeat(127)] {
        assert_eq!(code(&format!("columns: {{ {name}: {{ from: id }} }}")), None, "{name}");
    }
    for name in ["Orders", "1orders", "or ders", "\"\"", &"a".repeat(65)] {
        assert_eq!(code(&format!("pipeline: {name}")), Some(Code::Name), "{name}");
    }
    for table in ["a.b.c", "a b", ".b", "a.", "\"a-b\"", "1a"] {
        assert_eq!(code(&format!("target: {{ table: {table}, write: append }}")), Some(Code::Name), "{table}");
    }
    for table in ["a.b", "orders", "\"${SCHEMA}.orders\"", "\"shop_${STAGE}.orders\""] {
        assert_eq!(code(&format!("target: {{ table: {table}, write: append }}")), None, "{table}");
    }
    let fields = "source: { files: a, format: csv, fields: { Id: bigint, id: bigint } }";
    assert_eq!(code(fields), Some(Code::DuplicateKey));
}

#[test]
fn placeholders_stand_where_they_are_resolved() {
    let code = |lines: &str| Spec::parse(&with(lines)).1.first().map(|found| found.code);
    let source = |prefix: &str| code(&format!("source: {{ s3: \"{prefix}\", format: csv, fields: {{ id: }} }}"));
    for prefix in ["s3://${BUCKET}/orders/", "${PREFIX}", "s3://a-b.c/$$x", "s3://abc/${secret:app/prefix}"] {
        assert_eq!(source(prefix), None, "{prefix}");
    }
    for prefix in ["s3://${BUCKET", "s3://${}/", "s3://${a-b}/", "s3://abc/${secret:}"] {
        assert_eq!(source(prefix), Some(Code::Placeholder), "{prefix}");
    }
    for prefix in ["https://a/b", "s3:/abc", "s3://", "s3://Abc/x", "s3://abc/*.csv", "abc"] {
        assert_eq!(source(prefix), Some(Code::WrongValue), "{prefix}");
    }
    assert_eq!(code("where: id = ${ID}"), Some(Code::Placeholder));
    assert_eq!(code("columns: { id: { matches: \"^a${2}\" } }"), None);
}

#[test]
fn schedules_are_those_of_the_scheduler() {
    let code = |text: &str| Spec::parse(&with(&format!("schedule: {text}"))).1.first().map(|found| found.code);
    for right in ["rate(1 hour)", "rate(15 minutes)", "cron(0 6 * * ? *)"] {
        assert_eq!(code(right), None, "{right}");
    }
    for wrong in ["rate(1 hours)", "rate(0 minutes)", "rate(2 hour)", "rate(+5 minutes)", "cron(0 6 * * *)", "hourly"] {
        assert_eq!(code(wrong), Some(Code::WrongValue), "{wrong}");
    }
}

#[test]
fn the_time_between_two_loads_is_one_of_a_rate() {
    let read = |text: &str| {
        let (spec, diagnostics) = Spec::parse(&with(&format!("load_every: {text}")));
        diagnostics.first().map_or_else(|| Ok(spec.and_then(|spec| spec.load_every)), |found| Err(found.code))
    };
    for (right, minutes) in [("1 minute", 1), ("15 minutes", 15), ("1 hour", 60), ("2 days", 2880)] {
        assert_eq!(read(right), Ok(Some(minutes)), "{right}");
    }
    for wrong in ["15", "1 hours", "0 minutes", "2 hour", "rate(1 hour)", "often", "-1 hours", "1.5 hours"] {
        assert_eq!(read(wrong), Err(Code::WrongValue), "{wrong}");
    }
    assert_eq!(Spec::parse(&with("schedule: rate(1 hour)")).0.unwrap().load_every, None);
}

#[test]
fn a_comment_inside_a_text_is_doubted() {
    let codes = |lines: &str| {
        let (_, diagnostics) = Spec::parse(&with(lines));
        diagnostics.iter().map(|found| (found.code, found.severity)).collect::<Vec<_>>()
    };
    let doubt = [(Code::CutByComment, Severity::Warning)];
    assert_eq!(codes("where: id <> 'a #b'"), doubt);
    assert_eq!(codes("where: abs(id #b)"), doubt);
    assert_eq!(codes("columns:\n  id:\n    matches: ^#foo #bar"), doubt);
    assert_eq!(codes("where: id > 0 # only these"), []);
    assert_eq!(codes("where: \"id <> 'a'\" # isn't it"), []);
}

#[test]
fn no_nesting_and_no_size_is_too_much() {
    for source in
        ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "a:\n ".repeat(5_000), "? ".repeat(50_000)]
    {
        law::any_file_is_read_or_refused(&source);
    }
    let deep: String = (0..5_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 1_000))).collect();
    law::any_file_is_read_or_refused(&deep);
    let large = format!("description: {}\n", "a".repeat(1 << 20));
    assert_eq!(Spec::parse(&large).1[0].code, Code::Yaml);
}

/// What a user is told about a file.
fn check(file: &str) -> Vec<Diagnostic> {
    Pipeline::compile(file).map_or_else(|errors| errors, |(_, warnings)| warnings)
}

#[test]
fn each_example_gives_its_code_and_no_other_error() {
    let mut wrong = String::new();
    for example in EXAMPLES {
        let file = example.file();
        let found = check(&file);
        let others = found.iter().any(|other| other.code != example.code && other.severity == Severity::Error);
        // A text that a comment cuts is seldom an expression still.
        let others = others && example.code != Code::CutByComment;
        if others || !found.iter().any(|found| found.code == example.code) {
            wrong += &format!("{} is wanted:\n{file}\n{}\n", example.code, show(&found, &file));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The codes that an object gets, with what they are about and the facts.
fn reject(example: &RowExample) -> Vec<(Code, String)> {
    let (pipeline, _) =
        Pipeline::compile(&example.file()).unwrap_or_else(|wrong| panic!("{}: {wrong:#?}", example.code));
    let bytes = example.bytes();
    let object = Object { name: "orders.csv".to_owned(), version: "1".to_owned(), size: bytes.len() as u64 };
    let plan = pipeline.plan(&object, 0);
    let mut run = pipeline.task(&plan.tasks()[0]);
    let mut found = Vec::new();
    loop {
        match output(&mut run, &bytes, &mut std::iter::repeat(usize::MAX)) {
            Err(error) => panic!("{}: {error}", example.code),
            Ok(TaskOutput::Quarantine(_, lines)) => {
                for line in std::str::from_utf8(&lines).unwrap().lines() {
                    let reject: Reject = serde_json::from_str(line).unwrap();
                    found.extend(
                        reject
                            .reasons
                            .into_iter()
                            .map(|reason| (reason.code, format!("{}: {}", reason.subject, reason.message))),
                    );
                }
            }
            Ok(TaskOutput::Part(..)) => {}
            // What is wrong with the object as a whole leaves no record that could have a code.
            Ok(TaskOutput::Finished(receipt)) => {
                let code = |fact: &String| if fact.starts_with("the header") { Code::Header } else { Code::Truncated };
                found.extend(receipt.incomplete.filter(|_| found.is_empty()).map(|fact| (code(&fact), fact)));
                return found;
            }
        }
    }
}

#[test]
fn each_example_of_a_reject_gives_its_code_and_no_other() {
    for example in ROW_EXAMPLES {
        let found: Vec<Code> = reject(example).into_iter().map(|(code, _)| code).collect();
        assert_eq!(found, [example.code], "{:?}", reject(example));
    }
}

/// Generated pages are kept in the repository and compared; `UPDATE_GOLDEN=1` writes them anew.
pub(crate) fn check_page(name: &str, made: &str) {
    check_file(&format!("docs/reference/{name}"), made);
}

/// As [`check_page`], of any file of the project.
pub(crate) fn check_file(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let difference = similar::TextDiff::from_lines(kept.as_str(), made);
    let shown = difference.unified_diff().header(name, "the code").to_string();
    assert!(kept == made, "UPDATE_GOLDEN=1 writes {name} anew:\n{shown}");
}

#[test]
fn the_page_of_codes_is_true() {
    check_page("codes.md", &reference(check, reject));
}

#[test]
fn the_page_of_the_file_is_true() {
    check_page("pipeline-file.md", &file::reference());
}

#[test]
fn the_schema_is_true() {
    check_page("etalon.schema.json", &format!("{:#}\n", file::json_schema()));
}

macro_rules! wrong {
    ($($name:ident: $source:expr;)+) => {
        $(#[test]
        fn $name() {
            let source: String = $source.into();
            let (_, diagnostics) = Spec::parse(&source);
            let snapshot = format!("{source}\n----\n{}", show(&diagnostics, &source));
            insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), snapshot);
            });
        })+
    };
}

// What the author of a wrong file sees.
wrong! {
    misspelt_keys: with("target: { tabel: orders, wirte: append, colour: red }");
    missing_keys: "etalon: 1\nsource: { format: csv }\ncolumns: { id: }\ntarget: { table: orders }\n";
    wrong_kinds: "etalon: 1\npipeline: [orders]\nsource:\n  files: a.csv\n  format: csv\n  fields: [id, customer]\n\
                  columns: id\nchecks: { positive: }\ntarget: { table: orders, write: append, key: [] }\n";
    wrong_values: "etalon: 2\npipeline: Orders\nsource:\n  files: a.csv\n  format: { csv: { header: yes, delimiter: \\t, quote: \",\" } }\n  \
                   contract: evolve\n  fields: { id: bigin }\ncolumns:\n  id: lower(id)\n  Id: text\nlimits: { rejects: 0.01 }\n\
                   schedule: rate(1 hours)\ntarget: { table: orders, write: upsert }\n";
    cut_parentheses: with("columns:\n  amount: { from: coalesce(id, 0), type: decimal(12,2), required: true }");
    colon_in_a_text: with("where: id > 0 ? a : b\n");
    unclosed_quote: with("columns:\n  id: { from: 'lower(id) }\nlimits: { rejects: 1% }");
    tab_as_indentation: with("columns:\n\tid: bigint\n");
    wrong_indentation: with("columns:\n    id: bigint\n  name: id\n");
    special_beginnings: with("columns:\n  id: { from: @id }\n");
    aliases_and_tags: with("columns:\n  a: &x { from: id }\n  b: *x\n");
    merge_keys: with("columns:\n  a: !!str bigint\n  b: { <<: { required: true }, from: id }\n");
    brackets_between_braces: with("columns: { id: { matches: ^[a-z]+$ } }\n");
    text_after_a_quote: with("where: 'a' = 'b'\n");
    duplicate_keys: with("columns:\n  id: bigint\n  name: varchar(20)\n  id: integer\n");
    comment_in_a_text: with("where: customer <> 'room #1'");
    two_documents: format!("{ORDERS}---\n{ORDERS}");
    wide_characters: with("columns:\n  名前: { form: '製品' , from: id }");
    an_empty_file: "# nothing yet\n";
    no_mapping: "- etalon: 1\n";
}
