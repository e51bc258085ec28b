//! Expressions with PostgreSQL's own answers, out of test suites that others wrote.
//!
//! A case is *right*; *refused* before running, which is a gap in coverage; *stricter*, a reject by one of the written cases in
//! which putting a value into a column differs from a cast; or *wrong*, which no case may be. Cases over types that the
//! product does not have (decimals of more than 38 digits, other precisions of time) may be refused, and are counted apart.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use etalon_core::diagnostic::Code;
use etalon_core::diagnostic::Diagnostic;
use etalon_core::diagnostic::Severity;
use etalon_core::expr::Context;
use etalon_core::expr::Expr;
use etalon_core::pipeline::Pipeline;
use etalon_core::pipeline::RowStep;
use etalon_core::plan::Object;
use etalon_core::types::Type;
use etalon_core::value::show::show;
use serde_json::Value;

/// Each file, and the least share of right cases, in percent, of those whose types the product has.
const FLOORS: [(&str, usize); 8] = [
    ("pg_scalar", 93),
    ("pg_scalar_extended", 71),
    ("pg_assign", 96),
    ("pg_assign_extended", 100),
    ("pg_rowmap", 98),
    ("pg_rowmap_extended", 100),
    ("slt_agreed", 98),
    ("slt_dialect_traps", 97),
];

/// Expressions that give something else here on purpose, each with the reason.
const DIFFERENCES: [(&str, &str); 1] = [(
    "||/f1",
    "a cube root is rounded to the nearest number; the C library's, which PostgreSQL asks, is one place off",
)];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Right,
    Refused,
    Stricter,
    Wrong,
}

/// What became of a row: a value, NULL, or the code of a reject.
type Found = Result<Option<String>, Code>;

