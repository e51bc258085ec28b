//! Print: writes a statement in a dialect, with the parameters that it uses.

use std::fmt;
use std::fmt::Write as _;

use super::Command;
use super::CreateTable;
use super::Expr;
use super::Join;
use super::JoinKind;
use super::Rows;
use super::Select;
use super::Source;
use crate::sql::quote::Identifier;
use crate::sql::quote::Word;
use crate::types::Type;
use crate::warehouse::dialect::Dialect;
use crate::warehouse::statement::Parameter;
use crate::warehouse::statement::Statement;

impl Command {
    /// The statement that a dialect has for it.
    pub(crate) fn statement(&self, what: &'static str, dialect: &Dialect) -> Statement {
        let mut writer = Writer { out: String::new(), parameters: Vec::new(), dialect };
        // Writing to a string cannot fail.
        let _ = writer.command(self);
        Statement { sql: writer.out, parameters: writer.parameters, what }
    }
}

struct Writer<'a> {
    out: String,
    parameters: Vec<Parameter>,
    dialect: &'a Dialect,
}

impl Writer<'_> {
    fn command(&mut self, command: &Command) -> fmt::Result {
        match command {
            Command::CreateSchema(name) => write!(self.out, "CREATE SCHEMA IF NOT EXISTS {name}"),
            Command::CreateTable(create) => self.create_table(create),
            Command::CreateUniqueIndex { name, table, columns } => {
                write!(self.out, "CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {table} (")?;
                for (place, column) in columns.iter().enumerate() {
                    self.out.write_str(if place == 0 { "" } else { ", " })?;
                    let is_column = matches!(column, Expr::Column(..));
                    self.wrapped(column, self.dialect.wraps_index_expressions && !is_column)?;
                }
                self.out.write_str(")")
            }
            Command::DropTables(tables) => {
                let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
                write!(self.out, "DROP TABLE {}", tables.join(", "))
            }
            Command::DropIndex(name) => write!(self.out, "DROP INDEX {name}"),
            Command::AddColumn(table, column) => {
                let ty = (self.dialect.column_type)(column.ty);
                write!(self.out, "ALTER TABLE {table} ADD COLUMN {} {ty}", column.name)
            }
            Command::Widen { table, column, ty } => {
                write!(self.out, "ALTER TABLE {table} ALTER COLUMN {column} TYPE {}", (self.dialect.column_type)(*ty))
            }
            Command::DropNotNull { table, column } => {
                write!(self.out, "ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL")
            }
            Command::Lock(table) => write!(self.out, "LOCK TABLE {table}"),
            Command::Insert { into, columns, rows } => {
                write!(self.out, "INSERT INTO {into} ({})", names(columns))?;
                match rows {
                    Rows::Values(rows) => self.values(rows),
                    Rows::Bound(rows) => self.bound(columns.len(), *rows),
                    Rows::Select(select) => {
                        self.out.write_str("\n")?;
                        self.select(select)
                    }
                }
            }
            Command::Update { table, set, from, filter } => {
                write!(self.out, "UPDATE {table} SET ")?;
                for (place, (column, value)) in set.iter().enumerate() {
                    write!(self.out, "{}{column} = ", if place == 0 { "" } else { ", " })?;
                    self.expr(value)?;
                }
                if let Some((source, alias)) = from {
                    self.out.write_str("\nFROM ")?;
                    self.source(source, alias)?;
                }
                self.out.write_str("\nWHERE ")?;
                self.expr(filter)
            }
            Command::Delete { from, using, filter } => {
                write!(self.out, "DELETE FROM {from}")?;
                if let Some(using) = using {
                    write!(self.out, "\nUSING {using}")?;
                }
                if let Some(filter) = filter {
                    self.out.write_str("\nWHERE ")?;
                    self.expr(filter)?;
                }
                Ok(())
            }
            Command::Select(select) => self.select(select),
        }
    }

    fn create_table(&mut self, create: &CreateTable) -> fmt::Result {
        let kind = if create.temporary { "TEMPORARY TABLE" } else { "TABLE" };
        let guard = if create.if_absent { "IF NOT EXISTS " } else { "" };
        write!(self.out, "CREATE {kind} {guard}{} (", create.table)?;
        for (place, column) in create.columns.iter().enumerate() {
            let separator = if place == 0 { "" } else { "," };
            let null = if column.required { " NOT NULL" } else { "" };
            write!(self.out, "{separator}\n  {} {}{null}", column.name, (self.dialect.column_type)(column.ty))?;
        }
        if self.dialect.enforces_keys {
            if !create.primary_key.is_empty() {
                write!(self.out, ",\n  PRIMARY KEY ({})", names(&create.primary_key))?;
            }
            for columns in &create.unique {
                write!(self.out, ",\n  UNIQUE ({})", names(columns))?;
            }
        }
        write!(self.out, "\n){}", self.dialect.table_options)?;
        if self.dialect.has_layout {
            if let Some(column) = &create.dist_key {
                write!(self.out, " DISTKEY ({column})")?;
            }
            if !create.sort_key.is_empty() {
                write!(self.out, " SORTKEY ({})", names(&create.sort_key))?;
            }
        }
        Ok(())
    }

    fn values(&mut self, rows: &[Vec<Expr>]) -> fmt::Result {
        for (place, row) in rows.iter().enumerate() {
            self.out.write_str(if place == 0 { "\nVALUES (" } else { ",\n  (" })?;
            self.list(row, ", ")?;
            self.out.write_str(")")?;
        }
        Ok(())
    }

    fn bound(&mut self, columns: usize, rows: usize) -> fmt::Result {
        for row in 0..rows {
            self.out.write_str(if row == 0 { "\nVALUES (" } else { ",\n  (" })?;
            for column in 0..columns {
                let separator = if column == 0 { "" } else { ", " };
                write!(self.out, "{separator}{}", (self.dialect.parameter)("", row * columns + column + 1))?;
            }
            self.out.write_str(")")?;
        }
        Ok(())
    }

    fn select(&mut self, select: &Select) -> fmt::Result {
        self.out.write_str("SELECT ")?;
        for (place, (value, name)) in select.columns.iter().enumerate() {
            if place > 0 {
                self.out.write_str(", ")?;
            }
            self.expr(value)?;
            if let Some(name) = name {
                write!(self.out, " AS {name}")?;
            }
        }
        if let Some((source, alias)) = &select.from {
            self.out.write_str("\nFROM ")?;
            self.source(source, alias)?;
        }
        for Join { kind, source, alias, on } in &select.joins {
            self.out.write_str(match kind {
                JoinKind::Inner => "\nJOIN ",
                JoinKind::Left => "\nLEFT JOIN ",
                JoinKind::Full => "\nFULL JOIN ",
            })?;
            self.source(source, alias)?;
            self.out.write_str(" ON ")?;
            self.expr(on)?;
        }
        if let Some(filter) = &select.filter {
            self.out.write_str("\nWHERE ")?;
            self.expr(filter)?;
        }
        if !select.group_by.is_empty() {
            self.out.write_str("\nGROUP BY ")?;
            self.list(&select.group_by, ", ")?;
        }
        if let Some(having) = &select.having {
            self.out.write_str("\nHAVING ")?;
            self.expr(having)?;
        }
        if !select.order_by.is_empty() {
            self.out.write_str("\nORDER BY ")?;
            self.list(&select.order_by, ", ")?;
        }
        Ok(())
    }

    fn source(&mut self, source: &Source, alias: &Identifier) -> fmt::Result {
        match source {
            Source::Table(table) => write!(self.out, "{table} AS {alias}"),
            Source::Selects(selects) => {
                self.out.write_str("(")?;
                for (place, select) in selects.iter().enumerate() {
                    self.out.write_str(if place == 0 { "" } else { "\nUNION ALL\n" })?;
                    self.select(select)?;
                }
                write!(self.out, ") AS {alias}")
            }
        }
    }

    fn list(&mut self, items: &[Expr], separator: &str) -> fmt::Result {
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                self.out.write_str(separator)?;
            }
            self.expr(item)?;
        }
        Ok(())
    }

    fn pair(&mut self, left: &Expr, operator: &str, right: &Expr) -> fmt::Result {
        self.expr(left)?;
        write!(self.out, " {operator} ")?;
        self.expr(right)
    }

    fn wrapped(&mut self, expr: &Expr, parentheses: bool) -> fmt::Result {
        self.out.write_str(if parentheses { "(" } else { "" })?;
        self.expr(expr)?;
        self.out.write_str(if parentheses { ")" } else { "" })
    }

    fn expr(&mut self, expr: &Expr) -> fmt::Result {
        match expr {
            Expr::Column(None, column) => write!(self.out, "{column}"),
            Expr::Column(Some(table), column) => write!(self.out, "{table}.{column}"),
            Expr::Parameter { name, value, ty } => self.parameter(name, value, *ty),
            Expr::Word(word) => write!(self.out, "{}", Word(word)),
            Expr::Number(number) => write!(self.out, "{number}"),
            Expr::Boolean(value) => self.out.write_str(if *value { "TRUE" } else { "FALSE" }),
            Expr::Condition(sql) => write!(self.out, "({sql})"),
            Expr::Key(inner, ty) => self.collated(inner, ty.is_text(), (self.dialect.key_collation)(*ty)),
            Expr::Order(inner, ty) => self.collated(inner, ty.is_text(), (self.dialect.order_collation)(*ty)),
            Expr::Stored(inner, ty) => match self.dialect.parser_of(*ty) {
                Some(parser) => {
                    write!(self.out, "{parser}(")?;
                    self.expr(inner)?;
                    self.out.write_str(")")
                }
                None => self.expr(inner),
            },
            Expr::Bytes(inner) => self.collated(inner, false, self.dialect.bytes_collation),
            Expr::InstantText(inner) => {
                let (before, after) = self.dialect.instant_text;
                self.out.write_str(before)?;
                self.expr(inner)?;
                self.out.write_str(after)
            }
            Expr::Equal(left, right) => self.pair(left, "=", right),
            Expr::Less(left, right) => self.pair(left, "<", right),
            Expr::Differs(left, right) => self.pair(left, "<>", right),
            Expr::Same(left, right) if self.dialect.has_null_safe_is => self.pair(left, "IS", right),
            Expr::Same(left, right) => {
                self.out.write_str("(")?;
                self.pair(left, "=", right)?;
                self.out.write_str(" OR (")?;
                self.expr(left)?;
                self.out.write_str(" IS NULL AND ")?;
                self.expr(right)?;
                self.out.write_str(" IS NULL))")
            }
            Expr::IsNull(inner) => {
                self.expr(inner)?;
                self.out.write_str(" IS NULL")
            }
            Expr::IsNotNull(inner) => {
                self.expr(inner)?;
                self.out.write_str(" IS NOT NULL")
            }
            Expr::Plus(left, right) => self.pair(left, "+", right),
            Expr::Minus(left, right) => self.pair(left, "-", right),
            // Zero conditions all hold, and none of them does.
            Expr::All(parts) if parts.is_empty() => self.out.write_str("1 = 1"),
            Expr::Any(parts) if parts.is_empty() => self.out.write_str("1 = 0"),
            Expr::All(parts) => self.list(parts, " AND "),
            Expr::Any(parts) => {
                self.out.write_str("(")?;
                self.list(parts, " OR ")?;
                self.out.write_str(")")
            }
            Expr::In(value, select) | Expr::NotIn(value, select) => {
                self.expr(value)?;
                self.out.write_str(if matches!(expr, Expr::In(..)) { " IN (" } else { " NOT IN (" })?;
                self.select(select)?;
                self.out.write_str(")")
            }
            Expr::Scalar(select) => {
                self.out.write_str("(")?;
                self.select(select)?;
                self.out.write_str(")")
            }
            Expr::Case(branches, otherwise) => {
                self.out.write_str("CASE")?;
                for (condition, value) in branches {
                    self.out.write_str("\n  WHEN ")?;
                    self.expr(condition)?;
                    self.out.write_str(" THEN ")?;
                    self.expr(value)?;
                }
                self.out.write_str("\n  ELSE ")?;
                self.expr(otherwise)?;
                self.out.write_str(" END")
            }
            Expr::Holds(condition) => {
                self.out.write_str("1 / CASE WHEN ")?;
                self.expr(condition)?;
                self.out.write_str(" THEN 1 ELSE 0 END")
            }
            Expr::CountRows => self.out.write_str("count(*)"),
            Expr::Call(name, arguments) => {
                write!(self.out, "{name}(")?;
                self.list(arguments, ", ")?;
                self.out.write_str(")")
            }
            Expr::RowNumber { partition, order, descending } => {
                self.out.write_str("row_number() OVER (PARTITION BY ")?;
                self.list(partition, ", ")?;
                self.out.write_str(" ORDER BY ")?;
                let direction = if *descending { " DESC" } else { "" };
                self.list(order, &format!("{direction}, "))?;
                write!(self.out, "{direction})")
            }
            Expr::Lead { value, partition, order } => {
                self.out.write_str("lead(")?;
                self.expr(value)?;
                self.out.write_str(") OVER (PARTITION BY ")?;
                self.list(partition, ", ")?;
                self.out.write_str(" ORDER BY ")?;
                self.list(order, ", ")?;
                self.out.write_str(")")
            }
        }
    }

    fn collated(&mut self, inner: &Expr, is_text: bool, collation: Option<&str>) -> fmt::Result {
        let trim = is_text && self.dialect.trims_keys;
        self.out.write_str(if trim { "rtrim(" } else { "" })?;
        self.expr(inner)?;
        self.out.write_str(if trim { ")" } else { "" })?;
        collation.map_or(Ok(()), |name| write!(self.out, " COLLATE {name}"))
    }

    /// A parameter is used by its number, however often it stands in a statement.
    fn parameter(&mut self, name: &str, value: &str, ty: Type) -> fmt::Result {
        let number = match self.parameters.iter().position(|known| known.name == name) {
            Some(place) => place + 1,
            None => {
                self.parameters.push(Parameter { name: name.to_owned(), value: value.to_owned() });
                self.parameters.len()
            }
        };
        let text = (self.dialect.parameter)(name, number);
        if ty.is_text() || !self.dialect.casts_parameters {
            self.out.write_str(&text)
        } else {
            write!(self.out, "CAST({text} AS {})", (self.dialect.column_type)(ty))
        }
    }
}

fn names(columns: &[Identifier]) -> String {
    columns.iter().map(Identifier::to_string).collect::<Vec<_>>().join(", ")
}
