//! SQL: the few statements that a load needs, as a tree, and the printer.
//!
//! A statement says what is meant; a [`Dialect`] answers how its warehouse says it. Row values are never part of the
//! tree, only parameters are.

use std::fmt;
use std::fmt::Write as _;

use crate::types::Type;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::quote::Identifier;
use crate::warehouse::quote::Word;

/// A statement.
#[derive(Debug, Clone)]
pub(crate) enum Statement {
    CreateTable(CreateTable),
    CreateUniqueIndex { name: Identifier, table: Identifier, columns: Vec<Expr> },
    DropTable { table: Identifier },
    DropIndex { name: Identifier },
    Insert { into: Identifier, columns: Vec<Identifier>, rows: Rows },
    Update { table: Identifier, set: Vec<(Identifier, Expr)>, filter: Expr },
    Delete { from: Identifier, filter: Expr },
    Select(Select),
}

/// What is inserted.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// So many rows of parameters, as many a row as there are columns.
    Parameters(usize),
    Select(Box<Select>),
}

#[derive(Debug, Clone)]
pub(crate) struct CreateTable {
    pub(crate) table: Identifier,
    pub(crate) temporary: bool,
    pub(crate) if_absent: bool,
    pub(crate) columns: Vec<ColumnDefinition>,
    pub(crate) primary_key: Vec<Identifier>,
    pub(crate) unique: Vec<Vec<Identifier>>,
}

#[derive(Debug, Clone)]
pub(crate) struct ColumnDefinition {
    pub(crate) name: Identifier,
    pub(crate) ty: Type,
    pub(crate) required: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Select {
    pub(crate) columns: Vec<(Expr, Option<Identifier>)>,
    pub(crate) from: Option<(Source, Identifier)>,
    pub(crate) joins: Vec<Join>,
    pub(crate) filter: Option<Expr>,
    pub(crate) group_by: Vec<Expr>,
    pub(crate) having: Option<Expr>,
    pub(crate) order_by: Vec<Expr>,
}

#[derive(Debug, Clone)]
pub(crate) enum Source {
    Table(Identifier),
    Select(Box<Select>),
}

#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) left: bool,
    pub(crate) table: Identifier,
    pub(crate) alias: Identifier,
    pub(crate) on: Expr,
}

#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Column(Option<Identifier>, Identifier),
    Parameter(usize),
    Word(&'static str),
    Number(u8),
    Collated(Box<Self>, &'static str),
    Equal(Box<Self>, Box<Self>),
    Less(Box<Self>, Box<Self>),
    /// Equal, or both NULL.
    Same(Box<Self>, Box<Self>),
    Differs(Box<Self>, Box<Self>),
    IsNull(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    In(Box<Self>, Box<Select>),
    NotIn(Box<Self>, Box<Select>),
    Exists(Box<Select>),
    Scalar(Box<Select>),
    Case(Vec<(Self, Self)>, Box<Self>),
    CountRows,
    Min(Box<Self>),
    RowNumber {
        partition: Vec<Self>,
        descending: Vec<Self>,
    },
}

impl Expr {
    pub(crate) fn of(alias: &'static str, column: &Identifier) -> Self {
        Self::Column(Some(Identifier::own(alias)), column.clone())
    }

    pub(crate) fn own(alias: &'static str, column: &'static str) -> Self {
        Self::of(alias, &Identifier::own(column))
    }

    pub(crate) fn bare(column: &'static str) -> Self {
        Self::Column(None, Identifier::own(column))
    }

    pub(crate) fn collated(self, collation: Option<&'static str>) -> Self {
        match collation {
            Some(name) => Self::Collated(Box::new(self), name),
            None => self,
        }
    }

    pub(crate) fn equal(self, other: Self) -> Self {
        Self::Equal(Box::new(self), Box::new(other))
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self::Less(Box::new(self), Box::new(other))
    }

    pub(crate) fn among(self, select: Select) -> Self {
        Self::In(Box::new(self), Box::new(select))
    }
}

/// Prints a statement as a dialect has it.
pub(crate) fn print(statement: &Statement, dialect: Dialect) -> String {
    Printer { dialect, statement }.to_string()
}

struct Printer<'a> {
    dialect: Dialect,
    statement: &'a Statement,
}

impl fmt::Display for Printer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let out = &mut Writer { f, dialect: self.dialect };
        match self.statement {
            Statement::CreateTable(create) => out.create_table(create),
            Statement::CreateUniqueIndex { name, table, columns } => {
                write!(out.f, "CREATE UNIQUE INDEX {name} ON {table} (")?;
                out.list(columns, ", ")?;
                out.f.write_str(")")
            }
            Statement::DropTable { table } => write!(out.f, "DROP TABLE {table}"),
            Statement::DropIndex { name } => write!(out.f, "DROP INDEX {name}"),
            Statement::Insert { into, columns, rows } => {
                write!(out.f, "INSERT INTO {into} ({})", names(columns))?;
                match rows {
                    Rows::Parameters(count) => out.parameters(columns.len(), *count),
                    Rows::Select(select) => {
                        out.f.write_str("\n")?;
                        out.select(select)
                    }
                }
            }
            Statement::Update { table, set, filter } => {
                write!(out.f, "UPDATE {table} SET ")?;
                for (place, (column, value)) in set.iter().enumerate() {
                    write!(out.f, "{}{column} = ", if place == 0 { "" } else { ", " })?;
                    out.expr(value)?;
                }
                out.f.write_str("\nWHERE ")?;
                out.expr(filter)
            }
            Statement::Delete { from, filter } => {
                write!(out.f, "DELETE FROM {from}\nWHERE ")?;
                out.expr(filter)
            }
            Statement::Select(select) => out.select(select),
        }
    }
}

