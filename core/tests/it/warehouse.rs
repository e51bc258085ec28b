//! What a load runs, as text: every kind of statement in every dialect.

use std::collections::BTreeMap;

use etalon_core::error::Error;
use etalon_core::testing::lint::any_text_has_its_offences;
use etalon_core::types::Type;
use etalon_core::warehouse::Arrival;
use etalon_core::warehouse::CopyFormat;
use etalon_core::warehouse::CopySource;
use etalon_core::warehouse::Dedupe;
use etalon_core::warehouse::Dialect;
use etalon_core::warehouse::Found;
use etalon_core::warehouse::Layout;
use etalon_core::warehouse::LoadBatch;
use etalon_core::warehouse::LoadScript;
use etalon_core::warehouse::Migration;
use etalon_core::warehouse::SetUp;
use etalon_core::warehouse::Statement;
use etalon_core::warehouse::Step;
use etalon_core::warehouse::Table;
use etalon_core::warehouse::TableColumn;
use etalon_core::warehouse::Target;
use etalon_core::warehouse::WriteMode;
use etalon_core::warehouse::dialect::DIALECTS;
use etalon_core::warehouse::dialect::postgres;
use etalon_core::warehouse::dialect::redshift;
use etalon_core::warehouse::dialect::redshift::STATEMENTS_MAX;
use etalon_core::warehouse::dialect::redshift::copy::load_errors;
use etalon_core::warehouse::dialect::redshift::lint::lint;
use etalon_core::warehouse::dialect::sqlite;
use etalon_core::warehouse::ledger;
use etalon_core::warehouse::ledger_of;
use proptest::prelude::*;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::dialect::RedshiftSqlDialect;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;
use sqlparser::parser::ParserError;

/// How the text of a dialect is parsed, by another hand.
fn parsed(dialect: &Dialect, sql: &str) -> Result<usize, ParserError> {
    let parsed = match dialect.name() {
        // The Data API's parameters are its own, and become values before Redshift reads them.
        "Redshift" => Parser::parse_sql(&RedshiftSqlDialect {}, &without_parameters(sql)),
        "PostgreSQL" => Parser::parse_sql(&PostgreSqlDialect {}, sql),
        "SQLite" => Parser::parse_sql(&SQLiteDialect {}, sql),
        other => panic!("which parser reads {other}?"),
    };
    parsed.map(|statements| statements.len())
}

fn table(write: WriteMode) -> Table {
    let column = |(name, ty, required): (&str, Type, bool)| TableColumn { name: name.to_owned(), ty, required };
    let columns = [
        ("Order_ID", Type::Varchar(20), true),
        ("line", Type::Smallint, true),
        ("revision", Type::Decimal { precision: 6, scale: 2 }, true),
        ("changed_at", Type::Timestamptz, true),
        ("weight", Type::Real, false),
        ("extra", Type::Super, false),
    ];
    Table {
        schema: Some("Shop".to_owned()),
        name: "orders".to_owned(),
        columns: columns.map(column).to_vec(),
        write,
        lineage: true,
        deletes: false,
        keeps_beaten: false,
        dedupe: None,
        layout: Layout { sort_key: vec![3, 1], dist_key: Some(0) },
    }
}

/// A table whose beaten rows are kept. It has no documents, of which Redshift could stage none once more.
fn keeping(table: Table) -> Table {
    let columns = table.columns.iter().filter(|column| column.ty != Type::Super).cloned().collect();
    Table { keeps_beaten: true, deletes: true, columns, ..table }
}

/// The ways of writing, and whether the rows of earlier versions of a source are replaced.
fn ways() -> Vec<(&'static str, Table, bool)> {
    let merge = |key, order_by| table(WriteMode::Merge { key, order_by });
    vec![
        ("append", table(WriteMode::Append), false),
        (
            "append_deduped",
            Table {
                lineage: false,
                dedupe: Some(Dedupe { key: vec![0], order_by: vec![3], last: false }),
                ..table(WriteMode::Append)
            },
            false,
        ),
        ("append_over_sources", table(WriteMode::Append), true),
        ("replace", table(WriteMode::Replace { allow_empty: false }), false),
        ("merge", merge(vec![0, 1], vec![2, 3]), false),
        ("merge_with_deletes", Table { deletes: true, ..merge(vec![0], vec![3]) }, true),
        ("merge_that_keeps_what_is_beaten", keeping(merge(vec![0], vec![3])), true),
        ("merge_where_the_last_load_wins", merge(vec![0], vec![]), false),
        ("merge_without_lineage", Table { lineage: false, ..merge(vec![0], vec![3]) }, false),
        ("scd2", table(WriteMode::Scd2 { key: vec![0], order_by: 3 }), false),
        ("scd2_with_deletes", Table { deletes: true, ..table(WriteMode::Scd2 { key: vec![0, 1], order_by: 2 }) }, true),
    ]
}

