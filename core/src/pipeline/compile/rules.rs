//! Rules: the conditions on the columns of a row. A rule about one column becomes an expression over it, like a check.

use arrow_array::Array;
use arrow_array::cast::AsArray;

use crate::diagnostic::{Code, Diagnostic};
use crate::expr::{Expr, Name};
use crate::reject::Subject;
use crate::spec::Text;
use crate::stage;
use crate::transform::{OnFail, Rule, Test};
use crate::types::Type;
use crate::value::datetime::iso;

use super::super::file::{CheckSpec, ColumnSpec};
use super::{Compiler, literal, quoted};

impl Compiler<'_> {
    /// `one_of`, `matches`, `min` and `max` are expressions over the column.
    pub(super) fn column_rules(
        &mut self,
        column: &ColumnSpec,
        name: &Name,
        position: usize,
        scope: &[Name],
        rules: &mut Vec<Rule>,
    ) {
        let subject = Subject::Column(name.name.clone());
        let mut rule = |code, test, fact| {
            rules.push(Rule {
                subject: subject.clone(),
                code,
                test,
                fact,
                shown: Some(position),
                on_fail: OnFail::Reject,
            });
        };
        let sql_name = quoted(&name.name);
        if self.spec.stage == stage::Format::Csv && name.ty.is_text() {
            let sql = format!("{sql_name} is distinct from {}", literal(stage::csv::NULL));
            if let Ok((expr, _)) = Expr::compile(&sql, scope) {
                rule(
                    Code::TakenForNull,
                    Test::Holds(expr),
                    format!("is {}, which COPY takes for NULL", stage::csv::NULL),
                );
            }
        }
        let good: Vec<&Text> = column
            .one_of
            .iter()
            .filter(|value| {
                self.compare(&format!("{sql_name} = {}", literal(&value.text)), scope, value, name).is_some()
            })
            .collect();
        self.never_true(column, name.ty, &good);
        if !good.is_empty() {
            let values: Vec<String> = good.iter().map(|value| literal(&value.text)).collect();
            let shown: Vec<&str> = good.iter().map(|value| value.text.as_str()).collect();
            if let Ok((expr, _)) = Expr::compile(&format!("{sql_name} in ({})", values.join(", ")), scope) {
                rule(Code::OneOf, Test::Holds(expr), format!("is not one of {}", shown.join(", ")));
            }
        }
        if let Some(pattern) = &column.matches {
            if name.ty.is_text() {
                match regex::Regex::new(&pattern.text) {
                    Ok(regex) => {
                        let fact = format!("does not match {}", pattern.text);
                        rule(Code::Matches, Test::Matches(position, regex), fact);
                    }
                    Err(error) => {
                        let message =
                            format!("the regular expression cannot be read: {}", last_line(&error.to_string()));
                        self.error(
                            Code::Regex,
                            pattern.span,
                            message,
                            "it is a regular expression: `^[A-Z]{2}-[0-9]+$`; `\\[` is a bracket",
                        );
                    }
                }
            } else {
                let message = format!("`matches` is a rule over text; the column is {}", name.ty);
                self.error(Code::Types, pattern.span, message, "write a check");
            }
        }
        for (bound, sign, fact) in [(&column.min, ">=", "is less than"), (&column.max, "<=", "is greater than")] {
            let Some(bound) = bound else { continue };
            let sql = format!("{sql_name} {sign} {}", literal(&bound.text));
            if let Some(expr) = self.compare(&sql, scope, bound, name) {
                rule(Code::Range, Test::Holds(expr), format!("{fact} {}", bound.text));
            }
        }
    }

    /// Finds values of the file that no row can have: by the column's type, or by its other rules.
    fn never_true(&mut self, column: &ColumnSpec, ty: Type, one_of: &[&Text]) {
        let written = |text: &Text| format!("{}::{}", literal(&text.text), widened(ty));
        let is_false = |sql: String| Expr::compile(&sql, &[]).is_ok_and(|(expr, _)| truth(&expr) == Some(false));
        let is_less = |left: &Text, right: &Text| is_false(format!("{} >= {}", written(left), written(right)));
        if let (Some(min), Some(max)) = (&column.min, &column.max)
            && is_less(max, min)
        {
            let message = format!("`max` is less than `min`, {}, so that no value is let through", min.text);
            self.error(Code::NeverTrueRule, max.span, message, "correct one of the two");
            return;
        }
        let pattern = column.matches.as_ref().filter(|_| ty.is_text());
        let pattern = pattern.and_then(|pattern| regex::Regex::new(&pattern.text).ok());
        for value in one_of {
            let why = match (&column.min, &column.max, &pattern) {
                _ if is_false(format!("{}::{ty} = {}", literal(&value.text), written(value))) => {
                    format!("the column is {ty}, and does not hold it")
                }
                (Some(min), ..) if is_less(value, min) => format!("it is less than `min`, {}", min.text),
                (_, Some(max), _) if is_less(max, value) => format!("it is greater than `max`, {}", max.text),
                (.., Some(pattern)) if !pattern.is_match(&value.text) => format!("it does not match {pattern}"),
                _ => continue,
            };
            let message = format!("`{}` of `one_of` is let through in no row: {why}", value.text);
            self.error(Code::NeverTrueRule, value.span, message, "take it out, or correct what rules it out");
        }
    }

    /// Compiles a comparison of a column with a value of the file; what is wrong is said of the value.
    fn compare(&mut self, sql: &str, scope: &[Name], value: &Text, column: &Name) -> Option<Expr> {
        if let Some(form) = other_than_iso(&value.text, column.ty) {
            let message = format!("`{}` is not a value of type {}", value.text, column.ty);
            self.error(Code::WrongValue, value.span, message, format!("it is written `{form}`"));
            return None;
        }
        match Expr::compile(sql, scope) {
            Ok((expr, _)) => Some(expr),
            Err(_) => {
                let message = format!("`{}` is not a value of type {}", value.text, column.ty);
                self.diagnostics.push(Diagnostic::error(Code::WrongValue, value.span, message));
                None
            }
        }
    }

    /// Which records become rows. A condition that is true for none is a mistake.
    pub(super) fn compile_filter(&mut self) -> Option<Expr> {
        let text = self.spec.filter.as_ref()?;
        let scope = self.fields.clone();
        let condition = self.condition(text, &scope, "`where`")?;
        if condition.constant().is_some() && truth(&condition) != Some(true) {
            self.error(
                Code::NeverTrueRule,
                text.span,
                "`where` is true for no record",
                "compare a field with something",
            );
        }
        Some(condition)
    }

    /// A check sees columns: a name that only a field has is told so. The diagnostics from a position on are those of the check.
    fn tell_of_fields(&mut self, from: usize) {
        for diagnostic in self.diagnostics.iter_mut().skip(from).filter(|one| one.code == Code::UnknownName) {
            let is_named = |field: &&Name| diagnostic.message == format!("there is no `{}` here", field.name);
            if let Some(field) = self.fields.iter().find(is_named) {
                let help = format!("`{0}` is a field, and checks see columns: make it a column, `{0}:`", field.name);
                diagnostic.help = Some(help);
            }
        }
    }

    pub(super) fn check_rules(&mut self, scope: &[Name], rules: &mut Vec<Rule>) {
        for item in &self.spec.checks {
            let Some(CheckSpec { check: Some(condition), on_fail }) = item.right() else { continue };
            let what = format!("the check `{}`", item.name.value);
            let said = self.diagnostics.len();
            let condition_read = self.condition(condition, scope, &what);
            self.tell_of_fields(said);
            let Some(expr) = condition_read else { continue };
            if truth(&expr) == Some(false) {
                let message = format!("{what} is false for every row");
                self.error(Code::NeverTrueRule, condition.span, message, "compare a column with something");
                continue;
            }
            if expr.nullable() {
                let message = format!("{what} holds for a row in which an operand is NULL");
                let warning = Diagnostic::warning(Code::RuleOverNull, condition.span, message)
                    .with_help("make its columns `required`, or write `coalesce(…, false)` if NULL must fail");
                self.diagnostics.push(warning);
            }
            rules.push(Rule {
                subject: Subject::Check(item.name.value.clone()),
                code: Code::Check,
                test: Test::Holds(expr),
                fact: format!("`{}` is false", one_line(&condition.text)),
                shown: None,
                on_fail: *on_fail,
            });
        }
    }
}

/// The form of a day or a time of that type, if the text has another: a field would not take it either.
fn other_than_iso(text: &str, ty: Type) -> Option<&'static str> {
    let text = text.as_bytes();
    let (is_iso, form) = match ty {
        Type::Date => (iso::date(text).is_ok(), "2026-01-31"),
        Type::Timestamp => (iso::timestamp(text).is_ok(), "2026-01-31 14:30:00"),
        Type::Timestamptz => (iso::timestamptz(text, None).is_ok(), "2026-01-31 14:30:00Z"),
        _ => return None,
    };
    (!is_iso).then_some(form)
}

/// What an expression is for every row, if it is the same for all.
fn truth(expr: &Expr) -> Option<bool> {
    let values = expr.constant()?.values;
    let values = values.as_boolean_opt()?;
    values.is_valid(0).then(|| values.value(0))
}

/// The type of a value as it is written, before it is cut or rounded.
fn widened(ty: Type) -> Type {
    match ty {
        Type::Decimal { .. } => Type::Numeric,
        // Its blanks do not count.
        Type::Char(_) => Type::Char(0),
        ty if ty.is_text() => Type::Text,
        ty => ty,
    }
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().last().unwrap_or_default().trim_start_matches("error: ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
