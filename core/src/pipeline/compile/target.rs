//! The target: the table, the write mode, and what the write mode needs of the columns.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::{Expr, Name};
use crate::spec::Spanned;
use crate::transform::Mapping;
use crate::types::Type;
use crate::warehouse::{Dedupe, Layout, Order, Positions, Table, TableColumn, WRITES, Write, WriteMode};

use super::super::file::{OnOverwrite, table_parts};
use super::Compiler;

/// Most columns of a table.
const COLUMNS_MAX: usize = 1600;
/// `_etalon_batch`, `_etalon_offset` and `_etalon_time`.
const LINEAGE_COLUMNS: usize = 3;

impl Compiler<'_> {
    /// Which rows delete their key: `delete_when`.
    pub(super) fn deletes(&mut self, scope: &[Name]) -> Option<Expr> {
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

    /// The table. Where a part of the target is wrong, nothing is said of how it fits the rest.
    pub(super) fn table(&mut self, columns: &[Mapping]) -> Table {
        let target = &self.spec.target;
        let mut write = WriteMode::Append;
        if let Some(said) = &target.write {
            self.misplaced(said.value);
            self.needed(said);
            write = said.value.mode(Positions {
                key: self.key_columns("key", &target.key, columns),
                order_by: self.key_columns("order_by", &target.order_by, columns),
                allow_empty: target.allow_empty,
            });
        }
        self.brings_what_it_writes();
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
        self.comparable(columns);
        self.narrow();
        let (schema, name) = table_parts(&target.table.text);
        let columns = columns
            .iter()
            .map(|mapping| TableColumn { name: mapping.name.clone(), ty: mapping.ty, required: mapping.required })
            .collect();
        let deletes = target.delete_when.is_some();
        let keeps_beaten = self.spec.source.on_overwrite == OnOverwrite::Replace;
        Table { schema, name, columns, write, lineage: target.lineage, deletes, keeps_beaten, dedupe, layout }
    }

    /// Rows that were read before come again from a source that is read as a whole; from one that is read by a cursor they do
    /// not.
    fn brings_what_it_writes(&mut self) {
        let source = &self.spec.source;
        let Some(write) = &self.spec.target.write else { return };
        let (word, span, kind) = (write.value.word, write.span, source.location.kind());
        // Which streams are read whole is said by the manifest, with which the rest is checked.
        if source.location.api().is_some() && !write.value.has_key && !write.value.may_empty {
            let message = format!(
                "`{kind}` brings records again that it has brought, and `write: {word}` would add them once more"
            );
            self.error(Code::Conflict, span, message, "write `merge` with the key of the records, or `replace`");
        }
        let Some(reads) = source.location.reads() else { return };
        match (&reads.incremental, write.value) {
            (Some(_), Write { may_empty: true, .. }) => {
                let message =
                    format!("`write: {word}` takes the place of all rows, and `incremental` reads only what is new");
                self.error(Code::Conflict, span, message, "write `merge`, or leave `incremental` out");
            }
            (None, Write { may_empty: false, has_key: false, .. }) => {
                let message =
                    format!("each run reads all rows of `{kind}`, and `write: {word}` would add them once more");
                self.error(
                    Code::Conflict,
                    span,
                    message,
                    "write `replace` or `merge`, or say what is new: `incremental`",
                );
            }
            _ => {}
        }
    }

    /// No table of PostgreSQL or Redshift has more columns; neither has a work table of a load, in which rows have their lineage and,
    /// where they are ranked, their outcome.
    fn narrow(&mut self) {
        let target = &self.spec.target;
        let write = target.write.as_ref().map(|write| &write.value);
        let lineage = if target.lineage { LINEAGE_COLUMNS } else { 0 };
        let in_table = write.map_or(0, |write| write.own_columns.len()) + lineage;
        let is_ranked = self.spec.dedupe.is_some() || write.is_some_and(|write| write.has_key);
        let in_load = LINEAGE_COLUMNS + usize::from(is_ranked);
        let (own, what) = match in_load > in_table {
            true => (in_load, "a work table of its load"),
            false => (in_table, "the table"),
        };
        let said = self.spec.columns.len();
        if let Some(first) = self.spec.columns.get(COLUMNS_MAX - own) {
            let total = said + own;
            let message =
                format!("{what} would have {total} columns, {own} of them Etalon's own; {COLUMNS_MAX} are the most");
            self.error(Code::WrongValue, first.name.span, message, "leave columns out, or load them into two tables");
        }
    }

    /// What stands in the target and has no meaning for its way of writing.
    fn misplaced(&mut self, write: &Write) {
        let target = &self.spec.target;
        if !write.has_key {
            let names = [("key", target.key.first()), ("order_by", target.order_by.first())];
            let names = names.map(|(what, first)| (what, first.map(|first| first.span)));
            let deletes = ("delete_when", target.delete_when.as_ref().map(|text| text.span));
            for (what, span) in names.into_iter().chain([deletes]) {
                self.no_meaning(what, span, write, |other| other.has_key);
            }
        }
        if !write.may_empty && self.spec.source.on_overwrite != OnOverwrite::Replace {
            self.no_meaning("allow_empty", target.allow_empty_span, write, |other| other.may_empty);
        } else if write.may_empty {
            // A whole run takes the place of all rows, also of those of an earlier version.
            // That the rows of a version take the place of those before is what a whole run does anyway.
            let adds = self.spec.source.on_overwrite == OnOverwrite::Add;
            let place = self.spec.source.on_overwrite_span.filter(|_| adds);
            self.no_meaning("on_overwrite: add", place, write, |other| !other.may_empty);
        }
        if let Some(dedupe) = &self.spec.dedupe
            && write.has_key
        {
            let message = format!("`write: {}` drops rows by the target's `key` already", write.word);
            self.error(Code::Conflict, dedupe.span, message, "leave `dedupe` out");
        }
    }

    fn no_meaning(&mut self, what: &str, span: Option<Span>, write: &Write, has_it: fn(&Write) -> bool) {
        let Some(span) = span else { return };
        let others = WRITES.0.iter().filter(|(_, _, other)| has_it(other)).map(|&(word, _, _)| format!("`{word}`"));
        let others: Vec<String> = others.collect();
        let message = format!("`{what}` has no meaning for `write: {}`", write.word);
        self.error(Code::Conflict, span, message, format!("write {}, or leave it out", others.join(" or ")));
    }

    /// What a way of writing needs: a key and the lineage by which rows are found again, and what orders their versions.
    fn needed(&mut self, write: &Spanned<&Write>) {
        let target = &self.spec.target;
        let (word, span) = (write.value.word, write.span);
        if write.value.has_key && target.key.is_empty() {
            let help = "name the columns that tell rows apart: `key: [order_id]`";
            self.error(Code::MissingKey, span, format!("`write: {word}` needs a `key`"), help);
        }
        if write.value.has_key && !target.lineage {
            let message = format!("`write: {word}` needs the lineage columns, which tell versions of a row apart");
            self.error(Code::Conflict, span, message, "leave `lineage: false` out");
        }
        match (write.value.order, target.order_by.as_slice()) {
            (Order::Wanted, []) => {
                let message = "without `order_by` the load that comes last wins, whatever is newer";
                let warning = Diagnostic::warning(Code::MergeWithoutOrder, span, message)
                    .with_help("name the column that tells which version of a row is newer: `order_by: updated_at`");
                self.diagnostics.push(warning);
            }
            (Order::One, [] | [_, _, ..]) => {
                let help = "name the column that tells since when a version is valid: `order_by: updated_at`";
                match target.order_by.get(1) {
                    None => self.error(Code::MissingKey, span, format!("`write: {word}` needs an `order_by`"), help),
                    Some(second) => {
                        let message = format!("`write: {word}` takes one column in `order_by`");
                        self.error(Code::Conflict, second.span, message, help);
                    }
                }
            }
            _ => {}
        }
        for item in &self.spec.columns {
            if write.value.own_columns.iter().any(|own| item.name.value.eq_ignore_ascii_case(own)) {
                let message = format!("the column `{}` is added by `write: {word}`", item.name.value);
                self.error(Code::Name, item.name.span, message, "give it another name, or leave it out");
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

    /// Rows are told apart, ordered, sorted and distributed by values that can be compared.
    fn comparable(&mut self, columns: &[Mapping]) {
        let target = &self.spec.target;
        let keys = target.key.iter().chain(&target.order_by).chain(&target.sort_key).chain(&target.dist_key);
        let keys = keys.chain(self.spec.dedupe.iter().flat_map(|dedupe| dedupe.key.iter().chain(&dedupe.order_by)));
        for name in keys {
            if columns.iter().any(|mapping| mapping.name == name.value && mapping.ty == Type::Super) {
                let message = format!("`{}` is a super, by which rows are neither told apart nor sorted", name.value);
                let help = "make a column of a value in it: `from: field ->> 'id'`";
                self.error(Code::Conflict, name.span, message, help);
            }
        }
    }

    /// The positions of `key` or `order_by` columns, which must be required.
    fn key_columns(&mut self, what: &str, names: &[Spanned<String>], columns: &[Mapping]) -> Vec<usize> {
        let mut positions = Vec::new();
        for name in names {
            let Some(declared) = self.column_position(name) else { continue };
            let item = &self.spec.columns[declared];
            let is_required = item.value.as_ref().is_some_and(|column| column.required);
            if !is_required && !self.is_wrong_elsewhere(&name.value) {
                let message = format!("`{}` is in `{what}`, so its column must be required", name.value);
                let diagnostic = Diagnostic::error(Code::Conflict, name.span, message)
                    .with_label(item.name.span, "this column may be NULL")
                    .with_help("add `required: true` to the column");
                self.diagnostics.push(diagnostic);
            }
            positions.extend(columns.iter().position(|mapping| mapping.name == name.value));
        }
        positions
    }

    fn column_position(&mut self, name: &Spanned<String>) -> Option<usize> {
        let position = self.spec.columns.iter().position(|item| item.name.value == name.value);
        if position.is_none() {
            let diagnostic =
                Diagnostic::error(Code::UnknownName, name.span, format!("there is no column `{}`", name.value))
                    .with_nearest(&name.value, self.spec.columns.iter().map(|item| item.name.value.as_str()));
            self.diagnostics.push(diagnostic);
        }
        position
    }
}
