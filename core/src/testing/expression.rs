//! The laws of expressions: well-typed expressions and rows to evaluate them over.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::BooleanArray;
use arrow_array::Date32Array;
use arrow_array::Decimal128Array;
use arrow_array::Float64Array;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;
use proptest::prelude::BoxedStrategy;
use proptest::prelude::Just;
use proptest::prelude::Strategy;
use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prop_oneof;

use crate::column::Column;
use crate::column::Fault;
use crate::column::Faults;
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::Severity;
use crate::expr::Context;
use crate::expr::Expr;
use crate::expr::Name;
use crate::expr::reference::Stop;
use crate::types::Type;

/// One row over [`scope`]; `None` is NULL, and a text of `fault` cannot be read.
#[derive(Debug, Clone)]
pub struct Row {
    /// `n`, an integer.
    pub n: Option<i32>,
    /// `big`, a bigint.
    pub big: Option<i64>,
    /// `d`, a decimal(12,2), unscaled.
    pub d: Option<i64>,
    /// `f`, a double precision.
    pub f: Option<f64>,
    /// `t`, a text.
    pub t: Option<String>,
    /// `b`, a boolean.
    pub b: Option<bool>,
    /// `day`, a date.
    pub day: Option<i32>,
}

/// The names that generated expressions use.
pub fn scope() -> Vec<Name> {
    let name = |name: &str, ty| Name { name: name.to_owned(), ty, nullable: true };
    vec![
        name("n", Type::Integer),
        name("big", Type::Bigint),
        name("d", Type::Decimal { precision: 12, scale: 2 }),
        name("f", Type::Double),
        name("t", Type::Text),
        name("b", Type::Boolean),
        name("day", Type::Date),
    ]
}

/// Rows, with values near the ends of their types among them.
pub fn rows() -> impl Strategy<Value = Vec<Row>> {
    let n = prop_oneof![-3..4_i32, Just(i32::MAX), Just(i32::MIN), any::<i32>()];
    let big = prop_oneof![-3..4_i64, Just(i64::MAX), Just(i64::MIN), any::<i64>()];
    let d = prop_oneof![-300..300_i64, Just(999_999_999_999), Just(0)];
    let f = prop_oneof![Just(0.0), Just(-0.0), Just(f64::NAN), Just(1e308), Just(2.5), any::<f64>()];
    let t = prop_oneof!["[a-c%_ ]{0,4}", "[0-9]{1,3}", "\\PC{0,20}", Just("fault".to_owned())];
    let day = prop_oneof![-1000..30_000_i32, Just(-2_440_588), Just(106_751_982)];
    let of = prop::option::of::<BoxedStrategy<String>>;
    let row = (
        prop::option::of(n),
        prop::option::of(big),
        prop::option::of(d),
        prop::option::of(f),
        of(t.boxed()),
        prop::option::of(any::<bool>()),
        prop::option::of(day),
    );
    let row = row.prop_map(|(n, big, d, f, t, b, day)| Row { n, big, d, f, t, b, day });
    prop::collection::vec(row, 0..70)
}

/// The columns of [`scope`] over some rows.
pub fn columns(rows: &[Row]) -> Vec<Column> {
    let decimals = rows.iter().map(|row| row.d.map(i128::from)).collect::<Decimal128Array>();
    let decimals = decimals.with_data_type(Type::Decimal { precision: 12, scale: 2 }.arrow());
    let texts = rows.iter().map(|row| row.t.as_deref().filter(|text| *text != "fault"));
    let mut faults = Faults::default();
    for (at, _) in rows.iter().enumerate().filter(|(_, row)| row.t.as_deref() == Some("fault")) {
        faults.push(at, Fault::new(Code::NotAValue, "no text"));
    }
    let column = |values: ArrayRef| Column::new(values);
    vec![
        column(Arc::new(rows.iter().map(|row| row.n).collect::<Int32Array>())),
        column(Arc::new(rows.iter().map(|row| row.big).collect::<Int64Array>())),
        column(Arc::new(decimals)),
        column(Arc::new(rows.iter().map(|row| row.f).collect::<Float64Array>())),
        Column { values: Arc::new(texts.collect::<StringViewArray>()), faults },
        column(Arc::new(rows.iter().map(|row| row.b).collect::<BooleanArray>())),
        column(Arc::new(rows.iter().map(|row| row.day).collect::<Date32Array>())),
    ]
}

