//! A spec becomes a pipeline, or all its mistakes. Everything that can fail because of the file fails here.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::expr::{Expr, Name};
use crate::format::{Compression, Contract, CsvFormat, Format, JsonlFormat};
use crate::plan;
use crate::reject::Subject;
use crate::spec::{
    self, ColumnSpec, CompressionSpec, ContractSpec, FormatSpec, OnFail as OnFailSpec, OnOverwrite, Spanned, Spec,
    StageSpec, Text,
};
use crate::stage;
use crate::stage::csv;
use crate::transform::decode::FieldFormat;
use crate::transform::{Field, Mapping, OnFail, Rule, Test, Transform, conform};
use crate::types::Type;
use crate::warehouse::{BATCH_COLUMN, OFFSET_COLUMN, TIME_COLUMN};
use crate::warehouse::{Dedupe, Layout, Table, TableColumn, WriteMode};
use crate::warehouse::{IS_CURRENT_COLUMN, VALID_FROM_COLUMN, VALID_TO_COLUMN};

use super::Pipeline;
use super::formats;

/// Raised when the engine may write other bytes for the same pipeline: the Parquet writer, time-zone data, Unicode tables.
const ENGINE_EPOCH: u32 = 1;

pub(super) fn compile(text: &str) -> Result<(Pipeline, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (spec, mut diagnostics) = Spec::parse(text);
    let pipeline = spec.map(|spec| Compiler::new(&spec, &mut diagnostics).pipeline());
    diagnostics.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    diagnostics.dedup();
    let is_wrong = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    match pipeline {
        Some(pipeline) if !is_wrong => Ok((pipeline, diagnostics)),
        _ => Err(diagnostics),
    }
}

struct Compiler<'a> {
    spec: &'a Spec,
    diagnostics: &'a mut Vec<Diagnostic>,
    fields: Vec<Name>,
    /// Columns whose mapping was found wrong here.
    failed_columns: Vec<String>,
}

impl<'a> Compiler<'a> {
    fn new(spec: &'a Spec, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        let fields = spec
            .source
            .fields
            .iter()
            .map(|field| Name { name: field.name.value.clone(), ty: field.ty, nullable: true })
            .collect();
        Self { spec, diagnostics, fields, failed_columns: Vec::new() }
    }

