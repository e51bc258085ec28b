//! A spec becomes a pipeline, or all its mistakes. Everything that can fail because of the file fails here.
//!
//! The modules follow the data: fields, columns, rules over the columns, the target; and the parts of all this that make up the
//! identity.

mod columns;
mod fields;
mod formats;
mod identity;
mod rules;
mod target;

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::expr::{Expr, Name};
use crate::spec::{Text, Word};
use crate::transform::Transform;
use crate::types::Type;
use crate::warehouse::WriteMode;

use super::file::Spec;
use super::{Bounds, Pipeline};

/// Checks a pipeline file. Returns the pipeline with its warnings, or every mistake of the file, by place.
pub(super) fn compile(text: &str) -> Result<(Pipeline, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (spec, words, mut diagnostics) = Spec::parse_with_words(text);
    let pipeline = spec.map(|spec| Compiler::new(&spec, &mut diagnostics).pipeline(&words));
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
    /// The fields that are right, as expressions see them, in order.
    fields: Vec<Name>,
    /// Whether a sensitive value is in each of them.
    sensitive: Vec<bool>,
    /// The names of fields and columns that are wrong: that they are missed elsewhere is no mistake of its own.
    wrong: Vec<String>,
}

impl<'a> Compiler<'a> {
    fn new(spec: &'a Spec, diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        let fields = || spec.source.fields.iter().filter_map(|item| Some((item, item.right()?)));
        let names = fields().map(|(item, field)| Name { name: item.name.value.clone(), ty: field.ty, nullable: true });
        let wrong_fields = spec.source.fields.iter().filter(|item| item.is_wrong).map(|item| &item.name.value);
        let wrong_columns = spec.columns.iter().filter(|item| item.is_wrong).map(|item| &item.name.value);
        Self {
            spec,
            diagnostics,
            fields: names.collect(),
            sensitive: fields().map(|(_, field)| field.sensitive).collect(),
            wrong: wrong_fields.chain(wrong_columns).cloned().collect(),
        }
    }

    /// Builds the pipeline as far as it can; it is used only if no error was found.
    fn pipeline(mut self, words: &[Word]) -> Pipeline {
        let spec = self.spec;
        let fields = self.compile_fields();
        self.check_names();
        let filter = self.compile_filter();
        let (columns, known) = self.compile_columns();
        let scope: Vec<Name> = known.iter().map(|(_, name)| name.clone()).collect();
        let mut rules = Vec::new();
        for (position, (column, name)) in known.iter().enumerate() {
            self.column_rules(column, name, position, &scope, &mut rules);
        }
        self.check_rules(&scope, &mut rules);
        let deletes = self.deletes(&scope);
        let table = self.table(&columns);
        Pipeline {
            name: spec.pipeline.clone(),
            description: spec.description.clone(),
            location: spec.source.location.clone(),
            on_overwrite: spec.source.on_overwrite,
            allow_empty: spec.target.allow_empty,
            limits: spec.limits.clone(),
            whole_runs: matches!(table.write, WriteMode::Replace { .. }),
            table,
            stage: spec.stage,
            schedule: spec.schedule.clone(),
            load_every: spec.load_every,
            fingerprint: identity::fingerprint(words),
            bounds: Bounds::default(),
            format: spec.source.format.clone(),
            compression: spec.source.compression.kind,
            expansion: spec.source.compression.expansion,
            encoding: spec.source.encoding,
            contract: spec.source.contract,
            source_names: self.source_names(),
            optional: self.optional_fields(),
            transform: Transform { fields, filter, columns, rules, deletes },
        }
    }

    fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, span, message).with_help(help));
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
        self.wrong.iter().any(|wrong| wrong.eq_ignore_ascii_case(name))
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
}

/// A name as SQL quotes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL quotes it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
