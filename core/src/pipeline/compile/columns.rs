//! Columns: the expression of each column, and the type in the target that its values are put into.

use arrow_array::Array;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expr::{Expr, Name};
use crate::spec::Spanned;
use crate::transform::{Mapping, conform};
use crate::types::Type;

use super::super::file::ColumnSpec;
use super::{Compiler, quoted};

impl<'a> Compiler<'a> {
    /// The columns, and those of them that rules may speak of, with what is known of their values.
    pub(super) fn compile_columns(&mut self) -> (Vec<Mapping>, Vec<(&'a ColumnSpec, Name)>) {
        let mut columns = Vec::new();
        let mut known = Vec::new();
        for item in &self.spec.columns {
            let Some(column) = &item.value else { continue };
            let mapping = self.mapping(&item.name, column, item.is_wrong);
            if mapping.is_none() {
                self.wrong.push(item.name.value.clone());
            }
            // A column whose mapping is wrong is still a name that checks may use, if its type was said.
            let said = || column.ty.as_ref().map(|ty| ty.value);
            if let Some(ty) = mapping.as_ref().map(|mapping| mapping.ty).or_else(said) {
                let nullable = !column.required && mapping.as_ref().is_none_or(|mapping| mapping.from.nullable());
                known.push((column, Name { name: item.name.value.clone(), ty, nullable }));
            }
            columns.extend(mapping);
        }
        (columns, known)
    }

    /// The value of a column, and the type that it is put into.
    fn mapping(&mut self, name: &Spanned<String>, column: &ColumnSpec, is_wrong: bool) -> Option<Mapping> {
        let (from, span) = match &column.from {
            Some(text) => {
                let scope = std::mem::take(&mut self.fields);
                let expr = self.expression(text, &scope);
                self.fields = scope;
                (typed_null(expr?, column), text.span)
            }
            None => (self.field_of_name(name)?, name.span),
        };
        let ty = match &column.ty {
            Some(ty) => {
                let refusal = conform::refusal(from.ty(), ty.value).or_else(|| longer_quotient(&from, ty.value));
                if let Some((message, help)) = refusal {
                    let diagnostic = Diagnostic::error(Code::ColumnType, span, message)
                        .with_label(ty.span, format!("the column is {}", ty.value))
                        .with_help(help);
                    self.diagnostics.push(diagnostic);
                    return None;
                }
                self.storable(ty.value, ty.span)?
            }
            // What is wrong may be the very type.
            None if is_wrong => return None,
            None => self.storable(from.ty(), span)?,
        };
        if column.required && from.constant().is_some_and(|value| value.values.is_null(0)) {
            let message = "its value is always NULL, and the column is required";
            self.error(Code::NeverTrueRule, span, message, "correct the value, or leave `required` out");
            return None;
        }
        // A constant that the column does not hold is one that no row gets past.
        let constant = from.constant().map(|value| conform::put(value, from.ty(), ty));
        if let Some(fault) = constant.as_ref().and_then(|column| column.faults.of(0)) {
            self.diagnostics.push(Diagnostic::error(Code::ColumnType, span, fault.message.to_string()));
            return None;
        }
        let sensitive = from.names().iter().any(|&name| self.sensitive[name]);
        Some(Mapping { name: name.value.clone(), ty, from, required: column.required, sensitive })
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
            Type::Time | Type::Timetz => ("a time of day has no column type", "keep it as text: (…)::varchar(24)"),
            Type::Bytea => ("bytes have no column type", "keep them as text: encode(…, 'hex')"),
            Type::Interval => (
                "an interval has no column type",
                "keep its seconds: extract(epoch from …)::bigint, or its text: (…)::varchar(64)",
            ),
            _ => return Some(ty),
        };
        self.error(Code::ColumnType, span, message, help);
        None
    }
}

/// Why a quotient cannot be put into a column: the fact, and the advice.
fn longer_quotient(from: &Expr, to: Type) -> Option<(String, String)> {
    let (digits, help) = match to {
        Type::Decimal { scale, .. } => (scale, format!("write round(…, {scale})")),
        to if to.is_integer() => (0, format!("write round(…)::{to}")),
        _ => return None,
    };
    let column = if digits == 0 { "none".to_owned() } else { digits.to_string() };
    from.is_longer_quotient(digits)
        .then(|| (format!("a quotient has more digits after the point than its column, which has {column}"), help))
}

/// NULL alone is of the type of its column.
fn typed_null(from: Expr, column: &ColumnSpec) -> Expr {
    let is_null = from.ty() == Type::Text && from.constant().is_some_and(|value| value.values.is_null(0));
    let ty = column.ty.as_ref().filter(|_| is_null);
    let typed = ty.and_then(|ty| Expr::compile(&format!("null::{}", ty.value), &[]).ok());
    typed.map_or(from, |(typed, _)| typed)
}