pub(crate) fn expressions_mean_what_postgresql_means(corpora: &Path) {
    let folder = corpora.join("expr");
    let details = std::env::var_os("ETALON_CORPORA_DETAILS").is_some();
    let mut wrong = Vec::new();
    let mut low = Vec::new();
    println!(
        "{:<20} {:>5} {:>5} {:>5} {:>7} {:>8} {:>5}",
        "file", "cases", "out", "right", "refused", "stricter", "wrong"
    );
    for (file, floor) in FLOORS {
        let mut counts = BTreeMap::<Outcome, usize>::new();
        let (mut cases, mut out) = (0, 0);
        for line in fs::read_to_string(folder.join(file).with_extension("jsonl")).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let (outcome, told) = judge(&case);
            cases += 1;
            if details && outcome != Outcome::Right {
                println!("{file} {outcome:?} {} {told}", if is_out(&case) { "out" } else { "in" });
            }
            if outcome == Outcome::Wrong && !DIFFERENCES.iter().any(|(expr, _)| case["expr"] == *expr) {
                wrong.push(format!("{file} {told}"));
            } else if outcome != Outcome::Wrong && is_out(&case) {
                out += 1;
                continue;
            }
            *counts.entry(outcome).or_default() += 1;
        }
        let count = |outcome| counts.get(&outcome).copied().unwrap_or(0);
        let share = count(Outcome::Right) * 1000 / (cases - out).max(1);
        println!(
            "{file:<20} {cases:>5} {out:>5} {:>5} {:>7} {:>8} {:>5}  {}.{}%",
            count(Outcome::Right),
            count(Outcome::Refused),
            count(Outcome::Stricter),
            count(Outcome::Wrong),
            share / 10,
            share % 10
        );
        if share < floor * 10 {
            low.push(file);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(low.is_empty(), "fewer cases are right than there were: {low:?}");
}

/// The outcome of a case, and what there is to tell about it.
fn judge(case: &Value) -> (Outcome, String) {
    let ty = case["type"].as_str().unwrap_or_default();
    let mut told = case["expr"].as_str().unwrap_or_default().to_owned();
    if told.len() > 300 {
        told.truncate(told.floor_char_boundary(300));
    }
    let found = if case.get("rows").is_some() {
        row_map(case)
    } else if case.get("assign_type").is_some() {
        assign(case)
    } else {
        scalar(case)
    };
    let expected = match case["results"].as_array() {
        Some(results) => results.clone(),
        None => vec![case.clone()],
    };
    match found {
        Err(diagnostics) => {
            let first = diagnostics.iter().find(|diagnostic| diagnostic.severity == Severity::Error);
            let Some(first) = first else { return (Outcome::Wrong, told) };
            let _ = write!(told, "  [{} {}]", first.code, first.message);
            let every_row = |test: fn(&str, &Diagnostic) -> bool| {
                expected.iter().all(|row| row["error"]["sqlstate"].as_str().is_some_and(|state| test(state, first)))
            };
            let outcome = match first.code {
                _ if every_row(|state, first| is_same_class(state, first.fault)) => Outcome::Right,
                Code::ConstantFault if is_limit(first.fault, case) => Outcome::Refused,
                Code::ConstantFault => Outcome::Wrong,
                // What PostgreSQL refuses as well.
                _ if every_row(|state, _| state.starts_with("42") || state.starts_with("0A")) => Outcome::Right,
                _ => Outcome::Refused,
            };
            let _ = write!(told, "  expected {}", answers(&expected));
            (outcome, told)
        }
        Ok(rows) => {
            let mut worst = Outcome::Right;
            for (found, expected) in rows.iter().zip(&expected) {
                let outcome = match (found, expected["error"]["sqlstate"].as_str()) {
                    (Err(code), Some(state)) if is_same_class(state, Some(*code)) => Outcome::Right,
                    (Err(Code::ExcessScale | Code::ExcessBlanks | Code::ExcessFraction), None) => Outcome::Stricter,
                    (Err(code), None) if is_limit(Some(*code), case) => Outcome::Refused,
                    // Zeros beyond the digits that there are.
                    (Ok(Some(found)), None)
                        if is_zero(found) && expected["result"].as_str().is_some_and(is_zero) && is_out(case) =>
                    {
                        Outcome::Refused
                    }
                    (Ok(found), None) if is_same(found.as_deref(), expected["result"].as_str(), ty) => Outcome::Right,
                    _ => {
                        let _ = write!(told, "  found {found:?}, expected {}", answers(std::slice::from_ref(expected)));
                        Outcome::Wrong
                    }
                };
                worst = worst.max(outcome);
            }
            if rows.len() != expected.len() {
                let _ = write!(told, "  {} rows, expected {}", rows.len(), expected.len());
                worst = Outcome::Wrong;
            }
            (worst, told)
        }
    }
}

fn answers(expected: &[Value]) -> String {
    let answer = |row: &Value| match row["error"]["sqlstate"].as_str() {
        Some(state) => format!("{state} {}", row["error"]["message"]),
        None => row["result"].to_string(),
    };
    expected.iter().map(answer).collect::<Vec<_>>().join(", ")
}

/// Whether a code's SQLSTATE is of the class of another.
fn is_same_class(state: &str, code: Option<Code>) -> bool {
    code.and_then(Code::sqlstate).is_some_and(|known| known[..2] == state[..2])
}

/// Whether a number out of range is one that PostgreSQL has room for and the product has not.
fn is_limit(code: Option<Code>, case: &Value) -> bool {
    is_out(case) && matches!(code, Some(Code::OutOfRange | Code::DatetimeOutOfRange))
}

fn is_same(found: Option<&str>, expected: Option<&str>, ty: &str) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) if matches!(ty, "double precision" | "real") => {
            let value = |text: &str| text.parse::<f64>().ok();
            found == expected || (value(found).is_some() && value(found) == value(expected))
        }
        // Trailing blanks are a char's padding.
        (Some(found), Some(expected)) if ty.starts_with("character(") => {
            found.trim_end_matches(' ') == expected.trim_end_matches(' ')
        }
        _ => found == expected,
    }
}