struct Writer<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    dialect: Dialect,
}

impl Writer<'_, '_> {
    fn create_table(&mut self, create: &CreateTable) -> fmt::Result {
        let CreateTable { table, temporary, if_absent, columns, primary_key, unique } = create;
        let kind = if *temporary { "TEMPORARY TABLE" } else { "TABLE" };
        let guard = if *if_absent { "IF NOT EXISTS " } else { "" };
        write!(self.f, "CREATE {kind} {guard}{table} (")?;
        for (place, ColumnDefinition { name, ty, required }) in columns.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            let null = if *required { " NOT NULL" } else { "" };
            write!(self.f, "{separator}\n  {name} {}{null}", self.dialect.column_type(*ty))?;
        }
        if !primary_key.is_empty() {
            write!(self.f, ",\n  PRIMARY KEY ({})", names(primary_key))?;
        }
        for columns in unique {
            write!(self.f, ",\n  UNIQUE ({})", names(columns))?;
        }
        write!(self.f, "\n){}", self.dialect.table_options())
    }

    fn parameters(&mut self, columns: usize, rows: usize) -> fmt::Result {
        for row in 0..rows {
            self.f.write_str(if row == 0 { "\nVALUES (" } else { ",\n  (" })?;
            for column in 0..columns {
                let separator = if column == 0 { "" } else { ", " };
                write!(self.f, "{separator}{}", self.dialect.parameter(row * columns + column + 1))?;
            }
            self.f.write_str(")")?;
        }
        Ok(())
    }

    fn select(&mut self, select: &Select) -> fmt::Result {
        self.f.write_str("SELECT ")?;
        for (place, (value, name)) in select.columns.iter().enumerate() {
            if place > 0 {
                self.f.write_str(", ")?;
            }
            self.expr(value)?;
            if let Some(name) = name {
                write!(self.f, " AS {name}")?;
            }
        }
        if let Some((source, alias)) = &select.from {
            match source {
                Source::Table(table) => write!(self.f, "\nFROM {table} AS {alias}")?,
                Source::Select(inner) => {
                    self.f.write_str("\nFROM (")?;
                    self.select(inner)?;
                    write!(self.f, ") AS {alias}")?;
                }
            }
        }
        for Join { left, table, alias, on } in &select.joins {
            write!(self.f, "\n{} {table} AS {alias} ON ", if *left { "LEFT JOIN" } else { "JOIN" })?;
            self.expr(on)?;
        }
        if let Some(filter) = &select.filter {
            self.f.write_str("\nWHERE ")?;
            self.expr(filter)?;
        }
        if !select.group_by.is_empty() {
            self.f.write_str("\nGROUP BY ")?;
            self.list(&select.group_by, ", ")?;
        }
        if let Some(having) = &select.having {
            self.f.write_str("\nHAVING ")?;
            self.expr(having)?;
        }
        if !select.order_by.is_empty() {
            self.f.write_str("\nORDER BY ")?;
            self.list(&select.order_by, ", ")?;
        }
        Ok(())
    }

    fn list(&mut self, items: &[Expr], separator: &str) -> fmt::Result {
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.f.write_str(separator)?;
            }
            self.expr(item)?;
        }
        Ok(())
    }

    fn pair(&mut self, left: &Expr, operator: &str, right: &Expr) -> fmt::Result {
        self.expr(left)?;
        write!(self.f, " {operator} ")?;
        self.expr(right)
    }

    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match expr {
            Expr::Column(None, column) => write!(self.f, "{column}"),
            Expr::Column(Some(alias), column) => write!(self.f, "{alias}.{column}"),
            Expr::Parameter(number) => self.f.write_str(&self.dialect.parameter(*number)),
            Expr::Word(word) => write!(self.f, "{}", Word(word)),
            Expr::Number(number) => write!(self.f, "{number}"),
            Expr::Collated(inner, collation) => {
                self.expr(inner)?;
                write!(self.f, " COLLATE {collation}")
            }
            Expr::Equal(left, right) => self.pair(left, "=", right),
            Expr::Less(left, right) => self.pair(left, "<", right),
            Expr::Same(left, right) => self.pair(left, self.dialect.same_operator(), right),
            Expr::Differs(left, right) => self.pair(left, "<>", right),
            Expr::IsNull(inner) => {
                self.expr(inner)?;
                self.f.write_str(" IS NULL")
            }
            // Zero conditions all hold, and none of them does.
            Expr::All(parts) if parts.is_empty() => self.f.write_str("1 = 1"),
            Expr::Any(parts) if parts.is_empty() => self.f.write_str("1 = 0"),
            Expr::All(parts) => self.list(parts, " AND "),
            Expr::Any(parts) => {
                self.f.write_str("(")?;
                self.list(parts, " OR ")?;
                self.f.write_str(")")
            }
            Expr::In(value, select) | Expr::NotIn(value, select) => {
                self.expr(value)?;
                self.f.write_str(if matches!(expr, Expr::In(..)) { " IN (" } else { " NOT IN (" })?;
                self.select(select)?;
                self.f.write_str(")")
            }
            Expr::Exists(select) => {
                self.f.write_str("EXISTS (")?;
                self.select(select)?;
                self.f.write_str(")")
            }
            Expr::Scalar(select) => {
                self.f.write_str("(")?;
                self.select(select)?;
                self.f.write_str(")")
            }
            Expr::Case(branches, otherwise) => {
                self.f.write_str("CASE")?;
                for (condition, value) in branches {
                    self.f.write_str("\n  WHEN ")?;
                    self.expr(condition)?;
                    self.f.write_str(" THEN ")?;
                    self.expr(value)?;
                }
                self.f.write_str("\n  ELSE ")?;
                self.expr(otherwise)?;
                self.f.write_str(" END")
            }
            Expr::CountRows => self.f.write_str("count(*)"),
            Expr::Min(inner) => {
                self.f.write_str("min(")?;
                self.expr(inner)?;
                self.f.write_str(")")
            }
            Expr::RowNumber { partition, descending } => {
                self.f.write_str("row_number() OVER (PARTITION BY ")?;
                self.list(partition, ", ")?;
                self.f.write_str(" ORDER BY ")?;
                self.list(descending, " DESC, ")?;
                self.f.write_str(" DESC)")
            }
        }
    }
}

fn names(columns: &[Identifier]) -> String {
    let mut text = String::new();
    for column in columns {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{separator}{column}");
    }
    text
}