fn batch(number: usize, replaces_source: bool) -> LoadBatch {
    LoadBatch {
        input: format!("{number:032x}"),
        batch: format!("{number:032x}"),
        generation: 0,
        source: format!("s3://acme/it's-{number}.csv"),
        source_version: String::new(),
        content: String::new(),
        pipeline: "p".to_owned(),
        fingerprint: "f".to_owned(),
        batch_time: 1_767_225_600_500_000,
        staged: 3,
        replaces_source,
        replaces_generations: false,
        versions: if replaces_source { vec!["an earlier input".to_owned()] } else { Vec::new() },
    }
}

fn script(table: &Table, dialect: &'static Dialect, batches: &[LoadBatch]) -> (Target, LoadScript) {
    let target = Target::new(table, dialect).unwrap();
    let script = script_of(&target, batches);
    (target, script)
}

fn script_of(target: &Target, batches: &[LoadBatch]) -> LoadScript {
    let copy = CopySource {
        manifest: "s3://acme-staging/loads/1.manifest".to_owned(),
        iam_role: "arn:aws:iam::123456789012:role/etalon".to_owned(),
        format: CopyFormat::Parquet,
    };
    let load = Arrival { batches, loaded_at: 1_767_225_600_000_000, copy: Some(&copy) };
    LoadScript::new(target, &load).unwrap()
}

/// Everything that may run for a target, in order: words for people, and the text.
fn statements(table: &Table, dialect: &'static Dialect, replaces: bool) -> Vec<(String, String)> {
    statements_over(table, dialect, replaces, &Found::default())
}

/// Everything that may run for a target where this is found.
fn statements_over(table: &Table, dialect: &'static Dialect, replaces: bool, found: &Found) -> Vec<(String, String)> {
    let target = Target::new(table, dialect).unwrap();
    let set_up = SetUp::new(&target).unwrap();
    let migration = Migration::new(&target, found).unwrap();
    let target = target.with_former(found).unwrap_or(target);
    let script = script_of(&target, &[batch(1, replaces), batch(2, replaces)]);
    let shown = |kind: &str, statement: &Statement| {
        let values: Vec<String> =
            statement.parameters.iter().map(|value| format!("{}={}", value.name, value.value)).collect();
        let values = if values.is_empty() { String::new() } else { format!(" [{}]", values.join(", ")) };
        (format!("{kind}{}{values}", statement.what), statement.sql.clone())
    };
    let before = set_up.create.iter().chain(&set_up.questions);
    let mut all: Vec<_> = before.map(|statement| shown("before: ", statement)).collect();
    all.extend(migration.statements.iter().map(|statement| shown("before: ", statement)));
    all.extend(script.steps.iter().map(|step| match step {
        Step::Run(statement) => shown("", statement),
        Step::Guard(guard, statement) => shown(&format!("{guard:?}: "), statement),
        Step::Counts(statement) => shown("counts: ", statement),
        Step::Stage(stage) => ("stage the rows".to_owned(), stage.sql.clone()),
    }));
    all.push(shown("apart: ", &ledger(&target)));
    all
}

#[test]
fn the_text_of_every_load() {
    for (name, table, replaces) in ways() {
        for dialect in DIALECTS {
            let statements = statements(&table, dialect, replaces);
            let text: String = statements.iter().map(|(what, sql)| format!("-- {what}\n{sql};\n\n")).collect();
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
                insta::assert_snapshot!(format!("{name}_{}", dialect.name().to_lowercase()), text);
            });
        }
    }
}