    /// Builds the pipeline as far as it can; it is used only if no error was found.
    fn pipeline(mut self) -> Pipeline {
        let spec = self.spec;
        let format = format(&spec.source.format);
        let fields = self.fields(&format);
        let filter = spec.filter.as_ref().and_then(|text| {
            let scope = self.fields.clone();
            self.condition(text, &scope, "`where`")
        });
        let mut columns = Vec::new();
        let mut known = Vec::new();
        for column in &spec.columns {
            let mapping = self.mapping(column);
            if mapping.is_none() {
                self.failed_columns.push(column.name.value.clone());
            }
            // A column whose mapping is wrong is still a name that checks may use, if its type was said.
            if let Some(ty) =
                mapping.as_ref().map(|mapping| mapping.ty).or_else(|| column.ty.as_ref().map(|ty| ty.value))
            {
                let nullable = !column.required && mapping.as_ref().is_none_or(|mapping| mapping.from.nullable());
                known.push((column, Name { name: column.name.value.clone(), ty, nullable }, mapping.is_some()));
            }
            columns.extend(mapping);
        }
        let scope: Vec<Name> = known.iter().map(|(_, name, _)| name.clone()).collect();
        let mut rules = Vec::new();
        for (position, (column, name, _)) in known.iter().enumerate() {
            self.column_rules(column, name, position, &scope, &mut rules);
        }
        self.check_rules(&scope, &mut rules);
        let deletes = self.deletes(&scope);
        let table = self.table(&columns);
        Pipeline {
            name: spec.pipeline.value.clone(),
            description: spec.description.clone(),
            location: spec.source.location.clone(),
            on_overwrite: self.on_overwrite(),
            limits: spec.limits.clone(),
            whole_runs: matches!(table.write, WriteMode::Replace { .. }),
            table,
            stage: match spec.stage {
                StageSpec::Parquet => stage::Format::Parquet,
                StageSpec::Csv => stage::Format::Csv,
            },
            schedule: spec.schedule.as_ref().map(|schedule| schedule.value.clone()),
            fingerprint: fingerprint(spec),
            range_bytes: plan::RANGE_BYTES,
            format,
            compression: spec.source.compression.as_ref().and_then(|compression| match compression.value {
                CompressionSpec::Auto => None,
                CompressionSpec::None => Some(Compression::None),
                CompressionSpec::Gzip => Some(Compression::Gzip),
            }),
            contract: match spec.source.contract {
                ContractSpec::Ignore => Contract::Ignore,
                ContractSpec::Quarantine => Contract::Quarantine,
                ContractSpec::Fail => Contract::Fail,
            },
            source_names: spec.source.fields.iter().map(|field| field.source_name.clone()).collect(),
            transform: Transform { fields, filter, columns, rules, deletes },
        }
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, span, message).with_help(help));
    }

    fn fields(&mut self, format: &Format) -> Vec<Field> {
        let in_json = format.values_are_json();
        let mut fields = Vec::new();
        for field in &self.spec.source.fields {
            let field_format = match &field.format {
                None if in_json && field.ty == Type::Super => Ok(FieldFormat::Json),
                None => Ok(FieldFormat::Usual),
                Some(said) => formats::field_format(&said.value, field.ty, field.utc, in_json)
                    .map_err(|wrong| self.diagnostics.push(wrong.at(said.span))),
            };
            fields.push(Field {
                name: field.name.value.clone(),
                ty: field.ty,
                format: field_format.unwrap_or(FieldFormat::Usual),
                nulls: format.nulls().to_vec(),
                utc: field.utc,
                sensitive: field.sensitive,
            });
        }
        fields
    }

    /// Compiles an expression; its diagnostics get their place in the file.
    fn expression(&mut self, text: &Text, scope: &[Name]) -> Option<Expr> {
        match Expr::compile(&text.text, scope) {
            Ok((expr, warnings)) => {
                self.place(text, warnings);
                Some(expr)
            }
            Err(errors) => {
                self.place(text, errors);
                None
            }
        }
    }

    /// Gives diagnostics of an expression their place in the file. That a name is unknown is not said again where the field
    /// or column of that name is wrong itself.
    fn place(&mut self, text: &Text, diagnostics: Vec<Diagnostic>) {
        for mut diagnostic in diagnostics {
            let named = text.text.get(diagnostic.span.start..diagnostic.span.end).unwrap_or_default();
            if diagnostic.code == Code::UnknownName && self.is_wrong_elsewhere(named.trim_matches('"')) {
                continue;
            }
            diagnostic.span = text.span_of(diagnostic.span);
            for label in &mut diagnostic.labels {
                label.span = text.span_of(label.span);
            }
            self.diagnostics.push(diagnostic);
        }
    }

    fn is_wrong_elsewhere(&self, name: &str) -> bool {
        let mut wrong = self.spec.wrong_fields.iter().chain(&self.spec.wrong_columns).chain(&self.failed_columns);
        wrong.any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Compiles an expression that must be true or false.
    fn condition(&mut self, text: &Text, scope: &[Name], what: &str) -> Option<Expr> {
        let expr = self.expression(text, scope)?;
        if expr.ty() == Type::Boolean {
            return Some(expr);
        }
        let message = format!("{what} is of type {}, not boolean", expr.ty());
        self.error(Code::Types, text.span, message, "compare it with something");
        None
    }

    fn mapping(&mut self, column: &ColumnSpec) -> Option<Mapping> {
        let (from, span) = match &column.from {
            Some(text) => {
                let scope = std::mem::take(&mut self.fields);
                let expr = self.expression(text, &scope);
                self.fields = scope;
                (expr?, text.span)
            }
            None => (self.field_of_name(&column.name)?, column.name.span),
        };
        let ty = match &column.ty {
            Some(ty) => {
                if let Some((message, help)) = conform::refusal(from.ty(), ty.value) {
                    let diagnostic = Diagnostic::error(Code::ColumnType, span, message)
                        .with_label(ty.span, format!("the column is {}", ty.value))
                        .with_help(help);
                    self.diagnostics.push(diagnostic);
                    return None;
                }
                self.storable(ty.value, ty.span)?
            }
            None => self.storable(from.ty(), span)?,
        };
        let sensitive = from.names().iter().any(|&name| self.spec.source.fields[name].sensitive);
        Some(Mapping { name: column.name.value.clone(), ty, from, required: column.required, sensitive })
    }

    /// The expression that a column without `from` means: the field of its name.
    fn field_of_name(&mut self, name: &Spanned<String>) -> Option<Expr> {
        let exact = self.fields.iter().find(|field| field.name == name.value);
        let found = exact.or_else(|| self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(&name.value)));
        let Some(found) = found else {
            if self.is_wrong_elsewhere(&name.value) {
                return None;
            }
            let message = format!("there is no field `{}` for the column of that name", name.value);
            let diagnostic = Diagnostic::error(Code::UnknownName, name.span, message)
                .with_help("say where its value comes from: `from: <expression>`")
                .with_nearest(&name.value, self.fields.iter().map(|field| field.name.as_str()));
            self.diagnostics.push(diagnostic);
            return None;
        };
        Expr::compile(&quoted(&found.name), &self.fields).ok().map(|(expr, _)| expr)
    }

    /// The type, if a table can have a column of it.
    fn storable(&mut self, ty: Type, span: Span) -> Option<Type> {
        let (message, help) = match ty {
            Type::Text => (
                "a column of text needs a length",
                "say `type: varchar(n)`, n in bytes; Redshift takes a varchar without a length as varchar(256)",
            ),
            Type::Numeric => (
                "the digits after the point vary from row to row, and a column's do not",
                "write round(…, 2), say, and `type: decimal(12,2)`",
            ),
            Type::Time => ("a time of day has no column type", "keep it as text: (…)::varchar(15)"),
            Type::Interval => (
                "an interval has no column type",
                "keep its seconds: extract(epoch from …)::bigint, or its text: (…)::varchar(64)",
            ),
            _ => return Some(ty),
        };
        self.error(Code::ColumnType, span, message, help);
        None
    }

    /// `one_of`, `matches`, `min` and `max` are expressions over the column.
    fn column_rules(
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
        if self.spec.stage == StageSpec::Csv && name.ty.is_text() {
            let sql = format!("{sql_name} is distinct from {}", literal(csv::NULL));
            if let Ok((expr, _)) = Expr::compile(&sql, scope) {
                rule(Code::TakenForNull, Test::Holds(expr), format!("is {}, which COPY takes for NULL", csv::NULL));
            }
        }
        if let Some(list) = &column.one_of {
            let good: Vec<&Text> = list
                .value
                .iter()
                .filter(|value| {
                    self.compare(&format!("{sql_name} = {}", literal(&value.text)), scope, value, name).is_some()
                })
                .collect();
            let values: Vec<String> = good.iter().map(|value| literal(&value.text)).collect();
            let shown: Vec<&str> = good.iter().map(|value| value.text.as_str()).collect();
            if !values.is_empty() {
                let sql = format!("{sql_name} in ({})", values.join(", "));
                if let Ok((expr, _)) = Expr::compile(&sql, scope) {
                    rule(Code::OneOf, Test::Holds(expr), format!("is not one of {}", shown.join(", ")));
                }
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
                        self.error(Code::Regex, pattern.span, message, "the syntax is that of Rust's regex crate");
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

    /// Compiles a comparison of a column with a value of the file; what is wrong is said of the value.
    fn compare(&mut self, sql: &str, scope: &[Name], value: &Text, column: &Name) -> Option<Expr> {
        match Expr::compile(sql, scope) {
            Ok((expr, _)) => Some(expr),
            Err(_) => {
                let message = format!("`{}` is not a value of type {}", value.text, column.ty);
                self.diagnostics.push(Diagnostic::error(Code::WrongValue, value.span, message));
                None
            }
        }
    }

    fn check_rules(&mut self, scope: &[Name], rules: &mut Vec<Rule>) {
        for check in &self.spec.checks {
            let what = format!("the check `{}`", check.name.value);
            let Some(expr) = self.condition(&check.check, scope, &what) else { continue };
            if expr.nullable() {
                let message = format!("{what} holds for a row in which an operand is NULL");
                let warning = Diagnostic::warning(Code::RuleOverNull, check.check.span, message)
                    .with_help("make its columns `required`, or write `coalesce(…, false)` if NULL must fail");
                self.diagnostics.push(warning);
            }
            rules.push(Rule {
                subject: Subject::Check(check.name.value.clone()),
                code: Code::Check,
                test: Test::Holds(expr),
                fact: format!("`{}` is false", one_line(&check.check.text)),
                shown: None,
                on_fail: match check.on_fail {
                    OnFailSpec::Reject => OnFail::Reject,
                    OnFailSpec::Warn => OnFail::Warn,
                    OnFailSpec::Fail => OnFail::Fail,
                },
            });
        }
    }

    /// Which rows delete their key: `delete_when`.
    fn deletes(&mut self, scope: &[Name]) -> Option<Expr> {
        let text = self.spec.target.delete_when.as_ref()?;
        let expr = self.condition(text, scope, "`delete_when`")?;
        if expr.nullable() {
            let message = "a row for which `delete_when` is NULL deletes nothing";
            let warning = Diagnostic::warning(Code::DeleteOverNull, text.span, message)
                .with_help("write `coalesce(…, true)` if such a row deletes too, else `coalesce(…, false)`");
            self.diagnostics.push(warning);
        }
        Some(expr)
    }

    fn table(&mut self, columns: &[Mapping]) -> Table {
        let target = &self.spec.target;
        let (key, order_by) = ((&target.key, "key"), (&target.order_by, "order_by"));
        self.misplaced_in_target();
        let write = match target.write.value {
            spec::Write::Append => WriteMode::Append,
            spec::Write::Replace => {
                let allow_empty = target.allow_empty.as_ref().is_some_and(|allow| allow.value);
                WriteMode::Replace { allow_empty }
            }
            spec::Write::Merge => {
                self.needs_key("merge");
                if target.order_by.is_empty() {
                    let message = "without `order_by` the load that comes last wins, whatever is newer";
                    let warning = Diagnostic::warning(Code::MergeWithoutOrder, target.write.span, message).with_help(
                        "name the column that tells which version of a row is newer: `order_by: updated_at`",
                    );
                    self.diagnostics.push(warning);
                }
                WriteMode::Merge {
                    key: self.key_columns(key.1, key.0, columns),
                    order_by: self.key_columns(order_by.1, order_by.0, columns),
                }
            }
            spec::Write::Scd2 => {
                self.needs_key("scd2");
                self.scd2_order();
                let key = self.key_columns(key.1, key.0, columns);
                let order_by = self.key_columns(order_by.1, order_by.0, columns);
                WriteMode::Scd2 { key, order_by: order_by.first().copied().unwrap_or_default() }
            }
        };
        if !target.lineage && self.spec.source.on_overwrite == OnOverwrite::Replace {
            let message = "`on_overwrite: replace` finds the old rows by the lineage columns";
            self.error(Code::Conflict, target.span, message, "leave `lineage: false` out");
        }
        let mut position = |name| {
            self.column_position(name)?;
            columns.iter().position(|mapping| mapping.name == name.value)
        };
        let layout = Layout {
            sort_key: target.sort_key.iter().filter_map(&mut position).collect(),
            dist_key: target.dist_key.as_ref().and_then(&mut position),
        };
        let dedupe = self.dedupe(columns);
        let keys = target.key.iter().chain(&target.order_by).chain(&target.sort_key).chain(&target.dist_key);
        let keys = keys.chain(self.spec.dedupe.iter().flat_map(|dedupe| dedupe.key.iter().chain(&dedupe.order_by)));
        for name in keys {
            if columns.iter().any(|mapping| mapping.name == name.value && mapping.ty == Type::Super) {
                let message = format!("`{}` is a super, by which rows are neither told apart nor sorted", name.value);
                self.error(
                    Code::Conflict,
                    name.span,
                    message,
                    "make a column of a value in it: `from: field ->> 'id'`",
                );
            }
        }
        let (schema, name) = match target.table.text.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name.to_owned()),
            None => (None, target.table.text.clone()),
        };
        let columns = columns
            .iter()
            .map(|mapping| TableColumn { name: mapping.name.clone(), ty: mapping.ty, required: mapping.required })
            .collect();
        let deletes = target.delete_when.is_some();
        Table { schema, name, columns, write, lineage: target.lineage, deletes, dedupe, layout }
    }

    /// What stands in the target and has no meaning for its way of writing.
    fn misplaced_in_target(&mut self) {
        let target = &self.spec.target;
        let (write, has_key) = match target.write.value {
            spec::Write::Append => ("append", false),
            spec::Write::Replace => ("replace", false),
            spec::Write::Merge => ("merge", true),
            spec::Write::Scd2 => ("scd2", true),
        };
        if !has_key {
            let names = [("key", target.key.first()), ("order_by", target.order_by.first())];
            let names = names.map(|(what, first)| (what, first.map(|first| first.span)));
            let deletes = ("delete_when", target.delete_when.as_ref().map(|text| text.span));
            for (what, span) in names.into_iter().chain([deletes]) {
                let Some(span) = span else { continue };
                let message = format!("`{what}` has no meaning for `write: {write}`");
                self.error(Code::Conflict, span, message, "write `merge` or `scd2`, or leave it out");
            }
        }
        if let Some(allow) = &target.allow_empty
            && target.write.value != spec::Write::Replace
        {
            let message = format!("`allow_empty` has no meaning for `write: {write}`");
            self.error(Code::Conflict, allow.span, message, "write `replace`, or leave it out");
        }
        if let Some(dedupe) = &self.spec.dedupe
            && has_key
        {
            let message = format!("`write: {write}` drops rows by the target's `key` already");
            self.error(Code::Conflict, dedupe.span, message, "leave `dedupe` out");
        }
    }

    /// A way of writing by which rows are found again.
    fn needs_key(&mut self, write: &str) {
        let target = &self.spec.target;
        if target.key.is_empty() {
            let help = "name the columns that tell rows apart: `key: [order_id]`";
            self.error(Code::MissingKey, target.write.span, format!("`write: {write}` needs a `key`"), help);
        }
        if !target.lineage {
            let help = "leave `lineage: false` out";
            let message = format!("`write: {write}` needs the lineage columns, which tell versions of a row apart");
            self.error(Code::Conflict, target.write.span, message, help);
        }
    }

    /// The versions of a key follow each other by one column, from which the columns that are added take their type.
    fn scd2_order(&mut self) {
        let target = &self.spec.target;
        let help = "name the column that tells since when a version is valid: `order_by: updated_at`";
        match target.order_by.as_slice() {
            [_] => {}
            [] => self.error(Code::MissingKey, target.write.span, "`write: scd2` needs an `order_by`", help),
            [_, second, ..] => {
                self.error(Code::Conflict, second.span, "`write: scd2` takes one column in `order_by`", help);
            }
        }
        for column in &self.spec.columns {
            if [VALID_FROM_COLUMN, VALID_TO_COLUMN, IS_CURRENT_COLUMN]
                .iter()
                .any(|own| column.name.value.eq_ignore_ascii_case(own))
            {
                let message = format!("the column `{}` is added by `write: scd2`", column.name.value);
                self.error(Code::Name, column.name.span, message, "give it another name, or leave it out");
            }
        }
    }

    fn dedupe(&mut self, columns: &[Mapping]) -> Option<Dedupe> {
        let dedupe = self.spec.dedupe.as_ref()?;
        Some(Dedupe {
            key: self.key_columns("key", &dedupe.key, columns),
            order_by: self.key_columns("order_by", &dedupe.order_by, columns),
            last: dedupe.last,
        })
    }

    fn on_overwrite(&self) -> OnOverwrite {
        self.spec.source.on_overwrite
    }

    /// The positions of `key` or `order_by` columns, which must be required.
    fn key_columns(&mut self, what: &str, names: &[Spanned<String>], columns: &[Mapping]) -> Vec<usize> {
        let mut positions = Vec::new();
        for name in names {
            let Some(declared) = self.column_position(name) else { continue };
            let column = &self.spec.columns[declared];
            if !column.required && !self.is_wrong_elsewhere(&name.value) {
                let message = format!("`{}` is in `{what}`, so its column must be required", name.value);
                let diagnostic = Diagnostic::error(Code::Conflict, name.span, message)
                    .with_label(column.name.span, "this column may be NULL")
                    .with_help("add `required: true` to the column");
                self.diagnostics.push(diagnostic);
            }
            positions.extend(columns.iter().position(|mapping| mapping.name == name.value));
        }
        positions
    }

    fn column_position(&mut self, name: &Spanned<String>) -> Option<usize> {
        let position = self.spec.columns.iter().position(|column| column.name.value == name.value);
        if position.is_none() {
            let diagnostic =
                Diagnostic::error(Code::UnknownName, name.span, format!("there is no column `{}`", name.value))
                    .with_nearest(&name.value, self.spec.columns.iter().map(|column| column.name.value.as_str()));
            self.diagnostics.push(diagnostic);
        }
        position
    }
}