fn is_zero(number: &str) -> bool {
    number.len() > 30 && number.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

/// Whether a case is about types that the product does not have.
fn is_out(case: &Value) -> bool {
    let pattern = regex::Regex::new(
        r#"(?xi) [0-9]{39} | \b([3-9][0-9]{5}|[0-9]{7})-[0-9]{2}-
        | \b(numeric|decimal)\s*\((\d{3,}|39|[4-9]\d|\d+\s*,\s*-)
        | \b(timestamp|timestamptz|time|timetz|interval)\s*\(\d
        | \b(oid|money|bit|varbit|bytea|uuid|xml|inet|cidr|macaddr|point|box|path|tsvector|timetz|time\ with\ time\ zone)\b
        | ::\s*name\b | \bname\s*' | "char" | \[\]"#,
    )
    .unwrap();
    let ty = case["assign_type"].as_str().or_else(|| case["type"].as_str()).unwrap_or("boolean");
    let columns = case["columns"].as_array().into_iter().flatten().filter_map(|column| column["type"].as_str());
    let is_numeric = |text: &str| text.parse::<f64>().is_ok();
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let results = case["results"].as_array().into_iter().flatten().chain([case]);
    let mut results = results.filter_map(|row| row["result"].as_str());
    let is_assigned = case.get("assign_type").is_some();
    !(declared(ty).is_some() || (ty == "numeric" && !is_assigned))
        || columns.map(declared).any(|ty| ty.is_none())
        || results.any(|result| ty.starts_with("numeric") && is_numeric(result) && digits(result) > 38)
        || (ty == "numeric"
            && case["result"].as_str().is_some_and(|text| matches!(text, "NaN" | "Infinity" | "-Infinity")))
        || pattern.is_match(case["expr"].as_str().unwrap_or_default())
}

/// The product's type for a column of PostgreSQL's.
fn declared(ty: &str) -> Option<Type> {
    let ty = match ty {
        "text" | "character varying" => "varchar(65535)",
        ty if ty.starts_with("time") && ty.contains('(') => return None,
        ty => ty,
    };
    Type::parse(&ty.replace("character varying", "varchar")).ok()
}

fn scalar(case: &Value) -> Result<Vec<Found>, Vec<Diagnostic>> {
    let (expr, _) = Expr::compile(case["expr"].as_str().unwrap(), &[])?;
    let context = Context { batch_time: 0, source_name: "", record_offsets: &[0] };
    let column = expr.evaluate(&[], 1, &context);
    Ok(vec![match column.faults.of(0) {
        Some(fault) => Err(fault.code),
        None => Ok(show(&*column.values, 0)),
    }])
}

/// A literal put into a column: the text of the only cell of a field of that type.
fn assign(case: &Value) -> Result<Vec<Found>, Vec<Diagnostic>> {
    let written = case["assign_value"].as_str().unwrap();
    let text = match written.trim_start_matches("bool ").strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(text) if !text.replace("''", "").contains('\'') => text.replace("''", "'"),
        // An expression gives the text that a cell would hold.
        _ if written.contains(['\'', '(', '^']) => {
            let case = serde_json::json!({ "expr": written });
            match scalar(&case)?.remove(0) {
                Ok(Some(text)) => text,
                found => return Ok(vec![found]),
            }
        }
        _ => written.to_owned(),
    };
    let ty = declared(case["assign_type"].as_str().unwrap()).ok_or_else(|| vec![not_a_cell()])?;
    let file = format!(
        "etalon: 1\npipeline: p\nsource: {{ files: r.csv, format: {{ csv: {{ nulls: ['\\N'] }} }}, fields: {{ v: '{ty}' }} }}\n\
         columns: {{ v: {{ type: '{ty}' }} }}\ntarget: {{ table: t, write: append }}\n"
    );
    run(&file, &[vec![Some(text)]], &["v"])
}

fn not_a_cell() -> Diagnostic {
    Diagnostic::error(Code::Unsupported, etalon_core::diagnostic::Span::new(0, 0), "this cannot be declared or written")
}

/// An expression over the rows of a table.
fn row_map(case: &Value) -> Result<Vec<Found>, Vec<Diagnostic>> {
    let columns = case["columns"].as_array().unwrap();
    let names: Vec<_> = columns.iter().map(|column| column["name"].as_str().unwrap()).collect();
    let mut fields = String::new();
    for (name, column) in names.iter().zip(columns) {
        let ty = declared(column["type"].as_str().unwrap()).ok_or_else(|| vec![not_a_cell()])?;
        let _ = writeln!(fields, "    {name}: '{ty}'");
    }
    let expr = serde_json::to_string(&case["expr"]).unwrap();
    let file = format!(
        "etalon: 1\npipeline: p\nsource:\n  files: r.csv\n  format: {{ csv: {{ nulls: ['\\N'] }} }}\n  fields:\n{fields}\
         columns:\n  result: {{ from: {expr}, type: varchar(65535) }}\ntarget: {{ table: t, write: append }}\n"
    );
    let cells = |row: &Value| {
        let cells = row.as_array().unwrap().iter();
        cells.map(|cell| cell.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let rows: Vec<_> = case["rows"].as_array().unwrap().iter().map(cells).collect();
    let mut found = run(&file, &rows, &names)?;
    // A boolean becomes text in whole words.
    if case["type"] == "boolean" {
        for value in found.iter_mut().filter_map(|found| found.as_mut().ok()).flatten() {
            value.truncate(1);
        }
    }
    Ok(found)
}

/// What becomes of each row in the only column of a pipeline.
fn run(file: &str, rows: &[Vec<Option<String>>], names: &[&str]) -> Result<Vec<Found>, Vec<Diagnostic>> {
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
        match run.step().unwrap() {
            RowStep::NeedsData(range) => {
                run.push(&text.as_bytes()[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]);
            }
            RowStep::Rows(records, outcome) => {
                assert!(records.rejects.is_empty(), "{:?}", records.rejects);
                for (at, row) in outcome.accepted_rows.iter().enumerate() {
                    found[first + row] = Ok(show(&*outcome.accepted[0], at));
                }
                for (row, reasons) in &outcome.rejected {
                    found[first + row] = Err(reasons[0].code);
                }
                first += records.len();
            }
            RowStep::Finished(..) => return Ok(found),
        }
    }
}
