//! Expr: SQL scalar expressions. Text is parsed into our own tree, checked against the names in scope, and evaluated over
//! columns.
//!
//! `parse` (the only file that knows the SQL parser) -> `check` (names, types, arguments) -> `evaluate`.

use crate::column::Column;
use crate::diagnostic::Diagnostic;
use crate::types::Type;

/// A name that an expression may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// As written; compared exactly, then without letter case.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// An expression that was checked: it can be evaluated over any batch of its scope.
#[derive(Debug, Clone)]
pub struct Expr {}

/// What the outside supplies to `batch_time()`, `source_name()` and `record_offset()`.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// Microseconds since 1970, UTC.
    pub batch_time: i64,
    /// The object's key or path.
    pub source_name: &'a str,
    /// The byte offset of each row's record.
    pub record_offsets: &'a [u64],
}

impl Expr {
    /// Parses and checks an expression over `scope`. Spans are bytes of `text`.
    ///
    /// Returns the expression with warnings, or every mistake in it.
    pub fn compile(text: &str, scope: &[Name]) -> Result<(Self, Vec<Diagnostic>), Vec<Diagnostic>> {
        todo!()
    }

    /// The type of its values.
    pub fn ty(&self) -> Type {
        todo!()
    }

    /// Whether a value can be NULL.
    pub fn nullable(&self) -> bool {
        todo!()
    }

    /// The positions in `scope` of the names that it uses, ascending.
    pub fn names(&self) -> Vec<usize> {
        todo!()
    }

    /// The value of the expression for each of `rows` rows. `columns` has a column for each name in scope that the
    /// expression uses, at the name's position; others may be `None`.
    pub fn evaluate(&self, columns: &[Option<&Column>], rows: usize, context: &Context<'_>) -> Column {
        todo!()
    }
}
