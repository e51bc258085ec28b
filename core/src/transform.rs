//! Transform: records in, accepted rows and rejects out. It is the only module that uses expressions.
//!
//! The order within a row: decode fields -> `where` -> columns -> required, one_of, matches, ranges -> checks. A value is put
//! into its column (`conform`) when the column is computed; a value that Redshift would refuse or change is a fault.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_select::filter::FilterBuilder;

use crate::column::{Column, Fault, Faults};
use crate::diagnostic::Code;
use crate::expr::{Context, Expr};
use crate::records::Records;
use crate::reject::{Reason, Subject};
use crate::spec::Choice;
use crate::types::Type;
use crate::value::show::show;
use crate::value::text::quote;

pub(crate) mod conform;
pub(crate) mod decode;

pub(crate) use decode::Field;

/// What happens to a record between the reader and the stage, proved to be well typed.
#[derive(Debug, Clone)]
pub(crate) struct Transform {
    /// What arrives, in order.
    pub(crate) fields: Vec<Field>,
    /// Which rows are kept, over the fields.
    pub(crate) filter: Option<Expr>,
    /// What leaves, in order.
    pub(crate) columns: Vec<Mapping>,
    /// Rules over the columns, in the order in which they are judged.
    pub(crate) rules: Vec<Rule>,
    /// Which rows delete their key, over the columns; NULL is none.
    pub(crate) deletes: Option<Expr>,
}

/// One column that leaves.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    /// Its name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: Type,
    /// Its value, over the fields.
    pub(crate) from: Expr,
    /// Whether NULL is refused.
    pub(crate) required: bool,
    /// Whether a sensitive field reaches it, so that no message may show its values.
    pub(crate) sensitive: bool,
}

/// A rule over the columns: one that is false for a row is a reason.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// What a reason speaks of.
    pub(crate) subject: Subject,
    /// The kind of reason.
    pub(crate) code: Code,
    /// The rule itself.
    pub(crate) test: Test,
    /// What is wrong with a row that fails, after the value, if one is shown: `is not one of EUR, USD`.
    pub(crate) fact: String,
    /// The column whose value is shown before the fact, if it is not sensitive.
    pub(crate) shown: Option<usize>,
    /// What happens to a row that fails.
    pub(crate) on_fail: OnFail,
}

/// How a rule is tested. NULL passes.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// A boolean expression over the columns.
    Holds(Expr),
    /// A regular expression that a column's text must match somewhere.
    Matches(usize, regex::Regex),
}

/// What happens to a row that fails a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFail {
    /// It is rejected.
    Reject,
    /// It is staged, and counted.
    Warn,
    /// It is staged, and its unit is held.
    Fail,
}

/// What can happen to such a row, as the pipeline file names it.
pub(crate) const ON_FAIL: Choice<OnFail> = Choice(&[
    ("reject", "the row goes to quarantine", OnFail::Reject),
    ("warn", "the row is staged, and counted", OnFail::Warn),
    ("fail", "the object is held", OnFail::Fail),
]);

/// What became of the records of a batch.
#[derive(Debug)]
pub struct Transformed {
    /// The rows that go to the target, one array a column, and one more that marks deletes where there are any.
    pub accepted: Vec<ArrayRef>,
    /// For each accepted row, its record.
    pub accepted_rows: Vec<usize>,
    /// The rejected records, ascending, with everything that is wrong with each.
    pub rejected: Vec<(usize, Vec<Reason>)>,
    /// Rows for which `where` was false.
    pub filtered_false: u64,
    /// Rows for which `where` was NULL.
    pub filtered_null: u64,
    /// Accepted rows that failed a rule that only warns, by rule.
    pub warned: BTreeMap<String, u64>,
    /// Accepted rows that failed a rule that holds the unit, by rule.
    pub failed: BTreeMap<String, u64>,
}

/// What has been found out about each row so far.
struct Judgement {
    kept: Vec<bool>,
    reasons: BTreeMap<usize, Vec<Reason>>,
}

impl Judgement {
    /// Whether the row got past `where`; only such rows are judged further.
    fn is_kept(&self, row: usize) -> bool {
        self.kept[row]
    }

    fn add(&mut self, row: usize, reason: Reason) {
        self.reasons.entry(row).or_default().push(reason);
    }