/// The value of an expression in each row, as text, or its fault.
pub fn values(expr: &Expr, columns: &[Column], rows: usize) -> Vec<Result<Option<String>, Fault>> {
    let column = evaluate(expr, columns, rows);
    let print = |at: usize| {
        let value = column.values.slice(at, 1);
        match value.is_null(0) {
            true => None,
            // Arrow's own words for a value tell values of one type apart.
            false => Some(format!("{value:?}")),
        }
    };
    (0..rows).map(|at| column.faults.of(at).map_or_else(|| Ok(print(at)), |fault| Err(fault.clone()))).collect()
}

fn evaluate(expr: &Expr, columns: &[Column], rows: usize) -> Column {
    let columns: Vec<_> = columns.iter().map(Some).collect();
    let offsets = vec![0; rows];
    expr.evaluate(&columns, rows, &Context { batch_time: 0, source_name: "s", record_offsets: &offsets })
}

fn compile(text: &str) -> Option<Expr> {
    match Expr::compile(text, &scope()) {
        Ok((expr, _)) => Some(expr),
        Err(diagnostics) => {
            // Constants may be wrong by chance: a fault that is sure is the author's mistake.
            let chance = [Code::ConstantFault, Code::Unsupported];
            let is_refused = |diagnostic: &Diagnostic| {
                ["not supported", "more than 38"].iter().any(|words| diagnostic.message.contains(words))
            };
            let is_chance = |diagnostic: &Diagnostic| chance.contains(&diagnostic.code) || diagnostic.fault.is_some();
            let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
            let unexpected = errors.find(|diagnostic| !is_chance(diagnostic) && !is_refused(diagnostic));
            assert!(unexpected.is_none(), "{text}: {unexpected:?}");
            None
        }
    }
}

/// Evaluation over the pieces of a batch gives what evaluation over the whole gives.
pub fn any_split_gives_the_same_values(text: &str, rows: &[Row], cuts: &[usize]) {
    let Some(expr) = compile(text) else { return };
    let whole = values(&expr, &columns(rows), rows.len());
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (rows.len() + 1)).chain([0, rows.len()]).collect();
    cuts.sort_unstable();
    let mut pieces = Vec::new();
    for pair in cuts.windows(2) {
        let piece: Range<usize> = pair[0]..pair[1];
        pieces.extend(values(&expr, &columns(&rows[piece.clone()]), piece.len()));
    }
    assert_eq!(whole, pieces, "{text}");
}

/// A column has the type and the length that were promised, NULL in every row with a fault, and no other NULL where there
/// should be none.
pub fn a_checked_expression_yields_its_type(text: &str, rows: &[Row]) {
    let Some(expr) = compile(text) else { return };
    let column = evaluate(&expr, &columns(rows), rows.len());
    assert_eq!(column.values.data_type(), &expr.ty().arrow(), "{text}");
    assert_eq!(column.values.len(), rows.len(), "{text}");
    for (row, fault) in column.faults.iter() {
        assert!(row < rows.len() && column.values.is_null(row), "{text}: {fault:?} in row {row}");
    }
    if !expr.nullable() {
        assert_eq!(column.values.logical_null_count(), column.faults.len(), "{text}");
    }
    if let Type::Decimal { precision, .. } = expr.ty() {
        let numbers = column.values.as_primitive::<arrow_array::types::Decimal128Type>();
        let limit = 10_u128.pow(precision.into());
        assert!(numbers.iter().flatten().all(|number| number.unsigned_abs() < limit), "{text}");
    }
}

/// What a row does not reach cannot fault it.
pub fn an_unreached_branch_faults_nothing(text: &str, rows: &[Row]) {
    let Some(expr) = compile(text) else { return };
    let null = format!("nullif(n, n) is not null and ({text}) is null");
    let wanted = vec![Ok(false); rows.len()];
    let null = compile(&null).map(|expr| truths(&expr, rows));
    assert!(null.is_none_or(|found| found == wanted), "{text}");
    let same = compile(&format!("case when false then {text} when true then {text} else {text} end"));
    let rows_of = columns(rows);
    let (left, right) = (values(&expr, &rows_of, rows.len()), same.map(|same| values(&same, &rows_of, rows.len())));
    assert!(right.is_none_or(|right| right == left), "{text}");
}