/// A load into a table that has a column which the pipeline has no more, beside beaten rows without it.
#[test]
fn a_beaten_row_keeps_the_columns_of_an_earlier_pipeline_file() {
    let has_all = keeping(table(WriteMode::Merge { key: vec![0], order_by: vec![3] }));
    let without = Table { columns: has_all.columns[..4].to_vec(), ..has_all.clone() };
    for dialect in DIALECTS {
        let declared = Target::new(&has_all, dialect).unwrap().declared();
        let stored = |column: &TableColumn| match (dialect.name(), column.ty) {
            ("SQLite", Type::Smallint | Type::Bigint) => "INTEGER".to_owned(),
            ("SQLite", _) => "TEXT".to_owned(),
            (_, ty) => ty.to_string(),
        };
        let beaten = declared.iter().filter(|column| column.name != "weight");
        let beaten: BTreeMap<String, String> = beaten.map(|column| (column.name.clone(), stored(column))).collect();
        let found = |declared: &[TableColumn]| Found {
            present: declared.iter().map(|column| column.name.clone()).collect(),
            declared: declared.to_vec(),
            loads: 1,
            beaten: beaten.clone(),
            ..Found::default()
        };
        let there: Vec<TableColumn> = declared.iter().filter(|column| column.name != "weight").cloned().collect();
        let plain = statements_over(&without, dialect, true, &found(&there));
        let all = statements_over(&without, dialect, true, &found(&declared));
        let others: Vec<&(String, String)> = all.iter().filter(|statement| !plain.contains(statement)).collect();
        for (what, sql) in &others {
            assert_eq!(parsed(dialect, sql), Ok(1), "{what}\n{sql}");
            if dialect.name() == "Redshift" {
                assert_eq!(lint(sql), [], "{what}\n{sql}");
            }
        }
        let text: String = others.iter().map(|(what, sql)| format!("-- {what}\n{sql};\n\n")).collect();
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => true }, {
            insta::assert_snapshot!(format!("former_columns_{}", dialect.name().to_lowercase()), text);
        });
    }
}

#[test]
fn redshift_is_given_nothing_that_it_refuses() {
    for (name, table, replaces) in ways() {
        let mut all = statements(&table, &redshift::DIALECT, replaces);
        let errors = load_errors(7);
        all.push((errors.what.to_owned(), errors.sql));
        for (what, sql) in all {
            assert_eq!(lint(&sql), [], "{name}: {what}\n{sql}");
        }
    }
}

#[test]
fn every_statement_parses_in_its_dialect() {
    for (name, table, replaces) in ways() {
        for dialect in DIALECTS {
            for (what, sql) in statements(&table, dialect, replaces) {
                assert_eq!(parsed(dialect, &sql), Ok(1), "{name} {dialect:?}: {what}\n{sql}");
            }
        }
    }
}

fn without_parameters(sql: &str) -> String {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let texts = sql.split('\'').enumerate().map(|(place, part)| {
        // Every second part stands in a text.
        let mut pieces = part.split(':');
        let first = pieces.next().unwrap_or_default().to_owned();
        if place % 2 == 1 {
            return part.to_owned();
        }
        pieces.fold(first, |text, piece| text + "7" + piece.trim_start_matches(is_name))
    });
    texts.collect::<Vec<_>>().join("'")
}

#[test]
fn parameters_are_what_the_data_api_takes() {
    for (_, table, replaces) in ways() {
        let (_, script) = script(&table, &redshift::DIALECT, &[batch(1, replaces), batch(2, replaces)]);
        let mut known = BTreeMap::new();
        for step in &script.steps {
            let (Step::Run(statement) | Step::Guard(_, statement) | Step::Counts(statement)) = step else { continue };
            for parameter in &statement.parameters {
                assert!(!parameter.value.is_empty());
                let other = known.insert(&parameter.name, &parameter.value);
                assert!(other.is_none_or(|other| *other == parameter.value), "{parameter:?} is {other:?} too");
            }
        }
    }
}

#[test]
fn a_load_without_rows_needs_no_manifest() {
    let target = Target::new(&table(WriteMode::Append), &redshift::DIALECT).unwrap();
    let empty = [LoadBatch { staged: 0, ..batch(1, false) }];
    let steps = |batches| Ok(LoadScript::new(&target, &Arrival { batches, loaded_at: 0, copy: None })?.steps);
    assert!(!steps(&empty).unwrap().iter().any(|step| matches!(step, Step::Stage(_))));
    let error: Error = steps(&[batch(1, false)]).unwrap_err();
    assert_eq!(error.to_string(), "table `shop.orders` is loaded from a manifest, and there is none");
}

