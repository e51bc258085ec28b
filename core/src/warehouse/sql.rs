//! SQL: the few statements that a load needs, as a tree. `print` writes them in the SQL of a warehouse.
//!
//! Row values are never part of the tree; they come with the rows. Values of the load itself (names of objects, ids, times) are
//! parameters, and a parameter contains its value.

mod print;

use std::fmt;

use crate::sql::quote::Identifier;
use crate::types::Type;

/// A table, with its schema where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) schema: Option<Identifier>,
    pub(crate) name: Identifier,
}

impl TableName {
    /// A table of Etalon's own in no schema: temporary tables are.
    pub(crate) fn work(name: &'static str) -> Self {
        Self { schema: None, name: Identifier::own(name) }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

/// A statement.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// Unless it is there.
    CreateSchema(Identifier),
    CreateTable(CreateTable),
    CreateUniqueIndex {
        name: Identifier,
        table: TableName,
        columns: Vec<Expr>,
    },
    /// One or more, where the warehouse takes several at once.
    DropTables(Vec<TableName>),
    DropIndex(TableName),
    AddColumn(TableName, ColumnDefinition),
    /// Gives a column of text more room.
    Widen {
        table: TableName,
        column: Identifier,
        ty: Type,
    },
    DropNotNull {
        table: TableName,
        column: Identifier,
    },
    Lock(TableName),
    Insert {
        into: TableName,
        columns: Vec<Identifier>,
        rows: Rows,
    },
    /// The columns of the table itself stand under its name, those of `from` under its alias.
    Update {
        table: TableName,
        set: Vec<(Identifier, Expr)>,
        from: Option<(Source, Identifier)>,
        filter: Expr,
    },
    /// Without a filter, all rows. What is used stands under its own name.
    Delete {
        from: TableName,
        using: Option<TableName>,
        filter: Option<Expr>,
    },
    Select(Select),
}

/// What is inserted.
#[derive(Debug, Clone)]
pub(crate) enum Rows {
    /// Values as they stand.
    Values(Vec<Vec<Expr>>),
    /// So many rows of numbered parameters, which the driver binds.
    Bound(usize),
    Select(Box<Select>),
}

#[derive(Debug, Clone)]
pub(crate) struct CreateTable {
    pub(crate) table: TableName,
    pub(crate) temporary: bool,
    pub(crate) if_absent: bool,
    pub(crate) columns: Vec<ColumnDefinition>,
    /// Where the warehouse enforces and uses them: a key, and what else must be unique.
    pub(crate) primary_key: Vec<Identifier>,
    pub(crate) unique: Vec<Vec<Identifier>>,
    /// Where the warehouse has them.
    pub(crate) dist_key: Option<Identifier>,
    pub(crate) sort_key: Vec<Identifier>,
}

impl CreateTable {
    pub(crate) fn new(table: TableName, columns: Vec<ColumnDefinition>) -> Self {
        Self {
            table,
            temporary: false,
            if_absent: false,
            columns,
            primary_key: Vec::new(),
            unique: Vec::new(),
            dist_key: None,
            sort_key: Vec::new(),
        }
    }
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

impl Select {
    /// Nothing yet, of a table.
    pub(crate) fn from(table: &TableName, alias: &'static str) -> Self {
        let from = Some((Source::Table(table.clone()), Identifier::own(alias)));
        Self { from, ..Self::default() }
    }

    /// Nothing yet, of a selection.
    pub(crate) fn from_select(select: Self, alias: &'static str) -> Self {
        let from = Some((Source::Selects(vec![select]), Identifier::own(alias)));
        Self { from, ..Self::default() }
    }

    /// One more column under a name of Etalon's own.
    pub(crate) fn column(mut self, value: Expr, name: &'static str) -> Self {
        self.columns.push((value, Some(Identifier::own(name))));
        self
    }

    /// More columns under their own names.
    pub(crate) fn columns(mut self, values: impl IntoIterator<Item = Expr>) -> Self {
        self.columns.extend(values.into_iter().map(|value| (value, None)));
        self
    }

    pub(crate) fn join(mut self, kind: JoinKind, source: Source, alias: &'static str, on: Expr) -> Self {
        self.joins.push(Join { kind, source, alias: Identifier::own(alias), on });
        self
    }