fn truths(expr: &Expr, rows: &[Row]) -> Vec<Result<bool, Fault>> {
    let column = evaluate(expr, &columns(rows), rows.len());
    let bits = column.values.as_boolean();
    (0..rows.len())
        .map(|row| {
            column.faults.of(row).map_or_else(|| Ok(bits.is_valid(row) && bits.value(row)), |fault| Err(fault.clone()))
        })
        .collect()
}

/// Any text is an expression that can be evaluated, or has mistakes with places in it.
pub fn any_text_is_an_expression_or_explained(text: &str) {
    match Expr::compile(text, &scope()) {
        Ok((expr, _)) => {
            let row = Row {
                n: Some(1),
                big: None,
                d: Some(250),
                f: Some(0.5),
                t: Some("a".into()),
                b: Some(true),
                day: Some(0),
            };
            let nothing = Row { n: None, big: None, d: None, f: None, t: None, b: None, day: None };
            let rows = [row, nothing];
            assert_eq!(evaluate(&expr, &columns(&rows), rows.len()).values.len(), rows.len());
        }
        Err(diagnostics) => {
            assert!(diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error));
            for diagnostic in &diagnostics {
                assert!(text.get(diagnostic.span.start..diagnostic.span.end).is_some(), "{diagnostic:?}");
                assert!(!diagnostic.message.contains('\n') && !diagnostic.message.ends_with('.'), "{diagnostic:?}");
            }
        }
    }
}

/// Any text is a JSON path that leads somewhere in any JSON, or there is a fault or a mistake; and where a silent search ends
/// well, a loud one finds the same.
pub fn any_text_is_a_path_or_explained(path: &str, json: &str) {
    let quoted = path.replace('\'', "''");
    let find = |silent: bool| {
        let text = format!("jsonb_path_query_array(try_cast(t as jsonb), '{quoted}', '{{}}', {silent})");
        let (expr, _) = Expr::compile(&text, &scope()).ok()?;
        let row = Row { n: None, big: None, d: None, f: None, t: Some(json.to_owned()), b: None, day: None };
        values(&expr, &columns(&[row]), 1).pop()
    };
    let (loud, silent) = (find(false), find(true));
    assert_eq!(loud.is_some(), silent.is_some(), "{path}");
    if let (Some(Ok(loud)), Some(silent)) = (loud, silent) {
        assert_eq!(Ok(loud), silent, "{path} in {json}");
    }
}

/// What [`columns_agree_with_rows`] found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Values and faults that were compared.
    pub compared: usize,
    /// Those that the reference does not know.
    pub skipped: usize,
}

/// The engine gives what the row-at-a-time reference gives: the same values, and the same faults in the same rows.
pub fn columns_agree_with_rows(text: &str, rows: &[Row]) -> Agreement {
    let mut agreement = Agreement::default();
    let (Some(expr), Some(printed)) = (compile(text), compile(&format!("({text})::text"))) else { return agreement };
    let columns = columns(rows);
    let (column, texts) = (evaluate(&expr, &columns, rows.len()), evaluate(&printed, &columns, rows.len()));
    let texts = texts.values.as_string_view();
    // The reference does not tell what is too large for a type from what is too large for every decimal.
    let alike = |code| if code == Code::BeyondDecimal { Code::OutOfRange } else { code };
    for (row, input) in rows.iter().enumerate() {
        let found = match column.faults.of(row) {
            Some(fault) => Err(Stop::Fault(alike(fault.code))),
            None => Ok(texts.is_valid(row).then(|| texts.value(row).to_owned())),
        };
        match expr.reference(&columns, row) {
            Err(Stop::Unknown(_)) => agreement.skipped += 1,
            expected => {
                let expected = expected.map_err(|stop| match stop {
                    Stop::Fault(code) => Stop::Fault(alike(code)),
                    stop @ Stop::Unknown(_) => stop,
                });
                assert_eq!(found, expected, "{text} over {input:?}");
                agreement.compared += 1;
            }
        }
    }
    agreement
}
