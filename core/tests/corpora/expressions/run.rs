//! Running a case as a user would: a pipeline with one column, over a CSV file.

use std::fmt::Write as _;

use etalon_core::diagnostic::Code;
use etalon_core::diagnostic::Diagnostic;
use etalon_core::diagnostic::Span;
use etalon_core::expr::Expr;
use etalon_core::expr::Name;
use etalon_core::pipeline::Pipeline;
use etalon_core::pipeline::RowOutput;
use etalon_core::plan::Object;
use etalon_core::testing::pipeline::output;
use etalon_core::types::Type;
use etalon_core::value::show::show;

use super::case::Case;
use super::case::Work;
use super::case::column_type;
use super::case::result_type;

/// The column for what is compared as text.
const TEXT: &str = "varchar(65535)";

/// What becomes of a row: a value, NULL, or the code of a reject.
pub(super) type Found = Result<Option<String>, Code>;

/// What becomes of a case.
pub(super) struct Outcome {
    pub(super) rows: Vec<Found>,
    /// The type of the expression.
    pub(super) ty: Option<Type>,
}

/// Runs a case; `Err` is what was refused before there were rows.
pub(super) fn run(case: &Case) -> Result<Outcome, Vec<Diagnostic>> {
    match &case.work {
        Work::Map { expr, columns, rows } => {
            let column = match case.ty.as_deref().and_then(result_type) {
                // A text tells every digit of an exact number, and a time of day is no column.
                None | Some(Type::Numeric | Type::Decimal { .. } | Type::Time | Type::Char(0)) => TEXT.to_owned(),
                Some(Type::Jsonb) => Type::Super.to_string(),
                Some(ty) => ty.to_string(),
            };
            map(expr, &column, columns, rows)
        }
        Work::Cell { literal } => {
            let ty = case.ty.as_deref().and_then(column_type).ok_or_else(not_a_column)?;
            let text = match cell(literal)? {
                Ok(text) => text,
                Err(code) => return Ok(Outcome { rows: vec![Err(code)], ty: None }),
            };
            let file = format!(
                "etalon: 1\npipeline: p\nsource: {{ files: r.csv, format: {{ csv: {{ nulls: ['\\N'] }} }}, fields: {{ v: '{ty}' }} }}\n\
                 columns: {{ v: {{ type: '{ty}' }} }}\ntarget: {{ table: t, write: append }}\n"
            );
            Ok(Outcome { rows: deliver(&file, &[vec![text]], &["v"])?, ty: None })
        }
    }
}

fn not_a_column() -> Vec<Diagnostic> {
    vec![Diagnostic::error(Code::Unsupported, Span::new(0, 0), "this type is no column's")]
}

/// An expression over rows, put into a column.
fn map(
    expr: &str,
    column: &str,
    columns: &[(String, String)],
    rows: &[Vec<Option<String>>],
) -> Result<Outcome, Vec<Diagnostic>> {
    let mut scope = Vec::new();
    let mut fields = String::new();
    for (name, ty) in columns {
        let ty = column_type(ty).ok_or_else(not_a_column)?;
        let _ = writeln!(fields, "    {name}: '{ty}'");
        scope.push(Name { name: name.clone(), ty, nullable: true });
    }
    let ty = Expr::compile(expr, &scope)?.0.ty();
    let mut names: Vec<_> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let mut rows = rows.to_vec();
    if names.is_empty() {
        // A row has at least one field.
        fields.push_str("    the_only_field: text\n");
        names.push("the_only_field");
        rows.iter_mut().for_each(|row| row.push(None));
    }
    let expr = serde_json::to_string(expr).unwrap();
    let file = format!(
        "etalon: 1\npipeline: p\nsource:\n  files: r.csv\n  format: {{ csv: {{ nulls: ['\\N'] }} }}\n  fields:\n{fields}\
         columns:\n  result: {{ from: {expr}, type: '{column}' }}\ntarget: {{ table: t, write: append }}\n"
    );
    let mut rows = deliver(&file, &rows, &names)?;
    if ty == Type::Boolean && column == TEXT {
        // A boolean becomes text in whole words.
        for word in rows.iter_mut().filter_map(|row| row.as_mut().ok()).flatten() {
            *word = if word == "true" { "t".to_owned() } else { "f".to_owned() };
        }
    }
    Ok(Outcome { rows, ty: Some(ty) })
}

/// The text of a cell that holds what a literal of SQL holds.
fn cell(literal: &str) -> Result<Found, Vec<Diagnostic>> {
    let quoted = literal.trim_start_matches("bool ").strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    match quoted {
        Some(text) if !text.replace("''", "").contains('\'') => Ok(Ok(Some(text.replace("''", "'")))),
        // An expression gives the text that a cell would hold.
        _ if literal.contains(['\'', '(', '^']) => Ok(map(literal, TEXT, &[], &[Vec::new()])?.rows.remove(0)),
        _ => Ok(Ok(Some(literal.to_owned()))),
    }
}

/// What becomes of each row in the only column of a pipeline.
fn deliver(file: &str, rows: &[Vec<Option<String>>], names: &[&str]) -> Result<Vec<Found>, Vec<Diagnostic>> {
    let (pipeline, _) = Pipeline::compile(file)?;
    let mut text = names.join(",");
    for row in rows {
        let cells = row.iter().map(|cell| match cell {
            Some(cell) => format!("\"{}\"", cell.replace('"', "\"\"")),
            None => "\\N".to_owned(),
        });
        let _ = write!(text, "\n{}", cells.collect::<Vec<_>>().join(","));
    }
    let object = Object { name: "r.csv".to_owned(), version: "1".to_owned(), size: text.len() as u64 };
    let plan = pipeline.plan(&object, 0);
    let mut found: Vec<Found> = vec![Ok(None); rows.len()];
    let mut run = pipeline.rows(&plan.tasks()[0]);
    let mut first = 0;
    loop {
        match output(&mut run, text.as_bytes(), &mut std::iter::repeat(usize::MAX)).unwrap() {
            RowOutput::Rows(records, outcome) => {
                assert!(records.rejects.is_empty(), "{:?}", records.rejects);
                for (at, row) in outcome.accepted_rows.iter().enumerate() {
                    found[first + row] = Ok(show(&*outcome.accepted[0], at));
                }
                for (row, reasons) in &outcome.rejected {
                    found[first + row] = Err(reasons[0].code);
                }
                first += records.len();
            }
            RowOutput::Finished(..) => {
                assert_eq!(first, rows.len(), "a row is missing");
                return Ok(found);
            }
        }
    }
}