#[test]
fn the_ledger_of_many_inputs_is_asked_in_several_statements() {
    let target = Target::new(&table(WriteMode::Append), &redshift::DIALECT).unwrap();
    let inputs: Vec<String> = (0..2_500).map(|number| format!("{number:064}")).collect();
    let statements = ledger_of(&target, &inputs.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(statements.iter().map(|one| one.parameters.len()).collect::<Vec<_>>(), [1_001, 1_001, 501]);
    for statement in &statements {
        let text = statement.labelled();
        assert!(text.len() < 200 * 1024);
        assert_eq!(lint(&text), []);
        assert_eq!(Statement::purpose(&text), Some("list what was loaded of some inputs"));
    }
    assert_eq!(ledger_of(&target, &[]), []);
}

#[test]
fn a_load_of_many_batches_fits_or_is_refused() {
    let table = Table { deletes: true, ..table(WriteMode::Scd2 { key: vec![0, 1], order_by: 2 }) };
    let many: Vec<LoadBatch> = (0..3_000).map(|number| batch(number, true)).collect();
    let (target, script) = script(&table, &redshift::DIALECT, &many);
    assert!(script.steps.len() <= STATEMENTS_MAX);
    for step in &script.steps {
        let (Step::Run(statement) | Step::Guard(_, statement) | Step::Counts(statement)) = step else { continue };
        assert!(statement.sql.len() < 200 * 1024, "{}", statement.what);
    }
    let too_many: Vec<LoadBatch> = (0..20_000).map(|number| batch(number, true)).collect();
    let copy =
        CopySource { manifest: "s3://acme/1".to_owned(), iam_role: "default".to_owned(), format: CopyFormat::Csv };
    let load = Arrival { batches: &too_many, loaded_at: 0, copy: Some(&copy) };
    let error = LoadScript::new(&target, &load).unwrap_err();
    assert_eq!(error.to_string(), "a load of 20000 batches into `shop.orders` is too long");
}

#[test]
fn what_a_warehouse_cannot_name_is_refused() {
    let named = |name: &str| Table { name: name.to_owned(), ..table(WriteMode::Append) };
    let error = |table: &Table, dialect: &'static Dialect| Target::new(table, dialect).unwrap_err().to_string();
    let long = "n".repeat(64);
    assert_eq!(
        error(&named(&long), &postgres::DIALECT),
        format!("the name `{long}` has 64 bytes, and PostgreSQL takes at most 63")
    );
    assert!(Target::new(&named(&long), &redshift::DIALECT).is_ok());
    let remembered =
        Table { deletes: true, write: WriteMode::Scd2 { key: vec![0], order_by: 3 }, ..named(&long[..50]) };
    let message = error(&remembered, &postgres::DIALECT);
    assert!(message.contains("its name is too long by 12 bytes for the table"), "{message}");
    let mut system = table(WriteMode::Append);
    system.columns[4].name = "XMIN".to_owned();
    assert_eq!(
        error(&system, &redshift::DIALECT),
        "table `shop.orders`: Redshift takes the column name `xmin` for itself"
    );
    assert!(Target::new(&system, &sqlite::DIALECT).is_ok());
    assert_eq!(
        error(&named("sqlite_orders"), &sqlite::DIALECT),
        "the name `sqlite_orders`: names beginning with `sqlite_` are reserved by SQLite"
    );
    assert!(Target::new(&named("sqlite_orders"), &postgres::DIALECT).is_ok());
}

proptest! {
    /// Every text is read to its end, and what Redshift takes stays so in a text or a comment of any content.
    #[test]
    fn any_text_is_linted(text in "[a-zA-Z0-9_ '\"(),.:;$*/\\\\\\n-]{0,60}|\\PC{0,30}", inside in "[a-z0-9 (),.:;$*=-]{0,40}") {
        any_text_has_its_offences(&text);
        prop_assert_eq!(lint(&format!("SELECT '{inside}' /* {} */ -- {inside}", inside.replace('*', ""))), []);
    }
}