    /// Adds the faults of the kept rows; a sensitive value is not told.
    fn add_faults(&mut self, faults: &Faults, subject: &Subject, sensitive: bool) {
        for (row, fault) in faults.iter().filter(|&(row, _)| self.kept[row]) {
            let reason = Reason { code: fault.code, subject: subject.clone(), message: told(fault, sensitive) };
            self.reasons.entry(row).or_default().push(reason);
        }
    }
}

fn told(fault: &Fault, sensitive: bool) -> String {
    if sensitive {
        let meaning = fault.code.meaning().trim_end_matches('.');
        format!("{meaning} (the field is sensitive)")
    } else {
        fault.message.to_string()
    }
}

impl Transform {
    /// Maps, checks and conforms the records of a batch.
    pub(crate) fn apply(&self, records: &Records, context: &Context<'_>) -> Transformed {
        let rows = records.len();
        let decoded = self.decode(records);
        let fields: Vec<Option<&Column>> = decoded.iter().map(Option::as_ref).collect();

        let mut judgement = Judgement { kept: vec![true; rows], reasons: BTreeMap::new() };
        let (filtered_false, filtered_null) = self.keep(&fields, rows, context, &mut judgement);

        let mut columns: Vec<Column> =
            self.columns.iter().map(|mapping| mapping.apply(&fields, rows, context)).collect();
        for (mapping, column) in self.columns.iter().zip(&columns) {
            judgement.add_faults(&column.faults, &Subject::Column(mapping.name.clone()), mapping.sensitive);
        }
        let failing = self.judge_rules(&columns, rows, context, &mut judgement);
        columns.extend(self.mark_deletes(&columns, rows, context, &mut judgement));

        let mut accept: Vec<bool> = judgement.kept;
        for &row in judgement.reasons.keys() {
            accept[row] = false;
        }
        let accepted_rows: Vec<usize> = (0..rows).filter(|&row| accept[row]).collect();
        let mut warned = BTreeMap::new();
        let mut failed = BTreeMap::new();
        for (rule, _) in failing.into_iter().filter(|&(_, row)| accept[row]) {
            let counts = if rule.on_fail == OnFail::Warn { &mut warned } else { &mut failed };
            *counts.entry(rule.subject.to_string()).or_default() += 1;
        }
        Transformed {
            accepted: compact(columns, accept, accepted_rows.len()),
            accepted_rows,
            rejected: judgement.reasons.into_iter().collect(),
            filtered_false,
            filtered_null,
            warned,
            failed,
        }
    }

    /// The fields that some expression reaches, decoded; the others stay text in the records.
    fn decode(&self, records: &Records) -> Vec<Option<Column>> {
        let mut used = vec![false; self.fields.len()];
        for expr in self.filter.iter().chain(self.columns.iter().map(|mapping| &mapping.from)) {
            for name in expr.names() {
                used[name] = true;
            }
        }
        let decode = |(index, field): (usize, &Field)| used[index].then(|| field.decode(records, index));
        self.fields.iter().enumerate().map(decode).collect()
    }

    /// Keeps the rows for which `where` is true; counts those for which it is false and NULL.
    fn keep(
        &self,
        fields: &[Option<&Column>],
        rows: usize,
        context: &Context<'_>,
        judgement: &mut Judgement,
    ) -> (u64, u64) {
        let Some(expr) = &self.filter else { return (0, 0) };
        let column = expr.evaluate(fields, rows, context);
        let sensitive = expr.names().iter().any(|&name| self.fields[name].sensitive);
        judgement.add_faults(&column.faults, &Subject::Where, sensitive);
        let values = column.values.as_boolean();
        let (mut filtered_false, mut filtered_null) = (0, 0);
        for row in 0..rows {
            let faulted = judgement.reasons.contains_key(&row);
            if faulted {
                judgement.kept[row] = false;
            } else if values.is_null(row) {
                judgement.kept[row] = false;
                filtered_null += 1;
            } else if !values.value(row) {
                judgement.kept[row] = false;
                filtered_false += 1;
            }
        }
        (filtered_false, filtered_null)
    }