    pub(crate) fn filter(self, filter: Expr) -> Self {
        Self { filter: Some(filter), ..self }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Source {
    Table(TableName),
    /// The rows of one selection, or of several together.
    Selects(Vec<Select>),
}

#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
    pub(crate) source: Source,
    pub(crate) alias: Identifier,
    pub(crate) on: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    Left,
    Full,
}

#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Column(Option<Identifier>, Identifier),
    Parameter {
        name: String,
        value: String,
        ty: Type,
    },
    Word(&'static str),
    Number(u64),
    Boolean(bool),
    /// A condition in the warehouse's own words.
    Condition(&'static str),
    /// A text as it compares as a key: trailing blanks do not count. Other types are themselves.
    Key(Box<Self>, Type),
    /// A value as it compares where versions are ordered.
    Order(Box<Self>, Type),
    /// A staged value as the target has it.
    Stored(Box<Self>, Type),
    /// A text by its bytes.
    Bytes(Box<Self>),
    /// A `timestamptz` as text, with six digits of fraction, in UTC.
    InstantText(Box<Self>),
    Equal(Box<Self>, Box<Self>),
    Less(Box<Self>, Box<Self>),
    Differs(Box<Self>, Box<Self>),
    /// Equal, or both NULL.
    Same(Box<Self>, Box<Self>),
    IsNull(Box<Self>),
    IsNotNull(Box<Self>),
    Plus(Box<Self>, Box<Self>),
    Minus(Box<Self>, Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    In(Box<Self>, Box<Select>),
    NotIn(Box<Self>, Box<Select>),
    Scalar(Box<Select>),
    Case(Vec<(Self, Self)>, Box<Self>),
    /// 1 where it holds; elsewhere a division by zero.
    Holds(Box<Self>),
    CountRows,
    /// min, max, sum, or coalesce with a second argument.
    Call(&'static str, Vec<Self>),
    RowNumber {
        partition: Vec<Self>,
        order: Vec<Self>,
        descending: bool,
    },
    Lead {
        value: Box<Self>,
        partition: Vec<Self>,
        order: Vec<Self>,
    },
}

impl Expr {
    pub(crate) fn of(alias: &'static str, column: &Identifier) -> Self {
        Self::Column(Some(Identifier::own(alias)), column.clone())
    }

    pub(crate) fn own(alias: &'static str, column: &'static str) -> Self {
        Self::of(alias, &Identifier::own(column))
    }

    /// A column of the table that an update or delete is about, or of the one that it uses.
    pub(crate) fn at(table: &TableName, column: &Identifier) -> Self {
        Self::Column(Some(table.name.clone()), column.clone())
    }

    pub(crate) fn bare(column: &'static str) -> Self {
        Self::Column(None, Identifier::own(column))
    }

    pub(crate) fn key(self, ty: Type) -> Self {
        Self::Key(Box::new(self), ty)
    }

    pub(crate) fn order(self, ty: Type) -> Self {
        Self::Order(Box::new(self), ty)
    }

    pub(crate) fn bytes(self) -> Self {
        Self::Bytes(Box::new(self))
    }

    pub(crate) fn equal(self, other: Self) -> Self {
        Self::Equal(Box::new(self), Box::new(other))
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self::Less(Box::new(self), Box::new(other))
    }

    pub(crate) fn differs(self, other: Self) -> Self {
        Self::Differs(Box::new(self), Box::new(other))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self::Plus(Box::new(self), Box::new(other))
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self::Minus(Box::new(self), Box::new(other))
    }

    pub(crate) fn absent(self) -> Self {
        Self::IsNull(Box::new(self))
    }

    pub(crate) fn present(self) -> Self {
        Self::IsNotNull(Box::new(self))
    }

    pub(crate) fn among(self, select: Select) -> Self {
        Self::In(Box::new(self), Box::new(select))
    }

    pub(crate) fn sum(self) -> Self {
        Self::Call("sum", vec![self])
    }

    pub(crate) fn or_zero(self) -> Self {
        Self::Call("coalesce", vec![self, Self::Number(0)])
    }

    pub(crate) fn case(condition: Self, then: Self, otherwise: Self) -> Self {
        Self::Case(vec![(condition, then)], Box::new(otherwise))
    }

    /// 1 where no row is counted; elsewhere a division by zero.
    pub(crate) fn no_rows() -> Self {
        Self::Holds(Box::new(Self::CountRows.equal(Self::Number(0))))
    }
}