/// A name as SQL quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL quotes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn last_line(text: &str) -> &str {
    text.trim_end().lines().last().unwrap_or_default().trim_start_matches("error: ")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn format(spec: &FormatSpec) -> Format {
    match spec {
        FormatSpec::Jsonl => Format::Jsonl(JsonlFormat),
        FormatSpec::Csv(csv) => Format::Csv(CsvFormat {
            header: csv.header,
            delimiter: csv.delimiter,
            quote: csv.quote,
            comment: csv.comment,
            skip_lines: csv.skip_lines,
            nulls: csv.nulls.clone(),
            fill_record: csv.fill_record,
            newlines_in_values: csv.newlines_in_values,
        }),
    }
}

/// What can change output bytes, as one name: not the description, the schedule, the limits or the target's layout.
/// `${…}` stands in the source's and target's strings only, which are not part of it.
fn fingerprint(spec: &Spec) -> String {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    let mut say = |key: String, value: String| {
        said.insert(key, value);
    };
    let source = &spec.source;
    say("engine".to_owned(), ENGINE_EPOCH.to_string());
    say("format".to_owned(), format!("{:?}", source.format));
    say("compression".to_owned(), format!("{:?}", source.compression.as_ref().map(|compression| compression.value)));
    if spec.stage != StageSpec::Parquet {
        say("stage".to_owned(), format!("{:?}", spec.stage));
    }
    say("contract".to_owned(), format!("{:?}", source.contract));
    for (position, field) in source.fields.iter().enumerate() {
        let format = field.format.as_ref().map(|format| &format.value);
        say(
            format!("field {position:05}"),
            format!(
                "{} {} {} {format:?} {} {}",
                field.name.value, field.source_name, field.ty, field.utc, field.sensitive
            ),
        );
    }
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.text.clone());
    say("where".to_owned(), format!("{:?}", text(&spec.filter)));
    for (position, column) in spec.columns.iter().enumerate() {
        let one_of: Option<Vec<&str>> =
            column.one_of.as_ref().map(|list| list.value.iter().map(|value| value.text.as_str()).collect());
        say(
            format!("column {position:05}"),
            format!(
                "{} {:?} {:?} {} {one_of:?} {:?} {:?} {:?}",
                column.name.value,
                text(&column.from),
                column.ty.as_ref().map(|ty| ty.value.to_string()),
                column.required,
                text(&column.matches),
                text(&column.min),
                text(&column.max)
            ),
        );
    }
    for (position, check) in spec.checks.iter().enumerate() {
        let said = format!("{} {:?} {:?}", check.name.value, check.check.text, check.on_fail);
        say(format!("check {position:05}"), said);
    }
    let names = |names: &[Spanned<String>]| -> Vec<String> { names.iter().map(|name| name.value.clone()).collect() };
    if let Some(dedupe) = &spec.dedupe {
        say("dedupe".to_owned(), format!("{:?} {:?} {}", names(&dedupe.key), names(&dedupe.order_by), dedupe.last));
    }
    // It is a column of what is staged.
    if let Some(delete_when) = &spec.target.delete_when {
        say("delete_when".to_owned(), delete_when.text.clone());
    }
    say("lineage".to_owned(), format!("{} {BATCH_COLUMN} {OFFSET_COLUMN} {TIME_COLUMN}", spec.target.lineage));
    let parts: Vec<String> = said.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    plan::identity("fingerprint", &parts.iter().map(String::as_str).collect::<Vec<_>>())
}