    /// Judges the rules; returns the rows that fail a rule which does not reject.
    fn judge_rules(
        &self,
        columns: &[Column],
        rows: usize,
        context: &Context<'_>,
        judgement: &mut Judgement,
    ) -> Vec<(&Rule, usize)> {
        let unfaulted = unfaulted(columns);
        let names: Vec<Option<&Column>> = unfaulted.iter().map(Some).collect();
        let mut failing = Vec::new();
        for rule in &self.rules {
            let column = rule.test.apply(&names, rows, context);
            judgement.add_faults(&column.faults, &rule.subject, self.is_sensitive(rule));
            let holds = column.values.as_boolean();
            for row in (0..rows).filter(|&row| !holds.is_null(row) && !holds.value(row)) {
                if !judgement.is_kept(row) {
                    continue;
                }
                if rule.on_fail == OnFail::Reject {
                    let message = self.fact(rule, columns, row);
                    judgement.add(row, Reason { code: rule.code, subject: rule.subject.clone(), message });
                } else {
                    failing.push((rule, row));
                }
            }
        }
        failing
    }

    /// Marks the rows that delete their key.
    fn mark_deletes(
        &self,
        columns: &[Column],
        rows: usize,
        context: &Context<'_>,
        judgement: &mut Judgement,
    ) -> Option<Column> {
        let expr = self.deletes.as_ref()?;
        let unfaulted = unfaulted(columns);
        let names: Vec<Option<&Column>> = unfaulted.iter().map(Some).collect();
        let column = expr.evaluate(&names, rows, context);
        judgement.add_faults(&column.faults, &Subject::DeleteWhen, self.reaches_sensitive(expr));
        let marks: BooleanArray = column.values.as_boolean().iter().map(|mark| Some(mark == Some(true))).collect();
        Some(Column::new(Arc::new(marks)))
    }

    /// Whether a sensitive field reaches an expression over the columns.
    fn reaches_sensitive(&self, expr: &Expr) -> bool {
        expr.names().iter().any(|&name| self.columns[name].sensitive)
    }

    fn is_sensitive(&self, rule: &Rule) -> bool {
        match &rule.test {
            Test::Holds(expr) => self.reaches_sensitive(expr),
            Test::Matches(column, _) => self.columns[*column].sensitive,
        }
    }

    fn fact(&self, rule: &Rule, columns: &[Column], row: usize) -> String {
        let value = rule.shown.filter(|&column| !self.columns[column].sensitive);
        match value.and_then(|column| show(&*columns[column].values, row)) {
            Some(value) => format!("{} {}", quote(value.as_bytes()), rule.fact),
            None if rule.shown.is_some() => format!("the value {}", rule.fact),
            None => rule.fact.clone(),
        }
    }
}

impl Mapping {
    /// The column over a batch: its expression, put into its type, and refused where NULL is.
    fn apply(&self, fields: &[Option<&Column>], rows: usize, context: &Context<'_>) -> Column {
        let column = conform::put(self.from.evaluate(fields, rows, context), self.from.ty(), self.ty);
        if !self.required || column.values.null_count() == 0 {
            return column;
        }
        let mut missing = Faults::default();
        for row in (0..rows).filter(|&row| column.values.is_null(row)) {
            missing.push(row, Fault::new(Code::Required, "the value is required, and NULL"));
        }
        // A row that is NULL because of a fault keeps that fault.
        Column { values: column.values, faults: column.faults.merge(missing) }
    }
}

impl Test {
    fn apply(&self, columns: &[Option<&Column>], rows: usize, context: &Context<'_>) -> Column {
        match self {
            Self::Holds(expr) => expr.evaluate(columns, rows, context),
            Self::Matches(column, regex) => {
                let Some(column) = columns[*column] else {
                    return Column::new(Arc::new(BooleanArray::from(vec![true; rows])));
                };
                let texts = column.values.as_string_view();
                let holds: BooleanArray = texts.iter().map(|text| text.map(|text| regex.is_match(text))).collect();
                Column::new(Arc::new(holds))
            }
        }
    }
}

/// The columns as a rule over them sees them: a faulted cell is NULL, for which a rule holds, and the fault itself is
/// already a reason.
fn unfaulted(columns: &[Column]) -> Vec<Column> {
    columns.iter().map(|column| Column::new(column.values.clone())).collect()
}

/// The accepted rows of each column.
fn compact(columns: Vec<Column>, accept: Vec<bool>, accepted: usize) -> Vec<ArrayRef> {
    if accepted == accept.len() {
        return columns.into_iter().map(|column| column.values).collect();
    }
    let predicate = FilterBuilder::new(&BooleanArray::from(accept)).optimize().build();
    columns
        .into_iter()
        .map(|column| match predicate.filter(&column.values) {
            Ok(kept) => kept,
            Err(error) => unreachable!("the mask is as long as the column: {error}"),
        })
        .collect()
}
